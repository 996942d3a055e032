/* Texts, lists, maps, records, channels. */
#include "lang/check_internal.h"

/* ---- texts ------------------------------------------------------------------------------- */

#define PARTS_MAX 16u /* of one CONCAT: each takes a register */

static enum code_print print_of(const struct lang_type *t)
{
    switch (t->kind) {
    case LANG_TYPE_STR: return CODE_PRINT_STR;
    case LANG_TYPE_BOOL: return CODE_PRINT_BOOL;
    case LANG_TYPE_INT: return CODE_PRINT_INT;
    case LANG_TYPE_TIME: return CODE_PRINT_TIME;
    case LANG_TYPE_FLOAT: return CODE_PRINT_FLOAT;
    case LANG_TYPE_ENUM: return CODE_PRINT_ENUM;
    default: return CODE_PRINT_VALUE;
    }
}

struct part {
    struct use u;
    enum code_print print;
    int32_t d;
};

/* A reading without a value is shown, as "no value"; so is what was computed from it. */
static struct use part_use(struct body *b, const struct expr *e)
{
    struct jumps misses = {0}, *outer = b->misses;
    bool strict = b->strict, fine = b->none_ok;
    b->misses = &misses;
    b->strict = false; /* a text shows the last value */
    b->none_ok = true;
    struct use u = expr_use(b, e, NULL);
    b->misses = outer;
    b->strict = strict;
    b->none_ok = fine;
    if (misses.all.n == 0)
        return u;
    size_t end = put(b, CODE_JMP, 0, 0, 0, 0);
    jumps_here(b, &misses);
    none_to(b, &e->type, u.reg);
    jump_here(b, end);
    return u;
}

static struct part part_of(struct body *b, const struct expr *e)
{
    if (e->kind == E_TEXT)
        return (struct part){.print = CODE_PRINT_TEXT, .d = const_text(b->k->code, e->text)};
    struct part p = {.print = print_of(&e->type), .u = part_use(b, e)};
    if (p.print == CODE_PRINT_FLOAT)
        p.d = const_unit(b->k->code, &e->type.unit);
    return p;
}

static void concat(struct body *b, const struct part *parts, size_t n, uint8_t dest)
{
    (void)put(b, CODE_CONCAT, dest, (uint8_t)n, 0, 0);
    for (size_t i = 0; i < n; i++) {
        (void)put(b, CODE_PART, parts[i].u.reg, (uint8_t)parts[i].print, 0, parts[i].d);
        give(b, parts[i].u);
    }
}

void string_to(struct body *b, const struct expr *e, uint8_t dest)
{
    struct part parts[PARTS_MAX];
    size_t n = 0;
    for (size_t i = 0; i < e->list.n; i++) {
        if (n == PARTS_MAX) { /* what there is so far becomes one part */
            uint8_t sum = temp(b, CODE_TYPE_STR);
            concat(b, parts, n, sum);
            parts[0] = (struct part){.u = {sum, true}, .print = CODE_PRINT_STR};
            n = 1;
        }
        parts[n++] = part_of(b, e->list.v[i]);
    }
    concat(b, parts, n, dest);
}

/* ---- lists, maps ------------------------------------------------------------------------- */

#define ELEMENTS_MAX 16u /* of one LIST; more are pushed */

/* Where a value is built up: dest, unless what goes into it needs what is there. */
static uint8_t build_in(struct body *b, const struct expr *e, const struct lang_type *t,
                        uint8_t dest)
{
    return b->is_local[dest] && mentions_reg(b, e, dest) ? temp_of(b, t) : dest;
}

static void build_end(struct body *b, uint8_t r, uint8_t dest)
{
    if (r == dest)
        return;
    (void)put(b, CODE_MOV, dest, r, 0, 0);
    reg_give(&b->b, r);
}

void list_to(struct body *b, const struct expr *e, const struct lang_type *want, uint8_t dest)
{
    const struct lang_type *t = want && want->kind == LANG_TYPE_LIST ? want : &e->type;
    struct use first[ELEMENTS_MAX];
    size_t n = e->list.n < ELEMENTS_MAX ? e->list.n : ELEMENTS_MAX;
    for (size_t i = 0; i < n; i++)
        first[i] = expr_use(b, e->list.v[i], &t->args[0]);
    uint8_t r = e->list.n > n ? build_in(b, e, t, dest) : dest;
    (void)put(b, CODE_LIST, r, (uint8_t)n, 0, type_of(b, t));
    operand_words(b, first, n);
    for (size_t i = n; i < e->list.n; i++) {
        struct use u = expr_use(b, e->list.v[i], &t->args[0]);
        (void)put(b, CODE_LPUSH, r, u.reg, 0, 0);
        give(b, u);
    }
    build_end(b, r, dest);
}

void map_to(struct body *b, const struct expr *e, const struct lang_type *want, uint8_t dest)
{
    const struct lang_type *t = want && want->kind == LANG_TYPE_MAP ? want : &e->type;
    uint8_t r = build_in(b, e, t, dest);
    (void)put(b, CODE_MAP, r, 0, 0, type_of(b, t));
    for (size_t i = 0; i + 1 < e->list.n; i += 2) {
        struct use key = expr_use(b, e->list.v[i], &t->args[0]);
        struct use value = expr_use(b, e->list.v[i + 1], &t->args[1]);
        (void)put(b, CODE_MSET, value.reg, r, key.reg, 0);
        give(b, value);
        give(b, key);
    }
    build_end(b, r, dest);
}

/* ---- records, channels ------------------------------------------------------------------- */

static bool same_type(const struct lang_type *a, const struct lang_type *b)
{
    return a->kind == b->kind && a->def == b->def && a->args == b->args;
}

/* Of two fields: one constant, which may come from one register. */
static bool same_constant(const struct expr *x, const struct expr *y)
{
    int64_t v, w;
    if (x->kind == E_NONE || y->kind == E_NONE)
        return x->kind == y->kind;
    return constant_int(x, &v) && constant_int(y, &w) && v == w && x->type.kind == y->type.kind;
}

static struct use field_use(struct body *b, const struct expr *e, size_t i,
                            const struct use *before)
{
    const struct lang_field *f = e->type.def->fields;
    for (size_t q = 0; q < i; q++)
        if (same_type(&f[q].type, &f[i].type) && same_constant(e->list.v[q], e->list.v[i]))
            return (struct use){before[q].reg, false};
    return expr_use(b, e->list.v[i], &f[i].type);
}

void record_to(struct body *b, const struct expr *e, uint8_t dest)
{
    struct use fields[LANG_FIELDS_MAX];
    ASSERT(!e->names); /* the checker put them in order */
    for (size_t i = 0; i < e->list.n; i++)
        fields[i] = field_use(b, e, i, fields);
    (void)put(b, CODE_RECORD, dest, (uint8_t)e->list.n, 0, type_of(b, &e->type));
    operand_words(b, fields, e->list.n);
}

void chan_to(struct body *b, const struct expr *e, uint8_t dest)
{
    struct use n = expr_use(b, e->a, NULL);
    (void)put(b, CODE_CHAN, dest, n.reg, 0, type_of(b, &e->type));
    give(b, n);
}
