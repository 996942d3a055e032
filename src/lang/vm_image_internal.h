/* vm_image_internal: what saving and restoring a machine agree on. Private to lang/.
 *
 * An image, version 1. Numbers are LEB128 (zig-zag where they may be negative), texts a length and
 * bytes, references the number of an object from 1, or 0 for none.
 *   magic u32, version, code_hash u64, turn
 *   variables:  n × { path, signature of its type, bytes of the value, value }
 *   tasks:      n × task (below), then the numbers of those that are ready, in order
 *   objects:    { 1, bytes, content } in the order of their numbers, then 0
 *   held:       { 1, whether it is a lease, path of the binding } for each handle, then 0
 *   CRC-32C of all before
 * task: id, rule + 1, overruns, timed (0 or 1), due, time that is left in ms, signal + 1,
 *   frames × { chunk, pc }, the registers of each, leases × { lease, depth, pc, state, entered, why
 * } Values stand without a type: both sides know it. An object's type is that of the first
 * reference to it. Objects are written as they are found, not by recursion, so depth and rings
 * don't matter. */
#pragma once

#include "base/cursor.h"
#include "base/vec.h"
#include "lang/vm_internal.h"

#define IMAGE_MAGIC   0x314D5653u /* "SVM1" */
#define IMAGE_VERSION 1u

/* Everything about a type that a value of it depends on. `bound`: it can hold channels or
 * functions, which mean nothing to other code. */
void vm_signature(struct strbuf *out, const struct lang_type *t, bool *bound);

/* An image that is being read; nothing of the machine has changed yet. */
struct load {
    struct lang_vm *vm;
    struct lang_restored *told;
    struct cursor in;
    bool same_code;
    enum err e;
    /* objects */
    struct bytes *contents; /* of each object */
    uint16_t *types;        /* once it is made */
    size_t objects_n;
    VEC(uint32_t) unfilled;
    /* what is to become of the machine */
    union lang_slot *vars;
    bool *has_var;
    struct vm_task *tasks, *tasks_end;
    VEC(struct vm_task *) ready;
    uint32_t tasks_n;
    uint64_t turn;
};

/* vm_load_object.c. False: l->e says why. */
bool load_corrupt(struct load *l);
bool load_no_memory(struct load *l);
uint64_t load_number(struct load *l, uint64_t max);
struct bytes load_sized(struct load *l);
struct str load_text(struct load *l);
/* Where each object's content lies. */
bool load_find_objects(struct load *l);
/* A value of that type; objects are made, but filled later. */
bool load_value(struct load *l, uint16_t type, union lang_slot *out);
bool load_slots(struct load *l, union lang_slot *slot, const uint16_t *types, unsigned n);
bool load_fill_objects(struct load *l);
