/* plant: the physics of a small factory: stations that get hot, a belt, coolant valves, a meter.
 *
 * Why: sites must be tried against something that behaves like the real thing and can be broken on
 * purpose. The model knows nothing of the programs that control it: it sees commands to machines,
 * and what it shows is what sensors would.
 * Model: a station's heat grows with its load; it loses heat to the room (Newton's law of cooling,
 * slowed by fouling) and to the coolant, whose flow follows its valve with a lag. Loads wander
 * (Ornstein-Uhlenbeck) and follow the belt. Vibration grows with load and wear. Above
 * PLANT_DAMAGE_C a station is damaged for good and stands still.
 * Ownership: one struct without pointers of its own but names, which are borrowed.
 * Threads: none. No I/O, no clock: the same seed and commands give the same trajectory, however
 * the time is cut into steps.
 * Errors: plant_add() ERR_FULL. */
#pragma once

#include "base/clock.h"
#include "base/str.h"

enum { PLANT_MACHINES_MAX = 64, PLANT_READINGS_MAX = 6 };
#define PLANT_AMBIENT_C 22.0
#define PLANT_DAMAGE_C  130.0

enum plant_fault {
    PLANT_SOUND,
    PLANT_OVERHEAT, /* the press's load runs up to its maximum and stays */
    PLANT_DRIFT,    /* the press fouls (slowly hotter) and wears (vibrates more) */
    PLANT_JAM,      /* the packer jams after 20 s, for 30 s */
    PLANT_SILENT,   /* the press's thermometer reports nothing after 20 s */
    PLANT_STUCK,    /* the press's coolant valve ignores commands */
};
/* "none", "overheat", "drift", "jam", "silent", "stuck". */
bool plant_fault_parse(struct str name, enum plant_fault *out);

enum plant_kind { PLANT_STATION, PLANT_VALVE, PLANT_BELT, PLANT_METER };

struct plant_station {
    const struct plant_profile *profile; /* plant.c */
    double load, wander;                 /* of 0 … 1 */
    double temperature_c, coolant_flow;  /* flow of 0 … 1 */
    double fouling, wear;
    double jam_left_s, parts;
    double shown_temperature_c, shown_vibration_mm_s; /* with the sensors' noise */
    double peak_c;
    bool damaged, silent;
};
struct plant_valve {
    int station;             /* whose coolant it opens; -1: nobody's */
    double position, target; /* of 0 … 1 */
    bool stuck;
};
struct plant_belt {
    double speed_m_s, target_m_s;
};
struct plant_meter {
    double power_kw, energy_kwh;
};

struct plant_machine {
    enum plant_kind kind;
    struct str name; /* "plant.press1" */
    union {
        struct plant_station station;
        struct plant_valve valve;
        struct plant_belt belt;
        struct plant_meter meter;
    };
};

struct plant {
    struct plant_machine machines[PLANT_MACHINES_MAX];
    int machines_n;
    enum plant_fault fault;
    struct str fault_at; /* the station that it is about; "": the first press or packer */
    struct random random;
    double time_s, rest_s; /* rest: asked for, not yet simulated */
    bool linked;
};

void plant_init(struct plant *p, uint64_t seed, enum plant_fault fault);
/* Before the first step. A station's kind of work follows from its name: "…press…", "…oven…",
 * "…packer…"; a valve named STATION.anything cools STATION. The belt runs at the start. */
MUST_USE enum err plant_add(struct plant *p, enum plant_kind kind, struct str name);
/* The fault is about this station, or that of this valve. False: there is no such machine. Before
 * the first step; borrows the name. */
MUST_USE bool plant_fault_at(struct plant *p, struct str machine);
/* Advances by dt_s, in ticks of 50 ms. */
void plant_step(struct plant *p, double dt_s);

enum plant_answer {
    PLANT_DONE,    /* accepted; the state changes over time */
    PLANT_REFUSED, /* this machine has no such action */
    PLANT_DEAF,    /* it does not react at all */
};
/* Actions: valve open, close; belt start (with `target` in m/s), stop. */
enum plant_answer plant_command(struct plant *p, int machine, struct str action,
                                const double *target);

enum plant_reading_kind { PLANT_NUMBER, PLANT_COUNT, PLANT_BOOL };
struct plant_reading {
    const char *name;
    enum plant_reading_kind kind;
    double value; /* as sensors give it: °C, mm/s, %, m/s, kW, kWh; rounded */
};
/* What the machine's sensors show now; a dead sensor is left out. */
size_t plant_readings(const struct plant *p, int machine,
                      struct plant_reading out[PLANT_READINGS_MAX]);
bool plant_jammed(const struct plant *p, int machine);
