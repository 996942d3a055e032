/* A machine from an image. The image may be anything: each number is held to what it must fit
 * before it is used, objects are made of the type that the reference to them wants, tasks only go
 * on where a task can have stopped. Nothing of the machine changes before all of the image has been
 * read. */
#include "lang/vm_image_internal.h"

#include "base/map.h"

#include <string.h>

static const struct code_type *type_of(const struct load *l, uint16_t type)
{
    return vm_type(l->vm, type);
}

/* ---- variables --------------------------------------------------------------------------- */

static bool var_wanted(struct load *l, size_t var, struct str signature)
{
    struct strbuf mine;
    bool bound;
    strbuf_init(&mine, l->vm->alloc, 0);
    vm_signature(&mine, &l->vm->program->vars[var].type, &bound);
    bool same = str_eq(strbuf_str(&mine), signature) && (!bound || l->same_code);
    if (mine.failed)
        (void)load_no_memory(l);
    strbuf_fini(&mine);
    return same && !l->e;
}

static bool load_var(struct load *l, struct str path, struct str signature, struct bytes content)
{
    const struct lang_program *p = l->vm->program;
    for (size_t i = 0; i < p->vars_n; i++) {
        if (!str_eq(p->vars[i].path, path) || !var_wanted(l, i, signature))
            continue;
        struct cursor after = l->in;
        l->in = cursor_from(content.p, content.n);
        l->has_var[i] = load_value(l, l->vm->code->var_types[i], &l->vars[i]);
        l->in = after;
        break;
    }
    return !l->e;
}

static bool skip_vars(struct load *l, bool load)
{
    for (uint64_t n = load_number(l, cursor_left(&l->in)); n > 0 && !l->e; n--) {
        struct str path = load_text(l), signature = load_text(l);
        struct bytes content = load_sized(l);
        if (!l->e && load)
            (void)load_var(l, path, signature, content);
    }
    return !l->e;
}

/* ---- tasks ------------------------------------------------------------------------------- */

/* An instruction begins at pc; *before is the one in front of it, if any. */
static bool starts_at(const struct lang_chunk *c, uint64_t pc, const struct instr **before)
{
    uint32_t at = 0;
    *before = NULL;
    while (at < pc && at < c->code_n) {
        *before = &c->code[at];
        at += 1 + code_words(&c->code[at]);
    }
    return at == pc && at < c->code_n;
}

static bool is_looped_to(const struct lang_chunk *c, uint64_t pc)
{
    for (uint32_t at = 0; at < c->code_n; at += 1 + code_words(&c->code[at]))
        if (code_ops[c->code[at].op].sig[3] == 'l' &&
            (int64_t)at + 1 + c->code[at].d == (int64_t)pc)
            return true;
    return false;
}

/* Where a task may go on: the window is empty there. */
static bool may_resume(const struct lang_chunk *c, uint64_t pc)
{
    const struct instr *before;
    return starts_at(c, pc, &before) &&
           (pc == 0 || is_looped_to(c, pc) || (code_ops[c->code[pc].op].flags & CODE_F_SUSP));
}

/* Whether a frame at `pc` can have called the chunk of the next one. */
static bool called_from(const struct load *l, const struct lang_chunk *c, uint64_t pc,
                        const struct lang_chunk *callee)
{
    const struct instr *call;
    if (!starts_at(c, pc, &call) || !call)
        return false;
    if (call->op == CODE_CALL || call->op == CODE_CALLV)
        return &l->vm->code->chunks[call->d] == callee;
    if (call->op != CODE_CALLC && call->op != CODE_CALLCV)
        return false;
    return type_of(l, c->reg_types[call->b])->b == callee->result && !callee->task;
}

static bool frames_fit(const struct load *l, const struct vm_task *t)
{
    const struct lang_chunk *chunks = l->vm->code->chunks;
    for (size_t n = 0; n < t->frames_n; n++) {
        const struct lang_chunk *c = &chunks[t->frames[n].chunk];
        bool last = n + 1 == t->frames_n;
        if (last ? !may_resume(c, t->frames[n].pc)
                 : !called_from(l, c, t->frames[n].pc, &chunks[t->frames[n + 1].chunk]))
            return false;
    }
    return chunks[t->frames[0].chunk].result == CODE_TYPE_NONE;
}

static bool load_frames(struct load *l, struct vm_task *t)
{
    size_t base = 0;
    for (size_t n = 0; n < t->frames_n; n++) {
        t->frames[n].chunk = (uint32_t)load_number(l, l->vm->code->chunks_n - 1);
        t->frames[n].pc = (uint32_t)load_number(l, CODE_CHUNK_MAX);
        t->frames[n].base = (uint32_t)base;
        base += l->vm->code->chunks[t->frames[n].chunk].regs_n;
    }
    t->slots_n = base;
    return !l->e && (frames_fit(l, t) || load_corrupt(l));
}

static bool load_registers(struct load *l, struct vm_task *t)
{
    for (size_t n = 0; n < t->frames_n; n++) {
        const struct lang_chunk *c = &l->vm->code->chunks[t->frames[n].chunk];
        if (!load_slots(l, &t->slots[t->frames[n].base], c->reg_types, c->regs_n))
            return false;
    }
    return true;
}

/* One that was asked for only is asked for again. */
static bool load_lease(struct load *l, struct vm_task *t)
{
    const struct lang_vm *vm = l->vm;
    if (vm->program->leases_n == 0)
        return load_corrupt(l);
    struct vm_lease e = {.lease = (uint32_t)load_number(l, vm->program->leases_n - 1)};
    e.depth = (uint32_t)load_number(l, t->frames_n);
    uint64_t pc = load_number(l, CODE_CHUNK_MAX);
    e.state = (enum vm_lease_state)load_number(l, VM_LEASE_REVOKED);
    e.entered = load_number(l, 1);
    struct str why = load_text(l);
    if (l->e || e.depth == 0 || why.n > VM_WHY_MAX ||
        (e.entered && (e.state == VM_LEASE_ASKED || e.state == VM_LEASE_DENIED)))
        return load_corrupt(l);
    const struct lang_chunk *c = &vm->code->chunks[t->frames[e.depth - 1].chunk];
    const struct instr *before;
    if (!starts_at(c, pc, &before) || c->code[pc].op != CODE_LEASE ||
        (uint32_t)c->code[pc].d != e.lease ||
        (t->leases_n > 0 && t->leases[t->leases_n - 1].depth > e.depth))
        return load_corrupt(l);
    if (e.state == VM_LEASE_ASKED)
        return true;
    e.at = &c->code[pc];
    e.why_n = (uint32_t)why.n;
    if (why.n > 0)
        memcpy(e.why, why.p, why.n);
    t->leases[t->leases_n++] = e;
    return true;
}

static bool load_leases(struct load *l, struct vm_task *t)
{
    size_t n = (size_t)load_number(l, VM_LEASES_MAX);
    if (n == 0)
        return !l->e;
    t->leases = mem_array(l->vm->alloc, n, sizeof(*t->leases));
    if (!t->leases)
        return load_no_memory(l);
    t->leases_cap = n;
    for (size_t i = 0; i < n; i++)
        if (!load_lease(l, t))
            return false;
    return true;
}

/* Room for the frames is made as they are read, so its number must be small. */
static struct vm_task *blank(struct load *l, size_t frames)
{
    struct vm_task *t = frames == 0 || frames > l->vm->limits.depth_max
                            ? NULL
                            : vm_task_blank(l->vm, frames, frames * CODE_REGS_MAX);
    if (!t)
        (void)(frames == 0 || frames > l->vm->limits.depth_max ? load_corrupt(l)
                                                               : load_no_memory(l));
    return t;
}

static void task_keep(struct load *l, struct vm_task *t)
{
    if (l->tasks_end)
        l->tasks_end->next = t;
    else
        l->tasks = t;
    l->tasks_end = t;
    l->tasks_n++;
}

static bool load_task(struct load *l)
{
    const struct lang_vm *vm = l->vm;
    uint32_t id = (uint32_t)load_number(l, UINT32_MAX);
    uint64_t rule = load_number(l, (uint64_t)UINT32_MAX + 1),
             overruns = load_number(l, VM_OVERRUNS_MAX);
    bool timed = load_number(l, 1), due = load_number(l, 1);
    int64_t left = cursor_svarint(&l->in);
    uint64_t signal = load_number(l, (uint64_t)UINT32_MAX + 1);
    struct vm_task *t = blank(l, (size_t)load_number(l, UINT32_MAX));
    if (!t)
        return false;
    task_keep(l, t);
    t->id = id;
    t->rule = (uint32_t)(rule - 1);
    t->overruns = (uint32_t)overruns;
    t->timed = timed;
    t->due = due;
    t->born = 0;
    t->signal = (uint32_t)(signal - 1);
    t->state = VM_WAITING;
    int64_t now = vm->host->mono_ms ? vm->host->mono_ms(vm->host) : 0;
    t->wake_ms = left > 0 && left < (int64_t)1e15 ? now + left : now;
    if (id == 0 || rule == 0 || signal == 0 || l->tasks_n > vm->limits.tasks_max)
        return load_corrupt(l);
    return load_frames(l, t) && load_registers(l, t) && load_leases(l, t);
}

static bool ready_add(struct load *l, struct vm_task *t)
{
    t->state = VM_READY;
    return vec_push(l->vm->alloc, &l->ready, t) || load_no_memory(l);
}

static bool asks_for_lease(const struct load *l, const struct vm_task *t)
{
    const struct vm_saved_frame *f = &t->frames[t->frames_n - 1];
    return l->vm->code->chunks[f->chunk].code[f->pc].op == CODE_LEASE;
}

static bool load_ready(struct load *l)
{
    for (uint64_t n = load_number(l, l->tasks_n); n > 0 && !l->e; n--) {
        uint32_t id = (uint32_t)load_number(l, UINT32_MAX);
        struct vm_task *t = l->tasks;
        while (t && t->id != id)
            t = t->next;
        if (!t || t->state == VM_READY)
            return load_corrupt(l);
        if (!ready_add(l, t))
            return false;
    }
    for (struct vm_task *t = l->tasks; t && !l->e; t = t->next)
        if (t->state == VM_WAITING && asks_for_lease(l, t))
            (void)ready_add(l, t);
    return !l->e;
}

/* `content` is what the image holds about tasks. */
static bool load_tasks(struct load *l, struct bytes content)
{
    struct cursor after = l->in;
    l->in = cursor_from(content.p, content.n);
    uint64_t n = load_number(l, cursor_left(&l->in));
    if (l->same_code) {
        for (; n > 0 && !l->e; n--)
            (void)load_task(l);
        if (!l->e)
            (void)load_ready(l);
    } else {
        l->told->tasks_dropped = (uint32_t)n;
    }
    l->in = after;
    return !l->e;
}

static bool load_held(struct load *l, bool tell)
{
    while (load_number(l, 1) == 1 && !l->e) {
        bool lease = load_number(l, 1);
        struct str path = load_text(l);
        if (!l->e && tell && !l->same_code && l->told->held)
            l->told->held(l->told->ctx, path, lease);
    }
    return !l->e && (cursor_left(&l->in) == 0 || load_corrupt(l));
}

/* ---- all of it --------------------------------------------------------------------------- */

static bool load_head(struct load *l)
{
    uint32_t magic = cursor_u32le(&l->in);
    uint64_t version = cursor_varint(&l->in);
    if (l->in.failed || magic != IMAGE_MAGIC)
        return load_corrupt(l);
    if (version != IMAGE_VERSION) {
        l->e = ERR_UNSUPPORTED;
        return false;
    }
    l->same_code = cursor_u64le(&l->in) == l->vm->program->code_hash;
    l->turn = load_number(l, UINT64_MAX);
    return !l->e;
}

static bool load_body(struct load *l)
{
    struct cursor vars = l->in;
    if (!skip_vars(l, false))
        return false;
    struct bytes tasks = load_sized(l);
    if (l->e || !load_find_objects(l))
        return false;
    struct cursor held = l->in;
    if (!load_held(l, false))
        return false;
    l->in = vars;
    if (!skip_vars(l, true) || !load_tasks(l, tasks) || !load_fill_objects(l))
        return false;
    l->in = held;
    return true;
}

static void tell_leases(struct load *l, const struct vm_task *t)
{
    for (size_t n = 0; n < t->leases_n; n++) {
        t->leases[n].id = ++l->vm->next_lease;
        if (t->leases[n].state == VM_LEASE_HELD && l->told->lease)
            l->told->lease(l->told->ctx, t->leases[n].id, t->leases[n].lease);
    }
}

static void commit(struct load *l)
{
    struct lang_vm *vm = l->vm;
    for (size_t i = 0; i < vm->program->vars_n; i++) {
        if (!l->has_var[i])
            continue;
        if (code_kind_ref(type_of(l, vm->code->var_types[i])->kind))
            heap_store(&vm->heap, &vm->vars[i], l->vars[i].o);
        else
            vm->vars[i] = l->vars[i];
        l->told->vars++;
    }
    for (struct vm_task *t = l->tasks, *next; t; t = next) {
        next = t->next;
        t->next = NULL;
        vm_task_add(vm, t);
        if (t->id > vm->next_task)
            vm->next_task = t->id;
        tell_leases(l, t);
    }
    for (size_t n = 0; n < l->ready.n; n++)
        vm_task_ready(vm, l->ready.v[n]);
    l->told->tasks = l->tasks_n;
    l->tasks = NULL;
    vm->turn = l->turn;
    (void)load_held(l, true);
}

static void load_fini(struct load *l)
{
    struct lang_vm *vm = l->vm;
    struct alloc *a = vm->alloc;
    while (l->tasks) {
        struct vm_task *t = l->tasks;
        l->tasks = t->next;
        vm_task_free(vm, t);
    }
    mem_free(a, vm->loading, l->objects_n * sizeof(*vm->loading));
    vm->loading = NULL;
    vm->loading_n = 0;
    mem_free(a, l->contents, l->objects_n * sizeof(*l->contents));
    mem_free(a, l->types, l->objects_n * sizeof(*l->types));
    mem_free(a, l->vars, vm->program->vars_n * sizeof(*l->vars));
    mem_free(a, l->has_var, vm->program->vars_n * sizeof(*l->has_var));
    vec_fini(a, &l->unfilled);
    vec_fini(a, &l->ready);
}

enum err lang_vm_restore(struct lang_vm *vm, struct str image, struct lang_restored *told)
{
    ASSERT(!vm->fp && !vm->tasks);
    told->tasks = told->tasks_dropped = told->vars = 0;
    if (image.n < 4)
        return ERR_CORRUPT;
    struct cursor crc = cursor_from(image.p + image.n - 4, 4);
    if (cursor_u32le(&crc) != crc32c(0, image.p, image.n - 4))
        return ERR_CORRUPT;
    struct load l = {.vm = vm, .told = told, .in = cursor_from(image.p, image.n - 4)};
    size_t vars = vm->program->vars_n;
    if (vars > 0) {
        l.vars = mem_array(vm->alloc, vars, sizeof(*l.vars));
        l.has_var = mem_array(vm->alloc, vars, sizeof(*l.has_var));
    }
    if ((vars > 0 && (!l.vars || !l.has_var)) || !vm_worker(vm))
        (void)load_no_memory(&l);
    else if (load_head(&l) && load_body(&l))
        commit(&l);
    load_fini(&l);
    return l.e;
}
