/* trial_world: a machine with a site on it, and what is seen of it. */
#include "site/trial_internal.h"

#include <time.h>

/* 2026-01-05 is a Monday. */
enum { MONDAY_YEAR = 2026 - 1900, MONDAY = 5 };

/* The time of day is that of the site's zone, which the process has by now (cmd_test.c). */
static int64_t start_wall_ms(const struct lang_test *test)
{
    struct tm tm = {.tm_year = MONDAY_YEAR,
                    .tm_mday = MONDAY + test->start_day,
                    .tm_sec = (int)(test->start_s % 60),
                    .tm_min = (int)(test->start_s / 60 % 60),
                    .tm_hour = (int)(test->start_s / 3600),
                    .tm_isdst = -1};
    return (int64_t)mktime(&tm) * 1000;
}

int64_t world_now_ms(const struct world *w)
{
    return (worker_now_ns(w->worker) - w->start_ns) / 1000000;
}

/* --- what happens --- */

static void because(struct arena *a, struct trial_event *to, const struct world *w,
                    const struct cause *c)
{
    const struct series *s = c->series.n ? bus_series_find(w->core.bus, c->series) : NULL;
    to->program = arena_str(a, c->program);
    to->rule = arena_str(a, c->rule);
    to->line = c->line;
    if (!s)
        return;
    struct str value = trial_value_text(a, &c->value, s->unit);
    to->because = arena_strf(a, "%.*s = %.*s", STR_FMT(c->series), STR_FMT(value));
}

static void note(struct world *w, struct trial_event *e, const struct cause *cause)
{
    struct trial *t = w->trial;
    e->at_ms = world_now_ms(w);
    because(&t->arena, e, w, cause);
    if (t->events.n >= TRIAL_EVENTS_MAX || !vec_push(alloc_system(), &t->events, *e))
        t->events_lost++;
}

static void on_alert(struct event_listener *l, const struct alert_event *a)
{
    struct world *w = CONTAINER_OF(l, struct world, events);
    struct arena *arena = &w->trial->arena;
    if (!a->active)
        return;
    struct trial_event e = {.is_alert = true,
                            .severity = a->severity,
                            .text = arena_str(arena, a->text),
                            .device = arena_str(arena, a->device)};
    note(w, &e, &a->cause);
}

static void on_action(struct event_listener *l, const struct action_event *a)
{
    struct world *w = CONTAINER_OF(l, struct world, events);
    struct arena *arena = &w->trial->arena;
    if (a->state == ACTION_SENT)
        twin_told(w, a);
    if (a->state != ACTION_WAITING)
        return;
    struct trial_event e = {.device = arena_str(arena, a->device),
                            .action = arena_str(arena, a->action),
                            .args_json = arena_str(arena, a->args_json)};
    note(w, &e, &a->cause);
}

static struct trial_near *near_of(struct trial *t, const struct lang_rule *rule)
{
    for (size_t i = t->nears.n; i > 0; i--)
        if (t->nears.v[i - 1].rule == rule)
            return t->nears.v[i - 1].over ? NULL : &t->nears.v[i - 1];
    return NULL;
}

static void on_rule(void *ctx, const struct lang_program *p, const struct rule_view *v)
{
    struct world *w = ctx;
    struct trial *t = w->trial;
    int64_t now = world_now_ms(w);
    if (!v->rule->hold_ms)
        return; /* it is never near */
    struct trial_near *open = near_of(t, v->rule);
    if (open) {
        open->over = true;
        open->held_ms = now - open->since_ms;
        open->fired = v->state == RULE_ACTIVE;
    }
    if (v->state == RULE_HOLDING && t->nears.n < TRIAL_NEAR_MAX)
        (void)vec_push(alloc_system(), &t->nears,
                       (struct trial_near){.program = p, .rule = v->rule, .since_ms = now});
}

/* --- building --- */

static enum err build_machine(struct world *w, const struct lang_test *test, struct error *e)
{
    /* A disk that is quick, and always equally so: what is decided at an instant happens then. */
    const struct sim_span quick = {1000, 1000};
    const struct sim_config cfg = {
        .seed = 1, .wall_ms = start_wall_ms(test), .work = {quick, quick}};
    enum err err = sim_new(&w->sim, &cfg);
    if (!err)
        err = env_sim_new(&w->env, w->sim);
    if (err)
        return error_set(e, err, "no memory for the world of a test");
    const struct executor_config ex = {
        .env = w->env, .alloc = alloc_system(), .workers = 1, .offload_threads = 1};
    err = executor_new(&w->ex, &ex, e);
    if (!err)
        w->worker = executor_worker(w->ex, 0);
    return err;
}

static enum err build_site(struct world *w, struct error *e)
{
    struct disk *disk = w->env->disk;
    const struct site_core_config cfg = {.ex = w->ex,
                                         .alloc = alloc_system(),
                                         .site = w->trial->site,
                                         .store = "/site",
                                         .alone = true,
                                         .segment_bytes = 1 << 20};
    enum err err = disk->ops->make_dir(disk, "/site", e);
    return err ? err : site_core_open(&w->core, &cfg, e);
}

enum err world_build(struct world *w, const struct lang_test *test, struct error *e)
{
    enum err err = build_machine(w, test, e);
    if (!err)
        err = build_site(w, e);
    if (!err)
        err = twins_init(w, e);
    if (err)
        return err;
    w->start_ns = worker_now_ns(w->worker);
    w->publisher = (struct bus_publisher){.id = bus_publisher_id(w->core.bus),
                                          .name = STR("the test's device")};
    w->events = (struct event_listener){.alert = on_alert, .action = on_action};
    bus_event_listen(w->core.bus, &w->events);
    automation_on_rule(w->core.automation, on_rule, w);
    registry_start(w->core.registry);
    return ERR_OK;
}

static void end_machine(struct world *w)
{
    if (env_sim_is_on(w->env))
        env_sim_halt(w->env);
    executor_stop(w->ex);
    (void)executor_turn(w->ex);
}

void world_free(struct world *w)
{
    timer_cancel(&w->timer);
    if (w->ex)
        end_machine(w);
    twins_fini(w);
    if (w->events.alert)
        bus_event_unlisten(&w->events);
    site_core_close(&w->core);
    executor_free(w->ex);
    env_sim_free(w->env);
    sim_free(w->sim);
}
