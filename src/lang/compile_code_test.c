/* The quality of the code: which instructions some snippets become, and how many a round of their
 * loops takes. */
#include "lang/code_internal.h"
#include "lang/lang_fixture.h"

#include <stdio.h>

static const struct lang_chunk *chunk_named(const struct lang_program *p, const char *name)
{
    size_t i = 0;
    while (i < p->code->chunks_n && !str_eq(p->code->chunks[i].name, str_from(name)))
        i++;
    REQUIRE(i < p->code->chunks_n);
    return &p->code->chunks[i];
}

static void names(const struct lang_chunk *c, struct strbuf *out)
{
    for (uint32_t i = 0; i < c->code_n; i++)
        strbuf_addf(out, "%s%s", i ? " " : "", code_ops[c->code[i].op].name);
}

struct snippet {
    const char *label, *decls, *call, *want;
};

static void compare(const struct snippet *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        LABEL("%s", cases[i].label);
        /* the call comes from another source, so that `f` is not compiled in place */
        char call[256];
        (void)snprintf(call, sizeof(call), "program p { every 1s { var x = 0\n x = %s } }\n",
                       cases[i].call);
        struct lang_source sources[] = {{STR("site.sedge"), str_from(fixture_site)},
                                        {STR("f.sedge"), str_from(cases[i].decls)},
                                        {STR("p.sedge"), str_from(call)}};
        struct strbuf got;
        strbuf_init(&got, alloc_system(), 0);
        struct lang_site *site = NULL;
        REQUIRE(lang_check(alloc_system(), &test_schema, sources, 3, &site) == ERR_OK);
        if (CHECK_EQ_UINT(site->errors, 0) && CHECK_EQ_UINT(site->programs_n, 1)) {
            const struct lang_chunk *c = chunk_named(site->programs[0], "f");
            names(c, &got);
            CHECK_EQ_STR(got.p, cases[i].want);
        }
        lang_site_free(site);
        strbuf_fini(&got);
    }
}

TEST(loops_are_short)
{
    static const struct snippet cases[] = {
        /* 7 instructions for a call that goes on, 2 for one that ends */
        {"fib", "fn f(n: int) -> int { if n < 2 { return n }\n return f(n - 1) + f(n - 2) }",
         "f(9)", "JGEIK RET ADDIK CALL ADDIK CALL ADDI RET"},
        /* 2 a round */
        {"additions",
         "fn f(n: int) -> int { var sum = 0\n for i in 1..n + 1 { sum += i }\n return sum }",
         "f(9)", "LOADN LOADN ADDIK JLEI ADDI FOR RET"},
        /* 3 a round */
        {"additions by while",
         "fn f(n: int) -> int { var s = 0; var i = 0\n while i < n { s += i; i += 1 }\n return s }",
         "f(9)", "LOADN LOADN JMP ADDI ADDIK LOOPLTI RET"},
        /* the inner loop: 3 a round; its `false` is loaded before the outer one */
        {"sieve",
         "fn f(n: int) -> int { let prime = list(n + 1, true); var count = 0\n"
         "  for i in 2..n + 1 { if prime[i] { count += 1; var k = i * i\n"
         "    while k <= n { prime[k] = false; k += i } } }\n return count }",
         "f(9)",
         "ADDIK LOADB LISTN LOADN LOADN ADDIK LOADB JLEI LGET JNT ADDIK MULI JMP LSET ADDI LOOPLEI "
         "FOR RET"},
        /* 4 a round when nothing happens: the function is in the loop */
        {"threshold",
         "record Rule { active: bool; begins: int; ends: int }\n"
         "fn on_event(rule: Rule, temp: K) {\n"
         "  if rule.active { if temp < 70 K { rule.active = false; rule.ends += 1 } }\n"
         "  else if temp > 80 K { rule.active = true; rule.begins += 1 } }\n"
         "fn f(temps: list<K>) -> int { let rule = Rule{false, 0, 0}\n"
         "  for temp in temps { on_event(rule, temp) }\n return rule.begins + rule.ends }",
         "f([1 K])",
         "LOADB LOADN RECORD ARG ARG ARG LOADB LOADB LOADN JMP GETF JNT JNLTFK SETF GETF ADDIK "
         "SETF "
         "JMP JNGTFK SETF GETF ADDIK SETF FORLIST GETF GETF ADDI RET"},
        /* 6 a round */
        {"map update",
         "fn f(keys: list<str>, sums: map<str, int>) {\n"
         "  for i, key in keys { sums[key] = (sums[key] ?? 0) + i + 1 } }",
         "0; f([\"a\"], [:]); x = 1", "LOADN JMP MGET JSOMEI LOADN ADDI ADDIK MSET FORLIST RETV"},
    };
    compare(cases, ARRAY_LEN(cases));
}

TEST(code_is_short)
{
    static const struct snippet cases[] = {
        {"no needless moves",
         "fn f(a: int, b: float) -> float { let c = a * 2; var d = b + c; d = d * d - b; return d "
         "}",
         "int(f(1, 2))", "MULIK ITOF ADDF MULF SUBF RET"},
        {"conditions are jumps",
         "fn f(a: int, b: bool, c: float) -> int {\n"
         "  if a > 3 and (b or c <= 0.5) and not (a == 7) { return 1 }\n return 2 }",
         "f(1, true, 2)", "JLEIK JT JNLEFK JEQIK LOADN RET LOADN RET"},
        {"constants are loaded once",
         "fn f(n: int) -> float { var s = 0.5\n"
         "  for i in 0..n { for j in 0..n { s = max(s, 2.5) - min(j, 7) } }\n  return s }",
         "int(f(1))", "LOADF LOADN LOADF LOADN JLEI LOADN JLEI MAXF MINI ITOF SUBF FOR FOR RET"},
        {"dead branches",
         "fn f() -> int { if false { return 1 } else if true { return 2 }\n return 3 }", "f()",
         "LOADN RET"},
        {"arguments in place",
         "fn g(a: int, b: float, c: list<int>) -> int { if a > 0 { return g(a - 1, b, c) }; return "
         "a }\n"
         "fn f(x: int, xs: list<int>) -> int { return g(xs[x] + 1, x / 2.0, xs) }",
         "f(0, [1])", "LGET ADDIK ITOF DIVFK MOV CALL RET"},
        {"lambdas in place",
         "fn f(xs: list<int>, k: int) -> list<int> { return xs.filter(x => x > k).map(x => x * k) "
         "}",
         "f([1], 2).len()",
         "LIST LOADN JMP JLEI LPUSH FORLIST LIST LOADN JMP MULI LPUSH FORLIST RET"},
        {"match of few",
         "enum E { a, b, c }\nfn f(e: E) -> int { match e { a => return 1; b => return 2; c => "
         "return 3 } }",
         "f(E.a) + f(E.b)", "JNEIK LOADN RET JNEIK LOADN RET LOADN RET"},
        {"one text", "fn f(a: int, b: str) -> str { return \"<{a}|{b}>\" }", "f(1, \"\").len()",
         "CONCAT PART PART PART PART PART RET"},
    };
    compare(cases, ARRAY_LEN(cases));
}

/* What the source says where this instruction comes from. */
static struct str place_of(const struct lang_site *site, const struct lang_chunk *c, uint32_t at)
{
    REQUIRE(c->places_n > 0);
    const struct code_place *p = &c->places[0];
    for (uint32_t i = 1; i < c->places_n && c->places[i].at <= at; i++)
        p = &c->places[i];
    return str_sub(site->sources[c->source].text, p->from, p->to - p->from);
}

TEST(each_instruction_has_its_place)
{
    static const char text[] = "fn f(a: int, xs: list<int>) -> int {\n"
                               "  var s = 0\n"
                               "  for i in 0..a {\n"
                               "    s += xs[i] / (a -\n"
                               "      3)\n"
                               "    if max(s, 70000) > 5 { return f(s, xs) } }\n"
                               "  return s * 2\n"
                               "}\n"
                               "program p { every 1s { var x = f(1, [2]) } }\n";
    static const struct {
        enum code_op op;
        const char *place;
        uint32_t line;
    } want[] = {
        {CODE_LGET, "xs[i]", 4},           {CODE_DIVI, "xs[i] / (a -\n      3)", 4},
        {CODE_ADDIK, "(a -\n      3)", 4}, {CODE_CALL, "f(s, xs)", 6},
        {CODE_MAXI, "max(s, 70000)", 6},   {CODE_MULIK, "s * 2", 7},
    };
    struct lang_site *site = fixture_check(text, false);
    REQUIRE(site != NULL && site->errors == 0);
    const struct lang_chunk *c = chunk_named(site->programs[0], "f");
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        LABEL("%s", want[i].place);
        uint32_t at = 0;
        while (at < c->code_n && c->code[at].op != want[i].op)
            at++;
        REQUIRE(at < c->code_n);
        struct str place = place_of(site, c, at);
        char got[64];
        (void)snprintf(got, sizeof(got), "%.*s", STR_FMT(place));
        CHECK_EQ_STR(got, want[i].place);
        CHECK_EQ_UINT(c->lines[at], want[i].line);
    }
    lang_site_free(site);
}
