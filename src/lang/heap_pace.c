/* When the collector works, and how much. In sizes of what was live after the last cycle: the next
 * one begins when START of it is in use, and its marking should end at END, so that blocks never
 * hold twice what is live. The nearer the two are, the more a step has to do; the further apart,
 * the more of what dies meanwhile stays until the next cycle. */
#include "lang/heap_internal.h"

enum {
    LIVE_MIN = 8192, /* below that, garbage costs less than looking for it */
    START_PERCENT = 70,
    END_PERCENT = 84,
    STEP_COST = 20000,
    STEP_BYTES = 24000, /* that a step should not have to mark: then it takes less memory at once */
    SWEEP_LATE = 4,     /* blocks at once, when the next cycle is due */
};

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Where there is no room for all that, the limit says how far the two are from what is used now. */
void heap_pace(struct heap *h)
{
    size_t live = h->stats.live > LIVE_MIN ? h->stats.live : LIVE_MIN;
    size_t room = h->config.limit > h->used ? h->config.limit - h->used : 0;
    size_t start = least(live + live / 100 * START_PERCENT, h->used + room / 8 * 3);
    size_t end = least(live + live / 100 * END_PERCENT, h->used + room / 4 * 3);
    size_t apart = least(live / 16, room / 8);
    h->start_at = start > h->used + apart ? start : h->used + apart;
    h->end_at = end > h->start_at + apart ? end : h->start_at + apart;
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

size_t heap_piece(const struct heap *h)
{
    bool much = h->phase == HEAP_MARK && marking_due(h, HEAP_PIECE) > STEP_BYTES;
    return much ? HEAP_PIECE / 4 : HEAP_PIECE;
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
