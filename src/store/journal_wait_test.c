/* Waits, with the real writer thread and real workers: nothing is told before the sync is done. */
#include "async/sim/disk_sim.h"
#include "store/journal.h"
#include "tests/support/test.h"
#include <pthread.h>
#include <string.h>

#define WAITS 200u

/* A disk whose sync() blocks while it is held. */
struct hold_disk {
    struct disk disk;
    struct disk_ops ops;
    struct disk *inner;
    pthread_mutex_t lock;
    pthread_cond_t change;
    bool held, entered;
};

static enum err hold_sync(struct disk *d, struct disk_file *f, struct error *e)
{
    struct hold_disk *h = CONTAINER_OF(d, struct hold_disk, disk);
    pthread_mutex_lock(&h->lock);
    h->entered = true;
    while (h->held)
        pthread_cond_wait(&h->change, &h->lock);
    pthread_mutex_unlock(&h->lock);
    return h->inner->ops->sync(h->inner, f, e);
}

#define INNER (CONTAINER_OF(d, struct hold_disk, disk)->inner)
static enum err hold_open(struct disk *d, const char *path, unsigned flags, struct disk_file **out,
                          struct error *e)
{
    return INNER->ops->open(INNER, path, flags, out, e);
}
static void hold_close(struct disk *d, struct disk_file *f)
{
    INNER->ops->close(INNER, f);
}
static enum err hold_read(struct disk *d, struct disk_file *f, uint64_t at, void *p, size_t n,
                          size_t *got, struct error *e)
{
    return INNER->ops->read_at(INNER, f, at, p, n, got, e);
}
static enum err hold_write(struct disk *d, struct disk_file *f, uint64_t at, const void *p,
                           size_t n, struct error *e)
{
    return INNER->ops->write_at(INNER, f, at, p, n, e);
}
static enum err hold_size(struct disk *d, struct disk_file *f, uint64_t *out, struct error *e)
{
    return INNER->ops->size(INNER, f, out, e);
}
static enum err hold_rename(struct disk *d, const char *from, const char *to, struct error *e)
{
    return INNER->ops->rename(INNER, from, to, e);
}
static enum err hold_sync_dir(struct disk *d, const char *dir, struct error *e)
{
    return INNER->ops->sync_dir(INNER, dir, e);
}
static enum err hold_make_dir(struct disk *d, const char *dir, struct error *e)
{
    return INNER->ops->make_dir(INNER, dir, e);
}
static enum err hold_list(struct disk *d, const char *dir, void (*each)(void *, const char *),
                          void *ctx, struct error *e)
{
    return INNER->ops->list(INNER, dir, each, ctx, e);
}

static void hold_init(struct hold_disk *h, struct disk *inner)
{
    *h = (struct hold_disk){.inner = inner};
    h->ops = (struct disk_ops){.open = hold_open,
                               .close = hold_close,
                               .read_at = hold_read,
                               .write_at = hold_write,
                               .sync = hold_sync,
                               .size = hold_size,
                               .rename = hold_rename,
                               .sync_dir = hold_sync_dir,
                               .make_dir = hold_make_dir,
                               .list = hold_list};
    h->disk.ops = &h->ops;
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->change, NULL);
}

static void hold_set(struct hold_disk *h, bool held)
{
    pthread_mutex_lock(&h->lock);
    h->held = held;
    h->entered = false;
    pthread_cond_broadcast(&h->change);
    pthread_mutex_unlock(&h->lock);
}

static bool hold_entered(struct hold_disk *h)
{
    pthread_mutex_lock(&h->lock);
    bool entered = h->entered;
    pthread_mutex_unlock(&h->lock);
    return entered;
}

/* One on each worker: appends, waits, and counts its answers. */
struct waiter;
struct one {
    struct journal_wait wait;
    struct waiter *of;
    uint64_t seq;
};
struct waiter {
    struct task task;
    struct rig_wait *rig;
    struct one one[WAITS];
    unsigned asked, ok, refused, spins;
    uint64_t last_seq;
    bool inside; /* a call of journal_wait() is under way */
    bool let_go;
};
struct rig_wait {
    struct disk_sim *sim;
    struct hold_disk hold;
    struct clock_manual clock;
    struct executor *ex;
    struct journal *j;
    struct waiter waiter[2];
    enum err want; /* what every wait shall get */
    _Atomic unsigned answered;
    _Atomic unsigned watched; /* waiters that have seen long enough that nobody is answered */
    bool release;             /* let go once both have seen that nobody is answered */
};

static void answered(struct journal_wait *w, enum err result)
{
    struct one *o = CONTAINER_OF(w, struct one, wait);
    struct waiter *a = o->of;
    CHECK(!a->inside);
    CHECK(worker_current() == a->task.worker);
    CHECK_EQ_INT(result, a->rig->want);
    CHECK(o->seq > a->last_seq); /* in order */
    a->last_seq = o->seq;
    if (result == ERR_OK) {
        CHECK(journal_committed(a->rig->j) >= o->seq);
        a->ok++;
    } else {
        a->refused++;
    }
    atomic_fetch_add(&a->rig->answered, 1);
    task_wake(&a->task);
}

static void ask(struct waiter *a)
{
    char text[100] = {0};
    struct one *o = &a->one[a->asked];
    struct iovec part = {text, 1 + a->asked % sizeof(text)};
    enum err r = journal_append(a->rig->j, JOURNAL_MESSAGE, false, &part, 1, &o->seq);
    if (!CHECK_EQ_INT(r, ERR_OK))
        return;
    o->of = a;
    o->wait.done = answered;
    a->inside = true;
    journal_wait(a->rig->j, a->task.worker, &o->wait, o->seq);
    a->inside = false;
    a->asked++;
}

/* Asks for everything; sees that a held sync answers nobody; then lets go. */
static enum poll waiter_poll(struct task *t)
{
    struct waiter *a = CONTAINER_OF(t, struct waiter, task);
    struct rig_wait *g = a->rig;
    if (t->canceled)
        return POLL_READY;
    while (a->asked < WAITS)
        ask(a);
    if (g->release && a->spins < 1000) {
        if (hold_entered(&g->hold)) {
            CHECK_EQ_UINT(atomic_load(&g->answered), 0);
            CHECK_EQ_UINT(journal_committed(g->j), 0);
            if (++a->spins == 1000)
                atomic_fetch_add(&g->watched, 1);
        }
        task_wake(t);
        return POLL_PENDING;
    }
    if (g->release && a == &g->waiter[0] && !a->let_go) {
        if (atomic_load(&g->watched) < 2) { /* the other one still looks */
            task_wake(t);
            return POLL_PENDING;
        }
        a->let_go = true;
        hold_set(&g->hold, false);
    }
    if (a->ok + a->refused < WAITS)
        return POLL_PENDING;
    if (atomic_load(&g->answered) == 2 * WAITS)
        executor_stop(g->ex);
    return POLL_READY;
}

static void rig_wait_init(struct rig_wait *g)
{
    memset(g, 0, sizeof(*g));
    struct error e = {0};
    REQUIRE(disk_sim_new(&g->sim, alloc_system(), 1, 0) == ERR_OK);
    hold_init(&g->hold, disk_sim_disk(g->sim));
    clock_manual_init(&g->clock, 0);
    struct executor_config cfg = {
        .env = env_linux(), .alloc = alloc_system(), .workers = 2, .offload_threads = 1};
    REQUIRE(executor_new(&g->ex, &cfg, &e) == ERR_OK);
    struct journal_config jc = {.ex = g->ex,
                                .disk = &g->hold.disk,
                                .clock = &g->clock.clock,
                                .alloc = alloc_system(),
                                .dir = "/j",
                                .segment_bytes = 64u << 10,
                                .seed = 5};
    REQUIRE(journal_open(&g->j, &jc, &e) == ERR_OK);
    REQUIRE(journal_replay(g->j, &e) == ERR_OK);
    REQUIRE(journal_start(g->j, &e) == ERR_OK);
    for (unsigned i = 0; i < 2; i++) {
        g->waiter[i].rig = g;
        task_init(&g->waiter[i].task, "waiter", waiter_poll, NULL);
    }
}

static void rig_wait_run(struct rig_wait *g)
{
    for (unsigned i = 0; i < 2; i++)
        task_spawn(executor_worker(g->ex, i), &g->waiter[i].task);
    executor_run(g->ex);
}

static void rig_wait_fini(struct rig_wait *g)
{
    journal_close(g->j);
    executor_free(g->ex);
    disk_sim_free(g->sim);
    pthread_cond_destroy(&g->hold.change);
    pthread_mutex_destroy(&g->hold.lock);
}

TEST(journal_wait_nobody_is_answered_before_the_sync)
{
    static struct rig_wait g;
    rig_wait_init(&g);
    g.want = ERR_OK;
    g.release = true;
    hold_set(&g.hold, true);
    rig_wait_run(&g);
    CHECK_EQ_UINT(g.waiter[0].ok, WAITS);
    CHECK_EQ_UINT(g.waiter[1].ok, WAITS);
    CHECK_EQ_UINT(journal_committed(g.j), 2 * WAITS);
    CHECK(journal_stats(g.j).syncs < 2 * WAITS); /* what came during a sync went together */
    rig_wait_fini(&g);
}

TEST(journal_wait_after_a_failed_sync_nobody_ever_succeeds)
{
    static struct rig_wait g;
    rig_wait_init(&g);
    g.want = ERR_IO;
    g.release = true;
    disk_sim_fail(g.sim, DISK_SIM_SYNC, 0, 5);
    hold_set(&g.hold, true);
    rig_wait_run(&g);
    CHECK_EQ_UINT(g.waiter[0].refused, WAITS);
    CHECK_EQ_UINT(g.waiter[1].refused, WAITS);
    CHECK_EQ_UINT(journal_committed(g.j), 0);
    CHECK(journal_failed(g.j, NULL));
    rig_wait_fini(&g);
}

/* Waits for numbers out of order, for what is committed already, again from inside done(), and
 * not at all after a cancel. */
struct mixed {
    struct task task;
    struct rig_wait *rig;
    struct journal_wait late, early, again, canceled;
    uint64_t seq[3];
    unsigned step;
    char order[8];
};

static void mixed_again(struct journal_wait *w, enum err r)
{
    struct mixed *m = CONTAINER_OF(w, struct mixed, again);
    CHECK_EQ_INT(r, ERR_OK);
    strncat(m->order, "a", 2);
    executor_stop(m->rig->ex);
}
static void mixed_early(struct journal_wait *w, enum err r)
{
    struct mixed *m = CONTAINER_OF(w, struct mixed, early);
    CHECK_EQ_INT(r, ERR_OK);
    strncat(m->order, "e", 2);
}
static void mixed_late(struct journal_wait *w, enum err r)
{
    struct mixed *m = CONTAINER_OF(w, struct mixed, late);
    CHECK_EQ_INT(r, ERR_OK);
    strncat(m->order, "l", 2);
    m->again.done = mixed_again;
    journal_wait(m->rig->j, m->task.worker, &m->again, m->seq[0]);
    CHECK_EQ_STR(m->order, "el"); /* later, not now */
}
static void mixed_canceled(struct journal_wait *w, enum err r)
{
    (void)w;
    CHECK_EQ_INT(r, -1); /* must not come */
}

static enum poll mixed_poll(struct task *t)
{
    struct mixed *m = CONTAINER_OF(t, struct mixed, task);
    struct iovec part = {m->order, 1};
    for (unsigned i = 0; i < 3; i++)
        CHECK_EQ_INT(journal_append(m->rig->j, JOURNAL_MESSAGE, i == 1, &part, 1, &m->seq[i]),
                     ERR_OK);
    m->late.done = mixed_late;
    m->early.done = mixed_early;
    m->canceled.done = mixed_canceled;
    journal_wait(m->rig->j, t->worker, &m->late, m->seq[2]);
    journal_wait(m->rig->j, t->worker, &m->canceled, m->seq[1]);
    journal_wait(m->rig->j, t->worker, &m->early, m->seq[0]);
    journal_wait_cancel(&m->canceled);
    journal_wait_cancel(&m->canceled); /* safe again */
    return POLL_READY;
}

TEST(journal_wait_order_cancel_and_again)
{
    static struct rig_wait g;
    rig_wait_init(&g);
    struct mixed m = {.rig = &g};
    journal_wait_cancel(&m.late); /* safe on a zeroed one */
    task_init(&m.task, "mixed", mixed_poll, NULL);
    task_spawn(executor_worker(g.ex, 0), &m.task);
    executor_run(g.ex);
    CHECK_EQ_STR(m.order, "ela");
    rig_wait_fini(&g);
}
