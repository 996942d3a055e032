/* mapping: what a declaration says about a foreign device, checked, copied and bound to topics. */
#include "codec/json.h"
#include "registry/registry_internal.h"

#include <stdlib.h>
#include <string.h>

enum { TOPIC_BYTES_MAX = 500, SOURCES_MAX = 1000 };

struct build {
    struct registry *r;
    struct arena *arena;
    struct device *d;
    struct mapping *m;
    struct error *e;
};

static enum err no_memory(const struct build *b)
{
    return error_set(b->e, ERR_NOMEM, "no memory for the mapping of %.*s", STR_FMT(b->d->name));
}

/* A topic of MQTT that one can publish to: 4.7.1 and 4.7.3. */
static enum err check_topic(const struct build *b, struct str topic)
{
    const char *why = NULL;
    if (!topic.n)
        why = "is empty";
    else if (topic.n > TOPIC_BYTES_MAX)
        why = "is longer than 500 bytes";
    else if (memchr(topic.p, '+', topic.n) || memchr(topic.p, '#', topic.n))
        why = "has a wildcard: say one topic";
    return why ? error_set(b->e, ERR_INVALID, "%.*s: the topic \"%.*s\" %s", STR_FMT(b->d->name),
                           STR_FMT(topic), why)
               : ERR_OK;
}

/* --- copies --- */

static struct piece_def *copy_pieces(struct arena *a, const struct command_def *c)
{
    struct piece_def *to = arena_array(a, c->piece_count ? c->piece_count : 1, sizeof(*to));
    for (size_t i = 0; to && i < c->piece_count; i++) {
        to[i] = c->pieces[i];
        to[i].text = arena_str(a, to[i].text);
    }
    return to;
}

static struct source_def *copy_sources(struct arena *a, const struct mapping_def *def)
{
    struct source_def *to = arena_array(a, def->source_count ? def->source_count : 1, sizeof(*to));
    for (size_t i = 0; to && i < def->source_count; i++) {
        const struct source_def *from = &def->sources[i];
        to[i] = *from;
        to[i].topic = arena_str(a, from->topic);
        to[i].path = arena_str(a, from->path);
        to[i].time = arena_str(a, from->time);
        to[i].yes = arena_str(a, from->yes);
        to[i].no = arena_str(a, from->no);
    }
    return to;
}

static struct command_def *copy_commands(struct arena *a, const struct mapping_def *def)
{
    struct command_def *to =
        arena_array(a, def->command_count ? def->command_count : 1, sizeof(*to));
    for (size_t i = 0; to && i < def->command_count; i++) {
        const struct command_def *from = &def->commands[i];
        to[i] = *from;
        to[i].topic = arena_str(a, from->topic);
        to[i].answer = arena_str(a, from->answer);
        to[i].yes = arena_str(a, from->yes);
        to[i].no = arena_str(a, from->no);
        to[i].pieces = copy_pieces(a, from);
    }
    return to;
}

static struct online_def *copy_online(struct arena *a, const struct mapping_def *def)
{
    struct online_def *to = arena_array(a, def->online_count ? def->online_count : 1, sizeof(*to));
    for (size_t i = 0; to && i < def->online_count; i++) {
        const struct online_def *from = &def->online[i];
        to[i] = (struct online_def){arena_str(a, from->topic), arena_str(a, from->path),
                                    arena_str(a, from->yes), arena_str(a, from->no)};
    }
    return to;
}

/* --- as one text, for comparing --- */

static void add_text(struct strbuf *b, struct str s)
{
    strbuf_addf(b, "%zu:%.*s,", s.n, STR_FMT(s));
}

static struct str mapping_as_text(struct arena *a, const struct mapping_def *def)
{
    struct strbuf b;
    strbuf_init(&b, a->alloc, 4 << 20);
    for (size_t i = 0; i < def->source_count; i++) {
        const struct source_def *s = &def->sources[i];
        strbuf_addf(&b, "s%u%d%.17g,%.17g,", s->member, s->event, s->scale, s->offset);
        add_text(&b, s->topic);
        add_text(&b, s->path);
        add_text(&b, s->time);
        add_text(&b, s->yes);
        add_text(&b, s->no);
    }
    for (size_t i = 0; i < def->command_count; i++) {
        const struct command_def *c = &def->commands[i];
        strbuf_addf(&b, "c%u,%u%d", c->action, c->qos, c->retain);
        add_text(&b, c->topic);
        add_text(&b, c->answer);
        add_text(&b, c->yes);
        add_text(&b, c->no);
        for (size_t k = 0; k < c->piece_count; k++) {
            const struct piece_def *p = &c->pieces[k];
            strbuf_addf(&b, "p%d,%.17g,%.17g,%d%d", p->param, p->scale, p->offset, p->whole,
                        p->json);
            add_text(&b, p->text);
        }
    }
    for (size_t i = 0; i < def->online_count; i++) {
        strbuf_addc(&b, 'o');
        add_text(&b, def->online[i].topic);
        add_text(&b, def->online[i].path);
        add_text(&b, def->online[i].yes);
        add_text(&b, def->online[i].no);
    }
    struct str text = b.failed ? (struct str){0} : arena_str(a, strbuf_str(&b));
    if (b.failed)
        a->failed = true;
    strbuf_fini(&b);
    return text;
}

/* --- sources --- */

static struct mapped_topic *topic_at(const struct build *b, struct str topic)
{
    struct mapping *m = b->m;
    for (size_t i = 0; i < m->topic_count; i++)
        if (str_eq(m->topics[i].topic, topic))
            return &m->topics[i];
    struct mapped_topic *t = &m->topics[m->topic_count++];
    t->topic = topic;
    return t;
}

static enum err add_source(const struct build *b, struct mapped_topic *t,
                           const struct source_def *def)
{
    const struct model_def *model = b->d->model;
    struct source *s = &t->sources[t->n++];
    struct scalar how = {.kind = VALUE_STR};
    ASSERT(def->member < (def->event ? model->event_count : model->property_count));
    if (!def->event) {
        const struct property_def *p = &model->properties[def->member];
        how = (struct scalar){.kind = p->kind,
                              .name = p->name,
                              .unit = p->unit,
                              .scale = def->scale,
                              .offset = def->offset,
                              .convert = b->r->cfg.convert};
    }
    how.yes = def->yes;
    how.no = def->no;
    *s = (struct source){.what = def->event ? SOURCE_EVENT : SOURCE_PROPERTY,
                         .member = def->member,
                         .how = how,
                         .text = def->path};
    return path_parse(&s->path, def->path, b->arena, b->e);
}

static enum err add_time(const struct build *b, struct mapped_topic *t, struct str path)
{
    struct source *s = &t->sources[t->n++];
    *s = (struct source){.what = SOURCE_TIME, .text = path};
    return path_parse(&s->path, path, b->arena, b->e);
}

/* One time for a message: what its sources say, if they say it. */
static enum err topic_time(const struct build *b, struct mapped_topic *t,
                           const struct source_def *def)
{
    if (!def->time.n || str_eq(t->time, def->time))
        return ERR_OK;
    if (t->time.n)
        return error_set(
            b->e, ERR_INVALID, "%.*s: the messages on %.*s have one time: \"%.*s\" or \"%.*s\"",
            STR_FMT(b->d->name), STR_FMT(t->topic), STR_FMT(t->time), STR_FMT(def->time));
    t->time = def->time;
    return ERR_OK;
}

static int by_path(const void *a, const void *b)
{
    const struct source *x = a, *y = b;
    return path_cmp(&x->path, &y->path);
}

static enum err finish_topic(const struct build *b, struct mapped_topic *t)
{
    enum err err = ERR_OK;
    if (t->time.n)
        err = add_time(b, t, t->time);
    else
        err = add_time(b, t, STR("Time"));
    if (!err && !t->time.n)
        err = add_time(b, t, STR("ts"));
    if (err)
        return err;
    bool documents = false;
    for (size_t i = 0; i < t->n; i++)
        documents = documents || (t->sources[i].what != SOURCE_TIME && t->sources[i].path.n > 0);
    while (!documents && t->sources[t->n - 1].what == SOURCE_TIME)
        t->n--; /* bare payloads have no time */
    qsort(t->sources, t->n, sizeof(*t->sources), by_path);
    const struct topic_binding want = {
        .role = TOPIC_SOURCES, .device = b->d, .topic = t->topic, .sources = t};
    return ingest_bind_topic(b->r, &want, b->e);
}

static enum err build_sources(const struct build *b)
{
    const struct mapping_def *def = &b->m->def;
    size_t n = def->source_count;
    if (n > SOURCES_MAX)
        return error_set(b->e, ERR_RANGE, "%.*s: more than %d sources", STR_FMT(b->d->name),
                         SOURCES_MAX);
    b->m->topics = arena_array(b->arena, n ? n : 1, sizeof(*b->m->topics));
    if (!b->m->topics)
        return no_memory(b);
    enum err err = ERR_OK;
    for (size_t i = 0; !err && i < n; i++) {
        err = check_topic(b, def->sources[i].topic);
        if (!err)
            topic_at(b, def->sources[i].topic)->n++;
    }
    for (size_t i = 0; !err && i < b->m->topic_count; i++) {
        struct mapped_topic *t = &b->m->topics[i];
        t->sources = arena_array(b->arena, t->n + 2, sizeof(*t->sources));
        t->n = 0;
        if (!t->sources)
            err = no_memory(b);
    }
    for (size_t i = 0; !err && i < n; i++) {
        struct mapped_topic *t = topic_at(b, def->sources[i].topic);
        err = add_source(b, t, &def->sources[i]);
        if (!err)
            err = topic_time(b, t, &def->sources[i]);
    }
    for (size_t i = 0; !err && i < b->m->topic_count; i++)
        err = finish_topic(b, &b->m->topics[i]);
    return err;
}

/* --- commands and availability --- */

static enum err build_command(const struct build *b, const struct command_def *c)
{
    struct topic_binding want = {
        .role = TOPIC_SET, .device = b->d, .topic = c->topic, .mapped = true, .keeps = c->retain};
    ASSERT(c->action < b->d->model->action_count);
    enum err err = check_topic(b, c->topic);
    if (!err)
        err = ingest_bind_topic(b->r, &want, b->e);
    if (err || !c->answer.n)
        return err;
    err = check_topic(b, c->answer);
    want = (struct topic_binding){
        .role = TOPIC_ANSWER, .device = b->d, .topic = c->answer, .index = c->action};
    return err ? err : ingest_bind_topic(b->r, &want, b->e);
}

static enum err build_online(const struct build *b, const struct online_def *def, struct online *o)
{
    *o = (struct online){.topic = def->topic, .text = def->path, .yes = def->yes, .no = def->no};
    enum err err = check_topic(b, def->topic);
    if (!err)
        err = path_parse(&o->path, def->path, b->arena, b->e);
    const struct topic_binding want = {
        .role = TOPIC_ONLINE, .device = b->d, .topic = def->topic, .online = o};
    return err ? err : ingest_bind_topic(b->r, &want, b->e);
}

enum err mapping_build(struct registry *r, struct device *d, const struct mapping_def *def,
                       struct error *e)
{
    struct arena *a = &r->building->arena;
    struct mapping *m = arena_new(a, sizeof(*m));
    const struct build b = {r, a, d, m, e};
    if (!def->source_count && !def->command_count && !def->online_count)
        return ERR_OK;
    if (!m)
        return no_memory(&b);
    m->def = *def;
    m->def.sources = copy_sources(a, def);
    m->def.commands = copy_commands(a, def);
    m->def.online = copy_online(a, def);
    m->online = arena_array(a, def->online_count ? def->online_count : 1, sizeof(*m->online));
    m->text = mapping_as_text(a, def);
    if (a->failed)
        return no_memory(&b);
    d->mapping = m;
    enum err err = build_sources(&b);
    for (size_t i = 0; !err && i < def->command_count; i++)
        err = build_command(&b, &m->def.commands[i]);
    for (size_t i = 0; !err && i < def->online_count; i++)
        err = build_online(&b, &m->def.online[i], &m->online[i]);
    return err;
}

const struct command_def *mapping_command(const struct device *d, uint32_t action)
{
    for (size_t i = 0; d->mapping && i < d->mapping->def.command_count; i++)
        if (d->mapping->def.commands[i].action == action)
            return &d->mapping->def.commands[i];
    return NULL;
}

struct str registry_answer_topic(const struct device *d, uint32_t action)
{
    const struct command_def *c = mapping_command(d, action);
    return c ? c->answer : STR("");
}

/* --- whether it is there --- */

void online_heard(struct device *d, struct online *o, enum reach_state state)
{
    bool any = false, all = true;
    if (state == REACH_UNKNOWN)
        return;
    o->state = state;
    for (size_t i = 0; i < d->mapping->def.online_count; i++) {
        any = any || d->mapping->online[i].state == REACH_ONLINE;
        all = all && d->mapping->online[i].state != REACH_OFFLINE;
    }
    if (!all)
        registry_link_state(d, false, "it is offline, as its availability topic says");
    else if (any)
        registry_link_state(d, true, "");
}

void online_carry(struct device *to, const struct device *from)
{
    for (size_t i = 0; to->mapping && i < to->mapping->def.online_count; i++)
        for (size_t k = 0; from->mapping && k < from->mapping->def.online_count; k++) {
            struct online *o = &to->mapping->online[i];
            const struct online *before = &from->mapping->online[k];
            if (str_eq(o->topic, before->topic) && str_eq(o->text, before->text))
                o->state = before->state;
        }
}
