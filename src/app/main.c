#include "app/cmd.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool is(const char *word, const char *one, const char *other)
{
    return strcmp(word, one) == 0 || strcmp(word, other) == 0;
}

/* A pipe whose reader has gone: `sedge discover | head -1` has what it wanted. */
static bool reader_gone(void)
{
    struct pollfd out = {.fd = STDOUT_FILENO};
    return poll(&out, 1, 0) == 1 && (out.revents & POLLERR);
}

/* The exit status of a command that wanted `status`: output that has not arrived, as on a full
 * disk, is a failure, and is told whatever the command itself thinks of it. */
static int finish(const char *name, int status)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    if (!reader_gone())
        (void)fprintf(stderr, "sedge %s: the output can't be written%s%s\n", name,
                      errno ? ": " : "", errno ? strerror(errno) : "");
    return status == EXIT_OK ? EXIT_FINDING : status;
}

static int run(int argc, char **argv)
{
    if (argc < 2)
        return cmd_introduce(argc, argv);
    if (is(argv[1], "--version", "-V")) {
        (void)puts("sedge " SEDGE_VERSION);
        return EXIT_OK;
    }
    if (is(argv[1], "--help", "-h"))
        return command_help.run(argc - 1, argv + 1);
    const struct command *c = command_find(str_from(argv[1]));
    return c ? c->run(argc - 1, argv + 1) : cmd_introduce(argc, argv);
}

int main(int argc, char **argv)
{
    return finish(argc < 2 ? "help" : argv[1], run(argc, argv));
}
