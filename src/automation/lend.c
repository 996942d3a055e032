/* lend: the leases of programs and people, between their table (lease.c) and the runs.
 *
 * What a lessee left behind is made safe before anybody else commands, unless it gave the device
 * back by itself. What the owner wanted while a person had the device waits (held.c). */
#include "automation/automation_internal.h"
#include "base/log.h"

static struct device *device_of(struct automation *a, struct str name)
{
    struct registry *r = a->cfg.registry;
    struct device *d = registry_find(r, name), *before = d ? NULL : registry_next(r, name);
    return before ? registry_successor(r, before)
                  : d; /* while the site changes: it had that name */
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
        if (run->def->bindings[i].kind == LANG_BIND_OWN &&
            str_eq(run->def->bindings[i].resource->name, device))
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
    LOG_D("automation", "%.*s has %.*s", STR_FMT(p->name), STR_FMT(device));
    post_owner(a, device, EVENT_OUT, p->who != NULL); /* what a person has, is held back */
    if (p->who)
        post_lease(p, LANG_LEASE_GRANTED, STR(""));
}

/* It is over for the program; it may not say so itself any more. */
static void forget_ref(struct program_run *run, uint32_t id)
{
    for (size_t i = 0; i < run->leases.n; i++)
        if (run->leases.v[i].id == id) {
            run->leases.v[i] = run->leases.v[--run->leases.n];
            return;
        }
}

static void on_denied(void *ctx, const struct lease_party *p, struct str device, struct str why)
{
    struct automation *a = ctx;
    if (p->who) {
        forget_ref(p->who, p->id);
        post_lease(p, LANG_LEASE_DENIED, why);
    } else if (a->denied) {
        (void)error_set(a->denied, ERR_DENIED, "%.*s: %.*s", STR_FMT(device), STR_FMT(why));
    }
}

static void on_revoked(void *ctx, const struct lease_party *p, struct str device, struct str why)
{
    struct automation *a = ctx;
    struct device *d = device_of(a, device);
    LOG_D("automation", "%.*s has lost %.*s: %.*s", STR_FMT(p->name), STR_FMT(device),
          STR_FMT(why));
    if (d) /* first of all */
        state_make_safe(a, d, STR("lease"));
    if (!p->who)
        return;
    forget_ref(p->who, p->id);
    post_lease(p, LANG_LEASE_REVOKED, why);
}

/* Nobody has it any more: what its owner wanted of it meanwhile, or else what the owner wants
 * whenever it is idle. An owner that took it back is at it itself. */
static void at_home(struct automation *a, struct str device, struct device *d, bool by_owner)
{
    post_owner(a, device, EVENT_OUT, false);
    if (by_owner)
        held_forget(a, device);
    else if (!d || !held_send(a, d))
        post_owner(a, device, EVENT_IDLE, false);
}

static void on_ended(void *ctx, struct str device, enum lease_end end, bool next)
{
    struct automation *a = ctx;
    struct device *d = device_of(a, device);
    if (d && end == LEASE_CRASHED) /* else on_revoked() did it */
        state_make_safe(a, d, STR("lease"));
    if (!next)
        at_home(a, device, d, end == LEASE_REVOKED);
}

static void on_hold(void *ctx, bool on)
{
    if (on)
        events_hold(ctx);
    else
        events_go_on(ctx);
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
    return run->def->bindings[run->def->leases[lease].binding].resource->name;
}

void lend_ask(struct program_run *run, const struct effect *e)
{
    struct automation *a = run->automation;
    struct lease_party p = party(run, e->id);
    if (e->for_ms <= 0) { /* for the table 0 is for ever */
        post_lease(&p, LANG_LEASE_DENIED, STR("it was asked for no time at all"));
        return;
    }
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
        held_put(run, e);
    return false;
}

/* ---- what owners offer
 * ------------------------------------------------------------------------------ */

static size_t grants_of(const struct lang_program *def, uint32_t binding,
                        struct lease_grant *grants)
{
    size_t n = 0;
    for (size_t i = 0; i < def->lends_n; i++)
        if (def->lends[i].binding == binding)
            grants[n++] = (struct lease_grant){def->lends[i].to, def->lends[i].priority,
                                               def->lends[i].max_ms};
    return n;
}

enum err lend_own(struct program_run *run)
{
    struct automation *a = run->automation;
    size_t room = run->def->lends_n + 1;
    struct lease_grant *grants = mem_array(a->cfg.alloc, room, sizeof(*grants));
    enum err err = grants ? ERR_OK : ERR_NOMEM;
    for (uint32_t i = 0; !err && i < run->def->bindings_n; i++) {
        const struct binding_run *b = &run->bindings[i];
        if (b->def->kind == LANG_BIND_OWN)
            err = leases_own(a->leases, b->device->name, run->def->name, grants,
                             grants_of(run->def, i, grants));
    }
    mem_free(a->cfg.alloc, grants, room * sizeof(*grants));
    return err;
}

/* ---- people
 * ------------------------------------------------------------------------------------------ */

enum err automation_operate(struct automation *a, const struct action_request *q, char id[24],
                            struct error *e)
{
    struct lease_party p = {NULL, 0, q->cause.operator_name};
    struct str thing = device_thing(q->device)->name;
    if (q->device->owner.n == 0)
        return registry_command_by_hand(a->cfg.registry, q, id, e);
    *e = (struct error){0};
    a->denied = e;
    leases_ask(a->leases, thing, &p, 0, 0);
    a->denied = NULL;
    if (!leases_holds(a->leases, thing, &p))
        return e->code ? e->code
                       : error_set(e, ERR_DENIED, "%.*s can't be had", STR_FMT(q->device->name));
    return registry_command(a->cfg.registry, q, id, e);
}

/* A lease is of the thing, whichever of its declarations is named. */
static struct str thing_name(const struct automation *a, struct str device)
{
    const struct device *d = registry_find(a->cfg.registry, device);
    return d ? device_thing(d)->name : device;
}

bool automation_give_back(struct automation *a, struct str device)
{
    struct lease_view v;
    device = thing_name(a, device);
    if (!leases_view(a->leases, device, &v) || !v.out || v.holder.who)
        return false;
    struct lease_party p = v.holder;
    return leases_release(a->leases, device, &p, false);
}

bool automation_lease(const struct automation *a, struct str device, struct lease_view *out)
{
    return leases_view(a->leases, thing_name(a, device), out);
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
                                .hold = on_hold,
                                .ctx = a};
    held_init(a);
    return leases_new(&a->leases, a->cfg.ex, a->cfg.alloc, &hooks);
}

void lend_fini(struct automation *a)
{
    leases_free(a->leases);
    held_fini(a);
}
