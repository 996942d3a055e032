/* barrier: a memory barrier that one thread makes for all of them.
 *
 * Why: who takes work from its own end of a deque a hundred million times a second, and who steals
 * from the other end a few times, need one barrier each. This moves the cost of both to the thief:
 * it interrupts the cores that run this process (some microseconds), and the owner needs none.
 * Threads: any.
 * Source: membarrier(2), MEMBARRIER_CMD_PRIVATE_EXPEDITED; asymmetric barriers as in liburcu and
 * HotSpot's biased locks. */
#pragma once

#include <stdbool.h>

/* Once for the process, before threads rely on it. False: this kernel or container has none. */
bool barrier_all_prepare(void);
/* When it returns, what each thread of the process had stored when it was called is seen by all. */
void barrier_all(void);
