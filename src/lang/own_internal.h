/* own_internal: ownership (O1 to O16) over the checked tree, and the facts that the graph checks
 * (G11 to G18) and the summaries of programs are made of. Private to lang/.
 *
 * Why a pass of its own: the checker says what each name stands for; what has become of a handle
 * at some place (held, moved, maybe moved, lent and not called back) depends on the way there. So
 * each body is walked once more, in the order in which it runs, with a state for each handle:
 * own_flow.c. What needs more than one body (a handle that moves at the start and is used in a
 * rule, a lease and the `lend` that allows it, the order of nested leases) is noted on the way and
 * judged at the end of the program (own_prog.c) or of the site (own_site.c).
 *
 * How the checker calls it, in this order:
 *   own_prepare          once, when the declarations are checked
 *   own_program_begin    k->prog is set, nothing of it is checked yet
 *     own_fn             each fn and task, when its body is typed (also those of the site, outside
 *                        of any program: k->prog is NULL)
 *     own_take, own_lend each `own` and each `lend`
 *     own_rule_begin     each rule, `idle` and statement that runs at the start; then in any order
 *       own_condition    what it looks at, when typed: also the `for` of `every` and the like
 *       own_body         what it does, when typed and before it is compiled
 *     own_rule_end
 *   own_program_end
 *   own_program_kept     k->prog->out is finished: what own_finish() looks at lies there
 *   own_finish           once, when all programs are checked
 * A rule in a `for` is told once for each element.
 *
 * What the tree has to say: REF_HANDLE (local `index`), REF_OWN and REF_GROUP (bindings), E_INDEX
 * with a REF_GROUP in `a` for an element; REF_COMMAND with `index` or `handle`; REF_MEMBER with
 * `handle`; REF_READ, REF_VAR, REF_SIGNAL, REF_FN, REF_TASK, METHOD_SEND and METHOD_RECV; locals
 * of S_LET, S_FOR, S_LEASE, arms, patterns and parameters. A handle is a value of type
 * LANG_TYPE_HANDLE. Where data is wanted and a handle stands, the checker calls own_as_data()
 * instead of a message of its own, and marks the expression bad; own_body() passes over what is
 * bad. An argument for a parameter with a mode, for `spawn` and for a channel of handles is checked
 * here (with or without `move`, what may be handed on); the checker only compares the models. */
#pragma once

#include "lang/syntax_internal.h"

struct checker;

void own_prepare(struct checker *k);
/* Programs that are known by their summaries: behind own_prepare(). */
struct summary;
void own_others(struct checker *k, const struct summary *list, size_t n);
void own_program_begin(struct checker *k);
void own_program_end(struct checker *k);
void own_program_kept(struct checker *k);
void own_finish(struct checker *k);

/* Notes that this program owns it; O2 if somebody does already. */
void own_take(struct checker *k, const struct lang_decl *resource, struct lang_span at);
/* Each place where a message is said or heard; and, before the subjects are judged, those of the
 * programs that are known by their summaries. */
void own_message(struct checker *k, struct str name, const struct lang_type *type,
                 struct lang_span at, bool said);
void own_messages(struct checker *k);
/* What another program owns by that name, if it is known by its summary alone; else NULL. */
const struct lang_decl *own_offered(const struct checker *k, struct str program, struct str handle);
/* O3: a command through something that is not owned here. */
void own_refuse(struct checker *k, const struct lang_decl *resource, struct lang_span at,
                const char *why);
/* `lend name to …`: of the program's bindings; the names of the lessees are looked up here. */
void own_lend(struct checker *k, const struct item *i, uint32_t binding);

void own_rule_begin(struct checker *k, const struct item *i);
void own_condition(struct checker *k, const struct expr *e, bool until);
/* What the rule runs with: `on plant.reset.pressed`. */
void own_signal(struct checker *k, const struct lang_decl *resource, const struct lang_member *m);
void own_body(struct checker *k, const struct stmt_list *body, bool until);
void own_rule_end(struct checker *k);
void own_fn(struct checker *k, struct fn_decl *fn);

/* How a handle is used where only data may stand. */
enum own_use {
    OWN_STORED,   /* let, var, an element, a field, an operand */
    OWN_RETURNED, /* from a function or a lambda */
    OWN_SENT,     /* through a channel of data, or published */
    OWN_PASSED,   /* as an argument for data, or to a lambda */
};
/* O1, O4, O6 or O11, as the handle came about; `e`: the handle or the E_MOVE around it. */
void own_as_data(struct checker *k, const struct expr *e, enum own_use use);
/* O14: a lambda names a handle of what is around it. `declared`: where that is. */
void own_captured(struct checker *k, const struct expr *e, struct lang_span declared);
/* A function names what it can't see. True, with O15, if that is a handle of its program. */
bool own_outside(struct checker *k, struct name name);
/* O1: a handle is assigned to. */
void own_assigned(struct checker *k, const struct expr *target, struct lang_span declared);
