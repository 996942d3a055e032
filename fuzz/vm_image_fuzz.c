/* Any bytes as the image of a machine, restored into a program with tasks, channels, closures and
 * leases: an error, or a machine that runs. The checksum is put right, so that what is behind it is
 * reached. */
#include "base/cursor.h"
#include "base/map.h"
#include "fuzz/vm_feed.h"
#include "fuzz/vm_site.h"
#include "lang/vm_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The program's hash, so that its tasks are taken, too, and the checksum. */
static void seal(struct strbuf *image, const struct lang_program *p)
{
    struct writer w = writer_from(image->p + 5, image->n - 9);
    if (image->n >= 17)
        writer_u64le(&w, p->code_hash);
    struct writer end = writer_from(image->p + image->n - 4, 4);
    writer_u32le(&end, crc32c(0, image->p, image->n - 4));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct lang_program *p = site_program();
    if (size < 17 || size > 65536)
        return 0;
    struct strbuf image;
    struct lang_restored told = {0};
    strbuf_init(&image, alloc_system(), 0);
    strbuf_add(&image, data, size);
    seal(&image, p);
    struct vm_feed f;
    feed_init(&f, p, size);
    if (lang_vm_restore(f.vm, strbuf_str(&image), &told) == ERR_OK) {
        feed_turns(&f, 40);
        lang_vm_stop_all(f.vm);
    }
    heap_check(&f.vm->heap);
    feed_fini(&f);
    strbuf_fini(&image);
    return 0;
}
