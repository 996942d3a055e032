/* mqtt_access: who a client is and what it may do, and what is told of it: the part of
 * mqtt_broker.h (which includes it) that is about mqtt_auth.c, mqtt_rights.c, mqtt_denied.c,
 * mqtt_share.c and mqtt_sys.c. */
#pragma once

#include "protocol/mqtt_broker.h"

/* mqtt_auth.c */
enum handled auth_begin(struct mqtt_connection *c, const struct mqtt_connect *m);
enum handled handle_auth(struct mqtt_connection *c, const struct mqtt_packet *p);
enum handled handle_auth_left(struct mqtt_connection *c, const struct mqtt_packet *p);
void auth_put_connack(const struct mqtt_connection *c, struct mqtt_props *props);
void auth_connected(struct mqtt_connection *c); /* CONNACK has left */
void auth_free(struct mqtt_connection *c);

/* mqtt_share.c */
void shares_hand_over(struct mqtt_session *s);        /* it ends, and is no member any more */
void shares_hand_over_window(struct mqtt_session *s); /* a part of it, */
void share_pass_on(struct mqtt_session *s, const struct outgoing *o); /* and one of it */
bool session_again(struct subscriber *sub, struct message *m, const struct sub_options *options);
/* A share by its number in the database; most rows have that of the one before. */
struct share_known {
    uint64_t key;
    uint32_t share_id;
};
static inline uint32_t share_id_of(struct bus *b, struct share_known *known, uint64_t key)
{
    if (key != known->key)
        *known = (struct share_known){key, bus_share_find(b, key)};
    return known->share_id;
}
/* Replay: it got this by a share. Others may have had it. */
void shares_noted(struct mqtt_session *s, uint64_t seq, uint32_t share_id);
/* Replay: this session had it, not the member that was chosen anew. Gives the entry; false: nobody
 * has it. */
bool shares_take(struct mqtt_session *s, uint64_t seq, struct outgoing *out);
/* Replay: does a member hold it since the last checkpoint? */
/* A record says that s has it now (NULL: one that is not stored), and not who had it. */
void shares_moved(struct mqtt_server *server, struct mqtt_session *s, uint64_t seq, uint64_t key);
void shares_give(struct mqtt_session *s, uint64_t key, struct message *m);
bool shares_held(const struct mqtt_server *server, uint64_t seq, uint32_t share_id);
void shares_forget(struct mqtt_server *server);

/* mqtt_rights.c */
void rights_watch(struct mqtt_server *s); /* the bus asks while the site has rules */
void rights_unwatch(struct mqtt_server *s);
void rights_free(struct rights *r);
bool session_asked(struct mqtt_session *s, enum access_right right, struct str subject,
                   char why[160]);
/* Whether its client may; if not, *why (may be NULL) says so. */
static inline bool session_may(struct mqtt_session *s, enum access_right right, struct str subject,
                               char why[160])
{
    const struct access *access = s->shard->server->cfg.access;
    return !access || !access_has_rules(access) || session_asked(s, right, subject, why);
}

/* mqtt_denied.c */
/* Whether it is time to say once more that this is denied. */
bool denied_news(struct mqtt_shard *shard, struct str client, struct str topic);
void publish_denied(struct mqtt_shard *shard, struct str client, struct str user, struct str topic,
                    const char *why);

/* mqtt_sys.c */
MUST_USE enum err sys_new(struct mqtt_server *s);
void sys_start(struct mqtt_server *s);
void sys_free(struct mqtt_server *s);
void sys_send(struct mqtt_session *s,
              const struct subscription *sub); /* as if they were retained */
