#include "net/cert_fixture.h"
#include "tests/support/test.h"
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>

enum { DAY_S = 24 * 3600 };

static void add_extension(X509 *x, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    REQUIRE(extension && X509_add_ext(x, extension, -1) == 1);
    X509_EXTENSION_free(extension);
}

static void describe(X509 *x, const char *name, EVP_PKEY *key, const char *hosts, bool issues,
                     bool expired)
{
    static long serial;
    X509_set_version(x, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(x), -2 * DAY_S);
    X509_gmtime_adj(X509_getm_notAfter(x), expired ? -DAY_S : 7 * DAY_S);
    X509_set_pubkey(x, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8,
                               (const unsigned char *)name, -1, -1, 0);
    add_extension(x, NID_basic_constraints, issues ? "critical,CA:TRUE" : "CA:FALSE");
    if (hosts)
        add_extension(x, NID_subject_alt_name, hosts);
}

static void sign(X509 *x, EVP_PKEY *own, const struct cert *issuer)
{
    if (!issuer) {
        X509_set_issuer_name(x, X509_get_subject_name(x));
        REQUIRE(X509_sign(x, own, EVP_sha256()) > 0);
        return;
    }
    FILE *f = fopen(issuer->cert, "r"), *k = fopen(issuer->key, "r");
    REQUIRE(f && k);
    X509 *ca = PEM_read_X509(f, NULL, NULL, NULL);
    EVP_PKEY *key = PEM_read_PrivateKey(k, NULL, NULL, NULL);
    (void)fclose(f);
    (void)fclose(k);
    X509_set_issuer_name(x, X509_get_subject_name(ca));
    REQUIRE(X509_sign(x, key, EVP_sha256()) > 0);
    X509_free(ca);
    EVP_PKEY_free(key);
}

void cert_make(struct cert *c, const char *name, const struct cert *issuer, const char *hosts,
               bool expired)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    REQUIRE(key && x);
    (void)snprintf(c->cert, sizeof(c->cert), "%s/%s.pem", test_tmpdir(), name);
    (void)snprintf(c->key, sizeof(c->key), "%s/%s.key", test_tmpdir(), name);
    describe(x, name, key, hosts, !issuer, expired);
    sign(x, key, issuer);
    FILE *f = fopen(c->cert, "w"), *k = fopen(c->key, "w");
    REQUIRE(f && k);
    REQUIRE(PEM_write_X509(f, x) == 1 &&
            PEM_write_PrivateKey(k, key, NULL, NULL, 0, NULL, NULL) == 1);
    (void)fclose(f);
    (void)fclose(k);
    X509_free(x);
    EVP_PKEY_free(key);
}
