#include "protocol/modbus_internal.h"

#include <math.h>

/* The commonest mistake about a number of several registers: the order of its bytes.
 *
 * What is looked at is not what is likely, but what can hardly be: a float of 2e-41 or 7e+26, or a
 * number outside of the range that its model declares. If it would make sense in another order,
 * that speaks for that one; if it makes sense as declared, against all others. Nothing is decided
 * by one number out of its range, which may be a fault of the plant, nor by NaN, which is how
 * devices say "no sensor". What can't be weighs more than what may be: of floats whose bytes are in
 * another order every fifth makes sense all the same, and every second is absurd.
 * If more of a device's numbers that are declared alike speak for one other order than make sense,
 * it is all of them but those that do; else each one speaks for itself. The first few different
 * values are looked at, and more of them only while something is suspected. */

enum { LOOKS_MAX = 8, VOTES_MAX = 100, VOTES_MIN = 2, ABSURD_VOTES = 4, ORDERS = 4 };

/* Floats of things that are measured are neither smaller nor larger. */
#define ABSURD_BELOW 1e-20
#define ABSURD_ABOVE 1e+20
#define SANE_FROM    1e-6
#define SANE_TO      1e+9

enum sense {
    SENSE_NONE,   /* it says nothing */
    SENSE_SANE,   /* so it may be */
    SENSE_ODD,    /* outside of the range */
    SENSE_ABSURD, /* there is no such thing */
};

void modbus_orders_init(struct member *m)
{
    for (size_t i = 0; i < ORDERS; i++)
        m->suspect[i] = -1;
}

static double number_in(const struct modbus_form *form, enum modbus_order o, const uint8_t *at,
                        bool raw)
{
    struct modbus_form as = *form;
    struct modbus_number n;
    as.order = o;
    if (raw)
        as.scale = as.offset = 0;
    return modbus_decode_number(&as, at, &n) ? NAN : n.f;
}

static enum sense sense_of(const struct point *p, const struct property_def *def,
                           enum modbus_order o, const uint8_t *at)
{
    bool is_float = p->place.form.type >= MODBUS_F32;
    double size = fabs(number_in(&p->place.form, o, at, true));
    double value = number_in(&p->place.form, o, at, false);
    if (isnan(size) || isnan(value))
        return o == p->place.form.order ? SENSE_NONE : SENSE_ABSURD;
    if (is_float && size != 0 && (size < ABSURD_BELOW || size > ABSURD_ABOVE))
        return SENSE_ABSURD;
    if (def->has_range && (value < def->min || value > def->max))
        return SENSE_ODD;
    if (is_float)
        return size >= SANE_FROM && size <= SANE_TO ? SENSE_SANE : SENSE_NONE;
    return def->has_range ? SENSE_SANE : SENSE_NONE;
}

/* --- one number --- */

static bool is_looked_at(const struct point *p)
{
    return modbus_type_size(p->place.form.type) > 1 && p->member->device &&
           p->member->device->model->properties[p->property].kind != VALUE_BOOL;
}

static const struct property_def *def_of(const struct point *p)
{
    return p->member->device->props[p->property].def;
}

/* What was long ago counts less. */
static void age(struct votes *v)
{
    for (unsigned o = 0; o < ORDERS; o++) {
        v->others[o] /= 2;
        v->against[o] /= 2;
    }
    v->sane /= 2;
}

static void vote(struct point *p, const uint8_t *at)
{
    struct votes *v = &p->order;
    enum modbus_order declared = p->place.form.order;
    enum sense own = sense_of(p, def_of(p), declared, at);
    v->sane = (uint8_t)(v->sane + (own == SENSE_SANE));
    unsigned most = v->sane;
    for (unsigned o = 0; o < ORDERS; o++) {
        enum sense other = sense_of(p, def_of(p), (enum modbus_order)o, at);
        if (o == (unsigned)declared)
            continue;
        if (own >= SENSE_ODD && other == SENSE_SANE)
            v->others[o] = (uint8_t)(v->others[o] + (own == SENSE_ABSURD ? ABSURD_VOTES : 1));
        else if (own == SENSE_SANE || other >= SENSE_ODD)
            v->against[o]++;
        most = v->others[o] > most ? v->others[o] : most;
        most = v->against[o] > most ? v->against[o] : most;
    }
    if (most > VOTES_MAX)
        age(v);
}

/* Where several are as good, the commonest. */
static const enum modbus_order by_rank[ORDERS] = {MODBUS_CDAB, MODBUS_ABCD, MODBUS_DCBA,
                                                  MODBUS_BADC};

static int verdict(const struct point *p)
{
    const struct votes *v = &p->order;
    int best = -1;
    for (size_t i = 0; i < ORDERS; i++) {
        enum modbus_order o = by_rank[i];
        bool enough = v->others[o] >= VOTES_MIN && v->others[o] > v->against[o];
        if (enough && (best < 0 || v->others[o] > v->others[best]))
            best = (int)o;
    }
    return best;
}

/* --- a device --- */

struct tally {
    size_t speak[ORDERS], votes[ORDERS]; /* numbers for each order, and what they weigh */
    size_t sane;
};

static void count(struct tally *t, const struct votes *v)
{
    bool speaks = false;
    for (unsigned o = 0; o < ORDERS; o++) {
        bool for_it = v->others[o] > v->against[o];
        t->speak[o] += for_it;
        t->votes[o] += v->others[o];
        speaks |= for_it;
    }
    t->sane += !speaks && v->sane > 0;
}

/* What its numbers that are declared in the order `declared` say together. */
static int judge(const struct unit *u, const struct member *m, enum modbus_order declared)
{
    struct tally t = {0};
    int best = -1;
    for (size_t i = 0; i < u->point_count; i++) {
        const struct point *p = &u->points[i];
        if (p->member == m && p->place.form.order == declared)
            count(&t, &p->order);
    }
    for (size_t i = 0; i < ORDERS; i++) {
        enum modbus_order o = by_rank[i];
        bool enough = t.votes[o] >= VOTES_MIN && t.speak[o] > t.sane;
        if (enough && (best < 0 || t.votes[o] > t.votes[best]))
            best = (int)o;
    }
    return best;
}

/* -1: as declared. */
static int suspected(const struct point *p)
{
    const struct votes *v = &p->order;
    int of_all = p->member->suspect[p->place.form.order];
    return of_all >= 0 && v->others[of_all] >= v->against[of_all] ? of_all : verdict(p);
}

/* Whether these bytes can teach anything: they are not nought, and not those of the last time. */
static bool is_new(struct votes *v, const struct point *p, const uint8_t *at)
{
    uint64_t raw = 0;
    for (unsigned i = 0; i < 2 * modbus_type_size(p->place.form.type); i++)
        raw = raw << 8 | at[i];
    bool news = raw != 0 && raw != v->last;
    v->last = raw ? raw : v->last;
    return news;
}

static bool look(struct point *p, const uint8_t *at)
{
    struct votes *v = &p->order;
    bool curious = is_looked_at(p) && (v->looks < LOOKS_MAX || suspected(p) >= 0);
    if (!curious || !is_new(v, p, at))
        return false;
    v->looks = (uint8_t)(v->looks < LOOKS_MAX ? v->looks + 1 : LOOKS_MAX);
    vote(p, at);
    return true;
}

void modbus_orders_hear(struct block *b, struct bytes data)
{
    struct unit *u = b->unit;
    bool news = false;
    for (size_t i = b->first; i < b->first + b->count; i++) {
        struct point *p = &u->points[i];
        size_t at = 2 * (size_t)(p->place.address - b->address);
        news |= !modbus_table_is_bits(p->place.table) && look(p, data.p + at);
    }
    if (!news)
        return;
    LIST_EACH(&u->members, it)
    {
        struct member *m = CONTAINER_OF(it, struct member, link);
        for (unsigned o = 0; o < ORDERS; o++)
            m->suspect[o] = judge(u, m, (enum modbus_order)o);
    }
}

/* --- for people --- */

static void describe(char text[MODBUS_PROBLEM_MAX + 40], const struct point *p,
                     enum modbus_order suspect, const uint8_t *at)
{
    const struct property_def *def = def_of(p);
    const struct modbus_form *f = &p->place.form;
    bool odd = sense_of(p, def, f->order, at) >= SENSE_ODD;
    const char *space = def->unit.n ? " " : "";
    (void)snprintf(text, MODBUS_PROBLEM_MAX + 40,
                   "%.6g%s%.*s can hardly be%s: with `order %s` it would be %.6g%s%.*s",
                   number_in(f, f->order, at, false), space, STR_FMT(def->unit),
                   odd ? "" : ", as other values of it", modbus_order_name(suspect),
                   number_in(f, suspect, at, false), space, STR_FMT(def->unit));
}

/* In the log, once for each device. */
static void log_doubt(const struct unit *u, const struct point *p, const char *text)
{
    if (p->member->order_told)
        return;
    p->member->order_told = true;
    LOG_W("modbus", "%s: unit %u: %.*s.%.*s: %s", u->line->text, u->id,
          STR_FMT(p->member->device->name), STR_FMT(def_of(p)->name), text);
}

static void doubt(struct unit *u, struct point *p, const uint8_t *at, int order)
{
    const struct modbus_sink *sink = &u->line->m->sink;
    char text[MODBUS_PROBLEM_MAX + 40] = "";
    if (p->doubted == (order >= 0))
        return;
    p->doubted = order >= 0;
    if (p->doubted) {
        describe(text, p, (enum modbus_order)order, at);
        log_doubt(u, p, text);
    }
    sink->doubt(sink->ctx, &p->member->device->props[p->property], text);
}

enum quality modbus_order_worth(struct unit *u, struct point *p, const uint8_t *at)
{
    if (!is_looked_at(p) || p->member->device->leaving)
        return QUALITY_GOOD;
    int order = suspected(p);
    doubt(u, p, at, order);
    if (order < 0)
        return QUALITY_GOOD;
    enum sense own = sense_of(p, def_of(p), p->place.form.order, at);
    return own == SENSE_ABSURD ? QUALITY_BAD : QUALITY_UNCERTAIN;
}
