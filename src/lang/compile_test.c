/* Programs from source to what they do: every construct of the language, compiled and run. */
#include "lang/compile_cases.h"
#include "lang/compile_fixture.h"

static void check_run(const struct run_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct run_case *c = &cases[i];
        LABEL("%s", c->label);
        char items[4096];
        (void)snprintf(items, sizeof(items), "%s\nevery 1h {\n%s\n}", c->items, c->body);
        struct stage s;
        if (stage_open(&s, c->decls, items)) {
            stage_rule(&s, (uint32_t)s.program->rules_n - 1);
            CHECK_EQ_STR(stage_said(&s), c->said);
        }
        stage_close(&s);
    }
}

TEST(values)
{
    check_run(value_cases, ARRAY_LEN(value_cases));
}

TEST(data)
{
    check_run(data_cases, ARRAY_LEN(data_cases));
}
