#include "app/run_host.h"
#include "base/log.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum { SEGMENT_PATIENCE_S = 120, WRITING_PATIENCE_S = 120, WATCHDOG_BEATS = 2 };

/* A connection is a descriptor. Where the soft limit is low it is for programs that use select(),
 * which we don't: the hard limit is what the administrator means. */
static void raise_descriptors(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= files.rlim_max)
        return;
    files.rlim_cur = files.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &files) != 0)
        LOG_W("app", "the limit of descriptors stays low");
}

void run_host_open(struct run_host *h, enum log_form form, enum log_level level)
{
    const struct log_output_config log = {.form = form, .fd = STDERR_FILENO};
    h->level = level;
    log_set_level(level);
    log_output_open(&h->log, &log);
    service_open(&h->service, getenv);
    raise_descriptors();
}

/* --- signs of life --- */

static void beat(void *ctx)
{
    const struct run_host *h = ctx;
    service_tell(&h->service, "WATCHDOG=1");
}

static void impatient(struct timer *t)
{
    struct run_host *h = CONTAINER_OF(t, struct run_host, patience);
    LOG_W("app", "some clients did not go within %d s", RUN_STOP_MS / 1000);
    executor_stop(h->ex);
}

enum err run_host_start(struct run_host *h, struct executor *ex, struct alloc *alloc,
                        struct error *e)
{
    const struct heartbeat_config beats = {.ex = ex,
                                           .alloc = alloc,
                                           .every_ms = h->service.watchdog_ms / WATCHDOG_BEATS,
                                           .beat = beat,
                                           .ctx = h};
    h->ex = ex;
    timer_init(&h->patience, executor_worker(ex, 0), impatient);
    if (beats.every_ms < 1)
        return ERR_OK;
    return heartbeat_new(&h->heartbeat, &beats, e);
}

void run_host_progress(void *ctx, size_t segment, size_t segments)
{
    const struct run_host *h = ctx;
    service_tell(&h->service,
                 "EXTEND_TIMEOUT_USEC=%lld\nSTATUS=reading the journal: segment %zu of %zu",
                 (long long)SEGMENT_PATIENCE_S * 1000000, segment + 1, segments);
}

/* --- what becomes of it --- */

void run_host_ready(struct run_host *h, const char *status)
{
    service_status(&h->service, "READY=1\n", "%s", status);
}

void run_host_reloading(struct run_host *h)
{
    service_reloading(&h->service);
}

void run_host_reloaded(struct run_host *h, enum err result)
{
    service_tell(&h->service, "READY=1\nSTATUS=%s",
                 result ? "the changed site is refused, the running one goes on (see the log)"
                        : "the changed site runs");
}

bool run_host_failed(struct run_host *h, const char *where, const char *text)
{
    const char *colon = where[0] ? ": " : "";
    service_status(&h->service, "", "%s%s%s", where, colon, text);
    if (h->log.form == LOG_FORM_TEXT)
        return false;
    LOG_E("app", "%s%s%s", where, colon, text);
    return true;
}

void run_host_level(struct run_host *h, bool more)
{
    enum log_level level = more ? LOG_DEBUG : h->level;
    log_set_level(level);
    LOG_I("app", "the log tells %s", level == LOG_DEBUG ? "everything" : "as much as at the start");
}

/* --- its end --- */

static void all_gone(void *ctx)
{
    struct run_host *h = ctx;
    executor_stop(h->ex);
}

void run_host_stop(struct run_host *h, struct mqtt_server *mqtt)
{
    service_tell(&h->service, "STOPPING=1\nSTATUS=%s",
                 h->stopping ? "stopping at once" : "telling the clients");
    bool hurry = h->stopping;
    h->stopping = true;
    LOG_I("app", hurry ? "stopping at once" : "stopping");
    if (hurry || !mqtt) {
        executor_stop(h->ex);
        return;
    }
    timer_set_after_ms(&h->patience, RUN_STOP_MS);
    mqtt_server_stop(mqtt, all_gone, h);
}

void run_host_end(struct run_host *h)
{
    if (h->stopping)
        service_tell(&h->service, "EXTEND_TIMEOUT_USEC=%lld\nSTATUS=writing down what is to last",
                     (long long)WRITING_PATIENCE_S * 1000000);
    if (h->ex)
        timer_cancel(&h->patience);
    heartbeat_free(h->heartbeat);
    h->heartbeat = NULL;
    h->ex = NULL;
}

void run_host_close(struct run_host *h)
{
    service_close(&h->service);
    log_output_close(&h->log);
}
