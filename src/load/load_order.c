#include "load/load_order.h"

#include <string.h>

static void gap_remove(struct load_order *o, unsigned at)
{
    o->gaps_n--;
    memmove(&o->gaps[at], &o->gaps[at + 1], (o->gaps_n - at) * sizeof(o->gaps[0]));
}

static void gap_add(struct load_order *o, uint64_t from, uint64_t to)
{
    if (from == to)
        return;
    if (o->gaps_n == LOAD_GAPS)
        gap_remove(o, 0);
    o->gaps[o->gaps_n].from = from;
    o->gaps[o->gaps_n++].to = to;
}

/* Whether the number was missing: then it is not any more. */
static bool gap_fill(struct load_order *o, uint64_t number)
{
    for (unsigned i = 0; i < o->gaps_n; i++) {
        uint64_t from = o->gaps[i].from, to = o->gaps[i].to;
        if (number < from || number >= to)
            continue;
        gap_remove(o, i);
        gap_add(o, from, number);
        gap_add(o, number + 1, to);
        return true;
    }
    return false;
}

void load_order_odd(struct load_order *o, uint64_t number)
{
    if (number > o->next) {
        gap_add(o, o->next, number);
        o->lost += number - o->next;
        o->next = number + 1;
    } else if (gap_fill(o, number)) {
        o->lost--;
        o->reordered++;
    } else {
        o->duplicated++;
    }
}

void load_order_end(struct load_order *o, uint64_t sent)
{
    if (sent > o->next) {
        o->lost += sent - o->next;
        o->next = sent;
    }
}

enum err load_share_init(struct load_share *s, struct alloc *a, size_t on_their_way)
{
    *s = (struct load_share){.alloc = a, .ring = 64};
    while (s->ring < on_their_way * 2)
        s->ring *= 2;
    s->lap = mem_array(a, s->ring, sizeof(*s->lap));
    return s->lap ? ERR_OK : ERR_NOMEM;
}

void load_share_fini(struct load_share *s)
{
    if (s->lap)
        mem_free(s->alloc, s->lap, s->ring * sizeof(*s->lap));
    s->lap = NULL;
}

bool load_share_take(struct load_share *s, uint64_t number)
{
    uint32_t *at = &s->lap[number & (s->ring - 1)];
    uint32_t lap = (uint32_t)(number / s->ring) + 1;
    if (*at >= lap) {
        s->duplicated++;
        return false;
    }
    *at = lap;
    s->seen++;
    return true;
}
