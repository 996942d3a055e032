/* sedge_fork: a computation on all workers: calls that may run elsewhere meanwhile, and their join.
 *
 *     struct part {
 *         struct sedge_fork fork; // first
 *         int n, result;
 *     };
 *     static int fib(int n, struct sedge_lane *lane);
 *     static void fib_part(struct sedge_fork *fork, struct sedge_lane *lane)
 *     {
 *         struct part *p = (struct part *)fork;
 *         p->result = fib(p->n, lane);
 *     }
 *     static int fib(int n, struct sedge_lane *lane)
 *     {
 *         struct part right = {.n = n - 1};
 *         if (n < 2)
 *             return n;
 *         sedge_fork_begin(lane, &right.fork, fib_part);
 *         int left = fib(n - 2, lane);
 *         sedge_fork_join(lane, &right.fork);
 *         return left + right.result;
 *     }
 *
 * Why: a recursion is spread over the workers at the price of a few nanoseconds for a fork that
 * nobody takes. Idle workers take the oldest forks, which are the largest parts; who joins a fork
 * that was taken helps who took it.
 *
 * A fork runs on its forker's stack or the taker's, and may not wait: no channels, locks, sleep. A
 * long computation keeps its worker from everything else.
 *
 * Ownership: a fork lives on its forker's stack until it is joined. Joins come in reverse order of
 * the forks of a function, all of them before it returns.
 *
 * Threads: a lane is its worker's.
 *
 * Bounds: 1024 open forks on a worker; a further one runs at once.
 */
#ifndef SEDGE_FORK_H
#define SEDGE_FORK_H

#include <sedge/err.h>

SEDGE_BEGIN

struct sedge_lane;
struct sedge_fork {
    uint64_t private_[4];
};
/* Of the worker that this code runs on; good until the coroutine that calls waits. */
SEDGE_API struct sedge_lane *sedge_fork_lane(void);
SEDGE_API void sedge_fork_begin(struct sedge_lane *lane, struct sedge_fork *fork,
                                void (*run)(struct sedge_fork *fork, struct sedge_lane *lane));
/* Returns when it has run. */
SEDGE_API void sedge_fork_join(struct sedge_lane *lane, struct sedge_fork *fork);

SEDGE_END
#endif
