/* Recorded messages to declarations: what is proposed, and that the site with it passes. */
#include "adopt/edit.h"
#include "adopt/propose.h"
#include "app/site_adopt_cases.h"
#include "app/site_schema.h"
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

static void look(struct adopt_view *v, struct ears *ears, const struct adopt_message *messages)
{
    const struct adopt_topics all = {was_heard, ears};
    strbuf_init(&ears->path, alloc_system(), OBSERVED_PATH_BYTES);
    for (; messages->topic; messages++)
        hear(ears, messages);
    REQUIRE(adopt_view_init(v, alloc_system(), ears->n) == ERR_OK);
    for (size_t i = 0; i < ears->n; i++) {
        struct heard *h = &ears->topics[i];
        adopt_view_add(v, &all, h->topic, h->kind, h->count, &h->seen, h->payload);
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
    if (p->model_there)
        edit_into(ed, p->model_there, p->model_text);
    else
        edit_add_model(ed, p->model_text);
    if (p->device_there)
        edit_into(ed, p->device_there, p->device_text);
    else
        edit_add_device(ed, p->device_text);
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
    look(&v, &ears, c->messages);
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

TEST(recorded_messages_become_declarations)
{
    for (size_t i = 0; i < ARRAY_LEN(adopt_cases); i++) {
        LABEL("%s", adopt_cases[i].label);
        try_case(&adopt_cases[i]);
    }
}
