/* err: results that must be looked at, and one struct for text that people read.
 *
 * Why: a caller decides by code, a person by text; the two never mix. Functions that can
 * fail return enum err and are marked MUST_USE; where a person needs more, they also fill a
 * struct error, which may name a place in a source text.
 * Threads: a struct error belongs to one thread. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUST_USE               __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

enum err {
    ERR_OK = 0,
    ERR_AGAIN,    /* not now: you will be woken */
    ERR_NOMEM,    /* the allocator or its limit refused */
    ERR_FULL,     /* a bounded queue, pool or table is full */
    ERR_IO,       /* the operating system refused; see os_errno */
    ERR_CLOSED,   /* the other side, or we, closed it */
    ERR_TIMEOUT,  /* the deadline passed */
    ERR_CANCELED, /* asked to stop */
    ERR_PROTOCOL, /* the peer broke the protocol */
    ERR_SYNTAX,   /* text that does not parse */
    ERR_RANGE,    /* a number or length outside its bounds */
    ERR_INVALID,  /* an argument or state that makes no sense */
    ERR_NOT_FOUND,
    ERR_EXISTS,
    ERR_DENIED,
    ERR_CORRUPT, /* stored data fails its check */
    ERR_UNSUPPORTED,
    ERR_PANIC, /* the task that was to do it has panicked */
    ERR_BUSY,  /* somebody else has it for now */
};

/* Everything a person needs to mend it: what, where. Zeroed means "no error". */
struct error {
    enum err code;
    int os_errno;    /* 0 if the operating system was not involved */
    char where[128]; /* file or address, "" if there is none */
    uint32_t line;   /* 1-based; 0 if there is none */
    uint32_t column; /* 1-based, in characters */
    char text[256];  /* one sentence, no full stop, no newline */
};

/* A short constant name, "not found". Never NULL. */
const char *err_name(enum err code);

/* Fills *e (may be NULL) and returns `code`, so that `return error_set(…)` works. */
enum err error_set(struct error *e, enum err code, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* The same for a failed system call: appends ": " and strerror(os_errno). */
enum err error_set_os(struct error *e, int os_errno, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* A bug, not an error: prints file, line and the condition, then aborts. Stays on in release. */
#define ASSERT(cond)                                                                               \
    do {                                                                                           \
        if (__builtin_expect(!(cond), 0))                                                          \
            assert_failed(#cond, __FILE__, __LINE__);                                              \
    } while (0)
_Noreturn void assert_failed(const char *cond, const char *file, int line);

/* Who is told on this thread before the end, and may prevent it by not returning: the runtime,
 * which knows whose bug it is. assert_trap_set() returns the one before; NULL: none. */
struct assert_trap {
    void (*failed)(struct assert_trap *t, const char *cond, const char *file, int line);
};
struct assert_trap *assert_trap_set(struct assert_trap *t);

#define ARRAY_LEN(a)                    (sizeof(a) / sizeof((a)[0]))
#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))
