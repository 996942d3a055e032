/* message_db: a message as a value of the database. */
#include "bus/message.h"

#include <sqlite3.h>
#include <string.h>

enum err message_bind(struct sqlite3_stmt *s, int parameter, const struct message *m)
{
    struct message_head head;
    struct iovec parts[MESSAGE_PARTS];
    (void)message_record(m, &(struct message_origin){0}, &head, parts);
    size_t n = parts[0].iov_len + parts[3].iov_len; /* without an origin */
    uint8_t *body = sqlite3_malloc64(n);
    if (!body)
        return ERR_NOMEM;
    memcpy(body, parts[0].iov_base, parts[0].iov_len);
    memcpy(body + parts[0].iov_len, parts[3].iov_base, parts[3].iov_len);
    return sqlite3_bind_blob64(s, parameter, body, n, sqlite3_free) ? ERR_NOMEM : ERR_OK;
}
