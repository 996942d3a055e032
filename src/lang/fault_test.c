/* Without memory: each allocation fails in turn, nothing leaks, and the answer is ERR_NOMEM or
 * NULL. And the bounds of what is accepted. */
#include "lang/lang_fixture.h"

static const char text[] =
    "fn f(t: °C) -> str { if t > 5 °C { return \"{t}\" } else { return \"cold\" } }\n"
    "program p {\n"
    "  var who = \"nobody\"; let limit = 80 °C\n"
    "  for st in heated {\n"
    "    own v: Valve = st.coolant\n"
    "    read t: °C = st.temperature stale 5s\n"
    "    when t > limit or slope(t, 1min) > 3 K/min for 2s { v.set(50 %, 2s); who = f(t) }\n"
    "    until t < 5 °C { alert info \"{st.name} {who} {t}\" }\n"
    "  }\n"
    "}\n"
    "record R { name: str; at: °C? }\n"
    "enum Mode { eco, away }\n"
    "task work(own v: Valve, c: chan<R>) {\n"
    "  loop { select { r = c.recv() => { v.open(); alert info r.name }; after 1s => v.close() } }\n"
    "}\n"
    "program q {\n"
    "  own v: Valve = gate; let c = chan<R>(2); var m: map<str, list<int>> = [:]; var e = "
    "Mode.eco\n"
    "  on press.jam { for st in heated { m[st.name] = [1, 2].map(x => x * 2) }; sleep 1s }\n"
    "  when changed e { match e { eco => { c.send(R{\"a\", none}) else drop }; away => { } } }\n"
    "  at 05:00 { publish \"m\" m }\n"
    "  on \"m\" as x: map<str, list<int>> { m = x }\n"
    "  spawn work(move v, c)\n"
    "}\n"
    "test \"t\" { press.load = 5 %; after 1s { expect action gate.set(5 %, 1s) } }\n";
static const char wrong[] =
    "program p { own v: Vavle = pres; wehn x { }; every 1 { y = \"{z\" } }\n";

static bool check_once(const char *source, struct alloc *a)
{
    struct lang_source sources[2] = {{STR("site.sedge"), str_from(fixture_site)},
                                     {STR("case.sedge"), str_from(source)}};
    struct lang_site *site;
    enum err e = lang_check(a, &test_schema, sources, 2, &site);
    if (e != ERR_OK) {
        CHECK_EQ_INT(e, ERR_NOMEM);
        CHECK(site == NULL);
        return false;
    }
    CHECK((site->errors == 0) == (source == text));
    struct lang_host host = {0};
    bool done = true;
    if (site->programs_n > 0) {
        struct lang_vm *vm = lang_vm_new(a, site->programs[0], &host, lang_limits_default());
        done = vm != NULL;
        lang_vm_free(vm);
    }
    lang_site_free(site);
    return done;
}

TEST(every_allocation_may_fail)
{
    const char *const sources[] = {text, wrong};
    for (size_t s = 0; s < ARRAY_LEN(sources); s++) {
        bool done = false;
        uint64_t at = 0;
        for (; !done && at < 10000; at++) {
            struct alloc_faulty faulty;
            alloc_faulty_init(&faulty, at);
            done = check_once(sources[s], &faulty.alloc);
            CHECK_EQ_UINT(faulty.live_bytes, 0);
            CHECK(done == !faulty.failed);
        }
        CHECK(done && at > 2);
    }
}

/* Arenas take large blocks, so the turn of the last test hits few of the places. A limit that
 * grows in small steps hits all of them. */
TEST(every_limit_of_memory_is_survived)
{
    for (size_t max = 0; max < 900000; max += 2027) {
        struct alloc_limited limited;
        alloc_limited_init(&limited, alloc_system(), max);
        (void)check_once(text, &limited.alloc);
        CHECK_EQ_UINT(limited.used, 0);
    }
}

static size_t errors_of(const char *source)
{
    struct lang_site *site = fixture_check(source, false);
    REQUIRE(site != NULL);
    size_t n = site->errors;
    lang_site_free(site);
    return n;
}

/* head, `n` times piece, tail */
static size_t errors_of_repeated(const char *head, const char *piece, int n, const char *tail)
{
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 0);
    strbuf_adds(&b, head);
    for (int i = 0; i < n; i++)
        strbuf_adds(&b, piece);
    strbuf_adds(&b, tail);
    size_t errors = errors_of(b.p);
    strbuf_fini(&b);
    return errors;
}

TEST(nesting_and_sizes_are_bounded)
{
    static const struct {
        const char *label, *head, *piece, *tail;
        int fine, many;
    } cases[] = {
        {"parentheses", "program p { var x = ", "(", "1", 0, 1000},
        {"minus", "program p { var x = 1; every 1s { x = ", "- ", "x } }", 20, 1000},
        {"not", "program p { when ", "not ", "false { } }", 20, 1000},
        {"sums", "program p { var x = 1", " + 1", " }", 150, 1000},
        {"and", "program p { var x = true", " and true", " }", 150, 1000},
        {"calls", "program p { var x = 1; every 1s { x = 1", " + abs(1)", " } }", 20, 400},
        {"if", "program p { every 1s { ", "if true { ", "", 0, 1000},
        {"else if", "program p { every 1s { if true { }", " else if true { }", " } }", 30, 1000},
        {"texts", "program p { every 1s { alert info ", "\"{", "", 0, 1000},
        {"rules", "program p { ", "every 1s { }\n", "}", 4096, 4097},
        {"variables in a body", "program p { every 1s { ", "if true { let x = 1 }\n", "} }", 200,
         201},
        {"a large body", "program p { var x = 1.5; every 1s { ", "x = x * 2 + x * 3 + x * 4\n",
         "} }", 1000, 40000},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        LABEL("%s", cases[i].label);
        if (cases[i].fine > 0)
            CHECK_EQ_UINT(
                errors_of_repeated(cases[i].head, cases[i].piece, cases[i].fine, cases[i].tail), 0);
        CHECK(errors_of_repeated(cases[i].head, cases[i].piece, cases[i].many, cases[i].tail) > 0);
    }
}

/* A long text that is unrolled often is refused, or there is no memory for it; it does not take
 * for ever. */
TEST(unrolling_is_bounded_by_text)
{
    static const char *const pieces[] = {"every 1s { x = 1",
                                         "every 1s { for s in stations { x = 1"};
    for (size_t p = 0; p < ARRAY_LEN(pieces); p++) {
        struct strbuf b;
        strbuf_init(&b, alloc_system(), 0);
        strbuf_adds(&b, "program p { var x = 1\n");
        for (int i = 0; i < 6; i++) /* 3^6 */
            strbuf_addf(&b, "for s%d in stations {\n", i);
        strbuf_adds(&b, pieces[p]);
        for (int i = 0; i < 30000; i++)
            strbuf_adds(&b, i % 150 ? " + 1" : "\nx = 1");
        strbuf_adds(&b, p ? "} }" : "}");
        for (int i = 0; i < 7; i++)
            strbuf_adds(&b, "}\n");
        struct lang_site *site = fixture_check(b.p, false);
        CHECK(!site || site->errors > 0);
        lang_site_free(site);
        strbuf_fini(&b);
    }
}

static void unroll_deep(const char *head, const char *inside)
{
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 0);
    strbuf_adds(&b, head);
    for (int i = 0; i < 14; i++) /* 3^14 */
        strbuf_addf(&b, "for s%d in stations {\n", i);
    strbuf_adds(&b, inside);
    for (int i = 0; i < 14; i++)
        strbuf_adds(&b, "}\n");
    strbuf_adds(&b, "}\n}\n");
    LABEL("%s", head);
    CHECK(errors_of(b.p) > 0);
    strbuf_fini(&b);
}

TEST(unrolling_is_bounded)
{
    unroll_deep("program p { for s in stations {\n", "every 1s { }\n");
    unroll_deep("program p { every 1s {\n", "let x = 1\n");
}
