/* Every production and its tree, every message of the parser, and what remains of a text with
 * mistakes. */
#include "lang/lang_fixture.h"
#include "lang/tree_dump_test.h"

#include <stdio.h>

enum piece { EXPR, STMT, ITEM, WHOLE };
struct parse_case {
    enum piece piece;
    const char *text, *want;
};

struct parsed {
    struct lang_source source;
    struct ctx_alone alone;
    struct lang_ctx *c;
    struct syntax syntax;
    struct strbuf text, tree, said;
};

static void wrap(struct strbuf *out, enum piece piece, const char *text)
{
    static const char *const around[][2] = {
        {"program p { let x = ", " }"}, {"fn f() { ", " }"}, {"program p { ", " }"}, {"", ""}};
    strbuf_addf(out, "%s%s%s", around[piece][0], text, around[piece][1]);
}

/* "P1 2:5 message | help", a line each */
static void print_messages(struct strbuf *out, struct lang_ctx *c)
{
    diag_sort(c);
    for (size_t i = 0; i < c->diags.n; i++) {
        const struct lang_diag *d = &c->diags.v[i];
        strbuf_addf(out, "%s%.*s %u:%u %.*s", i ? "\n" : "", STR_FMT(d->code), d->marks[0].line,
                    d->marks[0].column, STR_FMT(d->message));
        if (d->help.n > 0)
            strbuf_addf(out, " | %.*s", STR_FMT(d->help));
    }
}

static void parsed_init(struct parsed *p, struct str text)
{
    *p = (struct parsed){.source = {STR("case.sedge"), text}};
    strbuf_init(&p->tree, alloc_system(), 0);
    strbuf_init(&p->said, alloc_system(), 0);
    p->c = ctx_alone_init(&p->alone, &test_schema, &p->source);
    REQUIRE(setjmp(p->c->nomem) == 0);
    ctx_index_lines(p->c);
    parse_source(p->c, 0, &p->syntax);
    dump_syntax(&p->tree, p->c, &p->syntax);
    print_messages(&p->said, p->c);
}

static void parsed_fini(struct parsed *p)
{
    strbuf_fini(&p->tree);
    strbuf_fini(&p->said);
    ctx_alone_fini(&p->alone);
}

static struct str printed(const struct strbuf *b)
{
    struct str s = strbuf_str(b);
    while (s.n > 0 && s.p[s.n - 1] == '\n')
        s.n--;
    return s;
}

static void check_text(const struct strbuf *b, const char *want)
{
    char got[8192];
    (void)snprintf(got, sizeof(got), "%.*s", STR_FMT(printed(b)));
    CHECK_EQ_STR(got, want);
}

static void run(const char *label, const struct parse_case *c, const char *tree, const char *said)
{
    LABEL("%s", label);
    struct strbuf text;
    strbuf_init(&text, alloc_system(), 0);
    wrap(&text, c->piece, c->text);
    struct parsed p;
    parsed_init(&p, strbuf_str(&text));
    if (tree)
        check_text(&p.tree, tree);
    check_text(&p.said, said);
    parsed_fini(&p);
    strbuf_fini(&text);
}

static const struct parse_case trees[] = {
#include "lang/parse_tree_cases.h"
};

static const struct parse_case messages[] = {
#include "lang/parse_message_cases.h"
};

/* Texts with several mistakes: what is said, and the tree of the rest. */
static const struct {
    const char *label, *text, *said, *tree;
} recoveries[] = {
#include "lang/parse_recover_cases.h"
};

TEST(every_production_has_its_tree)
{
    for (size_t i = 0; i < ARRAY_LEN(trees); i++)
        run(trees[i].text, &trees[i], trees[i].want, "");
}

TEST(every_mistake_is_explained)
{
    for (size_t i = 0; i < ARRAY_LEN(messages); i++)
        run(messages[i].text, &messages[i], NULL, messages[i].want);
}

TEST(mistakes_do_not_hide_each_other)
{
    for (size_t i = 0; i < ARRAY_LEN(recoveries); i++) {
        const struct parse_case c = {WHOLE, recoveries[i].text, NULL};
        run(recoveries[i].label, &c, recoveries[i].tree, recoveries[i].said);
    }
}

/* ---- the example of the language's description ------------------------------------------ */

static const char example[] =
#include "lang/parse_example_cases.h"
    ;

TEST(the_example_parses)
{
    struct parsed p;
    parsed_init(&p, str_from(example));
    check_text(&p.said, "");
    CHECK_EQ_UINT(p.syntax.programs.n, 4);
    CHECK_EQ_UINT(p.syntax.fns.n, 1);
    CHECK_EQ_UINT(p.syntax.tests.n, 1);
    parsed_fini(&p);
}

static void check_damaged(struct str text, size_t errors_max)
{
    struct parsed p;
    parsed_init(&p, text);
    CHECK(p.c->errors <= errors_max);
    for (size_t i = 0; i < p.c->diags.n; i++)
        for (size_t m = 0; m < p.c->diags.v[i].marks_n; m++)
            CHECK(p.c->diags.v[i].marks[m].span.to <= text.n);
    parsed_fini(&p);
}

/* A mistake in one place is told a few times at most, wherever it is. */
TEST(each_token_may_be_missing_or_doubled)
{
    struct parsed whole;
    parsed_init(&whole, str_from(example));
    struct tokens tokens = {0};
    lex(whole.c, 0, 0, (uint32_t)whole.source.text.n, &tokens);
    struct strbuf text;
    strbuf_init(&text, alloc_system(), 0);
    for (size_t i = 0; i + 1 < tokens.all.n; i++) {
        struct str all = whole.source.text;
        uint32_t from = tokens.all.v[i].from, to = tokens.all.v[i].to;
        LABEL("byte %u", from);
        for (int twice = 0; twice < 2; twice++) {
            strbuf_reset(&text);
            strbuf_addstr(&text, str_sub(all, 0, twice ? to : from));
            strbuf_addstr(&text, str_sub(all, twice ? from : to, all.n));
            check_damaged(strbuf_str(&text), 4);
        }
    }
    strbuf_fini(&text);
    parsed_fini(&whole);
}

TEST(each_beginning_of_a_text_parses)
{
    struct str all = str_from(example);
    for (size_t n = 0; n < all.n; n += 3) {
        LABEL("%zu bytes", n);
        check_damaged(str_sub(all, 0, n), 3);
    }
}

/* ---- size and depth --------------------------------------------------------------------- */

static size_t errors_of(const char *head, const char *piece, size_t n, const char *tail)
{
    struct strbuf text;
    strbuf_init(&text, alloc_system(), 0);
    strbuf_adds(&text, head);
    while (text.n + str_from(piece).n + str_from(tail).n < n)
        strbuf_adds(&text, piece);
    strbuf_adds(&text, tail);
    struct parsed p;
    parsed_init(&p, strbuf_str(&text));
    size_t errors = p.c->errors;
    parsed_fini(&p);
    strbuf_fini(&text);
    return errors;
}

/* Each of these takes hours if one step looks at all that is left. */
TEST(large_texts_take_linear_time)
{
    static const struct {
        const char *head, *piece, *tail;
    } cases[] = {
        {"program p { var x = ", "(", ""},
        {"program p { var x = ", "[", ""},
        {"program p ", "{", ""},
        {"program p { var x = ", "a.", "a"},
        {"program p { var x = ", "\"{", ""},
        {"program p { var x = ", "\"{\" ", ""},
        {"program p { ", "var x = \"{\"; ", ""},
        {"program p { alert info \"", "{\"{1}\"}", "\""},
        {"program p { var x = ", "-", "1"},
        {"program p { var x = ", "not ", "a"},
        {"program p { var x = ", "x ?? ", "x"},
        {"program p { var x = ", "f(a => ", ""},
        {"program p { var x = ", "f((a, b, c, ", ""},
        {"program p { var x = ", "if a { ", ""},
        {"program p { if a { }", " else if a { }", ""},
        {"program p { var x = ", "P{a: P{\n", ""},
        {"program p { var x: ", "list<", ""},
        {"program p { ", "match x { 1 => ", ""},
        {"test \"x\" { ", "after 1s { ", ""},
        {"program p { f(", "x\n", ""},
        {"", "} x ", ""},
        {"", "a b\n", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        LABEL("%s", cases[i].piece);
        CHECK(errors_of(cases[i].head, cases[i].piece, 1u << 20, cases[i].tail) > 0);
    }
}
