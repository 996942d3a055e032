/* sedge: a runtime for C: coroutines, channels, streams, pools.
 *
 *     cc program.c $(pkg-config --cflags --libs sedge-rt)
 *
 * Why: coroutines with channels, select, structured scopes and sockets, on a few threads, for
 * programs in C. The library libsedge-rt needs the C library and liburing, and no other.
 * <sedge/sedge.h> includes all of its headers.
 *
 * The pages: sedge_rt(3) the runtime, sedge_co(3) coroutines and scopes, sedge_panic(3) ends that
 * nobody has planned, sedge_chan(3) channels and select, sedge_sync(3) mutex, semaphore, wait group
 * and once, sedge_timer(3) time, sedge_stream(3) the network, sedge_conn_pool(3) connections that
 * are kept, sedge_signal(3) signals, sedge_task(3) poll tasks, sedge_fork(3) computing on all
 * workers, sedge_pool(3) pools and arenas, sedge_err(3) errors.
 *
 * Compatibility: types whose content is called private_ have room to grow, and symbols are
 * versioned (SEDGE_RT_0.1). While the version begins with 0, a minor version may break the binary
 * interface. Its symbols have another version then: an old program is refused instead of going
 * wrong.
 *
 * Threads: each page says which calls may come from where. */
#ifndef SEDGE_SEDGE_H
#define SEDGE_SEDGE_H

#include <sedge/chan.h>
#include <sedge/co.h>
#include <sedge/conn_pool.h>
#include <sedge/err.h>
#include <sedge/fork.h>
#include <sedge/panic.h>
#include <sedge/pool.h>
#include <sedge/rt.h>
#include <sedge/signal.h>
#include <sedge/stream.h>
#include <sedge/sync.h>
#include <sedge/task.h>
#include <sedge/timer.h>

#endif
