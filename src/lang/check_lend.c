/* What others may name of a program, and what it lends. */
#include "lang/check_internal.h"

#include <stdio.h>

#define PRIORITY_DEFAULT 10
#define PRIORITY_MAX     1000

/* ---- programs by name -------------------------------------------------------------------- */

struct program_info *find_program(const struct checker *k, struct str name)
{
    return map_get(&k->programs, name);
}

/* What an `own` outside of any loop stands for, without a word about mistakes: its program tells
 * them. Its path may begin with an `own` or `read` before it. */
static const struct lang_decl *own_target(struct checker *k, const struct map *names,
                                          const struct item *i)
{
    const struct lang_decl *base = map_get(names, i->path[0].text);
    struct str rest = path_join(k, STR(""), i->path, base ? 1 : 0, i->path_n);
    if (base && i->path_n == 1)
        return base;
    return find_path(k,
                     base ? ctx_strf(k->c, "%.*s.%.*s", STR_FMT(base->name), STR_FMT(rest)) : rest);
}

static void add_owns(struct checker *k, struct program_info *p)
{
    struct map names; /* to the devices that they stand for */
    map_init(&names, &k->c->tree_alloc, 1, LANG_NAMES_MAX);
    map_init(&p->owns, &k->c->tree_alloc, 1, LANG_NAMES_MAX);
    for (size_t n = 0; n < p->decl->items.n; n++) {
        const struct item *i = p->decl->items.v[n];
        if (i->kind != I_OWN && i->kind != I_READ)
            continue;
        const struct lang_decl *d = own_target(k, &names, i);
        bool one = d && d->kind->role == LANG_ROLE_RESOURCE;
        if (one && !map_get(&names, i->name.text))
            map_set(k, &names, i->name.text, (void *)(uintptr_t)d);
        if (i->kind == I_READ || map_get(&p->owns, i->name.text))
            continue;
        struct program_own *o = ctx_tree_new(k->c, sizeof(*o));
        *o = (struct program_own){i, one ? d : NULL};
        map_set(k, &p->owns, i->name.text, o);
    }
}

void declare_programs(struct checker *k)
{
    map_init(&k->programs, &k->c->tree_alloc, 1, LANG_NAMES_MAX);
    for (size_t i = 0; i < k->syntax->programs.n; i++) {
        struct program_decl *d = k->syntax->programs.v[i];
        struct program_info *first = map_get(&k->programs, d->name.text);
        if (first) {
            declared_twice(k, d->name.text, d->name.span, first->decl->name.span);
            continue;
        }
        struct program_info *p = ctx_tree_new(k->c, sizeof(*p));
        p->decl = d;
        add_owns(k, p);
        map_set(k, &k->programs, d->name.text, p);
    }
}

/* ---- lend, idle -------------------------------------------------------------------------- */

const struct sym *own_of(struct checker *k, const struct item *i, const char *word)
{
    struct target t;
    if (!resolve(k, i->path, i->path_n, &t))
        return NULL;
    if (t.sym && t.direct && t.sym->kind == SYM_OWN && i->path_n == 1)
        return t.sym;
    struct lang_diag *d = diag_error(k->c, "T1", i->path_span, "not owned here",
                                     "`%s` is about %s that this program owns, by its name here",
                                     word, noun_a(k->c, NOUN_RESOURCE));
    if (t.sym)
        diag_mark(k->c, d, t.sym->span, "declared here");
    if (t.sym && t.sym->kind == SYM_GROUP)
        diag_help(k->c, d, "own the one that is meant by a name of its own");
    else if (t.resource && t.resource->type)
        diag_help(k->c, d, "own it first:  own x: %.*s = %.*s", STR_FMT(t.resource->type->name),
                  STR_FMT(t.resource->name));
    return NULL;
}

static bool priority_of(struct checker *k, const struct lessee *l, bool operator, int32_t * out)
{
    *out = operator? LANG_OPERATOR_PRIORITY : PRIORITY_DEFAULT;
    if (l->never)
        *out = -1;
    if (!l->priority)
        return true;
    struct lang_type want = type_plain(LANG_TYPE_INT);
    if (!check_constant(k, l->priority, &want) ||
        !check_fits(k, &want, l->priority, "a priority", (struct lang_span){0}))
        return false;
    int64_t v = l->priority->value.i;
    if (l->priority->constant && v >= 0 && v <= PRIORITY_MAX) {
        *out = (int32_t)v;
        return true;
    }
    struct lang_diag *d = diag_error(k->c, "T1", l->priority->span, "out of range",
                                     "a priority is a number from 0 to %d", PRIORITY_MAX);
    diag_help(k->c, d, "0 is the strongest");
    return false;
}

static void add_lend(struct checker *k, const struct item *i, const struct lessee *l,
                     uint32_t binding)
{
    bool operator= str_eq(l->name.text, STR("operator"));
    struct lang_lend lend = {.binding = binding,
                             .to = operator? STR("") : l->name.text,
                             .max_ms = operator? LANG_OPERATOR_MAX_MS : 0,
                             .source = i->span.source,
                             .line = ctx_line(k->c, l->name.span)};
    if (!priority_of(k, l, operator, & lend.priority))
        return;
    if (l->max && !check_duration(k, l->max, "`max`", &lend.max_ms))
        return;
    ctx_tree_push(k->c, &k->prog->lends, lend);
}

void check_lend(struct checker *k, struct item *i)
{
    const struct sym *s = own_of(k, i, "lend");
    if (!s)
        return;
    uint32_t binding = s->index;
    for (size_t l = 0; l < i->lessees_n; l++)
        add_lend(k, i, &i->lessees[l], binding);
    own_lend(k, i, binding);
}
