/* turn: one run of a chunk, and what it decides.
 *
 * What it wants (commands, alerts, leases) are effects; those of a turn that fails never happen,
 * but for the firm ones. */
#include "automation/automation_internal.h"
#include "base/log.h"

#include <stdio.h>
#include <time.h>

/* ---- what the machine calls ------------------------------------------------------------------ */

static struct program_run *run_of(struct lang_host *h)
{
    return CONTAINER_OF(h, struct program_run, host);
}

static bool value_from(struct program_run *run, const struct lang_type *type, union lang_slot s,
                       struct value *out)
{
    switch (type->kind) {
    case LANG_TYPE_BOOL: *out = (struct value){.kind = VALUE_BOOL, .b = s.i != 0}; return true;
    case LANG_TYPE_INT:
    case LANG_TYPE_TIME: *out = (struct value){.kind = VALUE_INT, .i = s.i}; return true;
    case LANG_TYPE_STR:
        *out = (struct value){.kind = VALUE_STR, .s = arena_str(&run->effects.arena, *s.s)};
        return out->s.p != NULL;
    default: *out = (struct value){.kind = VALUE_FLOAT, .f = s.f}; return true;
    }
}

static enum err host_command(struct lang_host *h, uint32_t binding, uint32_t action,
                             const union lang_slot *args, size_t args_n)
{
    struct program_run *run = run_of(h);
    const struct binding_run *b = &run->bindings[binding];
    if (b->out)
        return ERR_BUSY;
    struct effect *e = args_n <= EFFECT_ARGS_MAX ? effect_add(&run->effects, EFFECT_COMMAND) : NULL;
    if (!e)
        return ERR_FULL;
    const struct lang_member *m =
        lang_decl_member_at(b->def->resource->type, LANG_CLAUSE_COMMAND, action);
    bool room = true;
    e->binding = binding;
    e->action = action;
    e->arg_count = args_n;
    for (size_t i = 0; i < args_n; i++)
        room = value_from(run, &m->params[i].type, args[i], &e->args[i]) && room;
    return room ? ERR_OK : ERR_NOMEM; /* the turn fails, and with it the effect */
}

static void host_statement(struct lang_host *h, uint32_t statement, uint32_t level, struct str text)
{
    struct program_run *run = run_of(h);
    struct effect *e = effect_add(&run->effects, EFFECT_ALERT);
    ASSERT(statement == 0 && level <= SEVERITY_CRITICAL); /* `alert`, the only one in the schema */
    if (!e || !effect_text(&run->effects, &e->text, text))
        return;
    e->severity = (enum severity)level;
}

static void host_lease(struct lang_host *h, uint32_t id, uint32_t lease, int64_t for_ms,
                       int64_t wait_ms)
{
    struct effect *e = effect_add(&run_of(h)->effects, EFFECT_LEASE);
    if (!e) { /* the task hears of it at once, not never */
        lang_vm_lease(run_of(h)->vm, id, LANG_LEASE_DENIED, STR("too much in one turn"));
        return;
    }
    e->id = id;
    e->index = lease;
    e->for_ms = for_ms;
    e->wait_ms = wait_ms;
}

static void host_release(struct lang_host *h, uint32_t id, bool crashed)
{
    struct effect *e = effect_add(&run_of(h)->effects, EFFECT_RELEASE);
    if (!e)
        return;
    e->id = id;
    e->crashed = crashed;
}

static enum err host_revoke(struct lang_host *h, uint32_t binding)
{
    struct program_run *run = run_of(h);
    struct effect *e = effect_add(&run->effects, EFFECT_REVOKE);
    if (!e)
        return ERR_FULL;
    e->binding = binding;
    e->was_out = run->bindings[binding].out;
    run->bindings[binding].out = false; /* what follows in this turn may command */
    return ERR_OK;
}

static void host_safe(struct lang_host *h, uint32_t binding)
{
    struct effect *e = effect_add(&run_of(h)->effects, EFFECT_SAFE);
    if (e)
        e->binding = binding;
}

static void host_publish(struct lang_host *h, struct str subject, struct str value)
{
    struct program_run *run = run_of(h);
    struct effect *e = effect_add(&run->effects, EFFECT_PUBLISH);
    if (e && effect_text(&run->effects, &e->key, subject))
        (void)effect_text(&run->effects, &e->text, value);
}

static double host_random(struct lang_host *h)
{
    struct program_run *run = run_of(h);
    run->chance = run->chance * 6364136223846793005u + 1442695040888963407u;
    return (double)(run->chance >> 11) * 0x1p-53;
}

static int64_t host_mono(struct lang_host *h)
{
    return run_of(h)->now_ns / 1000000 - run_of(h)->back_ms;
}

static int64_t host_cpu(struct lang_host *h)
{
    struct timespec t;
    (void)h;
    return clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) ? 0 : t.tv_sec * 1000000000 + t.tv_nsec;
}

void turn_host_init(struct program_run *run)
{
    run->host.command = host_command;
    run->host.statement = host_statement;
    run->host.lease = host_lease;
    run->host.release = host_release;
    run->host.revoke = host_revoke;
    run->host.safe = host_safe;
    run->host.publish = host_publish;
    run->host.random = host_random;
    run->host.mono_ms = host_mono;
    run->host.cpu_ns = host_cpu;
}

/* ---- turns ------------------------------------------------------------------------------------
 */

void turn_begin(struct program_run *run, struct rule_run *r)
{
    run->rule = r;
    run->effects.turn = run->effects.all.n;
}

/* One that lasts has a number, up to a bound: a body that waits may raise as many as it likes. */
static uint32_t lasting_number(struct rule_run *r)
{
    if (r->alerts < EFFECTS_MAX)
        r->alerts++;
    return r->alerts - 1;
}

/* The alerts of a rule are told apart by number, those of a spawned task by their text. */
static void name_alert(struct program_run *run, struct effect *e, bool lasting)
{
    char key[ALERT_KEY_MAX];
    struct rule_run *r = run->rule;
    if (r)
        alert_key(r->def->path, lasting ? lasting_number(r) : run->alerts++, key);
    else
        (void)snprintf(key, sizeof(key), "%.*s/task: %.*s", STR_FMT(run->def->name),
                       STR_FMT(e->text));
    e->key = arena_str(&run->effects.arena, str_from(key));
    e->momentary = !lasting;
    if (!e->key.p)
        run->effects.lost++;
}

/* What the turn took back is out as before. */
static void undo_revokes(struct program_run *run)
{
    const struct effects *x = &run->effects;
    for (size_t i = x->turn; i < x->all.n; i++)
        if (x->all.v[i].kind == EFFECT_REVOKE && x->all.v[i].was_out)
            run->bindings[x->all.v[i].binding].out = true;
}

void turn_end(struct program_run *run, bool well, bool lasting)
{
    struct effects *x = &run->effects;
    if (!well) {
        undo_revokes(run);
        effects_undo(x);
    }
    run->alerts = 0;
    for (size_t i = x->turn; i < x->all.n; i++) {
        struct effect *e = &x->all.v[i];
        e->rule = run->rule ? due_of_rule(run->rule) : UINT32_MAX;
        e->trigger = run->trigger ? (uint32_t)(run->trigger - run->bindings) : UINT32_MAX;
        if (e->kind == EFFECT_ALERT && e->key.n == 0)
            name_alert(run, e, lasting);
    }
    x->turn = x->all.n;
}

void turn_clear_alerts(struct rule_run *r)
{
    char key[ALERT_KEY_MAX];
    for (uint32_t i = 0; i < r->alerts; i++) {
        struct effect *e = effect_add(&r->run->effects, EFFECT_ALERT_END);
        alert_key(r->def->path, i, key);
        if (!e)
            continue;
        e->rule = due_of_rule(r);
        e->trigger = UINT32_MAX;
        (void)effect_text(&r->run->effects, &e->key, str_from(key));
    }
    r->alerts = 0;
}

static void say_trap(struct program_run *run, const struct rule_run *r, struct effect *e,
                     const char *why)
{
    struct strbuf says;
    strbuf_init(&says, run->automation->cfg.alloc, SAYS_MAX);
    says_begin(&says, r ? "rule-failed" : "task-failed");
    says_str(&says, "rule", r ? r->def->text : STR(""));
    says_str(&says, "detail", str_from(why));
    e->says = arena_str(&run->effects.arena, says_end(&says)); /* without room: in English alone */
    strbuf_fini(&says);
}

static void trap_alert(struct program_run *run, struct rule_run *r, bool active, const char *why)
{
    char key[ALERT_KEY_MAX], text[400];
    struct str path = r ? r->def->path : run->def->name;
    struct effect *e = effect_add(&run->effects, active ? EFFECT_ALERT : EFFECT_ALERT_END);
    if (!e)
        return;
    alert_trap_key(path, key);
    (void)snprintf(text, sizeof(text), "%.*s: %s", r ? (int)r->def->text.n : 4,
                   r ? r->def->text.p : "task", why);
    e->severity = SEVERITY_WARNING;
    e->rule = r ? due_of_rule(r) : UINT32_MAX;
    e->trigger = UINT32_MAX;
    e->momentary = r == NULL; /* nothing of it comes again that could end it */
    if (effect_text(&run->effects, &e->key, str_from(key)) &&
        effect_text(&run->effects, &e->text, str_from(text)) && active)
        say_trap(run, r, e, why);
    if (r)
        r->trapped = active;
}

/* For people, who may look while the run is handled. */
static void note_error(struct program_run *run, const char *text)
{
    struct effect *e = effect_add(&run->effects, EFFECT_ERROR);
    if (e)
        (void)effect_text(&run->effects, &e->text, str_from(text));
}

/* The program stops: its tasks end, then all that it owns goes to its safe state. */
static void stop_program(struct program_run *run, struct rule_run *r, const char *why)
{
    turn_begin(run, r);
    lang_vm_stop_all(run->vm);
    turn_end(run, true, false);
    struct effect *e = effect_add(&run->effects, EFFECT_FAIL);
    run->state = PROGRAM_FAILED;
    if (!e)
        return;
    e->rule = r ? due_of_rule(r) : UINT32_MAX;
    e->trigger = UINT32_MAX;
    (void)effect_text(&run->effects, &e->text, str_from(why));
}

void turn_failed(struct program_run *run, struct rule_run *r, uint32_t chunk,
                 const struct lang_result *res)
{
    char text[sizeof(run->error)];
    (void)snprintf(text, sizeof(text), "%.*s:%u: %s", STR_FMT(run->def->file), res->line, res->why);
    run->effects.turn = run->effects.all.n;
    note_error(run, text);
    if (!r || !r->trapped) {
        LOG_W("automation", "%s", text);
        trap_alert(run, r, true, res->why);
        if (r)
            r->trapped_chunk = chunk;
    }
    if (!r || res->outcome != LANG_OUT_OF_BUDGET || chunk == LANG_NO_CHUNK)
        return;
    r->overruns = r->overrun_chunk == chunk ? r->overruns + 1 : 1;
    r->overrun_chunk = chunk;
    if (r->overruns >= OVERRUNS_MAX)
        stop_program(run, r, res->why);
}

void turn_well(struct rule_run *r, uint32_t chunk)
{
    if (r->overrun_chunk == chunk)
        r->overruns = 0;
    if (r->trapped && r->trapped_chunk == chunk)
        trap_alert(r->run, r, false, "");
}

bool turn_run(struct rule_run *r, uint32_t chunk, enum turn_kind kind, struct lang_result *res)
{
    struct program_run *run = r->run;
    *res = (struct lang_result){0};
    if (run->state != PROGRAM_RUNNING)
        return false;
    turn_begin(run, r);
    run->worked = true;
    run->vars_may_have_changed = run->vars_may_have_changed || kind != TURN_CONDITION;
    bool well = lang_vm_call(run->vm, chunk, res) == LANG_DONE;
    turn_end(run, well, kind == TURN_BODY);
    if (well)
        turn_well(r, chunk);
    else
        turn_failed(run, r, chunk, res);
    return well;
}
