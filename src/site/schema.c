/* The tables of a site's declarations. */
#include "site/schema.h"

#include "async/executor.h"
#include "site/access.h"
#include "site/limits.h"
#include "site/mapping.h"
#include "site/modbus.h"

#define OPT  LANG_ARG_OPTIONAL
#define N(a) .args = (a), .args_n = ARRAY_LEN(a)

/* ---- site -------------------------------------------------------------------------------- */

static const struct lang_arg zone_args[] = {
    {.kind = LANG_ARG_STRING, .name = "zone"},
};
static const struct lang_clause site_clauses[] = {
    {.word = "zone", N(zone_args), .example = "zone \"Europe/Berlin\""},
};

/* ---- server ------------------------------------------------------------------------------ */

#define FLAG(word)                                                                                 \
    {                                                                                              \
        .kind = LANG_ARG_FLAG, .name = (word), .lead = (word), .flags = OPT                        \
    }
#define FILED(word)                                                                                \
    {                                                                                              \
        .kind = LANG_ARG_STRING, .name = (word), .lead = (word), .flags = OPT                      \
    }
#define TLS FLAG("tls"), FLAG("tls12"), FILED("cert"), FILED("key"), FILED("ca")

static const struct lang_arg mqtt_listener_args[] = {
    {.kind = LANG_ARG_ADDRESS, .name = "address"},
    TLS,
    FLAG("insecure"),
    FILED("passwords"),
    FLAG("anonymous"),
};
static const struct lang_arg mqtt_unix_args[] = {
    {.kind = LANG_ARG_STRING, .name = "path"},
    FILED("passwords"),
    FLAG("anonymous"),
};
static const struct lang_arg websocket_args[] = {
    {.kind = LANG_ARG_ADDRESS, .name = "address"},
    TLS,
    FLAG("insecure"),
    FILED("passwords"),
    FLAG("anonymous"),
    FILED("path"),
    FLAG("any_origin"),
};
static const struct lang_arg http_args[] = {
    {.kind = LANG_ARG_ADDRESS, .name = "address"},
    TLS,
    FLAG("insecure"),
    FILED("name"),
};
static const struct lang_arg commit_args[] = {
    {.kind = LANG_ARG_NUMBER, .name = "time", .unit = "s"},
};
static const struct lang_clause store_clauses[] = {
    {.word = "commit", N(commit_args), .example = "commit 10s"},
};
static const struct lang_arg store_args[] = {
    {.kind = LANG_ARG_STRING, .name = "folder"},
    {.kind = LANG_ARG_BLOCK,
     .name = "options",
     .flags = OPT,
     .clauses = store_clauses,
     .clauses_n = ARRAY_LEN(store_clauses)},
};
static const char *const automatic[] = {"auto", NULL};
static const struct lang_arg workers_args[] = {
    {.kind = LANG_ARG_NUMBER,
     .name = "workers",
     .flags = LANG_ARG_WHOLE,
     .words = automatic,
     .unit = "",
     .min = 1,
     .max = EXECUTOR_WORKERS_MAX},
};
static const char *const off[] = {"off", NULL};
static const struct lang_arg watchdog_args[] = {
    {.kind = LANG_ARG_NUMBER,
     .name = "watchdog",
     .words = off,
     .unit = "s",
     .min = 0.01,
     .max = 3600},
};
static const struct lang_arg sys_args[] = {
    {.kind = LANG_ARG_NUMBER, .name = "sys", .words = off, .unit = "s", .min = 1, .max = 3600},
};
static const struct lang_arg limits_args[] = {
    {.kind = LANG_ARG_BLOCK,
     .name = "limits",
     .clauses = site_limits_clauses,
     .clauses_n = SITE_LIMITS_CLAUSES},
};
static const struct lang_clause server_clauses[] = {
    {.word = "mqtt",
     .flags = LANG_CLAUSE_REPEATED,
     N(mqtt_listener_args),
     .example = "mqtt 127.0.0.1:1883"},
    {.word = "mqtt",
     .second = "unix",
     .flags = LANG_CLAUSE_REPEATED,
     N(mqtt_unix_args),
     .example = "mqtt unix \"/run/sedge/mqtt.sock\""},
    {.word = "websocket",
     .flags = LANG_CLAUSE_REPEATED,
     N(websocket_args),
     .example = "websocket 127.0.0.1:8083"},
    {.word = "http", .flags = LANG_CLAUSE_REPEATED, N(http_args), .example = "http 127.0.0.1:8080"},
    {.word = "store", N(store_args), .example = "store \"data\""},
    {.word = "workers", N(workers_args), .example = "workers 2"},
    {.word = "watchdog", N(watchdog_args), .example = "watchdog 1s"},
    {.word = "sys", N(sys_args), .example = "sys 10s"},
    {.word = "limits", N(limits_args), .example = "limits { connections 20000 }"},
};

/* ---- model ------------------------------------------------------------------------------- */

static const char *const setters[] = {"guest", NULL};
static const struct lang_arg property_args[] = {
    {.kind = LANG_ARG_NAME, .name = "the property's name"},
    {.kind = LANG_ARG_TYPE, .name = "type", .lead = ":"},
    {.kind = LANG_ARG_RANGE, .name = "range", .lead = "range", .flags = OPT},
    {.kind = LANG_ARG_WORD,
     .name = "people",
     .lead = "by",
     .flags = OPT | LANG_ARG_UNTRUSTED,
     .words = setters},
};
static const struct lang_arg action_args[] = {
    {.kind = LANG_ARG_NAME, .name = "the action's name"},
    {.kind = LANG_ARG_PARAMS, .name = "parameters"},
    {.kind = LANG_ARG_CONDITION, .name = "confirms", .lead = "confirms", .flags = OPT},
    {.kind = LANG_ARG_NAMES,
     .name = "a property around it",
     .lead = "affects",
     .flags = OPT | LANG_ARG_AFFECTS},
    {.kind = LANG_ARG_FLAG, .name = "guarded", .lead = "guarded", .flags = OPT | LANG_ARG_GUARDED},
};
static const struct lang_arg event_args[] = {
    {.kind = LANG_ARG_NAME, .name = "the event's name"},
};
static const struct lang_arg safe_args[] = {
    {.kind = LANG_ARG_MEMBER, .name = "action"},
};
static const struct lang_clause model_clauses[] = {
    {.word = "property",
     .role = LANG_CLAUSE_READABLE,
     .flags = LANG_CLAUSE_REPEATED,
     N(property_args),
     .example = "property temperature: °C range -20..150"},
    {.word = "action",
     .role = LANG_CLAUSE_COMMAND,
     .flags = LANG_CLAUSE_REPEATED,
     N(action_args),
     .example = "action open() confirms position > 90 %"},
    {.word = "event",
     .role = LANG_CLAUSE_SIGNAL,
     .flags = LANG_CLAUSE_REPEATED,
     N(event_args),
     .example = "event jam"},
    {.word = "safe", .role = LANG_CLAUSE_SAFE, N(safe_args), .example = "safe close()"},
};

/* ---- device ------------------------------------------------------------------------------ */

static const struct lang_arg id_args[] = {
    {.kind = LANG_ARG_STRING, .name = "identity", .flags = LANG_ARG_IDENTITY},
};
static const char *const formats[] = {"json", NULL};
static const struct lang_arg mqtt_args[] = {
    {.kind = LANG_ARG_STRING, .name = "topic", .flags = LANG_ARG_IDENTITY},
    {.kind = LANG_ARG_WORD, .name = "format", .words = formats, .flags = LANG_ARG_MAPS_ALL},
};
static const struct lang_arg powers_args[] = {
    {.kind = LANG_ARG_NAMES, .name = "a device"},
};
static const struct lang_clause device_clauses[] = {
    {.word = "id", .role = LANG_CLAUSE_IDENTITY, N(id_args), .example = "id \"urn:press:7781\""},
    {.word = "via",
     .second = "mqtt",
     .role = LANG_CLAUSE_LINK,
     N(mqtt_args),
     .example = "via mqtt \"line1/press1\" json"},
    {.word = "via",
     .second = "modbus",
     .role = LANG_CLAUSE_LINK,
     .args = site_modbus_args,
     .args_n = SITE_MODBUS_ARGS,
     .example = SITE_MODBUS_EXAMPLE},
    {.word = "property",
     .role = LANG_CLAUSE_MAPS,
     .flags = LANG_CLAUSE_REPEATED,
     N(site_mapping_property_args),
     .example = "property power = \"ENERGY.Power\" on \"tele/plug1/SENSOR\""},
    {.word = "event",
     .role = LANG_CLAUSE_MAPS,
     .flags = LANG_CLAUSE_REPEATED,
     N(site_mapping_event_args),
     .example = "event pressed = \"action\" on \"zigbee2mqtt/button\" is \"single\""},
    {.word = "action",
     .role = LANG_CLAUSE_MAPS,
     .flags = LANG_CLAUSE_REPEATED,
     N(site_mapping_action_args),
     .example = "action on() publish \"cmnd/plug1/POWER\" \"ON\""},
    {.word = "online",
     .flags = LANG_CLAUSE_REPEATED,
     N(site_mapping_online_args),
     .example = "online on \"tele/plug1/LWT\""},
    {.word = "powers",
     .role = LANG_CLAUSE_POWERS,
     .flags = LANG_CLAUSE_REPEATED,
     N(powers_args),
     .example = "powers plant.camera"},
};

/* ---- all --------------------------------------------------------------------------------- */

#define CLAUSES(c) .clauses = (c), .clauses_n = ARRAY_LEN(c)

static const struct lang_kind kinds[] = {
    {.word = "site",
     .head = LANG_HEAD_TEXT,
     .flags = LANG_KIND_ONCE | LANG_KIND_REQUIRED | LANG_KIND_BODY | LANG_KIND_OPEN,
     CLAUSES(site_clauses),
     .example = "site \"plant north\""},
    {.word = "server",
     .head = LANG_HEAD_NONE,
     .flags = LANG_KIND_BODY | LANG_KIND_ONCE,
     CLAUSES(server_clauses),
     .example = "server { mqtt 127.0.0.1:1883 }"},
    {.word = "access",
     .head = LANG_HEAD_NONE,
     .flags = LANG_KIND_BODY | LANG_KIND_ONCE,
     .clauses = site_access_clauses,
     .clauses_n = SITE_ACCESS_CLAUSES,
     .example = "access { allow publish \"line1/%u/#\" users }"},
    {.word = "model",
     .role = LANG_ROLE_TYPE,
     .head = LANG_HEAD_NAME,
     .flags = LANG_KIND_BODY,
     CLAUSES(model_clauses),
     .example = "model Station { property temperature: °C }"},
    {.word = "device",
     .role = LANG_ROLE_RESOURCE,
     .head = LANG_HEAD_PATH,
     .flags = LANG_KIND_TYPED | LANG_KIND_BODY,
     CLAUSES(device_clauses),
     .example = "device plant.press1: Station { via mqtt \"line1/press1\" json }"},
    {.word = "group",
     .role = LANG_ROLE_SET,
     .head = LANG_HEAD_PATH,
     .flags = LANG_KIND_LIST,
     .example = "group plant.stations = plant.press1, plant.oven"},
};

static const char *const severities[] = {"info", "warning", "critical", NULL};
static const struct lang_statement statements[] = {
    {.word = "alert", .levels = severities, .example = "alert warning \"{st.name} is hot\""},
};
static const char *const reserved[] = {"detect", "role",   "service", "dashboard", "user",
                                       "node",   "bridge", "route",   "workload",  NULL};

/* What the language can't judge. */
static void check_decls(struct lang_ctx *c, const struct lang_decl *const *decls, size_t n)
{
    site_mapping_check(c, decls, n);
    site_modbus_check(c, decls, n);
}

static const struct lang_schema schema = {
    .kinds = kinds,
    .kinds_n = ARRAY_LEN(kinds),
    .statements = statements,
    .statements_n = ARRAY_LEN(statements),
    .reserved = reserved,
    .check = check_decls,
};

const struct lang_schema *site_schema(void)
{
    return &schema;
}
