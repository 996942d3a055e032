#include "base/arena.h"
#include "base/poison.h"

#include <stdio.h>
#include <string.h>

#define ALIGN       ((size_t)16)
#define BLOCK_FIRST ((size_t)4096)

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

static void blocks_free(struct arena *a)
{
    while (a->blocks) {
        struct arena_block *b = a->blocks;
        a->blocks = b->next;
        block_free(a, b);
    }
}

static void round_ends(struct arena *a)
{
    a->used_before = arena_peak(a);
    a->used = 0;
    a->failed = false;
}

void arena_fini(struct arena *a)
{
    blocks_free(a);
    round_ends(a);
}

void arena_reset(struct arena *a)
{
    struct arena_block *keep = a->blocks;
    if (keep && keep->size <= ARENA_BLOCK_MAX)
        a->blocks = keep->next;
    else
        keep = NULL;
    blocks_free(a);
    if (keep) {
        keep->next = NULL;
        keep->used = sizeof(*keep);
        memory_poison(keep + 1, keep->size - sizeof(*keep));
        a->blocks = keep;
    }
    round_ends(a);
}

static size_t size_next(const struct arena *a)
{
    if (!a->blocks || a->blocks->size > ARENA_BLOCK_MAX)
        return BLOCK_FIRST;
    return a->blocks->size < ARENA_BLOCK_MAX / 2 ? a->blocks->size * 2 : ARENA_BLOCK_MAX;
}

/* A block with room for `need` bytes. One that is made for a large allocation goes behind the
 * first, which may have room for what is smaller. */
static struct arena_block *block_new(struct arena *a, size_t need)
{
    size_t size = size_next(a);
    bool large = need > ARENA_BLOCK_MAX - sizeof(struct arena_block);
    if (size < need + sizeof(struct arena_block))
        size = need + sizeof(struct arena_block);
    struct arena_block *b = mem_new(a->alloc, size);
    if (!b)
        return NULL;
    struct arena_block **at = large && a->blocks ? &a->blocks->next : &a->blocks;
    *b = (struct arena_block){.next = *at, .size = size, .used = sizeof(*b)};
    *at = b;
    memory_poison(b + 1, size - sizeof(*b));
    return b;
}

void *arena_new(struct arena *a, size_t size)
{
    size_t room = ((size ? size : 1) + ALIGN - 1) & ~(ALIGN - 1);
    if (room < size || room > a->max - a->used) {
        a->failed = true;
        return NULL;
    }
    struct arena_block *b = a->blocks;
    if (!b || room > b->size - b->used)
        b = block_new(a, room);
    if (!b) {
        a->failed = true;
        return NULL;
    }
    void *p = (char *)b + b->used;
    b->used += room;
    a->used += room;
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
