/* Types as written, and the records and enums of the site. */
#include "lang/check_internal.h"

#include <stdio.h>

static bool resolve_syntax(struct checker *k, const struct type_syntax *s, bool handles,
                           struct lang_type *out);

/* ---- names of types ---------------------------------------------------------------------- */

static bool like_unit(struct str name)
{
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] == '/' || name.p[i] == '*' || (unsigned char)name.p[i] > 127)
            return true;
    return false;
}

static void unknown_type(struct checker *k, struct lang_span span, struct str name)
{
    struct suggest s = suggest_for(k->c, name);
    static const char *const words[] = {"bool", "int",  "float", "str", "duration",
                                        "time", "list", "map",   "chan"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        suggest_offer(&s, str_from(words[i]));
    for (size_t i = 0; i < k->syntax->types.n; i++)
        suggest_offer(&s, k->syntax->types.v[i]->name.text);
    for (size_t i = 0; i < k->syntax->decls.n; i++)
        if (k->syntax->decls.v[i].decl->kind->role == LANG_ROLE_TYPE)
            suggest_offer(&s, k->syntax->decls.v[i].decl->name);
    struct str unit = unit_suggest(name);
    struct lang_diag *d;
    if (like_unit(name) || unit.n > 0)
        d = diag_error(k->c, "U2", span, "unknown unit", "there is no unit `%.*s`", STR_FMT(name));
    else
        d = diag_error(k->c, "N1", span, "unknown", "there is no type, unit or model `%.*s`",
                       STR_FMT(name));
    if (unit.n > 0)
        diag_help(k->c, d, "did you mean `%.*s`?", STR_FMT(unit));
    else if (suggest_found(&s))
        diag_help(k->c, d, "did you mean `%.*s`?", STR_FMT(s.best));
    else
        diag_help(k->c, d,
                  "types are bool, int, float, str, duration, time, a unit like °C, list<…>, "
                  "map<…>, a record, an enum or a model");
}

static void handle_kept(struct checker *k, struct lang_span span, struct str model)
{
    struct lang_diag *d = diag_error(k->c, "O1", span, "a handle",
                                     "a %.*s is owned or read, not kept as data", STR_FMT(model));
    diag_help(k->c, d, "keep what it measures, or hand the %s itself on:  own x: %.*s",
              noun(k->c, NOUN_RESOURCE), STR_FMT(model));
}

static bool named(struct checker *k, struct lang_span span, bool handles, struct lang_type *out)
{
    if (type_of_text(k->c, span, out))
        return true;
    struct str name = ctx_text(k->c, span);
    const struct type_decl *def = map_get(&k->defs, name);
    if (def) {
        *out = type_plain(def->is_enum ? LANG_TYPE_ENUM : LANG_TYPE_RECORD);
        out->def = def->def;
        return true;
    }
    *out = type_plain(LANG_TYPE_HANDLE);
    out->model = find_type(k, name);
    if (!out->model) {
        unknown_type(k, span, name);
        return false;
    }
    if (!handles) {
        /* check: O1 type */
        handle_kept(k, span, name);
    }
    return handles;
}

/* ---- composite types --------------------------------------------------------------------- */

bool check_key_type(struct checker *k, const struct lang_type *t, struct lang_span at)
{
    bool fine = t->kind == LANG_TYPE_INT || t->kind == LANG_TYPE_STR || t->kind == LANG_TYPE_BOOL ||
                t->kind == LANG_TYPE_TIME || t->kind == LANG_TYPE_ENUM;
    if (fine && !t->optional)
        return true;
    struct lang_diag *d = diag_error(k->c, "T1", at, "no key",
                                     "`%.*s` is no type for the keys of "
                                     "a map",
                                     STR_FMT(type_text(k, t)));
    diag_help(k->c, d, "keys are int, str, bool, time or an enum");
    return false;
}

static bool args_of(struct checker *k, const struct type_syntax *s, bool handles,
                    struct lang_type *args)
{
    bool fine = true;
    for (size_t i = 0; i < s->args_n; i++)
        fine = resolve_syntax(k, s->args[i], handles, &args[i]) && fine;
    return fine;
}

static bool own_channel(struct checker *k, const struct type_syntax *s, const struct lang_type *arg)
{
    if (arg->kind == LANG_TYPE_HANDLE && !arg->optional)
        return true;
    struct lang_diag *d =
        diag_error(k->c, "T1", s->args[0]->span, "not a model", "`own` hands %s over, this is %.*s",
                   noun_many(k->c, NOUN_RESOURCE), STR_FMT(type_phrase(k, arg)));
    diag_help(k->c, d, "data goes through a channel without `own`:  chan<%.*s>",
              STR_FMT(type_text(k, arg)));
    return false;
}

static bool composite(struct checker *k, const struct type_syntax *s, struct lang_type *out)
{
    struct lang_type args[CODE_ARGS_MAX + 1];
    size_t n = s->args_n;
    if (n > CODE_ARGS_MAX) {
        (void)diag_error(k->c, "P1", s->span, "too many", "a function has at most %u parameters",
                         CODE_ARGS_MAX);
        return false;
    }
    if (!args_of(k, s, s->own, args))
        return false;
    switch (s->shape) {
    case TYPE_SHAPE_LIST: *out = type_list(k, &args[0]); return true;
    case TYPE_SHAPE_MAP:
        *out = type_map(k, &args[0], &args[1]);
        return check_key_type(k, &args[0], s->args[0]->span);
    case TYPE_SHAPE_CHAN:
        if (s->own && !own_channel(k, s, &args[0]))
            return false;
        *out = type_plain(LANG_TYPE_CHAN);
        out->own = s->own;
        break;
    default:
        *out = type_plain(LANG_TYPE_FN);
        args[n] = type_plain(LANG_TYPE_NONE);
        if (s->result && !resolve_syntax(k, s->result, false, &args[n]))
            return false;
        n++;
        break;
    }
    out->args = types_intern(k, args, n);
    out->args_n = (uint8_t)n;
    return true;
}

static bool resolve_syntax(struct checker *k, const struct type_syntax *s, bool handles,
                           struct lang_type *out)
{
    bool fine =
        s->shape == TYPE_SHAPE_NAME ? named(k, s->span, handles, out) : composite(k, s, out);
    if (!fine || !s->optional)
        return fine;
    if (out->kind == LANG_TYPE_HANDLE) {
        (void)diag_error(k->c, "T1", s->span, "never none",
                         "a handle is always there: no `?` here");
        return false;
    }
    out->optional = true;
    return true;
}

bool type_resolve_any(struct checker *k, const struct type_ref *ref, struct lang_type *out)
{
    bool fine = ref->syntax && resolve_syntax(k, ref->syntax, true, out);
    if (!fine)
        *out = type_plain(LANG_TYPE_NONE);
    return fine;
}

bool type_resolve(struct checker *k, const struct type_ref *ref, struct lang_type *out)
{
    bool fine = ref->syntax && resolve_syntax(k, ref->syntax, false, out);
    if (!fine)
        *out = type_plain(LANG_TYPE_NONE);
    return fine;
}

/* ---- records and enums ------------------------------------------------------------------- */

static void declare_def(struct checker *k, struct type_decl *t)
{
    struct lang_typedef *def = ctx_new(k->c, sizeof(*def));
    def->name = t->name.text;
    def->is_enum = t->is_enum;
    t->def = def;
    struct type_decl *first = map_get(&k->defs, t->name.text);
    const struct lang_decl *model = find_type(k, t->name.text);
    struct lang_type known;
    if (first || model) {
        declared_twice(k, t->name.text, t->name.span, first ? first->name.span : model->name_span);
        return;
    }
    if (type_of_text(k->c, t->name.span, &known))
        (void)diag_error(k->c, "N2", t->name.span, "taken", "`%.*s` is a %s", STR_FMT(t->name.text),
                         known.kind == LANG_TYPE_FLOAT && known.unit.symbol.n ? "unit" : "type");
    map_set(k, &k->defs, t->name.text, t);
}

void declare_defs(struct checker *k)
{
    map_init(&k->defs, &k->c->tree_alloc, 1, LANG_NAMES_MAX);
    map_init(&k->args, &k->c->tree_alloc, 1, LANG_NAMES_MAX);
    uint32_t enums = 0;
    for (size_t i = 0; i < k->syntax->types.n; i++) {
        struct type_decl *t = k->syntax->types.v[i];
        declare_def(k, t);
        t->def->index = t->is_enum ? enums++ : (uint32_t)k->records.n;
        if (!t->is_enum)
            ctx_tree_push(k->c, &k->records, t->def);
    }
}

static bool too_many(struct checker *k, const struct type_decl *t)
{
    uint32_t max = t->is_enum ? LANG_ENUM_MAX : LANG_FIELDS_MAX;
    if (t->n == 0)
        (void)diag_error(k->c, "P1", t->name.span, "empty", "`%.*s` has no %s",
                         STR_FMT(t->name.text), t->is_enum ? "values" : "fields");
    if (t->n > max)
        (void)diag_error(k->c, "P1", t->name.span, "too many", "%s has at most %u %s",
                         t->is_enum ? "an enum" : "a record", max,
                         t->is_enum ? "values" : "fields");
    return t->n > max;
}

static void check_def(struct checker *k, struct type_decl *t)
{
    struct lang_field *fields = ctx_array(k->c, t->n, sizeof(*fields));
    struct map names;
    map_init(&names, &k->c->tree_alloc, 1, LANG_NAMES_MAX);
    if (too_many(k, t))
        return;
    size_t n = 0;
    for (size_t i = 0; i < t->n; i++) {
        struct name *name = t->is_enum ? &t->values[i] : &t->fields[i].name;
        struct name *first = map_get(&names, name->text);
        struct lang_type type = type_plain(LANG_TYPE_NONE);
        if (!t->is_enum)
            (void)type_resolve(k, &t->fields[i].type, &type);
        if (first) {
            declared_twice(k, name->text, name->span, first->span);
            continue;
        }
        map_set(k, &names, name->text, name);
        fields[n++] = (struct lang_field){name->text, type};
    }
    t->def->fields = fields;
    t->def->fields_n = n;
}

/* Records that a value of this one always has inside of it. */
struct inside {
    VEC(const struct lang_typedef *) all;
    bool *seen; /* by index */
};

static void inside_add(struct checker *k, struct inside *in, const struct lang_typedef *def)
{
    for (size_t i = 0; i < def->fields_n; i++) {
        const struct lang_type *t = &def->fields[i].type;
        if (t->kind != LANG_TYPE_RECORD || t->optional || in->seen[t->def->index])
            continue;
        in->seen[t->def->index] = true;
        ctx_tree_push(k->c, &in->all, t->def);
    }
}

/* Whether a value of `def` needs one of `goal`, which is never built then. */
static bool needs(struct checker *k, const struct lang_typedef *def,
                  const struct lang_typedef *goal)
{
    struct inside in = {.seen = ctx_tree_array(k->c, k->records.n, sizeof(bool))};
    inside_add(k, &in, def);
    for (size_t i = 0; i < in.all.n; i++)
        inside_add(k, &in, in.all.v[i]);
    return def == goal || in.seen[goal->index];
}

static void check_endless(struct checker *k, const struct type_decl *t)
{
    for (size_t i = 0; i < t->def->fields_n; i++) {
        const struct lang_type *type = &t->def->fields[i].type;
        if (type->kind != LANG_TYPE_RECORD || type->optional || !needs(k, type->def, t->def))
            continue;
        struct lang_span at = t->name.span;
        for (size_t q = 0; q < t->n; q++)
            if (str_eq(t->fields[q].name.text, t->def->fields[i].name))
                at = t->fields[q].type.span;
        struct lang_diag *d =
            diag_error(k->c, "T1", at, "needs another one", "a %.*s always needs another %.*s",
                       STR_FMT(t->name.text), STR_FMT(t->name.text));
        diag_help(k->c, d, "let it end somewhere:  %.*s: %.*s?", STR_FMT(t->def->fields[i].name),
                  STR_FMT(type->def->name));
        return;
    }
}

/* A record with something in it that has no copy has none itself. */
static void find_uncopyable(struct checker *k)
{
    k->uncopyable = ctx_tree_array(k->c, k->records.n, sizeof(*k->uncopyable));
    for (bool changed = true; changed;) {
        changed = false;
        for (size_t i = 0; i < k->records.n; i++)
            for (size_t f = 0; f < k->records.v[i]->fields_n && !k->uncopyable[i]; f++)
                if (!type_copyable(k, &k->records.v[i]->fields[f].type))
                    changed = k->uncopyable[i] = true;
    }
}

void check_defs(struct checker *k)
{
    for (size_t i = 0; i < k->syntax->types.n; i++)
        check_def(k, k->syntax->types.v[i]);
    find_uncopyable(k);
    for (size_t i = 0; i < k->syntax->types.n; i++)
        if (!k->syntax->types.v[i]->is_enum)
            check_endless(k, k->syntax->types.v[i]);
}
