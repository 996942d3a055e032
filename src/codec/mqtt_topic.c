#include "base/utf8.h"
#include "codec/mqtt_internal.h"

static const struct str SHARE = {"$share/", 7};

bool mqtt_text_valid(struct str s)
{
    return s.n == 0 || utf8_valid_nonul(s);
}

bool mqtt_topic_valid(struct str topic)
{
    if (topic.n == 0 || topic.n > UINT16_MAX)
        return false;
    bool ascii = true;
    for (size_t i = 0; i < topic.n; i++) {
        unsigned char c = (unsigned char)topic.p[i];
        if (c == 0 || c == '+' || c == '#')
            return false;
        ascii = ascii && c < 0x80;
    }
    return ascii || utf8_valid_nonul(topic);
}

/* `#` only last, `+` a whole level [MQTT-4.7.1-1, -2]. */
static bool wildcards_valid(struct str f)
{
    for (size_t i = 0; i < f.n; i++) {
        if (f.p[i] != '+' && f.p[i] != '#')
            continue;
        if (i > 0 && f.p[i - 1] != '/')
            return false;
        if (f.p[i] == '#' && i + 1 != f.n)
            return false;
        if (i + 1 < f.n && f.p[i + 1] != '/')
            return false;
    }
    return f.n > 0;
}

bool mqtt_share_parse(struct str filter, struct str *group, struct str *rest)
{
    if (!str_starts(filter, SHARE))
        return false;
    struct str tail = str_sub(filter, SHARE.n, filter.n);
    size_t slash;
    if (!str_find(tail, '/', &slash))
        return false;
    if (group)
        *group = str_sub(tail, 0, slash);
    if (rest)
        *rest = str_sub(tail, slash + 1, tail.n);
    return true;
}

bool mqtt_filter_valid(struct str filter)
{
    if (filter.n > UINT16_MAX || !mqtt_text_valid(filter))
        return false;
    if (!str_starts(filter, SHARE))
        return wildcards_valid(filter);
    struct str group, rest;
    if (!mqtt_share_parse(filter, &group, &rest))
        return false;
    size_t at; /* [MQTT-4.8.2-1, -2] */
    if (group.n == 0 || str_find(group, '+', &at) || str_find(group, '#', &at))
        return false;
    return wildcards_valid(rest);
}

bool mqtt_filter_match(struct str filter, struct str topic)
{
    if (filter.n == 0 || topic.n == 0)
        return false;
    if (topic.p[0] == '$' && (filter.p[0] == '+' || filter.p[0] == '#'))
        return false; /* [MQTT-4.7.2-1] */
    for (size_t f = 0, t = 0;; f++, t++) {
        /* Both stand at the start of a level. */
        if (f < filter.n && filter.p[f] == '#')
            return true;
        if (f < filter.n && filter.p[f] == '+') {
            f++;
            while (t < topic.n && topic.p[t] != '/')
                t++;
        } else {
            for (; f < filter.n && filter.p[f] != '/'; f++, t++) {
                if (t == topic.n || topic.p[t] != filter.p[f])
                    return false;
            }
        }
        /* Both must end their level here; `a/#` matches `a` too. */
        if (t == topic.n)
            return f == filter.n || (filter.n - f == 2 && filter.p[f + 1] == '#');
        if (f == filter.n || topic.p[t] != '/')
            return false;
    }
}
