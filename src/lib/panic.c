#include <sedge/panic.h>

#include "async/panic.h"
#include "lib/facade.h"
#include <stdio.h>

LIB_STORAGE(sedge_defer, co_defer)

void sedge_panic(const char *fmt, ...)
{
    char text[256];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    task_panic("%s", text);
}

void sedge_co_contain(void)
{
    co_contain();
}

void sedge_defer(struct sedge_defer *defer, void (*fn)(void *arg), void *arg)
{
    co_defer(co_defer_of(defer), fn, arg);
}

void sedge_undefer(struct sedge_defer *defer)
{
    co_undefer(co_defer_of(defer));
}
