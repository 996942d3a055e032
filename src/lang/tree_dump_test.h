/* tree_dump_test: the syntax tree as text, for tests: one line of nested parentheses for each
 * declaration, in which everything that the parser decides can be seen. What the checker adds is
 * not shown. */
#pragma once

#include "lang/parse_internal.h"

void dump_expr(struct strbuf *out, const struct lang_ctx *c, const struct expr *e);
/* Programs, functions, records, enums and tests: in this order, a line each. */
void dump_syntax(struct strbuf *out, const struct lang_ctx *c, const struct syntax *s);
