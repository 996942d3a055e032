#include "net/serial.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/serial.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

/* The device, before a stream is made of it. */

enum { BAUD_DEFAULT = 19200, PTY_MAJOR_FIRST = 136, PTY_MAJOR_LAST = 143 };

static const struct rate {
    uint32_t baud;
    speed_t speed;
} rates[] = {
    {1200, B1200},       {2400, B2400},       {4800, B4800},       {9600, B9600},
    {19200, B19200},     {38400, B38400},     {57600, B57600},     {115200, B115200},
    {230400, B230400},   {460800, B460800},   {500000, B500000},   {576000, B576000},
    {921600, B921600},   {1000000, B1000000}, {1152000, B1152000}, {1500000, B1500000},
    {2000000, B2000000}, {2500000, B2500000}, {3000000, B3000000}, {3500000, B3500000},
    {4000000, B4000000},
};

static const struct rate *rate_of(const struct serial_config *c)
{
    uint32_t baud = c->baud ? c->baud : BAUD_DEFAULT;
    for (size_t i = 0; i < ARRAY_LEN(rates); i++) {
        if (rates[i].baud == baud)
            return &rates[i];
    }
    return NULL;
}

enum err serial_check(const struct serial_config *c, struct error *e)
{
    if (c->path.n == 0 || c->path.n >= SERIAL_PATH_MAX || memchr(c->path.p, '\0', c->path.n))
        return error_set(e, ERR_INVALID, "a serial device has a path, such as /dev/ttyUSB0");
    if (c->path.p[0] != '/')
        return error_set(e, ERR_INVALID, "the path of a serial device begins with /");
    if (!rate_of(c))
        return error_set(e, ERR_INVALID, "%u baud is not one of the usual rates", c->baud);
    if (c->parity > SERIAL_PARITY_NONE)
        return error_set(e, ERR_INVALID, "parity is even, odd or none");
    if (c->data_bits != 0 && c->data_bits != 7 && c->data_bits != 8)
        return error_set(e, ERR_INVALID, "a serial device has 7 or 8 data bits");
    if (c->stop_bits > 2)
        return error_set(e, ERR_INVALID, "a serial device has 1 or 2 stop bits");
    return ERR_OK;
}

void serial_format(const struct serial_config *c, char *out, size_t n)
{
    (void)snprintf(out, n, "%.*s %u %u%c%u", STR_FMT(c->path), c->baud ? c->baud : BAUD_DEFAULT,
                   c->data_bits ? c->data_bits : 8u, "EON"[c->parity],
                   c -> stop_bits ? c -> stop_bits : 1u);
}

static enum err refused(int os_errno, const char *path, struct error *e)
{
    switch (os_errno) {
    case ENOENT:
    case ENXIO:
    case ENODEV: return error_set(e, ERR_NOT_FOUND, "there is no %s", path);
    case EACCES:
    case EPERM:
        return error_set(e, ERR_DENIED, "%s may not be opened (is the user in its group?)", path);
    case EBUSY:
    case EWOULDBLOCK: return error_set(e, ERR_BUSY, "another program has %s", path);
    case ENOTTY: return error_set(e, ERR_UNSUPPORTED, "%s is no serial device", path);
    default: return error_set_os(e, os_errno, "%s can't be used", path);
    }
}

/* A pseudo-terminal has neither speed nor parity, and keeps TIOCEXCL when who set it has gone. */
static bool is_pseudo(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && major(st.st_rdev) >= PTY_MAJOR_FIRST &&
           major(st.st_rdev) <= PTY_MAJOR_LAST;
}

static void make_raw(struct termios *t, const struct serial_config *c, speed_t speed)
{
    t->c_iflag = IGNBRK;
    t->c_oflag = 0;
    t->c_lflag = 0;
    t->c_cflag = CREAD | CLOCAL | (c->data_bits == 7 ? CS7 : CS8);
    if (c->parity != SERIAL_PARITY_NONE) {
        t->c_iflag |= INPCK; /* a damaged character reads as 0, and the frame's sum is wrong */
        t->c_cflag |= PARENB | (c->parity == SERIAL_PARITY_ODD ? PARODD : 0u);
    }
    if (c->stop_bits == 2)
        t->c_cflag |= CSTOPB;
    t->c_cc[VMIN] = 1; /* so that 0 bytes are the end */
    t->c_cc[VTIME] = 0;
    (void)cfsetispeed(t, speed);
    (void)cfsetospeed(t, speed);
}

/* tcsetattr() is content when it could set anything at all. */
static bool settings_hold(int fd, const struct termios *want)
{
    static const tcflag_t matter = CSIZE | PARENB | PARODD | CSTOPB;
    struct termios have;
    return tcgetattr(fd, &have) == 0 && cfgetospeed(&have) == cfgetospeed(want) &&
           (have.c_cflag & matter) == (want->c_cflag & matter);
}

/* Adapters gather bytes for up to 16 ms unless they are asked not to. Those that do not know the
 * question don't gather. */
static void ask_for_low_latency(int fd)
{
    struct serial_struct s;
    if (ioctl(fd, TIOCGSERIAL, &s) != 0)
        return;
    s.flags |= (int)ASYNC_LOW_LATENCY;
    (void)ioctl(fd, TIOCSSERIAL, &s);
}

static enum err prepare(int fd, const struct serial_config *c, const char *path, struct error *e)
{
    const struct rate *rate = rate_of(c);
    struct termios t;
    if (tcgetattr(fd, &t) != 0)
        return refused(errno, path, e);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 || (!is_pseudo(fd) && ioctl(fd, TIOCEXCL) != 0))
        return refused(errno, path, e);
    make_raw(&t, c, rate->speed);
    if (is_pseudo(fd))
        t.c_cflag &= ~(tcflag_t)(PARENB | PARODD);
    if (tcsetattr(fd, TCSANOW, &t) != 0)
        return refused(errno, path, e);
    if (!settings_hold(fd, &t))
        return error_set(e, ERR_UNSUPPORTED, "%s can't do %u baud with these bits", path,
                         rate->baud);
    ask_for_low_latency(fd);
    (void)tcflush(fd, TCIOFLUSH);
    return ERR_OK;
}

enum err serial_open(const struct serial_config *c, int *fd, struct error *e)
{
    char path[SERIAL_PATH_MAX];
    *fd = -1;
    enum err r = serial_check(c, e);
    if (r)
        return r;
    (void)snprintf(path, sizeof(path), "%.*s", STR_FMT(c->path));
    int opened = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (opened < 0)
        return refused(errno, path, e);
    r = prepare(opened, c, path, e);
    if (r)
        (void)close(opened);
    else
        *fd = opened;
    return r;
}
