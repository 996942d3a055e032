/* cmd_sim: a site's plant, simulated: reads which devices the site declares and where its broker
 * listens, and plays the machines. It never looks at the site's programs. */
#include "app/args.h"
#include "app/plant_modbus.h"
#include "async/signals.h"
#include "base/log.h"
#include "codec/json.h"
#include "plant/plant_devices.h"
#include "site/load.h"
#include "site/schema.h"

#include <stdio.h>
#include <string.h>

struct sim_options {
    const char *site, *user, *password_file;
    enum plant_fault fault;
    uint64_t seed;
    bool has_seed;
    double speed, for_s;
    struct str fault_at; /* the machine that it is about; "" for the usual one */
};

/* --- options ------------------------------------------------------------------------------- */

static bool parse_seconds(const char *text, double *out)
{
    static const struct {
        struct str unit;
        double seconds;
    } units[] = {{{"ms", 2}, 0.001}, {{"min", 3}, 60}, {{"h", 1}, 3600}, {{"s", 1}, 1}};
    struct str s = str_from(text);
    double scale = 1;
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        if (!str_ends(s, units[i].unit))
            continue;
        scale = units[i].seconds;
        s = str_trim(str_sub(s, 0, s.n - units[i].unit.n));
        break;
    }
    if (str_to_double(s, out))
        return false;
    *out *= scale;
    return *out > 0 && *out < 1e9;
}

enum { O_FAULT = 256, O_SEED, O_SPEED, O_FOR, O_USER, O_PASSWORD_FILE };

/* "stuck", or "stuck:plant.oven" */
static const char *set_fault(struct sim_options *o, struct str value)
{
    size_t colon = value.n;
    (void)str_find(value, ':', &colon);
    o->fault_at = str_sub(value, colon + 1, value.n);
    return plant_fault_parse(str_sub(value, 0, colon), &o->fault)
               ? NULL
               : "there are overheat, drift, jam, silent and stuck";
}

/* What is wrong with the value; NULL: nothing. */
static const char *set_option(struct sim_options *o, int id, const char *value)
{
    int64_t n = 0;
    switch (id) {
    case O_FAULT: return set_fault(o, str_from(value));
    case O_SEED:
        o->has_seed = str_to_i64(str_from(value), &n) == ERR_OK && n >= 0;
        o->seed = (uint64_t)n;
        return o->has_seed ? NULL : "it is a whole number";
    case O_SPEED:
        return str_to_double(str_from(value), &o->speed) == ERR_OK && o->speed > 0 &&
                       o->speed <= 10000
                   ? NULL
                   : "it is a number above 0, up to 10000";
    case O_FOR: return parse_seconds(value, &o->for_s) ? NULL : "it is a time, as 90s, 5min or 1h";
    case O_USER: o->user = value; return NULL;
    default: o->password_file = value; return NULL;
    }
}

/* 0: go on, else the exit status + 1. */
static int parse(int argc, char **argv, struct sim_options *o)
{
    struct args a = args_start(&command_sim, argc, argv);
    *o = (struct sim_options){.speed = 1};
    for (int id; (id = args_next(&a)) != ARGS_END;) {
        if (id == ARGS_WORD && !o->site) {
            o->site = a.value;
        } else if (id < 0) {
            return args_status(&a) + 1;
        } else {
            const char *why = set_option(o, id, a.value);
            if (why)
                return args_wrong(&a, "%s", why) + 1;
        }
    }
    if (!o->site)
        return args_missing(&a, "SITE") + 1;
    if ((o->user != NULL) != (o->password_file != NULL))
        return args_refuse(&a, "--user and --password-file go together") + 1;
    return 0;
}

/* --- the plant of a site ------------------------------------------------------------------- */

struct sim {
    struct sim_options o;
    struct lang_site *site;
    struct site_settings settings;
    struct executor *ex;
    struct signal_watch *signals;
    struct plant plant;
    struct plant_device_config configs[PLANT_MACHINES_MAX]; /* those with topics */
    struct plant_modbus_device fields[PLANT_MACHINES_MAX];  /* those on Modbus */
    size_t configs_n, fields_n;
    struct plant_devices *devices;
    struct plant_modbus *modbus;
    bool failed;
    char password[256];
    size_t password_n;
};

static bool kind_of(struct str model, enum plant_kind *out)
{
    static const struct {
        struct str model;
        enum plant_kind kind;
    } kinds[] = {{{"Station", 7}, PLANT_STATION},
                 {{"Valve", 5}, PLANT_VALVE},
                 {{"Conveyor", 8}, PLANT_BELT},
                 {{"Meter", 5}, PLANT_METER}};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (!str_eq(kinds[i].model, model))
            continue;
        *out = kinds[i].kind;
        return true;
    }
    return false;
}

/* How it is reached, and so how it is played; NULL: in no way that can be. */
static const struct lang_clause_decl *way_of(const struct lang_decl *d)
{
    const struct lang_clause_decl *modbus = site_modbus_clause(d);
    struct error why = {0};
    if (modbus && !plant_modbus_can(d, &why)) {
        LOG_W("plant", "%.*s is not simulated: %s", STR_FMT(d->name), why.text);
        return NULL;
    }
    return modbus ? modbus : lang_decl_clause(d, "via", "mqtt", 0);
}

static enum err add_device(struct sim *s, const struct lang_decl *d, enum plant_kind kind,
                           struct error *e)
{
    if (plant_add(&s->plant, kind, d->name))
        return error_set(e, ERR_FULL, "more than %d devices", PLANT_MACHINES_MAX);
    int machine = s->plant.machines_n - 1;
    if (site_modbus_clause(d))
        s->fields[s->fields_n++] = (struct plant_modbus_device){machine, d};
    else
        s->configs[s->configs_n++] = (struct plant_device_config){
            .machine = machine, .topic = lang_clause_value(way_of(d), "topic")->text};
    return ERR_OK;
}

static enum err add_devices(struct sim *s, struct error *e)
{
    enum err err = ERR_OK;
    for (size_t i = 0; !err && i < s->site->resources_n; i++) {
        const struct lang_decl *d = s->site->resources[i];
        enum plant_kind kind;
        if (!d->type || !kind_of(d->type->name, &kind))
            LOG_W("plant", "%.*s is not simulated: there is no machine for its model",
                  STR_FMT(d->name));
        else if (way_of(d))
            err = add_device(s, d, kind, e);
    }
    if (!err && s->plant.machines_n == 0)
        err =
            error_set(e, ERR_NOT_FOUND, "%s declares no machine that can be simulated", s->o.site);
    if (!err && s->o.fault_at.n && !plant_fault_at(&s->plant, s->o.fault_at))
        err = error_set(e, ERR_NOT_FOUND, "there is no machine %.*s here", STR_FMT(s->o.fault_at));
    return err;
}

static enum err read_password(struct sim *s, struct error *e)
{
    if (!s->o.password_file)
        return ERR_OK;
    FILE *f = fopen(s->o.password_file, "re");
    bool read = f && fgets(s->password, sizeof(s->password), f);
    if (f)
        (void)fclose(f);
    if (!read)
        return error_set(e, ERR_IO, "%s holds no password", s->o.password_file);
    s->password_n = strcspn(s->password, "\r\n");
    return ERR_OK;
}

/* Where the broker is reached from this machine. */
static enum err broker_address(const struct sim *s, struct addr *out, struct error *e)
{
    if (s->settings.mqtt_count == 0)
        return error_set(e, ERR_NOT_FOUND, "%s declares no mqtt listener", s->o.site);
    size_t i = 0;
    while (i < s->settings.mqtt_count && (s->settings.mqtt[i].tls || s->settings.mqtt[i].websocket))
        i++;
    if (i == s->settings.mqtt_count)
        return error_set(e, ERR_UNSUPPORTED,
                         "%s has no plain mqtt listener, which the simulated plant needs: let it "
                         "have one on loopback, mqtt 127.0.0.1:1883",
                         s->o.site);
    *out = addr_from_here(s->settings.mqtt[i].addr);
    return ERR_OK;
}

/* --- life ---------------------------------------------------------------------------------- */

static void on_ended(void *ctx)
{
    struct sim *s = ctx;
    executor_stop(s->ex);
}

static void on_lost(void *ctx, const char *line)
{
    struct sim *s = ctx;
    LOG_E("plant", "the Modbus server of %s has ended", line);
    s->failed = true;
    plant_devices_stop(s->devices);
}

static void on_signal(void *ctx, int signal)
{
    struct sim *s = ctx;
    (void)signal;
    plant_devices_stop(s->devices);
}

static enum err start(struct sim *s, struct error *e)
{
    static const int signals[] = {SIGINT, SIGTERM};
    struct plant_devices_config cfg = {
        .alloc = alloc_system(),
        .plant = &s->plant,
        .devices = s->configs,
        .devices_n = s->configs_n,
        .speed = s->o.speed,
        .for_s = s->o.for_s,
        .has_user = s->o.user != NULL,
        .user = str_from(s->o.user),
        .password = {(const uint8_t *)s->password, s->password_n},
        .ctx = s,
        .ended = on_ended,
    };
    const struct plant_modbus_config fields = {.alloc = alloc_system(),
                                               .plant = &s->plant,
                                               .devices = s->fields,
                                               .devices_n = s->fields_n,
                                               .ctx = s,
                                               .lost = on_lost};
    enum err err = s->configs_n ? broker_address(s, &cfg.addr, e) : ERR_OK;
    struct executor_config ec = {
        .env = env_linux(), .alloc = alloc_system(), .workers = 1, .offload_threads = 1};
    if (!err)
        err = executor_new(&s->ex, &ec, e);
    if (!err)
        err = signal_watch_new(&s->signals, executor_worker(s->ex, 0), signals, ARRAY_LEN(signals),
                               on_signal, s, e);
    if (!err && s->fields_n)
        err = plant_modbus_new(&s->modbus, executor_worker(s->ex, 0), &fields, e);
    if (!err)
        err = plant_devices_new(&s->devices, executor_worker(s->ex, 0), &cfg);
    return err;
}

static enum err prepare(struct sim *s, struct error *e)
{
    enum err err = site_settings_read(&s->settings, s->site, e);
    if (!s->o.has_seed) {
        uint32_t seed = 0;
        env_linux()->entropy(env_linux(), &seed, sizeof(seed));
        s->o.seed = seed;
    }
    LOG_I("plant", "seed %llu", (unsigned long long)s->o.seed);
    plant_init(&s->plant, s->o.seed, s->o.fault);
    if (!err)
        err = add_devices(s, e);
    if (!err)
        err = read_password(s, e);
    return err;
}

static void print_station(const struct plant_machine *m)
{
    const struct plant_station *st = &m->station;
    struct strbuf b;
    struct json_writer w;
    strbuf_init(&b, alloc_system(), 0);
    json_writer_init(&w, &b);
    json_object_begin(&w);
    json_key(&w, "station");
    json_str(&w, m->name);
    json_key(&w, "peak_temperature");
    json_double(&w, (double)(int64_t)(st->peak_c * 100 + 0.5) / 100);
    json_key(&w, "damaged");
    json_bool(&w, st->damaged);
    json_key(&w, "parts");
    json_int(&w, (int64_t)st->parts);
    json_object_end(&w);
    (void)printf("%s\n", b.p);
    strbuf_fini(&b);
}

static void summary(const struct sim *s)
{
    for (int i = 0; i < s->plant.machines_n; i++) {
        if (s->plant.machines[i].kind == PLANT_STATION)
            print_station(&s->plant.machines[i]);
    }
}

static int cmd_sim(int argc, char **argv)
{
    struct sim s = {0};
    struct error e = {0};
    int status = parse(argc, argv, &s.o);
    if (status)
        return status - 1;
    if (site_check(s.o.site, &s.site, stderr))
        return EXIT_FINDING;
    enum err err = prepare(&s, &e);
    if (!err)
        err = start(&s, &e);
    if (err) {
        (void)fprintf(stderr, "sedge sim: %s\n", e.text[0] ? e.text : err_name(err));
    } else {
        executor_run(s.ex);
        summary(&s);
    }
    plant_modbus_free(s.modbus);
    plant_devices_free(s.devices);
    if (s.signals)
        signal_watch_free(s.signals);
    if (s.ex)
        executor_free(s.ex);
    lang_site_free(s.site);
    return err || s.failed ? EXIT_FINDING : EXIT_OK;
}

const struct command command_sim = {
    .name = "sim",
    .group = COMMAND_SITE,
    .line = "simulates the machines of a site, on MQTT and Modbus",
    .synopsis = "SITE [OPTIONS]",
    .about = "Plays the machines that SITE declares (models Station, Valve, Conveyor and Meter, by "
             "topics, or by Modbus on this machine) until SIGINT or SIGTERM, then prints a JSON "
             "line for each station. "
             "Temperatures, wear and jams "
             "follow a physical model. It knows nothing of the site's programs: it is what a real "
             "plant would be to them.\n\n"
             "  overheat  the press's load runs up and stays\n"
             "  drift     the press gets slowly hotter and vibrates more\n"
             "  jam       the packer jams after 20 s, for 30 s\n"
             "  silent    the press's thermometer is silent after 20 s\n"
             "  stuck     the press's coolant valve ignores commands\n\n"
             "A fault may name another machine behind a colon: stuck:plant.oven.",
    .options = {(const struct command_option[]){
        {"fault", 0, "NAME[:MACHINE]", "one of the troubles above",
         "overheat drift jam silent stuck", O_FAULT, false, NULL},
        {"seed", 0, "N", "the same seed, the same plant; printed when not given", NULL, O_SEED,
         false, NULL},
        OPTION("speed", 0, "X", "the plant runs X times faster than the clock", NULL, O_SPEED),
        {"for", 0, "TIME", "end after this much of the plant's time: 90s, 5min, 1h", NULL, O_FOR,
         false, NULL},
        OPTION("user", 0, "NAME", "user name for the broker", NULL, O_USER),
        OPTION("password-file", 0, "FILE", "its first line is the password of that user",
               VALUES_FILE, O_PASSWORD_FILE),
        OPTIONS_END}},
    .words = {VALUES_FOLDER},
    .examples = {{"sedge sim sites/factory", "beside `sedge run sites/factory`"},
                 {"sedge sim sites/factory --fault overheat --speed 10", NULL},
                 {"sedge sim sites/factory --fault stuck:plant.oven", "its valve is on Modbus"}},
    .exits = {{"0", "it was told to end, or --for is over"},
              {"1", "the site has errors, or the plant can't be played"}},
    .see = {"run"},
    .run = cmd_sim,
};
