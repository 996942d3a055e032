/* The plain evaluator: methods of texts, lists and maps. */
#include "lang/eval_test.h"

#include <string.h>

/* ---- texts ------------------------------------------------------------------------------ */

/* The byte behind the character that begins at `at`. */
static size_t behind(struct str s, size_t at)
{
    for (at++; at < s.n && ((unsigned char)s.p[at] & 0xC0) == 0x80;)
        at++;
    return at;
}

static int64_t characters(struct str s)
{
    int64_t n = 0;
    for (size_t at = 0; at < s.n; at = behind(s, at))
        n++;
    return n;
}

static bool holds(struct str s, struct str part)
{
    for (size_t i = 0; i + part.n <= s.n; i++)
        if (str_eq(str_sub(s, i, part.n), part))
            return true;
    return false;
}

static struct value in_case(struct eval *v, struct str s, bool upper)
{
    char *copy = ctx_new(v->c, s.n + 1);
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool letter = upper ? c >= 'a' && c <= 'z' : c >= 'A' && c <= 'Z';
        copy[i] = letter ? (char)(c ^ 0x20) : c;
    }
    return value_str((struct str){copy, s.n});
}

/* The byte at which character n begins. */
static size_t place_of(struct str s, int64_t n)
{
    size_t at = 0;
    while (n-- > 0 && at < s.n)
        at = behind(s, at);
    return at;
}

static struct value slice(struct str s, int64_t from, int64_t to)
{
    size_t a = place_of(s, from), b = place_of(s, to);
    return value_str(str_sub(s, a, b > a ? b - a : 0));
}

static struct value split(struct eval *v, struct str s, struct str by)
{
    struct value all = {VALUE_LIST, {.data = data_new(v)}};
    size_t from = 0;
    for (size_t at = 0; at < s.n;) {
        bool here = by.n > 0 ? str_eq(str_sub(s, at, by.n), by) : at > from;
        if (here) {
            data_push(v, all.data, value_str(str_sub(s, from, at - from)));
            from = at + by.n;
        }
        at = here && by.n > 0 ? from : behind(s, at);
    }
    data_push(v, all.data, value_str(str_sub(s, from, s.n - from)));
    return all;
}

static struct value text_method(struct eval *v, const struct expr *e, struct str s,
                                const struct value *arg)
{
    int64_t i;
    switch (e->method) {
    case METHOD_LEN: return value_int(characters(s));
    case METHOD_CONTAINS: return value_bool(holds(s, arg[0].s));
    case METHOD_STARTS_WITH: return value_bool(str_eq(str_sub(s, 0, arg[0].s.n), arg[0].s));
    case METHOD_ENDS_WITH:
        return value_bool(arg[0].s.n <= s.n &&
                          str_eq(str_sub(s, s.n - arg[0].s.n, arg[0].s.n), arg[0].s));
    case METHOD_UPPER: return in_case(v, s, true);
    case METHOD_LOWER: return in_case(v, s, false);
    case METHOD_SLICE: return slice(s, arg[0].i, arg[1].i);
    case METHOD_SPLIT: return split(v, s, arg[0].s);
    case METHOD_TO_INT:
        return str_to_i64(s, &i) == ERR_OK ? value_int(i) : (struct value){VALUE_NONE, {0}};
    default: ASSERT(!"a method that is not evaluated here"); return *arg;
    }
}

/* ---- lists ------------------------------------------------------------------------------ */

static size_t place(struct eval *v, const struct data *d, int64_t at, size_t max)
{
    if ((uint64_t)at >= max)
        eval_trap(v, "there is no element %lld in a list of %zu", (long long)at, d->all.n);
    return (size_t)at;
}

static void open_place(struct eval *v, struct data *d, size_t at, struct value x)
{
    data_push(v, d, x);
    for (size_t i = d->all.n - 1; i > at; i--)
        d->all.v[i] = d->all.v[i - 1];
    d->all.v[at].value = x;
}

static struct value take_out(struct data *d, size_t at)
{
    struct value x = d->all.v[at].value;
    for (size_t i = at; i + 1 < d->all.n; i++)
        d->all.v[i] = d->all.v[i + 1];
    d->all.n--;
    return x;
}

static int by_order(struct value a, struct value b)
{
    if (a.kind == VALUE_INT)
        return a.i < b.i ? -1 : a.i > b.i;
    size_t n = a.s.n < b.s.n ? a.s.n : b.s.n;
    int c = n ? memcmp(a.s.p, b.s.p, n) : 0;
    return c ? c : a.s.n < b.s.n ? -1 : a.s.n > b.s.n;
}

static void sort(struct data *d)
{
    for (size_t i = 1; i < d->all.n; i++)
        for (size_t k = i; k > 0 && by_order(d->all.v[k].value, d->all.v[k - 1].value) < 0; k--) {
            struct entry x = d->all.v[k];
            d->all.v[k] = d->all.v[k - 1];
            d->all.v[k - 1] = x;
        }
}

static void reverse(struct data *d)
{
    for (size_t i = 0; i < d->all.n / 2; i++) {
        struct entry x = d->all.v[i];
        d->all.v[i] = d->all.v[d->all.n - 1 - i];
        d->all.v[d->all.n - 1 - i] = x;
    }
}

/* map, filter, any, all */
static struct value apply(struct eval *v, enum method m, struct data *d, struct value fn)
{
    struct value all = {VALUE_LIST, {.data = data_new(v)}};
    for (size_t i = 0; i < d->all.n; i++) {
        struct value x = d->all.v[i].value, y = eval_call_value(v, fn, &x, 1);
        if (m == METHOD_ANY && y.i)
            return value_bool(true);
        if (m == METHOD_ALL && !y.i)
            return value_bool(false);
        if (m == METHOD_MAP || (m == METHOD_FILTER && y.i))
            data_push(v, all.data, m == METHOD_MAP ? y : x);
    }
    return m == METHOD_ANY || m == METHOD_ALL ? value_bool(m == METHOD_ALL) : all;
}

static struct value list_method(struct eval *v, const struct expr *e, struct data *d,
                                const struct value *arg)
{
    struct value none = {0};
    size_t n = d->all.n;
    switch (e->method) {
    case METHOD_LEN: return value_int((int64_t)n);
    case METHOD_PUSH: data_push(v, d, arg[0]); return none;
    case METHOD_POP: return n ? take_out(d, n - 1) : none;
    case METHOD_INSERT: open_place(v, d, place(v, d, arg[0].i, n + 1), arg[1]); return none;
    case METHOD_REMOVE: return take_out(d, place(v, d, arg[0].i, n));
    case METHOD_GET: return (uint64_t)arg[0].i < n ? d->all.v[arg[0].i].value : none;
    case METHOD_FIRST: return n ? d->all.v[0].value : none;
    case METHOD_LAST: return n ? d->all.v[n - 1].value : none;
    case METHOD_CLEAR: d->all.n = 0; return none;
    case METHOD_SORT: sort(d); return none;
    case METHOD_REVERSE: reverse(d); return none;
    case METHOD_CONTAINS:
        for (size_t i = 0; i < n; i++)
            if (value_equal(d->all.v[i].value, arg[0]))
                return value_bool(true);
        return value_bool(false);
    default: return apply(v, e->method, d, arg[0]);
    }
}

/* ---- maps ------------------------------------------------------------------------------- */

static struct value all_of(struct eval *v, const struct data *d, bool keys)
{
    struct value all = {VALUE_LIST, {.data = data_new(v)}};
    for (size_t i = 0; i < d->all.n; i++)
        if (!d->all.v[i].gone)
            data_push(v, all.data, keys ? d->all.v[i].key : d->all.v[i].value);
    return all;
}

static struct value map_method(struct eval *v, const struct expr *e, struct data *d,
                               const struct value *arg)
{
    struct entry *found = e->list.n > 0 ? data_find(d, arg[0]) : NULL;
    struct value x = found ? found->value : (struct value){0};
    switch (e->method) {
    case METHOD_LEN: return value_int((int64_t)data_len(d));
    case METHOD_HAS: return value_bool(found != NULL);
    case METHOD_GET: return x;
    case METHOD_REMOVE:
        if (found)
            found->gone = true;
        return x;
    case METHOD_KEYS: return all_of(v, d, true);
    case METHOD_VALUES: return all_of(v, d, false);
    case METHOD_CLEAR:
        for (size_t i = 0; i < d->all.n; i++)
            d->all.v[i].gone = true;
        return x;
    default: ASSERT(!"a method that is not evaluated here"); return x;
    }
}

/* Of which type an argument is stored; NULL: as it is. */
static const struct lang_type *stored_as(const struct expr *e, size_t i)
{
    const struct lang_type *t = &e->a->type;
    if (t->kind == LANG_TYPE_MAP)
        return &t->args[0];
    bool element = e->method == METHOD_PUSH || e->method == METHOD_CONTAINS ||
                   (e->method == METHOD_INSERT && i == 1);
    return t->kind == LANG_TYPE_LIST && element ? &t->args[0] : NULL;
}

struct value eval_method(struct eval *v, const struct expr *e)
{
    struct value x = eval_expr(v, e->a), args[2] = {{0}};
    for (size_t i = 0; i < e->list.n; i++) {
        const struct lang_type *t = stored_as(e, i);
        args[i] = t ? eval_as(v, e->list.v[i], t) : eval_expr(v, e->list.v[i]);
    }
    struct value r = x.kind == VALUE_STR    ? text_method(v, e, x.s, args)
                     : x.kind == VALUE_LIST ? list_method(v, e, x.data, args)
                                            : map_method(v, e, x.data, args);
    return eval_fit(v, r, &e->type);
}
