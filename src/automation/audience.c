/* audience: who is told what: which programs read a series, hear a device's event or a message.
 * Made anew whenever the programs change. */
#include "automation/automation_internal.h"
#include "base/log.h"

enum { AUDIENCE_BYTES_MAX = 64 << 20, NAMES_MAX = 1000000 };

/* In front of those who hear it already. */
static bool hear(struct audience *x, struct map *m, struct str key, struct program_run *run,
                 uint32_t index)
{
    struct hearer *h = arena_new(&x->arena, sizeof(*h));
    if (!h)
        return false;
    *h = (struct hearer){map_del(m, key), run, index};
    key = arena_str(&x->arena, key);
    return !x->arena.failed && map_put(m, key, h) == ERR_OK;
}

static bool hear_signal(struct audience *x, struct program_run *run, uint32_t binding)
{
    const struct lang_binding *b = &run->def->bindings[binding];
    const struct lang_member *m =
        lang_decl_member_at(b->resource->type, LANG_CLAUSE_SIGNAL, b->member);
    struct str key =
        arena_strf(&x->arena, "%.*s/%.*s", STR_FMT(b->resource->name), STR_FMT(m->name));
    return !x->arena.failed && hear(x, &x->signals, key, run, binding);
}

static bool seat(struct audience *x, struct program_run *run)
{
    const struct lang_program *def = run->def;
    /* A copy: a program that is kept still has the definition of a site that ends. */
    struct str name = arena_str(&x->arena, def->name);
    bool ok = !x->arena.failed && map_put(&x->names, name, run) == ERR_OK;
    for (uint32_t i = 0; ok && i < def->bindings_n; i++)
        if (def->bindings[i].kind == LANG_BIND_SIGNAL)
            ok = hear_signal(x, run, i);
    for (uint32_t i = 0; ok && i < def->rules_n; i++)
        if (def->rules[i].kind == LANG_RULE_MESSAGE)
            ok = hear(x, &x->subjects, def->rules[i].subject, run, i);
    return ok;
}

enum err audience_init(struct audience *out, struct automation *a, struct program_run *const *runs,
                       size_t n)
{
    uint64_t seed = executor_env(a->cfg.ex)->seed;
    *out = (struct audience){0};
    arena_init(&out->arena, a->cfg.alloc, AUDIENCE_BYTES_MAX);
    map_init(&out->signals, a->cfg.alloc, seed, NAMES_MAX);
    map_init(&out->subjects, a->cfg.alloc, seed, NAMES_MAX);
    map_init(&out->names, a->cfg.alloc, seed, NAMES_MAX);
    /* the last program first, so that those who hear one thing hear it in their order */
    for (size_t i = n; i > 0; i--)
        if (!seat(out, runs[i - 1]))
            return ERR_NOMEM;
    return ERR_OK;
}

void audience_fini(struct audience *x)
{
    if (!x->arena.alloc)
        return;
    map_fini(&x->signals);
    map_fini(&x->subjects);
    map_fini(&x->names);
    arena_fini(&x->arena);
    *x = (struct audience){0};
}

/* ---- readings ----------------------------------------------------------------------------------
 */

bool readers_reserve(struct automation *a, size_t n)
{
    if (n <= a->readers_n)
        return true;
    n = n * 2 + 16;
    struct binding_run **v = mem_array(a->cfg.alloc, n, sizeof(*v));
    if (!v)
        return false;
    for (size_t i = 0; i < a->readers_n; i++)
        v[i] = a->readers[i];
    mem_free(a->cfg.alloc, a->readers, a->readers_n * sizeof(*v));
    a->readers = v;
    a->readers_n = n;
    return true;
}

static void read_all(struct automation *a, struct program_run *run)
{
    for (size_t i = 0; i < run->def->bindings_n; i++) {
        struct binding_run *b = &run->bindings[i];
        if (!b->property)
            continue;
        uint32_t index = b->property->series->index;
        registry_set_stale(b->property, b->def->stale_ms);
        b->next_reader = a->readers[index];
        a->readers[index] = b;
    }
}

void audience_seated(struct automation *a)
{
    for (size_t i = 0; i < a->readers_n; i++)
        a->readers[i] = NULL;
    for (size_t i = 0; i < a->run_count; i++) {
        read_all(a, a->runs[i]);
        if (lend_own(a->runs[i]))
            LOG_E("automation", "no memory: nobody can borrow what %.*s owns",
                  STR_FMT(a->runs[i]->def->name));
    }
    registry_share_stale(a->cfg.registry);
}

struct program_run *program_find(const struct automation *a, struct str name)
{
    return map_get(&a->audience.names, name);
}
