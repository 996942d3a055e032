/* Tokens, blocks, recovery, and the top of a file. */
#include "lang/parse_internal.h"

#include <stdio.h>
#include <string.h>

const struct token *peek_next(const struct parser *p)
{
    size_t at = p->at + 1 < p->tokens.all.n ? p->at + 1 : p->at;
    return &p->tokens.all.v[at];
}

const struct token *take_token(struct parser *p)
{
    const struct token *t = peek_token(p);
    if (t->kind != T_EOF)
        p->at++;
    return t;
}

struct lang_span token_span(const struct parser *p, const struct token *t)
{
    return (struct lang_span){p->source, t->from, t->to};
}

struct str token_text(const struct parser *p, const struct token *t)
{
    return ctx_text(p->c, token_span(p, t));
}

bool at_kind(const struct parser *p, enum token_kind kind)
{
    return peek_token(p)->kind == kind;
}

bool at_word(const struct parser *p, const char *word)
{
    return at_kind(p, T_NAME) && str_eq(token_text(p, peek_token(p)), str_from(word));
}

bool take_kind(struct parser *p, enum token_kind kind)
{
    if (!at_kind(p, kind))
        return false;
    (void)take_token(p);
    return true;
}

bool take_word(struct parser *p, const char *word)
{
    if (!at_word(p, word))
        return false;
    (void)take_token(p);
    return true;
}

struct str describe(struct parser *p, const struct token *t)
{
    struct str text = token_text(p, t);
    if (t->kind == T_EOF)
        return STR("the end of the text");
    if (t->kind == T_NEWLINE)
        return text.n == 1 && text.p[0] == ';' ? STR("`;`") : STR("the end of the line");
    if (text.n > 40)
        return ctx_strf(p->c, "`%.*s…`", STR_FMT(str_sub(text, 0, 40)));
    return ctx_strf(p->c, "`%.*s`", STR_FMT(text));
}

bool expected(struct parser *p, const char *what)
{
    const struct token *t = peek_token(p);
    if (t->kind == T_BAD) {
        (void)diag_error(p->c, "P1", token_span(p, t), "here", "%s", t->note);
        p->lost_text = p->lost_text || token_text(p, t).p[0] == '"';
        return false;
    }
    struct str found = describe(p, t);
    struct lang_span at = token_span(p, t);
    bool line_ended = t->kind == T_NEWLINE || t->kind == T_EOF || (t->flags & TOKEN_LINE_START);
    if (line_ended && p->at > 0) { /* mark the place right behind the last token */
        uint32_t to = p->tokens.all.v[p->at - 1].to;
        at = (struct lang_span){p->source, to, to};
    }
    char label[128];
    (void)snprintf(label, sizeof(label), "expected %s", what);
    (void)diag_error(p->c, "P1", at, label, "expected %s, found %.*s", what, STR_FMT(found));
    return false;
}

bool expect(struct parser *p, enum token_kind kind, const char *what)
{
    return take_kind(p, kind) || expected(p, what);
}

static bool after_newline(const struct parser *p)
{
    return p->at > 0 && p->tokens.all.v[p->at - 1].kind == T_NEWLINE;
}

bool expect_end(struct parser *p, const char *after)
{
    if (at_kind(p, T_RBRACE) || at_kind(p, T_EOF) || take_kind(p, T_NEWLINE) || after_newline(p))
        return true; /* the last: a block that was ended for want of its `}` */
    const struct token *t = peek_token(p);
    if (t->kind == T_BAD)
        return expected(p, "the end of the line");
    struct lang_diag *d = diag_error(p->c, "P1", token_span(p, t), "expected the end of the line",
                                     "expected the end of the line after %s, found %.*s", after,
                                     STR_FMT(describe(p, t)));
    if (t->kind == T_NAME)
        diag_help(p->c, d, "two statements on one line stand apart with `;`");
    return false;
}

void skip_newlines(struct parser *p)
{
    while (at_kind(p, T_NEWLINE))
        (void)take_token(p);
}

void skip_statement(struct parser *p)
{
    uint32_t depth = 0;
    for (;; (void)take_token(p)) {
        switch (peek_token(p)->kind) {
        case T_EOF: return;
        case T_LBRACE: depth++; break;
        case T_RBRACE:
            if (depth == 0)
                return;
            depth--;
            break;
        case T_NEWLINE:
            if (depth == 0) {
                (void)take_token(p);
                return;
            }
            break;
        default: break;
        }
    }
}

void recover(struct parser *p, size_t start)
{
    if (p->at > start && after_newline(p))
        return;
    skip_statement(p);
    if (p->at == start && !at_kind(p, T_RBRACE))
        (void)take_token(p);
}

void skip_to_byte(struct parser *p, uint32_t at)
{
    while (!at_kind(p, T_EOF) && peek_token(p)->from < at)
        (void)take_token(p);
}

/* ---- words ------------------------------------------------------------------------------ */

bool word_reserved(struct str word)
{
    static const char *const words[] = {
        "program", "fn",    "own",   "read", "var",   "let",    "for",    "in",    "when",
        "until",   "stale", "every", "if",   "else",  "return", "true",   "false", "and",
        "or",      "not",   "mod",   "task", "spawn", "chan",   "select", "loop",  "lease",
        "lend",    "match", "while", "ref",  "mut",   "move",   "none",
    };
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_eq(word, str_from(words[i])))
            return true;
    return false;
}

const char *word_later(struct str word)
{
    static const char *const words[][2] = {
        {"task", "tasks"},
        {"spawn", "tasks"},
        {"chan", "channels"},
        {"select", "channels"},
        {"loop", "tasks"},
        {"lease", "leases"},
        {"lend", "leases"},
        {"idle", "leases"},
        {"revoke", "leases"},
        {"at", "times of day"},
        {"test", "tests"},
        {"sleep", "tasks"},
        {"publish", "messages"},
        {"on", "messages"},
        {"changed", "the word"},
        {"enum", "enumerations"},
        {"record", "records"},
        {"list", "lists"},
        {"map", "maps"},
        {"while", "loops in bodies"},
        {"match", "the word"},
        {"move", "moving handles"},
        {"ref", "borrowed parameters"},
        {"mut", "borrowed parameters"},
        {"after", "tests"},
        {"expect", "tests"},
        {"none", "optional values"},
    };
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_eq(word, str_from(words[i][0])))
            return words[i][1];
    return NULL;
}

bool not_yet(struct parser *p, const struct token *t)
{
    struct str word = token_text(p, t);
    (void)diag_error(p->c, "P1", token_span(p, t), "not available yet",
                     "`%.*s` is not available in this version", STR_FMT(word));
    return false;
}

bool take_name(struct parser *p, const char *what, struct name *out)
{
    const struct token *t = peek_token(p);
    if (t->kind != T_NAME)
        return expected(p, what);
    struct str text = token_text(p, t);
    if (word_reserved(text)) {
        (void)diag_error(p->c, "P1", token_span(p, t), "a word of the language",
                         "`%.*s` is a word of the language and can't be a name here; expected %s",
                         STR_FMT(text), what);
        return false;
    }
    *out = (struct name){text, token_span(p, t)};
    (void)take_token(p);
    return true;
}

bool take_path(struct parser *p, const char *what, struct name *whole, struct name **parts,
               size_t *parts_n)
{
    VEC(struct name) list = {0};
    struct strbuf text;
    strbuf_init(&text, &p->c->tree_alloc, 0);
    do {
        struct name n;
        if (!take_name(p, list.n ? "a name after the dot" : what, &n))
            return false;
        if (list.n >= LANG_NESTING_MAX)
            return expected(p, "a shorter name");
        if (list.n > 0)
            strbuf_addc(&text, '.');
        strbuf_addstr(&text, n.text);
        ctx_tree_push(p->c, &list, n);
    } while (take_kind(p, T_DOT));
    if (text.failed)
        ctx_nomem(p->c);
    *whole = (struct name){ctx_str(p->c, strbuf_str(&text)),
                           span_join(list.v[0].span, list.v[list.n - 1].span)};
    if (parts) {
        *parts = list.v;
        *parts_n = list.n;
    }
    return true;
}

/* ---- blocks ----------------------------------------------------------------------------- */

static uint32_t line_indent(const struct parser *p, uint32_t at)
{
    const char *text = p->c->sources[p->source].text.p;
    uint32_t from = at;
    while (from > 0 && text[from - 1] != '\n')
        from--;
    uint32_t n = 0;
    while (from + n < at && (text[from + n] == ' ' || text[from + n] == '\t'))
        n++;
    return n;
}

static bool first_on_line(const struct token *t)
{
    return (t->flags & TOKEN_LINE_START) != 0;
}

bool enter(struct parser *p)
{
    if (p->depth < LANG_NESTING_MAX) {
        p->depth++;
        return true;
    }
    (void)diag_error(p->c, "P1", token_span(p, peek_token(p)), "too deep",
                     "this is nested more than %u deep", LANG_NESTING_MAX);
    return false;
}

void leave(struct parser *p)
{
    p->depth--;
}

bool block_open(struct parser *p, struct block *b, const char *what)
{
    if (at_kind(p, T_NEWLINE) && peek_next(p)->kind == T_LBRACE)
        (void)take_token(p);
    const struct token *t = peek_token(p);
    if (t->kind == T_ASSIGN) {
        struct lang_diag *d =
            diag_error(p->c, "P1", token_span(p, t), "here", "expected %s, found `=`", what);
        diag_help(p->c, d, "two values are compared with `==`");
        return false;
    }
    if (t->kind != T_LBRACE)
        return expected(p, what);
    if (!enter(p))
        return false;
    *b = (struct block){token_span(p, t), line_indent(p, t->from)};
    (void)take_token(p);
    return true;
}

static const struct lang_kind *kind_named(const struct lang_schema *schema, struct str word)
{
    for (size_t i = 0; i < schema->kinds_n; i++)
        if (str_eq(word, str_from(schema->kinds[i].word)))
            return &schema->kinds[i];
    return NULL;
}

/* A declaration's word in the first column: whatever is still open, ends here. */
static bool at_declaration(const struct parser *p)
{
    const struct token *t = peek_token(p);
    if (t->kind != T_NAME || !first_on_line(t) || line_indent(p, t->from) > 0)
        return false;
    const char *text = p->c->sources[p->source].text.p;
    if (t->from > 0 && text[t->from - 1] != '\n')
        return false;
    struct str word = token_text(p, t);
    return str_eq(word, STR("program")) || str_eq(word, STR("fn")) ||
           kind_named(p->c->schema, word) != NULL;
}

static bool at_outside(const struct parser *p, const struct block *b, const char *const *outside)
{
    const struct token *t = peek_token(p);
    if (!outside || t->kind != T_NAME || !first_on_line(t) || line_indent(p, t->from) > b->indent)
        return false;
    for (; *outside; outside++)
        if (at_word(p, *outside))
            return true;
    return false;
}

static void never_closed(struct parser *p, const struct block *b)
{
    const struct token *t = peek_token(p);
    if (p->lost_text) /* its `}` may stand in a text that has no end */
        return;
    struct lang_span brace = p->odd_brace.to ? p->odd_brace : b->brace;
    struct lang_diag *d = diag_error(p->c, "P1", brace, "opened here", "this `{` is never closed");
    if (t->kind != T_EOF)
        diag_mark(p->c, d, token_span(p, t), "a `}` is missing before this");
    diag_help(p->c, d, "add the missing `}`");
    p->odd_brace = (struct lang_span){0};
}

bool block_more(struct parser *p, const struct block *b, const char *const *outside)
{
    skip_newlines(p);
    if (at_kind(p, T_RBRACE))
        return false;
    if (at_kind(p, T_EOF) || at_declaration(p) || at_outside(p, b, outside)) {
        never_closed(p, b);
        return false;
    }
    return true;
}

struct lang_span block_close(struct parser *p, const struct block *b)
{
    leave(p);
    const struct token *t = peek_token(p);
    if (t->kind != T_RBRACE)
        return b->brace;
    if (first_on_line(t) && line_indent(p, t->from) < b->indent && !p->odd_brace.to)
        p->odd_brace = b->brace;
    (void)take_token(p);
    return span_join(b->brace, token_span(p, t));
}

/* ---- the top of a file ------------------------------------------------------------------ */

static void unknown_declaration(struct parser *p)
{
    const struct token *t = peek_token(p);
    struct str word = token_text(p, t);
    if (t->kind == T_RBRACE) {
        (void)diag_error(p->c, "P1", token_span(p, t), "closes nothing", "this `}` closes nothing");
        (void)take_token(p);
        return;
    }
    if (t->kind != T_NAME) {
        (void)expected(p, "a declaration");
        return;
    }
    const struct lang_schema *schema = p->c->schema;
    for (const char *const *r = schema->reserved; r && *r; r++)
        if (str_eq(word, str_from(*r))) {
            (void)not_yet(p, t);
            return;
        }
    if (word_later(word)) {
        (void)not_yet(p, t);
        return;
    }
    struct suggest s = suggest_for(p->c, word);
    for (size_t i = 0; i < schema->kinds_n; i++)
        suggest_offer(&s, str_from(schema->kinds[i].word));
    suggest_offer(&s, STR("program"));
    suggest_offer(&s, STR("fn"));
    struct lang_diag *d = diag_error(p->c, "P1", token_span(p, t), "not a declaration",
                                     "`%.*s` begins no declaration", STR_FMT(word));
    if (suggest_found(&s))
        diag_help(p->c, d, "did you mean `%.*s`?", STR_FMT(s.best));
    else
        diag_help(p->c, d, "a file holds declarations: %s, program, fn", schema->kinds[0].word);
}

static bool parse_top(struct parser *p, struct syntax *out)
{
    if (at_word(p, "program"))
        return parse_program(p, out);
    if (at_word(p, "fn")) {
        struct fn_decl *fn = parse_fn(p);
        if (fn)
            ctx_tree_push(p->c, &out->fns, fn);
        return fn != NULL;
    }
    const struct lang_kind *kind =
        at_kind(p, T_NAME) ? kind_named(p->c->schema, token_text(p, peek_token(p))) : NULL;
    if (kind)
        return parse_kind(p, kind, out);
    unknown_declaration(p);
    return false;
}

void parse_source(struct lang_ctx *c, uint32_t source, struct syntax *out)
{
    struct parser p = {.c = c, .source = source};
    lex(c, source, 0, (uint32_t)c->sources[source].text.n, &p.tokens);
    for (skip_newlines(&p); !at_kind(&p, T_EOF); skip_newlines(&p)) {
        size_t at = p.at;
        p.depth = 0;
        bool fine = parse_top(&p, out) && expect_end(&p, "a declaration");
        if (!fine && !(p.at > at && at_declaration(&p)))
            recover(&p, at);
        if (p.at == at)
            (void)take_token(&p);
    }
}
