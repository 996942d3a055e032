#include "async/sim/sim_internal.h"
#include "async/worker_internal.h"
#include "base/map.h"
#include <stdio.h>
#include <string.h>

#define WALL_START_MS INT64_C(1767225600000) /* 2026-01-01T00:00:00Z */
#define START_NS      INT64_C(1000000000)
#define HELD          INT64_MAX /* at_ns of an event that is held, and not in the queue */
#define WAKE_MAX_NS   20000     /* a worker that sleeps is awake after at most so long */

int64_t span_draw(struct random *r, int64_t min_ns, int64_t max_ns)
{
    return max_ns <= min_ns ? min_ns
                            : min_ns + (int64_t)random_below(r, (uint64_t)(max_ns - min_ns) + 1);
}

/* --- the world --- */

static int64_t virtual_mono_ns(struct clock *c)
{
    return CONTAINER_OF(c, struct sim, clock)->now_ns;
}

static int64_t virtual_wall_ms(struct clock *c)
{
    struct sim *s = CONTAINER_OF(c, struct sim, clock);
    return s->wall_base_ms + (s->now_ns - START_NS) / 1000000;
}

#define DEFAULT(field, value) ((field) = (field) ? (field) : (value))

static void set_defaults(struct sim_config *c)
{
    static const struct sim_span work[ENV_WORKS] = {
        [ENV_WORK_JOB] = {20000, 2000000},
        [ENV_WORK_SYNC] = {50000, 5000000},
    };
    for (int i = 0; i < ENV_WORKS; i++)
        if (!c->work[i].max_ns)
            c->work[i] = work[i];
    DEFAULT(c->alloc, alloc_system());
    DEFAULT(c->wall_ms, WALL_START_MS);
    DEFAULT(c->slow_ns, 1000000000);
    if (!c->net.delay_max_ns) {
        c->net.delay_min_ns = 50000;
        c->net.delay_max_ns = 3000000;
    }
    DEFAULT(c->net.jitter_ns, 200000);
    DEFAULT(c->net.retransmit_ns, 200000000);
    DEFAULT(c->net.window, 64 * 1024);
}

enum err sim_new(struct sim **out, const struct sim_config *cfg)
{
    struct sim_config full = *cfg;
    *out = NULL;
    set_defaults(&full);
    if (full.net.window & (full.net.window - 1))
        return ERR_INVALID;
    struct sim *s = mem_zero(full.alloc, sizeof(*s));
    if (!s)
        return ERR_NOMEM;
    s->alloc = full.alloc;
    s->cfg = full;
    s->clock = (struct clock){virtual_mono_ns, virtual_wall_ms};
    s->now_ns = START_NS;
    s->wall_base_ms = full.wall_ms;
    random_seed(&s->work, hash_bytes("work", 4, full.seed));
    random_seed(&s->net, hash_bytes("net", 3, full.seed));
    list_init(&s->machines);
    *out = s;
    return ERR_OK;
}

void sim_free(struct sim *s)
{
    if (!s)
        return;
    ASSERT(list_empty(&s->machines));
    mem_free(s->alloc, s, sizeof(*s));
}

bool sim_step(struct sim *s)
{
    struct env_event *ev = s->queue.root;
    if (!ev)
        return false;
    const uint64_t what[2] = {(uint64_t)ev->at_ns, ev->order};
    s->now_ns = ev->at_ns;
    s->events++;
    sim_trace_add(s, what, sizeof(what));
    event_remove(&s->queue, ev);
    struct worker *before =
        worker_enter(NULL); /* what others do is not done by the one that waits */
    ev->run(ev);
    (void)worker_enter(before);
    return true;
}

bool sim_run(struct sim *s, int64_t until_ns)
{
    s->halted = false;
    while (!s->halted && s->queue.root && s->queue.root->at_ns <= until_ns)
        (void)sim_step(s);
    if (s->halted || !s->queue.root)
        return false;
    s->now_ns = until_ns > s->now_ns ? until_ns : s->now_ns;
    return true;
}

void sim_halt(struct sim *s)
{
    s->halted = true;
}

int64_t sim_now_ns(const struct sim *s)
{
    return s->now_ns;
}

uint64_t sim_trace(const struct sim *s)
{
    return s->trace;
}

void sim_trace_add(struct sim *s, const void *p, size_t n)
{
    s->trace = hash_bytes(p, n, s->trace);
}

uint64_t sim_events(const struct sim *s)
{
    return s->events;
}

void sim_cancel(struct sim *s, struct env_event *ev)
{
    if (event_set(ev))
        event_remove(&s->queue, ev);
}

void sim_after(struct sim *s, struct env_event *ev, int64_t ns)
{
    sim_cancel(s, ev);
    event_push(&s->queue, ev, ns > INT64_MAX - 1 - s->now_ns ? INT64_MAX - 1 : s->now_ns + ns);
}

/* --- a machine's events --- */

struct env_sim *machine_of(struct env *env)
{
    return CONTAINER_OF(env, struct env_sim, env);
}

static void machine_cancel(struct env *env, struct env_event *ev)
{
    struct env_sim *m = machine_of(env);
    if (ev->at_ns == HELD) {
        list_del(&ev->held);
        ev->at_ns = 0;
    } else {
        sim_cancel(m->sim, ev);
    }
}

static void machine_after(struct env *env, struct env_event *ev, int64_t ns)
{
    machine_cancel(env, ev);
    sim_after(machine_of(env)->sim, ev, ns);
}

static void machine_work(struct env *env, struct env_event *ev, enum env_work kind)
{
    struct env_sim *m = machine_of(env);
    struct sim *s = m->sim;
    int64_t ns = span_draw(&s->work, s->cfg.work[kind].min_ns, s->cfg.work[kind].max_ns);
    if (s->cfg.slow_per_million && random_below(&s->work, 1000000) < s->cfg.slow_per_million)
        ns = s->cfg.slow_ns;
    machine_cancel(env, ev);
    if (!m->holding[kind]) {
        sim_after(s, ev, ns);
        return;
    }
    ev->at_ns = HELD;
    list_add_tail(&m->held[kind], &ev->held);
}

static const struct env_events machine_events = {
    .after = machine_after, .work = machine_work, .cancel = machine_cancel};

void env_sim_hold(struct env *env, enum env_work kind, bool held)
{
    struct env_sim *m = machine_of(env);
    struct list *it;
    m->holding[kind] = held;
    while (!held && (it = list_pop_head(&m->held[kind]))) {
        struct env_event *ev = CONTAINER_OF(it, struct env_event, held);
        ev->at_ns = 0;
        sim_after(m->sim, ev, 0);
    }
}

size_t env_sim_held(const struct env *env, enum env_work kind)
{
    const struct env_sim *m = machine_of((struct env *)(uintptr_t)env);
    size_t n = 0;
    LIST_EACH(&m->held[kind], it)
    {
        n++;
    }
    return n;
}

/* --- its executor --- */

static void turn_in(struct env_sim *m, int64_t ns)
{
    if (!event_set(&m->turn) || m->turn.at_ns > m->sim->now_ns + ns)
        sim_after(m->sim, &m->turn, ns);
}

void machine_wake(struct env_sim *m)
{
    if (m->booted)
        turn_in(m, span_draw(&m->sim->work, 0, WAKE_MAX_NS));
}

static void take_turn(struct env_event *ev)
{
    struct env_sim *m = CONTAINER_OF(ev, struct env_sim, turn);
    m->in_turn = true;
    int64_t idle_ns = executor_turn(m->booted);
    m->in_turn = false;
    if (m->booted && idle_ns >= 0)
        turn_in(m, idle_ns > TICK_NS ? idle_ns : TICK_NS);
}

void env_sim_boot(struct env *env, struct executor *ex)
{
    struct env_sim *m = machine_of(env);
    ASSERT(m->on && !m->booted && executor_env(ex) == env);
    m->booted = ex;
    turn_in(m, 0);
}

void env_sim_halt(struct env *env)
{
    struct env_sim *m = machine_of(env);
    m->booted = NULL;
    sim_cancel(m->sim, &m->turn);
}

/* --- power --- */

void env_sim_off(struct env *env, enum env_sim_off how)
{
    struct env_sim *m = machine_of(env);
    ASSERT(!m->in_turn);
    if (!m->on)
        return;
    m->on = false;
    env_sim_halt(env);
    disk_sim_off(m->disk, how == ENV_SIM_POWER);
    net_off(m, how == ENV_SIM_POWER);
}

/* The disk's call is under way: the machine stops when the event that made it has ended. What that
 * still does reaches nobody. */
static void power_went(void *ctx)
{
    struct env_sim *m = ctx;
    m->dark = true;
    sim_after(m->sim, &m->went, 0);
}

static void power_gone(struct env_event *ev)
{
    struct env_sim *m = CONTAINER_OF(ev, struct env_sim, went);
    if (!m->on)
        return;
    env_sim_off(&m->env, ENV_SIM_POWER);
    sim_after(m->sim, m->told, 0);
}

void env_sim_off_at_call(struct env *env, uint64_t n, struct env_event *told)
{
    struct env_sim *m = machine_of(env);
    m->told = told;
    disk_sim_off_at(m->disk, n, power_went, m);
}

void env_sim_on(struct env *env)
{
    struct env_sim *m = machine_of(env);
    ASSERT(!m->driver); /* what ran before has been taken down */
    sim_cancel(m->sim, &m->went);
    disk_sim_on(m->disk);
    m->on = true;
    m->dark = false;
}

bool env_sim_is_on(const struct env *env)
{
    return machine_of((struct env *)(uintptr_t)env)->on;
}

/* --- life --- */

static void machine_entropy(struct env *env, void *p, size_t n)
{
    uint8_t *to = p;
    for (size_t i = 0; i < n; i++)
        to[i] = (uint8_t)random_u64(&machine_of(env)->entropy);
}

enum err env_sim_new(struct env **out, struct sim *s)
{
    struct env_sim *m = mem_zero(s->alloc, sizeof(*m));
    *out = NULL;
    if (!m)
        return ERR_NOMEM;
    uint32_t number = s->machines_made + 1;
    uint64_t seed = hash_bytes(&number, sizeof(number), s->cfg.seed);
    enum err r = disk_sim_new(&m->disk, s->alloc, seed, 0);
    if (r) {
        mem_free(s->alloc, m, sizeof(*m));
        return r;
    }
    ASSERT(number < 255);
    s->machines_made = number;
    m->sim = s;
    m->ip = 10u << 24 | number;
    (void)snprintf(m->host, sizeof(m->host), "10.0.0.%u", (unsigned)number);
    m->env = (struct env){.clock = &s->clock,
                          .disk = disk_sim_disk(m->disk),
                          .seed = seed,
                          .entropy = machine_entropy,
                          .driver = &io_sim_driver,
                          .events = &machine_events};
    random_seed(&m->entropy, hash_bytes("entropy", 7, seed));
    m->turn.run = take_turn;
    m->went.run = power_gone;
    for (int i = 0; i < ENV_WORKS; i++)
        list_init(&m->held[i]);
    m->on = true;
    list_add_tail(&s->machines, &m->link);
    *out = &m->env;
    return ERR_OK;
}

void env_sim_free(struct env *env)
{
    if (!env)
        return;
    struct env_sim *m = machine_of(env);
    struct sim *s = m->sim;
    ASSERT(!m->driver);
    env_sim_halt(env);
    sim_cancel(s, &m->went);
    net_off(m, true);
    vec_fini(s->alloc, &m->sockets);
    list_del(&m->link);
    disk_sim_free(m->disk);
    mem_free(s->alloc, m, sizeof(*m));
}

struct disk_sim *env_sim_disk(struct env *env)
{
    return machine_of(env)->disk;
}

const char *env_sim_host(const struct env *env)
{
    return machine_of((struct env *)(uintptr_t)env)->host;
}
