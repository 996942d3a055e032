/* bus_internal: what the files of the bus share.
 *
 * routes.c   subscriptions of the site; share.c the groups of shares
 * route.c    who gets a topic, as one worker sees it; route_cache.c what it has of that at hand
 * retained.c retained messages in memory; retained_db.c their checkpoint and replay
 * publish.c  what happens to a publication where it comes from; subscribe.c, guard.c, access.c
 * deliver.c  a message to the subscribers of one worker; job.c in slices; again.c of shares
 * lane.c     what one worker has: its task, what others hand to it (ring.h); room.c, fence.c
 * series.c   series and samples; event.c alerts and actions
 * bus.c      building it all */
#pragma once

#include "async/post.h"
#include "async/timer.h"
#include "base/vec.h"
#include "bus/bus.h"
#include "bus/checkpoint.h"
#include "bus/ring.h"
#include "bus/trie.h"
#include <pthread.h>

#define SERIES_MAX 65536
#define WHY_MAX    160

/* ---- subscriptions: routes.c ----
 *
 * A trie of filters; the value of a node is the set of its subscriptions (bus/hamt.h). Written
 * under trie.lock by the worker of the subscriber, read by all workers without a lock. Other
 * workers look at nothing of a subscription but what does not change or is atomic, and never into
 * its subscriber. What other workers may still look at stays for a grace period. */

enum {
    SUB_STORED_ANY = 1, /* at QoS 0 too; is not asked when something is published */
    SUB_STORED = 2,     /* and QoS ≥ 1 */
    SUB_KEPT = 4,       /* whatever the QoS */
    SUB_NO_LOCAL = 8,   /* asked of the subscriber's own worker only */
};
struct sub;
/* Of one filter and one name; as long as one of its subscriptions is referred to. */
struct share_group {
    uint32_t id; /* the key of routes.groups */
    _Atomic uint32_t refs, turn;
    uint64_t joined; /* members so far */
    uint64_t key;    /* see bus_share_key() */
    VEC(struct sub *) members;
    size_t name_n;
    struct trie_node *node; /* with the name: the key of routes.group_names */
    char name[];
};
/* Of a member of a share, an observer, a guard. Does not change, but for what is atomic or `at`. */
struct sub_more {
    struct share_group *group; /* NULL: of no share */
    uint64_t joined;           /* which member of the group it was: their order */
    uint64_t stored_id;        /* its subscriber's, who may be another worker's and gone by now */
    uint32_t at;               /* in group->members */
    uint32_t every_ms;
    _Atomic uint16_t presence;
    uint16_t guard_n;
    char guard[]; /* with its end */
};
struct sub_key {
    struct trie_node *node; /* NULL: removed */
    struct subscriber *subscriber;
};
struct sub {
    struct sub_options o;  /* its subscriber's worker only, but for `worker` and `flags` */
    _Atomic uint32_t refs; /* itself, routes that may choose it, what lies in rings for it */
    struct sub_key key;
    struct sub_more
        *more;        /* NULL: an ordinary one. What routes look at ends here: one cache line */
    struct sub *next; /* of the same subscriber; or the graveyard */
    union {
        struct sub *prev;
        uint64_t buried; /* which job may still point to it */
        struct limbo_item limbo;
    };
};

/* ---- routes: route.c ---- */

struct route_entry {
    struct subscriber *subscriber;
    uint32_t first, n; /* in route->subs */
    bool no_local;     /* one of them says so */
};
struct route_member {
    struct sub *sub; /* referred to */
    uint16_t flags, worker;
};
struct route_group {
    struct share_group *group; /* stays as long as its members */
    struct route_member *members;
    uint32_t n;
};
/* Who gets a topic, as of one generation of the subscriptions and as one worker sees it: its own
 * subscribers each, the others as a set of workers. */
struct route {
    uint64_t hash, generation;
    struct str topic;
    uint16_t stripes[2];           /* of its generation */
    uint16_t flags;                /* SUB_… of all, for what must be in the journal */
    uint32_t refs;                 /* of this worker's: the cache, jobs */
    struct route_entry *entries;   /* own subscribers; without shares, observers, guards */
    struct route_entry *observers; /* own ones */
    struct route_group *groups;
    const struct sub_options **subs;
    uint32_t entries_n, observers_n, groups_n, subs_n;
    uint64_t others, others_observe; /* a bit for each other worker with some; with observers */
    uint32_t others_n;               /* subscriptions of other workers */
    uint32_t every_ms;               /* of its observers, wherever they are */
    int64_t observed_ns;             /* when they were given a message; 0: never */
    struct sub *guard;               /* NULL: none; referred to */
    const char *guard_text;          /* of the guard, or "" */
    size_t bytes;
};

/* What is noted of a subscription that matches. */
struct route_found {
    struct sub *sub;
    struct subscriber *subscriber;
    uint32_t entry; /* of an own one */
    uint8_t part;   /* route.c */
    uint8_t flags, worker;
    bool own;
};
/* A worker's view of the routes. What is asked for twice within a while is cached. The cache has
 * sets of two routes: topics share a place and push each other out. It doubles while routes that
 * are still good are pushed out. */
enum {
    ROUTE_SETS_MIN = 256,
    ROUTE_SETS_MAX = 1 << 16,
    ROUTE_SETS_NEAR = 1024, /* of so many a processor's own cache holds the most */
    ROUTE_SEEN = 1 << 16,
    ROUTE_PASSING_MIN = 512,
    ROUTE_PASSING_MAX = 1 << 16, /* what is larger is cached at once */
};
#define ROUTE_BYTES_MAX (16u << 20)
struct route_view {
    struct routes *routes;
    unsigned worker; /* ROUTE_ALL: all subscribers are its own, for replay */
    uint32_t pushed_out;
    uint64_t build;
    struct route **cache;  /* sets * 2; made at the first use */
    size_t sets, sweep;    /* where room is made next */
    struct route *large;   /* the last one that was too large for the cache */
    struct route *passing; /* the last one that is not cached, if nobody holds it */
    struct route *last;    /* the last one that was found: topics come in runs; may be NULL */
    size_t cache_bytes;
    uint64_t hits, misses;
    VEC(struct route_found) found; /* scratch, as `steps` */
    struct trie_steps steps;
    bool nomem;
    bool missed; /* the last one that was looked for was not in the cache */
    struct sub *graveyard;
    uint8_t *seen; /* marks of topics that were not found cached lately; made with the cache */
};
#define ROUTE_ALL     UINT32_MAX
#define ROUTE_STRIPES 1024u
struct routes {
    struct alloc *alloc;
    uint64_t seed;
    unsigned workers;
    size_t max, bytes_max; /* bytes_max: SIZE_MAX until its owner says otherwise */
    struct trie trie;
    struct hamt subs;       /* what the sets of subscriptions have in common */
    struct map groups;      /* id to share_group */
    struct map group_names; /* node and name to the same */
    size_t group_bytes;
    uint32_t group_last;
    uint64_t subscriber_last;
    _Atomic size_t count;
    /* A change of a filter counts one of these up, and a topic's routes are as old as the sum of
     * the three that are about it: by a filter with a wildcard at the first level, at the second,
     * and by all others, striped by the first level and by the first two. */
    _Atomic uint64_t changed_any, changed_first[ROUTE_STRIPES], changed_both[ROUTE_STRIPES];
    struct route_view views[]; /* of each worker, and of all */
};
MUST_USE enum err routes_new(struct routes **out, struct executor *ex, struct alloc *a, size_t max);
void routes_free(struct routes *r);
static inline uint64_t routes_hash(const struct routes *r, struct str topic)
{
    return hash_bytes(topic.p, topic.n, r->seed);
}
MUST_USE enum err routes_add(struct routes *r, const struct subscription *sub, bool *existed);
/* The subscription, or NULL. */
struct sub *routes_sub(struct routes *r, const struct subscriber *s, struct str share,
                       struct str filter);
/* What is removed stays in the graveyard of its worker, marked with `job`. */
void routes_remove(struct routes *r, struct sub *x, uint64_t job);
void routes_bury(struct routes *r, unsigned worker, uint64_t job); /* those marked below `job` */
size_t routes_count(const struct routes *r);
uint64_t routes_generation(const struct routes *r, const uint16_t stripes[2]);
void routes_stripes(const struct routes *r, struct str topic, uint16_t stripes[2]);
/* One that has not gone. Its filter is written to `filter`. */
#define SUB_FILTER_MAX UINT16_MAX
struct subscription sub_describe(const struct sub *x, char filter[SUB_FILTER_MAX]);
static inline unsigned sub_flags(const struct sub *x)
{
    return atomic_load_explicit(&x->o.flags, memory_order_relaxed);
}
static inline struct share_group *sub_group(const struct sub *x)
{
    return x->more ? x->more->group : NULL;
}
static inline bool sub_is_guard(const struct sub *x)
{
    return x->more && x->more->guard_n;
}
static inline uint32_t sub_every_ms(const struct sub *x)
{
    return x->more ? x->more->every_ms : 0;
}
struct sub *sub_ref(struct sub *x);
void sub_unref(struct routes *r, struct sub *x);
/* share.c; the first five with the lock held. */
void group_ref(struct share_group *g); /* NULL: nothing, as below */
void group_unref(struct routes *r, struct share_group *g);
struct share_group *group_find(const struct routes *r, struct trie_node *node, struct str name);
/* The same; made if there is none. NULL without memory. */
struct share_group *group_at(struct routes *r, struct trie_node *node, struct str name,
                             struct str filter);
void group_prune(struct routes *r, struct share_group *g); /* if it has no members */
/* The next in turn of a group's members; NULL: nobody can take a message of this QoS now. `except`:
 * who shall not be chosen. */
const struct route_member *group_pick(const struct route_group *g, unsigned qos,
                                      const struct subscriber *except);
const struct route_member *group_pick_stored(const struct route_group *g); /* for replay */
/* The same for a group by its number. Referred to. */
struct sub *routes_share_pick(struct routes *r, uint64_t share_id, unsigned qos,
                              const struct subscriber *except);
bool routes_share_has(struct routes *r, uint64_t share_id, const struct subscriber *s);
/* NULL: there is no such group, or s is no member. */
struct sub *routes_share_member(struct routes *r, uint64_t key, const struct subscriber *s);
uint64_t routes_share_key(struct routes *r, uint32_t share_id); /* 0: there is none */
uint32_t routes_share_find(struct routes *r, uint64_t key);     /* the same */

struct route_view *routes_view(struct routes *r, unsigned worker); /* or ROUTE_ALL */
/* NULL without memory. Valid until the next call, or as long as it is held. */
struct route *route_find(struct route_view *v, struct str topic, uint64_t hash);
/* The route that was found last, if it is this topic's and still good; else NULL. It spares the
 * hash. */
struct route *route_again(struct route_view *v, struct str topic);
/* These are going to be asked for next, at most BUS_EXPECT_MAX: what it takes is fetched from
 * memory for all of them together. Changes nothing. route_expects(): it is worth the trouble. */
bool route_expects(const struct route_view *v);
void route_expect(struct route_view *v, const struct str *topics, size_t n);
/* route.c, for the cache: a new one, without its hash and age. *keep: it is worth a place there,
 * whether it was before or is because of its size. */
struct route *route_build(struct route_view *v, struct str topic, bool *keep);
void route_expect_build(struct route_view *v, const struct str *topics, size_t n);
struct route *route_hold(struct route *x);
void route_release(struct route_view *v, struct route *x);
void route_view_clear(struct route_view *v);

/* ---- retained messages ----
 *
 * A trie of topics whose values are messages. Readers take what they find, and a reference if they
 * need it behind their tick: the store gives up its own after a grace period. A change is made
 * under the lock of its topic's stripe, which is held while it is journaled, so that the journal
 * and the store have the same last message; and so that who holds all stripes sees no change
 * half-way. */

enum { RETAINED_STRIPES = 32 };
struct retained_old { /* a message until nobody can see it in the store any more */
    struct retired retired;
    struct message *message;
    struct alloc *alloc;
};
struct retained_stripe {
    pthread_mutex_t lock;
    /* Of the change that is under way. */
    struct trie_node *node; /* NULL: there is nothing to delete */
    struct retained_old *old;
    size_t count, bytes; /* how much more there will be, modulo 2^64 */
};
struct retained_store {
    struct alloc *alloc;
    struct executor *ex;
    struct trie trie;
    struct retained_stripe stripes[RETAINED_STRIPES];
    bool track;    /* there is a database: remember changes */
    bool restores; /* what was taken once comes back, whatever the limits say */
    /* Under trie.lock. */
    VEC(struct trie_node *) dirty; /* not yet in the database; their nodes are held */
    size_t begun;                  /* changes under way, which have room in `dirty` */
    size_t expiring;               /* messages that expire some time */
    _Atomic size_t count, bytes;
    size_t count_max, bytes_max;
    struct trie_cursor expire_at;
};
MUST_USE enum err retained_init(struct retained_store *r, struct executor *ex, struct alloc *a,
                                uint64_t seed, size_t count_max, size_t bytes_max);
void retained_fini(struct retained_store *r);
/* A change begins: makes room for all that it needs, so that it can't fail any more. ERR_RANGE or
 * ERR_NOMEM with why: nothing has happened. `hash` is the topic's, for the stripe. */
MUST_USE enum err retained_begin(struct retained_store *r, uint64_t hash, struct str topic,
                                 size_t payload_n, char why[160]);
/* With the message, of which it takes a reference (an empty payload deletes), or without: it was
 * not published. */
void retained_end(struct retained_store *r, uint64_t hash, struct message *m);
void retained_lock_all(struct retained_store *r);
void retained_unlock_all(struct retained_store *r);
struct message *retained_get(const struct retained_store *r, struct str topic);
void retained_each(const struct retained_store *r, void (*each)(void *ctx, struct message *m),
                   void *ctx);
/* Deletes some that have expired, in turn. All locked. */
void retained_expire(struct retained_store *r, int64_t now_ms);
/* The dirty ones one by one, with the message or, of a deleted one, NULL; false: ends. All locked.
 */
bool retained_dirty_each(struct retained_store *r,
                         bool (*each)(void *ctx, const struct trie_node *n, struct message *m),
                         void *ctx);
void retained_clean(struct retained_store *r); /* all are in the database. All locked */

/* All that match a filter, some at a time; what comes or goes meanwhile may be among them. */
enum { RETAINED_BATCH = 64 };
struct retained_cursor {
    struct trie_cursor at;
    struct message *batch[RETAINED_BATCH];
    unsigned batch_n, taken;
    bool ended;
    size_t filter_n;
    char *filter;
};
/* False: no memory. */
MUST_USE bool retained_cursor_init(struct retained_store *r, struct retained_cursor *c,
                                   struct str filter);
/* The next one, with a reference. NULL: that was all, or (*more) enough was looked at for one tick.
 */
struct message *retained_cursor_next(struct retained_store *r, struct retained_cursor *c,
                                     bool *more);
void retained_cursor_fini(struct retained_store *r, struct retained_cursor *c);

/* retained_db.c: the consumer "retained". */
struct retained_db {
    struct checkpoint checkpoint;
    bool rewrite; /* a run has failed: the next one writes all */
};
MUST_USE enum err retained_db_open(struct bus *b, struct error *e);
void retained_db_close(struct bus *b);
void retained_changed(struct bus *b); /* any worker: there will be a checkpoint */

struct series_own {
    struct series pub;
    char text[256];
};
struct series_table {
    struct map by_name;
    VEC(struct series_own *) all;
};

/* ---- what waits behind slices: job.c ---- */

/* Messages of one topic: the first is being delivered, the others wait for it. Or the retained
 * messages of one subscription. */
struct job {
    struct list link;   /* in lane->jobs: their turns */
    struct list bucket; /* in lane->topics; of a topic */
    struct list items;  /* the first is under way; of a topic */
    uint32_t items_n;
    bool hot;        /* it is listed in lane->hot */
    bool held;       /* retained messages that wait until their subscriber takes more */
    uint64_t number; /* of the route, or of the job for retained messages */
    /* Of the item under way. */
    struct route *route; /* held; NULL: not yet looked for */
    uint32_t at;
    uint64_t removed;
    /* Retained messages. */
    struct sub *sub; /* referred to; NULL: it is about a topic */
    struct retained_cursor cursor;
};
struct job_item {
    struct list link;
    struct message *message;
    uint64_t hash, number;
};
enum { JOB_BUCKETS = 64, HOT_MAX = 8 };

/* ---- the bus ---- */

/* A message of a share that has to find another member. */
struct again {
    struct list link;
    struct message *message;
    uint64_t share_id;
    const struct subscriber *except;
    uint8_t hops;
};

struct pick_bytes {
    uint8_t b[MESSAGE_PICK_BYTES];
};

enum lane_state { LANE_NO_TASK, LANE_SPAWNS, LANE_TASK };
/* What belongs to one worker. Others touch the rings and what is atomic. */
struct lane {
    struct bus *bus;
    struct worker *worker;
    unsigned index;
    struct route_view *view;
    bool delivering;
    uint64_t removed;                                                  /* subscriptions so far */
    _Atomic uint64_t published, delivered, denied, handed, full, lost; /* written by this worker */
    VEC(const struct sub_options *) local;   /* scratch: without No Local's */
    VEC(const struct route_member *) picked; /* scratch: of shares, */
    VEC(struct pick_bytes) picks;            /* and as they stand in a record */
    int64_t look_from_ns;                    /* observers: of this second */
    uint32_t looks;

    /* lane.c: its task takes what lies in rings[i] from worker i, and runs the jobs. */
    struct task task;
    _Atomic uint32_t state; /* of the task: enum lane_state */
    uint64_t progress;      /* what was taken, done, handed on */
    struct tick_hook later, tell;
    uint64_t told; /* a bit for each lane that has something new from this one */
    struct ring *rings;
    unsigned first; /* whose turn it is */
    struct list again;

    /* job.c */
    struct list jobs, topics[JOB_BUCKETS];
    uint32_t jobs_n, held; /* held: so many of them */
    uint32_t waiting;      /* messages behind those under way */
    uint64_t waiting_bytes, number_last;
    uint64_t buried_to;            /* what was removed below this number is gone */
    _Atomic uint64_t hot[HOT_MAX]; /* hashes of topics that have too much waiting; 0: none */
    _Atomic uint32_t hot_n;

    /* room.c */
    struct list rooms;
    bool refused;                /* somebody was, and will be told */
    bool full_here;              /* because of what waits here */
    _Atomic bool room;           /* another lane says that there is room */
    _Atomic uint64_t hot_wanted; /* a bit for each lane that was refused because of `hot` */

    /* fence.c */
    _Atomic bool fence_asked;
    unsigned fences;  /* came so far */
    bool fence_waits; /* for jobs up to this number: */
    uint64_t fence_number;
};

struct bus {
    struct bus_config cfg;
    struct worker *worker; /* worker 0 */
    struct routes *routes;
    struct retained_store retained;
    struct retained_db retained_db;
    struct series_table series;
    struct list sample_listeners, event_listeners;
    _Atomic uint32_t publisher_last;
    _Atomic bool retained_news; /* worker 0 has been told */
    struct post retained_post;
    _Atomic(const struct bus_access *) access;
    struct bus_fence *fence;
    _Atomic uint32_t fence_left; /* lanes that it has not passed */
    _Atomic uint32_t moved;      /* stored messages of shares that went to another lane again */
    uint32_t fence_moved;        /* before the fence */
    unsigned workers;
    struct ring *rings;        /* workers * workers: [to * workers + from] */
    struct ring_entry *places; /* of all rings */
    struct lane lanes[];
};
void series_init(struct bus *b);
void series_fini(struct bus *b);
int64_t bus_now_ms(const struct bus *b); /* worker 0 */
MUST_USE enum err rings_new(struct bus *b);
void rings_free(struct bus *b);
/* The one whose worker this thread runs; of the first if it runs none. */
struct lane *lane_here(struct bus *b);
struct lane *lane_of(struct bus *b, const struct subscriber *s);
static inline void lane_count(_Atomic uint64_t *n, uint64_t more)
{
    atomic_store_explicit(n, atomic_load_explicit(n, memory_order_relaxed) + more,
                          memory_order_relaxed);
}

/* access.c. `who` NULL or trusted: always. */
bool access_check(struct bus *b, const struct bus_publisher *who, enum bus_act act,
                  struct str topic, char *why);
static inline bool access_allows(struct bus *b, const struct bus_publisher *who, enum bus_act act,
                                 struct str topic, char *why)
{
    return __builtin_expect(!atomic_load_explicit(&b->access, memory_order_relaxed), 1) ||
           access_check(b, who, act, topic, why);
}

/* The same of who gets it, or wants to. */
bool access_check_subscriber(struct bus *b, const struct subscriber *s, enum bus_act act,
                             struct str topic);
static inline bool access_of(struct bus *b, const struct subscriber *s, enum bus_act act,
                             struct str topic)
{
    return __builtin_expect(!atomic_load_explicit(&b->access, memory_order_relaxed), 1) ||
           access_check_subscriber(b, s, act, topic);
}

/* guard.c: tells the guard's owner. */
void guard_denied(struct lane *l, struct sub *guard, const struct bus_publication *p,
                  const char *why);

/* deliver.c: on the lane's own worker. */
bool route_needs_journal(struct lane *l, const struct route *route, unsigned qos,
                         uint32_t publisher);
struct slice {
    const struct route *route;
    struct message *message;
    uint32_t from, to; /* of the route's entries */
    uint64_t removed;  /* the lane's when the route was found */
};
uint32_t deliver_slice(struct lane *l, const struct slice *x); /* how many got it */
void deliver_observers(struct lane *l, const struct route *route, struct message *m);
/* To one member of a share; false: it has gone, or may not have it. */
bool deliver_picked(struct lane *l, struct sub *x, struct message *m);
enum outcome { TAKEN, NOBODY, NOT_NOW };
/* The same for one that another member was to have. NOBODY: it does not get it. */
enum outcome deliver_again(struct lane *l, struct sub *x, struct message *m);
bool deliver_retained(struct lane *l, struct sub *x, struct message *m);
/* What was removed is freed if nothing points to it any more. */
void lane_bury(struct lane *l);

/* lane.c */
void lane_init(struct lane *l, struct bus *b, unsigned index);
void lane_fini(struct lane *l);  /* what still waits is dropped */
void lane_wake(struct lane *l);  /* any thread: its task looks at everything */
void lane_later(struct lane *l); /* its own worker: the same, in the next tick */
static inline struct ring *lane_ring(const struct lane *from, unsigned to)
{
    return &from->bus->rings[to * from->bus->workers + from->index];
}
/* There is room: another worker gets it. Takes a reference of its own. */
void lane_hand(struct lane *l, unsigned to, const struct ring_entry *e);
/* May it leave the rest for later ticks? Not when no executor runs. */
static inline bool lane_slices(const struct lane *l)
{
    return worker_current() == l->worker;
}

/* job.c */
/* The messages of a topic that wait on this lane; NULL: none. */
struct job *job_find(const struct lane *l, uint64_t hash, struct str topic);
static inline struct job *job_of(const struct lane *l, uint64_t hash, struct str topic)
{
    return __builtin_expect(l->jobs_n == 0, 1) ? NULL : job_find(l, hash, topic);
}
/* Delivers to all own subscribers of the route: now, or the rest in later ticks. */
uint32_t job_begin(struct lane *l, struct route *route, struct message *m);
/* Behind those that wait. False: there is no room (see job_room()), or no memory. */
bool job_behind(struct lane *l, struct job *j, struct message *m, uint64_t hash);
void job_finish(struct lane *l, struct job *j); /* now, all of it, as far as there is memory */
bool job_room(const struct lane *l, const struct job *j);
bool jobs_are_few(const struct lane *l); /* half of the room is there again */
/* All that match the subscription, the first slice now; instead of what was left of an earlier
 * such job. */
void job_retained(struct lane *l, struct sub *x, struct str filter);
void jobs_run(struct lane *l, bool all); /* a slice of each; or everything */
/* Numbers of the oldest message that is not through, and of the oldest route that is in use;
 * UINT64_MAX: none. */
uint64_t jobs_oldest(const struct lane *l);
uint64_t jobs_oldest_route(const struct lane *l);
void jobs_drop(struct lane *l);
bool lane_is_hot(const struct lane *l, uint64_t hash); /* any thread */

/* room.c */
/* Whether a publication may go to all of these lanes. If not, room is made known later. */
bool room_for(struct lane *l, uint64_t others, uint32_t n, uint64_t hash);
bool room_behind(struct lane *l, const struct job *j); /* the same for what waits here */
void room_tell(struct lane *l); /* those who wait on this lane, if there is news */
void room_drained(struct lane *l, unsigned from); /* after its ring was emptied a bit */

/* fence.c */
void fence_begin(struct lane *l); /* if it was asked for */
void fence_came(struct lane *l);
void fence_check(struct lane *l);

/* again.c: shares whose member did not take it. */
bool share_again(struct lane *l, uint64_t share_id, struct message *m,
                 const struct subscriber *except, unsigned hops);
bool again_push(struct lane *l, uint64_t share_id, struct message *m,
                const struct subscriber *except, unsigned hops);
void again_run(struct lane *l);
void again_drop(struct lane *l);
