/* decode_mapped: the values that a mapping names, out of a device's own documents.
 *
 * All paths of a topic are walked at once, without a tree: they are sorted, so those that go on
 * from one key are a range of neighbours, which shrinks with each step (mapping.h). The first pass
 * proves that the document is whole and finds its time; the second makes the samples. A path that
 * is not in a message is no error: devices send parts of their state. */
#include "registry/registry_internal.h"

enum { ABSENT_AFTER = 3 }; /* messages without anything of a mapping, then it is told */

struct walk {
    struct decode_target *t;
    struct mapped_topic *m;
    struct json_token time; /* what a SOURCE_TIME found */
    bool look;              /* the pass that looks for it */
    int64_t ts_ms;
    enum quality q;
    size_t made;
};

static void event_token(struct walk *w, const struct source *s, const struct json_token *value)
{
    char text[TEXT_MAX];
    struct str plain = value->raw;
    if (value->kind == JSON_OBJECT || value->kind == JSON_ARRAY || value->kind == JSON_NULL)
        return;
    if (value->escaped && json_unescape(value->raw, text, sizeof(text), &plain))
        return;
    if (!s->how.yes.n ? plain.n == 0 : !str_eq(plain, s->how.yes))
        return;
    if (w->t->event)
        w->t->event(w->t->ctx, s->member);
    w->made++;
}

/* A path ends here. */
static void found(struct walk *w, const struct source *s, const struct json_token *value)
{
    if (s->what == SOURCE_TIME) {
        if (w->look)
            w->time = *value;
        return;
    }
    if (w->look)
        return;
    if (s->what == SOURCE_EVENT)
        event_token(w, s, value);
    else
        w->made += decode_token(w->t, &w->t->device->props[s->member], &s->how, value, w->ts_ms,
                                w->q, s->text);
}

/* Of the sources from..to, those whose next step is this one. */
static void narrow(const struct source *s, size_t depth, const struct path_step *step, size_t *from,
                   size_t *to)
{
    size_t i = *from;
    while (i < *to && path_step_cmp(&s[i].path.steps[depth], step) != 0)
        i++;
    *from = i;
    while (i < *to && path_step_cmp(&s[i].path.steps[depth], step) == 0)
        i++;
    *to = i;
}

static bool step_into(struct walk *w, struct json_reader *r, const struct json_token *value,
                      size_t depth, size_t from, size_t to);

/* `value` is what stands behind sources from..to after `depth` steps. False: the document is
 * broken, which the first pass has told. */
static bool visit(struct walk *w, struct json_reader *r, const struct json_token *value,
                  size_t depth, size_t from, size_t to)
{
    for (; from < to && w->m->sources[from].path.n == depth; from++)
        found(w, &w->m->sources[from], value);
    bool open = value->kind == JSON_OBJECT || value->kind == JSON_ARRAY;
    if (from == to || !open)
        return json_skip(r, value, NULL) == ERR_OK;
    return step_into(w, r, value, depth, from, to);
}

static bool step_into(struct walk *w, struct json_reader *r, const struct json_token *value,
                      size_t depth, size_t from, size_t to)
{
    char text[PATH_BYTES_MAX];
    struct json_token key, member;
    struct path_step step = {0};
    bool object = value->kind == JSON_OBJECT;
    for (size_t i = 0;; i++) {
        enum json_kind kind = json_next(r, &key);
        if (kind == JSON_OBJECT_END || kind == JSON_ARRAY_END)
            return true;
        if (kind == JSON_ERROR)
            return false;
        size_t a = from, b = to;
        step.index = i;
        step.key = key.raw;
        if (object && key.escaped && json_unescape(key.raw, text, sizeof(text), &step.key))
            a = b; /* longer than any path */
        if (!object)
            step.key = (struct str){0};
        narrow(w->m->sources, depth, &step, &a, &b);
        if (object && json_next(r, &member) == JSON_ERROR)
            return false;
        if (!visit(w, r, object ? &member : &key, depth + 1, a, b))
            return false;
    }
}

/* Over the whole document. */
static bool pass(struct walk *w)
{
    struct json_reader r;
    struct json_token token;
    size_t from = 0;
    while (from < w->m->n && w->m->sources[from].path.n == 0)
        from++; /* those of the bare payload */
    json_init(&r, w->t->payload);
    if (json_next(&r, &token) == JSON_ERROR || !visit(w, &r, &token, 0, from, w->m->n) ||
        json_next(&r, &token) != JSON_END) {
        decode_broken(w->t, &r);
        return false;
    }
    return true;
}

static void bare(struct walk *w, const struct source *s)
{
    struct bytes p = w->t->payload;
    struct str text = str_trim((struct str){(const char *)p.p, p.n});
    struct json_token token = {JSON_STRING, false, text};
    if (s->what == SOURCE_EVENT)
        event_token(w, s, &token);
    else
        w->made += decode_bare(w->t, &w->t->device->props[s->member], &s->how, p);
}

/* A time in one of the usual places may be something else; one that the mapping names is not. */
static int64_t measured(struct walk *w)
{
    int64_t ms;
    if (w->m->time.n)
        return decode_time(w->t, &w->time, "time", &w->q);
    return when_said(&w->time, w->t->arrived_ms, &ms) == WHEN_SAID ? ms : w->t->arrived_ms;
}

/* Its mapping is probably mistaken. */
static void absent(struct decode_target *t, const struct mapped_topic *m)
{
    if (m->made == 0 && m->messages >= ABSENT_AFTER)
        decode_note(t, m->sources[0].text, NULL, "nothing in %llu messages of what is mapped: %.*s",
                    (unsigned long long)m->messages, STR_FMT(m->sources[0].text));
}

size_t decode_mapped(struct decode_target *t, struct mapped_topic *m, struct bytes payload)
{
    struct walk w = {.t = t, .m = m, .look = true, .ts_ms = t->arrived_ms, .q = QUALITY_GOOD};
    t->payload = payload;
    m->messages++;
    for (size_t i = 0; i < m->n && m->sources[i].path.n == 0; i++)
        bare(&w, &m->sources[i]);
    if (m->n && m->sources[m->n - 1].path.n > 0 && pass(&w)) {
        w.ts_ms = measured(&w);
        w.look = false;
        (void)pass(&w);
    }
    m->made += w.made;
    absent(t, m);
    return w.made;
}

/* --- is it there? --- */

/* Without a path also {"state": "online"} (Zigbee2MQTT) and {"online": true}. */
static struct json_token usual_place(struct bytes payload)
{
    static const char *const keys[] = {"state", "online"};
    struct str text = str_trim((struct str){(const char *)payload.p, payload.n});
    struct json_token token = {JSON_STRING, false, text};
    for (size_t i = 0; text.n && text.p[0] == '{' && i < ARRAY_LEN(keys); i++)
        if (json_find(payload, str_from(keys[i]), &token, NULL) == ERR_OK)
            break;
    return token;
}

/* Kind JSON_END: it is not in this message. */
static struct json_token place_of(struct decode_target *t, const struct online *o)
{
    struct source there = {.path = o->path, .what = SOURCE_TIME};
    struct mapped_topic m = {.sources = &there, .n = 1};
    struct walk w = {.t = t, .m = &m, .look = true};
    return o->path.n == 0 ? usual_place(t->payload) : pass(&w) ? w.time : (struct json_token){0};
}

enum reach_state decode_online(struct decode_target *t, const struct online *o,
                               struct bytes payload)
{
    const struct scalar how = {
        .kind = VALUE_BOOL, .name = STR("online"), .yes = o->yes, .no = o->no};
    char text[TEXT_MAX];
    struct value v = {0};
    t->payload = payload;
    struct json_token token = place_of(t, o);
    if (token.kind == JSON_END || token.kind == JSON_NULL)
        return REACH_UNKNOWN;
    if (scalar_token(&how, &token, text, &v))
        return v.b ? REACH_ONLINE : REACH_OFFLINE;
    decode_note(t, o->text, NULL, "neither online nor offline: %.*s",
                (int)(token.raw.n < 40 ? token.raw.n : 40), token.raw.p);
    return REACH_UNKNOWN;
}
