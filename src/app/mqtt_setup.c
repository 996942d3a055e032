#include "app/mqtt_options_internal.h"

#include "app/cmd.h"
#include "net/look_up.h"

#include <stdio.h>
#include <string.h>

static uint16_t port_of(const struct mqtt_options *o)
{
    return o->port ? (uint16_t)o->port : mqtt_client_port(o->tls, o->ws);
}

static int look_up_name(struct mqtt_setup *s, const struct mqtt_options *o)
{
    struct error e = {0};
    size_t n;
    if (addr_look_up(s->addrs, MQTT_ADDRS_MAX, &n, str_from(o->host), port_of(o), &e)) {
        mqtt_options_say(o, "%s", e.text);
        return EXIT_FINDING;
    }
    s->cfg.host = str_from(o->host); /* later, when it may have moved */
    s->cfg.port = port_of(o);
    s->cfg.addr = s->addrs[0];
    s->cfg.others = s->addrs + 1;
    s->cfg.others_n = n - 1;
    return EXIT_OK;
}

static int look_up(struct mqtt_setup *s, const struct mqtt_options *o)
{
    char path[ADDR_TEXT_MAX + 8];
    if (!o->unix_path)
        return look_up_name(s, o);
    int n = snprintf(path, sizeof(path), "unix:%s", o->unix_path);
    if (n >= (int)sizeof(path) || addr_parse(&s->cfg.addr, str_from(path), 0)) {
        mqtt_options_say(o, "'%s' is no path of a socket", o->unix_path);
        return EXIT_USAGE;
    }
    return EXIT_OK;
}

static int open_layers(struct mqtt_setup *s, const struct mqtt_options *o)
{
    struct error e = {0};
    if (o->tls) {
        struct tls_config tc = {.ex = s->ex,
                                .identities_n = o->cert != NULL,
                                .ca = o->cafile,
                                .insecure = o->insecure,
                                .tls_1_2 = o->tls_1_2};
        tc.identities[0] = (struct tls_identity){o->cert, o->key};
        if (tls_new(&s->tls, &tc, &e)) {
            mqtt_options_say(o, "%s", e.text);
            return EXIT_FINDING;
        }
    }
    s->websocket.path = o->ws_path;
    s->via = stream_via_make(s->tls, o->ws ? &s->websocket : NULL, o->host);
    if (o->ws || o->tls)
        s->cfg.via = &s->via;
    return EXIT_OK;
}

static void set_will(struct mqtt_setup *s, const struct mqtt_options *o)
{
    if (!o->will_topic)
        return;
    s->will = (struct mqtt_publish){
        .topic = str_from(o->will_topic),
        .payload = {(const uint8_t *)o->will_payload, str_from(o->will_payload).n},
        .qos = o->will_qos,
        .retain = o->will_retain,
        .props = mqtt_packet_props(&o->will),
    };
    s->cfg.will = &s->will;
}

static uint32_t expiry_of(const struct mqtt_options *o)
{
    if (o->has_expiry)
        return o->expiry_s;
    if (o->connect.props.has & MQTT_HAS(MQTT_PROP_SESSION_EXPIRY))
        return o->connect.props.session_expiry_s;
    return o->persistent ? UINT32_MAX : 0;
}

static void configure(struct mqtt_setup *s, const struct mqtt_options *o)
{
    const struct mqtt_props *p = &o->connect.props;
    bool has_max = p->has & MQTT_HAS(MQTT_PROP_MAXIMUM_PACKET_SIZE);
    s->cfg.version = o->version;
    s->cfg.client_id = str_from(o->id);
    s->cfg.has_user = o->user != NULL;
    s->cfg.user = str_from(o->user);
    s->cfg.has_password = o->password != NULL;
    s->cfg.password = (struct bytes){(const uint8_t *)o->password, str_from(o->password).n};
    s->cfg.persistent = o->persistent;
    s->cfg.session_expiry_s = expiry_of(o);
    s->cfg.keep_alive_s = o->keep_alive_s;
    s->cfg.receive_max = p->receive_max;
    s->cfg.inflight_max = (size_t)o->inflight_max;
    s->cfg.inflight_bytes_max = 64 << 20;
    s->cfg.subscriptions_max = 2 * MQTT_TOPICS_MAX;
    s->cfg.packet_max =
        has_max && p->maximum_packet_size < 16 << 20 ? p->maximum_packet_size : 16 << 20;
    s->cfg.topic_aliases = o->publish.props.has & MQTT_HAS(MQTT_PROP_TOPIC_ALIAS) ? 1 : 0;
    set_will(s, o);
}

int mqtt_setup_init(struct mqtt_setup *s, const struct mqtt_options *o)
{
    struct error e = {0};
    struct executor_config ec = {
        .env = env_linux(), .alloc = alloc_system(), .workers = 1, .offload_threads = 1};
    *s = (struct mqtt_setup){0};
    configure(s, o);
    int status = look_up(s, o);
    if (status)
        return status;
    if (executor_new(&s->ex, &ec, &e)) {
        mqtt_options_say(o, "%s", e.text);
        return EXIT_FINDING;
    }
    s->worker = executor_worker(s->ex, 0);
    return open_layers(s, o);
}

void mqtt_setup_fini(struct mqtt_setup *s)
{
    /* A name may still be looked up, for half a minute, and that can't be called off. Who has said
     * Ctrl-C does not wait for it: the process ends behind us, and all of this with it. */
    bool left_behind = s->ex && executor_has_jobs(s->ex);
    if (!left_behind)
        tls_free(s->tls);
    if (s->ex && !left_behind)
        executor_free(s->ex);
    *s = (struct mqtt_setup){0};
}

void mqtt_options_leave(const struct mqtt_options *o, struct mqtt_client *c)
{
    struct mqtt_end end = {.props = mqtt_packet_props(&o->disconnect)};
    if (mqtt_client_stop_with(c, &end) != ERR_OK)
        mqtt_client_stop(c);
}

static bool asks_who(uint8_t reason)
{
    return reason == MQTT_RC_NOT_AUTHORIZED || reason == MQTT_RC_BAD_USER_OR_PASSWORD;
}

void mqtt_options_tell(const struct mqtt_options *o, const struct mqtt_client_loss *loss)
{
    const char *why = loss->reason              ? mqtt_reason_name(loss->reason)
                      : loss->problem[0]        ? loss->problem
                      : loss->os_errno          ? strerror(loss->os_errno)
                      : loss->err == ERR_CLOSED ? "the server closed it"
                                                : err_name(loss->err);
    if (loss->err == ERR_PROTOCOL && !loss->reason) /* the text is all */
        mqtt_options_say(o, "%s", loss->text);
    else
        mqtt_options_say(o, "%s: %s", loss->text, why);
    if (asks_who(loss->reason) && !(o->user && o->password))
        mqtt_options_say(o, "it asks for a user name and a password: -u USER -P PASSWORD");
}

int mqtt_options_status(const struct mqtt_client_loss *loss)
{
    return loss->err == ERR_DENIED && loss->reason ? loss->reason : EXIT_FINDING;
}
