#include "base/log.h"
#include "store/journal_internal.h"
#include <string.h>
#include <time.h>

#define LAZY_NS      INT64_C(1000000000)
#define BUFFER_SMALL (256u << 10)

/* ---- one group ---- */

/* *out: head and body, ready to write. */
static size_t encode(struct journal *j, struct group *g, uint8_t **out)
{
    size_t raw = g->n - FRAME_HEAD;
    struct frame_head h = {.flags = j->gap ? FRAME_AFTER_GAP : 0,
                           .first_seq = g->first_seq,
                           .wall_ms = g->wall_ms,
                           .count = g->count,
                           .raw = (uint32_t)raw,
                           .stored = (uint32_t)raw};
    *out = g->p;
    if (raw > COMPRESS_RAW_MIN && j->zstd) {
        size_t need = FRAME_HEAD + ZSTD_compressBound(raw);
        if (j->packed_cap < need) {
            mem_free(j->alloc, j->packed, j->packed_cap);
            j->packed = mem_new(j->alloc, need);
            j->packed_cap = j->packed ? need : 0;
        }
        size_t n = j->packed ? ZSTD_compressCCtx(j->zstd, j->packed + FRAME_HEAD, need - FRAME_HEAD,
                                                 g->p + FRAME_HEAD, raw, 1)
                             : raw;
        if (!ZSTD_isError(n) && n < raw) {
            h.flags |= FRAME_ZSTD;
            h.stored = (uint32_t)n;
            *out = j->packed;
        }
    }
    h.segment = j->segments.n ? j->segments.v[j->segments.n - 1].id : 0;
    frame_seal(*out, &h, *out + FRAME_HEAD);
    return FRAME_HEAD + h.stored;
}

/* Puts the group's frame into the current segment, or the next one. */
static enum err write_group(struct journal *j, struct group *g, struct error *e)
{
    uint8_t *p;
    size_t n = encode(j, g, &p);
    if (!j->file || j->at + n > j->segment_bytes) {
        enum err r = space_for_segment(j, e);
        if (r == ERR_OK)
            r = segment_activate(j, g->first_seq, e);
        if (r != ERR_OK) /* the spare is a spare still, also if the disk copies on writing */
            return space_is_missing(e) ? ERR_FULL : r;
        if (j->segments.n * j->segment_bytes > j->bytes_max)
            atomic_store(&j->pressed, true);
        n = encode(j, g, &p); /* with the new segment's id */
    }
    j->written = n;
    enum err r = j->disk->ops->write_at(j->disk, j->file, j->at, p, n, e);
    /* Nothing of it has been synced, so it can be written there again. */
    return r != ERR_OK && space_is_missing(e) ? ERR_FULL : r;
}

/* Behind this it lasts. */
static enum err sync_group(struct journal *j, const struct group *g, struct error *e)
{
    enum err r = j->disk->ops->sync(j->disk, j->file, e);
    if (r != ERR_OK)
        return r;
    j->at += j->written;
    j->gap = false;
    pthread_mutex_lock(&j->lock);
    uint64_t last = g->first_seq + g->count - 1;
    j->segments.v[j->segments.n - 1].last_seq = last;
    j->stats.syncs++;
    j->stats.frames++;
    j->stats.bytes += j->written;
    pthread_mutex_unlock(&j->lock);
    if (j->commit_ms == 0)
        atomic_store(&j->committed, last);
    return ERR_OK;
}

static void group_reset(struct journal *j, struct group *g)
{
    if (g->cap > BUFFER_SMALL && g->n < g->cap / 8) {
        mem_free(j->alloc, g->p, g->cap);
        g->p = NULL;
        g->cap = 0;
    }
    if (j->packed_cap > 2 * BUFFER_SMALL && g->n < j->packed_cap / 8) {
        mem_free(j->alloc, j->packed, j->packed_cap);
        j->packed = NULL;
        j->packed_cap = 0;
    }
    pthread_mutex_lock(&j->lock); /* for journal_is_busy() */
    g->n = 0;
    g->count = 0;
    g->urgent = false;
    pthread_mutex_unlock(&j->lock);
}

static void fail(struct journal *j, const struct error *e)
{
    LOG_E("journal", "nothing more can be committed: %s", e->text);
    pthread_mutex_lock(&j->lock);
    j->why = *e;
    pthread_mutex_unlock(&j->lock);
    atomic_store(&j->failed, true);
    if (atomic_load(&j->no_room)) /* no more: journal_no_room() */
        atomic_store(&j->room_news, true);
}

/* What may also be done a little later. */
static void tend(struct journal *j)
{
    pthread_mutex_lock(&j->lock);
    bool recycle = segments_releasable(j);
    pthread_mutex_unlock(&j->lock);
    if (recycle)
        segments_recycle(j);
    struct error e = {0};
    if (j->spares > 0 || !j->file || j->at < j->segment_bytes / 2) {
        space_set(j, j->waits, &e);
        return;
    }
    enum err r = space_for_segment(j, &e);
    if (r == ERR_OK || r == ERR_FULL)
        space_set(j, r == ERR_FULL, &e);
    else if (!j->prepare_failed)
        LOG_W("journal", "could not make the next segment in advance: %s", e.text);
    j->prepare_failed = r != ERR_OK;
}

/* The group that waits, if any; the next one fills meanwhile. */
static struct group *take_group(struct journal *j)
{
    if (j->waits)
        return clock_mono_ns(j->clock) >= j->room_at_ns ? j->waits : NULL;
    pthread_mutex_lock(&j->lock);
    struct group *g = &j->group[j->fill];
    bool any = g->count > 0 && !atomic_load(&j->failed);
    if (any)
        j->fill ^= 1;
    pthread_mutex_unlock(&j->lock);
    return any ? g : NULL;
}

/* It lasts, or never will: tells who waits. */
static void end_group(struct journal *j, struct group *g, enum err result, const struct error *e)
{
    if (result != ERR_OK)
        fail(j, e);
    group_reset(j, g);
    notifiers_wake(j);
}

/* ERR_FULL: it waits. */
static enum err put_group(struct journal *j, struct group *g, struct error *e)
{
    enum err r = write_group(j, g, e);
    if (r == ERR_FULL) {
        space_wait(j, g, e);
        return r;
    }
    space_waited(j);
    return r;
}

bool journal_test_step(struct journal *j)
{
    struct error e = {0};
    struct group *g = take_group(j);
    enum err r = g ? put_group(j, g, &e) : ERR_OK;
    bool ended = g && r != ERR_FULL;
    if (r == ERR_OK && g)
        r = sync_group(j, g, &e);
    if (ended)
        end_group(j, g, r, &e);
    if (!atomic_load(&j->failed))
        tend(j);
    return ended;
}

/* ---- the thread ---- */

/* (lock) As due_in(), of the groups. */
static int64_t group_due_in(struct journal *j)
{
    const struct group *g = &j->group[j->fill];
    if (atomic_load(&j->failed))
        return -1;
    if (!j->recycle_failed && segments_releasable(j))
        return 0;
    if (g->count == 0)
        return -1;
    if (j->stop || g->n >= j->group_max / 2)
        return 0;
    int64_t delay = j->commit_ms > 0 ? j->commit_ms * 1000000 : LAZY_NS;
    if (j->commit_ms == 0 && g->urgent)
        return 0;
    int64_t left = g->since_ns + delay - clock_mono_ns(j->clock);
    return left > 0 ? left : 0;
}

/* (lock) 0: there is work; > 0: in so many ns; < 0: when somebody signals. */
static int64_t due_in(struct journal *j)
{
    int64_t ns = j->stuck ? -1 : group_due_in(j);
    if (!atomic_load(&j->no_room) || atomic_load(&j->failed))
        return ns;
    int64_t left = j->room_at_ns - clock_mono_ns(j->clock);
    left = left > 0 ? left : 0;
    return ns < 0 || left < ns ? left : ns;
}

static void wait_ns(struct journal *j, int64_t ns)
{
    j->idle = true;
    j->timed = ns > 0;
    if (ns < 0) {
        pthread_cond_wait(&j->wake, &j->lock);
    } else {
        struct timespec at;
        (void)clock_gettime(CLOCK_MONOTONIC, &at);
        int64_t nsec = at.tv_nsec + ns % 1000000000;
        at.tv_sec += (time_t)(ns / 1000000000 + nsec / 1000000000);
        at.tv_nsec = (long)(nsec % 1000000000);
        (void)pthread_cond_timedwait(&j->wake, &j->lock, &at);
    }
    j->idle = j->timed = false;
}

static void *writer_main(void *arg)
{
    struct journal *j = arg;
    pthread_mutex_lock(&j->lock);
    for (;;) {
        int64_t ns = due_in(j);
        if (ns == 0) {
            pthread_mutex_unlock(&j->lock);
            (void)journal_test_step(j);
            pthread_mutex_lock(&j->lock);
        } else if (j->stop) {
            break; /* nothing waits, or nothing can be done */
        } else {
            wait_ns(j, ns);
        }
    }
    pthread_mutex_unlock(&j->lock);
    return NULL;
}

/* ---- the same as events, in a simulated world ---- */

/* Sets the event to when it is due; whenever that may have changed. While a sync is under way it
 * is the event of its end. */
static void plan(struct journal *j)
{
    pthread_mutex_lock(&j->lock);
    int64_t ns = due_in(j);
    j->idle = ns != 0;
    j->timed = ns > 0;
    pthread_mutex_unlock(&j->lock);
    if (ns >= 0)
        j->world->events->after(j->world, &j->due, ns);
    else
        j->world->events->cancel(j->world, &j->due);
}

static void end_sync(struct journal *j)
{
    struct error e = {0};
    struct group *g = j->syncing;
    j->syncing = NULL;
    end_group(j, g, sync_group(j, g, &e), &e);
}

/* Writes what waits, and syncs it when the time has passed that this takes. True if it is so. */
static bool begin_sync(struct journal *j)
{
    struct error e = {0};
    struct group *g = take_group(j);
    if (!g)
        return false;
    enum err r = put_group(j, g, &e);
    if (r != ERR_OK) {
        if (r != ERR_FULL)
            end_group(j, g, ERR_IO, &e);
        return false;
    }
    j->syncing = g;
    j->world->events->work(j->world, &j->due, ENV_WORK_SYNC);
    return true;
}

static void writer_due(struct env_event *ev)
{
    struct journal *j = CONTAINER_OF(ev, struct journal, due);
    pthread_mutex_lock(&j->lock);
    bool now = due_in(j) == 0;
    j->idle = j->timed = false; /* nobody need signal, until the next plan */
    pthread_mutex_unlock(&j->lock);
    if (j->syncing)
        end_sync(j);
    else if (now && begin_sync(j))
        return;
    if (!atomic_load(&j->failed))
        tend(j);
    plan(j);
}

/* ---- either ---- */

enum err writer_start(struct journal *j, struct error *e)
{
    struct env *env = j->ex ? executor_env(j->ex) : NULL;
    if (env && env->events) {
        j->world = env;
        j->due.run = writer_due;
        plan(j);
        return ERR_OK;
    }
    int r = pthread_create(&j->thread, NULL, writer_main, j);
    if (r != 0)
        return error_set_os(e, r, "could not start the journal's writer");
    j->running = true;
    return ERR_OK;
}

void writer_signal(struct journal *j)
{
    if (j->world)
        plan(j);
    else
        pthread_cond_signal(&j->wake);
}

void writer_stop(struct journal *j)
{
    if (j->world) {
        j->world->events->cancel(j->world, &j->due);
        if (j->syncing)
            end_sync(j);
    }
    j->world = NULL;
    if (!j->running)
        return;
    pthread_mutex_lock(&j->lock);
    j->stop = true;
    pthread_cond_signal(&j->wake);
    pthread_mutex_unlock(&j->lock);
    (void)pthread_join(j->thread, NULL);
    j->running = false;
}

/* In a simulated world nobody else would do it. */
static void commit_all(struct journal *j)
{
    if (j->syncing)
        end_sync(j);
    while (journal_test_step(j))
        continue;
    plan(j);
}

enum err journal_await(struct journal *j, uint64_t seq, int64_t timeout_ms)
{
    const struct timespec step = {.tv_nsec = 1000000};
    journal_hurry(j);
    for (int64_t ms = 0; journal_committed(j) < seq; ms++) {
        if (journal_failed(j, NULL))
            return ERR_IO;
        if (ms >= timeout_ms || space_is_awaited(j)) /* nobody waits for a full disk to end */
            return ERR_TIMEOUT;
        if (j->world)
            commit_all(j);
        else
            (void)nanosleep(&step, NULL);
    }
    return ERR_OK;
}
