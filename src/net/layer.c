#include "net/layer.h"
#include "base/log.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Above it there are answers of layers that are not read: pings, keys that change. */
#define WIRE_LIMIT ((size_t)4 * LAYER_WIRE_MAX)

/* --- birth and death --- */

static void put_on_top(struct stream_stack *k, struct stream_layer *l)
{
    l->below = k->top;
    if (k->top)
        k->top->above = l;
    else
        k->bottom = l;
    k->top = l;
}

enum err stack_new(struct stream *s, const struct stream_via *via, bool server)
{
    ASSERT(!s->stack);
    if (!via->layers[0])
        return ERR_OK;
    s->stack = mem_zero(s->net->alloc, sizeof(*s->stack));
    if (!s->stack)
        return ERR_NOMEM;
    s->stack->secret = via->tls != NULL;
    for (size_t i = 0; i < ARRAY_LEN(via->layers) && via->layers[i]; i++) {
        struct stream_layer *l = via->layers[i](s, via, server);
        if (!l) {
            stack_free(s);
            return ERR_NOMEM;
        }
        put_on_top(s->stack, l);
    }
    if (server)
        s->stack->bottom->ops->start(s->stack->bottom);
    return ERR_OK;
}

void stack_drop(struct stream_stack *k, struct alloc *a)
{
    if (!k)
        return;
    for (struct stream_layer *l = k->bottom, *above; l; l = above) {
        above = l->above;
        l->ops->free(l, a);
    }
    mem_free(a, (void *)(uintptr_t)k->person.p, k->person.n + 1);
    mem_free(a, k, sizeof(*k));
}

void stack_free(struct stream *s)
{
    if (s->stack)
        block_queue_drop(s->net, &s->stack->wire, s->stack->wire.bytes);
    stack_drop(s->stack, s->net->alloc);
    s->stack = NULL;
}

struct net_scratch *net_scratch(struct net_worker *net)
{
    if (!net->scratch)
        net->scratch = mem_new(net->alloc, sizeof(*net->scratch));
    return net->scratch;
}

void net_scratch_free(struct net_worker *net)
{
    mem_free(net->alloc, net->scratch, sizeof(*net->scratch));
    net->scratch = NULL;
}

/* --- from below --- */

void layer_hold(struct stream_layer *l)
{
    l->stream->stack->busy++;
}

static bool stack_release(struct stream *s)
{
    bool closed = s->closed;
    s->stack->busy--;
    if (closed)
        stream_settle(s);
    return !closed;
}

void layer_release(struct stream_layer *l)
{
    struct stream *s = l->stream;
    if (stack_release(s) && s->moving)
        stream_move_settle(s);
}

void stack_start(struct stream *s)
{
    s->stack->busy++;
    s->stack->bottom->ops->start(s->stack->bottom);
    (void)stack_release(s);
}

void stack_input(struct stream *s, struct bytes in)
{
    struct stream_stack *k = s->stack;
    if (k->failed)
        return; /* what still comes is not understood */
    k->begun = true;
    k->busy++;
    k->bottom->ops->input(k->bottom, in);
    (void)stack_release(s);
}

static void end_now(struct stream *s, enum err how, int os_errno)
{
    struct stream_stack *k = s->stack;
    k->late = false;
    if (!k->open && !k->failed && s->connecting && how == ERR_CLOSED) {
        layer_fail(k->bottom, "the peer closed the connection during the handshake");
        return;
    }
    /* Who does not believe our certificate often just goes. */
    if (!k->open && !k->failed && !s->connecting && k->begun)
        k->problem = "the peer broke the handshake off";
    stream_end(s, how, os_errno);
}

void stack_end(struct stream *s, enum err how, int os_errno)
{
    struct stream_stack *k = s->stack;
    k->gone = true;
    if (k->held_end && how == ERR_CLOSED) {
        k->late = true;
        return;
    }
    k->busy++;
    if (s->connecting && how != ERR_CLOSED) {
        s->connecting = false;
        s->connect_failed = true;
    }
    end_now(s, how, os_errno);
    (void)stack_release(s);
}

void layer_keep_end(struct stream_layer *l, bool keep)
{
    struct stream *s = l->stream;
    s->stack->held_end = keep;
    if (!keep && s->stack->late && !s->closed)
        end_now(s, ERR_CLOSED, 0);
}

void layer_pause(struct stream_layer *l, bool pause)
{
    struct stream *s = l->stream;
    s->stack->held = pause;
    if (s->closed)
        return;
    if (pause)
        stream_stop_receiving(s);
    else
        stream_receive_more(s);
}

void layer_up(struct stream_layer *l, struct bytes b)
{
    if (layer_over(l) || b.n == 0)
        return;
    if (l->above)
        l->above->ops->input(l->above, b);
    else
        stream_data(l->stream, b);
}

bool layer_over(const struct stream_layer *l)
{
    const struct stream *s = l->stream;
    return s->closed || s->stack->failed || s->ended;
}

void layer_opened(struct stream_layer *l)
{
    struct stream *s = l->stream;
    l->open = true;
    if (l->above) {
        l->above->ops->start(l->above);
        return;
    }
    s->stack->open = true;
    if (stream_queued(s) > 0)
        stream_send_soon(s);
    if (s->connecting) {
        s->connecting = false;
        stream_wake(s);
    }
}

void layer_end(struct stream_layer *l)
{
    if (!layer_over(l))
        stream_end(l->stream, ERR_CLOSED, 0);
}

void layer_fail(struct stream_layer *l, const char *why)
{
    struct stream *s = l->stream;
    struct stream_stack *k = s->stack;
    if (k->failed || s->closed)
        return;
    k->failed = true;
    k->problem = why;
    LOG_D("net", "%s: %s", l->ops->name, why);
    s->write_dead = true;
    if (s->connecting) {
        s->connecting = false;
        s->connect_failed = true;
    }
    if (!s->ended || s->ended == ERR_CLOSED) {
        s->ended = ERR_IO;
        s->os_errno = EPROTO;
    }
    if (s->sender)
        stream_send_soon(s); /* what the layer has to say to it */
    stream_wake(s);
}

/* --- from above --- */

void layer_down(struct stream_layer *l, struct bytes b)
{
    struct stream *s = l->stream;
    if (s->closed || s->wire_dead || b.n == 0)
        return;
    if (l->below) {
        l->below->ops->output(l->below, b);
    } else if (s->stack->wire.bytes > WIRE_LIMIT) {
        layer_fail(l, "the peer does not read what it asks for");
    } else if (stream_may_send(s) && block_queue_add(s->net, &s->stack->wire, b.p, b.n)) {
        stream_send_soon(s);
    } else {
        layer_fail(l, "no memory for what is to be sent");
    }
}

static bool starved(struct stream *s)
{
    if (net_blocks_left(s->net) >= LAYER_ROOM)
        return false;
    list_del(&s->link);
    list_add_tail(&s->net->starved, &s->link);
    return true;
}

bool stack_encode(struct stream *s)
{
    struct stream_stack *k = s->stack;
    k->busy++;
    while (k->open && !k->failed && stream_queued(s) > 0 && k->wire.bytes < LAYER_WIRE_MAX &&
           !starved(s)) {
        const struct block *b = s->sender->out.first;
        size_t n = b->end - b->start;
        if (n > LAYER_PIECE)
            n = LAYER_PIECE;
        if (n > 0)
            k->top->ops->output(k->top, (struct bytes){b->data + b->start, n});
        block_queue_drop(s->net, &s->sender->out, n);
    }
    if (k->failed && s->sender)
        block_queue_drop(s->net, &s->sender->out, s->sender->out.bytes);
    return stack_release(s);
}

void stack_finish(struct stream *s)
{
    struct stream_stack *k = s->stack;
    k->finished = true;
    for (struct stream_layer *l = k->top; l && !k->failed; l = l->below)
        if (l->open)
            l->ops->finish(l);
}

bool stack_outlived(const struct stream *s)
{
    return s->stack && s->stack->failed && !s->stack->gone;
}

/* --- from one worker to another --- */

bool stack_busy(const struct stream *s)
{
    return s->stack && s->stack->busy > 0;
}

struct stream_stack *stack_leave(struct stream *s)
{
    struct stream_stack *k = s->stack;
    ASSERT(!k || (k->busy == 0 && k->wire.bytes == 0));
    s->stack = NULL;
    return k;
}

void stack_enter(struct stream *s, struct stream_stack *k)
{
    ASSERT(!s->stack);
    s->stack = k;
    for (struct stream_layer *l = k ? k->bottom : NULL; l; l = l->above)
        l->stream = s;
}
