/* bus_internal: what the files of the bus share.
 *
 * routes.c   subscriptions, matching, the route cache
 * retained.c retained messages in memory; retained_db.c their checkpoint and replay
 * series.c   series and samples; event.c alerts and actions
 * bus.c      publishing, guards, building it all */
#pragma once

#include "async/timer.h"
#include "base/map.h"
#include "base/vec.h"
#include "bus/bus.h"
#include "bus/checkpoint.h"
#include "bus/levels.h"

#define SERIES_MAX 65536

/* All subscriptions to one filter. */
struct sub_set {
    struct level *level;
    VEC(struct sub *) subs;
    size_t filter_n;
    char filter[];
};
struct sub_key { /* its bytes are the key of routes.index */
    struct sub_set *set;
    struct subscriber *subscriber;
};
struct sub {
    struct subscription pub; /* subscriber NULL: removed while messages were being delivered */
    struct sub_key key;
    struct sub *prev, *next; /* of the same subscriber; or the graveyard */
    uint32_t at;             /* in set->subs */
};

struct route_entry {
    struct subscriber *subscriber;
    uint32_t first, n; /* in route->subs */
    bool no_local;     /* one of them says so */
};
/* Who gets a topic, as of one generation of the subscriptions. */
struct route {
    uint64_t hash, generation;
    size_t bytes;
    uint32_t entries_n, subs_n;
    struct str topic;
    struct route_entry *entries;
    const struct subscription **subs;
};

#define ROUTE_SETS      2048 /* of two routes each: topics share a place and push each other out */
#define ROUTE_BYTES_MAX (16u << 20)
struct routes {
    struct alloc *alloc;
    uint64_t seed;
    struct levels levels;
    struct map index; /* sub_key to sub */
    uint64_t generation, build;
    struct route **cache; /* ROUTE_SETS * 2 */
    struct route *large;  /* the last one that was too large for the cache */
    size_t cache_bytes;
    uint64_t hits, misses;
    VEC(struct sub *) found; /* scratch */
    bool nomem;
    struct sub *graveyard;
};
MUST_USE enum err routes_init(struct routes *r, struct alloc *a, uint64_t seed, size_t max);
void routes_fini(struct routes *r);
MUST_USE enum err routes_add(struct routes *r, const struct subscription *sub, bool *existed);
/* `keep`: messages are being delivered; what they point to must stay for now. */
bool routes_remove(struct routes *r, struct subscriber *s, struct str filter, bool keep);
void routes_remove_all(struct routes *r, struct subscriber *s, bool keep);
void routes_bury(struct routes *r); /* frees what was kept */
/* NULL without memory. Valid until the next call. */
const struct route *routes_find(struct routes *r, struct str topic);

struct retained {
    struct list dirty; /* not yet in the database */
    struct level *level;
    struct message *message; /* NULL: deleted, but the database does not know it yet */
    uint64_t seq;
    size_t topic_n;
    char topic[];
};
struct retained_store {
    struct alloc *alloc;
    struct levels levels;
    struct list dirty;
    bool track; /* there is a database: remember changes */
    size_t count, bytes, count_max, bytes_max;
};
MUST_USE enum err retained_init(struct retained_store *r, struct alloc *a, uint64_t seed,
                                size_t count_max, size_t bytes_max);
void retained_fini(struct retained_store *r);
/* Makes room for the topic, so that retained_set() can't fail: ERR_RANGE or ERR_NOMEM with why. */
MUST_USE enum err retained_prepare(struct retained_store *r, struct str topic, size_t payload_n,
                                   char why[160]);
void retained_unprepare(struct retained_store *r, struct str topic); /* it was not published */
/* An empty payload deletes. Takes a reference. The topic was prepared. */
void retained_set(struct retained_store *r, struct message *m);
struct message *retained_get(const struct retained_store *r, struct str topic);
void retained_match(const struct retained_store *r, struct str filter,
                    void (*each)(void *ctx, struct message *m), void *ctx);
void retained_each(const struct retained_store *r, void (*each)(void *ctx, struct message *m),
                   void *ctx);
void retained_forget(struct retained_store *r, struct retained *x); /* a deleted one, now stored */
void retained_expire(struct retained_store *r, int64_t now_ms);

/* retained_db.c: the consumer "retained". */
struct retained_db {
    struct checkpoint checkpoint;
    bool rewrite; /* a run has failed: the next one writes all */
};
MUST_USE enum err retained_db_open(struct bus *b, struct error *e);
void retained_db_close(struct bus *b);

struct series_own {
    struct series pub;
    char text[256];
};
struct series_table {
    struct map by_name;
    VEC(struct series_own *) all;
};

struct bus {
    struct bus_config cfg;
    struct worker *worker;
    struct routes routes;
    struct retained_store retained;
    struct retained_db retained_db;
    struct series_table series;
    struct list guards, sample_listeners, event_listeners;
    uint32_t publisher_last;
    bool delivering;
    uint64_t published, delivered, denied;
    VEC(const struct subscription *) local; /* scratch: without those of No Local */
};
void series_init(struct bus *b);
void series_fini(struct bus *b);
int64_t bus_now_ms(const struct bus *b);
