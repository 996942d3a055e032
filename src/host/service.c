#include "host/service.h"
#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINES_MAX = 1024 };

static const struct str credential = {"credential:", 11};

/* --- the manager's address --- */

static bool address_of(struct service *s, const char *path)
{
    size_t n = path ? strlen(path) : 0;
    if (n < 2 || n >= sizeof(s->to.sun_path) || (path[0] != '/' && path[0] != '@'))
        return false;
    s->to = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(s->to.sun_path, path, n);
    if (path[0] == '@')
        s->to.sun_path[0] = '\0';
    /* An abstract name ends where the address does; a path has its NUL. */
    s->to_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (path[0] == '/'));
    return true;
}

static int64_t number(const char *text)
{
    int64_t n = 0;
    return text && str_to_i64(str_from(text), &n) == ERR_OK && n > 0 ? n : 0;
}

void service_open(struct service *s, char *(*env)(const char *name))
{
    const char *pid = env("WATCHDOG_PID");
    *s = (struct service){0};
    if (!address_of(s, env("NOTIFY_SOCKET")))
        return;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    s->fd = fd > 0 ? fd : 0;
    if (!pid || number(pid) == getpid()) /* else it is somebody else who is watched */
        s->watchdog_ms = number(env("WATCHDOG_USEC")) / 1000;
}

void service_close(struct service *s)
{
    if (s->fd > 0)
        (void)close(s->fd);
    *s = (struct service){0};
}

/* --- telling --- */

static void tell(const struct service *s, const char *lines, size_t n)
{
    (void)sendto(s->fd, lines, n, MSG_NOSIGNAL, (const struct sockaddr *)&s->to, s->to_len);
}

static size_t print(char out[LINES_MAX], const char *fmt, va_list ap)
{
    int n = vsnprintf(out, LINES_MAX, fmt, ap);
    return n < 0 ? 0 : n < LINES_MAX ? (size_t)n : LINES_MAX - 1;
}

void service_tell(const struct service *s, const char *fmt, ...)
{
    char lines[LINES_MAX];
    va_list ap;
    if (s->fd <= 0)
        return;
    va_start(ap, fmt);
    size_t n = print(lines, fmt, ap);
    va_end(ap);
    tell(s, lines, n);
}

/* Of whole characters, without controls: the manager drops a state that is no UTF-8. */
static size_t one_line(char *out, size_t cap, struct str text)
{
    size_t n = 0;
    for (size_t at = 0, from = 0; at < text.n; from = at) {
        uint32_t c = utf8_next(text, &at);
        size_t bytes = at - from;
        bool shown = c >= 0x20 && c != 0x7F && !(c == 0xFFFD && bytes == 1);
        if (n + (shown ? bytes : 1) > cap)
            break;
        if (shown)
            memcpy(out + n, text.p + from, bytes);
        else
            out[n] = c < 0x20 ? ' ' : '?';
        n += shown ? bytes : 1;
    }
    return n;
}

void service_status(const struct service *s, const char *lines, const char *fmt, ...)
{
    char text[LINES_MAX], all[LINES_MAX];
    va_list ap;
    if (s->fd <= 0)
        return;
    va_start(ap, fmt);
    size_t n = print(text, fmt, ap);
    va_end(ap);
    int head = snprintf(all, sizeof(all), "%sSTATUS=", lines);
    ASSERT(head > 0 && head < LINES_MAX);
    n = one_line(all + head, sizeof(all) - (size_t)head, (struct str){text, n});
    tell(s, all, (size_t)head + n);
}

void service_reloading(const struct service *s)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    service_tell(s, "RELOADING=1\nMONOTONIC_USEC=%lld\nSTATUS=reading the site again",
                 (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
}

/* --- secrets --- */

static enum err credential_path(char *out, size_t cap, struct str name, struct error *e)
{
    const char *dir = getenv("CREDENTIALS_DIRECTORY");
    if (name.n == 0 || str_find(name, '/', NULL) || name.p[0] == '.')
        return error_set(e, ERR_INVALID, "credential:%.*s: a name without slashes belongs there",
                         STR_FMT(name));
    if (!dir)
        return error_set(e, ERR_NOT_FOUND,
                         "credential:%.*s: the service manager gave no credentials "
                         "(LoadCredential=%.*s:FILE in the unit)",
                         STR_FMT(name), STR_FMT(name));
    int n = snprintf(out, cap, "%s/%.*s", dir, STR_FMT(name));
    return n < 0 || (size_t)n >= cap
               ? error_set(e, ERR_RANGE, "the path of a credential is too long")
               : ERR_OK;
}

enum err service_path(char *out, size_t cap, const char *folder, struct str text, struct error *e)
{
    if (str_starts(text, credential))
        return credential_path(out, cap, str_sub(text, credential.n, text.n), e);
    bool absolute = text.n && text.p[0] == '/';
    int n =
        snprintf(out, cap, "%s%s%.*s", absolute ? "" : folder, absolute ? "" : "/", STR_FMT(text));
    if (n < 0 || (size_t)n >= cap)
        return error_set(e, ERR_RANGE, "the path of %.*s is too long", STR_FMT(text));
    return ERR_OK;
}
