/* archive_internal: what writing and reading share; private to backup/. */
#pragma once

#include "backup/archive.h"

#include <openssl/evp.h>
#include <zstd.h>

void sha256_hex(EVP_MD_CTX *sha, char out[SHA256_HEX + 1]); /* ends it */
