/* Statements: what stands in the bodies of rules and functions. */
#include "lang/parse_internal.h"

#include <string.h>

/* Words that begin items of a program or declarations: in a body they show that a `}` is missing.
 */
static const char *const outside_body[] = {"when", "every", "own",     "read",
                                           "for",  "fn",    "program", NULL};

static struct stmt *node(struct parser *p, enum stmt_kind kind, struct lang_span span)
{
    struct stmt *s = ctx_tree_new(p->c, sizeof(*s));
    s->kind = kind;
    s->span = span;
    return s;
}

bool parse_stmts(struct parser *p, struct stmt_list *out, const char *what)
{
    struct block b;
    if (!block_open(p, &b, what))
        return false;
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
    *out = (struct stmt_list){list.v, list.n, block_close(p, &b), damaged};
    return true;
}

/* let name [: type] = value; var name … */
static struct stmt *parse_let(struct parser *p)
{
    const struct token *t = take_token(p);
    struct stmt *s = node(p, S_LET, token_span(p, t));
    s->mutable = str_eq(token_text(p, t), STR("var"));
    if (!take_name(p, "a name", &s->name))
        return NULL;
    if (take_kind(p, T_COLON) && !parse_type(p, &s->type))
        return NULL;
    if (!expect(p, T_ASSIGN, "`=` and a value"))
        return NULL;
    s->value = parse_expr(p);
    if (!s->value)
        return NULL;
    s->span = span_join(s->span, s->value->span);
    return s;
}

static struct stmt *parse_if(struct parser *p)
{
    if (!enter(p))
        return NULL;
    struct stmt *s = node(p, S_IF, token_span(p, take_token(p)));
    s->value = parse_expr(p);
    bool fine = s->value && parse_stmts(p, &s->body, "`{` after the condition");
    if (fine && take_word(p, "else")) {
        if (at_word(p, "if")) { /* else if …: an otherwise of one statement */
            struct stmt *inner = parse_if(p);
            fine = inner != NULL;
            if (fine) {
                s->otherwise.v = ctx_array(p->c, 1, sizeof(struct stmt *));
                s->otherwise.v[0] = inner;
                s->otherwise.n = 1;
            }
        } else {
            fine = parse_stmts(p, &s->otherwise, "`{` after else");
        }
    }
    leave(p);
    return fine ? s : NULL;
}

static struct stmt *parse_return(struct parser *p)
{
    struct stmt *s = node(p, S_RETURN, token_span(p, take_token(p)));
    if (at_kind(p, T_NEWLINE) || at_kind(p, T_RBRACE) || at_kind(p, T_EOF))
        return s;
    s->value = parse_expr(p);
    if (!s->value)
        return NULL;
    s->span = span_join(s->span, s->value->span);
    return s;
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

/* alert warning "text" */
static struct stmt *parse_host(struct parser *p, uint32_t index)
{
    const struct lang_statement *h = &p->c->schema->statements[index];
    struct stmt *s = node(p, S_HOST, token_span(p, take_token(p)));
    s->host = index;
    uint32_t level = 0;
    while (h->levels[level] && !at_word(p, h->levels[level]))
        level++;
    if (!h->levels[level]) {
        unknown_level(p, h);
        return NULL;
    }
    (void)take_token(p);
    s->level = level;
    s->value = parse_expr(p);
    if (!s->value)
        return NULL;
    s->span = span_join(s->span, s->value->span);
    return s;
}

/* A word that begins no statement, followed by something that can't follow a name. */
static bool unknown_statement(struct parser *p)
{
    const struct token *t = peek_token(p), *next = peek_next(p);
    bool follows = next->kind == T_NAME || next->kind == T_INT || next->kind == T_FLOAT ||
                   next->kind == T_STRING || next->kind == T_LBRACE;
    if (t->kind != T_NAME || !follows)
        return false;
    struct str word = token_text(p, t);
    if (str_eq(word, STR("mod")) || str_eq(word, STR("not")) || str_eq(word, STR("stale")))
        return false;
    struct suggest s = suggest_for(p->c, word);
    static const char *const words[] = {"when", "every", "own",    "read", "var",  "let",
                                        "for",  "if",    "return", "fn",   "else", "until"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        suggest_offer(&s, str_from(words[i]));
    for (size_t i = 0; i < p->c->schema->statements_n; i++)
        suggest_offer(&s, str_from(p->c->schema->statements[i].word));
    struct lang_diag *d = diag_error(p->c, "P1", token_span(p, t), "not a statement",
                                     "`%.*s` begins no statement", STR_FMT(word));
    if (suggest_found(&s))
        diag_help(p->c, d, "did you mean `%.*s`?", STR_FMT(s.best));
    return true;
}

/* target = value, or a call */
static struct stmt *parse_simple(struct parser *p)
{
    if (unknown_statement(p))
        return NULL;
    struct expr *e = parse_expr(p);
    if (!e)
        return NULL;
    struct stmt *s = node(p, S_CALL, e->span);
    s->value = e;
    if (at_word(p, "else")) {
        struct lang_diag *d = diag_error(p->c, "P1", token_span(p, peek_token(p)), "not here",
                                         "`else` follows a command only while its handle is lent");
        diag_help(p->c, d, "leases are not available in this version");
        return NULL;
    }
    if (take_kind(p, T_ASSIGN)) {
        s->kind = S_ASSIGN;
        s->target = e;
        s->value = parse_expr(p);
        if (!s->value)
            return NULL;
        s->span = span_join(e->span, s->value->span);
        return s;
    }
    if (e->kind != E_CALL && e->kind != E_BAD) {
        struct lang_diag *d =
            diag_error(p->c, "P1", e->span, "has no effect", "an expression alone does nothing");
        if (e->kind == E_PATH)
            diag_help(p->c, d, "to call it, write `%.*s()`", STR_FMT(e->text));
        else if (e->kind == E_BINARY && e->op == OP_EQ)
            diag_help(p->c, d, "to assign, write `=`");
        return NULL;
    }
    return s;
}

struct stmt *parse_stmt(struct parser *p)
{
    if (!at_kind(p, T_NAME))
        return parse_simple(p);
    if (at_word(p, "let") || at_word(p, "var"))
        return parse_let(p);
    if (at_word(p, "if"))
        return parse_if(p);
    if (at_word(p, "return"))
        return parse_return(p);
    for (uint32_t i = 0; i < p->c->schema->statements_n; i++)
        if (at_word(p, p->c->schema->statements[i].word) && peek_next(p)->kind != T_LPAREN &&
            peek_next(p)->kind != T_ASSIGN && peek_next(p)->kind != T_DOT)
            return parse_host(p, i);
    static const char *const items[] = {"when", "every", "own",   "read",
                                        "for",  "fn",    "until", "else"};
    for (size_t i = 0; i < ARRAY_LEN(items); i++)
        if (at_word(p, items[i])) {
            struct lang_diag *d = diag_error(p->c, "P1", token_span(p, peek_token(p)), "not here",
                                             i < 6 ? "`%s` stands in a program, not in a body"
                                                   : "`%s` belongs to the statement before it",
                                             items[i]);
            if (i < 6)
                diag_help(p->c, d, "is a `}` missing before it?");
            return NULL;
        }
    enum token_kind next = (enum token_kind)peek_next(p)->kind;
    bool plain = next == T_ASSIGN || next == T_DOT || next == T_LPAREN;
    if (word_later(token_text(p, peek_token(p))) && !plain)
        return (void)not_yet(p, peek_token(p)), NULL;
    return parse_simple(p);
}
