/* switch_internal: the switch of stacks, in assembly: switch_x86_64.S, switch_aarch64.S.
 *
 * Why out of line: an inline switch clobbers the red zone, and the compiler can't know what it
 * spilled. What the calling convention makes the callee keep is saved on the stack that is left:
 * registers, and the control words of the floating point unit (rounding, traps). It ends with a
 * jump and not with a return: the return predictor would guess the wrong stack.
 * Threads: none; both stacks are the caller's. */
#pragma once

#include <stdint.h>

struct co;

/* Leaves this stack, whose pointer goes to *from, and goes on where `to` was left. */
void switch_stack(void **from, void *to);
/* What `to` of a stack that has not run yet is: calls co_main(c, fn, arg) on it. `top` is aligned
 * to 16 bytes. Takes the control words from the caller. */
void *switch_frame(void *top, struct co *c, intptr_t (*fn)(void *arg), void *arg);
/* coroutine.c; called by the frame alone. */
_Noreturn void co_main(struct co *c, intptr_t (*fn)(void *arg), void *arg);
