#include "auth/password_internal.h"

#include "tests/support/test.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct bytes bytes_of(const char *s)
{
    return (struct bytes){(const uint8_t *)s, strlen(s)};
}

/* Written by mosquitto_passwd 2.0.11 of Debian 12. */
#define MOSQUITTO_SECRET                                                                           \
    "$7$101$CUFbQ3nsU/IFdb2o$TKET36S50AYR8S4a1Flinga3J/pjAtZ/"                                     \
    "gssTWyMGaGJSom6zawuvvvthsUULdczfs7NMYaN931/ou1rE2OGiSg=="

TEST(password_hashes)
{
    char own[PASSWORD_HASH_MAX];
    struct error e = {0};
    REQUIRE(CHECK_EQ_INT(password_hash(bytes_of("secret"), own, &e), ERR_OK));
    CHECK_HAS_STR(own, "$argon2id$v=19$m=7168,t=5,p=1$");
    const struct {
        const char *what, *hash;
        bool known, matches;
    } cases[] = {
        {"our own", own, true, true},
        {"mosquitto's", MOSQUITTO_SECRET, true, true},
        {"argon2i of another program",
         "$argon2i$v=19$m=8,t=1,p=1$c29tZXNhbHRzb21l$vs84oHBVlaTVZsGfmjuGJQ", true, false},
        {"plain text", "secret", false, false},
        {"mosquitto's older form", "$6$c2FsdA==$aGFzaA==", false, false},
        {"no salt", "$7$101$$aGFzaA==", false, false},
        {"no rounds", "$7$0$c2FsdHNhbHRzYQ==$aGFzaA==", false, false},
        {"too many rounds", "$7$99999999999$c2FsdHNhbHRzYQ==$aGFzaA==", false, false},
        {"more memory than there is", "$argon2id$v=19$m=999999999,t=1,p=1$c2FsdA$aGFzaA", false,
         false},
        {"only the name", "$argon2id$", false, false},
        {"empty", "", false, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        LABEL("%s", cases[i].what);
        CHECK_EQ_INT(password_hash_known(str_from(cases[i].hash)), cases[i].known);
        CHECK_EQ_INT(password_matches(str_from(cases[i].hash), bytes_of("secret")),
                     cases[i].matches);
        CHECK(!password_matches(str_from(cases[i].hash), bytes_of("Secret")));
        CHECK(!password_matches(str_from(cases[i].hash), bytes_of("")));
    }
}

static void write_text(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    REQUIRE(f && fputs(text, f) >= 0);
    REQUIRE(fclose(f) == 0);
}

static void read_text(const char *path, char *out, size_t size)
{
    FILE *f = fopen(path, "r");
    REQUIRE(f != NULL);
    out[fread(out, 1, size - 1, f)] = '\0';
    (void)fclose(f);
}

TEST(password_file_edits_keep_the_rest)
{
    char path[256], text[500];
    struct error e = {0};
    struct stat st;
    (void)snprintf(path, sizeof(path), "%s/users", test_tmpdir());
    CHECK_EQ_INT(password_file_set(path, STR("ada"), "h1", &e), ERR_OK);
    REQUIRE(stat(path, &st) == 0);
    CHECK_EQ_INT(st.st_mode & 07777, 0600);
    write_text(path, "# staff\nada:h1\nadam:h2\n\nbob:h3"); /* no newline at the end */
    REQUIRE(chmod(path, 0644) == 0);
    CHECK_EQ_INT(password_file_set(path, STR("ada"), "new", &e), ERR_OK);
    CHECK_EQ_INT(password_file_set(path, STR("eve"), "h4", &e), ERR_OK);
    read_text(path, text, sizeof(text));
    CHECK_EQ_STR(text, "# staff\nada:new\nadam:h2\n\nbob:h3\neve:h4\n");
    REQUIRE(stat(path, &st) == 0);
    CHECK_EQ_INT(st.st_mode & 07777, 0640); /* its group may be the service's */
    REQUIRE(geteuid() != 0 || chown(path, 1234, 1235) == 0);
    CHECK_EQ_INT(password_file_set(path, STR("bob"), NULL, &e), ERR_OK);
    REQUIRE(stat(path, &st) == 0);
    CHECK_EQ_INT(st.st_mode & 07777, 0640);
    CHECK(geteuid() != 0 || (st.st_uid == 1234 && st.st_gid == 1235));
    CHECK_EQ_INT(password_file_set(path, STR("bob"), NULL, &e), ERR_NOT_FOUND);
    CHECK_EQ_INT(password_file_set(path, STR("a:b"), "h", &e), ERR_INVALID);
    CHECK_EQ_INT(password_file_set(path, STR("#a"), "h", &e), ERR_INVALID);
    CHECK_EQ_INT(password_file_set(path, STR("a\nb"), "h", &e), ERR_INVALID);
    CHECK_EQ_INT(password_file_set(path, STR(""), "h", &e), ERR_INVALID);
    read_text(path, text, sizeof(text));
    CHECK_EQ_STR(text, "# staff\nada:new\nadam:h2\n\neve:h4\n");
    CHECK_EQ_INT(password_file_set("/nowhere/users", STR("ada"), "h", &e), ERR_IO);
}

static void no_user(void *ctx, struct str name, const char *kind)
{
    (void)ctx;
    (void)kind;
    LABEL("%.*s", STR_FMT(name));
    CHECK(!"a user of a file that is none of users");
}

TEST(password_file_is_not_any_file)
{
    static const char site[] = "// the site\nsite \"hall\"\nserver { mqtt 127.0.0.1:1883 }\n";
    char path[256], text[500];
    struct error e = {0};
    size_t changed;
    (void)snprintf(path, sizeof(path), "%s/site.sedge", test_tmpdir());
    write_text(path, site);
    CHECK_EQ_INT(password_file_set(path, STR("ada"), "h1", &e), ERR_SYNTAX);
    CHECK_HAS_STR(e.text, "line 1 ");
    CHECK_EQ_INT(password_file_set(path, STR("ada"), NULL, &e), ERR_SYNTAX);
    CHECK_EQ_INT(password_file_upgrade(path, &changed, &e), ERR_SYNTAX);
    CHECK_EQ_INT(password_file_list(path, no_user, NULL, &e), ERR_SYNTAX);
    read_text(path, text, sizeof(text));
    CHECK_EQ_STR(text, site);
}

struct rig {
    struct executor *ex;
    struct password_file *file;
    char path[256];
    enum err result; /* of the last check that was computed */
    unsigned answers, wanted;
};

static void rig_open_workers(struct rig *r, const char *text, size_t checks_max, unsigned workers)
{
    struct error e = {0};
    const struct executor_config ec = {.workers = workers, .driver = "epoll", .offload_threads = 2};
    *r = (struct rig){0};
    (void)snprintf(r->path, sizeof(r->path), "%s/users", test_tmpdir());
    write_text(r->path, text);
    REQUIRE(chmod(r->path, 0600) == 0);
    REQUIRE(executor_new(&r->ex, &ec, &e) == ERR_OK);
    const struct password_config cfg = {.ex = r->ex, .path = r->path, .checks_max = checks_max};
    REQUIRE(CHECK_EQ_INT(password_file_open(&r->file, &cfg, &e), ERR_OK));
}

static void rig_open(struct rig *r, const char *text, size_t checks_max)
{
    rig_open_workers(r, text, checks_max, 1);
}

static void rig_close(struct rig *r)
{
    password_file_close(r->file);
    executor_free(r->ex);
}

static void checked(void *ctx, enum err result)
{
    struct rig *r = ctx;
    r->result = result;
    if (++r->answers == r->wanted)
        executor_stop(r->ex);
}

static enum err start(struct rig *r, const char *user, const char *password,
                      struct password_check **check)
{
    return password_file_check(r->file, executor_worker(r->ex, 0), str_from(user),
                               bytes_of(password), checked, r, check);
}

/* The answer, however it comes. */
static enum err check(struct rig *r, const char *user, const char *password)
{
    struct password_check *c;
    enum err err = start(r, user, password, &c);
    if (err != ERR_AGAIN)
        return err;
    r->wanted = r->answers + 1;
    executor_run(r->ex);
    return r->result;
}

TEST(password_check_remembers_what_was_right)
{
    struct rig r;
    struct error e = {0};
    rig_open(&r, "# comment\n\nada:" MOSQUITTO_SECRET "\n", 0);
    CHECK_EQ_UINT(password_file_users(r.file), 1);
    CHECK_EQ_INT(check(&r, "ada", "wrong"), ERR_DENIED);
    CHECK_EQ_INT(check(&r, "bob", "secret"), ERR_DENIED);
    CHECK_EQ_INT(check(&r, "ada", "secret"), ERR_OK);
    CHECK_EQ_INT(check(&r, "ada", "secret"), ERR_OK);
    CHECK_EQ_INT(check(&r, "ada", "wrong"), ERR_DENIED);
    CHECK_EQ_UINT(password_file_stats(r.file).computed, 4);
    CHECK_EQ_UINT(password_file_stats(r.file).remembered, 1);
    CHECK_EQ_UINT(password_file_stats(r.file).wrong, 3);
    /* The same file again: it is remembered still. */
    CHECK_EQ_INT(password_file_reload(r.file, &e), ERR_OK);
    CHECK_EQ_INT(check(&r, "ada", "secret"), ERR_OK);
    CHECK_EQ_UINT(password_file_stats(r.file).remembered, 2);
    /* Another hash: what was right once no longer is. */
    char hash[PASSWORD_HASH_MAX];
    REQUIRE(password_hash(bytes_of("new"), hash, &e) == ERR_OK);
    REQUIRE(password_file_set(r.path, STR("ada"), hash, &e) == ERR_OK);
    CHECK_EQ_INT(password_file_reload(r.file, &e), ERR_OK);
    CHECK_EQ_INT(check(&r, "ada", "secret"), ERR_DENIED);
    CHECK_EQ_INT(check(&r, "ada", "new"), ERR_OK);
    /* A damaged file changes nothing. */
    write_text(r.path, "ada:nonsense\n");
    CHECK_EQ_INT(password_file_reload(r.file, &e), ERR_SYNTAX);
    CHECK_EQ_UINT(e.line, 1);
    CHECK_HAS_STR(e.where, "/users");
    CHECK_EQ_INT(check(&r, "ada", "new"), ERR_OK);
    rig_close(&r);
}

/* The plugs of a house, after a power cut: two at a time are computed. */
TEST(password_checks_that_wait_learn_from_those_before_them)
{
    enum { PLUGS = 30 };
    struct rig r;
    struct password_check *checks[PLUGS];
    rig_open(&r, "ada:" MOSQUITTO_SECRET "\n", 0);
    r.wanted = PLUGS;
    for (int i = 0; i < PLUGS; i++)
        CHECK_EQ_INT(start(&r, "ada", "secret", &checks[i]), ERR_AGAIN);
    executor_run(r.ex);
    struct password_stats stats = password_file_stats(r.file);
    CHECK_EQ_INT(r.result, ERR_OK);
    CHECK(stats.computed <= 2);
    CHECK_EQ_UINT(stats.computed + stats.remembered, PLUGS);
    CHECK_EQ_UINT(stats.wrong, 0);
    CHECK_EQ_INT(check(&r, "ada", "wrong"), ERR_DENIED); /* which nobody has proven */
    rig_close(&r);
}

/* What an unknown user's password is compared with costs what a known one's does. */
TEST(password_of_a_stranger_is_compared_with_somebodys)
{
    struct rig r;
    struct error e = {0};
    char own[PASSWORD_HASH_MAX], text[2 * PASSWORD_HASH_MAX], name[16];
    unsigned ada = 0, eve = 0;
    REQUIRE(password_hash(bytes_of("x"), own, &e) == ERR_OK);
    (void)snprintf(text, sizeof(text), "ada:" MOSQUITTO_SECRET "\neve:%s\n", own);
    rig_open(&r, text, 0);
    for (unsigned i = 0; i < 1000; i++) {
        (void)snprintf(name, sizeof(name), "stranger%u", i);
        struct str line = password_file_line(r.file, str_from(name));
        CHECK_EQ_PTR(line.p, password_file_line(r.file, str_from(name)).p);
        ada += str_eq(line, STR(MOSQUITTO_SECRET));
        eve += str_eq(line, str_from(own));
    }
    CHECK_EQ_UINT(ada + eve, 1000);
    CHECK(ada > 0 && eve > 0);
    CHECK(str_eq(password_file_line(r.file, STR("eve")), str_from(own)));
    write_text(r.path, "# nobody yet\n");
    CHECK_EQ_INT(password_file_reload(r.file, &e), ERR_OK);
    CHECK(str_starts(password_file_line(r.file, STR("ada")), STR("$argon2id$")));
    rig_close(&r);
}

TEST(password_file_damage)
{
    static const struct {
        const char *text;
        enum err err;
        uint32_t line;
    } cases[] = {
        {"ada\n", ERR_SYNTAX, 1},
        {"# x\n\nada:plain\n", ERR_SYNTAX, 3},
        {":" MOSQUITTO_SECRET "\n", ERR_SYNTAX, 1},
        {"ada:" MOSQUITTO_SECRET "\nada:" MOSQUITTO_SECRET "\n", ERR_EXISTS, 2},
    };
    struct rig r;
    rig_open(&r, "", 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error e = {0};
        LABEL("case %zu", i);
        write_text(r.path, cases[i].text);
        CHECK_EQ_INT(password_file_reload(r.file, &e), cases[i].err);
        CHECK_EQ_UINT(e.line, cases[i].line);
        CHECK(!strstr(e.text, "plain")); /* no hash in a message */
    }
    rig_close(&r);
}

/* So many passes that two checks are still under way when the third is asked for. */
#define SLOW_HASH                                                                                  \
    "$argon2id$v=19$m=8192,t=80,p=1$c2VkZ2Ugc2xvdyBzYWx0$"                                         \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

TEST(password_checks_are_bounded_and_can_be_canceled)
{
    struct rig r;
    struct password_check *one, *two, *three;
    rig_open(&r, "ada:" SLOW_HASH "\n", 2);
    CHECK_EQ_INT(start(&r, "ada", "1", &one), ERR_AGAIN);
    CHECK_EQ_INT(start(&r, "ada", "2", &two), ERR_AGAIN);
    CHECK_EQ_INT(start(&r, "ada", "3", &three), ERR_FULL);
    CHECK_EQ_PTR(three, NULL);
    password_check_cancel(one);
    r.wanted = 1;
    executor_run(r.ex);
    CHECK_EQ_UINT(r.answers, 1);
    CHECK_EQ_INT(r.result, ERR_DENIED);
    CHECK_EQ_UINT(password_file_stats(r.file).refused, 1);
    /* One that is under way at the end. */
    CHECK_EQ_INT(start(&r, "ada", "4", &one), ERR_AGAIN);
    password_check_cancel(one);
    rig_close(&r);
}

/* ---- several workers ---- */

enum { ASKERS = 3, QUESTIONS = 12 };

struct asker {
    struct task task;
    struct rig *rig;
    struct worker *worker;
    unsigned asked, astray;
    unsigned right, wrong;
    bool waiting;
};

static _Atomic unsigned askers_left;

static void answered(struct asker *a, enum err result)
{
    a->waiting = false;
    a->right += result == ERR_OK;
    a->wrong += result == ERR_DENIED;
}

static void asker_told(void *ctx, enum err result)
{
    struct asker *a = ctx;
    a->astray += worker_current() != a->worker;
    answered(a, result);
    task_wake(&a->task);
}

static enum poll asker_poll(struct task *t)
{
    struct asker *a = CONTAINER_OF(t, struct asker, task);
    struct password_check *c;
    struct error e = {0};
    while (!a->waiting && a->asked < QUESTIONS) {
        struct bytes password = bytes_of(a->asked++ % 2 ? "secret" : "wrong");
        if (worker_index(a->worker) == 0)
            CHECK_EQ_INT(password_file_reload(a->rig->file, &e), ERR_OK);
        a->waiting = true;
        enum err err =
            password_file_check(a->rig->file, a->worker, STR("ada"), password, asker_told, a, &c);
        if (err != ERR_AGAIN)
            answered(a, err);
    }
    return a->waiting ? POLL_PENDING : POLL_READY;
}

static void asker_finished(struct task *t)
{
    if (atomic_fetch_sub(&askers_left, 1) == 1)
        executor_stop(worker_executor(t->worker));
}

/* Each worker is answered where it asked, while one reads the file again and again. */
TEST(password_check_on_any_worker)
{
    struct rig r;
    struct asker askers[ASKERS];
    rig_open_workers(&r, "ada:" MOSQUITTO_SECRET "\n", 0, ASKERS);
    atomic_store(&askers_left, ASKERS);
    for (unsigned i = 0; i < ASKERS; i++) {
        askers[i] = (struct asker){.rig = &r, .worker = executor_worker(r.ex, i)};
        task_init(&askers[i].task, "asker", asker_poll, asker_finished);
        task_spawn(askers[i].worker, &askers[i].task);
    }
    executor_run(r.ex);
    for (unsigned i = 0; i < ASKERS; i++) {
        CHECK_EQ_UINT(askers[i].right, QUESTIONS / 2);
        CHECK_EQ_UINT(askers[i].wrong, QUESTIONS / 2);
        CHECK_EQ_UINT(askers[i].astray, 0);
    }
    struct password_stats s = password_file_stats(r.file);
    CHECK_EQ_UINT(s.computed + s.remembered, ASKERS * QUESTIONS);
    CHECK_EQ_UINT(s.wrong, ASKERS * QUESTIONS / 2);
    rig_close(&r);
}

static void put_text(const char *path, const char *text)
{
    FILE *f = fopen(path, "we");
    REQUIRE(f && fputs(text, f) >= 0);
    REQUIRE(fclose(f) == 0);
}

static size_t get_text(const char *path, char *out, size_t cap)
{
    FILE *f = fopen(path, "re");
    REQUIRE(f != NULL);
    size_t n = fread(out, 1, cap - 1, f);
    out[n] = '\0';
    (void)fclose(f);
    return n;
}

/* `NAME:PASSWORD` becomes `NAME:HASH`; everything else stays. */
TEST(password_file_upgrades_plain_text)
{
    char path[300], text[2000];
    size_t changed;
    struct error e = {0};
    (void)snprintf(path, sizeof(path), "%s/users", test_tmpdir());
    CHECK_EQ_INT(password_file_upgrade(path, &changed, &e), ERR_NOT_FOUND);
    put_text(path, "# people\n\nann:se:cret\nbob:" MOSQUITTO_SECRET "\n");
    REQUIRE(CHECK_EQ_INT(password_file_upgrade(path, &changed, &e), ERR_OK));
    CHECK_EQ_UINT(changed, 1);
    (void)get_text(path, text, sizeof(text));
    CHECK_HAS_STR(text, "# people\n\nann:$argon2id$");
    CHECK_HAS_STR(text, "\nbob:" MOSQUITTO_SECRET "\n");
    struct str hash = str_from(strstr(text, "ann:") + 4), line;
    REQUIRE(str_split(&hash, '\n', &line));
    CHECK(password_matches(line, bytes_of("se:cret")));
    LABEL("a second time");
    CHECK_EQ_INT(password_file_upgrade(path, &changed, &e), ERR_OK);
    CHECK_EQ_UINT(changed, 0);
    LABEL("a line that is wrong");
    put_text(path, "ann:secret\nbob:\n");
    CHECK_EQ_INT(password_file_upgrade(path, &changed, &e), ERR_SYNTAX);
    (void)get_text(path, text, sizeof(text));
    CHECK_EQ_STR(text, "ann:secret\nbob:\n");
    LABEL("created anew");
    CHECK_EQ_INT(password_file_create(path, &e), ERR_OK);
    CHECK_EQ_UINT(get_text(path, text, sizeof(text)), 0);
}
