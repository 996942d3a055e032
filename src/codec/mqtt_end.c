#include "codec/mqtt_internal.h"

#include <string.h>

/* DISCONNECT and AUTH. In 5.0 a body of nothing means reason 0 and no properties. */
bool mqtt_read_end(struct mqtt_in *in, struct mqtt_packet *p)
{
    struct mqtt_end *e = &p->end;
    memset(e, 0, sizeof(*e));
    if (in->version != MQTT_V5)
        return true; /* trailing bytes are the frame's to refuse */
    bool short_form = cursor_left(&in->c) == 0;
    if (!short_form)
        e->reason = cursor_u8(&in->c);
    if (!mqtt_in_reason(in, p->type, e->reason))
        return false;
    /* DISCONNECT may end behind its reason, AUTH may not. */
    bool bare = short_form || (p->type == MQTT_DISCONNECT && cursor_left(&in->c) == 0);
    if (!bare && !mqtt_in_props(in, p->type, &e->props))
        return false;
    bool has_method = e->props.has & MQTT_HAS(MQTT_PROP_AUTH_METHOD);
    if (p->type == MQTT_AUTH && !short_form && !has_method)
        return mqtt_fail(in, MQTT_RC_PROTOCOL_ERROR, "AUTH without a method");
    return true;
}

void mqtt_write_end(struct mqtt_out *o, const struct mqtt_packet *p)
{
    const struct mqtt_end *e = &p->end;
    if (o->version != MQTT_V5) {
        if (p->type == MQTT_AUTH)
            o->err = ERR_INVALID;
        return;
    }
    bool any = mqtt_props_any(&e->props);
    if (e->reason == 0 && !any)
        return;
    if (p->type == MQTT_AUTH && !(e->props.has & MQTT_HAS(MQTT_PROP_AUTH_METHOD)))
        o->err = ERR_INVALID;
    mqtt_out_reason(o, p->type, e->reason);
    if (any || p->type == MQTT_AUTH)
        mqtt_out_props(o, p->type, &e->props, NULL, 0);
}
