/* layer: what lies between a stream's socket and its user: TLS, WebSocket. The stack of one stream.
 *
 * Bytes from the socket enter the bottom layer and come up as the user's; what the user has queued
 * is taken, piece by piece and no faster than the socket takes it, by the top layer, and gathers at
 * the bottom in the queue `wire`, which is what is sent. So a plain stream, which has no stack,
 * pays one test for all this.
 * A layer is open when its handshake is over; then the one above it starts. The user's bytes wait
 * until the top is open. A layer that can't go on fails with a sentence for people; what it had
 * queued (an alert, a refusal) is still sent.
 * Ownership: the stack belongs to its stream; layers may use it until free(), which comes when
 * nothing is `busy` any more.
 * Threads: the stream's worker; what a layer has elsewhere (a job) makes the stack busy meanwhile.
 */
#pragma once

#include "net/net_internal.h"
#include "net/via.h"

enum {
    LAYER_PIECE = 16 * 1024 - 16, /* with a frame's head it fills one record of TLS */
    LAYER_WIRE_MAX = 64 * 1024,   /* then the socket is waited for */
    LAYER_ROOM = 4,               /* blocks that a piece may become */
};

struct stream_layer;
struct stream_layer_ops {
    const char *name;
    void (*start)(struct stream_layer *l); /* what is below is open: who speaks first does */
    /* From below: gives on with layer_up(), answers with layer_down(), or ends. */
    void (*input)(struct stream_layer *l, struct bytes in);
    /* From above, at most LAYER_PIECE: gives on with layer_down(). */
    void (*output)(struct stream_layer *l, struct bytes out);
    void (*finish)(struct stream_layer *l);                /* tells the peer that it was all */
    void (*free)(struct stream_layer *l, struct alloc *a); /* the stream has gone, perhaps */
};
struct stream_layer {
    const struct stream_layer_ops *ops;
    struct stream *stream;
    struct stream_layer *above, *below; /* NULL: the user; the socket */
    bool open;
};

struct stream_stack {
    struct stream_layer *top, *bottom;
    struct block_queue wire;
    unsigned busy; /* somebody is at work in it: it must stay */
    bool begun;    /* the peer has said something */
    bool open;     /* all layers are: the user's bytes pass */
    bool secret;   /* TLS is among them */
    bool failed;
    bool finished;       /* the layers have said that it was all */
    bool held;           /* a layer has its hands full: nothing is received */
    bool held_end;       /* a layer has yet to deal with what came before the socket's end, */
    bool late;           /* which has come */
    bool gone;           /* the socket's end has come, whether or not it was dealt with */
    const char *problem; /* why it failed, as layer_fail(); NULL: it has not */
    struct str person;   /* whom the peer's certificate names, owned; p NULL: nobody */
};

/* The layers of `via` for a stream that connects or was accepted. */
MUST_USE enum err stack_new(struct stream *s, const struct stream_via *via, bool server);
void stack_free(struct stream *s);
/* The socket is there: the lowest layer begins. */
void stack_start(struct stream *s);
/* What the socket has brought, and its end. The stream may be gone behind either. */
void stack_input(struct stream *s, struct bytes in);
void stack_end(struct stream *s, enum err how, int os_errno);
/* From the user's queue to the wire. False: the stream has gone. */
bool stack_encode(struct stream *s);
void stack_finish(struct stream *s);

bool stack_busy(const struct stream *s); /* false of a plain stream; also below */
/* A layer has failed, and the peer, who may not know it yet, goes on. */
bool stack_outlived(const struct stream *s);
/* Between two workers: the stack of a stream that has nothing left to send and is not busy leaves
 * it, and goes on in another one; or is dropped on its way. */
struct stream_stack *stack_leave(struct stream *s);
void stack_enter(struct stream *s, struct stream_stack *k);
void stack_drop(struct stream_stack *k, struct alloc *a);

/* For layers. */
void layer_opened(struct stream_layer *l);
void layer_up(struct stream_layer *l, struct bytes b);
void layer_down(struct stream_layer *l, struct bytes b);
void layer_end(struct stream_layer *l);                   /* the peer has said that it was all */
void layer_fail(struct stream_layer *l, const char *why); /* a text that stays: ours, OpenSSL's */
bool layer_over(const struct stream_layer *l);            /* nobody wants any more of it: stop */
/* Around what goes on outside of these calls; layer_release() may free the stream. */
void layer_hold(struct stream_layer *l);
void layer_release(struct stream_layer *l);
/* For a layer that works on what it was given while more may come: the socket's end, or all of what
 * comes, waits. */
void layer_keep_end(struct stream_layer *l, bool keep);
void layer_pause(struct stream_layer *l, bool pause);

/* Memory for one call of input() or output() at a time, shared by all streams of a worker: nothing
 * in it outlives the call. NULL: no memory. */
enum { SCRATCH_IN = 32 * 1024, SCRATCH_OUT = LAYER_PIECE + 16 };
struct net_scratch {
    uint8_t plain[SCRATCH_IN];   /* TLS: decrypted */
    uint8_t payload[SCRATCH_IN]; /* WebSocket: out of its frames */
    uint8_t frame[SCRATCH_OUT];  /* WebSocket: a frame for the record that it will be */
};
struct net_scratch *net_scratch(struct net_worker *net);

/* tls_layer.c, ws_layer.c. NULL: no memory. */
struct stream_layer *tls_layer_new(struct stream *s, const struct stream_via *via, bool server);
struct stream_layer *ws_layer_new(struct stream *s, const struct stream_via *via, bool server);
