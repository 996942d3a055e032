#include "alert/alert_internal.h"
#include "base/log.h"
#include "base/map.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Version 1 knew no shelving, version 2 had nothing to say in another language. */
enum { RECORD_VERSION = 3, RECORD_BYTES_MAX = 8192, TEXTS = 12 };

const char *alert_state_name(enum alert_state s)
{
    static const char *const names[] = {"unacknowledged", "acknowledged", "returned", "normal"};
    return names[s];
}

/* --- one alert: its texts live in one block, replaced as a whole --- */

static struct str *const *alert_texts(struct alert *al, struct str *out[TEXTS])
{
    struct str *all[TEXTS] = {&al->key,
                              &al->text,
                              &al->says,
                              &al->device,
                              &al->acknowledged_by,
                              &al->shelved_by,
                              &al->shelved_why,
                              &al->cause.program,
                              &al->cause.rule,
                              &al->cause.operator_name,
                              &al->cause.series,
                              al->cause.value.kind == VALUE_STR ? &al->cause.value.s : NULL};
    memcpy(out, all, sizeof(all));
    return out;
}

/* At a character. */
static void cut(struct str *s, size_t max)
{
    if (s->n <= max)
        return;
    s->n = max;
    while (s->n > 0 && ((unsigned char)s->p[s->n] & 0xC0) == 0x80)
        s->n--;
}

/* Copies all texts, which may be borrowed or in the old block, into a new block. */
bool alert_own_texts(struct alerts *a, struct alert *al)
{
    struct str *texts[TEXTS];
    size_t n = 1;
    cut(&al->text, ALERT_TEXT_MAX);
    cut(&al->shelved_why, ALERT_WHY_MAX);
    alert_texts(al, texts);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        n += texts[i] ? texts[i]->n : 0;
    char *block = mem_new(a->cfg.alloc, n);
    if (!block)
        return false;
    char *at = block;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        if (!texts[i])
            continue;
        if (texts[i]->n)
            memcpy(at, texts[i]->p, texts[i]->n);
        texts[i]->p = at;
        at += texts[i]->n;
    }
    mem_free(a->cfg.alloc, al->block, al->block_size);
    al->block = block;
    al->block_size = n;
    return true;
}

static void alert_free(struct alerts *a, struct alert *al)
{
    list_del(&al->link);
    a->count--;
    mem_free(a->cfg.alloc, al->block, al->block_size);
    mem_free(a->cfg.alloc, al, sizeof(*al));
}

/* `from` is copied with its texts. NULL without memory. */
static struct alert *alert_add(struct alerts *a, const struct alert *from)
{
    struct alert *al = mem_zero(a->cfg.alloc, sizeof(*al));
    if (!al)
        return NULL;
    *al = *from;
    al->block = NULL;
    al->block_size = 0;
    list_init(&al->link);
    if (!alert_own_texts(a, al)) {
        mem_free(a->cfg.alloc, al, sizeof(*al));
        return NULL;
    }
    struct list *before = a->list.prev; /* by number; a replayed change comes late */
    while (before != &a->list && CONTAINER_OF(before, struct alert, link)->id > al->id)
        before = before->prev;
    list_add_head(before, &al->link);
    a->count++;
    return al;
}

/* --- records --- */

static void encode(struct writer *w, const struct alert *al)
{
    writer_u8(w, RECORD_VERSION);
    writer_u8(w, (uint8_t)al->severity);
    writer_u8(w, (uint8_t)al->state);
    writer_varint(w, al->count);
    writer_svarint(w, al->raised_ms);
    writer_svarint(w, al->cleared_ms);
    writer_svarint(w, al->acknowledged_ms);
    writer_str16(w, al->key);
    writer_str16(w, al->text);
    writer_str16(w, al->device);
    writer_str16(w, al->acknowledged_by);
    writer_str16(w, al->cause.program);
    writer_str16(w, al->cause.rule);
    writer_varint(w, al->cause.line);
    writer_str16(w, al->cause.series);
    writer_svarint(w, al->cause.ts_ms);
    value_encode(w, &al->cause.value);
    writer_svarint(w, al->shelved_ms);
    writer_svarint(w, al->shelved_until_ms);
    writer_str16(w, al->shelved_by);
    writer_str16(w, al->shelved_why);
    writer_str16(w, al->says);
}

static bool decode(struct bytes body, struct alert *al)
{
    struct cursor c = cursor_from(body.p, body.n);
    uint8_t version = cursor_u8(&c);
    if (version < 1 || version > RECORD_VERSION)
        return false;
    al->severity = (enum severity)cursor_u8(&c);
    al->state = (enum alert_state)cursor_u8(&c);
    al->count = cursor_varint(&c);
    al->raised_ms = cursor_svarint(&c);
    al->cleared_ms = cursor_svarint(&c);
    al->acknowledged_ms = cursor_svarint(&c);
    al->key = cursor_str16(&c);
    al->text = cursor_str16(&c);
    al->device = cursor_str16(&c);
    al->acknowledged_by = cursor_str16(&c);
    al->cause.program = cursor_str16(&c);
    al->cause.rule = cursor_str16(&c);
    al->cause.line = (uint32_t)cursor_varint(&c);
    al->cause.series = cursor_str16(&c);
    al->cause.ts_ms = cursor_svarint(&c);
    al->cause.value = value_decode(&c);
    if (version >= 2) {
        al->shelved_ms = cursor_svarint(&c);
        al->shelved_until_ms = cursor_svarint(&c);
        al->shelved_by = cursor_str16(&c);
        al->shelved_why = cursor_str16(&c);
    }
    if (version >= 3)
        al->says = cursor_str16(&c);
    return !c.failed && al->severity <= SEVERITY_CRITICAL && al->state <= ALERT_NORMAL;
}

static void record_key(uint64_t id, char key[24])
{
    (void)snprintf(key, 24, "%012" PRIx64, id);
}

enum err alert_record(struct alerts *a, const struct alert *al, uint64_t *seq)
{
    uint8_t buf[RECORD_BYTES_MAX];
    char key[24];
    record_key(al->id, key);
    struct writer w = writer_from(buf, sizeof(buf));
    encode(&w, al);
    if (w.failed)
        return ERR_RANGE;
    return keep_put(a->keep, str_from(key), (struct bytes){buf, writer_len(&w)}, false, seq);
}

/* Something that nobody waits for: if it can't be recorded, it is shown all the same. */
void alert_changed(struct alerts *a, const struct alert *al)
{
    enum err err = alert_record(a, al, NULL);
    if (err)
        LOG_W("alert", "alert %" PRIu64 " is not recorded: %s", al->id, err_name(err));
    alert_tell(a, al);
}

void alert_tell(struct alerts *a, const struct alert *al)
{
    if (a->changed)
        a->changed(a->changed_ctx, al);
}

static void apply(void *ctx, struct str key, struct bytes value)
{
    struct alerts *a = ctx;
    char text[24];
    (void)snprintf(text, sizeof(text), "%.*s", STR_FMT(key));
    struct alert al = {.id = strtoull(text, NULL, 16)};
    struct alert *old = alert_of(a, al.id);
    if (old)
        alert_free(a, old);
    if (!value.n)
        return;
    if (!decode(value, &al)) {
        LOG_W("alert", "the record of alert %" PRIu64 " can't be read", al.id);
        return;
    }
    if (al.id >= a->next_id)
        a->next_id = al.id + 1;
    const struct alert *added = alert_add(a, &al);
    if (added && alert_is_shelved(added))
        shelve_watch(a);
}

/* --- events --- */

static struct alert *find_open(struct alerts *a, struct str key)
{
    for (struct list *it = a->list.prev; it != &a->list; it = it->prev) {
        struct alert *al = CONTAINER_OF(it, struct alert, link);
        if (!alert_is_over(al) && str_eq(al->key, key))
            return al;
    }
    return NULL;
}

static void forget_oldest(struct alerts *a)
{
    for (int over = 1; over >= 0; over--) { /* first those that are over, then any */
        LIST_EACH_SAFE(&a->list, it)
        {
            struct alert *al = CONTAINER_OF(it, struct alert, link);
            if (a->count <= a->cfg.alerts_max)
                return;
            if (over && !alert_is_over(al))
                continue;
            if (!over)
                LOG_W("alert", "more than %zu alerts are open: %" PRIu64 " is forgotten: %.*s",
                      a->cfg.alerts_max, al->id, STR_FMT(al->text));
            char key[24];
            record_key(al->id, key);
            if (keep_del(a->keep, str_from(key), true))
                LOG_W("alert", "the record of alert %" PRIu64 " stays behind", al->id);
            alert_free(a, al);
        }
    }
}

static void raise_new(struct alerts *a, const struct alert_event *e)
{
    struct alert proto = {.id = a->next_id,
                          .severity = e->severity,
                          .state = e->momentary ? ALERT_RETURNED : ALERT_UNACKNOWLEDGED,
                          .key = e->key,
                          .text = e->text,
                          .says = e->says,
                          .device = e->device,
                          .cause = e->cause,
                          .raised_ms = e->wall_ms,
                          .cleared_ms = e->momentary ? e->wall_ms : 0,
                          .count = 1};
    struct alert *al = alert_add(a, &proto);
    if (!al) {
        LOG_E("alert", "no memory for: %.*s", STR_FMT(e->text));
        return;
    }
    a->next_id++;
    LOG_I("alert", "%s: %.*s", severity_name(e->severity), STR_FMT(e->text));
    alert_changed(a, al);
    forget_oldest(a);
}

static void acknowledged_by_nobody(struct alert *al)
{
    al->acknowledged_ms = 0;
    al->acknowledged_by = STR("");
}

static void raise_again(struct alerts *a, struct alert *al, const struct alert_event *e)
{
    bool was_active = al->state == ALERT_UNACKNOWLEDGED || al->state == ALERT_ACKNOWLEDGED;
    struct alert before = *al;
    if (e->severity > al->severity)
        alert_clear_shelving(al); /* that is not what somebody has put aside */
    al->severity = e->severity;
    al->text = e->text;
    al->says = e->says;
    al->device = e->device;
    al->cause = e->cause;
    if (!alert_own_texts(a, al)) {
        *al = before;
        return;
    }
    if (!was_active || e->momentary) {
        al->count++;
        al->raised_ms = e->wall_ms;
        acknowledged_by_nobody(al); /* nobody has seen this one */
    }
    al->state = e->momentary                      ? ALERT_RETURNED
                : al->state == ALERT_ACKNOWLEDGED ? ALERT_ACKNOWLEDGED
                                                  : ALERT_UNACKNOWLEDGED;
    al->cleared_ms = e->momentary ? e->wall_ms : 0;
    alert_changed(a, al);
}

static void on_alert(struct event_listener *l, const struct alert_event *e)
{
    struct alerts *a = CONTAINER_OF(l, struct alerts, listener);
    struct alert *al = find_open(a, e->key);
    if (e->active) {
        if (al)
            raise_again(a, al, e);
        else
            raise_new(a, e);
    } else if (al && (al->state == ALERT_UNACKNOWLEDGED || al->state == ALERT_ACKNOWLEDGED)) {
        al->state = al->state == ALERT_ACKNOWLEDGED ? ALERT_NORMAL : ALERT_RETURNED;
        al->cleared_ms = e->wall_ms;
        alert_changed(a, al);
    }
}

enum err alert_acknowledge(struct alerts *a, uint64_t id, struct str by, const struct alert **out,
                           uint64_t *seq)
{
    struct alert *al = alert_of(a, id);
    if (!al)
        return ERR_NOT_FOUND;
    *out = al;
    if (al->state != ALERT_UNACKNOWLEDGED && al->state != ALERT_RETURNED)
        return ERR_EXISTS;
    struct alert before = *al;
    al->acknowledged_by = by;
    if (!alert_own_texts(a, al)) {
        *al = before;
        return ERR_NOMEM;
    }
    al->state = al->state == ALERT_RETURNED ? ALERT_NORMAL : ALERT_ACKNOWLEDGED;
    al->acknowledged_ms = worker_now_ms(a->worker);
    enum err err = alert_record(a, al, seq);
    if (err) {
        al->state = before.state;
        acknowledged_by_nobody(al);
        return err;
    }
    alert_tell(a, al);
    return ERR_OK;
}

void alert_acknowledge_undo(struct alerts *a, uint64_t id)
{
    struct alert *al = alert_of(a, id);
    if (!al || (al->state != ALERT_ACKNOWLEDGED && al->state != ALERT_NORMAL))
        return;
    al->state = al->state == ALERT_NORMAL ? ALERT_RETURNED : ALERT_UNACKNOWLEDGED;
    acknowledged_by_nobody(al);
    alert_changed(a, al);
}

struct alert *alert_of(const struct alerts *a, uint64_t id)
{
    for (struct list *it = a->list.prev; it != &a->list; it = it->prev) {
        struct alert *al = CONTAINER_OF(it, struct alert, link);
        if (al->id == id)
            return al;
    }
    return NULL;
}

const struct alert *alert_find(const struct alerts *a, uint64_t id)
{
    return alert_of(a, id);
}

void alerts_each(const struct alerts *a, enum alert_filter filter, size_t limit,
                 void (*each)(void *ctx, const struct alert *al), void *ctx)
{
    for (const struct list *it = a->list.prev; it != &a->list && limit; it = it->prev) {
        const struct alert *al = CONTAINER_OF(it, struct alert, link);
        if ((filter == ALERTS_OPEN && alert_is_over(al)) ||
            (filter == ALERTS_SHELVED && !alert_is_shelved(al)))
            continue;
        each(ctx, al);
        limit--;
    }
}

size_t alerts_active(const struct alerts *a)
{
    size_t n = 0;
    LIST_EACH(&a->list, it)
    {
        const struct alert *al = CONTAINER_OF(it, struct alert, link);
        n += !alert_is_shelved(al) &&
             (al->state == ALERT_UNACKNOWLEDGED || al->state == ALERT_ACKNOWLEDGED);
    }
    return n;
}

void alerts_on_change(struct alerts *a, void (*on_change)(void *ctx, const struct alert *al),
                      void *ctx)
{
    a->changed = on_change;
    a->changed_ctx = ctx;
}

enum err alerts_new(struct alerts **out, const struct alerts_config *cfg, struct error *e)
{
    *out = NULL;
    struct alerts *a = mem_zero(cfg->alloc, sizeof(*a));
    if (!a)
        return error_set(e, ERR_NOMEM, "no memory for the alerts");
    a->cfg = *cfg;
    if (!a->cfg.alerts_max)
        a->cfg.alerts_max = 1000;
    a->worker = executor_worker(cfg->ex, 0);
    a->next_id = 1;
    list_init(&a->list);
    shelve_init(a);
    struct keep_config keep = {.ex = cfg->ex,
                               .journal = cfg->journal,
                               .db = cfg->db,
                               .alloc = cfg->alloc,
                               .name = "alerts",
                               .kind = JOURNAL_ALERT,
                               .apply = apply,
                               .ctx = a};
    enum err err = keep_new(&a->keep, &keep, e);
    if (err) {
        alerts_free(a);
        return err;
    }
    a->listener.alert = on_alert;
    bus_event_listen(cfg->bus, &a->listener);
    *out = a;
    return ERR_OK;
}

void alerts_free(struct alerts *a)
{
    if (!a)
        return;
    if (a->listener.alert)
        bus_event_unlisten(&a->listener);
    shelve_fini(a);
    while (!list_empty(&a->list))
        alert_free(a, CONTAINER_OF(a->list.next, struct alert, link));
    keep_free(a->keep);
    mem_free(a->cfg.alloc, a, sizeof(*a));
}
