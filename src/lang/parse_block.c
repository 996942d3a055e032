/* Blocks in braces, and where one ends whose `}` is missing.
 *
 * In a file whose braces all match, only braces count. Where they don't, the layout of the lines
 * shows where the missing one was meant. */
#include "lang/parse_internal.h"

#define INDENT_MAX 255u /* deeper ones count as equal */

static uint32_t line_start(const struct parser *p, uint32_t at)
{
    const uint32_t *starts = p->c->line_starts[p->source];
    uint32_t from = 0, to = p->c->lines_n[p->source];
    while (from + 1 < to) {
        uint32_t middle = from + (to - from) / 2;
        if (starts[middle] <= at)
            from = middle;
        else
            to = middle;
    }
    return starts[from];
}

/* Of the line that holds this byte. */
static uint32_t line_indent(const struct parser *p, uint32_t at)
{
    const char *text = p->c->sources[p->source].text.p;
    uint32_t from = line_start(p, at), n = 0;
    while (n < INDENT_MAX && from + n < at && (text[from + n] == ' ' || text[from + n] == '\t'))
        n++;
    return n;
}

static bool first_on_line(const struct token *t)
{
    return (t->flags & TOKEN_LINE_START) != 0;
}

bool at_indented(const struct parser *p)
{
    const struct token *t = peek_token(p);
    return first_on_line(t) && line_indent(p, t->from) > 0;
}

/* The `}` of a block that was opened on a line before stands on a line of its own. One behind a
 * mistake, in a text whose braces don't match, is a part of the mistake. */
bool at_stray_brace(const struct parser *p)
{
    const struct token *t = peek_token(p);
    if (p->balanced || t->kind != T_RBRACE || first_on_line(t))
        return false;
    return p->brace < line_start(p, t->from);
}

bool braces_match(const struct tokens *t)
{
    size_t open = 0;
    for (size_t i = 0; i < t->all.n; i++) {
        if (t->all.v[i].kind == T_LBRACE)
            open++;
        else if (t->all.v[i].kind == T_RBRACE && open-- == 0)
            return false;
    }
    return open == 0;
}

bool enter(struct parser *p)
{
    if (p->depth < LANG_NESTING_MAX) {
        p->depth++;
        return true;
    }
    (void)diag_error(p->c, "P1", token_span(p, peek_token(p)), "too deep",
                     "this is nested more than %u deep", LANG_NESTING_MAX);
    p->lost = true;
    return false;
}

void leave(struct parser *p)
{
    p->depth--;
}

static const char *block_help(const struct parser *p)
{
    const struct token *t = peek_token(p);
    if (t->kind == T_ASSIGN)
        return "two values are compared with `==`";
    if (t->kind == T_FATARROW)
        return "at least is written  x >= 5, at most  x <= 5";
    if (t->kind == T_QUESTION || t->kind == T_UNIT || t->kind == T_COMMA)
        return help_for_end(p);
    if (at_word(p, "for"))
        return "only a rule waits for some time:  when x > 5 for 10s { … }";
    const char *word = t->kind == T_NAME ? word_help(token_text(p, t)) : NULL;
    if (word)
        return word;
    return t->kind == T_COLON || t->kind == T_NAME ? "a body stands in braces" : NULL;
}

/* Deeper lines follow, as they do behind a `{`, and a `{` is missing somewhere. */
static bool opens_unseen(const struct parser *p)
{
    const struct token *next = peek_next(p);
    return !p->balanced && at_kind(p, T_NEWLINE) && next->kind != T_EOF && p->at > 0 &&
           line_indent(p, next->from) > line_indent(p, last_token(p)->from);
}

bool block_open(struct parser *p, struct block *b, const char *what)
{
    if (at_kind(p, T_NEWLINE) && peek_next(p)->kind == T_LBRACE)
        (void)take_token(p);
    const struct token *t = peek_token(p);
    if (t->kind != T_LBRACE) {
        (void)expected_help(p, what, block_help(p));
        if (!opens_unseen(p)) /* else it is read as if it were there */
            return false;
    }
    if (!enter(p))
        return false;
    *b = (struct block){token_span(p, t), line_indent(p, t->from), p->brace};
    p->brace = t->from;
    (void)take_token(p);
    return true;
}

/* A declaration's word in the first column: whatever is still open, ends here. */
bool at_declaration(const struct parser *p)
{
    const struct token *t = peek_token(p), *next = peek_next(p);
    if (t->kind != T_NAME || !first_on_line(t) || line_indent(p, t->from) > 0)
        return false;
    const char *text = p->c->sources[p->source].text.p;
    if (t->from > 0 && text[t->from - 1] != '\n')
        return false;
    if (at_word(p, "test"))
        return next->kind == T_STRING;
    if (at_word(p, "record") || at_word(p, "enum"))
        return next->kind == T_NAME;
    return at_word(p, "program") || at_word(p, "fn") || at_word(p, "task") ||
           kind_named(p->c->schema, token_text(p, t)) != NULL;
}

static bool at_outside(const struct parser *p, const struct block *b, const char *const *outside)
{
    const struct token *t = peek_token(p);
    if (!outside || t->kind != T_NAME || !first_on_line(t) || line_indent(p, t->from) > b->indent)
        return false;
    for (; *outside; outside++)
        if (at_item_word(p, *outside))
            return true;
    return false;
}

/* Several blocks that end in front of the same token are one mistake. */
static void never_closed(struct parser *p, const struct block *b)
{
    const struct token *t = peek_token(p);
    struct lang_span brace = p->odd_brace.to ? p->odd_brace : b->brace;
    if (p->lost)
        return;
    if (p->unclosed > 0 && p->unclosed_at == p->at) {
        struct lang_diag *first = &p->c->diags.v[p->unclosed - 1];
        diag_mark(p->c, first, brace, "nor is this one");
        diag_help(p->c, first, "add the missing `}`, one for each");
        return;
    }
    struct lang_diag *d = diag_error(p->c, "P1", brace, "opened here", "this `{` is never closed");
    if (t->kind != T_EOF)
        diag_mark(p->c, d, token_span(p, t), "a `}` is missing before this");
    diag_help(p->c, d, "add the missing `}`");
    p->unclosed = d == &p->c->overflow ? 0 : p->c->diags.n;
    p->unclosed_at = p->at;
    p->odd_brace = (struct lang_span){0};
}

bool block_more(struct parser *p, const struct block *b, const char *const *outside)
{
    skip_newlines(p);
    if (at_kind(p, T_RBRACE))
        return false;
    if (at_kind(p, T_EOF) || (!p->balanced && (at_declaration(p) || at_outside(p, b, outside)))) {
        never_closed(p, b);
        return false;
    }
    return true;
}

struct lang_span block_close(struct parser *p, const struct block *b)
{
    leave(p);
    p->brace = b->outer;
    const struct token *t = peek_token(p);
    if (t->kind != T_RBRACE)
        return b->brace;
    if (first_on_line(t) && line_indent(p, t->from) < b->indent && !p->odd_brace.to)
        p->odd_brace = b->brace;
    (void)take_token(p);
    return span_join(b->brace, token_span(p, t));
}
