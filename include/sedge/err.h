/* sedge_err: results that must be looked at, and text for people.
 *
 * Why: a program decides by code, a person by text; the two never mix. A function that can fail
 * returns enum sedge_err, and the compiler warns when nobody looks at it. Where a person needs
 * more, it also fills a struct sedge_error.
 *
 * Full is an answer: every queue, pool and table has a limit, and SEDGE_ERR_FULL at the limit is
 * for the caller to turn into back-pressure.
 *
 * A mistake in the use of the library (freeing what is waited for, waiting outside a coroutine) is
 * no error: the process is ended with a line on standard error that names the condition.
 *
 * Threads: a struct sedge_error belongs to one thread. sedge_log_to() before any other call. */
#ifndef SEDGE_ERR_H
#define SEDGE_ERR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__cplusplus)
#define SEDGE_BEGIN extern "C" {
#define SEDGE_END   }
#else
#define SEDGE_BEGIN
#define SEDGE_END
#endif
#define SEDGE_API      __attribute__((visibility("default")))
#define SEDGE_MUST_USE __attribute__((warn_unused_result))

SEDGE_BEGIN

/* The numbers are part of the interface and never change. */
enum sedge_err {
    SEDGE_OK = 0,
    SEDGE_ERR_AGAIN = 1,    /* it would have had to wait */
    SEDGE_ERR_NOMEM = 2,    /* no memory, or its limit is reached */
    SEDGE_ERR_FULL = 3,     /* a bounded queue, pool or table is full */
    SEDGE_ERR_IO = 4,       /* the operating system refused; see os_errno */
    SEDGE_ERR_CLOSED = 5,   /* the other side, or we, closed it */
    SEDGE_ERR_TIMEOUT = 6,  /* the deadline passed */
    SEDGE_ERR_CANCELED = 7, /* asked to stop */
    SEDGE_ERR_SYNTAX = 9,   /* text that does not parse */
    SEDGE_ERR_RANGE = 10,   /* a number or length outside its bounds */
    SEDGE_ERR_INVALID = 11, /* an argument or state that makes no sense */
    SEDGE_ERR_NOT_FOUND = 12,
    SEDGE_ERR_EXISTS = 13,
    SEDGE_ERR_DENIED = 14,
    SEDGE_ERR_UNSUPPORTED = 16,
    SEDGE_ERR_PANIC = 17 /* the coroutine that was to do it has panicked */
};

/* What a person needs to mend it. All zero: no error. */
struct sedge_error {
    enum sedge_err code;
    int os_errno;   /* 0: the operating system was not involved */
    char text[256]; /* one sentence, no full stop, no newline */
};

/* A short constant name, "timed out". Never NULL. */
SEDGE_API const char *sedge_err_name(enum sedge_err code);

enum sedge_log_level { SEDGE_LOG_DEBUG, SEDGE_LOG_INFO, SEDGE_LOG_WARN, SEDGE_LOG_ERROR };

/* Where the library's few messages go that belong to no call ("no connection can be taken for
 * now"), from which level on. `sink` may be called by any thread; NULL: standard error, as at
 * first. */
SEDGE_API void sedge_log_to(enum sedge_log_level from,
                            void (*sink)(void *ctx, enum sedge_log_level level, const char *part,
                                         const char *text),
                            void *ctx);

SEDGE_END
#endif
