/* The interpreter. Its one long function is a table of instructions, a line or two for each; what
 * takes more is in vm_slow[] and vm_control[]. The verifier has seen the code: registers, constants
 * and calls are in bounds and of the right types.
 *
 * Each instruction ends with a jump of its own to the next one (labels as values, a GNU extension),
 * so that the processor predicts each separately. */
#include "lang/vm_internal.h"

#include <math.h>
#include <string.h>

#define UNLIKELY(x) __builtin_expect(!!(x), 0)

static int64_t kleene_and(int64_t a, int64_t b)
{
    if (a == 0 || b == 0)
        return 0;
    return a == 1 && b == 1 ? 1 : CODE_UNKNOWN;
}

static int64_t kleene_or(int64_t a, int64_t b)
{
    if (a == 1 || b == 1)
        return 1;
    return a == 0 && b == 0 ? 0 : CODE_UNKNOWN;
}

static int64_t kleene_not(int64_t a)
{
    return a == 0 || a == 1 ? !a : CODE_UNKNOWN;
}

static inline int64_t kleene(double a, double b, bool truth)
{
    return UNLIKELY(isunordered(a, b)) ? CODE_UNKNOWN : truth;
}

static double pick(bool least, double a, double b)
{
    if (isunordered(a, b))
        return NAN;
    return (a < b) == least ? a : b;
}

/* Long ones cost what looking at them takes. */
static inline bool texts_equal(union lang_slot a, union lang_slot b, int64_t *budget)
{
    if (a.o == b.o)
        return true;
    if (!a.o || !b.o)
        return false;
    const struct text *x = (const struct text *)(void *)a.o, *y = (const struct text *)(void *)b.o;
    if (x->len != y->len)
        return false;
    *budget -= x->len / VM_BYTES_EACH;
    return memcmp(x->bytes, y->bytes, x->len) == 0;
}

/* What a closure captured follows its arguments. */
static void put_captures(union lang_slot *window, const struct lang_chunk *k,
                         const struct record *closure)
{
    union lang_slot *to = window + k->params_n - k->captures_n;
    for (unsigned i = 0; i < k->captures_n; i++)
        to[i] = closure->slot[1 + i];
}

void vm_worker_frame(struct lang_worker *w)
{
    static const struct instr halt[] = {{.op = CODE_HALT}, {.op = CODE_HALT}};
    w->frames[0] = (struct vm_frame){.pc = &halt[1], .base = w->slots, .chunk = NULL};
}

enum vm_exit vm_loop(struct lang_vm *vm)
{
    static const void *const labels[CODE_OPS_N] = {
#define X(name, sig, flags) &&L_##name,
        CODE_OPS(X)
#undef X
    };
    struct vm_frame *fp = vm->fp, *const fp_end = vm->worker->frames + vm->limits.depth_max;
    const struct instr *pc = fp->pc;
    union lang_slot *reg = fp->base;
    int64_t budget = vm->budget;
    const struct lang_chunk *const chunks = vm->code->chunks;
    const double *const floats = vm->code->floats;
    int64_t whole, below;
    enum vm_exit e;

#define A        reg[pc->a]
#define B        reg[pc->b]
#define C        reg[pc->c]
#define D        pc->d
#define BC       ((int16_t)instr_bc(pc))
#define FBC      floats[instr_bc(pc)]
#define DISPATCH goto *labels[pc->op]
#define NEXT                                                                                       \
    do {                                                                                           \
        pc++;                                                                                      \
        DISPATCH;                                                                                  \
    } while (0)
#define DO(x)                                                                                      \
    do {                                                                                           \
        x;                                                                                         \
        NEXT;                                                                                      \
    } while (0)
#define SAVE                                                                                       \
    do {                                                                                           \
        fp->pc = pc;                                                                               \
        vm->fp = fp;                                                                               \
        vm->budget = budget;                                                                       \
    } while (0)
/* The frame changed. */
#define RELOAD                                                                                     \
    do {                                                                                           \
        fp = vm->fp;                                                                               \
        reg = fp->base;                                                                            \
        pc = fp->pc;                                                                               \
        budget = vm->budget;                                                                       \
    } while (0)
#define WHOLE(f, x, y)                                                                             \
    do {                                                                                           \
        if (UNLIKELY(__builtin_##f##_overflow(x, y, &whole) ||                                     \
                     __builtin_sub_overflow(whole, 1, &below))) /* it is none */                   \
            goto too_large;                                                                        \
        A.i = whole;                                                                               \
        NEXT;                                                                                      \
    } while (0)
#define JUMP_IF(x)                                                                                 \
    do {                                                                                           \
        if (x) {                                                                                   \
            pc += D;                                                                               \
            NEXT;                                                                                  \
        }                                                                                          \
        NEXT;                                                                                      \
    } while (0)
/* Back, which costs the length of what is repeated. */
#define LOOP_IF(x)                                                                                 \
    do {                                                                                           \
        if (x) {                                                                                   \
            budget += D;                                                                           \
            pc += D;                                                                               \
            if (UNLIKELY(budget < 0))                                                              \
                goto used_up;                                                                      \
        }                                                                                          \
        NEXT;                                                                                      \
    } while (0)
#define NEED(x)                                                                                    \
    do {                                                                                           \
        if (UNLIKELY(!(x)))                                                                        \
            goto slow; /* tells what is missing */                                                 \
        NEXT;                                                                                      \
    } while (0)
#define CALL(k, closure)                                                                           \
    do {                                                                                           \
        const struct lang_chunk *callee = k;                                                       \
        if (UNLIKELY(fp >= fp_end))                                                                \
            goto too_deep;                                                                         \
        fp->pc = pc + 1;                                                                           \
        reg += pc->c;                                                                              \
        closure;                                                                                   \
        fp++;                                                                                      \
        fp->base = reg;                                                                            \
        fp->chunk = callee;                                                                        \
        budget -= callee->code_n;                                                                  \
        vm_zero_refs(reg, callee);                                                                 \
        pc = callee->code;                                                                         \
        if (UNLIKELY(budget < 0))                                                                  \
            goto used_up_here;                                                                     \
        DISPATCH;                                                                                  \
    } while (0)

    DISPATCH;

    /* clang-format off */
L_LOADB: L_LOADN: DO(A.i = D);
L_LOADI: DO(A.i = vm->code->ints[D]);
L_LOADF: DO(A.f = floats[D]);
L_LOADS: DO(A.o = (struct obj *)(void *)vm->texts[D]);
L_NIL:   DO(A.o = NULL);
L_MOV: L_HLEND: DO(A = B);

L_ADDI:  WHOLE(add, B.i, C.i);
L_SUBI:  WHOLE(sub, B.i, C.i);
L_MULI:  WHOLE(mul, B.i, C.i);
L_ADDIK: WHOLE(add, B.i, (int64_t)D);
L_RSUBIK: WHOLE(sub, (int64_t)D, B.i);
L_MULIK: WHOLE(mul, B.i, (int64_t)D);
L_NEGI:  WHOLE(sub, (int64_t)0, B.i);
L_ABSI:
    if (B.i >= 0)
        DO(A.i = B.i);
    WHOLE(sub, (int64_t)0, B.i);
L_DIVI:
    if (UNLIKELY(C.i == 0))
        goto by_zero;
    if (UNLIKELY(C.i == -1))
        WHOLE(sub, (int64_t)0, B.i);
    DO(A.i = B.i / C.i);
L_MODI:
    if (UNLIKELY(C.i == 0))
        goto by_zero;
    DO(A.i = UNLIKELY(C.i == -1) ? 0 : B.i % C.i);
L_DIVIK: DO(A.i = B.i / D);
L_MODIK: DO(A.i = B.i % D);
L_MINI:  DO(A.i = B.i < C.i ? B.i : C.i);
L_MAXI:  DO(A.i = B.i > C.i ? B.i : C.i);
L_SOMEI:
    if (UNLIKELY(B.i == INT64_MIN))
        goto too_large;
    DO(A = B);

L_ADDF:  DO(A.f = B.f + C.f);
L_SUBF:  DO(A.f = B.f - C.f);
L_MULF:  DO(A.f = B.f * C.f);
L_DIVF:  DO(A.f = B.f / C.f);
L_MODF:  DO(A.f = fmod(B.f, C.f));
L_ADDFK: DO(A.f = B.f + floats[D]);
L_RSUBFK: DO(A.f = floats[D] - B.f);
L_MULFK: DO(A.f = B.f * floats[D]);
L_DIVFK: DO(A.f = B.f / floats[D]);
L_RDIVFK: DO(A.f = floats[D] / B.f);
L_NEGF:  DO(A.f = -B.f);
L_ABSF:  DO(A.f = fabs(B.f));
L_MINF:  DO(A.f = pick(true, B.f, C.f));
L_MAXF:  DO(A.f = pick(false, B.f, C.f));
L_ITOF:  DO(A.f = (double)B.i);
L_TOBASE: DO(A.f = lang_unit_to_base(&vm->code->units[D], B.f));
L_FROMBASE: DO(A.f = lang_unit_from_base(&vm->code->units[D], B.f));

L_EQB: L_EQI: DO(A.i = B.i == C.i);
L_NEB: L_NEI: DO(A.i = B.i != C.i);
L_LTI:   DO(A.i = B.i < C.i);
L_LEI:   DO(A.i = B.i <= C.i);
L_EQF:   DO(A.i = B.f == C.f);
L_NEF:   DO(A.i = B.f != C.f);
L_LTF:   DO(A.i = B.f < C.f);
L_LEF:   DO(A.i = B.f <= C.f);
L_EQS:   DO(A.i = texts_equal(B, C, &budget));
L_NOT:   DO(A.i = B.i != 1);
L_NONEI: DO(A.i = B.i == INT64_MIN);
L_NONEF: DO(A.i = isnan(B.f));
L_NONEO: DO(A.i = B.o == NULL);
L_KEQB:  DO(A.i = kleene_or(kleene_and(B.i, C.i), kleene_and(kleene_not(B.i), kleene_not(C.i))));
L_KEQF:  DO(A.i = kleene(B.f, C.f, B.f == C.f));
L_KNEF:  DO(A.i = kleene(B.f, C.f, B.f != C.f));
L_KLTF:  DO(A.i = kleene(B.f, C.f, B.f < C.f));
L_KLEF:  DO(A.i = kleene(B.f, C.f, B.f <= C.f));
L_KLTFK: DO(A.i = kleene(B.f, floats[D], B.f < floats[D]));
L_KLEFK: DO(A.i = kleene(B.f, floats[D], B.f <= floats[D]));
L_KGTFK: DO(A.i = kleene(B.f, floats[D], B.f > floats[D]));
L_KGEFK: DO(A.i = kleene(B.f, floats[D], B.f >= floats[D]));
L_KNOT:  DO(A.i = kleene_not(B.i));
L_KAND:  DO(A.i = kleene_and(B.i, C.i));
L_KOR:   DO(A.i = kleene_or(B.i, C.i));

L_JMP:   DO(pc += D);
L_JT:    JUMP_IF(A.i == 1);
L_JNT:   JUMP_IF(A.i != 1);
L_JF:    JUMP_IF(A.i == 0);
L_JU:    JUMP_IF((uint64_t)A.i > 1);
L_JNU:   JUMP_IF((uint64_t)A.i <= 1);
L_JEQI:  JUMP_IF(A.i == B.i);
L_JNEI:  JUMP_IF(A.i != B.i);
L_JLTI:  JUMP_IF(A.i < B.i);
L_JLEI:  JUMP_IF(A.i <= B.i);
L_JEQIK: JUMP_IF(A.i == BC);
L_JNEIK: JUMP_IF(A.i != BC);
L_JLTIK: JUMP_IF(A.i < BC);
L_JLEIK: JUMP_IF(A.i <= BC);
L_JGTIK: JUMP_IF(A.i > BC);
L_JGEIK: JUMP_IF(A.i >= BC);
L_JEQF:  JUMP_IF(A.f == B.f);
L_JNEF:  JUMP_IF(A.f != B.f);
L_JLTF:  JUMP_IF(A.f < B.f);
L_JLEF:  JUMP_IF(A.f <= B.f);
L_JNLTF: JUMP_IF(!(A.f < B.f));
L_JNLEF: JUMP_IF(!(A.f <= B.f));
L_JEQFK: JUMP_IF(A.f == FBC);
L_JNEFK: JUMP_IF(A.f != FBC);
L_JLTFK: JUMP_IF(A.f < FBC);
L_JLEFK: JUMP_IF(A.f <= FBC);
L_JGTFK: JUMP_IF(A.f > FBC);
L_JGEFK: JUMP_IF(A.f >= FBC);
L_JNLTFK: JUMP_IF(!(A.f < FBC));
L_JNLEFK: JUMP_IF(!(A.f <= FBC));
L_JNGTFK: JUMP_IF(!(A.f > FBC));
L_JNGEFK: JUMP_IF(!(A.f >= FBC));
L_JEQS:  JUMP_IF(texts_equal(A, B, &budget));
L_JNES:  JUMP_IF(!texts_equal(A, B, &budget));
L_JNONEI: JUMP_IF(A.i == INT64_MIN);
L_JSOMEI: JUMP_IF(A.i != INT64_MIN);
L_JNONEF: JUMP_IF(isnan(A.f));
L_JSOMEF: JUMP_IF(!isnan(A.f));
L_JNONEO: JUMP_IF(A.o == NULL);
L_JSOMEO: JUMP_IF(A.o != NULL);
L_JNONEH: JUMP_IF(A.i == 0);
L_JSOMEH: JUMP_IF(A.i != 0);

L_LOOP:  LOOP_IF(true);
L_LOOPT: LOOP_IF(A.i == 1);
L_LOOPNT: LOOP_IF(A.i != 1);
L_LOOPEQI: LOOP_IF(A.i == B.i);
L_LOOPNEI: LOOP_IF(A.i != B.i);
L_LOOPLTI: LOOP_IF(A.i < B.i);
L_LOOPLEI: LOOP_IF(A.i <= B.i);
L_LOOPEQIK: LOOP_IF(A.i == BC);
L_LOOPNEIK: LOOP_IF(A.i != BC);
L_LOOPLTIK: LOOP_IF(A.i < BC);
L_LOOPLEIK: LOOP_IF(A.i <= BC);
L_LOOPGTIK: LOOP_IF(A.i > BC);
L_LOOPGEIK: LOOP_IF(A.i >= BC);
L_LOOPLTF: LOOP_IF(A.f < B.f);
L_LOOPLEF: LOOP_IF(A.f <= B.f);
L_FOR: {
    int64_t at = (int64_t)((uint64_t)A.i + 1);
    A.i = at;
    LOOP_IF(at < B.i);
}
L_FORLIST: {
    const struct lang_list *l = (const struct lang_list *)(void *)B.o;
    uint64_t at = (uint64_t)A.i + 1;
    A.i = (int64_t)at;
    if (!l || at >= list_len(l))
        NEXT;
    C = list_get(l, at);
    LOOP_IF(true);
}

L_NEEDB: NEED((uint64_t)A.i <= 1);
L_NEEDI: NEED(A.i != INT64_MIN);
L_NEEDF: NEED(!isnan(A.f));
L_NEEDO: NEED(A.o != NULL);

L_CALL: L_CALLV: CALL(&chunks[D], (void)0);
L_CALLC: L_CALLCV: {
    const struct record *closure = (const struct record *)(void *)B.o;
    if (UNLIKELY(!closure))
        goto none;
    const struct lang_chunk *k = &chunks[closure->slot[0].i];
    CALL(k, put_captures(reg, k, closure));
}
L_RET: {
    union lang_slot v = A;
    fp--;
    pc = fp->pc;
    reg = fp->base;
    reg[pc[-1].a] = v;
    DISPATCH;
}
L_RETV:
    fp--;
    pc = fp->pc;
    reg = fp->base;
    DISPATCH;
L_HALT:
    vm->fp = fp;
    vm->budget = budget;
    return VM_DONE;

L_GETV:  DO(A = vm->vars[D]);
L_SETV:
    if (UNLIKELY(vm->var_epochs[D] != vm->heap.epoch || vm->heap.marking))
        goto slow;
    DO(vm->vars[D] = A);
L_RECORD: {
    if (HEAP_STRESS || MEMORY_POISONS)
        goto slow;
    unsigned n = pc->b, class = heap_class_of[1 + n];
    struct heap_cell *cell = vm->heap.free[class];
    if (UNLIKELY(!cell))
        goto slow;
    vm->heap.free[class] = cell->next;
    memory_unpoison(cell, heap_cell_bytes[class]);
    struct record *r = (struct record *)(void *)cell;
    r->hdr = (struct obj){.kind = OBJ_RECORD,
                          .flags = vm->heap.colour,
                          .layout = vm->code->types[D].b,
                          .epoch = vm->heap.epoch};
    union lang_slot *to = r->slot, *made = &A; /* which may be an operand, too */
    for (const struct instr *end = pc + n; pc < end; to++)
        *to = reg[(++pc)->a];
    DO(made->o = &r->hdr);
}
L_GETF: {
    const struct record *r = (const struct record *)(void *)B.o;
    if (UNLIKELY(!r))
        goto none;
    DO(A = r->slot[pc->c]);
}
L_SETF: {
    struct record *r = (struct record *)(void *)B.o;
    if (UNLIKELY(!r || r->hdr.epoch != vm->heap.epoch || vm->heap.marking))
        goto slow;
    DO(r->slot[pc->c] = A);
}
L_LGET: {
    const struct lang_list *l = (const struct lang_list *)(void *)B.o;
    if (UNLIKELY(!l || (uint64_t)C.i >= list_len(l)))
        goto slow;
    DO(A = list_get(l, (size_t)C.i));
}
L_LSET: {
    const struct lang_list *l = (const struct lang_list *)(void *)B.o;
    if (UNLIKELY(!l || (uint64_t)C.i >= list_len(l) || vm->heap.marking))
        goto slow;
    struct node *leaf = slots_leaf(&l->s, (size_t)C.i);
    if (UNLIKELY(leaf->hdr.epoch != vm->heap.epoch))
        goto slow;
    DO(leaf->slot[(size_t)C.i % NODE_SLOTS] = A);
}
L_LLEN: {
    const struct lang_list *l = (const struct lang_list *)(void *)B.o;
    if (UNLIKELY(!l))
        goto none;
    DO(A.i = (int64_t)list_len(l));
}
L_MGET: {
    struct dict *m = (struct dict *)(void *)B.o;
    if (UNLIKELY(!m || C.i == 0)) /* perhaps a text that is none */
        goto slow;
    struct node *leaf = dict_guess(m, C);
    const union lang_slot *v = leaf ? dict_value(m, leaf) : dict_get(&vm->heap, m, C);
    if (UNLIKELY(!v))
        goto slow;
    if (m->hdr.layout & DICT_TEXTS)
        budget -= ((const struct text *)(void *)C.o)->len / VM_BYTES_EACH;
    DO(A = *v);
}
L_MSET: { /* of what was just looked up */
    struct dict *m = (struct dict *)(void *)B.o;
    struct node *leaf = m && C.i != 0 && !vm->heap.marking ? dict_guess(m, C) : NULL;
    if (UNLIKELY(!leaf || leaf->hdr.epoch != vm->heap.epoch))
        goto slow;
    DO(*dict_value(m, leaf) = A);
}
L_READ: {
    const struct lang_type *t = &vm->program->bindings[D].member_type;
    if (UNLIKELY(t->kind != LANG_TYPE_FLOAT))
        goto slow;
    struct lang_sample *s = &vm->worker->sample;
    *s = (struct lang_sample){0};
    vm->host->read(vm->host, (uint32_t)D, s);
    bool have = s->has_value && !(s->stale && pc->c == 1);
    DO(A.f = have ? lang_unit_to_base(&t->unit, s->value.f) : NAN);
}
L_NOW:   DO(A.i = vm->host->now_ms(vm->host));

L_MATH: L_POWF: L_ROUNDF: L_ROUNDI: L_EQO: L_TRAP: L_CLOSURE:
L_LIST: L_LISTN: L_LAT: L_LLAST: L_LPUSH: L_LPOP: L_LINSERT: L_LREMOVE: L_LCLEAR: L_LSORT:
L_LREVERSE: L_LHAS:
L_MAP: L_MHAS: L_MREMOVE: L_MLEN: L_MKEYS: L_MVALUES: L_MCLEAR:
L_CONCAT: L_SLEN: L_STEST: L_SMAKE: L_SLICE: L_SPLIT: L_STOI: L_STOF:
L_CHAN: L_CCLOSE: L_CLEN: L_SPAWN: L_HBIND: L_HGROUP: L_HMOVE: L_HDROP: L_DROPB:
L_READH: L_HNAME: L_STALE: L_STALEH: L_SLOPE: L_REVOKE: L_REVOKEH: L_RANDOM: L_STATE: L_PUBLISH:
slow:
    SAVE;
    pc = vm_slow[pc->op](vm, reg, pc);
    if (UNLIKELY(!pc))
        return VM_TRAP;
    if (UNLIKELY(vm->heap.stats.forced != vm->forced))
        vm_charge_forced(vm);
    budget = vm->budget;
    DISPATCH;

L_FORMAP: L_SEND: L_TRYSEND: L_RECV: L_SELECT: L_SLEEP: L_LEASE: L_RELEASE: L_COMMAND: L_COMMANDH:
    SAVE;
    e = vm_control[pc->op](vm, reg, pc);
    if (e != VM_GO)
        return e;
    RELOAD;
    DISPATCH;
L_ARG: L_PART: L_ARM: L_TO: /* never reached: they are stepped over */
    /* clang-format on */
too_large:
    SAVE;
    (void)vm_trap(vm, "a whole number became too large");
    return VM_TRAP;
by_zero:
    SAVE;
    (void)vm_trap(vm, "division by zero");
    return VM_TRAP;
none:
    SAVE;
    (void)vm_trap_none(vm);
    return VM_TRAP;
too_deep:
    SAVE;
    (void)vm_trap(vm, "functions call each other too deeply");
    return VM_TRAP;
used_up:
    pc++;
used_up_here:
    SAVE;
    return VM_BUDGET;
}
