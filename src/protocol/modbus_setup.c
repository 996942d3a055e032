#include "protocol/modbus_internal.h"

/* What a site declares, device by device. */

enum { ARENA_MAX = 64 * 1024 * 1024, EVERY_MIN_MS = 10, EVERY_MAX_MS = 86400000 };

enum err modbus_setup_new(struct modbus_setup **out, struct alloc *a)
{
    struct modbus_setup *s = mem_zero(a, sizeof(*s));
    *out = s;
    if (!s)
        return ERR_NOMEM;
    s->alloc = a;
    arena_init(&s->arena, a, ARENA_MAX);
    list_init(&s->lines);
    return ERR_OK;
}

void modbus_setup_free(struct modbus_setup *s)
{
    if (!s)
        return;
    arena_fini(&s->arena);
    mem_free(s->alloc, s, sizeof(*s));
}

/* --- checks --- */

static enum err check_link(const struct modbus_device *d, struct error *e)
{
    const struct modbus_link *l = &d->link;
    bool serial = l->carrier != MODBUS_TCP;
    if (l->in_flight > MODBUS_ASKS_MAX)
        return error_set(e, ERR_INVALID, "at most %d requests can be in flight", MODBUS_ASKS_MAX);
    if (serial && l->in_flight > 1)
        return error_set(e, ERR_INVALID, "only Modbus TCP has more than one request in flight");
    if (serial && (d->unit < 1 || d->unit > 247))
        return error_set(e, ERR_INVALID, "a unit on a serial line is 1 … 247");
    if (l->timeout_ms > 60000 || l->pause_ms > 60000)
        return error_set(e, ERR_INVALID, "time-out and pause are at most a minute");
    return l->carrier == MODBUS_RTU ? serial_check(&l->serial, e) : ERR_OK;
}

static enum err check_points(const struct modbus_device *d, struct error *e)
{
    const struct model_def *m = d->device->model;
    for (size_t i = 0; i < d->point_count; i++) {
        const struct modbus_point *p = &d->points[i];
        if (p->property >= m->property_count)
            return error_set(e, ERR_INVALID, "the model has no property number %u", p->property);
        if (m->properties[p->property].kind == VALUE_STR)
            return error_set(e, ERR_INVALID, "%.*s is a text: registers have numbers",
                             STR_FMT(m->properties[p->property].name));
        enum err r = modbus_place_check(&p->place, false, e);
        if (r)
            return r;
    }
    return ERR_OK;
}

static enum err check_write(const struct modbus_device *d, const struct modbus_write *w,
                            struct error *e)
{
    const struct model_def *m = d->device->model;
    if (w->action >= m->action_count)
        return error_set(e, ERR_INVALID, "the model has no action number %u", w->action);
    const struct action_def *a = &m->actions[w->action];
    if (w->arg >= 0 && (size_t)w->arg >= a->param_count)
        return error_set(e, ERR_INVALID, "%.*s has no parameter number %d", STR_FMT(a->name),
                         w->arg);
    if (w->arg >= 0 && a->params[w->arg].kind == VALUE_STR)
        return error_set(e, ERR_INVALID, "%.*s of %.*s is a text: registers have numbers",
                         STR_FMT(a->params[w->arg].name), STR_FMT(a->name));
    enum err r = modbus_place_check(&w->place, true, e);
    uint8_t data[8] = {0};
    if (!r && w->arg < 0 && modbus_encode_number(&w->place.form, &w->constant, data))
        return error_set(e, ERR_RANGE, "%g does not fit into %s", w->constant.f,
                         modbus_type_name(w->place.form.type));
    return r;
}

static enum err check_writes(const struct modbus_device *d, struct error *e)
{
    for (size_t i = 0; i < d->write_count; i++) {
        enum err r = check_write(d, &d->writes[i], e);
        size_t same = 0;
        for (size_t j = 0; j <= i; j++)
            same += d->writes[j].action == d->writes[i].action;
        if (!r && same > MODBUS_STEPS_MAX)
            r = error_set(e, ERR_FULL, "an action writes at most %d places", MODBUS_STEPS_MAX);
        if (r)
            return r;
    }
    return ERR_OK;
}

static enum err check(const struct modbus_setup *s, const struct modbus_device *d, struct error *e)
{
    if (d->every_ms != 0 && (d->every_ms < EVERY_MIN_MS || d->every_ms > EVERY_MAX_MS))
        return error_set(e, ERR_INVALID, "a device is asked every 10 ms … 1 day");
    if (d->block_max != 0 && (d->block_max < 4 || d->block_max > MODBUS_READ_REGISTERS_MAX))
        return error_set(e, ERR_INVALID, "one read has 4 … 125 registers");
    if (s->points + d->point_count > MODBUS_POINTS_MAX)
        return error_set(e, ERR_FULL, "a site has at most %d points", MODBUS_POINTS_MAX);
    enum err r = check_link(d, e);
    if (!r)
        r = check_points(d, e);
    return r ? r : check_writes(d, e);
}

/* --- lines and units --- */

/* Two devices on one line: what neither has said, the other decides. */
static enum err agree(uint32_t *have, uint32_t said, const char *what, const char *line,
                      struct error *e)
{
    if (said != 0 && *have != 0 && said != *have)
        return error_set(e, ERR_INVALID, "%s has two %ss: %u and %u", line, what, *have, said);
    *have = said ? said : *have;
    return ERR_OK;
}

static enum err line_agrees(struct line_plan *l, const struct modbus_link *said, struct error *e)
{
    enum err r = agree(&l->cfg.timeout_ms, said->timeout_ms, "time-out", l->text, e);
    if (!r)
        r = agree(&l->cfg.pause_ms, said->pause_ms, "pause", l->text, e);
    return r ? r
             : agree(&l->cfg.in_flight, said->in_flight, "number of requests in flight", l->text,
                     e);
}

/* Nobody can speak at two rates on one device. */
static bool same_device(const struct line_plan *l, const struct modbus_link *said)
{
    return l->cfg.carrier == MODBUS_RTU && said->carrier == MODBUS_RTU &&
           str_eq(l->cfg.serial.path, said->serial.path);
}

static struct line_plan *line_find(struct modbus_setup *s, const struct modbus_link *link,
                                   const char *text, struct error *e)
{
    LIST_EACH(&s->lines, it)
    {
        struct line_plan *l = CONTAINER_OF(it, struct line_plan, link);
        if (strcmp(l->text, text) == 0)
            return l;
        if (same_device(l, link)) {
            (void)error_set(e, ERR_INVALID, "%s is also declared as %s", text, l->text);
            return NULL;
        }
    }
    if (s->line_count >= MODBUS_LINES_MAX) {
        (void)error_set(e, ERR_FULL, "a site has at most %d Modbus lines", MODBUS_LINES_MAX);
        return NULL;
    }
    struct line_plan *l = arena_new(&s->arena, sizeof(*l));
    if (!l) {
        (void)error_set(e, ERR_NOMEM, "no memory");
        return NULL;
    }
    l->cfg = *link;
    l->cfg.timeout_ms = l->cfg.pause_ms = l->cfg.in_flight = 0;
    l->cfg.host = arena_str(&s->arena, link->host);
    l->cfg.serial.path = arena_str(&s->arena, link->serial.path);
    (void)snprintf(l->text, sizeof(l->text), "%s", text);
    list_init(&l->units);
    list_init(&l->blocks);
    list_add_tail(&s->lines, &l->link);
    s->line_count++;
    return l;
}

static struct unit *unit_find(struct modbus_setup *s, struct line_plan *l, uint8_t id)
{
    LIST_EACH(&l->units, it)
    {
        struct unit *u = CONTAINER_OF(it, struct unit, link);
        if (u->id == id)
            return u;
    }
    struct unit *u = arena_new(&s->arena, sizeof(*u));
    if (!u)
        return NULL;
    u->id = id;
    list_init(&u->members);
    list_init(&u->parked);
    list_add_tail(&l->units, &u->link);
    return u;
}

static const void *copy(struct arena *a, const void *p, size_t count, size_t size)
{
    void *to = arena_array(a, count, size);
    if (to && count > 0)
        memcpy(to, p, count * size);
    return to;
}

static uint16_t smaller(uint16_t a, uint16_t b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

static void unit_add(struct modbus_setup *s, struct unit *u, const struct modbus_device *d)
{
    struct member *m = arena_new(&s->arena, sizeof(*m));
    if (!m)
        return;
    *m = (struct member){.device = d->device,
                         .unit = u,
                         .every_ms = d->every_ms ? d->every_ms : 1000,
                         .points = copy(&s->arena, d->points, d->point_count, sizeof(*d->points)),
                         .point_count = d->point_count,
                         .writes = copy(&s->arena, d->writes, d->write_count, sizeof(*d->writes)),
                         .write_count = d->write_count};
    modbus_orders_init(m);
    list_add_tail(&u->members, &m->link);
    u->gap_max = smaller(u->gap_max, d->gap_max);
    u->block_max = smaller(u->block_max, d->block_max);
    u->point_count += d->point_count;
    s->points += d->point_count;
}

enum err modbus_setup_add(struct modbus_setup *s, const struct modbus_device *d, struct error *e)
{
    char text[MODBUS_LINK_TEXT_MAX];
    struct error why = {0};
    enum err r = check(s, d, e);
    if (r)
        return r;
    modbus_link_format(&d->link, text);
    struct line_plan *l = line_find(s, &d->link, text, &why);
    if (!l)
        return error_set(e, why.code, "%s", why.text);
    r = line_agrees(l, &d->link, e);
    if (r)
        return r;
    struct unit *u = unit_find(s, l, d->unit);
    if (u)
        unit_add(s, u, d);
    return s->arena.failed ? error_set(e, ERR_NOMEM, "no memory for the devices") : ERR_OK;
}
