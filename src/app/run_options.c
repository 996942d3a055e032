/* run_options: the command line of `sedge run`. */
#include "app/run_options.h"
#include "app/args.h"
#include "async/executor.h"

#include <string.h>

enum { O_DRIVER = 256, O_WORKERS, O_LEVEL, O_LOG };

static bool workers_valid(struct run_options *o)
{
    int64_t n = 0;
    if (!o->workers_text || strcmp(o->workers_text, "auto") == 0)
        return true;
    if (!str_to_i64_within(str_from(o->workers_text), 1, EXECUTOR_WORKERS_MAX, &n))
        return false;
    o->workers = (unsigned)n;
    return true;
}

int run_options_parse(int argc, char **argv, struct run_options *o)
{
    struct args a = args_start(&command_run, argc, argv);
    *o = (struct run_options){.level = LOG_INFO};
    for (int id; (id = args_next(&a)) != ARGS_END;) {
        switch (id) {
        case O_DRIVER:
            if (strcmp(a.value, "io_uring") != 0 && strcmp(a.value, "epoll") != 0)
                return args_wrong(&a, "there are io_uring and epoll") + 1;
            o->driver = a.value;
            break;
        case O_WORKERS:
            o->workers_text = a.value;
            if (!workers_valid(o))
                return args_wrong(&a, "workers are 1 … %d, or auto", EXECUTOR_WORKERS_MAX) + 1;
            break;
        case 'v': o->level = LOG_DEBUG; break;
        case O_LEVEL:
            if (log_level_parse(a.value, &o->level))
                return args_wrong(&a, "there are debug, info, warn and error") + 1;
            break;
        case O_LOG:
            if (log_form_parse(a.value, &o->log))
                return args_wrong(&a, "there are text, json, journal and auto") + 1;
            break;
        default:
            if (id != ARGS_WORD || o->site)
                return args_status(&a) + 1;
            o->site = a.value;
        }
    }
    return o->site ? 0 : args_missing(&a, "SITE") + 1;
}

const struct command command_run = {
    .name = "run",
    .group = COMMAND_SITE,
    .line = "runs a site: broker, history, programs, alerts and page",
    .synopsis = "SITE [--workers N|auto] [--driver NAME] [--level LEVEL] [--log FORM]",
    .about =
        "Runs until SIGINT or SIGTERM. SITE is a folder of .sedge files, or one such file. It is "
        "checked first; nothing runs if it has errors. The log, on the standard error, begins with "
        "the addresses of the broker and of the page.\n\n"
        "SIGHUP, or POST /api/reload, reads the site and its password files again: if the changed "
        "site passes the check, it takes the running one's place, and programs that are unchanged "
        "go on.\n\n"
        "SIGTERM and SIGINT end it: clients are told, and what was acknowledged is kept; a second "
        "one "
        "does not wait for clients. SIGUSR1 logs everything, SIGUSR2 as much as at the start.",
    .options = {(const struct command_option[]){
        OPTION("workers", 0, "N|auto",
               "threads that work, 1 to 64, or auto: one for each core; default: what the site's "
               "server "
               "says, or 1",
               "auto 1 2 4 8", O_WORKERS),
        OPTION("driver", 0, "NAME",
               "how to talk to the kernel: io_uring or epoll; default: io_uring where it works",
               "io_uring epoll", O_DRIVER),
        OPTION("level", 0, "LEVEL", "what is logged: debug, info (default), warn or error",
               "debug info warn error", O_LEVEL),
        OPTION("log", 0, "FORM",
               "text, json (a line each), journal, or auto (default): the system's journal if the "
               "standard error is connected to it, else text",
               "auto text json journal", O_LOG),
        {.name = "verbose", .letter = 'v', .text = "as --level debug"},
        OPTIONS_END}},
    .words = {VALUES_FOLDER},
    .examples = {{"sedge run sites/factory",
                  "the reference factory; `sedge sim sites/factory` beside "
                  "it plays its machines"}},
    .exits = {{"0", "it was told to end"},
              {"1", "the site has errors, or something that it needs is not there"}},
    .see = {"check", "sim", "backup"},
    .run = cmd_run,
};
