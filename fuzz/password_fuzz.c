/* Any bytes as the hash of a line in a password file, and as a user's name. Nothing is computed:
 * what is under test is what is believed before. */
#include "auth/password.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct str text = {(const char *)data, size};
    if (password_hash_known(text))
        ASSERT(text.p[0] == '$' && text.n < 4096);
    if (password_user_valid(text))
        ASSERT(text.n <= USER_NAME_MAX && !memchr(text.p, ':', text.n));
    return 0;
}
