#include "async/scope.h"
#include "async/coroutine_internal.h"

static void deadline_passed(struct timer *t)
{
    struct scope *s = CONTAINER_OF(t, struct scope, deadline);
    s->timed_out = !s->canceled;
    scope_cancel(s);
}

/* From here on the opener's waits are cut short, until the scope's end. */
static void mark(struct scope *s)
{
    s->canceled = true;
    ASSERT(s->opener->scopes_canceled < UINT8_MAX);
    s->opener->scopes_canceled++;
}

void scope_begin(struct scope *s)
{
    struct co *c = co_self();
    *s = (struct scope){.opener = c, .outer = c->scopes};
    list_init(&s->children);
    timer_init(&s->deadline, c->task.worker, deadline_passed);
    c->scopes = s;
    if (c->task.canceled || (s->outer && s->outer->canceled))
        mark(s);
}

void scope_deadline_ms(struct scope *s, int64_t ms)
{
    timer_set_after_ms(&s->deadline, ms);
}

enum err scope_spawn(struct scope *s, intptr_t (*fn)(void *arg), void *arg, const char *name)
{
    struct worker *w = s->opener->task.worker;
    struct co *c;
    enum err r = co_new(&c, w, fn, arg, name);
    if (r)
        return r;
    c->scoped = true;
    c->parent = s;
    c->task.canceled = s->canceled;
    list_add_tail(&s->children, &c->sibling);
    s->live++;
    co_start(w, c);
    return ERR_OK;
}

void scope_child_ended(struct co *c)
{
    struct scope *s = c->parent;
    list_del(&c->sibling);
    if (--s->live == 0)
        co_ready(s->opener);
}

static void cancel_children(struct scope *s)
{
    LIST_EACH(&s->children, it)
    {
        co_cancel(CONTAINER_OF(it, struct co, sibling));
    }
}

/* One level: a child takes it on to its own scopes when it runs (co_is_canceled()). */
void scope_cancel(struct scope *s)
{
    struct co *c = s->opener;
    for (struct scope *inner = c->scopes;; inner = inner->outer) {
        if (!inner->canceled) {
            mark(inner);
            cancel_children(inner);
        }
        if (inner == s)
            break;
    }
    co_ready(c);
}

void scope_cascade(struct co *c)
{
    for (struct scope *s = c->scopes; s; s = s->outer) {
        if (!s->canceled) {
            mark(s);
            cancel_children(s);
        }
    }
}

enum err scope_end(struct scope *s)
{
    struct co *c = co_self();
    ASSERT(c == s->opener && c->scopes == s);
    for (;;) {
        (void)co_is_canceled(c); /* takes it on to the children */
        if (s->live == 0)
            break;
        co_park(c, NULL, NULL);
    }
    timer_cancel(&s->deadline);
    c->scopes = s->outer;
    if (!s->canceled)
        return ERR_OK;
    c->scopes_canceled--;
    return s->timed_out ? ERR_TIMEOUT : ERR_CANCELED;
}
