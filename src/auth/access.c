/* The table in use, and what clients remember of it. */
#include "auth/access.h"

#include "base/map.h"

#include <stdio.h>
#include <string.h>

/* What was asked lately. The subject itself is kept, not its hash: a client chooses its topics,
 * and must not be able to choose two that are taken for one. */
#define SLOTS       16
#define SUBJECT_MAX 60
struct slot {
    uint16_t rule; /* that decided; 0: none did */
    uint8_t right; /* 0: empty */
    uint8_t n : 7, allowed : 1;
    char subject[SUBJECT_MAX];
};
struct access_memory {
    struct slot slots[SLOTS];
};

void access_init(struct access *a)
{
    pthread_mutex_init(&a->lock, NULL);
    a->rules = NULL;
    a->versions = 0;
    a->changed = NULL;
    atomic_init(&a->version, 0);
    atomic_init(&a->denied, 0);
}

void access_fini(struct access *a)
{
    access_rules_unref(a->rules);
    a->rules = NULL;
    pthread_mutex_destroy(&a->lock);
}

void access_set(struct access *a, struct access_rules *t)
{
    pthread_mutex_lock(&a->lock);
    struct access_rules *before = a->rules;
    a->rules = t;
    a->versions++;
    atomic_store_explicit(&a->version, t ? a->versions : 0, memory_order_release);
    pthread_mutex_unlock(&a->lock);
    access_rules_unref(before);
    if (a->changed)
        a->changed(a->ctx);
}

void access_watch(struct access *a, void (*changed)(void *ctx), void *ctx)
{
    a->changed = changed;
    a->ctx = ctx;
    if (changed)
        changed(ctx);
}

void access_view_init(struct access_view *v, struct alloc *alloc, const struct access_client *who)
{
    *v = (struct access_view){.who = *who, .alloc = alloc};
}

void access_view_fini(struct access_view *v)
{
    access_rules_unref(v->rules);
    if (v->memory)
        mem_free(v->alloc, v->memory, sizeof(*v->memory));
    *v = (struct access_view){.alloc = v->alloc};
}

static void view_renew(struct access *a, struct access_view *v)
{
    access_rules_unref(v->rules);
    pthread_mutex_lock(&a->lock);
    v->rules = a->rules ? access_rules_ref(a->rules) : NULL;
    v->version = a->rules ? a->versions : 0;
    pthread_mutex_unlock(&a->lock);
    if (v->memory)
        memset(v->memory, 0, sizeof(*v->memory));
}

/* Where the answer is or would be; NULL: it is not remembered. */
static struct slot *slot_of(struct access_view *v, enum access_right right, struct str subject)
{
    if (subject.n > SUBJECT_MAX)
        return NULL;
    if (!v->memory)
        v->memory = mem_zero(v->alloc, sizeof(*v->memory));
    if (!v->memory)
        return NULL;
    return &v->memory->slots[hash_bytes(subject.p, subject.n, right) % SLOTS];
}

static bool slot_is(const struct slot *s, enum access_right right, struct str subject)
{
    return s->right == right && str_eq((struct str){s->subject, s->n}, subject);
}

static void slot_fill(struct slot *s, enum access_right right, struct str subject, bool allowed,
                      size_t rule)
{
    s->right = (uint8_t)right;
    s->n = (uint8_t)(subject.n & 0x7F);
    s->allowed = allowed;
    s->rule = (uint16_t)rule;
    memcpy(s->subject, subject.p, subject.n);
}

static void say_why(char why[160], enum access_right right, size_t rule)
{
    const char *what = right == ACCESS_PUBLISH     ? "publish there"
                       : right == ACCESS_SUBSCRIBE ? "subscribe to it"
                                                   : "receive it";
    if (rule)
        (void)snprintf(why, 160, "access rule %zu does not let it %s", rule, what);
    else
        (void)snprintf(why, 160, "no access rule lets it %s", what);
}

bool access_may(struct access *a, struct access_view *v, enum access_right right,
                struct str subject, char why[160])
{
    uint64_t version = atomic_load_explicit(&a->version, memory_order_acquire);
    if (version != v->version)
        view_renew(a, v);
    if (!v->rules)
        return true;
    struct slot *s = slot_of(v, right, subject);
    size_t rule = 0;
    bool allowed;
    if (s && slot_is(s, right, subject)) {
        allowed = s->allowed;
        rule = s->rule;
    } else {
        allowed = access_rules_allow(v->rules, &v->who, right, subject, &rule);
        if (s)
            slot_fill(s, right, subject, allowed, rule);
    }
    if (allowed)
        return true;
    atomic_fetch_add_explicit(&a->denied, 1, memory_order_relaxed);
    if (why)
        say_why(why, right, rule);
    return false;
}
