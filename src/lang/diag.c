/* Messages: collecting them, and showing them as people read them. */
#include "lang/ctx_internal.h"

#include <stdlib.h>
#include <string.h>

static struct str vtext(struct lang_ctx *c, const char *fmt, va_list ap)
{
    struct strbuf b;
    strbuf_init(&b, &c->alloc, 0);
    strbuf_vaddf(&b, fmt, ap);
    if (b.failed)
        ctx_nomem(c);
    return ctx_str(c, strbuf_str(&b));
}

static void mark_set(struct lang_ctx *c, struct lang_mark *m, struct lang_span at, struct str label)
{
    *m = (struct lang_mark){.span = at, .label = label};
    ctx_place(c, at.source, at.from, &m->line, &m->column);
    ctx_place(c, at.source, at.to, &m->end_line, &m->end_column);
}

static bool told_before(const struct lang_ctx *c, struct str code, struct lang_span at,
                        struct str message)
{
    for (size_t i = 0; i < c->diags.n; i++) {
        const struct lang_diag *d = &c->diags.v[i];
        if (d->marks[0].span.source == at.source && d->marks[0].span.from == at.from &&
            d->marks[0].span.to == at.to && str_eq(d->code, code) && str_eq(d->message, message))
            return true;
    }
    return false;
}

bool diag_told(const struct lang_ctx *c, const char *code, struct lang_span at)
{
    for (size_t i = 0; i < c->diags.n; i++) {
        const struct lang_diag *d = &c->diags.v[i];
        if (d->marks[0].span.source == at.source && d->marks[0].span.from == at.from &&
            d->marks[0].span.to == at.to && str_eq(d->code, str_from(code)))
            return true;
    }
    return false;
}

/* Where a message goes: above the limit an error takes the place of the newest warning. */
static struct lang_diag *place_for(struct lang_ctx *c, enum lang_severity severity)
{
    if (c->diags.n < LANG_DIAGS_MAX) {
        ctx_push(c, &c->diags, (struct lang_diag){.severity = severity});
        return &c->diags.v[c->diags.n - 1];
    }
    for (size_t i = c->diags.n; severity == LANG_ERROR && i > 0; i--)
        if (c->diags.v[i - 1].severity == LANG_WARNING)
            return &c->diags.v[i - 1];
    return &c->overflow;
}

static struct lang_diag *add(struct lang_ctx *c, enum lang_severity severity, const char *code,
                             struct lang_span at, const char *label, const char *fmt, va_list ap)
{
    struct str message = vtext(c, fmt, ap);
    c->overflow = (struct lang_diag){0};
    if (told_before(c, str_from(code), at, message))
        return &c->overflow;
    if (severity == LANG_ERROR)
        c->errors++;
    else
        c->warnings++;
    struct lang_diag *d = place_for(c, severity);
    if (d == &c->overflow)
        return d;
    *d = (struct lang_diag){.severity = severity, .code = str_from(code)};
    d->message = message;
    mark_set(c, &d->marks[0], at, ctx_str(c, str_from(label)));
    d->marks[0].primary = true;
    d->marks_n = 1;
    return d;
}

struct lang_diag *diag_error(struct lang_ctx *c, const char *code, struct lang_span at,
                             const char *label, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct lang_diag *d = add(c, LANG_ERROR, code, at, label, fmt, ap);
    va_end(ap);
    return d;
}

struct lang_diag *diag_warning(struct lang_ctx *c, const char *code, struct lang_span at,
                               const char *label, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct lang_diag *d = add(c, LANG_WARNING, code, at, label, fmt, ap);
    va_end(ap);
    return d;
}

void diag_mark(struct lang_ctx *c, struct lang_diag *d, struct lang_span at, const char *fmt, ...)
{
    if (d == &c->overflow || d->marks_n >= LANG_MARKS_MAX)
        return;
    va_list ap;
    va_start(ap, fmt);
    struct str label = vtext(c, fmt, ap);
    va_end(ap);
    mark_set(c, &d->marks[d->marks_n++], at, label);
}

void diag_help(struct lang_ctx *c, struct lang_diag *d, const char *fmt, ...)
{
    if (d == &c->overflow)
        return;
    va_list ap;
    va_start(ap, fmt);
    d->help = vtext(c, fmt, ap);
    va_end(ap);
}

/* ---- the host's -------------------------------------------------------------------------- */

struct lang_diag *lang_report_error(struct lang_ctx *c, const char *code, struct lang_span at,
                                    const char *label, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct lang_diag *d = add(c, LANG_ERROR, code, at, label, fmt, ap);
    va_end(ap);
    return d;
}

struct lang_diag *lang_report_warning(struct lang_ctx *c, const char *code, struct lang_span at,
                                      const char *label, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct lang_diag *d = add(c, LANG_WARNING, code, at, label, fmt, ap);
    va_end(ap);
    return d;
}

void lang_report_mark(struct lang_ctx *c, struct lang_diag *d, struct lang_span at, const char *fmt,
                      ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct str label = vtext(c, fmt, ap);
    va_end(ap);
    diag_mark(c, d, at, "%.*s", STR_FMT(label));
}

void lang_report_help(struct lang_ctx *c, struct lang_diag *d, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct str help = vtext(c, fmt, ap);
    va_end(ap);
    diag_help(c, d, "%.*s", STR_FMT(help));
}

const char *lang_report_nearest(struct lang_ctx *c, struct str written, const char *const *names)
{
    struct suggest s = suggest_for(c, written);
    for (size_t i = 0; names[i]; i++)
        suggest_offer(&s, str_from(names[i]));
    for (size_t i = 0; suggest_found(&s) && names[i]; i++)
        if (str_eq(s.best, str_from(names[i])))
            return names[i];
    return NULL;
}

/* ---- order --------------------------------------------------------------------------------- */

static int by_place(const void *pa, const void *pb)
{
    const struct lang_diag *a = pa, *b = pb;
    const struct lang_span *x = &a->marks[0].span, *y = &b->marks[0].span;
    if (x->source != y->source)
        return x->source < y->source ? -1 : 1;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    return str_cmp(a->code, b->code);
}

void diag_sort(struct lang_ctx *c)
{
    if (c->diags.n > 1)
        qsort(c->diags.v, c->diags.n, sizeof(*c->diags.v), by_place);
}

/* ---- rendering ------------------------------------------------------------------------- */

#define TAB_WIDTH      4u
#define LINE_MAX_SHOWN 240u

struct colors {
    const char *severity, *mark, *dim, *off;
};

static struct str line_text(const struct lang_site *site, const struct lang_mark *m)
{
    struct str t = site->sources[m->span.source].text;
    size_t from = m->span.from < t.n ? m->span.from : t.n, to = from;
    while (from > 0 && t.p[from - 1] != '\n')
        from--;
    while (to < t.n && t.p[to] != '\n')
        to++;
    if (to > from && t.p[to - 1] == '\r')
        to--;
    return str_sub(t, from, to - from);
}

/* A very long line is shown around its mark. Returns how many bytes were cut in front. */
static size_t clip(struct str *text, size_t mark)
{
    const size_t line_max = LINE_MAX_SHOWN, before = 80;
    if (text->n <= line_max)
        return 0;
    size_t from = mark > line_max - before ? mark - before : 0, to = from + line_max;
    while (from > 0 && ((unsigned char)text->p[from] & 0xC0) == 0x80)
        from--;
    to = to < text->n ? to : text->n;
    while (to < text->n && ((unsigned char)text->p[to] & 0xC0) == 0x80)
        to++;
    *text = str_sub(*text, from, to - from);
    return from;
}

/* Tabs become spaces, control characters a replacement, so that marks stand where they should. */
static size_t put_source(struct strbuf *out, struct str text, size_t column)
{
    size_t at = 0;
    while (at < text.n) {
        size_t from = at;
        uint32_t ch = utf8_next(text, &at);
        struct str one = str_sub(text, from, at - from);
        if (ch == '\t') {
            size_t n = TAB_WIDTH - column % TAB_WIDTH;
            for (size_t i = 0; out && i < n; i++)
                strbuf_addc(out, ' ');
            column += n;
        } else if (ch < 0x20 || ch == 0x7f || ch == 0xFFFD) {
            if (out)
                strbuf_adds(out, "\xEF\xBF\xBD");
            column++;
        } else {
            if (out)
                strbuf_addstr(out, one);
            column += utf8_width(one);
        }
    }
    return column;
}

static void repeat(struct strbuf *out, char c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        strbuf_addc(out, c);
}

/* `head`: with the place and the source line; else only the marks, under the line shown before. */
static void render_mark(struct strbuf *out, const struct lang_site *site, const struct lang_mark *m,
                        bool head, int gutter, const struct colors *col)
{
    struct str text = line_text(site, m);
    struct str all = site->sources[m->span.source].text;
    size_t line_from = (size_t)(text.p - all.p);
    size_t from = m->span.from < line_from ? 0 : m->span.from - line_from;
    size_t to = m->span.to <= line_from ? 0 : m->span.to - line_from;
    from = from > text.n ? text.n : from;
    to = to > text.n ? text.n : to;
    size_t cut = clip(&text, from);
    from -= cut;
    to = to > cut ? to - cut : 0;
    to = to > text.n ? text.n : to;
    if (head) {
        strbuf_addf(out, "%s  -->%s %.*s:%u:%u\n", col->dim, col->off,
                    STR_FMT(site->sources[m->span.source].name), m->line, m->column);
        strbuf_addf(out, "%s%*u |%s ", col->dim, gutter, m->line, col->off);
        (void)put_source(out, text, 0);
        strbuf_addc(out, '\n');
    }
    size_t left = put_source(NULL, str_sub(text, 0, from), 0);
    size_t right = to > from ? put_source(NULL, str_sub(text, from, to - from), left) : left;
    strbuf_addf(out, "%s%*s |%s ", col->dim, gutter, "", col->off);
    repeat(out, ' ', left);
    strbuf_adds(out, m->primary ? col->severity : col->mark);
    repeat(out, m->primary ? '^' : '-', right > left ? right - left : 1);
    if (m->label.n > 0)
        strbuf_addf(out, " %.*s", STR_FMT(m->label));
    strbuf_addf(out, "%s\n", col->off);
}

void lang_diag_render(struct strbuf *out, const struct lang_site *site, const struct lang_diag *d,
                      bool color)
{
    bool error = d->severity == LANG_ERROR;
    struct colors col = {"", "", "", ""};
    if (color)
        col =
            (struct colors){error ? "\x1b[1;31m" : "\x1b[1;33m", "\x1b[36m", "\x1b[2m", "\x1b[0m"};
    strbuf_addf(out, "%s%s[%.*s]%s: %.*s\n", col.severity, error ? "error" : "warning",
                STR_FMT(d->code), col.off, STR_FMT(d->message));
    uint32_t line_max = 0;
    for (size_t i = 0; i < d->marks_n; i++)
        line_max = d->marks[i].line > line_max ? d->marks[i].line : line_max;
    int gutter = 4;
    for (uint32_t n = 10000; n <= line_max && gutter < 9; n *= 10)
        gutter++;
    for (size_t i = 0; i < d->marks_n; i++) {
        const struct lang_mark *m = &d->marks[i], *before = i > 0 ? m - 1 : NULL;
        bool head = !before || before->span.source != m->span.source || before->line != m->line ||
                    line_text(site, m).n > LINE_MAX_SHOWN;
        render_mark(out, site, m, head, gutter, &col);
    }
    if (d->help.n > 0)
        strbuf_addf(out, "  help: %.*s\n", STR_FMT(d->help));
}
