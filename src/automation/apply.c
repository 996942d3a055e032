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

/* The sample that woke the rule; for a rule that waited, the newest of those that it reads. */
static const struct binding_run *cause_binding(const struct program_run *run,
                                               const struct effect *e)
{
    const struct lang_rule *r = rule_of(run, e);
    const struct binding_run *best = NULL;
    for (size_t i = 0; r && i < r->reads_n; i++) {
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
    struct alert_event ev = {.key = e->key,
                             .severity = e->severity,
                             .text = e->text,
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

static void safe(struct program_run *run, const struct effect *e)
{
    const struct lang_member *m = run->bindings[e->binding].def->resource->type->safe;
    if (!m)
        return;
    lend_forget_held(run->automation, run->bindings[e->binding].device->name);
    send(run, e, m->index);
}

static void publish(struct program_run *run, const struct effect *e)
{
    struct automation *a = run->automation;
    for (const struct hearer *h = map_get(&a->audience.topics, e->key); h; h = h->next) {
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
    alert(run, &alarm, true);
    leases_drop_all(run->automation->leases, run);
    for (uint32_t i = 0; i < run->def->bindings_n; i++) {
        struct effect each = {
            .kind = EFFECT_SAFE, .rule = e->rule, .binding = i, .trigger = UINT32_MAX};
        if (run->def->bindings[i].kind == LANG_BIND_OWN)
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
        leases_revoke(run->automation->leases, run->bindings[e->binding].device->name);
        return;
    case EFFECT_RULE: rule_changed(run, e); return;
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

void program_apply(struct program_run *run)
{
    if (run->ending) {
        effects_clear(&run->effects);
        return;
    }
    for (size_t i = 0; i < run->effects.all.n; i++)
        apply(run, &run->effects.all.v[i]);
    if (run->effects.lost > run->lost_told) {
        LOG_W("automation", "%.*s: more than %d actions and alerts in one turn; the rest is lost",
              STR_FMT(run->def->name), EFFECTS_MAX);
        run->lost_told = run->effects.lost;
    }
    effects_clear(&run->effects);
    state_program_changed(run);
    run->stats = lang_vm_stats(run->vm);
    set_timer(run);
}
