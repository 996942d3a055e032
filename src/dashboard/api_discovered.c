/* api_discovered: the topics that no device claims, and those of devices that could not be read. */
#include "adopt/shape.h"
#include "codec/mqtt.h"
#include "dashboard/dashboard_internal.h"

enum { VALUES_IN_LIST = 8, TOPIC_BYTES_MAX = 1024 };

static void member_str(struct json_writer *w, const char *key, struct str s)
{
    json_key(w, key);
    json_str(w, s);
}

static void member_count(struct json_writer *w, const char *key, uint64_t n)
{
    json_key(w, key);
    json_int(w, (int64_t)n);
}

/* --- fields --- */

static const char *type_of(const struct observed_field *f)
{
    uint64_t said = f->count - f->of[OBSERVED_NULL];
    if (!said)
        return "null";
    if (f->of[OBSERVED_NUMBER] == said)
        return f->whole == said ? "integer" : "number";
    if (f->of[OBSERVED_BOOL] == said)
        return "boolean";
    return f->of[OBSERVED_TEXT] == said ? "text" : "mixed";
}

static void write_observed(struct json_writer *w, const struct observed_field *f,
                           const struct observed_value *v, bool last)
{
    switch (v->kind) {
    case OBSERVED_NULL: json_null(w); break;
    case OBSERVED_BOOL: json_bool(w, v->number != 0); break;
    case OBSERVED_NUMBER: json_double(w, v->number); break;
    case OBSERVED_TEXT:
        if (last && f->words)
            json_str(w, (struct str){f->words->last, f->words->last_n});
        else if (f->words && v->word >= 0)
            json_str(w, observed_word(f, (size_t)v->word));
        else
            json_null(w);
        break;
    }
}

static void write_bound(struct json_writer *w, const char *key, const struct observed_field *f,
                        double bound)
{
    json_key(w, key);
    if (f->of[OBSERVED_NUMBER])
        json_double(w, bound);
    else
        json_null(w);
}

static void write_words(struct json_writer *w, const struct observed_field *f)
{
    json_key(w, "words");
    if (!f->words || f->words->more) {
        json_null(w);
        return;
    }
    json_array_begin(w);
    for (size_t i = 0; i < f->words->n; i++)
        json_str(w, observed_word(f, i));
    json_array_end(w);
}

static void write_values(struct json_writer *w, const struct observed_field *f, size_t values)
{
    size_t from = f->value_n > values ? f->value_n - values : 0;
    json_key(w, "last");
    write_observed(w, f, observed_at(f, f->value_n - 1), true);
    json_key(w, "values");
    json_array_begin(w);
    for (size_t i = from; i < f->value_n; i++) {
        const struct observed_value *v = observed_at(f, i);
        json_array_begin(w);
        json_int(w, v->ts_ms);
        write_observed(w, f, v, i + 1 == f->value_n);
        json_array_end(w);
    }
    json_array_end(w);
}

static void write_field(struct json_writer *w, const struct observed_field *f, size_t values)
{
    json_object_begin(w);
    member_str(w, "path", observed_path(f));
    member_str(w, "type", str_from(type_of(f)));
    member_count(w, "count", f->count);
    write_bound(w, "min", f, f->min);
    write_bound(w, "max", f, f->max);
    write_words(w, f);
    write_values(w, f, values);
    json_object_end(w);
}

/* --- topics --- */

static bool is_there(void *ctx, struct str topic)
{
    return registry_discovered_find(ctx, topic) != NULL;
}

static void write_error(struct json_writer *w, const struct discovered *t)
{
    member_count(w, "unreadable", t->unreadable);
    json_key(w, "error");
    if (!t->error.reason[0]) {
        json_null(w);
        return;
    }
    json_object_begin(w);
    member_str(w, "path", str_from(t->error.path));
    member_count(w, "at", t->error.at);
    member_str(w, "reason", str_from(t->error.reason));
    json_object_end(w);
}

void json_write_discovered(struct json_writer *w, struct registry *r, const struct discovered *t,
                           size_t values)
{
    static const char *const kinds[] = {"json", "number", "text", "binary"};
    const struct adopt_topics all = {is_there, r};
    json_object_begin(w);
    member_str(w, "topic", t->topic);
    member_count(w, "count", t->count);
    json_write_ms(w, "first_ms", t->first_ms);
    json_write_ms(w, "last_ms", t->last_ms);
    member_str(w, "kind", str_from(kinds[t->kind]));
    member_str(w, "payload", (struct str){t->payload, t->payload_len});
    const struct device *device = registry_topic_device(r, t->topic);
    json_key(w, "device");
    json_str(w, device ? device->name : (struct str){0});
    write_error(w, t);
    json_key(w, "shape");
    json_cstr(w, adopt_shape_name(adopt_thing_of(t->topic, t->kind, &all).shape));
    json_key(w, "fields");
    json_array_begin(w);
    for (size_t i = 0; i < t->seen.n; i++)
        write_field(w, t->seen.fields[i], values);
    json_array_end(w);
    member_count(w, "fields_left_out", t->seen.left_out);
    json_object_end(w);
}

/* --- the list --- */

struct wanted {
    char topic_buf[TOPIC_BYTES_MAX], filter_buf[TOPIC_BYTES_MAX];
    struct str topic, filter; /* p NULL: all */
    int64_t values;
};

static bool query_text(struct http_request *q, const char *key, char buf[TOPIC_BYTES_MAX],
                       struct str *out)
{
    enum err err = http_query_get(http_request_head(q)->query, key, buf, TOPIC_BYTES_MAX, out);
    if (err == ERR_NOT_FOUND)
        *out = (struct str){NULL, 0};
    else if (err)
        problem_parameter(q, key, "%s is not well encoded", key);
    return !err || err == ERR_NOT_FOUND;
}

static bool read_wanted(struct http_request *q, struct wanted *w)
{
    if (!query_text(q, "topic", w->topic_buf, &w->topic) ||
        !query_text(q, "filter", w->filter_buf, &w->filter) ||
        !query_i64(q, "values", 0, OBSERVED_VALUES_MAX,
                   w->topic.p ? OBSERVED_VALUES_MAX : VALUES_IN_LIST, &w->values))
        return false;
    if (w->filter.p && !mqtt_filter_valid(w->filter)) {
        problem_parameter(q, "filter", "filter must be one of MQTT: a/+/b, a/#");
        return false;
    }
    return true;
}

void api_discovered(void *ctx, struct http_request *q)
{
    struct dashboard *d = ctx;
    struct registry *r = d->cfg.registry;
    struct wanted want;
    if (!read_wanted(q, &want))
        return;
    if (want.topic.p && !registry_discovered_find(r, want.topic)) {
        problem(q, PROBLEM_UNKNOWN, "nothing has been said on %.*s that no device claims",
                STR_FMT(want.topic));
        return;
    }
    struct json_writer w = answer_begin(d);
    json_object_begin(&w);
    json_key(&w, "topics");
    json_array_begin(&w);
    LIST_EACH(registry_discovered(r), it)
    {
        const struct discovered *t = CONTAINER_OF(it, struct discovered, link);
        if ((!want.topic.p || str_eq(want.topic, t->topic)) &&
            (!want.filter.p || mqtt_filter_match(want.filter, t->topic)))
            json_write_discovered(&w, r, t, (size_t)want.values);
    }
    json_array_end(&w);
    json_key(&w, "dropped");
    json_int(&w, (int64_t)registry_discovered_dropped(r));
    json_object_end(&w);
    answer_end(d, q, 200);
}
