/* net_fixture: one executor with a listener, whose connections are served by `serve`, and clients;
 * for the tests of this folder. Every connection, on both sides, is a struct conn. */
#pragma once

#include "async/coroutine.h"
#include "async/sim/env_sim.h"
#include "async/timer.h"
#include "net/layer.h"
#include "net/listener.h"
#include "net/tls.h"
#include "tests/support/test.h"

struct conn {
    struct task task;
    struct list link;
    struct stream *stream;
    struct site *site;
    enum poll (*step)(struct conn *c); /* polls; has closed the stream when it is ready */
    size_t sent, got, want;            /* bytes, as the test needs them */
    size_t peak;
    int rounds;
    enum err end; /* how end() was called */
};

struct site {
    struct sim *sim; /* and its one machine, with the driver "sim" */
    struct env *env;
    struct executor *ex;
    struct worker *worker;
    struct listener *listener;
    enum poll (*serve)(struct conn *c);
    struct timer timer; /* ends a test that stands still */
    struct list servers;
    size_t clients_done, servers_seen, servers_done;
    /* The executor stops when both are reached. connect_client() counts up the first. */
    size_t stop_after_clients, stop_after_servers;
    struct stream_limits limits; /* of accepted streams */
    struct tls *server_tls, *client_tls;
    struct websocket websocket;
    struct stream_via server_via, client_via;
};

/* In a coroutine: waits while the condition holds, at most until the test is stopped. */
#define WAIT_WHILE(cond)                                                                           \
    do {                                                                                           \
        while ((cond) && co_sleep_ms(1) == ERR_OK)                                                 \
            ;                                                                                      \
        CHECK(!(cond));                                                                            \
    } while (0)

/* "sim" is a world of its own: for what is about the system there are only the ones before it. */
extern const char *const drivers[3];
enum { SYSTEM_DRIVERS = 2 };

/* What the streams of a test go through. */
extern const char *const ways[4]; /* "plain", "TLS", "WebSocket", "WebSocket in TLS" */
/* The block once for each driver and each way, with a label. No `break` in it. */
#define EACH_WAY(driver, way)                                                                      \
    for (size_t d_ = 0; d_ < ARRAY_LEN(drivers); d_++)                                             \
        for (size_t w_ = 0; w_ < ARRAY_LEN(ways); w_++)                                            \
            for (const char *driver = drivers[d_], *way = ways[w_];                                \
                 driver && (LABEL("%s, %s", driver, way), true); driver = NULL)

/* Skips the test if the driver does not work here. */
void site_open(struct site *x, const char *driver, const char *host, size_t connections_max,
               enum poll (*serve)(struct conn *c));
void site_open_on(struct site *x, const char *driver, const char *way, const char *host,
                  size_t connections_max, enum poll (*serve)(struct conn *c));
/* The layers only, of a site that has an executor and nothing else. */
void site_way(struct site *x, const char *way);
void connect_client(struct site *x, struct conn *c, enum poll (*step)(struct conn *c));
void client_init(struct site *x, struct conn *c, enum poll (*step)(struct conn *c));
/* Runs until it stops, and frees all. */
void site_run(struct site *x);
void site_free(struct site *x); /* for who has run it */
/* Closes the stream and notes how it ended. */
enum poll end(struct conn *c, enum err how);
/* A server that sends back what comes, as fast as it is taken. */
enum poll echo(struct conn *c);
/* The byte that stands at this place of a long transfer. */
uint8_t pattern(size_t at);
