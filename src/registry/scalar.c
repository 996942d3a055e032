/* scalar: one value of a message as a property wants it: numbers as texts, booleans as words, other
 * units. */
#include "base/utf8.h"
#include "registry/registry_internal.h"

#include <math.h>
#include <string.h>

struct scalar scalar_of(const struct decode_target *t, const struct property_def *def)
{
    return (struct scalar){
        .kind = def->kind, .name = def->name, .unit = def->unit, .convert = t->convert};
}

const char *scalar_wanted(enum value_kind k)
{
    static const char *const texts[] = {"nothing", "a boolean", "an integer", "a number",
                                        "a string"};
    return texts[k];
}

/* --- numbers --- */

/* The step between numbers of 12 significant digits is a power of ten, which divides exactly. */
double registry_scaled(double number, double scale, double offset)
{
    double v = number * scale + offset;
    if (v == 0 || !isfinite(v))
        return v;
    double digits = 11 - floor(log10(fabs(v)));
    if (digits < 0 || digits > 22)
        return v;
    double power = pow(10, digits);
    return round(v * power) / power;
}

static bool set_number(const struct scalar *s, double d, struct value *v)
{
    if (s->scale != 0)
        d = registry_scaled(d, s->scale, s->offset);
    if (!isfinite(d))
        return false;
    switch (s->kind) {
    case VALUE_FLOAT: *v = (struct value){.kind = VALUE_FLOAT, .f = d}; return true;
    case VALUE_BOOL: *v = (struct value){.kind = VALUE_BOOL, .b = d == 1}; return d == 0 || d == 1;
    case VALUE_INT:
        if (s->scale != 0)
            d = round(d);
        if (d != floor(d) || fabs(d) > 9007199254740992.0) /* 2^53: beyond it none is certain */
            return false;
        *v = (struct value){.kind = VALUE_INT, .i = (int64_t)d};
        return true;
    case VALUE_STR:
    case VALUE_NONE: break;
    }
    return false;
}

static bool token_number(const struct scalar *s, struct str raw, struct value *v)
{
    if (s->kind == VALUE_INT && s->scale == 0) {
        v->kind = VALUE_INT;
        return json_integer(raw, &v->i) == ERR_OK;
    }
    double d;
    return json_number(raw, &d) == ERR_OK && set_number(s, d, v);
}

static size_t number_length(struct str text)
{
    size_t n = 0;
    while (n < text.n && strchr("+-0123456789.", text.p[n]) && text.p[n])
        n++;
    size_t e = n; /* an exponent, if there are digits behind it */
    if (e < text.n && (text.p[e] == 'e' || text.p[e] == 'E')) {
        e += e + 1 < text.n && (text.p[e + 1] == '-' || text.p[e + 1] == '+') ? 2 : 1;
        for (; e < text.n && text.p[e] >= '0' && text.p[e] <= '9'; e++)
            n = e + 1;
    }
    return n;
}

/* "21.5", or with its unit: "70.7 °F". */
static bool text_number(const struct scalar *s, struct str text, struct value *v)
{
    size_t n = number_length(text);
    struct str number = str_sub(text, 0, n), unit = str_trim(str_sub(text, n, text.n));
    struct scalar other = *s;
    if (number.n && number.p[0] == '+')
        number = str_sub(number, 1, number.n);
    int64_t i;
    if (!unit.n && s->kind == VALUE_INT && s->scale == 0 && str_to_i64(number, &i) == ERR_OK) {
        *v = (struct value){.kind = VALUE_INT, .i = i};
        return true;
    }
    double d;
    if (str_to_double(number, &d))
        return false;
    if (unit.n && !str_eq(unit, s->unit)) {
        if (s->scale != 0 || !s->unit.n || !s->convert ||
            !s->convert(unit, s->unit, &other.scale, &other.offset))
            return false;
    }
    return set_number(&other, d, v);
}

/* --- booleans --- */

static const struct {
    const char *yes, *no;
} words[] = {
    {"true", "false"},
    {"on", "off"},
    {"1", "0"},
    {"yes", "no"},
    {"online", "offline"},
    {"open", "closed"},
    {"opened", "close"},
    {"active", "inactive"},
    {"enabled", "disabled"},
    {"enable", "disable"},
    {"detected", "clear"},
    {"pressed", "released"},
    {"locked", "unlocked"},
    {"lock", "unlock"},
    {"connected", "disconnected"},
    {"running", "stopped"},
    {"occupied", "unoccupied"},
    {"home", "not_home"},
    {"wet", "dry"},
    {"alarm", "normal"},
    {"up", "down"},
    {"y", "n"},
    {"t", "f"},
};

/* A property that is called like the word for no means the contrary: `closed`, `offline`. */
static bool usual_word(const struct scalar *s, struct str text, bool *b)
{
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        bool yes = str_same(text, str_from(words[i].yes));
        if (!yes && !str_same(text, str_from(words[i].no)))
            continue;
        *b = yes != str_same(s->name, str_from(words[i].no));
        return true;
    }
    return false;
}

static bool text_bool(const struct scalar *s, struct str text, struct value *v)
{
    bool yes = s->yes.n && str_same(text, s->yes), no = s->no.n && str_same(text, s->no);
    *v = (struct value){.kind = VALUE_BOOL, .b = yes};
    if (!s->yes.n && !s->no.n)
        return usual_word(s, text, &v->b);
    if (!s->yes.n)
        v->b = !no; /* whatever is not that word */
    return yes || no || !s->yes.n || !s->no.n;
}

/* --- all --- */

bool scalar_text(const struct scalar *s, struct str text, struct value *v)
{
    switch (s->kind) {
    case VALUE_BOOL: return text_bool(s, text, v);
    case VALUE_INT:
    case VALUE_FLOAT: return text_number(s, str_trim(text), v);
    case VALUE_STR:
        *v = (struct value){.kind = VALUE_STR, .s = text};
        return text.n <= TEXT_MAX && utf8_valid_nonul(text);
    case VALUE_NONE: break;
    }
    return false;
}

bool scalar_token(const struct scalar *s, const struct json_token *t, char text[TEXT_MAX],
                  struct value *v)
{
    struct str plain = t->raw;
    bool own_words = s->kind == VALUE_BOOL && (s->yes.n || s->no.n);
    switch (t->kind) {
    case JSON_NUMBER:
        if (s->kind == VALUE_STR || own_words)
            return scalar_text(s, t->raw, v);
        return token_number(s, t->raw, v);
    case JSON_TRUE:
    case JSON_FALSE:
        if (s->kind == VALUE_STR || own_words)
            return scalar_text(s, t->raw, v);
        *v = (struct value){.kind = VALUE_BOOL, .b = (t->kind == JSON_TRUE)};
        return s->kind == VALUE_BOOL;
    case JSON_STRING:
        if (t->escaped || s->kind == VALUE_STR) {
            if (json_unescape(t->raw, text, TEXT_MAX, &plain))
                return false;
        }
        return scalar_text(s, plain, v);
    default: return false;
    }
}
