/* site_call_internal: what site_call.c (who is called) and site_call_http.c (the exchange) share.
 */
#pragma once

#include "app/site_call.h"
#include "net/conn_pool.h"
#include "net/tls.h"

#include <limits.h>

enum { SITE_CALL_ADDRS_MAX = 8 };

struct site_call_target {
    struct addr addrs[SITE_CALL_ADDRS_MAX]; /* tried in turn */
    size_t addrs_n;
    bool tls, tls_1_2;
    char host[256];        /* for SNI and its certificate; "": the address */
    char authority[300];   /* for Host: "127.0.0.1:8080" */
    char where[320];       /* "http://127.0.0.1:8080" */
    char pinned[PATH_MAX]; /* the server's certificate; "": it is believed by issuers */
};

struct site_call {
    struct site_call_target target;
    struct executor *ex;
    struct tls *tls;
    struct stream_via via;
    struct conn_pool *pool;
    size_t body_max;
    int64_t timeout_ms;
};

/* "http[s]://host[:port][/]": looks the name up. */
MUST_USE enum err site_call_by_url(struct site_call_target *t, const char *url, struct error *e);
/* The first http listener of a site's files. */
MUST_USE enum err site_call_by_files(struct site_call_target *t, const char *path, struct error *e);
