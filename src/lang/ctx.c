/* Memory, places in sources, and suggestions. */
#include "lang/ctx_internal.h"

#include "base/poison.h"

#include <string.h>

enum { BLOCK_MIN = 32 };

static void *kept_resize(struct alloc *a, void *p, size_t old_size, size_t new_size)
{
    if (new_size <= old_size)
        return new_size ? p : NULL;
    void *fresh = arena_new(CONTAINER_OF(a, struct lang_ctx, alloc)->arena, new_size);
    if (fresh && old_size > 0)
        memcpy(fresh, p, old_size);
    return fresh;
}

/* Four sizes for each power of two: the classes of blocks of at least BLOCK_MIN bytes. */
static unsigned block_class(size_t size, size_t *bytes)
{
    size_t last = (size < BLOCK_MIN ? BLOCK_MIN : size) - 1;
    unsigned power = 63 - (unsigned)__builtin_clzll(last), quarter = power - 2;
    *bytes = ((last >> quarter) + 1) << quarter;
    return 4 * power + (unsigned)(last >> quarter) % 4;
}

static void *block_take(struct lang_ctx *c, size_t size)
{
    size_t bytes;
    struct ctx_block **from = &c->free_blocks[block_class(size, &bytes)], *b = *from;
    if (!b)
        return arena_new(c->tree, bytes);
    memory_unpoison(b, bytes);
    *from = b->next;
    return b;
}

static void block_give(struct lang_ctx *c, void *p, size_t size)
{
    size_t bytes;
    struct ctx_block *b = p, **to = &c->free_blocks[block_class(size, &bytes)];
    b->next = *to;
    *to = b;
    memory_poison(b, bytes);
}

/* What vecs of the tree grow out of is for others that grow. */
static void *tree_resize(struct alloc *a, void *p, size_t old_size, size_t new_size)
{
    struct lang_ctx *c = CONTAINER_OF(a, struct lang_ctx, tree_alloc);
    void *fresh = NULL;
    if (new_size > 0 && new_size <= old_size)
        return p;
    if (new_size > 0) {
        fresh = block_take(c, new_size);
        if (!fresh)
            return NULL;
    }
    if (p && old_size > 0) {
        if (fresh)
            memcpy(fresh, p, old_size);
        block_give(c, p, old_size);
    }
    return fresh;
}

void ctx_init(struct lang_ctx *c, struct arena *arena, struct arena *tree,
              const struct lang_schema *schema)
{
    c->alloc.resize = kept_resize;
    c->tree_alloc.resize = tree_resize;
    c->arena = arena;
    c->tree = tree;
    c->schema = schema;
}

struct lang_ctx *ctx_alone_init(struct ctx_alone *a, const struct lang_schema *schema,
                                const struct lang_source *source)
{
    *a = (struct ctx_alone){0};
    arena_init(&a->arena, alloc_system(), (size_t)1 << 30);
    arena_init(&a->tree, alloc_system(), (size_t)1 << 30);
    ctx_init(&a->ctx, &a->arena, &a->tree, schema);
    a->ctx.sources = source;
    a->ctx.sources_n = 1;
    return &a->ctx;
}

void ctx_alone_fini(struct ctx_alone *a)
{
    arena_fini(&a->arena);
    arena_fini(&a->tree);
}

void ctx_nomem(struct lang_ctx *c)
{
    longjmp(c->nomem, 1);
}

void *ctx_new(struct lang_ctx *c, size_t size)
{
    void *p = arena_new(c->arena, size ? size : 1);
    if (!p)
        ctx_nomem(c);
    return p;
}

void *ctx_array(struct lang_ctx *c, size_t count, size_t size)
{
    void *p = arena_array(c->arena, count ? count : 1, size);
    if (!p)
        ctx_nomem(c);
    return p;
}

void *ctx_tree_new(struct lang_ctx *c, size_t size)
{
    void *p = arena_new(c->tree, size);
    if (!p)
        ctx_nomem(c);
    return p;
}

void *ctx_tree_array(struct lang_ctx *c, size_t count, size_t size)
{
    void *p = arena_array(c->tree, count ? count : 1, size);
    if (!p)
        ctx_nomem(c);
    return p;
}

void *ctx_copy(struct lang_ctx *c, const void *p, size_t size)
{
    return size > 0 ? memcpy(ctx_new(c, size), p, size) : NULL;
}

struct str ctx_str(struct lang_ctx *c, struct str s)
{
    struct str copy = arena_str(c->arena, s);
    if (!copy.p)
        ctx_nomem(c);
    return copy;
}

struct str ctx_strf(struct lang_ctx *c, const char *fmt, ...)
{
    struct strbuf b;
    strbuf_init(&b, &c->tree_alloc, 0); /* what it grew through is not kept */
    va_list ap;
    va_start(ap, fmt);
    strbuf_vaddf(&b, fmt, ap);
    va_end(ap);
    if (b.failed)
        ctx_nomem(c);
    return ctx_str(c, strbuf_str(&b));
}

struct str ctx_text(const struct lang_ctx *c, struct lang_span s)
{
    return str_sub(c->sources[s.source].text, s.from, s.to - s.from);
}

struct lang_span span_join(struct lang_span a, struct lang_span b)
{
    ASSERT(a.source == b.source);
    return (struct lang_span){a.source, a.from < b.from ? a.from : b.from,
                              a.to > b.to ? a.to : b.to};
}

void ctx_index_lines(struct lang_ctx *c)
{
    c->line_starts = ctx_array(c, c->sources_n, sizeof(*c->line_starts));
    c->lines_n = ctx_array(c, c->sources_n, sizeof(*c->lines_n));
    for (size_t i = 0; i < c->sources_n; i++) {
        struct str t = c->sources[i].text;
        uint32_t n = 1;
        for (size_t k = 0; k < t.n; k++)
            n += t.p[k] == '\n';
        uint32_t *starts = ctx_array(c, n, sizeof(*starts));
        uint32_t line = 1;
        for (size_t k = 0; k < t.n; k++)
            if (t.p[k] == '\n')
                starts[line++] = (uint32_t)k + 1;
        c->line_starts[i] = starts;
        c->lines_n[i] = n;
    }
}

void ctx_place(const struct lang_ctx *c, uint32_t source, uint32_t at, uint32_t *line,
               uint32_t *column)
{
    const uint32_t *starts = c->line_starts[source];
    uint32_t lo = 0, hi = c->lines_n[source];
    while (hi - lo > 1) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (starts[mid] <= at)
            lo = mid;
        else
            hi = mid;
    }
    struct str before = str_sub(c->sources[source].text, starts[lo], at - starts[lo]);
    uint32_t chars = 0;
    for (size_t i = 0; i < before.n; chars++)
        (void)utf8_next(before, &i);
    *line = lo + 1;
    *column = chars + 1;
}

uint32_t ctx_line(const struct lang_ctx *c, struct lang_span s)
{
    uint32_t line, column;
    ctx_place(c, s.source, s.from, &line, &column);
    return line;
}

/* Damerau–Levenshtein, restricted; names above 48 bytes are not looked at. */
#define SUGGEST_MAX 48u

static uint32_t min3(uint32_t a, uint32_t b, uint32_t c)
{
    uint32_t m = a < b ? a : b;
    return m < c ? m : c;
}

static uint32_t distance(struct str a, struct str b)
{
    uint32_t row[3][SUGGEST_MAX + 1];
    for (uint32_t j = 0; j <= b.n; j++)
        row[0][j] = j;
    for (uint32_t i = 1; i <= a.n; i++) {
        uint32_t *now = row[i % 3], *prev = row[(i + 2) % 3], *prev2 = row[(i + 1) % 3];
        now[0] = i;
        for (uint32_t j = 1; j <= b.n; j++) {
            uint32_t cost = a.p[i - 1] == b.p[j - 1] ? 0 : 1;
            now[j] = min3(now[j - 1] + 1, prev[j] + 1, prev[j - 1] + cost);
            if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1] &&
                prev2[j - 2] + 1 < now[j])
                now[j] = prev2[j - 2] + 1;
        }
    }
    return row[a.n % 3][b.n];
}

struct suggest suggest_for(const struct lang_ctx *c, struct str wanted)
{
    if (c->errors > LANG_DIAGS_MAX) /* nobody sees it: don't search */
        wanted = STR("");
    return (struct suggest){.wanted = wanted, .distance = UINT32_MAX};
}

void suggest_offer(struct suggest *s, struct str name)
{
    if (s->wanted.n > SUGGEST_MAX || name.n > SUGGEST_MAX || name.n == 0 || s->wanted.n == 0)
        return;
    /* "press1" for "plant.press1" */
    bool tail = name.n > s->wanted.n && str_ends(name, s->wanted) &&
                name.p[name.n - s->wanted.n - 1] == '.';
    size_t differ = name.n > s->wanted.n ? name.n - s->wanted.n : s->wanted.n - name.n;
    if (!tail && differ > 1 + s->wanted.n / 4)
        return;
    uint32_t d = tail ? 1 : distance(s->wanted, name);
    if (d < s->distance) {
        s->distance = d;
        s->best = name;
    }
}

bool suggest_found(const struct suggest *s)
{
    size_t shorter = s->wanted.n < s->best.n ? s->wanted.n : s->best.n;
    return s->best.n > 0 && s->distance > 0 && s->distance <= 1 + shorter / 4 &&
           s->distance < shorter;
}
