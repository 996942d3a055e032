/* cmd_restore: puts a backup back. */
#include "app/args.h"
#include "app/cmd_backup.h"
#include "app/terminal.h"
#include "backup/backup.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { O_DATA = 256, O_FORCE, O_ELSEWHERE };

/* Files of other folders that are gone and were not to be put back. */
static void tell_left_out(const struct manifest *m)
{
    for (size_t i = 0; i < m->files.all.n; i++) {
        char shown[4 * TAR_NAME_MAX + 8];
        const char *path = backup_elsewhere(m->files.all.v[i].name);
        if (path && access(path, F_OK) != 0)
            (void)printf("not put back: %s (--elsewhere does it)\n",
                         terminal_shown(path, shown, sizeof(shown)));
    }
}

static void tell(const struct restore_report *r, bool json)
{
    struct strbuf b;
    struct json_writer w;
    char name[4 * MANIFEST_TEXT], store[4096];
    if (!json) {
        (void)printf("site \"%s\" is back: files in %s, data in %s\n",
                     terminal_shown(r->manifest.name, name, sizeof(name)), r->site,
                     terminal_shown(r->store, store, sizeof(store)));
        if (r->aside[0])
            (void)printf("what was there is in %s of these\n", r->aside);
        if (r->outside || r->outside_kept)
            (void)printf("files elsewhere: %u put back, %u left as they are\n", r->outside,
                         r->outside_kept);
        tell_left_out(&r->manifest);
        (void)printf("next: sedge check %s\n", r->site);
        return;
    }
    strbuf_init(&b, alloc_system(), 0);
    json_writer_init(&w, &b);
    json_object_begin(&w);
    backup_describe(&w, &r->manifest);
    json_key(&w, "folder");
    json_cstr(&w, r->site);
    json_key(&w, "data");
    json_cstr(&w, r->store);
    json_key(&w, "aside");
    json_cstr(&w, r->aside[0] ? r->aside : NULL);
    json_key(&w, "elsewhere");
    json_int(&w, r->outside);
    json_key(&w, "elsewhere_kept");
    json_int(&w, r->outside_kept);
    json_object_end(&w);
    backup_print(&b);
}

static int cmd_restore(int argc, char **argv)
{
    struct args a = args_start(&command_restore, argc, argv);
    struct restore_config cfg = {.alloc = alloc_system(), .now_ms = (int64_t)time(NULL) * 1000};
    struct restore_report r = {0};
    struct error e = {0};
    bool json = false;
    for (int id; (id = args_next(&a)) != ARGS_END;) {
        switch (id) {
        case O_DATA: cfg.store = a.value; break;
        case O_FORCE: cfg.force = true; break;
        case O_ELSEWHERE: cfg.elsewhere = true; break;
        case OPTION_ID_JSON: json = true; break;
        default:
            if (id != ARGS_WORD || cfg.site)
                return args_status(&a);
            *(cfg.file ? &cfg.site : &cfg.file) = a.value;
        }
    }
    if (!cfg.site)
        return args_missing(&a, cfg.file ? "SITE" : "FILE");
    backup_hold_signals(true);
    int status = backup_restore(&cfg, &r, &e) ? backup_failed("restore", &e) : EXIT_OK;
    if (status == EXIT_OK) {
        tell(&r, json);
        manifest_fini(&r.manifest);
    }
    backup_hold_signals(false);
    return status;
}

const struct command command_restore = {
    .name = "restore",
    .group = COMMAND_CARE,
    .line = "puts a backup back",
    .synopsis = "FILE SITE [--force] [--elsewhere] [--data FOLDER] [--json]",
    .about =
        "FILE is one of `sedge backup`. Its site's files go to the folder SITE, its data to where "
        "they say that it is. All of FILE is read and compared first, and unpacked beside what is "
        "there, before anything changes places. A site that runs there must be stopped, and a "
        "folder that is not empty is left alone, unless --force is given. Nothing is written to "
        "other folders than these two, unless "
        "--elsewhere is given: to which is said by FILE alone.\n\n"
        "By root, what is put back belongs to the owners of the two folders.",
    .options = {(const struct command_option[]){
        {.name = "force",
         .text = "move what is there aside, into before-restore-TIME",
         .id = O_FORCE},
        {.name = "elsewhere",
         .text = "also what the site names in other folders, such as keys, where it is gone",
         .id = O_ELSEWHERE},
        OPTION("data", 0, "FOLDER", "where the data goes, whatever the site says", NULL, O_DATA),
        OPTION_JSON("what was done, as one JSON object"),
        OPTIONS_END}},
    .words = {VALUES_FILE, VALUES_FOLDER},
    .examples = {{"sedge restore plant-20261128T101500Z.tar.zst /etc/sedge/site", NULL}},
    .exits = {{"0", "it is back"}, {"1", "it is not, and nothing has changed"}},
    .see = {"backup"},
    .run = cmd_restore,
};
