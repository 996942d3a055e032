#include "base/arena.h"
#include "base/poison.h"

#include <stdio.h>
#include <string.h>

#define ALIGN       ((size_t)16)
#define BLOCK_FIRST ((size_t)4096)
#define BLOCK_MAX   ((size_t)256 * 1024)

/* 32 bytes, so that what follows is aligned. */
struct arena_block {
    struct arena_block *next;
    size_t size; /* with this header */
    size_t used; /* with this header */
    size_t pad;
};
_Static_assert(sizeof(struct arena_block) % ALIGN == 0, "what follows must be aligned");

void arena_init(struct arena *a, struct alloc *alloc, size_t max)
{
    *a = (struct arena){.alloc = alloc, .max = max};
}

static void block_free(struct arena *a, struct arena_block *b)
{
    memory_unpoison(b, b->size);
    mem_free(a->alloc, b, b->size);
}

void arena_fini(struct arena *a)
{
    while (a->blocks) {
        struct arena_block *b = a->blocks;
        a->blocks = b->next;
        block_free(a, b);
    }
    a->used = 0;
    a->failed = false;
}

void arena_reset(struct arena *a)
{
    struct arena_block *keep = a->blocks;
    if (keep) {
        a->blocks = keep->next;
        arena_fini(a);
        keep->next = NULL;
        keep->used = sizeof(*keep);
        memory_poison(keep + 1, keep->size - sizeof(*keep));
        a->blocks = keep;
    }
    a->used = 0;
    a->failed = false;
}

static struct arena_block *block_new(struct arena *a, size_t need)
{
    size_t size = a->blocks ? a->blocks->size * 2 : BLOCK_FIRST;
    if (size > BLOCK_MAX)
        size = BLOCK_MAX;
    if (size < need + sizeof(struct arena_block))
        size = need + sizeof(struct arena_block);
    struct arena_block *b = mem_new(a->alloc, size);
    if (!b)
        return NULL;
    *b = (struct arena_block){.next = a->blocks, .size = size, .used = sizeof(*b)};
    memory_poison(b + 1, size - sizeof(*b));
    a->blocks = b;
    return b;
}

void *arena_new(struct arena *a, size_t size)
{
    if (size == 0)
        size = 1;
    if (size > a->max || (size = (size + ALIGN - 1) & ~(ALIGN - 1), a->used > a->max) ||
        size > a->max - a->used) {
        a->failed = true;
        return NULL;
    }
    struct arena_block *b = a->blocks;
    if (!b || size > b->size - b->used)
        b = block_new(a, size);
    if (!b) {
        a->failed = true;
        return NULL;
    }
    void *p = (char *)b + b->used;
    b->used += size;
    a->used += size;
    memory_unpoison(p, size);
    memset(p, 0, size);
    return p;
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total)) {
        a->failed = true;
        return NULL;
    }
    return arena_new(a, total);
}

struct str arena_str(struct arena *a, struct str s)
{
    char *p = arena_new(a, s.n + 1);
    if (!p)
        return (struct str){0};
    if (s.n)
        memcpy(p, s.p, s.n);
    return (struct str){p, s.n};
}

struct str arena_strf(struct arena *a, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    char *p = n < 0 ? NULL : arena_new(a, (size_t)n + 1);
    if (!p) {
        a->failed = true;
        return (struct str){0};
    }
    va_start(ap, fmt);
    (void)vsnprintf(p, (size_t)n + 1, fmt, ap);
    va_end(ap);
    return (struct str){p, (size_t)n};
}
