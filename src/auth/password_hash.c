#include "auth/password.h"
#include "auth/scram_internal.h"

#include <argon2.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>

/* OWASP names these equal in strength to 19 MiB and 2 passes. Less memory, because a gateway has
 * little of it and two checks may run at once, beside a program that wants to stay below 20 MB. */
#define ARGON2_KIB    7168
#define ARGON2_PASSES 5
#define ARGON2_LANES  1
#define SALT_BYTES    16
#define HASH_BYTES    32

#define MOSQUITTO_HASH_BYTES 64
#define PBKDF2_ROUNDS_MAX    10000000
#define ARGON2_KIB_MAX       (1u << 20) /* what a line of the file may ask for */

enum err password_hash(struct bytes password, char out[PASSWORD_HASH_MAX], struct error *e)
{
    uint8_t salt[SALT_BYTES];
    if (password.n > PASSWORD_MAX)
        return error_set(e, ERR_RANGE, "a password has at most %d bytes", PASSWORD_MAX);
    if (RAND_bytes(salt, sizeof(salt)) != 1)
        return error_set(e, ERR_IO, "no random numbers for a salt");
    int rc = argon2id_hash_encoded(ARGON2_PASSES, ARGON2_KIB, ARGON2_LANES, password.p, password.n,
                                   salt, sizeof(salt), HASH_BYTES, out, PASSWORD_HASH_MAX);
    if (rc != ARGON2_OK)
        return error_set(e, rc == ARGON2_MEMORY_ALLOCATION_ERROR ? ERR_NOMEM : ERR_INVALID,
                         "can't hash a password: %s", argon2_error_message(rc));
    return ERR_OK;
}

struct mosquitto {
    int rounds;
    uint8_t salt[96], hash[96];
    size_t salt_n, hash_n;
};

static bool mosquitto_parse(struct str hash, struct mosquitto *m)
{
    struct str rest = hash, empty, kind, rounds, salt, sum;
    int64_t n;
    if (!str_split(&rest, '$', &empty) || !str_split(&rest, '$', &kind) ||
        !str_split(&rest, '$', &rounds) || !str_split(&rest, '$', &salt))
        return false;
    sum = rest;
    if (empty.n || !str_eq(kind, STR("7")) || !str_to_i64_within(rounds, 1, PBKDF2_ROUNDS_MAX, &n))
        return false;
    m->rounds = (int)n;
    return scram_base64(salt, m->salt, sizeof(m->salt), &m->salt_n) &&
           scram_base64(sum, m->hash, sizeof(m->hash), &m->hash_n) &&
           m->hash_n == MOSQUITTO_HASH_BYTES;
}

static bool number(struct str *rest, const char *name, char end, int64_t max)
{
    struct str value, prefix = str_from(name);
    if (!str_split(rest, end, &value) || !str_starts(value, prefix))
        return false;
    int64_t n;
    return str_to_i64_within(str_sub(value, prefix.n, value.n), 1, max, &n);
}

/* `$argon2id$v=19$m=7168,t=5,p=1$SALT$HASH`. The numbers, because libargon2 takes any. */
static bool argon2_parse(struct str hash)
{
    struct str rest = hash, empty, kind, version;
    return hash.n < PASSWORD_HASH_MAX && str_split(&rest, '$', &empty) && !empty.n &&
           str_split(&rest, '$', &kind) && str_starts(kind, STR("argon2")) &&
           str_split(&rest, '$', &version) && str_starts(version, STR("v=")) &&
           number(&rest, "m=", ',', ARGON2_KIB_MAX) && number(&rest, "t=", ',', 1000) &&
           number(&rest, "p=", '$', 64) && rest.n > 0;
}

bool password_hash_known(struct str hash)
{
    struct mosquitto m;
    return argon2_parse(hash) || mosquitto_parse(hash, &m) || scram_line_known(hash);
}

static bool argon2_matches(struct str hash, struct bytes password)
{
    char text[PASSWORD_HASH_MAX];
    memcpy(text, hash.p, hash.n);
    text[hash.n] = '\0';
    argon2_type type = str_starts(hash, STR("$argon2id$"))  ? Argon2_id
                       : str_starts(hash, STR("$argon2i$")) ? Argon2_i
                                                            : Argon2_d;
    return argon2_verify(text, password.p, password.n, type) == ARGON2_OK;
}

static bool mosquitto_matches(const struct mosquitto *m, struct bytes password)
{
    uint8_t sum[MOSQUITTO_HASH_BYTES];
    if (PKCS5_PBKDF2_HMAC((const char *)password.p, (int)password.n, m->salt, (int)m->salt_n,
                          m->rounds, EVP_sha512(), sizeof(sum), sum) != 1)
        return false;
    bool same = CRYPTO_memcmp(sum, m->hash, sizeof(sum)) == 0;
    OPENSSL_cleanse(sum, sizeof(sum));
    return same;
}

bool password_matches(struct str hash, struct bytes password)
{
    struct mosquitto m;
    if (password.n > PASSWORD_MAX)
        return false;
    if (argon2_parse(hash))
        return argon2_matches(hash, password);
    if (mosquitto_parse(hash, &m))
        return mosquitto_matches(&m, password);
    return scram_line_matches(hash, password);
}
