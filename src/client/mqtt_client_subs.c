#include "client/mqtt_client_internal.h"

static struct subscription *sub_of(struct list *l)
{
    return CONTAINER_OF(l, struct subscription, link);
}

static struct str filter_of(const struct subscription *s)
{
    return (struct str){(const char *)s->wire + 2, s->wire_n - 3};
}

static struct subscription *find(struct mqtt_client *c, struct str filter)
{
    LIST_EACH(&c->subs, it)
    {
        if (str_eq(filter_of(sub_of(it)), filter))
            return sub_of(it);
    }
    return NULL;
}

static void sub_tell(struct subscription *s, enum err err, uint8_t reason)
{
    struct mqtt_done done = s->done;
    s->done = (struct mqtt_done){0};
    client_done(done, err, reason);
}

static void sub_remove(struct mqtt_client *c, struct subscription *s, enum err err, uint8_t reason)
{
    struct mqtt_done done = s->done;
    list_del(&s->link);
    c->subs_n--;
    mem_free(c->cfg.alloc, s, sizeof(*s) + s->wire_n);
    client_done(done, err, reason);
}

unsigned subs_free_ids(const struct mqtt_client *c, uint16_t from)
{
    unsigned free_ids = MQTT_IDS;
    LIST_EACH(&c->subs, it)
    {
        const struct subscription *s = sub_of(it);
        unsigned d = id_distance(from, s->id);
        if ((s->state == SUB_SENT || s->state == SUB_UNWANTED_SENT) && d < free_ids)
            free_ids = d;
    }
    return free_ids;
}

/* One packet for each filter. */
static bool sub_send(struct mqtt_client *c, struct subscription *s)
{
    bool wanted = s->state == SUB_WANTED;
    struct mqtt_packet p = {.type = wanted ? MQTT_SUBSCRIBE : MQTT_UNSUBSCRIBE};
    p.subscribe.id = client_next_id(c);
    p.subscribe.filters = (struct bytes){s->wire, wanted ? s->wire_n : s->wire_n - 1};
    if (stream_write_room(c->stream) < mqtt_encoded_size(c->cfg.version, &p) + 64)
        return false;
    s->id = p.subscribe.id;
    s->state = wanted ? SUB_SENT : SUB_UNWANTED_SENT;
    client_send(c, &p);
    return true;
}

void subs_flush(struct mqtt_client *c)
{
    LIST_EACH_SAFE(&c->subs, it)
    {
        struct subscription *s = sub_of(it);
        if (c->state != CLIENT_ONLINE)
            return;
        if ((s->state == SUB_WANTED || s->state == SUB_UNWANTED) && !sub_send(c, s))
            return;
    }
}

void subs_lost(struct mqtt_client *c)
{
    LIST_EACH(&c->subs, it)
    {
        struct subscription *s = sub_of(it);
        if (s->state == SUB_SENT)
            s->state = SUB_WANTED;
        else if (s->state == SUB_UNWANTED_SENT)
            s->state = SUB_UNWANTED;
    }
}

/* A new session knows nothing of us. */
void subs_online(struct mqtt_client *c, bool session_present)
{
    LIST_EACH(&c->subs, it)
    {
        struct subscription *s = sub_of(it);
        if (!session_present && s->state == SUB_ON)
            s->state = SUB_WANTED;
    }
}

void subs_ack(struct mqtt_client *c, enum mqtt_type type, const struct mqtt_suback *a)
{
    enum sub_state state = type == MQTT_SUBACK ? SUB_SENT : SUB_UNWANTED_SENT;
    uint8_t reason = a->codes.n ? a->codes.p[0] : 0;
    LIST_EACH(&c->subs, it)
    {
        struct subscription *s = sub_of(it);
        if (s->id != a->id || s->state != state)
            continue;
        enum err err = reason < 0x80 ? ERR_OK : ERR_DENIED;
        if (state == SUB_SENT && err == ERR_OK) {
            s->state = SUB_ON;
            sub_tell(s, err, reason);
        } else {
            sub_remove(c, s, err, reason);
        }
        return;
    }
}

void subs_cancel(struct mqtt_client *c)
{
    while (!list_empty(&c->subs))
        sub_remove(c, sub_of(c->subs.next), ERR_CANCELED, 0);
}

enum err mqtt_client_subscribe(struct mqtt_client *c, struct str filter, uint8_t options,
                               struct mqtt_done done)
{
    uint8_t reserved = c->cfg.version == MQTT_V5 ? 0xC0 : 0xFC;
    if (!mqtt_filter_valid(filter) || MQTT_SUB_QOS(options) == 3 || (options & reserved) ||
        MQTT_SUB_RETAIN_HANDLING(options) == 3)
        return ERR_INVALID;
    if (c->stopping || c->state == CLIENT_ENDED)
        return ERR_CLOSED;
    struct subscription *s = find(c, filter);
    if (s) {
        sub_tell(s, ERR_CANCELED, 0); /* who asked before gets no other answer */
        s = find(c, filter);          /* the callback may have changed the list */
    }
    if (!s) {
        if (c->subs_n >= c->cfg.subscriptions_max)
            return ERR_FULL;
        size_t wire_n = filter.n + 3;
        s = mem_new(c->cfg.alloc, sizeof(*s) + wire_n);
        if (!s)
            return ERR_NOMEM;
        *s = (struct subscription){.wire_n = wire_n};
        struct writer w = writer_from(s->wire, wire_n);
        mqtt_put_filter(&w, MQTT_SUBSCRIBE, filter, options);
        list_add_tail(&c->subs, &s->link);
        c->subs_n++;
    }
    s->wire[s->wire_n - 1] = options;
    s->done = done;
    s->state = SUB_WANTED;
    task_wake(&c->task); /* sends it */
    return ERR_OK;
}

enum err mqtt_client_unsubscribe(struct mqtt_client *c, struct str filter, struct mqtt_done done)
{
    if (c->stopping || c->state == CLIENT_ENDED)
        return ERR_CLOSED;
    struct subscription *s = find(c, filter);
    if (!s)
        return ERR_NOT_FOUND;
    struct mqtt_done before = s->done;
    s->done = done;
    s->state = SUB_UNWANTED;
    task_wake(&c->task);
    client_done(before, ERR_CANCELED, 0);
    return ERR_OK;
}
