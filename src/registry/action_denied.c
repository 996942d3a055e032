/* action_denied: what others wanted of a device that is not theirs, as actions that have not been.
 */
#include "base/log.h"
#include "registry/registry_internal.h"

#include <inttypes.h>
#include <stdio.h>

enum { DENIED_AGAIN_MS = 60000, DENIED_MAX = 100 };

/* They are for people to see, and must not push what was really done off the list. */
static void forget_denied(struct registry *r)
{
    size_t n = 0;
    for (struct list *it = r->actions.prev, *before; it != &r->actions; it = before) {
        before = it->prev;
        struct action *a = CONTAINER_OF(it, struct action, link);
        if (a->state != ACTION_DENIED || ++n <= DENIED_MAX)
            continue;
        r->action_count--;
        action_log_forget(r, a);
        action_free(a);
    }
}

void actions_denied(struct registry *r, struct device *d, struct str who, const char *why)
{
    int64_t now = worker_now_ms(r->worker);
    for (struct list *it = r->actions.prev; it != &r->actions; it = it->prev) {
        struct action *a = CONTAINER_OF(it, struct action, link);
        if (a->requested_ms < now - DENIED_AGAIN_MS)
            break;
        if (a->state == ACTION_DENIED && str_eq(a->device_name, d->name) &&
            str_eq(a->operator_name, who)) {
            a->attempts++;
            return;
        }
    }
    struct action_event proto = {.device = d->name,
                                 .action = STR("set"),
                                 .args_json = STR("{}"),
                                 .why = str_from(why),
                                 .reason = ACTION_OWNED,
                                 .state = ACTION_DENIED,
                                 .attempts = 1,
                                 .requested_ms = now,
                                 .outcome_ms = now,
                                 .cause = {.operator_name = who}};
    struct action *a = action_make(r, &proto);
    if (!a)
        return;
    (void)snprintf(a->id, sizeof(a->id), "%012" PRIx64, r->action_next++);
    list_add_tail(&r->actions, &a->link);
    list_add_tail(&r->ended, &a->ended_link);
    r->action_count++;
    LOG_W("registry", "%.*s is refused: %s", STR_FMT(who), why);
    action_changed(a);
    forget_denied(r);
    actions_forget_oldest(r);
}
