/* vm_feed: for fuzz targets: runs a verified program with a host that answers from a stream of
 * random numbers, seeded by the input: calls, tasks, time, events, leases that come and go, a
 * restart. */
#pragma once

#include "base/alloc.h"
#include "lang/code_internal.h"
#include "lang/program.h"

#include <string.h>

struct vm_feed {
    struct lang_host host;
    const struct lang_program *program;
    struct lang_vm *vm;
    uint64_t seed;
    int64_t now_ms;
    uint32_t lease_id; /* the latest */
    struct str text;
    struct strbuf message;
};

static inline uint64_t feed_u64(struct vm_feed *f)
{
    f->seed ^= f->seed << 13;
    f->seed ^= f->seed >> 7;
    f->seed ^= f->seed << 17;
    return f->seed;
}

static inline struct vm_feed *feed_of(struct lang_host *h)
{
    return CONTAINER_OF(h, struct vm_feed, host);
}

static inline void feed_sample(struct vm_feed *f, const struct lang_type *t,
                               struct lang_sample *out)
{
    uint64_t v = feed_u64(f);
    *out = (struct lang_sample){.has_value = v & 3, .stale = !(v & 4)};
    switch (t->kind) {
    case LANG_TYPE_STR: out->value.s = &f->text; break;
    case LANG_TYPE_FLOAT: out->value.f = (double)(int64_t)(v >> 40) / 7; break;
    default: out->value.i = (int64_t)(v >> 3); break;
    }
}

static inline void feed_read(struct lang_host *h, uint32_t binding, struct lang_sample *out)
{
    struct vm_feed *f = feed_of(h);
    ASSERT(f->program->bindings[binding].kind == LANG_BIND_READ);
    feed_sample(f, &f->program->bindings[binding].member_type, out);
}

static inline void feed_read_handle(struct lang_host *h, uint32_t binding, uint32_t member,
                                    struct lang_sample *out)
{
    struct vm_feed *f = feed_of(h);
    const struct lang_decl *model = f->program->bindings[binding].resource->type;
    const struct lang_member *m = lang_decl_member_at(model, LANG_CLAUSE_READABLE, member);
    ASSERT(m);
    feed_sample(f, &m->type, out);
}

static inline enum err feed_command(struct lang_host *h, uint32_t binding, uint32_t action,
                                    const union lang_slot *args, size_t args_n)
{
    struct vm_feed *f = feed_of(h);
    const struct lang_binding *b = &f->program->bindings[binding];
    ASSERT(b->kind == LANG_BIND_OWN || b->kind == LANG_BIND_LEASE);
    const struct lang_member *m =
        lang_decl_member_at(b->resource->type, LANG_CLAUSE_COMMAND, action);
    ASSERT(m && m->params_n == args_n);
    size_t bytes = 0;
    for (size_t i = 0; i < args_n; i++)
        if (m->params[i].type.kind == LANG_TYPE_STR)
            bytes += args[i].s->n;
    ASSERT(bytes < SIZE_MAX);
    return feed_u64(f) % 4 ? ERR_OK : ERR_BUSY;
}

static inline void feed_statement(struct lang_host *h, uint32_t statement, uint32_t level,
                                  struct str text)
{
    (void)statement;
    (void)level;
    feed_of(h)->seed += text.n > 0 ? (uint8_t)text.p[text.n - 1] : 0;
}

static inline bool feed_slope(struct lang_host *h, uint32_t window, double *out)
{
    ASSERT(window < feed_of(h)->program->windows_n);
    *out = (double)feed_u64(feed_of(h));
    return feed_u64(feed_of(h)) & 1;
}

static inline int64_t feed_now(struct lang_host *h)
{
    return feed_of(h)->now_ms;
}

static inline double feed_random(struct lang_host *h)
{
    return (double)(feed_u64(feed_of(h)) >> 11) / 9007199254740992.0;
}

static inline void feed_lease(struct lang_host *h, uint32_t id, uint32_t lease, int64_t for_ms,
                              int64_t wait_ms)
{
    struct vm_feed *f = feed_of(h);
    ASSERT(lease < f->program->leases_n && for_ms >= 0 && wait_ms >= 0);
    f->lease_id = id;
    if (feed_u64(f) % 4 == 0)
        lang_vm_lease(f->vm, id, (enum lang_lease_news)(feed_u64(f) % 3), STR("because"));
}

static inline void feed_release(struct lang_host *h, uint32_t id, bool crashed)
{
    (void)crashed;
    ASSERT(id != 0 && feed_of(h)->vm);
}

static inline bool feed_owns(struct lang_host *h, uint32_t binding)
{
    const struct lang_program *p = feed_of(h)->program;
    return binding < p->bindings_n && p->bindings[binding].kind == LANG_BIND_OWN;
}

static inline enum err feed_revoke(struct lang_host *h, uint32_t binding)
{
    ASSERT(feed_owns(h, binding));
    return ERR_OK;
}

static inline void feed_safe(struct lang_host *h, uint32_t binding)
{
    ASSERT(feed_owns(h, binding));
}

static inline void feed_publish(struct lang_host *h, struct str subject, struct str value)
{
    struct vm_feed *f = feed_of(h);
    (void)subject;
    strbuf_reset(&f->message);
    strbuf_addstr(&f->message, value);
}

static inline void feed_machine(struct vm_feed *f)
{
    struct lang_limits limits = {.instructions_max = 2000,
                                 .depth_max = 16,
                                 .text_max = 4096,
                                 .heap_max = 256 << 10,
                                 .tasks_max = 8};
    f->vm = lang_vm_new(alloc_system(), f->program, &f->host, limits);
    ASSERT(f->vm);
}

static inline void feed_init(struct vm_feed *f, const struct lang_program *p, uint64_t seed)
{
    *f = (struct vm_feed){.program = p, .seed = seed | 1, .text = STR("some text")};
    f->host = (struct lang_host){.read = feed_read,
                                 .command = feed_command,
                                 .statement = feed_statement,
                                 .slope = feed_slope,
                                 .now_ms = feed_now,
                                 .random = feed_random,
                                 .mono_ms = feed_now,
                                 .read_handle = feed_read_handle,
                                 .lease = feed_lease,
                                 .release = feed_release,
                                 .revoke = feed_revoke,
                                 .safe = feed_safe,
                                 .publish = feed_publish};
    strbuf_init(&f->message, alloc_system(), 0);
    feed_machine(f);
}

static inline void feed_fini(struct vm_feed *f)
{
    lang_vm_free(f->vm);
    strbuf_fini(&f->message);
}

/* Something happens outside. */
static inline void feed_event(struct vm_feed *f)
{
    switch (feed_u64(f) % 4) {
    case 0:
        f->now_ms += (int64_t)(feed_u64(f) % 5000);
        lang_vm_tick(f->vm, f->now_ms);
        break;
    case 1:
        lang_vm_lease(f->vm, f->lease_id, (enum lang_lease_news)(feed_u64(f) % 3), STR("news"));
        break;
    case 2: lang_vm_signal(f->vm, (uint32_t)(feed_u64(f) % 8)); break;
    default:
        for (uint32_t r = 0; r < f->program->rules_n; r++)
            if (f->program->rules[r].kind == LANG_RULE_MESSAGE)
                (void)lang_vm_message(f->vm, r, strbuf_str(&f->message));
        break;
    }
}

static inline void feed_turns(struct vm_feed *f, unsigned n)
{
    struct lang_turn turn;
    for (; n > 0; n--)
        if (lang_vm_step(f->vm, &turn) == LANG_IDLE)
            feed_event(f);
}

/* All chunks that can begin a turn. */
static inline void feed_chunks(struct vm_feed *f)
{
    const struct lang_code *code = f->program->code;
    for (uint32_t n = 0; n < code->chunks_n && n < 64; n++) {
        struct lang_result out;
        if (code->chunks[n].params_n > 0)
            continue;
        if (code->chunks[n].task)
            (void)lang_vm_start(f->vm, n, 0);
        else
            (void)lang_vm_call(f->vm, n, &out);
    }
}

static inline void feed_restart(struct vm_feed *f)
{
    struct strbuf image;
    struct lang_restored told = {0};
    strbuf_init(&image, alloc_system(), 0);
    uint32_t tasks = lang_vm_stats(f->vm).tasks;
    ASSERT(lang_vm_save(f->vm, &image) == ERR_OK);
    lang_vm_free(f->vm);
    feed_machine(f);
    enum err e = lang_vm_restore(f->vm, strbuf_str(&image), &told);
    ASSERT(e == ERR_NOMEM || (e == ERR_OK && told.tasks == tasks));
    strbuf_fini(&image);
}

static inline void feed_run(struct vm_feed *f)
{
    feed_chunks(f);
    feed_turns(f, 24);
    feed_restart(f);
    feed_chunks(f);
    feed_turns(f, 24);
    lang_vm_stop_all(f->vm);
}
