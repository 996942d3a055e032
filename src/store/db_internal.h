/* db_internal: what the files of the database share; private to store/. */
#pragma once

#include "base/list.h"
#include "store/db.h"
#include "store/vfs.h"
#include <pthread.h>
#include <sqlite3.h>

#define DB_PATH_MAX       400u
#define DB_READERS        2u
#define DB_JOBS_MAX       4096u
#define DB_APPLICATION_ID 0x53454447 /* "SEDG" */

struct db {
    struct executor *ex;
    struct alloc *alloc;
    char path[DB_PATH_MAX + 1];
    struct vfs *vfs; /* NULL: SQLite's own, on the system's disk */
    struct offload_queue *writes, *reads;

    pthread_mutex_t write_lock; /* who holds it uses `writer` */
    sqlite3 *writer;

    pthread_mutex_t read_lock; /* guards the two arrays; connections are opened when needed */
    pthread_cond_t read_free;
    sqlite3 *reader[DB_READERS];
    bool taken[DB_READERS];
};

/* Opens a connection with our settings. vfs NULL: SQLite's own. */
MUST_USE enum err db_connect(const char *path, const struct vfs *vfs, bool write, sqlite3 **out,
                             struct error *e);
MUST_USE enum err db_exec(sqlite3 *sql, const char *script, struct error *e);

/* db_salvage.c, for files of the system's disk: puts the damaged one aside, makes a new one of what
 * can be read of it. */
MUST_USE enum err db_salvage(const char *path, struct error *e);
/* A file beside the database says that damage was met while it was in use. */
void db_suspect_mark(const char *path);
bool db_suspect(const char *path);
void db_suspect_clear(const char *path);
