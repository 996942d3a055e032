/* What outlives a restart, as bytes: variables, tasks, and all data that they lead to. */
#include "lang/vm_image_internal.h"

#include "base/cursor.h"
#include "base/map.h"

#include <string.h>

/* ---- types ------------------------------------------------------------------------------- */

#define SIGNATURE_DEEP 16u

struct signature {
    struct strbuf *out;
    bool bound;
    const struct lang_typedef *open[SIGNATURE_DEEP]; /* records that contain this one */
    size_t open_n;
};

static void sign(struct signature *s, const struct lang_type *t);

static void sign_unit(struct signature *s, const struct lang_unit *u)
{
    for (size_t d = 0; d < LANG_DIMS; d++)
        if (u->dim[d] != 0)
            strbuf_addf(s->out, "%zu^%d", d, u->dim[d]);
}

static void sign_def(struct signature *s, const struct lang_typedef *def, bool fields)
{
    strbuf_addstr(s->out, def->name);
    for (size_t i = 0; i < s->open_n; i++)
        if (s->open[i] == def)
            return;
    if (s->open_n == SIGNATURE_DEEP)
        return;
    s->open[s->open_n++] = def;
    strbuf_addc(s->out, '{');
    for (size_t i = 0; i < def->fields_n; i++) {
        strbuf_addf(s->out, "%.*s ", STR_FMT(def->fields[i].name));
        if (fields)
            sign(s, &def->fields[i].type);
    }
    strbuf_addc(s->out, '}');
    s->open_n--;
}

static void sign(struct signature *s, const struct lang_type *t)
{
    static const char letters[] = "-BIFSTHERLMCN";
    strbuf_addc(s->out, letters[t->kind]);
    s->bound |= t->kind == LANG_TYPE_CHAN || t->kind == LANG_TYPE_FN;
    if (t->optional)
        strbuf_addc(s->out, '?');
    if (t->kind == LANG_TYPE_FLOAT)
        sign_unit(s, &t->unit);
    else if (t->kind == LANG_TYPE_ENUM || t->kind == LANG_TYPE_RECORD)
        sign_def(s, t->def, t->kind == LANG_TYPE_RECORD);
    else if (t->kind == LANG_TYPE_HANDLE)
        strbuf_addstr(s->out, t->model->name);
    for (size_t i = 0; i < t->args_n; i++)
        sign(s, &t->args[i]);
    strbuf_addc(s->out, ';');
}

void vm_signature(struct strbuf *out, const struct lang_type *t, bool *bound)
{
    struct signature s = {.out = out};
    sign(&s, t);
    *bound = s.bound;
}

/* ---- objects, numbered as they are found -------------------------------------------------- */

struct seen {
    struct obj *obj;
    uint16_t type;
};

struct save {
    struct lang_vm *vm;
    struct strbuf *out;
    VEC(struct seen) seen;
    uint32_t *index; /* numbers by address, 0 for none; a power of two, at most half full */
    size_t index_n;
    bool failed;
};

static size_t slot_of(const struct save *s, const struct obj *o)
{
    size_t at = (size_t)((uintptr_t)o * UINT64_C(0x9E3779B97F4A7C15) >> 20);
    while (s->index[at & (s->index_n - 1)] != 0 &&
           s->seen.v[s->index[at & (s->index_n - 1)] - 1].obj != o)
        at++;
    return at & (s->index_n - 1);
}

static bool index_grow(struct save *s)
{
    struct alloc *a = s->vm->alloc;
    size_t n = s->index_n ? s->index_n * 2 : 64;
    uint32_t *index = mem_array(a, n, sizeof(*index));
    if (!index)
        return false;
    mem_free(a, s->index, s->index_n * sizeof(*index));
    s->index = index;
    s->index_n = n;
    for (size_t i = 0; i < s->seen.n; i++)
        index[slot_of(s, s->seen.v[i].obj)] = (uint32_t)(i + 1);
    return true;
}

static uint32_t number_of(struct save *s, struct obj *o, uint16_t type)
{
    if (!o || s->failed)
        return 0;
    if (s->seen.n * 2 >= s->index_n && !index_grow(s)) {
        s->failed = true;
        return 0;
    }
    size_t slot = slot_of(s, o);
    if (s->index[slot] != 0)
        return s->index[slot];
    if (!vec_push(s->vm->alloc, &s->seen, (struct seen){o, type})) {
        s->failed = true;
        return 0;
    }
    s->index[slot] = (uint32_t)s->seen.n;
    return s->index[slot];
}

/* ---- writing ----------------------------------------------------------------------------- */

static void put(struct save *s, uint64_t v)
{
    strbuf_add_varint(s->out, v);
}

static void put_signed(struct save *s, int64_t v)
{
    strbuf_add_svarint(s->out, v);
}

static void put_u64(struct save *s, uint64_t v)
{
    uint8_t buf[8];
    struct writer w = writer_from(buf, sizeof(buf));
    writer_u64le(&w, v);
    strbuf_add(s->out, buf, sizeof(buf));
}

static void put_text(struct save *s, struct str t)
{
    put(s, t.n);
    strbuf_addstr(s->out, t);
}

static void put_value(struct save *s, uint16_t type, union lang_slot v)
{
    uint8_t kind = vm_type(s->vm, type)->kind;
    if (code_kind_ref(kind))
        put(s, number_of(s, v.o, type));
    else if (kind == CODE_KIND_FLOAT)
        put_u64(s, (uint64_t)v.i);
    else
        put_signed(s, v.i);
}

static void put_list(struct save *s, uint16_t element, const struct lang_list *l)
{
    put(s, list_len(l));
    for (size_t i = 0; i < list_len(l); i++)
        put_value(s, element, list_get(l, i));
}

static void put_map(struct save *s, const struct code_type *t, const struct dict *d)
{
    uint64_t at = 0;
    union lang_slot key, value;
    put(s, dict_len(d));
    while (dict_next(d, &at, &key, &value)) {
        put_value(s, t->a, key);
        put_value(s, t->b, value);
    }
}

static void put_record(struct save *s, const struct code_type *t, const struct record *r)
{
    for (unsigned i = 0; i < t->args_n; i++)
        put_value(s, s->vm->code->type_args[t->a + i], r->slot[i]);
}

static void put_chan(struct save *s, uint16_t element, const struct chan *c)
{
    put(s, c->cap);
    put(s, c->closed);
    put(s, c->n);
    for (uint32_t i = 0; i < c->n; i++)
        put_value(s, element, c->slot[(c->head + i) % c->cap]);
}

static void put_closure(struct save *s, const struct record *r)
{
    const struct lang_chunk *c = &s->vm->code->chunks[r->slot[0].i];
    put(s, (uint64_t)r->slot[0].i);
    for (unsigned i = 0; i < c->captures_n; i++)
        put_value(s, c->reg_types[c->params_n - c->captures_n + i], r->slot[1 + i]);
}

static void put_object(struct save *s, struct seen seen)
{
    const struct code_type *t = vm_type(s->vm, seen.type);
    const void *o = seen.obj;
    switch (t->kind) {
    case CODE_KIND_STR: put_text(s, text_str(o)); return;
    case CODE_KIND_LIST: put_list(s, t->a, o); return;
    case CODE_KIND_MAP: put_map(s, t, o); return;
    case CODE_KIND_RECORD: put_record(s, t, o); return;
    case CODE_KIND_CHAN: put_chan(s, t->a, o); return;
    default: put_closure(s, o); return;
    }
}

/* Content after its length, so that whoever does not want it can step over it. */
static void put_sized(struct save *s, struct strbuf *scratch,
                      void (*content)(struct save *s, const void *what), const void *what)
{
    struct strbuf *out = s->out;
    strbuf_reset(scratch);
    s->out = scratch;
    content(s, what);
    s->out = out;
    s->failed |= scratch->failed;
    put_text(s, strbuf_str(scratch));
}

static void object_content(struct save *s, const void *what)
{
    put_object(s, *(const struct seen *)what);
}

static void put_objects(struct save *s, struct strbuf *scratch)
{
    for (size_t i = 0; i < s->seen.n && !s->failed; i++) {
        struct seen seen = s->seen.v[i];
        put(s, 1);
        put_sized(s, scratch, object_content, &seen);
    }
    put(s, 0);
}

/* ---- variables --------------------------------------------------------------------------- */

static void var_content(struct save *s, const void *what)
{
    size_t var = *(const size_t *)what;
    put_value(s, s->vm->code->var_types[var], s->vm->vars[var]);
}

static void signature_content(struct save *s, const void *what)
{
    bool bound;
    vm_signature(s->out, what, &bound);
}

static void put_vars(struct save *s, struct strbuf *scratch)
{
    const struct lang_program *p = s->vm->program;
    put(s, p->vars_n);
    for (size_t i = 0; i < p->vars_n; i++) {
        put_text(s, p->vars[i].path);
        put_sized(s, scratch, signature_content, &p->vars[i].type);
        put_sized(s, scratch, var_content, &i);
    }
}

/* ---- tasks ------------------------------------------------------------------------------- */

static void put_registers(struct save *s, const struct vm_task *t, const struct vm_saved_frame *f)
{
    const struct lang_chunk *c = &s->vm->code->chunks[f->chunk];
    for (unsigned r = 0; r < c->regs_n; r++)
        put_value(s, c->reg_types[r], t->slots[f->base + r]);
}

static void put_lease(struct save *s, const struct vm_task *t, const struct vm_lease *l)
{
    const struct vm_saved_frame *f = &t->frames[l->depth - 1];
    put(s, l->lease);
    put(s, l->depth);
    put(s, (uint64_t)(l->at - s->vm->code->chunks[f->chunk].code));
    put(s, l->state);
    put(s, l->entered);
    put_text(s, (struct str){l->why, l->why_n});
}

static void put_task(struct save *s, const struct vm_task *t, int64_t now_ms)
{
    put(s, t->id);
    put(s, (uint64_t)t->rule + 1);
    put(s, t->overruns);
    put(s, t->timed);
    put(s, t->due);
    put_signed(s, t->timed ? t->wake_ms - now_ms : 0);
    put(s, (uint64_t)t->signal + 1);
    put(s, t->frames_n);
    for (size_t n = 0; n < t->frames_n; n++) {
        put(s, t->frames[n].chunk);
        put(s, t->frames[n].pc);
    }
    for (size_t n = 0; n < t->frames_n; n++)
        put_registers(s, t, &t->frames[n]);
    put(s, t->leases_n);
    for (size_t n = 0; n < t->leases_n; n++)
        put_lease(s, t, &t->leases[n]);
}

static void tasks_content(struct save *s, const void *what)
{
    (void)what;
    const struct lang_vm *vm = s->vm;
    int64_t now = vm->host->mono_ms && vm->tasks_n > 0 ? vm->host->mono_ms(vm->host) : 0;
    uint32_t ready = 0;
    put(s, vm->tasks_n);
    for (const struct vm_task *t = vm->tasks; t; t = t->next)
        put_task(s, t, now);
    for (const struct vm_task *t = vm->ready; t; t = t->next_ready)
        ready++;
    put(s, ready);
    for (const struct vm_task *t = vm->ready; t; t = t->next_ready)
        put(s, t->id);
}

/* ---- handles: for those who can't have the tasks ------------------------------------------ */

static void put_held(struct save *s, uint32_t binding, bool lease)
{
    put(s, 1);
    put(s, lease);
    put_text(s, s->vm->program->bindings[binding].path);
}

static void held_by_registers(struct save *s, const struct vm_task *t,
                              const struct vm_saved_frame *f)
{
    const struct lang_chunk *c = &s->vm->code->chunks[f->chunk];
    for (unsigned r = 0; r < c->regs_n; r++)
        if ((c->owns[r / 64] >> r % 64 & 1) && t->slots[f->base + r].i != 0)
            put_held(s, (uint32_t)(t->slots[f->base + r].i - 1), false);
}

static void held_by_channels(struct save *s)
{
    for (size_t i = 0; i < s->seen.n; i++) {
        const struct code_type *t = vm_type(s->vm, s->seen.v[i].type);
        if (t->kind != CODE_KIND_CHAN || vm_type(s->vm, t->a)->kind != CODE_KIND_HANDLE)
            continue;
        const struct chan *c = (const struct chan *)(const void *)s->seen.v[i].obj;
        for (uint32_t n = 0; n < c->n; n++)
            put_held(s, (uint32_t)(c->slot[(c->head + n) % c->cap].i - 1), false);
    }
}

static void put_handles(struct save *s)
{
    for (const struct vm_task *t = s->vm->tasks; t; t = t->next) {
        for (size_t n = 0; n < t->leases_n; n++)
            if (t->leases[n].state == VM_LEASE_HELD)
                put_held(s, s->vm->program->leases[t->leases[n].lease].binding, true);
        for (size_t n = 0; n < t->frames_n; n++)
            held_by_registers(s, t, &t->frames[n]);
    }
    held_by_channels(s);
    put(s, 0);
}

/* ---- all of it --------------------------------------------------------------------------- */

static void put_image(struct save *s, struct strbuf *scratch, struct strbuf *tasks)
{
    uint8_t magic[4];
    struct writer w = writer_from(magic, sizeof(magic));
    writer_u32le(&w, IMAGE_MAGIC);
    strbuf_add(s->out, magic, sizeof(magic));
    put(s, IMAGE_VERSION);
    put_u64(s, s->vm->program->code_hash);
    put(s, s->vm->turn);
    put_vars(s, scratch);
    put_sized(s, tasks, tasks_content, NULL);
    put_objects(s, scratch);
    put_handles(s);
}

enum err lang_vm_save(struct lang_vm *vm, struct strbuf *out)
{
    ASSERT(!vm->fp);
    size_t from = out->n;
    struct save s = {.vm = vm, .out = out};
    struct strbuf scratch, tasks;
    strbuf_init(&scratch, vm->alloc, 0);
    strbuf_init(&tasks, vm->alloc, 0);
    put_image(&s, &scratch, &tasks);
    uint8_t crc[4];
    struct writer w = writer_from(crc, sizeof(crc));
    writer_u32le(&w, crc32c(0, out->p + from, out->n - from));
    strbuf_add(out, crc, sizeof(crc));
    strbuf_fini(&scratch);
    strbuf_fini(&tasks);
    vec_fini(vm->alloc, &s.seen);
    mem_free(vm->alloc, s.index, s.index_n * sizeof(*s.index));
    if (s.failed || out->failed)
        return ERR_NOMEM;
    vm->dirty = false;
    return ERR_OK;
}
