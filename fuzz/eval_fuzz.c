/* Programs that the input decides: the machine and the plain evaluator agree. */
#include "lang/eval_both.h"
#include "lang/eval_random.h"
#include "tests/support/lang_schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gen g = {.state = 1, .data = data, .data_n = size};
    struct both_tally t = {0};
    strbuf_init(&g.out, alloc_system(), 0);
    gen_program(&g);
    const char *differs = both_run(&test_schema, strbuf_str(&g.out), &t);
    ASSERT(!differs);
    strbuf_fini(&g.out);
    return 0;
}
