/* Rows of own_test.c, and of whoever runs programs: what has to happen in the conflicts of
 * own_conflict_cases.h that no check can decide, by their numbers. */
/* clang-format off */
{19, "the button while the schedule has the lamp: the schedule's lease is revoked (2 is stronger than 7), its "
     "`revoked` block runs, the button's block begins; after 1 h it ends by itself, `idle` runs: the lamp is off. "
     "The schedule at 18:00 while the button has it: waits up to 10 min, then `denied`. Nobody has it for longer "
     "than 2 h or 4 h"},
{20, "the division by zero ends the task of `fire` in its block: the lease ends by a crash, so pump.stop() (the "
     "model's safe action) is sent, then the owner's `idle` block runs; `keeper` goes on"},
{21, "motion, quiet for 5 min, and motion again before the delayed off was sent or confirmed: the newer intent wins, "
     "the lamp is on, and the trace says that the older one was dropped; an off that waits while `not motion` breaks "
     "never comes"},
{22, "motion and 26 °C in one batch of samples: turns are atomic and run one after the other in a logged order, and "
     "each looks at the variables as the one before left them: the tap is closed at the end whichever rule runs "
     "first"},
