/* str: a borrowed slice of text or bytes, and a growing buffer that owns its own.
 *
 * Ownership: struct str borrows; whoever made it says how long it lives. struct strbuf owns its
 * memory until strbuf_fini(). Neither needs a NUL; strbuf keeps one behind its end all the same.
 * Threads: none.
 * Errors: a strbuf that could not grow (allocator or limit) sets `failed` and ignores further
 * additions; look at it once at the end. */
#pragma once

#include "base/alloc.h"

struct str {
    const char *p;
    size_t n;
};
#define STR(literal) ((struct str){"" literal, sizeof(literal) - 1})
#define STR_FMT(s)   (int)(s).n, (s).p /* for "%.*s" */

struct str str_from(const char *c); /* NULL gives an empty str */
bool str_eq(struct str a, struct str b);
char str_lower(char c);                    /* of ASCII letters, in every locale */
bool str_same(struct str a, struct str b); /* equal but for the case of ASCII letters */
int str_cmp(struct str a, struct str b);   /* bytewise */
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
bool str_find(struct str s, char c, size_t *at);
struct str str_sub(struct str s, size_t from, size_t n); /* clipped */
struct str str_trim(struct str s);                       /* ASCII white space */
/* Takes the part before the next `sep` off *rest; false when *rest was used up (p == NULL). */
bool str_split(struct str *rest, char sep, struct str *part);
/* A NUL-terminated copy; NULL without memory. Free with mem_free(a, p, s.n + 1). */
char *str_dup(struct alloc *a, struct str s);

/* The value of a hexadecimal digit in either case; -1 if it is none. */
int str_hex_digit(int c);

/* Whole-string numbers; no leading or trailing rest. ERR_SYNTAX or ERR_RANGE. */
MUST_USE enum err str_to_i64(struct str s, int64_t *out);
/* False: it is none from `min` to `max`, and *out is as it was. */
MUST_USE bool str_to_i64_within(struct str s, int64_t min, int64_t max, int64_t *out);
MUST_USE enum err str_to_double(struct str s,
                                double *out); /* decimal notation, correctly rounded */

struct strbuf {
    char *p; /* NUL behind the end; "" while empty */
    size_t n, cap, max;
    struct alloc *alloc;
    bool failed;
};
void strbuf_init(struct strbuf *b, struct alloc *a, size_t max); /* max 0: 1 GiB */
void strbuf_fini(struct strbuf *b);
void strbuf_reset(struct strbuf *b); /* empty, keeps its memory and clears `failed` */
void strbuf_add(struct strbuf *b, const void *p, size_t n);
void strbuf_addc(struct strbuf *b, char c);
void strbuf_adds(struct strbuf *b, const char *c);
void strbuf_addstr(struct strbuf *b, struct str s);
void strbuf_addf(struct strbuf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void strbuf_vaddf(struct strbuf *b, const char *fmt, va_list ap);
void strbuf_add_i64(struct strbuf *b, int64_t v);
/* The shortest decimal text that reads back to the same double. NaN and infinities as null. */
void strbuf_add_double(struct strbuf *b, double v);
/* A JSON string with its quotes; bytes that are not UTF-8 become U+FFFD. */
void strbuf_add_json(struct strbuf *b, struct str s);
struct str strbuf_str(const struct strbuf *b);
