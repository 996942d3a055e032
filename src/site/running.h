/* running: where a site answers while it runs, and how a command knows that it is the one it means.
 *
 * Why: a command is told a folder. What its files say now need not be what runs: one of them may
 * have an error at this moment, and another site may hold the address. So the running site writes
 * into its store's lock, which it holds all the time, the address of its page and the number of
 * its run, and every answer of its page carries that number (SITE_MARK_FIELD). A record whose site
 * has ended without a word (a power cut) can do no harm: nobody answers with its number.
 * Ownership: the caller's. Threads: any. Errors: site_running_write() ERR_IO, with a text. */
#pragma once

#include "dashboard/dashboard.h"
#include "lang/lang.h"

#include <limits.h>

struct site_running {
    char run[DASHBOARD_RUN_MAX]; /* the number */
    char url[160];               /* of its first page, "https://127.0.0.1:8443"; "": it has none */
    char cert[PATH_MAX];         /* that shows itself there; "": none */
    bool tls_1_2;
};
/* Into the lock, open as `fd`; instead of what is there. */
MUST_USE enum err site_running_write(int fd, const struct site_running *r, struct error *e);
/* It has ended, or is not there yet. */
void site_running_clear(int fd);

enum site_runs {
    SITE_RUNS_NOT,     /* nobody has the store in use */
    SITE_RUNS_UNKNOWN, /* somebody has, and does not say where he answers, or it can't be read */
    SITE_RUNS_THERE,   /* *out says where, unless it has ended without a word */
};
enum site_runs site_running_read(struct site_running *out, const char *store);

/* The folder of the data by what the files say, also if there are errors in them: nothing is looked
 * at but the first text behind `store` in a server's block. */
MUST_USE enum err site_running_store(char out[PATH_MAX], const char *path, struct error *e);
