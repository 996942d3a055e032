/* action_log: decisions and their outcomes as records, over restarts.
 *
 * A decision is in the journal before its command leaves; what became of it follows lazily. What
 * had no outcome when the site stopped is registry_start()'s. */
#include "base/log.h"
#include "registry/registry_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RECORD_VERSION = 1 };

static void encode(struct writer *w, const struct action_event *e)
{
    writer_u8(w, RECORD_VERSION);
    writer_u8(w, (uint8_t)e->state);
    writer_varint(w, e->attempts);
    writer_svarint(w, e->requested_ms);
    writer_svarint(w, e->outcome_ms);
    writer_str16(w, e->device);
    writer_str16(w, e->action);
    writer_str16(w, e->args_json);
    writer_str16(w, e->confirms);
    writer_str16(w, e->why);
    writer_str16(w, e->cause.program);
    writer_str16(w, e->cause.rule);
    writer_varint(w, e->cause.line);
    writer_str16(w, e->cause.operator_name);
    writer_str16(w, e->cause.series);
    value_encode(w, &e->cause.value);
    writer_svarint(w, e->cause.ts_ms);
    writer_u8(w, (uint8_t)e->reason);
    writer_u8(w, (uint8_t)e->detail.n); /* so much of the end of `why` */
}

static bool decode(struct bytes body, struct action_event *e)
{
    struct cursor c = cursor_from(body.p, body.n);
    if (cursor_u8(&c) != RECORD_VERSION)
        return false;
    e->state = (enum action_state)cursor_u8(&c);
    e->attempts = (uint32_t)cursor_varint(&c);
    e->requested_ms = cursor_svarint(&c);
    e->outcome_ms = cursor_svarint(&c);
    e->device = cursor_str16(&c);
    e->action = cursor_str16(&c);
    e->args_json = cursor_str16(&c);
    e->confirms = cursor_str16(&c);
    e->why = cursor_str16(&c);
    e->cause.program = cursor_str16(&c);
    e->cause.rule = cursor_str16(&c);
    e->cause.line = (uint32_t)cursor_varint(&c);
    e->cause.operator_name = cursor_str16(&c);
    e->cause.series = cursor_str16(&c);
    e->cause.value = value_decode(&c);
    e->cause.ts_ms = cursor_svarint(&c);
    if (cursor_left(&c)) { /* records of before have no reason */
        e->reason = (enum action_reason)cursor_u8(&c);
        size_t n = cursor_u8(&c);
        e->detail = str_sub(e->why, e->why.n > n ? e->why.n - n : 0, n);
    }
    return !c.failed && e->state <= ACTION_DENIED;
}

enum err action_log_put(struct registry *r, const struct action *a, bool lazy, uint64_t *seq)
{
    struct action_event e;
    action_fill_event(a, &e);
    size_t max = a->size + sizeof(a->why) + 256; /* the texts, and numbers with their lengths */
    uint8_t *buf = mem_new(r->cfg.alloc, max);
    if (!buf)
        return ERR_NOMEM;
    struct writer w = writer_from(buf, max);
    encode(&w, &e);
    enum err err = w.failed ? ERR_RANGE
                            : keep_put(r->action_keep, str_from(a->id),
                                       (struct bytes){buf, writer_len(&w)}, lazy, seq);
    mem_free(r->cfg.alloc, buf, max);
    return err;
}

void action_log_forget(struct registry *r, const struct action *a)
{
    if (keep_del(r->action_keep, str_from(a->id), true))
        LOG_W("registry", "the record of action %s stays behind", a->id);
}

static struct action *find(struct registry *r, struct str id)
{
    for (struct list *it = r->actions.prev; it != &r->actions; it = it->prev) {
        struct action *a = CONTAINER_OF(it, struct action, link);
        if (str_eq(str_from(a->id), id))
            return a;
    }
    return NULL;
}

/* A row of the table, or a later record of the journal. */
static void apply(void *ctx, struct str id, struct bytes value)
{
    struct registry *r = ctx;
    struct action *old = find(r, id);
    if (old) {
        r->action_count--;
        action_free(old);
    }
    struct action_event e = {.id = id};
    if (!value.n)
        return;
    if (!decode(value, &e)) {
        LOG_W("registry", "the record of action %.*s can't be read", STR_FMT(id));
        return;
    }
    struct action *a = action_make(r, &e);
    if (!a)
        return;
    uint64_t number = strtoull(a->id, NULL, 16);
    if (number >= r->action_next)
        r->action_next = number + 1;
    struct list *before = r->actions.prev; /* oldest decision first, whenever its outcome came */
    while (before != &r->actions &&
           strcmp(CONTAINER_OF(before, struct action, link)->id, a->id) > 0)
        before = before->prev;
    list_add_head(before, &a->link);
    r->action_count++;
}

enum err action_log_init(struct registry *r, struct error *e)
{
    r->action_next = 1;
    struct keep_config cfg = {.ex = r->cfg.ex,
                              .journal = r->cfg.journal,
                              .db = r->cfg.db,
                              .alloc = r->cfg.alloc,
                              .name = "actions",
                              .kind = JOURNAL_DECISION,
                              .apply = apply,
                              .ctx = r};
    return keep_new(&r->action_keep, &cfg, e);
}
