/* The log of a turn: a turn changes data and variables for good, or not at all. And what the
 * collector begins with. */
#include "lang/vm_internal.h"

#include <string.h>

/* ---- writing it -------------------------------------------------------------------------- */

/* A word is in the log once, however often it is written: else it would be full earlier or later as
 * chance has it. Rows of entries whose addresses end alike lead to it. What a row says may be of an
 * earlier turn: then there is no such entry now, or it is one of another row. */
static size_t row_of(const struct lang_worker *w, const union lang_slot *word)
{
    uint64_t at = (uintptr_t)word / sizeof(*word);
    return (size_t)((at ^ at >> 16) & (w->undo_cap - 1));
}

static uint32_t row_latest(const struct lang_worker *w, size_t row)
{
    uint32_t at = w->undo_rows[row];
    return at < w->undo_n && row_of(w, w->undo[at].word) == row ? at + 1 : 0;
}

static void row_add(struct lang_worker *w, uint32_t entry)
{
    size_t row = row_of(w, w->undo[entry].word);
    w->undo[entry].before = row_latest(w, row);
    w->undo_rows[row] = entry;
}

static bool logged(const struct lang_worker *w, const union lang_slot *word)
{
    if (w->undo_n == 0)
        return false;
    uint32_t at = row_latest(w, row_of(w, word));
    while (at && w->undo[at - 1].word != word)
        at = w->undo[at - 1].before;
    return at != 0;
}

static bool undo_grow(struct lang_worker *w)
{
    if (w->undo_n < w->undo_cap)
        return true;
    if (w->undo_cap >= VM_UNDO_MAX)
        return false;
    size_t cap = w->undo_cap ? w->undo_cap * 2 : 64, n = w->undo_n;
    uint32_t *rows = mem_array(w->alloc, cap, sizeof(*rows));
    struct vm_undo *more =
        rows ? mem_resize(w->alloc, w->undo, w->undo_cap * sizeof(*more), cap * sizeof(*more))
             : NULL;
    if (!more) {
        mem_free(w->alloc, rows, cap * sizeof(*rows));
        return false;
    }
    mem_free(w->alloc, w->undo_rows, w->undo_cap * sizeof(*rows));
    w->undo = more;
    w->undo_rows = rows;
    w->undo_cap = cap;
    for (w->undo_n = 0; w->undo_n < n; w->undo_n++)
        row_add(w, (uint32_t)w->undo_n);
    return true;
}

static bool undo_add(struct lang_worker *w, struct vm_undo u)
{
    if (!undo_grow(w))
        return false;
    w->undo[w->undo_n] = u;
    row_add(w, (uint32_t)w->undo_n);
    w->undo_n++;
    return true;
}

static bool heap_log(void *ctx, struct obj *o, void *word, bool ref)
{
    struct lang_vm *vm = ctx;
    struct lang_worker *w = vm->worker;
    if (!vm->fp || logged(w, word)) /* outside of a turn nothing is taken back */
        return true;
    union lang_slot *slot = word;
    vm->heap_changed = true;
    return undo_add(w, (struct vm_undo){.obj = o, .word = slot, .old = *slot, .ref = ref});
}

bool vm_var_log(struct lang_vm *vm, uint32_t var)
{
    bool ref = code_kind_ref(vm_type(vm, vm->code->var_types[var])->kind);
    union lang_slot *slot = &vm->vars[var];
    if (!undo_add(vm->worker, (struct vm_undo){.word = slot, .old = *slot, .ref = ref}))
        return false;
    vm->var_epochs[var] = vm->heap.epoch;
    return true;
}

/* ---- a turn ------------------------------------------------------------------------------ */

void vm_forget_epochs(struct lang_vm *vm)
{
    if (vm->program->vars_n > 0)
        memset(vm->var_epochs, 0, vm->program->vars_n * sizeof(*vm->var_epochs));
}

static bool is_text(const struct lang_vm *vm, size_t var)
{
    return vm->code->var_types[var] == CODE_TYPE_STR;
}

static bool is_data(const struct lang_vm *vm, size_t var)
{
    return vm_type(vm, vm->code->var_types[var])->kind > CODE_KIND_STR;
}

void vm_note_changes(struct lang_vm *vm)
{
    const struct lang_worker *w = vm->worker;
    for (size_t n = 0; n < w->undo_n; n++) {
        const struct vm_undo *u = &w->undo[n];
        if (u->obj)
            continue;
        size_t var = (size_t)(u->word - vm->vars);
        bool same = u->word->i == u->old.i ||
                    (is_text(vm, var) && str_eq(vm_str(*u->word), vm_str(u->old)));
        vm->changed[var] |= !same;
    }
    /* Data that changed may hang below any variable that is a list, a map, a record. */
    for (size_t var = 0; vm->heap_changed && var < vm->program->vars_n; var++)
        vm->changed[var] |= is_data(vm, var);
    vm->worker->undo_n = 0;
    vm->dirty = true;
}

void vm_turn_undo(struct lang_vm *vm)
{
    struct lang_worker *w = vm->worker;
    while (w->undo_n > 0) {
        const struct vm_undo *u = &w->undo[w->undo_n - 1];
        heap_restore(&vm->heap, u->word, u->old, u->ref);
        w->undo_n--; /* after that: until then it keeps alive what it holds */
    }
    vm->fp = NULL;
}

/* ---- roots ------------------------------------------------------------------------------- */

static void mark_registers(struct heap *h, const struct lang_chunk *c, const union lang_slot *reg)
{
    for (unsigned word = 0; word < 4; word++)
        for (uint64_t refs = c->refs[word]; refs; refs &= refs - 1)
            heap_mark(h, reg[64 * word + (unsigned)__builtin_ctzll(refs)].o);
}

static void mark_task(struct lang_vm *vm, struct heap *h, const struct vm_task *t)
{
    for (size_t n = 0; n < t->frames_n; n++) {
        const struct vm_saved_frame *f = &t->frames[n];
        mark_registers(h, &vm->code->chunks[f->chunk], &t->slots[f->base]);
    }
}

static void mark_roots(void *ctx, struct heap *h)
{
    struct lang_vm *vm = ctx;
    for (size_t i = 0; i < vm->program->vars_n; i++)
        if (code_kind_ref(vm_type(vm, vm->code->var_types[i])->kind))
            heap_mark(h, vm->vars[i].o);
    for (size_t i = 0; i < vm->loading_n; i++)
        heap_mark(h, vm->loading[i]);
    if (!vm->fp)
        return;
    const struct lang_worker *w = vm->worker;
    for (size_t n = 0; n < w->undo_n; n++) {
        heap_mark(h, w->undo[n].obj);
        if (w->undo[n].ref)
            heap_mark(h, w->undo[n].old.o);
    }
    for (const struct vm_frame *f = w->frames + 1; f <= vm->fp; f++)
        mark_registers(h, f->chunk, f->base);
}

/* Of the task that runs, the stack is among the roots; what is saved of it is old. */
static bool mark_more(void *ctx, struct heap *h, size_t *budget)
{
    struct lang_vm *vm = ctx;
    for (struct vm_task *t = vm->tasks; t; t = t->next) {
        if (t == vm->task || t->cycle == h->cycle)
            continue;
        if (*budget == 0)
            return false;
        mark_task(vm, h, t);
        t->cycle = h->cycle;
        *budget -= t->slots_n < *budget ? t->slots_n : *budget;
    }
    return true;
}

static void mark_all(void *ctx, struct heap *h)
{
    struct lang_vm *vm = ctx;
    mark_roots(vm, h);
    for (const struct vm_task *t = vm->tasks; t; t = t->next)
        if (t != vm->task)
            mark_task(vm, h, t);
}

static void mark_unscanned(void *ctx, struct heap *h)
{
    struct lang_vm *vm = ctx;
    for (const struct vm_task *t = vm->tasks; t; t = t->next)
        if (t != vm->task && t->cycle != h->cycle)
            mark_task(vm, h, t);
}

/* Before a task runs: its stack is among what the collector takes as marked then. */
void vm_task_mark(struct lang_vm *vm, struct vm_task *t)
{
    if (vm->heap.marking && t->cycle != vm->heap.cycle)
        mark_task(vm, &vm->heap, t);
    t->cycle = vm->heap.cycle;
}

void vm_set_roots(struct lang_vm *vm)
{
    heap_set_roots(&vm->heap, &(struct heap_roots){.ctx = vm,
                                                   .roots = mark_roots,
                                                   .more = mark_more,
                                                   .all = mark_all,
                                                   .unscanned = mark_unscanned});
    heap_set_log(&vm->heap, heap_log, vm);
}
