/* action_alert: why an action came to nothing, what people are told of that, and when it is over.
 */
#include "registry/registry_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { SAYS_MAX = 2000 };

void action_because(struct action *a, enum action_reason reason, struct str detail, const char *fmt,
                    ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(a->why, sizeof(a->why), fmt, ap);
    va_end(ap);
    size_t used = n < 0 ? 0 : (size_t)n < sizeof(a->why) ? (size_t)n : sizeof(a->why) - 1;
    (void)snprintf(a->why + used, sizeof(a->why) - used, "%.*s", STR_FMT(detail));
    a->reason = reason;
    a->detail_n = strlen(a->why + used);
}

static const struct {
    const char *code, *text;
} told[] = {
    [DISOBEYS] = {"not-obeyed", "does not obey"},
    [NOT_COMMANDED] = {"not-commanded", "is not commanded"},
    [MAY_NOT_HAVE_OBEYED] = {"maybe-not-obeyed", "may not have obeyed"},
};

static struct str say(struct strbuf *b, const struct action_event *e, struct str device,
                      enum disobedience what, struct str left)
{
    const char *reason = action_reason_name(e->reason);
    says_begin(b, told[what].code);
    says_str(b, "device", device);
    says_str(b, "action", e->action);
    says_str(b, "reason", str_from(reason ? reason : ""));
    says_int(b, "attempts", e->attempts);
    says_str(b, "confirms", e->confirms);
    says_str(b, "detail", e->detail);
    says_str(b, "left", left); /* where the device was that the site does not have any more */
    return says_end(b);
}

/* What a device that leaves does not do is told once: nobody looks whether it does so later. */
void action_alert(struct action *a, enum disobedience what, bool active)
{
    struct registry *r = a->registry;
    const struct device *d = a->device;
    struct str name = d ? d->name : a->device_name; /* it may be called otherwise by now */
    bool left = d && d->leaving;
    struct str place = !left ? STR("") : d->link_text.n ? d->link_text : d->topic;
    char key[512], text[800], where[320] = "";
    if (left && !active)
        return;
    if (left)
        (void)snprintf(where, sizeof(where), ", which the site does not have any more (%.*s),",
                       STR_FMT(place));
    (void)snprintf(key, sizeof(key), "%s/%.*s", left ? "left" : "action", STR_FMT(name));
    (void)snprintf(text, sizeof(text), "%.*s%s %s: %.*s() %s", STR_FMT(name), where,
                   told[what].text, STR_FMT(a->action_name), a->why);
    struct action_event e;
    action_fill_event(a, &e);
    struct strbuf says;
    strbuf_init(&says, r->cfg.alloc, SAYS_MAX);
    struct alert_event alert = {.key = str_from(key),
                                .severity = SEVERITY_CRITICAL,
                                .text = str_from(text),
                                .says = say(&says, &e, name, what, place),
                                .device = name,
                                .cause = e.cause,
                                .active = active,
                                .momentary = left,
                                .wall_ms = worker_now_ms(r->worker)};
    bus_alert_publish(r->cfg.bus, &alert);
    strbuf_fini(&says);
}

void actions_forget_alert(struct registry *r, struct str device)
{
    char key[512];
    (void)snprintf(key, sizeof(key), "action/%.*s", STR_FMT(device));
    struct alert_event alert = {
        .key = str_from(key), .device = device, .wall_ms = worker_now_ms(r->worker)};
    bus_alert_publish(r->cfg.bus, &alert);
}
