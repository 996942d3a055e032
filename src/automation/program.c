/* program: the life of a run. */
#include "automation/automation_internal.h"

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
    if (def->kind == LANG_BIND_OWN && registry_set_owner(b->device, run->def->name))
        return error_set(e, ERR_NOMEM, "no memory for the owner of %.*s", STR_FMT(b->device->name));
    if (def->kind != LANG_BIND_READ || def->member_type.kind != LANG_TYPE_STR)
        return ERR_OK;
    b->text = mem_new(run->automation->cfg.alloc, TEXT_KEPT_MAX);
    return b->text ? ERR_OK
                   : error_set(e, ERR_NOMEM, "no memory for the readings of %.*s",
                               STR_FMT(run->def->name));
}

static void timer_fired(struct timer *t)
{
    struct program_run *run = CONTAINER_OF(t, struct program_run, timer);
    const struct event due = {.kind = EVENT_DUE};
    program_post(run, &due);
}

static enum err memory(struct program_run *run, struct error *e)
{
    struct automation *a = run->automation;
    struct alloc *alloc = a->cfg.alloc;
    const struct lang_program *def = run->def;
    run->bindings = mem_array(alloc, def->bindings_n + 1, sizeof(*run->bindings));
    run->windows = mem_array(alloc, def->windows_n + 1, sizeof(*run->windows));
    run->rules = mem_array(alloc, def->rules_n + 1, sizeof(*run->rules));
    run->views = mem_array(alloc, def->rules_n + 1, sizeof(*run->views));
    run->vm = lang_vm_new(alloc, def, &run->host, lang_limits_default());
    bool ok = run->bindings && run->windows && run->rules && run->views && run->vm &&
              due_init(&run->due, alloc, due_of_tasks(run) + 1) == ERR_OK &&
              watch_init(&run->watch, def, alloc) == ERR_OK;
    return ok ? ERR_OK
              : error_set(e, ERR_NOMEM, "no memory for the program %.*s", STR_FMT(def->name));
}

static enum err program_init(struct program_run *run,
                             struct device *(*find)(struct registry *, struct str), struct error *e)
{
    const struct lang_program *def = run->def;
    struct automation *a = run->automation;
    effects_init(&run->effects, a->cfg.alloc);
    list_init(&run->ready);
    run->inbox_end = &run->inbox;
    timer_init(&run->timer, a->worker, timer_fired);
    run->chance = executor_env(a->cfg.ex)->seed ^ def->code_hash;
    reading_host_init(run);
    turn_host_init(run);
    enum err err = memory(run, e);
    for (size_t i = 0; !err && i < def->rules_n; i++) {
        rule_init(&run->rules[i], run, &def->rules[i]);
        run->views[i].rule = &def->rules[i];
    }
    for (size_t i = 0; !err && i < def->bindings_n; i++)
        err = bind(run, &run->bindings[i], &def->bindings[i], find, e);
    for (size_t i = 0; !err && i < def->windows_n; i++) {
        run->windows[i].binding = &run->bindings[def->windows[i].binding];
        run->windows[i].duration_ms = def->windows[i].duration_ms;
    }
    if (err)
        return err;
    run_attach(run);
    image_init(run);
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
    timer_cancel(&run->timer);
    program_inbox_free(run);
    for (size_t i = 0; run->rules && i < def->rules_n; i++)
        if (run->rules[i].run)
            rule_fini(&run->rules[i]);
    for (size_t i = 0; run->bindings && i < def->bindings_n; i++)
        mem_free(alloc, run->bindings[i].text, run->bindings[i].text ? TEXT_KEPT_MAX : 0);
    lang_vm_free(run->vm);
    due_fini(&run->due);
    watch_fini(&run->watch, def, alloc);
    effects_fini(&run->effects);
    vec_fini(alloc, &run->leases);
    mem_free(alloc, run->bindings, (def->bindings_n + 1) * sizeof(*run->bindings));
    mem_free(alloc, run->windows, (def->windows_n + 1) * sizeof(*run->windows));
    mem_free(alloc, run->rules, (def->rules_n + 1) * sizeof(*run->rules));
    mem_free(alloc, run->views, (def->rules_n + 1) * sizeof(*run->views));
    mem_free(alloc, run, sizeof(*run));
}

/* What others have of it on lease goes on after a restart, and beside a reload. */
static void look_what_is_out(struct program_run *run)
{
    struct lease_view v;
    for (size_t i = 0; i < run->def->bindings_n; i++) {
        struct binding_run *b = &run->bindings[i];
        b->out = b->def->kind == LANG_BIND_OWN &&
                 automation_lease(run->automation, b->device->name, &v) && v.out && v.holder.who;
    }
}

void program_start(struct program_run *run, bool late)
{
    const struct event start = {.kind = EVENT_START};
    alerts_program_starts(run);
    look_what_is_out(run);
    for (size_t i = 0; i < run->def->bindings_n; i++)
        if (run->bindings[i].property)
            reading_start(&run->bindings[i], late);
    program_post(run, &start);
}

void program_end(struct program_run *run)
{
    struct automation *a = run->automation;
    run->ending = true;
    for (size_t i = 0; i < run->def->bindings_n; i++) /* those that it knows will be gone */
        run->bindings[i].device = registry_successor(a->cfg.registry, run->bindings[i].device);
    alerts_program_ends(run);
    if (run->state == PROGRAM_RUNNING) {
        run_attach(run);
        turn_begin(run, NULL);
        lang_vm_stop_all(run->vm);
        turn_end(run, true, false);
        run->image.due_ns = 0; /* its data and that its tasks are over is kept now or never */
        run->worked = true;
        program_apply(run); /* what its tasks had is made safe */
    }
    leases_drop_all(a->leases, run);
    for (size_t i = 0; i < run->def->bindings_n; i++)
        if (run->def->bindings[i].kind == LANG_BIND_OWN)
            held_forget(a, run->def->bindings[i].resource->name);
    timer_cancel(&run->timer);
}

void program_adopt(struct program_run *run, const struct lang_program *same)
{
    run->def = same;
    lang_vm_adopt(run->vm, same);
    for (size_t i = 0; i < same->rules_n; i++) {
        run->rules[i].def = &same->rules[i];
        run->views[i].rule = &same->rules[i];
    }
    for (size_t i = 0; i < same->bindings_n; i++) {
        struct binding_run *b = &run->bindings[i];
        b->def = &same->bindings[i];
        bool found = binding_find(b, registry_find);
        ASSERT(found); /* it was there when the change was prepared */
    }
}
