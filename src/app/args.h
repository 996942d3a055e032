/* args: reads a command line by the command's own table (commands.h).
 *
 * Why: every command takes "-q 1", "-q1", "--qos 1" and "--qos=1", letters without a value
 * together, options before and behind other words, "--" before words that begin with a dash; and
 * every mistake is told in one line that names it, with what was probably meant.
 *
 *     struct args a = args_start(&command_check, argc, argv);
 *     for (int id; (id = args_next(&a)) != ARGS_END;) {
 *         if (id == OPTION_ID_JSON)
 *             json = true;
 *         else if (id == ARGS_WORD && !path)
 *             path = a.value;
 *         else
 *             return args_status(&a);
 *     }
 *     if (!path)
 *         return args_missing(&a, "SITE");
 *
 * Ownership: values belong to argv. Threads: the main thread. Errors: told on stderr; the result
 * is the exit status. */
#pragma once

#include "app/cmd.h"

/* Besides the ids of options. */
enum { ARGS_END = -1, ARGS_WORD = -2, ARGS_LEAVE = -3 };

struct args {
    const struct command *command;
    int argc;
    char **argv;
    const char *value; /* of the option, or the word; NULL: the option has none */
    bool words_only;   /* behind "--"; a command may set it too */

    const struct command_option *option; /* the last one */
    char shown[48];                      /* as it was typed: "-q" or "--qos" */
    const char *letters;                 /* what is left of a word of letters; NULL: nothing */
    int i;                               /* the last word that was taken */
    int status;                          /* of ARGS_LEAVE: told already */
    bool told;
};

struct args args_start(const struct command *c, int argc, char **argv);
/* The id of the next option, ARGS_WORD, ARGS_END, or ARGS_LEAVE: --help was answered, or the line
 * is wrong, and that was told. */
int args_next(struct args *a);
/* The words behind an option that takes several; the last is NULL. `args_skip` says how many. */
char *const *args_rest(const struct args *a);
void args_skip(struct args *a, size_t words);

/* How to leave: the status of ARGS_LEAVE; or the last word is one too many, which is told. */
int args_status(struct args *a);
/* "sedge run: --workers cannot be 'x': WHY". EXIT_USAGE. */
int args_wrong(struct args *a, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* "sedge run: SITE is missing", and the usage. EXIT_USAGE. */
int args_missing(struct args *a, const char *what);
/* "sedge run: TEXT", and the usage. EXIT_USAGE. */
int args_refuse(struct args *a, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The option's value as a whole number within these bounds; else false, and it has been told. */
bool args_number(struct args *a, int64_t min, int64_t max, int64_t *out);
