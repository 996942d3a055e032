#include "async/env.h"
#include "tests/support/test.h"
#include <string.h>

TEST(the_real_environment_has_everything)
{
    struct env *env = env_linux();
    uint8_t a[300] = {0}, b[300] = {0};
    CHECK(env == env_linux());
    CHECK(env->seed != 0);
    CHECK_EQ_PTR(env->disk, disk_linux());
    env->entropy(env, a, sizeof(a));
    env->entropy(env, b, sizeof(b));
    CHECK(memcmp(a, b, sizeof(a)) != 0);
    int64_t before_ns = clock_mono_ns(env->clock);
    CHECK(before_ns > 0);
    CHECK(clock_mono_ns(env->clock) >= before_ns);
    CHECK(clock_wall_ms(env->clock) > 1577836800000); /* 2020 */
}
