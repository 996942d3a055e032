#include "host/log_output.h"
#include "async/fd.h"
#include "base/clock.h"
#include "host/fields.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

/* --- names --- */

enum err log_form_parse(const char *name, enum log_form *out)
{
    static const char *const names[] = {"auto", "text", "json", "journal"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(name, names[i]) == 0) {
            *out = (enum log_form)i;
            return ERR_OK;
        }
    return ERR_INVALID;
}

enum err log_level_parse(const char *name, enum log_level *out)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(name, names[i]) == 0) {
            *out = (enum log_level)i;
            return ERR_OK;
        }
    return ERR_INVALID;
}

/* Of syslog(3). */
static int priority(enum log_level level)
{
    static const int of[] = {7, 6, 4, 3};
    return of[level];
}

/* --- lines --- */

static size_t fitted(int n, size_t cap)
{
    return n < 0 ? 0 : (size_t)n < cap ? (size_t)n : cap - 1;
}

size_t log_line_text(char *out, size_t cap, int64_t ms, enum log_level level, const char *part,
                     const char *text)
{
    char when[25];
    time_format(ms, when);
    return fitted(snprintf(out, cap, "%s %s %s: %s\n", when, log_level_name(level), part, text),
                  cap);
}

size_t log_line_prefixed(char *out, size_t cap, enum log_level level, const char *part,
                         const char *text)
{
    return fitted(snprintf(out, cap, "<%d>%s: %s\n", priority(level), part, text), cap);
}

size_t log_line_journal(char *out, size_t cap, enum log_level level, const char *part,
                        const char *text)
{
    /* No value has a newline: log.c has made it visible. */
    return fitted(snprintf(out, cap,
                           "MESSAGE=%s: %s\nPRIORITY=%d\nSYSLOG_IDENTIFIER=sedge\nSEDGE_PART=%s\n",
                           part, text, priority(level), part),
                  cap);
}

/* Of an UTF-8 text without control characters. */
static size_t quote(char *out, size_t cap, const char *text)
{
    size_t n = 0;
    for (; *text && n + 3 < cap; text++) {
        if (*text == '"' || *text == '\\')
            out[n++] = '\\';
        out[n++] = *text;
    }
    out[n] = '\0';
    return n;
}

size_t log_line_json(char *out, size_t cap, int64_t ms, enum log_level level, const char *part,
                     const char *text)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    char when[25], quoted[LOG_LINE_MAX / 2];
    time_format(ms, when);
    (void)quote(quoted, sizeof(quoted), text);
    return fitted(snprintf(out, cap,
                           "{\"time\":\"%s\",\"level\":\"%s\",\"part\":\"%s\",\"text\":\"%s\"}\n",
                           when, names[level], part, quoted),
                  cap);
}

/* --- where to --- */

/* A line that can't be written has nowhere to complain. */
static void put(int fd, const char *p, size_t n)
{
    (void)!fd_write_all(fd, p, n);
}

static bool to_journal(const struct log_output *o, enum log_level level, const char *part,
                       const char *text)
{
    char line[LOG_LINE_MAX];
    size_t n = log_line_journal(line, sizeof(line), level, part, text);
    return o->journal >= 0 && sendto(o->journal, line, n, MSG_NOSIGNAL | MSG_DONTWAIT,
                                     (const struct sockaddr *)&o->to, sizeof(o->to)) >= 0;
}

static void sink(void *ctx, enum log_level level, const char *part, const char *text)
{
    const struct log_output *o = ctx;
    char line[LOG_LINE_MAX];
    struct timespec now;
    size_t n;
    clock_gettime(CLOCK_REALTIME, &now);
    int64_t ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    if (o->form == LOG_FORM_JOURNAL && to_journal(o, level, part, text))
        return;
    if (o->form == LOG_FORM_JOURNAL)
        n = log_line_prefixed(line, sizeof(line), level, part, text);
    else if (o->form == LOG_FORM_JSON)
        n = log_line_json(line, sizeof(line), ms, level, part, text);
    else
        n = log_line_text(line, sizeof(line), ms, level, part, text);
    put(o->fd, line, n);
}

/* JOURNAL_STREAM is "DEVICE:INODE" of what the service manager has connected us to; a child whose
 * output was redirected has the variable too, but another file. */
static bool is_journal(int fd)
{
    const char *stream = getenv("JOURNAL_STREAM");
    uint64_t device = 0, inode = 0;
    struct str part;
    struct stat st;
    return stream && field_part(str_from(stream), ':', 0, &part) &&
           field_number(part, 10, &device) && field_part(str_from(stream), ':', 1, &part) &&
           field_number(part, 10, &inode) && fstat(fd, &st) == 0 && st.st_dev == device &&
           st.st_ino == inode;
}

void log_output_open(struct log_output *o, const struct log_output_config *cfg)
{
    const char *path = cfg->journal ? cfg->journal : JOURNAL_SOCKET;
    *o = (struct log_output){.form = cfg->form, .fd = cfg->fd, .journal = -1};
    if (o->form == LOG_FORM_AUTO)
        o->form = is_journal(o->fd) ? LOG_FORM_JOURNAL : LOG_FORM_TEXT;
    if (o->form == LOG_FORM_JOURNAL && strlen(path) < sizeof(o->to.sun_path)) {
        o->to.sun_family = AF_UNIX;
        memcpy(o->to.sun_path, path, strlen(path));
        o->journal = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    }
    log_set_sink(sink, o);
    log_set_limit(&o->limit);
}

void log_output_close(struct log_output *o)
{
    log_set_limit(NULL);
    log_set_sink(NULL, NULL);
    if (o->journal >= 0)
        (void)close(o->journal);
    o->journal = -1;
}
