#include "base/log.h"
#include "store/journal_internal.h"
#include <stdio.h>
#include <string.h>

#define SEGMENT_FILE_MAX (1u << 30)

struct kept_frame {
    struct frame_head head;
    struct bytes body;
};
/* One segment after the other passes through this. */
struct recovery {
    struct journal *j;
    struct error *e;
    uint64_t last; /* highest number so far; 0: none */
    struct frame_unpacker unpacker;
    VEC(struct kept_frame) frames;

    struct segment *s; /* the current one */
    struct segment_head head;
    uint8_t *p;
    size_t n;
    size_t end;      /* behind its last valid frame */
    size_t end_from; /* where that frame starts; 0: there is none */
    unsigned holes;  /* of this segment */
};

static enum err read_segment(struct recovery *v, uint64_t name_seq, size_t max, uint8_t **p,
                             size_t *n)
{
    struct disk *d = v->j->disk;
    char path[JOURNAL_PATH_MAX];
    segment_path(v->j, name_seq, path);
    struct disk_file *file = NULL;
    uint64_t size = 0;
    enum err r = d->ops->open(d, path, DISK_READ, &file, v->e);
    if (r != ERR_OK)
        return r;
    r = d->ops->size(d, file, &size, v->e);
    if (r == ERR_OK && size > SEGMENT_FILE_MAX)
        r = error_set(v->e, ERR_RANGE, "%s is too large to be a journal segment", path);
    if (r == ERR_OK) {
        *n = size < max ? (size_t)size : max;
        *p = *n ? mem_new(v->j->alloc, *n) : NULL;
        if (*n && !*p)
            r = error_set(v->e, ERR_NOMEM, "no memory to read %s", path);
    }
    size_t got = 0;
    if (r == ERR_OK && *n)
        r = d->ops->read_at(d, file, 0, *p, *n, &got, v->e);
    if (r == ERR_OK && got != *n)
        r = error_set(v->e, ERR_IO, "%s is shorter than its size", path);
    d->ops->close(d, file);
    if (r != ERR_OK) {
        mem_free(v->j->alloc, *p, *n);
        *p = NULL;
    }
    return r;
}

static void hole(struct recovery *v, const char *what)
{
    v->holes++;
    v->j->stats.damaged++;
    LOG_E("journal", "journal-%016llx.sj is damaged: %s; records behind number %llu are missing",
          (unsigned long long)v->s->name_seq, what, (unsigned long long)v->last);
}

static bool replay_frame(struct recovery *v, const struct frame_head *h, struct bytes raw)
{
    /* Look at all of it first: consumers see whole frames. */
    struct cursor c = cursor_from(raw.p, raw.n);
    struct journal_record rec;
    uint32_t n = 0;
    while (n <= h->count && record_next(&c, h->wall_ms, &rec))
        n++;
    if (n != h->count || c.failed || cursor_left(&c) > 0)
        return false;
    c = cursor_from(raw.p, raw.n);
    for (n = 0; n < h->count && record_next(&c, h->wall_ms, &rec); n++) {
        rec.seq = h->first_seq + n;
        LIST_EACH_SAFE(&v->j->consumers, it)
        {
            struct journal_consumer *k = CONTAINER_OF(it, struct journal_consumer, link);
            if (rec.seq > k->cursor && k->apply)
                k->apply(k, &rec);
        }
    }
    return true;
}

static enum err take_frame(struct recovery *v, const struct frame_head *h, struct bytes body)
{
    uint64_t expected = v->end_from ? v->last + 1 : v->s->first_seq;
    if (h->first_seq != expected && !(h->flags & FRAME_AFTER_GAP) && v->holes == 0)
        hole(v, "numbers are missing");
    struct bytes raw;
    enum err r = frame_unpack(&v->unpacker, h, body, &raw);
    if (r == ERR_NOMEM)
        return error_set(v->e, r, "no memory to unpack the journal");
    v->end_from = (size_t)(body.p - v->p) - FRAME_HEAD;
    v->end = v->end_from + FRAME_HEAD + body.n;
    if (r != ERR_OK || !replay_frame(v, h, raw)) {
        hole(v, "a frame holds what no journal writes");
        return ERR_OK;
    }
    if (!vec_push(v->j->alloc, &v->frames, (struct kept_frame){*h, body}))
        return error_set(v->e, ERR_NOMEM, "no memory for the journal's frames");
    v->last = h->first_seq + h->count - 1;
    v->s->last_seq = v->last;
    return ERR_OK;
}

/* All valid frames of the segment in v->p, across holes. */
static enum err walk(struct recovery *v)
{
    struct bytes in = {v->p, v->n};
    size_t at = SEGMENT_HEAD < v->n ? SEGMENT_HEAD : v->n;
    v->end = at;
    while (at < v->n) {
        struct frame_head h;
        struct bytes body;
        uint64_t after = v->last >= v->s->first_seq ? v->last : v->s->first_seq - 1;
        size_t found = at;
        if (!frame_find(in, &found, v->s->id, after, &h, &body))
            break;
        if (v->s->id == FRAME_ANY_SEGMENT)
            v->s->id = h.segment;
        if (found != at)
            hole(v, "unreadable bytes between its frames");
        enum err r = take_frame(v, &h, body);
        if (r != ERR_OK)
            return r;
        at = v->end;
    }
    return ERR_OK;
}

/* How much of a frame that was never finished lies behind the end. */
static void count_torn(struct recovery *v)
{
    struct cursor c = cursor_from(v->p + v->end, v->n - v->end);
    uint32_t magic = cursor_u32le(&c);
    (void)cursor_take(&c, 4);
    uint64_t id = cursor_u64le(&c);
    (void)cursor_take(&c, 24);
    uint64_t size = cursor_u32le(&c);
    if (magic != FRAME_MAGIC || id != v->s->id)
        return;
    uint64_t left = v->n - v->end;
    size = FRAME_HEAD + size < left ? FRAME_HEAD + size : left;
    v->j->stats.torn_bytes += size;
    LOG_W("journal",
          "dropped a torn group of %llu bytes behind record %llu: it was not acknowledged",
          (unsigned long long)size, (unsigned long long)v->last);
}

/* ---- repair ---- */

static enum err write_file(struct recovery *v, const char *path, const uint8_t *p, size_t n)
{
    struct disk *d = v->j->disk;
    struct disk_file *file = NULL;
    enum err r = d->ops->open(d, path, DISK_READ | DISK_WRITE | DISK_CREATE, &file, v->e);
    if (r != ERR_OK)
        return r;
    r = d->ops->truncate(d, file, 0, v->e);
    if (r == ERR_OK)
        r = d->ops->write_at(d, file, 0, p, n, v->e);
    if (r == ERR_OK)
        r = d->ops->sync(d, file, v->e);
    d->ops->close(d, file);
    return r;
}

static size_t lay_out(struct recovery *v, uint8_t *out, uint64_t id)
{
    segment_head_encode(out, &(struct segment_head){.id = id,
                                                    .first_seq = v->s->first_seq,
                                                    .size = v->n,
                                                    .before = v->head.before,
                                                    .made_ms = v->head.made_ms,
                                                    .repaired = true});
    size_t at = SEGMENT_HEAD;
    uint64_t expected = v->s->first_seq;
    for (size_t i = 0; i < v->frames.n; i++) {
        struct frame_head h = v->frames.v[i].head;
        struct bytes body = v->frames.v[i].body;
        if (h.first_seq != expected)
            h.flags |= FRAME_AFTER_GAP;
        h.segment = id;
        frame_seal(out + at, &h, body.p);
        memcpy(out + at + FRAME_HEAD, body.p, body.n);
        at += FRAME_HEAD + body.n;
        expected = h.first_seq + h.count;
    }
    return at;
}

/* Keeps the damaged bytes aside and puts a segment of the readable frames in their place, so that
 * the damage is reported once and what was read stays readable. */
static enum err repair(struct recovery *v)
{
    struct journal *j = v->j;
    struct disk *d = j->disk;
    char path[JOURNAL_PATH_MAX];
    char other[JOURNAL_PATH_MAX];
    int64_t now = clock_wall_ms(j->clock);
    (void)snprintf(other, sizeof(other), "%s/journal-%016llx.sj.damaged-%lld", j->dir,
                   (unsigned long long)v->s->name_seq, (long long)now);
    enum err r = write_file(v, other, v->p, v->n);
    if (r != ERR_OK)
        return r;
    LOG_E("journal", "what was damaged is kept in %s", other);
    size_t size = SEGMENT_HEAD;
    for (size_t i = 0; i < v->frames.n; i++)
        size += FRAME_HEAD + v->frames.v[i].body.n;
    uint8_t *out = mem_new(j->alloc, size);
    if (!out)
        return error_set(v->e, ERR_NOMEM, "no memory to repair the journal");
    uint64_t id = segment_fresh_id(j);
    size_t used = lay_out(v, out, id);
    ASSERT(used == size);
    (void)snprintf(other, sizeof(other), "%s/repair-%016llx.tmp", j->dir,
                   (unsigned long long)v->s->name_seq);
    segment_path(j, v->s->name_seq, path);
    r = write_file(v, other, out, size);
    if (r == ERR_OK)
        r = d->ops->rename(d, other, path, v->e);
    if (r == ERR_OK)
        r = d->ops->sync_dir(d, j->dir, v->e);
    mem_free(j->alloc, out, size);
    v->s->id = id;
    return r;
}

/* The last segment is written on. Its last frame, or its head if it has none, may live in the page
 * cache only, and a sync that failed may have marked it clean: write it once more. The same holds
 * for its name in the folder. Behind it zeros replace what is left of a torn frame: the next frame
 * is written over it, and if that is torn too, the two could add up to the old one. */
static enum err reopen_last(struct recovery *v)
{
    struct journal *j = v->j;
    char path[JOURNAL_PATH_MAX];
    segment_path(j, v->s->name_seq, path);
    enum err r = j->disk->ops->open(j->disk, path, DISK_READ | DISK_WRITE, &j->file, v->e);
    if (r != ERR_OK)
        return r;
    size_t used = v->n;
    while (used > v->end && v->p[used - 1] == 0)
        used--;
    memset(v->p + v->end, 0, used - v->end);
    r = j->disk->ops->write_at(j->disk, j->file, v->end_from, v->p + v->end_from,
                               used - v->end_from, v->e);
    if (r == ERR_OK)
        r = j->disk->ops->sync(j->disk, j->file, v->e);
    if (r == ERR_OK)
        r = j->disk->ops->sync_dir(j->disk, j->dir, v->e);
    j->at = v->end;
    return r;
}

static enum err read_head(struct recovery *v, uint64_t name_seq, struct segment_head *h, bool *ok)
{
    uint8_t *p = NULL;
    size_t n = 0;
    enum err r = read_segment(v, name_seq, SEGMENT_HEAD, &p, &n);
    if (r == ERR_OK)
        *ok = segment_head_decode((struct bytes){p, n}, h) && h->first_seq == name_seq;
    mem_free(v->j->alloc, p, n);
    return r;
}

static enum err recover_loaded(struct recovery *v, bool is_last)
{
    struct journal *j = v->j;
    bool head_ok = segment_head_decode((struct bytes){v->p, v->n}, &v->head) &&
                   v->head.first_seq == v->s->name_seq;
    if (head_ok)
        v->s->id = v->head.id;
    else {
        v->head = (struct segment_head){.before = v->last};
        v->s->id = FRAME_ANY_SEGMENT;
        hole(v, "its head is unreadable");
    }
    enum err r = walk(v);
    if (r != ERR_OK)
        return r;
    if (v->s->last_seq == 0)
        v->s->last_seq = v->s->first_seq - 1;
    if (is_last)
        count_torn(v);
    else if (!v->head.repaired) {
        struct segment_head next;
        bool ok = false;
        r = read_head(v, (v->s + 1)->name_seq, &next, &ok);
        if (r != ERR_OK)
            return r;
        if (ok && next.before > v->s->last_seq)
            hole(v, "its end is missing");
    }
    if (v->holes > 0)
        return repair(v);
    if (is_last && v->n == j->segment_bytes)
        return reopen_last(v);
    return ERR_OK;
}

static enum err recover_one(struct recovery *v, size_t i)
{
    struct journal *j = v->j;
    v->s = &j->segments.v[i];
    v->frames.n = 0;
    v->end = v->end_from = 0;
    v->holes = 0;
    enum err r = read_segment(v, v->s->name_seq, SEGMENT_FILE_MAX, &v->p, &v->n);
    if (r == ERR_OK)
        r = recover_loaded(v, i + 1 == j->segments.n);
    mem_free(j->alloc, v->p, v->n);
    v->p = NULL;
    return r;
}

enum err recover_all(struct journal *j, struct error *e)
{
    struct recovery v = {.j = j, .e = e, .unpacker = {.alloc = j->alloc}};
    uint64_t low = UINT64_MAX;
    uint64_t high = 0;
    LIST_EACH(&j->consumers, it)
    {
        const struct journal_consumer *c = CONTAINER_OF(it, struct journal_consumer, link);
        low = c->cursor < low ? c->cursor : low;
        high = c->cursor > high ? c->cursor : high;
    }
    enum err r = ERR_OK;
    for (size_t i = 0; r == ERR_OK && i < j->segments.n; i++) {
        if (i + 1 < j->segments.n && low != UINT64_MAX && j->segments.v[i + 1].name_seq <= low) {
            /* All have passed it. */
            j->segments.v[i].last_seq = v.last = j->segments.v[i + 1].name_seq - 1;
            continue;
        }
        if (j->progress)
            j->progress(j->progress_ctx, i, j->segments.n);
        r = recover_one(&v, i);
    }
    frame_unpacker_fini(&v.unpacker);
    vec_fini(j->alloc, &v.frames);
    if (r != ERR_OK)
        return r;
    if (j->segments.n == 0 && high > 0)
        LOG_E("journal", "%s holds no journal, but the database knows records up to %llu", j->dir,
              (unsigned long long)high);
    uint64_t last = v.last;
    if (j->segments.n && j->segments.v[j->segments.n - 1].last_seq > last)
        last = j->segments.v[j->segments.n - 1].last_seq;
    /* Consumers may have been ahead of the disk; no number is given twice. */
    j->gap = high > last && j->segments.n > 0;
    j->next_seq = (high > last ? high : last) + 1;
    atomic_store(&j->last, j->next_seq - 1);
    atomic_store(&j->committed, j->next_seq - 1);
    j->stats.segments = j->segments.n;
    return ERR_OK;
}
