/* State x packet. An empty cell is a protocol error. */
#include "protocol/mqtt_broker.h"

static enum handled handle_pingreq(struct mqtt_connection *c, const struct mqtt_packet *p)
{
    const struct mqtt_packet answer = {.type = MQTT_PINGRESP};
    (void)p;
    return connection_put(c, &answer) ? HANDLED : HANDLED_STOP;
}

static const packet_handler table[CONNECTION_STATES][16] = {
    [CONNECTION_NEW] =
        {
            [MQTT_CONNECT] = handle_connect,
        },
    [CONNECTION_AUTHENTICATING] =
        {
            [MQTT_AUTH] = handle_auth,
            [MQTT_DISCONNECT] = handle_auth_left,
        },
    [CONNECTION_OPEN] =
        {
            [MQTT_AUTH] = handle_auth,
            [MQTT_PUBLISH] = handle_publish,
            [MQTT_PUBACK] = handle_puback,
            [MQTT_PUBREC] = handle_pubrec,
            [MQTT_PUBREL] = handle_pubrel,
            [MQTT_PUBCOMP] = handle_pubcomp,
            [MQTT_SUBSCRIBE] = handle_subscribe,
            [MQTT_UNSUBSCRIBE] = handle_unsubscribe,
            [MQTT_PINGREQ] = handle_pingreq,
            [MQTT_DISCONNECT] = handle_disconnect,
        },
};

packet_handler mqtt_handler(enum connection_state state, enum mqtt_type type)
{
    return (unsigned)type < 16 ? table[state][type] : NULL;
}
