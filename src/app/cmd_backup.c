/* cmd_backup: a site in one file, and that file looked at; cmd_restore.c puts it back. */
#include "app/cmd_backup.h"
#include "app/args.h"
#include "app/terminal.h"
#include "backup/backup.h"
#include "base/clock.h"
#include "codec/json.h"
#include "site/place.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { O_DATA = 256, O_VERIFY, O_KEEP };
#define SUFFIX ".tar.zst"

struct backup_options {
    const char *site, *file, *data;
    bool verify, json;
    int64_t keep; /* 0: all */
};

int backup_failed(const char *command, const struct error *e)
{
    char where[4 * sizeof(e->where)], text[4 * sizeof(e->text)]; /* names of a file of whoever */
    (void)fprintf(stderr, "sedge %s: %s%s%s\n", command,
                  terminal_shown(e->where, where, sizeof(where)), e->where[0] ? ": " : "",
                  terminal_shown(e->text[0] ? e->text : err_name(e->code), text, sizeof(text)));
    return EXIT_FINDING;
}

void backup_describe(struct json_writer *w, const struct manifest *m)
{
    char when[25];
    time_format(m->made_ms, when);
    json_key(w, "site");
    json_cstr(w, m->name);
    json_key(w, "made");
    json_cstr(w, when);
    json_key(w, "sedge");
    json_cstr(w, m->version);
    json_key(w, "files");
    json_int(w, (int64_t)m->files.all.n);
    json_key(w, "records");
    json_array_begin(w);
    json_int(w, (int64_t)m->journal_first);
    json_int(w, (int64_t)m->journal_last);
    json_array_end(w);
}

void backup_print(struct strbuf *b)
{
    strbuf_addc(b, '\n');
    struct str line = strbuf_str(b);
    (void)fwrite(line.p, 1, line.n, stdout);
    strbuf_fini(b);
}

/* --- its name, if only a folder was given --- */

/* "plant north" as "plant_north": what every file system takes. */
static void file_stem(char out[80], struct str name)
{
    size_t n = 0;
    for (size_t i = 0; i < name.n && n < 64; i++) {
        unsigned char c = (unsigned char)name.p[i];
        out[n++] = isalnum(c) || c == '-' ? (char)c : '_';
    }
    if (n == 0)
        out[n++] = '_';
    out[n] = '\0';
}

static bool name_file(char out[PATH_MAX], const char *wanted, const char *stem)
{
    char when[32];
    struct stat st;
    struct tm tm;
    time_t now = time(NULL);
    bool folder = stat(wanted, &st) == 0 && S_ISDIR(st.st_mode);
    (void)strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", gmtime_r(&now, &tm));
    int n = folder ? snprintf(out, PATH_MAX, "%s/%s-%s" SUFFIX, wanted, stem, when)
                   : snprintf(out, PATH_MAX, "%s", wanted);
    return n > 0 && n < PATH_MAX - 64;
}

/* STEM-20261128T101500Z.tar.zst */
static bool is_ours(const char *name, const char *stem)
{
    static const char shape[] = "-ddddddddTddddddZ" SUFFIX;
    size_t n = strlen(stem);
    if (strncmp(name, stem, n) != 0 || strlen(name) != n + sizeof(shape) - 1)
        return false;
    for (size_t i = 0; i < sizeof(shape) - 1; i++)
        if (shape[i] == 'd' && i < 17 ? !isdigit((unsigned char)name[n + i])
                                      : name[n + i] != shape[i])
            return false;
    return true;
}

/* What a backup that was killed has left: STEM-….tar.zst.part-PID, or .db-PID, of a process that is
 * no more. */
static bool is_left(const char *name, const char *stem)
{
    size_t n = strlen(stem);
    const char *what = strstr(name, SUFFIX "."), *dash = strrchr(name, '-');
    int64_t pid = 0;
    if (strncmp(name, stem, n) != 0 || name[n] != '-' || !what || dash < what)
        return false;
    what += sizeof(SUFFIX);
    return (strncmp(what, "part-", 5) == 0 || strncmp(what, "db-", 3) == 0) &&
           str_to_i64(str_from(dash + 1), &pid) == ERR_OK && pid > 0 && pid <= INT32_MAX &&
           kill((pid_t)pid, 0) != 0 && errno == ESRCH;
}

/* The oldest beyond the number that is kept. Names sort by time. */
static unsigned remove_old(const char *folder, const char *stem, int64_t keep)
{
    char path[PATH_MAX];
    struct dirent **list;
    int64_t ours = 0;
    unsigned removed = 0;
    int n = scandir(folder, &list, NULL, alphasort);
    for (int i = 0; i < n; i++)
        ours += is_ours(list[i]->d_name, stem);
    for (int i = 0; i < n; i++) {
        bool old = is_ours(list[i]->d_name, stem) && keep > 0 && ours-- > keep;
        (void)snprintf(path, sizeof(path), "%.*s/%.255s", PATH_MAX - 300, folder, list[i]->d_name);
        if (old || is_left(list[i]->d_name, stem))
            removed += unlink(path) == 0;
        free(list[i]);
    }
    if (n > 0)
        free(list);
    return removed;
}

/* --- making one --- */

static void tell_made(const struct backup_options *o, const char *file,
                      const struct backup_report *r, unsigned removed)
{
    char in[32], out[32];
    struct strbuf b;
    struct json_writer w;
    if (!o->json) {
        (void)printf("%s: %zu files, %s in %s, records %llu to %llu; the site %s\n", file,
                     r->manifest.files.all.n, backup_bytes(r->bytes_in, in),
                     backup_bytes(r->bytes_out, out), (unsigned long long)r->manifest.journal_first,
                     (unsigned long long)r->manifest.journal_last,
                     r->manifest.running ? "goes on" : "does not run");
        if (removed)
            (void)printf("%u older removed\n", removed);
        return;
    }
    strbuf_init(&b, alloc_system(), 0);
    json_writer_init(&w, &b);
    json_object_begin(&w);
    json_key(&w, "file");
    json_cstr(&w, file);
    backup_describe(&w, &r->manifest);
    json_key(&w, "bytes");
    json_int(&w, (int64_t)r->bytes_in);
    json_key(&w, "compressed_bytes");
    json_int(&w, (int64_t)r->bytes_out);
    json_key(&w, "running");
    json_bool(&w, r->manifest.running);
    json_key(&w, "removed");
    json_int(&w, removed);
    json_object_end(&w);
    backup_print(&b);
}

static enum err make(const struct backup_options *o, const struct site_place *p, const char *file,
                     struct backup_report *r, struct error *e)
{
    char name[MANIFEST_TEXT], said[MANIFEST_PATH], texts[SITE_FILES_MAX][512];
    const char *named[SITE_FILES_MAX];
    struct str files[SITE_FILES_MAX];
    size_t n = site_files(&p->settings, files), kept = 0;
    for (size_t i = 0; i < n; i++)
        if (!str_starts(files[i], STR("credential:")) && files[i].n < sizeof(texts[0])) {
            (void)snprintf(texts[kept], sizeof(texts[0]), "%.*s", STR_FMT(files[i]));
            named[kept] = texts[kept];
            kept++;
        }
    (void)snprintf(name, sizeof(name), "%.*s", STR_FMT(p->settings.name));
    if (o->data)
        (void)snprintf(said, sizeof(said), "%s", o->data);
    else
        (void)snprintf(said, sizeof(said), "%.*s", STR_FMT(p->settings.store));
    const struct backup_config cfg = {.alloc = alloc_system(),
                                      .disk = disk_linux(),
                                      .site = p->folder,
                                      .only = p->only,
                                      .store = p->store,
                                      .store_said = said,
                                      .name = name,
                                      .version = SEDGE_VERSION,
                                      .named = named,
                                      .named_n = kept,
                                      .out = file};
    return backup_make(&cfg, r, e);
}

static int make_one(const struct backup_options *o)
{
    char file[PATH_MAX], stem[80];
    struct site_place p;
    struct backup_report r = {0};
    struct error e = {0};
    if (site_place_open(&p, o->site, o->data, &e))
        return backup_failed("backup", &e);
    file_stem(stem, p.settings.name);
    enum err err = name_file(file, o->file, stem)
                       ? make(o, &p, file, &r, &e)
                       : error_set(&e, ERR_RANGE, "the path of the backup is too long");
    if (!err) {
        tell_made(o, file, &r, strcmp(file, o->file) != 0 ? remove_old(o->file, stem, o->keep) : 0);
        manifest_fini(&r.manifest);
    }
    site_place_close(&p);
    return err ? backup_failed("backup", &e) : EXIT_OK;
}

/* --- looking at one --- */

static void tell_verified(const struct backup_options *o, const struct backup_check *c)
{
    char when[25], name[4 * MANIFEST_TEXT], version[4 * MANIFEST_TEXT];
    struct strbuf b;
    struct json_writer w;
    time_format(c->manifest.made_ms, when);
    if (!o->json) {
        (void)printf("%s: of site \"%s\", %s, by sedge %s: %zu files, %llu frames of the journal, "
                     "records %llu to %llu\n",
                     o->file, terminal_shown(c->manifest.name, name, sizeof(name)), when,
                     terminal_shown(c->manifest.version, version, sizeof(version)),
                     c->manifest.files.all.n, (unsigned long long)c->journal.frames,
                     (unsigned long long)c->manifest.journal_first,
                     (unsigned long long)c->manifest.journal_last);
        (void)printf("%s\n", c->finding[0] ? c->finding : "it is whole");
        return;
    }
    strbuf_init(&b, alloc_system(), 0);
    json_writer_init(&w, &b);
    json_object_begin(&w);
    json_key(&w, "file");
    json_cstr(&w, o->file);
    backup_describe(&w, &c->manifest);
    json_key(&w, "frames");
    json_int(&w, (int64_t)c->journal.frames);
    json_key(&w, "finding");
    json_cstr(&w, c->finding[0] ? c->finding : NULL);
    json_object_end(&w);
    backup_print(&b);
}

static int verify_one(const struct backup_options *o)
{
    char where[PATH_MAX];
    struct backup_check c = {0};
    struct error e = {0};
    (void)snprintf(where, sizeof(where), "%s", o->file);
    char *slash = strrchr(where, '/');
    if (slash)
        slash[slash == where] = '\0';
    if (backup_verify(alloc_system(), disk_linux(), o->file, slash ? where : ".", &c, &e))
        return backup_failed("backup", &e);
    tell_verified(o, &c);
    manifest_fini(&c.manifest);
    return c.finding[0] ? EXIT_FINDING : EXIT_OK;
}

static int cmd_backup(int argc, char **argv)
{
    struct args a = args_start(&command_backup, argc, argv);
    struct backup_options o = {0};
    const char *words[2] = {0};
    size_t n = 0;
    for (int id; (id = args_next(&a)) != ARGS_END;) {
        switch (id) {
        case O_DATA: o.data = a.value; break;
        case O_VERIFY: o.verify = true; break;
        case OPTION_ID_JSON: o.json = true; break;
        case O_KEEP:
            if (!args_number(&a, 1, 10000, &o.keep))
                return EXIT_USAGE;
            break;
        default:
            if (id != ARGS_WORD || n == (o.verify ? 1 : 2))
                return args_status(&a);
            words[n++] = a.value;
        }
    }
    if (o.verify && n == 2)
        return args_refuse(&a, "--verify takes a FILE and no site");
    o.site = words[0];
    o.file = words[o.verify ? 0 : 1];
    if (!o.file)
        return args_missing(&a, o.verify || o.site ? "FILE" : "SITE");
    backup_hold_signals(true);
    int status = o.verify ? verify_one(&o) : make_one(&o);
    backup_hold_signals(false);
    return status;
}

const struct command command_backup = {
    .name = "backup",
    .group = COMMAND_CARE,
    .line = "copies a site with its data into one file, while it runs",
    .synopsis = "SITE FILE [--keep N] [--data FOLDER] [--json]\n--verify FILE [--json]",
    .about =
        "FILE becomes a tar archive, compressed by zstd: the site's files, its password files and "
        "keys, a copy of the database and the journal. What was acknowledged before the backup "
        "began is in it; the running site is not held up, and FILE is there whole or not at all. "
        "If FILE is a folder, the backup is named by the site and the time, in there.\n\n"
        "--verify unpacks FILE beside it, looks at every frame of the journal and every page of "
        "the database, compares both and each file with what the backup says of itself, and "
        "removes what it has unpacked.\n\n"
        "A backup holds the site's secrets: it is readable by its owner only. It needs the right "
        "to read the site's files, so that of its user or of root.",
    .options = {(const struct command_option[]){
        {.name = "verify", .text = "look at a backup instead of making one", .id = O_VERIFY},
        OPTION("keep", 0, "N", "with a folder: remove this site's older ones beyond N", NULL,
               O_KEEP),
        OPTION("data", 0, "FOLDER", "where the data is, for a site that does not pass the check",
               NULL, O_DATA),
        OPTION_JSON("what was done, as one JSON object"),
        OPTIONS_END}},
    .words = {VALUES_FOLDER, VALUES_FILE},
    .examples = {{"sedge backup /etc/sedge/site /var/backups/sedge --keep 14", "each night"},
                 {"sedge backup --verify plant-20261128T101500Z.tar.zst", NULL}},
    .exits = {{"0", "it is there, or whole"}, {"1", "it could not be made, or is damaged"}},
    .see = {"restore", "doctor"},
    .run = cmd_backup,
};
