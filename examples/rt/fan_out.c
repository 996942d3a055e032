/* fan_out: work is handed out to every worker, and the results are collected.
 *
 * Primes are counted in ranges. Each worker has one coroutine that takes ranges from a channel
 * which all share, so who is faster takes more. */
#include <sedge/sedge.h>
#include <stdio.h>

enum { LIMIT = 200000, RANGE = 5000 };

struct shared {
    struct sedge_chan *ranges, *sums;
};

static int is_prime(int n)
{
    for (int d = 2; d * d <= n; d++)
        if (n % d == 0)
            return 0;
    return n >= 2;
}

static intptr_t count_ranges(void *arg)
{
    struct shared *s = arg;
    int from, sum = 0;
    while (sedge_chan_recv(s->ranges, &from) == SEDGE_OK)
        for (int n = from; n < from + RANGE; n++)
            sum += is_prime(n);
    return sedge_chan_send(s->sums, &sum);
}

static intptr_t run(void *arg)
{
    struct sedge_rt *rt = sedge_rt_current();
    unsigned workers = sedge_rt_workers(rt);
    struct shared s = {NULL, NULL};
    int sum, all = 0;
    (void)arg;
    enum sedge_err r = sedge_chan_new(&s.ranges, sizeof(int), LIMIT / RANGE, SEDGE_SHARED);
    if (!r)
        r = sedge_chan_new(&s.sums, sizeof(int), workers, SEDGE_SHARED);
    for (int from = 0; from < LIMIT && !r; from += RANGE)
        r = sedge_chan_send(s.ranges, &from);
    if (!r)
        sedge_chan_close(s.ranges);
    for (unsigned i = 0; i < workers && !r; i++)
        r = sedge_co_spawn_on(rt, i, count_ranges, &s, "count");
    for (unsigned i = 0; i < workers && !r; i++) {
        r = sedge_chan_recv(s.sums, &sum);
        all += sum;
    }
    if (r)
        return r;
    sedge_chan_free(s.ranges);
    sedge_chan_free(s.sums);
    printf("%d primes below %d\n", all, LIMIT);
    return 0;
}

int main(void)
{
    struct sedge_rt_config config = {.workers = 4}; /* without it: one for each processor */
    return sedge_main(&config, run, NULL);
}
