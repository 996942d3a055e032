/* access: the rules of access that a site declares.
 *
 *     access {
 *         allow publish   "line1/%u/#" users
 *         allow subscribe "line1/#" user "panel"
 *         deny  all       "line1/recipes/#"
 *     }
 *
 * A rule says what (publish, subscribe with what comes by it, deliver: only what comes, all),
 * where, and for whom: everyone if it does not say. Another way to say for whom is one more
 * argument of the clause and one more enum access_who. Ownership: the table is the caller's.
 * Threads: none. What the rules mean: auth/access.h. */
#pragma once

#include "auth/access.h"
#include "lang/lang.h"

/* NULL in *out: the site has no access block, and everything is allowed. */
MUST_USE enum err site_access_read(struct access_rules **out, const struct lang_site *site,
                                   struct alloc *a, struct error *e);
/* The clauses of the block, for the site's schema. */
enum { SITE_ACCESS_CLAUSES = 2 };
extern const struct lang_clause site_access_clauses[SITE_ACCESS_CLAUSES];
