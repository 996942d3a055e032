/* Declarations, as the schema's table describes them. */
#include "lang/parse_internal.h"

#include <stdio.h>
#include <string.h>

#define CLAUSES_MAX 1000u
#define LIST_MAX    4096u

/* ---- clauses ---------------------------------------------------------------------------- */

static struct str clause_words(struct parser *p, const struct lang_clause *table, size_t n)
{
    struct strbuf b;
    strbuf_init(&b, &p->c->alloc, 0);
    for (size_t i = 0; i < n; i++) {
        bool again = false;
        for (size_t k = 0; k < i; k++)
            again = again || strcmp(table[k].word, table[i].word) == 0;
        if (!again)
            strbuf_addf(&b, "%s%s", b.n ? ", " : "", table[i].word);
    }
    if (b.failed)
        ctx_nomem(p->c);
    return strbuf_str(&b);
}

static void unknown_clause(struct parser *p, const struct lang_clause *table, size_t n,
                           struct str owner)
{
    const struct token *t = peek_token(p);
    if (t->kind != T_NAME) {
        (void)expected(p, "a clause or `}`");
        return;
    }
    struct str word = token_text(p, t);
    struct suggest s = suggest_for(p->c, word);
    for (size_t i = 0; i < n; i++)
        suggest_offer(&s, str_from(table[i].word));
    struct lang_diag *d = diag_error(p->c, "P1", token_span(p, t), "unknown clause",
                                     "`%.*s` has no clause `%.*s`", STR_FMT(owner), STR_FMT(word));
    if (suggest_found(&s))
        diag_help(p->c, d, "did you mean `%.*s`?", STR_FMT(s.best));
    else
        diag_help(p->c, d, "it has: %.*s", STR_FMT(clause_words(p, table, n)));
}

static void unknown_second(struct parser *p, const struct lang_clause *table, size_t n,
                           const char *word)
{
    const struct token *t = peek_token(p);
    struct str text = token_text(p, t);
    struct strbuf all;
    strbuf_init(&all, &p->c->alloc, 0);
    struct suggest s = suggest_for(p->c, text);
    for (size_t i = 0; i < n; i++)
        if (strcmp(table[i].word, word) == 0 && table[i].second) {
            strbuf_addf(&all, "%s`%s`", all.n ? ", " : "", table[i].second);
            suggest_offer(&s, str_from(table[i].second));
        }
    if (all.failed)
        ctx_nomem(p->c);
    struct lang_diag *d = diag_error(p->c, "P1", token_span(p, t), "not known here",
                                     "`%s` is followed by %.*s, not by %.*s", word, (int)all.n,
                                     all.p, STR_FMT(describe(p, t)));
    if (t->kind == T_NAME && suggest_found(&s))
        diag_help(p->c, d, "did you mean `%.*s`?", STR_FMT(s.best));
    else
        diag_help(p->c, d, "other ways are not available in this version");
}

static const struct lang_clause *take_clause(struct parser *p, const struct lang_clause *table,
                                             size_t n, struct str owner)
{
    const struct lang_clause *first = NULL;
    for (size_t i = 0; i < n && !first; i++)
        if (at_word(p, table[i].word))
            first = &table[i];
    if (!first) {
        unknown_clause(p, table, n, owner);
        return NULL;
    }
    (void)take_token(p);
    const struct lang_clause *alone = NULL;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(table[i].word, first->word) != 0)
            continue;
        if (!table[i].second)
            alone = &table[i];
        else if (take_word(p, table[i].second))
            return &table[i];
    }
    if (!alone)
        unknown_second(p, table, n, first->word);
    return alone;
}

static bool at_lead(const struct parser *p, const struct lang_arg *arg)
{
    if (strcmp(arg->lead, ":") == 0)
        return at_kind(p, T_COLON);
    if (strcmp(arg->lead, "=") == 0)
        return at_kind(p, T_ASSIGN);
    return at_word(p, arg->lead);
}

/* An optional argument without a lead is there if its first token fits. */
static bool at_optional(const struct parser *p, const struct lang_arg *arg)
{
    switch (arg->kind) {
    case LANG_ARG_BLOCK:
    case LANG_ARG_MAPPINGS: return at_kind(p, T_LBRACE);
    case LANG_ARG_STRING: return at_kind(p, T_STRING);
    case LANG_ARG_TEMPLATE: return at_kind(p, T_STRING) || at_kind(p, T_LBRACE);
    case LANG_ARG_PARAMS: return at_kind(p, T_LPAREN);
    case LANG_ARG_NUMBER: return at_kind(p, T_INT) || at_kind(p, T_FLOAT) || at_kind(p, T_MINUS);
    case LANG_ARG_WORD:
        for (const char *const *w = arg->words; *w; w++)
            if (at_word(p, *w))
                return true;
        return false;
    default: return at_kind(p, T_NAME);
    }
}

static bool is_in_order(const struct lang_arg *arg)
{
    if (arg->lead)
        return arg->flags & LANG_ARG_IN_ORDER;
    return arg->kind != LANG_ARG_BLOCK && arg->kind != LANG_ARG_MAPPINGS;
}

static bool positional_args(struct parser *p, const struct lang_clause *clause,
                            struct lang_value *values)
{
    for (size_t i = 0; i < clause->args_n; i++) {
        const struct lang_arg *arg = &clause->args[i];
        if (!is_in_order(arg))
            continue;
        if ((arg->flags & LANG_ARG_OPTIONAL) &&
            !(arg->lead ? at_lead(p, arg) : at_optional(p, arg)))
            continue;
        if (arg->lead && !take_word(p, arg->lead)) {
            struct str what = ctx_strf(p->c, "`%s` and %s", arg->lead, arg->name);
            return expected_help(p, what.p, clause->example);
        }
        if (!parse_arg(p, clause, i, values))
            return false;
    }
    return true;
}

/* One argument behind its lead word, or a block; *found says whether there was one. */
static bool lead_arg(struct parser *p, const struct lang_clause *clause, struct lang_value *values,
                     bool *found)
{
    *found = false;
    for (size_t i = 0; i < clause->args_n; i++) {
        const struct lang_arg *arg = &clause->args[i];
        bool block = !arg->lead && !is_in_order(arg);
        if (arg->lead && is_in_order(arg))
            continue;
        if (!(arg->lead ? at_lead(p, arg) : block && at_optional(p, arg)))
            continue;
        *found = true;
        const struct token *t = peek_token(p);
        if (values[i].kind != LANG_ARG_NONE) {
            (void)diag_error(p->c, "P1", token_span(p, t), "a second time",
                             "%.*s stands here twice", STR_FMT(describe(p, t)));
            return false;
        }
        if (arg->lead)
            (void)take_token(p);
        if (arg->kind == LANG_ARG_FLAG) {
            values[i].kind = LANG_ARG_FLAG;
            values[i].span = token_span(p, t);
            return true;
        }
        if ((arg->flags & LANG_ARG_BLANK) && !at_kind(p, T_STRING)) {
            values[i] =
                (struct lang_value){.kind = arg->kind, .span = token_span(p, t), .text = STR("")};
            return true;
        }
        return parse_arg(p, clause, i, values);
    }
    return true;
}

static bool unknown_option(struct parser *p, const struct lang_clause *clause)
{
    const struct token *t = peek_token(p);
    if (t->kind != T_NAME)
        return expected(p, "the end of the line");
    struct suggest s = suggest_for(p->c, token_text(p, t));
    for (size_t i = 0; i < clause->args_n; i++)
        if (clause->args[i].lead)
            suggest_offer(&s, str_from(clause->args[i].lead));
    struct lang_diag *d =
        diag_error(p->c, "P1", token_span(p, t), "not known here", "`%s` takes no `%.*s` here",
                   clause->word, STR_FMT(token_text(p, t)));
    if (suggest_found(&s))
        diag_help(p->c, d, "did you mean `%.*s`?", STR_FMT(s.best));
    else
        diag_help(p->c, d, "clauses on one line stand apart with `;`, as in  %s", clause->example);
    return false;
}

static bool parse_clause_args(struct parser *p, const struct lang_clause *clause,
                              struct lang_value *values)
{
    if (!positional_args(p, clause, values))
        return false;
    while (!at_kind(p, T_NEWLINE) && !at_kind(p, T_RBRACE) && !at_kind(p, T_EOF)) {
        bool found;
        if (!lead_arg(p, clause, values, &found))
            return false;
        if (!found)
            return unknown_option(p, clause);
    }
    for (size_t i = 0; i < clause->args_n; i++)
        if (values[i].kind == LANG_ARG_NONE && !(clause->args[i].flags & LANG_ARG_OPTIONAL)) {
            char what[96];
            const struct lang_arg *a = &clause->args[i];
            (void)snprintf(what, sizeof(what), "%s%s%s%s", a->lead ? "`" : "",
                           a->lead ? a->lead : "", a->lead ? "` and " : "", a->name);
            return expected(p, what);
        }
    return true;
}

static void check_repeats(struct lang_ctx *c, const struct lang_clause_decl *list, size_t n,
                          struct str owner)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < i; k++) {
            const struct lang_clause *x = list[i].clause, *y = list[k].clause;
            if ((x->flags & LANG_CLAUSE_REPEATED) || strcmp(x->word, y->word) != 0)
                continue;
            struct lang_diag *d = diag_error(c, "P1", list[i].span, "a second time",
                                             "`%.*s` has `%s` twice", STR_FMT(owner), x->word);
            diag_mark(c, d, list[k].span, "the first one");
            break;
        }
}

bool parse_clauses(struct parser *p, const struct block *b, const struct lang_clause *table,
                   size_t table_n, struct str owner, const struct lang_clause_decl **out,
                   size_t *out_n)
{
    VEC(struct lang_clause_decl) list = {0};
    bool all_fine = true;
    while (block_more(p, b, NULL)) {
        size_t at = p->at;
        if (list.n >= CLAUSES_MAX) {
            (void)diag_error(p->c, "P1", token_span(p, peek_token(p)), "one too many",
                             "a declaration has at most %u clauses", CLAUSES_MAX);
            all_fine = false;
            break;
        }
        struct lang_span from = token_span(p, peek_token(p));
        const struct lang_clause *clause = take_clause(p, table, table_n, owner);
        struct lang_value *values =
            clause ? ctx_array(p->c, clause->args_n, sizeof(*values)) : NULL;
        if (clause && parse_clause_args(p, clause, values)) {
            from.to = p->tokens.all.v[p->at - 1].to;
            ctx_push(p->c, &list, (struct lang_clause_decl){clause, from, values});
            if (expect_end(p, "a clause"))
                continue;
        }
        all_fine = false;
        recover(p, at);
    }
    check_repeats(p->c, list.v, list.n, owner);
    *out = list.v;
    *out_n = list.n;
    return all_fine;
}

static void missing_clauses(struct lang_ctx *c, const struct lang_decl *d)
{
    for (size_t i = 0; i < d->kind->clauses_n; i++) {
        const struct lang_clause *cl = &d->kind->clauses[i];
        if (!(cl->flags & LANG_CLAUSE_REQUIRED) || lang_decl_clause(d, cl->word, NULL, 0) != NULL)
            continue;
        struct lang_diag *diag = diag_error(c, "P1", d->name_span, "here", "this %s has no `%s`",
                                            d->kind->word, cl->word);
        diag_help(c, diag, "add:  %s", cl->example);
    }
}

/* ---- heads ------------------------------------------------------------------------------ */

static bool decl_head(struct parser *p, struct lang_decl *d)
{
    char what[64];
    (void)snprintf(what, sizeof(what), "the %s's name", d->kind->word);
    struct name n;
    switch (d->kind->head) {
    case LANG_HEAD_NONE: return true;
    case LANG_HEAD_TEXT: return parse_plain_text(p, "a text in quotes", &d->name, &d->name_span);
    case LANG_HEAD_NAME:
        if (!take_name(p, what, &n))
            return false;
        break;
    case LANG_HEAD_PATH:
        if (!take_path(p, what, &n, NULL, NULL))
            return false;
        break;
    }
    d->name = n.text;
    d->name_span = n.span;
    return true;
}

static bool parse_list(struct parser *p, struct decl_syntax *s)
{
    if (!expect(p, T_ASSIGN, "`=` and a list"))
        return false;
    VEC(struct name) list = {0};
    do {
        skip_newlines(p);
        struct name n;
        if (!take_path(p, "a name", &n, NULL, NULL))
            return false;
        if (list.n >= LIST_MAX)
            return expected(p, "a shorter list");
        ctx_push(p->c, &list, n);
    } while (take_kind(p, T_COMMA));
    s->list = list.v;
    s->list_n = list.n;
    return true;
}

static bool parse_body(struct parser *p, struct lang_decl *d)
{
    struct block b;
    if (!block_open(p, &b, "`{`"))
        return false;
    struct str owner = str_from(d->kind->word);
    bool fine = parse_clauses(p, &b, d->kind->clauses, d->kind->clauses_n, owner, &d->clauses,
                              &d->clauses_n);
    d->span = span_join(d->span, block_close(p, &b));
    d->damaged = !fine;
    if (fine)
        missing_clauses(p->c, d);
    return true;
}

bool parse_kind(struct parser *p, const struct lang_kind *kind, struct syntax *out)
{
    struct decl_syntax s = {.decl = ctx_new(p->c, sizeof(*s.decl))};
    struct lang_decl *d = s.decl;
    d->kind = kind;
    d->span = d->name_span = d->type_span = token_span(p, take_token(p));
    if (!decl_head(p, d))
        return false;
    d->span = span_join(d->span, d->name_span);
    if (kind->flags & LANG_KIND_TYPED) {
        if (!expect(p, T_COLON, "`:` and its model") || !take_name(p, "its model", &s.type_name))
            return false;
        d->type_span = s.type_name.span;
    }
    if ((kind->flags & LANG_KIND_LIST) && !parse_list(p, &s))
        return false;
    /* what was read so far is declared, even if its body has mistakes: no messages about that */
    ctx_push(p->c, &out->decls, s);
    bool brace = at_kind(p, T_LBRACE) || (at_kind(p, T_NEWLINE) && peek_next(p)->kind == T_LBRACE);
    if (!(kind->flags & LANG_KIND_BODY) || ((kind->flags & LANG_KIND_OPEN) && !brace))
        return true;
    return parse_body(p, d);
}
