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
static const struct check_case data[] = {
#include "lang/check_data_cases.h"
};
static const struct check_case calls[] = {
#include "lang/check_call_cases.h"
};
static const struct check_case tasks[] = {
#include "lang/check_task_cases.h"
};
static const struct check_case expects[] = {
#include "lang/check_expect_cases.h"
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

TEST(data_is_checked)
{
    for (size_t i = 0; i < ARRAY_LEN(data); i++)
        run_case(&data[i], false);
}

TEST(calls_and_loops_are_checked)
{
    for (size_t i = 0; i < ARRAY_LEN(calls); i++)
        run_case(&calls[i], false);
}

TEST(tasks_and_messages_are_checked)
{
    for (size_t i = 0; i < ARRAY_LEN(tasks); i++)
        run_case(&tasks[i], false);
}

TEST(tests_of_a_site_are_checked)
{
    for (size_t i = 0; i < ARRAY_LEN(expects); i++)
        run_case(&expects[i], false);
}

TEST(declarations_are_checked)
{
    for (size_t i = 0; i < ARRAY_LEN(declarations); i++)
        run_case(&declarations[i], true);
}

TEST(there_are_enough_cases)
{
    CHECK(ARRAY_LEN(programs) + ARRAY_LEN(declarations) >= 120);
    CHECK(ARRAY_LEN(data) + ARRAY_LEN(calls) + ARRAY_LEN(tasks) + ARRAY_LEN(expects) >= 300);
}
