/* look_up: the addresses of a host, by the system's resolver (getaddrinfo(), POSIX).
 *
 * Why: everyone who connects to a name wants the same: what is an address already is not asked for,
 * of a name all addresses in the order of RFC 6724, so that the next one can be tried, and a
 * sentence for people where there is none.
 * Threads: any that may block, for as long as a name server does not answer: a thread of the
 * offload pool (async/offload.h), or a command that has nothing else to do. Never a worker's.
 * Errors: ERR_NOT_FOUND, "HOST has no address: " and why. The network may only not be there yet:
 * who wants to reach it asks again. */
#pragma once

#include "net/addr.h"

enum { LOOK_UP_HOST_MAX = 256 }; /* with its NUL; RFC 1035 has 255 at most */

/* `host`: as addr_parse() takes it, or a name. At most `max` addresses, at least one; *n is set in
 * any case. */
MUST_USE enum err addr_look_up(struct addr *out, size_t max, size_t *n, struct str host,
                               uint16_t port, struct error *e);
