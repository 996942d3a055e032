/* What programs are made of: variables, constants, `for`, unrolled, and the way of a program. Rules
 * are in check_rule.c, `own` and `read` in check_bind.c. */
#include "lang/check_internal.h"
#include "lang/code_internal.h"

#include <inttypes.h>
#include <stdio.h>

static void check_items(struct checker *k, struct item_list *list);

struct sym item_sym(const struct item *i)
{
    return (struct sym){.name = i->name.text, .kind = SYM_BAD, .span = i->name.span};
}

/* ---- var and let ------------------------------------------------------------------------- */

static bool first_value(struct checker *k, struct item *i, struct lang_type *type)
{
    *type = type_plain(LANG_TYPE_NONE);
    bool typed = !i->type.given || type_resolve(k, &i->type, type);
    bool given = i->type.given && typed;
    enum check_mode mode = k->mode;
    k->mode = MODE_INIT;
    k->let_value = i->kind == I_LET ? i->value : NULL;
    k->frame->locals.n = k->frame->taken.n = k->frame->spare.n = 0;
    bool fine =
        typed ? check_value(k, i->value, given ? type : NULL, OWN_STORED) : look_at(k, i->value);
    k->mode = mode;
    k->let_value = NULL;
    if (!fine)
        return false;
    if (given)
        return check_fits(k, type, i->value, quoted(k, i->name.text), i->type.span);
    *type = i->value->type;
    if (!is_none(type))
        return true;
    struct lang_diag *d =
        diag_error(k->c, "T1", i->value->span, "of what?", "`none` says nothing of its type");
    diag_help(k->c, d, "say it:  %s %.*s: int? = none", i->kind == I_VAR ? "var" : "let",
              STR_FMT(i->name.text));
    return false;
}

/* A constant of a scalar type or a text needs no code. */
static bool is_plain(const struct expr *e, const struct lang_type *type)
{
    return e->constant && !(type->optional && is_reference(type));
}

static void add_var(struct checker *k, struct item *i, const struct lang_type *type, struct sym *s)
{
    struct prog *p = k->prog;
    if (p->vars.n >= LANG_VARS_MAX) {
        (void)diag_error(k->c, "P1", i->span, "one too many", "a program has at most %u variables",
                         LANG_VARS_MAX);
        return;
    }
    s->kind = SYM_VAR;
    s->mutable = i->kind == I_VAR;
    s->index = (uint32_t)p->vars.n;
    bool plain = is_plain(i->value, type);
    ctx_tree_push(k->c, &p->vars,
                  (struct lang_var){.name = i->name.text,
                                    .path = stable_path(k, i->name.text),
                                    .type = *type,
                                    .initial = plain ? s->value : type_none_slot(type),
                                    .initial_text = plain ? s->text_value : STR(""),
                                    .has_init_code = !plain,
                                    .source = i->span.source,
                                    .line = ctx_line(k->c, i->span)});
    if (!plain && compiling(k))
        compile_init(p->code, s->index, i->value,
                     (struct code_locals){k->frame->locals.v, k->frame->locals.n, 0});
}

static void check_var(struct checker *k, struct item *i)
{
    struct sym s = item_sym(i);
    struct lang_type type;
    if (first_value(k, i, &type)) {
        s.type = type;
        s.value = i->value->value;
        s.text_value = i->value->text_value;
        if (type.kind == LANG_TYPE_FLOAT && i->value->type.kind == LANG_TYPE_INT)
            s.value.f = (double)i->value->value.i;
        if (i->kind == I_LET && is_plain(i->value, &type))
            s.kind = SYM_CONST;
        else
            add_var(k, i, &type, &s);
    }
    sym_add(k, s);
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
    struct lang_diag *d = diag_error(k->c, "T1", i->path_span, "not a group",
                                     "`for` walks through a group, this is none");
    if (t.sym && t.sym->kind == SYM_GROUP)
        diag_help(k->c, d, "name the group itself here, or walk through `%.*s` in a body",
                  STR_FMT(t.sym->name));
    else if (t.sym && t.sym->kind == SYM_VAR)
        diag_help(k->c, d, "a loop over data runs, so it stands in a body or a function");
    return NULL;
}

static void check_for_items(struct checker *k, struct item *i)
{
    const struct lang_decl *g = group_of(k, i);
    if (!g)
        return;
    struct str outer = k->prog->prefix;
    for (size_t n = 0; n < g->list_n; n++) {
        size_t scope = k->frame->names.all.n;
        const struct lang_decl *element = g->list[n];
        sym_add(k, (struct sym){.name = i->name.text,
                                .kind = SYM_ELEMENT,
                                .span = i->name.span,
                                .resource = element,
                                .type = {.kind = LANG_TYPE_HANDLE, .model = element->type}});
        k->prog->prefix = ctx_strf(k->c, "%.*s/%.*s=%.*s", STR_FMT(outer), STR_FMT(i->name.text),
                                   STR_FMT(element->name));
        check_items(k, &i->items);
        names_end(k, scope);
    }
    k->prog->prefix = outer;
}

/* What is unrolled is bounded by its text too: a long item counts as several. */
static uint32_t weight(const struct item *i)
{
    const struct expr *parts[] = {i->value, i->hold, i->until, i->until_hold};
    size_t bytes = i->body.span.to - i->body.span.from;
    bytes += i->until_body.span.to - i->until_body.span.from;
    for (size_t p = 0; p < ARRAY_LEN(parts); p++)
        bytes += parts[p] ? parts[p]->span.to - parts[p]->span.from : 0;
    return 1 + (uint32_t)(bytes / LANG_UNROLL_BYTES);
}

static void check_item(struct checker *k, struct item *i)
{
    if (k->prog->unrolled > LANG_UNROLL_MAX)
        return;
    k->prog->unrolled += weight(i);
    if (k->prog->unrolled > LANG_UNROLL_MAX) {
        (void)diag_error(k->c, "P1", i->head_span, "too many",
                         "this program has more than %u items after its `for` are unrolled",
                         LANG_UNROLL_MAX);
        return;
    }
    switch (i->kind) {
    case I_OWN: check_own(k, i); return;
    case I_READ: check_read(k, i); return;
    case I_VAR:
    case I_LET: check_var(k, i); return;
    case I_FOR: check_for_items(k, i); return;
    case I_WHEN:
    case I_EVERY:
    case I_START:
    case I_IDLE:
    case I_AT:
    case I_ON: check_rule(k, i); return;
    case I_LEND: check_lend(k, i); return;
    case I_FN:
    case I_TASK: return;
    }
}

static void check_items(struct checker *k, struct item_list *list)
{
    for (size_t i = 0; i < list->n && k->prog->unrolled <= LANG_UNROLL_MAX; i++)
        check_item(k, list->v[i]);
}

static bool gives_name(const struct item *i)
{
    return i->kind == I_OWN || i->kind == I_READ || i->kind == I_VAR || i->kind == I_LET;
}

/* Of a program itself: what gives names, or all that is left. */
static void check_top(struct checker *k, struct item_list *list, bool names)
{
    for (size_t i = 0; i < list->n && k->prog->unrolled <= LANG_UNROLL_MAX; i++)
        if (gives_name(list->v[i]) == names)
            check_item(k, list->v[i]);
}

/* ---- functions and tasks ------------------------------------------------------------------ */

static void program_fn(struct checker *k, struct item *x, bool top)
{
    struct fn_decl *fn = x->fn, *first = find_fn(k, fn->name.text);
    if (!top) {
        (void)diag_error(k->c, "P1", fn->name.span, "not here",
                         "a %s stands in the program itself, not in a `for`",
                         fn->task ? "task" : "function");
    } else if (first || is_builtin(fn->name.text)) {
        struct lang_diag *d =
            diag_error(k->c, "N2", fn->name.span, "a second time", "`%.*s` is already a %s",
                       STR_FMT(fn->name.text), first && first->task ? "task" : "function");
        if (first)
            diag_mark(k->c, d, first->name.span, "declared here");
    } else {
        check_fn_signature(k, fn);
        map_set(k, &k->prog->fns, fn->name.text, fn);
        ctx_tree_push(k->c, &k->prog->fns_list, fn);
    }
}

static void program_fns(struct checker *k, struct item_list *items, bool top)
{
    for (size_t i = 0; i < items->n; i++) {
        struct item *x = items->v[i];
        if (x->kind == I_FOR)
            program_fns(k, &x->items, false);
        if (x->kind == I_FN || x->kind == I_TASK)
            program_fn(k, x, top);
    }
}

void type_fn(struct checker *k, struct fn_decl *fn)
{
    if (fn->bad || fn->checked)
        return;
    fn->checked = true;
    check_fn_body(k, fn);
    own_fn(k, fn);
}

/* The tasks of the site that the program spawns, and that those spawn. */
static void spawned_tasks(struct checker *k)
{
    for (size_t i = 0; i < k->prog->tasks.n; i++)
        check_fn_body(k, k->prog->tasks.v[i]);
}

/* ---- programs ---------------------------------------------------------------------------- */

/* They depend on nothing but the source: what can't be computed now never can. */
static void first_values(struct checker *k, struct prog *p)
{
    struct lang_host nobody = {0};
    struct lang_result r = {.outcome = LANG_TRAP};
    const struct lang_program *out = p->out;
    if (out->code->init == LANG_NO_CHUNK)
        return;
    struct alloc_limited memory; /* knows whether it was the machine that had too little */
    alloc_limited_init(&memory, k->c->arena->alloc, SIZE_MAX);
    struct lang_vm *vm = lang_vm_new(&memory.alloc, out, &nobody, lang_limits_default());
    if (vm)
        (void)lang_vm_call(vm, out->code->init, &r);
    lang_vm_free(vm);
    if (memory.refused > 0)
        ctx_nomem(k->c);
    else if (r.outcome != LANG_DONE)
        (void)diag_error(k->c, "T1", p->decl->name.span, "can't begin",
                         "the first values of its variables can't be computed: line %" PRIu32
                         ": %s",
                         r.line, r.why);
}

static void finish(struct checker *k, struct prog *p)
{
    struct lang_program *out = p->out;
    if (compiling(k)) {
        compile_finish(p->code);
        bindings_behind(k);
    }
    out->bindings = ctx_kept(k->c, &p->bindings);
    out->bindings_n = p->bindings.n;
    out->name = p->decl->name.text;
    out->file = k->c->sources[p->decl->span.source].name;
    out->source = p->decl->span.source;
    out->span = p->decl->span;
    out->line = ctx_line(k->c, p->decl->span);
    out->vars = ctx_kept(k->c, &p->vars);
    out->vars_n = p->vars.n;
    out->rules = ctx_kept(k->c, &p->rules);
    out->rules_n = p->rules.n;
    out->windows = ctx_kept(k->c, &p->windows);
    out->windows_n = p->windows.n;
    out->owns = ctx_kept(k->c, &p->owns);
    out->owns_n = p->owns.n;
    out->leases = ctx_kept(k->c, &p->leases);
    out->leases_n = p->leases.n;
    out->lends = ctx_kept(k->c, &p->lends);
    out->lends_n = p->lends.n;
    if (!compiling(k))
        return;
    code_finish(p->code, out);
    struct code_fault fault = code_verify(k->c->arena->alloc, out);
    if (fault.no_memory)
        ctx_nomem(k->c);
    if (fault.why)
        (void)diag_error(k->c, "X1", p->decl->name.span,
                         ctx_strf(k->c, "%s (chunk %u, at %u)", fault.why, fault.chunk, fault.at).p,
                         "the compiled program does not pass its check; please report this");
    else if (k->c->errors == 0)
        first_values(k, p);
    ctx_tree_push(k->c, &k->programs_out, out);
}

static void prog_init(struct checker *k, struct prog *p, struct program_decl *d)
{
    *p = (struct prog){.decl = d, .out = ctx_new(k->c, sizeof(*p->out)), .prefix = d->name.text};
    struct map *maps[] = {&p->fns, &p->paths, &p->counters, &p->implicit, &p->slopes};
    for (size_t i = 0; i < ARRAY_LEN(maps); i++)
        map_init(maps[i], &k->c->tree_alloc, 1, LANG_NAMES_MAX);
    p->code = compile_new(k->c, p);
    frame_begin(k, &p->frame, FRAME_PROGRAM, NULL, NULL);
    k->prog = p;
    k->frame = &p->frame;
    k->mode = MODE_BODY;
}

static void check_program(struct checker *k, struct program_decl *d)
{
    struct prog p;
    prog_init(k, &p, d);
    own_program_begin(k);
    program_fns(k, &d->items, true);
    check_top(k, &d->items, true);
    for (size_t i = 0; i < p.fns_list.n; i++)
        type_fn(k, p.fns_list.v[i]);
    check_top(k, &d->items, false);
    spawned_tasks(k);
    own_program_end(k);
    finish(k, &p);
    own_program_kept(k);
    vec_fini(&k->c->tree_alloc, &p.rules); /* a copy is kept; of the others ownership has views */
    struct program_info *info = find_program(k, d->name.text);
    if (info && info->decl == d)
        info->out = p.out;
    k->prog = NULL;
    k->frame = NULL;
}

/* ---- functions and tasks of the site ------------------------------------------------------- */

static void declare_fns(struct checker *k)
{
    map_init(&k->fns, &k->c->tree_alloc, 1, LANG_NAMES_MAX);
    for (size_t i = 0; i < k->syntax->fns.n; i++) {
        struct fn_decl *fn = k->syntax->fns.v[i];
        struct fn_decl *first = map_get(&k->fns, fn->name.text);
        check_fn_signature(k, fn);
        if (first)
            declared_twice(k, fn->name.text, fn->name.span, first->name.span);
        else if (is_builtin(fn->name.text))
            (void)diag_error(k->c, "N2", fn->name.span, "taken", "`%.*s` is a function already",
                             STR_FMT(fn->name.text));
        else
            map_set(k, &k->fns, fn->name.text, fn);
    }
}

/* A task of the site, for its own sake: in a program that is thrown away. */
static void site_task(struct checker *k, struct fn_decl *task)
{
    struct program_decl d = {.name = task->name, .span = task->span};
    struct prog p;
    prog_init(k, &p, &d);
    check_fn_body(k, task);
    k->prog = NULL;
    k->frame = NULL;
    own_fn(k, task);
}

static void site_fns(struct checker *k)
{
    for (size_t i = 0; i < k->syntax->fns.n; i++) {
        struct fn_decl *fn = k->syntax->fns.v[i];
        if (fn->bad)
            continue;
        if (fn->task)
            site_task(k, fn);
        else
            type_fn(k, fn);
    }
}

void check_programs(struct checker *k)
{
    map_init(&k->subjects, &k->c->tree_alloc, 1, LANG_NAMES_MAX);
    declare_fns(k);
    declare_programs(k);
    site_fns(k);
    for (size_t i = 0; i < k->syntax->programs.n; i++)
        check_program(k, k->syntax->programs.v[i]);
    check_subjects(k);
}
