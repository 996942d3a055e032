/* From characters to tokens. Bytes outside strings and comments that begin nothing become T_BAD;
 * the parser reports them where it meets them, so text that it reads in another way (addresses,
 * units) raises no false alarm. */
#include "lang/syntax_internal.h"

#include <string.h>

#define BRACKETS_MAX       256u
#define TEXTS_IN_TEXTS_MAX 8u
#define BROKEN_TEXTS_MAX   8u

struct lexer {
    struct lang_ctx *c;
    struct tokens *out;
    const char *p; /* the whole source */
    uint32_t at, end;
    bool space, line_start;
    uint32_t broken_n; /* texts of this line whose end was not found */
    char open[BRACKETS_MAX];
    uint32_t open_n;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || is_digit(c);
}

static char peek(const struct lexer *l, uint32_t ahead)
{
    return l->at + ahead < l->end ? l->p[l->at + ahead] : '\0';
}

static struct token *push(struct lexer *l, enum token_kind kind, uint32_t from, uint32_t to)
{
    struct token t = {
        .kind = (uint8_t)kind, .from = from, .to = to, .number_to = to, .unit_from = to};
    if (l->space)
        t.flags |= TOKEN_SPACE;
    if (l->line_start)
        t.flags |= TOKEN_LINE_START;
    ctx_tree_push(l->c, &l->out->all, t);
    l->space = l->line_start = false;
    l->at = to;
    return &l->out->all.v[l->out->all.n - 1];
}

static void bad(struct lexer *l, uint32_t n, const char *note)
{
    push(l, T_BAD, l->at, l->at + n)->note = note;
}

static enum token_kind last_kind(const struct lexer *l)
{
    size_t n = l->out->all.n;
    return n ? (enum token_kind)l->out->all.v[n - 1].kind : T_NEWLINE;
}

static bool word_in(struct str word, const char *const *words)
{
    for (; *words; words++)
        if (str_eq(word, str_from(*words)))
            return true;
    return false;
}

/* Whether the last token can be the end of a value. */
static bool value_ended(const struct lexer *l)
{
    static const char *const before_values[] = {"and",   "or",   "mod",  "in",  "not",
                                                "stale", "move", "own",  "mut", "ref",
                                                "let",   "if",   "else", "fn",  NULL};
    if (l->out->all.n == 0)
        return false;
    const struct token *t = &l->out->all.v[l->out->all.n - 1];
    switch (t->kind) {
    case T_INT:
    case T_FLOAT:
    case T_STRING:
    case T_RPAREN:
    case T_RBRACKET:
    case T_RBRACE: return true;
    case T_NAME: return !word_in((struct str){l->p + t->from, t->to - t->from}, before_values);
    default: return false;
    }
}

/* Inside brackets a line goes on. But a value behind a value, and a word that begins a statement,
 * can't be in brackets: the closing one was forgotten, and must not swallow what follows. */
static bool line_begins_anew(const struct lexer *l)
{
    static const char *const beginnings[] = {
        "program", "when",  "every", "read", "var",  "let",    "return", "while",   "for", "loop",
        "match",   "spawn", "lease", "lend", "task", "select", "sleep",  "publish", NULL};
    static const char *const joints[] = {"and", "or", "mod", "in", "else", NULL};
    uint32_t at = l->at + 1;
    while (at < l->end && (l->p[at] == ' ' || l->p[at] == '\t'))
        at++;
    uint32_t to = at;
    while (to < l->end && is_name(l->p[to]))
        to++;
    struct str word = {l->p + at, to - at};
    if (to < l->end && l->p[to] == ' ' && word_in(word, beginnings))
        return true;
    return word.n > 0 && value_ended(l) && !word_in(word, joints);
}

static bool inside_brackets(const struct lexer *l)
{
    return l->open_n > 0 && l->open[l->open_n - 1] != '{';
}

static void newline(struct lexer *l)
{
    bool inside = inside_brackets(l);
    if (inside && line_begins_anew(l)) {
        while (inside_brackets(l))
            l->open_n--;
        inside = false;
    }
    if (!inside && last_kind(l) != T_NEWLINE)
        push(l, T_NEWLINE, l->at, l->at + 1);
    else
        l->at++;
    l->line_start = true;
    l->space = true;
    l->broken_n = 0;
}

/* A line that begins with one of these goes on with the statement before it. */
static bool goes_on(struct str word)
{
    return str_eq(word, STR("until")) || str_eq(word, STR("else")) ||
           str_eq(word, STR("revoked")) || str_eq(word, STR("denied"));
}

static void lex_name(struct lexer *l)
{
    uint32_t to = l->at;
    while (to < l->end && is_name(l->p[to]))
        to++;
    struct str word = {l->p + l->at, to - l->at};
    if (goes_on(word) && l->out->all.n > 0 && last_kind(l) == T_NEWLINE &&
        l->p[l->out->all.v[l->out->all.n - 1].from] != ';')
        l->out->all.n--;
    push(l, T_NAME, l->at, to);
}

/* Words that stand behind a whole expression. */
static bool follows_value(struct str word)
{
    static const char *const words[] = {"and",    "or",      "mod",    "in",    "for",
                                        "else",   "until",   "wait",   "max",   "priority",
                                        "single", "restart", "queued", "stale", NULL};
    return word_in(word, words);
}

static uint32_t digits(const struct lexer *l, uint32_t at)
{
    while (at < l->end &&
           (is_digit(l->p[at]) || (l->p[at] == '_' && at + 1 < l->end && is_digit(l->p[at + 1]))))
        at++;
    return at;
}

/* `5 in xs` asks whether the list holds 5; an inch stands before what can't begin a list. */
static bool is_operator_in(const struct lexer *l, uint32_t unit, size_t n)
{
    if (n != 2 || l->p[unit] != 'i' || l->p[unit + 1] != 'n' || l->p[unit - 1] != ' ')
        return false;
    uint32_t at = unit + 2;
    while (at < l->end && l->p[at] == ' ')
        at++;
    if (at < l->end && (l->p[at] == '[' || l->p[at] == '('))
        return true;
    uint32_t to = at;
    while (to < l->end && is_name(l->p[to]))
        to++;
    return to > at && !is_digit(l->p[at]) && !follows_value((struct str){l->p + at, to - at});
}

/* "1", "0.5", "1e3", then directly or after one space a unit. */
static void lex_number(struct lexer *l)
{
    uint32_t to = digits(l, l->at);
    enum token_kind kind = T_INT;
    if (to + 1 < l->end && l->p[to] == '.' && is_digit(l->p[to + 1])) {
        to = digits(l, to + 1);
        kind = T_FLOAT;
    }
    if (to + 1 < l->end && (l->p[to] == 'e' || l->p[to] == 'E')) {
        uint32_t e = to + 1;
        if (e + 1 < l->end && (l->p[e] == '-' || l->p[e] == '+'))
            e++;
        uint32_t e_to = digits(l, e);
        if (e_to > e && !(e_to < l->end && (unit_char(l->p[e_to]) || l->p[e_to] == '_'))) {
            to = e_to;
            kind = T_FLOAT;
        }
    }
    uint32_t unit = to;
    if (unit < l->end && l->p[unit] == ' ')
        unit++;
    struct lang_unit u;
    size_t n = unit < l->end ? unit_scan((struct str){l->p + unit, l->end - unit}, &u) : 0;
    if (n > 0 && is_operator_in(l, unit, n))
        n = 0;
    uint32_t number_to = to, unit_to = unit + (uint32_t)n;
    struct token *t;
    if (n > 0) {
        t = push(l, kind, l->at, unit_to);
        t->number_to = number_to;
        t->unit_from = unit;
        return;
    }
    unit_to = to;
    while (unit_to < l->end && (unit_char(l->p[unit_to]) || is_name(l->p[unit_to])))
        unit_to++;
    t = push(l, kind, l->at, unit_to);
    t->number_to = number_to;
    t->unit_from = number_to;
    if (unit_to > number_to)
        t->flags |= TOKEN_UNIT_BAD;
}

/* Behind the `"` that ends the text at `at`, over {…} with texts in them; 0 if it does not end on
 * its line. `hole`: `at` is a `{` in a text, and the `}` that ends it is found instead. */
static uint32_t text_end(const char *s, uint32_t at, uint32_t end, uint32_t depth, bool hole)
{
    uint32_t braces = hole;
    for (at++; at < end && s[at] != '\n';) {
        char ch = s[at];
        if (ch == '\\' && at + 1 < end && s[at + 1] != '\n') {
            at += 2;
        } else if (ch == '"' && braces == 0) {
            return at + 1;
        } else if (ch == '"') {
            at = depth > 0 ? text_end(s, at, end, depth - 1, false) : 0;
            if (at == 0)
                return 0;
        } else {
            braces += ch == '{';
            braces -= ch == '}' && braces > 0;
            if (hole && braces == 0)
                return at;
            at++;
        }
    }
    return 0;
}

uint32_t lex_hole_end(const char *text, uint32_t at, uint32_t end)
{
    return text_end(text, at, end, TEXTS_IN_TEXTS_MAX, true);
}

/* The next quote, whatever the braces say, or the end of the line. */
static uint32_t next_quote(const struct lexer *l, bool *quote, bool *brace)
{
    uint32_t to = l->at + 1;
    *quote = *brace = false;
    for (; to < l->end && l->p[to] != '\n' && l->p[to] != '\r'; to++) {
        if (l->p[to] == '\\' && to + 1 < l->end && l->p[to + 1] != '\n') {
            to++;
        } else if (l->p[to] == '"') {
            *quote = true;
            return to + 1;
        }
        *brace = *brace || l->p[to] == '{';
    }
    return to < l->end ? to : l->end;
}

/* A text whose braces don't match is looked through to the end of its line in vain. Where a line
 * has many of them, the rest of it is read quote by quote, so that no line takes quadratic time. */
static void lex_string(struct lexer *l)
{
    uint32_t to = 0;
    if (l->broken_n < BROKEN_TEXTS_MAX)
        to = text_end(l->p, l->at, l->end, TEXTS_IN_TEXTS_MAX, false);
    if (to) {
        push(l, T_STRING, l->at, to);
        return;
    }
    bool quote, brace;
    to = next_quote(l, &quote, &brace);
    if (quote && !brace) {
        push(l, T_STRING, l->at, to);
        return;
    }
    l->broken_n++;
    bad(l, to - l->at,
        quote ? "a `{` in this text is never closed; the character itself is written \\{"
              : "this text has no closing \" on its line");
}

static void lex_comment(struct lexer *l)
{
    uint32_t from = l->at;
    while (l->at < l->end && l->p[l->at] != '\n')
        l->at++;
    ctx_tree_push(l->c, &l->out->comments, (struct comment){from, l->at});
    l->space = true;
}

static void open_bracket(struct lexer *l, char ch)
{
    if (l->open_n < BRACKETS_MAX)
        l->open[l->open_n++] = ch;
}

/* A `}` also ends round and square brackets that were left open, so that one missing `)` does not
 * swallow the rest of the file. */
static void close_bracket(struct lexer *l, char ch)
{
    uint32_t n = l->open_n;
    if (ch == '{') {
        while (n > 0 && l->open[n - 1] != '{')
            n--;
        l->open_n = n > 0 ? n - 1 : 0;
    } else if (n > 0 && l->open[n - 1] == ch) {
        l->open_n = n - 1;
    }
}

static const struct {
    char text[3];
    enum token_kind kind;
} signs[] = {
    {"..", T_RANGE},       {"==", T_EQ},           {"!=", T_NE},          {"<=", T_LE},
    {">=", T_GE},          {"->", T_ARROW},        {"=>", T_FATARROW},    {"??", T_COALESCE},
    {"+=", T_PLUS_ASSIGN}, {"-=", T_MINUS_ASSIGN}, {"*=", T_STAR_ASSIGN}, {"/=", T_SLASH_ASSIGN},
    {"(", T_LPAREN},       {")", T_RPAREN},        {"{", T_LBRACE},       {"}", T_RBRACE},
    {"[", T_LBRACKET},     {"]", T_RBRACKET},      {",", T_COMMA},        {":", T_COLON},
    {".", T_DOT},          {"=", T_ASSIGN},        {"<", T_LT},           {">", T_GT},
    {"+", T_PLUS},         {"-", T_MINUS},         {"*", T_STAR},         {"/", T_SLASH},
    {"?", T_QUESTION},
};

static const struct {
    char text[3];
    const char *note;
} wrong[] = {
    {"&&", "`&&` is written `and`"},
    {"||", "`||` is written `or`"},
    {"!", "`!` is written `not`"},
    {"|", "`|` is written `or`"},
    {"&", "there is no `&`: `and` joins conditions, `ref` lends a handle"},
    {"#", "comments begin with //"},
    {"'", "texts stand in double quotes"},
    {"`", "texts stand in double quotes"},
    {"/*", "comments begin with // and end with their line"},
};

static bool lex_sign(struct lexer *l)
{
    for (size_t i = 0; i < ARRAY_LEN(signs); i++) {
        size_t n = strlen(signs[i].text);
        if (signs[i].text[0] != peek(l, 0) || (n > 1 && signs[i].text[1] != peek(l, 1)))
            continue;
        char ch = signs[i].text[0];
        if (n == 1 && (ch == '(' || ch == '{' || ch == '['))
            open_bracket(l, ch);
        if (n == 1 && (ch == ')' || ch == '}' || ch == ']'))
            close_bracket(l, ch == ')' ? '(' : ch == '}' ? '{' : '[');
        push(l, signs[i].kind, l->at, l->at + (uint32_t)n);
        return true;
    }
    return false;
}

static void lex_other(struct lexer *l)
{
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        size_t n = strlen(wrong[i].text);
        if (wrong[i].text[0] == peek(l, 0) && (n == 1 || wrong[i].text[1] == peek(l, 1)) &&
            !(n == 1 && wrong[i].text[0] == '!' && peek(l, 1) == '=')) {
            bad(l, (uint32_t)n, wrong[i].note);
            return;
        }
    }
    if (lex_sign(l))
        return;
    if (unit_char(peek(l, 0))) {
        uint32_t to = l->at;
        while (to < l->end && (unit_char(l->p[to]) || is_digit(l->p[to])))
            to++;
        push(l, T_UNIT, l->at, to);
        return;
    }
    bad(l, 1, "this character begins nothing");
}

void lex(struct lang_ctx *c, uint32_t source, uint32_t from, uint32_t to, struct tokens *out)
{
    struct lexer l = {.c = c, .out = out, .p = c->sources[source].text.p, .at = from, .end = to};
    l.line_start = true;
    if (from == 0 && to >= 3 && memcmp(l.p, "\xEF\xBB\xBF", 3) == 0)
        l.at = 3;
    while (l.at < l.end) {
        char ch = l.p[l.at];
        if (ch == '\n') {
            newline(&l);
        } else if (ch == ' ' || ch == '\t' || ch == '\r') {
            l.at++;
            l.space = true;
        } else if (ch == ';') {
            push(&l, inside_brackets(&l) ? T_SEMI : T_NEWLINE, l.at, l.at + 1);
        } else if (ch == '/' && peek(&l, 1) == '/') {
            lex_comment(&l);
        } else if (ch == '"') {
            lex_string(&l);
        } else if (is_digit(ch)) {
            lex_number(&l);
        } else if (is_name(ch)) {
            lex_name(&l);
        } else {
            lex_other(&l);
        }
    }
    push(&l, T_EOF, l.end, l.end);
}
