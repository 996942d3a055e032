/* reload: a running site takes its changed sources.
 *
 * Why: a line that works must not stand still because somebody mends a rule. The sources are read
 * and checked on the offload pool; if anything is wrong with them, or asks for what can't change at
 * run time, the site goes on as it was, and says why. Else the change is made between two turns of
 * worker 0: all that can fail is done before the first step that can't be taken back, so nothing is
 * half-applied. What happens to programs and devices: automation.h, registry.h.
 * Ownership: the checked site that runs is *cfg.site; when another takes its place, the old one is
 * freed once nobody looks at it any more. Free the reload when the executor has stopped, before
 * what its configuration points to.
 * Threads: worker 0; cfg.read on the pool. Errors: site_reload_start() ERR_EXISTS: one is under
 * way, ERR_FULL. */
#pragma once

#include "automation/automation.h"
#include "protocol/modbus.h"
#include "site/access.h"
#include "site/load.h"

struct site_reload;
struct site_reload_config {
    struct executor *ex;
    struct alloc *alloc;
    struct registry *registry;
    struct automation *automation;
    struct modbus *modbus; /* may be NULL: then devices with `via modbus` are not asked */
    struct access *access; /* takes the new rules; may be NULL */
    struct lang_site **site;
    struct site_settings *settings; /* of it; they change with it */
    bool workers_fixed;             /* see site_settings_keep() */
    /* On a pool thread: the changed sources, checked. An error: they can't be read. */
    enum err (*read)(void *ctx, struct lang_site **out, struct error *e);
    /* Between the new site and the end of the old one. May be NULL. */
    void (*taken)(void *ctx);
    /* One has ended, however it was asked for. May be NULL. */
    void (*ended)(void *ctx, enum err result);
    void *ctx;
};
MUST_USE enum err site_reload_new(struct site_reload **out, const struct site_reload_config *cfg,
                                  struct error *e);
void site_reload_free(struct site_reload *r); /* NULL is fine */

/* `done` (may be NULL) is called once, unless the site stops first. */
MUST_USE enum err site_reload_start(struct site_reload *r, void (*done)(void *arg, enum err result),
                                    void *arg);
/* The same for who has changed the files: if one is under way, which may have read them before,
 * `done` is told of another one after it. ERR_FULL: somebody waits so already. */
MUST_USE enum err site_reload_after(struct site_reload *r, void (*done)(void *arg, enum err result),
                                    void *arg);
/* For those who can't be answered: if one is under way, there will be another one after it. */
void site_reload_soon(struct site_reload *r);
bool site_reload_running(const struct site_reload *r);
/* What became of the last one, as a JSON object (docs/http-api.md); "null" before the first. Valid
 * until the next one ends. */
struct str site_reload_report(const struct site_reload *r);
