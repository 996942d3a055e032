/* Programs that run: values, units, readings that are missing or stale, budgets, traps, variables.
 */
#include "lang/lang_fixture.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define READINGS_MAX 16u

/* A host that answers from a table and writes down what it is told. */
struct stage {
    struct lang_host host;
    struct lang_site *site;
    const struct lang_program *program;
    struct lang_vm *vm;
    struct lang_sample readings[READINGS_MAX];
    double slope; /* NaN: too few samples */
    enum err refuse;
    struct strbuf log;
    struct lang_result result;
};

static void on_read(struct lang_host *h, uint32_t binding, struct lang_sample *out)
{
    struct stage *s = CONTAINER_OF(h, struct stage, host);
    *out = s->readings[binding];
}

static enum err on_command(struct lang_host *h, uint32_t binding, uint32_t action,
                           const union lang_slot *args, size_t args_n)
{
    struct stage *s = CONTAINER_OF(h, struct stage, host);
    const struct lang_binding *b = &s->program->bindings[binding];
    const struct lang_member *m =
        lang_decl_member_at(b->resource->type, LANG_CLAUSE_COMMAND, action);
    strbuf_addf(&s->log, "%.*s.%.*s(", STR_FMT(b->resource->name), STR_FMT(m->name));
    for (size_t i = 0; i < args_n; i++)
        strbuf_addf(&s->log, "%s%g", i ? ", " : "", args[i].f);
    strbuf_adds(&s->log, ");");
    return s->refuse;
}

static void on_statement(struct lang_host *h, uint32_t statement, uint32_t level, struct str text)
{
    struct stage *s = CONTAINER_OF(h, struct stage, host);
    CHECK_EQ_UINT(statement, 0);
    strbuf_addf(&s->log, "%s: %.*s;", t_levels[level], STR_FMT(text));
}

static bool on_slope(struct lang_host *h, uint32_t window, double *out)
{
    struct stage *s = CONTAINER_OF(h, struct stage, host);
    CHECK(window < s->program->windows_n);
    *out = s->slope;
    return !isnan(s->slope);
}

static int64_t on_now(struct lang_host *h)
{
    (void)h;
    return 1764000000123;
}

static void stage_open_limits(struct stage *s, const char *text, struct lang_limits limits)
{
    *s = (struct stage){.host = {.read = on_read,
                                 .command = on_command,
                                 .statement = on_statement,
                                 .slope = on_slope,
                                 .now_ms = on_now},
                        .slope = (double)NAN};
    strbuf_init(&s->log, alloc_system(), 0);
    s->site = fixture_check(text, false);
    REQUIRE(s->site != NULL);
    struct strbuf said;
    strbuf_init(&said, alloc_system(), 0);
    for (size_t i = 0; i < s->site->diags_n; i++)
        if (s->site->diags[i].severity == LANG_ERROR)
            lang_diag_render(&said, s->site, &s->site->diags[i], false);
    CHECK_EQ_STR(said.p, "");
    strbuf_fini(&said);
    REQUIRE(s->site->programs_n > 0);
    s->program = s->site->programs[0];
    REQUIRE(s->program->bindings_n <= READINGS_MAX);
    s->vm = lang_vm_new(alloc_system(), s->program, &s->host, limits);
    REQUIRE(s->vm != NULL);
}

static void stage_open(struct stage *s, const char *text)
{
    stage_open_limits(s, text, lang_limits_default());
}

static void stage_close(struct stage *s)
{
    lang_vm_free(s->vm);
    lang_site_free(s->site);
    strbuf_fini(&s->log);
}

static void set_float(struct stage *s, uint32_t binding, double v)
{
    s->readings[binding] = (struct lang_sample){.value.f = v, .has_value = true};
}

static enum lang_outcome run(struct stage *s, uint32_t chunk)
{
    strbuf_reset(&s->log);
    return lang_vm_call(s->vm, chunk, &s->result);
}

/* "true", "false" or "unknown": the condition of rule 0. */
static const char *condition(struct stage *s)
{
    CHECK_EQ_INT(run(s, s->program->rules[0].condition), LANG_DONE);
    return s->result.unknown ? "unknown" : s->result.truth ? "true" : "false";
}

/* ---- what a body says -------------------------------------------------------------------- */

struct computed {
    const char *label, *body, *want;
};

static void compute(const struct computed *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        LABEL("%s", cases[i].label);
        char text[1024];
        (void)snprintf(
            text, sizeof(text),
            "fn twice(x: int) -> int { return x * 2 }\n"
            "fn hot(t: °C) -> bool { return t > 80 °C }\n"
            "fn label(p: bar) -> str { return \"<{p}>\" }\n"
            "fn fact(n: int) -> int { if n <= 1 { return 1 }\n return n * fact(n - 1) }\n"
            "program p { every 1s { %s } }",
            cases[i].body);
        struct stage s;
        stage_open(&s, text);
        CHECK_EQ_INT(run(&s, s.program->rules[0].body), LANG_DONE);
        CHECK_EQ_STR(s.log.p, cases[i].want);
        stage_close(&s);
    }
}

TEST(bodies_compute_numbers_and_units)
{
    static const struct computed cases[] = {
        {"int", "alert info \"{1 + 2 * 3 - 8 / 3 mod 2}\"", "info: 7;"},
        {"precedence", "alert info \"{(1 + 2) * 3}\"", "info: 9;"},
        {"negative", "var x = 5; alert info \"{-x - -3}\"", "info: -2;"},
        {"at run time", "var x = 7; alert info \"{x / 2} {x mod 4} {x * x} {x - 9}\"",
         "info: 3 3 49 -2;"},
        {"float", "var x = 7.5; alert info \"{x / 2} {x mod 4} {x * x} {x - 9}\"",
         "info: 3.75 3.5 56.25 -1.5;"},
        {"mixed", "var x = 7; alert info \"{x / 2.0} {x * 0.5} {1.5 + x}\"", "info: 3.5 3.5 8.5;"},
        {"units", "var x = 1 m; alert info \"{x + 50 cm} {x / 2 s} {x * x} {x / 10 cm}\"",
         "info: 1.5 m 0.5 m/s 1 m·m 10;"},
        {"temperatures", "var x = 85.2 °C; alert info \"{x} {x - 20 °C} {x + 5 K} {5 K + x}\"",
         "info: 85.2 °C 65.2 K 90.2 °C 90.2 °C;"},
        {"fahrenheit", "var x = 212 °F; let y: °C = x; alert info \"{x} {y} {x - 32 °F}\"",
         "info: 212 °F 100 °C 100 K;"},
        {"energy", "var e = 0 kWh; let p = 12 kW; e = e + p * 30 min; alert info \"{e}\"",
         "info: 6 kWh;"},
        {"percent", "var p = 40 %; alert info \"{p} {p + 5 %} {200 kW * p}\"",
         "info: 40 % 45 % 80 kW;"},
        {"digits", "alert info \"{1234.5678 kW} {0.00123456 m} {1 / 3.0} {100.0} {2.50 bar}\"",
         "info: 1235 kW 0.001235 m 0.3333 100 2.5 bar;"},
        {"division by zero", "var x = 0.0; alert info \"{1 / x} {-1 / x} {x / x}\"",
         "info: ∞ -∞ no value;"},
    };
    compute(cases, ARRAY_LEN(cases));
}

TEST(bodies_compute_conditions_and_texts)
{
    static const struct computed cases[] = {
        {"bool", "var b = true; alert info \"{b} {not b} {b and not b} {b or false}\"",
         "info: true false false true;"},
        {"compare", "var x = 2; alert info \"{x < 2} {x <= 2} {x > 1} {x >= 3} {x == 2} {x != 2}\"",
         "info: false true true false true false;"},
        {"compare units", "var x = 1 m; alert info \"{x < 101 cm} {x == 100 cm} {x > 1 km}\"",
         "info: true true false;"},
        {"texts", "var s = \"a\"; s = \"{s}b\"; alert info \"{s} {s == \"ab\"} {s != \"ab\"}\"",
         "info: ab true false;"},
        {"escapes", "alert info \"\\u{20AC} \\{x\\} \\\"q\\\"\"", "info: € {x} \"q\";"},
        {"empty", "alert info \"\"", "info: ;"},
        {"if",
         "var x = 3; if x > 5 { alert info \"a\" } else if x > 2 { alert warning \"b\" } "
         "else { alert info \"c\" }",
         "warning: b;"},
        {"else", "var x = 1; if x > 5 { alert info \"a\" } else { alert critical \"c\" }",
         "critical: c;"},
        {"return", "var x = 1; if x == 1 { return }; alert info \"no\"", ""},
    };
    compute(cases, ARRAY_LEN(cases));
}

TEST(bodies_call_functions)
{
    static const struct computed cases[] = {
        {"abs", "var x = -3; var y = -2.5 m; alert info \"{abs(x)} {abs(y)} {abs(3)}\"",
         "info: 3 2.5 m 3;"},
        {"min, max",
         "var x = 3; alert info \"{min(x, 5, 2)} {max(x, 5)} {min(1.5, x)} {max(1 m, 50 cm)}\"",
         "info: 2 5 1.5 1 m;"},
        {"round", "var x = 2.5; var t = 21.7 °C; alert info \"{round(x)} {round(-x)} {round(t)}\"",
         "info: 3 -3 22 °C;"},
        {"functions", "alert info \"{twice(4)} {hot(90 °C)} {fact(10)}\"", "info: 8 true 3628800;"},
        {"functions in functions", "alert info \"{twice(twice(twice(1)))} {label(3 bar)}\"",
         "info: 8 <3 bar>;"},
        {"now", "alert info \"{now()}\"", "info: 2025-11-24T16:00:00.123Z;"},
        {"durations", "var d = 1h 30min; alert info \"{d} {d / 1 min} {d + 30 s}\"",
         "info: 1.5 h 90 1.508 h;"},
    };
    compute(cases, ARRAY_LEN(cases));
}

/* ---- the boundary to the host ------------------------------------------------------------ */

TEST(units_are_converted_at_the_boundary)
{
    struct stage s;
    stage_open(&s,
               "program p {\n"
               "  own v: Valve = gate\n"
               "  read t: °C = press.temperature stale 5s\n"
               "  read vib: m/s = press.vibration stale 5s\n"
               "  every 1s { alert info \"{t} {vib} {t - 273.15 K}\"; v.set(0.5 * 100 %, 2min) }\n"
               "}");
    REQUIRE(CHECK_EQ_UINT(s.program->bindings_n, 3));
    set_float(&s, 1, 85.2);
    set_float(&s, 2, 7.1);
    CHECK_EQ_INT(run(&s, s.program->rules[0].body), LANG_DONE);
    CHECK_EQ_STR(s.log.p, "info: 85.2 °C 0.0071 m/s -187.9 °C;gate.set(50, 120);");
    stage_close(&s);
}

TEST(limits_are_met_exactly)
{
    struct stage s;
    stage_open(
        &s, "program p { read vib: mm/s = press.vibration stale 5s\n when vib >= 7.1 mm/s { } }");
    set_float(&s, 0, 7.1);
    CHECK_EQ_STR(condition(&s), "true");
    set_float(&s, 0, 7.0999);
    CHECK_EQ_STR(condition(&s), "false");
    stage_close(&s);
}

TEST(slopes_are_per_second_in_the_members_unit)
{
    struct stage s;
    stage_open(&s, "program p { read vib: mm/s = press.vibration stale 5s\n"
                   "  when slope(vib, 2min) > 3 mm/s/min { alert info \"{slope(vib, 2min)}\" } }");
    REQUIRE(CHECK_EQ_UINT(s.program->windows_n, 1));
    CHECK_EQ_INT(s.program->windows[0].duration_ms, 120000);
    set_float(&s, 0, 1);
    CHECK_EQ_STR(condition(&s), "unknown");
    s.slope = 0.1; /* mm/s each second: 6 mm/s each minute */
    CHECK_EQ_STR(condition(&s), "true");
    CHECK_EQ_INT(run(&s, s.program->rules[0].body), LANG_DONE);
    CHECK_EQ_STR(s.log.p, "info: 6 mm/s/min;");
    s.slope = 0.04;
    CHECK_EQ_STR(condition(&s), "false");
    s.readings[0].stale = true;
    CHECK_EQ_STR(condition(&s), "unknown");
    stage_close(&s);
}

/* ---- readings without a value, and stale ones -------------------------------------------- */

TEST(unknown_follows_kleene)
{
    /* a: temperature (binding 0) missing, stale or 50 °C; b: running (binding 1) */
    static const struct {
        const char *condition, *missing_true, *missing_false, *fresh_true;
    } cases[] = {
        {"a > 40 °C", "unknown", "unknown", "true"},
        {"a < 40 °C", "unknown", "unknown", "false"},
        {"a >= 50 °C", "unknown", "unknown", "true"},
        {"a <= 50 °C", "unknown", "unknown", "true"},
        {"a > 50 °C", "unknown", "unknown", "false"},
        {"50 °C < a", "unknown", "unknown", "false"},
        {"50 °C <= a", "unknown", "unknown", "true"},
        {"60 °C > a", "unknown", "unknown", "true"},
        {"60 °C <= a", "unknown", "unknown", "false"},
        {"a != 40 °C", "unknown", "unknown", "true"},
        {"not a > 40 °C", "unknown", "unknown", "false"},
        {"a > 40 °C or b", "true", "unknown", "true"},
        {"b or a > 40 °C", "true", "unknown", "true"},
        {"a > 40 °C and b", "unknown", "false", "true"},
        {"b and a > 40 °C", "unknown", "false", "true"},
        {"not (b or a > 40 °C)", "false", "unknown", "false"},
        {"hot(a)", "unknown", "unknown", "true"},
        {"hot(a) == b", "unknown", "unknown", "true"},
        {"both(b, a > 40 °C)", "unknown", "unknown", "true"},
        {"min(a, 60 °C) > 40 °C", "unknown", "unknown", "true"},
        {"a - 10 °C > 30 K", "unknown", "unknown", "true"},
        {"stale a", "true", "true", "false"},
        {"not stale a and b", "false", "false", "true"},
        {"stale a or a > 80 °C", "true", "true", "false"},
        {"b", "true", "false", "true"},
        {"b == true", "true", "false", "true"},
        {"\"{a}\" == \"no value\"", "true", "true", "false"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        LABEL("%s", cases[i].condition);
        char text[512];
        (void)snprintf(text, sizeof(text),
                       "fn hot(t: °C) -> bool { return t > 40 °C }\n"
                       "fn both(a: bool, b: bool) -> bool { return a and b }\n"
                       "program p { read a: °C = press.temperature stale 5s; "
                       "read b: bool = press.running stale 5s; when %s { } }",
                       cases[i].condition);
        struct stage s;
        stage_open(&s, text);
        s.readings[0] = (struct lang_sample){.stale = true};
        s.readings[1] = (struct lang_sample){.value.i = 1, .has_value = true};
        CHECK_EQ_STR(condition(&s), cases[i].missing_true);
        s.readings[1].value.i = 0;
        CHECK_EQ_STR(condition(&s), cases[i].missing_false);
        s.readings[1].value.i = 1;
        set_float(&s, 0, 50);
        CHECK_EQ_STR(condition(&s), cases[i].fresh_true);
        stage_close(&s);
    }
}

TEST(a_stale_value_is_unknown_to_conditions_and_known_to_bodies)
{
    struct stage s;
    stage_open(&s, "program p { read a: °C = press.temperature stale 5s\n"
                   "  when a > 40 °C { if a > 40 °C { alert info \"{a}\" } } }");
    set_float(&s, 0, 50);
    s.readings[0].stale = true;
    CHECK_EQ_STR(condition(&s), "unknown");
    CHECK_EQ_INT(run(&s, s.program->rules[0].body), LANG_DONE);
    CHECK_EQ_STR(s.log.p, "info: 50 °C;");
    set_float(&s, 0, (double)NAN); /* a host that reports not-a-number has no value */
    CHECK_EQ_STR(condition(&s), "unknown");
    stage_close(&s);
}

TEST(a_missing_value_shows_as_no_value_and_traps_elsewhere)
{
    struct stage s;
    stage_open(&s, "program p { read a: °C = press.temperature stale 5s\n"
                   "  read b: bool = press.running stale 5s\n"
                   "  var x = 0 °C\n"
                   "  every 1s { alert info \"{a} {b} {slope(a, 1min)}\" }\n"
                   "  every 1s { x = 5 °C\n"
                   "    x = a }\n"
                   "}");
    CHECK_EQ_INT(run(&s, s.program->rules[0].body), LANG_DONE);
    CHECK_EQ_STR(s.log.p, "info: no value no value no value;");
    CHECK_EQ_INT(run(&s, s.program->rules[1].body), LANG_TRAP);
    CHECK_EQ_STR(s.result.why, "press.temperature has no value yet");
    CHECK_EQ_UINT(s.result.line, 6);
    CHECK_EQ_DBL(lang_vm_var(s.vm, 0).f, 273.15, 1e-9); /* undone */
    stage_close(&s);
}

/* ---- traps and limits -------------------------------------------------------------------- */

TEST(turns_end_within_their_limits)
{
    static const struct {
        const char *label, *body, *why;
        enum lang_outcome outcome;
    } cases[] = {
        {"int division by zero", "var z = 0; n = 1 / z", "division by zero", LANG_TRAP},
        {"int mod zero", "var z = 0; n = 1 mod z", "division by zero", LANG_TRAP},
        {"overflow", "var z = 9223372036854775807; n = z + 1", "a whole number became too large",
         LANG_TRAP},
        {"overflow of *", "var z = 9223372036854775807; n = z * z",
         "a whole number became too large", LANG_TRAP},
        {"round of infinity", "var z = 0.0; n = round(1 / z)", "a whole number became too large",
         LANG_TRAP},
        {"argument not a number", "var z = 0.0; v.set(z / z * 1 %, 1s)",
         "an argument of a command is not a finite number", LANG_TRAP},
        {"endless recursion", "n = deep(1)", "functions call each other too deeply", LANG_TRAP},
        {"too much work", "n = wide(30)", "more than 100000 instructions in one turn",
         LANG_OUT_OF_BUDGET},
        {"too much text", "alert info long(\"0123456789abcdef\", 14)",
         "the texts of one turn take too much memory", LANG_TRAP},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        LABEL("%s", cases[i].label);
        char text[1024];
        (void)snprintf(
            text, sizeof(text),
            "fn deep(n: int) -> int { return deep(n + 1) }\n"
            "fn wide(n: int) -> int { if n < 2 { return 1 }\n return wide(n - 1) + wide(n - 2) }\n"
            "fn long(s: str, n: int) -> str { if n < 1 { return s }\n return long(\"{s}{s}\", n - "
            "1) }\n"
            "program p { own v: Valve = gate; var n = 41; every 1s { n = 42; %s } }",
            cases[i].body);
        struct stage s;
        stage_open(&s, text);
        CHECK_EQ_INT(run(&s, s.program->rules[0].body), cases[i].outcome);
        CHECK_EQ_STR(s.result.why, cases[i].why);
        CHECK(s.result.line > 0);
        CHECK_EQ_INT(lang_vm_var(s.vm, 0).i, 41); /* as if it had not run */
        CHECK(!lang_vm_var_changed(s.vm, 0));
        struct lang_vm_stats st = lang_vm_stats(s.vm);
        CHECK_EQ_UINT(st.traps + st.overruns, 1);
        stage_close(&s);
    }
}

TEST(a_refused_command_traps)
{
    struct stage s;
    stage_open(&s, "program p { own v: Valve = gate; var n = 1; every 1s { n = 2; v.open() } }");
    s.refuse = ERR_FULL;
    CHECK_EQ_INT(run(&s, s.program->rules[0].body), LANG_TRAP);
    CHECK_HAS_STR(s.result.why, "v.open was refused");
    CHECK_EQ_INT(lang_vm_var(s.vm, 0).i, 1);
    s.refuse = ERR_OK;
    CHECK_EQ_INT(run(&s, s.program->rules[0].body), LANG_DONE);
    CHECK_EQ_STR(s.log.p, "gate.open();");
    CHECK_EQ_INT(lang_vm_var(s.vm, 0).i, 2);
    stage_close(&s);
}

TEST(instructions_are_counted)
{
    struct stage s;
    struct lang_limits limits = lang_limits_default();
    limits.instructions_max = 40;
    stage_open_limits(&s,
                      "fn wide(n: int) -> int { if n < 2 { return 1 }\n"
                      "  return wide(n - 1) + wide(n - 2) }\n"
                      "program p { var n = 1; every 1s { n = n + 1 }\n every 2s { n = wide(9) } }",
                      limits);
    CHECK_EQ_INT(run(&s, s.program->rules[0].body), LANG_DONE);
    uint64_t small = s.result.instructions;
    CHECK(small > 2 && small < 10);
    CHECK_EQ_INT(run(&s, s.program->rules[1].body), LANG_OUT_OF_BUDGET);
    uint64_t large = s.result.instructions; /* a call is counted when it begins */
    CHECK(large > 40 && large < 60);
    CHECK_EQ_INT(run(&s, s.program->rules[0].body), LANG_DONE); /* and it goes on */
    CHECK_EQ_UINT(s.result.instructions, small);
    CHECK_EQ_INT(lang_vm_var(s.vm, 0).i, 3);
    CHECK_EQ_UINT(lang_vm_stats(s.vm).instructions, large + 2 * small);
    CHECK_EQ_UINT(lang_vm_stats(s.vm).turn_instructions_peak, large);
    stage_close(&s);
}

/* ---- variables ---------------------------------------------------------------------------- */

TEST(variables_are_kept_outside)
{
    struct stage s;
    stage_open(&s, "program p { var n = 1; var t = 20 °C; var who = \"nobody\"; var on = false\n"
                   "  every 1s { n = n + 1; t = t + 1 K; who = \"{who}!\"; on = not on }\n"
                   "  every 2s { alert info \"{n} {t} {who} {on}\" }\n}");
    CHECK_EQ_INT(run(&s, s.program->rules[0].body), LANG_DONE);
    CHECK_EQ_INT(run(&s, s.program->rules[1].body), LANG_DONE);
    CHECK_EQ_STR(s.log.p, "info: 2 21 °C nobody! true;");
    CHECK(lang_vm_var_changed(s.vm, 0));
    CHECK(!lang_vm_var_changed(s.vm, 0));
    struct str text = STR("restored");
    lang_vm_var_set(s.vm, 0, (union lang_slot){.i = 99});
    lang_vm_var_set(s.vm, 1, (union lang_slot){.f = 300.15});
    lang_vm_var_set(s.vm, 2, (union lang_slot){.s = &text});
    CHECK_EQ_INT(run(&s, s.program->rules[1].body), LANG_DONE);
    CHECK_EQ_STR(s.log.p, "info: 99 27 °C restored true;");
    stage_close(&s);
}

TEST(an_old_text_survives_its_variable)
{
    struct stage s;
    stage_open(&s, "program p { var t = \"old\"; every 1s { let was = t; t = \"new\"; "
                   "alert info \"{was} {t}\" } }");
    CHECK_EQ_INT(run(&s, s.program->rules[0].body), LANG_DONE);
    CHECK_EQ_STR(s.log.p, "info: old new;");
    stage_close(&s);
}

/* ---- what automation sees ----------------------------------------------------------------- */

TEST(rules_are_unrolled_with_stable_paths)
{
    struct stage s;
    stage_open(&s,
               "program guard {\n"
               "  own v: Valve = gate\n"
               "  var stops = 0\n"
               "  v.close()\n"
               "  for st in heated {\n"
               "    read t: °C = st.temperature stale 5s\n"
               "    when t >  80 °C   for 2s { v.open() } until t < 70 °C for 1min { v.close() }\n"
               "    when stale t or stops > 3 { alert info \"{st.name}\" }\n"
               "  }\n"
               "  for st in stations {\n"
               "    read t2: °C = st.temperature stale 5s\n"
               "    when t2 > 1 °C { }\n"
               "  }\n"
               "  every 15min { }\n"
               "}");
    static const struct {
        const char *path, *text;
    } want[] = {
        {"guard/start#1", "v.close()"},
        {"guard/st=press/when#1", "when t > 80 °C for 2s"},
        {"guard/st=press/when#2", "when stale t or stops > 3"},
        {"guard/st=oven/when#1", "when t > 80 °C for 2s"},
        {"guard/st=oven/when#2", "when stale t or stops > 3"},
        {"guard/st=press/when#3", "when t2 > 1 °C"},
        {"guard/st=oven/when#3", "when t2 > 1 °C"},
        {"guard/st=packer/when#1", "when t2 > 1 °C"},
        {"guard/every#1", "every 15min"},
    };
    REQUIRE(CHECK_EQ_UINT(s.program->rules_n, ARRAY_LEN(want)));
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        const struct lang_rule *r = &s.program->rules[i];
        CHECK(str_eq(r->path, str_from(want[i].path)));
        CHECK(str_eq(r->text, str_from(want[i].text)));
    }
    const struct lang_rule *r = &s.program->rules[1];
    CHECK_EQ_INT(r->hold_ms, 2000);
    CHECK_EQ_INT(r->until_hold_ms, 60000);
    CHECK_EQ_UINT(r->line, 7);
    CHECK(str_eq(r->until_text, STR("until t < 70 °C for 1min")));
    CHECK(!r->uses_stale);
    REQUIRE(CHECK_EQ_UINT(r->reads_n, 1));
    CHECK_EQ_UINT(r->reads[0], 1);
    r = &s.program->rules[2];
    CHECK(r->uses_stale);
    REQUIRE(CHECK_EQ_UINT(r->vars_n, 1));
    CHECK_EQ_UINT(r->vars[0], 0);
    CHECK_EQ_INT(s.program->rules[8].every_ms, 900000);
    REQUIRE(CHECK_EQ_UINT(s.program->owns_n, 1));
    CHECK(str_eq(s.program->owns[0]->name, STR("gate")));
    CHECK_EQ_STR(s.program->owns[0]->owner, "guard");
    CHECK_EQ_INT(s.program->bindings[1].stale_ms, 5000);
    CHECK(str_eq(s.program->bindings[1].path, STR("guard/st=press/t")));
    stage_close(&s);
}

TEST(the_hash_follows_the_meaning)
{
    static const char *const texts[] = {
        "program p { read t: °C = press.temperature stale 5s; when t > 80 °C for 2s { } }",
        /* clang-format off */
        "program p {\n  // a comment\n  read t: °C = press.temperature stale 5s\n  when t > 80 °C for 2s { }\n}",
        /* clang-format on */
        "program p { read t: °C = press.temperature stale 5s; when t > 81 °C for 2s { } }",
        "program p { read t: °C = press.temperature stale 5s; when t > 80 °C for 3s { } }",
        "program p { read t: °C = press.temperature stale 6s; when t > 80 °C for 2s { } }",
        "program p { read t: °C = oven.temperature stale 5s; when t > 80 °C for 2s { } }",
    };
    uint64_t first = 0;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        LABEL("%zu", i);
        struct stage s;
        stage_open(&s, texts[i]);
        uint64_t h = s.program->code_hash;
        if (i == 0)
            first = h;
        CHECK((h == first) == (i <= 1));
        stage_close(&s);
    }
}
