#include "protocol/modbus_internal.h"

#include <math.h>

/* What answers mean: samples, or reasons why there are none. */

enum { REFUSED_MS = 60000, BUSY_MS = 200, HURRY_MS = 500 };

static const struct modbus_sink *sink(const struct unit *u)
{
    return &u->line->m->sink;
}

/* --- devices --- */

void modbus_unit_tell(struct unit *u, bool online, const char *why)
{
    LIST_EACH(&u->members, it)
    {
        struct member *m = CONTAINER_OF(it, struct member, link);
        if (!m->device || m->told == (online ? MEMBER_ONLINE : MEMBER_OFFLINE))
            continue;
        m->told = online ? MEMBER_ONLINE : MEMBER_OFFLINE;
        sink(u)->link_state(sink(u)->ctx, m->device, online, why);
    }
}

/* --- points --- */

static void unreadable(struct unit *u, struct point *p, const char *why)
{
    struct device *d = p->member->device;
    p->unreadable = true;
    if (d)
        sink(u)->unreadable(sink(u)->ctx, &d->props[p->property], why);
}

void modbus_block_unreadable(struct block *b, const char *why)
{
    char text[MODBUS_PROBLEM_MAX + 40];
    for (size_t i = 0; i < b->count; i++) {
        struct point *p = &b->unit->points[b->first + i];
        (void)snprintf(text, sizeof(text), "unit %u, %s %u: %s", b->unit->id,
                       modbus_table_name(p->place.table), p->place.address, why);
        unreadable(b->unit, p, text);
    }
}

/* False: the property has no such value. */
static bool value_of(const struct modbus_number *n, enum value_kind kind, struct value *out)
{
    out->kind = kind;
    if (kind == VALUE_BOOL) {
        out->b = n->f != 0;
    } else if (kind == VALUE_FLOAT) {
        out->f = n->f;
    } else if (!n->is_float) {
        out->i = n->i;
    } else {
        if (!(n->f >= -0x1p63 && n->f < 0x1p63))
            return false;
        out->i = llrint(n->f);
    }
    return true;
}

static void sample(struct unit *u, struct point *p, const uint8_t *at)
{
    struct device *d = p->member->device;
    struct modbus_number n;
    struct value v;
    char text[MODBUS_PROBLEM_MAX];
    if (!d)
        return;
    struct device_property *property = &d->props[p->property];
    if (modbus_decode_number(&p->place.form, at, &n) || !value_of(&n, property->def->kind, &v)) {
        (void)snprintf(text, sizeof(text), "unit %u, %s %u: it is not a number, or too large",
                       u->id, modbus_table_name(p->place.table), p->place.address);
        unreadable(u, p, text);
        return;
    }
    p->unreadable = false;
    if (sink(u)->sample(sink(u)->ctx, property, &v, modbus_order_worth(u, p, at)) == ERR_OK)
        u->counts.samples++;
}

void modbus_point_heard(struct unit *u, struct point *p, struct bytes data, unsigned at)
{
    if (modbus_table_is_bits(p->place.table)) {
        const uint8_t bit[2] = {0, data.p[at / 8] >> at % 8 & 1};
        sample(u, p, bit);
    } else {
        sample(u, p, data.p + 2 * (size_t)at);
    }
}

static void samples(struct block *b, struct bytes data)
{
    modbus_orders_hear(b, data);
    for (size_t i = 0; i < b->count; i++) {
        struct point *p = &b->unit->points[b->first + i];
        modbus_point_heard(b->unit, p, data, p->place.address - (unsigned)b->address);
    }
}

/* --- when it is asked again --- */

static int64_t every_ns(const struct block *b)
{
    return b->unit->points[b->first].member->every_ms * INT64_C(1000000);
}

/* In step with when it was due, and not twice because it was late. */
static void put_next(struct block *b)
{
    int64_t now_ns = worker_now_ns(b->unit->line->m->worker), every = every_ns(b);
    int64_t due_ns = b->due_ns + every;
    if (due_ns <= now_ns)
        due_ns = now_ns + every - (now_ns - b->due_ns) % every;
    int64_t soon_ns = now_ns + HURRY_MS * INT64_C(1000000);
    if (now_ns < b->hurry_until_ns && soon_ns < due_ns)
        due_ns = soon_ns;
    modbus_block_put(b, due_ns);
}

static void put_after(struct block *b, int64_t ms)
{
    modbus_block_put(b, worker_now_ns(b->unit->line->m->worker) + ms * 1000000);
}

/* --- refusals --- */

static void refuse(struct block *b, const char *why)
{
    if (!b->refused)
        LOG_W("modbus", "%s: unit %u refuses %s %u (%u): %s", b->unit->line->text, b->unit->id,
              modbus_table_name(b->unit->points[b->first].place.table), b->address, b->size, why);
    b->refused = true;
    modbus_block_unreadable(b, why);
    put_after(b, REFUSED_MS);
}

/* Some address of it, or the size: the part is found that is to blame. */
static void cut(struct block *b, struct modbus_setup *plan, const char *why)
{
    struct block *rest = modbus_block_cut(plan, b);
    if (!rest) {
        refuse(b, why);
        return;
    }
    put_after(b, 0);
    put_after(rest, 0);
}

static void read_failed(struct block *b, struct modbus_setup *plan, uint8_t exception)
{
    const char *why = modbus_exception_name(exception);
    struct unit *u = b->unit;
    (void)snprintf(u->problem, sizeof(u->problem), "%s %u: %s (exception %u)",
                   modbus_table_name(u->points[b->first].place.table), b->address, why, exception);
    u->problem_ms = worker_now_ms(u->line->m->worker);
    switch (exception) {
    case MODBUS_ILLEGAL_FUNCTION: refuse(b, why); break;
    case MODBUS_ILLEGAL_ADDRESS:
    case MODBUS_ILLEGAL_VALUE: cut(b, plan, why); break;
    case MODBUS_ACKNOWLEDGE:
    case MODBUS_BUSY:
        u->counts.busy++;
        put_after(b, BUSY_MS);
        break;
    default: modbus_block_unreadable(b, why); put_next(b);
    }
}

/* --- answers --- */

static void read_answered(struct line *l, struct block *b, const struct modbus_answer *a)
{
    if (a->exception) {
        read_failed(b, l->m->plan, a->exception);
        return;
    }
    b->refused = false;
    samples(b, a->data);
    put_next(b);
}

static void count(struct line *l, struct ask *a, const struct modbus_answer *answer)
{
    struct modbus_counts *c = &a->unit->counts;
    c->answers++;
    c->exceptions += answer->exception != 0;
    c->latency_sum_us += (uint64_t)(worker_now_ns(l->m->worker) - a->sent_ns) / 1000;
}

static bool nobody_there(uint8_t exception)
{
    return exception == MODBUS_GATEWAY_PATH || exception == MODBUS_GATEWAY_TARGET;
}

void modbus_answered(struct line *l, struct ask *a, struct bytes pdu)
{
    struct modbus_answer answer;
    char why[MODBUS_PROBLEM_MAX];
    struct block *b = a->block;
    struct job *j = a->job;
    if (!a->unit) { /* nobody wants to know any more */
        modbus_ask_end(l, a);
        return;
    }
    if (modbus_decode_answer(pdu, &a->q, &answer)) {
        a->unit->counts.broken++;
        (void)snprintf(why, sizeof(why), "unit %u answers something else", a->unit_id);
        modbus_ask_failed(l, a, why);
        return;
    }
    count(l, a, &answer);
    if (nobody_there(answer.exception)) {
        (void)snprintf(why, sizeof(why), "unit %u: %s", a->unit_id,
                       modbus_exception_name(answer.exception));
        modbus_ask_failed(l, a, why);
        return;
    }
    struct unit *u = a->unit;
    modbus_ask_end(l, a);
    modbus_unit_speaks(u);
    if (b)
        read_answered(l, b, &answer);
    if (j)
        modbus_job_answered(l, j, &answer);
}
