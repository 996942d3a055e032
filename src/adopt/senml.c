/* senml: a SenML pack (RFC 8428) on a topic: the convention of `via mqtt` reads it, record by
 * record, as the property that its name ends with (registry/decode_senml.c); so only the model is
 * to be found out. */
#include "adopt/adopt_internal.h"
#include "lang/types.h"

#include <string.h>

enum { RECORDS_MAX = 16 };

static const struct adopt_field *member(struct draft *d, const struct adopt_topic *t, int record,
                                        const char *key)
{
    return adopt_topic_field(t, arena_strf(d->arena, "[%d].%s", record, key));
}

static struct str said(const struct adopt_field *f)
{
    return f && f->word_n == 1 && !f->more_words ? f->words[0] : STR("");
}

/* What stands behind the last colon or slash of base name and name. */
static struct str tail_of(struct str s)
{
    for (size_t i = s.n; i-- > 0;)
        if (s.p[i] == ':' || s.p[i] == '/')
            return str_sub(s, i + 1, s.n);
    return s;
}

static struct str record_name(struct draft *d, const struct adopt_topic *t, int record)
{
    struct str base = STR(""), own = said(member(d, t, record, "n"));
    for (int i = 0; i <= record; i++)
        if (member(d, t, i, "bn"))
            base = said(member(d, t, i, "bn"));
    return tail_of(arena_strf(d->arena, "%.*s%.*s", STR_FMT(base), STR_FMT(own)));
}

/* RFC 8428, 12.1, as the language calls them; NULL: as the record says it, or by its name. */
static const char *record_unit(struct draft *d, const struct adopt_topic *t, int record)
{
    static const struct {
        const char *senml, *unit;
    } names[] = {{"Cel", "°C"}, {"%RH", "%"}, {"degC", "°C"}, {"l/s", "l/s"},     {"EL", "%"},
                 {"%EL", "%"},  {"/", ""},    {"count", ""},  {"beat/min", "bpm"}};
    struct str unit = said(member(d, t, record, "u"));
    struct lang_unit parsed;
    for (int i = 0; !unit.n && i <= record; i++)
        unit = said(member(d, t, i, "bu"));
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq(unit, str_from(names[i].senml)))
            return names[i].unit;
    if (!unit.n || lang_unit_parse(unit, &parsed))
        return NULL;
    return arena_strf(d->arena, "%.*s", STR_FMT(unit)).p;
}

static void record_point(struct draft *d, const struct adopt_topic *t, int record)
{
    static const char *const values[] = {"v", "vs", "vb"};
    const struct adopt_field *f = NULL;
    for (size_t i = 0; !f && i < ARRAY_LEN(values); i++)
        f = member(d, t, record, values[i]);
    struct str name = record_name(d, t, record);
    if (!f || !name_is_property(name) || draft_find(d, name)) {
        if (f)
            draft_leave(d, t->topic, f->path, "its name is no name here, or is there already");
        return;
    }
    struct point *p = draft_field(d, t, f, name, STR(""), record_unit(d, t, record));
    if (!p)
        return;
    p->name = name; /* the convention looks for just this */
    p->by_convention = true;
}

bool draft_senml(struct draft *d, const struct adopt_topic *t)
{
    bool named = member(d, t, 0, "n") || member(d, t, 0, "bn");
    bool valued = member(d, t, 0, "v") || member(d, t, 0, "vs") || member(d, t, 0, "vb") ||
                  member(d, t, 1, "n");
    if (!named || !valued || !d->via.n)
        return false;
    for (int i = 0; i < RECORDS_MAX; i++)
        record_point(d, t, i);
    return true;
}
