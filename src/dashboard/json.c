/* json: the shapes that several answers and the live feed share (docs/http-api.md). */
#include "dashboard/dashboard_internal.h"

void json_write_value(struct json_writer *w, const struct value *v)
{
    switch (v->kind) {
    case VALUE_BOOL: json_bool(w, v->b); break;
    case VALUE_INT: json_int(w, v->i); break;
    case VALUE_FLOAT: json_double(w, v->f); break;
    case VALUE_STR: json_str(w, v->s); break;
    case VALUE_NONE: json_null(w); break;
    }
}

const char *not_durable(const struct dashboard *d, struct error *why)
{
    if (journal_failed(d->cfg.journal, why))
        return why->text;
    if (!journal_no_room(d->cfg.journal))
        return NULL;
    (void)error_set(why, ERR_FULL, "the disk is full");
    return why->text;
}

void json_write_ms(struct json_writer *w, const char *key, int64_t ms)
{
    json_key(w, key);
    if (ms)
        json_int(w, ms);
    else
        json_null(w);
}

static void member_str(struct json_writer *w, const char *key, struct str s)
{
    json_key(w, key);
    json_str(w, s);
}

/* An empty text is null. */
static void member_or_null(struct json_writer *w, const char *key, struct str s)
{
    json_key(w, key);
    if (s.n)
        json_str(w, s);
    else
        json_null(w);
}

/* JSON that is ours; an empty one is null. */
static void member_raw(struct json_writer *w, const char *key, struct str s)
{
    json_key(w, key);
    json_raw(w, s.n ? s : STR("null"));
}

static void member_int(struct json_writer *w, const char *key, int64_t v)
{
    json_key(w, key);
    json_int(w, v);
}

static void write_cause(struct json_writer *w, const struct cause *c)
{
    json_key(w, "cause");
    if (!c->series.n) {
        json_null(w);
        return;
    }
    json_object_begin(w);
    member_str(w, "series", c->series);
    json_key(w, "value");
    json_write_value(w, &c->value);
    json_write_ms(w, "ts_ms", c->ts_ms);
    json_object_end(w);
}

void json_write_alert(struct json_writer *w, const struct alert *al)
{
    json_object_begin(w);
    member_int(w, "id", (int64_t)al->id);
    member_str(w, "severity", str_from(severity_name(al->severity)));
    member_str(w, "text", al->text);
    member_raw(w, "says", al->says);
    member_str(w, "state", str_from(alert_state_name(al->state)));
    json_key(w, "source");
    json_object_begin(w);
    member_or_null(w, "program", al->cause.program);
    member_or_null(w, "rule", al->cause.rule);
    json_write_ms(w, "line", al->cause.line);
    member_or_null(w, "device", al->device);
    json_object_end(w);
    write_cause(w, &al->cause);
    json_write_ms(w, "raised_ms", al->raised_ms);
    json_write_ms(w, "cleared_ms", al->cleared_ms);
    json_write_ms(w, "acknowledged_ms", al->acknowledged_ms);
    member_or_null(w, "acknowledged_by", al->acknowledged_by);
    member_int(w, "count", (int64_t)al->count);
    json_write_ms(w, "shelved_ms", al->shelved_ms);
    json_write_ms(w, "shelved_until_ms", al->shelved_until_ms);
    member_or_null(w, "shelved_by", al->shelved_by);
    member_or_null(w, "shelved_why", al->shelved_why);
    json_object_end(w);
}

void json_write_heard(struct json_writer *w, const struct heard_event *v)
{
    json_object_begin(w);
    member_str(w, "device", v->device);
    member_str(w, "event", v->event);
    member_int(w, "count", (int64_t)v->count);
    json_key(w, "times_ms");
    json_array_begin(w);
    for (size_t i = 0; i < v->times_n; i++)
        json_int(w, v->times_ms[i]);
    json_array_end(w);
    json_object_end(w);
}

static void write_by(struct json_writer *w, const struct cause *c)
{
    json_key(w, "by");
    json_object_begin(w);
    if (c->program.n) {
        member_str(w, "kind", STR("program"));
        member_str(w, "program", c->program);
        member_str(w, "rule", c->rule);
        member_int(w, "line", c->line);
    } else {
        member_str(w, "kind", STR("operator"));
        member_str(w, "name", c->operator_name);
    }
    json_object_end(w);
}

void json_write_action(struct json_writer *w, const struct action_event *a)
{
    json_object_begin(w);
    member_str(w, "id", a->id);
    member_str(w, "device", a->device);
    member_str(w, "action", a->action);
    json_key(w, "args");
    json_raw(w, a->args_json.n ? a->args_json : STR("{}"));
    member_str(w, "state", str_from(action_state_name(a->state)));
    write_by(w, &a->cause);
    write_cause(w, &a->cause);
    member_or_null(w, "confirms", a->confirms);
    member_int(w, "attempts", a->attempts);
    json_write_ms(w, "requested_ms", a->requested_ms);
    json_write_ms(w, "outcome_ms", a->outcome_ms);
    member_or_null(w, "why", a->why);
    member_or_null(w, "reason", str_from(action_reason_name(a->reason)));
    member_or_null(w, "detail", a->detail);
    json_object_end(w);
}
