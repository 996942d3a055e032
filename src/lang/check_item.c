/* What programs are made of: handles, readings, variables, rules, and `for`, unrolled. */
#include "lang/check_internal.h"

#include <stdio.h>

static void check_items(struct checker *k, struct item_list *list);

struct sym item_sym(const struct item *i)
{
    return (struct sym){.name = i->name.text, .kind = SYM_BAD, .span = i->name.span};
}

/* ---- var and let ------------------------------------------------------------------------- */

static const char *quoted(struct checker *k, struct str name)
{
    return ctx_strf(k->c, "`%.*s`", STR_FMT(name)).p;
}

static bool constant_value(struct checker *k, struct item *i, struct lang_type *type)
{
    enum check_mode mode = k->mode;
    k->mode = MODE_CONST;
    check_expr(k, i->value);
    k->mode = mode;
    if (i->value->bad)
        return false;
    *type = i->value->type;
    if (i->type.given) {
        if (!type_resolve(k, &i->type, type))
            return false;
        if (type->kind == LANG_TYPE_HANDLE) {
            (void)diag_error(k->c, "T1", i->type.span, "a handle",
                             "a %.*s is owned or read, not kept as data",
                             STR_FMT(lang_type_name(type)));
            return false;
        }
        if (!check_fits(k, type, i->value, quoted(k, i->name.text), i->type.span))
            return false;
    }
    if (i->value->constant)
        return true;
    (void)diag_error(k->c, "T1", i->value->span, "not constant",
                     "this must be known before the program runs");
    return false;
}

static struct str unique_var_path(struct checker *k, struct str name)
{
    struct prog *p = k->prog;
    struct str base = ctx_strf(k->c, "%.*s/%.*s", STR_FMT(p->prefix), STR_FMT(name)), path = base;
    for (uint32_t n = 2;; n++) {
        bool taken = false;
        for (size_t i = 0; i < p->vars.n; i++)
            taken = taken || str_eq(p->vars.v[i].path, path);
        if (!taken)
            return path;
        path = ctx_strf(k->c, "%.*s#%u", STR_FMT(base), n);
    }
}

static void check_var(struct checker *k, struct item *i)
{
    struct sym s = item_sym(i);
    struct lang_type type;
    if (constant_value(k, i, &type)) {
        s.type = type;
        s.value = i->value->value;
        s.text_value = i->value->text_value;
        if (type.kind == LANG_TYPE_FLOAT && i->value->type.kind == LANG_TYPE_INT)
            s.value.f = (double)i->value->value.i;
        s.kind = i->kind == I_VAR ? SYM_VAR : SYM_CONST;
    }
    if (s.kind == SYM_VAR && k->prog->vars.n >= LANG_VARS_MAX) {
        (void)diag_error(k->c, "P1", i->span, "one too many", "a program has at most %u variables",
                         LANG_VARS_MAX);
        s.kind = SYM_BAD;
    }
    if (s.kind == SYM_VAR) {
        s.index = (uint32_t)k->prog->vars.n;
        ctx_tree_push(k->c, &k->prog->vars,
                      (struct lang_var){.name = i->name.text,
                                        .path = unique_var_path(k, i->name.text),
                                        .type = type,
                                        .initial = s.value,
                                        .initial_text = s.text_value,
                                        .source = i->span.source,
                                        .line = ctx_line(k->c, i->span)});
    }
    sym_add(k, s);
}

/* ---- rules ------------------------------------------------------------------------------- */

/* Source as one line without comments: "when temp > 80 °C for 2s". */
static struct str head_text(struct checker *k, struct lang_span span)
{
    struct str t = ctx_text(k->c, span);
    struct strbuf b;
    strbuf_init(&b, &k->c->tree_alloc, 0);
    bool space = false;
    for (size_t i = 0; i < t.n; i++) {
        if (t.p[i] == '/' && i + 1 < t.n && t.p[i + 1] == '/')
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

static struct counter *counter_of(struct checker *k)
{
    struct prog *p = k->prog;
    for (size_t i = 0; i < p->counters.n; i++)
        if (str_eq(p->counters.v[i].prefix, p->prefix))
            return &p->counters.v[i];
    ctx_tree_push(k->c, &p->counters, (struct counter){.prefix = p->prefix});
    return &p->counters.v[p->counters.n - 1];
}

static struct str rule_path(struct checker *k, enum lang_rule_kind kind)
{
    struct counter *c = counter_of(k);
    uint32_t *n = kind == LANG_RULE_WHEN    ? &c->when
                  : kind == LANG_RULE_EVERY ? &c->every
                                            : &c->start;
    static const char *const words[] = {"when", "every", "start"};
    return ctx_strf(k->c, "%.*s/%s#%u", STR_FMT(k->prog->prefix), words[kind], ++*n);
}

static bool compiling(const struct checker *k)
{
    return k->c->errors == 0;
}

static uint32_t rule_condition(struct checker *k, struct expr *e, struct u32_list *reads,
                               struct u32_list *until_reads, struct u32_list *vars)
{
    struct u32_list own = {0};
    k->mode = MODE_CONDITION;
    k->reads = &own;
    k->vars = vars;
    (void)check_condition(k, e, "the condition of a rule");
    k->reads = k->vars = NULL;
    k->mode = MODE_BODY;
    for (size_t i = 0; i < own.all.n; i++) {
        bool known = false;
        for (size_t q = 0; q < reads->all.n; q++)
            known = known || reads->all.v[q] == own.all.v[i];
        if (!known)
            ctx_tree_push(k->c, &reads->all, own.all.v[i]);
    }
    if (until_reads)
        *until_reads = own;
    if (compiling(k) && own.all.n == 0 && vars->all.n == 0 && e->constant) {
        struct lang_diag *d =
            diag_warning(k->c, "T2", e->span, "never changes", "this condition is always %s",
                         e->value.i ? "true" : "false");
        diag_help(k->c, d, "what runs once when the program starts stands in it without `when`");
    }
    return compiling(k) ? compile_condition(k->prog->code, e) : LANG_NO_CHUNK;
}

static uint32_t rule_body(struct checker *k, struct stmt_list *body)
{
    k->mode = MODE_BODY;
    k->locals.n = 0;
    check_stmts(k, body);
    return compiling(k) ? compile_body(k->prog->code, body, k->locals.v, k->locals.n)
                        : LANG_NO_CHUNK;
}

static void check_when(struct checker *k, struct item *i, struct lang_rule *r)
{
    struct u32_list reads = {0}, until_reads = {0}, vars = {0};
    k->uses_stale = false;
    r->condition = rule_condition(k, i->value, &reads, NULL, &vars);
    if (i->hold)
        (void)check_duration(k, i->hold, "`for` in a rule", &r->hold_ms);
    r->body = rule_body(k, &i->body);
    if (i->has_until) {
        r->until_text = head_text(k, i->until_span);
        r->until_line = ctx_line(k->c, i->until_span);
        r->until_condition = rule_condition(k, i->until, &reads, &until_reads, &vars);
        if (i->until_hold)
            (void)check_duration(k, i->until_hold, "`for` in a rule", &r->until_hold_ms);
        r->until_body = rule_body(k, &i->until_body);
    }
    r->uses_stale = k->uses_stale;
    r->reads = ctx_kept(k->c, &reads.all);
    r->reads_n = reads.all.n;
    r->until_reads = ctx_kept(k->c, &until_reads.all);
    r->until_reads_n = until_reads.all.n;
    r->vars = ctx_kept(k->c, &vars.all);
    r->vars_n = vars.all.n;
}

static void check_rule(struct checker *k, struct item *i)
{
    enum lang_rule_kind kind = i->kind == I_WHEN    ? LANG_RULE_WHEN
                               : i->kind == I_EVERY ? LANG_RULE_EVERY
                                                    : LANG_RULE_START;
    if (k->prog->rules.n >= LANG_RULES_MAX) {
        (void)diag_error(k->c, "P1", i->head_span, "one too many", "a program has at most %u rules",
                         LANG_RULES_MAX);
        return;
    }
    struct lang_rule r = {.kind = kind,
                          .source = i->span.source,
                          .line = ctx_line(k->c, i->span),
                          .condition = LANG_NO_CHUNK,
                          .body = LANG_NO_CHUNK,
                          .until_condition = LANG_NO_CHUNK,
                          .until_body = LANG_NO_CHUNK};
    r.path = rule_path(k, kind);
    r.text = head_text(k, i->head_span);
    if (kind == LANG_RULE_WHEN) {
        check_when(k, i, &r);
    } else {
        if (kind == LANG_RULE_EVERY)
            (void)check_duration(k, i->value, "the time of `every`", &r.every_ms);
        r.body = rule_body(k, &i->body);
    }
    ctx_tree_push(k->c, &k->prog->rules, r);
}

/* ---- for --------------------------------------------------------------------------------- */

static const struct lang_decl *group_of(struct checker *k, struct item *i)
{
    struct target t;
    if (!resolve(k, i->path, i->path_n, &t))
        return NULL;
    const struct lang_decl *g = t.resource;
    if (g && g->kind->role == LANG_ROLE_SET && t.used == i->path_n)
        return g;
    (void)diag_error(k->c, "T1", i->path_span, "not a group",
                     "`for` walks through a group, this is none");
    return NULL;
}

static void check_for(struct checker *k, struct item *i)
{
    const struct lang_decl *g = group_of(k, i);
    if (!g)
        return;
    struct str outer = k->prog->prefix;
    for (size_t n = 0; n < g->list_n; n++) {
        size_t scope = k->syms.n;
        const struct lang_decl *element = g->list[n];
        sym_add(k, (struct sym){.name = i->name.text,
                                .kind = SYM_ELEMENT,
                                .span = i->name.span,
                                .resource = element,
                                .type = {.kind = LANG_TYPE_HANDLE, .model = element->type}});
        k->prog->prefix = ctx_strf(k->c, "%.*s/%.*s=%.*s", STR_FMT(outer), STR_FMT(i->name.text),
                                   STR_FMT(element->name));
        check_items(k, &i->items);
        k->syms.n = scope;
    }
    k->prog->prefix = outer;
}

static void check_item(struct checker *k, struct item *i)
{
    if (k->prog->unrolled++ >= LANG_UNROLL_MAX) {
        if (k->prog->unrolled == LANG_UNROLL_MAX + 1)
            (void)diag_error(k->c, "P1", i->head_span, "too many",
                             "this program has more than %u items after its `for` are unrolled",
                             LANG_UNROLL_MAX);
        return;
    }
    enum item_kind kind = i->kind;
    if (i->changed || i->mode != RUN_SINGLE)
        kind = I_AT;
    switch (kind) {
    case I_OWN: check_own(k, i); return;
    case I_READ: check_read(k, i); return;
    case I_VAR:
    case I_LET: check_var(k, i); return;
    case I_FOR: check_for(k, i); return;
    case I_WHEN:
    case I_EVERY:
    case I_START: check_rule(k, i); return;
    case I_FN: return;
    default:
        (void)diag_error(k->c, "P1", i->span, "not available yet",
                         "this is not available in this version");
        return;
    }
}

static void check_items(struct checker *k, struct item_list *list)
{
    for (size_t i = 0; i < list->n && k->prog->unrolled <= LANG_UNROLL_MAX; i++)
        check_item(k, list->v[i]);
}

/* ---- programs ---------------------------------------------------------------------------- */

static void program_fns(struct checker *k, struct item_list *items, bool top)
{
    for (size_t i = 0; i < items->n; i++) {
        struct item *x = items->v[i];
        if (x->kind == I_FOR)
            program_fns(k, &x->items, false);
        if (x->kind != I_FN)
            continue;
        struct fn_decl *first = find_fn(k, x->fn->name.text);
        if (!top) {
            (void)diag_error(k->c, "P1", x->fn->name.span, "not here",
                             "a function stands in the program itself, not in a `for`");
        } else if (first) {
            struct lang_diag *d =
                diag_error(k->c, "N2", x->fn->name.span, "a second time",
                           "`%.*s` is already a function", STR_FMT(x->fn->name.text));
            diag_mark(k->c, d, first->name.span, "declared here");
        } else {
            check_fn_signature(k, x->fn);
            ctx_tree_push(k->c, &k->prog->fns, x->fn);
        }
    }
}

static void finish(struct checker *k, struct prog *p)
{
    struct lang_program *out = p->out;
    out->name = p->decl->name.text;
    out->file = k->c->sources[p->decl->span.source].name;
    out->source = p->decl->span.source;
    out->line = ctx_line(k->c, p->decl->span);
    out->bindings = ctx_kept(k->c, &p->bindings);
    out->bindings_n = p->bindings.n;
    out->vars = ctx_kept(k->c, &p->vars);
    out->vars_n = p->vars.n;
    out->rules = ctx_kept(k->c, &p->rules);
    out->rules_n = p->rules.n;
    out->windows = ctx_kept(k->c, &p->windows);
    out->windows_n = p->windows.n;
    out->owns = ctx_kept(k->c, &p->owns);
    out->owns_n = p->owns.n;
    if (!compiling(k))
        return;
    compile_functions(p->code);
    if (k->c->errors > 0)
        return;
    code_finish(p->code, out);
    const char *why = code_verify(out);
    if (why[0] != '\0')
        (void)diag_error(k->c, "X1", p->decl->name.span, why,
                         "the compiled program does not pass its check; please report this");
    ctx_push(k->c, &k->programs_out, out);
}

static void check_program(struct checker *k, struct program_decl *d)
{
    struct prog p = {.decl = d, .out = ctx_new(k->c, sizeof(*p.out)), .prefix = d->name.text};
    p.code = ctx_new(k->c, sizeof(*p.code));
    p.code->c = k->c;
    p.code->prog = &p;
    k->prog = &p;
    k->syms.n = 0;
    k->mode = MODE_BODY;
    program_fns(k, &d->items, true);
    for (size_t i = 0; i < p.fns.n; i++)
        check_fn_body(k, p.fns.v[i]);
    check_items(k, &d->items);
    finish(k, &p);
    k->prog = NULL;
}

static void declare_fns(struct checker *k)
{
    map_init(&k->fns, &k->c->tree_alloc, 1, 100000);
    for (size_t i = 0; i < k->syntax->fns.n; i++) {
        struct fn_decl *fn = k->syntax->fns.v[i];
        struct fn_decl *first = map_get(&k->fns, fn->name.text);
        check_fn_signature(k, fn);
        if (first) {
            struct lang_diag *d = diag_error(k->c, "N2", fn->name.span, "a second time",
                                             "`%.*s` is declared twice", STR_FMT(fn->name.text));
            diag_mark(k->c, d, first->name.span, "the first one");
        } else if (map_put(&k->fns, fn->name.text, fn) != ERR_OK) {
            ctx_nomem(k->c);
        }
    }
    for (size_t i = 0; i < k->syntax->fns.n; i++)
        check_fn_body(k, k->syntax->fns.v[i]);
}

void check_programs(struct checker *k)
{
    declare_fns(k);
    map_init(&k->programs, &k->c->tree_alloc, 1, 100000);
    for (size_t i = 0; i < k->syntax->programs.n; i++) {
        struct program_decl *d = k->syntax->programs.v[i];
        struct program_decl *first = map_get(&k->programs, d->name.text);
        if (first) {
            struct lang_diag *diag = diag_error(k->c, "N2", d->name.span, "a second time",
                                                "`%.*s` is declared twice", STR_FMT(d->name.text));
            diag_mark(k->c, diag, first->name.span, "the first one");
        } else if (map_put(&k->programs, d->name.text, d) != ERR_OK) {
            ctx_nomem(k->c);
        }
        check_program(k, d);
    }
}
