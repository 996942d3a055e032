#include "adopt/declare.h"

#include "base/arena.h"
#include "base/utf8.h"

enum { ONE_LINE_MAX = 100, ONE_LINE_CLAUSES = 2, INDENT = 2, TEXTS_MAX = 1 << 20 };

/* --- pieces --- */

/* Controls (C0, C1), separators of lines and what turns the direction of writing: as they stand
 * they would end a comment, move a terminal's cursor, or show a text that is not the one that is
 * read. */
static bool is_hidden(uint32_t c)
{
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x200E || c == 0x200F ||
           (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

void declare_text(struct strbuf *out, struct str text)
{
    strbuf_addc(out, '"');
    for (size_t at = 0; at < text.n;) {
        size_t from = at;
        uint32_t c = utf8_next(text, &at);
        if (c == '"' || c == '\\' || c == '{' || c == '}')
            strbuf_addf(out, "\\%c", (char)c);
        else if (c == '\n')
            strbuf_adds(out, "\\n");
        else if (c == '\t')
            strbuf_adds(out, "\\t");
        else if (is_hidden(c))
            strbuf_addf(out, "\\u{%X}", c);
        else
            strbuf_addstr(out, str_sub(text, from, at - from));
    }
    strbuf_addc(out, '"');
}

/* Much of it is what a device says of itself, and it must not say a declaration. */
static void add_comment(struct strbuf *out, struct str text)
{
    strbuf_adds(out, "// ");
    for (size_t at = 0; at < text.n;) {
        size_t from = at;
        if (is_hidden(utf8_next(text, &at)))
            strbuf_addc(out, ' ');
        else
            strbuf_addstr(out, str_sub(text, from, at - from));
    }
}

void declare_number(struct strbuf *out, double v)
{
    strbuf_add_double(out, v == 0 ? 0 : v); /* no minus before a nought */
}

static void pad(struct strbuf *out, size_t n)
{
    while (n-- > 0)
        strbuf_addc(out, ' ');
}

static void comment_lines(struct strbuf *out, struct str comment)
{
    struct str line;
    while (comment.n && str_split(&comment, '\n', &line)) {
        add_comment(out, line);
        strbuf_addc(out, '\n');
    }
}

/* --- lines in columns ---
 *
 * A line is cells; each but the last is as wide as the widest of its column. */

enum { CELLS = 3 };
struct line {
    const char *word; /* "property", as wide as all of them */
    struct str cell[CELLS], comment;
};

static size_t column_width(const struct line *lines, size_t n, size_t column)
{
    size_t widest = 0;
    for (size_t i = 0; i < n; i++)
        if (utf8_width(lines[i].cell[column]) > widest)
            widest = utf8_width(lines[i].cell[column]);
    return widest;
}

/* Up to the last cell that is not empty, or, before a comment, all of them. */
static void add_line(struct strbuf *out, const struct line *l, const size_t widths[CELLS])
{
    size_t blanks = 1;
    pad(out, INDENT);
    strbuf_adds(out, l->word);
    for (size_t c = 0; c < CELLS; c++) {
        if (l->cell[c].n) {
            pad(out, blanks);
            strbuf_addstr(out, l->cell[c]);
            blanks = 0;
        }
        blanks += widths[c] ? widths[c] - utf8_width(l->cell[c]) + (c ? 2 : 1) : 0;
    }
    if (l->comment.n) {
        pad(out, blanks);
        add_comment(out, l->comment);
    }
    strbuf_addc(out, '\n');
}

static void add_lines(struct strbuf *out, const struct line *lines, size_t n)
{
    size_t widths[CELLS];
    for (size_t c = 0; c < CELLS; c++)
        widths[c] = column_width(lines, n, c);
    for (size_t i = 0; i < n; i++)
        add_line(out, &lines[i], widths);
}

/* --- models --- */

static struct str range_of(struct arena *a, const struct declare_property *p)
{
    struct strbuf b;
    strbuf_init(&b, a->alloc, 0);
    if (p->has_range) {
        strbuf_adds(&b, "range ");
        declare_number(&b, p->min);
        strbuf_adds(&b, "..");
        declare_number(&b, p->max);
    }
    struct str s = arena_str(a, strbuf_str(&b));
    strbuf_fini(&b);
    return s;
}

static struct str signature_of(struct arena *arena, const struct declare_action *a)
{
    struct str s = arena_strf(arena, "%.*s(", STR_FMT(a->name));
    for (size_t i = 0; i < a->param_count; i++)
        s = arena_strf(arena, "%.*s%s%.*s: %.*s", STR_FMT(s), i ? ", " : "",
                       STR_FMT(a->params[i].name), STR_FMT(a->params[i].type));
    return arena_strf(arena, "%.*s)", STR_FMT(s));
}

static struct str confirms_of(struct arena *arena, const struct declare_action *a)
{
    return a->confirms.n ? arena_strf(arena, "confirms %.*s", STR_FMT(a->confirms)) : STR("");
}

static void add_members(struct strbuf *out, struct arena *a, struct line *lines,
                        const struct declare_model *m)
{
    size_t n = 0;
    for (size_t i = 0; i < m->property_count; i++) {
        const struct declare_property *p = &m->properties[i];
        lines[n++] =
            (struct line){"property",
                          {arena_strf(a, "%.*s:", STR_FMT(p->name)), p->type, range_of(a, p)},
                          p->comment};
    }
    add_lines(out, lines, n);
    n = 0;
    for (size_t i = 0; i < m->event_count; i++)
        lines[n++] = (struct line){.word = "event   ", .cell = {m->events[i]}};
    for (size_t i = 0; i < m->action_count; i++) {
        const struct declare_action *x = &m->actions[i];
        lines[n++] = (struct line){"action  ", {signature_of(a, x), confirms_of(a, x)}, x->comment};
    }
    if (m->safe.n)
        lines[n++] =
            (struct line){.word = "safe    ", .cell = {arena_strf(a, "%.*s()", STR_FMT(m->safe))}};
    add_lines(out, lines, n);
}

void declare_members(struct strbuf *out, const struct declare_model *m)
{
    struct arena a;
    arena_init(&a, alloc_system(), TEXTS_MAX);
    struct line *lines =
        arena_array(&a, m->property_count + m->action_count + m->event_count + 1, sizeof(*lines));
    if (lines)
        add_members(out, &a, lines, m);
    out->failed |= a.failed;
    arena_fini(&a);
}

void declare_model(struct strbuf *out, const struct declare_model *m)
{
    comment_lines(out, m->comment);
    strbuf_addf(out, "model %.*s {\n", STR_FMT(m->name));
    declare_members(out, m);
    strbuf_adds(out, "}\n");
}

/* --- devices --- */

static bool fits_one_line(const struct declare_device *d)
{
    size_t n = 16 + d->name.n + d->model.n;
    for (size_t i = 0; i < d->clause_count; i++) {
        const struct declare_clause *c = &d->clauses[i];
        n += utf8_width(c->head) + utf8_width(c->tail) + 3;
        if (c->block || c->comment.n || c->column)
            return false;
    }
    return d->clause_count <= ONE_LINE_CLAUSES && n <= ONE_LINE_MAX;
}

static size_t head_width(const struct declare_clause *c, size_t n, int column)
{
    size_t widest = 0;
    for (size_t i = 0; i < n; i++)
        if (c[i].column == column && c[i].tail.n && utf8_width(c[i].head) > widest)
            widest = utf8_width(c[i].head);
    return widest;
}

static void add_clause(struct strbuf *out, const struct declare_clause *c, size_t wide,
                       unsigned indent)
{
    pad(out, indent);
    strbuf_addstr(out, c->head);
    if (c->tail.n) {
        size_t has = utf8_width(c->head);
        pad(out, c->column && has < wide ? wide - has + 1 : 1);
        strbuf_addstr(out, c->tail);
    }
    if (c->block)
        strbuf_adds(out, " {");
    if (c->comment.n) {
        pad(out, 2);
        add_comment(out, c->comment);
    }
    strbuf_addc(out, '\n');
    if (!c->block)
        return;
    declare_clauses(out, c->block, c->block_count, indent + INDENT);
    pad(out, indent);
    strbuf_adds(out, "}\n");
}

void declare_clauses(struct strbuf *out, const struct declare_clause *c, size_t n, unsigned indent)
{
    size_t wide = 0;
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || c[i].column != c[i - 1].column)
            wide = head_width(c, n, c[i].column);
        add_clause(out, &c[i], wide, indent);
    }
}

void declare_device(struct strbuf *out, const struct declare_device *d)
{
    comment_lines(out, d->comment);
    strbuf_addf(out, "device %.*s: %.*s {", STR_FMT(d->name), STR_FMT(d->model));
    if (!fits_one_line(d)) {
        strbuf_addc(out, '\n');
        declare_clauses(out, d->clauses, d->clause_count, INDENT);
        strbuf_adds(out, "}\n");
        return;
    }
    for (size_t i = 0; i < d->clause_count; i++) {
        const struct declare_clause *c = &d->clauses[i];
        strbuf_addf(out, "%s%.*s%s%.*s", i ? "; " : " ", STR_FMT(c->head), c->tail.n ? " " : "",
                    STR_FMT(c->tail));
    }
    strbuf_adds(out, " }\n");
}
