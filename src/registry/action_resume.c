/* action_resume: what an earlier run had begun: taken up, or told to have come to nothing. */
#include "registry/registry_internal.h"

#include <stdio.h>

/* Whose device it is now, and not so long ago that its sudden start would surprise people. */
static bool is_still_wanted(const struct action *a, const struct device *d)
{
    const struct registry *r = a->registry;
    int64_t age_ms = worker_now_ms(r->worker) - a->requested_ms;
    if (age_ms > r->cfg.resume_max_ms || age_ms < -r->cfg.resume_max_ms)
        return false;
    return str_eq(d->owner, a->program) ||
           (r->may_resume && r->may_resume(r->resume_ctx, d, a->program, a->operator_name));
}

/* What an earlier run decided and this one can still see through. */
static bool action_resume(struct action *a)
{
    struct registry *r = a->registry;
    struct device *d = registry_find(r, a->device_name);
    int at = d ? model_action(d->model, a->action_name) : -1;
    if (at < 0 || !list_empty(&d->actions))
        return false;
    if (!d->model->actions[at].safe && !is_still_wanted(a, d))
        return false;
    a->device = d;
    a->action = (uint32_t)at;
    a->seq = 1; /* recorded: that is where it comes from */
    a->attempts = 0;
    list_add_tail(&d->actions, &a->device_link);
    /* Time to connect, and to report; what makes a device safe is rather sent once too often. */
    timer_set_after_ms(&a->timer, d->model->actions[at].safe ? 1 : r->cfg.confirm_timeout_ms);
    return true;
}

void registry_on_resume(struct registry *r,
                        bool (*may)(void *ctx, const struct device *d, struct str program,
                                    struct str person),
                        void *ctx)
{
    r->may_resume = may;
    r->resume_ctx = ctx;
}

static bool is_open(const struct action *a)
{
    return a->state == ACTION_WAITING || a->state == ACTION_SENT;
}

/* What the log told of one that is over. */
static void start_ended(struct registry *r, struct action *a)
{
    struct device *d = registry_find(r, a->device_name);
    list_add_tail(&r->ended, &a->ended_link);
    if (!d && a->state == ACTION_FAILED)
        actions_forget_alert(r, a->device_name);
    if (!d || a->state == ACTION_DENIED)
        return;
    d->obeyed = d->obeyed || a->state == ACTION_CONFIRMED;
    d->disobeyed = a->state == ACTION_FAILED; /* the last one counts */
}

void actions_start(struct registry *r)
{
    LIST_EACH(&r->actions, it)
    {
        struct action *a = CONTAINER_OF(it, struct action, link);
        if (!is_open(a) && list_empty(&a->ended_link))
            start_ended(r, a);
    }
    for (struct list *it = r->actions.prev; it != &r->actions; it = it->prev) {
        struct action *a = CONTAINER_OF(it, struct action, link);
        if (!is_open(a) || a->device || action_resume(a))
            continue;
        action_because(a, ACTION_INTERRUPTED, STR(""), "had no outcome when the site stopped");
        struct device *d = registry_find(r, a->device_name);
        if (d && list_empty(&d->actions)) {
            d->disobeyed = true;
            action_alert(a, MAY_NOT_HAVE_OBEYED, true);
        }
        action_end(a, ACTION_FAILED);
    }
    actions_forget_oldest(r);
}
