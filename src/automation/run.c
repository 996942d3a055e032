/* run: one event of a program's run, handled. Nothing here touches the site: what the program wants
 * are effects. */
#include "automation/automation_internal.h"

static void now(struct program_run *run)
{
    struct automation *a = run->automation;
    struct worker *w = a->parallel ? worker_current() : a->worker;
    int64_t now_ns = worker_now_ns(w);
    run->now_ns = now_ns > run->now_ns ? now_ns : run->now_ns; /* ticks of workers differ */
    run->now_ms = worker_now_ms(w);
}

void run_attach(struct program_run *run)
{
    struct automation *a = run->automation;
    unsigned here = a->parallel && worker_current() ? worker_index(worker_current()) : 0;
    lang_vm_attach(run->vm, a->machines[here]);
}

/* The slots in front are rules, then bindings; the last one is the machine's. */
static void due(struct program_run *run)
{
    uint32_t slot;
    while (run->state == PROGRAM_RUNNING && due_take(&run->due, run->now_ns, &slot)) {
        run->trigger = NULL;
        if (slot < run->def->rules_n)
            rule_due(&run->rules[slot]);
        else if (slot < due_of_tasks(run))
            reading_stale_check(&run->bindings[slot - run->def->rules_n]);
        else
            lang_vm_tick(run->vm, run->now_ns / 1000000);
    }
}

static void rules_of(struct program_run *run, enum lang_rule_kind kind, uint32_t binding)
{
    for (size_t i = 0; i < run->def->rules_n && run->state == PROGRAM_RUNNING; i++)
        if (run->def->rules[i].kind == kind && run->def->rules[i].signal == binding)
            rule_signal(&run->rules[i]);
}

static void dispatch(struct program_run *run, const struct event *e)
{
    switch (e->kind) {
    case EVENT_START: rules_start(run); return;
    case EVENT_SAMPLE:
        run->trigger = &run->bindings[e->index];
        reading_take(run->trigger, e);
        return;
    case EVENT_LOST: reading_lost(&run->bindings[e->index]); return;
    case EVENT_DUE: due(run); return;
    case EVENT_SIGNAL:
        rules_of(run, LANG_RULE_SIGNAL, e->index);
        lang_vm_signal(run->vm, e->index);
        return;
    case EVENT_MESSAGE: rule_message(&run->rules[e->index], e->bytes); return;
    case EVENT_LEASE: lang_vm_lease(run->vm, e->index, e->news, e->bytes); return;
    case EVENT_OUT: run->bindings[e->index].out = e->out; return;
    case EVENT_IDLE:
        if (run->begun)
            rules_of(run, LANG_RULE_IDLE, e->index);
        return;
    }
}

void run_handle(struct program_run *run, const struct event *e)
{
    run->begun = run->begun || e->kind == EVENT_START;
    if (run->state != PROGRAM_RUNNING)
        return;
    now(run);
    run_attach(run);
    run->trigger = NULL;
    dispatch(run, e);
    rules_look_at_vars(run);
    if (run->state != PROGRAM_RUNNING)
        return;
    run->more = false;
    tasks_run(run);
    int64_t next_ms = lang_vm_next_ms(run->vm);
    if (run->more)
        due_set(&run->due, due_of_tasks(run), run->now_ns + 1);
    else if (next_ms == INT64_MAX)
        due_cancel(&run->due, due_of_tasks(run));
    else
        due_set(&run->due, due_of_tasks(run), ns_of_ms(next_ms));
}
