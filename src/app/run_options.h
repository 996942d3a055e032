/* run_options: what the command line of `sedge run` says. Its strings are argv's. */
#pragma once

#include "host/log_output.h"

struct run_options {
    const char *site, *driver, *workers_text;
    unsigned workers; /* of workers_text, if there is one; 0: one for each core */
    enum log_level level;
    enum log_form log;
};
/* 0: go on, else the exit status + 1; what is wrong has been told. */
int run_options_parse(int argc, char **argv, struct run_options *o);

int cmd_run(int argc, char **argv); /* cmd_run.c */
