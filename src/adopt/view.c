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

static bool is_announcement(struct str topic)
{
    return str_ends(topic, STR("/bridge/devices")) ||
           (str_starts(topic, STR("tasmota/discovery/")) && str_ends(topic, STR("/config")));
}

enum err adopt_view_init(struct adopt_view *v, struct alloc *a, size_t max)
{
    *v = (struct adopt_view){0};
    arena_init(&v->arena, a, VIEW_BYTES_MAX);
    v->topics = arena_array(&v->arena, max + 1, sizeof(*v->topics));
    v->documents = arena_array(&v->arena, max + 1, sizeof(*v->documents));
    if (!v->arena.failed)
        return ERR_OK;
    adopt_view_fini(v);
    return ERR_NOMEM;
}

void adopt_view_add(struct adopt_view *v, const struct adopt_topics *all, struct str topic,
                    enum payload_kind kind, uint64_t count, const struct observed *seen,
                    struct str payload)
{
    struct arena *a = &v->arena;
    struct adopt_topic *t = &v->topics[v->n++];
    *t = (struct adopt_topic){.topic = arena_str(a, topic),
                              .kind = kind,
                              .count = count,
                              .payload = arena_str(a, payload),
                              .fields = arena_array(a, seen->n + 1, sizeof(*t->fields)),
                              .left_out = seen->left_out};
    t->thing = adopt_thing_of(t->topic, kind, all);
    if (is_announcement(t->topic))
        v->documents[v->document_n++] = (struct adopt_document){t->topic, t->payload};
    for (size_t i = 0; t->fields && i < seen->n; i++)
        t->fields[t->field_n++] = field_copy(seen->fields[i], a);
}

static bool is_there(void *ctx, struct str topic)
{
    return registry_discovered_find(ctx, topic) != NULL;
}

static void take_topic(struct adopt_view *v, struct registry *r, struct bus *b,
                       const struct discovered *d)
{
    const struct adopt_topics all = {is_there, r};
    struct str payload = {d->payload, d->payload_len};
    const struct message *m = is_announcement(d->topic) ? bus_retained_get(b, d->topic) : NULL;
    if (m)
        payload = (struct str){(const char *)message_payload(m).p, message_payload(m).n};
    adopt_view_add(v, &all, d->topic, d->kind, d->count, &d->seen, payload);
    const struct device *claimer = registry_topic_device(r, d->topic);
    if (claimer)
        v->topics[v->n - 1].claimer = arena_str(&v->arena, claimer->name);
}

enum err adopt_view_take(struct adopt_view *v, struct registry *r, struct bus *b, struct alloc *a)
{
    size_t n = 0;
    LIST_EACH(registry_discovered(r), it)
    n++;
    enum err err = adopt_view_init(v, a, n);
    if (err)
        return err;
    LIST_EACH(registry_discovered(r), it)
    take_topic(v, r, b, CONTAINER_OF(it, struct discovered, link));
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

static size_t same_bytes(struct str a, struct str b)
{
    size_t n = 0;
    while (n < a.n && n < b.n && a.p[n] == b.p[n])
        n++;
    return n;
}

/* `place` is some whole levels of the topic. */
static bool has_levels(struct str topic, struct str place)
{
    while (place.n && place.p[place.n - 1] == '/')
        place.n--;
    for (size_t at = 0; place.n && at + place.n <= topic.n; at++) {
        size_t end = at + place.n;
        if ((at == 0 || topic.p[at - 1] == '/') && (end == topic.n || topic.p[end] == '/') &&
            str_eq(str_sub(topic, at, place.n), place))
            return true;
    }
    return false;
}

struct str adopt_view_near(const struct adopt_view *v, struct str topic)
{
    struct str best = STR("");
    size_t most = topic.n / 2;
    for (size_t i = 0; i < v->n; i++) {
        const struct adopt_topic *t = &v->topics[i];
        size_t alike = has_levels(t->topic, topic) ? SIZE_MAX : same_bytes(t->topic, topic);
        if (t->thing.obstacle || !t->field_n || alike <= most)
            continue;
        most = alike;
        best = t->topic;
    }
    return best;
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
