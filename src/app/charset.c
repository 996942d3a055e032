#include "app/charset.h"
#include "base/utf8.h"

#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- is it? --- */

bool charset_is_other(char *(*env)(const char *name))
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    const char *said = NULL;
    for (size_t i = 0; i < ARRAY_LEN(names) && !(said && said[0]); i++)
        said = env(names[i]);
    locale_t l = said && said[0] ? newlocale(LC_CTYPE_MASK, said, (locale_t)0) : (locale_t)0;
    if (!l)
        return false; /* nobody has, or one that is not installed here */
    bool other = strcmp(nl_langinfo_l(CODESET, l), "UTF-8") != 0;
    freelocale(l);
    return other;
}

/* --- spelling --- */

static const char *spelling(uint32_t c)
{
    static const struct {
        uint32_t c;
        const char *ascii;
    } table[] = {{0xB0, "deg"},   {0xBA, "o"},      {0xB1, "+-"},    {0xB2, "2"},
                 {0xB3, "3"},     {0xB5, "u"},      {0x3BC, "u"},    {0x3A9, "Ohm"},
                 {0x2126, "Ohm"}, {0xB7, "*"},      {0xD7, "x"},     {0xF7, "/"},
                 {0x2212, "-"},   {0x2013, "-"},    {0x2014, "-"},   {0x2026, "..."},
                 {0x2192, "->"},  {0x2190, "<-"},   {0x2260, "!="},  {0x2264, "<="},
                 {0x2265, ">="},  {0x20AC, "EUR"},  {0xE4, "ae"},    {0xF6, "oe"},
                 {0xFC, "ue"},    {0xC4, "Ae"},     {0xD6, "Oe"},    {0xDC, "Ue"},
                 {0xDF, "ss"},    {0x2103, "degC"}, {0x2109, "degF"}};
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (table[i].c == c)
            return table[i].ascii;
    return "?";
}

static size_t length_of(uint8_t first)
{
    return first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 1;
}

size_t charset_spell(struct strbuf *out, struct str text)
{
    size_t at = 0;
    while (at < text.n) {
        size_t from = at;
        if (length_of((uint8_t)text.p[at]) > text.n - at)
            break;
        uint32_t c = utf8_next(text, &at);
        if (c < 0x80)
            strbuf_addc(out, text.p[from]);
        else
            strbuf_adds(out, spelling(c));
    }
    return text.n - at;
}

/* --- the streams --- */

struct spelled {
    FILE *to;
    char rest[4]; /* the beginning of a character */
    size_t rest_n;
};

static ssize_t spelled_write(void *cookie, const char *p, size_t n)
{
    struct spelled *s = cookie;
    struct strbuf in, out;
    strbuf_init(&in, alloc_system(), 0);
    strbuf_init(&out, alloc_system(), 0);
    strbuf_add(&in, s->rest, s->rest_n);
    strbuf_add(&in, p, n);
    s->rest_n = charset_spell(&out, strbuf_str(&in));
    bool ok = !in.failed && !out.failed && s->rest_n < sizeof(s->rest) &&
              fwrite(out.p, 1, out.n, s->to) == out.n && fflush(s->to) == 0;
    if (ok)
        memcpy(s->rest, in.p + in.n - s->rest_n, s->rest_n);
    strbuf_fini(&in);
    strbuf_fini(&out);
    return ok ? (ssize_t)n : 0;
}

static FILE *spelled_open(struct spelled *s, FILE *to, int how)
{
    s->to = to;
    FILE *f = fopencookie(s, "w", (cookie_io_functions_t){.write = spelled_write});
    if (f)
        (void)setvbuf(f, NULL, how, 0);
    return f ? f : to;
}

void charset_open(void)
{
    static struct spelled out, err; /* as long as stdout and stderr are */
    bool tty[] = {isatty(STDOUT_FILENO), isatty(STDERR_FILENO)};
    if ((!tty[0] && !tty[1]) || !charset_is_other(getenv))
        return;
    if (tty[0])
        stdout = spelled_open(&out, stdout, _IOLBF);
    if (tty[1])
        stderr = spelled_open(&err, stderr, _IONBF);
}
