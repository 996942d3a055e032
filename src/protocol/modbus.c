#include "protocol/modbus_internal.h"

/* The engine as a whole: its life, the next site, and what is shown. */

enum {
    CONNECT_MS = 5000,
    PER_ADDR_MAX = 16, /* lines whose names are of one address */
    MISSING_MAX = 3,   /* answers, */
    STALE_MS = 60000,  /* if that is longer than this, registry_config's default */
};

/* --- where it tells what it finds: the registry --- */

static enum err to_sample(void *ctx, struct device_property *p, const struct value *v,
                          enum quality q)
{
    (void)ctx;
    return registry_sample(p, v, 0, q);
}

static void to_doubt(void *ctx, struct device_property *p, const char *why)
{
    (void)ctx;
    registry_doubt(p, why);
}

static void to_unreadable(void *ctx, struct device_property *p, const char *why)
{
    (void)ctx;
    registry_unreadable(p, why);
}

static void to_link_state(void *ctx, struct device *d, bool online, const char *why)
{
    (void)ctx;
    registry_link_state(d, online, why);
}

static void to_done(void *ctx, struct device *d, const char *id, enum err result, const char *why)
{
    (void)ctx;
    registry_port_done(d->registry, id, result, why);
}

static const struct modbus_sink to_registry = {.sample = to_sample,
                                               .doubt = to_doubt,
                                               .unreadable = to_unreadable,
                                               .link_state = to_link_state,
                                               .done = to_done};

static enum err on_command(void *ctx, const struct port_command *c, struct error *e)
{
    return modbus_command(ctx, c, e);
}

/* --- life --- */

void modbus_members_each(struct modbus *m, struct modbus_setup *s, each_member *each)
{
    for (struct list *i = s ? s->lines.next : NULL; i && i != &s->lines; i = i->next) {
        LIST_EACH(&CONTAINER_OF(i, struct line_plan, link)->units, k)
        {
            LIST_EACH(&CONTAINER_OF(k, struct unit, link)->members, at)
            {
                each(m, CONTAINER_OF(at, struct member, link));
            }
        }
    }
}

/* What is asked less often than the registry's patience lasts must not turn stale meanwhile: three
 * answers may be missing. It is about the series, so not before the device is the one that runs. */
static void set_patience(struct modbus *m, struct member *member)
{
    int64_t ms = (int64_t)member->every_ms * MISSING_MAX;
    for (size_t i = 0; !m->cfg.sink && i < member->point_count && ms > STALE_MS; i++)
        registry_set_stale(&member->device->props[member->points[i].property], ms);
}

static void set_port(struct modbus *m, struct member *member)
{
    if (!m->cfg.sink && member->write_count > 0)
        registry_set_port(member->device, &m->port);
}

static struct line *line_of(const struct modbus *m, const char *text)
{
    LIST_EACH(&m->lines, it)
    {
        struct line *l = CONTAINER_OF(it, struct line, link);
        if (!l->removed && strcmp(l->text, text) == 0)
            return l;
    }
    return NULL;
}

/* A line for each of the plan's: the one that is there, or a new one that has not begun. */
static enum err find_lines(struct modbus *m, struct modbus_setup *s, struct error *e)
{
    LIST_EACH(&s->lines, it)
    {
        struct line_plan *p = CONTAINER_OF(it, struct line_plan, link);
        p->line = line_of(m, p->text);
        if (!p->line && modbus_line_new(&p->line, m, p))
            return error_set(e, ERR_NOMEM, "no memory for the line %s", p->text);
    }
    return ERR_OK;
}

static bool has_begun(const struct line *l)
{
    return !list_empty(&l->link);
}

void modbus_drop_new_lines(struct modbus_setup *s)
{
    LIST_EACH(&s->lines, it)
    {
        struct line_plan *p = CONTAINER_OF(it, struct line_plan, link);
        if (p->line && !has_begun(p->line))
            mem_free(p->line->m->alloc, p->line, sizeof(*p->line));
        p->line = NULL;
    }
}

static enum err open_parts(struct modbus *m, struct error *e)
{
    const struct conn_pool_config cfg = {.per_addr_max = PER_ADDR_MAX,
                                         .total_max = MODBUS_LINES_MAX,
                                         .waiting_max = MODBUS_LINES_MAX,
                                         .idle_ms = -1,
                                         .connect_ms = CONNECT_MS};
    /* One after the other: a name server that does not answer holds one thread, not all; and no
     * serial device waits for it. */
    enum err r = offload_queue_new(&m->names, m->cfg.ex, 1, 2 * MODBUS_LINES_MAX);
    if (!r)
        r = offload_queue_new(&m->devices, m->cfg.ex, 1, 2 * MODBUS_LINES_MAX);
    if (!r)
        r = conn_pool_new(&m->pool, m->worker, &cfg);
    return r ? error_set(e, r, "no memory for Modbus") : ERR_OK;
}

enum err modbus_prepare(struct modbus *m, struct modbus_setup *setup, struct error *e)
{
    enum err r = modbus_setup_finish(setup, e);
    if (!r)
        r = find_lines(m, setup, e);
    if (r)
        modbus_drop_new_lines(setup);
    else
        modbus_members_each(m, setup, set_port);
    return r;
}

void modbus_take_plan(struct modbus *m, struct modbus_setup *s)
{
    m->plan = s;
    modbus_members_each(m, s, set_patience);
    LIST_EACH(&s->lines, it)
    {
        struct line_plan *p = CONTAINER_OF(it, struct line_plan, link);
        modbus_line_take(p->line, p);
        if (has_begun(p->line))
            task_wake(&p->line->task);
        else
            modbus_line_begin(p->line);
    }
}

enum err modbus_new(struct modbus **out, const struct modbus_config *cfg,
                    struct modbus_setup *setup, struct error *e)
{
    struct modbus *m = mem_zero(cfg->alloc, sizeof(*m));
    *out = m;
    if (!m)
        return error_set(e, ERR_NOMEM, "no memory for Modbus");
    m->cfg = *cfg;
    m->alloc = cfg->alloc;
    m->sink = cfg->sink ? *cfg->sink : to_registry;
    m->worker = executor_worker(cfg->ex, 0);
    m->port = (struct device_port){.command = on_command, .ctx = m};
    list_init(&m->lines);
    random_seed(&m->random, executor_env(cfg->ex)->seed);
    enum err r = open_parts(m, e);
    if (!r)
        r = modbus_prepare(m, setup, e);
    if (r) {
        modbus_free(m);
        *out = NULL;
        return r;
    }
    modbus_take_plan(m, setup);
    return ERR_OK;
}

static void port_gone(struct modbus *m, struct member *member)
{
    if (!m->cfg.sink && member->device)
        registry_port_gone(member->device->registry, &m->port);
}

static void queue_free(struct offload_queue *q)
{
    if (!q)
        return;
    offload_drain(q);
    offload_queue_free(q);
}

void modbus_free(struct modbus *m)
{
    if (!m)
        return;
    modbus_members_each(m, m->plan, port_gone);
    while (!list_empty(&m->lines))
        modbus_line_free(CONTAINER_OF(m->lines.next, struct line, link));
    queue_free(m->names);
    queue_free(m->devices);
    conn_pool_close(m->pool);
    modbus_setup_free(m->plan);
    modbus_setup_free(m->before);
    mem_free(m->alloc, m, sizeof(*m));
}

/* --- for people --- */

static void add_counts(struct modbus_counts *to, const struct modbus_counts *c)
{
    to->requests += c->requests;
    to->answers += c->answers;
    to->timeouts += c->timeouts;
    to->exceptions += c->exceptions;
    to->busy += c->busy;
    to->broken += c->broken;
    to->samples += c->samples;
    to->late += c->late;
    to->latency_sum_us += c->latency_sum_us;
}

static int64_t in_ms(const struct modbus *m, int64_t at_ns)
{
    int64_t ns = at_ns - worker_now_ns(m->worker);
    return ns > 0 ? ns / 1000000 : 0;
}

static struct modbus_line_state line_state(const struct line *l)
{
    struct modbus_line_state s = {.link = l->text,
                                  .phase = l->phase == LINE_UP      ? MODBUS_LINE_UP
                                           : l->phase == LINE_WAITS ? MODBUS_LINE_WAITS
                                                                    : MODBUS_LINE_CONNECTS,
                                  .problem = l->problem,
                                  .problem_ms = l->problem_ms,
                                  .connects = l->connects,
                                  .writes_waiting = l->job_count};
    if (l->phase == LINE_WAITS)
        s.retry_in_ms = in_ms(l->m, l->retry_ns);
    if (l->phase == LINE_UP)
        s.since_ms =
            worker_now_ms(l->m->worker) - (worker_now_ns(l->m->worker) - l->up_since_ns) / 1000000;
    LIST_EACH(&l->plan->units, it)
    {
        const struct unit *u = CONTAINER_OF(it, struct unit, link);
        s.units++;
        s.blocks += u->blocks;
        s.points += u->point_count;
        add_counts(&s.counts, &u->counts);
    }
    s.counts.strays = l->strays;
    return s;
}

static size_t refused_in(const struct list *blocks, const struct unit *u)
{
    size_t n = 0;
    LIST_EACH(blocks, it)
    {
        const struct block *b = CONTAINER_OF(it, struct block, link);
        n += b->unit == u && b->refused ? b->count : 0;
    }
    return n;
}

static struct modbus_unit_state unit_state(const struct line *l, const struct unit *u)
{
    struct modbus_unit_state s = {.unit = u->id,
                                  .phase = u->phase,
                                  .problem = u->problem,
                                  .problem_ms = u->problem_ms,
                                  .blocks = u->blocks,
                                  .points = u->point_count,
                                  .counts = u->counts};
    if (u->phase == MODBUS_UNIT_SILENT)
        s.retry_in_ms = in_ms(l->m, u->retry_ns);
    s.refused = refused_in(&l->due, u) + refused_in(&u->parked, u);
    const struct block *asked = u->asking ? u->asking->block : NULL;
    s.refused += asked && asked->refused ? asked->count : 0;
    return s;
}

void modbus_visit(const struct modbus *m, const struct modbus_visitor *v)
{
    LIST_EACH(&m->lines, it)
    {
        const struct line *l = CONTAINER_OF(it, struct line, link);
        if (!l->plan || l->removed)
            continue;
        char place[MODBUS_LINK_TEXT_MAX];
        struct modbus_line_state s = line_state(l);
        modbus_link_place(&l->plan->cfg, place);
        s.place = place;
        if (v->line)
            v->line(v->ctx, &s);
        for (struct list *at = l->plan->units.next; v->unit && at != &l->plan->units;
             at = at->next) {
            struct modbus_unit_state u = unit_state(l, CONTAINER_OF(at, struct unit, link));
            v->unit(v->ctx, &s, &u);
        }
    }
}
