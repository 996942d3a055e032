/* state: variables and rule states over restarts, by their stable paths.
 *
 * A change is a lazy record, appended behind the decisions of its turn. So a crash between the two
 * runs the turn once more, and never leaves a rule that believes to have acted and has not.
 * What has no rule or variable any more is forgotten at the start, and its alerts end. What a
 * program owned that the site no longer has goes to its safe state (docs/decisions/0005). */
#include "automation/automation_internal.h"
#include "base/log.h"

#include <stdio.h>
#include <string.h>

enum { KEPT_MAX = 1000000, VALUE_BYTES_MAX = 512 };
enum { KEPT_VAR = 'v', KEPT_RULE = 'r', KEPT_OWNER = 'o', KEPT_LEASE = 'l' };
/* Words of the language: no program has such a name. */
#define OWNER_PREFIX "own/"
#define LEASE_PREFIX "lease/"

static void kept_free(struct automation *a, struct kept_state *k)
{
    mem_free(a->cfg.alloc, k->value, k->n);
    mem_free(a->cfg.alloc, k, sizeof(*k) + k->path.n);
}

static struct kept_state *kept_new(struct automation *a, struct str path)
{
    struct kept_state *k = mem_zero(a->cfg.alloc, sizeof(*k) + path.n);
    if (!k)
        return NULL;
    memcpy(k + 1, path.p, path.n);
    k->path = (struct str){(char *)(k + 1), path.n};
    if (map_put(&a->kept, k->path, k) == ERR_OK)
        return k;
    mem_free(a->cfg.alloc, k, sizeof(*k) + path.n);
    return NULL;
}

static void apply(void *ctx, struct str path, struct bytes value)
{
    struct automation *a = ctx;
    struct kept_state *k = map_get(&a->kept, path);
    if (!k && (k = kept_new(a, path)) == NULL)
        return;
    uint8_t *v = value.n ? mem_new(a->cfg.alloc, value.n) : NULL;
    if (value.n && !v)
        return;
    if (value.n)
        memcpy(v, value.p, value.n);
    mem_free(a->cfg.alloc, k->value, k->n);
    k->value = v;
    k->n = value.n;
}

void state_put(struct automation *a, struct str path, struct bytes value, bool remember)
{
    enum err err = keep_put(a->keep, path, value, true, NULL);
    if (err)
        LOG_W("automation", "the state of %.*s can't be kept: %s", STR_FMT(path), err_name(err));
    else
        apply(a, path, remember ? value : (struct bytes){0});
}

static void put(struct automation *a, struct str path, struct bytes value)
{
    state_put(a, path, value, true);
}

/* --- what is kept --- */

void state_rule_put(struct writer *w, const struct rule_run *r)
{
    writer_u8(w, r->state == RULE_ACTIVE);
    writer_varint(w, r->alerts);
    writer_varint(w, r->fired);
    writer_svarint(w, r->fired_ms);
    writer_svarint(w, r->seen_ms);
    writer_svarint(w, r->since_ms);
}

void state_rule_changed(struct rule_run *r)
{
    uint8_t buf[96];
    struct writer w = writer_from(buf, sizeof(buf));
    writer_u8(&w, KEPT_RULE);
    state_rule_put(&w, r);
    put(r->run->automation, r->def->path, (struct bytes){buf, writer_len(&w)});
    r->run->rules_changed = true;
}

/* Older records end earlier. */
static int64_t time_if_there(struct cursor *c)
{
    return cursor_left(c) ? cursor_svarint(c) : 0;
}

void state_rule_take(struct rule_run *r, struct cursor *c)
{
    bool active = cursor_u8(c) != 0;
    uint64_t alerts = cursor_varint(c), fired = cursor_varint(c);
    int64_t fired_ms = cursor_svarint(c), seen_ms = time_if_there(c), since_ms = time_if_there(c);
    if (c->failed || alerts > EFFECTS_MAX)
        return;
    r->state = active && r->def->kind == LANG_RULE_WHEN ? RULE_ACTIVE : RULE_IDLE;
    r->alerts = (uint32_t)alerts;
    r->fired = fired;
    r->fired_ms = fired_ms;
    r->seen_ms = seen_ms;
    r->kept_since_ms = since_ms;
    struct rule_view *v = &r->run->views[r - r->run->rules];
    *v = (struct rule_view){r->def, r->state, r->fired, r->fired_ms};
}

void state_rule_skip(struct cursor *c)
{
    (void)cursor_u8(c);
    for (int i = 0; i < 5; i++)
        (void)cursor_varint(c);
}

static void restore_rule(struct rule_run *r, struct bytes value)
{
    struct cursor c = cursor_from(value.p, value.n);
    if (cursor_u8(&c) == KEPT_RULE)
        state_rule_take(r, &c);
}

static void put_var(struct writer *w, const struct lang_type *type, union lang_slot v)
{
    writer_u8(w, KEPT_VAR);
    writer_u8(w, (uint8_t)type->kind);
    if (type->kind == LANG_TYPE_STR)
        writer_str16(w, v.s ? *v.s : STR(""));
    else if (type->kind == LANG_TYPE_FLOAT)
        writer_f64le(w, v.f);
    else
        writer_svarint(w, v.i);
}

bool state_is_plain(const struct lang_type *t)
{
    return t->kind < LANG_TYPE_RECORD && !(t->kind == LANG_TYPE_STR && t->optional);
}

/* Of a program that needs no image. */
static void vars_changed(struct program_run *run)
{
    for (uint32_t i = 0; i < run->def->vars_n; i++) {
        const struct lang_var *var = &run->def->vars[i];
        if (!state_is_plain(&var->type))
            continue;
        uint8_t buf[VALUE_BYTES_MAX];
        struct writer w = writer_from(buf, sizeof(buf));
        put_var(&w, &var->type, lang_vm_var(run->vm, i));
        const struct kept_state *k = map_get(&run->automation->kept, var->path);
        bool same = k && k->n == writer_len(&w) && memcmp(k->value, buf, k->n) == 0;
        if (!same)
            put(run->automation, var->path, (struct bytes){buf, writer_len(&w)});
    }
}

void state_program_changed(struct program_run *run)
{
    if (run->vars_changed && !run->image.wanted)
        vars_changed(run);
    run->vars_changed = false;
    image_changed(run);
}

/* What was kept may be of another version of the program, or of a damaged store. */
static bool in_range(const struct lang_type *t, union lang_slot v)
{
    switch (t->kind) {
    case LANG_TYPE_BOOL: return v.i >= 0 && v.i <= (t->optional ? 2 : 1);
    case LANG_TYPE_ENUM:
        return v.i >= (t->optional ? -1 : 0) && t->def && v.i < (int64_t)t->def->fields_n;
    case LANG_TYPE_INT:
    case LANG_TYPE_TIME: return t->optional || v.i != INT64_MIN;
    default: return true;
    }
}

static void restore_var(struct program_run *run, uint32_t i, struct bytes value)
{
    struct cursor c = cursor_from(value.p, value.n);
    if (cursor_u8(&c) != KEPT_VAR || cursor_u8(&c) != run->def->vars[i].type.kind)
        return; /* its type has changed: it starts anew */
    union lang_slot v = {0};
    struct str text;
    if (run->def->vars[i].type.kind == LANG_TYPE_STR) {
        text = cursor_str16(&c);
        v.s = &text;
    } else if (run->def->vars[i].type.kind == LANG_TYPE_FLOAT) {
        v.f = cursor_f64le(&c);
    } else {
        v.i = cursor_svarint(&c);
    }
    if (!c.failed && in_range(&run->def->vars[i].type, v))
        lang_vm_var_set(run->vm, i, v);
}

/* All paths of the site's rules and variables; false: no memory for them. */
static bool known_paths(struct automation *a, struct map *known)
{
    enum err err = ERR_OK;
    for (size_t p = 0; p < a->run_count; p++) {
        const struct lang_program *def = a->runs[p]->def;
        for (size_t i = 0; !err && i < def->vars_n; i++)
            err = map_put(known, def->vars[i].path, a);
        for (size_t i = 0; !err && i < def->rules_n; i++)
            err = map_put(known, def->rules[i].path, a);
    }
    return !err;
}

/* Its rule or variable is not in the site any more. */
static void forget(struct automation *a, struct kept_state *k)
{
    struct cursor c = cursor_from(k->value, k->n);
    if (cursor_u8(&c) == KEPT_RULE) {
        (void)cursor_u8(&c);
        uint64_t alerts = cursor_varint(&c);
        alerts_end(a, k->path, alerts > EFFECTS_MAX ? 0 : (uint32_t)alerts);
    }
    struct str program;
    bool there = k->n || image_key(k->path, &program); /* of which no copy is held */
    if (there && keep_del(a->keep, k->path, true))
        LOG_W("automation", "the state of %.*s stays behind", STR_FMT(k->path));
    (void)map_del(&a->kept, k->path);
    kept_free(a, k);
}

/* Of what is not a rule's or a variable's; an image goes with its program. */
static bool is_other(const struct automation *a, struct str path)
{
    struct str program;
    if (image_key(path, &program))
        return program_find(a, program) != NULL;
    return str_starts(path, STR(OWNER_PREFIX)) || str_starts(path, STR(LEASE_PREFIX)) ||
           held_is_key(path);
}

void state_forget_unknown(struct automation *a)
{
    size_t at = 0;
    void *value;
    struct map known;
    map_init(&known, a->cfg.alloc, executor_env(a->cfg.ex)->seed, SIZE_MAX / 4);
    if (!known_paths(a, &known))
        LOG_W("automation", "no memory to forget the states of rules that are gone");
    else
        while (map_next(&a->kept, &at, NULL, &value)) {
            struct kept_state *k = value;
            if (!is_other(a, k->path) && !map_get(&known, k->path))
                forget(a, k);
        }
    map_fini(&known);
}

/* --- who owned what --- */

void state_make_safe(struct automation *a, struct device *d, struct str program)
{
    const struct model_def *m = d->model;
    size_t i = 0;
    while (i < m->action_count && !m->actions[i].safe)
        i++;
    if (i == m->action_count)
        return;
    struct action_request q = {.device = d, .action = (uint32_t)i, .cause = {.program = program}};
    struct error e = {0};
    LOG_I("automation", "%.*s %s %.*s: its safe action %.*s() is sent", STR_FMT(program),
          d->corrected ? "has another place for" : "has let go of", STR_FMT(d->name),
          STR_FMT(m->actions[i].name));
    if (registry_command(a->cfg.registry, &q, NULL, &e))
        LOG_E("automation", "%.*s can't be made safe: %s", STR_FMT(d->name), e.text);
}

static void end_owners(struct automation *a, bool safe)
{
    size_t at = 0;
    void *value;
    struct str path;
    while (map_next(&a->kept, &at, &path, &value)) {
        struct kept_state *k = value;
        struct cursor c = cursor_from(k->value, k->n);
        if (!str_starts(path, STR(OWNER_PREFIX)) || cursor_u8(&c) != KEPT_OWNER)
            continue;
        struct str program = cursor_str16(&c);
        struct device *d =
            registry_find(a->cfg.registry, str_sub(path, sizeof(OWNER_PREFIX) - 1, path.n));
        if (c.failed || (d && str_eq(d->owner, program)))
            continue;
        if (d && safe)
            state_make_safe(a, d, program);
        forget(a, k);
    }
}

static bool is_noted(const struct automation *a, struct str device, struct str program)
{
    char path[KEEP_KEY_MAX];
    int n = snprintf(path, sizeof(path), OWNER_PREFIX "%.*s", STR_FMT(device));
    bool fits = n > 0 && (size_t)n < sizeof(path);
    const struct kept_state *k = fits ? map_get(&a->kept, (struct str){path, (size_t)n}) : NULL;
    if (!k)
        return false;
    struct cursor c = cursor_from(k->value, k->n);
    return cursor_u8(&c) == KEPT_OWNER && str_eq(cursor_str16(&c), program) && !c.failed;
}

/* Under another name of the thing: what is retained for it is this owner's. */
static bool is_twin_noted(const struct automation *a, const struct device *d)
{
    bool noted = false;
    LIST_EACH(&d->twins, it)
    noted = noted || is_noted(a, CONTAINER_OF(it, struct device, twins)->name, d->owner);
    return noted;
}

static void note_owner(struct automation *a, const struct device *d)
{
    char path[KEEP_KEY_MAX];
    uint8_t buf[VALUE_BYTES_MAX];
    int n = snprintf(path, sizeof(path), OWNER_PREFIX "%.*s", STR_FMT(d->name));
    struct str key = {path, (size_t)n};
    struct writer w = writer_from(buf, sizeof(buf));
    writer_u8(&w, KEPT_OWNER);
    writer_str16(&w, d->owner);
    if (n < 0 || key.n >= sizeof(path) || w.failed || is_noted(a, d->name, d->owner))
        return;
    /* if what is retained can't be removed, that is tried again at the next start */
    if (is_twin_noted(a, d) || registry_taken_over(d) == ERR_OK)
        put(a, key, (struct bytes){buf, writer_len(&w)});
}

void state_owners(struct automation *a, bool safe)
{
    end_owners(a, safe);
    LIST_EACH(registry_devices(a->cfg.registry), it)
    {
        const struct device *d = CONTAINER_OF(it, struct device, link);
        if (d->owner.n && !d->thing)
            note_owner(a, d);
    }
}

/* --- leases --- */

void state_lease_changed(struct automation *a, const struct lease_view *v)
{
    char path[KEEP_KEY_MAX];
    uint8_t buf[VALUE_BYTES_MAX];
    int n = snprintf(path, sizeof(path), LEASE_PREFIX "%.*s", STR_FMT(v->device));
    struct str key = {path, (size_t)n};
    struct writer w = writer_from(buf, sizeof(buf));
    if (n < 0 || key.n >= sizeof(path))
        return;
    if (!v->out) {
        put(a, key, (struct bytes){0});
        return;
    }
    writer_u8(&w, KEPT_LEASE);
    writer_u8(&w, v->holder.who == NULL);
    writer_varint(&w, v->holder.id);
    writer_svarint(&w, v->until_ms);
    writer_str16(&w, v->holder.name);
    if (!w.failed)
        put(a, key, (struct bytes){buf, writer_len(&w)});
}

struct kept_lease {
    bool person;
    uint32_t id;
    int64_t until_ms;
    struct str holder;
};

static bool get_lease(const struct kept_state *k, struct kept_lease *out)
{
    struct cursor c = cursor_from(k->value, k->n);
    if (cursor_u8(&c) != KEPT_LEASE)
        return false;
    out->person = cursor_u8(&c) != 0;
    uint64_t id = cursor_varint(&c);
    out->id = (uint32_t)id;
    out->until_ms = cursor_svarint(&c);
    out->holder = cursor_str16(&c);
    return !c.failed && id <= UINT32_MAX;
}

/* Who may not have it any more has not given it back either. */
static void restore_lease(struct automation *a, struct kept_state *k, struct str name)
{
    struct kept_lease l;
    struct device *d = registry_find(a->cfg.registry, name);
    if (!get_lease(k, &l) || leases_restore(a->leases, name, l.holder, l.person, l.id, l.until_ms))
        return;
    if (d && d->owner.n)
        state_make_safe(a, d, STR("lease"));
    put(a, k->path, (struct bytes){0});
}

void state_leases_restore(struct automation *a)
{
    size_t at = 0;
    void *value;
    struct str path;
    while (map_next(&a->kept, &at, &path, &value))
        if (str_starts(path, STR(LEASE_PREFIX)))
            restore_lease(a, value, str_sub(path, sizeof(LEASE_PREFIX) - 1, path.n));
}

bool state_may_resume(void *automation, const struct device *d, struct str program,
                      struct str person)
{
    const struct automation *a = automation;
    char path[KEEP_KEY_MAX];
    struct kept_lease l;
    int n = snprintf(path, sizeof(path), LEASE_PREFIX "%.*s", STR_FMT(device_thing(d)->name));
    if (n < 0 || (size_t)n >= sizeof(path))
        return false;
    const struct kept_state *k = map_get(&a->kept, (struct str){path, (size_t)n});
    return k && get_lease(k, &l) && str_eq(l.holder, l.person ? person : program);
}

void state_restore(struct program_run *run)
{
    const struct map *kept = &run->automation->kept;
    for (uint32_t i = 0; i < run->def->vars_n; i++) {
        const struct kept_state *k = map_get(kept, run->def->vars[i].path);
        if (k && state_is_plain(&run->def->vars[i].type))
            restore_var(run, i, (struct bytes){k->value, k->n});
    }
    for (size_t i = 0; i < run->def->rules_n; i++) {
        const struct kept_state *k = map_get(kept, run->rules[i].def->path);
        if (k)
            restore_rule(&run->rules[i], (struct bytes){k->value, k->n});
    }
    image_restore(run); /* of one moment, so it has the last word */
    for (uint32_t i = 0; i < run->def->vars_n; i++)
        (void)lang_vm_var_changed(run->vm, i);
}

enum err state_init(struct automation *a, struct error *e)
{
    map_init(&a->kept, a->cfg.alloc, executor_env(a->cfg.ex)->seed, KEPT_MAX);
    struct keep_config cfg = {.ex = a->cfg.ex,
                              .journal = a->cfg.journal,
                              .db = a->cfg.db,
                              .alloc = a->cfg.alloc,
                              .name = "programs",
                              .kind = JOURNAL_PROGRAM,
                              .apply = apply,
                              .ctx = a};
    return keep_new(&a->keep, &cfg, e);
}

void state_fini(struct automation *a)
{
    keep_free(a->keep);
    size_t at = 0;
    void *value;
    while (map_next(&a->kept, &at, NULL, &value)) {
        kept_free(a, value);
    }
    map_fini(&a->kept);
}
