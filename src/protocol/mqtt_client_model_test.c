/* Random strings against the model of correct clients (tests/support/mqtt_model.h);
 * fuzz/session_fuzz looks for better ones. */
#include "base/clock.h"
#include "base/log.h"
#include "tests/support/mqtt_model_play.h"
#include "tests/support/test.h"

static void nowhere(void *ctx, enum log_level level, const char *part, const char *text)
{
    (void)ctx, (void)level, (void)part, (void)text;
}

struct told {
    struct assert_trap trap;
    uint64_t seed;
};

static void say_which(struct assert_trap *t, const char *cond, const char *file, int line)
{
    (void)cond, (void)file, (void)line;
    test_note("it was the string of --seed=%llu, the first one",
              (unsigned long long)CONTAINER_OF(t, struct told, trap)->seed);
}

TEST(mqtt_sessions_against_the_model)
{
    uint64_t first = test_seed();
    uint8_t bytes[900];
    struct random r;
    struct told told = {.trap.failed = say_which};
    struct assert_trap *before = assert_trap_set(&told.trap);
    log_set_sink(nowhere, NULL);
    for (uint64_t i = 0; i < 200; i++) {
        random_seed(&r, first + i);
        told.seed = first + i;
        for (size_t k = 0; k < sizeof(bytes); k++)
            bytes[k] = (uint8_t)random_below(&r, 256);
        mqtt_model_play(bytes, sizeof(bytes));
    }
    log_set_sink(NULL, NULL);
    (void)assert_trap_set(before);
    bool all_strings_came_to_their_end = true;
    CHECK(all_strings_came_to_their_end);
}
