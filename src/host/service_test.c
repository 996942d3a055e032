#include "base/utf8.h"
#include "host/service.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- an environment --- */

static const char *variables[8][2];

static char *lookup(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(variables) && variables[i][0]; i++)
        if (strcmp(variables[i][0], name) == 0)
            return (char *)(uintptr_t)variables[i][1];
    return NULL;
}

static void environment(const char *notify, const char *usec, const char *pid)
{
    memset(variables, 0, sizeof(variables));
    size_t n = 0;
    const char *all[][2] = {
        {"NOTIFY_SOCKET", notify}, {"WATCHDOG_USEC", usec}, {"WATCHDOG_PID", pid}};
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (all[i][1]) {
            variables[n][0] = all[i][0];
            variables[n++][1] = all[i][1];
        }
}

static int manager(const char *path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    size_t n = strlen(path);
    memcpy(at.sun_path, path, n);
    if (path[0] == '@')
        at.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (path[0] == '/'));
    CHECK_EQ_INT(bind(fd, (struct sockaddr *)&at, len), 0);
    return fd;
}

static const char *heard(int fd)
{
    static char text[2048];
    ssize_t n = recv(fd, text, sizeof(text) - 1, 0);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

TEST(service_tells_the_manager)
{
    char path[100], abstract[64];
    (void)snprintf(path, sizeof(path), "%s/notify", test_tmpdir());
    (void)snprintf(abstract, sizeof(abstract), "@sedge-test-%d", (int)getpid());
    const char *const names[] = {path, abstract};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct service s;
        LABEL("%s", names[i]);
        int fd = manager(names[i]);
        environment(names[i], NULL, NULL);
        service_open(&s, lookup);
        CHECK_EQ_INT(s.watchdog_ms, 0);
        service_status(&s, "READY=1\n", "%s", "two devices");
        CHECK_EQ_STR(heard(fd), "READY=1\nSTATUS=two devices");
        service_reloading(&s);
        CHECK_HAS_STR(heard(fd), "RELOADING=1\nMONOTONIC_USEC=");
        service_tell(&s, "%0*d", 5000, 0); /* cut, not dropped */
        CHECK_EQ_UINT(strlen(heard(fd)), 1023);
        service_close(&s);
        service_close(&s);
        service_tell(&s, "READY=1");
        CHECK_EQ_STR(heard(fd), "");
        (void)close(fd);
    }
}

/* A path or a mistake in a file may hold anything; MAINPID=1 would hand the service over. */
TEST(service_status_is_one_line)
{
    static const struct {
        const char *label, *text, *heard;
    } cases[] = {
        {"plain", "12 devices, 21 °C", "STATUS=12 devices, 21 °C"},
        {"lines", "a\nMAINPID=1\r\n", "STATUS=a MAINPID=1  "},
        {"controls", "\x1b[2J\x7f", "STATUS= [2J?"},
        {"no UTF-8", "caf\xe9 \xc3", "STATUS=caf? ?"},
        {"nothing", "", "STATUS="},
    };
    char path[100], longest[600];
    struct service s;
    (void)snprintf(path, sizeof(path), "%s/status", test_tmpdir());
    int fd = manager(path);
    environment(path, NULL, NULL);
    service_open(&s, lookup);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        LABEL("%s", cases[i].label);
        service_status(&s, "", "%s", cases[i].text);
        CHECK_EQ_STR(heard(fd), cases[i].heard);
    }
    LABEL("cut between two characters");
    for (size_t i = 0; i + 1 < sizeof(longest); i++)
        longest[i] = i % 2 ? '\xa9' : '\xc3';
    longest[sizeof(longest) - 2] = longest[sizeof(longest) - 1] = '\0';
    service_status(&s, "", "%s%s", longest, longest);
    struct str text = str_from(heard(fd));
    CHECK(text.n > 1000 && utf8_valid(text));
    service_close(&s);
    (void)close(fd);
}

TEST(service_without_a_manager_is_silent)
{
    static const char *const names[] = {NULL, "", "/", "relative", "@"};
    char longest[200];
    memset(longest, 'a', sizeof(longest) - 1);
    longest[0] = '/';
    longest[sizeof(longest) - 1] = '\0';
    for (size_t i = 0; i <= ARRAY_LEN(names); i++) {
        struct service s;
        environment(i < ARRAY_LEN(names) ? names[i] : longest, "1000000", NULL);
        service_open(&s, lookup);
        CHECK_EQ_INT(s.fd, 0);
        CHECK_EQ_INT(s.watchdog_ms, 0);
        service_tell(&s, "READY=1");
        service_close(&s);
    }
}

TEST(service_watchdog)
{
    char mine[16], path[100];
    (void)snprintf(mine, sizeof(mine), "%d", (int)getpid());
    (void)snprintf(path, sizeof(path), "%s/notify", test_tmpdir());
    const struct {
        const char *label, *usec, *pid;
        int64_t ms;
    } cases[] = {
        {"none", NULL, NULL, 0},           {"ours", "30000000", mine, 30000},
        {"nobody's", "500000", NULL, 500}, {"another's", "30000000", "1", 0},
        {"nonsense", "soon", mine, 0},     {"negative", "-5", mine, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct service s;
        LABEL("%s", cases[i].label);
        environment(path, cases[i].usec, cases[i].pid);
        service_open(&s, lookup);
        CHECK_EQ_INT(s.watchdog_ms, cases[i].ms);
        service_close(&s);
    }
}

TEST(service_paths)
{
    static const struct {
        const char *text, *path;
        enum err err;
    } cases[] = {
        {"users", "/site/users", ERR_OK},
        {"/etc/users", "/etc/users", ERR_OK},
        {"credential:users", "/run/credentials/sedge/users", ERR_OK},
        {"credential:", "", ERR_INVALID},
        {"credential:../users", "", ERR_INVALID},
        {"credential:..", "", ERR_INVALID},
    };
    char out[200];
    struct error e = {0};
    CHECK_EQ_INT(setenv("CREDENTIALS_DIRECTORY", "/run/credentials/sedge", 1), 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        LABEL("%s", cases[i].text);
        CHECK_EQ_INT(service_path(out, sizeof(out), "/site", str_from(cases[i].text), &e),
                     cases[i].err);
        if (!cases[i].err)
            CHECK_EQ_STR(out, cases[i].path);
    }
    CHECK_EQ_INT(service_path(out, 5, "/site", STR("users"), &e), ERR_RANGE);
    CHECK_EQ_INT(unsetenv("CREDENTIALS_DIRECTORY"), 0);
    CHECK_EQ_INT(service_path(out, sizeof(out), "/site", STR("credential:users"), &e),
                 ERR_NOT_FOUND);
    CHECK_HAS_STR(e.text, "LoadCredential=users:FILE");
}
