/* Memory that is watched: what is freed is not handed out again in the same execution, so that
 * whoever touches it is found. */
#include "tests/model/model_internal.h"
#include <string.h>
#include <sys/mman.h>

enum { UNIT = 64, ARENA = 16 << 20, BLOCKS_MAX = 4096, FILLED_MAX = 4 << 10, FILL = 0xa5 };

struct block {
    size_t size;
    uint32_t unit;
    bool freed;
};

static struct {
    uint8_t *arena;
    uint16_t owner[ARENA / UNIT]; /* of each unit: its block; 0: none */
    struct block blocks[BLOCKS_MAX];
    uint16_t used; /* blocks, from 1 */
    uint32_t units;
    size_t live;
} heap;

void heap_begin(void)
{
    if (!heap.arena) {
        void *p = mmap(NULL, ARENA, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        ASSERT(p != MAP_FAILED);
        heap.arena = p;
    }
    memset(heap.owner, 0, heap.units * sizeof(heap.owner[0]));
    heap.used = 0;
    heap.units = 0;
    heap.live = 0;
}

size_t heap_live(void)
{
    return heap.live;
}

static struct block *block_of(const void *p)
{
    size_t at = (size_t)((const uint8_t *)p - heap.arena);
    return at < ARENA && heap.owner[at / UNIT] ? &heap.blocks[heap.owner[at / UNIT]] : NULL;
}

void heap_touch(const void *p, size_t size, const char *what)
{
    if (!heap.arena || (size_t)((const uint8_t *)p - heap.arena) >= ARENA)
        return;
    struct block *b = block_of(p);
    const uint8_t *start = b ? heap.arena + (size_t)b->unit * UNIT : NULL;
    if (!b || (const uint8_t *)p + size > start + b->size)
        model_fail("heap", 0, "%s: outside of a block", what ? what : "a plain access");
    if (b->freed)
        model_fail("heap", 0, "%s: use after free, %zu bytes into a block of %zu",
                   what ? what : "a plain access", (size_t)((const uint8_t *)p - start), b->size);
}

static void *take(size_t size)
{
    uint32_t units = (uint32_t)((size + UNIT - 1) / UNIT) + 1; /* one is the gap behind */
    if (heap.used + 1 == BLOCKS_MAX || (size_t)(heap.units + units) * UNIT > ARENA)
        model_fail(__FILE__, __LINE__, "the model's memory is used up");
    struct block *b = &heap.blocks[++heap.used];
    *b = (struct block){.size = size, .unit = heap.units};
    for (uint32_t i = 0; i + 1 < units; i++)
        heap.owner[heap.units + i] = heap.used;
    void *p = heap.arena + (size_t)heap.units * UNIT;
    memset(p, FILL, size < FILLED_MAX ? size : FILLED_MAX);
    heap.units += units;
    heap.live++;
    return p;
}

static void *resize(struct alloc *a, void *p, size_t old_size, size_t new_size)
{
    (void)a;
    void *new = new_size > 0 ? take(new_size) : NULL;
    if (!p)
        return new;
    struct block *b = block_of(p);
    if (!b || b->freed || p != heap.arena + (size_t)b->unit * UNIT || old_size != b->size)
        model_fail("heap", 0, "a block of %zu bytes is freed that is none", old_size);
    if (new)
        memcpy(new, p, old_size < new_size ? old_size : new_size);
    shadow_free(p, b->size < FILLED_MAX ? b->size : FILLED_MAX);
    b->freed = true;
    heap.live--;
    return new;
}

struct alloc *model_alloc(void)
{
    static struct alloc alloc = {resize};
    return &alloc;
}

/* base/alloc.c's, which the program is linked around (--wrap). */
struct alloc *__real_alloc_system(void);
struct alloc *__wrap_alloc_system(void);
struct alloc *__wrap_alloc_system(void)
{
    return now.active ? model_alloc() : __real_alloc_system();
}
