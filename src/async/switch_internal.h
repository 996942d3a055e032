/* switch_internal: the switch of stacks, in assembly: switch_x86_64.S, switch_aarch64.S.
 *
 * Why out of line: an inline switch clobbers the red zone, and the compiler can't know what it
 * spilled. What the calling convention makes the callee keep is saved on the stack that is left:
 * registers, and the control words of the floating point unit (rounding, traps).
 *
 * How it ends: the processor predicts where a return goes from the calls that it has seen. A
 * coroutine that goes on returns through as many functions as it had called, mostly the same ones
 * as the one that is left, so a return into it is predicted well, and a jump would leave every
 * later return off by one. A coroutine that begins has no call behind it: it is jumped to, and what
 * it calls on its way is balanced, so that the one after it finds the predictor in order. (Measured
 * in a ping-pong: 95 ns with jumps, 58 with returns.)
 * The one return that is predicted wrong is the last, out of the wait into code of the user's, if
 * the one that was left waits at another place: see switch_tail(). Threads: none; both stacks are
 * the caller's. */
#pragma once

#include "base/err.h"

struct co;

/* Leaves this stack, whose pointer goes to *from, and goes on where `to` was left. */
void switch_stack(void **from, void *to);
/* What `to` of a stack that has not run yet is: calls co_begin(c), co_end(c, fn(arg)), and goes on
 * with the stack that co_end() returns. `top` is aligned to 16 bytes. The control words are
 * those that a program begins with. It may be called on that very stack
 * from co_end(): a running coroutine does not use the place that is written to. */
void *switch_frame(void *top, struct co *c, intptr_t (*fn)(void *arg), void *arg);

/* What a wait is called by, last, so that its result is the caller's: returns what `wait` did as
 * its first result. The second is where the one that was left before this one went on waits: the
 * `site` that its wait was called with. If it is ours, that is what the processor predicts for the
 * return; else it would be wrong, and a jump, which is predicted by what was jumped to before,
 * takes its place where there is one that is faster. (Measured in a ping-pong: 43 ns with returns,
 * 31 with jumps; in a ring of alike ones 18 with returns, 20 with jumps.) */
struct switch_tail {
    enum err result;
    const void *site;
};
typedef struct switch_tail switch_wait(void *a, void *b, void *c, int64_t d, const void *site);
enum err switch_tail(void *a, void *b, void *c, int64_t d, switch_wait *wait);

/* coroutine.c; called by the frame alone. */
void co_begin(struct co *c);
void *co_end(struct co *c, intptr_t result);
