#include "async/post.h"
#include "async/timer.h"
#include "base/atomic.h"
#include "host/heartbeat.h"
#include "tests/support/test.h"

#include <semaphore.h>

/* Worker 1 is held for a while; meanwhile the timer of the rounds fires often. */
struct patient {
    struct executor *ex;
    struct heartbeat *heartbeat;
    _Atomic int beats;
    sem_t held, let_go;
    struct post hold;
    struct timer look;
    int phase, looks, before;
};

static void beat(void *ctx)
{
    struct patient *p = ctx;
    atomic_fetch_add(&p->beats, 1);
}

static void hold(struct post *post)
{
    struct patient *p = CONTAINER_OF(post, struct patient, hold);
    sem_post(&p->held);
    sem_wait(&p->let_go);
}

/* Both timers are of one wheel: fifty looks are as many rounds that could have been made. */
static void look(struct timer *t)
{
    struct patient *p = CONTAINER_OF(t, struct patient, look);
    int beats = atomic_load(&p->beats);
    timer_set_after_ms(t, 1);
    if (p->phase == 0 && beats > 0) {
        worker_post(executor_worker(p->ex, 1), &p->hold, "held", hold);
        sem_wait(&p->held);
        p->before = atomic_load(&p->beats);
        p->phase = 1;
    } else if (p->phase == 1 && ++p->looks == 50) {
        CHECK(beats <= p->before + 1); /* a round whose call had been answered already */
        p->before = beats;
        p->phase = 2;
        sem_post(&p->let_go);
    } else if (p->phase == 2 && beats > p->before + 1) {
        timer_cancel(t);
        executor_stop(p->ex);
    }
}

TEST(heartbeat_stops_while_a_worker_hangs)
{
    struct patient p = {0};
    struct error e = {0};
    const struct executor_config cfg = {
        .env = env_linux(), .alloc = alloc_system(), .workers = 2, .offload_threads = 1};
    sem_init(&p.held, 0, 0);
    sem_init(&p.let_go, 0, 0);
    REQUIRE(executor_new(&p.ex, &cfg, &e) == ERR_OK);
    const struct heartbeat_config beats = {
        .ex = p.ex, .alloc = alloc_system(), .every_ms = 1, .beat = beat, .ctx = &p};
    REQUIRE(heartbeat_new(&p.heartbeat, &beats, &e) == ERR_OK);
    timer_init(&p.look, executor_worker(p.ex, 0), look);
    timer_set_after_ms(&p.look, 1);
    executor_run(p.ex);
    CHECK_EQ_INT(p.phase, 2);
    heartbeat_free(p.heartbeat);
    executor_free(p.ex);
    heartbeat_free(NULL);
}

TEST(heartbeat_without_memory)
{
    struct executor *ex;
    struct heartbeat *h;
    struct alloc_faulty none;
    struct error e = {0};
    const struct executor_config cfg = {
        .env = env_linux(), .alloc = alloc_system(), .workers = 1, .offload_threads = 1};
    REQUIRE(executor_new(&ex, &cfg, &e) == ERR_OK);
    alloc_faulty_init(&none, 0);
    const struct heartbeat_config beats = {
        .ex = ex, .alloc = &none.alloc, .every_ms = 1, .beat = beat};
    CHECK_EQ_INT(heartbeat_new(&h, &beats, &e), ERR_NOMEM);
    CHECK(!h);
    executor_free(ex);
}
