/* access: who may publish to, subscribe to and receive what.
 *
 * Why: a site says in words what its clients may do. The first rule that fits decides; what no rule
 * names is denied. Without rules everything is allowed, and nothing is asked.
 * Rules: an immutable table. A rule fits a topic that its filter matches, and a filter to subscribe
 * to if every topic of it is one of the rule's: `a/#` fits `a/+/b`, `a/+` does not fit `a/#`. (What
 * a wider subscription may not see is held back message by message, by ACCESS_DELIVER.)
 * `%u` and `%c` in a rule's filter stand for the user's name and the client id, `%%` for a percent
 * sign; each within one level. A name is text of one level, never a pattern: one that is empty, or
 * holds `/`, `+` or `#`, fits nothing that is allowed, and everything that is denied there. Nor
 * does a name at the front lead to topics that begin with `$`.
 * Who: a user is someone who has proven to be so. A name that nobody has asked the password of is
 * anonymous here. A client id is not proven by anything: give rights by `%u`.
 * Reload: access_set() changes the table while others look at it. Each client's view takes the new
 * one at its next question, with all that it remembered forgotten.
 * Ownership: tables are counted references; a view borrows the client's names.
 * Threads: struct access and tables: any; a view: one worker.
 * Errors: access_rules_new() names the rule that makes no sense. */
#pragma once

#include "base/atomic.h"
#include "base/cursor.h"

#include <pthread.h>

#define ACCESS_RULES_MAX 4096

enum access_right {
    ACCESS_PUBLISH = 1,
    ACCESS_SUBSCRIBE = 2,
    ACCESS_DELIVER = 4, /* a message that is on its way to a subscriber */
};
enum access_who {
    ACCESS_ALL,
    ACCESS_USER,      /* the one that is named */
    ACCESS_USERS,     /* whoever has proven a name */
    ACCESS_ANONYMOUS, /* whoever has not */
};
struct access_rule {
    bool allow;
    uint8_t rights; /* bits of enum access_right */
    enum access_who who;
    struct str user; /* ACCESS_USER */
    struct str filter;
};
struct access_client {
    struct str user; /* proven; p NULL: anonymous */
    struct str id;
};

/* ---- a table ---- */
struct access_rules;
/* ERR_INVALID, ERR_RANGE: *e says which and why. The rules are copied; one reference is the
 * caller's. */
MUST_USE enum err access_rules_new(struct access_rules **out, struct alloc *a,
                                   const struct access_rule *rules, size_t n, struct error *e);
struct access_rules *access_rules_ref(struct access_rules *t);
void access_rules_unref(struct access_rules *t); /* NULL is fine */
size_t access_rules_count(const struct access_rules *t);
/* The subject is a valid topic, or for ACCESS_SUBSCRIBE a valid filter without `$share/GROUP/`.
 * *rule (may be NULL) is the number of the rule that decided, from 1; 0: none did. */
bool access_rules_allow(const struct access_rules *t, const struct access_client *who,
                        enum access_right right, struct str subject, size_t *rule);

/* ---- the table in use ---- */
struct access {
    pthread_mutex_t lock;
    struct access_rules *rules; /* under the lock */
    _Atomic uint64_t version;   /* of the table; 0: there is none */
    uint64_t versions;          /* under the lock */
    void (*changed)(void *ctx); /* NULL: nobody wants to know */
    void *ctx;
    _Atomic uint64_t denied;
};
void access_init(struct access *a);
void access_fini(struct access *a);
/* Takes the reference; NULL: no rules from now on. */
void access_set(struct access *a, struct access_rules *t);
/* Calls changed() now and at the end of each access_set(), on its thread; NULL: no more. One may
 * watch. Before others look, or after. */
void access_watch(struct access *a, void (*changed)(void *ctx), void *ctx);
static inline bool access_has_rules(const struct access *a)
{
    return atomic_load_explicit(&a->version, memory_order_relaxed) != 0;
}

/* ---- what one client may do, remembered ---- */
struct access_memory;
struct access_view {
    struct access_client who;
    struct access_rules *rules; /* NULL: none yet */
    uint64_t version;           /* of rules */
    struct access_memory *memory;
    struct alloc *alloc;
};
/* `who` is borrowed until access_view_fini(). Nothing is allocated before the first question. */
void access_view_init(struct access_view *v, struct alloc *alloc, const struct access_client *who);
void access_view_fini(struct access_view *v);
/* Whether it may; if not, *why (may be NULL) says so to people. Counts what was denied. */
bool access_may(struct access *a, struct access_view *v, enum access_right right,
                struct str subject, char why[160]);
