#include "codec/csv.h"

#include "base/utf8.h"

#include <string.h>

/* --- encodings --- */

static void add_utf8(struct strbuf *b, uint32_t c)
{
    if (c < 0x80) {
        strbuf_addc(b, (char)c);
    } else if (c < 0x800) {
        strbuf_addc(b, (char)(0xC0 | (c >> 6)));
        strbuf_addc(b, (char)(0x80 | (c & 0x3F)));
    } else if (c < 0x10000) {
        strbuf_addc(b, (char)(0xE0 | (c >> 12)));
        strbuf_addc(b, (char)(0x80 | ((c >> 6) & 0x3F)));
        strbuf_addc(b, (char)(0x80 | (c & 0x3F)));
    } else {
        strbuf_addc(b, (char)(0xF0 | (c >> 18)));
        strbuf_addc(b, (char)(0x80 | ((c >> 12) & 0x3F)));
        strbuf_addc(b, (char)(0x80 | ((c >> 6) & 0x3F)));
        strbuf_addc(b, (char)(0x80 | (c & 0x3F)));
    }
}

static void from_windows_1252(struct strbuf *b, struct bytes in)
{
    /* 0x80 … 0x9F; what has no meaning becomes U+FFFD. */
    static const uint16_t high[32] = {
        0x20AC, 0xFFFD, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
        0x2039, 0x0152, 0xFFFD, 0x017D, 0xFFFD, 0xFFFD, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
        0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0xFFFD, 0x017E, 0x0178};
    for (size_t i = 0; i < in.n; i++) {
        uint8_t c = in.p[i];
        add_utf8(b, c >= 0x80 && c < 0xA0 ? high[c - 0x80] : c);
    }
}

static enum err from_utf16(struct strbuf *b, struct bytes in, bool big)
{
    if (in.n % 2)
        return ERR_SYNTAX;
    for (size_t i = 0; i < in.n; i += 2) {
        uint32_t c =
            big ? (uint32_t)in.p[i] << 8 | in.p[i + 1] : (uint32_t)in.p[i + 1] << 8 | in.p[i];
        if (c >= 0xD800 && c < 0xDC00 && i + 3 < in.n) {
            uint32_t low = big ? (uint32_t)in.p[i + 2] << 8 | in.p[i + 3]
                               : (uint32_t)in.p[i + 3] << 8 | in.p[i + 2];
            if (low >= 0xDC00 && low < 0xE000) {
                c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
                i += 2;
            }
        }
        add_utf8(b, c >= 0xD800 && c < 0xE000 ? 0xFFFD : c);
    }
    return ERR_OK;
}

static bool begins(struct bytes in, const char *mark, size_t n)
{
    return in.n >= n && memcmp(in.p, mark, n) == 0;
}

enum err csv_decode(struct arena *a, struct bytes file, struct str *out, bool *guessed)
{
    struct strbuf b;
    enum err err = ERR_OK;
    size_t mark = begins(file, "\xEF\xBB\xBF", 3) ? 3 : 0;
    struct bytes rest = {mark ? file.p + mark : file.p, file.n - mark};
    struct str as_is = {(const char *)rest.p, rest.n};
    *guessed = false;
    strbuf_init(&b, a->alloc, 0);
    if (begins(file, "\xFF\xFE", 2) || begins(file, "\xFE\xFF", 2)) {
        err = from_utf16(&b, (struct bytes){file.p + 2, file.n - 2}, file.p[0] == 0xFE);
    } else if (utf8_valid(as_is)) {
        strbuf_addstr(&b, as_is);
    } else {
        *guessed = true;
        from_windows_1252(&b, rest);
    }
    if (!err && b.n && memchr(b.p, 0, b.n))
        err = ERR_SYNTAX;
    if (!err)
        *out = arena_str(a, strbuf_str(&b));
    if (b.failed || a->failed)
        err = ERR_NOMEM;
    strbuf_fini(&b);
    return err;
}

/* --- rows --- */

static const char separators[] = ";\t|,"; /* of equally many the first */

static char guess_separator(struct str text)
{
    size_t counts[sizeof(separators)] = {0}, best = sizeof(separators) - 2;
    bool quoted = false, any = false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '"')
            quoted = !quoted;
        if (!quoted && (c == '\n' || c == '\r') && any)
            break;
        const char *at = quoted || c == 0 ? NULL : strchr(separators, c);
        if (at)
            counts[at - separators]++;
        any = any || !strchr(" \t\r\n", c);
    }
    for (size_t i = sizeof(separators) - 1; i-- > 0;)
        if (counts[i] && counts[i] >= counts[best])
            best = i;
    return separators[best];
}

void csv_init(struct csv *c, struct arena *a, struct str text, char separator)
{
    *c = (struct csv){.text = text,
                      .arena = a,
                      .line = 1,
                      .separator = separator ? separator : guess_separator(text)};
}

static bool at_line_end(const struct csv *c)
{
    return c->text.n == 0 || c->text.p[0] == '\n' || c->text.p[0] == '\r';
}

static void skip(struct csv *c, size_t n)
{
    c->text = str_sub(c->text, n, c->text.n);
}

static void end_line(struct csv *c)
{
    if (c->text.n == 0)
        return;
    bool two = c->text.n > 1 && c->text.p[0] == '\r' && c->text.p[1] == '\n';
    skip(c, two ? 2 : 1);
    c->line++;
}

static void skip_line(struct csv *c)
{
    while (!at_line_end(c))
        skip(c, 1);
    end_line(c);
}

/* Behind the opening quote. */
static enum err quoted_cell(struct csv *c, struct csv_cell *cell, struct error *e)
{
    struct strbuf b;
    strbuf_init(&b, c->arena->alloc, 0);
    bool closed = false;
    while (c->text.n && !closed) {
        char ch = c->text.p[0];
        bool quote = ch == '"';
        if (quote && c->text.n > 1 && c->text.p[1] == '"')
            skip(c, 1);
        else if (quote)
            closed = true;
        if (!closed)
            strbuf_addc(&b, ch);
        if (ch == '\n' || (ch == '\r' && !(c->text.n > 1 && c->text.p[1] == '\n')))
            c->line++;
        skip(c, 1);
    }
    cell->text = str_trim(arena_str(c->arena, str_trim(strbuf_str(&b))));
    bool failed = b.failed || c->arena->failed;
    strbuf_fini(&b);
    while (closed && !at_line_end(c) && c->text.p[0] == ' ')
        skip(c, 1);
    if (failed)
        return error_set(e, ERR_NOMEM, "no memory for the table");
    if (!closed)
        return error_set(e, ERR_SYNTAX, "the quote that begins in line %u is not closed",
                         cell->line);
    if (!at_line_end(c) && c->text.p[0] != c->separator)
        return error_set(e, ERR_SYNTAX,
                         "there is text behind a closing quote; a quote inside of a cell is "
                         "written twice: \"\"");
    return ERR_OK;
}

static enum err one_cell(struct csv *c, struct csv_cell *cell, struct error *e)
{
    size_t n = 0;
    cell->line = c->line;
    while (n < c->text.n && c->text.p[n] == ' ')
        n++;
    if (n < c->text.n && c->text.p[n] == '"') {
        skip(c, n + 1);
        return quoted_cell(c, cell, e);
    }
    for (n = 0; n < c->text.n; n++) {
        char ch = c->text.p[n];
        if (ch == c->separator || ch == '\n' || ch == '\r')
            break;
    }
    cell->text = str_trim(str_sub(c->text, 0, n));
    skip(c, n);
    return ERR_OK;
}

static enum err one_row(struct csv *c, struct csv_row *row, struct error *e)
{
    row->n = 0;
    row->line = c->line;
    for (;;) {
        if (row->n == CSV_CELLS_MAX) {
            skip_line(c);
            return error_set(e, ERR_SYNTAX, "a row has at most %d cells", CSV_CELLS_MAX);
        }
        enum err err = one_cell(c, &row->cells[row->n], e);
        if (err) {
            skip_line(c);
            return err;
        }
        row->n++;
        if (at_line_end(c))
            break;
        skip(c, 1);
    }
    end_line(c);
    return ERR_OK;
}

enum err csv_next(struct csv *c, struct csv_row *out, struct error *e)
{
    while (c->text.n) {
        enum err err = one_row(c, out, e);
        if (err)
            return err;
        for (size_t i = 0; i < out->n; i++)
            if (out->cells[i].text.n)
                return ERR_OK;
    }
    return ERR_NOT_FOUND;
}

void csv_column_name(size_t index, char out[4])
{
    if (index < 26) {
        out[0] = (char)('A' + index);
        out[1] = '\0';
    } else {
        out[0] = (char)('A' + (index / 26 - 1) % 26);
        out[1] = (char)('A' + index % 26);
        out[2] = '\0';
    }
}
