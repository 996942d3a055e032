/* api_change: what people do with devices: command one, give one back. */
#include "dashboard/dashboard_internal.h"

enum { ARG_TEXT_MAX = 256 };

/* Every member of "args" must be a parameter. Answers with 400 if one is not. */
static bool known_args(struct http_request *q, const struct action_def *def, struct bytes args)
{
    struct json_reader r;
    struct json_token t;
    json_init(&r, args);
    if (json_next(&r, &t) != JSON_OBJECT) {
        problem_parameter(q, "args", "\"args\" must be an object");
        return false;
    }
    while (json_next(&r, &t) == JSON_KEY) {
        bool known = false;
        for (size_t i = 0; i < def->param_count; i++)
            known |= json_text_is(&t, def->params[i].name);
        if (!known) {
            problem_parameter(q, "args", "%.*s() has no parameter %.*s", STR_FMT(def->name),
                              STR_FMT(t.raw));
            return false;
        }
        if (json_skip(&r, &t, NULL))
            break;
    }
    return true;
}

static bool read_args(struct http_request *q, const struct action_def *def,
                      struct value values[ACTION_PARAMS_MAX],
                      char texts[ACTION_PARAMS_MAX][ARG_TEXT_MAX])
{
    struct str raw = STR("{}");
    if (json_find(http_request_body(q), STR("args"), NULL, &raw) && def->param_count > 0) {
        problem_parameter(q, "args", "the body needs \"args\", an object");
        return false;
    }
    struct bytes args = {(const uint8_t *)raw.p, raw.n};
    ASSERT(def->param_count <= ACTION_PARAMS_MAX); /* such a site is not loaded */
    if (!known_args(q, def, args))
        return false;
    for (size_t i = 0; i < def->param_count; i++) {
        const struct param_def *p = &def->params[i];
        struct json_token t;
        if (json_find(args, p->name, &t, NULL) ||
            !registry_argument(p, &t, texts[i], ARG_TEXT_MAX, &values[i])) {
            static const char *const kinds[] = {"nothing", "a boolean", "an integer", "a number",
                                                "a string"};
            problem_parameter(q, "args", "%.*s() needs %.*s, %s%s%.*s", STR_FMT(def->name),
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
        problem(q, PROBLEM_OWNED, "%s", e.text);
    } else if (err == ERR_INVALID) {
        problem_parameter(q, "args", "%s", e.text);
    } else if (err) {
        problem(q, PROBLEM_NOT_STORED, "%s", e.text);
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
    char buf[BODY_NAME_MAX], texts[ACTION_PARAMS_MAX][ARG_TEXT_MAX];
    struct value values[ACTION_PARAMS_MAX];
    struct device *device = registry_find(d->cfg.registry, name);
    if (!device) {
        problem(q, PROBLEM_UNKNOWN, "there is no device %.*s", STR_FMT(name));
        return;
    }
    int at = model_action(device->model, action);
    if (at < 0) {
        problem(q, PROBLEM_UNKNOWN, "%.*s has no action %.*s", STR_FMT(name), STR_FMT(action));
        return;
    }
    const struct action_def *def = &device->model->actions[at];
    if (!body_text(q, "by", buf, sizeof(buf), &by) || !read_args(q, def, values, texts))
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
        problem(q, PROBLEM_UNKNOWN, "there is no device %.*s", STR_FMT(name));
    } else if (automation_give_back(d->cfg.automation, name)) {
        http_respond(q, 204, NULL, STR(""));
    } else if (automation_lease(d->cfg.automation, name, &v) && v.out) {
        problem(q, PROBLEM_STATE, "%.*s has %.*s, not a person", STR_FMT(v.holder.name),
                STR_FMT(name));
    } else {
        problem(q, PROBLEM_STATE, "nobody has %.*s on lease", STR_FMT(name));
    }
}
