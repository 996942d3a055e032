#include "adopt/declare.h"
#include "tests/support/test.h"

#define S(text)                                                                                    \
    {                                                                                              \
        (text), sizeof(text) - 1                                                                   \
    }

TEST(a_model_stands_in_columns)
{
    static const struct declare_property properties[] = {
        {.name = S("power"), .type = S("kW"), .has_range = true, .min = -0.5, .max = 1e6},
        {.name = S("on"), .type = S("bool"), .comment = S("as the relay says")},
        {.name = S("temperature"), .type = S("°C"), .has_range = true, .min = -0.0, .max = 0.1},
    };
    static const struct declare_param params[] = {{S("level"), S("%")}, {S("over"), S("s")}};
    static const struct declare_action actions[] = {
        {.name = S("dim"), .params = params, .param_count = 2},
        {.name = S("off"), .confirms = S("not on"), .comment = S("safe")},
    };
    static const struct str events[] = {S("tripped")};
    static const struct declare_model model = {.name = S("Lamp"),
                                               .comment = S("A lamp.\nOf two lines."),
                                               .properties = properties,
                                               .property_count = 3,
                                               .actions = actions,
                                               .action_count = 2,
                                               .events = events,
                                               .event_count = 1,
                                               .safe = S("off")};
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 0);
    declare_model(&b, &model);
    CHECK_EQ_STR(b.p, "// A lamp.\n"
                      "// Of two lines.\n"
                      "model Lamp {\n"
                      "  property power:       kW    range -0.5..1000000\n"
                      "  property on:          bool                       // as the relay says\n"
                      "  property temperature: °C    range 0..0.1\n"
                      "  event    tripped\n"
                      "  action   dim(level: %, over: s)\n"
                      "  action   off()                  confirms not on  // safe\n"
                      "  safe     off()\n"
                      "}\n");
    strbuf_fini(&b);
}

TEST(a_device_is_as_short_as_it_can_be)
{
    static const struct declare_clause points[] = {
        {.head = S("power"), .tail = S("= input 0 f32 scale 0.001"), .column = 1},
        {.head = S("energy_out"),
         .tail = S("= holding 10 u32"),
         .column = 1,
         .comment = S("or 12")},
    };
    static const struct declare_clause few[] = {{.head = S("id"), .tail = S("\"x\"")},
                                                {.head = S("via mqtt"), .tail = S("\"y\" json")}};
    static const struct declare_clause block[] = {{.head = S("id"), .tail = S("\"x\"")},
                                                  {.head = S("via modbus"),
                                                   .tail = S("\"tcp://h:502\" unit 3"),
                                                   .block = points,
                                                   .block_count = 2},
                                                  {.head = S("online on"), .tail = S("\"t\"")}};
    const struct declare_device rows[] = {
        {.name = S("a.b"), .model = S("Meter"), .clauses = few, .clause_count = 2},
        {.name = S("a.b"), .model = S("Meter"), .clauses = block, .clause_count = 3},
    };
    static const char *const want[] = {"device a.b: Meter { id \"x\"; via mqtt \"y\" json }\n",
                                       "device a.b: Meter {\n"
                                       "  id \"x\"\n"
                                       "  via modbus \"tcp://h:502\" unit 3 {\n"
                                       "    power      = input 0 f32 scale 0.001\n"
                                       "    energy_out = holding 10 u32  // or 12\n"
                                       "  }\n"
                                       "  online on \"t\"\n"
                                       "}\n"};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct strbuf b;
        LABEL("%zu", i);
        strbuf_init(&b, alloc_system(), 0);
        declare_device(&b, &rows[i]);
        CHECK_EQ_STR(b.p, want[i]);
        strbuf_fini(&b);
    }
}

TEST(texts_are_escaped)
{
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 0);
    declare_text(&b, STR("a \"b\" \\ {c}\n\t\x01 é"));
    CHECK_EQ_STR(b.p, "\"a \\\"b\\\" \\\\ \\{c\\}\\n\\t\\u{1} é\"");
    strbuf_fini(&b);
}

/* A device says what it is in its own words, and they end up in the site's files. */
TEST(nothing_leaves_its_comment_or_its_quotes)
{
    static const struct declare_property power = {
        .name = S("p"), .type = S("W"), .comment = S("in \n}\ndevice x: Y { id \"z\" }\r\x1b[2J")};
    static const struct declare_clause id = {
        .head = S("id"), .tail = S("\"x\""), .comment = S("a\nvia mqtt \"b\" json")};
    const struct declare_model model = {.name = STR("M"),
                                        .comment = STR("one\r\xc2\x9b"
                                                       "2J \xe2\x80\xae"
                                                       "evil"),
                                        .properties = &power,
                                        .property_count = 1};
    const struct declare_device device = {
        .name = STR("a.b"), .model = STR("M"), .clauses = &id, .clause_count = 1};
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 0);
    declare_model(&b, &model);
    declare_device(&b, &device);
    declare_text(&b, STR("\xc2\x9b \xe2\x80\xae \r é"));
    CHECK_EQ_STR(b.p, "// one  2J  evil\n"
                      "model M {\n"
                      "  property p: W  // in  } device x: Y { id \"z\" }  [2J\n"
                      "}\n"
                      "device a.b: M {\n"
                      "  id \"x\"  // a via mqtt \"b\" json\n"
                      "}\n"
                      "\"\\u{9B} \\u{202E} \\u{D} é\"");
    strbuf_fini(&b);
}

TEST(without_memory_it_says_so)
{
    struct alloc_faulty f;
    struct strbuf b;
    alloc_faulty_init(&f, 0);
    strbuf_init(&b, &f.alloc, 0);
    declare_text(&b, STR("x"));
    CHECK(b.failed);
    strbuf_fini(&b);
}
