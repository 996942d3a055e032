/* The machine's life, its variables and the memory of a turn. */
#include "lang/vm_internal.h"

#include <string.h>

struct lang_limits lang_limits_default(void)
{
    return (struct lang_limits){.instructions_max = 100000,
                                .depth_max = 64,
                                .text_max = 65536,
                                .heap_max = 4u << 20,
                                .tasks_max = 256};
}

static struct str text_of(union lang_slot v)
{
    return v.s && v.s->p ? *v.s : STR("");
}

/* Cut to the bound, at a character, with "…" at the end. */
static struct str text_keep(char buf[LANG_VAR_TEXT_MAX], struct str s)
{
    size_t n = s.n;
    if (n > LANG_VAR_TEXT_MAX) {
        n = LANG_VAR_TEXT_MAX - 3;
        while (n > 0 && ((unsigned char)s.p[n] & 0xC0) == 0x80)
            n--;
    }
    memmove(buf, s.p, n);
    if (n < s.n) {
        memcpy(buf + n, "\xE2\x80\xA6", 3);
        n += 3;
    }
    return (struct str){buf, n};
}

static void var_put(struct lang_vm *vm, uint32_t var, union lang_slot value)
{
    if (vm->program->vars[var].type.kind != LANG_TYPE_STR) {
        vm->vars[var] = value;
        return;
    }
    struct vm_text *t = &vm->texts[var];
    t->now = text_keep(t->now_buf, text_of(value));
    vm->vars[var].s = &t->now;
}

static bool alloc_all(struct lang_vm *vm)
{
    size_t n = vm->program->vars_n;
    vm->regs_n = (size_t)vm->limits.depth_max * 32 + CODE_REGS_MAX;
    vm->regs = mem_array(vm->alloc, vm->regs_n, sizeof(*vm->regs));
    vm->frames = mem_array(vm->alloc, vm->limits.depth_max + 1, sizeof(*vm->frames));
    vm->text = mem_new(vm->alloc, vm->limits.text_max);
    if (!vm->regs || !vm->frames || !vm->text)
        return false;
    if (n == 0)
        return true;
    vm->vars = mem_array(vm->alloc, n, sizeof(*vm->vars));
    vm->vars_before = mem_array(vm->alloc, n, sizeof(*vm->vars_before));
    vm->texts = mem_array(vm->alloc, n, sizeof(*vm->texts));
    vm->changed = mem_array(vm->alloc, n, sizeof(*vm->changed));
    vm->changed_before = mem_array(vm->alloc, n, sizeof(*vm->changed_before));
    return vm->vars && vm->vars_before && vm->texts && vm->changed && vm->changed_before;
}

struct lang_vm *lang_vm_new(struct alloc *a, const struct lang_program *program,
                            struct lang_host *host, struct lang_limits limits)
{
    ASSERT(limits.depth_max > 0 && limits.depth_max <= 10000 && limits.text_max >= 1024);
    struct lang_vm *vm = mem_zero(a, sizeof(*vm));
    if (!vm)
        return NULL;
    vm->alloc = a;
    vm->program = program;
    vm->host = host;
    vm->limits = limits;
    if (!alloc_all(vm)) {
        lang_vm_free(vm);
        return NULL;
    }
    for (uint32_t i = 0; i < program->vars_n; i++) {
        union lang_slot v = program->vars[i].initial;
        if (program->vars[i].type.kind == LANG_TYPE_STR)
            v.s = &program->vars[i].initial_text;
        var_put(vm, i, v);
    }
    return vm;
}

void lang_vm_free(struct lang_vm *vm)
{
    if (!vm)
        return;
    struct alloc *a = vm->alloc;
    size_t n = vm->program->vars_n;
    mem_free(a, vm->vars, n * sizeof(*vm->vars));
    mem_free(a, vm->vars_before, n * sizeof(*vm->vars_before));
    mem_free(a, vm->texts, n * sizeof(*vm->texts));
    mem_free(a, vm->changed, n * sizeof(*vm->changed));
    mem_free(a, vm->changed_before, n * sizeof(*vm->changed_before));
    mem_free(a, vm->regs, vm->regs_n * sizeof(*vm->regs));
    mem_free(a, vm->frames, (vm->limits.depth_max + 1) * sizeof(*vm->frames));
    mem_free(a, vm->text, vm->limits.text_max);
    mem_free(a, vm, sizeof(*vm));
}

/* All that lives from turn to turn is a copy, so there is nothing more to move. */
void lang_vm_adopt(struct lang_vm *vm, const struct lang_program *same)
{
    ASSERT(same->code_hash == vm->program->code_hash && same->vars_n == vm->program->vars_n);
    vm->program = same;
}

/* ---- the memory of a turn ---------------------------------------------------------------- */

static char *text_space(struct lang_vm *vm, size_t n, struct str **head)
{
    size_t at = (vm->text_n + 15) & ~(size_t)15;
    if (n > vm->limits.text_max || at + sizeof(struct str) + n > vm->limits.text_max)
        return NULL;
    *head = (struct str *)(void *)(vm->text + at);
    char *p = vm->text + at + sizeof(struct str);
    **head = (struct str){p, n};
    vm->text_n = at + sizeof(struct str) + n;
    return p;
}

const struct str *vm_text(struct lang_vm *vm, const char *p, size_t n)
{
    struct str *head;
    char *to = text_space(vm, n, &head);
    if (!to)
        return NULL;
    memcpy(to, p, n);
    return head;
}

const struct str *vm_cat(struct lang_vm *vm, struct str a, struct str b)
{
    struct str *head;
    char *to = text_space(vm, a.n + b.n, &head);
    if (!to)
        return NULL;
    memcpy(to, a.p, a.n);
    memcpy(to + a.n, b.p, b.n);
    return head;
}

/* ---- variables --------------------------------------------------------------------------- */

/* The first write of a turn keeps what was, so that a trap can undo it. */
static void keep_before(struct lang_vm *vm)
{
    size_t n = vm->program->vars_n;
    memcpy(vm->vars_before, vm->vars, n * sizeof(*vm->vars));
    memcpy(vm->changed_before, vm->changed, n * sizeof(*vm->changed));
    for (size_t i = 0; i < n; i++)
        if (vm->program->vars[i].type.kind == LANG_TYPE_STR)
            vm->texts[i].before = text_keep(vm->texts[i].before_buf, vm->texts[i].now);
    vm->dirty = true;
}

static void undo(struct lang_vm *vm)
{
    size_t n = vm->program->vars_n;
    memcpy(vm->vars, vm->vars_before, n * sizeof(*vm->vars));
    memcpy(vm->changed, vm->changed_before, n * sizeof(*vm->changed));
    for (size_t i = 0; i < n; i++)
        if (vm->program->vars[i].type.kind == LANG_TYPE_STR) {
            vm->texts[i].now = text_keep(vm->texts[i].now_buf, vm->texts[i].before);
            vm->vars[i].s = &vm->texts[i].now;
        }
}

static bool same(const struct lang_vm *vm, uint32_t var, union lang_slot v)
{
    if (vm->program->vars[var].type.kind == LANG_TYPE_STR)
        return str_eq(vm->texts[var].now, text_of(v));
    return vm->vars[var].i == v.i; /* the bits, whatever the type */
}

void vm_var_write(struct lang_vm *vm, uint32_t var, union lang_slot value)
{
    if (same(vm, var, value))
        return;
    if (!vm->dirty)
        keep_before(vm);
    var_put(vm, var, value);
    vm->changed[var] = true;
}

union lang_slot lang_vm_var(const struct lang_vm *vm, uint32_t var)
{
    ASSERT(var < vm->program->vars_n);
    return vm->vars[var];
}

void lang_vm_var_set(struct lang_vm *vm, uint32_t var, union lang_slot value)
{
    ASSERT(var < vm->program->vars_n);
    var_put(vm, var, value);
}

bool lang_vm_var_changed(struct lang_vm *vm, uint32_t var)
{
    ASSERT(var < vm->program->vars_n);
    bool was = vm->changed[var];
    vm->changed[var] = false;
    return was;
}

/* ---- turns ------------------------------------------------------------------------------- */

enum lang_outcome lang_vm_call(struct lang_vm *vm, uint32_t chunk, struct lang_result *out)
{
    ASSERT(chunk < vm->program->code->chunks_n);
    *out = (struct lang_result){0};
    vm->dirty = false;
    vm->text_n = 0;
    out->outcome = vm_run(vm, chunk, out);
    if (out->outcome != LANG_DONE && vm->dirty)
        undo(vm);
    vm->stats.turns++;
    vm->stats.instructions += out->instructions;
    vm->stats.traps += out->outcome == LANG_TRAP;
    vm->stats.overruns += out->outcome == LANG_OUT_OF_BUDGET;
    if (out->instructions > vm->stats.turn_instructions_peak)
        vm->stats.turn_instructions_peak = out->instructions;
    return out->outcome;
}

struct lang_vm_stats lang_vm_stats(const struct lang_vm *vm)
{
    return vm->stats;
}
