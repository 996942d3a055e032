/* facade: from the public types of include/sedge to those of the house and back.
 *
 * Why: the facade is thin: a call is a jump, a type that is embedded in its user's memory is the
 * house's type in storage with room to grow, and the numbers of errors are the same. What must be
 * true for that is asserted here and beside the users, when the library is compiled. */
#pragma once

#include "async/channel.h"
#include "async/executor.h"
#include "async/offload.h"
#include "async/wait.h"
#include "net/addr.h"
#include <sedge/chan.h>
#include <sedge/stream.h>

/* A function inner_of() from the public storage to the house's type in it. */
#define LIB_STORAGE(outer, inner)                                                                  \
    _Static_assert(sizeof(struct inner) <= sizeof(struct outer), #inner " outgrew " #outer);       \
    _Static_assert(_Alignof(struct inner) <= _Alignof(struct outer), "alignment of " #inner);      \
    static inline struct inner *inner##_of(const struct outer *o)                                  \
    {                                                                                              \
        return (struct inner *)(uintptr_t)o;                                                       \
    }

LIB_STORAGE(sedge_addr, addr)

/* A public stream is a house's, seen through a type that nobody defines. */
struct stream;
static inline struct stream *stream_of(const struct sedge_stream *s)
{
    return (struct stream *)(uintptr_t)s;
}
static inline struct sedge_stream *stream_public(struct stream *s)
{
    return (struct sedge_stream *)s;
}

struct sedge_rt {
    struct alloc *alloc;
    struct executor *ex;
    struct env env; /* the real one, but for the seed */
    struct offload_queue *blocking;
};
/* The env of each executor is the one in its runtime. */
static inline struct sedge_rt *rt_of(struct worker *w)
{
    return CONTAINER_OF(executor_env(worker_executor(w)), struct sedge_rt, env);
}

struct sedge_chan {
    struct chan chan; /* first */
};

static inline enum sedge_err err_public(enum err e)
{
    return (enum sedge_err)e;
}
static inline enum reach lib_reach(enum sedge_reach r)
{
    return r == SEDGE_LOCAL ? REACH_WORKER : REACH_ANY;
}
struct sedge_rt_config;
enum err rt_new(struct sedge_rt **out, struct alloc *a, const struct sedge_rt_config *cfg,
                struct error *e);
void error_public(struct sedge_error *to, const struct error *from);
