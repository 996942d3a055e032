#include "adopt/edit.h"

#include <string.h>

#define NEW_FILE STR("devices.sedge")

void edit_init(struct edit *ed, struct arena *arena, const struct lang_site *site, bool single)
{
    *ed = (struct edit){.arena = arena, .site = site, .n = site->sources_n, .single = single};
    memcpy(ed->after, site->sources, site->sources_n * sizeof(ed->after[0]));
}

bool edit_is_new(const struct edit *ed, size_t i)
{
    return i >= ed->site->sources_n;
}

static struct str text_before(const struct edit *ed, size_t i)
{
    return edit_is_new(ed, i) ? STR("") : ed->site->sources[i].text;
}

bool edit_changes(const struct edit *ed, size_t i)
{
    for (size_t k = 0; k < ed->splice_n; k++)
        if (ed->splices[k].file == i)
            return true;
    return false;
}

/* --- places --- */

/* The file that has most declarations of the role; false: none has. */
static bool file_of(const struct edit *ed, enum lang_role role, size_t *out)
{
    size_t best = 0;
    for (size_t i = 0; i < ed->site->sources_n; i++) {
        size_t n = 0;
        for (size_t k = 0; k < ed->site->decls_n; k++)
            n += ed->site->decls[k]->kind->role == role && ed->site->decls[k]->span.source == i;
        if (n > best) {
            best = n;
            *out = i;
        }
    }
    return best > 0;
}

static const struct lang_decl *last_of(const struct edit *ed, enum lang_role role, size_t file)
{
    const struct lang_decl *last = NULL;
    for (size_t k = 0; k < ed->site->decls_n; k++) {
        const struct lang_decl *d = ed->site->decls[k];
        if (d->kind->role == role && d->span.source == file &&
            (!last || d->span.to > last->span.to))
            last = d;
    }
    return last;
}

static size_t line_end(struct str text, size_t at)
{
    while (at < text.n && text.p[at] != '\n')
        at++;
    return at < text.n ? at + 1 : at;
}

static size_t line_start(struct str text, size_t at)
{
    while (at > 0 && text.p[at - 1] != '\n')
        at--;
    return at;
}

static bool is_blank_line(struct str text, size_t at)
{
    for (; at < text.n && text.p[at] != '\n'; at++)
        if (text.p[at] != ' ' && text.p[at] != '\t' && text.p[at] != '\r')
            return false;
    return true;
}

static bool has_lines(struct str s)
{
    size_t at;
    return str_find(s, '\n', &at) && at + 1 < s.n;
}

static void splice(struct edit *ed, size_t file, size_t at, size_t remove, struct str text)
{
    if (ed->splice_n == EDIT_SPLICES_MAX) {
        ed->failed = true;
        return;
    }
    ed->splices[ed->splice_n++] = (struct edit_splice){file, at, remove, text};
}

/* The last one that was put in at this place; NULL: none yet. */
static const struct edit_splice *before_at(const struct edit *ed, size_t file, size_t at)
{
    for (size_t k = ed->splice_n; k-- > 0;)
        if (ed->splices[k].file == file && ed->splices[k].at == at)
            return &ed->splices[k];
    return NULL;
}

/* A declaration at a line's start. One of several lines, or behind one of several, stands apart;
 * those of one line stand together. */
static void add_at(struct edit *ed, size_t file, size_t at, struct str neighbour, struct str text)
{
    struct str was = text_before(ed, file);
    const struct edit_splice *same = before_at(ed, file, at);
    struct str front = same ? str_trim(same->text) : neighbour;
    bool apart = has_lines(text) || has_lines(front) ||
                 (!front.n && at > 0 && !is_blank_line(was, line_start(was, at - 1)));
    bool unended = !same && at > 0 && was.p[at - 1] != '\n';
    bool gap = apart && (front.n || at > 0);
    bool space = has_lines(text) && at < was.n && !is_blank_line(was, at);
    splice(ed, file, at, 0,
           arena_strf(ed->arena, "%s%s%.*s%s", unended ? "\n" : "", gap ? "\n" : "", STR_FMT(text),
                      space ? "\n" : ""));
}

/* The index of the file of this name; of a new one if there is none. */
static size_t file_named(struct edit *ed, struct str name)
{
    for (size_t i = 0; i < ed->n; i++)
        if (str_eq(ed->after[i].name, name))
            return i;
    if (ed->n == LANG_SOURCES_MAX) {
        ed->failed = true;
        return 0;
    }
    ed->after[ed->n] = (struct lang_source){name, STR("")};
    return ed->n++;
}

static void add_decl(struct edit *ed, enum lang_role role, struct str text)
{
    size_t file = 0;
    bool found = file_of(ed, role, &file);
    const struct lang_decl *last = found ? last_of(ed, role, file) : NULL;
    if (last) {
        struct str was = text_before(ed, file);
        struct str neighbour = str_sub(was, last->span.from, last->span.to - last->span.from);
        add_at(ed, file, line_end(was, last->span.to), neighbour, text);
        return;
    }
    if (role == LANG_ROLE_TYPE && file_of(ed, LANG_ROLE_RESOURCE, &file)) {
        add_at(ed, file, text_before(ed, file).n, (struct str){0}, text);
        return;
    }
    file = ed->single ? 0 : file_named(ed, NEW_FILE);
    add_at(ed, file, text_before(ed, file).n, (struct str){0}, text);
}

void edit_add_model(struct edit *ed, struct str text)
{
    if (text.n)
        add_decl(ed, LANG_ROLE_TYPE, text);
}

void edit_add_device(struct edit *ed, struct str text)
{
    if (text.n)
        add_decl(ed, LANG_ROLE_RESOURCE, text);
}

void edit_append(struct edit *ed, struct str name, struct str text)
{
    size_t file = ed->single ? 0 : file_named(ed, name);
    struct str was = text_before(ed, file);
    bool unended = was.n && was.p[was.n - 1] != '\n';
    splice(
        ed, file, was.n, 0,
        arena_strf(ed->arena, "%s%s%.*s", unended ? "\n" : "", was.n ? "\n" : "", STR_FMT(text)));
}

/* --- into a body --- */

static size_t blanks_at(struct str text, size_t at)
{
    size_t n = 0;
    while (at + n < text.n && (text.p[at + n] == ' ' || text.p[at + n] == '\t'))
        n++;
    return n;
}

/* As the first clause that has a line for itself; else two blanks more than the declaration. */
static struct str indent_of(struct str text, const struct lang_decl *d)
{
    for (size_t at = line_end(text, d->span.from); at < d->span.to; at = line_end(text, at))
        if (!is_blank_line(text, at) && text.p[at + blanks_at(text, at)] != '}')
            return str_sub(text, at, blanks_at(text, at));
    return STR("  ");
}

static struct str indented(struct edit *ed, struct str lines, struct str indent)
{
    struct strbuf b;
    struct str line;
    strbuf_init(&b, ed->arena->alloc, 0);
    while (lines.n && str_split(&lines, '\n', &line)) {
        size_t own = blanks_at(line, 0) < 2 ? blanks_at(line, 0) : 2;
        strbuf_addstr(&b, indent);
        strbuf_addstr(&b, str_sub(line, own, line.n));
        strbuf_addc(&b, '\n');
    }
    struct str s = arena_str(ed->arena, strbuf_str(&b));
    ed->failed |= b.failed;
    strbuf_fini(&b);
    return s;
}

void edit_into(struct edit *ed, const struct lang_decl *decl, struct str lines)
{
    size_t file = decl->span.source;
    struct str text = text_before(ed, file);
    if (!lines.n || decl->span.to == 0 || text.p[decl->span.to - 1] != '}')
        return;
    size_t brace = decl->span.to - 1, start = line_start(text, brace), from = brace;
    struct str put = indented(ed, lines, indent_of(text, decl));
    if (blanks_at(text, start) == brace - start) {
        splice(ed, file, start, 0, put);
        return;
    }
    while (from > start && (text.p[from - 1] == ' ' || text.p[from - 1] == '\t'))
        from--;
    splice(ed, file, from, brace - from, arena_strf(ed->arena, "\n%.*s", STR_FMT(put)));
}

/* --- what a person has written --- */

/* Where the declaration that begins at `at` ends: behind its line, when its braces are closed. */
static size_t decl_end(struct str text, size_t at)
{
    int depth = 0;
    while (at < text.n) {
        char c = text.p[at];
        if (c == '/' && at + 1 < text.n && text.p[at + 1] == '/') {
            while (at < text.n && text.p[at] != '\n')
                at++;
            continue;
        }
        if (c == '"')
            for (at++; at < text.n && text.p[at] != '"' && text.p[at] != '\n'; at++)
                at += text.p[at] == '\\' && at + 1 < text.n;
        depth += (c == '{') - (c == '}');
        if (at < text.n && text.p[at] == '\n' && depth <= 0)
            return at + 1;
        at += at < text.n;
    }
    return text.n;
}

/* Comments above a declaration go with it. */
void edit_add_text(struct edit *ed, struct str text)
{
    size_t from = 0, at = 0;
    while (at < text.n) {
        size_t word = at + blanks_at(text, at);
        struct str rest = str_sub(text, word, text.n);
        if (is_blank_line(text, at)) {
            from = from == at ? line_end(text, at) : from;
            at = line_end(text, at);
            continue;
        }
        if (str_starts(rest, STR("//"))) {
            at = line_end(text, at);
            continue;
        }
        size_t end = decl_end(text, word);
        struct str one = str_sub(text, from, end - from);
        if (!str_ends(one, STR("\n")))
            one = arena_strf(ed->arena, "%.*s\n", STR_FMT(one));
        if (str_starts(rest, STR("model ")))
            edit_add_model(ed, one);
        else
            edit_add_device(ed, one);
        from = at = end;
    }
}

/* --- the changed texts --- */

size_t edit_sorted(const struct edit *ed, size_t file,
                   const struct edit_splice *out[EDIT_SPLICES_MAX])
{
    size_t n = 0;
    for (size_t k = 0; k < ed->splice_n; k++) {
        if (ed->splices[k].file != file)
            continue;
        size_t at = n++;
        for (; at > 0 && out[at - 1]->at > ed->splices[k].at; at--)
            out[at] = out[at - 1];
        out[at] = &ed->splices[k];
    }
    return n;
}

static struct str with_line_ends(struct edit *ed, struct str text, bool crlf)
{
    if (!crlf)
        return text;
    struct strbuf b;
    strbuf_init(&b, ed->arena->alloc, 0);
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '\n' && (i == 0 || text.p[i - 1] != '\r'))
            strbuf_addc(&b, '\r');
        strbuf_addc(&b, text.p[i]);
    }
    struct str s = arena_str(ed->arena, strbuf_str(&b));
    ed->failed |= b.failed;
    strbuf_fini(&b);
    return s;
}

static bool has_crlf(struct str text)
{
    size_t at;
    return str_find(text, '\n', &at) && at > 0 && text.p[at - 1] == '\r';
}

static void apply(struct edit *ed, size_t file)
{
    const struct edit_splice *sorted[EDIT_SPLICES_MAX];
    size_t at = 0;
    struct str was = text_before(ed, file);
    struct strbuf b;
    for (size_t k = 0; k < ed->splice_n; k++)
        if (ed->splices[k].file == file)
            ed->splices[k].text = with_line_ends(ed, ed->splices[k].text, has_crlf(was));
    size_t n = edit_sorted(ed, file, sorted);
    strbuf_init(&b, ed->arena->alloc, LANG_SOURCE_SIZE_MAX);
    for (size_t k = 0; k < n; k++) {
        strbuf_addstr(&b, str_sub(was, at, sorted[k]->at - at));
        strbuf_addstr(&b, sorted[k]->text);
        at = sorted[k]->at + sorted[k]->remove;
    }
    strbuf_addstr(&b, str_sub(was, at, was.n));
    ed->after[file].text = arena_str(ed->arena, strbuf_str(&b));
    ed->failed |= b.failed;
    strbuf_fini(&b);
}

enum err edit_finish(struct edit *ed, struct error *e)
{
    for (size_t i = 0; i < ed->n; i++)
        if (edit_changes(ed, i))
            apply(ed, i);
    if (ed->arena->failed)
        return error_set(e, ERR_NOMEM, "no memory for the changed files");
    return ed->failed ? error_set(e, ERR_RANGE, "that is more than the site's files can take")
                      : ERR_OK;
}
