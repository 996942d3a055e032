#include "site/reload.h"

#include "async/offload.h"
#include "base/log.h"
#include "codec/json.h"
#include "site/modbus.h"
#include "site/schema.h"

#include <string.h>

struct site_reload {
    struct site_reload_config cfg;
    struct worker *worker;
    struct offload_queue *queue;
    struct offload_job job;
    bool running, again, stopping;
    void (*done)(void *arg, enum err result);
    void *arg;
    void (*again_done)(void *arg, enum err result); /* of the one after it */
    void *again_arg;
    int64_t started_ns;

    struct lang_site *next; /* what the job has made */
    enum err result;
    struct error why;

    struct strbuf report;
};

enum { TEXT_MAX = 225 << 10, REPORT_MAX = 4 << 20 }; /* of the messages; with all names */

/* --- the report --- */

/* Programs or devices of one fate. */
struct fates {
    struct json_writer *w;
    int which;
    size_t n;
};

static void add_fate(struct fates *f, struct str name, int fate)
{
    if (fate != f->which)
        return;
    f->n++;
    if (f->w)
        json_str(f->w, name);
}

static void program_fate(void *ctx, struct str program, enum program_fate fate)
{
    add_fate(ctx, program, (int)fate);
}

static void device_fate(void *ctx, struct str device, enum device_fate fate)
{
    add_fate(ctx, device, (int)fate);
}

static void report_count(struct json_writer *w, const char *key, size_t n)
{
    json_key(w, key);
    json_int(w, (int64_t)n);
}

static size_t report_programs(struct json_writer *w, const struct automation_change *c,
                              const char *key, enum program_fate which)
{
    struct fates f = {.w = w, .which = (int)which};
    json_key(w, key);
    json_array_begin(w);
    automation_change_each(c, program_fate, &f);
    json_array_end(w);
    return f.n;
}

static void report_devices(struct json_writer *w, struct registry *r, const char *key,
                           enum device_fate which)
{
    struct fates f = {.w = w, .which = (int)which};
    json_key(w, key);
    json_array_begin(w);
    registry_replace_each(r, device_fate, &f);
    json_array_end(w);
}

static void report_change(struct json_writer *w, const struct automation_change *c,
                          struct registry *r, const struct registry_change *devices)
{
    struct fates kept = {.which = PROGRAM_KEPT};
    automation_change_each(c, program_fate, &kept);
    json_key(w, "programs");
    json_object_begin(w);
    report_count(w, "kept", kept.n);
    size_t changed = report_programs(w, c, "changed", PROGRAM_CHANGED);
    size_t added = report_programs(w, c, "added", PROGRAM_ADDED);
    size_t removed = report_programs(w, c, "removed", PROGRAM_REMOVED);
    json_object_end(w);
    json_key(w, "devices");
    json_object_begin(w);
    report_count(w, "kept", devices->same);
    report_devices(w, r, "changed", DEVICE_CHANGED);
    report_devices(w, r, "added", DEVICE_ADDED);
    report_devices(w, r, "removed", DEVICE_REMOVED);
    json_object_end(w);
    LOG_I("app",
          "the site is taken anew: programs: %zu go on, %zu changed, %zu added, %zu removed; "
          "devices: %zu as they were, %zu changed, %zu added, %zu removed",
          kept.n, changed, added, removed, devices->same, devices->changed, devices->added,
          devices->removed);
}

static struct json_writer report_begin(struct site_reload *r)
{
    struct json_writer w;
    strbuf_reset(&r->report);
    json_writer_init(&w, &r->report);
    json_object_begin(&w);
    return w;
}

static void report_text(struct json_writer *w, const struct lang_site *site)
{
    struct strbuf text;
    strbuf_init(&text, alloc_system(), TEXT_MAX);
    if (site)
        site_render_diags(&text, site, false);
    json_key(w, "text");
    json_str(w, strbuf_str(&text));
    strbuf_reset(&text);
    if (site)
        site_json_diags(&text, site);
    json_key(w, "diagnostics");
    json_raw(w, site && !text.failed ? strbuf_str(&text) : STR("[]"));
    strbuf_fini(&text);
}

static void report_end(struct site_reload *r, struct json_writer *w, const struct lang_site *site)
{
    json_key(w, "result");
    json_cstr(w, r->result ? "refused" : "taken");
    json_key(w, "why");
    json_cstr(w, r->result ? r->why.text : NULL);
    json_key(w, "at_ms");
    json_int(w, worker_now_ms(r->worker));
    json_key(w, "took_ms");
    json_int(w, (worker_now_ns(r->worker) - r->started_ns) / 1000000);
    report_count(w, "errors", site ? site->errors : 0);
    report_count(w, "warnings", site ? site->warnings : 0);
    report_text(w, site);
    json_object_end(w);
    if (!r->report.failed)
        return;
    strbuf_reset(&r->report);
    strbuf_addf(&r->report, "{\"result\":\"%s\",\"why\":\"no memory for the messages\"}",
                r->result ? "refused" : "taken");
}

static void log_messages(const struct lang_site *site)
{
    struct strbuf text;
    struct str rest, line;
    strbuf_init(&text, alloc_system(), TEXT_MAX);
    site_render_diags(&text, site, false);
    rest = strbuf_str(&text);
    while (str_split(&rest, '\n', &line))
        if (line.n)
            LOG_E("app", "%.*s", STR_FMT(line));
    strbuf_fini(&text);
}

/* --- the change --- */

struct plan {
    struct site_settings settings;
    struct automation_change *programs;
    struct registry_change devices;
    struct access_rules *access;
};

/* Behind it a failure is followed by modbus_replace_cancel(). */
static enum err prepare_modbus(struct site_reload *r, struct error *e)
{
    const struct site_reload_config *cfg = &r->cfg;
    struct modbus_setup *setup;
    enum err err = site_modbus_setup(&setup, r->next, cfg->registry, cfg->alloc, registry_next, e);
    if (!err)
        err = modbus_replace_ready(cfg->modbus, setup, e);
    if (err)
        modbus_setup_free(setup);
    return err;
}

/* All that can fail. */
static enum err prepare(struct site_reload *r, struct plan *p, struct error *e)
{
    const struct site_reload_config *cfg = &r->cfg;
    enum err err = site_settings_read(&p->settings, r->next, e);
    if (!err)
        err = site_settings_keep(cfg->settings, &p->settings, cfg->workers_fixed, e);
    if (!err)
        err = registry_replace_begin(cfg->registry, e);
    if (!err)
        err = site_load_registry(r->next, cfg->registry, e);
    if (!err)
        err = automation_change_new(&p->programs, cfg->automation, r->next, e);
    if (!err)
        err = registry_replace_ready(cfg->registry, &p->devices, e);
    if (!err && cfg->modbus)
        err = prepare_modbus(r, e);
    if (!err)
        err = site_access_read(&p->access, r->next, cfg->alloc, e);
    return err;
}

/* Nothing of this can. */
static void commit(struct site_reload *r, struct plan *p)
{
    struct lang_site *old = *r->cfg.site;
    registry_replace_commit(r->cfg.registry);
    if (r->cfg.modbus)
        modbus_replace_commit(r->cfg.modbus);
    automation_change_apply(p->programs);
    *r->cfg.site = r->next;
    *r->cfg.settings = p->settings;
    if (r->cfg.access)
        access_set(r->cfg.access, p->access);
    else
        access_rules_unref(p->access);
    if (r->cfg.taken)
        r->cfg.taken(r->cfg.ctx);
    registry_replace_settle(r->cfg.registry);
    lang_site_free(old);
    r->next = NULL;
}

static void refuse(struct site_reload *r, struct json_writer *w)
{
    LOG_E("app", "the changed site is refused, the running one goes on: %s", r->why.text);
    report_end(r, w, r->next);
    lang_site_free(r->next);
    r->next = NULL;
}

static void take(struct site_reload *r)
{
    struct plan p = {0};
    struct json_writer w = report_begin(r);
    if (!r->result && r->next->errors) {
        log_messages(r->next);
        r->result = error_set(&r->why, ERR_INVALID, "it has %zu error%s", r->next->errors,
                              r->next->errors == 1 ? "" : "s");
    }
    if (!r->result)
        r->result = prepare(r, &p, &r->why);
    if (r->result) {
        automation_change_free(p.programs);
        if (r->cfg.modbus)
            modbus_replace_cancel(r->cfg.modbus);
        registry_replace_cancel(r->cfg.registry);
        refuse(r, &w);
        return;
    }
    report_change(&w, p.programs, r->cfg.registry, &p.devices);
    report_end(r, &w, r->next);
    commit(r, &p);
}

/* --- one after the other --- */

static void read_sources(struct offload_job *j)
{
    struct site_reload *r = CONTAINER_OF(j, struct site_reload, job);
    r->result = r->cfg.read(r->cfg.ctx, &r->next, &r->why);
}

/* Unless whoever was told has begun one: then behind that. */
static void start_again(struct site_reload *r)
{
    void (*done)(void *arg, enum err result) = r->again_done;
    if (r->running)
        return;
    r->again = false;
    r->again_done = NULL;
    enum err err = site_reload_start(r, done, r->again_arg);
    if (!err)
        return;
    LOG_E("app", "the site can't be read again: %s", err_name(err));
    if (done)
        done(r->again_arg, err);
}

/* No program is in the middle of something. */
static void programs_rest(void *ctx)
{
    struct site_reload *r = ctx;
    void (*done)(void *arg, enum err result) = r->done;
    r->running = false;
    r->done = NULL;
    take(r);
    automation_resume(r->cfg.automation);
    if (done)
        done(r->arg, r->result);
    if (r->cfg.ended && !r->again)
        r->cfg.ended(r->cfg.ctx, r->result);
    if (r->again)
        start_again(r);
}

static void have_read(struct offload_job *j)
{
    struct site_reload *r = CONTAINER_OF(j, struct site_reload, job);
    if (r->stopping) {
        r->running = false;
        r->done = NULL;
        lang_site_free(r->next);
        r->next = NULL;
        return;
    }
    if (automation_pause(r->cfg.automation, programs_rest, r))
        programs_rest(r);
}

enum err site_reload_start(struct site_reload *r, void (*done)(void *arg, enum err result),
                           void *arg)
{
    if (r->running)
        return ERR_EXISTS;
    r->next = NULL;
    r->why = (struct error){0};
    r->started_ns = worker_now_ns(r->worker);
    enum err err = offload_submit(r->queue, r->worker, &r->job);
    if (err)
        return err;
    r->running = true;
    r->done = done;
    r->arg = arg;
    return ERR_OK;
}

enum err site_reload_after(struct site_reload *r, void (*done)(void *arg, enum err result),
                           void *arg)
{
    if (!r->running)
        return site_reload_start(r, done, arg);
    if (r->again_done)
        return ERR_FULL;
    r->again = true;
    r->again_done = done;
    r->again_arg = arg;
    return ERR_OK;
}

void site_reload_soon(struct site_reload *r)
{
    r->again = true;
    start_again(r);
}

bool site_reload_running(const struct site_reload *r)
{
    return r->running;
}

struct str site_reload_report(const struct site_reload *r)
{
    return r->report.n ? strbuf_str(&r->report) : STR("null");
}

enum err site_reload_new(struct site_reload **out, const struct site_reload_config *cfg,
                         struct error *e)
{
    *out = NULL;
    struct site_reload *r = mem_zero(cfg->alloc, sizeof(*r));
    enum err err = r ? offload_queue_new(&r->queue, cfg->ex, 1, 1) : ERR_NOMEM;
    if (err) {
        mem_free(cfg->alloc, r, sizeof(*r));
        return error_set(e, err, "no memory for reloading");
    }
    r->cfg = *cfg;
    r->worker = executor_worker(cfg->ex, 0);
    r->job = (struct offload_job){.run = read_sources, .done = have_read};
    strbuf_init(&r->report, cfg->alloc, REPORT_MAX);
    *out = r;
    return ERR_OK;
}

void site_reload_free(struct site_reload *r)
{
    if (!r)
        return;
    r->stopping = true;
    offload_drain(r->queue);
    offload_queue_free(r->queue);
    lang_site_free(r->next); /* one that waited for the programs' rest */
    strbuf_fini(&r->report);
    mem_free(r->cfg.alloc, r, sizeof(*r));
}
