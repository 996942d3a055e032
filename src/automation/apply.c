/* apply: what a run decided, done. The worker of the registry and the journal. */
#include "automation/automation_internal.h"
#include "base/log.h"

#include <stdio.h>

/* ---- causes
 * -------------------------------------------------------------------------------------- */

static const struct lang_rule *rule_of(const struct program_run *run, const struct effect *e)
{
    return e->rule < run->def->rules_n ? &run->def->rules[e->rule] : NULL;
}

static const struct binding_run *trigger_of(const struct program_run *run, const struct effect *e)
{
    return e->trigger < run->def->bindings_n ? &run->bindings[e->trigger] : NULL;
}

/* The sample that woke the rule; for a rule that waited, the newest of those that it reads. A task,
 * or a rule that looks at variables alone, has the cause of what was handled before it. */
static const struct binding_run *cause_binding(const struct program_run *run,
                                               const struct effect *e)
{
    const struct lang_rule *r = rule_of(run, e);
    const struct binding_run *best = NULL;
    if (!r || r->reads_n == 0)
        return trigger_of(run, e);
    ASSERT(run->bindings); /* of every run, if only one that is never used */
    for (size_t i = 0; i < r->reads_n; i++) {
        const struct binding_run *b = &run->bindings[r->reads[i]];
        if (r->reads[i] == e->trigger)
            return b;
        if (b->has_value && (!best || b->ts_ms > best->ts_ms))
            best = b;
    }
    return best;
}

struct cause effect_cause(const struct program_run *run, const struct effect *e)
{
    const struct lang_rule *r = rule_of(run, e);
    struct cause c = {.program = run->def->name};
    if (r) {
        c.rule = r->path;
        c.line = r->line;
    }
    const struct binding_run *b = cause_binding(run, e);
    if (b && b->property) {
        c.series = b->property->series->name;
        c.value = b->has_value ? b->value : (struct value){0};
        c.ts_ms = b->ts_ms;
    }
    return c;
}

/* ---- alerts
 * --------------------------------------------------------------------------------------- */

static void alert(struct program_run *run, const struct effect *e, bool active)
{
    struct automation *a = run->automation;
    const struct binding_run *b = cause_binding(run, e);
    if (e->key.n == 0)
        return; /* there was no memory for it */
    struct alert_event ev = {.key = e->key,
                             .severity = e->severity,
                             .text = e->text,
                             .says = e->says,
                             .device = b && b->device ? b->device->name : STR(""),
                             .cause = effect_cause(run, e),
                             .active = active,
                             .momentary = e->momentary,
                             .wall_ms = worker_now_ms(a->worker)};
    bus_alert_publish(a->cfg.bus, &ev);
}

/* ---- commands
 * ------------------------------------------------------------------------------------- */

static void send(struct program_run *run, const struct effect *e, uint32_t action)
{
    struct device *d = run->bindings[e->binding].device;
    if (!d)
        return; /* it went with the site before, and nobody has commanded it */
    struct action_request q = {.device = d,
                               .action = action,
                               .args = e->args,
                               .arg_count = e->arg_count,
                               .cause = effect_cause(run, e)};
    struct error err;
    if (registry_command(run->automation->cfg.registry, &q, NULL, &err) == ERR_OK)
        return;
    LOG_E("automation", "%.*s: %s", STR_FMT(q.cause.rule), err.text);
    (void)snprintf(run->error, sizeof(run->error), "%s", err.text);
}

/* What it owned is nobody's to command for now. A program that has it on lease loses it, which
 * makes it safe; a person keeps it, and it becomes safe when the person gives it back. */
static void safe(struct program_run *run, const struct effect *e)
{
    struct automation *a = run->automation;
    const struct device *d = run->bindings[e->binding].device;
    const struct lang_member *m = run->bindings[e->binding].def->resource->type->safe;
    struct lease_view v;
    if (!m || !d)
        return;
    bool out = leases_view(a->leases, d->name, &v) && v.out;
    if (out && !v.holder.who) {
        struct effect later = *e;
        later.action = m->index;
        later.arg_count = 0;
        held_put(run, &later);
        return;
    }
    held_forget(a, d->name);
    if (out)
        leases_revoke(a->leases, d->name);
    else
        send(run, e, m->index);
}

static void publish(struct program_run *run, const struct effect *e)
{
    struct automation *a = run->automation;
    for (const struct hearer *h = map_get(&a->audience.subjects, e->key); h; h = h->next) {
        struct event ev = {.kind = EVENT_MESSAGE, .index = h->index, .bytes = e->text};
        program_post(h->run, &ev);
    }
}

static void rule_changed(struct program_run *run, const struct effect *e)
{
    struct automation *a = run->automation;
    struct rule_view *v = &run->views[e->index];
    v->state = (enum rule_state)e->state;
    v->fired = e->fired;
    v->fired_ms = e->fired_ms;
    if (e->lasting)
        state_rule_changed(&run->rules[e->index]);
    if (a->rule_changed)
        a->rule_changed(a->rule_ctx, run->def, v);
}

/* Its task had it, and its end has just said so. */
static bool safe_already(const struct program_run *run, uint32_t binding)
{
    for (size_t i = 0; i < run->effects.all.n; i++)
        if (run->effects.all.v[i].kind == EFFECT_SAFE && run->effects.all.v[i].binding == binding)
            return true;
    return false;
}

static void fail(struct program_run *run, const struct effect *e)
{
    struct effect alarm = *e;
    char key[ALERT_KEY_MAX], text[400];
    LOG_E("automation", "%.*s is stopped: %.*s", STR_FMT(run->def->name), STR_FMT(e->text));
    alert_program_key(run->def->name, key);
    (void)snprintf(text, sizeof(text), "the program %.*s is stopped: %.*s", STR_FMT(run->def->name),
                   STR_FMT(e->text));
    alarm.key = str_from(key);
    alarm.text = str_from(text);
    alarm.severity = SEVERITY_CRITICAL;
    struct strbuf says;
    strbuf_init(&says, run->automation->cfg.alloc, SAYS_MAX);
    says_begin(&says, "program-stopped");
    says_str(&says, "program", run->def->name);
    says_str(&says, "detail", e->text);
    alarm.says = says_end(&says);
    alert(run, &alarm, true);
    strbuf_fini(&says);
    leases_drop_all(run->automation->leases, run);
    for (uint32_t i = 0; i < run->def->bindings_n; i++) {
        struct effect each = {
            .kind = EFFECT_SAFE, .rule = e->rule, .binding = i, .trigger = UINT32_MAX};
        if (run->def->bindings[i].kind == LANG_BIND_OWN && !safe_already(run, i))
            safe(run, &each);
    }
}

static void apply(struct program_run *run, const struct effect *e)
{
    switch (e->kind) {
    case EFFECT_COMMAND:
        if (lend_may_command(run, e))
            send(run, e, e->action);
        return;
    case EFFECT_SAFE: safe(run, e); return;
    case EFFECT_ALERT: alert(run, e, true); return;
    case EFFECT_ALERT_END: alert(run, e, false); return;
    case EFFECT_PUBLISH: publish(run, e); return;
    case EFFECT_LEASE: lend_ask(run, e); return;
    case EFFECT_RELEASE: lend_release(run, e); return;
    case EFFECT_REVOKE:
        leases_revoke(run->automation->leases, run->def->bindings[e->binding].resource->name);
        return;
    case EFFECT_RULE: rule_changed(run, e); return;
    case EFFECT_ERROR:
        (void)snprintf(run->error, sizeof(run->error), "%.*s", STR_FMT(e->text));
        return;
    case EFFECT_FAIL: fail(run, e); return;
    }
}

static void set_timer(struct program_run *run)
{
    int64_t next = due_next_ns(&run->due);
    if (run->image.owed && run->image.due_ns < next)
        next = run->image.due_ns;
    if (next == DUE_NEVER || run->state != PROGRAM_RUNNING)
        timer_cancel(&run->timer);
    else if (run->timer.at_ns != next)
        timer_set(&run->timer, next);
}

/* What it decided can't be carried out, or not be told any more: it stops, safely. */
static void fail_broken(struct program_run *run)
{
    struct effect e = {.kind = EFFECT_FAIL,
                       .rule = UINT32_MAX,
                       .trigger = UINT32_MAX,
                       .text = STR("there is no memory for what it decided")};
    run->effects.broken = false;
    if (run->state == PROGRAM_FAILED)
        return;
    run->state = run->shown = PROGRAM_FAILED;
    run_attach(run);
    lang_vm_stop_all(run->vm);
    fail(run, &e);
}

static void tell_lost(struct program_run *run)
{
    if (run->effects.lost < 2 * run->lost_told + 1)
        return; /* said already, and it is not much worse */
    run->lost_told = run->effects.lost;
    LOG_W("automation",
          "%.*s: more than %d actions, alerts and messages in one turn, or no memory for them: "
          "%llu are lost so far",
          STR_FMT(run->def->name), EFFECTS_MAX, (unsigned long long)run->lost_told);
}

void program_apply(struct program_run *run)
{
    run->shown = run->state;
    for (size_t i = 0; i < run->effects.all.n; i++)
        apply(run, &run->effects.all.v[i]);
    if (run->effects.broken)
        fail_broken(run);
    tell_lost(run);
    effects_clear(&run->effects);
    if (run->worked || run->image.owed)
        state_program_changed(run);
    run->worked = false;
    set_timer(run);
    if (run->begun && !run->begin_told) {
        run->begin_told = true;
        program_begun(run->automation);
    }
}
