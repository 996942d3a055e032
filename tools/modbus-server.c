/* modbus-server HOST PORT: a Modbus TCP server by libmodbus whose contents are said on stdin.
 *
 * Why: what sedge asks must be answered by somebody else's Modbus, or both could share a mistake.
 * `sedge sim` starts one for each line of its site, and tests use it as a device. It knows nothing
 * of sedge; sedge is not linked with libmodbus (docs/decisions/0022).
 * On stdin, a line each:
 *     set UNIT TABLE ADDRESS VALUE…   coil, discrete: 0 or 1; holding, input: 0 … 65535. The
 *                                     addresses up to the highest that was set are there, others
 *                                     are refused as a device does (exception 2)
 *     silent UNIT | speaks UNIT       as if its wire was pulled, and back; `silent` of a unit that
 *                                     was never set says that it is there
 * Units that nothing is known of are answered for as a gateway does (exception 11).
 * On stdout: `listening PORT` (PORT 0 finds a free one), then `wrote UNIT TABLE ADDRESS VALUE…`
 * for what a client has written. Ends when stdin does. */
#include <errno.h>
#include <modbus.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { UNITS = 256, ADDRESSES = 65536, CLIENTS_MAX = 16, LINE_MAX_BYTES = 8192 };
enum table { COIL, DISCRETE, HOLDING, INPUT, TABLES };

struct unit {
    modbus_mapping_t *tables; /* memory for all addresses; nb_… are those that are there */
    bool silent;
};
struct server {
    modbus_t *modbus;
    struct unit units[UNITS];
    int listener;
    int clients[CLIENTS_MAX];
    char line[LINE_MAX_BYTES]; /* of stdin, in part */
    size_t line_n;
};

static const char *const names[TABLES] = {"coil", "discrete", "holding", "input"};

_Noreturn static void die(const char *what, const char *why)
{
    (void)fprintf(stderr, "modbus-server: %s: %s\n", what, why);
    exit(1);
}

/* --- what it holds --- */

static struct unit *unit_of(struct server *s, int id)
{
    struct unit *u = &s->units[id];
    if (!u->tables) {
        u->tables = modbus_mapping_new(ADDRESSES, ADDRESSES, ADDRESSES, ADDRESSES);
        if (!u->tables)
            die("a unit", modbus_strerror(errno));
        u->tables->nb_bits = u->tables->nb_input_bits = 0;
        u->tables->nb_registers = u->tables->nb_input_registers = 0;
    }
    return u;
}

static int *count_of(modbus_mapping_t *m, enum table t)
{
    int *counts[TABLES] = {&m->nb_bits, &m->nb_input_bits, &m->nb_registers,
                           &m->nb_input_registers};
    return counts[t];
}

static void put(modbus_mapping_t *m, enum table t, int address, long value)
{
    int *count = count_of(m, t);
    switch (t) {
    case COIL: m->tab_bits[address] = value != 0; break;
    case DISCRETE: m->tab_input_bits[address] = value != 0; break;
    case HOLDING: m->tab_registers[address] = (uint16_t)value; break;
    default: m->tab_input_registers[address] = (uint16_t)value; break;
    }
    if (address >= *count)
        *count = address + 1;
}

static void tell_written(const modbus_mapping_t *m, int unit, enum table t, int address, int n)
{
    (void)printf("wrote %d %s %d", unit, names[t], address);
    for (int i = address; i < address + n; i++)
        (void)printf(" %d", t == COIL ? m->tab_bits[i] : m->tab_registers[i]);
    (void)printf("\n");
    (void)fflush(stdout);
}

/* --- stdin --- */

/* A word of the line as a number from 0 to max. */
static bool number(char **rest, long max, long *out)
{
    char *end;
    *out = strtol(*rest, &end, 10);
    if (end == *rest || *out < 0 || *out > max)
        return false;
    *rest = end;
    return true;
}

static bool set(struct server *s, char *rest)
{
    long id, address, value;
    char name[16];
    int n;
    enum table t = COIL;
    if (!number(&rest, UNITS - 1, &id) || sscanf(rest, "%15s%n", name, &n) != 1)
        return false;
    while (t < TABLES && strcmp(names[t], name) != 0)
        t++;
    rest += n;
    if (t == TABLES || !number(&rest, ADDRESSES - 1, &address))
        return false;
    modbus_mapping_t *m = unit_of(s, (int)id)->tables;
    for (; address < ADDRESSES && number(&rest, 65535, &value); address++)
        put(m, t, (int)address, value);
    return *rest == '\0';
}

static bool obey(struct server *s, char *line)
{
    long id;
    bool silent = strncmp(line, "silent ", 7) == 0;
    if (strncmp(line, "set ", 4) == 0)
        return set(s, line + 4);
    if (!silent && strncmp(line, "speaks ", 7) != 0)
        return line[0] == '\0';
    char *rest = line + 7;
    if (!number(&rest, UNITS - 1, &id) || *rest)
        return false;
    unit_of(s, (int)id)->silent = silent;
    return true;
}

/* False: stdin has ended. */
static bool read_lines(struct server *s)
{
    ssize_t n = read(STDIN_FILENO, s->line + s->line_n, sizeof(s->line) - 1 - s->line_n);
    if (n <= 0)
        return false;
    s->line_n += (size_t)n;
    char *end, *from = s->line;
    size_t left = s->line_n;
    while ((end = memchr(from, '\n', left))) {
        *end = '\0';
        if (!obey(s, from))
            (void)fprintf(stderr, "modbus-server: not understood: %s\n", from);
        left -= (size_t)(end + 1 - from);
        from = end + 1;
    }
    if (left == sizeof(s->line) - 1)
        die("stdin", "a line is too long");
    memmove(s->line, from, left);
    s->line_n = left;
    return true;
}

/* --- clients --- */

static void tell_request(const modbus_mapping_t *m, const uint8_t *q, int head)
{
    int unit = q[head - 1], function = q[head];
    int address = q[head + 1] << 8 | q[head + 2], n = q[head + 3] << 8 | q[head + 4];
    switch (function) {
    case MODBUS_FC_WRITE_SINGLE_COIL: tell_written(m, unit, COIL, address, 1); break;
    case MODBUS_FC_WRITE_MULTIPLE_COILS: tell_written(m, unit, COIL, address, n); break;
    case MODBUS_FC_WRITE_SINGLE_REGISTER: tell_written(m, unit, HOLDING, address, 1); break;
    case MODBUS_FC_WRITE_MULTIPLE_REGISTERS: tell_written(m, unit, HOLDING, address, n); break;
    default: break;
    }
}

/* False: it is gone, or talks nonsense. */
static bool serve(struct server *s, int fd)
{
    uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
    int head = modbus_get_header_length(s->modbus);
    (void)modbus_set_socket(s->modbus, fd);
    int n = modbus_receive(s->modbus, query);
    if (n <= 0)
        return n == 0;
    const struct unit *u = &s->units[query[head - 1]];
    if (u->silent)
        return true;
    if (!u->tables)
        return modbus_reply_exception(s->modbus, query, MODBUS_EXCEPTION_GATEWAY_TARGET) >= 0;
    int answered = modbus_reply(s->modbus, query, n, u->tables);
    bool refused = answered == head + 2; /* the size of an exception */
    if (answered > 0 && !refused)
        tell_request(u->tables, query, head);
    return answered >= 0;
}

static void welcome(struct server *s)
{
    int fd = accept(s->listener, NULL, NULL);
    for (int i = 0; fd >= 0 && i < CLIENTS_MAX; i++) {
        if (s->clients[i] >= 0)
            continue;
        s->clients[i] = fd;
        return;
    }
    if (fd >= 0)
        (void)close(fd);
}

static void listen_at(struct server *s, const char *host, const char *port)
{
    struct sockaddr_in at = {0};
    socklen_t n = sizeof(at);
    char *end;
    long number = strtol(port, &end, 10);
    if (end == port || *end || number < 0 || number > 65535)
        die(port, "a port is 0 to 65535");
    s->modbus = modbus_new_tcp(host, (int)number);
    if (!s->modbus)
        die(host, modbus_strerror(errno));
    s->listener = modbus_tcp_listen(s->modbus, CLIENTS_MAX);
    if (s->listener < 0)
        die(host, modbus_strerror(errno));
    if (getsockname(s->listener, (struct sockaddr *)&at, &n) != 0)
        die(host, strerror(errno));
    (void)printf("listening %d\n", ntohs(at.sin_port));
    (void)fflush(stdout);
}

int main(int argc, char **argv)
{
    static struct server s;
    if (argc != 3) {
        (void)fprintf(stderr, "usage: modbus-server HOST PORT\n");
        return 2;
    }
    for (int i = 0; i < CLIENTS_MAX; i++)
        s.clients[i] = -1;
    listen_at(&s, argv[1], argv[2]);
    for (;;) {
        struct pollfd fds[2 + CLIENTS_MAX] = {{STDIN_FILENO, POLLIN, 0}, {s.listener, POLLIN, 0}};
        for (int i = 0; i < CLIENTS_MAX; i++)
            fds[2 + i] = (struct pollfd){s.clients[i], POLLIN, 0};
        if (poll(fds, 2 + CLIENTS_MAX, -1) < 0 && errno != EINTR)
            die("poll", strerror(errno));
        if (fds[0].revents && !read_lines(&s))
            return 0;
        if (fds[1].revents)
            welcome(&s);
        for (int i = 0; i < CLIENTS_MAX; i++) {
            if (!fds[2 + i].revents || serve(&s, s.clients[i]))
                continue;
            (void)close(s.clients[i]);
            s.clients[i] = -1;
        }
    }
}
