/* Answers that are compressed before they are sent (RFC 1952; RFC 9110, 8.4 and 12.5.3).
 *
 * Why: a long history is megabytes of digits, of which gzip leaves a third. That takes 20 ms of
 * computing for each, during which the server's worker would serve nobody. So it is free work: a
 * long task (async/task.h), which another worker does if one sleeps, in slices, between which
 * whoever does it looks after its connections.
 * How: the job owns a copy of the body and all memory that it needs, one block, so that nothing of
 * the request or the connection is touched elsewhere. Its task is free until the body is packed;
 * then the same task is spawned again, pinned to the server's worker, and answers there. If the
 * request goes meanwhile, the job ends at its next slice. The connection stays in CONN_HANDLING, so
 * that requests behind this one wait. Bounds: HTTP_GZIP_JOBS_MAX and HTTP_GZIP_BYTES_MAX; a body
 * above them, one that gzip does not make smaller, or one without memory is sent as it is. */
#include "net/http_server_internal.h"

#include <string.h>
#include <zlib.h>

enum {
    SLICE = 8192,       /* of a body in one poll: some 150 µs */
    LONG_AT = 8192,     /* from here on it is worth waking another worker */
    LEVEL = 1,          /* 6 takes four times as long, and what it leaves is 82 % of this */
    MEMORY_MORE = 8192, /* beside its tables: zlib's own state (5.9 KB), alignment */
};

struct http_gzip {
    struct task task; /* compresses, then answers */
    struct tick_hook hook;
    struct list link; /* of the server's */
    struct http_server *server;
    struct http_request *request; /* NULL: gone. The server's worker only */
    _Atomic bool unwanted;        /* it is gone: for the worker that compresses */
    unsigned status;
    char type[HTTP_GZIP_TYPE_MAX];

    z_stream z;
    bool begun, packed; /* packed: z.total_out bytes are the answer */
    int window_bits;
    size_t plain_n, plain_at;
    size_t memory_n, memory_at; /* of zlib */
    size_t block_n;             /* of all this */
    uint8_t bytes[];            /* plain_n of the body, as many for what is packed, memory_n */
};

static uint8_t *packed_of(struct http_gzip *g)
{
    return g->bytes + g->plain_n;
}

/* --- on any worker --- */

static void *take_memory(void *opaque, unsigned count, unsigned size)
{
    struct http_gzip *g = opaque;
    uintptr_t base = (uintptr_t)(g->bytes + 2 * g->plain_n);
    size_t at = (size_t)(((base + g->memory_at + 15) & ~(uintptr_t)15) - base);
    size_t n = (size_t)count * size;
    if (at > g->memory_n || n > g->memory_n - at)
        return Z_NULL;
    g->memory_at = at + n;
    return g->bytes + 2 * g->plain_n + at;
}

static void give_memory(void *opaque, void *p)
{
    (void)opaque; /* it goes with the job */
    (void)p;
}

static bool begin(struct http_gzip *g)
{
    g->begun = true;
    g->z = (z_stream){.zalloc = take_memory,
                      .zfree = give_memory,
                      .opaque = g,
                      .next_out = packed_of(g),
                      .avail_out = (uInt)g->plain_n};
    return deflateInit2(&g->z, LEVEL, Z_DEFLATED, 16 + g->window_bits, g->window_bits - 7,
                        Z_DEFAULT_STRATEGY) == Z_OK;
}

static void next_slice(struct tick_hook *h)
{
    task_wake(&CONTAINER_OF(h, struct http_gzip, hook)->task);
}

/* A slice; then the tick goes on, so that connections of this worker have their turn. */
static enum poll compress_poll(struct task *t)
{
    struct http_gzip *g = CONTAINER_OF(t, struct http_gzip, task);
    if (atomic_load_explicit(&g->unwanted, memory_order_relaxed) || (!g->begun && !begin(g)))
        return POLL_READY;
    size_t left = g->plain_n - g->plain_at, n = left < SLICE ? left : SLICE;
    g->z.next_in = g->bytes + g->plain_at;
    g->z.avail_in = (uInt)n;
    g->plain_at += n;
    int r = deflate(&g->z, n == left ? Z_FINISH : Z_NO_FLUSH);
    g->packed = r == Z_STREAM_END;
    /* Without room it would be larger than what it was made from. */
    if (r != Z_OK || n == left || g->z.avail_out == 0)
        return POLL_READY;
    worker_at_tick_end(worker_current(), &g->hook);
    return POLL_PENDING;
}

static enum poll answer_poll(struct task *t);
static void answered(struct task *t);

static void compressed(struct task *t)
{
    struct http_gzip *g = CONTAINER_OF(t, struct http_gzip, task);
    task_init(&g->task, "http answer", answer_poll, answered);
    task_spawn(g->server->worker, &g->task);
}

/* --- on the server's worker --- */

static void release(struct http_gzip *g)
{
    struct http_server *s = g->server;
    list_del(&g->link);
    s->stats.compressing--;
    s->gzip_bytes -= g->plain_n;
    mem_free(s->buffers, g, g->block_n);
}

static enum poll answer_poll(struct task *t)
{
    struct http_gzip *g = CONTAINER_OF(t, struct http_gzip, task);
    struct http_request *q = g->request;
    if (!q)
        return POLL_READY;
    g->request = NULL;
    q->gone = NULL;
    struct str plain = {(const char *)g->bytes, g->plain_n};
    struct str packed = {(const char *)packed_of(g), g->z.total_out};
    g->server->stats.compressed += g->packed;
    http_answer_body(q, g->status, g->type, g->packed ? packed : plain, g->packed);
    return POLL_READY;
}

static void answered(struct task *t)
{
    struct http_gzip *g = CONTAINER_OF(t, struct http_gzip, task);
    struct http_server *s = g->server;
    release(g);
    http_server_released(s);
}

static void nobody_waits(void *arg, struct http_request *q)
{
    struct http_gzip *g = arg;
    (void)q;
    g->request = NULL;
    atomic_store_explicit(&g->unwanted, true, memory_order_relaxed);
}

/* A window as large as the body is all that it can use; 9 is the smallest that zlib has. */
static int window_for(size_t n)
{
    int bits = 9;
    while (bits < MAX_WBITS && ((size_t)1 << bits) < n)
        bits++;
    return bits;
}

static struct http_gzip *gzip_new(struct http_server *s, struct str body)
{
    int bits = window_for(body.n);
    /* zconf.h: (1 << (windowBits + 2)) + (1 << (memLevel + 9)), memLevel being bits - 7; and a
     * quarter more, as zlib's versions differ a little. What is not touched costs nothing. */
    size_t tables_n = (size_t)2 << (bits + 2), memory_n = tables_n + tables_n / 4 + MEMORY_MORE;
    size_t block_n = sizeof(struct http_gzip) + 2 * body.n + memory_n;
    struct http_gzip *g = mem_new(s->buffers, block_n);
    if (!g)
        return NULL;
    *g = (struct http_gzip){.server = s,
                            .window_bits = bits,
                            .plain_n = body.n,
                            .memory_n = memory_n,
                            .block_n = block_n};
    memcpy(g->bytes, body.p, body.n);
    tick_hook_init(&g->hook, next_slice);
    atomic_init(&g->unwanted, false);
    return g;
}

bool http_gzip_suits(const char *type, size_t size)
{
    static const char *const types[] = {"application/json", "application/problem+json",
                                        "application/javascript", "application/xml",
                                        "image/svg+xml"};
    struct str t = str_from(type);
    if (size < HTTP_GZIP_MIN || t.n >= HTTP_GZIP_TYPE_MAX)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (http_media_type_is(t, types[i]))
            return true;
    return str_starts(t, STR("text/"));
}

bool http_gzip_start(struct http_request *q, unsigned status, const char *type, struct str body)
{
    struct http_server *s = q->conn->server;
    if (s->stats.compressing >= HTTP_GZIP_JOBS_MAX || body.n > HTTP_GZIP_BYTES_MAX - s->gzip_bytes)
        return false;
    struct http_gzip *g = gzip_new(s, body);
    if (!g)
        return false;
    g->request = q;
    g->status = status;
    memcpy(g->type, type, strlen(type) + 1);
    q->gone = nobody_waits;
    q->gone_arg = g;
    list_add_tail(&s->gzips, &g->link);
    s->stats.compressing++;
    s->gzip_bytes += body.n;
    task_init(&g->task, "gzip", compress_poll, compressed);
    if (body.n < LONG_AT)
        task_spawn_free(worker_executor(s->worker), &g->task);
    else
        task_spawn_long(worker_executor(s->worker), &g->task);
    return true;
}

void http_gzip_forget(struct http_server *s)
{
    LIST_EACH_SAFE(&s->gzips, it)
    release(CONTAINER_OF(it, struct http_gzip, link));
}
