/* What people type who come from other languages, and how it is written here. */
#include "lang/parse_internal.h"

static const char *const words[][2] = {
    {"switch", "`match x { 1 => …, 2 or 3 => …, _ => … }` chooses by a value"},
    {"case", "an arm of `match` is written  value => …"},
    {"default", "all other values of a `match`:  _ => …"},
    {"elif", "an `if` goes on with `else if`"},
    {"elsif", "an `if` goes on with `else if`"},
    {"elseif", "an `if` goes on with `else if`"},
    {"unless", "written  if not … { }"},
    {"then", "a body stands in braces:  if x > 1 { … }"},
    {"end", "a body stands in braces and ends with `}`"},
    {"begin", "a body stands in braces:  { … }"},
    {"do", "a body stands in braces; a loop that ends inside is written  loop { …; if done { "
           "break } }"},
    {"repeat", "written  loop { …; if done { break } }, or  for i in 0..10 { … }"},
    {"foreach", "written  for x in xs { … }"},
    {"func", "a function begins with `fn`"},
    {"function", "a function begins with `fn`"},
    {"def", "a function begins with `fn`"},
    {"fun", "a function begins with `fn`"},
    {"lambda", "a function as an argument:  xs.map(x => x + 1)"},
    {"const", "what does not change is declared with `let`"},
    {"final", "what does not change is declared with `let`"},
    {"static", "what changes is declared with `var`, what does not with `let`"},
    {"int", "a variable is declared as in  var x: int = 1"},
    {"float", "a variable is declared as in  var x: float = 1.5"},
    {"double", "a variable is declared as in  var x: float = 1.5"},
    {"bool", "a variable is declared as in  var x: bool = true"},
    {"str", "a variable is declared as in  var x: str = \"a\""},
    {"string", "a variable is declared as in  var x: str = \"a\""},
    {"async", "what may wait is a `task`, started by `spawn`"},
    {"await", "a task waits by itself at `sleep`, `recv()` and `select`"},
    {"go", "a task is started with  spawn name(…)"},
    {"thread", "a task is started with  spawn name(…)"},
    {"yield", "a task gives way by itself, at `sleep` and when its budget is used up"},
    {"delay", "a task waits with  sleep 5s"},
    {"wait", "a task waits with  sleep 5s"},
    {"try", "nothing is thrown here: what may be missing is a `T?`, see `??` and `if let`"},
    {"catch", "nothing is thrown here: what may be missing is a `T?`, see `??` and `if let`"},
    {"throw", "nothing is thrown here: give back a `T?`"},
    {"raise", "nothing is thrown here: give back a `T?`"},
    {"struct", "written  record Name { field: type }"},
    {"class", "data is declared with  record Name { field: type }"},
    {"interface", "data is declared with  record Name { field: type }"},
    {"type", "data is declared with  record Name { field: type }"},
    {"import", "the files of a site are read together: nothing is imported"},
    {"include", "the files of a site are read together: nothing is included"},
    {"assert", "a test says  expect x == 1"},
    {"new", "a record is made with  Name{value, …}"},
    {"delete", "an own handle ends with  drop name"},
    {"rule", "a rule begins with `when`, `every`, `at` or `on`"},
    {"trigger", "a rule begins with `when`, `every`, `at` or `on`"},
    {"automation", "rules stand in a  program name { … }"},
    {"null", "a value that is missing is `none`"},
    {"nil", "a value that is missing is `none`"},
    {"None", "a value that is missing is `none`"},
    {"undefined", "a value that is missing is `none`"},
    {"True", "written `true`"},
    {"False", "written `false`"},
    {"is", "two values are compared with `==`"},
};

const char *word_help(struct str word)
{
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_eq(word, str_from(words[i][0])))
            return words[i][1];
    return NULL;
}

static bool ends_with_percent(const struct parser *p, const struct token *t)
{
    return (t->kind == T_INT || t->kind == T_FLOAT || t->kind == T_UNIT) && t->to > t->from &&
           p->c->sources[p->source].text.p[t->to - 1] == '%';
}

/* Words that belong to a statement or item of another kind. */
static bool goes_with_others(const struct parser *p, const struct token *t)
{
    static const char *const others[] = {"stale", "for", "until", "revoked", "denied", "in", "as"};
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        if (token_is(p, t, others[i]))
            return true;
    return false;
}

/* 60,5 */
static bool is_decimal_comma(const struct parser *p)
{
    const struct token *t = peek_token(p), *next = peek_next(p);
    return t->kind == T_COMMA && last_token(p)->kind == T_INT && token_touches(t) &&
           (next->kind == T_INT || next->kind == T_UNIT) && token_touches(next);
}

const char *help_for_end(const struct parser *p)
{
    const struct token *t = peek_token(p), *last = last_token(p), *next = peek_next(p);
    if (is_decimal_comma(p))
        return "decimals stand behind a point:  60.5";
    bool value = t->kind == T_NAME || t->kind == T_INT || t->kind == T_FLOAT || t->kind == T_LPAREN;
    if (ends_with_percent(p, t) || (value && ends_with_percent(p, last)))
        return "`%` is the unit percent; the remainder is written  a mod b";
    if (t->kind == T_QUESTION)
        return "a choice is written  if c { a } else { b }";
    if (t->kind == T_FATARROW)
        return "a function without a name stands only as an argument of a call: xs.map(x => x + 1)";
    if (t->kind == T_COLON && next->kind == T_ASSIGN && token_touches(next))
        return "a name is declared with  let name = …  or  var name = …";
    if (t->kind == T_LBRACE && last->kind == T_NAME && !token_touches(t))
        return "the `{` of a record touches its name:  Name{…}";
    if (t->kind == T_LPAREN && last->kind == T_NAME && !token_touches(t))
        return "the `(` of a call touches its name:  name(…)";
    if (t->kind == T_LBRACKET && !token_touches(t))
        return "the `[` of an index touches its list:  xs[i]";
    if (t->kind == T_ASSIGN)
        return "two values are compared with `==`";
    const char *help = last->kind == T_NAME ? word_help(token_text(p, last)) : NULL;
    if (!help && t->kind == T_NAME)
        help = word_help(token_text(p, t));
    if (!help && at_word(p, "else"))
        return "`else` follows the block of an `if`, a command or a send";
    if (!help && t->kind == T_NAME && !goes_with_others(p, t))
        help = "two statements on one line stand apart with `;`";
    return help;
}
