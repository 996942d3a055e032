/* code_io_internal: a compiled program as bytes, and back. Private to lang/.
 *
 * Why: so that bytecode from outside, and above all damaged bytecode, can be put before the
 * verifier. Ownership: what is read is the arena's, with everything below it. Threads: none.
 * Errors: ERR_CORRUPT for bytes that are no program. One that was read is only safe to run, or to
 * print, after code_verify(). */
#pragma once

#include "base/arena.h"
#include "lang/code_internal.h"
#include "lang/heap.h"
#include "lang/program.h"

MUST_USE enum err code_write(struct arena *scratch, const struct lang_program *program,
                             struct strbuf *out);
MUST_USE enum err code_load(struct arena *a, struct str bytes, struct lang_program **out);
