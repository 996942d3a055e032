#include "doctor/doctor.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { SOON_DAYS = 14, CHAIN_MAX = 10 };
static const char renew[] =
    "renew it; SIGHUP, or systemctl reload sedge, lets a running site take it";

/* What a PEM file holds: the certificate, and behind it those who lead to its root. */
struct chain {
    X509 *own;
    STACK_OF(X509) * others;
};

static bool chain_read(struct chain *c, const char *path)
{
    *c = (struct chain){.others = sk_X509_new_null()};
    FILE *f = fopen(path, "re");
    X509 *x;
    while (f && c->others && (x = PEM_read_X509(f, NULL, NULL, NULL))) {
        if (!c->own)
            c->own = x;
        else if (sk_X509_num(c->others) >= CHAIN_MAX || !sk_X509_push(c->others, x))
            X509_free(x);
    }
    if (f)
        (void)fclose(f);
    ERR_clear_error();
    return c->own != NULL;
}

static void chain_free(struct chain *c)
{
    X509_free(c->own);
    sk_X509_pop_free(c->others, X509_free);
}

/* How much of its time a certificate has left. */
struct ends {
    enum doctor_level level;
    int days;
    char until[32];
};

static struct ends ends_of(const X509 *x)
{
    struct ends e = {.level = DOCTOR_OK, .until = "?"};
    int seconds = 0;
    struct tm tm = {0};
    if (ASN1_TIME_to_tm(X509_get0_notAfter(x), &tm))
        (void)strftime(e.until, sizeof(e.until), "%Y-%m-%d %H:%M UTC", &tm);
    (void)ASN1_TIME_diff(&e.days, &seconds, NULL, X509_get0_notAfter(x));
    if (e.days < 0 || seconds < 0)
        e.level = DOCTOR_PROBLEM;
    else if (e.days < SOON_DAYS)
        e.level = DOCTOR_WARNING;
    return e;
}

static void say_end(struct doctor *d, const char *path, const struct ends *e, const char *whose,
                    const char *mend)
{
    if (e->level == DOCTOR_PROBLEM)
        doctor_say(d, DOCTOR_PROBLEM, "certificates", path, mend, "%s has expired at %s", whose,
                   e->until);
    else if (e->level == DOCTOR_WARNING)
        doctor_say(d, DOCTOR_WARNING, "certificates", path, mend, "%s expires in %d days, at %s",
                   whose, e->days, e->until);
}

static void judge_time(struct doctor *d, const char *path, const X509 *x, const char *whose)
{
    if (X509_cmp_current_time(X509_get0_notBefore(x)) > 0)
        doctor_say(d, DOCTOR_PROBLEM, "certificates", path, "look at the clock, or wait",
                   "%s is not valid yet", whose);
    struct ends e = ends_of(x);
    say_end(d, path, &e, whose, renew);
}

/* Whether it leads to a root: one of the system's, or its own. */
static void judge_chain(struct doctor *d, const char *path, const struct chain *c)
{
    X509_STORE *roots = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    int why = X509_V_ERR_OUT_OF_MEM;
    if (roots && ctx && X509_STORE_set_default_paths(roots) &&
        X509_STORE_CTX_init(ctx, roots, c->own, c->others)) {
        (void)X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(ctx),
                                          X509_V_FLAG_NO_CHECK_TIME);
        why = X509_verify_cert(ctx) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(ctx);
    }
    if (why == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT ||
        why == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN)
        doctor_say(d, DOCTOR_NOTE, "certificates", path, "",
                   "it leads to a root of its own: clients need that one (--cafile)");
    else if (why == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
             why == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE)
        doctor_say(d, DOCTOR_NOTE, "certificates", path,
                   "put the intermediate certificates behind it in the same file (fullchain.pem)",
                   "it leads to no root that this system knows: fine for a root of your own, else "
                   "its chain is not complete");
    else if (why != X509_V_OK)
        doctor_say(d, DOCTOR_WARNING, "certificates", path, "", "%s",
                   X509_verify_cert_error_string(why));
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(roots);
    ERR_clear_error();
}

static void judge_key(struct doctor *d, const char *path, const X509 *own, const char *key)
{
    FILE *f = fopen(key, "re");
    EVP_PKEY *k = f ? PEM_read_PrivateKey(f, NULL, NULL, (char *)(uintptr_t) "") : NULL;
    if (f && !k)
        doctor_say(d, DOCTOR_PROBLEM, "certificates", key,
                   "a private key in PEM, without a password", "it can't be read as one");
    else if (k && X509_check_private_key(own, k) != 1)
        doctor_say(d, DOCTOR_PROBLEM, "certificates", path,
                   "they were made together: look for the pair",
                   "it does not belong to the key %.200s", key);
    if (f)
        (void)fclose(f);
    EVP_PKEY_free(k);
    ERR_clear_error();
}

static void look_at(struct doctor *d, const struct doctor_listen *l)
{
    struct chain c;
    size_t before = d->findings.n;
    if (chain_read(&c, l->cert)) {
        judge_time(d, l->cert, c.own, "it");
        for (int i = 0; i < sk_X509_num(c.others); i++)
            judge_time(d, l->cert, sk_X509_value(c.others, i), "an intermediate certificate");
        judge_key(d, l->cert, c.own, l->key);
        judge_chain(d, l->cert, &c);
        if (d->findings.n == before)
            doctor_say(d, DOCTOR_OK, "certificates", l->cert, "", "valid, with its chain and key");
    } else {
        doctor_say(d, DOCTOR_PROBLEM, "certificates", l->cert, "a certificate in PEM",
                   "no certificate can be read there");
    }
    chain_free(&c);
}

/* --- how long they hold --- */

static bool said(const struct doctor *d, const char *path)
{
    for (size_t i = 0; i < d->findings.n; i++)
        if (strcmp(d->findings.v[i].part, "certificates") == 0 &&
            strcmp(d->findings.v[i].where, path) == 0)
            return true;
    return false;
}

/* That of all certificates in the file which ends first. What can't be read is no end. */
static void look_at_ends(struct doctor *d, const char *path, const char *whose, const char *mend)
{
    struct chain c;
    if (!path[0] || said(d, path))
        return;
    if (chain_read(&c, path)) {
        struct ends worst = ends_of(c.own);
        for (int i = 0; i < sk_X509_num(c.others); i++) {
            struct ends e = ends_of(sk_X509_value(c.others, i));
            worst = e.days < worst.days ? e : worst;
        }
        if (worst.level == DOCTOR_OK)
            doctor_say(d, DOCTOR_OK, "certificates", path, "", "%s holds until %s", whose,
                       worst.until);
        else
            say_end(d, path, &worst, whose, mend);
    }
    chain_free(&c);
}

static const char renew_ca[] =
    "make a new authority, and give it to those who know this one, before its end";

/* `sedge init` puts the authority that it has made beside the certificate. */
static void look_at_authority(struct doctor *d, const char *cert)
{
    char path[DOCTOR_TEXT];
    struct chain server = {0}, ca = {0};
    const char *slash = strrchr(cert, '/');
    int n = snprintf(path, sizeof(path), "%.*sca.pem", slash ? (int)(slash - cert) + 1 : 0, cert);
    if (n > 0 && n < DOCTOR_TEXT && chain_read(&server, cert) && chain_read(&ca, path) &&
        X509_check_issued(ca.own, server.own) == X509_V_OK)
        look_at_ends(d, path, "the authority of the certificate", renew_ca);
    chain_free(&ca);
    chain_free(&server);
}

void doctor_certificate_ends(struct doctor *d)
{
    const struct doctor_site *s = d->site;
    for (size_t i = 0; i < s->listens_n; i++) {
        const struct doctor_listen *l = &s->listens[i];
        look_at_ends(d, l->cert, "the certificate", renew);
        look_at_ends(d, l->ca, "the authority of the clients", renew_ca);
        if (l->cert[0])
            look_at_authority(d, l->cert);
    }
}

void doctor_certificates(struct doctor *d)
{
    const struct doctor_site *s = d->site;
    for (size_t i = 0; i < s->listens_n; i++) {
        bool seen = !s->listens[i].cert[0];
        for (size_t k = 0; k < i; k++)
            seen = seen || strcmp(s->listens[i].cert, s->listens[k].cert) == 0;
        if (!seen)
            look_at(d, &s->listens[i]);
    }
    for (size_t i = 0; i < s->listens_n; i++) {
        look_at_ends(d, s->listens[i].ca, "the authority of the clients", renew_ca);
        if (s->listens[i].cert[0])
            look_at_authority(d, s->listens[i].cert);
    }
}
