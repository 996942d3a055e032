/* keep: small durable state, whole values by key: actions, alerts, variables of programs.
 *
 * A change is a journal record first; a table `keep_<name>` follows in batches, with the journal's
 * cursor in the same transaction, when the journal has committed all that is in the batch: the
 * table is never ahead of it. A record holds the whole value, so applying it twice does no harm.
 * The owner has the state in memory in its own form; only what is not yet in the table is held
 * here.
 * At start apply() is called for every row of the table in the order of its keys, then by the
 * journal's replay for what came later; an empty value means that the key was deleted.
 * Ownership: keys and values are copied. Threads: worker 0.
 * Errors: keep_put() as journal_append(). A full journal or disk is an answer only for who waits
 * (`seq`); what nobody waits for stays here until there is room, at most KEEP_OWED_MAX bytes of it.
 * A table that can't be written is tried again for ever, and said so in the log; the journal holds
 * the records meanwhile. */
#pragma once

#include "store/db.h"
#include "store/journal.h"

enum { KEEP_KEY_MAX = 1024, KEEP_VALUE_MAX = 64 << 10, KEEP_OWED_MAX = 4 << 20 };

struct keep;
struct keep_config {
    struct executor *ex;
    struct journal *journal;
    struct db *db;
    struct alloc *alloc;
    const char *name; /* constant: [a-z_]+ */
    enum journal_kind kind;
    void (*apply)(void *ctx, struct str key, struct bytes value);
    void *ctx;
};
/* Before journal_replay(). */
MUST_USE enum err keep_new(struct keep **out, const struct keep_config *cfg, struct error *e);
/* With the executor stopped, after db_drain() and before journal_close(). What is not in the table
 * yet is in the journal. */
void keep_free(struct keep *k);
/* *seq is the journal record; NULL: nobody waits for it. `lazy` as in journal_append(). */
MUST_USE enum err keep_put(struct keep *k, struct str key, struct bytes value, bool lazy,
                           uint64_t *seq);
MUST_USE enum err keep_del(struct keep *k, struct str key, bool lazy);
