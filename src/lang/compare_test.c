/* The machine against the plain evaluator: programs from random bytes, all with one seed. */
#include "lang/differential_test.h"
#include "lang/generate_test.h"
#include "tests/support/test.h"

#define PROGRAMS 300
#define BYTES    1500

/* Splitmix64 (Vigna). */
static uint64_t next(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

TEST(both_do_the_same)
{
    uint64_t state = test_seed();
    size_t accepted = 0, compared = 0;
    for (int n = 0; n < PROGRAMS; n++) {
        uint8_t bytes[BYTES];
        for (size_t i = 0; i < BYTES; i++)
            bytes[i] = (uint8_t)next(&state);
        struct strbuf text;
        strbuf_init(&text, alloc_system(), 0);
        generate_program(&text, bytes, BYTES);
        struct differential d;
        differential_run(&d, strbuf_str(&text));
        accepted += d.accepted;
        compared += d.compared;
        LABEL("%s", text.p);
        if (d.compared)
            CHECK_EQ_STR(d.machine.p, d.plain.p);
        differential_fini(&d);
        strbuf_fini(&text);
    }
    CHECK(accepted > PROGRAMS / 2);
    CHECK(compared > PROGRAMS / 2);
}
