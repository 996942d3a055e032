#include "app/mqtt_format.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Behind a '%': -, 0, width, .precision, and what is shown. */
struct field {
    bool left, zeros;
    size_t width, max; /* max: SIZE_MAX if it is not said */
    char what;
};

static size_t digits(const char **at)
{
    size_t n = 0;
    while (**at >= '0' && **at <= '9' && n < 10000)
        n = n * 10 + (size_t)(*(*at)++ - '0');
    return n;
}

/* `at` stands behind the '%', and then behind the field. */
static struct field field_read(const char **at)
{
    struct field f = {.max = SIZE_MAX};
    for (; **at == '-' || **at == '0'; (*at)++) {
        f.left = f.left || **at == '-';
        f.zeros = f.zeros || **at == '0';
    }
    f.width = digits(at);
    if (**at == '.') {
        (*at)++;
        f.max = digits(at);
    }
    f.what = **at;
    if (**at)
        (*at)++;
    return f;
}

const char *mqtt_format_check(const char *format)
{
    for (const char *at = format; *at;) {
        char c = *at++;
        if (c == '%') {
            struct field f = field_read(&at);
            if (!f.what || !strchr("%ACDEFIJjlmPpqRrStUxX", f.what))
                return "behind a % stands no part of a message";
        } else if (c == '@' && !*at++) {
            return "it ends with a lone @";
        } else if (c == '\\' && (!*at || !strchr("\\0aenrtv", *at++))) {
            return "behind a \\ stands none of \\ 0 a e n r t v";
        }
    }
    return NULL;
}

static void pad(struct strbuf *out, char c, size_t n)
{
    while (n-- > 0)
        strbuf_addc(out, c);
}

static void add(struct strbuf *out, const struct field *f, struct str s, bool is_number)
{
    size_t n = s.n < f->max || is_number ? s.n : f->max;
    size_t blanks = f->width > n ? f->width - n : 0;
    if (!f->left)
        pad(out, f->zeros && is_number ? '0' : ' ', blanks);
    strbuf_add(out, s.p, n);
    if (f->left)
        pad(out, ' ', blanks);
}

static void add_number(struct strbuf *out, const struct field *f, bool there, uint64_t v)
{
    char text[24];
    int n = there ? snprintf(text, sizeof(text), "%" PRIu64, v) : 0;
    add(out, f, (struct str){text, (size_t)n}, there);
}

static void add_hex(struct strbuf *out, const struct field *f, struct bytes b)
{
    const char *hex = f->what == 'x' ? "0123456789abcdef" : "0123456789ABCDEF";
    size_t blanks = f->width > 2 * b.n ? f->width - 2 * b.n : 0;
    if (!f->left)
        pad(out, f->zeros ? '0' : ' ', blanks);
    for (size_t i = 0; i < b.n; i++) {
        strbuf_addc(out, hex[b.p[i] >> 4]);
        strbuf_addc(out, hex[b.p[i] & 15]);
    }
    if (f->left)
        pad(out, ' ', blanks);
}

static void add_time(struct strbuf *out, const struct timespec *now, const char *format,
                     const struct field *f)
{
    char text[256];
    struct tm tm;
    localtime_r(&now->tv_sec, &tm);
    size_t n = strftime(text, sizeof(text), format, &tm);
    add(out, f, (struct str){text, n}, false);
}

static void add_user_properties(struct strbuf *out, struct bytes raw)
{
    struct cursor at = cursor_from(raw.p, raw.n);
    struct mqtt_prop p;
    bool any = false;
    while (mqtt_prop_next(&at, &p)) {
        if (p.id != MQTT_PROP_USER_PROPERTY)
            continue;
        if (any)
            strbuf_addc(out, ' ');
        any = true;
        strbuf_addstr(out, p.name);
        strbuf_addc(out, ':');
        strbuf_addstr(out, p.value);
    }
}

static struct str text_of(struct bytes b)
{
    return (struct str){(const char *)b.p, b.n};
}

static bool has(const struct mqtt_publish *m, enum mqtt_prop_id id)
{
    return m->props.has & MQTT_HAS(id);
}

static enum err add_field(struct strbuf *out, const struct field *f, const struct mqtt_shown *s)
{
    const struct mqtt_publish *m = s->m;
    const struct mqtt_props *p = &m->props;
    switch (f->what) {
    case '%': strbuf_addc(out, '%'); break;
    case 'A': add_number(out, f, has(m, MQTT_PROP_TOPIC_ALIAS), p->topic_alias); break;
    case 'C': add(out, f, p->content_type, false); break;
    case 'D': strbuf_addstr(out, text_of(p->correlation_data)); break;
    case 'E': add_number(out, f, has(m, MQTT_PROP_MESSAGE_EXPIRY), p->message_expiry_s); break;
    case 'F': add_number(out, f, has(m, MQTT_PROP_PAYLOAD_FORMAT), p->payload_format); break;
    case 'I': add_time(out, &s->now, "%FT%T%z", f); break;
    case 'j': return mqtt_format_json(out, s, false);
    case 'J': return mqtt_format_json(out, s, true);
    case 'l': add_number(out, f, true, m->payload.n); break;
    case 'm': add_number(out, f, true, m->id); break;
    case 'P': add_user_properties(out, p->raw); break;
    case 'p': add(out, f, text_of(m->payload), false); break;
    case 'q': strbuf_addf(out, "%u", m->qos); break;
    case 'R': add(out, f, p->response_topic, false); break;
    case 'r': strbuf_addf(out, "%d", m->retain); break;
    case 'S': add_number(out, f, has(m, MQTT_PROP_SUBSCRIPTION_ID), p->subscription_id); break;
    case 't': add(out, f, m->topic, false); break;
    case 'U': strbuf_addf(out, "%lld.%09ld", (long long)s->now.tv_sec, s->now.tv_nsec); break;
    case 'x':
    case 'X': add_hex(out, f, m->payload); break;
    default: break;
    }
    return ERR_OK;
}

static void add_at(struct strbuf *out, char c, const struct timespec *now)
{
    char format[] = {'%', c, '\0'};
    if (c == '@')
        strbuf_addc(out, '@');
    else if (c == 'N')
        strbuf_addf(out, "%09ld", now->tv_nsec);
    else
        add_time(out, now, format, &(struct field){.max = SIZE_MAX});
}

static void add_escape(struct strbuf *out, char c)
{
    static const char names[] = "\\0aenrtv", values[] = "\\\0\a\033\n\r\t\v";
    strbuf_addc(out, values[strchr(names, c) - names]);
}

enum err mqtt_format(struct strbuf *out, const char *format, const struct mqtt_shown *s)
{
    enum err err = ERR_OK;
    for (const char *at = format; *at;) {
        char c = *at++;
        if (c == '%') {
            struct field f = field_read(&at);
            enum err e = add_field(out, &f, s);
            err = err ? err : e;
        } else if (c == '@') {
            add_at(out, *at++, &s->now);
        } else if (c == '\\') {
            add_escape(out, *at++);
        } else {
            strbuf_addc(out, c);
        }
    }
    return err;
}
