/* Tests as steps: what their statements become, and what is refused. */
#include "lang/lang_fixture.h"

#include <stdio.h>

static const char program[] = "program p {\n  var n = 0\n  var hot = 80 °C\n  var name = \"x\"\n"
                              "  every 1h { n = n + 1 }\n}\n";

static void add_value(struct strbuf *b, const struct lang_type *t, union lang_slot v,
                      struct str text)
{
    if (t->kind == LANG_TYPE_FLOAT)
        strbuf_add_double(b, v.f);
    else if (t->kind == LANG_TYPE_STR)
        strbuf_addf(b, "\"%.*s\"", STR_FMT(text));
    else
        strbuf_add_i64(b, v.i);
}

static void add_target(struct strbuf *b, const struct lang_step *s, enum lang_clause_role role)
{
    strbuf_addf(b, " %.*s", STR_FMT(s->resource->name));
    if (s->member == LANG_STEP_ANY)
        return;
    const struct lang_member *m = lang_decl_member_at(s->resource->type, role, s->member);
    strbuf_addf(b, ".%.*s", STR_FMT(m->name));
    for (size_t i = 0; i < s->args_n; i++) {
        strbuf_adds(b, i ? ", " : "(");
        add_value(b, &m->params[i].type, s->args[i], s->arg_texts[i]);
    }
    strbuf_adds(b, s->args_n ? ")" : s->has_args ? "()" : "");
}

static void add_compared(struct strbuf *b, const struct lang_step *s)
{
    static const char *const signs[] = {"==", "!=", "<", "<=", ">", ">="};
    strbuf_addf(b, " %s ", s->kind == LANG_STEP_SET ? "=" : signs[s->op]);
    add_value(b, &s->type, s->value, s->text);
}

static void add_step(struct strbuf *b, const struct lang_step *s)
{
    static const char *const words[] = {"set",  "silent", "refuses", "event", "action",
                                        "host", "value",  "var",     "pass"};
    strbuf_addf(b, "%lld %s%s", (long long)s->at_ms, s->no ? "no " : "", words[s->kind]);
    switch (s->kind) {
    case LANG_STEP_SET:
    case LANG_STEP_SILENT: add_target(b, s, LANG_CLAUSE_READABLE); break;
    case LANG_STEP_REFUSES: strbuf_addf(b, " %.*s", STR_FMT(s->resource->name)); break;
    case LANG_STEP_EVENT: add_target(b, s, LANG_CLAUSE_SIGNAL); break;
    case LANG_STEP_ACTION: add_target(b, s, LANG_CLAUSE_COMMAND); break;
    case LANG_STEP_HOST:
        strbuf_addf(b, " %u %d \"%.*s\"", s->host, s->level == LANG_STEP_ANY ? -1 : (int)s->level,
                    STR_FMT(s->text));
        break;
    case LANG_STEP_VALUE: add_target(b, s, LANG_CLAUSE_READABLE); break;
    case LANG_STEP_VAR: strbuf_addf(b, " %.*s", STR_FMT(s->path)); break;
    case LANG_STEP_PASS: break;
    }
    if (s->kind == LANG_STEP_VALUE || s->kind == LANG_STEP_VAR || s->kind == LANG_STEP_SET)
        add_compared(b, s);
    strbuf_adds(b, "; ");
}

/* The steps of the first test, or the codes and places of the messages. */
static void render(const struct lang_site *site, struct strbuf *out)
{
    for (size_t i = 0; i < site->diags_n; i++) {
        const struct lang_diag *d = &site->diags[i];
        strbuf_addf(out, "%.*s %u:%u; ", STR_FMT(d->code), d->marks[0].line, d->marks[0].column);
    }
    const struct lang_test *t = site->errors || site->tests_n == 0 ? NULL : site->tests[0];
    if (t && (t->start_s || t->start_day))
        strbuf_addf(out, "start %u on %u; ", t->start_s, t->start_day);
    for (size_t i = 0; t && i < t->steps_n; i++)
        add_step(out, &t->steps[i]);
}

/* `want` behind the case on the first line. Places are in the test, which is line 1. */
static void run(const char *body, const char *want)
{
    char text[2048];
    struct strbuf got;
    (void)snprintf(text, sizeof(text), "test \"t\" { %s }\n%s", body, program);
    struct lang_site *site = fixture_check(text, false);
    REQUIRE(site != NULL);
    strbuf_init(&got, alloc_system(), 0);
    render(site, &got);
    CHECK_EQ_STR(got.p, want);
    strbuf_fini(&got);
    lang_site_free(site);
}

static const struct {
    const char *body, *want;
} steps[] = {
    {"press.temperature = 85 °C", "0 set press.temperature = 85; "},
    {"press.temperature = 185 °F", "0 set press.temperature = 85; "}, /* in the property's unit */
    {"press.load = 50 %; press.parts = 3", "0 set press.load = 50; 0 set press.parts = 3; "},
    {"press.running = true; press.mode = \"x\"",
     "0 set press.running = 1; 0 set press.mode = \"x\"; "},
    {"meter.price = 2", "0 set meter.price = 2; "}, /* an int where a float is wanted */
    {"press.temperature = 20 °C + 5 K", "0 set press.temperature = 25; "},
    {"press.temperature stale", "0 silent press.temperature; "},
    {"press.coolant refuses", "0 refuses press.coolant; "},
    {"press.jam()", "0 event press.jam; "},
    {"after 9s { expect no action gate }\nafter 2s { expect action gate.open() }",
     "9000 pass; 9000 no action gate; 11000 pass; 11000 action gate.open(); "},
    {"after 1s { after 1s { }; expect action gate.open }",
     "1000 pass; 2000 pass; 2000 action gate.open; "},
    {"after 1s { after 1s { }; expect alert }", "1000 pass; 2000 pass; 2000 host 0 -1 \"\"; "},
    {"expect action gate.set(50 %, 1min)", "0 action gate.set(50, 60); "},
    {"expect action gate.set", "0 action gate.set; "}, /* any arguments */
    {"expect no alert critical \"hot\"", "0 no host 0 2 \"hot\"; "},
    {"expect press.temperature > 20 °C", "0 value press.temperature > 20; "},
    {"expect press.running; expect not press.running",
     "0 value press.running == 1; 0 value press.running == 0; "},
    {"expect press.mode != \"a\"", "0 value press.mode != \"a\"; "},
    {"expect var p.n == 3; expect var p.name == \"x\"", "0 var p/n == 3; 0 var p/name == \"x\"; "},
    {"expect var p.hot >= 80 °C", "0 var p/hot >= 353.15; "},
    {"start 05:55 on sat; at 06:00 { expect alert }",
     "start 21300 on 5; 300000 pass; 300000 host 0 -1 \"\"; "},
    {"start 06:00; at 06:00 { }; after 1s { }; at 06:00 { }",
     "start 21600 on 0; 0 pass; 1000 pass; 86400000 pass; "},
    {"at 01:00 { }; at 00:30 { }", "3600000 pass; 88200000 pass; "},
};

static const struct {
    const char *body, *want;
} refused[] = {
    {"pres.temperature = 1 °C", "N1 1:12; "},
    {"press.temprature = 1 °C", "N1 1:18; "},
    {"press = 1 °C", "T1 1:12; "},
    {"press.temperature = 1 bar", "U1 1:32; "},
    {"press.running = 1", "T1 1:28; "},
    {"press.temperature refuses", "T1 1:12; "},
    {"press stale", "T1 1:12; "},
    {"press.open()", "N1 1:18; "},
    {"press.jam(1)", "T1 1:12; "},
    {"after 5 bar { }", "U1 1:18; "},
    {"after 5 { }", "U1 1:18; "},
    {"after 1s { start 05:00 }", "P1 1:23; "},
    {"start 05:00 on weekdays", "P1 1:12; "},
    {"expect action gate.opn()", "N1 1:31; "},
    {"expect action gate.set(1 %)", "T1 1:26; "},
    {"expect action gate.set()", "T1 1:26; "},
    {"expect action gate.set(1 bar, 1s)", "U1 1:35; "},
    {"expect action press.temperature", "N1 1:32; "},
    {"expect press.temperature + 1 K", "T1 1:19; "},
    {"expect press.temperature", "T1 1:19; "},
    {"expect press.running < true", "T1 1:19; "},
    {"expect press.mode > \"a\"", "T1 1:19; "},
    {"expect var n == 1", "N1 1:23; "},
    {"expect var p.m == 1", "N1 1:25; "},
    {"expect var q.n == 1", "N1 1:23; "},
    {"expect var p.hot == 1 bar", "U1 1:32; "},
    {"expect var p.hot == 353 K", "U1 1:32; "},
    {"after 99999h { }", "T1 1:12; "},
};

TEST(what_statements_become)
{
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        LABEL("%s", steps[i].body);
        run(steps[i].body, steps[i].want);
    }
}

TEST(what_is_refused)
{
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        LABEL("%s", refused[i].body);
        run(refused[i].body, refused[i].want);
    }
}

TEST(two_tests_of_one_name)
{
    struct lang_site *site = fixture_check("test \"a\" { }\ntest \"a\" { }\n", false);
    REQUIRE(site != NULL);
    CHECK_EQ_UINT(site->errors, 1);
    lang_site_free(site);
}
