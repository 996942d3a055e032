/* What the compiler's parts share: emitting, jumps, registers, constants and where those are
 * loaded. */
#include "lang/check_internal.h"

#include <math.h>
#include <string.h>

/* ---- emitting ---------------------------------------------------------------------------- */

static bool ends(enum code_op op)
{
    /* behind SELECT stand its arms; the statement itself ends what is reached */
    return (code_ops[op].flags & CODE_F_END) && op != CODE_SELECT;
}

static void note_place(struct body *b)
{
    size_t n = b->b.places.n;
    const struct code_place *all = b->b.places.v;
    if (n > 0 && all[n - 1].from == b->place.from && all[n - 1].to == b->place.to)
        return;
    uint32_t at = (uint32_t)chunk_here(&b->b);
    ctx_tree_push(b->c, &b->b.places, (struct code_place){at, b->place.from, b->place.to});
}

size_t put(struct body *b, enum code_op op, uint8_t ra, uint8_t rb, uint8_t rc, int32_t d)
{
    if (b->dead)
        return NO_JUMP;
    note_place(b);
    size_t at = emit(&b->b, op, ra, rb, rc, d);
    b->dead = ends(op);
    return at;
}

size_t put_bc(struct body *b, enum code_op op, uint8_t ra, uint16_t bc, int32_t d)
{
    return put(b, op, ra, (uint8_t)(bc & 0xFF), (uint8_t)(bc >> 8), d);
}

void jumps_add(struct body *b, struct jumps *j, size_t jump)
{
    if (jump != NO_JUMP)
        ctx_tree_push(b->c, &j->all, jump);
}

void jump_here(struct body *b, size_t jump)
{
    if (jump == NO_JUMP)
        return;
    if (!b->b.full)
        patch_here(&b->b, jump);
    b->dead = false;
}

void jumps_here(struct body *b, struct jumps *j)
{
    for (size_t i = 0; i < j->all.n; i++)
        jump_here(b, j->all.v[i]);
    j->all.n = 0;
}

struct lang_span place_set(struct body *b, struct lang_span span)
{
    struct lang_span outer = b->place;
    b->place = span;
    b->b.line = ctx_line(b->c, span);
    return outer;
}

/* ---- types and registers ----------------------------------------------------------------- */

uint8_t kind_of(const struct lang_type *t)
{
    switch (t->kind) {
    case LANG_TYPE_NONE: return CODE_KIND_NONE;
    case LANG_TYPE_BOOL: return CODE_KIND_BOOL;
    case LANG_TYPE_INT:
    case LANG_TYPE_TIME: return CODE_KIND_INT;
    case LANG_TYPE_FLOAT: return CODE_KIND_FLOAT;
    case LANG_TYPE_STR: return CODE_KIND_STR;
    case LANG_TYPE_HANDLE: return CODE_KIND_HANDLE;
    case LANG_TYPE_ENUM: return CODE_KIND_ENUM;
    case LANG_TYPE_RECORD: return CODE_KIND_RECORD;
    case LANG_TYPE_LIST: return CODE_KIND_LIST;
    case LANG_TYPE_MAP: return CODE_KIND_MAP;
    case LANG_TYPE_CHAN: return CODE_KIND_CHAN;
    case LANG_TYPE_FN: return CODE_KIND_FN;
    }
    return CODE_KIND_NONE;
}

uint16_t type_of(struct body *b, const struct lang_type *t)
{
    return code_type(b->k->code, t);
}

uint8_t temp(struct body *b, uint16_t type)
{
    uint8_t r = reg_take(&b->b, type);
    b->is_local[r] = false;
    return r;
}

uint8_t temp_of(struct body *b, const struct lang_type *t)
{
    return temp(b, type_of(b, t));
}

void give(struct body *b, struct use u)
{
    if (u.temp)
        reg_give(&b->b, u.reg);
}

static uint8_t declare(struct body *b, uint32_t local, uint16_t type)
{
    ASSERT(local < b->locals_n);
    uint8_t r = temp(b, type);
    b->is_local[r] = true;
    b->regs[local] = r;
    ctx_tree_push(b->c, &b->scope->locals, local);
    return r;
}

uint8_t local_declare(struct body *b, uint32_t local)
{
    return declare(b, local, type_of(b, &b->locals[local]));
}

uint8_t local_declare_handle(struct body *b, uint32_t local, bool own)
{
    uint8_t r = declare(b, local, code_type_handle(b->k->code, b->locals[local].model, own));
    if (own)
        ctx_tree_push(b->c, &b->scope->owned, r);
    return r;
}

uint8_t local_reg(const struct body *b, uint32_t local)
{
    ASSERT(local < b->locals_n + HELD_MAX && b->regs[local] != REG_NONE);
    return b->regs[local];
}

/* ---- constants --------------------------------------------------------------------------- */

bool constant_int(const struct expr *e, int64_t *out)
{
    if (!e->constant)
        return false;
    switch (e->type.kind) {
    case LANG_TYPE_BOOL:
    case LANG_TYPE_INT:
    case LANG_TYPE_TIME:
    case LANG_TYPE_ENUM: *out = e->value.i; return true;
    default: return false;
    }
}

struct load { /* the instruction that makes a constant */
    enum code_op op;
    int32_t d;
    uint16_t type;
};

static struct load load_int(struct body *b, int64_t v)
{
    if (v >= INT32_MIN && v <= INT32_MAX)
        return (struct load){CODE_LOADN, (int32_t)v, CODE_TYPE_INT};
    return (struct load){CODE_LOADI, const_int(b->k->code, v), CODE_TYPE_INT};
}

static struct load load_float(struct body *b, double v)
{
    return (struct load){CODE_LOADF, const_float(b->k->code, v), CODE_TYPE_FLOAT};
}

static struct load load_none(struct body *b, const struct lang_type *t)
{
    switch (kind_of(t)) {
    case CODE_KIND_BOOL: return (struct load){CODE_LOADB, CODE_UNKNOWN, CODE_TYPE_BOOL};
    case CODE_KIND_INT: return load_int(b, INT64_MIN);
    case CODE_KIND_FLOAT: return load_float(b, (double)NAN);
    case CODE_KIND_ENUM: return (struct load){CODE_LOADN, -1, type_of(b, t)};
    default: return (struct load){CODE_NIL, 0, type_of(b, t)};
    }
}

static struct load load_of(struct body *b, const struct expr *e, bool as_float)
{
    struct load l;
    switch (kind_of(&e->type)) {
    case CODE_KIND_BOOL: return (struct load){CODE_LOADB, (int32_t)e->value.i, CODE_TYPE_BOOL};
    case CODE_KIND_INT:
        return as_float ? load_float(b, (double)e->value.i) : load_int(b, e->value.i);
    case CODE_KIND_FLOAT: return load_float(b, e->value.f);
    case CODE_KIND_ENUM:
        l = load_int(b, e->value.i);
        l.type = type_of(b, &e->type);
        return l;
    case CODE_KIND_STR:
        if (e->type.optional && !e->text_value.p)
            break; /* none */
        return (struct load){CODE_LOADS, const_text(b->k->code, e->text_value), CODE_TYPE_STR};
    default: break;
    }
    return load_none(b, &e->type);
}

static void load_to(struct body *b, struct load l, uint8_t dest)
{
    (void)put(b, l.op, dest, 0, 0, l.d);
}

void constant_to(struct body *b, const struct expr *e, bool as_float, uint8_t dest)
{
    load_to(b, load_of(b, e, as_float), dest);
}

void int_to(struct body *b, int64_t v, uint8_t dest)
{
    load_to(b, load_int(b, v), dest);
}

void none_to(struct body *b, const struct lang_type *t, uint8_t dest)
{
    load_to(b, load_none(b, t), dest);
}

/* ---- constants in loops ------------------------------------------------------------------
 * The first time that a loop needs a constant in a register, it gets one for good, and its load
 * goes before the outermost loop around. The register must be one that nothing in that loop used
 * before: a new one. */

static struct kept *kept_find(struct body *b, struct load l)
{
    for (size_t i = 0; i < b->kept.n; i++) {
        struct kept *k = &b->kept.v[i];
        if (k->op == l.op && k->d == l.d && k->type == l.type)
            return k;
    }
    return NULL;
}

#define KEPT_MAX 48u /* registers that constants may take for good */

static uint8_t reg_new(struct body *b, uint16_t type)
{
    bool used[CODE_REGS_MAX];
    size_t n = b->b.reg_types.n;
    memcpy(used, b->b.reg_used, sizeof(used));
    memset(b->b.reg_used, true, n);
    uint8_t r = temp(b, type);
    memcpy(b->b.reg_used, used, n);
    b->b.reg_used[r] = true;
    return r;
}

static struct use kept_use(struct body *b, struct load l)
{
    struct kept *k = kept_find(b, l);
    if (!k) {
        uint8_t r = reg_new(b, l.type);
        ctx_tree_push(b->c, &b->kept, (struct kept){l.op, l.d, l.type, r, SIZE_MAX});
        k = &b->kept.v[b->kept.n - 1];
    }
    if (k->loop != b->loops) {
        k->loop = b->loops;
        struct instr i = {.op = (uint8_t)l.op, .a = k->reg, .d = l.d};
        ctx_tree_push(b->c, &b->insertions, (struct insertion){b->loop_at, i, b->b.line});
    }
    return (struct use){k->reg, false};
}

static struct use load_use(struct body *b, struct load l)
{
    bool room = b->kept.n < KEPT_MAX || kept_find(b, l);
    if (b->loop_depth > 0 && room && !b->dead)
        return kept_use(b, l);
    uint8_t r = temp(b, l.type);
    load_to(b, l, r);
    return (struct use){r, true};
}

struct use constant_use(struct body *b, const struct expr *e, bool as_float)
{
    return load_use(b, load_of(b, e, as_float));
}

struct use int_use(struct body *b, int64_t v)
{
    return load_use(b, load_int(b, v));
}

struct use bool_use(struct body *b, int v)
{
    return load_use(b, (struct load){CODE_LOADB, v, CODE_TYPE_BOOL});
}

struct use binding_use(struct body *b, uint32_t binding)
{
    const struct lang_binding *bind = &b->k->prog->bindings.v[binding];
    uint16_t type = code_type_handle(b->k->code, bind->resource->type, false);
    return load_use(b, (struct load){CODE_HBIND, (int32_t)binding, type});
}

void loop_enter(struct body *b)
{
    if (b->loop_depth++ > 0)
        return;
    b->loops++;
    b->loop_at = chunk_here(&b->b);
}

void loop_leave(struct body *b)
{
    b->loop_depth--;
}

/* How many insertions stand before `at`; with those at it, if `with`. They are in order. */
static size_t insertions_before(const struct body *b, size_t at, bool with)
{
    size_t lo = 0, hi = b->insertions.n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        size_t x = b->insertions.v[mid].at;
        if (x < at || (with && x == at))
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* Where a target is found when the insertions are made: what jumps to a loop's beginning from
 * before it runs the loads, what jumps back from inside does not. */
static int32_t moved(const struct body *b, size_t from, int32_t target)
{
    return target + (int32_t)insertions_before(b, (size_t)target, from >= (size_t)target);
}

static bool has_target(const struct instr *i)
{
    char d = code_ops[i->op].sig[3];
    return d == 'j' || d == 'l' || i->op == CODE_TO || i->op == CODE_ARM;
}

void insert_kept(struct body *b)
{
    size_t more = b->insertions.n, n = b->b.all.n, to = 0, next = 0;
    if (more == 0 || b->b.full || n + more > CODE_CHUNK_MAX)
        return;
    struct alloc *a = &b->c->tree_alloc;
    struct instr *code = mem_array(a, n + more, sizeof(*code));
    uint32_t *lines = mem_array(a, n + more, sizeof(*lines));
    if (!code || !lines)
        ctx_nomem(b->c);
    for (size_t from = 0; from < n; from++) {
        for (; next < more && b->insertions.v[next].at == from; next++) {
            code[to] = b->insertions.v[next].instr;
            lines[to++] = b->insertions.v[next].line;
        }
        code[to] = b->b.all.v[from];
        lines[to] = b->b.lines.v[from];
        if (has_target(&code[to]))
            code[to].d = moved(b, from, code[to].d);
        to++;
    }
    for (size_t i = 0; i < b->b.places.n; i++)
        b->b.places.v[i].at += (uint32_t)insertions_before(b, b->b.places.v[i].at, true);
    vec_fini(a, &b->b.all);
    vec_fini(a, &b->b.lines);
    b->b.all.v = code;
    b->b.lines.v = lines;
    b->b.all.n = b->b.all.cap = b->b.lines.n = b->b.lines.cap = n + more;
}
