/* mqtt_rig_test: a whole broker on a thread of its own, over real sockets, journal and database;
 * and clients that send packets and compare what comes as text. For the tests of protocol/ only.
 *
 * Silence is shown by order: what must not have come yet is not before a PINGRESP.
 * The journal's disk can hold its syncs or let them fail. */
#pragma once

#include "protocol/mqtt_broker.h"
#include "tests/support/mqtt_text.h"
#include "tests/support/test.h"
#include <dirent.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define RIG_PATIENCE_MS 20000

/* ---- a disk whose sync waits or fails ---- */

struct moody_disk {
    struct disk disk;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool held, failing;
    bool full;        /* nothing can be made any more */
    unsigned waiting; /* syncs that are held */
};

static inline struct disk *moody_inner(void)
{
    return disk_linux();
}

static inline enum err moody_sync(struct disk *d, struct disk_file *f, struct error *e)
{
    struct moody_disk *m = CONTAINER_OF(d, struct moody_disk, disk);
    pthread_mutex_lock(&m->lock);
    m->waiting++;
    pthread_cond_broadcast(&m->changed);
    while (m->held)
        pthread_cond_wait(&m->changed, &m->lock);
    m->waiting--;
    bool failing = m->failing;
    pthread_mutex_unlock(&m->lock);
    if (failing)
        return error_set_os(e, EIO, "sync");
    return moody_inner()->ops->sync(moody_inner(), f, e);
}

#define MOODY(name, params, args)                                                                  \
    static inline enum err moody_##name params                                                     \
    {                                                                                              \
        (void)d;                                                                                   \
        return moody_inner()->ops->name args;                                                      \
    }
MOODY(read_at,
      (struct disk * d, struct disk_file *f, uint64_t at, void *p, size_t n, size_t *got,
       struct error *e),
      (moody_inner(), f, at, p, n, got, e))
MOODY(write_at,
      (struct disk * d, struct disk_file *f, uint64_t at, const void *p, size_t n, struct error *e),
      (moody_inner(), f, at, p, n, e))
MOODY(size, (struct disk * d, struct disk_file *f, uint64_t *out, struct error *e),
      (moody_inner(), f, out, e))
MOODY(truncate, (struct disk * d, struct disk_file *f, uint64_t n, struct error *e),
      (moody_inner(), f, n, e))
MOODY(rename, (struct disk * d, const char *from, const char *to, struct error *e),
      (moody_inner(), from, to, e))
MOODY(remove, (struct disk * d, const char *p, struct error *e), (moody_inner(), p, e))
MOODY(sync_dir, (struct disk * d, const char *p, struct error *e), (moody_inner(), p, e))
MOODY(make_dir, (struct disk * d, const char *p, struct error *e), (moody_inner(), p, e))
MOODY(list,
      (struct disk * d, const char *p, void (*each)(void *, const char *), void *ctx,
       struct error *e),
      (moody_inner(), p, each, ctx, e))

static inline enum err moody_open(struct disk *d, const char *p, unsigned flags,
                                  struct disk_file **f, struct error *e)
{
    struct moody_disk *m = CONTAINER_OF(d, struct moody_disk, disk);
    pthread_mutex_lock(&m->lock);
    bool full = m->full && (flags & DISK_CREATE);
    pthread_mutex_unlock(&m->lock);
    *f = NULL;
    return full ? error_set_os(e, ENOSPC, "open")
                : moody_inner()->ops->open(moody_inner(), p, flags, f, e);
}

static inline void moody_close(struct disk *d, struct disk_file *f)
{
    (void)d;
    moody_inner()->ops->close(moody_inner(), f);
}

static inline void moody_init(struct moody_disk *m)
{
    static const struct disk_ops ops = {.open = moody_open,
                                        .close = moody_close,
                                        .read_at = moody_read_at,
                                        .write_at = moody_write_at,
                                        .sync = moody_sync,
                                        .size = moody_size,
                                        .truncate = moody_truncate,
                                        .rename = moody_rename,
                                        .remove = moody_remove,
                                        .sync_dir = moody_sync_dir,
                                        .make_dir = moody_make_dir,
                                        .list = moody_list};
    *m = (struct moody_disk){.disk = {&ops}};
    pthread_mutex_init(&m->lock, NULL);
    pthread_cond_init(&m->changed, NULL);
}

static inline void moody_set(struct moody_disk *m, bool held, bool failing)
{
    pthread_mutex_lock(&m->lock);
    m->held = held;
    m->failing = failing;
    pthread_cond_broadcast(&m->changed);
    pthread_mutex_unlock(&m->lock);
}

static inline void moody_fill(struct moody_disk *m, bool full)
{
    pthread_mutex_lock(&m->lock);
    m->full = full;
    pthread_mutex_unlock(&m->lock);
}

/* Until the journal's writer hangs in a sync. */
static inline void moody_await(struct moody_disk *m)
{
    pthread_mutex_lock(&m->lock);
    while (!m->waiting)
        pthread_cond_wait(&m->changed, &m->lock);
    pthread_mutex_unlock(&m->lock);
}

/* ---- the broker ---- */

struct broker {
    struct executor *ex;
    struct journal *journal;
    struct db *db;
    struct bus *bus;
    struct mqtt_server *server;
    struct password_file *passwords;
    struct moody_disk disk;
    struct subscriber guard; /* of `owned/set` */
    pthread_t thread;        /* runs it, and takes it down: an I/O ring belongs to one thread */
    pthread_barrier_t halted, go_on;
    uint16_t port;
    char dir[240];
    /* Set before broker_start(). */
    struct mqtt_limits limits;
    const char *password_path;
    const struct enhanced_method *const *methods; /* default: those of the password file */
    struct access *access;
    int64_t sys_interval_ms;
    bool light;       /* no journal, no database */
    unsigned workers; /* default: $SEDGE_TEST_WORKERS, else 1 */
    size_t group_bytes_max, segment_bytes, journal_max_bytes;
};

static inline void *broker_main(void *arg)
{
    struct broker *b = arg;
    executor_run(b->ex);
    pthread_barrier_wait(&b->halted);
    pthread_barrier_wait(&b->go_on);
    mqtt_server_close(b->server);
    password_file_close(b->passwords);
    bus_unsubscribe_all(b->bus, &b->guard);
    bus_free(b->bus);
    journal_close(b->journal);
    db_close(b->db);
    executor_free(b->ex);
    return NULL;
}

static inline void broker_open_store(struct broker *b)
{
    struct error e = {0};
    char path[300];
    (void)snprintf(path, sizeof(path), "%s/sedge.db", b->dir);
    const struct db_config dc = {.ex = b->ex, .alloc = alloc_system(), .path = path};
    REQUIRE(CHECK_EQ_INT(db_open(&b->db, &dc, &e), ERR_OK));
    moody_init(&b->disk);
    const struct journal_config jc = {.ex = b->ex,
                                      .disk = &b->disk.disk,
                                      .clock = env_linux()->clock,
                                      .alloc = alloc_system(),
                                      .dir = b->dir,
                                      .segment_bytes =
                                          b->segment_bytes ? b->segment_bytes : 1 << 20,
                                      .journal_max_bytes = b->journal_max_bytes,
                                      .group_bytes_max = b->group_bytes_max};
    REQUIRE(CHECK_EQ_INT(journal_open(&b->journal, &jc, &e), ERR_OK));
}

static inline unsigned broker_workers(const struct broker *b)
{
    const char *text = getenv("SEDGE_TEST_WORKERS");
    return b->workers ? b->workers : text ? (unsigned)strtoul(text, NULL, 10) : 1;
}

/* `dir` NULL: the test's folder. */
static inline void broker_start(struct broker *b, const char *dir)
{
    struct error e = {0};
    struct listener *listener;
    const struct executor_config ec = {
        .workers = broker_workers(b), .driver = getenv("SEDGE_TEST_DRIVER"), .offload_threads = 2};
    (void)snprintf(b->dir, sizeof(b->dir), "%s", dir ? dir : test_tmpdir());
    REQUIRE(CHECK_EQ_INT(executor_new(&b->ex, &ec, &e), ERR_OK));
    if (!b->light)
        broker_open_store(b);
    const struct bus_config bc = {.ex = b->ex, .journal = b->journal, .db = b->db};
    REQUIRE(CHECK_EQ_INT(bus_new(&b->bus, &bc, &e), ERR_OK));
    b->guard = (struct subscriber){0};
    const struct subscription guard = {.filter = STR("owned/set"),
                                       .subscriber = &b->guard,
                                       .guard = STR("it is owned by line_guard")};
    REQUIRE(CHECK_EQ_INT(bus_subscribe(b->bus, &guard, NULL), ERR_OK));
    const struct mqtt_server_config mc = {.ex = b->ex,
                                          .bus = b->bus,
                                          .journal = b->journal,
                                          .db = b->db,
                                          .access = b->access,
                                          .sys_interval_ms = b->sys_interval_ms,
                                          .limits = b->limits};
    REQUIRE(CHECK_EQ_INT(mqtt_server_new(&b->server, &mc, &e), ERR_OK));
    if (b->journal) {
        REQUIRE(CHECK_EQ_INT(journal_replay(b->journal, &e), ERR_OK));
        REQUIRE(CHECK_EQ_INT(journal_start(b->journal, &e), ERR_OK));
    }
    struct mqtt_listen lc = {.anonymous = !b->password_path, .methods = b->methods};
    REQUIRE(addr_parse(&lc.addr, STR("127.0.0.1"), 0) == ERR_OK);
    if (b->password_path) {
        const struct password_config pc = {.ex = b->ex, .path = b->password_path};
        REQUIRE(CHECK_EQ_INT(password_file_open(&b->passwords, &pc, &e), ERR_OK));
        lc.passwords = b->passwords;
        lc.methods = b->methods ? b->methods : password_file_methods(b->passwords);
    }
    REQUIRE(CHECK_EQ_INT(mqtt_server_listen(b->server, &lc, &listener, &e), ERR_OK));
    b->port = addr_port(listener_addr(listener));
    pthread_barrier_init(&b->halted, NULL, 2);
    pthread_barrier_init(&b->go_on, NULL, 2);
    REQUIRE(pthread_create(&b->thread, NULL, broker_main, b) == 0);
}

/* Stops the loop; the broker may be looked at from here on. */
static inline void broker_halt(struct broker *b)
{
    executor_stop(b->ex);
    pthread_barrier_wait(&b->halted);
}

static inline void broker_free(struct broker *b)
{
    pthread_barrier_wait(&b->go_on);
    pthread_join(b->thread, NULL);
    pthread_barrier_destroy(&b->halted);
    pthread_barrier_destroy(&b->go_on);
    b->server = NULL;
    b->passwords = NULL;
    b->bus = NULL;
    b->journal = NULL;
    b->db = NULL;
}

static inline void broker_stop(struct broker *b)
{
    broker_halt(b);
    broker_free(b);
}

static inline void copy_file(const char *from, const char *to)
{
    char block[65536];
    size_t n;
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    REQUIRE(in && out);
    while ((n = fread(block, 1, sizeof(block), in)) > 0)
        REQUIRE(fwrite(block, 1, n, out) == n);
    (void)fclose(in);
    REQUIRE(fclose(out) == 0);
}

/* What a `kill -9` would leave now: the database first, then the journal, which may be ahead. */
static inline void broker_image(const struct broker *b, char out[240])
{
    char from[600], to[600];
    static unsigned images; /* names differ within a run */
    (void)snprintf(out, 240, "%.200s/image%u", test_tmpdir(), images++);
    REQUIRE(mkdir(out, 0700) == 0);
    for (int journal = 0; journal < 2; journal++) {
        struct dirent *d;
        DIR *dir = opendir(b->dir);
        REQUIRE(dir != NULL);
        while ((d = readdir(dir))) {
            bool is_db = strncmp(d->d_name, "sedge.db", 8) == 0;
            if (strncmp(d->d_name, "image", 5) == 0 || d->d_name[0] == '.' || is_db == journal)
                continue;
            (void)snprintf(from, sizeof(from), "%s/%s", b->dir, d->d_name);
            (void)snprintf(to, sizeof(to), "%s/%s", out, d->d_name);
            copy_file(from, to);
        }
        (void)closedir(dir);
    }
}

/* ---- a client ---- */

struct client {
    int fd;
    enum mqtt_version version;
    uint8_t in[1 << 18];
    size_t n, used;
    struct strbuf text;
    uint16_t last_id; /* packet id of the last PUBLISH */
};

static inline void client_open(struct client *c, const struct broker *b)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons(b->port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    c->n = c->used = 0;
    c->version = MQTT_V5;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    strbuf_init(&c->text, alloc_system(), 0);
    REQUIRE(c->fd >= 0 && connect(c->fd, (struct sockaddr *)&a, sizeof(a)) == 0);
    int on = 1;
    REQUIRE(setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0);
}

static inline void client_close(struct client *c)
{
    if (c->fd >= 0)
        (void)close(c->fd);
    c->fd = -1;
    strbuf_fini(&c->text);
}

static inline void client_send(struct client *c, const void *p, size_t n)
{
    const uint8_t *at = p;
    while (n) {
        ssize_t sent = send(c->fd, at, n, MSG_NOSIGNAL);
        if (sent < 0)
            return; /* it has closed: reading will tell */
        at += sent;
        n -= (size_t)sent;
    }
}

static inline void client_hex(struct client *c, const char *hex)
{
    uint8_t bytes[2000];
    client_send(c, bytes, mqtt_unhex(hex, bytes, sizeof(bytes)));
}

static inline void client_put(struct client *c, const struct mqtt_packet *p)
{
    size_t n = mqtt_encoded_size(c->version, p);
    uint8_t *bytes = mem_new(alloc_system(), n);
    struct writer w = writer_from(bytes, n);
    REQUIRE(n && bytes && CHECK_EQ_INT(mqtt_encode(c->version, p, &w), ERR_OK));
    client_send(c, bytes, writer_len(&w));
    mem_free(alloc_system(), bytes, n);
}

/* Reads what there is; false at the end of the connection. */
static inline bool client_fill(struct client *c)
{
    struct pollfd p = {.fd = c->fd, .events = POLLIN};
    memmove(c->in, c->in + c->used, c->n - c->used);
    c->n -= c->used;
    c->used = 0;
    REQUIRE(CHECK(poll(&p, 1, RIG_PATIENCE_MS) == 1)); /* else nothing came at all */
    ssize_t got = recv(c->fd, c->in + c->n, sizeof(c->in) - c->n, 0);
    if (got <= 0)
        return false;
    c->n += (size_t)got;
    return true;
}

/* The next packet as text, "END" at the end of the connection. */
static inline const char *client_next(struct client *c)
{
    const struct mqtt_decoder d = {.version = c->version};
    struct mqtt_packet p;
    size_t used;
    strbuf_reset(&c->text);
    for (;;) {
        enum mqtt_result r =
            mqtt_decode(&d, (struct bytes){c->in + c->used, c->n - c->used}, &p, &used);
        REQUIRE(CHECK(r != MQTT_ERROR));
        if (r == MQTT_OK)
            break;
        if (!client_fill(c))
            return "END";
    }
    c->used += used;
    if (p.type == MQTT_PUBLISH)
        c->last_id = p.publish.id;
    mqtt_text(&c->text, &p);
    return c->text.p;
}

/* The number that the payload of a PUBLISH begins with. */
static inline size_t number_in(const char *text)
{
    const char *at = strstr(text, "payload=");
    char *end = NULL;
    unsigned long n = at ? strtoul(at + 8, &end, 10) : 0;
    REQUIRE(CHECK(at && end > at + 8));
    return n;
}

#define EXPECT(c, want)     CHECK_EQ_STR(client_next(c), want)
#define EXPECT_HAS(c, part) CHECK_HAS_STR(client_next(c), part)

/* Nothing else has come, and nothing that was asked before is still on its way. */
#define EXPECT_NOTHING(c)                                                                          \
    do {                                                                                           \
        client_hex((c), "C0 00");                                                                  \
        EXPECT((c), "PINGRESP");                                                                   \
    } while (0)

struct hello_opt {             /* of CONNECT */
    enum mqtt_version version; /* default 5 */
    bool clean;
    uint16_t keep_alive_s, receive_max;
    uint32_t expiry_s, packet_size_max, will_delay_s;
    bool quiet; /* no problem information */
    const char *user, *password, *will_topic, *will;
    bool will_retain;
};

static inline void client_hello(struct client *c, const char *id, struct hello_opt o)
{
    struct mqtt_packet p = {.type = MQTT_CONNECT};
    struct mqtt_connect *m = &p.connect;
    c->version = m->version = o.version ? o.version : MQTT_V5;
    m->clean_start = o.clean;
    m->keep_alive_s = o.keep_alive_s;
    m->client_id = str_from(id);
    if (o.expiry_s) {
        m->props.has |= MQTT_HAS(MQTT_PROP_SESSION_EXPIRY);
        m->props.session_expiry_s = o.expiry_s;
    }
    if (o.receive_max) {
        m->props.has |= MQTT_HAS(MQTT_PROP_RECEIVE_MAX);
        m->props.receive_max = o.receive_max;
    }
    if (o.packet_size_max) {
        m->props.has |= MQTT_HAS(MQTT_PROP_MAXIMUM_PACKET_SIZE);
        m->props.maximum_packet_size = o.packet_size_max;
    }
    if (o.quiet)
        m->props.has |= MQTT_HAS(MQTT_PROP_REQUEST_PROBLEM_INFO);
    if (o.will_topic) {
        m->has_will = true;
        m->will_retain = o.will_retain;
        m->will_topic = str_from(o.will_topic);
        m->will_payload = (struct bytes){(const uint8_t *)o.will, strlen(o.will)};
        if (o.will_delay_s) {
            m->will_props.has = MQTT_HAS(MQTT_PROP_WILL_DELAY);
            m->will_props.will_delay_s = o.will_delay_s;
        }
    }
    m->has_user = o.user;
    m->user = str_from(o.user);
    m->has_password = o.password;
    m->password = (struct bytes){(const uint8_t *)o.password, o.password ? strlen(o.password) : 0};
    client_put(c, &p);
}

#define CONNACK_5(session)                                                                         \
    "CONNACK reason=00 session=" #session " { receive-max=1024 alias-max=16 max-size=1048576 }"

/* Opens, connects and expects success. */
static inline void client_join(struct client *c, const struct broker *b, const char *id,
                               struct hello_opt o, bool present)
{
    client_open(c, b);
    client_hello(c, id, o);
    EXPECT_HAS(c, present ? "CONNACK reason=00 session=1" : "CONNACK reason=00 session=0");
}

static inline void client_subscribe(struct client *c, uint16_t id, const char *filter,
                                    uint8_t options, uint32_t sub_id)
{
    uint8_t room[300];
    struct writer w = writer_from(room, sizeof(room));
    mqtt_put_filter(&w, MQTT_SUBSCRIBE, str_from(filter), options);
    struct mqtt_packet p = {.type = MQTT_SUBSCRIBE,
                            .subscribe = {.id = id, .filters = {room, writer_len(&w)}}};
    if (sub_id) {
        p.subscribe.props.has = MQTT_HAS(MQTT_PROP_SUBSCRIPTION_ID);
        p.subscribe.props.subscription_id = sub_id;
    }
    client_put(c, &p);
}

static inline void client_unsubscribe(struct client *c, uint16_t id, const char *filter)
{
    uint8_t room[300];
    struct writer w = writer_from(room, sizeof(room));
    mqtt_put_filter(&w, MQTT_UNSUBSCRIBE, str_from(filter), 0);
    const struct mqtt_packet p = {.type = MQTT_UNSUBSCRIBE,
                                  .subscribe = {.id = id, .filters = {room, writer_len(&w)}}};
    client_put(c, &p);
}

static inline void client_publish(struct client *c, uint16_t id, const char *topic,
                                  const char *payload, bool retain)
{
    const struct mqtt_packet p = {
        .type = MQTT_PUBLISH,
        .publish = {.qos = id ? 1 : 0,
                    .retain = retain,
                    .id = id,
                    .topic = str_from(topic),
                    .payload = {(const uint8_t *)payload, strlen(payload)}}};
    client_put(c, &p);
}

static inline void client_publish2(struct client *c, uint16_t id, bool dup, const char *topic,
                                   const char *payload)
{
    const struct mqtt_packet p = {
        .type = MQTT_PUBLISH,
        .publish = {.qos = 2,
                    .dup = dup,
                    .id = id,
                    .topic = str_from(topic),
                    .payload = {(const uint8_t *)payload, strlen(payload)}}};
    client_put(c, &p);
}

static inline void client_puback(struct client *c, uint16_t id)
{
    const struct mqtt_packet p = {.type = MQTT_PUBACK, .ack = {.id = id}};
    client_put(c, &p);
}

static inline void client_bye(struct client *c)
{
    const struct mqtt_packet p = {.type = MQTT_DISCONNECT};
    client_put(c, &p);
    EXPECT(c, "END");
    client_close(c);
}
