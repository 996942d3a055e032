#include "base/utf8.h"
#include "codec/mqtt_internal.h"

#include <string.h>

static const struct str SHARE = {"$share/", 7};

bool mqtt_text_valid(struct str s)
{
    return s.n == 0 || utf8_valid_nonul(s);
}

#define EACH_BYTE(c) (UINT64_C(0x0101010101010101) * (c))

/* The high bit of each byte that is 0 or above 0x80, and maybe of one above a byte that is 0. */
static uint64_t zero_bytes(uint64_t w)
{
    return (w - EACH_BYTE(0x01)) | w;
}

/* Whether eight bytes are ASCII, and none of them 0, `+` or `#`. */
static bool plain_word(uint64_t w)
{
    uint64_t odd = zero_bytes(w) | zero_bytes(w ^ EACH_BYTE('+')) | zero_bytes(w ^ EACH_BYTE('#'));
    return (odd & EACH_BYTE(0x80)) == 0;
}

static bool topic_bytes_valid(struct str topic)
{
    for (size_t i = 0; i < topic.n; i++)
        if (topic.p[i] == 0 || topic.p[i] == '+' || topic.p[i] == '#')
            return false;
    return utf8_valid(topic);
}

/* Eight bytes at once; the last eight overlap those before. */
bool mqtt_topic_valid(struct str topic)
{
    uint64_t w;
    if (topic.n == 0 || topic.n > UINT16_MAX)
        return false;
    if (topic.n < 8)
        return topic_bytes_valid(topic);
    for (size_t i = 0; i + 8 <= topic.n; i += 8) {
        memcpy(&w, topic.p + i, 8);
        if (!plain_word(w))
            return topic_bytes_valid(topic);
    }
    memcpy(&w, topic.p + topic.n - 8, 8);
    return plain_word(w) || topic_bytes_valid(topic);
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
