#include "adopt/view.h"

#include <string.h>

static struct adopt_field field_copy(const struct observed_field *f, struct arena *a)
{
    struct adopt_field to = {.path = arena_str(a, observed_path(f)),
                             .count = f->count,
                             .whole = f->whole,
                             .quoted = f->quoted,
                             .min = f->min,
                             .max = f->max};
    memcpy(to.of, f->of, sizeof(to.of));
    if (!f->words)
        return to;
    to.word_n = f->words->n;
    to.more_words = f->words->more;
    to.last_text = arena_str(a, (struct str){f->words->last, f->words->last_n});
    for (size_t i = 0; i < to.word_n; i++)
        to.words[i] = arena_str(a, observed_word(f, i));
    return to;
}

static struct str payload_copy(const struct discovered *d, struct bus *b, struct arena *a)
{
    const struct message *m = b ? bus_retained_get(b, d->topic) : NULL;
    struct bytes whole = m ? message_payload(m) : (struct bytes){0};
    return m ? arena_str(a, (struct str){(const char *)whole.p, whole.n})
             : arena_str(a, (struct str){d->payload, d->payload_len});
}

static bool is_there(void *ctx, struct str topic)
{
    return registry_discovered_find(ctx, topic) != NULL;
}

static bool is_announcement(struct str topic)
{
    return str_ends(topic, STR("/bridge/devices")) ||
           (str_starts(topic, STR("tasmota/discovery/")) && str_ends(topic, STR("/config")));
}

static void topic_copy(struct adopt_view *v, struct registry *r, struct bus *b,
                       const struct discovered *d)
{
    const struct adopt_topics all = {is_there, r};
    struct arena *a = &v->arena;
    struct str topic = arena_str(a, d->topic);
    struct adopt_thing thing = adopt_thing_of(topic, d->kind, &all);
    if (is_announcement(topic))
        v->documents[v->document_n++] = (struct adopt_document){topic, payload_copy(d, b, a)};
    struct adopt_topic *t = &v->topics[v->n++];
    *t = (struct adopt_topic){.topic = topic,
                              .kind = d->kind,
                              .thing = thing,
                              .count = d->count,
                              .payload = payload_copy(d, NULL, a),
                              .fields = arena_array(a, d->seen.n + 1, sizeof(*t->fields)),
                              .left_out = d->seen.left_out};
    for (size_t i = 0; t->fields && i < d->seen.n; i++)
        t->fields[t->field_n++] = field_copy(d->seen.fields[i], a);
}

enum err adopt_view_take(struct adopt_view *v, struct registry *r, struct bus *b, struct alloc *a)
{
    size_t n = 0;
    *v = (struct adopt_view){0};
    arena_init(&v->arena, a, VIEW_BYTES_MAX);
    LIST_EACH(registry_discovered(r), it)
    n++;
    v->topics = arena_array(&v->arena, n + 1, sizeof(*v->topics));
    v->documents = arena_array(&v->arena, n + 1, sizeof(*v->documents));
    if (!v->arena.failed) {
        LIST_EACH(registry_discovered(r), it)
        topic_copy(v, r, b, CONTAINER_OF(it, struct discovered, link));
    }
    if (!v->arena.failed)
        return ERR_OK;
    adopt_view_fini(v);
    return ERR_NOMEM;
}

void adopt_view_fini(struct adopt_view *v)
{
    if (v->arena.alloc)
        arena_fini(&v->arena);
    *v = (struct adopt_view){0};
}

const struct adopt_topic *adopt_view_topic(const struct adopt_view *v, struct str topic)
{
    for (size_t i = 0; i < v->n; i++)
        if (str_eq(v->topics[i].topic, topic))
            return &v->topics[i];
    return NULL;
}

const struct adopt_field *adopt_topic_field(const struct adopt_topic *t, struct str path)
{
    for (size_t i = 0; i < t->field_n; i++)
        if (str_eq(t->fields[i].path, path))
            return &t->fields[i];
    return NULL;
}

const struct adopt_field *adopt_view_field(const struct adopt_view *v, struct str topic,
                                           struct str path)
{
    const struct adopt_topic *t = adopt_view_topic(v, topic);
    return t ? adopt_topic_field(t, path) : NULL;
}
