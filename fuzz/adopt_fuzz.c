/* Lines of "topic=payload" as what was heard: whatever it is, what is proposed for it must be a
 * site that passes, with one device and one model more at the most, every byte of the files must
 * still be there, and what a person writes must not break anything. The list of what is heard has
 * each topic once, and says of what can be proposed that it can be adopted, and of nothing else.
 * The site before is "site" and one device. */
#include "adopt/edit.h"
#include "adopt/found.h"
#include "adopt/propose.h"
#include "base/utf8.h"
#include "codec/json.h"
#include "codec/mqtt.h"
#include "site/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOPICS_MAX = 24 };

static const char before[] = "site \"home\"\n"
                             "model Climate { property temperature: °C; property humidity: % }\n"
                             "device home.attic: Climate { via mqtt \"attic\" json } // first\n";

struct heard {
    struct str topic, payload;
    enum payload_kind kind;
    uint64_t count;
    struct observed seen;
};
struct ears {
    struct heard topics[TOPICS_MAX];
    size_t n;
    struct strbuf path;
};

static bool is_document(struct str s)
{
    struct json_reader r;
    struct json_token t;
    enum json_kind k;
    json_init(&r, (struct bytes){(const uint8_t *)s.p, s.n});
    while ((k = json_next(&r, &t)) != JSON_END)
        if (k == JSON_ERROR)
            return false;
    return s.p[0] == '{' || s.p[0] == '[';
}

static enum payload_kind kind_of(struct str s)
{
    double n;
    if (!utf8_valid_nonul(s))
        return PAYLOAD_BINARY;
    if (s.n && is_document(s))
        return PAYLOAD_JSON;
    return str_to_double(s, &n) == ERR_OK ? PAYLOAD_NUMBER : PAYLOAD_TEXT;
}

static void hear(struct ears *ears, struct str topic, struct str payload)
{
    struct heard *h = NULL;
    for (size_t i = 0; !h && i < ears->n; i++)
        h = str_eq(ears->topics[i].topic, topic) ? &ears->topics[i] : NULL;
    if (!h && ears->n < TOPICS_MAX) {
        h = &ears->topics[ears->n++];
        h->topic = topic;
    }
    if (!h)
        return;
    h->payload = payload;
    h->kind = kind_of(payload);
    h->count++;
    if (h->kind == PAYLOAD_JSON)
        observed_json(&h->seen, alloc_system(), &ears->path,
                      (struct bytes){(const uint8_t *)payload.p, payload.n}, 1);
    else if (h->kind != PAYLOAD_BINARY && payload.n)
        observed_bare(&h->seen, alloc_system(), payload, 1);
}

static bool was_heard(void *ctx, struct str topic)
{
    const struct ears *ears = ctx;
    for (size_t i = 0; i < ears->n; i++)
        if (str_eq(ears->topics[i].topic, topic))
            return true;
    return false;
}

static void listen(struct ears *ears, struct str lines)
{
    struct str line;
    size_t at;
    while (lines.n && str_split(&lines, '\n', &line))
        if (str_find(line, '=', &at) && at > 0 && at < 200 &&
            mqtt_topic_valid(str_sub(line, 0, at)))
            hear(ears, str_sub(line, 0, at), str_sub(line, at + 1, line.n));
}

static struct lang_site *check(const struct lang_source *sources, size_t n)
{
    struct lang_site *site;
    return lang_check(alloc_system(), site_schema(), sources, n, &site) == ERR_OK ? site : NULL;
}

/* Taking what was put in out again leaves what was there. */
static void only_added(const struct edit *ed)
{
    for (size_t i = 0; i < ed->site->sources_n; i++) {
        struct str was = ed->site->sources[i].text, is = ed->after[i].text;
        size_t k = 0;
        for (size_t j = 0; j < is.n && k < was.n; j++)
            k += is.p[j] == was.p[k];
        ASSERT(k == was.n || edit_changes(ed, i));
        ASSERT(is.n + 8 >= was.n);
    }
}

/* Nothing that a device says of itself may be a declaration of its own. */
static bool declares_more(const struct lang_site *site, const struct lang_site *after,
                          const struct adopt_proposal *p)
{
    return after->decls_n != site->decls_n + !p->model_there + !p->device_there ||
           after->programs_n != site->programs_n;
}

static void try_edit(const struct lang_site *site, struct arena *arena,
                     const struct adopt_proposal *p, struct str text)
{
    struct edit *ed = mem_zero(alloc_system(), sizeof(*ed));
    struct error e;
    struct strbuf diff;
    if (!ed)
        return;
    edit_init(ed, arena, site, false);
    if (p)
        adopt_proposal_put(p, ed);
    else
        edit_add_text(ed, text);
    if (edit_finish(ed, &e) == ERR_OK) {
        struct lang_site *after = check(ed->after, ed->n);
        if (p && after && (after->errors || declares_more(site, after, p))) {
            struct strbuf b;
            strbuf_init(&b, alloc_system(), 0);
            site_render_diags(&b, after, false);
            (void)fprintf(stderr, "%s\n%.*s--\n%.*s", b.p, STR_FMT(p->model_text),
                          STR_FMT(p->device_text));
            abort();
        }
        lang_site_free(after);
        only_added(ed);
        strbuf_init(&diff, alloc_system(), 1 << 20);
        for (size_t i = 0, added, removed; i < ed->n; i++)
            if (edit_changes(ed, i))
                edit_diff(ed, i, &diff, &added, &removed);
        strbuf_fini(&diff);
    }
    mem_free(alloc_system(), ed, sizeof(*ed));
}

static void no_claim(void *ctx, void (*claim)(void *to, struct str topic, struct str device),
                     void *to)
{
    (void)ctx;
    (void)claim;
    (void)to;
}

static bool nothing_claimed(void *ctx, struct str topic)
{
    (void)ctx;
    (void)topic;
    return false;
}

enum { TRIED = 3 };
struct tried {
    struct str topic;
    bool made, empty; /* a proposal; or that there is nothing to have */
};

/* What Zigbee2MQTT announces is only searched for, so for its devices it is a guess. */
static void same_opinion(const struct found *f, const struct tried *tried)
{
    for (size_t i = 0; i < f->n; i++)
        for (size_t k = 0; k < f->things[i].topic_n; k++) {
            const struct found_thing *t = &f->things[i];
            bool it = str_eq(t->topics[k].topic, tried->topic);
            if (!it || t->shape == SHAPE_ZIGBEE2MQTT || !t->topics[k].thing.shape)
                continue;
            ASSERT(!tried->made || t->adopt.n);
            ASSERT(!tried->empty || !t->adopt.n);
        }
}

static void list(struct adopt_view *v, const struct tried tried[TRIED])
{
    const struct found_claims none = {no_claim, nothing_claimed, NULL};
    struct found f;
    size_t n = v->n, listed = 0;
    if (found_make(&f, v, &none))
        return;
    for (size_t i = 0; i < f.n; i++) {
        listed += f.things[i].topic_n;
        ASSERT(f.things[i].key.n && f.things[i].name.n && f.things[i].topic_n);
        ASSERT(!f.things[i].adopt.n == (f.things[i].why.n > 0));
    }
    ASSERT(listed == n);
    for (size_t i = 0; i < TRIED; i++)
        same_opinion(&f, &tried[i]);
    found_fini(&f);
}

static void propose(struct ears *ears, const struct lang_site *site)
{
    const struct adopt_topics all = {was_heard, ears};
    struct adopt_view v;
    struct adopt_proposal p;
    struct error e;
    struct tried tried[TRIED] = {{.made = false}};
    if (adopt_view_init(&v, alloc_system(), ears->n))
        return;
    for (size_t i = 0; i < ears->n; i++) {
        const struct heard *h = &ears->topics[i];
        adopt_view_add(&v, &all, h->topic, h->kind, h->count, &h->seen, h->payload);
    }
    for (size_t i = 0; i < ears->n && i < TRIED; i++) {
        const struct adopt_request q = {.topics = &ears->topics[i].topic, .topic_n = 1};
        enum err err = adopt_propose(&p, &v, site, &q, &e);
        tried[i] = (struct tried){.topic = ears->topics[i].topic,
                                  .made = !err,
                                  .empty = err && (strstr(e.text, "nothing here becomes") ||
                                                   strstr(e.text, "no values have been heard"))};
        if (err)
            continue;
        try_edit(site, &p.arena, &p, (struct str){0});
        adopt_proposal_fini(&p);
    }
    list(&v, tried);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct lang_source source = {STR("site.sedge"), {before, sizeof(before) - 1}};
    struct ears *ears = mem_zero(alloc_system(), sizeof(*ears));
    struct lang_site *site = check(&source, 1);
    struct arena arena;
    arena_init(&arena, alloc_system(), 4 << 20);
    ASSERT(ears && site && !site->errors);
    strbuf_init(&ears->path, alloc_system(), OBSERVED_PATH_BYTES);
    listen(ears, (struct str){(const char *)data, size});
    propose(ears, site);
    try_edit(site, &arena, NULL, (struct str){(const char *)data, size});
    for (size_t i = 0; i < ears->n; i++)
        observed_fini(&ears->topics[i].seen, alloc_system());
    strbuf_fini(&ears->path);
    lang_site_free(site);
    arena_fini(&arena);
    mem_free(alloc_system(), ears, sizeof(*ears));
    return 0;
}
