/* Programs from source to what they do: every construct of the language, compiled and run. */
#include "lang/compile_cases.h"
#include "lang/compile_fixture.h"

static void check_run(const struct run_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct run_case *c = &cases[i];
        LABEL("%s", c->label);
        char items[4096];
        (void)snprintf(items, sizeof(items), "%s\nevery 1h {\n%s\n}", c->items, c->body);
        struct stage s;
        if (stage_open(&s, c->decls, items)) {
            stage_rule(&s, (uint32_t)s.program->rules_n - 1);
            CHECK_EQ_STR(stage_said(&s), c->said);
        }
        stage_close(&s);
    }
}

TEST(values)
{
    check_run(value_cases, ARRAY_LEN(value_cases));
}

TEST(data)
{
    check_run(data_cases, ARRAY_LEN(data_cases));
}

/* ---- when changed ------------------------------------------------------------------------- */

static void set_reading(struct stage *s, bool has, double v)
{
    s->readings[0] = (struct lang_sample){.value.f = v, .has_value = has, .stale = !has};
}

TEST(what_has_changed)
{
    struct stage s;
    REQUIRE(stage_open(&s, "",
                       "read t: °C = press.temperature stale 5s\n"
                       "var name = \"a\"\nvar n: int? = none\n"
                       "when changed t + 1 K { }\nwhen changed name { }\nwhen changed n { }\n"
                       "every 1s { name = \"{name}b\"; n = 4 }"));
    CHECK_EQ_STR(stage_condition(&s, 0), "false"); /* no value */
    set_reading(&s, true, 20);
    CHECK_EQ_STR(stage_condition(&s, 0), "false"); /* the first one */
    CHECK_EQ_STR(stage_condition(&s, 0), "false");
    set_reading(&s, true, 21);
    CHECK_EQ_STR(stage_condition(&s, 0), "true");
    CHECK_EQ_STR(stage_condition(&s, 0), "false");
    set_reading(&s, false, 0);
    CHECK_EQ_STR(stage_condition(&s, 0), "false"); /* missing: what was is kept */
    set_reading(&s, true, 21);
    CHECK_EQ_STR(stage_condition(&s, 0), "false");
    set_reading(&s, true, 20);
    CHECK_EQ_STR(stage_condition(&s, 0), "true");
    CHECK_EQ_STR(stage_condition(&s, 1), "false");
    CHECK_EQ_STR(stage_condition(&s, 2), "false");
    stage_rule(&s, 3);
    CHECK_EQ_STR(stage_condition(&s, 1), "true"); /* compared by its content */
    CHECK_EQ_STR(stage_condition(&s, 1), "false");
    CHECK_EQ_STR(stage_condition(&s, 2), "false"); /* the first one */
    stage_close(&s);
}

/* ---- conditions with data ------------------------------------------------------------------ */

TEST(conditions_follow_kleene)
{
    /* t: temperature (binding 0); parts (binding 1); both missing, or both there: 50 °C and 3 */
    static const struct {
        const char *condition, *missing, *there;
    } cases[] = {
        {"parts + 1 > 3", "unknown", "true"},
        {"parts == 3", "unknown", "true"},
        {"parts != 3", "unknown", "false"},
        {"3 > parts or t > 40 °C", "unknown", "true"},
        {"t > 40 °C or true", "true", "true"},
        {"t > 40 °C and false", "false", "false"},
        {"limits.any(x => x > 50 °C) and t > 40 °C", "unknown", "true"},
        {"limits.all(x => x > 50 °C) or t > 40 °C", "unknown", "true"},
        {"(if t > 40 °C { 1 } else { 2 }) == 1", "unknown", "true"},
        {"level(t) == 2", "unknown", "true"},
        {"abs(t - 60 °C) < 15 K", "unknown", "true"},
        {"round(t) == 50 °C", "unknown", "true"},
        {"(m[\"a\"] ?? 0) + parts == 4", "unknown", "true"},
        {"\"a\" in m and parts > 0", "unknown", "true"},
        {"\"z\" in m and parts > 0", "false", "false"},
        {"max(t, 30 °C) > 40 °C", "unknown", "true"},
        {"not (parts > 2 and t > 40 °C)", "unknown", "false"},
        {"stale t or parts > 9", "true", "false"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        LABEL("%s", cases[i].condition);
        char items[512];
        (void)snprintf(items, sizeof(items),
                       "read t: °C = press.temperature stale 5s\n"
                       "read parts: int = press.parts stale 5s\n"
                       "var limits: list<°C> = [45 °C, 55 °C]\nvar m: map<str, int> = [\"a\": 1]\n"
                       "when %s { limits.push(1 °C) }",
                       cases[i].condition);
        struct stage s;
        if (stage_open(&s, "fn level(t: °C) -> int { if t > 40 °C { return 2 }; return 1 }",
                       items)) {
            s.readings[0] = s.readings[1] = (struct lang_sample){.stale = true};
            CHECK_EQ_STR(stage_condition(&s, 0), cases[i].missing);
            set_reading(&s, true, 50);
            s.readings[1] = (struct lang_sample){.value.i = 3, .has_value = true};
            CHECK_EQ_STR(stage_condition(&s, 0), cases[i].there);
        }
        stage_close(&s);
    }
}

/* ---- what is too large --------------------------------------------------------------------- */

static const char *first_code(const char *text)
{
    static char code[8];
    struct lang_site *site = fixture_check(text, false);
    REQUIRE(site != NULL);
    struct str c = site->diags_n > 0 ? site->diags[0].code : STR("fine");
    (void)snprintf(code, sizeof(code), "%.*s", STR_FMT(c));
    lang_site_free(site);
    return code;
}

/* `locals` locals, all in use until the end, and a record of 60 fields beside them. */
static const char *registers_needed(struct strbuf *b, unsigned locals)
{
    strbuf_reset(b);
    strbuf_adds(b, "record R { ");
    for (unsigned i = 0; i < 60; i++)
        strbuf_addf(b, "f%u: int; ", i);
    strbuf_adds(b, "}\nfn f(n: int) -> int {\n");
    for (unsigned i = 0; i < locals; i++)
        strbuf_addf(b, "let v%u = n + %u\n", i, i);
    strbuf_adds(b, "let r = R{");
    for (unsigned i = 0; i < 60; i++)
        strbuf_addf(b, "%sn * %u", i ? ", " : "", i + 2);
    strbuf_adds(b, "}\nreturn r.f0");
    for (unsigned i = 0; i < locals; i++)
        strbuf_addf(b, " + v%u", i);
    strbuf_adds(b, "\n}\nprogram p { var x = 1; every 1s { x = f(x) } }\n");
    return first_code(b->p);
}

TEST(registers_may_run_out)
{
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 0);
    CHECK_EQ_STR(registers_needed(&b, 50), "fine");
    CHECK_EQ_STR(registers_needed(&b, 190), "P1");
    strbuf_fini(&b);
}

TEST(code_may_be_too_long)
{
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 0);
    for (unsigned many = 20000; many <= 70000; many += 50000) {
        strbuf_reset(&b);
        strbuf_adds(&b, "fn f(n: int) -> int { var s = n\nloop {\n");
        for (unsigned i = 0; i < many; i++)
            strbuf_adds(&b, "s+=n\n");
        strbuf_adds(&b,
                    "if s > 5 { return s } } }\nprogram p { var x = 1; every 1s { x = f(x) } }\n");
        CHECK_EQ_STR(first_code(b.p), many < 50000 ? "fine" : "P1");
    }
    strbuf_fini(&b);
}
