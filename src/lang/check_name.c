/* Names inside programs: symbols, and paths that lead to resources. */
#include "lang/check_internal.h"

#include <stdio.h>

struct sym *sym_find(struct checker *k, struct str name)
{
    for (size_t i = k->syms.n; i > 0; i--)
        if (str_eq(k->syms.v[i - 1].name, name))
            return &k->syms.v[i - 1];
    return NULL;
}

static bool is_builtin(struct str name)
{
    return str_eq(name, STR("slope")) || str_eq(name, STR("abs")) || str_eq(name, STR("min")) ||
           str_eq(name, STR("max")) || str_eq(name, STR("round")) || str_eq(name, STR("now"));
}

void sym_add(struct checker *k, struct sym s)
{
    const struct sym *first = sym_find(k, s.name);
    if (first) {
        struct lang_diag *d = diag_error(k->c, "N2", s.span, "taken",
                                         "`%.*s` is already a name here", STR_FMT(s.name));
        diag_mark(k->c, d, first->span, "declared here");
        diag_help(k->c, d, "choose another name; names are not hidden by inner ones");
        s.kind = SYM_BAD;
    } else if (is_builtin(s.name) || find_fn(k, s.name)) {
        (void)diag_error(k->c, "N2", s.span, "taken", "`%.*s` is a function", STR_FMT(s.name));
        s.kind = SYM_BAD;
    }
    ctx_tree_push(k->c, &k->syms, s);
}

static struct str join(struct checker *k, struct str base, const struct name *path, size_t from,
                       size_t n)
{
    struct strbuf b;
    strbuf_init(&b, &k->c->alloc, 0);
    strbuf_addstr(&b, base);
    for (size_t i = from; i < n; i++) {
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

static void unknown_name(struct checker *k, const struct name *path, size_t n)
{
    struct str whole = join(k, STR(""), path, 0, n);
    struct suggest s = suggest_for(k->c, whole), first = suggest_for(k->c, path[0].text);
    for (size_t i = 0; i < k->syms.n; i++)
        suggest_offer(&first, k->syms.v[i].name);
    if (k->mode != MODE_FN && s.wanted.n > 0)
        offer_paths(k, path, n, whole, &s);
    struct lang_diag *d = diag_error(
        k->c, "N1", span_join(path[0].span, path[n - 1].span), "unknown",
        n > 1 ? "there is no `%.*s`" : "there is nothing called `%.*s` here", STR_FMT(whole));
    if (suggest_found(&s))
        diag_help(k->c, d, "did you mean `%.*s`?", STR_FMT(s.best));
    else if (suggest_found(&first))
        diag_help(k->c, d, "did you mean `%.*s`?", STR_FMT(first.best));
    else if (k->mode == MODE_FN)
        diag_help(k->c, d, "a function sees its parameters and its own names only");
}

/* The longest prefix of base + path that is a resource or a set. */
static const struct lang_decl *longest(struct checker *k, struct str base, const struct name *path,
                                       size_t from, size_t n, size_t *used)
{
    for (size_t to = n; to > from; to--) {
        const struct lang_decl *d = find_path(k, join(k, base, path, from, to));
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
            out->resource && n > 1 ? longest(k, out->resource->name, path, 1, n, &used) : NULL;
        if (inner) {
            out->resource = inner;
            out->used = used;
            out->direct = false;
        }
        return true;
    }
    out->direct = false;
    out->resource = k->mode == MODE_FN ? NULL : longest(k, STR(""), path, 0, n, &out->used);
    if (out->resource)
        return true;
    unknown_name(k, path, n);
    return false;
}

uint32_t binding_add(struct checker *k, struct lang_binding b, struct lang_span at)
{
    struct prog *p = k->prog;
    if (p->bindings.n >= LANG_BINDINGS_MAX) {
        (void)diag_error(k->c, "P1", at, "one too many", "a program has at most %u readings",
                         LANG_BINDINGS_MAX);
        return UINT32_MAX;
    }
    b.path = ctx_strf(k->c, "%.*s/%.*s", STR_FMT(p->prefix), STR_FMT(b.name));
    b.source = at.source;
    b.line = ctx_line(k->c, at);
    ctx_tree_push(k->c, &p->bindings, b);
    return (uint32_t)(p->bindings.n - 1);
}

uint32_t binding_implicit(struct checker *k, const struct lang_decl *resource,
                          const struct lang_member *m, int64_t stale_ms, struct str name,
                          struct lang_span at)
{
    struct prog *p = k->prog;
    for (uint32_t i = 0; i < p->bindings.n; i++) {
        const struct lang_binding *b = &p->bindings.v[i];
        if (b->implicit && b->resource == resource && b->member == m->index &&
            b->stale_ms == stale_ms)
            return i;
    }
    if (stale_ms == 0) {
        struct lang_diag *d = diag_warning(k->c, "S1", at, "may be old",
                                           "nothing says when %.*s.%.*s is too old to act on",
                                           STR_FMT(resource->name), STR_FMT(m->name));
        diag_help(k->c, d, "read it first:  read %.*s: %.*s = %.*s.%.*s stale 5s", STR_FMT(m->name),
                  STR_FMT(lang_type_name(&m->type)), STR_FMT(resource->name), STR_FMT(m->name));
    }
    return binding_add(k,
                       (struct lang_binding){.kind = LANG_BIND_READ,
                                             .name = name,
                                             .resource = resource,
                                             .member = m->index,
                                             .member_name = m->name,
                                             .type = m->type,
                                             .member_type = m->type,
                                             .stale_ms = stale_ms,
                                             .implicit = true},
                       at);
}
