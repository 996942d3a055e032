/* links: what comes from a device, and goes to it, without messages. */
#include "base/log.h"
#include "registry/registry_internal.h"

#include <stdio.h>
#include <string.h>

enum { WHY_MAX = 200, RECORD_VERSION = 1, RECORD_BYTES_MAX = 1024 };

/* --- samples --- */

/* By its name, as what has which number is another in the next run. */
static void encode(struct writer *w, const struct sample *s)
{
    writer_u8(w, RECORD_VERSION);
    writer_u8(w, (uint8_t)s->quality);
    writer_svarint(w, s->ts_ms);
    writer_str16(w, s->series->name);
    value_encode(w, &s->value);
}

static enum err record(struct registry *r, struct sample *s)
{
    uint8_t buf[RECORD_BYTES_MAX];
    struct writer w = writer_from(buf, sizeof(buf));
    if (!r->cfg.journal)
        return ERR_OK;
    encode(&w, s);
    const struct iovec part = {buf, writer_len(&w)};
    return w.failed ? ERR_RANGE
                    : journal_append(r->cfg.journal, JOURNAL_SAMPLE, true, &part, 1, &s->seq);
}

enum err registry_sample(struct device_property *p, const struct value *v, int64_t ts_ms,
                         enum quality q)
{
    struct registry *r = p->device->registry;
    ASSERT(v->kind == p->def->kind);
    struct sample s = {.series = p->series,
                       .ts_ms = ts_ms ? ts_ms : worker_now_ms(r->worker),
                       .value = *v,
                       .quality = decode_quality(p->def, v, q)};
    p->device->heard = true;
    enum err err = p->device->leaving ? ERR_OK : record(r, &s);
    if (err)
        s.seq = 0;
    ingest_sample(r, p, &s);
    return err;
}

void links_replay_sample(struct registry *r, const struct journal_record *rec)
{
    struct cursor c = cursor_from(rec->body.p, rec->body.n);
    bool known = cursor_u8(&c) == RECORD_VERSION;
    struct sample s = {.quality = (enum quality)cursor_u8(&c), .seq = rec->seq, .replayed = true};
    s.ts_ms = cursor_svarint(&c);
    struct str name = cursor_str16(&c);
    s.value = value_decode(&c);
    if (!known || c.failed || s.quality > QUALITY_STALE)
        return;
    s.series = bus_series_find(r->cfg.bus, name);
    struct device_property *p = s.series ? registry_property_of(r, s.series) : NULL;
    if (p && p->def->kind == s.value.kind) { /* else the site has changed since */
        p->device->heard = true;
        ingest_sample(r, p, &s);
    }
}

/* --- what can't be read --- */

static void tell(const struct device *d)
{
    const struct registry *r = d->registry;
    if (!d->leaving && r->link_changed)
        r->link_changed(r->link_ctx, d);
}

/* In *at, which is there when it was needed once. */
static void note(struct device_property *p, char **at, const char *why)
{
    if (!*at && why[0])
        *at = mem_zero(p->device->registry->cfg.alloc, WHY_MAX);
    if (!*at || strncmp(*at, why, WHY_MAX - 1) == 0)
        return;
    (void)snprintf(*at, WHY_MAX, "%s", why);
    tell(p->device);
}

void links_heard(struct device_property *p)
{
    if (p->why && p->why[0])
        note(p, &p->why, "");
}

void registry_doubt(struct device_property *p, const char *why)
{
    if (!p->device->leaving)
        note(p, &p->doubt, why);
}

static void turn_stale(struct device_property *p)
{
    const struct registry *r = p->device->registry;
    if (p->series->quality != QUALITY_NONE && p->series->quality != QUALITY_STALE)
        bus_quality_publish(r->cfg.bus, p->series, QUALITY_STALE);
}

void registry_unreadable(struct device_property *p, const char *why)
{
    if (p->device->leaving)
        return;
    note(p, &p->why, why);
    turn_stale(p);
}

void links_free_why(struct registry *r, struct device *d)
{
    for (size_t i = 0; i < d->model->property_count; i++) {
        if (d->props[i].why)
            mem_free(r->cfg.alloc, d->props[i].why, WHY_MAX);
        if (d->props[i].doubt)
            mem_free(r->cfg.alloc, d->props[i].doubt, WHY_MAX);
        d->props[i].why = d->props[i].doubt = NULL;
    }
}

void registry_link_state(struct device *d, bool online, const char *why)
{
    struct device_reach before = d->reach;
    d->reach.state = online ? REACH_ONLINE : REACH_OFFLINE;
    d->heard = d->heard || online;
    (void)snprintf(d->reach.why, sizeof(d->reach.why), "%s", online ? "" : why);
    for (size_t i = 0; !online && !d->leaving && i < d->model->property_count; i++)
        turn_stale(&d->props[i]);
    bool news = before.state != d->reach.state || strcmp(before.why, d->reach.why) != 0;
    if (news)
        tell(d);
}

void registry_on_link(struct registry *r, void (*changed)(void *ctx, const struct device *d),
                      void *ctx)
{
    r->link_changed = changed;
    r->link_ctx = ctx;
}

/* --- ports --- */

void registry_set_port(struct device *d, const struct device_port *port)
{
    d->port = port;
}

static void forget_port(struct list *devices, const struct device_port *port)
{
    LIST_EACH(devices, it)
    {
        struct device *d = CONTAINER_OF(it, struct device, link);
        if (d->port == port)
            d->port = NULL;
    }
}

void registry_port_gone(struct registry *r, const struct device_port *port)
{
    forget_port(&r->now->devices, port);
    forget_port(&r->now->leaving, port);
    if (r->building == r->now)
        return;
    forget_port(&r->building->devices, port);
    forget_port(&r->building->leaving, port);
}
