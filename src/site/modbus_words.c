/* The words of a Modbus mapping: table, address, form, and what is written. */
#include "site/modbus_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ADDRESS_END = 65536 };
#define TABLES "coil, discrete (bits); input, holding (registers)"

static const char *const tables[] = {"coil", "discrete", "holding", "input", NULL};
static const char *const orders[] = {"abcd", "cdab", "badc", "dcba", NULL};
static const char *const words[] = {"bit", "i16",   "u16",   "i32",   "u32",    "i64", "u64",
                                    "f32", "f64",   "order", "scale", "offset", "as",  "on",
                                    "off", "value", "arg",   "then",  NULL};

static bool more(const struct modbus_words *w)
{
    return w->at < w->m->words_n;
}

static struct str word(const struct modbus_words *w)
{
    return more(w) ? w->m->words[w->at] : STR("");
}

/* Of the word at hand; behind the last one it is the last one's. */
static struct lang_span place(const struct modbus_words *w)
{
    return w->m->spans[more(w) ? w->at : w->m->words_n - 1];
}

static bool take(struct modbus_words *w, const char *text)
{
    if (!str_eq(word(w), str_from(text)))
        return false;
    w->at++;
    return true;
}

static bool missing(struct modbus_words *w, const char *what, const char *example)
{
    struct lang_diag *d =
        modbus_fault(w->r, place(w), "behind this", "%s is missing in the mapping of `%.*s`", what,
                     STR_FMT(w->m->member));
    modbus_fault_help(w->r, d, "as in:  %.*s = %s", STR_FMT(w->m->member), example);
    return false;
}

static bool unknown(struct modbus_words *w, const char *what, const char *const *names,
                    const char *all)
{
    struct lang_diag *d = modbus_fault(w->r, place(w), "not known here", "there is no %s `%.*s`",
                                       what, STR_FMT(word(w)));
    const char *near = w->r->c ? lang_report_nearest(w->r->c, word(w), names) : NULL;
    if (near)
        modbus_fault_help(w->r, d, "did you mean `%s`?", near);
    else
        modbus_fault_help(w->r, d, "known are %s", all);
    return false;
}

/* [-] number; the language has left it as text, with _ between digits. */
static bool take_number(struct modbus_words *w, double *out)
{
    size_t from = w->at;
    bool minus = take(w, "-");
    char text[64];
    size_t n = 0;
    struct str s = word(w);
    for (size_t i = 0; i < s.n && n < sizeof(text); i++)
        if (s.p[i] != '_')
            text[n++] = s.p[i];
    if (s.n == 0 || n == sizeof(text) || str_to_double((struct str){text, n}, out)) {
        w->at = from;
        return false;
    }
    w->at++;
    *out = minus ? -*out : *out;
    return true;
}

static bool take_whole(struct modbus_words *w, const char *what, double max, const char *example,
                       uint32_t *out)
{
    struct lang_span at = place(w);
    double d;
    if (!more(w))
        return missing(w, what, example);
    if (!take_number(w, &d)) {
        struct lang_diag *diag = modbus_fault(w->r, at, "a number is wanted here",
                                              "%s is a number, not `%.*s`", what, STR_FMT(word(w)));
        modbus_fault_help(w->r, diag, "as in:  %.*s = %s", STR_FMT(w->m->member), example);
        return false;
    }
    if (d < 0 || d > max || d != floor(d)) {
        struct lang_diag *diag =
            modbus_fault(w->r, at, "out of range", "%s is a whole number, 0 to %.0f", what, max);
        if (max > 15)
            modbus_fault_help(w->r, diag,
                              "addresses are those of the protocol, from 0: register 40001 of a "
                              "manual is `holding 0`, 30001 is `input 0`, 10001 `discrete 0`");
        return false;
    }
    *out = (uint32_t)d;
    return true;
}

static bool take_bit(struct modbus_words *w, struct modbus_said *s)
{
    uint32_t bit;
    if (modbus_table_is_bits(s->place.table))
        return true; /* `coil 4 bit` says what is so anyway; a number behind it is no word */
    if (!take_whole(w, "the number of the bit", 15, "holding 7 bit 3", &bit))
        return false;
    s->place.form.bit = (uint8_t)bit;
    return true;
}

static bool take_factor(struct modbus_words *w, const char *what, double *out)
{
    struct lang_span at = place(w);
    if (!more(w))
        return missing(w, what, "input 0 i16 scale 0.1 offset -40");
    if (take_number(w, out) && isfinite(*out))
        return true;
    (void)modbus_fault(w->r, at, "a number is wanted here", "%s is a number", what);
    return false;
}

static bool take_scale(struct modbus_words *w, struct modbus_said *s)
{
    struct lang_span at = place(w);
    if (!take_factor(w, "the scale", &s->place.form.scale))
        return false;
    if (s->place.form.scale != 0)
        return true;
    (void)modbus_fault(w->r, at, "zero", "a scale of 0 would make all values equal");
    return false;
}

static bool take_order(struct modbus_words *w, struct modbus_said *s)
{
    int order = modbus_order_from(word(w));
    if (!more(w))
        return missing(w, "the order of the bytes", "holding 10 u32 order cdab");
    if (order < 0)
        return unknown(w, "order", orders,
                       "abcd (high byte first, as the standard has it), cdab (low register first), "
                       "badc, dcba");
    w->at++;
    s->place.form.order = (enum modbus_order)order;
    return true;
}

static bool take_unit(struct modbus_words *w, struct modbus_said *s)
{
    s->unit_span = place(w);
    if (!more(w))
        return missing(w, "the unit", "input 0 i16 as °F");
    if (lang_unit_parse(word(w), &s->unit)) {
        struct lang_diag *d =
            modbus_fault(w->r, place(w), "not known", "there is no unit `%.*s`", STR_FMT(word(w)));
        modbus_fault_help(w->r, d,
                          "docs/language.md lists them; those with signs stand in quotes: "
                          "as \"l/min\"");
        return false;
    }
    w->at++;
    s->converts = true;
    return true;
}

static bool take_value(struct modbus_words *w, struct modbus_said *s)
{
    if (s->value != SAID_NOTHING) {
        (void)modbus_fault(w->r, place(w), "a second one",
                           "one value is written; join several writes with `then`");
        return false;
    }
    s->value_span = place(w);
    if (take(w, "on")) {
        s->value = SAID_ON;
    } else if (take(w, "off")) {
        s->value = SAID_OFF;
    } else if (take(w, "value")) {
        s->value = SAID_NUMBER;
        s->value_span = place(w);
        return take_factor(w, "the value", &s->number);
    } else {
        (void)take(w, "arg");
        if (!more(w))
            return missing(w, "the parameter's name", "holding 20 arg target");
        s->value = SAID_ARG;
        s->value_span = place(w);
        s->arg = word(w);
        w->at++;
    }
    return true;
}

static bool take_type(struct modbus_words *w, struct modbus_said *s, int type)
{
    if (s->typed) {
        (void)modbus_fault(w->r, place(w), "a second one", "a point has one type");
        return false;
    }
    w->at++;
    s->typed = true;
    s->place.form.type = (enum modbus_type)type;
    return type != MODBUS_BIT || take_bit(w, s);
}

/* One word behind the address, with what belongs to it. */
static bool take_option(struct modbus_words *w, struct modbus_said *s)
{
    struct str at = word(w);
    int type = modbus_type_from(at);
    if (type >= 0)
        return take_type(w, s, type);
    if (take(w, "scale"))
        return take_scale(w, s);
    if (take(w, "offset"))
        return take_factor(w, "the offset", &s->place.form.offset);
    if (take(w, "order"))
        return take_order(w, s);
    if (take(w, "as"))
        return take_unit(w, s);
    if (str_eq(at, STR("on")) || str_eq(at, STR("off")) || str_eq(at, STR("value")) ||
        str_eq(at, STR("arg")))
        return take_value(w, s);
    return unknown(w, "type or word", words,
                   "the types bit i16 u16 i32 u32 i64 u64 f32 f64; order, scale, offset, as; for "
                   "actions on, off, value, arg, then");
}

static bool take_table(struct modbus_words *w, struct modbus_said *s)
{
    int table = modbus_table_from(word(w));
    if (table < 0)
        return unknown(w, "table", tables, TABLES);
    w->at++;
    s->place.table = (enum modbus_table)table;
    s->place.form =
        (struct modbus_form){.type = modbus_table_is_bits(s->place.table) ? MODBUS_BIT : MODBUS_U16,
                             .order = w->r->order,
                             .scale = 1};
    return true;
}

static bool place_fits(struct modbus_words *w, const struct modbus_said *s)
{
    struct error e = {0};
    if (!modbus_place_check(&s->place, false, &e))
        return true;
    (void)modbus_fault(w->r, s->place_span, "not there", "%s", e.text);
    return false;
}

static struct lang_span join(struct lang_span a, struct lang_span b)
{
    return (struct lang_span){a.source, a.from, b.to};
}

bool modbus_words_next(struct modbus_words *w, struct modbus_said *out)
{
    uint32_t address;
    if (!more(w))
        return false;
    struct lang_span from = place(w);
    *out = (struct modbus_said){.span = from};
    if (!take_table(w, out) ||
        !take_whole(w, "an address", ADDRESS_END - 1, "input 0 f32 scale 0.001", &address))
        return false;
    out->place.address = (uint16_t)address;
    out->place_span = join(from, w->m->spans[w->at - 1]);
    while (more(w) && !str_eq(word(w), STR("then")))
        if (!take_option(w, out))
            return false;
    out->span = join(from, w->m->spans[w->at - 1]);
    if (take(w, "then") && !more(w))
        return missing(w, "a second write", "holding 20 arg target then coil 5 on");
    return place_fits(w, out);
}
