/* Tokens, and what is said where another one was expected. */
#include "lang/lang.h"
#include "lang/parse_internal.h"

#include <stdio.h>
#include <string.h>

const struct token *peek_ahead(const struct parser *p, size_t n)
{
    size_t last = p->tokens.all.n - 1; /* T_EOF */
    return &p->tokens.all.v[p->at + n < last ? p->at + n : last];
}

const struct token *peek_next(const struct parser *p)
{
    return peek_ahead(p, 1);
}

const struct token *take_token(struct parser *p)
{
    const struct token *t = peek_token(p);
    if (t->kind != T_EOF)
        p->at++;
    return t;
}

const struct token *last_token(const struct parser *p)
{
    ASSERT(p->at > 0);
    return &p->tokens.all.v[p->at - 1];
}

struct lang_span token_span(const struct parser *p, const struct token *t)
{
    return (struct lang_span){p->source, t->from, t->to};
}

struct lang_span last_span(const struct parser *p)
{
    return token_span(p, last_token(p));
}

struct str token_text(const struct parser *p, const struct token *t)
{
    return ctx_text(p->c, token_span(p, t));
}

bool token_is(const struct parser *p, const struct token *t, const char *word)
{
    return t->kind == T_NAME && str_eq(token_text(p, t), str_from(word));
}

bool token_touches(const struct token *t)
{
    return (t->flags & TOKEN_SPACE) == 0;
}

bool at_kind(const struct parser *p, enum token_kind kind)
{
    return peek_token(p)->kind == kind;
}

bool at_word(const struct parser *p, const char *word)
{
    return token_is(p, peek_token(p), word);
}

bool at_end(const struct parser *p)
{
    return at_kind(p, T_NEWLINE) || at_kind(p, T_RBRACE) || at_kind(p, T_EOF);
}

/* `else =>` begins an arm of select, even where the line before it could go on. */
bool at_else(const struct parser *p)
{
    return at_word(p, "else") && peek_next(p)->kind != T_FATARROW;
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

/* ---- messages --------------------------------------------------------------------------- */

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

/* The place of a message about the next token: right behind the last one if the line ended. */
struct lang_span place_expected(const struct parser *p)
{
    const struct token *t = peek_token(p);
    bool ended = t->kind == T_NEWLINE || t->kind == T_EOF;
    bool goes_on = (t->flags & TOKEN_LINE_START) && !after_newline(p);
    if ((!ended && !goes_on) || p->at == 0)
        return token_span(p, t);
    uint32_t to = last_token(p)->to;
    return (struct lang_span){p->source, to, to};
}

bool bad_token(struct parser *p)
{
    const struct token *t = peek_token(p);
    if (t->kind != T_BAD)
        return false;
    (void)diag_error(p->c, "P1", token_span(p, t), "here", "%s", t->note);
    p->lost = p->lost || token_text(p, t).p[0] == '"';
    return true;
}

struct lang_diag *expected_diag(struct parser *p, const char *what)
{
    char label[128];
    (void)snprintf(label, sizeof(label), "expected %s", what);
    struct str found = describe(p, peek_token(p));
    return diag_error(p->c, "P1", place_expected(p), label, "expected %s, found %.*s", what,
                      STR_FMT(found));
}

bool expected_help(struct parser *p, const char *what, const char *help)
{
    if (bad_token(p))
        return false;
    struct lang_diag *d = expected_diag(p, what);
    if (help)
        diag_help(p->c, d, "%s", help);
    return false;
}

bool expected(struct parser *p, const char *what)
{
    return expected_help(p, what, NULL);
}

bool expect(struct parser *p, enum token_kind kind, const char *what)
{
    return take_kind(p, kind) || expected(p, what);
}

bool expect_assign(struct parser *p, const char *what)
{
    if (take_kind(p, T_ASSIGN))
        return true;
    bool type = at_kind(p, T_NAME) || at_kind(p, T_UNIT);
    return expected_help(p, what, type ? "a type stands behind a colon:  var x: int = 1" : NULL);
}

bool refuse(struct parser *p, struct lang_span at, const char *label, const char *message,
            const char *help)
{
    struct lang_diag *d = diag_error(p->c, "P1", at, label, "%s", message);
    if (help)
        diag_help(p->c, d, "%s", help);
    return false;
}

bool not_yet(struct parser *p, const struct token *t)
{
    struct str word = token_text(p, t);
    (void)diag_error(p->c, "P1", token_span(p, t), "not available yet",
                     "`%.*s` is not available in this version", STR_FMT(word));
    return false;
}

/* ---- ends of statements ----------------------------------------------------------------- */

bool after_newline(const struct parser *p)
{
    return p->at > 0 && last_token(p)->kind == T_NEWLINE;
}

bool expect_end(struct parser *p, const char *after)
{
    if (at_kind(p, T_RBRACE) || at_kind(p, T_EOF) || take_kind(p, T_NEWLINE) || after_newline(p))
        return true; /* the last: a block that was ended for want of its `}` */
    if (bad_token(p))
        return false;
    const struct token *t = peek_token(p);
    struct lang_diag *d = diag_error(p->c, "P1", token_span(p, t), "expected the end of the line",
                                     "expected the end of the line after %s, found %.*s", after,
                                     STR_FMT(describe(p, t)));
    const char *help = help_for_end(p);
    if (help)
        diag_help(p->c, d, "%s", help);
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
            if (depth == 0 && !at_stray_brace(p))
                return;
            depth -= depth > 0;
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

void skip_braces(struct parser *p)
{
    uint32_t depth = 0;
    for (; !at_kind(p, T_EOF); (void)take_token(p)) {
        if (at_kind(p, T_NEWLINE) && !p->balanced)
            return; /* the `}` that follows may belong to a block */
        depth += at_kind(p, T_LBRACE);
        if (at_kind(p, T_RBRACE) && depth-- == 0) {
            (void)take_token(p);
            return;
        }
    }
}

void skip_to_byte(struct parser *p, uint32_t at)
{
    while (!at_kind(p, T_EOF) && peek_token(p)->from < at)
        (void)take_token(p);
}

/* ---- names ------------------------------------------------------------------------------ */

static bool word_in(struct str word, const char *const *words)
{
    for (; *words; words++)
        if (str_eq(word, str_from(*words)))
            return true;
    return false;
}

bool word_reserved(struct str word)
{
    static const char *const words[] = {
        "program",  "fn",    "own",    "read",    "var",     "let",    "for",
        "in",       "when",  "until",  "stale",   "every",   "if",     "else",
        "return",   "true",  "false",  "and",     "or",      "not",    "mod",
        "task",     "spawn", "chan",   "select",  "loop",    "lease",  "lend",
        "match",    "while", "ref",    "mut",     "move",    "none",   "break",
        "continue", "sleep", "revoke", "publish", "revoked", "denied", NULL,
    };
    return word_in(word, words);
}

bool lang_word_reserved(struct str word)
{
    return word_reserved(word);
}

/* `on`, `at` and `idle` begin an item only in front of what belongs to it; else they are names. */
bool at_item_word(const struct parser *p, const char *word)
{
    enum token_kind next = (enum token_kind)peek_next(p)->kind;
    if (!at_word(p, word))
        return false;
    if (str_eq(str_from(word), STR("on")))
        return next == T_NAME || next == T_STRING || next == T_LBRACE;
    if (str_eq(str_from(word), STR("at")))
        return next == T_INT || next == T_FLOAT || next == T_NAME || next == T_STRING ||
               next == T_LBRACE;
    return !str_eq(str_from(word), STR("idle")) || next == T_NAME || next == T_LBRACE;
}

/* Words that stand in expressions: not even a member is called so. */
static bool word_of_expressions(struct str word)
{
    static const char *const words[] = {"true", "false", "none", "and", "or",
                                        "not",  "mod",   "in",   NULL};
    return word_in(word, words);
}

static bool name_refused(struct parser *p, const char *what)
{
    const struct token *t = peek_token(p);
    struct str text = token_text(p, t);
    struct lang_diag *d =
        diag_error(p->c, "P1", token_span(p, t), "a word of the language",
                   "`%.*s` is a word of the language and can't be a name here; expected %s",
                   STR_FMT(text), what);
    if (str_eq(text, STR("mut")))
        diag_help(p->c, d, "what changes is declared with `var`");
    return false;
}

bool take_name(struct parser *p, const char *what, struct name *out)
{
    const struct token *t = peek_token(p);
    if (t->kind != T_NAME)
        return expected(p, what);
    if (word_reserved(token_text(p, t)))
        return name_refused(p, what);
    *out = (struct name){token_text(p, t), token_span(p, t)};
    (void)take_token(p);
    return true;
}

bool take_member(struct parser *p, const char *what, struct name *out)
{
    const struct token *t = peek_token(p);
    if (t->kind != T_NAME)
        return expected(p, what);
    if (word_of_expressions(token_text(p, t)))
        return name_refused(p, what);
    *out = (struct name){token_text(p, t), token_span(p, t)};
    (void)take_token(p);
    return true;
}

/* "a.b.c": as it stands in the source, unless there are spaces in it. */
static struct str path_text(struct parser *p, const struct name *parts, size_t n)
{
    struct str written = ctx_text(p->c, span_join(parts[0].span, parts[n - 1].span));
    size_t size = n - 1;
    for (size_t i = 0; i < n; i++)
        size += parts[i].text.n;
    if (written.n == size)
        return written;
    char *to = ctx_new(p->c, size + 1);
    struct str text = {to, size};
    for (size_t i = 0; i < n; i++) {
        memcpy(to, parts[i].text.p, parts[i].text.n);
        to += parts[i].text.n;
        if (i + 1 < n)
            *to++ = '.';
    }
    return text;
}

static bool take_parts(struct parser *p, const char *what, bool any_word, struct name *whole,
                       struct name **parts, size_t *parts_n)
{
    struct name list[LANG_NESTING_MAX];
    size_t n = 0;
    do {
        const char *expects = n ? "a name after the dot" : what;
        bool member = n > 0 || any_word;
        struct name next;
        if (!(member ? take_member(p, expects, &next) : take_name(p, expects, &next)))
            return false;
        if (n >= LANG_NESTING_MAX)
            return expected(p, "a shorter name");
        list[n++] = next;
    } while (take_kind(p, T_DOT));
    *whole = (struct name){path_text(p, list, n), span_join(list[0].span, list[n - 1].span)};
    if (parts) {
        *parts = ctx_tree_array(p->c, n, sizeof(**parts));
        memcpy(*parts, list, n * sizeof(**parts));
        *parts_n = n;
    }
    return true;
}

bool take_path(struct parser *p, const char *what, struct name *whole, struct name **parts,
               size_t *parts_n)
{
    return take_parts(p, what, false, whole, parts, parts_n);
}

bool take_value_path(struct parser *p, const char *what, struct name *whole, struct name **parts,
                     size_t *parts_n)
{
    return take_parts(p, what, true, whole, parts, parts_n);
}
