#include "site/zone.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

/* UTC+2 in a database of the test's own: one type, no transitions (RFC 8536, version 1). */
static void write_zone(const char *path)
{
    static const unsigned char zone[] = {
        'T', 'Z', 'i', 'f', 0, 0, 0, 0, 0, 0, 0,    0,    0, 0, 0,   0,   0,   0,
        0,   0,   0,   0,   0, 0, 0, 0, 0, 0, 0,    0,    0, 0, 0,   0,   0,   0,
        0,   0,   0,   1,   0, 0, 0, 4, 0, 0, 0x1c, 0x20, 0, 0, 'H', 'O', 'M', 0};
    FILE *f = fopen(path, "wb");
    REQUIRE(f);
    REQUIRE(fwrite(zone, 1, sizeof(zone), f) == sizeof(zone));
    REQUIRE(fclose(f) == 0);
}

static const char *database(void)
{
    static char folder[400];
    char path[512];
    (void)snprintf(folder, sizeof(folder), "%s/zones", test_tmpdir());
    REQUIRE(mkdir(folder, 0700) == 0);
    (void)snprintf(path, sizeof(path), "%s/Test", folder);
    REQUIRE(mkdir(path, 0700) == 0);
    (void)snprintf(path, sizeof(path), "%s/Test/Home", folder);
    write_zone(path);
    (void)snprintf(path, sizeof(path), "%s/readme", folder);
    FILE *f = fopen(path, "wb");
    REQUIRE(f && fputs("not a zone", f) >= 0 && fclose(f) == 0);
    REQUIRE(setenv("TZDIR", folder, 1) == 0);
    return folder;
}

TEST(a_zone_is_one_of_the_database)
{
    static const struct {
        const char *zone, *error; /* a part of it; NULL: it is fine */
    } rows[] = {
        {"", NULL},
        {"Test/Home", NULL},
        {"Test/Away", "there is no zone \"Test/Away\""},
        {"Test", "there is no zone"}, /* a folder */
        {"readme", "there is no zone"},
        {"../zones/Test/Home", "there is no zone"},
        {"/etc/localtime", "there is no zone"},
        {"CET-1CEST,M3.5.0,M10.5.0/3", "there is no zone"},
        {"Test/Home\"", "there is no zone"},
    };
    (void)database();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct error e = {0};
        LABEL("%s", rows[i].zone);
        enum err err = site_zone_check(str_from(rows[i].zone), &e);
        CHECK_EQ_INT(err, rows[i].error ? ERR_NOT_FOUND : ERR_OK);
        if (rows[i].error)
            CHECK_HAS_STR(e.text, rows[i].error);
    }
    REQUIRE(setenv("TZDIR", "/nowhere", 1) == 0);
    struct error e = {0};
    CHECK_EQ_INT(site_zone_check(STR("Test/Home"), &e), ERR_NOT_FOUND);
    CHECK_HAS_STR(e.text, "install the package tzdata");
    REQUIRE(unsetenv("TZDIR") == 0);
}

TEST(the_clock_of_the_process_is_the_sites)
{
    time_t t = 0;
    struct tm tm;
    (void)database();
    site_zone_set(STR("Test/Home"));
    REQUIRE(localtime_r(&t, &tm));
    CHECK_EQ_INT(tm.tm_gmtoff, 7200);
    site_zone_set(STR(""));
    REQUIRE(localtime_r(&t, &tm));
    CHECK_EQ_INT(tm.tm_gmtoff, 7200);
    REQUIRE(unsetenv("TZDIR") == 0);
    REQUIRE(unsetenv("TZ") == 0);
    tzset();
}
