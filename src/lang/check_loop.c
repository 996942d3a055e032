/* `for` in bodies: over numbers, lists, maps, devices. */
#include "lang/check_internal.h"

#include <stdio.h>

static void loop_body(struct checker *k, struct stmt_list *body)
{
    k->frame->loops++;
    check_stmts(k, body);
    k->frame->loops--;
}

static void one_name(struct checker *k, const struct stmt *s, const char *what)
{
    if (s->name2.text.n > 0)
        (void)diag_error(k->c, "T1", s->name2.span, "one too many", "%s gives one value at a time",
                         what);
}

/* ---- a..b -------------------------------------------------------------------------------- */

static void over_range(struct checker *k, struct stmt *s)
{
    struct lang_type want = type_plain(LANG_TYPE_INT);
    struct lang_span none = {0};
    (void)check_value_fits(k, s->value, &want, OWN_STORED, "the first number", none);
    (void)check_value_fits(k, s->value2, &want, OWN_STORED, "the end", none);
    one_name(k, s, "a range");
    s->local_type = want;
    s->local = local_add(k, s->name, &want, false, true);
    loop_body(k, &s->body);
}

/* ---- lists and maps ----------------------------------------------------------------------- */

static void over_list(struct checker *k, struct stmt *s)
{
    bool two = s->name2.text.n > 0;
    struct lang_type place = type_plain(LANG_TYPE_INT), element = s->value->type.args[0];
    s->local_type = two ? place : element;
    s->local2_type = element;
    s->local = local_add(k, s->name, &s->local_type, false, true);
    if (two)
        s->local2 = local_add(k, s->name2, &element, false, true);
    loop_body(k, &s->body);
}

static void over_map(struct checker *k, struct stmt *s)
{
    s->local_type = s->value->type.args[0];
    s->local2_type = s->value->type.args[1];
    s->local = local_add(k, s->name, &s->local_type, false, true);
    if (s->name2.text.n > 0)
        s->local2 = local_add(k, s->name2, &s->local2_type, false, true);
    loop_body(k, &s->body);
}

/* The names are there, and nothing is said about them. */
static void over_bad(struct checker *k, struct stmt *s)
{
    struct lang_type t = type_plain(LANG_TYPE_NONE);
    (void)local_add(k, s->name, &t, false, false);
    if (s->name2.text.n > 0)
        (void)local_add(k, s->name2, &t, false, false);
    loop_body(k, &s->body);
}

static void over_nothing(struct checker *k, struct stmt *s)
{
    const struct lang_type *t = &s->value->type;
    struct lang_diag *d = diag_error(k->c, "T1", s->value->span, "nothing to walk through",
                                     "`for` walks through a list, a map, a group or numbers, this "
                                     "is %.*s",
                                     STR_FMT(type_phrase(k, t)));
    if (t->kind == LANG_TYPE_INT)
        diag_help(k->c, d, "that many times:  for %.*s in 0..%.*s", STR_FMT(s->name.text),
                  STR_FMT(ctx_text(k->c, s->value->span)));
    else if (t->kind == LANG_TYPE_CHAN)
        diag_help(k->c, d, "one after another:  loop { let %.*s = %.*s.recv() … }",
                  STR_FMT(s->name.text), STR_FMT(ctx_text(k->c, s->value->span)));
    over_bad(k, s);
}

/* ---- devices ------------------------------------------------------------------------------ */

/* The group of the site that the path names; NULL if it is about something else. */
static const struct lang_decl *site_group(struct checker *k, const struct expr *e)
{
    if (e->kind != E_PATH || k->mode == MODE_FN || sym_find(k, e->path[0].text))
        return NULL;
    const struct lang_decl *d = find_path(k, e->text);
    return d && d->kind->role == LANG_ROLE_SET ? d : NULL;
}

static bool room_for(struct checker *k, const struct stmt *s, size_t copies)
{
    size_t bytes = s->body.span.to - s->body.span.from;
    size_t n = copies * (tree_size(&s->body) + 1 + bytes / LANG_UNROLL_BYTES);
    uint32_t before = k->prog->unrolled;
    if (n <= LANG_UNROLL_MAX && before + n <= LANG_UNROLL_MAX) {
        k->prog->unrolled += (uint32_t)n;
        return true;
    }
    k->prog->unrolled = LANG_UNROLL_MAX + 1;
    if (before <= LANG_UNROLL_MAX)
        (void)diag_error(k->c, "P1", s->span, "too many",
                         "this program has more than %u statements after its `for` are unrolled",
                         LANG_UNROLL_MAX);
    return false;
}

/* A copy of the body for each element; their locals may lie on top of each other. */
static void over_devices(struct checker *k, struct stmt *s, const struct lang_decl *group)
{
    one_name(k, s, "a group");
    s->elements_n = 0;
    s->unrolled = ctx_tree_array(k->c, group->list_n, sizeof(*s->unrolled));
    if (!room_for(k, s, group->list_n))
        return;
    s->elements_n = group->list_n;
    for (size_t i = 0; i < group->list_n; i++) {
        size_t scope = k->frame->names.all.n, locals = k->frame->taken.n;
        s->unrolled[i] = tree_copy(k->c, &s->body);
        sym_add(k, (struct sym){.name = s->name.text,
                                .kind = SYM_ELEMENT,
                                .span = s->name.span,
                                .resource = group->list[i],
                                .type = {.kind = LANG_TYPE_HANDLE, .model = group->list[i]->type}});
        loop_body(k, &s->unrolled[i]);
        names_end(k, scope);
        while (k->frame->taken.n > locals)
            ctx_tree_push(k->c, &k->frame->spare, k->frame->taken.v[--k->frame->taken.n]);
    }
}

/* own all: list<Model>: one handle after another. */
static void over_owned(struct checker *k, struct stmt *s)
{
    one_name(k, s, "a group");
    s->local_type = type_plain(LANG_TYPE_HANDLE);
    s->local_type.model = k->prog->bindings.v[s->value->index].type.model;
    s->local =
        add_handle(k, s->name, &s->local_type, (struct sym){.mode = PARAM_MUT, .element = true});
    loop_body(k, &s->body);
}

void check_for(struct checker *k, struct stmt *s)
{
    size_t scope = k->frame->names.all.n;
    const struct lang_decl *group = s->range ? NULL : site_group(k, s->value);
    if (s->range) {
        over_range(k, s);
    } else if (group) {
        over_devices(k, s, group);
    } else {
        check_expr(k, s->value);
        const struct lang_type *t = &s->value->type;
        if (!s->value->bad && s->value->ref == REF_GROUP)
            over_owned(k, s);
        else if (!value_is_data(k, s->value, OWN_STORED))
            over_bad(k, s);
        else if (t->optional) {
            may_be_none(k, s->value, "`for`");
            over_bad(k, s);
        } else if (t->kind == LANG_TYPE_LIST)
            over_list(k, s);
        else if (t->kind == LANG_TYPE_MAP)
            over_map(k, s);
        else
            over_nothing(k, s);
    }
    names_end(k, scope);
}
