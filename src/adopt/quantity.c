/* quantity: the words of names: which quantity they are of, and which unit they end with.
 *
 * Both tables are what people and makers call things, as a person who reads such names knows them.
 * Of several rows that match the first counts. */
#include "adopt/quantity.h"

#include "lang/types.h"

#include <string.h>

/* --- quantities --- */

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
    {"color temp", NULL, "", 0, 0, SEEN}, /* in mired, in kelvin, or a share: nobody says */
    {"color temperature", NULL, "", 0, 0, SEEN},
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

/* --- units --- */

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

/* "power outage count" is of outages, not of power. */
static const struct quantity *count_of(const struct name_words *w, size_t n)
{
    for (size_t i = 0; n > 0 && str_eq(w->word[n - 1], STR("count")) && i < ARRAY_LEN(quantities);
         i++)
        if (str_eq(str_from(quantities[i].words), STR("count")))
            return &quantities[i];
    return NULL;
}

void name_read(struct named *out, struct str key, struct arena *a)
{
    name_words(&out->words, key, a);
    out->n = out->words.n;
    out->unit = NULL;
    out->quantity = count_of(&out->words, out->n);
    if (out->quantity)
        return;
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

struct str name_known(struct str key, struct arena *a)
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
    return name_of((struct str){text, at}, a);
}
