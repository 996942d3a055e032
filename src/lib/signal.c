#include <sedge/signal.h>

#include "async/signals.h"
#include "lib/facade.h"

struct sedge_signals {
    struct signal_watch *watch;
    struct chan *to;
};

static void caught(void *ctx, int signal)
{
    struct sedge_signals *s = ctx;
    enum err r = chan_try_send(s->to, &signal);
    (void)r; /* a full or closed channel drops it, as promised */
}

static enum err signals_new(struct sedge_signals **out, struct chan *to, const int *signals,
                            size_t n, struct error *e)
{
    struct worker *w = worker_current();
    if (!w || worker_index(w) != 0)
        return error_set(e, ERR_INVALID, "signals are for worker 0");
    if (to->size != sizeof(int))
        return error_set(e, ERR_INVALID, "signals need a channel of int");
    struct sedge_signals *s = mem_zero(alloc_system(), sizeof(*s));
    if (!s)
        return error_set(e, ERR_NOMEM, "no memory to watch signals");
    s->to = to;
    enum err r = signal_watch_new(&s->watch, w, signals, n, caught, s, e);
    if (r)
        mem_free(alloc_system(), s, sizeof(*s));
    else
        *out = s;
    return r;
}

enum sedge_err sedge_signals_new(struct sedge_signals **out, struct sedge_chan *to,
                                 const int *signals, size_t n, struct sedge_error *error)
{
    struct error e = {0};
    *out = NULL;
    enum err r = signals_new(out, &to->chan, signals, n, &e);
    if (r)
        error_public(error, &e);
    return err_public(r);
}

void sedge_signals_free(struct sedge_signals *signals)
{
    if (!signals)
        return;
    signal_watch_free(signals->watch); /* calls nobody any more */
    mem_free(alloc_system(), signals, sizeof(*signals));
}
