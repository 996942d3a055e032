/* The manifest of a backup. What is taken can be written, and is taken again as the same. */
#include "backup/manifest.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct manifest m, again;
    struct strbuf json;
    struct error e = {0};
    if (manifest_read(&m, alloc_system(), (struct bytes){data, size}, &e))
        return 0;
    strbuf_init(&json, alloc_system(), 0);
    manifest_write(&m, &json);
    enum err err =
        manifest_read(&again, alloc_system(), (struct bytes){(const uint8_t *)json.p, json.n}, &e);
    ASSERT(err == ERR_OK && again.files.all.n == m.files.all.n);
    ASSERT(strcmp(again.store, m.store) == 0 && again.journal_last == m.journal_last);
    manifest_fini(&again);
    manifest_fini(&m);
    strbuf_fini(&json);
    return 0;
}
