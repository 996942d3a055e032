/* Literals of lists, maps, records and channels. */
#include "lang/check_internal.h"

#include <stdio.h>

/* ---- lists and maps ---------------------------------------------------------------------- */

/* The common type of every `step`th value, or `want` if that is given. */
static bool elements(struct checker *k, struct expr_list *l, size_t from, size_t step,
                     const struct lang_type *want, const char *what, struct lang_type *out)
{
    bool fine = true, any = false;
    struct lang_type first = type_plain(LANG_TYPE_NONE);
    const struct expr *first_expr = NULL;
    for (size_t i = from; i < l->n; i += step) {
        struct expr *e = l->v[i];
        const struct lang_type *hint = want ? want : any ? out : NULL;
        if (!check_value(k, e, hint, OWN_STORED)) {
            fine = false;
        } else if (want) {
            fine = check_fits(k, want, e, what, (struct lang_span){0}) && fine;
        } else if (!any) {
            *out = first = e->type;
            first_expr = e;
            any = true;
        } else {
            fine = unify(k, out, &first, first_expr, e, what) && fine;
        }
    }
    if (want)
        *out = *want;
    return fine;
}

static void says_nothing(struct checker *k, struct expr *e, const char *what, const char *example)
{
    struct lang_diag *d =
        diag_error(k->c, "T1", e->span, "of what?", "%s says nothing of its type", what);
    diag_help(k->c, d, "say it:  %s", example);
    expr_bad(e);
}

void check_list(struct checker *k, struct expr *e, const struct lang_type *want)
{
    bool typed = want && want->kind == LANG_TYPE_LIST;
    struct lang_type element = type_plain(LANG_TYPE_NONE);
    if (e->list.n == 0 && want && want->kind == LANG_TYPE_MAP) {
        struct lang_diag *d =
            diag_error(k->c, "T1", e->span, "a list", "`[]` is an empty list, not a map");
        diag_help(k->c, d, "an empty map is written `[:]`");
        expr_bad(e);
        return;
    }
    if (!elements(k, &e->list, 0, 1, typed ? &want->args[0] : NULL, "an element of this list",
                  &element)) {
        expr_bad(e);
        return;
    }
    if (element.kind == LANG_TYPE_NONE) {
        says_nothing(k, e, e->list.n == 0 ? "an empty list" : "a list of none",
                     "let a: list<int> = …");
        return;
    }
    for (size_t i = 0; i < e->list.n; i++)
        none_settle(e->list.v[i], &element);
    e->type = type_list(k, &element);
}

static void key_twice(struct checker *k, struct expr *e)
{
    struct map seen;
    map_init(&seen, &k->c->tree_alloc, 1, LANG_NAMES_MAX);
    for (size_t i = 0; i < e->list.n; i += 2) {
        struct expr *key = e->list.v[i];
        if (!key->constant)
            continue;
        struct str text = fold_text(k, key);
        struct expr *first = map_get(&seen, text);
        if (!first) {
            map_set(k, &seen, text, key);
            continue;
        }
        struct lang_diag *d = diag_error(k->c, "N2", key->span, "a second time",
                                         "this map has the key `%.*s` twice", STR_FMT(text));
        diag_mark(k->c, d, first->span, "the first one");
    }
}

void check_map(struct checker *k, struct expr *e, const struct lang_type *want)
{
    bool typed = want && want->kind == LANG_TYPE_MAP;
    struct lang_type key = type_plain(LANG_TYPE_NONE), value = key;
    bool fine =
        elements(k, &e->list, 0, 2, typed ? &want->args[0] : NULL, "a key of this map", &key);
    fine =
        elements(k, &e->list, 1, 2, typed ? &want->args[1] : NULL, "a value of this map", &value) &&
        fine;
    if (fine && key.kind == LANG_TYPE_NONE) {
        says_nothing(k, e, e->list.n == 0 ? "an empty map" : "a map of none",
                     "let m: map<str, int> = …");
        return;
    }
    if (fine && value.kind == LANG_TYPE_NONE) {
        says_nothing(k, e, "a map of none", "let m: map<str, int?> = …");
        return;
    }
    if (!fine || (e->list.n > 0 && !check_key_type(k, &key, e->list.v[0]->span))) {
        expr_bad(e);
        return;
    }
    for (size_t i = 1; i < e->list.n; i += 2)
        none_settle(e->list.v[i], &value);
    key_twice(k, e);
    e->type = type_map(k, &key, &value);
}

/* ---- records ----------------------------------------------------------------------------- */

static const struct type_decl *record_of(struct checker *k, const struct expr *e)
{
    struct str name = e->path[0].text;
    const struct type_decl *t = e->path_n == 1 ? map_get(&k->defs, name) : NULL;
    if (t && !t->is_enum)
        return t;
    struct lang_diag *d;
    if (t) {
        d = diag_error(k->c, "T1", e->path[0].span, "an enum", "`%.*s` is an enum, not a record",
                       STR_FMT(name));
        diag_help(k->c, d, "name one of its values:  %.*s.%.*s", STR_FMT(name),
                  STR_FMT(t->n ? t->values[0].text : STR("…")));
        return NULL;
    }
    struct suggest s = suggest_for(k->c, name);
    for (size_t i = 0; i < k->syntax->types.n; i++)
        if (!k->syntax->types.v[i]->is_enum)
            suggest_offer(&s, k->syntax->types.v[i]->name.text);
    d = diag_error(k->c, "N1", e->path[0].span, "unknown", "there is no record `%.*s`",
                   STR_FMT(name));
    if (suggest_found(&s))
        diag_help(k->c, d, "did you mean `%.*s`?", STR_FMT(s.best));
    else
        diag_help(k->c, d, "declare it:  record %.*s { … }", STR_FMT(name));
    return NULL;
}

static void unknown_field(struct checker *k, const struct lang_typedef *def, struct name n)
{
    struct suggest s = suggest_for(k->c, n.text);
    for (size_t i = 0; i < def->fields_n; i++)
        suggest_offer(&s, def->fields[i].name);
    struct lang_diag *d = diag_error(k->c, "N1", n.span, "unknown", "%.*s has no field `%.*s`",
                                     STR_FMT(def->name), STR_FMT(n.text));
    if (suggest_found(&s))
        diag_help(k->c, d, "did you mean `%.*s`?", STR_FMT(s.best));
}

static size_t field_number(const struct lang_typedef *def, struct str name)
{
    size_t i = 0;
    while (i < def->fields_n && !str_eq(def->fields[i].name, name))
        i++;
    return i;
}

static struct expr *none_at(struct checker *k, struct lang_span at)
{
    struct expr *e = ctx_tree_new(k->c, sizeof(*e));
    e->kind = E_NONE;
    e->height = 1;
    e->span = at;
    return e;
}

/* Named fields are put in the order of the record; what may be none may be left out. */
static bool in_order(struct checker *k, struct expr *e, const struct type_decl *t)
{
    const struct lang_typedef *def = t->def;
    struct expr **v = ctx_tree_array(k->c, def->fields_n, sizeof(*v));
    bool fine = true;
    for (size_t i = 0; i < e->list.n; i++) {
        size_t f = field_number(def, e->names[i].text);
        if (f == def->fields_n) {
            unknown_field(k, def, e->names[i]);
            fine = false;
        } else if (v[f]) {
            (void)diag_error(k->c, "N2", e->names[i].span, "a second time", "`%.*s` is given twice",
                             STR_FMT(e->names[i].text));
            fine = false;
        } else {
            v[f] = e->list.v[i];
        }
    }
    for (size_t f = 0; f < def->fields_n && fine; f++) {
        if (v[f])
            continue;
        if (def->fields[f].type.optional) {
            v[f] = none_at(k, e->path[0].span);
            continue;
        }
        struct lang_diag *d =
            diag_error(k->c, "T1", e->span, "not complete", "the field `%.*s` of %.*s is missing",
                       STR_FMT(def->fields[f].name), STR_FMT(def->name));
        diag_mark(k->c, d, t->fields[f].name.span, "declared here");
        fine = false;
    }
    if (!fine)
        return false;
    e->list = (struct expr_list){v, def->fields_n};
    e->names = NULL;
    return true;
}

static bool all_fields(struct checker *k, struct expr *e, const struct type_decl *t)
{
    if (e->names)
        return in_order(k, e, t);
    if (e->list.n == t->def->fields_n)
        return true;
    struct lang_diag *d = diag_error(k->c, "T1", e->span, "wrong number of fields",
                                     "%.*s has %zu field%s, not %zu", STR_FMT(t->def->name),
                                     t->def->fields_n, t->def->fields_n == 1 ? "" : "s", e->list.n);
    diag_mark(k->c, d, t->name.span, "declared here");
    diag_help(k->c, d, "give them in their order, or by name:  %.*s{%.*s: …}",
              STR_FMT(t->def->name),
              STR_FMT(t->def->fields_n ? t->def->fields[0].name : STR("field")));
    return false;
}

void check_record(struct checker *k, struct expr *e)
{
    const struct type_decl *t = record_of(k, e);
    if (!t || !all_fields(k, e, t)) {
        look_at_list(k, e);
        expr_bad(e);
        return;
    }
    bool fine = true;
    for (size_t i = 0; i < t->def->fields_n; i++) {
        const struct lang_field *f = &t->def->fields[i];
        if (f->type.kind == LANG_TYPE_NONE) { /* its type is wrong, which is reported */
            check_expr(k, e->list.v[i]);
            fine = false;
            continue;
        }
        fine = check_value_fits(k, e->list.v[i], &f->type, OWN_STORED, quoted(k, f->name),
                                t->fields[i].name.span) &&
               fine;
    }
    if (!fine) {
        expr_bad(e);
        return;
    }
    e->type = type_plain(LANG_TYPE_RECORD);
    e->type.def = t->def;
}

/* ---- channels ---------------------------------------------------------------------------- */

static bool chan_size(struct checker *k, struct expr *e)
{
    struct lang_type want = type_plain(LANG_TYPE_INT);
    if (!check_value_fits(k, e->a, &want, OWN_STORED, "the size of a channel",
                          (struct lang_span){0}))
        return false;
    if (!e->a->constant || (e->a->value.i >= 1 && e->a->value.i <= LANG_CHAN_MAX))
        return true;
    (void)diag_error(k->c, "T1", e->a->span, "out of range", "a channel holds 1 to %u values",
                     LANG_CHAN_MAX);
    return false;
}

/* What sits in a channel that nobody has any more would be owned by nobody, and never become safe.
 * So one of handles is there as long as its program, which empties it when it stops. */
static bool lost_channel(struct checker *k, const struct expr *e)
{
    struct lang_diag *d =
        diag_error(k->c, "O5", e->span, "not here",
                   "a channel of handles is made in a `let` of the program itself");
    diag_help(k->c, d,
              "a channel of handles lives as long as its program: make it with `let` there and "
              "hand it to the task");
    return false;
}

static bool channel_stays(struct checker *k, const struct expr *e)
{
    if (e->own_arg && e != k->let_value)
        /* check: O5 channel */
        return lost_channel(k, e);
    return true;
}

void check_chan(struct checker *k, struct expr *e)
{
    struct lang_type arg = type_plain(LANG_TYPE_NONE);
    struct type_ref given = {e->type_arg->span, true, e->type_arg};
    bool fine = e->own_arg ? type_resolve_any(k, &given, &arg) : type_resolve(k, &given, &arg);
    if (fine && e->own_arg && (arg.kind != LANG_TYPE_HANDLE || arg.optional)) {
        struct lang_diag *d =
            diag_error(k->c, "T1", given.span, "not a model", "`own` hands %s over, this is %.*s",
                       noun_many(k->c, NOUN_RESOURCE), STR_FMT(type_phrase(k, &arg)));
        diag_help(k->c, d, "data goes through a channel without `own`:  chan<%.*s>(8)",
                  STR_FMT(type_text(k, &arg)));
        fine = false;
    }
    fine = chan_size(k, e) && fine;
    if (!fine || k->mode == MODE_CONST || k->mode == MODE_CONDITION) {
        if (fine)
            (void)diag_error(k->c, "T1", e->span, "not here",
                             "a channel is made in a `let`, or in "
                             "a body");
        expr_bad(e);
        return;
    }
    if (!channel_stays(k, e)) {
        expr_bad(e);
        return;
    }
    e->type = type_plain(LANG_TYPE_CHAN);
    e->type.own = e->own_arg;
    e->type.args = types_intern(k, &arg, 1);
    e->type.args_n = 1;
}
