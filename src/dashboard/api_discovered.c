/* api_discovered: the topics that no device claims, and those of devices that could not be read,
 * by the things that speak on them. */
#include "adopt/found.h"
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

/* `key`: of its thing; "": what is beside it is not known here. */
static void write_thing_of(struct json_writer *w, struct registry *r, const struct discovered *t,
                           struct str claimer, struct str key)
{
    const struct adopt_topics all = {is_there, r};
    struct adopt_thing thing = adopt_thing_of(t->topic, t->kind, &all);
    char buf[ADOPT_KEY_MAX];
    json_key(w, "shape");
    json_cstr(w, adopt_shape_name(thing.shape));
    member_str(w, "thing", key.n ? key : adopt_key(&thing, claimer, buf));
    json_key(w, "obstacle");
    json_cstr(w, adopt_obstacle_name(claimer.n ? OBSTACLE_UNREADABLE : thing.obstacle));
}

static void write_topic(struct json_writer *w, struct registry *r, const struct discovered *t,
                        struct str key, size_t values)
{
    static const char *const kinds[] = {"json", "number", "text", "binary"};
    const struct device *device = registry_topic_device(r, t->topic);
    struct str claimer = device ? device->name : (struct str){0};
    json_object_begin(w);
    member_str(w, "topic", t->topic);
    member_count(w, "count", t->count);
    json_write_ms(w, "first_ms", t->first_ms);
    json_write_ms(w, "last_ms", t->last_ms);
    member_str(w, "kind", str_from(kinds[t->kind]));
    member_str(w, "payload", (struct str){t->payload, t->payload_len});
    member_str(w, "device", claimer.n ? claimer : (struct str){0});
    write_error(w, t);
    write_thing_of(w, r, t, claimer, key);
    json_key(w, "fields");
    json_array_begin(w);
    for (size_t i = 0; i < t->seen.n; i++)
        write_field(w, t->seen.fields[i], values);
    json_array_end(w);
    member_count(w, "fields_left_out", t->seen.left_out);
    json_object_end(w);
}

void json_write_discovered(struct json_writer *w, struct registry *r, const struct discovered *t,
                           size_t values)
{
    write_topic(w, r, t, STR(""), values);
}

/* --- things --- */

static void member_text(struct json_writer *w, const char *key, struct str s)
{
    member_str(w, key, s.n ? s : (struct str){0});
}

static void write_times(struct json_writer *w, const struct registry *r,
                        const struct found_thing *t)
{
    uint64_t count = 0;
    int64_t first_ms = INT64_MAX, last_ms = 0;
    for (size_t i = 0; i < t->topic_n; i++) {
        const struct discovered *d = registry_discovered_find(r, t->topics[i].topic);
        count += d->count;
        first_ms = d->first_ms < first_ms ? d->first_ms : first_ms;
        last_ms = d->last_ms > last_ms ? d->last_ms : last_ms;
    }
    member_count(w, "count", count);
    json_write_ms(w, "first_ms", first_ms);
    json_write_ms(w, "last_ms", last_ms);
}

static void write_found(struct json_writer *w, const struct registry *r,
                        const struct found_thing *t)
{
    json_object_begin(w);
    member_str(w, "key", t->key);
    member_str(w, "name", t->name);
    json_key(w, "shape");
    json_cstr(w, adopt_shape_name(t->shape));
    member_text(w, "device", t->device);
    member_text(w, "adopt", t->adopt);
    json_key(w, "obstacle");
    json_cstr(w, adopt_obstacle_name(t->obstacle));
    member_str(w, "why", t->why);
    json_key(w, "topics");
    json_array_begin(w);
    for (size_t i = 0; i < t->topic_n; i++)
        json_str(w, t->topics[i].topic);
    json_array_end(w);
    write_times(w, r, t);
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

static bool wants(const struct wanted *want, struct str topic)
{
    return (!want->topic.p || str_eq(want->topic, topic)) &&
           (!want->filter.p || mqtt_filter_match(want->filter, topic));
}

static bool wants_any(const struct wanted *want, const struct found_thing *t)
{
    for (size_t i = 0; i < t->topic_n; i++)
        if (wants(want, t->topics[i].topic))
            return true;
    return false;
}

static void write_list(struct json_writer *w, struct registry *r, const struct found *f,
                       const struct wanted *want)
{
    json_key(w, "things");
    json_array_begin(w);
    for (size_t i = 0; i < f->n; i++)
        if (wants_any(want, &f->things[i]))
            write_found(w, r, &f->things[i]);
    json_array_end(w);
    json_key(w, "topics");
    json_array_begin(w);
    for (size_t i = 0; i < f->n; i++) {
        const struct found_thing *t = &f->things[i];
        for (size_t k = 0; k < t->topic_n; k++)
            if (wants(want, t->topics[k].topic))
                write_topic(w, r, registry_discovered_find(r, t->topics[k].topic), t->key,
                            (size_t)want->values);
    }
    json_array_end(w);
}

void api_discovered(void *ctx, struct http_request *q)
{
    struct dashboard *d = ctx;
    struct registry *r = d->cfg.registry;
    struct wanted want;
    struct found f;
    if (!read_wanted(q, &want))
        return;
    if (want.topic.p && !registry_discovered_find(r, want.topic)) {
        problem(q, PROBLEM_UNKNOWN, "nothing has been said on %.*s that no device claims",
                STR_FMT(want.topic));
        return;
    }
    enum err err = found_take(&f, r, d->cfg.bus, d->cfg.alloc);
    if (err) {
        problem(q, PROBLEM_BUSY, "there is no memory for the list");
        return;
    }
    struct json_writer w = answer_begin(d);
    json_object_begin(&w);
    write_list(&w, r, &f, &want);
    json_key(&w, "dropped");
    json_int(&w, (int64_t)registry_discovered_dropped(r));
    json_object_end(&w);
    found_fini(&f);
    answer_end(d, q, 200);
}
