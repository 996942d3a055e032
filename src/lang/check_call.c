/* Calls: functions, the built-in ones, and commands. */
#include "lang/check_internal.h"

#include <math.h>
#include <stdio.h>

static void bad(struct expr *e)
{
    e->bad = true;
    e->type = type_plain(LANG_TYPE_NONE);
}

/* Checks the arguments; false if one of them was reported. */
static bool check_list(struct checker *k, struct expr *e)
{
    bool fine = true;
    for (size_t i = 0; i < e->list.n; i++) {
        check_expr(k, e->list.v[i]);
        fine = fine && !e->list.v[i]->bad;
    }
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

/* ---- built-in functions ------------------------------------------------------------------ */

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
    struct prog *p = k->prog;
    uint32_t w = 0;
    while (w < p->windows.n &&
           (p->windows.v[w].binding != r->index || p->windows.v[w].duration_ms != ms))
        w++;
    if (w == LANG_WINDOWS_MAX) {
        (void)diag_error(k->c, "P1", e->span, "one too many", "a program has at most %u slopes",
                         LANG_WINDOWS_MAX);
        return false;
    }
    if (w == p->windows.n)
        ctx_tree_push(k->c, &p->windows, (struct lang_window){r->index, ms});
    e->index = w;
    e->type = (struct lang_type){.kind = LANG_TYPE_FLOAT, .unit = unit_per_minute(&r->type.unit)};
    struct lang_unit d = unit_difference(&r->type.unit);
    e->type.unit.symbol = ctx_strf(k->c, "%.*s/min", STR_FMT(d.symbol.n ? d.symbol : STR("1")));
    return true;
}

static bool all_numbers(struct checker *k, struct expr *e)
{
    for (size_t i = 0; i < e->list.n; i++)
        if (!is_number(&e->list.v[i]->type)) {
            (void)diag_error(k->c, "T1", e->list.v[i]->span, "not a number",
                             "`%.*s` wants numbers, this is %.*s", STR_FMT(e->text),
                             STR_FMT(type_phrase(k, &e->list.v[i]->type)));
            return false;
        }
    return true;
}

static bool call_min_max(struct checker *k, struct expr *e)
{
    if (!count_is(k, e, 2, CODE_ARGS_MAX, NULL) || !check_list(k, e) || !all_numbers(k, e))
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
    if (!count_is(k, e, 1, 1, NULL) || !check_list(k, e) || !all_numbers(k, e))
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

/* Without a unit a whole number comes out; with one it is rounded in that unit. */
static bool call_round(struct checker *k, struct expr *e)
{
    if (!count_is(k, e, 1, 1, NULL) || !check_list(k, e) || !all_numbers(k, e))
        return false;
    e->type = e->list.v[0]->type;
    if (unit_is_plain(&e->type.unit))
        e->type = type_plain(LANG_TYPE_INT);
    return true;
}

/* Only in bodies: nothing would look at a condition again because time goes by. */
static bool call_now(struct checker *k, struct expr *e)
{
    if (!count_is(k, e, 0, 0, "now()"))
        return false;
    e->type = type_plain(LANG_TYPE_TIME);
    if (k->mode == MODE_BODY)
        return true;
    struct lang_diag *d =
        diag_error(k->c, "T1", e->span, "not here", "now() stands in the body of a rule only");
    diag_help(k->c, d, "a condition waits with `for`; `every` runs again and again");
    return false;
}

static bool call_builtin(struct checker *k, struct expr *e, bool *found)
{
    static const struct {
        const char *name;
        enum builtin builtin;
        bool (*check)(struct checker *k, struct expr *e);
    } table[] = {
        {"slope", BUILTIN_SLOPE, call_slope}, {"abs", BUILTIN_ABS, call_abs},
        {"min", BUILTIN_MIN, call_min_max},   {"max", BUILTIN_MAX, call_min_max},
        {"round", BUILTIN_ROUND, call_round}, {"now", BUILTIN_NOW, call_now},
    };
    *found = false;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (e->path_n != 1 || !str_eq(e->text, str_from(table[i].name)))
            continue;
        *found = true;
        if (k->mode == MODE_CONST) {
            (void)diag_error(k->c, "T1", e->span, "not constant", "no calls in a constant");
            return false;
        }
        e->ref = REF_BUILTIN;
        e->builtin = table[i].builtin;
        return table[i].check(k, e);
    }
    return true;
}

/* ---- functions of the site and of the program -------------------------------------------- */

struct fn_decl *find_fn(const struct checker *k, struct str name)
{
    for (size_t i = 0; k->prog && i < k->prog->fns.n; i++)
        if (str_eq(k->prog->fns.v[i]->name.text, name))
            return k->prog->fns.v[i];
    return map_get(&k->fns, name);
}

static void unknown_function(struct checker *k, struct expr *e)
{
    struct suggest s = suggest_for(k->c, e->text);
    static const char *const builtins[] = {"slope", "abs", "min", "max", "round", "now"};
    for (size_t i = 0; i < ARRAY_LEN(builtins); i++)
        suggest_offer(&s, str_from(builtins[i]));
    for (size_t i = 0; i < k->syntax->fns.n; i++)
        suggest_offer(&s, k->syntax->fns.v[i]->name.text);
    for (size_t i = 0; k->prog && i < k->prog->fns.n; i++)
        suggest_offer(&s, k->prog->fns.v[i]->name.text);
    for (size_t i = 0; i < k->c->schema->statements_n; i++)
        suggest_offer(&s, str_from(k->c->schema->statements[i].word));
    const struct sym *sym = sym_find(k, e->path[0].text);
    struct lang_diag *d = sym ? diag_error(k->c, "T1", e->path[0].span, "not a function",
                                           "`%.*s` is not a function", STR_FMT(e->text))
                              : diag_error(k->c, "N1", e->path[0].span, "unknown",
                                           "there is no function `%.*s`", STR_FMT(e->text));
    if (!sym && suggest_found(&s))
        diag_help(k->c, d, "did you mean `%.*s`?", STR_FMT(s.best));
}

static bool args_fit(struct checker *k, struct expr *e, const struct lang_param *params, size_t n,
                     struct lang_span declared)
{
    if (e->list.n != n) {
        struct lang_diag *d = diag_error(k->c, "T1", e->span, "wrong number of arguments",
                                         "`%.*s` takes %zu argument%s, not %zu", STR_FMT(e->text),
                                         n, n == 1 ? "" : "s", e->list.n);
        diag_mark(k->c, d, declared, "declared here");
        return false;
    }
    bool fine = true;
    for (size_t i = 0; i < n; i++) {
        char what[80];
        (void)snprintf(what, sizeof(what), "`%.*s`",
                       (int)(params[i].name.n > 60 ? 60 : params[i].name.n), params[i].name.p);
        fine = check_fits(k, &params[i].type, e->list.v[i], what, params[i].span) && fine;
    }
    return fine;
}

static bool call_function(struct checker *k, struct expr *e)
{
    struct fn_decl *fn = find_fn(k, e->text);
    if (!fn) {
        (void)check_list(k, e);
        unknown_function(k, e);
        return false;
    }
    if (k->mode == MODE_CONST) {
        (void)diag_error(k->c, "T1", e->span, "not constant", "no calls in a constant");
        return false;
    }
    bool fine = check_list(k, e);
    if (fn->bad)
        return false;
    e->ref = REF_FN;
    e->fn = fn;
    e->type = fn->result_type;
    return fine && args_fit(k, e, fn->param_types, fn->params_n, fn->name.span);
}

/* ---- commands ---------------------------------------------------------------------------- */

static void unknown_command(struct checker *k, const struct lang_decl *r, struct name n)
{
    struct suggest s = suggest_for(k->c, n.text);
    for (size_t i = 0; i < r->type->members_n; i++)
        if (r->type->members[i].role == LANG_CLAUSE_COMMAND)
            suggest_offer(&s, r->type->members[i].name);
    const struct lang_member *m = lang_decl_member(r->type, n.text);
    struct lang_diag *d =
        diag_error(k->c, "N1", n.span, m ? "not an action" : "unknown", "%.*s has no action `%.*s`",
                   STR_FMT(r->type->name), STR_FMT(n.text));
    if (suggest_found(&s))
        diag_help(k->c, d, "did you mean `%.*s`?", STR_FMT(s.best));
    else if (r->type->commands_n == 0)
        diag_help(k->c, d, "%.*s has no actions at all", STR_FMT(r->type->name));
}

static bool command_allowed(struct checker *k, struct expr *e)
{
    if (k->mode == MODE_BODY)
        return true;
    (void)diag_error(k->c, k->mode == MODE_FN ? "O3" : "T1", e->span, "a command",
                     k->mode == MODE_CONDITION ? "a condition only looks: it can't command"
                     : k->mode == MODE_FN      ? "a function can't command: it owns nothing"
                                               : "a constant can't command");
    return false;
}

/* handle.command(arguments) */
static bool call_command(struct checker *k, struct expr *e)
{
    struct name last = e->path[e->path_n - 1];
    struct target t;
    bool args = check_list(k, e);
    if (!resolve(k, e->path, e->path_n - 1, &t))
        return false;
    if (!t.resource) {
        const struct lang_decl *type =
            t.sym->kind == SYM_READ ? k->prog->bindings.v[t.sym->index].resource->type : NULL;
        const struct lang_member *meant = type ? lang_decl_member(type, last.text) : NULL;
        if (meant && meant->role == LANG_CLAUSE_COMMAND) {
            own_refuse(k, k->prog->bindings.v[t.sym->index].resource, e->span,
                       "only read here: nobody commands through a `read`");
            return false;
        }
        (void)diag_error(k->c, "T1", e->path[0].span, "no device",
                         "`%.*s` is %.*s and has no actions", STR_FMT(t.sym->name),
                         STR_FMT(type_phrase(k, &t.sym->type)));
        return false;
    }
    const struct lang_decl *r = t.resource;
    if (t.used < e->path_n - 1) {
        (void)diag_error(k->c, "N1", e->path[t.used].span, "unknown", "%.*s has no `%.*s`",
                         STR_FMT(r->name), STR_FMT(e->path[t.used].text));
        return false;
    }
    if (r->kind->role != LANG_ROLE_RESOURCE || !r->type || r->type->damaged) {
        if (r->kind->role != LANG_ROLE_RESOURCE)
            (void)diag_error(k->c, "T1", e->span, "not one thing",
                             "%.*s is a %s and has no actions", STR_FMT(r->name), r->kind->word);
        return false;
    }
    const struct lang_member *m = lang_decl_member(r->type, last.text);
    if (!m || m->role != LANG_CLAUSE_COMMAND) {
        unknown_command(k, r, last);
        return false;
    }
    bool owned = t.sym && t.direct && t.sym->kind == SYM_OWN;
    if (!owned) {
        bool reading = t.sym && t.direct && t.sym->kind == SYM_READ_ALL;
        own_refuse(k, r, e->span, reading ? "only read here" : "not owned here");
        return false;
    }
    if (!command_allowed(k, e))
        return false;
    e->ref = REF_COMMAND;
    e->index = t.sym->index;
    e->member = m;
    return args && args_fit(k, e, m->params, m->params_n, m->span);
}

void check_call(struct checker *k, struct expr *e)
{
    bool found, fine = true;
    if (e->list.n > CODE_ARGS_MAX) {
        (void)diag_error(k->c, "P1", e->span, "too many", "a call has at most %u arguments",
                         CODE_ARGS_MAX);
        bad(e);
        return;
    }
    fine = call_builtin(k, e, &found);
    if (!found)
        fine = e->path_n > 1 ? call_command(k, e) : call_function(k, e);
    if (!fine)
        bad(e);
}
