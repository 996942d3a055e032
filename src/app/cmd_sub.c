#include "app/cmd.h"
#include "app/mqtt_format.h"
#include "app/mqtt_options.h"
#include "async/signals.h"
#include "async/timer.h"

#include <stdio.h>
#include <string.h>

struct sub {
    struct mqtt_options o;
    struct mqtt_setup setup;
    struct mqtt_client *client; /* NULL once it has ended */
    struct signal_watch *signals;
    struct timer timer;
    struct tick_hook flush;
    struct strbuf text;
    struct random random;
    int64_t left; /* messages to print; -1: no limit */
    size_t unanswered, granted, removing;
    int status;
    bool was_online, finished;
};

static void leave(struct sub *s)
{
    if (s->client && s->finished && s->removing == 0)
        mqtt_options_leave(&s->o, s->client);
}

static void finish(struct sub *s, int status)
{
    s->status = s->finished ? s->status : status;
    s->finished = true;
    if (status != EXIT_OK)
        s->removing = 0; /* nothing is waited for */
    leave(s);
}

static void flush(struct tick_hook *h)
{
    struct sub *s = CONTAINER_OF(h, struct sub, flush);
    if (fflush(stdout) != 0 || ferror(stdout))
        finish(s, EXIT_FINDING);
}

/* --- messages ------------------------------------------------------------------------------ */

static void print(struct sub *s, const struct mqtt_publish *m)
{
    struct mqtt_shown shown = {.m = m, .pretty = s->o.pretty};
    bool empty = m->payload.n == 0;
    const char *format = s->o.format ? s->o.format : s->o.verbose ? "%t %p" : "%p";
    if (empty && !s->o.format) /* as mosquitto_sub has it */
        format = s->o.verbose && !s->o.no_newline ? "%t (null)" : "";
    (void)clock_gettime(CLOCK_REALTIME, &shown.now);
    strbuf_reset(&s->text);
    if (mqtt_format(&s->text, format, &shown) != ERR_OK)
        mqtt_options_say(&s->o, "the payload on %.*s is not valid JSON", STR_FMT(m->topic));
    if (!s->o.no_newline && format[0])
        strbuf_addc(&s->text, '\n');
    (void)fwrite(s->text.p, 1, s->text.n, stdout);
    worker_at_tick_end(worker_current(), &s->flush);
}

static void on_removed(void *ctx, enum err err, uint8_t reason)
{
    struct sub *s = ctx;
    s->removing -= s->removing > 0;
    if (err == ERR_DENIED)
        mqtt_options_say(&s->o, "the server did not remove a message (%s)",
                         mqtt_reason_name(reason));
    leave(s);
}

static void remove_retained(struct sub *s, struct str topic)
{
    struct mqtt_publish gone = {.topic = topic, .retain = true, .qos = 1};
    s->removing++;
    if (mqtt_client_publish(s->client, &gone, (struct mqtt_done){on_removed, s}) == ERR_OK)
        return;
    s->removing--;
    gone.qos = 0; /* too many are under way: this one without an answer */
    if (mqtt_client_publish(s->client, &gone, (struct mqtt_done){0}) == ERR_OK)
        return;
    mqtt_options_say(&s->o, "%.*s is not removed: too many at a time", STR_FMT(topic));
    finish(s, EXIT_FINDING);
}

static bool filtered_out(struct sub *s, struct str topic)
{
    for (size_t i = 0; i < s->o.filter_out.n; i++)
        if (mqtt_filter_match(s->o.filter_out.list[i], topic))
            return true;
    return s->o.chance < 100 && random_unit(&s->random) * 100 >= s->o.chance;
}

static void on_message(void *ctx, const struct mqtt_publish *m)
{
    struct sub *s = ctx;
    if (s->finished)
        return;
    if (s->o.retained_only && !m->retain) {
        finish(s, EXIT_OK);
        return;
    }
    if (filtered_out(s, m->topic))
        return;
    if (s->o.remove_retained && m->retain && m->payload.n > 0)
        remove_retained(s, m->topic);
    if (s->o.no_retained && m->retain)
        return;
    print(s, m);
    if (s->left > 0 && --s->left == 0)
        finish(s, EXIT_OK);
}

/* --- the connection ------------------------------------------------------------------------ */

static void on_online(void *ctx, bool session_present)
{
    struct sub *s = ctx;
    s->was_online = true;
    if (s->o.debug)
        mqtt_options_say(&s->o, "connected as '%.*s', session present: %d",
                         STR_FMT(mqtt_client_id(s->client)), session_present);
}

static bool on_lost(void *ctx, const struct mqtt_client_loss *loss)
{
    struct sub *s = ctx;
    if (s->finished)
        return false;
    mqtt_options_tell(&s->o, loss);
    /* Who has taken our session would lose it to us, and take it again. */
    if (s->was_online && loss->err != ERR_DENIED && loss->reason != MQTT_RC_SESSION_TAKEN_OVER)
        return true;
    s->finished = true;
    s->status = mqtt_options_status(loss);
    return false;
}

static void on_subscribed(void *ctx, enum err err, uint8_t reason)
{
    struct sub *s = ctx;
    s->unanswered--;
    if (err == ERR_CANCELED)
        return;
    s->granted += err == ERR_OK;
    if (err == ERR_DENIED)
        mqtt_options_say(&s->o, "the server refused a subscription (%s)", mqtt_reason_name(reason));
    else if (s->o.debug)
        mqtt_options_say(&s->o, "the server answered a subscription with %u", reason);
    if (s->unanswered > 0)
        return;
    if (s->granted == 0)
        finish(s, EXIT_FINDING);
    else if (s->o.exit_when_subscribed)
        finish(s, EXIT_OK);
}

static void on_ended(void *ctx)
{
    struct sub *s = ctx;
    s->client = NULL;
    executor_stop(s->setup.ex);
}

static void on_timeout(struct timer *t)
{
    struct sub *s = CONTAINER_OF(t, struct sub, timer);
    if (!s->finished)
        mqtt_options_say(&s->o, "timed out");
    finish(s, EXIT_TIMED_OUT);
}

static void on_signal(void *ctx, int signal)
{
    (void)signal;
    finish(ctx, EXIT_OK);
}

/* --- starting ------------------------------------------------------------------------------ */

static uint8_t options_of(const struct mqtt_options *o)
{
    uint8_t options = o->qos;
    if (o->version != MQTT_V5)
        return options;
    if (o->retain_as_published)
        options |= MQTT_SUB_RETAIN_AS_PUBLISHED;
    if (o->no_retained && !o->remove_retained)
        options |= 2 << 4; /* they need not be sent */
    return options;
}

static enum err ask(struct sub *s, struct str filter, bool subscribe)
{
    struct mqtt_props p = mqtt_packet_props(subscribe ? &s->o.subscribe : &s->o.unsubscribe);
    struct mqtt_client_filter f = {
        .filter = filter, .options = options_of(&s->o), .id = p.subscription_id, .user_raw = p.raw};
    struct mqtt_done done = {on_subscribed, s};
    enum err err = subscribe ? mqtt_client_subscribe_with(s->client, &f, done)
                             : mqtt_client_unsubscribe_with(s->client, &f, done);
    s->unanswered += err == ERR_OK;
    return err;
}

static int ask_for_all(struct sub *s)
{
    const struct mqtt_topics *on = &s->o.topics, *off = &s->o.unsubscribe_from;
    for (size_t i = 0; i < on->n + off->n; i++) {
        struct str filter = i < on->n ? on->list[i] : off->list[i - on->n];
        enum err err = ask(s, filter, i < on->n);
        if (!err)
            continue;
        mqtt_options_say(&s->o, "'%.*s' cannot be subscribed to (%s)", STR_FMT(filter),
                         err_name(err));
        return EXIT_USAGE;
    }
    return EXIT_OK;
}

static int start(struct sub *s)
{
    static const int signals[] = {SIGINT, SIGTERM};
    struct mqtt_client_config *cfg = &s->setup.cfg;
    struct mqtt_props props = mqtt_packet_props(&s->o.connect);
    struct error e = {0};
    cfg->props = &props;
    cfg->ctx = s;
    cfg->online = on_online;
    cfg->message = on_message;
    cfg->lost = on_lost;
    cfg->ended = on_ended;
    if (signal_watch_new(&s->signals, s->setup.worker, signals, 2, on_signal, s, &e)) {
        mqtt_options_say(&s->o, "%s", e.text);
        return EXIT_FINDING;
    }
    enum err err = mqtt_client_new(&s->client, s->setup.worker, cfg);
    if (err) {
        mqtt_options_say(&s->o, "the options do not fit together (%s)", err_name(err));
        return EXIT_USAGE;
    }
    int status = ask_for_all(s);
    if (status)
        mqtt_client_stop(s->client);
    return status;
}

static int check(const struct mqtt_options *o)
{
    const char *why = o->format ? mqtt_format_check(o->format) : NULL;
    if (why)
        mqtt_options_say(o, "-F '%s': %s", o->format, why);
    for (size_t i = 0; i < o->topics.n && !why; i++) {
        if (mqtt_filter_valid(o->topics.list[i]))
            continue;
        why = "it is no topic filter";
        mqtt_options_say(o, "-t '%.*s': %s", STR_FMT(o->topics.list[i]), why);
    }
    return why ? EXIT_USAGE : EXIT_OK;
}

static int run(struct sub *s)
{
    int status = check(&s->o);
    status = status ? status : mqtt_setup_init(&s->setup, &s->o);
    if (status)
        return status;
    s->left = s->o.count ? s->o.count : -1;
    random_seed(&s->random, executor_env(s->setup.ex)->seed);
    tick_hook_init(&s->flush, flush);
    timer_init(&s->timer, s->setup.worker, on_timeout);
    if (s->o.timeout_ms)
        timer_set_after_ms(&s->timer, s->o.timeout_ms);
    status = start(s);
    if (s->client)
        executor_run(s->setup.ex);
    timer_cancel(&s->timer);
    tick_hook_cancel(&s->flush);
    if (s->signals)
        signal_watch_free(s->signals);
    return status ? status : s->status;
}

int cmd_sub(int argc, char **argv)
{
    struct sub s = {0};
    bool done;
    strbuf_init(&s.text, alloc_system(), 0);
    int status = mqtt_options_parse(&s.o, MQTT_COMMAND_SUB, argc, argv, &done);
    if (!done)
        status = run(&s);
    mqtt_setup_fini(&s.setup);
    mqtt_options_fini(&s.o);
    strbuf_fini(&s.text);
    return status;
}
