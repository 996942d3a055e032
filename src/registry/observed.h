/* observed: what has been seen of the values in one topic's messages: where they are in the
 * payload, of which kind, between which bounds, which words, and the last of them with their times.
 *
 * Why: who wants to know what a strange device says looks at more than one message; what is
 * proposed for it (adopt/) rests on nothing else.
 * A field is a path (registry/path.h); "" is a bare payload. A number in quotes counts as a number.
 * Ownership: a zeroed struct is empty; fields are its own until observed_fini(). Memory comes from
 * the allocator that is handed to each call, the same one always.
 * Bounds: the constants below. A value for which there is no room is counted in `left_out`, never
 * an error; documents above OBSERVED_PAYLOAD_MAX are not looked into. Threads: none. */
#pragma once

#include "base/cursor.h"
#include "base/str.h"

enum {
    OBSERVED_FIELDS_MAX = 32,
    OBSERVED_VALUES_MAX = 32, /* of a field, the last ones */
    OBSERVED_WORDS_MAX = 8,
    OBSERVED_WORD_BYTES = 64,
    OBSERVED_PATH_BYTES = 120,
    OBSERVED_PAYLOAD_MAX = 16 << 10,
};

enum observed_kind { OBSERVED_NULL, OBSERVED_BOOL, OBSERVED_NUMBER, OBSERVED_TEXT };
enum { OBSERVED_KINDS = OBSERVED_TEXT + 1 };

struct observed_value {
    int64_t ts_ms;
    double number; /* BOOL: 0 or 1 */
    enum observed_kind kind;
    int word; /* TEXT: index of the word; -1: there was no room for it */
};

/* The different texts of a field, in the order in which they came. */
struct observed_words {
    size_t n;
    bool more; /* there have been others, or longer ones */
    uint8_t length[OBSERVED_WORDS_MAX];
    char text[OBSERVED_WORDS_MAX][OBSERVED_WORD_BYTES];
    size_t last_n; /* the last text, cut */
    char last[OBSERVED_WORD_BYTES];
};

struct observed_field {
    size_t path_n;
    char path[OBSERVED_PATH_BYTES];
    uint64_t count;               /* messages that had it */
    uint64_t of[OBSERVED_KINDS];  /* how many of them as what */
    uint64_t whole, quoted;       /* of the numbers: without a fraction; in quotes */
    double min, max;              /* of the numbers; min > max: there was none */
    struct observed_words *words; /* NULL: no text yet */
    size_t value_n, value_at;     /* value_at: where the next one goes */
    struct observed_value values[OBSERVED_VALUES_MAX];
};

struct observed {
    size_t n;
    struct observed_field *fields[OBSERVED_FIELDS_MAX]; /* in the order in which they came */
    size_t left_out; /* values of the last message that have no field */
};

/* `path`: scratch of the caller's, which keeps its memory. */
void observed_json(struct observed *o, struct alloc *a, struct strbuf *path, struct bytes document,
                   int64_t ts_ms);
void observed_bare(struct observed *o, struct alloc *a, struct str payload, int64_t ts_ms);
void observed_fini(struct observed *o, struct alloc *a);

/* `i` from 0, the oldest that is kept, to value_n - 1. */
const struct observed_value *observed_at(const struct observed_field *f, size_t i);
static inline struct str observed_path(const struct observed_field *f)
{
    return (struct str){f->path, f->path_n};
}
static inline struct str observed_word(const struct observed_field *f, size_t i)
{
    return (struct str){f->words->text[i], f->words->length[i]};
}
