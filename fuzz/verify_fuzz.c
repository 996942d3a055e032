/* Any bytes as a compiled program: what the verifier lets through runs under a small budget and
 * heap, is printed, saved and restored, without harm. Mutations change one thing of a program that
 * could be read; bytes by themselves would hardly ever be one. */
#include "fuzz/vm_feed.h"
#include "fuzz/vm_site.h"
#include "lang/code_io_internal.h"
#include "lang/vm_internal.h"

#define ARENA_MAX (8u << 20)

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size) __attribute__((weak));
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run(const struct lang_program *p, uint64_t seed)
{
    struct strbuf out;
    strbuf_init(&out, alloc_system(), 1 << 20);
    lang_program_dump(&out, p);
    strbuf_fini(&out);
    struct vm_feed f;
    feed_init(&f, p, seed);
    feed_run(&f);
    heap_check(&f.vm->heap);
    feed_fini(&f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct lang_program *p;
    arena_init(&arena, alloc_system(), ARENA_MAX);
    struct str bytes = {(const char *)data, size};
    if (code_load(&arena, bytes, &p) == ERR_OK && !code_verify(alloc_system(), p).why)
        run(p, size > 8 ? size * 31 + data[size / 2] : size);
    arena_fini(&arena);
    return 0;
}

/* ---- mutations --------------------------------------------------------------------------- */

static void mutate_instr(struct vm_feed *f, struct lang_chunk *c)
{
    struct instr *i = (struct instr *)(uintptr_t)&c->code[feed_u64(f) % c->code_n];
    switch (feed_u64(f) % 8) {
    case 0: i->op = (uint8_t)(feed_u64(f) % CODE_OPS_N); break;
    case 1: i->a = (uint8_t)(feed_u64(f) % (c->regs_n + 4u)); break;
    case 2: i->b = (uint8_t)(feed_u64(f) % (c->regs_n + 4u)); break;
    case 3: i->c = (uint8_t)(feed_u64(f) % (c->regs_n + 4u)); break;
    case 4: i->d = (int32_t)(feed_u64(f) % 16); break;
    case 5: i->d += (int32_t)(feed_u64(f) % 9) - 4; break;
    case 6: *i = c->code[feed_u64(f) % c->code_n]; break; /* that of another one */
    default: i->d = (int32_t)feed_u64(f); break;
    }
}

static void mutate(struct vm_feed *f, struct lang_program *p)
{
    struct lang_code *code = (struct lang_code *)(uintptr_t)p->code;
    if (code->chunks_n == 0)
        return;
    struct lang_chunk *c =
        (struct lang_chunk *)(uintptr_t)&code->chunks[feed_u64(f) % code->chunks_n];
    uint64_t what = feed_u64(f) % 16;
    if (what == 0 && c->regs_n > 0) {
        uint16_t *types = (uint16_t *)(uintptr_t)c->reg_types;
        types[feed_u64(f) % c->regs_n] = (uint16_t)(feed_u64(f) % code->types_n);
        bool known = true; /* it was read, not verified */
        for (unsigned r = 0; r < c->regs_n; r++)
            known &= types[r] < code->types_n;
        if (known)
            code_chunk_masks(c, code->types);
    } else if (what == 1) {
        uint8_t *const heads[] = {&c->zero_from, &c->params_n, &c->captures_n};
        *heads[feed_u64(f) % 3] = (uint8_t)(feed_u64(f) % (c->regs_n + 1u));
    } else if (what == 2) {
        c->result = (uint16_t)(feed_u64(f) % code->types_n);
    } else if (what == 3) {
        struct code_type *t =
            (struct code_type *)(uintptr_t)&code->types[feed_u64(f) % code->types_n];
        uint16_t *const parts[] = {&t->a, &t->b};
        *parts[feed_u64(f) % 2] = (uint16_t)(feed_u64(f) % code->types_n);
    } else if (what == 4) {
        c->task = !c->task;
    } else if (c->code_n > 0) {
        mutate_instr(f, c);
    }
}

/* What could be read and is no program is now and then replaced by one: so a corpus that is older
 * than the table of instructions is no obstacle. */
static size_t fresh(struct arena *a, uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    struct lang_program *p;
    if (seed % 8 != 1 || (code_load(a, (struct str){(const char *)data, size}, &p) == ERR_OK &&
                          !code_verify(alloc_system(), p).why))
        return size;
    struct strbuf out;
    strbuf_init(&out, alloc_system(), max_size);
    if (code_write(a, seed & 8 ? rich_program() : site_program(), &out) == ERR_OK &&
        out.n <= max_size) {
        size = out.n;
        memcpy(data, out.p, size);
    }
    strbuf_fini(&out);
    return size;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    struct arena arena;
    struct lang_program *p;
    struct vm_feed f = {.seed = seed | 1};
    size_t n = 0;
    arena_init(&arena, alloc_system(), ARENA_MAX);
    size = fresh(&arena, data, size, max_size, seed);
    if (seed % 16 != 0 && code_load(&arena, (struct str){(const char *)data, size}, &p) == ERR_OK &&
        p->code->types_n > 0) {
        struct strbuf out;
        strbuf_init(&out, alloc_system(), max_size);
        for (uint64_t k = 1 + feed_u64(&f) % 3; k > 0; k--)
            mutate(&f, p);
        if (code_write(&arena, p, &out) == ERR_OK && out.n <= max_size) {
            n = out.n;
            memcpy(data, out.p, n);
        }
        strbuf_fini(&out);
    }
    arena_fini(&arena);
    return n > 0 ? n : LLVMFuzzerMutate(data, size, max_size);
}
