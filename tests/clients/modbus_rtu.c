/* modbus_rtu DEVICE UNIT: libmodbus as one unit of a serial line, for tests/integration. Holding
 * register N has 1000 + N; there are 100 of them, and 16 coils. Says `ready`, then `wrote FUNCTION`
 * for each write, and ends with its stdin or its device. */
#include <errno.h>
#include <modbus.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { REGISTERS = 100, COILS = 16, BAUD = 115200, WRITE_COIL = 5, NEIGHBOUR_US = 30000 };

static bool fail(const char *what)
{
    (void)fprintf(stderr, "modbus_rtu: %s: %s\n", what, modbus_strerror(errno));
    return false;
}

/* False: the device has gone. What libmodbus can't make sense of it drops, as a device does. */
static bool answer(modbus_t *m, modbus_mapping_t *map)
{
    uint8_t query[MODBUS_RTU_MAX_ADU_LENGTH];
    int n = modbus_receive(m, query);
    if (n < 0)
        return errno == EMBBADCRC || errno == EMBBADDATA || errno == ETIMEDOUT ||
               errno == EMBBADEXC || fail("receive");
    if (n == 0) { /* for another unit, whose answer libmodbus waits for: it may not come */
        (void)modbus_receive(m, query);
        return true;
    }
    if (modbus_reply(m, query, n, map) < 0)
        return fail("reply");
    if (query[1] >= WRITE_COIL) {
        (void)printf("wrote %d\n", query[1]);
        (void)fflush(stdout);
    }
    return true;
}

static void serve(modbus_t *m, modbus_mapping_t *map)
{
    struct pollfd fds[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                           {.fd = modbus_get_socket(m), .events = POLLIN}};
    (void)printf("ready\n");
    (void)fflush(stdout);
    while (poll(fds, 2, -1) > 0 && !fds[0].revents) {
        if (fds[1].revents & POLLHUP || !answer(m, map))
            return;
    }
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    modbus_t *m = modbus_new_rtu(argv[1], BAUD, 'N', 8, 1);
    modbus_mapping_t *map = modbus_mapping_new(COILS, 0, REGISTERS, 0);
    bool ok = m && map && modbus_set_slave(m, (int)strtol(argv[2], NULL, 10)) == 0 &&
              modbus_set_response_timeout(m, 0, NEIGHBOUR_US) == 0 && modbus_connect(m) == 0;
    if (ok) {
        for (int i = 0; i < REGISTERS; i++)
            map->tab_registers[i] = (uint16_t)(1000 + i);
        serve(m, map);
    } else {
        (void)fail(argv[1]);
    }
    modbus_mapping_free(map);
    if (m)
        modbus_close(m);
    modbus_free(m);
    return ok ? 0 : 1;
}
