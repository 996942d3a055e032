/* state_image: what single variables do not tell, kept over a restart: lists and maps, tasks with
 * their stacks, sleeping times and leases, as one image that the machine makes and takes
 * (lang_vm_save()), with the states of the program's rules. It is of one moment: a turn is in it as
 * a whole or not at all; so where there is one, it has the last word over single records (state.c).
 *
 * An image is written in parts, to two places in turn, each part with the image's generation,
 * number of parts, size and checksum; so one that a crash cut off is no image, and the one before
 * is there still. Small ones are written whenever something changed, behind the decisions of that
 * turn; large ones at most so often that a program writes 64 KiB/s. */
#include "automation/automation_internal.h"
#include "base/log.h"

#include <stdio.h>
#include <string.h>

enum { IMAGE_PART_MAX = 48 << 10, IMAGE_SMALL = 4 << 10, IMAGE_PARTS_MAX = 512, KEPT_IMAGE = 'i' };
#define IMAGE_NS_PER_BYTE 15259 /* 64 KiB/s */
#define IMAGE_AGAIN_NS    ((int64_t)1000000000)
#define IMAGE_PREFIX      "task/" /* a word of the language: no program has that name */

static struct str part_key(const struct program_run *run, unsigned place, uint32_t part,
                           char buf[KEEP_KEY_MAX])
{
    int n = snprintf(buf, KEEP_KEY_MAX, IMAGE_PREFIX "%.*s/%u/%u", STR_FMT(run->def->name), place,
                     part);
    return (struct str){buf, n > 0 && n < KEEP_KEY_MAX ? (size_t)n : 0};
}

static uint64_t path_hash(struct str path)
{
    return hash_bytes(path.p, path.n, 1);
}

bool image_key(struct str path, struct str *program)
{
    if (!str_starts(path, STR(IMAGE_PREFIX)))
        return false;
    *program = str_sub(path, sizeof(IMAGE_PREFIX) - 1, path.n);
    const char *slash = memchr(program->p, '/', program->n);
    if (slash)
        program->n = (size_t)(slash - program->p);
    return true;
}

void image_init(struct program_run *run)
{
    struct image *m = &run->image;
    m->wanted = run->def->leases_n > 0 || run->def->vars_n > 1; /* which change in one turn */
    for (size_t i = 0; i < run->def->vars_n; i++) { /* a text may be too long for a record */
        const struct lang_type *t = &run->def->vars[i].type;
        m->wanted = m->wanted || !state_is_plain(t) || t->kind == LANG_TYPE_STR;
    }
}

/* ---- writing ----------------------------------------------------------------------------------
 */

static void put_part(struct program_run *run, uint32_t part, uint32_t parts, struct str all,
                     uint32_t sum)
{
    static _Thread_local uint8_t buf[IMAGE_PART_MAX + 64];
    struct image *m = &run->image;
    char key[KEEP_KEY_MAX];
    size_t from = (size_t)part * IMAGE_PART_MAX;
    struct str piece =
        str_sub(all, from, all.n - from < IMAGE_PART_MAX ? all.n - from : IMAGE_PART_MAX);
    struct writer w = writer_from(buf, sizeof(buf));
    writer_u8(&w, KEPT_IMAGE);
    writer_varint(&w, m->generation);
    writer_varint(&w, parts);
    writer_varint(&w, all.n);
    writer_varint(&w, sum);
    writer_svarint(&w, m->saved_ms);
    writer_bytes(&w, piece.p, piece.n);
    state_put(run->automation, part_key(run, m->generation & 1, part, key),
              (struct bytes){buf, writer_len(&w)}, false);
}

static void write_image(struct program_run *run, struct str all)
{
    struct image *m = &run->image;
    uint32_t parts = (uint32_t)((all.n + IMAGE_PART_MAX - 1) / IMAGE_PART_MAX);
    unsigned place = ++m->generation & 1;
    if (parts > IMAGE_PARTS_MAX) {
        LOG_W("automation", "%.*s: its data is too large to be kept over a restart",
              STR_FMT(run->def->name));
        return;
    }
    uint32_t sum = crc32c(0, all.p, all.n);
    m->saved_ms = worker_now_ms(run->automation->worker);
    for (uint32_t i = 0; i < parts; i++)
        put_part(run, i, parts, all, sum);
    for (uint32_t i = parts; i < m->parts[place]; i++) {
        char key[KEEP_KEY_MAX];
        state_put(run->automation, part_key(run, place, i, key), (struct bytes){0}, false);
    }
    m->parts[place] = parts;
    m->size = all.n;
}

/* Rules that have anything to be kept, told apart by a hash of their paths. */
static void put_rules(const struct program_run *run, struct strbuf *out)
{
    uint8_t buf[96];
    for (size_t i = 0; i < run->def->rules_n; i++) {
        const struct rule_run *r = &run->rules[i];
        if (r->state != RULE_ACTIVE && !r->fired && !r->seen_ms && !r->since_ms)
            continue;
        struct writer w = writer_from(buf, sizeof(buf));
        writer_u8(&w, 1);
        writer_u64le(&w, path_hash(r->def->path));
        state_rule_put(&w, r);
        strbuf_add(out, buf, writer_len(&w));
    }
    strbuf_addc(out, 0);
}

void image_changed(struct program_run *run)
{
    struct image *m = &run->image;
    int64_t now = worker_now_ns(run->automation->worker);
    m->wanted = m->wanted || run->tasks_ran;
    m->owed = m->wanted && (m->owed || run->rules_changed || lang_vm_dirty(run->vm));
    run->rules_changed = false;
    if (!m->owed || now < m->due_ns)
        return;
    struct strbuf all;
    strbuf_init(&all, run->automation->cfg.alloc, 0);
    run_attach(run);
    put_rules(run, &all);
    m->owed = lang_vm_save(run->vm, &all) != ERR_OK || all.failed;
    if (m->owed)
        LOG_W("automation", "%.*s: no memory to keep its data; trying on", STR_FMT(run->def->name));
    else
        write_image(run, strbuf_str(&all));
    m->due_ns = m->owed               ? now + IMAGE_AGAIN_NS
                : all.n > IMAGE_SMALL ? now + (int64_t)all.n * IMAGE_NS_PER_BYTE
                                      : 0;
    strbuf_fini(&all);
}

/* ---- reading ----------------------------------------------------------------------------------
 */

struct part {
    uint64_t generation, parts, size, sum;
    int64_t saved_ms;
    struct bytes bytes;
};

static bool get_part(const struct program_run *run, unsigned place, uint32_t n, struct part *p)
{
    char key[KEEP_KEY_MAX];
    const struct kept_state *k = map_get(&run->automation->kept, part_key(run, place, n, key));
    if (!k || k->n == 0)
        return false;
    struct cursor c = cursor_from(k->value, k->n);
    if (cursor_u8(&c) != KEPT_IMAGE)
        return false;
    p->generation = cursor_varint(&c);
    p->parts = cursor_varint(&c);
    p->size = cursor_varint(&c);
    p->sum = cursor_varint(&c);
    p->saved_ms = cursor_svarint(&c);
    p->bytes = cursor_take(&c, cursor_left(&c));
    return !c.failed && p->parts <= IMAGE_PARTS_MAX && n < p->parts;
}

struct whole {
    struct strbuf bytes;
    uint64_t generation; /* 0: there is none */
    int64_t saved_ms;
};

/* The whole image at that place; false if it is not whole. */
static bool collect(struct program_run *run, unsigned place, struct whole *out)
{
    struct part first, p;
    if (!get_part(run, place, 0, &first))
        return false;
    for (uint32_t i = 0; i < first.parts; i++) {
        if (!get_part(run, place, i, &p) || p.generation != first.generation)
            return false;
        strbuf_add(&out->bytes, p.bytes.p, p.bytes.n);
    }
    run->image.parts[place] = (uint32_t)first.parts;
    out->generation = first.generation;
    out->saved_ms = first.saved_ms;
    const struct strbuf *b = &out->bytes;
    return !b->failed && b->n == first.size && crc32c(0, b->p, b->n) == first.sum;
}

static struct rule_run *rule_of(struct program_run *run, uint64_t hash)
{
    for (size_t i = 0; i < run->def->rules_n; i++)
        if (path_hash(run->def->rules[i].path) == hash)
            return &run->rules[i];
    return NULL;
}

/* What is behind the rules is the machine's. */
static struct str take_rules(struct program_run *run, struct str image)
{
    struct cursor c = cursor_from(image.p, image.n);
    while (cursor_u8(&c) == 1 && !c.failed) {
        struct rule_run *r = rule_of(run, cursor_u64le(&c));
        if (r)
            state_rule_take(r, &c);
        else
            state_rule_skip(&c);
    }
    struct bytes rest = cursor_take(&c, cursor_left(&c));
    return (struct str){(const char *)rest.p, rest.n};
}

static void held(void *ctx, struct str binding_path, bool lease)
{
    struct program_run *run = ctx;
    if (lease)
        return; /* leases_settle() ends it */
    for (uint32_t i = 0; i < run->def->bindings_n; i++)
        if (str_eq(run->def->bindings[i].path, binding_path) && run->bindings[i].device)
            state_make_safe(run->automation, run->bindings[i].device, run->def->name);
}

static void lease(void *ctx, uint32_t id, uint32_t lease)
{
    struct program_run *run = ctx;
    struct automation *a = run->automation;
    struct lease_party p = {run, id, run->def->name};
    const struct device *d = run->bindings[run->def->leases[lease].binding].device;
    if (leases_claim(a->leases, d->name, &p) &&
        vec_push(a->cfg.alloc, &run->leases, (struct lease_ref){id, lease}))
        return;
    lang_vm_lease(run->vm, id, LANG_LEASE_REVOKED, STR("its time is over"));
}

static void forget_copies(struct program_run *run)
{
    for (unsigned place = 0; place < 2; place++)
        for (uint32_t i = 0; i < run->image.parts[place]; i++) {
            char key[KEEP_KEY_MAX];
            struct kept_state *k = map_get(&run->automation->kept, part_key(run, place, i, key));
            if (!k)
                continue;
            mem_free(run->automation->cfg.alloc, k->value, k->n);
            k->value = NULL;
            k->n = 0;
        }
}

/* Which rule a restored task belongs to is told by the machine; the others were spawned. */
static void tasks_of_rules(struct program_run *run, uint32_t tasks)
{
    uint32_t of_rules = 0;
    for (uint32_t i = 0; i < run->def->rules_n; i++) {
        run->rules[i].task = lang_vm_rule_task(run->vm, i);
        of_rules += run->rules[i].task != 0;
    }
    run->goes_on = tasks > of_rules;
}

/* Its tasks may have had what it owns. */
static void make_all_safe(struct program_run *run)
{
    for (uint32_t i = 0; i < run->def->bindings_n; i++)
        if (run->def->bindings[i].kind == LANG_BIND_OWN)
            state_make_safe(run->automation, run->bindings[i].device, run->def->name);
}

/* `ago_ms`: since it was saved. The machine keeps how long its tasks wait still; the time that has
 * gone by meanwhile counts. From here on the program is kept in images, or an old one would come up
 * again at the next restart. */
static void take_image(struct program_run *run, struct str image, int64_t ago_ms)
{
    struct lang_restored r = {.held = held, .lease = lease, .ctx = run};
    run->image.wanted = true;
    run->now_ns = worker_now_ns(run->automation->worker);
    run->now_ms = worker_now_ms(run->automation->worker);
    run->back_ms = ago_ms > 0 ? ago_ms : 0;
    run_attach(run);
    turn_begin(run, NULL);
    enum err err = lang_vm_restore(run->vm, image, &r);
    turn_end(run, true, false);
    run->back_ms = 0;
    if (err) {
        LOG_W("automation", "%.*s: what was kept of it can't be read; it begins anew",
              STR_FMT(run->def->name));
        make_all_safe(run);
        return;
    }
    if (r.tasks || r.tasks_dropped)
        LOG_I("automation", "%.*s: %u tasks go on, %u ended safely", STR_FMT(run->def->name),
              r.tasks, r.tasks_dropped);
    tasks_of_rules(run, r.tasks);
    program_apply(run); /* what it asks for once more */
}

void image_restore(struct program_run *run)
{
    struct whole places[2] = {0};
    for (unsigned i = 0; i < 2; i++) {
        strbuf_init(&places[i].bytes, run->automation->cfg.alloc, 0);
        if (!collect(run, i, &places[i]))
            places[i].generation = 0;
    }
    const struct whole *newest = &places[places[1].generation > places[0].generation];
    run->image.generation = newest->generation;
    if (newest->generation)
        take_image(run, take_rules(run, strbuf_str(&newest->bytes)),
                   worker_now_ms(run->automation->worker) - newest->saved_ms);
    forget_copies(run);
    strbuf_fini(&places[0].bytes);
    strbuf_fini(&places[1].bytes);
}

void image_hand_over(struct program_run *from, struct program_run *to)
{
    struct strbuf image;
    to->image.generation = from->image.generation;
    to->image.parts[0] = from->image.parts[0];
    to->image.parts[1] = from->image.parts[1];
    if (!from->image.wanted)
        return;
    strbuf_init(&image, to->automation->cfg.alloc, 0);
    run_attach(from);
    if (lang_vm_save(from->vm, &image) == ERR_OK)
        take_image(to, strbuf_str(&image), 0);
    else
        LOG_W("automation", "%.*s: no memory for its data; it begins anew", STR_FMT(to->def->name));
    strbuf_fini(&image);
}
