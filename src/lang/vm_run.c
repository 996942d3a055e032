/* The interpreter. Its one long function is a table of instructions, one line or two for each; what
 * takes more stands above it. The verifier has seen the code: registers, constants and calls are in
 * bounds and of the right types. */
#include "lang/vm_internal.h"

#include "base/clock.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

struct run {
    struct lang_vm *vm;
    struct lang_result *out;
    const struct lang_code *code;
    uint32_t depth;
    struct vm_frame frame;
    uint64_t budget;
};

static bool trap(struct run *r, const char *why)
{
    uint32_t pc = r->frame.pc > 0 ? r->frame.pc - 1 : 0;
    r->out->line = r->frame.chunk->lines[pc];
    (void)snprintf(r->out->why, sizeof(r->out->why), "%s", why);
    return false;
}

static struct str text_of(union lang_slot s)
{
    return s.s && s.s->p ? *s.s : STR("");
}

/* ---- calls ------------------------------------------------------------------------------- */

static bool enter_chunk(struct run *r, const struct lang_chunk *chunk, uint32_t base)
{
    if (r->depth > r->vm->limits.depth_max || base + chunk->regs_n > r->vm->regs_n)
        return trap(r, "functions call each other too deeply");
    memset(&r->vm->regs[base + chunk->params_n], 0,
           (chunk->regs_n - chunk->params_n) * sizeof(union lang_slot));
    r->frame = (struct vm_frame){.chunk = chunk, .base = base};
    return true;
}

static bool call(struct run *r, const struct instr *i)
{
    const struct lang_chunk *chunk = &r->code->chunks[i->d];
    union lang_slot *regs = &r->vm->regs[r->frame.base];
    uint32_t base = r->frame.base + r->frame.chunk->regs_n;
    if (base + chunk->params_n > r->vm->regs_n)
        return trap(r, "functions call each other too deeply");
    for (uint32_t n = 0; n < i->b; n++)
        r->vm->regs[base + n] = regs[i[1 + n].a];
    r->frame.result = i->a;
    r->frame.pc += i->b;
    r->vm->frames[r->depth++] = r->frame;
    struct vm_frame caller = r->frame;
    if (enter_chunk(r, chunk, base))
        return true;
    r->frame = caller;
    return false;
}

static bool command(struct run *r, const struct instr *i)
{
    union lang_slot args[CODE_ARGS_MAX];
    const union lang_slot *regs = &r->vm->regs[r->frame.base];
    const struct lang_binding *b = &r->vm->program->bindings[i->d & 0xFFFF];
    const struct lang_member *m =
        lang_decl_member_at(b->resource->type, LANG_CLAUSE_COMMAND, (uint32_t)i->d >> 16);
    static const struct str nothing = {"", 0};
    for (uint32_t n = 0; n < i->b; n++) {
        args[n] = regs[i[1 + n].a];
        if (m->params[n].type.kind == LANG_TYPE_STR && !args[n].s)
            args[n].s = &nothing;
        if (m->params[n].type.kind == LANG_TYPE_FLOAT && !isfinite(args[n].f))
            return trap(r, "an argument of a command is not a finite number");
    }
    r->frame.pc += i->b;
    enum err e = r->vm->host->command(r->vm->host, (uint32_t)(i->d & 0xFFFF), (uint32_t)i->d >> 16,
                                      args, i->b);
    if (e == ERR_OK)
        return true;
    char why[160];
    (void)snprintf(why, sizeof(why), "the command %.*s.%.*s was refused: %s", STR_FMT(b->name),
                   STR_FMT(m->name), err_name(e));
    return trap(r, why);
}

/* ---- readings ---------------------------------------------------------------------------- */

static union lang_slot reading(struct run *r, const struct instr *i, bool *present)
{
    struct lang_sample s = {0};
    r->vm->host->read(r->vm->host, (uint32_t)i->d, &s);
    *present = s.has_value && !(i->c && s.stale);
    if (i->op == CODE_READF && isnan(s.value.f))
        *present = false;
    if (i->op == CODE_READB)
        s.value.i = s.value.i != 0;
    return s.value;
}

static bool is_stale(struct run *r, uint32_t binding)
{
    struct lang_sample s = {0};
    r->vm->host->read(r->vm->host, binding, &s);
    return s.stale;
}

/* ---- numbers ----------------------------------------------------------------------------- */

static bool integer(struct run *r, enum code_op op, int64_t a, int64_t b, int64_t *out)
{
    bool over = false;
    if ((op == CODE_DIVI || op == CODE_MODI) && b == 0)
        return trap(r, "division by zero");
    switch (op) {
    case CODE_ADDI: over = __builtin_add_overflow(a, b, out); break;
    case CODE_SUBI: over = __builtin_sub_overflow(a, b, out); break;
    case CODE_MULI: over = __builtin_mul_overflow(a, b, out); break;
    case CODE_DIVI:
        over = a == INT64_MIN && b == -1;
        *out = over ? 0 : a / b;
        break;
    default: *out = b == -1 ? 0 : a % b; break;
    }
    return !over || trap(r, "a whole number became too large");
}

static bool round_to_int(struct run *r, double v, int64_t *out)
{
    if (!(fabs(v) < 9e18))
        return trap(r, "this can't be rounded to a whole number");
    *out = (int64_t)llround(v);
    return true;
}

/* Comparisons with NaN are unknown in conditions (d is 1) and false elsewhere. */
static int64_t compare(const struct instr *i, double a, double b)
{
    if (isnan(a) || isnan(b))
        return i->d ? CODE_UNKNOWN : 0;
    return i->op == CODE_EQF ? a == b : i->op == CODE_LTF ? a < b : a <= b;
}

static double pick(bool least, double a, double b)
{
    if (isnan(a) || isnan(b))
        return NAN;
    return (a < b) == least ? a : b;
}

static double round_in(const struct lang_unit *u, double base)
{
    return lang_unit_to_base(u, round(lang_unit_from_base(u, base)));
}

/* ---- texts ------------------------------------------------------------------------------- */

static bool keep(struct run *r, const struct str *made, union lang_slot *out)
{
    out->s = made;
    return made || trap(r, "the texts of one turn take too much memory");
}

static bool text_float(struct run *r, const struct instr *i, double v, union lang_slot *out)
{
    const struct lang_unit *u = &r->code->units[i->d];
    struct strbuf b;
    strbuf_init(&b, r->vm->alloc, 4096);
    lang_unit_print(&b, u, v);
    bool fine = !b.failed && keep(r, vm_text(r->vm, b.p, b.n), out);
    if (b.failed)
        (void)trap(r, "no memory for a text");
    strbuf_fini(&b);
    return fine;
}

static bool text_int(struct run *r, int64_t v, union lang_slot *out)
{
    char buf[32];
    int n = snprintf(buf, sizeof(buf), "%" PRId64, v);
    return keep(r, vm_text(r->vm, buf, (size_t)n), out);
}

static bool text_time(struct run *r, int64_t ms, union lang_slot *out)
{
    char buf[25];
    time_format(ms, buf);
    return keep(r, vm_text(r->vm, buf, strlen(buf)), out);
}

static bool text_bool(struct run *r, int64_t v, union lang_slot *out)
{
    return keep(r, v ? vm_text(r->vm, "true", 4) : vm_text(r->vm, "false", 5), out);
}

static int64_t kleene_and(int64_t a, int64_t b)
{
    if (a == 0 || b == 0)
        return 0;
    return a == CODE_UNKNOWN || b == CODE_UNKNOWN ? CODE_UNKNOWN : 1;
}

static int64_t kleene_or(int64_t a, int64_t b)
{
    if (a == 1 || b == 1)
        return 1;
    return a == CODE_UNKNOWN || b == CODE_UNKNOWN ? CODE_UNKNOWN : 0;
}

static int64_t kleene_not(int64_t a)
{
    return a == CODE_UNKNOWN ? a : !a;
}

/* False at the end of the outermost chunk. */
static bool leave_chunk(struct run *r, const union lang_slot *value)
{
    if (r->depth == 0) {
        r->out->truth = value && r->frame.chunk->result == LANG_TYPE_BOOL && value->i == 1;
        r->out->unknown =
            value && r->frame.chunk->result == LANG_TYPE_BOOL && value->i == CODE_UNKNOWN;
        return false;
    }
    union lang_slot v = value ? *value : (union lang_slot){0};
    r->frame = r->vm->frames[--r->depth];
    if (value)
        r->vm->regs[r->frame.base + r->frame.result] = v;
    return true;
}

/* ---- the loop ---------------------------------------------------------------------------- */

static enum lang_outcome loop(struct run *r)
{
    static const void *const labels[CODE_OPS_N] = {
#define X(name, sig) &&L_##name,
        CODE_OPS(X)
#undef X
    };
    const struct lang_code *code = r->code;
    struct lang_host *host = r->vm->host;
    const struct instr *i;
    union lang_slot *reg;
    bool present;

#define A reg[i->a]
#define B reg[i->b]
#define C reg[i->c]
#define NEXT                                                                                       \
    do {                                                                                           \
        if (r->budget == 0)                                                                        \
            return LANG_OUT_OF_BUDGET;                                                             \
        r->budget--;                                                                               \
        i = &r->frame.chunk->code[r->frame.pc++];                                                  \
        goto *labels[i->op];                                                                       \
    } while (0)
#define TRY(x)                                                                                     \
    do {                                                                                           \
        if (!(x))                                                                                  \
            return LANG_TRAP;                                                                      \
        NEXT;                                                                                      \
    } while (0)
/* The frame changed. */
#define RELOAD reg = &r->vm->regs[r->frame.base]
#define JUMP_IF(x)                                                                                 \
    do {                                                                                           \
        if (x)                                                                                     \
            r->frame.pc = (uint32_t)i->d;                                                          \
        NEXT;                                                                                      \
    } while (0)
#define DO(x)                                                                                      \
    do {                                                                                           \
        x;                                                                                         \
        NEXT;                                                                                      \
    } while (0)

    RELOAD;
    NEXT;

    /* clang-format off */
L_LOADB: DO(A.i = i->d);
L_LOADI: DO(A.i = code->ints[i->d]);
L_LOADF: DO(A.f = code->floats[i->d]);
L_LOADS: DO(A.s = &code->texts[i->d]);
L_MOV:   DO(A = B);
L_ADDI: L_SUBI: L_MULI: L_DIVI: L_MODI:
    TRY(integer(r, (enum code_op)i->op, B.i, C.i, &A.i));
L_NEGI:  TRY(integer(r, CODE_SUBI, 0, B.i, &A.i));
L_ABSI:  TRY(B.i >= 0 ? (A.i = B.i, true) : integer(r, CODE_SUBI, 0, B.i, &A.i));
L_MINI:  DO(A.i = B.i < C.i ? B.i : C.i);
L_MAXI:  DO(A.i = B.i > C.i ? B.i : C.i);
L_ADDF:  DO(A.f = B.f + C.f);
L_SUBF:  DO(A.f = B.f - C.f);
L_MULF:  DO(A.f = B.f * C.f);
L_DIVF:  DO(A.f = B.f / C.f);
L_MODF:  DO(A.f = fmod(B.f, C.f));
L_NEGF:  DO(A.f = -B.f);
L_ABSF:  DO(A.f = fabs(B.f));
L_MINF:  DO(A.f = pick(true, B.f, C.f));
L_MAXF:  DO(A.f = pick(false, B.f, C.f));
L_ROUNDF: DO(A.f = round_in(&code->units[i->d], B.f));
L_ROUNDI: TRY(round_to_int(r, B.f, &A.i));
L_ITOF:  DO(A.f = (double)B.i);
L_TOBASE: DO(A.f = lang_unit_to_base(&code->units[i->d], B.f));
L_FROMBASE: DO(A.f = lang_unit_from_base(&code->units[i->d], B.f));
L_EQB:   DO(A.i = B.i == CODE_UNKNOWN || C.i == CODE_UNKNOWN ? CODE_UNKNOWN : B.i == C.i);
L_EQI:   DO(A.i = B.i == C.i);
L_LTI:   DO(A.i = B.i < C.i);
L_LEI:   DO(A.i = B.i <= C.i);
L_EQF: L_LTF: L_LEF: DO(A.i = compare(i, B.f, C.f));
L_EQS:   DO(A.i = str_eq(text_of(B), text_of(C)));
L_NOT:   DO(A.i = kleene_not(B.i));
L_AND:   DO(A.i = kleene_and(B.i, C.i));
L_OR:    DO(A.i = kleene_or(B.i, C.i));
L_JMP:   JUMP_IF(true);
L_JT:    JUMP_IF(A.i == 1);
L_JF:    JUMP_IF(A.i == 0);
L_JNT:   JUMP_IF(A.i != 1);
L_JU:    JUMP_IF(A.i == CODE_UNKNOWN);
L_READB: L_READI: L_READF: L_READS:
    A = reading(r, i, &present); B.i = present; NEXT;
L_NOW:   DO(A.i = host->now_ms(host));
L_STALE: DO(A.i = is_stale(r, (uint32_t)i->d));
L_SLOPE:
    A.f = 0; B.i = host->slope(host, (uint32_t)i->d, &A.f) && isfinite(A.f);
    if (i->c && is_stale(r, r->vm->program->windows[i->d].binding))
        B.i = 0;
    NEXT;
L_GETB: L_GETI: L_GETF: DO(A = r->vm->vars[i->d]);
L_GETS: TRY(keep(r, vm_text(r->vm, text_of(r->vm->vars[i->d]).p, text_of(r->vm->vars[i->d]).n), &A));
L_SETB: L_SETI: L_SETF: L_SETS: DO(vm_var_write(r->vm, (uint32_t)i->d, A));
L_TEXTB: TRY(text_bool(r, B.i, &A));
L_TEXTI: TRY(text_int(r, B.i, &A));
L_TEXTT: TRY(text_time(r, B.i, &A));
L_TEXTF: TRY(text_float(r, i, B.f, &A));
L_CAT:   TRY(keep(r, vm_cat(r->vm, text_of(B), text_of(C)), &A));
L_CALL: L_CALLV:
    if (!call(r, i))
        return LANG_TRAP;
    RELOAD; NEXT;
L_COMMAND: TRY(command(r, i));
L_ARG:   NEXT; /* never reached: calls step over their arguments */
L_STATE: DO(host->statement(host, (uint32_t)i->d, i->b, text_of(A)));
L_RET:
    if (!leave_chunk(r, &A))
        return LANG_DONE;
    RELOAD; NEXT;
L_RETV:
    if (!leave_chunk(r, NULL))
        return LANG_DONE;
    RELOAD; NEXT;
L_TRAP: {
    char why[160];
    (void)snprintf(why, sizeof(why), "%.*s", STR_FMT(code->texts[i->d]));
    (void)trap(r, why);
    return LANG_TRAP;
}
/* clang-format on */
#undef A
#undef B
#undef C
#undef NEXT
#undef TRY
#undef RELOAD
#undef JUMP_IF
#undef DO
}

enum lang_outcome vm_run(struct lang_vm *vm, uint32_t chunk, struct lang_result *out)
{
    struct run r = {
        .vm = vm, .out = out, .code = vm->program->code, .budget = vm->limits.instructions_max};
    const struct lang_chunk *c = &r.code->chunks[chunk];
    ASSERT(c->params_n == 0 && c->regs_n <= vm->regs_n);
    if (!enter_chunk(&r, c, 0))
        return LANG_TRAP;
    enum lang_outcome o = loop(&r);
    out->instructions = vm->limits.instructions_max - r.budget;
    if (o == LANG_OUT_OF_BUDGET) {
        (void)trap(&r, "");
        (void)snprintf(out->why, sizeof(out->why), "more than %" PRIu64 " instructions in one turn",
                       vm->limits.instructions_max);
    }
    return o;
}
