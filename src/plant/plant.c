#include "plant/plant.h"

#include <math.h>
#include <string.h>

#define TICK_S         0.05
#define COOLANT_C      15.0
#define COOLANT_TAU_S  27.0 /* with the valve open */
#define FLOW_LAG_S     3.0
#define VALVE_TRAVEL_S 2.0
#define HEAT_EXPONENT  2.23 /* full load heats 4.7 times as much as half load */
#define WANDER_TAU_S   20.0
#define WANDER_SIGMA   0.03
#define IDLE_LOAD      0.08
#define BELT_NOMINAL   0.4 /* m/s, which the profiles are made for */
#define BELT_MAX       2.0
#define BELT_ACCEL     0.2 /* m/s², braking twice that */
#define JAM_EVERY_S    7200.0
#define FAULT_AT_S     20.0
#define FAULT_JAM_S    30.0
#define OVERHEAT_AT_S  5.0
#define OVERHEAT_RAMP  0.1           /* load a second */
#define WEAR_PER_S     (1 / 720e3)   /* 200 h from new to worn */
#define DRIFT_WEAR     (1 / 300.0)   /* the fault: 5 min */
#define DRIFT_FOULING  (0.6 / 300.0) /* heat loss falls to 1/1.6 in 5 min */

/* What a kind of station is like. `rise_k`: above the room, in the end, at full load uncooled. */
struct plant_profile {
    const char *name;
    double load, rated_kw, tau_s, rise_k, vibration_mm_s, parts_s;
};
enum { PRESS, OVEN, PACKER, OTHER };
static const struct plant_profile profiles[] = {
    [PRESS] = {"press", 0.50, 45, 60, 178, 2.2, 0.5},
    [OVEN] = {"oven", 0.60, 40, 120, 137, 1.2, 0.5},
    [PACKER] = {"packer", 0.40, 8, 90, 95, 1.8, 0.5},
    [OTHER] = {"", 0.40, 10, 90, 90, 1.5, 0.5},
};

bool plant_fault_parse(struct str name, enum plant_fault *out)
{
    static const char *const names[] = {"none", "overheat", "drift", "jam", "silent", "stuck"};
    for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
        if (!str_eq(name, str_from(names[i])))
            continue;
        *out = (enum plant_fault)i;
        return true;
    }
    return false;
}

/* --- building ------------------------------------------------------------------------------ */

void plant_init(struct plant *p, uint64_t seed, enum plant_fault fault)
{
    memset(p, 0, sizeof(*p));
    p->fault = fault;
    random_seed(&p->random, seed);
}

/* By the last part of the name. */
static const struct plant_profile *profile_of(struct str name)
{
    size_t dot;
    while (str_find(name, '.', &dot))
        name = str_sub(name, dot + 1, name.n);
    for (unsigned i = 0; i < OTHER; i++) {
        if (memmem(name.p, name.n, profiles[i].name, strlen(profiles[i].name)))
            return &profiles[i];
    }
    return &profiles[OTHER];
}

/* Uncooled, in the end. */
static double steady_c(const struct plant_profile *f, double load)
{
    return PLANT_AMBIENT_C + f->rise_k * pow(load, HEAT_EXPONENT);
}

static void station_init(struct plant_station *s, struct str name)
{
    s->profile = profile_of(name);
    s->load = s->profile->load;
    s->temperature_c = s->shown_temperature_c = s->peak_c = steady_c(s->profile, s->load);
    s->shown_vibration_mm_s = s->profile->vibration_mm_s;
}

enum err plant_add(struct plant *p, enum plant_kind kind, struct str name)
{
    ASSERT(!p->linked);
    if (p->machines_n == PLANT_MACHINES_MAX)
        return ERR_FULL;
    struct plant_machine *m = &p->machines[p->machines_n++];
    *m = (struct plant_machine){.kind = kind, .name = name};
    if (kind == PLANT_STATION)
        station_init(&m->station, name);
    if (kind == PLANT_VALVE)
        m->valve.station = -1;
    if (kind == PLANT_BELT)
        m->belt = (struct plant_belt){.speed_m_s = BELT_NOMINAL, .target_m_s = BELT_NOMINAL};
    return ERR_OK;
}

static int find_station(const struct plant *p, struct str name)
{
    for (int i = 0; i < p->machines_n; i++) {
        if (p->machines[i].kind == PLANT_STATION && str_eq(p->machines[i].name, name))
            return i;
    }
    return -1;
}

/* The station that a fault is about; without such a one the first of all. -1: there is none. */
static int fault_station(const struct plant *p)
{
    const struct plant_profile *want = &profiles[p->fault == PLANT_JAM ? PACKER : PRESS];
    int first = -1;
    if (p->fault_at.n)
        return find_station(p, p->fault_at);
    for (int i = 0; i < p->machines_n; i++) {
        if (p->machines[i].kind != PLANT_STATION)
            continue;
        if (p->machines[i].station.profile == want)
            return i;
        first = first < 0 ? i : first;
    }
    return first;
}

/* "plant.oven" of "plant.oven.coolant"; "" if there is no dot. */
static struct str around(struct str name)
{
    size_t dot = name.n;
    while (dot > 0 && name.p[dot - 1] != '.')
        dot--;
    return dot ? str_sub(name, 0, dot - 1) : STR("");
}

bool plant_fault_at(struct plant *p, struct str machine)
{
    ASSERT(!p->linked);
    p->fault_at = find_station(p, machine) >= 0 ? machine : around(machine);
    return p->fault_at.n && find_station(p, p->fault_at) >= 0;
}

/* Valves to their stations, once all machines are known. */
static void link_valves(struct plant *p)
{
    int faulty = fault_station(p);
    for (int i = 0; i < p->machines_n; i++) {
        struct plant_machine *m = &p->machines[i];
        if (m->kind != PLANT_VALVE)
            continue;
        struct str station = around(m->name);
        m->valve.station = station.n ? find_station(p, station) : -1;
        m->valve.stuck = p->fault == PLANT_STUCK && faulty >= 0 && m->valve.station == faulty;
    }
    p->linked = true;
}

/* --- a tick -------------------------------------------------------------------------------- */

static double clamp(double v, double lo, double hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

static double towards(double v, double target, double step)
{
    return v < target ? fmin(v + step, target) : fmax(v - step, target);
}

static void tick_valve(struct plant_valve *v)
{
    v->position = towards(v->position, v->target, TICK_S / VALVE_TRAVEL_S);
}

static void tick_belt(struct plant_belt *b)
{
    double a = b->speed_m_s < b->target_m_s ? BELT_ACCEL : 2 * BELT_ACCEL;
    b->speed_m_s = towards(b->speed_m_s, b->target_m_s, a * TICK_S);
}

/* A plant without a belt is fed by hand, steadily. */
static double belt_speed(const struct plant *p)
{
    for (int i = 0; i < p->machines_n; i++) {
        if (p->machines[i].kind == PLANT_BELT)
            return p->machines[i].belt.speed_m_s;
    }
    return BELT_NOMINAL;
}

static double valve_position(const struct plant *p, int station)
{
    for (int i = 0; i < p->machines_n; i++) {
        if (p->machines[i].kind == PLANT_VALVE && p->machines[i].valve.station == station)
            return p->machines[i].valve.position;
    }
    return 0;
}

static void tick_jam(struct plant *p, struct plant_station *s, double belt, bool faulty)
{
    bool due = faulty && p->fault == PLANT_JAM && p->time_s >= FAULT_AT_S &&
               p->time_s < FAULT_AT_S + TICK_S;
    double chance = random_unit(&p->random), length_s = 20 + 40 * random_unit(&p->random);
    s->jam_left_s = fmax(s->jam_left_s - TICK_S, 0);
    if (due)
        s->jam_left_s = FAULT_JAM_S;
    else if (s->jam_left_s <= 0 && belt > 0.05 && !s->damaged && chance < TICK_S / JAM_EVERY_S)
        s->jam_left_s = length_s;
}

static void tick_load(struct plant *p, struct plant_station *s, double belt, bool faulty)
{
    double sigma = WANDER_SIGMA * sqrt(2 * TICK_S / WANDER_TAU_S);
    s->wander += -s->wander * TICK_S / WANDER_TAU_S + sigma * random_normal(&p->random);
    double work = s->jam_left_s > 0 ? 0 : clamp(belt / BELT_NOMINAL, 0, 2);
    double wanted = IDLE_LOAD + (s->profile->load - IDLE_LOAD + s->wander) * work;
    double rate = 0.25;
    if (faulty && p->fault == PLANT_OVERHEAT && p->time_s >= OVERHEAT_AT_S) {
        wanted = 1;
        rate = OVERHEAT_RAMP;
    }
    if (s->damaged)
        wanted = 0;
    s->load = towards(s->load, clamp(wanted, 0, 1), rate * TICK_S);
}

static void tick_heat(struct plant *p, struct plant_station *s, double valve)
{
    const struct plant_profile *f = s->profile;
    double heat = f->rise_k / f->tau_s * pow(s->load, HEAT_EXPONENT);
    double room = (s->temperature_c - PLANT_AMBIENT_C) / (f->tau_s * (1 + s->fouling));
    s->coolant_flow += (valve - s->coolant_flow) * TICK_S / FLOW_LAG_S;
    double coolant = s->coolant_flow * (s->temperature_c - COOLANT_C) / COOLANT_TAU_S;
    s->temperature_c += (heat - room - coolant) * TICK_S;
    s->peak_c = fmax(s->peak_c, s->temperature_c);
    s->damaged = s->damaged || s->temperature_c > PLANT_DAMAGE_C;
    s->shown_temperature_c = s->temperature_c + 0.1 * random_normal(&p->random);
}

static void tick_wear(struct plant *p, struct plant_station *s, bool faulty)
{
    bool drifts = faulty && p->fault == PLANT_DRIFT;
    s->wear = fmin(s->wear + TICK_S * (s->load * WEAR_PER_S + (drifts ? DRIFT_WEAR : 0)), 2);
    s->fouling = fmin(s->fouling + TICK_S * (drifts ? DRIFT_FOULING : 0), 1);
    double v = s->load < 0.01 ? 0.2 : s->profile->vibration_mm_s + s->load + 6 * s->wear;
    s->shown_vibration_mm_s = clamp(v + 0.12 * random_normal(&p->random), 0, 50);
}

static void tick_station(struct plant *p, int i, double belt, bool faulty)
{
    struct plant_station *s = &p->machines[i].station;
    tick_jam(p, s, belt, faulty);
    tick_load(p, s, belt, faulty);
    tick_heat(p, s, valve_position(p, i));
    tick_wear(p, s, faulty);
    if (s->jam_left_s <= 0 && !s->damaged)
        s->parts += s->profile->parts_s * belt / BELT_NOMINAL * TICK_S;
    s->silent = faulty && p->fault == PLANT_SILENT && p->time_s >= FAULT_AT_S;
}

static double power_of(const struct plant_machine *m)
{
    switch (m->kind) {
    case PLANT_STATION:
        return m->station.damaged ? 0.5 : 2 + m->station.profile->rated_kw * m->station.load;
    case PLANT_VALVE: return 1.5 * m->valve.position; /* the coolant's pump */
    case PLANT_BELT: return 3 * m->belt.speed_m_s / BELT_NOMINAL;
    default: return 4; /* light, controls */
    }
}

static void tick_meters(struct plant *p)
{
    double power = 0;
    for (int i = 0; i < p->machines_n; i++)
        power += power_of(&p->machines[i]);
    for (int i = 0; i < p->machines_n; i++) {
        if (p->machines[i].kind != PLANT_METER)
            continue;
        p->machines[i].meter.power_kw = power;
        p->machines[i].meter.energy_kwh += power * TICK_S / 3600;
    }
}

void plant_step(struct plant *p, double dt_s)
{
    if (!p->linked)
        link_valves(p);
    int faulty = fault_station(p);
    p->rest_s += dt_s;
    /* A hair less than a tick is a tick: sums of decimal fractions are never quite right. */
    while (p->rest_s > TICK_S - 1e-9) {
        double belt = belt_speed(p);
        for (int i = 0; i < p->machines_n; i++) {
            struct plant_machine *m = &p->machines[i];
            if (m->kind == PLANT_STATION)
                tick_station(p, i, belt, i == faulty);
            else if (m->kind == PLANT_VALVE)
                tick_valve(&m->valve);
            else if (m->kind == PLANT_BELT)
                tick_belt(&m->belt);
        }
        tick_meters(p);
        p->time_s += TICK_S;
        p->rest_s -= TICK_S;
    }
}

/* --- from outside -------------------------------------------------------------------------- */

enum plant_answer plant_command(struct plant *p, int machine, struct str action,
                                const double *target)
{
    ASSERT(machine >= 0 && machine < p->machines_n);
    struct plant_machine *m = &p->machines[machine];
    if (!p->linked)
        link_valves(p);
    bool open = str_eq(action, STR("open")), start = str_eq(action, STR("start"));
    if (m->kind == PLANT_VALVE && (open || str_eq(action, STR("close")))) {
        if (m->valve.stuck)
            return PLANT_DEAF;
        m->valve.target = open ? 1 : 0;
        return PLANT_DONE;
    }
    if (m->kind == PLANT_BELT && start && target && isfinite(*target)) {
        m->belt.target_m_s = clamp(*target, 0, BELT_MAX);
        return PLANT_DONE;
    }
    if (m->kind == PLANT_BELT && str_eq(action, STR("stop"))) {
        m->belt.target_m_s = 0;
        return PLANT_DONE;
    }
    return PLANT_REFUSED;
}

static void add(struct plant_reading *out, size_t *n, const char *name,
                enum plant_reading_kind kind, double value)
{
    double scale = kind == PLANT_NUMBER ? 1000 : 1;
    out[(*n)++] = (struct plant_reading){name, kind, round(value * scale) / scale};
}

static size_t station_readings(const struct plant *p, const struct plant_station *s,
                               struct plant_reading *out)
{
    size_t n = 0;
    bool jammed = s->jam_left_s > 0;
    if (!s->silent)
        add(out, &n, "temperature", PLANT_NUMBER, round(s->shown_temperature_c * 100) / 100);
    add(out, &n, "vibration", PLANT_NUMBER, s->shown_vibration_mm_s);
    add(out, &n, "load", PLANT_NUMBER, round(s->load * 1000) / 10);
    add(out, &n, "parts", PLANT_COUNT, floor(s->parts));
    add(out, &n, "running", PLANT_BOOL, !jammed && !s->damaged && belt_speed(p) > 0.05);
    add(out, &n, "jammed", PLANT_BOOL, jammed);
    return n;
}

size_t plant_readings(const struct plant *p, int machine,
                      struct plant_reading out[PLANT_READINGS_MAX])
{
    ASSERT(machine >= 0 && machine < p->machines_n);
    const struct plant_machine *m = &p->machines[machine];
    size_t n = 0;
    switch (m->kind) {
    case PLANT_STATION: return station_readings(p, &m->station, out);
    case PLANT_VALVE: add(out, &n, "position", PLANT_NUMBER, m->valve.position * 100); break;
    case PLANT_BELT: add(out, &n, "speed", PLANT_NUMBER, m->belt.speed_m_s); break;
    case PLANT_METER:
        add(out, &n, "power", PLANT_NUMBER, m->meter.power_kw);
        add(out, &n, "energy", PLANT_NUMBER, m->meter.energy_kwh);
        break;
    }
    return n;
}

bool plant_jammed(const struct plant *p, int machine)
{
    ASSERT(machine >= 0 && machine < p->machines_n);
    const struct plant_machine *m = &p->machines[machine];
    return m->kind == PLANT_STATION && m->station.jam_left_s > 0;
}
