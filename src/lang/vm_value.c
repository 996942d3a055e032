/* Values as a whole: compared, printed, copied to other programs. All of it recurses to a bounded
 * depth over types that are known, and stops after a bounded number of values. */
#include "lang/vm_internal.h"

#include "base/cursor.h"
#include "base/map.h"

#include <math.h>
#include <string.h>

static const struct lang_list *list_of(union lang_slot s)
{
    return (const struct lang_list *)(void *)s.o;
}
static struct dict *dict_of(union lang_slot s)
{
    return (struct dict *)(void *)s.o;
}
static const struct record *record_of(union lang_slot s)
{
    return (const struct record *)(void *)s.o;
}

static bool is_none(uint8_t kind, union lang_slot v)
{
    if (kind == CODE_KIND_FLOAT)
        return isnan(v.f);
    if (kind == CODE_KIND_BOOL)
        return (uint64_t)v.i > 1;
    return v.i == code_none(kind).i;
}

static uint16_t field_type(const struct lang_vm *vm, const struct code_type *t, unsigned field)
{
    return vm->code->type_args[t->a + field];
}

/* ---- equality ---------------------------------------------------------------------------- */

struct compare {
    struct lang_vm *vm;
    unsigned deep;
    size_t left;
    bool failed;
};

static bool equal(struct compare *c, uint16_t type, union lang_slot a, union lang_slot b);

static bool lists_equal(struct compare *c, uint16_t element, union lang_slot a, union lang_slot b)
{
    size_t n = list_len(list_of(a));
    if (n != list_len(list_of(b)))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!equal(c, element, list_get(list_of(a), i), list_get(list_of(b), i)))
            return false;
    return true;
}

static bool maps_equal(struct compare *c, uint16_t value, union lang_slot a, union lang_slot b)
{
    if (dict_len(dict_of(a)) != dict_len(dict_of(b)))
        return false;
    uint64_t at = 0;
    union lang_slot key, x;
    while (dict_next(dict_of(a), &at, &key, &x)) {
        const union lang_slot *y = dict_get(&c->vm->heap, dict_of(b), key);
        if (!y || !equal(c, value, x, *y))
            return false;
    }
    return true;
}

static bool records_equal(struct compare *c, const struct code_type *t, union lang_slot a,
                          union lang_slot b)
{
    for (unsigned i = 0; i < t->args_n; i++)
        if (!equal(c, field_type(c->vm, t, i), record_of(a)->slot[i], record_of(b)->slot[i]))
            return false;
    return true;
}

/* Looking at long ones counts. */
static bool texts_equal(struct compare *c, struct str a, struct str b)
{
    size_t pieces = a.n / 16;
    if (a.n != b.n)
        return false;
    if (pieces >= c->left) {
        c->failed = true;
        return false;
    }
    c->left -= pieces;
    return str_eq(a, b);
}

static bool refs_equal(struct compare *c, const struct code_type *t, union lang_slot a,
                       union lang_slot b)
{
    if (a.o == b.o)
        return true;
    if (!a.o || !b.o)
        return false;
    switch (t->kind) {
    case CODE_KIND_STR: return texts_equal(c, vm_str(a), vm_str(b));
    case CODE_KIND_LIST: return lists_equal(c, t->a, a, b);
    case CODE_KIND_MAP: return maps_equal(c, t->b, a, b);
    case CODE_KIND_RECORD: return records_equal(c, t, a, b);
    default: return false;
    }
}

static bool equal(struct compare *c, uint16_t type, union lang_slot a, union lang_slot b)
{
    const struct code_type *t = vm_type(c->vm, type);
    if (c->deep == 0 || c->left == 0) {
        c->failed = true;
        return false;
    }
    c->left--;
    if (t->kind == CODE_KIND_FLOAT)
        return a.f == b.f || (isnan(a.f) && isnan(b.f));
    if (!code_kind_ref(t->kind))
        return a.i == b.i;
    c->deep--;
    bool same = refs_equal(c, t, a, b);
    c->deep++;
    return same;
}

static bool compared(struct compare *c, size_t left_before, bool same)
{
    vm_charge(c->vm, (left_before - c->left) * 4);
    if (c->failed)
        (void)vm_trap(c->vm, "these values are too large to be compared");
    return same && !c->failed;
}

bool vm_equal(struct lang_vm *vm, uint16_t type, union lang_slot a, union lang_slot b)
{
    struct compare c = {.vm = vm, .deep = CODE_DEEP_MAX, .left = VM_EQUAL_MAX};
    return compared(&c, VM_EQUAL_MAX, equal(&c, type, a, b));
}

bool vm_list_has(struct lang_vm *vm, uint16_t type, const struct lang_list *l, union lang_slot v)
{
    struct compare c = {.vm = vm, .deep = CODE_DEEP_MAX, .left = VM_HAS_MAX};
    bool found = false;
    for (size_t at = 0, n = list_len(l); at < n && !found && !c.failed; at++)
        found = equal(&c, type, list_get(l, at), v);
    return compared(&c, VM_HAS_MAX, found);
}

/* ---- printing ---------------------------------------------------------------------------- */

static void print(struct lang_vm *vm, struct strbuf *out, uint16_t type, union lang_slot v,
                  unsigned deep);

static void print_list(struct lang_vm *vm, struct strbuf *out, uint16_t element, union lang_slot v,
                       unsigned deep)
{
    strbuf_addc(out, '[');
    for (size_t i = 0; i < list_len(list_of(v)) && !out->failed; i++) {
        strbuf_adds(out, i > 0 ? ", " : "");
        print(vm, out, element, list_get(list_of(v), i), deep);
    }
    strbuf_addc(out, ']');
}

static void print_map(struct lang_vm *vm, struct strbuf *out, const struct code_type *t,
                      union lang_slot v, unsigned deep)
{
    uint64_t at = 0;
    union lang_slot key, value;
    strbuf_addc(out, '[');
    if (dict_len(dict_of(v)) == 0)
        strbuf_addc(out, ':');
    for (bool first = true; !out->failed && dict_next(dict_of(v), &at, &key, &value);
         first = false) {
        strbuf_adds(out, first ? "" : ", ");
        print(vm, out, t->a, key, deep);
        strbuf_adds(out, ": ");
        print(vm, out, t->b, value, deep);
    }
    strbuf_addc(out, ']');
}

static void print_record(struct lang_vm *vm, struct strbuf *out, const struct code_type *t,
                         union lang_slot v, unsigned deep)
{
    strbuf_addstr(out, t->def->name);
    strbuf_addc(out, '{');
    for (unsigned i = 0; i < t->args_n && !out->failed; i++) {
        strbuf_addf(out, "%s%.*s: ", i > 0 ? ", " : "", STR_FMT(t->def->fields[i].name));
        print(vm, out, field_type(vm, t, i), record_of(v)->slot[i], deep);
    }
    strbuf_addc(out, '}');
}

static void print_scalar(struct strbuf *out, const struct code_type *t, union lang_slot v)
{
    static const struct lang_unit plain = {.symbol = {"", 0}, .scale = 1};
    switch (t->kind) {
    case CODE_KIND_BOOL: strbuf_adds(out, v.i ? "true" : "false"); return;
    case CODE_KIND_INT: strbuf_add_i64(out, v.i); return;
    case CODE_KIND_FLOAT: lang_unit_print(out, &plain, v.f); return;
    case CODE_KIND_ENUM:
        if ((uint64_t)v.i < t->def->fields_n)
            strbuf_addstr(out, t->def->fields[v.i].name);
        return;
    default: return;
    }
}

static void print(struct lang_vm *vm, struct strbuf *out, uint16_t type, union lang_slot v,
                  unsigned deep)
{
    const struct code_type *t = vm_type(vm, type);
    bool top = deep == CODE_DEEP_MAX;
    if (is_none(t->kind, v)) {
        strbuf_adds(out, top ? "no value" : "none");
    } else if (!code_kind_ref(t->kind)) {
        print_scalar(out, t, v);
    } else if (t->kind == CODE_KIND_STR && top) {
        strbuf_addstr(out, vm_str(v));
    } else if (t->kind == CODE_KIND_STR) {
        strbuf_add_json(out, vm_str(v));
    } else if (deep == 0) {
        strbuf_adds(out, "…");
    } else if (t->kind == CODE_KIND_LIST) {
        print_list(vm, out, t->a, v, deep - 1);
    } else if (t->kind == CODE_KIND_MAP) {
        print_map(vm, out, t, v, deep - 1);
    } else if (t->kind == CODE_KIND_RECORD) {
        print_record(vm, out, t, v, deep - 1);
    } else {
        strbuf_adds(out, t->kind == CODE_KIND_CHAN ? "a channel" : "a function");
    }
}

void vm_print(struct lang_vm *vm, struct strbuf *out, uint16_t type, union lang_slot v)
{
    print(vm, out, type, v, CODE_DEEP_MAX);
}

/* ---- copies: each value begins with its kind, 0 for none ---------------------------------- */

/* Of a record or an enum: its name and the names of what it has. */
static uint64_t def_hash(const struct lang_typedef *def)
{
    uint64_t h = hash_bytes(def->name.p, def->name.n, 7);
    for (size_t i = 0; i < def->fields_n; i++)
        h = hash_bytes(def->fields[i].name.p, def->fields[i].name.n, h);
    return h;
}

static bool pack(struct lang_vm *vm, struct strbuf *out, uint16_t type, union lang_slot v,
                 unsigned deep);

static bool pack_list(struct lang_vm *vm, struct strbuf *out, uint16_t element, union lang_slot v,
                      unsigned deep)
{
    size_t n = list_len(list_of(v));
    strbuf_add_varint(out, n);
    for (size_t i = 0; i < n; i++)
        if (!pack(vm, out, element, list_get(list_of(v), i), deep))
            return false;
    return true;
}

static bool pack_map(struct lang_vm *vm, struct strbuf *out, const struct code_type *t,
                     union lang_slot v, unsigned deep)
{
    uint64_t at = 0;
    union lang_slot key, value;
    strbuf_add_varint(out, dict_len(dict_of(v)));
    while (dict_next(dict_of(v), &at, &key, &value))
        if (!pack(vm, out, t->a, key, deep) || !pack(vm, out, t->b, value, deep))
            return false;
    return true;
}

static bool pack_record(struct lang_vm *vm, struct strbuf *out, const struct code_type *t,
                        union lang_slot v, unsigned deep)
{
    uint64_t h = def_hash(t->def);
    strbuf_add(out, &h, sizeof(h));
    for (unsigned i = 0; i < t->args_n; i++)
        if (!pack(vm, out, field_type(vm, t, i), record_of(v)->slot[i], deep))
            return false;
    return true;
}

static bool pack(struct lang_vm *vm, struct strbuf *out, uint16_t type, union lang_slot v,
                 unsigned deep)
{
    const struct code_type *t = vm_type(vm, type);
    bool none = is_none(t->kind, v);
    strbuf_addc(out, none ? 0 : (char)t->kind);
    if (none || out->failed)
        return !out->failed;
    if (deep == 0)
        return false;
    switch (t->kind) {
    case CODE_KIND_BOOL:
    case CODE_KIND_INT:
    case CODE_KIND_FLOAT: strbuf_add(out, &v, sizeof(v)); return !out->failed;
    case CODE_KIND_ENUM: {
        uint64_t h = def_hash(t->def);
        strbuf_add(out, &h, sizeof(h));
        strbuf_add(out, &v, sizeof(v));
        return !out->failed;
    }
    case CODE_KIND_STR:
        strbuf_add_varint(out, vm_str(v).n);
        strbuf_addstr(out, vm_str(v));
        return !out->failed;
    case CODE_KIND_LIST: return pack_list(vm, out, t->a, v, deep - 1);
    case CODE_KIND_MAP: return pack_map(vm, out, t, v, deep - 1);
    case CODE_KIND_RECORD: return pack_record(vm, out, t, v, deep - 1);
    default: return false;
    }
}

bool vm_pack(struct lang_vm *vm, struct strbuf *out, uint16_t type, union lang_slot v)
{
    return pack(vm, out, type, v, VM_PACK_DEEP);
}

/* ---- and back ---------------------------------------------------------------------------- */

struct unpack {
    struct lang_vm *vm;
    struct cursor in;
    unsigned deep;
};

static bool unpack(struct unpack *u, uint16_t type, union lang_slot *out);

static bool unpack_list(struct unpack *u, uint16_t element, union lang_slot *out)
{
    struct heap *h = &u->vm->heap;
    struct lang_list *l = list_new(h, code_kind_ref(vm_type(u->vm, element)->kind));
    if (!l)
        return false;
    heap_push_root(h, &l->hdr);
    bool fine = true;
    for (uint64_t n = cursor_varint(&u->in); n > 0 && fine; n--) {
        union lang_slot v;
        fine = unpack(u, element, &v) && list_push(h, l, v);
    }
    heap_pop_root(h, 1);
    out->o = &l->hdr;
    return fine;
}

static bool unpack_entry(struct unpack *u, const struct code_type *t, struct dict *d)
{
    struct heap *h = &u->vm->heap;
    union lang_slot key, value;
    bool text = vm_type(u->vm, t->a)->kind == CODE_KIND_STR;
    if (!unpack(u, t->a, &key) || (text && !key.o))
        return false;
    heap_push_root(h, text ? key.o : NULL);
    bool fine = unpack(u, t->b, &value) && dict_put(h, d, key, value);
    heap_pop_root(h, 1);
    return fine;
}

static bool unpack_map(struct unpack *u, const struct code_type *t, union lang_slot *out)
{
    struct heap *h = &u->vm->heap;
    struct dict *d = dict_new(h, vm_type(u->vm, t->a)->kind == CODE_KIND_STR,
                              code_kind_ref(vm_type(u->vm, t->b)->kind));
    if (!d)
        return false;
    heap_push_root(h, &d->hdr);
    bool fine = true;
    for (uint64_t n = cursor_varint(&u->in); n > 0 && fine; n--)
        fine = unpack_entry(u, t, d);
    heap_pop_root(h, 1);
    out->o = &d->hdr;
    return fine;
}

static bool unpack_record(struct unpack *u, const struct code_type *t, union lang_slot *out)
{
    struct heap *h = &u->vm->heap;
    if (cursor_u64le(&u->in) != def_hash(t->def))
        return false;
    struct record *r = heap_new_record(h, t->b);
    if (!r)
        return false;
    heap_push_root(h, &r->hdr);
    bool fine = true;
    for (unsigned i = 0; i < t->args_n && fine; i++) {
        union lang_slot v;
        fine = unpack(u, field_type(u->vm, t, i), &v);
        if (fine)
            r->slot[i] = v; /* it was NULL: nothing is lost to the marker */
    }
    heap_pop_root(h, 1);
    out->o = &r->hdr;
    return fine;
}

static bool unpack_text(struct unpack *u, union lang_slot *out)
{
    struct bytes b = cursor_take(&u->in, (size_t)cursor_varint(&u->in));
    if (u->in.failed)
        return false;
    struct text *t = text_new(&u->vm->heap, (struct str){(const char *)b.p, b.n});
    out->o = t ? &t->hdr : NULL;
    return t != NULL;
}

static bool unpack_scalar(struct unpack *u, const struct code_type *t, union lang_slot *out)
{
    if (t->kind == CODE_KIND_ENUM && cursor_u64le(&u->in) != def_hash(t->def))
        return false;
    out->i = (int64_t)cursor_u64le(&u->in);
    if (t->kind == CODE_KIND_ENUM && (uint64_t)out->i >= t->def->fields_n)
        return false;
    return !u->in.failed;
}

static bool unpack(struct unpack *u, uint16_t type, union lang_slot *out)
{
    const struct code_type *t = vm_type(u->vm, type);
    uint8_t kind = cursor_u8(&u->in);
    if (u->in.failed)
        return false;
    *out = code_none(t->kind);
    if (kind == CODE_KIND_NONE)
        return true;
    if (kind != t->kind || u->deep == 0)
        return false;
    u->deep--;
    bool fine = false;
    switch (t->kind) {
    case CODE_KIND_BOOL:
    case CODE_KIND_INT:
    case CODE_KIND_FLOAT:
    case CODE_KIND_ENUM: fine = unpack_scalar(u, t, out); break;
    case CODE_KIND_STR: fine = unpack_text(u, out); break;
    case CODE_KIND_LIST: fine = unpack_list(u, t->a, out); break;
    case CODE_KIND_MAP: fine = unpack_map(u, t, out); break;
    case CODE_KIND_RECORD: fine = unpack_record(u, t, out); break;
    default: break;
    }
    u->deep++;
    return fine;
}

bool vm_unpack(struct lang_vm *vm, struct str packed, uint16_t type, union lang_slot *out)
{
    struct unpack u = {.vm = vm, .in = cursor_from(packed.p, packed.n), .deep = VM_PACK_DEEP};
    return unpack(&u, type, out) && !u.in.failed && cursor_left(&u.in) == 0;
}
