#include "site/trials.h"

#include "async/io.h"
#include "async/timer.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NICE = 10, REAP_MS = 5, SAID_MAX = 4096 };
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MEMORY_MAX RLIM_INFINITY /* their shadows are terabytes of addresses */
#else
#define MEMORY_MAX ((rlim_t)2 << 30)
#endif

/* What a report has of the document of `sedge test --json`, and without one. */
static const struct {
    const char *key, *without;
} members[] = {{"errors", "0"}, {"text", "null"},      {"run", "0"},
               {"failed", "0"}, {"simulated_ms", "0"}, {"tests", "[]"}};
enum { MEMBERS = ARRAY_LEN(members) };

/* One run: a child and the ends of its output. It lives until the driver has given its operation
 * back, which may be after the trials have gone. */
struct child {
    struct io_op op;
    struct site_trials *of; /* NULL: gone */
    struct worker *worker;
    pid_t pid;
    int out, err; /* what it says: its document, and what went wrong */
    struct strbuf text;
};

struct site_trials {
    struct site_trials_config cfg;
    struct worker *worker;
    struct timer timer; /* patience; then until the child is there to be waited for */
    struct child *child;
    bool said;               /* its output is over */
    const char *stopped_for; /* it was killed because …; NULL: it was not */
    int64_t started_ms, ended_ms, started_ns, took_ms;
    char why[SAID_MAX + 64];   /* nothing is known of the last run, because …; "" */
    struct strbuf text;        /* what its child said, */
    struct str found[MEMBERS]; /* and its members in it */
};

/* --- the child --- */

static void child_free(struct child *c)
{
    struct io_driver *io = worker_io(c->worker);
    if (c->out >= 0)
        io->ops->close_fd(io, c->out);
    if (c->err >= 0)
        (void)close(c->err);
    strbuf_fini(&c->text);
    mem_free(worker_alloc(c->worker), c, sizeof(*c));
}

static enum err spawn(struct child *c, const struct site_trials_config *cfg, int out, int err,
                      struct error *e)
{
    const char *program = cfg->program ? cfg->program : "/proc/self/exe";
    char *argv[] = {(char *)(uintptr_t) "sedge",  (char *)(uintptr_t) "test",
                    (char *)(uintptr_t) "--json", (char *)(uintptr_t) "--",
                    (char *)(uintptr_t)cfg->site, NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t none;
    sigemptyset(&none);
    (void)posix_spawn_file_actions_init(&files);
    (void)posix_spawnattr_init(&attr);
    int failed = posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    failed = failed ? failed : posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
    failed = failed ? failed : posix_spawn_file_actions_adddup2(&files, err, STDERR_FILENO);
    /* Ours are blocked; and it is a group of its own, which ends as a whole. */
    failed = failed ? failed : posix_spawnattr_setsigmask(&attr, &none);
    failed = failed ? failed : posix_spawnattr_setpgroup(&attr, 0);
    failed = failed
                 ? failed
                 : posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    failed = failed ? failed : posix_spawn(&c->pid, program, &files, &attr, argv, environ);
    (void)posix_spawnattr_destroy(&attr);
    (void)posix_spawn_file_actions_destroy(&files);
    if (failed) {
        c->pid = 0;
        return error_set_os(e, failed, "%s can't be started", program);
    }
    const struct rlimit memory = {MEMORY_MAX, MEMORY_MAX};
    (void)setpriority(PRIO_PROCESS, (id_t)c->pid, NICE);
    (void)prlimit(c->pid, RLIMIT_AS, &memory, NULL);
    return ERR_OK;
}

static enum err child_start(struct child *c, const struct site_trials_config *cfg, struct error *e)
{
    int out[2] = {-1, -1}, err[2] = {-1, -1};
    enum err r = ERR_OK;
    if (pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC | O_NONBLOCK) != 0)
        r = error_set_os(e, errno, "no pipe to the tests");
    if (!r && fcntl(out[0], F_SETFL, O_NONBLOCK) != 0)
        r = error_set_os(e, errno, "no pipe to the tests");
    if (!r)
        r = spawn(c, cfg, out[1], err[1], e);
    c->out = out[0];
    c->err = err[0];
    if (out[1] >= 0)
        (void)close(out[1]);
    if (err[1] >= 0)
        (void)close(err[1]);
    return r;
}

/* --- its end --- */

static bool find_members(struct site_trials *t)
{
    struct bytes doc = {(const uint8_t *)t->text.p, t->text.n};
    bool all = !t->text.failed && !t->stopped_for;
    for (size_t i = 0; all && i < MEMBERS; i++)
        all = json_find(doc, str_from(members[i].key), NULL, &t->found[i]) == ERR_OK;
    for (size_t i = 0; !all && i < MEMBERS; i++)
        t->found[i] = str_from(members[i].without);
    return all;
}

/* What it said beside its document: one line of it is why. */
static struct str last_words(int fd, char buf[SAID_MAX])
{
    ssize_t n = read(fd, buf, SAID_MAX);
    struct str rest = {buf, n > 0 ? (size_t)n : 0}, line;
    rest = str_trim(rest);
    return str_split(&rest, '\n', &line) ? line : STR("");
}

static void say_why(struct site_trials *t, int status)
{
    char said[SAID_MAX];
    struct str words = last_words(t->child->err, said);
    if (t->stopped_for)
        (void)snprintf(t->why, sizeof(t->why), "%s", t->stopped_for);
    else if (words.n)
        (void)snprintf(t->why, sizeof(t->why), "%.*s", STR_FMT(words));
    else if (WIFSIGNALED(status))
        (void)snprintf(t->why, sizeof(t->why), "the tests were ended by signal %d",
                       WTERMSIG(status));
    else
        (void)snprintf(t->why, sizeof(t->why), "the tests said nothing that can be read");
}

static void ended(struct site_trials *t, int status)
{
    struct child *c = t->child;
    strbuf_fini(&t->text);
    t->text = c->text;
    strbuf_init(&c->text, t->cfg.alloc, 0);
    t->why[0] = '\0';
    if (!find_members(t))
        say_why(t, status);
    t->ended_ms = worker_now_ms(t->worker);
    t->took_ms = (worker_now_ns(t->worker) - t->started_ns) / 1000000;
    t->child = NULL;
    child_free(c);
    if (t->cfg.changed)
        t->cfg.changed(t->cfg.ctx);
}

static void stop_child(struct site_trials *t, const char *why)
{
    if (!t->stopped_for)
        t->stopped_for = why;
    (void)kill(-t->child->pid, SIGKILL); /* its pipe closes, and tells */
}

static void stop_late(struct site_trials *t)
{
    stop_child(t, "the tests did not end in time, and were stopped");
}

/* A pipe may close a moment before its process is there to be waited for; or long before. */
static void reap(struct site_trials *t)
{
    int status = 0;
    if (waitpid(t->child->pid, &status, WNOHANG) != 0) {
        ended(t, status);
        return;
    }
    if (worker_now_ns(t->worker) - t->started_ns > t->cfg.patience_ms * 1000000)
        stop_late(t);
    timer_set_after_ms(&t->timer, REAP_MS);
}

static void timer_fired(struct timer *timer)
{
    struct site_trials *t = CONTAINER_OF(timer, struct site_trials, timer);
    if (t->said)
        reap(t);
    else
        stop_late(t);
}

/* False: its output is over. */
static bool take_output(struct child *c)
{
    char piece[16384];
    ssize_t n;
    while ((n = read(c->out, piece, sizeof(piece))) > 0)
        strbuf_add(&c->text, piece, (size_t)n);
    return n < 0 && errno == EAGAIN;
}

static void readable(struct io_op *op, struct io_result r)
{
    struct child *c = CONTAINER_OF(op, struct child, op);
    struct site_trials *t = c->of;
    struct io_driver *io = worker_io(c->worker);
    if (!t) {
        child_free(c);
        return;
    }
    bool more = take_output(c);
    if (c->text.failed)
        stop_child(t, "the tests say more than 4 MiB, and were stopped");
    if (more && r.res != -ECANCELED) {
        io->ops->poll(io, op, c->out, POLLIN);
        return;
    }
    t->said = true;
    timer_cancel(&t->timer);
    reap(t);
}

/* --- the trials --- */

enum err site_trials_start(void *trials, struct error *e)
{
    struct site_trials *t = trials;
    if (t->child)
        return error_set(e, ERR_EXISTS, "the tests are under way");
    struct child *c = mem_zero(worker_alloc(t->worker), sizeof(*c));
    if (!c)
        return error_set(e, ERR_NOMEM, "no memory for the tests");
    *c = (struct child){.of = t, .worker = t->worker, .op.done = readable};
    strbuf_init(&c->text, t->cfg.alloc, SITE_TRIALS_OUT_MAX);
    enum err err = child_start(c, &t->cfg, e);
    if (err) {
        child_free(c);
        return err;
    }
    t->child = c;
    t->said = false;
    t->stopped_for = NULL;
    t->started_ms = worker_now_ms(t->worker);
    t->started_ns = worker_now_ns(t->worker);
    timer_set_after_ms(&t->timer, t->cfg.patience_ms);
    struct io_driver *io = worker_io(t->worker);
    io->ops->poll(io, &c->op, c->out, POLLIN);
    LOG_I("app", "the site's tests run");
    return ERR_OK;
}

bool site_trials_running(const struct site_trials *t)
{
    return t->child != NULL;
}

static void write_ms(struct json_writer *w, const char *key, int64_t ms)
{
    json_key(w, key);
    if (ms)
        json_int(w, ms);
    else
        json_null(w);
}

void site_trials_write(void *trials, struct json_writer *w)
{
    const struct site_trials *t = trials;
    json_object_begin(w);
    json_key(w, "running");
    json_bool(w, t->child != NULL);
    write_ms(w, "started_ms", t->started_ms);
    write_ms(w, "ended_ms", t->child ? 0 : t->ended_ms);
    json_key(w, "took_ms");
    json_int(w, t->took_ms);
    json_key(w, "error");
    json_cstr(w, t->why[0] ? t->why : NULL);
    for (size_t i = 0; i < MEMBERS; i++) {
        json_key(w, members[i].key);
        json_raw(w, t->found[i]);
    }
    json_object_end(w);
}

enum err site_trials_new(struct site_trials **out, const struct site_trials_config *cfg,
                         struct error *e)
{
    struct site_trials *t = mem_zero(cfg->alloc, sizeof(*t));
    *out = t;
    if (!t)
        return error_set(e, ERR_NOMEM, "no memory for the tests of the site");
    t->cfg = *cfg;
    t->cfg.patience_ms = cfg->patience_ms ? cfg->patience_ms : SITE_TRIALS_MS;
    t->worker = executor_worker(cfg->ex, 0);
    timer_init(&t->timer, t->worker, timer_fired);
    strbuf_init(&t->text, cfg->alloc, 0);
    for (size_t i = 0; i < MEMBERS; i++)
        t->found[i] = str_from(members[i].without);
    return ERR_OK;
}

void site_trials_free(struct site_trials *t)
{
    if (!t)
        return;
    timer_cancel(&t->timer);
    struct child *c = t->child;
    if (c) {
        (void)kill(-c->pid, SIGKILL);
        (void)waitpid(c->pid, NULL, 0);
        c->of = NULL;
        struct io_driver *io = worker_io(t->worker);
        if (t->said)
            child_free(c);
        else
            io->ops->cancel(io, &c->op); /* readable() frees it */
    }
    strbuf_fini(&t->text);
    mem_free(t->cfg.alloc, t, sizeof(*t));
}
