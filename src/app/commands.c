#include "app/cmd.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const struct command *const commands[] = {
    /* a site */
    &command_init,
    &command_check,
    &command_test,
    &command_run,
    &command_reload,
    &command_alerts,
    &command_actions,
    &command_export,
    &command_sim,
    /* your devices */
    &command_discover,
    &command_adopt,
    &command_import,
    /* messages */
    &command_pub,
    &command_sub,
    &command_bench,
    /* care */
    &command_passwd,
    &command_doctor,
    &command_backup,
    &command_restore,
    /* the program itself */
    &command_help,
    &command_completion,
    &command_man,
    NULL,
};

const char *command_group_name(enum command_group g)
{
    static const char *const names[COMMAND_GROUPS] = {
        [COMMAND_SITE] = "a site",       [COMMAND_DEVICES] = "your devices",
        [COMMAND_MESSAGES] = "messages", [COMMAND_CARE] = "care",
        [COMMAND_SELF] = "sedge itself",
    };
    return names[g];
}

const struct command *command_find(struct str name)
{
    for (size_t i = 0; commands[i]; i++)
        if (str_eq(name, str_from(commands[i]->name)))
            return commands[i];
    return NULL;
}

/* --- options --- */

static bool is_end(const struct command_option *o)
{
    return !o->name && !o->letter && !o->text;
}

bool command_option_is_heading(const struct command_option *o)
{
    return !o->name && !o->letter && o->text;
}

/* -h is the host's where there is one, as with mosquitto's tools. */
static bool has_letter_h(const struct command *c)
{
    for (size_t i = 0; i < COMMAND_LISTS && c->options[i]; i++)
        for (const struct command_option *o = c->options[i]; !is_end(o); o++)
            if (o->letter == 'h')
                return true;
    return false;
}

const struct command_option *command_option(const struct command *c, size_t n)
{
    static const struct command_option help = {
        .name = "help", .letter = 'h', .text = "print this text", .id = OPTION_ID_HELP};
    static const struct command_option help_only = {
        .name = "help", .text = "print this text", .id = OPTION_ID_HELP};
    for (size_t i = 0; i < COMMAND_LISTS && c->options[i]; i++)
        for (const struct command_option *o = c->options[i]; !is_end(o); o++)
            if (n-- == 0)
                return o;
    if (n > 0)
        return NULL;
    return has_letter_h(c) ? &help_only : &help;
}

/* --- what was meant --- */

enum { NEAREST_MAX = 40 };

/* Optimal string alignment: insertions, deletions, substitutions, exchanged neighbours. */
static size_t distance(struct str a, struct str b)
{
    size_t rows[3][NEAREST_MAX + 1];
    size_t *before = rows[0], *last = rows[1], *now = rows[2];
    for (size_t j = 0; j <= b.n; j++)
        last[j] = j;
    for (size_t i = 1; i <= a.n; i++) {
        now[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            size_t d = last[j - 1] + (a.p[i - 1] != b.p[j - 1]);
            d = last[j] + 1 < d ? last[j] + 1 : d;
            d = now[j - 1] + 1 < d ? now[j - 1] + 1 : d;
            bool exchanged = i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1];
            if (exchanged && before[j - 2] + 1 < d)
                d = before[j - 2] + 1;
            now[j] = d;
        }
        size_t *free_row = before;
        before = last;
        last = now;
        now = free_row;
    }
    return last[b.n];
}

struct nearest nearest_to(struct str typed)
{
    return (struct nearest){.typed = typed, .distance = SIZE_MAX};
}

void nearest_offer(struct nearest *n, const char *name)
{
    struct str s = str_from(name);
    if (s.n == 0 || n->typed.n == 0 || s.n > NEAREST_MAX || n->typed.n > NEAREST_MAX)
        return;
    /* The beginning of a name counts as a letter that is missing. */
    size_t d = str_starts(s, n->typed) ? 1 : distance(n->typed, s);
    if (d > (s.n + 1) / 3 || d >= n->distance)
        return;
    n->best = name;
    n->distance = d;
}

const char *command_nearest(struct str typed)
{
    struct nearest n = nearest_to(typed);
    for (size_t i = 0; commands[i]; i++)
        nearest_offer(&n, commands[i]->name);
    return n.best;
}

/* A stream keeps only that it has failed, not why. */
static int output_errno;

void command_output_failed(int os_errno)
{
    output_errno = output_errno ? output_errno : os_errno;
}

int command_print(struct strbuf *out)
{
    bool ok = !out->failed && fwrite(out->p, 1, out->n, stdout) == out->n && fflush(stdout) == 0;
    if (!ok)
        command_output_failed(errno);
    strbuf_reset(out);
    return ok ? EXIT_OK : EXIT_FINDING;
}

/* A pipe whose reader has gone: `sedge discover | head -1` has what it wanted. */
static bool reader_gone(void)
{
    struct pollfd out = {.fd = STDOUT_FILENO};
    return poll(&out, 1, 0) == 1 && (out.revents & POLLERR);
}

int command_finish(const char *name, int status)
{
    if (fflush(stdout) != 0)
        command_output_failed(errno);
    else if (!ferror(stdout))
        return status;
    const char *why = output_errno ? strerror(output_errno) : "";
    if (!reader_gone())
        (void)fprintf(stderr, "sedge %s: the output can't be written%s%s\n", name,
                      why[0] ? ": " : "", why);
    return status == EXIT_OK ? EXIT_FINDING : status;
}
