#include "codec/modbus.h"

#include <math.h>

/* Numbers in registers, and the words for them. */

static int word_from(const char *const *names, size_t n, struct str word)
{
    for (size_t i = 0; i < n; i++) {
        if (str_eq(word, str_from(names[i])))
            return (int)i;
    }
    return -1;
}

static const char *const table_names[] = {"coil", "discrete", "holding", "input"};
static const char *const type_names[] = {"bit", "i16", "u16", "i32", "u32",
                                         "i64", "u64", "f32", "f64"};
static const char *const order_names[] = {"abcd", "cdab", "badc", "dcba"};

int modbus_table_from(struct str word)
{
    return word_from(table_names, ARRAY_LEN(table_names), word);
}

int modbus_type_from(struct str word)
{
    return word_from(type_names, ARRAY_LEN(type_names), word);
}

int modbus_order_from(struct str word)
{
    return word_from(order_names, ARRAY_LEN(order_names), word);
}

const char *modbus_table_name(enum modbus_table t)
{
    return table_names[t];
}

const char *modbus_type_name(enum modbus_type t)
{
    return type_names[t];
}

const char *modbus_order_name(enum modbus_order o)
{
    return order_names[o];
}

enum modbus_function modbus_read_function(enum modbus_table t)
{
    static const enum modbus_function functions[] = {
        [MODBUS_COIL] = MODBUS_READ_COILS,
        [MODBUS_DISCRETE] = MODBUS_READ_DISCRETE,
        [MODBUS_HOLDING] = MODBUS_READ_HOLDING,
        [MODBUS_INPUT] = MODBUS_READ_INPUT,
    };
    return functions[t];
}

unsigned modbus_type_size(enum modbus_type t)
{
    switch (t) {
    case MODBUS_BIT:
    case MODBUS_I16:
    case MODBUS_U16: return 1;
    case MODBUS_I32:
    case MODBUS_U32:
    case MODBUS_F32: return 2;
    case MODBUS_I64:
    case MODBUS_U64:
    case MODBUS_F64: return 4;
    }
    return 1;
}

/* --- bytes to bits and back --- */

/* The place of byte i (0: the highest of the number) among `size` bytes. */
static unsigned place_of(enum modbus_order o, unsigned size, unsigned i)
{
    bool low_register_first = o == MODBUS_CDAB || o == MODBUS_DCBA;
    bool low_byte_first = o == MODBUS_BADC || o == MODBUS_DCBA;
    unsigned at = low_register_first ? size - 2 - (i & ~1u) : i & ~1u;
    return at + ((i & 1) ^ (low_byte_first ? 1 : 0));
}

static uint64_t gather(const struct modbus_form *form, const uint8_t *at)
{
    unsigned size = 2 * modbus_type_size(form->type);
    uint64_t raw = 0;
    for (unsigned i = 0; i < size; i++)
        raw = raw << 8 | at[place_of(form->order, size, i)];
    return raw;
}

static void scatter(const struct modbus_form *form, uint64_t raw, uint8_t *at)
{
    unsigned size = 2 * modbus_type_size(form->type);
    for (unsigned i = 0; i < size; i++)
        at[place_of(form->order, size, i)] = (uint8_t)(raw >> 8 * (size - 1 - i));
}

/* --- reading --- */

/* The shortest decimal number that is this float: a meter that says 230.1 in 32 bits means 230.1,
 * and not the 230.10000610351562 that its float is in 64. 10^p and the digits are exact in a
 * double, so that the quotient is the one nearest to the decimal. The very small and the very large
 * stay. */
static double shortest(float f)
{
    double d = (double)f, size = fabs(d);
    if (!(size >= 1e-9 && size < 1e6))
        return d;
    int before = (int)floor(log10(size)) + 1;
    for (int digits = 6; digits <= 9; digits++) {
        double p = pow(10, digits - before), r = round(d * p) / p;
        if ((float)r == f)
            return r;
    }
    return d;
}

static double float_of(enum modbus_type t, uint64_t raw)
{
    double d;
    float f;
    uint32_t low = (uint32_t)raw;
    if (t == MODBUS_F64) {
        memcpy(&d, &raw, sizeof(d));
        return d;
    }
    memcpy(&f, &low, sizeof(f));
    return shortest(f);
}

static struct modbus_number integer(int64_t i)
{
    return (struct modbus_number){.i = i, .f = (double)i};
}

static struct modbus_number real(double f)
{
    return (struct modbus_number){.is_float = true, .f = f};
}

static struct modbus_number number_of(const struct modbus_form *form, uint64_t raw)
{
    switch (form->type) {
    case MODBUS_BIT: return integer(raw >> (form->bit & 15) & 1);
    case MODBUS_I16: return integer((int16_t)raw);
    case MODBUS_I32: return integer((int32_t)raw);
    case MODBUS_I64:
    case MODBUS_U16:
    case MODBUS_U32: return integer((int64_t)raw);
    case MODBUS_U64: return raw > INT64_MAX ? real((double)raw) : integer((int64_t)raw);
    case MODBUS_F32:
    case MODBUS_F64: return real(float_of(form->type, raw));
    }
    return integer(0);
}

static double scale_of(const struct modbus_form *form)
{
    return form->scale != 0 ? form->scale : 1;
}

static bool is_scaled(const struct modbus_form *form)
{
    return scale_of(form) != 1 || form->offset != 0;
}

/* 234 × 0.1 is 23.400000000000002, 234 / 10 is 23.4: what people write as a scale is mostly one
 * part of a whole number. */
static double scaled(const struct modbus_form *form, double raw)
{
    double scale = scale_of(form), parts = 1 / fabs(scale);
    if (parts > 1 && parts < 1e15) {
        parts = (double)(int64_t)(parts + 0.5);
        if (parts * fabs(scale) == 1)
            return (scale < 0 ? -raw : raw) / parts + form->offset;
    }
    return raw * scale + form->offset;
}

enum err modbus_decode_number(const struct modbus_form *form, const uint8_t *at,
                              struct modbus_number *out)
{
    *out = number_of(form, gather(form, at));
    if (is_scaled(form))
        *out = real(scaled(form, out->f));
    return isfinite(out->f) ? ERR_OK : ERR_RANGE;
}

/* --- writing --- */

static enum err store_float(const struct modbus_form *form, double v, uint8_t *at)
{
    uint64_t raw = 0;
    uint32_t low;
    float f = (float)v;
    if (!isfinite(v) || (form->type == MODBUS_F32 && !isfinite(f)))
        return ERR_RANGE;
    if (form->type == MODBUS_F64) {
        memcpy(&raw, &v, sizeof(v));
    } else {
        memcpy(&low, &f, sizeof(f));
        raw = low;
    }
    scatter(form, raw, at);
    return ERR_OK;
}

/* The bounds of the integer types, as doubles: min <= v < end. */
static bool fits(enum modbus_type t, double v)
{
    static const struct {
        double min, end;
    } bounds[] = {
        [MODBUS_I16] = {-0x1p15, 0x1p15}, [MODBUS_U16] = {0, 0x1p16},
        [MODBUS_I32] = {-0x1p31, 0x1p31}, [MODBUS_U32] = {0, 0x1p32},
        [MODBUS_I64] = {-0x1p63, 0x1p63}, [MODBUS_U64] = {0, 0x1p64},
    };
    return v >= bounds[t].min && v < bounds[t].end;
}

static enum err store_integer(const struct modbus_form *form, const struct modbus_number *v,
                              uint8_t *at)
{
    if (!v->is_float && !is_scaled(form)) { /* no detour, which could round it */
        bool negative_fits = form->type != MODBUS_U64 || v->i >= 0;
        bool wide = form->type == MODBUS_I64 || form->type == MODBUS_U64;
        if (!negative_fits || (!wide && !fits(form->type, (double)v->i)))
            return ERR_RANGE;
        scatter(form, (uint64_t)v->i, at);
        return ERR_OK;
    }
    double raw = nearbyint((v->f - form->offset) / scale_of(form));
    if (!fits(form->type, raw)) /* also if it is no number */
        return ERR_RANGE;
    scatter(form, form->type == MODBUS_U64 ? (uint64_t)raw : (uint64_t)(int64_t)raw, at);
    return ERR_OK;
}

enum err modbus_encode_number(const struct modbus_form *form, const struct modbus_number *v,
                              uint8_t *at)
{
    if (form->type == MODBUS_F32 || form->type == MODBUS_F64)
        return store_float(form, (v->f - form->offset) / scale_of(form), at);
    if (form->type != MODBUS_BIT)
        return store_integer(form, v, at);
    if (!isfinite(v->f)) /* != 0, and yet no reason to open a valve */
        return ERR_RANGE;
    uint64_t mask = UINT64_C(1) << (form->bit & 15), raw = gather(form, at);
    scatter(form, v->f != 0 ? raw | mask : raw & ~mask, at);
    return ERR_OK;
}
