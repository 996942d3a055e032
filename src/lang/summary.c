/* Writing the summary of a program (summary_internal.h has the format). */
#include "lang/summary_internal.h"

#include <math.h>

struct out {
    const struct lang_site *site;
    struct alloc *alloc;
    VEC(struct lang_span) places;
    struct strbuf body;
    bool failed;
};

static void put_text(struct strbuf *b, struct str s)
{
    strbuf_addf(b, " %zu:", s.n);
    strbuf_addstr(b, s);
}

static void put_number(struct strbuf *b, uint64_t n)
{
    strbuf_addf(b, " %llu", (unsigned long long)n);
}

static void put_place(struct out *o, struct lang_span at)
{
    for (size_t i = o->places.n; i > 0 && i + 8 > o->places.n; i--) {
        const struct lang_span *p = &o->places.v[i - 1];
        if (p->source == at.source && p->from == at.from && p->to == at.to) {
            put_number(&o->body, i - 1);
            return;
        }
    }
    put_number(&o->body, o->places.n);
    if (!vec_push(o->alloc, &o->places, at))
        o->failed = true;
}

/* ---- places -------------------------------------------------------------------------------- */

static void write_place(struct strbuf *b, const struct lang_site *site, struct lang_span at)
{
    struct str t = site->sources[at.source].text;
    uint32_t line = 1;
    size_t from = 0, to = at.from;
    for (size_t i = 0; i < at.from; i++)
        if (t.p[i] == '\n') {
            line++;
            from = i + 1;
        }
    while (to < t.n && t.p[to] != '\n')
        to++;
    size_t end = at.to < to ? at.to : to;
    strbuf_adds(b, "place");
    put_number(b, line);
    put_number(b, at.from - from);
    put_number(b, end - at.from);
    put_text(b, str_sub(t, from, to - from));
    strbuf_addc(b, '\n');
}

/* ---- what it has and lends ------------------------------------------------------------------- */

static void write_owned(struct out *o, struct str program)
{
    const struct own_site *own = o->site->own;
    for (size_t i = 0; i < own->owned.n; i++) {
        const struct owned *x = &own->owned.v[i];
        if (!str_eq(x->program, program))
            continue;
        strbuf_adds(&o->body, "own");
        put_text(&o->body, x->handle);
        put_text(&o->body, x->resource->name);
        put_place(o, x->at);
        strbuf_addc(&o->body, '\n');
    }
}

static void write_lends(struct out *o, struct str program)
{
    const struct own_site *own = o->site->own;
    for (size_t i = 0; i < own->lends.n; i++) {
        const struct lend *l = &own->lends.v[i];
        if (!str_eq(l->program, program))
            continue;
        strbuf_adds(&o->body, "lend");
        put_text(&o->body, l->handle);
        put_text(&o->body, l->to);
        put_place(o, l->at);
        strbuf_addc(&o->body, '\n');
    }
}

static void write_leases(struct out *o, struct str program)
{
    const struct own_site *own = o->site->own;
    for (size_t i = 0; i < own->needs.n; i++) {
        const struct lease_need *n = &own->needs.v[i];
        if (!str_eq(n->program, program))
            continue;
        strbuf_adds(&o->body, "need");
        put_text(&o->body, n->from);
        put_text(&o->body, n->handle);
        put_place(o, n->at);
        strbuf_addc(&o->body, '\n');
    }
    for (size_t i = 0; i < own->orders.n; i++) {
        const struct lease_order *x = &own->orders.v[i];
        if (!str_eq(x->program, program))
            continue;
        strbuf_adds(&o->body, "order");
        put_text(&o->body, x->outer->name);
        put_text(&o->body, x->inner->name);
        put_place(o, x->outer_at);
        put_place(o, x->inner_at);
        strbuf_addc(&o->body, '\n');
    }
}

static void write_messages(struct out *o, struct str program)
{
    const struct own_site *own = o->site->own;
    for (size_t i = 0; i < own->messages.n; i++) {
        const struct message *m = &own->messages.v[i];
        if (!str_eq(m->program, program))
            continue;
        strbuf_adds(&o->body, "message");
        put_text(&o->body, m->name);
        put_text(&o->body, m->key);
        put_number(&o->body, m->said);
        put_place(o, m->at);
        strbuf_addc(&o->body, '\n');
    }
}

/* ---- rules --------------------------------------------------------------------------------- */

static void write_condition(struct out *o, const struct cond *c)
{
    struct strbuf *b = &o->body;
    for (size_t i = 0; i < c->nodes.n; i++) {
        const struct cond_node *x = &c->nodes.v[i];
        bool atom = (x->op == COND_READ && x->member) || x->op == COND_VAR;
        bool known = !atom || isfinite(x->value);
        bool lost = (x->op == COND_READ && !x->member) || !known;
        strbuf_adds(b, "if");
        put_number(b, lost ? COND_UNKNOWN : x->op);
        if (atom && known) {
            put_number(b, x->cmp);
            put_text(b, x->op == COND_READ ? x->resource->name : STR(""));
            put_text(b, x->op == COND_READ ? x->member->name : x->var);
            strbuf_addc(b, ' ');
            strbuf_add_double(b, x->value);
            put_number(b, x->truth);
        }
        strbuf_addc(b, '\n');
    }
}

static void write_effect(struct out *o, const struct effect *e)
{
    bool value = e->has_value && isfinite(e->value);
    strbuf_adds(&o->body, "does");
    put_number(&o->body, e->kind);
    put_text(&o->body, e->resource ? e->resource->name : STR(""));
    put_text(&o->body, e->member ? e->member->name : e->name);
    put_number(&o->body, e->level);
    put_number(&o->body, value);
    strbuf_addc(&o->body, ' ');
    strbuf_add_double(&o->body, value ? e->value : 0);
    put_place(o, e->at);
    strbuf_addc(&o->body, '\n');
}

static void write_rules(struct out *o, struct str program)
{
    const struct graph *g = &o->site->own->graph;
    for (size_t i = 0; i < g->nodes.n; i++) {
        const struct graph_node *n = &g->nodes.v[i];
        if (!str_eq(n->program, program))
            continue;
        strbuf_adds(&o->body, "rule");
        put_number(&o->body, n->rule);
        put_number(&o->body, n->trigger);
        put_number(&o->body, n->until);
        put_number(&o->body, n->delays);
        put_place(o, n->head);
        strbuf_addc(&o->body, '\n');
        if (n->condition)
            write_condition(o, n->condition);
        for (size_t e = 0; e < n->effects_n; e++)
            write_effect(o, &n->effects[e]);
    }
}

enum err lang_summary_write(const struct lang_site *site, const struct lang_program *program,
                            struct strbuf *out)
{
    struct out o = {.site = site, .alloc = out->alloc};
    strbuf_init(&o.body, out->alloc, 0);
    write_owned(&o, program->name);
    write_lends(&o, program->name);
    write_leases(&o, program->name);
    write_messages(&o, program->name);
    write_rules(&o, program->name);
    strbuf_addf(out, "sedge-summary %u\nprogram", LANG_SUMMARY_VERSION);
    put_text(out, program->name);
    put_text(out, program->file);
    strbuf_addc(out, '\n');
    for (size_t i = 0; i < o.places.n; i++)
        write_place(out, site, o.places.v[i]);
    strbuf_addstr(out, strbuf_str(&o.body));
    strbuf_adds(out, "end\n");
    bool failed = o.failed || o.body.failed || out->failed;
    strbuf_fini(&o.body);
    vec_fini(o.alloc, &o.places);
    return failed ? ERR_NOMEM : ERR_OK;
}
