/* heap_fixture: a heap for tests, with roots in variables and on the stacks of tasks. */
#pragma once

#include "lang/dict.h"
#include "lang/heap_internal.h"
#include "lang/list.h"
#include "lang/text.h"
#include "tests/support/test.h"

enum { FIXTURE_TASKS = 3, FIXTURE_VARS = 6 };
enum { FIXTURE_PAIR, FIXTURE_BOX }; /* layouts: two references and a number; a number */

struct heap_fixture {
    struct heap h;
    struct heap_blocks blocks;
    struct heap_layout layouts[2];
    struct obj *global[FIXTURE_VARS];
    struct obj *stack[FIXTURE_TASKS][FIXTURE_VARS];
    uint32_t scanned[FIXTURE_TASKS];
    unsigned task; /* it runs */
    /* The undo log; off unless log_max. */
    struct fixture_change {
        struct obj *o;
        union lang_slot *word, old;
        bool ref;
    } log[4096];
    size_t log_n, log_max;
};

static inline void fixture_scan(struct heap_fixture *f, unsigned task)
{
    for (unsigned i = 0; i < FIXTURE_VARS; i++)
        heap_mark(&f->h, f->stack[task][i]);
}

static inline void fixture_globals(struct heap_fixture *f)
{
    for (unsigned i = 0; i < FIXTURE_VARS; i++)
        heap_mark(&f->h, f->global[i]);
    for (size_t i = 0; i < f->log_n; i++) {
        heap_mark(&f->h, f->log[i].o);
        if (f->log[i].ref)
            heap_mark(&f->h, f->log[i].old.o);
    }
}

static inline void fixture_roots(void *ctx, struct heap *h)
{
    struct heap_fixture *f = ctx;
    fixture_globals(f);
    fixture_scan(f, f->task);
    f->scanned[f->task] = h->cycle;
}

/* One stack at a time. */
static inline bool fixture_more(void *ctx, struct heap *h, size_t *budget)
{
    struct heap_fixture *f = ctx;
    for (unsigned t = 0; t < FIXTURE_TASKS; t++) {
        if (f->scanned[t] == h->cycle)
            continue;
        fixture_scan(f, t);
        f->scanned[t] = h->cycle;
        *budget -= FIXTURE_VARS;
        return false;
    }
    return true;
}

static inline void fixture_all(void *ctx, struct heap *h)
{
    struct heap_fixture *f = ctx;
    (void)h;
    fixture_globals(f);
    for (unsigned t = 0; t < FIXTURE_TASKS; t++)
        fixture_scan(f, t);
}

static inline void fixture_unscanned(void *ctx, struct heap *h)
{
    struct heap_fixture *f = ctx;
    for (unsigned t = 0; t < FIXTURE_TASKS; t++) {
        if (f->scanned[t] != h->cycle)
            fixture_scan(f, t);
    }
}

static inline bool fixture_log(void *ctx, struct obj *o, void *word, bool ref)
{
    struct heap_fixture *f = ctx;
    if (f->log_n == f->log_max)
        return false;
    f->log[f->log_n++] = (struct fixture_change){o, word, *(union lang_slot *)word, ref};
    return true;
}

static inline void fixture_rollback(struct heap_fixture *f)
{
    while (f->log_n > 0) {
        struct fixture_change *c = &f->log[--f->log_n];
        heap_restore(&f->h, c->word, c->old, c->ref);
    }
}

/* A turn with an undo log of at most `max` words. */
static inline void fixture_turn(struct heap_fixture *f, size_t max)
{
    f->log_n = 0;
    f->log_max = max;
    heap_set_log(&f->h, fixture_log, f);
    heap_turn(&f->h);
}

static inline void fixture_switch(struct heap_fixture *f, unsigned task)
{
    if (f->h.marking && f->scanned[task] != f->h.cycle) {
        fixture_scan(f, task);
        f->scanned[task] = f->h.cycle;
    }
    f->task = task;
}

static inline void fixture_init(struct heap_fixture *f, struct alloc *a, size_t limit,
                                uint64_t seed)
{
    *f = (struct heap_fixture){.layouts = {[FIXTURE_PAIR] = {3, 3}, [FIXTURE_BOX] = {1, 0}}};
    heap_blocks_init(&f->blocks, a, 1 << 16);
    heap_init(&f->h, &(struct heap_config){.blocks = &f->blocks,
                                           .limit = limit,
                                           .layouts = f->layouts,
                                           .layouts_n = ARRAY_LEN(f->layouts),
                                           .seed = seed});
    heap_set_roots(&f->h, &(struct heap_roots){f, fixture_roots, fixture_more, fixture_all,
                                               fixture_unscanned});
}

static inline void fixture_fini(struct heap_fixture *f)
{
    heap_fini(&f->h);
    heap_blocks_fini(&f->blocks);
}

/* The smallest step that there is. */
static inline void fixture_step(struct heap *h)
{
    if (h->phase == HEAP_IDLE)
        heap_mark_begin(h);
    else if (h->phase == HEAP_SWEEP)
        (void)heap_sweep_some(h, 0);
    else if (heap_mark_some(h, 1, 1))
        heap_sweep_begin(h);
}

static inline union lang_slot slot_i(int64_t i)
{
    return (union lang_slot){.i = i};
}
static inline union lang_slot slot_o(void *o)
{
    return (union lang_slot){.o = o};
}
