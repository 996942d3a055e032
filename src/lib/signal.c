#include <sedge/signal.h>

#include "async/signals.h"
#include "lib/lib_internal.h"

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

enum sedge_err sedge_signals_new(struct sedge_signals **out, struct sedge_chan *to,
                                 const int *signals, size_t n, struct sedge_error *error)
{
    struct worker *w = worker_current();
    struct error e = {0};
    *out = NULL;
    enum err r = ERR_INVALID;
    struct sedge_signals *s = NULL;
    if (!w || worker_index(w) != 0)
        (void)error_set(&e, r, "signals are for worker 0");
    else if (to->chan.size != sizeof(int))
        (void)error_set(&e, r, "signals need a channel of int");
    else if (!(s = mem_zero(alloc_system(), sizeof(*s))))
        r = error_set(&e, ERR_NOMEM, "no memory to watch signals");
    else
        r = signal_watch_new(&s->watch, w, signals, n, caught, s, &e);
    if (r) {
        mem_free(alloc_system(), s, sizeof(*s));
        error_public(error, &e);
        return err_public(r);
    }
    s->to = &to->chan;
    *out = s;
    return SEDGE_OK;
}

void sedge_signals_free(struct sedge_signals *signals)
{
    if (!signals)
        return;
    signal_watch_free(signals->watch); /* calls nobody any more */
    mem_free(alloc_system(), signals, sizeof(*signals));
}
