/* dashboard_internal: what the files of dashboard/ share. */
#pragma once

#include "async/timer.h"
#include "codec/json.h"
#include "dashboard/dashboard.h"
#include "dashboard/problem.h"

enum { SERVERS_MAX = 16, READERS_MAX = 64, BODY_MAX = 31 << 20, BODY_KEPT = 256 << 10 };
enum { LIST_DEFAULT = 200, LIST_MAX = 10000 }; /* of what is answered as a list */
enum { BODY_NAME_MAX = 80 };                   /* bytes of a person's name */

struct live_reader {
    struct list link;
    struct dashboard *dashboard;
    struct http_sse *sse;
    uint64_t lost; /* events that it will be told about */
};

struct dashboard {
    struct dashboard_config cfg;
    struct worker *worker;
    struct http_server *servers[SERVERS_MAX];
    const char *names[SERVERS_MAX]; /* of each server's host; NULL: none */
    size_t server_count;
    char run[DASHBOARD_RUN_MAX]; /* series numbers are valid within it */
    char mark[DASHBOARD_MARK_MAX];
    int64_t started_ms, started_ns;
    struct strbuf out;   /* the answer that is being written */
    struct list words;   /* what people said of alerts and is not committed yet; api_alerts.c */
    struct list reloads; /* who waits for one; api_reload.c */
    struct list adopts;  /* who waits for an adoption; api_adopt.c */
    struct list exports; /* that are under way; export.c */

    /* live.c */
    struct list readers;
    size_t reader_count;
    struct sample_listener samples;
    struct event_listener events;
    struct timer flush_timer;
    uint32_t *pending; /* series with a value that has not been sent, in order */
    uint8_t *is_pending;
    size_t pending_count, pending_max;
    struct strbuf event;
};

/* Each writes one value. */
void json_write_value(struct json_writer *w, const struct value *v);
/* Why the site can't keep what it is told; NULL: it does. The text is in *why. */
const char *not_durable(const struct dashboard *d, struct error *why);
void json_write_ms(struct json_writer *w, const char *key, int64_t ms); /* 0: null */
void json_write_alert(struct json_writer *w, const struct alert *al);
void json_write_action(struct json_writer *w, const struct action_event *a);
void json_write_heard(struct json_writer *w, const struct heard_event *v);
/* With the last `values` of each of its fields. */
void json_write_discovered(struct json_writer *w, struct registry *r, const struct discovered *t,
                           size_t values);

/* Starts an answer in d->out; ends it and sends it. */
struct json_writer answer_begin(struct dashboard *d);
void answer_end(struct dashboard *d, struct http_request *q, unsigned status);
/* An answer {"key": […]}. */
struct list_writer {
    struct dashboard *dashboard;
    struct json_writer w;
};
void list_begin(struct list_writer *l, struct dashboard *d, const char *key);
void list_end(struct list_writer *l, struct http_request *q);

/* A number in the query; `fallback` if there is none. false: answered with 400. */
bool query_i64(struct http_request *q, const char *key, int64_t min, int64_t max, int64_t fallback,
               int64_t *out);
/* Which of the words the query has; -1: answered. */
int query_word(struct http_request *q, const char *key, const char *const *words, size_t n,
               int fallback);
/* A text of the body, without the blanks around it, 1 to `max` bytes. false: answered. */
bool body_text(struct http_request *q, const char *key, char *buf, size_t max, struct str *out);

void words_fini(struct dashboard *d);
void reloads_fini(struct dashboard *d);
void adopts_fini(struct dashboard *d);

/* dashboard.c: every path of the API; docs/openapi.json describes them. */
extern const struct http_route dashboard_routes[];
extern const size_t dashboard_routes_count;

/* Handlers. */
void api_site(void *ctx, struct http_request *q);
void api_alerts(void *ctx, struct http_request *q);
void api_acknowledge(void *ctx, struct http_request *q);
void api_shelve(void *ctx, struct http_request *q);
void api_unshelve(void *ctx, struct http_request *q);
void api_events(void *ctx, struct http_request *q);
void api_actions(void *ctx, struct http_request *q);
void api_command(void *ctx, struct http_request *q);
void api_give_back(void *ctx, struct http_request *q);
void api_reload(void *ctx, struct http_request *q);
void api_reload_state(void *ctx, struct http_request *q);
void api_source(void *ctx, struct http_request *q);
void api_tests(void *ctx, struct http_request *q);
void api_run_tests(void *ctx, struct http_request *q);
void api_settings(void *ctx, struct http_request *q);
void api_links(void *ctx, struct http_request *q);
void api_discovered(void *ctx, struct http_request *q);
void api_adopt(void *ctx, struct http_request *q);
void api_connections(void *ctx, struct http_request *q);
void api_stats(void *ctx, struct http_request *q);
void api_health(void *ctx, struct http_request *q);
void api_history(void *ctx, struct http_request *q);
void api_export(void *ctx, struct http_request *q);
void api_live(void *ctx, struct http_request *q);

MUST_USE enum err live_init(struct dashboard *d, struct error *e);
void live_site_changed(struct dashboard *d);
void live_fini(struct dashboard *d);
