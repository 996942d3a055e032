#include "automation/automation_internal.h"

static void on_sample(struct sample_listener *l, const struct sample *s)
{
    reading_sample(CONTAINER_OF(l, struct automation, listener), s);
}

static void on_quality(struct sample_listener *l, struct series *s)
{
    reading_quality(CONTAINER_OF(l, struct automation, listener), s);
}

static void on_signal(struct event_listener *l, const struct signal_event *e)
{
    reading_signal(CONTAINER_OF(l, struct automation, events), e->device, e->event);
}

static bool make_machines(struct automation *a)
{
    unsigned n = executor_workers(a->cfg.ex);
    a->machines = mem_array(a->cfg.alloc, n, sizeof(*a->machines));
    for (unsigned i = 0; a->machines && i < n; i++) {
        a->machines[i] = lang_worker_new(a->cfg.alloc, lang_limits_default().depth_max);
        if (!a->machines[i])
            return false;
    }
    return a->machines != NULL;
}

static void free_machines(struct automation *a)
{
    unsigned n = executor_workers(a->cfg.ex);
    for (unsigned i = 0; a->machines && i < n; i++)
        lang_worker_free(a->machines[i]);
    mem_free(a->cfg.alloc, a->machines, n * sizeof(struct lang_worker *));
}

static enum err make_runs(struct automation *a, struct error *e)
{
    const struct lang_site *site = a->cfg.site;
    a->run_count = site->programs_n;
    a->runs = mem_array(a->cfg.alloc, a->run_count + 1, sizeof(*a->runs));
    bool room = a->runs && make_machines(a) && readers_reserve(a, bus_series_count(a->cfg.bus)) &&
                lend_init(a) == ERR_OK;
    enum err err = room ? ERR_OK : error_set(e, ERR_NOMEM, "no memory for the programs");
    for (size_t i = 0; !err && i < a->run_count; i++)
        err = program_new(&a->runs[i], a, site->programs[i], registry_find, e);
    if (!err && audience_init(&a->audience, a, a->runs, a->run_count))
        err = error_set(e, ERR_NOMEM, "no memory for what the programs hear");
    if (!err)
        audience_seated(a);
    return err;
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
    events_init(a);
    enum err err = state_init(a, e);
    if (!err)
        err = make_runs(a, e);
    if (err) {
        automation_free(a);
        return err;
    }
    a->listener.sample = on_sample;
    a->listener.quality = on_quality;
    bus_sample_listen(cfg->bus, &a->listener);
    a->events.signal = on_signal;
    bus_event_listen(cfg->bus, &a->events);
    registry_on_resume(cfg->registry, state_may_resume, a);
    *out = a;
    return ERR_OK;
}

void automation_free(struct automation *a)
{
    if (!a)
        return;
    events_fini(a);
    if (a->listener.sample) {
        bus_sample_unlisten(&a->listener);
        bus_event_unlisten(&a->events);
    }
    for (size_t i = 0; a->runs && i < a->run_count; i++)
        program_free(a->runs[i]);
    free_machines(a);
    lend_fini(a);
    audience_fini(&a->audience);
    state_fini(a);
    mem_free(a->cfg.alloc, a->runs, (a->run_count + 1) * sizeof(struct program_run *));
    mem_free(a->cfg.alloc, a->readers, a->readers_n * sizeof(struct binding_run *));
    mem_free(a->cfg.alloc, a, sizeof(*a));
}

/* All that happens by it waits until all have been told to start. */
void automation_start(struct automation *a)
{
    a->started = true;
    a->started_ns = worker_now_ns(a->worker);
    events_start(a);
    events_hold(a);
    state_forget_unknown(a);
    state_leases_restore(a);
    for (size_t i = 0; i < a->run_count; i++)
        state_restore(a->runs[i]);
    held_restore(a);
    state_owners(a, true);
    for (size_t i = 0; i < a->run_count; i++)
        program_start(a->runs[i], false);
    a->beginning = a->run_count + 1;
    events_go_on(a);
    program_begun(a);
}

/* Whoever goes on has claimed its leases by now. */
void program_begun(struct automation *a)
{
    if (a->beginning && --a->beginning == 0)
        leases_settle(a->leases);
}

size_t automation_programs(const struct automation *a)
{
    return a->run_count;
}

struct program_view automation_program(const struct automation *a, size_t program)
{
    struct program_run *run = a->runs[program];
    if (run->phase == RUN_IDLE)
        run->stats = lang_vm_stats(run->vm); /* else it is at work, and these are a little older */
    return (struct program_view){.program = run->def,
                                 .state = run->shown,
                                 .error = run->error,
                                 .stats = run->stats,
                                 .rules = run->def->rules_n};
}

struct rule_view automation_rule(const struct automation *a, size_t program, size_t rule)
{
    return a->runs[program]->views[rule];
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
