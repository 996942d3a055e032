#include "registry/path.h"

#include <string.h>

static enum err at_fault(struct error *e, enum err err, struct str text, size_t at, const char *why)
{
    return error_set(e, err, "the path \"%.*s\": %s at character %zu", STR_FMT(text), why, at + 1);
}

/* 'it''s', from the opening quote on; its text to *out. The byte behind it, or 0: it has no end. */
static size_t quoted_key(struct str text, size_t at, struct arena *a, struct str *out)
{
    char *to = arena_new(a, text.n + 1);
    size_t n = 0, i = at + 1;
    for (; to && i < text.n; i++) {
        if (text.p[i] == '\'' && (i + 1 == text.n || text.p[i + 1] != '\'')) {
            *out = (struct str){to, n};
            return i + 1;
        }
        i += text.p[i] == '\'';
        to[n++] = text.p[i];
    }
    return 0;
}

static size_t plain_key(struct str text, size_t at, struct arena *a, struct str *out)
{
    size_t i = at;
    while (i < text.n && text.p[i] != '.' && text.p[i] != '[' && text.p[i] != ']' &&
           text.p[i] != '\'')
        i++;
    *out = arena_str(a, str_sub(text, at, i - at));
    return i == at ? 0 : i;
}

/* [12], from the bracket on. */
static size_t place(struct str text, size_t at, size_t *out)
{
    size_t i = at + 1, n = 0;
    for (; i < text.n && text.p[i] >= '0' && text.p[i] <= '9' && n < 100000; i++)
        n = n * 10 + (size_t)(text.p[i] - '0');
    *out = n;
    return i > at + 1 && i < text.n && text.p[i] == ']' ? i + 1 : 0;
}

enum err path_parse(struct path *out, struct str text, struct arena *a, struct error *e)
{
    struct path_step steps[PATH_STEPS_MAX] = {0};
    size_t n = 0, at = 0;
    *out = (struct path){0};
    if (text.n > PATH_BYTES_MAX)
        return error_set(e, ERR_RANGE, "a path has at most %d bytes", PATH_BYTES_MAX);
    while (at < text.n) {
        if (n == PATH_STEPS_MAX)
            return error_set(e, ERR_RANGE, "the path \"%.*s\" has more than %d steps",
                             STR_FMT(text), PATH_STEPS_MAX);
        struct path_step *s = &steps[n++];
        bool list = text.p[at] == '[';
        size_t from = at;
        if (!list && n > 1 && text.p[at++] != '.')
            return at_fault(e, ERR_SYNTAX, text, from, "a dot or a bracket is missing");
        size_t next = at == text.n         ? 0
                      : list               ? place(text, at, &s->index)
                      : text.p[at] == '\'' ? quoted_key(text, at, a, &s->key)
                                           : plain_key(text, at, a, &s->key);
        if (a->failed)
            return error_set(e, ERR_NOMEM, "no memory for a path");
        if (!next)
            return at_fault(e, ERR_SYNTAX, text, at,
                            list                                ? "no number in brackets"
                            : at < text.n && text.p[at] == '\'' ? "a quote is not closed"
                                                                : "a key is missing");
        at = next;
    }
    struct path_step *copy = arena_array(a, n ? n : 1, sizeof(*copy));
    if (!copy)
        return error_set(e, ERR_NOMEM, "no memory for a path");
    memcpy(copy, steps, n * sizeof(*copy));
    *out = (struct path){copy, n};
    return ERR_OK;
}

static bool is_plain(struct str key)
{
    for (size_t i = 0; i < key.n; i++)
        if (strchr(".[]'", key.p[i]))
            return false;
    return key.n > 0;
}

void path_add_key(struct strbuf *b, struct str key)
{
    if (b->n)
        strbuf_addc(b, '.');
    if (is_plain(key)) {
        strbuf_addstr(b, key);
        return;
    }
    strbuf_addc(b, '\'');
    for (size_t i = 0; i < key.n; i++) {
        if (key.p[i] == '\'')
            strbuf_addc(b, '\'');
        strbuf_addc(b, key.p[i]);
    }
    strbuf_addc(b, '\'');
}

void path_add_index(struct strbuf *b, size_t index)
{
    strbuf_addf(b, "[%zu]", index);
}

int path_step_cmp(const struct path_step *a, const struct path_step *b)
{
    if (a->key.p && b->key.p)
        return str_cmp(a->key, b->key);
    if (a->key.p || b->key.p)
        return a->key.p ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

int path_cmp(const struct path *a, const struct path *b)
{
    for (size_t i = 0; i < a->n && i < b->n; i++) {
        int c = path_step_cmp(&a->steps[i], &b->steps[i]);
        if (c)
            return c;
    }
    return a->n < b->n ? -1 : a->n > b->n;
}
