/* The machine's life, its variables, and turns that are calls. */
#include "lang/vm_internal.h"

#include "base/map.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct lang_limits lang_limits_default(void)
{
    return (struct lang_limits){.instructions_max = 100000,
                                .depth_max = 64,
                                .text_max = 65536,
                                .heap_max = 4u << 20,
                                .tasks_max = 256};
}

/* ---- workers ----------------------------------------------------------------------------- */

#define WORKER_BLOCKS_MAX (4u << 20) /* bytes of empty blocks that it keeps for its heaps */
#define WORKER_TEXT_MAX   (1u << 20) /* a text in the making */

struct lang_worker *lang_worker_new(struct alloc *a, uint32_t depth_max)
{
    ASSERT(depth_max > 0 && depth_max <= 10000);
    struct lang_worker *w = mem_zero(a, sizeof(*w));
    if (!w)
        return NULL;
    w->alloc = a;
    w->depth_max = depth_max;
    /* A frame begins at most CODE_REGS_MAX registers behind the one before; the last one's window
     * and the outermost result need room, too. */
    w->slots_n = (size_t)depth_max * CODE_REGS_MAX + CODE_ARGS_MAX + 2;
    w->slots = mem_zero(a, w->slots_n * sizeof(*w->slots)); /* for what is saved of them */
    w->frames = mem_array(a, depth_max + 1, sizeof(*w->frames));
    strbuf_init(&w->text, a, WORKER_TEXT_MAX);
    heap_blocks_init(&w->blocks, a, WORKER_BLOCKS_MAX);
    if (!w->slots || !w->frames) {
        lang_worker_free(w);
        return NULL;
    }
    vm_worker_frame(w);
    return w;
}

void lang_worker_free(struct lang_worker *w)
{
    if (!w)
        return;
    struct alloc *a = w->alloc;
    heap_blocks_fini(&w->blocks);
    strbuf_fini(&w->text);
    mem_free(a, w->slots, w->slots_n * sizeof(*w->slots));
    mem_free(a, w->frames, (w->depth_max + 1) * sizeof(*w->frames));
    mem_free(a, w->undo, w->undo_cap * sizeof(*w->undo));
    mem_free(a, w->undo_rows, w->undo_cap * sizeof(*w->undo_rows));
    mem_free(a, w, sizeof(*w));
}

void lang_vm_attach(struct lang_vm *vm, struct lang_worker *w)
{
    ASSERT(!vm->fp && w->depth_max >= vm->limits.depth_max);
    struct lang_worker *before = vm->worker;
    if (w == before)
        return;
    heap_attach(&vm->heap, &w->blocks);
    vm->worker = w;
    if (vm->own_worker)
        lang_worker_free(before);
    vm->own_worker = false;
}

bool vm_worker(struct lang_vm *vm)
{
    if (vm->worker)
        return true;
    struct lang_worker *w = lang_worker_new(vm->alloc, vm->limits.depth_max);
    if (!w)
        return false;
    lang_vm_attach(vm, w);
    vm->own_worker = true;
    return true;
}

/* ---- life -------------------------------------------------------------------------------- */

static bool vars_new(struct lang_vm *vm)
{
    const struct lang_program *p = vm->program;
    if (p->vars_n == 0)
        return true;
    vm->vars = mem_array(vm->alloc, p->vars_n, sizeof(*vm->vars));
    vm->var_epochs = mem_array(vm->alloc, p->vars_n, sizeof(*vm->var_epochs));
    vm->changed = mem_array(vm->alloc, p->vars_n, sizeof(*vm->changed));
    if (!vm->vars || !vm->var_epochs || !vm->changed)
        return false;
    for (size_t i = 0; i < p->vars_n; i++) {
        uint8_t kind = vm_type(vm, vm->code->var_types[i])->kind;
        if (kind == CODE_KIND_STR)
            vm->vars[i].o = (struct obj *)(void *)vm->texts[vm->code->texts_n + i];
        else if (!code_kind_ref(kind))
            vm->vars[i] = p->vars[i].initial;
    }
    return true;
}

/* Constants are immortal objects. They are the machine's own, not the site's, so that it can go on
 * with an equal program of another site (lang_vm_adopt()). */
static bool texts_new(struct lang_vm *vm)
{
    const struct lang_program *p = vm->program;
    size_t n = vm->code->texts_n;
    for (size_t i = 0; i < n + p->vars_n; i++) {
        struct str s = i < n ? vm->code->texts[i] : p->vars[i - n].initial_text;
        vm->texts_bytes += text_constant_bytes(s.n);
    }
    if (n + p->vars_n == 0)
        return true;
    vm->texts = mem_array(vm->alloc, n + p->vars_n, sizeof(*vm->texts));
    vm->texts_block = mem_new(vm->alloc, vm->texts_bytes);
    if (!vm->texts || !vm->texts_block)
        return false;
    char *at = vm->texts_block;
    for (size_t i = 0; i < n + p->vars_n; i++) {
        struct str s = i < n ? vm->code->texts[i] : p->vars[i - n].initial_text;
        bool none = i >= n && p->vars[i - n].type.optional;
        vm->texts[i] = none ? NULL : text_constant(at, s, vm->heap.config.seed);
        at += text_constant_bytes(s.n);
    }
    return true;
}

/* First values that are no constants. It is no turn of the program's: nothing counts as changed. */
static void vars_begin(struct lang_vm *vm)
{
    struct lang_result r;
    if (vm->code->init == LANG_NO_CHUNK)
        return;
    (void)lang_vm_call(vm, vm->code->init, &r);
    vm_drop_newborn(vm); /* not our compiler's */
    memset(vm->changed, 0, vm->program->vars_n * sizeof(*vm->changed));
}

/* Where the system puts things is as good a secret as lang/ can have without I/O. */
static uint64_t seed_of(const struct lang_vm *vm)
{
    uintptr_t at = (uintptr_t)vm;
    return hash_bytes(&at, sizeof(at), UINT64_C(0x9E3779B97F4A7C15));
}

static int64_t heap_clock(void *ctx)
{
    struct lang_vm *vm = ctx;
    return vm->host->cpu_ns(vm->host);
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
    vm->code = program->code;
    vm->host = host;
    vm->limits = limits;
    heap_init(&vm->heap, &(struct heap_config){.limit = limits.heap_max,
                                               .layouts = vm->code->layouts,
                                               .layouts_n = vm->code->layouts_n,
                                               .seed = seed_of(vm),
                                               .clock_ns = host->cpu_ns ? heap_clock : NULL,
                                               .clock_ctx = vm});
    vm_set_roots(vm);
    if (!texts_new(vm) || !vars_new(vm)) {
        lang_vm_free(vm);
        return NULL;
    }
    vars_begin(vm);
    return vm;
}

void lang_vm_free(struct lang_vm *vm)
{
    if (!vm)
        return;
    ASSERT(!vm->fp);
    while (vm->tasks) {
        struct vm_task *t = vm->tasks;
        vm->tasks = t->next;
        vm_task_free(vm, t);
    }
    if (vm->worker)
        heap_fini(&vm->heap);
    if (vm->own_worker)
        lang_worker_free(vm->worker);
    size_t n = vm->program->vars_n;
    mem_free(vm->alloc, vm->texts, (vm->code->texts_n + n) * sizeof(*vm->texts));
    mem_free(vm->alloc, vm->texts_block, vm->texts_bytes);
    mem_free(vm->alloc, vm->vars, n * sizeof(*vm->vars));
    mem_free(vm->alloc, vm->var_epochs, n * sizeof(*vm->var_epochs));
    mem_free(vm->alloc, vm->changed, n * sizeof(*vm->changed));
    mem_free(vm->alloc, vm->notes, vm->notes ? VM_NOTES * sizeof(*vm->notes) : 0);
    mem_free(vm->alloc, vm, sizeof(*vm));
}

void lang_vm_adopt(struct lang_vm *vm, const struct lang_program *same)
{
    ASSERT(!vm->fp && same->code_hash == vm->program->code_hash &&
           same->code->chunks_n == vm->code->chunks_n && same->vars_n == vm->program->vars_n &&
           same->code->texts_n == vm->code->texts_n);
    const struct lang_chunk *from = vm->code->chunks, *to = same->code->chunks;
    for (struct vm_task *t = vm->tasks; t; t = t->next)
        for (size_t n = 0; n < t->leases_n; n++) {
            uint32_t chunk = t->frames[t->leases[n].depth - 1].chunk;
            t->leases[n].at = to[chunk].code + (t->leases[n].at - from[chunk].code);
        }
    vm->program = same;
    vm->code = same->code;
    vm->heap.config.layouts = same->code->layouts;
    vm->heap.config.layouts_n = same->code->layouts_n;
}

/* ---- traps ------------------------------------------------------------------------------- */

const struct instr *vm_trap(struct lang_vm *vm, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(vm->why, sizeof(vm->why), fmt, ap);
    va_end(ap);
    return NULL;
}

const struct instr *vm_trap_nomem(struct lang_vm *vm)
{
    if (vm->worker->undo_n >= VM_UNDO_MAX)
        return vm_trap(vm, "one turn changed too much");
    return vm_trap(vm, "the program's data takes too much memory");
}

const struct instr *vm_trap_none(struct lang_vm *vm)
{
    return vm_trap(vm, "there is no value");
}

static uint32_t line_at(const struct vm_frame *f)
{
    return vm_in_chunk(f->chunk, f->pc) ? f->chunk->lines[f->pc - f->chunk->code] : 0;
}

static inline void fill_value(struct lang_vm *vm, uint16_t type, struct lang_result *out)
{
    union lang_slot v = vm->worker->slots[0];
    if (type == CODE_TYPE_BOOL) {
        out->truth = v.i == 1;
        out->unknown = (uint64_t)v.i > 1;
    }
}

static void fill_failure(struct lang_vm *vm, enum vm_exit e, struct lang_result *out)
{
    switch (e) {
    case VM_ENDED: break; /* done */
    case VM_BUDGET:
        out->outcome = LANG_OUT_OF_BUDGET;
        out->line = line_at(vm->fp);
        (void)snprintf(out->why, sizeof(out->why), "more than %" PRIu64 " instructions in one turn",
                       vm->limits.instructions_max);
        vm->stats.overruns++;
        break;
    case VM_TRAP:
        out->outcome = LANG_TRAP;
        out->line = line_at(vm->fp);
        memcpy(out->why, vm->why, sizeof(out->why));
        vm->stats.traps++;
        break;
    default: out->outcome = LANG_SUSPENDED; break;
    }
}

static inline void fill_result(struct lang_vm *vm, enum vm_exit e, uint16_t type,
                               struct lang_result *out)
{
    out->outcome = LANG_DONE;
    out->truth = out->unknown = false;
    out->line = 0;
    out->why[0] = '\0';
    /* A budget below 0 is what was used beyond it. */
    uint64_t used = vm->limits.instructions_max - (uint64_t)vm->budget;
    out->instructions = used;
    if (__builtin_expect(e == VM_DONE, 1))
        fill_value(vm, type, out);
    else
        fill_failure(vm, e, out);
    struct lang_vm_stats *s = &vm->stats;
    s->turns++;
    s->instructions += used;
    if (used > s->turn_instructions_peak)
        s->turn_instructions_peak = used;
}

void vm_fill_result(struct lang_vm *vm, enum vm_exit e, struct lang_result *out)
{
    fill_result(vm, e, vm->worker->frames[1].chunk->result, out);
}

/* ---- calls ------------------------------------------------------------------------------- */

void vm_note(struct lang_vm *vm, const struct lang_turn *t)
{
    if (!vm->notes)
        vm->notes = mem_array(vm->alloc, VM_NOTES, sizeof(*vm->notes));
    if (!vm->notes) /* a history with a gap */
        return;
    vm->notes[vm->notes_n++ % VM_NOTES] = (struct lang_turn_note){
        .number = vm->turn,
        .at_ms = t->at_ms,
        .task = t->task,
        .rule = t->rule,
        .instructions =
            (uint32_t)(t->result.instructions < UINT32_MAX ? t->result.instructions : UINT32_MAX),
        .outcome = t->result.outcome};
}

size_t lang_vm_notes(const struct lang_vm *vm, struct lang_turn_note *out, size_t max)
{
    size_t n = vm->notes_n < VM_NOTES ? (size_t)vm->notes_n : VM_NOTES;
    n = n < max ? n : max;
    for (size_t i = 0; i < n; i++)
        out[i] = vm->notes[(vm->notes_n - n + i) % VM_NOTES];
    return n;
}

static enum lang_outcome no_memory(struct lang_result *out)
{
    *out = (struct lang_result){.outcome = LANG_TRAP, .why = "out of memory"};
    return LANG_TRAP;
}

enum lang_outcome lang_vm_call(struct lang_vm *vm, uint32_t chunk, struct lang_result *out)
{
    ASSERT(chunk < vm->code->chunks_n && !vm->fp);
    const struct lang_chunk *c = &vm->code->chunks[chunk];
    ASSERT(c->params_n == 0);
    if (!vm->worker && !vm_worker(vm))
        return no_memory(out);
    vm_turn_begin(vm);
    vm_enter(vm, c);
    enum vm_exit e = vm_loop(vm);
    if (e == VM_SUSPEND) { /* waiting instructions look for a task first */
        (void)vm_trap(vm, "only a task can wait");
        e = VM_TRAP;
    }
    fill_result(vm, e, c->result, out);
    if (e == VM_DONE)
        vm_turn_commit(vm);
    else
        vm_turn_failed(vm);
    return out->outcome;
}

/* ---- variables --------------------------------------------------------------------------- */

union lang_slot lang_vm_var(const struct lang_vm *vm, uint32_t var)
{
    ASSERT(var < vm->program->vars_n);
    if (vm->code->var_types[var] != CODE_TYPE_STR)
        return vm->vars[var];
    /* The caller's view of a text; it says nothing about the machine. */
    struct str *s = &((struct lang_vm *)(uintptr_t)vm)->host_text;
    *s = vm_str(vm->vars[var]);
    return (union lang_slot){.s = s};
}

void lang_vm_var_print(struct lang_vm *vm, uint32_t var, struct strbuf *out)
{
    ASSERT(var < vm->program->vars_n);
    const struct lang_type *t = &vm->program->vars[var].type;
    if (t->kind == LANG_TYPE_FLOAT)
        lang_unit_print(out, &t->unit, vm->vars[var].f);
    else
        vm_print(vm, out, vm->code->var_types[var], vm->vars[var]);
}

void lang_vm_var_set(struct lang_vm *vm, uint32_t var, union lang_slot value)
{
    ASSERT(var < vm->program->vars_n && !vm->fp);
    uint16_t type = vm->code->var_types[var];
    if (!code_kind_ref(vm_type(vm, type)->kind)) {
        vm->vars[var] = value;
        return;
    }
    ASSERT(type == CODE_TYPE_STR);
    struct text *t = vm_worker(vm) ? text_new(&vm->heap, value.s ? *value.s : STR("")) : NULL;
    if (t) /* without memory it stays as it is */
        heap_store(&vm->heap, &vm->vars[var], &t->hdr);
}

bool lang_vm_var_changed(struct lang_vm *vm, uint32_t var)
{
    ASSERT(var < vm->program->vars_n);
    bool changed = vm->changed[var];
    vm->changed[var] = false;
    return changed;
}

bool lang_vm_dirty(const struct lang_vm *vm)
{
    return vm->dirty;
}

struct lang_vm_stats lang_vm_stats(const struct lang_vm *vm)
{
    struct lang_vm_stats s = vm->stats;
    const struct heap_stats *h = &vm->heap.stats;
    s.heap_live = h->live;
    s.heap_bytes = h->bytes;
    s.heap_max = vm->limits.heap_max;
    s.gc_cycles = h->cycles;
    s.gc_pause_max_ns = (int64_t)h->pause_max_ns;
    s.gc_total_ns = (int64_t)h->pause_ns;
    s.tasks = vm->tasks_n;
    return s;
}
