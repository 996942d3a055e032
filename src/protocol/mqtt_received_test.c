#include "base/clock.h"
#include "protocol/mqtt_received.h"
#include "tests/support/test.h"

/* Against a bitmap, with ids that wrap as a client's do, and some that come in any order. */
TEST(mqtt_received_ids_against_a_bitmap)
{
    static bool model[65536];
    struct alloc *a = alloc_system();
    struct received r = {0};
    struct random random;
    uint16_t next = 65000;
    random_seed(&random, test_seed());
    for (int step = 0; step < 40000; step++) {
        uint16_t id = random_below(&random, 10) ? next : (uint16_t)random_below(&random, 65536);
        LABEL("step %d, id %d", step, id);
        CHECK_EQ_INT(received_has(&r, id), model[id]);
        REQUIRE(received_add(a, &r, id));
        model[id] = true;
        next = (uint16_t)(next + 1);
        while (r.ids.n > 300 || (r.ids.n && random_below(&random, 3) == 0)) {
            uint16_t gone = r.ids.v[random_below(&random, r.ids.n)];
            CHECK(received_remove(&r, gone));
            CHECK(!received_remove(&r, gone));
            model[gone] = false;
        }
    }
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_LEN(model); i++) {
        n += model[i];
        CHECK_EQ_INT(received_has(&r, (uint16_t)i), model[i]);
    }
    CHECK_EQ_UINT(r.ids.n, n);
    received_fini(a, &r);
}

TEST(mqtt_received_ids_as_bytes)
{
    struct alloc *a = alloc_system();
    struct received r = {0}, back = {0};
    uint8_t room[8];
    static const uint8_t want[] = {0x00, 0x01, 0x01, 0x02, 0xFF, 0xFF};
    REQUIRE(received_add(a, &r, 0xFFFF) && received_add(a, &r, 1) && received_add(a, &r, 0x0102));
    struct writer w = writer_from(room, sizeof(room));
    received_write(&r, &w);
    CHECK_EQ_MEM(room, want, sizeof(want));
    CHECK_EQ_UINT(writer_len(&w), sizeof(want));
    CHECK(received_read(a, &back, (struct bytes){room, writer_len(&w)}));
    CHECK(received_read(a, &back, (struct bytes){NULL, 0}));
    CHECK_EQ_UINT(back.ids.n, 3);
    CHECK(received_has(&back, 1) && received_has(&back, 0x0102) && received_has(&back, 0xFFFF));
    received_fini(a, &r);
    received_fini(a, &back);
}
