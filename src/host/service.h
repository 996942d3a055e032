/* service: what a service manager and the program tell each other.
 *
 * Why: systemd starts what depends on the site when it is ready, shows one line of its state, waits
 * as long as a replay takes, and starts it anew when it hangs. The protocol is one datagram of
 * `KEY=value` lines to the unix socket that NOTIFY_SOCKET names (a path, or `@name` in the abstract
 * name space), so it takes no library. Without that variable nothing is told to anybody.
 * Ownership: embedded; service_close() is safe on a zeroed one. Threads: any may tell.
 * Errors: none that matter to a site: what can't be told is dropped.
 * After sd_notify(3), sd_watchdog_enabled(3) and systemd.exec(5), "Credentials". */
#pragma once

#include "base/str.h"

#include <sys/socket.h>
#include <sys/un.h>

struct service {
    int fd; /* 0: nobody listens */
    struct sockaddr_un to;
    socklen_t to_len;
    int64_t watchdog_ms; /* a sign of life is due within this time; 0: none is asked for */
};

/* What the manager says in the environment, by a function like getenv(). */
void service_open(struct service *s, char *(*env)(const char *name));
void service_close(struct service *s);

/* Lines of the protocol, "READY=1". They are the program's own words: see service_status(). */
void service_tell(const struct service *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* These lines ("", or each with its newline) and a state in words. In it may be what files and
 * other programs say, so it becomes one line, whatever is in it: none of its own can be a line of
 * the protocol. */
void service_status(const struct service *s, const char *lines, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
/* Reads its files again, from now until service_tell("READY=1"). */
void service_reloading(const struct service *s);

/* The file that `credential:NAME` stands for: NAME in the folder CREDENTIALS_DIRECTORY, where only
 * this process finds it. Another text is taken as it is. Relative ones begin in `folder`. */
MUST_USE enum err service_path(char *out, size_t cap, const char *folder, struct str text,
                               struct error *e);
