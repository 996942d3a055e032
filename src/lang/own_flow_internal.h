/* own_flow_internal: what the parts of the ownership pass share. Private to lang/.
 *
 * A handle has a key: the number of the program's binding (of the first one for a group), or of the
 * local with OWN_LOCAL set. A state says for each key what has become of it on the way to here;
 * what it does not list is held. States are small (what moved), so they are copied at branches and
 * joined behind them. Moving is for good, so a loop's body is walked once: what is moved at its
 * end and was not at its start would be moved twice (O9).
 * All memory is the check's arena. */
#pragma once

#include "lang/check_internal.h"
#include "lang/graph_internal.h"

#define OWN_LOCAL    0x80000000u
#define OWN_NONE     UINT32_MAX
#define OWN_REVOKE_N 32u /* parameters of a function of which we know whether it revokes them */

/* ---- handles ----------------------------------------------------------------------------- */

enum origin {
    ORIGIN_OWN, /* of the program; an `own` parameter; out of a channel */
    ORIGIN_MUT,
    ORIGIN_REF,
    ORIGIN_LEASE,
    ORIGIN_ELEMENT, /* of a `for` over a group */
};

/* Which things a handle may stand for, as far as one can know. */
enum own_of { OF_UNKNOWN, OF_BINDINGS, OF_PARAM, OF_LEASE };
struct things {
    enum own_of of;
    uint32_t index, count; /* BINDINGS: of the program; PARAM: its number */
    const struct lease_site *lease;
};

struct handle { /* a local that holds one */
    enum origin origin;
    uint32_t local;
    struct str name;
    struct lang_span span;
    struct things things;
    uint32_t base;  /* ELEMENT: key of its group */
    uint32_t depth; /* loops around its declaration */
};

/* What an expression that names a handle stands for. */
struct place {
    bool known;
    uint32_t key, base; /* base: OWN_NONE unless an element of a group's `for` */
    bool dynamic, part; /* a part of a group: with an index that is not constant */
    enum origin origin;
    struct str name;
    struct lang_span declared;
    struct things things;
};

enum hold_state { HELD, MAYBE_MOVED, MOVED };
enum move_how { MOVED_TO_TASK, MOVED_TO_FN, MOVED_TO_CHANNEL, MOVED_BY_DROP };
struct hold {
    uint32_t key;
    enum hold_state moved;
    bool revoked;
    enum move_how how;
    struct lang_span at; /* of the move */
};
struct state {
    VEC(struct hold) holds;
    bool dead; /* nothing comes here */
};
struct state state_copy(struct lang_ctx *c, const struct state *s);
/* Becomes what holds behind a place where both ways meet. */
void state_join(struct lang_ctx *c, struct state *into, const struct state *other);
struct hold *state_find(const struct state *s, uint32_t key);
struct hold *state_hold(struct lang_ctx *c, struct state *s, uint32_t key);
void state_forget(struct state *s, uint32_t key);

/* ---- what is noted, to be judged later ----------------------------------------------------- */

struct lease_site {
    const struct program_decl *program; /* NULL in a function of the site */
    const struct stmt *stmt;
    struct str from, handle; /* names */
    struct lang_span at;
    const struct lease_site *outer; /* the lease block around */
    struct lease_site *next;        /* in the same unit */
    bool waits;
    const struct lang_decl *resource; /* found at the end, or NULL */
};

struct call_arg {
    struct things things;
    bool revoked; /* called back before, on every way */
};
enum fact_kind {
    FACT_READ,    /* member of things */
    FACT_VAR,     /* index */
    FACT_ASSIGN,  /* index */
    FACT_COMMAND, /* member of things */
    FACT_CALL,    /* fn, args; also a spawn */
    FACT_PUBLISH, /* message */
    FACT_HOST,    /* level */
};
struct fact {
    enum fact_kind kind;
    enum graph_part part;
    struct lang_span at;
    struct things things;
    const struct lang_decl *resource; /* READ: in place of things */
    const struct lang_member *member;
    uint32_t index;
    bool has_value; /* ASSIGN: a constant */
    double value;
    struct str message;
    const struct fn_decl *fn;
    const struct call_arg *args;
    bool bare; /* COMMAND: says nothing about what happens while it is lent */
};

/* A rule, a function, a task or a statement at the start. */
struct own_unit {
    const struct fn_decl *fn;
    const struct item *item;
    VEC(struct fact) facts;
    struct lease_site *leases;
    struct cond *condition, *until; /* NULL if there is none */
    const struct lang_decl *signal; /* `on` an event: of this thing */
    const struct lang_member *signal_member;
    bool delays;      /* sleeps, or waits otherwise */
    uint32_t revokes; /* FN: a bit for each parameter that it calls back */
    bool visiting;
};

struct rule_use { /* of a program's handle in a rule */
    uint32_t key;
    struct lang_span at;
};
struct own_move {
    uint32_t key;
    enum move_how how;
    struct lang_span at;
};
struct own_busy { /* a command of a handle that may be lent, which does not say what then */
    struct things things;
    struct lang_span at;
    const struct fn_decl *fn; /* NULL, or: handed to its parameter `param` */
    uint32_t param;
};
struct lend_site {
    uint32_t key;
    struct str handle;
    const struct lessee *lessee;
    const struct item *item;
};

struct own_prog {
    const struct program_decl *decl;
    const struct lang_binding *bindings; /* when it is checked */
    size_t bindings_n;
    const struct lang_var *vars;
    VEC(struct own_unit *) rules, fns;
    VEC(struct rule_use) uses;
    VEC(struct own_move) moves;
    VEC(struct own_busy) busy;
    VEC(struct lend_site) lends;
    struct own_unit *unit; /* the rule at hand */
    struct state start;    /* of its handles, from one statement at the start to the next */
};

/* A handle that a program offers, by "program.handle". */
struct own_offer {
    struct str program, handle;
    const struct lang_decl *resource;
    struct lang_span span;
    struct map
        *lessees; /* names of programs to places (struct lang_span); NULL if there are none */
};
struct owner { /* of a physical thing */
    struct str program;
    const struct lang_decl *resource;
    struct lang_span span;
};

struct owned { /* each `own` */
    struct str program, handle;
    const struct lang_decl *resource;
    struct lang_span at;
};
struct lend { /* each lessee but the operator's `never` */
    struct str program, handle, to;
    struct lang_span at;
};
struct message {
    struct str program, name, key; /* key: of its type */
    struct lang_span at;
    bool said; /* or heard */
};
struct lease_need { /* a program leases from another one */
    struct str program, from, handle;
    struct lang_span at;
};
/* A program that is known by its summary. */
struct own_known {
    struct str program;
    struct lang_span span;
};
struct lease_order { /* one lease inside another */
    struct str program;
    const struct lang_decl *outer, *inner;
    struct lang_span outer_at, inner_at;
};

struct own_site {
    uint32_t *same_as;    /* resource to the first one with its identity */
    struct owner *owners; /* by same_as */
    struct map offers;
    VEC(struct own_prog *) progs;
    VEC(struct own_unit *) fns; /* of the site */
    VEC(struct lease_site *) leases;
    VEC(struct owned) owned;
    VEC(struct lend) lends;
    VEC(struct message) messages;
    VEC(struct lease_need) needs;
    VEC(struct lease_order) orders;
    VEC(struct own_known *) known;   /* programs that are known by their summaries alone */
    const struct summary *summaries; /* in place of the programs that are not among the sources */
    size_t summaries_n;
    struct graph graph;
};
uint32_t own_root(const struct checker *k, uint32_t resource);
/* Where the program at hand says `own` for that binding: the name. */
struct lang_span own_declared(const struct checker *k, uint32_t binding);
bool own_program_known(const struct checker *k, struct str name);
/* That program owns it: O2 if another does. */
void own_claim(struct checker *k, struct str program, const struct lang_decl *resource,
               struct str handle, struct lang_span at);
void own_offer_lend(struct checker *k, struct own_offer *o, struct str to, struct lang_span at);
struct own_offer *own_offer(const struct checker *k, struct str program, struct str handle);

/* ---- the walk ------------------------------------------------------------------------------ */

enum flow_kind { FLOW_RULE, FLOW_START, FLOW_FN, FLOW_TASK };
struct loop {
    struct loop *outer;
    struct lang_span span;
    struct state breaks, continues;
};
struct lease_block {
    struct lease_block *outer;
    struct lease_site *site;
    VEC(struct hold) moved; /* in it: control may leave it before or behind */
};
struct walk { /* a `for` over a group */
    uint32_t group, local;
    struct lang_span at;
};
struct flow {
    struct checker *k;
    struct lang_ctx *c;
    struct own_prog *prog; /* NULL in a function of the site */
    struct own_unit *unit;
    enum flow_kind kind;
    enum graph_part part;
    VEC(struct handle) handles;
    VEC(struct walk) walks;
    struct state now;
    struct loop *loop;
    struct lease_block *lease;
    uint32_t depth;  /* loops */
    uint32_t lambda; /* bodies of lambdas around */
    bool suspends, uses;
    struct lang_span suspends_at, uses_at;
    struct str uses_name;
};

void flow_stmts(struct flow *f, const struct stmt_list *list);
void flow_expr(struct flow *f, const struct expr *e);
/* A call that stands as a statement: what it does while the handle is out or the channel is full.
 */
void flow_call_stmt(struct flow *f, const struct stmt *s);
void flow_spawn(struct flow *f, const struct stmt *s);
void flow_suspends(struct flow *f, struct lang_span at);
struct fact *flow_fact(struct flow *f, enum fact_kind kind, struct lang_span at);
void flow_assign(struct flow *f, const struct stmt *s);

void handle_add(struct flow *f, struct handle h);
const struct handle *handle_find(const struct flow *f, uint32_t local);
struct place place_of(struct flow *f, const struct expr *e);
bool places_overlap(const struct place *a, const struct place *b);
/* O4, O8, O9: it must not have moved. */
void place_use(struct flow *f, const struct place *p, struct lang_span at);
/* The same for what changes the thing: O7 if a `for` walks through its group; counts for O10. */
void place_command(struct flow *f, const struct place *p, struct lang_span at);
/* It ends here: O4, O6, O9, O11. */
void place_move(struct flow *f, const struct place *p, struct lang_span at, enum move_how how);
void place_revoke(struct flow *f, const struct place *p, struct lang_span at);
/* A handle where one is handed on must be moved, or must not be: `to` says where, "a task". */
void place_keep(struct flow *f, const struct place *p, struct lang_span at, const char *to);
void own_loop_moves(struct flow *f, const struct loop *l, const struct state *before,
                    const struct state *back);

/* ---- units --------------------------------------------------------------------------------- */
struct flow flow_new(struct checker *k, struct own_unit *unit, enum flow_kind kind,
                     enum graph_part part);
struct cond *own_cond(struct checker *k, const struct expr *e);

void own_order(struct checker *k, struct lease_order now);
/* O2 if it is not lent to that program. Returns what it is, or NULL. */
const struct lang_decl *own_need(struct checker *k, struct lease_need need);

/* ---- judged at the end --------------------------------------------------------------------- */
void own_judge_program(struct checker *k, struct own_prog *p);
void own_judge_leases(struct checker *k);
/* The rules of a program, its functions worked in, for the graph and its summary. */
void own_flatten(struct checker *k, struct own_prog *p);
