/* shelve: alerts that somebody has put aside for a time, with a reason (ISA-18.2, "shelve").
 *
 * One timer serves all: it looks at the one that ends next, but at least once a minute, since an
 * end is a time of the wall clock, which may jump. */
#include "alert/alert_internal.h"
#include "base/log.h"

#include <inttypes.h>

enum { LOOK_MS = 60000 };

void alert_clear_shelving(struct alert *al)
{
    al->shelved_ms = 0;
    al->shelved_until_ms = 0;
    al->shelved_by = STR("");
    al->shelved_why = STR("");
}

void shelve_watch(struct alerts *a)
{
    int64_t next_ms = INT64_MAX;
    LIST_EACH(&a->list, it)
    {
        const struct alert *al = CONTAINER_OF(it, struct alert, link);
        if (alert_is_shelved(al) && al->shelved_until_ms < next_ms)
            next_ms = al->shelved_until_ms;
    }
    if (next_ms == INT64_MAX) {
        timer_cancel(&a->shelve_timer);
        return;
    }
    int64_t in_ms = next_ms - worker_now_ms(a->worker);
    timer_set_after_ms(&a->shelve_timer, in_ms < 0 ? 0 : in_ms > LOOK_MS ? LOOK_MS : in_ms);
}

static void ended(struct timer *t)
{
    struct alerts *a = CONTAINER_OF(t, struct alerts, shelve_timer);
    int64_t now_ms = worker_now_ms(a->worker);
    LIST_EACH(&a->list, it)
    {
        struct alert *al = CONTAINER_OF(it, struct alert, link);
        if (!alert_is_shelved(al) || al->shelved_until_ms > now_ms)
            continue;
        LOG_I("alert", "alert %" PRIu64 " is not shelved any more: %.*s", al->id,
              STR_FMT(al->text));
        alert_clear_shelving(al);
        alert_changed(a, al);
    }
    shelve_watch(a);
}

void shelve_init(struct alerts *a)
{
    timer_init(&a->shelve_timer, a->worker, ended);
}

void shelve_fini(struct alerts *a)
{
    timer_cancel(&a->shelve_timer);
}

/* Records what *al has become, or takes it back to `before`. */
static enum err settle(struct alerts *a, struct alert *al, const struct alert *before,
                       uint64_t *seq)
{
    enum err err = alert_record(a, al, seq);
    if (err) {
        al->shelved_ms = before->shelved_ms;
        al->shelved_until_ms = before->shelved_until_ms;
        al->shelved_by = before->shelved_by;
        al->shelved_why = before->shelved_why;
        return err;
    }
    shelve_watch(a);
    alert_tell(a, al);
    return ERR_OK;
}

enum err alert_shelve(struct alerts *a, uint64_t id, const struct alert_shelving *s,
                      const struct alert **out, uint64_t *seq)
{
    struct alert *al = alert_of(a, id);
    if (!al)
        return ERR_NOT_FOUND;
    *out = al;
    if (s->for_ms < ALERT_SHELVE_MIN_MS || s->for_ms > ALERT_SHELVE_MAX_MS)
        return ERR_RANGE;
    if (alert_is_over(al))
        return ERR_EXISTS;
    struct alert before = *al;
    al->shelved_ms = worker_now_ms(a->worker);
    al->shelved_until_ms = al->shelved_ms + s->for_ms;
    al->shelved_by = s->by;
    al->shelved_why = s->why;
    if (!alert_own_texts(a, al)) {
        *al = before;
        return ERR_NOMEM;
    }
    /* The texts before are gone with their block: a shelving that can't be recorded ends. */
    alert_clear_shelving(&before);
    enum err err = settle(a, al, &before, seq);
    if (!err)
        LOG_I("alert", "alert %" PRIu64 " is shelved by %.*s for %" PRId64 " s: %.*s", id,
              STR_FMT(al->shelved_by), s->for_ms / 1000, STR_FMT(al->shelved_why));
    return err;
}

void alert_shelve_undo(struct alerts *a, uint64_t id)
{
    struct alert *al = alert_of(a, id);
    if (!al || !alert_is_shelved(al))
        return;
    alert_clear_shelving(al);
    alert_changed(a, al);
}

enum err alert_unshelve(struct alerts *a, uint64_t id, struct str by, const struct alert **out,
                        uint64_t *seq)
{
    struct alert *al = alert_of(a, id);
    if (!al)
        return ERR_NOT_FOUND;
    *out = al;
    if (!alert_is_shelved(al))
        return ERR_EXISTS;
    struct alert before = *al;
    alert_clear_shelving(al);
    enum err err = settle(a, al, &before, seq);
    if (!err)
        LOG_I("alert", "alert %" PRIu64 " is unshelved by %.*s", id,
              STR_FMT(by.n ? by : STR("somebody")));
    return err;
}
