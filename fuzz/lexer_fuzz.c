/* Any bytes become tokens that lie in order and in bounds, and end with T_EOF. */
#include "base/alloc.h"
#include "lang/parse_internal.h"
#include "tests/support/lang_schema.h"

static void check_tokens(const struct tokens *t, size_t size)
{
    uint32_t at = 0;
    ASSERT(t->all.n > 0 && t->all.v[t->all.n - 1].kind == T_EOF);
    for (size_t i = 0; i < t->all.n; i++) {
        const struct token *k = &t->all.v[i];
        ASSERT(k->from >= at && k->to >= k->from && k->to <= size);
        ASSERT(k->kind == T_EOF || k->to > k->from);
        ASSERT(k->number_to <= k->to && k->unit_from <= k->to);
        ASSERT((k->kind == T_BAD) == (k->note != NULL));
        at = k->to;
    }
    for (size_t i = 0; i < t->comments.n; i++)
        ASSERT(t->comments.v[i].to <= size && t->comments.v[i].from < t->comments.v[i].to);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > LANG_SOURCE_SIZE_MAX)
        return 0;
    struct lang_source source = {STR("fuzz"), {(const char *)data, size}};
    struct ctx_alone alone;
    struct lang_ctx *c = ctx_alone_init(&alone, &test_schema, &source);
    struct tokens tokens = {0};
    if (setjmp(c->nomem) == 0) {
        lex(c, 0, 0, (uint32_t)size, &tokens);
        check_tokens(&tokens, size);
    }
    ctx_alone_fini(&alone);
    return 0;
}
