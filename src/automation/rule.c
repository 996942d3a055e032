/* rule: the states of rules, and when their bodies run.
 *
 * when:    idle -> holding (its condition is true) -> active (true for hold_ms: the body ran)
 *          active -> idle (`until` true for until_hold_ms, or without one: the condition false)
 * A condition that is unknown, for want of a fresh reading, starts nothing and ends nothing. */
#include "automation/automation_internal.h"
#include "automation/schedule.h"

/* The wall clock may be set while a rule waits for it: how long until it is looked at again. */
#define CLOCK_LOOK_NS ((int64_t)60 * 1000000000)
#define CLOCK_BACK_MS ((int64_t)3600 * 1000)

/* What is this long goes on over a restart; what is shorter is not worth a record each time. */
enum { TIME_KEPT_MS = 60000 };
/* How long after a start a reading may take to come. */
#define NEWS_PATIENCE_NS ((int64_t)60 * 1000000000)

const char *rule_state_name(enum rule_state s)
{
    static const char *const names[] = {"idle", "holding", "active"};
    return names[s];
}

void rule_init(struct rule_run *r, struct program_run *run, const struct lang_rule *def)
{
    r->run = run;
    r->def = def;
    r->queue_end = &r->queue;
}

void rule_forget_queue(struct rule_run *r)
{
    while (r->queue) {
        struct waiting *w = r->queue;
        r->queue = w->next;
        mem_free(r->run->automation->cfg.alloc, w, sizeof(*w) + w->n);
    }
    r->queue_end = &r->queue;
    r->queued = 0;
}

void rule_fini(struct rule_run *r)
{
    rule_forget_queue(r);
}

static void rule_note(struct rule_run *r, bool lasting)
{
    struct effect *e = effect_add(&r->run->effects, EFFECT_RULE);
    if (!e)
        return;
    e->index = due_of_rule(r);
    e->lasting = lasting;
    e->state = (uint32_t)r->state;
    e->fired = r->fired;
    e->fired_ms = r->fired_ms;
}

static void rule_set(struct rule_run *r, enum rule_state state)
{
    if (r->state == state)
        return;
    bool lasting = r->state == RULE_ACTIVE || state == RULE_ACTIVE;
    r->state = state;
    rule_note(r, lasting);
}

static void rule_fires(struct rule_run *r)
{
    r->fired++;
    r->fired_ms = r->run->now_ms;
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

/* ---- when ----------------------------------------------------------------------------------- */

/* A rule that waited acts because of the newest reading that it looks at; and so do others that it
 * wakes by a variable or through a channel. */
static void find_trigger(struct rule_run *r)
{
    struct program_run *run = r->run;
    struct binding_run *newest = NULL;
    for (size_t i = 0; i < r->def->reads_n; i++) {
        struct binding_run *b = &run->bindings[r->def->reads[i]];
        if (b->has_value && (!newest || b->ts_ms > newest->ts_ms))
            newest = b;
    }
    if (!run->trigger)
        run->trigger = newest;
}

static void rule_fire(struct rule_run *r)
{
    find_trigger(r);
    due_cancel(&r->run->due, due_of_rule(r));
    rule_fires(r);
    r->alerts = 0;
    r->since_ms = 0;
    r->ending = false;
    body_run(r, r->def->body, BODY_FIRE, STR(""));
    rule_set(r, RULE_ACTIVE);
}

static void rule_end(struct rule_run *r)
{
    find_trigger(r);
    due_cancel(&r->run->due, due_of_rule(r));
    turn_clear_alerts(r);
    r->since_ms = 0;
    r->ending = false;
    if (r->def->until_body != LANG_NO_CHUNK)
        body_run(r, r->def->until_body, BODY_END, STR(""));
    rule_set(r, RULE_IDLE);
}

/* What held before a restart goes on, unless its first look says otherwise; what is not known yet
 * says nothing, for a while. */
static bool waits_for_news(const struct rule_run *r, bool unknown)
{
    const struct program_run *run = r->run;
    return r->kept_since_ms && unknown &&
           run->now_ns - run->automation->started_ns < NEWS_PATIENCE_NS;
}

static void hold_begins(struct rule_run *r, int64_t hold_ms)
{
    struct program_run *run = r->run;
    int64_t since_ms = r->kept_since_ms ? r->kept_since_ms : run->now_ms;
    int64_t ago_ms = run->now_ms > since_ms ? run->now_ms - since_ms : 0;
    r->since_ns = run->now_ns - ns_of_ms(ago_ms < hold_ms ? ago_ms : hold_ms);
    r->since_ms = since_ms;
    if (hold_ms >= TIME_KEPT_MS)
        rule_note(r, true);
}

static void hold_ends(struct rule_run *r, int64_t hold_ms)
{
    r->since_ms = 0;
    if (hold_ms >= TIME_KEPT_MS)
        rule_note(r, true);
}

/* True when `holds` has been true for hold_ms; else waits for it, or forgets. */
static bool held(struct rule_run *r, bool holds, bool unknown, bool *holding, int64_t hold_ms)
{
    struct program_run *run = r->run;
    if (waits_for_news(r, unknown))
        return false;
    if (!holds) {
        r->kept_since_ms = 0;
        if (*holding)
            hold_ends(r, hold_ms);
        *holding = false;
        due_cancel(&run->due, due_of_rule(r));
        return false;
    }
    if (!*holding) {
        *holding = true;
        hold_begins(r, hold_ms);
    }
    r->kept_since_ms = 0;
    int64_t at = r->since_ns + ns_of_ms(hold_ms);
    if (run->now_ns >= at)
        return true;
    due_set(&run->due, due_of_rule(r), at);
    return false;
}

/* True when the rule ran a body, so that others may have to look again. */
static bool when_look(struct rule_run *r)
{
    const struct lang_rule *def = r->def;
    bool unknown;
    if (r->state != RULE_ACTIVE) {
        bool holding = r->state == RULE_HOLDING;
        bool holds = condition(r, def->condition, &unknown);
        bool fire = held(r, holds, unknown, &holding, def->hold_ms);
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
    if (!held(r, over, unknown, &r->ending, def->until_hold_ms))
        return false;
    rule_end(r);
    return true;
}

/* ---- changed ----------------------------------------------------------------------------------
 */

/* The chunk compares with the value before by itself, and keeps it in a variable. */
static bool changed_look(struct rule_run *r)
{
    bool unknown;
    r->run->vars_may_have_changed = true;
    if (!condition(r, r->def->condition, &unknown))
        return false;
    rule_signal(r);
    return true;
}

/* ---- who looks when --------------------------------------------------------------------------
 */

static bool looks(const struct lang_rule *def)
{
    return def->kind == LANG_RULE_WHEN || def->kind == LANG_RULE_CHANGED;
}

static bool watches(const struct lang_rule *def, size_t list, size_t bindings_n)
{
    if (list == bindings_n)
        return def->vars_n > 0;
    for (size_t i = 0; i < def->reads_n; i++)
        if (def->reads[i] == list)
            return true;
    return false;
}

enum err watch_init(struct watch *w, const struct lang_program *def, struct alloc *a)
{
    size_t n = 0, lists = def->bindings_n + 1;
    for (size_t i = 0; i < def->rules_n; i++)
        n += def->rules[i].reads_n + (def->rules[i].vars_n > 0);
    w->from = mem_array(a, lists + 1, sizeof(*w->from));
    w->rules = mem_array(a, n + 1, sizeof(*w->rules));
    w->rules_n = n;
    if (!w->from || !w->rules)
        return ERR_NOMEM;
    uint32_t at = 0;
    for (size_t list = 0; list < lists; list++) {
        w->from[list] = at;
        for (uint32_t i = 0; i < def->rules_n; i++)
            if (looks(&def->rules[i]) && watches(&def->rules[i], list, def->bindings_n))
                w->rules[at++] = i;
    }
    w->from[lists] = at;
    return ERR_OK;
}

void watch_fini(struct watch *w, const struct lang_program *def, struct alloc *a)
{
    mem_free(a, w->from, (def->bindings_n + 2) * sizeof(*w->from));
    mem_free(a, w->rules, (w->rules_n + 1) * sizeof(*w->rules));
    *w = (struct watch){0};
}

/* ---- looking at rules ---------------------------------------------------------------------------
 */

static bool rule_look(struct rule_run *r)
{
    return r->def->kind == LANG_RULE_WHEN ? when_look(r) : changed_look(r);
}

static bool vars_changed(struct program_run *run)
{
    bool changed = false;
    if (!run->vars_may_have_changed)
        return false;
    run->vars_may_have_changed = false;
    for (uint32_t i = 0; i < run->def->vars_n; i++)
        changed |= lang_vm_var_changed(run->vm, i);
    run->vars_changed |= changed;
    return changed;
}

static void look_at(struct program_run *run, size_t list)
{
    const struct watch *w = &run->watch;
    for (uint32_t i = w->from[list]; i < w->from[list + 1] && run->state == PROGRAM_RUNNING; i++)
        (void)rule_look(&run->rules[w->rules[i]]);
}

/* A body may have changed variables that conditions look at. Bounded, so that two rules that wake
 * each other can't hold the worker: the rest happens at the next event. */
void rules_look_at_vars(struct program_run *run)
{
    for (int round = 0; round < ROUNDS_MAX && vars_changed(run); round++)
        look_at(run, run->def->bindings_n);
}

void rules_evaluate(struct program_run *run, struct binding_run *changed)
{
    struct binding_run *before = run->trigger;
    if (changed)
        run->trigger = changed;
    if (changed)
        look_at(run, (size_t)(changed - run->bindings));
    for (size_t i = 0; !changed && i < run->def->rules_n && run->state == PROGRAM_RUNNING; i++)
        if (looks(run->rules[i].def))
            (void)rule_look(&run->rules[i]);
    rules_look_at_vars(run); /* while it is known what they look because of */
    run->trigger = before;
}

/* ---- every, at, events
 * ---------------------------------------------------------------------------- */

void rule_signal(struct rule_run *r)
{
    rule_fires(r);
    body_run(r, r->def->body, BODY_ONCE, STR(""));
    rule_note(r, r->def->kind == LANG_RULE_AT ||
                     (r->def->kind == LANG_RULE_EVERY && r->def->every_ms >= TIME_KEPT_MS));
}

void rule_message(struct rule_run *r, struct str bytes)
{
    rule_fires(r);
    body_run(r, r->def->body, BODY_ONCE, bytes);
    rule_note(r, false);
}

/* A long pace goes on over a restart; what was missed meanwhile is skipped. */
static int64_t every_first_ms(const struct rule_run *r)
{
    int64_t every = r->def->every_ms;
    int64_t since = r->run->now_ms - r->fired_ms;
    return every >= TIME_KEPT_MS && r->fired_ms && since > 0 ? every - since % every : every;
}

static void every_due(struct rule_run *r)
{
    rule_signal(r);
    int64_t step = ns_of_ms(r->def->every_ms), late = r->run->now_ns - r->since_ns;
    r->since_ns += (late / step + 1) * step;
    due_set(&r->run->due, due_of_rule(r), r->since_ns);
}

/* Waits for the next time of the wall clock behind `after_ms`. */
static void at_wait(struct rule_run *r, int64_t after_ms)
{
    struct program_run *run = r->run;
    struct schedule s = {r->def->at_s, r->def->at_days};
    r->due_ms = schedule_next_ms(&s, after_ms);
    if (r->due_ms == SCHEDULE_NEVER)
        return;
    int64_t wait_ns = ns_of_ms(r->due_ms > run->now_ms ? r->due_ms - run->now_ms : 0);
    due_set(&run->due, due_of_rule(r),
            run->now_ns + (wait_ns < CLOCK_LOOK_NS ? wait_ns : CLOCK_LOOK_NS));
}

/* A clock that was set back a little shows a time again that has come already. */
static int64_t at_seen(const struct rule_run *r)
{
    int64_t now_ms = r->run->now_ms;
    return r->seen_ms > now_ms && r->seen_ms - now_ms <= CLOCK_BACK_MS ? r->seen_ms : now_ms;
}

/* NULL: none of the program's times has come. */
static struct rule_run *first_that_came(const struct program_run *run)
{
    struct rule_run *first = NULL;
    for (size_t i = 0; i < run->def->rules_n; i++) {
        struct rule_run *r = &run->rules[i];
        if (r->def->kind == LANG_RULE_AT && r->due_ms != SCHEDULE_NEVER &&
            r->due_ms <= run->now_ms && (!first || r->due_ms < first->due_ms))
            first = r;
    }
    return first;
}

/* A clock that jumps past several times has them all come at once: in their order, as what holds
 * afterwards is what came last. */
static void at_due(struct rule_run *r)
{
    struct program_run *run = r->run;
    struct rule_run *next = first_that_came(run);
    if (run->now_ms < r->due_ms)
        at_wait(r, at_seen(r));
    for (; next && run->state == PROGRAM_RUNNING; next = first_that_came(run)) {
        next->seen_ms = run->now_ms;
        rule_signal(next);
        at_wait(next, run->now_ms);
    }
}

/* Those of its times that came while nothing ran are over, one way or the other. */
static void at_start(struct rule_run *r)
{
    int64_t seen_ms = at_seen(r);
    if (r->seen_ms != seen_ms) { /* else it has just been made up for */
        r->seen_ms = seen_ms;
        rule_note(r, true); /* from here on it can be missed */
    }
    at_wait(r, seen_ms);
}

void rule_due(struct rule_run *r)
{
    switch (r->def->kind) {
    case LANG_RULE_EVERY: every_due(r); break;
    case LANG_RULE_AT: at_due(r); break;
    default: (void)rule_look(r); break;
    }
}

static void rule_start(struct rule_run *r)
{
    switch (r->def->kind) {
    case LANG_RULE_EVERY:
        r->since_ns = r->run->now_ns + ns_of_ms(every_first_ms(r));
        due_set(&r->run->due, due_of_rule(r), r->since_ns);
        return;
    case LANG_RULE_AT: at_start(r); return;
    default: return; /* they wait for something */
    }
}

/* ---- what came while nothing ran ---- */

static int64_t came_ms(const struct rule_run *r, int64_t since_ms)
{
    const struct schedule s = {r->def->at_s, r->def->at_days};
    int64_t at_ms = schedule_missed_ms(&s, since_ms, r->run->now_ms);
    return at_ms == SCHEDULE_NEVER ? INT64_MIN : at_ms;
}

/* The time of the program's last `missed last`, whoever has seen it. */
static int64_t last_ms(const struct program_run *run)
{
    int64_t last = INT64_MIN;
    for (size_t i = 0; i < run->def->rules_n; i++) {
        const struct rule_run *r = &run->rules[i];
        if (r->def->kind != LANG_RULE_AT || r->def->missed != LANG_MISSED_LAST)
            continue;
        int64_t at_ms = came_ms(r, 0);
        last = at_ms > last ? at_ms : last;
    }
    return last;
}

/* When the time came that it makes up for; INT64_MIN: there is none. */
static int64_t made_up_ms(const struct rule_run *r, int64_t last)
{
    if (r->def->kind != LANG_RULE_AT || r->def->missed == LANG_MISSED_SKIP ||
        (r->def->missed == LANG_MISSED_RUN && !r->seen_ms))
        return INT64_MIN;
    int64_t at_ms = came_ms(r, r->seen_ms);
    return r->def->missed == LANG_MISSED_RUN || at_ms == last ? at_ms : INT64_MIN;
}

/* In the order in which the times came: what holds now is what came last. */
static void make_up(struct program_run *run)
{
    int64_t last = last_ms(run);
    for (size_t i = 0; i < run->def->rules_n; i++)
        run->rules[i].due_ms = made_up_ms(&run->rules[i], last);
    while (run->state == PROGRAM_RUNNING) {
        struct rule_run *next = NULL;
        for (size_t i = 0; i < run->def->rules_n; i++) {
            struct rule_run *r = &run->rules[i];
            if (r->due_ms != INT64_MIN && (!next || r->due_ms < next->due_ms))
                next = r;
        }
        if (!next)
            return;
        next->due_ms = INT64_MIN;
        next->seen_ms = at_seen(next);
        rule_signal(next);
    }
}

/* The statements of a program that run when it starts, one behind the other. */
void rules_begin(struct program_run *run, size_t from)
{
    for (size_t i = from; i < run->def->rules_n && run->state == PROGRAM_RUNNING; i++) {
        struct rule_run *r = &run->rules[i];
        if (r->def->kind != LANG_RULE_START)
            continue;
        rule_fires(r);
        body_run(r, r->def->body, BODY_ONCE, STR(""));
        rule_note(r, false);
        if (r->task)
            return; /* the rest when it has ended */
    }
}

/* A program that goes on where it was does not begin: what it spawned is there, and has what it was
 * given; or one of the statements still waits. */
static bool begins(const struct program_run *run)
{
    bool waits = false;
    for (size_t i = 0; i < run->def->rules_n; i++)
        waits = waits || (run->rules[i].def->kind == LANG_RULE_START && run->rules[i].task);
    return !waits && !run->goes_on;
}

void rules_start(struct program_run *run)
{
    if (begins(run))
        rules_begin(run, 0);
    make_up(run);
    for (size_t i = 0; i < run->def->rules_n && run->state == PROGRAM_RUNNING; i++)
        rule_start(&run->rules[i]);
    for (size_t i = 0; i < run->def->bindings_n; i++)
        if (run->bindings[i].def->kind == LANG_BIND_READ)
            reading_stale_check(&run->bindings[i]);
    rules_evaluate(run, NULL);
}
