#include "base/log_limit.h"

#include <stdio.h>
#include <string.h>

enum { PROBES = 8 };

static bool over(const struct log_place *p, int64_t now_ns)
{
    return now_ns - p->since_ns >= LOG_LIMIT_NS;
}

/* Its slot, a free one, or one that has been quiet; with all taken the first is shared. */
static struct log_place *place_of(struct log_limit *l, const char *fmt, int64_t now_ns)
{
    uintptr_t at = (uintptr_t)fmt;
    size_t first = (size_t)((at >> 3) ^ (at >> 11)) % LOG_LIMIT_SLOTS;
    struct log_place *spare = NULL;
    for (size_t i = 0; i < PROBES; i++) {
        struct log_place *p = &l->places[(first + i) % LOG_LIMIT_SLOTS];
        if (p->fmt == fmt)
            return p;
        if (!spare && (!p->fmt || (over(p, now_ns) && !p->left_out.lines)))
            spare = p;
    }
    if (!spare)
        return &l->places[first];
    *spare = (struct log_place){.fmt = fmt, .since_ns = now_ns};
    return spare;
}

bool log_limit_pass(struct log_limit *l, const char *fmt, const char *part, const char *text,
                    int64_t now_ns)
{
    struct log_place *p = place_of(l, fmt, now_ns);
    if (over(p, now_ns) && !p->left_out.lines)
        *p = (struct log_place){.fmt = fmt, .since_ns = now_ns};
    if (p->lines < LOG_LIMIT_LINES) {
        p->lines++;
        return true;
    }
    l->full += p->left_out.lines == 0;
    p->left_out.part = part;
    p->left_out.lines++;
    (void)snprintf(p->left_out.last, sizeof(p->left_out.last), "%s", text);
    return false;
}

bool log_limit_over(struct log_limit *l, int64_t now_ns, struct log_left_out *out)
{
    for (size_t i = 0; l->full && i < LOG_LIMIT_SLOTS; i++) {
        struct log_place *p = &l->places[i];
        if (!p->left_out.lines || (now_ns != INT64_MAX && !over(p, now_ns)))
            continue;
        *out = p->left_out;
        *p = (struct log_place){0};
        l->full--;
        return true;
    }
    return false;
}
