/* TLS: whom either side believes, tickets, certificates that change, and peers that mean no good.
 */
#include "net/cert_fixture.h"
#include "net/net_fixture.h"
#include "net/tls_internal.h"
#include <errno.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

/* --- whom either side believes --- */

static struct certs {
    struct cert ca, other_ca, server, expired, stranger, press, false_press;
} certs;

static void make_certs(void)
{
    const char *here = "DNS:localhost,IP:127.0.0.1";
    cert_make(&certs.ca, "ca", NULL, NULL, false);
    cert_make(&certs.other_ca, "other_ca", NULL, NULL, false);
    cert_make(&certs.server, "server", &certs.ca, here, false);
    cert_make(&certs.expired, "expired", &certs.ca, here, true);
    cert_make(&certs.stranger, "stranger", &certs.ca, "DNS:elsewhere.example", false);
    cert_make(&certs.press, "press1", &certs.ca, NULL, false);
    cert_make(&certs.false_press, "press2", &certs.other_ca, NULL, false);
}

static struct talk {
    char person[64], problem[96];
    bool secret;
} talk;

/* Answers one question, and notes who asked. */
static enum poll answer_once(struct conn *c)
{
    struct bytes in;
    enum err r = stream_read(c->stream, &in);
    if (r == ERR_AGAIN)
        return POLL_PENDING;
    struct str who = stream_person(c->stream);
    (void)snprintf(talk.person, sizeof(talk.person), "%.*s", STR_FMT(who));
    talk.secret = stream_is_secret(c->stream);
    if (!r)
        CHECK_EQ_INT(stream_write(c->stream, in.p, in.n), ERR_OK);
    stream_finish(c->stream, 5000);
    return POLL_READY;
}

/* Asks and takes the answer, until the other side closes. */
static enum err ask_and_take(struct conn *c)
{
    struct bytes in;
    enum err r = stream_connected(c->stream);
    if (!r && c->sent == 0) {
        CHECK_EQ_INT(stream_write(c->stream, "who", 3), ERR_OK);
        c->sent = 3;
    }
    while (!r && (r = stream_read(c->stream, &in)) == ERR_OK) {
        c->got += in.n;
        stream_consume(c->stream, in.n);
    }
    return r;
}

static enum poll ask_once(struct conn *c)
{
    enum err r = ask_and_take(c);
    if (r == ERR_AGAIN)
        return POLL_PENDING;
    if (r == ERR_IO && c->site->client_tls)
        (void)snprintf(talk.problem, sizeof(talk.problem), "%s", stream_problem(c->stream));
    return end(c, r);
}

struct belief {
    const char *name;
    const struct cert *server, *client;
    const struct cert *client_ca; /* the server's; NULL: it does not ask */
    const struct cert *server_ca; /* the client's; NULL: insecure */
    const char *host;
    bool optional, tls_1_2, old_client;
    const char *person, *problem; /* problem NULL: all is well */
};

static void set_up(struct site *x, const struct belief *b)
{
    struct error e = {0};
    struct tls_config server = {.ex = x->ex,
                                .server = true,
                                .identities = {{b->server->cert, b->server->key}},
                                .identities_n = 1,
                                .ca = b->client_ca ? b->client_ca->cert : NULL,
                                .ca_optional = b->optional,
                                .tls_1_2 = b->tls_1_2};
    struct tls_config client = {
        .ex = x->ex, .ca = b->server_ca ? b->server_ca->cert : NULL, .insecure = !b->server_ca};
    if (b->client) {
        client.identities[0] = (struct tls_identity){b->client->cert, b->client->key};
        client.identities_n = 1;
    }
    REQUIRE(CHECK_EQ_INT(tls_new(&x->server_tls, &server, &e), ERR_OK));
    REQUIRE(CHECK_EQ_INT(tls_new(&x->client_tls, &client, &e), ERR_OK));
    if (b->old_client) {
        SSL_CTX *c = x->client_tls->set->contexts[0];
        REQUIRE(SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION) == 1);
        REQUIRE(SSL_CTX_set_max_proto_version(c, TLS1_2_VERSION) == 1);
    }
    x->server_via = stream_via_make(x->server_tls, NULL, NULL);
    x->client_via = stream_via_make(x->client_tls, NULL, b->host);
}

static void believe(const char *driver, const struct belief *b)
{
    struct conn c = {0};
    struct site x;
    talk = (struct talk){0};
    site_open(&x, driver, "127.0.0.1", 0, answer_once);
    set_up(&x, b);
    connect_client(&x, &c, ask_once);
    x.stop_after_servers = 1;
    site_run(&x);
    CHECK_EQ_INT(c.end, b->problem ? ERR_IO : ERR_CLOSED);
    CHECK_EQ_UINT(c.got, b->problem ? 0 : 3);
    CHECK_EQ_STR(talk.person, b->person ? b->person : "");
    if (b->problem)
        CHECK_HAS_STR(talk.problem, b->problem);
    else
        CHECK(talk.secret);
}

TEST(tls_believes_whom_it_should)
{
    const struct certs *k = &certs;
    const struct belief cases[] = {
        {"good", .server = &k->server, .server_ca = &k->ca},
        {"by its name", .server = &k->server, .server_ca = &k->ca, .host = "localhost"},
        {"by another name", .server = &k->server, .server_ca = &k->ca, .host = "evil.example",
         .problem = "for another name"},
        {"another address", .server = &k->stranger, .server_ca = &k->ca,
         .problem = "for another name"},
        {"expired", .server = &k->expired, .server_ca = &k->ca, .problem = "expired"},
        {"not believed", .server = &k->server, .server_ca = &k->other_ca,
         .problem = "of no authority that is believed"},
        {"whoever it is", .server = &k->expired},
        {"a known client", .server = &k->server, .server_ca = &k->ca, .client = &k->press,
         .client_ca = &k->ca, .person = "press1"},
        {"one that need not say", .server = &k->server, .server_ca = &k->ca, .client_ca = &k->ca,
         .optional = true},
        {"one that says all the same", .server = &k->server, .server_ca = &k->ca,
         .client = &k->press, .client_ca = &k->ca, .optional = true, .person = "press1"},
        {"one that must say", .server = &k->server, .server_ca = &k->ca, .client_ca = &k->ca,
         .problem = "certificate"},
        {"a false client", .server = &k->server, .server_ca = &k->ca, .client = &k->false_press,
         .client_ca = &k->ca, .problem = "ca"},
        {"a false client where none must", .server = &k->server, .server_ca = &k->ca,
         .client = &k->false_press, .client_ca = &k->ca, .optional = true, .problem = "ca"},
        {"also the older version", .server = &k->server, .server_ca = &k->ca, .tls_1_2 = true},
        {"by the older version", .server = &k->server, .server_ca = &k->ca, .tls_1_2 = true,
         .old_client = true},
        {"by the older version, for nobody has asked", .server = &k->server, .server_ca = &k->ca,
         .old_client = true, .problem = "protocol version"},
    };
    make_certs();
    for (size_t d = 0; d < ARRAY_LEN(drivers); d++)
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
            LABEL("%s, %s", drivers[d], cases[i].name);
            believe(drivers[d], &cases[i]);
        }
}

TEST(tls_names_the_file_that_it_can_not_use)
{
    struct executor *ex;
    struct tls *t;
    struct error e = {0};
    const struct executor_config cfg = {.alloc = alloc_system(), .workers = 1, .driver = "epoll"};
    make_certs();
    REQUIRE(executor_new(&ex, &cfg, &e) == ERR_OK);
    const struct {
        const char *cert, *key, *ca, *named;
    } cases[] = {
        {"/nowhere", certs.server.key, NULL, "/nowhere"},
        {certs.server.cert, "/nowhere", NULL, "/nowhere"},
        {certs.server.cert, certs.press.key, NULL, certs.press.key}, /* of another */
        {certs.server.key, certs.server.key, NULL, certs.server.key},
        {certs.server.cert, certs.server.key, "/nowhere", "/nowhere"},
        {certs.server.cert, certs.server.key, certs.server.key, certs.server.key},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        LABEL("%zu", i);
        struct tls_config tls = {.ex = ex,
                                 .server = true,
                                 .identities = {{cases[i].cert, cases[i].key}},
                                 .identities_n = 1,
                                 .ca = cases[i].ca};
        e = (struct error){0};
        CHECK_EQ_INT(tls_new(&t, &tls, &e), ERR_INVALID);
        CHECK(t == NULL);
        CHECK_HAS_STR(e.text, cases[i].named);
    }
    executor_free(ex);
}

/* Who gets hold of the key later can't read what was recorded before. */
TEST(tls_has_forward_secrecy)
{
    struct site x;
    make_certs();
    site_open(&x, "epoll", "127.0.0.1", 0, answer_once);
    set_up(&x, &(struct belief){.server = &certs.server, .tls_1_2 = true});
    STACK_OF(SSL_CIPHER) *ciphers = SSL_CTX_get_ciphers(x.server_tls->set->contexts[0]);
    CHECK(sk_SSL_CIPHER_num(ciphers) > 3);
    for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); i++) {
        const SSL_CIPHER *c = sk_SSL_CIPHER_value(ciphers, i);
        int kx = SSL_CIPHER_get_kx_nid(c);
        LABEL("%s", SSL_CIPHER_get_name(c));
        CHECK(kx == NID_kx_any || kx == NID_kx_ecdhe || kx == NID_kx_dhe);
        CHECK(SSL_CIPHER_get_auth_nid(c) != NID_auth_null);
    }
    listener_close(x.listener);
    site_free(&x);
}

/* --- tickets, and certificates that change --- */

/* Comes three times; before the third time the server's files are read again. */
static enum poll come_again(struct conn *c)
{
    struct error e = {0};
    enum err r = ask_and_take(c);
    if (r == ERR_AGAIN)
        return POLL_PENDING;
    CHECK_EQ_INT(r, ERR_CLOSED);
    c->sent = 0;
    if (++c->rounds == 3)
        return end(c, r);
    stream_close(c->stream);
    CHECK_EQ_UINT(tls_stats(c->site->server_tls).resumed, c->rounds == 1 ? 0 : 1);
    if (c->rounds == 2)
        CHECK_EQ_INT(tls_reload(c->site->server_tls, &e), ERR_OK);
    REQUIRE(stream_connect_via(&c->stream, c->site->worker, listener_addr(c->site->listener),
                               &c->site->client_via, &c->task) == ERR_OK);
    return POLL_PENDING;
}

TEST(tls_clients_come_back_by_ticket_until_a_reload)
{
    for (size_t d = 0; d < ARRAY_LEN(drivers); d++) {
        LABEL("%s", drivers[d]);
        struct conn c = {0};
        struct site x;
        make_certs();
        site_open(&x, drivers[d], "127.0.0.1", 0, answer_once);
        set_up(&x, &(struct belief){.server = &certs.server, .server_ca = &certs.ca});
        connect_client(&x, &c, come_again);
        x.stop_after_servers = 3;
        executor_run(x.ex);
        struct tls_stats stats = tls_stats(x.server_tls);
        CHECK_EQ_UINT(stats.handshakes, 3);
        CHECK_EQ_UINT(stats.resumed, 1);
        CHECK_EQ_UINT(stats.failed + stats.refused, 0);
        timer_cancel(&x.timer);
        listener_close(x.listener);
        site_free(&x);
    }
}

/* How much older the keys are when the client comes back for the first time, and for the second. */
static const struct ages {
    const char *what;
    int64_t older_s;
    unsigned resumed, keys; /* of two returns; at the end */
} ages[] = {
    {"the same key", 1000, 2, 1},
    {"a new key, but the old one opens", 4000, 2, 3},
    {"as old as a ticket may be", 3600 + 7200 - 60, 2, 2},
    {"too old: it is wiped", 3600 + 7200 + 60, 0, 1},
};
static const struct ages *aging;

static void make_older(struct tls *t)
{
    pthread_mutex_lock(&t->lock);
    for (size_t i = 0; i < t->set->tickets.n; i++)
        t->set->tickets.keys[i].made_ns -= aging->older_s * 1000000000;
    pthread_mutex_unlock(&t->lock);
}

static enum poll come_later(struct conn *c)
{
    enum err r = ask_and_take(c);
    if (r == ERR_AGAIN)
        return POLL_PENDING;
    c->sent = 0;
    if (++c->rounds == 3)
        return end(c, r);
    stream_close(c->stream);
    make_older(c->site->server_tls);
    REQUIRE(stream_connect_via(&c->stream, c->site->worker, listener_addr(c->site->listener),
                               &c->site->client_via, &c->task) == ERR_OK);
    return POLL_PENDING;
}

TEST(tls_ticket_keys_change)
{
    for (size_t i = 0; i < 2 * ARRAY_LEN(ages); i++) {
        struct conn c = {0};
        struct site x;
        struct belief b = {.server = &certs.server, .server_ca = &certs.ca};
        aging = &ages[i / 2];
        b.tls_1_2 = b.old_client = i % 2;
        LABEL("%s, TLS 1.%d", aging->what, b.old_client ? 2 : 3);
        make_certs();
        site_open(&x, "epoll", "127.0.0.1", 0, answer_once);
        set_up(&x, &b);
        connect_client(&x, &c, come_later);
        x.stop_after_servers = 3;
        executor_run(x.ex);
        struct tls_stats stats = tls_stats(x.server_tls);
        CHECK_EQ_UINT(stats.handshakes, 3);
        /* A client of 1.2 is not told by OpenSSL of the ticket that comes with a return. */
        CHECK_EQ_UINT(stats.resumed, b.old_client ? aging->resumed / 2 : aging->resumed);
        CHECK_EQ_UINT(stats.failed + stats.refused, 0);
        CHECK_EQ_UINT(x.server_tls->set->tickets.n, aging->keys);
        timer_cancel(&x.timer);
        listener_close(x.listener);
        site_free(&x);
    }
}

/* A connection that was open before goes on; a new one sees the new certificate; a reload that
 * fails changes nothing. */
static enum poll stay(struct conn *c)
{
    struct bytes in;
    struct error e = {0};
    enum err r = stream_connected(c->stream);
    if (r == ERR_AGAIN)
        return POLL_PENDING;
    if (c->rounds == 1) { /* the one that came behind the reload */
        CHECK_HAS_STR(stream_problem(c->stream), "of no authority that is believed");
        return end(c, r);
    }
    CHECK_EQ_INT(r, ERR_OK);
    while (stream_read(c->stream, &in) == ERR_OK) {
        c->got += in.n;
        stream_consume(c->stream, in.n);
    }
    if (c->got == 10) {
        c->rounds = 1;
        stream_close(c->stream);
        REQUIRE(stream_connect_via(&c->stream, c->site->worker, listener_addr(c->site->listener),
                                   &c->site->client_via, &c->task) == ERR_OK);
        return POLL_PENDING;
    }
    if (c->got == 5 && c->sent == 5) {
        cert_make(&certs.server, "server", &certs.other_ca, "IP:127.0.0.1", false);
        CHECK_EQ_INT(tls_reload(c->site->server_tls, &e), ERR_OK);
        REQUIRE(remove(certs.server.key) == 0);
        CHECK_EQ_INT(tls_reload(c->site->server_tls, &e), ERR_INVALID);
        CHECK_HAS_STR(e.text, certs.server.key);
    }
    if (c->got == c->sent) {
        CHECK_EQ_INT(stream_write(c->stream, "hello", 5), ERR_OK);
        c->sent += 5;
    }
    return POLL_PENDING;
}

TEST(tls_reloads_without_dropping_anybody)
{
    struct conn stays = {0};
    struct site x;
    make_certs();
    site_open(&x, "epoll", "127.0.0.1", 0, echo);
    set_up(&x, &(struct belief){.server = &certs.server, .server_ca = &certs.ca});
    connect_client(&x, &stays, stay);
    executor_run(x.ex);
    CHECK_EQ_UINT(stays.got, 10);
    CHECK_EQ_INT(stays.end, ERR_IO);
    timer_cancel(&x.timer);
    listener_close(x.listener);
    site_free(&x);
}

/* --- peers that mean no good --- */

struct attack {
    const char *name;
    const uint8_t *bytes;
    size_t n;
    bool bytewise, ends; /* ends its side behind them */
    bool fails;          /* else the server waits */
};
static const struct attack *attack;

static enum poll attack_poll(struct conn *c)
{
    struct bytes in;
    enum err r = stream_connected(c->stream);
    if (r)
        return r == ERR_AGAIN ? POLL_PENDING : end(c, r);
    size_t n = attack->bytewise ? 1 : attack->n;
    if (c->sent < attack->n) {
        r = stream_write(c->stream, attack->bytes + c->sent, n);
        if (r) /* it has ended meanwhile */
            return end(c, r);
        c->sent += n;
        task_wake(&c->task);
    } else if (attack->ends && stream_write_pending(c->stream) == 0 && c->rounds++ == 0) {
        c->stream->net->socket->send_end(c->stream->net->io, c->stream->fd);
    } else if (attack->ends && c->rounds == 0) {
        task_wake(&c->task);
    }
    while ((r = stream_read(c->stream, &in)) == ERR_OK) {
        c->got += in.n;
        stream_consume(c->stream, in.n);
    }
    bool answered = !attack->fails && !attack->ends && c->got > 0;
    return r == ERR_AGAIN && !answered ? POLL_PENDING : end(c, r);
}

/* What a true client says first. */
static size_t client_hello(uint8_t *out, size_t room)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(ctx);
    BIO *in = BIO_new(BIO_s_mem()), *made = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl, in, made);
    SSL_set_connect_state(ssl);
    (void)SSL_do_handshake(ssl);
    int n = BIO_read(made, out, (int)room);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    REQUIRE(n > 100);
    return (size_t)n;
}

TEST(tls_peers_that_mean_no_good)
{
    static uint8_t hello[1024], noise[3000];
    size_t hello_n = client_hello(hello, sizeof(hello));
    memset(noise, 0x16, sizeof(noise));
    const struct attack cases[] = {
        {"HTTP", (const uint8_t *)"GET / HTTP/1.1\r\n\r\n", 18, .fails = true},
        {"MQTT", (const uint8_t *)"\x10\x0c\0\4MQTT\4\2\0\0\0\0", 14, .fails = true},
        {"noise", noise, sizeof(noise), .fails = true},
        {"noise, a byte at a time", noise, sizeof(noise), .bytewise = true, .fails = true},
        {"a hello, a byte at a time", hello, hello_n, .bytewise = true},
        {"half a hello, and its end", hello, hello_n / 2, .ends = true},
        {"a hello, and its end", hello, hello_n, .ends = true},
        {"a record that is too long", (const uint8_t *)"\x16\x03\x01\xff\xff\x01", 6,
         .fails = true},
        {"a hello twice", NULL, 0, .fails = true},
    };
    uint8_t twice[2048];
    memcpy(twice, hello, hello_n);
    memcpy(twice + hello_n, hello, hello_n);
    make_certs();
    for (size_t i = 0; i < ARRAY_LEN(cases) * ARRAY_LEN(drivers); i++) {
        struct attack a = cases[i / ARRAY_LEN(drivers)];
        const char *driver = drivers[i % ARRAY_LEN(drivers)];
        if (!a.bytes) {
            a.bytes = twice;
            a.n = 2 * hello_n;
        }
        attack = &a;
        LABEL("%s, %s", driver, a.name);
        struct conn bad = {0}, honest = {0};
        struct site x;
        talk = (struct talk){0};
        site_open(&x, driver, "127.0.0.1", 0, answer_once);
        set_up(&x, &(struct belief){.server = &certs.server, .server_ca = &certs.ca});
        connect_client(&x, &honest, ask_once);
        struct stream_via via = x.client_via;
        x.client_via = stream_via_make(NULL, NULL, NULL);
        connect_client(&x, &bad, attack_poll);
        x.stop_after_servers = 2;
        executor_run(x.ex);
        timer_cancel(&x.timer);
        x.client_via = via;
        CHECK_EQ_INT(honest.end, ERR_CLOSED);
        CHECK_EQ_UINT(honest.got, 3);
        CHECK_EQ_UINT(tls_stats(x.server_tls).failed, a.fails);
        CHECK_EQ_UINT(tls_stats(x.server_tls).handshakes, 1);
        listener_close(x.listener);
        site_free(&x);
    }
}

/* More handshakes than may wait: the rest is refused, those that wait are served. */
TEST(tls_handshakes_are_bounded)
{
    enum { CLIENTS = 20 };
    struct conn c[CLIENTS] = {0};
    struct site x;
    struct error e = {0};
    size_t served = 0;
    make_certs();
    site_open(&x, "epoll", "127.0.0.1", 0, answer_once);
    set_up(&x, &(struct belief){.server = &certs.server, .server_ca = &certs.ca});
    tls_free(x.server_tls);
    struct tls_config cfg = {.ex = x.ex,
                             .server = true,
                             .identities = {{certs.server.cert, certs.server.key}},
                             .identities_n = 1,
                             .waiting_max = 1};
    REQUIRE(tls_new(&x.server_tls, &cfg, &e) == ERR_OK);
    x.server_via = stream_via_make(x.server_tls, NULL, NULL);
    for (size_t i = 0; i < CLIENTS; i++)
        connect_client(&x, &c[i], ask_once);
    x.stop_after_servers = CLIENTS;
    executor_run(x.ex);
    for (size_t i = 0; i < CLIENTS; i++)
        served += c[i].got == 3;
    struct tls_stats stats = tls_stats(x.server_tls);
    CHECK_EQ_UINT(stats.handshakes, served);
    CHECK_EQ_UINT(stats.handshakes + stats.refused, CLIENTS);
    CHECK(served > 0);
    timer_cancel(&x.timer);
    listener_close(x.listener);
    site_free(&x);
}
