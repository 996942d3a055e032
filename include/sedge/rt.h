/* sedge_rt: the runtime: workers, on which coroutines run.
 *
 *     static intptr_t hello(void *arg)
 *     {
 *         puts(arg);
 *         return 0;
 *     }
 *     int main(void)
 *     {
 *         return sedge_main(NULL, hello, "hello");
 *     }
 *
 * Why: threads are expensive and blocking calls hold them; callbacks tear a program's text apart.
 * Here a few threads, the workers, run any number of coroutines (sedge_co(3)), which wait for each
 * other, for time and for the network as if they were threads.
 *
 * Ownership: sedge_rt_new(), sedge_rt_run() and sedge_rt_free() on one thread. What was made on a
 * runtime ends before it is freed. Several runtimes may live side by side.
 *
 * Threads: the calling thread is worker 0 while sedge_rt_run() runs; the others are the library's
 * own and block all signals. A coroutine has its worker for itself until it waits, so it may not
 * block the thread: see sedge_blocking().
 *
 * Signals: SIGPIPE is ignored from the first sedge_rt_new() on. The signal stack (sigaltstack(2))
 * of a worker's thread and the handler of SIGSEGV are the library's while it runs: they report a
 * coroutine that overflows its stack.
 *
 * Errors: SEDGE_ERR_RANGE, SEDGE_ERR_INVALID (there is no such driver), SEDGE_ERR_NOMEM,
 * SEDGE_ERR_IO. */
#ifndef SEDGE_RT_H
#define SEDGE_RT_H

#include <sedge/err.h>

SEDGE_BEGIN

#define SEDGE_RT_VERSION "0.1.0"

/* Of the library that runs; SEDGE_RT_VERSION is the one that was compiled against. */
SEDGE_API const char *sedge_rt_version(void);

struct sedge_rt;

/* All zero is a good configuration. */
struct sedge_rt_config {
    unsigned workers;          /* 1 … 64; 0: one for each processor of the process */
    unsigned blocking_threads; /* 1 … 16 for sedge_blocking(), started at need; 0: 4 */
    size_t blocking_max;       /* calls of sedge_blocking() that run or wait; 0: 1024 */
    size_t coroutines_max;     /* at a time, on each worker; 0: 65536 */
    const char *driver;        /* "io_uring", "epoll"; NULL: io_uring where it works */
    uint64_t seed;             /* of select's choices, for runs that repeat; 0: by chance */
    int64_t stuck_ms;          /* who holds a worker so long is named in the log; 0: nobody is */
    void *reserved[4];         /* NULL */
};

/* `config` NULL: all zero. */
SEDGE_API SEDGE_MUST_USE enum sedge_err sedge_rt_new(struct sedge_rt **out,
                                                     const struct sedge_rt_config *config,
                                                     struct sedge_error *error);

/* Runs fn(arg) as a coroutine on worker 0 until it returns; *result (may be NULL) is what it
 * returned. All other coroutines are then canceled, and what becomes runnable by that runs once
 * more, but nothing is waited for: who needs time to wind up gets it in a scope. What still waits
 * then is dropped when the runtime is freed. May be called again. After sedge_rt_stop() it still
 * waits for fn to return, whose waits are cut short unless it is shielded.
 * SEDGE_ERR_PANIC: it has panicked (sedge_panic(3)). */
SEDGE_API SEDGE_MUST_USE enum sedge_err sedge_rt_run(struct sedge_rt *rt, intptr_t (*fn)(void *arg),
                                                     void *arg, intptr_t *result);

/* Cancels all coroutines, the main one too, so that sedge_rt_run() comes to its end. Any thread,
 * and signal handlers. */
SEDGE_API void sedge_rt_stop(struct sedge_rt *rt);

/* NULL: nothing. */
SEDGE_API void sedge_rt_free(struct sedge_rt *rt);

/* A main function: makes a runtime, runs fn(arg), frees it. What fn returned, cut to an int; or 1
 * after a line on standard error that says what failed. */
SEDGE_API int sedge_main(const struct sedge_rt_config *config, intptr_t (*fn)(void *arg),
                         void *arg);

SEDGE_API unsigned sedge_rt_workers(const struct sedge_rt *rt);
SEDGE_API const char *sedge_rt_driver(const struct sedge_rt *rt); /* The one that was chosen. */

/* Of the calling thread. NULL: it is no worker. */
SEDGE_API struct sedge_rt *sedge_rt_current(void);
/* The number of the worker that calls, from 0. UINT_MAX: it is none. */
SEDGE_API unsigned sedge_rt_worker(void);

/* Runs fn(arg) on a thread where it may block (files, look-ups of names, other libraries), and
 * waits until it has returned; a cancellation does not cut it short. `arg` may be on the stack.
 * Coroutines only. SEDGE_ERR_FULL: blocking_max; SEDGE_ERR_IO: no thread could be started. Then fn
 * was not called. */
SEDGE_API SEDGE_MUST_USE enum sedge_err sedge_blocking(void (*fn)(void *arg), void *arg);

SEDGE_END
#endif
