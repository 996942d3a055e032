/* action: the life of a command: decided, committed, sent, confirmed or tried again, or failed.
 *
 * waiting -> sent -> confirmed
 *    |        |----> (no confirmation in time: sent again) -> failed, with an alert
 *    |--------'----> failed: superseded by a newer action of the device
 *    '-------------> failed, with an alert: the journal can't record the decision
 * A full journal is waited for; a failed one ends the action: what is not recorded never leaves.
 * What confirms it: action_confirm.c; over restarts: action_log.c, action_resume.c; what people are
 * told: action_alert.c; what others tried: action_denied.c. */
#include "base/log.h"
#include "registry/registry_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { RECORD_AGAIN_MS = 50, SEND_AGAIN_MS = 100 };

static void action_timer(struct timer *t);
static void action_committed(struct journal_wait *w, enum err result);

static size_t put_text(char **at, struct str *to, struct str from)
{
    if (from.n)
        memcpy(*at, from.p, from.n);
    *to = (struct str){*at, from.n};
    *at += from.n;
    return from.n;
}

struct action *action_make(struct registry *r, const struct action_event *from)
{
    const struct cause *c = &from->cause;
    struct str cause_text = c->value.kind == VALUE_STR ? c->value.s : STR("");
    size_t size = sizeof(struct action) + from->device.n + from->action.n + from->args_json.n +
                  from->confirms.n + c->program.n + c->rule.n + c->operator_name.n + c->series.n +
                  cause_text.n;
    struct action *a = mem_zero(r->cfg.alloc, size);
    if (!a)
        return NULL;
    a->registry = r;
    a->size = size;
    char *at = (char *)(a + 1);
    put_text(&at, &a->device_name, from->device);
    put_text(&at, &a->action_name, from->action);
    put_text(&at, &a->args_json, from->args_json);
    put_text(&at, &a->confirms, from->confirms);
    put_text(&at, &a->program, c->program);
    put_text(&at, &a->rule, c->rule);
    put_text(&at, &a->operator_name, c->operator_name);
    put_text(&at, &a->cause_series, c->series);
    a->cause_value = c->value;
    if (c->value.kind == VALUE_STR)
        put_text(&at, &a->cause_value.s, cause_text);
    a->cause_ms = c->ts_ms;
    a->cause_line = c->line;
    a->state = from->state;
    a->attempts = from->attempts;
    a->requested_ms = from->requested_ms;
    a->outcome_ms = from->outcome_ms;
    (void)snprintf(a->id, sizeof(a->id), "%.*s", STR_FMT(from->id));
    (void)snprintf(a->why, sizeof(a->why), "%.*s", STR_FMT(from->why));
    a->reason = from->reason;
    a->detail_n = from->detail.n <= strlen(a->why) ? from->detail.n : 0;
    list_init(&a->link);
    list_init(&a->device_link);
    list_init(&a->ended_link);
    list_init(&a->wait.link);
    a->wait.done = action_committed;
    timer_init(&a->timer, r->worker, action_timer);
    return a;
}

void action_fill_event(const struct action *a, struct action_event *e)
{
    *e = (struct action_event){
        .id = str_from(a->id),
        .device = a->device_name,
        .action = a->action_name,
        .args_json = a->args_json,
        .confirms = a->confirms,
        .why = str_from(a->why),
        .reason = a->reason,
        .detail = str_from(a->why + strlen(a->why) - a->detail_n),
        .state = a->state,
        .attempts = a->attempts,
        .requested_ms = a->requested_ms,
        .outcome_ms = a->outcome_ms,
        .cause = {.program = a->program,
                  .rule = a->rule,
                  .line = a->cause_line,
                  .operator_name = a->operator_name,
                  .series = a->cause_series,
                  .value = a->cause_value,
                  .ts_ms = a->cause_ms},
    };
}

void action_free(struct action *a)
{
    timer_cancel(&a->timer);
    journal_wait_cancel(&a->wait);
    list_del(&a->device_link);
    list_del(&a->ended_link);
    list_del(&a->link);
    mem_free(a->registry->cfg.alloc, a, a->size);
}

/* Those in progress stay, however many they are. */
void actions_forget_oldest(struct registry *r)
{
    while (r->action_count > r->cfg.actions_max && !list_empty(&r->ended)) {
        struct action *a = CONTAINER_OF(r->ended.next, struct action, ended_link);
        r->action_count--;
        action_log_forget(r, a);
        action_free(a);
    }
}

/* An outcome rides along lazily: losing it costs a line in a list, never an action. */
void action_changed(struct action *a)
{
    struct action_event e;
    action_fill_event(a, &e);
    bus_action_publish(a->registry->cfg.bus, &e);
    if (a->state != ACTION_WAITING && action_log_put(a->registry, a, true, NULL))
        LOG_W("registry", "the outcome of action %s is not recorded", a->id);
}

void action_end(struct action *a, enum action_state state)
{
    a->state = state;
    a->outcome_ms = worker_now_ms(a->registry->worker);
    timer_cancel(&a->timer);
    journal_wait_cancel(&a->wait);
    list_del(&a->device_link);
    list_add_tail(&a->registry->ended, &a->ended_link);
    a->device = NULL; /* it may go before the action is forgotten */
    action_changed(a);
}

static int64_t patience_ns(const struct registry *r)
{
    return r->cfg.confirm_timeout_ms * r->cfg.attempts_max * 1000000;
}

void action_fail(struct action *a, enum disobedience what)
{
    if (a->device)
        a->device->disobeyed = true;
    action_alert(a, what, true);
    action_end(a, ACTION_FAILED);
}

/* One attempt. The port may answer inside. */
static void action_send(struct action *a)
{
    struct registry *r = a->registry;
    struct error e = {0};
    enum action_state before = a->state;
    a->attempts++;
    a->state = ACTION_SENT;
    action_because(a, ACTION_REASON_NONE, STR(""), "%s", "");
    timer_set_after_ms(&a->timer, r->cfg.confirm_timeout_ms);
    enum err err = command_send(a, &e);
    if (!err && !a->device)
        return; /* it has ended already */
    if (err == ERR_FULL || err == ERR_AGAIN) {
        a->attempts--;
        a->state = before;
        if (worker_now_ns(r->worker) - a->decided_ns < patience_ns(r)) {
            timer_set_after_ms(&a->timer, SEND_AGAIN_MS);
            return;
        }
    }
    if (err) {
        action_because(a, ACTION_NOT_SENT, str_from(e.text[0] ? e.text : err_name(err)),
                       "was not sent: ");
        action_fail(a, NOT_COMMANDED);
        return;
    }
    action_changed(a);
}

/* Its decision, and so its cause, is on disk: now it may leave. */
static void action_committed(struct journal_wait *w, enum err result)
{
    struct action *a = CONTAINER_OF(w, struct action, wait);
    if (result == ERR_OK) {
        action_send(a);
        return;
    }
    action_because(a, ACTION_NOT_RECORDED, STR(""), "was not sent: the journal can't record it");
    action_fail(a, NOT_COMMANDED);
}

/* ERR_OK: it is recorded, or will be tried again when there is room. */
static enum err action_record(struct action *a)
{
    struct registry *r = a->registry;
    enum err err = action_log_put(r, a, false, &a->seq);
    if (!err) {
        journal_wait(r->cfg.journal, r->worker, &a->wait, a->seq);
        return ERR_OK;
    }
    bool later = err == ERR_FULL || err == ERR_NOMEM;
    if (later && worker_now_ns(r->worker) - a->decided_ns < patience_ns(r)) {
        timer_set_after_ms(&a->timer, RECORD_AGAIN_MS);
        return ERR_OK;
    }
    action_because(a, ACTION_NOT_RECORDED, str_from(err_name(err)),
                   "was not sent: the journal can't record it: ");
    action_fail(a, NOT_COMMANDED);
    return err;
}

static void action_timer(struct timer *t)
{
    struct action *a = CONTAINER_OF(t, struct action, timer);
    const struct registry_config *cfg = &a->registry->cfg;
    if (!a->seq) {
        if (action_record(a))
            LOG_E("registry", "%.*s.%.*s() %s", STR_FMT(a->device_name), STR_FMT(a->action_name),
                  a->why);
        return;
    }
    if (a->state == ACTION_SENT && action_is_so_already(a)) {
        action_confirm(a);
        return;
    }
    if (a->attempts < cfg->attempts_max) {
        action_send(a);
        return;
    }
    char last[sizeof(a->why)]; /* what the port said of the last attempt */
    memcpy(last, a->why, sizeof(last));
    action_because(
        a, ACTION_UNCONFIRMED, str_from(last), "was sent %u times in %.0f s without %s%.*s%s",
        a->attempts, (double)a->attempts * (double)cfg->confirm_timeout_ms / 1000,
        a->confirms.n ? "reaching " : "an answer", STR_FMT(a->confirms), last[0] ? ": " : "");
    action_fail(a, DISOBEYS);
}

void action_carry(struct action *a, struct device *to)
{
    int at = to ? model_action(to->model, a->action_name) : -1;
    if (at < 0 || to->corrected) {
        if (at < 0)
            action_because(a, ACTION_UNDECLARED, STR(""),
                           "the site has changed: %.*s has no %.*s() any more",
                           STR_FMT(a->device_name), STR_FMT(a->action_name));
        else
            action_because(a, ACTION_MOVED, STR(""),
                           "the site has changed: %.*s is at another place",
                           STR_FMT(a->device_name));
        action_end(a, ACTION_FAILED);
        return;
    }
    list_del(&a->device_link);
    list_add_tail(&to->actions, &a->device_link);
    a->device = to;
    a->action = (uint32_t)at;
}

static void supersede(struct device *d, struct str by)
{
    LIST_EACH_SAFE(&d->actions, it)
    {
        struct action *a = CONTAINER_OF(it, struct action, device_link);
        action_because(a, ACTION_SUPERSEDED, STR(""), "superseded by %.*s()", STR_FMT(by));
        action_end(a, ACTION_FAILED);
    }
}

/* Of the thing, by whichever of its declarations: what is sent again would undo what is newer. */
static void supersede_older(struct device *d, struct str by)
{
    supersede(d, by);
    LIST_EACH(&d->twins, it)
    {
        struct device *twin = CONTAINER_OF(it, struct device, twins);
        if (device_thing(twin) == device_thing(d))
            supersede(twin, by);
    }
}

static struct action *action_begin(struct registry *r, const struct action_request *q,
                                   struct str args)
{
    const struct action_def *def = &q->device->model->actions[q->action];
    struct action_event proto = {.device = q->device->name,
                                 .action = def->name,
                                 .args_json = args,
                                 .confirms = def->confirm_text,
                                 .state = ACTION_WAITING,
                                 .cause = q->cause,
                                 .requested_ms = worker_now_ms(r->worker)};
    struct action *a = action_make(r, &proto);
    if (!a)
        return NULL;
    a->device = q->device;
    a->action = q->action;
    a->decided_ns = worker_now_ns(r->worker);
    (void)snprintf(a->id, sizeof(a->id), "%012" PRIx64, r->action_next++);
    supersede_older(q->device, def->name);
    list_add_tail(&r->actions, &a->link);
    list_add_tail(&q->device->actions, &a->device_link);
    r->action_count++;
    actions_forget_oldest(r);
    return a;
}

enum err registry_command(struct registry *r, const struct action_request *q, char id[24],
                          struct error *e)
{
    ASSERT(q->action < q->device->model->action_count);
    const struct action_def *def = &q->device->model->actions[q->action];
    struct strbuf args;
    strbuf_init(&args, r->cfg.alloc, 16384);
    enum err err = command_args_to_json(q, def, &args, e);
    struct action *a = err ? NULL : action_begin(r, q, strbuf_str(&args));
    strbuf_fini(&args);
    if (!a)
        return err ? err : error_set(e, ERR_NOMEM, "no memory for the action");
    if (id)
        memcpy(id, a->id, sizeof(a->id));
    err = action_record(a);
    if (err)
        return error_set(e, err, "%.*s.%.*s() %s", STR_FMT(a->device_name), STR_FMT(a->action_name),
                         a->why);
    action_changed(a);
    return ERR_OK;
}

enum err registry_command_by_hand(struct registry *r, const struct action_request *q, char id[24],
                                  struct error *e)
{
    const struct device *d = q->device;
    if (d->owner.n)
        return error_set(e, ERR_DENIED, "%.*s is owned by %.*s: only it may command it",
                         STR_FMT(d->name), STR_FMT(d->owner));
    return registry_command(r, q, id, e);
}

void registry_actions_each(struct registry *r, size_t limit,
                           void (*each)(void *ctx, const struct action_event *a), void *ctx)
{
    for (struct list *it = r->actions.prev; it != &r->actions && limit; it = it->prev, limit--) {
        struct action_event e;
        action_fill_event(CONTAINER_OF(it, struct action, link), &e);
        each(ctx, &e);
    }
}

enum err actions_init(struct registry *r, struct error *e)
{
    list_init(&r->actions);
    list_init(&r->ended);
    r->confirmations.sample = actions_on_sample;
    bus_sample_listen(r->cfg.bus, &r->confirmations);
    return action_log_init(r, e);
}

void actions_fini(struct registry *r)
{
    if (!r->actions.next)
        return;
    bus_sample_unlisten(&r->confirmations);
    keep_free(r->action_keep);
    LIST_EACH_SAFE(&r->actions, it)
    action_free(CONTAINER_OF(it, struct action, link));
}
