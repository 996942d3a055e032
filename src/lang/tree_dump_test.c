/* The syntax tree as text. */
#include "lang/tree_dump_test.h"

struct dump {
    struct strbuf *out;
    const struct lang_ctx *c;
};

static void put(struct dump *d, const char *text)
{
    strbuf_adds(d->out, text);
}

static void put_str(struct dump *d, struct str s)
{
    strbuf_addstr(d->out, s);
}

static void put_span(struct dump *d, struct lang_span span)
{
    put_str(d, ctx_text(d->c, span));
}

static void put_expr(struct dump *d, const struct expr *e);
static void put_stmts(struct dump *d, const struct stmt_list *list);
static void put_items(struct dump *d, const struct item_list *list);

/* " e", or nothing */
static void next_expr(struct dump *d, const struct expr *e)
{
    if (!e)
        return;
    put(d, " ");
    put_expr(d, e);
}

static void next_word(struct dump *d, const char *word, const struct expr *e)
{
    if (!e)
        return;
    put(d, word[0] ? " " : "");
    put(d, word);
    next_expr(d, e);
}

static void next_stmts(struct dump *d, const struct stmt_list *list)
{
    put(d, " ");
    put_stmts(d, list);
}

static void next_name(struct dump *d, struct name n)
{
    if (n.text.n > 0)
        put(d, " ");
    put_str(d, n.text);
}

static void next_path(struct dump *d, const struct name *path, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        put(d, i ? "." : " ");
        put_str(d, path[i].text);
    }
}

/* ---- types ------------------------------------------------------------------------------ */

static void put_type(struct dump *d, const struct type_syntax *t)
{
    static const char *const words[] = {"", "list<", "map<", "chan<", "fn("};
    if (t->shape == TYPE_SHAPE_NAME)
        put_span(d, t->span);
    put(d, words[t->shape]);
    put(d, t->own ? "own " : "");
    for (size_t i = 0; i < t->args_n; i++) {
        put(d, i ? "," : "");
        put_type(d, t->args[i]);
    }
    if (t->shape != TYPE_SHAPE_NAME)
        put(d, t->shape == TYPE_SHAPE_FN ? ")" : ">");
    if (t->result) {
        put(d, "->");
        put_type(d, t->result);
    }
    put(d, t->optional ? "?" : "");
}

static void next_type(struct dump *d, const struct type_ref *t)
{
    if (!t->given)
        return;
    put(d, ":");
    put_type(d, t->syntax);
}

/* ---- expressions ------------------------------------------------------------------------ */

static void put_list(struct dump *d, const struct expr *e)
{
    for (size_t i = 0; i < e->list.n; i++) {
        put(d, " ");
        if (e->names) {
            put_str(d, e->names[i].text);
            put(d, ":");
        }
        put_expr(d, e->list.v[i]);
    }
}

static void put_text(struct dump *d, const struct expr *e)
{
    put(d, "\"");
    for (size_t i = 0; i < e->list.n; i++)
        if (e->list.v[i]->kind == E_TEXT) {
            put_str(d, e->list.v[i]->text);
        } else {
            put(d, "{");
            put_expr(d, e->list.v[i]);
            put(d, "}");
        }
    put(d, "\"");
}

static void put_params(struct dump *d, const struct fn_decl *fn)
{
    static const char *const modes[] = {"", "own ", "mut ", "ref "};
    put(d, " (");
    for (size_t i = 0; i < fn->params_n; i++) {
        put(d, i ? " " : "");
        put(d, modes[fn->params[i].mode]);
        put_str(d, fn->params[i].name.text);
        next_type(d, &fn->params[i].type);
    }
    put(d, ")");
    next_type(d, &fn->result);
}

static void put_fn(struct dump *d, const char *word, const struct fn_decl *fn)
{
    put(d, word);
    next_name(d, fn->name);
    put_params(d, fn);
    next_stmts(d, &fn->body);
}

static const char *op_word(enum expr_op op)
{
    static const char *const words[] = {"==", "!=", "<", "<=", ">",   ">=", "and", "or",
                                        "+",  "-",  "*", "/",  "mod", "in", "??"};
    return words[op];
}

/* (word …) by the kind of expression */
static const char *expr_word(const struct expr *e)
{
    switch (e->kind) {
    case E_CALL: return e->a ? "call-of" : "call";
    case E_NEG: return "-";
    case E_NOT: return "not";
    case E_STALE: return "stale";
    case E_BINARY: return op_word(e->op);
    case E_INDEX: return "index";
    case E_FIELD: return "field";
    case E_METHOD: return "method";
    case E_LIST: return "list";
    case E_MAP: return "map";
    case E_RECORD: return "record";
    case E_IF: return e->name.text.n ? "if-let" : "if";
    case E_CHAN: return e->own_arg ? "chan own" : "chan";
    case E_MOVE: return "move";
    default: return "?";
    }
}

static void put_compound(struct dump *d, const struct expr *e)
{
    put(d, "(");
    put(d, expr_word(e));
    if (e->kind == E_IF)
        next_name(d, e->name);
    if (e->kind == E_CALL || e->kind == E_RECORD)
        next_path(d, e->path, e->path_n);
    if (e->kind == E_CHAN) {
        put(d, " ");
        put_type(d, e->type_arg);
    }
    next_expr(d, e->a);
    next_expr(d, e->b);
    next_expr(d, e->otherwise);
    if (e->kind != E_IF)
        next_name(d, e->name);
    put_list(d, e);
    put(d, ")");
}

static void put_expr(struct dump *d, const struct expr *e)
{
    switch (e->kind) {
    case E_BAD: put(d, "bad"); return;
    case E_BOOL: put(d, e->integer ? "true" : "false"); return;
    case E_INT:
    case E_NUMBER: put_span(d, e->span); return;
    case E_NONE: put(d, "none"); return;
    case E_STRING: put_text(d, e); return;
    case E_PATH: put_str(d, e->text); return;
    case E_LAMBDA:
        put(d, "(");
        put_fn(d, "lambda", e->fn);
        put(d, ")");
        return;
    default: put_compound(d, e); return;
    }
}

/* ---- statements ------------------------------------------------------------------------- */

static void put_pattern(struct dump *d, const struct pattern *x)
{
    switch (x->kind) {
    case PATTERN_VALUE: put_expr(d, x->a); return;
    case PATTERN_RANGE:
        put(d, "(..");
        next_expr(d, x->a);
        next_expr(d, x->b);
        put(d, ")");
        return;
    case PATTERN_NONE: put(d, "none"); return;
    case PATTERN_SOME:
        put(d, "(some");
        next_name(d, x->name);
        put(d, ")");
        return;
    case PATTERN_ANY: put(d, "_"); return;
    }
}

static void put_arm(struct dump *d, const struct arm *a)
{
    static const char *const words[] = {"case", "on", "after", "else"};
    put(d, " (");
    put(d, words[a->kind]);
    for (size_t i = 0; i < a->patterns_n; i++) {
        put(d, " ");
        put_pattern(d, &a->patterns[i]);
    }
    next_name(d, a->name);
    next_expr(d, a->value);
    next_stmts(d, &a->body);
    put(d, ")");
}

static void put_test(struct dump *d, const struct test_syntax *t)
{
    static const char *const words[] = {"set", "silent", "refuses", "event", "after",
                                        "at",  "start",  "action",  "host",  "value"};
    put(d, words[t->kind]);
    put(d, t->no ? " no" : "");
    put(d, t->var ? " var" : "");
    if (t->kind == TEST_AT || t->kind == TEST_START)
        strbuf_addf(d->out, " %us", t->at_s);
    if (t->days)
        strbuf_addf(d->out, " days:%x", t->days);
    if (t->kind == TEST_HOST && t->level != UINT32_MAX)
        strbuf_addf(d->out, " level:%u", t->level);
    if (t->text.n > 0)
        strbuf_addf(d->out, " \"%.*s\"", STR_FMT(t->text));
    next_expr(d, t->target);
    next_expr(d, t->value);
    if (t->kind == TEST_AFTER || t->kind == TEST_AT)
        next_stmts(d, &t->body);
}

static const char *stmt_word(const struct stmt *s)
{
    static const char *const words[] = {"let",   "=",        "do",    "if",      "return",
                                        "host",  "while",    "loop",  "for",     "match",
                                        "break", "continue", "spawn", "select",  "sleep",
                                        "lease", "revoke",   "drop",  "publish", "test"};
    if (s->kind == S_LET && s->mutable)
        return "var";
    if (s->kind == S_IF && s->if_let)
        return "if-let";
    return words[s->kind];
}

static bool has_body(const struct stmt *s)
{
    return s->kind == S_IF || s->kind == S_WHILE || s->kind == S_LOOP || s->kind == S_FOR ||
           s->kind == S_LEASE;
}

static void put_stmt_ends(struct dump *d, const struct stmt *s)
{
    static const char *const busy[] = {"", " else:skip", " else:drop", " else"};
    put(d, busy[s->on_busy]);
    if (s->kind == S_LEASE && s->has_otherwise)
        put(d, " revoked");
    if (s->kind == S_LEASE)
        next_name(d, s->name2);
    if (s->has_otherwise)
        next_stmts(d, &s->otherwise);
    if (s->has_denied) {
        put(d, " denied");
        next_stmts(d, &s->denied);
    }
}

static void put_stmt(struct dump *d, const struct stmt *s)
{
    put(d, "(");
    if (s->kind == S_TEST) {
        put_test(d, s->test);
        put(d, ")");
        return;
    }
    put(d, stmt_word(s));
    if (s->kind == S_ASSIGN && s->op != OP_EQ)
        put(d, op_word(s->op));
    if (s->kind == S_HOST)
        strbuf_addf(d->out, " %u.%u", s->host, s->level);
    next_name(d, s->name);
    next_type(d, &s->type);
    if (s->kind != S_LEASE)
        next_name(d, s->name2);
    next_path(d, s->path, s->path_n);
    next_expr(d, s->target);
    next_expr(d, s->value);
    next_word(d, s->range ? ".." : s->kind == S_LEASE ? "wait" : "", s->value2);
    for (size_t i = 0; i < s->arms_n; i++)
        put_arm(d, &s->arms[i]);
    if (has_body(s))
        next_stmts(d, &s->body);
    put_stmt_ends(d, s);
    put(d, ")");
}

static void put_stmts(struct dump *d, const struct stmt_list *list)
{
    put(d, "{");
    for (size_t i = 0; i < list->n; i++)
        put_stmt(d, list->v[i]);
    put(d, list->damaged ? "!}" : "}");
}

/* ---- items ------------------------------------------------------------------------------ */

static void put_rule_head(struct dump *d, const struct item *i)
{
    static const char *const modes[] = {"", " restart", " queued:"};
    static const char *const missed[] = {"", " run", " last"};
    if (i->kind == I_AT)
        strbuf_addf(d->out, " %us days:%x%s", i->at_s, i->at_days, missed[i->missed]);
    put(d, modes[i->mode]);
    if (i->mode == RUN_QUEUED)
        strbuf_addf(d->out, "%u", i->queued_max);
}

static void put_lessees(struct dump *d, const struct item *i)
{
    for (size_t n = 0; n < i->lessees_n; n++) {
        const struct lessee *l = &i->lessees[n];
        put(d, " (");
        put_str(d, l->name.text);
        next_word(d, "priority", l->priority);
        next_word(d, "max", l->max);
        put(d, l->never ? " never)" : ")");
    }
}

static void put_item(struct dump *d, const struct item *i)
{
    static const char *const words[] = {"own",   "read", "var",  "let",  "for",  "when", "every",
                                        "start", "fn",   "task", "lend", "idle", "at",   "on"};
    put(d, "(");
    if (i->fn) {
        put_fn(d, words[i->kind], i->fn);
        put(d, ")");
        return;
    }
    put(d, words[i->kind]);
    put(d, i->changed ? " changed" : "");
    next_name(d, i->name);
    next_type(d, &i->type);
    next_path(d, i->path, i->path_n);
    next_expr(d, i->value);
    next_word(d, "stale", i->stale);
    next_word(d, "for", i->hold);
    put_rule_head(d, i);
    put_lessees(d, i);
    if (i->kind == I_FOR) {
        put(d, " ");
        put_items(d, &i->items);
    } else if (i->kind >= I_WHEN && i->kind != I_LEND) {
        next_stmts(d, &i->body);
    }
    next_word(d, "until", i->until);
    next_word(d, "for", i->until_hold);
    if (i->has_until)
        next_stmts(d, &i->until_body);
    put(d, ")");
}

static void put_items(struct dump *d, const struct item_list *list)
{
    put(d, "[");
    for (size_t i = 0; i < list->n; i++)
        put_item(d, list->v[i]);
    put(d, "]");
}

/* ---- files ------------------------------------------------------------------------------ */

static void put_type_decl(struct dump *d, const struct type_decl *t)
{
    put(d, t->is_enum ? "enum " : "record ");
    put_str(d, t->name.text);
    for (size_t i = 0; i < t->n; i++) {
        next_name(d, t->is_enum ? t->values[i] : t->fields[i].name);
        if (!t->is_enum)
            next_type(d, &t->fields[i].type);
    }
}

void dump_syntax(struct strbuf *out, const struct lang_ctx *c, const struct syntax *s)
{
    struct dump d = {out, c};
    for (size_t i = 0; i < s->programs.n; i++) {
        put(&d, "program");
        next_name(&d, s->programs.v[i]->name);
        put(&d, " ");
        put_items(&d, &s->programs.v[i]->items);
        put(&d, "\n");
    }
    for (size_t i = 0; i < s->fns.n; i++) {
        put_fn(&d, s->fns.v[i]->task ? "task" : "fn", s->fns.v[i]);
        put(&d, "\n");
    }
    for (size_t i = 0; i < s->types.n; i++) {
        put_type_decl(&d, s->types.v[i]);
        put(&d, "\n");
    }
    for (size_t i = 0; i < s->tests.n; i++) {
        strbuf_addf(out, "test \"%.*s\" ", STR_FMT(s->tests.v[i]->text));
        put_stmts(&d, &s->tests.v[i]->body);
        put(&d, "\n");
    }
}

void dump_expr(struct strbuf *out, const struct lang_ctx *c, const struct expr *e)
{
    struct dump d = {out, c};
    put_expr(&d, e);
}
