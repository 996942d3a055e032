/* Leases: the blocks that a task is in while it has a handle of another program. */
#include "lang/vm_op_internal.h"

#include <string.h>

/* Lives of ended leases are kept until the turn's end, so that a turn that fails can still give
 * them back; more than this in one turn is a trap. */
#define VM_LEASES_TURN_MAX 256u

static const struct instr *target(const struct instr *to)
{
    return to + 1 + to->d;
}

static int64_t to_ms(double s)
{
    if (!(s > 0))
        return 0;
    return s < 1e12 ? (int64_t)(s * 1000) : (int64_t)1e15;
}

/* The innermost block that did not end. */
static struct vm_lease *innermost(struct vm_task *t)
{
    for (size_t n = t->leases_n; n > 0; n--)
        if (!t->leases[n - 1].ended)
            return &t->leases[n - 1];
    return NULL;
}

static size_t open_leases(const struct vm_task *t)
{
    size_t n = 0;
    for (size_t k = 0; k < t->leases_n; k++)
        n += !t->leases[k].ended;
    return n;
}

bool vm_lease_any_revoked(const struct vm_task *t)
{
    for (size_t k = 0; k < t->leases_n; k++)
        if (!t->leases[k].ended && t->leases[k].state == VM_LEASE_REVOKED)
            return true;
    return false;
}

/* Nothing is to be told about it any more. */
static void lease_close(struct vm_lease *l)
{
    l->ended = l->final = true;
}

/* ---- a block begins ---------------------------------------------------------------------- */

static struct vm_lease *lease_add(struct lang_vm *vm, const struct instr *i)
{
    struct vm_task *t = vm->task;
    if (open_leases(t) >= VM_LEASES_MAX || t->leases_n >= VM_LEASES_TURN_MAX) {
        (void)vm_trap(vm, "too many leases");
        return NULL;
    }
    if (t->leases_n == t->leases_cap) {
        size_t cap = t->leases_cap ? 2 * t->leases_cap : 2;
        struct vm_lease *more =
            mem_resize(vm->alloc, t->leases, t->leases_cap * sizeof(*more), cap * sizeof(*more));
        if (!more) {
            (void)vm_trap_nomem(vm);
            return NULL;
        }
        t->leases = more;
        t->leases_cap = cap;
    }
    struct vm_lease *l = &t->leases[t->leases_n++];
    *l = (struct vm_lease){.id = ++vm->next_lease,
                           .lease = (uint32_t)i->d,
                           .depth = vm_depth(vm),
                           .at = i,
                           .state = VM_LEASE_ASKED};
    return l;
}

/* The reason goes to the register that TO names. */
static bool tell_why(struct lang_vm *vm, const struct vm_lease *l, const struct instr *to)
{
    if (to->b != 1)
        return true;
    struct text *t = vm_text_new(vm, (struct str){l->why, l->why_n});
    if (t)
        vm->fp->base[to->a].o = &t->hdr;
    return t != NULL;
}

static enum vm_exit denied(struct lang_vm *vm, struct vm_lease *l, const struct instr *i)
{
    if (!tell_why(vm, l, &i[2]))
        return VM_TRAP;
    lease_close(l);
    vm->fp->pc = target(&i[2]);
    return VM_GO;
}

static enum vm_exit answer(struct lang_vm *vm, union lang_slot *reg, struct vm_lease *l,
                           const struct instr *i)
{
    switch (l->state) {
    case VM_LEASE_ASKED: return VM_SUSPEND;
    case VM_LEASE_DENIED: return denied(vm, l, i);
    case VM_LEASE_REVOKED: return vm_lease_revoked(vm);
    case VM_LEASE_HELD: break;
    }
    l->entered = true;
    reg[i->a].i = vm->program->leases[i->d].binding + 1;
    vm->fp->pc = i + 3;
    return VM_GO;
}

enum vm_exit op_lease(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    if (vm->revoked)
        return vm_lease_revoked(vm);
    if (!vm->task || !vm->host->lease) {
        (void)vm_trap(vm, "only a task can wait");
        return VM_TRAP;
    }
    struct vm_lease *l = innermost(vm->task);
    if (l && l->at == i && l->depth == vm_depth(vm) && !l->entered)
        return answer(vm, reg, l, i); /* woken */
    l = lease_add(vm, i);
    if (!l)
        return VM_TRAP;
    vm->host->lease(vm->host, l->id, l->lease, to_ms(reg[i->b].f), to_ms(reg[i->c].f));
    return answer(vm, reg, l, i);
}

/* ---- a block ends ------------------------------------------------------------------------ */

enum vm_exit op_release(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    vm->fp->pc = i + 1;
    struct vm_lease *l = vm->task ? innermost(vm->task) : NULL;
    if (l && l->depth == vm_depth(vm) && l->at->a == i->a) {
        l->ended = true;
        if (l->state == VM_LEASE_REVOKED)
            l->final = true;
        else
            vm->host->release(vm->host, l->id, false);
        vm->revoked = vm_lease_any_revoked(vm->task);
    }
    reg[i->a].i = 0;
    return VM_GO;
}

static void lease_give_back(struct lang_vm *vm, struct vm_lease *l)
{
    if (!l->final && l->state != VM_LEASE_REVOKED && l->state != VM_LEASE_DENIED)
        vm->host->release(vm->host, l->id, true);
    lease_close(l);
}

void vm_lease_crash(struct lang_vm *vm, struct vm_task *t, uint32_t depth)
{
    for (size_t n = t->leases_n; n > 0 && t->leases[n - 1].depth >= depth; n--)
        lease_give_back(vm, &t->leases[n - 1]);
}

/* A block whose function has returned has ended, too; our compiler does not write such code. */
void vm_lease_prune(struct lang_vm *vm, struct vm_task *t)
{
    for (size_t n = t->leases_n; n > 0; n--) {
        struct vm_lease *l = &t->leases[n - 1];
        const struct vm_frame *f = &vm->worker->frames[l->depth];
        if (!l->ended && (l->depth > vm_depth(vm) || !vm_in_chunk(f->chunk, l->at)))
            lease_give_back(vm, l);
    }
}

void vm_lease_commit(struct vm_task *t)
{
    size_t kept = 0;
    for (size_t k = 0; k < t->leases_n; k++)
        if (!t->leases[k].ended)
            t->leases[kept++] = t->leases[k];
    t->leases_n = kept;
}

/* Down to the frame of a block, whose inner blocks end, too. */
static void leave_to(struct lang_vm *vm, struct vm_task *t, size_t block)
{
    struct vm_lease *l = &t->leases[block];
    for (size_t n = t->leases_n; n > block + 1; n--) {
        struct vm_lease *inner = &t->leases[n - 1];
        for (; vm_depth(vm) > inner->depth && vm_depth(vm) > l->depth; vm->fp--)
            vm_safe_registers(vm, vm->fp->chunk, vm->fp->base);
        if (!inner->ended)
            lease_give_back(vm, inner);
    }
    for (; vm_depth(vm) > l->depth; vm->fp--)
        vm_safe_registers(vm, vm->fp->chunk, vm->fp->base);
}

enum vm_exit vm_lease_revoked(struct lang_vm *vm)
{
    struct vm_task *t = vm->task;
    size_t block = 0;
    while (t->leases[block].ended || t->leases[block].state != VM_LEASE_REVOKED)
        block++;
    struct vm_lease *l = &t->leases[block];
    leave_to(vm, t, block);
    lease_close(l);
    vm->revoked = vm_lease_any_revoked(t);
    t->timed = false;
    const struct instr *i = l->at;
    if (vm_depth(vm) < l->depth || !vm_in_chunk(vm->fp->chunk, i)) {
        (void)vm_trap(vm, "a lease was not ended where it began"); /* not our compiler's */
        return VM_TRAP;
    }
    vm->fp->pc = i;
    vm->fp->base[i->a].i = 0;
    if (!tell_why(vm, l, &i[1]))
        return VM_TRAP;
    vm->fp->pc = target(&i[1]);
    return VM_GO;
}

static uint32_t put_why(char to[VM_WHY_MAX], struct str why)
{
    size_t n = why.n < VM_WHY_MAX ? why.n : VM_WHY_MAX;
    while (n > 0 && n < why.n && ((unsigned char)why.p[n] & 0xC0) == 0x80)
        n--; /* not within a character */
    if (n > 0)
        memcpy(to, why.p, n);
    return (uint32_t)n;
}

/* It is granted or denied once, and what was revoked or denied stays so. */
static bool is_news(enum vm_lease_state state, enum lang_lease_news news)
{
    return state == VM_LEASE_ASKED || (state == VM_LEASE_HELD && news == LANG_LEASE_REVOKED);
}

void lang_vm_lease(struct lang_vm *vm, uint32_t id, enum lang_lease_news news, struct str why)
{
    for (struct vm_task *t = vm->tasks; t; t = t->next)
        for (size_t k = 0; k < t->leases_n; k++) {
            struct vm_lease *l = &t->leases[k];
            if (l->id != id || l->ended)
                continue;
            if (!is_news(l->state, news))
                return;
            l->state = news == LANG_LEASE_GRANTED  ? VM_LEASE_HELD
                       : news == LANG_LEASE_DENIED ? VM_LEASE_DENIED
                                                   : VM_LEASE_REVOKED;
            l->why_n = put_why(l->why, why);
            if (t == vm->task)
                vm->revoked |= news == LANG_LEASE_REVOKED;
            else if (t->state == VM_WAITING)
                vm_task_ready(vm, t);
            return;
        }
}
