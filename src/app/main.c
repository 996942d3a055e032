#include "app/charset.h"
#include "app/cmd.h"
#include "base/log.h"

#include <stdio.h>
#include <string.h>

static bool is(const char *word, const char *one, const char *other)
{
    return strcmp(word, one) == 0 || strcmp(word, other) == 0;
}

static int run(int argc, char **argv)
{
    if (argc < 2)
        return cmd_introduce(argc, argv);
    if (is(argv[1], "--version", "-V") || strcmp(argv[1], "version") == 0) {
        (void)puts("sedge " SEDGE_VERSION);
        return EXIT_OK;
    }
    if (is(argv[1], "--help", "-h"))
        return command_help.run(argc - 1, argv + 1);
    const struct command *c = command_find(str_from(argv[1]));
    if (c != &command_run && c != &command_sim)
        log_set_level(LOG_WARN); /* what a person has asked for is no log */
    return c ? c->run(argc - 1, argv + 1) : cmd_introduce(argc, argv);
}

int main(int argc, char **argv)
{
    charset_open();
    return command_finish(argc < 2 ? "help" : argv[1], run(argc, argv));
}
