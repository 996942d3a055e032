/* What happens to a handle at one place: used, commanded, moved, called back; and the messages. */
#include "lang/own_flow_internal.h"

static const char *moved_where(enum move_how how)
{
    switch (how) {
    case MOVED_TO_TASK: return "moved to a task here";
    case MOVED_TO_FN: return "moved to a function here";
    case MOVED_TO_CHANNEL: return "sent away here";
    case MOVED_BY_DROP: return "ended here";
    }
    return "moved here";
}

static bool same_span(struct lang_span a, struct lang_span b)
{
    return a.source == b.source && a.from == b.from && a.to == b.to;
}

static void used_after_move(struct flow *f, const struct place *p, const struct hold *h,
                            struct lang_span at)
{
    struct lang_diag *d;
    if (same_span(h->at, at)) {
        /* check: O9 unrolled */
        if (!diag_told(f->c, "O9", at)) {
            d = diag_error(f->c, "O9", at, "moved again for the next element",
                           "`%.*s` is moved in a loop that goes on", STR_FMT(p->name));
            diag_mark(f->c, d, p->declared, "there is one of it");
            diag_help(f->c, d, "move it before or behind the loop");
        }
        return;
    }
    /* check: O8 maybe moved */
    if (h->moved == MAYBE_MOVED && !diag_told(f->c, "O8", at)) {
        d = diag_error(f->c, "O8", at, "may be gone by now",
                       "`%.*s` has moved on one of the ways to here", STR_FMT(p->name));
        diag_mark(f->c, d, h->at, "%s", moved_where(h->how));
        diag_help(f->c, d,
                  "move it on every way or on none, or leave with `return` behind the move");
    }
    /* check: O4 moved */
    if (h->moved == MOVED && !diag_told(f->c, "O4", at)) {
        d = diag_error(f->c, "O4", at, "used after it moved", "`%.*s` is not here any more",
                       STR_FMT(p->name));
        diag_mark(f->c, d, h->at, "%s", moved_where(h->how));
        diag_mark(f->c, d, p->declared, "this was its name");
        diag_help(
            f->c, d,
            h->how == MOVED_TO_TASK
                ? "let the task do it (send it a message through a channel), or use the handle "
                  "before it moves"
                : "use the handle before it moves");
    }
}

void place_use(struct flow *f, const struct place *p, struct lang_span at)
{
    if (!p->known)
        return;
    if (f->kind == FLOW_RULE && p->things.of == OF_BINDINGS && f->prog)
        ctx_tree_push(f->c, &f->prog->uses,
                      (struct rule_use){p->base != OWN_NONE ? p->base : p->key, at});
    if (f->now.dead)
        return;
    struct hold *h = state_find(&f->now, p->key);
    if ((!h || h->moved == HELD) && p->base != OWN_NONE)
        h = state_find(&f->now, p->base);
    if (!h || h->moved == HELD)
        return;
    used_after_move(f, p, h, at);
    h->moved = HELD; /* said once */
}

static void walked(struct flow *f, const struct place *p, struct lang_span at)
{
    uint32_t group = p->base != OWN_NONE ? p->base : p->key;
    for (size_t i = 0; i < f->walks.n; i++) {
        const struct walk *w = &f->walks.v[i];
        /* check: O7 walk */
        if (w->group == group && p->key != (w->local | OWN_LOCAL)) {
            struct lang_diag *d = diag_error(
                f->c, "O7", at, "the same group by another name",
                "`%.*s` is commanded while a `for` walks through its group", STR_FMT(p->name));
            diag_mark(f->c, d, w->at, "each of it has this name here");
            diag_help(f->c, d, "command it by the name of the `for`, or behind the loop");
            return;
        }
    }
}

void place_command(struct flow *f, const struct place *p, struct lang_span at)
{
    if (!p->known)
        return;
    place_use(f, p, at);
    walked(f, p, at);
    if (p->things.of == OF_BINDINGS && !f->uses) {
        f->uses = true;
        f->uses_at = at;
        f->uses_name = p->name;
    }
}

/* ---- moving -------------------------------------------------------------------------------- */

static const char *origin_text(enum origin origin)
{
    switch (origin) {
    case ORIGIN_MUT: return "borrowed as `mut` here";
    case ORIGIN_REF: return "borrowed as `ref` here";
    case ORIGIN_LEASE: return "leased here";
    case ORIGIN_ELEMENT: return "an element of a group";
    case ORIGIN_OWN: break;
    }
    return "declared here";
}

static void borrowed_moves(struct flow *f, const struct place *p, struct lang_span at,
                           const char *where)
{
    struct lang_diag *d = diag_error(f->c, "O6", at, "only borrowed",
                                     "`%.*s` is borrowed and can't %s", STR_FMT(p->name), where);
    diag_mark(f->c, d, p->declared, "%s", origin_text(p->origin));
    if (p->origin == ORIGIN_ELEMENT)
        diag_help(f->c, d, "own each thing by a name of its own to hand it on");
    else
        diag_help(f->c, d, "take it for good:  own %.*s: …", STR_FMT(p->name));
}

static void leased_moves(struct flow *f, const struct place *p, struct lang_span at,
                         const char *where)
{
    struct lang_diag *d = diag_error(f->c, "O11", at, "only on lease",
                                     "`%.*s` is leased and can't %s", STR_FMT(p->name), where);
    diag_mark(f->c, d, p->declared, "leased here");
    diag_help(f->c, d, "use it inside the block; a function may borrow it as `mut`");
}

/* Whether its kind of handle may go; `where`: "go to a task". */
static bool may_go(struct flow *f, const struct place *p, struct lang_span at, const char *where)
{
    /* check: O6 borrowed moves */
    if (p->origin == ORIGIN_MUT || p->origin == ORIGIN_REF || p->origin == ORIGIN_ELEMENT) {
        borrowed_moves(f, p, at, where);
        return false;
    }
    /* check: O11 leased moves */
    if (p->origin == ORIGIN_LEASE) {
        leased_moves(f, p, at, where);
        return false;
    }
    return true;
}

static const char *go_where(enum move_how how)
{
    switch (how) {
    case MOVED_TO_TASK: return "go to a task";
    case MOVED_TO_FN: return "be moved";
    case MOVED_TO_CHANNEL: return "be sent";
    case MOVED_BY_DROP: return "be dropped";
    }
    return "be moved";
}

static void moved_in_rule(struct flow *f, const struct place *p, struct lang_span at)
{
    struct lang_diag *d =
        diag_error(f->c, "O9", at, "moved each time that it runs",
                   "a rule runs more than once: `%.*s` can't move out of it", STR_FMT(p->name));
    diag_mark(f->c, d, p->declared, "there is one of it");
    diag_help(f->c, d,
              "move it when the program starts, in a statement outside of rules, or lend it");
}

void place_move(struct flow *f, const struct place *p, struct lang_span at, enum move_how how)
{
    if (!p->known || !may_go(f, p, at, go_where(how)))
        return;
    bool program = p->things.of == OF_BINDINGS;
    /* check: O9 rule */
    if (program && f->kind == FLOW_RULE) {
        moved_in_rule(f, p, at);
        return;
    }
    place_use(f, p, at);
    walked(f, p, at);
    struct hold *h = state_hold(f->c, &f->now, p->key);
    h->moved = MOVED;
    h->how = how;
    h->at = at;
    for (struct lease_block *l = f->lease; l; l = l->outer)
        ctx_tree_push(f->c, &l->moved, *h);
    if (program)
        ctx_tree_push(f->c, &f->prog->moves, (struct own_move){p->key, how, at});
}

void place_keep(struct flow *f, const struct place *p, struct lang_span at, const char *to)
{
    if (!p->known || !may_go(f, p, at, ctx_strf(f->c, "go to %s", to).p))
        return;
    /* check: O4 without move */
    if (p->origin == ORIGIN_OWN) {
        struct lang_diag *d =
            diag_error(f->c, "O4", at, "handed on without `move`",
                       "`%.*s` goes to %s for good: say so", STR_FMT(p->name), to);
        diag_mark(f->c, d, p->declared, "owned here");
        diag_help(f->c, d, "write  move %.*s", STR_FMT(p->name));
    }
}

void place_revoke(struct flow *f, const struct place *p, struct lang_span at)
{
    struct lang_diag *d;
    if (!p->known)
        return;
    /* check: O6 revoke */
    if (p->origin == ORIGIN_REF) {
        d = diag_error(f->c, "O6", at, "only looks", "`%.*s` is a `ref` and can't be called back",
                       STR_FMT(p->name));
        diag_mark(f->c, d, p->declared, "declared here");
        diag_help(f->c, d, "take it as `mut`");
        return;
    }
    /* check: O11 revoke */
    if (p->origin == ORIGIN_LEASE) {
        d = diag_error(f->c, "O11", at, "not yours to call back",
                       "only the owner of `%.*s` calls it back", STR_FMT(p->name));
        diag_mark(f->c, d, p->declared, "leased here");
        diag_help(f->c, d, "leave the block to give it back");
        return;
    }
    /* check: O12 revoke of what is never lent */
    if (p->origin == ORIGIN_OWN && p->things.of != OF_BINDINGS) {
        d = diag_error(f->c, "O12", at, "never lent",
                       "`%.*s` is this task's own: nobody can have it on lease", STR_FMT(p->name));
        diag_mark(f->c, d, p->declared, "declared here");
        diag_help(f->c, d, "leave this out");
        return;
    }
    place_command(f, p, at);
    if (!p->part && p->base == OWN_NONE)
        state_hold(f->c, &f->now, p->key)->revoked = true;
}

void own_loop_moves(struct flow *f, const struct loop *l, const struct state *before,
                    const struct state *back)
{
    for (size_t i = 0; !back->dead && i < back->holds.n; i++) {
        const struct hold *h = &back->holds.v[i], *first = state_find(before, h->key);
        if (h->moved == HELD || (first && first->moved != HELD))
            continue;
        bool local = (h->key & OWN_LOCAL) != 0;
        const struct handle *v = local ? handle_find(f, h->key & ~OWN_LOCAL) : NULL;
        if (local && (!v || v->depth > f->depth))
            continue; /* declared in the loop: a new one each time */
        struct lang_span at = v ? v->span : own_declared(f->k, h->key);
        /* check: O9 loop */
        if (!diag_told(f->c, "O9", h->at)) {
            struct lang_diag *d =
                diag_error(f->c, "O9", h->at, "moved each time round",
                           "`%.*s` is moved in a loop that goes on", STR_FMT(ctx_text(f->c, at)));
            diag_mark(f->c, d, l->span, "this loop");
            diag_mark(f->c, d, at, "there is one of it");
            diag_help(f->c, d, "leave the loop behind the move with `break` or `return`");
        }
    }
}
