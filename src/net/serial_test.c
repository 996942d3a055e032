#include "net/net_fixture.h"
#include "net/serial.h"
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <string.h>
#include <unistd.h>

/* Serial streams on pseudo-terminals. The other end is a stream, too. */

enum { MUCH = 200 * 1000, PIECE = 1000 };

struct wire;
struct wire_end {
    struct task task;
    struct wire *wire;
    struct stream *s;
    size_t sent, got;
    enum err end;
    enum poll (*step)(struct wire_end *e);
};
struct wire {
    struct executor *ex;
    struct worker *w;
    struct timer timer;
    struct wire_end near, far; /* the device as it is opened; who is at the other end of the line */
    char path[64];
};

static void too_long(struct timer *t)
{
    bool stands_still = true;
    CHECK(!stands_still);
    executor_stop(worker_executor(t->worker));
}

static enum poll end_poll(struct task *t)
{
    struct wire_end *e = CONTAINER_OF(t, struct wire_end, task);
    enum poll p = t->canceled ? POLL_READY : e->step(e);
    if (p == POLL_READY && e->s) {
        stream_close(e->s);
        e->s = NULL;
    }
    return p;
}

static void end_open(struct wire *x, struct wire_end *e, int fd,
                     enum poll (*step)(struct wire_end *e))
{
    e->wire = x;
    e->step = step;
    task_init(&e->task, "wire", end_poll, NULL);
    REQUIRE(stream_serial(&e->s, x->w, fd, &e->task) == ERR_OK);
    task_spawn(x->w, &e->task);
}

static void wire_run(const char *driver, const struct stream_limits *limits,
                     enum poll (*near)(struct wire_end *e), enum poll (*far)(struct wire_end *e),
                     void (*check)(struct wire *x))
{
    struct executor_config cfg = {
        .alloc = alloc_system(), .workers = 1, .driver = driver, .offload_threads = 1};
    struct wire x = {0};
    struct error e = {0};
    int master, slave, fd;
    LABEL("%s", driver);
    REQUIRE(openpty(&master, &slave, x.path, NULL, NULL) == 0);
    REQUIRE(fcntl(master, F_SETFL, O_NONBLOCK) == 0);
    struct serial_config c = {.path = str_from(x.path), .baud = 115200};
    REQUIRE(CHECK_EQ_INT(serial_open(&c, &fd, &e), ERR_OK));
    REQUIRE(close(slave) == 0);
    if (executor_new(&x.ex, &cfg, &e) != ERR_OK)
        SKIP("%s: %s", driver, e.text);
    x.w = executor_worker(x.ex, 0);
    end_open(&x, &x.near, fd, near);
    end_open(&x, &x.far, master, far);
    stream_set_limits(x.near.s, limits);
    timer_init(&x.timer, x.w, too_long);
    timer_set_after_ms(&x.timer, 60000);
    executor_run(x.ex);
    timer_cancel(&x.timer);
    check(&x);
    executor_free(x.ex);
}

/* --- both ways, more than the line holds --- */

static enum poll send_all(struct wire_end *e)
{
    uint8_t piece[PIECE];
    struct bytes in;
    while (e->sent < MUCH) {
        for (size_t i = 0; i < PIECE; i++)
            piece[i] = pattern(e->sent + i);
        if (stream_write(e->s, piece, PIECE))
            break;
        e->sent += PIECE;
    }
    while ((e->end = stream_read(e->s, &in)) == ERR_OK) {
        for (size_t i = 0; i < in.n; i++)
            REQUIRE(in.p[i] == pattern(e->got + i));
        e->got += in.n;
        stream_consume(e->s, in.n);
    }
    if (e->got < MUCH && e->end == ERR_AGAIN)
        return POLL_PENDING;
    executor_stop(e->wire->ex);
    return POLL_READY;
}

static enum poll send_back(struct wire_end *e)
{
    struct bytes in;
    while ((e->end = stream_read(e->s, &in)) == ERR_OK) {
        size_t n = in.n < stream_write_room(e->s) ? in.n : stream_write_room(e->s);
        if (n == 0 || stream_write(e->s, in.p, n))
            return POLL_PENDING;
        stream_consume(e->s, n);
        e->got += n;
        if (n < in.n)
            return POLL_PENDING;
    }
    return POLL_PENDING;
}

static void all_came_back(struct wire *x)
{
    CHECK_EQ_UINT(x->near.got, MUCH);
    CHECK_EQ_UINT(x->far.got, MUCH);
}

TEST(serial_every_byte_both_ways)
{
    const struct stream_limits some = {.read_max = 4096, .write_max = 8192, .write_low = 2048};
    for (size_t i = 0; i < SYSTEM_DRIVERS; i++)
        wire_run(drivers[i], &some, send_all, send_back, all_came_back);
}

/* --- the end --- */

static enum poll hear_the_end(struct wire_end *e)
{
    struct bytes in;
    while ((e->end = stream_read(e->s, &in)) == ERR_OK) {
        e->got += in.n;
        stream_consume(e->s, in.n);
    }
    if (e->end == ERR_AGAIN)
        return POLL_PENDING;
    executor_stop(e->wire->ex);
    return POLL_READY;
}

static enum poll say_and_leave(struct wire_end *e)
{
    if (e->sent == 0) {
        e->sent = 4;
        REQUIRE(stream_write(e->s, "gone", 4) == ERR_OK);
    }
    if (e->wire->near.got == 4)
        return POLL_READY;
    task_wake(&e->task); /* until it has arrived */
    return POLL_PENDING;
}

static void has_ended(struct wire *x)
{
    CHECK_EQ_UINT(x->near.got, 4);
    CHECK(x->near.end == ERR_CLOSED || x->near.end == ERR_IO);
}

TEST(serial_an_adapter_that_is_pulled_out)
{
    for (size_t i = 0; i < SYSTEM_DRIVERS; i++)
        wire_run(drivers[i], &(struct stream_limits){0}, hear_the_end, say_and_leave, has_ended);
}

/* --- closed in the middle of a send that nobody takes --- */

static enum poll send_and_close(struct wire_end *e)
{
    static const uint8_t much[MUCH];
    if (e->sent == 0) {
        REQUIRE(stream_write(e->s, much, sizeof(much)) == ERR_OK);
        e->sent = MUCH;
        task_wake(&e->task);
        return POLL_PENDING;
    }
    if (e->sent++ < MUCH + 3) { /* the line is full, and room is being waited for */
        task_wake(&e->task);
        return POLL_PENDING;
    }
    CHECK(stream_write_pending(e->s) > 0);
    executor_stop(e->wire->ex);
    return POLL_READY;
}

static enum poll take_nothing(struct wire_end *e)
{
    stream_set_limits(e->s, &(struct stream_limits){.read_max = 1});
    return POLL_PENDING;
}

static void nothing(struct wire *x)
{
    CHECK(!x->near.s);
}

TEST(serial_closes_without_waiting_for_what_is_unsent)
{
    for (size_t i = 0; i < SYSTEM_DRIVERS; i++)
        wire_run(drivers[i], &(struct stream_limits){0}, send_and_close, take_nothing, nothing);
}

/* --- opening --- */

TEST(serial_one_user_at_a_time)
{
    int master, slave, fd, again;
    char path[64];
    struct error e = {0};
    REQUIRE(openpty(&master, &slave, path, NULL, NULL) == 0);
    const struct serial_config c = {.path = str_from(path)};
    REQUIRE(CHECK_EQ_INT(serial_open(&c, &fd, &e), ERR_OK));
    CHECK_EQ_INT(serial_open(&c, &again, &e), ERR_BUSY);
    CHECK_HAS_STR(e.text, "another program has /dev/pts/");
    CHECK_EQ_INT(again, -1);
    REQUIRE(close(fd) == 0);
    if (CHECK_EQ_INT(serial_open(&c, &again, &e), ERR_OK))
        (void)close(again);
    (void)close(slave);
    (void)close(master);
}

TEST(serial_what_can_not_be_opened)
{
    static const struct {
        struct serial_config c;
        enum err want;
        const char *text;
    } rows[] = {
        {{.path = {"/dev/no-such-line", 17}}, ERR_NOT_FOUND, "there is no /dev/no-such-line"},
        {{.path = {"/dev/null", 9}}, ERR_UNSUPPORTED, "/dev/null is no serial device"},
        {{.path = {"", 0}}, ERR_INVALID, "has a path"},
        {{.path = {"ttyS0", 5}}, ERR_INVALID, "begins with /"},
        {{.path = {"/dev/x", 6}, .baud = 19201}, ERR_INVALID, "19201 baud"},
        {{.path = {"/dev/x", 6}, .data_bits = 6}, ERR_INVALID, "7 or 8 data bits"},
        {{.path = {"/dev/x", 6}, .stop_bits = 3}, ERR_INVALID, "1 or 2 stop bits"},
        {{.path = {"/dev/x", 6}, .parity = (enum serial_parity)3}, ERR_INVALID, "parity is"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct error e = {0};
        int fd;
        LABEL("%s", rows[i].text);
        CHECK_EQ_INT(serial_open(&rows[i].c, &fd, &e), rows[i].want);
        CHECK_HAS_STR(e.text, rows[i].text);
        CHECK_EQ_INT(fd, -1);
    }
}

TEST(serial_settings_as_text)
{
    char text[64];
    serial_format(&(struct serial_config){.path = STR("/dev/ttyUSB0")}, text, sizeof(text));
    CHECK_EQ_STR(text, "/dev/ttyUSB0 19200 8E1");
    serial_format(&(struct serial_config){.path = STR("/dev/ttyS1"),
                                          .baud = 9600,
                                          .parity = SERIAL_PARITY_NONE,
                                          .data_bits = 7,
                                          .stop_bits = 2},
                  text, sizeof(text));
    CHECK_EQ_STR(text, "/dev/ttyS1 9600 7N2");
}
