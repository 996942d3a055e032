#include "store/inspect.h"
#include "store/journal_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEGMENT_FILE_MAX (1u << 30)
#define SEGMENTS_MAX     65536u
#define TRIES            3

struct look {
    struct disk *disk;
    struct alloc *alloc;
    const char *dir;
    struct journal_seen *out;
    struct error *e;
    VEC(uint64_t) names;
    bool no_memory;
    uint8_t *p; /* the segment that is looked at */
    size_t n;
    uint64_t before; /* last number of the segments so far; 0: none */
    bool repaired;   /* the last of them was: what is missing at its end is known */
};

static void found(void *ctx, const char *name)
{
    struct look *l = ctx;
    uint64_t seq;
    if (segment_name(name, &seq) &&
        (l->names.n >= SEGMENTS_MAX || !vec_push(l->alloc, &l->names, seq)))
        l->no_memory = true;
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void damaged(struct look *l, struct segment_seen *s, const char *what)
{
    l->out->holes++;
    s->holes++;
    if (!l->out->damage[0])
        (void)snprintf(l->out->damage, sizeof(l->out->damage), "journal-%016llx.sj: %s",
                       (unsigned long long)s->name_seq, what);
}

static enum err read_whole(struct look *l, uint64_t name, struct error *e)
{
    char path[JOURNAL_PATH_MAX];
    struct disk_file *file;
    uint64_t size = 0;
    size_t got = 0;
    (void)snprintf(path, sizeof(path), "%s/journal-%016llx.sj", l->dir, (unsigned long long)name);
    enum err err = l->disk->ops->open(l->disk, path, DISK_READ, &file, e);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_AGAIN : err; /* it was there a moment ago */
    err = l->disk->ops->size(l->disk, file, &size, e);
    if (!err && size > SEGMENT_FILE_MAX)
        err = error_set(e, ERR_RANGE, "%s is too large to be a journal segment", path);
    l->n = err ? 0 : (size_t)size;
    l->p = l->n ? mem_new(l->alloc, l->n) : NULL;
    if (l->n && !l->p)
        err = error_set(e, ERR_NOMEM, "no memory to read %s", path);
    if (!err && l->n)
        err = l->disk->ops->read_at(l->disk, file, 0, l->p, l->n, &got, e);
    if (!err && got != l->n)
        err = error_set(e, ERR_IO, "%s is shorter than its size", path);
    l->disk->ops->close(l->disk, file);
    return err;
}

/* The frames, across holes. `whole` ends before the first of those. */
static void walk(struct look *l, struct segment_seen *s, uint64_t id)
{
    const struct bytes in = {l->p, l->n};
    size_t at = SEGMENT_HEAD < l->n ? SEGMENT_HEAD : l->n;
    uint64_t expected = s->first_seq, after = s->first_seq - 1;
    struct frame_head h;
    struct bytes body;
    s->whole = (struct bytes){l->p, at};
    for (size_t hit = at; at < l->n && frame_find(in, &hit, id, after, &h, &body); hit = at) {
        if (hit != at)
            damaged(l, s, "unreadable bytes between its frames");
        else if (h.first_seq != expected && !(h.flags & FRAME_AFTER_GAP))
            damaged(l, s, "numbers are missing");
        at = hit + FRAME_HEAD + body.n;
        after = s->last_seq = h.first_seq + h.count - 1;
        expected = after + 1;
        l->out->frames++;
        if (!l->out->first_seq)
            l->out->first_seq = h.first_seq;
        if (!s->holes)
            s->whole.n = at;
    }
    s->id = id;
    l->out->torn_bytes = 0; /* of the last one; in those before it is missing at the next head */
    for (size_t end = l->n; end > at; end--)
        if (l->p[end - 1]) {
            l->out->torn_bytes = end - at;
            break;
        }
}

static void look_at(struct look *l, struct segment_seen *s)
{
    struct segment_head head;
    bool ok =
        segment_head_decode((struct bytes){l->p, l->n}, &head) && head.first_seq == s->name_seq;
    s->first_seq = s->name_seq;
    s->file_bytes = l->n;
    if (!ok)
        damaged(l, s, "its head is unreadable");
    else if (head.before > l->before && l->out->segments > 0 && !l->repaired)
        damaged(l, s, "the end of the segment before it is missing");
    walk(l, s, ok ? head.id : FRAME_ANY_SEGMENT);
    l->repaired = ok && head.repaired;
    l->out->segments++;
    l->out->file_bytes += l->n;
    l->before = s->last_seq ? s->last_seq : s->first_seq - 1;
    if (s->last_seq)
        l->out->last_seq = s->last_seq;
}

/* Of a segment that is written on, the beginning of a frame may have been read before it was there,
 * and its end after that. What was torn only for us is whole the next time. */
static enum err look_once_more(struct look *l, struct segment_seen *s, bool last)
{
    const struct journal_seen so_far = *l->out;
    const uint64_t before = l->before;
    const bool repaired = l->repaired;
    enum err err = ERR_OK;
    for (int tries = 0; tries < TRIES; tries++) {
        mem_free(l->alloc, l->p, l->n);
        l->p = NULL;
        *l->out = so_far;
        l->before = before;
        l->repaired = repaired;
        *s = (struct segment_seen){.name_seq = s->name_seq};
        err = read_whole(l, s->name_seq, l->e);
        if (err)
            return err;
        look_at(l, s);
        if (!last || !s->holes)
            break;
    }
    return ERR_OK;
}

static enum err look_all(struct look *l,
                         enum err (*each)(void *ctx, const struct segment_seen *s, struct error *e),
                         void *ctx)
{
    enum err err = ERR_OK;
    for (size_t i = 0; !err && i < l->names.n; i++) {
        struct segment_seen s = {.name_seq = l->names.v[i]};
        err = look_once_more(l, &s, i + 1 == l->names.n);
        if (!err && each)
            err = each(ctx, &s, l->e);
        mem_free(l->alloc, l->p, l->n);
        l->p = NULL;
    }
    return err;
}

enum err journal_inspect(struct disk *disk, struct alloc *alloc, const char *dir,
                         enum err (*each)(void *ctx, const struct segment_seen *s, struct error *e),
                         void *ctx, struct journal_seen *out, struct error *e)
{
    struct look l = {.disk = disk, .alloc = alloc, .dir = dir, .out = out, .e = e};
    *out = (struct journal_seen){0};
    if (strlen(dir) > JOURNAL_DIR_MAX)
        return error_set(e, ERR_RANGE, "the path of the journal is too long");
    enum err err = disk->ops->list(disk, dir, found, &l, e);
    if (!err && l.no_memory)
        err = error_set(e, ERR_NOMEM, "no memory to list the journal's files");
    if (l.names.n > 1)
        qsort(l.names.v, l.names.n, sizeof(uint64_t), by_number);
    if (!err)
        err = look_all(&l, each, ctx);
    vec_fini(alloc, &l.names);
    return err;
}

static void oldest(void *ctx, const char *name)
{
    uint64_t *out = ctx, seq;
    if (segment_name(name, &seq) && (!*out || seq < *out))
        *out = seq;
}

enum err journal_oldest(struct disk *disk, const char *dir, uint64_t *out, struct error *e)
{
    *out = 0;
    return disk->ops->list(disk, dir, oldest, out, e);
}
