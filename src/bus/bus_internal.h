/* bus_internal: what the files of the bus share.
 *
 * routes.c   subscriptions of the site; share.c the groups of shares
 * route.c    who gets a topic, as one worker sees it; its cache
 * retained.c retained messages in memory; retained_db.c their checkpoint and replay
 * publish.c  what happens to a publication where it comes from; subscribe.c, guard.c, access.c
 * deliver.c  a message to the subscribers of one worker; job.c in slices; again.c of shares
 * lane.c     what one worker has: its task, what others hand to it (ring.h); room.c, fence.c
 * series.c   series and samples; event.c alerts and actions
 * bus.c      building it all */
#pragma once

#include "async/post.h"
#include "async/timer.h"
#include "base/map.h"
#include "base/vec.h"
#include "bus/bus.h"
#include "bus/checkpoint.h"
#include "bus/levels.h"
#include "bus/ring.h"
#include <pthread.h>

#define SERIES_MAX 65536
#define WHY_MAX    160

/* ---- subscriptions: routes.c ----
 *
 * Written under `lock`, by the worker of the subscriber. Other workers read of a subscription only
 * what does not change or is atomic: `key`, `worker`, `flags`, `presence`; and while they build a
 * route, with the lock held, `every_ms` and its guard's text. */

enum {
    SUB_STORED_ANY = 1, /* at QoS 0 too; is not asked when something is published */
    SUB_STORED = 2,     /* and QoS ≥ 1 */
    SUB_KEPT = 4,       /* whatever the QoS */
    SUB_NO_LOCAL = 8,   /* asked of the subscriber's own worker only */
};
struct sub;
/* All subscriptions to one filter. */
struct sub_set {
    struct level *level;
    VEC(struct sub *) subs; /* of no share */
    struct list groups;
    size_t filter_n;
    char filter[];
};
/* Of one filter and one name; as long as one of its subscriptions is referred to. */
struct share_group {
    struct list link; /* in set->groups; empty when its last member has gone */
    struct sub_set *set;
    uint64_t id; /* the key of routes.groups */
    _Atomic uint32_t refs, turn;
    VEC(struct sub *) members;
    size_t name_n;
    char name[];
};
struct sub_key { /* its bytes are the key of routes.index */
    struct sub_set *set;
    struct share_group *group; /* NULL: of no share */
    struct subscriber *subscriber;
};
struct sub {
    struct sub_options o; /* its subscriber's worker only */
    struct sub_key key;
    struct sub *prev, *next; /* of the same subscriber; or the graveyard */
    uint32_t at;             /* in set->subs or group->members */
    uint16_t worker;
    _Atomic uint16_t presence, flags;
    _Atomic uint32_t refs; /* itself, routes that may choose it, what lies in rings for it */
    uint64_t buried;       /* which job may still point to it */
    uint32_t every_ms;     /* this and the next written under the lock */
    char *guard;           /* at most WHY_MAX with its end; NULL: it is none */
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
    size_t bytes;
    struct str topic;
    struct route_entry *entries;   /* own subscribers; without shares, observers, guards */
    struct route_entry *observers; /* own ones */
    struct route_group *groups;
    const struct sub_options **subs;
    uint32_t entries_n, observers_n, groups_n, subs_n;
    uint32_t others_n;               /* subscriptions of other workers */
    uint64_t others, others_observe; /* a bit for each other worker with some; with observers */
    uint16_t flags;                  /* SUB_… of all, for what must be in the journal */
    uint32_t every_ms;               /* of its observers, wherever they are */
    int64_t observed_ns;             /* when they were given a message; 0: never */
    struct sub *guard;               /* NULL: none; referred to */
    char guard_text[WHY_MAX];        /* of the guard, or "" */
    uint32_t refs;                   /* of this worker's: the cache, jobs */
};

#define ROUTE_SETS      2048 /* of two routes each: topics share a place and push each other out */
#define ROUTE_BYTES_MAX (16u << 20)
/* A worker's view of the routes. */
struct route_view {
    struct routes *routes;
    unsigned worker; /* ROUTE_ALL: all subscribers are its own, for replay */
    uint64_t build;
    struct route **cache; /* ROUTE_SETS * 2; made at the first use */
    struct route *large;  /* the last one that was too large for the cache */
    size_t cache_bytes;
    uint64_t hits, misses;
    VEC(struct sub *) found; /* scratch */
    bool nomem;
    struct sub *graveyard;
};
#define ROUTE_ALL UINT32_MAX
struct routes {
    struct alloc *alloc;
    uint64_t seed;
    unsigned workers;
    pthread_mutex_t lock;
    struct levels levels;
    struct map index;  /* sub_key to sub */
    struct map groups; /* id to share_group */
    uint64_t group_last;
    _Atomic uint64_t generation;
    struct route_view views[]; /* of each worker, and of all */
};
MUST_USE enum err routes_new(struct routes **out, struct alloc *a, unsigned workers, uint64_t seed,
                             size_t max);
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
size_t routes_count(struct routes *r);
struct subscription sub_describe(const struct sub *x); /* one that has not gone */
static inline unsigned sub_flags(const struct sub *x)
{
    return atomic_load_explicit(&x->flags, memory_order_relaxed);
}
struct sub *sub_ref(struct sub *x);
void sub_unref(struct routes *r, struct sub *x);
/* share.c; the first five with the lock held. */
void group_ref(struct share_group *g); /* NULL: nothing, as below */
void group_unref(struct routes *r, struct share_group *g);
struct share_group *group_find(struct sub_set *set, struct str name);
struct share_group *group_at(struct routes *r, struct sub_set *set, struct str name); /* or NULL */
void group_prune(struct routes *r, struct share_group *g); /* if it has no members */
/* The next in turn of a group's members; NULL: nobody can take a message of this QoS now. `not`:
 * who shall not be chosen. */
const struct route_member *group_pick(const struct route_group *g, unsigned qos,
                                      const struct subscriber * not );
const struct route_member *group_pick_stored(const struct route_group *g); /* for replay */
/* The same for a group by its number. Referred to. */
struct sub *routes_share_pick(struct routes *r, uint64_t share_id, unsigned qos,
                              const struct subscriber * not );

struct route_view *routes_view(struct routes *r, unsigned worker); /* or ROUTE_ALL */
/* NULL without memory. Valid until the next call, or as long as it is held. */
struct route *route_find(struct route_view *v, struct str topic, uint64_t hash);
struct route *route_hold(struct route *x);
void route_release(struct route_view *v, struct route *x);
void route_view_clear(struct route_view *v);

/* ---- retained messages ---- */

struct retained {
    struct list dirty; /* not yet in the database */
    struct level *level;
    struct message *message; /* NULL: deleted, but the database does not know it yet */
    uint64_t seq;
    size_t topic_n;
    char topic[];
};
/* All but the locks and the cursor: with the lock held, or while nobody else is there. */
struct retained_store {
    struct alloc *alloc;
    pthread_mutex_t lock;
    struct levels levels;
    struct list dirty;
    bool track; /* there is a database: remember changes */
    size_t count, bytes, count_max, bytes_max;
};
MUST_USE enum err retained_init(struct retained_store *r, struct alloc *a, uint64_t seed,
                                size_t count_max, size_t bytes_max);
void retained_fini(struct retained_store *r);
/* For one topic: what is published there stays in one order, in the journal and here. */
void retained_lock(struct retained_store *r, uint64_t topic_hash);
void retained_unlock(struct retained_store *r, uint64_t topic_hash);
void retained_lock_all(struct retained_store *r);
void retained_unlock_all(struct retained_store *r);
/* Makes room for the topic, so that retained_set() can't fail: ERR_RANGE or ERR_NOMEM with why. */
MUST_USE enum err retained_prepare(struct retained_store *r, struct str topic, size_t payload_n,
                                   char why[160]);
void retained_unprepare(struct retained_store *r, struct str topic); /* it was not published */
/* An empty payload deletes. Takes a reference. The topic was prepared. */
void retained_set(struct retained_store *r, struct message *m);
struct message *retained_get(const struct retained_store *r, struct str topic);
void retained_each(const struct retained_store *r, void (*each)(void *ctx, struct message *m),
                   void *ctx);
void retained_forget(struct retained_store *r, struct retained *x); /* a deleted one, now stored */
void retained_expire(struct retained_store *r, int64_t now_ms);

/* Takes the lock by itself. */
void retained_count(struct retained_store *r, uint64_t *count, uint64_t *bytes);

/* All that match a filter, some at a time; what comes or goes meanwhile may be among them. */
struct retained_cursor {
    VEC(struct message *) all;
    size_t at;
};
/* False: no memory. Takes the lock by itself, as the next. */
bool retained_cursor_init(struct retained_store *r, struct retained_cursor *c, struct str filter);
/* The next one, with a reference; NULL: that was all, or (*more) enough has been looked at for now,
 * and it goes on at the next call. */
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
    const struct subscriber * not ;
    uint8_t hops;
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
    VEC(const struct route_member *) picked; /* scratch: of shares */
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
    uint32_t jobs_n, waiting; /* messages behind those under way */
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
                 const struct subscriber * not, unsigned hops);
bool again_push(struct lane *l, uint64_t share_id, struct message *m, const struct subscriber * not,
                unsigned hops);
void again_run(struct lane *l);
void again_drop(struct lane *l);
