#include "async/timer.h"
#include "site/trials.h"
#include "tests/support/test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What stands in for `sedge test`: a script. */
struct rig {
    struct executor *ex;
    struct site_trials *trials;
    char script[512], mark[512];
    int ended;
};

static void run_has_ended(void *ctx)
{
    struct rig *g = ctx;
    g->ended++;
    executor_stop(g->ex);
}

static void rig_init(struct rig *g, const char *driver, const char *script, int64_t patience_ms)
{
    struct error e = {0};
    *g = (struct rig){0};
    const char *dir = test_tmpdir();
    (void)snprintf(g->script, sizeof(g->script), "%s/script", dir);
    (void)snprintf(g->mark, sizeof(g->mark), "%s/mark", dir);
    FILE *f = fopen(g->script, "we");
    REQUIRE(f != NULL);
    (void)fprintf(f, "#!/bin/sh\nmark=%s\n%s\n", g->mark, script);
    REQUIRE(fclose(f) == 0 && chmod(g->script, 0700) == 0);
    struct executor_config ex = {.env = env_linux(),
                                 .alloc = alloc_system(),
                                 .workers = 1,
                                 .driver = driver,
                                 .offload_threads = 1};
    REQUIRE(executor_new(&g->ex, &ex, &e) == ERR_OK);
    struct site_trials_config cfg = {.ex = g->ex,
                                     .alloc = alloc_system(),
                                     .program = g->script,
                                     .site = "some/site",
                                     .patience_ms = patience_ms,
                                     .changed = run_has_ended,
                                     .ctx = g};
    REQUIRE(site_trials_new(&g->trials, &cfg, &e) == ERR_OK);
}

static void rig_fini(struct rig *g)
{
    site_trials_free(g->trials);
    executor_free(g->ex);
}

/* The report, in `b`. */
static void report(struct rig *g, struct strbuf *b)
{
    struct json_writer w;
    strbuf_reset(b);
    json_writer_init(&w, b);
    site_trials_write(g->trials, &w);
}

#define DOCUMENT                                                                                   \
    "{\"errors\":0,\"diagnostics\":[],\"text\":null,\"tests\":[{\"name\":\"t\"}],\"run\":1,"       \
    "\"failed\":1,\"simulated_ms\":5000}"

static const struct {
    const char *label, *script;
    int64_t patience_ms;
    const char *has[3];
} rows[] = {
    {"a document",
     "echo \"$@\" > $mark; echo '" DOCUMENT "'; exit 1",
     0,
     {"\"error\":null", "\"tests\":[{\"name\":\"t\"}]", "\"failed\":1,\"simulated_ms\":5000"}},
    {"it does not end",
     "echo '{'; exec sleep 1000",
     100,
     {"\"error\":\"the tests did not end in time, and were stopped\"", "\"tests\":[]",
      "\"run\":0"}},
    {"nor does what it started", "sleep 1000 & sleep 1000", 100, {"did not end in time", "", ""}},
    {"a document, and then it hangs",
     "echo '" DOCUMENT "'; exec sleep 1000",
     300,
     {"did not end in time", "\"tests\":[]", "\"failed\":0"}},
    {"its output ends, and it does not",
     "exec >&-; exec sleep 1000",
     100,
     {"did not end in time", "\"tests\":[]", ""}},
    {"it says too much", "exec yes", 0, {"the tests say more than 4 MiB", "\"tests\":[]", ""}},
    {"it is killed", "kill -9 $$", 0, {"the tests were ended by signal 9", "\"errors\":0", ""}},
    {"it says why",
     "echo 'sedge test: there is no site' >&2; exit 2",
     0,
     {"\"error\":\"sedge test: there is no site\"", "", ""}},
    {"it says nothing", "exit 0", 0, {"said nothing that can be read", "", ""}},
    {"it says something else", "echo '{\"tests\":[]}'", 0, {"nothing that can be read", "", ""}},
};

static void check_row(const char *driver, size_t i)
{
    struct rig g;
    struct error e = {0};
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 0);
    LABEL("%s, %s", driver, rows[i].label);
    rig_init(&g, driver, rows[i].script, rows[i].patience_ms);
    REQUIRE(site_trials_start(g.trials, &e) == ERR_OK);
    CHECK_EQ_INT(site_trials_start(g.trials, &e), ERR_EXISTS);
    report(&g, &b);
    CHECK_HAS_STR(b.p, "\"running\":true,\"started_ms\":1");
    CHECK_HAS_STR(b.p, "\"ended_ms\":null");
    executor_run(g.ex);
    CHECK_EQ_INT(g.ended, 1);
    CHECK(!site_trials_running(g.trials));
    report(&g, &b);
    CHECK_HAS_STR(b.p, "\"running\":false");
    for (size_t k = 0; k < ARRAY_LEN(rows[i].has); k++)
        CHECK_HAS_STR(b.p, rows[i].has[k]);
    rig_fini(&g);
    strbuf_fini(&b);
}

TEST(a_run_ends_whatever_its_process_does)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        check_row("epoll", i);
        check_row(NULL, i); /* io_uring where it works */
    }
}

TEST(the_child_is_asked_for_the_tests_of_the_site)
{
    struct rig g;
    struct error e = {0};
    char said[128] = "";
    rig_init(&g, NULL, rows[0].script, 0);
    REQUIRE(site_trials_start(g.trials, &e) == ERR_OK);
    executor_run(g.ex);
    FILE *f = fopen(g.mark, "re");
    REQUIRE(f && fgets(said, sizeof(said), f));
    (void)fclose(f);
    CHECK_EQ_STR(said, "test --json -- some/site\n");
    rig_fini(&g);
}

TEST(a_run_may_follow_another)
{
    struct rig g;
    struct error e = {0};
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 0);
    rig_init(&g, NULL, "if [ -e $mark ]; then echo '" DOCUMENT "'; else touch $mark; exit 3; fi",
             0);
    REQUIRE(site_trials_start(g.trials, &e) == ERR_OK);
    executor_run(g.ex);
    report(&g, &b);
    CHECK_HAS_STR(b.p, "nothing that can be read");
    REQUIRE(site_trials_start(g.trials, &e) == ERR_OK);
    executor_run(g.ex);
    report(&g, &b);
    CHECK_HAS_STR(b.p, "\"error\":null");
    CHECK_HAS_STR(b.p, "\"name\":\"t\"");
    rig_fini(&g);
    strbuf_fini(&b);
}

static void stop_now(struct timer *t)
{
    executor_stop(worker_executor(t->worker));
}

TEST(a_run_under_way_ends_with_the_site)
{
    struct rig g;
    struct error e = {0};
    rig_init(&g, NULL, "echo $$ > $mark; exec sleep 1000", 0);
    REQUIRE(site_trials_start(g.trials, &e) == ERR_OK);
    int pid = 0;
    while (pid == 0) { /* until it is there */
        struct timer t;
        timer_init(&t, executor_worker(g.ex, 0), stop_now);
        timer_set_after_ms(&t, 5);
        executor_run(g.ex);
        FILE *f = fopen(g.mark, "re");
        char line[32];
        if (f && fgets(line, sizeof(line), f))
            pid = (int)strtol(line, NULL, 10);
        if (f)
            (void)fclose(f);
    }
    CHECK(kill(pid, 0) == 0);
    rig_fini(&g);
    CHECK(kill(pid, 0) != 0);
    CHECK_EQ_INT(g.ended, 0);
}

TEST(without_a_process_there_is_an_error)
{
    struct rig g;
    struct error e = {0};
    rig_init(&g, NULL, "exit 0", 0);
    REQUIRE(unlink(g.script) == 0);
    CHECK_EQ_INT(site_trials_start(g.trials, &e), ERR_IO);
    CHECK_HAS_STR(e.text, "can't be started");
    CHECK(!site_trials_running(g.trials));
    rig_fini(&g);
}
