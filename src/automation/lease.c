#include "automation/lease.h"

#include "base/list.h"
#include "base/map.h"
#include "lang/program.h"

#include <stdio.h>
#include <string.h>

enum { DEVICES_MAX = 1000000, NAME_MAX_BYTES = 256 };

/* Somebody's wish, waiting or granted. */
struct wish {
    struct list link; /* of the waiting ones: strongest first, then in order of their coming */
    struct lease_party party;
    char name[NAME_MAX_BYTES];
    int32_t priority;
    int64_t for_ms;
    int64_t due_ns;             /* waiting: denied then; granted: over then. INT64_MAX: never */
    int64_t since_ms, until_ms; /* granted; wall clock, of that moment */
};

struct lend {
    struct leases *all;
    struct str device, owner; /* behind the struct and its grants */
    struct lease_grant *grants;
    size_t grants_n, size;
    struct wish *holder; /* NULL: at home */
    bool unclaimed;      /* restored, and its program has not come for it yet */
    struct list waiting;
    size_t waiting_n;
    struct timer timer;
};

struct leases {
    struct alloc *alloc;
    struct worker *worker;
    struct lease_hooks hooks;
    struct map lends; /* by device */
};

const char *lease_end_name(enum lease_end e)
{
    static const char *const names[] = {"released",  "crashed", "time over",
                                        "preempted", "revoked", "gone"};
    return names[e];
}

/* ---- small things -------------------------------------------------------------------------- */

static struct lend *find(const struct leases *l, struct str device)
{
    return map_get(&l->lends, device);
}

static bool same(const struct wish *w, const struct lease_party *p)
{
    return w && w->party.who == p->who && w->party.id == p->id &&
           (p->who || str_eq(w->party.name, p->name));
}

static struct wish *wish_new(struct leases *l, const struct lease_party *p)
{
    struct wish *w = mem_zero(l->alloc, sizeof(*w));
    if (!w)
        return NULL;
    w->party = *p;
    size_t n = p->name.n < sizeof(w->name) ? p->name.n : sizeof(w->name);
    if (n)
        memcpy(w->name, p->name.p, n);
    w->party.name = (struct str){w->name, n};
    list_init(&w->link);
    return w;
}

static void wish_free(struct leases *l, struct wish *w)
{
    mem_free(l->alloc, w, sizeof(*w));
}

static const struct lease_grant *grant_for(const struct lend *d, const struct lease_party *p)
{
    for (size_t i = 0; i < d->grants_n; i++)
        if (p->who ? str_eq(d->grants[i].to, p->name) : d->grants[i].to.n == 0)
            return d->grants[i].priority == LEASE_NEVER ? NULL : &d->grants[i];
    return NULL;
}

static struct lease_view view_of(const struct lend *d)
{
    struct lease_view v = {.device = d->device, .owner = d->owner, .waiting = d->waiting_n};
    const struct wish *h = d->holder;
    if (!h)
        return v;
    v.out = true;
    v.holder = h->party;
    v.priority = h->priority;
    v.since_ms = h->since_ms;
    v.until_ms = h->until_ms;
    return v;
}

static void tell_changed(const struct lend *d)
{
    struct lease_view v = view_of(d);
    if (d->all->hooks.changed)
        d->all->hooks.changed(d->all->hooks.ctx, &v);
}

/* The nearest of the holder's end and the ends of patience. */
static void arm(struct lend *d)
{
    int64_t due = d->holder ? d->holder->due_ns : INT64_MAX;
    LIST_EACH(&d->waiting, it)
    {
        const struct wish *w = CONTAINER_OF(it, struct wish, link);
        due = w->due_ns < due ? w->due_ns : due;
    }
    if (due == INT64_MAX)
        timer_cancel(&d->timer);
    else
        timer_set(&d->timer, due);
}

static int64_t due_after(const struct lend *d, int64_t ms)
{
    int64_t now = worker_now_ns(d->all->worker);
    return ms <= 0 || ms > (INT64_MAX - now) / 1000000 ? INT64_MAX : now + ms * 1000000;
}

/* ---- granting and ending ------------------------------------------------------------------- */

static void grant(struct lend *d, struct wish *w)
{
    d->holder = w;
    w->due_ns = due_after(d, w->for_ms);
    w->since_ms = worker_now_ms(d->all->worker);
    w->until_ms = w->due_ns == INT64_MAX ? INT64_MAX : w->since_ms + w->for_ms;
    arm(d);
    tell_changed(d);
    struct lease_party p = w->party;
    if (d->all->hooks.granted)
        d->all->hooks.granted(d->all->hooks.ctx, &p, d->device);
}

static void deny(struct lend *d, struct wish *w, struct str why)
{
    if (d->all->hooks.denied)
        d->all->hooks.denied(d->all->hooks.ctx, &w->party, d->device, why);
    wish_free(d->all, w);
}

static struct wish *next_waiting(struct lend *d)
{
    if (list_empty(&d->waiting))
        return NULL;
    struct wish *w = CONTAINER_OF(d->waiting.next, struct wish, link);
    list_del(&w->link);
    d->waiting_n--;
    return w;
}

/* `why` is for the holder; "" when it knows. `heir` gets it next, NULL: nobody. */
static void end(struct lend *d, enum lease_end how, struct str why, struct wish *heir)
{
    struct wish *old = d->holder;
    d->holder = NULL;
    d->unclaimed = false;
    arm(d);
    struct leases *l = d->all;
    if (why.n && l->hooks.revoked)
        l->hooks.revoked(l->hooks.ctx, &old->party, d->device, why);
    if (l->hooks.ended)
        l->hooks.ended(l->hooks.ctx, d->device, how, heir != NULL);
    wish_free(l, old);
    if (!d->holder) /* behind what ended() did: who crashes in between ends it once more */
        tell_changed(d);
    if (!heir)
        return;
    if (d->holder) { /* a hook was quicker: the heir waits as before, first in line */
        list_add_head(&d->waiting, &heir->link);
        d->waiting_n++;
        return;
    }
    grant(d, heir);
}

static void deny_waiting(struct lend *d, struct str why)
{
    struct wish *w;
    while ((w = next_waiting(d)) != NULL)
        deny(d, w, why);
}

static struct wish *next_late(struct lend *d, int64_t now)
{
    LIST_EACH_SAFE(&d->waiting, it)
    {
        struct wish *w = CONTAINER_OF(it, struct wish, link);
        if (w->due_ns > now)
            continue;
        list_del(&w->link);
        d->waiting_n--;
        return w;
    }
    return NULL;
}

static void times_over(struct lend *d)
{
    int64_t now = worker_now_ns(d->all->worker);
    struct wish *w;
    while ((w = next_late(d, now)) != NULL) /* what a hook does may end others that wait */
        deny(d, w, STR("it was not free in time"));
    if (d->holder && d->holder->due_ns <= now)
        end(d, LEASE_TIME_OVER, STR("its time is over"), next_waiting(d));
    arm(d);
}

static void lend_timer(struct timer *t)
{
    struct lend *d = CONTAINER_OF(t, struct lend, timer);
    const struct lease_hooks hooks = d->all->hooks;
    if (hooks.hold)
        hooks.hold(hooks.ctx, true);
    times_over(d);
    if (hooks.hold)
        hooks.hold(hooks.ctx, false); /* then anything may happen, to `d` too */
}

/* ---- owners -------------------------------------------------------------------------------- */

static bool names_operator(const struct lease_grant *grants, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (grants[i].to.n == 0)
            return true;
    return false;
}

static struct str put(char **at, struct str s)
{
    struct str copy = {*at, s.n};
    if (s.n)
        memcpy(*at, s.p, s.n);
    *at += s.n;
    return copy;
}

static struct lend *lend_new(struct leases *l, struct str device, struct str owner,
                             const struct lease_grant *grants, size_t n)
{
    size_t all = n + !names_operator(grants, n), text = device.n + owner.n;
    for (size_t i = 0; i < n; i++)
        text += grants[i].to.n;
    size_t size = sizeof(struct lend) + all * sizeof(struct lease_grant) + text;
    struct lend *d = mem_zero(l->alloc, size);
    if (!d)
        return NULL;
    d->all = l;
    d->size = size;
    d->grants = (struct lease_grant *)(d + 1);
    d->grants_n = all;
    char *at = (char *)(d->grants + all);
    d->device = put(&at, device);
    d->owner = put(&at, owner);
    for (size_t i = 0; i < n; i++)
        d->grants[i] =
            (struct lease_grant){put(&at, grants[i].to), grants[i].priority, grants[i].max_ms};
    if (all > n)
        d->grants[n] = (struct lease_grant){STR(""), LANG_OPERATOR_PRIORITY, LANG_OPERATOR_MAX_MS};
    list_init(&d->waiting);
    timer_init(&d->timer, l->worker, lend_timer);
    return d;
}

static void lend_free(struct lend *d)
{
    timer_cancel(&d->timer);
    mem_free(d->all->alloc, d, d->size);
}

/* Holder and waiting ones go over to the new terms; who is not in them is told. */
static void take_over(struct lend *to, struct lend *from)
{
    to->holder = from->holder;
    to->unclaimed = from->unclaimed;
    from->holder = NULL;
    struct wish *w;
    while ((w = next_waiting(from)) != NULL) {
        list_add_tail(&to->waiting, &w->link);
        to->waiting_n++;
    }
    LIST_EACH_SAFE(&to->waiting, it)
    {
        struct wish *waits = CONTAINER_OF(it, struct wish, link);
        if (grant_for(to, &waits->party))
            continue;
        list_del(&waits->link);
        to->waiting_n--;
        deny(to, waits, STR("it is not lent to it any more"));
    }
    arm(to);
    if (to->holder && !to->unclaimed && !grant_for(to, &to->holder->party))
        end(to, LEASE_REVOKED, STR("it is not lent to it any more"), next_waiting(to));
}

enum err leases_own(struct leases *l, struct str device, struct str owner,
                    const struct lease_grant *grants, size_t grants_n)
{
    struct lend *d = lend_new(l, device, owner, grants, grants_n), *old = find(l, device);
    if (!d)
        return ERR_NOMEM;
    if (old)
        (void)map_del(&l->lends, device);
    enum err e = map_put(&l->lends, d->device, d);
    if (e) { /* only without `old`, whose place is free */
        lend_free(d);
        return e;
    }
    if (!old)
        return ERR_OK;
    take_over(d, old);
    lend_free(old);
    return ERR_OK;
}

void leases_disown(struct leases *l, struct str device)
{
    struct lend *d = map_del(&l->lends, device);
    if (!d)
        return;
    deny_waiting(d, STR("it has no owner any more"));
    if (d->holder)
        end(d, LEASE_GONE, STR("it has no owner any more"), NULL);
    lend_free(d);
}

/* ---- asking and giving back ---------------------------------------------------------------- */

static void deny_at_once(struct leases *l, const struct lease_party *p, struct str device,
                         const char *fmt, ...) PRINTF_LIKE(4, 5);
static void deny_at_once(struct leases *l, const struct lease_party *p, struct str device,
                         const char *fmt, ...)
{
    char why[2 * NAME_MAX_BYTES];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(why, sizeof(why), fmt, args);
    va_end(args);
    if (l->hooks.denied)
        l->hooks.denied(l->hooks.ctx, p, device, str_from(why));
}

static void queue(struct lend *d, struct wish *w)
{
    struct list *at = d->waiting.next;
    while (at != &d->waiting && CONTAINER_OF(at, struct wish, link)->priority <= w->priority)
        at = at->next;
    list_add_tail(at, &w->link); /* in front of `at` */
    d->waiting_n++;
    arm(d);
}

/* A program has one lease of a device at most, so its name tells which. */
static bool is_unclaimed_of(const struct lend *d, const struct lease_party *p)
{
    return d->holder && d->unclaimed && p->who && str_eq(d->holder->party.name, p->name);
}

void leases_ask(struct leases *l, struct str device, const struct lease_party *p, int64_t for_ms,
                int64_t wait_ms)
{
    struct lend *d = find(l, device);
    const struct lease_grant *g = d ? grant_for(d, p) : NULL;
    if (!g) {
        deny_at_once(l, p, device, d ? "its owner %.*s does not lend it to %.*s" : "nobody owns it",
                     d ? (int)d->owner.n : 0, d ? d->owner.p : "", STR_FMT(p->name));
        return;
    }
    if (leases_claim(l, device, p)) { /* a crash came between the grant and its news */
        if (l->hooks.granted)
            l->hooks.granted(l->hooks.ctx, p, d->device);
        return;
    }
    struct wish *h = d->holder;
    bool takes = h && h->priority > g->priority, renews = same(h, p);
    if (h && !takes && !renews && (wait_ms <= 0 || d->waiting_n >= LEASE_WAITING_MAX)) {
        deny_at_once(l, p, device, wait_ms <= 0 ? "%.*s has it" : "%.*s has it, and too many wait",
                     STR_FMT(h->party.name));
        return;
    }
    struct wish *w = wish_new(l, p);
    if (!w) {
        deny_at_once(l, p, device, "there is no memory for it");
        return;
    }
    w->priority = g->priority;
    w->for_ms = g->max_ms > 0 && (for_ms <= 0 || for_ms > g->max_ms) ? g->max_ms : for_ms;
    if (renews) {
        d->holder = NULL;
        wish_free(l, h);
        grant(d, w);
    } else if (takes) {
        char why[2 * NAME_MAX_BYTES];
        (void)snprintf(why, sizeof(why), "%.*s took it", STR_FMT(p->name));
        end(d, LEASE_PREEMPTED, str_from(why), w);
    } else if (h) {
        w->due_ns = due_after(d, wait_ms);
        queue(d, w);
    } else {
        grant(d, w);
    }
}

bool leases_release(struct leases *l, struct str device, const struct lease_party *p, bool crashed)
{
    struct lend *d = find(l, device);
    if (!d)
        return false;
    if (same(d->holder, p)) {
        end(d, crashed ? LEASE_CRASHED : LEASE_RELEASED, STR(""), next_waiting(d));
        return true;
    }
    LIST_EACH_SAFE(&d->waiting, it)
    {
        struct wish *w = CONTAINER_OF(it, struct wish, link);
        if (!same(w, p))
            continue;
        list_del(&w->link);
        d->waiting_n--;
        wish_free(l, w);
        arm(d);
        return true;
    }
    return false;
}

void leases_revoke(struct leases *l, struct str device)
{
    struct lend *d = find(l, device);
    if (!d)
        return;
    deny_waiting(d, STR("its owner took it back"));
    if (d->holder)
        end(d, LEASE_REVOKED, STR("its owner took it back"), NULL);
}

void leases_drop_all(struct leases *l, void *who)
{
    size_t at = 0;
    void *value;
    while (map_next(&l->lends, &at, NULL, &value)) {
        struct lend *d = value;
        LIST_EACH_SAFE(&d->waiting, it)
        {
            struct wish *w = CONTAINER_OF(it, struct wish, link);
            if (w->party.who != who)
                continue;
            list_del(&w->link);
            d->waiting_n--;
            wish_free(l, w);
        }
        arm(d);
        if (d->holder && d->holder->party.who == who)
            end(d, LEASE_CRASHED, STR(""), next_waiting(d));
    }
}

bool leases_holds(const struct leases *l, struct str device, const struct lease_party *p)
{
    const struct lend *d = find(l, device);
    return d && same(d->holder, p);
}

bool leases_view(const struct leases *l, struct str device, struct lease_view *out)
{
    const struct lend *d = find(l, device);
    if (d)
        *out = view_of(d);
    return d != NULL;
}

/* ---- over a restart ------------------------------------------------------------------------ */

bool leases_restore(struct leases *l, struct str device, struct str holder, bool person,
                    uint32_t id, int64_t until_ms)
{
    struct lend *d = find(l, device);
    if (!d || d->holder)
        return false;
    /* a program's `who` is not known yet: any but NULL, which is a person */
    struct lease_party p = {person ? NULL : l, id, holder};
    const struct lease_grant *g = grant_for(d, &p);
    struct wish *w = g ? wish_new(l, &p) : NULL;
    if (!w)
        return false;
    int64_t left = until_ms == INT64_MAX ? 0 : until_ms - worker_now_ms(l->worker);
    w->priority = g->priority;
    w->since_ms = worker_now_ms(l->worker);
    w->until_ms = until_ms;
    w->due_ns = until_ms == INT64_MAX ? INT64_MAX : due_after(d, left > 0 ? left : 1);
    d->holder = w;
    d->unclaimed = !person;
    arm(d);
    return true;
}

bool leases_claim(struct leases *l, struct str device, const struct lease_party *p)
{
    struct lend *d = find(l, device);
    if (!d || !is_unclaimed_of(d, p))
        return false;
    d->holder->party.who = p->who;
    d->holder->party.id = p->id;
    d->unclaimed = false;
    return true;
}

void leases_settle(struct leases *l)
{
    size_t at = 0;
    void *value;
    while (map_next(&l->lends, &at, NULL, &value)) {
        struct lend *d = value;
        if (d->holder && d->unclaimed)
            end(d, LEASE_CRASHED, STR(""), next_waiting(d));
    }
}

/* ---- life ---------------------------------------------------------------------------------- */

enum err leases_new(struct leases **out, struct executor *ex, struct alloc *a,
                    const struct lease_hooks *hooks)
{
    struct leases *l = *out = mem_zero(a, sizeof(*l));
    if (!l)
        return ERR_NOMEM;
    l->alloc = a;
    l->worker = executor_worker(ex, 0);
    l->hooks = *hooks;
    map_init(&l->lends, a, executor_env(ex)->seed, DEVICES_MAX);
    return ERR_OK;
}

void leases_free(struct leases *l)
{
    if (!l)
        return;
    size_t at = 0;
    void *value;
    while (map_next(&l->lends, &at, NULL, &value)) {
        struct lend *d = value;
        struct wish *w;
        while ((w = next_waiting(d)) != NULL)
            wish_free(l, w);
        if (d->holder)
            wish_free(l, d->holder);
        lend_free(d);
    }
    map_fini(&l->lends);
    mem_free(l->alloc, l, sizeof(*l));
}
