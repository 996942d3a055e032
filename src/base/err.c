#include "base/err.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *err_name(enum err code)
{
    static const char *const names[] = {
        [ERR_OK] = "ok",
        [ERR_AGAIN] = "not now",
        [ERR_NOMEM] = "out of memory",
        [ERR_FULL] = "full",
        [ERR_IO] = "input/output error",
        [ERR_CLOSED] = "closed",
        [ERR_TIMEOUT] = "timed out",
        [ERR_CANCELED] = "canceled",
        [ERR_PROTOCOL] = "protocol error",
        [ERR_SYNTAX] = "syntax error",
        [ERR_RANGE] = "out of range",
        [ERR_INVALID] = "invalid",
        [ERR_NOT_FOUND] = "not found",
        [ERR_EXISTS] = "exists already",
        [ERR_BUSY] = "busy",
        [ERR_DENIED] = "denied",
        [ERR_CORRUPT] = "corrupt",
        [ERR_UNSUPPORTED] = "unsupported",
        [ERR_PANIC] = "panicked",
    };
    if ((size_t)code >= ARRAY_LEN(names))
        return "unknown error";
    return names[code];
}

/* One printable line: control characters become spaces, and a character that the end of the
 * buffer cut in two goes. */
static void text_clean(char *text, bool cut)
{
    size_t n = strlen(text);
    if (cut) {
        while (n > 0 && ((unsigned char)text[n - 1] & 0xC0) == 0x80)
            n--;
        if (n > 0 && (unsigned char)text[n - 1] >= 0xC0)
            n--;
        text[n] = '\0';
    }
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7F)
            text[i] = ' ';
}

static void error_fill(struct error *e, enum err code, int os_errno, const char *fmt, va_list ap)
{
    memset(e, 0, sizeof(*e));
    e->code = code;
    e->os_errno = os_errno;
    int n = vsnprintf(e->text, sizeof(e->text), fmt, ap);
    text_clean(e->text, n >= (int)sizeof(e->text));
}

enum err error_set(struct error *e, enum err code, const char *fmt, ...)
{
    if (e) {
        va_list ap;
        va_start(ap, fmt);
        error_fill(e, code, 0, fmt, ap);
        va_end(ap);
    }
    return code;
}

enum err error_set_os(struct error *e, int os_errno, const char *fmt, ...)
{
    if (e) {
        va_list ap;
        va_start(ap, fmt);
        error_fill(e, ERR_IO, os_errno, fmt, ap);
        va_end(ap);
        char buf[96];
        const char *why = strerror_r(os_errno, buf, sizeof(buf));
        size_t n = strlen(e->text);
        int m = snprintf(e->text + n, sizeof(e->text) - n, ": %s", why);
        text_clean(e->text, m >= (int)(sizeof(e->text) - n));
    }
    return ERR_IO;
}

static _Thread_local struct assert_trap *trap;

/* Out of line: a coroutine may have gone on elsewhere since the address was looked up. */
__attribute__((noinline)) struct assert_trap *assert_trap_set(struct assert_trap *t)
{
    struct assert_trap *before = trap;
    trap = t;
    return before;
}

void assert_failed(const char *cond, const char *file, int line)
{
    struct assert_trap *t = assert_trap_set(NULL); /* a trap's own bugs are not for it */
    if (t) {
        t->failed(t, cond, file, line);
        (void)assert_trap_set(t);
    }
    fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, cond);
    abort();
}
