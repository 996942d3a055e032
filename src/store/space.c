#include "base/log.h"
#include "store/journal_internal.h"
#include <errno.h>

/* A look costs a system call. Filling a segment in vain, where a quota is not seen before, costs
 * all of what is left, so that is tried less and less often. */
#define LOOK_NS    INT64_C(1000000000)
#define TRY_MAX_NS INT64_C(32000000000)

bool space_is_missing(const struct error *e)
{
    return e->os_errno == ENOSPC || e->os_errno == EDQUOT;
}

static bool disk_is_full(struct journal *j)
{
    uint64_t free_bytes = 0;
    return j->disk->ops->free_bytes &&
           j->disk->ops->free_bytes(j->disk, j->dir, &free_bytes, NULL) == ERR_OK &&
           free_bytes < j->segment_bytes;
}

enum err space_for_start(struct journal *j, struct error *e)
{
    return j->spares == 0 && disk_is_full(j) ? segment_no_room(j, e) : ERR_OK;
}

static void look_again_in(struct journal *j, int64_t ns)
{
    j->room_at_ns = clock_mono_ns(j->clock) + ns;
}

static void pause_longer(struct journal *j)
{
    j->room_pause_ns = j->room_pause_ns ? 2 * j->room_pause_ns : LOOK_NS;
    j->room_pause_ns = j->room_pause_ns < TRY_MAX_NS ? j->room_pause_ns : TRY_MAX_NS;
    look_again_in(j, j->room_pause_ns);
}

enum err space_for_segment(struct journal *j, struct error *e)
{
    if (j->spares > 0)
        return ERR_OK;
    if (atomic_load(&j->no_room)) {
        if (clock_mono_ns(j->clock) < j->room_at_ns)
            return ERR_FULL;
        if (disk_is_full(j)) {
            look_again_in(j, LOOK_NS);
            return ERR_FULL;
        }
    }
    enum err r = segment_prepare(j, e);
    bool missing = r != ERR_OK && space_is_missing(e);
    if (missing || (r != ERR_OK && atomic_load(&j->no_room))) /* else the writer would not rest */
        pause_longer(j);
    return missing ? ERR_FULL : r;
}

void space_wait(struct journal *j, struct group *g, const struct error *e)
{
    if (clock_mono_ns(j->clock) >= j->room_at_ns) /* a write in a segment, where that takes room */
        pause_longer(j);
    j->waits = g;
    space_set(j, true, e); /* first: whoever is refused asks why */
    pthread_mutex_lock(&j->lock);
    j->stuck = true;
    pthread_mutex_unlock(&j->lock);
}

void space_waited(struct journal *j)
{
    if (!j->waits)
        return;
    j->waits = NULL;
    pthread_mutex_lock(&j->lock);
    j->stuck = false;
    pthread_mutex_unlock(&j->lock);
}

void space_set(struct journal *j, bool none, const struct error *e)
{
    if (atomic_load(&j->no_room) == none)
        return;
    if (none)
        LOG_E("journal",
              "%s%s%s: what is published is delivered, but neither kept nor acknowledged", e->where,
              e->where[0] ? ": " : "", e->text);
    else
        LOG_W("journal", "there is room again: everything is kept");
    j->room_pause_ns = none ? j->room_pause_ns : 0;
    atomic_store(&j->no_room, none);
    atomic_store(&j->room_news, true);
    notifiers_wake(j);
}

bool space_is_awaited(struct journal *j)
{
    pthread_mutex_lock(&j->lock);
    bool stuck = j->stuck;
    pthread_mutex_unlock(&j->lock);
    return stuck;
}

void space_tell(struct journal *j)
{
    if (atomic_exchange(&j->room_news, false) && j->room)
        j->room(j->room_ctx, journal_no_room(j));
}

bool space_refuses(const struct journal *j, enum journal_kind kind)
{
    bool bulk = kind == JOURNAL_MESSAGE || kind == JOURNAL_SAMPLE;
    return j->stuck || (bulk && atomic_load_explicit(&j->no_room, memory_order_relaxed));
}

bool journal_no_room(const struct journal *j)
{
    return atomic_load(&j->no_room) && !atomic_load(&j->failed); /* that does not end */
}

void journal_on_room(struct journal *j, void (*room)(void *ctx, bool none), void *ctx)
{
    j->room = room;
    j->room_ctx = ctx;
}
