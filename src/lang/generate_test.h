/* generate_test: programs from bytes, for comparing the machine with the plain evaluator.
 *
 * Each choice takes a byte; when they are used up, the simplest way is taken, so that every input
 * ends. Programs are well typed, but may trap; loops are short, and nothing calls itself. */
#pragma once

#include "base/str.h"

void generate_program(struct strbuf *out, const uint8_t *bytes, size_t n);
