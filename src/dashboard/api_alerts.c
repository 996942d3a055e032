/* api_alerts: the list of alerts, and what people say about one: seen, put aside for a time.
 *
 * What somebody said is answered when it is committed, and undone if it never is. */
#include "dashboard/dashboard_internal.h"

#include <inttypes.h>
#include <stdio.h>

/* --- the list --- */

static void each_alert(void *ctx, const struct alert *al)
{
    json_write_alert(&((struct list_writer *)ctx)->w, al);
}

void api_alerts(void *ctx, struct http_request *q)
{
    static const char *const states[] = {
        [ALERTS_ALL] = "all", [ALERTS_OPEN] = "active", [ALERTS_SHELVED] = "shelved"};
    struct dashboard *d = ctx;
    int64_t limit;
    int filter = query_word(q, "state", states, ARRAY_LEN(states), ALERTS_OPEN);
    if (filter < 0 || !query_i64(q, "limit", 1, LIST_MAX, LIST_DEFAULT, &limit))
        return;
    struct list_writer l;
    list_begin(&l, d, "alerts");
    alerts_each(d->cfg.alerts, (enum alert_filter)filter, (size_t)limit, each_alert, &l);
    list_end(&l, q);
}

/* --- what is said, until it is committed --- */

struct pending_word {
    struct list link; /* of dashboard.words */
    struct dashboard *dashboard;
    struct http_request *request; /* NULL: the client has gone */
    struct journal_wait wait;
    uint64_t alert;
    void (*undo)(struct alerts *a, uint64_t id); /* NULL: it stays said until the next start */
};

static void word_free(struct pending_word *p)
{
    journal_wait_cancel(&p->wait);
    list_del(&p->link);
    mem_free(p->dashboard->cfg.alloc, p, sizeof(*p));
}

void words_fini(struct dashboard *d)
{
    LIST_EACH_SAFE(&d->words, it)
    word_free(CONTAINER_OF(it, struct pending_word, link));
}

static void word_gone(void *arg, struct http_request *q)
{
    (void)q;
    ((struct pending_word *)arg)->request = NULL;
}

static void word_committed(struct journal_wait *wait, enum err result)
{
    struct pending_word *p = CONTAINER_OF(wait, struct pending_word, wait);
    struct dashboard *d = p->dashboard;
    struct http_request *q = p->request;
    if (result && p->undo)
        p->undo(d->cfg.alerts, p->alert);
    const struct alert *al = alert_find(d->cfg.alerts, p->alert);
    word_free(p);
    if (!q)
        return;
    if (result || !al) {
        problem(q, PROBLEM_NOT_STORED, "it could not be stored: %s",
                al ? err_name(result) : "the alert is forgotten already");
        return;
    }
    struct json_writer w = answer_begin(d);
    json_write_alert(&w, al);
    answer_end(d, q, 200);
}

/* Of the alert that the path names. NULL: answered. */
static struct pending_word *word_new(struct dashboard *d, struct http_request *q)
{
    struct str text = http_request_param(q, 0);
    int64_t id;
    if (str_to_i64(text, &id) || !alert_find(d->cfg.alerts, (uint64_t)id)) {
        problem(q, PROBLEM_UNKNOWN, "there is no alert %.*s", STR_FMT(text));
        return NULL;
    }
    struct pending_word *p = mem_zero(d->cfg.alloc, sizeof(*p));
    if (!p) {
        problem(q, PROBLEM_NOT_STORED, "there is no memory to wait for it");
        return NULL;
    }
    *p = (struct pending_word){
        .dashboard = d, .request = q, .alert = (uint64_t)id, .wait.done = word_committed};
    list_init(&p->link);
    list_init(&p->wait.link);
    return p;
}

/* `err` is what became of it so far, `already` what to say to ERR_EXISTS. */
static void word_said(struct pending_word *p, enum err err, uint64_t seq, const char *already)
{
    struct dashboard *d = p->dashboard;
    struct http_request *q = p->request;
    uint64_t id = p->alert;
    if (!err) {
        list_add_tail(&d->words, &p->link);
        http_request_on_gone(q, word_gone, p);
        journal_wait(d->cfg.journal, d->worker, &p->wait, seq);
        return;
    }
    word_free(p);
    if (err == ERR_EXISTS)
        problem(q, PROBLEM_STATE, "alert %" PRIu64 " %s", id, already);
    else
        problem(q, PROBLEM_NOT_STORED, "it can't be stored: %s", err_name(err));
}

void api_acknowledge(void *ctx, struct http_request *q)
{
    struct dashboard *d = ctx;
    char buf[BODY_NAME_MAX], already[BODY_NAME_MAX + 64];
    struct str by;
    const struct alert *al;
    uint64_t seq = 0;
    if (!body_text(q, "by", buf, sizeof(buf), &by))
        return;
    struct pending_word *p = word_new(d, q);
    if (!p)
        return;
    p->undo = alert_acknowledge_undo;
    enum err err = alert_acknowledge(d->cfg.alerts, p->alert, by, &al, &seq);
    if (err == ERR_EXISTS)
        (void)snprintf(already, sizeof(already), "is acknowledged already, by %.*s",
                       STR_FMT(al->acknowledged_by));
    word_said(p, err, seq, already);
}

/* "for_ms" of the body. false: answered. */
static bool body_span(struct http_request *q, int64_t *out)
{
    struct json_token t;
    if (json_find(http_request_body(q), STR("for_ms"), &t, NULL) || t.kind != JSON_NUMBER ||
        json_integer(t.raw, out) || *out < ALERT_SHELVE_MIN_MS || *out > ALERT_SHELVE_MAX_MS) {
        problem_parameter(q, "for_ms",
                          "the body needs \"for_ms\", a whole number of milliseconds from "
                          "%" PRId64 " to %" PRId64 " (7 days)",
                          ALERT_SHELVE_MIN_MS, ALERT_SHELVE_MAX_MS);
        return false;
    }
    return true;
}

void api_shelve(void *ctx, struct http_request *q)
{
    struct dashboard *d = ctx;
    char by[BODY_NAME_MAX], why[ALERT_WHY_MAX];
    struct alert_shelving s;
    const struct alert *al;
    uint64_t seq = 0;
    if (!body_text(q, "by", by, sizeof(by), &s.by) || !body_span(q, &s.for_ms) ||
        !body_text(q, "why", why, sizeof(why), &s.why))
        return;
    struct pending_word *p = word_new(d, q);
    if (!p)
        return;
    p->undo = alert_shelve_undo;
    word_said(p, alert_shelve(d->cfg.alerts, p->alert, &s, &al, &seq), seq,
              "is over: there is nothing to shelve");
}

void api_unshelve(void *ctx, struct http_request *q)
{
    struct dashboard *d = ctx;
    char buf[BODY_NAME_MAX];
    struct json_token t;
    struct str by = STR("");
    const struct alert *al;
    uint64_t seq = 0;
    bool named = json_find(http_request_body(q), STR("by"), &t, NULL) == ERR_OK;
    if (named && !body_text(q, "by", buf, sizeof(buf), &by))
        return;
    struct pending_word *p = word_new(d, q);
    if (p)
        word_said(p, alert_unshelve(d->cfg.alerts, p->alert, by, &al, &seq), seq, "is not shelved");
}
