#include "protocol/modbus_internal.h"

/* Bytes to answers. */

enum {
    NOISE_MAX = 1024, /* bytes without a frame: */
    NOISE_KEPT = 256, /* the last ones may still be the beginning of one */
    SETTLE_MS = 20,   /* a damaged answer: so long, and then nothing more comes */
};

static struct ask *ask_of(struct line *l, uint16_t transaction)
{
    for (size_t i = 0; i < MODBUS_ASKS_MAX; i++) {
        if (l->asks[i].used && l->asks[i].transaction == transaction)
            return &l->asks[i];
    }
    return NULL;
}

/* False: there is no way to go on. */
static bool hear_tcp(struct line *l, struct bytes in)
{
    struct modbus_frame f;
    enum err r;
    while ((r = modbus_tcp_decode(in, &f)) == ERR_OK) {
        struct ask *a = ask_of(l, f.transaction);
        if (a)
            modbus_answered(l, a, f.pdu);
        else
            l->strays++;
        stream_consume(l->stream, f.size);
        in.p += f.size;
        in.n -= f.size;
    }
    l->unread = in.n;
    return r == ERR_AGAIN;
}

static void consume(struct line *l, struct bytes *in, size_t n)
{
    stream_consume(l->stream, n);
    in->p += n;
    in->n -= n;
    l->unread = in->n;
}

/* The answer is looked for in all that has come since the request. */
static void hear_rtu(struct line *l, struct bytes in)
{
    struct ask *a = &l->asks[0];
    struct modbus_frame f;
    l->unread = in.n;
    if (!a->used) {
        l->strays++;
        consume(l, &in, in.n);
        return;
    }
    if (modbus_rtu_find(in, a->unit_id, &a->q, &f) == ERR_OK) {
        modbus_answered(l, a, f.pdu);
        consume(l, &in, f.size);
        return;
    }
    if (modbus_rtu_is_broken(in, a->unit_id, &a->q)) {
        int64_t at_ns = l->heard_ns + SETTLE_MS * INT64_C(1000000);
        a->deadline_ns = at_ns < a->give_up_ns ? at_ns : a->give_up_ns;
    }
    if (in.n > NOISE_MAX)
        consume(l, &in, in.n - NOISE_KEPT);
}

void modbus_line_hear(struct line *l)
{
    struct bytes in;
    enum err r;
    while ((r = stream_read(l->stream, &in)) == ERR_OK) {
        if (in.n > l->unread) {
            l->heard_ns = worker_now_ns(l->m->worker);
            l->mute = 0;
            l->mute_online = false;
        }
        if (l->cfg.carrier != MODBUS_TCP) {
            hear_rtu(l, in);
        } else if (!hear_tcp(l, in)) {
            modbus_line_lost(l, "what comes is not Modbus TCP");
            return;
        }
    }
    if (r == ERR_AGAIN)
        return;
    int os_errno = stream_os_errno(l->stream);
    if (l->cfg.carrier == MODBUS_RTU)
        modbus_line_lost(l, "the device has gone");
    else if (r == ERR_IO && os_errno)
        modbus_line_lost(l, "the connection was lost: %s", strerror(os_errno));
    else
        modbus_line_lost(l, "the other side has closed the connection");
}
