#include "bus/sample.h"

void value_encode(struct writer *w, const struct value *v)
{
    writer_u8(w, (uint8_t)v->kind);
    if (v->kind == VALUE_BOOL)
        writer_u8(w, v->b);
    else if (v->kind == VALUE_INT)
        writer_svarint(w, v->i);
    else if (v->kind == VALUE_FLOAT)
        writer_f64le(w, v->f);
    else if (v->kind == VALUE_STR)
        writer_str16(w, v->s);
}

struct value value_decode(struct cursor *c)
{
    struct value v = {.kind = (enum value_kind)cursor_u8(c)};
    if (v.kind == VALUE_BOOL)
        v.b = cursor_u8(c) != 0;
    else if (v.kind == VALUE_INT)
        v.i = cursor_svarint(c);
    else if (v.kind == VALUE_FLOAT)
        v.f = cursor_f64le(c);
    else if (v.kind == VALUE_STR)
        v.s = cursor_str16(c);
    else
        v.kind = VALUE_NONE;
    return v;
}
