/* bench_report: what `sedge bench` measured, for people and for programs.
 *
 * BENCH_LINES prints a line for each figure: bench=NAME unit=U ours=N peer=- theirs=- ratio=-
 * goal=- met=-; whoever compares brokers (bench/mqtt.py) fills the rest. BENCH_JSON prints one
 * object on one line. Threads: the caller's. */
#pragma once

#include "load/load.h"

#include <stdio.h>

enum bench_format { BENCH_TEXT, BENCH_LINES, BENCH_JSON };

void bench_report(FILE *to, enum bench_format format, const char *scenario,
                  const struct load_config *cfg, const struct load_result *r);
