/* Rules: what starts them, what they look at, what they do. */
#include "lang/check_internal.h"

#include <stdio.h>

/* Source as one line without comments: "when temp > 80 °C for 2s". */
static struct str head_text(struct checker *k, struct lang_span span)
{
    struct str t = ctx_text(k->c, span);
    struct strbuf b;
    strbuf_init(&b, &k->c->tree_alloc, 0);
    bool space = false, text = false;
    for (size_t i = 0; i < t.n; i++) {
        if (t.p[i] == '"' && (i == 0 || t.p[i - 1] != '\\'))
            text = !text;
        if (!text && t.p[i] == '/' && i + 1 < t.n && t.p[i + 1] == '/')
            while (i < t.n && t.p[i] != '\n')
                i++;
        if (i >= t.n)
            break;
        if (t.p[i] == ' ' || t.p[i] == '\t' || t.p[i] == '\n' || t.p[i] == '\r') {
            space = true;
            continue;
        }
        if (space && b.n > 0)
            strbuf_addc(&b, ' ');
        space = false;
        strbuf_addc(&b, t.p[i]);
    }
    if (b.failed)
        ctx_nomem(k->c);
    return ctx_str(k->c, strbuf_str(&b));
}

/* line_guard/st=plant.press1/when#2 */
static struct str rule_path(struct checker *k, const char *word)
{
    struct str key = ctx_strf(k->c, "%.*s/%s", STR_FMT(k->prog->prefix), word);
    uintptr_t n = (uintptr_t)map_get(&k->prog->counters, key) + 1;
    map_set(k, &k->prog->counters, key, (void *)n);
    return ctx_strf(k->c, "%.*s#%u", STR_FMT(key), (unsigned)n);
}

bool compiling(const struct checker *k)
{
    return k->c->errors == 0 && !k->unsound;
}

static struct code_locals locals_of(const struct checker *k, size_t params)
{
    return (struct code_locals){k->frame->locals.v, k->frame->locals.n, params};
}

static void begin_chunk(struct checker *k, enum check_mode mode)
{
    k->mode = mode;
    k->frame->locals.n = k->frame->taken.n = k->frame->spare.n = 0;
    k->frame->suspends = false;
    k->frame->loops = 0;
}

/* ---- conditions -------------------------------------------------------------------------- */

/* What the conditions of a rule depend on. */
struct depends {
    struct u32_list reads, until_reads, vars;
};

static void never_changes(struct checker *k, const struct expr *e)
{
    struct lang_diag *d =
        diag_warning(k->c, "T2", e->span, "never changes", "this condition is always %s",
                     e->value.i ? "true" : "false");
    diag_help(k->c, d, "what runs once when the program starts stands in it without `when`");
}

static void type_condition(struct checker *k, struct expr *e, struct u32_list *reads,
                           struct u32_list *vars)
{
    begin_chunk(k, MODE_CONDITION);
    k->reads = reads;
    k->vars = vars;
    (void)check_condition(k, e, "the condition of a rule");
    k->reads = k->vars = NULL;
    k->mode = MODE_BODY;
}

static uint32_t rule_condition(struct checker *k, struct expr *e, struct str name,
                               struct depends *on, bool until)
{
    struct u32_list own = {0};
    type_condition(k, e, &own, &on->vars);
    for (size_t i = 0; i < own.all.n; i++)
        list_add(k, &on->reads, own.all.v[i]);
    if (until)
        on->until_reads = own;
    if (compiling(k) && own.all.n == 0 && on->vars.all.n == 0 && e->constant)
        never_changes(k, e);
    own_condition(k, e, until);
    return compiling(k) ? compile_condition(k->prog->code, name, e, locals_of(k, 0))
                        : LANG_NO_CHUNK;
}

/* What it was the last time: a variable that nobody sees. */
static uint32_t last_value(struct checker *k, const struct expr *e, struct str name)
{
    struct prog *p = k->prog;
    if (p->vars.n >= LANG_VARS_MAX) {
        (void)diag_error(k->c, "P1", e->span, "one too many", "a program has at most %u variables",
                         LANG_VARS_MAX);
        return 0;
    }
    struct lang_type type = type_optional(e->type);
    ctx_tree_push(k->c, &p->vars,
                  (struct lang_var){.path = ctx_strf(k->c, "%.*s/last", STR_FMT(name)),
                                    .type = type,
                                    .initial = type_none_slot(&type),
                                    .source = e->span.source,
                                    .line = ctx_line(k->c, e->span)});
    return (uint32_t)p->vars.n - 1;
}

static uint32_t changed_value(struct checker *k, struct expr *e, struct str name,
                              struct depends *on)
{
    begin_chunk(k, MODE_CONDITION);
    k->reads = &on->reads;
    k->vars = &on->vars;
    bool fine = check_value(k, e, NULL, OWN_STORED);
    k->reads = k->vars = NULL;
    k->mode = MODE_BODY;
    if (fine && !type_copyable(k, &e->type)) {
        (void)diag_error(k->c, "T1", e->span, "not comparable",
                         "nobody can tell whether %.*s has changed",
                         STR_FMT(type_phrase(k, &e->type)));
    } else if (fine && is_reference(&e->type) && e->type.kind != LANG_TYPE_STR) {
        struct lang_diag *d =
            diag_error(k->c, "T1", e->span, "too much to watch",
                       "`when changed` watches a number, a text, a bool, a time or an enum, this "
                       "is %.*s",
                       STR_FMT(type_phrase(k, &e->type)));
        diag_help(k->c, d, "watch what is in it, as in  when changed %.*s",
                  STR_FMT(ctx_text(k->c, e->span)));
    } else if (fine && on->reads.all.n == 0 && on->vars.all.n == 0) {
        (void)diag_warning(k->c, "T2", e->span, "never changes", "this never changes");
    }
    own_condition(k, e, false);
    if (!fine)
        return LANG_NO_CHUNK;
    uint32_t last = last_value(k, e, name);
    return compiling(k) ? compile_changed(k->prog->code, name, e, last, locals_of(k, 0))
                        : LANG_NO_CHUNK;
}

/* ---- bodies ------------------------------------------------------------------------------ */

struct rule_body {
    uint32_t chunk;
    bool suspends;
};

static struct rule_body type_body(struct checker *k, struct stmt_list *body, struct str name,
                                  size_t params, bool until)
{
    check_stmts(k, body);
    struct rule_body b = {LANG_NO_CHUNK, k->frame->suspends};
    own_body(k, body, until);
    if (compiling(k))
        b.chunk = compile_body(k->prog->code, name, body, locals_of(k, params), b.suspends);
    return b;
}

static void rule_body(struct checker *k, struct stmt_list *body, struct lang_rule *r)
{
    begin_chunk(k, MODE_BODY);
    struct rule_body b = type_body(k, body, r->path, 0, false);
    r->body = b.chunk;
    r->suspends = b.suspends;
}

static void keep_depends(struct checker *k, struct lang_rule *r, const struct depends *on)
{
    r->reads = ctx_kept(k->c, &on->reads.all);
    r->reads_n = on->reads.all.n;
    r->until_reads = ctx_kept(k->c, &on->until_reads.all);
    r->until_reads_n = on->until_reads.all.n;
    r->vars = ctx_kept(k->c, &on->vars.all);
    r->vars_n = on->vars.all.n;
}

/* ---- kinds of rules ----------------------------------------------------------------------- */

static void check_when(struct checker *k, struct item *i, struct lang_rule *r)
{
    struct depends on = {0};
    k->uses_stale = false;
    r->condition = rule_condition(k, i->value, r->path, &on, false);
    if (i->hold)
        (void)check_duration(k, i->hold, "`for` in a rule", &r->hold_ms);
    rule_body(k, &i->body, r);
    if (i->has_until) {
        struct str name = ctx_strf(k->c, "%.*s/until", STR_FMT(r->path));
        r->until_text = head_text(k, i->until_span);
        r->until_condition = rule_condition(k, i->until, name, &on, true);
        if (i->until_hold)
            (void)check_duration(k, i->until_hold, "`for` in a rule", &r->until_hold_ms);
        begin_chunk(k, MODE_BODY);
        struct rule_body b = type_body(k, &i->until_body, name, 0, true);
        r->until_body = b.chunk;
        r->until_suspends = b.suspends;
    }
    r->uses_stale = k->uses_stale;
    keep_depends(k, r, &on);
}

static void check_changed(struct checker *k, struct item *i, struct lang_rule *r)
{
    struct depends on = {0};
    k->uses_stale = false;
    r->condition = changed_value(k, i->value, r->path, &on);
    if (i->hold)
        (void)check_duration(k, i->hold, "`for` in a rule", &r->hold_ms);
    if (i->has_until)
        (void)diag_error(k->c, "P1", i->until_span, "not here",
                         "what has changed does not end: `until` belongs to a condition");
    rule_body(k, &i->body, r);
    r->uses_stale = k->uses_stale;
    keep_depends(k, r, &on);
}

static void check_signal(struct checker *k, struct item *i, struct lang_rule *r)
{
    const struct lang_decl *resource;
    const struct lang_member *m = signal_of(k, i->path, i->path_n, i->path_span, &resource);
    r->signal = m ? binding_signal(k, resource, m, i->path_span) : UINT32_MAX;
    if (m)
        own_signal(k, resource, m);
    rule_body(k, &i->body, r);
}

static void check_message(struct checker *k, struct item *i, struct lang_rule *r)
{
    struct subject *t = subject_of(k, i->value);
    bool fine =
        type_resolve(k, &i->type, &r->message) && message_type(k, &r->message, i->type.span);
    if (t && fine) {
        subject_type(k, t, &r->message, i->type.span);
        own_message(k, t->name, &r->message, i->value->span, false);
        if (!t->is_heard)
            t->heard = i->value->span;
        t->is_heard = true;
        r->subject = t->name;
    }
    size_t scope = k->frame->names.all.n;
    begin_chunk(k, MODE_BODY);
    (void)local_add(k, i->name, &r->message, false, fine);
    struct rule_body b = type_body(k, &i->body, r->path, 1, false);
    names_end(k, scope);
    r->body = b.chunk;
    r->suspends = b.suspends;
}

static void idle_twice(struct checker *k, const struct item *i, uint32_t binding)
{
    for (size_t q = 0; q < k->prog->rules.n; q++) {
        const struct lang_rule *r = &k->prog->rules.v[q];
        if (r->kind != LANG_RULE_IDLE || r->signal != binding)
            continue;
        struct lang_diag *d = diag_error(k->c, "N2", i->path_span, "a second time",
                                         "what `%.*s` does when it is idle is said twice",
                                         STR_FMT(ctx_text(k->c, i->path_span)));
        diag_help(k->c, d, "the first one is in line %u", r->line);
        return;
    }
}

static void check_idle(struct checker *k, struct item *i, struct lang_rule *r)
{
    const struct sym *s = own_of(k, i, "idle");
    r->signal = s ? s->index : UINT32_MAX;
    if (s)
        idle_twice(k, i, s->index);
    rule_body(k, &i->body, r);
}

/* ---- all of them ------------------------------------------------------------------------- */

static const struct {
    enum lang_rule_kind kind;
    const char *word;
} kinds[] = {
    [I_WHEN] = {LANG_RULE_WHEN, "when"},    [I_EVERY] = {LANG_RULE_EVERY, "every"},
    [I_START] = {LANG_RULE_START, "start"}, [I_AT] = {LANG_RULE_AT, "at"},
    [I_ON] = {LANG_RULE_SIGNAL, "on"},      [I_IDLE] = {LANG_RULE_IDLE, "idle"},
};

static struct lang_rule rule_of(struct checker *k, const struct item *i)
{
    enum lang_rule_kind kind = kinds[i->kind].kind;
    const char *word = kinds[i->kind].word;
    if (i->kind == I_WHEN && i->changed) {
        kind = LANG_RULE_CHANGED;
        word = "changed";
    }
    if (i->kind == I_ON && i->value)
        kind = LANG_RULE_MESSAGE;
    return (struct lang_rule){.kind = kind,
                              .path = rule_path(k, word),
                              .text = head_text(k, i->head_span),
                              .source = i->span.source,
                              .line = ctx_line(k->c, i->span),
                              .condition = LANG_NO_CHUNK,
                              .body = LANG_NO_CHUNK,
                              .until_condition = LANG_NO_CHUNK,
                              .until_body = LANG_NO_CHUNK,
                              .signal = UINT32_MAX,
                              .mode = (enum lang_mode)i->mode,
                              .queued_max = i->mode == RUN_QUEUED ? i->queued_max : 0,
                              .at_s = i->at_s,
                              .at_days = i->at_days,
                              .missed = i->missed};
}

static void mode_useless(struct checker *k, const struct item *i, const struct lang_rule *r)
{
    if (i->mode == RUN_SINGLE || r->suspends || r->until_suspends || !compiling(k))
        return;
    struct lang_diag *d = diag_warning(k->c, "T2", i->mode_span, "never needed",
                                       "this body does not wait, so it is over before it could "
                                       "begin again");
    diag_help(k->c, d, "leave the word out");
}

void check_rule(struct checker *k, struct item *i)
{
    if (k->prog->rules.n >= LANG_RULES_MAX) {
        (void)diag_error(k->c, "P1", i->head_span, "one too many", "a program has at most %u rules",
                         LANG_RULES_MAX);
        return;
    }
    struct lang_rule r = rule_of(k, i);
    own_rule_begin(k, i);
    switch (r.kind) {
    case LANG_RULE_WHEN: check_when(k, i, &r); break;
    case LANG_RULE_CHANGED: check_changed(k, i, &r); break;
    case LANG_RULE_SIGNAL: check_signal(k, i, &r); break;
    case LANG_RULE_MESSAGE: check_message(k, i, &r); break;
    case LANG_RULE_IDLE: check_idle(k, i, &r); break;
    case LANG_RULE_EVERY:
        (void)check_duration(k, i->value, "the time of `every`", &r.every_ms);
        rule_body(k, &i->body, &r);
        break;
    case LANG_RULE_START:
    case LANG_RULE_AT: rule_body(k, &i->body, &r); break;
    }
    own_rule_end(k);
    mode_useless(k, i, &r);
    ctx_tree_push(k->c, &k->prog->rules, r);
}
