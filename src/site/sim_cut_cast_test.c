#include "site/sim_cut_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOOK_MS = 10, HEIR_EXPIRY_S = 2, BRIEF_EXPIRY_S = 1, BURST = 3, PACE_MS = 30 };
enum kind { KIND_LOAD, KIND_KEPT, KIND_WORK, KIND_SAMPLE };

static int64_t now_ns(const struct play *p)
{
    return sim_now_ns(p->sim);
}

/* --- authors --- */

static void taken(struct sim_peer *peer, int number)
{
    struct author *a = CONTAINER_OF(peer, struct author, peer);
    a->all[number].taken = true;
}

/* Which of all that can be sent. The retained counter has one QoS: what is sent twice at QoS 1 may
 * come behind a later one of QoS 2. */
static struct publication choose(struct author *a)
{
    static const uint8_t kinds[10] = {KIND_LOAD, KIND_LOAD, KIND_LOAD, KIND_LOAD, KIND_LOAD,
                                      KIND_LOAD, KIND_KEPT, KIND_WORK, KIND_WORK, KIND_SAMPLE};
    struct publication m = {.kind = kinds[random_below(&a->random, 10)],
                            .topic = (uint8_t)random_below(&a->random, TOPICS),
                            .qos = (uint8_t)(1 + random_below(&a->random, 2))};
    if (m.kind == KIND_KEPT)
        m.qos = (uint8_t)(1 + a->number % 2);
    return m;
}

/* So that the journal is recycled: few bytes that can be compressed. */
static void pad(char *text, struct random *r)
{
    size_t n = strlen(text), end = n + (size_t)random_below(r, PEER_PAYLOAD - 40);
    for (; n < end; n++)
        text[n] = (char)('a' + random_below(r, 16));
    text[n] = '\0';
}

static bool publish_next(struct author *a)
{
    char topic[32], payload[PEER_PAYLOAD];
    struct publication m = choose(a);
    (void)snprintf(payload, sizeof(payload), "%d-%d ", a->number, a->sent);
    pad(payload, &a->random);
    switch (m.kind) {
    case KIND_LOAD: (void)snprintf(topic, sizeof(topic), "load/%d/%d", a->number, m.topic); break;
    case KIND_KEPT: (void)snprintf(topic, sizeof(topic), "kept/%d", a->number); break;
    case KIND_WORK: (void)snprintf(topic, sizeof(topic), "work/%d", a->number); break;
    default:
        (void)snprintf(topic, sizeof(topic), "counter/count");
        (void)snprintf(payload, sizeof(payload), "%d", a->number * MESSAGES + a->sent);
    }
    if (!peer_publish(&a->peer, topic, payload, m.qos, m.kind == KIND_KEPT, a->sent))
        return false;
    a->all[a->sent] = m;
    a->sent++;
    return true;
}

static void speak(struct timer *timer)
{
    struct author *a = CONTAINER_OF(timer, struct author, timer);
    const struct play *p = a->peer.ctx;
    int until = a->sent + 1 + (int)random_below(&a->random, BURST);
    while (p->phase == PHASE_LOAD && a->sent < until && a->sent < MESSAGES)
        if (!publish_next(a))
            break;
    if (a->sent < MESSAGES)
        timer_set_after_ms(timer, 1 + (int64_t)random_below(&a->random, PACE_MS));
}

static int sent_percent(const struct play *p)
{
    int sent = 0;
    for (int i = 0; i < AUTHORS; i++)
        sent += p->authors[i].sent;
    return sent * 100 / (AUTHORS * MESSAGES);
}

static bool all_answered(const struct play *p)
{
    for (int i = 0; i < AUTHORS; i++)
        if (p->authors[i].sent < MESSAGES || p->authors[i].peer.flight_n)
            return false;
    return true;
}

/* --- readers --- */

/* "AUTHOR-NUMBER …"; NULL: nobody has sent it. */
static struct publication *publication_of(struct play *p, struct bytes payload, int *author,
                                          int *number)
{
    char text[16] = "", *end;
    memcpy(text, payload.p, payload.n < sizeof(text) - 1 ? payload.n : sizeof(text) - 1);
    long from = strtol(text, &end, 10);
    if (end == text || *end != '-' || from < 0 || from >= AUTHORS)
        return NULL;
    long which = strtol(end + 1, NULL, 10);
    if (which < 0 || which >= p->authors[from].sent)
        return NULL;
    *author = (int)from;
    *number = (int)which;
    return &p->authors[from].all[which];
}

/* In order at each QoS; what was sent at QoS 1 may come once more, at any time. */
static void heard(struct sim_peer *peer, const struct mqtt_publish *m)
{
    struct reader *r = CONTAINER_OF(peer, struct reader, peer);
    struct play *p = peer->ctx;
    int author, number;
    if (cast_wills_hear(p, m))
        return;
    const struct publication *sent = publication_of(p, m->payload, &author, &number);
    HOLDS(p, sent && m->qos == sent->qos);
    if (!sent)
        return;
    int *last = &r->last[author][sent->topic][sent->qos];
    if (!r->times[author][number] && sent->kind == KIND_LOAD) {
        HOLDS(p, number >= *last);
        *last = number;
    }
    r->times[author][number]++;
    HOLDS(p, sent->qos == 1 || r->times[author][number] == 1);
}

static void ignored(struct sim_peer *peer, const struct mqtt_publish *m)
{
    (void)peer, (void)m;
}

static int heard_times(const struct play *p, int author, int number)
{
    const struct reader *r = p->readers;
    if (p->authors[author].all[number].kind == KIND_WORK)
        return r[CREW0].times[author][number] + r[CREW1].times[author][number] +
               r[HEIR].times[author][number];
    int awake = r[AWAKE].times[author][number], sleeper = r[SLEEPER].times[author][number];
    return awake < sleeper ? awake : sleeper;
}

static bool all_heard(const struct play *p)
{
    for (int i = 0; i < AUTHORS; i++)
        for (int k = 0; k < p->authors[i].sent; k++) {
            uint8_t kind = p->authors[i].all[k].kind;
            if ((kind == KIND_LOAD || kind == KIND_WORK) && !heard_times(p, i, k))
                return false;
        }
    return true;
}

/* A session that was there once is there for ever. */
static void lasting(struct sim_peer *peer, bool present)
{
    struct play *p = peer->ctx;
    HOLDS(p, present || peer->lives == 1);
}

/* --- heir --- */

static void heir_online(struct sim_peer *peer, bool present)
{
    struct play *p = peer->ctx;
    bool begins = p->phase == PHASE_SETUP || peer->lives > 1; /* or has begun, in another life */
    HOLDS(p, begins || !present || p->built_ns > p->looked_ns);
}

/* --- brief --- */

static void brief_online(struct sim_peer *peer, bool present)
{
    struct play *p = peer->ctx;
    const int64_t expiry_ns = BRIEF_EXPIRY_S * CUT_SECOND, slack_ns = 100 * CUT_MS;
    int64_t left_ns = p->brief_left_ns;
    p->brief_here = true;
    if (!left_ns) /* it was there when the power went, or it is new */
        HOLDS(p, present || peer->lives == 1);
    else if (now_ns(p) - left_ns < expiry_ns - slack_ns)
        HOLDS(p, present);
    int64_t from_ns = left_ns > p->built_ns ? left_ns : p->built_ns; /* its leaving may be lost */
    if (left_ns && peer->dialed_ns - from_ns > expiry_ns + slack_ns)
        HOLDS(p, !present);
    if (left_ns)
        p->brief_returns[present]++;
    p->brief_left_ns = 0;
}

/* Away for 0.2 seconds, then for 1.5, and so on. */
static void brief_turn(struct play *p)
{
    struct sim_peer *b = &p->brief;
    int64_t away_ns = (p->brief_trips % 2 ? 200 : 1500) * CUT_MS;
    if (p->brief_here && b->granted && p->ticks % 8 == 0) {
        p->brief_here = false;
        p->brief_left_ns = now_ns(p);
        p->brief_trips++;
        peer_leave(b);
    } else if (!b->wanted && now_ns(p) - p->brief_left_ns > away_ns) {
        peer_come(b);
    }
}

/* --- looker --- */

static void looked(struct sim_peer *peer, const struct mqtt_publish *m)
{
    struct play *p = peer->ctx;
    int author, number;
    if (str_eq(m->topic, STR("looker/end"))) {
        p->phase = PHASE_DONE;
        return;
    }
    const struct publication *kept = publication_of(p, m->payload, &author, &number);
    HOLDS(p, kept && kept->kind == KIND_KEPT && m->retain);
    if (kept)
        p->kept[author] = number;
}

static void look_done(struct sim_peer *peer, int number)
{
    (void)peer, (void)number;
}

/* --- the director --- */

static void want(struct sim_peer *peer, bool here)
{
    if (here && !peer->wanted)
        peer_come(peer);
    else if (!here && peer->wanted)
        peer_drop(peer);
}

static void setup(struct play *p)
{
    for (int i = 0; i < READERS; i++)
        if (!p->readers[i].peer.granted)
            return;
    if (!p->brief_here || !p->mortal.connected || !(p->lamp_stood || p->crashes))
        return;
    if (!p->heir_left_ns) {
        peer_leave(&p->readers[SLEEPER].peer);
        peer_leave(&p->readers[HEIR].peer);
        p->heir_left_ns = now_ns(p);
    }
    /* They have to be gone: what is on its way to heir at QoS 2 when it goes is nobody else's, ever
     * (MQTT 5.0, 4.8.2: [MQTT-4.8.2-5]). */
    if (now_ns(p) - p->heir_left_ns > 200 * CUT_MS)
        p->phase = PHASE_LOAD;
}

static void load(struct play *p)
{
    int percent = sent_percent(p);
    want(&p->readers[CREW0].peer, percent < 30 || percent >= 60);
    want(&p->readers[CREW1].peer, percent < 40 || percent >= 80);
    if (p->ticks % 17 == 0)
        peer_take_over(&p->readers[AWAKE].peer);
    if (p->ticks % 5 == 0)
        peer_take_over(&p->authors[p->ticks / 5 % AUTHORS].peer);
    brief_turn(p);
    cast_wills_turn(p);
    if (!all_answered(p))
        return;
    p->waiting = p->house.core.mqtt ? mqtt_server_stats(p->house.core.mqtt).queued : 0;
    p->phase = PHASE_SETTLE;
}

/* Brief has been back early and late. */
static bool brief_done(const struct play *p)
{
    return p->brief_returns[false] && p->brief_returns[true] && p->brief.connected;
}

static bool heir_is_over(const struct play *p)
{
    int64_t from_ns = p->heir_left_ns > p->built_ns ? p->heir_left_ns : p->built_ns;
    return now_ns(p) - from_ns > HEIR_EXPIRY_S * CUT_SECOND + 100 * CUT_MS;
}

static void settle(struct play *p)
{
    want(&p->readers[SLEEPER].peer, true);
    want(&p->readers[CREW0].peer, true);
    want(&p->readers[CREW1].peer, true);
    if (!brief_done(p))
        brief_turn(p);
    if (!all_heard(p) || !brief_done(p) || !cast_wills_heard(p) || !heir_is_over(p) ||
        !p->house.core.mqtt)
        return;
    p->phase = PHASE_LOOK;
    p->looked_ns = now_ns(p);
    want(&p->readers[HEIR].peer, true);
    want(&p->looker, true);
}

/* What is retained comes before what it sends itself. */
static void look(struct play *p)
{
    if (p->looker.granted && p->readers[HEIR].peer.connected && !p->looker.flight_n &&
        p->phase == PHASE_LOOK)
        (void)peer_publish(&p->looker, "looker/end", "1", 1, false, 0);
}

static bool somebody_is_broken(const struct play *p)
{
    bool broken = p->broken || p->brief.broken || p->mortal.broken || p->looker.broken;
    for (int i = 0; i < AUTHORS; i++)
        broken = broken || p->authors[i].peer.broken;
    for (int i = 0; i < READERS; i++)
        broken = broken || p->readers[i].peer.broken;
    return broken;
}

static void direct(struct timer *timer)
{
    struct play *p = CONTAINER_OF(timer, struct play, director);
    static void (*const acts[])(struct play *) = {
        [PHASE_SETUP] = setup, [PHASE_LOAD] = load, [PHASE_SETTLE] = settle, [PHASE_LOOK] = look};
    p->ticks++;
    if (p->phase != PHASE_DONE)
        acts[p->phase](p);
    p->broken = somebody_is_broken(p);
    /* The power may have gone just now. */
    bool done = p->phase == PHASE_DONE && p->house.core.mqtt && cast_wills_heard(p);
    if (done || p->broken || now_ns(p) > p->give_up_ns)
        sim_halt(p->sim);
    else
        timer_set_after_ms(timer, LOOK_MS);
}

/* --- everybody --- */

static void enter(struct play *p, struct sim_peer *peer, const char *id, uint64_t seed)
{
    peer->worker = p->street.worker;
    peer->addr = house_addr(&p->house);
    peer->id = id;
    peer->seed = seed;
    peer->ctx = p;
    peer_init(peer);
}

static void enter_authors(struct play *p, uint64_t seed)
{
    static const char *const ids[AUTHORS] = {"author0", "author1"};
    for (int i = 0; i < AUTHORS; i++) {
        struct author *a = &p->authors[i];
        a->number = i;
        a->peer = (struct sim_peer){.version = i ? MQTT_V5 : MQTT_V311,
                                    .expiry_s = UINT32_MAX,
                                    .online = lasting,
                                    .message = ignored,
                                    .taken = taken};
        random_seed(&a->random, seed * AUTHORS + (uint64_t)i);
        enter(p, &a->peer, ids[i], seed + 100 + (uint64_t)i);
        timer_init(&a->timer, p->street.worker, speak);
        timer_set_after_ms(&a->timer, 1);
        peer_come(&a->peer);
        p->kept[i] = -1;
    }
}

static void enter_readers(struct play *p, uint64_t seed)
{
    static const struct {
        const char *id, *filters[PEER_FILTERS];
        enum mqtt_version version;
        uint32_t expiry_s;
    } cast[READERS] = {
        [AWAKE] = {"awake", {"load/#", "will/#"}, MQTT_V5, UINT32_MAX},
        [SLEEPER] = {"sleeper", {"load/#"}, MQTT_V311, 0},
        [CREW0] = {"crew0", {"$share/crew/work/#"}, MQTT_V311, 0},
        [CREW1] = {"crew1", {"$share/crew/work/#"}, MQTT_V5, UINT32_MAX},
        [HEIR] = {"heir", {"$share/crew/work/#"}, MQTT_V5, HEIR_EXPIRY_S},
    };
    for (int i = 0; i < READERS; i++) {
        struct sim_peer *peer = &p->readers[i].peer;
        *peer = (struct sim_peer){.version = cast[i].version,
                                  .expiry_s = cast[i].expiry_s,
                                  .filters = {cast[i].filters[0], cast[i].filters[1]},
                                  .qos = 2,
                                  .online = i == HEIR ? heir_online : lasting,
                                  .message = heard};
        enter(p, peer, cast[i].id, seed + 200 + (uint64_t)i);
        peer_come(peer);
    }
}

static void enter_others(struct play *p, uint64_t seed)
{
    p->brief = (struct sim_peer){.version = MQTT_V5,
                                 .expiry_s = BRIEF_EXPIRY_S,
                                 .filters = {"load/#"},
                                 .qos = 1,
                                 .online = brief_online,
                                 .message = ignored};
    enter(p, &p->brief, "brief", seed + 300);
    peer_come(&p->brief);
    cast_wills_init(p);
    enter(p, &p->mortal, "mortal", seed + 301);
    peer_come(&p->mortal);
    enter(p, &p->lamp, "lamp", seed + 303);
    peer_come(&p->lamp);
    p->looker = (struct sim_peer){.version = MQTT_V311,
                                  .clean = true,
                                  .filters = {"kept/#", "looker/end"},
                                  .qos = 1,
                                  .message = looked,
                                  .taken = look_done};
    enter(p, &p->looker, "looker", seed + 302);
}

void cast_init(struct play *p, uint64_t seed)
{
    enter_authors(p, seed);
    enter_readers(p, seed);
    enter_others(p, seed);
    timer_init(&p->director, p->street.worker, direct);
    timer_set_after_ms(&p->director, LOOK_MS);
}

static void everybody(struct play *p, void (*each)(struct sim_peer *peer))
{
    for (int i = 0; i < AUTHORS; i++)
        each(&p->authors[i].peer);
    for (int i = 0; i < READERS; i++)
        each(&p->readers[i].peer);
    each(&p->brief);
    each(&p->mortal);
    each(&p->lamp);
    each(&p->looker);
}

void cast_site_is_gone(struct play *p)
{
    p->brief_here = false;
    everybody(p, peer_site_is_gone);
    peer_drop(&p->lamp); /* it had the same power */
}

void cast_site_is_back(struct play *p)
{
    everybody(p, peer_site_is_back);
}

void cast_note(struct play *p)
{
    static const char *const names[READERS] = {"awake", "sleeper", "crew0", "crew1", "heir"};
    for (int i = 0; i < READERS; i++)
        if (p->readers[i].peer.wanted && !p->readers[i].peer.connected)
            test_note("%s is not connected", names[i]);
    for (int i = 0; i < AUTHORS; i++)
        for (int k = 0; k < p->authors[i].sent; k++) {
            const struct publication *m = &p->authors[i].all[k];
            if ((m->kind == KIND_LOAD || m->kind == KIND_WORK) && !heard_times(p, i, k))
                test_note("%d-%d (%s, QoS %d) is missing: awake %d, sleeper %d", i, k,
                          m->kind == KIND_WORK ? "work" : "load", m->qos,
                          p->readers[AWAKE].times[i][k], p->readers[SLEEPER].times[i][k]);
        }
    if (!brief_done(p) || !heir_is_over(p))
        test_note("brief was back %d times late, %d times early; heir: %d", p->brief_returns[0],
                  p->brief_returns[1], heir_is_over(p));
    cast_wills_note(p);
}

/* --- what must hold --- */

static void check_messages(struct play *p)
{
    for (int i = 0; i < AUTHORS; i++) {
        int kept = -1;
        for (int k = 0; k < MESSAGES; k++) {
            const struct publication *m = &p->authors[i].all[k];
            HOLDS(p, m->taken);
            if (m->kind == KIND_KEPT)
                kept = k;
            else if (m->kind != KIND_SAMPLE)
                HOLDS(p, m->qos == 1 || heard_times(p, i, k) == 1);
        }
        HOLDS(p, p->kept[i] == kept); /* all were sent one after the other */
    }
}

static void check_history(struct play *p)
{
    bool found[AUTHORS][MESSAGES] = {0}, any = false;
    struct history_query q = {
        .series = STR("counter.count"), .to_ms = INT64_MAX / 2, .limit = HISTORY_LIMIT};
    enum err err = history_query_now(p->house.core.history, &q);
    for (size_t i = 0; i < q.point_count; i++) {
        int n = (int)value_number(&q.points[i].value);
        if (n >= 0 && n < AUTHORS * MESSAGES)
            found[n / MESSAGES][n % MESSAGES] = true;
    }
    for (int i = 0; i < AUTHORS; i++)
        for (int k = 0; k < MESSAGES; k++) {
            bool sample = p->authors[i].all[k].kind == KIND_SAMPLE;
            any = any || sample;
            HOLDS(p, !sample || found[i][k]);
        }
    HOLDS(p, any && err == ERR_OK);
    history_query_fini(&q);
}

void cast_check(struct play *p)
{
    check_messages(p);
    cast_wills_check(p);
    check_history(p);
}
