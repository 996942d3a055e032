#include <sedge/fork.h>

#include "async/fork.h"
#include "lib/facade.h"

struct lib_fork {
    struct fork fork;
    void (*run)(struct sedge_fork *fork, struct sedge_lane *lane);
};
LIB_STORAGE(sedge_fork, lib_fork)

/* A public lane is a house's, seen through a type that nobody defines. */
static inline struct fork_lane *lane_of(struct sedge_lane *lane)
{
    return (struct fork_lane *)lane;
}

struct sedge_lane *sedge_fork_lane(void)
{
    return (struct sedge_lane *)fork_lane();
}

static void run_fork(struct fork *fork, struct fork_lane *lane)
{
    struct lib_fork *f = CONTAINER_OF(fork, struct lib_fork, fork);
    f->run((struct sedge_fork *)f, (struct sedge_lane *)lane);
}

void sedge_fork_begin(struct sedge_lane *lane, struct sedge_fork *fork,
                      void (*run)(struct sedge_fork *fork, struct sedge_lane *lane))
{
    struct lib_fork *f = lib_fork_of(fork);
    f->run = run;
    fork_begin(lane_of(lane), &f->fork, run_fork);
}

void sedge_fork_join(struct sedge_lane *lane, struct sedge_fork *fork)
{
    fork_join(lane_of(lane), &lib_fork_of(fork)->fork);
}
