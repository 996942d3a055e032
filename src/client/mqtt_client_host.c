/* Where the server is: addresses that never change, or those of a name. */
#include "client/mqtt_client_internal.h"

#include <string.h>

_Static_assert((int)ADDRS_MAX == (int)ASKING_ADDRS_MAX, "an answer has room");

enum err host_keep(struct mqtt_client *c, const struct mqtt_client_config *cfg)
{
    if (cfg->addr.len)
        c->addrs[c->addrs_n++] = cfg->addr;
    for (size_t i = 0; i < cfg->others_n; i++)
        c->addrs[c->addrs_n++] = cfg->others[i];
    if (cfg->host.n == 0)
        return c->addrs_n ? ERR_OK : ERR_INVALID;
    struct addr literal;
    if (addr_parse(&literal, cfg->host, cfg->port) == ERR_OK) { /* nobody need be asked */
        c->addrs[0] = literal;
        c->addrs_n = 1;
        return ERR_OK;
    }
    if (cfg->host.n >= LOOK_UP_HOST_MAX)
        return ERR_INVALID;
    c->host = str_dup(cfg->alloc, cfg->host);
    c->host_n = cfg->host.n;
    c->look_again = c->addrs_n == 0;
    return c->host ? ERR_OK : ERR_NOMEM;
}

void host_forget(struct mqtt_client *c)
{
    addr_ask_forget(c->asking);
    c->asking = NULL;
}

void host_lost(struct mqtt_client *c, bool was_online)
{
    if (was_online) /* what was asked before is old */
        host_forget(c);
    if (!was_online && c->addrs_n)
        c->addr_at = (c->addr_at + 1) % c->addrs_n;
    c->look_again = c->look_again || was_online || c->addr_at == 0;
}

/* The one that was in use first: a server that has only gone for a moment is there again. */
static void take(struct mqtt_client *c, const struct addr *addrs, size_t n)
{
    const struct addr before = c->addrs[c->addr_at];
    bool had = c->addrs_n > 0;
    memcpy(c->addrs, addrs, n * sizeof(*addrs));
    c->addrs_n = n;
    c->addr_at = 0;
    for (size_t i = 0; had && i < n; i++)
        if (addrs[i].len == before.len && memcmp(&addrs[i].sa, &before.sa, before.len) == 0)
            c->addr_at = i;
}

enum err host_look(struct mqtt_client *c, struct error *e)
{
    const struct addr *addrs;
    size_t n;
    if (!c->host || !c->look_again)
        return ERR_OK;
    enum err err = ERR_OK;
    if (!c->asking)
        err = addr_ask(&c->asking, c->worker, c->cfg.resolve, (struct str){c->host, c->host_n},
                       c->cfg.port, &c->task);
    if (!err)
        err = addr_answer(c->asking, &addrs, &n, e);
    if (err == ERR_AGAIN)
        return err;
    c->look_again = false;
    if (!err)
        take(c, addrs, n);
    host_forget(c);
    return c->addrs_n ? ERR_OK : err;
}

enum err host_late(struct mqtt_client *c)
{
    /* The asking goes on, and its answer is for the next attempt: never two of them. */
    return c->addrs_n ? ERR_OK : ERR_TIMEOUT;
}
