#include "net/addr.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static enum err parse_unix(struct addr *a, struct str path)
{
    if (path.n == 0 || path.n >= sizeof(a->un.sun_path) || memchr(path.p, '\0', path.n))
        return ERR_RANGE;
    a->un.sun_family = AF_UNIX;
    memcpy(a->un.sun_path, path.p, path.n);
    a->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.n + 1);
    return ERR_OK;
}

enum err addr_parse(struct addr *a, struct str host, uint16_t port)
{
    char text[INET6_ADDRSTRLEN];
    memset(a, 0, sizeof(*a));
    if (str_starts(host, STR("unix:")))
        return parse_unix(a, str_sub(host, 5, host.n));
    if (str_eq(host, STR("localhost")))
        host = STR("127.0.0.1");
    bool brackets = host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']';
    if (brackets)
        host = str_sub(host, 1, host.n - 2);
    if (host.n == 0 || host.n >= sizeof(text) || memchr(host.p, '\0', host.n))
        return ERR_SYNTAX;
    memcpy(text, host.p, host.n);
    text[host.n] = '\0';
    if (!brackets && inet_pton(AF_INET, text, &a->in.sin_addr) == 1) {
        a->in.sin_family = AF_INET;
        a->in.sin_port = htons(port);
        a->len = sizeof(a->in);
        return ERR_OK;
    }
    if (inet_pton(AF_INET6, text, &a->in6.sin6_addr) == 1) {
        a->in6.sin6_family = AF_INET6;
        a->in6.sin6_port = htons(port);
        a->len = sizeof(a->in6);
        return ERR_OK;
    }
    return ERR_SYNTAX;
}

void addr_format(const struct addr *a, char out[ADDR_TEXT_MAX])
{
    char host[INET6_ADDRSTRLEN] = "";
    int family = a->len ? a->sa.sa_family : AF_UNSPEC;
    if (family == AF_INET) {
        (void)inet_ntop(AF_INET, &a->in.sin_addr, host, sizeof(host));
        (void)snprintf(out, ADDR_TEXT_MAX, "%s:%u", host, addr_port(a));
    } else if (family == AF_INET6) {
        (void)inet_ntop(AF_INET6, &a->in6.sin6_addr, host, sizeof(host));
        (void)snprintf(out, ADDR_TEXT_MAX, "[%s]:%u", host, addr_port(a));
    } else if (family == AF_UNIX) {
        size_t head = offsetof(struct sockaddr_un, sun_path);
        int n = a->len > head ? (int)(a->len - head) : 0;
        (void)snprintf(out, ADDR_TEXT_MAX, "unix:%.*s", n, a->un.sun_path);
    } else {
        (void)snprintf(out, ADDR_TEXT_MAX, "unknown");
    }
}

uint16_t addr_port(const struct addr *a)
{
    if (a->len && a->sa.sa_family == AF_INET)
        return ntohs(a->in.sin_port);
    if (a->len && a->sa.sa_family == AF_INET6)
        return ntohs(a->in6.sin6_port);
    return 0;
}

bool addr_is_loopback(const struct addr *a)
{
    if (!a->len)
        return false;
    switch (a->sa.sa_family) {
    case AF_UNIX: return true;
    case AF_INET: return ntohl(a->in.sin_addr.s_addr) >> 24 == 127;
    case AF_INET6:
        if (IN6_IS_ADDR_V4MAPPED(&a->in6.sin6_addr))
            return a->in6.sin6_addr.s6_addr[12] == 127;
        return IN6_IS_ADDR_LOOPBACK(&a->in6.sin6_addr);
    default: return false;
    }
}

bool addr_is_any(const struct addr *a)
{
    if (!a->len)
        return false;
    if (a->sa.sa_family == AF_INET)
        return a->in.sin_addr.s_addr == htonl(INADDR_ANY);
    return a->sa.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&a->in6.sin6_addr);
}

struct addr addr_from_here(struct addr a)
{
    if (!addr_is_any(&a))
        return a;
    if (a.sa.sa_family == AF_INET)
        a.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else
        a.in6.sin6_addr = (struct in6_addr)IN6ADDR_LOOPBACK_INIT;
    return a;
}
