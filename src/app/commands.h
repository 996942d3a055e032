/* commands: what the program can do, as one table.
 *
 * Why: what a command takes is said once. Its --help, `sedge help`, its manual page, the completion
 * of three shells and the reading of its arguments (args.h) all come from here, so they can't
 * disagree, and an option that nobody has described does not exist.
 *
 * A new command is a file cmd_NAME.c with its function and its `const struct command command_NAME`,
 * one line in cmd.h and one in commands.c. commands_test.c holds each of them to what a reader
 * expects: a text for each option, examples that its own table accepts, what it exits with.
 *
 * Texts are UTF-8 without markup, at most a few sentences each; whoever shows them breaks the
 * lines. In `about` an empty line begins a paragraph, and a paragraph that begins with a space is
 * shown as it is. Ownership: everything is constant. Threads: any. */
#pragma once

#include "base/str.h"

/* Where the overview shows it. */
enum command_group { COMMAND_SITE, COMMAND_DEVICES, COMMAND_MESSAGES, COMMAND_CARE, COMMAND_SELF };
enum { COMMAND_GROUPS = COMMAND_SELF + 1 };

/* What a value or a word of the command line is, for completion. Else: words with blanks between.
 */
#define VALUES_FILE    "<file>"
#define VALUES_FOLDER  "<folder>"
#define VALUES_COMMAND "<command>"

/* Lists end with OPTIONS_END and may begin with OPTIONS_OF("a heading"). */
struct command_option {
    const char *name;   /* "--name" without the dashes; NULL: it has a letter only */
    char letter;        /* 0: it has none */
    const char *arg;    /* what its value is called: "FILE"; NULL: it takes none */
    const char *text;   /* what it does */
    const char *values; /* for completion; NULL: anything */
    int id;             /* what args_next() returns; 0: the letter. Above 255 for those without */
    bool many;          /* its value is several words, which the command takes: args_rest() */
    const char *absent; /* others have it, and we don't: why. Not shown, refused by name */
};
#define OPTIONS_OF(heading_)                                                                       \
    {                                                                                              \
        .text = (heading_)                                                                         \
    }
#define OPTIONS_END                                                                                \
    {                                                                                              \
        .name = NULL                                                                               \
    }
/* One with a value: OPTION("filter", 'f', "TEXT", "only tests with TEXT", NULL, 0). */
#define OPTION(long_, letter_, arg_, text_, values_, id_)                                          \
    {                                                                                              \
        .name = (long_), .letter = (letter_), .arg = (arg_), .text = (text_), .values = (values_), \
        .id = (id_)                                                                                \
    }
/* What every command that lists something has. */
#define OPTION_JSON(what_)                                                                         \
    {                                                                                              \
        .name = "json", .text = (what_), .id = OPTION_ID_JSON                                      \
    }
enum { OPTION_ID_HELP = 1, OPTION_ID_JSON = 2 };

struct command_example {
    const char *line; /* as it is typed: "sedge check hall" */
    const char *text; /* what it does, or NULL */
};
struct command_exit {
    const char *status, *text; /* "1", "an error was found" */
};

enum { COMMAND_LISTS = 6, COMMAND_WORDS = 3, COMMAND_EXAMPLES = 6, COMMAND_EXITS = 5 };
struct command {
    const char *name;
    enum command_group group;
    const char *line;     /* "checks a site's files; nothing is run": goes on behind the name */
    const char *synopsis; /* what follows the name: "SITE [--json]"; a line for each way */
    const char *about;
    const struct command_option *options[COMMAND_LISTS]; /* --help is everybody's */
    const char *words[COMMAND_WORDS];                    /* for completion: the first word, … */
    struct command_example examples[COMMAND_EXAMPLES];
    struct command_exit exits[COMMAND_EXITS]; /* 2, wrong usage, is everybody's */
    const char *see[COMMAND_WORDS];           /* other commands */
    int (*run)(int argc, char **argv);        /* argv[0] is the name; the exit status */
};

/* All of them, in the order in which they are shown; NULL behind the last. */
extern const struct command *const commands[];
const char *command_group_name(enum command_group g);

const struct command *command_find(struct str name); /* NULL: there is none */

/* The n-th option of all lists, headings with it, --help last; NULL behind it. */
const struct command_option *command_option(const struct command *c, size_t n);
bool command_option_is_heading(const struct command_option *o);

/* The name that is most like what was typed; NULL: none is near. */
struct nearest {
    struct str typed;
    const char *best;
    size_t distance; /* of `best`: letters that are wrong, missing, too many or exchanged */
};
struct nearest nearest_to(struct str typed);
void nearest_offer(struct nearest *n, const char *name); /* NULL is passed over */
const char *command_nearest(struct str typed);

/* --- shown, onto `out` (help_command.c) --- */

enum { HELP_COLUMNS = 80 };
void help_usage(struct strbuf *out, const struct command *c); /* the lines "usage: …" */
void help_command(struct strbuf *out, const struct command *c);
void help_introduce(struct strbuf *out); /* `sedge` alone: twenty lines for a newcomer */
void help_overview(struct strbuf *out);  /* `sedge help`: a line for each */
void help_json(struct strbuf *out);

/* --- for other programs (man_command.c, command_shell.c, command_fish.c) --- */

void man_command(struct strbuf *out, const struct command *c); /* sedge-NAME(1), for man(7) */
void man_program(struct strbuf *out);                          /* sedge(1) */
void completion_bash(struct strbuf *out);
void completion_zsh(struct strbuf *out);
void completion_fish(struct strbuf *out);

/* Prints and empties it: EXIT_OK, or EXIT_FINDING if it can't be written. */
int command_print(struct strbuf *out);

/* The standard output could not be written, for this reason; for command_finish(), as a stream does
 * not keep it. The first one counts. */
void command_output_failed(int os_errno);
/* The exit status of a command that wanted `status`. Output that has not arrived, as on a full
 * disk, is a failure, and is told whatever the command thinks of it; a reader that has gone, as `|
 * head` does, is told nothing. */
int command_finish(const char *name, int status);
