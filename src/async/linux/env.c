#include "async/env.h"
#include <errno.h>
#include <sys/random.h>
#include <time.h>

static int64_t read_clock(clockid_t id, int64_t per_second)
{
    struct timespec t;
    ASSERT(clock_gettime(id, &t) == 0);
    return t.tv_sec * per_second + t.tv_nsec / (1000000000 / per_second);
}

static int64_t real_mono_ns(struct clock *c)
{
    (void)c;
    return read_clock(CLOCK_MONOTONIC, 1000000000);
}

static int64_t real_wall_ms(struct clock *c)
{
    (void)c;
    return read_clock(CLOCK_REALTIME, 1000);
}

static void real_entropy(struct env *env, void *p, size_t n)
{
    uint8_t *to = p;
    (void)env;
    while (n > 0) {
        ssize_t got = getrandom(to, n, 0);
        /* Secrets from anything less than the system's generator would be worse than an end. */
        ASSERT(got > 0 || errno == EINTR);
        if (got > 0) {
            to += got;
            n -= (size_t)got;
        }
    }
}

static struct clock real_clock = {real_mono_ns, real_wall_ms};
static struct env real_env = {.clock = &real_clock, .entropy = real_entropy};

__attribute__((constructor)) static void seed_real_env(void)
{
    real_env.disk = disk_linux();
    real_entropy(&real_env, &real_env.seed, sizeof(real_env.seed));
}

struct env *env_linux(void)
{
    return &real_env;
}
