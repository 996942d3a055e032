/* sedge_panic: a coroutine that can't go on ends alone, and says so.
 *
 *     struct sedge_defer d;
 *     FILE *f = fopen(path, "r");
 *     sedge_defer(&d, close_file, f);
 *     parse(f);         // may panic
 *     sedge_undefer(&d); // closes it, as a panic would have
 *
 * Why: a bug in the work for one request need not end all others, if what it was working on is its
 * own. A coroutine that panics waits for the children of its scopes, which it cancels, runs what it
 * has deferred, and ends; its joiner and its scope get SEDGE_ERR_PANIC. It is logged with its name.
 *
 * Nothing is unwound: what was not deferred is lost, a lock that was held stays held.
 *
 * Threads: the coroutine's own. A panic elsewhere ends the process. */
#ifndef SEDGE_PANIC_H
#define SEDGE_PANIC_H

#include <sedge/err.h>

SEDGE_BEGIN

/* Ends the coroutine that calls, or the process if it is none. What is printed becomes the reason,
 * cut to 255 bytes. */
SEDGE_API __attribute__((noreturn, format(printf, 1, 2))) void sedge_panic(const char *fmt, ...);
/* From now on a mistake in the use of the library, made by the coroutine that calls, is a panic of
 * it, and no longer the end of the process. */
SEDGE_API void sedge_co_contain(void);

struct sedge_defer {
    uint64_t private_[4];
};
/* fn(arg) is called even if a panic comes before sedge_undefer(); the last deferred first. It may
 * wait, and its waits are not cut short. `defer` lies on the coroutine's stack, so sedge_undefer()
 * comes before the function returns. */
SEDGE_API void sedge_defer(struct sedge_defer *defer, void (*fn)(void *arg), void *arg);
/* Calls the newest now. */
SEDGE_API void sedge_undefer(struct sedge_defer *defer);

SEDGE_END
#endif
