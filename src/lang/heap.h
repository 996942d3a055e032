/* heap: the memory of one program, and the collector that finds what it no longer needs.
 *
 * The invariant. While the collector marks (heap.marking), objects have three colours: white, not
 * seen; grey, seen but not yet looked into; black, looked into. Every object that was reachable
 * when the cycle began, its snapshot, is black, grey, or reachable from a grey object or an
 * unscanned stack through white objects only. So when there is nothing grey and all stacks are
 * scanned, what is white was garbage at the snapshot. Who keeps it so:
 *  - heap_store(): before a reference in an object is overwritten, what it pointed to becomes grey;
 *  - new objects are black;
 *  - the roots and the stack of what runs are scanned when the cycle begins, a saved stack before
 *    it runs again. Registers therefore need no barrier.
 * Colours are two and change their meaning at each cycle: `colour` is that of what is live, and of
 * what is new, at all times; an object of the other one is white. Grey is black and in the marker's
 * list. Outside of a cycle nothing is white.
 *
 * Sources: Dijkstra, Lamport, Martin, Scholten and Steffens, "On-the-fly garbage collection: an
 * exercise in cooperation", 1978 (three colours); Yuasa, "Real-time garbage collection on
 * general-purpose machines", 1990 (the snapshot barrier); the header that begins with its invariant
 * is Lua's lgc.h.
 *
 * Why: a program may not stop for as long as its data is large. A step of the collector comes with
 * an allocation and does a bounded piece of work: it never looks at more than HEAP_SLICE slots of
 * an object at once, sweeps block by block, and no object of ours is moved or copied when it grows.
 *
 * Memory: objects of up to HEAP_SMALL_MAX bytes are cells of size classes in blocks, of 4 KB while
 * the class is small and of 64 KB then; larger ones are their own. Empty blocks go back to the
 * worker's struct heap_blocks, which keeps a bounded number for its other heaps. `limit` bounds
 * blocks and large objects; the marker's own list has a limit in proportion to it and does without
 * more when it is full.
 *
 * What the user must do:
 *  - At each allocation everything that is still needed is reachable from the roots: the callbacks
 *    of heap_set_roots(), or heap_push_root(). A function of ours that allocates keeps its own
 *    arguments alive.
 *  - References go into objects by heap_store(), unless the object is new and nothing was allocated
 *    since. Anything else may be written directly, after heap_touch() for the undo log.
 *
 * Undo: `epoch` counts turns. An object whose epoch is another one is older than this turn, and
 * heap_touch() gives each of its words to the log before it changes, so that a turn that fails can
 * be taken back: heap_restore() in the reverse order. What the log holds, its objects and the
 * references among its old words, is a root.
 *
 * Immortal objects, the text constants of compiled programs, live outside of heaps and are shared
 * by threads: they count as marked in both colours, so nothing here ever writes to them.
 *
 * Threads: none; a heap belongs to one worker at a time, with its `blocks`.
 * Errors: NULL (false) when the limit or the allocator refuses, after a complete collection.
 * Nothing is changed then. */
#pragma once

#include "base/alloc.h"
#include "base/poison.h"
#include "base/stats.h"
#include "lang/types.h"

/* With SEDGE_GC_STRESS, a complete collection at every allocation; freed memory is overwritten. */
#ifdef SEDGE_GC_STRESS
enum { HEAP_STRESS = 1 };
#else
enum { HEAP_STRESS = 0 };
#endif

enum obj_kind {
    OBJ_FREE, /* a cell without object */
    OBJ_TEXT, /* text.h */
    OBJ_RECORD,
    OBJ_NODE, /* slots.h: the parts of lists and maps */
    OBJ_LIST, /* list.h */
    OBJ_DICT, /* dict.h */
    OBJ_CHAN, /* chan.h */
};
/* Flags. */
enum {
    OBJ_COLOURS = 1 | 2,
    OBJ_IMMORTAL = OBJ_COLOURS,
    OBJ_GREY = 4,     /* black, not looked into, and not in the marker's list: that was full */
    OBJ_LARGE = 8,    /* not in a block */
    OBJ_SAFE = 16,    /* heap_check(): white, and will be found */
    OBJ_REACHED = 32, /* heap_check() */
};

struct obj {
    uint8_t kind;
    uint8_t flags;
    uint16_t layout; /* RECORD: number of its layout; else the kind's own */
    uint32_t epoch;
};
_Static_assert(sizeof(struct obj) == 8, "one word");

struct record {
    struct obj hdr;
    union lang_slot slot[];
};
/* What a record looks like: its slots, at most 64, and which of them are references. */
struct heap_layout {
    uint16_t slots;
    uint64_t refs;
};

struct heap_cell {
    struct obj hdr;
    struct heap_cell *next;
};
struct heap_block;
struct heap_large;
struct heap_grey;
struct heap;

/* The blocks that no heap of a worker needs now; bounded. */
struct heap_blocks {
    struct alloc *alloc;
    struct heap_block *small, *big;
    size_t bytes, max;
};
void heap_blocks_init(struct heap_blocks *b, struct alloc *a, size_t bytes_max);
void heap_blocks_fini(struct heap_blocks *b);

enum {
    HEAP_CLASSES = 28,
    HEAP_SMALL_MAX = 2016,
    HEAP_SLICE = 128,
    HEAP_ROOTS_MAX = 32,
    HEAP_AHEAD = 16, /* objects that the marker has asked the memory for */
};

struct heap_class {
    struct heap_block *done;    /* swept in this cycle */
    struct heap_block *unswept; /* not yet */
    struct heap_block *partial; /* of `done`: those with room */
    size_t bytes;
};

struct heap_roots {
    void *ctx;
    /* heap_mark()s the variables, the undo log and the stack of what runs; at the start of a cycle.
     */
    void (*roots)(void *ctx, struct heap *h);
    /* Goes on with the stacks of what is suspended, taking the slots that it looks at off *budget;
     * true when all of them are scanned in this cycle (heap.cycle). NULL: there are none. */
    bool (*more)(void *ctx, struct heap *h, size_t *budget);
    /* For heap_check(): all of both, scanned or not (NULL: `roots` are all), and of the stacks
     * those that are not scanned in this cycle (NULL: it is content with less). */
    void (*all)(void *ctx, struct heap *h);
    void (*unscanned)(void *ctx, struct heap *h);
};

/* Keeps 8 bytes of an object that is older than this turn; `ref`: they are a reference. False: it
 * is full, and what was to be changed stays as it is. */
typedef bool heap_log_fn(void *ctx, struct obj *o, void *word, bool ref);

struct heap_stats {
    size_t bytes; /* blocks and large objects: what it holds now */
    size_t bytes_peak;
    size_t live; /* bytes of objects that were reachable in the last complete cycle */
    uint64_t cycles, steps;
    uint64_t forced;  /* cycles that the limit made end at once: their pauses are long */
    uint64_t refused; /* allocations */
    uint64_t pause_ns, pause_max_ns; /* of steps, if there is a clock */
};

struct heap_config {
    struct heap_blocks *blocks;
    size_t limit; /* bytes */
    const struct heap_layout *layouts;
    size_t layouts_n;
    uint64_t seed; /* of hashes; the same for all heaps that share immortal texts */
    int64_t (*clock_ns)(void *ctx); /* NULL: pauses are not measured */
    void *clock_ctx;
    struct histogram *pauses; /* NULL, or gets each of them in ns */
};

enum heap_phase { HEAP_IDLE, HEAP_MARK, HEAP_SWEEP };

struct heap {
    uint8_t colour; /* of what is live and what is new: 1 or 2 */
    bool marking;
    uint8_t phase; /* enum heap_phase */
    uint32_t epoch;
    uint32_t cycle; /* number of the cycle that runs or ran last */
    struct heap_cell *free[HEAP_CLASSES];

    heap_log_fn *log;
    void *log_ctx;
    struct heap_config config;
    struct heap_roots roots;
    struct heap_class classes[HEAP_CLASSES];
    struct heap_large *large, *large_unswept;
    struct heap_stats stats;

    /* The marker. */
    struct heap_grey *grey; /* its list */
    size_t grey_parts, grey_n;
    struct obj *scan; /* an object that is looked into in slices, and how far */
    size_t scan_at;
    bool stacks_done;
    bool overflow; /* some have OBJ_GREY */
    bool rescan;   /* those are looked for: here */
    unsigned rescan_class;
    struct heap_block *rescan_block;
    size_t rescan_cell;
    struct obj *ahead[HEAP_AHEAD]; /* a ring; NULL: free */
    unsigned ahead_at;
    size_t cost;                                             /* of this step */
    void (*visit)(struct heap *h, struct obj *o, void *ctx); /* heap_check(): instead of marking */
    void *visit_ctx;

    /* The pace, in bytes. */
    size_t used;     /* of objects, as far as is known: what was given out and not swept since */
    size_t made;     /* of them, in this cycle */
    size_t marked;   /* of them, seen in this cycle */
    size_t start_at; /* the next cycle begins at this use */
    size_t end_at;   /* it should end its marking by this */
    size_t from;     /* use when it began */

    struct obj *pushed[HEAP_ROOTS_MAX];
    unsigned pushed_n;
};

/* Takes no memory. The heap must not move: nothing points to it, but blocks do to each other. */
void heap_init(struct heap *h, const struct heap_config *config);
void heap_fini(struct heap *h);
void heap_set_roots(struct heap *h, const struct heap_roots *roots);
/* NULL: there is no undo. */
void heap_set_log(struct heap *h, heap_log_fn *log, void *ctx);
/* It goes on at another worker; both caches have the same allocator. */
void heap_attach(struct heap *h, struct heap_blocks *blocks);
void heap_epoch_wrap(struct heap *h);
/* A turn begins: all objects are now older. True: the count of turns began anew, and what others
 * keep of it is void. */
static inline bool heap_turn(struct heap *h)
{
    if (__builtin_expect(++h->epoch != 0, 1))
        return false;
    heap_epoch_wrap(h);
    return true;
}
/* Nothing is reachable: all memory goes back, without marking. */
void heap_reset(struct heap *h);
/* All that is garbage now is gone after this. As long as it takes. */
void heap_collect(struct heap *h);

extern const uint8_t heap_class_of[HEAP_SMALL_MAX / 8 + 1];
extern const uint16_t heap_cell_bytes[HEAP_CLASSES];
struct obj *heap_new_slow(struct heap *h, enum obj_kind kind, unsigned layout, size_t bytes);

static inline struct obj obj_header(const struct heap *h, enum obj_kind kind, unsigned layout,
                                    unsigned flags)
{
    return (struct obj){.kind = (uint8_t)kind,
                        .flags = (uint8_t)(h->colour | flags),
                        .layout = (uint16_t)layout,
                        .epoch = h->epoch};
}
/* Zeroes the words behind the header of a small object. */
static inline void obj_zero(struct obj *o, size_t bytes)
{
    uint64_t *word = (uint64_t *)(void *)(o + 1);
    uint64_t *end = (uint64_t *)(void *)((char *)o + ((bytes + 7) & ~(size_t)7));
    while (word < end) {
        *word++ = 0;
        __asm__("" : "+r"(word)); /* a few words: not worth the call of memset() */
    }
}

/* An object of `bytes` bytes with its header, zero behind that. NULL: see above. */
static inline struct obj *heap_new(struct heap *h, enum obj_kind kind, unsigned layout,
                                   size_t bytes)
{
    if (HEAP_STRESS || __builtin_expect(bytes > HEAP_SMALL_MAX, 0))
        return heap_new_slow(h, kind, layout, bytes);
    unsigned c = heap_class_of[(bytes + 7) / 8];
    struct heap_cell *cell = h->free[c];
    if (__builtin_expect(!cell, 0))
        return heap_new_slow(h, kind, layout, bytes);
    h->free[c] = cell->next;
    memory_unpoison(cell, heap_cell_bytes[c]);
    cell->hdr = obj_header(h, kind, layout, 0);
    obj_zero(&cell->hdr, bytes);
    return &cell->hdr;
}
static inline struct record *heap_new_record(struct heap *h, unsigned layout)
{
    size_t slots = h->config.layouts[layout].slots;
    return (struct record *)(void *)heap_new(h, OBJ_RECORD, layout, 8 + 8 * slots);
}

/* Makes grey what is white. For the callbacks, and for a saved stack that is to run. NULL and
 * immortal objects are fine. */
void heap_mark(struct heap *h, struct obj *o);

/* Overwrites a reference in an object. */
static inline void heap_store(struct heap *h, union lang_slot *slot, struct obj *value)
{
    if (__builtin_expect(h->marking, 0))
        heap_mark(h, slot->o);
    slot->o = value;
}
/* Before any word of an object is changed (but for what has just been made); false: see
 * heap_log_fn. */
MUST_USE static inline bool heap_touch(struct heap *h, struct obj *o, void *word, bool ref)
{
    if (__builtin_expect(o->epoch == h->epoch, 1) || !h->log)
        return true;
    return h->log(h->log_ctx, o, word, ref);
}
/* Both. */
MUST_USE static inline bool heap_put(struct heap *h, struct obj *o, union lang_slot *slot,
                                     struct obj *value)
{
    if (!heap_touch(h, o, slot, true))
        return false;
    heap_store(h, slot, value);
    return true;
}
/* Takes a logged change back. */
static inline void heap_restore(struct heap *h, union lang_slot *word, union lang_slot old,
                                bool ref)
{
    if (ref)
        heap_store(h, word, old.o);
    else
        *word = old;
}

/* A root that C code needs for a while. A stack: what was pushed last is popped first. */
static inline void heap_push_root(struct heap *h, struct obj *o)
{
    ASSERT(h->pushed_n < HEAP_ROOTS_MAX);
    h->pushed[h->pushed_n++] = o;
}
static inline void heap_pop_root(struct heap *h, unsigned n)
{
    ASSERT(h->pushed_n >= n);
    h->pushed_n -= n;
}

/* For tests: ASSERTs the invariant, that every object and block is sound, and that the counts add
 * up. Slow, and it allocates (from the system). */
void heap_check(struct heap *h);
/* Bytes that an object takes, with its header. */
size_t heap_obj_bytes(const struct heap *h, const struct obj *o);
