/* Devices to models: names that are unique, safe actions, and who shares a model with whom. */
#include "points/points_internal.h"

#include <stdio.h>
#include <string.h>

/* Of a point that is no longer at hand. */
static void tell(struct points_reader *r, bool warning, uint32_t line, enum points_column column,
                 const char *fmt, struct str a, struct str b)
{
    struct csv_row row = {.line = line};
    r->row = &row;
    char text[300];
    (void)snprintf(text, sizeof(text), fmt, STR_FMT(a), STR_FMT(b));
    points_problem(r, warning, column, "%s", text);
    r->row = NULL;
}

/* --- names within a device --- */

static struct str *name_of(struct points_point *p, bool action)
{
    return action ? &p->action : &p->name;
}

static struct str numbered(struct points_reader *r, struct map *names, struct str name)
{
    for (unsigned i = 2;; i++) {
        struct str next = arena_strf(&r->table->arena, "%.*s_%u", STR_FMT(name), i);
        if (!map_get(names, next))
            return next;
    }
}

/* Properties and actions have names apart. */
static void make_unique(struct points_reader *r, struct points_device *d, bool action)
{
    struct map names;
    map_init(&names, r->table->arena.alloc, 1, POINTS_MAX);
    for (size_t i = 0; i < d->points.n; i++) {
        struct points_point *p = &d->points.v[i];
        struct str *name = name_of(p, action);
        if (name->n == 0)
            continue;
        const struct points_point *first = map_get(&names, *name);
        if (first && (action || str_eq(first->written, p->written))) {
            char at[32];
            int n = snprintf(at, sizeof(at), "line %u", first->line);
            tell(r, false, p->line, action ? COLUMN_ACTION : COLUMN_NAME,
                 "`%.*s` is there already, in %.*s", *name, (struct str){at, (size_t)n});
            continue;
        }
        if (first) {
            struct str other = numbered(r, &names, *name);
            tell(r, true, p->line, COLUMN_NAME, "`%.*s` is called %.*s, as its name is taken",
                 p->written, other);
            *name = other;
        }
        if (map_put(&names, *name, p))
            r->table->arena.failed = true;
    }
    map_fini(&names);
}

/* --- safe actions --- */

static bool sounds_safe(struct str name)
{
    static const char *const words[] = {"close",   "stop", "off",        "switch_off", "turn_off",
                                        "disable", "shut", "schliessen", "aus",        "halt"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_eq(name, str_from(words[i])))
            return true;
    return str_ends(name, STR("_off")) || str_ends(name, STR("_stop")) ||
           str_ends(name, STR("_close"));
}

static bool has_parameter(const struct points_point *p)
{
    return p->action.n && p->value.n == 0;
}

/* The one that the table says, else the only one that sounds like it. */
static void find_safe(struct points_reader *r, struct points_device *d)
{
    struct points_point *said = NULL, *guess = NULL, *first = NULL;
    size_t guesses = 0;
    for (size_t i = 0; i < d->points.n; i++) {
        struct points_point *p = &d->points.v[i];
        if (p->action.n == 0)
            continue;
        first = first ? first : p;
        if (p->safe && said)
            tell(r, false, p->line, COLUMN_SAFE, "%.*s has a safe action already: %.*s()", d->name,
                 said->action);
        if (p->safe && has_parameter(p))
            tell(r, false, p->line, COLUMN_SAFE,
                 "%.*s.%.*s() has a parameter: what is safe needs none", d->name, p->action);
        said = p->safe && !said ? p : said;
        if (sounds_safe(p->action) && !has_parameter(p)) {
            guess = p;
            guesses++;
        }
    }
    if (!first || said)
        return;
    if (guesses == 1) {
        guess->safe = true;
        tell(r, true, guess->line, COLUMN_ACTION,
             "%.*s: %.*s() is taken for the safe action; a column `safe` may say another", d->name,
             guess->action);
    } else {
        tell(r, false, first->line, COLUMN_ACTION,
             "%.*s has actions, and none is marked in a column `safe`%.*s: it is what is done when "
             "nobody is in command",
             d->name, STR(""));
    }
}

/* --- models --- */

static bool same_point(const struct points_point *a, const struct points_point *b)
{
    return str_eq(a->name, b->name) && a->kind == b->kind && str_eq(a->unit, b->unit) &&
           a->has_range == b->has_range && a->min == b->min && a->max == b->max &&
           str_eq(a->action, b->action) && has_parameter(a) == has_parameter(b) &&
           str_eq(a->confirms, b->confirms) && a->safe == b->safe;
}

static bool same_model(const struct points_device *a, const struct points_device *b)
{
    if (a->points.n != b->points.n || !str_eq(a->model_written, b->model_written))
        return false;
    for (size_t i = 0; i < a->points.n; i++)
        if (!same_point(&a->points.v[i], &b->points.v[i]))
            return false;
    return true;
}

static bool in_site(const struct points_reader *r, struct str name)
{
    return r->o->taken && r->o->taken(r->o->ctx, name, true);
}

static bool model_taken(const struct points_reader *r, struct str name)
{
    for (size_t i = 0; i < r->table->models.n; i++)
        if (str_eq(r->table->models.v[i].name, name))
            return true;
    return in_site(r, name);
}

/* One that is asked for by name may be the site's: the check of the site sees whether it fits. */
static struct points_model new_model(struct points_reader *r, size_t at)
{
    struct arena *a = &r->table->arena;
    const struct points_device *d = &r->table->devices.v[at];
    struct str said = r->o->model.n ? r->o->model : d->model_written;
    struct str base = r->o->model.n ? said : name_model(a, said.n ? said : d->name);
    struct points_model m = {.name = base, .like = at, .there = said.n && in_site(r, base)};
    for (unsigned i = 2; !m.there && model_taken(r, m.name); i++)
        m.name = arena_strf(a, "%.*s%u", STR_FMT(base), i);
    return m;
}

static void find_model(struct points_reader *r, size_t at)
{
    struct points_table *t = r->table;
    struct points_device *d = &t->devices.v[at];
    for (size_t i = 0; i < t->models.n; i++)
        if (same_model(&t->devices.v[t->models.v[i].like], d)) {
            d->model = i;
            return;
        }
    d->model = t->models.n;
    if (!vec_push(t->arena.alloc, &t->models, new_model(r, at)))
        t->arena.failed = true;
}

void points_group(struct points_reader *r)
{
    struct points_table *t = r->table;
    for (size_t i = 0; i < t->devices.n; i++) {
        struct points_device *d = &t->devices.v[i];
        if (r->o->taken && r->o->taken(r->o->ctx, d->name, false))
            tell(
                r, false, d->row, COLUMN_DEVICE,
                "the site has a device %.*s already%.*s; name this one otherwise, or take that one "
                "out",
                d->name, STR(""));
        make_unique(r, d, false);
        make_unique(r, d, true);
        find_safe(r, d);
        find_model(r, i);
    }
    if (t->devices.n == 0 && t->errors == 0)
        points_problem(r, false, COLUMNS, "the table has headings, and no point below them");
}
