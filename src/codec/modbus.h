/* modbus: requests, answers and frames of Modbus, and numbers in its registers. No I/O.
 *
 * Why: one place knows the bytes. A request becomes a PDU, the PDU goes into a frame of Modbus TCP
 * (behind an MBAP header, with a transaction id) or of RTU (between unit and CRC); what comes back
 * is found in the stream, taken out of its frame, and held against the request that it should
 * answer. Both sides are here, since tests and simulated devices play the other one.
 * Addresses are those of the protocol, from 0. (The numbers 40001, 30001, 10001 of manuals are
 * address 0 of the holding registers, input registers and discrete inputs.)
 * Ownership: what is decoded points into the bytes it was found in.
 * Threads: none. Errors: ERR_PROTOCOL: no answer to this request, or no frame. ERR_AGAIN: it is
 * not all there yet. ERR_RANGE: it does not fit. ERR_FULL: no room in the writer.
 * Source: MODBUS Application Protocol Specification V1.1b3; MODBUS Messaging on TCP/IP
 * Implementation Guide V1.0b; MODBUS over Serial Line V1.02. */
#pragma once

#include "base/cursor.h"

enum modbus_function {
    MODBUS_READ_COILS = 1,
    MODBUS_READ_DISCRETE = 2,
    MODBUS_READ_HOLDING = 3,
    MODBUS_READ_INPUT = 4,
    MODBUS_WRITE_COIL = 5,
    MODBUS_WRITE_REGISTER = 6,
    MODBUS_WRITE_COILS = 15,
    MODBUS_WRITE_REGISTERS = 16,
};
enum modbus_exception {
    MODBUS_ILLEGAL_FUNCTION = 1,
    MODBUS_ILLEGAL_ADDRESS = 2,
    MODBUS_ILLEGAL_VALUE = 3,
    MODBUS_DEVICE_FAILURE = 4,
    MODBUS_ACKNOWLEDGE = 5, /* it works on it, and will take longer */
    MODBUS_BUSY = 6,
    MODBUS_MEMORY_PARITY = 8,
    MODBUS_GATEWAY_PATH = 10,
    MODBUS_GATEWAY_TARGET = 11, /* the unit behind the gateway does not answer */
};
/* "illegal data address"; "exception" for a number that nobody has given a meaning. */
const char *modbus_exception_name(uint8_t code);

enum {
    MODBUS_READ_BITS_MAX = 2000,
    MODBUS_READ_REGISTERS_MAX = 125,
    MODBUS_WRITE_BITS_MAX = 1968,
    MODBUS_WRITE_REGISTERS_MAX = 123,
    MODBUS_PDU_MAX = 253,
    MODBUS_TCP_HEAD = 7, /* transaction, protocol 0, length, unit */
    MODBUS_TCP_MAX = MODBUS_TCP_HEAD + MODBUS_PDU_MAX,
    MODBUS_RTU_MAX = 256,
};

/* One question. `count` coils or registers from `address`; data of a write: registers as they go
 * over the wire (two bytes each, high byte first), coils packed with the first in the lowest bit. A
 * single coil is one byte, 0 or 1; function 5 makes FF00 of it. */
struct modbus_request {
    enum modbus_function function;
    uint16_t address, count; /* count 1 for functions 5 and 6 */
    struct bytes data;
};
bool modbus_is_read(enum modbus_function f);
bool modbus_is_bits(enum modbus_function f); /* coils and discrete inputs, not registers */
/* Whether count and data are what the function takes, and the end is below 65,536. */
MUST_USE enum err modbus_request_check(const struct modbus_request *q);

/* The master's side. */
MUST_USE enum err modbus_encode_request(struct writer *w, const struct modbus_request *q);
/* How long the PDU of its answer is if it is no exception (those have 2 bytes). */
size_t modbus_answer_size(const struct modbus_request *q);
struct modbus_answer {
    uint8_t exception; /* 0: it is done */
    struct bytes data; /* of a read: as in a request */
};
MUST_USE enum err modbus_decode_answer(struct bytes pdu, const struct modbus_request *q,
                                       struct modbus_answer *out);

/* The slave's side: of a read, `data` is empty. */
MUST_USE enum err modbus_decode_request(struct bytes pdu, struct modbus_request *out);
/* `data`: what a read has found. exception 0: it is done. */
MUST_USE enum err modbus_encode_answer(struct writer *w, const struct modbus_request *q,
                                       struct bytes data, uint8_t exception);

/* --- frames --- */

struct modbus_frame {
    uint16_t transaction; /* TCP */
    uint8_t unit;
    struct bytes pdu;
    size_t size; /* of the whole frame, to be consumed */
};
void modbus_tcp_encode(struct writer *w, uint16_t transaction, uint8_t unit, struct bytes pdu);
/* At the start of `in`. ERR_PROTOCOL: this is no Modbus, and there is no way back into step. */
MUST_USE enum err modbus_tcp_decode(struct bytes in, struct modbus_frame *out);

uint16_t modbus_crc16(const void *p, size_t n); /* its low byte goes first */
void modbus_rtu_encode(struct writer *w, uint8_t unit, struct bytes pdu);
/* Looks for the answer of `unit` to `q` anywhere in what has come since the line was quiet: noise
 * before it, echoes of the request, and frames of others are passed over. ERR_AGAIN: not yet. */
MUST_USE enum err modbus_rtu_find(struct bytes in, uint8_t unit, const struct modbus_request *q,
                                  struct modbus_frame *out);
/* It has the length and the head of that answer, and yet its CRC is wrong: for the counter, when
 * nothing more comes. */
bool modbus_rtu_is_broken(struct bytes in, uint8_t unit, const struct modbus_request *q);
/* The slave's side: a request at the start of `in`, whole when the line has been quiet. */
MUST_USE enum err modbus_rtu_decode_request(struct bytes in, struct modbus_frame *out);
/* The silence that ends a frame: 3.5 characters of 11 bits, 1.75 ms above 19,200 baud. */
int64_t modbus_rtu_silence_ns(uint32_t baud);
int64_t modbus_rtu_time_ns(uint32_t baud, size_t bytes); /* that so many take on the wire */

/* --- numbers in registers --- */

enum modbus_table { MODBUS_COIL, MODBUS_DISCRETE, MODBUS_HOLDING, MODBUS_INPUT };
enum modbus_type {
    MODBUS_BIT, /* a coil, a discrete input, or bit `bit` (0: the lowest) of a register */
    MODBUS_I16,
    MODBUS_U16,
    MODBUS_I32,
    MODBUS_U32,
    MODBUS_I64,
    MODBUS_U64,
    MODBUS_F32,
    MODBUS_F64,
};
/* How the bytes of a number lie in its registers; ABCD: the high byte first, as the standard has
 * it; CDAB: the low register first; BADC: as ABCD, with the bytes of each register exchanged;
 * DCBA: both, the low byte first. With four registers alike. */
enum modbus_order { MODBUS_ABCD, MODBUS_CDAB, MODBUS_BADC, MODBUS_DCBA };
/* "holding", "u16", "cdab": the words of the language and of imports; -1 if it is none. */
int modbus_table_from(struct str word);
int modbus_type_from(struct str word);
int modbus_order_from(struct str word);
const char *modbus_table_name(enum modbus_table t);
const char *modbus_type_name(enum modbus_type t);
const char *modbus_order_name(enum modbus_order o);
static inline bool modbus_table_is_bits(enum modbus_table t)
{
    return t == MODBUS_COIL || t == MODBUS_DISCRETE;
}
enum modbus_function modbus_read_function(enum modbus_table t);
unsigned modbus_type_size(enum modbus_type t); /* in registers; a bit: 1 */

struct modbus_form {
    enum modbus_type type;
    enum modbus_order order;
    uint8_t bit;   /* 0 … 15; of MODBUS_BIT in a register */
    double scale;  /* 0 is 1 */
    double offset; /* raw × scale + offset = value */
};
/* A number as exact as it can be: an integer where it was one and is neither scaled nor too big. */
struct modbus_number {
    bool is_float;
    int64_t i;
    double f; /* set in any case */
};
/* `at`: modbus_type_size() registers. ERR_RANGE: not a number, or infinite. */
MUST_USE enum err modbus_decode_number(const struct modbus_form *form, const uint8_t *at,
                                       struct modbus_number *out);
/* The other way, rounded to the nearest; a bit is set or cleared in the register that is there.
 * ERR_RANGE: it does not fit. */
MUST_USE enum err modbus_encode_number(const struct modbus_form *form,
                                       const struct modbus_number *v, uint8_t *at);
