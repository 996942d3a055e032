/* What the site's access rules say about the client of a session.
 *
 * Asked when it publishes, when it subscribes, when a message comes for
 * it (by the bus), and once more when that message leaves: a session waits for its client longer
 * than rules last, and after a restart nobody knows yet whose it is. A site without rules asks
 * nothing. */
#include "protocol/mqtt_broker.h"

#include <string.h>

struct rights {
    struct access_view view;
    struct alloc *alloc;
    size_t size;
    char names[]; /* what the view borrows */
};

static struct str keep(char *at, struct str s)
{
    if (s.n)
        memcpy(at, s.p, s.n);
    return (struct str){at, s.n};
}

/* A name that nobody has proven is no name. */
static struct access_client client_of(const struct mqtt_connection *c, struct str id)
{
    return (struct access_client){c->proven ? connection_user(c) : (struct str){NULL, 0}, id};
}

/* NULL: no memory. */
static struct rights *rights_new(const struct mqtt_connection *c, struct str id)
{
    struct alloc *a = c->shard->alloc;
    struct str user = client_of(c, id).user;
    size_t size = sizeof(struct rights) + user.n + id.n;
    struct rights *r = mem_zero(a, size);
    if (!r)
        return NULL;
    r->alloc = a;
    r->size = size;
    struct access_client who = {.id = keep(r->names + user.n, id)};
    if (user.p)
        who.user = keep(r->names, user);
    access_view_init(&r->view, a, &who);
    return r;
}

void rights_free(struct rights *r)
{
    if (!r)
        return;
    access_view_fini(&r->view);
    mem_free(r->alloc, r, r->size);
}

bool session_asked(struct mqtt_session *s, enum access_right right, struct str subject,
                   char why[160])
{
    struct access *access = s->shard->server->cfg.access;
    if (!s->rights && s->connection)
        s->rights = rights_new(s->connection, session_id(s));
    if (s->rights)
        return access_may(access, &s->rights->view, right, subject, why);
    if (!s->connection) /* asked again when it leaves */
        return true;
    const struct access_client who = client_of(s->connection, session_id(s));
    struct access_view view; /* no memory for one that stays */
    access_view_init(&view, s->shard->alloc, &who);
    bool allowed = access_may(access, &view, right, subject, why);
    access_view_fini(&view);
    return allowed;
}

/* ---- for the bus, which asks about deliveries ---- */

static bool check(const struct bus_access *a, const struct bus_publisher *who, enum bus_act act,
                  struct str topic, char *why)
{
    struct mqtt_session *s = who->rights;
    (void)a;
    if (act != BUS_ACT_DELIVER || session_may(s, ACCESS_DELIVER, topic, why))
        return true;
    mqtt_dropped(s->shard, MQTT_DROP_WITHHELD);
    return false;
}

static void changed(void *ctx)
{
    static const struct bus_access hook = {check};
    const struct mqtt_server *s = ctx;
    bus_access_set(s->cfg.bus, access_has_rules(s->cfg.access) ? &hook : NULL);
}

void rights_watch(struct mqtt_server *s)
{
    if (s->cfg.access)
        access_watch(s->cfg.access, changed, s);
}

void rights_unwatch(struct mqtt_server *s)
{
    if (!s->cfg.access)
        return;
    access_watch(s->cfg.access, NULL, NULL);
    bus_access_set(s->cfg.bus, NULL);
}
