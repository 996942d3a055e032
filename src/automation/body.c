/* body: bodies of rules. One that can't wait is a turn; one that may is a task of the machine, and
 * what happens when its rule comes again meanwhile is its mode's. */
#include "automation/automation_internal.h"
#include "base/log.h"

#include <stdio.h>
#include <string.h>

/* ---- those that wait ---------------------------------------------------------------------------
 */

/* The value of a message, or "" of any other rule. */
static bool waiting_add(struct rule_run *r, struct str bytes)
{
    struct waiting *w = mem_new(r->run->automation->cfg.alloc, sizeof(*w) + bytes.n);
    if (!w)
        return false;
    *w = (struct waiting){.n = bytes.n};
    if (bytes.n)
        memcpy(w->bytes, bytes.p, bytes.n);
    *r->queue_end = w;
    r->queue_end = &w->next;
    r->queued++;
    return true;
}

static void task_start(struct rule_run *r, uint32_t chunk, bool end, struct str message)
{
    struct program_run *run = r->run;
    uint32_t rule = due_of_rule(r);
    r->task = r->def->kind == LANG_RULE_MESSAGE ? lang_vm_message(run->vm, rule, message)
                                                : lang_vm_start(run->vm, chunk, rule);
    r->task_end = end;
    if (r->task)
        return;
    r->skipped++;
    struct lang_result res = {.outcome = LANG_TRAP, .line = r->def->line};
    (void)snprintf(res.why, sizeof(res.why), "the program has too many tasks%s",
                   r->def->kind == LANG_RULE_MESSAGE ? ", or the message is of another type" : "");
    turn_failed(run, r, LANG_NO_CHUNK, &res);
}

static void task_stop(struct rule_run *r)
{
    struct program_run *run = r->run;
    turn_begin(run, r);
    lang_vm_stop(run->vm, r->task);
    turn_end(run, true, false);
    r->task = 0;
}

/* A message's body that does not wait is only a task because it has a parameter: none is skipped
 * because others were before it. */
static void task_again(struct rule_run *r, uint32_t chunk, struct str message)
{
    bool at_once = !r->def->suspends;
    uint32_t queued_max = at_once ? LANG_QUEUED_MAX : r->def->queued_max;
    switch (at_once ? LANG_MODE_QUEUED : r->def->mode) {
    case LANG_MODE_RESTART:
        task_stop(r);
        task_start(r, chunk, false, message);
        return;
    case LANG_MODE_QUEUED:
        if (r->queued < queued_max && waiting_add(r, message))
            return;
        break;
    case LANG_MODE_SINGLE: break;
    }
    r->skipped++;
}

/* `until` ends a body that still waits, and those that wait for it. */
static void body_over(struct rule_run *r)
{
    rule_forget_queue(r);
    if (r->task)
        task_stop(r);
}

static void task_body(struct rule_run *r, uint32_t chunk, enum body_kind kind, struct str message)
{
    if (kind == BODY_END)
        body_over(r);
    if (r->task)
        task_again(r, chunk, message);
    else
        task_start(r, chunk, kind == BODY_END, message);
}

void body_run(struct rule_run *r, uint32_t chunk, enum body_kind kind, struct str message)
{
    bool waits = kind == BODY_END ? r->def->until_suspends : r->def->suspends;
    if (waits || r->def->kind == LANG_RULE_MESSAGE) {
        task_body(r, chunk, kind, message);
        return;
    }
    if (kind == BODY_END)
        body_over(r);
    struct lang_result res;
    (void)turn_run(r, chunk, kind == BODY_FIRE ? TURN_BODY : TURN_END_BODY, &res);
}

/* ---- their turns --------------------------------------------------------------------------------
 */

static void task_ended(struct rule_run *r)
{
    r->task = 0;
    if (r->def->kind == LANG_RULE_START)
        rules_begin(r->run, due_of_rule(r) + 1);
    struct waiting *w = r->queue;
    if (!w || r->run->state != PROGRAM_RUNNING)
        return;
    r->queue = w->next;
    if (!r->queue)
        r->queue_end = &r->queue;
    r->queued--;
    task_start(r, r->def->body, false, (struct str){(const char *)w->bytes, w->n});
    mem_free(r->run->automation->cfg.alloc, w, sizeof(*w) + w->n);
}

static void turn_over(struct program_run *run, enum lang_outcome outcome,
                      const struct lang_turn *turn)
{
    struct rule_run *r = run->rule;
    bool fires = r && r->def->kind == LANG_RULE_WHEN && !r->task_end && r->state == RULE_ACTIVE;
    turn_end(run, outcome != LANG_TRAP, fires);
    if (outcome == LANG_TRAP)
        turn_failed(run, r, LANG_NO_CHUNK, &turn->result);
    else if (r && turn->ended)
        turn_well(r, LANG_NO_CHUNK);
    if (r && turn->ended)
        task_ended(r);
}

void tasks_run(struct program_run *run)
{
    uint64_t work = 0;
    for (int i = 0; i < TURNS_MAX && work < WORK_MAX && run->state == PROGRAM_RUNNING; i++) {
        struct lang_turn turn;
        turn_begin(run, NULL); /* whose it is, the machine tells afterwards */
        enum lang_outcome outcome = lang_vm_step(run->vm, &turn);
        if (outcome == LANG_IDLE)
            return;
        work += turn.result.instructions;
        run->worked = run->tasks_ran = run->vars_may_have_changed = true;
        run->rule = turn.rule < run->def->rules_n ? &run->rules[turn.rule] : NULL;
        turn_over(run, outcome, &turn);
        rules_look_at_vars(run);
    }
    run->more = true; /* after the others */
}
