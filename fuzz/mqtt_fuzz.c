/* Any bytes into the MQTT codec, as both sides and in all versions. What decodes must encode, not
 * grow, and decode to the same packet again; what does not decode must say why. The bytes are also
 * taken as a filter and a topic and matched against a slow reference. */
#include "base/alloc.h"
#include "codec/mqtt.h"
#include "tests/support/mqtt_text.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An exact copy, so that the sanitizer sees a read past the packet's end. */
static uint8_t *exact(const uint8_t *p, size_t n)
{
    uint8_t *copy = malloc(n ? n : 1);
    ASSERT(copy);
    if (n)
        memcpy(copy, p, n);
    return copy;
}

static void check_again(const struct mqtt_decoder *d, const struct mqtt_packet *p, size_t used)
{
    size_t size = mqtt_encoded_size(d->version, p), used_again;
    ASSERT(size > 0 && size <= used);
    uint8_t *b = malloc(size);
    ASSERT(b);
    struct writer w = writer_from(b, size);
    ASSERT(mqtt_encode(d->version, p, &w) == ERR_OK && writer_len(&w) == size);
    struct mqtt_packet q;
    ASSERT(mqtt_decode(d, (struct bytes){b, size}, &q, &used_again) == MQTT_OK);
    ASSERT(used_again == size);
    struct strbuf first, second;
    strbuf_init(&first, alloc_system(), 0);
    strbuf_init(&second, alloc_system(), 0);
    mqtt_text(&first, p);
    mqtt_text(&second, &q);
    ASSERT(str_eq(strbuf_str(&first), strbuf_str(&second)));
    strbuf_fini(&first);
    strbuf_fini(&second);
    free(b);
}

static void decode_all(struct mqtt_decoder d, const uint8_t *data, size_t size)
{
    while (size > 0) {
        struct mqtt_packet p;
        size_t used;
        enum mqtt_result r = mqtt_decode(&d, (struct bytes){data, size}, &p, &used);
        ASSERT(r != MQTT_ERROR || (p.fault.text && p.fault.reason >= 0x80));
        ASSERT(r != MQTT_MORE || used == 0 || used > size);
        ASSERT(d.size_max == 0 || used <= d.size_max);
        if (r != MQTT_OK)
            return;
        ASSERT(used <= size);
        uint8_t *copy = exact(data, used);
        ASSERT(mqtt_decode(&d, (struct bytes){copy, used}, &p, &used) == MQTT_OK);
        check_again(&d, &p, used);
        if (p.type == MQTT_CONNECT)
            d.version = p.connect.version;
        free(copy);
        data += used;
        size -= used;
    }
}

static bool take_level(struct str *s, struct str *level)
{
    return str_split(s, '/', level);
}

/* The rules of 4.7, level by level. */
static bool slow_match(struct str filter, struct str topic, bool first)
{
    struct str f, t;
    bool has_f = take_level(&filter, &f), has_t = take_level(&topic, &t);
    if (has_f && str_eq(f, STR("#")))
        return !first || !has_t || t.n == 0 || t.p[0] != '$';
    if (!has_f || !has_t)
        return has_f == has_t;
    bool wild = str_eq(f, STR("+")) && !(first && t.n > 0 && t.p[0] == '$');
    return (wild || str_eq(f, t)) && slow_match(filter, topic, false);
}

static void match(const uint8_t *data, size_t size)
{
    struct str all = {(const char *)data, size}, filter, topic, rest;
    size_t at;
    if (size == 0 || !str_find(all, '\n', &at))
        return;
    filter = str_sub(all, 0, at);
    topic = str_sub(all, at + 1, size);
    if (!mqtt_filter_valid(filter) || !mqtt_topic_valid(topic))
        return;
    if (mqtt_share_parse(filter, NULL, &rest))
        filter = rest;
    ASSERT(mqtt_filter_match(filter, topic) == slow_match(filter, topic, true));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum mqtt_version versions[] = {MQTT_NEW, MQTT_V31, MQTT_V311, MQTT_V5};
    for (unsigned i = 0; i < 8; i++) {
        struct mqtt_decoder d = {.version = versions[i % 4],
                                 .is_server = i<4, .size_max = size> 64 ? 4096 : 0};
        if (d.is_server || d.version != MQTT_NEW) /* a client knows its version */
            decode_all(d, data, size);
    }
    match(data, size);
    return 0;
}
