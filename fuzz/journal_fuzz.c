/* The journal's reader over arbitrary bytes: heads of segments, frames, records. The check sum
 * would hide everything behind it, so one frame is given a right one. */
#include "base/map.h"
#include "store/journal_internal.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t read_frame(struct frame_unpacker *u, const struct frame_head *h, struct bytes body)
{
    struct bytes raw;
    if (h->raw > (1u << 20) || frame_unpack(u, h, body, &raw) != ERR_OK)
        return 0;
    struct cursor c = cursor_from(raw.p, raw.n);
    struct journal_record r;
    uint64_t sum = 0;
    while (record_next(&c, h->wall_ms, &r)) {
        ASSERT(r.body.n <= raw.n);
        for (size_t i = 0; i < r.body.n; i++)
            sum += r.body.p[i];
    }
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct segment_head sh;
    (void)segment_head_decode((struct bytes){data, size}, &sh);
    struct frame_unpacker u = {.alloc = alloc_system()};
    struct frame_head h;
    struct bytes body;
    size_t at = 0;
    uint64_t sum = 0;
    while (frame_find((struct bytes){data, size}, &at, FRAME_ANY_SEGMENT, 0, &h, &body)) {
        ASSERT((size_t)(body.p - data) + body.n <= size);
        sum += read_frame(&u, &h, body);
        at += FRAME_HEAD + body.n;
    }
    uint8_t *own = malloc(size + 1);
    if (own && size > FRAME_HEAD) {
        memcpy(own, data, size);
        struct writer w = writer_from(own, 4);
        writer_u32le(&w, FRAME_MAGIC);
        uint32_t stored = (uint32_t)(size - FRAME_HEAD);
        w = writer_from(own + 40, 8);
        writer_u32le(&w, stored);
        writer_u32le(&w, crc32c(crc32c(0, own, 44), own + FRAME_HEAD, stored));
        if (frame_open((struct bytes){own, size}, FRAME_ANY_SEGMENT, &h, &body))
            sum += read_frame(&u, &h, body);
    }
    free(own);
    frame_unpacker_fini(&u);
    return sum == UINT64_MAX ? -1 : 0; /* so that the reading is not left out */
}
