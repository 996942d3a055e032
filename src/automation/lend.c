/* lend: the leases of programs and people, between their table (lease.c) and the runs.
 *
 * What a lessee left behind is made safe before anybody else commands, unless it gave the device
 * back by itself. What the owner wanted while a person had the device waits, the newest of it. */
#include "automation/automation_internal.h"
#include "base/log.h"

#include <string.h>

enum { HELD_MAX = 10000, GRANTS_MAX = 64 };

static struct device *device_of(struct automation *a, struct str name)
{
    return registry_find(a->cfg.registry, name);
}

static struct program_run *owner_of(struct automation *a, struct str device)
{
    struct lease_view v;
    return leases_view(a->leases, device, &v) ? program_find(a, v.owner) : NULL;
}

/* The number of the owner's handle; UINT32_MAX: none. */
static uint32_t handle_of(const struct program_run *run, struct str device)
{
    for (uint32_t i = 0; i < run->def->bindings_n; i++)
        if (run->def->bindings[i].kind == LANG_BIND_OWN && run->bindings[i].device &&
            str_eq(run->bindings[i].device->name, device))
            return i;
    return UINT32_MAX;
}

static void post_lease(const struct lease_party *p, enum lang_lease_news news, struct str why)
{
    struct event ev = {.kind = EVENT_LEASE, .index = p->id, .news = news, .bytes = why};
    program_post(p->who, &ev);
}

static void post_owner(struct automation *a, struct str device, enum event_kind kind, bool out)
{
    struct program_run *owner = owner_of(a, device);
    uint32_t handle = owner ? handle_of(owner, device) : UINT32_MAX;
    struct event ev = {.kind = kind, .index = handle, .out = out};
    if (handle != UINT32_MAX)
        program_post(owner, &ev);
}

/* ---- what the table tells
 * ------------------------------------------------------------------------ */

static void on_granted(void *ctx, const struct lease_party *p, struct str device)
{
    struct automation *a = ctx;
    LOG_I("automation", "%.*s has %.*s", STR_FMT(p->name), STR_FMT(device));
    if (!p->who)
        return;
    post_owner(a, device, EVENT_OUT, true);
    post_lease(p, LANG_LEASE_GRANTED, STR(""));
}

static void on_denied(void *ctx, const struct lease_party *p, struct str device, struct str why)
{
    struct automation *a = ctx;
    if (p->who)
        post_lease(p, LANG_LEASE_DENIED, why);
    else if (a->denied)
        (void)error_set(a->denied, ERR_DENIED, "%.*s: %.*s", STR_FMT(device), STR_FMT(why));
}

static void on_revoked(void *ctx, const struct lease_party *p, struct str device, struct str why)
{
    (void)ctx;
    LOG_I("automation", "%.*s has lost %.*s: %.*s", STR_FMT(p->name), STR_FMT(device),
          STR_FMT(why));
    if (p->who)
        post_lease(p, LANG_LEASE_REVOKED, why);
}

static void send_held(struct automation *a, struct str device)
{
    struct held_command *h = map_del(&a->held, device);
    struct device *d = device_of(a, device);
    if (!h)
        return;
    struct error err;
    struct action_request q = {
        .device = d,
        .action = h->action,
        .args = h->args,
        .arg_count = h->arg_count,
        .cause = {.program = h->run->def->name, .rule = h->rule, .line = h->line}};
    if (d && registry_command(a->cfg.registry, &q, NULL, &err))
        LOG_E("automation", "%.*s: %s", STR_FMT(device), err.text);
    mem_free(a->cfg.alloc, h, sizeof(*h));
}

static void on_ended(void *ctx, struct str device, enum lease_end end, bool next)
{
    struct automation *a = ctx;
    struct device *d = device_of(a, device);
    if (d && end != LEASE_RELEASED)
        state_make_safe(a, d, STR("lease"));
    if (next)
        return;
    post_owner(a, device, EVENT_OUT, false);
    if (end != LEASE_REVOKED) /* else the owner is at it */
        post_owner(a, device, EVENT_IDLE, false);
    send_held(a, device);
}

static void on_changed(void *ctx, const struct lease_view *v)
{
    struct automation *a = ctx;
    state_lease_changed(a, v);
    if (a->lease_changed)
        a->lease_changed(a->lease_ctx, v);
}

/* ---- what runs want
 * -------------------------------------------------------------------------------- */

static struct lease_party party(struct program_run *run, uint32_t id)
{
    return (struct lease_party){run, id, run->def->name};
}

static struct str lease_device(const struct program_run *run, uint32_t lease)
{
    return run->bindings[run->def->leases[lease].binding].device->name;
}

void lend_ask(struct program_run *run, const struct effect *e)
{
    struct automation *a = run->automation;
    struct lease_party p = party(run, e->id);
    if (!vec_push(a->cfg.alloc, &run->leases, (struct lease_ref){e->id, e->index})) {
        post_lease(&p, LANG_LEASE_DENIED, STR("there is no memory for it"));
        return;
    }
    leases_ask(a->leases, lease_device(run, e->index), &p, e->for_ms, e->wait_ms);
}

void lend_release(struct program_run *run, const struct effect *e)
{
    for (size_t i = 0; i < run->leases.n; i++) {
        struct lease_ref ref = run->leases.v[i];
        if (ref.id != e->id)
            continue;
        struct lease_party p = party(run, e->id);
        run->leases.v[i] = run->leases.v[--run->leases.n];
        (void)leases_release(run->automation->leases, lease_device(run, ref.lease), &p, e->crashed);
        return;
    }
}

static bool holds(const struct program_run *run, uint32_t binding)
{
    for (size_t i = 0; i < run->leases.n; i++) {
        struct lease_ref ref = run->leases.v[i];
        struct lease_party p = {(void *)(uintptr_t)run, ref.id, run->def->name};
        if (run->def->leases[ref.lease].binding == binding &&
            leases_holds(run->automation->leases, lease_device(run, ref.lease), &p))
            return true;
    }
    return false;
}

static struct str copy_text(char text[TEXT_KEPT_MAX], size_t *used, struct str s)
{
    size_t n = s.n < TEXT_KEPT_MAX - *used ? s.n : TEXT_KEPT_MAX - *used;
    struct str copy = {text + *used, n};
    if (n)
        memcpy(text + *used, s.p, n);
    *used += n;
    return copy;
}

static void hold(struct program_run *run, const struct effect *e)
{
    struct automation *a = run->automation;
    struct device *d = run->bindings[e->binding].device;
    struct held_command *h = map_get(&a->held, d->name);
    size_t used = 0;
    if (!h) {
        h = d->name.n < sizeof(h->device) ? mem_zero(a->cfg.alloc, sizeof(*h)) : NULL;
        if (h)
            memcpy(h->device, d->name.p, d->name.n);
        if (!h || map_put(&a->held, (struct str){h->device, d->name.n}, h)) {
            mem_free(a->cfg.alloc, h, h ? sizeof(*h) : 0);
            LOG_E("automation", "no memory to keep what %.*s wants of %.*s",
                  STR_FMT(run->def->name), STR_FMT(d->name));
            return;
        }
    }
    struct cause c = effect_cause(run, e);
    h->run = run;
    h->action = e->action;
    h->arg_count = e->arg_count;
    h->rule = c.rule;
    h->line = c.line;
    for (size_t i = 0; i < e->arg_count; i++) {
        h->args[i] = e->args[i];
        if (h->args[i].kind == VALUE_STR)
            h->args[i].s = copy_text(h->text, &used, e->args[i].s);
    }
    LOG_I("automation", "%.*s.%.*s() waits: a person has it", STR_FMT(d->name),
          STR_FMT(d->model->actions[e->action].name));
}

bool lend_may_command(struct program_run *run, const struct effect *e)
{
    struct automation *a = run->automation;
    const struct binding_run *b = &run->bindings[e->binding];
    struct lease_view v;
    if (b->def->kind == LANG_BIND_LEASE)
        return holds(run, e->binding); /* else it was taken meanwhile, and the task hears of it */
    if (!leases_view(a->leases, b->device->name, &v) || !v.out)
        return true;
    if (!v.holder.who)
        hold(run, e);
    return false;
}

void lend_forget_held(struct automation *a, struct str device)
{
    struct held_command *h = map_del(&a->held, device);
    if (h)
        mem_free(a->cfg.alloc, h, sizeof(*h));
}

/* ---- what owners offer
 * ------------------------------------------------------------------------------ */

static size_t grants_of(const struct lang_program *def, uint32_t binding,
                        struct lease_grant grants[GRANTS_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < def->lends_n && n < GRANTS_MAX; i++)
        if (def->lends[i].binding == binding)
            grants[n++] = (struct lease_grant){def->lends[i].to, def->lends[i].priority,
                                               def->lends[i].max_ms};
    return n;
}

enum err lend_own(struct program_run *run)
{
    struct automation *a = run->automation;
    struct lease_grant grants[GRANTS_MAX];
    for (uint32_t i = 0; i < run->def->bindings_n; i++) {
        const struct binding_run *b = &run->bindings[i];
        if (b->def->kind != LANG_BIND_OWN)
            continue;
        enum err err = leases_own(a->leases, b->device->name, run->def->name, grants,
                                  grants_of(run->def, i, grants));
        if (err)
            return err;
    }
    return ERR_OK;
}

/* ---- people
 * ------------------------------------------------------------------------------------------ */

enum err automation_operate(struct automation *a, const struct action_request *q, char id[24],
                            struct error *e)
{
    struct lease_party p = {NULL, 0, q->cause.operator_name};
    if (q->device->owner.n == 0)
        return registry_command_by_hand(a->cfg.registry, q, id, e);
    *e = (struct error){0};
    a->denied = e;
    leases_ask(a->leases, q->device->name, &p, 0, 0);
    a->denied = NULL;
    if (!leases_holds(a->leases, q->device->name, &p))
        return e->code ? e->code
                       : error_set(e, ERR_DENIED, "%.*s can't be had", STR_FMT(q->device->name));
    return registry_command(a->cfg.registry, q, id, e);
}

bool automation_give_back(struct automation *a, struct str device)
{
    struct lease_view v;
    if (!leases_view(a->leases, device, &v) || !v.out || v.holder.who)
        return false;
    struct lease_party p = v.holder;
    return leases_release(a->leases, device, &p, false);
}

bool automation_lease(const struct automation *a, struct str device, struct lease_view *out)
{
    return leases_view(a->leases, device, out);
}

void automation_on_lease(struct automation *a,
                         void (*changed)(void *ctx, const struct lease_view *v), void *ctx)
{
    a->lease_changed = changed;
    a->lease_ctx = ctx;
}

/* ---- life
 * --------------------------------------------------------------------------------------------- */

enum err lend_init(struct automation *a)
{
    struct lease_hooks hooks = {.granted = on_granted,
                                .denied = on_denied,
                                .revoked = on_revoked,
                                .ended = on_ended,
                                .changed = on_changed,
                                .ctx = a};
    map_init(&a->held, a->cfg.alloc, executor_env(a->cfg.ex)->seed, HELD_MAX);
    return leases_new(&a->leases, a->cfg.ex, a->cfg.alloc, &hooks);
}

void lend_fini(struct automation *a)
{
    size_t at = 0;
    void *value;
    leases_free(a->leases);
    while (map_next(&a->held, &at, NULL, &value))
        mem_free(a->cfg.alloc, value, sizeof(struct held_command));
    map_fini(&a->held);
}
