/* load: from a checked site to settings, models and devices.
 *
 * The language returns declarations as a tree of its own; here, and only here, their words get
 * their meaning.
 * Ownership: settings borrow the site. Threads: none. */
#pragma once

#include "lang/lang.h"
#include "net/addr.h"
#include "registry/registry.h"
#include "site/limits.h"

enum { SITE_LISTENERS_MAX = 8 };

/* Files are relative to the site; "" if there is none. */
struct site_listen {
    struct str host; /* of a unix socket: "unix:" and its path */
    uint16_t port;
    struct addr addr;
    bool insecure;  /* the site says so in words */
    bool anonymous; /* clients without a name are let in beside those who have a password */
    bool websocket, any_origin, tls, tls_1_2;
    struct str passwords, cert, key, ca;
    struct str path; /* of a WebSocket; "": any */
    struct str name; /* of the page's host; "": none but addresses */
};
struct site_settings {
    struct str name;
    struct site_listen mqtt[SITE_LISTENERS_MAX], http[SITE_LISTENERS_MAX];
    size_t mqtt_count, http_count;
    struct str store;  /* folder, relative to the site */
    int64_t commit_ms; /* 0: every group is synced before it is acknowledged */
    unsigned workers;  /* 1 … EXECUTOR_WORKERS_MAX; 0: one for each core */
    int64_t stuck_ms;  /* the watchdog's patience; 0: there is none */
    int64_t sys_ms;    /* between two looks of the topics below $SYS; 0: there are none */
    struct mqtt_limits limits;
    struct str zone; /* of the clock; "": the system's */
};
/* Refuses listeners that are neither on loopback, nor have TLS and ask who it is (passwords, or
 * certificates by a `ca`), nor say `insecure`, a zone that is not known here, and rules of access
 * that make no sense. */
MUST_USE enum err site_settings_read(struct site_settings *out, const struct lang_site *site,
                                     struct error *e);
/* Whether the next site's settings can take the place of those that run: what is open since the
 * start (listeners, store, workers, watchdog, sys, limits, zone) must be as it is. ERR_UNSUPPORTED
 * names the clause. `workers_fixed`: the command line has said how many, whatever the site says. */
MUST_USE enum err site_settings_keep(const struct site_settings *now,
                                     const struct site_settings *next, bool workers_fixed,
                                     struct error *e);
/* Models and devices. */
MUST_USE enum err site_load_registry(const struct lang_site *site, struct registry *r,
                                     struct error *e);
