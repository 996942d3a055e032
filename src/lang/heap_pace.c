/* When the collector works, and how much. In sizes of what was live after the last cycle: the next
 * one begins when START of it is in use, and its marking should end at END, so that blocks never
 * hold twice what is live. The nearer the two are, the more a step has to do; the further apart,
 * the more of what dies meanwhile stays until the next cycle. */
#include "lang/heap_internal.h"

enum {
    LIVE_MIN = 32768, /* below that, garbage costs less than looking for it */
    START_PERCENT = 65,
    END_PERCENT = 80,
    STEP_COST = 20000,
    SWEEP_LATE = 4, /* blocks at once, when the next cycle is due */
};

void heap_pace(struct heap *h)
{
    size_t live = h->stats.live > LIVE_MIN ? h->stats.live : LIVE_MIN;
    size_t start = live + live / 100 * START_PERCENT;
    size_t end = live + live / 100 * END_PERCENT;
    size_t limit = h->config.limit - h->config.limit / 16;
    if (end > limit)
        end = limit;
    /* Never at once again, however near the end is. */
    size_t soonest = h->used + (end > h->used ? (end - h->used) / 2 : live / 16);
    if (start > soonest && end == limit)
        start = soonest;
    if (start < h->used + live / 16)
        start = h->used + live / 16;
    h->start_at = start;
    h->end_at = end > start + live / 16 ? end : start + live / 16;
}

/* Bytes to be marked while `bytes` are allocated. */
static size_t marking_due(const struct heap *h, size_t bytes)
{
    size_t expected = h->stats.live + h->stats.live / 8;
    if (expected <= h->marked)
        expected = h->from; /* it has grown: at most all that there was */
    size_t left = expected > h->marked ? expected - h->marked : 0;
    size_t room = h->end_at > h->used ? h->end_at - h->used : 0;
    if (room < bytes)
        room = bytes;
    size_t due = (size_t)((double)left / (double)room * (double)bytes);
    return due > bytes ? due : bytes;
}

void heap_advance(struct heap *h, size_t bytes, unsigned c)
{
    switch ((enum heap_phase)h->phase) {
    case HEAP_IDLE:
        if (h->used + bytes < h->start_at)
            return;
        heap_mark_begin(h);
        break;
    case HEAP_MARK:
        if (heap_mark_some(h, marking_due(h, bytes), STEP_COST))
            heap_sweep_begin(h);
        break;
    case HEAP_SWEEP: {
        int n = h->used + bytes < h->start_at ? 1 : SWEEP_LATE;
        while (n-- > 0 && heap_sweep_some(h, c))
            ;
        break;
    }
    }
    h->stats.steps++;
}
