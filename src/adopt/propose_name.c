/* propose_name: names for a device and its model, that are free and say something. */
#include "adopt/adopt_internal.h"
#include "adopt/quantity.h"

#include <string.h>

static bool is_declared(const struct lang_site *site, struct str name)
{
    for (size_t i = 0; i < site->decls_n; i++)
        if (site->decls[i]->kind->head != LANG_HEAD_TEXT && str_eq(site->decls[i]->name, name))
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
        const struct lang_clause_decl *via = lang_decl_clause(site->resources[i], "via", "mqtt", 0);
        struct str topic = via ? lang_clause_value(via, "topic")->text : STR("");
        if (topic.n > slash && str_starts(topic, front) && topic.p[slash] == '/' &&
            !memchr(topic.p + slash + 1, '/', topic.n - slash - 1))
            return front_of(site->resources[i]->name);
    }
    return STR("");
}

/* The first part of most devices' names; else the site's name if that is one word. */
static struct str usual_place(const struct lang_site *site)
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
    if (!best_n && named && name_is_property(named->name))
        best = named->name;
    return best.n ? best : STR("");
}

struct str proposed_device(struct draft *d, const struct lang_site *site, struct str wanted)
{
    if (wanted.n)
        return wanted;
    struct str place = neighbours_place(d, site);
    if (!place.n)
        place = d->place.n ? d->place : usual_place(site);
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
        if (str_eq(d->points[i].name, str_from(name)) ||
            str_eq(name_known(d->points[i].name, d->arena), str_from(name))) /* temp, hum */
            return true;
    return false;
}

/* What a sensor tells beside what it is for. */
static bool all_of_a_sensor(const struct draft *d)
{
    static const char *const words[] = {
        "temperature", "temp",    "humidity",   "hum",           "pressure",     "dew_point",
        "battery",     "bat",     "batt",       "battery_low",   "voltage",      "illuminance",
        "lux",         "co2",     "eco2",       "tvoc",          "voc",          "pm25",
        "pm10",        "pm1",     "moisture",   "soil_moisture", "conductivity", "occupancy",
        "motion",      "contact", "water_leak", "tamper",        "link_quality", "rssi",
        "uptime",      "count"};
    for (size_t i = 0; i < d->point_n; i++) {
        bool known = false;
        for (size_t k = 0; k < ARRAY_LEN(words); k++)
            known |= str_ends(d->points[i].name, str_from(words[k]));
        if (!known)
            return false;
    }
    return !d->command_n;
}

enum content { ANY, SENSOR, MOVES };

static bool moves(const struct draft *d)
{
    for (size_t i = 0; i < d->command_n; i++)
        if (str_eq(d->commands[i].name, STR("open")))
            return true;
    return false;
}

/* The first row of which all words are there. */
static const char *by_content(const struct draft *d)
{
    static const struct {
        const char *has[2], *name;
        enum content what;
    } rows[] = {
        {{"on", "power"}, "Plug", ANY},
        {{"on", "brightness"}, "Light", ANY},
        {{"on", "dimmer"}, "Light", ANY},
        {{"locked", NULL}, "Lock", ANY},
        {{"on", NULL}, "Switch", ANY},
        {{"position", NULL}, "Cover", MOVES},
        {{"occupancy", NULL}, "MotionSensor", SENSOR},
        {{"motion", NULL}, "MotionSensor", SENSOR},
        {{"contact", NULL}, "ContactSensor", SENSOR},
        {{"water_leak", NULL}, "LeakSensor", SENSOR},
        {{"co2", NULL}, "AirSensor", SENSOR},
        {{"moisture", NULL}, "SoilSensor", SENSOR},
        {{"soil_moisture", NULL}, "SoilSensor", SENSOR},
        {{"temperature", "humidity"}, "ClimateSensor", SENSOR},
        {{"temperature", NULL}, "Thermometer", SENSOR},
        {{"illuminance", NULL}, "LightSensor", SENSOR},
        {{"power", "energy"}, "Meter", ANY},
        {{"power", NULL}, "Meter", ANY},
    };
    bool sensor = all_of_a_sensor(d), cover = moves(d);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (has(d, rows[i].has[0]) && (!rows[i].has[1] || has(d, rows[i].has[1])) &&
            (rows[i].what != MOVES || cover) && (rows[i].what != SENSOR || sensor))
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
    struct str word = known ? str_from(known)
                      : d->point_n == 1
                          ? arena_strf(d->arena, "%.*s sensor", STR_FMT(d->points[0].name))
                          : without_digits(d->leaf);
    struct str name = name_of_model(word, d->arena);
    struct lang_unit unit;
    if (lang_unit_parse(name, &unit) == ERR_OK) /* "V" would be volts */
        name = arena_strf(d->arena, "%.*sDevice", STR_FMT(name));
    return free_name(d, site, name, "");
}
