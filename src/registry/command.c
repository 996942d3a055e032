/* command: an action as a message by the convention, by a mapping, or through a port. */
#include "base/log.h"
#include "registry/registry_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ARG_TEXT_MAX = ACTION_PARAMS_MAX * TEXT_MAX, PAYLOAD_MAX = 65536 };

/* --- arguments --- */

static void add_value(struct strbuf *b, const struct value *v)
{
    switch (v->kind) {
    case VALUE_BOOL: strbuf_adds(b, v->b ? "true" : "false"); break;
    case VALUE_INT: strbuf_add_i64(b, v->i); break;
    case VALUE_STR: strbuf_add_json(b, v->s); break;
    case VALUE_FLOAT:
    case VALUE_NONE: strbuf_add_double(b, v->f); break;
    }
}

enum err command_args_to_json(const struct action_request *q, const struct action_def *def,
                              struct strbuf *b, struct error *e)
{
    if (q->arg_count != def->param_count)
        return error_set(e, ERR_INVALID, "%.*s() takes %zu arguments, not %zu", STR_FMT(def->name),
                         def->param_count, q->arg_count);
    strbuf_addc(b, '{');
    for (size_t i = 0; i < q->arg_count; i++) {
        if (i)
            strbuf_addc(b, ',');
        strbuf_add_json(b, def->params[i].name);
        strbuf_addc(b, ':');
        add_value(b, &q->args[i]);
    }
    strbuf_addc(b, '}');
    return b->failed ? error_set(e, ERR_NOMEM, "no memory for the arguments") : ERR_OK;
}

bool registry_argument(const struct param_def *p, const struct json_token *t, char *text,
                       size_t text_max, struct value *v)
{
    *v = (struct value){.kind = p->kind};
    switch (p->kind) {
    case VALUE_BOOL:
        v->b = t->kind == JSON_TRUE;
        return t->kind == JSON_TRUE || t->kind == JSON_FALSE;
    case VALUE_INT: return t->kind == JSON_NUMBER && json_integer(t->raw, &v->i) == ERR_OK;
    case VALUE_FLOAT: return t->kind == JSON_NUMBER && json_number(t->raw, &v->f) == ERR_OK;
    case VALUE_STR:
        return t->kind == JSON_STRING && json_unescape(t->raw, text, text_max, &v->s) == ERR_OK;
    case VALUE_NONE: break;
    }
    return false;
}

/* As they were recorded, which is all that is left of them after a restart. */
struct arguments {
    struct value values[ACTION_PARAMS_MAX];
    char texts[ARG_TEXT_MAX];
};

static bool read_arguments(struct arguments *to, const struct action *a)
{
    const struct action_def *def = &a->device->model->actions[a->action];
    const struct bytes doc = {(const uint8_t *)a->args_json.p, a->args_json.n};
    size_t used = 0;
    for (size_t i = 0; i < def->param_count; i++) {
        struct json_token t;
        struct value *v = &to->values[i];
        if (i == ACTION_PARAMS_MAX || json_find(doc, def->params[i].name, &t, NULL) ||
            !registry_argument(&def->params[i], &t, to->texts + used, sizeof(to->texts) - used, v))
            return false;
        used += v->kind == VALUE_STR ? v->s.n : 0;
    }
    return true;
}

/* --- as a message --- */

struct outgoing {
    struct str topic;
    uint8_t qos;
    bool retain;
};

/* One that is not retained is worth no more than this attempt: a device that was away must not find
 * the commands of an hour ago when it comes back. */
static enum err publish(struct registry *r, const struct outgoing *o, const struct strbuf *payload,
                        struct error *e)
{
    struct bus_publication p = {
        .topic = o->topic,
        .payload = {(const uint8_t *)payload->p, payload->n},
        .qos = o->qos,
        .retain = o->retain,
        .expiry_s = o->retain ? UINT32_MAX : (uint32_t)((r->cfg.confirm_timeout_ms + 999) / 1000),
        .from = &r->publisher};
    struct bus_receipt receipt;
    if (payload->failed)
        return error_set(e, ERR_NOMEM, "no memory for the command");
    enum err err = bus_publish(r->cfg.bus, &p, &receipt);
    if (err)
        LOG_W("registry", "%.*s could not be published: %s", STR_FMT(o->topic), err_name(err));
    return ERR_OK; /* it is tried again when it is not confirmed */
}

static enum err send_json(struct action *a, struct error *e)
{
    struct registry *r = a->registry;
    char topic[512];
    (void)snprintf(topic, sizeof(topic), "%.*s/set", STR_FMT(a->device->topic));
    const struct outgoing o = {.topic = str_from(topic), .qos = 1};
    struct strbuf b;
    strbuf_init(&b, r->cfg.alloc, 0);
    strbuf_adds(&b, "{\"action\":");
    strbuf_add_json(&b, a->action_name);
    strbuf_addf(&b, ",\"args\":%.*s,\"id\":\"%s\"}", STR_FMT(a->args_json), a->id);
    enum err err = publish(r, &o, &b, e);
    strbuf_fini(&b);
    return err;
}

/* --- by a mapping --- */

static double scaled(const struct piece_def *p, const struct value *v)
{
    double d = value_number(v);
    return p->scale != 0 ? registry_scaled(d, p->scale, p->offset) : d;
}

static void add_number(struct strbuf *b, const struct piece_def *p, const struct value *v)
{
    double d = scaled(p, v);
    if (v->kind == VALUE_INT && p->scale == 0) {
        strbuf_add_i64(b, v->i);
        return;
    }
    if (p->whole && fabs(d) < 9e15)
        strbuf_add_i64(b, (int64_t)llround(d));
    else
        strbuf_add_double(b, d);
}

static void add_piece(struct strbuf *b, const struct command_def *c, const struct piece_def *p,
                      const struct value *v)
{
    struct str word = v->kind == VALUE_BOOL ? (v->b ? c->yes : c->no) : STR("");
    if (p->param < 0)
        strbuf_addstr(b, p->text);
    else if (word.n && p->json)
        strbuf_add_json(b, word);
    else if (word.n)
        strbuf_addstr(b, word);
    else if (v->kind == VALUE_STR && !p->json)
        strbuf_addstr(b, v->s);
    else if (v->kind == VALUE_INT || v->kind == VALUE_FLOAT)
        add_number(b, p, v);
    else
        add_value(b, v);
}

/* JSON has no other word for it than null, and no device expects that. */
static bool is_sendable(const struct command_def *c, const struct arguments *args)
{
    for (size_t i = 0; i < c->piece_count; i++) {
        const struct piece_def *p = &c->pieces[i];
        const struct value *v = p->param < 0 ? NULL : &args->values[p->param];
        if (v && (v->kind == VALUE_INT || v->kind == VALUE_FLOAT) && !isfinite(scaled(p, v)))
            return false;
    }
    return true;
}

static enum err send_mapped(struct action *a, const struct command_def *c, struct error *e)
{
    struct registry *r = a->registry;
    struct arguments args;
    const struct outgoing o = {.topic = c->topic, .qos = c->qos, .retain = c->retain};
    struct strbuf b;
    if (!read_arguments(&args, a))
        return error_set(e, ERR_INVALID, "its arguments %.*s don't fit", STR_FMT(a->args_json));
    if (!is_sendable(c, &args))
        return error_set(e, ERR_RANGE, "an argument of %.*s is too large to be scaled",
                         STR_FMT(a->args_json));
    strbuf_init(&b, r->cfg.alloc, PAYLOAD_MAX);
    for (size_t i = 0; i < c->piece_count; i++) {
        const struct piece_def *p = &c->pieces[i];
        add_piece(&b, c, p, &args.values[p->param < 0 ? 0 : p->param]);
    }
    enum err err = publish(r, &o, &b, e);
    strbuf_fini(&b);
    return err;
}

/* --- through a port --- */

static enum err send_port(struct action *a, struct error *e)
{
    struct arguments args;
    const struct device_port *port = a->device->port;
    if (!port)
        return error_set(e, ERR_UNSUPPORTED, "nothing carries it any more");
    if (!read_arguments(&args, a))
        return error_set(e, ERR_INVALID, "its arguments %.*s don't fit", STR_FMT(a->args_json));
    const struct port_command c = {.device = a->device,
                                   .action = a->action,
                                   .id = a->id,
                                   .args = args.values,
                                   .arg_count = a->device->model->actions[a->action].param_count};
    return port->command(port->ctx, &c, e);
}

enum err command_send(struct action *a, struct error *e)
{
    const struct command_def *c = mapping_command(a->device, a->action);
    if (c)
        return send_mapped(a, c, e);
    return a->device->topic.n ? send_json(a, e) : send_port(a, e);
}
