/* The sockets of both Linux drivers. */
#include "async/linux/socket_internal.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char *path_of(const struct sockaddr *sa)
{
    return ((const struct sockaddr_un *)(const void *)sa)->sun_path;
}

int linux_open(struct io_driver *d, int family)
{
    (void)d;
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return fd < 0 ? -errno : fd;
}

/* A file that a process left which is gone. A living one answers, and keeps it. */
static void remove_stale(const struct sockaddr *sa, socklen_t len)
{
    struct stat st;
    if (sa->sa_family != AF_UNIX || stat(path_of(sa), &st) != 0 || !S_ISSOCK(st.st_mode))
        return;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return;
    if (connect(fd, sa, len) != 0 && errno == ECONNREFUSED)
        (void)unlink(path_of(sa));
    (void)close(fd);
}

static bool set_options(int fd, int family, bool shared)
{
    int on = 1;
    if (family == AF_UNIX)
        return true;
    return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
           (!shared || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) == 0) &&
           (family != AF_INET6 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) == 0);
}

int linux_listen(struct io_driver *d, const struct sockaddr *sa, socklen_t len, bool shared)
{
    remove_stale(sa, len);
    int fd = linux_open(d, sa->sa_family);
    if (fd < 0)
        return fd;
    if (set_options(fd, sa->sa_family, shared) && bind(fd, sa, len) == 0 &&
        listen(fd, SOMAXCONN) == 0)
        return fd;
    int os_errno = errno;
    (void)close(fd);
    return -os_errno;
}

void linux_unlisten(struct io_driver *d, const struct sockaddr *sa)
{
    (void)d;
    if (sa->sa_family == AF_UNIX)
        (void)unlink(path_of(sa));
}

int linux_name(struct io_driver *d, int fd, struct sockaddr *sa, socklen_t *len)
{
    (void)d;
    return getsockname(fd, sa, len) == 0 ? 0 : -errno;
}

int linux_peer(struct io_driver *d, int fd, struct sockaddr *sa, socklen_t *len)
{
    (void)d;
    return getpeername(fd, sa, len) == 0 ? 0 : -errno;
}

void linux_no_delay(struct io_driver *d, int fd)
{
    int on = 1;
    (void)d;
    /* A unix socket has no such option; it does not wait either. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

void linux_send_end(struct io_driver *d, int fd)
{
    (void)d;
    (void)shutdown(fd, SHUT_WR);
}

void linux_drop(int fd)
{
    (void)close(fd);
}

const struct io_socket_ops linux_sockets = {
    .open = linux_open,
    .listen = linux_listen,
    .unlisten = linux_unlisten,
    .name = linux_name,
    .peer = linux_peer,
    .no_delay = linux_no_delay,
    .send_end = linux_send_end,
    .drop = linux_drop,
};
