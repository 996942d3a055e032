/* log_output: where the lines of the log go, and in which form.
 *
 * Why: a person at a terminal reads a line, a collector reads JSON, and the system's journal knows
 * fields: PRIORITY, by which `journalctl -p warning` finds what matters, and SEDGE_PART, by which
 * `journalctl SEDGE_PART=mqtt` finds one part's lines. When standard error is the journal's
 * (JOURNAL_STREAM names it), lines go to its own socket; if that takes none, to standard error with
 * the priority before them, `<4>`, which the journal understands there.
 * Ownership: embedded; open at the start, before other threads; closed at the end.
 * Threads: lines come from any. Errors: a form's name that is not known.
 * After systemd's "Native Journal Protocol", and sd-daemon(3) for the prefix. */
#pragma once

#include "base/log.h"
#include "base/log_limit.h"
#include "base/str.h"

#include <sys/un.h>

enum log_form { LOG_FORM_AUTO, LOG_FORM_TEXT, LOG_FORM_JSON, LOG_FORM_JOURNAL };
MUST_USE enum err log_form_parse(const char *name, enum log_form *out);
MUST_USE enum err log_level_parse(const char *name, enum log_level *out);

struct log_output {
    enum log_form form; /* never AUTO */
    int fd;             /* where lines go */
    int journal;        /* socket; -1: none */
    struct sockaddr_un to;
    struct log_limit limit;
};
struct log_output_config {
    enum log_form form;
    int fd;              /* standard error */
    const char *journal; /* NULL: the system's */
};
void log_output_open(struct log_output *o, const struct log_output_config *cfg);
void log_output_close(struct log_output *o); /* back to plain lines on standard error */

/* One line in each form, for tests; the result is its length, at most `cap`. */
#define LOG_LINE_MAX 8192
size_t log_line_text(char *out, size_t cap, int64_t ms, enum log_level level, const char *part,
                     const char *text);
size_t log_line_json(char *out, size_t cap, int64_t ms, enum log_level level, const char *part,
                     const char *text);
size_t log_line_journal(char *out, size_t cap, enum log_level level, const char *part,
                        const char *text);
size_t log_line_prefixed(char *out, size_t cap, enum log_level level, const char *part,
                         const char *text);
