/* What waits, and what hands devices on: spawn, select, sleep, lease, revoke, drop. */
#include "lang/check_internal.h"

#include <stdio.h>

/* ---- spawn ------------------------------------------------------------------------------- */

/* A task of the site is typed again for each program that spawns it: its bindings differ. */
static void note_task(struct checker *k, struct fn_decl *task)
{
    struct prog *p = k->prog;
    if (map_get(&p->fns, task->name.text) == task)
        return;
    for (size_t i = 0; i < p->tasks.n; i++)
        if (p->tasks.v[i] == task)
            return;
    ctx_tree_push(k->c, &p->tasks, task);
}

static void no_task(struct checker *k, const struct expr *e, const struct fn_decl *fn)
{
    struct str name = e->path_n > 0 ? e->text : STR("this");
    struct lang_diag *d;
    if (fn) {
        d = diag_error(k->c, "T1", e->path[0].span, "a function",
                       "`%.*s` is a function: it is called, not spawned", STR_FMT(name));
        diag_mark(k->c, d, fn->name.span, "declared here");
        diag_help(k->c, d, "leave `spawn` out, or make it a task");
        return;
    }
    struct suggest s = suggest_for(k->c, name);
    for (size_t i = 0; i < k->syntax->fns.n; i++)
        if (k->syntax->fns.v[i]->task)
            suggest_offer(&s, k->syntax->fns.v[i]->name.text);
    for (size_t i = 0; k->prog && i < k->prog->fns_list.n; i++)
        if (k->prog->fns_list.v[i]->task)
            suggest_offer(&s, k->prog->fns_list.v[i]->name.text);
    d = diag_error(k->c, "N1", e->span, "unknown", "there is no task `%.*s`", STR_FMT(name));
    if (suggest_found(&s))
        diag_help(k->c, d, "did you mean `%.*s`?", STR_FMT(s.best));
    else
        diag_help(k->c, d, "declare it:  task %.*s(…) { … }", STR_FMT(name));
}

static bool only_bodies(struct checker *k, struct lang_span at, const char *what)
{
    if (k->mode == MODE_FN && k->frame->kind == FRAME_FN) {
        (void)diag_error(k->c, "T1", at, "not here",
                         "a function only computes: %s stands in a rule or a task", what);
        return false;
    }
    return may_act(k, at, what);
}

static bool has_device(const struct fn_decl *fn)
{
    for (size_t i = 0; i < fn->params_n; i++)
        if (fn->params[i].mode != PARAM_DATA)
            return true;
    return false;
}

/* A function that was handed a device acts for whoever called it; others only compute. */
static bool bodies_and_hands(struct checker *k, struct lang_span at, const char *what)
{
    if (k->mode == MODE_FN && k->frame->kind == FRAME_FN && has_device(k->frame->fn))
        return true;
    return only_bodies(k, at, what);
}

/* In a function of a program: tasks of the site are typed for the program that spawns them. */
static bool may_spawn(struct checker *k, const struct stmt *s)
{
    return k->prog ? bodies_and_hands(k, s->span, "`spawn`") : only_bodies(k, s->span, "`spawn`");
}

void check_spawn(struct checker *k, struct stmt *s)
{
    struct expr *e = s->value;
    struct fn_decl *task = e->kind == E_CALL && e->path_n == 1 ? find_fn(k, e->text) : NULL;
    bool here = may_spawn(k, s);
    if (!task || !task->task || task->bad || !here) {
        if (!task || !task->task)
            no_task(k, e, task);
        look_at_list(k, e);
        expr_bad(e);
        return;
    }
    e->bad = e->constant = false;
    e->ref = REF_TASK;
    e->fn = task;
    e->type = type_plain(LANG_TYPE_NONE);
    note_task(k, task);
    if (!args_fit(k, e, e->text, task->param_types, task->params, task->params_n, task->name.span))
        expr_bad(e);
}

/* ---- events ------------------------------------------------------------------------------ */

static const struct lang_member *signal_in(struct checker *k, const struct lang_decl *r,
                                           struct name n)
{
    const struct lang_member *m =
        r->type ? lang_decl_member(r->type, LANG_CLAUSE_SIGNAL, n.text) : NULL;
    if (m || !r->type || r->type->damaged)
        return m;
    m = lang_decl_any_member(r->type, n.text);
    struct suggest s = suggest_for(k->c, n.text);
    for (size_t i = 0; i < r->type->members_n; i++)
        if (r->type->members[i].role == LANG_CLAUSE_SIGNAL)
            suggest_offer(&s, r->type->members[i].name);
    struct lang_diag *d = diag_error(k->c, "N1", n.span, m ? not_a(k->c, NOUN_SIGNAL) : "unknown",
                                     "%.*s has no %s `%.*s`", STR_FMT(r->name),
                                     noun(k->c, NOUN_SIGNAL), STR_FMT(n.text));
    diag_mark(k->c, d, r->name_span, "a %.*s", STR_FMT(r->type->name));
    if (suggest_found(&s))
        diag_help(k->c, d, "did you mean `%.*s`?", STR_FMT(s.best));
    else if (m && m->role == LANG_CLAUSE_READABLE)
        diag_help(k->c, d, "%s changes:  when changed %.*s.%.*s { … }", noun_a(k->c, NOUN_READABLE),
                  STR_FMT(r->name), STR_FMT(n.text));
    return NULL;
}

const struct lang_member *signal_of(struct checker *k, const struct name *path, size_t n,
                                    struct lang_span at, const struct lang_decl **resource)
{
    struct target t;
    if (!resolve(k, path, n > 1 ? n - 1 : n, &t))
        return NULL;
    const struct lang_decl *r = t.resource;
    if (n < 2 || !r || r->kind->role != LANG_ROLE_RESOURCE || t.used + 1 != n) {
        struct lang_diag *d =
            diag_error(k->c, "T1", at, not_a(k->c, NOUN_SIGNAL), "this is no %s of %s",
                       noun(k->c, NOUN_SIGNAL), noun_a(k->c, NOUN_RESOURCE));
        diag_help(k->c, d, "as in:  plant.press1.jam");
        return NULL;
    }
    *resource = r;
    return signal_in(k, r, path[n - 1]);
}

/* ---- select ------------------------------------------------------------------------------ */

/* resource.signal(): false if it is something else. */
static bool arm_signal(struct checker *k, struct expr *e)
{
    const struct sym *s = e->path_n > 0 ? sym_find(k, e->path[0].text) : NULL;
    bool outside = !s || s->kind == SYM_OWN || s->kind == SYM_READ_ALL || s->kind == SYM_ELEMENT;
    if (e->kind != E_CALL || e->a || e->path_n < 2 || !outside || k->mode == MODE_FN)
        return false;
    const struct lang_decl *r;
    const struct lang_member *m = signal_of(k, e->path, e->path_n, e->span, &r);
    e->bad = e->constant = false;
    e->type = type_plain(LANG_TYPE_NONE);
    if (m && e->list.n > 0)
        (void)diag_error(k->c, "T1", e->span, "wrong number of arguments",
                         "%s is waited for without arguments", noun_a(k->c, NOUN_SIGNAL));
    uint32_t binding = m ? binding_signal(k, r, m, e->span) : UINT32_MAX;
    if (!m || e->list.n > 0 || binding == UINT32_MAX) {
        expr_bad(e);
        return true;
    }
    e->ref = REF_SIGNAL;
    e->index = binding;
    e->member = m;
    e->resource = r;
    return true;
}

static void arm_waits_for(struct checker *k, const struct expr *e)
{
    struct lang_diag *d = diag_error(k->c, "T1", e->span, "nothing to wait for",
                                     "an arm of `select` waits for a channel, %s or a time",
                                     noun_a(k->c, NOUN_SIGNAL));
    diag_help(k->c, d,
              "x = ch.recv() => …   ch.send(x) => …   plant.press1.jam() => …   after 1s => …");
}

static void arm_name(struct checker *k, struct arm *arm, bool received)
{
    struct expr *e = arm->value;
    arm->local_type = e->type;
    if (arm->name.text.n == 0)
        return;
    if (!e->bad && !received)
        (void)diag_error(k->c, "T1", arm->name.span, "no value", "only `recv()` gives a value");
    if (received && is_device(e))
        arm->local = add_handle(k, arm->name, &arm->local_type, (struct sym){.mode = PARAM_OWN});
    else
        arm->local = local_add(k, arm->name, &arm->local_type, false, received && !e->bad);
}

static void check_arm(struct checker *k, struct arm *arm)
{
    size_t scope = k->frame->names.all.n;
    int64_t ms;
    if (arm->kind == ARM_AFTER) {
        (void)check_duration_value(k, arm->value, "the time of `after`", &ms);
    } else if (arm->kind == ARM_EXPR) {
        struct expr *e = arm->value;
        bool signal = arm_signal(k, e);
        if (!signal)
            check_expr(k, e);
        bool method = !signal && e->ref == REF_METHOD && !e->bad;
        bool recv = method && e->method == METHOD_RECV, send = method && e->method == METHOD_SEND;
        if (!signal && !e->bad && !recv && !send) {
            arm_waits_for(k, e);
            expr_bad(e);
        }
        arm_name(k, arm, recv);
    }
    check_stmts(k, &arm->body);
    names_end(k, scope);
}

void check_select(struct checker *k, struct stmt *s)
{
    size_t elses = 0;
    if (s->arms_n == 0 && !s->body.damaged)
        (void)diag_error(k->c, "P1", s->span, "empty", "a `select` without arms waits for ever");
    if (s->arms_n > CODE_ARMS_MAX)
        (void)diag_error(k->c, "P1", s->arms[CODE_ARMS_MAX].span, "one too many",
                         "a `select` has at most %u arms", CODE_ARMS_MAX);
    (void)may_suspend(k, s->span, "`select`");
    for (size_t i = 0; i < s->arms_n; i++) {
        if (s->arms[i].kind == ARM_ELSE && elses++ > 0)
            (void)diag_error(k->c, "P1", s->arms[i].span, "a second time",
                             "a `select` has one `else`");
        check_arm(k, &s->arms[i]);
    }
}

void check_sleep(struct checker *k, struct stmt *s)
{
    int64_t ms;
    (void)may_suspend(k, s->span, "`sleep`");
    (void)check_duration_value(k, s->value, "the time of `sleep`", &ms);
}

/* ---- leases ------------------------------------------------------------------------------ */

static void unknown_lender(struct checker *k, const struct stmt *s)
{
    struct suggest sug = suggest_for(k->c, s->path[0].text);
    for (size_t i = 0; i < k->syntax->programs.n; i++)
        suggest_offer(&sug, k->syntax->programs.v[i]->name.text);
    struct lang_diag *d = diag_error(k->c, "N1", s->path[0].span, "unknown",
                                     "there is no program `%.*s`", STR_FMT(s->path[0].text));
    if (suggest_found(&sug))
        diag_help(k->c, d, "did you mean `%.*s`?", STR_FMT(sug.best));
    else
        diag_help(k->c, d,
                  "%s is leased from the program that owns it:  lease %.*s = "
                  "program.name for 20min { … }",
                  noun_a(k->c, NOUN_RESOURCE), STR_FMT(s->name.text));
}

static void unknown_handle(struct checker *k, const struct stmt *s, const struct program_info *p)
{
    struct str wanted = s->path[s->path_n - 1].text;
    struct suggest sug = suggest_for(k->c, wanted);
    size_t at = 0;
    struct str name;
    void *value;
    while (map_next(&p->owns, &at, &name, &value))
        suggest_offer(&sug, name);
    struct lang_diag *d = diag_error(k->c, "N1", s->path_span, "unknown", "%.*s owns no `%.*s`",
                                     STR_FMT(p->decl->name.text), STR_FMT(wanted));
    diag_mark(k->c, d, p->decl->name.span, "the program");
    if (suggest_found(&sug))
        diag_help(k->c, d, "did you mean `%.*s.%.*s`?", STR_FMT(p->decl->name.text),
                  STR_FMT(sug.best));
    else
        diag_help(k->c, d, "only what a program owns outside of its loops can be leased");
}

static const struct lang_decl *leased_resource(struct checker *k, const struct stmt *s)
{
    struct program_info *p = find_program(k, s->path[0].text);
    if (!p) {
        const struct lang_decl *r =
            s->path_n == 2 ? own_offered(k, s->path[0].text, s->path[1].text) : NULL;
        if (!r)
            unknown_lender(k, s);
        return r;
    }
    struct program_own *o = s->path_n == 2 ? map_get(&p->owns, s->path[1].text) : NULL;
    if (!o) {
        unknown_handle(k, s, p);
        return NULL;
    }
    /* What is its own is not lent to it (O2). If it stands for nothing, its own program says so,
     * maybe later: nothing may be compiled with it. */
    k->unsound = k->unsound || !o->resource;
    return o->resource;
}

static bool add_lease(struct checker *k, struct stmt *s, const struct lang_decl *r)
{
    struct prog *p = k->prog;
    if (p->leases.n >= LANG_LEASES_MAX) {
        (void)diag_error(k->c, "P1", s->span, "one too many", "a program has at most %u leases",
                         LANG_LEASES_MAX);
        return false;
    }
    uint32_t binding = binding_add(
        k,
        (struct lang_binding){
            .kind = LANG_BIND_LEASE, .name = s->name.text, .resource = r, .type = s->local_type},
        s->name.span);
    if (binding == UINT32_MAX)
        return false;
    s->lease = (uint32_t)p->leases.n;
    ctx_tree_push(k->c, &p->leases,
                  (struct lang_lease){.binding = binding,
                                      .path = p->bindings.v[binding].path,
                                      .from = s->path[0].text,
                                      .source = s->span.source,
                                      .line = ctx_line(k->c, s->span)});
    return true;
}

static void lease_times(struct checker *k, struct stmt *s, bool added)
{
    int64_t for_ms = 0, wait_ms = 0;
    (void)check_duration_value(k, s->value, "the time of a lease", &for_ms);
    if (s->value2)
        (void)check_duration_value(k, s->value2, "`wait`", &wait_ms);
    if (!added)
        return;
    k->prog->leases.v[s->lease].for_ms = for_ms;
    k->prog->leases.v[s->lease].wait_ms = wait_ms;
}

void check_lease(struct checker *k, struct stmt *s)
{
    size_t scope = k->frame->names.all.n;
    bool here = only_bodies(k, s->span, "`lease`") && may_suspend(k, s->span, "`lease`");
    const struct lang_decl *r = here ? leased_resource(k, s) : NULL;
    s->local_type = type_plain(LANG_TYPE_HANDLE);
    s->local_type.model = r ? r->type : NULL;
    bool added = r && r->type && add_lease(k, s, r);
    lease_times(k, s, added);
    if (added)
        s->local = add_handle(k, s->name, &s->local_type,
                              (struct sym){.mode = PARAM_MUT, .leased = true, .resource = r});
    else
        (void)local_add(k, s->name, &s->local_type, false, false);
    check_stmts(k, &s->body);
    names_end(k, scope);
    s->local2_type = type_plain(LANG_TYPE_STR);
    if (s->name2.text.n > 0)
        s->local2 = local_add(k, s->name2, &s->local2_type, false, true);
    check_stmts(k, &s->otherwise);
    names_end(k, scope);
    check_stmts(k, &s->denied);
}

/* ---- revoke, drop ------------------------------------------------------------------------ */

static bool held_here(struct checker *k, struct stmt *s, const char *word)
{
    s->binding = UINT32_MAX;
    check_expr(k, s->target);
    if (s->target->bad)
        return false;
    if (is_device(s->target)) {
        if (s->target->ref == REF_OWN)
            s->binding = s->target->index;
        return true;
    }
    if (s->target->ref == REF_GROUP) {
        struct lang_diag *d =
            diag_error(k->c, "T1", s->target->span, "of which one?", "`%.*s` is several %s",
                       STR_FMT(ctx_text(k->c, s->target->span)), noun_many(k->c, NOUN_RESOURCE));
        diag_help(k->c, d, "own the one that is meant by a name of its own");
    } else {
        (void)diag_error(k->c, "T1", s->target->span,
                         ctx_strf(k->c, "no %s", noun(k->c, NOUN_RESOURCE)).p,
                         "`%s` wants %s that is held here, this is %.*s", word,
                         noun_a(k->c, NOUN_RESOURCE), STR_FMT(type_phrase(k, &s->target->type)));
    }
    return false;
}

void check_revoke(struct checker *k, struct stmt *s)
{
    if (!bodies_and_hands(k, s->span, "`revoke`") || !held_here(k, s, "revoke"))
        expr_bad(s->target);
}

void check_drop(struct checker *k, struct stmt *s)
{
    if (!may_act(k, s->span, "`drop`") || !held_here(k, s, "drop"))
        expr_bad(s->target);
}
