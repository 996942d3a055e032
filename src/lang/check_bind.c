/* `own` and `read`: what a program has in hand. */
#include "lang/check_internal.h"

/* What is near to `name` among the properties of a resource and the resources below it. */
static struct str nearest_part(struct checker *k, const struct lang_decl *r, struct str name)
{
    struct suggest s = suggest_for(k->c, name);
    for (size_t i = 0; r->type && i < r->type->members_n; i++)
        if (r->type->members[i].role == LANG_CLAUSE_READABLE)
            suggest_offer(&s, r->type->members[i].name);
    for (size_t i = 0; i < k->resources.n; i++) {
        struct str other = k->resources.v[i]->name;
        if (str_starts(other, r->name) && other.n > r->name.n && other.p[r->name.n] == '.')
            suggest_offer(&s, str_sub(other, r->name.n + 1, other.n));
    }
    return suggest_found(&s) ? s.best : STR("");
}

/* Once for the loop: the first element that lacks it. */
static void element_lacks(struct checker *k, const struct sym *sym, struct name part)
{
    if (diag_told(k->c, "N1", part.span))
        return;
    const struct lang_decl *r = sym->resource;
    struct lang_diag *d = diag_error(k->c, "N1", part.span, "missing there", "%.*s has no `%.*s`",
                                     STR_FMT(r->name), STR_FMT(part.text));
    diag_mark(k->c, d, sym->span, "`%.*s` is %.*s here", STR_FMT(sym->name), STR_FMT(r->name));
    struct str near = nearest_part(k, r, part.text);
    if (near.n > 0)
        diag_help(k->c, d, "did you mean `%.*s`?", STR_FMT(near));
    else
        diag_help(k->c, d, "declare %.*s.%.*s, or loop over a group whose elements all have it",
                  STR_FMT(r->name), STR_FMT(part.text));
}

static bool resolve_target(struct checker *k, const struct item *i, struct target *t)
{
    struct sym *sym = sym_find(k, i->path[0].text);
    if (sym && sym->kind == SYM_ELEMENT && i->path_n > 1) {
        if (!resolve(k, i->path, i->path_n, t))
            return false;
        const struct lang_member *m =
            t->direct && sym->resource->type
                ? lang_decl_any_member(sym->resource->type, i->path[1].text)
                : NULL;
        if (t->direct && !m && sym->resource->type && !sym->resource->type->damaged) {
            element_lacks(k, sym, i->path[1]);
            return false;
        }
        return true;
    }
    return resolve(k, i->path, i->path_n, t);
}

/* `list<Model>`: a group as a whole. */
static bool is_group_type(const struct item *i)
{
    const struct type_syntax *s = i->type.syntax;
    return s && s->shape == TYPE_SHAPE_LIST && !s->optional;
}

static void wrong_model(struct checker *k, const struct item *i, const struct lang_decl *r,
                        const struct lang_type *want)
{
    struct lang_diag *d =
        diag_error(k->c, "T1", i->type.span, "another model", "%.*s is a %.*s, this says %.*s",
                   STR_FMT(r->name), STR_FMT(r->type->name), STR_FMT(type_text(k, want)));
    diag_mark(k->c, d, r->type_span, "declared here");
    diag_help(k->c, d, is_group_type(i) ? "write  %.*s: list<%.*s>" : "write  %.*s: %.*s",
              STR_FMT(i->name.text), STR_FMT(r->type->name));
}

static void own_what(struct checker *k, const struct item *i, const struct target *t)
{
    const struct lang_decl *r = t->resource;
    struct lang_diag *d;
    if (r && r->kind->role == LANG_ROLE_SET) {
        d = diag_error(k->c, "T1", i->path_span, "several things", "%.*s is a %s: own its elements",
                       STR_FMT(r->name), r->kind->word);
        diag_help(k->c, d, "own all of them:  own %.*s: list<%.*s> = %.*s", STR_FMT(i->name.text),
                  STR_FMT(ctx_text(k->c, i->type.span)), STR_FMT(r->name));
    } else if (r && t->used < i->path_n) {
        const struct lang_member *m =
            r->type ? lang_decl_any_member(r->type, i->path[t->used].text) : NULL;
        if (m) {
            d = diag_error(k->c, "T1", i->path_span, "only a part",
                           "`%.*s` is a part of %.*s: %s are owned, %s are read", STR_FMT(m->name),
                           STR_FMT(r->name), noun_many(k->c, NOUN_RESOURCE),
                           noun_many(k->c, NOUN_READABLE));
            diag_help(k->c, d, "read it:  read %.*s: %.*s = %.*s stale 5s", STR_FMT(i->name.text),
                      STR_FMT(lang_type_name(&m->type)), STR_FMT(ctx_text(k->c, i->path_span)));
        } else {
            d = diag_error(k->c, "N1", i->path[t->used].span, "unknown", "%.*s has no `%.*s`",
                           STR_FMT(r->name), STR_FMT(i->path[t->used].text));
            struct str near = nearest_part(k, r, i->path[t->used].text);
            if (near.n > 0)
                diag_help(k->c, d, "did you mean `%.*s`?", STR_FMT(near));
        }
    } else {
        (void)diag_error(k->c, "T1", i->path_span, "can't be owned", "only %s can be owned",
                         noun_a(k->c, NOUN_RESOURCE));
    }
}

/* Each element becomes a binding; they lie side by side. */
static bool own_elements(struct checker *k, struct item *i, const struct lang_decl *g,
                         const struct lang_type *type, struct sym *s)
{
    bool fine = true;
    for (size_t e = 0; e < g->list_n; e++) {
        const struct lang_decl *r = g->list[e];
        own_take(k, r, i->name.span);
        if (fine && r->type && r->type != type->model) {
            wrong_model(k, i, r, type);
            fine = false;
        }
        struct str name = ctx_strf(k->c, "%.*s=%.*s", STR_FMT(i->name.text), STR_FMT(r->name));
        uint32_t binding =
            binding_add(k,
                        (struct lang_binding){
                            .kind = LANG_BIND_OWN, .name = name, .resource = r, .type = *type},
                        i->name.span);
        if (e == 0)
            s->index = binding;
        fine = fine && binding != UINT32_MAX && r->type != NULL;
        ctx_tree_push(k->c, &k->prog->owns, r);
    }
    s->count = (uint32_t)g->list_n;
    return fine && g->list_n > 0;
}

static void own_group(struct checker *k, struct item *i)
{
    struct sym s = item_sym(i);
    struct type_ref element = {
        .given = true, .syntax = i->type.syntax->args[0], .span = i->type.syntax->args[0]->span};
    struct lang_type type;
    struct target t;
    bool typed = type_resolve_any(k, &element, &type);
    if (typed && type.kind != LANG_TYPE_HANDLE) {
        (void)diag_error(k->c, "T1", element.span, "not a model", "only %s are owned, this is %.*s",
                         noun_many(k->c, NOUN_RESOURCE), STR_FMT(type_phrase(k, &type)));
        typed = false;
    }
    if (resolve_target(k, i, &t)) {
        const struct lang_decl *g = t.resource;
        if (!g || g->kind->role != LANG_ROLE_SET || t.used < i->path_n) {
            struct lang_diag *d =
                diag_error(k->c, "T1", i->path_span, "not a group", "`%.*s` is no %s of %s",
                           STR_FMT(ctx_text(k->c, i->path_span)), noun(k->c, NOUN_SET),
                           noun_many(k->c, NOUN_RESOURCE));
            if (typed)
                diag_help(k->c, d, "own a single one:  own %.*s: %.*s = …", STR_FMT(i->name.text),
                          STR_FMT(lang_type_name(&type)));
        } else if (typed && own_elements(k, i, g, &type, &s)) {
            s.kind = SYM_GROUP;
            s.type = type;
        }
    }
    sym_add(k, s);
}

void check_own(struct checker *k, struct item *i)
{
    if (is_group_type(i)) {
        own_group(k, i);
        return;
    }
    struct sym s = item_sym(i);
    struct lang_type type;
    struct target t;
    bool typed = type_resolve_any(k, &i->type, &type);
    if (!resolve_target(k, i, &t)) {
        sym_add(k, s);
        return;
    }
    const struct lang_decl *r = t.resource;
    if (!r || r->kind->role != LANG_ROLE_RESOURCE || t.used < i->path_n) {
        own_what(k, i, &t);
        sym_add(k, s);
        return;
    }
    own_take(k, r, i->name.span);
    if (typed && r->type && (type.kind != LANG_TYPE_HANDLE || type.model != r->type)) {
        wrong_model(k, i, r, &type);
        typed = false;
    }
    if (typed && r->type) {
        s.kind = SYM_OWN;
        s.resource = r;
        s.type = type;
        s.index = binding_add(
            k,
            (struct lang_binding){
                .kind = LANG_BIND_OWN, .name = i->name.text, .resource = r, .type = type},
            i->name.span);
        ctx_tree_push(k->c, &k->prog->owns, r);
    }
    sym_add(k, s);
}

static bool read_type_fits(struct checker *k, const struct item *i, const struct lang_type *want,
                           const struct lang_decl *r, const struct lang_member *m)
{
    if (type_same(want, &m->type))
        return true;
    bool numbers = is_number(want) && is_number(&m->type);
    struct lang_diag *d =
        diag_error(k->c, numbers ? "U1" : "T1", i->type.span, "another type",
                   "%.*s.%.*s is %s%.*s, not %s%.*s", STR_FMT(r->name), STR_FMT(m->name),
                   numbers ? "in " : "a ", STR_FMT(lang_type_name(&m->type)), numbers ? "" : "a ",
                   STR_FMT(type_text(k, want)));
    diag_mark(k->c, d, m->span, "declared here");
    diag_help(k->c, d, "write  %.*s: %.*s", STR_FMT(i->name.text),
              STR_FMT(lang_type_name(&m->type)));
    return false;
}

static void no_stale(struct checker *k, const struct item *i)
{
    struct lang_diag *d =
        diag_warning(k->c, "S1", i->name.span, "may be old",
                     "nothing says when `%.*s` is too old to act on", STR_FMT(i->name.text));
    diag_help(k->c, d, "say how old it may be:  %.*s stale 5s", STR_FMT(ctx_text(k->c, i->span)));
}

static void read_unknown(struct checker *k, const struct item *i, const struct target *t)
{
    const struct lang_decl *r = t->resource;
    struct name n = t->used < i->path_n ? i->path[t->used] : i->path[0];
    if (!r || r->kind->role != LANG_ROLE_RESOURCE) {
        (void)diag_error(k->c, "T1", i->path_span, "can't be read",
                         "`read` wants %s of %s, as in plant.press1.temperature",
                         noun_a(k->c, NOUN_READABLE), noun_a(k->c, NOUN_RESOURCE));
        return;
    }
    if (!r->type || r->type->damaged)
        return;
    struct suggest s = suggest_for(k->c, n.text);
    for (size_t q = 0; q < r->type->members_n; q++)
        if (r->type->members[q].role == LANG_CLAUSE_READABLE)
            suggest_offer(&s, r->type->members[q].name);
    struct lang_diag *d = diag_error(k->c, "N1", n.span, "unknown", "%.*s has no %s `%.*s`",
                                     STR_FMT(r->name), noun(k->c, NOUN_READABLE), STR_FMT(n.text));
    diag_mark(k->c, d, r->name_span, "a %.*s", STR_FMT(r->type->name));
    if (suggest_found(&s))
        diag_help(k->c, d, "did you mean `%.*s`?", STR_FMT(s.best));
}

/* read v: Valve = plant.valve: its properties under one name. */
static void read_all(struct checker *k, const struct item *i, const struct lang_type *type,
                     const struct lang_decl *r, struct sym *s)
{
    if (!r->type)
        return;
    if (type->kind != LANG_TYPE_HANDLE || type->model != r->type) {
        wrong_model(k, i, r, type);
        return;
    }
    s->kind = SYM_READ_ALL;
    s->resource = r;
    s->type = *type;
}

void check_read(struct checker *k, struct item *i)
{
    struct sym s = item_sym(i);
    struct lang_type type;
    struct target t;
    bool fine = type_resolve_any(k, &i->type, &type);
    if (i->stale)
        fine =
            check_duration(k, i->stale, "the time after which a reading is stale", &s.stale_ms) &&
            fine;
    else
        no_stale(k, i);
    if (!resolve_target(k, i, &t)) {
        sym_add(k, s);
        return;
    }
    const struct lang_decl *r = t.resource;
    bool whole = r && r->kind->role == LANG_ROLE_RESOURCE;
    const struct lang_member *m =
        whole && r->type && t.used + 1 == i->path_n
            ? lang_decl_member(r->type, LANG_CLAUSE_READABLE, i->path[t.used].text)
            : NULL;
    if (whole && t.used == i->path_n) {
        if (fine)
            read_all(k, i, &type, r, &s);
    } else if (!m) {
        read_unknown(k, i, &t);
    } else if (fine && read_type_fits(k, i, &type, r, m)) {
        s.kind = SYM_READ;
        s.type = type;
        s.index = binding_add(k,
                              (struct lang_binding){.kind = LANG_BIND_READ,
                                                    .name = i->name.text,
                                                    .resource = r,
                                                    .member = m->index,
                                                    .member_name = m->name,
                                                    .type = type,
                                                    .member_type = m->type,
                                                    .stale_ms = s.stale_ms},
                              i->name.span);
        if (s.index == UINT32_MAX)
            s.kind = SYM_BAD;
    }
    sym_add(k, s);
}
