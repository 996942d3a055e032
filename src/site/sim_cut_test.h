/* sim_cut_test: one run of a site with all that must last, and who takes part in it.
 *
 * sim_cut_test.c       cuts the power at every call of the disk that such a run makes
 * sim_cut_cast_test.c  who publishes and listens, and when; what must hold at the end
 * sim_cut_wills_test.c those of them who have wills
 *
 * The cast:
 *   authors   two persistent sessions (3.1.1 and 5.0) that publish at QoS 1 and 2: to load/…, a
 *             retained counter, work/… for the crew, and samples of a device; every so often they
 *             take their own sessions over, and send again what was not answered
 *   awake     hears load/# and the wills; every so often another connection takes its session over
 *   sleeper   hears load/#, and is away until all has been sent: its queue leaves memory
 *   crew      two sessions that share work/#, for a while both away
 *   heir      a third of them, away from the start; when its session ends, the crew inherits
 *   brief     has a session that ends a second after it left: and it comes sooner, or later
 *   mortal    has a will of QoS 2, another one for each connection, and leaves with or without a
 *             word
 *   lamp      has a will and no session, and is out when the power is, for ever
 *   looker    comes at the end, and is told what is retained
 * All of it follows from the seed, until the power goes. */
#pragma once

#include "site/sim_peer_test.h"

#define HOLDS(p, cond) ((p)->broken = !CHECK(cond) || (p)->broken)

#define CUT_MS     INT64_C(1000000)
#define CUT_SECOND (1000 * CUT_MS)

enum { AUTHORS = 2, MESSAGES = 64, TOPICS = 2, WILLS_MAX = 200 };
enum cast { AWAKE, SLEEPER, CREW0, CREW1, HEIR, READERS };
enum phase { PHASE_SETUP, PHASE_LOAD, PHASE_SETTLE, PHASE_LOOK, PHASE_DONE };

struct author {
    struct sim_peer peer;
    struct timer timer;
    struct random random;
    int number, sent;
    struct publication {
        uint8_t kind, topic, qos;
        bool taken; /* acknowledged: the site has it */
    } all[MESSAGES];
};
struct reader {
    struct sim_peer peer;
    int times[AUTHORS][MESSAGES];
    int last[AUTHORS][TOPICS][3]; /* by QoS */
};
struct will_model {
    bool stood, polite; /* CONNACK came; DISCONNECT went */
    int64_t left_ns;    /* 0: not by itself */
    int times;
};

struct play {
    struct sim *sim;
    struct house house;
    struct street street;
    struct author authors[AUTHORS];
    struct reader readers[READERS];
    struct sim_peer brief, mortal, lamp, looker;
    struct timer director;
    enum phase phase;
    bool broken;
    int ticks;
    int64_t built_ns, crash_ns[2], give_up_ns;
    int crashes;
    int64_t brief_left_ns, mortal_at_ns, heir_left_ns, looked_ns;
    bool brief_here;
    int brief_trips;
    int brief_returns[2]; /* to a session that had ended; to the one that it left */
    int wills_n;          /* connections of mortal */
    struct will_model wills[WILLS_MAX];
    bool lamp_stood; /* CONNACK came */
    int lamp_times;  /* that its will was heard */
    int kept[AUTHORS];
    size_t waiting; /* messages for who was away, when all had been sent */
};
/* House and street are there; nobody has connected. */
void cast_init(struct play *p, uint64_t seed);
void cast_site_is_gone(struct play *p);
void cast_site_is_back(struct play *p);
void cast_note(struct play *p); /* what it still waits for, as lines of the report */
/* After PHASE_DONE, with the house still standing. Sets p->broken. */
void cast_check(struct play *p);

/* sim_cut_wills_test.c */
void cast_wills_init(struct play *p);
void cast_wills_turn(struct play *p);                               /* mortal leaves, and comes */
bool cast_wills_hear(struct play *p, const struct mqtt_publish *m); /* false: it is none */
bool cast_wills_heard(const struct play *p);                        /* all that must come have */
void cast_wills_note(const struct play *p);
void cast_wills_check(struct play *p);
