#include "base/log.h"
#include "lib/facade.h"
#include <string.h>

#define SAME(name) _Static_assert((int)SEDGE_##name == (int)name, #name)
_Static_assert((int)SEDGE_OK == (int)ERR_OK, "ok");
SAME(ERR_AGAIN);
SAME(ERR_NOMEM);
SAME(ERR_FULL);
SAME(ERR_IO);
SAME(ERR_CLOSED);
SAME(ERR_TIMEOUT);
SAME(ERR_CANCELED);
SAME(ERR_SYNTAX);
SAME(ERR_RANGE);
SAME(ERR_INVALID);
SAME(ERR_NOT_FOUND);
SAME(ERR_EXISTS);
SAME(ERR_DENIED);
SAME(ERR_UNSUPPORTED);
SAME(ERR_PANIC);
_Static_assert((int)SEDGE_LOG_DEBUG == (int)LOG_DEBUG && (int)SEDGE_LOG_ERROR == (int)LOG_ERROR,
               "levels");
_Static_assert(sizeof((struct sedge_error){0}.text) >= sizeof((struct error){0}.text), "text");

const char *sedge_err_name(enum sedge_err code)
{
    return err_name((enum err)code);
}

void error_public(struct sedge_error *to, const struct error *from)
{
    if (!to)
        return;
    to->code = err_public(from->code);
    to->os_errno = from->os_errno;
    memcpy(to->text, from->text, sizeof(from->text));
}

/* The levels of one enum are those of the other, but a call through a pointer of another type would
 * not be C: so the user's sink is called from a sink of ours. Set at start-up, then only read. */
static struct {
    void (*sink)(void *ctx, enum sedge_log_level level, const char *part, const char *text);
    void *ctx;
} user;

static void user_sink(void *ctx, enum log_level level, const char *part, const char *text)
{
    (void)ctx;
    user.sink(user.ctx, (enum sedge_log_level)level, part, text);
}

void sedge_log_to(enum sedge_log_level from,
                  void (*sink)(void *ctx, enum sedge_log_level level, const char *part,
                               const char *text),
                  void *ctx)
{
    user.sink = sink;
    user.ctx = ctx;
    log_set_level((enum log_level)from);
    log_set_sink(sink ? user_sink : NULL, NULL);
}
