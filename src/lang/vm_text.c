/* Instructions over texts. Positions and lengths count characters (code points); a text is UTF-8 by
 * nature, but nothing here depends on it. Upper and lower case are ASCII's. */
#include "lang/vm_op_internal.h"

#include "base/clock.h"
#include "base/utf8.h"

#include <math.h>
#include <string.h>

#define A reg[i->a]
#define B reg[i->b]
#define C reg[i->c]

struct str vm_str(union lang_slot s)
{
    return s.o ? text_str((const struct text *)(void *)s.o) : STR("");
}

/* What a turn makes is limited, so that a few instructions can't copy a long text for ever. */
static bool text_allowed(struct lang_vm *vm, size_t n)
{
    if (n > vm->limits.text_max - vm->text_made) {
        (void)vm_trap(vm, "the texts of one turn take too much memory");
        return false;
    }
    vm->text_made += n;
    vm_charge(vm, n);
    return true;
}

struct text *vm_text_new(struct lang_vm *vm, struct str s)
{
    if (!text_allowed(vm, s.n))
        return NULL;
    struct text *t = text_new(&vm->heap, s);
    if (!t)
        (void)vm_trap_nomem(vm);
    return t;
}

static const struct instr *put_text(struct lang_vm *vm, union lang_slot *to, struct str s,
                                    const struct instr *next)
{
    struct text *t = vm_text_new(vm, s);
    if (!t)
        return NULL;
    to->o = &t->hdr;
    return next;
}

/* ---- building ---------------------------------------------------------------------------- */

static void add_time(struct strbuf *out, int64_t ms)
{
    char buf[25];
    time_format(ms, buf);
    strbuf_adds(out, buf);
}

static void add_part(struct lang_vm *vm, struct strbuf *out, union lang_slot v,
                     const struct instr *part)
{
    switch ((enum code_print)part->b) {
    case CODE_PRINT_TEXT: strbuf_addstr(out, vm->code->texts[part->d]); return;
    case CODE_PRINT_FLOAT: lang_unit_print(out, &vm->code->units[part->d], v.f); return;
    case CODE_PRINT_TIME:
        if (v.i == INT64_MIN)
            strbuf_adds(out, "no value");
        else
            add_time(out, v.i);
        return;
    default: vm_print(vm, out, vm->fp->chunk->reg_types[part->a], v); return;
    }
}

const struct instr *op_concat(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    struct strbuf *out = &vm->worker->text;
    strbuf_reset(out);
    for (unsigned n = 1; n <= i->b; n++) {
        const struct instr *part = &i[n];
        union lang_slot v = part->b == CODE_PRINT_TEXT ? (union lang_slot){0} : reg[part->a];
        add_part(vm, out, v, part);
    }
    if (out->failed)
        return vm_trap(vm, "the texts of one turn take too much memory");
    return put_text(vm, &A, strbuf_str(out), i + 1 + i->b);
}

/* ---- looking ----------------------------------------------------------------------------- */

static bool begins_character(char c)
{
    return ((unsigned char)c & 0xC0) != 0x80;
}

static int64_t characters(struct str s)
{
    int64_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += begins_character(s.p[i]);
    return n;
}

const struct instr *op_slen(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    struct str s = vm_str(B);
    vm_charge(vm, s.n);
    A.i = characters(s);
    return i + 1;
}

static bool contains(struct str s, struct str part)
{
    return part.n == 0 || (part.n <= s.n && memmem(s.p, s.n, part.p, part.n) != NULL);
}

static bool ends_with(struct str s, struct str end)
{
    return end.n <= s.n && memcmp(s.p + s.n - end.n, end.p, end.n) == 0;
}

static bool starts_with(struct str s, struct str start)
{
    return start.n <= s.n && memcmp(s.p, start.p, start.n) == 0;
}

const struct instr *op_stest(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    struct str s = vm_str(B), t = vm_str(C);
    vm_charge(vm, s.n);
    A.i = i->d == CODE_CONTAINS ? contains(s, t)
          : i->d == CODE_STARTS ? starts_with(s, t)
                                : ends_with(s, t);
    return i + 1;
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct str trimmed(struct str s)
{
    while (s.n > 0 && is_blank(s.p[0]))
        s = (struct str){s.p + 1, s.n - 1};
    while (s.n > 0 && is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

const struct instr *op_stoi(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    int64_t v;
    struct str s = trimmed(vm_str(B));
    A.i = str_to_i64(s, &v) == ERR_OK ? v : INT64_MIN;
    vm_charge(vm, s.n);
    return i + 1;
}

const struct instr *op_stof(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    double v;
    struct str s = trimmed(vm_str(B));
    A.f = str_to_double(s, &v) == ERR_OK ? v : NAN;
    vm_charge(vm, s.n);
    return i + 1;
}

/* ---- making ------------------------------------------------------------------------------ */

static char in_case(char c, bool upper)
{
    char from = upper ? 'a' : 'A', to = upper ? 'A' : 'a';
    return c >= from && c <= from + 25 ? (char)(c - from + to) : c;
}

const struct instr *op_smake(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    struct str s = vm_str(B);
    vm_charge(vm, s.n);
    if (i->d == CODE_TRIM)
        return put_text(vm, &A, trimmed(s), i + 1);
    if (!text_allowed(vm, s.n))
        return NULL;
    struct text *t = text_blank(&vm->heap, s.n);
    if (!t)
        return vm_trap_nomem(vm);
    s = vm_str(B);
    for (size_t n = 0; n < s.n; n++)
        t->bytes[n] = in_case(s.p[n], i->d == CODE_UPPER);
    A.o = &t->hdr;
    return i + 1;
}

/* The byte at which character n begins; the length if there are fewer. */
static size_t byte_of(struct str s, int64_t n)
{
    size_t at = 0;
    for (; at < s.n; at++) {
        if (!begins_character(s.p[at]))
            continue;
        if (n <= 0)
            break;
        n--;
    }
    return at;
}

const struct instr *op_slice(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    struct str s = vm_str(B);
    vm_charge(vm, s.n);
    size_t from = byte_of(s, C.i), to = byte_of(s, reg[i->d].i);
    if (to < from)
        to = from;
    return put_text(vm, &A, (struct str){s.p + from, to - from}, i + 1);
}

enum { PART_COST = 256 }; /* of a part, as if it were so many bytes: even an empty one is made */

/* Where the next part ends: at the separator, or after one character if that is empty. */
static size_t part_end(struct str s, struct str by)
{
    if (by.n == 0)
        return byte_of(s, 1);
    const char *at = by.n <= s.n ? memmem(s.p, s.n, by.p, by.n) : NULL;
    return at ? (size_t)(at - s.p) : s.n;
}

static bool add_text(struct lang_vm *vm, struct lang_list *l, struct str s)
{
    vm_charge(vm, PART_COST);
    struct text *t = vm_text_new(vm, s);
    if (!t)
        return false;
    if (list_push(&vm->heap, l, (union lang_slot){.o = &t->hdr}))
        return true;
    (void)vm_trap_nomem(vm);
    return false;
}

static bool split(struct lang_vm *vm, struct lang_list *l, struct str s, struct str by)
{
    for (;;) {
        size_t end = part_end(s, by);
        if (!add_text(vm, l, (struct str){s.p, end}))
            return false;
        if (end == s.n)
            return true;
        s = (struct str){s.p + end + by.n, s.n - end - by.n};
    }
}

const struct instr *op_split(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    struct lang_list *l = list_new(&vm->heap, true);
    if (!l)
        return vm_trap_nomem(vm);
    heap_push_root(&vm->heap, &l->hdr);
    /* Texts do not move, and both are in registers. */
    bool fine = split(vm, l, vm_str(B), vm_str(C));
    heap_pop_root(&vm->heap, 1);
    if (!fine)
        return NULL;
    A.o = &l->hdr;
    return i + 1;
}
