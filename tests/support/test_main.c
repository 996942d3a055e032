/* The runner behind test.h: keeps the registered tests, runs them one after the
 * other, prints TAP. */
#include "tests/support/test.h"

#include <errno.h>
#include <ftw.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LABEL_SIZE = 256, NAME_SIZE = 192, TMPDIR_SIZE = 256, MEM_SHOWN = 16 };

/* The registry of tests and the state of the one that runs: the only global
 * state, since constructors and check macros have no argument to hang it on. */
static struct {
    struct test_case *first, **tail;
    size_t count;
    pthread_t thread;
    pid_t pid;
    jmp_buf leave;
    atomic_uint failures;
    char name[NAME_SIZE];
    char skipped[LABEL_SIZE];
    bool is_skipped;
    char tmpdir[TMPDIR_SIZE];
    uint64_t seed;
    bool seed_printed;
} run;

static _Thread_local char label[LABEL_SIZE];

void test_register(struct test_case *c)
{
    if (run.tail == NULL) {
        run.tail = &run.first;
    }
    *run.tail = c;
    run.tail = &c->next;
    run.count++;
}

void test_label(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(label, sizeof label, format, args);
    va_end(args);
}

/* One call of printf for one failure, so that threads don't mix their lines. */
__attribute__((format(printf, 3, 4))) static bool fail(const char *file, int line,
                                                       const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    atomic_fetch_add(&run.failures, 1);
    printf("# %s:%d: %s%s%s%s\n", file, line, label[0] ? "[" : "", label, label[0] ? "] " : "",
           text);
    fflush(stdout);
    return false;
}

void test_note(const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    printf("# %s\n", text);
    fflush(stdout);
}

bool test_check(bool held, const char *what, const char *file, int line)
{
    return held || fail(file, line, "does not hold: %s", what);
}

bool test_eq_int(intmax_t got, intmax_t want, const char *what, const char *file, int line)
{
    return got == want || fail(file, line, "%s is %jd, not %jd", what, got, want);
}

bool test_eq_uint(uintmax_t got, uintmax_t want, const char *what, const char *file, int line)
{
    return got == want ||
           fail(file, line, "%s is %ju (0x%jx), not %ju (0x%jx)", what, got, got, want, want);
}

bool test_eq_ptr(const void *got, const void *want, const char *what, const char *file, int line)
{
    return got == want || fail(file, line, "%s is %p, not %p", what, got, want);
}

bool test_eq_str(const char *got, const char *want, const char *what, const char *file, int line)
{
    if (got == NULL || want == NULL) {
        return got == want || fail(file, line, "%s is %s%s%s, not %s%s%s", what, got ? "\"" : "",
                                   got ? got : "NULL", got ? "\"" : "", want ? "\"" : "",
                                   want ? want : "NULL", want ? "\"" : "");
    }
    return strcmp(got, want) == 0 || fail(file, line, "%s is \"%s\", not \"%s\"", what, got, want);
}

bool test_has_str(const char *text, const char *part, const char *what, const char *file, int line)
{
    bool held = text != NULL && part != NULL && strstr(text, part) != NULL;
    return held || fail(file, line, "%s has no \"%s\": \"%s\"", what, part ? part : "NULL",
                        text ? text : "NULL");
}

static const char *hex(char out[3 * MEM_SHOWN + 4], const unsigned char *p, size_t size)
{
    size_t at = 0;
    for (size_t i = 0; i < size && i < MEM_SHOWN; i++) {
        at += (size_t)snprintf(out + at, 4, "%02x ", p[i]);
    }
    out[at ? at - 1 : 0] = '\0';
    return out;
}

bool test_eq_mem(const void *got, const void *want, size_t size, const char *what, const char *file,
                 int line)
{
    const unsigned char *g = got, *w = want;
    char got_hex[3 * MEM_SHOWN + 4], want_hex[3 * MEM_SHOWN + 4];
    if (size == 0) {
        return true;
    }
    if (g == NULL || w == NULL) {
        return g == w || fail(file, line, "%s is %p, not %p", what, got, want);
    }
    for (size_t i = 0; i < size; i++) {
        if (g[i] != w[i]) {
            return fail(file, line, "%s differs at byte %zu of %zu: from there it is %s, not %s",
                        what, i, size, hex(got_hex, g + i, size - i),
                        hex(want_hex, w + i, size - i));
        }
    }
    return true;
}

bool test_eq_dbl(double got, double want, double eps, const char *what, const char *file, int line)
{
    bool same = isnan(want)   ? isnan(got)
                : isinf(want) ? isinf(got) && (got > 0) == (want > 0)
                              : fabs(got - want) <= eps;
    return same || fail(file, line, "%s is %.17g, not %.17g (within %g)", what, got, want, eps);
}

bool test_aborts(void (*fn)(void *arg), void *arg, const char *what, const char *file, int line)
{
    int status = 0;
    fflush(stdout);
    pid_t child = fork();
    if (child < 0) {
        return fail(file, line, "fork: %s", strerror(errno));
    }
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        if (freopen("/dev/null", "w", stderr) == NULL) {
            _exit(1);
        }
        fn(arg);
        _exit(0);
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT) ||
           fail(file, line, "%s did not abort (wait status 0x%x)", what, (unsigned)status);
}

void test_leave(void)
{
    if (!pthread_equal(pthread_self(), run.thread)) {
        printf("Bail out! REQUIRE or SKIP on a thread that is not the test's own\n");
        fflush(stdout);
        abort();
    }
    longjmp(run.leave, 1);
}

void test_skip(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(run.skipped, sizeof run.skipped, format, args);
    va_end(args);
    run.is_skipped = true;
    test_leave();
}

const char *test_tmpdir(void)
{
    if (run.tmpdir[0] == '\0') {
        const char *base = getenv("TMPDIR");
        snprintf(run.tmpdir, sizeof run.tmpdir, "%s/sedge-test-XXXXXX", base ? base : "/tmp");
        if (mkdtemp(run.tmpdir) == NULL) {
            printf("Bail out! no temporary folder %s: %s\n", run.tmpdir, strerror(errno));
            exit(1);
        }
    }
    return run.tmpdir;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static void tmpdir_end(bool failed)
{
    if (run.tmpdir[0] == '\0') {
        return;
    }
    if (failed && getenv("SEDGE_TEST_KEEP") != NULL) {
        printf("# kept: %s\n", run.tmpdir);
    } else if (nftw(run.tmpdir, remove_entry, 16, FTW_DEPTH | FTW_PHYS) != 0) {
        printf("# could not remove %s: %s\n", run.tmpdir, strerror(errno));
    }
    run.tmpdir[0] = '\0';
}

uint64_t test_seed(void)
{
    if (!run.seed_printed) {
        run.seed_printed = true;
        printf("# seed %ju (repeat with --seed=%ju)\n", (uintmax_t)run.seed, (uintmax_t)run.seed);
        fflush(stdout);
    }
    return run.seed;
}

/* A test that crashes still says which one it was. Only write() is allowed here. */
static void on_abort(int number)
{
    static const char head[] = "not ok - ", tail[] = " # ended by a signal\n";
    if (getpid() == run.pid) {
        ssize_t n = write(STDOUT_FILENO, head, sizeof head - 1);
        n += write(STDOUT_FILENO, run.name, strlen(run.name));
        n += write(STDOUT_FILENO, tail, sizeof tail - 1);
        (void)n;
    }
    signal(number, SIG_DFL);
    raise(number);
}

/* "src/base/vec_test.c", "grows" -> "vec/grows" */
static void full_name(char out[NAME_SIZE], const struct test_case *c)
{
    const char *slash = strrchr(c->file, '/');
    const char *stem = slash ? slash + 1 : c->file;
    size_t len = strcspn(stem, ".");
    if (len > 5 && strncmp(stem + len - 5, "_test", 5) == 0) {
        len -= 5;
    }
    snprintf(out, NAME_SIZE, "%.*s/%s", (int)len, stem, c->name);
}

/* Returns true when the test did not fail. */
static bool run_one(const struct test_case *c, size_t number)
{
    atomic_store(&run.failures, 0);
    run.is_skipped = false;
    run.seed_printed = false;
    label[0] = '\0';
    if (setjmp(run.leave) == 0) {
        c->run();
    }
    bool failed = atomic_load(&run.failures) > 0;
    tmpdir_end(failed);
    if (!failed && run.is_skipped) {
        printf("ok %zu - %s # SKIP %s\n", number, run.name, run.skipped);
    } else {
        printf("%s %zu - %s\n", failed ? "not ok" : "ok", number, run.name);
    }
    fflush(stdout);
    return !failed;
}

static bool parse(int argc, char **argv, const char **filter, bool *list)
{
    const char *seed = getenv("SEDGE_TEST_SEED");
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--list") == 0) {
            *list = true;
        } else if (strncmp(argv[i], "--seed=", 7) == 0) {
            seed = argv[i] + 7;
        } else if (argv[i][0] != '-' && *filter == NULL) {
            *filter = argv[i];
        } else {
            fprintf(stderr, "usage: %s [PART OF A NAME] [--list] [--seed=N]\n", argv[0]);
            return false;
        }
    }
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t fresh = (uint64_t)now.tv_sec << 20 ^ (uint64_t)now.tv_nsec ^ (uint64_t)getpid();
    run.seed = seed ? (uint64_t)strtoumax(seed, NULL, 0) : fresh;
    return true;
}

static size_t count_matching(const char *filter, bool print)
{
    size_t n = 0;
    for (const struct test_case *c = run.first; c != NULL; c = c->next) {
        full_name(run.name, c);
        if (filter == NULL || strstr(run.name, filter) != NULL) {
            n++;
            if (print) {
                printf("%s\n", run.name);
            }
        }
    }
    return n;
}

int main(int argc, char **argv)
{
    const char *filter = NULL;
    bool list = false;
    size_t number = 0, failed = 0;
    if (!parse(argc, argv, &filter, &list)) {
        return 2;
    }
    size_t planned = count_matching(filter, list);
    if (list) {
        return 0;
    }
    run.thread = pthread_self();
    run.pid = getpid();
    signal(SIGABRT, on_abort);
    printf("1..%zu\n", planned);
    fflush(stdout);
    for (const struct test_case *c = run.first; c != NULL; c = c->next) {
        full_name(run.name, c);
        if (filter == NULL || strstr(run.name, filter) != NULL) {
            failed += run_one(c, ++number) ? 0 : 1;
        }
    }
    printf("# %zu tests, %zu failed\n", number, failed);
    if (planned == 0) {
        printf("# nothing is called like \"%s\"\n", filter ? filter : "");
    }
    return failed > 0 || planned == 0 ? 1 : 0;
}
