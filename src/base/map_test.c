#include "base/clock.h"
#include "base/crc32c_internal.h"
#include "base/map.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <string.h>

TEST(map_puts_gets_and_deletes)
{
    struct map m;
    int one = 1, two = 2;
    map_init(&m, alloc_system(), 7, 2);
    CHECK_EQ_PTR(map_get(&m, STR("a")), NULL);
    CHECK_EQ_PTR(map_del(&m, STR("a")), NULL);
    CHECK_EQ_INT(map_put(&m, STR("a"), &one), ERR_OK);
    CHECK_EQ_INT(map_put(&m, STR("a"), &two), ERR_EXISTS);
    CHECK_EQ_INT(map_put(&m, STR(""), &two), ERR_OK);
    CHECK_EQ_INT(map_put(&m, STR("c"), &two), ERR_FULL);
    CHECK_EQ_PTR(map_get(&m, STR("a")), &one);
    CHECK_EQ_PTR(map_get(&m, STR("")), &two);
    CHECK_EQ_PTR(map_del(&m, STR("a")), &one);
    CHECK_EQ_PTR(map_get(&m, STR("a")), NULL);
    CHECK_EQ_INT(map_put(&m, STR("c"), &one), ERR_OK);
    map_fini(&m);
    map_fini(&m);
}

/* Against the simplest thing that can't be wrong: an array of flags. */
TEST(map_agrees_with_a_model)
{
    enum { KEYS = 500 };
    static char keys[KEYS][20];
    bool in[KEYS] = {0};
    size_t n = 0;
    struct random r;
    struct map m;
    random_seed(&r, test_seed());
    map_init(&m, alloc_system(), random_u64(&r), KEYS);
    for (int i = 0; i < KEYS; i++)
        (void)snprintf(keys[i], sizeof(keys[i]), "key/%d", i);
    for (int step = 0; step < 100000; step++) {
        size_t k = (size_t)random_below(&r, KEYS);
        struct str key = str_from(keys[k]);
        switch (random_below(&r, 3)) {
        case 0:
            REQUIRE(map_put(&m, key, keys[k]) == (in[k] ? ERR_EXISTS : ERR_OK));
            n += !in[k];
            in[k] = true;
            break;
        case 1:
            REQUIRE(map_del(&m, key) == (in[k] ? keys[k] : NULL));
            n -= in[k];
            in[k] = false;
            break;
        default: REQUIRE(map_get(&m, key) == (in[k] ? keys[k] : NULL));
        }
        REQUIRE(m.n == n);
        REQUIRE((m.cap == 0 || m.used < m.cap) && m.cap <= 2048);
    }
    size_t at = 0, seen = 0;
    struct str key;
    void *value;
    while (map_next(&m, &at, &key, &value)) {
        CHECK_EQ_STR((char *)value, key.p);
        CHECK_EQ_PTR(map_del(&m, key), value); /* the current one may go */
        seen++;
    }
    CHECK_EQ_UINT(seen, n);
    CHECK_EQ_UINT(m.n, 0);
    map_fini(&m);
}

TEST(map_survives_faults)
{
    for (uint64_t fail_at = 0;; fail_at++) {
        struct alloc_faulty f;
        struct map m;
        static const char keys[200];
        size_t put = 0;
        alloc_faulty_init(&f, fail_at);
        map_init(&m, &f.alloc, 1, 1000);
        for (size_t i = 0; i < sizeof(keys); i++)
            put += map_put(&m, (struct str){keys, i}, (void *)(keys + i)) == ERR_OK;
        CHECK_EQ_INT(put < sizeof(keys), f.failed);
        for (size_t i = 0; i < put; i++)
            CHECK_EQ_PTR(map_get(&m, (struct str){keys, i}), keys + i);
        map_fini(&m);
        CHECK_EQ_UINT(f.live_bytes, 0);
        if (!f.failed)
            break;
    }
}

/* wyhash final 4's own test vectors. */
TEST(hash_is_wyhash)
{
    static const struct {
        const char *text;
        uint64_t want;
    } rows[] = {
        {"", 0x93228a4de0eec5a2},
        {"a", 0xc5bac3db178713c4},
        {"abc", 0xa97f2f7b1d9b3314},
        {"message digest", 0x786d1f1df3801df4},
        {"abcdefghijklmnopqrstuvwxyz", 0xdca5a8138ad37c87},
        {"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", 0xb9e734f117cfaf70},
        {"12345678901234567890123456789012345678901234567890123456789012345678901234567890",
         0x6cc5eab49a92d617},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].text);
        CHECK_EQ_UINT(hash_bytes(rows[i].text, strlen(rows[i].text), i), rows[i].want);
    }
}

TEST(hash_spreads_its_bits)
{
    /* Flipping one input bit flips about half of the output bits. */
    struct random r;
    random_seed(&r, test_seed());
    uint64_t flips = 0, tries = 0;
    for (size_t n = 1; n <= 100; n++)
        for (int k = 0; k < 20; k++) {
            uint8_t b[100];
            for (size_t i = 0; i < n; i++)
                b[i] = (uint8_t)random_u64(&r);
            uint64_t h = hash_bytes(b, n, 5);
            b[random_below(&r, n)] ^= (uint8_t)(1 << random_below(&r, 8));
            flips += (uint64_t)__builtin_popcountll(h ^ hash_bytes(b, n, 5));
            tries++;
        }
    CHECK_EQ_DBL((double)flips / (double)tries, 32, 0.6);
}

TEST(crc32c_vectors)
{
    /* RFC 3720, B.4. */
    uint8_t b[32];
    memset(b, 0, 32);
    CHECK_EQ_UINT(crc32c(0, b, 32), 0x8a9136aa);
    memset(b, 0xFF, 32);
    CHECK_EQ_UINT(crc32c(0, b, 32), 0x62a8ab43);
    for (uint8_t i = 0; i < 32; i++)
        b[i] = i;
    CHECK_EQ_UINT(crc32c(0, b, 32), 0x46dd794e);
    CHECK_EQ_UINT(crc32c(0, "123456789", 9), 0xe3069283);
    CHECK_EQ_UINT(crc32c(0, NULL, 0), 0);
}

TEST(crc32c_both_ways_agree)
{
    struct random r;
    random_seed(&r, test_seed());
    uint8_t b[100];
    for (size_t i = 0; i < sizeof(b); i++)
        b[i] = (uint8_t)random_u64(&r);
    for (size_t from = 0; from < 9; from++)
        for (size_t n = 0; from + n <= sizeof(b); n++) {
            uint32_t whole = crc32c(0, b + from, n);
            REQUIRE(whole == crc32c_table(0, b + from, n));
            REQUIRE(whole == crc32c(crc32c(0, b + from, n / 3), b + from + n / 3, n - n / 3));
        }
}
