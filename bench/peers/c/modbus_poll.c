/* modbus_poll PORT UNITS REGISTERS MEASURE_MS IN_FLIGHT: as bench/modbus_poll.c, with libmodbus'
 * own client, which has one request at a time: a loop over the units, reads of 125 registers, each
 * register a number. */
#include <errno.h>
#include <modbus.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

enum { WARM_UP_MS = 500, TIMEOUT_US = 200000, BLOCK = MODBUS_MAX_READ_REGISTERS };

static int64_t cpu_us(void)
{
    struct rusage u;
    (void)getrusage(RUSAGE_SELF, &u);
    return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * INT64_C(1000000) + u.ru_utime.tv_usec +
           u.ru_stime.tv_usec;
}

static int64_t now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static double sum;

/* As many as were read; 0: the unit is silent. */
static int read_block(modbus_t *m, int at, int n)
{
    uint16_t registers[BLOCK];
    if (modbus_read_registers(m, at, n, registers) != n) {
        if (errno != ETIMEDOUT)
            (void)fprintf(stderr, "modbus_poll: %s\n", modbus_strerror(errno));
        (void)modbus_flush(m);
        return 0;
    }
    for (int i = 0; i < n; i++)
        sum += registers[i] * 0.1;
    return n;
}

static uint64_t round_of(modbus_t *m, int units, int registers, int64_t until_ms)
{
    uint64_t points = 0;
    for (int u = 1; u <= units; u++) {
        (void)modbus_set_slave(m, u);
        for (int at = 0; at < registers && now_ms() < until_ms; at += BLOCK) {
            int n = registers - at < BLOCK ? registers - at : BLOCK;
            int got = read_block(m, at, n);
            points += (uint64_t)got;
            if (got == 0)
                break; /* the rest of it would be silent, too */
        }
    }
    return points;
}

static uint64_t poll_for(modbus_t *m, int units, int registers, int64_t ms)
{
    uint64_t points = 0;
    int64_t until_ms = now_ms() + ms;
    while (now_ms() < until_ms)
        points += round_of(m, units, registers, until_ms);
    return points;
}

int main(int argc, char **argv)
{
    if (argc != 6)
        return 2;
    int units = (int)strtol(argv[2], NULL, 10), registers = (int)strtol(argv[3], NULL, 10);
    modbus_t *m = modbus_new_tcp("127.0.0.1", (int)strtol(argv[1], NULL, 10));
    if (!m || modbus_set_response_timeout(m, 0, TIMEOUT_US) || modbus_connect(m))
        return 1;
    (void)poll_for(m, units, registers, WARM_UP_MS);
    int64_t before_us = cpu_us();
    uint64_t points = poll_for(m, units, registers, strtol(argv[4], NULL, 10));
    (void)printf("points %ju cpu_us %jd\n", (uintmax_t)points, (intmax_t)(cpu_us() - before_us));
    modbus_close(m);
    modbus_free(m);
    return sum < 0;
}
