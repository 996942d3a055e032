/* Apart from layer.c, so that who uses plain streams only need not link what the layers use. */
#include "net/layer.h"

struct stream_via stream_via_make(struct tls *tls, const struct websocket *websocket,
                                  const char *host)
{
    struct stream_via via = {.tls = tls, .websocket = websocket, .host = host};
    size_t n = 0;
    if (tls)
        via.layers[n++] = tls_layer_new;
    if (websocket)
        via.layers[n] = ws_layer_new;
    return via;
}
