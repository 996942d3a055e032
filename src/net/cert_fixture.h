/* cert_fixture: certificates for tests, made when they run. */
#pragma once

#include <stdbool.h>

struct cert {
    char cert[256], key[256]; /* PEM files in the test's folder */
};
/* `name`: of its files and its subject. `issuer` NULL: it vouches for itself and for others.
 * `hosts`: "DNS:localhost,IP:127.0.0.1"; NULL: it is a client's. */
void cert_make(struct cert *c, const char *name, const struct cert *issuer, const char *hosts,
               bool expired);
