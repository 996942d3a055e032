/* rate_limiter: a token bucket. Five requests may come at once, then one every ten milliseconds.
 *
 * A timer gives a token to a semaphore, up to a full bucket; a request takes one, or waits for it
 * in the order of arrival. */
#include <sedge/sedge.h>
#include <stdio.h>

enum { BURST = 5, EVERY_MS = 10, REQUESTS = 12 };

struct bucket {
    struct sedge_semaphore tokens;
    struct sedge_timer refill;
    int free; /* places for tokens */
};

static void refill(void *ctx)
{
    struct bucket *b = ctx;
    if (b->free > 0) {
        b->free--;
        sedge_semaphore_give(&b->tokens, 1);
    }
    sedge_timer_set_after_ms(&b->refill, EVERY_MS);
}

static intptr_t request(void *arg)
{
    struct bucket *b = arg;
    enum sedge_err r = sedge_semaphore_take(&b->tokens, 1);
    b->free += r == SEDGE_OK;
    return r;
}

static intptr_t run(void *arg)
{
    struct bucket b = {.free = 0};
    struct sedge_scope scope;
    enum sedge_err r = SEDGE_OK;
    (void)arg;
    sedge_semaphore_init(&b.tokens, BURST, SEDGE_LOCAL);
    sedge_timer_init(&b.refill, refill, &b);
    sedge_timer_set_after_ms(&b.refill, EVERY_MS);
    int64_t begin_ns = sedge_now_ns();
    sedge_scope_begin(&scope);
    for (int i = 0; i < REQUESTS && !r; i++)
        r = sedge_scope_spawn(&scope, request, &b, "request");
    (void)sedge_scope_end(&scope);
    sedge_timer_cancel(&b.refill);
    int64_t ms = (sedge_now_ns() - begin_ns) / 1000000;
    printf("%d requests took %d ms\n", REQUESTS, (int)ms);
    return r;
}

int main(void)
{
    return sedge_main(NULL, run, NULL);
}
