/* The graph on large sites: the work grows with the rules, not with their pairs, and a bound holds
 * where everything is connected with everything. */
#include "lang/own_fixture.h"

static void site_of(struct strbuf *b, size_t programs, size_t rules, bool one_room)
{
    strbuf_adds(
        b, "site \"large\"\n"
           "model Plug { property live: bool; property load: kW\n"
           "  action on() confirms live affects lux; action off() confirms not live; safe off() }\n"
           "model Room { property lux: lx; property guest: bool by guest }\n"
           "model Lock { property locked: bool; action lock() confirms locked\n"
           "  action unlock() confirms not locked guarded; safe lock() }\n"
           "device r: Room { via mqtt \"r\" json }\n"
           "device door: Lock { via mqtt \"door\" json }\n");
    for (size_t p = 0; p < programs; p++) {
        for (size_t r = 0; r < rules / 2; r++)
            strbuf_addf(b, "device %s%zu.d%zu: Plug { via mqtt \"%zu/%zu\" json }\n",
                        one_room ? "r.x" : "p", p, r, p, r);
        strbuf_addf(b, "program p%zu {\n", p);
        for (size_t r = 0; r < rules / 2; r++)
            strbuf_addf(b,
                        "own d%zu: Plug = %s%zu.d%zu; read v%zu: kW = %s%zu.d%zu.load stale 1min\n"
                        "when v%zu > 2 kW { d%zu.off() } until v%zu < 1 kW { d%zu.on() }\n"
                        "when v%zu > 9 kW { publish \"m%zu\" %zu }\n",
                        r, one_room ? "r.x" : "p", p, r, r, one_room ? "r.x" : "p",
                        (p + 1) % programs, r, r, r, r, r, r, p, r);
        strbuf_addf(b, "on \"m%zu\" as n: int { if n > 1 { d0.on() } } }\n", (p + 7) % programs);
    }
}

static struct lang_site *check(const struct strbuf *b)
{
    struct lang_source source = {STR("large.sedge"), strbuf_str(b)};
    struct lang_site *site = NULL;
    REQUIRE(lang_check(alloc_system(), &test_schema, &source, 1, &site) == ERR_OK);
    return site;
}

TEST(a_large_site_is_checked)
{
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 0);
    site_of(&b, 40, 20, false);
    struct lang_site *site = check(&b);
    CHECK_EQ_UINT(site->errors, 0);
    CHECK_EQ_UINT(site->programs_n, 40);
    lang_site_free(site);
    strbuf_fini(&b);
}

/* Every program hears one message and says it to all: one loop, told once. */
TEST(what_is_connected_with_everything_is_told_once)
{
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 0);
    strbuf_adds(&b, "site \"knot\"\n");
    for (size_t p = 0; p < 300; p++)
        strbuf_addf(&b, "program p%zu { on \"a\" as n: int { publish \"a\" n } }\n", p);
    struct lang_site *site = check(&b);
    CHECK_EQ_UINT(site->errors, 1);
    REQUIRE(site->diags_n > 0);
    CHECK(str_eq(site->diags[0].code, STR("G14")));
    lang_site_free(site);
    strbuf_fini(&b);
}
