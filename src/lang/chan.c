#include "lang/chan.h"

struct chan *chan_obj_new(struct heap *h, bool refs, size_t cap)
{
    if (cap == 0 || cap > CHAN_CAP_MAX)
        return NULL;
    struct chan *c =
        (struct chan *)(void *)heap_new(h, OBJ_CHAN, refs ? CHAN_REFS : 0, sizeof(*c) + 8 * cap);
    if (c)
        c->cap = (uint32_t)cap;
    return c;
}

/* The words of (cap, n) and (head, closed). */
static bool touch_state(struct heap *h, struct chan *c)
{
    return heap_touch(h, &c->hdr, &c->cap, false) && heap_touch(h, &c->hdr, &c->head, false);
}

static bool slot_write(struct heap *h, struct chan *c, uint32_t at, union lang_slot v)
{
    bool ref = c->hdr.layout & CHAN_REFS;
    if (!heap_touch(h, &c->hdr, &c->slot[at], ref))
        return false;
    if (ref)
        heap_store(h, &c->slot[at], v.o);
    else
        c->slot[at] = v;
    return true;
}

enum err chan_obj_put(struct heap *h, struct chan *c, union lang_slot v)
{
    if (c->closed)
        return ERR_CLOSED;
    if (c->n == c->cap)
        return ERR_FULL;
    if (!touch_state(h, c) || !slot_write(h, c, (c->head + c->n) % c->cap, v))
        return ERR_NOMEM;
    c->n++;
    return ERR_OK;
}

enum err chan_obj_take(struct heap *h, struct chan *c, union lang_slot *out)
{
    if (c->n == 0)
        return c->closed ? ERR_CLOSED : ERR_AGAIN;
    *out = c->slot[c->head];
    if (!touch_state(h, c))
        return ERR_NOMEM;
    if ((c->hdr.layout & CHAN_REFS) && !slot_write(h, c, c->head, (union lang_slot){.o = NULL}))
        return ERR_NOMEM;
    c->head = (c->head + 1) % c->cap;
    c->n--;
    return ERR_OK;
}

bool chan_obj_close(struct heap *h, struct chan *c)
{
    if (!heap_touch(h, &c->hdr, &c->head, false))
        return false;
    c->closed = 1;
    return true;
}
