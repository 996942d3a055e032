/* Instructions that read and command what is outside. Numbers cross in declared units, texts as
 * slices that live until the call returns. */
#include "lang/vm_op_internal.h"

#include <math.h>

#define A reg[i->a]
#define B reg[i->b]

static const struct lang_binding *binding_of(const struct lang_vm *vm, uint32_t binding)
{
    return &vm->program->bindings[binding];
}

/* A handle's register to its binding; false, with a trap, if it holds none. */
static bool handle_of(struct lang_vm *vm, union lang_slot s, uint32_t *binding)
{
    if (s.i == 0) {
        (void)vm_trap(vm, "this handle was moved away or has been taken back");
        return false;
    }
    *binding = (uint32_t)(s.i - 1);
    return true;
}

static const struct instr *unsupported(struct lang_vm *vm)
{
    return vm_trap(vm, "this is not available here");
}

/* ---- readings ---------------------------------------------------------------------------- */

/* A sample in a register (or in the window): in its base unit, or none. */
static bool put_sample(struct lang_vm *vm, uint8_t to, const struct lang_sample *s, bool strict,
                       const struct lang_type *type)
{
    bool none = !s->has_value || (strict && s->stale);
    union lang_slot v = s->value;
    struct text *text;
    switch (type->kind) {
    case LANG_TYPE_FLOAT: v.f = none ? NAN : lang_unit_to_base(&type->unit, v.f); break;
    case LANG_TYPE_BOOL: v.i = none ? CODE_UNKNOWN : v.i != 0; break;
    case LANG_TYPE_ENUM:
        if (none || (uint64_t)v.i >= type->def->fields_n)
            v.i = -1;
        break;
    case LANG_TYPE_STR:
        text = none ? NULL : vm_text_new(vm, v.s ? *v.s : STR(""));
        if (!none && !text)
            return false;
        v.o = (struct obj *)(void *)text;
        break;
    default: v.i = none ? INT64_MIN : v.i; break;
    }
    vm->fp->base[to] = v;
    return true;
}

const struct instr *op_read(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    (void)reg;
    struct lang_sample s = {0};
    vm->host->read(vm->host, (uint32_t)i->d, &s);
    return put_sample(vm, i->a, &s, i->c == 1, &binding_of(vm, (uint32_t)i->d)->member_type) ? i + 1
                                                                                             : NULL;
}

static bool sample_handle(struct lang_vm *vm, union lang_slot handle, uint32_t member,
                          struct lang_sample *s, const struct lang_type **type)
{
    uint32_t binding;
    if (!handle_of(vm, handle, &binding))
        return false;
    if (!vm->host->read_handle) {
        (void)unsupported(vm);
        return false;
    }
    const struct lang_decl *model = binding_of(vm, binding)->resource->type;
    *type = &lang_decl_member_at(model, LANG_CLAUSE_READABLE, member)->type;
    vm->host->read_handle(vm->host, binding, member, s);
    return true;
}

const struct instr *op_readh(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    struct lang_sample s = {0};
    const struct lang_type *type;
    if (!sample_handle(vm, B, (uint32_t)i->d, &s, &type))
        return NULL;
    return put_sample(vm, i->a, &s, i->c == 1, type) ? i + 1 : NULL;
}

const struct instr *op_hname(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    uint32_t binding;
    if (!handle_of(vm, B, &binding))
        return NULL;
    struct text *text = vm_text_new(vm, binding_of(vm, binding)->resource->name);
    if (!text)
        return NULL;
    vm->fp->base[i->a].o = &text->hdr;
    return i + 1;
}

/* A condition waits until the time is up. A body asks whether it can use the value. */
static bool stale(const struct lang_sample *s, const struct instr *i)
{
    return s->stale || (i->c == 0 && !s->has_value);
}

const struct instr *op_stale(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    struct lang_sample s = {0};
    vm->host->read(vm->host, (uint32_t)i->d, &s);
    A.i = stale(&s, i);
    return i + 1;
}

const struct instr *op_staleh(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    struct lang_sample s = {0};
    const struct lang_type *type;
    if (!sample_handle(vm, B, (uint32_t)i->d, &s, &type))
        return NULL;
    A.i = stale(&s, i);
    return i + 1;
}

const struct instr *op_slope(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    uint32_t binding = vm->program->windows[i->d].binding;
    double v = NAN;
    struct lang_sample s = {0};
    bool known = vm->host->slope(vm->host, (uint32_t)i->d, &v) && isfinite(v);
    if (known && i->c == 1) {
        vm->host->read(vm->host, binding, &s);
        known = !s.stale;
    }
    A.f = known ? v * binding_of(vm, binding)->member_type.unit.scale : NAN;
    return i + 1;
}

const struct instr *op_random(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    if (!vm->host->random)
        return unsupported(vm);
    A.f = vm->host->random(vm->host);
    return i + 1;
}

/* ---- statements, messages ---------------------------------------------------------------- */

const struct instr *op_state(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    vm->host->statement(vm->host, (uint32_t)i->d, i->b, vm_str(A));
    return i + 1;
}

const struct instr *op_publish(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    if (!vm->host->publish)
        return unsupported(vm);
    struct strbuf *out = &vm->worker->text;
    strbuf_reset(out);
    if (!vm_pack(vm, out, vm->fp->chunk->reg_types[i->b], B))
        return vm_trap(vm, "this value is too large to be published");
    vm_charge(vm, out->n);
    vm->host->publish(vm->host, vm_str(A), strbuf_str(out));
    return i + 1;
}

/* ---- handles ----------------------------------------------------------------------------- */

const struct instr *op_hbind(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    (void)vm;
    A.i = i->d + 1;
    return i + 1;
}

const struct instr *op_hgroup(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    int64_t n = i[1].d;
    if ((uint64_t)B.i >= (uint64_t)n)
        return vm_trap(vm, "there is no element %lld in a group of %lld", (long long)B.i,
                       (long long)n);
    A.i = i->d + B.i + 1;
    return i + 2;
}

const struct instr *op_hmove(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    (void)vm;
    union lang_slot v = B;
    B.i = 0;
    A = v;
    return i + 1;
}

const struct instr *op_hdrop(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    if (A.i != 0 && vm->host->safe)
        vm->host->safe(vm->host, (uint32_t)(A.i - 1));
    A.i = 0;
    return i + 1;
}

const struct instr *op_dropb(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    (void)reg;
    if (vm->host->safe)
        vm->host->safe(vm->host, (uint32_t)i->d);
    return i + 1;
}

static const struct instr *revoke(struct lang_vm *vm, uint32_t binding, const struct instr *next)
{
    if (!vm->host->revoke)
        return unsupported(vm);
    enum err e = vm->host->revoke(vm->host, binding);
    if (e)
        return vm_trap(vm, "%.*s could not be taken back: %s",
                       STR_FMT(binding_of(vm, binding)->name), err_name(e));
    return next;
}

const struct instr *op_revoke(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    (void)reg;
    return revoke(vm, (uint32_t)i->d, i + 1);
}

const struct instr *op_revokeh(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    uint32_t binding;
    if (!handle_of(vm, A, &binding))
        return NULL;
    if (binding_of(vm, binding)->kind != LANG_BIND_OWN)
        return vm_trap(vm, "only its owner can take this back");
    return revoke(vm, binding, i + 1);
}

/* ---- commands ---------------------------------------------------------------------------- */

struct command {
    uint32_t binding, action;
    union lang_slot args[CODE_ARGS_MAX];
    struct str texts[CODE_ARGS_MAX];
};

/* In its declared unit; false, with a trap, if it is not what a device may be told. */
static bool put_arg(struct lang_vm *vm, struct command *c, unsigned n, union lang_slot v,
                    const struct lang_type *type)
{
    c->args[n] = v;
    switch (type->kind) {
    case LANG_TYPE_FLOAT:
        c->args[n].f = lang_unit_from_base(&type->unit, v.f);
        if (isfinite(c->args[n].f))
            return true;
        (void)vm_trap(vm, "an argument of a command is not a finite number");
        return false;
    case LANG_TYPE_STR:
        c->texts[n] = vm_str(v);
        c->args[n].s = &c->texts[n];
        return true;
    case LANG_TYPE_BOOL:
        if ((uint64_t)v.i <= 1)
            return true;
        break;
    case LANG_TYPE_ENUM:
        if ((uint64_t)v.i < type->def->fields_n)
            return true;
        break;
    default:
        if (v.i != INT64_MIN)
            return true;
        break;
    }
    (void)vm_trap(vm, "an argument of a command has no value");
    return false;
}

static enum vm_exit command(struct lang_vm *vm, union lang_slot *reg, const struct instr *i,
                            struct command *c)
{
    const struct lang_binding *b = binding_of(vm, c->binding);
    const struct lang_member *m =
        lang_decl_member_at(b->resource->type, LANG_CLAUSE_COMMAND, c->action);
    for (unsigned n = 0; n < i->b; n++)
        if (!put_arg(vm, c, n, reg[i[1 + n].a], &m->params[n].type))
            return VM_TRAP;
    enum err e = vm->host->command(vm->host, c->binding, c->action, c->args, i->b);
    vm->fp->pc = vm_next(i);
    if (e == ERR_BUSY && i->c == 1) {
        const struct instr *to = &i[1 + i->b];
        vm->fp->pc = to + 1 + to->d;
        return VM_GO;
    }
    if (e == ERR_OK)
        return VM_GO;
    vm->fp->pc = i;
    (void)vm_trap(vm, "the command %.*s.%.*s was refused: %s", STR_FMT(b->name), STR_FMT(m->name),
                  err_name(e));
    return VM_TRAP;
}

enum vm_exit op_command(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    if (vm->revoked)
        return vm_lease_revoked(vm);
    struct command c = {.binding = (uint32_t)i->d & 0xFFFF, .action = (uint32_t)i->d >> 16};
    return command(vm, reg, i, &c);
}

enum vm_exit op_commandh(struct lang_vm *vm, union lang_slot *reg, const struct instr *i)
{
    if (vm->revoked)
        return vm_lease_revoked(vm);
    struct command c = {.action = (uint32_t)i->d};
    return handle_of(vm, A, &c.binding) ? command(vm, reg, i, &c) : VM_TRAP;
}
