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

void load_share_init(struct load_share *s, struct alloc *a)
{
    *s = (struct load_share){.alloc = a};
}

void load_share_fini(struct load_share *s)
{
    if (s->bits)
        mem_free(s->alloc, s->bits, s->words * sizeof(*s->bits));
    s->bits = NULL;
    s->words = 0;
}

static bool has_word(struct load_share *s, size_t word)
{
    size_t words = s->words ? s->words : 1024;
    while (words <= word)
        words *= 2;
    if (words == s->words)
        return true;
    uint64_t *bits = mem_array(s->alloc, words, sizeof(*bits));
    if (!bits)
        return false;
    if (s->bits)
        memcpy(bits, s->bits, s->words * sizeof(*bits));
    load_share_fini(s);
    s->bits = bits;
    s->words = words;
    return true;
}

bool load_share_take(struct load_share *s, uint64_t number)
{
    size_t word = number / 64;
    uint64_t bit = UINT64_C(1) << number % 64;
    if (!has_word(s, word))
        return false;
    if (s->bits[word] & bit) {
        s->duplicated++;
        return false;
    }
    s->bits[word] |= bit;
    s->seen++;
    return true;
}
