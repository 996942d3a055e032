/* differential_test: one program through the machine and through the plain evaluator. */
#pragma once

#include "lang/eval_test.h"

struct differential {
    struct strbuf machine, plain; /* what each said, "text;", "trap why;" */
    bool accepted;                /* by the checker; else nothing ran */
    bool compared;                /* no limit was met */
    struct strbuf refused;        /* the checker's messages */
};

void differential_run(struct differential *d, struct str text);
void differential_fini(struct differential *d);
