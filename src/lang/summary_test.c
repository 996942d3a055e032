/* Summaries: a program checked alone, against what is written down of the others, gets the codes
 * that a check of all gives; what is written is stable; damaged summaries are refused. */
#include "lang/own_fixture.h"

#include <stdio.h>

struct summaries {
    struct strbuf v[16];
    struct str text[16];
    size_t n;
};

static void summaries_fini(struct summaries *s)
{
    for (size_t i = 0; i < s->n; i++)
        strbuf_fini(&s->v[i]);
}

static void summarise(struct summaries *s, const struct lang_site *site)
{
    for (size_t i = 0; i < site->programs_n; i++) {
        struct strbuf *b = &s->v[s->n];
        strbuf_init(b, alloc_system(), 0);
        REQUIRE(lang_summary_write(site, site->programs[i], b) == ERR_OK);
        s->text[s->n++] = strbuf_str(b);
    }
}

static struct lang_site *check_one(const char *text, const struct summaries *s)
{
    struct lang_source sources[2] = {{STR("site.sedge"), str_from(own_site)},
                                     {STR("changed.sedge"), str_from(text)}};
    struct lang_site *site = NULL;
    enum err e = lang_check_one(alloc_system(), &test_schema, sources, 2, s->text, s->n, &site);
    CHECK_EQ_INT(e, ERR_OK);
    REQUIRE(site != NULL);
    return site;
}

/* ---- the pieces of a case ---------------------------------------------------------------------
 */

struct pieces {
    struct str program[16]; /* `program … { … }` */
    size_t n;
    struct strbuf rest; /* functions, tasks, types: what all programs use */
};

static size_t block_end(struct str t, size_t at)
{
    int depth = 0;
    bool text = false;
    for (; at < t.n; at++) {
        if (t.p[at] == '"')
            text = !text;
        if (!text && t.p[at] == '/' && at + 1 < t.n && t.p[at + 1] == '/')
            while (at < t.n && t.p[at] != '\n')
                at++;
        if (text || at >= t.n)
            continue;
        depth += t.p[at] == '{';
        if (t.p[at] == '}' && --depth == 0)
            return at + 1;
    }
    return t.n;
}

static void take_apart(const char *text, struct pieces *out)
{
    struct str t = str_from(text);
    *out = (struct pieces){0};
    strbuf_init(&out->rest, alloc_system(), 0);
    for (size_t at = 0; at < t.n;) {
        if (str_starts(str_sub(t, at, t.n), STR("program ")) && (at == 0 || t.p[at - 1] == '\n')) {
            size_t end = block_end(t, at);
            out->program[out->n++] = str_sub(t, at, end - at);
            at = end;
        } else {
            strbuf_addc(&out->rest, t.p[at++]);
        }
    }
}

/* Everything but program `left_out`, so that it has no conflict with that one. */
static void without(const struct pieces *p, size_t left_out, struct strbuf *out)
{
    strbuf_addstr(out, strbuf_str(&p->rest));
    for (size_t i = 0; i < p->n; i++)
        if (i != left_out) {
            strbuf_addstr(out, p->program[i]);
            strbuf_addc(out, '\n');
        }
}

/* The codes of a site, in the alphabet's order, without lines. */
static void code_set(const struct lang_site *site, struct strbuf *out)
{
    char codes[64][8];
    size_t n = 0;
    for (size_t i = 0; i < site->diags_n && n < 64; i++) {
        if (str_eq(site->diags[i].code, STR("S1"))) /* not between programs */
            continue;
        (void)snprintf(codes[n], sizeof(codes[n]), "%.*s", STR_FMT(site->diags[i].code));
        size_t at = n++;
        for (; at > 0 && strcmp(codes[at - 1], codes[at]) > 0; at--) {
            char swap[8];
            memcpy(swap, codes[at], sizeof(swap));
            memcpy(codes[at], codes[at - 1], sizeof(swap));
            memcpy(codes[at - 1], swap, sizeof(swap));
        }
    }
    for (size_t i = 0; i < n; i++)
        strbuf_addf(out, "%s ", codes[i]);
}

/* Anything but the warnings that a check of all does not compare either. */
static bool fights(const struct lang_site *site)
{
    for (size_t i = 0; i < site->diags_n; i++)
        if (site->diags[i].severity == LANG_ERROR || site->diags[i].code.p[0] == 'G')
            return true;
    return false;
}

static size_t compared;

/* One program of the case has changed: if the others are right without it, they have summaries;
 * then it comes, the only one with a source. */
static void one_alone(const struct own_case *c, const struct pieces *p, size_t changed)
{
    struct strbuf others, alone, want, got;
    strbuf_init(&others, alloc_system(), 0);
    strbuf_init(&alone, alloc_system(), 0);
    strbuf_init(&want, alloc_system(), 0);
    strbuf_init(&got, alloc_system(), 0);
    without(p, changed, &others);
    strbuf_addstr(&alone, strbuf_str(&p->rest));
    strbuf_addstr(&alone, p->program[changed]);
    struct lang_site *before = own_check(others.p), *whole = own_check(c->text);
    REQUIRE(before != NULL && whole != NULL);
    if (!fights(before)) {
        struct summaries s = {.n = 0};
        summarise(&s, before);
        struct lang_site *site = check_one(alone.p, &s);
        code_set(whole, &want);
        code_set(site, &got);
        CHECK_EQ_STR(got.n ? got.p : "", want.n ? want.p : "");
        compared++;
        lang_site_free(site);
        summaries_fini(&s);
    }
    lang_site_free(before);
    lang_site_free(whole);
    strbuf_fini(&others);
    strbuf_fini(&alone);
    strbuf_fini(&want);
    strbuf_fini(&got);
}

TEST(one_program_alone_gets_the_codes_of_all)
{
    compared = 0;
    for (size_t i = 0; i < ARRAY_LEN(own_cases); i++) {
        struct pieces p;
        LABEL("%s", own_cases[i].label);
        take_apart(own_cases[i].text, &p);
        for (size_t changed = 0; p.n > 1 && changed < p.n; changed++)
            one_alone(&own_cases[i], &p, changed);
        strbuf_fini(&p.rest);
    }
    CHECK(compared >= 50);
}

/* ---- single properties ----------------------------------------------------------------------- */

static const char keeper[] =
    "// a comment\n"
    "program keeper {\n"
    "  own well: Pump = pump\n"
    "  own tap: Valve = valve\n"
    "  lend well to x priority 1\n"
    "  lend tap to x\n"
    "  read t: °C = hall.temperature stale 5min\n"
    "  var n = 0\n"
    "  when t > 30 °C and not (n == 4) { well.stop() else skip; n = 4; publish \"hot: ü\" t }\n"
    "    until t < 20 °C for 5s { alert warning \"{t}\" }\n"
    "}\n"
    "program other { every 1h { alert info \"1\" }; on \"hot: ü\" as t: °C { alert info \"{t}\" } "
    "}\n"
    "program x { }\n";

TEST(a_summary_quotes_what_messages_show)
{
    struct lang_site *site = own_check(keeper);
    REQUIRE(site != NULL && site->errors == 0);
    struct summaries s = {.n = 0};
    summarise(&s, site);
    CHECK_EQ_UINT(s.n, 3);
    struct lang_site *one = check_one("program x {\n  own mine: Pump = pump\n}\n", &s);
    REQUIRE(CHECK_EQ_UINT(one->diags_n, 1));
    struct strbuf got;
    strbuf_init(&got, alloc_system(), 0);
    lang_diag_render(&got, one, &one->diags[0], false);
    CHECK_EQ_STR(got.p, "error[O2]: two programs own pump\n"
                        "  --> changed.sedge:2:7\n"
                        "   2 |   own mine: Pump = pump\n"
                        "     |       ^^^^ second owner\n"
                        "  --> case.sedge:3:7\n"
                        "   3 |   own well: Pump = pump\n"
                        "     |       ---- owned here, by keeper\n"
                        "  help: one program commands it: move these rules into `keeper`, where it "
                        "is called `well`, or only `read` it here\n");
    strbuf_fini(&got);
    lang_site_free(one);
    lang_site_free(site);
    summaries_fini(&s);
}

/* What is read comes out the same when it is written down again from a check of the sources. */
TEST(a_changed_program_is_in_place_of_its_summary)
{
    struct lang_site *site = own_check(keeper);
    REQUIRE(site != NULL && site->errors == 0);
    struct summaries s = {.n = 0}, again = {.n = 0};
    summarise(&s, site);
    struct lang_site *one = check_one(keeper, &s); /* both are among the sources */
    CHECK_EQ_UINT(one->errors, 0);
    CHECK_EQ_UINT(one->programs_n, 3);
    summarise(&again, one);
    for (size_t i = 0; i < s.n && i < again.n; i++) {
        struct str a = s.text[i], b = again.text[i];
        size_t skip_a = 0, skip_b = 0; /* behind the line with the file's name */
        for (int line = 0; line < 2; line++) {
            while (a.p[skip_a++] != '\n')
                ;
            while (b.p[skip_b++] != '\n')
                ;
        }
        CHECK_EQ_STR(b.p + skip_b, a.p + skip_a);
    }
    lang_site_free(one);
    lang_site_free(site);
    summaries_fini(&s);
    summaries_fini(&again);
}

TEST(declarations_may_have_changed)
{
    struct lang_site *site = own_check(keeper);
    REQUIRE(site != NULL && site->errors == 0);
    struct summaries s = {.n = 0};
    summarise(&s, site);
    struct lang_source source = {STR("site.sedge"), STR("site \"less\"\n")};
    struct lang_site *one;
    REQUIRE(lang_check_one(alloc_system(), &test_schema, &source, 1, s.text, s.n, &one) == ERR_OK);
    CHECK(one->errors > 0);
    for (size_t i = 0; i < one->diags_n; i++)
        CHECK(str_eq(one->diags[i].code, STR("N1")));
    lang_site_free(one);
    lang_site_free(site);
    summaries_fini(&s);
}

/* One program of a site has changed; codes of the messages that come of it. */
struct changed_case {
    const char *label, *changed, *want;
};

static void check_changed(const char *before, const struct changed_case *cases, size_t n)
{
    struct lang_site *site = own_check(before);
    REQUIRE(site != NULL && site->errors == 0);
    struct summaries s = {.n = 0};
    summarise(&s, site);
    lang_site_free(site);
    for (size_t i = 0; i < n; i++) {
        LABEL("%s", cases[i].label);
        struct lang_site *one = check_one(cases[i].changed, &s);
        struct strbuf got;
        strbuf_init(&got, alloc_system(), 0);
        code_set(one, &got);
        CHECK_EQ_STR(got.n ? got.p : "", cases[i].want);
        strbuf_fini(&got);
        lang_site_free(one);
    }
    summaries_fini(&s);
}

/* The lender has changed; who leases is known by its summary alone. */
TEST(what_is_not_lent_any_more_is_missed)
{
    static const char before[] = "program k { own well: Pump = pump; own tap: Valve = valve; lend "
                                 "well to x; lend tap to x }\n"
                                 "program x {\n"
                                 "  every 1h { lease w = k.well for 1min { lease t = k.tap for "
                                 "1min { t.close() } revoked { } } "
                                 "revoked { } } }\n";
    static const struct changed_case cases[] = {
        {"as before",
         "program k { own well: Pump = pump; own tap: Valve = valve\n"
         "  lend well to x; lend tap to x }",
         ""},
        {"not lent", "program k { own well: Pump = pump; own tap: Valve = valve; lend tap to x }",
         "O2 "},
        {"not owned", "program k { own tap: Valve = valve; lend tap to x }", "N1 "},
        {"lent, and leased the other way round by a new one",
         "program k { own well: Pump = pump; own tap: Valve = valve; lend well to x, y; lend tap "
         "to x, y }\n"
         "program y { every 1h { lease t = k.tap for 1min { lease w = k.well for 1min { w.stop() } "
         "revoked { } } revoked { } } }",
         "O13 "},
        {"owned by another",
         "program k { own well: Pump = pump2; own tap: Valve = valve\n"
         "  lend well to x; lend tap to x }\n"
         "program y { own well: Pump = pump2 }",
         "O2 "},
    };
    check_changed(before, cases, ARRAY_LEN(cases));
}

TEST(messages_are_compared_with_those_of_summaries)
{
    static const struct changed_case cases[] = {
        {"the same", "program a { every 1h { publish \"n\" 3 } }", ""},
        {"another type", "program a { every 1h { publish \"n\" 3 bar } }", "T1 "},
        {"another optional", "program a { every 1h { let n: int? = 4; publish \"n\" n } }", "T1 "},
        {"nobody says it", "program a { every 1h { alert info \"x\" } }", "N3 "},
    };
    check_changed("program a { every 1h { publish \"n\" 1 } }\n"
                  "program b { on \"n\" as n: int { alert info \"{n}\" } }",
                  cases, ARRAY_LEN(cases));
}

/* ---- damage ---------------------------------------------------------------------------------- */

static enum err read_back(struct str text)
{
    struct lang_source source = {STR("site.sedge"), str_from(own_site)};
    struct lang_site *site = NULL;
    enum err e = lang_check_one(alloc_system(), &test_schema, &source, 1, &text, 1, &site);
    CHECK((e == ERR_OK) == (site != NULL));
    lang_site_free(site);
    return e;
}

TEST(damaged_summaries_are_refused)
{
    static const char *const bad[] = {
        "",
        "sedge-summary 2\nprogram 1:a 1:f\nend\n",
        "sedge-summary 1\nprogram 1:a 1:f\n",
        "sedge-summary 1\nprogram 1:a 1:f\nend\nend\n",
        "sedge-summary 1\nprogram 0: 1:f\nend\n",
        "sedge-summary 1\nprogram 9:a 1:f\nend\n",
        "sedge-summary 1\nprogram 1:a 1:f\nown 1:a 4:pump 0\nend\n",
        "sedge-summary 1\nprogram 1:a 1:f\nplace 0 0 0 0:\nend\n",
        "sedge-summary 1\nprogram 1:a 1:f\nplace 1 2 0 1:x\nend\n",
        "sedge-summary 1\nprogram 1:a 1:f\nplace 1 0 2 1:x\nend\n",
        "sedge-summary 1\nprogram 1:a 1:f\nplace 1048577 0 0 0:\nend\n",
        "sedge-summary 1\nprogram 1:a 1:f\nplace 1 0 0 1:\xff\nend\n",
        "sedge-summary 1\nprogram 1:a 1:f\nplace 1 0 0 1:\n\nend\n",
        "sedge-summary 1\nprogram 1:a 1:f\nplace 1 0 0 0:\nif 0\nend\n",
        "sedge-summary 1\nprogram 1:a 1:f\nplace 1 0 0 0:\nrule 0 9 0 0 0\nend\n",
        "sedge-summary 1\nprogram 1:a 1:f\nplace 1 0 0 0:\nrule 0 0 0 0 0\nif 1\nend\n",
        "sedge-summary 1\nprogram 1:a 1:f\nplace 1 0 0 0:\nrule 0 0 0 0 0\nif 0\nif 0\nend\n",
        /* an effect of no kind */
        ("sedge-summary 1\nprogram 1:a 1:f\nplace 1 0 0 0:\nrule 0 0 0 0 0\n"
         "does 99 0: 0: 0 0 0 0\nend\n"),
        "sedge-summary 1\nprogram 1:a 1:f\nplace -1 0 0 0:\nend\n",
        "sedge-summary 1\nprogram 1:a 1:f\nwhat 1\nend\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        LABEL("%zu: %s", i, bad[i]);
        CHECK_EQ_INT(read_back(str_from(bad[i])), ERR_CORRUPT);
    }
    CHECK_EQ_INT(read_back(STR("sedge-summary 1\nprogram 1:a 1:f\nplace 1 0 0 0:\n"
                               "rule 0 0 0 0 0\nif 0\nif 0\nif 1\nif 3\nend\n")),
                 ERR_OK);
}

/* Every prefix is refused, and no changed byte does harm. */
TEST(every_damage_is_survived)
{
    struct lang_site *site = own_check(keeper);
    REQUIRE(site != NULL && site->errors == 0);
    struct summaries s = {.n = 0};
    summarise(&s, site);
    lang_site_free(site);
    for (size_t n = 0; n < s.text[0].n; n += 7)
        CHECK_EQ_INT(read_back(str_sub(s.text[0], 0, n)), ERR_CORRUPT);
    for (size_t i = 0; i < s.text[0].n; i += 5) {
        char was = s.v[0].p[i];
        s.v[0].p[i] = (char)(was ^ (1 << (i % 7)));
        (void)read_back(s.text[0]);
        s.v[0].p[i] = was;
    }
    CHECK_EQ_INT(read_back(s.text[0]), ERR_OK);
    summaries_fini(&s);
}

TEST(summaries_without_memory)
{
    struct lang_site *site = own_check(keeper);
    REQUIRE(site != NULL && site->errors == 0);
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 64);
    CHECK_EQ_INT(lang_summary_write(site, site->programs[0], &b), ERR_NOMEM);
    strbuf_fini(&b);
    struct summaries s = {.n = 0};
    summarise(&s, site);
    lang_site_free(site);
    struct lang_source source = {STR("site.sedge"), str_from(own_site)};
    bool done = false;
    for (size_t max = 0; !done; max += 4099) {
        struct alloc_limited limited;
        alloc_limited_init(&limited, alloc_system(), max);
        site = NULL;
        enum err e = lang_check_one(&limited.alloc, &test_schema, &source, 1, s.text, s.n, &site);
        CHECK(e == ERR_NOMEM || e == ERR_OK);
        CHECK((e == ERR_OK) == (site != NULL));
        done = e == ERR_OK;
        lang_site_free(site);
        CHECK_EQ_UINT(limited.used, 0);
    }
    summaries_fini(&s);
}
