/* Completion for bash and zsh: scripts without anything but the shell's own words. What they offer
 * is written into them, so that completing starts no program. */
#include "app/cmd.h"

#include <string.h>

static bool is(const char *a, const char *b)
{
    return a && strcmp(a, b) == 0;
}

/* In '…' of a shell. */
static void quoted(struct strbuf *out, const char *text)
{
    strbuf_addc(out, '\'');
    for (const char *c = text; *c; c++)
        if (*c == '\'')
            strbuf_adds(out, "'\\''");
        else
            strbuf_addc(out, *c);
    strbuf_addc(out, '\'');
}

static void command_names(struct strbuf *out)
{
    for (size_t i = 0; commands[i]; i++)
        strbuf_addf(out, i ? " %s" : "%s", commands[i]->name);
}

/* Every option of a command that has a text: headings and what is absent are passed over. */
static const struct command_option *next_option(const struct command *c, size_t *i)
{
    const struct command_option *o;
    while ((o = command_option(c, (*i)++)))
        if (!o->absent && !command_option_is_heading(o))
            return o;
    return NULL;
}

/* --- bash --- */

static const char bash_begin[] =
    "# bash completion of sedge; made by: sedge completion bash\n"
    "_sedge()\n"
    "{\n"
    "    local cur=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]} at='' i word options=''\n"
    "    local with_value='' values=''\n"
    "    COMPREPLY=()\n"
    "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
    "        COMPREPLY=($(compgen -W \"$_sedge_commands --help --version\" -- \"$cur\"))\n"
    "        return\n"
    "    fi\n"
    "    case $command in\n";

/* `at` is the option whose value comes, or the number of the word. */
static const char bash_middle[] =
    "    *) return ;;\n"
    "    esac\n"
    "    # --name=value comes as three words\n"
    "    [ \"$cur\" = = ] && cur=''\n"
    "    at=0\n"
    "    for ((i = 2; i < COMP_CWORD; i++)); do\n"
    "        word=${COMP_WORDS[i]}\n"
    "        case $word in\n"
    "        =) ;;\n"
    "        -*)\n"
    "            case \" $with_value \" in\n"
    "            *\" $word \"*)\n"
    "                [ \"${COMP_WORDS[i + 1]}\" = = ] && i=$((i + 1))\n"
    "                i=$((i + 1))\n"
    "                [ \"$i\" -ge \"$COMP_CWORD\" ] && at=$word\n"
    "                ;;\n"
    "            esac\n"
    "            ;;\n"
    "        *) at=$((at + 1)) ;;\n"
    "        esac\n"
    "    done\n"
    "    if [ \"${cur#-}\" != \"$cur\" ] && [ \"${at#-}\" = \"$at\" ]; then\n"
    "        COMPREPLY=($(compgen -W \"$options\" -- \"$cur\"))\n"
    "        return\n"
    "    fi\n"
    "    case \"$command $at\" in\n";

static const char bash_end[] =
    "    esac\n"
    "    case $values in\n"
    "    '<file>') COMPREPLY=($(compgen -f -- \"$cur\")) ;;\n"
    "    '<folder>') COMPREPLY=($(compgen -d -- \"$cur\")) ;;\n"
    "    '<command>') COMPREPLY=($(compgen -W \"$_sedge_commands\" -- \"$cur\")) ;;\n"
    "    *) COMPREPLY=($(compgen -W \"$values\" -- \"$cur\")) ;;\n"
    "    esac\n"
    "}\n"
    "complete -o filenames -F _sedge sedge\n";

static void bash_options(struct strbuf *out, const struct command *c)
{
    struct strbuf valued;
    strbuf_init(&valued, alloc_system(), 0);
    strbuf_addf(out, "    %s)\n        options='", c->name);
    const struct command_option *o;
    for (size_t i = 0; (o = next_option(c, &i));) {
        if (o->name)
            strbuf_addf(out, "--%s ", o->name);
        if (!o->name)
            strbuf_addf(out, "-%c ", o->letter);
        if (o->arg && o->name)
            strbuf_addf(&valued, "--%s ", o->name);
        if (o->arg && o->letter)
            strbuf_addf(&valued, "-%c ", o->letter);
    }
    strbuf_addf(out, "'\n        with_value='%s'\n        ;;\n", valued.p);
    strbuf_fini(&valued);
}

static void bash_values(struct strbuf *out, const struct command *c)
{
    const struct command_option *o;
    for (size_t i = 0; (o = next_option(c, &i));) {
        if (!o->values)
            continue;
        strbuf_addf(out, "    ");
        if (o->name)
            strbuf_addf(out, "'%s --%s'", c->name, o->name);
        if (o->letter)
            strbuf_addf(out, "%s'%s -%c'", o->name ? " | " : "", c->name, o->letter);
        strbuf_adds(out, ") values=");
        quoted(out, o->values);
        strbuf_adds(out, " ;;\n");
    }
    for (size_t i = 0; i < COMMAND_WORDS && c->words[i]; i++) {
        strbuf_addf(out, "    '%s %zu') values=", c->name, i);
        quoted(out, c->words[i]);
        strbuf_adds(out, " ;;\n");
    }
}

void completion_bash(struct strbuf *out)
{
    strbuf_adds(out, "_sedge_commands='");
    command_names(out);
    strbuf_adds(out, "'\n");
    strbuf_adds(out, bash_begin);
    for (size_t i = 0; commands[i]; i++)
        bash_options(out, commands[i]);
    strbuf_adds(out, bash_middle);
    for (size_t i = 0; commands[i]; i++)
        bash_values(out, commands[i]);
    strbuf_adds(out, bash_end);
}

/* --- zsh --- */

/* Within an _arguments specification these have a meaning. */
static void zsh_text(struct strbuf *out, const char *text)
{
    for (const char *c = text; *c; c++) {
        if (*c == '[' || *c == ']' || *c == ':' || *c == '\\')
            strbuf_addc(out, '\\');
        strbuf_adds(out, *c == '\'' ? "'\\'" : "");
        strbuf_addc(out, *c == '\n' ? ' ' : *c);
    }
}

static void zsh_values(struct strbuf *out, const char *values)
{
    if (is(values, VALUES_FILE))
        strbuf_adds(out, "_files");
    else if (is(values, VALUES_FOLDER))
        strbuf_adds(out, "_files -/");
    else if (is(values, VALUES_COMMAND))
        strbuf_adds(out, "_sedge_commands");
    else if (values)
        strbuf_addf(out, "(%s)", values);
}

static void zsh_option(struct strbuf *out, const struct command_option *o)
{
    strbuf_adds(out, "            ");
    if (o->name && o->letter)
        strbuf_addf(out, "{-%c,--%s}", o->letter, o->name);
    else if (o->name)
        strbuf_addf(out, "--%s", o->name);
    else
        strbuf_addf(out, "-%c", o->letter);
    strbuf_adds(out, "'[");
    zsh_text(out, o->text);
    strbuf_addc(out, ']');
    if (o->arg) {
        strbuf_addc(out, ':');
        zsh_text(out, o->arg);
        strbuf_addc(out, ':');
        zsh_values(out, o->values);
    }
    strbuf_adds(out, "' \\\n");
}

static void zsh_command(struct strbuf *out, const struct command *c)
{
    const struct command_option *o;
    strbuf_addf(out, "    %s)\n        _arguments -s \\\n", c->name);
    for (size_t i = 0; (o = next_option(c, &i));)
        zsh_option(out, o);
    for (size_t i = 0; i < COMMAND_WORDS && c->words[i]; i++) {
        strbuf_addf(out, "            '%zu:word:", i + 1);
        zsh_values(out, c->words[i]);
        strbuf_adds(out, "' \\\n");
    }
    strbuf_adds(out, "            && return 0\n        ;;\n");
}

void completion_zsh(struct strbuf *out)
{
    strbuf_adds(out, "#compdef sedge\n# made by: sedge completion zsh\n"
                     "_sedge_commands()\n{\n    local -a commands=(\n");
    for (size_t i = 0; commands[i]; i++) {
        strbuf_addf(out, "        '%s:", commands[i]->name);
        zsh_text(out, commands[i]->line);
        strbuf_adds(out, "'\n");
    }
    strbuf_adds(out, "    )\n    _describe command commands\n}\n\n"
                     "_sedge()\n{\n    if (( CURRENT == 2 )); then\n        _sedge_commands\n"
                     "        return\n    fi\n    local command=$words[2]\n    shift words\n"
                     "    (( CURRENT-- ))\n    case $command in\n");
    for (size_t i = 0; commands[i]; i++)
        zsh_command(out, commands[i]);
    strbuf_adds(out, "    esac\n}\n\n"
                     "if [ \"$funcstack[1]\" = _sedge ]; then\n    _sedge \"$@\"\n"
                     "else\n    compdef _sedge sedge\nfi\n");
}
