/* paho_c VERSION PORT TLS_PORT CA OTHER_CA: Paho's C client (the synchronous one) through QoS 0 to
 * 2, large and retained messages, a will, a session, TLS, and in 5.0 properties, identifiers and
 * shared subscriptions. Says what it has done; ends with 1 and a line at the first thing that is
 * not as it should be. tests/integration/mqtt_paho_c_test.py */
#include <MQTTClient.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WAIT_MS = 30000, BIG = 300000 };

static int version; /* MQTTVERSION_… */
static char plain_uri[64], tls_uri[64];
static const char *ca, *other_ca;

static void __attribute__((noreturn, format(printf, 1, 2))) fail(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    exit(1);
}

static void check(bool holds, const char *what, int line)
{
    if (!holds)
        fail("line %d: %s", line, what);
}
#define CHECK(holds) check(holds, #holds, __LINE__)

/* --- connecting ---------------------------------------------------------------------------- */

struct how {
    bool keep, tls, other_ca, dies;
    bool expect_present;
};

static int try_connect(MQTTClient *c, const char *id, struct how how, int *present)
{
    MQTTClient_connectOptions o = MQTTClient_connectOptions_initializer;
    MQTTClient_connectOptions o5 = MQTTClient_connectOptions_initializer5;
    MQTTClient_createOptions create = MQTTClient_createOptions_initializer;
    MQTTClient_SSLOptions ssl = MQTTClient_SSLOptions_initializer;
    MQTTClient_willOptions will = MQTTClient_willOptions_initializer;
    MQTTProperties props = MQTTProperties_initializer;
    bool v5 = version == MQTTVERSION_5;
    if (v5)
        o = o5;
    create.MQTTVersion = version;
    CHECK(MQTTClient_createWithOptions(c, how.tls ? tls_uri : plain_uri, id,
                                       MQTTCLIENT_PERSISTENCE_NONE, NULL,
                                       &create) == MQTTCLIENT_SUCCESS);
    o.MQTTVersion = version;
    o.keepAliveInterval = 60;
    o.cleansession = !v5 && !how.keep;
    o.cleanstart = v5 && !how.keep;
    ssl.trustStore = how.other_ca ? other_ca : ca;
    ssl.verify = 1;
    o.ssl = how.tls ? &ssl : NULL;
    will.topicName = "c/will";
    will.message = "gone";
    will.qos = 1;
    o.will = how.dies ? &will : NULL;
    if (!v5) {
        int rc = MQTTClient_connect(*c, &o);
        *present = o.returned.sessionPresent;
        return rc;
    }
    MQTTProperty expiry = {.identifier = MQTTPROPERTY_CODE_SESSION_EXPIRY_INTERVAL};
    expiry.value.integer4 = how.keep ? 3600 : 0;
    MQTTProperties_add(&props, &expiry);
    MQTTResponse r = MQTTClient_connect5(*c, &o, &props, NULL);
    int rc = r.reasonCode;
    *present = o.returned.sessionPresent;
    MQTTResponse_free(r);
    MQTTProperties_free(&props);
    return rc;
}

static MQTTClient begin(const char *id, struct how how)
{
    MQTTClient c;
    int present = -1;
    int rc = try_connect(&c, id, how, &present);
    if (rc != MQTTCLIENT_SUCCESS)
        fail("%s cannot connect: %d", id, rc);
    if (version != MQTTVERSION_5) /* this client does not hand it on in 5.0 */
        CHECK(!present == !how.expect_present);
    return c;
}

static void end(MQTTClient c)
{
    int rc = version == MQTTVERSION_5
                 ? MQTTClient_disconnect5(c, WAIT_MS, MQTTREASONCODE_SUCCESS, NULL)
                 : MQTTClient_disconnect(c, WAIT_MS);
    CHECK(rc == MQTTCLIENT_SUCCESS);
    MQTTClient_destroy(&c);
}

/* --- messages ------------------------------------------------------------------------------ */

static void subscribe_with(MQTTClient c, const char *filter, int qos, MQTTProperties *props)
{
    if (version != MQTTVERSION_5) {
        CHECK(MQTTClient_subscribe(c, filter, qos) == MQTTCLIENT_SUCCESS);
        return;
    }
    MQTTResponse r = MQTTClient_subscribe5(c, filter, qos, NULL, props);
    CHECK((int)r.reasonCode == qos);
    MQTTResponse_free(r);
}

static void subscribe(MQTTClient c, const char *filter, int qos)
{
    subscribe_with(c, filter, qos, NULL);
}

static void publish_with(MQTTClient c, const char *topic, const void *p, size_t n, int qos,
                         bool retain, MQTTProperties *props)
{
    MQTTClient_message m = MQTTClient_message_initializer;
    MQTTClient_deliveryToken token = 0;
    m.payload = (void *)(uintptr_t)p;
    m.payloadlen = (int)n;
    m.qos = qos;
    m.retained = retain;
    if (props)
        m.properties = *props;
    if (version == MQTTVERSION_5) {
        MQTTResponse r = MQTTClient_publishMessage5(c, topic, &m, &token);
        CHECK(r.reasonCode == MQTTREASONCODE_SUCCESS);
        MQTTResponse_free(r);
    } else {
        CHECK(MQTTClient_publishMessage(c, topic, &m, &token) == MQTTCLIENT_SUCCESS);
    }
    if (qos > 0)
        CHECK(MQTTClient_waitForCompletion(c, token, WAIT_MS) == MQTTCLIENT_SUCCESS);
}

static void publish(MQTTClient c, const char *topic, const char *text, int qos, bool retain)
{
    publish_with(c, topic, text, strlen(text), qos, retain, NULL);
}

static MQTTClient_message *take(MQTTClient c, char topic[64])
{
    MQTTClient_message *m = NULL;
    char *name = NULL;
    int n = 0;
    int rc = MQTTClient_receive(c, &name, &n, &m, WAIT_MS);
    if ((rc != MQTTCLIENT_SUCCESS && rc != MQTTCLIENT_TOPICNAME_TRUNCATED) || !m)
        fail("no message came: %d", rc);
    (void)snprintf(topic, 64, "%s", name);
    MQTTClient_free(name);
    return m;
}

static void expect(MQTTClient c, const char *topic, const char *text, int qos, bool retain)
{
    char name[64];
    MQTTClient_message *m = take(c, name);
    if (strcmp(name, topic) != 0 || m->payloadlen != (int)strlen(text) ||
        memcmp(m->payload, text, strlen(text)) != 0 || m->qos != qos || !m->retained != !retain)
        fail("%s %.*s (QoS %d, retain %d) came instead of %s %s (%d, %d)", name, m->payloadlen,
             (const char *)m->payload, m->qos, m->retained, topic, text, qos, retain);
    MQTTClient_freeMessage(&m);
}

/* --- the parts ----------------------------------------------------------------------------- */

static void each_qos(struct how how)
{
    MQTTClient sub = begin("c-sub", how), pub = begin("c-pub", how);
    char text[16], *big = malloc(BIG), name[64];
    CHECK(big);
    subscribe(sub, "c/q/#", 2);
    for (int qos = 0; qos <= 2; qos++) {
        for (int i = 0; i < 8; i++) {
            (void)snprintf(text, sizeof(text), "%d", i);
            publish(pub, "c/q/t", text, qos, false);
        }
        for (int i = 0; i < 8; i++) {
            (void)snprintf(text, sizeof(text), "%d", i);
            expect(sub, "c/q/t", text, qos, false);
        }
        for (int i = 0; i < BIG; i++)
            big[i] = (char)(i * 7 + qos);
        publish_with(pub, "c/q/big", big, BIG, qos, false, NULL);
        MQTTClient_message *m = take(sub, name);
        CHECK(m->payloadlen == BIG && memcmp(m->payload, big, BIG) == 0);
        MQTTClient_freeMessage(&m);
    }
    free(big);
    end(sub);
    end(pub);
}

static void retained(void)
{
    MQTTClient pub = begin("c-pub", (struct how){0}), sub = begin("c-sub", (struct how){0});
    publish(pub, "c/r/a", "kept", 1, true);
    publish(pub, "c/r/b", "kept too", 2, true);
    publish(pub, "c/r/a", "", 1, true);
    subscribe(sub, "c/r/+", 1);
    expect(sub, "c/r/b", "kept too", 1, true);
    publish(pub, "c/r/b", "live", 1, true);
    expect(sub, "c/r/b", "live", 1, false);
    end(sub);
    end(pub);
}

static void wills(void)
{
    MQTTClient watcher = begin("c-watcher", (struct how){0});
    subscribe(watcher, "c/will", 2);
    end(begin("c-asked", (struct how){.dies = true}));
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        (void)begin("c-dies", (struct how){.dies = true});
        _exit(0); /* the system closes its connection */
    }
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    expect(watcher, "c/will", "gone", 1, false);
    publish(watcher, "c/will", "that was all", 1, false);
    expect(watcher, "c/will", "that was all", 1, false);
    end(watcher);
}

static void sessions(void)
{
    char text[16];
    MQTTClient c = begin("c-keeps", (struct how){.keep = true}),
               pub = begin("c-pub", (struct how){0});
    subscribe(c, "c/s/+", 2);
    end(c);
    for (int i = 0; i < 20; i++) {
        (void)snprintf(text, sizeof(text), "%d", i);
        publish(pub, i % 2 ? "c/s/2" : "c/s/1", text, 1 + i % 2, false);
    }
    c = begin("c-keeps", (struct how){.keep = true, .expect_present = true});
    for (int i = 0, next[2] = {0, 1}; i < 20; i++) {
        char name[64];
        MQTTClient_message *m = take(c, name);
        int which = m->qos - 1;
        CHECK(which == 0 || which == 1);
        (void)snprintf(text, sizeof(text), "%d", next[which]);
        CHECK(m->payloadlen == (int)strlen(text) && memcmp(m->payload, text, strlen(text)) == 0);
        next[which] += 2;
        MQTTClient_freeMessage(&m);
    }
    publish(pub, "c/s/1", "last", 1, false);
    expect(c, "c/s/1", "last", 1, false);
    end(c);
    end(begin("c-keeps", (struct how){0}));
    end(begin("c-keeps", (struct how){.keep = true}));
    end(begin("c-keeps", (struct how){.expect_present = false})); /* and nothing stays behind */
    end(pub);
}

static void layers(void)
{
    int present;
    MQTTClient c;
    each_qos((struct how){.tls = true});
    CHECK(try_connect(&c, "c-fooled", (struct how){.tls = true, .other_ca = true}, &present) !=
          MQTTCLIENT_SUCCESS);
    MQTTClient_destroy(&c);
}

static void properties(void)
{
    MQTTClient sub = begin("c-sub", (struct how){0}), pub = begin("c-pub", (struct how){0});
    MQTTProperties out = MQTTProperties_initializer, id = MQTTProperties_initializer;
    MQTTProperty number = {.identifier = MQTTPROPERTY_CODE_SUBSCRIPTION_IDENTIFIER};
    number.value.integer4 = 1234;
    MQTTProperties_add(&id, &number);
    MQTTProperty user = {.identifier = MQTTPROPERTY_CODE_USER_PROPERTY};
    user.value.data = (MQTTLenString){.len = 1, .data = "k"};
    user.value.value = (MQTTLenString){.len = 5, .data = "value"};
    MQTTProperties_add(&out, &user);
    MQTTProperties_add(&out, &user);
    MQTTProperty topic = {.identifier = MQTTPROPERTY_CODE_RESPONSE_TOPIC};
    topic.value.data = (MQTTLenString){.len = 4, .data = "back"};
    MQTTProperties_add(&out, &topic);
    subscribe_with(sub, "c/p/#", 1, &id);
    publish_with(pub, "c/p/x", "x", 1, 1, false, &out);
    char name[64];
    MQTTClient_message *m = take(sub, name);
    CHECK(MQTTProperties_propertyCount(&m->properties, MQTTPROPERTY_CODE_USER_PROPERTY) == 2);
    CHECK(MQTTProperties_getNumericValue(&m->properties,
                                         MQTTPROPERTY_CODE_SUBSCRIPTION_IDENTIFIER) == 1234);
    MQTTProperty *back =
        MQTTProperties_getProperty(&m->properties, MQTTPROPERTY_CODE_RESPONSE_TOPIC);
    CHECK(back && back->value.data.len == 4 && memcmp(back->value.data.data, "back", 4) == 0);
    MQTTClient_freeMessage(&m);
    MQTTProperties_free(&out);
    MQTTProperties_free(&id);
    end(sub);
    end(pub);
}

/* Each message once, to one or the other. */
static void shared(void)
{
    MQTTClient members[] = {begin("c-one", (struct how){0}), begin("c-two", (struct how){0})};
    MQTTClient pub = begin("c-pub", (struct how){0});
    int seen[30] = {0}, shares[2] = {0};
    char text[16], name[64];
    for (int i = 0; i < 2; i++)
        subscribe(members[i], "$share/c/c/g/+", 1);
    for (int i = 0; i < 30; i++) {
        (void)snprintf(text, sizeof(text), "%d", i);
        publish(pub, "c/g/x", text, 1, false);
    }
    for (int i = 0; i < 2; i++)
        subscribe(members[i], "c/end", 1);
    publish(pub, "c/end", "end", 1, false);
    for (int i = 0; i < 2; i++) {
        MQTTClient_message *m = take(members[i], name);
        for (; strcmp(name, "c/end") != 0; m = take(members[i], name)) {
            seen[strtol(m->payload, NULL, 10) % 30]++;
            shares[i]++;
            MQTTClient_freeMessage(&m);
        }
        MQTTClient_freeMessage(&m);
    }
    for (int i = 0; i < 30; i++)
        CHECK(seen[i] == 1);
    CHECK(shares[0] > 0 && shares[1] > 0);
    end(members[0]);
    end(members[1]);
    end(pub);
}

static void run(const char *name, void (*part)(void))
{
    part();
    printf("%s\n", name);
    fflush(stdout);
}

static void plain(void)
{
    each_qos((struct how){0});
}

int main(int argc, char **argv)
{
    if (argc != 6)
        fail("usage: paho_c 3|4|5 PORT TLS_PORT CA OTHER_CA");
    version = (int)strtol(argv[1], NULL, 10);
    (void)snprintf(plain_uri, sizeof(plain_uri), "tcp://127.0.0.1:%s", argv[2]);
    (void)snprintf(tls_uri, sizeof(tls_uri), "ssl://localhost:%s", argv[3]);
    ca = argv[4];
    other_ca = argv[5];
    MQTTClient_init_options init = MQTTClient_init_options_initializer;
    init.do_openssl_init = 1;
    MQTTClient_global_init(&init);
    run("each QoS", plain);
    run("retained", retained);
    run("wills", wills);
    if (version != MQTTVERSION_3_1) /* which does not tell whether there was a session */
        run("sessions", sessions);
    run("TLS", layers);
    if (version == MQTTVERSION_5) {
        run("properties", properties);
        run("shared", shared);
    }
    return 0;
}
