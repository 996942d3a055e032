/* model: a checker that runs our concurrent code in every order that matters, on one thread.
 *
 * Why: a test with real threads meets one order of a race in a million runs, on the machine at
 * hand, and the one that fails is another one. Here a scenario runs again and again, each time on
 * another path of choices: which thread takes the next step, which of the values that the memory
 * model allows a load sees. A path that fails is printed, with what every thread did, and can be
 * repeated.
 * How: the sources of base and async are compiled a second time (tests/model/CMakeLists.txt) with
 * model_atomic.h in the place of <stdatomic.h> and model_thread.h in the place of threads,
 * mutexes and conditions; plain accesses are seen through the compiler's calls for the thread
 * sanitizer, which shadow.c answers. Modelled threads are contexts on one stack each.
 *
 * Memory: C11's, by views (after Kang et al., A Promising Semantics for Relaxed-Memory Concurrency,
 * POPL 2017, without its promises; C++20's release sequences). A store appends to the history of
 * its place; a load may see any value not older than what its thread knows of. So a store buffer of
 * x86 shows up as a load that sees an old value, and so does a missing acquire or release on
 * machines weaker than this one. Sequentially consistent accesses happen in one order. What is not
 * tried: stores that come about before the loads above them, which no compiler and machine of ours
 * does to code without data races of its own. A plain access that races with another one is a
 * failure.
 *
 * Search: first all paths with 0, 1 … `preemptions` switches away from a thread that could go on
 * and at most `stale` loads of old values (after Musuvathi and Qadeer, Iterative Context Bounding,
 * PLDI 2007), then `walks` random ones. Failures: HOLD and ASSERT, data races, use after free, what
 * was not freed, all threads blocked (a lost wake), too many steps (no progress). A loop that only
 * looks at one place is taken as waiting for a store to it.
 * To repeat a failure: MODEL_PATH='what was printed' build/release/model_test NAME. MODEL_ONLY=NAME
 * explores the one of that name; --seed=N repeats random walks. Threads: none, one search at a
 * time. */
#pragma once

#include "base/alloc.h"
#include "base/clock.h"

struct model {
    const char *name;
    void (*run)(void *arg); /* the first thread; the execution ends when all threads have ended */
    void *arg;
    unsigned preemptions, stale; /* bounds of the exhaustive part */
    uint64_t executions_max;     /* 0: as many as there are; else the search may be cut short */
    uint64_t walks;
};

struct model_result {
    uint64_t executions, walks, steps;
    bool complete; /* within its bounds */
    bool failed;
    char text[512];
};
struct model_result model_explore(const struct model *m);
/* Explores, notes the figures, and fails the test if there is a failure, or if the search was not
 * complete although it was meant to be. */
void model_check(const struct model *m);

/* --- within an execution --- */

#define HOLD(cond) ((cond) ? (void)0 : model_fail(__FILE__, __LINE__, "does not hold: %s", #cond))
_Noreturn void model_fail(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Blocks that are freed are not used again in the same execution, and nobody may touch them. */
struct alloc *model_alloc(void);
/* A thread more; model_join() waits for its end. */
unsigned model_thread(void (*run)(void *arg), void *arg);
void model_join(unsigned thread);
/* A place where the others may come in between. */
void model_yield(void);
/* A barrier of every thread, as membarrier(2) makes it. */
void model_barrier_all(void);
/* 0 … n-1: a choice of the scenario's own, explored like the others. */
size_t model_choose(size_t n);

/* Outside of its focus an execution goes its usual way: for what comes before and after the steps
 * that are of interest. It begins in focus. */
void model_focus(bool on);
/* Lets nobody go on until so many have come; then the focus begins. */
struct model_gate {
    unsigned arrived;
};
void model_gate(struct model_gate *g, unsigned threads);
/* One less; what is left. Unlike an atomic it is no step and brings no order. */
unsigned model_count_down(unsigned *n);

/* Stands until every thread waits, then goes on to the first that waits for a time; or passes
 * earlier, as a choice. */
struct clock *model_clock(void);

/* What a driver sleeps on: stays set until a wait has seen it. */
struct model_event {
    bool set;
    unsigned sleepers;
    uint64_t sets, waits; /* how often, so far */
};
/* timeout_ns < 0: none. False: the time has passed. */
bool model_event_wait(struct model_event *e, int64_t timeout_ns);
void model_event_set(struct model_event *e);
/* Stands until somebody sleeps on it. */
void model_event_await_sleep(struct model_event *e);
