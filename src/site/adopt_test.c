/* Recorded messages to declarations: what is proposed, and that the site with it passes. */
#include "adopt/edit.h"
#include "adopt/propose.h"
#include "site/adopt_cases.h"
#include "site/adopt_maker_cases.h"
#include "site/schema.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- what was heard --- */

struct heard {
    struct str topic, payload;
    enum payload_kind kind;
    uint64_t count;
    struct observed seen;
};
struct ears {
    struct heard topics[32];
    size_t n;
    struct strbuf path;
};

static enum payload_kind kind_of(struct str payload)
{
    double n;
    if (payload.n && (payload.p[0] == '{' || payload.p[0] == '['))
        return PAYLOAD_JSON;
    return str_to_double(payload, &n) == ERR_OK ? PAYLOAD_NUMBER : PAYLOAD_TEXT;
}

static struct heard *heard_on(struct ears *ears, struct str topic)
{
    for (size_t i = 0; i < ears->n; i++)
        if (str_eq(ears->topics[i].topic, topic))
            return &ears->topics[i];
    REQUIRE(ears->n < ARRAY_LEN(ears->topics));
    struct heard *h = &ears->topics[ears->n++];
    *h = (struct heard){.topic = topic};
    return h;
}

static void hear(struct ears *ears, const struct adopt_message *m)
{
    struct heard *h = heard_on(ears, str_from(m->topic));
    h->payload = str_from(m->payload);
    h->kind = kind_of(h->payload);
    h->count++;
    if (h->kind == PAYLOAD_JSON)
        observed_json(&h->seen, alloc_system(), &ears->path,
                      (struct bytes){(const uint8_t *)h->payload.p, h->payload.n}, 1);
    else
        observed_bare(&h->seen, alloc_system(), h->payload, 1);
}

static bool was_heard(void *ctx, struct str topic)
{
    const struct ears *ears = ctx;
    for (size_t i = 0; i < ears->n; i++)
        if (str_eq(ears->topics[i].topic, topic))
            return true;
    return false;
}

static void look(struct adopt_view *v, struct ears *ears, const struct adopt_case *c)
{
    const struct adopt_topics all = {was_heard, ears};
    strbuf_init(&ears->path, alloc_system(), OBSERVED_PATH_BYTES);
    for (const struct adopt_message *m = c->messages; m->topic; m++)
        hear(ears, m);
    REQUIRE(adopt_view_init(v, alloc_system(), ears->n) == ERR_OK);
    for (size_t i = 0; i < ears->n; i++) {
        struct heard *h = &ears->topics[i];
        adopt_view_add(v, &all, h->topic, h->kind, h->count, &h->seen, h->payload);
        if (c->claimed && str_eq(h->topic, str_from(c->claimed)))
            v->topics[i].claimer = STR("a.t");
        observed_fini(&h->seen, alloc_system());
    }
    strbuf_fini(&ears->path);
}

/* --- the site --- */

static struct lang_site *checked(const struct lang_source *sources, size_t n)
{
    struct lang_site *site;
    struct strbuf b;
    REQUIRE(lang_check(alloc_system(), site_schema(), sources, n, &site) == ERR_OK);
    strbuf_init(&b, alloc_system(), 0);
    site_render_diags(&b, site, false);
    CHECK_EQ_STR(b.p, "");
    strbuf_fini(&b);
    return site;
}

static void check_changed(const struct lang_site *site, struct adopt_proposal *p)
{
    struct edit *ed = mem_zero(alloc_system(), sizeof(*ed));
    struct error e = {0};
    REQUIRE(ed != NULL);
    edit_init(ed, &p->arena, site, false);
    adopt_proposal_put(p, ed);
    CHECK_EQ_INT(edit_finish(ed, &e), ERR_OK);
    lang_site_free(checked(ed->after, ed->n));
    mem_free(alloc_system(), ed, sizeof(*ed));
}

static size_t asked_topics(const struct adopt_case *c, struct str out[4])
{
    size_t n = 0;
    for (; n < 4 && c->asked[n]; n++)
        out[n] = str_from(c->asked[n]);
    return n;
}

static void try_case(const struct adopt_case *c)
{
    struct ears ears = {0};
    struct adopt_view v;
    struct adopt_proposal p;
    struct error e = {0};
    struct str asked[4];
    struct strbuf text;
    look(&v, &ears, c);
    struct strbuf before;
    strbuf_init(&before, alloc_system(), 0);
    strbuf_addf(&before, "site \"home\"\n%s", c->site ? c->site : "");
    const struct lang_source source = {STR("site.sedge"), strbuf_str(&before)};
    struct lang_site *site = checked(&source, 1);
    const struct adopt_request q = {.topics = asked,
                                    .topic_n = asked_topics(c, asked),
                                    .device = str_from(c->device),
                                    .model = str_from(c->model)};
    enum err err = adopt_propose(&p, &v, site, &q, &e);
    strbuf_init(&text, alloc_system(), 0);
    if (err) {
        strbuf_addf(&text, "%s: %s\n", err_name(err), e.text);
    } else {
        strbuf_addf(&text, "%.*s%s%.*s", STR_FMT(p.model_text),
                    p.model_text.n && p.device_text.n ? "--\n" : "", STR_FMT(p.device_text));
        for (size_t i = 0; i < p.warning_n; i++)
            strbuf_addf(&text, "! %.*s\n", STR_FMT(p.warnings[i]));
        check_changed(site, &p);
    }
    if (getenv("ADOPT_SHOW"))
        (void)printf("#### %s\n%s\n", c->label, text.p);
    CHECK_EQ_STR(text.p, c->want);
    strbuf_fini(&text);
    strbuf_fini(&before);
    adopt_proposal_fini(&p);
    lang_site_free(site);
    adopt_view_fini(&v);
}

static void try_cases(const struct adopt_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        LABEL("%s", cases[i].label);
        try_case(&cases[i]);
    }
}

TEST(recorded_messages_become_declarations)
{
    try_cases(adopt_maker_cases, ARRAY_LEN(adopt_maker_cases));
}

TEST(what_has_no_known_maker_becomes_declarations_too)
{
    try_cases(adopt_cases, ARRAY_LEN(adopt_cases));
}

/* Whoever may publish an announcement says names, units, words and makers. */
static const struct adopt_case hostile = {
    .label = "an announcement that would like to be source",
    .messages =
        {{"zigbee2mqtt/bridge/devices",
          "[{\"ieee_address\":\"0x\\\"; via mqtt \\\"x\\\" json\",\"friendly_name\":\"spy\","
          "\"definition\":{\"model\":\"M\\n}\\ndevice a.b: C {\",\"vendor\":\"V\\u001b[2J\","
          "\"description\":\"d\\r\\u202eevil\",\"exposes\":["
          "{\"type\":\"numeric\",\"property\":\"level\",\"unit\":"
          "\"x\\n}\\ndevice c.d: C {\",\"access\":1},"
          "{\"type\":\"switch\",\"features\":[{\"type\":\"binary\",\"property\":"
          "\"state_a() confirms a\\n}\",\"value_on\":\"ON {to}\\n\",\"value_off\":\"OFF\","
          "\"access\":7}]},"
          "{\"type\":\"switch\",\"features\":[{\"type\":\"binary\",\"property\":"
          "\"state\",\"value_on\":{\"a\":\n1},\"value_off\":[2],\"access\":7}]},"
          "{\"type\":\"enum\",\"property\":\"mode\",\"values\":[{\"a\":\n1},\"x\\ny\"],"
          "\"access\":1},"
          "{\"type\":\"numeric\",\"property\":\"b = 1 } \\\"{to}\\n device e.f: C {\","
          "\"access\":7}]}}]"},
         {"zigbee2mqtt/spy", "{\"mode\":\"x\"}"}},
    .asked = {"zigbee2mqtt/spy"},
    .want = "model Switch {\n"
            "  property level:               float  // in x } device c.d: C {\n"
            "  property on_a_confirms_a:     bool\n"
            "  property on:                  bool\n"
            "  property mode:                str    // {\"a\": 1}, x y\n"
            "  property b_1_to_device_e_f_c: float\n"
            "  action   on_a_confirms_a()                  confirms on_a_confirms_a\n"
            "  action   off_a_confirms_a()                 confirms not on_a_confirms_a\n"
            "  action   set_b_1_to_device_e_f_c(to: float)\n"
            "  safe     off_a_confirms_a()\n"
            "}\n"
            "--\n"
            "// V [2J M\n"
            "// }\n"
            "// device a.b: C {: d  evil\n"
            "device home.spy: Switch {\n"
            "  id \"zigbee:0x\\\"; via mqtt \\\"x\\\" json\"\n"
            "  property level               = \"level\" on \"zigbee2mqtt/spy\"\n"
            "  property on_a_confirms_a     = \"state_a() confirms a\\n\\}\" on "
            "\"zigbee2mqtt/spy\" true \"ON \\{to\\}\\n\" false \"OFF\"\n"
            "  property on                  = \"state\" on \"zigbee2mqtt/spy\" true "
            "\"\\{\\\"a\\\":\\n1\\}\" false \"[2]\"\n"
            "  property mode                = \"mode\" on \"zigbee2mqtt/spy\"\n"
            "  property b_1_to_device_e_f_c = \"b = 1 \\} \\\"\\{to\\}\\n device e.f: C \\{\" on "
            "\"zigbee2mqtt/spy\"\n"
            "  action on_a_confirms_a()           publish \"zigbee2mqtt/spy/set\" { \"state_a() "
            "confirms a\\n\\}\" = \"ON \\{to\\}\\n\" }\n"
            "  action off_a_confirms_a()          publish \"zigbee2mqtt/spy/set\" { \"state_a() "
            "confirms a\\n\\}\" = \"OFF\" }\n"
            "  action set_b_1_to_device_e_f_c(to) publish \"zigbee2mqtt/spy/set\" { \"b = 1 \\} "
            "\\\"\\{to\\}\\n device e.f: C \\{\" = round(to) } answer \"zigbee2mqtt/spy\"\n"
            "}\n"};

TEST(what_a_device_says_of_itself_declares_nothing)
{
    try_case(&hostile);
}
