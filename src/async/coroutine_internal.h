/* coroutine_internal: what channel, select, sync and scope are built on: parking and readying.
 *
 * A worker's coroutines run inside one task of their own, the pump: it resumes what is ready,
 * and a coroutine that waits switches straight to the next one that is ready, without going
 * through the pump's stack or the worker's queue. Wakes among coroutines of one worker so
 * need no atomic operation.
 * A coroutine's own task takes the wakes from elsewhere (other threads, drivers, cancellation);
 * its state word is idle as long as there is none, also while the coroutine runs. Its poll makes
 * the coroutine ready. A coroutine that ends while such a wake is on its way stays as a zombie
 * until the wake has come. Every wait is a loop: register, look, park, look again. Wakes may be
 * spurious. */
#pragma once

#include "async/coroutine.h"
#include "async/fiber_internal.h"
#include "async/stack.h"
#include "async/timer.h"
#include "async/wait.h"
#include "async/worker_internal.h"
#include "base/pool.h"

enum {
    CO_BUDGET = 1024, /* resumptions a poll of the pump */
    CO_FRESH = 2,     /* one of so many begins a free coroutine, even if others are ready */
    CO_ALTSTACK = 32 * 1024,
};

enum co_phase { CO_NEW, CO_READY, CO_RUNNING, CO_PARKED, CO_DONE, CO_ZOMBIE };

struct scope;

/* 128 bytes: two cache lines. What is not needed at the same time shares a place. */
struct co {
    struct task task;
    union {
        intptr_t (*fn)(void *arg); /* new */
        void *sp;                  /* ready or parked */
        intptr_t result;           /* done */
    };
    union {
        void *arg; /* new */
        void *top; /* of its stack */
    };
    struct co *next;      /* in the ready queue */
    struct scope *scopes; /* that it opened and has not ended, the innermost first */
    union {
        struct co *joiner;
        struct scope *parent; /* if `scoped` */
    };
    struct list sibling; /* in its parent */
    uint8_t phase;
    uint8_t shields;
    uint8_t scopes_canceled; /* of `scopes` */
    bool joinable : 1, scoped : 1;
    bool foreign : 1;  /* from co_spawn_at(); `sibling` is in the scheduler's list from then on */
    bool late : 1;     /* it has ended, and a wake of its task is still on its way */
    bool woken;        /* through its task */
    bool cascaded : 1; /* its own cancellation has reached its scopes */
    bool panicked : 1;
    bool exposed : 1; /* its waker was handed out */
    bool fresh : 1;   /* free, and has not waited yet: most never do, and need less */
};

/* See co_free.c. */
struct co_free {
    struct co co;
    struct co_sched *home; /* whose pool it is of */
    _Atomic(void *) joiner;
};

/* At the top of a coroutine's stack: what few of them need. */
struct co_extra {
    struct co_defer *defers; /* the newest first */
    bool contained;
};
enum { CO_EXTRA = 32 }; /* with what the alignment takes */
_Static_assert(sizeof(struct co_extra) <= CO_EXTRA, "a multiple of 16");

/* Replaces the order of the ready queue, for exploration of every order: `choose` picks one of
 * n (0 … n-1, in queue order); `idle` is told when nothing is ready. */
struct co_explorer {
    size_t (*choose)(struct co_explorer *x, size_t n);
    void (*idle)(struct co_explorer *x);
};

struct co_sched {
    struct worker_local local; /* first */
    struct co *current;
    struct co *head, **tail; /* ready */
    /* What the next who runs does for the one who left: release locks, recycle its stack. It runs
     * on another stack than the one that was left, when that one's registers are saved. */
    void (*after)(void *arg);
    void *after_arg;
    int *errno_at;       /* of the worker's thread */
    const void *left_at; /* where the one that was left last in a channel waits */
    uint32_t budget, turns;
    uint64_t chance;      /* of select */
    bool active;          /* the pump is being polled */
    bool spawned;         /* there may be free ones that have not begun */
    void *main_sp, *dead; /* dead: the top of a stack to give back after the switch */
    struct worker *worker;
    struct co_explorer *explorer;
    struct pool pool, free_pool;
    struct stack_pool stacks;
    struct task pump;
    void *spare; /* the last stack that was left: the next who begins has it without the pool */
    struct co *starved, **starved_tail; /* new, and there was no stack for them */
    struct wait_lock foreign_lock;
    struct list foreign;     /* from co_spawn_at() */
    _Atomic size_t foreigns; /* bounded as the pool is */
    struct fiber_main main;
    void *altstack;
};

static inline struct co_sched *co_sched_of(const struct worker *w)
{
    return CONTAINER_OF(w->locals[WORKER_LOCAL_CO], struct co_sched, local);
}

/* Waits until co_ready() or a wake through its task; `after` (may be NULL) runs when it is off its
 * stack. The caller is the current coroutine. */
void co_park(struct co *c, void (*after)(void *arg), void *arg);
/* The pump's turn comes. */
void co_kick(struct co_sched *s);
static inline void co_push(struct co_sched *s, struct co *c)
{
    c->next = NULL;
    *s->tail = c;
    s->tail = &c->next;
}
static inline void co_make_ready(struct co_sched *s, struct co *c)
{
    bool first = !s->head;
    co_push(s, c);
    if (first && !s->active)
        co_kick(s);
}
/* Its worker's thread only. Nothing happens unless it is parked: if it runs, or will, it looks
 * again before it parks. */
static inline void co_ready(struct co *c)
{
    if (c->phase != CO_PARKED)
        return;
    c->phase = CO_READY;
    co_make_ready(co_sched_of(c->task.worker), c);
}
enum poll co_poll(struct task *t);
/* Wakes a task or coroutine from its own worker's thread, at full speed if it is a coroutine. */
static inline void co_wake_local(struct task *t)
{
    if (t->poll == co_poll)
        co_ready(CONTAINER_OF(t, struct co, task));
    else
        task_wake(t);
}
/* The same from anywhere. */
void co_wake_any(struct task *t);
/* Is it canceled and not shielded? Takes a cancellation on to the scopes that it has opened, so
 * every wait calls it. */
bool co_canceled_slow(struct co *c);
static inline bool co_is_canceled(struct co *c)
{
    return __builtin_expect(c->task.canceled || c->scopes_canceled > 0, 0) && co_canceled_slow(c);
}
/* Both ASSERT that this is a coroutine. */
static inline struct co_sched *co_sched_self(void)
{
    struct worker *w = worker_current();
    ASSERT(w && w->locals[WORKER_LOCAL_CO]);
    struct co_sched *s = co_sched_of(w);
    ASSERT(s->current);
    return s;
}
static inline struct co *co_self(void)
{
    return co_sched_self()->current;
}

static inline struct co_extra *co_extra(const struct co *c)
{
    return c->top;
}

void co_prepare(struct co *c, intptr_t (*fn)(void *arg), void *arg, const char *name);
/* The struct may be gone afterwards; the stack is still the caller's. */
void co_ended(struct co_sched *s, struct co *c, intptr_t result);
/* Of one that has ended: what a joiner is told. */
enum err co_result(const struct co *c, intptr_t *result);

/* co_free.c */
MUST_USE enum err co_free_new(struct co **out, intptr_t (*fn)(void *arg), void *arg,
                              const char *name);
void co_free_start(struct co *c);
/* One that has not begun becomes this worker's; NULL: there is none. */
struct co *co_free_take(struct co_sched *s, bool oldest);
/* It parks for the first time. False: it was woken or canceled meanwhile, and `after` is done. */
bool co_free_parks(struct co *c, void (*after)(void *arg), void *arg);
void co_free_ended(struct co *c);
void co_free_release(struct co *c);
enum err co_free_join(struct co *c, struct co *self, intptr_t *result);
void co_free_detach(struct co *c);

MUST_USE enum err co_new(struct co **out, struct worker *w, intptr_t (*fn)(void *arg), void *arg,
                         const char *name);
/* Its first turn comes; nothing has failed by now. */
void co_start(struct worker *w, struct co *c);

/* scope.c */
void scope_child_ended(struct co *c);
/* A wake has reached the opener: perhaps a free child elsewhere has panicked. */
void scope_opener_woken(struct co *c);
void scope_cascade(struct co *c);

/* A time-out while waiting: a timer that makes the coroutine ready. timeout_ms < 0: none. */
struct co_timeout {
    struct timer timer;
    struct co *co;
    bool passed;
};
void co_timeout_begin(struct co_timeout *t, struct co *c, int64_t timeout_ms);
void co_timeout_end(struct co_timeout *t);

/* overflow.c: the memory of a signal stack. */
MUST_USE enum err overflow_prepare(struct co_sched *s);
/* Reports an overflow of a stack on this thread by the coroutine's name, and aborts. */
void overflow_watch(struct co_sched *s);
void overflow_unwatch(struct co_sched *s);
