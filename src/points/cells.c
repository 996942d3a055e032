/* What people write into the cells of such a table. */
#include "points/points_internal.h"

#include <math.h>
#include <string.h>

enum { TEXT_MAX = 64 };

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool letter(char c)
{
    c = str_lower(c);
    return c >= 'a' && c <= 'z';
}

/* Lower case, letters and digits only; "" if it is too long. */
static struct str squeeze(struct str s, char buf[TEXT_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (!letter(s.p[i]) && !digit(s.p[i]))
            continue;
        if (n == TEXT_MAX)
            return STR("");
        buf[n++] = str_lower(s.p[i]);
    }
    return (struct str){buf, n};
}

static bool contains(struct str s, const char *part)
{
    return s.n && memmem(s.p, s.n, part, strlen(part)) != NULL;
}

/* --- numbers --- */

/* Of , and . the last one is the decimal sign, if there is one of it: in "1.234.567" they stand
 * between thousands, and there are no decimals. 0: none. */
static char decimal_sign(struct str s)
{
    char last = 0;
    size_t times = 0;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == ',' || s.p[i] == '.') {
            times = s.p[i] == last ? times + 1 : 1;
            last = s.p[i];
        }
    return times == 1 ? last : 0;
}

/* Whether what stands at `at` has thousands on both sides: digits before, just three behind. */
static bool between_thousands(struct str s, size_t at)
{
    size_t n = 0;
    while (at + 1 + n < s.n && digit(s.p[at + 1 + n]))
        n++;
    return at > 0 && digit(s.p[at - 1]) && n == 3;
}

/* A second "," of "0,1,1" is a slip of the hand, and no number is made of it. */
bool cell_number(struct str s, double *out)
{
    char buf[TEXT_MAX];
    size_t n = 0;
    s = str_trim(s);
    char decimal = decimal_sign(s);
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (n == sizeof(buf))
            return false;
        if (c == decimal) {
            decimal = 0;
            buf[n++] = '.';
        } else if (c == ',' || c == '.' || c == '\'' || c == ' ') {
            if (!between_thousands(s, i))
                return false;
        } else {
            buf[n++] = c;
        }
    }
    if (n > 1 && buf[0] == '+')
        return digit(buf[1]) && str_to_double((struct str){buf + 1, n - 1}, out) == ERR_OK &&
               isfinite(*out);
    return n && str_to_double((struct str){buf, n}, out) == ERR_OK && isfinite(*out);
}

static bool divided(struct str s, size_t at, double *out)
{
    double a = 1, b;
    struct str left = str_trim(str_sub(s, 0, at));
    if (left.n && !cell_number(left, &a))
        return false;
    if (!cell_number(str_sub(s, at + 1, s.n), &b) || b == 0)
        return false;
    *out = a / b;
    return true;
}

static bool factor(struct str s, double *out)
{
    double e;
    size_t at;
    s = str_trim(s);
    if (str_starts(s, STR("10^")) && cell_number(str_sub(s, 3, s.n), &e)) {
        *out = pow(10, e);
        return true;
    }
    if (str_find(s, '/', &at) || str_find(s, ':', &at))
        return divided(s, at, out);
    if (str_starts(s, STR("÷"))) {
        if (!cell_number(str_sub(s, strlen("÷"), s.n), &e) || e == 0)
            return false;
        *out = 1 / e;
        return true;
    }
    if (str_starts(s, STR("×")))
        s = str_sub(s, strlen("×"), s.n);
    else if (s.n && (str_lower(s.p[0]) == 'x' || s.p[0] == '*'))
        s = str_sub(s, 1, s.n);
    return cell_number(s, out);
}

bool cell_scale(struct str s, double *out)
{
    return factor(s, out) && isfinite(*out) && *out != 0;
}

/* "0..100", "0 - 100", "-20…60", "0 to 100", "[0;100]" */
bool cell_range(struct str s, double *min, double *max)
{
    static const char *const signs[] = {"...", "…", "..", " to ", " bis ",
                                        ";",   "~", "–",  " - ",  "-"};
    s = str_trim(s);
    if (s.n > 1 && (s.p[0] == '[' || s.p[0] == '('))
        s = str_trim(str_sub(s, 1, s.n - 2));
    for (size_t i = 0; i < ARRAY_LEN(signs); i++) {
        size_t n = strlen(signs[i]);
        const char *at = s.n > 1 ? memmem(s.p + 1, s.n - 1, signs[i], n) : NULL;
        if (!at)
            continue;
        size_t from = (size_t)(at - s.p);
        if (cell_number(str_sub(s, 0, from), min) && cell_number(str_sub(s, from + n, s.n), max))
            return *min < *max;
    }
    return false;
}

bool cell_yes(struct str s)
{
    static const char *const words[] = {"x", "yes", "y", "true", "1", "safe", "ja", "j"};
    char buf[TEXT_MAX];
    struct str key = squeeze(s, buf);
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_eq(key, str_from(words[i])))
            return true;
    return str_eq(s, STR("✓")) || str_eq(s, STR("是"));
}

/* --- tables, orders --- */

static bool table_of_function(int64_t code, enum modbus_table *out)
{
    static const int8_t tables[] = {
        [1] = MODBUS_COIL, [2] = MODBUS_DISCRETE, [3] = MODBUS_HOLDING, [4] = MODBUS_INPUT,
        [5] = MODBUS_COIL, [6] = MODBUS_HOLDING,  [15] = MODBUS_COIL,   [16] = MODBUS_HOLDING};
    if (code < 1 || code > 16 || (code > 6 && code < 15))
        return false;
    *out = (enum modbus_table)tables[code];
    return true;
}

/* The first number of "FC03", "03 / 16", "0x04". */
static bool first_code(struct str s, int64_t *out)
{
    size_t from = 0;
    while (from < s.n && !digit(s.p[from]))
        from++;
    if (from + 1 < s.n && s.p[from] == '0' && str_lower(s.p[from + 1]) == 'x')
        from += 2;
    size_t to = from;
    while (to < s.n && digit(s.p[to]))
        to++;
    return to > from && str_to_i64(str_sub(s, from, to - from), out) == ERR_OK;
}

bool cell_table(struct str s, enum modbus_table *out)
{
    /* The first that occurs: "discrete input" before "input". */
    static const struct {
        const char *part;
        enum modbus_table table;
    } rows[] = {{"coil", MODBUS_COIL},          {"discreteout", MODBUS_COIL},
                {"digitalout", MODBUS_COIL},    {"discrete", MODBUS_DISCRETE},
                {"digitalin", MODBUS_DISCRETE}, {"inputstatus", MODBUS_DISCRETE},
                {"inputbit", MODBUS_DISCRETE},  {"holding", MODBUS_HOLDING},
                {"analogout", MODBUS_HOLDING},  {"inputreg", MODBUS_INPUT},
                {"analogin", MODBUS_INPUT}};
    static const struct {
        const char *word;
        enum modbus_table table;
    } words[] = {{"0x", MODBUS_COIL},      {"1x", MODBUS_DISCRETE},    {"3x", MODBUS_INPUT},
                 {"4x", MODBUS_HOLDING},   {"do", MODBUS_COIL},        {"co", MODBUS_COIL},
                 {"di", MODBUS_DISCRETE},  {"ai", MODBUS_INPUT},       {"ao", MODBUS_HOLDING},
                 {"hr", MODBUS_HOLDING},   {"ir", MODBUS_INPUT},       {"input", MODBUS_INPUT},
                 {"0xxxx", MODBUS_COIL},   {"1xxxx", MODBUS_DISCRETE}, {"3xxxx", MODBUS_INPUT},
                 {"4xxxx", MODBUS_HOLDING}};
    char buf[TEXT_MAX];
    struct str key = squeeze(s, buf);
    int64_t code;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_eq(key, str_from(words[i].word))) {
            *out = words[i].table;
            return true;
        }
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (contains(key, rows[i].part)) {
            *out = rows[i].table;
            return true;
        }
    bool named = str_starts(key, STR("fc")) || str_starts(key, STR("f")) || contains(key, "func");
    bool number = key.n && digit(key.p[0]);
    return (named || number) && first_code(s, &code) && table_of_function(code, out);
}

bool cell_order(struct str s, enum modbus_order *out)
{
    static const struct {
        const char *word;
        enum modbus_order order;
    } rows[] = {
        {"abcd", MODBUS_ABCD},         {"big", MODBUS_ABCD},
        {"bigendian", MODBUS_ABCD},    {"be", MODBUS_ABCD},
        {"msb", MODBUS_ABCD},          {"msbfirst", MODBUS_ABCD},
        {"mswfirst", MODBUS_ABCD},     {"highwordfirst", MODBUS_ABCD},
        {"hilo", MODBUS_ABCD},         {"normal", MODBUS_ABCD},
        {"no", MODBUS_ABCD},           {"none", MODBUS_ABCD},
        {"0123", MODBUS_ABCD},         {"1234", MODBUS_ABCD},
        {"cdab", MODBUS_CDAB},         {"wordswap", MODBUS_CDAB},
        {"wordswapped", MODBUS_CDAB},  {"swapped", MODBUS_CDAB},
        {"swap", MODBUS_CDAB},         {"yes", MODBUS_CDAB},
        {"lswfirst", MODBUS_CDAB},     {"lowwordfirst", MODBUS_CDAB},
        {"lohi", MODBUS_CDAB},         {"2301", MODBUS_CDAB},
        {"3412", MODBUS_CDAB},         {"bigendianswap", MODBUS_CDAB},
        {"wordinverse", MODBUS_CDAB},  {"inverse", MODBUS_CDAB},
        {"badc", MODBUS_BADC},         {"byteswap", MODBUS_BADC},
        {"byteswapped", MODBUS_BADC},  {"1032", MODBUS_BADC},
        {"2143", MODBUS_BADC},         {"littleendianswap", MODBUS_BADC},
        {"dcba", MODBUS_DCBA},         {"little", MODBUS_DCBA},
        {"littleendian", MODBUS_DCBA}, {"le", MODBUS_DCBA},
        {"lsb", MODBUS_DCBA},          {"lsbfirst", MODBUS_DCBA},
        {"3210", MODBUS_DCBA},         {"4321", MODBUS_DCBA},
    };
    char buf[TEXT_MAX];
    struct str key = squeeze(s, buf);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (str_eq(key, str_from(rows[i].word))) {
            *out = rows[i].order;
            return true;
        }
    return false;
}

/* --- types --- */

/* "float32 (cdab)", "uint32_swapped": the order at the end. */
static struct str take_order(struct str key, struct cell_type *out)
{
    static const char *const tails[] = {"cdab",      "badc",         "dcba",    "abcd",
                                        "wordswap",  "byteswap",     "swapped", "swap",
                                        "bigendian", "littleendian", "inverse", "lswfirst",
                                        "mswfirst",  "be",           "le"};
    for (size_t i = 0; i < ARRAY_LEN(tails); i++) {
        struct str tail = str_from(tails[i]);
        if (key.n > tail.n && str_ends(key, tail)) {
            out->has_order = cell_order(tail, &out->order);
            return str_sub(key, 0, key.n - tail.n);
        }
    }
    return key;
}

static const struct {
    const char *word;
    enum modbus_type type;
    bool generic;
} type_words[] = {
    {"bit", MODBUS_BIT, false},
    {"bool", MODBUS_BIT, false},
    {"boolean", MODBUS_BIT, false},
    {"binary", MODBUS_BIT, false},
    {"digital", MODBUS_BIT, false},
    {"flag", MODBUS_BIT, false},
    {"i16", MODBUS_I16, false},
    {"int16", MODBUS_I16, false},
    {"s16", MODBUS_I16, false},
    {"sint16", MODBUS_I16, false},
    {"short", MODBUS_I16, false},
    {"signed16", MODBUS_I16, false},
    {"16bitint", MODBUS_I16, false},
    {"16bitsigned", MODBUS_I16, false},
    {"signed16bit", MODBUS_I16, false},
    {"int16t", MODBUS_I16, false},
    {"u16", MODBUS_U16, false},
    {"uint16", MODBUS_U16, false},
    {"word", MODBUS_U16, false},
    {"ushort", MODBUS_U16, false},
    {"unsigned16", MODBUS_U16, false},
    {"16bituint", MODBUS_U16, false},
    {"16bitunsigned", MODBUS_U16, false},
    {"unsigned16bit", MODBUS_U16, false},
    {"uint16t", MODBUS_U16, false},
    {"enum", MODBUS_U16, false},
    {"enum16", MODBUS_U16, false},
    {"bitmap", MODBUS_U16, false},
    {"bitfield16", MODBUS_U16, false},
    {"16bit", MODBUS_U16, false},
    {"i32", MODBUS_I32, false},
    {"int32", MODBUS_I32, false},
    {"s32", MODBUS_I32, false},
    {"sint32", MODBUS_I32, false},
    {"dint", MODBUS_I32, false},
    {"long", MODBUS_I32, false},
    {"signed32", MODBUS_I32, false},
    {"32bitsigned", MODBUS_I32, false},
    {"32bitint", MODBUS_I32, false},
    {"int32t", MODBUS_I32, false},
    {"u32", MODBUS_U32, false},
    {"uint32", MODBUS_U32, false},
    {"dword", MODBUS_U32, false},
    {"udint", MODBUS_U32, false},
    {"ulong", MODBUS_U32, false},
    {"unsigned32", MODBUS_U32, false},
    {"32bitunsigned", MODBUS_U32, false},
    {"32bituint", MODBUS_U32, false},
    {"acc32", MODBUS_U32, false},
    {"bitfield32", MODBUS_U32, false},
    {"uint32t", MODBUS_U32, false},
    {"i64", MODBUS_I64, false},
    {"int64", MODBUS_I64, false},
    {"s64", MODBUS_I64, false},
    {"sint64", MODBUS_I64, false},
    {"lint", MODBUS_I64, false},
    {"longlong", MODBUS_I64, false},
    {"u64", MODBUS_U64, false},
    {"uint64", MODBUS_U64, false},
    {"ulint", MODBUS_U64, false},
    {"qword", MODBUS_U64, false},
    {"lword", MODBUS_U64, false},
    {"acc64", MODBUS_U64, false},
    {"f32", MODBUS_F32, false},
    {"float32", MODBUS_F32, false},
    {"real", MODBUS_F32, true},
    {"single", MODBUS_F32, false},
    {"ieee754", MODBUS_F32, true},
    {"32bitfloat", MODBUS_F32, false},
    {"float32bit", MODBUS_F32, false},
    {"real32", MODBUS_F32, false},
    {"f64", MODBUS_F64, false},
    {"float64", MODBUS_F64, false},
    {"double", MODBUS_F64, false},
    {"lreal", MODBUS_F64, false},
    {"64bitfloat", MODBUS_F64, false},
    {"real64", MODBUS_F64, false},
    {"int", MODBUS_I16, true},
    {"integer", MODBUS_I16, true},
    {"signed", MODBUS_I16, true},
    {"signedint", MODBUS_I16, true},
    {"uint", MODBUS_U16, true},
    {"unsigned", MODBUS_U16, true},
    {"unsignedint", MODBUS_U16, true},
    {"unsignedinteger", MODBUS_U16, true},
    {"float", MODBUS_F32, true},
    {"floatingpoint", MODBUS_F32, true},
    {"ieee754float", MODBUS_F32, true},
};

enum cell_type_kind cell_type(struct str s, struct cell_type *out)
{
    static const char *const texts[] = {"string", "str", "text",     "ascii", "char",
                                        "utf8",   "bcd", "datetime", "bytes"};
    char buf[TEXT_MAX];
    struct str key = squeeze(s, buf);
    *out = (struct cell_type){0};
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < ARRAY_LEN(type_words); i++) {
            if (!str_eq(key, str_from(type_words[i].word)))
                continue;
            out->type = type_words[i].type;
            out->generic = type_words[i].generic;
            return TYPE_NUMBER;
        }
        key = take_order(key, out);
    }
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (str_starts(key, str_from(texts[i])))
            return TYPE_TEXT;
    return TYPE_UNKNOWN;
}

bool cell_type_sized(struct cell_type *t, unsigned registers)
{
    static const enum modbus_type sized[3][3] = {{MODBUS_I16, MODBUS_I32, MODBUS_I64},
                                                 {MODBUS_U16, MODBUS_U32, MODBUS_U64},
                                                 {MODBUS_F32, MODBUS_F32, MODBUS_F64}};
    if (!t->generic || registers == 0)
        return registers == 0 || modbus_type_size(t->type) == registers;
    unsigned family = t->type == MODBUS_I16 ? 0 : t->type == MODBUS_U16 ? 1 : 2;
    if (registers != 1 && registers != 2 && registers != 4)
        return false;
    enum modbus_type type = sized[family][registers == 4 ? 2 : registers - 1];
    if (modbus_type_size(type) != registers)
        return false;
    t->type = type;
    return true;
}

/* --- addresses --- */

struct prefix {
    const char *text; /* lower case */
    enum modbus_table table;
    bool exact, from_one;
};
static const struct prefix prefixes[] = {
    {"%mw", MODBUS_HOLDING, true, false},  {"%md", MODBUS_HOLDING, true, false},
    {"%mf", MODBUS_HOLDING, true, false},  {"%iw", MODBUS_INPUT, true, false},
    {"%qw", MODBUS_HOLDING, true, false},  {"%m", MODBUS_COIL, true, false},
    {"%q", MODBUS_COIL, true, false},      {"%i", MODBUS_DISCRETE, true, false},
    {"4x", MODBUS_HOLDING, false, true},   {"3x", MODBUS_INPUT, false, true},
    {"1x", MODBUS_DISCRETE, false, true},  {"0x:", MODBUS_COIL, false, true},
    {"hr", MODBUS_HOLDING, false, false},  {"ir", MODBUS_INPUT, false, false},
    {"di", MODBUS_DISCRETE, false, false}, {"do", MODBUS_COIL, false, false},
    {"co", MODBUS_COIL, false, false},     {"mw", MODBUS_HOLDING, true, false},
};

static bool starts_like(struct str s, const char *prefix)
{
    size_t n = strlen(prefix);
    for (size_t i = 0; i < n; i++)
        if (i >= s.n || str_lower(s.p[i]) != prefix[i])
            return false;
    return true;
}

/* "4x0001", "%MW100", "HR 5": without the letters. */
static struct str take_prefix(struct str s, struct cell_address *out)
{
    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
        const struct prefix *p = &prefixes[i];
        if (!starts_like(s, p->text))
            continue;
        out->has_table = true;
        out->table = p->table;
        out->exact = p->exact;
        out->from_one = p->from_one;
        s = str_sub(s, strlen(p->text), s.n);
        while (s.n && strchr(" _:-", s.p[0]))
            s = str_sub(s, 1, s.n);
        return s;
    }
    return s;
}

static bool take_number(struct str *s, bool hex, uint32_t *out, unsigned *digits)
{
    uint64_t v = 0;
    size_t n = 0;
    for (; n < s->n; n++) {
        int d = str_hex_digit(s->p[n]);
        if (d < 0 || (!hex && d > 9))
            break;
        v = v * (hex ? 16 : 10) + (unsigned)d;
        if (v > 9999999)
            return false;
    }
    *s = str_sub(*s, n, s->n);
    *out = (uint32_t)v;
    *digits = (unsigned)n;
    return n > 0;
}

/* 0x10, 16#10, 10h: the digits, and whether they are hexadecimal. */
static struct str take_hex(struct str s, bool *hex)
{
    if (starts_like(s, "0x") || starts_like(s, "16#")) {
        *hex = true;
        return str_sub(s, s.p[0] == '0' ? 2 : 3, s.n);
    }
    size_t n = 0;
    while (n < s.n && str_hex_digit(s.p[n]) >= 0)
        n++;
    if (n > 0 && n + 1 == s.n && str_lower(s.p[n]) == 'h') {
        *hex = true;
        return str_sub(s, 0, n);
    }
    return s;
}

/* ".3", ":3", "/3", ".X3": a bit; "-40002": the last register. */
static bool take_rest(struct str s, struct cell_address *out)
{
    unsigned digits;
    uint32_t n;
    if (s.n == 0)
        return true;
    char sign = s.p[0];
    s = str_trim(str_sub(s, 1, s.n));
    if (sign == '-' || str_starts(s, STR("\x80\x93"))) { /* – is E2 80 93 */
        if (sign != '-')
            s = str_sub(s, 2, s.n);
        return take_number(&s, false, &out->last, &digits) && s.n == 0 && out->last >= out->number;
    }
    if (!sign || !strchr(".:/", sign))
        return false;
    if (s.n && str_lower(s.p[0]) == 'x')
        s = str_sub(s, 1, s.n);
    if (!take_number(&s, false, &n, &digits) || s.n || n > 15)
        return false;
    out->bit = (int)n;
    return true;
}

bool cell_address(struct str s, bool hex, struct cell_address *out)
{
    bool is_hex = hex;
    *out = (struct cell_address){.bit = -1};
    s = take_prefix(str_trim(s), out);
    if (!out->has_table)
        s = take_hex(s, &is_hex);
    out->exact = out->exact || is_hex;
    if (!take_number(&s, is_hex, &out->number, &out->digits))
        return false;
    out->last = out->number;
    return take_rest(str_trim(s), out);
}

bool cell_modicon(const struct cell_address *a, enum modbus_table *table, uint32_t *number)
{
    static const int8_t tables[] = {MODBUS_COIL, MODBUS_DISCRETE, -1, MODBUS_INPUT, MODBUS_HOLDING};
    if (a->has_table || a->exact || a->digits < 5 || a->digits > 6)
        return false;
    uint32_t unit = a->digits == 5 ? 10000 : 100000, lead = a->number / unit;
    if (lead >= ARRAY_LEN(tables) || tables[lead] < 0 || a->number % unit == 0)
        return false;
    *table = (enum modbus_table)tables[lead];
    *number = a->number % unit;
    return true;
}
