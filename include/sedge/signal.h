/* sedge_signal: SIGINT, SIGTERM and their like as elements of a channel.
 *
 *     static const int ends[] = {SIGINT, SIGTERM};
 *     struct sedge_signals *s;
 *     struct sedge_chan *quit;
 *     enum sedge_err r = sedge_chan_new(&quit, sizeof(int), 1, SEDGE_LOCAL);
 *     if (!r)
 *         r = sedge_signals_new(&s, quit, ends, 2, NULL);
 *     if (!r)
 *         r = sedge_chan_recv(quit, NULL); // or as an arm of a select
 *
 * Why: a signal's handler interrupts a program anywhere and may do next to nothing. From a channel
 * a signal is received where the program is ready for it, and may be waited for beside other
 * things.
 *
 * Ownership: free it before the channel. The signals stay blocked in the thread.
 *
 * Threads: worker 0. Other threads of the program must block these signals too; the library's own
 * block all.
 *
 * Errors: SEDGE_ERR_INVALID: not called on worker 0, or the channel's elements are no ints.
 * SEDGE_ERR_IO, SEDGE_ERR_NOMEM. */
#ifndef SEDGE_SIGNAL_H
#define SEDGE_SIGNAL_H

#include <sedge/chan.h>

SEDGE_BEGIN

struct sedge_signals;
/* From now on each of these signals is sent to the channel, by its number, an int. While the
 * channel is full they are dropped. */
SEDGE_API SEDGE_MUST_USE enum sedge_err sedge_signals_new(struct sedge_signals **out,
                                                          struct sedge_chan *to, const int *signals,
                                                          size_t n, struct sedge_error *error);
/* NULL: nothing. */
SEDGE_API void sedge_signals_free(struct sedge_signals *signals);

SEDGE_END
#endif
