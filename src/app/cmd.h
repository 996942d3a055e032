/* cmd: the commands of the program; main() only looks one up.
 *
 * argv[0] is the command's name. The result is the exit status: 0, 1 a finding or failure,
 * 2 wrong usage. */
#pragma once

enum { EXIT_OK = 0, EXIT_FINDING = 1, EXIT_USAGE = 2 };

int cmd_run(int argc, char **argv);      /* cmd_run.c */
int cmd_check(int argc, char **argv);    /* cmd_check.c */
int cmd_test(int argc, char **argv);     /* cmd_tests.c: *_test.c are unit tests */
int cmd_sim(int argc, char **argv);      /* cmd_sim.c */
int cmd_pub(int argc, char **argv);      /* cmd_pub.c */
int cmd_sub(int argc, char **argv);      /* cmd_sub.c */
int cmd_discover(int argc, char **argv); /* cmd_discover.c */
int cmd_passwd(int argc, char **argv);   /* cmd_passwd.c */
int cmd_bench(int argc, char **argv);    /* cmd_bench.c */
