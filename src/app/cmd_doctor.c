/* cmd_doctor: is this machine fit for that site, and is what it has kept whole? */
#include "app/args.h"
#include "app/doctor_site.h"
#include "app/terminal.h"
#include "codec/json.h"
#include "host/fields.h"
#include "site/modbus.h"
#include "site/place.h"
#include "site/schema.h"

#include <stdio.h>
#include <string.h>

enum { DEVICES_MAX = 64, DEVICE_TEXT = 256 };
enum { O_DATA = 256, O_ALL, CONNECTIONS = 20000 };

struct doctor_options {
    const char *site, *data;
    bool json, all;
};

/* --- what the site says --- */

/* Serial lines of Modbus: "modbus rtu:/dev/ttyUSB0 unit 3 …". */
static void take_devices(const struct lang_site *site, char out[DEVICES_MAX][DEVICE_TEXT],
                         const char *list[DEVICES_MAX], size_t *n)
{
    for (size_t i = 0; site && i < site->resources_n; i++) {
        char text[SITE_MODBUS_TEXT_MAX];
        struct str word;
        bool known = false;
        if (!site_modbus_clause(site->resources[i]))
            continue;
        site_modbus_text(site->resources[i], text);
        if (!field_at(text, 1, &word) || !str_starts(word, STR("rtu:")))
            continue;
        word = str_sub(word, 4, word.n);
        for (size_t k = 0; k < *n; k++)
            known = known || str_eq(word, str_from(out[k]));
        if (known || *n == DEVICES_MAX)
            continue;
        (void)snprintf(out[*n], DEVICE_TEXT, "%.*s", STR_FMT(word));
        list[*n] = out[*n];
        ++*n;
    }
}

/* The site's own check, in short; and whether more can be looked at. */
static enum err look_at_site(struct doctor *d, struct site_place *p, const struct doctor_options *o)
{
    struct error e = {0};
    enum err err = site_place_open(p, o->site, NULL, &e);
    if (!err && p->site->warnings)
        doctor_say(d, DOCTOR_WARNING, "site", o->site, "sedge check shows them", "%zu warnings",
                   p->site->warnings);
    else if (!err)
        doctor_say(d, DOCTOR_OK, "site", o->site, "", "\"%.*s\" passes the check",
                   STR_FMT(p->settings.name));
    if (!err)
        return ERR_OK;
    doctor_say(d, DOCTOR_PROBLEM, "site", o->site, "sedge check shows all of it", "%s", e.text);
    if (!o->data)
        return err;
    err = site_place_open(p, o->site, o->data, &e);
    return err;
}

static void look_at_version(struct doctor *d)
{
    if (d->site->runs > 0)
        doctor_say(d, DOCTOR_OK, "version", "", "",
                   "sedge " SEDGE_VERSION "; the site runs as process %d", (int)d->site->runs);
    else
        doctor_say(d, DOCTOR_OK, "version", "", "", "sedge " SEDGE_VERSION "; the site %s",
                   d->site->runs ? "runs" : "does not run");
}

static void look_at_all(struct doctor *d)
{
    look_at_version(d);
    doctor_clock(d);
    doctor_disk(d);
    doctor_limits(d);
    doctor_ports(d);
    doctor_files(d);
    doctor_certificates(d);
    doctor_devices(d);
    doctor_store(d);
}

/* --- telling --- */

static void print(const struct doctor *d, bool all)
{
    size_t warnings = doctor_count(d, DOCTOR_WARNING), problems = doctor_count(d, DOCTOR_PROBLEM);
    for (size_t i = 0; i < d->findings.n; i++) {
        const struct doctor_finding *f = &d->findings.v[i];
        if (f->level == DOCTOR_OK && !all)
            continue;
        char where[2 * DOCTOR_TEXT], what[2 * DOCTOR_TEXT]; /* names of files and processes */
        (void)printf("%-8s %-12s %s%s%s\n", doctor_level_name(f->level), f->part,
                     terminal_shown(f->where, where, sizeof(where)), f->where[0] ? ": " : "",
                     terminal_shown(f->what, what, sizeof(what)));
        if (f->mend[0])
            (void)printf("%22s-> %s\n", "", f->mend);
    }
    (void)printf("%zu looked at, %zu problem%s, %zu warning%s%s\n", d->findings.n, problems,
                 problems == 1 ? "" : "s", warnings, warnings == 1 ? "" : "s",
                 all || warnings + problems ? "" : ": all is well (--all shows each)");
}

static void print_json(const struct doctor *d, const char *site)
{
    struct strbuf b;
    struct json_writer w;
    strbuf_init(&b, alloc_system(), 0);
    json_writer_init(&w, &b);
    json_object_begin(&w);
    json_key(&w, "site");
    json_cstr(&w, site);
    json_key(&w, "process");
    if (d->site->runs > 0)
        json_int(&w, d->site->runs);
    else
        json_null(&w);
    json_key(&w, "problems");
    json_int(&w, (int64_t)doctor_count(d, DOCTOR_PROBLEM));
    json_key(&w, "warnings");
    json_int(&w, (int64_t)doctor_count(d, DOCTOR_WARNING));
    json_key(&w, "findings");
    json_array_begin(&w);
    for (size_t i = 0; i < d->findings.n; i++) {
        const struct doctor_finding *f = &d->findings.v[i];
        json_object_begin(&w);
        json_key(&w, "level");
        json_cstr(&w, doctor_level_name(f->level));
        json_key(&w, "part");
        json_cstr(&w, f->part);
        json_key(&w, "where");
        json_cstr(&w, f->where[0] ? f->where : NULL);
        json_key(&w, "what");
        json_cstr(&w, f->what);
        json_key(&w, "mend");
        json_cstr(&w, f->mend[0] ? f->mend : NULL);
        json_object_end(&w);
    }
    json_array_end(&w);
    json_object_end(&w);
    strbuf_addc(&b, '\n');
    struct str line = strbuf_str(&b);
    (void)fwrite(line.p, 1, line.n, stdout);
    strbuf_fini(&b);
}

static int examine(const struct doctor_options *o)
{
    static struct doctor_listen listens[DOCTOR_LISTENS_MAX];
    static char paths[DEVICES_MAX][DEVICE_TEXT];
    const char *devices[DEVICES_MAX] = {NULL};
    struct site_place place = {0};
    struct doctor_site site = {.listens = listens, .connections_max = CONNECTIONS};
    struct doctor d;
    doctor_init(&d, alloc_system(), &site);
    if (!look_at_site(&d, &place, o)) {
        site.listens_n = doctor_site_listens(listens, place.folder, &place.settings);
        take_devices(place.site, paths, devices, &site.devices_n);
        site.devices = devices;
        site.folder = place.folder;
        site.store = place.store;
        site.runs = site_place_runs(&place);
        if (place.settings.limits.connections_max)
            site.connections_max = place.settings.limits.connections_max;
        look_at_all(&d);
    }
    if (o->json)
        print_json(&d, o->site);
    else
        print(&d, o->all);
    bool found = doctor_count(&d, DOCTOR_PROBLEM) + doctor_count(&d, DOCTOR_WARNING) > 0;
    doctor_fini(&d);
    site_place_close(&place);
    return found ? EXIT_FINDING : EXIT_OK;
}

static int cmd_doctor(int argc, char **argv)
{
    struct args a = args_start(&command_doctor, argc, argv);
    struct doctor_options o = {0};
    for (int id; (id = args_next(&a)) != ARGS_END;) {
        switch (id) {
        case O_DATA: o.data = a.value; break;
        case O_ALL: o.all = true; break;
        case OPTION_ID_JSON: o.json = true; break;
        default:
            if (id != ARGS_WORD || o.site)
                return args_status(&a);
            o.site = a.value;
        }
    }
    return o.site ? examine(&o) : args_missing(&a, "SITE");
}

const struct command command_doctor = {
    .name = "doctor",
    .group = COMMAND_CARE,
    .line = "looks at machine, files and data, and says what to mend",
    .synopsis = "SITE [--all] [--data FOLDER] [--json]",
    .about =
        "Clock, disk (room, kind, how long a sync takes), limits, ports, permissions of data, keys "
        "and password files, certificates and their chains, serial devices, every frame of the "
        "journal, every page "
        "of the database, and the site's own check. Each finding says what it is, where, and what "
        "to do.\n\n"
        "It works while the site runs or not, and changes nothing, except that it measures a sync "
        "with a small file in the store, which it removes. As root, or as the site's user, it sees "
        "most.",
    .options = {(const struct command_option[]){
        {.name = "all", .text = "also show what is well", .id = O_ALL},
        OPTION("data", 0, "FOLDER", "where the data is, for a site that does not pass the check",
               NULL, O_DATA),
        OPTION_JSON("all findings as one JSON object"),
        OPTIONS_END}},
    .words = {VALUES_FOLDER},
    .examples = {{"sedge doctor /etc/sedge/site", NULL},
                 {"sedge doctor sites/factory --json", "for a program"}},
    .exits = {{"0", "all is well"}, {"1", "there are problems or warnings"}},
    .see = {"check", "backup"},
    .run = cmd_doctor,
};
