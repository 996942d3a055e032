/* Any bytes as the image of a machine, restored into a program with tasks, channels, closures and
 * leases: an error, or a machine that runs. The checksum is put right, so that what is behind it is
 * reached. */
#include "base/cursor.h"
#include "base/map.h"
#include "fuzz/vm_feed.h"
#include "lang/lang.h"
#include "lang/vm_internal.h"
#include "tests/support/lang_schema.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char site_text[] =
    "site \"fuzz\"\n"
    "model Valve { property position: %; action open() confirms position > 90 %; action close(); "
    "safe close() }\n"
    "device gate: Valve { id \"urn:1\"; via mqtt \"gate\" json }\n"
    "record Item { name: str; size: int; next: Item? }\n"
    "enum Mode { eco, boost }\n"
    "program p {\n"
    "  own v: Valve = gate\n"
    "  var n = 1\n  var x = 1.5 m\n  var s = \"text\"\n  var items: list<Item> = []\n"
    "  var seen: map<str, list<int>> = [:]\n  var mode = Mode.eco\n  var ring: Item? = none\n"
    "  let c = chan<Item>(2)\n"
    "  spawn reader(c)\n  spawn writer(c, 3)\n  spawn keeper(move v)\n"
    "}\n"
    "task reader(c: chan<Item>) {\n"
    "  loop { select { i = c.recv() => { let t = \"{i.name}\" }\n"
    "    after 1s => { let z = 1 } } }\n"
    "}\n"
    "task writer(c: chan<Item>, k: int) {\n"
    "  var i = 0\n  while i < 5 { c.send(Item{\"a{i}\", add(i, k), none}); sleep 200ms; i += 1 }\n "
    " c.close()\n"
    "}\n"
    "fn add(a: int, b: int) -> int { var t = 0\n for i in 0..a { t += b }\n return t }\n"
    "task keeper(own v: Valve) { loop { v.open(); sleep 500ms } }\n";

static struct lang_site *site;

static const struct lang_program *program(void)
{
    static struct lang_source source = {STR("fuzz.sedge"), STR("")};
    if (!site) {
        source.text = str_from(site_text);
        ASSERT(lang_check(alloc_system(), &test_schema, &source, 1, &site) == ERR_OK);
        struct strbuf said;
        strbuf_init(&said, alloc_system(), 0);
        for (size_t i = 0; i < site->diags_n; i++)
            lang_diag_render(&said, site, &site->diags[i], false);
        if (site->errors > 0)
            (void)fputs(said.p, stderr);
        strbuf_fini(&said);
        ASSERT(site->errors == 0 && site->programs_n == 1);
    }
    return site->programs[0];
}

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
    const struct lang_program *p = program();
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
