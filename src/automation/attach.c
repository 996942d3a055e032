/* attach: who is told what: which programs read a series, hear a device's event or a message. Made
 * anew whenever the programs change. */
#include "automation/automation_internal.h"

#include <string.h>

enum { ATTACHED_MAX = 64 << 20, NAMES_MAX = 1000000 };

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

/* In front of those who hear it already. */
static bool hear(struct automation *a, struct map *m, struct str key, struct program_run *run,
                 uint32_t index)
{
    struct hearer *h = arena_new(&a->attached, sizeof(*h));
    if (!h)
        return false;
    *h = (struct hearer){map_del(m, key), run, index};
    key = arena_str(&a->attached, key);
    return !a->attached.failed && map_put(m, key, h) == ERR_OK;
}

static bool attach_binding(struct automation *a, struct program_run *run, struct binding_run *b)
{
    if (b->property) {
        uint32_t index = b->property->series->index;
        registry_set_stale(b->property, b->def->stale_ms);
        b->next_reader = a->readers[index];
        a->readers[index] = b;
    }
    if (b->def->kind != LANG_BIND_SIGNAL)
        return true;
    const struct lang_member *m =
        lang_decl_member_at(b->def->resource->type, LANG_CLAUSE_SIGNAL, b->def->member);
    struct str key =
        arena_strf(&a->attached, "%.*s/%.*s", STR_FMT(b->def->resource->name), STR_FMT(m->name));
    return hear(a, &a->signals, key, run, (uint32_t)(b - run->bindings));
}

static bool attach(struct automation *a, struct program_run *run)
{
    bool ok = map_put(&a->names, run->def->name, run) == ERR_OK;
    for (size_t i = 0; ok && i < run->def->bindings_n; i++)
        ok = attach_binding(a, run, &run->bindings[i]);
    for (uint32_t i = 0; ok && i < run->def->rules_n; i++)
        if (run->def->rules[i].kind == LANG_RULE_MESSAGE)
            ok = hear(a, &a->topics, run->def->rules[i].topic, run, i);
    return ok && lend_own(run) == ERR_OK;
}

static void maps_init(struct automation *a)
{
    uint64_t seed = executor_env(a->cfg.ex)->seed;
    map_init(&a->signals, a->cfg.alloc, seed, NAMES_MAX);
    map_init(&a->topics, a->cfg.alloc, seed, NAMES_MAX);
    map_init(&a->names, a->cfg.alloc, seed, NAMES_MAX);
}

static void maps_fini(struct automation *a)
{
    map_fini(&a->signals);
    map_fini(&a->topics);
    map_fini(&a->names);
}

void attach_init(struct automation *a)
{
    arena_init(&a->attached, a->cfg.alloc, ATTACHED_MAX);
    maps_init(a);
}

void attach_fini(struct automation *a)
{
    maps_fini(a);
    arena_fini(&a->attached);
}

enum err attach_all(struct automation *a)
{
    maps_fini(a);
    maps_init(a);
    arena_reset(&a->attached);
    for (size_t i = 0; i < a->readers_n; i++)
        a->readers[i] = NULL;
    /* the last program is attached first, so that those who hear one thing hear it in their order
     */
    bool ok = true;
    for (size_t i = a->run_count; i > 0; i--)
        ok = attach(a, a->runs[i - 1]) && ok;
    return ok ? ERR_OK : ERR_NOMEM;
}

struct program_run *program_find(const struct automation *a, struct str name)
{
    return map_get(&a->names, name);
}
