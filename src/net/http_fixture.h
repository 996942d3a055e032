/* http_fixture: an HTTP server that runs on a thread of its own, and a client that blocks; for the
 * tests of the HTTP server. */
#pragma once

#include <pthread.h>
#include <semaphore.h>

#include "base/atomic.h"
#include "net/http_server.h"
#include "tests/support/test.h"

/* Fails one allocation: the one that finds `left` at nought. */
struct one_fault {
    struct alloc alloc;
    int left; /* -1: none */
    bool fired;
};

enum { WEB_WAITING_MAX = 32 };

/* All of it belongs to the server's thread while that runs, but the atomic ones. */
struct web {
    struct one_fault fault;
    struct executor *ex;
    struct http_server *server;
    struct http_server_config cfg;
    const char *driver;
    pthread_t thread;
    sem_t ready, stopped;
    bool started;
    unsigned workers;
    bool close_late;           /* the server is closed when the executor has stopped */
    struct http_request *held; /* answered by POST /release */
    struct http_request *waiting[WEB_WAITING_MAX]; /* by POST /all, with WEB_LARGE bytes of text */
    int waiting_n;
    struct http_sse *reader;
    _Atomic int gone, closed, full;
    struct list counts;       /* answers of GET /count/{n} under way */
    _Atomic uint64_t counted; /* bytes of them, all together */
    uint8_t zipped[4096];
    size_t zipped_size;
    struct task stopper;
};

/* `driver` NULL: the one that is chosen. Sets what every test needs in `cfg`. */
void web_start(struct web *web, const char *driver, struct http_server_config cfg);
void web_start_workers(struct web *web, const char *driver, unsigned workers,
                       struct http_server_config cfg);
void web_stop(struct web *web);
/* GET /count/{n} says the numbers below n, a line each, in pieces; every third time it is asked it
 * has nothing, and goes on a millisecond later. GET /broken/{n} breaks off in the place of its end.
 */
/* What GET /text/{n} says: n bytes that can be compressed. */
enum { WEB_LARGE = 100000 };
void web_text(struct strbuf *b, size_t n);

int web_dial(const struct web *web);
void web_say(int fd, const char *text);
/* Up to the end of the connection. */
void web_hear_all(int fd, struct strbuf *b);
/* Until the text has come that ends in `end`. */
bool web_hear_until(int fd, struct strbuf *b, const char *end);
/* A connection for one request; its answer must end it. False if it was reset. */
bool web_exchange(const struct web *web, const char *request, struct strbuf *b);

/* The n-th allocation from now on fails, -1: none; the answer ends in whether the last one did. */
void web_set_fault(const struct web *web, int n, struct strbuf *b);

extern const char *const web_drivers[2];
bool web_driver_works(const char *name);
#define EACH_DRIVER(name)                                                                          \
    for (size_t d = 0; d < ARRAY_LEN(web_drivers); d++)                                            \
        for (const char *name = web_driver_works(web_drivers[d]) ? web_drivers[d] : NULL; name;    \
             name = NULL)

#define H     "Host: localhost:1\r\n"
#define CLOSE H "Connection: close\r\n"
#define JSON  CLOSE "Content-Type: application/json\r\n"
