/* mqtt_script: an MQTT server that follows a script, for tests of clients.
 *
 * Why: losses, refusals and bad packets come when the test wants them, and every packet of the
 * client is compared as text (mqtt_text.h).
 * Use: a script is an array of steps that ends with a zeroed one; a step with `want` waits for a
 * packet. Each connection takes the steps behind the last SCRIPT_CLOSE. script_open() and
 * script_run() bring an executor of their own; script_begin() and script_end() are for a worker
 * that is there. */
#pragma once

#include "async/timer.h"
#include "net/listener.h"
#include "tests/support/mqtt_text.h"
#include "tests/support/test.h"

#include <string.h>

enum script_then { SCRIPT_GO_ON, SCRIPT_CLOSE };
struct script_step {
    const char *want;  /* the packet as text; NULL: nothing is waited for. "... TEXT" passes over
                          packets until one is TEXT */
    const char *reply; /* hex, NULL: none */
    enum script_then then;
};

struct script {
    const struct script_step *at;
    struct executor *ex;
    struct worker *worker;
    struct listener *listener;
    struct timer guard;
    struct task task; /* serves one connection at a time */
    struct stream *stream;
    struct mqtt_decoder decoder;
    bool client_ended;
    unsigned connections;
};

static inline bool script_at_end(const struct script *s)
{
    return !s->at->want && !s->at->reply && !s->at->then;
}

static inline void script_stop(struct script *s)
{
    if (s->ex)
        executor_stop(s->ex);
}

/* The client is gone; what it sent last may still be on its way. */
static inline void script_client_ended(struct script *s)
{
    s->client_ended = true;
    if (script_at_end(s) || !s->stream)
        script_stop(s);
}

static inline void script_reply(struct script *s, const char *hex)
{
    uint8_t b[512];
    size_t n = mqtt_unhex(hex, b, sizeof(b));
    enum err err = stream_write(s->stream, b, n);
    CHECK_EQ_INT(err, ERR_OK);
}

/* Runs the steps that need no packet. */
static inline void script_advance(struct script *s, bool packet)
{
    while (s->stream && (packet || !s->at->want) && !script_at_end(s)) {
        const struct script_step *step = s->at++;
        packet = false;
        if (step->reply)
            script_reply(s, step->reply);
        if (step->then == SCRIPT_CLOSE) {
            stream_finish(s->stream, 1000);
            s->stream = NULL;
        }
    }
}

static inline void script_packet(struct script *s, const struct mqtt_packet *p)
{
    struct strbuf text;
    strbuf_init(&text, alloc_system(), 0);
    mqtt_text(&text, p);
    if (p->type == MQTT_CONNECT)
        s->decoder.version = p->connect.version;
    const char *want = s->at->want ? s->at->want : "(nothing)";
    bool pass = strncmp(want, "... ", 4) == 0;
    if (pass && strcmp(text.p, want + 4) != 0)
        ; /* not yet */
    else if (pass || CHECK_EQ_STR(text.p, want))
        script_advance(s, true);
    else
        script_stop(s);
    strbuf_fini(&text);
}

static inline void script_read(struct script *s)
{
    struct bytes in;
    while (s->stream) {
        enum err err = stream_read(s->stream, &in);
        if (err == ERR_AGAIN)
            return;
        if (err) {
            stream_close(s->stream);
            s->stream = NULL;
            if (s->client_ended)
                script_stop(s);
            return;
        }
        size_t at = 0, used;
        struct mqtt_packet p = {0};
        while (s->stream && mqtt_decode(&s->decoder, (struct bytes){in.p + at, in.n - at}, &p,
                                        &used) == MQTT_OK) {
            script_packet(s, &p);
            at += used;
        }
        if (s->stream)
            stream_consume(s->stream, at);
        if (s->stream && p.type == MQTT_DISCONNECT) { /* a server closes then */
            stream_finish(s->stream, 1000);
            s->stream = NULL;
        }
    }
}

static inline enum poll script_poll(struct task *t)
{
    struct script *s = CONTAINER_OF(t, struct script, task);
    if (!t->canceled)
        script_read(s);
    else if (s->stream)
        stream_close(s->stream);
    if (t->canceled)
        s->stream = NULL;
    if (s->client_ended && script_at_end(s))
        script_stop(s);
    return t->canceled ? POLL_READY : POLL_PENDING;
}

static inline void script_accepted(void *ctx, struct stream *stream)
{
    struct script *s = ctx;
    if (s->stream)
        stream_close(s->stream);
    s->stream = stream;
    s->connections++;
    s->decoder = (struct mqtt_decoder){.is_server = true};
    stream_bind(stream, &s->task);
    script_advance(s, false);
    task_wake(&s->task);
}

static inline void script_too_long(struct timer *t)
{
    struct script *s = CONTAINER_OF(t, struct script, guard);
    bool script_came_to_its_end = false;
    CHECK(script_came_to_its_end);
    script_stop(s);
}

/* On s->worker, from its thread or before it runs. */
static inline void script_begin(struct script *s, const struct script_step *steps)
{
    struct listener_config lc = {.accepted = script_accepted, .ctx = s};
    struct error e = {0};
    s->at = steps;
    REQUIRE(addr_parse(&lc.addr, STR("127.0.0.1"), 0) == ERR_OK);
    REQUIRE(listener_open(&s->listener, s->worker, &lc, &e) == ERR_OK);
    task_init(&s->task, "script", script_poll, NULL);
    task_spawn(s->worker, &s->task);
    timer_init(&s->guard, s->worker, script_too_long);
    timer_set_after_ms(&s->guard, 60000);
}

/* Holds when the whole script was played. */
static inline void script_end(struct script *s)
{
    CHECK_EQ_STR(s->at->want, NULL);
    CHECK_EQ_STR(s->at->reply, NULL);
    timer_cancel(&s->guard);
    listener_close(s->listener);
}

static inline void script_open(struct script *s, const struct script_step *steps)
{
    struct executor_config cfg = {
        .env = env_linux(), .alloc = alloc_system(), .workers = 1, .offload_threads = 1};
    struct error e = {0};
    *s = (struct script){0};
    if (executor_new(&s->ex, &cfg, &e) != ERR_OK)
        SKIP("%s", e.text);
    s->worker = executor_worker(s->ex, 0);
    script_begin(s, steps);
}

/* Runs until executor_stop(). */
static inline void script_run(struct script *s)
{
    executor_run(s->ex);
    script_end(s);
    executor_free(s->ex);
}
