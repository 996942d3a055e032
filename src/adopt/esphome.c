/* esphome: <prefix>/<component>/<name>/state as bare values, …/command, <prefix>/status.
 *
 * Source: esphome.io/components/mqtt and its components. */
#include "adopt/adopt_internal.h"

static void component(struct draft *d, const struct adopt_topic *t)
{
    struct str name = t->thing.rest, kind = STR("");
    const struct adopt_field *f = adopt_topic_field(t, STR(""));
    (void)str_split(&name, '/', &kind);
    if (!f) {
        draft_leave(d, t->topic, STR(""), "it is more than one value");
        return;
    }
    struct point *p = draft_field(d, t, f, name, kind, NULL);
    if (!p || p->kind != POINT_BOOL || !(str_eq(kind, STR("switch")) || str_eq(kind, STR("fan"))))
        return;
    struct str base = str_sub(t->topic, 0, t->topic.n - (sizeof("state") - 1));
    draft_switch(d, p, arena_strf(d->arena, "_%.*s", STR_FMT(p->name)),
                 arena_strf(d->arena, "%.*scommand", STR_FMT(base)), STR("\"ON\""), STR("\"OFF\""));
}

void draft_esphome(struct draft *d, const struct adopt_thing *of)
{
    struct str status = arena_strf(d->arena, "%.*s/status", STR_FMT(of->base));
    draft_named(d, of->base);
    d->id = arena_strf(d->arena, "esphome:%.*s", STR_FMT(of->base));
    d->comment = STR("ESPHome");
    for (size_t i = 0; i < d->view->n; i++)
        if (adopt_same_thing(&d->view->topics[i].thing, of))
            component(d, &d->view->topics[i]);
    if (adopt_view_topic(d->view, status)) {
        d->online_topic = status;
        draft_topic(d, status);
    }
}
