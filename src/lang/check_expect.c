/* Tests of a site: from statements to a flat list of timed steps. All values are constants; those
 * of devices are in the unit of the member, those of variables in base units, as variables are. */
#include "lang/check_internal.h"

#include <stdio.h>

#define DAY_MS  86400000
#define TEST_MS ((int64_t)3660 * DAY_MS) /* ten years */

struct walk {
    struct checker *k;
    struct lang_test *test;
    VEC(struct lang_step) steps;
    int64_t at_ms;
    bool begun; /* something stood before: too late for `start` */
};

static struct lang_step *step_add(struct walk *w, const struct stmt *s, enum lang_step_kind kind)
{
    ctx_tree_push(w->k->c, &w->steps,
                  (struct lang_step){.kind = kind,
                                     .at_ms = w->at_ms,
                                     .no = s->test->no,
                                     .member = LANG_STEP_ANY,
                                     .span = s->span,
                                     .line = ctx_line(w->k->c, s->span)});
    return &w->steps.v[w->steps.n - 1];
}

/* ---- values ------------------------------------------------------------------------------ */

/* A constant of this type; `in_unit`: in the type's unit, else in base units. */
static bool value_of(struct checker *k, struct expr *e, const struct lang_type *type, bool in_unit,
                     const char *what, struct lang_span declared, union lang_slot *out,
                     struct str *text)
{
    if (!check_constant(k, e, type) || !check_fits(k, type, e, what, declared))
        return false;
    if (!e->constant && e->kind != E_NONE) {
        (void)diag_error(k->c, "T1", e->span, "not constant",
                         "a test is written with values that are known");
        return false;
    }
    *out = e->value;
    *text = type->kind == LANG_TYPE_STR ? e->text_value : STR("");
    if (type->kind != LANG_TYPE_FLOAT)
        return true;
    double v = e->type.kind == LANG_TYPE_INT ? (double)e->value.i : e->value.f;
    out->f = in_unit ? lang_unit_from_base(&type->unit, v) : v;
    return true;
}

/* ---- what a path names ------------------------------------------------------------------- */

/* program.variable, where a device is wanted. */
static bool is_variable(struct checker *k, const struct expr *e)
{
    struct str program = e->path[0].text;
    if (e->path_n != 2 || !find_program(k, program) || find_path(k, program) ||
        find_path(k, path_join(k, STR(""), e->path, 0, 2)))
        return false;
    struct lang_diag *d = diag_error(k->c, "N1", e->path[0].span, "a program",
                                     "`%.*s` is a program", STR_FMT(program));
    diag_help(k->c, d, "its variables:  expect var %.*s.%.*s == …", STR_FMT(program),
              STR_FMT(e->path[1].text));
    return true;
}

static const struct lang_decl *device_of(struct checker *k, const struct expr *e, size_t *used)
{
    struct target t;
    if (e->kind != E_PATH && (e->kind != E_CALL || e->a)) {
        (void)diag_error(k->c, "T1", e->span, not_a(k->c, NOUN_RESOURCE),
                         "a test names %s of the site", noun_many(k->c, NOUN_RESOURCE));
        return NULL;
    }
    if (is_variable(k, e))
        return NULL;
    if (!resolve(k, e->path, e->path_n, &t))
        return NULL;
    if (t.resource->kind->role != LANG_ROLE_RESOURCE) {
        (void)diag_error(k->c, "T1", e->span, "several things", "`%.*s` is a %s: name one %s",
                         STR_FMT(t.resource->name), t.resource->kind->word,
                         noun(k->c, NOUN_RESOURCE));
        return NULL;
    }
    *used = t.used;
    return t.resource->type && !t.resource->type->damaged ? t.resource : NULL;
}

static void no_such_member(struct checker *k, const struct lang_decl *r, struct name n,
                           enum lang_clause_role role)
{
    enum noun what = role == LANG_CLAUSE_READABLE  ? NOUN_READABLE
                     : role == LANG_CLAUSE_COMMAND ? NOUN_COMMAND
                                                   : NOUN_SIGNAL;
    struct suggest s = suggest_for(k->c, n.text);
    for (size_t i = 0; i < r->type->members_n; i++)
        if (r->type->members[i].role == role)
            suggest_offer(&s, r->type->members[i].name);
    struct lang_diag *d = diag_error(k->c, "N1", n.span, "unknown", "%.*s has no %s `%.*s`",
                                     STR_FMT(r->name), noun(k->c, what), STR_FMT(n.text));
    if (suggest_found(&s))
        diag_help(k->c, d, "did you mean `%.*s`?", STR_FMT(s.best));
}

static const struct lang_member *member_of(struct checker *k, const struct expr *e,
                                           enum lang_clause_role role,
                                           const struct lang_decl **resource)
{
    size_t used;
    const struct lang_decl *r = device_of(k, e, &used);
    if (!r)
        return NULL;
    *resource = r;
    if (used == e->path_n) {
        (void)diag_error(k->c, "T1", e->span, noun_a(k->c, NOUN_RESOURCE),
                         "%.*s is a %.*s: name a part of it", STR_FMT(r->name),
                         STR_FMT(r->type->name));
        return NULL;
    }
    const struct lang_member *m = lang_decl_member(r->type, role, e->path[used].text);
    if (m && used + 1 == e->path_n)
        return m;
    no_such_member(k, r, e->path[m ? used + 1 : used], role);
    return NULL;
}

/* ---- what happens ------------------------------------------------------------------------- */

static void step_set(struct walk *w, const struct stmt *s)
{
    const struct lang_decl *r;
    union lang_slot value;
    struct str text;
    const struct lang_member *m = member_of(w->k, s->test->target, LANG_CLAUSE_READABLE, &r);
    if (!m || !value_of(w->k, s->test->value, &m->type, true, quoted(w->k, m->name), m->span,
                        &value, &text))
        return;
    struct lang_step *step = step_add(w, s, LANG_STEP_SET);
    step->resource = r;
    step->member = m->index;
    step->type = m->type;
    step->value = value;
    step->text = text;
}

static void step_silent(struct walk *w, const struct stmt *s)
{
    const struct lang_decl *r;
    const struct lang_member *m = member_of(w->k, s->test->target, LANG_CLAUSE_READABLE, &r);
    if (!m)
        return;
    struct lang_step *step = step_add(w, s, LANG_STEP_SILENT);
    step->resource = r;
    step->member = m->index;
}

static void step_refuses(struct walk *w, const struct stmt *s)
{
    size_t used;
    const struct expr *e = s->test->target;
    const struct lang_decl *r = device_of(w->k, e, &used);
    if (!r)
        return;
    if (used < e->path_n) {
        (void)diag_error(w->k->c, "T1", e->span, not_a(w->k->c, NOUN_RESOURCE),
                         "%s refuses as a whole: name %.*s alone", noun_a(w->k->c, NOUN_RESOURCE),
                         STR_FMT(r->name));
        return;
    }
    step_add(w, s, LANG_STEP_REFUSES)->resource = r;
}

static void step_event(struct walk *w, const struct stmt *s)
{
    const struct lang_decl *r;
    const struct lang_member *m = member_of(w->k, s->test->target, LANG_CLAUSE_SIGNAL, &r);
    if (!m)
        return;
    if (s->test->target->list.n > 0) {
        (void)diag_error(w->k->c, "T1", s->test->target->span, "too many", "%s has no arguments",
                         noun_a(w->k->c, NOUN_SIGNAL));
        return;
    }
    struct lang_step *step = step_add(w, s, LANG_STEP_EVENT);
    step->resource = r;
    step->member = m->index;
}

/* ---- what is expected ---------------------------------------------------------------------- */

static bool step_args(struct walk *w, struct expr *e, const struct lang_member *m,
                      struct lang_step *step)
{
    struct checker *k = w->k;
    if (e->list.n != m->params_n) {
        struct lang_diag *d = diag_error(k->c, "T1", e->span, "wrong number of arguments",
                                         "`%.*s` takes %zu argument%s, not %zu", STR_FMT(m->name),
                                         m->params_n, m->params_n == 1 ? "" : "s", e->list.n);
        diag_mark(k->c, d, m->span, "declared here");
        diag_help(k->c, d, "without brackets the arguments may be any");
        return false;
    }
    union lang_slot *args = ctx_array(k->c, e->list.n, sizeof(*args));
    struct str *texts = ctx_array(k->c, e->list.n, sizeof(*texts));
    for (size_t i = 0; i < e->list.n; i++)
        if (!value_of(k, e->list.v[i], &m->params[i].type, true, quoted(k, m->params[i].name),
                      m->params[i].span, &args[i], &texts[i]))
            return false;
    step->args = args;
    step->arg_texts = texts;
    step->args_n = e->list.n;
    step->has_args = true;
    return true;
}

static void step_action(struct walk *w, const struct stmt *s)
{
    struct expr *e = s->test->target;
    size_t used;
    const struct lang_decl *r = device_of(w->k, e, &used);
    if (!r)
        return;
    struct lang_step step = {.member = LANG_STEP_ANY};
    if (used < e->path_n) {
        const struct lang_member *m =
            lang_decl_member(r->type, LANG_CLAUSE_COMMAND, e->path[used].text);
        if (!m || used + 1 < e->path_n) {
            no_such_member(w->k, r, e->path[used], LANG_CLAUSE_COMMAND);
            return;
        }
        step.member = m->index;
        if (e->kind == E_CALL && !step_args(w, e, m, &step))
            return;
    }
    struct lang_step *out = step_add(w, s, LANG_STEP_ACTION);
    out->resource = r;
    out->member = step.member;
    out->args = step.args;
    out->arg_texts = step.arg_texts;
    out->args_n = step.args_n;
    out->has_args = step.has_args;
}

static void step_host(struct walk *w, const struct stmt *s)
{
    struct lang_step *step = step_add(w, s, LANG_STEP_HOST);
    step->host = s->test->host;
    step->level = s->test->level;
    step->text = ctx_str(w->k->c, s->test->text);
}

/* `a op b`, `a` alone or `not a`: the path, how it is compared, and with what (NULL: a bool). */
struct comparison {
    struct expr *path, *value;
    enum lang_cmp op;
    bool truth;
};

static bool comparison_of(struct checker *k, struct expr *e, struct comparison *out)
{
    *out = (struct comparison){.op = LANG_EQ, .truth = true};
    if (e->kind == E_BINARY && e->op <= OP_GE) {
        out->path = e->a;
        out->value = e->b;
        out->op = (enum lang_cmp)e->op;
    } else if (e->kind == E_NOT) {
        out->path = e->a;
        out->truth = false;
    } else {
        out->path = e;
    }
    if (out->path->kind == E_PATH)
        return true;
    struct lang_diag *d =
        diag_error(k->c, "T1", e->span, "not a comparison",
                   "a test compares one %s or variable with a value", noun(k->c, NOUN_READABLE));
    diag_help(k->c, d, "as in:  expect plant.press1.temperature > 80 °C");
    return false;
}

static bool compared(struct walk *w, const struct comparison *c, const struct lang_type *type,
                     bool in_unit, struct lang_span declared, struct lang_step *step)
{
    struct checker *k = w->k;
    bool order = c->op != LANG_EQ && c->op != LANG_NE;
    struct lang_type base = type_base(*type);
    if (is_reference(type) && type->kind != LANG_TYPE_STR) {
        (void)diag_error(k->c, "T1", c->path->span, "too much to compare",
                         "a test compares numbers, texts, bools and enums, this is %.*s",
                         STR_FMT(type_phrase(k, type)));
        return false;
    }
    if (order && !is_number(&base)) {
        (void)diag_error(
            k->c, "T1", c->path->span, "not ordered",
            "this is %.*s: it is compared with == or !=", STR_FMT(type_phrase(k, type)));
        return false;
    }
    step->op = c->op;
    step->type = *type;
    if (c->value)
        return value_of(k, c->value, type, in_unit, quoted(k, c->path->text), declared,
                        &step->value, &step->text);
    step->value.i = c->truth;
    if (type->kind == LANG_TYPE_BOOL)
        return true;
    (void)diag_error(k->c, "T1", c->path->span, "compared with what?",
                     "this is %.*s: compare it with a value", STR_FMT(type_phrase(k, type)));
    return false;
}

static const struct lang_var *variable_of(struct checker *k, const struct expr *e,
                                          const struct program_info **program)
{
    struct program_info *p = find_program(k, e->path[0].text);
    if (!p || !p->out) {
        struct suggest s = suggest_for(k->c, e->path[0].text);
        for (size_t i = 0; i < k->syntax->programs.n; i++)
            suggest_offer(&s, k->syntax->programs.v[i]->name.text);
        struct lang_diag *d = diag_error(k->c, "N1", e->path[0].span, "unknown",
                                         "there is no program `%.*s`", STR_FMT(e->path[0].text));
        if (suggest_found(&s))
            diag_help(k->c, d, "did you mean `%.*s`?", STR_FMT(s.best));
        return NULL;
    }
    *program = p;
    struct name last = e->path[e->path_n - 1];
    struct suggest s = suggest_for(k->c, last.text);
    for (size_t i = 0; i < p->out->vars_n; i++) {
        if (str_eq(p->out->vars[i].name, last.text) && e->path_n == 2)
            return &p->out->vars[i];
        suggest_offer(&s, p->out->vars[i].name);
    }
    struct lang_diag *d =
        diag_error(k->c, "N1", last.span, "unknown", "%.*s has no variable `%.*s`",
                   STR_FMT(p->decl->name.text), STR_FMT(last.text));
    if (suggest_found(&s))
        diag_help(k->c, d, "did you mean `%.*s`?", STR_FMT(s.best));
    return NULL;
}

static void step_var(struct walk *w, const struct stmt *s)
{
    struct comparison c;
    const struct program_info *p;
    if (!comparison_of(w->k, s->test->value, &c))
        return;
    const struct lang_var *v = variable_of(w->k, c.path, &p);
    struct lang_step step = {0};
    if (!v || !compared(w, &c, &v->type, false, (struct lang_span){0}, &step))
        return;
    struct lang_step *out = step_add(w, s, LANG_STEP_VAR);
    out->program = p->decl->name.text;
    out->path = v->path;
    out->op = step.op;
    out->type = step.type;
    out->value = step.value;
    out->text = step.text;
}

static void step_value(struct walk *w, const struct stmt *s)
{
    struct comparison c;
    const struct lang_decl *r;
    if (!comparison_of(w->k, s->test->value, &c))
        return;
    const struct lang_member *m = member_of(w->k, c.path, LANG_CLAUSE_READABLE, &r);
    struct lang_step step = {0};
    if (!m || !compared(w, &c, &m->type, true, m->span, &step))
        return;
    struct lang_step *out = step_add(w, s, LANG_STEP_VALUE);
    out->resource = r;
    out->member = m->index;
    out->op = step.op;
    out->type = step.type;
    out->value = step.value;
    out->text = step.text;
}

/* ---- time -------------------------------------------------------------------------------- */

static void walk_stmts(struct walk *w, const struct stmt_list *list);

static void pass(struct walk *w, const struct stmt *s, int64_t ms)
{
    if (w->at_ms > TEST_MS - ms) {
        (void)diag_error(w->k->c, "T1", s->span, "too long", "a test takes at most ten years");
        return;
    }
    w->at_ms += ms;
    (void)step_add(w, s, LANG_STEP_PASS);
    walk_stmts(w, &s->test->body);
}

static void walk_after(struct walk *w, const struct stmt *s)
{
    int64_t ms = 0;
    if (check_duration(w->k, s->test->value, "the time of `after`", &ms))
        pass(w, s, ms);
    else
        walk_stmts(w, &s->test->body);
}

/* The next time that the clock shows it. */
static void walk_at(struct walk *w, const struct stmt *s)
{
    int64_t now = (int64_t)w->test->start_s * 1000 + w->at_ms;
    int64_t ms = ((int64_t)s->test->at_s * 1000 - now % DAY_MS + DAY_MS) % DAY_MS;
    pass(w, s, ms == 0 && w->at_ms > 0 ? DAY_MS : ms);
}

static void walk_start(struct walk *w, const struct stmt *s)
{
    if (w->begun) {
        struct lang_diag *d =
            diag_error(w->k->c, "P1", s->span, "too late", "`start` is the first line of a test");
        diag_help(w->k->c, d, "time goes on with  after 5min { … }  or  at 06:30 { … }");
        return;
    }
    if (s->test->days & (s->test->days - 1))
        (void)diag_error(w->k->c, "P1", s->span, "several days", "a test starts on one day");
    w->test->start_s = s->test->at_s;
    for (uint8_t day = 0; day < 7; day++)
        if (s->test->days >> day & 1) {
            w->test->start_day = day;
            break;
        }
}

static void walk_stmt(struct walk *w, const struct stmt *s)
{
    if (s->test->kind == TEST_START)
        walk_start(w, s);
    w->begun = true;
    switch (s->test->kind) {
    case TEST_SET: step_set(w, s); break;
    case TEST_SILENT: step_silent(w, s); break;
    case TEST_REFUSES: step_refuses(w, s); break;
    case TEST_EVENT: step_event(w, s); break;
    case TEST_AFTER: walk_after(w, s); break;
    case TEST_AT: walk_at(w, s); break;
    case TEST_START: break;
    case TEST_ACTION: step_action(w, s); break;
    case TEST_HOST: step_host(w, s); break;
    case TEST_VALUE: s->test->var ? step_var(w, s) : step_value(w, s); break;
    }
}

static void walk_stmts(struct walk *w, const struct stmt_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        walk_stmt(w, list->v[i]);
}

/* ---- all of them ------------------------------------------------------------------------- */

static void check_test(struct checker *k, const struct test_decl *t)
{
    struct lang_test *out = ctx_new(k->c, sizeof(*out));
    struct walk w = {.k = k, .test = out};
    out->name = ctx_str(k->c, t->text);
    out->source = t->span.source;
    out->line = ctx_line(k->c, t->span);
    walk_stmts(&w, &t->body);
    out->steps = ctx_kept(k->c, &w.steps);
    out->steps_n = w.steps.n;
    ctx_tree_push(k->c, &k->tests, out);
}

void check_tests(struct checker *k)
{
    struct map names;
    struct fn_frame frame;
    map_init(&names, &k->c->tree_alloc, 1, LANG_NAMES_MAX);
    frame_begin(k, &frame, FRAME_PROGRAM, NULL, NULL);
    k->frame = &frame;
    k->mode = MODE_CONST;
    for (size_t i = 0; i < k->syntax->tests.n; i++) {
        struct test_decl *t = k->syntax->tests.v[i];
        struct test_decl *first = map_get(&names, t->text);
        if (first)
            declared_twice(k, t->text, t->name_span, first->name_span);
        else
            map_set(k, &names, t->text, t);
        check_test(k, t);
    }
    k->frame = NULL;
}
