#include "site/limits.h"

#include <stddef.h>
#include <string.h>

#define WHOLE LANG_ARG_WHOLE

/* word, field, unit, flags, from and to in the unit, what a base unit (s, B) is in the field */
#define NUMBERS(X)                                                                                 \
    X(connections, connections_max, "", WHOLE, 1, 1e7, 1, "connections 20000")                     \
    X(sessions, sessions_max, "", WHOLE, 1, 1e8, 1, "sessions 100000")                             \
    X(subscriptions, subscriptions_max, "", WHOLE, 1, 1e6, 1, "subscriptions 10000")               \
    X(queue, queue_max, "", WHOLE, 1, 1e8, 1, "queue 100000")                                      \
    X(queue_bytes, queue_bytes_max, "MiB", WHOLE, 0.01, 100000, 1, "queue_bytes 64 MiB")           \
    X(queue_stored, queue_stored_bytes_max, "MiB", WHOLE, 0.01, 100000, 1, "queue_stored 1 GiB")   \
    X(queue_total, queue_total_bytes_max, "MiB", WHOLE, 1, 100000, 1, "queue_total 512 MiB")       \
    X(queue_memory, queue_memory_max, "", WHOLE, 10, 1e6, 1, "queue_memory 1000")                  \
    X(queue_memory_bytes, queue_memory_bytes_max, "MiB", WHOLE, 0.01, 1000, 1,                     \
      "queue_memory_bytes 1 MiB")                                                                  \
    X(packet, packet_size_max, "KiB", WHOLE, 0.25, 16384, 1, "packet 1 MiB")                       \
    X(inflight, inflight_max, "", WHOLE, 1, 32000, 1, "inflight 8192")                             \
    X(receive, receive_max, "", WHOLE, 1, 65535, 1, "receive 1024")                                \
    X(topic_aliases, topic_alias_max, "", WHOLE, 1, 1000, 1, "topic_aliases 16")                   \
    X(keep_alive_max, keep_alive_max_s, "s", WHOLE, 1, 65535, 1, "keep_alive_max 10min")           \
    X(session_expiry_max, session_expiry_max_s, "d", WHOLE, 0.0001, 49000, 1,                      \
      "session_expiry_max 30d")                                                                    \
    X(connect_timeout, connect_timeout_ms, "s", 0, 0.1, 3600, 1000, "connect_timeout 10s")

static const char *const policies[] = {"drop_oldest", "drop_newest", "refuse", NULL};
static const uint8_t policy_of[] = {MQTT_FULL_DROP_OLDEST, MQTT_FULL_DROP_NEWEST, MQTT_FULL_REFUSE};
static const struct lang_arg policy_args[] = {
    {.kind = LANG_ARG_WORD, .name = "policy", .words = policies},
};
static const char *const features[] = {"qos2",   "retain",           "wildcards",
                                       "shares", "subscription_ids", NULL};
static const uint8_t feature_of[] = {MQTT_WITHOUT_QOS2, MQTT_WITHOUT_RETAIN, MQTT_WITHOUT_WILDCARDS,
                                     MQTT_WITHOUT_SHARES, MQTT_WITHOUT_SUBSCRIPTION_IDS};
static const struct lang_arg feature_args[] = {
    {.kind = LANG_ARG_WORD, .name = "feature", .words = features},
};

#define CLAUSE(w, field, u, f, from, to, scale, say)                                               \
    {.word = #w,                                                                                   \
     .args = (const struct lang_arg[]){{.kind = LANG_ARG_NUMBER,                                   \
                                        .name = #w,                                                \
                                        .unit = (u),                                               \
                                        .flags = (f),                                              \
                                        .min = (from),                                             \
                                        .max = (to)}},                                             \
     .args_n = 1,                                                                                  \
     .example = (say)},
const struct lang_clause site_limits_clauses[SITE_LIMITS_CLAUSES] = {
    NUMBERS(CLAUSE){.word = "full",
                    .args = policy_args,
                    .args_n = ARRAY_LEN(policy_args),
                    .example = "full refuse"},
    {.word = "without",
     .flags = LANG_CLAUSE_REPEATED,
     .args = feature_args,
     .args_n = ARRAY_LEN(feature_args),
     .example = "without qos2"},
};

struct number {
    const char *word;
    size_t at, size; /* of the field */
    double scale;
};
#define FIELD(w, field, u, f, from, to, scale, say)                                                \
    {#w, offsetof(struct mqtt_limits, field), sizeof(((struct mqtt_limits *)0)->field), (scale)},
static const struct number numbers[] = {NUMBERS(FIELD)};

static void put(struct mqtt_limits *l, const struct number *n, uint64_t value)
{
    void *field = (char *)l + n->at;
    switch (n->size) {
    case sizeof(uint16_t): *(uint16_t *)field = (uint16_t)value; break;
    case sizeof(uint32_t): *(uint32_t *)field = (uint32_t)value; break;
    default: *(uint64_t *)field = value; break;
    }
}

static uint64_t get(const struct mqtt_limits *l, const struct number *n)
{
    const void *field = (const char *)l + n->at;
    switch (n->size) {
    case sizeof(uint16_t): return *(const uint16_t *)field;
    case sizeof(uint32_t): return *(const uint32_t *)field;
    default: return *(const uint64_t *)field;
    }
}
_Static_assert(sizeof(size_t) == sizeof(uint64_t), "fields of size_t are read as uint64_t");

/* ---- reading ---- */

static void read_words(struct mqtt_limits *out, const struct lang_value *block)
{
    const struct lang_clause_decl *c = lang_value_clause(block, "full", 0);
    if (c)
        out->queue_full = policy_of[lang_clause_value(c, "policy")->index];
    for (size_t i = 0; (c = lang_value_clause(block, "without", i)); i++)
        out->without |= feature_of[lang_clause_value(c, "feature")->index];
}

void site_limits_read(struct mqtt_limits *out, const struct lang_decl *server)
{
    *out = (struct mqtt_limits){0};
    const struct lang_clause_decl *limits =
        server ? lang_decl_clause(server, "limits", NULL, 0) : NULL;
    if (!limits)
        return;
    const struct lang_value *block = lang_clause_value(limits, "limits");
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        const struct lang_clause_decl *c = lang_value_clause(block, numbers[i].word, 0);
        if (c)
            put(out, &numbers[i],
                (uint64_t)(lang_clause_value(c, numbers[i].word)->number * numbers[i].scale + 0.5));
    }
    read_words(out, block);
}

/* ---- a site in the place of another ---- */

static enum err differs(const char *word, uint64_t was, uint64_t is, struct error *e)
{
    return error_set(e, ERR_UNSUPPORTED,
                     "server: `limits { %s }` was %llu and is %llu (0: left out): the limits can't "
                     "change while the site runs; restart it",
                     word, (unsigned long long)was, (unsigned long long)is);
}

static enum err differ(const char *word, struct error *e)
{
    return error_set(
        e, ERR_UNSUPPORTED,
        "server: `limits { %s … }` has changed: the limits can't change while the site "
        "runs; restart it",
        word);
}

enum err site_limits_keep(const struct mqtt_limits *now, const struct mqtt_limits *next,
                          struct error *e)
{
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        if (get(now, &numbers[i]) != get(next, &numbers[i]))
            return differs(numbers[i].word, get(now, &numbers[i]), get(next, &numbers[i]), e);
    if (now->queue_full != next->queue_full)
        return differ("full", e);
    return now->without != next->without ? differ("without", e) : ERR_OK;
}

void site_limits_each(const struct mqtt_limits *l,
                      void (*each)(void *ctx, const char *word, const char *text, uint64_t value),
                      void *ctx)
{
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        uint64_t value = get(l, &numbers[i]);
        each(ctx, numbers[i].word, NULL, value == UINT32_MAX ? 0 : value); /* a session for ever */
    }
    for (size_t i = 0; i < ARRAY_LEN(policy_of); i++)
        if (policy_of[i] == l->queue_full)
            each(ctx, "full", policies[i], 0);
    for (size_t i = 0; i < ARRAY_LEN(feature_of); i++)
        if (l->without & feature_of[i])
            each(ctx, "without", features[i], 0);
}
