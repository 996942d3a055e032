/* api_change: what people do: acknowledge an alert, command a device. */
#include "dashboard/dashboard_internal.h"

#include <inttypes.h>

enum { NAME_MAX_BYTES = 80, ARGS_MAX = 8 };

/* The member of the body, which must be a non-empty string. false: answered with 400. */
static bool body_name(struct http_request *q, const char *key, char buf[NAME_MAX_BYTES],
                      struct str *out)
{
    struct json_token t;
    if (json_find(http_request_body(q), str_from(key), &t, NULL) || t.kind != JSON_STRING ||
        json_unescape(t.raw, buf, NAME_MAX_BYTES, out) || str_trim(*out).n == 0) {
        http_respond_problem(q, 400, "the body needs \"%s\", a name of at most %d bytes", key,
                             NAME_MAX_BYTES);
        return false;
    }
    *out = str_trim(*out);
    return true;
}

/* --- an acknowledgement is answered when it is committed --- */

struct pending_ack {
    struct list link; /* of dashboard.acks */
    struct dashboard *dashboard;
    struct http_request *request; /* NULL: the client has gone */
    struct journal_wait wait;
    uint64_t alert;
};

static void ack_free(struct pending_ack *p)
{
    journal_wait_cancel(&p->wait);
    list_del(&p->link);
    mem_free(p->dashboard->cfg.alloc, p, sizeof(*p));
}

void acks_fini(struct dashboard *d)
{
    LIST_EACH_SAFE(&d->acks, it)
    ack_free(CONTAINER_OF(it, struct pending_ack, link));
}

static void ack_gone(void *arg, struct http_request *q)
{
    (void)q;
    ((struct pending_ack *)arg)->request = NULL;
}

static void ack_committed(struct journal_wait *wait, enum err result)
{
    struct pending_ack *p = CONTAINER_OF(wait, struct pending_ack, wait);
    struct dashboard *d = p->dashboard;
    struct http_request *q = p->request;
    if (result)
        alert_acknowledge_undo(d->cfg.alerts, p->alert);
    const struct alert *al = alert_find(d->cfg.alerts, p->alert);
    ack_free(p);
    if (!q)
        return;
    if (result || !al) {
        http_respond_problem(q, 503, "the acknowledgement could not be stored: %s",
                             al ? err_name(result) : "the alert is forgotten already");
        return;
    }
    struct json_writer w = answer_begin(d);
    json_write_alert(&w, al);
    answer_end(d, q, 200);
}

void api_acknowledge(void *ctx, struct http_request *q)
{
    struct dashboard *d = ctx;
    char buf[NAME_MAX_BYTES];
    struct str by;
    int64_t id;
    const struct alert *al = NULL;
    uint64_t seq;
    if (str_to_i64(http_request_param(q, 0), &id)) {
        http_respond_problem(q, 404, "there is no alert %.*s", STR_FMT(http_request_param(q, 0)));
        return;
    }
    if (!body_name(q, "by", buf, &by))
        return;
    struct pending_ack *p = mem_zero(d->cfg.alloc, sizeof(*p));
    enum err err = p ? alert_acknowledge(d->cfg.alerts, (uint64_t)id, by, &al, &seq) : ERR_NOMEM;
    if (!err) {
        *p = (struct pending_ack){
            .dashboard = d, .request = q, .alert = (uint64_t)id, .wait.done = ack_committed};
        list_init(&p->wait.link);
        list_add_tail(&d->acks, &p->link);
        http_request_on_gone(q, ack_gone, p);
        journal_wait(d->cfg.journal, d->worker, &p->wait, seq);
        return;
    }
    mem_free(d->cfg.alloc, p, sizeof(*p));
    if (err == ERR_NOT_FOUND)
        http_respond_problem(q, 404, "there is no alert %" PRId64, id);
    else if (err == ERR_EXISTS)
        http_respond_problem(q, 409, "alert %" PRId64 " is acknowledged already, by %.*s", id,
                             STR_FMT(al->acknowledged_by));
    else
        http_respond_problem(q, 503, "the acknowledgement can't be stored: %s", err_name(err));
}

/* --- commands by hand --- */

/* One argument as its parameter wants it. */
static bool arg_value(const struct param_def *p, const struct json_token *t, char text[256],
                      struct value *v)
{
    *v = (struct value){.kind = p->kind};
    switch (p->kind) {
    case VALUE_BOOL:
        v->b = t->kind == JSON_TRUE;
        return t->kind == JSON_TRUE || t->kind == JSON_FALSE;
    case VALUE_INT: return t->kind == JSON_NUMBER && json_integer(t->raw, &v->i) == ERR_OK;
    case VALUE_FLOAT: return t->kind == JSON_NUMBER && json_number(t->raw, &v->f) == ERR_OK;
    case VALUE_STR:
        return t->kind == JSON_STRING && json_unescape(t->raw, text, 256, &v->s) == ERR_OK;
    case VALUE_NONE: break;
    }
    return false;
}

/* Every member of "args" must be a parameter. Answers with 400 if one is not. */
static bool known_args(struct http_request *q, const struct action_def *def, struct bytes args)
{
    struct json_reader r;
    struct json_token t;
    json_init(&r, args);
    if (json_next(&r, &t) != JSON_OBJECT) {
        http_respond_problem(q, 400, "\"args\" must be an object");
        return false;
    }
    while (json_next(&r, &t) == JSON_KEY) {
        bool known = false;
        for (size_t i = 0; i < def->param_count; i++)
            known |= json_text_is(&t, def->params[i].name);
        if (!known) {
            http_respond_problem(q, 400, "%.*s() has no parameter %.*s", STR_FMT(def->name),
                                 STR_FMT(t.raw));
            return false;
        }
        if (json_skip(&r, &t, NULL))
            break;
    }
    return true;
}

static bool read_args(struct http_request *q, const struct action_def *def,
                      struct value values[ARGS_MAX], char texts[ARGS_MAX][256])
{
    struct str raw = STR("{}");
    if (json_find(http_request_body(q), STR("args"), NULL, &raw) && def->param_count > 0) {
        http_respond_problem(q, 400, "the body needs \"args\", an object");
        return false;
    }
    struct bytes args = {(const uint8_t *)raw.p, raw.n};
    if (def->param_count > ARGS_MAX || !known_args(q, def, args))
        return false;
    for (size_t i = 0; i < def->param_count; i++) {
        const struct param_def *p = &def->params[i];
        struct json_token t;
        if (json_find(args, p->name, &t, NULL) || !arg_value(p, &t, texts[i], &values[i])) {
            static const char *const kinds[] = {"nothing", "a boolean", "an integer", "a number",
                                                "a string"};
            http_respond_problem(q, 400, "%.*s() needs %.*s, %s%s%.*s", STR_FMT(def->name),
                                 STR_FMT(p->name), kinds[p->kind], p->unit.n ? " in " : "",
                                 STR_FMT(p->unit));
            return false;
        }
    }
    return true;
}

struct find_action {
    const char *id;
    struct json_writer *w;
    bool found;
};

static void write_if_it(void *ctx, const struct action_event *a)
{
    struct find_action *f = ctx;
    if (f->found || !str_eq(a->id, str_from(f->id)))
        return;
    json_write_action(f->w, a);
    f->found = true;
}

static void command(struct dashboard *d, struct http_request *q, const struct action_request *r)
{
    struct error e = {0};
    char id[24];
    enum err err = automation_operate(d->cfg.automation, r, id, &e);
    if (err == ERR_DENIED) {
        http_problem_str(q, "owner", r->device->owner);
        http_respond_problem(q, 409, "%s", e.text);
    } else if (err) {
        http_respond_problem(q, err == ERR_INVALID ? 400 : 503, "%s", e.text);
    } else {
        struct json_writer w = answer_begin(d);
        struct find_action f = {.id = id, .w = &w};
        registry_actions_each(d->cfg.registry, 16, write_if_it, &f);
        answer_end(d, q, 202);
    }
}

void api_command(void *ctx, struct http_request *q)
{
    struct dashboard *d = ctx;
    struct str name = http_request_param(q, 0), action = http_request_param(q, 1), by;
    char buf[NAME_MAX_BYTES], texts[ARGS_MAX][256];
    struct value values[ARGS_MAX];
    struct device *device = registry_find(d->cfg.registry, name);
    if (!device) {
        http_respond_problem(q, 404, "there is no device %.*s", STR_FMT(name));
        return;
    }
    int at = model_action(device->model, action);
    if (at < 0) {
        http_respond_problem(q, 404, "%.*s has no action %.*s", STR_FMT(name), STR_FMT(action));
        return;
    }
    const struct action_def *def = &device->model->actions[at];
    if (!body_name(q, "by", buf, &by) || !read_args(q, def, values, texts))
        return;
    struct action_request r = {.device = device,
                               .action = (uint32_t)at,
                               .args = values,
                               .arg_count = def->param_count,
                               .cause = {.operator_name = by}};
    command(d, q, &r);
}

/* DELETE /api/devices/NAME/lease: a person gives a device back to its owner before the time is
 * over. */
void api_give_back(void *ctx, struct http_request *q)
{
    struct dashboard *d = ctx;
    struct str name = http_request_param(q, 0);
    struct lease_view v;
    if (!registry_find(d->cfg.registry, name)) {
        http_respond_problem(q, 404, "there is no device %.*s", STR_FMT(name));
    } else if (automation_give_back(d->cfg.automation, name)) {
        http_respond(q, 204, NULL, STR(""));
    } else if (automation_lease(d->cfg.automation, name, &v) && v.out) {
        http_respond_problem(q, 409, "%.*s has %.*s, not a person", STR_FMT(v.holder.name),
                             STR_FMT(name));
    } else {
        http_respond_problem(q, 409, "nobody has %.*s on lease", STR_FMT(name));
    }
}
