#include "codec/modbus.h"

/* Requests and answers without their frames. */

const char *modbus_exception_name(uint8_t code)
{
    static const char *const names[] = {
        [MODBUS_ILLEGAL_FUNCTION] = "illegal function",
        [MODBUS_ILLEGAL_ADDRESS] = "illegal data address",
        [MODBUS_ILLEGAL_VALUE] = "illegal data value",
        [MODBUS_DEVICE_FAILURE] = "device failure",
        [MODBUS_ACKNOWLEDGE] = "acknowledged, takes longer",
        [MODBUS_BUSY] = "device busy",
        [MODBUS_MEMORY_PARITY] = "memory parity error",
        [MODBUS_GATEWAY_PATH] = "gateway path unavailable",
        [MODBUS_GATEWAY_TARGET] = "gateway target does not answer",
    };
    return code < ARRAY_LEN(names) && names[code] ? names[code] : "exception";
}

/* What a function is about, and how much of it one request may have. */
struct function {
    bool read, bits, single;
    uint16_t count_max; /* 0: no such function */
};

static struct function function_of(enum modbus_function f)
{
    static const struct function functions[] = {
        [MODBUS_READ_COILS] = {.read = true, .bits = true, .count_max = MODBUS_READ_BITS_MAX},
        [MODBUS_READ_DISCRETE] = {.read = true, .bits = true, .count_max = MODBUS_READ_BITS_MAX},
        [MODBUS_READ_HOLDING] = {.read = true, .count_max = MODBUS_READ_REGISTERS_MAX},
        [MODBUS_READ_INPUT] = {.read = true, .count_max = MODBUS_READ_REGISTERS_MAX},
        [MODBUS_WRITE_COIL] = {.bits = true, .single = true, .count_max = 1},
        [MODBUS_WRITE_REGISTER] = {.single = true, .count_max = 1},
        [MODBUS_WRITE_COILS] = {.bits = true, .count_max = MODBUS_WRITE_BITS_MAX},
        [MODBUS_WRITE_REGISTERS] = {.count_max = MODBUS_WRITE_REGISTERS_MAX},
    };
    return (size_t)f < ARRAY_LEN(functions) ? functions[f] : (struct function){0};
}

bool modbus_is_read(enum modbus_function f)
{
    return function_of(f).read;
}

bool modbus_is_bits(enum modbus_function f)
{
    return function_of(f).bits;
}

static size_t data_size(struct function f, unsigned count)
{
    return f.bits ? (count + 7) / 8 : 2 * (size_t)count;
}

enum err modbus_request_check(const struct modbus_request *q)
{
    struct function f = function_of(q->function);
    if (f.count_max == 0)
        return ERR_UNSUPPORTED;
    if (q->count == 0 || q->count > f.count_max || q->address + (unsigned)q->count > 65536)
        return ERR_RANGE;
    if (q->data.n != (f.read ? 0 : data_size(f, q->count)))
        return ERR_INVALID;
    return ERR_OK;
}

/* --- the master's side --- */

enum { COIL_ON = 0xFF00 };

enum err modbus_encode_request(struct writer *w, const struct modbus_request *q)
{
    struct function f = function_of(q->function);
    enum err r = modbus_request_check(q);
    if (r)
        return r;
    writer_u8(w, (uint8_t)q->function);
    writer_u16(w, q->address);
    if (f.single && f.bits) {
        writer_u16(w, q->data.p[0] & 1 ? COIL_ON : 0);
    } else if (f.single) {
        writer_bytes(w, q->data.p, q->data.n);
    } else {
        writer_u16(w, q->count);
        if (!f.read) {
            writer_u8(w, (uint8_t)q->data.n);
            writer_bytes(w, q->data.p, q->data.n);
        }
    }
    return w->failed ? ERR_FULL : ERR_OK;
}

size_t modbus_answer_size(const struct modbus_request *q)
{
    struct function f = function_of(q->function);
    return f.read ? 2 + data_size(f, q->count) : 5;
}

/* An answer to a write repeats its head: that of a single one all of it. */
static bool repeats(struct cursor *c, const struct modbus_request *q)
{
    struct function f = function_of(q->function);
    uint16_t address = cursor_u16(c), second = cursor_u16(c);
    uint16_t want = q->count;
    if (f.single && f.bits)
        want = q->data.p[0] & 1 ? COIL_ON : 0;
    else if (f.single)
        want = (uint16_t)(q->data.p[0] << 8 | q->data.p[1]);
    return address == q->address && second == want;
}

enum err modbus_decode_answer(struct bytes pdu, const struct modbus_request *q,
                              struct modbus_answer *out)
{
    struct cursor c = cursor_from(pdu.p, pdu.n);
    uint8_t function = cursor_u8(&c);
    *out = (struct modbus_answer){0};
    if (function == ((unsigned)q->function | 0x80)) {
        out->exception = cursor_u8(&c);
        bool whole = !c.failed && cursor_left(&c) == 0 && out->exception != 0;
        return whole ? ERR_OK : ERR_PROTOCOL;
    }
    if (function != (unsigned)q->function || pdu.n != modbus_answer_size(q))
        return ERR_PROTOCOL;
    if (!modbus_is_read(q->function))
        return repeats(&c, q) ? ERR_OK : ERR_PROTOCOL;
    uint8_t size = cursor_u8(&c);
    out->data = cursor_take(&c, size);
    return c.failed || cursor_left(&c) > 0 ? ERR_PROTOCOL : ERR_OK;
}

/* --- the slave's side --- */

static void decode_single(struct cursor *c, struct function f, struct modbus_request *q)
{
    static const uint8_t off_on[] = {0, 1};
    q->count = 1;
    if (!f.bits) {
        q->data = cursor_take(c, 2);
        return;
    }
    uint16_t v = cursor_u16(c);
    c->failed = c->failed || (v != 0 && v != COIL_ON);
    q->data = (struct bytes){&off_on[v == COIL_ON], 1};
}

enum err modbus_decode_request(struct bytes pdu, struct modbus_request *out)
{
    struct cursor c = cursor_from(pdu.p, pdu.n);
    *out = (struct modbus_request){.function = (enum modbus_function)cursor_u8(&c)};
    struct function f = function_of(out->function);
    if (c.failed)
        return ERR_PROTOCOL;
    if (f.count_max == 0)
        return ERR_UNSUPPORTED;
    out->address = cursor_u16(&c);
    if (f.single) {
        decode_single(&c, f, out);
    } else {
        out->count = cursor_u16(&c);
        if (!f.read)
            out->data = cursor_take(&c, cursor_u8(&c));
    }
    if (c.failed || cursor_left(&c) > 0)
        return ERR_PROTOCOL;
    return modbus_request_check(out);
}

enum err modbus_encode_answer(struct writer *w, const struct modbus_request *q, struct bytes data,
                              uint8_t exception)
{
    struct function f = function_of(q->function);
    if (exception) {
        writer_u8(w, (uint8_t)((unsigned)q->function | 0x80));
        writer_u8(w, exception);
    } else if (f.read) {
        if (data.n != data_size(f, q->count))
            return ERR_INVALID;
        writer_u8(w, (uint8_t)q->function);
        writer_u8(w, (uint8_t)data.n);
        writer_bytes(w, data.p, data.n);
    } else if (f.single) {
        return modbus_encode_request(w, q);
    } else {
        writer_u8(w, (uint8_t)q->function);
        writer_u16(w, q->address);
        writer_u16(w, q->count);
    }
    return w->failed ? ERR_FULL : ERR_OK;
}
