/* Those of the cast that have wills. */
#include "site/sim_cut_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LAMP_S 20 /* its keep-alive: it waits for so long and a half, and no run takes longer */

static int64_t now_ns(const struct play *p)
{
    return sim_now_ns(p->sim);
}

static void nothing(struct sim_peer *peer, const struct mqtt_publish *m)
{
    (void)peer, (void)m;
}

static void put_will(struct mqtt_connect *m, struct str topic, struct str payload)
{
    m->has_will = true;
    m->will_qos = 2;
    m->will_topic = topic;
    m->will_payload = (struct bytes){(const uint8_t *)payload.p, payload.n};
}

/* --- mortal --- */

static void mortal_connecting(struct sim_peer *peer, struct mqtt_connect *m)
{
    struct play *p = peer->ctx;
    static char text[8];
    HOLDS(p, p->wills_n < WILLS_MAX - 1);
    p->wills_n += p->wills_n < WILLS_MAX - 1;
    (void)snprintf(text, sizeof(text), "%d", p->wills_n);
    put_will(m, STR("will"), str_from(text));
}

static void mortal_online(struct sim_peer *peer, bool present)
{
    struct play *p = peer->ctx;
    HOLDS(p, peer->lives == 1 || present);
    p->wills[p->wills_n].stood = true;
    p->mortal_at_ns = now_ns(p);
}

void cast_wills_turn(struct play *p)
{
    struct sim_peer *m = &p->mortal;
    struct will_model *w = &p->wills[p->wills_n];
    if (!m->wanted) {
        peer_come(m);
    } else if (m->connected && now_ns(p) - p->mortal_at_ns > 90 * CUT_MS) {
        w->left_ns = now_ns(p);
        w->polite = p->wills_n % 3 == 0;
        if (w->polite)
            peer_leave(m);
        else
            peer_drop(m);
    }
}

/* A goodbye is on disk after a second; and who is back before the site has told anybody of a will
 * has taken it back. */
static bool cut_soon_after(const struct play *p, int64_t at_ns)
{
    for (int i = 0; i < p->crashes; i++)
        if (p->crash_ns[i] >= at_ns && p->crash_ns[i] < at_ns + 2 * CUT_SECOND)
            return true;
    return false;
}

static bool owed(const struct play *p, const struct will_model *w)
{
    return w->stood && w->left_ns && !w->polite && !cut_soon_after(p, w->left_ns);
}

/* --- lamp --- */

static void lamp_connecting(struct sim_peer *peer, struct mqtt_connect *m)
{
    (void)peer;
    m->keep_alive_s = LAMP_S;
    put_will(m, STR("will/lamp"), STR("out"));
}

static void lamp_online(struct sim_peer *peer, bool present)
{
    struct play *p = peer->ctx;
    HOLDS(p, !present);
    p->lamp_stood = true;
}

static bool lamp_owed(const struct play *p)
{
    return p->lamp_stood && p->crashes;
}

/* --- all of them --- */

void cast_wills_init(struct play *p)
{
    p->mortal = (struct sim_peer){.version = MQTT_V311,
                                  .connecting = mortal_connecting,
                                  .online = mortal_online,
                                  .message = nothing};
    p->lamp = (struct sim_peer){.version = MQTT_V311,
                                .clean = true,
                                .connecting = lamp_connecting,
                                .online = lamp_online,
                                .message = nothing};
}

bool cast_wills_hear(struct play *p, const struct mqtt_publish *m)
{
    char text[8] = "";
    if (str_eq(m->topic, STR("will/lamp"))) {
        p->lamp_times++;
        return true;
    }
    if (!str_eq(m->topic, STR("will")))
        return false;
    memcpy(text, m->payload.p, m->payload.n < sizeof(text) - 1 ? m->payload.n : sizeof(text) - 1);
    long n = strtol(text, NULL, 10);
    HOLDS(p, n > 0 && n <= p->wills_n && n < WILLS_MAX);
    if (!p->broken)
        p->wills[n].times++;
    return true;
}

bool cast_wills_heard(const struct play *p)
{
    for (int i = 1; i <= p->wills_n; i++)
        if (owed(p, &p->wills[i]) && !p->wills[i].times)
            return false;
    return !lamp_owed(p) || p->lamp_times;
}

void cast_wills_note(const struct play *p)
{
    for (int i = 1; i <= p->wills_n; i++)
        if (owed(p, &p->wills[i]) && !p->wills[i].times)
            test_note("will %d is missing, of %d", i, p->wills_n);
    if (lamp_owed(p) && !p->lamp_times)
        test_note("the will of the lamp is missing");
}

void cast_wills_check(struct play *p)
{
    for (int i = 1; i <= p->wills_n; i++) {
        const struct will_model *w = &p->wills[i];
        HOLDS(p, w->times <= 1);
        HOLDS(p, !w->polite || !w->times || cut_soon_after(p, w->left_ns));
    }
    HOLDS(p, p->lamp_times <= (p->crashes ? 1 : 0));
    HOLDS(p, cast_wills_heard(p));
}
