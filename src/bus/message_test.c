#include "bus/message.h"

#include "base/alloc.h"
#include "tests/support/test.h"
#include <string.h>

static struct bytes bytes_of(const char *s)
{
    return (struct bytes){(const uint8_t *)s, strlen(s)};
}

static size_t gather(const struct message *m, const struct message_origin *o, uint8_t *out)
{
    struct message_head head;
    struct iovec parts[MESSAGE_PARTS];
    size_t n = 0;
    unsigned count = message_record(m, o, &head, parts);
    for (unsigned i = 0; i < count; i++) {
        if (parts[i].iov_len)
            memcpy(out + n, parts[i].iov_base, parts[i].iov_len);
        n += parts[i].iov_len;
    }
    return n;
}

TEST(message_record_and_back)
{
    uint8_t record[200];
    struct message *m =
        message_new(alloc_system(), STR("a/b"), bytes_of("props"), bytes_of("payload"));
    REQUIRE(m != NULL);
    m->qos = 1;
    m->retain = true;
    m->expiry_s = 77;
    const struct message_origin from = {.publisher = STR("ada")};
    size_t n = gather(m, &from, record);
    message_unref(m);
    struct message *back = message_decode(alloc_system(), (struct bytes){record, n}, 42, 1000);
    REQUIRE(back != NULL);
    CHECK(str_eq(message_topic(back), STR("a/b")));
    CHECK_EQ_MEM(message_properties(back).p, "props", 5);
    CHECK_EQ_UINT(back->payload_len, 7);
    CHECK_EQ_MEM(message_payload(back).p, "payload", 7);
    CHECK_EQ_UINT(back->qos, 1);
    CHECK(back->retain);
    CHECK_EQ_UINT(back->expiry_s, 77);
    CHECK_EQ_UINT(back->seq, 42);
    CHECK_EQ_INT(back->wall_ms, 1000);
    CHECK(str_eq(message_record_origin((struct bytes){record, n}).publisher, STR("ada")));
    CHECK_EQ_UINT(message_record_origin((struct bytes){record, n}).session, 0);
    message_unref(back);
}

TEST(message_record_of_a_session)
{
    uint8_t record[200];
    struct message *m = message_new(alloc_system(), STR("a"), bytes_of(""), bytes_of("x"));
    REQUIRE(m != NULL);
    m->qos = 2;
    const struct message_origin from = {
        .publisher = STR("ada"), .session = UINT64_MAX - 1, .packet_id = 65535};
    size_t n = gather(m, &from, record);
    message_unref(m);
    const struct message_origin back = message_record_origin((struct bytes){record, n});
    CHECK(str_eq(back.publisher, STR("ada")));
    CHECK_EQ_UINT(back.session, UINT64_MAX - 1);
    CHECK_EQ_UINT(back.packet_id, 65535);
    m = message_decode(alloc_system(), (struct bytes){record, n}, 1, 1);
    REQUIRE(m != NULL);
    CHECK_EQ_UINT(m->qos, 2);
    CHECK(str_eq(message_topic(m), STR("a")));
    message_unref(m);
    record[0] = 1; /* which had no sessions */
    CHECK(message_decode(alloc_system(), (struct bytes){record, n}, 1, 1) == NULL);
}

TEST(message_record_of_shares)
{
    uint8_t record[200], picks[3 * MESSAGE_PICK_BYTES];
    uint64_t number;
    struct message *m = message_new(alloc_system(), STR("a"), bytes_of("p"), bytes_of("x"));
    REQUIRE(m != NULL);
    message_pick_put(picks, 7, 70);
    message_pick_put(picks + MESSAGE_PICK_BYTES, UINT64_MAX, 0);
    message_pick_put(picks + 2 * MESSAGE_PICK_BYTES, 8, UINT64_MAX);
    for (size_t count = 0; count <= 3; count++) {
        LABEL("%zu picks", count);
        const struct message_origin from = {.publisher = STR("ada"),
                                            .session = count & 1,
                                            .packet_id = 1,
                                            .picked = true,
                                            .picks = {picks, count * MESSAGE_PICK_BYTES}};
        size_t n = gather(m, &from, record);
        const struct message_origin back = message_record_origin((struct bytes){record, n});
        CHECK(back.picked && str_eq(back.publisher, STR("ada")));
        CHECK(message_pick(&back, 7, &number) == (count > 0) && (!count || number == 70));
        CHECK(message_pick(&back, 8, &number) == (count > 2) &&
              (count < 3 || number == UINT64_MAX));
        CHECK(!message_pick(&back, 70, &number));
        struct message *same = message_decode(alloc_system(), (struct bytes){record, n}, 1, 1);
        REQUIRE(same != NULL);
        CHECK(str_eq(message_topic(same), STR("a")) && same->payload_len == 1);
        message_unref(same);
        record[0] = 2; /* which had no picks */
        CHECK(message_decode(alloc_system(), (struct bytes){record, n}, 1, 1) == NULL);
    }
    size_t n = gather(m, &(struct message_origin){0}, record);
    CHECK(!message_record_origin((struct bytes){record, n}).picked);
    message_unref(m);
}

/* Journals of the version before are still read. */
TEST(message_record_of_version_1)
{
    static const uint8_t record[] = {1, 5, 0, 0, 0,   77,  0,   3,   0,  1,
                                     0, 0, 0, 0, 'a', 'd', 'a', 't', 'x'};
    struct message *m =
        message_decode(alloc_system(), (struct bytes){record, sizeof(record)}, 9, 1);
    REQUIRE(m != NULL);
    CHECK(str_eq(message_topic(m), STR("t")));
    CHECK_EQ_UINT(m->qos, 1);
    CHECK(m->retain);
    CHECK_EQ_UINT(m->expiry_s, 77);
    CHECK_EQ_UINT(m->payload_len, 1);
    message_unref(m);
}

TEST(message_record_damaged)
{
    uint8_t record[200];
    struct message *m = message_new(alloc_system(), STR("a/b"), bytes_of("p"), bytes_of("x"));
    REQUIRE(m != NULL);
    const struct message_origin from = {.publisher = STR("ada")};
    size_t n = gather(m, &from, record);
    message_unref(m);
    for (size_t cut = 0; cut < n - 1; cut++) { /* the payload may be empty */
        LABEL("cut at %zu", cut);
        CHECK(message_decode(alloc_system(), (struct bytes){record, cut}, 1, 1) == NULL);
    }
    record[0] = 4; /* a version that this program does not know */
    CHECK(message_decode(alloc_system(), (struct bytes){record, n}, 1, 1) == NULL);
    record[0] = 1;
    record[1] = 3; /* QoS 3 */
    CHECK(message_decode(alloc_system(), (struct bytes){record, n}, 1, 1) == NULL);
}

TEST(message_expiry)
{
    struct message *m = message_new(alloc_system(), STR("t"), bytes_of(""), bytes_of(""));
    REQUIRE(m != NULL);
    m->wall_ms = 10000;
    CHECK(!message_expired(m, INT64_MAX));
    CHECK_EQ_UINT(message_expiry_left_s(m, 99999), UINT32_MAX);
    m->expiry_s = 5;
    static const struct {
        int64_t now_ms;
        uint32_t left_s;
        bool expired;
    } cases[] = {{10000, 5, false}, {10999, 5, false}, {11000, 4, false}, {14999, 1, false},
                 {15000, 0, true},  {99000, 0, true},  {9000, 5, false}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        LABEL("at %lld", (long long)cases[i].now_ms);
        CHECK_EQ_UINT(message_expiry_left_s(m, cases[i].now_ms), cases[i].left_s);
        CHECK_EQ_INT(message_expired(m, cases[i].now_ms), cases[i].expired);
    }
    message_unref(m);
}
