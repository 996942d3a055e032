#include "app/cmd.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
} commands[] = {
    {"run", cmd_run, "run SITE            run a site: broker, history, programs, page"},
    {"check", cmd_check, "check SITE          check a site's files; nothing is run"},
    {"test", cmd_test, "test SITE           play the tests of a site in virtual time"},
    {"sim", cmd_sim, "sim SITE            simulate the plant of a site, as MQTT devices"},
    {"pub", cmd_pub, "pub -t TOPIC -m …   publish a message"},
    {"sub", cmd_sub, "sub -t FILTER       print messages"},
    {"discover", cmd_discover, "discover [SITE]     list topics that no device claims"},
    {"passwd", cmd_passwd, "passwd FILE USER    set a password"},
    {"bench", cmd_bench, "bench mqtt SCENARIO load a broker, any broker, and verify it"},
};

static int usage(FILE *to, int status)
{
    (void)fputs("sedge " SEDGE_VERSION ": a whole IoT site in one program\n\n"
                "usage: sedge COMMAND [ARGUMENTS]\n\n",
                to);
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        (void)fprintf(to, "  sedge %s\n", commands[i].help);
    (void)fputs("\n`sedge COMMAND --help` tells more. A site is a folder of .sedge files; the\n"
                "reference factory is sites/factory. Exit status: 0, 1 a finding, 2 wrong usage.\n",
                to);
    return status;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return usage(stderr, EXIT_USAGE);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0)
        return usage(stdout, EXIT_OK);
    if (strcmp(argv[1], "--version") == 0) {
        (void)puts("sedge " SEDGE_VERSION);
        return EXIT_OK;
    }
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    (void)fprintf(stderr, "sedge: there is no command '%s'\n\n", argv[1]);
    return usage(stderr, EXIT_USAGE);
}
