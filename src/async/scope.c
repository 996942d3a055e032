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
    list_init(&s->free_children);
    wait_lock_init(&s->lock, REACH_ANY);
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

enum err scope_spawn_free(struct scope *s, intptr_t (*fn)(void *arg), void *arg, const char *name)
{
    struct co *c;
    enum err r = co_free_new(&c, fn, arg, name);
    if (r)
        return r;
    s->has_free = true;
    c->scoped = true;
    c->parent = s;
    atomic_init(&c->task.canceled, s->canceled);
    wait_lock_take(&s->lock);
    list_add_tail(&s->free_children, &c->sibling);
    s->free_live++;
    wait_lock_give(&s->lock);
    co_free_start(c);
    return ERR_OK;
}

/* The opener goes on only when it has had the lock after this, so everything is done under it. */
static void free_child_ended(struct scope *s, struct co *c)
{
    struct co *opener = s->opener;
    bool here = opener->task.worker == worker_current();
    wait_lock_take(&s->lock);
    list_del(&c->sibling);
    s->free_panicked |= c->panicked;
    if (--s->free_live == 0 || c->panicked)
        co_wake_any(&opener->task);
    wait_lock_give(&s->lock);
    if (here && c->panicked) /* it can't have gone on yet; elsewhere the wake does this */
        scope_opener_woken(opener);
}

void scope_child_ended(struct co *c)
{
    struct scope *s = c->parent;
    if (c->task.free) {
        free_child_ended(s, c);
        return;
    }
    list_del(&c->sibling);
    if (c->panicked) {
        s->panicked = true;
        scope_cancel(s);
    }
    if (--s->live == 0)
        co_ready(s->opener);
}

static void cancel_children(struct scope *s)
{
    LIST_EACH(&s->children, it)
    {
        co_cancel(CONTAINER_OF(it, struct co, sibling));
    }
    if (!s->has_free)
        return;
    wait_lock_take(&s->lock);
    LIST_EACH(&s->free_children, it)
    {
        task_cancel(&CONTAINER_OF(it, struct co, sibling)->task);
    }
    wait_lock_give(&s->lock);
}

/* What the ends of free children have left for the opener, whose worker calls. True: all have
 * ended. */
static bool free_ended(struct scope *s)
{
    if (!s->has_free)
        return true;
    wait_lock_take(&s->lock);
    bool ended = s->free_live == 0, panicked = s->free_panicked;
    wait_lock_give(&s->lock);
    if (panicked && !s->panicked) {
        s->panicked = true;
        scope_cancel(s);
    }
    return ended;
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

void scope_opener_woken(struct co *c)
{
    for (struct scope *s = c->scopes; s; s = s->outer)
        (void)free_ended(s);
}

enum err scope_end(struct scope *s)
{
    struct co *c = co_self();
    ASSERT(c == s->opener && c->scopes == s);
    for (;;) {
        (void)co_is_canceled(c); /* takes it on to the children */
        if (free_ended(s) && s->live == 0)
            break;
        co_park(c, NULL, NULL);
    }
    timer_cancel(&s->deadline);
    c->scopes = s->outer;
    if (!s->canceled)
        return ERR_OK;
    c->scopes_canceled--;
    if (s->panicked)
        return ERR_PANIC;
    return s->timed_out ? ERR_TIMEOUT : ERR_CANCELED;
}
