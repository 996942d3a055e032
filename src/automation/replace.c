/* replace: the programs of another checked site in the place of those that run.
 *
 * What is new is built first, beside the old; then nothing can fail any more. A program that is
 * equal keeps its run, which only learns where the new site's definitions are. */
#include "automation/automation_internal.h"

struct automation_change {
    struct automation *automation;
    const struct lang_site *site;
    struct program_run **runs; /* of the next site; those that are kept are the present ones */
    enum program_fate *fates;
    struct audience audience;
    struct map present; /* name -> program_run; what is left there has no successor that is equal */
};

/* --- what is equal --- */

static bool same_type(const struct lang_type *a, const struct lang_type *b)
{
    return a->kind == b->kind && str_eq(a->unit.symbol, b->unit.symbol);
}

static bool same_binding(const struct lang_binding *a, const struct lang_binding *b)
{
    return a->kind == b->kind && str_eq(a->path, b->path) && a->member == b->member &&
           str_eq(a->member_name, b->member_name) && a->stale_ms == b->stale_ms &&
           str_eq(a->resource->name, b->resource->name) && same_type(&a->type, &b->type) &&
           same_type(&a->member_type, &b->member_type);
}

static bool same_var(const struct lang_var *a, const struct lang_var *b)
{
    return str_eq(a->path, b->path) && same_type(&a->type, &b->type) &&
           a->initial.i == b->initial.i && str_eq(a->initial_text, b->initial_text);
}

static bool same_rule(const struct lang_rule *a, const struct lang_rule *b)
{
    return a->kind == b->kind && str_eq(a->path, b->path) && a->condition == b->condition &&
           a->body == b->body && a->until_condition == b->until_condition &&
           a->until_body == b->until_body && a->hold_ms == b->hold_ms &&
           a->until_hold_ms == b->until_hold_ms && a->every_ms == b->every_ms &&
           a->mode == b->mode && a->queued_max == b->queued_max && a->at_s == b->at_s &&
           a->at_days == b->at_days && a->missed == b->missed && a->signal == b->signal &&
           str_eq(a->subject, b->subject);
}

static bool same_lease(const struct lang_lease *a, const struct lang_lease *b)
{
    return a->binding == b->binding && str_eq(a->path, b->path) && str_eq(a->from, b->from) &&
           a->for_ms == b->for_ms && a->wait_ms == b->wait_ms;
}

static bool same_lend(const struct lang_lend *a, const struct lang_lend *b)
{
    return a->binding == b->binding && str_eq(a->to, b->to) && a->priority == b->priority &&
           a->max_ms == b->max_ms;
}

static bool same_numbers(const struct lang_program *a, const struct lang_program *b)
{
    return a->code_hash == b->code_hash && a->bindings_n == b->bindings_n &&
           a->vars_n == b->vars_n && a->rules_n == b->rules_n && a->windows_n == b->windows_n &&
           a->leases_n == b->leases_n && a->lends_n == b->lends_n && a->chunks_n == b->chunks_n;
}

/* The hash is of the code; all else that decides what a run does is compared here, so that a run's
 * tables fit whatever the hash says. Lines and texts are no difference. */
static bool same_program(const struct lang_program *a, const struct lang_program *b)
{
    bool same = same_numbers(a, b);
    for (size_t i = 0; same && i < a->bindings_n; i++)
        same = same_binding(&a->bindings[i], &b->bindings[i]);
    for (size_t i = 0; same && i < a->vars_n; i++)
        same = same_var(&a->vars[i], &b->vars[i]);
    for (size_t i = 0; same && i < a->rules_n; i++)
        same = same_rule(&a->rules[i], &b->rules[i]);
    for (size_t i = 0; same && i < a->windows_n; i++)
        same = a->windows[i].binding == b->windows[i].binding;
    for (size_t i = 0; same && i < a->leases_n; i++)
        same = same_lease(&a->leases[i], &b->leases[i]);
    for (size_t i = 0; same && i < a->lends_n; i++)
        same = same_lend(&a->lends[i], &b->lends[i]);
    return same;
}

static bool undisturbed(const struct program_run *run, const struct lang_program *next)
{
    if (!same_program(run->def, next))
        return false;
    for (size_t i = 0; i < next->bindings_n; i++)
        if (!registry_next_is_same(run->automation->cfg.registry, next->bindings[i].resource->name))
            return false;
    return true;
}

/* --- preparing --- */

static enum err own_next(struct automation *a, const struct lang_program *def, struct error *e)
{
    enum err err = ERR_OK;
    for (size_t i = 0; !err && i < def->bindings_n; i++)
        if (def->bindings[i].kind == LANG_BIND_OWN)
            err = registry_set_owner(
                registry_next(a->cfg.registry, def->bindings[i].resource->name), def->name);
    return err ? error_set(e, err, "no memory for what %.*s owns", STR_FMT(def->name)) : ERR_OK;
}

static enum err prepare(struct automation_change *c, size_t i, struct error *e)
{
    const struct lang_program *def = c->site->programs[i];
    struct program_run *now = map_get(&c->present, def->name);
    if (!now || !undisturbed(now, def)) {
        c->fates[i] = now ? PROGRAM_CHANGED : PROGRAM_ADDED;
        return program_new(&c->runs[i], c->automation, def, registry_next, e);
    }
    c->fates[i] = PROGRAM_KEPT;
    c->runs[i] = now;
    (void)map_del(&c->present, def->name);
    return own_next(c->automation, def, e);
}

static enum err change_init(struct automation_change *c, struct error *e)
{
    struct automation *a = c->automation;
    size_t n = c->site->programs_n;
    map_init(&c->present, a->cfg.alloc, executor_env(a->cfg.ex)->seed, SIZE_MAX / 4);
    c->runs = mem_array(a->cfg.alloc, n + 1, sizeof(*c->runs));
    c->fates = mem_array(a->cfg.alloc, n + 1, sizeof(*c->fates));
    bool ok = c->runs && c->fates && readers_reserve(a, bus_series_count(a->cfg.bus));
    for (size_t i = 0; ok && i < a->run_count; i++)
        ok = map_put(&c->present, a->runs[i]->def->name, a->runs[i]) == ERR_OK;
    return ok ? ERR_OK : error_set(e, ERR_NOMEM, "no memory for the next programs");
}

enum err automation_change_new(struct automation_change **out, struct automation *a,
                               const struct lang_site *next, struct error *e)
{
    *out = NULL;
    struct automation_change *c = mem_zero(a->cfg.alloc, sizeof(*c));
    if (!c)
        return error_set(e, ERR_NOMEM, "no memory for the next programs");
    c->automation = a;
    c->site = next;
    enum err err = change_init(c, e);
    for (size_t i = 0; !err && i < next->programs_n; i++)
        err = prepare(c, i, e);
    if (!err && audience_init(&c->audience, a, c->runs, next->programs_n))
        err = error_set(e, ERR_NOMEM, "no memory for what the next programs hear");
    if (err)
        automation_change_free(c);
    else
        *out = c;
    return err;
}

static void change_fini(struct automation_change *c)
{
    struct alloc *alloc = c->automation->cfg.alloc;
    size_t n = c->site->programs_n;
    map_fini(&c->present);
    audience_fini(&c->audience);
    mem_free(alloc, c->runs, (n + 1) * sizeof(struct program_run *));
    mem_free(alloc, c->fates, (n + 1) * sizeof(*c->fates));
    mem_free(alloc, c, sizeof(*c));
}

void automation_change_free(struct automation_change *c)
{
    if (!c)
        return;
    for (size_t i = 0; c->runs && c->fates && i < c->site->programs_n; i++)
        if (c->fates[i] != PROGRAM_KEPT)
            program_free(c->runs[i]);
    change_fini(c);
}

static bool has_successor(const struct automation_change *c, struct str name)
{
    for (size_t i = 0; i < c->site->programs_n; i++)
        if (c->fates[i] == PROGRAM_CHANGED && str_eq(c->site->programs[i]->name, name))
            return true;
    return false;
}

void automation_change_each(const struct automation_change *c,
                            void (*each)(void *ctx, struct str program, enum program_fate fate),
                            void *ctx)
{
    const struct automation *a = c->automation;
    for (size_t i = 0; i < c->site->programs_n; i++)
        each(ctx, c->site->programs[i]->name, c->fates[i]);
    for (size_t i = 0; i < a->run_count; i++) {
        struct str name = a->runs[i]->def->name;
        if (map_get(&c->present, name) && !has_successor(c, name))
            each(ctx, name, PROGRAM_REMOVED);
    }
}

/* --- applying --- */

/* Those that are not kept: they are told nothing more, and their names' alerts end. */
static void end_present(struct automation_change *c)
{
    size_t at = 0;
    void *value;
    while (map_next(&c->present, &at, NULL, &value))
        program_end(value);
}

static void free_present(struct automation_change *c)
{
    size_t at = 0;
    void *value;
    while (map_next(&c->present, &at, NULL, &value))
        program_free(value);
}

static void make_safe(struct automation *a, struct list *devices)
{
    LIST_EACH(devices, it)
    {
        struct device *d = CONTAINER_OF(it, struct device, link);
        if (d->owner_before.n && (d->corrected || !str_eq(d->owner_before, d->owner)))
            state_make_safe(a, d, d->owner_before);
        if (d->owner_before.n && (d->owner.n == 0 || d->thing)) /* that has another name now */
            leases_disown(a->leases, d->name);
        d->owner_before = STR("");
        d->corrected = false; /* that has been dealt with */
    }
}

/* The one of its name that runs now. */
static struct program_run *predecessor(const struct automation_change *c, size_t i)
{
    return c->fates[i] == PROGRAM_CHANGED ? map_get(&c->present, c->site->programs[i]->name) : NULL;
}

static void restore_next(struct automation_change *c, size_t i)
{
    struct program_run *next = c->automation->runs[i], *before = predecessor(c, i);
    state_restore(next);
    if (before)
        image_hand_over(before, next);
}

/* The next site's runs and who tells them, in the place of the present ones. */
static void take_seats(struct automation_change *c)
{
    struct automation *a = c->automation;
    mem_free(a->cfg.alloc, a->runs, (a->run_count + 1) * sizeof(struct program_run *));
    a->runs = c->runs;
    a->run_count = c->site->programs_n;
    a->cfg.site = c->site;
    c->runs = NULL;
    for (size_t i = 0; i < a->run_count; i++)
        if (c->fates[i] == PROGRAM_KEPT)
            program_adopt(a->runs[i], c->site->programs[i]);
    struct audience before = a->audience;
    a->audience = c->audience;
    c->audience = before;
    audience_seated(a);
}

void automation_change_apply(struct automation_change *c)
{
    struct automation *a = c->automation;
    events_hold(a);
    ASSERT(a->in_flight == 0); /* automation_pause() */
    end_present(c);
    take_seats(c);
    make_safe(a, registry_devices(a->cfg.registry));
    make_safe(a, registry_leaving(a->cfg.registry));
    state_forget_unknown(a);
    state_owners(a, false);
    for (size_t i = 0; i < a->run_count; i++)
        if (c->fates[i] != PROGRAM_KEPT)
            restore_next(c, i);
    free_present(c);
    for (size_t i = 0; i < a->run_count; i++)
        if (c->fates[i] != PROGRAM_KEPT)
            program_start(a->runs[i], true);
    change_fini(c);
    events_go_on(a);
}
