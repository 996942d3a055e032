/* Ownership: one owner for each physical thing on the whole site (O2), and no command past it
 * (O3). Two resources are one thing if an identity argument of theirs is equal. */
#include "lang/check_internal.h"

#include <stdio.h>

static uint32_t root(const struct checker *k, uint32_t r)
{
    while (k->same_as[r] != r)
        r = k->same_as[r];
    return r;
}

struct identity {
    struct str key;
    uint32_t resource;
};

/* Keys are "clause second text", so that an id never meets a topic. */
static void join_by(struct checker *k, struct map *seen, const struct lang_decl *d)
{
    for (size_t i = 0; i < d->clauses_n; i++) {
        const struct lang_clause_decl *cl = &d->clauses[i];
        for (size_t a = 0; a < cl->clause->args_n; a++) {
            const struct lang_value *v = &cl->values[a];
            if (!(cl->clause->args[a].flags & LANG_ARG_IDENTITY) || v->kind == LANG_ARG_NONE)
                continue;
            struct str key =
                ctx_strf(k->c, "%s %s %.*s", cl->clause->word,
                         cl->clause->second ? cl->clause->second : "", STR_FMT(v->text));
            struct identity *first = map_get(seen, key);
            if (first) {
                uint32_t x = root(k, first->resource), y = root(k, d->resource);
                k->same_as[x > y ? x : y] = x > y ? y : x;
                continue;
            }
            struct identity *id = ctx_new(k->c, sizeof(*id));
            *id = (struct identity){key, d->resource};
            if (map_put(seen, id->key, id) != ERR_OK)
                ctx_nomem(k->c);
        }
    }
}

void own_prepare(struct checker *k)
{
    size_t n = k->resources.n;
    k->same_as = ctx_array(k->c, n, sizeof(*k->same_as));
    k->owners = ctx_array(k->c, n, sizeof(*k->owners));
    for (uint32_t i = 0; i < n; i++)
        k->same_as[i] = i;
    struct map seen;
    map_init(&seen, &k->c->tree_alloc, 1, 1u << 20);
    for (size_t i = 0; i < n; i++)
        join_by(k, &seen, k->resources.v[i]);
}

static struct lang_span identity_span(const struct lang_decl *d)
{
    for (size_t i = 0; i < d->clauses_n; i++)
        for (size_t a = 0; a < d->clauses[i].clause->args_n; a++)
            if ((d->clauses[i].clause->args[a].flags & LANG_ARG_IDENTITY) &&
                d->clauses[i].values[a].kind != LANG_ARG_NONE)
                return d->clauses[i].values[a].span;
    return d->name_span;
}

/* The usual way to mend it. */
static void help_one_owner(struct checker *k, struct lang_diag *d, const struct owner *first)
{
    diag_help(k->c, d,
              "one program commands it: move these rules into `%.*s`, where it is called `%.*s`, "
              "or only `read` it here",
              STR_FMT(first->program->name.text), STR_FMT(ctx_text(k->c, first->span)));
}

void own_take(struct checker *k, const struct lang_decl *resource, struct lang_span at)
{
    struct owner *o = &k->owners[root(k, resource->resource)];
    const struct program_decl *now = k->prog->decl;
    if (!o->program) {
        *o = (struct owner){now, resource, at};
        /* the declaration is ours until the site is finished */
        struct lang_decl *mine = (struct lang_decl *)(uintptr_t)resource;
        mine->owner = ctx_str(k->c, now->name.text).p;
        return;
    }
    if (diag_told(k->c, "O2", at))
        return;
    struct str a = o->resource->name, b = resource->name;
    struct lang_diag *d;
    if (o->resource != resource) {
        d = diag_error(k->c, "O2", at, "second owner",
                       "%.*s and %.*s are one physical thing, and it has two owners", STR_FMT(a),
                       STR_FMT(b));
        diag_mark(k->c, d, o->span, "owned here");
        diag_mark(k->c, d, identity_span(resource), "the same identity");
        diag_mark(k->c, d, identity_span(o->resource), "as this");
        diag_help(k->c, d, "declare the thing once, and own it in one place");
        return;
    }
    if (o->program == now && o->span.from == at.from) {
        d = diag_error(k->c, "O2", at, "owned once for each element",
                       "this `for` owns %.*s several times", STR_FMT(b));
        diag_help(k->c, d, "own it once, before the `for`");
        return;
    }
    if (o->program == now) {
        d = diag_error(k->c, "O2", at, "second time", "%.*s owns %.*s twice",
                       STR_FMT(now->name.text), STR_FMT(b));
        diag_mark(k->c, d, o->span, "owned here");
        diag_help(k->c, d, "use the first name, `%.*s`", STR_FMT(ctx_text(k->c, o->span)));
        return;
    }
    d = diag_error(k->c, "O2", at, "second owner", "two programs own %.*s", STR_FMT(b));
    diag_mark(k->c, d, o->span, "owned here, by %.*s", STR_FMT(o->program->name.text));
    help_one_owner(k, d, o);
}

void own_refuse(struct checker *k, const struct lang_decl *resource, struct lang_span at,
                const char *why)
{
    if (diag_told(k->c, "O3", at))
        return;
    struct lang_diag *d = diag_error(k->c, "O3", at, "a command needs an owner",
                                     "%.*s is commanded, but %s", STR_FMT(resource->name), why);
    const struct owner *o = &k->owners[root(k, resource->resource)];
    if (o->program && o->program != k->prog->decl) {
        diag_mark(k->c, d, o->span, "owned here, by %.*s", STR_FMT(o->program->name.text));
        help_one_owner(k, d, o);
        return;
    }
    if (o->program && o->resource == resource) {
        diag_mark(k->c, d, o->span, "owned here");
        diag_help(k->c, d, "command it by this name: `%.*s`", STR_FMT(ctx_text(k->c, o->span)));
        return;
    }
    struct str tail = resource->name;
    for (size_t i = tail.n; i > 0; i--)
        if (tail.p[i - 1] == '.') {
            tail = str_sub(tail, i, tail.n);
            break;
        }
    diag_help(k->c, d, "own it:  own %.*s: %.*s = %.*s", STR_FMT(tail),
              STR_FMT(resource->type ? resource->type->name : STR("…")), STR_FMT(resource->name));
}
