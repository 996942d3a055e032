#include "async/sim/disk_sim_internal.h"
#include <string.h>

size_t sim_bytes(const struct disk_sim *s)
{
    size_t all = 0;
    LIST_EACH(&s->inodes, it)
    {
        all += CONTAINER_OF(it, struct sim_inode, link)->size;
    }
    return all;
}

bool sim_reserve(struct disk_sim *s, struct sim_inode *inode, size_t size)
{
    size_t cap = inode->cap ? inode->cap : 8 * SIM_SECTOR;
    if (size <= inode->cap)
        return true;
    while (cap < size)
        cap *= 2;
    uint8_t *now = mem_zero(s->alloc, cap);
    uint8_t *safe = mem_zero(s->alloc, cap);
    uint8_t *sector = mem_zero(s->alloc, cap / SIM_SECTOR);
    if (!now || !safe || !sector) {
        mem_free(s->alloc, now, cap);
        mem_free(s->alloc, safe, cap);
        mem_free(s->alloc, sector, cap / SIM_SECTOR);
        return false;
    }
    if (inode->cap) {
        memcpy(now, inode->now, inode->cap);
        memcpy(safe, inode->safe, inode->cap);
        memcpy(sector, inode->sector, inode->cap / SIM_SECTOR);
        mem_free(s->alloc, inode->now, inode->cap);
        mem_free(s->alloc, inode->safe, inode->cap);
        mem_free(s->alloc, inode->sector, inode->cap / SIM_SECTOR);
    }
    inode->now = now;
    inode->safe = safe;
    inode->sector = sector;
    inode->cap = cap;
    return true;
}

void sim_mark(struct sim_inode *inode, size_t from, size_t to)
{
    for (size_t i = from / SIM_SECTOR; i * SIM_SECTOR < to; i++)
        inode->sector[i] = SECTOR_DIRTY;
}

void sim_cut(struct sim_inode *inode, size_t size)
{
    if (size < inode->size) {
        memset(inode->now + size, 0, inode->size - size);
        sim_mark(inode, size, inode->size);
    }
    inode->size = size;
}

void sim_synced(struct sim_inode *inode)
{
    for (size_t i = 0; i < inode->cap / SIM_SECTOR; i++) {
        if (inode->sector[i] != SECTOR_DIRTY)
            continue;
        memcpy(inode->safe + i * SIM_SECTOR, inode->now + i * SIM_SECTOR, SIM_SECTOR);
        inode->sector[i] = SECTOR_SAFE;
    }
    inode->safe_size = inode->size;
}

void sim_sync_failed(struct sim_inode *inode)
{
    for (size_t i = 0; i < inode->cap / SIM_SECTOR; i++)
        if (inode->sector[i] == SECTOR_DIRTY)
            inode->sector[i] = SECTOR_STUCK;
}

/* A growing file has any length in between; a cut either has happened or not. */
static size_t size_after_crash(const struct sim_inode *inode, enum disk_sim_keep keep,
                               struct random *r)
{
    if (keep == DISK_SIM_KEEP_NOTHING)
        return inode->safe_size;
    if (inode->size < inode->safe_size)
        return random_below(r, 2) ? inode->size : inode->safe_size;
    return inode->safe_size + (size_t)random_below(r, inode->size - inode->safe_size + 1);
}

uint64_t sim_crash_inode(struct sim_inode *inode, enum disk_sim_keep keep, struct random *r)
{
    const bool some = keep == DISK_SIM_KEEP_SOME;
    uint64_t lost = 0;
    size_t size = size_after_crash(inode, keep, r);
    for (size_t i = 0; i < inode->cap / SIM_SECTOR; i++) {
        uint8_t *now = inode->now + i * SIM_SECTOR, *safe = inode->safe + i * SIM_SECTOR;
        if (inode->sector[i] != SECTOR_SAFE && some && random_below(r, 2)) {
            memcpy(safe, now, SIM_SECTOR);
        } else if (inode->sector[i] != SECTOR_SAFE) {
            memcpy(now, safe, SIM_SECTOR);
            lost++;
        }
        inode->sector[i] = SECTOR_SAFE;
    }
    inode->size = inode->safe_size = size;
    if (inode->cap > size) {
        memset(inode->now + size, 0, inode->cap - size);
        memset(inode->safe + size, 0, inode->cap - size);
    }
    return lost;
}
