/* The tables of a site: each example in them is accepted, and sources are read in order. */
#include "site/load.h"
#include "site/schema.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Errors of the source, told if there are any. */
static size_t errors_of(const char *text)
{
    struct lang_source source = {STR("x.sedge"), str_from(text)};
    struct lang_site *site;
    REQUIRE(lang_check(alloc_system(), site_schema(), &source, 1, &site) == ERR_OK);
    size_t n = site->errors;
    for (size_t i = 0; i < site->diags_n; i++)
        (void)printf("# %.*s: %.*s\n", STR_FMT(site->diags[i].code),
                     STR_FMT(site->diags[i].message));
    lang_site_free(site);
    return n;
}

static void try_clause(const struct lang_kind *kind, const struct lang_clause *clause)
{
    LABEL("%s: %s", kind->word, clause->example);
    char text[1024];
    const char *head = strcmp(kind->word, "device") == 0 ? "device x: M" : kind->word;
    const char *members = clause->role == LANG_CLAUSE_MAPS
                              ? "property power: W; property lit: bool; event pressed; "
                                "action on() confirms lit; safe on()"
                          : clause->second && strcmp(clause->second, "modbus") == 0
                              ? "property position: %; action open(); safe open()"
                              : "";
    if (strcmp(kind->word, "model") == 0)
        (void)snprintf(text, sizeof(text),
                       "site \"s\"\nmodel M {\n property position: %%\n %s\n %s\n %s\n}",
                       clause->example, strstr(clause->example, "close") ? "action close()" : "",
                       strstr(clause->example, "open()") ? "safe open()" : "");
    else if (strcmp(kind->word, "site") == 0)
        (void)snprintf(text, sizeof(text), "site \"s\" {\n %s\n}", clause->example);
    else
        (void)snprintf(
            text, sizeof(text),
            "site \"s\"\nmodel M { %s }\n%s {\n %s\n %s\n}\n"
            "device plant.camera: M { via mqtt \"camera\" json }",
            members, head, clause->example,
            head != kind->word && strcmp(clause->word, "via") != 0 ? "via mqtt \"x\" json" : "");
    CHECK_EQ_UINT(errors_of(text), 0);
}

TEST(every_example_of_a_clause_is_accepted)
{
    const struct lang_schema *s = site_schema();
    for (size_t i = 0; i < s->kinds_n; i++)
        for (size_t c = 0; c < s->kinds[i].clauses_n; c++)
            try_clause(&s->kinds[i], &s->kinds[i].clauses[c]);
}

TEST(the_examples_of_kinds_make_a_site)
{
    const struct lang_schema *s = site_schema();
    struct strbuf text;
    strbuf_init(&text, alloc_system(), 0);
    for (size_t i = 0; i < s->kinds_n; i++)
        strbuf_addf(&text, "%s\n", s->kinds[i].example);
    strbuf_adds(&text, "device plant.oven: Station { via mqtt \"line1/oven\" json }\n"
                       "program p { for st in plant.stations { every 1min { ");
    strbuf_adds(&text, s->statements[0].example);
    strbuf_adds(&text, " } } }\n");
    CHECK_EQ_UINT(errors_of(text.p), 0);
    strbuf_fini(&text);
}

TEST(a_site_needs_a_name)
{
    CHECK_EQ_UINT(errors_of("server { }\n"), 1);
    CHECK_EQ_UINT(errors_of("site \"s\"\n"), 0);
}

TEST(the_format_says_how_all_is_mapped)
{
    CHECK_EQ_UINT(errors_of("site \"s\"\nmodel Val { action open(); safe open() }\n"
                            "device v: Val { via mqtt \"v\" json }\n"),
                  0);
    CHECK_EQ_UINT(errors_of("site \"s\"\nmodel Val { action open(); safe open() }\n"
                            "device v: Val { id \"x\" }\n"),
                  1); /* no way to reach it */
}

#define TWO_ON "site \"s\"\nmodel M { property t: °C }\ndevice a: M { via mqtt \"x\" json }\n"

TEST(a_topic_of_the_convention_is_one_devices)
{
    CHECK_EQ_UINT(errors_of(TWO_ON "device b: M { via mqtt \"y\" json }\n"), 0);
    CHECK_EQ_UINT(errors_of(TWO_ON "device b: M { via mqtt \"x\" json }\n"), 1);
    CHECK_EQ_UINT(errors_of(TWO_ON "device b: M { property t = \"t\" on \"x\" }\n"), 0);
}

TEST(workers_watchdog_and_sys)
{
    static const struct {
        const char *clauses;
        unsigned workers;
        int64_t stuck_ms, sys_ms;
    } rows[] = {
        {"", 1, 1000, 10000},
        {"workers 64", 64, 1000, 10000},
        {"workers auto", 0, 1000, 10000},
        {"watchdog 250 ms", 1, 250, 10000},
        {"watchdog off; workers 3", 3, 0, 10000},
        {"sys 1min", 1, 1000, 60000},
        {"sys off", 1, 1000, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].clauses);
        char text[256];
        (void)snprintf(text, sizeof(text), "site \"s\"\nserver { %s }\n", rows[i].clauses);
        struct lang_source source = {STR("x.sedge"), str_from(text)};
        struct lang_site *site;
        struct site_settings got;
        struct error e = {0};
        REQUIRE(lang_check(alloc_system(), site_schema(), &source, 1, &site) == ERR_OK);
        CHECK_EQ_UINT(site->errors, 0);
        CHECK_EQ_INT(site_settings_read(&got, site, &e), ERR_OK);
        CHECK_EQ_UINT(got.workers, rows[i].workers);
        CHECK_EQ_INT(got.stuck_ms, rows[i].stuck_ms);
        CHECK_EQ_INT(got.sys_ms, rows[i].sys_ms);
        lang_site_free(site);
    }
}

/* Reads the settings of a site with these clauses of its server. */
static enum err read_settings(const char *clauses, struct lang_site **site,
                              struct site_settings *got, struct error *e)
{
    char text[512];
    (void)snprintf(text, sizeof(text), "site \"s\"\nserver { %s }\n", clauses);
    struct lang_source source = {STR("x.sedge"), str_from(text)};
    REQUIRE(lang_check(alloc_system(), site_schema(), &source, 1, site) == ERR_OK);
    CHECK_EQ_UINT((*site)->errors, 0);
    *e = (struct error){0};
    return site_settings_read(got, *site, e);
}

TEST(listeners_that_start_and_that_do_not)
{
    static const struct {
        const char *clauses;
        enum err err;
        const char *says;
    } rows[] = {
        {"mqtt 127.0.0.1:1883", ERR_OK, ""},
        {"mqtt 0.0.0.0:1883", ERR_DENIED, "passwords"},
        {"mqtt 0.0.0.0:1883 insecure", ERR_OK, ""},
        {"mqtt 0.0.0.0:1883 passwords \"u\"", ERR_DENIED, "tls"},
        {"mqtt 0.0.0.0:8883 tls cert \"c\" key \"k\"", ERR_DENIED, "passwords"},
        {"mqtt 0.0.0.0:8883 tls cert \"c\" key \"k\" passwords \"u\"", ERR_OK, ""},
        {"mqtt [::]:8883 tls cert \"c\" key \"k\" ca \"a\"", ERR_OK, ""},
        {"websocket 0.0.0.0:8083 path \"/mqtt\"", ERR_DENIED, "passwords"},
        {"websocket 127.0.0.1:8083", ERR_OK, ""},
        {"websocket 0.0.0.0:8083 tls key \"k\" cert \"c\" passwords \"u\"", ERR_OK, ""},
        {"http 0.0.0.0:8443 tls cert \"c\" key \"k\"", ERR_DENIED, "ca"},
        {"http 0.0.0.0:8443 tls cert \"c\" key \"k\" ca \"a\" name \"n\"", ERR_OK, ""},
        {"mqtt 127.0.0.1:8883 tls", ERR_INVALID, "tls cert"},
        {"mqtt 127.0.0.1:8883 tls cert \"c\"", ERR_INVALID, "tls cert"},
        {"mqtt 127.0.0.1:8883 ca \"a\"", ERR_INVALID, "go with tls"},
        {"mqtt 127.0.0.1:8883 tls12", ERR_INVALID, "go with tls"},
        {"mqtt unix \"/run/m.sock\"", ERR_OK, ""},
        {"mqtt unix \"m.sock\"", ERR_INVALID, "from the root"},
        {"mqtt plant.example:1883", ERR_INVALID, "numeric"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].clauses);
        struct lang_site *site;
        struct site_settings got;
        struct error e;
        CHECK_EQ_INT(read_settings(rows[i].clauses, &site, &got, &e), rows[i].err);
        CHECK_HAS_STR(e.text, rows[i].says);
        lang_site_free(site);
    }
}

TEST(listeners_in_full)
{
    struct lang_site *site, *same, *other;
    struct site_settings got, next;
    struct error e;
    const char *all = "mqtt 127.0.0.1:1; mqtt unix \"/run/m.sock\" passwords \"u\"; websocket "
                      "[::1]:2 any_origin path \"/p\" tls tls12 ca \"a\" cert \"c\" key \"k\"";
    REQUIRE(read_settings(all, &site, &got, &e) == ERR_OK);
    REQUIRE(CHECK_EQ_UINT(got.mqtt_count, 3));
    const struct site_listen *u = &got.mqtt[1], *w = &got.mqtt[2];
    CHECK_EQ_STR(u->addr.un.sun_path, "/run/m.sock");
    CHECK(str_eq(u->passwords, STR("u")) && !u->tls && !u->websocket && !u->path.n);
    CHECK(w->websocket && w->any_origin && w->tls && w->tls_1_2 && w->port == 2);
    CHECK(str_eq(w->path, STR("/p")) && str_eq(w->ca, STR("a")));
    CHECK(str_eq(w->cert, STR("c")) && str_eq(w->key, STR("k")));
    /* A reload may not change any of it. */
    REQUIRE(read_settings(all, &same, &next, &e) == ERR_OK);
    CHECK_EQ_INT(site_settings_keep(&got, &next, false, &e), ERR_OK);
    lang_site_free(same);
    REQUIRE(read_settings("mqtt 127.0.0.1:1; mqtt unix \"/run/m.sock\" passwords \"u\"; websocket "
                          "[::1]:2 any_origin path \"/p\" tls ca \"a\" cert \"c\" key \"k\"",
                          &other, &next, &e) == ERR_OK);
    CHECK_EQ_INT(site_settings_keep(&got, &next, false, &e), ERR_UNSUPPORTED);
    CHECK_HAS_STR(e.text, "websocket");
    lang_site_free(other);
    lang_site_free(site);
}

static void write_file(const char *folder, const char *name, const char *text)
{
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *f = fopen(path, "we");
    REQUIRE(f != NULL);
    CHECK(fputs(text, f) >= 0);
    CHECK_EQ_INT(fclose(f), 0);
}

TEST(sources_are_read_in_the_order_of_their_names)
{
    const char *folder = test_tmpdir();
    write_file(folder, "b.sedge", "// b");
    write_file(folder, "a.sedge", "site \"s\"\n");
    write_file(folder, "B.sedge", "");
    write_file(folder, ".hidden.sedge", "wrong");
    write_file(folder, "a.sedge~", "wrong");
    write_file(folder, "readme.txt", "wrong");
    struct site_sources s;
    struct error e = {0};
    REQUIRE(site_read_sources(alloc_system(), folder, &s, &e) == ERR_OK);
    REQUIRE(CHECK_EQ_UINT(s.n, 3));
    CHECK(str_eq(s.v[0].name, STR("B.sedge")) && s.v[0].text.n == 0);
    CHECK(str_eq(s.v[1].name, STR("a.sedge")) && str_eq(s.v[1].text, STR("site \"s\"\n")));
    CHECK(str_eq(s.v[2].name, STR("b.sedge")));
    site_sources_fini(&s);
    char file[512];
    (void)snprintf(file, sizeof(file), "%s/a.sedge", folder);
    REQUIRE(site_read_sources(alloc_system(), file, &s, &e) == ERR_OK);
    REQUIRE(CHECK_EQ_UINT(s.n, 1));
    CHECK(str_eq(s.v[0].name, STR("a.sedge")));
    site_sources_fini(&s);
}

TEST(sources_that_can_not_be_read)
{
    struct site_sources s;
    struct error e = {0};
    const char *folder = test_tmpdir();
    CHECK_EQ_INT(site_read_sources(alloc_system(), folder, &s, &e), ERR_NOT_FOUND);
    CHECK_HAS_STR(e.text, "holds no *.sedge");
    CHECK_EQ_INT(site_read_sources(alloc_system(), "/nonexistent/x", &s, &e), ERR_NOT_FOUND);
    write_file(folder, "a.sedge", "site \"s\"\n");
    for (uint64_t at = 0; at < 100; at++) {
        struct alloc_faulty faulty;
        alloc_faulty_init(&faulty, at);
        enum err r = site_read_sources(&faulty.alloc, folder, &s, &e);
        CHECK(r == ERR_NOMEM || r == ERR_OK);
        site_sources_fini(&s);
        CHECK_EQ_UINT(faulty.live_bytes, 0);
        if (r == ERR_OK)
            break;
        CHECK(at < 90);
    }
    char large[4097];
    memset(large, '\n', 4096);
    large[4096] = '\0';
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/b.sedge", folder);
    FILE *f = fopen(path, "we");
    REQUIRE(f != NULL);
    for (int i = 0; i < 257; i++)
        CHECK(fputs(large, f) >= 0);
    CHECK_EQ_INT(fclose(f), 0);
    CHECK_EQ_INT(site_read_sources(alloc_system(), folder, &s, &e), ERR_RANGE);
    CHECK_EQ_UINT(s.n, 0);
}
