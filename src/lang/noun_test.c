/* Messages speak the host's words. */
#include "lang/ctx_internal.h"
#include "tests/support/test.h"

static const struct lang_clause parts[] = {
    {.word = "quality", .role = LANG_CLAUSE_READABLE},
    {.word = "order", .role = LANG_CLAUSE_COMMAND},
};
static const struct lang_kind kinds[] = {
    {.word = "site"},
    {.word = "trade", .role = LANG_ROLE_TYPE, .clauses = parts, .clauses_n = ARRAY_LEN(parts)},
    {.word = "actor", .role = LANG_ROLE_RESOURCE},
};
static const struct lang_schema theatre = {.kinds = kinds, .kinds_n = ARRAY_LEN(kinds)};
static const struct lang_schema nothing;

static const struct word {
    const char *label;
    const struct lang_schema *schema;
    enum noun noun;
    const char *one, *a, *many;
} cases[] = {
    {"a kind, with a vowel", &theatre, NOUN_RESOURCE, "actor", "an actor", "actors"},
    {"a clause, with a y", &theatre, NOUN_READABLE, "quality", "a quality", "qualities"},
    {"a second clause", &theatre, NOUN_COMMAND, "order", "an order", "orders"},
    {"a kind with clauses", &theatre, NOUN_TYPE, "trade", "a trade", "trades"},
    {"a clause that is not there", &theatre, NOUN_SIGNAL, "signal", "a signal", "signals"},
    {"a kind that is not there", &theatre, NOUN_SET, "set", "a set", "sets"},
    {"an empty schema", &nothing, NOUN_RESOURCE, "resource", "a resource", "resources"},
    {"an empty schema's clause", &nothing, NOUN_READABLE, "reading", "a reading", "readings"},
};

static void look(const struct word *w)
{
    const struct lang_source source = {STR("a"), STR("")};
    struct ctx_alone alone;
    struct lang_ctx *c = ctx_alone_init(&alone, w->schema, &source);
    if (CHECK(setjmp(c->nomem) == 0)) {
        CHECK_EQ_STR(noun(c, w->noun), w->one);
        CHECK_EQ_STR(noun_a(c, w->noun), w->a);
        CHECK_EQ_STR(noun_many(c, w->noun), w->many);
    }
    ctx_alone_fini(&alone);
}

TEST(nouns_are_words_of_the_schema)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        LABEL("%s", cases[i].label);
        look(&cases[i]);
    }
}

TEST(messages_use_the_nouns)
{
    static const struct lang_arg name[] = {{.kind = LANG_ARG_NAME, .name = "name"},
                                           {.kind = LANG_ARG_TYPE, .name = "type", .lead = ":"}};
    static const struct lang_clause clause[] = {{.word = "quality",
                                                 .role = LANG_CLAUSE_READABLE,
                                                 .flags = LANG_CLAUSE_REPEATED,
                                                 .args = name,
                                                 .args_n = ARRAY_LEN(name)}};
    static const struct lang_kind kind[] = {{.word = "trade",
                                             .role = LANG_ROLE_TYPE,
                                             .head = LANG_HEAD_NAME,
                                             .flags = LANG_KIND_BODY,
                                             .clauses = clause,
                                             .clauses_n = 1},
                                            {.word = "actor",
                                             .role = LANG_ROLE_RESOURCE,
                                             .head = LANG_HEAD_PATH,
                                             .flags = LANG_KIND_TYPED}};
    static const struct lang_schema schema = {.kinds = kind, .kinds_n = ARRAY_LEN(kind)};
    const struct lang_source source = {STR("a"),
                                       STR("trade Prince { quality mad: bool }\n"
                                           "actor hamlet: Prince\n"
                                           "program p { read x: bool = hamlet.tired stale 5s }\n")};
    struct lang_site *site;
    REQUIRE(lang_check(alloc_system(), &schema, &source, 1, &site) == ERR_OK);
    if (CHECK(site->diags_n > 0))
        CHECK_EQ_STR(site->diags[0].message.p, "hamlet has no quality `tired`");
    lang_site_free(site);
}
