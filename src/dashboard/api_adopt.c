/* api_adopt: discovered topics become devices. What that takes is done elsewhere (struct
 * dashboard_adopt); here is the form of it. */
#include "dashboard/dashboard_internal.h"

enum { TOPICS_MAX = 64, TOPIC_BYTES = 1024, NAME_BYTES = 128 };

/* --- who waits --- */

struct pending_adopt {
    struct list link; /* of dashboard.adopts */
    struct dashboard *dashboard;
    struct http_request *request; /* NULL: the client has gone */
};

static void pending_free(struct pending_adopt *p)
{
    list_del(&p->link);
    mem_free(p->dashboard->cfg.alloc, p, sizeof(*p));
}

void adopts_fini(struct dashboard *d)
{
    LIST_EACH_SAFE(&d->adopts, it)
    pending_free(CONTAINER_OF(it, struct pending_adopt, link));
}

static void client_gone(void *arg, struct http_request *q)
{
    (void)q;
    ((struct pending_adopt *)arg)->request = NULL;
}

static enum problem problem_of(enum adopt_outcome o)
{
    switch (o) {
    case ADOPT_UNKNOWN: return PROBLEM_UNKNOWN;
    case ADOPT_NOT_POSSIBLE: return PROBLEM_NO_DEVICE;
    case ADOPT_CHANGED: return PROBLEM_CHANGED;
    case ADOPT_NOT_SHOWN: return PROBLEM_NOT_SHOWN;
    case ADOPT_REFUSED: return PROBLEM_SITE_REFUSED;
    case ADOPT_LEFT_CHANGED: return PROBLEM_LEFT_CHANGED;
    case ADOPT_NOT_WRITTEN:
    case ADOPT_DONE: break;
    }
    return PROBLEM_NOT_WRITTEN;
}

static void answered(void *arg, const struct dashboard_adopt_answer *a)
{
    struct pending_adopt *p = arg;
    struct http_request *q = p->request;
    pending_free(p);
    if (!q)
        return;
    if (a->outcome == ADOPT_DONE) {
        http_respond_json(q, 200, a->json);
        return;
    }
    if (a->topic.n)
        http_problem_str(q, "topic", a->topic);
    for (size_t i = 0; i < ARRAY_LEN(a->members) && a->members[i].name; i++)
        http_problem_json(q, a->members[i].name, a->members[i].json);
    problem(q, problem_of(a->outcome), "%s", a->why);
}

/* --- what is asked --- */

struct asked {
    struct dashboard_adopt_request request;
    struct str topics[TOPICS_MAX];
    struct arena arena;
};

static struct str copy_text(struct asked *a, const struct json_token *t)
{
    struct str s = {0};
    char *buf = arena_new(&a->arena, t->raw.n + 1);
    if (!buf || json_unescape(t->raw, buf, t->raw.n + 1, &s))
        a->arena.failed = true;
    return s;
}

static bool read_topics(struct http_request *q, struct asked *a)
{
    struct str raw = {0};
    struct json_reader r;
    struct json_token t;
    struct dashboard_adopt_request *to = &a->request;
    if (json_find(http_request_body(q), STR("topics"), NULL, &raw))
        raw = STR("");
    json_init(&r, (struct bytes){(const uint8_t *)raw.p, raw.n});
    bool good = json_next(&r, &t) == JSON_ARRAY;
    while (good && json_next(&r, &t) != JSON_ARRAY_END) {
        good = t.kind == JSON_STRING && to->topic_n < TOPICS_MAX && t.raw.n <= TOPIC_BYTES;
        if (good)
            a->topics[to->topic_n++] = copy_text(a, &t);
    }
    to->topics = a->topics;
    if (!good)
        problem_parameter(q, "topics", "the body needs \"topics\", a list of at most %d topics",
                          TOPICS_MAX);
    return good;
}

/* A text, or null, or nothing: *out is left alone then. */
static bool read_text(struct http_request *q, struct asked *a, const char *key, size_t max,
                      struct str *out)
{
    struct json_token t;
    if (json_find(http_request_body(q), str_from(key), &t, NULL) || t.kind == JSON_NULL)
        return true;
    if (t.kind == JSON_STRING && t.raw.n <= max) {
        *out = copy_text(a, &t);
        return true;
    }
    problem_parameter(q, key, "\"%s\" must be a text of at most %zu bytes, or null", key, max);
    return false;
}

static bool read_request(struct http_request *q, struct asked *a)
{
    struct json_token t;
    struct dashboard_adopt_request *to = &a->request;
    if (!read_topics(q, a) || !read_text(q, a, "device", NAME_BYTES, &to->device) ||
        !read_text(q, a, "model", NAME_BYTES, &to->model) ||
        !read_text(q, a, "text", BODY_KEPT, &to->text) ||
        !read_text(q, a, "shown", NAME_BYTES, &to->shown))
        return false;
    if (json_find(http_request_body(q), STR("apply"), &t, NULL) == ERR_OK) {
        to->apply = t.kind == JSON_TRUE;
        if (t.kind != JSON_TRUE && t.kind != JSON_FALSE) {
            problem_parameter(q, "apply", "\"apply\" must be true or false");
            return false;
        }
    }
    if (!to->topic_n && !to->text.p) {
        problem_parameter(q, "topics", "there must be a topic in \"topics\", or a \"text\"");
        return false;
    }
    return true;
}

static void start(struct dashboard *d, struct http_request *q, const struct asked *a)
{
    struct pending_adopt *p = mem_zero(d->cfg.alloc, sizeof(*p));
    enum err err = p && !a->arena.failed
                       ? d->cfg.adopt.start(d->cfg.adopt.ctx, &a->request, answered, p)
                       : ERR_NOMEM;
    if (!err) {
        *p = (struct pending_adopt){.dashboard = d, .request = q};
        list_add_tail(&d->adopts, &p->link);
        http_request_on_gone(q, client_gone, p);
        return;
    }
    mem_free(d->cfg.alloc, p, sizeof(*p));
    if (err == ERR_FULL)
        problem(q, PROBLEM_BUSY, "too many adoptions are under way; ask again in a moment");
    else
        problem(q, PROBLEM_BUSY, "the topics can't be adopted now: %s", err_name(err));
}

void api_adopt(void *ctx, struct http_request *q)
{
    struct dashboard *d = ctx;
    struct asked *a = mem_zero(d->cfg.alloc, sizeof(*a));
    if (!d->cfg.adopt.start || !a) {
        mem_free(d->cfg.alloc, a, sizeof(*a));
        problem(q, d->cfg.adopt.start ? PROBLEM_BUSY : PROBLEM_ABSENT,
                d->cfg.adopt.start ? "there is no memory" : "this site can't adopt devices");
        return;
    }
    arena_init(&a->arena, d->cfg.alloc, 1 << 20);
    if (read_request(q, a))
        start(d, q, a);
    arena_fini(&a->arena);
    mem_free(d->cfg.alloc, a, sizeof(*a));
}
