/* Every rule of the language, accepted and refused: source, then the codes and places (line:column
 * in the case) of all messages. "" means that nothing is said. Full texts are in render_test.c. */
#include "lang/lang_fixture.h"

struct check_case {
    const char *label, *text, *want;
};

static void summary(const struct lang_site *site, struct strbuf *out)
{
    for (size_t i = 0; i < site->diags_n; i++) {
        const struct lang_diag *d = &site->diags[i];
        strbuf_addf(out, "%s%.*s %s%u:%u", i ? ", " : "", STR_FMT(d->code),
                    d->marks[0].span.source == 0 ? "site " : "", d->marks[0].line,
                    d->marks[0].column);
    }
}

static void run_case(const struct check_case *c, bool alone)
{
    LABEL("%s", c->label);
    struct lang_site *site = fixture_check(c->text, alone);
    REQUIRE(site != NULL);
    struct strbuf got;
    strbuf_init(&got, alloc_system(), 0);
    summary(site, &got);
    CHECK_EQ_STR(got.p, c->want);
    strbuf_fini(&got);
    lang_site_free(site);
}

/* Programs and functions, beside the fixture's site. */
static const struct check_case programs[] = {
#include "lang/check_cases.h"
};

/* Declarations, alone. */
static const struct check_case declarations[] = {
#include "lang/check_decl_cases.h"
};

TEST(programs_are_checked)
{
    for (size_t i = 0; i < ARRAY_LEN(programs); i++)
        run_case(&programs[i], false);
}

TEST(declarations_are_checked)
{
    for (size_t i = 0; i < ARRAY_LEN(declarations); i++)
        run_case(&declarations[i], true);
}

TEST(there_are_enough_cases)
{
    CHECK(ARRAY_LEN(programs) + ARRAY_LEN(declarations) >= 120);
}
