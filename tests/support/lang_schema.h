/* lang_schema: a schema for tests and fuzzing of the language: the words of a real site, and a link
 * (`via bus`) that maps member by member. */
#pragma once

#include "lang/lang.h"

#define T_OPT     LANG_ARG_OPTIONAL
#define T_ARGS(a) .args = (a), .args_n = ARRAY_LEN(a)

static const struct lang_arg t_listener[] = {
    {.kind = LANG_ARG_ADDRESS, .name = "address"},
    {.kind = LANG_ARG_FLAG, .name = "tls", .lead = "tls", .flags = T_OPT},
    {.kind = LANG_ARG_STRING, .name = "passwords", .lead = "passwords", .flags = T_OPT},
};
static const struct lang_arg t_commit[] = {
    {.kind = LANG_ARG_NUMBER, .name = "time", .unit = "s"},
};
static const struct lang_clause t_store_clauses[] = {
    {.word = "commit", T_ARGS(t_commit), .example = "commit 10s"},
};
static const struct lang_arg t_store[] = {
    {.kind = LANG_ARG_STRING, .name = "folder"},
    {.kind = LANG_ARG_BLOCK,
     .name = "options",
     .flags = T_OPT,
     .clauses = t_store_clauses,
     .clauses_n = 1},
};
static const char *const t_auto[] = {"auto", NULL};
static const struct lang_arg t_workers[] = {
    {.kind = LANG_ARG_NUMBER,
     .name = "number",
     .flags = LANG_ARG_WHOLE,
     .words = t_auto,
     .unit = "",
     .min = 1,
     .max = 64},
};
static const char *const t_off[] = {"off", NULL};
static const struct lang_arg t_watchdog[] = {
    {.kind = LANG_ARG_NUMBER, .name = "time", .words = t_off, .unit = "s", .min = 0.01, .max = 60},
};
static const struct lang_clause t_server[] = {
    {.word = "mqtt",
     .flags = LANG_CLAUSE_REPEATED,
     T_ARGS(t_listener),
     .example = "mqtt 127.0.0.1:1883"},
    {.word = "store", T_ARGS(t_store), .example = "store \"data\""},
    {.word = "workers", T_ARGS(t_workers), .example = "workers 2"},
    {.word = "watchdog", T_ARGS(t_watchdog), .example = "watchdog 1s"},
};

static const char *const t_sources[] = {"guest", NULL};
static const struct lang_arg t_property[] = {
    {.kind = LANG_ARG_NAME, .name = "the property's name"},
    {.kind = LANG_ARG_TYPE, .name = "type", .lead = ":"},
    {.kind = LANG_ARG_RANGE, .name = "range", .lead = "range", .flags = T_OPT},
    {.kind = LANG_ARG_WORD,
     .name = "people",
     .lead = "by",
     .flags = T_OPT | LANG_ARG_UNTRUSTED,
     .words = t_sources},
};
static const struct lang_arg t_action[] = {
    {.kind = LANG_ARG_NAME, .name = "the action's name"},
    {.kind = LANG_ARG_PARAMS, .name = "parameters"},
    {.kind = LANG_ARG_CONDITION, .name = "confirms", .lead = "confirms", .flags = T_OPT},
    {.kind = LANG_ARG_NAMES,
     .name = "a property around it",
     .lead = "affects",
     .flags = T_OPT | LANG_ARG_AFFECTS},
    {.kind = LANG_ARG_FLAG,
     .name = "guarded",
     .lead = "guarded",
     .flags = T_OPT | LANG_ARG_GUARDED},
};
static const struct lang_arg t_event[] = {{.kind = LANG_ARG_NAME, .name = "the event's name"}};
static const struct lang_arg t_safe[] = {{.kind = LANG_ARG_MEMBER, .name = "action"}};
static const struct lang_clause t_model[] = {
    {.word = "property",
     .role = LANG_CLAUSE_READABLE,
     .flags = LANG_CLAUSE_REPEATED,
     T_ARGS(t_property),
     .example = "property temperature: °C"},
    {.word = "action",
     .role = LANG_CLAUSE_COMMAND,
     .flags = LANG_CLAUSE_REPEATED,
     T_ARGS(t_action),
     .example = "action open()"},
    {.word = "event",
     .role = LANG_CLAUSE_SIGNAL,
     .flags = LANG_CLAUSE_REPEATED,
     T_ARGS(t_event),
     .example = "event jam"},
    {.word = "safe", .role = LANG_CLAUSE_SAFE, T_ARGS(t_safe), .example = "safe close()"},
};

static const char *const t_formats[] = {"json", "text", NULL};
static const struct lang_arg t_id[] = {
    {.kind = LANG_ARG_STRING, .name = "identity", .flags = LANG_ARG_IDENTITY},
};
static const struct lang_arg t_mqtt[] = {
    {.kind = LANG_ARG_STRING, .name = "topic", .flags = LANG_ARG_IDENTITY},
    {.kind = LANG_ARG_WORD, .name = "format", .words = t_formats, .flags = LANG_ARG_MAPS_ALL},
};
static const struct lang_arg t_bus[] = {
    {.kind = LANG_ARG_STRING, .name = "address"},
    {.kind = LANG_ARG_MAPPINGS, .name = "mappings", .flags = T_OPT},
};
static const struct lang_arg t_reads[] = {
    {.kind = LANG_ARG_OF, .name = "the property", .of = LANG_CLAUSE_READABLE},
    {.kind = LANG_ARG_STRING, .name = "path", .lead = "=", .flags = T_OPT | LANG_ARG_BLANK},
    {.kind = LANG_ARG_STRING, .name = "topic", .lead = "on"},
    {.kind = LANG_ARG_TYPE, .name = "unit", .lead = "as", .flags = T_OPT},
    {.kind = LANG_ARG_NUMBER, .name = "scale", .lead = "scale", .flags = T_OPT, .unit = ""},
    {.kind = LANG_ARG_NUMBER, .name = "offset", .lead = "offset", .flags = T_OPT, .unit = ""},
};
static const struct lang_arg t_hears[] = {
    {.kind = LANG_ARG_OF, .name = "the event", .of = LANG_CLAUSE_SIGNAL},
    {.kind = LANG_ARG_STRING, .name = "path", .lead = "=", .flags = T_OPT | LANG_ARG_BLANK},
    {.kind = LANG_ARG_STRING, .name = "topic", .lead = "on"},
    {.kind = LANG_ARG_STRING, .name = "word", .lead = "is", .flags = T_OPT},
};
static const struct lang_arg t_sends[] = {
    {.kind = LANG_ARG_OF, .name = "the action", .of = LANG_CLAUSE_COMMAND},
    {.kind = LANG_ARG_STRING,
     .name = "topic",
     .lead = "publish",
     .flags = LANG_ARG_IN_ORDER | LANG_ARG_IDENTITY},
    {.kind = LANG_ARG_TEMPLATE, .name = "payload", .flags = T_OPT | LANG_ARG_IDENTITY},
    {.kind = LANG_ARG_STRING, .name = "topic", .lead = "answer", .flags = T_OPT | LANG_ARG_ANSWERS},
};
static const struct lang_arg t_powers[] = {
    {.kind = LANG_ARG_NAMES, .name = "a device"},
};
static const struct lang_clause t_device[] = {
    {.word = "id", .role = LANG_CLAUSE_IDENTITY, T_ARGS(t_id), .example = "id \"urn:1\""},
    {.word = "via",
     .second = "mqtt",
     .role = LANG_CLAUSE_LINK,
     T_ARGS(t_mqtt),
     .example = "via mqtt \"topic\" json"},
    {.word = "via",
     .second = "bus",
     .role = LANG_CLAUSE_LINK,
     T_ARGS(t_bus),
     .example = "via bus \"1\" { open = coil 1 }"},
    {.word = "property",
     .role = LANG_CLAUSE_MAPS,
     .flags = LANG_CLAUSE_REPEATED,
     T_ARGS(t_reads),
     .example = "property power = \"a.b\" on \"topic\""},
    {.word = "event",
     .role = LANG_CLAUSE_MAPS,
     .flags = LANG_CLAUSE_REPEATED,
     T_ARGS(t_hears),
     .example = "event pressed on \"topic\""},
    {.word = "action",
     .role = LANG_CLAUSE_MAPS,
     .flags = LANG_CLAUSE_REPEATED,
     T_ARGS(t_sends),
     .example = "action on() publish \"topic\" \"ON\""},
    {.word = "powers",
     .role = LANG_CLAUSE_POWERS,
     .flags = LANG_CLAUSE_REPEATED,
     T_ARGS(t_powers),
     .example = "powers plant.camera"},
};

static const struct lang_arg t_zone[] = {{.kind = LANG_ARG_STRING, .name = "zone"}};
static const struct lang_clause t_site[] = {
    {.word = "zone", T_ARGS(t_zone), .example = "zone \"Europe/Berlin\""},
};

static const struct lang_kind t_kinds[] = {
    {.word = "site",
     .head = LANG_HEAD_TEXT,
     .flags = LANG_KIND_ONCE | LANG_KIND_BODY | LANG_KIND_OPEN,
     .clauses = t_site,
     .clauses_n = ARRAY_LEN(t_site),
     .example = "site \"s\""},
    {.word = "server",
     .head = LANG_HEAD_NONE,
     .flags = LANG_KIND_BODY | LANG_KIND_ONCE,
     .clauses = t_server,
     .clauses_n = ARRAY_LEN(t_server),
     .example = "server { mqtt 127.0.0.1:1883 }"},
    {.word = "model",
     .role = LANG_ROLE_TYPE,
     .head = LANG_HEAD_NAME,
     .flags = LANG_KIND_BODY,
     .clauses = t_model,
     .clauses_n = ARRAY_LEN(t_model),
     .example = "model M { property p: °C }"},
    {.word = "device",
     .role = LANG_ROLE_RESOURCE,
     .head = LANG_HEAD_PATH,
     .flags = LANG_KIND_TYPED | LANG_KIND_BODY,
     .clauses = t_device,
     .clauses_n = ARRAY_LEN(t_device),
     .example = "device d: M { via mqtt \"d\" json }"},
    {.word = "group",
     .role = LANG_ROLE_SET,
     .head = LANG_HEAD_PATH,
     .flags = LANG_KIND_LIST,
     .example = "group g = a, b"},
};
static const char *const t_levels[] = {"info", "warning", "critical", NULL};
static const struct lang_statement t_statements[] = {
    {.word = "alert", .levels = t_levels, .example = "alert warning \"text\""},
};
static const char *const t_reserved[] = {"detect", "role", NULL};
static const struct lang_schema test_schema = {
    .kinds = t_kinds,
    .kinds_n = ARRAY_LEN(t_kinds),
    .statements = t_statements,
    .statements_n = ARRAY_LEN(t_statements),
    .reserved = t_reserved,
};
