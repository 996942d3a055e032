/* The objects of an image. They are made when a reference to them is read, of the type that it
 * wants, and filled later, one after another: rings and depth are no matter. */
#include "lang/vm_image_internal.h"

bool load_corrupt(struct load *l)
{
    if (!l->e)
        l->e = ERR_CORRUPT;
    return false;
}

bool load_no_memory(struct load *l)
{
    if (!l->e)
        l->e = ERR_NOMEM;
    return false;
}

uint64_t load_number(struct load *l, uint64_t max)
{
    uint64_t v = cursor_varint(&l->in);
    if (l->in.failed || v > max) {
        (void)load_corrupt(l);
        return 0;
    }
    return v;
}

struct bytes load_sized(struct load *l)
{
    struct bytes b = cursor_take(&l->in, (size_t)load_number(l, cursor_left(&l->in)));
    if (l->in.failed)
        (void)load_corrupt(l);
    return b;
}

struct str load_text(struct load *l)
{
    struct bytes b = load_sized(l);
    return (struct str){(const char *)b.p, b.n};
}

/* ---- objects ----------------------------------------------------------------------------- */

static const struct code_type *type_of(const struct load *l, uint16_t type)
{
    return vm_type(l->vm, type);
}

static bool is_ref(const struct load *l, uint16_t type)
{
    return code_kind_ref(type_of(l, type)->kind);
}

/* A closure's chunk must be one of the type that is wanted. */
static const struct lang_chunk *closure_chunk(const struct load *l, const struct code_type *t,
                                              uint64_t number)
{
    if (number >= l->vm->code->chunks_n)
        return NULL;
    const struct lang_chunk *c = &l->vm->code->chunks[number];
    if (c->task || c->result != t->b || c->params_n - c->captures_n != t->args_n)
        return NULL;
    for (unsigned i = 0; i < t->args_n; i++)
        if (c->reg_types[i] != l->vm->code->type_args[t->a + i])
            return NULL;
    return c;
}

static struct obj *make_closure(struct load *l, const struct code_type *t, struct cursor in)
{
    uint64_t number = cursor_varint(&in);
    const struct lang_chunk *c = l->same_code ? closure_chunk(l, t, number) : NULL;
    if (in.failed || !c) {
        (void)load_corrupt(l);
        return NULL;
    }
    struct record *r = heap_new_record(&l->vm->heap, c->layout);
    if (!r)
        return NULL;
    r->slot[0].i = (int64_t)number;
    return &r->hdr;
}

static struct obj *make_chan(struct load *l, const struct code_type *t, struct cursor in)
{
    uint64_t cap = cursor_varint(&in);
    if (in.failed || cap == 0 || cap > CHAN_CAP_MAX || !l->same_code) {
        (void)load_corrupt(l);
        return NULL;
    }
    struct chan *c = chan_obj_new(&l->vm->heap, is_ref(l, t->a), (size_t)cap);
    return c ? &c->hdr : NULL;
}

static struct obj *make_text(struct load *l, struct cursor in)
{
    struct bytes b = cursor_take(&in, (size_t)cursor_varint(&in));
    if (in.failed) {
        (void)load_corrupt(l);
        return NULL;
    }
    struct text *t = text_new(&l->vm->heap, (struct str){(const char *)b.p, b.n});
    return t ? &t->hdr : NULL;
}

/* Texts are whole at once; the others are filled later, so that rings are no matter. */
static struct obj *make(struct load *l, const struct code_type *t, struct bytes content)
{
    struct heap *h = &l->vm->heap;
    struct cursor in = cursor_from(content.p, content.n);
    switch (t->kind) {
    case CODE_KIND_STR: return make_text(l, in);
    case CODE_KIND_LIST: {
        struct lang_list *list = list_new(h, is_ref(l, t->a));
        return list ? &list->hdr : NULL;
    }
    case CODE_KIND_MAP: {
        struct dict *d = dict_new(h, type_of(l, t->a)->kind == CODE_KIND_STR, is_ref(l, t->b));
        return d ? &d->hdr : NULL;
    }
    case CODE_KIND_RECORD: {
        struct record *r = heap_new_record(h, t->b);
        return r ? &r->hdr : NULL;
    }
    case CODE_KIND_CHAN: return make_chan(l, t, in);
    default: return make_closure(l, t, in);
    }
}

static bool object(struct load *l, uint64_t number, uint16_t type, union lang_slot *out)
{
    out->o = NULL;
    if (number == 0)
        return true;
    if (number > l->objects_n)
        return load_corrupt(l);
    size_t i = (size_t)number - 1;
    if (!l->vm->loading[i]) {
        l->vm->loading[i] = make(l, type_of(l, type), l->contents[i]);
        if (!l->vm->loading[i])
            return load_no_memory(l);
        l->types[i] = type;
        if (!vec_push(l->vm->alloc, &l->unfilled, (uint32_t)i))
            return load_no_memory(l);
    }
    if (l->types[i] != type)
        return load_corrupt(l);
    out->o = l->vm->loading[i];
    return true;
}

/* A handle's number, of an own binding of that model. */
static bool handle_fits(const struct load *l, const struct code_type *t, int64_t v)
{
    const struct lang_program *p = l->vm->program;
    if (v == 0)
        return true;
    if (v < 0 || (uint64_t)v > p->bindings_n || !l->same_code)
        return false;
    const struct lang_binding *b = &p->bindings[v - 1];
    return b->resource->type == t->model &&
           (b->kind == LANG_BIND_OWN || (b->kind == LANG_BIND_LEASE && !t->own));
}

bool load_value(struct load *l, uint16_t type, union lang_slot *out)
{
    const struct code_type *t = type_of(l, type);
    if (code_kind_ref(t->kind))
        return object(l, load_number(l, UINT64_MAX), type, out) && !l->e;
    if (t->kind == CODE_KIND_FLOAT) {
        out->i = (int64_t)cursor_u64le(&l->in);
        return !l->in.failed || load_corrupt(l);
    }
    out->i = cursor_svarint(&l->in);
    if (l->in.failed || (t->kind == CODE_KIND_HANDLE && !handle_fits(l, t, out->i)))
        return load_corrupt(l);
    return true;
}

static bool fill_list(struct load *l, const struct code_type *t, struct lang_list *list)
{
    for (uint64_t n = load_number(l, cursor_left(&l->in)); n > 0; n--) {
        union lang_slot v;
        if (!load_value(l, t->a, &v))
            return false;
        if (!list_push(&l->vm->heap, list, v))
            return load_no_memory(l);
    }
    return true;
}

static bool fill_map(struct load *l, const struct code_type *t, struct dict *d)
{
    bool text = type_of(l, t->a)->kind == CODE_KIND_STR;
    for (uint64_t n = load_number(l, cursor_left(&l->in)); n > 0; n--) {
        union lang_slot k, v;
        if (!load_value(l, t->a, &k) || !load_value(l, t->b, &v))
            return false;
        if (text && !k.o)
            return load_corrupt(l);
        if (!dict_put(&l->vm->heap, d, k, v))
            return load_no_memory(l);
    }
    return true;
}

bool load_slots(struct load *l, union lang_slot *slot, const uint16_t *types, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        union lang_slot v;
        if (!load_value(l, types[i], &v))
            return false;
        slot[i] = v; /* nothing was there that the marker could miss */
    }
    return true;
}

static bool fill_chan(struct load *l, const struct code_type *t, struct chan *c)
{
    (void)load_number(l, CHAN_CAP_MAX);
    uint64_t closed = load_number(l, 1), n = load_number(l, c->cap);
    for (; n > 0 && !l->e; n--) {
        union lang_slot v;
        if (!load_value(l, t->a, &v))
            return false;
        if (type_of(l, t->a)->kind == CODE_KIND_HANDLE && v.i == 0)
            return load_corrupt(l);
        if (chan_obj_put(&l->vm->heap, c, v) != ERR_OK)
            return load_no_memory(l);
    }
    return !l->e && (!closed || chan_obj_close(&l->vm->heap, c));
}

static bool fill_closure(struct load *l, struct record *r)
{
    (void)load_number(l, UINT64_MAX);
    const struct lang_chunk *c = &l->vm->code->chunks[r->slot[0].i];
    return load_slots(l, r->slot + 1, c->reg_types + c->params_n - c->captures_n, c->captures_n);
}

static bool fill(struct load *l, size_t i)
{
    const struct code_type *t = type_of(l, l->types[i]);
    void *o = l->vm->loading[i];
    l->in = cursor_from(l->contents[i].p, l->contents[i].n);
    bool fine = true;
    switch (t->kind) {
    case CODE_KIND_STR: return true;
    case CODE_KIND_LIST: fine = fill_list(l, t, o); break;
    case CODE_KIND_MAP: fine = fill_map(l, t, o); break;
    case CODE_KIND_RECORD: {
        struct record *r = o;
        fine = load_slots(l, r->slot, &l->vm->code->type_args[t->a], t->args_n);
        break;
    }
    case CODE_KIND_CHAN: fine = fill_chan(l, t, o); break;
    default: fine = fill_closure(l, o); break;
    }
    return fine && !l->e && (cursor_left(&l->in) == 0 || load_corrupt(l));
}

bool load_fill_objects(struct load *l)
{
    while (l->unfilled.n > 0 && !l->e)
        (void)fill(l, l->unfilled.v[--l->unfilled.n]);
    return !l->e;
}

/* Where each object's content lies; they are behind the tasks. */
bool load_find_objects(struct load *l)
{
    struct cursor begin = l->in;
    size_t n = 0;
    while (load_number(l, 1) == 1 && !l->e) {
        (void)load_sized(l);
        n++;
    }
    if (l->e || n == 0)
        return !l->e;
    struct alloc *a = l->vm->alloc;
    l->contents = mem_array(a, n, sizeof(*l->contents));
    l->types = mem_array(a, n, sizeof(*l->types));
    l->vm->loading = mem_array(a, n, sizeof(*l->vm->loading));
    l->objects_n = n;
    if (!l->contents || !l->types || !l->vm->loading)
        return load_no_memory(l);
    l->vm->loading_n = n;
    l->in = begin;
    for (size_t i = 0; i < n; i++) {
        (void)load_number(l, 1);
        l->contents[i] = load_sized(l);
    }
    (void)load_number(l, 1);
    return !l->e;
}
