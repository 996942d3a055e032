#include "adopt/found.h"

#include "adopt/adopt_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DRAFT_BYTES_MAX = 8 << 20 };

/* A topic while the list is made. */
struct entry {
    struct str key;
    struct adopt_topic topic;
};

/* --- which topics are together --- */

/* ESPHome says on <prefix>/status whether it is there, and on <prefix>/debug what it logs. By
 * themselves these could be anybody's. */
static bool beside_esphome(const struct adopt_view *v, struct str topic, struct str *prefix)
{
    static const struct str names[] = {{"/status", 7}, {"/debug", 6}};
    for (size_t k = 0; k < ARRAY_LEN(names); k++) {
        if (!str_ends(topic, names[k]))
            continue;
        *prefix = str_sub(topic, 0, topic.n - names[k].n);
        for (size_t i = 0; i < v->n; i++)
            if (v->topics[i].thing.kin == SHAPE_ESPHOME && str_eq(v->topics[i].thing.base, *prefix))
                return true;
    }
    return false;
}

static struct entry entry_of(struct found *f, struct adopt_topic t)
{
    char buf[ADOPT_KEY_MAX];
    struct str prefix;
    if (beside_esphome(&f->view, t.topic, &prefix))
        t.thing = (struct adopt_thing){
            .kin = SHAPE_ESPHOME, .base = prefix, .obstacle = OBSTACLE_NOTHING};
    return (struct entry){arena_str(&f->view.arena, adopt_key(&t.thing, t.claimer, buf)), t};
}

/* Whether it tells no more than that its thing is there. */
static bool is_sign_of_life(const struct adopt_topic *t)
{
    static const char *const names[] = {"LWT", "availability", "online", "status"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq(t->thing.rest, str_from(names[i])))
            return true;
    return false;
}

/* How much a topic tells of its thing: less with a larger number. */
static int rank_of_topic(const struct adopt_topic *t)
{
    if (t->thing.shape == SHAPE_NONE)
        return 3;
    if (is_sign_of_life(t))
        return 2;
    return str_eq(t->thing.rest, STR("SENSOR")) ? 0 : 1; /* Tasmota's STATE is longer, on itself */
}

static int compare_entries(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int by_key = str_cmp(x->key, y->key);
    int by_rank = rank_of_topic(&x->topic) - rank_of_topic(&y->topic);
    if (by_key || by_rank)
        return by_key ? by_key : by_rank;
    if (x->topic.field_n != y->topic.field_n)
        return x->topic.field_n > y->topic.field_n ? -1 : 1;
    return str_cmp(x->topic.topic, y->topic.topic);
}

static struct str name_of_thing(const struct adopt_topic *t)
{
    struct str base = t->claimer.n ? t->claimer : t->thing.base;
    size_t slash;
    bool below = t->thing.kin == SHAPE_ZIGBEE2MQTT || t->thing.kin == SHAPE_SHELLY1;
    return below && !t->claimer.n && str_find(base, '/', &slash) && slash + 1 < base.n
               ? str_sub(base, slash + 1, base.n)
               : base;
}

static void begin_thing(struct found *f, struct str key, const struct adopt_topic *t)
{
    f->things[f->n++] = (struct found_thing){.key = key,
                                             .name = name_of_thing(t),
                                             .shape = t->thing.kin,
                                             .device = t->claimer,
                                             .obstacle = OBSTACLE_NOTHING,
                                             .why = STR(""),
                                             .topics = t};
}

static void group(struct found *f)
{
    struct arena *a = &f->view.arena;
    size_t n = f->view.n;
    struct entry *all = arena_array(a, n + 1, sizeof(*all));
    f->things = arena_array(a, n + 1, sizeof(*f->things));
    if (!all || !f->things)
        return;
    for (size_t i = 0; i < n; i++)
        all[i] = entry_of(f, f->view.topics[i]);
    qsort(all, n, sizeof(*all), compare_entries);
    for (size_t i = 0; i < n; i++) {
        f->view.topics[i] = all[i].topic;
        if (i == 0 || !str_eq(all[i].key, all[i - 1].key))
            begin_thing(f, all[i].key, &f->view.topics[i]);
        struct found_thing *t = &f->things[f->n - 1];
        t->topic_n++;
        if (t->shape == SHAPE_VALUE && all[i].topic.thing.kin == SHAPE_JSON)
            t->shape = SHAPE_JSON;
    }
}

/* --- which devices have something of them --- */

struct claiming {
    struct found *found;
    struct map things; /* by key */
    struct map topics; /* of the view; the values are nothing */
};

static bool was_heard(void *ctx, struct str topic)
{
    return map_get(&((struct claiming *)ctx)->topics, topic) != NULL;
}

static void take_claim(void *to, struct str topic, struct str device)
{
    struct claiming *c = to;
    const struct adopt_topics heard = {was_heard, c};
    char key[ADOPT_KEY_MAX];
    struct adopt_thing t = adopt_thing_of(topic, PAYLOAD_JSON, &heard);
    struct found_thing *thing = map_get(&c->things, adopt_key(&t, STR(""), key));
    if (thing && thing->shape != SHAPE_NONE && !thing->device.n)
        thing->device = arena_str(&c->found->view.arena, device);
}

static enum err find_devices(struct found *f, const struct found_claims *claims)
{
    struct claiming c = {.found = f};
    struct alloc *a = f->view.arena.alloc;
    enum err err = ERR_OK;
    map_init(&c.things, a, 0, f->n + 1);
    map_init(&c.topics, a, 0, f->view.n + 1);
    for (size_t i = 0; !err && i < f->n; i++)
        err = map_put(&c.things, f->things[i].key, &f->things[i]);
    for (size_t i = 0; !err && i < f->view.n; i++)
        err = map_put(&c.topics, f->view.topics[i].topic, &f->view.topics[i]);
    if (!err && f->n)
        claims->each(claims->ctx, take_claim, &c);
    map_fini(&c.things);
    map_fini(&c.topics);
    return err;
}

/* --- what can be adopted --- */

/* Whether the bridge announces it: then it has what it has, though it has said nothing yet. */
static bool is_announced(const struct adopt_view *v, const struct found_thing *t)
{
    char want[ADOPT_KEY_MAX];
    const struct adopt_thing *of = &t->topics[0].thing;
    size_t slash;
    if (of->shape != SHAPE_ZIGBEE2MQTT || !str_find(of->base, '/', &slash))
        return false;
    int n = snprintf(want, sizeof(want), "\"friendly_name\":\"%.*s\"", STR_FMT(t->name));
    for (size_t i = 0; i < v->document_n; i++) {
        const struct adopt_document *d = &v->documents[i];
        if (str_starts(d->topic, str_sub(of->base, 0, slash + 1)) &&
            memmem(d->text.p, d->text.n, want, (size_t)n))
            return true;
    }
    return false;
}

/* A property that the thing's device can't have yet. */
static bool is_new(const struct found_claims *claims, const struct point *p)
{
    for (size_t i = 0; i < p->source_n; i++)
        if (claims->has(claims->ctx, p->sources[i].topic))
            return false;
    return true;
}

static void judge_by_draft(struct found *f, struct found_thing *t,
                           const struct found_claims *claims, struct draft *d)
{
    d->point_max = t->device.n ? DRAFT_POINTS_MAX : 1;
    draft_thing(d, &t->topics[0].thing);
    for (size_t i = 0; i < d->point_n && t->obstacle; i++)
        if (!t->device.n || is_new(claims, &d->points[i]))
            t->obstacle = OBSTACLE_NONE;
    if (t->obstacle && d->point_n)
        t->obstacle = OBSTACLE_HAD;
    if (t->obstacle && !t->device.n && is_announced(&f->view, t))
        t->obstacle = OBSTACLE_NONE;
    if (t->obstacle == OBSTACLE_NOTHING && d->left_n)
        t->why = arena_strf(&f->view.arena, "no value in it could be a property%s%.*s%s%.*s%s",
                            d->left[0].path.n ? " (" : ": ", STR_FMT(d->left[0].path),
                            d->left[0].path.n ? ": " : "", STR_FMT(d->left[0].why),
                            d->left[0].path.n ? ")" : "");
}

static struct str why_not(enum adopt_obstacle o)
{
    switch (o) {
    case OBSTACLE_COMMAND: return STR("only commands to it have been heard");
    case OBSTACLE_ANNOUNCEMENT:
        return STR("announcements: what they announce has topics of its own");
    case OBSTACLE_SPARKPLUG: return STR("Sparkplug, which is only listed");
    case OBSTACLE_BINARY: return STR("its messages are not text");
    case OBSTACLE_NOTHING: return STR("no value in it could be a property");
    case OBSTACLE_HAD: return STR("its device has all of it already");
    case OBSTACLE_UNREADABLE: return STR("messages that it could not read");
    case OBSTACLE_NONE: break;
    }
    return STR("");
}

/* Its own topics alone are looked at, so all things together cost what all topics do. */
static void judge(struct found *f, struct found_thing *t, const struct found_claims *claims,
                  struct arena *scratch)
{
    const struct adopt_view own = {.topics = (struct adopt_topic *)(uintptr_t)t->topics,
                                   .n = t->topic_n};
    if (t->topics[0].claimer.n) {
        t->obstacle = OBSTACLE_UNREADABLE;
    } else if (t->topics[0].thing.shape == SHAPE_NONE) {
        t->obstacle = t->topics[0].thing.obstacle;
    } else {
        arena_reset(scratch);
        struct draft *d = draft_new(scratch, &own);
        if (d)
            judge_by_draft(f, t, claims, d);
        f->view.arena.failed |= scratch->failed;
    }
    if (!t->obstacle)
        t->adopt = t->topics[0].topic;
    else if (!t->why.n)
        t->why = why_not(t->obstacle);
}

/* --- the list --- */

static int rank_of_thing(const struct found_thing *t)
{
    bool known = t->shape != SHAPE_JSON && t->shape != SHAPE_VALUE;
    if (!t->obstacle)
        return t->device.n ? 2 : known ? 0 : 1;
    return t->obstacle == OBSTACLE_UNREADABLE ? 3 : t->shape != SHAPE_NONE ? 4 : 5;
}

static int compare_things(const void *a, const void *b)
{
    const struct found_thing *x = a, *y = b;
    int by_rank = rank_of_thing(x) - rank_of_thing(y), by_name = str_cmp(x->name, y->name);
    return by_rank ? by_rank : by_name ? by_name : str_cmp(x->key, y->key);
}

enum err found_make(struct found *f, struct adopt_view *v, const struct found_claims *claims)
{
    struct arena scratch;
    *f = (struct found){.view = *v};
    *v = (struct adopt_view){0};
    arena_init(&scratch, f->view.arena.alloc, DRAFT_BYTES_MAX);
    group(f);
    enum err err = find_devices(f, claims);
    for (size_t i = 0; !err && i < f->n; i++)
        judge(f, &f->things[i], claims, &scratch);
    arena_fini(&scratch);
    if (err || f->view.arena.failed) {
        found_fini(f);
        return ERR_NOMEM;
    }
    if (f->n)
        qsort(f->things, f->n, sizeof(*f->things), compare_things);
    return ERR_OK;
}

void found_fini(struct found *f)
{
    adopt_view_fini(&f->view);
    *f = (struct found){0};
}

/* --- of a registry --- */

struct claimed {
    struct registry *registry;
    void (*claim)(void *to, struct str topic, struct str device);
    void *to;
};

static void claim_one(void *ctx, struct str topic, const struct device *d)
{
    const struct claimed *c = ctx;
    c->claim(c->to, topic, d->name);
}

static void claim_each(void *ctx, void (*claim)(void *to, struct str topic, struct str device),
                       void *to)
{
    struct claimed c = {.registry = ctx, .claim = claim, .to = to};
    registry_topics_each(c.registry, claim_one, &c);
}

static bool is_claimed(void *ctx, struct str topic)
{
    return registry_topic_device(ctx, topic) != NULL;
}

enum err found_take(struct found *f, struct registry *r, struct bus *b, struct alloc *a)
{
    const struct found_claims claims = {claim_each, is_claimed, r};
    struct adopt_view v;
    *f = (struct found){0};
    enum err err = adopt_view_take(&v, r, b, a);
    return err ? err : found_make(f, &v, &claims);
}
