/* Whole messages, as people read them. The first four are the mistakes that a newcomer makes. */
#include "lang/lang_fixture.h"

struct render_case {
    const char *label, *text, *other, *want;
};

static const struct render_case cases[] = {
#include "lang/render_cases.h"
#include "lang/render_data_cases.h"
};

static struct lang_site *check(const char *text, const char *other)
{
    struct lang_source sources[3] = {{STR("site.sedge"), str_from(fixture_site)},
                                     {STR("case.sedge"), str_from(text)},
                                     {STR("other.sedge"), str_from(other)}};
    struct lang_site *site;
    REQUIRE(lang_check(alloc_system(), &test_schema, sources, 3, &site) == ERR_OK);
    return site;
}

TEST(messages_are_whole)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        LABEL("%s", cases[i].label);
        struct lang_site *site = check(cases[i].text, cases[i].other);
        struct strbuf got;
        strbuf_init(&got, alloc_system(), 0);
        for (size_t d = 0; d < site->diags_n; d++)
            lang_diag_render(&got, site, &site->diags[d], false);
        CHECK_EQ_STR(got.p, cases[i].want);
        strbuf_fini(&got);
        lang_site_free(site);
    }
}

TEST(of_a_small_site_its_devices_are_told)
{
    const struct lang_source site_file = {
        STR("home.sedge"), STR("site \"home\"\nmodel Meter { property power: kW }\n"
                               "device bath.fan: Meter { id \"f\"; via mqtt \"f\" json }\n"
                               "device bath.climate: Meter { id \"c\"; via mqtt \"c\" json }\n"
                               "program p { read t: kW = garden.pump.power stale 5s }\n")};
    struct lang_site *site;
    struct strbuf got;
    REQUIRE(lang_check(alloc_system(), &test_schema, &site_file, 1, &site) == ERR_OK);
    strbuf_init(&got, alloc_system(), 0);
    for (size_t d = 0; d < site->diags_n; d++)
        lang_diag_render(&got, site, &site->diags[d], false);
    CHECK_HAS_STR(got.p, "there is no `garden.pump.power`\n");
    CHECK_HAS_STR(got.p, "help: there are `bath.fan` and `bath.climate`\n");
    strbuf_fini(&got);
    lang_site_free(site);
}

TEST(colors_change_nothing_else)
{
    struct lang_site *site = check(cases[0].text, NULL);
    struct strbuf color, plain;
    strbuf_init(&color, alloc_system(), 0);
    strbuf_init(&plain, alloc_system(), 0);
    lang_diag_render(&color, site, &site->diags[0], true);
    CHECK_HAS_STR(color.p, "\x1b[1;31merror[U1]");
    for (size_t i = 0; i < color.n; i++) {
        if (color.p[i] == '\x1b')
            while (color.p[i] != 'm')
                i++;
        else
            strbuf_addc(&plain, color.p[i]);
    }
    CHECK_EQ_STR(plain.p, cases[0].want);
    strbuf_fini(&color);
    strbuf_fini(&plain);
    lang_site_free(site);
}

TEST(a_very_long_line_is_clipped)
{
    struct strbuf text;
    strbuf_init(&text, alloc_system(), 0);
    strbuf_adds(&text, "program p { ");
    for (int i = 0; i < 2000; i++)
        strbuf_adds(&text, "every 1s { } ; ");
    strbuf_adds(&text, "every 5 { } ; ");
    for (int i = 0; i < 2000; i++)
        strbuf_adds(&text, "every 1s { } ; ");
    strbuf_adds(&text, "}");
    struct lang_site *site = check(text.p, NULL);
    REQUIRE(CHECK_EQ_UINT(site->diags_n, 1));
    struct strbuf got;
    strbuf_init(&got, alloc_system(), 0);
    lang_diag_render(&got, site, &site->diags[0], false);
    CHECK(got.n < 1200);
    CHECK_HAS_STR(got.p, "every 5 { }");
    strbuf_fini(&got);
    strbuf_fini(&text);
    lang_site_free(site);
}

TEST(messages_are_bounded)
{
    struct strbuf text;
    strbuf_init(&text, alloc_system(), 0);
    strbuf_adds(&text, "program p {\n");
    for (int i = 0; i < 500; i++)
        strbuf_adds(&text, "  every 5 { }\n");
    strbuf_adds(&text, "}\n");
    struct lang_site *site = check(text.p, NULL);
    CHECK_EQ_UINT(site->diags_n, LANG_DIAGS_MAX);
    CHECK_EQ_UINT(site->errors, 500);
    CHECK_EQ_UINT(site->programs_n, 0);
    strbuf_fini(&text);
    lang_site_free(site);
}

TEST(an_error_is_shown_among_many_warnings)
{
    struct strbuf text;
    strbuf_init(&text, alloc_system(), 0);
    strbuf_adds(&text, "program p {\n");
    for (int i = 0; i < 200; i++)
        strbuf_addf(&text, "  read t%d: °C = press.temperature\n", i);
    strbuf_adds(&text, "  every 5 { }\n}\n");
    struct lang_site *site = check(text.p, NULL);
    CHECK_EQ_UINT(site->diags_n, LANG_DIAGS_MAX);
    CHECK_EQ_UINT(site->errors, 1);
    CHECK_EQ_UINT(site->warnings, 200);
    CHECK_EQ_INT(site->diags[site->diags_n - 1].severity, LANG_ERROR);
    strbuf_fini(&text);
    lang_site_free(site);
}

TEST(what_is_no_text_is_refused)
{
    static const struct {
        const char *label;
        struct str text;
        uint32_t line, column;
    } bad[] = {
        {"not UTF-8", STR("site \"a\"\n  \xff\n"), 2, 3},
        {"cut off", STR("site \"\xC3"), 1, 7},
        {"a NUL", STR("site \"a\"\n\0"), 2, 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        LABEL("%s", bad[i].label);
        struct lang_source source = {STR("x.sedge"), bad[i].text};
        struct lang_site *site;
        REQUIRE(lang_check(alloc_system(), &test_schema, &source, 1, &site) == ERR_OK);
        REQUIRE(CHECK(site->diags_n >= 1));
        CHECK(str_eq(site->diags[0].code, STR("P1")));
        CHECK_EQ_UINT(site->diags[0].marks[0].line, bad[i].line);
        CHECK_EQ_UINT(site->diags[0].marks[0].column, bad[i].column);
        lang_site_free(site);
    }
    char *large = mem_zero(alloc_system(), LANG_SOURCE_SIZE_MAX + 2);
    REQUIRE(large != NULL);
    for (size_t i = 0; i <= LANG_SOURCE_SIZE_MAX; i++)
        large[i] = '\n';
    struct lang_source source = {STR("x.sedge"), {large, LANG_SOURCE_SIZE_MAX + 1}};
    struct lang_site *site;
    REQUIRE(lang_check(alloc_system(), &test_schema, &source, 1, &site) == ERR_OK);
    CHECK_EQ_UINT(site->errors, 1);
    lang_site_free(site);
    mem_free(alloc_system(), large, LANG_SOURCE_SIZE_MAX + 2);
}
