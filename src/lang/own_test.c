/* Ownership and the graph: tables of programs with the codes that they must get; and that the
 * tables are what they should be: no two alike, and half of them accepted. */
#include "base/map.h"
#include "lang/own_fixture.h"

static const struct {
    uint32_t conflict;
    const char *happens;
} own_runtime[] = {
#include "lang/own_runtime_cases.h"
};

TEST(ownership_cases)
{
    for (size_t i = 0; i < ARRAY_LEN(own_cases); i++) {
        LABEL("%s", own_cases[i].label);
        struct lang_site *site = own_check(own_cases[i].text);
        REQUIRE(site != NULL);
        struct strbuf got;
        strbuf_init(&got, alloc_system(), 0);
        own_codes(site, &got);
        if (!CHECK_EQ_STR(got.n ? got.p : "", own_cases[i].want)) {
            strbuf_reset(&got);
            for (size_t d = 0; d < site->diags_n; d++)
                lang_diag_render(&got, site, &site->diags[d], false);
            test_note("%s", got.p);
        }
        strbuf_fini(&got);
        lang_site_free(site);
    }
}

/* ---- the tables ---------------------------------------------------------------------------- */

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c >= '0' && c <= '9');
}

static bool is_keyword(struct str w)
{
    static const char *const words[] = {
        "program",  "task",   "fn",       "own",      "mut",      "ref",      "read",    "let",
        "var",      "for",    "in",       "when",     "until",    "every",    "at",      "on",
        "as",       "lend",   "to",       "idle",     "lease",    "wait",     "revoked", "denied",
        "revoke",   "drop",   "move",     "spawn",    "select",   "after",    "else",    "if",
        "match",    "loop",   "while",    "break",    "return",   "sleep",    "send",    "recv",
        "chan",     "list",   "publish",  "alert",    "skip",     "changed",  "stale",   "and",
        "or",       "not",    "never",    "operator", "priority", "max",      "model",   "device",
        "property", "action", "event",    "safe",     "record",   "continue", "true",    "false",
        "none",     "some",   "confirms", "info",     "warning",  "critical"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_eq(w, str_from(words[i])))
            return true;
    return false;
}

/* The text with every name replaced by when it came first, every number and text by one sign, and
 * without spaces and comments: what is left is the shape. */
static void shape_of(const char *text, struct strbuf *out)
{
    struct str names[256];
    size_t names_n = 0;
    for (const char *p = text; *p;) {
        struct str w = {p, 0};
        while (is_word(p[w.n]))
            w.n++;
        if (p[0] == '"') {
            for (p++; *p && *p != '"'; p++)
                ;
            strbuf_addc(out, '"');
            p += *p == '"';
        } else if (p[0] == '/' && p[1] == '/') {
            while (*p && *p != '\n')
                p++;
        } else if (w.n == 0) {
            if (*p != ' ')
                strbuf_addc(out, *p == '\n' ? ';' : *p);
            p++;
        } else if (*p >= '0' && *p <= '9') {
            strbuf_addc(out, '0');
            p += w.n;
        } else if (is_keyword(w)) {
            strbuf_addf(out, " %.*s ", STR_FMT(w));
            p += w.n;
        } else {
            size_t at = 0;
            while (at < names_n && !str_eq(names[at], w))
                at++;
            if (at == names_n && names_n < ARRAY_LEN(names))
                names[names_n++] = w;
            strbuf_addf(out, "<%zu>", at);
            p += w.n;
        }
    }
}

TEST(no_two_cases_are_alike)
{
    struct map seen;
    struct strbuf *shapes = mem_zero(alloc_system(), ARRAY_LEN(own_cases) * sizeof(*shapes));
    REQUIRE(shapes != NULL);
    map_init(&seen, alloc_system(), 1, 1u << 16);
    for (size_t i = 0; i < ARRAY_LEN(own_cases); i++) {
        LABEL("%s", own_cases[i].label);
        strbuf_init(&shapes[i], alloc_system(), 0);
        shape_of(own_cases[i].text, &shapes[i]);
        const struct own_case *same = map_get(&seen, strbuf_str(&shapes[i]));
        CHECK_EQ_STR(same ? same->label : "", "");
        if (!same)
            CHECK(map_put(&seen, strbuf_str(&shapes[i]), (void *)(uintptr_t)&own_cases[i]) ==
                  ERR_OK);
    }
    map_fini(&seen);
    for (size_t i = 0; i < ARRAY_LEN(own_cases); i++)
        strbuf_fini(&shapes[i]);
    mem_free(alloc_system(), shapes, ARRAY_LEN(own_cases) * sizeof(*shapes));
}

TEST(shapes_see_through_renaming)
{
    struct strbuf a, b;
    strbuf_init(&a, alloc_system(), 0);
    strbuf_init(&b, alloc_system(), 0);
    shape_of("program x { own a: Pump = pump; every 1h { a.stop() } } // one", &a);
    shape_of("program  yy {own tap:Valve=gate; every 20h{ tap.open() }}", &b);
    CHECK_EQ_STR(a.p, b.p);
    strbuf_reset(&b);
    shape_of("program x { own a: Pump = pump; every 1h { b.stop() } }", &b);
    CHECK(!str_eq(strbuf_str(&a), strbuf_str(&b)));
    strbuf_fini(&a);
    strbuf_fini(&b);
}

static bool accepted(const struct own_case *c)
{
    struct str rest = str_from(c->want), one;
    while (str_split(&rest, ',', &one)) {
        struct lang_site *site = one.n > 0 ? own_check(c->text) : NULL;
        if (!site)
            continue;
        size_t errors = site->errors;
        lang_site_free(site);
        return errors == 0; /* warnings alone are fine */
    }
    return true;
}

TEST(half_of_the_cases_are_accepted)
{
    size_t fine = 0;
    for (size_t i = 0; i < ARRAY_LEN(own_cases); i++)
        fine += accepted(&own_cases[i]) ? 1 : 0;
    CHECK(ARRAY_LEN(own_cases) >= 222);
    CHECK(fine * 2 >= ARRAY_LEN(own_cases));
}

TEST(all_conflicts_have_a_case)
{
    bool found[23] = {false};
    size_t runtime = 0;
    for (size_t i = 0; i < ARRAY_LEN(own_cases); i++) {
        struct str rest = str_from(own_cases[i].label), number;
        int64_t n;
        if (str_split(&rest, ':', &number) && rest.p && str_to_i64(number, &n) == ERR_OK &&
            n >= 1 && n <= 22)
            found[n] = true;
    }
    for (size_t i = 1; i <= 22; i++) {
        LABEL("conflict %zu", i);
        CHECK(found[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(own_runtime); i++)
        runtime += own_runtime[i].conflict == 19 + i && own_runtime[i].happens[0] != '\0';
    CHECK_EQ_UINT(runtime, 4);
}
