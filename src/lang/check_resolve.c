/* Paths: what stands for a resource, and the bindings of a program to the world. */
#include "lang/check_internal.h"

#include <stdio.h>
#include <string.h>

enum { RESOURCES_TOLD = 4 };

struct str path_join(struct checker *k, struct str base, const struct name *path, size_t from,
                     size_t to)
{
    struct strbuf b;
    strbuf_init(&b, &k->c->tree_alloc, 0);
    strbuf_addstr(&b, base);
    for (size_t i = from; i < to; i++) {
        if (b.n > 0)
            strbuf_addc(&b, '.');
        strbuf_addstr(&b, path[i].text);
    }
    if (b.failed)
        ctx_nomem(k->c);
    return strbuf_str(&b);
}

static struct str last_part(struct str path)
{
    for (size_t i = path.n; i > 0; i--)
        if (path.p[i - 1] == '.')
            return str_sub(path, i, path.n);
    return path;
}

/* ---- unknown names ----------------------------------------------------------------------- */

/* "plant.gaet" may be meant for "north.gate": the first one whose last part is near. */
static void offer_last_part(struct checker *k, struct str part, struct suggest *out)
{
    for (size_t i = 0; i < k->resources.n; i++) {
        struct suggest s = suggest_for(k->c, part);
        struct str last = last_part(k->resources.v[i]->name);
        suggest_offer(&s, last);
        if (suggest_found(&s) || str_eq(part, last)) {
            out->best = k->resources.v[i]->name;
            out->distance = 1;
            return;
        }
    }
}

/* The nearest resource or set; or, for "plant.pres1.temperature", the nearest device with that
 * part. */
static void offer_paths(struct checker *k, const struct name *path, size_t n, struct str whole,
                        struct suggest *s)
{
    struct str last = path[n - 1].text;
    struct suggest part =
        suggest_for(k->c, n > 1 ? str_sub(whole, 0, whole.n - last.n - 1) : STR(""));
    for (size_t i = 0; i < k->syntax->decls.n; i++) {
        const struct lang_decl *d = k->syntax->decls.v[i].decl;
        if (d->kind->role != LANG_ROLE_RESOURCE && d->kind->role != LANG_ROLE_SET)
            continue;
        suggest_offer(s, d->name);
        suggest_offer(&part, d->name);
    }
    if (suggest_found(&part) && part.distance < s->distance) {
        s->distance = part.distance;
        s->best = ctx_strf(k->c, "%.*s.%.*s", STR_FMT(part.best), STR_FMT(last));
    }
    if (n > 1 && !suggest_found(s))
        offer_last_part(k, last, s);
}

static void offer_names(struct checker *k, struct suggest *s)
{
    for (const struct fn_frame *f = k->frame; f; f = f->outer)
        for (size_t i = 0; i < f->names.all.n; i++)
            if (sym_find(k, f->names.all.v[i].name))
                suggest_offer(s, f->names.all.v[i].name);
}

/* An enum that has a value of this name. */
static const struct type_decl *enum_with(struct checker *k, struct str value)
{
    for (size_t i = 0; i < k->syntax->types.n; i++) {
        const struct type_decl *t = k->syntax->types.v[i];
        for (size_t v = 0; t->is_enum && v < t->n; v++)
            if (str_eq(t->values[v].text, value))
                return t;
    }
    return NULL;
}

/* A name that this program declares further down. */
static bool too_early(struct checker *k, struct name name)
{
    const struct item_list *items = &k->prog->decl->items;
    for (size_t i = 0; k->mode != MODE_FN && i < items->n; i++) {
        const struct item *x = items->v[i];
        if ((x->kind != I_VAR && x->kind != I_LET) || !str_eq(x->name.text, name.text))
            continue;
        struct lang_diag *d = diag_error(k->c, "N1", name.span, "too early",
                                         "`%.*s` is declared further down", STR_FMT(name.text));
        diag_mark(k->c, d, x->name.span, "declared here");
        diag_help(k->c, d, "first values are computed from top to bottom: move it up");
        return true;
    }
    return false;
}

/* A few names are read faster than a file is opened. */
static void list_resources(struct checker *k, struct lang_diag *d)
{
    struct strbuf names;
    size_t n = k->resources.n;
    if (n == 0 || n > RESOURCES_TOLD)
        return;
    strbuf_init(&names, &k->c->tree_alloc, 0);
    for (size_t i = 0; i < n; i++)
        strbuf_addf(&names, "%s`%.*s`",
                    i == 0       ? ""
                    : i + 1 == n ? " and "
                                 : ", ",
                    STR_FMT(k->resources.v[i]->name));
    diag_help(k->c, d, "there %s %.*s", n == 1 ? "is" : "are", STR_FMT(strbuf_str(&names)));
}

static void unknown_name(struct checker *k, const struct name *path, size_t n)
{
    if (k->frame->outer && own_outside(k, path[0]))
        return;
    if (k->prog && too_early(k, path[0]))
        return;
    struct str whole = path_join(k, STR(""), path, 0, n);
    struct suggest s = suggest_for(k->c, whole), first = suggest_for(k->c, path[0].text);
    offer_names(k, &first);
    if (k->mode != MODE_FN && s.wanted.n > 0)
        offer_paths(k, path, n, whole, &s);
    const struct type_decl *e = n == 1 ? enum_with(k, path[0].text) : NULL;
    struct lang_diag *d = diag_error(
        k->c, "N1", span_join(path[0].span, path[n - 1].span), "unknown",
        n > 1 ? "there is no `%.*s`" : "there is nothing called `%.*s` here", STR_FMT(whole));
    if (e)
        diag_help(k->c, d, "did you mean `%.*s.%.*s`?", STR_FMT(e->name.text), STR_FMT(whole));
    else if (suggest_found(&s))
        diag_help(k->c, d, "did you mean `%.*s`?", STR_FMT(s.best));
    else if (suggest_found(&first))
        diag_help(k->c, d, "did you mean `%.*s`?", STR_FMT(first.best));
    else if (k->mode == MODE_FN)
        diag_help(k->c, d, "a function sees its parameters, its own names and constants only");
    else if (n > 1)
        list_resources(k, d);
}

/* ---- finding ----------------------------------------------------------------------------- */

/* Mostly the path stands in the source as it is looked up: then nothing is copied. */
static struct str path_text(struct checker *k, const struct name *path, size_t n)
{
    size_t size = n - 1;
    for (size_t i = 0; i < n; i++)
        size += path[i].text.n;
    struct lang_span whole = span_join(path[0].span, path[n - 1].span);
    return whole.to - whole.from == size ? ctx_text(k->c, whole)
                                         : path_join(k, STR(""), path, 0, n);
}

static const struct lang_decl *find_below(struct checker *k, struct str base, struct str rest)
{
    char buf[256];
    if (base.n + 1 + rest.n > sizeof(buf)) {
        struct str all = ctx_strf(k->c, "%.*s.%.*s", STR_FMT(base), STR_FMT(rest));
        return find_path(k, all);
    }
    memcpy(buf, base.p, base.n);
    buf[base.n] = '.';
    memcpy(buf + base.n + 1, rest.p, rest.n);
    return find_path(k, (struct str){buf, base.n + 1 + rest.n});
}

/* The longest beginning of the path, behind `base` if there is one, that is a resource or a set.
 * `base` has named parts already. */
static const struct lang_decl *longest(struct checker *k, const struct lang_decl *base,
                                       const struct name *path, size_t n, size_t *used)
{
    size_t from = base ? 1 : 0;
    for (size_t to = n; to > from; to--) {
        struct str text = path_text(k, path + from, to - from);
        const struct lang_decl *d = base ? find_below(k, base->name, text) : find_path(k, text);
        if (d) {
            *used = to;
            return d;
        }
    }
    return NULL;
}

bool resolve(struct checker *k, const struct name *path, size_t n, struct target *out)
{
    *out = (struct target){.sym = sym_find(k, path[0].text), .used = 1, .direct = true};
    if (out->sym) {
        if (out->sym->kind == SYM_BAD)
            return false;
        out->resource = out->sym->resource;
        size_t used;
        const struct lang_decl *inner =
            out->resource && n > 1 ? longest(k, out->resource, path, n, &used) : NULL;
        if (inner) {
            out->resource = inner;
            out->used = used;
            out->direct = false;
        }
        return true;
    }
    out->direct = false;
    out->resource = k->mode == MODE_FN ? NULL : longest(k, NULL, path, n, &out->used);
    if (out->resource)
        return true;
    unknown_name(k, path, n);
    return false;
}

/* ---- bindings ---------------------------------------------------------------------------- */

struct str stable_path(struct checker *k, struct str name)
{
    struct prog *p = k->prog;
    struct str base = ctx_strf(k->c, "%.*s/%.*s", STR_FMT(p->prefix), STR_FMT(name));
    uintptr_t before = (uintptr_t)map_get(&p->paths, base);
    map_set(k, &p->paths, base, (void *)(before + 1));
    return before == 0 ? base : ctx_strf(k->c, "%.*s#%u", STR_FMT(base), (unsigned)before + 1);
}

uint32_t binding_add(struct checker *k, struct lang_binding b, struct lang_span at)
{
    struct prog *p = k->prog;
    if (p->bindings.n >= LANG_BINDINGS_MAX) {
        (void)diag_error(k->c, "P1", at, "one too many", "a program has at most %u %s, %s and %s",
                         LANG_BINDINGS_MAX, noun_many(k->c, NOUN_READABLE),
                         noun_many(k->c, NOUN_RESOURCE), noun_many(k->c, NOUN_SIGNAL));
        return UINT32_MAX;
    }
    b.path = stable_path(k, b.name);
    b.source = at.source;
    b.line = ctx_line(k->c, at);
    ctx_tree_push(k->c, &p->bindings, b);
    return (uint32_t)(p->bindings.n - 1);
}

/* What is named in place is one binding, however often it is named. */
struct in_place {
    uint64_t kind, resource, member;
    int64_t stale_ms;
};

static struct str place_key(struct checker *k, const struct in_place *p)
{
    struct in_place *copy = ctx_tree_new(k->c, sizeof(*copy));
    *copy = *p;
    return (struct str){(const char *)copy, sizeof(*copy)};
}

static void may_be_old(struct checker *k, const struct lang_decl *resource,
                       const struct lang_member *m, struct lang_span at)
{
    if (diag_told(k->c, "S1", at)) /* once for a loop */
        return;
    struct lang_diag *d = diag_warning(k->c, "S1", at, "may be old",
                                       "nothing says when %.*s.%.*s is too old to act on",
                                       STR_FMT(resource->name), STR_FMT(m->name));
    diag_help(k->c, d, "read it first:  read %.*s: %.*s = %.*s.%.*s stale 5s", STR_FMT(m->name),
              STR_FMT(lang_type_name(&m->type)), STR_FMT(resource->name), STR_FMT(m->name));
}

static uint32_t implicit(struct checker *k, const struct in_place *place, struct lang_binding b,
                         struct lang_span at)
{
    struct prog *p = k->prog;
    uintptr_t known = (uintptr_t)map_find(&p->implicit, place, sizeof(*place));
    if (known)
        return (uint32_t)(known - 1);
    uint32_t binding = binding_add(k, b, at);
    if (binding != UINT32_MAX)
        map_set(k, &p->implicit, place_key(k, place), (void *)((uintptr_t)binding + 1));
    return binding;
}

uint32_t binding_implicit(struct checker *k, const struct lang_decl *resource,
                          const struct lang_member *m, int64_t stale_ms, struct str name,
                          struct lang_span at)
{
    struct in_place place = {LANG_BIND_READ, resource->resource, m->index, stale_ms};
    if (stale_ms == 0 && !map_find(&k->prog->implicit, &place, sizeof(place)))
        may_be_old(k, resource, m, at);
    return implicit(k, &place,
                    (struct lang_binding){.kind = LANG_BIND_READ,
                                          .name = ctx_str(k->c, name),
                                          .resource = resource,
                                          .member = m->index,
                                          .member_name = m->name,
                                          .type = m->type,
                                          .member_type = m->type,
                                          .stale_ms = stale_ms,
                                          .implicit = true},
                    at);
}

void reads_through(struct lang_ctx *c, struct prog *p, const struct lang_decl *model,
                   const struct lang_member *m)
{
    for (size_t i = 0; i < p->through.n; i++)
        if (p->through.v[i].model == model && p->through.v[i].member == m)
            return;
    ctx_tree_push(c, &p->through, ((struct through){model, m}));
}

void bindings_behind(struct checker *k)
{
    struct prog *p = k->prog;
    for (size_t n = p->bindings.n, i = 0; i < n; i++) {
        const struct lang_binding handle = p->bindings.v[i];
        if (handle.kind != LANG_BIND_OWN && handle.kind != LANG_BIND_LEASE)
            continue;
        size_t first = p->bindings.n;
        for (size_t t = 0; t < p->through.n; t++) {
            const struct lang_member *m = p->through.v[t].member;
            if (p->through.v[t].model != handle.resource->type)
                continue;
            struct str name = ctx_strf(k->c, "%.*s.%.*s", STR_FMT(handle.name), STR_FMT(m->name));
            (void)binding_add(k,
                              (struct lang_binding){.kind = LANG_BIND_READ,
                                                    .name = name,
                                                    .resource = handle.resource,
                                                    .member = m->index,
                                                    .member_name = m->name,
                                                    .type = m->type,
                                                    .member_type = m->type,
                                                    .implicit = true},
                              p->decl->name.span);
        }
        p->bindings.v[i].behind = (uint32_t)first;
        p->bindings.v[i].behind_n = (uint32_t)(p->bindings.n - first);
    }
}

uint32_t binding_signal(struct checker *k, const struct lang_decl *resource,
                        const struct lang_member *m, struct lang_span at)
{
    struct in_place place = {LANG_BIND_SIGNAL, resource->resource, m->index, 0};
    return implicit(
        k, &place,
        (struct lang_binding){
            .kind = LANG_BIND_SIGNAL,
            .name = ctx_strf(k->c, "%.*s.%.*s", STR_FMT(resource->name), STR_FMT(m->name)),
            .resource = resource,
            .member = m->index,
            .member_name = m->name,
            .implicit = true},
        at);
}
