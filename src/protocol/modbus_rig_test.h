/* modbus_rig_test: the engine in a simulated world, against slaves that the test plays: units with
 * registers, that answer late, wrongly, or not at all. What the engine tells is noted.
 * A test is a coroutine, since its steps come one after the other in virtual time. */
#pragma once

#include "async/coroutine.h"
#include "async/sim/env_sim.h"
#include "net/listener.h"
#include "protocol/modbus_internal.h"
#include "tests/support/test.h"

#include <unistd.h>

enum { SLAVE_UNITS = 4, SLAVE_WORDS = 400, RIG_PROPS = 8, RIG_DEVICES = 4, SLAVE_LOG = 512 };

struct slave_unit {
    uint8_t id;
    uint16_t words[SLAVE_WORDS]; /* of holding and input registers alike */
    uint8_t bits[SLAVE_WORDS];
    bool silent;
    unsigned busy;    /* so many answers are "busy" */
    unsigned lost;    /* so many answers do not arrive */
    unsigned damaged; /* so many answers have a wrong CRC (RTU), or another function (TCP) */
    uint16_t bad_from, bad_to; /* addresses that it does not have: from … to-1 */
    unsigned count_max;        /* registers of one read; 0: all */
    uint8_t exception;         /* to everything */
    size_t asked;
};
struct slave {
    struct worker *w;
    struct listener *listener;
    bool rtu;
    bool noise;    /* bytes before each answer */
    bool twice;    /* each answer comes two times */
    bool by_bytes; /* answers come in pieces of one byte, a tick apart */
    int64_t delay_ms;
    struct slave_unit units[SLAVE_UNITS];
    struct modbus_request log[SLAVE_LOG]; /* without data */
    uint8_t log_unit[SLAVE_LOG];
    int64_t log_ms[SLAVE_LOG];
    size_t requests, connections;
    struct list conns;
};
/* Answers one request at a time, as most units do. */
struct slave_conn {
    struct list link;
    struct task task;
    struct timer timer;
    struct slave *slave;
    struct stream *s;
    int kept; /* of a serial line: closed with it; 0: none */
    uint8_t out[2 * MODBUS_TCP_MAX + 8];
    size_t out_n, out_at;
};

struct noted {
    size_t samples;
    struct value last;
    enum quality quality;
    char why[200], doubt[200];
};
struct rig {
    struct sim *sim;
    struct env *env;
    struct executor *ex;
    struct worker *w;
    struct slave slave;
    struct modbus *m;
    struct modbus_setup *setup;
    struct device devices[RIG_DEVICES];
    struct device_property props[RIG_DEVICES][RIG_PROPS];
    struct noted noted[RIG_DEVICES][RIG_PROPS];
    struct {
        bool told, online;
        size_t times;
        char why[200];
    } link[RIG_DEVICES];
    struct {
        size_t times;
        char id[24], why[200];
        enum err result;
    } done;
    void (*body)(struct rig *g);
    uint32_t backoff_min_ms; /* 0: the engine's */
};

/* --- the slave --- */

static inline struct slave_unit *slave_unit(struct slave *s, uint8_t id)
{
    for (size_t i = 0; i < SLAVE_UNITS; i++) {
        if (s->units[i].id == id)
            return &s->units[i];
    }
    return NULL;
}

static inline uint8_t slave_refuses(struct slave_unit *u, const struct modbus_request *q)
{
    if (u->exception)
        return u->exception;
    if (u->busy > 0) {
        u->busy--;
        return MODBUS_BUSY;
    }
    if (u->count_max > 0 && q->count > u->count_max)
        return MODBUS_ILLEGAL_VALUE;
    if (q->address < u->bad_to && q->address + q->count > u->bad_from)
        return MODBUS_ILLEGAL_ADDRESS;
    return q->address + q->count > SLAVE_WORDS ? MODBUS_ILLEGAL_ADDRESS : 0;
}

static inline void slave_write(struct slave_unit *u, const struct modbus_request *q)
{
    for (unsigned i = 0; i < q->count; i++) {
        unsigned at = q->address + i;
        if (modbus_is_bits(q->function))
            u->bits[at] = q->data.p[i / 8] >> i % 8 & 1;
        else
            u->words[at] = (uint16_t)(q->data.p[2 * i] << 8 | q->data.p[2 * i + 1]);
    }
}

static inline size_t slave_read(const struct slave_unit *u, const struct modbus_request *q,
                                uint8_t *data)
{
    for (unsigned i = 0; i < q->count; i++) {
        unsigned at = q->address + i;
        if (!modbus_is_bits(q->function)) {
            data[2 * i] = (uint8_t)(u->words[at] >> 8);
            data[2 * i + 1] = (uint8_t)u->words[at];
        } else {
            data[i / 8] = (uint8_t)(i % 8 == 0 ? u->bits[at] : data[i / 8] | u->bits[at] << i % 8);
        }
    }
    return modbus_is_bits(q->function) ? (q->count + 7u) / 8 : 2u * q->count;
}

static inline void slave_log(struct slave *s, const struct modbus_request *q, uint8_t unit)
{
    if (s->requests < SLAVE_LOG) {
        s->log[s->requests] = *q;
        s->log_unit[s->requests] = unit;
        s->log_ms[s->requests] = worker_now_ns(s->w) / 1000000;
    }
    s->requests++;
}

/* The answer's frame in c->out; none: it stays silent. */
static inline void slave_answer(struct slave_conn *c, const struct modbus_frame *f)
{
    struct slave *s = c->slave;
    struct slave_unit *u = slave_unit(s, f->unit);
    struct modbus_request q;
    uint8_t pdu[MODBUS_PDU_MAX], data[256];
    struct writer p = writer_from(pdu, sizeof(pdu)), w = writer_from(c->out, sizeof(c->out));
    REQUIRE(modbus_decode_request(f->pdu, &q) == ERR_OK);
    slave_log(s, &q, f->unit);
    if (!u || u->silent)
        return;
    u->asked++;
    uint8_t exception = slave_refuses(u, &q);
    size_t n = 0;
    if (!exception && modbus_is_read(q.function))
        n = slave_read(u, &q, data);
    else if (!exception)
        slave_write(u, &q);
    REQUIRE(modbus_encode_answer(&p, &q, (struct bytes){data, n}, exception) == ERR_OK);
    if (u->lost > 0 && u->lost-- > 0)
        return;
    bool damaged = u->damaged > 0 && u->damaged-- > 0;
    if (damaged && !s->rtu)
        pdu[0] ^= 1;
    if (s->noise)
        writer_bytes(&w, "\x03\x03\x01", 3);
    if (s->rtu)
        modbus_rtu_encode(&w, f->unit, (struct bytes){pdu, writer_len(&p)});
    else
        modbus_tcp_encode(&w, f->transaction, f->unit, (struct bytes){pdu, writer_len(&p)});
    c->out_n = writer_len(&w);
    if (s->twice)
        writer_bytes(&w, c->out, c->out_n);
    c->out_n = writer_len(&w);
    if (damaged && s->rtu)
        c->out[c->out_n - 1] ^= 0x55;
}

static inline void slave_send(struct timer *t)
{
    struct slave_conn *c = CONTAINER_OF(t, struct slave_conn, timer);
    size_t n = c->slave->by_bytes ? 1 : c->out_n - c->out_at;
    if (stream_write(c->s, c->out + c->out_at, n) == ERR_OK)
        c->out_at += n;
    if (c->out_at < c->out_n)
        timer_set_after_ms(&c->timer, 2);
    else
        task_wake(&c->task);
}

static inline bool slave_take(struct slave_conn *c, struct bytes in, struct modbus_frame *f)
{
    if (c->slave->rtu)
        return modbus_rtu_decode_request(in, f) == ERR_OK;
    return modbus_tcp_decode(in, f) == ERR_OK;
}

static inline enum poll slave_poll(struct task *t)
{
    struct slave_conn *c = CONTAINER_OF(t, struct slave_conn, task);
    struct bytes in;
    struct modbus_frame f;
    enum err r = t->canceled ? ERR_CANCELED : ERR_AGAIN;
    while (!r ||
           (r == ERR_AGAIN && c->out_at == c->out_n && (r = stream_read(c->s, &in)) == ERR_OK)) {
        if (!slave_take(c, in, &f)) {
            r = ERR_AGAIN;
            break;
        }
        c->out_n = c->out_at = 0;
        slave_answer(c, &f);
        stream_consume(c->s, f.size);
        in.p += f.size;
        in.n -= f.size;
        r = in.n > 0 ? ERR_OK : ERR_AGAIN;
        if (c->out_n > 0) {
            timer_set_after_ms(&c->timer, c->slave->delay_ms);
            return POLL_PENDING;
        }
    }
    if (r == ERR_AGAIN)
        return POLL_PENDING;
    timer_cancel(&c->timer);
    stream_close(c->s);
    return POLL_READY;
}

static inline void slave_finished(struct task *t)
{
    struct slave_conn *c = CONTAINER_OF(t, struct slave_conn, task);
    list_del(&c->link);
    if (c->kept > 0)
        (void)close(c->kept);
    mem_free(alloc_system(), c, sizeof(*c));
}

static inline struct slave_conn *slave_conn_new(struct slave *s)
{
    struct slave_conn *c = mem_zero(alloc_system(), sizeof(*c));
    REQUIRE(c != NULL);
    c->slave = s;
    s->connections++;
    list_add_tail(&s->conns, &c->link);
    timer_init(&c->timer, s->w, slave_send);
    task_init(&c->task, "slave", slave_poll, slave_finished);
    return c;
}

static inline void slave_accepted(void *ctx, struct stream *stream)
{
    struct slave *s = ctx;
    struct slave_conn *c = slave_conn_new(s);
    c->s = stream;
    stream_bind(stream, &c->task);
    task_spawn(s->w, &c->task);
}

static inline void slave_listen(struct slave *s)
{
    struct listener_config lc = {.accepted = slave_accepted, .ctx = s};
    struct error e = {0};
    REQUIRE(addr_parse(&lc.addr, STR("127.0.0.1"), 1502) == ERR_OK);
    REQUIRE(listener_open(&s->listener, s->w, &lc, &e) == ERR_OK);
}

/* All its connections end. */
static inline void slave_cut(struct slave *s)
{
    LIST_EACH(&s->conns, it)
    {
        task_cancel(&CONTAINER_OF(it, struct slave_conn, link)->task);
    }
}

static inline void slave_gone(struct slave *s)
{
    slave_cut(s);
    listener_close(s->listener);
    s->listener = NULL;
}

/* --- what the engine tells --- */

static inline struct noted *noted_of(struct rig *g, struct device_property *p)
{
    size_t d = (size_t)(p->device - g->devices), i = (size_t)(p - p->device->props);
    return &g->noted[d][i];
}

static inline enum err note_sample(void *ctx, struct device_property *p, const struct value *v,
                                   enum quality q)
{
    struct noted *n = noted_of(ctx, p);
    n->samples++;
    n->last = *v;
    n->quality = q;
    n->why[0] = '\0';
    return ERR_OK;
}

static inline void note_doubt(void *ctx, struct device_property *p, const char *why)
{
    struct noted *n = noted_of(ctx, p);
    (void)snprintf(n->doubt, sizeof(n->doubt), "%s", why);
}

static inline void note_unreadable(void *ctx, struct device_property *p, const char *why)
{
    struct noted *n = noted_of(ctx, p);
    (void)snprintf(n->why, sizeof(n->why), "%s", why);
}

static inline void note_link(void *ctx, struct device *d, bool online, const char *why)
{
    struct rig *g = ctx;
    size_t i = (size_t)(d - g->devices);
    g->link[i].told = true;
    g->link[i].online = online;
    g->link[i].times++;
    (void)snprintf(g->link[i].why, sizeof(g->link[i].why), "%s", why);
}

static inline void note_done(void *ctx, struct device *d, const char *id, enum err result,
                             const char *why)
{
    struct rig *g = ctx;
    (void)d;
    g->done.times++;
    g->done.result = result;
    (void)snprintf(g->done.id, sizeof(g->done.id), "%s", id);
    (void)snprintf(g->done.why, sizeof(g->done.why), "%s", why);
}

/* --- devices --- */

#define RIG_S(text)                                                                                \
    {                                                                                              \
        (text), sizeof(text) - 1                                                                   \
    }
/* Properties 0 … 4 are numbers, 5 is whole, 6 is true or false, 7 is a text. */
static const struct property_def rig_properties[RIG_PROPS] = {
    {.name = RIG_S("p0"), .kind = VALUE_FLOAT}, {.name = RIG_S("p1"), .kind = VALUE_FLOAT},
    {.name = RIG_S("p2"), .kind = VALUE_FLOAT}, {.name = RIG_S("p3"), .kind = VALUE_FLOAT},
    {.name = RIG_S("p4"), .kind = VALUE_FLOAT}, {.name = RIG_S("p5"), .kind = VALUE_INT},
    {.name = RIG_S("p6"), .kind = VALUE_BOOL},  {.name = RIG_S("p7"), .kind = VALUE_STR},
};
static const struct param_def rig_params[] = {{.name = RIG_S("to"), .kind = VALUE_FLOAT}};
static const struct action_def rig_actions[] = {
    {.name = RIG_S("open"), .confirm_property = 6},
    {.name = RIG_S("set"), .params = rig_params, .param_count = 1, .confirm_property = 0},
    {.name = RIG_S("reset"), .confirm_property = -1},
};
static const struct model_def rig_model = {.name = RIG_S("Meter"),
                                           .properties = rig_properties,
                                           .property_count = RIG_PROPS,
                                           .actions = rig_actions,
                                           .action_count = ARRAY_LEN(rig_actions)};

static inline struct device *rig_device(struct rig *g, size_t i)
{
    struct device *d = &g->devices[i];
    d->model = &rig_model;
    d->props = g->props[i];
    d->name = rig_model.name;
    for (size_t p = 0; p < RIG_PROPS; p++)
        d->props[p] = (struct device_property){.device = d, .def = &rig_properties[p]};
    return d;
}

/* What all devices of the tests are; the rest is the test's. */
static inline struct modbus_device rig_base(struct rig *g, size_t i, uint8_t unit)
{
    return (struct modbus_device){
        .device = rig_device(g, i),
        .link = {.carrier = g->slave.rtu ? MODBUS_RTU_OVER_TCP : MODBUS_TCP,
                 .host = STR("127.0.0.1"),
                 .port = 1502,
                 .timeout_ms = 100},
        .unit = unit,
        .every_ms = 1000};
}

static inline void rig_add(struct rig *g, const struct modbus_device *d)
{
    struct error e = {0};
    if (!g->setup)
        REQUIRE(modbus_setup_new(&g->setup, alloc_system()) == ERR_OK);
    enum err r = modbus_setup_add(g->setup, d, &e);
    if (r)
        test_note("%s", e.text);
    REQUIRE(r == ERR_OK);
}

static inline void rig_start(struct rig *g)
{
    static struct modbus_sink sink;
    struct error e = {0};
    sink = (struct modbus_sink){.sample = note_sample,
                                .doubt = note_doubt,
                                .unreadable = note_unreadable,
                                .link_state = note_link,
                                .done = note_done,
                                .ctx = g};
    struct modbus_config cfg = {
        .ex = g->ex, .alloc = alloc_system(), .sink = &sink, .backoff_min_ms = g->backoff_min_ms};
    REQUIRE(modbus_new(&g->m, &cfg, g->setup, &e) == ERR_OK);
    g->setup = NULL;
}

static inline enum err rig_command(struct rig *g, size_t device, uint32_t action,
                                   const struct value *arg, const char *id)
{
    struct error e = {0};
    struct port_command c = {.device = &g->devices[device],
                             .action = action,
                             .id = id,
                             .args = arg,
                             .arg_count = arg ? 1 : 0};
    return modbus_command(g->m, &c, &e);
}

/* --- running --- */

static inline void rig_sleep(int64_t ms)
{
    enum err r = co_sleep_ms(ms);
    CHECK_EQ_INT(r, ERR_OK);
}

/* In virtual time: at most a minute. */
#define WAIT_FOR(cond)                                                                             \
    do {                                                                                           \
        for (int waited = 0; !(cond) && waited < 60000; waited++)                                  \
            rig_sleep(1);                                                                          \
        CHECK(cond);                                                                               \
    } while (0)

static inline intptr_t rig_main(void *arg)
{
    struct rig *g = arg;
    g->slave.w = g->w;
    list_init(&g->slave.conns);
    if (g->sim)
        slave_listen(&g->slave);
    g->body(g);
    return 0;
}

/* `units`: ids of the slave's, 0 behind the last. */
static inline void rig_play(struct rig *g, const char *units, bool rtu, void (*body)(struct rig *g))
{
    struct executor_config cfg = {.env = g->env ? g->env : env_linux(),
                                  .alloc = alloc_system(),
                                  .workers = 1,
                                  .offload_threads = 1};
    struct error e = {0};
    REQUIRE(executor_new(&g->ex, &cfg, &e) == ERR_OK);
    g->w = executor_worker(g->ex, 0);
    REQUIRE(co_enable(g->w, 4) == ERR_OK);
    g->slave.rtu = rtu;
    for (size_t i = 0; units[i]; i++)
        g->slave.units[i].id = (uint8_t)units[i];
    g->body = body;
    CHECK_EQ_INT(co_run(g->ex, rig_main, g, "test", NULL), ERR_OK);
    modbus_free(g->m);
    modbus_setup_free(g->setup);
    if (g->slave.listener)
        listener_close(g->slave.listener);
    executor_free(g->ex);
}

static inline struct rig *rig_new(void)
{
    static struct rig rig; /* large for a stack */
    memset(&rig, 0, sizeof(rig));
    return &rig;
}

static inline void rig_run(const char *units, bool rtu, void (*body)(struct rig *g))
{
    struct rig *g = rig_new();
    REQUIRE(sim_new(&g->sim, &(struct sim_config){.seed = test_seed()}) == ERR_OK);
    REQUIRE(env_sim_new(&g->env, g->sim) == ERR_OK);
    rig_play(g, units, rtu, body);
    env_sim_free(g->env);
    sim_free(g->sim);
}

/* --- figures --- */

struct seen {
    struct modbus_line_state line;
    struct modbus_unit_state units[SLAVE_UNITS];
    char link[MODBUS_LINK_TEXT_MAX], problem[MODBUS_PROBLEM_MAX];
    size_t lines, unit_count;
};

static inline void see_line(void *ctx, const struct modbus_line_state *l)
{
    struct seen *s = ctx;
    s->line = *l;
    s->lines++;
    (void)snprintf(s->link, sizeof(s->link), "%s", l->link);
    (void)snprintf(s->problem, sizeof(s->problem), "%s", l->problem);
}

static inline void see_unit(void *ctx, const struct modbus_line_state *l,
                            const struct modbus_unit_state *u)
{
    struct seen *s = ctx;
    (void)l;
    s->units[s->unit_count++] = *u;
}

static inline struct seen rig_see(const struct rig *g)
{
    struct seen s = {0};
    modbus_visit(g->m, &(struct modbus_visitor){.line = see_line, .unit = see_unit, .ctx = &s});
    return s;
}
