#include "app/cmd.h"
#include "app/mqtt_options.h"
#include "async/signals.h"
#include "async/timer.h"

#include <stdio.h>

static const char usage[] =
    "usage: sedge sub -t FILTER [-t FILTER ...] [OPTIONS]\n"
    "Prints messages, one a line.\n\n"
    "  -h HOST     the broker (127.0.0.1)      -p PORT   its port (1883)\n"
    "  -t FILTER   topic filter, repeatable    -q 0|1|2  quality of service asked for (0)\n"
    "  -v          print the topic too         -R        no retained messages\n"
    "  -C COUNT    end after so many messages  -W SEC    end after so long, with status 1\n"
    "  -c          keep the session (needs -i) -i ID     client id\n"
    "  -u USER     -P PASSWORD                 -k SEC    keep-alive (60)\n"
    "  -V 311|5    version of the protocol (5)\n";

struct sub {
    struct mqtt_options o;
    struct executor *ex;
    struct mqtt_client *client; /* NULL once it has ended */
    struct signal_watch *signals;
    struct timer timer;
    struct tick_hook flush;
    int64_t left; /* messages to print; -1: no limit */
    int status;
    bool was_online;
};

static void finish(struct sub *s, int status)
{
    s->status = s->status ? s->status : status;
    if (s->client)
        mqtt_client_stop(s->client);
    s->left = 0;
}

static void flush(struct tick_hook *h)
{
    struct sub *s = CONTAINER_OF(h, struct sub, flush);
    if (fflush(stdout) != 0 || ferror(stdout))
        finish(s, EXIT_FINDING);
}

static void on_message(void *ctx, const struct mqtt_publish *m)
{
    struct sub *s = ctx;
    if (s->left == 0 || (s->o.no_retained && m->retain))
        return;
    if (s->o.verbose) {
        (void)fwrite(m->topic.p, 1, m->topic.n, stdout);
        (void)fputc(' ', stdout);
    }
    (void)fwrite(m->payload.p, 1, m->payload.n, stdout);
    (void)fputc('\n', stdout);
    worker_at_tick_end(worker_current(), &s->flush);
    if (s->left > 0 && --s->left == 0)
        finish(s, EXIT_OK);
}

static bool on_lost(void *ctx, const struct mqtt_client_loss *loss)
{
    struct sub *s = ctx;
    s->was_online = s->was_online || loss->was_online;
    if (s->left == 0)
        return false;
    mqtt_options_tell("sub", loss);
    if (s->was_online && loss->err != ERR_DENIED)
        return true;
    s->status = EXIT_FINDING;
    return false;
}

static void on_subscribed(void *ctx, enum err err, uint8_t reason)
{
    struct sub *s = ctx;
    if (err != ERR_DENIED)
        return;
    (void)fprintf(stderr, "sedge sub: the server refused a subscription (%s)\n",
                  mqtt_reason_name(reason));
    finish(s, EXIT_FINDING);
}

static void on_ended(void *ctx)
{
    struct sub *s = ctx;
    s->client = NULL;
    executor_stop(s->ex);
}

static void on_timeout(struct timer *t)
{
    finish(CONTAINER_OF(t, struct sub, timer), EXIT_FINDING);
}

static void on_signal(void *ctx, int signal)
{
    (void)signal;
    finish(ctx, EXIT_OK);
}

static int start(struct sub *s, struct mqtt_client_config *cfg)
{
    static const int signals[] = {SIGINT, SIGTERM};
    struct error e = {0};
    struct worker *w = executor_worker(s->ex, 0);
    cfg->ctx = s;
    cfg->message = on_message;
    cfg->lost = on_lost;
    cfg->ended = on_ended;
    if (signal_watch_new(&s->signals, w, signals, 2, on_signal, s, &e)) {
        (void)fprintf(stderr, "sedge sub: %s\n", e.text);
        return EXIT_FINDING;
    }
    enum err err = mqtt_client_new(&s->client, w, cfg);
    if (err) {
        (void)fprintf(stderr, "sedge sub: the options do not fit together (%s)\n", err_name(err));
        return EXIT_USAGE;
    }
    for (size_t i = 0; i < s->o.topics_n; i++) {
        err = mqtt_client_subscribe(s->client, s->o.topics[i], s->o.qos,
                                    (struct mqtt_done){on_subscribed, s});
        if (err) {
            (void)fprintf(stderr, "sedge sub: '%.*s' is not a topic filter\n",
                          STR_FMT(s->o.topics[i]));
            finish(s, EXIT_USAGE);
            break;
        }
    }
    return EXIT_OK;
}

int cmd_sub(int argc, char **argv)
{
    struct sub s = {0};
    struct mqtt_client_config cfg;
    bool done;
    int status = mqtt_options_parse(&s.o, argc, argv, "h:p:t:q:vRC:W:ci:u:P:k:V:", usage, &done);
    if (done)
        return status;
    status = mqtt_options_open(&s.o, &s.ex, &cfg);
    if (status)
        return status;
    s.left = s.o.count ? s.o.count : -1;
    tick_hook_init(&s.flush, flush);
    timer_init(&s.timer, executor_worker(s.ex, 0), on_timeout);
    if (s.o.timeout_ms)
        timer_set_after_ms(&s.timer, s.o.timeout_ms);
    status = start(&s, &cfg);
    if (status == EXIT_OK)
        executor_run(s.ex);
    timer_cancel(&s.timer);
    tick_hook_cancel(&s.flush);
    if (s.signals)
        signal_watch_free(s.signals);
    executor_free(s.ex);
    return status ? status : s.status;
}
