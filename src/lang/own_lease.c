/* Leases over the whole site: what is lent to whom (O2), and one order for those inside of others
 * (O13). */
#include "lang/own_flow_internal.h"

static void not_lent(struct checker *k, const struct lease_need *n, const struct own_offer *o)
{
    if (diag_told(k->c, "O2", n->at))
        return;
    struct lang_diag *d =
        diag_error(k->c, "O2", n->at, "not lent to it", "%.*s.%.*s is not lent to %.*s",
                   STR_FMT(n->from), STR_FMT(n->handle), STR_FMT(n->program));
    diag_mark(k->c, d, o->span, "owned here, by %.*s", STR_FMT(o->program));
    if (str_eq(n->program, o->program))
        diag_help(k->c, d, "it is its own: command it by its name");
    else
        diag_help(k->c, d, "say so in %.*s:  lend %.*s to %.*s", STR_FMT(o->program),
                  STR_FMT(o->handle), STR_FMT(n->program));
}

const struct lang_decl *own_need(struct checker *k, struct lease_need n)
{
    struct own_offer *o = own_offer(k, n.from, n.handle);
    if (!o)
        return NULL; /* reported with the name */
    ctx_push(k->c, &k->own->needs, n);
    /* check: O2 not lent */
    if (!o->lessees || !map_get(o->lessees, n.program))
        not_lent(k, &n, o);
    return o->resource;
}

static void judge_lease(struct checker *k, struct lease_site *s, struct str program)
{
    s->resource = own_need(k, (struct lease_need){program, s->from, s->handle, s->at});
}

/* ---- one order ----------------------------------------------------------------------------- */

static uint32_t thing(const struct checker *k, const struct lang_decl *d)
{
    return own_root(k, d->resource);
}

struct search {
    uint32_t goal;
    uint8_t *seen;                  /* by order */
    const struct lease_order *last; /* the one that leads to the goal */
};

/* Whether `from` is taken before the goal, step by step. */
static bool leads(struct checker *k, struct search *s, uint32_t from)
{
    for (size_t i = 0; i < k->own->orders.n; i++) {
        const struct lease_order *o = &k->own->orders.v[i];
        if (s->seen[i] || thing(k, o->outer) != from)
            continue;
        s->seen[i] = 1;
        if (thing(k, o->inner) == s->goal || leads(k, s, thing(k, o->inner))) {
            s->last = thing(k, o->inner) == s->goal ? o : s->last;
            return true;
        }
    }
    return false;
}

static void opposite(struct checker *k, const struct lease_order *now,
                     const struct lease_order *first)
{
    if (diag_told(k->c, "O13", now->inner_at))
        return;
    bool pair = thing(k, first->outer) == thing(k, now->inner);
    struct lang_diag *d = diag_error(
        k->c, "O13", now->inner_at, "then this",
        pair ? "%.*s leases %.*s, then %.*s; %.*s does it the other way round"
             : "%.*s leases %.*s, then %.*s; with %.*s and others that goes round in a circle",
        STR_FMT(now->program), STR_FMT(now->outer->name), STR_FMT(now->inner->name),
        STR_FMT(first->program));
    diag_mark(k->c, d, now->outer_at, "first this, in %.*s", STR_FMT(now->program));
    diag_mark(k->c, d, first->outer_at, "first this, in %.*s", STR_FMT(first->program));
    diag_mark(k->c, d, first->inner_at, "then this");
    diag_help(k->c, d,
              "lease them in one order everywhere, or say how long the inner lease may wait:  "
              "lease … for … wait 10s");
}

/* Of the orders seen so far none may lead back. */
void own_order(struct checker *k, struct lease_order now)
{
    struct search s = {.goal = thing(k, now.outer),
                       .seen = ctx_tree_array(k->c, k->own->orders.n + 1, 1)};
    if (thing(k, now.inner) == s.goal)
        return; /* O7 */
    /* check: O13 order */
    if (leads(k, &s, thing(k, now.inner))) {
        if (s.last)
            opposite(k, &now, s.last);
        return;
    }
    ctx_push(k->c, &k->own->orders, now);
}

/* Against all leases around it. */
static void judge_order(struct checker *k, const struct lease_site *s, struct str program)
{
    /* check: O13 wait */
    if (s->waits)
        return;
    for (const struct lease_site *o = s->outer; o; o = o->outer)
        if (s->resource && o->resource)
            own_order(k, (struct lease_order){program, o->resource, s->resource, o->at, s->at});
}

/* ---- functions of the site ----------------------------------------------------------------- */

static void judge_reached(struct checker *k, struct own_unit *u, struct str program)
{
    if (u->visiting)
        return;
    u->visiting = true;
    for (struct lease_site *s = u->leases; s; s = s->next)
        if (!s->program)
            judge_lease(k, s, program);
    for (const struct lease_site *s = u->leases; s; s = s->next)
        if (!s->program)
            judge_order(k, s, program);
    for (size_t i = 0; i < u->facts.n; i++)
        if (u->facts.v[i].kind == FACT_CALL && u->facts.v[i].fn->facts)
            judge_reached(k, u->facts.v[i].fn->facts, program);
    u->visiting = false;
}

static void judge_used_fns(struct checker *k)
{
    bool any = false;
    for (size_t i = 0; i < k->own->leases.n; i++)
        any = any || !k->own->leases.v[i]->program;
    for (size_t p = 0; any && p < k->own->progs.n; p++) {
        struct own_prog *prog = k->own->progs.v[p];
        for (size_t i = 0; i < prog->rules.n; i++)
            judge_reached(k, prog->rules.v[i], prog->decl->name.text);
    }
}

void own_judge_leases(struct checker *k)
{
    for (size_t i = 0; i < k->own->leases.n; i++)
        if (k->own->leases.v[i]->program)
            judge_lease(k, k->own->leases.v[i], k->own->leases.v[i]->program->name.text);
    for (size_t i = 0; i < k->own->leases.n; i++)
        if (k->own->leases.v[i]->program)
            judge_order(k, k->own->leases.v[i], k->own->leases.v[i]->program->name.text);
    judge_used_fns(k);
}
