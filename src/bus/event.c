#include "bus/bus_internal.h"

const char *severity_name(enum severity s)
{
    static const char *const names[] = {"info", "warning", "critical"};
    return (size_t)s < ARRAY_LEN(names) ? names[s] : "?";
}

const char *action_state_name(enum action_state s)
{
    static const char *const names[] = {"waiting", "sent", "confirmed", "failed", "denied"};
    return (size_t)s < ARRAY_LEN(names) ? names[s] : "?";
}

const char *action_reason_name(enum action_reason r)
{
    static const char *const names[] = {
        [ACTION_REASON_NONE] = NULL,          [ACTION_UNCONFIRMED] = "unconfirmed",
        [ACTION_NOT_SENT] = "not-sent",       [ACTION_NOT_RECORDED] = "not-recorded",
        [ACTION_REFUSED] = "refused",         [ACTION_SUPERSEDED] = "superseded",
        [ACTION_UNDECLARED] = "undeclared",   [ACTION_MOVED] = "moved",
        [ACTION_INTERRUPTED] = "interrupted", [ACTION_OWNED] = "owned",
    };
    return (size_t)r < ARRAY_LEN(names) ? names[r] : NULL;
}

void says_begin(struct strbuf *b, const char *code)
{
    strbuf_adds(b, "{\"code\":");
    strbuf_add_json(b, str_from(code));
}

void says_str(struct strbuf *b, const char *key, struct str s)
{
    strbuf_addf(b, ",\"%s\":", key);
    strbuf_add_json(b, s);
}

void says_int(struct strbuf *b, const char *key, int64_t v)
{
    strbuf_addf(b, ",\"%s\":", key);
    strbuf_add_i64(b, v);
}

struct str says_end(struct strbuf *b)
{
    strbuf_addc(b, '}');
    return b->failed ? STR("") : strbuf_str(b);
}

void bus_event_listen(struct bus *b, struct event_listener *l)
{
    list_add_tail(&b->event_listeners, &l->link);
}

void bus_event_unlisten(struct event_listener *l)
{
    if (l->link.next)
        list_del(&l->link);
}

/* As for samples: the marker lets listeners leave inside their call. */
static struct event_listener *next_listener(struct list *head, struct list *marker)
{
    struct list *it = marker->next;
    list_del(marker);
    if (it == head)
        return NULL;
    list_add_head(it, marker);
    return CONTAINER_OF(it, struct event_listener, link);
}

void bus_alert_publish(struct bus *b, const struct alert_event *e)
{
    struct event_listener marker = {0}, *l;
    list_add_head(&b->event_listeners, &marker.link);
    while ((l = next_listener(&b->event_listeners, &marker.link)))
        if (l->alert)
            l->alert(l, e);
}

void bus_action_publish(struct bus *b, const struct action_event *e)
{
    struct event_listener marker = {0}, *l;
    list_add_head(&b->event_listeners, &marker.link);
    while ((l = next_listener(&b->event_listeners, &marker.link)))
        if (l->action)
            l->action(l, e);
}

void bus_signal_publish(struct bus *b, const struct signal_event *e)
{
    struct event_listener marker = {0}, *l;
    list_add_head(&b->event_listeners, &marker.link);
    while ((l = next_listener(&b->event_listeners, &marker.link)))
        if (l->signal)
            l->signal(l, e);
}
