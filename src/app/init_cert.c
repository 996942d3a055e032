#include "app/init_cert.h"

#include "base/str.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { DAY_S = 24 * 3600, NAMES_MAX = 1024, HOST_MAX = 64, SERIAL_BYTES = 16 };

/* --- whom it names --- */

static bool is_host_name(const char *s)
{
    size_t n = strlen(s);
    for (size_t i = 0; i < n; i++) {
        bool letter = (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z');
        if (!letter && !(s[i] >= '0' && s[i] <= '9') && s[i] != '-' && s[i] != '.')
            return false;
    }
    return n > 0;
}

void init_cert_host(char *out, size_t size)
{
    char host[HOST_MAX + 1] = "";
    bool known = gethostname(host, HOST_MAX) == 0 && is_host_name(host);
    (void)snprintf(out, size, "%s", known ? host : "localhost");
}

/* Addresses that others may reach it by; those of the link alone mean nothing elsewhere. */
static void add_addresses(struct strbuf *names)
{
    struct ifaddrs *all = NULL;
    char text[INET6_ADDRSTRLEN];
    if (getifaddrs(&all) != 0)
        return;
    for (const struct ifaddrs *i = all; i && names->n < NAMES_MAX; i = i->ifa_next) {
        const void *addr = NULL;
        if (!i->ifa_addr || (i->ifa_flags & IFF_LOOPBACK) || !(i->ifa_flags & IFF_UP))
            continue;
        if (i->ifa_addr->sa_family == AF_INET)
            addr = &((const struct sockaddr_in *)(const void *)i->ifa_addr)->sin_addr;
        if (i->ifa_addr->sa_family == AF_INET6) {
            const struct in6_addr *a =
                &((const struct sockaddr_in6 *)(const void *)i->ifa_addr)->sin6_addr;
            addr = IN6_IS_ADDR_LINKLOCAL(a) ? NULL : a;
        }
        if (addr && inet_ntop(i->ifa_addr->sa_family, addr, text, sizeof(text)))
            strbuf_addf(names, ",IP:%s", text);
    }
    freeifaddrs(all);
}

static void subject_names(struct strbuf *names, const char *host)
{
    strbuf_adds(names, "DNS:localhost,IP:127.0.0.1,IP:::1");
    if (strcmp(host, "localhost") != 0) {
        strbuf_addf(names, ",DNS:%s", host);
        if (!strchr(host, '.'))
            strbuf_addf(names, ",DNS:%s.local", host);
    }
    add_addresses(names);
}

/* --- certificates --- */

static bool add_extension(X509 *x, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    bool ok = extension && X509_add_ext(x, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return ok;
}

static bool set_serial(X509 *x)
{
    uint8_t bytes[SERIAL_BYTES];
    BIGNUM *n = NULL;
    bool ok = RAND_bytes(bytes, sizeof(bytes)) == 1;
    bytes[0] &= 0x7f; /* positive */
    if (ok)
        n = BN_bin2bn(bytes, sizeof(bytes), NULL);
    ok = n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x));
    BN_free(n);
    return ok;
}

/* A day back, for clocks that are behind. */
static bool describe(X509 *x, EVP_PKEY *key, const char *who, const char *host)
{
    char name[HOST_MAX + 32];
    (void)snprintf(name, sizeof(name), "%s%.40s", who, host);
    return X509_set_version(x, X509_VERSION_3) == 1 && set_serial(x) &&
           X509_gmtime_adj(X509_getm_notBefore(x), -DAY_S) &&
           X509_time_adj_ex(X509_getm_notAfter(x), 365 * INIT_CERT_YEARS, 0, NULL) &&
           X509_set_pubkey(x, key) == 1 &&
           X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8,
                                      (const unsigned char *)name, -1, -1, 0) == 1;
}

static bool make_authority(X509 *x, EVP_PKEY *key, const char *host)
{
    return describe(x, key, "sedge of ", host) &&
           X509_set_issuer_name(x, X509_get_subject_name(x)) == 1 &&
           add_extension(x, x, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
           add_extension(x, x, NID_key_usage, "critical,keyCertSign,cRLSign") &&
           add_extension(x, x, NID_subject_key_identifier, "hash") &&
           X509_sign(x, key, EVP_sha256()) > 0;
}

static bool make_server(X509 *x, EVP_PKEY *key, X509 *ca, EVP_PKEY *ca_key, const char *host,
                        const char *names)
{
    return describe(x, key, "", host) && X509_set_issuer_name(x, X509_get_subject_name(ca)) == 1 &&
           add_extension(x, ca, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(x, ca, NID_key_usage, "critical,digitalSignature") &&
           add_extension(x, ca, NID_ext_key_usage, "serverAuth") &&
           add_extension(x, ca, NID_subject_key_identifier, "hash") &&
           add_extension(x, ca, NID_authority_key_identifier, "keyid") &&
           add_extension(x, ca, NID_subject_alt_name, names) &&
           X509_sign(x, ca_key, EVP_sha256()) > 0;
}

/* --- files --- */

/* Either a certificate or a key. */
static enum err write_pem(const char *folder, const char *name, X509 *x, EVP_PKEY *key,
                          struct error *e)
{
    char path[4096];
    int n = snprintf(path, sizeof(path), "%s/%s", folder, name);
    int fd = n > 0 && (size_t)n < sizeof(path)
                 ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, key ? 0600 : 0644)
                 : -1;
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
    if (!f && fd >= 0)
        (void)close(fd);
    if (!f)
        return error_set_os(e, errno, "%s can't be made", path);
    int written =
        key ? PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) : PEM_write_X509(f, x);
    if (fclose(f) != 0 || written != 1)
        return error_set_os(e, errno, "%s can't be written", path);
    return ERR_OK;
}

enum err init_cert_write(const char *folder, const char *host, struct error *e)
{
    struct strbuf names;
    EVP_PKEY *ca_key = EVP_EC_gen("P-256"), *key = EVP_EC_gen("P-256");
    X509 *ca = X509_new(), *server = X509_new();
    strbuf_init(&names, alloc_system(), 2 * NAMES_MAX);
    subject_names(&names, host);
    bool made = ca_key && key && ca && server && !names.failed &&
                make_authority(ca, ca_key, host) &&
                make_server(server, key, ca, ca_key, host, names.p);
    enum err err =
        made ? ERR_OK : error_set(e, ERR_UNSUPPORTED, "OpenSSL can't make a certificate");
    if (!err)
        err = write_pem(folder, "ca.key", NULL, ca_key, e);
    if (!err)
        err = write_pem(folder, "ca.pem", ca, NULL, e);
    if (!err)
        err = write_pem(folder, "server.key", NULL, key, e);
    if (!err)
        err = write_pem(folder, "server.pem", server, NULL, e);
    strbuf_fini(&names);
    X509_free(server);
    X509_free(ca);
    EVP_PKEY_free(key);
    EVP_PKEY_free(ca_key);
    return err;
}
