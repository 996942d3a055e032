#include "registry/observed.h"
#include "codec/json.h"
#include "registry/path.h"

#include <math.h>
#include <string.h>

/* --- one field --- */

static struct observed_field *field_find(struct observed *o, struct alloc *a, struct str path)
{
    for (size_t i = 0; i < o->n; i++)
        if (str_eq(observed_path(o->fields[i]), path))
            return o->fields[i];
    if (o->n == OBSERVED_FIELDS_MAX || path.n > OBSERVED_PATH_BYTES)
        return NULL;
    struct observed_field *f = mem_zero(a, sizeof(*f));
    if (!f)
        return NULL;
    if (path.n)
        memcpy(f->path, path.p, path.n);
    f->path_n = path.n;
    f->min = INFINITY;
    f->max = -INFINITY;
    o->fields[o->n++] = f;
    return f;
}

static void note_value(struct observed_field *f, struct observed_value v)
{
    f->count++;
    f->of[v.kind]++;
    f->values[f->value_at] = v;
    f->value_at = (f->value_at + 1) % OBSERVED_VALUES_MAX;
    f->value_n += f->value_n < OBSERVED_VALUES_MAX;
}

static void note_number(struct observed_field *f, double n, bool quoted, int64_t ts_ms)
{
    f->whole += n == floor(n);
    f->quoted += quoted;
    f->min = n < f->min ? n : f->min;
    f->max = n > f->max ? n : f->max;
    note_value(f, (struct observed_value){.ts_ms = ts_ms, .number = n, .kind = OBSERVED_NUMBER});
}

static int word_index(struct observed_words *w, struct str text)
{
    for (size_t i = 0; i < w->n; i++)
        if (str_eq((struct str){w->text[i], w->length[i]}, text))
            return (int)i;
    if (w->n == OBSERVED_WORDS_MAX || text.n > OBSERVED_WORD_BYTES) {
        w->more = true;
        return -1;
    }
    if (text.n)
        memcpy(w->text[w->n], text.p, text.n);
    w->length[w->n] = (uint8_t)text.n;
    return (int)w->n++;
}

/* At a character. */
static size_t cut_text(struct str text)
{
    size_t n = text.n < OBSERVED_WORD_BYTES ? text.n : OBSERVED_WORD_BYTES;
    while (n < text.n && n > 0 && ((uint8_t)text.p[n] & 0xC0) == 0x80)
        n--;
    return n;
}

static void note_text(struct observed_field *f, struct alloc *a, struct str text, int64_t ts_ms)
{
    double n;
    if (str_to_double(text, &n) == ERR_OK) {
        note_number(f, n, true, ts_ms);
        return;
    }
    struct observed_value v = {.ts_ms = ts_ms, .kind = OBSERVED_TEXT, .word = -1};
    if (!f->words)
        f->words = mem_zero(a, sizeof(*f->words));
    if (f->words) {
        v.word = word_index(f->words, text);
        f->words->last_n = cut_text(text);
        if (f->words->last_n)
            memcpy(f->words->last, text.p, f->words->last_n);
    }
    note_value(f, v);
}

/* --- a document --- */

struct walk {
    struct observed *o;
    struct alloc *a;
    struct strbuf *path;
    int64_t ts_ms;
    struct json_reader r;
};

static void note_string(struct walk *w, struct observed_field *f, const struct json_token *t)
{
    char text[4 * OBSERVED_WORD_BYTES];
    struct str s;
    if (json_unescape(t->raw, text, sizeof(text), &s)) /* longer than any word */
        s = (struct str){t->raw.p, t->raw.n < sizeof(text) ? t->raw.n : sizeof(text)};
    note_text(f, w->a, s, w->ts_ms);
}

static void note_leaf(struct walk *w, const struct json_token *t)
{
    double n;
    bool fits = !w->path->failed;
    struct observed_field *f = fits ? field_find(w->o, w->a, strbuf_str(w->path)) : NULL;
    if (!f)
        w->o->left_out++;
    else if (t->kind == JSON_STRING)
        note_string(w, f, t);
    else if (t->kind == JSON_NULL)
        note_value(f, (struct observed_value){.ts_ms = w->ts_ms, .kind = OBSERVED_NULL});
    else if (t->kind != JSON_NUMBER)
        note_value(f, (struct observed_value){.ts_ms = w->ts_ms,
                                              .number = t->kind == JSON_TRUE,
                                              .kind = OBSERVED_BOOL});
    else if (json_number(t->raw, &n) == ERR_OK)
        note_number(f, n, false, w->ts_ms);
}

/* Back to where the path was before a step; one that did not fit leaves it failed meanwhile. */
static void step_back(struct strbuf *path, size_t n, bool failed)
{
    path->n = n;
    path->failed = failed;
    if (path->p && path->cap)
        path->p[n] = '\0';
}

/* The levels that are open, each with where its path began. */
struct level {
    size_t path_n;
    bool failed, list;
    size_t index;
};

static void walk_document(struct walk *w)
{
    struct level levels[JSON_DEPTH_MAX + 1] = {0};
    size_t depth = 0;
    struct json_token t;
    enum json_kind k;
    while ((k = json_next(&w->r, &t)) != JSON_END && k != JSON_ERROR) {
        struct level *l = &levels[depth];
        if (k == JSON_OBJECT_END || k == JSON_ARRAY_END) {
            depth--;
            step_back(w->path, levels[depth].path_n, levels[depth].failed);
            continue;
        }
        if (k == JSON_KEY) {
            char key[OBSERVED_PATH_BYTES];
            struct str text;
            step_back(w->path, l->path_n, l->failed);
            if (json_unescape(t.raw, key, sizeof(key), &text))
                w->path->failed = true;
            else
                path_add_key(w->path, text);
            continue;
        }
        if (l->list) {
            step_back(w->path, l->path_n, l->failed);
            path_add_index(w->path, l->index++);
        }
        if (k != JSON_OBJECT && k != JSON_ARRAY) {
            note_leaf(w, &t);
            continue;
        }
        levels[++depth] = (struct level){
            .path_n = w->path->n, .failed = w->path->failed, .list = k == JSON_ARRAY};
    }
}

void observed_json(struct observed *o, struct alloc *a, struct strbuf *path, struct bytes document,
                   int64_t ts_ms)
{
    struct walk w = {.o = o, .a = a, .path = path, .ts_ms = ts_ms};
    o->left_out = 0;
    if (document.n > OBSERVED_PAYLOAD_MAX) {
        o->left_out = 1;
        return;
    }
    strbuf_reset(path);
    json_init(&w.r, document);
    walk_document(&w);
}

void observed_bare(struct observed *o, struct alloc *a, struct str payload, int64_t ts_ms)
{
    struct observed_field *f = field_find(o, a, STR(""));
    double n;
    o->left_out = f == NULL;
    if (!f)
        return;
    if (str_to_double(str_trim(payload), &n) == ERR_OK)
        note_number(f, n, false, ts_ms);
    else
        note_text(f, a, payload, ts_ms);
}

void observed_fini(struct observed *o, struct alloc *a)
{
    for (size_t i = 0; i < o->n; i++) {
        mem_free(a, o->fields[i]->words, sizeof(*o->fields[i]->words));
        mem_free(a, o->fields[i], sizeof(*o->fields[i]));
    }
    *o = (struct observed){0};
}

const struct observed_value *observed_at(const struct observed_field *f, size_t i)
{
    size_t first = f->value_n < OBSERVED_VALUES_MAX ? 0 : f->value_at;
    return &f->values[(first + i) % OBSERVED_VALUES_MAX];
}
