/* bus: topics to subscribers, retained state, and who may publish where.
 *
 * A publication is matched first; if it is retained, or somebody who must not lose it matches (a
 * stored session that gets it at QoS >= 1, a kept property), it is appended to the journal, and
 * whoever must acknowledge waits for its commit. Then it is delivered: at once to the subscribers
 * of the worker that publishes, and through a ring to each other worker that has some.
 *
 * Order: what one publisher publishes on one topic reaches each subscriber in that order. Large
 * fan-outs, and the retained messages of a new subscription, are delivered in slices of
 * BUS_SLICE a tick; later messages of the topic wait behind them, others pass.
 * Topics and filters follow MQTT 5.0 section 4.7; names that begin with `$` match no leading
 * wildcard.
 *
 * Ownership: a subscription belongs to the bus, a subscriber to its owner, who removes it
 * (bus_unsubscribe_all()) before it goes.
 * Threads: a subscriber lives on one worker: it subscribes, unsubscribes and is called there only.
 * bus_publish() and all else: any worker of the executor. While the executor does not run, whoever
 * holds it is every worker; what is for others then waits in the rings until it runs, or until
 * bus_settle().
 * Errors of bus_publish(), all but the last with nothing done and `why` for people:
 *   ERR_DENIED a guard or the access rules refused it
 *   ERR_RANGE  above a limit (retained messages, levels of a topic, size of a record)
 *   ERR_FULL   not now: publish it again when receipt.full says
 *   ERR_NOMEM
 *   ERR_IO     the journal has failed: it is delivered, so that the site goes on, but it is not
 *              stored and must not be acknowledged. */
#pragma once

#include "base/atomic.h"
#include "bus/access.h"
#include "bus/event.h"
#include "bus/message.h"
#include "bus/sample.h"
#include "store/db.h"
#include "store/journal.h"

struct bus;
enum { BUS_SLICE = 512 };
struct bus_config {
    struct executor *ex;
    struct journal
        *journal;        /* NULL: nothing lasts (tools, tests); else it is open, not yet replayed */
    struct db *db;       /* retained messages are checkpointed here; NULL only without a journal */
    struct alloc *alloc; /* any thread may use it */
    struct alloc *messages;    /* for what is published; default: worker_buffers() of the worker
                                  that publishes, and `alloc` for what is retained */
    size_t retained_max;       /* messages; default 1,000,000 */
    size_t retained_bytes_max; /* of messages; once more for their topics; default 256 MiB */
    /* Of all; but sedge's own (subscriber.rights NULL) are taken even so. Default 1,000,000. */
    size_t subscriptions_max;
    /* The same of what they need, with their filters; one more is taken below it. Default 512 MiB.
     */
    size_t subscriptions_bytes_max;
    uint32_t ring_max;        /* messages from one worker to another; default 4,096 */
    uint32_t waiting_max;     /* messages of a worker that wait behind slices; default 4,096 */
    size_t ring_bytes_max;    /* one more is taken below it; default 32 MiB */
    size_t waiting_bytes_max; /* the same; default 64 MiB */
};
MUST_USE enum err bus_new(struct bus **out, const struct bus_config *cfg, struct error *e);
void bus_free(struct bus *b);

/* ---- publishing ---- */

/* Who publishes: a connection, a program, a person, the registry. */
struct bus_publisher {
    uint32_t id;     /* from bus_publisher_id(); never 0 */
    bool trusted;    /* sedge itself: guards and access rules are not asked */
    struct str name; /* client id, for messages to people */
    struct str user;
    void *rights; /* what the access rules know of it; NULL: they don't concern it */
};
uint32_t bus_publisher_id(struct bus *b); /* any thread */

struct bus_publication {
    struct str topic;
    struct bytes payload, properties;
    uint8_t qos;
    bool retain;
    uint32_t expiry_s; /* UINT32_MAX: never */
    const struct bus_publisher *from;
    /* QoS 2 of a stored session: its number, and the packet id. It is journaled whoever matches,
     * and its record has both (message_record_origin()), so that "this id has been received" and
     * the message are stored as one. 0: none. */
    uint64_t session;
    uint16_t packet_id;
    uint64_t will; /* it is the stored will of that number: so says its record, if it has one */
};
/* ERR_FULL: what to wait for. */
enum bus_full {
    BUS_FULL_NOT,
    BUS_FULL_JOURNAL /* a commit */,
    BUS_FULL_ROOM /* bus_room_wait() */
};
struct bus_receipt {
    uint64_t seq;     /* 0: nothing durable depends on it; else acknowledge after its commit */
    uint32_t matched; /* subscribers; observers and guards are none */
    enum bus_full full;
    char why[160]; /* of a refusal */
};
MUST_USE enum err bus_publish(struct bus *b, const struct bus_publication *p,
                              struct bus_receipt *r);

/* What this worker is about to publish, as far as it knows: topics, at most BUS_EXPECT_MAX. To find
 * who gets one of very many topics is to wait for memory, up to ten times; for sixteen topics
 * together it takes little longer. Only a hint, for who has several messages before it, and when
 * bus_expects(): else a processor's cache has it all. */
enum { BUS_EXPECT_MAX = 16 };
bool bus_expects(struct bus *b);
void bus_expect(struct bus *b, const struct str *topics, size_t n);

/* Calls room() once, later, on this worker, when what was full (a ring, or what waits behind
 * slices) is half empty. One per worker is meant: who waits there is its owner's matter. */
struct bus_room {
    struct list link; /* zeroed, or list_init() */
    void (*room)(struct bus_room *r);
};
void bus_room_wait(struct bus *b, struct bus_room *r); /* again while it waits: nothing happens */
void bus_room_cancel(struct bus_room *r);

/* ---- subscribing ---- */

struct subscription {
    struct str filter;
    struct str share; /* the name of a shared subscription's group; empty: it is none */
    struct subscriber *subscriber;
    uint8_t qos;
    bool no_local, retain_as_published;
    bool stored;       /* what gets here at QoS >= 1 must be in the journal: persistent sessions */
    bool kept;         /* whatever its QoS: kept properties */
    bool restored;     /* it was there before a restart: no limit is asked */
    bool renewal;      /* only if there is one already; else ERR_FULL */
    uint32_t id;       /* subscription identifier, 0: none */
    uint32_t every_ms; /* an observer: gets one message of a topic in that time from each worker
                          (more of one that comes so seldom that it is not remembered), and not more
                          than BUS_OBSERVED_MAX of all in a second; none for which its subscriber
                          has another subscription. Not counted as matched. 0: no */
    struct str guard;  /* not empty: who is not trusted may not publish what matches, and is told
                          this (copied, cut at 159 bytes); nothing is delivered because of it */
};
enum { BUS_OBSERVED_MAX = 1000 };

/* What a delivery needs of a subscription; the bus keeps one for each. */
struct sub_options {
    uint32_t share_id; /* of the group by which it was chosen, see bus_share_again(); 0: no share */
    uint32_t id : 28;  /* subscription identifier, 0: none */
    uint32_t qos : 2, no_local : 1, retain_as_published : 1;
    bool gone; /* the bus's, as the rest: removed while messages were on their way */
    uint8_t worker;
    _Atomic uint8_t flags;
};

/* Somebody tried past a guard. Borrowed for the call. */
struct bus_denial {
    struct str topic, name, user; /* of the publisher */
    const char *why;
    int64_t wall_ms;
    bool empty; /* there was no payload */
};

/* For the choice among a share's members: those who take it at once are preferred. */
enum bus_presence { BUS_AWAY, BUS_READY, BUS_BUSY };

struct subscriber {
    struct worker *worker; /* its own; NULL: worker 0 */
    /* Once for each message and subscriber, with all of its subscriptions that match; and once
     * more, with that one alone, for each shared one by which it was chosen. `retained`: sent
     * because of a new subscription. On its worker. May take a reference. Must not publish from
     * inside; see worker_at_tick_end(). */
    void (*deliver)(struct subscriber *s, struct message *m, const struct sub_options *const *subs,
                    size_t n, bool retained);
    /* One of its guards refused something. On its worker, soon. May be NULL. */
    void (*denied)(struct subscriber *s, const struct bus_denial *d);
    /* A message of a share that another member was to have first (bus_share_again()): as deliver(),
     * but it may be written down who has it now. False: not now, again soon. NULL: deliver(). */
    bool (*again)(struct subscriber *s, struct message *m, const struct sub_options *sub);
    uint64_t stored_id;    /* who it is in the records of messages that it was chosen for by a
                              share; 0: nobody that is stored. Does not change while it is
                              subscribed to anything */
    void *rights;          /* as bus_publisher.rights; NULL: sedge itself */
    uint32_t publisher_id; /* for no_local; 0: none */
    /* The bus's; zero at first. */
    uint32_t presence : 2, shares : 30; /* how many of its subscriptions are shared */
    uint64_t number;                    /* in the order in which they first subscribed */
    uint64_t stamp;
    void *subscriptions;
};
/* Replaces the options if the filter (of the same share) is there already (*existed; may be NULL).
 * ERR_FULL: subscriptions_max, or their bytes; ERR_RANGE: more than LEVELS_MAX levels; ERR_DENIED:
 * the access rules refuse it. */
MUST_USE enum err bus_subscribe(struct bus *b, const struct subscription *sub, bool *existed);
/* `share` empty: the one that is not shared. What lies in a ring for it is not delivered. */
bool bus_unsubscribe(struct bus *b, struct subscriber *s, struct str share, struct str filter);
void bus_unsubscribe_all(struct bus *b, struct subscriber *s);
/* In no order; for who stores them. The strings are borrowed for the call. */
void bus_subscriptions_each(const struct subscriber *s,
                            void (*each)(void *ctx, const struct subscription *sub), void *ctx);
/* Delivers the retained messages that match, through s->deliver: the first slice at once, the rest
 * in later ticks unless the subscription goes, and, if it is not stored, while the subscriber is
 * not BUS_BUSY. It has been added by bus_subscribe(); else nothing
 * happens. */
void bus_send_retained(struct bus *b, const struct subscription *sub);

/* ---- shares ----
 *
 * One member of a group gets a message: the next in turn that is BUS_READY, else BUS_BUSY, else one
 * that is away and stored (QoS >= 1), else nobody. */

/* A subscriber comes, goes, or its window fills; on its worker. New ones are away. While it is
 * busy no retained messages are sent because of a new subscription. */
void bus_presence_set(struct bus *b, struct subscriber *s, enum bus_presence p);
/* Another member gets it: the one that held it has gone, or gives it back. `share_id` is that of
 * the subscription that was chosen. False: there is nobody; the message has no receiver then.
 * `from`: who stays and does not want it; NULL: it has gone. Any worker; inside a delivery it
 * happens soon after. */
bool bus_share_again(struct bus *b, uint64_t share_id, struct message *m,
                     const struct subscriber *from);

/* Messages wait for another member, as there was no room: who has many more to give waits, too. */
bool bus_share_waits(struct bus *b);

/* Whether it is a member. When the executor does not run: for replay. */
bool bus_share_has(struct bus *b, uint64_t share_id, const struct subscriber *s);
/* A share's number in records and in the database: made of its name and its filter, so it is the
 * same after a restart. 0: there is no such group. */
uint64_t bus_share_key(struct bus *b, uint32_t share_id);
uint32_t bus_share_find(struct bus *b, uint64_t key);
/* Replay: delivers it to this member. False: it is none. */
bool bus_share_give(struct bus *b, struct subscriber *s, uint64_t key, struct message *m);

/* ---- access rules, see access.h ---- */

/* NULL: none, and nothing is asked. Worker 0. A former one may be in use by other workers until
 * each has passed the end of its tick. */
void bus_access_set(struct bus *b, const struct bus_access *access);

/* ---- replay, looking in, and the end ---- */

/* A message from its journal record (replay), or NULL without memory. */
struct message *bus_message_decode(struct bus *b, const struct journal_record *r);
/* Matches without delivering: for replay, when the executor does not run. Calls each() as deliver
 * would be called, for subscribers of all workers; of a share for the member that was chosen, if
 * that was one who is stored. `chosen`: its stored_id; if there is no such member (any more), or if
 * the record does not say, for another one that is stored. 0: no share, or not said. */
void bus_match_each(struct bus *b, struct str topic, const struct message_origin *from,
                    void (*each)(void *ctx, struct subscriber *s,
                                 const struct sub_options *const *subs, size_t n, uint64_t chosen),
                    void *ctx);
/* What is retained on the topic, until the end of this tick; NULL: nothing. */
struct message *bus_retained_get(struct bus *b, struct str topic);
void bus_retained_each(struct bus *b, void (*each)(void *ctx, struct message *m), void *ctx);
/* Writes retained state and its cursor to the database; the bus does it at the journal's pressure
 * and once a minute if something changed. Worker 0. Before the executor runs and after it has
 * stopped it is done when this returns, else later. */
void bus_checkpoint(struct bus *b);

/* A fence: tells each worker, once and there, that all that was published before bus_fence() by any
 * worker has been delivered to its subscribers, slices too. For a snapshot of sessions that shall
 * hold all up to journal_last() of the call. Worker 0, when no fence is under way; the struct is
 * the bus's until every worker has been told. */
struct bus_fence {
    void (*passed)(struct bus_fence *f, struct worker *w);
    /* When all have been told: messages of shares moved from one worker to another meanwhile, so
     * that a snapshot may lack some. Again, then. */
    _Atomic bool disturbed;
};
void bus_fence(struct bus *b, struct bus_fence *f);
/* Delivers what waits in rings and behind slices, at once: for this worker; when the executor does
 * not run, for all. */
void bus_settle(struct bus *b);

struct bus_stats {
    uint64_t published, delivered, denied, retained, retained_bytes, subscriptions;
    uint64_t handed; /* through rings */
    uint64_t full;   /* publications that had to wait */
    uint64_t lost;   /* of shares: nobody was left to take them */
};
struct bus_stats bus_stats(const struct bus *b); /* any thread; not of one moment */
