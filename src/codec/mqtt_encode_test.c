#include "tests/support/mqtt_text.h"
#include "tests/support/test.h"

#include <stdlib.h>
#include <string.h>

static void check_bytes(const struct writer *w, const char *hex)
{
    uint8_t want[256];
    size_t n = mqtt_unhex(hex, want, sizeof(want));
    if (CHECK_EQ_UINT(writer_len(w), n))
        CHECK_EQ_MEM(w->start, want, n);
}

static const struct {
    const char *label;
    enum mqtt_version version;
    struct mqtt_packet p;
    const char *hex;
} shortest[] = {
    {"puback of success", MQTT_V5, {.type = MQTT_PUBACK, .ack = {.id = 5}}, "40 02 0005"},
    {"puback with a reason",
     MQTT_V5,
     {.type = MQTT_PUBACK, .ack = {.id = 5, .reason = 0x87}},
     "40 03 0005 87"},
    {"3.1.1 puback drops the reason",
     MQTT_V311,
     {.type = MQTT_PUBACK, .ack = {.id = 5, .reason = 0x87}},
     "40 02 0005"},
    {"3.1 connack knows no session",
     MQTT_V31,
     {.type = MQTT_CONNACK, .connack = {.session_present = true}},
     "20 02 00 00"},
    {"3.1 suback knows no failure",
     MQTT_V31,
     {.type = MQTT_SUBACK, .suback = {.id = 1, .codes = {(const uint8_t *)"\x02\x87", 2}}},
     "90 04 0001 02 00"},
    {"3.1 unsuback has no codes",
     MQTT_V31,
     {.type = MQTT_UNSUBACK, .suback = {.id = 1, .codes = {(const uint8_t *)"\x00", 1}}},
     "B0 02 0001"},
    {"pubrel has its flags", MQTT_V311, {.type = MQTT_PUBREL, .ack = {.id = 1}}, "62 02 0001"},
    {"disconnect", MQTT_V5, {.type = MQTT_DISCONNECT}, "E0 00"},
    {"3.1.1 disconnect drops the reason",
     MQTT_V311,
     {.type = MQTT_DISCONNECT, .end = {.reason = 0x8E}},
     "E0 00"},
    {"disconnect with a reason",
     MQTT_V5,
     {.type = MQTT_DISCONNECT, .end = {.reason = 0x8E}},
     "E0 01 8E"},
    {"pingreq", MQTT_V5, {.type = MQTT_PINGREQ}, "C0 00"},
    {"3.1.1 suback knows one failure",
     MQTT_V311,
     {.type = MQTT_SUBACK, .suback = {.id = 1, .codes = {(const uint8_t *)"\x01\x87", 2}}},
     "90 04 0001 01 80"},
    {"3.1.1 unsuback has no codes",
     MQTT_V311,
     {.type = MQTT_UNSUBACK, .suback = {.id = 1, .codes = {(const uint8_t *)"\0", 1}}},
     "B0 02 0001"},
    {"3.1.1 publish drops properties",
     MQTT_V311,
     {.type = MQTT_PUBLISH,
      .publish = {.topic = {"a", 1},
                  .props = {.has = MQTT_HAS(MQTT_PROP_MESSAGE_EXPIRY), .message_expiry_s = 1}}},
     "30 03 0001 61"},
};

TEST(mqtt_encodes_the_shortest_form)
{
    for (size_t i = 0; i < ARRAY_LEN(shortest); i++) {
        LABEL("%s", shortest[i].label);
        uint8_t b[64];
        struct writer w = writer_from(b, sizeof(b));
        CHECK_EQ_INT(mqtt_encode(shortest[i].version, &shortest[i].p, &w), ERR_OK);
        check_bytes(&w, shortest[i].hex);
        CHECK_EQ_UINT(mqtt_encoded_size(shortest[i].version, &shortest[i].p), writer_len(&w));
    }
}

static char big[65536];
static const struct {
    const char *label;
    enum mqtt_version version;
    struct mqtt_packet p;
    enum err want;
} mistakes[] = {
    {"no version", MQTT_NEW, {.type = MQTT_PINGREQ}, ERR_INVALID},
    {"publish without a version",
     MQTT_NEW,
     {.type = MQTT_PUBLISH, .publish = {.topic = {"a", 1}}},
     ERR_INVALID},
    {"no type", MQTT_V5, {.type = 0}, ERR_INVALID},
    {"3.1.1 AUTH", MQTT_V311, {.type = MQTT_AUTH}, ERR_INVALID},
    {"3.1 AUTH", MQTT_V31, {.type = MQTT_AUTH}, ERR_INVALID},
    {"connect: 3.1 password without user",
     MQTT_NEW,
     {.type = MQTT_CONNECT, .connect = {.version = MQTT_V31, .has_password = true}},
     ERR_INVALID},
    {"AUTH without a method", MQTT_V5, {.type = MQTT_AUTH, .end = {.reason = 24}}, ERR_INVALID},
    {"puback of id 0", MQTT_V5, {.type = MQTT_PUBACK}, ERR_INVALID},
    {"puback with a reason of PUBREL",
     MQTT_V5,
     {.type = MQTT_PUBACK, .ack = {.id = 1, .reason = 0x92}},
     ERR_INVALID},
    {"a reason above the table",
     MQTT_V5,
     {.type = MQTT_PUBACK, .ack = {.id = 1, .reason = 0xF0}},
     ERR_INVALID},
    {"publish without a topic", MQTT_V5, {.type = MQTT_PUBLISH}, ERR_INVALID},
    {"3.1.1: an alias does not stand for the topic",
     MQTT_V311,
     {.type = MQTT_PUBLISH,
      .publish = {.props = {.has = MQTT_HAS(MQTT_PROP_TOPIC_ALIAS), .topic_alias = 1}}},
     ERR_INVALID},
    {"publish of QoS 3",
     MQTT_V5,
     {.type = MQTT_PUBLISH, .publish = {.topic = {"a", 1}, .qos = 3, .id = 1}},
     ERR_INVALID},
    {"publish of QoS 1 and id 0",
     MQTT_V5,
     {.type = MQTT_PUBLISH, .publish = {.topic = {"a", 1}, .qos = 1}},
     ERR_INVALID},
    {"publish of QoS 0 and DUP",
     MQTT_V5,
     {.type = MQTT_PUBLISH, .publish = {.topic = {"a", 1}, .dup = true}},
     ERR_INVALID},
    {"a topic of 65,536 bytes",
     MQTT_V311,
     {.type = MQTT_PUBLISH, .publish = {.topic = {big, sizeof(big)}}},
     ERR_RANGE},
    {"a payload above the protocol's limit",
     MQTT_V311,
     {.type = MQTT_PUBLISH,
      .publish = {.topic = {"a", 1}, .payload = {(const uint8_t *)big, 268435455 - 2}}},
     ERR_RANGE},
    {"filters above the protocol's limit",
     MQTT_V311,
     {.type = MQTT_SUBSCRIBE, .subscribe = {.id = 1, .filters = {(const uint8_t *)big, 268435455}}},
     ERR_RANGE},
    {"a property of another packet",
     MQTT_V5,
     {.type = MQTT_PUBLISH,
      .publish = {.topic = {"a", 1}, .props = {.has = MQTT_HAS(MQTT_PROP_MAXIMUM_QOS)}}},
     ERR_INVALID},
    {"a bit without a property",
     MQTT_V5,
     {.type = MQTT_PUBLISH, .publish = {.topic = {"a", 1}, .props = {.has = 1u << 4}}},
     ERR_INVALID},
    {"subscribe without filters",
     MQTT_V5,
     {.type = MQTT_SUBSCRIBE, .subscribe = {.id = 1}},
     ERR_INVALID},
    {"suback without codes", MQTT_V5, {.type = MQTT_SUBACK, .suback = {.id = 1}}, ERR_INVALID},
    {"connack: a session with an error",
     MQTT_V5,
     {.type = MQTT_CONNACK, .connack = {.session_present = true, .reason = 0x87}},
     ERR_INVALID},
    {"connack: a 5.0 reason in 3.1.1",
     MQTT_V311,
     {.type = MQTT_CONNACK, .connack = {.reason = 0x87}},
     ERR_INVALID},
    {"connect: will bits without a will",
     MQTT_NEW,
     {.type = MQTT_CONNECT, .connect = {.version = MQTT_V5, .will_qos = 1}},
     ERR_INVALID},
    {"connect: 3.1.1 password without user",
     MQTT_NEW,
     {.type = MQTT_CONNECT, .connect = {.version = MQTT_V311, .has_password = true}},
     ERR_INVALID},
    {"connect: a client id of 65,536 bytes",
     MQTT_NEW,
     {.type = MQTT_CONNECT, .connect = {.version = MQTT_V5, .client_id = {big, sizeof(big)}}},
     ERR_RANGE},
};

TEST(mqtt_encode_refuses_mistakes)
{
    for (size_t i = 0; i < ARRAY_LEN(mistakes); i++) {
        LABEL("%s", mistakes[i].label);
        uint8_t b[64];
        struct writer w = writer_from(b, sizeof(b));
        CHECK_EQ_INT(mqtt_encode(mistakes[i].version, &mistakes[i].p, &w), mistakes[i].want);
        CHECK(writer_len(&w) == 0 && !w.failed);
        CHECK_EQ_UINT(mqtt_encoded_size(mistakes[i].version, &mistakes[i].p), 0);
    }
}

/* What a broker does: the publisher's properties go on but for the alias; the expiry shrinks; the
 * subscribers' ids are added (checklist 22, 24, 31). */
TEST(mqtt_forwards_a_publish)
{
    uint8_t in[64], out[64];
    size_t n = mqtt_unhex(
               "30 1C 0001 61 18 230005 26 0001 6B 0001 32 0200000009 26 0001 6B 0001 31", in,
               sizeof(in)),
           used;
    in[1] = (uint8_t)(n - 2);
    struct mqtt_decoder d = {.version = MQTT_V5, .is_server = true};
    struct mqtt_packet p;
    in[5] = (uint8_t)(n - 6);
    REQUIRE(mqtt_decode(&d, (struct bytes){in, n}, &p, &used) == MQTT_OK);
    static const uint32_t ids[] = {7, 300};
    p.publish.subscription_ids = ids;
    p.publish.subscription_ids_n = 2;
    p.publish.props.has &= ~MQTT_HAS(MQTT_PROP_TOPIC_ALIAS);
    p.publish.props.message_expiry_s = 4;
    struct writer w = writer_from(out, sizeof(out));
    REQUIRE(mqtt_put_publish(MQTT_V5, &p.publish, &w) == ERR_OK);
    CHECK_EQ_UINT(mqtt_publish_size(MQTT_V5, &p.publish), writer_len(&w));
    check_bytes(&w,
                "30 1C 0001 61 18 0200000004 26 0001 6B 0001 32 26 0001 6B 0001 31 0B07 0BAC02");
}

TEST(mqtt_hot_paths_give_the_same_bytes)
{
    for (unsigned type = MQTT_PUBACK; type <= MQTT_PUBCOMP; type++) {
        LABEL("%s", mqtt_type_name(type));
        uint8_t a[8], b[8];
        struct writer wa = writer_from(a, sizeof(a)), wb = writer_from(b, sizeof(b));
        struct mqtt_packet p = {.type = (enum mqtt_type)type, .ack = {.id = 0x1234}};
        mqtt_put_ack(&wa, (enum mqtt_type)type, 0x1234);
        REQUIRE(mqtt_encode(MQTT_V5, &p, &wb) == ERR_OK);
        REQUIRE(writer_len(&wa) == 4 && writer_len(&wb) == 4);
        CHECK_EQ_MEM(a, b, 4);
    }
}

TEST(mqtt_plain_publish_gives_the_same_bytes)
{
    static const enum mqtt_version versions[] = {MQTT_V31, MQTT_V311, MQTT_V5};
    static uint8_t payload[20000], a[20100], b[20100];
    static const size_t sizes[] = {0, 1, 110, 121, 16370, 20000};
    for (unsigned i = 0; i < ARRAY_LEN(versions) * ARRAY_LEN(sizes) * 16; i++) {
        enum mqtt_version v = versions[i % 3];
        size_t n = sizes[i / 3 % ARRAY_LEN(sizes)];
        unsigned bits = i / (3 * (unsigned)ARRAY_LEN(sizes));
        LABEL("version %d, %zu bytes, flags %x", (int)v, n, bits);
        const struct mqtt_plain plain = {.dup = bits & 8,
                                         .retain = bits & 1,
                                         .qos = bits >> 1 & 3,
                                         .id = bits & 6 ? 0x1234 : 0,
                                         .topic = STR("a/b"),
                                         .payload = {payload, n}};
        const struct mqtt_publish m = {.dup = plain.dup,
                                       .retain = plain.retain,
                                       .qos = plain.qos,
                                       .id = plain.id,
                                       .topic = plain.topic,
                                       .payload = plain.payload};
        struct writer wa = writer_from(a, sizeof(a)), wb = writer_from(b, sizeof(b));
        CHECK_EQ_INT(mqtt_put_plain(v, &plain, &wa), mqtt_put_publish(v, &m, &wb));
        CHECK_EQ_UINT(mqtt_plain_size(v, &plain), mqtt_publish_size(v, &m));
        CHECK_EQ_UINT(mqtt_plain_size(v, &plain), writer_len(&wa));
        REQUIRE(CHECK_EQ_UINT(writer_len(&wa), writer_len(&wb)));
        CHECK_EQ_MEM(a, b, writer_len(&wa));
        struct writer small = writer_from(b, writer_len(&wa) ? writer_len(&wa) - 1 : 0);
        if (writer_len(&wa))
            CHECK_EQ_INT(mqtt_put_plain(v, &plain, &small), ERR_FULL);
        CHECK_EQ_UINT(writer_len(&small), 0);
    }
}

TEST(mqtt_composes_filters_and_user_properties)
{
    uint8_t filters[32], props[32], b[64];
    struct writer f = writer_from(filters, sizeof(filters)), u = writer_from(props, sizeof(props));
    mqtt_put_filter(&f, MQTT_SUBSCRIBE, STR("a/#"), 1 | MQTT_SUB_NO_LOCAL);
    mqtt_put_filter(&f, MQTT_SUBSCRIBE, STR("b"), 0);
    mqtt_put_user_property(&u, STR("k"), STR("v"));
    struct mqtt_packet p = {
        .type = MQTT_SUBSCRIBE,
        .subscribe = {.id = 3,
                      .filters = {filters, writer_len(&f)},
                      .props = {.has = MQTT_HAS(MQTT_PROP_SUBSCRIPTION_ID),
                                .subscription_id = 128,
                                .raw = {props, writer_len(&u)}}},
    };
    struct writer w = writer_from(b, sizeof(b));
    REQUIRE(mqtt_encode(MQTT_V5, &p, &w) == ERR_OK);
    check_bytes(&w, "82 17 0003 0A 0B8001 26 0001 6B 0001 76 0003 612F23 05 0001 62 00");
    f = writer_from(filters, sizeof(filters));
    mqtt_put_filter(&f, MQTT_UNSUBSCRIBE, STR("b"), 2);
    check_bytes(&f, "0001 62");
}

TEST(mqtt_props_iterate_damaged_bytes)
{
    static const char *const raws[] = {"26 0001 61", "04 00", "0B 8080808001", "01", "FF"};
    for (size_t i = 0; i < ARRAY_LEN(raws); i++) {
        LABEL("%s", raws[i]);
        uint8_t b[16];
        size_t n = mqtt_unhex(raws[i], b, sizeof(b));
        struct cursor c = cursor_from(b, n);
        struct mqtt_prop prop;
        CHECK(!mqtt_prop_next(&c, &prop));
    }
}

TEST(mqtt_names)
{
    CHECK_EQ_STR(mqtt_type_name(MQTT_CONNECT), "CONNECT");
    CHECK_EQ_STR(mqtt_type_name(MQTT_AUTH), "AUTH");
    CHECK_EQ_STR(mqtt_type_name(0), "?");
    CHECK_EQ_STR(mqtt_type_name(16), "?");
    CHECK_EQ_STR(mqtt_reason_name(MQTT_RC_NOT_AUTHORIZED), "not authorized");
    CHECK_EQ_STR(mqtt_reason_name(3), "?");
    CHECK_EQ_STR(mqtt_reason_name(0xA3), "?");
    static const struct {
        uint8_t reason, code;
    } rows[] = {{0, 0},    {0x84, 1}, {0x85, 2}, {0x88, 3}, {0x97, 3},
                {0x86, 4}, {0x87, 5}, {0x8A, 5}, {0x8C, 5}, {0x81, 3}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        CHECK_EQ_INT(mqtt_connack_code_311(rows[i].reason), rows[i].code);
}
