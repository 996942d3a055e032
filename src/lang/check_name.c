/* Names inside programs: symbols, frames, locals. Paths that lead to resources: check_resolve.c. */
#include "lang/check_internal.h"

#include <stdio.h>

void map_set(struct checker *k, struct map *m, struct str key, void *value)
{
    (void)map_del(m, key);
    if (map_put(m, key, value) != ERR_OK)
        ctx_nomem(k->c);
}

void *map_find(const struct map *m, const void *key, size_t n)
{
    return map_get(m, (struct str){key, n});
}

void frame_begin(struct checker *k, struct fn_frame *f, enum frame_kind kind, struct fn_decl *fn,
                 struct fn_frame *outer)
{
    *f = (struct fn_frame){.kind = kind, .fn = fn, .outer = outer};
    map_init(&f->names.index, &k->c->tree_alloc, 1, LANG_NAMES_MAX);
}

/* ---- finding ----------------------------------------------------------------------------- */

struct sym *frame_sym(struct fn_frame *f, struct str name)
{
    uintptr_t at = (uintptr_t)map_get(&f->names.index, name);
    return at ? &f->names.all.v[at - 1] : NULL;
}

/* What a task or a function of a program sees of it. */
static bool seen_from(const struct fn_frame *f, const struct sym *s)
{
    if (s->kind == SYM_CONST || s->kind == SYM_BAD)
        return true;
    return f->kind == FRAME_TASK &&
           (s->kind == SYM_VAR || s->kind == SYM_READ || s->kind == SYM_READ_ALL);
}

struct sym *sym_find(struct checker *k, struct str name)
{
    const struct fn_frame *host = NULL; /* the function or task, once it is left */
    for (struct fn_frame *f = k->frame; f; f = f->outer) {
        struct sym *s = frame_sym(f, name);
        if (s && (!host || seen_from(host, s)))
            return s;
        if (f->kind != FRAME_LAMBDA)
            host = f;
    }
    return NULL;
}

/* ---- adding ------------------------------------------------------------------------------ */

static bool name_free(struct checker *k, const struct sym *s)
{
    const struct sym *first = sym_find(k, s->name);
    struct fn_decl *fn = first ? NULL : find_fn(k, s->name);
    const struct type_decl *def = first ? NULL : map_get(&k->defs, s->name);
    struct lang_diag *d;
    if (first) {
        d = diag_error(k->c, "N2", s->span, "taken", "`%.*s` is already a name here",
                       STR_FMT(s->name));
        diag_mark(k->c, d, first->span, "declared here");
        diag_help(k->c, d, "choose another name; names are not hidden by inner ones");
        return false;
    }
    if (fn || is_builtin(s->name)) {
        d = diag_error(k->c, "N2", s->span, "taken", "`%.*s` is a %s", STR_FMT(s->name),
                       fn && fn->task ? "task" : "function");
        if (fn)
            diag_mark(k->c, d, fn->name.span, "declared here");
        return false;
    }
    if (def) {
        d = diag_error(k->c, "N2", s->span, "taken", "`%.*s` is %s", STR_FMT(s->name),
                       def->is_enum ? "an enum" : "a record");
        diag_mark(k->c, d, def->name.span, "declared here");
        return false;
    }
    return true;
}

void sym_add(struct checker *k, struct sym s)
{
    struct names *n = &k->frame->names;
    if (!name_free(k, &s))
        s.kind = SYM_BAD;
    struct sym *first = frame_sym(k->frame, s.name);
    if (first) { /* nobody knows which of the two is meant from here on */
        first->kind = SYM_BAD;
        return;
    }
    ctx_tree_push(k->c, &n->all, s);
    map_set(k, &n->index, s.name, (void *)(uintptr_t)n->all.n);
}

void names_end(struct checker *k, size_t mark)
{
    struct names *n = &k->frame->names;
    while (n->all.n > mark)
        (void)map_del(&n->index, n->all.v[--n->all.n].name);
}

/* ---- locals ------------------------------------------------------------------------------ */

static bool take_spare(struct fn_frame *f, const struct lang_type *type, uint32_t *out)
{
    for (size_t i = 0; i < f->spare.n; i++) {
        if (!type_same(&f->locals.v[f->spare.v[i]], type))
            continue;
        *out = f->spare.v[i];
        f->spare.v[i] = f->spare.v[--f->spare.n];
        return true;
    }
    return false;
}

uint32_t local_new(struct checker *k, const struct lang_type *type, struct lang_span at)
{
    struct fn_frame *f = k->frame;
    uint32_t n;
    if (take_spare(f, type, &n)) {
        f->locals.v[n] = *type;
        ctx_tree_push(k->c, &f->taken, n);
        return n;
    }
    if (f->locals.n >= LANG_LOCALS_MAX) {
        (void)diag_error(k->c, "P1", at, "one too many", "a body has at most %u names",
                         LANG_LOCALS_MAX);
        return UINT32_MAX;
    }
    n = (uint32_t)f->locals.n;
    ctx_tree_push(k->c, &f->locals, *type);
    ctx_tree_push(k->c, &f->taken, n);
    return n;
}

uint32_t local_add(struct checker *k, struct name name, const struct lang_type *type, bool mutable,
                   bool fine)
{
    struct sym s = {
        .name = name.text, .kind = SYM_BAD, .span = name.span, .type = *type, .mutable = mutable};
    uint32_t local = fine ? local_new(k, type, name.span) : UINT32_MAX;
    if (local != UINT32_MAX) {
        s.kind = SYM_LOCAL;
        s.index = local;
    }
    sym_add(k, s);
    return local == UINT32_MAX ? 0 : local;
}

uint32_t add_handle(struct checker *k, struct name name, const struct lang_type *type,
                    struct sym how)
{
    uint32_t local = local_new(k, type, name.span);
    how.name = name.text;
    how.span = name.span;
    how.type = *type;
    how.kind = local == UINT32_MAX ? SYM_BAD : SYM_HANDLE;
    how.index = local;
    sym_add(k, how);
    return local == UINT32_MAX ? 0 : local;
}
