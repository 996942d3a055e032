/* A hostile slave: the first bytes choose what was asked, the rest is what came back, on TCP and on
 * a serial line. Whatever the master accepts is an answer to exactly that; the same bytes as
 * requests are what a simulated device has to bear. Numbers in what was read go there and back. */
#include "codec/modbus.h"

#include <stdlib.h>

enum { HEAD = 7 };

static struct modbus_request choose(const uint8_t *p, uint8_t *data)
{
    static const enum modbus_function functions[] = {
        MODBUS_READ_COILS, MODBUS_READ_DISCRETE,  MODBUS_READ_HOLDING, MODBUS_READ_INPUT,
        MODBUS_WRITE_COIL, MODBUS_WRITE_REGISTER, MODBUS_WRITE_COILS,  MODBUS_WRITE_REGISTERS,
    };
    struct modbus_request q = {.function = functions[p[0] % ARRAY_LEN(functions)],
                               .address = (uint16_t)(p[1] << 8 | p[2])};
    bool single = q.function == MODBUS_WRITE_COIL || q.function == MODBUS_WRITE_REGISTER;
    q.count = (uint16_t)(single ? 1 : 1 + p[3] % 120);
    if (q.address + q.count > 65536)
        q.address = 0;
    memset(data, p[4], 256);
    if (!modbus_is_read(q.function))
        q.data =
            (struct bytes){data, modbus_is_bits(q.function) ? (q.count + 7u) / 8 : 2u * q.count};
    ASSERT(modbus_request_check(&q) == ERR_OK);
    return q;
}

static void check_inside(struct bytes part, struct bytes in)
{
    ASSERT(part.n == 0 || (part.p >= in.p && part.p + part.n <= in.p + in.n));
}

static void check_number(const uint8_t *at, const uint8_t *choice)
{
    const struct modbus_form form = {.type = (enum modbus_type)(choice[5] % 9),
                                     .order = (enum modbus_order)(choice[6] % 4),
                                     .bit = choice[5] / 9 % 16};
    struct modbus_number n, again;
    uint8_t back[8] = {0};
    if (modbus_decode_number(&form, at, &n))
        return;
    ASSERT(n.f - n.f == 0);
    if (modbus_encode_number(&form, &n, back))
        return; /* a number of 64 bits that a double has rounded up */
    ASSERT(modbus_decode_number(&form, back, &again) == ERR_OK);
    ASSERT(again.is_float == n.is_float && again.f == n.f);
}

static void check_pdu(struct bytes pdu, const struct modbus_request *q, const uint8_t *choice)
{
    struct modbus_answer a;
    if (modbus_decode_answer(pdu, q, &a))
        return;
    check_inside(a.data, pdu);
    ASSERT(a.exception ? pdu.n == 2 && a.data.n == 0 : pdu.n == modbus_answer_size(q));
    if (!a.exception && modbus_is_read(q->function))
        ASSERT(a.data.n == modbus_answer_size(q) - 2);
    if (a.data.n >= 8)
        check_number(a.data.p, choice);
}

static void check_tcp(struct bytes in, const struct modbus_request *q, const uint8_t *choice)
{
    struct modbus_frame f;
    while (modbus_tcp_decode(in, &f) == ERR_OK) {
        ASSERT(f.size == MODBUS_TCP_HEAD + f.pdu.n && f.size <= in.n && f.pdu.n > 0);
        check_inside(f.pdu, in);
        check_pdu(f.pdu, q, choice);
        in.p += f.size;
        in.n -= f.size;
    }
}

static void check_rtu(struct bytes in, const struct modbus_request *q, const uint8_t *choice)
{
    struct modbus_frame f;
    struct modbus_answer a;
    (void)modbus_rtu_is_broken(in, choice[1], q);
    if (modbus_rtu_find(in, choice[1], q, &f) == ERR_OK) {
        check_inside(f.pdu, in);
        ASSERT(f.size <= in.n && f.pdu.p[-1] == choice[1]);
        ASSERT(modbus_decode_answer(f.pdu, q, &a) == ERR_OK);
        check_pdu(f.pdu, q, choice);
    }
}

/* What is a request comes out again as it went in. */
static void check_request(struct bytes in)
{
    struct modbus_frame f;
    struct modbus_request q;
    uint8_t buf[MODBUS_PDU_MAX];
    struct writer w = writer_from(buf, sizeof(buf));
    if (modbus_rtu_decode_request(in, &f) == ERR_OK)
        check_inside(f.pdu, in);
    if (modbus_decode_request(in, &q))
        return;
    ASSERT(modbus_encode_request(&w, &q) == ERR_OK);
    ASSERT(writer_len(&w) == in.n && memcmp(buf, in.p, in.n) == 0);
}

/* The true answer is found behind whatever came before. */
static void check_found(struct bytes noise, const struct modbus_request *q, const uint8_t *choice)
{
    uint8_t data[256] = {0}, pdu[MODBUS_PDU_MAX], *line = malloc(noise.n + MODBUS_RTU_MAX);
    struct writer p = writer_from(pdu, sizeof(pdu)),
                  w = writer_from(line, noise.n + MODBUS_RTU_MAX);
    struct modbus_frame f;
    size_t n = modbus_is_read(q->function) ? modbus_answer_size(q) - 2 : 0;
    ASSERT(line && modbus_encode_answer(&p, q, (struct bytes){data, n}, 0) == ERR_OK);
    writer_bytes(&w, noise.p, noise.n);
    modbus_rtu_encode(&w, choice[1], (struct bytes){pdu, writer_len(&p)});
    ASSERT(modbus_rtu_find((struct bytes){line, writer_len(&w)}, choice[1], q, &f) == ERR_OK);
    free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t written[256];
    if (size < HEAD)
        return 0;
    struct modbus_request q = choose(data, written);
    struct bytes in = {data + HEAD, size - HEAD};
    check_tcp(in, &q, data);
    check_rtu(in, &q, data);
    check_pdu(in, &q, data);
    check_request(in);
    check_found(in, &q, data);
    return 0;
}
