#include "client/mqtt_client_internal.h"

#include <string.h>

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
    mem_free(c->cfg.alloc, s, sizeof(*s) + s->wire_n + s->raw_n);
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

/* Why this server does not take the filter; 0: it does. */
static uint8_t refusal(const struct mqtt_client *c, struct str filter, uint32_t id)
{
    if (!c->server.shared && mqtt_share_parse(filter, NULL, NULL))
        return MQTT_RC_SHARED_SUBSCRIPTIONS_NOT_SUPPORTED;
    if (!c->server.wildcards &&
        (memchr(filter.p, '#', filter.n) || memchr(filter.p, '+', filter.n)))
        return MQTT_RC_WILDCARDS_NOT_SUPPORTED;
    return id && !c->server.subscription_ids ? MQTT_RC_SUBSCRIPTION_IDS_NOT_SUPPORTED : 0;
}

/* One packet for each filter; without its id. */
static struct mqtt_packet packet_of(const struct subscription *s)
{
    bool wanted = s->state == SUB_WANTED;
    struct mqtt_packet p = {.type = wanted ? MQTT_SUBSCRIBE : MQTT_UNSUBSCRIBE};
    p.subscribe.id = 1; /* for its size */
    p.subscribe.filters = (struct bytes){s->wire, wanted ? s->wire_n : s->wire_n - 1};
    p.subscribe.props.raw = (struct bytes){s->wire + s->wire_n, s->raw_n};
    if (wanted && s->subscription) {
        p.subscribe.props.has = MQTT_HAS(MQTT_PROP_SUBSCRIPTION_ID);
        p.subscribe.props.subscription_id = s->subscription;
    }
    return p;
}

/* Why this server does not take its packet; 0: it does. */
static uint8_t packet_refusal(const struct mqtt_client *c, const struct subscription *s)
{
    struct mqtt_packet p = packet_of(s);
    uint8_t reason =
        s->state == SUB_WANTED ? refusal(c, filter_of(s), s->subscription) : MQTT_RC_SUCCESS;
    if (reason || !c->server.packet_max ||
        mqtt_encoded_size(c->cfg.version, &p) <= c->server.packet_max)
        return reason;
    return MQTT_RC_PACKET_TOO_LARGE;
}

/* False: it has to wait. */
static bool sub_send(struct mqtt_client *c, struct subscription *s)
{
    struct mqtt_packet p = packet_of(s);
    if (stream_write_room(c->stream) < mqtt_encoded_size(c->cfg.version, &p) + ACK_ROOM)
        return false;
    s->id = p.subscribe.id = client_next_id(c);
    s->state = s->state == SUB_WANTED ? SUB_SENT : SUB_UNWANTED_SENT;
    client_send(c, &p);
    return true;
}

/* The first that waits to be sent. A callback may change the list, so it is looked for anew. */
static struct subscription *waiting(struct mqtt_client *c)
{
    LIST_EACH(&c->subs, it)
    {
        struct subscription *s = sub_of(it);
        if (s->state == SUB_WANTED || s->state == SUB_UNWANTED)
            return s;
    }
    return NULL;
}

void subs_flush(struct mqtt_client *c)
{
    struct subscription *s;
    while (c->state == CLIENT_ONLINE && !c->stopping && (s = waiting(c))) {
        uint8_t reason = packet_refusal(c, s);
        if (reason)
            sub_remove(c, s, ERR_DENIED, reason);
        else if (!sub_send(c, s))
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

static struct subscription *sub_new(struct mqtt_client *c, const struct mqtt_client_filter *f)
{
    size_t wire_n = f->filter.n + 3, raw_n = c->cfg.version == MQTT_V5 ? f->user_raw.n : 0;
    struct subscription *s = mem_new(c->cfg.alloc, sizeof(*s) + wire_n + raw_n);
    if (!s)
        return NULL;
    *s = (struct subscription){.wire_n = wire_n, .raw_n = raw_n, .subscription = f->id};
    struct writer w = writer_from(s->wire, wire_n + raw_n);
    mqtt_put_filter(&w, MQTT_SUBSCRIBE, f->filter, f->options);
    writer_bytes(&w, f->user_raw.p, raw_n);
    return s;
}

/* Takes the place of what there was of this filter; who asked for that gets no other answer. */
static enum err request(struct mqtt_client *c, const struct mqtt_client_filter *f,
                        enum sub_state state, struct mqtt_done done)
{
    if (c->stopping || c->state == CLIENT_ENDED)
        return ERR_CLOSED;
    struct subscription *before = find(c, f->filter);
    if (!before && c->subs_n >= c->cfg.subscriptions_max)
        return ERR_FULL;
    struct subscription *s = sub_new(c, f);
    if (!s)
        return ERR_NOMEM;
    s->done = done;
    s->state = state;
    list_add_tail(before ? &before->link : &c->subs, &s->link);
    c->subs_n++;
    task_wake(&c->task); /* sends it */
    if (before)
        sub_remove(c, before, ERR_CANCELED, 0);
    return ERR_OK;
}

static bool options_valid(const struct mqtt_client *c, const struct mqtt_client_filter *f)
{
    bool v5 = c->cfg.version == MQTT_V5;
    uint8_t reserved = v5 ? 0xC0 : 0xFC;
    if (MQTT_SUB_QOS(f->options) == 3 || (f->options & reserved) ||
        MQTT_SUB_RETAIN_HANDLING(f->options) == 3)
        return false;
    /* No Local is not for groups [MQTT-3.8.3-4]. */
    if ((f->options & MQTT_SUB_NO_LOCAL) && mqtt_share_parse(f->filter, NULL, NULL))
        return false;
    return f->id == 0 || (v5 && f->id <= 268435455);
}

enum err mqtt_client_subscribe_with(struct mqtt_client *c, const struct mqtt_client_filter *f,
                                    struct mqtt_done done)
{
    if (!mqtt_filter_valid(f->filter) || !options_valid(c, f))
        return ERR_INVALID;
    if (c->state == CLIENT_ONLINE && refusal(c, f->filter, f->id))
        return ERR_UNSUPPORTED;
    return request(c, f, SUB_WANTED, done);
}

enum err mqtt_client_subscribe(struct mqtt_client *c, struct str filter, uint8_t options,
                               struct mqtt_done done)
{
    struct mqtt_client_filter f = {.filter = filter, .options = options};
    return mqtt_client_subscribe_with(c, &f, done);
}

enum err mqtt_client_unsubscribe_with(struct mqtt_client *c, const struct mqtt_client_filter *f,
                                      struct mqtt_done done)
{
    struct mqtt_client_filter bare = {.filter = f->filter, .user_raw = f->user_raw};
    if (!mqtt_filter_valid(f->filter))
        return ERR_INVALID;
    return request(c, &bare, SUB_UNWANTED, done);
}

enum err mqtt_client_unsubscribe(struct mqtt_client *c, struct str filter, struct mqtt_done done)
{
    return mqtt_client_unsubscribe_with(c, &(struct mqtt_client_filter){.filter = filter}, done);
}
