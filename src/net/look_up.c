#include "net/look_up.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>

enum err addr_look_up(struct addr *out, size_t max, size_t *n, struct str host, uint16_t port,
                      struct error *e)
{
    char name[LOOK_UP_HOST_MAX], service[8];
    /* Without ADDRCONFIG a host that has no IPv6 asks for it all the same, and waits. */
    const struct addrinfo want = {.ai_socktype = SOCK_STREAM,
                                  .ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    *n = 0;
    if (addr_parse(&out[0], host, port) == ERR_OK) {
        *n = 1;
        return ERR_OK;
    }
    if (host.n >= sizeof(name) || memchr(host.p, '\0', host.n))
        return error_set(e, ERR_NOT_FOUND, "%.*s… has no address: it is no name",
                         (int)(host.n < 40 ? host.n : 40), host.p);
    (void)snprintf(name, sizeof(name), "%.*s", STR_FMT(host));
    (void)snprintf(service, sizeof(service), "%u", port);
    int failed = getaddrinfo(name, service, &want, &found);
    if (failed)
        return error_set(e, ERR_NOT_FOUND, "%s has no address: %s", name, gai_strerror(failed));
    for (const struct addrinfo *at = found; at && *n < max; at = at->ai_next) {
        struct addr *to = &out[*n];
        if (at->ai_addrlen > sizeof(to->un))
            continue;
        *to = (struct addr){.len = at->ai_addrlen};
        memcpy(&to->sa, at->ai_addr, at->ai_addrlen);
        (*n)++;
    }
    freeaddrinfo(found);
    return *n ? ERR_OK : error_set(e, ERR_NOT_FOUND, "%s has no address", name);
}
