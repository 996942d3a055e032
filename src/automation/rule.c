/* rule: the states of a `when`, `every` and start rule.
 *
 * idle -> holding (its condition is true) -> active (true for hold_ms: the body ran)
 * active -> idle (`until` true for until_hold_ms, or without one: the condition false)
 * A condition that is unknown, for want of a fresh reading, starts nothing and ends nothing. */
#include "automation/automation_internal.h"

const char *rule_state_name(enum rule_state s)
{
    static const char *const names[] = {"idle", "holding", "active"};
    return names[s];
}

static void rule_timer(struct timer *t);

void rule_init(struct rule_run *r, struct program_run *run, const struct lang_rule *def)
{
    r->run = run;
    r->def = def;
    timer_init(&r->timer, run->automation->worker, rule_timer);
}

static void rule_set(struct rule_run *r, enum rule_state state)
{
    if (r->state == state)
        return;
    bool lasting = r->state == RULE_ACTIVE || state == RULE_ACTIVE;
    r->state = state;
    if (lasting)
        state_rule_changed(r);
    struct automation *a = r->run->automation;
    if (a->rule_changed) {
        struct rule_view v = {r->def, r->state, r->fired, r->fired_ms};
        a->rule_changed(a->rule_ctx, r->run->def, &v);
    }
}

static bool condition(struct rule_run *r, uint32_t chunk, bool *unknown)
{
    struct lang_result res;
    if (!turn_run(r, chunk, TURN_CONDITION, &res)) {
        *unknown = true;
        return false;
    }
    *unknown = res.unknown;
    return res.truth;
}

static void rule_fire(struct rule_run *r)
{
    struct lang_result res;
    timer_cancel(&r->timer);
    r->fired++;
    r->fired_ms = worker_now_ms(r->run->automation->worker);
    r->alerts = 0;
    r->ending = false;
    (void)turn_run(r, r->def->body, TURN_BODY, &res);
    rule_set(r, RULE_ACTIVE);
}

static void rule_end(struct rule_run *r)
{
    struct lang_result res;
    timer_cancel(&r->timer);
    turn_clear_alerts(r);
    r->ending = false;
    if (r->def->until_body != LANG_NO_CHUNK)
        (void)turn_run(r, r->def->until_body, TURN_END_BODY, &res);
    rule_set(r, RULE_IDLE);
}

/* True when `holds` has been true for hold_ms; else arms the timer, or forgets. */
static bool held(struct rule_run *r, bool holds, bool *holding, int64_t hold_ms)
{
    int64_t now = worker_now_ns(r->run->automation->worker);
    if (!holds) {
        *holding = false;
        timer_cancel(&r->timer);
        return false;
    }
    if (!*holding) {
        *holding = true;
        r->since_ns = now;
    }
    int64_t due = r->since_ns + ns_of_ms(hold_ms);
    if (now >= due)
        return true;
    timer_set(&r->timer, due);
    return false;
}

/* Returns true when the rule ran a body, so that others may have to look again. */
static bool rule_look(struct rule_run *r)
{
    const struct lang_rule *def = r->def;
    bool unknown;
    if (r->state != RULE_ACTIVE) {
        bool holding = r->state == RULE_HOLDING;
        bool fire = held(r, condition(r, def->condition, &unknown), &holding, def->hold_ms);
        if (fire) {
            rule_fire(r);
            return true;
        }
        rule_set(r, holding ? RULE_HOLDING : RULE_IDLE);
        return false;
    }
    bool over;
    if (def->until_condition != LANG_NO_CHUNK)
        over = condition(r, def->until_condition, &unknown);
    else
        over = !condition(r, def->condition, &unknown) && !unknown;
    if (!held(r, over, &r->ending, def->until_hold_ms))
        return false;
    rule_end(r);
    return true;
}

static bool depends_on(const struct rule_run *r, const struct binding_run *b)
{
    uint32_t index = (uint32_t)(b - b->run->bindings);
    for (size_t i = 0; i < r->def->reads_n; i++)
        if (r->def->reads[i] == index)
            return true;
    return false;
}

static bool vars_changed(struct program_run *run)
{
    bool changed = false;
    for (uint32_t i = 0; i < run->def->vars_n; i++)
        changed |= lang_vm_var_changed(run->vm, i);
    if (changed)
        state_vars_changed(run);
    return changed;
}

void rules_evaluate(struct program_run *run, struct binding_run *changed)
{
    if (run->evaluating || run->state != PROGRAM_RUNNING || !run->automation->started)
        return;
    run->evaluating = true;
    run->trigger = changed;
    for (size_t i = 0; i < run->def->rules_n && run->state == PROGRAM_RUNNING; i++) {
        struct rule_run *r = &run->rules[i];
        if (r->def->kind == LANG_RULE_WHEN && (!changed || depends_on(r, changed)))
            (void)rule_look(r);
    }
    /* A body may have changed variables that other conditions look at. Bounded, so that two rules
     * that wake each other can't hold the worker: the rest happens at the next sample. */
    for (int round = 0; round < ROUNDS_MAX && vars_changed(run); round++)
        for (size_t i = 0; i < run->def->rules_n && run->state == PROGRAM_RUNNING; i++)
            if (run->rules[i].def->kind == LANG_RULE_WHEN && run->rules[i].def->vars_n)
                (void)rule_look(&run->rules[i]);
    run->trigger = NULL;
    run->evaluating = false;
}

enum { EVERY_KEPT_MS = 60000 };

/* A long pace goes on over a restart; what was missed meanwhile is skipped. */
static int64_t every_first_ms(const struct rule_run *r)
{
    int64_t every = r->def->every_ms;
    int64_t since = worker_now_ms(r->run->automation->worker) - r->fired_ms;
    return every >= EVERY_KEPT_MS && r->fired_ms && since > 0 ? every - since % every : every;
}

static void rule_every(struct rule_run *r)
{
    struct lang_result res;
    r->fired++;
    r->fired_ms = worker_now_ms(r->run->automation->worker);
    (void)turn_run(r, r->def->body, TURN_END_BODY, &res);
    if (r->def->every_ms >= EVERY_KEPT_MS)
        state_rule_changed(r);
    rules_evaluate(r->run, NULL);
    int64_t now = worker_now_ns(r->run->automation->worker);
    int64_t step = ns_of_ms(r->def->every_ms);
    do
        r->since_ns += step;
    while (r->since_ns <= now);
    timer_set(&r->timer, r->since_ns);
}

static void rule_timer(struct timer *t)
{
    struct rule_run *r = CONTAINER_OF(t, struct rule_run, timer);
    if (r->run->state != PROGRAM_RUNNING)
        return;
    if (r->def->kind == LANG_RULE_EVERY) {
        rule_every(r);
        return;
    }
    r->run->evaluating = true;
    bool ran = rule_look(r);
    r->run->evaluating = false;
    if (ran && vars_changed(r->run))
        rules_evaluate(r->run, NULL);
}

void rules_start(struct program_run *run)
{
    int64_t now = worker_now_ns(run->automation->worker);
    struct lang_result res;
    for (size_t i = 0; i < run->def->rules_n; i++) {
        struct rule_run *r = &run->rules[i];
        if (r->def->kind == LANG_RULE_START) {
            (void)turn_run(r, r->def->body, TURN_END_BODY, &res);
        } else if (r->def->kind == LANG_RULE_EVERY) {
            r->since_ns = now + ns_of_ms(every_first_ms(r));
            timer_set(&r->timer, r->since_ns);
        }
    }
    rules_evaluate(run, NULL);
}
