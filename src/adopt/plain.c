/* plain: devices without a maker's habits: a JSON document on B or B/telemetry, bare values on
 * B/<property>. What follows the convention of `via mqtt "B" json` is said by that one line. */
#include "adopt/adopt_internal.h"

#include <string.h>

/* {"ts": …, "values": {…}} and lists of it are the convention's, too. */
static struct str without_wrapping(struct str path)
{
    if (str_starts(path, STR("[0].")))
        path = str_sub(path, 4, path.n);
    return str_starts(path, STR("values.")) ? str_sub(path, 7, path.n) : path;
}

/* Of a list of equal documents the first stands for all. */
static bool is_repeated(struct str path)
{
    return path.n > 2 && path.p[0] == '[' && path.p[1] != '0';
}

static bool is_convention(const struct draft *d, const struct point *p, struct str key)
{
    return d->via.n && name_is_property(key) && !p->yes.n && str_eq(p->name, key);
}

static void value_in_document(struct draft *d, const struct adopt_topic *t,
                              const struct adopt_field *f)
{
    struct str path = without_wrapping(f->path);
    struct value_place at = value_place(f->path, d->arena);
    if (is_repeated(f->path))
        return;
    struct point *p = draft_field(d, t, f, at.key, at.group, NULL);
    if (!p)
        return;
    if (at.index > 0)
        draft_note(d, p, "number %d of a list", at.index + 1);
    /* what the device calls by a good name keeps it */
    if (name_is_property(path) && !str_eq(p->name, path) && !draft_find(d, path))
        p->name = path;
    p->by_convention = is_convention(d, p, path);
}

static void bare_value(struct draft *d, const struct adopt_topic *t)
{
    const struct adopt_field *f = adopt_topic_field(t, STR(""));
    struct str key = t->thing.rest.n ? t->thing.rest : d->leaf;
    struct point *p = f ? draft_field(d, t, f, key, STR(""), NULL) : NULL;
    if (!p)
        return;
    if (name_is_property(key) && !str_eq(p->name, key) && !draft_find(d, key))
        p->name = key;
    p->by_convention = t->thing.rest.n && is_convention(d, p, key);
}

void draft_plain(struct draft *d, const struct adopt_thing *of)
{
    draft_named(d, of->base);
    d->via = d->secondary ? STR("") : of->base;
    for (size_t i = 0; i < d->view->n; i++) {
        const struct adopt_topic *t = &d->view->topics[i];
        if (!adopt_same_thing(&t->thing, of) || (d->only_asked && !draft_asked(d, t->topic)))
            continue;
        if (t->thing.shape == SHAPE_VALUE)
            bare_value(d, t);
        if (t->thing.shape == SHAPE_JSON && draft_senml(d, t))
            continue;
        for (size_t k = 0; t->thing.shape == SHAPE_JSON && k < t->field_n; k++)
            value_in_document(d, t, &t->fields[k]);
        if (t->left_out)
            draft_warn(d, "%.*s has more values than are looked at", STR_FMT(t->topic));
    }
    bool any = false;
    for (size_t i = 0; i < d->point_n; i++)
        any |= d->points[i].by_convention;
    if (!any)
        d->via = STR("");
}
