#include "app/cmd.h"
#include "app/mqtt_options.h"
#include "async/io.h"
#include "async/timer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { INPUT_MAX = 8 << 20, FILE_MAX = 268435455, READ_SIZE = 65536, RETRY_MS = 5 };
enum { PACKET_REST = 5 }; /* of a packet, at least, beside the payload */

struct pub {
    struct mqtt_options o;
    struct mqtt_setup setup;
    struct mqtt_props props;    /* of PUBLISH */
    struct mqtt_client *client; /* NULL once it has ended */
    struct timer again;         /* after ERR_FULL, or --repeat-delay */
    struct io_op poll_op;       /* for the standard input */
    struct strbuf input;        /* read, not yet published; the first `at` bytes are */
    size_t at;
    int64_t left; /* so often the whole input is published yet; of lines: none */
    size_t unanswered;
    bool polling, eof, was_online, resting;
    int status;
};

static void pump(struct pub *p);

static void fail(struct pub *p, const char *what, const char *why)
{
    mqtt_options_say(&p->o, "%s (%s)", what, why);
    p->status = EXIT_FINDING;
    if (p->client)
        mqtt_options_leave(&p->o, p->client);
}

static void on_answer(void *ctx, enum err err, uint8_t reason)
{
    struct pub *p = ctx;
    p->unanswered--;
    if (p->o.debug && err != ERR_CANCELED)
        mqtt_options_say(&p->o, "the server answered with %u (%s)", reason,
                         mqtt_reason_name(reason));
    if (err == ERR_DENIED)
        fail(p, "the server refused a message", mqtt_reason_name(reason));
    else if (err == ERR_OK)
        pump(p);
}

static const char *why_not(const struct pub *p, struct str payload, enum err err)
{
    if (err == ERR_UNSUPPORTED)
        return p->o.retain ? "the server retains nothing, or does not take this QoS"
                           : "the server does not take this QoS";
    if (err != ERR_RANGE)
        return err_name(err);
    return payload.n + PACKET_REST > p->setup.cfg.packet_max
               ? "it is larger than 16 MiB, or than the maximum-packet-size of -D"
               : "it is larger than the server takes";
}

/* Whether the message went; otherwise a later pump() tries again. */
static bool publish(struct pub *p, struct str payload)
{
    struct mqtt_publish m = {
        .topic = p->o.topics.list[0],
        .payload = {(const uint8_t *)payload.p, payload.n},
        .qos = p->o.qos,
        .retain = p->o.retain,
        .props = p->props,
    };
    p->unanswered += m.qos > 0;
    enum err err = mqtt_client_publish(p->client, &m, (struct mqtt_done){on_answer, p});
    if (err == ERR_OK)
        return true;
    p->unanswered -= m.qos > 0;
    if (err == ERR_FULL)
        timer_set_after_ms(&p->again, RETRY_MS);
    else if (err != ERR_CLOSED) /* that one: off-line; online() goes on */
        fail(p, "the message cannot be sent", why_not(p, payload, err));
    return false;
}

static void forget_published(struct pub *p)
{
    size_t left = p->input.n - p->at;
    memmove(p->input.p, p->input.p + p->at, left);
    p->input.n = left;
    p->at = 0;
}

/* What is whole, and at the end the rest. False: it has to wait. */
static bool publish_lines(struct pub *p)
{
    for (;;) {
        struct str rest = {p->input.p + p->at, p->input.n - p->at};
        size_t line = rest.n;
        bool whole = rest.n > 0 && str_find(rest, '\n', &line);
        if (!whole && !(p->eof && rest.n > 0))
            return true;
        if (!publish(p, str_sub(rest, 0, line)))
            return false;
        p->at += line + whole;
    }
}

/* All that there is, once or several times. */
static bool publish_whole(struct pub *p)
{
    while (p->eof && p->left > 0) {
        if (p->resting || !publish(p, strbuf_str(&p->input)))
            return false;
        p->left--;
        p->resting = p->left > 0 && p->o.repeat_delay_ms > 0;
        if (p->resting)
            timer_set_after_ms(&p->again, p->o.repeat_delay_ms);
    }
    return true;
}

/* --- the standard input -------------------------------------------------------------------- */

static void read_input(struct pub *p)
{
    char b[READ_SIZE];
    ssize_t n = read(STDIN_FILENO, b, sizeof(b));
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n < 0)
        fail(p, "the standard input cannot be read", strerror(errno));
    p->eof = n <= 0;
    if (p->at > 0)
        forget_published(p);
    strbuf_add(&p->input, b, n > 0 ? (size_t)n : 0);
    if (p->input.failed)
        fail(p, "the standard input cannot be held", "it is too long");
}

static void on_readable(struct io_op *op, struct io_result r)
{
    struct pub *p = CONTAINER_OF(op, struct pub, poll_op);
    p->polling = false;
    if (!p->client || r.res == -ECANCELED)
        return;
    read_input(p); /* an error of poll (a plain file under epoll) means that reading is possible */
    pump(p);
}

/* Goes on as far as it can. */
static void pump(struct pub *p)
{
    if (!p->client || p->status || !mqtt_client_online(p->client))
        return;
    if (!(p->o.lines ? publish_lines(p) : publish_whole(p)))
        return;
    if (p->eof && p->unanswered == 0 && p->left == 0) {
        mqtt_options_leave(&p->o, p->client);
    } else if (!p->eof && !p->polling) {
        p->polling = true;
        struct io_driver *io = worker_io(p->setup.worker);
        io->ops->poll(io, &p->poll_op, STDIN_FILENO, POLLIN);
    }
}

/* --- the connection ------------------------------------------------------------------------ */

static void on_again(struct timer *t)
{
    struct pub *p = CONTAINER_OF(t, struct pub, again);
    p->resting = false;
    pump(p);
}

static void on_online(void *ctx, bool session_present)
{
    struct pub *p = ctx;
    p->was_online = true;
    if (p->o.debug)
        mqtt_options_say(&p->o, "connected as '%.*s', session present: %d",
                         STR_FMT(mqtt_client_id(p->client)), session_present);
    pump(p);
}

static bool on_lost(void *ctx, const struct mqtt_client_loss *loss)
{
    struct pub *p = ctx;
    if (p->status)
        return false;
    mqtt_options_tell(&p->o, loss);
    /* What a server did not yet acknowledge is worth another try; a wrong address is not. */
    if (p->was_online && loss->err != ERR_DENIED && loss->attempts < 20 &&
        loss->reason != MQTT_RC_SESSION_TAKEN_OVER)
        return true;
    p->status = mqtt_options_status(loss);
    return false;
}

static void on_ended(void *ctx)
{
    struct pub *p = ctx;
    p->client = NULL;
    executor_stop(p->setup.ex);
}

/* --- starting ------------------------------------------------------------------------------ */

static int check(const struct mqtt_options *o)
{
    int sources =
        (o->message != NULL) + (o->file != NULL) + o->null_message + o->from_stdin + o->lines;
    if (sources != 1)
        mqtt_options_say(o, "give one of -m, -f, -n, -s and -l");
    else if (o->topics.n != 1)
        mqtt_options_say(o, "give one topic");
    else if (!mqtt_topic_valid(o->topics.list[0]))
        mqtt_options_say(o, "'%.*s' is not a topic to publish to", STR_FMT(o->topics.list[0]));
    else if (o->lines && o->repeat > 1)
        mqtt_options_say(o, "--repeat is not for lines");
    else
        return EXIT_OK;
    return EXIT_USAGE;
}

static int read_file(struct pub *p)
{
    char b[READ_SIZE];
    ssize_t n = -1;
    int fd = open(p->o.file, O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && (n = read(fd, b, sizeof(b))) > 0)
        strbuf_add(&p->input, b, (size_t)n);
    if (n < 0)
        mqtt_options_say(&p->o, "%s: %s", p->o.file, strerror(errno));
    else if (p->input.failed)
        mqtt_options_say(&p->o, "%s: it is too long", p->o.file);
    if (fd >= 0)
        (void)close(fd);
    return n < 0 || p->input.failed ? EXIT_FINDING : EXIT_OK;
}

static int take_message(struct pub *p)
{
    const struct mqtt_options *o = &p->o;
    strbuf_init(&p->input, alloc_system(), o->lines ? INPUT_MAX : FILE_MAX);
    p->left = o->lines ? 0 : o->repeat;
    p->eof = !o->lines && !o->from_stdin;
    if (o->message)
        strbuf_adds(&p->input, o->message);
    return o->file ? read_file(p) : EXIT_OK;
}

static int start(struct pub *p)
{
    struct mqtt_client_config *cfg = &p->setup.cfg;
    struct mqtt_props props = mqtt_packet_props(&p->o.connect);
    cfg->props = &props;
    cfg->ctx = p;
    cfg->online = on_online;
    cfg->lost = on_lost;
    cfg->ended = on_ended;
    enum err err = mqtt_client_new(&p->client, p->setup.worker, cfg);
    if (!err)
        return EXIT_OK;
    mqtt_options_say(&p->o, "the options do not fit together (%s)", err_name(err));
    return EXIT_USAGE;
}

static int run(struct pub *p)
{
    int status = check(&p->o);
    status = status ? status : take_message(p);
    status = status ? status : mqtt_setup_init(&p->setup, &p->o);
    if (status)
        return status;
    p->props = mqtt_packet_props(&p->o.publish);
    p->poll_op.done = on_readable;
    timer_init(&p->again, p->setup.worker, on_again);
    status = start(p);
    if (status == EXIT_OK)
        executor_run(p->setup.ex);
    timer_cancel(&p->again);
    return status ? status : p->status;
}

int cmd_pub(int argc, char **argv)
{
    struct pub p = {0};
    bool done;
    int status = mqtt_options_parse(&p.o, MQTT_COMMAND_PUB, argc, argv, &done);
    if (!done)
        status = run(&p);
    mqtt_setup_fini(&p.setup);
    mqtt_options_fini(&p.o);
    if (p.input.alloc)
        strbuf_fini(&p.input);
    return status;
}
