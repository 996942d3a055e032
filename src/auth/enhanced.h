/* enhanced: authentication in several steps, as MQTT 5.0 has it (4.12).
 *
 * Why: a client proves who it is without sending its password, and a broker knows no more than the
 * method's name: it hands over what the client sends and passes on what the method answers. A
 * method is a row of functions; SCRAM (scram.h) is the one that sedge brings along.
 * Exchange: begin(), then step() for each message of the client until it is over; the last answer
 * goes out with the success. Another exchange on the same connection proves the same user again.
 * A step does not block: what takes long has no place here.
 * Ownership: an exchange is its taker's until end(); answers and `user` live until the next call.
 * Threads: a method: any; an exchange: one worker. */
#pragma once

#include "base/cursor.h"

enum enhanced_result {
    ENHANCED_MORE, /* *answer is for the client, who is to go on */
    ENHANCED_DONE, /* x->user has proven to be it; *answer goes with the success, may be empty */
    ENHANCED_DENIED,
};
struct enhanced {
    enum enhanced_result (*step)(struct enhanced *x, struct bytes message, struct bytes *answer);
    void (*end)(struct enhanced *x);
    struct str user; /* after ENHANCED_DONE */
};
struct enhanced_method {
    struct str name;
    struct enhanced *(*begin)(const struct enhanced_method *m,
                              struct alloc *a); /* NULL: no memory */
};
