#include "app/args.h"

#include <stdio.h>
#include <string.h>

struct args args_start(const struct command *c, int argc, char **argv)
{
    return (struct args){.command = c, .argc = argc, .argv = argv};
}

/* --- what is wrong --- */

static void show_usage(const struct args *a)
{
    struct strbuf out;
    strbuf_init(&out, alloc_system(), 0);
    help_usage(&out, a->command);
    (void)fwrite(out.p, 1, out.n, stderr);
    (void)fprintf(stderr, "`sedge %s --help` tells more.\n", a->command->name);
    strbuf_fini(&out);
}

static int leave(struct args *a, int status)
{
    a->told = true;
    a->status = status;
    return status;
}

int args_wrong(struct args *a, const char *fmt, ...)
{
    va_list ap;
    (void)fprintf(stderr, "sedge %s: %s", a->command->name, a->shown);
    if (a->value)
        (void)fprintf(stderr, " cannot be '%s'", a->value);
    (void)fputs(": ", stderr);
    va_start(ap, fmt);
    (void)vfprintf(stderr, fmt, ap);
    va_end(ap);
    (void)fputc('\n', stderr);
    return leave(a, EXIT_USAGE);
}

int args_refuse(struct args *a, const char *fmt, ...)
{
    va_list ap;
    (void)fprintf(stderr, "sedge %s: ", a->command->name);
    va_start(ap, fmt);
    (void)vfprintf(stderr, fmt, ap);
    va_end(ap);
    (void)fputc('\n', stderr);
    show_usage(a);
    return leave(a, EXIT_USAGE);
}

int args_missing(struct args *a, const char *what)
{
    return args_refuse(a, "%s is missing", what);
}

int args_status(struct args *a)
{
    return a->told ? a->status : args_refuse(a, "unexpected argument: %s", a->value);
}

bool args_number(struct args *a, int64_t min, int64_t max, int64_t *out)
{
    if (str_to_i64_within(str_from(a->value), min, max, out))
        return true;
    if (max == INT64_MAX)
        (void)args_wrong(a, "it is a number from %lld", (long long)min);
    else
        (void)args_wrong(a, "it is a number from %lld to %lld", (long long)min, (long long)max);
    return false;
}

/* --- options --- */

static const struct command_option *find(const struct args *a, struct str name, char letter)
{
    const struct command_option *o;
    for (size_t i = 0; (o = command_option(a->command, i)); i++) {
        if (command_option_is_heading(o))
            continue;
        if (name.n > 0 ? str_eq(str_from(o->name), name) : letter && o->letter == letter)
            return o;
    }
    return NULL;
}

static int unknown(struct args *a, struct str name)
{
    struct nearest n = nearest_to(name);
    const struct command_option *o;
    for (size_t i = 0; (o = command_option(a->command, i)); i++)
        if (!o->absent)
            nearest_offer(&n, o->name);
    (void)fprintf(stderr, "sedge %s: there is no option %s", a->command->name, a->shown);
    if (n.best)
        (void)fprintf(stderr, "; did you mean --%s?\n", n.best);
    else
        (void)fprintf(stderr, " (sedge %s --help)\n", a->command->name);
    return leave(a, EXIT_USAGE), ARGS_LEAVE;
}

static int show_help(struct args *a)
{
    struct strbuf out;
    strbuf_init(&out, alloc_system(), 0);
    help_command(&out, a->command);
    a->status = command_print(&out);
    a->told = true;
    strbuf_fini(&out);
    return ARGS_LEAVE;
}

/* Its value, if it needs one, is `rest` or the next word. */
static int take(struct args *a, const struct command_option *o, const char *rest)
{
    a->option = o;
    a->value = NULL;
    if (o->absent)
        return args_wrong(a, "%s", o->absent), ARGS_LEAVE;
    if (o->id == OPTION_ID_HELP)
        return show_help(a);
    if (!o->arg || o->many)
        return o->id ? o->id : o->letter;
    if (!rest && a->i + 1 >= a->argc)
        return args_wrong(a, "its value is missing: %s", o->arg), ARGS_LEAVE;
    a->value = rest ? rest : a->argv[++a->i];
    return o->id ? o->id : o->letter;
}

static int take_long(struct args *a, const char *word)
{
    const char *equals = strchr(word, '=');
    struct str name = {word + 2, equals ? (size_t)(equals - word) - 2 : strlen(word) - 2};
    (void)snprintf(a->shown, sizeof(a->shown), "--%.*s", STR_FMT(name));
    a->value = NULL;
    const struct command_option *o = find(a, name, 0);
    if (!o || name.n == 0)
        return unknown(a, name);
    if (equals && (!o->arg || o->many) && !o->absent)
        return args_wrong(a, "it takes no value"), ARGS_LEAVE;
    return take(a, o, equals ? equals + 1 : NULL);
}

/* One letter of several; the first that needs a value has the rest of the word for it. */
static int take_letter(struct args *a)
{
    char letter = *a->letters++;
    const char *rest = *a->letters ? a->letters : NULL;
    (void)snprintf(a->shown, sizeof(a->shown), "-%c", letter);
    a->value = NULL;
    const struct command_option *o = find(a, (struct str){0}, letter);
    if (!o)
        return unknown(a, (struct str){0});
    bool uses_rest = o->arg && !o->many;
    a->letters = rest && !uses_rest ? rest : NULL;
    return take(a, o, uses_rest ? rest : NULL);
}

int args_next(struct args *a)
{
    if (a->told)
        return ARGS_LEAVE;
    if (a->letters)
        return take_letter(a);
    if (a->i + 1 >= a->argc)
        return ARGS_END;
    const char *word = a->argv[++a->i];
    if (!a->words_only && strcmp(word, "--") == 0) {
        a->words_only = true;
        return args_next(a);
    }
    if (a->words_only || word[0] != '-' || !word[1]) {
        a->value = word;
        return ARGS_WORD;
    }
    if (word[1] == '-')
        return take_long(a, word);
    a->letters = word + 1;
    return take_letter(a);
}

char *const *args_rest(const struct args *a)
{
    return a->argv + a->i + 1;
}

void args_skip(struct args *a, size_t words)
{
    ASSERT(words <= (size_t)(a->argc - a->i - 1));
    a->i += (int)words;
}
