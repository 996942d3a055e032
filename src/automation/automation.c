#include "automation/automation_internal.h"

enum { TURN_TEXT_MAX = 1 << 20 };

static void on_sample(struct sample_listener *l, const struct sample *s)
{
    reading_sample(CONTAINER_OF(l, struct automation, listener), s);
}

bool readers_reserve(struct automation *a, size_t n)
{
    if (n <= a->readers_n)
        return true;
    n = n * 2 + 16;
    struct binding_run **v = mem_array(a->cfg.alloc, n, sizeof(*v));
    if (!v)
        return false;
    for (size_t i = 0; i < a->readers_n; i++)
        v[i] = a->readers[i];
    mem_free(a->cfg.alloc, a->readers, a->readers_n * sizeof(*v));
    a->readers = v;
    a->readers_n = n;
    return true;
}

bool binding_find(struct binding_run *b, struct device *(*find)(struct registry *, struct str))
{
    struct automation *a = b->run->automation;
    b->device = find(a->cfg.registry, b->def->resource->name);
    if (!b->device)
        return false;
    b->property = b->def->kind == LANG_BIND_READ ? &b->device->props[b->def->member] : NULL;
    return true;
}

static enum err bind(struct program_run *run, struct binding_run *b, const struct lang_binding *def,
                     struct device *(*find)(struct registry *, struct str), struct error *e)
{
    b->run = run;
    b->def = def;
    if (!binding_find(b, find))
        return error_set(e, ERR_NOT_FOUND, "%.*s uses %.*s, which the registry does not know",
                         STR_FMT(run->def->name), STR_FMT(def->resource->name));
    if (def->kind == LANG_BIND_OWN)
        registry_set_owner(b->device, run->def->name);
    return ERR_OK;
}

/* From here on it is told about samples. */
void program_attach(struct program_run *run)
{
    struct automation *a = run->automation;
    for (size_t i = 0; i < run->def->bindings_n; i++) {
        struct binding_run *b = &run->bindings[i];
        if (!b->property)
            continue;
        uint32_t index = b->property->series->index;
        registry_set_stale(b->property, b->def->stale_ms);
        b->next_reader = a->readers[index];
        a->readers[index] = b;
    }
}

static enum err program_init(struct program_run *run,
                             struct device *(*find)(struct registry *, struct str), struct error *e)
{
    struct alloc *alloc = run->automation->cfg.alloc;
    const struct lang_program *def = run->def;
    arena_init(&run->turn, alloc, TURN_TEXT_MAX);
    reading_host_init(run);
    turn_host_init(run);
    run->bindings = mem_array(alloc, def->bindings_n + 1, sizeof(*run->bindings));
    run->windows = mem_array(alloc, def->windows_n + 1, sizeof(*run->windows));
    run->rules = mem_array(alloc, def->rules_n + 1, sizeof(*run->rules));
    run->vm = lang_vm_new(alloc, def, &run->host, lang_limits_default());
    if (!run->bindings || !run->windows || !run->rules || !run->vm)
        return error_set(e, ERR_NOMEM, "no memory for the program %.*s", STR_FMT(def->name));
    for (size_t i = 0; i < def->rules_n; i++)
        rule_init(&run->rules[i], run, &def->rules[i]);
    for (size_t i = 0; i < def->bindings_n; i++) {
        enum err err = bind(run, &run->bindings[i], &def->bindings[i], find, e);
        if (err)
            return err;
    }
    for (size_t i = 0; i < def->windows_n; i++) {
        run->windows[i].binding = &run->bindings[def->windows[i].binding];
        run->windows[i].duration_ms = def->windows[i].duration_ms;
    }
    return ERR_OK;
}

enum err program_new(struct program_run **out, struct automation *a, const struct lang_program *def,
                     struct device *(*find)(struct registry *, struct str), struct error *e)
{
    struct program_run *run = mem_zero(a->cfg.alloc, sizeof(*run));
    *out = run;
    if (!run)
        return error_set(e, ERR_NOMEM, "no memory for the program %.*s", STR_FMT(def->name));
    run->automation = a;
    run->def = def;
    return program_init(run, find, e);
}

void program_free(struct program_run *run)
{
    if (!run)
        return;
    struct alloc *alloc = run->automation->cfg.alloc;
    const struct lang_program *def = run->def;
    for (size_t i = 0; run->rules && i < def->rules_n; i++)
        if (run->rules[i].run)
            timer_cancel(&run->rules[i].timer);
    for (size_t i = 0; run->bindings && i < def->bindings_n; i++)
        if (run->bindings[i].stale_timer.fire)
            timer_cancel(&run->bindings[i].stale_timer);
    lang_vm_free(run->vm);
    mem_free(alloc, run->bindings, (def->bindings_n + 1) * sizeof(*run->bindings));
    mem_free(alloc, run->windows, (def->windows_n + 1) * sizeof(*run->windows));
    mem_free(alloc, run->rules, (def->rules_n + 1) * sizeof(*run->rules));
    arena_fini(&run->turn);
    mem_free(alloc, run, sizeof(*run));
}

enum err automation_new(struct automation **out, const struct automation_config *cfg,
                        struct error *e)
{
    *out = NULL;
    struct automation *a = mem_zero(cfg->alloc, sizeof(*a));
    if (!a)
        return error_set(e, ERR_NOMEM, "no memory for the automation");
    a->cfg = *cfg;
    a->worker = executor_worker(cfg->ex, 0);
    a->run_count = cfg->site->programs_n;
    a->runs = mem_array(cfg->alloc, a->run_count + 1, sizeof(*a->runs));
    bool room = a->runs && readers_reserve(a, bus_series_count(cfg->bus));
    enum err err = room ? ERR_OK : error_set(e, ERR_NOMEM, "no memory for the programs");
    for (size_t i = 0; !err && i < a->run_count; i++)
        err = program_new(&a->runs[i], a, cfg->site->programs[i], registry_find, e);
    for (size_t i = 0; !err && i < a->run_count; i++)
        program_attach(a->runs[i]);
    if (!err)
        err = state_init(a, e);
    if (err) {
        automation_free(a);
        return err;
    }
    a->listener.sample = on_sample;
    bus_sample_listen(cfg->bus, &a->listener);
    *out = a;
    return ERR_OK;
}

void automation_free(struct automation *a)
{
    if (!a)
        return;
    if (a->listener.sample)
        bus_sample_unlisten(&a->listener);
    state_fini(a);
    for (size_t i = 0; a->runs && i < a->run_count; i++)
        program_free(a->runs[i]);
    mem_free(a->cfg.alloc, a->runs, (a->run_count + 1) * sizeof(struct program_run *));
    mem_free(a->cfg.alloc, a->readers, a->readers_n * sizeof(struct binding_run *));
    mem_free(a->cfg.alloc, a, sizeof(*a));
}

void program_start(struct program_run *run, bool late)
{
    turn_program_starts(run);
    for (size_t i = 0; i < run->def->bindings_n; i++)
        if (run->bindings[i].property)
            reading_start(&run->bindings[i], late);
    for (size_t i = 0; i < run->def->bindings_n; i++)
        if (run->bindings[i].property)
            reading_stale_check(&run->bindings[i]);
    rules_start(run);
}

void automation_start(struct automation *a)
{
    state_forget_unknown(a);
    for (size_t i = 0; i < a->run_count; i++)
        state_restore(a->runs[i]);
    state_owners(a, true);
    a->started = true;
    a->started_ns = worker_now_ns(a->worker);
    for (size_t i = 0; i < a->run_count; i++)
        program_start(a->runs[i], false);
}

size_t automation_programs(const struct automation *a)
{
    return a->run_count;
}

struct program_view automation_program(const struct automation *a, size_t program)
{
    const struct program_run *run = a->runs[program];
    return (struct program_view){.program = run->def,
                                 .state = run->state,
                                 .error = run->error,
                                 .stats = lang_vm_stats(run->vm),
                                 .rules = run->def->rules_n};
}

struct rule_view automation_rule(const struct automation *a, size_t program, size_t rule)
{
    const struct rule_run *r = &a->runs[program]->rules[rule];
    return (struct rule_view){r->def, r->state, r->fired, r->fired_ms};
}

const struct series *automation_series(const struct automation *a, size_t program, size_t binding)
{
    const struct binding_run *b = &a->runs[program]->bindings[binding];
    return b->property ? b->property->series : NULL;
}

void automation_on_rule(struct automation *a,
                        void (*changed)(void *ctx, const struct lang_program *p,
                                        const struct rule_view *v),
                        void *ctx)
{
    a->rule_changed = changed;
    a->rule_ctx = ctx;
}

union lang_slot automation_var(const struct automation *a, size_t program, uint32_t var)
{
    return lang_vm_var(a->runs[program]->vm, var);
}
