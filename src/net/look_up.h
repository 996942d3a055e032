/* look_up: the addresses of a host, by the system's resolver (getaddrinfo(), POSIX).
 *
 * Why: everyone who connects to a name wants the same: what is an address already is not asked for,
 * of a name all addresses in the order of RFC 6724, so that the next one can be tried, and a
 * sentence for people where there is none.
 * Threads: any that may block, for as long as a name server does not answer: a thread of the
 * offload pool (async/offload.h), or a command that has nothing else to do. Never a worker's.
 * addr_asking is the same for who may not block: its job runs on the offload pool, its task is
 * woken. getaddrinfo() can't be called off, so who forgets an asking leaves it behind; it goes by
 * itself. Errors: ERR_NOT_FOUND, "HOST has no address: " and why. The network may only not be there
 * yet: who wants to reach it asks again. */
#pragma once

#include "async/task.h"
#include "net/addr.h"

enum { LOOK_UP_HOST_MAX = 256 }; /* with its NUL; RFC 1035 has 255 at most */

/* `host`: as addr_parse() takes it, or a name. At most `max` addresses, at least one; *n is set in
 * any case. */
MUST_USE enum err addr_look_up(struct addr *out, size_t max, size_t *n, struct str host,
                               uint16_t port, struct error *e);

typedef enum err (*addr_resolver)(struct addr *out, size_t max, size_t *n, struct str host,
                                  uint16_t port, struct error *e);

struct addr_asking;
enum { ASKING_ADDRS_MAX = 8 };
/* `resolve`: on a thread; NULL: addr_look_up(). The task, of the worker w, is woken when the answer
 * is there. ERR_NOMEM, ERR_IO: no thread; ERR_NOT_FOUND: too long for a name. */
MUST_USE enum err addr_ask(struct addr_asking **out, struct worker *w, addr_resolver resolve,
                           struct str host, uint16_t port, struct task *task);
/* ERR_AGAIN: not yet. The answer stays until addr_ask_forget(). */
MUST_USE enum err addr_answer(const struct addr_asking *a, const struct addr **addrs, size_t *n,
                              struct error *e);
void addr_ask_forget(struct addr_asking *a); /* its task is not woken any more; NULL is fine */
