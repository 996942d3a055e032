/* Any bytes as the record of a message, as after damage that a checksum has missed. What is
 * accepted is written again and must be the same. */
#include "base/alloc.h"
#include "bus/message.h"

#include <string.h>

static void compare(const struct message *m, struct str publisher, const uint8_t *data, size_t size)
{
    struct message_head head;
    struct iovec parts[3];
    size_t at = 0;
    unsigned n = message_record(m, publisher, &head, parts);
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
    struct str publisher = message_record_publisher(body);
    struct message *m = message_decode(alloc_system(), body, 1, 0);
    if (m && publisher.n <= MESSAGE_PUBLISHER_MAX)
        compare(m, publisher, data, size);
    message_unref(m);
    return 0;
}
