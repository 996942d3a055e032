/* archive_internal: what writing and reading share; private to backup/. */
#pragma once

#include "backup/archive.h"

#include <openssl/evp.h>
#include <zstd.h>

/* ERR_CANCELED: somebody wants this process to end: one of the signals that backup_hold_signals()
 * holds back has come. Asked with every piece, so that what is half done is cleared away. */
MUST_USE enum err archive_go_on(struct error *e);
void sha256_hex(EVP_MD_CTX *sha, char out[SHA256_HEX + 1]); /* ends it */
