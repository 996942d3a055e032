/* The keys of a server's session tickets. OpenSSL would make one for each context and keep it for
 * as long as that lives, that is from one reload of the certificates to the next, for months: who
 * gets hold of it then reads all that was said in connections of TLS 1.2 that came back by a ticket
 * (those of 1.3 agree on a new secret), and can come in the name of any client whose ticket he has
 * seen. So a key makes tickets for an hour, opens them for as long as the last of them is good, and
 * is wiped at the first handshake after that: RFC 9325, 7.3 (forward secrecy and tickets); RFC
 * 5077, 5.5 (keys are changed regularly). Ticket format and algorithms are those of RFC 5077, 4. */
#include "net/tls_internal.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>

static void drop_old(struct tls_tickets *x, int64_t now_ns)
{
    while (x->n && now_ns - x->keys[x->n - 1].made_ns > TLS_TICKET_KEY_NS + TLS_TICKET_NS) {
        x->n--;
        OPENSSL_cleanse(&x->keys[x->n], sizeof(x->keys[x->n]));
    }
}

/* In front of the others. */
static bool make(struct tls_tickets *x, int64_t now_ns)
{
    struct tls_ticket_key key = {.made_ns = now_ns};
    if (RAND_bytes(key.name, sizeof(key.name)) != 1 ||
        RAND_priv_bytes(key.cipher, sizeof(key.cipher)) != 1 ||
        RAND_priv_bytes(key.mac, sizeof(key.mac)) != 1)
        return false;
    if (x->n == ARRAY_LEN(x->keys)) /* never, while each makes tickets for its time */
        x->n--;
    memmove(&x->keys[1], &x->keys[0], x->n * sizeof(key));
    x->keys[0] = key;
    x->n++;
    OPENSSL_cleanse(&key, sizeof(key));
    return true;
}

/* For a new ticket. */
static const struct tls_ticket_key *newest(struct tls_tickets *x, int64_t now_ns)
{
    bool fresh = x->n && now_ns - x->keys[0].made_ns < TLS_TICKET_KEY_NS;
    return fresh || make(x, now_ns) ? &x->keys[0] : NULL;
}

static const struct tls_ticket_key *named(const struct tls_tickets *x, const unsigned char *name)
{
    for (size_t i = 0; i < x->n; i++)
        if (memcmp(x->keys[i].name, name, sizeof(x->keys[i].name)) == 0)
            return &x->keys[i];
    return NULL;
}

/* A copy, since others may make one meanwhile. */
static bool key_for(struct tls *t, struct tls_tickets *x, const unsigned char *name, bool sealing,
                    struct tls_ticket_key *out)
{
    int64_t now_ns = clock_mono_ns(executor_env(t->cfg.ex)->clock);
    pthread_mutex_lock(&t->lock);
    drop_old(x, now_ns);
    const struct tls_ticket_key *key = sealing ? newest(x, now_ns) : named(x, name);
    if (key)
        *out = *key;
    pthread_mutex_unlock(&t->lock);
    return key;
}

static bool set_mac(EVP_MAC_CTX *mac, struct tls_ticket_key *key)
{
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->mac, sizeof(key->mac)),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end()};
    return EVP_MAC_CTX_set_params(mac, params) == 1;
}

int tls_on_ticket_key(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                      EVP_MAC_CTX *mac, int sealing)
{
    enum { FAILED = -1, NONE = 0, SEALED = 1, OPENED_ONCE = 2 };
    struct tls *t = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    struct tls_set *set = SSL_get_app_data(ssl);
    struct tls_ticket_key key;
    if (!set || !key_for(t, &set->tickets, name, sealing, &key))
        return NONE; /* no ticket; or the whole handshake */
    bool ok = set_mac(mac, &key);
    if (sealing) {
        memcpy(name, key.name, sizeof(key.name));
        ok = ok && RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) == 1 &&
             EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, key.cipher, iv) == 1;
    } else {
        ok = ok && EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, key.cipher, iv) == 1;
    }
    OPENSSL_cleanse(&key, sizeof(key));
    /* A ticket is for one connection (RFC 8446, C.4): who comes by one is given the next. */
    return !ok ? FAILED : sealing ? SEALED : OPENED_ONCE;
}

void tls_tickets_wipe(struct tls_tickets *x)
{
    OPENSSL_cleanse(x, sizeof(*x));
}
