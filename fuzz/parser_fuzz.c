/* Any bytes parse, with messages whose marks lie in the text and can be shown, into a tree that can
 * be walked. */
#include "base/alloc.h"
#include "lang/tree_dump_test.c"
#include "tests/support/lang_schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > LANG_SOURCE_SIZE_MAX)
        return 0;
    struct lang_source source = {STR("fuzz"), {(const char *)data, size}};
    struct ctx_alone alone;
    struct lang_ctx *c = ctx_alone_init(&alone, &test_schema, &source);
    struct syntax syntax = {0};
    if (setjmp(c->nomem) == 0) {
        ctx_index_lines(c);
        parse_source(c, 0, &syntax);
        for (size_t i = 0; i < c->diags.n; i++)
            for (size_t m = 0; m < c->diags.v[i].marks_n; m++)
                ASSERT(c->diags.v[i].marks[m].span.to <= size);
        struct strbuf tree;
        strbuf_init(&tree, &c->alloc, 0);
        dump_syntax(&tree, c, &syntax);
    }
    ctx_alone_fini(&alone);
    return 0;
}
