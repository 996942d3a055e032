/* Tokens: what the lexer makes of text, and where lines end. */
#include "lang/parse_internal.h"
#include "tests/support/lang_schema.h"
#include "tests/support/test.h"

static const char *const kinds[] = {
    "eof", "nl", "name", "int", "float", "string", "unit", "(",  ")",  "{",  "}",  "[",   "]",
    ",",   ":",  ";",    ".",   "..",    "=",      "==",   "!=", "<",  "<=", ">",  ">=",  "+",
    "-",   "*",  "/",    "->",  "=>",    "?",      "??",   "+=", "-=", "*=", "/=", "bad",
};

static void check_kinds(const char *text, const char *want)
{
    struct lang_source source = {STR("x"), str_from(text)};
    struct ctx_alone alone;
    struct lang_ctx *c = ctx_alone_init(&alone, &test_schema, &source);
    struct tokens tokens = {0};
    REQUIRE(setjmp(c->nomem) == 0);
    lex(c, 0, 0, (uint32_t)source.text.n, &tokens);
    struct strbuf got;
    strbuf_init(&got, alloc_system(), 0);
    for (size_t t = 0; t < tokens.all.n; t++)
        strbuf_addf(&got, "%s%s", t ? " " : "", kinds[tokens.all.v[t].kind]);
    CHECK_EQ_STR(got.p, want);
    strbuf_fini(&got);
    ctx_alone_fini(&alone);
}

TEST(text_becomes_tokens)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"", "eof"},
        {"a b", "name name eof"},
        {"a\nb", "name nl name eof"},
        {"a\n\n\nb", "name nl name eof"},
        {"\n\na", "name eof"},
        {"a;b", "name nl name eof"},
        {"a;;b", "name nl nl name eof"},
        {"a(\nb\n)\nc", "name ( name ) nl name eof"},
        {"a[\n1\n]", "name [ int ] eof"},
        {"a {\nb\n}", "name { nl name nl } eof"},
        {"f({\na\n})", "name ( { nl name nl } ) eof"},
        {"a\nuntil b", "name name name eof"},
        {"a\nelse b", "name name name eof"},
        {"a\nrevoked b", "name name name eof"},
        {"a; else", "name nl name eof"},
        {"a // c\nb", "name nl name eof"},
        {"// c", "eof"},
        {"1 1.5 1e3 1.5e-3", "int float float float eof"},
        {"1..5", "int .. int eof"},
        {"-20..1.5", "- int .. float eof"},
        {"1_000", "int eof"},
        {"5 °C", "int eof"},
        {"5°C", "int eof"},
        {"5  °C", "int unit eof"},
        {"5 m/s", "int eof"},
        {"10 m / 2 s", "int / int eof"},
        {"5 %", "int eof"},
        {"5 mod 2", "int name int eof"},
        {"x % y", "name unit name eof"},
        {"5 m x", "int name eof"},
        {"5 mx", "int name eof"},
        {"127.0.0.1", "float . float eof"},
        {"a.b.c", "name . name . name eof"},
        {"\"a\"", "string eof"},
        {"\"a{f(\"b\")}c\" d", "string name eof"},
        {"\"a\\\"b\"", "string eof"},
        {"\"a", "bad eof"},
        {"\"a\nb\"", "bad nl name bad eof"},
        {"\"{a\"", "bad eof"},
        {"= == != < <= > >=", "= == != < <= > >= eof"},
        {"-> => + - * / ?", "-> => + - * / ? eof"},
        {"?? += -= *= /= ???", "?? += -= *= /= ?? ? eof"},
        {"list<list<int>>", "name < name < name > > eof"},
        {"| &", "bad bad eof"},
        {"05:00", "int : int eof"},
        {"a\ndenied b", "name name name eof"},
        {"&& || ! # '", "bad bad bad bad bad eof"},
        {"\xEF\xBB\xBF"
         "a",
         "name eof"},
        {"a\r\nb", "name nl name eof"},
        {"(\n}\na\nb", "( } nl name nl name eof"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        LABEL("%s", cases[i].text);
        check_kinds(cases[i].text, cases[i].want);
    }
}

TEST(comments_are_kept)
{
    struct lang_source source = {STR("x"), STR("// one\na // two\n")};
    struct ctx_alone alone;
    struct lang_ctx *c = ctx_alone_init(&alone, &test_schema, &source);
    struct tokens tokens = {0};
    REQUIRE(setjmp(c->nomem) == 0);
    lex(c, 0, 0, (uint32_t)source.text.n, &tokens);
    REQUIRE(CHECK_EQ_UINT(tokens.comments.n, 2));
    CHECK_EQ_UINT(tokens.comments.v[1].from, 9);
    CHECK_EQ_UINT(tokens.comments.v[1].to, 15);
    ctx_alone_fini(&alone);
}
