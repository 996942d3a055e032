/* cmd_run: a site's life: read, check, build in the order of dependence, run, tear down in reverse.
 */
#include "app/cmd.h"
#include "app/run_addresses.h"
#include "app/run_care.h"
#include "app/run_host.h"
#include "app/run_options.h"
#include "async/signals.h"
#include "backup/backup.h"
#include "base/log.h"
#include "dashboard/dashboard.h"
#include "host/lock.h"
#include "site/adopt.h"
#include "site/core.h"
#include "site/gate.h"
#include "site/links.h"
#include "site/modbus.h"
#include "site/place.h"
#include "site/reload.h"
#include "site/running.h"
#include "site/schema.h"
#include "site/show.h"
#include "site/trials.h"
#include "site/zone.h"
#include "store/ballast.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LISTEN_TRIES_MAX = 150 }; /* of 20 ms */

/* Everything that runs, in the order in which it is built. */
struct run {
    struct run_options opt;
    struct alloc *alloc;
    struct lang_site *site;
    struct site_settings settings;
    char folder[PATH_MAX]; /* of the site's files: other paths are relative to it */
    char store[PATH_MAX];
    int lock;
    struct run_host host;
    struct executor *ex;
    struct signal_watch *signals;
    struct site_core core;
    struct modbus *modbus;
    struct site_links links;
    struct access access;
    struct site_gate mqtt_gates[SITE_LISTENERS_MAX], http_gates[SITE_LISTENERS_MAX];
    struct dashboard *dashboard;
    struct site_reload *reload;
    struct site_adopt *adopt;
    struct site_trials *trials;
    struct run_care *care;
    struct site_shown shown;
    char addresses[2 * SITE_LISTENERS_MAX][ADDR_TEXT_MAX];
    struct str mqtt_addresses[SITE_LISTENERS_MAX], http_addresses[SITE_LISTENERS_MAX];
};

/* --- the files have changed --- */

static void reload_gates(struct run *r)
{
    for (size_t i = 0; i < r->settings.mqtt_count; i++)
        site_gate_reload(&r->mqtt_gates[i]);
    for (size_t i = 0; i < r->settings.http_count; i++)
        site_gate_reload(&r->http_gates[i]);
}

static enum err read_site(void *ctx, struct lang_site **out, struct error *e)
{
    const struct run *r = ctx;
    struct site_sources sources;
    *out = NULL;
    enum err err = site_read_sources(r->alloc, r->opt.site, &sources, e);
    if (err)
        return err;
    err = lang_check(r->alloc, site_schema(), sources.v, sources.n, out);
    site_sources_fini(&sources);
    return err ? error_set(e, err, "no memory to check the site") : ERR_OK;
}

static void site_taken(void *ctx)
{
    struct run *r = ctx;
    dashboard_site_changed(r->dashboard, r->site, r->settings.name);
}

static void site_ended(void *ctx, enum err result)
{
    struct run *r = ctx;
    run_host_reloaded(&r->host, result);
    run_care_look(r->care); /* there may be another certificate */
}

static enum err reload_start(void *ctx, void (*done)(void *arg, enum err result), void *arg)
{
    struct run *r = ctx;
    enum err err = site_reload_start(r->reload, done, arg);
    if (!err)
        reload_gates(r);
    return err;
}

static enum err adopt_start(void *ctx, const struct dashboard_adopt_request *q,
                            void (*done)(void *arg, const struct dashboard_adopt_answer *a),
                            void *arg)
{
    return site_adopt_start(((const struct run *)ctx)->adopt, q, done, arg);
}

static bool reload_running(void *ctx)
{
    return site_reload_running(((const struct run *)ctx)->reload);
}

static struct str reload_report(void *ctx)
{
    return site_reload_report(((const struct run *)ctx)->reload);
}

static void tests_ended(void *ctx)
{
    dashboard_tests_changed(((const struct run *)ctx)->dashboard);
}

static void caught(void *ctx, int signal)
{
    struct run *r = ctx;
    if (signal == SIGHUP) {
        reload_gates(r);
        if (r->reload) {
            run_host_reloading(&r->host);
            site_reload_soon(r->reload);
        }
    } else if (signal == SIGUSR1 || signal == SIGUSR2) {
        run_host_level(&r->host, signal == SIGUSR1);
    } else {
        run_host_stop(&r->host, r->core.mqtt);
    }
}

/* Two programs on one store would destroy it. */
static enum err lock_store(struct run *r, struct error *e)
{
    char path[PATH_MAX + 32];
    (void)snprintf(path, sizeof(path), "%s/lock", r->store);
    r->lock = lock_open(path);
    if (r->lock < 0)
        return error_set(e, ERR_IO, "%s can't be opened: %s", path, strerror(errno));
    if (flock(r->lock, LOCK_EX | LOCK_NB) != 0)
        return error_set(e, ERR_EXISTS, "%s is in use: another sedge runs this site", r->store);
    site_running_clear(r->lock);
    (void)snprintf(path, sizeof(path), "%s/" RESTORE_MARK, r->store);
    if (access(path, F_OK) == 0)
        return error_set(e, ERR_CORRUPT,
                         "%s: a restore was interrupted, so what is there is of two minds: repeat "
                         "it with sedge restore",
                         r->store);
    return ERR_OK;
}

static enum err build_core(struct run *r, struct error *e)
{
    struct disk *disk = executor_env(r->ex)->disk;
    struct access_rules *rules;
    enum err err = site_access_read(&rules, r->site, r->alloc, e);
    access_set(&r->access, rules);
    if (!err)
        err = site_store(r->store, r->folder, r->settings.store, e);
    if (!err)
        err = disk->ops->make_dir(disk, r->store, e);
    if (!err)
        err = lock_store(r, e);
    if (!err)
        (void)ballast_drop(r->store);
    const struct site_core_config core = {.ex = r->ex,
                                          .alloc = r->alloc,
                                          .site = r->site,
                                          .store = r->store,
                                          .commit_ms = r->settings.commit_ms,
                                          .progress = run_host_progress,
                                          .progress_ctx = &r->host,
                                          .access = &r->access,
                                          .sys_interval_ms = r->settings.sys_ms,
                                          .limits = r->settings.limits};
    return err ? err : site_core_open(&r->core, &core, e);
}

static enum err listen_mqtt(struct run *r, size_t i, struct error *e)
{
    const struct site_listen *l = &r->settings.mqtt[i];
    struct site_gate *g = &r->mqtt_gates[i];
    enum err err = site_gate_open(g, r->ex, r->alloc, r->folder, "mqtt", l, e);
    const struct mqtt_listen cfg = {
        .addr = l->addr,
        .via = &g->via,
        .anonymous = l->anonymous || (!g->passwords && !g->certificates),
        .certificates = g->certificates,
        .passwords = g->passwords,
        .methods = g->passwords ? password_file_methods(g->passwords) : NULL};
    return err ? err : mqtt_server_listen(r->core.mqtt, &cfg, NULL, e);
}

static enum err listen_http(struct run *r, size_t i, struct error *e)
{
    const struct site_listen *l = &r->settings.http[i];
    struct site_gate *g = &r->http_gates[i];
    enum err err = site_gate_open(g, r->ex, r->alloc, r->folder, "http", l, e);
    const char *name = g->name[0] ? g->name : NULL;
    return err ? err : dashboard_listen(r->dashboard, &l->addr, &g->via, name, e);
}

static void note_address(struct run *r, struct str list[], size_t i, size_t slot,
                         const struct addr *addr)
{
    addr_format(addr, r->addresses[slot]);
    list[i] = str_from(r->addresses[slot]);
}

static enum err build_dashboard(struct run *r, struct error *e)
{
    const struct site_settings *s = &r->settings;
    for (size_t i = 0; i < s->mqtt_count; i++)
        note_address(r, r->mqtt_addresses, i, i, &s->mqtt[i].addr);
    for (size_t i = 0; i < s->http_count; i++)
        note_address(r, r->http_addresses, i, SITE_LISTENERS_MAX + i, &s->http[i].addr);
    struct dashboard_config cfg = {.ex = r->ex,
                                   .alloc = r->alloc,
                                   .bus = r->core.bus,
                                   .journal = r->core.journal,
                                   .db = r->core.db,
                                   .registry = r->core.registry,
                                   .automation = r->core.automation,
                                   .alerts = r->core.alerts,
                                   .history = r->core.history,
                                   .mqtt = r->core.mqtt,
                                   .site = r->site,
                                   .name = s->name,
                                   .reload = {reload_start, reload_running, reload_report, r},
                                   .adopt = {adopt_start, r},
                                   .tests = {site_trials_start, site_trials_write, r->trials},
                                   .settings = {site_show, &r->shown},
                                   .links = {site_links_write, &r->links},
                                   .version = SEDGE_VERSION,
                                   .mqtt_addresses = r->mqtt_addresses,
                                   .http_addresses = r->http_addresses,
                                   .mqtt_count = s->mqtt_count,
                                   .http_count = s->http_count};
    return dashboard_new(&r->dashboard, &cfg, e);
}

/* Also without a Modbus device: the next version of the site may have one. */
static enum err build_modbus(struct run *r, struct error *e)
{
    const struct modbus_config cfg = {.ex = r->ex, .alloc = r->alloc};
    struct modbus_setup *setup;
    enum err err = site_modbus_setup(&setup, r->site, r->core.registry, r->alloc, registry_find, e);
    if (!err)
        err = modbus_new(&r->modbus, &cfg, setup, e);
    if (err)
        modbus_setup_free(setup);
    return err;
}

/* What the page shows beside what runs. */
static enum err build_shown(struct run *r, struct error *e)
{
    r->shown = (struct site_shown){.site = &r->site,
                                   .settings = &r->settings,
                                   .mqtt = r->core.mqtt,
                                   .ex = r->ex,
                                   .folder = r->folder,
                                   .store = r->store,
                                   .mqtt_addresses = r->mqtt_addresses,
                                   .http_addresses = r->http_addresses};
    r->links =
        (struct site_links){.modbus = &r->modbus, .registry = &r->core.registry, .ex = &r->ex};
    struct site_trials_config trials = {
        .ex = r->ex, .alloc = r->alloc, .site = r->opt.site, .changed = tests_ended, .ctx = r};
    return site_trials_new(&r->trials, &trials, e);
}

static enum err build_adopt(struct run *r, struct error *e)
{
    const struct site_adopt_config cfg = {.ex = r->ex,
                                          .alloc = r->alloc,
                                          .registry = r->core.registry,
                                          .bus = r->core.bus,
                                          .reload = r->reload,
                                          .site = &r->site,
                                          .path = r->opt.site};
    return site_adopt_new(&r->adopt, &cfg, e);
}

static enum err build_care(struct run *r, struct error *e)
{
    const struct run_care_config cfg = {.ex = r->ex,
                                        .alloc = r->alloc,
                                        .bus = r->core.bus,
                                        .journal = r->core.journal,
                                        .store = r->store,
                                        .folder = r->folder,
                                        .settings = &r->settings};
    return run_care_new(&r->care, &cfg, e);
}

static enum err build_reload(struct run *r, struct error *e)
{
    struct site_reload_config cfg = {.ex = r->ex,
                                     .alloc = r->alloc,
                                     .registry = r->core.registry,
                                     .automation = r->core.automation,
                                     .modbus = r->modbus,
                                     .access = &r->access,
                                     .site = &r->site,
                                     .settings = &r->settings,
                                     .workers_fixed = r->opt.workers_text != NULL,
                                     .read = read_site,
                                     .taken = site_taken,
                                     .ended = site_ended,
                                     .ctx = r};
    return site_reload_new(&r->reload, &cfg, e);
}

/* The kernel closes the sockets of a killed process a moment after the process is gone (io_uring
 * holds them), so an address that is in use gets a little time before it is an error. */
static bool try_again(const struct error *e, int *tries)
{
    if (e->os_errno != EADDRINUSE || ++*tries > LISTEN_TRIES_MAX)
        return false;
    (void)nanosleep(&(struct timespec){.tv_nsec = 20 * 1000000}, NULL);
    return true;
}

/* Last: the first connection must find everything in place. */
static enum err open_listeners(struct run *r, struct error *e)
{
    enum err err = ERR_OK;
    int tries = 0;
    for (size_t i = 0; !err && i < r->settings.http_count; i++)
        do
            err = listen_http(r, i, e);
        while (err && try_again(e, &tries));
    for (size_t i = 0; !err && i < r->settings.mqtt_count; i++)
        do
            err = listen_mqtt(r, i, e);
        while (err && try_again(e, &tries));
    return err;
}

/* The cores that this process may use, which a container may have limited. */
static unsigned cores(void)
{
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
    return n < 1 ? 1 : n > EXECUTOR_WORKERS_MAX ? EXECUTOR_WORKERS_MAX : (unsigned)n;
}

static enum err build(struct run *r, struct error *e)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};
    unsigned workers = r->opt.workers_text ? r->opt.workers : r->settings.workers;
    struct executor_config ex = {.env = env_linux(),
                                 .alloc = r->alloc,
                                 .workers = workers ? workers : cores(),
                                 .driver = r->opt.driver,
                                 .offload_threads = 2,
                                 .stuck_ms = r->settings.stuck_ms};
    site_zone_set(r->settings.zone);
    enum err err = executor_new(&r->ex, &ex, e);
    if (!err)
        err = signal_watch_new(&r->signals, executor_worker(r->ex, 0), signals, ARRAY_LEN(signals),
                               caught, r, e);
    if (!err)
        err = run_host_start(&r->host, r->ex, r->alloc, e);
    if (!err)
        err = build_core(r, e);
    if (!err)
        err = build_shown(r, e);
    if (!err)
        err = build_dashboard(r, e);
    if (err)
        return err;
    registry_start(r->core.registry);
    err = build_modbus(r, e);
    if (!err)
        err = build_reload(r, e);
    if (!err)
        err = build_adopt(r, e);
    if (!err)
        err = build_care(r, e);
    if (err)
        return err;
    automation_start(r->core.automation);
    return open_listeners(r, e);
}

static void tear_down(struct run *r)
{
    run_host_end(&r->host);
    if (r->dashboard)
        site_running_clear(r->lock);
    if (r->core.db)
        db_drain(r->core.db); /* what the database still hands back, its owners must be there for */
    run_care_free(r->care);
    site_adopt_free(r->adopt);
    site_reload_free(r->reload);
    site_trials_free(r->trials);
    dashboard_free(r->dashboard);
    modbus_free(r->modbus);
    site_core_close(&r->core);
    for (size_t i = 0; i < SITE_LISTENERS_MAX; i++) {
        site_gate_close(&r->mqtt_gates[i]);
        site_gate_close(&r->http_gates[i]);
    }
    signal_watch_free(r->signals);
    executor_free(r->ex);
    if (r->lock >= 0)
        (void)close(r->lock);
    access_fini(&r->access);
    lang_site_free(r->site);
}

static const char *plural(size_t n)
{
    return n == 1 ? "" : "s";
}

static void announce(struct run *r)
{
    char status[256];
    unsigned workers = executor_workers(r->ex);
    LOG_I("app", "site \"%.*s\": %zu device%s, %zu program%s; %u worker%s, %s",
          STR_FMT(r->settings.name), r->site->resources_n, plural(r->site->resources_n),
          r->site->programs_n, plural(r->site->programs_n), workers, plural(workers),
          executor_driver(r->ex));
    if (r->settings.commit_ms > 0)
        LOG_W("app",
              "commit %.1f s: a crash or a power cut may lose what was acknowledged in that "
              "time",
              (double)r->settings.commit_ms / 1000);
    run_addresses_log(&r->settings);
    run_addresses_note(r->lock, &r->settings, r->folder, dashboard_run(r->dashboard));
    (void)snprintf(status, sizeof(status), "site \"%.*s\": %zu devices, %zu programs, %s",
                   STR_FMT(r->settings.name), r->site->resources_n, r->site->programs_n,
                   executor_driver(r->ex));
    run_host_ready(&r->host, status);
}

static void tell_failure(struct run *r, const struct error *e, enum err err)
{
    const char *text = e->text[0] ? e->text : err_name(err);
    if (run_host_failed(&r->host, e->where, text))
        return;
    (void)fprintf(stderr, "sedge: %s%s%s\n", e->where, e->where[0] ? ": " : "", text);
    if (e->os_errno == EADDRINUSE)
        (void)fputs(
            "  another program has this address (`ss -ltnp` names it): end that one, or give "
            "the\n  site another port in its server block\n",
            stderr);
}

int cmd_run(int argc, char **argv)
{
    struct error e = {0};
    struct run r = {.alloc = alloc_system(), .lock = -1};
    int status = run_options_parse(argc, argv, &r.opt);
    if (status)
        return status - 1;
    run_host_open(&r.host, r.opt.log, r.opt.level);
    if (site_check(r.opt.site, &r.site, stderr)) {
        (void)run_host_failed(&r.host, r.opt.site, "the site has errors; sedge check shows them");
        run_host_close(&r.host);
        return EXIT_FINDING;
    }
    access_init(&r.access);
    const char *only;
    enum err err = site_folder(r.folder, r.opt.site, &only, &e);
    if (!err)
        err = site_settings_read(&r.settings, r.site, &e);
    if (!err)
        err = build(&r, &e);
    if (err) {
        tell_failure(&r, &e, err);
    } else {
        announce(&r);
        executor_run(r.ex);
    }
    tear_down(&r);
    run_host_close(&r.host);
    return err ? EXIT_FINDING : EXIT_OK;
}
