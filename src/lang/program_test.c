/* What a checked program says of itself: rules, leases, what it lends, variables, and the steps of
 * tests. */
#include "lang/lang_fixture.h"

static struct lang_site *load(const char *text)
{
    struct lang_site *site = fixture_check(text, false);
    REQUIRE(site != NULL);
    struct strbuf said;
    strbuf_init(&said, alloc_system(), 0);
    for (size_t i = 0; i < site->diags_n; i++)
        if (site->diags[i].severity == LANG_ERROR)
            lang_diag_render(&said, site, &site->diags[i], false);
    CHECK_EQ_STR(said.n ? said.p : "", "");
    strbuf_fini(&said);
    REQUIRE(CHECK_EQ_UINT(site->errors, 0));
    return site;
}

static bool is(struct str s, const char *want)
{
    return str_eq(s, str_from(want));
}

static const struct lang_rule *rule_at(const struct lang_program *p, const char *path)
{
    for (size_t i = 0; i < p->rules_n; i++)
        if (is(p->rules[i].path, path))
            return &p->rules[i];
    REQUIRE(!"a rule of that path");
    return NULL;
}

static const char rules_text[] =
    "program p {\n"
    "  own v: Valve = gate\n"
    "  read t: °C = press.temperature stale 5s\n"
    "  var n = 0\n"
    "  when t > 80 °C and n > 1 for 2s { n += 1 } until stale t for 3s { sleep 1s }\n"
    "  every 15min restart { sleep 1s }\n"
    "  at 05:30:15 on mon, sun missed run queued 5 { sleep 1s }\n"
    "  at 06:00 { n = 0 }\n"
    "  when changed t { n = 2 }\n"
    "  on press.jam { n = 3 }\n"
    "  on \"told\" as x: int { n = x }\n"
    "  idle v { v.close() else skip }\n"
    "  publish \"told\" 5\n"
    "}\n";

TEST(rules_say_when_and_how_they_run)
{
    struct lang_site *site = load(rules_text);
    const struct lang_program *p = site->programs[0];
    REQUIRE(CHECK_EQ_UINT(p->rules_n, 9));
    const struct lang_rule *r = rule_at(p, "p/when#1");
    CHECK_EQ_INT(r->kind, LANG_RULE_WHEN);
    CHECK_EQ_INT(r->hold_ms, 2000);
    CHECK_EQ_INT(r->until_hold_ms, 3000);
    CHECK(!r->suspends && r->until_suspends && r->uses_stale);
    CHECK(is(r->text, "when t > 80 °C and n > 1 for 2s"));
    CHECK_EQ_UINT(r->reads_n, 1);
    CHECK_EQ_UINT(r->vars_n, 1);
    CHECK_EQ_UINT(r->until_reads_n, 1);
    CHECK(r->condition != LANG_NO_CHUNK && r->body != LANG_NO_CHUNK);
    r = rule_at(p, "p/every#1");
    CHECK_EQ_INT(r->every_ms, 900000);
    CHECK_EQ_INT(r->mode, LANG_MODE_RESTART);
    CHECK(r->suspends);
    r = rule_at(p, "p/at#1");
    CHECK_EQ_INT(r->kind, LANG_RULE_AT);
    CHECK_EQ_UINT(r->at_s, 5 * 3600 + 30 * 60 + 15);
    CHECK_EQ_UINT(r->at_days, 0x41);
    CHECK_EQ_INT(r->missed, LANG_MISSED_RUN);
    CHECK_EQ_INT(r->mode, LANG_MODE_QUEUED);
    CHECK_EQ_UINT(r->queued_max, 5);
    r = rule_at(p, "p/at#2");
    CHECK_EQ_UINT(r->at_days, 0x7F);
    CHECK(!r->missed && !r->suspends);
    CHECK_EQ_INT(rule_at(p, "p/start#1")->kind, LANG_RULE_START);
    lang_site_free(site);
}

TEST(a_condition_on_an_element_waits_for_all)
{
    struct lang_site *site =
        load("group two = press.coolant, oven.coolant\nprogram p { own v: list<Valve> = two\n"
             "var n = 0\n when v[n].position > 5 % { n = 1 } }\n");
    const struct lang_program *p = site->programs[0];
    const struct lang_rule *r = rule_at(p, "p/when#1");
    REQUIRE(CHECK_EQ_UINT(r->reads_n, 2));
    for (size_t i = 0; i < 2; i++) {
        const struct lang_binding *b = &p->bindings[r->reads[i]], *own = &p->bindings[i];
        CHECK_EQ_INT(b->kind, LANG_BIND_READ);
        CHECK(b->resource == own->resource && is(b->member_name, "position"));
        REQUIRE(CHECK_EQ_INT(own->kind, LANG_BIND_OWN) && CHECK_EQ_UINT(own->behind_n, 1));
        CHECK(p->bindings[own->behind].resource == own->resource);
    }
    lang_site_free(site);
}

TEST(rules_say_what_they_wait_for)
{
    struct lang_site *site = load(rules_text);
    const struct lang_program *p = site->programs[0];
    const struct lang_rule *r = rule_at(p, "p/changed#1");
    CHECK_EQ_INT(r->kind, LANG_RULE_CHANGED);
    CHECK_EQ_UINT(r->reads_n, 1);
    CHECK(r->condition != LANG_NO_CHUNK);
    r = rule_at(p, "p/on#1");
    REQUIRE(CHECK_EQ_INT(r->kind, LANG_RULE_SIGNAL));
    REQUIRE(r->signal < p->bindings_n);
    const struct lang_binding *b = &p->bindings[r->signal];
    CHECK_EQ_INT(b->kind, LANG_BIND_SIGNAL);
    CHECK(is(b->resource->name, "press"));
    CHECK(is(b->member_name, "jam"));
    CHECK_EQ_UINT(b->member, 0);
    r = rule_at(p, "p/on#2");
    CHECK_EQ_INT(r->kind, LANG_RULE_MESSAGE);
    CHECK(is(r->subject, "told"));
    CHECK_EQ_INT(r->message.kind, LANG_TYPE_INT);
    r = rule_at(p, "p/idle#1");
    CHECK_EQ_INT(r->kind, LANG_RULE_IDLE);
    CHECK(is(p->bindings[r->signal].name, "v"));
    lang_site_free(site);
}

TEST(leases_and_lends_are_listed)
{
    struct lang_site *site =
        load("program keeper {\n"
             "  own v: Valve = gate; own w: Valve = press.coolant; own x: Valve = oven.coolant\n"
             "  lend v to a priority 5 max 30min, operator priority 2 max 1min\n"
             "  lend w to a\n"
             "  lend x to operator never\n"
             "}\n"
             "program a {\n"
             "  var t = 5min\n"
             "  every 1h { lease v = keeper.v for 20min wait 10min { v.open() } revoked { } }\n"
             "  every 2h { lease w = keeper.w for t { w.open() } revoked why { alert info why } }\n"
             "}\n");
    const struct lang_program *k = site->programs[0], *a = site->programs[1];
    REQUIRE(CHECK_EQ_UINT(k->lends_n, 4));
    CHECK(is(k->lends[0].to, "a") && is(k->lends[1].to, ""));
    CHECK_EQ_INT(k->lends[0].priority, 5);
    CHECK_EQ_INT(k->lends[0].max_ms, 1800000);
    CHECK_EQ_INT(k->lends[1].priority, 2);
    CHECK_EQ_INT(k->lends[1].max_ms, 60000);
    CHECK_EQ_INT(k->lends[2].max_ms, 0);
    CHECK(k->lends[2].priority > 0);
    CHECK_EQ_INT(k->lends[3].priority, -1);
    CHECK(is(k->bindings[k->lends[3].binding].name, "x"));
    REQUIRE(CHECK_EQ_UINT(a->leases_n, 2));
    CHECK(is(a->leases[0].from, "keeper"));
    CHECK(is(a->leases[0].path, "a/v"));
    CHECK_EQ_INT(a->leases[0].for_ms, 1200000);
    CHECK_EQ_INT(a->leases[0].wait_ms, 600000);
    CHECK_EQ_INT(a->leases[1].for_ms, -1);
    CHECK_EQ_INT(a->leases[1].wait_ms, 0);
    const struct lang_binding *b = &a->bindings[a->leases[1].binding];
    CHECK_EQ_INT(b->kind, LANG_BIND_LEASE);
    CHECK(is(b->resource->name, "press.coolant"));
    lang_site_free(site);
}

TEST(what_is_owned_is_listed)
{
    struct lang_site *site =
        load("program a { own v: Valve = gate; own all: list<Station> = stations }\n");
    static const char *const owns[] = {"gate", "press", "oven", "packer"};
    static const char *const names[] = {"v", "all=press", "all=oven", "all=packer"};
    const struct lang_program *p = site->programs[0];
    REQUIRE(CHECK_EQ_UINT(p->owns_n, ARRAY_LEN(owns)));
    REQUIRE(CHECK_EQ_UINT(p->bindings_n, ARRAY_LEN(owns)));
    for (size_t i = 0; i < ARRAY_LEN(owns); i++) {
        CHECK(is(p->owns[i]->name, owns[i]));
        CHECK(is(p->owns[i]->owner ? str_from(p->owns[i]->owner) : STR(""), "a"));
        CHECK(p->bindings[i].resource == p->owns[i]);
        CHECK(is(p->bindings[i].name, names[i]));
        CHECK_EQ_INT(p->bindings[i].kind, LANG_BIND_OWN);
    }
    lang_site_free(site);
}

TEST(stable_paths_are_all_different)
{
    struct lang_site *site = load(
        "program p {\n"
        "  for st in heated { read t: °C = st.temperature stale 5s; var n = 0; every 1s { } }\n"
        "  for st in heated { read t: % = st.load stale 5s; var n = 0; every 1s { } }\n"
        "}\n");
    static const char *const binds[] = {"p/st=press/t", "p/st=oven/t", "p/st=press/t#2",
                                        "p/st=oven/t#2"};
    static const char *const vars[] = {"p/st=press/n", "p/st=oven/n", "p/st=press/n#2",
                                       "p/st=oven/n#2"};
    static const char *const rules[] = {"p/st=press/every#1", "p/st=oven/every#1",
                                        "p/st=press/every#2", "p/st=oven/every#2"};
    const struct lang_program *p = site->programs[0];
    REQUIRE(p->bindings_n == 4 && p->vars_n == 4 && p->rules_n == 4);
    for (size_t i = 0; i < 4; i++) {
        CHECK(is(p->bindings[i].path, binds[i]));
        CHECK(is(p->vars[i].path, vars[i]));
        CHECK(is(p->rules[i].path, rules[i]));
    }
    lang_site_free(site);
}

static const char test_text[] = "enum Mode { eco, away }\n"
                                "program p { var n = 1; var m = Mode.eco; var t = 5 °C\n"
                                "  for st in heated { own v: Valve = st.coolant } }\n"
                                "test \"a day\" {\n"
                                "  start 06:30 on wed\n"
                                "  press.temperature = 212 °F\n"
                                "  press.mode = \"auto\"\n"
                                "  after 9s { expect no action gate; press.load stale }\n"
                                "  after 2s { expect action gate.set(50 %, 2min); gate refuses\n"
                                "    after 1s { press.jam() } }\n"
                                "  at 06:30 { expect gate.position >= 0.5 kW / 1 kW }\n"
                                "  at 06:31 { expect var p.m != Mode.away; expect var p.t > 0 °C; "
                                "expect no alert warning \"hot\" }\n"
                                "}\n";

TEST(tests_become_steps)
{
    struct lang_site *site = load(test_text);
    REQUIRE(CHECK_EQ_UINT(site->tests_n, 1));
    const struct lang_test *t = site->tests[0];
    CHECK(is(t->name, "a day"));
    CHECK_EQ_UINT(t->start_s, 6 * 3600 + 30 * 60);
    CHECK_EQ_UINT(t->start_day, 2);
    static const struct {
        enum lang_step_kind kind;
        int64_t at_ms;
    } want[] = {
        {LANG_STEP_SET, 0},         {LANG_STEP_SET, 0},         {LANG_STEP_PASS, 9000},
        {LANG_STEP_ACTION, 9000},   {LANG_STEP_SILENT, 9000},   {LANG_STEP_PASS, 11000},
        {LANG_STEP_ACTION, 11000},  {LANG_STEP_REFUSES, 11000}, {LANG_STEP_PASS, 12000},
        {LANG_STEP_EVENT, 12000},   {LANG_STEP_PASS, 86400000}, {LANG_STEP_VALUE, 86400000},
        {LANG_STEP_PASS, 86460000}, {LANG_STEP_VAR, 86460000},  {LANG_STEP_VAR, 86460000},
        {LANG_STEP_HOST, 86460000},
    };
    REQUIRE(CHECK_EQ_UINT(t->steps_n, ARRAY_LEN(want)));
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        LABEL("step %zu", i);
        CHECK_EQ_INT(t->steps[i].kind, want[i].kind);
        CHECK_EQ_INT(t->steps[i].at_ms, want[i].at_ms);
    }
    lang_site_free(site);
}

TEST(steps_hold_values_in_the_units_of_members)
{
    struct lang_site *site = load(test_text);
    const struct lang_step *s = site->tests[0]->steps;
    CHECK_EQ_DBL(s[0].value.f, 100, 1e-9); /* 212 °F in °C */
    CHECK(is(s[0].resource->name, "press"));
    CHECK_EQ_UINT(s[0].member, 0);
    CHECK(is(s[1].text, "auto"));
    CHECK(s[3].no && s[3].member == LANG_STEP_ANY && !s[3].has_args);
    REQUIRE(s[6].has_args && s[6].args_n == 2);
    CHECK_EQ_DBL(s[6].args[0].f, 50, 1e-9);
    CHECK_EQ_DBL(s[6].args[1].f, 120, 1e-9);
    CHECK_EQ_INT(s[11].op, LANG_GE);
    CHECK_EQ_DBL(s[11].value.f, 50, 1e-9);
    CHECK_EQ_INT(s[13].value.i, 1);
    CHECK(is(s[13].program, "p") && is(s[13].path, "p/m"));
    CHECK_EQ_DBL(s[14].value.f, 273.15, 1e-9); /* a variable's value is in base units */
    CHECK_EQ_UINT(s[15].level, 1);
    CHECK(s[15].no && is(s[15].text, "hot"));
    lang_site_free(site);
}

TEST(types_are_written_as_in_source)
{
    struct lang_site *site =
        load("record R { a: int }\n"
             "program p { var x: map<str, list<°C?>> = [:]; var c = chan<R>(2)\n"
             "  let f = fn(a: int, b: str) -> R? { return none }\n"
             "  let g = chan<own Valve>(1) }\n");
    static const char *const want[] = {"map<str, list<°C?>>", "chan<R>", "fn(int, str) -> R?",
                                       "chan<own Valve>"};
    const struct lang_program *p = site->programs[0];
    REQUIRE(CHECK_EQ_UINT(p->vars_n, ARRAY_LEN(want)));
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        struct strbuf b;
        strbuf_init(&b, alloc_system(), 0);
        lang_type_print(&b, &p->vars[i].type);
        CHECK_EQ_STR(b.p, want[i]);
        CHECK(p->vars[i].has_init_code);
        strbuf_fini(&b);
    }
    REQUIRE(CHECK_EQ_UINT(site->records_n, 1));
    CHECK(is(site->records[0]->name, "R"));
    lang_site_free(site);
}
