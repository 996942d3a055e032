#include "backup/backup.h"
#include "doctor/doctor.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SEGMENTS_MANY = 12, TRIES = 4 }; /* the journal's budget is eight */

static const char how[] =
    "stop the site, sedge backup what is there, and restore the last whole "
    "backup; or start it: what can be read is kept, the log tells what is lost";

static const char *while_it(const struct doctor *d)
{
    return d->site->runs ? "while the site runs" : "the site does not run";
}

static void look_at_journal(struct doctor *d, struct journal_seen *j)
{
    struct error e = {0};
    const char *dir = d->site->store;
    enum err err = ERR_AGAIN;
    for (int i = 0; i < TRIES && err == ERR_AGAIN; i++)
        err = journal_inspect(disk_linux(), d->alloc, dir, NULL, NULL, j, &e);
    if (err)
        doctor_say(d, DOCTOR_PROBLEM, "journal", dir, "as the site's user, or root, more is seen",
                   "it can't be read: %s", err == ERR_AGAIN ? "it changed each time" : e.text);
    else if (j->holes)
        doctor_say(d, DOCTOR_PROBLEM, "journal", dir, how, "damaged at %u place%s: %s", j->holes,
                   j->holes == 1 ? "" : "s", j->damage);
    else if (j->segments > SEGMENTS_MANY)
        doctor_say(d, DOCTOR_WARNING, "journal", dir,
                   "the log tells which part can't write to the database",
                   "it has %" PRIu64 " segments: something does not let go of old ones",
                   j->segments);
    else
        doctor_say(d, DOCTOR_OK, "journal", dir, "",
                   "records %" PRIu64 " to %" PRIu64 " in %" PRIu64 " frames, all whole (%s)",
                   j->first_seq, j->last_seq, j->frames, while_it(d));
    if (!err && !d->site->runs && j->torn_bytes)
        doctor_say(d, DOCTOR_NOTE, "journal", dir, "",
                   "%" PRIu64
                   " bytes of a group that was never acknowledged: a power cut, or kill -9",
                   j->torn_bytes);
}

static void look_at_database(struct doctor *d, const struct journal_seen *j)
{
    char path[4096];
    struct db_seen db;
    struct error e = {0};
    (void)snprintf(path, sizeof(path), "%.4000s/sedge.db", d->site->store);
    if (access(path, F_OK) != 0) {
        if (j->last_seq)
            doctor_say(d, DOCTOR_PROBLEM, "database", path, "restore it from a backup",
                       "it is gone, and the journal is still there");
        else
            doctor_say(d, DOCTOR_NOTE, "database", path, "", "the site has not run yet");
        return;
    }
    if (db_inspect(path, true, &db, &e))
        doctor_say(d, DOCTOR_PROBLEM, "database", path, "as the site's user, or root, more is seen",
                   "it can't be read: %s", e.text);
    else if (db.damage[0])
        doctor_say(d, DOCTOR_PROBLEM, "database", path, how, "%s", db.damage);
    else if (!d->site->runs && db.cursor_max > j->last_seq)
        doctor_say(d, DOCTOR_PROBLEM, "database", path,
                   "was a journal lost, or one of another day "
                   "put there? restore both from one backup",
                   "it knows records up to %" PRIu64 ", the journal ends at %" PRIu64,
                   db.cursor_max, j->last_seq);
    else
        doctor_say(d, DOCTOR_OK, "database", path, "",
                   "%" PRIu64 " KiB, every page is whole, up to record %" PRIu64 " (%s)",
                   db.bytes / 1024, db.cursor_max, while_it(d));
}

/* What earlier troubles have left. */
static void look_for_traces(struct doctor *d)
{
    DIR *dir = opendir(d->site->store);
    const struct dirent *entry;
    while (dir && (entry = readdir(dir))) {
        char path[4400];
        (void)snprintf(path, sizeof(path), "%.4000s/%s", d->site->store, entry->d_name);
        if (strcmp(entry->d_name, RESTORE_MARK) == 0)
            doctor_say(d, DOCTOR_PROBLEM, "store", path, "repeat it: sedge restore FILE SITE",
                       "a restore was interrupted; the site does not start");
        else if (strstr(entry->d_name, ".damaged-"))
            doctor_say(d, DOCTOR_WARNING, "store", path,
                       "look for the cause (`smartctl -a`, `dmesg`), then remove it",
                       "damage was met and mended; this is what it was");
        else if (strstr(entry->d_name, ".suspect"))
            doctor_say(d, DOCTOR_WARNING, "store", path, "restart the site: it is checked then",
                       "the site has met damage in its database while it ran");
    }
    if (dir)
        (void)closedir(dir);
}

void doctor_store(struct doctor *d)
{
    struct journal_seen j = {0};
    if (access(d->site->store, F_OK) != 0) {
        doctor_say(d, DOCTOR_NOTE, "store", d->site->store, "", "the site has not run yet");
        return;
    }
    look_at_journal(d, &j);
    look_at_database(d, &j);
    look_for_traces(d);
}
