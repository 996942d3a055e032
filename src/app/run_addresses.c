#include "app/run_addresses.h"

#include "base/log.h"
#include "site/place.h"
#include "site/running.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN_MAX = 4 }; /* addresses of this machine */

/* --- lines of the log --- */

/* "mqtt  127.0.0.1:1883, TLS", "page  https://127.0.0.1:8443/". */
static void log_line(const char *word, const struct site_listen *l, const char *at,
                     const char *where)
{
    bool page = strcmp(word, "page") == 0;
    if (page)
        LOG_I("app", "page  http%s://%s/%s", l->tls ? "s" : "", at, where);
    else
        LOG_I("app", "%s  %s%s%s%s", word, at, l->websocket ? ", WebSocket" : "",
              l->tls ? ", TLS" : "", where);
}

/* Under which others reach it; not what is of one cable only. */
static bool of_interface(const struct ifaddrs *i, const struct addr *listens, struct addr *out)
{
    const struct sockaddr *sa = i->ifa_addr;
    if (!sa || !(i->ifa_flags & IFF_RUNNING) || (i->ifa_flags & IFF_LOOPBACK))
        return false;
    *out = *listens;
    if (sa->sa_family == AF_INET && listens->sa.sa_family == AF_INET) {
        out->in.sin_addr = ((const struct sockaddr_in *)(const void *)sa)->sin_addr;
        return true;
    }
    if (sa->sa_family != AF_INET6 || listens->sa.sa_family != AF_INET6)
        return false;
    out->in6.sin6_addr = ((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr;
    return !IN6_IS_ADDR_LINKLOCAL(&out->in6.sin6_addr);
}

static void log_everywhere(const char *word, const struct site_listen *l)
{
    char at[ADDR_TEXT_MAX];
    struct ifaddrs *all = NULL;
    struct addr addr = addr_from_here(l->addr);
    addr_format(&addr, at);
    log_line(word, l, at, "  on this machine");
    if (l->name.n) {
        char named[300];
        (void)snprintf(named, sizeof(named), "%.*s:%u", (int)(l->name.n < 256 ? l->name.n : 256),
                       l->name.p, l->port);
        log_line(word, l, named, "  from elsewhere");
    }
    if (getifaddrs(&all) != 0)
        return;
    size_t n = 0;
    for (const struct ifaddrs *i = all; i && n < SHOWN_MAX; i = i->ifa_next)
        if (of_interface(i, &l->addr, &addr)) {
            addr_format(&addr, at);
            log_line(word, l, at, "  from elsewhere");
            n++;
        }
    freeifaddrs(all);
}

static void log_listeners(const char *word, const struct site_listen *list, size_t n)
{
    char at[ADDR_TEXT_MAX];
    for (size_t i = 0; i < n; i++) {
        if (addr_is_any(&list[i].addr)) {
            log_everywhere(word, &list[i]);
            continue;
        }
        addr_format(&list[i].addr, at);
        log_line(word, &list[i], at, "");
    }
}

void run_addresses_log(const struct site_settings *s)
{
    log_listeners("mqtt", s->mqtt, s->mqtt_count);
    log_listeners("page", s->http, s->http_count);
}

/* --- for commands --- */

/* From the root on: whoever reads it stands in another folder. */
static void absolute(char out[PATH_MAX], const char *folder, struct str file)
{
    struct error ignored;
    char path[PATH_MAX];
    if (!file.n || site_store(path, folder, file, &ignored) || !realpath(path, out))
        out[0] = '\0';
}

void run_addresses_note(int fd, const struct site_settings *s, const char *folder, const char *run)
{
    struct error e = {0};
    struct site_running r = {.run = ""};
    (void)snprintf(r.run, sizeof(r.run), "%s", run);
    if (s->http_count) {
        const struct site_listen *l = &s->http[0];
        struct addr here = addr_from_here(l->addr);
        char at[ADDR_TEXT_MAX];
        addr_format(&here, at);
        (void)snprintf(r.url, sizeof(r.url), "http%s://%s", l->tls ? "s" : "", at);
        r.tls_1_2 = l->tls_1_2;
        absolute(r.cert, folder, l->cert);
    }
    if (site_running_write(fd, &r, &e))
        LOG_W("app", "%s: commands find this site only while its files are without errors", e.text);
}
