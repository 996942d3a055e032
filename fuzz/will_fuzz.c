/* Any bytes as a stored will, as after damage that nothing has found. What is accepted is written
 * again and must be the same. */
#include "base/alloc.h"
#include "protocol/mqtt_will_body.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct will_body b;
    if (!will_body_read((struct bytes){data, size}, &b))
        return 0;
    ASSERT(will_body_size(&b) == size);
    uint8_t *copy = mem_new(alloc_system(), size);
    ASSERT(copy);
    struct writer to = writer_from(copy, size);
    will_body_write(&b, &to);
    ASSERT(writer_len(&to) == size && memcmp(copy, data, size) == 0);
    mem_free(alloc_system(), copy, size);
    return 0;
}
