#include "registry/heard.h"

#include "base/log.h"
#include "registry/registry_internal.h"

#include <string.h>

enum { RECORD_VERSION = 1, KEY_MAX = 512, RECORD_AFTER_MS = 1000, RECORDS_AT_ONCE = 256 };

/* Its texts stand in one block behind it: "device event", and the key is all of it. */
struct heard {
    struct heard_event view;
    struct list link;  /* registry.heard, the one that came last at the tail */
    struct list dirty; /* registry.heard_dirty: not recorded yet */
    uint64_t told;     /* the count that readers know */
    struct str key;
};

static struct heard *heard_new(struct registry *r, struct str key)
{
    struct str rest = key, device;
    if (key.n > KEY_MAX || !str_split(&rest, ' ', &device))
        return NULL;
    struct heard *h = mem_zero(r->cfg.alloc, sizeof(*h) + key.n);
    if (!h)
        return NULL;
    char *text = (char *)(h + 1);
    memcpy(text, key.p, key.n);
    h->key = (struct str){text, key.n};
    h->view.device = (struct str){text, device.n};
    h->view.event = (struct str){text + device.n + 1, key.n - device.n - 1};
    if (map_put(&r->heard_map, h->key, h)) {
        mem_free(r->cfg.alloc, h, sizeof(*h) + key.n);
        return NULL;
    }
    list_add_tail(&r->heard, &h->link);
    list_init(&h->dirty);
    return h;
}

static void heard_free(struct registry *r, struct heard *h)
{
    (void)map_del(&r->heard_map, h->key);
    list_del(&h->link);
    list_del(&h->dirty);
    mem_free(r->cfg.alloc, h, sizeof(*h) + h->key.n);
}

/* --- records --- */

static void encode(struct writer *w, const struct heard_event *v)
{
    int64_t before = 0;
    writer_u8(w, RECORD_VERSION);
    writer_varint(w, v->count);
    writer_u8(w, (uint8_t)v->times_n);
    for (size_t i = 0; i < v->times_n; i++) {
        writer_svarint(w, v->times_ms[i] - before);
        before = v->times_ms[i];
    }
}

static bool decode(struct bytes body, struct heard_event *v)
{
    struct cursor c = cursor_from(body.p, body.n);
    uint64_t at = 0; /* what is damaged may go past the ends of time */
    if (cursor_u8(&c) != RECORD_VERSION)
        return false;
    v->count = cursor_varint(&c);
    v->times_n = cursor_u8(&c);
    if (v->times_n > HEARD_TIMES)
        return false;
    for (size_t i = 0; i < v->times_n; i++) {
        at += (uint64_t)cursor_svarint(&c);
        v->times_ms[i] = (int64_t)at;
    }
    return !c.failed && v->times_n > 0;
}

static void record(struct registry *r, const struct heard *h)
{
    uint8_t buf[16 + HEARD_TIMES * 10];
    struct writer w = writer_from(buf, sizeof(buf));
    encode(&w, &h->view);
    ASSERT(!w.failed);
    if (keep_put(r->heard_keep, h->key, (struct bytes){buf, writer_len(&w)}, true, NULL))
        LOG_W("registry", "when %.*s came is not recorded", STR_FMT(h->key));
}

static void tell(struct registry *r, struct heard *h)
{
    h->told = h->view.count;
    if (r->heard_changed)
        r->heard_changed(r->heard_ctx, &h->view);
}

/* With a limit, so that a site where everything chatters does not do it all in one turn. */
static void record_dirty(struct registry *r, size_t limit)
{
    struct list *it;
    while (limit-- && (it = list_pop_head(&r->heard_dirty))) {
        struct heard *h = CONTAINER_OF(it, struct heard, dirty);
        list_init(it);
        record(r, h);
        if (h->told != h->view.count)
            tell(r, h);
    }
}

static void record_later(struct timer *t)
{
    struct registry *r = CONTAINER_OF(t, struct registry, heard_timer);
    record_dirty(r, RECORDS_AT_ONCE);
    if (!list_empty(&r->heard_dirty))
        timer_set_after_ms(t, RECORD_AFTER_MS);
}

/* In its place by time: rows come by name, and a record of the journal behind them. */
static void put_in_order(struct registry *r, struct heard *h)
{
    list_del(&h->link);
    struct list *before = r->heard.prev;
    while (before != &r->heard &&
           CONTAINER_OF(before, struct heard, link)->view.times_ms[0] > h->view.times_ms[0])
        before = before->prev;
    list_add_head(before, &h->link);
}

static void apply(void *ctx, struct str key, struct bytes value)
{
    struct registry *r = ctx;
    struct heard *h = map_get(&r->heard_map, key);
    struct heard_event v = {0};
    if (!value.n || !decode(value, &v)) {
        if (value.n)
            LOG_W("registry", "when %.*s came can't be read", STR_FMT(key));
        if (h)
            heard_free(r, h);
        return;
    }
    if (!h)
        h = heard_new(r, key);
    if (!h)
        return;
    v.device = h->view.device;
    v.event = h->view.event;
    h->view = v;
    put_in_order(r, h);
}

/* --- what is heard --- */

static bool is_declared(struct registry *r, const struct heard_event *v)
{
    const struct device *d = registry_find(r, v->device);
    for (size_t i = 0; d && i < d->model->event_count; i++)
        if (str_eq(d->model->events[i], v->event))
            return true;
    return false;
}

static void forget_undeclared(struct registry *r)
{
    LIST_EACH_SAFE(&r->heard, it)
    {
        struct heard *h = CONTAINER_OF(it, struct heard, link);
        if (is_declared(r, &h->view))
            continue;
        if (keep_del(r->heard_keep, h->key, true))
            LOG_W("registry", "the record of when %.*s came stays behind", STR_FMT(h->key));
        heard_free(r, h);
    }
}

static struct heard *heard_of(struct registry *r, const struct signal_event *e)
{
    char buf[KEY_MAX];
    if (e->device.n + 1 + e->event.n > sizeof(buf))
        return NULL;
    memcpy(buf, e->device.p, e->device.n);
    buf[e->device.n] = ' ';
    memcpy(buf + e->device.n + 1, e->event.p, e->event.n);
    struct str key = {buf, e->device.n + 1 + e->event.n};
    struct heard *h = map_get(&r->heard_map, key);
    if (h)
        return h;
    if (r->heard_map.n >= r->cfg.heard_max && !r->heard_full)
        forget_undeclared(r);
    h = heard_new(r, key);
    if (!h && !r->heard_full)
        LOG_W("registry",
              "there is no room for the times of more than %zu events: those of further "
              "ones are not kept",
              r->heard_map.n);
    r->heard_full = !h; /* looked through again when the site has changed */
    return h;
}

void heard_note(struct registry *r, const struct signal_event *e)
{
    struct heard *h = heard_of(r, e);
    if (!h)
        return;
    struct heard_event *v = &h->view;
    size_t keep = v->times_n < HEARD_TIMES ? v->times_n : HEARD_TIMES - 1;
    memmove(v->times_ms + 1, v->times_ms, keep * sizeof(v->times_ms[0]));
    v->times_ms[0] = e->wall_ms;
    v->times_n = keep + 1;
    v->count++;
    list_del(&h->link);
    list_add_tail(&r->heard, &h->link);
    bool first = list_empty(&h->dirty); /* since the last record */
    if (first)
        list_add_tail(&r->heard_dirty, &h->dirty);
    if (!timer_armed(&r->heard_timer))
        timer_set_after_ms(&r->heard_timer, RECORD_AFTER_MS);
    if (first)
        tell(r, h);
}

void registry_heard_each(const struct registry *r, struct str device, size_t limit,
                         void (*each)(void *ctx, const struct heard_event *v), void *ctx)
{
    for (const struct list *it = r->heard.prev; it != &r->heard && limit; it = it->prev) {
        const struct heard *h = CONTAINER_OF(it, const struct heard, link);
        if (device.p && !str_eq(device, h->view.device))
            continue;
        each(ctx, &h->view);
        limit--;
    }
}

void registry_on_heard(struct registry *r, void (*changed)(void *ctx, const struct heard_event *v),
                       void *ctx)
{
    r->heard_changed = changed;
    r->heard_ctx = ctx;
}

enum err heard_init(struct registry *r, struct error *e)
{
    list_init(&r->heard);
    list_init(&r->heard_dirty);
    timer_init(&r->heard_timer, r->worker, record_later);
    map_init(&r->heard_map, r->cfg.alloc, executor_env(r->cfg.ex)->seed, r->cfg.heard_max);
    struct keep_config cfg = {.ex = r->cfg.ex,
                              .journal = r->cfg.journal,
                              .db = r->cfg.db,
                              .alloc = r->cfg.alloc,
                              .name = "heard",
                              .kind = JOURNAL_HEARD,
                              .apply = apply,
                              .ctx = r};
    return keep_new(&r->heard_keep, &cfg, e);
}

void heard_fini(struct registry *r)
{
    if (!r->heard.next)
        return;
    timer_cancel(&r->heard_timer);
    r->heard_changed = NULL;
    if (r->heard_keep)
        record_dirty(r, SIZE_MAX);
    keep_free(r->heard_keep);
    LIST_EACH_SAFE(&r->heard, it)
    heard_free(r, CONTAINER_OF(it, struct heard, link));
    map_fini(&r->heard_map);
}
