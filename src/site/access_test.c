/* The access block of a site, from its text to what the table answers. */
#include "site/access.h"
#include "site/schema.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <string.h>

/* NULL in *out with ERR_OK: the site has no block. */
static enum err read_rules(const char *block, struct access_rules **out, struct error *e)
{
    char text[1024];
    struct lang_site *site;
    (void)snprintf(text, sizeof(text), "site \"s\"\n%s\n", block);
    struct lang_source source = {STR("x.sedge"), str_from(text)};
    REQUIRE(lang_check(alloc_system(), site_schema(), &source, 1, &site) == ERR_OK);
    REQUIRE(CHECK_EQ_UINT(site->errors, 0));
    *e = (struct error){0};
    enum err err = site_access_read(out, site, alloc_system(), e);
    lang_site_free(site);
    return err;
}

TEST(an_access_block_becomes_rules_in_its_order)
{
    static const char block[] = "access {\n"
                                "  deny all \"a/secret\" anonymous\n"
                                "  allow publish \"a/#\"\n"
                                "  allow subscribe \"b/%u/#\" users\n"
                                "  deny deliver \"c/x\"\n"
                                "  allow all \"c/#\" user \"panel\"\n"
                                "}";
    static const struct {
        const char *user;
        enum access_right right;
        const char *subject;
        size_t rule;
    } rows[] = {
        {NULL, ACCESS_PUBLISH, "a/secret", 1}, {"u", ACCESS_PUBLISH, "a/secret", 2},
        {NULL, ACCESS_PUBLISH, "a/x", 2},      {NULL, ACCESS_SUBSCRIBE, "a/x", 0},
        {"u", ACCESS_SUBSCRIBE, "b/u/+", 3},   {"u", ACCESS_DELIVER, "b/u/1", 3},
        {"u", ACCESS_PUBLISH, "b/u/1", 0},     {NULL, ACCESS_DELIVER, "b/u/1", 0},
        {"panel", ACCESS_DELIVER, "c/x", 4},   {"panel", ACCESS_SUBSCRIBE, "c/x", 5},
        {"panel", ACCESS_SUBSCRIBE, "c/#", 5}, {"panel", ACCESS_DELIVER, "c/y", 5},
        {"panel", ACCESS_PUBLISH, "c/x", 5},   {"other", ACCESS_PUBLISH, "c/x", 0},
    };
    struct access_rules *t;
    struct error e;
    REQUIRE(CHECK_EQ_INT(read_rules(block, &t, &e), ERR_OK));
    REQUIRE(t && CHECK_EQ_UINT(access_rules_count(t), 5));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%zu: %s", i, rows[i].subject);
        const struct access_client who = {{rows[i].user, rows[i].user ? strlen(rows[i].user) : 0},
                                          STR("c")};
        size_t rule = 99;
        bool allowed = access_rules_allow(t, &who, rows[i].right, str_from(rows[i].subject), &rule);
        CHECK_EQ_UINT(rule, rows[i].rule);
        CHECK_EQ_INT(allowed, rule == 2 || rule == 3 || rule == 5);
    }
    access_rules_unref(t);
}

TEST(no_access_block_and_an_empty_one)
{
    struct access_rules *t;
    struct error e;
    CHECK_EQ_INT(read_rules("", &t, &e), ERR_OK);
    CHECK_EQ_PTR(t, NULL);
    CHECK_EQ_INT(read_rules("access { }", &t, &e), ERR_OK);
    REQUIRE(t != NULL); /* nothing is allowed */
    CHECK_EQ_UINT(access_rules_count(t), 0);
    access_rules_unref(t);
}

TEST(access_blocks_that_make_no_sense)
{
    static const struct {
        const char *block, *part;
    } rows[] = {
        {"access { allow all \"a\"\n allow all \"b\" users anonymous }",
         "access rule 2 is for one"},
        {"access { allow all \"a\" user \"x\" users }", "access rule 1 is for one"},
        {"access { allow all \"a\" user \"\" }", "no name"},
        {"access { allow all \"a/%x\" }", "percent"},
        {"access { allow all \"a/#/b\" }", "not valid"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct access_rules *t;
        struct error e;
        LABEL("%s", rows[i].block);
        CHECK_EQ_INT(read_rules(rows[i].block, &t, &e), ERR_INVALID);
        CHECK_EQ_PTR(t, NULL);
        CHECK_HAS_STR(e.text, rows[i].part);
    }
}
