/* sensor [HOST [PORT]]: publishes five measurements with QoS 2, and whether it is there as a
 * retained message, which is its will, too. Nothing here waits: a timer and callbacks do it all. */
#include <sedge/mqtt.h>
#include <sedge/sedge.h>
#include <stdio.h>
#include <stdlib.h>

struct sensor {
    struct sedge_mqtt *client;
    struct sedge_timer timer;
    struct sedge_chan *end;
    int measured, acknowledged;
};

static const struct sedge_mqtt_message here = {
    .topic = "demo/sensor/here", .payload = "yes", .payload_n = 3, .qos = 1, .retain = true};
static const struct sedge_mqtt_message gone = {
    .topic = "demo/sensor/here", .payload = "no", .payload_n = 2, .qos = 1, .retain = true};

static void on_answer(void *ctx, enum sedge_err err, uint8_t reason)
{
    struct sensor *s = ctx;
    if (err)
        fprintf(stderr, "%s: %s\n", sedge_err_name(err), sedge_mqtt_reason(reason));
    if (++s->acknowledged == 5)
        sedge_mqtt_stop_with_will(s->client); /* "gone" is sent by the server */
}

static void measure(void *ctx)
{
    struct sensor *s = ctx;
    char text[16];
    struct sedge_mqtt_properties p = {
        .content_type = "text/plain", .expiry_s = 60, .is_text = true};
    struct sedge_mqtt_message m = {
        .topic = "demo/sensor/level", .payload = text, .qos = 2, .properties = &p};
    m.payload_n = (size_t)snprintf(text, sizeof(text), "%d", 20 + s->measured);
    if (sedge_mqtt_publish_then(s->client, &m, on_answer, s) == SEDGE_OK)
        s->measured++; /* SEDGE_ERR_FULL: it is tried again */
    if (s->measured < 5)
        sedge_timer_set_after_ms(&s->timer, 10);
}

static void on_online(void *ctx, bool session_present)
{
    struct sensor *s = ctx;
    (void)session_present;
    if (sedge_mqtt_publish_then(s->client, &here, NULL, NULL) == SEDGE_OK && s->measured == 0)
        sedge_timer_set_after_ms(&s->timer, 10);
}

static void on_ended(void *ctx)
{
    sedge_chan_close(((struct sensor *)ctx)->end);
}

static intptr_t run(void *config)
{
    struct sensor s = {0};
    struct sedge_error e = {0};
    ((struct sedge_mqtt_config *)config)->ctx = &s;
    sedge_timer_init(&s.timer, measure, &s);
    if (sedge_chan_new(&s.end, 0, 0, SEDGE_LOCAL) || sedge_mqtt_new(&s.client, config, &e)) {
        fprintf(stderr, "%s\n", e.text);
        return 1;
    }
    (void)!sedge_chan_recv(s.end, NULL); /* until it has ended */
    sedge_mqtt_free(s.client);
    sedge_chan_free(s.end);
    printf("%d of %d measurements acknowledged\n", s.acknowledged, s.measured);
    return s.acknowledged != 5;
}

int main(int argc, char **argv)
{
    struct sedge_mqtt_config config = {.will = &gone, .online = on_online, .ended = on_ended};
    config.host = argc > 1 ? argv[1] : NULL;
    config.port = argc > 2 ? (uint16_t)strtoul(argv[2], NULL, 10) : 0;
    return sedge_main(NULL, run, &config);
}
