/* Random programs: what the machine makes of them is what the plain evaluator does. */
#include "lang/eval_both.h"
#include "lang/eval_random.h"
#include "tests/support/lang_schema.h"
#include "tests/support/test.h"

#define PROGRAMS 400u

TEST(random_programs_do_what_they_say)
{
    struct gen g = {.state = test_seed()};
    struct both_tally t = {0};
    strbuf_init(&g.out, alloc_system(), 0);
    for (unsigned i = 0; i < PROGRAMS; i++) {
        gen_program(&g);
        const char *differs = both_run(&test_schema, strbuf_str(&g.out), &t);
        LABEL("program %u: %s\n%s", i, differs ? differs : "", g.out.p);
        CHECK(!differs);
    }
    CHECK(t.refused < PROGRAMS / 2);
    CHECK(t.turns > PROGRAMS);
    CHECK(t.turns - t.traps > PROGRAMS / 4);
    strbuf_fini(&g.out);
}
