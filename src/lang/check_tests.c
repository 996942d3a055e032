/* Tests: their statements become a flat list of steps in time, with values that the host can use as
 * they are. There is no bytecode: all that a test says is constant. */
#include "lang/check_internal.h"

#include <stdio.h>
#include <string.h>

enum { DAY_S = 24 * 60 * 60, STEPS_MAX = 100000 };
#define TEST_MS_MAX ((int64_t)366 * DAY_S * 1000)

/* A test as it is walked through. */
struct test_walk {
    struct checker *k;
    struct lang_test *out;
    VEC(struct lang_step) steps;
    int64_t now_ms;
    bool begun; /* `start` comes too late */
};

/* ---- what paths name --------------------------------------------------------------------- */

static struct str path_text(struct checker *k, const struct name *path, size_t n)
{
    struct strbuf b;
    strbuf_init(&b, &k->c->tree_alloc, 0);
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            strbuf_addc(&b, '.');
        strbuf_addstr(&b, path[i].text);
    }
    if (b.failed)
        ctx_nomem(k->c);
    return strbuf_str(&b);
}

static struct lang_span path_span(const struct name *path, size_t n)
{
    return span_join(path[0].span, path[n - 1].span);
}

/* The longest beginning that is a resource, with how many parts that are; NULL with a message. */
static const struct lang_decl *resource_of(struct checker *k, const struct name *path, size_t n,
                                           size_t *used)
{
    for (*used = n; *used > 0; --*used) {
        const struct lang_decl *d = find_path(k, path_text(k, path, *used));
        if (d && d->kind->role == LANG_ROLE_RESOURCE)
            return d->damaged ? NULL : d;
    }
    struct str whole = path_text(k, path, n);
    struct suggest s = suggest_for(k->c, whole),
                   part = suggest_for(k->c, path_text(k, path, n - 1));
    for (size_t i = 0; i < k->resources.n; i++) {
        suggest_offer(&s, k->resources.v[i]->name);
        suggest_offer(&part, k->resources.v[i]->name);
    }
    struct lang_diag *d =
        diag_error(k->c, "N1", path_span(path, n), "unknown", "there is no `%.*s`", STR_FMT(whole));
    if (n > 1 && suggest_found(&part) && part.distance < s.distance)
        diag_help(k->c, d, "did you mean `%.*s.%.*s`?", STR_FMT(part.best),
                  STR_FMT(path[n - 1].text));
    else if (suggest_found(&s))
        diag_help(k->c, d, "did you mean `%.*s`?", STR_FMT(s.best));
    return NULL;
}

/* A resource's member of that role; `what`: "property". NULL with a message. */
static const struct lang_member *member_of(struct checker *k, const struct lang_decl *r,
                                           const struct name *path, size_t used, size_t n,
                                           enum lang_clause_role role, const char *what)
{
    struct str type = r->type ? r->type->name : STR("?");
    if (used == n) {
        struct lang_diag *d = diag_error(k->c, "T1", path_span(path, n), "all of it",
                                         "a %s of %.*s stands here", what, STR_FMT(r->name));
        diag_help(k->c, d, "as in  %.*s.name", STR_FMT(r->name));
        return NULL;
    }
    const struct lang_member *m = r->type ? lang_decl_member(r->type, path[used].text) : NULL;
    if (m && m->role == role && used + 1 == n)
        return m;
    struct suggest s = suggest_for(k->c, path[used].text);
    for (size_t i = 0; r->type && i < r->type->members_n; i++)
        if (r->type->members[i].role == role)
            suggest_offer(&s, r->type->members[i].name);
    struct str rest = path_text(k, path + used, n - used);
    struct lang_diag *d = diag_error(k->c, "N1", path_span(path + used, n - used), "unknown",
                                     "a %.*s has no %s `%.*s`", STR_FMT(type), what, STR_FMT(rest));
    if (suggest_found(&s))
        diag_help(k->c, d, "did you mean `%.*s`?", STR_FMT(s.best));
    return NULL;
}

static bool property_step(struct checker *k, const struct expr *e, struct lang_step *s)
{
    size_t used;
    s->resource = resource_of(k, e->path, e->path_n, &used);
    if (!s->resource)
        return false;
    const struct lang_member *m =
        member_of(k, s->resource, e->path, used, e->path_n, LANG_CLAUSE_READABLE, "property");
    if (!m)
        return false;
    s->member = m->index;
    s->type = m->type;
    return true;
}

/* ---- values ------------------------------------------------------------------------------ */

/* A constant that fits; false with a message. `in_unit`: in the unit of `want`, else in base units.
 */
static bool constant_step(struct checker *k, struct expr *e, const struct lang_type *want,
                          bool in_unit, const char *what, union lang_slot *value, struct str *text)
{
    k->mode = MODE_CONST;
    check_expr(k, e);
    if (e->bad || !check_fits(k, want, e, what, (struct lang_span){0}))
        return false;
    if (!e->constant) {
        (void)diag_error(k->c, "T1", e->span, "not constant", "what a test says is constant");
        return false;
    }
    *value = e->value;
    if (want->kind == LANG_TYPE_STR)
        *text = ctx_str(k->c, e->text_value); /* the tree ends with the check */
    if (want->kind != LANG_TYPE_FLOAT)
        return true;
    double base = e->type.kind == LANG_TYPE_INT ? (double)e->value.i : e->value.f;
    value->f = in_unit ? lang_unit_from_base(&want->unit, base) : base;
    return true;
}

/* "`speed`" */
static const char *in_quotes(struct checker *k, struct str name)
{
    return ctx_strf(k->c, "`%.*s`", STR_FMT(name)).p;
}

/* ---- steps ------------------------------------------------------------------------------- */

static void push(struct test_walk *t, struct lang_step s)
{
    if (t->steps.n == STEPS_MAX)
        (void)diag_error(t->k->c, "P1", s.span, "one too many", "a test has at most %d steps",
                         STEPS_MAX);
    if (t->steps.n < STEPS_MAX)
        ctx_push(t->k->c, &t->steps, s);
}

static void set(struct test_walk *t, struct test_syntax *x, struct lang_step s)
{
    s.kind = x->kind == TEST_SET ? LANG_STEP_SET : LANG_STEP_SILENT;
    if (!property_step(t->k, x->target, &s))
        return;
    const struct name *last = &x->target->path[x->target->path_n - 1];
    if (x->kind == TEST_SILENT || constant_step(t->k, x->value, &s.type, true,
                                                in_quotes(t->k, last->text), &s.value, &s.text))
        push(t, s);
}

static void refuses(struct test_walk *t, struct test_syntax *x, struct lang_step s)
{
    const struct expr *e = x->target;
    size_t used;
    s.kind = LANG_STEP_REFUSES;
    s.resource = resource_of(t->k, e->path, e->path_n, &used);
    if (s.resource && used == e->path_n)
        push(t, s);
    else if (s.resource)
        (void)diag_error(t->k->c, "T1", path_span(e->path, e->path_n), "not a device",
                         "a device refuses, as a whole");
}

static void event(struct test_walk *t, struct test_syntax *x, struct lang_step s)
{
    const struct expr *e = x->target;
    size_t used;
    s.kind = LANG_STEP_EVENT;
    s.resource = resource_of(t->k, e->path, e->path_n, &used);
    const struct lang_member *m = s.resource ? member_of(t->k, s.resource, e->path, used, e->path_n,
                                                         LANG_CLAUSE_SIGNAL, "event")
                                             : NULL;
    if (!m)
        return;
    s.member = m->index;
    if (e->list.n > 0)
        (void)diag_error(t->k->c, "T1", e->span, "too many", "an event has no arguments");
    else
        push(t, s);
}

/* Without brackets any will do. */
static bool action_args(struct test_walk *t, struct expr *e, const struct lang_member *m,
                        struct lang_step *s)
{
    s->has_args = e->kind == E_CALL;
    if (!s->has_args)
        return true;
    if (e->list.n != m->params_n) {
        (void)diag_error(t->k->c, "T1", e->span, "wrong number of arguments",
                         "`%.*s` takes %zu argument%s, not %zu; without brackets any will do",
                         STR_FMT(m->name), m->params_n, m->params_n == 1 ? "" : "s", e->list.n);
        return false;
    }
    union lang_slot *args = ctx_array(t->k->c, m->params_n, sizeof(*args));
    struct str *texts = ctx_array(t->k->c, m->params_n, sizeof(*texts));
    for (size_t i = 0; i < m->params_n; i++)
        if (!constant_step(t->k, e->list.v[i], &m->params[i].type, true,
                           in_quotes(t->k, m->params[i].name), &args[i], &texts[i]))
            return false;
    s->args = args;
    s->arg_texts = texts;
    s->args_n = m->params_n;
    return true;
}

static void action(struct test_walk *t, struct test_syntax *x, struct lang_step s)
{
    struct expr *e = x->target;
    size_t used;
    s.kind = LANG_STEP_ACTION;
    s.member = LANG_STEP_ANY;
    s.resource = resource_of(t->k, e->path, e->path_n, &used);
    if (!s.resource)
        return;
    if (used < e->path_n || e->kind == E_CALL) {
        const struct lang_member *m =
            member_of(t->k, s.resource, e->path, used, e->path_n, LANG_CLAUSE_COMMAND, "action");
        if (!m || !action_args(t, e, m, &s))
            return;
        s.member = m->index;
    }
    push(t, s);
}

static void host(struct test_walk *t, struct test_syntax *x, struct lang_step s)
{
    s.kind = LANG_STEP_HOST;
    s.host = x->host;
    s.level = x->level;
    s.text = ctx_str(t->k->c, x->text);
    push(t, s);
}

/* ---- expect path op value ---------------------------------------------------------------- */

static enum lang_cmp turned(enum lang_cmp op)
{
    static const enum lang_cmp other[] = {
        [LANG_EQ] = LANG_EQ, [LANG_NE] = LANG_NE, [LANG_LT] = LANG_GT,
        [LANG_LE] = LANG_GE, [LANG_GT] = LANG_LT, [LANG_GE] = LANG_LE};
    return other[op];
}

/* path op constant, constant op path, path, not path. The constant is NULL for a bool alone. */
static bool comparison(struct checker *k, struct expr *e, struct expr **path,
                       struct expr **constant, enum lang_cmp *op, bool *truth)
{
    *constant = NULL;
    *op = LANG_EQ;
    *truth = e->kind != E_NOT;
    *path = e->kind == E_NOT ? e->a : e;
    if (e->kind == E_BINARY && e->op <= OP_GE) {
        bool left = e->a->kind == E_PATH;
        *path = left ? e->a : e->b;
        *constant = left ? e->b : e->a;
        *op = left ? (enum lang_cmp)e->op : turned((enum lang_cmp)e->op);
    }
    if ((*path)->kind == E_PATH)
        return true;
    struct lang_diag *d = diag_error(k->c, "T1", e->span, "not a comparison",
                                     "a test expects a property or a variable to be something");
    diag_help(k->c, d, "as in  expect plant.belt.speed < 0.1 m/s");
    return false;
}

/* program.name: of its variables outside of any `for`, or the first one inside. */
static bool variable_step(struct checker *k, const struct expr *e, struct lang_step *s)
{
    s->kind = LANG_STEP_VAR;
    if (e->path_n != 2 || !map_get(&k->programs, e->path[0].text)) {
        struct lang_diag *d = diag_error(k->c, "N1", path_span(e->path, e->path_n), "unknown",
                                         "a variable is named with its program");
        diag_help(k->c, d, "as in  expect var line_guard.stops == 1");
        return false;
    }
    for (size_t p = 0; p < k->programs_out.n; p++) {
        const struct lang_program *program = k->programs_out.v[p];
        if (!str_eq(program->name, e->path[0].text))
            continue;
        struct suggest near = suggest_for(k->c, e->path[1].text);
        for (size_t i = 0; i < program->vars_n; i++) {
            suggest_offer(&near, program->vars[i].name);
            if (!str_eq(program->vars[i].name, e->path[1].text))
                continue;
            s->program = program->name;
            s->path = program->vars[i].path;
            s->type = program->vars[i].type;
            return true;
        }
        struct lang_diag *d =
            diag_error(k->c, "N1", e->path[1].span, "unknown", "%.*s has no variable `%.*s`",
                       STR_FMT(program->name), STR_FMT(e->path[1].text));
        if (suggest_found(&near))
            diag_help(k->c, d, "did you mean `%.*s`?", STR_FMT(near.best));
    }
    return false; /* the program has mistakes of its own */
}

static bool comparable(struct checker *k, const struct expr *e, const struct lang_type *t,
                       enum lang_cmp op, bool alone)
{
    bool scalar = t->kind == LANG_TYPE_BOOL || t->kind == LANG_TYPE_INT ||
                  t->kind == LANG_TYPE_FLOAT || t->kind == LANG_TYPE_STR;
    bool ordered = t->kind == LANG_TYPE_INT || t->kind == LANG_TYPE_FLOAT;
    if (scalar && (!alone || t->kind == LANG_TYPE_BOOL) && (ordered || op <= LANG_NE))
        return true;
    (void)diag_error(k->c, "T1", e->span, "can't be compared so", "this is %.*s",
                     STR_FMT(type_phrase(k, t)));
    return false;
}

static void value(struct test_walk *t, struct test_syntax *x, struct lang_step s)
{
    struct checker *k = t->k;
    struct expr *path, *constant;
    bool truth;
    s.kind = LANG_STEP_VALUE;
    if (!comparison(k, x->value, &path, &constant, &s.op, &truth) ||
        !(x->var ? variable_step(k, path, &s) : property_step(k, path, &s)) ||
        !comparable(k, path, &s.type, s.op, !constant))
        return;
    if (!constant)
        s.value.i = truth;
    else if (!constant_step(k, constant, &s.type, !x->var, "what it is compared with", &s.value,
                            &s.text))
        return;
    push(t, s);
}

/* ---- time -------------------------------------------------------------------------------- */

static void walk(struct test_walk *t, struct stmt_list *body);

static void later(struct test_walk *t, int64_t ms, struct test_syntax *x, struct lang_step s)
{
    if (t->now_ms + ms > TEST_MS_MAX) {
        (void)diag_error(t->k->c, "T1", s.span, "too late", "a test lasts a year at most");
        return;
    }
    t->now_ms += ms;
    s.at_ms = t->now_ms;
    s.kind = LANG_STEP_PASS;
    push(t, s);
    walk(t, &x->body);
}

static void after(struct test_walk *t, struct test_syntax *x, struct lang_step s)
{
    int64_t ms;
    if (check_duration(t->k, x->value, "the time of `after`", &ms))
        later(t, ms, x, s);
}

/* The next time that the clock shows it: now only at the start. */
static void at(struct test_walk *t, struct test_syntax *x, struct lang_step s)
{
    int64_t of_day = ((int64_t)t->out->start_s * 1000 + t->now_ms) % ((int64_t)DAY_S * 1000);
    int64_t ms = (int64_t)x->at_s * 1000 - of_day;
    bool tomorrow = ms < 0 || (ms == 0 && t->now_ms > 0);
    later(t, tomorrow ? ms + (int64_t)DAY_S * 1000 : ms, x, s);
}

static void start(struct test_walk *t, const struct test_syntax *x, struct lang_step s)
{
    bool one_day = (x->days & (x->days - 1)) == 0;
    if (t->begun)
        (void)diag_error(t->k->c, "P1", s.span, "too late", "`start` is the first step of a test");
    else if (!one_day)
        (void)diag_error(t->k->c, "P1", s.span, "several days", "a test starts on one day");
    t->out->start_s = x->at_s;
    t->out->start_day = x->days && one_day ? (uint8_t)__builtin_ctz(x->days) : 0;
}

static void step(struct test_walk *t, struct stmt *stmt)
{
    struct test_syntax *x = stmt->test;
    struct lang_step s = {
        .at_ms = t->now_ms, .no = x->no, .span = stmt->span, .line = ctx_line(t->k->c, stmt->span)};
    if (x->kind == TEST_START)
        start(t, x, s);
    t->begun = true;
    switch (x->kind) {
    case TEST_START: break;
    case TEST_SET:
    case TEST_SILENT: set(t, x, s); break;
    case TEST_REFUSES: refuses(t, x, s); break;
    case TEST_EVENT: event(t, x, s); break;
    case TEST_AFTER: after(t, x, s); break;
    case TEST_AT: at(t, x, s); break;
    case TEST_ACTION: action(t, x, s); break;
    case TEST_HOST: host(t, x, s); break;
    case TEST_VALUE: value(t, x, s); break;
    }
}

static void walk(struct test_walk *t, struct stmt_list *body)
{
    for (size_t i = 0; i < body->n; i++)
        step(t, body->v[i]);
}

static void check_test(struct checker *k, struct test_decl *d)
{
    struct lang_test *out = ctx_new(k->c, sizeof(*out));
    *out = (struct lang_test){
        .name = ctx_str(k->c, d->text), .source = d->span.source, .line = ctx_line(k->c, d->span)};
    struct test_walk t = {.k = k, .out = out};
    walk(&t, &d->body);
    out->steps = t.steps.v;
    out->steps_n = t.steps.n;
    ctx_push(k->c, &k->tests, out);
}

void check_tests(struct checker *k)
{
    struct map names;
    map_init(&names, &k->c->tree_alloc, 1, 1000000);
    for (size_t i = 0; i < k->syntax->tests.n; i++) {
        struct test_decl *d = k->syntax->tests.v[i];
        const struct test_decl *first = map_get(&names, d->text);
        if (first) {
            struct lang_diag *diag =
                diag_error(k->c, "N2", d->name_span, "a second time", "two tests are called so");
            diag_mark(k->c, diag, first->name_span, "the first one");
        } else if (map_put(&names, d->text, d)) {
            ctx_nomem(k->c);
        }
        check_test(k, d);
    }
}
