#include "async/offload.h"
#include "base/log.h"
#include "base/map.h"
#include "site/adopt_internal.h"

enum { TEXTS_MAX = 64 << 20, WAITING_MAX = 8 };

struct site_adopt {
    struct site_adopt_config cfg;
    struct worker *worker;
    struct offload_queue *queue;
    struct offload_job job, revert;
    struct adoption *now; /* NULL: nothing is under way */
    struct list waiting;
    size_t waiting_n;
    bool stopping;
};

static struct adoption *adoption_new(const struct site_adopt_config *cfg)
{
    struct adoption *w = mem_zero(cfg->alloc, sizeof(*w));
    if (!w)
        return NULL;
    arena_init(&w->arena, cfg->alloc, TEXTS_MAX);
    strbuf_init(&w->diags, cfg->alloc, ADOPT_ANSWER_MAX);
    strbuf_init(&w->messages, cfg->alloc, ADOPT_ANSWER_MAX);
    strbuf_init(&w->files, cfg->alloc, ADOPT_ANSWER_MAX);
    return w;
}

static void adoption_free(const struct site_adopt_config *cfg, struct adoption *w)
{
    if (!w)
        return;
    adopt_proposal_fini(&w->proposal);
    adopt_view_fini(&w->view);
    lang_site_free(w->changed);
    lang_site_free(w->site);
    strbuf_fini(&w->diags);
    strbuf_fini(&w->messages);
    strbuf_fini(&w->files);
    arena_fini(&w->arena);
    mem_free(cfg->alloc, w, sizeof(*w));
}

/* --- one step after the other --- */

static void begin(struct site_adopt *a);

/* The answer, and the next one. */
static void end(struct site_adopt *a, struct str reload)
{
    struct adoption *w = a->now;
    adoption_answer(&a->cfg, w, reload);
    a->now = NULL;
    adoption_free(&a->cfg, w);
    begin(a);
}

static void stop(struct site_adopt *a)
{
    adoption_free(&a->cfg, a->now);
    a->now = NULL;
}

static void run_revert(struct offload_job *j)
{
    struct site_adopt *a = CONTAINER_OF(j, struct site_adopt, revert);
    adoption_revert(&a->cfg, a->now);
}

static void reverted(struct offload_job *j)
{
    struct site_adopt *a = CONTAINER_OF(j, struct site_adopt, revert);
    if (a->stopping)
        stop(a);
    else
        end(a, site_reload_report(a->cfg.reload));
}

static void reloaded(void *arg, enum err result)
{
    struct site_adopt *a = arg;
    if (!result) {
        end(a, site_reload_report(a->cfg.reload));
        return;
    }
    a->now->written = false;
    enum err err = offload_submit(a->queue, a->worker, &a->revert);
    if (err) {
        adoption_stays_changed(a->now, err, "too much is under way");
        end(a, site_reload_report(a->cfg.reload));
    }
}

static void run_job(struct offload_job *j)
{
    struct site_adopt *a = CONTAINER_OF(j, struct site_adopt, job);
    adoption_run(&a->cfg, a->now);
}

static void job_done(struct offload_job *j)
{
    struct site_adopt *a = CONTAINER_OF(j, struct site_adopt, job);
    struct adoption *w = a->now;
    if (a->stopping) {
        stop(a);
        return;
    }
    if (!w->written) {
        end(a, STR("null"));
        return;
    }
    for (size_t i = 0; i < w->edit.n; i++)
        if (edit_changes(&w->edit, i))
            LOG_I("app", "%.*s is changed: a device is adopted", STR_FMT(w->edit.after[i].name));
    enum err err = site_reload_after(a->cfg.reload, reloaded, a);
    if (err)
        reloaded(a, err);
}

/* --- one behind the other --- */

static void note_claimed(struct site_adopt *a, struct adoption *w)
{
    for (size_t i = 0; !w->text.p && !w->claimed.n && i < w->request.topic_n; i++) {
        const struct device *d = registry_topic_device(a->cfg.registry, w->topics[i]);
        if (!d || registry_discovered_find(a->cfg.registry, w->topics[i]))
            continue;
        w->claimed = w->topics[i];
        w->claimer = arena_str(&w->arena, d->name);
    }
}

static void note_taken(struct site_adopt *a, struct adoption *w)
{
    const struct lang_site *site = *a->cfg.site;
    w->taken = arena_array(&w->arena, site->sources_n + 1, sizeof(*w->taken));
    for (size_t i = 0; w->taken && i < site->sources_n; i++) {
        struct str text = site->sources[i].text;
        w->taken[w->taken_n++] = (struct adoption_source){
            arena_str(&w->arena, site->sources[i].name), hash_bytes(text.p, text.n, 0)};
    }
}

/* What is heard by now: the one before it may have taken the same topics. */
static enum err look(struct site_adopt *a)
{
    struct adoption *w = a->now;
    note_claimed(a, w);
    note_taken(a, w);
    enum err err = adopt_view_take(&w->view, a->cfg.registry, a->cfg.bus, a->cfg.alloc);
    return err ? err : offload_submit(a->queue, a->worker, &a->job);
}

static void begin(struct site_adopt *a)
{
    if (a->now || list_empty(&a->waiting))
        return;
    a->now = CONTAINER_OF(list_pop_head(&a->waiting), struct adoption, link);
    a->waiting_n--;
    enum err err = look(a);
    if (!err)
        return;
    a->now->outcome = ADOPT_NOT_WRITTEN;
    (void)error_set(&a->now->why, err, "the topics can't be adopted now: %s", err_name(err));
    end(a, STR("null"));
}

static enum err copy_request(struct adoption *w, const struct dashboard_adopt_request *q)
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

enum err site_adopt_start(void *site_adopt, const struct dashboard_adopt_request *q,
                          void (*done)(void *arg, const struct dashboard_adopt_answer *a),
                          void *arg)
{
    struct site_adopt *a = site_adopt;
    if (a->waiting_n == WAITING_MAX)
        return ERR_FULL;
    struct adoption *w = adoption_new(&a->cfg);
    enum err err = w ? copy_request(w, q) : ERR_NOMEM;
    if (err) {
        adoption_free(&a->cfg, w);
        return err;
    }
    w->done = done;
    w->arg = arg;
    if (a->now) {
        list_add_tail(&a->waiting, &w->link);
        a->waiting_n++;
        return ERR_OK;
    }
    a->now = w;
    err = look(a);
    if (err)
        stop(a);
    return err;
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
    list_init(&a->waiting);
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
    stop(a);
    while (!list_empty(&a->waiting))
        adoption_free(&a->cfg, CONTAINER_OF(list_pop_head(&a->waiting), struct adoption, link));
    mem_free(a->cfg.alloc, a, sizeof(*a));
}
