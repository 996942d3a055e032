/* propose_name: names for a device and its model, that are free and say something. */
#include "adopt/adopt_internal.h"

#include <string.h>

static bool is_declared(const struct lang_site *site, struct str name)
{
    for (size_t i = 0; i < site->decls_n; i++)
        if (str_eq(site->decls[i]->name, name))
            return true;
    for (size_t i = 0; i < site->programs_n; i++)
        if (str_eq(site->programs[i]->name, name))
            return true;
    return false;
}

static struct str free_name(struct draft *d, const struct lang_site *site, struct str name,
                            const char *between)
{
    struct str first = name;
    for (unsigned i = 2; is_declared(site, name); i++)
        name = arena_strf(d->arena, "%.*s%s%u", STR_FMT(first), between, i);
    return name;
}

/* --- the device --- */

static struct str front_of(struct str path)
{
    for (size_t i = path.n; i-- > 0;)
        if (path.p[i] == '.')
            return str_sub(path, 0, i);
    return STR("");
}

static struct str first_of(struct str path)
{
    size_t dot;
    return str_find(path, '.', &dot) ? str_sub(path, 0, dot) : STR("");
}

/* Where its neighbours are: line1/press2 is plant.press2 if line1/press1 is plant.press1. */
static struct str neighbours_place(const struct draft *d, const struct lang_site *site)
{
    size_t slash = 0;
    for (size_t i = 0; i < d->via.n; i++)
        slash = d->via.p[i] == '/' ? i : slash;
    struct str front = str_sub(d->via, 0, slash);
    for (size_t i = 0; front.n && i < site->resources_n; i++) {
        const struct lang_clause_decl *via =
            lang_decl_clause(site->resources[i], "via", "mqtt", 0);
        struct str topic = via ? lang_clause_value(via, "topic")->text : STR("");
        if (topic.n > slash && str_starts(topic, front) && topic.p[slash] == '/' &&
            !memchr(topic.p + slash + 1, '/', topic.n - slash - 1))
            return front_of(site->resources[i]->name);
    }
    return STR("");
}

/* The first part of most devices' names; else the site's name if that is one word. */
static struct str usual_place(struct draft *d, const struct lang_site *site)
{
    struct str best = {0};
    size_t best_n = 0;
    for (size_t i = 0; i < site->resources_n && i < 256; i++) {
        struct str first = first_of(site->resources[i]->name);
        size_t n = 0;
        for (size_t k = 0; first.n && k < site->resources_n && k < 256; k++)
            n += str_eq(first, first_of(site->resources[k]->name));
        if (n > best_n) {
            best = first;
            best_n = n;
        }
    }
    const struct lang_decl *named = lang_site_decl(site, "site", 0);
    if (!best_n && named && name_is_device_path(named->name) && !is_declared(site, named->name))
        best = named->name;
    else if (!best_n && named && name_is_property(named->name))
        best = named->name; /* the site's own declaration has it, which is no path */
    return best_n || best.n ? arena_str(d->arena, best) : STR("");
}

struct str proposed_device(struct draft *d, const struct lang_site *site, struct str wanted)
{
    if (wanted.n)
        return wanted;
    struct str place = neighbours_place(d, site);
    if (!place.n)
        place = d->place.n ? d->place : usual_place(d, site);
    if (!d->leaf.n)
        return STR("");
    struct str name = place.n && !str_eq(place, d->leaf)
                          ? arena_strf(d->arena, "%.*s.%.*s", STR_FMT(place), STR_FMT(d->leaf))
                          : d->leaf;
    return free_name(d, site, name, "_");
}

/* --- the model --- */

static bool has(const struct draft *d, const char *name)
{
    for (size_t i = 0; i < d->point_n; i++)
        if (str_eq(d->points[i].name, str_from(name)))
            return true;
    return false;
}

/* The first row of which all words are there. */
static const char *by_content(const struct draft *d)
{
    static const struct {
        const char *has[2], *name;
    } rows[] = {
        {{"on", "power"}, "Plug"},           {{"on", "brightness"}, "Light"},
        {{"on", "dimmer"}, "Light"},         {{"locked", NULL}, "Lock"},
        {{"on", NULL}, "Switch"},            {{"occupancy", NULL}, "MotionSensor"},
        {{"motion", NULL}, "MotionSensor"},  {{"contact", NULL}, "ContactSensor"},
        {{"water_leak", NULL}, "LeakSensor"}, {{"co2", NULL}, "AirSensor"},
        {{"moisture", NULL}, "SoilSensor"},  {{"soil_moisture", NULL}, "SoilSensor"},
        {{"temperature", "humidity"}, "ClimateSensor"}, {{"power", "energy"}, "Meter"},
        {{"position", NULL}, "Cover"},       {{"temperature", NULL}, "Thermometer"},
        {{"illuminance", NULL}, "LightSensor"}, {{"power", NULL}, "Meter"},
    };
    bool moves = false;
    for (size_t i = 0; i < d->command_n; i++)
        moves |= str_eq(d->commands[i].name, STR("open"));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (has(d, rows[i].has[0]) && (!rows[i].has[1] || has(d, rows[i].has[1])) &&
            (strcmp(rows[i].name, "Cover") != 0 || moves))
            return rows[i].name;
    return NULL;
}

static struct str without_digits(struct str s)
{
    while (s.n > 1 && ((s.p[s.n - 1] >= '0' && s.p[s.n - 1] <= '9') || s.p[s.n - 1] == '_'))
        s.n--;
    return s;
}

struct str proposed_model(struct draft *d, const struct lang_site *site, struct str wanted)
{
    if (wanted.n)
        return wanted;
    const char *known = by_content(d);
    struct str word = known           ? str_from(known)
                      : d->point_n == 1 ? arena_strf(d->arena, "%.*s sensor",
                                                     STR_FMT(d->points[0].name))
                                        : without_digits(d->leaf);
    return free_name(d, site, name_of_model(word, d->arena), "");
}
