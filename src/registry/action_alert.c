/* action_alert: what people are told of an action that comes to nothing, and when that is over. */
#include "registry/registry_internal.h"

#include <stdio.h>

/* What a device that leaves does not do is told once: nobody looks whether it does so later. */
void action_alert(struct action *a, const char *what, bool active)
{
    struct registry *r = a->registry;
    const struct device *d = a->device;
    struct str name = d ? d->name : a->device_name; /* it may be called otherwise by now */
    bool left = d && d->leaving;
    char key[512], text[800], where[320] = "";
    if (left && !active)
        return;
    if (left)
        (void)snprintf(where, sizeof(where), ", which the site does not have any more (%.*s),",
                       STR_FMT(d->link_text.n ? d->link_text : d->topic));
    (void)snprintf(key, sizeof(key), "%s/%.*s", left ? "left" : "action", STR_FMT(name));
    (void)snprintf(text, sizeof(text), "%.*s%s %s: %.*s() %s", STR_FMT(name), where, what,
                   STR_FMT(a->action_name), a->why);
    struct action_event e;
    action_fill_event(a, &e);
    struct alert_event alert = {.key = str_from(key),
                                .severity = SEVERITY_CRITICAL,
                                .text = str_from(text),
                                .device = name,
                                .cause = e.cause,
                                .active = active,
                                .momentary = left,
                                .wall_ms = worker_now_ms(r->worker)};
    bus_alert_publish(r->cfg.bus, &alert);
}

void actions_forget_alert(struct registry *r, struct str device)
{
    char key[512];
    (void)snprintf(key, sizeof(key), "action/%.*s", STR_FMT(device));
    struct alert_event alert = {
        .key = str_from(key), .device = device, .wall_ms = worker_now_ms(r->worker)};
    bus_alert_publish(r->cfg.bus, &alert);
}
