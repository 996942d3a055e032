/* Help as a terminal shows it. */
#include "app/cmd.h"
#include "base/utf8.h"

#include <string.h>

enum { INDENT = 2, LEFT_MAX = 28, GAP = 2 };

static size_t width(struct str s)
{
    return utf8_width(s);
}

static void spaces(struct strbuf *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        strbuf_addc(out, ' ');
}

/* --- running text --- */

/* The next word of a line; "[--log FORM]" is one, if it fits a line. */
static bool next_word(struct str *line, size_t room, struct str *word)
{
    size_t depth = 0, n = 0;
    while (n < line->n && (line->p[n] != ' ' || depth > 0)) {
        depth += line->p[n] == '[';
        depth -= line->p[n] == ']' && depth > 0;
        n++;
    }
    if (depth > 0 || width(str_sub(*line, 0, n)) > room)
        return str_split(line, ' ', word);
    *word = str_sub(*line, 0, n);
    bool more = line->n > 0;
    *line = str_sub(*line, n + 1, line->n);
    return more;
}

/* Words on lines of HELP_COLUMNS, from column `at` on; further lines begin at `indent`. */
static void wrap(struct strbuf *out, struct str text, size_t at, size_t indent)
{
    struct str rest = text, word;
    bool first = true;
    for (struct str line; str_split(&rest, '\n', &line);) {
        while (next_word(&line, HELP_COLUMNS - indent, &word)) {
            if (word.n == 0)
                continue;
            size_t w = width(word);
            if (!first && at + 1 + w > HELP_COLUMNS) {
                strbuf_addc(out, '\n');
                spaces(out, indent);
                at = indent;
            } else if (!first) {
                strbuf_addc(out, ' ');
                at++;
            }
            strbuf_addstr(out, word);
            at += w;
            first = false;
        }
    }
    strbuf_addc(out, '\n');
}

static void paragraphs(struct strbuf *out, const char *text)
{
    struct str rest = str_from(text);
    while (rest.n > 0) {
        const char *end = strstr(rest.p, "\n\n");
        struct str part = {rest.p, end ? (size_t)(end - rest.p) : rest.n};
        if (str_starts(part, STR(" "))) {
            strbuf_addstr(out, part);
            strbuf_addc(out, '\n');
        } else {
            wrap(out, part, 0, 0);
        }
        strbuf_addc(out, '\n');
        rest = str_sub(rest, part.n + 2, rest.n);
    }
}

/* --- lists --- */

static void heading(struct strbuf *out, const char *text)
{
    strbuf_adds(out, text);
    strbuf_addc(out, '\n');
}

/* A left side, and its explanation in a column of its own. */
static void entry(struct strbuf *out, struct str left, size_t column, const char *text)
{
    spaces(out, INDENT);
    strbuf_addstr(out, left);
    size_t at = INDENT + width(left);
    if (at + GAP > column) {
        strbuf_addc(out, '\n');
        at = 0;
    }
    spaces(out, column - at);
    wrap(out, str_from(text), column, column);
}

static void option_left(struct strbuf *left, const struct command_option *o, bool letters)
{
    strbuf_reset(left);
    if (o->letter)
        strbuf_addf(left, o->name ? "-%c, " : "-%c", o->letter);
    else if (letters)
        strbuf_adds(left, "    ");
    if (o->name)
        strbuf_addf(left, "--%s", o->name);
    if (o->arg)
        strbuf_addf(left, " %s", o->arg);
}

static bool has_letters(const struct command *c)
{
    const struct command_option *o;
    for (size_t i = 0; (o = command_option(c, i)); i++)
        if (o->letter && !o->absent && o->id != OPTION_ID_HELP)
            return true;
    return false;
}

/* "  -h, --help" should not make room for letters where nothing else has one. */
static struct command_option shown_option(const struct command_option *o, bool letters)
{
    struct command_option shown = *o;
    if (!letters)
        shown.letter = 0;
    return shown;
}

static size_t options_column(const struct command *c, struct strbuf *left, bool letters)
{
    const struct command_option *o;
    size_t column = 0;
    for (size_t i = 0; (o = command_option(c, i)); i++) {
        if (o->absent || command_option_is_heading(o))
            continue;
        struct command_option shown = shown_option(o, letters);
        option_left(left, &shown, letters);
        size_t w = INDENT + width(strbuf_str(left)) + GAP;
        if (w <= LEFT_MAX && w > column)
            column = w;
    }
    return column;
}

static void options(struct strbuf *out, const struct command *c)
{
    const struct command_option *o;
    bool letters = has_letters(c);
    struct strbuf left;
    strbuf_init(&left, alloc_system(), 0);
    size_t column = options_column(c, &left, letters);
    if (!command_option_is_heading(command_option(c, 0)))
        heading(out, "options");
    for (size_t i = 0; (o = command_option(c, i)); i++) {
        if (o->absent)
            continue;
        if (command_option_is_heading(o)) {
            heading(out, o->text);
            continue;
        }
        struct command_option shown = shown_option(o, letters);
        option_left(&left, &shown, letters);
        entry(out, strbuf_str(&left), column, o->text);
    }
    strbuf_fini(&left);
}

static void examples(struct strbuf *out, const struct command *c)
{
    heading(out, "\nexamples");
    for (size_t i = 0; i < COMMAND_EXAMPLES && c->examples[i].line; i++) {
        spaces(out, INDENT);
        heading(out, c->examples[i].line);
        if (!c->examples[i].text)
            continue;
        spaces(out, 3 * INDENT);
        wrap(out, str_from(c->examples[i].text), 3 * INDENT, 3 * INDENT);
    }
}

static void exits(struct strbuf *out, const struct command *c)
{
    bool said_usage = false;
    heading(out, "\nexit status");
    for (size_t i = 0; i < COMMAND_EXITS && c->exits[i].status; i++) {
        entry(out, str_from(c->exits[i].status), 9, c->exits[i].text);
        said_usage |= strcmp(c->exits[i].status, "2") == 0;
    }
    if (!said_usage)
        entry(out, STR("2"), 9, "wrong usage");
}

void help_usage(struct strbuf *out, const struct command *c)
{
    struct str rest = str_from(c->synopsis), line;
    const char *word = "usage: ";
    while (str_split(&rest, '\n', &line)) {
        strbuf_addf(out, "%ssedge %s", word, c->name);
        size_t at = strlen(word) + strlen("sedge ") + strlen(c->name);
        if (line.n > 0) {
            strbuf_addc(out, ' ');
            wrap(out, line, at + 1, at + 1);
        } else {
            strbuf_addc(out, '\n');
        }
        word = "       ";
    }
}

void help_command(struct strbuf *out, const struct command *c)
{
    help_usage(out, c);
    strbuf_addc(out, '\n');
    paragraphs(out, c->about);
    options(out, c);
    examples(out, c);
    exits(out, c);
}

/* --- the whole program --- */

static const char about_site[] =
    "A site is a folder of .sedge files: devices, rules, and the tests of the rules. sedge checks "
    "it, runs it, keeps what is measured, and shows it on a page.";

/* The names of a group's commands on one line. */
static void group_line(struct strbuf *out, enum command_group g)
{
    struct strbuf names;
    strbuf_init(&names, alloc_system(), 0);
    for (size_t i = 0; commands[i]; i++)
        if (commands[i]->group == g)
            strbuf_addf(&names, names.n ? ", %s" : "%s", commands[i]->name);
    if (names.n > 0)
        entry(out, str_from(command_group_name(g)), 16, names.p);
    strbuf_fini(&names);
}

void help_introduce(struct strbuf *out)
{
    strbuf_adds(out, "sedge " SEDGE_VERSION ": a whole IoT site in one program\n\n");
    wrap(out, str_from(about_site), 0, 0);
    strbuf_adds(out,
                "Type this first:\n"
                "  sedge init hall     makes a small site in the folder hall: three questions\n"
                "  sedge test hall     plays its tests, in virtual time\n"
                "  sedge run hall      runs it; its page is http://127.0.0.1:8080/\n\n"
                "usage: sedge COMMAND [ARGUMENTS]\n");
    for (int g = 0; g < COMMAND_GROUPS; g++)
        group_line(out, (enum command_group)g);
    strbuf_adds(out, "\n`sedge help` has a line for each, `sedge COMMAND --help` all of one, with\n"
                     "examples; `man sedge` the same as pages. A tutorial: docs/tutorial.md\n");
}

void help_overview(struct strbuf *out)
{
    strbuf_adds(out, "usage: sedge COMMAND [ARGUMENTS]\n\n");
    wrap(out, str_from(about_site), 0, 0);
    for (int g = 0; g < COMMAND_GROUPS; g++) {
        bool begun = false;
        for (size_t i = 0; commands[i]; i++) {
            if (commands[i]->group != (enum command_group)g)
                continue;
            if (!begun)
                strbuf_addf(out, "\n%s\n", command_group_name((enum command_group)g));
            begun = true;
            entry(out, str_from(commands[i]->name), 14, commands[i]->line);
        }
    }
    strbuf_adds(out, "\n`sedge help COMMAND` (or `sedge COMMAND --help`) tells all of one.\n"
                     "`sedge --version` (or -V) tells which sedge this is.\n"
                     "Exit status: 0; 1 a finding or a failure; 2 wrong usage.\n");
}

static void json_option(struct strbuf *out, const struct command_option *o)
{
    strbuf_adds(out, "{\"name\":");
    o->name ? strbuf_add_json(out, str_from(o->name)) : strbuf_adds(out, "null");
    strbuf_addf(out, o->letter ? ",\"letter\":\"%c\"" : ",\"letter\":null", o->letter);
    strbuf_adds(out, ",\"argument\":");
    o->arg ? strbuf_add_json(out, str_from(o->arg)) : strbuf_adds(out, "null");
    strbuf_adds(out, ",\"text\":");
    strbuf_add_json(out, str_from(o->text));
    strbuf_addc(out, '}');
}

static void json_command(struct strbuf *out, const struct command *c)
{
    const struct command_option *o;
    const char *comma = "";
    strbuf_adds(out, "{\"name\":");
    strbuf_add_json(out, str_from(c->name));
    strbuf_adds(out, ",\"line\":");
    strbuf_add_json(out, str_from(c->line));
    strbuf_adds(out, ",\"synopsis\":");
    strbuf_add_json(out, str_from(c->synopsis));
    strbuf_adds(out, ",\"options\":[");
    for (size_t i = 0; (o = command_option(c, i)); i++) {
        if (o->absent || command_option_is_heading(o))
            continue;
        strbuf_adds(out, comma);
        json_option(out, o);
        comma = ",";
    }
    strbuf_adds(out, "]}");
}

void help_json(struct strbuf *out)
{
    strbuf_adds(out, "{\"version\":\"" SEDGE_VERSION "\",\"commands\":[");
    for (size_t i = 0; commands[i]; i++) {
        strbuf_adds(out, i ? "," : "");
        json_command(out, commands[i]);
    }
    strbuf_adds(out, "]}\n");
}
