#include "bus/bus_internal.h"

#include <string.h>

/* A decision is found by the whole text of its topic, so that no two are ever taken for one; what
 * does not fit is asked each time. */
enum { DECISIONS = 16, DECISION_TEXT = 56 };
struct decision {
    uint32_t generation;    /* of the rules; 0: empty */
    uint8_t known, allowed; /* a bit for each act */
    uint8_t n;
    char topic[DECISION_TEXT];
};
struct bus_decisions {
    struct decision slots[DECISIONS];
};

struct bus_decisions *bus_decisions_new(struct alloc *a)
{
    return mem_zero(a, sizeof(struct bus_decisions));
}

void bus_decisions_free(struct alloc *a, struct bus_decisions *d)
{
    mem_free(a, d, sizeof(*d));
}

void bus_access_set(struct bus *b, const struct bus_access *access)
{
    /* In this order: who sees the new generation sees the new rules, and remembers no others. */
    atomic_store_explicit(&b->access, access, memory_order_release);
    atomic_fetch_add_explicit(&b->access_generation, 1, memory_order_release);
}

/* Where the topic's decisions are, or will be; NULL: nowhere. */
static struct decision *slot_of(struct bus *b, struct bus_decisions *d, uint32_t generation,
                                struct str topic)
{
    if (!d || topic.n > DECISION_TEXT)
        return NULL;
    struct decision *x = &d->slots[routes_hash(b->routes, topic) % DECISIONS];
    if (x->generation == generation && x->n == topic.n && memcmp(x->topic, topic.p, topic.n) == 0)
        return x;
    *x = (struct decision){.generation = generation, .n = (uint8_t)topic.n};
    memcpy(x->topic, topic.p, topic.n);
    return x;
}

bool access_check(struct bus *b, const struct bus_publisher *who, enum bus_act act,
                  struct str topic)
{
    uint32_t generation = atomic_load_explicit(&b->access_generation, memory_order_acquire);
    const struct bus_access *access = atomic_load_explicit(&b->access, memory_order_acquire);
    if (!access || !who || who->trusted)
        return true;
    struct decision *x = slot_of(b, who->decisions, generation, topic);
    uint8_t bit = (uint8_t)(1u << act);
    if (x && x->known & bit)
        return x->allowed & bit;
    bool allowed = access->check(access, who, act, topic);
    if (x) {
        x->known |= bit;
        x->allowed = (uint8_t)(allowed ? x->allowed | bit : x->allowed & ~bit);
    }
    return allowed;
}
