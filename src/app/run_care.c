#include "app/run_care.h"
#include "async/offload.h"
#include "async/timer.h"
#include "store/ballast.h"
#include "store/journal.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { LOOK_EVERY_MS = 10 * 60 * 1000, JOBS_MAX = 2, SAYS_MAX = 8192 };
#define MIB ((uint64_t)1 << 20)
#define LOW (64 * MIB) /* four segments of the journal; of a small disk an eighth */

enum disk_state { DISK_FINE, DISK_LOW, DISK_FULL };

/* What was told of a file. */
struct told {
    char where[DOCTOR_TEXT];
    enum doctor_level level;
};

struct run_care {
    struct executor *ex;
    struct alloc *alloc;
    struct bus *bus;
    struct journal *journal;
    char store[PATH_MAX];
    struct doctor_listen listens[DOCTOR_LISTENS_MAX];
    struct doctor_site site;

    struct worker *worker;
    struct timer timer;
    struct offload_queue *queue;
    struct offload_job job;
    bool looking, again, stopping;
    /* Of the last look, by the pool until done. */
    uint64_t free_bytes, low_bytes;
    struct doctor doctor;

    bool full;
    int disk; /* enum disk_state, as it was told; -1: not yet */
    VEC(struct told) told;
};

/* The code, and the detail behind it, are for those who say it in another language. */
static void tell(struct run_care *c, struct str key, enum severity severity, bool active,
                 const char *code, const char *detail, const char *text)
{
    struct strbuf says;
    strbuf_init(&says, c->alloc, SAYS_MAX);
    says_begin(&says, code);
    says_str(&says, "detail", str_from(detail));
    const struct alert_event e = {.key = key,
                                  .severity = severity,
                                  .text = str_from(text),
                                  .says = says_end(&says),
                                  .active = active,
                                  .wall_ms = worker_now_ms(c->worker)};
    bus_alert_publish(c->bus, &e);
    strbuf_fini(&says);
}

/* --- the disk --- */

static int by_room(const struct run_care *c)
{
    uint64_t low = c->low_bytes + (c->disk == DISK_LOW ? c->low_bytes / 2 : 0); /* not to and fro */
    return c->free_bytes < low ? DISK_LOW : DISK_FINE;
}

static void judge_disk(struct run_care *c)
{
    char text[PATH_MAX + 200];
    int now = c->full ? DISK_FULL : by_room(c); /* full: the pool may look at this moment */
    if (now == c->disk)
        return;
    c->disk = now;
    if (now == DISK_FULL)
        (void)snprintf(text, sizeof(text),
                       "the disk of %s is full: what is published is delivered, but neither kept "
                       "nor acknowledged; make room there, and all goes on",
                       c->store);
    else
        (void)snprintf(text, sizeof(text), "%llu MiB are free on the disk of %s",
                       (unsigned long long)(c->free_bytes / MIB), c->store);
    tell(c, STR("site/disk"), now == DISK_FULL ? SEVERITY_CRITICAL : SEVERITY_WARNING,
         now != DISK_FINE, now == DISK_FULL ? "disk-full" : "disk-low", c->store, text);
}

static void room(void *ctx, bool none)
{
    struct run_care *c = ctx;
    c->full = none;
    if (none)
        judge_disk(c);
    else
        run_care_look(c); /* how much it is by now */
}

/* --- certificates --- */

static struct told *told_of(struct run_care *c, const char *where)
{
    for (size_t i = 0; i < c->told.n; i++)
        if (strcmp(c->told.v[i].where, where) == 0)
            return &c->told.v[i];
    struct told t = {.level = DOCTOR_NOTE};
    (void)snprintf(t.where, sizeof(t.where), "%s", where);
    return vec_push(c->alloc, &c->told, t) ? &c->told.v[c->told.n - 1] : NULL;
}

/* A file may have several findings: the worst comes first. */
static void judge_file(struct run_care *c, const struct doctor_finding *f)
{
    char key[DOCTOR_TEXT + 32], text[3 * DOCTOR_TEXT + 8];
    struct told *t = told_of(c, f->where);
    if (!t || t->level == f->level)
        return;
    t->level = f->level;
    (void)snprintf(key, sizeof(key), "site/certificate/%s", f->where);
    (void)snprintf(text, sizeof(text), "%s: %s%s%s", f->where, f->what, f->mend[0] ? "; " : "",
                   f->mend);
    tell(c, str_from(key), f->level == DOCTOR_PROBLEM ? SEVERITY_CRITICAL : SEVERITY_WARNING,
         f->level >= DOCTOR_WARNING, "certificate", text, text);
}

/* --- looking --- */

static void look(struct offload_job *j)
{
    struct run_care *c = CONTAINER_OF(j, struct run_care, job);
    struct statvfs v;
    c->free_bytes = UINT64_MAX;
    if (statvfs(c->store, &v) == 0) {
        uint64_t eighth = (uint64_t)v.f_frsize * v.f_blocks / 8;
        c->free_bytes = (uint64_t)v.f_frsize * (geteuid() == 0 ? v.f_bfree : v.f_bavail);
        c->low_bytes = eighth < LOW ? eighth : LOW;
    }
    ballast_take(c->store);
    doctor_fini(&c->doctor);
    doctor_init(&c->doctor, c->alloc, &c->site);
    doctor_certificate_ends(&c->doctor);
}

static void looked(struct offload_job *j)
{
    struct run_care *c = CONTAINER_OF(j, struct run_care, job);
    c->looking = false;
    if (c->stopping)
        return;
    judge_disk(c);
    for (size_t i = 0; i < c->doctor.findings.n; i++)
        judge_file(c, &c->doctor.findings.v[i]);
    timer_set_after_ms(&c->timer, c->again ? 0 : LOOK_EVERY_MS);
    c->again = false;
}

void run_care_look(struct run_care *c)
{
    c->again = c->looking; /* it may have looked already at what has changed */
    if (c->looking)
        return;
    c->looking = offload_submit(c->queue, c->worker, &c->job) == ERR_OK;
    if (!c->looking)
        timer_set_after_ms(&c->timer, LOOK_EVERY_MS);
}

static void due(struct timer *t)
{
    run_care_look(CONTAINER_OF(t, struct run_care, timer));
}

enum err run_care_new(struct run_care **out, const struct run_care_config *cfg, struct error *e)
{
    *out = NULL;
    struct run_care *c = mem_zero(cfg->alloc, sizeof(*c));
    enum err err = c ? offload_queue_new(&c->queue, cfg->ex, 1, JOBS_MAX) : ERR_NOMEM;
    if (err) {
        mem_free(cfg->alloc, c, sizeof(*c));
        return error_set(e, err, "no memory to look after the disk and certificates");
    }
    c->ex = cfg->ex;
    c->alloc = cfg->alloc;
    c->bus = cfg->bus;
    c->journal = cfg->journal;
    (void)snprintf(c->store, sizeof(c->store), "%s", cfg->store);
    c->site = (struct doctor_site){.store = c->store, .listens = c->listens};
    c->site.listens_n = doctor_site_listens(c->listens, cfg->folder, cfg->settings);
    c->worker = executor_worker(cfg->ex, 0);
    c->job = (struct offload_job){.run = look, .done = looked};
    c->disk = -1;
    timer_init(&c->timer, c->worker, due);
    timer_set_after_ms(&c->timer, 0);
    journal_on_room(c->journal, room, c);
    c->full = journal_no_room(c->journal); /* it may have been before */
    *out = c;
    return ERR_OK;
}

void run_care_free(struct run_care *c)
{
    if (!c)
        return;
    c->stopping = true;
    journal_on_room(c->journal, NULL, NULL);
    timer_cancel(&c->timer);
    offload_drain(c->queue);
    offload_queue_free(c->queue);
    doctor_fini(&c->doctor);
    vec_fini(c->alloc, &c->told);
    mem_free(c->alloc, c, sizeof(*c));
}
