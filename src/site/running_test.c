/* Where a site says that it is, and what is left of that when it has not ended well. */
#include "site/running.h"
#include "tests/support/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *temporary(char dir[64])
{
    (void)snprintf(dir, 64, "/tmp/sedge-test-XXXXXX");
    REQUIRE(mkdtemp(dir) != NULL);
    return dir;
}

static void put(const char *dir, const char *name, const char *text)
{
    char path[PATH_MAX];
    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    REQUIRE(f != NULL);
    (void)fputs(text, f);
    REQUIRE(fclose(f) == 0);
}

static void forget(const char *dir, const char *name)
{
    char path[PATH_MAX];
    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    CHECK_EQ_INT(unlink(path), 0);
}

TEST(a_site_says_where_it_is_and_no_more_when_it_ends)
{
    char dir[64], path[PATH_MAX];
    struct error e = {0};
    struct site_running r = {.run = "0123456789abcdef",
                             .url = "https://127.0.0.1:8443",
                             .cert = "/etc/a \"b\"/cert.pem",
                             .tls_1_2 = true},
                        got;
    CHECK_EQ_INT(site_running_read(&got, temporary(dir)), SITE_RUNS_NOT);
    put(dir, "lock", "");
    CHECK_EQ_INT(site_running_read(&got, dir), SITE_RUNS_NOT);
    (void)snprintf(path, sizeof(path), "%s/lock", dir);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    REQUIRE(fd >= 0);
    CHECK_EQ_INT(site_running_write(fd, &r, &e), ERR_OK);
    r.url[sizeof("https://127.0.0.1") - 1] = '\0'; /* a shorter one takes all of its place */
    CHECK_EQ_INT(site_running_write(fd, &r, &e), ERR_OK);
    CHECK_EQ_INT(site_running_read(&got, dir), SITE_RUNS_THERE);
    CHECK_EQ_STR(got.run, r.run);
    CHECK_EQ_STR(got.url, "https://127.0.0.1");
    CHECK_EQ_STR(got.cert, r.cert);
    CHECK(got.tls_1_2);
    site_running_clear(fd);
    CHECK_EQ_INT(site_running_read(&got, dir), SITE_RUNS_NOT);
    (void)close(fd);
    forget(dir, "lock");
    CHECK_EQ_INT(rmdir(dir), 0);
}

TEST(a_record_that_is_none_is_none)
{
    static const char *const rows[] = {
        "{\"run\":\"0123\",\"url\":\"http://a\",\"cert\":\"\"",
        "{\"run\":\"\",\"url\":\"\",\"cert\":\"\",\"tls12\":false}",
        "{\"run\":\"01234567890123456\",\"url\":\"\",\"cert\":\"\",\"tls12\":false}",
        "{\"run\":1,\"url\":\"\",\"cert\":\"\",\"tls12\":false}",
        "[]",
        "\n",
    };
    char dir[64];
    struct site_running got;
    (void)temporary(dir);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i]);
        put(dir, "lock", rows[i]);
        CHECK_EQ_INT(site_running_read(&got, dir), SITE_RUNS_NOT);
    }
    forget(dir, "lock");
    CHECK_EQ_INT(rmdir(dir), 0);
}

TEST(the_store_is_found_in_files_with_errors)
{
    static const struct {
        const char *text, *want; /* behind the folder */
    } rows[] = {
        {"site \"x\"\nserver { mqtt 127.0.0.1:1883; store \"kept\" { commit 1s } }\n", "/kept"},
        {"server{store\"kept\"}", "/kept"},
        {"server {\n  // store \"no\"\n  http where \"a store \\\" x\"  store \"yes\"\n", "/yes"},
        {"device server.store: X { via mqtt \"server\" }\nserver { store \"s\" }", "/s"},
        {"server { restore \"no\"  storey \"no\"  store kept }", "/data"},
        {"server { store \"kept", "/data"},
        {"// server { store \"no\" }\n", "/data"},
        {"}}} \"server { store \nserver { store \"ok\" }", "/ok"},
        {"", "/data"},
    };
    char dir[64], store[PATH_MAX];
    struct error e = {0};
    (void)temporary(dir);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].text);
        put(dir, "a.sedge", rows[i].text);
        CHECK_EQ_INT(site_running_store(store, dir, &e), ERR_OK);
        CHECK_EQ_STR(store + strlen(dir), rows[i].want);
    }
    put(dir, "a.sedge", "server { store \"/var/lib/x\" }");
    CHECK_EQ_INT(site_running_store(store, dir, &e), ERR_OK);
    CHECK_EQ_STR(store, "/var/lib/x");
    forget(dir, "a.sedge");
    CHECK_EQ_INT(site_running_store(store, dir, &e), ERR_NOT_FOUND);
    CHECK_EQ_INT(rmdir(dir), 0);
}
