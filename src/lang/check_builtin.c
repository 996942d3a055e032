/* Calls of the functions that are built in. */
#include "lang/check_internal.h"

#include <math.h>
#include <string.h>

/* Checks the arguments as data; false if one of them was reported. */
static bool check_args(struct checker *k, struct expr *e)
{
    bool fine = true;
    for (size_t i = 0; i < e->list.n; i++)
        fine = check_value(k, e->list.v[i], NULL, OWN_PASSED) && fine;
    return fine;
}

static bool count_is(struct checker *k, struct expr *e, size_t min, size_t max, const char *usage)
{
    if (e->list.n >= min && e->list.n <= max)
        return true;
    struct lang_diag *d = diag_error(k->c, "T1", e->span, "wrong number of arguments",
                                     "`%.*s` takes %zu argument%s, not %zu", STR_FMT(e->text), min,
                                     min == 1 ? "" : "s", e->list.n);
    if (usage)
        diag_help(k->c, d, "as in:  %s", usage);
    return false;
}

/* One window for a reading and a span, however often it is asked for. */
static bool window_of(struct checker *k, struct expr *e, const struct lang_window *want)
{
    struct prog *p = k->prog;
    uint64_t key[] = {want->binding, (uint64_t)want->duration_ms};
    uintptr_t known = (uintptr_t)map_find(&p->slopes, key, sizeof(key));
    if (known) {
        e->index = (uint32_t)known - 1;
        return true;
    }
    if (p->windows.n >= LANG_WINDOWS_MAX) {
        (void)diag_error(k->c, "P1", e->span, "one too many", "a program has at most %u slopes",
                         LANG_WINDOWS_MAX);
        return false;
    }
    e->index = (uint32_t)p->windows.n;
    ctx_tree_push(k->c, &p->windows, *want);
    uint64_t *copy = ctx_tree_array(k->c, ARRAY_LEN(key), sizeof(*copy));
    memcpy(copy, key, sizeof(key));
    map_set(k, &p->slopes, (struct str){(const char *)copy, sizeof(key)},
            (void *)(uintptr_t)p->windows.n);
    return true;
}

/* slope(reading, duration): change per minute, by least squares over that span. */
static bool call_slope(struct checker *k, struct expr *e)
{
    if (!count_is(k, e, 2, 2, "slope(temp, 5min)"))
        return false;
    struct expr *r = e->list.v[0];
    int64_t ms = 0;
    check_expr(k, r);
    bool timed = check_duration(k, e->list.v[1], "the span of a slope", &ms);
    if (r->bad || !timed)
        return false;
    if (k->mode == MODE_FN || r->ref != REF_READ || !is_number(&r->type)) {
        struct lang_diag *d = diag_error(k->c, "T1", r->span, "not a reading of a number",
                                         "slope() looks at the past of a reading");
        diag_help(k->c, d, "as in:  read temp: °C = … stale 5s   and   slope(temp, 5min)");
        return false;
    }
    if (!window_of(k, e, &(struct lang_window){r->index, ms}))
        return false;
    e->type = (struct lang_type){.kind = LANG_TYPE_FLOAT, .unit = unit_per_minute(&r->type.unit)};
    struct lang_unit d = unit_difference(&r->type.unit);
    e->type.unit.symbol = ctx_strf(k->c, "%.*s/min", STR_FMT(d.symbol.n ? d.symbol : STR("1")));
    return true;
}

static bool numbers(struct checker *k, struct expr *e)
{
    for (size_t i = 0; i < e->list.n; i++) {
        const struct expr *x = e->list.v[i];
        if (is_number(&x->type))
            continue;
        if (x->type.optional)
            may_be_none(k, x, quoted(k, e->text));
        else
            (void)diag_error(k->c, "T1", x->span, "not a number",
                             "`%.*s` wants numbers, this is %.*s", STR_FMT(e->text),
                             STR_FMT(type_phrase(k, &x->type)));
        return false;
    }
    return true;
}

static bool number_args(struct checker *k, struct expr *e, size_t n, const char *usage)
{
    return count_is(k, e, n, n, usage) && check_args(k, e) && numbers(k, e);
}

static bool call_min_max(struct checker *k, struct expr *e)
{
    if (!count_is(k, e, 2, CODE_ARGS_MAX, NULL) || !check_args(k, e) || !numbers(k, e))
        return false;
    bool ints = true;
    struct expr *first = e->list.v[0];
    for (size_t i = 0; i < e->list.n; i++) {
        struct expr *x = e->list.v[i];
        ints = ints && x->type.kind == LANG_TYPE_INT;
        if (!units_match(&first->type.unit, &x->type.unit)) {
            units_differ(k, first, x, e->path[0].span, "mixed with");
            return false;
        }
    }
    e->type = first->type;
    e->type.kind = ints ? LANG_TYPE_INT : LANG_TYPE_FLOAT;
    return true;
}

static bool call_abs(struct checker *k, struct expr *e)
{
    if (!number_args(k, e, 1, NULL))
        return false;
    e->type = e->list.v[0]->type;
    if (e->type.unit.affine) {
        (void)diag_error(k->c, "U1", e->list.v[0]->span, "has a zero of its own",
                         "a temperature in %.*s has no absolute value",
                         STR_FMT(e->type.unit.symbol));
        return false;
    }
    return true;
}

/* round, floor, ceil: without a unit a whole number comes out; with one it is rounded in it. */
static bool call_round(struct checker *k, struct expr *e)
{
    if (!number_args(k, e, 1, NULL))
        return false;
    e->type = e->list.v[0]->type;
    if (unit_is_plain(&e->type.unit))
        e->type = type_plain(LANG_TYPE_INT);
    return true;
}

/* sqrt: the dimension is halved. */
static bool call_sqrt(struct checker *k, struct expr *e)
{
    if (!number_args(k, e, 1, NULL))
        return false;
    struct lang_type t = e->list.v[0]->type;
    struct lang_unit half = unit_plain();
    bool even = !t.unit.affine;
    for (size_t i = 0; i < LANG_DIMS; i++) {
        even = even && t.unit.dim[i] % 2 == 0;
        half.dim[i] = (int8_t)(t.unit.dim[i] / 2);
    }
    if (!even) {
        struct lang_diag *d = diag_error(k->c, "U1", e->list.v[0]->span, "no square",
                                         "there is no square root of %.*s", STR_FMT(t.unit.symbol));
        diag_help(k->c, d, "divide by the unit first, as in  sqrt(x / 1 %.*s)",
                  STR_FMT(t.unit.symbol));
        return false;
    }
    e->type = (struct lang_type){.kind = LANG_TYPE_FLOAT, .unit = half};
    e->type.unit.scale = 1;
    e->type.unit.symbol = unit_example(&half);
    if (unit_is_plain(&t.unit) || t.unit.ratio)
        e->type.unit = unit_plain();
    return true;
}

static bool plain_number(struct checker *k, struct expr *e, const struct expr *x)
{
    if (lang_unit_same_dim(&x->type.unit, &(struct lang_unit){.scale = 1}))
        return true;
    struct lang_diag *d = diag_error(k->c, "U1", x->span, "has a unit",
                                     "`%.*s` wants a plain number, this is in %.*s",
                                     STR_FMT(e->text), STR_FMT(x->type.unit.symbol));
    struct str text = ctx_text(k->c, x->span), symbol = x->type.unit.symbol;
    if (x->type.unit.affine)
        diag_help(k->c, d, "divide a difference by its unit:  (%.*s - 0 %.*s) / 1 K", STR_FMT(text),
                  STR_FMT(symbol));
    else
        diag_help(k->c, d, "divide by the unit:  %.*s / 1 %.*s", STR_FMT(text), STR_FMT(symbol));
    return false;
}

/* exp, log, pow: of plain numbers. */
static bool call_plain(struct checker *k, struct expr *e)
{
    if (!number_args(k, e, e->builtin == BUILTIN_POW ? 2 : 1,
                     e->builtin == BUILTIN_POW ? "pow(x, 2)" : NULL))
        return false;
    e->type = type_plain(LANG_TYPE_FLOAT);
    for (size_t i = 0; i < e->list.n; i++)
        if (!plain_number(k, e, e->list.v[i]))
            return false;
    return true;
}

/* sin, cos: of an angle, or of a plain number that stands for radians. */
static bool call_angle(struct checker *k, struct expr *e)
{
    if (!number_args(k, e, 1, "sin(90 deg)"))
        return false;
    const struct expr *x = e->list.v[0];
    struct lang_unit angle = {.scale = 1};
    angle.dim[LANG_DIM_ANGLE] = 1;
    e->type = type_plain(LANG_TYPE_FLOAT);
    return lang_unit_same_dim(&x->type.unit, &angle) || plain_number(k, e, x);
}

/* int(f): towards zero. */
static bool call_int(struct checker *k, struct expr *e)
{
    if (!number_args(k, e, 1, "int(2.7)"))
        return false;
    e->type = type_plain(LANG_TYPE_INT);
    return plain_number(k, e, e->list.v[0]);
}

static bool call_float(struct checker *k, struct expr *e)
{
    if (!number_args(k, e, 1, "float(3)"))
        return false;
    e->type = type_plain(LANG_TYPE_FLOAT);
    return plain_number(k, e, e->list.v[0]);
}

/* list(n, x) */
static bool call_list(struct checker *k, struct expr *e)
{
    struct lang_type want = type_plain(LANG_TYPE_INT);
    if (!count_is(k, e, 2, 2, "list(100, 0)") ||
        !check_value_fits(k, e->list.v[0], &want, OWN_PASSED, "the number of elements",
                          (struct lang_span){0}) ||
        !check_value(k, e->list.v[1], NULL, OWN_STORED))
        return false;
    if (is_none(&e->list.v[1]->type)) {
        struct lang_diag *d = diag_error(k->c, "T1", e->list.v[1]->span, "of what?",
                                         "`none` says nothing of its type");
        diag_help(k->c, d, "let x: int? = none   and   list(100, x)");
        return false;
    }
    e->type = type_list(k, &e->list.v[1]->type);
    return true;
}

static bool call_random(struct checker *k, struct expr *e)
{
    if (!count_is(k, e, 0, 0, "random()"))
        return false;
    e->type = type_plain(LANG_TYPE_FLOAT);
    return may_act(k, e->span, "random()");
}

/* Only in bodies: nothing would look at a condition again because time goes by. */
static bool call_now(struct checker *k, struct expr *e)
{
    if (!count_is(k, e, 0, 0, "now()"))
        return false;
    e->type = type_plain(LANG_TYPE_TIME);
    if (k->mode == MODE_BODY || k->mode == MODE_TASK)
        return true;
    struct lang_diag *d = diag_error(k->c, "T1", e->span, "not here",
                                     "now() stands in the body of a rule or in a task only");
    diag_help(k->c, d, "%s",
              k->mode == MODE_FN ? "hand it over as an argument"
                                 : "a condition waits with `for`; `every` runs again and again");
    return false;
}

static const struct {
    const char *name;
    enum builtin builtin;
    bool (*check)(struct checker *k, struct expr *e);
} builtins[] = {
    {"slope", BUILTIN_SLOPE, call_slope}, {"abs", BUILTIN_ABS, call_abs},
    {"min", BUILTIN_MIN, call_min_max},   {"max", BUILTIN_MAX, call_min_max},
    {"round", BUILTIN_ROUND, call_round}, {"now", BUILTIN_NOW, call_now},
    {"floor", BUILTIN_FLOOR, call_round}, {"ceil", BUILTIN_CEIL, call_round},
    {"sqrt", BUILTIN_SQRT, call_sqrt},    {"pow", BUILTIN_POW, call_plain},
    {"exp", BUILTIN_EXP, call_plain},     {"log", BUILTIN_LOG, call_plain},
    {"sin", BUILTIN_SIN, call_angle},     {"cos", BUILTIN_COS, call_angle},
    {"int", BUILTIN_INT, call_int},       {"float", BUILTIN_FLOAT, call_float},
    {"list", BUILTIN_LIST, call_list},    {"random", BUILTIN_RANDOM, call_random},
};

static size_t builtin_at(struct str name)
{
    size_t i = 0;
    while (i < ARRAY_LEN(builtins) && !str_eq(name, str_from(builtins[i].name)))
        i++;
    return i;
}

bool is_builtin(struct str name)
{
    return builtin_at(name) < ARRAY_LEN(builtins);
}

bool call_builtin(struct checker *k, struct expr *e)
{
    size_t i = builtin_at(e->text);
    if (k->mode == MODE_CONST) {
        (void)diag_error(k->c, "T1", e->span, "not constant", "no calls in a constant");
        return false;
    }
    e->ref = REF_BUILTIN;
    e->builtin = builtins[i].builtin;
    return builtins[i].check(k, e);
}

void suggest_builtins(struct suggest *s)
{
    for (size_t i = 0; i < ARRAY_LEN(builtins); i++)
        suggest_offer(s, str_from(builtins[i].name));
}
