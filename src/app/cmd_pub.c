#include "app/cmd.h"
#include "app/mqtt_options.h"
#include "async/io.h"
#include "async/timer.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "usage: sedge pub -t TOPIC (-m TEXT | -n | -s | -l) [OPTIONS]\n"
    "Publishes a message, or one for each line of the standard input.\n\n"
    "  -m TEXT     the message                 -n        an empty message\n"
    "  -s          the standard input          -l        each of its lines\n"
    "  -h HOST     the broker (127.0.0.1)      -p PORT   its port (1883)\n"
    "  -q 0|1|2    quality of service (0)      -r        retain\n"
    "  -i ID       client id                   -k SEC    keep-alive (60)\n"
    "  -u USER     -P PASSWORD                 -V 311|5  version of the protocol (5)\n";

enum { INPUT_MAX = 8 << 20, READ_SIZE = 65536, RETRY_MS = 5 };

struct pub {
    struct mqtt_options o;
    struct executor *ex;
    struct worker *worker;
    struct mqtt_client *client; /* NULL once it has ended */
    struct timer retry;         /* after ERR_FULL */
    struct io_op poll_op;       /* for the standard input */
    struct strbuf input;        /* read, not yet published; the first `at` bytes are */
    size_t at;
    size_t unanswered;
    bool polling, eof, was_online;
    int status;
};

static void pump(struct pub *p);

static void fail(struct pub *p, const char *what, const char *why)
{
    (void)fprintf(stderr, "sedge pub: %s (%s)\n", what, why);
    p->status = EXIT_FINDING;
    if (p->client)
        mqtt_client_stop(p->client);
}

static void on_answer(void *ctx, enum err err, uint8_t reason)
{
    struct pub *p = ctx;
    p->unanswered--;
    if (err == ERR_DENIED)
        fail(p, "the server refused a message", mqtt_reason_name(reason));
    else if (err == ERR_OK)
        pump(p);
}

/* Whether the message went; otherwise a later pump() tries again. */
static bool publish(struct pub *p, struct str payload)
{
    struct mqtt_publish m = {
        .topic = p->o.topics[0],
        .payload = {(const uint8_t *)payload.p, payload.n},
        .qos = p->o.qos,
        .retain = p->o.retain,
    };
    p->unanswered += m.qos > 0;
    enum err err = mqtt_client_publish(p->client, &m, (struct mqtt_done){on_answer, p});
    if (err == ERR_OK)
        return true;
    p->unanswered -= m.qos > 0;
    if (err == ERR_FULL)
        timer_set_after_ms(&p->retry, RETRY_MS);
    else if (err != ERR_CLOSED) /* that one: off-line; online() goes on */
        fail(p, "the message cannot be sent", err_name(err));
    return false;
}

static void forget_published(struct pub *p)
{
    size_t left = p->input.n - p->at;
    memmove(p->input.p, p->input.p + p->at, left);
    p->input.n = left;
    p->at = 0;
}

/* Publishes what is whole: lines, or at the end all the rest. False: it has to wait. */
static bool publish_input(struct pub *p)
{
    for (;;) {
        struct str rest = {p->input.p + p->at, p->input.n - p->at};
        size_t line;
        if (p->o.lines && rest.n > 0 && str_find(rest, '\n', &line)) {
            if (!publish(p, str_sub(rest, 0, line)))
                return false;
            p->at += line + 1;
            continue;
        }
        bool whole = p->eof && (rest.n > 0 || (!p->o.lines && p->o.from_stdin));
        if (whole) {
            if (!publish(p, rest))
                return false;
            p->at += rest.n;
            p->o.from_stdin = false;
        }
        return true;
    }
}

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
        fail(p, "the standard input cannot be held", "above 8 MiB");
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
    if (!p->client || p->status || !mqtt_client_online(p->client) || !publish_input(p))
        return;
    if (p->eof && p->unanswered == 0 && p->at == p->input.n) {
        mqtt_client_stop(p->client);
    } else if (!p->eof && !p->polling) {
        p->polling = true;
        struct io_driver *io = worker_io(p->worker);
        io->ops->poll(io, &p->poll_op, STDIN_FILENO, POLLIN);
    }
}

static void on_retry(struct timer *t)
{
    pump(CONTAINER_OF(t, struct pub, retry));
}

static void on_online(void *ctx, bool session_present)
{
    struct pub *p = ctx;
    (void)session_present;
    p->was_online = true;
    pump(p);
}

static bool on_lost(void *ctx, const struct mqtt_client_loss *loss)
{
    struct pub *p = ctx;
    if (p->status)
        return false;
    mqtt_options_tell("pub", loss);
    /* What a server did not yet acknowledge is worth another try; a wrong address is not. */
    if (p->was_online && loss->err != ERR_DENIED && loss->attempts < 20)
        return true;
    p->status = EXIT_FINDING;
    return false;
}

static void on_ended(void *ctx)
{
    struct pub *p = ctx;
    p->client = NULL;
    executor_stop(p->ex);
}

static int check_sources(const struct mqtt_options *o)
{
    int sources = (o->message != NULL) + o->null_message + o->from_stdin + o->lines;
    if (sources == 1 && o->topics_n == 1 && mqtt_topic_valid(o->topics[0]))
        return EXIT_OK;
    if (sources != 1)
        (void)fprintf(stderr, "sedge pub: give one of -m, -n, -s and -l\n");
    else if (o->topics_n != 1)
        (void)fprintf(stderr, "sedge pub: give one topic\n");
    else
        (void)fprintf(stderr, "sedge pub: '%.*s' is not a topic to publish to\n",
                      STR_FMT(o->topics[0]));
    return EXIT_USAGE;
}

static void take_message(struct pub *p)
{
    if (!p->o.message && !p->o.null_message)
        return;
    p->eof = true;
    p->o.from_stdin = true; /* publish_input() sends what is there as one message */
    if (p->o.message)
        strbuf_adds(&p->input, p->o.message);
}

int cmd_pub(int argc, char **argv)
{
    struct pub p = {0};
    struct mqtt_client_config cfg;
    bool done;
    int status = mqtt_options_parse(&p.o, argc, argv, "h:p:t:m:nslq:ri:u:P:k:V:", usage, &done);
    if (done)
        return status;
    status = check_sources(&p.o);
    status = status ? status : mqtt_options_open(&p.o, &p.ex, &cfg);
    if (status)
        return status;
    strbuf_init(&p.input, alloc_system(), INPUT_MAX);
    take_message(&p);
    p.worker = executor_worker(p.ex, 0);
    p.poll_op.done = on_readable;
    timer_init(&p.retry, p.worker, on_retry);
    cfg.ctx = &p;
    cfg.online = on_online;
    cfg.lost = on_lost;
    cfg.ended = on_ended;
    enum err err = mqtt_client_new(&p.client, p.worker, &cfg);
    if (err) {
        (void)fprintf(stderr, "sedge pub: the options do not fit together (%s)\n", err_name(err));
        p.status = EXIT_USAGE;
    } else {
        executor_run(p.ex);
    }
    timer_cancel(&p.retry);
    executor_free(p.ex);
    strbuf_fini(&p.input);
    return p.status;
}
