/* Copies of the syntax tree, and the names in it. */
#include "lang/tree_internal.h"

#include <string.h>

static struct expr_list copy_list(struct lang_ctx *c, const struct expr_list *l)
{
    struct expr_list out = {ctx_tree_array(c, l->n, sizeof(*out.v)), l->n};
    for (size_t i = 0; i < l->n; i++)
        out.v[i] = tree_copy_expr(c, l->v[i]);
    return out;
}

static struct fn_decl *copy_fn(struct lang_ctx *c, const struct fn_decl *fn)
{
    struct fn_decl *out = ctx_tree_new(c, sizeof(*out));
    *out = *fn;
    out->body = tree_copy(c, &fn->body);
    return out;
}

struct expr *tree_copy_expr(struct lang_ctx *c, const struct expr *e)
{
    if (!e)
        return NULL;
    struct expr *out = ctx_tree_new(c, sizeof(*out));
    *out = *e;
    out->a = tree_copy_expr(c, e->a);
    out->b = tree_copy_expr(c, e->b);
    out->otherwise = tree_copy_expr(c, e->otherwise);
    out->list = copy_list(c, &e->list);
    out->handle = NULL; /* the checker finds it again */
    if (e->kind == E_LAMBDA)
        out->fn = copy_fn(c, e->fn);
    return out;
}

static struct pattern *copy_patterns(struct lang_ctx *c, const struct pattern *p, size_t n)
{
    struct pattern *out = ctx_tree_array(c, n, sizeof(*out));
    for (size_t i = 0; i < n; i++) {
        out[i] = p[i];
        out[i].a = tree_copy_expr(c, p[i].a);
        out[i].b = tree_copy_expr(c, p[i].b);
    }
    return out;
}

static struct stmt *copy_stmt(struct lang_ctx *c, const struct stmt *s)
{
    struct stmt *out = ctx_tree_new(c, sizeof(*out));
    *out = *s;
    out->target = tree_copy_expr(c, s->target);
    out->value = tree_copy_expr(c, s->value);
    out->value2 = tree_copy_expr(c, s->value2);
    out->body = tree_copy(c, &s->body);
    out->otherwise = tree_copy(c, &s->otherwise);
    out->denied = tree_copy(c, &s->denied);
    out->arms = ctx_tree_array(c, s->arms_n, sizeof(*out->arms));
    for (size_t i = 0; i < s->arms_n; i++) {
        out->arms[i] = s->arms[i];
        out->arms[i].patterns = copy_patterns(c, s->arms[i].patterns, s->arms[i].patterns_n);
        out->arms[i].value = tree_copy_expr(c, s->arms[i].value);
        out->arms[i].body = tree_copy(c, &s->arms[i].body);
    }
    return out;
}

struct stmt_list tree_copy(struct lang_ctx *c, const struct stmt_list *list)
{
    struct stmt_list out = *list;
    out.v = ctx_tree_array(c, list->n, sizeof(*out.v));
    for (size_t i = 0; i < list->n; i++)
        out.v[i] = copy_stmt(c, list->v[i]);
    return out;
}

size_t tree_size(const struct stmt_list *list)
{
    size_t n = list->n;
    for (size_t i = 0; i < list->n; i++) {
        const struct stmt *s = list->v[i];
        n += tree_size(&s->body) + tree_size(&s->otherwise) + tree_size(&s->denied);
        for (size_t a = 0; a < s->arms_n; a++)
            n += tree_size(&s->arms[a].body);
    }
    return n;
}

/* ---- names ------------------------------------------------------------------------------- */

static void expr_names(struct tree_names *t, const struct expr *e)
{
    if (!e)
        return;
    if ((e->kind == E_PATH || e->kind == E_CALL) && e->path_n > 0)
        t->name(t, e->path[0]);
    expr_names(t, e->a);
    expr_names(t, e->b);
    expr_names(t, e->otherwise);
    for (size_t i = 0; i < e->list.n; i++)
        expr_names(t, e->list.v[i]);
    if (e->kind == E_LAMBDA)
        tree_names(t, &e->fn->body);
}

static void stmt_names(struct tree_names *t, const struct stmt *s)
{
    expr_names(t, s->target);
    expr_names(t, s->value);
    expr_names(t, s->value2);
    tree_names(t, &s->body);
    tree_names(t, &s->otherwise);
    tree_names(t, &s->denied);
    for (size_t i = 0; i < s->arms_n; i++) {
        for (size_t p = 0; p < s->arms[i].patterns_n; p++) {
            expr_names(t, s->arms[i].patterns[p].a);
            expr_names(t, s->arms[i].patterns[p].b);
        }
        expr_names(t, s->arms[i].value);
        tree_names(t, &s->arms[i].body);
    }
}

void tree_names(struct tree_names *t, const struct stmt_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        stmt_names(t, list->v[i]);
}
