#include "codec/mqtt_cases.h"
#include "tests/support/mqtt_text.h"
#include "tests/support/test.h"

#include <stdlib.h>
#include <string.h>

#define MAX 4096

/* A copy of exactly n bytes, so that a sanitizer sees a read past its end. */
static uint8_t *exact(const uint8_t *p, size_t n)
{
    uint8_t *copy = malloc(n ? n : 1);
    ASSERT(copy);
    if (n)
        memcpy(copy, p, n);
    return copy;
}

static enum mqtt_result decode(const struct mqtt_case *c, const uint8_t *p, size_t n,
                               struct mqtt_packet *out, size_t *used)
{
    struct mqtt_decoder d = {.version = c->version, .is_server = c->is_server};
    memset(out, 0xA5, sizeof(*out)); /* whatever is read must have been written */
    return mqtt_decode(&d, (struct bytes){p, n}, out, used);
}

TEST(mqtt_decodes_valid_packets)
{
    for (size_t i = 0; i < ARRAY_LEN(mqtt_valid); i++) {
        const struct mqtt_case *c = &mqtt_valid[i];
        LABEL("%s", c->label);
        uint8_t b[MAX];
        size_t n = mqtt_unhex(c->hex, b, sizeof(b)), used;
        struct mqtt_packet p;
        if (!CHECK_EQ_INT(decode(c, b, n, &p, &used), MQTT_OK)) {
            CHECK_EQ_STR(p.fault.text, "");
            continue;
        }
        CHECK_EQ_UINT(used, n);
        struct strbuf text;
        strbuf_init(&text, alloc_system(), 0);
        mqtt_text(&text, &p);
        CHECK_EQ_STR(text.p, c->text);
        strbuf_fini(&text);
    }
}

TEST(mqtt_round_trips)
{
    for (size_t i = 0; i < ARRAY_LEN(mqtt_valid); i++) {
        const struct mqtt_case *c = &mqtt_valid[i];
        LABEL("%s", c->label);
        uint8_t b[MAX], again[MAX];
        size_t n = mqtt_unhex(c->hex, b, sizeof(b)), used;
        struct mqtt_packet p, q;
        REQUIRE(decode(c, b, n, &p, &used) == MQTT_OK);
        size_t size = mqtt_encoded_size(c->version, &p);
        CHECK(size > 0 && size <= n);
        for (size_t room = 0; room < size; room++) {
            struct writer w = writer_from(again, room);
            CHECK_EQ_INT(mqtt_encode(c->version, &p, &w), ERR_FULL);
            CHECK(writer_len(&w) == 0 && !w.failed);
        }
        struct writer w = writer_from(again, sizeof(again));
        REQUIRE(CHECK_EQ_INT(mqtt_encode(c->version, &p, &w), ERR_OK));
        CHECK_EQ_UINT(writer_len(&w), size);
        REQUIRE(decode(c, again, size, &q, &used) == MQTT_OK);
        struct strbuf text;
        strbuf_init(&text, alloc_system(), 0);
        mqtt_text(&text, &q);
        CHECK_EQ_STR(text.p, c->text);
        strbuf_fini(&text);
    }
}

TEST(mqtt_truncated_packets_need_more)
{
    for (size_t i = 0; i < ARRAY_LEN(mqtt_valid); i++) {
        const struct mqtt_case *c = &mqtt_valid[i];
        uint8_t b[MAX];
        size_t n = mqtt_unhex(c->hex, b, sizeof(b)), used;
        for (size_t cut = 0; cut < n; cut++) {
            LABEL("%s, the first %zu bytes", c->label, cut);
            uint8_t *p = exact(b, cut);
            struct mqtt_packet out;
            CHECK_EQ_INT(decode(c, p, cut, &out, &used), MQTT_MORE);
            CHECK_EQ_UINT(used, cut < 2 ? 0 : n);
            free(p);
        }
    }
}

/* The body is cut and the header says so: a shorter packet, or an error, but no read past it. */
TEST(mqtt_truncated_bodies_never_read_past_the_end)
{
    size_t errors = 0;
    for (size_t i = 0; i < ARRAY_LEN(mqtt_valid); i++) {
        const struct mqtt_case *c = &mqtt_valid[i];
        uint8_t b[MAX];
        size_t n = mqtt_unhex(c->hex, b, sizeof(b)), used;
        for (size_t cut = 2; cut < n; cut++) {
            LABEL("%s, a body of %zu bytes", c->label, cut - 2);
            b[1] = (uint8_t)(cut - 2);
            uint8_t *p = exact(b, cut);
            struct mqtt_packet out;
            enum mqtt_result r = decode(c, p, cut, &out, &used);
            CHECK(r != MQTT_MORE);
            CHECK(r == MQTT_OK || (out.fault.text && out.fault.reason >= 0x80));
            errors += r == MQTT_ERROR;
            free(p);
        }
    }
    CHECK(errors > 500);
}

TEST(mqtt_flipped_bits_do_no_harm)
{
    for (size_t i = 0; i < ARRAY_LEN(mqtt_valid); i++) {
        const struct mqtt_case *c = &mqtt_valid[i];
        uint8_t b[MAX];
        size_t n = mqtt_unhex(c->hex, b, sizeof(b)), used;
        uint8_t *p = exact(b, n);
        for (size_t bit = 0; bit < n * 8; bit++) {
            LABEL("%s, bit %zu", c->label, bit);
            p[bit / 8] ^= (uint8_t)(1u << bit % 8);
            for (unsigned role = 0; role < 8; role++) {
                static const enum mqtt_version versions[] = {MQTT_NEW, MQTT_V31, MQTT_V311,
                                                             MQTT_V5};
                struct mqtt_case as = {.version = versions[role % 4], .is_server = role > 3};
                struct mqtt_packet out;
                enum mqtt_result r = decode(&as, p, n, &out, &used);
                CHECK(r != MQTT_OK || used <= n);
                CHECK(r != MQTT_ERROR || (out.fault.text && out.fault.reason >= 0x80));
            }
            p[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        free(p);
    }
}

TEST(mqtt_decodes_one_packet_of_many)
{
    static const uint8_t two[] = {0xC0, 0, 0xE0, 0};
    struct mqtt_decoder d = {.version = MQTT_V311, .is_server = true};
    struct mqtt_packet p;
    size_t used;
    CHECK_EQ_INT(mqtt_decode(&d, (struct bytes){two, 4}, &p, &used), MQTT_OK);
    CHECK_EQ_INT(p.type, MQTT_PINGREQ);
    CHECK_EQ_UINT(used, 2);
    CHECK_EQ_INT(mqtt_decode(&d, (struct bytes){two + used, 2}, &p, &used), MQTT_OK);
    CHECK_EQ_INT(p.type, MQTT_DISCONNECT);
}

/* Of each packet, whole and cut anywhere, with another one behind it. */
TEST(mqtt_glance_tells_size_and_topic)
{
    for (size_t i = 0; i < ARRAY_LEN(mqtt_valid); i++) {
        const struct mqtt_case *c = &mqtt_valid[i];
        uint8_t b[MAX];
        struct mqtt_packet packet;
        struct str topic;
        size_t n = mqtt_unhex(c->hex, b, sizeof(b) - 1), used;
        b[n] = 0xC0;
        REQUIRE(decode(c, b, n, &packet, &used) == MQTT_OK);
        for (size_t have = 0; have <= n + 1; have++) {
            LABEL("%s, the first %zu bytes", c->label, have);
            uint8_t *p = exact(b, have);
            CHECK_EQ_UINT(mqtt_glance((struct bytes){p, have}, &topic), have < n ? 0 : n);
            if (have >= n && packet.type == MQTT_PUBLISH)
                CHECK(str_eq(topic, packet.publish.topic));
            else
                CHECK_EQ_UINT(topic.n, 0);
            free(p);
        }
    }
    static const uint8_t liar[] = {0x30, 4, 0, 3, 'a', 'b'}; /* the topic passes the packet's end */
    struct str topic;
    CHECK_EQ_UINT(mqtt_glance((struct bytes){liar, sizeof(liar)}, &topic), sizeof(liar));
    CHECK_EQ_UINT(topic.n, 0);
}

TEST(mqtt_long_lengths)
{
    static const struct {
        size_t body;
        const char *header;
    } rows[] = {
        {127, "30 7F"},         {128, "30 80 01"},        {16383, "30 FF 7F"},
        {16384, "30 80 80 01"}, {2097151, "30 FF FF 7F"}, {2097152, "30 80 80 80 01"},
    };
    uint8_t *b = calloc(1, 2097152 + 5), *again = malloc(2097152 + 5);
    REQUIRE(b && again);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("a body of %zu bytes", rows[i].body);
        size_t h = mqtt_unhex(rows[i].header, b, 5), used;
        memcpy(b + h, "\0\1a", 3);
        struct mqtt_decoder d = {.version = MQTT_V311, .is_server = true};
        struct mqtt_packet p;
        CHECK_EQ_INT(mqtt_decode(&d, (struct bytes){b, h}, &p, &used), MQTT_MORE);
        CHECK_EQ_UINT(used, h + rows[i].body);
        REQUIRE(mqtt_decode(&d, (struct bytes){b, used}, &p, &used) == MQTT_OK);
        CHECK_EQ_UINT(p.publish.payload.n, rows[i].body - 3);
        struct writer w = writer_from(again, h + rows[i].body);
        CHECK_EQ_INT(mqtt_encode(MQTT_V311, &p, &w), ERR_OK);
        CHECK_EQ_UINT(writer_len(&w), used);
        CHECK(memcmp(again, b, used) == 0);
    }
    free(b);
    free(again);
}

TEST(mqtt_size_is_refused_from_the_header)
{
    static const struct {
        const char *label, *hex;
        uint32_t size_max;
        enum mqtt_result want;
    } rows[] = {
        {"exactly the maximum", "30 05", 7, MQTT_MORE},
        {"one above", "30 06", 7, MQTT_ERROR},
        {"the header's own bytes count", "30 80 01", 130, MQTT_ERROR},
        {"the largest, no limit", "30 FF FF FF 7F", 0, MQTT_MORE},
        {"the largest, a limit of a megabyte", "30 FF FF FF 7F", 1 << 20, MQTT_ERROR},
        {"CONNECT too", "10 7F", 100, MQTT_ERROR},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].label);
        uint8_t b[8];
        size_t n = mqtt_unhex(rows[i].hex, b, sizeof(b)), used;
        struct mqtt_decoder d = {.version = b[0] == 0x10 ? MQTT_NEW : MQTT_V5,
                                 .is_server = true,
                                 .size_max = rows[i].size_max};
        struct mqtt_packet p;
        CHECK_EQ_INT(mqtt_decode(&d, (struct bytes){b, n}, &p, &used), rows[i].want);
        CHECK_EQ_INT(p.fault.reason, rows[i].want == MQTT_ERROR ? MQTT_RC_PACKET_TOO_LARGE : 0);
    }
}
