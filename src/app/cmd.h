/* cmd: the commands of the program, each in its file; main() only looks one up (commands.h).
 *
 * argv[0] is the command's name. The result is the exit status: 0, 1 a finding or failure,
 * 2 wrong usage. */
#pragma once

#include "app/commands.h"

enum { EXIT_OK = 0, EXIT_FINDING = 1, EXIT_USAGE = 2 };

extern const struct command command_init;       /* cmd_init.c */
extern const struct command command_run;        /* run_options.c, cmd_run.c */
extern const struct command command_check;      /* cmd_check.c */
extern const struct command command_test;       /* cmd_tests.c: *_test.c are unit tests */
extern const struct command command_sim;        /* cmd_sim.c */
extern const struct command command_reload;     /* cmd_reload.c */
extern const struct command command_alerts;     /* cmd_alerts.c */
extern const struct command command_actions;    /* cmd_actions.c */
extern const struct command command_export;     /* cmd_export.c */
extern const struct command command_discover;   /* cmd_discover.c */
extern const struct command command_adopt;      /* cmd_adopt.c */
extern const struct command command_import;     /* cmd_import.c */
extern const struct command command_pub;        /* mqtt_options_table.c, cmd_pub.c */
extern const struct command command_sub;        /* mqtt_options_table.c, cmd_sub.c */
extern const struct command command_passwd;     /* cmd_passwd.c */
extern const struct command command_doctor;     /* cmd_doctor.c */
extern const struct command command_backup;     /* cmd_backup.c */
extern const struct command command_restore;    /* cmd_restore.c */
extern const struct command command_bench;      /* cmd_bench.c */
extern const struct command command_help;       /* cmd_help.c */
extern const struct command command_man;        /* cmd_help.c */
extern const struct command command_completion; /* cmd_help.c */

/* Theirs is beside the options that they share. */
int cmd_pub(int argc, char **argv);
int cmd_sub(int argc, char **argv);

/* Without a command, 20 lines for a newcomer; with one that is not there, what was meant. Both are
 * wrong usage, told on stderr. */
int cmd_introduce(int argc, char **argv);
