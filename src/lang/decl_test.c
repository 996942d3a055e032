/* What a host gets back for its declarations: the tree that a site is loaded from. */
#include "lang/lang_fixture.h"

#include <stdio.h>
#include <string.h>

static const char text[] =
    "site \"plant north\"\n"
    "server {\n"
    "  mqtt 127.0.0.1:1883  // a comment\n"
    "  mqtt [2001:db8::1]:8883 tls passwords \"pass.txt\"\n"
    "  mqtt 0.0.0.0:0 passwords \"p\" tls; mqtt sub.host-1.example:65535\n"
    "  store \"data\" { commit 60s }\n"
    "}\n"
    "model Valve {\n"
    "  property position: %  range 0..100\n"
    "  property flow: l/min  range -0.5 l/min..1 m3/h\n"
    "  property open: bool\n"
    "  event stuck\n"
    "  action set(to: %, over: duration, note: str)  confirms position >= 50 ‰\n"
    "  action close()  confirms not open\n"
    "  safe close()\n"
    "}\n"
    "device a.v1: Valve { id \"urn:1\"; via mqtt \"x/y\" json }\n"
    "device a.v2: Valve {\n"
    "  via bus \"tcp://plc1:502\" { position = input 0 scale 0.1; set = holding -4 \"raw text\"\n"
    "    close = holding 7 bit 3 off; flow = input 1; open = coil 4 }\n"
    "}\n"
    "group a.all = a.v1, a.v2\n";

static struct lang_site *load(void)
{
    struct lang_site *site = fixture_check(text, true);
    REQUIRE(site != NULL);
    struct strbuf said;
    strbuf_init(&said, alloc_system(), 0);
    for (size_t i = 0; i < site->diags_n; i++)
        lang_diag_render(&said, site, &site->diags[i], false);
    CHECK_EQ_STR(said.p, "");
    strbuf_fini(&said);
    return site;
}

static bool is(struct str s, const char *want)
{
    return str_eq(s, str_from(want));
}

TEST(servers_and_addresses)
{
    struct lang_site *site = load();
    CHECK(is(lang_site_decl(site, "site", 0)->name, "plant north"));
    const struct lang_decl *server = lang_site_decl(site, "server", 0);
    REQUIRE(server != NULL);
    static const struct {
        const char *host;
        uint16_t port;
        bool tls;
        const char *passwords;
    } want[] = {
        {"127.0.0.1", 1883, false, ""},
        {"2001:db8::1", 8883, true, "pass.txt"},
        {"0.0.0.0", 0, true, "p"},
        {"sub.host-1.example", 65535, false, ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        const struct lang_clause_decl *c = lang_decl_clause(server, "mqtt", NULL, i);
        REQUIRE(c != NULL);
        CHECK(is(lang_clause_value(c, "address")->text, want[i].host));
        CHECK_EQ_UINT(lang_clause_value(c, "address")->port, want[i].port);
        CHECK((lang_clause_value(c, "tls")->kind == LANG_ARG_FLAG) == want[i].tls);
        CHECK(is(lang_clause_value(c, "passwords")->text, want[i].passwords));
    }
    CHECK(lang_decl_clause(server, "mqtt", NULL, 4) == NULL);
    const struct lang_clause_decl *store = lang_decl_clause(server, "store", NULL, 0);
    REQUIRE(store != NULL);
    lang_site_free(site);
}

TEST(blocks_hold_clauses)
{
    struct lang_site *site = load();
    const struct lang_decl *server = lang_site_decl(site, "server", 0);
    const struct lang_value *block =
        lang_clause_value(lang_decl_clause(server, "store", NULL, 0), "options");
    CHECK_EQ_INT(block->kind, LANG_ARG_BLOCK);
    const struct lang_clause_decl *commit = lang_value_clause(block, "commit", 0);
    REQUIRE(commit != NULL);
    CHECK_EQ_DBL(lang_clause_value(commit, "time")->number, 60, 1e-12);
    CHECK(lang_value_clause(block, "commit", 1) == NULL);
    lang_site_free(site);
}

TEST(models_have_typed_members)
{
    struct lang_site *site = load();
    const struct lang_decl *m = lang_site_named(site, "model", STR("Valve"));
    REQUIRE(m != NULL);
    CHECK_EQ_UINT(m->readables_n, 3);
    CHECK_EQ_UINT(m->commands_n, 2);
    CHECK_EQ_UINT(m->signals_n, 1);
    const struct lang_member *flow = lang_decl_member(m, LANG_CLAUSE_READABLE, STR("flow"));
    REQUIRE(flow != NULL);
    CHECK_EQ_UINT(flow->index, 1);
    CHECK(is(lang_type_name(&flow->type), "l/min"));
    const struct lang_value *range = lang_clause_value(flow->clause, "range");
    CHECK_EQ_DBL(range->lo, -0.5, 1e-12);
    CHECK_EQ_DBL(range->hi, 1000.0 / 60, 1e-9);
    CHECK_EQ_INT(
        lang_clause_value(lang_decl_member(m, LANG_CLAUSE_READABLE, STR("open"))->clause, "range")
            ->kind,
        LANG_ARG_NONE);
    const struct lang_member *set = lang_decl_member_at(m, LANG_CLAUSE_COMMAND, 0);
    ASSERT(set);
    REQUIRE(set->confirms != NULL);
    REQUIRE(CHECK_EQ_UINT(set->params_n, 3));
    CHECK(is(set->params[1].name, "over"));
    CHECK_EQ_INT(set->params[1].type.kind, LANG_TYPE_FLOAT);
    CHECK(is(set->params[1].type.unit.symbol, "s"));
    const struct lang_condition *confirms = set->confirms;
    CHECK_EQ_UINT(confirms->member, 0);
    CHECK_EQ_INT(confirms->op, LANG_GE);
    CHECK_EQ_DBL(confirms->value, 5, 1e-12); /* in the property's unit */
    CHECK(is(confirms->text, "position >= 50 ‰"));
    const struct lang_member *close = lang_decl_member(m, LANG_CLAUSE_COMMAND, STR("close"));
    CHECK(m->safe == close);
    CHECK_EQ_UINT(close->confirms->member, 2);
    CHECK_EQ_INT(close->confirms->op, LANG_EQ);
    CHECK_EQ_DBL(close->confirms->value, 0, 0);
    CHECK(lang_decl_member_at(m, LANG_CLAUSE_SIGNAL, 0) ==
          lang_decl_member(m, LANG_CLAUSE_SIGNAL, STR("stuck")));
    CHECK(lang_decl_member_at(m, LANG_CLAUSE_SIGNAL, 1) == NULL);
    lang_site_free(site);
}

/* "text" for text, {name*scale+offset} for a parameter, with r of round and j of json. */
static void print_pieces(struct strbuf *b, const struct lang_value *v)
{
    for (size_t i = 0; i < v->pieces_n; i++) {
        const struct lang_piece *p = &v->pieces[i];
        if (p->text.n)
            strbuf_addf(b, "%.*s", STR_FMT(p->text));
        else
            strbuf_addf(b, "<%u*%g+%g%s%s>", p->index, p->scale, p->offset, p->whole ? "r" : "",
                        p->json ? "j" : "");
    }
}

TEST(templates_are_text_and_parameters)
{
    static const struct {
        const char *payload, *pieces;
    } rows[] = {
        {"\"ON\"", "ON"},
        {"\"\"", ""},
        {"", ""},
        {"\"{y}\"", "<1*0+0>"},
        {"\"a{x}b{y}\"", "a<0*0+0>b<1*0+0>"},
        {"\"\\{{x * 2.5}\\}\"", "{<0*2.5+0>}"},
        {"\"{round(x * 2 + 1)}\"", "<0*2+1r>"},
        {"\"{100 - x}\"", "<0*-1+100>"},
        {"\"{-x / 4}\"", "<0*-0.25+0>"},
        {"\"{2 * (x - 3)}\"", "<0*2+-6>"},
        {"{ }", "{}"},
        {"{ a = 1 }", "{\"a\":1}"},
        {"{ a = -1.5; b = true; c = false; d = \"x\\\"y\" }",
         "{\"a\":-1.5,\"b\":true,\"c\":false,\"d\":\"x\\\"y\"}"},
        {"{ a = x; b = round(y * 2) }", "{\"a\":<0*0+0j>,\"b\":<1*2+0rj>}"},
        {"{ p.id = 0; p.q.on = true; p.q.off = x; z = 1 }",
         "{\"p\":{\"id\":0,\"q\":{\"on\":true,\"off\":<0*0+0j>}},\"z\":1}"},
        {"{ \"switch:0\".on = true; on = 1 }", "{\"switch:0\":{\"on\":true},\"on\":1}"},
        {"{\n a = 1\n b.c = 2\n}", "{\"a\":1,\"b\":{\"c\":2}}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char source[512];
        struct strbuf got;
        LABEL("%s", rows[i].payload);
        (void)snprintf(
            source, sizeof(source),
            "model M { property p: bool; action f(x: %%, y: int) confirms p; action g(); "
            "safe g() }\ndevice a: M { via mqtt \"a\" json\n"
            " action f(x, y) publish \"c\" %s\n}\n",
            rows[i].payload);
        struct lang_site *site = fixture_check(source, true);
        REQUIRE(site != NULL && CHECK_EQ_UINT(site->errors, 0));
        const struct lang_clause_decl *c =
            lang_decl_clause(lang_site_decl(site, "device", 0), "action", NULL, 0);
        REQUIRE(c != NULL);
        strbuf_init(&got, alloc_system(), 0);
        print_pieces(&got, lang_clause_value(c, "payload"));
        CHECK_EQ_STR(got.p ? got.p : "", rows[i].pieces);
        CHECK_EQ_UINT(lang_clause_value(c, "the action")->index, 0);
        strbuf_fini(&got);
        lang_site_free(site);
    }
}

TEST(resources_have_types_links_and_mappings)
{
    struct lang_site *site = load();
    REQUIRE(CHECK_EQ_UINT(site->resources_n, 2));
    const struct lang_decl *a = site->resources[0], *b = site->resources[1];
    CHECK(is(a->name, "a.v1") && is(b->name, "a.v2"));
    CHECK(a->type == b->type && is(a->type->name, "Valve"));
    CHECK(a->owner == NULL);
    const struct lang_clause_decl *via = lang_decl_clause(a, "via", "mqtt", 0);
    REQUIRE(via != NULL);
    CHECK(is(lang_clause_value(via, "topic")->text, "x/y"));
    CHECK_EQ_UINT(lang_clause_value(via, "format")->index, 0);
    CHECK(lang_decl_clause(a, "via", "bus", 0) == NULL);
    via = lang_decl_clause(b, "via", "bus", 0);
    REQUIRE(via != NULL);
    const struct lang_value *map = lang_clause_value(via, "mappings");
    REQUIRE(CHECK_EQ_UINT(map->mappings_n, 5));
    CHECK(is(map->mappings[0].member, "position"));
    REQUIRE(CHECK_EQ_UINT(map->mappings[0].words_n, 4));
    CHECK(is(map->mappings[0].words[3], "0.1"));
    REQUIRE(CHECK_EQ_UINT(map->mappings[1].words_n, 4));
    CHECK(is(map->mappings[1].words[1], "-") && is(map->mappings[1].words[2], "4"));
    CHECK(is(map->mappings[1].words[3], "raw text"));
    REQUIRE(CHECK_EQ_UINT(map->mappings[2].words_n, 5)); /* not "7 bit", a quantity */
    CHECK(is(map->mappings[2].words[1], "7") && is(map->mappings[2].words[2], "bit"));
    CHECK_EQ_UINT(map->mappings[2].spans[2].from, map->mappings[2].spans[1].from + 2);
    CHECK_EQ_UINT(map->mappings[2].spans[2].to, map->mappings[2].spans[2].from + 3);
    const struct lang_decl *g = lang_site_named(site, "group", STR("a.all"));
    REQUIRE(g != NULL);
    REQUIRE(CHECK_EQ_UINT(g->list_n, 2));
    CHECK(g->list[0] == a && g->list[1] == b);
    lang_site_free(site);
}

/* A host that wants coils below 100. */
static void coils_below_100(struct lang_ctx *c, const struct lang_decl *const *decls, size_t n)
{
    static const char *const tables[] = {"coil", "input", "holding", NULL};
    for (size_t i = 0; i < n; i++) {
        const struct lang_clause_decl *via = lang_decl_clause(decls[i], "via", "bus", 0);
        const struct lang_value *map = via ? lang_clause_value(via, "mappings") : NULL;
        for (size_t m = 0; map && m < map->mappings_n; m++) {
            const struct lang_mapping *one = &map->mappings[m];
            int64_t at = 0;
            if (!is(one->words[0], "coil")) {
                const char *near = lang_report_nearest(c, one->words[0], tables);
                struct lang_diag *d = lang_report_error(c, "M9", one->spans[0], "unknown",
                                                        "no table `%.*s`", STR_FMT(one->words[0]));
                lang_report_help(c, d, "did you mean `%s`?", near ? near : "nothing");
            } else if (str_to_i64(one->words[1], &at) || at >= 100) {
                struct lang_diag *d = lang_report_warning(c, "M9", one->spans[1], "too large",
                                                          "there is no coil %lld", (long long)at);
                lang_report_mark(c, d, one->span, "of `%.*s`", STR_FMT(one->member));
            }
        }
    }
}

TEST(the_host_adds_messages_of_its_own)
{
    static const char source_text[] =
        "model M { action f(); action g(); safe f() }\n"
        "device a: M { via bus \"1\" { f = coil 100; g = coyl 5 } }\n";
    struct lang_schema schema = test_schema;
    schema.check = coils_below_100;
    struct lang_source source = {STR("x.sedge"), str_from(source_text)};
    struct lang_site *site;
    REQUIRE(lang_check(alloc_system(), &schema, &source, 1, &site) == ERR_OK);
    CHECK_EQ_UINT(site->errors, 1);
    CHECK_EQ_UINT(site->warnings, 1);
    REQUIRE(CHECK_EQ_UINT(site->diags_n, 2));
    CHECK_EQ_UINT(site->diags[0].marks_n, 2);
    CHECK_EQ_UINT(site->diags[0].marks[0].column, 38);
    CHECK_EQ_UINT(site->diags[0].marks[1].column, 29);
    CHECK_EQ_UINT(site->diags[1].marks[0].column, 47);
    CHECK(is(site->diags[1].help, "did you mean `coil`?"));
    lang_site_free(site);
}

TEST(nothing_is_borrowed_from_the_caller)
{
    char *name = str_dup(alloc_system(), STR("gone.sedge"));
    char *copy = str_dup(alloc_system(), STR("site \"here\""));
    REQUIRE(name != NULL);
    REQUIRE(copy != NULL);
    struct lang_source source = {str_from(name), str_from(copy)};
    struct lang_site *site;
    REQUIRE(lang_check(alloc_system(), &test_schema, &source, 1, &site) == ERR_OK);
    memset(name, 'x', 10);
    memset(copy, 'x', 11);
    mem_free(alloc_system(), name, 11);
    mem_free(alloc_system(), copy, 12);
    CHECK(is(lang_site_decl(site, "site", 0)->name, "here"));
    CHECK(is(site->sources[0].name, "gone.sedge"));
    lang_site_free(site);
}
