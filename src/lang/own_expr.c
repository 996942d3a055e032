/* The walk over expressions: what they read, command and hand on. */
#include "lang/own_flow_internal.h"

struct fact *flow_fact(struct flow *f, enum fact_kind kind, struct lang_span at)
{
    ctx_tree_push(f->c, &f->unit->facts, (struct fact){.kind = kind, .part = f->part, .at = at});
    return &f->unit->facts.v[f->unit->facts.n - 1];
}

static void reads(struct flow *f, const struct expr *e)
{
    struct fact *fact = flow_fact(f, FACT_READ, e->span);
    fact->resource = e->resource;
    fact->member = e->member;
}

static void reads_handle(struct flow *f, const struct expr *e)
{
    struct place p = place_of(f, e->handle);
    place_use(f, &p, e->span);
    if (!p.known || !e->member)
        return;
    struct fact *fact = flow_fact(f, FACT_READ, e->span);
    fact->things = p.things;
    fact->member = e->member;
}

static void flow_name(struct flow *f, const struct expr *e)
{
    switch (e->ref) {
    case REF_READ: reads(f, e); return;
    case REF_VAR: flow_fact(f, FACT_VAR, e->span)->index = e->index; return;
    case REF_MEMBER: reads_handle(f, e); return;
    default: return;
    }
}

/* ---- commands ------------------------------------------------------------------------------ */

static bool revoked(const struct flow *f, const struct place *p)
{
    const struct hold *h = state_find(&f->now, p->base != OWN_NONE ? p->base : p->key);
    return f->now.dead || (h && h->revoked);
}

static void through_ref(struct flow *f, const struct place *p, struct lang_span at)
{
    struct lang_diag *d = diag_error(f->c, "O6", at, "a command needs `mut`",
                                     "`%.*s` is a `ref`: it only looks", STR_FMT(p->name));
    diag_mark(f->c, d, p->declared, "declared here");
    diag_help(f->c, d, "write  mut %.*s: …  in the signature", STR_FMT(p->name));
}

static struct place command_place(struct flow *f, const struct expr *e)
{
    if (e->handle)
        return place_of(f, e->handle);
    struct expr own = {.kind = E_PATH, .ref = REF_OWN, .index = e->index, .span = e->span};
    return place_of(f, &own);
}

static void flow_command(struct flow *f, const struct expr *e, enum call_else busy)
{
    for (size_t i = 0; i < e->list.n; i++)
        flow_expr(f, e->list.v[i]);
    struct place p = command_place(f, e);
    if (!p.known || e->bad)
        return;
    /* check: O6 command through ref */
    if (p.origin == ORIGIN_REF)
        through_ref(f, &p, e->span);
    place_command(f, &p, e->span);
    struct fact *fact = flow_fact(f, FACT_COMMAND, e->span);
    fact->things = p.things;
    fact->member = e->member;
    fact->bare = busy == ELSE_NOTHING && !revoked(f, &p);
    if (fact->bare && p.things.of == OF_BINDINGS)
        ctx_tree_push(f->c, &f->prog->busy, (struct own_busy){.things = p.things, .at = e->span});
}

/* ---- arguments ----------------------------------------------------------------------------- */

static void moved_to_borrower(struct flow *f, const struct fn_decl *fn, size_t i,
                              const struct expr *arg)
{
    struct lang_diag *d = diag_error(f->c, "O4", arg->span, "moved", "`%.*s` only borrows it",
                                     STR_FMT(fn->name.text));
    diag_mark(f->c, d, fn->params[i].name.span, "borrowed as `%s`",
              fn->params[i].mode == PARAM_MUT ? "mut" : "ref");
    diag_help(f->c, d, "leave out `move`");
}

static void mut_from_ref(struct flow *f, const struct fn_decl *fn, size_t i, const struct place *p,
                         struct lang_span at)
{
    struct lang_diag *d =
        diag_error(f->c, "O6", at, "only a `ref`", "`%.*s` commands what is only looked at here",
                   STR_FMT(fn->name.text));
    diag_mark(f->c, d, p->declared, "a `ref`");
    diag_mark(f->c, d, fn->params[i].name.span, "a `mut`");
    diag_help(f->c, d, "take `%.*s` as `mut`", STR_FMT(p->name));
}

static bool is_handle(const struct expr *e)
{
    return !e->bad && e->type.kind == LANG_TYPE_HANDLE;
}

/* What comes out of a channel has to be held by somebody before it is handed on. */
static void nameless(struct flow *f, const struct expr *arg)
{
    struct lang_diag *d =
        diag_error(f->c, "O1", arg->span, "has no name", "a handle is handed on by its name");
    diag_help(f->c, d, "receive it first:  select { x = ….recv() => … }");
}

/* To whoever takes it for good. */
static void handed_on(struct flow *f, const struct expr *arg, const struct place *p,
                      enum move_how how, const char *to)
{
    if (!p->known) {
        /* check: O1 nameless */
        nameless(f, arg);
    } else if (arg->kind == E_MOVE) {
        place_move(f, p, arg->span, how);
    } else {
        place_keep(f, p, arg->span, to);
    }
}

/* An argument for a parameter with a mode. */
static struct place flow_handle(struct flow *f, const struct fn_decl *fn, size_t i,
                                const struct expr *arg)
{
    struct place p = place_of(f, arg);
    enum param_mode mode = fn->params[i].mode;
    if (!is_handle(arg)) {
        flow_expr(f, arg);
        p.known = false;
    } else if (mode == PARAM_OWN || !p.known) {
        handed_on(f, arg, &p, MOVED_TO_FN, "a function");
    } else if (arg->kind == E_MOVE) {
        /* check: O4 moved to a borrower */
        moved_to_borrower(f, fn, i, arg);
    } else if (mode == PARAM_REF) {
        place_use(f, &p, arg->span);
    } else {
        /* check: O6 mut from ref */
        if (p.known && p.origin == ORIGIN_REF)
            mut_from_ref(f, fn, i, &p, arg->span);
        place_command(f, &p, arg->span);
    }
    return p;
}

static void borrowed_twice(struct flow *f, const struct fn_decl *fn, const struct expr *e,
                           const struct place *places, size_t a, size_t b)
{
    bool changes = fn->params[a].mode != PARAM_REF || fn->params[b].mode != PARAM_REF;
    bool moves = e->list.v[a]->kind == E_MOVE && e->list.v[b]->kind != E_MOVE;
    /* check: O7 borrowed twice */
    if (changes && !moves && places_overlap(&places[a], &places[b]) &&
        !diag_told(f->c, "O7", e->list.v[b]->span)) {
        struct lang_diag *d = diag_error(f->c, "O7", e->list.v[b]->span, "the same again",
                                         places[a].part || places[b].part
                                             ? "`%.*s` may be handed over twice at a time"
                                             : "`%.*s` is handed over twice at a time",
                                         STR_FMT(places[b].name));
        diag_mark(f->c, d, e->list.v[a]->span, "once here");
        diag_mark(f->c, d, fn->name.span, "one of them may change it");
        diag_help(f->c, d,
                  places[a].dynamic || places[b].dynamic
                      ? "indices that are not constant count as equal: call it for one "
                        "after the other"
                      : "hand it over once");
    }
}

static void note_call(struct flow *f, const struct expr *e, const struct place *places)
{
    const struct fn_decl *fn = e->fn;
    struct call_arg *args = ctx_tree_array(f->c, fn->params_n, sizeof(*args));
    for (size_t i = 0; i < fn->params_n; i++) {
        const struct place *p = &places[i];
        if (!p->known)
            continue;
        args[i].things = p->things;
        args[i].revoked = revoked(f, p);
        if (fn->params[i].mode == PARAM_MUT && p->things.of == OF_BINDINGS && !args[i].revoked)
            ctx_tree_push(f->c, &f->prog->busy,
                          (struct own_busy){p->things, e->list.v[i]->span, fn, (uint32_t)i});
        if (fn->facts && i < OWN_REVOKE_N && (fn->facts->revokes & (1u << i)) && !p->part)
            state_hold(f->c, &f->now, p->key)->revoked = true;
    }
    struct fact *fact = flow_fact(f, FACT_CALL, e->span);
    fact->fn = fn;
    fact->args = args;
}

static void flow_call_fn(struct flow *f, const struct expr *e)
{
    const struct fn_decl *fn = e->fn;
    struct place *places = ctx_tree_array(f->c, fn->params_n, sizeof(*places));
    for (size_t i = 0; i < e->list.n && i < fn->params_n; i++) {
        if (fn->params[i].mode == PARAM_DATA) {
            flow_expr(f, e->list.v[i]);
            continue;
        }
        places[i] = flow_handle(f, fn, i, e->list.v[i]);
        for (size_t q = 0; q < i; q++)
            borrowed_twice(f, fn, e, places, q, i);
    }
    note_call(f, e, places);
}

void flow_spawn(struct flow *f, const struct stmt *s)
{
    const struct expr *e = s->value;
    const struct fn_decl *fn = e->fn;
    if (!fn || e->bad) {
        for (size_t i = 0; i < e->list.n; i++)
            flow_expr(f, e->list.v[i]);
        return;
    }
    struct place *places = ctx_tree_array(f->c, fn->params_n, sizeof(*places));
    for (size_t i = 0; i < e->list.n && i < fn->params_n; i++) {
        const struct expr *arg = e->list.v[i];
        if (!is_handle(arg)) {
            flow_expr(f, arg);
            continue;
        }
        places[i] = place_of(f, arg);
        handed_on(f, arg, &places[i], MOVED_TO_TASK, "a task");
    }
    note_call(f, e, places);
}

/* ---- channels ------------------------------------------------------------------------------ */

static void flow_send(struct flow *f, const struct expr *e, bool waits)
{
    flow_expr(f, e->a);
    if (e->a && e->a->kind == E_PATH && e->a->ref == REF_VAR)
        flow_fact(f, FACT_ASSIGN, e->span)->index = e->a->index; /* who receives reads it */
    for (size_t i = 0; i < e->list.n; i++) {
        const struct expr *arg = e->list.v[i];
        struct place p = place_of(f, arg);
        if (is_handle(arg))
            handed_on(f, arg, &p, MOVED_TO_CHANNEL, "a channel");
        else
            flow_expr(f, arg);
    }
    if (waits)
        flow_suspends(f, e->span);
}

static void flow_method(struct flow *f, const struct expr *e)
{
    if (e->ref == REF_COMMAND) {
        flow_command(f, e, ELSE_NOTHING);
        return;
    }
    if (e->method == METHOD_SEND) {
        flow_send(f, e, true);
        return;
    }
    flow_expr(f, e->a);
    for (size_t i = 0; i < e->list.n; i++)
        flow_expr(f, e->list.v[i]);
    if (e->method == METHOD_RECV)
        flow_suspends(f, e->span);
}

void flow_call_stmt(struct flow *f, const struct stmt *s)
{
    const struct expr *e = s->value;
    bool send = e->kind == E_METHOD && e->method == METHOD_SEND && e->ref != REF_COMMAND;
    struct state before = send ? state_copy(f->c, &f->now) : (struct state){.dead = true};
    if (e->bad)
        return;
    if (e->ref == REF_COMMAND)
        flow_command(f, e, s->on_busy);
    else if (send)
        flow_send(f, e, s->on_busy == ELSE_NOTHING);
    else
        flow_expr(f, e);
    if (s->on_busy != ELSE_BLOCK)
        return;
    struct state after = state_copy(f->c, &f->now);
    if (send)
        f->now = before; /* what did not fit is still here */
    flow_stmts(f, &s->otherwise);
    state_join(f->c, &f->now, &after);
}

/* ---- all of them --------------------------------------------------------------------------- */

static void flow_lambda(struct flow *f, const struct expr *e)
{
    if (!e->fn)
        return;
    struct state before = state_copy(f->c, &f->now);
    struct loop *loop = f->loop;
    f->loop = NULL;
    f->lambda++;
    flow_stmts(f, &e->fn->body);
    f->lambda--;
    f->loop = loop;
    f->now = before;
}

/* `b` runs or not, as `a` came out. */
static void flow_maybe(struct flow *f, const struct expr *b)
{
    struct state before = state_copy(f->c, &f->now);
    flow_expr(f, b);
    state_join(f->c, &f->now, &before);
}

static void flow_if_expr(struct flow *f, const struct expr *e)
{
    flow_expr(f, e->a);
    struct state other = state_copy(f->c, &f->now);
    flow_expr(f, e->b);
    struct state body = f->now;
    f->now = other;
    flow_expr(f, e->otherwise);
    state_join(f->c, &f->now, &body);
}

static void flow_parts(struct flow *f, const struct expr *e)
{
    flow_expr(f, e->a);
    if (e->kind == E_BINARY && (e->op == OP_AND || e->op == OP_OR || e->op == OP_COALESCE))
        flow_maybe(f, e->b);
    else
        flow_expr(f, e->b);
    for (size_t i = 0; i < e->list.n; i++)
        flow_expr(f, e->list.v[i]);
}

void flow_expr(struct flow *f, const struct expr *e)
{
    if (!e || e->bad)
        return;
    switch (e->kind) {
    case E_PATH:
    case E_FIELD:
        flow_name(f, e);
        if (e->kind == E_FIELD && e->ref != REF_MEMBER)
            flow_expr(f, e->a);
        return;
    case E_CALL:
        if (e->ref == REF_COMMAND)
            flow_command(f, e, ELSE_NOTHING);
        else if ((e->ref == REF_FN || e->ref == REF_TASK) && e->fn)
            flow_call_fn(f, e);
        else
            flow_parts(f, e);
        return;
    case E_METHOD: flow_method(f, e); return;
    case E_LAMBDA: flow_lambda(f, e); return;
    case E_IF: flow_if_expr(f, e); return;
    default: flow_parts(f, e); return;
    }
}

static bool constant_number(const struct expr *e, double *out)
{
    if (!e->constant)
        return false;
    switch (e->type.kind) {
    case LANG_TYPE_FLOAT: *out = e->value.f; return true;
    case LANG_TYPE_BOOL:
    case LANG_TYPE_INT:
    case LANG_TYPE_ENUM: *out = (double)e->value.i; return true;
    default: return false;
    }
}

/* `n = n + 1` counts: that it reads n decides nothing. */
static void forget_reads(struct flow *f, size_t from, uint32_t var)
{
    size_t kept = from;
    for (size_t i = from; i < f->unit->facts.n; i++)
        if (f->unit->facts.v[i].kind != FACT_VAR || f->unit->facts.v[i].index != var)
            f->unit->facts.v[kept++] = f->unit->facts.v[i];
    f->unit->facts.n = kept;
}

void flow_assign(struct flow *f, const struct stmt *s)
{
    size_t facts = f->unit->facts.n;
    flow_expr(f, s->value);
    const struct expr *t = s->target;
    if (t->bad)
        return;
    if (t->kind != E_PATH)
        flow_expr(f, t);
    else if (t->ref == REF_VAR)
        forget_reads(f, facts, t->index);
    while (t && (t->kind == E_FIELD || t->kind == E_INDEX))
        t = t->a;
    if (!t || t->kind != E_PATH || t->ref != REF_VAR)
        return;
    struct fact *fact = flow_fact(f, FACT_ASSIGN, s->span);
    fact->index = t->index;
    fact->has_value = s->op == OP_EQ && t == s->target && constant_number(s->value, &fact->value);
}
