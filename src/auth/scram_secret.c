/* What is stored of a password for SCRAM. */
#include "auth/scram_internal.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#define LINE_SALT    16
#define ROUNDS_MAX   10000000
#define ROUNDS_LEAST 1

static const char prefix[] = "SCRAM-SHA-256$";

const EVP_MD *scram_digest(enum scram_hash hash)
{
    return hash == SCRAM_SHA256 ? EVP_sha256() : EVP_sha512();
}

bool scram_hmac(enum scram_hash hash, const uint8_t *key, struct str text,
                uint8_t out[SCRAM_KEY_MAX])
{
    unsigned n = 0;
    return HMAC(scram_digest(hash), key, (int)scram_key_n(hash), (const uint8_t *)text.p, text.n,
                out, &n) != NULL;
}

bool scram_h(enum scram_hash hash, const uint8_t *in, uint8_t out[SCRAM_KEY_MAX])
{
    return EVP_Digest(in, scram_key_n(hash), out, NULL, scram_digest(hash), NULL) == 1;
}

bool scram_base64(struct str text, uint8_t *out, size_t cap, size_t *n)
{
    uint8_t block[3 * SCRAM_KEY_MAX];
    if (text.n == 0 || text.n % 4 || text.n / 4 * 3 > sizeof(block))
        return false;
    int got = EVP_DecodeBlock(block, (const uint8_t *)text.p, (int)text.n);
    if (got < 0)
        return false;
    *n = (size_t)got;
    for (size_t i = text.n; i > text.n - 2 && text.p[i - 1] == '='; i--)
        (*n)--; /* the decoder counts padding */
    if (*n > cap)
        return false;
    memcpy(out, block, *n);
    return true;
}

/* SaltedPassword to StoredKey and ServerKey (RFC 5802, 3). */
static bool keys_from(struct scram_secret *s, enum scram_hash hash, const uint8_t *salted)
{
    uint8_t client_key[SCRAM_KEY_MAX];
    bool ok = scram_hmac(hash, salted, STR("Client Key"), client_key) &&
              scram_h(hash, client_key, s->stored_key) &&
              scram_hmac(hash, salted, STR("Server Key"), s->server_key);
    OPENSSL_cleanse(client_key, sizeof(client_key));
    return ok;
}

static bool salt_password(struct scram_secret *s, enum scram_hash hash, struct bytes password)
{
    uint8_t salted[SCRAM_KEY_MAX];
    bool ok =
        PKCS5_PBKDF2_HMAC((const char *)password.p, (int)password.n, s->salt, (int)s->salt_n,
                          s->rounds, scram_digest(hash), (int)scram_key_n(hash), salted) == 1 &&
        keys_from(s, hash, salted);
    OPENSSL_cleanse(salted, sizeof(salted));
    return ok;
}

static bool rounds_from(struct str text, int *out)
{
    int64_t n;
    if (!str_to_i64_within(text, ROUNDS_LEAST, ROUNDS_MAX, &n))
        return false;
    *out = (int)n;
    return true;
}

/* Behind the prefix: `ROUNDS:SALT$STOREDKEY:SERVERKEY`. */
static bool parse_own(struct scram_secret *out, struct str rest)
{
    struct str rounds, salt, stored;
    size_t stored_n, server_n;
    return str_split(&rest, ':', &rounds) && str_split(&rest, '$', &salt) &&
           str_split(&rest, ':', &stored) && rounds_from(rounds, &out->rounds) &&
           scram_base64(salt, out->salt, sizeof(out->salt), &out->salt_n) &&
           scram_base64(stored, out->stored_key, SCRAM_KEY_MAX, &stored_n) &&
           scram_base64(rest, out->server_key, SCRAM_KEY_MAX, &server_n) &&
           stored_n == scram_key_n(SCRAM_SHA256) && server_n == stored_n;
}

/* `$7$ROUNDS$SALT$SALTEDPASSWORD`: PBKDF2 with SHA-512 is what SCRAM calls Hi(). */
static bool parse_mosquitto(struct scram_secret *out, struct str rest)
{
    struct str rounds, salt;
    uint8_t salted[SCRAM_KEY_MAX];
    size_t n;
    bool ok = str_split(&rest, '$', &rounds) && str_split(&rest, '$', &salt) &&
              rounds_from(rounds, &out->rounds) &&
              scram_base64(salt, out->salt, sizeof(out->salt), &out->salt_n) &&
              scram_base64(rest, salted, sizeof(salted), &n) && n == scram_key_n(SCRAM_SHA512) &&
              keys_from(out, SCRAM_SHA512, salted);
    OPENSSL_cleanse(salted, sizeof(salted));
    return ok;
}

bool scram_secret_parse(struct scram_secret *out, enum scram_hash hash, struct str line)
{
    *out = (struct scram_secret){0};
    if (hash == SCRAM_SHA256 && str_starts(line, str_from(prefix)))
        return parse_own(out, str_sub(line, sizeof(prefix) - 1, line.n));
    if (hash == SCRAM_SHA512 && str_starts(line, STR("$7$")))
        return parse_mosquitto(out, str_sub(line, 3, line.n));
    return false;
}

static size_t put64(char *at, const uint8_t *p, size_t n)
{
    return (size_t)EVP_EncodeBlock((uint8_t *)at, p, (int)n);
}

enum err scram_line(struct bytes password, int rounds, char out[PASSWORD_HASH_MAX], struct error *e)
{
    struct scram_secret s = {.rounds = rounds, .salt_n = LINE_SALT};
    if (password.n > PASSWORD_MAX)
        return error_set(e, ERR_RANGE, "a password has at most %d bytes", PASSWORD_MAX);
    if (RAND_bytes(s.salt, LINE_SALT) != 1)
        return error_set(e, ERR_IO, "no random numbers for a salt");
    if (!salt_password(&s, SCRAM_SHA256, password))
        return error_set(e, ERR_NOMEM, "can't hash a password");
    const size_t n = scram_key_n(SCRAM_SHA256);
    char *at = out;
    at += snprintf(at, 40, "%s%d:", prefix, rounds);
    at += put64(at, s.salt, LINE_SALT);
    *at++ = '$';
    at += put64(at, s.stored_key, n);
    *at++ = ':';
    (void)put64(at, s.server_key, n);
    OPENSSL_cleanse(&s, sizeof(s));
    return ERR_OK;
}

bool scram_line_known(struct str line)
{
    struct scram_secret s;
    bool known = line.n < PASSWORD_HASH_MAX && scram_secret_parse(&s, SCRAM_SHA256, line);
    OPENSSL_cleanse(&s, sizeof(s));
    return known;
}

bool scram_line_matches(struct str line, struct bytes password)
{
    struct scram_secret stored, s;
    if (!scram_secret_parse(&stored, SCRAM_SHA256, line))
        return false;
    s = stored;
    bool same = salt_password(&s, SCRAM_SHA256, password) &&
                CRYPTO_memcmp(s.stored_key, stored.stored_key, scram_key_n(SCRAM_SHA256)) == 0;
    OPENSSL_cleanse(&s, sizeof(s));
    OPENSSL_cleanse(&stored, sizeof(stored));
    return same;
}
