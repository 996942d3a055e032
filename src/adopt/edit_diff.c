/* edit_diff: what an edit changes, as a unified diff.
 *
 * What changes is known, so nothing has to be searched for: each splice is a range of lines before
 * and after; ranges that touch are one, and those with few lines between share a hunk. */
#include "adopt/edit.h"

#include <string.h>

enum { CONTEXT = 3 };

struct change {
    size_t from, to;         /* bytes before, whole lines */
    size_t new_from, new_to; /* and after */
};

static struct str before_of(const struct edit *ed, size_t i)
{
    return edit_is_new(ed, i) ? STR("") : ed->site->sources[i].text;
}

static size_t start_of_line(struct str text, size_t at)
{
    while (at > 0 && text.p[at - 1] != '\n')
        at--;
    return at;
}

static size_t end_of_line(struct str text, size_t at)
{
    while (at < text.n && text.p[at] != '\n')
        at++;
    return at < text.n ? at + 1 : at;
}

/* The lines of a splice. One that puts whole lines between others changes none. */
static struct change lines_of(struct str was, const struct edit_splice *s)
{
    bool between = !s->remove && start_of_line(was, s->at) == s->at &&
                   (!s->text.n || s->text.p[s->text.n - 1] == '\n');
    if (between)
        return (struct change){.from = s->at, .to = s->at};
    return (struct change){.from = start_of_line(was, s->at),
                           .to = end_of_line(was, s->at + s->remove)};
}

static size_t changes_of(const struct edit *ed, size_t file, struct change *out)
{
    const struct edit_splice *sorted[EDIT_SPLICES_MAX];
    size_t splices = edit_sorted(ed, file, sorted), n = 0;
    long delta = 0; /* of the bytes before */
    for (size_t i = 0; i < splices; i++) {
        struct change c = lines_of(before_of(ed, file), sorted[i]);
        long grows = (long)sorted[i]->text.n - (long)sorted[i]->remove;
        if (n && c.from <= out[n - 1].to) {
            struct change *last = &out[n - 1];
            size_t more = c.to > last->to ? c.to - last->to : 0;
            last->to += more;
            last->new_to = (size_t)((long)(last->new_to + more) + grows);
        } else {
            c.new_from = (size_t)((long)c.from + delta);
            c.new_to = (size_t)((long)c.to + delta + grows);
            out[n++] = c;
        }
        delta += grows;
    }
    return n;
}

static size_t count_lines(struct str text, size_t from, size_t to)
{
    size_t n = 0;
    for (size_t i = from; i < to; i++)
        n += text.p[i] == '\n' || i + 1 == to;
    return n;
}

static size_t lines_back(struct str text, size_t at, size_t n)
{
    while (n-- > 0 && at > 0)
        at = start_of_line(text, at - 1);
    return at;
}

static size_t lines_on(struct str text, size_t at, size_t n)
{
    while (n-- > 0 && at < text.n)
        at = end_of_line(text, at);
    return at;
}

static void add_lines(struct strbuf *out, char sign, struct str text, size_t from, size_t to)
{
    while (from < to) {
        size_t end = end_of_line(text, from);
        strbuf_addc(out, sign);
        strbuf_addstr(out, str_sub(text, from, end - from));
        if (text.p[end - 1] != '\n')
            strbuf_adds(out, "\n\\ No newline at end of file\n");
        from = end;
    }
}

static void add_head(struct strbuf *out, struct str was, size_t from, size_t to, struct str now,
                     size_t new_from, size_t new_to)
{
    size_t n = count_lines(was, from, to), m = count_lines(now, new_from, new_to);
    strbuf_addf(out, "@@ -%zu,%zu +%zu,%zu @@\n", count_lines(was, 0, from) + (n > 0), n,
                count_lines(now, 0, new_from) + (m > 0), m);
}

/* The hunk of changes from `first` on; how many they are. */
static size_t add_hunk(struct strbuf *out, struct str was, struct str now, const struct change *c,
                       size_t n)
{
    size_t k = 1;
    while (k < n && lines_on(was, c[k - 1].to, 2 * CONTEXT) >= c[k].from)
        k++;
    size_t from = lines_back(was, c[0].from, CONTEXT), to = lines_on(was, c[k - 1].to, CONTEXT);
    add_head(out, was, from, to, now, c[0].new_from - (c[0].from - from),
             c[k - 1].new_to + (to - c[k - 1].to));
    for (size_t i = 0; i < k; i++) {
        add_lines(out, ' ', was, i ? c[i - 1].to : from, c[i].from);
        add_lines(out, '-', was, c[i].from, c[i].to);
        add_lines(out, '+', now, c[i].new_from, c[i].new_to);
    }
    add_lines(out, ' ', was, c[k - 1].to, to);
    return k;
}

void edit_diff(const struct edit *ed, size_t i, struct strbuf *out, size_t *added, size_t *removed)
{
    struct change changes[EDIT_SPLICES_MAX];
    struct str was = before_of(ed, i), now = ed->after[i].text;
    size_t n = changes_of(ed, i, changes);
    *added = *removed = 0;
    for (size_t k = 0; k < n; k++) {
        *removed += count_lines(was, changes[k].from, changes[k].to);
        *added += count_lines(now, changes[k].new_from, changes[k].new_to);
    }
    if (edit_is_new(ed, i))
        strbuf_adds(out, "--- /dev/null\n");
    else
        strbuf_addf(out, "--- %.*s\n", STR_FMT(ed->after[i].name));
    strbuf_addf(out, "+++ %.*s\n", STR_FMT(ed->after[i].name));
    for (size_t k = 0; k < n;)
        k += add_hunk(out, was, now, &changes[k], n - k);
}
