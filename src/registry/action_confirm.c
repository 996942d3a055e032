/* action_confirm: what ends an action well: a reading that its model names, the device's own
 * answer, or that of the port that it went by. */
#include "codec/json.h"
#include "registry/registry_internal.h"

#include <stdio.h>

void action_confirm(struct action *a)
{
    a->device->obeyed = true;
    a->device->disobeyed = false;
    action_alert(a, DISOBEYS, false); /* it obeys again, if it did not before */
    action_end(a, ACTION_CONFIRMED);
}

static bool reaches(const struct action *a, const struct value *v)
{
    const struct action_def *def = &a->device->model->actions[a->action];
    return compare_holds(def->confirm_compare, value_number(v), def->confirm_value);
}

bool action_is_so_already(const struct action *a)
{
    int property = a->device->model->actions[a->action].confirm_property;
    if (property < 0)
        return false;
    const struct series *s = a->device->props[property].series;
    if (registry_device_of(a->registry, s) != a->device)
        return false; /* it leaves, and the series is another device's by now */
    return (s->quality == QUALITY_GOOD || s->quality == QUALITY_UNCERTAIN) && reaches(a, &s->last);
}

void actions_ack(struct device *d, struct bytes payload)
{
    struct json_token id;
    if (json_find(payload, STR("id"), &id, NULL) || id.kind != JSON_STRING)
        return;
    LIST_EACH_SAFE(&d->actions, it)
    {
        struct action *a = CONTAINER_OF(it, struct action, device_link);
        const struct action_def *def = &d->model->actions[a->action];
        if (def->confirm_property < 0 && a->state == ACTION_SENT &&
            json_text_is(&id, str_from(a->id)))
            action_confirm(a);
    }
}

void actions_answered(struct device *d, uint32_t action)
{
    LIST_EACH_SAFE(&d->actions, it)
    {
        struct action *a = CONTAINER_OF(it, struct action, device_link);
        if (a->state == ACTION_SENT && a->action == action)
            action_confirm(a);
    }
}

static struct action *open_action(struct registry *r, struct str id)
{
    for (struct list *it = r->actions.prev; it != &r->actions; it = it->prev) {
        struct action *a = CONTAINER_OF(it, struct action, link);
        if (str_eq(str_from(a->id), id))
            return a->device && a->state == ACTION_SENT ? a : NULL;
    }
    return NULL;
}

void registry_port_done(struct registry *r, const char *id, enum err result, const char *why)
{
    struct action *a = open_action(r, str_from(id));
    if (!a)
        return;
    if (!result) {
        a->device->obeyed = true;
        if (a->device->model->actions[a->action].confirm_property < 0)
            action_confirm(a);
        return;
    }
    bool refused = result == ERR_INVALID || result == ERR_UNSUPPORTED || result == ERR_DENIED;
    action_because(a, refused ? ACTION_REFUSED : ACTION_REASON_NONE, str_from(why), "%s",
                   refused ? "is refused by the device: " : "");
    if (refused)
        action_fail(a, DISOBEYS);
}

void actions_sample(struct device *d, const struct device_property *p, const struct sample *s)
{
    if (s->replayed || s->quality == QUALITY_BAD)
        return;
    LIST_EACH_SAFE(&d->actions, it)
    {
        struct action *a = CONTAINER_OF(it, struct action, device_link);
        int confirms = d->model->actions[a->action].confirm_property;
        if (a->state == ACTION_SENT && confirms >= 0 && &d->props[confirms] == p &&
            reaches(a, &s->value))
            action_confirm(a);
    }
}

void actions_on_sample(struct sample_listener *l, const struct sample *s)
{
    struct registry *r = CONTAINER_OF(l, struct registry, confirmations);
    if (sample_is_late(s))
        return;
    struct device *d = registry_device_of(r, s->series);
    for (size_t i = 0; d && !list_empty(&d->actions) && i < d->model->property_count; i++)
        if (d->props[i].series == s->series)
            actions_sample(d, &d->props[i], s);
}
