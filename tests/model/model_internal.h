/* model_internal: what the parts of the checker share. Not instrumented, not modelled.
 *
 * explore.c: choices, paths, the search. sched.c: threads and who is next. blocking.c: what they
 * wait for. memory.c: atomic accesses. shadow.c: plain accesses. heap.c: memory that is watched. */
#pragma once

#include "tests/model/model.h"
#include <ucontext.h>

enum {
    THREADS_MAX = 6,
    LOCATIONS_MAX = 512,
    HISTORY = 8, /* older values are not seen any more */
    PATH_MAX_ = 1 << 16,
    STEPS_MAX = 1 << 16,
    SPINS_FREE = 2, /* looks at one place in a row are steps like others */
    SPINS_MAX = 6,  /* now it waits for a store */
    THREAD_STACK = 256 * 1024,
    TLS_MAX = 4096,
};

/* What a thread knows of: for each place the oldest value that it may still see, for each thread
 * the time up to which that one's doings lie behind it. */
struct view {
    uint32_t clock[THREADS_MAX];
    unsigned locations; /* of `seen` that count */
    uint16_t seen[LOCATIONS_MAX];
};
void view_join(struct view *to, const struct view *from);
void view_copy(struct view *to, const struct view *from);

enum thread_state { THREAD_NONE, THREAD_READY, THREAD_BLOCKED, THREAD_ENDED };
struct thread {
    ucontext_t context;
    void *stack;
    enum thread_state state;
    const void *waits_for;
    const char *why;
    int64_t until_ns; /* -1: no limit */
    bool timed_out, yielded;
    void *(*run)(void *arg);
    void *arg, *result;
    /* fence: at the last release fence; light: at the last fence for the compiler; unfenced: of
     * relaxed loads, for the next acquire fence */
    struct view view, fence, light, unfenced;
    const void *looked_at; /* by the last step, a load */
    uint16_t looked_seen;
    unsigned looks;
    uint32_t steps, relaxed_at;
    uint8_t tls[TLS_MAX];
};

struct execution {
    struct thread threads[THREADS_MAX];
    unsigned started; /* threads */
    struct thread *current;
    ucontext_t outside;
    uint64_t steps;
    unsigned preemptions, stale; /* so far */
    int64_t now_ns;
    bool active, failed, tracing, focused;
    char text[512];
};
extern struct execution now; /* the model's one global: what is instrumented has no argument */

static inline unsigned thread_index(const struct thread *t)
{
    return (unsigned)(t - now.threads);
}

/* explore.c. The choices of a search; 0 is what would happen without a reason to do otherwise. */
bool may_preempt(void);
bool may_be_stale(void);
enum choice { CHOICE_FREE, CHOICE_PREEMPT, CHOICE_STALE };
size_t choose(size_t n, enum choice kind);
void trace(const char *where, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* sched.c */
void execution_run(void (*run)(void *arg), void *arg);
void step(void);                                                 /* another thread may go first */
bool block(const void *on, const char *why, int64_t timeout_ns); /* false: timed out */
void unblock_all(const void *on);
void fail_all(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* blocking.c: fresh for each execution */
void blocking_begin(void);
bool is_thread_local(const void *p);

/* memory.c, shadow.c, heap.c: fresh for each execution */
void memory_begin(void);
void shadow_begin(void);
void heap_begin(void);
size_t heap_live(void); /* blocks that were not freed */
/* Fails if the bytes are of the heap and of no living block. */
void heap_touch(const void *p, size_t size, const char *what);

/* The access is noted; it fails if it races. place: of an atomic one its file and line, of a plain
 * one its instruction. */
enum access { ACCESS_READ, ACCESS_WRITE, ACCESS_ATOMIC_READ, ACCESS_ATOMIC_WRITE };
void shadow_access(const void *p, size_t size, enum access kind, const void *place);
/* As if all of it was written to: whoever has used it must have done so before. */
void shadow_free(const void *p, size_t size);
/* memory.c: its number for the place, one for each address; 0: none. Kept in the shadow. */
uint16_t *shadow_location(const void *p);
void memory_overwritten(uint16_t location);
