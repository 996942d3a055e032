/* scram_client: the client's side of SCRAM (RFC 5802), for tests of servers. Needs libcrypto.
 *
 * Use: scram_client_first(), then scram_client_final() with the server's answer, then
 * scram_client_verify() with its last one. */
#pragma once

#include "tests/support/test.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct scram_client {
    const EVP_MD *md;
    const char *user, *password, *gs2, *nonce;
    char bare[600], first[1200], final[1500], signature[120];
};

static inline const char *scram_client_first(struct scram_client *c)
{
    (void)snprintf(c->bare, sizeof(c->bare), "n=%s,r=%s", c->user, c->nonce);
    (void)snprintf(c->first, sizeof(c->first), "%s%s", c->gs2, c->bare);
    return c->first;
}

static inline void scram_client_mac(const struct scram_client *c, const uint8_t *key,
                                    const char *text, uint8_t out[64])
{
    unsigned n = 0;
    REQUIRE(HMAC(c->md, key, EVP_MD_size(c->md), (const uint8_t *)text, strlen(text), out, &n));
}

/* `server_first` is r=…,s=…,i=…. */
static inline const char *scram_client_final(struct scram_client *c, const char *server_first)
{
    uint8_t salt[100], salted[64], key[64], stored[64], mac[64], server_key[64];
    char all[3000], nonce[600], salt64[140], count[10], proof[120], gs2[20];
    int n = EVP_MD_size(c->md);
    REQUIRE(sscanf(server_first, "r=%599[^,],s=%139[^,],i=%9[0-9]", nonce, salt64, count) == 3);
    int rounds = (int)strtol(count, NULL, 10);
    CHECK(strncmp(nonce, c->nonce, strlen(c->nonce)) == 0 && strlen(nonce) > strlen(c->nonce));
    int salt_n = EVP_DecodeBlock(salt, (const uint8_t *)salt64, (int)strlen(salt64));
    REQUIRE(salt_n > 0);
    for (size_t i = strlen(salt64); salt64[i - 1] == '='; i--)
        salt_n--;
    REQUIRE(PKCS5_PBKDF2_HMAC(c->password, (int)strlen(c->password), salt, salt_n, rounds, c->md, n,
                              salted) == 1);
    scram_client_mac(c, salted, "Client Key", key);
    scram_client_mac(c, salted, "Server Key", server_key);
    REQUIRE(EVP_Digest(key, (size_t)n, stored, NULL, c->md, NULL) == 1);
    (void)EVP_EncodeBlock((uint8_t *)gs2, (const uint8_t *)c->gs2, (int)strlen(c->gs2));
    int at = snprintf(c->final, sizeof(c->final), "c=%s,r=%s", gs2, nonce);
    int all_n = snprintf(all, sizeof(all), "%s,%s,%s", c->bare, server_first, c->final);
    REQUIRE(all_n > 0 && (size_t)all_n < sizeof(all));
    scram_client_mac(c, stored, all, mac);
    for (int i = 0; i < n; i++)
        key[i] ^= mac[i];
    (void)EVP_EncodeBlock((uint8_t *)proof, key, n);
    (void)snprintf(c->final + at, sizeof(c->final) - (size_t)at, ",p=%s", proof);
    scram_client_mac(c, server_key, all, mac);
    memcpy(c->signature, "v=", 2);
    (void)EVP_EncodeBlock((uint8_t *)c->signature + 2, mac, n);
    return c->final;
}

static inline void scram_client_verify(const struct scram_client *c, const char *server_final)
{
    CHECK_EQ_STR(server_final, c->signature);
}
