/* guess: what a value is, by its name (quantity.h) and by what was seen of it: its kind, its unit,
 * its bounds. What no unit in the name says is a guess, and the declaration's comment says so. */
#include "adopt/adopt_internal.h"
#include "adopt/quantity.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

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
