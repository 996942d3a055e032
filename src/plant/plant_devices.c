#include "plant/plant_devices.h"

#include "async/timer.h"
#include "base/log.h"
#include "codec/json.h"

#include <math.h>
#include <string.h>

#define PART       "plant"
#define STEP_MAX_S 2.0 /* a process that was stopped does not catch up */

enum { TICK_MS = 100, REPORT_MS = 1000, TOPIC_ROOM = 16 };

struct plant_device {
    struct plant_devices *all;
    struct mqtt_client *client; /* NULL once it has ended */
    int machine;
    struct str topic;
    char *text;   /* the topic with room for "/position" behind it */
    double shown; /* of what reports at once: a valve's or the belt's reading */
    bool jammed;
};

struct plant_devices {
    struct plant_devices_config cfg;
    struct worker *worker;
    struct timer timer;
    struct strbuf payload;
    int64_t last_ns, report_ns;
    size_t running;
    bool stopping, lost;
    struct plant_device devices[];
};

/* --- what goes out ------------------------------------------------------------------------- */

static struct str topic_of(struct plant_device *d, const char *suffix)
{
    size_t n = strlen(suffix);
    ASSERT(n < TOPIC_ROOM);
    memcpy(d->text + d->topic.n, suffix, n);
    return (struct str){d->text, d->topic.n + n};
}

/* What is in all->payload. A report that can't go out now is superseded by the next one. */
static void publish(struct plant_device *d, const char *suffix, uint8_t qos)
{
    struct strbuf *b = &d->all->payload;
    struct mqtt_publish m = {
        .topic = topic_of(d, suffix), .payload = {(const uint8_t *)b->p, b->n}, .qos = qos};
    enum err err = d->client ? mqtt_client_publish(d->client, &m, (struct mqtt_done){0}) : ERR_OK;
    if (err && qos > 0)
        LOG_W(PART, "%.*s: an answer is lost (%s)", STR_FMT(m.topic), err_name(err));
}

static void write_reading(struct json_writer *w, const struct plant_reading *r)
{
    switch (r->kind) {
    case PLANT_BOOL: json_bool(w, r->value != 0); break;
    case PLANT_COUNT: json_int(w, (int64_t)r->value); break;
    default: json_double(w, r->value); break;
    }
}

static void report(struct plant_device *d)
{
    struct plant *plant = d->all->cfg.plant;
    struct plant_reading r[PLANT_READINGS_MAX];
    size_t n = plant_readings(plant, d->machine, r);
    struct json_writer w;
    strbuf_reset(&d->all->payload);
    json_writer_init(&w, &d->all->payload);
    if (plant->machines[d->machine].kind == PLANT_VALVE) {
        write_reading(&w, &r[0]);
        publish(d, "/position", 0);
        return;
    }
    json_object_begin(&w);
    for (size_t i = 0; i < n; i++) {
        json_key(&w, r[i].name);
        write_reading(&w, &r[i]);
    }
    json_object_end(&w);
    publish(d, "", 0);
}

/* Actuators report a movement at once: who commanded them waits for it. */
static bool has_moved(struct plant_device *d)
{
    struct plant *plant = d->all->cfg.plant;
    enum plant_kind kind = plant->machines[d->machine].kind;
    if (kind != PLANT_VALVE && kind != PLANT_BELT)
        return false;
    struct plant_reading r[PLANT_READINGS_MAX];
    (void)plant_readings(plant, d->machine, r);
    bool moved = fabs(r[0].value - d->shown) > 1e-9;
    d->shown = r[0].value;
    return moved;
}

static void announce_jam(struct plant_device *d)
{
    bool jammed = plant_jammed(d->all->cfg.plant, d->machine);
    if (jammed && !d->jammed) {
        strbuf_reset(&d->all->payload);
        strbuf_adds(&d->all->payload, "{}");
        publish(d, "/jam", 1);
    }
    d->jammed = jammed;
}

/* --- commands ------------------------------------------------------------------------------ */

static void answer(struct plant_device *d, struct str id)
{
    struct json_writer w;
    strbuf_reset(&d->all->payload);
    json_writer_init(&w, &d->all->payload);
    json_object_begin(&w);
    json_key(&w, "id");
    json_raw(&w, id);
    json_object_end(&w);
    publish(d, "/ack", 1);
}

static bool read_target(struct bytes doc, double *out)
{
    struct json_token t;
    struct str args;
    if (json_find(doc, STR("args"), &t, &args) || t.kind != JSON_OBJECT)
        return false;
    struct bytes b = {(const uint8_t *)args.p, args.n};
    return json_find(b, STR("target"), &t, NULL) == ERR_OK && t.kind == JSON_NUMBER &&
           json_number(t.raw, out) == ERR_OK;
}

static void on_command(void *ctx, const struct mqtt_publish *m)
{
    struct plant_device *d = ctx;
    struct json_token action, id_token;
    struct str id = {0};
    double target;
    if (json_find(m->payload, STR("action"), &action, NULL) || action.kind != JSON_STRING) {
        LOG_W(PART, "%.*s: a command without an action", STR_FMT(d->topic));
        return;
    }
    bool has_id = json_find(m->payload, STR("id"), &id_token, &id) == ERR_OK;
    const double *t = read_target(m->payload, &target) ? &target : NULL;
    switch (plant_command(d->all->cfg.plant, d->machine, action.raw, t)) {
    case PLANT_DONE:
        LOG_I(PART, "%.*s: %.*s", STR_FMT(d->topic), STR_FMT(action.raw));
        if (has_id)
            answer(d, id);
        break;
    case PLANT_REFUSED:
        LOG_W(PART, "%.*s cannot do '%.*s'", STR_FMT(d->topic), STR_FMT(action.raw));
        break;
    case PLANT_DEAF: break;
    }
}

/* --- life ---------------------------------------------------------------------------------- */

static void on_tick(struct timer *t)
{
    struct plant_devices *p = CONTAINER_OF(t, struct plant_devices, timer);
    struct plant *plant = p->cfg.plant;
    int64_t now_ns = worker_now_ns(p->worker);
    double dt_s = fmin((double)(now_ns - p->last_ns) / 1e9, STEP_MAX_S) * p->cfg.speed;
    if (p->cfg.for_s > 0)
        dt_s = fmin(dt_s, p->cfg.for_s - plant->time_s);
    p->last_ns = now_ns;
    plant_step(plant, dt_s);
    bool due = now_ns >= p->report_ns;
    if (due)
        p->report_ns = now_ns + REPORT_MS * INT64_C(1000000);
    for (size_t i = 0; i < p->cfg.devices_n; i++) {
        struct plant_device *d = &p->devices[i];
        bool moved = has_moved(d);
        if (due || moved)
            report(d);
        announce_jam(d);
    }
    if (p->cfg.for_s > 0 && plant->time_s >= p->cfg.for_s - 0.05)
        plant_devices_stop(p);
    else
        timer_set_after_ms(&p->timer, TICK_MS);
}

/* Seven devices lose the same broker at once: one line is enough. */
static bool on_lost(void *ctx, const struct mqtt_client_loss *loss)
{
    struct plant_device *d = ctx;
    struct plant_devices *p = d->all;
    if (!p->lost && !p->stopping)
        LOG_W(PART, "the broker is not there: %s (%s); trying again", loss->text,
              err_name(loss->err));
    p->lost = true;
    return !p->stopping;
}

static void on_online(void *ctx, bool session_present)
{
    struct plant_device *d = ctx;
    (void)session_present;
    if (d->all->lost)
        LOG_I(PART, "the broker is back");
    d->all->lost = false;
}

static void on_ended(void *ctx)
{
    struct plant_device *d = ctx;
    struct plant_devices *p = d->all;
    d->client = NULL;
    if (--p->running > 0)
        return;
    timer_cancel(&p->timer);
    if (p->cfg.ended)
        p->cfg.ended(p->cfg.ctx);
}

static enum err device_start(struct plant_device *d, const struct plant_devices_config *cfg)
{
    struct mqtt_client_config mc = {
        .alloc = cfg->alloc,
        .addr = cfg->addr,
        .client_id = cfg->plant->machines[d->machine].name,
        .has_user = cfg->has_user,
        .user = cfg->user,
        .has_password = cfg->has_user,
        .password = cfg->password,
        .keep_alive_s = 30,
        .backoff_max_ms = 5000,
        .packet_max = 64 * 1024,
        .ctx = d,
        .online = on_online,
        .message = on_command,
        .lost = on_lost,
        .ended = on_ended,
    };
    enum err err = mqtt_client_new(&d->client, d->all->worker, &mc);
    if (err)
        return err;
    d->all->running++;
    return mqtt_client_subscribe(d->client, topic_of(d, "/set"), 1, (struct mqtt_done){0});
}

static size_t size_of(size_t devices_n)
{
    return sizeof(struct plant_devices) + devices_n * sizeof(struct plant_device);
}

static enum err device_init(struct plant_devices *p, size_t i,
                            const struct plant_device_config *cfg)
{
    struct plant_device *d = &p->devices[i];
    d->all = p;
    d->machine = cfg->machine;
    d->text = mem_new(p->cfg.alloc, cfg->topic.n + TOPIC_ROOM);
    if (!d->text)
        return ERR_NOMEM;
    memcpy(d->text, cfg->topic.p, cfg->topic.n);
    d->topic = (struct str){d->text, cfg->topic.n};
    (void)has_moved(d);
    return ERR_OK;
}

/* Once a client runs, a failure has to wait for its end: `ended` comes all the same. */
enum err plant_devices_new(struct plant_devices **out, struct worker *w,
                           const struct plant_devices_config *cfg)
{
    if (!(cfg->speed > 0))
        return ERR_INVALID;
    struct plant_devices *p = mem_zero(cfg->alloc, size_of(cfg->devices_n));
    if (!p)
        return ERR_NOMEM;
    p->cfg = *cfg;
    p->worker = w;
    strbuf_init(&p->payload, cfg->alloc, 4096);
    timer_init(&p->timer, w, on_tick);
    enum err err = ERR_OK;
    for (size_t i = 0; i < cfg->devices_n && !err; i++)
        err = device_init(p, i, &cfg->devices[i]);
    for (size_t i = 0; i < cfg->devices_n && !err; i++)
        err = device_start(&p->devices[i], cfg);
    if (err && p->running == 0) {
        plant_devices_free(p);
        return err;
    }
    *out = p;
    p->last_ns = p->report_ns = worker_now_ns(w);
    if (err)
        plant_devices_stop(p);
    else
        timer_set_after_ms(&p->timer, TICK_MS);
    return ERR_OK;
}

void plant_devices_stop(struct plant_devices *p)
{
    bool again = p->stopping;
    p->stopping = true;
    timer_cancel(&p->timer);
    for (size_t i = 0; i < p->cfg.devices_n; i++) {
        if (p->devices[i].client)
            mqtt_client_stop(p->devices[i].client);
    }
    if (p->cfg.devices_n == 0 && !again && p->cfg.ended)
        p->cfg.ended(p->cfg.ctx);
}

void plant_devices_free(struct plant_devices *p)
{
    if (!p)
        return;
    ASSERT(p->running == 0);
    for (size_t i = 0; i < p->cfg.devices_n; i++)
        mem_free(p->cfg.alloc, p->devices[i].text, p->devices[i].topic.n + TOPIC_ROOM);
    strbuf_fini(&p->payload);
    mem_free(p->cfg.alloc, p, size_of(p->cfg.devices_n));
}
