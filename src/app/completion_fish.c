#include "app/cmd.h"

#include <string.h>

static void quoted(struct strbuf *out, const char *text)
{
    strbuf_addc(out, '\'');
    for (const char *c = text; *c; c++) {
        strbuf_adds(out, *c == '\'' || *c == '\\' ? "\\" : "");
        strbuf_addc(out, *c == '\n' ? ' ' : *c);
    }
    strbuf_addc(out, '\'');
}

static void values(struct strbuf *out, const char *v)
{
    if (strcmp(v, VALUES_FILE) == 0)
        strbuf_adds(out, " -F");
    else if (strcmp(v, VALUES_FOLDER) == 0)
        strbuf_adds(out, " -f -a '(__fish_complete_directories)'");
    else if (strcmp(v, VALUES_COMMAND) == 0)
        strbuf_adds(out, " -f -a \"$sedge_commands\"");
    else {
        strbuf_adds(out, " -f -a ");
        quoted(out, v);
    }
}

static void begin(struct strbuf *out, const struct command *c)
{
    strbuf_addf(out, "complete -c sedge -n '__fish_seen_subcommand_from %s'", c->name);
}

static void option(struct strbuf *out, const struct command *c, const struct command_option *o)
{
    begin(out, c);
    if (o->letter)
        strbuf_addf(out, " -s %c", o->letter);
    if (o->name)
        strbuf_addf(out, " -l %s", o->name);
    if (o->arg)
        strbuf_adds(out, " -r");
    if (o->arg && o->values)
        values(out, o->values);
    strbuf_adds(out, " -d ");
    quoted(out, o->text);
    strbuf_addc(out, '\n');
}

static void command(struct strbuf *out, const struct command *c)
{
    const struct command_option *o;
    for (size_t i = 0; (o = command_option(c, i)); i++)
        if (!o->absent && !command_option_is_heading(o))
            option(out, c, o);
    if (!c->words[0])
        return;
    begin(out, c);
    values(out, c->words[0]);
    strbuf_addc(out, '\n');
}

void completion_fish(struct strbuf *out)
{
    strbuf_adds(out, "# fish completion of sedge; made by: sedge completion fish\nset -l "
                     "sedge_commands");
    for (size_t i = 0; commands[i]; i++)
        strbuf_addf(out, " %s", commands[i]->name);
    strbuf_adds(out, "\ncomplete -c sedge -f\n");
    for (size_t i = 0; commands[i]; i++) {
        strbuf_addf(out,
                    "complete -c sedge -n \"not __fish_seen_subcommand_from $sedge_commands\" "
                    "-a %s -d ",
                    commands[i]->name);
        quoted(out, commands[i]->line);
        strbuf_addc(out, '\n');
    }
    for (size_t i = 0; commands[i]; i++)
        command(out, commands[i]);
}
