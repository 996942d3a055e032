/* Statements: what stands in the bodies of rules, functions and tasks. */
#include "lang/parse_internal.h"

/* Words that begin items of a program or declarations: in a body they show that a `}` is missing.
 */
static const char *const outside_body[] = {"when", "every", "own", "read", "fn",      "task",
                                           "lend", "idle",  "at",  "on",   "program", NULL};

struct stmt *stmt_new(struct parser *p, enum stmt_kind kind)
{
    struct stmt *s = ctx_tree_new(p->c, sizeof(*s));
    s->kind = kind;
    s->span = token_span(p, peek_token(p));
    return s;
}

struct stmt_list stmt_alone(struct parser *p, struct stmt *s)
{
    struct stmt **v = ctx_tree_new(p->c, sizeof(struct stmt *));
    v[0] = s;
    return (struct stmt_list){.v = v, .n = 1, .span = s->span};
}

bool parse_stmts(struct parser *p, struct stmt_list *out, const char *what)
{
    struct block b;
    if (!block_open(p, &b, what))
        return false;
    bool head = p->head;
    p->head = false;
    VEC(struct stmt *) list = {0};
    bool damaged = false;
    while (block_more(p, &b, outside_body)) {
        size_t at = p->at;
        struct stmt *s = parse_stmt(p);
        if (s && expect_end(p, "a statement")) {
            ctx_tree_push(p->c, &list, s);
            continue;
        }
        recover(p, at);
        damaged = true;
    }
    p->head = head;
    *out = (struct stmt_list){list.v, list.n, block_close(p, &b), damaged};
    return true;
}

/* ---- let, var --------------------------------------------------------------------------- */

/* let name [: type] = value; var name … */
static struct stmt *parse_let(struct parser *p)
{
    struct stmt *s = stmt_new(p, S_LET);
    s->mutable = at_word(p, "var");
    (void)take_token(p);
    if (!take_name(p, "a name", &s->name) || (take_kind(p, T_COLON) && !parse_type(p, &s->type)) ||
        !expect_assign(p, "`=` and a value"))
        return NULL;
    s->value = parse_expr(p);
    if (!s->value)
        return NULL;
    s->span = span_join(s->span, s->value->span);
    return s;
}

/* ---- if, while, loop, for --------------------------------------------------------------- */

static bool if_parts(struct parser *p, struct stmt *s);

static struct stmt *parse_if(struct parser *p)
{
    if (!enter(p))
        return NULL;
    struct stmt *s = stmt_new(p, S_IF);
    (void)take_token(p);
    bool fine = if_parts(p, s);
    leave(p);
    return fine ? s : NULL;
}

static bool if_parts(struct parser *p, struct stmt *s)
{
    s->if_let = at_word(p, "let");
    s->value = parse_if_let(p, &s->name) ? parse_head(p) : NULL;
    if (!s->value || !parse_stmts(p, &s->body, "`{` after the condition"))
        return false;
    if (!at_else(p))
        return true;
    (void)take_token(p);
    s->has_otherwise = true;
    if (!at_word(p, "if"))
        return parse_stmts(p, &s->otherwise, "`{` after else");
    struct stmt *inner = parse_if(p); /* else if …: an otherwise of one statement */
    if (inner)
        s->otherwise = stmt_alone(p, inner);
    return inner != NULL;
}

static struct stmt *parse_while(struct parser *p)
{
    struct stmt *s = stmt_new(p, S_WHILE);
    (void)take_token(p);
    s->value = parse_head(p);
    return s->value && parse_stmts(p, &s->body, "`{` after the condition") ? s : NULL;
}

static struct stmt *parse_loop(struct parser *p)
{
    struct stmt *s = stmt_new(p, S_LOOP);
    (void)take_token(p);
    return parse_stmts(p, &s->body, "`{` after loop") ? s : NULL;
}

/* name [, name] in */
static bool for_names(struct parser *p, struct stmt *s)
{
    static const char help[] = "written  for i in 0..10 { … }, or  for x in xs { … }";
    if (!at_kind(p, T_NAME))
        return expected_help(p, "a name for each element", help);
    if (at_word(p, "let") || at_word(p, "var"))
        return expected_help(p, "a name for each element", help);
    if (!take_name(p, "a name for each element", &s->name) ||
        (take_kind(p, T_COMMA) && !take_name(p, "a second name", &s->name2)))
        return false;
    return take_word(p, "in") || expected_help(p, "`in` and what to walk through", help);
}

/* for name [, name] in value [.. value] { … } */
static struct stmt *parse_for(struct parser *p)
{
    struct stmt *s = stmt_new(p, S_FOR);
    (void)take_token(p);
    if (!for_names(p, s))
        return NULL;
    s->value = parse_head(p);
    if (!s->value)
        return NULL;
    s->range = take_kind(p, T_RANGE);
    if (s->range && (at_kind(p, T_ASSIGN) || at_kind(p, T_DOT) || at_kind(p, T_LT)))
        return (void)expected_help(p, "the end of the range",
                                   "a..b runs from a to the one before b"),
               NULL;
    if (s->range && !(s->value2 = parse_head(p)))
        return NULL;
    return parse_stmts(p, &s->body, "`{` after what to walk through") ? s : NULL;
}

/* ---- return, break, continue ------------------------------------------------------------ */

static struct stmt *parse_return(struct parser *p)
{
    struct stmt *s = stmt_new(p, S_RETURN);
    (void)take_token(p);
    if (at_end(p) || at_kind(p, T_COMMA))
        return s;
    s->value = parse_expr(p);
    if (!s->value)
        return NULL;
    s->span = span_join(s->span, s->value->span);
    return s;
}

static struct stmt *parse_break(struct parser *p)
{
    struct stmt *s = stmt_new(p, at_word(p, "break") ? S_BREAK : S_CONTINUE);
    (void)take_token(p);
    return s;
}

/* ---- statements of the host ------------------------------------------------------------- */

uint32_t at_host_statement(const struct parser *p)
{
    enum token_kind next = (enum token_kind)peek_next(p)->kind;
    bool name = next == T_LPAREN || next == T_ASSIGN || next == T_DOT || next == T_LBRACKET;
    for (uint32_t i = 0; !name && i < p->c->schema->statements_n; i++)
        if (at_word(p, p->c->schema->statements[i].word))
            return i;
    return UINT32_MAX;
}

static void unknown_level(struct parser *p, const struct lang_statement *h)
{
    struct str found = describe(p, peek_token(p));
    struct strbuf all;
    strbuf_init(&all, &p->c->alloc, 0);
    struct suggest sug = suggest_for(p->c, token_text(p, peek_token(p)));
    for (const char *const *l = h->levels; *l; l++) {
        strbuf_addf(&all, "%s%s", l == h->levels ? "" : l[1] ? ", " : " or ", *l);
        suggest_offer(&sug, str_from(*l));
    }
    if (all.failed)
        ctx_nomem(p->c);
    struct lang_diag *d = diag_error(
        p->c, "P1", token_span(p, peek_token(p)), "expected one of its levels",
        "`%s` is followed by %.*s, not by %.*s", h->word, (int)all.n, all.p, STR_FMT(found));
    if (at_kind(p, T_NAME) && suggest_found(&sug))
        diag_help(p->c, d, "did you mean `%.*s`?", STR_FMT(sug.best));
    else
        diag_help(p->c, d, "as in:  %s", h->example);
}

bool parse_level(struct parser *p, uint32_t statement, uint32_t *out)
{
    const struct lang_statement *h = &p->c->schema->statements[statement];
    for (uint32_t i = 0; h->levels[i]; i++)
        if (take_word(p, h->levels[i])) {
            *out = i;
            return true;
        }
    unknown_level(p, h);
    return false;
}

/* alert warning "text" */
static struct stmt *parse_host(struct parser *p, uint32_t index)
{
    struct stmt *s = stmt_new(p, S_HOST);
    (void)take_token(p);
    s->host = index;
    if (!parse_level(p, index, &s->level))
        return NULL;
    s->value = parse_expr(p);
    if (!s->value)
        return NULL;
    s->span = span_join(s->span, s->value->span);
    return s;
}

/* ---- which one -------------------------------------------------------------------------- */

/* Words that stand elsewhere. */
static bool misplaced(struct parser *p)
{
    static const char *const items[] = {"when", "every", "own",  "read", "fn",
                                        "task", "lend",  "idle", "at",   "on"};
    static const char *const parts[] = {"until", "else", "revoked", "denied"};
    const struct token *t = peek_token(p);
    for (size_t i = 0; i < ARRAY_LEN(items); i++)
        if (at_item_word(p, items[i])) {
            struct lang_diag *d = diag_error(p->c, "P1", token_span(p, t), "not here",
                                             "`%s` stands in a program, not in a body", items[i]);
            diag_help(p->c, d, "is a `}` missing before it?");
            return true;
        }
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        if (at_word(p, parts[i])) {
            (void)diag_error(p->c, "P1", token_span(p, t), "not here",
                             "`%s` belongs to the statement before it", parts[i]);
            return true;
        }
    return false;
}

struct stmt *parse_stmt(struct parser *p)
{
    static const struct {
        const char *word;
        struct stmt *(*parse)(struct parser *p);
    } table[] = {
        {"let", parse_let},         {"var", parse_let},       {"if", parse_if},
        {"while", parse_while},     {"loop", parse_loop},     {"for", parse_for},
        {"match", parse_match},     {"return", parse_return}, {"break", parse_break},
        {"continue", parse_break},  {"spawn", parse_spawn},   {"select", parse_select},
        {"sleep", parse_sleep},     {"lease", parse_lease},   {"revoke", parse_revoke},
        {"publish", parse_publish},
    };
    if (!at_kind(p, T_NAME))
        return parse_simple(p);
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (at_word(p, table[i].word))
            return table[i].parse(p);
    if (at_word(p, "drop") && peek_next(p)->kind == T_NAME)
        return parse_drop(p);
    uint32_t host = at_host_statement(p);
    if (host != UINT32_MAX)
        return parse_host(p, host);
    return misplaced(p) ? NULL : parse_simple(p);
}
