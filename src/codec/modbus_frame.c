#include "codec/modbus.h"

/* What is around a PDU: MBAP's head on TCP, unit and CRC on a serial line. */

enum {
    RTU_AROUND = 3, /* unit, CRC */
    RTU_EXCEPTION = RTU_AROUND + 2,
    CHAR_BITS = 11,
    FAST_BAUD = 19200, /* above it, the silence stays as it is */
    FAST_SILENCE_US = 1750,
};

void modbus_tcp_encode(struct writer *w, uint16_t transaction, uint8_t unit, struct bytes pdu)
{
    writer_u16(w, transaction);
    writer_u16(w, 0);
    writer_u16(w, (uint16_t)(pdu.n + 1));
    writer_u8(w, unit);
    writer_bytes(w, pdu.p, pdu.n);
}

enum err modbus_tcp_decode(struct bytes in, struct modbus_frame *out)
{
    struct cursor c = cursor_from(in.p, in.n);
    *out = (struct modbus_frame){.transaction = cursor_u16(&c)};
    uint16_t protocol = cursor_u16(&c), size = cursor_u16(&c);
    if (c.failed)
        return ERR_AGAIN;
    if (protocol != 0 || size < 2 || size > 1 + MODBUS_PDU_MAX)
        return ERR_PROTOCOL;
    out->unit = cursor_u8(&c);
    out->pdu = cursor_take(&c, size - 1u);
    out->size = MODBUS_TCP_HEAD - 1u + size;
    return c.failed ? ERR_AGAIN : ERR_OK;
}

/* Polynomial 0xA001 (0x8005 reflected), by halves of a byte. */
uint16_t modbus_crc16(const void *p, size_t n)
{
    static const uint16_t table[] = {
        0x0000, 0xCC01, 0xD801, 0x1400, 0xF001, 0x3C00, 0x2800, 0xE401,
        0xA001, 0x6C00, 0x7800, 0xB401, 0x5000, 0x9C01, 0x8801, 0x4400,
    };
    const uint8_t *b = p;
    unsigned crc = 0xFFFF;
    for (size_t i = 0; i < n; i++) {
        crc = crc >> 4 ^ table[(crc ^ b[i]) & 15];
        crc = crc >> 4 ^ table[(crc ^ b[i] >> 4) & 15];
    }
    return (uint16_t)crc;
}

void modbus_rtu_encode(struct writer *w, uint8_t unit, struct bytes pdu)
{
    uint8_t *start = w->p;
    writer_u8(w, unit);
    writer_bytes(w, pdu.p, pdu.n);
    if (!w->failed)
        writer_u16le(w, modbus_crc16(start, (size_t)(w->p - start)));
}

static bool crc_is_right(const uint8_t *p, size_t n)
{
    uint16_t crc = modbus_crc16(p, n - 2);
    return p[n - 2] == (crc & 0xFF) && p[n - 1] == crc >> 8;
}

/* How long the frame is that begins here, if it begins as that answer does; else 0. */
static size_t rtu_length(struct bytes in, uint8_t unit, const struct modbus_request *q)
{
    if (in.n < 2 || in.p[0] != unit)
        return 0;
    if (in.p[1] == ((unsigned)q->function | 0x80))
        return RTU_EXCEPTION;
    size_t pdu = modbus_answer_size(q);
    if (in.p[1] != (unsigned)q->function)
        return 0;
    if (modbus_is_read(q->function) && in.n > 2 && in.p[2] != pdu - 2)
        return 0;
    return RTU_AROUND + pdu;
}

/* Each place where the answer may begin and is all there. */
static bool rtu_next(struct bytes *in, uint8_t unit, const struct modbus_request *q, size_t *size)
{
    for (; in->n >= RTU_EXCEPTION; in->p++, in->n--) {
        *size = rtu_length(*in, unit, q);
        if (*size > 0 && *size <= in->n)
            return true;
    }
    return false;
}

enum err modbus_rtu_find(struct bytes in, uint8_t unit, const struct modbus_request *q,
                         struct modbus_frame *out)
{
    const uint8_t *start = in.p;
    struct modbus_answer answer;
    size_t size;
    for (; rtu_next(&in, unit, q, &size); in.p++, in.n--) {
        struct bytes pdu = {in.p + 1, size - RTU_AROUND};
        if (!crc_is_right(in.p, size) || modbus_decode_answer(pdu, q, &answer) != ERR_OK)
            continue;
        *out =
            (struct modbus_frame){.unit = unit, .pdu = pdu, .size = (size_t)(in.p - start) + size};
        return ERR_OK;
    }
    return ERR_AGAIN;
}

bool modbus_rtu_is_broken(struct bytes in, uint8_t unit, const struct modbus_request *q)
{
    size_t size;
    return rtu_next(&in, unit, q, &size);
}

/* How long a request is, as far as can be told; 0: longer than what is here. */
static size_t request_length(struct bytes in)
{
    if (in.n < 2)
        return 0;
    if (in.p[1] != MODBUS_WRITE_COILS && in.p[1] != MODBUS_WRITE_REGISTERS)
        return RTU_AROUND + 5;
    return in.n < 7 ? 0 : RTU_AROUND + 6u + in.p[6];
}

enum err modbus_rtu_decode_request(struct bytes in, struct modbus_frame *out)
{
    size_t n = request_length(in);
    if (n == 0 || n > in.n)
        return ERR_AGAIN;
    if (n > MODBUS_RTU_MAX || !crc_is_right(in.p, n))
        return ERR_PROTOCOL;
    *out = (struct modbus_frame){.unit = in.p[0], .pdu = {in.p + 1, n - RTU_AROUND}, .size = n};
    return ERR_OK;
}

int64_t modbus_rtu_time_ns(uint32_t baud, size_t bytes)
{
    return (int64_t)bytes * CHAR_BITS * 1000000000 / (baud ? baud : FAST_BAUD);
}

int64_t modbus_rtu_silence_ns(uint32_t baud)
{
    if (baud > FAST_BAUD)
        return FAST_SILENCE_US * INT64_C(1000);
    return modbus_rtu_time_ns(baud, 7) / 2;
}
