/* The site: one owner for each physical thing (O2), no command past it (O3), and who offers what.
 * Two resources are one thing if the identity arguments of a clause of theirs are equal. */
#include "lang/own_flow_internal.h"

#define OFFERS_MAX (1u << 20)

uint32_t own_root(const struct checker *k, uint32_t r)
{
    while (k->own->same_as[r] != r)
        r = k->own->same_as[r];
    return r;
}

struct identity {
    struct str key;
    uint32_t resource;
};

static void same_thing(struct checker *k, uint32_t a, uint32_t b)
{
    uint32_t x = own_root(k, a), y = own_root(k, b);
    if (x != y)
        k->own->same_as[x > y ? x : y] = x > y ? y : x;
}

/* What a clause says of the identity, "" if nothing: all of its parts together. */
static struct str identity_text(struct checker *k, const struct lang_clause_decl *cl)
{
    struct str text = STR("");
    for (size_t a = 0; a < cl->clause->args_n; a++) {
        const struct lang_value *v = &cl->values[a];
        if (!(cl->clause->args[a].flags & LANG_ARG_IDENTITY) || v->kind == LANG_ARG_NONE)
            continue;
        if (v->kind == LANG_ARG_NUMBER && !v->text.n)
            text = ctx_strf(k->c, "%.*s %g", STR_FMT(text), v->number);
        else
            text = ctx_strf(k->c, "%.*s %.*s", STR_FMT(text), STR_FMT(v->text));
    }
    return text;
}

/* Keys are "clause second text", so that an id never meets a topic. */
static void join_by(struct checker *k, struct map *seen, const struct lang_decl *d)
{
    for (size_t i = 0; i < d->clauses_n; i++) {
        const struct lang_clause_decl *cl = &d->clauses[i];
        struct str text = identity_text(k, cl);
        if (!text.n)
            continue;
        struct str key = ctx_strf(k->c, "%s %s%.*s", cl->clause->word,
                                  cl->clause->second ? cl->clause->second : "", STR_FMT(text));
        struct identity *first = map_get(seen, key);
        if (!first) {
            first = ctx_tree_new(k->c, sizeof(*first));
            *first = (struct identity){key, d->resource};
            if (map_put(seen, first->key, first) != ERR_OK)
                ctx_nomem(k->c);
        }
        /* check: O2 identity */
        same_thing(k, first->resource, d->resource);
    }
}

void own_prepare(struct checker *k)
{
    size_t n = k->resources.n;
    struct own_site *own = ctx_tree_new(k->c, sizeof(*own));
    k->own = own;
    own->same_as = ctx_tree_array(k->c, n, sizeof(*own->same_as));
    own->owners = ctx_tree_array(k->c, n, sizeof(*own->owners));
    for (uint32_t i = 0; i < n; i++)
        own->same_as[i] = i;
    map_init(&own->offers, &k->c->tree_alloc, 1, OFFERS_MAX);
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

/* ---- offers -------------------------------------------------------------------------------- */

static struct str offer_key(struct checker *k, struct str program, struct str handle)
{
    return ctx_strf(k->c, "%.*s.%.*s", STR_FMT(program), STR_FMT(handle));
}

struct own_offer *own_offer(const struct checker *k, struct str program, struct str handle)
{
    return map_get(&k->own->offers, offer_key((struct checker *)(uintptr_t)k, program, handle));
}

void own_offer_lend(struct checker *k, struct own_offer *o, struct str to, struct lang_span at)
{
    if (!o->lessees) {
        o->lessees = ctx_tree_new(k->c, sizeof(*o->lessees));
        map_init(o->lessees, &k->c->tree_alloc, 1, OFFERS_MAX);
    }
    ctx_push(k->c, &k->own->lends, (struct lend){o->program, o->handle, to, at});
    struct lang_span *place = ctx_tree_new(k->c, sizeof(*place));
    *place = at;
    if (!map_get(o->lessees, to) && map_put(o->lessees, to, place) != ERR_OK)
        ctx_nomem(k->c);
}

/* False, and nothing changes, if somebody owned it before. */
static bool own_note(struct checker *k, struct str program, const struct lang_decl *resource,
                     struct str handle, struct lang_span at)
{
    struct owner *o = &k->own->owners[own_root(k, resource->resource)];
    if (o->program.n > 0)
        return false;
    *o = (struct owner){program, resource, at};
    /* the declaration is ours until the site is finished */
    struct lang_decl *mine = (struct lang_decl *)(uintptr_t)resource;
    mine->owner = ctx_str(k->c, program).p;
    struct str key = offer_key(k, program, handle);
    if (map_get(&k->own->offers, key))
        return true; /* in a `for`: the first one is meant by its name */
    struct own_offer *offer = ctx_tree_new(k->c, sizeof(*offer));
    *offer = (struct own_offer){program, handle, resource, at, NULL};
    if (map_put(&k->own->offers, key, offer) != ERR_OK)
        ctx_nomem(k->c);
    return true;
}

struct lang_span own_declared(const struct checker *k, uint32_t binding)
{
    const struct lang_binding *b = &k->prog->bindings.v[binding];
    return k->own->owners[own_root(k, b->resource->resource)].span;
}

bool own_program_known(const struct checker *k, struct str name)
{
    for (size_t i = 0; i < k->own->known.n; i++)
        if (str_eq(k->own->known.v[i]->program, name))
            return true;
    return map_get(&k->programs, name) != NULL;
}

/* ---- taking -------------------------------------------------------------------------------- */

/* The usual way to mend it. */
static void help_one_owner(struct checker *k, struct lang_diag *d, const struct owner *first)
{
    diag_help(k->c, d,
              "one program commands it: move these rules into `%.*s`, where it is called `%.*s`, "
              "or only `read` it here",
              STR_FMT(first->program), STR_FMT(ctx_text(k->c, first->span)));
}

static void second_owner(struct checker *k, struct str now, const struct lang_decl *resource,
                         struct lang_span at)
{
    const struct owner *o = &k->own->owners[own_root(k, resource->resource)];
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
    if (str_eq(o->program, now) && o->span.from == at.from) {
        d = diag_error(k->c, "O2", at, "owned once for each element",
                       "this `for` owns %.*s several times", STR_FMT(b));
        diag_help(k->c, d, "own it once, before the `for`");
        return;
    }
    if (str_eq(o->program, now)) {
        d = diag_error(k->c, "O2", at, "second time", "%.*s owns %.*s twice", STR_FMT(now),
                       STR_FMT(b));
        diag_mark(k->c, d, o->span, "owned here");
        diag_help(k->c, d, "use the first name, `%.*s`", STR_FMT(ctx_text(k->c, o->span)));
        return;
    }
    d = diag_error(k->c, "O2", at, "second owner", "two programs own %.*s", STR_FMT(b));
    diag_mark(k->c, d, o->span, "owned here, by %.*s", STR_FMT(o->program));
    help_one_owner(k, d, o);
}

void own_claim(struct checker *k, struct str program, const struct lang_decl *resource,
               struct str handle, struct lang_span at)
{
    ctx_push(k->c, &k->own->owned, (struct owned){program, handle, resource, at});
    if (own_note(k, program, resource, handle, at))
        return;
    /* check: O2 second owner */
    second_owner(k, program, resource, at);
}

void own_take(struct checker *k, const struct lang_decl *resource, struct lang_span at)
{
    own_claim(k, k->prog->decl->name.text, resource, ctx_text(k->c, at), at);
}

const struct lang_decl *own_offered(const struct checker *k, struct str program, struct str handle)
{
    const struct own_offer *o = own_offer(k, program, handle);
    return o ? o->resource : NULL;
}

static void past_owner(struct checker *k, const struct lang_decl *resource, struct lang_span at,
                       const char *why)
{
    struct lang_diag *d = diag_error(k->c, "O3", at, "a command needs an owner",
                                     "%.*s is commanded, but %s", STR_FMT(resource->name), why);
    const struct owner *o = &k->own->owners[own_root(k, resource->resource)];
    bool other = o->program.n > 0 && !(k->prog && str_eq(o->program, k->prog->decl->name.text));
    if (other) {
        diag_mark(k->c, d, o->span, "owned here, by %.*s", STR_FMT(o->program));
        help_one_owner(k, d, o);
        return;
    }
    if (o->program.n > 0 && o->resource == resource) {
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

void own_refuse(struct checker *k, const struct lang_decl *resource, struct lang_span at,
                const char *why)
{
    /* check: O3 past the owner */
    if (!diag_told(k->c, "O3", at))
        past_owner(k, resource, at, why);
}
