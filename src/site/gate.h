/* gate: what stands at a listener: TLS, WebSocket, passwords; with its files read again when
 * they have changed.
 *
 * Ownership: the gate owns what it opened; listeners borrow it. site_gate_close() when the executor
 * does not run any more, before executor_free(). A gate does not move. Threads: worker 0.
 * Errors: at the start, with the file's name. What can't be read again stays as it was. */
#pragma once

#include "auth/password.h"
#include "net/tls.h"
#include "net/via.h"
#include "site/load.h"

enum { SITE_GATE_TEXT_MAX = 256 };

struct site_gate {
    struct password_file *passwords; /* NULL: it asks for none */
    struct tls *tls;                 /* NULL: plain */
    bool certificates;               /* clients are known by theirs */
    struct websocket websocket;
    char path[SITE_GATE_TEXT_MAX], name[SITE_GATE_TEXT_MAX];
    struct stream_via via;
    char text[SITE_GATE_TEXT_MAX]; /* "mqtt 127.0.0.1:8883", for messages */
};

/* `folder`: what relative paths start from. Opened already: nothing happens. */
MUST_USE enum err site_gate_open(struct site_gate *g, struct executor *ex, struct alloc *a,
                                 const char *folder, const char *word, const struct site_listen *l,
                                 struct error *e);
void site_gate_reload(struct site_gate *g);
void site_gate_close(struct site_gate *g);
