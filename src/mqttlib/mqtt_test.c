/* The MQTT client through its public header, against a server that follows a script. */
#include "mqttlib/mqttlib_internal.h"
#include "tests/support/mqtt_script.h"
#include <sedge/sedge.h>

enum { WAIT_MS = 20000 }; /* for what must come */

#define HELLO(more)                                                                                \
    "CONNECT v5 keep-alive=60 clean=1 id=c { session-expiry=0 receive-max=256 "                    \
    "max-size=1048576" more " }"
#define ACCEPT "20 03 00 00 00"
#define BYE    "DISCONNECT reason=00"

/* One test: a main coroutine with a server on its own worker. */
static struct site {
    struct script script;
    struct sedge_mqtt_config config;
    struct strbuf log;
    struct sedge_mqtt *client;
} site;

static void run(const struct script_step *steps, intptr_t (*fn)(void *arg))
{
    struct sedge_rt_config cfg = {.workers = 1};
    struct sedge_rt *rt;
    site = (struct site){0};
    strbuf_init(&site.log, alloc_system(), 0);
    REQUIRE(CHECK_EQ_INT(sedge_rt_new(&rt, &cfg, NULL), SEDGE_OK));
    CHECK_EQ_INT(sedge_rt_run(rt, fn, (void *)(uintptr_t)steps, NULL), SEDGE_OK);
    sedge_rt_free(rt);
    strbuf_fini(&site.log);
}

static bool begin(void *steps)
{
    struct sedge_error e = {0};
    site.script.worker = worker_current();
    script_begin(&site.script, steps);
    site.config.port = addr_port(listener_addr(site.script.listener));
    site.config.client_id = "c";
    site.config.backoff_min_ms = 1;
    site.config.backoff_max_ms = 2;
    bool ok = CHECK_EQ_INT(sedge_mqtt_new(&site.client, &site.config, &e), SEDGE_OK);
    CHECK_EQ_STR(e.text, "");
    return ok;
}

static void end(void)
{
    sedge_mqtt_free(site.client);
    script_end(&site.script);
}

/* --- coroutines ---------------------------------------------------------------------------- */

static struct sedge_mqtt_message message(const char *topic, uint8_t qos)
{
    return (struct sedge_mqtt_message){.topic = topic, .payload = "x", .payload_n = 1, .qos = qos};
}

static intptr_t publishing(void *steps)
{
    uint8_t reason = 99;
    struct sedge_mqtt_message m = message("a", 0);
    if (!begin(steps))
        return 1;
    CHECK_EQ_INT(sedge_mqtt_publish(site.client, &m, NULL, WAIT_MS), SEDGE_ERR_CLOSED);
    CHECK_EQ_INT(sedge_mqtt_await_online(site.client, WAIT_MS), SEDGE_OK);
    CHECK(sedge_mqtt_online(site.client));
    CHECK_EQ_INT(sedge_mqtt_publish(site.client, &m, &reason, WAIT_MS), SEDGE_OK);
    CHECK_EQ_UINT(reason, 0);
    m.qos = 1;
    CHECK_EQ_INT(sedge_mqtt_publish(site.client, &m, &reason, WAIT_MS), SEDGE_OK);
    CHECK_EQ_UINT(reason, 0x10);
    m.qos = 2;
    CHECK_EQ_INT(sedge_mqtt_publish(site.client, &m, &reason, WAIT_MS), SEDGE_OK);
    CHECK_EQ_INT(sedge_mqtt_publish(site.client, &m, &reason, WAIT_MS), SEDGE_ERR_DENIED);
    CHECK_EQ_UINT(reason, 0x87);
    CHECK_EQ_STR(sedge_mqtt_reason(reason), "not authorized");
    m.topic = "a/#";
    CHECK_EQ_INT(sedge_mqtt_publish(site.client, &m, NULL, WAIT_MS), SEDGE_ERR_INVALID);
    m = (struct sedge_mqtt_message){.topic = "a", .qos = 1, .reserved = {&m}};
    CHECK_EQ_INT(sedge_mqtt_publish(site.client, &m, NULL, WAIT_MS), SEDGE_ERR_INVALID);
    m = message("late", 1); /* no answer in time: it still may come */
    CHECK_EQ_INT(sedge_mqtt_publish(site.client, &m, NULL, 5), SEDGE_ERR_TIMEOUT);
    m.topic = "last";
    CHECK_EQ_INT(sedge_mqtt_publish(site.client, &m, NULL, WAIT_MS), SEDGE_OK);
    end();
    return 0;
}

#define PUB(q, i, t) "PUBLISH qos=" q " dup=0 retain=0 id=" i " topic=" t " payload=x"

TEST(mqtt_publish_waits_for_the_answer)
{
    static const struct script_step steps[] = {{HELLO(""), ACCEPT, 0},
                                               {PUB("0", "0", "a"), NULL, 0},
                                               {PUB("1", "1", "a"), "40 03 0001 10", 0},
                                               {PUB("2", "2", "a"), "50 02 0002", 0},
                                               {"PUBREL id=2 reason=00", "70 02 0002", 0},
                                               {PUB("2", "3", "a"), "50 03 0003 87", 0},
                                               {PUB("1", "4", "late"), NULL, 0},
                                               {PUB("1", "5", "last"), "40 02 0004 40 02 0005", 0},
                                               {BYE, NULL, 0},
                                               {0}};
    run(steps, publishing);
}

static intptr_t receiving(void *steps)
{
    struct sedge_mqtt_options o = {
        .qos = 2, .no_local = true, .retain_as_published = true, .retained = 2, .id = 7};
    struct sedge_mqtt_message *first = NULL, *second = NULL, *third = NULL;
    uint8_t reason = 99;
    site.config.persistent = true;
    site.config.receive_max = 2;
    if (!begin(steps))
        return 1;
    CHECK_EQ_INT(sedge_mqtt_subscribe(site.client, "a/#", &o, &reason, WAIT_MS), SEDGE_OK);
    CHECK_EQ_UINT(reason, 2);
    CHECK_EQ_INT(sedge_mqtt_subscribe(site.client, "no", NULL, &reason, WAIT_MS), SEDGE_ERR_DENIED);
    CHECK_EQ_UINT(reason, 0x87);
    CHECK_EQ_INT(sedge_mqtt_subscribe(site.client, "a#", NULL, NULL, WAIT_MS), SEDGE_ERR_INVALID);
    REQUIRE(CHECK_EQ_INT(sedge_mqtt_recv(site.client, &first, WAIT_MS), SEDGE_OK));
    REQUIRE(CHECK_EQ_INT(sedge_mqtt_recv(site.client, &second, WAIT_MS), SEDGE_OK));
    CHECK_EQ_STR(first->topic, "a");
    CHECK_EQ_STR(first->payload, "one");
    CHECK(first->qos == 1 && first->retain && first->payload_n == 3);
    const struct sedge_mqtt_properties *p = first->properties;
    REQUIRE(CHECK_EQ_UINT(p->user_n, 2) && CHECK_EQ_UINT(p->subscription_ids_n, 2));
    CHECK_EQ_STR(p->user[0].name, "k");
    CHECK_EQ_STR(p->user[1].value, "w");
    CHECK(p->subscription_ids[0] == 7 && p->subscription_ids[1] == 8);
    CHECK_EQ_STR(p->content_type, "t");
    CHECK_EQ_STR(p->response_topic, NULL);
    CHECK(p->correlation_n == 1 && p->expiry_s == 9 && p->is_text);
    CHECK_EQ_INT(sedge_mqtt_recv(site.client, &third, 0), SEDGE_ERR_TIMEOUT);
    CHECK_EQ_PTR(third, NULL);
    sedge_mqtt_message_free(first); /* acknowledges; the script goes on */
    CHECK_EQ_INT(sedge_mqtt_unsubscribe(site.client, "a/#", &reason, WAIT_MS), SEDGE_OK);
    CHECK_EQ_UINT(reason, 0x11);
    sedge_mqtt_stop(site.client); /* what is freed behind it is acknowledged no more */
    CHECK_EQ_INT(sedge_mqtt_recv(site.client, &third, WAIT_MS), SEDGE_ERR_CLOSED);
    sedge_mqtt_message_free(second);
    end();
    return 0;
}

TEST(mqtt_messages_are_acknowledged_when_they_are_freed)
{
    static const struct script_step steps[] = {
        {"CONNECT v5 keep-alive=60 clean=0 id=c { session-expiry=0 receive-max=2 max-size=1048576 "
         "}",
         ACCEPT, 0},
        {"SUBSCRIBE id=1 count=1 filter=a/#:2e { sub-id=7 id:7 }", "90 04 0001 00 02", 0},
        {"SUBSCRIBE id=2 count=1 filter=no:00",
         "90 04 0002 00 87"
         "33 2A 0001 61 0009 21 26 0001 6B 0001 76 0B07 26 0001 6B 0001 77 0B08 03 0001 74"
         "09 0001 63 0200000009 0101 6F6E65"
         "34 06 0001 62 000A 00",
         0},
        {"PUBACK id=9 reason=00", NULL, 0},
        {"UNSUBSCRIBE id=3 count=1 filter=a/#", "B0 04 0003 00 11", 0},
        {BYE, NULL, 0},
        {0}};
    run(steps, receiving);
}

/* --- callbacks ----------------------------------------------------------------------------- */

static void note_online(void *ctx, bool session_present)
{
    strbuf_addf(ctx, " online:%d", session_present);
}

static bool note_lost(void *ctx, const struct sedge_mqtt_loss *loss)
{
    strbuf_addf(ctx, " lost:%s:%d", sedge_err_name(loss->err), loss->was_online);
    return true;
}

static void note_answer(void *ctx, enum sedge_err err, uint8_t reason)
{
    strbuf_addf(ctx, " %s:%02x", sedge_err_name(err), reason);
}

static void note_message(void *ctx, const struct sedge_mqtt_message *m)
{
    strbuf_addf(ctx, " %s=%.*s", m->topic, (int)m->payload_n, (const char *)m->payload);
    if (m->payload_n == 3)
        sedge_mqtt_stop_with_will(site.client);
}

static void note_ended(void *ctx)
{
    strbuf_adds(ctx, " ended");
}

static intptr_t with_callbacks(void *steps)
{
    static const struct sedge_mqtt_pair pairs[] = {{"k", "v"}};
    static const struct sedge_mqtt_properties delayed = {.will_delay_s = 5};
    struct sedge_mqtt_message will = message("w", 1), m = message("a", 1);
    struct sedge_mqtt_message *none;
    will.properties = &delayed;
    site.config = (struct sedge_mqtt_config){.will = &will,
                                             .user_properties = pairs,
                                             .user_properties_n = 1,
                                             .ctx = &site.log,
                                             .online = note_online,
                                             .lost = note_lost,
                                             .message = note_message,
                                             .ended = note_ended};
    if (!begin(steps))
        return 1;
    CHECK_EQ_INT(sedge_mqtt_recv(site.client, &none, 0), SEDGE_ERR_INVALID);
    CHECK_EQ_INT(sedge_mqtt_publish_then(site.client, &m, note_answer, &site.log), SEDGE_OK);
    CHECK_EQ_INT(sedge_mqtt_subscribe_then(site.client, "s", NULL, note_answer, &site.log),
                 SEDGE_OK);
    m = message("never answered", 1);
    CHECK_EQ_INT(sedge_mqtt_publish_then(site.client, &m, note_answer, &site.log), SEDGE_OK);
    m.qos = 3;
    CHECK_EQ_INT(sedge_mqtt_publish_then(site.client, &m, note_answer, NULL), SEDGE_ERR_INVALID);
    while (site.client->client)
        CHECK_EQ_INT(sedge_sleep_ms(1), SEDGE_OK);
    CHECK_EQ_STR(site.log.p,
                 " online:0 ok:00 lost:closed:1 online:0 s=1 ok:00 s=end closed:00 ended");
    CHECK_EQ_INT(sedge_mqtt_publish(site.client, &will, NULL, WAIT_MS), SEDGE_ERR_CLOSED);
    CHECK_EQ_INT(sedge_mqtt_await_online(site.client, WAIT_MS), SEDGE_ERR_CLOSED);
    end();
    return 0;
}

#define WITH_WILL HELLO(" k:v") " will-qos=1 will-retain=0 will-topic=w will=x { will-delay=5 }"

TEST(mqtt_callbacks_over_a_loss)
{
    static const struct script_step steps[] = {
        {WITH_WILL, ACCEPT, 0},
        {"SUBSCRIBE id=3 count=1 filter=s:00", "90 04 0003 00 00", 0},
        {PUB("1", "1", "a"), NULL, 0},
        {PUB("1", "2", "never\\x20answered"), NULL, SCRIPT_CLOSE},
        {WITH_WILL, ACCEPT, 0},
        {"SUBSCRIBE id=4 count=1 filter=s:00", "30 05 0001 73 00 31", 0},
        {PUB("1", "1", "a"), NULL, 0},
        {PUB("1", "2", "never\\x20answered"), "40 02 0001 32 09 0001 73 0007 00 656E64", 0},
        {"PUBACK id=7 reason=00", NULL, 0},
        {"DISCONNECT reason=04", NULL, 0},
        {0}};
    run(steps, with_callbacks);
}

/* --- its end ------------------------------------------------------------------------------- */

static void free_it(void *ctx)
{
    struct sedge_mqtt *client = site.client;
    site.client = NULL;
    strbuf_adds(ctx, "ended");
    sedge_mqtt_free(client);
}

static intptr_t freed_in_ended(void *steps)
{
    site.config = (struct sedge_mqtt_config){.ctx = &site.log, .ended = free_it};
    if (!begin(steps))
        return 1;
    CHECK_EQ_INT(sedge_mqtt_await_online(site.client, WAIT_MS), SEDGE_OK);
    sedge_mqtt_stop(site.client);
    while (site.client)
        CHECK_EQ_INT(sedge_sleep_ms(1), SEDGE_OK);
    CHECK_EQ_STR(site.log.p, "ended");
    script_end(&site.script);
    return 0;
}

TEST(mqtt_may_be_freed_in_ended)
{
    static const struct script_step steps[] = {{HELLO(""), ACCEPT, 0}, {BYE, NULL, 0}, {0}};
    run(steps, freed_in_ended);
}

/* Whoever waits in a call when the client is freed comes back. */
static intptr_t receive(void *arg)
{
    struct sedge_mqtt_message *m;
    CHECK_EQ_INT(sedge_mqtt_recv(arg, &m, WAIT_MS), SEDGE_ERR_CLOSED);
    CHECK_EQ_PTR(m, NULL);
    strbuf_adds(&site.log, " received");
    return 0;
}

static void free_at_last(void *ctx)
{
    sedge_mqtt_free(ctx);
}

static void free_by(struct sedge_timer *t, struct sedge_mqtt *client, bool by_timer)
{
    sedge_timer_init(t, free_at_last, client);
    if (by_timer) /* no coroutine: it does not wait for the end */
        sedge_timer_set_after_ms(t, 0);
    else
        sedge_mqtt_free(client);
}

static void freed_under(bool by_timer)
{
    struct sedge_scope s;
    struct sedge_timer t;
    CHECK_EQ_INT(sedge_mqtt_await_online(site.client, WAIT_MS), SEDGE_OK);
    sedge_scope_begin(&s);
    for (int i = 0; i < 2; i++)
        CHECK_EQ_INT(sedge_scope_spawn(&s, receive, site.client, "receive"), SEDGE_OK);
    while (site.client->inside < 2)
        CHECK_EQ_INT(sedge_sleep_ms(1), SEDGE_OK);
    free_by(&t, site.client, by_timer);
    CHECK_EQ_INT(sedge_scope_end(&s), SEDGE_OK);
    CHECK_EQ_STR(site.log.p, " received received");
    script_end(&site.script);
}

static intptr_t freed_by_coroutine(void *steps)
{
    if (begin(steps))
        freed_under(false);
    return 0;
}

static intptr_t freed_by_timer(void *steps)
{
    if (begin(steps))
        freed_under(true);
    return 0;
}

TEST(mqtt_may_be_freed_under_others)
{
    static const struct script_step steps[] = {{HELLO(""), ACCEPT, 0}, {BYE, NULL, 0}, {0}};
    run(steps, freed_by_coroutine);
    run(steps, freed_by_timer);
}

/* --- configurations ------------------------------------------------------------------------ */

static intptr_t wrong_configurations(void *arg)
{
    struct sedge_mqtt *c = NULL;
    struct sedge_error e = {0};
    const struct {
        const char *label, *text;
        enum sedge_err err;
        struct sedge_mqtt_config config;
    } rows[] = {
        {"reserved", "what is reserved", SEDGE_ERR_INVALID, {.reserved = {&e}}},
        {"key", "a certificate needs its key", SEDGE_ERR_INVALID, {.cert = "x"}},
        {"auth", "a method of authentication", SEDGE_ERR_INVALID, {.auth_method = "m"}},
        {"ca", "/no/such/file", SEDGE_ERR_INVALID, {.ca = "/no/such/file"}},
        {"version", "makes no client", SEDGE_ERR_INVALID, {.version = (enum sedge_mqtt_version)9}},
        {"aliases", "makes no client", SEDGE_ERR_RANGE, {.aliases = 65}},
    };
    (void)arg;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].label);
        CHECK_EQ_INT(sedge_mqtt_new(&c, &rows[i].config, &e), rows[i].err);
        CHECK_EQ_PTR(c, NULL);
        CHECK(strstr(e.text, rows[i].text) != NULL);
    }
    return 0;
}

static bool note_loss(void *ctx, const struct sedge_mqtt_loss *loss)
{
    CHECK_EQ_INT(loss->err, SEDGE_ERR_NOT_FOUND);
    CHECK_HAS_STR(loss->text, "no-such-name.invalid has no address");
    *(unsigned *)ctx = loss->attempts;
    return loss->attempts < 2;
}

/* A name that is not known yet is no mistake: it is asked for again. */
static intptr_t unknown_name(void *arg)
{
    unsigned attempts = 0;
    const struct sedge_mqtt_config k = {.host = "no-such-name.invalid",
                                        .connect_ms = WAIT_MS,
                                        .backoff_min_ms = 1,
                                        .backoff_max_ms = 1,
                                        .ctx = &attempts,
                                        .lost = note_loss};
    struct sedge_mqtt *c;
    (void)arg;
    CHECK_EQ_INT(sedge_mqtt_new(&c, &k, NULL), SEDGE_OK);
    CHECK_EQ_INT(sedge_mqtt_await_online(c, WAIT_MS), SEDGE_ERR_CLOSED);
    CHECK_EQ_UINT(attempts, 2);
    sedge_mqtt_free(c);
    return 0;
}

TEST(mqtt_asks_for_an_unknown_name_again)
{
    run(NULL, unknown_name);
}

TEST(mqtt_refuses_wrong_configurations)
{
    struct sedge_mqtt *c = NULL;
    CHECK_EQ_INT(sedge_mqtt_new(&c, NULL, NULL), SEDGE_ERR_INVALID); /* no worker */
    run(NULL, wrong_configurations);
}

/* Whoever asks for anything of TLS does not get a connection without. */
static intptr_t asking_for_tls(void *arg)
{
    const struct sedge_mqtt_config rows[] = {
        {.tls = true}, {.insecure = true}, {.tls_1_2 = true}, {.tls = false}};
    (void)arg;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sedge_mqtt *c;
        struct sedge_mqtt_config k = rows[i];
        LABEL("%zu", i);
        k.port = 1;
        if (!CHECK_EQ_INT(sedge_mqtt_new(&c, &k, NULL), SEDGE_OK))
            continue;
        CHECK_EQ_INT(c->tls != NULL, i < 3);
        sedge_mqtt_free(c);
    }
    return 0;
}

TEST(mqtt_tls_is_on_if_anything_of_it_is)
{
    run(NULL, asking_for_tls);
}

/* Each allocation fails in turn. */
static intptr_t without_memory(void *arg)
{
    static const struct sedge_mqtt_pair pairs[] = {{"k", "v"}};
    enum err err = ERR_NOMEM;
    uint64_t fail_at = 0;
    (void)arg;
    for (; err && fail_at < 100; fail_at++) {
        struct alloc_faulty faulty;
        struct sedge_mqtt *c;
        struct error e = {0};
        struct sedge_mqtt_config k = {
            .port = 1, .ws_path = "/mqtt", .user_properties = pairs, .user_properties_n = 1};
        LABEL("allocation %d", (int)fail_at);
        alloc_faulty_init(&faulty, fail_at);
        err = mqtt_new(&c, &faulty.alloc, &k, &e);
        CHECK(err == ERR_OK || err == ERR_NOMEM);
        sedge_mqtt_free(c);
        CHECK_EQ_UINT(faulty.live_bytes, 0);
    }
    CHECK(fail_at > 5);
    return 0;
}

TEST(mqtt_new_gives_everything_back)
{
    run(NULL, without_memory);
}
