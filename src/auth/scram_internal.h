/* scram_internal: what the two files of SCRAM share. */
#pragma once

#include "auth/scram.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

static inline size_t scram_key_n(enum scram_hash hash)
{
    return hash == SCRAM_SHA256 ? 32 : 64;
}
const EVP_MD *scram_digest(enum scram_hash hash);
bool scram_hmac(enum scram_hash hash, const uint8_t *key, struct str text,
                uint8_t out[SCRAM_KEY_MAX]);
bool scram_h(enum scram_hash hash, const uint8_t *in, uint8_t out[SCRAM_KEY_MAX]);
/* Strict but for its padding's bits; false: no base64, or more than cap bytes (at most 192). */
bool scram_base64(struct str text, uint8_t *out, size_t cap, size_t *n);
