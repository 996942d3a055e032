/* cmd_help: what the program says about itself: help, completion, manual pages. */
#include "app/args.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* --- help --- */

/* "sedge: there is no command 'tset'; did you mean test?" */
static int no_command(const char *name)
{
    const char *near = command_nearest(str_from(name));
    (void)fprintf(stderr, "sedge: there is no command '%s'", name);
    if (near)
        (void)fprintf(stderr, "; did you mean %s?", near);
    (void)fputs("\n`sedge help` lists them.\n", stderr);
    return EXIT_USAGE;
}

static int show(void (*write)(struct strbuf *out))
{
    struct strbuf out;
    strbuf_init(&out, alloc_system(), 0);
    write(&out);
    int status = command_print(&out);
    strbuf_fini(&out);
    return status;
}

static int show_one(void (*write)(struct strbuf *out, const struct command *c), const char *name)
{
    struct strbuf out;
    const struct command *c = command_find(str_from(name));
    if (!c)
        return no_command(name);
    strbuf_init(&out, alloc_system(), 0);
    write(&out, c);
    int status = command_print(&out);
    strbuf_fini(&out);
    return status;
}

static int cmd_help(int argc, char **argv)
{
    struct args a = args_start(&command_help, argc, argv);
    const char *name = NULL;
    bool json = false;
    for (int id; (id = args_next(&a)) != ARGS_END;) {
        if (id == OPTION_ID_JSON)
            json = true;
        else if (id == ARGS_WORD && !name)
            name = a.value;
        else
            return args_status(&a);
    }
    if (json && name)
        return args_refuse(&a, "--json lists all commands, not one");
    if (name)
        return show_one(help_command, name);
    return show(json ? help_json : help_overview);
}

const struct command command_help = {
    .name = "help",
    .group = COMMAND_SELF,
    .line = "tells what a command does, with examples",
    .synopsis = "[COMMAND]\n--json",
    .about = "Without a name: a line for each command. With one: what `sedge COMMAND --help` "
             "prints.",
    .options = {(const struct command_option[]){
        OPTION_JSON("all commands with their options, for programs"), OPTIONS_END}},
    .words = {VALUES_COMMAND},
    .examples = {{"sedge help test", "everything about `sedge test`"}},
    .exits = {{"0", "it is printed"}},
    .run = cmd_help,
};

/* --- completion --- */

static const struct {
    const char *shell;
    void (*write)(struct strbuf *out);
} shells[] = {{"bash", completion_bash}, {"zsh", completion_zsh}, {"fish", completion_fish}};

static int cmd_completion(int argc, char **argv)
{
    struct args a = args_start(&command_completion, argc, argv);
    const char *shell = NULL;
    for (int id; (id = args_next(&a)) != ARGS_END;) {
        if (id != ARGS_WORD || shell)
            return args_status(&a);
        shell = a.value;
    }
    if (!shell)
        return args_missing(&a, "the shell");
    for (size_t i = 0; i < ARRAY_LEN(shells); i++)
        if (strcmp(shell, shells[i].shell) == 0)
            return show(shells[i].write);
    return args_refuse(&a, "there is bash, zsh and fish, not '%s'", shell);
}

const struct command command_completion = {
    .name = "completion",
    .group = COMMAND_SELF,
    .line = "lets a shell complete commands, options and their values",
    .synopsis = "bash|zsh|fish",
    .about =
        "Prints a script for the shell. `make install` and the Debian package put it where the "
        "shells look by themselves; with a program that was only built, load it as below.",
    .words = {"bash zsh fish"},
    .examples = {{"source <(sedge completion bash)", "for this shell; ~/.bashrc is the place for "
                                                     "all"},
                 {"sedge completion zsh > ~/.zfunc/_sedge",
                  "with `fpath+=~/.zfunc` before compinit in ~/.zshrc"},
                 {"sedge completion fish > ~/.config/fish/completions/sedge.fish", NULL}},
    .exits = {{"0", "it is printed"}},
    .run = cmd_completion,
};

/* --- manual pages --- */

static enum err write_page(const char *folder, const struct command *c, struct error *e)
{
    char path[4096];
    struct strbuf page;
    strbuf_init(&page, alloc_system(), 0);
    int n = snprintf(path, sizeof(path), "%s/sedge%s%s.1", folder, c ? "-" : "", c ? c->name : "");
    if (c)
        man_command(&page, c);
    else
        man_program(&page);
    FILE *to = n > 0 && (size_t)n < sizeof(path) ? fopen(path, "we") : NULL;
    bool ok = to && !page.failed && fwrite(page.p, 1, page.n, to) == page.n;
    if (to && fclose(to) != 0)
        ok = false;
    strbuf_fini(&page);
    return ok ? ERR_OK : error_set_os(e, errno, "%s can't be written", path);
}

static int write_pages(const char *folder)
{
    struct error e = {0};
    enum err err = write_page(folder, NULL, &e);
    for (size_t i = 0; !err && commands[i]; i++)
        err = write_page(folder, commands[i], &e);
    if (!err)
        return EXIT_OK;
    (void)fprintf(stderr, "sedge man: %s\n", e.text);
    return EXIT_FINDING;
}

static int cmd_man(int argc, char **argv)
{
    struct args a = args_start(&command_man, argc, argv);
    const char *name = NULL, *folder = NULL;
    for (int id; (id = args_next(&a)) != ARGS_END;) {
        if (id == 'o')
            folder = a.value;
        else if (id == ARGS_WORD && !name)
            name = a.value;
        else
            return args_status(&a);
    }
    if (folder && name)
        return args_refuse(&a, "-o writes all pages, not one");
    if (folder)
        return write_pages(folder);
    return name ? show_one(man_command, name) : show(man_program);
}

const struct command command_man = {
    .name = "man",
    .group = COMMAND_SELF,
    .line = "prints manual pages, as `make install` installs them",
    .synopsis = "[COMMAND]\n-o FOLDER",
    .about = "Prints the page sedge(1), or that of a command, in the form that man(1), groff and "
             "mandoc read. Help and pages come from the same table.",
    .options = {(const struct command_option[]){
        OPTION("output", 'o', "FOLDER", "write all pages into a folder", VALUES_FOLDER, 0),
        OPTIONS_END}},
    .words = {VALUES_COMMAND},
    .examples = {{"sedge man run | man -l -", "the page of `sedge run`, without installing it"},
                 {"sedge man -o /usr/local/share/man/man1", NULL}},
    .exits = {{"0", "it is printed"}, {"1", "a page can't be written"}},
    .run = cmd_man,
};

/* --- the program without, or with a wrong, command --- */

int cmd_introduce(int argc, char **argv)
{
    struct strbuf out;
    if (argc > 1)
        return no_command(argv[1]);
    strbuf_init(&out, alloc_system(), 0);
    help_introduce(&out);
    (void)fwrite(out.p, 1, out.n, stderr);
    strbuf_fini(&out);
    return EXIT_USAGE;
}
