#include "async/stack.h"
#include "async/fiber_internal.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define MADV_GUARD_INSTALL_                                                                        \
    102 /* linux/mman-common.h since 6.13; Debian 12's headers are older                           \
         */

enum { MAPS_ASSUMED = 65530, MAPS_SPARE = 4096 };

static void *reserve(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

static size_t maps_max(void)
{
    char line[32] = "";
    FILE *f = fopen("/proc/sys/vm/max_map_count", "re");
    if (f) {
        if (!fgets(line, sizeof(line), f))
            line[0] = '\0';
        fclose(f);
    }
    size_t n = strtoul(line, NULL, 10);
    return n > 0 ? n : MAPS_ASSUMED;
}

static bool install_guard(struct stack_pool *p, size_t slot)
{
    void *low = p->slab + slot * STACK_SLOT;
    if (p->guard_mprotect)
        return mprotect(low, STACK_GUARD, PROT_NONE) == 0;
    return madvise(low, STACK_GUARD, MADV_GUARD_INSTALL_) == 0;
}

/* Emulators accept any advice and do nothing. A path that can't be read is the kernel's to say. */
static bool guard_works(struct stack_pool *p)
{
    return install_guard(p, 0) && access((const char *)p->slab, F_OK) != 0 && errno == EFAULT;
}

enum err stack_pool_init(struct stack_pool *p, size_t slots_max, enum stack_guard guard)
{
    *p = (struct stack_pool){.slots_max = slots_max};
    if (slots_max < 1 || slots_max > STACKS_MAX)
        return ERR_INVALID;
    p->slab = reserve(slots_max * STACK_SLOT);
    p->free = reserve(slots_max * sizeof(*p->free));
    p->fibers = reserve(slots_max * sizeof(*p->fibers));
    if (!p->slab || !p->free || !p->fibers) {
        stack_pool_fini(p);
        return ERR_NOMEM;
    }
    (void)madvise(p->slab, slots_max * STACK_SLOT, MADV_NOHUGEPAGE); /* refused: none are there */
    p->guard_mprotect = guard == STACK_GUARD_MPROTECT || !guard_works(p);
    if (p->guard_mprotect) {
        size_t maps = maps_max(), most = maps > 2 * MAPS_SPARE ? (maps - MAPS_SPARE) / 2 : 1;
        if (p->slots_max > most) {
            munmap(p->slab + most * STACK_SLOT, (p->slots_max - most) * STACK_SLOT);
            p->slots_max = most;
        }
    }
    return ERR_OK;
}

void stack_pool_fini(struct stack_pool *p)
{
    for (size_t i = 0; p->fibers && i < p->slots_made; i++)
        fiber_free(p->fibers[i]);
    if (p->slab) {
        fiber_forget(p->slab, p->slots_made * STACK_SLOT);
        munmap(p->slab, p->slots_max * STACK_SLOT);
    }
    if (p->free)
        munmap(p->free, p->slots_max * sizeof(*p->free));
    if (p->fibers)
        munmap(p->fibers, p->slots_max * sizeof(*p->fibers));
    *p = (struct stack_pool){0};
}

/* 29 has no factor in common with the number of colours: neighbours lie far apart. */
static void *top_of(const struct stack_pool *p, size_t slot)
{
    return p->slab + (slot + 1) * STACK_SLOT - slot * 29 % STACK_COLOURS * 64;
}

void *stack_take(struct stack_pool *p)
{
    size_t slot;
    if (p->warm > 0) {
        slot = p->free[--p->warm];
    } else if (p->cold > 0) {
        slot = p->free[p->slots_max - p->cold--];
    } else {
        slot = p->slots_made;
        if (slot == p->slots_max || !install_guard(p, slot))
            return NULL;
        p->slots_made++;
    }
    p->fibers[slot] = fiber_renew(p->fibers[slot]);
    p->in_use++;
    return top_of(p, slot);
}

void stack_give(struct stack_pool *p, void *top)
{
    size_t slot = stack_slot(p, top);
    ASSERT(p->in_use > 0);
    fiber_forget(stack_lowest(p, top), STACK_SLOT - STACK_GUARD);
    p->in_use--;
    if (p->warm < STACKS_WARM) {
        p->free[p->warm++] = (uint32_t)slot;
        return;
    }
    (void)madvise(stack_lowest(p, top), STACK_SLOT - STACK_GUARD, MADV_DONTNEED);
    p->free[p->slots_max - ++p->cold] = (uint32_t)slot;
}

bool stack_pool_guards(const struct stack_pool *p, const void *address)
{
    uintptr_t at = (uintptr_t)address - (uintptr_t)p->slab;
    return p->slab && (uintptr_t)address >= (uintptr_t)p->slab && at < p->slots_made * STACK_SLOT &&
           at % STACK_SLOT < STACK_GUARD;
}
