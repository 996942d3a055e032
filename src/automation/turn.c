/* turn: one run of a chunk, and what it decided.
 *
 * Commands and alerts are held back until the turn has ended well; then they take effect in their
 * order, with the rule and the sample as their cause. */
#include "automation/automation_internal.h"
#include "base/log.h"

#include <stdio.h>

static struct effect *effect_new(struct program_run *run)
{
    if (run->effect_count == TURN_EFFECTS_MAX) {
        run->effects_lost = true;
        return NULL;
    }
    struct effect *e = &run->effects[run->effect_count++];
    *e = (struct effect){0};
    return e;
}

static struct value value_from(struct program_run *run, const struct lang_type *type,
                               union lang_slot s)
{
    switch (type->kind) {
    case LANG_TYPE_BOOL: return (struct value){.kind = VALUE_BOOL, .b = s.i != 0};
    case LANG_TYPE_INT:
    case LANG_TYPE_TIME: return (struct value){.kind = VALUE_INT, .i = s.i};
    case LANG_TYPE_STR: return (struct value){.kind = VALUE_STR, .s = arena_str(&run->turn, *s.s)};
    default: return (struct value){.kind = VALUE_FLOAT, .f = s.f};
    }
}

static enum err host_command(struct lang_host *h, uint32_t binding, uint32_t action,
                             const union lang_slot *args, size_t args_n)
{
    struct program_run *run = CONTAINER_OF(h, struct program_run, host);
    struct effect *e = args_n <= ARRAY_LEN(run->effects[0].args) ? effect_new(run) : NULL;
    if (!e)
        return ERR_FULL;
    const struct lang_member *m = lang_decl_member_at(run->def->bindings[binding].resource->type,
                                                      LANG_CLAUSE_COMMAND, action);
    e->binding = binding;
    e->action = action;
    e->arg_count = args_n;
    for (size_t i = 0; i < args_n; i++)
        e->args[i] = value_from(run, &m->params[i].type, args[i]);
    return run->turn.failed ? ERR_NOMEM : ERR_OK;
}

static void host_statement(struct lang_host *h, uint32_t statement, uint32_t level, struct str text)
{
    struct program_run *run = CONTAINER_OF(h, struct program_run, host);
    struct effect *e = effect_new(run);
    if (!e)
        return;
    ASSERT(statement == 0 && level <= SEVERITY_CRITICAL); /* `alert`, the only one in the schema */
    e->is_alert = true;
    e->severity = (enum severity)level;
    e->text = arena_str(&run->turn, text);
}

void turn_host_init(struct program_run *run)
{
    run->host.command = host_command;
    run->host.statement = host_statement;
}

/* The sample that woke the rule; for a rule that waited, the newest of those that it reads. */
static const struct binding_run *cause_binding(const struct rule_run *r)
{
    const struct program_run *run = r->run;
    const struct binding_run *best = NULL;
    for (size_t i = 0; i < r->def->reads_n; i++) {
        const struct binding_run *b = &run->bindings[r->def->reads[i]];
        if (b == run->trigger)
            return b;
        if (b->has_value && (!best || b->ts_ms > best->ts_ms))
            best = b;
    }
    return best;
}

static struct cause cause_of(const struct rule_run *r)
{
    struct cause c = {.program = r->run->def->name, .rule = r->def->path, .line = r->def->line};
    const struct binding_run *b = cause_binding(r);
    if (b && b->property) {
        c.series = b->property->series->name;
        c.value = b->has_value ? b->value : (struct value){0};
        c.ts_ms = b->ts_ms;
    }
    return c;
}

enum { KEY_MAX = 1100 };

static void alert_key(struct str path, uint32_t n, char key[KEY_MAX])
{
    (void)snprintf(key, KEY_MAX, "%.*s#%u", STR_FMT(path), n);
}

static void trap_key(struct str path, char key[KEY_MAX])
{
    (void)snprintf(key, KEY_MAX, "%.*s!", STR_FMT(path));
}

static void program_key(struct str name, char key[KEY_MAX])
{
    (void)snprintf(key, KEY_MAX, "program/%.*s", STR_FMT(name));
}

/* The device that the rule is about: of its cause, else none. */
static struct str alert_device(const struct rule_run *r)
{
    const struct binding_run *b = cause_binding(r);
    return b && b->device ? b->device->name : STR("");
}

static void publish_alert(struct rule_run *r, const char *key, const struct effect *e, bool active,
                          bool momentary)
{
    struct automation *a = r->run->automation;
    struct alert_event ev = {.key = str_from(key),
                             .severity = e->severity,
                             .text = e->text,
                             .device = alert_device(r),
                             .cause = cause_of(r),
                             .active = active,
                             .momentary = momentary,
                             .wall_ms = worker_now_ms(a->worker)};
    bus_alert_publish(a->cfg.bus, &ev);
}

void turn_clear_alerts(struct rule_run *r)
{
    const struct effect none = {0};
    char key[KEY_MAX];
    for (uint32_t i = 0; i < r->alerts; i++) {
        alert_key(r->def->path, i, key);
        publish_alert(r, key, &none, false, false);
    }
    r->alerts = 0;
}

static void end_alert(struct automation *a, const char *key)
{
    struct alert_event ev = {.key = str_from(key), .wall_ms = worker_now_ms(a->worker)};
    bus_alert_publish(a->cfg.bus, &ev);
}

void turn_end_alerts(struct automation *a, struct str path, uint32_t n)
{
    char key[KEY_MAX];
    for (uint32_t i = 0; i < n; i++) {
        alert_key(path, i, key);
        end_alert(a, key);
    }
    trap_key(path, key);
    end_alert(a, key);
}

void turn_program_starts(struct program_run *run)
{
    char key[KEY_MAX];
    program_key(run->def->name, key);
    end_alert(run->automation, key);
    for (size_t i = 0; i < run->def->rules_n; i++)
        turn_end_alerts(run->automation, run->def->rules[i].path, 0);
}

/* Those that only a run of it can raise: what its rules raised is state_forget_unknown()'s. */
void turn_program_ends(struct program_run *run)
{
    char key[KEY_MAX];
    program_key(run->def->name, key);
    if (run->state == PROGRAM_FAILED)
        end_alert(run->automation, key);
    for (size_t i = 0; i < run->def->rules_n; i++)
        if (run->rules[i].trapped)
            turn_end_alerts(run->automation, run->def->rules[i].path, 0);
}

static void apply_command(struct rule_run *r, const struct effect *e)
{
    struct program_run *run = r->run;
    struct action_request q = {.device = run->bindings[e->binding].device,
                               .action = e->action,
                               .args = e->args,
                               .arg_count = e->arg_count,
                               .cause = cause_of(r)};
    struct error err;
    if (registry_command(run->automation->cfg.registry, &q, NULL, &err)) {
        LOG_E("automation", "%.*s: %s", STR_FMT(r->def->path), err.text);
        (void)snprintf(run->error, sizeof(run->error), "%s", err.text);
    }
}

static void apply_effects(struct rule_run *r, enum turn_kind kind)
{
    struct program_run *run = r->run;
    char key[KEY_MAX];
    uint32_t alerts = 0;
    for (size_t i = 0; i < run->effect_count; i++) {
        const struct effect *e = &run->effects[i];
        if (!e->is_alert) {
            apply_command(r, e);
            continue;
        }
        alert_key(r->def->path, alerts++, key);
        publish_alert(r, key, e, true, kind == TURN_END_BODY);
    }
    if (kind == TURN_BODY)
        r->alerts = alerts;
    if (run->effects_lost)
        LOG_W("automation", "%.*s: more than %d actions and alerts in one turn; the rest is lost",
              STR_FMT(r->def->path), TURN_EFFECTS_MAX);
}

static void trap_alert(struct rule_run *r, bool active, const char *why)
{
    char key[KEY_MAX], text[400];
    trap_key(r->def->path, key);
    (void)snprintf(text, sizeof(text), "%.*s: %s", STR_FMT(r->def->text), why);
    struct effect e = {.severity = SEVERITY_WARNING, .text = str_from(text)};
    publish_alert(r, key, &e, active, false);
    r->trapped = active;
}

/* Its own scope ends: everything it owns goes to its safe state. */
static void program_fail(struct rule_run *r, const char *why)
{
    struct program_run *run = r->run;
    struct automation *a = run->automation;
    run->state = PROGRAM_FAILED;
    LOG_E("automation", "%.*s is stopped: %s", STR_FMT(run->def->name), why);
    char key[KEY_MAX], text[400];
    program_key(run->def->name, key);
    (void)snprintf(text, sizeof(text), "the program %.*s is stopped: %s", STR_FMT(run->def->name),
                   why);
    struct effect e = {.severity = SEVERITY_CRITICAL, .text = str_from(text)};
    publish_alert(r, key, &e, true, false);
    for (size_t i = 0; i < run->def->bindings_n; i++) {
        const struct binding_run *b = &run->bindings[i];
        if (b->def->kind != LANG_BIND_OWN || !b->def->resource->type->safe)
            continue;
        struct action_request q = {.device = b->device,
                                   .action = b->def->resource->type->safe->index,
                                   .cause = cause_of(r)};
        struct error err;
        if (registry_command(a->cfg.registry, &q, NULL, &err))
            LOG_E("automation", "%.*s can't be made safe: %s", STR_FMT(b->device->name), err.text);
    }
}

static void turn_failed(struct rule_run *r, uint32_t chunk, const struct lang_result *res)
{
    struct program_run *run = r->run;
    (void)snprintf(run->error, sizeof(run->error), "%.*s:%u: %s", STR_FMT(run->def->file),
                   res->line, res->why);
    if (!r->trapped) {
        LOG_W("automation", "%s", run->error);
        trap_alert(r, true, res->why);
        r->trapped_chunk = chunk;
    }
    if (res->outcome != LANG_OUT_OF_BUDGET)
        return;
    r->overruns = r->overrun_chunk == chunk ? r->overruns + 1 : 1;
    r->overrun_chunk = chunk;
    if (r->overruns >= OVERRUNS_MAX)
        program_fail(r, res->why);
}

bool turn_run(struct rule_run *r, uint32_t chunk, enum turn_kind kind, struct lang_result *res)
{
    struct program_run *run = r->run;
    *res = (struct lang_result){0};
    if (run->state != PROGRAM_RUNNING)
        return false;
    run->effect_count = 0;
    run->effects_lost = false;
    arena_reset(&run->turn);
    if (lang_vm_call(run->vm, chunk, res) != LANG_DONE) {
        turn_failed(r, chunk, res);
        return false;
    }
    if (r->overrun_chunk == chunk)
        r->overruns = 0;
    if (r->trapped && r->trapped_chunk == chunk)
        trap_alert(r, false, "");
    apply_effects(r, kind);
    return true;
}
