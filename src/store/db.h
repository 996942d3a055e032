/* db: the SQLite database of a site: one writer, short readers, migrations.
 *
 * WAL, synchronous FULL, page 4096, autocheckpoint 4000 pages, foreign keys on. All statements
 * run on the offload pool: writes one after the other on the one writer connection, reads on
 * reader connections side by side. At start and in tools the same jobs may be run directly.
 * A damaged database is renamed to `sedge.db.damaged-<time>`, what can be read is salvaged
 * (table by table), and the log says what was lost; never silently an empty one.
 * The files lie on the disk of the executor's environment (vfs.h if that is a simulated one, where
 * damage is only an error).
 * Threads: as struct offload_job says. */
#pragma once

#include "async/offload.h"
#include "base/str.h"

struct sqlite3;
struct db;

/* Steps of one folder's tables, in order; the number reached is stored under `part`. */
struct db_migration {
    const char *part; /* "history" */
    const char *const
        *steps; /* SQL scripts; step i brings version i to i + 1; never edit an old one */
    unsigned count;
};

struct db_config {
    struct executor *ex; /* NULL in tools: only db_run_now() works */
    struct alloc *alloc;
    const char *path;
};
MUST_USE enum err db_open(struct db **out, const struct db_config *cfg, struct error *e);
/* With the executor stopped: waits for all jobs and calls their done(). Before what they belong to
 * goes. */
void db_drain(struct db *d);
void db_close(struct db *d); /* drains too */
MUST_USE enum err db_migrate(struct db *d, const struct db_migration *m, struct error *e);

struct db_job {
    struct offload_job job; /* the db's */
    struct db *db;
    bool write;
    /* Pool thread. For a write it runs inside BEGIN IMMEDIATE … COMMIT; an error rolls back. */
    enum err (*run)(struct db_job *j, struct sqlite3 *sql);
    void (*done)(struct db_job *j); /* its worker; j->result and j->error are set */
    enum err result;
    struct error error;
};
/* ERR_FULL: too many jobs wait. */
MUST_USE enum err db_submit(struct db *d, struct worker *w, struct db_job *j);
/* On the calling thread, at start-up, shutdown and in tools. */
MUST_USE enum err db_run_now(struct db *d, struct db_job *j);

/* Cursors of journal consumers, in table cursor(name, seq); call inside a write job. */
MUST_USE enum err db_cursor_get(struct sqlite3 *sql, const char *name, uint64_t *seq,
                                struct error *e);
MUST_USE enum err db_cursor_set(struct sqlite3 *sql, const char *name, uint64_t seq,
                                struct error *e);
/* error_set() from the connection's message. */
enum err db_error(struct sqlite3 *sql, struct error *e, const char *what);
