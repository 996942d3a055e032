#include "doctor/doctor.h"
#include "host/fields.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PRIVILEGED = 1024, HOLDERS_MAX = 64 };

/* --- judging --- */

static void judge_bind(struct doctor *d, const struct port_facts *f, const char *at)
{
    const char *word = f->listen->word;
    if (f->bind_errno == EACCES)
        doctor_say(d, DOCTOR_PROBLEM, "ports", at,
                   "take a port above 1023, or allow it: CAP_NET_BIND_SERVICE in "
                   "AmbientCapabilities= and CapabilityBoundingSet= of the unit",
                   "%s: ports below %d need a right that this user has not", word, PRIVILEGED);
    else if (f->bind_errno == EADDRNOTAVAIL)
        doctor_say(d, DOCTOR_PROBLEM, "ports", at, "`ip address` lists those that there are",
                   "%s: this machine has no such address", word);
    else if (f->bind_errno)
        doctor_say(d, DOCTOR_PROBLEM, "ports", at, "", "%s: %s", word, strerror(f->bind_errno));
    else if (f->needs_right)
        doctor_say(d, DOCTOR_NOTE, "ports", at,
                   "look for CAP_NET_BIND_SERVICE in AmbientCapabilities= and "
                   "CapabilityBoundingSet= of the unit (systemctl cat sedge), or take a port above "
                   "1023",
                   "%s: free, but ports below %d need a right, and the site is not run by root",
                   word, PRIVILEGED);
    else
        doctor_say(d, DOCTOR_OK, "ports", at, "", "%s: free", word);
}

void doctor_judge_port(struct doctor *d, const struct port_facts *f)
{
    char at[ADDR_TEXT_MAX];
    addr_format(&f->listen->addr, at);
    switch (f->state) {
    case PORT_OURS:
        doctor_say(d, DOCTOR_OK, "ports", at, "", "%s: the site listens", f->listen->word);
        return;
    case PORT_CLOSED:
        doctor_say(d, DOCTOR_PROBLEM, "ports", at,
                   "what a site listens on changes with a restart only: systemctl restart sedge",
                   "%s: the site runs, but does not listen there", f->listen->word);
        return;
    case PORT_TAKEN:
        if (f->by)
            doctor_say(d, DOCTOR_PROBLEM, "ports", at, "stop that one, or take another port",
                       "%s: taken by %s (process %d)", f->listen->word, f->name, (int)f->by);
        else
            doctor_say(d, DOCTOR_PROBLEM, "ports", at,
                       "`sudo ss -ltnp` shows who; stop that one, or take another port",
                       "%s: taken by a process that is not shown to this user", f->listen->word);
        return;
    case PORT_FREE: judge_bind(d, f, at); return;
    }
}

/* --- who listens --- */

struct holders {
    uint64_t inodes[HOLDERS_MAX]; /* of sockets that listen on the port */
    size_t n;
};

/* "  0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000  0 48211 …":
 * state 0A listens. Any address counts: one for all of them is in the way as well. */
static void find_tcp(struct holders *h, const char *file, uint16_t port)
{
    char line[512];
    FILE *f = fopen(file, "re");
    while (f && h->n < HOLDERS_MAX && fgets(line, sizeof(line), f)) {
        struct str local, part, state;
        uint64_t at, inode;
        if (field_at(line, 1, &local) && field_part(local, ':', 1, &part) &&
            field_number(part, 16, &at) && at == port && field_at(line, 3, &state) &&
            str_eq(state, STR("0A")) && field_decimal(line, 9, &inode))
            h->inodes[h->n++] = inode;
    }
    if (f)
        (void)fclose(f);
}

static bool has_socket(const char *process, const struct holders *h)
{
    char folder[300], link[600], target[64];
    uint64_t inode;
    bool found = false;
    (void)snprintf(folder, sizeof(folder), "/proc/%.200s/fd", process);
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    while (dir && !found && (entry = readdir(dir))) {
        (void)snprintf(link, sizeof(link), "%s/%.200s", folder, entry->d_name);
        ssize_t n = readlink(link, target, sizeof(target) - 1);
        target[n > 0 ? n : 0] = '\0';
        struct str name = str_from(target);
        if (str_starts(name, STR("socket:[")) &&
            field_number(str_sub(name, 8, name.n - 9), 10, &inode))
            for (size_t i = 0; i < h->n; i++)
                found = found || h->inodes[i] == inode;
    }
    if (dir)
        (void)closedir(dir);
    return found;
}

static void name_process(pid_t pid, char out[64])
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
    FILE *f = fopen(path, "re");
    if (!f || !fgets(out, 64, f))
        (void)snprintf(out, 64, "another process");
    out[strcspn(out, "\n")] = '\0';
    if (f)
        (void)fclose(f);
}

static pid_t find_process(const struct holders *h)
{
    pid_t found = 0;
    DIR *dir = opendir("/proc");
    const struct dirent *entry;
    while (dir && !found && (entry = readdir(dir)))
        if (isdigit((unsigned char)entry->d_name[0]) && has_socket(entry->d_name, h))
            found = (pid_t)strtol(entry->d_name, NULL, 10);
    if (dir)
        (void)closedir(dir);
    return found;
}

/* --- facts --- */

static int try_bind(const struct addr *a)
{
    int on = 1, why = 0;
    int fd = socket(a->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)); /* as listeners do */
    if (bind(fd, &a->sa, a->len) != 0 || listen(fd, 1) != 0)
        why = errno;
    (void)close(fd);
    return why;
}

/* Whose the store is runs the site; that root could take a port says nothing of them. */
static bool run_by_root(const struct doctor *d)
{
    struct stat st;
    return stat(d->site->store, &st) != 0 || st.st_uid == 0;
}

static void look_at_tcp(struct doctor *d, struct port_facts *f)
{
    struct holders h = {0};
    uint16_t port = addr_port(&f->listen->addr);
    char process[16];
    find_tcp(&h, "/proc/net/tcp", port);
    find_tcp(&h, "/proc/net/tcp6", port);
    (void)snprintf(process, sizeof(process), "%d", (int)d->site->runs);
    if (d->site->runs) {
        /* Whose descriptors may not be looked at is believed to be the one who listens. */
        char folder[64];
        (void)snprintf(folder, sizeof(folder), "/proc/%s/fd", process);
        bool ours = h.n > 0 && (access(folder, R_OK) != 0 || has_socket(process, &h));
        f->state = ours ? PORT_OURS : h.n > 0 ? PORT_TAKEN : PORT_CLOSED;
    } else {
        f->bind_errno = try_bind(&f->listen->addr);
        f->state = f->bind_errno == EADDRINUSE ? PORT_TAKEN : PORT_FREE;
        f->needs_right = port < PRIVILEGED && geteuid() == 0 && !run_by_root(d);
    }
    if (f->state == PORT_TAKEN && (f->by = find_process(&h)))
        name_process(f->by, f->name);
}

/* A file that nobody listens on any more is the site's to replace. */
static void look_at_unix(struct doctor *d, struct port_facts *f)
{
    const struct addr *a = &f->listen->addr;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool listens = fd >= 0 && connect(fd, &a->sa, a->len) == 0;
    char folder[sizeof(a->un.sun_path)];
    if (fd >= 0)
        (void)close(fd);
    (void)snprintf(folder, sizeof(folder), "%s", a->un.sun_path);
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = '\0';
    f->state = d->site->runs ? (listens ? PORT_OURS : PORT_CLOSED)
               : listens     ? PORT_TAKEN
                             : PORT_FREE;
    if (f->state == PORT_FREE && access(folder, W_OK | X_OK) != 0)
        f->bind_errno = errno == EACCES ? EPERM : errno;
}

void doctor_ports(struct doctor *d)
{
    for (size_t i = 0; i < d->site->listens_n; i++) {
        struct port_facts f = {.listen = &d->site->listens[i]};
        if (f.listen->addr.sa.sa_family == AF_UNIX)
            look_at_unix(d, &f);
        else
            look_at_tcp(d, &f);
        doctor_judge_port(d, &f);
    }
}
