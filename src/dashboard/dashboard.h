/* dashboard: the HTTP API, the live feed and the embedded page of a site (docs/http-api.md).
 *
 * It reads everything and commands only through the registry.
 * Ownership: what the configuration points to outlives the dashboard.
 * Threads: worker 0. */
#pragma once

#include "alert/alert.h"
#include "automation/automation.h"
#include "codec/json.h"
#include "history/history.h"
#include "net/http_server.h"
#include "protocol/mqtt_server.h"
#include "registry/registry.h"

struct dashboard;

/* How the site takes its changed sources, which the dashboard can't know. */
struct dashboard_reload {
    /* ERR_EXISTS: one is under way. Else `done` is called once, unless the site stops first. */
    enum err (*start)(void *ctx, void (*done)(void *arg, enum err result), void *arg);
    bool (*running)(void *ctx);
    struct str (*report)(void *ctx); /* what became of the last one: JSON */
    void *ctx;
};

/* The site's own tests, which another process plays; dashboard_tests_changed() when it has. */
struct dashboard_tests {
    enum err (*start)(void *ctx, struct error *e);   /* ERR_EXISTS: they run already */
    void (*write)(void *ctx, struct json_writer *w); /* one object */
    void *ctx;
};

/* How discovered topics become declarations in the site's files (docs/adopt.md). */
struct dashboard_adopt_request {
    const struct str *topics;
    size_t topic_n;
    struct str device, model; /* wanted names; "": they are proposed */
    struct str text;          /* declarations in the place of proposed ones; p NULL: none */
    struct str shown; /* of an answer: only what that has shown may be written; p NULL: anything */
    bool apply;       /* write them, and take the changed site */
};
enum adopt_outcome {
    ADOPT_DONE,         /* `json` is the answer */
    ADOPT_UNKNOWN,      /* a topic was not heard: `topic` */
    ADOPT_NOT_POSSIBLE, /* no device can be made of it */
    ADOPT_CHANGED,      /* a file was changed meanwhile */
    ADOPT_NOT_SHOWN,    /* it would write something else than was shown: `members` have it */
    ADOPT_REFUSED,      /* the changed site has errors: `members` say which */
    ADOPT_NOT_WRITTEN,  /* the files, for the system's reasons; or there is no memory */
    ADOPT_LEFT_CHANGED, /* a file has changed, and the site that runs does not have it */
};
struct dashboard_adopt_answer {
    enum adopt_outcome outcome;
    struct str json, topic;
    struct {
        const char *name; /* NULL: no more */
        struct str json;
    } members[5];
    const char *why; /* a sentence, of all but DONE */
};
struct dashboard_adopt {
    /* Copies the request. ERR_FULL: too many wait. Else `done` is called once, later, unless the
     * site stops first; what it is shown is valid for the call. */
    enum err (*start)(void *ctx, const struct dashboard_adopt_request *q,
                      void (*done)(void *arg, const struct dashboard_adopt_answer *a), void *arg);
    void *ctx;
};

/* What the site was started with: one JSON object, without secrets. */
struct dashboard_settings {
    void (*write)(void *ctx, struct json_writer *w);
    void *ctx;
};

/* The lines and connections that the site opens itself: {"links":[…]}. */
struct dashboard_links {
    void (*write)(void *ctx, struct json_writer *w);
    void *ctx;
};

/* Every answer has it: the number of this run, a dash, and a sum of the site's name, so that a
 * command knows whether it talks to the site that it means. */
#define DASHBOARD_MARK "Sedge-Site"
enum { DASHBOARD_RUN_MAX = 17, DASHBOARD_MARK_MAX = DASHBOARD_RUN_MAX + 9 };
void dashboard_mark(char out[DASHBOARD_MARK_MAX], const char *run, struct str name);

struct dashboard_config {
    struct executor *ex;
    struct alloc *alloc;
    struct bus *bus;
    struct journal *journal;
    struct db *db;
    struct registry *registry;
    struct automation *automation;
    struct alerts *alerts;
    struct history *history;
    struct mqtt_server *mqtt;
    const struct lang_site *site;
    struct str name; /* of the site */
    const char *version;
    struct dashboard_reload reload;                    /* start NULL: there is none */
    struct dashboard_tests tests;                      /* the same */
    struct dashboard_adopt adopt;                      /* the same */
    struct dashboard_settings settings;                /* write NULL: there is none */
    struct dashboard_links links;                      /* the same */
    const struct str *mqtt_addresses, *http_addresses; /* "127.0.0.1:1883", for people */
    size_t mqtt_count, http_count;
};
MUST_USE enum err dashboard_new(struct dashboard **out, const struct dashboard_config *cfg,
                                struct error *e);
/* `via` NULL: plain; `name` NULL: browsers reach it by numeric addresses and localhost only. Both
 * are borrowed until dashboard_free(). */
MUST_USE enum err dashboard_listen(struct dashboard *d, const struct addr *addr,
                                   const struct stream_via *via, const char *name, struct error *e);
/* Another site has taken the place of cfg.site, with this name; the old one ends after this call.
 */
void dashboard_site_changed(struct dashboard *d, const struct lang_site *site, struct str name);
void dashboard_tests_changed(struct dashboard *d);    /* a run has begun or ended */
const char *dashboard_run(const struct dashboard *d); /* the number of this run */
void dashboard_free(struct dashboard *d);
