/* bus: topics to subscribers, retained state, and who may publish where.
 *
 * A publication is matched first; if it is retained, or a durable subscriber (a persistent
 * session that gets it at QoS >= 1, a kept property) matches, it is appended to the journal, and
 * whoever must acknowledge waits for its commit. Then it is delivered at once.
 * Topics and filters follow MQTT 5.0 section 4.7; names that begin with `$` match no leading
 * wildcard. Ownership: a subscription belongs to the bus, a subscriber to its owner, who removes it
 * before it goes. Threads: in this version the bus belongs to worker 0. Errors of bus_publish(),
 * all but the last with nothing done and `why` for people: ERR_DENIED a guard refused it; ERR_RANGE
 * above a limit (retained messages, levels of a topic); ERR_FULL   the journal can take no more
 * now: publish it again after a commit; ERR_IO     the journal has failed: it is delivered, so that
 * the site goes on, but it is not stored and must not be acknowledged. ERR_FULL of bus_subscribe():
 * subscriptions_max; ERR_RANGE: more than LEVELS_MAX levels. */
#pragma once

#include "bus/event.h"
#include "bus/message.h"
#include "bus/sample.h"
#include "store/db.h"
#include "store/journal.h"

struct bus;
struct bus_config {
    struct executor *ex;
    struct journal
        *journal;  /* NULL: nothing lasts (tools, tests); else it is open, not yet replayed */
    struct db *db; /* retained messages are checkpointed here; NULL only without a journal */
    struct alloc *alloc;
    struct alloc *messages;    /* for what is published; default: alloc */
    size_t retained_max;       /* messages; default 100,000 */
    size_t retained_bytes_max; /* default 64 MiB */
    size_t subscriptions_max;  /* default 1,000,000 */
};
MUST_USE enum err bus_new(struct bus **out, const struct bus_config *cfg, struct error *e);
void bus_free(struct bus *b);

/* Who publishes: a connection, a program, a person, the registry. */
struct bus_publisher {
    uint32_t id;     /* from bus_publisher_id(); never 0 */
    bool trusted;    /* sedge itself: guards are not asked */
    struct str name; /* client id, for messages to people */
    struct str user;
};
uint32_t bus_publisher_id(struct bus *b);

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
};
struct bus_receipt {
    uint64_t seq;     /* 0: nothing durable depends on it; else acknowledge after its commit */
    uint32_t matched; /* subscribers */
    char why[160];    /* of a refusal */
};
MUST_USE enum err bus_publish(struct bus *b, const struct bus_publication *p,
                              struct bus_receipt *r);

struct subscription {
    struct str filter;
    struct subscriber *subscriber;
    uint8_t qos;
    bool no_local, retain_as_published;
    uint32_t id; /* subscription identifier, 0: none */
};
struct subscriber {
    /* Once for each message and subscriber, with all of its subscriptions that match.
     * `retained`: sent because of a new subscription. May take a reference. Must not publish
     * from inside; see worker_at_tick_end(). */
    void (*deliver)(struct subscriber *s, struct message *m, const struct subscription *const *subs,
                    size_t n, bool retained);
    /* Asked while matching: does this delivery have to be in the journal? */
    bool (*durable)(struct subscriber *s, const struct bus_publication *p,
                    const struct subscription *const *subs, size_t n);
    uint32_t publisher_id; /* for no_local; 0: none */
    uint64_t stamp;        /* the bus's; zero at first, as the next */
    void *subscriptions;   /* the bus's */
};
/* Replaces the options if the filter is there already (*existed). */
MUST_USE enum err bus_subscribe(struct bus *b, const struct subscription *sub, bool *existed);
bool bus_unsubscribe(struct bus *b, struct subscriber *s, struct str filter);
void bus_unsubscribe_all(struct bus *b, struct subscriber *s);
/* In no order; for who stores them. */
void bus_subscriptions_each(const struct subscriber *s,
                            void (*each)(void *ctx, const struct subscription *sub), void *ctx);
/* Delivers the retained messages that match, through s->deliver. */
void bus_send_retained(struct bus *b, const struct subscription *sub);

/* May this publisher publish on this topic? false with *why filled: ERR_DENIED. All guards are
 * asked. */
struct bus_guard {
    struct list link;
    bool (*allow)(struct bus_guard *g, const struct bus_publisher *from, struct str topic,
                  char why[160]);
};
void bus_guard_add(struct bus *b, struct bus_guard *g);

/* A message from its journal record (replay), or NULL without memory. */
struct message *bus_message_decode(struct bus *b, const struct journal_record *r);
/* Matches without delivering: for replay. Calls each() as deliver would be called. */
void bus_match_each(struct bus *b, struct str topic,
                    void (*each)(void *ctx, struct subscriber *s,
                                 const struct subscription *const *subs, size_t n),
                    void *ctx);
void bus_retained_each(struct bus *b, void (*each)(void *ctx, struct message *m), void *ctx);
/* Writes retained state and its cursor to the database; the bus does it at the journal's pressure
 * and once a minute if something changed. Before the executor runs and after it has stopped it is
 * done when this returns, else later. */
void bus_checkpoint(struct bus *b);

struct bus_stats {
    uint64_t published, delivered, denied, retained, retained_bytes, subscriptions;
};
struct bus_stats bus_stats(const struct bus *b);
