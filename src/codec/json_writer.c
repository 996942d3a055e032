#include "codec/json.h"

void json_writer_init(struct json_writer *w, struct strbuf *b)
{
    *w = (struct json_writer){.b = b};
}

static bool in_object(const struct json_writer *w)
{
    return w->depth > 0 && (w->objects >> (w->depth - 1) & 1);
}

/* What stands before a value: a comma between elements, nothing behind a key. */
static void before_value(struct json_writer *w)
{
    ASSERT(in_object(w) == w->keyed);
    ASSERT(w->depth > 0 || !w->comma); /* one value is a document */
    if (w->comma && !w->keyed)
        strbuf_addc(w->b, ',');
    w->comma = true;
    w->keyed = false;
}

static void begin(struct json_writer *w, bool object)
{
    before_value(w);
    ASSERT(w->depth < JSON_DEPTH_MAX);
    uint32_t bit = (uint32_t)1 << w->depth++;
    w->objects = object ? w->objects | bit : w->objects & ~bit;
    w->comma = false;
    strbuf_addc(w->b, object ? '{' : '[');
}

static void end(struct json_writer *w, bool object)
{
    ASSERT(w->depth > 0 && in_object(w) == object && !w->keyed);
    w->depth--;
    w->comma = true;
    strbuf_addc(w->b, object ? '}' : ']');
}

void json_object_begin(struct json_writer *w)
{
    begin(w, true);
}
void json_object_end(struct json_writer *w)
{
    end(w, true);
}
void json_array_begin(struct json_writer *w)
{
    begin(w, false);
}
void json_array_end(struct json_writer *w)
{
    end(w, false);
}

void json_key_str(struct json_writer *w, struct str key)
{
    ASSERT(in_object(w) && !w->keyed);
    if (w->comma)
        strbuf_addc(w->b, ',');
    strbuf_add_json(w->b, key);
    strbuf_addc(w->b, ':');
    w->keyed = true;
}

void json_key(struct json_writer *w, const char *key)
{
    json_key_str(w, str_from(key));
}

void json_str(struct json_writer *w, struct str s)
{
    before_value(w);
    if (s.p)
        strbuf_add_json(w->b, s);
    else
        strbuf_adds(w->b, "null");
}

void json_cstr(struct json_writer *w, const char *s)
{
    json_str(w, s ? str_from(s) : (struct str){0});
}

void json_int(struct json_writer *w, int64_t v)
{
    before_value(w);
    strbuf_add_i64(w->b, v);
}

void json_double(struct json_writer *w, double v)
{
    before_value(w);
    strbuf_add_double(w->b, v);
}

void json_bool(struct json_writer *w, bool v)
{
    before_value(w);
    strbuf_adds(w->b, v ? "true" : "false");
}

void json_null(struct json_writer *w)
{
    before_value(w);
    strbuf_adds(w->b, "null");
}

void json_raw(struct json_writer *w, struct str json)
{
    before_value(w);
    strbuf_addstr(w->b, json);
}
