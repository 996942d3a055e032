/* mqtt_will: what is to be published for a client that goes without a word: the part of
 * mqtt_broker.h (which includes it) that is about mqtt_will.c (when wills are published) and
 * mqtt_will_stored.c (the same over the end of the process).
 *
 * A will is in force from CONNACK on, which waits for its record, until a DISCONNECT without reason
 * takes it back. Of a connection that the process did not outlive it is published after the next
 * start, unless the client is back in time: 1.5 times its keep-alive, as in the life before (but
 * WILL_GRACE_MIN_S at least, since nobody connects again at once, and WILL_GRACE_S for those who
 * have no keep-alive), or its delay if that is more, or the end of its session if that is sooner.
 * Where nothing can be stored (the disk is full, or broken) a will is in force while the process
 * lives, and in the database as soon as that can be written.
 * Ownership: a connection's, from will_schedule() on its shard's.
 * Threads: the worker's of its client, as its session.
 * See docs/decisions/0029. */
#pragma once

#include "protocol/mqtt_broker.h"

enum { WILL_GRACE_MIN_S = 5, WILL_GRACE_S = 90 };

struct will {
    struct list link;             /* in shard->wills or wills_due, or in none */
    struct list kept;             /* in shard->wills_new or wills_stored: it is in the journal */
    struct table_node node;       /* in shard->wills_lost, if `lost` */
    struct mqtt_session *session; /* whose end it must not outlast; NULL: none */
    struct user_name *user;       /* proven; owned; NULL: nobody has */
    uint64_t number;              /* in the journal and the database; 0: in memory only */
    int64_t due_ns;
    int64_t lost_ms; /* since when its client is gone, together with the process; 0: not so */
    uint32_t delay_s, expiry_s, publisher_id;
    uint16_t keep_alive_s;
    uint8_t qos;
    bool retain;
    bool lost;     /* in shard->wills_lost: of the process before, and no session has it */
    bool in_db;    /* a row has its number */
    bool recorded; /* and so has a record of this process */
    bool counted;  /* in server->will_bytes */
    struct str client_id, topic;
    struct bytes payload, properties;
    size_t size;
    uint8_t data[]; /* client id, topic, payload, properties */
};

/* mqtt_will.c */
/* What a CONNECT says. NULL: no memory. */
struct will *will_new(struct mqtt_connection *c, const struct mqtt_connect *m,
                      struct str client_id);
struct will_parts {
    struct str client_id, topic;
    struct bytes payload, properties;
};
/* One of these parts, copied. NULL: no memory. */
struct will *will_make(struct mqtt_shard *shard, const struct will_parts *p);
/* Among what the wills of all may take; only of who has said who he is, since strangers could use
 * it up. False: there is no room. `sure`: it is in force already. */
bool will_count(struct mqtt_shard *shard, struct will *w, bool sure);
/* Who may be asked whether it may be published. False: no memory. */
bool will_take_user(struct mqtt_shard *shard, struct will *w, struct str user);
void will_free(struct mqtt_shard *shard, struct will *w); /* it stays in force where it is stored */
void will_end(struct mqtt_shard *shard, struct will *w);  /* it is in force no more; NULL is fine */
/* The connection has ended and the will is to be sent: now, or after its delay. Takes it. */
void will_schedule(struct mqtt_shard *shard, struct will *w, struct mqtt_session *session);
/* It is not anybody's any more, and waits for due_ns; session: unless that ends before. */
void will_await(struct mqtt_shard *shard, struct will *w, struct mqtt_session *session);
void will_cancel(struct mqtt_session *session);  /* its client is back */
void will_release(struct mqtt_session *session); /* it has ended: now */
/* One of this client is due and has no room: what it says now must come behind that. Its task is
 * woken. */
bool will_is_due(const struct mqtt_shard *shard, struct str client_id);
void wills_due(struct mqtt_shard *shard, int64_t now_ns);
void wills_init(struct mqtt_shard *shard);
void wills_free(struct mqtt_shard *shard);

/* mqtt_will_stored.c */
/* Puts it into the journal; *seq is to be committed before the client is told that it is let in.
 * ERR_IO: nothing can be stored now. */
MUST_USE enum err will_record(struct mqtt_shard *shard, struct will *w, uint64_t *seq);
/* Its client was not let in: ends it, and only it. */
void will_refused(struct mqtt_shard *shard, struct will *w); /* NULL is fine */
/* It is over. `noted`: the journal is not told, because the record of its message says so, or
 * because it has none: the disk is full, and the database is told when it can be. */
void will_forget(struct mqtt_shard *shard, struct will *w, bool noted);
/* It has no row and no record any more, and the journal is not told. */
void will_unkeep(struct mqtt_shard *shard, struct will *w);
struct will *will_lost_find(const struct mqtt_shard *shard, struct str client_id);
struct str will_key(const struct table_node *node);
/* As in mqtt_will_body.h. 0: no memory; mem_free() the bytes. */
size_t will_encode(struct alloc *a, const struct will *w, uint8_t **out);
/* Start: a row; a record; the message of a will; the end of a process. */
void will_restore(struct mqtt_server *server, uint64_t number, struct bytes body, int64_t lost_ms);
void will_apply(struct mqtt_server *server, uint64_t number, struct bytes body);
void will_apply_end(struct mqtt_server *server, uint64_t number, struct str client_id);
bool wills_lost(struct mqtt_shard *shard, int64_t at_ms); /* true: some are, that were not before */
void wills_started(struct mqtt_shard *shard);             /* all is read: they begin to count */
