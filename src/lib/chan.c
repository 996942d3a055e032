#include <sedge/chan.h>

#include "async/select.h"
#include "lib/facade.h"

_Static_assert(offsetof(struct sedge_chan, chan) == 0,
               "an arm holds one by the address of the other");

/* Arms are handed over as they are. */
#define SAME_PLACE(outer, inner)                                                                   \
    _Static_assert(offsetof(struct sedge_arm, outer) == offsetof(struct select_arm, inner), #outer)
SAME_PLACE(kind, kind);
SAME_PLACE(chan, chan);
SAME_PLACE(u.into, into);
SAME_PLACE(u.from, from);
SAME_PLACE(u.after_ms, after_ms);
_Static_assert(sizeof(struct sedge_arm) == sizeof(struct select_arm), "arm");
_Static_assert((int)SEDGE_ARM_SEND == (int)SELECT_SEND && (int)SEDGE_ARM_RECV == (int)SELECT_RECV &&
                   (int)SEDGE_ARM_AFTER == (int)SELECT_AFTER &&
                   (int)SEDGE_ARM_WOKEN == (int)SELECT_WOKEN,
               "kinds of arms");

enum sedge_err sedge_chan_new(struct sedge_chan **out, size_t element_size, size_t capacity,
                              enum sedge_reach reach)
{
    struct alloc *a = alloc_system();
    *out = NULL;
    struct sedge_chan *c = mem_new(a, sizeof(*c));
    if (!c)
        return SEDGE_ERR_NOMEM;
    enum err r = chan_init(&c->chan, a, element_size, capacity, lib_reach(reach));
    if (r) {
        mem_free(a, c, sizeof(*c));
        return err_public(r);
    }
    *out = c;
    return SEDGE_OK;
}

void sedge_chan_free(struct sedge_chan *chan)
{
    if (!chan)
        return;
    chan_fini(&chan->chan);
    mem_free(alloc_system(), chan, sizeof(*chan));
}

enum sedge_err sedge_chan_send(struct sedge_chan *chan, const void *element)
{
    return err_public(chan_send(&chan->chan, element));
}

enum sedge_err sedge_chan_recv(struct sedge_chan *chan, void *element)
{
    return err_public(chan_recv(&chan->chan, element));
}

enum sedge_err sedge_chan_try_send(struct sedge_chan *chan, const void *element)
{
    return err_public(chan_try_send(&chan->chan, element));
}

enum sedge_err sedge_chan_try_recv(struct sedge_chan *chan, void *element)
{
    return err_public(chan_try_recv(&chan->chan, element));
}

enum sedge_err sedge_chan_send_timed(struct sedge_chan *chan, const void *element,
                                     int64_t timeout_ms)
{
    return err_public(chan_send_timed(&chan->chan, element, timeout_ms));
}

enum sedge_err sedge_chan_recv_timed(struct sedge_chan *chan, void *element, int64_t timeout_ms)
{
    return err_public(chan_recv_timed(&chan->chan, element, timeout_ms));
}

void sedge_chan_close(struct sedge_chan *chan)
{
    chan_close(&chan->chan);
}

size_t sedge_chan_len(struct sedge_chan *chan)
{
    return chan_len(&chan->chan);
}

enum sedge_err sedge_select(const struct sedge_arm *arms, size_t n, size_t *arm)
{
    return err_public(select_wait((const struct select_arm *)(const void *)arms, n, arm));
}

enum sedge_err sedge_select_try(const struct sedge_arm *arms, size_t n, size_t *arm)
{
    return err_public(select_try((const struct select_arm *)(const void *)arms, n, arm));
}
