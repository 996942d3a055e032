/* addr: a numeric IPv4 or IPv6 address with a port, or a unix socket path. */
#pragma once

#include "base/str.h"
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

struct addr {
    union {
        struct sockaddr sa;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_un un;
    };
    socklen_t len;
};
#define ADDR_TEXT_MAX 120

/* "127.0.0.1", "::1", "[::1]", "localhost" (127.0.0.1), "unix:/path"; no name look-up. */
MUST_USE enum err addr_parse(struct addr *a, struct str host, uint16_t port);
void addr_format(const struct addr *a,
                 char out[ADDR_TEXT_MAX]); /* "127.0.0.1:1883", "[::1]:1883" */
uint16_t addr_port(const struct addr *a);
bool addr_is_loopback(const struct addr *a); /* unix sockets too */
bool addr_is_any(const struct addr *a);      /* 0.0.0.0, [::]: what listens there is everywhere */
/* Where what listens on it is reached from this machine: of all addresses the loopback one. */
struct addr addr_from_here(struct addr a);
