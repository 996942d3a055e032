/* The player of a site's tests, with steps that are written by hand: what it sees, and what it says
 * about it. From source to result: tests/integration/sedge_test_test.py. */
#include "base/log.h"
#include "site/schema.h"
#include "site/trial.h"
#include "tests/support/test.h"

#include <string.h>

static const char site_text[] =
    "site \"s\"\n"
    "model Press { property temp: °C range -20..200; property jammed: bool; event jam }\n"
    "model Valve { property position: % range 0..100\n"
    "  action open() confirms position > 90 %\n"
    "  action close() confirms position < 5 %\n"
    "  safe close() }\n"
    "model Belt { property speed: m/s; action start(target: m/s) confirms speed > 0.05 m/s\n"
    "  action stop() confirms speed < 0.05 m/s\n  safe stop() }\n"
    "device press: Press { via mqtt \"press\" json }\n"
    "device valve: Valve { via mqtt \"valve\" json }\n"
    "device belt: Belt { via mqtt \"belt\" json }\n"
    "program guard {\n"
    "  own valve: Valve = valve\n"
    "  own belt: Belt = belt\n"
    "  read temp: °C = press.temp stale 5s\n"
    "  var opened = 0\n"
    "  when temp > 80 °C for 10s { valve.open(); opened = opened + 1 }\n"
    "    until temp < 60 °C { valve.close() }\n"
    "  when temp > 100 °C { belt.stop(); alert critical \"{temp} is too hot\" }\n"
    "    until temp < 90 °C { belt.start(0.4 m/s) }\n"
    "  when stale temp { alert warning \"no thermometer\" }\n"
    "}\n";

static struct lang_site *site_of(const char *text)
{
    struct lang_site *site = NULL;
    const struct lang_source source = {STR("t.sedge"), str_from(text)};
    REQUIRE(lang_check(alloc_system(), site_schema(), &source, 1, &site) == ERR_OK);
    for (size_t i = 0; i < site->diags_n; i++)
        test_note("%.*s", STR_FMT(site->diags[i].message));
    REQUIRE(site->errors == 0);
    return site;
}

/* A step as a line: at_ms, what, resource, member, number or text. */
struct line {
    int64_t at_ms;
    enum lang_step_kind kind;
    bool no;
    const char *resource, *member;
    double number;
    const char *text;
    enum lang_cmp op;
    bool has_args;
};

static const struct lang_member *member_of(const struct lang_decl *type, const struct line *l)
{
    enum lang_clause_role role = l->kind == LANG_STEP_ACTION  ? LANG_CLAUSE_COMMAND
                                 : l->kind == LANG_STEP_EVENT ? LANG_CLAUSE_SIGNAL
                                                              : LANG_CLAUSE_READABLE;
    if (!l->member)
        return NULL;
    const struct lang_member *m = lang_decl_member(type, role, str_from(l->member));
    REQUIRE(m != NULL);
    return m;
}

static void make_step(const struct lang_site *site, const struct line *l, struct lang_step *s,
                      union lang_slot *arg)
{
    *s = (struct lang_step){.kind = l->kind,
                            .at_ms = l->at_ms,
                            .no = l->no,
                            .op = l->op,
                            .level = LANG_STEP_ANY,
                            .text = str_from(l->text)};
    if (l->kind == LANG_STEP_VAR) {
        s->program = str_from(l->resource);
        s->path = str_from(l->member);
        s->type.kind = LANG_TYPE_INT;
        s->value.i = (int64_t)l->number;
        return;
    }
    if (!l->resource)
        return;
    s->resource = lang_site_named(site, "device", str_from(l->resource));
    REQUIRE(s->resource != NULL);
    const struct lang_member *m = member_of(s->resource->type, l);
    s->member = m ? m->index : LANG_STEP_ANY;
    arg->f = l->number;
    s->args = arg;
    s->args_n = s->has_args = l->has_args;
    if (m && m->role == LANG_CLAUSE_READABLE)
        s->type = m->type;
    if (s->type.kind == LANG_TYPE_BOOL)
        s->value.i = l->number != 0;
    else
        s->value.f = l->number;
}

enum { LINES_MAX = 32 };

/* Plays the lines; `out` gets what is printed. */
static void play_start(const char *text, const struct line *lines, size_t n, uint32_t start_s,
                       struct strbuf *out, bool json)
{
    struct lang_site *site = site_of(text);
    struct lang_step steps[LINES_MAX];
    union lang_slot args[LINES_MAX];
    struct trial t;
    struct error e = {0};
    REQUIRE(n <= LINES_MAX);
    for (size_t i = 0; i < n; i++)
        make_step(site, &lines[i], &steps[i], &args[i]);
    const struct lang_test test = {
        .name = STR("a test"), .line = 1, .steps = steps, .steps_n = n, .start_s = start_s};
    log_set_level(LOG_ERROR);
    REQUIRE(CHECK_EQ_INT(trial_run(&t, site, &test, &e), ERR_OK));
    log_set_level(LOG_INFO);
    strbuf_init(out, alloc_system(), 0);
    if (json)
        trial_json(out, &t);
    else
        trial_print(out, &t);
    trial_fini(&t);
    lang_site_free(site);
}

static void play(const struct line *lines, size_t n, const char *want)
{
    struct strbuf out;
    play_start(site_text, lines, n, 0, &out, false);
    CHECK_EQ_STR(out.p, want);
    strbuf_fini(&out);
}

#define OK "ok   \"a test\" (t.sedge:1)\n"

TEST(a_hold_time_is_kept_to_the_second)
{
    static const struct line lines[] = {
        {.kind = LANG_STEP_SET, .resource = "press", .member = "temp", .number = 85},
        {9000, LANG_STEP_ACTION, .no = true, .resource = "valve"},
        {10000, LANG_STEP_ACTION, .resource = "valve", .member = "open"},
        {10000, LANG_STEP_VALUE, .resource = "valve", .member = "position", .op = LANG_GT,
         .number = 90},
        {10000, LANG_STEP_VAR, .resource = "guard", .member = "guard/opened", .op = LANG_EQ,
         .number = 1},
        {3600000, LANG_STEP_HOST, .no = true, .text = ""}, /* an hour of fresh samples */
        {3600000, LANG_STEP_SET, .resource = "press", .member = "temp", .number = 20},
        {3600000, LANG_STEP_ACTION, .resource = "valve", .member = "close"},
        {3600000, LANG_STEP_VALUE, .resource = "valve", .member = "position", .op = LANG_LT,
         .number = 5},
    };
    play(lines, ARRAY_LEN(lines), OK);
}

TEST(what_a_test_does_not_mention_is_quiet_and_what_it_silences_is_stale)
{
    static const struct line nothing[] = {{60000, LANG_STEP_HOST, .no = true, .text = ""}};
    play(nothing, 1, OK);
    static const struct line silent[] = {
        {0, LANG_STEP_SILENT, .resource = "press", .member = "temp"},
        {4900, LANG_STEP_HOST, .no = true, .text = ""},
        {5000, LANG_STEP_HOST, .text = "thermometer"},
    };
    play(silent, ARRAY_LEN(silent), OK);
    static const struct line later[] = {
        {0, LANG_STEP_SET, .resource = "press", .member = "temp", .number = 20},
        {60000, LANG_STEP_SILENT, .resource = "press", .member = "temp"},
        {60000, LANG_STEP_HOST, .no = true, .text = ""},
        {65000, LANG_STEP_HOST, .text = "thermometer"},
    };
    play(later, ARRAY_LEN(later), OK);
}

TEST(commands_and_their_arguments)
{
    static const struct line lines[] = {
        {0, LANG_STEP_SET, .resource = "press", .member = "temp", .number = 120},
        {0, LANG_STEP_ACTION, .resource = "belt", .member = "stop"},
        {0, LANG_STEP_ACTION, .no = true, .resource = "belt", .member = "start"},
        {0, LANG_STEP_HOST, .text = "120 °C"},
        {0, LANG_STEP_SET, .resource = "press", .member = "temp", .number = 85},
        {0, LANG_STEP_ACTION, .resource = "belt", .member = "start", .number = 0.4,
         .has_args = true},
        {0, LANG_STEP_ACTION, .no = true, .resource = "belt", .member = "start", .number = 0.5,
         .has_args = true},
        {0, LANG_STEP_ACTION, .no = true, .resource = "belt",
         .member = "stop"}, /* that was before */
        {0, LANG_STEP_VALUE, .resource = "belt", .member = "speed", .op = LANG_EQ, .number = 0.4},
    };
    play(lines, ARRAY_LEN(lines), OK);
}

TEST(a_device_that_refuses)
{
    static const struct line lines[] = {
        {0, LANG_STEP_REFUSES, .resource = "belt"},
        {0, LANG_STEP_SET, .resource = "press", .member = "temp", .number = 120},
        {0, LANG_STEP_ACTION, .resource = "belt", .member = "stop"},
        {1000, LANG_STEP_HOST, .no = true, .text = "obey"},
        {20000, LANG_STEP_HOST, .text = "belt does not obey"},
    };
    play(lines, ARRAY_LEN(lines), OK);
}

TEST(what_happened_instead)
{
    static const struct line early[] = {
        {0, LANG_STEP_SET, .resource = "press", .member = "temp", .number = 85},
        {7000, LANG_STEP_ACTION, .resource = "valve", .member = "open"},
        {7000, LANG_STEP_VALUE, .resource = "valve", .member = "position", .op = LANG_GT,
         .number = 90},
    };
    play(early, ARRAY_LEN(early),
         "FAIL \"a test\" (t.sedge:1)\n"
         "  --> t.sedge:1:1\n"
         "   1 | site \"s\"\n"
         "     | ^^^^^^ from 0 s to 7 s: it did not happen\n"
         "  nothing happened in that time\n"
         "  nearly:\n"
         "    t.sedge:18 when temp > 80 °C for 10s held 7 s of 10 s\n"
         "  --> t.sedge:1:1\n"
         "   1 | site \"s\"\n"
         "     | ^^^^^^ at 7 s: it has no value\n"
         "\n");
    static const struct line hot[] = {
        {0, LANG_STEP_SET, .resource = "press", .member = "temp", .number = 120},
        {0, LANG_STEP_ACTION, .no = true, .resource = "belt"},
    };
    play(hot, ARRAY_LEN(hot),
         "FAIL \"a test\" (t.sedge:1)\n"
         "  --> t.sedge:1:1\n"
         "   1 | site \"s\"\n"
         "     | ^^^^^^ at 0 s: it did happen\n"
         "  what happened:\n"
         "    at 0 s: belt.stop(), by t.sedge:20 when temp > 100 °C (press.temp = 120 °C)\n"
         "    at 0 s: alert critical \"120 °C is too hot\", by t.sedge:20 when temp > 100 °C "
         "(press.temp = 120 °C)\n"
         "\n");
}

TEST(a_condition_that_held_in_vain)
{
    static const struct line lines[] = {
        {0, LANG_STEP_SET, .resource = "press", .member = "temp", .number = 85},
        {6000, LANG_STEP_SET, .resource = "press", .member = "temp", .number = 70},
        {20000, LANG_STEP_ACTION, .resource = "valve"},
    };
    struct strbuf out;
    play_start(site_text, lines, ARRAY_LEN(lines), 0, &out, true);
    CHECK_HAS_STR(out.p, "\"nearly\":[{\"rule\":\"guard/when#1\",\"line\":18,\"held_ms\":6000,"
                         "\"hold_ms\":10000}]");
    CHECK_HAS_STR(out.p, "\"passed\":false,\"expects\":1,");
    CHECK_HAS_STR(out.p, "\"from_ms\":0,\"to_ms\":20000,\"actual\":null,\"happened\":[]");
    strbuf_fini(&out);
}

/* A day in which something happens each minute. */
TEST(a_day_passes)
{
    static const char day[] =
        "site \"s\"\nmodel Press { property temp: °C }\n"
        "device press: Press { via mqtt \"press\" json }\n"
        "program counts {\n  read temp: °C = press.temp stale 5s\n  var minutes = 0\n"
        "  every 1min { minutes = minutes + 1 }\n"
        "  when stale temp { alert warning \"lost\" }\n}\n";
    static const struct line lines[] = {
        {0, LANG_STEP_SET, .resource = "press", .member = "temp", .number = 20},
        {86400000, LANG_STEP_VAR, .resource = "counts", .member = "counts/minutes", .op = LANG_EQ,
         .number = 1440},
        {86400000, LANG_STEP_HOST, .no = true, .text = ""},
    };
    struct strbuf out;
    play_start(day, lines, ARRAY_LEN(lines), 0, &out, false);
    CHECK_EQ_STR(out.p, OK);
    strbuf_fini(&out);
}
