/* thing: several declarations of one physical thing, which has one owner for all of them.
 *
 * The language says which they are (O2): devices with the same id, and those that are sent the same
 * on the same topic. A topic of the convention, and what a port carries, are one device's anyway.
 * Who owns one of them owns the thing: else the others would be ways past the owner. */
#include "registry/registry_internal.h"

static struct str command_key(struct arena *a, const struct model_def *m,
                              const struct command_def *c)
{
    struct strbuf b;
    strbuf_init(&b, a->alloc, 1 << 20);
    strbuf_addf(&b, "sent %zu %.*s ", c->topic.n, STR_FMT(c->topic));
    for (size_t i = 0; i < c->piece_count; i++) {
        const struct piece_def *p = &c->pieces[i];
        const struct action_def *action = &m->actions[c->action];
        if (p->param < 0)
            strbuf_addf(&b, "%zu %.*s", p->text.n, STR_FMT(p->text));
        else
            strbuf_addf(&b, "{%.*s %a %a}", STR_FMT(action->params[p->param].name), p->scale,
                        p->offset);
    }
    struct str key = b.failed ? (struct str){0} : arena_str(a, strbuf_str(&b));
    a->failed = a->failed || b.failed;
    strbuf_fini(&b);
    return key;
}

static bool is_twin(const struct device *a, const struct device *b)
{
    LIST_EACH(&a->twins, it)
    {
        if (it == &b->twins)
            return true;
    }
    return a == b;
}

/* Two rings become one. */
static void join(struct device *a, struct device *b)
{
    struct list *x = &a->twins, *y = &b->twins, *x_next = x->next, *y_next = y->next;
    if (is_twin(a, b))
        return;
    x->next = y_next;
    y_next->prev = x;
    y->next = x_next;
    x_next->prev = y;
}

static enum err join_by(struct registry *r, struct device *d, struct str key)
{
    struct map *things = &r->building->things;
    struct device *first = key.n ? map_get(things, key) : NULL;
    if (!key.n)
        return ERR_NOMEM;
    if (!first)
        return map_put(things, key, d);
    join(first, d);
    return ERR_OK;
}

enum err thing_join(struct registry *r, struct device *d)
{
    struct arena *a = &r->building->arena;
    enum err err = ERR_OK;
    if (d->id.n)
        err = join_by(r, d, arena_strf(a, "id %.*s", STR_FMT(d->id)));
    for (size_t i = 0; !err && d->mapping && i < d->mapping->def.command_count; i++)
        err = join_by(r, d, command_key(a, d->model, &d->mapping->def.commands[i]));
    return err;
}

static enum err own(struct device *d, struct str owner, const struct device *thing)
{
    struct registry *r = d->registry;
    d->thing = thing;
    d->owner = arena_str(&r->building->arena, owner);
    return d->owner.n ? ingest_guard(r, d) : ERR_NOMEM;
}

enum err registry_set_owner(struct device *d, struct str owner)
{
    enum err err = own(d, owner, NULL);
    LIST_EACH(&d->twins, it)
    {
        struct device *twin = CONTAINER_OF(it, struct device, twins);
        bool owned_itself = twin->owner.n && !twin->thing;
        if (!err && !owned_itself)
            err = own(twin, owner, d);
    }
    return err;
}
