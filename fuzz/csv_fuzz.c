/* Any bytes as a table. What is read is written again with quotes around everything, and must be
 * read the same. */
#include <stdlib.h>

#include "base/utf8.h"
#include "codec/csv.h"

enum { ARENA_MAX = 64 << 20, SIZE_MAX_BYTES = 1 << 16 };

static void write_row(struct strbuf *out, const struct csv_row *row)
{
    for (size_t i = 0; i < row->n; i++) {
        strbuf_adds(out, i ? ";\"" : "\"");
        for (size_t k = 0; k < row->cells[i].text.n; k++) {
            char c = row->cells[i].text.p[k];
            strbuf_addc(out, c);
            if (c == '"')
                strbuf_addc(out, c);
        }
        strbuf_addc(out, '"');
    }
    strbuf_addc(out, '\n');
}

/* The good rows, written; how many. */
static size_t rewrite(struct arena *a, struct str text, char separator, struct strbuf *out)
{
    struct csv_row *row = malloc(sizeof(*row));
    struct csv c;
    struct error e = {0};
    size_t n = 0;
    enum err err;
    ASSERT(row != NULL);
    csv_init(&c, a, text, separator);
    uint32_t line = 0;
    while ((err = csv_next(&c, row, &e)) != ERR_NOT_FOUND) {
        ASSERT(err == ERR_OK || err == ERR_SYNTAX);
        if (err)
            continue;
        ASSERT(row->n >= 1 && row->n <= CSV_CELLS_MAX && row->line > line);
        line = row->line;
        write_row(out, row);
        n++;
    }
    free(row);
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct str text;
    bool guessed;
    if (size > SIZE_MAX_BYTES)
        return 0;
    arena_init(&a, alloc_system(), ARENA_MAX);
    if (csv_decode(&a, (struct bytes){data, size}, &text, &guessed) == ERR_OK) {
        struct strbuf once, again;
        strbuf_init(&once, alloc_system(), 0);
        strbuf_init(&again, alloc_system(), 0);
        ASSERT(utf8_valid(text));
        size_t n = rewrite(&a, text, 0, &once);
        ASSERT(rewrite(&a, strbuf_str(&once), ';', &again) == n);
        ASSERT(str_eq(strbuf_str(&once), strbuf_str(&again)));
        strbuf_fini(&once);
        strbuf_fini(&again);
    }
    arena_fini(&a);
    return 0;
}
