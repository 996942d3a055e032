/* held: what an owner wants of a device while a person has it: the newest command of each device.
 *
 * It is sent when the person gives the device back, or their time is over; also after a restart,
 * for the owner's rules believe that they have acted. It is dropped when the owner takes the
 * device back, because then it says itself what happens, and when it is no owner any more. */
#include "automation/automation_internal.h"
#include "base/log.h"

#include <stdio.h>
#include <string.h>

enum { HELD_MAX = 10000, KEPT_HELD = 'h', RECORD_MAX = 2048 };
#define HELD_PREFIX "lend/" /* a word of the language: no program has that name */

/* ---- records --------------------------------------------------------------------------------- */

static struct str held_key(struct str device, char buf[KEEP_KEY_MAX])
{
    int n = snprintf(buf, KEEP_KEY_MAX, HELD_PREFIX "%.*s", STR_FMT(device));
    return (struct str){buf, n > 0 && n < KEEP_KEY_MAX ? (size_t)n : 0};
}

bool held_is_key(struct str path)
{
    return str_starts(path, STR(HELD_PREFIX));
}

static void put_value(struct writer *w, const struct value *v)
{
    writer_u8(w, (uint8_t)v->kind);
    switch (v->kind) {
    case VALUE_BOOL: writer_u8(w, v->b); break;
    case VALUE_INT: writer_svarint(w, v->i); break;
    case VALUE_STR: writer_str16(w, v->s); break;
    default: writer_f64le(w, v->f); break;
    }
}

static bool get_value(struct cursor *c, struct value *v, enum value_kind kind)
{
    *v = (struct value){.kind = (enum value_kind)cursor_u8(c)};
    switch (v->kind) {
    case VALUE_BOOL: v->b = cursor_u8(c) != 0; break;
    case VALUE_INT: v->i = cursor_svarint(c); break;
    case VALUE_STR: v->s = cursor_str16(c); break;
    default: v->f = cursor_f64le(c); break;
    }
    return !c->failed && v->kind == kind;
}

static struct str rule_path(const struct held_command *h)
{
    const struct lang_program *def = h->run->def;
    return h->rule < def->rules_n ? def->rules[h->rule].path : STR("");
}

static void keep(struct automation *a, const struct held_command *h, const struct device *d)
{
    char key[KEEP_KEY_MAX];
    uint8_t buf[RECORD_MAX];
    struct writer w = writer_from(buf, sizeof(buf));
    writer_u8(&w, KEPT_HELD);
    writer_str16(&w, h->run->def->name);
    writer_str16(&w, d->model->actions[h->action].name);
    writer_str16(&w, rule_path(h));
    writer_u8(&w, (uint8_t)h->arg_count);
    for (size_t i = 0; i < h->arg_count; i++)
        put_value(&w, &h->args[i]);
    struct str k = held_key(d->name, key);
    if (k.n && !w.failed)
        state_put(a, k, (struct bytes){buf, writer_len(&w)}, true);
}

/* ---- holding ----------------------------------------------------------------------------------
 */

static struct held_command *held_new(struct automation *a, struct str device)
{
    struct held_command *h = map_get(&a->held, device);
    if (h || device.n > sizeof(h->device))
        return h;
    h = mem_zero(a->cfg.alloc, sizeof(*h));
    if (!h)
        return NULL;
    memcpy(h->device, device.p, device.n);
    if (map_put(&a->held, (struct str){h->device, device.n}, h) == ERR_OK)
        return h;
    mem_free(a->cfg.alloc, h, sizeof(*h));
    return NULL;
}

static struct str copy_text(char text[TEXT_KEPT_MAX], size_t *used, struct str s)
{
    size_t n = s.n < TEXT_KEPT_MAX - *used ? s.n : TEXT_KEPT_MAX - *used;
    struct str copy = {text + *used, n};
    if (n)
        memcpy(text + *used, s.p, n);
    *used += n;
    return copy;
}

static void set(struct held_command *h, struct program_run *run, uint32_t rule, uint32_t action,
                const struct value *args, size_t n)
{
    size_t used = 0;
    h->run = run;
    h->rule = rule;
    h->action = action;
    h->arg_count = n;
    for (size_t i = 0; i < n; i++) {
        h->args[i] = args[i];
        if (args[i].kind == VALUE_STR)
            h->args[i].s = copy_text(h->text, &used, args[i].s);
    }
}

void held_put(struct program_run *run, const struct effect *e)
{
    struct automation *a = run->automation;
    const struct device *d = run->bindings[e->binding].device;
    struct held_command *h = held_new(a, d->name);
    if (!h) {
        LOG_E("automation", "no memory to keep what %.*s wants of %.*s", STR_FMT(run->def->name),
              STR_FMT(d->name));
        return;
    }
    set(h, run, e->rule, e->action, e->args, e->arg_count);
    keep(a, h, d);
    LOG_I("automation", "%.*s.%.*s() waits: a person has it", STR_FMT(d->name),
          STR_FMT(d->model->actions[e->action].name));
}

void held_forget(struct automation *a, struct str device)
{
    char key[KEEP_KEY_MAX];
    struct held_command *h = map_get(&a->held, device);
    if (!h)
        return;
    state_put(a, held_key(device, key), (struct bytes){0}, true);
    (void)map_del(&a->held, device);
    mem_free(a->cfg.alloc, h, sizeof(*h));
}

bool held_send(struct automation *a, struct device *d)
{
    const struct held_command *h = map_get(&a->held, d->name);
    struct error err;
    if (!h)
        return false;
    struct action_request q = {.device = d,
                               .action = h->action,
                               .args = h->args,
                               .arg_count = h->arg_count,
                               .cause = {.program = h->run->def->name, .rule = rule_path(h)}};
    q.cause.line = h->rule < h->run->def->rules_n ? h->run->def->rules[h->rule].line : 0;
    if (registry_command(a->cfg.registry, &q, NULL, &err))
        LOG_E("automation", "%.*s: %s", STR_FMT(d->name), err.text);
    held_forget(a, d->name);
    return true;
}

/* ---- over a restart --------------------------------------------------------------------------
 */

static uint32_t rule_at(const struct lang_program *def, struct str path)
{
    for (uint32_t i = 0; i < def->rules_n; i++)
        if (str_eq(def->rules[i].path, path))
            return i;
    return UINT32_MAX;
}

static bool restore(struct automation *a, struct device *d, struct cursor *c)
{
    struct program_run *run = program_find(a, cursor_str16(c));
    int action = model_action(d->model, cursor_str16(c));
    struct str path = cursor_str16(c);
    size_t n = cursor_u8(c);
    struct value args[EFFECT_ARGS_MAX];
    if (c->failed || !run || !str_eq(d->owner, run->def->name) || action < 0 ||
        n > EFFECT_ARGS_MAX || n != d->model->actions[action].param_count)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!get_value(c, &args[i], d->model->actions[action].params[i].kind))
            return false;
    struct held_command *h = held_new(a, d->name);
    if (h)
        set(h, run, rule_at(run->def, path), (uint32_t)action, args, n);
    return h != NULL;
}

void held_restore(struct automation *a)
{
    LIST_EACH(registry_devices(a->cfg.registry), it)
    {
        struct device *d = CONTAINER_OF(it, struct device, link);
        char key[KEEP_KEY_MAX];
        const struct kept_state *k = map_get(&a->kept, held_key(d->name, key));
        struct lease_view v;
        if (!k || k->n == 0)
            continue;
        struct cursor c = cursor_from(k->value, k->n);
        bool known = cursor_u8(&c) == KEPT_HELD && restore(a, d, &c);
        if (!known)
            state_put(a, held_key(d->name, key), (struct bytes){0}, true);
        else if (!leases_view(a->leases, d->name, &v) || !v.out || v.holder.who)
            (void)held_send(a, d);
    }
}

void held_init(struct automation *a)
{
    map_init(&a->held, a->cfg.alloc, executor_env(a->cfg.ex)->seed, HELD_MAX);
}

void held_fini(struct automation *a)
{
    size_t at = 0;
    void *value;
    while (map_next(&a->held, &at, NULL, &value))
        mem_free(a->cfg.alloc, value, sizeof(struct held_command));
    map_fini(&a->held);
}
