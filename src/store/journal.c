#include "base/map.h"
#include "store/journal_internal.h"
#include <string.h>

#define SEGMENT_BYTES_DEFAULT (16u << 20)
#define SEGMENT_BYTES_MIN     (4 * SEGMENT_HEAD)
#define GROUP_BYTES_DEFAULT   (8u << 20)
#define GROUP_CAP_FIRST       (16u << 10)

static enum err configure(struct journal *j, const struct journal_config *cfg, struct error *e)
{
    size_t n = strlen(cfg->dir);
    if (n == 0 || n > JOURNAL_DIR_MAX)
        return error_set(e, ERR_RANGE, "the journal's folder needs a name of at most %u bytes",
                         JOURNAL_DIR_MAX);
    memcpy(j->dir, cfg->dir, n + 1);
    j->segment_bytes = cfg->segment_bytes ? cfg->segment_bytes : SEGMENT_BYTES_DEFAULT;
    if (j->segment_bytes < SEGMENT_BYTES_MIN || j->segment_bytes > (1u << 30))
        return error_set(e, ERR_RANGE, "a journal segment holds %u bytes to 1 GiB",
                         SEGMENT_BYTES_MIN);
    size_t room = j->segment_bytes - SEGMENT_HEAD;
    j->group_max = cfg->group_bytes_max ? cfg->group_bytes_max : GROUP_BYTES_DEFAULT;
    j->group_max = j->group_max < room ? j->group_max : room;
    j->group_max = j->group_max < FRAME_RAW_MAX ? j->group_max : FRAME_RAW_MAX;
    if (j->group_max < 2 * FRAME_HEAD)
        return error_set(e, ERR_RANGE, "the journal's group is too small");
    j->bytes_max = cfg->journal_max_bytes ? cfg->journal_max_bytes : 8 * (uint64_t)j->segment_bytes;
    j->commit_ms = cfg->commit_ms > 0 ? cfg->commit_ms : 0;
    j->ex = cfg->ex;
    j->disk = cfg->disk;
    j->clock = cfg->clock;
    j->alloc = cfg->alloc;
    uint64_t now[2] = {(uint64_t)clock_mono_ns(j->clock), (uint64_t)clock_wall_ms(j->clock)};
    j->progress = cfg->progress;
    j->progress_ctx = cfg->progress_ctx;
    j->seed = cfg->seed ? cfg->seed : hash_bytes(now, sizeof(now), 1);
    return ERR_OK;
}

static void journal_free(struct journal *j)
{
    if (j->file)
        j->disk->ops->close(j->disk, j->file);
    for (size_t i = 0; i < ARRAY_LEN(j->group); i++)
        mem_free(j->alloc, j->group[i].p, j->group[i].cap);
    mem_free(j->alloc, j->packed, j->packed_cap);
    ZSTD_freeCCtx(j->zstd);
    vec_fini(j->alloc, &j->segments);
    notifiers_free(j);
    pthread_cond_destroy(&j->wake);
    pthread_mutex_destroy(&j->lock);
    mem_free(j->alloc, j, sizeof(*j));
}

static enum err init_threads(struct journal *j, struct error *e)
{
    pthread_condattr_t attr;
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&j->lock, NULL);
    (void)pthread_cond_init(&j->wake, &attr);
    (void)pthread_condattr_destroy(&attr);
    if (notifiers_new(j) != ERR_OK)
        return error_set(e, ERR_NOMEM, "no memory for the journal's waits");
    return ERR_OK;
}

enum err journal_open(struct journal **out, const struct journal_config *cfg, struct error *e)
{
    *out = NULL;
    struct journal *j = mem_zero(cfg->alloc, sizeof(*j));
    if (!j)
        return error_set(e, ERR_NOMEM, "no memory for the journal");
    list_init(&j->consumers);
    enum err r = configure(j, cfg, e);
    if (r != ERR_OK) {
        mem_free(cfg->alloc, j, sizeof(*j));
        return r;
    }
    j->next_seq = 1;
    r = init_threads(j, e);
    if (r == ERR_OK) {
        j->zstd = ZSTD_createCCtx();
        if (!j->zstd)
            r = error_set(e, ERR_NOMEM, "no memory to compress the journal");
    }
    if (r == ERR_OK)
        r = j->disk->ops->make_dir(j->disk, j->dir, e);
    if (r == ERR_OK)
        r = segments_scan(j, e);
    if (r != ERR_OK) {
        journal_free(j);
        return r;
    }
    *out = j;
    return ERR_OK;
}

void journal_close(struct journal *j)
{
    if (!j)
        return;
    writer_stop(j);
    j->room_at_ns = 0; /* a last time */
    while (j->replayed && journal_test_step(j))
        continue;
    journal_free(j);
}

void journal_consumer_add(struct journal *j, struct journal_consumer *c)
{
    ASSERT(!j->replayed);
    list_add_tail(&j->consumers, &c->link);
}

void journal_consumer_remove(struct journal *j, struct journal_consumer *c)
{
    pthread_mutex_lock(&j->lock);
    list_del(&c->link);
    j->keep_all = true;
    pthread_mutex_unlock(&j->lock);
}

enum err journal_replay(struct journal *j, struct error *e)
{
    ASSERT(!j->replayed);
    enum err r = recover_all(j, e);
    j->replayed = r == ERR_OK;
    return r;
}

bool journal_replayed(const struct journal *j)
{
    return j->replayed;
}

enum err journal_start(struct journal *j, struct error *e)
{
    ASSERT(j->replayed && !j->running && !j->world);
    if (!j->file) { /* here, so that a disk that can't be written to is known at once */
        const struct group *g = &j->group[j->fill];
        enum err r = space_for_start(j, e);
        if (r == ERR_OK)
            r = segment_activate(j, g->count ? g->first_seq : j->next_seq, e);
        if (r != ERR_OK)
            return r;
    }
    notifiers_start(j);
    return writer_start(j, e);
}

/* (lock) Room for `need` more bytes in the group. */
static enum err group_reserve(struct journal *j, struct group *g, size_t need)
{
    size_t used = g->count ? g->n : FRAME_HEAD;
    if (need > j->group_max - FRAME_HEAD)
        return ERR_RANGE;
    if (need > j->group_max - used || g->count == UINT32_MAX)
        return ERR_FULL;
    if (used + need > g->cap) {
        size_t cap = g->cap ? g->cap : GROUP_CAP_FIRST;
        while (cap < used + need)
            cap *= 2;
        uint8_t *p = mem_resize(j->alloc, g->p, g->cap, cap);
        if (!p)
            return ERR_NOMEM;
        g->p = p;
        g->cap = cap;
    }
    return ERR_OK;
}

/* (lock) */
static void group_add(struct journal *j, struct group *g, enum journal_kind kind, int64_t wall_ms,
                      const struct iovec *parts, unsigned n, size_t size)
{
    if (g->count == 0) {
        g->n = FRAME_HEAD;
        g->first_seq = j->next_seq;
        g->wall_ms = wall_ms;
        g->since_ns = clock_mono_ns(j->clock);
    }
    uint8_t head[RECORD_HEAD_MAX];
    int64_t delta = (int64_t)((uint64_t)wall_ms - (uint64_t)g->wall_ms);
    size_t head_n = record_head(head, (uint8_t)kind, delta, size);
    memcpy(g->p + g->n, head, head_n);
    g->n += head_n;
    for (unsigned i = 0; i < n; i++) {
        if (parts[i].iov_len)
            memcpy(g->p + g->n, parts[i].iov_base, parts[i].iov_len);
        g->n += parts[i].iov_len;
    }
    g->count++;
}

enum err journal_append(struct journal *j, enum journal_kind kind, bool lazy,
                        const struct iovec *parts, unsigned n, uint64_t *seq)
{
    size_t size = 0;
    for (unsigned i = 0; i < n; i++) {
        if (parts[i].iov_len > FRAME_RAW_MAX)
            return ERR_RANGE;
        size += parts[i].iov_len;
    }
    if (size > FRAME_RAW_MAX)
        return ERR_RANGE;
    if (atomic_load_explicit(&j->failed, memory_order_acquire))
        return ERR_IO;
    int64_t wall_ms = clock_wall_ms(j->clock);
    pthread_mutex_lock(&j->lock);
    struct group *g = &j->group[j->fill];
    enum err r = space_refuses(j, kind) ? ERR_IO
                 : j->refuse            ? ERR_FULL
                                        : group_reserve(j, g, RECORD_HEAD_MAX + size);
    bool signal = false;
    if (r == ERR_OK) {
        group_add(j, g, kind, wall_ms, parts, n, size);
        g->urgent = g->urgent || !lazy;
        *seq = j->next_seq++;
        j->stats.appended++;
        atomic_store(&j->last, *seq);
        if (j->commit_ms > 0) /* handed over: that is what was asked for */
            atomic_store(&j->committed, *seq);
        signal = j->idle && (!j->timed || (!lazy && j->commit_ms == 0) || g->n >= j->group_max / 2);
    }
    pthread_mutex_unlock(&j->lock);
    if (signal)
        writer_signal(j);
    return r;
}

void journal_hurry(struct journal *j)
{
    pthread_mutex_lock(&j->lock);
    struct group *g = &j->group[j->fill];
    g->urgent = g->count > 0;
    bool signal = j->idle && g->urgent;
    pthread_mutex_unlock(&j->lock);
    if (signal)
        writer_signal(j);
}

bool journal_is_busy(struct journal *j)
{
    pthread_mutex_lock(&j->lock);
    bool due = !j->stuck && (j->group[j->fill].urgent || j->group[!j->fill].count > 0);
    pthread_mutex_unlock(&j->lock);
    return due && j->running && !atomic_load(&j->failed);
}

uint64_t journal_last(const struct journal *j)
{
    return atomic_load(&j->last);
}

uint64_t journal_committed(const struct journal *j)
{
    return atomic_load(&j->committed);
}

bool journal_failed(const struct journal *j, struct error *why)
{
    if (!atomic_load(&j->failed))
        return false;
    if (why)
        *why = j->why; /* written before `failed`, and never again */
    return true;
}

void journal_release(struct journal *j, struct journal_consumer *c, uint64_t seq)
{
    pthread_mutex_lock(&j->lock);
    if (seq > c->cursor)
        c->cursor = seq;
    bool signal = j->idle && segments_releasable(j);
    pthread_mutex_unlock(&j->lock);
    if (signal)
        writer_signal(j);
}

void journal_press(struct journal *j)
{
    if (!atomic_exchange(&j->pressed, false))
        return;
    LIST_EACH_SAFE(&j->consumers, it)
    {
        struct journal_consumer *c = CONTAINER_OF(it, struct journal_consumer, link);
        pthread_mutex_lock(&j->lock);
        bool holds = j->segments.n > 0 && c->cursor < j->segments.v[j->segments.n / 2].first_seq;
        pthread_mutex_unlock(&j->lock);
        if (holds && c->pressure)
            c->pressure(c);
    }
}

struct journal_stats journal_stats(const struct journal *j)
{
    struct journal *m = (struct journal *)(uintptr_t)j; /* the lock is not part of its value */
    pthread_mutex_lock(&m->lock);
    struct journal_stats s = j->stats;
    pthread_mutex_unlock(&m->lock);
    s.committed = atomic_load(&j->committed);
    return s;
}
