/* Any bytes as the record of a message, as after damage that a checksum has missed. What is
 * accepted is written again and must be the same. */
#include "base/alloc.h"
#include "bus/message.h"

#include <string.h>

static void compare(const struct message *m, const struct message_origin *origin,
                    const uint8_t *data, size_t size)
{
    struct message_head head;
    struct iovec parts[MESSAGE_PARTS];
    size_t at = 0;
    unsigned n = message_record(m, origin, &head, parts);
    head.bytes[0] = data[0]; /* an older version, of which the rest is the same */
    for (unsigned i = 0; i < n; i++) {
        ASSERT(at + parts[i].iov_len <= size);
        ASSERT(!parts[i].iov_len || memcmp(data + at, parts[i].iov_base, parts[i].iov_len) == 0);
        at += parts[i].iov_len;
    }
    ASSERT(at == size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct bytes body = {data, size};
    struct message_origin origin = message_record_origin(body);
    struct message *m = message_decode(alloc_system(), body, 1, 0);
    if (m && origin.publisher.n <= MESSAGE_PUBLISHER_MAX)
        compare(m, &origin, data, size);
    message_unref(m);
    return 0;
}
