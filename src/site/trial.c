/* The script of a trial: a walk through the test's steps on the world's clock. */
#include "site/trial.h"

#include "codec/json.h"
#include "site/trial_internal.h"

#include <math.h>
#include <string.h>

/* What is done at an instant has its effects (journal, device, confirmation) within microseconds;
 * timers round up to the next millisecond. */
#define SETTLE_NS INT64_C(2000000)
enum { ARENA_BYTES_MAX = 256 << 20 };

/* --- values --- */

static struct value value_of(const struct lang_type *type, union lang_slot slot, struct str text)
{
    switch (type->kind) {
    case LANG_TYPE_BOOL: return (struct value){.kind = VALUE_BOOL, .b = slot.i != 0};
    case LANG_TYPE_INT:
    case LANG_TYPE_TIME:
    case LANG_TYPE_ENUM: return (struct value){.kind = VALUE_INT, .i = slot.i};
    case LANG_TYPE_STR: return (struct value){.kind = VALUE_STR, .s = text};
    default: return (struct value){.kind = VALUE_FLOAT, .f = slot.f};
    }
}

static bool holds(enum lang_cmp op, int order)
{
    switch (op) {
    case LANG_EQ: return order == 0;
    case LANG_NE: return order != 0;
    case LANG_LT: return order < 0;
    case LANG_LE: return order <= 0;
    case LANG_GT: return order > 0;
    case LANG_GE: return order >= 0;
    }
    return false;
}

/* Quantities that have been through units and back are equal but for their last bits. */
static int order_of(double a, double b)
{
    double near = 1e-9 * fmax(fabs(a), fabs(b));
    return fabs(a - b) <= near ? 0 : a < b ? -1 : 1;
}

static bool compare_values(enum lang_cmp op, const struct value *a, const struct value *b)
{
    if (a->kind == VALUE_STR || b->kind == VALUE_STR)
        return a->kind == b->kind && holds(op, str_cmp(a->s, b->s));
    double x = value_number(a), y = value_number(b);
    return !isnan(x) && !isnan(y) && holds(op, order_of(x, y));
}

/* --- expectations --- */

static bool same_arg(const struct lang_step *s, size_t i, const struct lang_param *p,
                     struct str args_json)
{
    struct json_token token;
    char text[256];
    struct str got;
    double d;
    struct bytes args = {(const uint8_t *)args_json.p, args_json.n};
    if (json_find(args, p->name, &token, NULL))
        return false;
    switch (p->type.kind) {
    case LANG_TYPE_BOOL: return (token.kind == JSON_TRUE) == (s->args[i].i != 0);
    case LANG_TYPE_STR:
        return token.kind == JSON_STRING &&
               json_unescape(token.raw, text, sizeof(text), &got) == ERR_OK &&
               str_eq(got, s->arg_texts[i]);
    case LANG_TYPE_INT:
    case LANG_TYPE_TIME:
        return json_number(token.raw, &d) == ERR_OK && order_of(d, (double)s->args[i].i) == 0;
    default: return json_number(token.raw, &d) == ERR_OK && order_of(d, s->args[i].f) == 0;
    }
}

static bool is_action(const struct trial_event *e, const struct lang_step *s)
{
    if (e->is_alert || !str_eq(e->device, s->resource->name))
        return false;
    if (s->member == LANG_STEP_ANY)
        return true;
    const struct lang_member *m =
        lang_decl_member_at(s->resource->type, LANG_CLAUSE_COMMAND, s->member);
    bool same = str_eq(e->action, m->name);
    for (size_t i = 0; same && s->has_args && i < s->args_n; i++)
        same = same_arg(s, i, &m->params[i], e->args_json);
    return same;
}

static bool contains(struct str text, struct str part)
{
    for (size_t i = 0; i + part.n <= text.n; i++)
        if (str_eq(str_sub(text, i, part.n), part))
            return true;
    return false;
}

static bool is_alert(const struct trial_event *e, const struct lang_step *s)
{
    return e->is_alert && (s->level == LANG_STEP_ANY || (uint32_t)e->severity == s->level) &&
           contains(e->text, s->text);
}

static bool has_happened(const struct world *w, const struct lang_step *s)
{
    const struct trial *t = w->trial;
    for (size_t i = w->from; i < t->events.n; i++)
        if (s->kind == LANG_STEP_ACTION ? is_action(&t->events.v[i], s)
                                        : is_alert(&t->events.v[i], s))
            return true;
    return false;
}

static bool property_is(struct world *w, const struct lang_step *s, struct str *actual)
{
    struct arena *a = &w->trial->arena;
    const struct series *series = twin_of(w, s->resource->name)->device->props[s->member].series;
    struct value want = value_of(&s->type, s->value, s->text);
    struct str text = trial_value_text(a, &series->last, series->unit);
    bool stale = series->quality == QUALITY_STALE;
    if (series->last.kind == VALUE_NONE)
        *actual = STR("has no value");
    else
        *actual = arena_strf(a, "is %.*s%s", STR_FMT(text), stale ? ", stale" : "");
    return compare_values(s->op, &series->last, &want);
}

/* --- variables: slots in base units, as the machine has them --- */

static bool is_none(const struct lang_type *t, union lang_slot v)
{
    if (!t->optional)
        return false;
    switch (t->kind) {
    case LANG_TYPE_FLOAT: return isnan(v.f);
    case LANG_TYPE_BOOL: return v.i == 2;
    case LANG_TYPE_ENUM: return v.i < 0;
    case LANG_TYPE_INT:
    case LANG_TYPE_TIME: return v.i == INT64_MIN;
    default: return !v.o;
    }
}

static struct str slot_text(struct arena *a, const struct lang_type *t, union lang_slot v,
                            struct str text)
{
    if (is_none(t, v))
        return STR("none");
    if (t->kind == LANG_TYPE_ENUM && t->def && (uint64_t)v.i < t->def->fields_n)
        return t->def->fields[v.i].name;
    if (t->kind == LANG_TYPE_FLOAT)
        v.f = lang_unit_from_base(&t->unit, v.f);
    struct value value = value_of(t, v, text);
    return trial_value_text(a, &value, t->unit.symbol);
}

static bool compare_slots(enum lang_cmp op, const struct lang_type *t, union lang_slot a,
                          struct str a_text, union lang_slot b, struct str b_text)
{
    bool no_a = is_none(t, a), no_b = is_none(t, b);
    if (no_a || no_b)
        return op == LANG_EQ ? no_a && no_b : op == LANG_NE && no_a != no_b;
    if (t->kind == LANG_TYPE_STR)
        return holds(op, str_cmp(a_text, b_text));
    if (t->kind == LANG_TYPE_FLOAT)
        return !isnan(a.f) && !isnan(b.f) && holds(op, order_of(a.f, b.f));
    return holds(op, a.i < b.i ? -1 : a.i > b.i);
}

/* The program's number and the variable's; false: there is none. */
static bool find_var(const struct world *w, const struct lang_step *s, size_t *program,
                     uint32_t *var)
{
    for (*program = 0; *program < automation_programs(w->core.automation); ++*program) {
        const struct lang_program *p = automation_program(w->core.automation, *program).program;
        for (*var = 0; str_eq(p->name, s->program) && *var < p->vars_n; ++*var)
            if (str_eq(p->vars[*var].path, s->path))
                return true;
    }
    return false;
}

static bool variable_is(struct world *w, const struct lang_step *s, struct str *actual)
{
    struct arena *a = &w->trial->arena;
    size_t program;
    uint32_t var;
    *actual = STR("is not there");
    if (!find_var(w, s, &program, &var))
        return false;
    union lang_slot is = automation_var(w->core.automation, program, var);
    struct str text = s->type.kind == LANG_TYPE_STR && is.s ? *is.s : STR("");
    struct str shown = slot_text(a, &s->type, is, text);
    *actual = arena_strf(a, "is %.*s", STR_FMT(shown));
    return compare_slots(s->op, &s->type, is, text, s->value, s->text);
}

/* --- one expectation --- */

static void expect(struct world *w, const struct lang_step *s)
{
    struct trial *t = w->trial;
    struct str actual = STR("");
    bool met;
    t->expects++;
    if (s->kind == LANG_STEP_VALUE)
        met = property_is(w, s, &actual);
    else if (s->kind == LANG_STEP_VAR)
        met = variable_is(w, s, &actual);
    else
        met = has_happened(w, s);
    if (met != s->no || t->failures.n >= TRIAL_FAILURES_MAX)
        return;
    struct trial_failure f = {.step = s,
                              .from_ms = w->from_ms,
                              .to_ms = s->at_ms,
                              .events_from = w->from,
                              .events_to = t->events.n,
                              .actual = actual};
    if (!vec_push(alloc_system(), &t->failures, f))
        t->arena.failed = true; /* told at the end: no memory */
}

/* --- the walk --- */

static bool looks(const struct lang_step *s)
{
    return s->kind == LANG_STEP_ACTION || s->kind == LANG_STEP_HOST || s->kind == LANG_STEP_VALUE ||
           s->kind == LANG_STEP_VAR;
}

/* From here on the next `expect` looks. */
static void look_from(struct world *w, int64_t at_ms)
{
    w->from = w->trial->events.n;
    w->from_ms = at_ms;
    w->looked = false;
}

static void act(struct world *w, const struct lang_step *s)
{
    int64_t late_ns = worker_now_ns(w->worker) - w->start_ns - s->at_ms * 1000000;
    if (late_ns > w->late_ns)
        w->late_ns = late_ns;
    if (w->looked)
        look_from(w, s->at_ms);
    struct twin *t = twin_of(w, s->resource->name);
    struct value v = value_of(&s->type, s->value, s->text);
    switch (s->kind) {
    case LANG_STEP_SET: twin_set(t, s->member, &v); break;
    case LANG_STEP_SILENT: twin_silence(t, s->member); break;
    case LANG_STEP_REFUSES: t->refuses = true; break;
    default: twin_event(w, t, s->member); break;
    }
}

/* True: the step has to wait, and the timer is set. An `expect` comes behind all that is due then,
 * also of what was done late: behind another `expect` of the same instant. */
static bool waits(struct world *w, const struct lang_step *s)
{
    int64_t due = w->start_ns + s->at_ms * 1000000 + (looks(s) ? w->late_ns + SETTLE_NS : 0);
    if (worker_now_ns(w->worker) >= due)
        return false;
    if (w->looked && w->trial->test->steps[w->step - 1].at_ms < s->at_ms)
        look_from(w, w->trial->test->steps[w->step - 1].at_ms);
    timer_set(&w->timer, due);
    return true;
}

static void walk(struct timer *timer)
{
    struct world *w = CONTAINER_OF(timer, struct world, timer);
    const struct lang_test *test = w->trial->test;
    while (w->step < test->steps_n) {
        const struct lang_step *s = &test->steps[w->step];
        if (waits(w, s))
            return;
        if (looks(s))
            expect(w, s);
        else if (s->kind != LANG_STEP_PASS)
            act(w, s);
        if (s->kind != LANG_STEP_PASS) /* which says nothing */
            w->looked = looks(s);
        w->step++;
    }
    w->trial->lasted_ms = world_now_ms(w);
    sim_halt(w->sim);
}

static void play(struct world *w)
{
    const struct lang_test *test = w->trial->test;
    int64_t last_ms = test->steps_n ? test->steps[test->steps_n - 1].at_ms : 0;
    timer_init(&w->timer, w->worker, walk);
    timer_set(&w->timer, w->start_ns);
    automation_start(w->core.automation);
    env_sim_boot(w->env, w->ex);
    int64_t settle_ns = (SETTLE_NS + 1000000) * (int64_t)(test->steps_n + 2);
    (void)sim_run(w->sim, w->start_ns + last_ms * 1000000 + settle_ns);
    ASSERT(w->step == test->steps_n);
}

enum err trial_run(struct trial *t, const struct lang_site *site, const struct lang_test *test,
                   struct error *e)
{
    struct world w = {.trial = t};
    *t = (struct trial){.site = site, .test = test};
    arena_init(&t->arena, alloc_system(), ARENA_BYTES_MAX);
    enum err err = world_build(&w, test, e);
    if (!err)
        play(&w);
    world_free(&w);
    if (!err && t->arena.failed)
        err = error_set(e, ERR_NOMEM, "no memory for what happens in the test");
    return err;
}

void trial_fini(struct trial *t)
{
    vec_fini(alloc_system(), &t->events);
    vec_fini(alloc_system(), &t->nears);
    vec_fini(alloc_system(), &t->failures);
    if (t->arena.alloc)
        arena_fini(&t->arena);
    *t = (struct trial){0};
}
