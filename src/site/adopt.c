#include "site/adopt.h"

#include "adopt/edit.h"
#include "adopt/propose.h"
#include "async/offload.h"
#include "base/log.h"
#include "codec/json.h"
#include "site/schema.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { TEXTS_MAX = 64 << 20, ANSWER_MAX = 8 << 20, REQUEST_MAX = 1 << 20 };

/* All of one request; zeroed for each. */
struct work {
    struct arena arena; /* texts of the request and of the edit */
    struct str topics[64];
    struct adopt_request request;
    struct str claimed, claimer; /* a topic that a device has already; "": none */
    struct str text;             /* p NULL: what is proposed */
    struct str shown;            /* p NULL: whatever it is */
    bool apply;
    struct adopt_view view;
    struct lang_site *site, *changed; /* as on disk; as it would be */
    struct adopt_proposal proposal;
    struct edit edit;
    bool written;
    enum adopt_outcome outcome;
    struct error why;
    struct strbuf diags, messages, files; /* of the answer */
    char digest[2 * EVP_MAX_MD_SIZE + 1]; /* of `files`: what a person is shown */
};

struct site_adopt {
    struct site_adopt_config cfg;
    struct worker *worker;
    struct offload_queue *queue;
    struct offload_job job, revert;
    struct work *work; /* NULL: nothing is under way */
    bool stopping;
    void (*done)(void *arg, const struct dashboard_adopt_answer *a);
    void *arg;
};

static void work_free(struct site_adopt *a)
{
    struct work *w = a->work;
    if (!w)
        return;
    a->work = NULL;
    adopt_proposal_fini(&w->proposal);
    adopt_view_fini(&w->view);
    lang_site_free(w->changed);
    lang_site_free(w->site);
    strbuf_fini(&w->diags);
    strbuf_fini(&w->messages);
    strbuf_fini(&w->files);
    arena_fini(&w->arena);
    mem_free(a->cfg.alloc, w, sizeof(*w));
}

/* --- on the pool: the files --- */

static enum err read_site(struct site_adopt *a, struct work *w)
{
    struct site_sources sources;
    enum err err = site_read_sources(a->cfg.alloc, a->cfg.path, &sources, &w->why);
    if (err)
        return err;
    err = lang_check(a->cfg.alloc, site_schema(), sources.v, sources.n, &w->site);
    site_sources_fini(&sources);
    return err ? error_set(&w->why, err, "no memory to check the site") : ERR_OK;
}

static enum err give_up(struct work *w, enum adopt_outcome outcome, enum err err)
{
    w->outcome = outcome;
    return err;
}

static enum err refuse(struct work *w, const struct lang_site *site, const char *what)
{
    site_render_diags(&w->messages, site, false);
    site_json_diags(&w->diags, site);
    return give_up(w, ADOPT_REFUSED,
                   error_set(&w->why, ERR_INVALID, "%s %zu error%s", what, site->errors,
                             site->errors == 1 ? "" : "s"));
}

static void put_in(struct work *w)
{
    const struct adopt_proposal *p = &w->proposal;
    if (w->text.p) {
        edit_add_text(&w->edit, w->text);
        return;
    }
    if (p->model_there)
        edit_into(&w->edit, p->model_there, p->model_text);
    else
        edit_add_model(&w->edit, p->model_text);
    if (p->device_there)
        edit_into(&w->edit, p->device_there, p->device_text);
    else
        edit_add_device(&w->edit, p->device_text);
}

static void write_file(struct json_writer *j, const struct edit *ed, size_t i, struct strbuf *diff)
{
    size_t added, removed;
    strbuf_reset(diff);
    edit_diff(ed, i, diff, &added, &removed);
    json_object_begin(j);
    json_key(j, "file");
    json_str(j, ed->after[i].name);
    json_key(j, "new");
    json_bool(j, edit_is_new(ed, i));
    json_key(j, "added");
    json_int(j, (int64_t)added);
    json_key(j, "removed");
    json_int(j, (int64_t)removed);
    json_key(j, "diff");
    json_str(j, strbuf_str(diff));
    json_object_end(j);
}

static void describe_files(struct work *w)
{
    struct json_writer j;
    struct strbuf diff;
    strbuf_init(&diff, alloc_system(), ANSWER_MAX / 4);
    json_writer_init(&j, &w->files);
    json_array_begin(&j);
    for (size_t i = 0; i < w->edit.n; i++)
        if (edit_changes(&w->edit, i))
            write_file(&j, &w->edit, i, &diff);
    json_array_end(&j);
    w->files.failed |= diff.failed;
    strbuf_fini(&diff);
}

/* Whoever speaks on the topics has a hand in what is proposed, so it is a digest that nobody can
 * aim at. */
static enum err take_digest(struct work *w)
{
    uint8_t sum[EVP_MAX_MD_SIZE];
    unsigned n;
    if (w->files.failed || !EVP_Digest(w->files.p, w->files.n, sum, &n, EVP_sha256(), NULL))
        return give_up(w, ADOPT_NOT_WRITTEN,
                       error_set(&w->why, ERR_NOMEM, "no memory for what changes in the files"));
    for (unsigned i = 0; i < n; i++)
        (void)snprintf(w->digest + 2 * i, 3, "%02x", sum[i]);
    return ERR_OK;
}

/* A proposal is made anew when it is applied, and who publishes in between must not be able to put
 * something else into the files than what was said yes to. */
static enum err check_shown(struct work *w)
{
    enum err err = take_digest(w);
    if (err || !w->apply || !w->shown.p || str_eq(w->shown, str_from(w->digest)))
        return err;
    return give_up(w, ADOPT_NOT_SHOWN,
                   error_set(&w->why, ERR_EXISTS,
                             "what would be written is not what was shown any more: look at it "
                             "again"));
}

static enum err check_changed(struct site_adopt *a, struct work *w)
{
    struct site_settings settings;
    enum err err = lang_check(a->cfg.alloc, site_schema(), w->edit.after, w->edit.n, &w->changed);
    if (err)
        return give_up(w, ADOPT_NOT_WRITTEN, error_set(&w->why, err, "no memory for the check"));
    if (w->changed->errors)
        return refuse(w, w->changed, "the site with this in it has");
    err = site_settings_read(&settings, w->changed, &w->why);
    if (err)
        return give_up(w, ADOPT_REFUSED, err);
    site_json_diags(&w->diags, w->changed);
    return ERR_OK;
}

static bool is_one_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && !S_ISDIR(st.st_mode);
}

static enum err make(struct site_adopt *a, struct work *w)
{
    enum err err = read_site(a, w);
    if (err)
        return give_up(w, ADOPT_NOT_WRITTEN, err);
    if (w->site->errors)
        return refuse(w, w->site, "the site's files can't be added to: they have");
    if (w->claimed.n)
        return give_up(w, ADOPT_NOT_POSSIBLE,
                       error_set(&w->why, ERR_EXISTS, "%.*s is a topic of %.*s already",
                                 STR_FMT(w->claimed), STR_FMT(w->claimer)));
    if (!w->text.p)
        err = adopt_propose(&w->proposal, &w->view, w->site, &w->request, &w->why);
    if (err)
        return give_up(w,
                       err == ERR_NOT_FOUND ? ADOPT_UNKNOWN
                       : err == ERR_NOMEM   ? ADOPT_NOT_WRITTEN
                                            : ADOPT_NOT_POSSIBLE,
                       err);
    edit_init(&w->edit, &w->arena, w->site, is_one_file(a->cfg.path));
    put_in(w);
    err = edit_finish(&w->edit, &w->why);
    if (err)
        return give_up(w, ADOPT_NOT_WRITTEN, err);
    describe_files(w);
    err = check_shown(w);
    return err ? err : check_changed(a, w);
}

static void write_it(struct site_adopt *a, struct work *w)
{
    bool changed;
    struct error e = {0};
    enum err err = edit_write(&w->edit, a->cfg.path, &changed, &e);
    if (err && changed)
        (void)give_up(w, ADOPT_LEFT_CHANGED,
                      error_set(&w->why, err, "%s, but not all files are as they were", e.text));
    else if (err)
        (void)give_up(w, err == ERR_EXISTS || err == ERR_BUSY ? ADOPT_CHANGED : ADOPT_NOT_WRITTEN,
                      error_set(&w->why, err, "%s", e.text));
    w->written = !err;
}

static void run_job(struct offload_job *j)
{
    struct site_adopt *a = CONTAINER_OF(j, struct site_adopt, job);
    struct work *w = a->work;
    if (make(a, w) == ERR_OK && w->apply)
        write_it(a, w);
}

static const char refused[] = "the site with this in it can't take the running one's place";

static void stay_changed(struct work *w, enum err err, const char *why)
{
    LOG_E("app", "the site's files can't be put back as they were: %s", why);
    (void)give_up(w, ADOPT_LEFT_CHANGED,
                  error_set(&w->why, err, "%s, and its files can't be put back as they were: %s",
                            refused, why));
}

static void run_revert(struct offload_job *j)
{
    struct site_adopt *a = CONTAINER_OF(j, struct site_adopt, revert);
    struct error e = {0};
    enum err err = edit_revert(&a->work->edit, a->cfg.path, &e);
    if (err)
        stay_changed(a->work, err, e.text);
    else
        (void)give_up(
            a->work, ADOPT_REFUSED,
            error_set(&a->work->why, ERR_INVALID, "%s; its files are as they were", refused));
}

/* --- the answer --- */

static void write_texts(struct json_writer *j, const char *key, const struct str *texts, size_t n)
{
    json_key(j, key);
    json_array_begin(j);
    for (size_t i = 0; i < n; i++)
        json_str(j, texts[i]);
    json_array_end(j);
}

static void write_left(struct json_writer *j, const struct adopt_proposal *p)
{
    json_key(j, "left_out");
    json_array_begin(j);
    for (size_t i = 0; i < p->left_n; i++) {
        json_object_begin(j);
        json_key(j, "topic");
        json_str(j, p->left[i].topic);
        json_key(j, "path");
        json_str(j, p->left[i].path);
        json_key(j, "why");
        json_str(j, p->left[i].why);
        json_object_end(j);
    }
    json_array_end(j);
}

static void write_text(struct json_writer *j, struct work *w)
{
    const struct adopt_proposal *p = &w->proposal;
    bool both = p->model_text.n && p->device_text.n;
    json_key(j, "text");
    json_str(j, w->text.p ? w->text
                          : arena_strf(&w->arena, "%.*s%s%.*s", STR_FMT(p->model_text),
                                       both ? "\n" : "", STR_FMT(p->device_text)));
}

static void write_name(struct json_writer *j, const char *key, struct str name)
{
    json_key(j, key);
    json_str(j, name.n ? name : (struct str){0});
}

static void write_flag(struct json_writer *j, const char *key, bool v)
{
    json_key(j, key);
    json_bool(j, v);
}

static void write_answer(struct strbuf *out, struct work *w, struct str reload)
{
    const struct adopt_proposal *p = &w->proposal;
    struct json_writer j;
    json_writer_init(&j, out);
    json_object_begin(&j);
    write_name(&j, "device", p->device);
    write_name(&j, "model", p->model);
    write_flag(&j, "device_exists", p->device_there != NULL);
    write_flag(&j, "model_exists", p->model_there != NULL);
    write_flag(&j, "editable", !p->device_there);
    write_text(&j, w);
    write_texts(&j, "topics", p->topics, p->topic_n);
    write_left(&j, p);
    json_key(&j, "files");
    json_raw(&j, strbuf_str(&w->files));
    json_key(&j, "shown");
    json_cstr(&j, w->digest);
    write_texts(&j, "warnings", p->warnings, p->warning_n);
    json_key(&j, "diagnostics");
    json_raw(&j, strbuf_str(&w->diags));
    write_flag(&j, "applied", w->written);
    json_key(&j, "reload");
    json_raw(&j, reload);
    json_object_end(&j);
}

static void add_member(struct dashboard_adopt_answer *a, const char *name, struct str json)
{
    size_t i = 0;
    while (i < ARRAY_LEN(a->members) && a->members[i].name)
        i++;
    if (json.n && i < ARRAY_LEN(a->members)) {
        a->members[i].name = name;
        a->members[i].json = json;
    }
}

/* `reload`: its report; "null". */
static void answer(struct site_adopt *a, struct str reload)
{
    struct work *w = a->work;
    struct dashboard_adopt_answer out = {.outcome = w->outcome, .why = w->why.text};
    struct strbuf json, text;
    strbuf_init(&json, a->cfg.alloc, ANSWER_MAX);
    strbuf_init(&text, a->cfg.alloc, ANSWER_MAX);
    if (w->outcome == ADOPT_DONE) {
        write_answer(&json, w, reload);
        out.json = strbuf_str(&json);
        out.outcome = json.failed || w->arena.failed ? ADOPT_NOT_WRITTEN : ADOPT_DONE;
        out.why = "there is no memory for the answer";
    } else if (w->outcome == ADOPT_REFUSED || w->outcome == ADOPT_LEFT_CHANGED) {
        strbuf_add_json(&text, strbuf_str(&w->messages));
        add_member(&out, "diagnostics", strbuf_str(&w->diags));
        add_member(&out, "text", strbuf_str(&text));
        add_member(&out, "files", strbuf_str(&w->files));
        if (!str_eq(reload, STR("null")))
            add_member(&out, "reload", reload);
    } else if (w->outcome == ADOPT_NOT_SHOWN) {
        add_member(&out, "files", strbuf_str(&w->files));
    } else if (w->outcome == ADOPT_UNKNOWN) {
        out.topic = str_from(w->why.where);
    }
    void (*done)(void *arg, const struct dashboard_adopt_answer *a) = a->done;
    a->done = NULL;
    if (done)
        done(a->arg, &out);
    strbuf_fini(&json);
    strbuf_fini(&text);
    work_free(a);
}

/* --- on worker 0: one step after the other --- */

static void reverted(struct offload_job *j)
{
    struct site_adopt *a = CONTAINER_OF(j, struct site_adopt, revert);
    if (a->stopping)
        work_free(a);
    else
        answer(a, site_reload_report(a->cfg.reload));
}

static void reloaded(void *arg, enum err result)
{
    struct site_adopt *a = arg;
    struct work *w = a->work;
    if (!result) {
        answer(a, site_reload_report(a->cfg.reload));
        return;
    }
    w->written = false;
    enum err err = offload_submit(a->queue, a->worker, &a->revert);
    if (err) {
        stay_changed(w, err, "too much is under way");
        answer(a, site_reload_report(a->cfg.reload));
    }
}

static void job_done(struct offload_job *j)
{
    struct site_adopt *a = CONTAINER_OF(j, struct site_adopt, job);
    struct work *w = a->work;
    if (a->stopping) {
        work_free(a);
        return;
    }
    if (!w->written) {
        answer(a, STR("null"));
        return;
    }
    for (size_t i = 0; i < w->edit.n; i++)
        if (edit_changes(&w->edit, i))
            LOG_I("app", "%.*s is changed: a device is adopted", STR_FMT(w->edit.after[i].name));
    if (site_reload_start(a->cfg.reload, reloaded, a)) {
        site_reload_soon(a->cfg.reload); /* one is under way that may have read the old files */
        answer(a, STR("null"));
    }
}

static enum err copy_request(struct work *w, const struct dashboard_adopt_request *q)
{
    if (q->topic_n > ARRAY_LEN(w->topics))
        return ERR_RANGE;
    for (size_t i = 0; i < q->topic_n; i++)
        w->topics[i] = arena_str(&w->arena, q->topics[i]);
    w->request = (struct adopt_request){.topics = w->topics,
                                        .topic_n = q->topic_n,
                                        .device = arena_str(&w->arena, q->device),
                                        .model = arena_str(&w->arena, q->model)};
    w->text = q->text.p ? arena_str(&w->arena, q->text) : (struct str){0};
    w->shown = q->shown.p ? arena_str(&w->arena, q->shown) : (struct str){0};
    w->apply = q->apply;
    return w->arena.failed ? ERR_NOMEM : ERR_OK;
}

static void note_claimed(struct site_adopt *a, struct work *w)
{
    for (size_t i = 0; !w->text.p && !w->claimed.n && i < w->request.topic_n; i++) {
        const struct device *d = registry_topic_device(a->cfg.registry, w->topics[i]);
        if (!d || registry_discovered_find(a->cfg.registry, w->topics[i]))
            continue;
        w->claimed = w->topics[i];
        w->claimer = arena_str(&w->arena, d->name);
    }
}

enum err site_adopt_start(void *site_adopt, const struct dashboard_adopt_request *q,
                          void (*done)(void *arg, const struct dashboard_adopt_answer *a),
                          void *arg)
{
    struct site_adopt *a = site_adopt;
    if (a->work)
        return ERR_EXISTS;
    struct work *w = a->work = mem_zero(a->cfg.alloc, sizeof(*w));
    if (!w)
        return ERR_NOMEM;
    arena_init(&w->arena, a->cfg.alloc, TEXTS_MAX);
    strbuf_init(&w->diags, a->cfg.alloc, ANSWER_MAX);
    strbuf_init(&w->messages, a->cfg.alloc, ANSWER_MAX);
    strbuf_init(&w->files, a->cfg.alloc, ANSWER_MAX);
    enum err err = copy_request(w, q);
    note_claimed(a, w);
    if (!err)
        err = adopt_view_take(&w->view, a->cfg.registry, a->cfg.bus, a->cfg.alloc);
    if (!err)
        err = offload_submit(a->queue, a->worker, &a->job);
    if (err) {
        work_free(a);
        return err;
    }
    a->done = done;
    a->arg = arg;
    return ERR_OK;
}

enum err site_adopt_new(struct site_adopt **out, const struct site_adopt_config *cfg,
                        struct error *e)
{
    *out = NULL;
    struct site_adopt *a = mem_zero(cfg->alloc, sizeof(*a));
    enum err err = a ? offload_queue_new(&a->queue, cfg->ex, 1, 2) : ERR_NOMEM;
    if (err) {
        mem_free(cfg->alloc, a, sizeof(*a));
        return error_set(e, err, "no memory for adopting devices");
    }
    a->cfg = *cfg;
    a->worker = executor_worker(cfg->ex, 0);
    a->job = (struct offload_job){.run = run_job, .done = job_done};
    a->revert = (struct offload_job){.run = run_revert, .done = reverted};
    *out = a;
    return ERR_OK;
}

void site_adopt_free(struct site_adopt *a)
{
    if (!a)
        return;
    a->stopping = true;
    offload_drain(a->queue);
    offload_queue_free(a->queue);
    work_free(a);
    mem_free(a->cfg.alloc, a, sizeof(*a));
}
