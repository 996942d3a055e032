/* mqtt_broker: what the files of the MQTT server share; private to protocol/.
 *
 * mqtt_server.c     building it, limits, what it tells
 * mqtt_shard.c      a worker's part of it
 * mqtt_listener.c   new streams; mqtt_stop.c ends them all
 * mqtt_connection.c the task of a connection: read, route, write, close
 * mqtt_watch.c      connections by the time at which their patience ends
 * mqtt_table.c      state x packet: who handles what
 * mqtt_connect.c    CONNECT until CONNACK: who it is, take-over, session
 * mqtt_auth.c       AUTH: enhanced authentication; mqtt_rights.c what the access rules say
 * mqtt_publish.c    publications that come in; mqtt_pending.c their acknowledgements
 * mqtt_denied.c     telling people what was denied
 * mqtt_subscribe.c  SUBSCRIBE and UNSUBSCRIBE
 * mqtt_session.c    sessions: from the first to the last day
 * mqtt_outgoing.c   messages that go out: composing, writing
 * mqtt_frame.c      a PUBLISH as bytes
 * mqtt_window.c     those with a packet id; mqtt_flight.h their states; mqtt_queue.c those without
 * mqtt_spill.c      of long queues only both ends are in memory
 * mqtt_share.c      what a session that ends hands over to others; mqtt_linger.c the same for what
 *                   is in the database only
 * mqtt_refuse.c     full queues that refuse what others publish
 * mqtt_received.h   the ids of QoS 2 publications that came in; mqtt_transit.h all of these
 * mqtt_will.h       wills: mqtt_will.c, and mqtt_will_stored.c over the end of the process;
 *                   mqtt_will_body.h is their bytes
 * mqtt_sys.c        what the broker tells of itself on $SYS
 * mqtt_record.c     what sessions leave in the journal, and its replay
 * mqtt_barrier.c    the snapshot of all workers' sessions
 * mqtt_snapshot.h   what of a worker's sessions goes to the database; mqtt_store.c writes it into
 *                   the tables, mqtt_load.c reads them
 *
 * Threads: a session lives on the worker that its client id belongs to, and so does its connection:
 * all that a struct mqtt_shard, mqtt_session or mqtt_connection holds is that worker's. What they
 * share is in struct mqtt_server, and atomic where it changes while the site runs.
 *
 * Rule: session_deliver() runs inside bus_publish(), so it neither publishes nor closes anything;
 * it wakes the connection's task instead. All closing happens in a connection's own poll, or where
 * no delivery is under way. */
#pragma once

#include "async/post.h"
#include "base/log.h"
#include "base/map.h"
#include "base/table.h"
#include "base/vec.h"
#include "bus/checkpoint.h"
#include "codec/mqtt.h"
#include "net/stream_move.h"
#include "protocol/mqtt_server.h"
#include "protocol/mqtt_transit.h"
#include <pthread.h>

#define INFLIGHT_MAX  32000
#define SESSION_NEVER UINT32_MAX
struct mqtt_session {
    struct subscriber subscriber; /* of the bus; its stored_id is session_number() */
    struct mqtt_shard *shard;
    struct table_node node;             /* in shard->sessions */
    struct mqtt_connection *connection; /* NULL: off-line; changes under shard->lock */
    int64_t ends_ns;                    /* off-line: when it ends; INT64_MAX: never */
    int64_t offline_ms;                 /* since when; 0: connected */
    _Atomic uint32_t expiry_s, subscriptions;
    struct transit *transit; /* shard->rest: nothing is on its way */
    struct rights *rights;   /* of its client; NULL: not asked yet */
    struct will *will;       /* that waits for its delay */
    struct refusal *refusal; /* its queue is full and refuses */
    _Atomic uint32_t queued; /* messages that wait, without holes */
    uint16_t next_id;
    bool full_told, slow_told; /* in the log, since it connected: of QoS 1 and 2, and of QoS 0 */
    uint16_t client_id_n;
    char client_id[];
};
/* In the journal and the database; 0: never to be stored. */
static inline uint64_t session_number(const struct mqtt_session *s)
{
    return s->subscriber.stored_id;
}
static inline struct str session_id(const struct mqtt_session *s)
{
    return (struct str){s->client_id, s->client_id_n};
}

/* ---- a connection ---- */
enum connection_state {
    CONNECTION_NEW,            /* waits for CONNECT */
    CONNECTION_AUTHENTICATING, /* AUTH goes to and fro */
    CONNECTION_WAITING,        /* for the password, or the commit of its session */
    CONNECTION_OPEN,
    CONNECTION_CLOSED,
    CONNECTION_STATES,
};

/* An answer that waits for its turn, and its record for the commit. */
struct pending {
    uint64_t seq;
    uint8_t *packet; /* owned; NULL: `type` with success */
    uint32_t size;
    uint16_t id;
    uint8_t type;
    bool publish; /* counts for Receive Maximum */
};
struct pending_ring {
    struct pending *v;
    uint32_t cap, head, n, publishes;
};
/* What a connection has only while something waits, and a while behind it. */
struct connection_waits {
    struct mqtt_connection *connection;
    struct journal_wait commit;
    struct pending_ring answers;
};

struct user_name {
    size_t n; /* 0: the name is empty */
    char name[];
};

struct sqlite3_stmt;
struct hello; /* what CONNECT said, until it is answered */
struct mqtt_connection {
    struct task task;
    struct list link; /* in one of shard->slots */
    struct mqtt_shard *shard;
    struct stream *stream; /* NULL: closed, or moved */
    struct mqtt_session *session;
    union {
        struct hello *hello; /* until CONNACK has left; then */
        struct str *aliases; /* server's topic_alias_max of them, owned; NULL: none was set */
    };
    struct connection_auth *auth; /* NULL: CONNECT named no method */
    struct will *will;
    struct user_name *user;         /* see connection_user(); owned; NULL: none */
    struct connection_waits *waits; /* NULL: nothing does */
    int64_t heard_ns, connected_ms;
    _Atomic uint64_t received, sent;
    uint32_t packet_size_max; /* the client's */
    uint16_t keep_alive_s, receive_max;
    uint8_t state, version;
    uint8_t kick; /* close with this reason at the next poll */
    bool problem_info, clean, waiting, paused, starved;
    bool journal_full; /* a note could not be appended: again after a commit */
    bool crowded;      /* paused, because the bus has no room */
    bool proven;       /* that it is `user` */
    bool moved;        /* it is another worker's now, and counted there */
    bool owed;         /* an answer that it has not got, for want of room on the disk */
    uint16_t listener; /* its number; see connection_listener() */
};
_Static_assert(sizeof(struct mqtt_connection) <= 200,
               "most connections wait most of their time: what they cost then is a goal");

/* Where the streams of one worker come in: accepted there, or sent by another worker. */
struct mqtt_gate {
    struct mqtt_listener *listener;
    struct mqtt_shard *shard;
    struct listener *socket; /* NULL: none of its own */
};
struct mqtt_listener {
    struct list link; /* in server->listeners */
    uint16_t number;
    struct mqtt_server *server;
    struct mqtt_listen cfg;
    struct mqtt_gate gates[]; /* one for each shard */
};

/* See mqtt_share.c. */
struct share_note {
    uint64_t seq, number; /* of the message, of the session */
    uint32_t share_id;
    struct share_note *before; /* of the same message, by another share or member */
};

/* Who was told lately that something is denied: one line a minute for each. */
#define DENIED_SLOTS 1024
struct denied_slot {
    uint64_t hash;
    int64_t at_ns;
};

struct mqtt_metrics {
    struct metric received, sent, connects, refused, errors, connections, dropped[MQTT_DROP_COUNT];
    struct metric packets_received, packets_sent, bytes_received, bytes_sent;
};

/* For whom bytes wait. All share queue_total_bytes_max, and nobody can take it from the others: who
 * does not read must not cost others what they were promised, and who is away for a month must not
 * cost those who are here what they are sent now. */
enum queue_kind {
    QUEUE_QOS0,    /* three quarters, beside what lasts; and all together seven eighths */
    QUEUE_BRIEF,   /* QoS 1 and 2 of a session that ends with its connection: seven eighths */
    QUEUE_LASTING, /* of one that lasts, here or away: three quarters */
};
struct mqtt_allowance {
    _Atomic size_t used; /* written by its worker */
    size_t bytes;        /* that it has taken */
};

/* What one worker has of the server. */
enum { WATCH_SLOTS = 256 };
struct mqtt_shard {
    struct mqtt_server *server;
    struct worker *worker;
    unsigned index;      /* of both */
    struct alloc *alloc; /* this and the next three as in server->cfg */
    struct bus *bus;
    struct journal *journal;
    const struct mqtt_limits *limits;
    struct list slots[WATCH_SLOTS]; /* connections; mqtt_watch.c */
    int64_t slot_done;              /* its number */
    struct timer watch;
    struct list wills, wills_due;        /* that wait; to be published now */
    struct list wills_new, wills_stored; /* in the journal: the database is to be told, or knows */
    struct table wills_lost;             /* by client id: see struct will */
    VEC(uint64_t) wills_ended;           /* numbers to delete from the database */
    /* For who looks in from another worker: sessions come and go, and get and lose their
     * connections, under this lock. */
    pthread_mutex_t lock;
    struct table sessions;   /* by client id */
    struct timer due;        /* wills, */
    int64_t wills_looked_ns; /* which were looked at then */
    struct timer ends;       /* of sessions */
    struct list done, dirty;
    struct list crowded; /* whose queues shall leave memory */
    struct tick_hook done_hook;
    struct post spill; /* to its worker: they may leave it */
    _Atomic bool spilling;
    struct timer done_timer; /* the journal was full: again */
    struct timer retry;      /* the same for connections that are paused */
    struct timer room_back;  /* looks whether the disk has room for who is owed an answer */
    struct timer linger;     /* for who gives away what it holds */
    struct post stop;        /* to its worker: the server stops */
    struct timer leaving;    /* looks whether all have gone */
    bool stopping;
    VEC(struct mqtt_session *) lingering;
    struct bus_room room;  /* the bus was full: the same */
    VEC(uint64_t) ended;   /* numbers to delete from the database */
    _Atomic size_t queued; /* written here, read by all */
    void *part;            /* of the snapshot that is being gathered: mqtt_store.c's */
    struct mqtt_allowance queued_all, queued_lasting; /* in queues; for sessions that last */
    size_t queue_piece;                               /* about so many bytes are taken at a time */
    struct mqtt_metrics count;
    struct mqtt_frames *frames; /* mqtt_frame.c's; NULL: nothing was sent yet */
    struct denied_slot denied[DENIED_SLOTS];
    int64_t crowded_told_ns; /* in the log, that there are too many connections; 0: never */
    int64_t denied_from_ns;  /* told of in this second: */
    uint32_t denied_told;
    struct transit rest; /* of sessions that have nothing on its way: always zero */
};

/* What the workers share: fixed once it listens, or atomic. */
struct mqtt_server {
    struct mqtt_server_config cfg;
    struct mqtt_limits limits;
    struct alloc *alloc;
    uint64_t seed;
    struct list listeners;
    uint16_t listeners_n;       /* so far: the number of the next */
    struct mqtt_shard **shards; /* one for each worker */
    unsigned shards_n;
    struct checkpoint checkpoint;
    pthread_mutex_t refusals_lock;
    struct list refusals; /* of sessions of all workers */
    _Atomic unsigned refusing;
    struct post press; /* to worker 0: a checkpoint, soon */
    _Atomic bool pressing;
    struct post change, gathered; /* to worker 0 */
    _Atomic bool change_posted;
    struct bus_fence fence;      /* of a snapshot, */
    _Atomic unsigned parts_left; /* from so many workers still, */
    unsigned fences;             /* so far, for this one */
    bool fencing, gather_all;    /* of all sessions, not only of those that have changed */
    _Atomic bool rewrite;        /* the database is to be told all */
    struct mqtt_metrics total;   /* of the shards' */
    struct mqtt_sys *sys;        /* NULL: there is no $SYS */
    struct mqtt_stop {
        void (*done)(void *ctx); /* NULL: it goes on */
        void *ctx;
        struct post told;             /* to worker 0 */
        _Atomic unsigned shards_left; /* that have connections still */
    } stop;
    _Atomic uint64_t number_last;
    _Atomic size_t connections, sessions; /* how many there are */
    /* Of limits.queue_total_bytes_max, handed to shards: all, and for sessions that last. */
    _Atomic size_t queue_bytes, queue_lasting_bytes;
    _Atomic size_t will_bytes;
    /* Until the first listener opens, that is while the database and the journal are read. */
    bool starting;
    struct map by_number;   /* the stored sessions */
    struct map share_notes; /* by seq: who was given it by a share, or held it already */
    uint64_t replaying;     /* seq of the record; 0: not replaying */
    uint64_t restored_to;   /* the newest message that the database had */
};

static inline void mqtt_dropped(struct mqtt_shard *shard, enum mqtt_drop reason)
{
    metric_add_own(&shard->count.dropped[reason], 1);
}

static inline void shard_queued_add(struct mqtt_shard *shard, int n)
{
    atomic_add_own(&shard->queued, (size_t)n);
}

/* So many bytes are on their way, in so many packets. */
static inline void shard_sent(struct mqtt_shard *shard, unsigned packets, size_t bytes)
{
    metric_add_own(&shard->count.packets_sent, packets);
    metric_add_own(&shard->count.bytes_sent, (int64_t)bytes);
}

/* mqtt_server.c */
void server_started(struct mqtt_server *s); /* all is read, the site opens; a second time too */
void server_number_seen(struct mqtt_server *s, uint64_t number);
/* Start and replay: the process before has ended, and who was connected then is not any more.
 * False: nobody was. */
bool server_was_gone(struct mqtt_server *s, int64_t at_ms);

/* mqtt_shard.c */
/* NULL: no memory. */
struct mqtt_shard *shard_new(struct mqtt_server *s, struct worker *w);
void shard_close(struct mqtt_shard *shard); /* connections and wills */
void shard_free(struct mqtt_shard *shard);
struct mqtt_shard *shard_of(const struct mqtt_server *s, struct str client_id); /* its home */
uint64_t shard_number(struct mqtt_shard *shard); /* for a new session */
/* Is there room for n more bytes in the queues of the site? */
bool shard_queue_room(struct mqtt_shard *shard, size_t n, enum queue_kind kind);
void shard_queue_entered(struct mqtt_shard *shard, size_t n, enum queue_kind kind);
void shard_queue_left(struct mqtt_shard *shard, size_t n, enum queue_kind kind);
static inline size_t queue_lasting_max(const struct mqtt_server *s)
{
    return s->limits.queue_total_bytes_max - s->limits.queue_total_bytes_max / 4;
}
/* One more of what is limited; false: there are `max`. */
bool count_take(_Atomic size_t *count, size_t max);
void count_give(_Atomic size_t *count);

/* mqtt_listener.c */
/* A stream comes from another worker; ctx is its gate. NULL: it was lost on its way. */
void listener_arrived(void *ctx, struct stream *stream);
void mqtt_listeners_close(struct mqtt_server *s);
/* Where it came in: asked when it connects, so it is looked for. NULL: that is closed. */
struct mqtt_listener *connection_listener(const struct mqtt_connection *c);

/* mqtt_stop.c */
void stop_looked(struct timer *t); /* shard->leaving */

/* mqtt_connection.c */
/* `counted`: it is one of server->connections already. */
void connection_new(const struct mqtt_gate *gate, struct stream *stream, bool counted);
/* It begins anew on the worker of its client, with CONNECT unread. False: no memory. */
bool connection_move(struct mqtt_connection *c, const struct mqtt_shard *home);
void connection_kick(struct mqtt_connection *c, uint8_t reason); /* any time: closes it soon */
/* Closes with a DISCONNECT in 5.0 (reason 0: without a word). Not while messages are delivered. */
void connection_close(struct mqtt_connection *c, uint8_t reason, const char *why);
void connection_free(struct mqtt_connection *c);
void connection_abandon(struct mqtt_connection *c); /* when no executor runs any more */
/* False: no room; the connection is being closed then. */
bool connection_put(struct mqtt_connection *c, const struct mqtt_packet *p);
/* For answers that may not be lost. NULL: there is no room now. */
bool connection_write(struct mqtt_connection *c, const void *p, size_t n);
bool connection_room(const struct mqtt_connection *c, size_t n); /* for a message of n bytes */
size_t connection_write_max(const struct mqtt_connection *c);    /* a larger one will never fit */

/* mqtt_watch.c */
void connections_init(struct mqtt_shard *shard);
void connection_watch(struct mqtt_connection *c); /* its patience begins anew */
/* Those of a worker; the one that is looked at may go. */
void connections_each(struct mqtt_shard *shard, void (*each)(struct mqtt_connection *c));

/* mqtt_table.c: what a handler made of a packet. */
enum handled {
    HANDLED,       /* go on */
    HANDLED_AGAIN, /* back-pressure: the same packet once more, later */
    HANDLED_STOP,  /* closed, or waits: no further packet now */
};
typedef enum handled (*packet_handler)(struct mqtt_connection *c, const struct mqtt_packet *p);
packet_handler mqtt_handler(enum connection_state state,
                            enum mqtt_type type); /* NULL: not allowed */
/* What has come breaks the protocol, or can't be dealt with: counted, and closed. HANDLED_STOP. */
enum handled connection_stop(struct mqtt_connection *c, uint8_t reason, const char *why);

/* mqtt_connect.c */
/* In CONNECTION_WAITING: the record that CONNACK waits for will never be committed. True: its
 * session does not need it, and it is let in all the same. */
bool connect_unstored(const struct mqtt_connection *c);
enum handled handle_connect(struct mqtt_connection *c, const struct mqtt_packet *p);
enum handled handle_disconnect(struct mqtt_connection *c, const struct mqtt_packet *p);
/* In CONNECTION_WAITING: sends CONNACK if nothing is left to wait for. */
void connect_go_on(struct mqtt_connection *c);
void connect_refuse(struct mqtt_connection *c, uint8_t version, uint8_t reason, const char *why);
void connect_let_in(struct mqtt_connection *c); /* in CONNECTION_WAITING: it is who it says */
/* The name that it gave; p NULL: none. */
static inline struct str connection_user(const struct mqtt_connection *c)
{
    return c->user ? (struct str){c->user->name, c->user->n} : (struct str){NULL, 0};
}
bool connection_take_user(struct mqtt_connection *c, struct str user); /* a copy */
void connection_forget_user(struct mqtt_connection *c);
void hello_free(struct mqtt_connection *c);

/* mqtt_publish.c */
enum handled handle_publish(struct mqtt_connection *c, const struct mqtt_packet *p);
void publish_room_looked(struct timer *t);
void aliases_free(struct mqtt_connection *c);
/* The properties that a broker forwards. False: no room in out. */
bool forward_properties(const struct mqtt_props *props, struct writer *out);

/* mqtt_pending.c */
/* Takes p->packet. False without memory: the connection is to be closed. */
bool pending_add(struct mqtt_connection *c, const struct pending *p);
bool pending_flush(struct mqtt_connection *c); /* false: the stream takes no more now */
void pending_free(struct mqtt_connection *c);  /* all of it, and the wait */
void pending_trim(struct mqtt_connection *c);  /* gives back what is empty */
static inline uint32_t pending_count(const struct mqtt_connection *c)
{
    return c->waits ? c->waits->answers.n : 0;
}
static inline uint32_t pending_publishes(const struct mqtt_connection *c)
{
    return c->waits ? c->waits->answers.publishes : 0;
}
/* Wakes the connection's task when the record is committed; kicks it if it never will be. False: no
 * memory. */
bool connection_wait(struct mqtt_connection *c, uint64_t seq);
/* Waits for the next commit that matters to this connection, if any does. */
void pending_wait(struct mqtt_connection *c);
/* Encodes an answer and adds it. False: no memory. */
bool pending_add_packet(struct mqtt_connection *c, const struct mqtt_packet *p, uint64_t seq,
                        bool publish, uint16_t id);

/* mqtt_subscribe.c */
enum handled handle_subscribe(struct mqtt_connection *c, const struct mqtt_packet *p);
/* Adds one; gives its code in SUBACK. Sets the rest of *sub from the options. */
void subscribe_split(struct subscription *sub); /* `$share/GROUP/FILTER` becomes its parts */
uint8_t subscribe_one(struct mqtt_session *s, struct subscription *sub, uint8_t options,
                      bool *existed);
bool subscribe_wants_retained(uint8_t options, bool existed);
enum handled handle_unsubscribe(struct mqtt_connection *c, const struct mqtt_packet *p);

/* mqtt_session.c */
struct str session_key(const struct table_node *node);
static inline struct mqtt_session *session_next(const struct mqtt_shard *shard, struct table_at *at)
{
    struct table_node *node = table_next(&shard->sessions, at);
    return node ? CONTAINER_OF(node, struct mqtt_session, node) : NULL;
}
struct mqtt_session *session_find(const struct mqtt_shard *shard, struct str client_id);
/* NULL: no memory, or sessions_max. number 0: not stored. */
struct mqtt_session *session_new(struct mqtt_shard *shard, struct str client_id, uint64_t number);
void session_end(struct mqtt_session *s); /* forgets it, or lets it linger; records nothing */
/* The same without its subscriptions, by another name; s is gone. NULL: no memory, and s is as it
 * was. */
struct mqtt_session *session_rename(struct mqtt_session *s, struct str name);
void session_attach(struct mqtt_session *s, struct mqtt_connection *c);
void session_detach(struct mqtt_session *s);
void session_changed(struct mqtt_session *s);      /* it differs from the database */
void session_subs_changed(struct mqtt_session *s); /* and so do its subscriptions */
bool session_stored(const struct mqtt_session *s);
void session_presence(struct mqtt_session *s); /* tells its shares whether it takes messages now */
bool sessions_lost(struct mqtt_shard *shard, int64_t at_ms); /* as wills_lost() */
void sessions_started(struct mqtt_shard *shard); /* all is read: those off-line begin to count */
void sessions_due(struct mqtt_shard *shard);     /* ends those whose time is over */
void sessions_free(struct mqtt_shard *shard);    /* at the end of the process: they last */
int64_t session_end_ns(const struct mqtt_session *s, int64_t now_ns);

/* mqtt_linger.c */
bool session_lingers(const struct mqtt_session *s); /* if it ended now */
bool session_is_lingering(const struct mqtt_session *s);
bool session_linger(struct mqtt_session *s); /* false: no memory, and s is as it was */
void linger_started(struct mqtt_session *s); /* one that was before the start */
void linger_wake(struct mqtt_shard *shard);  /* something came out of the database */
void linger_fired(struct timer *t);

/* mqtt_outgoing.c */
void session_deliver(struct subscriber *sub, struct message *m,
                     const struct sub_options *const *subs, size_t n, bool retained);
void outgoing_pump(struct mqtt_session *s); /* sends what the window and the stream allow */
/* One of its own; false without memory. A stored session has it from the beginning, others until it
 * is empty and trimmed. */
MUST_USE bool transit_own(struct mqtt_session *s);
void outgoing_trim(struct mqtt_session *s);
void outgoing_free(struct mqtt_session *s);
/* Another reference to the message, counted for the session's budget; and letting go of it, with
 * the ids of its subscriptions. */
void outgoing_hold(struct mqtt_session *s, const struct outgoing *o);
void outgoing_drop(struct mqtt_session *s, struct outgoing *o);
void outgoing_forget_ids(struct alloc *a, struct outgoing *o);
enum sent { SENT, SENT_LATER, SENT_NEVER };
/* Writes a PUBLISH. NEVER: expired, or too large for this client (counted). */
enum sent outgoing_transmit(struct mqtt_connection *c, const struct outgoing *o, uint16_t id,
                            bool dup);

/* mqtt_frame.c: writes it; NEVER: larger than the client takes. */
enum sent frame_send(struct mqtt_connection *c, const struct outgoing *o, uint16_t id, bool dup);
void frames_next(struct mqtt_shard *shard); /* another message begins */
void frames_free(struct mqtt_shard *shard);

/* mqtt_window.c: what has a packet id. */
bool window_open(const struct mqtt_session *s);
/* Gives the message an id and sends it, at once or after the commit of its note. SENT: it has
 * been taken, with the reference that the caller holds or is about to take. The window is open. */
enum sent window_take(struct mqtt_session *s, const struct outgoing *o);
/* Sends what was not sent on this connection. False: there is more, or older, to be sent. */
bool window_send(struct mqtt_session *s);
uint64_t window_waits_for(const struct mqtt_session *s); /* the record to be committed; 0: none */
void window_attach(struct mqtt_session *s);              /* a new connection */
void window_clear(struct mqtt_session *s);               /* its client will not come back */
enum handled handle_puback(struct mqtt_connection *c, const struct mqtt_packet *p);
enum handled handle_pubrec(struct mqtt_connection *c, const struct mqtt_packet *p);
enum handled handle_pubcomp(struct mqtt_connection *c, const struct mqtt_packet *p);
/* Start: an entry as the database or a record says; takes the reference of its message, which is
 * counted already. False: no memory, no room. */
bool window_restore(struct mqtt_session *s, struct flight *f);
/* Replay. False: there is none. id 0: whichever. */
bool window_forget(struct mqtt_session *s, uint64_t seq, uint16_t id);
void window_released(struct mqtt_session *s, uint64_t seq, uint16_t id);
bool window_holds(const struct mqtt_session *s, uint64_t seq, uint16_t id);

/* mqtt_queue.c: what waits for the window, the stream or the client. */
/* Takes a reference, unless it is dropped because the queue is full. Takes the ids. */
void queue_add(struct mqtt_session *s, struct outgoing *o);
/* The first drop for this reason since its client connected is told in the log. */
void queue_tell(struct mqtt_session *s, enum mqtt_drop why);
/* NULL: nothing waits, or what does has to come from the database first. */
struct outgoing *queue_first(struct mqtt_session *s);
bool queue_empty(const struct mqtt_session *s);
void queue_pop(struct mqtt_session *s, bool moved); /* the first; its reference goes along */
bool queue_holds(const struct mqtt_session *s, uint64_t seq);
/* Replay: takes the message out. False: it is not there. `sure`: it was there, so that it is
 * looked for in the database too. */
bool queue_take(struct mqtt_session *s, uint64_t seq, bool sure, struct outgoing *out);
/* The message at this position, out of the database, behind those that are there; takes the
 * reference. Neither is counted. False: no memory. */
bool queue_restore(struct mqtt_session *s, const struct outgoing *o, int64_t position);
void queue_free(struct mqtt_session *s);
void queue_trim(struct mqtt_session *s);
void queue_skip_holes(struct mqtt_session *s);
bool ring_reserve(struct alloc *a, struct outgoing_ring *r, uint32_t more);
void ring_push(struct outgoing_ring *r, const struct outgoing *o); /* there is room */
void ring_free(struct alloc *a, struct outgoing_ring *r);
void queue_count(struct mqtt_session *s, const struct outgoing *o, int n); /* 1 or -1 */
static inline enum queue_kind queue_kind_of(const struct mqtt_session *s, unsigned qos)
{
    return !qos ? QUEUE_QOS0 : session_number(s) ? QUEUE_LASTING : QUEUE_BRIEF;
}
/* Its first position, and that behind its end, as in the database. */
static inline int64_t queue_end(const struct mqtt_session *s)
{
    return s->transit->spill ? s->transit->spill->tail_at + s->transit->spill->tail.n
                             : s->transit->queue_at + s->transit->queue.n;
}

/* mqtt_spill.c: queues that are too long for memory. */
void spill_some(struct mqtt_session *s);   /* what a checkpoint has stored leaves memory */
void spill_stored(struct checkpoint *c);   /* one has: the same for all that wait for it */
void spill_refill(struct mqtt_session *s); /* the beginning is short: asks for more */
void spill_moved(struct mqtt_session *s);  /* it was another struct's */
void spill_free(struct mqtt_session *s);
/* Start and replay: when no executor runs. */
bool spill_refill_now(struct mqtt_session *s); /* false: there is nothing more */
bool spill_holds(const struct mqtt_session *s, uint64_t seq);
/* Start: one more message at this position, that is left in the database. False: no memory. */
bool spill_restore(struct mqtt_session *s, int64_t position, size_t bytes);

/* mqtt_refuse.c: full queues that refuse what others publish. */
void refuse_look(struct mqtt_session *s);  /* its queue has grown or shrunk */
void refuse_renew(struct mqtt_session *s); /* its subscriptions have changed */
void refuse_end(struct mqtt_session *s);
/* Any worker: is a publication at QoS 1 or 2 on this topic refused, and why? */
bool refuse_asked(struct mqtt_server *s, struct str topic, char why[160]);

/* mqtt_received.c has the set; mqtt_publish.c: */
enum handled handle_pubrel(struct mqtt_connection *c, const struct mqtt_packet *p);

#include "protocol/mqtt_access.h"
#include "protocol/mqtt_stored.h"
#include "protocol/mqtt_will.h"
