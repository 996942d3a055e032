#include "automation/due.h"

enum err due_init(struct due *d, struct alloc *a, uint32_t slots)
{
    *d = (struct due){.alloc = a, .slots = slots};
    d->heap = mem_array(a, (size_t)slots + 1, sizeof(*d->heap));
    d->place = mem_array(a, (size_t)slots + 1, sizeof(*d->place));
    if (d->heap && d->place)
        return ERR_OK;
    due_fini(d);
    return ERR_NOMEM;
}

void due_fini(struct due *d)
{
    if (d->heap)
        mem_free(d->alloc, d->heap, ((size_t)d->slots + 1) * sizeof(*d->heap));
    if (d->place)
        mem_free(d->alloc, d->place, ((size_t)d->slots + 1) * sizeof(*d->place));
    d->heap = NULL;
    d->place = NULL;
    d->n = d->slots = 0;
}

static bool earlier(const struct due_entry *a, const struct due_entry *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->slot < b->slot;
}

static void put(struct due *d, uint32_t at, struct due_entry e)
{
    d->heap[at] = e;
    d->place[e.slot] = at + 1;
}

static void sift_up(struct due *d, uint32_t at, struct due_entry e)
{
    while (at > 0 && earlier(&e, &d->heap[(at - 1) / 2])) {
        put(d, at, d->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    put(d, at, e);
}

static void sift_down(struct due *d, uint32_t at, struct due_entry e)
{
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= d->n)
            break;
        if (child + 1 < d->n && earlier(&d->heap[child + 1], &d->heap[child]))
            child++;
        if (!earlier(&d->heap[child], &e))
            break;
        put(d, at, d->heap[child]);
        at = child;
    }
    put(d, at, e);
}

/* The entry takes the free place `at`. */
static void settle(struct due *d, uint32_t at, struct due_entry e)
{
    if (at > 0 && earlier(&e, &d->heap[(at - 1) / 2]))
        sift_up(d, at, e);
    else
        sift_down(d, at, e);
}

void due_set(struct due *d, uint32_t slot, int64_t at_ns)
{
    ASSERT(slot < d->slots);
    uint32_t at = d->place[slot] ? d->place[slot] - 1 : d->n++;
    settle(d, at, (struct due_entry){at_ns, slot});
}

void due_cancel(struct due *d, uint32_t slot)
{
    ASSERT(slot < d->slots);
    uint32_t at = d->place[slot];
    if (!at)
        return;
    d->place[slot] = 0;
    struct due_entry last = d->heap[--d->n];
    if (at - 1 < d->n)
        settle(d, at - 1, last);
}

int64_t due_at(const struct due *d, uint32_t slot)
{
    return d->place[slot] ? d->heap[d->place[slot] - 1].at_ns : DUE_NEVER;
}

int64_t due_next_ns(const struct due *d)
{
    return d->n ? d->heap[0].at_ns : DUE_NEVER;
}

bool due_take(struct due *d, int64_t now_ns, uint32_t *slot)
{
    if (d->n == 0 || d->heap[0].at_ns > now_ns)
        return false;
    *slot = d->heap[0].slot;
    due_cancel(d, *slot);
    return true;
}
