/* The machine does what the plain evaluator does, in programs that are generated from the input:
 * its bytes are the choices. */
#include "lang/differential_test.h"
#include "lang/generate_test.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 1000)
        return 0;
    struct strbuf text;
    strbuf_init(&text, alloc_system(), 0);
    generate_program(&text, data, size);
    struct differential d;
    differential_run(&d, strbuf_str(&text));
    if (d.compared && !str_eq(strbuf_str(&d.machine), strbuf_str(&d.plain))) {
        (void)fprintf(stderr, "%s\nmachine: %s\nplain:   %s\n", text.p, d.machine.p, d.plain.p);
        ASSERT(!"the machine and the evaluator disagree");
    }
    differential_fini(&d);
    strbuf_fini(&text);
    return 0;
}
