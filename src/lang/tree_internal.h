/* tree_internal: copies of the syntax tree, and the names in it. Private to lang/. */
#pragma once

#include "lang/syntax_internal.h"

/* Of a list of statements, deep. Nothing of the checker's is copied but the normal form, so it is
 * to be done before the list is checked, or the copy checked again. */
struct stmt_list tree_copy(struct lang_ctx *c, const struct stmt_list *list);
struct expr *tree_copy_expr(struct lang_ctx *c, const struct expr *e);
/* How many statements there are in a list. */
size_t tree_size(const struct stmt_list *list);

/* Tells the first part of each path that is used, also inside of lambdas, in order of source. */
struct tree_names {
    void (*name)(struct tree_names *t, struct name name);
};
void tree_names(struct tree_names *t, const struct stmt_list *list);
