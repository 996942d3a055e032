/* api_reload: the site takes its changed sources. */
#include "dashboard/dashboard_internal.h"

struct pending_reload {
    struct list link; /* of dashboard.reloads */
    struct dashboard *dashboard;
    struct http_request *request; /* NULL: the client has gone */
};

static void pending_free(struct pending_reload *p)
{
    list_del(&p->link);
    mem_free(p->dashboard->cfg.alloc, p, sizeof(*p));
}

void reloads_fini(struct dashboard *d)
{
    LIST_EACH_SAFE(&d->reloads, it)
    pending_free(CONTAINER_OF(it, struct pending_reload, link));
}

static void client_gone(void *arg, struct http_request *q)
{
    (void)q;
    ((struct pending_reload *)arg)->request = NULL;
}

static void reloaded(void *arg, enum err result)
{
    struct pending_reload *p = arg;
    const struct dashboard_reload *reload = &p->dashboard->cfg.reload;
    struct http_request *q = p->request;
    struct str report = reload->report(reload->ctx);
    pending_free(p);
    if (!q)
        return;
    if (result) {
        http_problem_json(q, "reload", report);
        problem(q, PROBLEM_SITE_REFUSED, "the changed site is refused, the running one goes on");
    } else {
        http_respond_json(q, 200, report);
    }
}

void api_reload(void *ctx, struct http_request *q)
{
    struct dashboard *d = ctx;
    const struct dashboard_reload *reload = &d->cfg.reload;
    if (!reload->start) {
        problem(q, PROBLEM_ABSENT, "this site can't be reloaded");
        return;
    }
    struct pending_reload *p = mem_zero(d->cfg.alloc, sizeof(*p));
    enum err err = p ? reload->start(reload->ctx, reloaded, p) : ERR_NOMEM;
    if (!err) {
        *p = (struct pending_reload){.dashboard = d, .request = q};
        list_add_tail(&d->reloads, &p->link);
        http_request_on_gone(q, client_gone, p);
        return;
    }
    mem_free(d->cfg.alloc, p, sizeof(*p));
    if (err == ERR_EXISTS)
        problem(q, PROBLEM_UNDER_WAY, "a reload is under way; ask again when it has ended");
    else
        problem(q, PROBLEM_BUSY, "the site can't be read again: %s", err_name(err));
}

void api_reload_state(void *ctx, struct http_request *q)
{
    struct dashboard *d = ctx;
    const struct dashboard_reload *reload = &d->cfg.reload;
    struct json_writer w = answer_begin(d);
    json_object_begin(&w);
    json_key(&w, "running");
    json_bool(&w, reload->start && reload->running(reload->ctx));
    json_key(&w, "last");
    json_raw(&w, reload->start ? reload->report(reload->ctx) : STR("null"));
    json_object_end(&w);
    answer_end(d, q, 200);
}
