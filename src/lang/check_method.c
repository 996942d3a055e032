/* Methods of texts, lists, maps and channels. */
#include "lang/check_internal.h"

#include <stdio.h>

#define CHANGES 0x1u /* not in a condition or a constant */
#define WAITS   0x2u
#define ORDERED 0x4u /* the elements must have an order */
#define EQUAL   0x8u /* the elements must be comparable */

/* Types of arguments and of the result: s str, i int, b bool, e element or value, k key, I int?,
 * F float?, E element or value that may be none, S list of str, K list of keys, V list of values,
 * L the list itself, m list of what the function gives, - nothing; f function of an element that
 * says yes or no, g one that gives anything. */
static const struct row {
    enum lang_type_kind kind;
    const char *name;
    enum method method;
    const char *args;
    char result;
    unsigned flags;
    const char *usage;
} rows[] = {
    {LANG_TYPE_STR, "len", METHOD_LEN, "", 'i', 0, "len()"},
    {LANG_TYPE_STR, "contains", METHOD_CONTAINS, "s", 'b', 0, "contains(\"a\")"},
    {LANG_TYPE_STR, "starts_with", METHOD_STARTS_WITH, "s", 'b', 0, "starts_with(\"a\")"},
    {LANG_TYPE_STR, "ends_with", METHOD_ENDS_WITH, "s", 'b', 0, "ends_with(\"a\")"},
    {LANG_TYPE_STR, "split", METHOD_SPLIT, "s", 'S', 0, "split(\",\")"},
    {LANG_TYPE_STR, "trim", METHOD_TRIM, "", 's', 0, "trim()"},
    {LANG_TYPE_STR, "upper", METHOD_UPPER, "", 's', 0, "upper()"},
    {LANG_TYPE_STR, "lower", METHOD_LOWER, "", 's', 0, "lower()"},
    {LANG_TYPE_STR, "slice", METHOD_SLICE, "ii", 's', 0, "slice(0, 4)"},
    {LANG_TYPE_STR, "to_int", METHOD_TO_INT, "", 'I', 0, "to_int()"},
    {LANG_TYPE_STR, "to_float", METHOD_TO_FLOAT, "", 'F', 0, "to_float()"},
    {LANG_TYPE_LIST, "len", METHOD_LEN, "", 'i', 0, "len()"},
    {LANG_TYPE_LIST, "push", METHOD_PUSH, "e", '-', CHANGES, "push(x)"},
    {LANG_TYPE_LIST, "pop", METHOD_POP, "", 'E', CHANGES, "pop()"},
    {LANG_TYPE_LIST, "insert", METHOD_INSERT, "ie", '-', CHANGES, "insert(0, x)"},
    {LANG_TYPE_LIST, "remove", METHOD_REMOVE, "i", 'e', CHANGES, "remove(0)"},
    {LANG_TYPE_LIST, "get", METHOD_GET, "i", 'E', 0, "get(0)"},
    {LANG_TYPE_LIST, "first", METHOD_FIRST, "", 'E', 0, "first()"},
    {LANG_TYPE_LIST, "last", METHOD_LAST, "", 'E', 0, "last()"},
    {LANG_TYPE_LIST, "clear", METHOD_CLEAR, "", '-', CHANGES, "clear()"},
    {LANG_TYPE_LIST, "contains", METHOD_CONTAINS, "e", 'b', EQUAL, "contains(x)"},
    {LANG_TYPE_LIST, "sort", METHOD_SORT, "", '-', CHANGES | ORDERED, "sort()"},
    {LANG_TYPE_LIST, "reverse", METHOD_REVERSE, "", '-', CHANGES, "reverse()"},
    {LANG_TYPE_LIST, "map", METHOD_MAP, "g", 'm', 0, "map(x => x * 2)"},
    {LANG_TYPE_LIST, "filter", METHOD_FILTER, "f", 'L', 0, "filter(x => x > 1)"},
    {LANG_TYPE_LIST, "any", METHOD_ANY, "f", 'b', 0, "any(x => x > 1)"},
    {LANG_TYPE_LIST, "all", METHOD_ALL, "f", 'b', 0, "all(x => x > 1)"},
    {LANG_TYPE_MAP, "len", METHOD_LEN, "", 'i', 0, "len()"},
    {LANG_TYPE_MAP, "has", METHOD_HAS, "k", 'b', 0, "has(key)"},
    {LANG_TYPE_MAP, "get", METHOD_GET, "k", 'E', 0, "get(key)"},
    {LANG_TYPE_MAP, "remove", METHOD_REMOVE, "k", 'E', CHANGES, "remove(key)"},
    {LANG_TYPE_MAP, "keys", METHOD_KEYS, "", 'K', 0, "keys()"},
    {LANG_TYPE_MAP, "values", METHOD_VALUES, "", 'V', 0, "values()"},
    {LANG_TYPE_MAP, "clear", METHOD_CLEAR, "", '-', CHANGES, "clear()"},
    {LANG_TYPE_CHAN, "send", METHOD_SEND, "h", '-', CHANGES, "send(x)"},
    {LANG_TYPE_CHAN, "recv", METHOD_RECV, "", 'e', WAITS, "recv()"},
    {LANG_TYPE_CHAN, "close", METHOD_CLOSE, "", '-', CHANGES, "close()"},
    {LANG_TYPE_CHAN, "len", METHOD_LEN, "", 'i', 0, "len()"},
};

static const struct lang_type *element_of(const struct lang_type *t)
{
    return &t->args[t->kind == LANG_TYPE_MAP ? 1 : 0];
}

/* ---- arguments --------------------------------------------------------------------------- */

/* The function that map, filter, any and all want. */
static bool function_arg(struct checker *k, struct expr *e, struct expr *arg, bool decides)
{
    struct lang_type yes = type_plain(LANG_TYPE_BOOL);
    const struct lang_type *element = element_of(&e->a->type);
    if (arg->kind == E_LAMBDA)
        return lambda_for(k, arg, element, 1, decides ? &yes : NULL) && !arg->bad;
    if (!check_value(k, arg, NULL, OWN_PASSED))
        return false;
    /* the name of a function has become a lambda now */
    const struct lang_type *t = &arg->type;
    bool fits = t->kind == LANG_TYPE_FN && !t->optional && t->args_n == 2 &&
                type_same(&t->args[0], element) &&
                (decides ? type_same(&t->args[1], &yes) : is_data(&t->args[1]));
    if (fits)
        return true;
    struct lang_diag *d =
        diag_error(k->c, "T1", arg->span, "not such a function",
                   "`%.*s` wants a function of %.*s%s, this is %.*s", STR_FMT(e->name.text),
                   STR_FMT(type_phrase(k, element)), decides ? " that says true or false" : "",
                   STR_FMT(type_phrase(k, t)));
    diag_help(k->c, d, "as in:  x => %s", decides ? "x == …" : "…");
    return false;
}

static bool sent(struct checker *k, struct expr *e, struct expr *arg)
{
    const struct lang_type *t = &e->a->type;
    if (t->own)
        return check_handle(k, arg, &t->args[0], "what is sent", (struct lang_span){0});
    return check_value_fits(k, arg, &t->args[0], OWN_SENT, "what is sent", (struct lang_span){0});
}

static bool argument(struct checker *k, struct expr *e, struct expr *arg, char letter)
{
    const struct lang_type *t = &e->a->type;
    const char *what = ctx_strf(k->c, "what `%.*s` is given", STR_FMT(e->name.text)).p;
    struct lang_type want = type_plain(LANG_TYPE_INT);
    enum own_use use = OWN_STORED;
    switch (letter) {
    case 'f':
    case 'g': return function_arg(k, e, arg, letter == 'f');
    case 'h': return sent(k, e, arg);
    case 's': want = type_plain(LANG_TYPE_STR); break;
    case 'e': want = *element_of(t); break;
    case 'k': want = t->args[0]; break;
    default: break;
    }
    return check_value_fits(k, arg, &want, use, what, (struct lang_span){0});
}

static bool arguments(struct checker *k, struct expr *e, const struct row *r)
{
    size_t n = 0;
    bool fine = true;
    while (r->args[n] != '\0')
        n++;
    if (e->list.n != n) {
        look_at_list(k, e);
        struct lang_diag *d = diag_error(k->c, "T1", e->span, "wrong number of arguments",
                                         "`%.*s` takes %zu argument%s, not %zu",
                                         STR_FMT(e->name.text), n, n == 1 ? "" : "s", e->list.n);
        diag_help(k->c, d, "as in:  %.*s.%s", STR_FMT(ctx_text(k->c, e->a->span)), r->usage);
        return false;
    }
    for (size_t i = 0; i < n; i++)
        fine = argument(k, e, e->list.v[i], r->args[i]) && fine;
    return fine;
}

/* ---- results ----------------------------------------------------------------------------- */

static struct lang_type result(struct checker *k, const struct expr *e, char letter)
{
    const struct lang_type *t = &e->a->type;
    struct lang_type text = type_plain(LANG_TYPE_STR);
    switch (letter) {
    case 's': return text;
    case 'i': return type_plain(LANG_TYPE_INT);
    case 'b': return type_plain(LANG_TYPE_BOOL);
    case 'I': return type_optional(type_plain(LANG_TYPE_INT));
    case 'F': return type_optional(type_plain(LANG_TYPE_FLOAT));
    case 'S': return type_list(k, &text);
    case 'e': return *element_of(t);
    case 'E': return type_optional(*element_of(t));
    case 'K': return type_list(k, &t->args[0]);
    case 'V': return type_list(k, &t->args[1]);
    case 'L': return *t;
    case 'm': return type_list(k, &e->list.v[0]->type.args[1]);
    default: return type_plain(LANG_TYPE_NONE);
    }
}

/* ---- messages ---------------------------------------------------------------------------- */

static void unknown_method(struct checker *k, const struct expr *e)
{
    const struct lang_type *t = &e->a->type;
    struct suggest s = suggest_for(k->c, e->name.text);
    bool any = false;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].kind == t->kind) {
            suggest_offer(&s, str_from(rows[i].name));
            any = true;
        }
    struct lang_diag *d =
        diag_error(k->c, any ? "N1" : "T1", e->name.span, any ? "unknown" : "has no methods",
                   "%.*s has no `%.*s()`", STR_FMT(type_phrase(k, t)), STR_FMT(e->name.text));
    diag_mark(k->c, d, e->a->span, "%.*s", STR_FMT(type_text(k, t)));
    if (suggest_found(&s))
        diag_help(k->c, d, "did you mean `%.*s`?", STR_FMT(s.best));
}

static bool elements_allow(struct checker *k, const struct expr *e, const struct row *r)
{
    if (!(r->flags & (ORDERED | EQUAL)))
        return true;
    const struct lang_type *element = element_of(&e->a->type); /* lists alone have such flags */
    bool ordered = is_number(element) || (element->kind == LANG_TYPE_STR && !element->optional) ||
                   (element->kind == LANG_TYPE_TIME && !element->optional);
    if ((r->flags & ORDERED) && !ordered) {
        (void)diag_error(k->c, "T1", e->name.span, "no order",
                         "numbers, texts and times are sorted, not %.*s",
                         STR_FMT(type_text(k, element)));
        return false;
    }
    if ((r->flags & EQUAL) && !type_copyable(k, element)) {
        (void)diag_error(k->c, "T1", e->name.span, "not comparable",
                         "channels and functions are not compared");
        return false;
    }
    return true;
}

static bool allowed(struct checker *k, const struct expr *e, const struct row *r)
{
    const char *what = quoted(k, e->name.text);
    if (k->mode == MODE_CONST) {
        (void)diag_error(k->c, "T1", e->span, "not constant", "no calls in a constant");
        return false;
    }
    if (r->flags & WAITS)
        return may_suspend(k, e->span, what);
    if ((r->flags & CHANGES) && (k->mode == MODE_CONDITION || r->kind == LANG_TYPE_CHAN))
        return may_act(k, e->span, what);
    return true;
}

/* ---- all methods -------------------------------------------------------------------------- */

static const struct row *find(enum lang_type_kind kind, struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].kind == kind && str_eq(name, str_from(rows[i].name)))
            return &rows[i];
    return NULL;
}

/* `all.len()` of an owned group: known before the program runs. */
static bool group_method(struct checker *k, struct expr *e)
{
    if (str_eq(e->name.text, STR("len")) && e->list.n == 0) {
        e->type = type_plain(LANG_TYPE_INT);
        e->constant = true;
        e->value.i = e->a->count;
        return true;
    }
    struct lang_diag *d =
        diag_error(k->c, "T1", e->name.span, "of which one?", "`%.*s` is several %s",
                   STR_FMT(ctx_text(k->c, e->a->span)), noun_many(k->c, NOUN_RESOURCE));
    diag_help(k->c, d, "walk through them:  for x in %.*s { x.%.*s(…) }",
              STR_FMT(ctx_text(k->c, e->a->span)), STR_FMT(e->name.text));
    look_at_list(k, e);
    return false;
}

static bool method_of(struct checker *k, struct expr *e)
{
    const struct lang_type *t = &e->a->type;
    const struct row *r = find(t->kind, e->name.text);
    if (t->optional) {
        may_be_none(k, e->a, ctx_strf(k->c, "`.%.*s()`", STR_FMT(e->name.text)).p);
        return false;
    }
    if (!r) {
        look_at_list(k, e);
        unknown_method(k, e);
        return false;
    }
    e->ref = REF_METHOD;
    e->method = r->method;
    if (!arguments(k, e, r) || !elements_allow(k, e, r) || !allowed(k, e, r))
        return false;
    e->type = result(k, e, r->result);
    return true;
}

/* r.f(x): a function in a field is called as one. */
static bool calls_field(const struct expr *e)
{
    const struct lang_type *t = &e->a->type;
    for (uint32_t i = 0; t->kind == LANG_TYPE_RECORD && !t->optional && i < t->def->fields_n; i++)
        if (str_eq(t->def->fields[i].name, e->name.text))
            return true;
    return false;
}

static void call_field(struct checker *k, struct expr *e)
{
    struct expr *field = ctx_tree_new(k->c, sizeof(*field));
    field->kind = E_FIELD;
    field->height = e->a->height + 1;
    field->a = e->a;
    field->name = e->name;
    field->span = span_join(e->a->span, e->name.span);
    e->kind = E_CALL;
    e->a = field;
    e->path_n = 0;
    check_call(k, e);
}

void check_method(struct checker *k, struct expr *e)
{
    check_expr(k, e->a);
    bool fine;
    if (calls_field(e)) {
        call_field(k, e);
        return;
    }
    if (e->a->bad) {
        look_at_list(k, e);
        fine = false;
    } else if (is_device(e->a)) {
        e->handle = e->a;
        fine = check_command_through(k, e, e->name);
    } else if (e->a->ref == REF_GROUP) {
        fine = group_method(k, e);
    } else if (e->a->type.kind == LANG_TYPE_NONE && !is_none(&e->a->type)) {
        (void)diag_error(k->c, "T1", e->a->span, "no value", "this has no value");
        look_at_list(k, e);
        fine = false;
    } else {
        fine = method_of(k, e);
    }
    if (!fine)
        expr_bad(e);
}
