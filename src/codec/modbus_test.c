#include "codec/modbus.h"
#include "tests/support/test.h"

#include <math.h>

/* The bytes are from the examples of the specification, or were written down from a libmodbus
 * slave. */

#define BYTES(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

static const struct pdu_case {
    const char *label;
    struct modbus_request q;
    struct bytes request, answer;
    struct bytes read; /* what a read brings */
} pdu_cases[] = {
    {"read coils (6.1)",
     {MODBUS_READ_COILS, 0x13, 19, {0}},
     {BYTES(1, 0, 0x13, 0, 0x13)},
     {BYTES(1, 3, 0xCD, 0x6B, 5)},
     {BYTES(0xCD, 0x6B, 5)}},
    {"read discrete inputs (6.2)",
     {MODBUS_READ_DISCRETE, 0xC4, 22, {0}},
     {BYTES(2, 0, 0xC4, 0, 0x16)},
     {BYTES(2, 3, 0xAC, 0xDB, 0x35)},
     {BYTES(0xAC, 0xDB, 0x35)}},
    {"read holding registers (6.3)",
     {MODBUS_READ_HOLDING, 0x6B, 3, {0}},
     {BYTES(3, 0, 0x6B, 0, 3)},
     {BYTES(3, 6, 2, 0x2B, 0, 0, 0, 0x64)},
     {BYTES(2, 0x2B, 0, 0, 0, 0x64)}},
    {"read input registers (6.4)",
     {MODBUS_READ_INPUT, 8, 1, {0}},
     {BYTES(4, 0, 8, 0, 1)},
     {BYTES(4, 2, 0, 0x0A)},
     {BYTES(0, 0x0A)}},
    {"write single coil (6.5)",
     {MODBUS_WRITE_COIL, 0xAC, 1, {BYTES(1)}},
     {BYTES(5, 0, 0xAC, 0xFF, 0)},
     {BYTES(5, 0, 0xAC, 0xFF, 0)},
     {0}},
    {"clear single coil",
     {MODBUS_WRITE_COIL, 0xAC, 1, {BYTES(0)}},
     {BYTES(5, 0, 0xAC, 0, 0)},
     {BYTES(5, 0, 0xAC, 0, 0)},
     {0}},
    {"write single register (6.6)",
     {MODBUS_WRITE_REGISTER, 1, 1, {BYTES(0, 3)}},
     {BYTES(6, 0, 1, 0, 3)},
     {BYTES(6, 0, 1, 0, 3)},
     {0}},
    {"write multiple coils (6.11)",
     {MODBUS_WRITE_COILS, 0x13, 10, {BYTES(0xCD, 1)}},
     {BYTES(15, 0, 0x13, 0, 10, 2, 0xCD, 1)},
     {BYTES(15, 0, 0x13, 0, 10)},
     {0}},
    {"write multiple registers (6.12)",
     {MODBUS_WRITE_REGISTERS, 1, 2, {BYTES(0, 10, 1, 2)}},
     {BYTES(16, 0, 1, 0, 2, 4, 0, 10, 1, 2)},
     {BYTES(16, 0, 1, 0, 2)},
     {0}},
};

static void check_bytes(struct bytes got, struct bytes want)
{
    if (CHECK_EQ_UINT(got.n, want.n) && want.n > 0)
        CHECK_EQ_MEM(got.p, want.p, want.n);
}

static struct bytes written(const struct writer *w)
{
    return (struct bytes){w->start, writer_len(w)};
}

TEST(modbus_requests_and_answers_of_both_sides)
{
    for (size_t i = 0; i < ARRAY_LEN(pdu_cases); i++) {
        const struct pdu_case *c = &pdu_cases[i];
        uint8_t buf[MODBUS_PDU_MAX];
        struct modbus_request q;
        struct modbus_answer a;
        LABEL("%s", c->label);
        struct writer w = writer_from(buf, sizeof(buf));
        CHECK_EQ_INT(modbus_encode_request(&w, &c->q), ERR_OK);
        check_bytes(written(&w), c->request);
        CHECK_EQ_INT(modbus_decode_request(c->request, &q), ERR_OK);
        CHECK(q.function == c->q.function && q.address == c->q.address && q.count == c->q.count);
        check_bytes(q.data, c->q.data);
        CHECK_EQ_UINT(modbus_answer_size(&c->q), c->answer.n);
        CHECK_EQ_INT(modbus_decode_answer(c->answer, &c->q, &a), ERR_OK);
        CHECK_EQ_INT(a.exception, 0);
        check_bytes(a.data, c->read);
        w = writer_from(buf, sizeof(buf));
        CHECK_EQ_INT(modbus_encode_answer(&w, &c->q, c->read, 0), ERR_OK);
        check_bytes(written(&w), c->answer);
    }
}

TEST(modbus_every_shorter_or_longer_message_is_refused)
{
    for (size_t i = 0; i < ARRAY_LEN(pdu_cases); i++) {
        const struct pdu_case *c = &pdu_cases[i];
        uint8_t longer[MODBUS_PDU_MAX] = {0};
        struct modbus_request q;
        struct modbus_answer a;
        for (size_t n = 0; n < c->answer.n; n++) {
            LABEL("%s, %zu bytes of the answer", c->label, n);
            CHECK_EQ_INT(modbus_decode_answer((struct bytes){c->answer.p, n}, &c->q, &a),
                         ERR_PROTOCOL);
        }
        for (size_t n = 0; n < c->request.n; n++) {
            LABEL("%s, %zu bytes of the request", c->label, n);
            CHECK(modbus_decode_request((struct bytes){c->request.p, n}, &q) != ERR_OK);
        }
        LABEL("%s, a byte more", c->label);
        memcpy(longer, c->answer.p, c->answer.n);
        CHECK_EQ_INT(modbus_decode_answer((struct bytes){longer, c->answer.n + 1}, &c->q, &a),
                     ERR_PROTOCOL);
        memcpy(longer, c->request.p, c->request.n);
        CHECK(modbus_decode_request((struct bytes){longer, c->request.n + 1}, &q) != ERR_OK);
    }
}

TEST(modbus_exceptions)
{
    const struct modbus_request q = {MODBUS_READ_HOLDING, 1, 1, {0}};
    struct modbus_answer a;
    uint8_t buf[8];
    struct writer w = writer_from(buf, sizeof(buf));
    CHECK_EQ_INT(modbus_encode_answer(&w, &q, (struct bytes){0}, MODBUS_ILLEGAL_ADDRESS), ERR_OK);
    check_bytes(written(&w), (struct bytes){BYTES(0x83, 2)});
    CHECK_EQ_INT(modbus_decode_answer(written(&w), &q, &a), ERR_OK);
    CHECK_EQ_INT(a.exception, 2);
    CHECK_EQ_INT(modbus_decode_answer((struct bytes){BYTES(0x83)}, &q, &a), ERR_PROTOCOL);
    CHECK_EQ_INT(modbus_decode_answer((struct bytes){BYTES(0x83, 0)}, &q, &a), ERR_PROTOCOL);
    CHECK_EQ_INT(modbus_decode_answer((struct bytes){BYTES(0x84, 2)}, &q, &a), ERR_PROTOCOL);
    CHECK_EQ_STR(modbus_exception_name(2), "illegal data address");
    CHECK_EQ_STR(modbus_exception_name(7), "exception");
    CHECK_EQ_STR(modbus_exception_name(200), "exception");
}

TEST(modbus_an_answer_to_another_write_is_none)
{
    const struct modbus_request q = {MODBUS_WRITE_REGISTER, 1, 1, {BYTES(0, 3)}};
    struct modbus_answer a;
    CHECK_EQ_INT(modbus_decode_answer((struct bytes){BYTES(6, 0, 2, 0, 3)}, &q, &a), ERR_PROTOCOL);
    CHECK_EQ_INT(modbus_decode_answer((struct bytes){BYTES(6, 0, 1, 0, 4)}, &q, &a), ERR_PROTOCOL);
}

TEST(modbus_requests_out_of_bounds)
{
    const struct {
        const char *label;
        struct modbus_request q;
        enum err want;
    } rows[] = {
        {"125 registers", {MODBUS_READ_HOLDING, 0, 125, {0}}, ERR_OK},
        {"126 registers", {MODBUS_READ_HOLDING, 0, 126, {0}}, ERR_RANGE},
        {"2000 coils", {MODBUS_READ_COILS, 0, 2000, {0}}, ERR_OK},
        {"2001 coils", {MODBUS_READ_COILS, 0, 2001, {0}}, ERR_RANGE},
        {"none", {MODBUS_READ_INPUT, 0, 0, {0}}, ERR_RANGE},
        {"the last register", {MODBUS_READ_INPUT, 65535, 1, {0}}, ERR_OK},
        {"behind the last", {MODBUS_READ_INPUT, 65535, 2, {0}}, ERR_RANGE},
        {"no data", {MODBUS_WRITE_REGISTER, 0, 1, {0}}, ERR_INVALID},
        {"too little data", {MODBUS_WRITE_REGISTERS, 0, 2, {BYTES(1, 2)}}, ERR_INVALID},
        {"unknown", {(enum modbus_function)23, 0, 1, {0}}, ERR_UNSUPPORTED},
        {"function 0", {(enum modbus_function)0, 0, 1, {0}}, ERR_UNSUPPORTED},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].label);
        CHECK_EQ_INT(modbus_request_check(&rows[i].q), rows[i].want);
    }
    struct modbus_request q;
    CHECK_EQ_INT(modbus_decode_request((struct bytes){BYTES(43, 14, 1, 0)}, &q), ERR_UNSUPPORTED);
    CHECK_EQ_INT(modbus_decode_request((struct bytes){BYTES(5, 0, 1, 0x12, 0)}, &q), ERR_PROTOCOL);
}

TEST(modbus_tcp_frames)
{
    uint8_t buf[MODBUS_TCP_MAX];
    struct writer w = writer_from(buf, sizeof(buf));
    struct modbus_frame f;
    modbus_tcp_encode(&w, 0x1501, 0xFF, (struct bytes){BYTES(4, 0, 0, 0, 1)});
    check_bytes(written(&w), (struct bytes){BYTES(0x15, 1, 0, 0, 0, 6, 0xFF, 4, 0, 0, 0, 1)});
    for (size_t n = 0; n < writer_len(&w); n++) {
        LABEL("%zu bytes", n);
        CHECK_EQ_INT(modbus_tcp_decode((struct bytes){buf, n}, &f), ERR_AGAIN);
    }
    CHECK_EQ_INT(modbus_tcp_decode((struct bytes){buf, sizeof(buf)}, &f), ERR_OK);
    CHECK(f.transaction == 0x1501 && f.unit == 0xFF && f.size == 12);
    check_bytes(f.pdu, (struct bytes){BYTES(4, 0, 0, 0, 1)});
    const struct bytes bad[] = {
        {BYTES('H', 'T', 'T', 'P', '/', '1')},
        {BYTES(0, 1, 0, 0, 0, 1)},
        {BYTES(0, 1, 0, 0, 0, 255)},
        {BYTES(0, 1, 0, 1, 0, 6)},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        LABEL("bad %zu", i);
        CHECK_EQ_INT(modbus_tcp_decode(bad[i], &f), ERR_PROTOCOL);
    }
}

TEST(modbus_crc)
{
    CHECK_EQ_UINT(modbus_crc16("123456789", 9), 0x4B37); /* the catalogue's check value */
    CHECK_EQ_UINT(modbus_crc16("", 0), 0xFFFF);
    const uint8_t wire[] = {1, 4, 2, 0xFF, 0xFF};
    CHECK_EQ_UINT(modbus_crc16(wire, sizeof(wire)), 0x80B8);
}

static const struct modbus_request rtu_q = {MODBUS_READ_HOLDING, 0x6B, 2, {0}};

/* Noise, then the frame, then something. */
TEST(modbus_rtu_answers_are_found_behind_noise)
{
    static const uint8_t answer[] = {0x11, 3, 4, 2, 0x2B, 0, 0x64};
    const struct {
        const char *label;
        struct bytes before;
    } rows[] = {
        {"nothing", {0}},
        {"a byte", {BYTES(0)}},
        {"the echo of the request", {BYTES(0x11, 3, 0, 0x6B, 0, 2, 0xB7, 0x47)}},
        {"its unit alone", {BYTES(0x11)}},
        {"a head that is none", {BYTES(0x11, 3, 4)}},
        {"another unit's answer", {BYTES(0x12, 3, 4, 1, 2, 3, 4, 0x5B, 0xB2)}},
        {"an answer with a wrong sum", {BYTES(0x11, 3, 4, 9, 9, 9, 9, 0, 0)}},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t buf[64];
        struct modbus_frame f;
        LABEL("%s", rows[i].label);
        struct writer w = writer_from(buf, sizeof(buf));
        writer_bytes(&w, rows[i].before.p, rows[i].before.n);
        modbus_rtu_encode(&w, answer[0], (struct bytes){answer + 1, sizeof(answer) - 1});
        size_t end = writer_len(&w);
        writer_u16(&w, 0x1103);
        for (size_t n = 0; n < end; n++)
            CHECK_EQ_INT(modbus_rtu_find((struct bytes){buf, n}, 0x11, &rtu_q, &f), ERR_AGAIN);
        CHECK_EQ_INT(modbus_rtu_find((struct bytes){buf, writer_len(&w)}, 0x11, &rtu_q, &f),
                     ERR_OK);
        CHECK_EQ_UINT(f.size, end);
        check_bytes(f.pdu, (struct bytes){answer + 1, sizeof(answer) - 1});
    }
}

TEST(modbus_rtu_exceptions_and_damage)
{
    uint8_t buf[16];
    struct modbus_frame f;
    struct writer w = writer_from(buf, sizeof(buf));
    modbus_rtu_encode(&w, 0x11, (struct bytes){BYTES(0x83, 2)});
    CHECK_EQ_INT(modbus_rtu_find(written(&w), 0x11, &rtu_q, &f), ERR_OK);
    check_bytes(f.pdu, (struct bytes){BYTES(0x83, 2)});
    buf[2] ^= 1;
    CHECK_EQ_INT(modbus_rtu_find(written(&w), 0x11, &rtu_q, &f), ERR_AGAIN);
    CHECK(modbus_rtu_is_broken(written(&w), 0x11, &rtu_q));
    CHECK(!modbus_rtu_is_broken((struct bytes){buf, 4}, 0x11, &rtu_q)); /* more may come */
    CHECK(!modbus_rtu_is_broken(written(&w), 0x12, &rtu_q));
}

TEST(modbus_rtu_requests)
{
    for (size_t i = 0; i < ARRAY_LEN(pdu_cases); i++) {
        const struct pdu_case *c = &pdu_cases[i];
        uint8_t buf[64];
        struct modbus_frame f;
        LABEL("%s", c->label);
        struct writer w = writer_from(buf, sizeof(buf));
        modbus_rtu_encode(&w, 7, c->request);
        for (size_t n = 0; n < writer_len(&w); n++)
            CHECK_EQ_INT(modbus_rtu_decode_request((struct bytes){buf, n}, &f), ERR_AGAIN);
        CHECK_EQ_INT(modbus_rtu_decode_request(written(&w), &f), ERR_OK);
        CHECK_EQ_INT(f.unit, 7);
        check_bytes(f.pdu, c->request);
        buf[writer_len(&w) - 1] ^= 0x80;
        CHECK_EQ_INT(modbus_rtu_decode_request(written(&w), &f), ERR_PROTOCOL);
    }
}

TEST(modbus_rtu_silence)
{
    CHECK_EQ_INT(modbus_rtu_silence_ns(9600), 4010416); /* 3.5 × 11 bits */
    CHECK_EQ_INT(modbus_rtu_silence_ns(115200), 1750000);
    CHECK_EQ_INT(modbus_rtu_time_ns(9600, 8), 9166666);
}

/* --- numbers --- */

struct number_row {
    const char *label;
    struct modbus_form form;
    uint8_t bytes[8];
    bool is_float;
    int64_t i;
    double f;
};

static void convert(const struct number_row *rows, size_t rows_n)
{
    for (size_t i = 0; i < rows_n; i++) {
        struct modbus_number n = {0};
        uint8_t back[8] = {0};
        LABEL("%s", rows[i].label);
        CHECK_EQ_INT(modbus_decode_number(&rows[i].form, rows[i].bytes, &n), ERR_OK);
        CHECK(n.is_float == rows[i].is_float);
        CHECK(n.f == rows[i].f); /* exactly: no 23.400000000000002 */
        CHECK(n.is_float || n.i == rows[i].i);
        if (rows[i].form.type == MODBUS_BIT)
            continue;
        CHECK_EQ_INT(modbus_encode_number(&rows[i].form, &n, back), ERR_OK);
        CHECK_EQ_MEM(back, rows[i].bytes, 2 * modbus_type_size(rows[i].form.type));
    }
}

TEST(modbus_numbers_in_every_order)
{
    static const struct number_row rows[] = {
        {"u16", {.type = MODBUS_U16}, {0xFE, 0x0C}, false, 65036, 65036},
        {"i16", {.type = MODBUS_I16}, {0xFE, 0x0C}, false, -500, -500},
        {"u16 badc", {.type = MODBUS_U16, .order = MODBUS_BADC}, {0x0C, 0xFE}, false, 65036, 65036},
        {"u16 cdab is as abcd",
         {.type = MODBUS_U16, .order = MODBUS_CDAB},
         {0xFE, 0x0C},
         false,
         65036,
         65036},
        {"bit 3", {.type = MODBUS_BIT, .bit = 3}, {0, 8}, false, 1, 1},
        {"bit 15", {.type = MODBUS_BIT, .bit = 15}, {0x7F, 0xFF}, false, 0, 0},
        {"u32 abcd", {.type = MODBUS_U32}, {1, 2, 3, 4}, false, 0x01020304, 0x01020304},
        {"u32 cdab",
         {.type = MODBUS_U32, .order = MODBUS_CDAB},
         {3, 4, 1, 2},
         false,
         0x01020304,
         0x01020304},
        {"u32 badc",
         {.type = MODBUS_U32, .order = MODBUS_BADC},
         {2, 1, 4, 3},
         false,
         0x01020304,
         0x01020304},
        {"u32 dcba",
         {.type = MODBUS_U32, .order = MODBUS_DCBA},
         {4, 3, 2, 1},
         false,
         0x01020304,
         0x01020304},
        {"i32", {.type = MODBUS_I32}, {0xFF, 0xFF, 0xFF, 0xFE}, false, -2, -2},
        {"i64 cdab",
         {.type = MODBUS_I64, .order = MODBUS_CDAB},
         {7, 8, 5, 6, 3, 4, 1, 2},
         false,
         0x0102030405060708,
         (double)0x0102030405060708},
        {"i64 dcba",
         {.type = MODBUS_I64, .order = MODBUS_DCBA},
         {8, 7, 6, 5, 4, 3, 2, 1},
         false,
         0x0102030405060708,
         (double)0x0102030405060708},
        {"u64 above i64", {.type = MODBUS_U64}, {0x80}, true, 0, 0x1p63},
        {"f32", {.type = MODBUS_F32}, {0x42, 0xC8, 0, 0}, true, 0, 100},
        {"f32 cdab", {.type = MODBUS_F32, .order = MODBUS_CDAB}, {0, 0, 0x42, 0xC8}, true, 0, 100},
        {"f64", {.type = MODBUS_F64}, {0x40, 0x59, 0, 0, 0, 0, 0, 0}, true, 0, 100},
    };
    convert(rows, ARRAY_LEN(rows));
}

TEST(modbus_numbers_with_scale_and_offset)
{
    static const struct number_row rows[] = {
        {"scaled", {.type = MODBUS_I16, .scale = 0.1}, {0, 234}, true, 0, 23.4},
        {"scaled, the other way round",
         {.type = MODBUS_I16, .scale = -0.001},
         {0, 234},
         true,
         0,
         -0.234},
        {"scaled and moved",
         {.type = MODBUS_U16, .scale = 0.5, .offset = -40},
         {0, 100},
         true,
         0,
         10},
        {"whole scale", {.type = MODBUS_U16, .scale = 10}, {0, 7}, true, 0, 70},
    };
    convert(rows, ARRAY_LEN(rows));
}

static double decoded(float f, uint32_t *raw)
{
    const struct modbus_form form = {.type = MODBUS_F32};
    struct modbus_number n = {0};
    memcpy(raw, &f, sizeof(f));
    const uint8_t bytes[] = {(uint8_t)(*raw >> 24), (uint8_t)(*raw >> 16), (uint8_t)(*raw >> 8),
                             (uint8_t)*raw};
    CHECK_EQ_INT(modbus_decode_number(&form, bytes, &n), ERR_OK);
    return n.f;
}

TEST(modbus_floats_are_the_decimals_that_were_meant)
{
    static const double meant[] = {230.1,     -0.1, 2.8,    229.15439, 0.98,    1e-3,
                                   123456.79, 50,   0.3333, -40.25,    999999.9};
    uint32_t raw;
    for (size_t i = 0; i < ARRAY_LEN(meant); i++) {
        LABEL("%g", meant[i]);
        CHECK(decoded((float)meant[i], &raw) == meant[i]);
    }
    CHECK(decoded(1.17549435e-38F, &raw) == 0x1p-126); /* far from what anybody measures */
    CHECK(decoded(16777216, &raw) == 16777216);
    CHECK(decoded(3e38F, &raw) == (double)3e38F);
    CHECK(decoded(0, &raw) == 0);
    uint64_t x = 1;
    for (int i = 0; i < 100000; i++) { /* whatever it is, it is the same float again */
        float f;
        x = x * 6364136223846793005U + 1442695040888963407U;
        uint32_t bits = (uint32_t)(x >> 32);
        memcpy(&f, &bits, sizeof(f));
        if (isfinite(f) && (float)decoded(f, &raw) != f)
            CHECK_EQ_INT(raw, 0);
    }
}

TEST(modbus_numbers_that_are_none)
{
    static const struct {
        struct modbus_form form;
        uint8_t bytes[8];
    } rows[] = {
        {{.type = MODBUS_F32}, {0x7F, 0xC0}},
        {{.type = MODBUS_F32}, {0x7F, 0x80}},
        {{.type = MODBUS_F64}, {0xFF, 0xF0}},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct modbus_number n;
        LABEL("%zu", i);
        CHECK_EQ_INT(modbus_decode_number(&rows[i].form, rows[i].bytes, &n), ERR_RANGE);
    }
}

TEST(modbus_numbers_that_do_not_fit)
{
    static const struct {
        enum modbus_type type;
        double v;
        enum err want;
    } rows[] = {
        {MODBUS_I16, 32767, ERR_OK},       {MODBUS_I16, 32768, ERR_RANGE},
        {MODBUS_I16, -32768, ERR_OK},      {MODBUS_I16, -32769, ERR_RANGE},
        {MODBUS_U16, 65535.4, ERR_OK},     {MODBUS_U16, 65535.6, ERR_RANGE},
        {MODBUS_U16, -0.4, ERR_OK},        {MODBUS_U16, -1, ERR_RANGE},
        {MODBUS_U32, 0x1p32, ERR_RANGE},   {MODBUS_U64, 0x1p64, ERR_RANGE},
        {MODBUS_I64, 0x1p63, ERR_RANGE},   {MODBUS_F32, 1e39, ERR_RANGE},
        {MODBUS_F32, 3e38, ERR_OK},        {MODBUS_F64, 1e300, ERR_OK},
        {MODBUS_I16, NAN, ERR_RANGE},      {MODBUS_F64, NAN, ERR_RANGE},
        {MODBUS_F64, INFINITY, ERR_RANGE}, {MODBUS_BIT, NAN, ERR_RANGE},
        {MODBUS_BIT, INFINITY, ERR_RANGE}, {MODBUS_BIT, 1, ERR_OK},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct modbus_form form = {.type = rows[i].type};
        const struct modbus_number n = {.is_float = true, .f = rows[i].v};
        uint8_t at[8] = {0};
        LABEL("%s %g", modbus_type_name(rows[i].type), rows[i].v);
        CHECK_EQ_INT(modbus_encode_number(&form, &n, at), rows[i].want);
    }
    const struct modbus_form u16 = {.type = MODBUS_U16}, i64 = {.type = MODBUS_I64},
                             u64 = {.type = MODBUS_U64};
    uint8_t at[8];
    CHECK_EQ_INT(modbus_encode_number(&u16, &(struct modbus_number){.i = 65536, .f = 65536}, at),
                 ERR_RANGE);
    CHECK_EQ_INT(modbus_encode_number(&u64, &(struct modbus_number){.i = -1, .f = -1}, at),
                 ERR_RANGE);
    /* Beyond what a double holds exactly. */
    CHECK_EQ_INT(modbus_encode_number(
                     &i64, &(struct modbus_number){.i = INT64_MAX, .f = (double)INT64_MAX}, at),
                 ERR_OK);
    CHECK_EQ_MEM(at, "\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 8);
}

TEST(modbus_a_bit_is_changed_among_the_others)
{
    const struct modbus_form form = {.type = MODBUS_BIT, .bit = 4};
    uint8_t at[2] = {0xA5, 0x0F};
    CHECK_EQ_INT(modbus_encode_number(&form, &(struct modbus_number){.i = 1, .f = 1}, at), ERR_OK);
    CHECK_EQ_MEM(at, "\xA5\x1F", 2);
    CHECK_EQ_INT(modbus_encode_number(&form, &(struct modbus_number){0}, at), ERR_OK);
    CHECK_EQ_MEM(at, "\xA5\x0F", 2);
}

TEST(modbus_words)
{
    CHECK_EQ_INT(modbus_table_from(STR("holding")), MODBUS_HOLDING);
    CHECK_EQ_INT(modbus_table_from(STR("Holding")), -1);
    CHECK_EQ_INT(modbus_type_from(STR("f64")), MODBUS_F64);
    CHECK_EQ_INT(modbus_type_from(STR("u8")), -1);
    CHECK_EQ_INT(modbus_order_from(STR("dcba")), MODBUS_DCBA);
    for (int i = 0; i < 9; i++)
        CHECK_EQ_INT(modbus_type_from(str_from(modbus_type_name((enum modbus_type)i))), i);
    CHECK_EQ_INT(modbus_read_function(MODBUS_INPUT), MODBUS_READ_INPUT);
}
