/* lease: who may command a device that has an owner, and for how long.
 *
 * Why: a device has one owner on the whole site; whoever else wants to command it for a while
 * borrows it: a program that the owner lends to, or a person (`operator`, whom every owner lends to
 * unless it says `never`). At most one has a device on lease. A stronger one (a smaller priority
 * number) takes it from a weaker one, an equal one waits for its turn or is denied. However a lease
 * ends but by its holder's own release, the device's safe action is due (LEASE_RELEASED is the only
 * end without it). What comes of it is told by hooks, in this order: revoked(old), ended(old),
 * changed, granted(new). A hook may ask for leases and give them back. Ownership: names are copied;
 * `who` is the caller's and only compared. Threads: the worker of the executor's first thread.
 * Bounds: LEASE_WAITING_MAX requests wait for a device. */
#pragma once

#include "async/timer.h"

enum { LEASE_WAITING_MAX = 32, LEASE_NEVER = -1 };

enum lease_end {
    LEASE_RELEASED,  /* the holder gave it back */
    LEASE_CRASHED,   /* the holder ended without giving it back */
    LEASE_TIME_OVER, /* its time is up */
    LEASE_PREEMPTED, /* a stronger one wanted it */
    LEASE_REVOKED,   /* the owner took it back */
    LEASE_GONE,      /* the device or its owner is not there any more */
};
const char *lease_end_name(enum lease_end e);

struct lease_grant {
    struct str to;    /* a program's name; "" is the operator */
    int32_t priority; /* 0 is the strongest; LEASE_NEVER */
    int64_t max_ms;   /* 0: as long as it wants */
};

struct lease_party {
    void *who;       /* the program; NULL: a person */
    uint32_t id;     /* which of its leases */
    struct str name; /* the program's, or the person's, for people */
};

struct lease_view {
    struct str device, owner;
    bool out;
    struct lease_party holder;
    int32_t priority;
    int64_t since_ms, until_ms; /* wall clock */
    size_t waiting;
};

struct lease_hooks {
    void (*granted)(void *ctx, const struct lease_party *p, struct str device);
    void (*denied)(void *ctx, const struct lease_party *p, struct str device, struct str why);
    /* `why` for people: "fire took it", "its time is over". Not for what the holder released. */
    void (*revoked)(void *ctx, const struct lease_party *p, struct str device, struct str why);
    /* The device has no holder at this moment; `next` tells whether somebody who waited gets it
     * now. */
    void (*ended)(void *ctx, struct str device, enum lease_end end, bool next);
    /* Something to keep over a restart has changed. */
    void (*changed)(void *ctx, const struct lease_view *v);
    /* Around what a timer does, which hooks must not let anybody act on before it is done: who is
     * to have the device next may not give up in between. NULL: nobody acts on hooks. */
    void (*hold)(void *ctx, bool on);
    void *ctx;
};

struct leases;
MUST_USE enum err leases_new(struct leases **out, struct executor *ex, struct alloc *a,
                             const struct lease_hooks *hooks);
void leases_free(struct leases *l);

/* The device has this owner, who lends as `grants` say (copied; the operator's default is added
 * when they do not name it). For a device that has one already: the new terms, and who has it on
 * lease keeps it if they still allow it. */
MUST_USE enum err leases_own(struct leases *l, struct str device, struct str owner,
                             const struct lease_grant *grants, size_t grants_n);
void leases_disown(struct leases *l, struct str device);

/* Grants, queues or denies: one of the hooks tells, now or later. for_ms 0: as long as the grant
 * says. */
void leases_ask(struct leases *l, struct str device, const struct lease_party *p, int64_t for_ms,
                int64_t wait_ms);
/* Gives back, or takes the request back. False if `p` has and wants nothing there. */
bool leases_release(struct leases *l, struct str device, const struct lease_party *p, bool crashed);
/* By the owner. Those who wait are denied too. */
void leases_revoke(struct leases *l, struct str device);
/* All that this program has and waits for (it stopped); as crashed. */
void leases_drop_all(struct leases *l, void *who);

/* Whether `p` has the device now. */
bool leases_holds(const struct leases *l, struct str device, const struct lease_party *p);
/* False if nobody owns it. */
bool leases_view(const struct leases *l, struct str device, struct lease_view *out);

/* After a restart: `holder` has it until that time of the wall clock; false: not any more, since
 * its owner does not lend it so now. Its program
 * claims it, or asks for it once more, with its new `who` and `id` when its task goes on;
 * leases_settle() ends those of programs that did not, as crashed. */
bool leases_restore(struct leases *l, struct str device, struct str holder, bool person,
                    uint32_t id, int64_t until_ms);
bool leases_claim(struct leases *l, struct str device, const struct lease_party *p);
void leases_settle(struct leases *l);
