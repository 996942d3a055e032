#include "protocol/mqtt_flight.h"

/* A PUBREC for what was released already comes from a client that has not got its PUBREL. One that
 * refuses then has nothing to be released. */
static const uint8_t table[FLIGHT_STATES][FLIGHT_EVENTS] = {
    [FLIGHT_DONE] =
        {
            [FLIGHT_PUBACK] = FLIGHT_IGNORE,
            [FLIGHT_PUBREC] = FLIGHT_UNKNOWN,
            [FLIGHT_REFUSED] = FLIGHT_IGNORE,
            [FLIGHT_PUBCOMP] = FLIGHT_IGNORE,
        },
    [FLIGHT_SENT1] =
        {
            [FLIGHT_PUBACK] = FLIGHT_FINISH,
        },
    [FLIGHT_SENT2] =
        {
            [FLIGHT_PUBREC] = FLIGHT_RELEASE,
            [FLIGHT_REFUSED] = FLIGHT_FINISH,
        },
    [FLIGHT_RELEASED] =
        {
            [FLIGHT_PUBREC] = FLIGHT_AGAIN,
            [FLIGHT_REFUSED] = FLIGHT_FINISH,
            [FLIGHT_PUBCOMP] = FLIGHT_FINISH,
        },
};

enum flight_action flight_action(enum flight_state state, enum flight_event event)
{
    return table[state][event];
}

uint16_t flight_next_id(uint16_t id)
{
    return id == UINT16_MAX ? 1 : (uint16_t)(id + 1);
}

/* How many steps it is from one id to another: there are 65,535. */
static uint32_t distance(uint16_t from, uint16_t to)
{
    return to >= from ? (uint32_t)(to - from) : (uint32_t)to + UINT16_MAX - from;
}

struct flight *flight_find(const struct flight_ring *r, uint16_t id, uint32_t *index)
{
    if (!r->n || !id)
        return NULL;
    uint32_t i = distance(flight_at(r, 0)->id, id);
    if (i >= r->n || flight_at(r, i)->state == FLIGHT_DONE)
        return NULL;
    *index = i;
    return flight_at(r, i);
}

static bool grow(struct alloc *a, struct flight_ring *r)
{
    uint32_t cap = r->cap ? r->cap * 2 : 8;
    struct flight *v = mem_new(a, cap * sizeof(*v));
    if (!v)
        return false;
    for (uint32_t i = 0; i < r->n; i++)
        v[i] = *flight_at(r, i);
    mem_free(a, r->v, r->cap * sizeof(*r->v));
    r->v = v;
    r->cap = cap;
    r->head = 0;
    return true;
}

bool flight_reserve(struct alloc *a, struct flight_ring *r)
{
    return r->n < r->cap || grow(a, r);
}

void flight_push(struct flight_ring *r, const struct flight *f)
{
    ASSERT(r->n < r->cap);
    ASSERT(!r->n || flight_next_id(flight_at(r, r->n - 1)->id) == f->id);
    r->n++;
    *flight_at(r, r->n - 1) = *f;
}

/* Appends holes from *next_id up to, and without, `end`. */
static bool fill(struct alloc *a, struct flight_ring *r, uint16_t *next_id, uint16_t end)
{
    for (; *next_id != end; *next_id = flight_next_id(*next_id)) {
        if (!flight_reserve(a, r))
            return false;
        flight_push(r, &(struct flight){.id = *next_id});
    }
    return true;
}

static bool append(struct alloc *a, struct flight_ring *r, const struct flight *f,
                   uint16_t *next_id)
{
    if (!fill(a, r, next_id, f->id) || !flight_reserve(a, r))
        return false;
    flight_push(r, f);
    *next_id = flight_next_id(f->id);
    return true;
}

static bool prepend(struct alloc *a, struct flight_ring *r, const struct flight *f, uint16_t before)
{
    while (r->n + distance(f->id, before) > r->cap)
        if (!grow(a, r))
            return false;
    while (before != f->id) {
        before = before == 1 ? UINT16_MAX : (uint16_t)(before - 1);
        r->head = (r->head - 1) & (r->cap - 1);
        r->n++;
        *flight_at(r, 0) = (struct flight){.id = before};
    }
    *flight_at(r, 0) = *f;
    return true;
}

#define HALF (UINT16_MAX / 2)

bool flight_place(struct alloc *a, struct flight_ring *r, const struct flight *f, uint16_t *next_id,
                  uint32_t max)
{
    uint16_t head = r->n ? flight_at(r, 0)->id : *next_id;
    uint32_t ahead = distance(head, f->id);
    if (ahead < r->n) {
        ASSERT(flight_at(r, ahead)->state == FLIGHT_DONE);
        *flight_at(r, ahead) = *f;
        return true;
    }
    if (ahead > HALF)
        return r->n + distance(f->id, head) <= max && prepend(a, r, f, head);
    if (!r->n)
        *next_id = f->id; /* ids that were skipped while nothing was under way */
    return (!r->n || ahead < max) && append(a, r, f, next_id);
}

uint32_t flight_shrink(struct flight_ring *r)
{
    uint32_t gone = 0;
    while (r->n && flight_at(r, 0)->state == FLIGHT_DONE) {
        r->head = (r->head + 1) & (r->cap - 1);
        r->n--;
        gone++;
    }
    return gone;
}

void flight_trim(struct alloc *a, struct flight_ring *r)
{
    if (r->n || !r->cap)
        return;
    mem_free(a, r->v, r->cap * sizeof(*r->v));
    *r = (struct flight_ring){0};
}
