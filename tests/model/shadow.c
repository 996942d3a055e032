/* Plain accesses: the compiler calls these for each (-fsanitize=thread, without its library).
 * Two accesses of one byte, one of them a write and one of them plain, must be in order: one
 * happens before the other by what the threads know of each other (after FastTrack, Flanagan and
 * Freund, PLDI 2009). */
#include "tests/model/model_internal.h"
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { GRANULES = 1 << 15, GRANULE = 8, CELLS = 4 };

struct cell {
    uint32_t clock;
    uint8_t mask, thread, kind; /* mask 0: unused */
    const void *place; /* an atomic one: text; a plain one: the instruction; NULL: a free */
};

struct granule {
    uintptr_t key;
    uint32_t generation;
    uint8_t next; /* cell to give up */
    bool atomic;  /* there are locations */
    uint16_t location[GRANULE];
    struct cell cells[CELLS];
};

static struct granule granules[GRANULES];
static uint32_t generation, granules_used;

void shadow_begin(void)
{
    generation++;
    granules_used = 0;
}

/* Where it is, or where it would be. */
static struct granule *find_granule(uintptr_t key)
{
    size_t i = (key * UINT64_C(0x9e3779b97f4a7c15)) >> 40 & (GRANULES - 1);
    while (granules[i].generation == generation && granules[i].key != key)
        i = (i + 1) & (GRANULES - 1);
    return &granules[i];
}

static struct granule *granule_of(uintptr_t key)
{
    struct granule *g = find_granule(key);
    if (g->generation != generation) {
        if (++granules_used > GRANULES / 2)
            model_fail(__FILE__, __LINE__, "too much memory is touched");
        memset(g, 0, sizeof(*g));
        g->key = key;
        g->generation = generation;
    }
    return g;
}

uint16_t *shadow_location(const void *p)
{
    struct granule *g = granule_of((uintptr_t)p / GRANULE);
    g->atomic = true;
    return &g->location[(uintptr_t)p % GRANULE];
}

static bool is_write(unsigned kind)
{
    return kind == ACCESS_WRITE || kind == ACCESS_ATOMIC_WRITE;
}

static bool is_atomic(unsigned kind)
{
    return kind == ACCESS_ATOMIC_READ || kind == ACCESS_ATOMIC_WRITE;
}

static int find_base(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    *(uintptr_t *)arg = info->dlpi_addr;
    return 1; /* the program is the first */
}

/* File and line of an instruction, if addr2line is there, else its address. */
static void name_place(char *out, size_t size, const void *pc)
{
    uintptr_t base = 0;
    char command[64];
    dl_iterate_phdr(find_base, &base);
    unsigned long at = (unsigned long)((uintptr_t)pc - base - 1);
    snprintf(command, sizeof(command), "addr2line -e /proc/%d/exe %#lx", getpid(), at);
    snprintf(out, size, "%#lx", at);
    FILE *f = popen(command, "r"); // NOLINT(cert-env33-c): nothing in it comes from outside
    if (f && fgets(out, (int)size, f))
        out[strcspn(out, "\n")] = '\0';
    if (f)
        pclose(f);
}

static const char *name_access(char out[160], unsigned kind, unsigned thread, const void *place)
{
    static const char *const names[] = {"read", "write", "atomic read", "atomic write"};
    char line[100] = "a free";
    if (place && !is_atomic(kind))
        name_place(line, sizeof(line), place);
    snprintf(out, 160, "%s by thread %u at %s", names[kind], thread,
             is_atomic(kind) ? (const char *)place : line);
    return out;
}

static void fail_race(const void *p, const struct cell *c, unsigned kind, const void *place)
{
    char a[160], b[160];
    model_fail("race", 0, "on %p: %s, then %s", p, name_access(a, c->kind, c->thread, c->place),
               name_access(b, kind, thread_index(now.current), place));
}

static void access_granule(struct granule *g, const void *p, uint8_t mask, enum access kind,
                           const void *place)
{
    struct thread *t = now.current;
    struct cell *into = NULL;
    for (unsigned i = 0; i < CELLS; i++) {
        struct cell *c = &g->cells[i];
        if (c->mask == 0) {
            into = into ? into : c;
            break;
        }
        bool before = c->clock <= t->view.clock[c->thread];
        if (c->thread != thread_index(t) && c->mask & mask && !before &&
            (is_write(c->kind) || is_write(kind)) && !(is_atomic(c->kind) && is_atomic(kind)))
            fail_race(p, c, kind, place);
        /* What the new one says about more bytes need not be kept. */
        bool stronger = is_write(kind) || !is_write(c->kind);
        bool plainer = !is_atomic(kind) || is_atomic(c->kind);
        if ((c->mask & ~mask) == 0 && before && stronger && plainer)
            into = c;
    }
    if (!into)
        into = &g->cells[g->next++ % CELLS];
    *into = (struct cell){t->view.clock[thread_index(t)], mask, (uint8_t)thread_index(t),
                          (uint8_t)kind, place};
}

void shadow_access(const void *p, size_t size, enum access kind, const void *place)
{
    uintptr_t at = (uintptr_t)p, end = at + size;
    while (at < end) {
        uintptr_t key = at / GRANULE, next = (key + 1) * GRANULE;
        unsigned from = (unsigned)(at % GRANULE);
        unsigned to = end < next ? (unsigned)(end - key * GRANULE) : GRANULE;
        struct granule *g = granule_of(key);
        access_granule(g, (const void *)at, (uint8_t)((1u << to) - (1u << from)), kind, place);
        if (g->atomic && kind == ACCESS_WRITE)
            for (unsigned i = from; i < to; i++)
                if (g->location[i])
                    memory_overwritten(g->location[i]);
        at = next;
    }
}

void shadow_free(const void *p, size_t size)
{
    /* Blocks begin at a granule. */
    for (uintptr_t at = (uintptr_t)p; at < (uintptr_t)p + size; at += GRANULE) {
        struct granule *g = find_granule(at / GRANULE);
        if (g->generation == generation)
            access_granule(g, (const void *)at, 0xff, ACCESS_WRITE, NULL);
    }
}

static inline void plain(const void *p, size_t size, enum access kind, const void *pc)
{
    if (!now.active || is_thread_local(p))
        return;
    heap_touch(p, size, NULL);
    shadow_access(p, size, kind, pc);
}

/* --- what the compiler calls --- */

#define READ_WRITE(n)                                                                              \
    void __tsan_read##n(void *p);                                                                  \
    void __tsan_read##n(void *p)                                                                   \
    {                                                                                              \
        plain(p, n, ACCESS_READ, __builtin_return_address(0));                                     \
    }                                                                                              \
    void __tsan_write##n(void *p);                                                                 \
    void __tsan_write##n(void *p)                                                                  \
    {                                                                                              \
        plain(p, n, ACCESS_WRITE, __builtin_return_address(0));                                    \
    }                                                                                              \
    void __tsan_unaligned_read##n(void *p);                                                        \
    void __tsan_unaligned_read##n(void *p)                                                         \
    {                                                                                              \
        plain(p, n, ACCESS_READ, __builtin_return_address(0));                                     \
    }                                                                                              \
    void __tsan_unaligned_write##n(void *p);                                                       \
    void __tsan_unaligned_write##n(void *p)                                                        \
    {                                                                                              \
        plain(p, n, ACCESS_WRITE, __builtin_return_address(0));                                    \
    }
READ_WRITE(1)
READ_WRITE(2)
READ_WRITE(4)
READ_WRITE(8)
READ_WRITE(16)

void __tsan_read_range(void *p, size_t size);
void __tsan_read_range(void *p, size_t size)
{
    plain(p, size, ACCESS_READ, __builtin_return_address(0));
}
void __tsan_write_range(void *p, size_t size);
void __tsan_write_range(void *p, size_t size)
{
    plain(p, size, ACCESS_WRITE, __builtin_return_address(0));
}

void __tsan_init(void);
void __tsan_init(void)
{
}
void __tsan_func_entry(void *pc);
void __tsan_func_entry(void *pc)
{
    (void)pc;
}
void __tsan_func_exit(void *pc);
void __tsan_func_exit(void *pc)
{
    (void)pc;
}

/* Coroutines run within their worker's thread. */
void *__tsan_get_current_fiber(void);
void *__tsan_get_current_fiber(void)
{
    return NULL;
}
void *__tsan_create_fiber(unsigned flags);
void *__tsan_create_fiber(unsigned flags)
{
    (void)flags;
    return NULL;
}
void __tsan_destroy_fiber(void *fiber);
void __tsan_destroy_fiber(void *fiber)
{
    (void)fiber;
}
void __tsan_switch_to_fiber(void *fiber, unsigned flags);
void __tsan_switch_to_fiber(void *fiber, unsigned flags)
{
    (void)fiber, (void)flags;
}
