/* What a task waits for: channels, events, time. An instruction that has to wait is executed again
 * when something changed, so waking a task too often is harmless. */
#include "lang/vm_op_internal.h"

#define A reg[i->a]
#define B reg[i->b]

static struct chan *chan_of(union lang_slot s)
{
    return (struct chan *)(void *)s.o;
}

static enum vm_exit trapped(struct lang_vm *vm, const char *why)
{
    (void)vm_trap(vm, "%s", why);
    return VM_TRAP;
}

static enum vm_exit wait(struct lang_vm *vm)
{
    return vm->task ? VM_SUSPEND : trapped(vm, "only a task can wait");
}

static enum vm_exit never(struct lang_vm *vm)
{
    return vm->task ? VM_ENDED : trapped(vm, "only a task can wait");
}

static enum vm_exit go(struct lang_vm *vm, const struct instr *to)
{
    if (vm->task) {
        vm->task->timed = vm->task->due = false;
        vm->task->signal = VM_NOBODY;
    }
    vm->fp->pc = to;
    return VM_GO;
}

static int64_t to_ms(double s)
{
    if (!(s > 0))
        return 0;
    return s < 1e12 ? (int64_t)(s * 1000) : (int64_t)1e15;
}

/* ---- channels ---------------------------------------------------------------------------- */

const struct instr *op_chan(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    if (B.i < 1 || B.i > CHAN_CAP_MAX)
        return vm_trap(vm, "a channel can't have room for %lld", (long long)B.i);
    uint8_t kind = vm_type(vm, vm->code->types[i->d].a)->kind;
    vm_charge(vm, (size_t)B.i);
    struct chan *c = chan_obj_new(&vm->heap, code_kind_ref(kind), (size_t)B.i);
    if (!c)
        return vm_trap_nomem(vm);
    A.o = &c->hdr;
    return i + 1;
}

const struct instr *op_cclose(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    if (!A.o)
        return vm_trap_none(vm);
    if (!chan_obj_close(&vm->heap, chan_of(A)))
        return vm_trap_nomem(vm);
    vm_chan_changed(vm, chan_of(A));
    return i + 1;
}

const struct instr *op_clen(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    if (!B.o)
        return vm_trap_none(vm);
    A.i = chan_of(B)->n;
    return i + 1;
}

/* Handles are no references and nobody waits, so that nothing has to hear of it. */
static void make_safe(struct lang_vm *vm, struct chan *c)
{
    for (uint32_t n = 0; n < c->n && vm->host->safe; n++)
        vm->host->safe(vm->host, (uint32_t)(c->slot[(c->head + n) % c->cap].i - 1));
    vm->dirty |= c->n > 0;
    c->n = c->head = 0;
}

/* The check lets a channel of handles be made for a variable that never changes, and nowhere else:
 * all of them are found here. */
void vm_chans_safe(struct lang_vm *vm)
{
    ASSERT(!vm->tasks);
    for (size_t i = 0; i < vm->program->vars_n; i++) {
        const struct code_type *t = vm_type(vm, vm->code->var_types[i]);
        if (t->kind == CODE_KIND_CHAN && vm_type(vm, t->a)->kind == CODE_KIND_HANDLE &&
            vm->vars[i].o)
            make_safe(vm, chan_of(vm->vars[i]));
    }
}

/* ERR_OK, ERR_FULL, ERR_CLOSED, or a trap. What an own handle's register held is moved. */
static enum err send(struct lang_vm *vm, union lang_slot chan, uint8_t from)
{
    union lang_slot *v = &vm->fp->base[from];
    bool handle = vm_reg_type(vm, from)->kind == CODE_KIND_HANDLE;
    if (!chan.o || (handle && v->i == 0)) {
        (void)vm_trap_none(vm);
        return ERR_INVALID;
    }
    enum err e = chan_obj_put(&vm->heap, chan_of(chan), *v);
    if (e == ERR_NOMEM)
        (void)vm_trap_nomem(vm);
    if (e)
        return e;
    if (handle)
        v->i = 0;
    vm_chan_changed(vm, chan_of(chan));
    return ERR_OK;
}

/* ERR_OK; ERR_AGAIN; ERR_CLOSED: nothing will ever come; or a trap. */
static enum err receive(struct lang_vm *vm, union lang_slot chan, uint8_t to)
{
    union lang_slot v;
    if (!chan.o) {
        (void)vm_trap_none(vm);
        return ERR_INVALID;
    }
    enum err e = chan_obj_take(&vm->heap, chan_of(chan), &v);
    if (e == ERR_NOMEM)
        (void)vm_trap_nomem(vm);
    if (e)
        return e;
    vm->fp->base[to] = v;
    vm_chan_changed(vm, chan_of(chan));
    return ERR_OK;
}

enum vm_exit op_send(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    if (vm->revoked)
        return vm_lease_revoked(vm);
    enum err e = send(vm, A, i->b);
    if (e == ERR_FULL)
        return wait(vm);
    if (e == ERR_CLOSED)
        return trapped(vm, "the channel is closed");
    return e ? VM_TRAP : go(vm, i + 1);
}

enum vm_exit op_trysend(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    enum err e = send(vm, A, i->b);
    if (e == ERR_FULL || e == ERR_CLOSED)
        return go(vm, i + 1 + i->d);
    return e ? VM_TRAP : go(vm, i + 1);
}

enum vm_exit op_recv(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    if (vm->revoked)
        return vm_lease_revoked(vm);
    enum err e = receive(vm, B, i->a);
    if (e == ERR_AGAIN)
        return wait(vm);
    if (e == ERR_CLOSED)
        return never(vm);
    return e ? VM_TRAP : go(vm, i + 1);
}

/* ---- time -------------------------------------------------------------------------------- */

/* At the first time here, notes when to go on. */
static bool set_timer(struct lang_vm *vm, double seconds)
{
    struct vm_task *t = vm->task;
    if (t->timed)
        return true;
    if (!vm->host->mono_ms)
        return false;
    t->timed = true;
    t->due = false;
    t->wake_ms = vm->host->mono_ms(vm->host) + to_ms(seconds);
    return true;
}

enum vm_exit op_sleep(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    if (vm->revoked)
        return vm_lease_revoked(vm);
    if (!vm->task)
        return wait(vm);
    if (vm->task->timed && vm->task->due)
        return go(vm, i + 1);
    return set_timer(vm, A.f) ? VM_SUSPEND : trapped(vm, "this is not available here");
}

/* ---- select ------------------------------------------------------------------------------ */

static uint32_t arm_signal(const struct instr *arm)
{
    return (uint32_t)(arm->a | arm->b << 8);
}

/* ERR_OK: this arm is taken; ERR_AGAIN: not now; ERR_CLOSED: never; else a trap. */
static enum err try_arm(struct lang_vm *vm, union lang_slot *reg, const struct instr *arm)
{
    enum err e;
    switch ((enum code_arm)arm->c) {
    case CODE_ARM_RECV: return receive(vm, reg[arm->b], arm->a);
    case CODE_ARM_SEND: e = send(vm, reg[arm->a], arm->b); return e == ERR_FULL ? ERR_AGAIN : e;
    case CODE_ARM_SIGNAL:
        return vm->task && vm->task->signal == arm_signal(arm) ? ERR_OK : ERR_AGAIN;
    default: return ERR_AGAIN;
    }
}

/* The first of what comes soonest, or else the arm for when nothing is ready. */
static const struct instr *soonest(union lang_slot *reg, const struct instr *i)
{
    const struct instr *best = NULL;
    for (const struct instr *arm = i + 1; arm <= i + i->b; arm++) {
        if (arm->c == CODE_ARM_ELSE)
            return arm;
        if (arm->c == CODE_ARM_AFTER && (!best || to_ms(reg[arm->a].f) < to_ms(reg[best->a].f)))
            best = arm;
    }
    return best;
}

enum vm_exit op_select(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    if (vm->revoked)
        return vm_lease_revoked(vm);
    bool open = false;
    for (const struct instr *arm = i + 1; arm <= i + i->b; arm++) {
        enum err e = try_arm(vm, reg, arm);
        if (e == ERR_OK)
            return go(vm, arm + 1 + arm->d);
        if (e != ERR_AGAIN && e != ERR_CLOSED)
            return VM_TRAP;
        open = open || e == ERR_AGAIN;
    }
    if (!open)
        return never(vm);
    const struct instr *timer = soonest(reg, i);
    if (timer && timer->c == CODE_ARM_ELSE)
        return go(vm, timer + 1 + timer->d);
    if (!vm->task || !timer)
        return wait(vm);
    if (vm->task->timed && vm->task->due)
        return go(vm, timer + 1 + timer->d);
    return set_timer(vm, reg[timer->a].f) ? VM_SUSPEND : trapped(vm, "this is not available here");
}

/* ---- waking ------------------------------------------------------------------------------ */

static bool arm_waits(const struct instr *arm, const union lang_slot *reg, const struct chan *c,
                      uint32_t signal)
{
    switch ((enum code_arm)arm->c) {
    case CODE_ARM_RECV: return c && reg[arm->b].o == &c->hdr;
    case CODE_ARM_SEND: return c && reg[arm->a].o == &c->hdr;
    case CODE_ARM_SIGNAL: return !c && arm_signal(arm) == signal;
    default: return false;
    }
}

/* Whether it waits for this channel or, without one, for this event. */
static bool waits_for(struct lang_vm *vm, const struct vm_task *t, const struct chan *c,
                      uint32_t signal)
{
    const struct vm_saved_frame *f = &t->frames[t->frames_n - 1];
    const struct instr *i = &vm->code->chunks[f->chunk].code[f->pc];
    const union lang_slot *reg = &t->slots[f->base];
    switch (i->op) {
    case CODE_RECV: return c && reg[i->b].o == &c->hdr;
    case CODE_SEND: return c && reg[i->a].o == &c->hdr;
    case CODE_SELECT:
        for (const struct instr *arm = i + 1; arm <= i + i->b; arm++)
            if (arm_waits(arm, reg, c, signal))
                return true;
        return false;
    default: return false;
    }
}

void vm_chan_changed(struct lang_vm *vm, struct chan *c)
{
    vm_charge(vm, 4 * (size_t)vm->tasks_n);
    for (struct vm_task *t = vm->tasks; t; t = t->next)
        if (t->state == VM_WAITING && waits_for(vm, t, c, VM_NOBODY))
            vm_task_ready(vm, t);
}

void lang_vm_signal(struct lang_vm *vm, uint32_t binding)
{
    for (struct vm_task *t = vm->tasks; t; t = t->next)
        if (t->state != VM_RUNNING && waits_for(vm, t, NULL, binding)) {
            t->signal = binding;
            if (t->state == VM_WAITING)
                vm_task_ready(vm, t);
        }
}

int64_t lang_vm_next_ms(const struct lang_vm *vm)
{
    int64_t next = INT64_MAX;
    for (const struct vm_task *t = vm->tasks; t; t = t->next)
        if (t->state == VM_WAITING && t->timed && t->wake_ms < next)
            next = t->wake_ms;
    return next;
}

/* In the order of their times, and of their numbers. */
void lang_vm_tick(struct lang_vm *vm, int64_t mono_ms)
{
    for (;;) {
        struct vm_task *first = NULL;
        for (struct vm_task *t = vm->tasks; t; t = t->next)
            if (t->state == VM_WAITING && t->timed && t->wake_ms <= mono_ms &&
                (!first || t->wake_ms < first->wake_ms))
                first = t;
        if (!first)
            return;
        first->due = true;
        vm_task_ready(vm, first);
    }
}
