/* The walk over statements, in the order in which they run. */
#include "lang/own_flow_internal.h"

static struct handle local_handle(enum origin origin, uint32_t local, struct name name)
{
    return (struct handle){.origin = origin,
                           .local = local,
                           .name = name.text,
                           .span = name.span,
                           .things = {OF_UNKNOWN, 0, 0, NULL},
                           .base = OWN_NONE};
}

/* A local that got its value from a channel of handles. */
static void received(struct flow *f, const struct lang_type *type, uint32_t local, struct name name)
{
    if (type->kind == LANG_TYPE_HANDLE && name.text.n > 0)
        handle_add(f, local_handle(ORIGIN_OWN, local, name));
}

void flow_suspends(struct flow *f, struct lang_span at)
{
    f->unit->delays = true;
    if (f->kind == FLOW_FN || f->lambda > 0) {
        /* check: O10 function */
        if (!f->suspends) {
            struct lang_diag *d = diag_error(f->c, "O10", at, "waits here",
                                             "a function runs to its end without waiting");
            if (f->unit->fn && f->kind == FLOW_FN)
                diag_mark(f->c, d, f->unit->fn->name.span, "a function");
            diag_help(f->c, d, "make it a `task` and `spawn` it, or wait in the body of the rule");
        }
    }
    if (!f->suspends) {
        f->suspends = true;
        f->suspends_at = at;
    }
}

/* ---- branches ------------------------------------------------------------------------------ */

static void flow_if(struct flow *f, const struct stmt *s)
{
    flow_expr(f, s->value);
    struct state other = state_copy(f->c, &f->now);
    if (s->if_let)
        received(f, &s->local_type, s->local, s->name);
    flow_stmts(f, &s->body);
    struct state body = f->now;
    f->now = other;
    flow_stmts(f, &s->otherwise);
    state_join(f->c, &f->now, &body);
}

static size_t enum_values(const struct stmt *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->arms_n; i++)
        n += s->arms[i].patterns_n;
    return n;
}

/* Whether one of the arms runs, as far as that shows. */
static bool exhaustive(const struct stmt *s)
{
    bool none = false, some = false;
    const struct lang_type *t = &s->value->type;
    for (size_t i = 0; i < s->arms_n; i++)
        for (size_t p = 0; p < s->arms[i].patterns_n; p++) {
            enum pattern_kind kind = s->arms[i].patterns[p].kind;
            if (kind == PATTERN_ANY)
                return true;
            none = none || kind == PATTERN_NONE;
            some = some || kind == PATTERN_SOME;
        }
    if (t->optional)
        return none && some;
    if (t->kind == LANG_TYPE_BOOL)
        return enum_values(s) >= 2;
    return t->kind == LANG_TYPE_ENUM && t->def && enum_values(s) >= t->def->fields_n;
}

static void flow_match(struct flow *f, const struct stmt *s)
{
    flow_expr(f, s->value);
    struct state before = f->now, after = state_copy(f->c, &f->now);
    after.dead = after.dead || exhaustive(s);
    for (size_t i = 0; i < s->arms_n; i++) {
        const struct arm *arm = &s->arms[i];
        f->now = state_copy(f->c, &before);
        for (size_t p = 0; p < arm->patterns_n; p++)
            if (arm->patterns[p].kind == PATTERN_SOME)
                received(f, &s->value->type, arm->patterns[p].local, arm->patterns[p].name);
        flow_stmts(f, &arm->body);
        state_join(f->c, &after, &f->now);
    }
    f->now = after;
}

static void flow_select(struct flow *f, const struct stmt *s)
{
    bool waits = true;
    for (size_t i = 0; i < s->arms_n; i++)
        waits = waits && s->arms[i].kind != ARM_ELSE;
    if (waits)
        flow_suspends(f, s->span);
    struct state before = f->now, after = {.dead = true};
    for (size_t i = 0; i < s->arms_n; i++) {
        const struct arm *arm = &s->arms[i];
        f->now = state_copy(f->c, &before);
        bool suspends = f->suspends; /* what an arm waits for is the wait of the select */
        struct lang_span at = f->suspends_at;
        f->suspends = true;
        if (arm->value)
            flow_expr(f, arm->value);
        f->suspends = suspends;
        f->suspends_at = at;
        received(f, &arm->local_type, arm->local, arm->name);
        flow_stmts(f, &arm->body);
        state_join(f->c, &after, &f->now);
    }
    f->now = s->arms_n > 0 ? after : before;
}

/* ---- loops --------------------------------------------------------------------------------- */

static struct loop loop_begin(struct flow *f, struct lang_span span)
{
    f->depth++;
    return (struct loop){
        .outer = f->loop, .span = span, .breaks = {.dead = true}, .continues = {.dead = true}};
}

/* Behind the body: what comes back to the head; then what goes on behind the loop. `leaves`: the
 * loop may end at its head. */
static void loop_end(struct flow *f, struct loop *l, const struct state *before, bool leaves)
{
    f->loop = l->outer;
    f->depth--;
    state_join(f->c, &f->now, &l->continues);
    own_loop_moves(f, l, before, &f->now);
    if (leaves)
        state_join(f->c, &f->now, before);
    else
        f->now = (struct state){.dead = true};
    state_join(f->c, &f->now, &l->breaks);
}

static struct lang_span head_of(const struct stmt *s)
{
    struct lang_span span = s->span;
    if (s->body.span.from > span.from && s->body.span.from < span.to)
        span.to = s->body.span.from;
    return span;
}

static void flow_loop(struct flow *f, const struct stmt *s)
{
    if (s->value && s->kind == S_WHILE)
        flow_expr(f, s->value);
    struct state before = state_copy(f->c, &f->now);
    struct loop l = loop_begin(f, head_of(s));
    f->loop = &l;
    flow_stmts(f, &s->body);
    loop_end(f, &l, &before, s->kind != S_LOOP);
}

/* The things of a group of the site: the body once for each. */
static void flow_unrolled(struct flow *f, const struct stmt *s)
{
    struct loop l = loop_begin(f, head_of(s));
    f->loop = &l;
    for (size_t i = 0; i < s->elements_n; i++) {
        l.continues = (struct state){.dead = true};
        flow_stmts(f, &s->unrolled[i]);
        state_join(f->c, &f->now, &l.continues);
    }
    f->loop = l.outer;
    f->depth--;
    state_join(f->c, &f->now, &l.breaks);
}

static void flow_for(struct flow *f, const struct stmt *s)
{
    if (s->elements_n > 0 && s->unrolled) {
        flow_unrolled(f, s);
        return;
    }
    struct place group = place_of(f, s->value);
    if (!group.known)
        flow_expr(f, s->value);
    if (s->range)
        flow_expr(f, s->value2);
    struct state before = state_copy(f->c, &f->now);
    struct loop l = loop_begin(f, head_of(s));
    f->loop = &l;
    if (group.known) {
        place_use(f, &group, s->value->span);
        struct handle h = local_handle(ORIGIN_ELEMENT, s->local, s->name);
        h.base = group.key;
        h.things = group.things;
        handle_add(f, h);
        ctx_tree_push(f->c, &f->walks, (struct walk){group.key, s->local, s->name.span});
    }
    flow_stmts(f, &s->body);
    f->walks.n -= group.known ? 1 : 0;
    loop_end(f, &l, &before, true);
}

/* ---- leases -------------------------------------------------------------------------------- */

static bool same_handle(const struct lease_site *a, const struct lease_site *b)
{
    return str_eq(a->from, b->from) && str_eq(a->handle, b->handle);
}

static void leased_already(struct flow *f, const struct lease_site *site)
{
    for (const struct lease_site *o = site->outer; o; o = o->outer) {
        /* check: O7 leased twice */
        if (same_handle(o, site)) {
            struct lang_diag *d = diag_error(f->c, "O7", site->at, "a second time",
                                             "this block has %.*s.%.*s on lease already",
                                             STR_FMT(site->from), STR_FMT(site->handle));
            diag_mark(f->c, d, o->at, "leased here");
            diag_help(f->c, d, "use its first name, `%.*s`", STR_FMT(o->stmt->name.text));
            return;
        }
    }
}

static struct lease_site *lease_note(struct flow *f, const struct stmt *s)
{
    struct lease_site *site = ctx_tree_new(f->c, sizeof(*site));
    *site = (struct lease_site){.program = f->prog ? f->prog->decl : NULL,
                                .stmt = s,
                                .at = s->path_span,
                                .outer = f->lease ? f->lease->site : NULL,
                                .next = f->unit->leases,
                                .waits = s->value2 != NULL};
    if (s->path_n == 2) {
        site->from = s->path[0].text;
        site->handle = s->path[1].text;
    }
    f->unit->leases = site;
    ctx_tree_push(f->c, &f->k->own->leases, site);
    leased_already(f, site);
    return site;
}

static void flow_lease(struct flow *f, const struct stmt *s)
{
    flow_expr(f, s->value);
    if (s->value2)
        flow_expr(f, s->value2);
    flow_suspends(f, s->path_span);
    struct lease_block l = {.outer = f->lease, .site = lease_note(f, s)};
    struct state before = state_copy(f->c, &f->now);
    f->lease = &l;
    struct handle h = local_handle(ORIGIN_LEASE, s->local, s->name);
    h.things = (struct things){OF_LEASE, 0, 0, l.site};
    handle_add(f, h);
    flow_stmts(f, &s->body);
    f->lease = l.outer;
    struct state after = f->now;
    f->now = state_copy(f->c, &before);
    for (size_t i = 0; i < l.moved.n; i++) {
        struct hold *at = state_hold(f->c, &f->now, l.moved.v[i].key);
        if (at->moved == HELD)
            *at = (struct hold){l.moved.v[i].key, MAYBE_MOVED, at->revoked, l.moved.v[i].how,
                                l.moved.v[i].at};
    }
    flow_stmts(f, &s->otherwise);
    state_join(f->c, &after, &f->now);
    f->now = before;
    flow_stmts(f, &s->denied);
    state_join(f->c, &f->now, &after);
}

/* ---- the others ---------------------------------------------------------------------------- */

static void flow_leave(struct flow *f, struct state *to)
{
    state_join(f->c, to, &f->now);
    f->now = (struct state){.dead = true};
}

static void flow_return(struct flow *f, const struct stmt *s)
{
    if (s->value)
        flow_expr(f, s->value);
    if (f->lambda > 0)
        return; /* of the lambda */
    for (uint32_t i = 0; !f->now.dead && i < OWN_REVOKE_N; i++) {
        const struct hold *h = state_find(&f->now, i | OWN_LOCAL);
        if (!h || !h->revoked)
            f->unit->revokes &= ~(1u << i);
    }
    f->now = (struct state){.dead = true};
}

static void flow_let(struct flow *f, const struct stmt *s)
{
    flow_expr(f, s->value);
    received(f, &s->local_type, s->local, s->name);
}

static void flow_drop(struct flow *f, const struct stmt *s)
{
    struct place p = place_of(f, s->target);
    place_move(f, &p, s->span, MOVED_BY_DROP);
}

static void flow_publish(struct flow *f, const struct stmt *s)
{
    if (s->value2)
        flow_expr(f, s->value2);
    if (s->value && !s->value->bad)
        flow_fact(f, FACT_PUBLISH, s->span)->message = s->value->text_value;
}

static void flow_stmt(struct flow *f, const struct stmt *s)
{
    switch (s->kind) {
    case S_LET: flow_let(f, s); return;
    case S_ASSIGN: flow_assign(f, s); return;
    case S_CALL: flow_call_stmt(f, s); return;
    case S_IF: flow_if(f, s); return;
    case S_RETURN: flow_return(f, s); return;
    case S_HOST:
        flow_expr(f, s->value);
        flow_fact(f, FACT_HOST, s->span)->index = s->level;
        return;
    case S_WHILE:
    case S_LOOP: flow_loop(f, s); return;
    case S_FOR: flow_for(f, s); return;
    case S_MATCH: flow_match(f, s); return;
    case S_BREAK:
        if (f->loop)
            flow_leave(f, &f->loop->breaks);
        return;
    case S_CONTINUE:
        if (f->loop)
            flow_leave(f, &f->loop->continues);
        return;
    case S_SPAWN: flow_spawn(f, s); return;
    case S_SELECT: flow_select(f, s); return;
    case S_SLEEP:
        flow_expr(f, s->value);
        flow_suspends(f, s->span);
        return;
    case S_LEASE: flow_lease(f, s); return;
    case S_REVOKE: {
        struct place p = place_of(f, s->target);
        place_revoke(f, &p, s->span);
        return;
    }
    case S_DROP: flow_drop(f, s); return;
    case S_PUBLISH: flow_publish(f, s); return;
    case S_TEST: return;
    }
}

void flow_stmts(struct flow *f, const struct stmt_list *list)
{
    size_t handles = f->handles.n;
    for (size_t i = 0; i < list->n; i++)
        flow_stmt(f, list->v[i]);
    f->handles.n = handles;
}
