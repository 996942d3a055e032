/* site_call_internal: what site_call.c (who is called) and site_call_http.c (the exchange) share.
 */
#pragma once

#include "app/site_call.h"
#include "dashboard/dashboard.h"
#include "net/conn_pool.h"
#include "net/tls.h"

#include <limits.h>

enum { SITE_CALL_ADDRS_MAX = 8 };

/* Whose answer it has to be; others are refused, with `other` as the reason. */
enum site_call_who {
    SITE_CALL_ANYBODY,
    SITE_CALL_THIS_RUN,  /* `mark` is its number */
    SITE_CALL_THIS_NAME, /* `mark` is what dashboard_mark() makes of it, without a number */
    SITE_CALL_NOBODY,    /* whoever answers is not it */
};
struct site_call_target {
    struct addr addrs[SITE_CALL_ADDRS_MAX]; /* tried in turn */
    size_t addrs_n;
    bool tls, tls_1_2;
    char host[256];        /* for SNI and its certificate; "": the address */
    char authority[300];   /* for Host: "127.0.0.1:8080" */
    char where[320];       /* "http://127.0.0.1:8080" */
    char pinned[PATH_MAX]; /* the server's certificate; "": it is believed by issuers */
    enum site_call_who who;
    char mark[DASHBOARD_MARK_MAX];
    char other[256];
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
/* A folder or file of a site. */
MUST_USE enum err site_call_by_folder(struct site_call_target *t, const char *path,
                                      struct error *e);
/* `mark`: DASHBOARD_MARK of an answer; "": it has none. */
bool site_call_is_meant(const struct site_call_target *t, struct str mark);
