#include "automation/effect.h"

void effects_init(struct effects *x, struct alloc *a)
{
    *x = (struct effects){.alloc = a};
    arena_init(&x->arena, a, EFFECT_TEXTS_MAX);
}

void effects_fini(struct effects *x)
{
    if (!x->alloc)
        return;
    vec_fini(x->alloc, &x->all);
    arena_fini(&x->arena);
    x->alloc = NULL;
}

void effects_clear(struct effects *x)
{
    x->turn = 0;
    vec_fini(x->alloc, &x->all);
    arena_fini(&x->arena);
}

bool effect_is_firm(enum effect_kind kind)
{
    switch (kind) {
    case EFFECT_SAFE:
    case EFFECT_ALERT_END:
    case EFFECT_RELEASE:
    case EFFECT_RULE:
    case EFFECT_ERROR:
    case EFFECT_FAIL: return true;
    case EFFECT_COMMAND:
    case EFFECT_ALERT:
    case EFFECT_PUBLISH:
    case EFFECT_LEASE:
    case EFFECT_REVOKE: break;
    }
    return false;
}

struct effect *effect_add(struct effects *x, enum effect_kind kind)
{
    bool firm = effect_is_firm(kind);
    bool full = x->all.n - x->turn >= EFFECTS_MAX && !firm;
    if (full || !vec_push(x->alloc, &x->all, (struct effect){.kind = kind})) {
        x->lost++;
        x->broken = x->broken || firm;
        return NULL;
    }
    return &x->all.v[x->all.n - 1];
}

bool effect_text(struct effects *x, struct str *to, struct str from)
{
    *to = arena_str(&x->arena, from);
    if (to->p)
        return true;
    if (!effect_is_firm(x->all.v[x->all.n - 1].kind)) {
        x->all.n--;
        x->lost++;
    }
    return false;
}

void effects_undo(struct effects *x)
{
    size_t to = x->turn;
    for (size_t i = x->turn; i < x->all.n; i++) {
        const struct effect *e = &x->all.v[i];
        bool given_back = e->kind == EFFECT_RELEASE && !e->crashed; /* by a turn that never was */
        if (effect_is_firm(e->kind) && !given_back)
            x->all.v[to++] = *e;
    }
    x->all.n = to;
}
