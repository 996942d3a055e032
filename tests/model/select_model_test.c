/* Selects over channels that other workers reach: one arm happens, the others consume nothing. */
#include "async/select.h"
#include "tests/model/site.h"

struct stage {
    struct site site;
    struct chan a, b;
    unsigned from_a, from_b, sent;
    bool sends[2]; /* whose select sent */
};

static void begin(struct stage *g, size_t capacity, unsigned workers)
{
    *g = (struct stage){0};
    site_begin(&g->site, workers, true);
    HOLD(chan_init(&g->a, model_alloc(), sizeof(unsigned), capacity, REACH_ANY) == ERR_OK);
    HOLD(chan_init(&g->b, model_alloc(), sizeof(unsigned), capacity, REACH_ANY) == ERR_OK);
}

static void end(struct stage *g)
{
    chan_fini(&g->a);
    chan_fini(&g->b);
    site_end(&g->site);
}

static intptr_t send_a(void *arg)
{
    struct stage *g = arg;
    unsigned x = 1;
    HOLD(chan_send(&g->a, &x) == ERR_OK);
    return 0;
}

static intptr_t send_b(void *arg)
{
    struct stage *g = arg;
    unsigned x = 2;
    HOLD(chan_send(&g->b, &x) == ERR_OK);
    return 0;
}

static intptr_t select_both(void *arg)
{
    struct stage *g = arg;
    for (unsigned i = 0; i < 2; i++) {
        unsigned x = 0, y = 0;
        size_t arm;
        struct select_arm arms[] = {select_recv(&g->a, &x), select_recv(&g->b, &y)};
        HOLD(select_wait(arms, 2, &arm) == ERR_OK);
        HOLD(arm ? (x == 0 && y == 2) : (x == 1 && y == 0));
        g->from_a += arm == 0;
        g->from_b += arm == 1;
    }
    return 0;
}

/* Both arrive, each once, in whichever order. */
static void two_senders(void *arg)
{
    struct stage g;
    begin(&g, (uintptr_t)arg, 3);
    site_play(&g.site, (intptr_t(*const[])(void *)){select_both, send_a, send_b}, 3, &g);
    HOLD(g.from_a == 1 && g.from_b == 1);
    end(&g);
}

static intptr_t send_a_then_b(void *arg)
{
    send_a(arg);
    send_b(arg);
    return 0;
}

static void one_sender(void *arg)
{
    struct stage g;
    begin(&g, (uintptr_t)arg, 2);
    site_play(&g.site, (intptr_t(*const[])(void *)){select_both, send_a_then_b}, 2, &g);
    HOLD(g.from_a == 1 && g.from_b == 1);
    end(&g);
}

/* --- a select meets a select, each of which would send or receive --- */

static void meet(struct stage *g, struct chan *out, struct chan *in, unsigned me)
{
    unsigned x = 0;
    size_t arm;
    struct select_arm arms[] = {select_send(out, &me), select_recv(in, &x)};
    HOLD(select_wait(arms, 2, &arm) == ERR_OK);
    HOLD(x == (arm == 1 ? 3 - me : 0));
    g->sends[me - 1] = arm == 0;
}

static intptr_t meet_1(void *arg)
{
    struct stage *g = arg;
    meet(g, &g->a, &g->b, 1);
    return 0;
}

static intptr_t meet_2(void *arg)
{
    struct stage *g = arg;
    meet(g, &g->b, &g->a, 2);
    return 0;
}

static void meeting(void *arg)
{
    struct stage g;
    (void)arg;
    begin(&g, 0, 2);
    site_play(&g.site, (intptr_t(*const[])(void *)){meet_1, meet_2}, 2, &g);
    HOLD(g.sends[0] != g.sends[1]);
    end(&g);
}

/* --- a time-out arm that loses or wins --- */

static intptr_t select_timed(void *arg)
{
    struct stage *g = arg;
    unsigned x = 0;
    size_t arm;
    struct select_arm arms[] = {select_recv(&g->a, &x), select_after_ms(1)};
    HOLD(select_wait(arms, 2, &arm) == ERR_OK);
    HOLD(x == (arm == 0));
    g->from_a += arm == 0;
    return 0;
}

static intptr_t send_a_timed(void *arg)
{
    struct stage *g = arg;
    unsigned x = 1;
    g->sent += chan_send_timed(&g->a, &x, 1) == ERR_OK;
    return 0;
}

static void time_out(void *arg)
{
    struct stage g;
    unsigned left = 0;
    begin(&g, (uintptr_t)arg, 2);
    site_play(&g.site, (intptr_t(*const[])(void *)){select_timed, send_a_timed}, 2, &g);
    HOLD(g.sent - g.from_a == chan_len(&g.a));
    (void)!chan_try_recv(&g.a, &left);
    end(&g);
}

/* --- close against a select that waits --- */

static intptr_t select_until_closed(void *arg)
{
    struct stage *g = arg;
    unsigned x = 0, y = 0;
    size_t arm;
    struct select_arm arms[] = {select_recv(&g->a, &x), select_recv(&g->b, &y)};
    HOLD(select_wait(arms, 2, &arm) == ERR_CLOSED && arm == 0);
    return 0;
}

static intptr_t close_a(void *arg)
{
    struct stage *g = arg;
    chan_close(&g->a);
    return 0;
}

static void closing(void *arg)
{
    struct stage g;
    (void)arg;
    begin(&g, 0, 2);
    site_play(&g.site, (intptr_t(*const[])(void *)){select_until_closed, close_a}, 2, &g);
    end(&g);
}

static const struct {
    const char *name;
    void (*run)(void *arg);
    uintptr_t capacity;
    unsigned preemptions, stale;
} rows[] = {
    {"select, two senders, capacity 0", two_senders, 0, 1, 1},
    {"select, two senders, capacity 1", two_senders, 1, 1, 1},
    {"select, one sender, capacity 0", one_sender, 0, 1, 1},
    {"select, one sender, capacity 1", one_sender, 1, 2, 0},
    {"select meets select", meeting, 0, 2, 1},
    {"select, time-out, capacity 0", time_out, 0, 2, 0},
    {"select, time-out, capacity 1", time_out, 1, 2, 0},
    {"select, close", closing, 0, 2, 1},
};

TEST(select_across_workers)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].name);
        model_check(&(struct model){.name = rows[i].name,
                                    .run = rows[i].run,
                                    .arg = (void *)rows[i].capacity,
                                    .preemptions = rows[i].preemptions,
                                    .stale = rows[i].stale,
                                    .walks = 300});
    }
}
