/* The exchange: four messages, two of them ours (RFC 5802, 3 and 7). */
#include "auth/scram_internal.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#define MESSAGE_MAX 512 /* of the client */
#define ANSWER_MAX  512

enum scram_state { SCRAM_FIRST, SCRAM_FINAL, SCRAM_OVER };

struct scram {
    struct enhanced exchange;
    const struct scram_method *method;
    struct alloc *alloc;
    enum scram_state state;
    bool known; /* the user has a secret */
    struct scram_secret secret;
    size_t gs2_n, bare_n, first_n, nonce_n, user_n;
    char gs2[4]; /* the client's gs2-header */
    char user[USER_NAME_MAX];
    char bare[MESSAGE_MAX];                    /* client-first-message-bare */
    char nonce[MESSAGE_MAX + SCRAM_NONCE_MAX]; /* the client's and ours */
    char first[2 * MESSAGE_MAX];               /* server-first-message */
    char answer[ANSWER_MAX];
};

static struct str text_of(const char *p, size_t n)
{
    return (struct str){p, n};
}

/* ---- client-first-message ---- */

/* saslname: `=2C` is a comma, `=3D` an equals sign. */
static bool take_name(struct scram *s, struct str name)
{
    s->user_n = 0;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (c == '=') {
            struct str code = str_sub(name, i + 1, 2);
            bool comma = str_eq(code, STR("2C"));
            if (!comma && !str_eq(code, STR("3D")))
                return false;
            c = comma ? ',' : '=';
            i += 2;
        }
        if (s->user_n == sizeof(s->user))
            return false;
        s->user[s->user_n++] = c;
    }
    return password_user_valid(text_of(s->user, s->user_n));
}

/* `n,,` or `y,,`: no channel binding, and nobody else in whose name. Leaves the rest. */
static bool take_gs2(struct scram *s, struct str *rest)
{
    struct str flag, authzid;
    const char *start = rest->p;
    if (!str_split(rest, ',', &flag) || !str_split(rest, ',', &authzid) || !rest->p)
        return false;
    if (!(str_eq(flag, STR("n")) || str_eq(flag, STR("y"))) || authzid.n)
        return false;
    s->gs2_n = (size_t)(rest->p - start);
    memcpy(s->gs2, start, s->gs2_n);
    return true;
}

/* Printable, at least one byte. */
static bool nonce_valid(struct str nonce)
{
    for (size_t i = 0; i < nonce.n; i++) {
        if (nonce.p[i] < 0x21 || nonce.p[i] > 0x7e || nonce.p[i] == ',')
            return false;
    }
    return nonce.n > 0;
}

static bool take_first(struct scram *s, struct str message)
{
    struct str rest = message, name, nonce;
    if (!take_gs2(s, &rest))
        return false;
    memcpy(s->bare, rest.p, rest.n);
    s->bare_n = rest.n;
    /* `m=` in the name's place is an extension that we would have to know. */
    if (!str_split(&rest, ',', &name) || !str_starts(name, STR("n=")) ||
        !str_split(&rest, ',', &nonce) || !str_starts(nonce, STR("r=")) ||
        !nonce_valid(str_sub(nonce, 2, nonce.n)))
        return false;
    nonce = str_sub(nonce, 2, nonce.n);
    memcpy(s->nonce, nonce.p, nonce.n);
    s->nonce_n = nonce.n;
    return take_name(s, str_sub(name, 2, name.n));
}

/* The secret of a user, or one that fits nothing and is always the same for that name. */
static bool look_up(struct scram *s)
{
    const struct scram_method *m = s->method;
    char line[PASSWORD_HASH_MAX];
    uint8_t mac[SCRAM_KEY_MAX];
    struct str user = text_of(s->user, s->user_n);
    s->known =
        m->find(m->ctx, user, line) && scram_secret_parse(&s->secret, m->hash, str_from(line));
    OPENSSL_cleanse(line, sizeof(line));
    if (s->known)
        return true;
    unsigned n = 0;
    if (!HMAC(EVP_sha256(), m->key, sizeof(m->key), (const uint8_t *)user.p, user.n, mac, &n))
        return false;
    /* What most lines look like: those of `sedge passwd --scram`, and of mosquitto_passwd. */
    bool own = m->hash == SCRAM_SHA256;
    s->secret = (struct scram_secret){.rounds = own ? SCRAM_ROUNDS : 101, .salt_n = own ? 16 : 12};
    memcpy(s->secret.salt, mac, s->secret.salt_n);
    return true;
}

static enum enhanced_result first(struct scram *s, struct str message, struct bytes *answer)
{
    char salt[2 * SCRAM_SALT_MAX];
    if (!take_first(s, message) || !look_up(s))
        return ENHANCED_DENIED;
    s->nonce_n += s->method->nonce(s->method->ctx, s->nonce + s->nonce_n);
    (void)EVP_EncodeBlock((uint8_t *)salt, s->secret.salt, (int)s->secret.salt_n);
    s->first_n = (size_t)snprintf(s->first, sizeof(s->first), "r=%.*s,s=%s,i=%d", (int)s->nonce_n,
                                  s->nonce, salt, s->secret.rounds);
    ASSERT(s->first_n < sizeof(s->first));
    *answer = (struct bytes){(const uint8_t *)s->first, s->first_n};
    s->state = SCRAM_FINAL;
    return ENHANCED_MORE;
}

/* ---- client-final-message ---- */

/* `c=`, the gs2-header once more, and our nonce; extensions are passed over. Where the proof
 * begins, in *without_proof. */
static bool final_fits(const struct scram *s, struct str message, struct str *without_proof,
                       struct str *proof)
{
    struct str rest = message, binding, nonce, part;
    char gs2[2 * sizeof(s->gs2)];
    (void)EVP_EncodeBlock((uint8_t *)gs2, (const uint8_t *)s->gs2, (int)s->gs2_n);
    if (!str_split(&rest, ',', &binding) || !str_starts(binding, STR("c=")) ||
        !str_eq(str_sub(binding, 2, binding.n), str_from(gs2)))
        return false;
    if (!str_split(&rest, ',', &nonce) || !str_starts(nonce, STR("r=")) ||
        !str_eq(str_sub(nonce, 2, nonce.n), text_of(s->nonce, s->nonce_n)))
        return false;
    part = (struct str){NULL, 0};
    while (rest.n && str_split(&rest, ',', &part))
        ;
    if (!str_starts(part, STR("p=")) || part.p + part.n != message.p + message.n)
        return false;
    *without_proof = text_of(message.p, (size_t)(part.p - message.p) - 1);
    *proof = str_sub(part, 2, part.n);
    return true;
}

/* H(ClientProof XOR ClientSignature) is the stored key. */
static bool proof_right(const struct scram *s, struct str auth_message, struct str proof)
{
    enum scram_hash hash = s->method->hash;
    uint8_t key[SCRAM_KEY_MAX], signature[SCRAM_KEY_MAX], stored[SCRAM_KEY_MAX];
    size_t n = 0;
    if (!scram_base64(proof, key, sizeof(key), &n) || n != scram_key_n(hash) ||
        !scram_hmac(hash, s->secret.stored_key, auth_message, signature))
        return false;
    for (size_t i = 0; i < n; i++)
        key[i] ^= signature[i];
    bool right = scram_h(hash, key, stored) && CRYPTO_memcmp(stored, s->secret.stored_key, n) == 0;
    OPENSSL_cleanse(key, sizeof(key));
    return right && s->known;
}

static bool sign(struct scram *s, struct str auth_message, struct bytes *answer)
{
    enum scram_hash hash = s->method->hash;
    uint8_t signature[SCRAM_KEY_MAX];
    if (!scram_hmac(hash, s->secret.server_key, auth_message, signature))
        return false;
    memcpy(s->answer, "v=", 2);
    int n = EVP_EncodeBlock((uint8_t *)s->answer + 2, signature, (int)scram_key_n(hash));
    *answer = (struct bytes){(const uint8_t *)s->answer, 2 + (size_t)n};
    return true;
}

static enum enhanced_result final(struct scram *s, struct str message, struct bytes *answer)
{
    struct str without_proof, proof;
    char all[4 * MESSAGE_MAX + 2];
    if (!final_fits(s, message, &without_proof, &proof))
        return ENHANCED_DENIED;
    int n = snprintf(all, sizeof(all), "%.*s,%.*s,%.*s", (int)s->bare_n, s->bare, (int)s->first_n,
                     s->first, STR_FMT(without_proof));
    ASSERT((size_t)n < sizeof(all));
    struct str auth_message = text_of(all, (size_t)n);
    if (!proof_right(s, auth_message, proof) || !sign(s, auth_message, answer))
        return ENHANCED_DENIED;
    s->exchange.user = text_of(s->user, s->user_n);
    return ENHANCED_DONE;
}

/* ---- the method ---- */

static enum enhanced_result step(struct enhanced *x, struct bytes in, struct bytes *answer)
{
    struct scram *s = CONTAINER_OF(x, struct scram, exchange);
    struct str message = text_of((const char *)in.p, in.n);
    enum scram_state state = s->state;
    *answer = (struct bytes){NULL, 0};
    s->state = SCRAM_OVER;
    if (in.n == 0 || in.n > MESSAGE_MAX || memchr(in.p, 0, in.n))
        return ENHANCED_DENIED;
    return state == SCRAM_FIRST   ? first(s, message, answer)
           : state == SCRAM_FINAL ? final(s, message, answer)
                                  : ENHANCED_DENIED;
}

static void end(struct enhanced *x)
{
    struct scram *s = CONTAINER_OF(x, struct scram, exchange);
    struct alloc *a = s->alloc;
    OPENSSL_cleanse(s, sizeof(*s));
    mem_free(a, s, sizeof(*s));
}

static struct enhanced *begin(const struct enhanced_method *m, struct alloc *a)
{
    struct scram *s = mem_zero(a, sizeof(*s));
    if (!s)
        return NULL;
    s->exchange.step = step;
    s->exchange.end = end;
    s->method = CONTAINER_OF(m, struct scram_method, method);
    s->alloc = a;
    return &s->exchange;
}

void scram_method_init(struct scram_method *m, enum scram_hash hash)
{
    m->method.name = hash == SCRAM_SHA256 ? STR("SCRAM-SHA-256") : STR("SCRAM-SHA-512");
    m->method.begin = begin;
    m->hash = hash;
}
