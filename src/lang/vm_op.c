/* Instructions over numbers, records, lists and maps that take more than a line. */
#include "lang/vm_op_internal.h"

#include <math.h>

#define A reg[i->a]
#define B reg[i->b]
#define C reg[i->c]

static struct lang_list *list_of(union lang_slot s)
{
    return (struct lang_list *)(void *)s.o;
}
static struct dict *dict_of(union lang_slot s)
{
    return (struct dict *)(void *)s.o;
}
static struct record *record_of(union lang_slot s)
{
    return (struct record *)(void *)s.o;
}

/* What stands for none among the elements, or values, of what this register holds. The result may
 * go to the window, which has no types. */
static union lang_slot none_of(const struct lang_vm *vm, uint8_t reg)
{
    const struct code_type *t = vm_reg_type(vm, reg);
    return code_none(vm_type(vm, t->kind == CODE_KIND_MAP ? t->b : t->a)->kind);
}

/* ---- numbers ----------------------------------------------------------------------------- */

const struct instr *op_math(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    (void)vm;
    double v = B.f;
    switch ((enum code_math)i->d) {
    case CODE_SQRT: A.f = sqrt(v); break;
    case CODE_EXP: A.f = exp(v); break;
    case CODE_LOG: A.f = log(v); break;
    case CODE_SIN: A.f = sin(v); break;
    case CODE_COS: A.f = cos(v); break;
    case CODE_MATH_N: break;
    }
    return i + 1;
}

const struct instr *op_powf(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    (void)vm;
    A.f = pow(B.f, C.f);
    return i + 1;
}

static double rounded(unsigned how, double v)
{
    switch (how) {
    case CODE_FLOOR: return floor(v);
    case CODE_CEIL: return ceil(v);
    case CODE_TRUNC: return trunc(v);
    default: return round(v);
    }
}

const struct instr *op_roundf(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    const struct lang_unit *u = &vm->code->units[i->d];
    A.f = lang_unit_to_base(u, rounded(i->c, lang_unit_from_base(u, B.f)));
    return i + 1;
}

const struct instr *op_roundi(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    double v = rounded(i->c, B.f);
    if (!(fabs(v) < 9e18))
        return vm_trap(vm, isnan(v) ? "there is no value" : "a whole number became too large");
    A.i = (int64_t)v;
    return i + 1;
}

const struct instr *op_need(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    (void)reg;
    struct str why = vm->code->texts[i->d];
    return vm_trap(vm, "%.*s", STR_FMT(why));
}

const struct instr *op_eqo(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    bool same = vm_equal(vm, vm->fp->chunk->reg_types[i->b], B, C);
    A.i = same;
    return same || !vm->why[0] ? i + 1 : NULL;
}

/* ---- variables, records ------------------------------------------------------------------ */

const struct instr *op_setv(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    uint32_t var = (uint32_t)i->d;
    if (vm->var_epochs[var] != vm->heap.epoch && !vm_var_log(vm, var))
        return vm_trap_nomem(vm);
    if (code_kind_ref(vm_type(vm, vm->code->var_types[var])->kind))
        heap_store(&vm->heap, &vm->vars[var], A.o);
    else
        vm->vars[var] = A;
    return i + 1;
}

static const struct instr *fill_record(struct lang_vm *vm, union lang_slot *reg,
                                       const struct instr *i, uint16_t layout, unsigned at)
{
    struct record *r = heap_new_record(&vm->heap, layout);
    if (!r)
        return vm_trap_nomem(vm);
    for (unsigned n = 0; n < i->b; n++)
        r->slot[at + n] = reg[i[1 + n].a];
    A.o = &r->hdr;
    return i + 1 + i->b;
}

const struct instr *op_record(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    return fill_record(vm, reg, i, vm->code->types[i->d].b, 0);
}

const struct instr *op_closure(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    const struct instr *next = fill_record(vm, reg, i, vm->code->chunks[i->d].layout, 1);
    if (next)
        record_of(A)->slot[0].i = i->d;
    return next;
}

static bool is_ref(const struct lang_vm *vm, uint8_t reg)
{
    return vm->fp->chunk->refs[reg / 64] >> reg % 64 & 1;
}

const struct instr *op_setf(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    struct record *r = record_of(B);
    if (!r)
        return vm_trap_none(vm);
    union lang_slot *slot = &r->slot[i->c];
    if (!heap_touch(&vm->heap, &r->hdr, slot, is_ref(vm, i->a)))
        return vm_trap_nomem(vm);
    if (is_ref(vm, i->a))
        heap_store(&vm->heap, slot, A.o);
    else
        *slot = A;
    return i + 1;
}

/* ---- lists ------------------------------------------------------------------------------- */

static bool holds_refs(const struct lang_vm *vm, uint16_t element)
{
    return code_kind_ref(vm_type(vm, element)->kind);
}

const struct instr *op_list(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    struct lang_list *l = list_new(&vm->heap, holds_refs(vm, vm->code->types[i->d].a));
    if (!l)
        return vm_trap_nomem(vm);
    heap_push_root(&vm->heap, &l->hdr);
    bool fine = true;
    for (unsigned n = 0; n < i->b && fine; n++)
        fine = list_push(&vm->heap, l, reg[i[1 + n].a]);
    heap_pop_root(&vm->heap, 1);
    if (!fine)
        return vm_trap_nomem(vm);
    A.o = &l->hdr;
    return i + 1 + i->b;
}

const struct instr *op_listn(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    if (B.i < 0 || B.i > LIST_MAX)
        return vm_trap(vm, "a list can't have %lld elements", (long long)B.i);
    struct lang_list *l =
        list_fill(&vm->heap, holds_refs(vm, vm->code->types[i->d].a), (size_t)B.i, C);
    if (!l)
        return vm_trap_nomem(vm);
    vm_charge(vm, (size_t)B.i);
    A.o = &l->hdr;
    return i + 1;
}

static const struct instr *out_of_range(struct lang_vm *vm, int64_t at, const struct lang_list *l)
{
    return vm_trap(vm, "there is no element %lld in a list of %zu", (long long)at, list_len(l));
}

/* What the loop does not do itself: it traps. */
const struct instr *op_lget(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    const struct lang_list *l = list_of(B);
    return l ? out_of_range(vm, C.i, l) : vm_trap_none(vm);
}

const struct instr *op_lset(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    struct lang_list *l = list_of(B);
    if (!l || (uint64_t)C.i >= list_len(l))
        return op_lget(vm, reg, i);
    return list_set(&vm->heap, l, (size_t)C.i, A) ? i + 1 : vm_trap_nomem(vm);
}

const struct instr *op_lat(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    const struct lang_list *l = list_of(B);
    if (!l)
        return vm_trap_none(vm);
    A = (uint64_t)C.i < list_len(l) ? list_get(l, (size_t)C.i) : none_of(vm, i->b);
    return i + 1;
}

const struct instr *op_llast(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    const struct lang_list *l = list_of(B);
    if (!l)
        return vm_trap_none(vm);
    size_t n = list_len(l);
    A = n > 0 ? list_get(l, n - 1) : none_of(vm, i->b);
    return i + 1;
}

const struct instr *op_lpush(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    if (!A.o)
        return vm_trap_none(vm);
    return list_push(&vm->heap, list_of(A), B) ? i + 1 : vm_trap_nomem(vm);
}

const struct instr *op_lpop(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    struct lang_list *l = list_of(B);
    if (!l)
        return vm_trap_none(vm);
    union lang_slot v = none_of(vm, i->b);
    if (list_len(l) > 0 && !list_pop(&vm->heap, l, &v))
        return vm_trap_nomem(vm);
    A = v;
    return i + 1;
}

const struct instr *op_linsert(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    struct lang_list *l = list_of(A);
    if (!l)
        return vm_trap_none(vm);
    if ((uint64_t)B.i > list_len(l))
        return out_of_range(vm, B.i, l);
    vm_charge(vm, list_len(l) - (size_t)B.i);
    return list_insert(&vm->heap, l, (size_t)B.i, C) ? i + 1 : vm_trap_nomem(vm);
}

const struct instr *op_lremove(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    struct lang_list *l = list_of(B);
    if (!l || (uint64_t)C.i >= list_len(l))
        return op_lget(vm, reg, i);
    vm_charge(vm, list_len(l) - (size_t)C.i);
    union lang_slot v;
    if (!list_remove(&vm->heap, l, (size_t)C.i, &v))
        return vm_trap_nomem(vm);
    A = v;
    return i + 1;
}

const struct instr *op_lclear(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    if (!A.o)
        return vm_trap_none(vm);
    return list_clear(&vm->heap, list_of(A)) ? i + 1 : vm_trap_nomem(vm);
}

/* Sorting looks at each element about log2 n times, at all of a text if another one is like it. */
static bool may_sort(struct lang_vm *vm, const struct lang_list *l, bool texts)
{
    size_t n = list_len(l), log2 = n > 1 ? 64 - (size_t)__builtin_clzll(n) : 1, bytes = 0;
    for (size_t k = 0; texts && k < n && bytes * log2 <= VM_SORT_MAX; k++)
        bytes += vm_str(list_get(l, k)).n;
    vm_charge(vm, (n * 4 + bytes / 4) * log2);
    if (bytes * log2 > VM_SORT_MAX)
        (void)vm_trap(vm, "these texts are too long to be sorted");
    return bytes * log2 <= VM_SORT_MAX;
}

const struct instr *op_lsort(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    struct lang_list *l = list_of(A);
    if (!l)
        return vm_trap_none(vm);
    uint8_t kind = vm_type(vm, vm_reg_type(vm, i->a)->a)->kind;
    enum list_order order = kind == CODE_KIND_STR     ? LIST_BY_TEXT
                            : kind == CODE_KIND_FLOAT ? LIST_BY_FLOAT
                                                      : LIST_BY_INT;
    if (!may_sort(vm, l, order == LIST_BY_TEXT))
        return NULL;
    return list_sort(&vm->heap, l, order) ? i + 1 : vm_trap_nomem(vm);
}

const struct instr *op_lreverse(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    if (!A.o)
        return vm_trap_none(vm);
    vm_charge(vm, list_len(list_of(A)));
    return list_reverse(&vm->heap, list_of(A)) ? i + 1 : vm_trap_nomem(vm);
}

const struct instr *op_lhas(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    const struct lang_list *l = list_of(B);
    if (!l)
        return vm_trap_none(vm);
    bool found = vm_list_has(vm, vm_reg_type(vm, i->b)->a, l, C);
    A.i = found;
    return found || !vm->why[0] ? i + 1 : NULL;
}

/* ---- maps -------------------------------------------------------------------------------- */

const struct instr *op_map(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    const struct code_type *t = &vm->code->types[i->d];
    struct dict *d =
        dict_new(&vm->heap, vm_type(vm, t->a)->kind == CODE_KIND_STR, holds_refs(vm, t->b));
    if (!d)
        return vm_trap_nomem(vm);
    A.o = &d->hdr;
    return i + 1;
}

/* A text that is none is no key; a long one takes time to be found. */
static bool key_fine(struct lang_vm *vm, const struct dict *d, union lang_slot key)
{
    if (!d || !(d->hdr.layout & DICT_TEXTS))
        return d != NULL;
    vm_charge(vm, vm_str(key).n);
    return key.o != NULL;
}

const struct instr *op_mget(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    struct dict *d = dict_of(B);
    if (!key_fine(vm, d, C))
        return vm_trap_none(vm);
    const union lang_slot *v = dict_get(&vm->heap, d, C);
    A = v ? *v : none_of(vm, i->b);
    return i + 1;
}

const struct instr *op_mset(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    struct dict *d = dict_of(B);
    if (!key_fine(vm, d, C))
        return vm_trap_none(vm);
    return dict_put(&vm->heap, d, C, A) ? i + 1 : vm_trap_nomem(vm);
}

const struct instr *op_mhas(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    struct dict *d = dict_of(B);
    if (!key_fine(vm, d, C))
        return vm_trap_none(vm);
    A.i = dict_get(&vm->heap, d, C) != NULL;
    return i + 1;
}

const struct instr *op_mremove(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    struct dict *d = dict_of(B);
    if (!key_fine(vm, d, C))
        return vm_trap_none(vm);
    bool found;
    union lang_slot v;
    if (!dict_remove(&vm->heap, d, C, &found, &v))
        return vm_trap_nomem(vm);
    A = found ? v : none_of(vm, i->b);
    return i + 1;
}

const struct instr *op_mlen(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    if (!B.o)
        return vm_trap_none(vm);
    A.i = (int64_t)dict_len(dict_of(B));
    return i + 1;
}

static const struct instr *entries(struct lang_vm *vm, union lang_slot *reg, const struct instr *i,
                                   bool keys)
{
    struct dict *d = dict_of(B);
    if (!d)
        return vm_trap_none(vm);
    struct lang_list *l = list_new(&vm->heap, holds_refs(vm, vm_reg_type(vm, i->a)->a));
    if (!l)
        return vm_trap_nomem(vm);
    heap_push_root(&vm->heap, &l->hdr);
    uint64_t at = 0;
    union lang_slot key, value;
    bool fine = true;
    while (fine && dict_next(d, &at, &key, &value))
        fine = list_push(&vm->heap, l, keys ? key : value);
    heap_pop_root(&vm->heap, 1);
    vm_charge(vm, dict_len(d) * 8);
    if (!fine)
        return vm_trap_nomem(vm);
    A.o = &l->hdr;
    return i + 1;
}

const struct instr *op_mkeys(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    return entries(vm, reg, i, true);
}

const struct instr *op_mvalues(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    return entries(vm, reg, i, false);
}

const struct instr *op_mclear(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    if (!A.o)
        return vm_trap_none(vm);
    return dict_clear(&vm->heap, dict_of(A)) ? i + 1 : vm_trap_nomem(vm);
}

enum vm_exit op_formap(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    struct dict *d = dict_of(B);
    uint64_t at = (uint64_t)A.i;
    union lang_slot key, value;
    if (d && at == 0) /* on its way the walk steps over them */
        vm_charge(vm, dict_gaps(d));
    vm->fp->pc = i + 2;
    if (!d || !dict_next(d, &at, &key, &value))
        return VM_GO;
    A.i = (int64_t)at;
    C = key;
    if (i[1].b == 1)
        reg[i[1].a] = value;
    vm->fp->pc = i + 1 + i->d;
    vm->budget += i->d;
    return vm->budget < 0 ? VM_BUDGET : VM_GO;
}

/* ---- the tables -------------------------------------------------------------------------- */

vm_slow_fn *const vm_slow[CODE_OPS_N] = {
#define X(name, fn) [CODE_##name] = op_##fn,
    VM_SLOW(X)
#undef X
};
vm_control_fn *const vm_control[CODE_OPS_N] = {
#define X(name, fn) [CODE_##name] = op_##fn,
    VM_CONTROL(X)
#undef X
};
