/* mqtt_stored: what lasts: the part of mqtt_broker.h (which includes it) that is about
 * mqtt_record.c (what sessions leave in the journal, and its replay), mqtt_barrier.c (the snapshot
 * of all workers' sessions), mqtt_snapshot.c (a worker's part of it), mqtt_store.c and mqtt_load.c
 * (their tables). */
#pragma once

#include "protocol/mqtt_broker.h"

/* mqtt_record.c. Each gives the record's seq (0 without a journal). */
enum session_op { /* in the journal: never renumber */
                  SESSION_NEW = 1,
                  SESSION_END = 2,
                  SESSION_ONLINE = 3,
                  SESSION_OFFLINE = 4,
                  SESSION_SUBSCRIBE = 5,
                  SESSION_UNSUBSCRIBE = 6,
                  SESSION_SENT = 7,
                  SESSION_RECEIVED = 8,
                  SESSION_RELEASED = 9,
                  SESSION_GIVEN = 10,
                  SESSION_LINGER = 11,
                  SESSION_WILL = 12, /* this and the next two: mqtt_will_stored.c */
                  SESSION_WILL_END = 13,
                  SESSION_STARTED = 14,
};
void session_record_head(struct writer *w, enum session_op op,
                         uint64_t number); /* how each begins */
MUST_USE enum err record_new(struct mqtt_shard *shard, uint64_t number, struct str client_id,
                             uint32_t expiry_s, uint64_t *seq);
MUST_USE enum err record_end(struct mqtt_shard *shard, uint64_t number, uint64_t *seq);
/* The same for one that session_end() is about to end; it may linger. */
MUST_USE enum err record_gone(struct mqtt_session *s, uint64_t *seq);
/* The session has the message by a share now, and not who had it. Without a seq the message is
 * stored by this, and *seq is to be its own. */
MUST_USE enum err record_given(struct mqtt_shard *shard, uint64_t number, uint64_t key,
                               const struct message *m, bool lazy, uint64_t *seq);
MUST_USE enum err record_online(struct mqtt_session *s, bool lazy, uint64_t *seq);
void record_offline(struct mqtt_session *s);
void record_started(struct mqtt_shard *shard); /* any: mqtt_will_stored.c */
/* The filters of the packet, as they stand there; sub_id 0: none. */
MUST_USE enum err record_filters(struct mqtt_session *s, enum session_op op, struct bytes filters,
                                 uint32_t sub_id, uint64_t *seq);
/* QoS 2 towards the client: the message goes out with this id; the client has it. */
MUST_USE enum err record_sent(struct mqtt_session *s, uint64_t message, uint16_t id, uint64_t *seq);
MUST_USE enum err record_received(struct mqtt_session *s, uint64_t message, uint16_t id,
                                  uint64_t *seq);
/* QoS 2 from the client: it has released this id. */
MUST_USE enum err record_released(struct mqtt_session *s, uint16_t id, uint64_t *seq);
void record_done(struct mqtt_session *s, uint64_t message, uint16_t id); /* lazy */
void record_done_flush(struct mqtt_shard *shard);
void record_apply(struct journal_consumer *c, const struct journal_record *r);

/* mqtt_barrier.c */
void server_changed(struct mqtt_server *s); /* a session has; any worker */
bool barrier_begin(struct checkpoint *c);
void *barrier_gather(struct checkpoint *c); /* when no executor runs */
void barrier_drop(struct mqtt_server *s);   /* what was gathered for nobody */

/* mqtt_snapshot.c; mqtt_store.c writes, mqtt_load.c reads */
/* Columns seq, qos, retain, ids, wall_ms, body of a statement, from `column` on; the message has
 * one reference. False: no memory, or no message. */
bool store_read_outgoing(struct alloc *a, struct sqlite3_stmt *q, int column, struct outgoing *out);
/* A worker's part of a snapshot: all sessions, or those that have changed. NULL: no memory. */
void *store_part(struct mqtt_shard *shard, bool all);
void store_part_free(void *part);
/* The whole snapshot from its parts. If one is missing: NULL, and all is written the next time. */
void *store_join(struct mqtt_server *server, void *const *parts, unsigned n);
MUST_USE enum err store_load(struct mqtt_server *s, struct error *e);
MUST_USE enum err store_open(struct mqtt_server *s, struct error *e);
