/* automation: runs the site's checked programs on its samples.
 *
 * A sample wakes the rules that read it; a rule that acts does so in one turn of the program's
 * machine. What a turn decided (actions, alerts) takes effect when the turn has ended well; a turn
 * that traps changes nothing and is reported. Three runs of a rule in a row out of budget stop the
 * program: what it owns is brought to its safe state. Variables and the states of rules outlive a
 * restart (journal and table, by stable path). Ownership: the checked site outlives the automation,
 * or another one takes its place.
 * Threads: worker 0. */
#pragma once

#include "automation/lease.h"
#include "lang/lang.h"
#include "registry/registry.h"

struct automation;
struct automation_config {
    struct executor *ex;
    struct bus *bus;
    struct registry *registry;
    struct journal *journal;
    struct db *db;
    struct alloc *alloc;
    const struct lang_site *site;
};
/* Sets the owners of devices and the staleness of properties in the registry. */
MUST_USE enum err automation_new(struct automation **out, const struct automation_config *cfg,
                                 struct error *e);
void automation_free(struct automation *a);
/* After the replay, before the executor runs. */
void automation_start(struct automation *a);

/* --- another checked site in the place of the one that runs (replace.c) ---
 *
 * A program whose code, bindings and devices are equal in both goes on as if nothing had happened:
 * hold times, windows, variables, what it failed of. Others stop and start, as over a restart:
 * variables and the states of rules by their paths. What a program owned and owns no more goes to
 * its safe state.
 *
 *     registry_replace_begin() … the next devices …
 *     automation_change_new()     all that can fail; owners of the next devices
 *     registry_replace_ready(), registry_replace_commit()
 *     automation_change_apply()   frees the change; the old site is not looked at any more
 *     registry_replace_settle()
 * Or automation_change_free() and registry_replace_cancel(): nothing has happened. */
struct automation_change;
enum program_fate { PROGRAM_KEPT, PROGRAM_CHANGED, PROGRAM_ADDED, PROGRAM_REMOVED };
MUST_USE enum err automation_change_new(struct automation_change **out, struct automation *a,
                                        const struct lang_site *next, struct error *e);
/* Every program of both sites. */
void automation_change_each(const struct automation_change *c,
                            void (*each)(void *ctx, struct str program, enum program_fate fate),
                            void *ctx);
void automation_change_apply(struct automation_change *c);
void automation_change_free(struct automation_change *c); /* NULL is fine */

enum program_state { PROGRAM_RUNNING, PROGRAM_FAILED };
enum rule_state { RULE_IDLE, RULE_HOLDING, RULE_ACTIVE };
const char *rule_state_name(enum rule_state s);

struct rule_view {
    const struct lang_rule *rule;
    enum rule_state state;
    uint64_t fired;
    int64_t fired_ms; /* 0: never */
};
struct program_view {
    const struct lang_program *program;
    enum program_state state;
    const char *error; /* "" if there was none */
    struct lang_vm_stats stats;
    size_t rules;
};
size_t automation_programs(const struct automation *a);
struct program_view automation_program(const struct automation *a, size_t program);
struct rule_view automation_rule(const struct automation *a, size_t program, size_t rule);
/* The series behind a binding of kind READ; NULL for others. */
const struct series *automation_series(const struct automation *a, size_t program, size_t binding);
/* ---- leases and people (lease.h) ----
 * A person's command to an owned device makes the person its lessee, as `operator`, on the owner's
 * terms; to one without owner it goes as it is. ERR_DENIED with the reason. q->cause.operator_name:
 * who. */
MUST_USE enum err automation_operate(struct automation *a, const struct action_request *q,
                                     char id[24], struct error *e);
/* The person who has it gives it back. False if no person has it. */
bool automation_give_back(struct automation *a, struct str device);
/* False if nobody owns it. */
bool automation_lease(const struct automation *a, struct str device, struct lease_view *out);
void automation_on_lease(struct automation *a,
                         void (*changed)(void *ctx, const struct lease_view *v), void *ctx);

/* With several workers programs are handled beside each other; around automation_change_apply()
 * they rest, and what happens meanwhile waits. True if they do already; else rests() is called when
 * they do. */
bool automation_pause(struct automation *a, void (*rests)(void *ctx), void *ctx);
void automation_resume(struct automation *a);

/* Called whenever a rule's state changed. */
void automation_on_rule(struct automation *a,
                        void (*changed)(void *ctx, const struct lang_program *p,
                                        const struct rule_view *v),
                        void *ctx);
/* The value of a program's variable, in base units; its text is good until the program's next turn.
 */
union lang_slot automation_var(const struct automation *a, size_t program, uint32_t var);
