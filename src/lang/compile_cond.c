/* Truth: comparisons that jump, comparisons as values, Kleene's logic. */
#include "lang/check_internal.h"

/* ---- comparisons ------------------------------------------------------------------------- */

enum compare_kind { COMPARE_INT, COMPARE_FLOAT, COMPARE_BOOL, COMPARE_TEXT, COMPARE_DEEP };

static bool is_compare(const struct expr *e)
{
    return e->kind == E_BINARY && e->op <= OP_GE;
}

static enum compare_kind compare_kind(const struct expr *e)
{
    uint8_t a = kind_of(&e->a->type), b = kind_of(&e->b->type);
    if (a == CODE_KIND_FLOAT || b == CODE_KIND_FLOAT)
        return COMPARE_FLOAT;
    switch (a) {
    case CODE_KIND_INT:
    case CODE_KIND_ENUM: return COMPARE_INT;
    case CODE_KIND_BOOL: return COMPARE_BOOL;
    case CODE_KIND_STR: return COMPARE_TEXT;
    default: return COMPARE_DEEP;
    }
}

static bool compares_none(const struct expr *e)
{
    return e->a->kind == E_NONE || e->b->kind == E_NONE;
}

/* What is compared with `none`. */
static const struct expr *beside_none(const struct expr *e)
{
    return e->b->kind == E_NONE ? e->a : e->b;
}

static enum expr_op mirrored(enum expr_op op) /* a op b is b mirrored(op) a */
{
    switch (op) {
    case OP_LT: return OP_GT;
    case OP_LE: return OP_GE;
    case OP_GT: return OP_LT;
    case OP_GE: return OP_LE;
    default: return op;
    }
}

static enum expr_op opposite(enum expr_op op)
{
    static const enum expr_op of[] = {OP_NE, OP_EQ, OP_GE, OP_GT, OP_LE, OP_LT};
    return of[op];
}

/* Where to go: forward, waiting in `to`, or back to `top`. */
struct goal {
    struct jumps *to;
    size_t top;
};

static void go(struct body *b, struct goal g, enum code_op forward, enum code_op back, uint8_t ra,
               uint16_t bc)
{
    if (g.to)
        jumps_add(b, g.to, put_bc(b, forward, ra, bc, 0));
    else
        (void)put_bc(b, back, ra, bc, (int32_t)g.top);
}

static void int_go(struct body *b, const struct expr *e, enum expr_op op, struct goal g)
{
    static const enum code_op near[6][2] = {
        {CODE_JEQIK, CODE_LOOPEQIK}, {CODE_JNEIK, CODE_LOOPNEIK}, {CODE_JLTIK, CODE_LOOPLTIK},
        {CODE_JLEIK, CODE_LOOPLEIK}, {CODE_JGTIK, CODE_LOOPGTIK}, {CODE_JGEIK, CODE_LOOPGEIK},
    };
    static const enum code_op plain[4][2] = {
        {CODE_JEQI, CODE_LOOPEQI},
        {CODE_JNEI, CODE_LOOPNEI},
        {CODE_JLTI, CODE_LOOPLTI},
        {CODE_JLEI, CODE_LOOPLEI},
    };
    const struct expr *x = e->a, *y = e->b;
    int64_t v;
    if (x->constant) {
        x = e->b;
        y = e->a;
        op = mirrored(op);
    }
    struct use a = expr_use(b, x, NULL);
    if (constant_int(y, &v) && code_imm16_fits(v)) {
        go(b, g, near[op][0], near[op][1], a.reg, (uint16_t)v);
    } else {
        struct use c = expr_use(b, y, NULL);
        bool swap = op == OP_GT || op == OP_GE;
        op = swap ? mirrored(op) : op;
        go(b, g, plain[op][0], plain[op][1], swap ? c.reg : a.reg, swap ? a.reg : c.reg);
        give(b, c);
    }
    give(b, a);
}

/* Of floats `not a < b` is not `a >= b`: each comparison has its own opposite. */
static void float_jump(struct body *b, const struct expr *e, bool when, struct jumps *to)
{
    static const enum code_op near[6][2] = {
        {CODE_JNEFK, CODE_JEQFK},  {CODE_JEQFK, CODE_JNEFK},  {CODE_JNLTFK, CODE_JLTFK},
        {CODE_JNLEFK, CODE_JLEFK}, {CODE_JNGTFK, CODE_JGTFK}, {CODE_JNGEFK, CODE_JGEFK},
    };
    static const enum code_op plain[4][2] = {
        {CODE_JNEF, CODE_JEQF},
        {CODE_JEQF, CODE_JNEF},
        {CODE_JNLTF, CODE_JLTF},
        {CODE_JNLEF, CODE_JLEF},
    };
    const struct expr *x = e->a, *y = e->b;
    enum expr_op op = e->op;
    if (x->constant) {
        x = e->b;
        y = e->a;
        op = mirrored(op);
    }
    struct use a = expr_use(b, x, &float_type);
    int32_t k = -1;
    if (y->constant)
        k = const_float(b->k->code, constant_float(y));
    if (k >= 0 && k <= UINT16_MAX) {
        jumps_add(b, to, put_bc(b, near[op][when], a.reg, (uint16_t)k, 0));
    } else {
        struct use c = expr_use(b, y, &float_type);
        bool swap = op == OP_GT || op == OP_GE;
        op = swap ? mirrored(op) : op;
        jumps_add(b, to, put(b, plain[op][when], swap ? c.reg : a.reg, swap ? a.reg : c.reg, 0, 0));
        give(b, c);
    }
    give(b, a);
}

/* Back to `top` on a < b, a <= b and their mirrors; false if that is none of them. */
static bool float_loop(struct body *b, const struct expr *e, size_t top)
{
    if (e->op == OP_EQ || e->op == OP_NE)
        return false;
    bool swap = e->op == OP_GT || e->op == OP_GE;
    struct use x = expr_use(b, e->a, &float_type), y = expr_use(b, e->b, &float_type);
    bool less = e->op == OP_LT || e->op == OP_GT;
    (void)put(b, less ? CODE_LOOPLTF : CODE_LOOPLEF, swap ? y.reg : x.reg, swap ? x.reg : y.reg, 0,
              (int32_t)top);
    give(b, y);
    give(b, x);
    return true;
}

static struct use none_operand(struct body *b, const struct expr *x)
{
    bool outer = b->none_ok;
    b->none_ok = true;
    struct use u = expr_use(b, x, NULL);
    b->none_ok = outer;
    return u;
}

static void truth_jump(struct body *b, const struct expr *e, bool when, struct jumps *to)
{
    struct use u = expr_use(b, e, NULL);
    jumps_add(b, to, put(b, when ? CODE_JT : CODE_JNT, u.reg, 0, 0, 0));
    give(b, u);
}

static void text_jump(struct body *b, const struct expr *e, bool when, struct jumps *to)
{
    struct use x = expr_use(b, e->a, NULL), y = expr_use(b, e->b, NULL);
    bool equal = (e->op == OP_EQ) == when;
    jumps_add(b, to, put(b, equal ? CODE_JEQS : CODE_JNES, x.reg, y.reg, 0, 0));
    give(b, y);
    give(b, x);
}

/* `x == true` is x. */
static bool bool_constant_jump(struct body *b, const struct expr *e, bool when, struct jumps *to)
{
    const struct expr *x = e->b->constant ? e->a : e->b, *v = e->b->constant ? e->b : e->a;
    if (compare_kind(e) != COMPARE_BOOL || !v->constant || x->type.optional)
        return false;
    bool equal = (e->op == OP_EQ) == when;
    cond_jump(b, x, equal == (v->value.i == 1), to);
    return true;
}

static void compare_jump(struct body *b, const struct expr *e, bool when, struct jumps *to)
{
    if (compares_none(e)) {
        const struct expr *x = beside_none(e);
        struct use u = none_operand(b, x);
        jumps_add(b, to, jump_none(b, &x->type, u.reg, (e->op == OP_EQ) == when));
        give(b, u);
        return;
    }
    if (bool_constant_jump(b, e, when, to))
        return;
    switch (compare_kind(e)) {
    case COMPARE_INT: int_go(b, e, when ? e->op : opposite(e->op), (struct goal){.to = to}); return;
    case COMPARE_FLOAT: float_jump(b, e, when, to); return;
    case COMPARE_TEXT: text_jump(b, e, when, to); return;
    default: truth_jump(b, e, when, to); return;
    }
}

/* ---- jumps ------------------------------------------------------------------------------- */

static void either_jump(struct body *b, const struct expr *e, bool when, struct jumps *to)
{
    bool decides = e->op == OP_OR; /* what `a` must be to decide alone */
    if (when == decides) {
        cond_jump(b, e->a, when, to);
        cond_jump(b, e->b, when, to);
        return;
    }
    struct jumps skip = {0};
    cond_jump(b, e->a, decides, &skip);
    cond_jump(b, e->b, when, to);
    jumps_here(b, &skip);
}

static void kleene_jump(struct body *b, const struct expr *e, bool when, struct jumps *to)
{
    uint8_t r = temp(b, CODE_TYPE_BOOL);
    kleene_to(b, e, r);
    if (b->misses)
        jumps_add(b, b->misses, put(b, CODE_JU, r, 0, 0, 0));
    jumps_add(b, to, put(b, when ? CODE_JT : CODE_JNT, r, 0, 0, 0));
    reg_give(&b->b, r);
}

static bool is_logic(const struct expr *e)
{
    return e->kind == E_BINARY && (e->op == OP_AND || e->op == OP_OR);
}

void cond_jump(struct body *b, const struct expr *e, bool when, struct jumps *to)
{
    if (e->constant) {
        if ((e->value.i == 1) == when)
            jumps_add(b, to, put(b, CODE_JMP, 0, 0, 0, 0));
    } else if (b->strict) {
        kleene_jump(b, e, when, to);
    } else if (is_logic(e)) {
        either_jump(b, e, when, to);
    } else if (e->kind == E_NOT) {
        cond_jump(b, e->a, !when, to);
    } else if (is_compare(e)) {
        compare_jump(b, e, when, to);
    } else {
        truth_jump(b, e, when, to);
    }
}

static bool leaf_loop(struct body *b, const struct expr *e, size_t top)
{
    if (is_compare(e)) {
        enum compare_kind kind = compare_kind(e);
        if (compares_none(e))
            return false;
        if (kind == COMPARE_INT) {
            int_go(b, e, e->op, (struct goal){.top = top});
            return true;
        }
        return kind == COMPARE_FLOAT && float_loop(b, e, top);
    }
    bool truth = e->kind != E_NOT;
    struct use u = expr_use(b, truth ? e : e->a, NULL);
    (void)put(b, truth ? CODE_LOOPT : CODE_LOOPNT, u.reg, 0, 0, (int32_t)top);
    give(b, u);
    return true;
}

void cond_loop(struct body *b, const struct expr *e, size_t top)
{
    struct jumps out = {0};
    if (b->dead)
        return;
    if (!e->constant && !b->strict && is_logic(e)) {
        if (e->op == OP_OR)
            cond_loop(b, e->a, top);
        else
            cond_jump(b, e->a, false, &out);
        cond_loop(b, e->b, top);
    } else {
        bool inverted = e->kind == E_NOT && (is_logic(e->a) || is_compare(e->a) ||
                                             e->a->kind == E_NOT || e->a->constant);
        if (!e->constant && !b->strict && !inverted && leaf_loop(b, e, top))
            return;
        cond_jump(b, e, false, &out);
        (void)put(b, CODE_LOOP, 0, 0, 0, (int32_t)top);
    }
    jumps_here(b, &out);
}

/* ---- values ------------------------------------------------------------------------------ */

static void negate(struct body *b, enum code_op op, uint8_t dest)
{
    (void)put(b, op, dest, dest, 0, 0);
}

static void none_test_to(struct body *b, const struct expr *x, bool not, uint8_t dest)
{
    struct use u = none_operand(b, x), v;
    switch (kind_of(&x->type)) {
    case CODE_KIND_BOOL:
        v = bool_use(b, CODE_UNKNOWN);
        (void)put(b, not ? CODE_NEB : CODE_EQB, dest, u.reg, v.reg, 0);
        give(b, v);
        give(b, u);
        return;
    case CODE_KIND_ENUM:
        v = int_use(b, -1);
        (void)put(b, not ? CODE_NEI : CODE_EQI, dest, u.reg, v.reg, 0);
        give(b, v);
        give(b, u);
        return;
    case CODE_KIND_INT: (void)put(b, CODE_NONEI, dest, u.reg, 0, 0); break;
    case CODE_KIND_FLOAT: (void)put(b, CODE_NONEF, dest, u.reg, 0, 0); break;
    default: (void)put(b, CODE_NONEO, dest, u.reg, 0, 0); break;
    }
    give(b, u);
    if (not )
        negate(b, CODE_NOT, dest);
}

static void compare_to(struct body *b, const struct expr *e, uint8_t dest)
{
    static const enum code_op ops[5][4] = {
        {CODE_EQI, CODE_NEI, CODE_LTI, CODE_LEI}, {CODE_EQF, CODE_NEF, CODE_LTF, CODE_LEF},
        {CODE_EQB, CODE_NEB, CODE_EQB, CODE_EQB}, {CODE_EQS, CODE_EQS, CODE_EQS, CODE_EQS},
        {CODE_EQO, CODE_EQO, CODE_EQO, CODE_EQO},
    };
    enum compare_kind kind = compare_kind(e);
    if (compares_none(e)) {
        none_test_to(b, beside_none(e), e->op == OP_NE, dest);
        return;
    }
    const struct lang_type *want = kind == COMPARE_FLOAT ? &float_type : NULL;
    struct use l = expr_use(b, e->a, want), r = expr_use(b, e->b, want);
    bool swap = e->op == OP_GT || e->op == OP_GE;
    enum expr_op op = swap ? mirrored(e->op) : e->op;
    (void)put(b, ops[kind][op], dest, swap ? r.reg : l.reg, swap ? l.reg : r.reg, 0);
    give(b, r);
    give(b, l);
    if (op == OP_NE && kind >= COMPARE_TEXT)
        negate(b, CODE_NOT, dest);
}

static void in_to(struct body *b, const struct expr *e, uint8_t dest)
{
    bool map = e->b->type.kind == LANG_TYPE_MAP;
    struct use x = expr_use(b, e->a, &e->b->type.args[0]), all = expr_use(b, e->b, NULL);
    (void)put(b, map ? CODE_MHAS : CODE_LHAS, dest, all.reg, x.reg, 0);
    give(b, all);
    give(b, x);
}

static void stale_to(struct body *b, const struct expr *e, uint8_t dest)
{
    if (e->handle) {
        struct use h = handle_use(b, e->handle);
        (void)put(b, CODE_STALEH, dest, h.reg, b->strict, (int32_t)e->member->index);
        give(b, h);
        reads_through(b->k->code->c, b->k->prog, e->handle->type.model, e->member);
    } else {
        (void)put(b, CODE_STALE, dest, 0, b->strict, (int32_t)e->index);
    }
}

/* `a and b`: false at once if a is, else what b is. */
static void logic_to(struct body *b, const struct expr *e, uint8_t dest)
{
    bool decides = e->op == OP_OR;
    struct jumps at_once = {0};
    cond_jump(b, e->a, decides, &at_once);
    expr_to(b, e->b, NULL, dest);
    if (at_once.all.n == 0)
        return;
    size_t end = put(b, CODE_JMP, 0, 0, 0, 0);
    jumps_here(b, &at_once);
    (void)put(b, CODE_LOADB, dest, 0, 0, decides);
    jump_here(b, end);
}

void truth_to(struct body *b, const struct expr *e, uint8_t dest)
{
    if (is_logic(e)) {
        logic_to(b, e, dest);
    } else if (e->kind == E_NOT) {
        struct use u = expr_use(b, e->a, NULL);
        (void)put(b, CODE_NOT, dest, u.reg, 0, 0);
        give(b, u);
    } else if (is_compare(e)) {
        compare_to(b, e, dest);
    } else if (e->kind == E_BINARY && e->op == OP_IN) {
        in_to(b, e, dest);
    } else if (e->kind == E_STALE) {
        stale_to(b, e, dest);
    } else {
        bool outer = b->none_ok;
        b->none_ok = outer && (e->kind == E_PATH || e->kind == E_FIELD);
        natural_to(b, e, NULL, dest);
        b->none_ok = outer;
    }
}

/* ---- Kleene's logic ---------------------------------------------------------------------- */

/* `reading > 80 °C`; false if it is of another kind. */
static bool kleene_constant_to(struct body *b, const struct expr *e, uint8_t dest)
{
    static const enum code_op near[] = {
        [OP_LT] = CODE_KLTFK, [OP_LE] = CODE_KLEFK, [OP_GT] = CODE_KGTFK, [OP_GE] = CODE_KGEFK};
    const struct expr *x = e->a->constant ? e->b : e->a, *y = e->a->constant ? e->a : e->b;
    if (!y->constant || e->op == OP_EQ || e->op == OP_NE)
        return false;
    enum expr_op op = y == e->a ? mirrored(e->op) : e->op;
    b->none_ok = true;
    struct use u = expr_use(b, x, &float_type);
    b->none_ok = false;
    (void)put(b, near[op], dest, u.reg, 0, const_float(b->k->code, constant_float(y)));
    give(b, u);
    return true;
}

static void kleene_compare_to(struct body *b, const struct expr *e, uint8_t dest)
{
    static const enum code_op floats[] = {CODE_KEQF, CODE_KNEF, CODE_KLTF, CODE_KLEF};
    enum compare_kind kind = compare_kind(e);
    if (compares_none(e) || (kind != COMPARE_FLOAT && kind != COMPARE_BOOL)) {
        compare_to(b, e, dest);
        return;
    }
    if (kind == COMPARE_FLOAT && kleene_constant_to(b, e, dest))
        return;
    const struct lang_type *want = kind == COMPARE_FLOAT ? &float_type : NULL;
    b->none_ok = true;
    struct use l = expr_use(b, e->a, want), r = expr_use(b, e->b, want);
    b->none_ok = false;
    bool swap = e->op == OP_GT || e->op == OP_GE;
    enum expr_op op = swap ? mirrored(e->op) : e->op;
    enum code_op what = kind == COMPARE_FLOAT ? floats[op] : CODE_KEQB;
    (void)put(b, what, dest, swap ? r.reg : l.reg, swap ? l.reg : r.reg, 0);
    give(b, r);
    give(b, l);
    if (op == OP_NE && kind == COMPARE_BOOL)
        negate(b, CODE_KNOT, dest);
}

static void kleene_leaf_to(struct body *b, const struct expr *e, uint8_t dest)
{
    struct jumps misses = {0}, *outer = b->misses;
    bool fine = b->none_ok;
    b->misses = &misses;
    b->none_ok = false;
    if (is_compare(e)) {
        kleene_compare_to(b, e, dest);
    } else {
        b->none_ok = e->kind == E_PATH || e->kind == E_FIELD; /* a reading is unknown itself */
        truth_to(b, e, dest);
    }
    b->misses = outer;
    b->none_ok = fine;
    if (misses.all.n == 0)
        return;
    size_t end = put(b, CODE_JMP, 0, 0, 0, 0);
    jumps_here(b, &misses);
    (void)put(b, CODE_LOADB, dest, 0, 0, CODE_UNKNOWN);
    jump_here(b, end);
}

static void kleene_logic_to(struct body *b, const struct expr *e, uint8_t dest)
{
    bool both = e->op == OP_AND;
    kleene_to(b, e->a, dest);
    size_t end = put(b, both ? CODE_JF : CODE_JT, dest, 0, 0, 0);
    uint8_t r = temp(b, CODE_TYPE_BOOL);
    kleene_to(b, e->b, r);
    (void)put(b, both ? CODE_KAND : CODE_KOR, dest, dest, r, 0);
    reg_give(&b->b, r);
    jump_here(b, end);
}

void kleene_to(struct body *b, const struct expr *e, uint8_t dest)
{
    if (e->constant) {
        (void)put(b, CODE_LOADB, dest, 0, 0, (int32_t)e->value.i);
    } else if (is_logic(e)) {
        kleene_logic_to(b, e, dest);
    } else if (e->kind == E_NOT) {
        kleene_to(b, e->a, dest);
        negate(b, CODE_KNOT, dest);
    } else {
        kleene_leaf_to(b, e, dest);
    }
}
