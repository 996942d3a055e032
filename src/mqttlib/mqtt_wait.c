#include "mqttlib/mqttlib_internal.h"

#include "async/select.h"

enum { NS_A_MS = 1000000 };

/* Waits for a wake, at most until end_ns (negative: for ever). */
static enum err wait_woken(int64_t end_ns)
{
    size_t arm;
    int64_t left_ns = end_ns - worker_now_ns(worker_current());
    struct select_arm arms[] = {select_woken(), select_after_ms((left_ns + NS_A_MS - 1) / NS_A_MS)};
    if (end_ns >= 0 && left_ns <= 0)
        return ERR_TIMEOUT;
    return select_wait(arms, end_ns < 0 ? 1 : 2, &arm);
}

static int64_t end_of(int64_t timeout_ms)
{
    return timeout_ms < 0 ? -1 : worker_now_ns(worker_current()) + timeout_ms * NS_A_MS;
}

void mqtt_wake_all(struct sedge_mqtt *c)
{
    LIST_EACH(&c->awaiters, it)
    {
        waker_wake(co_waker(CONTAINER_OF(it, struct awaiter, link)->co));
    }
}

enum err mqtt_wait(struct sedge_mqtt *c, bool (*come)(const struct sedge_mqtt *c),
                   int64_t timeout_ms)
{
    struct awaiter w = {.co = co_current()};
    int64_t end_ns = end_of(timeout_ms);
    enum err err = ERR_OK;
    ASSERT(w.co);
    list_add_tail(&c->awaiters, &w.link);
    while (!come(c) && !err)
        err = wait_woken(end_ns);
    list_del(&w.link);
    return come(c) ? ERR_OK : err;
}

/* --- answers ------------------------------------------------------------------------------- */

struct answer {
    struct alloc *alloc;
    struct co *co; /* NULL: nobody waits any more */
    enum err err;
    uint8_t reason;
    bool done;
};

struct answer *answer_new(struct sedge_mqtt *c)
{
    struct answer *a = mem_zero(c->alloc, sizeof(*a));
    ASSERT(co_current());
    if (a)
        *a = (struct answer){.alloc = c->alloc, .co = co_current()};
    return a;
}

void answer_free(struct answer *a)
{
    mem_free(a->alloc, a, sizeof(*a));
}

static void answered(void *ctx, enum err err, uint8_t reason)
{
    struct answer *a = ctx;
    if (!a->co) {
        answer_free(a);
        return;
    }
    a->err = err == ERR_CANCELED ? ERR_CLOSED : err; /* the client has ended */
    a->reason = reason;
    a->done = true;
    waker_wake(co_waker(a->co));
}

struct mqtt_done answer_done(struct answer *a)
{
    return (struct mqtt_done){answered, a};
}

enum err answer_await(struct answer *a, uint8_t *reason, int64_t timeout_ms)
{
    int64_t end_ns = end_of(timeout_ms);
    enum err err = ERR_OK;
    while (!a->done && !err)
        err = wait_woken(end_ns);
    if (!a->done) {
        a->co = NULL;
        return err;
    }
    err = a->err;
    if (reason)
        *reason = a->reason;
    answer_free(a);
    return err;
}

/* --- functions of the user ----------------------------------------------------------------- */

struct then {
    struct alloc *alloc;
    mqtt_then_fn fn;
    void *ctx;
};

static void then_answered(void *ctx, enum err err, uint8_t reason)
{
    struct then t = *(struct then *)ctx;
    mem_free(t.alloc, ctx, sizeof(t));
    t.fn(t.ctx, err_public(err == ERR_CANCELED ? ERR_CLOSED : err), reason);
}

enum err then_new(struct sedge_mqtt *c, mqtt_then_fn fn, void *ctx, struct mqtt_done *out)
{
    *out = (struct mqtt_done){0};
    if (!fn)
        return ERR_OK;
    struct then *t = mem_new(c->alloc, sizeof(*t));
    if (!t)
        return ERR_NOMEM;
    *t = (struct then){.alloc = c->alloc, .fn = fn, .ctx = ctx};
    *out = (struct mqtt_done){then_answered, t};
    return ERR_OK;
}

void then_free(struct mqtt_done done)
{
    struct then *t = done.ctx;
    if (t)
        mem_free(t->alloc, t, sizeof(*t));
}
