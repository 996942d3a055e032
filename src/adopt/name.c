#include "adopt/name.h"
#include "lang/lang.h"

#include <string.h>

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word_char(char c)
{
    return is_lower(c) || is_upper(c) || is_digit(c);
}

/* temp|C, CO2|Level, HSB|Color, but DS18B20: where a capital letter begins a word. */
static bool begins_word(struct str s, size_t i)
{
    if (i == 0 || !is_upper(s.p[i]))
        return false;
    bool lower_next = i + 1 < s.n && is_lower(s.p[i + 1]);
    return is_lower(s.p[i - 1]) || (lower_next && is_word_char(s.p[i - 1]));
}

void name_words(struct name_words *out, struct str key, struct arena *a)
{
    char *to = arena_new(a, key.n + 1);
    out->n = 0;
    bool inside = false;
    for (size_t i = 0; to && i < key.n; i++) {
        char c = key.p[i];
        if (!is_word_char(c)) {
            inside = false;
            continue;
        }
        if (!inside || begins_word(key, i)) {
            if (out->n == NAME_WORDS_MAX)
                return;
            out->word[out->n++] = (struct str){to, 0};
        }
        inside = true;
        *to++ = is_upper(c) ? (char)(c - 'A' + 'a') : c;
        out->word[out->n - 1].n++;
    }
}

static bool taken(struct str s)
{
    static const char *const own[] = {"set", "ack", "telemetry", "name"};
    for (size_t i = 0; i < ARRAY_LEN(own); i++)
        if (str_eq(s, str_from(own[i])))
            return true;
    return lang_word_reserved(s);
}

static struct str join(const struct name_words *w, struct arena *a)
{
    char text[NAME_BYTES_MAX + 8];
    size_t n = 0;
    if (w->n && is_digit(w->word[0].p[0]))
        text[n++] = 'x';
    for (size_t i = 0; i < w->n && n < NAME_BYTES_MAX; i++) {
        if (i > 0)
            text[n++] = '_';
        size_t room = NAME_BYTES_MAX - n, part = w->word[i].n < room ? w->word[i].n : room;
        memcpy(text + n, w->word[i].p, part);
        n += part;
    }
    while (n > 0 && text[n - 1] == '_')
        n--;
    return arena_str(a, (struct str){text, n});
}

struct str name_of(struct str key, struct arena *a)
{
    struct name_words w;
    name_words(&w, key, a);
    struct str name = join(&w, a);
    return taken(name) ? arena_strf(a, "%.*s_", STR_FMT(name)) : name;
}

struct str name_of_device(struct str text, struct arena *a)
{
    struct name_words w;
    name_words(&w, text, a);
    struct str name = join(&w, a);
    return lang_word_reserved(name) || str_eq(name, STR("name"))
               ? arena_strf(a, "%.*s_", STR_FMT(name))
               : name;
}

struct str name_of_model(struct str text, struct arena *a)
{
    char to[NAME_BYTES_MAX + 8];
    size_t n = 0;
    bool first = true;
    for (size_t i = 0; i < text.n && n < NAME_BYTES_MAX; i++) {
        char c = text.p[i];
        if (!is_word_char(c)) {
            first = true;
            continue;
        }
        if (n == 0 && is_digit(c))
            to[n++] = 'X';
        to[n++] = first && is_lower(c) ? (char)(c - 'a' + 'A') : c;
        first = false;
    }
    return arena_str(a, (struct str){to, n});
}

static bool is_name(struct str s)
{
    if (!s.n || s.n > NAME_BYTES_MAX || is_digit(s.p[0]))
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!is_word_char(s.p[i]) && s.p[i] != '_')
            return false;
    return !lang_word_reserved(s);
}

bool name_is_property(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (is_upper(s.p[i]))
            return false;
    return is_name(s) && !taken(s);
}

bool name_is_device_path(struct str s)
{
    struct str part;
    if (!s.n || s.n > 120)
        return false;
    while (str_split(&s, '.', &part))
        if (!is_name(part))
            return false;
    return true;
}

bool name_is_model(struct str s)
{
    return is_name(s);
}
