#include "app/terminal.h"

#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool terminal_has_colors(int fd)
{
    return isatty(fd) && !getenv("NO_COLOR");
}

/* Bytes of the character at `at`, if it may be shown; else 0. C1 controls are two bytes in UTF-8.
 */
static size_t printable(struct str text, size_t at)
{
    uint8_t c = (uint8_t)text.p[at];
    size_t n = c < 0x80 ? 1 : c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;
    if (c < 0x20 || c == 0x7F || at + n > text.n || !utf8_valid(str_sub(text, at, n)))
        return 0;
    return c == 0xC2 && (uint8_t)text.p[at + 1] < 0xA0 ? 0 : n;
}

struct str terminal_text(struct str text, char *buf, size_t size)
{
    size_t n = 0;
    for (size_t at = 0; at < text.n && n + 5 < size;) {
        size_t step = printable(text, at);
        if (step)
            memcpy(buf + n, text.p + at, step);
        else
            (void)snprintf(buf + n, size - n, "\\x%02X", (uint8_t)text.p[at]);
        n += step ? step : 4;
        at += step ? step : 1;
    }
    return (struct str){buf, n};
}

const char *terminal_shown(const char *text, char *buf, size_t size)
{
    struct str s = terminal_text(str_from(text), buf, size - 1);
    buf[s.n] = '\0';
    return buf;
}

void terminal_add_query(struct strbuf *out, const char *key, struct str text)
{
    strbuf_adds(out, key);
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                     (c && strchr("-._~", c));
        if (plain)
            strbuf_addc(out, c);
        else
            strbuf_addf(out, "%%%02X", (uint8_t)c);
    }
}
