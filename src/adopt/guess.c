/* guess: what a value is, by its name and by what was seen of it.
 *
 * A name is words. The last may be a unit (temp_c, energyKwh); the others name a quantity, which
 * has a usual unit, bounds that nothing real leaves, and a name that people know. What is not said
 * by a unit is a guess, and the declaration's comment says so. */
#include "adopt/adopt_internal.h"
#include "lang/types.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* --- quantities --- */

#define COUNTS 0x1u  /* goes up and up: no range */
#define SEEN   0x2u  /* the range comes from what was seen */
#define TRUTH  0x4u  /* 0 and 1 are no and yes */
#define WHOLE  0x8u  /* a whole number */
#define UNSURE 0x10u /* the unit only if the name says it */

struct quantity {
    const char *words; /* of the name, one behind the other */
    const char *name;  /* NULL: as it is */
    const char *unit;
    double lo, hi;
    unsigned flags;
};

/* Two words before one: "dew point" is no point. */
static const struct quantity quantities[] = {
    {"dew point", NULL, "°C", -80, 60, 0},
    {"dewpoint", "dew_point", "°C", -80, 60, 0},
    {"heat index", NULL, "°C", -50, 80, 0},
    {"feels like", NULL, "°C", -80, 80, 0},
    {"apparent power", NULL, "VA", 0, 0, SEEN},
    {"reactive power", NULL, "var", 0, 0, SEEN},
    {"power factor", NULL, "", -1, 1, 0},
    {"factor", "power_factor", "", -1, 1, 0},
    {"pf", "power_factor", "", -1, 1, 0},
    {"wind speed", NULL, "m/s", 0, 100, 0},
    {"wind gust", NULL, "m/s", 0, 150, 0},
    {"wind direction", NULL, "°", 0, 360, 0},
    {"wind dir", "wind_direction", "°", 0, 360, 0},
    {"azimuth", NULL, "°", 0, 360, 0},
    {"soil moisture", NULL, "%", 0, 100, 0},
    {"moisture", NULL, "%", 0, 100, 0},
    {"soil", "moisture", "%", 0, 100, 0},
    {"signal strength", NULL, "dBm", -130, 10, 0},
    {"rssi", NULL, "dBm", -130, 10, 0},
    {"link quality", NULL, "", 0, 255, WHOLE},
    {"linkquality", "link_quality", "", 0, 255, WHOLE},
    {"carbon dioxide", "co2", "ppm", 0, 10000, 0},
    {"co2", NULL, "ppm", 0, 10000, 0},
    {"eco2", NULL, "ppm", 0, 10000, 0},
    {"carbon monoxide", "co", "ppm", 0, 1000, 0},
    {"tvoc", NULL, "ppb", 0, 60000, 0},
    {"pm25", NULL, "µg/m³", 0, 1000, 0},
    {"pm2 5", "pm25", "µg/m³", 0, 1000, 0},
    {"pm10", NULL, "µg/m³", 0, 1000, 0},
    {"pm1", NULL, "µg/m³", 0, 1000, 0},
    {"illuminance", NULL, "lx", 0, 200000, 0},
    {"lux", "illuminance", "lx", 0, 200000, 0},
    {"uv index", NULL, "", 0, 20, 0},
    {"uv", "uv_index", "", 0, 20, 0},
    {"temperature", NULL, "°C", -55, 150, 0},
    {"temp", "temperature", "°C", -55, 150, 0},
    {"tmp", "temperature", "°C", -55, 150, 0},
    {"humidity", NULL, "%", 0, 100, 0},
    {"hum", "humidity", "%", 0, 100, 0},
    {"rh", "humidity", "%", 0, 100, 0},
    {"pressure", NULL, "hPa", 0, 0, SEEN},
    {"barometer", "pressure", "hPa", 0, 0, SEEN},
    {"battery", NULL, "%", 0, 100, 0},
    {"batt", "battery", "%", 0, 100, 0},
    {"bat", "battery", "%", 0, 100, 0},
    {"soc", "battery", "%", 0, 100, 0},
    {"voltage", NULL, "V", 0, 0, SEEN},
    {"volt", "voltage", "V", 0, 0, SEEN},
    {"volts", "voltage", "V", 0, 0, SEEN},
    {"vcc", "voltage", "V", 0, 0, SEEN},
    {"current", NULL, "A", 0, 0, SEEN},
    {"amps", "current", "A", 0, 0, SEEN},
    {"power", NULL, "W", 0, 0, SEEN},
    {"apower", "power", "W", 0, 0, SEEN},
    {"watt", "power", "W", 0, 0, SEEN},
    {"watts", "power", "W", 0, 0, SEEN},
    {"energy", NULL, "kWh", 0, 0, COUNTS},
    {"consumption", NULL, "kWh", 0, 0, COUNTS},
    {"frequency", NULL, "Hz", 0, 0, SEEN},
    {"freq", "frequency", "Hz", 0, 0, SEEN},
    {"noise", NULL, "dB", 0, 150, 0},
    {"loudness", NULL, "dB", 0, 150, 0},
    {"rain", NULL, "mm", 0, 0, COUNTS},
    {"rainfall", NULL, "mm", 0, 0, COUNTS},
    {"precipitation", NULL, "mm", 0, 0, COUNTS},
    {"flow", NULL, "l/min", 0, 0, SEEN},
    {"volume", NULL, "l", 0, 0, COUNTS | UNSURE},
    {"weight", NULL, "kg", 0, 0, SEEN},
    {"mass", NULL, "kg", 0, 0, SEEN},
    {"rpm", NULL, "rpm", 0, 0, SEEN},
    {"vibration", NULL, "mm/s", 0, 0, SEEN | TRUTH},
    {"acceleration", NULL, "m/s²", 0, 0, SEEN | UNSURE},
    {"angle", NULL, "°", -360, 360, 0},
    {"ph", NULL, "pH", 0, 14, 0},
    {"conductivity", NULL, "µS/cm", 0, 0, SEEN},
    {"turbidity", NULL, "NTU", 0, 0, SEEN},
    {"irradiance", NULL, "W/m²", 0, 1600, 0},
    {"uptime", NULL, "s", 0, 0, COUNTS},
    {"brightness", NULL, "%", 0, 100, 0},
    {"dimmer", NULL, "%", 0, 100, 0},
    {"position", NULL, "%", 0, 100, 0},
    {"duty", NULL, "%", 0, 100, 0},
    {"percentage", NULL, "%", 0, 100, 0},
    {"distance", NULL, "m", 0, 0, UNSURE},
    {"height", NULL, "m", 0, 0, UNSURE},
    {"depth", NULL, "m", 0, 0, UNSURE},
    {"level", NULL, "m", 0, 0, UNSURE},
    {"length", NULL, "m", 0, 0, UNSURE},
    {"duration", NULL, "s", 0, 0, UNSURE},
    {"time", NULL, "s", 0, 0, UNSURE},
    {"speed", NULL, "m/s", 0, 0, UNSURE},
    {"count", NULL, "", 0, 0, COUNTS | WHOLE},
    {"counter", NULL, "", 0, 0, COUNTS | WHOLE},
    {"parts", NULL, "", 0, 0, COUNTS | WHOLE},
    {"pieces", NULL, "", 0, 0, COUNTS | WHOLE},
    {"pulses", NULL, "", 0, 0, COUNTS | WHOLE},
    {"occupancy", NULL, "", 0, 0, TRUTH},
    {"occupied", NULL, "", 0, 0, TRUTH},
    {"presence", NULL, "", 0, 0, TRUTH},
    {"motion", NULL, "", 0, 0, TRUTH},
    {"contact", NULL, "", 0, 0, TRUTH},
    {"open", NULL, "", 0, 0, TRUTH},
    {"door", NULL, "", 0, 0, TRUTH},
    {"window", NULL, "", 0, 0, TRUTH},
    {"leak", NULL, "", 0, 0, TRUTH},
    {"smoke", NULL, "", 0, 0, TRUTH},
    {"alarm", NULL, "", 0, 0, TRUTH},
    {"overtemperature", NULL, "", 0, 0, TRUTH},
    {"overpower", NULL, "", 0, 0, TRUTH},
    {"tamper", NULL, "", 0, 0, TRUTH},
    {"running", NULL, "", 0, 0, TRUTH},
    {"active", NULL, "", 0, 0, TRUTH},
    {"enabled", NULL, "", 0, 0, TRUTH},
    {"relay", NULL, "", 0, 0, TRUTH},
    {"on", NULL, "", 0, 0, TRUTH},
    {"charging", NULL, "", 0, 0, TRUTH},
    {"connected", NULL, "", 0, 0, TRUTH},
};

/* Words that end a name and are its unit. Those of one letter, and some more, could be something
 * else: they count only where the quantity is of their dimension. */
static const struct {
    const char *word, *unit;
    bool agrees;
} suffixes[] = {
    {"c", "°C", true},
    {"celsius", "°C", false},
    {"degc", "°C", false},
    {"f", "°F", true},
    {"fahrenheit", "°F", false},
    {"degf", "°F", false},
    {"kwh", "kWh", false},
    {"mwh", "MWh", true},
    {"wh", "Wh", false},
    {"kw", "kW", false},
    {"mw", "MW", true},
    {"w", "W", true},
    {"watt", "W", true},
    {"watts", "W", true},
    {"kva", "kVA", false},
    {"va", "VA", false},
    {"mv", "mV", false},
    {"v", "V", true},
    {"volts", "V", true},
    {"ma", "mA", true},
    {"a", "A", true},
    {"amps", "A", true},
    {"mah", "mAh", false},
    {"ah", "Ah", false},
    {"hz", "Hz", false},
    {"khz", "kHz", false},
    {"pa", "Pa", true},
    {"hpa", "hPa", false},
    {"kpa", "kPa", false},
    {"mbar", "mbar", false},
    {"bar", "bar", true},
    {"psi", "psi", false},
    {"pct", "%", false},
    {"percent", "%", false},
    {"rh", "%", true},
    {"ppm", "ppm", false},
    {"ppb", "ppb", false},
    {"lx", "lx", false},
    {"lux", "lx", true},
    {"db", "dB", false},
    {"dba", "dBA", false},
    {"dbm", "dBm", false},
    {"rpm", "rpm", false},
    {"mm", "mm", false},
    {"cm", "cm", false},
    {"m", "m", true},
    {"km", "km", false},
    {"kmh", "km/h", false},
    {"mps", "m/s", false},
    {"mph", "mph", false},
    {"ms", "ms", true},
    {"s", "s", true},
    {"sec", "s", false},
    {"seconds", "s", false},
    {"min", "min", true},
    {"minutes", "min", false},
    {"h", "h", true},
    {"hours", "h", false},
    {"l", "l", true},
    {"liters", "l", false},
    {"litres", "l", false},
    {"ml", "ml", false},
    {"m3", "m³", false},
    {"lpm", "l/min", false},
    {"m3h", "m³/h", false},
    {"kg", "kg", false},
    {"g", "g", true},
    {"deg", "°", true},
    {"ugm3", "µg/m³", false},
};

static bool same_dimension(const char *a, const char *b)
{
    struct lang_unit x, y;
    return *a && *b && lang_unit_parse(str_from(a), &x) == ERR_OK &&
           lang_unit_parse(str_from(b), &y) == ERR_OK && lang_unit_same_dim(&x, &y) &&
           x.ratio == y.ratio;
}

/* Whether the row's words stand in the first n of the name's, one behind the other. */
static bool words_match(const struct name_words *w, size_t n, const char *words)
{
    for (size_t from = 0; from < n; from++) {
        struct str rest = str_from(words), word;
        bool same = true;
        for (size_t at = from; same && str_split(&rest, ' ', &word); at++)
            same = at < n && str_eq(w->word[at], word);
        if (same)
            return true;
    }
    return false;
}

static const struct quantity *quantity_of(const struct name_words *w, size_t n)
{
    for (size_t i = 0; i < ARRAY_LEN(quantities); i++)
        if (words_match(w, n, quantities[i].words))
            return &quantities[i];
    return NULL;
}

struct named {
    struct name_words words;
    size_t n;         /* of them without the unit */
    const char *unit; /* that the name says; NULL: none */
    const struct quantity *quantity;
};

static void name_read(struct named *out, struct str key, struct arena *a)
{
    name_words(&out->words, key, a);
    out->n = out->words.n;
    out->unit = NULL;
    out->quantity = quantity_of(&out->words, out->n);
    if (out->n < 2)
        return;
    const struct quantity *rest = quantity_of(&out->words, out->n - 1);
    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
        if (!str_eq(out->words.word[out->n - 1], str_from(suffixes[i].word)))
            continue;
        bool agrees = rest && same_dimension(rest->unit, suffixes[i].unit);
        if (suffixes[i].agrees && !agrees)
            return;
        out->unit = suffixes[i].unit;
        out->quantity = rest;
        out->n--;
        return;
    }
}

struct str guess_name(struct str key, struct arena *a)
{
    struct named n;
    char text[NAME_BYTES_MAX + 1];
    size_t at = 0;
    name_read(&n, key, a);
    if (n.quantity && n.quantity->name && n.n == 1)
        return str_from(n.quantity->name);
    if (n.n == n.words.n)
        return STR("");
    for (size_t i = 0; i < n.n && at + n.words.word[i].n + 1 < sizeof(text); i++) {
        if (i)
            text[at++] = '_';
        memcpy(text + at, n.words.word[i].p, n.words.word[i].n);
        at += n.words.word[i].n;
    }
    struct str shorter = {text, at};
    if (n.quantity && n.quantity->name && n.n == 1)
        return str_from(n.quantity->name);
    return name_of(shorter, a);
}

/* --- bounds --- */

/* The next of 1, 2, 5, 10 … that is no less than x > 0. */
static double nice_above(double x)
{
    double power = pow(10, floor(log10(x)));
    double steps[] = {1, 2, 5, 10};
    for (size_t i = 0; i < ARRAY_LEN(steps); i++)
        if (x <= steps[i] * power * (1 + 1e-9))
            return steps[i] * power;
    return 10 * power;
}

static void range_as_seen(struct point *p, const struct adopt_field *f, double margin)
{
    double reach = fmax(fabs(f->min), fabs(f->max)) * margin;
    if (reach <= 0 || !isfinite(reach) || reach > 1e12)
        return;
    p->has_range = true;
    p->max = nice_above(reach);
    p->min = f->min < 0 ? -p->max : 0;
}

static void range_of(struct point *p, const struct quantity *q, const struct adopt_field *f,
                     const char *unit)
{
    bool fahrenheit = strcmp(q->unit, "°C") == 0 && strcmp(unit, "°F") == 0;
    bool usual = fahrenheit || strcmp(unit, q->unit) == 0;
    double lo = fahrenheit ? q->lo * 1.8 + 32 : q->lo, hi = fahrenheit ? q->hi * 1.8 + 32 : q->hi;
    if (q->flags & COUNTS)
        return;
    if (lo < hi && usual && f->min >= lo && f->max <= hi) {
        p->has_range = true;
        p->min = lo;
        p->max = hi;
    } else if (q->flags & SEEN || q->lo < q->hi) {
        range_as_seen(p, f, 2);
    }
}

/* --- quantities whose unit their values tell --- */

static const char *pressure_unit(const struct adopt_field *f)
{
    if (f->min >= 30000)
        return "Pa";
    if (f->min >= 300 && f->max <= 1200)
        return "hPa";
    if (f->min >= 80 && f->max <= 110)
        return "kPa";
    return f->max <= 40 ? "bar" : "hPa";
}

/* Cells of 3 V, mains, or in thousandths. */
static const char *value_unit(const struct quantity *q, const struct adopt_field *f)
{
    bool whole = f->whole == f->of[OBSERVED_NUMBER];
    if (strcmp(q->unit, "hPa") == 0)
        return pressure_unit(f);
    if (strcmp(q->unit, "V") == 0 && f->min >= 1000 && whole)
        return "mV";
    if (strcmp(q->unit, "%") != 0)
        return q->unit;
    if (str_starts(str_from(q->words), STR("bat")) && f->max > 0 && f->max < 5 && !whole)
        return "V";
    return f->max > 100 ? "" : "%";
}

/* What mains and plugs are made for is wider than what was seen by chance. */
static void range_by_use(struct point *p, const struct adopt_field *f)
{
    static const struct {
        const char *unit;
        double from, to; /* seen between these */
        double lo, hi;   /* then declared as these */
    } uses[] = {
        {"V", 80, 280, 0, 300},        {"Hz", 40, 70, 40, 70}, {"W", 0, 2000, 0, 4000},
        {"hPa", 800, 1100, 300, 1100}, {"A", 0, 8, 0, 16},     {"VA", 0, 2000, 0, 4000},
        {"mV", 1000, 4500, 0, 5000},
    };
    for (size_t i = 0; i < ARRAY_LEN(uses); i++)
        if (str_eq(p->unit, str_from(uses[i].unit)) && f->min >= uses[i].from &&
            f->max <= uses[i].to) {
            p->has_range = true;
            p->min = uses[i].lo;
            p->max = uses[i].hi;
        }
}

/* --- kinds --- */

bool guess_is_usual(struct str word)
{
    static const char *const words[] = {
        "true",    "false",    "on",        "off",          "yes",     "no",
        "online",  "offline",  "open",      "closed",       "active",  "inactive",
        "enabled", "disabled", "detected",  "clear",        "pressed", "released",
        "locked",  "unlocked", "connected", "disconnected", "running", "stopped"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_same(word, str_from(words[i])))
            return true;
    return false;
}

static bool all_usual(const struct adopt_field *f)
{
    for (size_t i = 0; i < f->word_n; i++)
        if (!guess_is_usual(f->words[i]))
            return false;
    return f->word_n > 0 && f->word_n <= 2 && !f->more_words;
}

/* "2024-01-01T00:00:00", "2024-01-01 00:00", "0T00:00:03". */
static bool is_time_text(struct str s)
{
    size_t digits = 0, colons = 0;
    for (size_t i = 0; i < s.n; i++) {
        digits += s.p[i] >= '0' && s.p[i] <= '9';
        colons += s.p[i] == ':';
    }
    return colons >= 1 && colons <= 3 && digits >= 4 && s.n <= 40 && s.n <= digits + 12;
}

static bool is_address(const struct named *n)
{
    static const char *const words[] = {"mac",      "ip",   "ssid",     "bssid",  "version",
                                        "firmware", "fw",   "hostname", "serial", "ieee",
                                        "id",       "uuid", "uid"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (n->words.n && str_eq(n->words.word[n->words.n - 1], str_from(words[i])))
            return true;
    return false;
}

/* Milliseconds or seconds since 1970, by their name and size. */
static bool is_timestamp(const struct named *n, const struct adopt_field *f)
{
    static const char *const words[] = {"ts", "time", "timestamp", "seen", "date", "epoch"};
    if (!f->of[OBSERVED_NUMBER] || f->min < 9e8)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (n->words.n && str_eq(n->words.word[n->words.n - 1], str_from(words[i])))
            return true;
    return false;
}

static const char *not_to_have(const struct named *n, const struct adopt_field *f)
{
    bool text = f->of[OBSERVED_TEXT] > 0;
    if (f->count == f->of[OBSERVED_NULL])
        return "it has had no value yet";
    if (is_timestamp(n, f) || (text && !f->of[OBSERVED_NUMBER] && is_time_text(f->last_text)))
        return "it is a time";
    if (is_address(n) && (text || f->whole == f->of[OBSERVED_NUMBER]))
        return "it says who the device is";
    return NULL;
}

static void say_words(struct draft *d, struct point *p, const struct adopt_field *f)
{
    struct str all = {0};
    for (size_t i = 0; i < f->word_n; i++)
        all = arena_strf(d->arena, "%.*s%s%.*s", STR_FMT(all), i ? ", " : "", STR_FMT(f->words[i]));
    for (size_t i = 0; i < all.n; i++) /* the comment is one line */
        if ((unsigned char)all.p[i] < 0x20)
            ((char *)(uintptr_t)all.p)[i] = ' ';
    if (all.n && all.n < 60)
        draft_note(d, p, "seen: %.*s%s", STR_FMT(all), f->more_words ? ", …" : "");
}

static void guess_text(struct draft *d, struct point *p, const struct adopt_field *f)
{
    p->unit = STR("");
    if (all_usual(f)) {
        p->kind = POINT_BOOL;
        return;
    }
    p->kind = POINT_STR;
    say_words(d, p, f);
}

static bool only_nought_and_one(const struct adopt_field *f)
{
    return f->whole == f->of[OBSERVED_NUMBER] && f->min >= 0 && f->max <= 1;
}

static void say_bounds(struct draft *d, struct point *p, const struct adopt_field *f)
{
    if (f->min < f->max)
        draft_note(d, p, "seen %g … %g", f->min, f->max);
    else
        draft_note(d, p, "seen %g", f->max);
}

static void guess_plain(struct draft *d, struct point *p, const struct adopt_field *f,
                        const struct quantity *q)
{
    bool whole = f->whole == f->of[OBSERVED_NUMBER];
    p->kind = whole && ((q && q->flags & WHOLE) || (!q && f->count >= 3)) ? POINT_INT : POINT_FLOAT;
    if (!q)
        draft_note(d, p, p->kind == POINT_INT ? "always whole so far" : "unit not known");
    else if (q->lo < q->hi)
        range_of(p, q, f, "");
}

static void guess_number(struct draft *d, struct point *p, const struct adopt_field *f,
                         const struct named *n, bool told)
{
    const struct quantity *q = n->quantity;
    p->seen = true;
    p->seen_min = f->min;
    p->seen_max = f->max;
    if (!told && !n->unit && q && q->flags & TRUTH && only_nought_and_one(f)) {
        p->kind = POINT_BOOL;
        draft_note(d, p, "0 and 1");
        return;
    }
    const char *by_value = q && !(q->flags & UNSURE) ? value_unit(q, f) : "";
    if (!told)
        p->unit = str_from(n->unit ? n->unit : by_value);
    if (!p->unit.n) {
        guess_plain(d, p, f, q);
        say_bounds(d, p, f);
        return;
    }
    p->kind = POINT_FLOAT;
    if (q) {
        char unit[24];
        (void)snprintf(unit, sizeof(unit), "%.*s", STR_FMT(p->unit));
        range_of(p, q, f, unit);
    }
    if (q && q->flags & SEEN)
        range_by_use(p, f);
    if (!told && !n->unit)
        draft_note(d, p, "unit guessed");
    say_bounds(d, p, f);
}

bool draft_guess(struct draft *d, struct point *p, const struct adopt_field *f, struct str topic,
                 struct str key, bool told)
{
    struct named n;
    name_read(&n, key, d->arena);
    const char *why = not_to_have(&n, f);
    if (why) {
        draft_leave(d, topic, f->path, why);
        return false;
    }
    uint64_t said = f->count - f->of[OBSERVED_NULL];
    if (f->of[OBSERVED_BOOL] == said) {
        p->kind = POINT_BOOL;
        p->unit = STR("");
    } else if (f->of[OBSERVED_NUMBER] == said) {
        guess_number(d, p, f, &n, told);
    } else {
        guess_text(d, p, f);
        if (f->of[OBSERVED_TEXT] != said)
            draft_note(d, p, "not always a text");
    }
    return true;
}
