#include "app/mqtt_options_internal.h"

#include <stdlib.h>
#include <string.h>

/* %41 is A, in place. */
static bool unescape(char *text)
{
    char *to = text;
    for (const char *at = text; *at; at++) {
        int high = 0, low = 0;
        if (*at != '%') {
            *to++ = *at;
            continue;
        }
        high = str_hex_digit(at[1]);
        low = high < 0 ? -1 : str_hex_digit(at[2]);
        if (low < 0 || (high == 0 && low == 0))
            return false;
        *to++ = (char)(high << 4 | low);
        at += 2;
    }
    *to = '\0';
    return true;
}

static bool set_scheme(struct mqtt_options *o, const char *scheme)
{
    static const struct {
        const char *name;
        bool tls, ws;
    } schemes[] = {
        {"mqtt", false, false}, {"mqtts", true, false}, {"ws", false, true}, {"wss", true, true}};
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
        if (strcmp(scheme, schemes[i].name) == 0) {
            o->tls = o->tls || schemes[i].tls;
            o->ws = o->ws || schemes[i].ws;
            return true;
        }
    }
    return false;
}

/* USER[:PASSWORD]@, if it is there; what is behind it. */
static char *take_user(struct mqtt_options *o, char *at)
{
    char *end = strrchr(at, '@');
    if (!end)
        return at;
    *end = '\0';
    char *colon = strchr(at, ':');
    if (colon) {
        *colon = '\0';
        if (!unescape(colon + 1))
            return NULL;
        o->password = colon + 1;
    }
    if (!unescape(at))
        return NULL;
    o->user = at;
    return end + 1;
}

/* HOST[:PORT]; an IPv6 address is in brackets. */
static bool take_host(struct mqtt_options *o, char *at)
{
    char *port = NULL;
    if (*at == '[') {
        char *end = strchr(at, ']');
        if (!end || (end[1] != '\0' && end[1] != ':'))
            return false;
        port = end[1] == ':' ? end + 2 : NULL;
        *end = '\0';
        at++;
    } else if ((port = strchr(at, ':'))) {
        *port++ = '\0';
    }
    if (*at == '\0' || (port && !str_to_i64_within(str_from(port), 1, 65535, &o->port)))
        return false;
    o->host = at;
    return true;
}

/* SCHEME://[USER[:PASSWORD]@]HOST[:PORT]/TOPIC. The topic goes to the end, slashes and all. */
mqtt_wrong mqtt_options_url(struct mqtt_options *o, const char *url)
{
    static const char form[] = "it is {mqtt,mqtts,ws,wss}://[USER[:PASSWORD]@]HOST[:PORT]/TOPIC";
    if (o->url)
        return "one is enough";
    o->url = strdup(url);
    if (!o->url)
        return "no memory";
    char *at = strstr(o->url, "://");
    if (!at)
        return form;
    *at = '\0';
    if (!set_scheme(o, o->url))
        return form;
    at += 3;
    char *topic = strchr(at, '/');
    if (topic)
        *topic++ = '\0';
    at = take_user(o, at);
    if (!at || !take_host(o, at) || (topic && !unescape(topic)))
        return form;
    if (topic && *topic) {
        if (o->topics.n == MQTT_TOPICS_MAX)
            return "too many topics";
        o->topics.list[o->topics.n++] = str_from(topic);
    }
    return NULL;
}
