/* init_cert: an authority and a certificate of a site's own, for `sedge init`.
 *
 * Why: clients must know whom they talk to before there is a domain name or anybody who vouches for
 * it. Devices are given ca.pem once; server.pem can be replaced later without touching them. Both
 * hold for ten years, since nobody changes certificates on the devices of a small site, and a
 * certificate that expires unnoticed stops all of it at once.
 * The certificate names this machine: its host name, the same with ".local", localhost, and the
 * addresses that it has now. Source: RFC 5280; P-256 with SHA-256, which every TLS library has.
 * Threads: none. Errors: ERR_IO with the file, ERR_UNSUPPORTED if OpenSSL fails. */
#pragma once

#include "base/err.h"

enum { INIT_CERT_YEARS = 10 };

/* What this machine calls itself; "localhost" if that is no name for a network. */
void init_cert_host(char *out, size_t size);
/* Writes ca.key, ca.pem, server.key and server.pem into a folder; keys have mode 0600. `host`: as
 * above. */
MUST_USE enum err init_cert_write(const char *folder, const char *host, struct error *e);
