/* Manual pages as man(7) has them: sedge(1) and sedge-COMMAND(1). */
#include "app/cmd.h"
#include "base/utf8.h"

#include <string.h>

/* Text that roff shall take as it is. A line that begins with '.' or '\'' would be a request. */
static void escaped(struct strbuf *out, struct str s)
{
    bool line_begins = true;
    for (size_t at = 0; at < s.n;) {
        size_t from = at;
        uint32_t c = utf8_next(s, &at);
        if (line_begins && (c == '.' || c == '\''))
            strbuf_adds(out, "\\&");
        line_begins = c == '\n';
        switch (c) {
        case '\\': strbuf_adds(out, "\\e"); break;
        case '-': strbuf_adds(out, "\\-"); break;
        case '\'': strbuf_adds(out, "\\(aq"); break;
        case '`': strbuf_adds(out, "\\(ga"); break;
        case '^': strbuf_adds(out, "\\(ha"); break;
        case '~': strbuf_adds(out, "\\(ti"); break;
        default:
            if (c < 128)
                strbuf_add(out, s.p + from, at - from);
            else
                strbuf_addf(out, "\\[u%04X]", (unsigned)c);
        }
    }
}

/* A line of text, or several; `code` in back quotes is bold. */
static void prose(struct strbuf *out, struct str s)
{
    struct str part;
    bool code = false;
    strbuf_adds(out, s.n > 0 && (s.p[0] == '.' || s.p[0] == '\'') ? "\\&" : "");
    while (str_split(&s, '`', &part)) {
        strbuf_adds(out, code ? "\\fB" : "");
        escaped(out, part);
        strbuf_adds(out, code ? "\\fR" : "");
        code = !code;
    }
    strbuf_addc(out, '\n');
}

static void section(struct strbuf *out, const char *title)
{
    strbuf_addf(out, ".SH %s\n", title);
}

static void literal(struct strbuf *out, struct str s)
{
    strbuf_adds(out, ".nf\n");
    escaped(out, s);
    strbuf_adds(out, "\n.fi\n");
}

static void paragraphs(struct strbuf *out, const char *text)
{
    struct str rest = str_from(text);
    for (bool first = true; rest.n > 0; first = false) {
        const char *end = strstr(rest.p, "\n\n");
        struct str part = {rest.p, end ? (size_t)(end - rest.p) : rest.n};
        strbuf_adds(out, first ? "" : ".PP\n");
        if (str_starts(part, STR(" ")))
            literal(out, part);
        else
            prose(out, part);
        rest = str_sub(rest, part.n + 2, rest.n);
    }
}

static void title(struct strbuf *out, const char *name, const char *suffix)
{
    strbuf_addf(out, ".TH \"%s%s%s\" \"1\" \"\" \"sedge " SEDGE_VERSION "\" \"sedge\"\n", name,
                suffix[0] ? "\\-" : "", suffix);
}

/* --- a command --- */

static void synopsis(struct strbuf *out, const struct command *c)
{
    struct str rest = str_from(c->synopsis), line;
    section(out, "SYNOPSIS");
    for (bool first = true; str_split(&rest, '\n', &line); first = false) {
        strbuf_addf(out, "%s.B sedge %s\n", first ? "" : ".br\n", c->name);
        if (line.n == 0)
            continue;
        escaped(out, line);
        strbuf_addc(out, '\n');
    }
}

static void option(struct strbuf *out, const struct command_option *o)
{
    strbuf_adds(out, ".TP\n");
    if (o->letter)
        strbuf_addf(out, "\\fB\\-%c\\fR%s", o->letter, o->name ? ", " : "");
    if (o->name) {
        strbuf_adds(out, "\\fB\\-\\-");
        escaped(out, str_from(o->name));
        strbuf_adds(out, "\\fR");
    }
    if (o->arg) {
        strbuf_adds(out, " \\fI");
        escaped(out, str_from(o->arg));
        strbuf_adds(out, "\\fR");
    }
    strbuf_addc(out, '\n');
    prose(out, str_from(o->text));
}

static void options(struct strbuf *out, const struct command *c)
{
    const struct command_option *o;
    section(out, "OPTIONS");
    for (size_t i = 0; (o = command_option(c, i)); i++) {
        if (o->absent)
            continue;
        if (command_option_is_heading(o)) {
            strbuf_adds(out, ".SS ");
            prose(out, str_from(o->text));
        } else {
            option(out, o);
        }
    }
}

static void exits(struct strbuf *out, const struct command *c)
{
    bool said_usage = false;
    section(out, "EXIT STATUS");
    for (size_t i = 0; i < COMMAND_EXITS && c->exits[i].status; i++) {
        strbuf_adds(out, ".TP\n");
        prose(out, str_from(c->exits[i].status));
        prose(out, str_from(c->exits[i].text));
        said_usage |= strcmp(c->exits[i].status, "2") == 0;
    }
    if (!said_usage)
        strbuf_adds(out, ".TP\n2\nwrong usage\n");
}

static void examples(struct strbuf *out, const struct command *c)
{
    section(out, "EXAMPLES");
    for (size_t i = 0; i < COMMAND_EXAMPLES && c->examples[i].line; i++) {
        strbuf_adds(out, ".TP\n\\fB");
        escaped(out, str_from(c->examples[i].line));
        strbuf_adds(out, "\\fR\n");
        prose(out, str_from(c->examples[i].text ? c->examples[i].text : ""));
    }
}

static void see_also(struct strbuf *out, const struct command *c)
{
    section(out, "SEE ALSO");
    for (size_t i = 0; i < COMMAND_WORDS && c->see[i]; i++)
        strbuf_addf(out, ".BR sedge\\-%s (1),\n", c->see[i]);
    strbuf_adds(out, ".BR sedge (1)\n");
}

void man_command(struct strbuf *out, const struct command *c)
{
    title(out, "sedge", c->name);
    section(out, "NAME");
    strbuf_addf(out, "sedge\\-%s \\- ", c->name);
    prose(out, str_from(c->line));
    synopsis(out, c);
    section(out, "DESCRIPTION");
    paragraphs(out, c->about);
    options(out, c);
    exits(out, c);
    examples(out, c);
    see_also(out, c);
}

/* --- the program --- */

static const char about_program[] =
    "sedge is a whole IoT site in one program: an MQTT broker whose acknowledgements mean that "
    "a message is on disk, a history of what was measured, a language for rules that is checked "
    "before "
    "anything runs, alerts, and a page.\n\n"
    "A site is a folder of `*.sedge` files that declare a server, models, devices, programs and "
    "tests. There is no other configuration.";

static const struct {
    const char *name, *text;
} files[] = {
    {"SITE/*.sedge", "the site, read in the order of names and checked together"},
    {"SITE/data/", "the journal and the database, if the site says `store \"data\"`"},
    {"SITE/data/lock", "held while the site runs: one program for one store"},
    {"/usr/share/doc/sedge/ or /usr/local/share/doc/sedge/",
     "the documentation: tutorial.md, howto/, language.md, and what else README.md names"},
};

static const struct command_example program_examples[] = {
    {"sedge init hall", "a small site in the folder hall, by three questions"},
    {"sedge check hall && sedge test hall", "is it right, and does it do what its tests say"},
    {"sedge run hall", "runs it; Ctrl-C ends it, SIGHUP lets it take changed files"},
};

void man_program(struct strbuf *out)
{
    title(out, "sedge", "");
    strbuf_adds(
        out,
        ".SH NAME\nsedge \\- a whole IoT site in one program\n.SH SYNOPSIS\n"
        ".B sedge\n\\fICOMMAND\\fR [\\fIARGUMENTS\\fR]\n.br\n.B sedge\n"
        "\\fICOMMAND\\fR \\fB\\-\\-help\\fR\n.br\n.B sedge \\-\\-version\n.br\n.B sedge \\-V\n");
    section(out, "DESCRIPTION");
    paragraphs(out, about_program);
    section(out, "COMMANDS");
    for (size_t i = 0; commands[i]; i++) {
        strbuf_addf(out, ".TP\n.BR sedge\\-%s (1)\n", commands[i]->name);
        prose(out, str_from(commands[i]->line));
    }
    section(out, "EXIT STATUS");
    strbuf_adds(out, ".TP\n0\nit is done\n.TP\n1\na finding, or a failure\n.TP\n2\nwrong usage\n");
    section(out, "FILES");
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        strbuf_adds(out, ".TP\n\\fI");
        escaped(out, str_from(files[i].name));
        strbuf_adds(out, "\\fR\n");
        prose(out, str_from(files[i].text));
    }
    section(out, "ENVIRONMENT");
    strbuf_adds(out, ".TP\n\\fBNO_COLOR\\fR\nmessages about a site are not coloured\n");
    section(out, "EXAMPLES");
    for (size_t i = 0; i < ARRAY_LEN(program_examples); i++) {
        strbuf_adds(out, ".TP\n\\fB");
        escaped(out, str_from(program_examples[i].line));
        strbuf_adds(out, "\\fR\n");
        prose(out, str_from(program_examples[i].text));
    }
    section(out, "SEE ALSO");
    for (size_t i = 0; commands[i]; i++)
        strbuf_addf(out, ".BR sedge\\-%s (1)%s\n", commands[i]->name, commands[i + 1] ? "," : "");
}
