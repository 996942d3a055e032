/* Tasks: made, run for a turn, suspended, ended. They take turns in the order in which they became
 * ready. */
#include "lang/vm_op_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- the lists --------------------------------------------------------------------------- */

void vm_task_ready(struct lang_vm *vm, struct vm_task *t)
{
    t->state = VM_READY;
    t->next_ready = NULL;
    if (vm->ready_end)
        vm->ready_end->next_ready = t;
    else
        vm->ready = t;
    vm->ready_end = t;
}

static void ready_remove(struct lang_vm *vm, struct vm_task *t)
{
    struct vm_task **at = &vm->ready, *before = NULL;
    while (*at && *at != t) {
        before = *at;
        at = &(*at)->next_ready;
    }
    if (!*at)
        return;
    *at = t->next_ready;
    if (vm->ready_end == t)
        vm->ready_end = before;
}

static struct vm_task *ready_pop(struct lang_vm *vm)
{
    struct vm_task *t = vm->ready;
    if (t)
        ready_remove(vm, t);
    return t;
}

/* ---- memory: of all saved stacks together no more than the heap may have ------------------ */

static bool stack_room(struct lang_vm *vm, struct vm_task *t, size_t frames, size_t slots)
{
    if (slots > t->slots_cap) {
        size_t more = (slots - t->slots_cap) * sizeof(*t->slots);
        if (vm->tasks_bytes + more > vm->limits.heap_max)
            return false;
        union lang_slot *to = mem_resize(vm->alloc, t->slots, t->slots_cap * sizeof(*t->slots),
                                         slots * sizeof(*t->slots));
        if (!to)
            return false;
        vm->tasks_bytes += more;
        t->slots = to;
        t->slots_cap = slots;
    }
    if (frames > t->frames_cap) {
        struct vm_saved_frame *to = mem_resize(
            vm->alloc, t->frames, t->frames_cap * sizeof(*t->frames), frames * sizeof(*t->frames));
        if (!to)
            return false;
        t->frames = to;
        t->frames_cap = frames;
    }
    return true;
}

void vm_task_free(struct lang_vm *vm, struct vm_task *t)
{
    vm->tasks_bytes -= t->slots_cap * sizeof(*t->slots);
    mem_free(vm->alloc, t->slots, t->slots_cap * sizeof(*t->slots));
    mem_free(vm->alloc, t->frames, t->frames_cap * sizeof(*t->frames));
    mem_free(vm->alloc, t->leases, t->leases_cap * sizeof(*t->leases));
    mem_free(vm->alloc, t, sizeof(*t));
}

static void task_remove(struct lang_vm *vm, struct vm_task *t)
{
    struct vm_task **at = &vm->tasks, *before = NULL;
    while (*at != t) {
        before = *at;
        at = &(*at)->next;
    }
    *at = t->next;
    if (vm->tasks_end == t)
        vm->tasks_end = before;
    vm->tasks_n--;
    ready_remove(vm, t);
    vm_task_free(vm, t);
}

void vm_task_add(struct lang_vm *vm, struct vm_task *t)
{
    if (vm->tasks_end)
        vm->tasks_end->next = t;
    else
        vm->tasks = t;
    vm->tasks_end = t;
    vm->tasks_n++;
    if (vm->tasks_n > vm->stats.tasks_max)
        vm->stats.tasks_max = vm->tasks_n;
}

struct vm_task *vm_task_blank(struct lang_vm *vm, size_t frames, size_t slots)
{
    if (vm->tasks_n >= vm->limits.tasks_max || !vm_worker(vm))
        return NULL;
    struct vm_task *t = mem_zero(vm->alloc, sizeof(*t));
    if (!t)
        return NULL;
    t->rule = t->signal = VM_NOBODY;
    t->born = vm->turn;
    t->cycle = vm->heap.cycle; /* what it gets is marked already, or new */
    if (!stack_room(vm, t, frames, slots)) {
        vm_task_free(vm, t);
        return NULL;
    }
    memset(t->slots, 0, slots * sizeof(*t->slots));
    t->frames_n = frames;
    t->slots_n = slots;
    return t;
}

struct vm_task *vm_task_new(struct lang_vm *vm, uint32_t chunk, uint32_t rule)
{
    struct vm_task *t = vm_task_blank(vm, 1, (size_t)vm->code->chunks[chunk].regs_n + 1);
    if (!t)
        return NULL;
    if (++vm->next_task == 0)
        vm->next_task = 1;
    t->id = vm->next_task;
    t->rule = rule;
    t->frames[0] = (struct vm_saved_frame){.chunk = chunk};
    vm_task_add(vm, t);
    vm_task_ready(vm, t);
    return t;
}

/* ---- stacks ------------------------------------------------------------------------------ */

static void stack_load(struct lang_vm *vm, const struct vm_task *t)
{
    struct lang_worker *w = vm->worker;
    vm_enter(vm, &vm->code->chunks[t->frames[0].chunk]);
    union lang_slot *base = vm->fp->base;
    memcpy(base, t->slots, t->slots_n * sizeof(*base));
    for (size_t n = 0; n < t->frames_n; n++) {
        const struct lang_chunk *c = &vm->code->chunks[t->frames[n].chunk];
        w->frames[1 + n] = (struct vm_frame){
            .pc = c->code + t->frames[n].pc, .base = base + t->frames[n].base, .chunk = c};
    }
    vm->fp = &w->frames[t->frames_n];
    vm->budget = (int64_t)vm->limits.instructions_max - vm->fp->chunk->code_n;
}

static bool stack_save(struct lang_vm *vm, struct vm_task *t)
{
    const struct lang_worker *w = vm->worker;
    const union lang_slot *base = w->frames[1].base;
    size_t frames = vm_depth(vm);
    size_t slots = (size_t)(vm->fp->base - base) + vm->fp->chunk->regs_n;
    if (!stack_room(vm, t, frames, slots + (slots == 0)))
        return false;
    memcpy(t->slots, base, slots * sizeof(*base));
    for (size_t n = 0; n < frames; n++) {
        const struct vm_frame *f = &w->frames[1 + n];
        t->frames[n] = (struct vm_saved_frame){.chunk = (uint32_t)(f->chunk - vm->code->chunks),
                                               .pc = (uint32_t)(f->pc - f->chunk->code),
                                               .base = (uint32_t)(f->base - base)};
    }
    t->frames_n = frames;
    t->slots_n = slots;
    t->cycle = vm->heap.cycle; /* it ran: what it has is marked, or new */
    return true;
}

/* ---- ends -------------------------------------------------------------------------------- */

void vm_safe_registers(struct lang_vm *vm, const struct lang_chunk *c, union lang_slot *base)
{
    for (unsigned word = 4; word-- > 0;)
        for (uint64_t owns = c->owns[word]; owns;) {
            unsigned bit = 63 - (unsigned)__builtin_clzll(owns);
            owns &= ~(UINT64_C(1) << bit);
            union lang_slot *reg = &base[64 * word + bit];
            if (reg->i != 0 && vm->host->safe)
                vm->host->safe(vm->host, (uint32_t)(reg->i - 1));
            reg->i = 0;
        }
}

/* What the task had when its last turn began ends, innermost first. */
static void unwind(struct lang_vm *vm, struct vm_task *t)
{
    for (size_t n = t->frames_n; n > 0; n--) {
        const struct vm_saved_frame *f = &t->frames[n - 1];
        vm_lease_crash(vm, t, (uint32_t)n);
        vm_safe_registers(vm, &vm->code->chunks[f->chunk], &t->slots[f->base]);
    }
    vm_lease_crash(vm, t, 0);
}

/* Tasks that were spawned in a turn that failed never were. What the spawning task moved to them it
 * still has, as of the turn's begin. */
void vm_drop_newborn(struct lang_vm *vm)
{
    for (struct vm_task *t = vm->tasks, *next; t; t = next) {
        next = t->next;
        if (t->born == vm->turn && t != vm->task)
            task_remove(vm, t);
    }
}

void vm_turn_failed(struct lang_vm *vm)
{
    vm_turn_undo(vm);
    vm_drop_newborn(vm);
}

void lang_vm_stop(struct lang_vm *vm, uint32_t task)
{
    struct vm_task *t = vm->tasks;
    while (t && t->id != task)
        t = t->next;
    if (!t)
        return;
    ASSERT(t != vm->task);
    unwind(vm, t);
    task_remove(vm, t);
    vm->dirty = true;
}

uint32_t lang_vm_rule_task(const struct lang_vm *vm, uint32_t rule)
{
    for (const struct vm_task *t = vm->tasks; t; t = t->next)
        if (t->rule == rule)
            return t->id;
    return 0;
}

void lang_vm_stop_all(struct lang_vm *vm)
{
    while (vm->tasks)
        lang_vm_stop(vm, vm->tasks->id);
    vm_chans_safe(vm);
}

/* ---- turns ------------------------------------------------------------------------------- */

uint32_t lang_vm_start(struct lang_vm *vm, uint32_t chunk, uint32_t rule)
{
    ASSERT(chunk < vm->code->chunks_n && vm->code->chunks[chunk].params_n == 0);
    struct vm_task *t = vm_task_new(vm, chunk, rule);
    if (!t)
        return 0;
    t->born = 0; /* of no turn */
    vm->dirty = true;
    return t->id;
}

uint32_t lang_vm_message(struct lang_vm *vm, uint32_t rule, struct str value)
{
    ASSERT(rule < vm->program->rules_n && vm->program->rules[rule].kind == LANG_RULE_MESSAGE);
    uint32_t chunk = vm->program->rules[rule].body;
    const struct lang_chunk *c = &vm->code->chunks[chunk];
    struct vm_task *t = vm_task_new(vm, chunk, rule);
    if (!t)
        return 0;
    t->born = 0;
    union lang_slot v;
    if (!vm_unpack(vm, value, c->reg_types[0], &v)) {
        task_remove(vm, t);
        return 0;
    }
    t->slots[0] = v;
    vm->dirty = true;
    return t->id;
}

const struct instr *op_spawn(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    struct vm_task *t = vm_task_new(vm, (uint32_t)i->d, VM_NOBODY);
    if (!t)
        return vm_trap(vm, "there are too many tasks");
    for (unsigned n = 0; n < i->b; n++) {
        union lang_slot *from = &reg[i[1 + n].a];
        t->slots[n] = *from;
        if (vm_reg_type(vm, i[1 + n].a)->kind == CODE_KIND_HANDLE)
            from->i = 0;
    }
    return vm_next(i);
}

static void task_failed(struct lang_vm *vm, struct vm_task *t)
{
    vm_turn_failed(vm);
    unwind(vm, t);
}

/* The outermost frame has returned; its registers are still there. */
static void task_done(struct lang_vm *vm, struct vm_task *t)
{
    struct lang_worker *w = vm->worker;
    vm_safe_registers(vm, &vm->code->chunks[t->frames[0].chunk], w->slots + 1);
    vm_turn_commit(vm);
    vm_lease_commit(t);
    vm_lease_crash(vm, t, 0); /* our compiler ends them before */
}

/* What it waits for will never come: its scopes end, what it did is done. */
static void task_ended(struct lang_vm *vm, struct vm_task *t)
{
    for (; vm_depth(vm) > 0; vm->fp--) {
        vm_lease_crash(vm, t, vm_depth(vm));
        vm_safe_registers(vm, vm->fp->chunk, vm->fp->base);
    }
    vm_turn_commit(vm);
    vm_lease_commit(t);
}

static bool too_many_overruns(struct lang_vm *vm, struct vm_task *t)
{
    if (++t->overruns <= VM_OVERRUNS_MAX)
        return false;
    (void)snprintf(vm->why, sizeof(vm->why), "it ran for %u turns without waiting for anything",
                   VM_OVERRUNS_MAX);
    return true;
}

static enum lang_outcome suspend(struct lang_vm *vm, struct vm_task *t, enum vm_exit e)
{
    if (!stack_save(vm, t)) {
        (void)vm_trap(vm, "the tasks take too much memory");
        task_failed(vm, t);
        return LANG_TRAP;
    }
    vm_lease_prune(vm, t);
    vm_turn_commit(vm);
    vm_lease_commit(t);
    if (e == VM_BUDGET) {
        if (too_many_overruns(vm, t)) {
            unwind(vm, t);
            return LANG_TRAP;
        }
        vm_task_ready(vm, t);
        return LANG_OUT_OF_BUDGET;
    }
    t->overruns = 0;
    t->state = VM_WAITING;
    return LANG_SUSPENDED;
}

static enum vm_exit run(struct lang_vm *vm, struct vm_task *t)
{
    vm_task_mark(vm, t);
    stack_load(vm, t);
    vm->revoked = vm_lease_any_revoked(t);
    enum vm_exit e = vm->revoked ? vm_lease_revoked(vm) : VM_GO;
    return e == VM_GO ? vm_loop(vm) : e;
}

enum lang_outcome lang_vm_step(struct lang_vm *vm, struct lang_turn *out)
{
    if (!vm->worker && !vm_worker(vm))
        return LANG_IDLE; /* and again when there is memory */
    struct vm_task *t = ready_pop(vm);
    if (!t)
        return LANG_IDLE;
    *out = (struct lang_turn){.task = t->id, .rule = t->rule};
    vm_turn_begin(vm);
    t->state = VM_RUNNING;
    vm->task = t;
    enum vm_exit e = run(vm, t);
    vm_fill_result(vm, e, &out->result);
    enum lang_outcome o = LANG_DONE;
    if (e == VM_DONE) {
        task_done(vm, t);
    } else if (e == VM_ENDED) {
        task_ended(vm, t);
    } else if (e == VM_TRAP) {
        task_failed(vm, t);
        o = LANG_TRAP;
    } else {
        o = suspend(vm, t, e);
    }
    if (o == LANG_TRAP && e != VM_TRAP)
        memcpy(out->result.why, vm->why, sizeof(vm->why));
    out->result.outcome = o;
    out->ended = o == LANG_DONE || o == LANG_TRAP;
    out->number = vm->turn;
    vm->task = NULL;
    vm->revoked = false;
    if (out->ended)
        task_remove(vm, t);
    vm->dirty = true;
    vm_note(vm, out);
    return o;
}
