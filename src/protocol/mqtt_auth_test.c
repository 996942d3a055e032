/* Enhanced authentication through the server: SCRAM with a password file, and a method of the test.
 */
#include "auth/scram.h"
#include "protocol/mqtt_rig_test.h"
#include "tests/support/scram_client.h"

/* ---- a method that says all it is asked, and lets in whoever says "yes" ---- */

struct echo {
    struct enhanced exchange;
    struct alloc *alloc;
    char answer[100];
};

static enum enhanced_result echo_step(struct enhanced *x, struct bytes in, struct bytes *answer)
{
    struct echo *e = CONTAINER_OF(x, struct echo, exchange);
    int n = snprintf(e->answer, sizeof(e->answer), "<%.*s>", (int)in.n, (const char *)in.p);
    *answer = (struct bytes){(const uint8_t *)e->answer, (size_t)n};
    x->user = STR("ann");
    if (in.n == 3 && memcmp(in.p, "bob", 3) == 0) {
        x->user = STR("bob");
        return ENHANCED_DONE;
    }
    if (in.n == 6 && memcmp(in.p, "silent", 6) == 0) {
        *answer = (struct bytes){NULL, 0};
        return ENHANCED_DONE;
    }
    if (in.n == 3 && memcmp(in.p, "yes", 3) == 0)
        return ENHANCED_DONE;
    return in.n == 2 && memcmp(in.p, "no", 2) == 0 ? ENHANCED_DENIED : ENHANCED_MORE;
}

static void echo_end(struct enhanced *x)
{
    struct echo *e = CONTAINER_OF(x, struct echo, exchange);
    mem_free(e->alloc, e, sizeof(*e));
}

static struct enhanced *echo_begin(const struct enhanced_method *m, struct alloc *a)
{
    struct echo *e = mem_zero(a, sizeof(*e));
    (void)m;
    if (!e)
        return NULL;
    e->alloc = a;
    e->exchange.step = echo_step;
    e->exchange.end = echo_end;
    return &e->exchange;
}

static const struct enhanced_method echo = {{"echo", 4}, echo_begin};
static const struct enhanced_method *const methods[] = {&echo, NULL};

/* ---- packets ---- */

static void put_auth(struct client *c, uint8_t reason, const char *method, const char *data)
{
    struct mqtt_packet p = {.type = MQTT_AUTH, .end = {.reason = reason}};
    struct mqtt_props *props = &p.end.props;
    props->has = MQTT_HAS(MQTT_PROP_AUTH_METHOD) | (data ? MQTT_HAS(MQTT_PROP_AUTH_DATA) : 0);
    props->auth_method = str_from(method);
    props->auth_data = (struct bytes){(const uint8_t *)data, data ? strlen(data) : 0};
    client_put(c, &p);
}

static void put_connect_of(struct client *c, const char *id, const char *will, const char *user,
                           const char *method, const char *data)
{
    struct mqtt_packet p = {.type = MQTT_CONNECT};
    struct mqtt_connect *m = &p.connect;
    c->version = m->version = MQTT_V5;
    m->clean_start = true;
    m->client_id = str_from(id);
    m->has_will = will;
    m->will_topic = STR("will");
    m->will_payload = (struct bytes){(const uint8_t *)will, will ? strlen(will) : 0};
    m->has_user = user;
    m->user = str_from(user);
    m->props.has = MQTT_HAS(MQTT_PROP_AUTH_METHOD) | (data ? MQTT_HAS(MQTT_PROP_AUTH_DATA) : 0);
    m->props.auth_method = str_from(method);
    m->props.auth_data = (struct bytes){(const uint8_t *)data, data ? strlen(data) : 0};
    client_put(c, &p);
}

static void put_connect(struct client *c, const char *user, const char *method, const char *data)
{
    put_connect_of(c, "c", NULL, user, method, data);
}

/* Steps of a conversation: what is sent, and what comes. */
enum { CONNECT, AUTH, HEX };
struct turn {
    int kind;
    uint8_t reason;
    const char *method, *data; /* HEX: data is it */
    const char *want;          /* a part of it; NULL: nothing is waited for */
};

static void play(struct client *c, const char *user, const struct turn *t, size_t n)
{
    for (size_t i = 0; i < n && (t[i].method || t[i].data); i++) {
        if (t[i].kind == CONNECT)
            put_connect(c, user, t[i].method, t[i].data);
        else if (t[i].kind == AUTH)
            put_auth(c, t[i].reason, t[i].method, t[i].data);
        else
            client_hex(c, t[i].data);
        if (t[i].want)
            EXPECT_HAS(c, t[i].want);
    }
}

struct conversation {
    const char *what, *user;
    struct turn turns[6];
    bool open; /* at the end */
};

static void converse(const struct conversation *rows, size_t n)
{
    struct broker b = {.light = true, .methods = methods};
    struct client c;
    broker_start(&b, NULL);
    for (size_t i = 0; i < n; i++) {
        LABEL("%s", rows[i].what);
        client_open(&c, &b);
        play(&c, rows[i].user, rows[i].turns, ARRAY_LEN(rows[i].turns));
        if (rows[i].open)
            EXPECT_NOTHING(&c);
        else
            EXPECT(&c, "END");
        client_close(&c);
    }
    broker_halt(&b);
    CHECK_EQ_UINT(mqtt_server_stats(b.server).sessions, 0);
    broker_free(&b);
}

TEST(mqtt_auth_before_it_is_in)
{
    static const struct conversation rows[] = {
        {"done at once, with an answer",
         NULL,
         {{CONNECT, 0, "echo", "yes", "auth-method=echo auth-data=<yes> }"}},
         true},
        {"done at once, without",
         NULL,
         {{CONNECT, 0, "echo", "silent", "auth-method=echo }"}},
         true},
        {"three steps",
         NULL,
         {{CONNECT, 0, "echo", NULL, "AUTH reason=18 { auth-method=echo auth-data=<> }"},
          {AUTH, 0x18, "echo", "a", "AUTH reason=18 { auth-method=echo auth-data=<a> }"},
          {AUTH, 0x18, "echo", "yes", "CONNACK reason=00"}},
         true},
        {"denied at once",
         NULL,
         {{CONNECT, 0, "echo", "no", "CONNACK reason=87 session=0"}},
         false},
        {"denied later",
         NULL,
         {{CONNECT, 0, "echo", "a", "AUTH reason=18"},
          {AUTH, 0x18, "echo", "no", "CONNACK reason=87 session=0"}},
         false},
        {"an unknown method",
         NULL,
         {{CONNECT, 0, "Echo", "yes", "CONNACK reason=8c session=0"}},
         false},
        {"as the user that CONNECT named",
         "ann",
         {{CONNECT, 0, "echo", "yes", "CONNACK reason=00"}},
         true},
        {"as another", "bob", {{CONNECT, 0, "echo", "yes", "CONNACK reason=87"}}, false},
        {"checklist 35: another method",
         NULL,
         {{CONNECT, 0, "echo", "a", "AUTH reason=18"},
          {AUTH, 0x18, "other", "yes", "CONNACK reason=82 session=0"}},
         false},
        {"checklist 35: once more before it is in",
         NULL,
         {{CONNECT, 0, "echo", "a", "AUTH reason=18"},
          {AUTH, 0x19, "echo", "yes", "CONNACK reason=82 session=0"}},
         false},
        {"it gives up",
         NULL,
         {{CONNECT, 0, "echo", "a", "AUTH reason=18"}, {HEX, 0, NULL, "E0 00", NULL}},
         false},
        {"something else before it is in",
         NULL,
         {{CONNECT, 0, "echo", "a", "AUTH reason=18"}, {HEX, 0, NULL, "C0 00", NULL}},
         false},
    };
    converse(rows, ARRAY_LEN(rows));
}

TEST(mqtt_auth_again)
{
    static const struct conversation rows[] = {
        {"checklist 35: again",
         NULL,
         {{CONNECT, 0, "echo", "yes", "CONNACK reason=00"},
          {AUTH, 0x19, "echo", "b", "AUTH reason=18 { auth-method=echo auth-data=<b> }"},
          {HEX, 0, NULL, "C0 00", "PINGRESP"},
          {AUTH, 0x18, "echo", "yes", "AUTH reason=00 { auth-method=echo auth-data=<yes> }"},
          {AUTH, 0x19, "echo", "silent", "AUTH reason=00 { auth-method=echo }"}},
         true},
        {"checklist 35: again, denied",
         NULL,
         {{CONNECT, 0, "echo", "yes", "CONNACK reason=00"},
          {AUTH, 0x19, "echo", "no", "DISCONNECT reason=87"}},
         false},
        {"checklist 35: again, as another",
         NULL,
         {{CONNECT, 0, "echo", "yes", "CONNACK reason=00"},
          {AUTH, 0x19, "echo", "bob", "DISCONNECT reason=87"}},
         false},
        {"checklist 35: again, with another method",
         NULL,
         {{CONNECT, 0, "echo", "yes", "CONNACK reason=00"},
          {AUTH, 0x19, "other", "yes", "DISCONNECT reason=82"}},
         false},
        {"checklist 35: going on with nothing",
         NULL,
         {{CONNECT, 0, "echo", "yes", "CONNACK reason=00"},
          {AUTH, 0x18, "echo", "yes", "DISCONNECT reason=82"}},
         false},
        {"checklist 35: again while it is under way",
         NULL,
         {{CONNECT, 0, "echo", "yes", "CONNACK reason=00"},
          {AUTH, 0x19, "echo", "b", "AUTH reason=18"},
          {AUTH, 0x19, "echo", "yes", "DISCONNECT reason=82"}},
         false},
        {"checklist 35: no method in CONNECT",
         NULL,
         {{HEX, 0, NULL, "10 0E 0004 4D515454 05 02 0000 00 0001 63", "CONNACK reason=00"},
          {AUTH, 0x19, "echo", "yes", "DISCONNECT reason=82"}},
         false},
    };
    converse(rows, ARRAY_LEN(rows));
}

/* Whoever has not proven it yet takes nobody's session over. */
TEST(mqtt_auth_before_the_take_over)
{
    struct broker b = {.light = true, .methods = methods};
    struct client first, second;
    broker_start(&b, NULL);
    client_open(&first, &b);
    put_connect(&first, NULL, "echo", "yes");
    EXPECT_HAS(&first, "CONNACK reason=00");
    client_open(&second, &b);
    put_connect(&second, NULL, "echo", "a");
    EXPECT_HAS(&second, "AUTH reason=18");
    EXPECT_NOTHING(&first);
    put_auth(&second, 0x18, "echo", "yes");
    EXPECT_HAS(&second, "CONNACK reason=00");
    EXPECT(&first, "DISCONNECT reason=8e");
    EXPECT(&first, "END");
    client_close(&first);
    client_close(&second);
    broker_stop(&b);
}

/* AUTH to and fro does not win time: all of it must be over when CONNECT's time is. */
TEST(mqtt_auth_in_time)
{
    struct broker b = {.light = true, .methods = methods, .limits = {.connect_timeout_ms = 300}};
    struct client c;
    size_t steps = 0;
    broker_start(&b, NULL);
    client_open(&c, &b);
    put_connect(&c, NULL, "echo", "a");
    while (strcmp(client_next(&c), "END") != 0) {
        put_auth(&c, 0x18, "echo", "a");
        steps++;
    }
    CHECK(steps > 0);
    client_close(&c);
    broker_stop(&b);
}

/* ---- SCRAM ---- */

struct auth_text {
    char data[1200];
};

/* The data of the next packet, which has this beginning. */
static struct auth_text next_data(struct client *c, const char *begins)
{
    struct auth_text out = {""};
    const char *text = client_next(c), *at = strstr(text, "auth-data=");
    CHECK_HAS_STR(text, begins);
    size_t n = 0;
    for (at = at ? at + 10 : ""; *at && *at != ' '; at++) {
        char one = *at;
        if (one == '\\') { /* as \xNN */
            one = (char)(str_hex_digit(at[2]) << 4 | str_hex_digit(at[3]));
            at += 3;
        }
        out.data[n++] = one;
    }
    return out;
}

TEST(mqtt_auth_scram)
{
    static const struct {
        const char *what, *user, *password;
        bool right;
    } rows[] = {
        {"right", "ann", "secret", true},
        {"wrong", "ann", "Secret", false},
        {"nobody", "bob", "secret", false},
    };
    char path[300], line[PASSWORD_HASH_MAX];
    struct error e = {0};
    (void)snprintf(path, sizeof(path), "%s/users", test_tmpdir());
    REQUIRE(scram_line((struct bytes){(const uint8_t *)"secret", 6}, 4096, line, &e) == ERR_OK);
    REQUIRE(password_file_set(path, STR("ann"), line, &e) == ERR_OK);
    struct broker b = {.light = true, .password_path = path};
    broker_start(&b, NULL);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].what);
        struct scram_client s = {.md = EVP_sha256(),
                                 .user = rows[i].user,
                                 .gs2 = "n,,",
                                 .password = rows[i].password,
                                 .nonce = "abc"};
        struct client c;
        client_open(&c, &b);
        put_connect(&c, NULL, "SCRAM-SHA-256", scram_client_first(&s));
        struct auth_text first = next_data(&c, "AUTH reason=18 { auth-method=SCRAM-SHA-256");
        put_auth(&c, 0x18, "SCRAM-SHA-256", scram_client_final(&s, first.data));
        if (rows[i].right) {
            struct auth_text last = next_data(&c, "CONNACK reason=00");
            scram_client_verify(&s, last.data);
            EXPECT_NOTHING(&c);
        } else {
            EXPECT(&c, "CONNACK reason=87 session=0");
            EXPECT(&c, "END");
        }
        client_close(&c);
    }
    LABEL("the same line, with the password itself");
    struct client c;
    client_join(&c, &b, "c", (struct hello_opt){.clean = true, .user = "ann", .password = "secret"},
                false);
    client_bye(&c);
    broker_stop(&b);
}

/* Strangers can't use up what the wills of all may take. */
TEST(mqtt_auth_of_wills)
{
    enum { SIZE = 3000 };
    struct broker b = {
        .methods = methods, .light = true, .limits = {.will_bytes_max = SIZE + SIZE / 2}};
    struct client strangers[2], c;
    char big[SIZE + 1];
    memset(big, 'x', SIZE);
    big[SIZE] = '\0';
    broker_start(&b, NULL);
    for (size_t i = 0; i < ARRAY_LEN(strangers); i++) {
        client_open(&strangers[i], &b);
        put_connect_of(&strangers[i], i ? "s" : "t", big, NULL, "echo", "well?");
        EXPECT_HAS(&strangers[i], "AUTH");
    }
    client_open(&c, &b);
    put_connect_of(&c, "c", big, NULL, "echo", "yes");
    EXPECT_HAS(&c, "CONNACK reason=00");
    put_auth(&strangers[0], MQTT_RC_CONTINUE_AUTHENTICATION, "echo", "yes");
    EXPECT_HAS(&strangers[0], "CONNACK reason=97");
    client_close(&strangers[0]);
    client_close(&strangers[1]);
    client_bye(&c);
    broker_stop(&b);
}
