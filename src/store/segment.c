#include "base/log.h"
#include "base/map.h"
#include "store/journal_internal.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEGMENT_VERSION   1u
#define SEGMENT_HEAD_USED 56u
#define FILL_BYTES        (256u << 10)
#define FILES_MAX         65536u

static const uint8_t segment_magic[8] = {'S', 'E', 'D', 'G', 'E', 'J', 'N', 'L'};

void segment_head_encode(uint8_t out[SEGMENT_HEAD], const struct segment_head *h)
{
    memset(out, 0, SEGMENT_HEAD);
    struct writer w = writer_from(out, SEGMENT_HEAD);
    writer_bytes(&w, segment_magic, sizeof(segment_magic));
    writer_u32le(&w, SEGMENT_VERSION);
    writer_u64le(&w, h->id);
    writer_u64le(&w, h->first_seq);
    writer_u64le(&w, h->size);
    writer_u64le(&w, h->before);
    writer_u64le(&w, (uint64_t)h->made_ms);
    writer_u32le(&w, h->repaired);
    ASSERT(writer_len(&w) == SEGMENT_HEAD_USED);
    writer_u32le(&w, crc32c(0, out, SEGMENT_HEAD_USED));
}

bool segment_head_decode(struct bytes in, struct segment_head *h)
{
    struct cursor c = cursor_from(in.p, in.n);
    struct bytes magic = cursor_take(&c, sizeof(segment_magic));
    uint32_t version = cursor_u32le(&c);
    h->id = cursor_u64le(&c);
    h->first_seq = cursor_u64le(&c);
    h->size = cursor_u64le(&c);
    h->before = cursor_u64le(&c);
    h->made_ms = (int64_t)cursor_u64le(&c);
    uint32_t repaired = cursor_u32le(&c);
    h->repaired = repaired == 1;
    uint32_t crc = cursor_u32le(&c);
    return !c.failed && memcmp(magic.p, segment_magic, sizeof(segment_magic)) == 0 &&
           version == SEGMENT_VERSION && repaired <= 1 && h->id != FRAME_ANY_SEGMENT &&
           h->first_seq > 0 && h->before < h->first_seq &&
           crc == crc32c(0, in.p, SEGMENT_HEAD_USED);
}

void segment_path(const struct journal *j, uint64_t name_seq, char out[JOURNAL_PATH_MAX])
{
    (void)snprintf(out, JOURNAL_PATH_MAX, "%s/journal-%016llx.sj", j->dir,
                   (unsigned long long)name_seq);
}

static void spare_path(const struct journal *j, uint64_t number, char out[JOURNAL_PATH_MAX])
{
    (void)snprintf(out, JOURNAL_PATH_MAX, "%s/spare-%016llx.sj", j->dir,
                   (unsigned long long)number);
}

/* ---- what lies in the folder ---- */

static bool numbered(const char *name, const char *prefix, const char *suffix, uint64_t *number)
{
    size_t a = strlen(prefix);
    size_t b = strlen(suffix);
    if (strlen(name) != a + 16 + b || strncmp(name, prefix, a) != 0 ||
        strcmp(name + a + 16, suffix) != 0)
        return false;
    uint64_t v = 0;
    for (size_t i = a; i < a + 16; i++) {
        static const char digits[] = "0123456789abcdef";
        const char *d = memchr(digits, name[i], 16);
        if (!d)
            return false;
        v = v << 4 | (uint64_t)(d - digits);
    }
    *number = v;
    return true;
}

bool segment_name(const char *name, uint64_t *seq)
{
    return numbered(name, "journal-", ".sj", seq);
}

struct found {
    struct journal *j;
    VEC(uint64_t) journals;
    VEC(uint64_t) spares;
    VEC(uint64_t) repairs;
    bool failed;
};

static void found_name(void *ctx, const char *name)
{
    struct found *f = ctx;
    uint64_t number;
    bool ok = true;
    if (segment_name(name, &number))
        ok = f->journals.n < FILES_MAX && vec_push(f->j->alloc, &f->journals, number);
    else if (numbered(name, "spare-", ".sj", &number))
        ok = f->spares.n < FILES_MAX && vec_push(f->j->alloc, &f->spares, number);
    else if (numbered(name, "repair-", ".tmp", &number))
        ok = f->repairs.n < FILES_MAX && vec_push(f->j->alloc, &f->repairs, number);
    if (!ok)
        f->failed = true;
}

static int u64_cmp(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static enum err adopt_spares(struct journal *j, struct found *f, struct error *e)
{
    char path[JOURNAL_PATH_MAX];
    for (size_t i = 0; i < f->spares.n; i++) {
        spare_path(j, f->spares.v[i], path);
        struct disk_file *file = NULL;
        uint64_t size = 0;
        enum err r = j->disk->ops->open(j->disk, path, DISK_READ, &file, e);
        if (r == ERR_OK) {
            r = j->disk->ops->size(j->disk, file, &size, e);
            j->disk->ops->close(j->disk, file);
        }
        if (r != ERR_OK)
            return r;
        if (size == j->segment_bytes && j->spares < SEGMENT_SPARE_MAX)
            j->spare[j->spares++] = f->spares.v[i];
        else if ((r = j->disk->ops->remove(j->disk, path, e)) != ERR_OK)
            return r;
    }
    for (size_t i = 0; i < f->repairs.n; i++) {
        (void)snprintf(path, sizeof(path), "%s/repair-%016llx.tmp", j->dir,
                       (unsigned long long)f->repairs.v[i]);
        enum err r = j->disk->ops->remove(j->disk, path, e);
        if (r != ERR_OK)
            return r;
    }
    return ERR_OK;
}

enum err segments_scan(struct journal *j, struct error *e)
{
    struct found f = {.j = j};
    enum err r = j->disk->ops->list(j->disk, j->dir, found_name, &f, e);
    if (r == ERR_OK && f.failed)
        r = error_set(e, ERR_NOMEM, "no memory to list the journal's files");
    if (r == ERR_OK)
        r = adopt_spares(j, &f, e);
    if (f.journals.n > 1)
        qsort(f.journals.v, f.journals.n, sizeof(uint64_t), u64_cmp);
    for (size_t i = 0; r == ERR_OK && i < f.journals.n; i++) {
        struct segment s = {.first_seq = f.journals.v[i], .name_seq = f.journals.v[i]};
        if (!vec_push(j->alloc, &j->segments, s))
            r = error_set(e, ERR_NOMEM, "no memory for the journal's table of segments");
    }
    vec_fini(j->alloc, &f.journals);
    vec_fini(j->alloc, &f.spares);
    vec_fini(j->alloc, &f.repairs);
    return r;
}

/* ---- making ---- */

/* A segment is written in full before it is used, so here a full disk shows: the store's folder and
 * what is missing in it, rather than which write it was. */
enum err segment_no_room(const struct journal *j, struct error *e)
{
    enum err r = error_set_os(e, ENOSPC, "no room for %llu KiB of journal",
                              (unsigned long long)(j->segment_bytes >> 10));
    if (e)
        (void)snprintf(e->where, sizeof(e->where), "%.*s", (int)sizeof(e->where) - 1, j->dir);
    return r;
}

enum err segment_zero_fill(struct journal *j, const char *path, struct error *e)
{
    struct disk_file *file = NULL;
    enum err r = j->disk->ops->open(j->disk, path, DISK_READ | DISK_WRITE | DISK_CREATE, &file, e);
    if (r != ERR_OK)
        return r;
    size_t piece = j->segment_bytes < FILL_BYTES ? j->segment_bytes : FILL_BYTES;
    uint8_t *zero = mem_zero(j->alloc, piece);
    if (!zero)
        r = error_set(e, ERR_NOMEM, "no memory to fill a journal segment");
    for (uint64_t at = 0; r == ERR_OK && at < j->segment_bytes; at += piece) {
        uint64_t left = j->segment_bytes - at;
        size_t n = left < piece ? (size_t)left : piece;
        r = j->disk->ops->write_at(j->disk, file, at, zero, n, e);
    }
    if (r == ERR_OK)
        r = j->disk->ops->sync(j->disk, file, e);
    if (r != ERR_OK && e && e->os_errno == ENOSPC)
        r = segment_no_room(j, e);
    mem_free(j->alloc, zero, piece);
    j->disk->ops->close(j->disk, file);
    return r;
}

/* Ids and spare numbers only need to be unlike all others that were ever used here. */
uint64_t segment_fresh_id(struct journal *j)
{
    uint64_t parts[4] = {j->seed, ++j->ids, (uint64_t)clock_mono_ns(j->clock),
                         (uint64_t)clock_wall_ms(j->clock)};
    uint64_t id = hash_bytes(parts, sizeof(parts), j->seed);
    return id ? id : 1;
}

enum err segment_prepare(struct journal *j, struct error *e)
{
    if (j->spares > 0)
        return ERR_OK;
    uint64_t number = segment_fresh_id(j);
    char path[JOURNAL_PATH_MAX];
    spare_path(j, number, path);
    enum err r = segment_zero_fill(j, path, e);
    if (r == ERR_OK)
        r = j->disk->ops->sync_dir(j->disk, j->dir, e);
    if (r == ERR_OK)
        j->spare[j->spares++] = number;
    else /* half a file would hold space for nothing */
        (void)j->disk->ops->remove(j->disk, path, NULL);
    return r;
}

static enum err write_head(struct journal *j, struct disk_file *file, const struct segment *s,
                           struct error *e)
{
    uint64_t before = j->segments.n ? j->segments.v[j->segments.n - 1].last_seq : 0;
    uint8_t *head = mem_new(j->alloc, SEGMENT_HEAD);
    if (!head)
        return error_set(e, ERR_NOMEM, "no memory for the head of a journal segment");
    segment_head_encode(head, &(struct segment_head){.id = s->id,
                                                     .first_seq = s->first_seq,
                                                     .size = j->segment_bytes,
                                                     .before = before,
                                                     .made_ms = clock_wall_ms(j->clock)});
    enum err r = j->disk->ops->write_at(j->disk, file, 0, head, SEGMENT_HEAD, e);
    mem_free(j->alloc, head, SEGMENT_HEAD);
    return r == ERR_OK ? j->disk->ops->sync(j->disk, file, e) : r;
}

enum err segment_activate(struct journal *j, uint64_t first_seq, struct error *e)
{
    enum err r = segment_prepare(j, e);
    if (r != ERR_OK)
        return r;
    char from[JOURNAL_PATH_MAX];
    char to[JOURNAL_PATH_MAX];
    spare_path(j, j->spare[0], from);
    segment_path(j, first_seq, to);
    struct segment s = {.id = segment_fresh_id(j), .first_seq = first_seq, .name_seq = first_seq};
    struct disk_file *file = NULL;
    r = j->disk->ops->open(j->disk, from, DISK_READ | DISK_WRITE, &file, e);
    if (r == ERR_OK)
        r = write_head(j, file, &s, e);
    if (r == ERR_OK)
        r = j->disk->ops->rename(j->disk, from, to, e);
    if (r == ERR_OK)
        r = j->disk->ops->sync_dir(j->disk, j->dir, e);
    if (r == ERR_OK) {
        pthread_mutex_lock(&j->lock);
        /* An empty one of the same name has just been replaced. */
        if (j->segments.n && j->segments.v[j->segments.n - 1].name_seq == first_seq)
            j->segments.n--;
        bool ok = vec_push(j->alloc, &j->segments, s);
        j->stats.segments = j->segments.n;
        j->refuse = j->segments.n * j->segment_bytes >= 4 * j->bytes_max;
        pthread_mutex_unlock(&j->lock);
        if (!ok)
            r = error_set(e, ERR_NOMEM, "no memory for the journal's table of segments");
    }
    if (r != ERR_OK) {
        if (file)
            j->disk->ops->close(j->disk, file);
        return r;
    }
    j->spares--;
    memmove(j->spare, j->spare + 1, j->spares * sizeof(j->spare[0]));
    if (j->file)
        j->disk->ops->close(j->disk, j->file);
    j->file = file;
    j->at = SEGMENT_HEAD;
    return ERR_OK;
}

/* ---- recycling ---- */

/* (lock) How many of the oldest segments nobody needs. The last one is always needed. */
static size_t releasable(struct journal *j)
{
    if (j->keep_all || list_empty(&j->consumers))
        return 0; /* nobody says, or somebody can no longer say, what it needs: keep all */
    uint64_t min = UINT64_MAX;
    LIST_EACH(&j->consumers, it)
    {
        const struct journal_consumer *c = CONTAINER_OF(it, struct journal_consumer, link);
        min = c->cursor < min ? c->cursor : min;
    }
    size_t n = 0;
    while (n + 1 < j->segments.n && j->segments.v[n].last_seq <= min)
        n++;
    return n;
}

bool segments_releasable(struct journal *j)
{
    return releasable(j) > 0;
}

static enum err recycle_one(struct journal *j, const struct segment *s, struct error *e)
{
    char from[JOURNAL_PATH_MAX];
    segment_path(j, s->name_seq, from);
    if (j->spares >= SEGMENT_SPARE_MAX)
        return j->disk->ops->remove(j->disk, from, e);
    struct disk_file *file = NULL;
    uint64_t size = 0;
    enum err r = j->disk->ops->open(j->disk, from, DISK_READ, &file, e);
    if (r == ERR_OK) {
        r = j->disk->ops->size(j->disk, file, &size, e);
        j->disk->ops->close(j->disk, file);
    }
    if (r != ERR_OK)
        return r;
    if (size != j->segment_bytes) /* repaired, or from a run with another setting */
        return j->disk->ops->remove(j->disk, from, e);
    char to[JOURNAL_PATH_MAX];
    uint64_t number = segment_fresh_id(j);
    spare_path(j, number, to);
    r = j->disk->ops->rename(j->disk, from, to, e);
    if (r == ERR_OK)
        j->spare[j->spares++] = number;
    return r;
}

void segments_recycle(struct journal *j)
{
    struct error e = {0};
    unsigned spares = j->spares;
    enum err r = ERR_OK;
    bool any = false;
    while (r == ERR_OK) {
        struct segment s = {0};
        pthread_mutex_lock(&j->lock);
        bool one = releasable(j) > 0;
        if (one)
            s = j->segments.v[0];
        pthread_mutex_unlock(&j->lock);
        if (!one)
            break;
        r = recycle_one(j, &s, &e);
        if (r != ERR_OK)
            break;
        any = true;
        pthread_mutex_lock(&j->lock);
        j->segments.n--;
        memmove(j->segments.v, j->segments.v + 1, j->segments.n * sizeof(s));
        j->stats.segments = j->segments.n;
        j->stats.recycled++;
        j->refuse = j->segments.n * j->segment_bytes >= 4 * j->bytes_max;
        pthread_mutex_unlock(&j->lock);
    }
    /* A spare may be overwritten only when it can't come back under its old name. */
    if (any && r == ERR_OK)
        r = j->disk->ops->sync_dir(j->disk, j->dir, &e);
    if (r != ERR_OK) {
        j->spares = spares;
        if (!j->recycle_failed)
            LOG_W("journal", "could not recycle a segment: %s", e.text);
    }
    j->recycle_failed = r != ERR_OK;
}
