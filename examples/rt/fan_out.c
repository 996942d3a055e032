/* fan_out: work is handed out to all workers, and the results are collected.
 *
 * Primes are counted, a range a coroutine. The coroutines are free: whichever worker has time
 * begins the next one. Joining them brings what they returned. */
#include <sedge/sedge.h>
#include <stdio.h>

enum { LIMIT = 200000, RANGES = 40, RANGE = LIMIT / RANGES };

static int is_prime(int n)
{
    for (int d = 2; d * d <= n; d++)
        if (n % d == 0)
            return 0;
    return n >= 2;
}

static intptr_t count(void *arg)
{
    const int *from = arg;
    int primes = 0;
    for (int n = *from; n < *from + RANGE; n++)
        primes += is_prime(n);
    return primes;
}

static intptr_t run(void *arg)
{
    struct sedge_co *co[RANGES];
    int from[RANGES], spawned = 0;
    intptr_t primes, sum = 0;
    enum sedge_err r = SEDGE_OK;
    (void)arg;
    while (spawned < RANGES && !r) {
        from[spawned] = spawned * RANGE;
        r = sedge_co_spawn_free(&co[spawned], count, &from[spawned], "count");
        spawned += r == SEDGE_OK;
    }
    for (int i = 0; i < spawned; i++) {
        if (sedge_co_join(co[i], &primes))
            return 1;
        sum += primes;
    }
    printf("%d primes below %d\n", (int)sum, spawned * RANGE);
    return r;
}

int main(void)
{
    struct sedge_rt_config config = {.workers = 4}; /* without it: one for each processor */
    return sedge_main(&config, run, NULL);
}
