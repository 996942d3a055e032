/* Where the server is: names that are not known yet, that move, and that nobody answers for. */
#include "client/mqtt_client_fixture.h"

#include <semaphore.h>

/* What the name server says, one row for each time that it is asked; the last one stands. */
struct answer {
    bool fails;
    uint16_t ports[2]; /* of 127.0.0.1; 0: the script's, or none if it is the second */
};
static struct names {
    const struct answer *answers;
    size_t n, asked;
    uint16_t port;
    sem_t *gate; /* NULL: it answers at once */
} names;

#define DEAD 1 /* a port on which nobody listens */

static enum err answer(struct addr *out, size_t max, size_t *n, struct str host, uint16_t port,
                       struct error *e)
{
    if (names.gate)
        sem_wait(names.gate);
    const struct answer *a = &names.answers[names.asked];
    CHECK_EQ_STR(str_eq(host, STR("broker.example")) ? "" : "?", "");
    CHECK_EQ_UINT(port, names.port);
    names.asked += names.asked + 1 < names.n;
    *n = 0;
    if (a->fails)
        return error_set(e, ERR_NOT_FOUND, "%.*s has no address", STR_FMT(host));
    for (size_t i = 0; i < ARRAY_LEN(a->ports) && (!i || a->ports[i]) && *n < max; i++)
        CHECK_EQ_INT(addr_parse(&out[(*n)++], STR("127.0.0.1"), a->ports[i] ? a->ports[i] : port),
                     ERR_OK);
    return ERR_OK;
}

static void named(struct site *x, const struct script_step *steps, const struct answer *answers,
                  size_t n)
{
    site_open(x, steps);
    names = (struct names){.answers = answers, .n = n, .port = addr_port(&x->cfg.addr)};
    x->cfg.addr = (struct addr){0};
    x->cfg.host = STR("broker.example");
    x->cfg.port = names.port;
    x->cfg.resolve = answer;
}

/* A board that starts before its network. */
TEST(client_waits_for_a_name)
{
    static const struct script_step steps[] = {{HELLO5, ACCEPT5, 0}, {BYE, NULL, 0}, {0}};
    static const struct answer answers[] = {{.fails = true}, {.fails = true}, {.fails = false}};
    struct site x;
    named(&x, steps, answers, ARRAY_LEN(answers));
    x.online = stop;
    site_run(&x, " lost:not found:00:0 lost:not found:00:0 online:0 ended");
    CHECK_EQ_UINT(names.asked, 2);
}

/* All addresses of one answer are tried before the next is asked for. */
TEST(client_tries_all_addresses_of_a_name)
{
    static const struct script_step steps[] = {{HELLO5, ACCEPT5, 0}, {BYE, NULL, 0}, {0}};
    static const struct answer answers[] = {
        {.ports = {DEAD, DEAD}}, {.ports = {DEAD, 0}}, {.fails = false}};
    struct site x;
    named(&x, steps, answers, ARRAY_LEN(answers));
    x.online = stop;
    site_run(&x, " lost:input/output error:00:0 lost:input/output error:00:0 "
                 "lost:input/output error:00:0 online:0 ended");
}

static void stop_the_second_time(struct site *x)
{
    if (x->onlines == 2)
        stop(x);
}

/* The name is asked for after a loss; what it was before is good while nobody answers. */
TEST(client_looks_again_after_a_loss)
{
    static const struct script_step steps[] = {
        {HELLO5, ACCEPT5, SCRIPT_CLOSE}, {HELLO5, ACCEPT5, 0}, {BYE, NULL, 0}, {0}};
    static const struct answer moved[] = {{.fails = false}, {.ports = {DEAD}}, {.fails = false}};
    static const struct answer silent[] = {{.fails = false}, {.fails = true}};
    struct site x;
    named(&x, steps, moved, ARRAY_LEN(moved));
    x.online = stop_the_second_time;
    site_run(&x, " online:0 lost:closed:00:1 lost:input/output error:00:0 online:0 ended");
    named(&x, steps, silent, ARRAY_LEN(silent));
    x.online = stop_the_second_time;
    site_run(&x, " online:0 lost:closed:00:1 online:0 ended");
    CHECK_EQ_UINT(names.asked, 1);
}

/* What is known beforehand is tried first, and an address needs no name server. */
TEST(client_asks_only_for_names)
{
    static const struct script_step steps[] = {{HELLO5, ACCEPT5, 0}, {BYE, NULL, 0}, {0}};
    static const struct answer never[] = {{.fails = true}};
    for (int literal = 0; literal < 2; literal++) {
        struct site x;
        LABEL("%s", literal ? "an address" : "addresses of a name");
        site_open(&x, steps);
        names = (struct names){.answers = never, .n = 1};
        x.cfg.port = addr_port(&x.cfg.addr);
        x.cfg.host = literal ? STR("127.0.0.1") : STR("broker.example");
        x.cfg.resolve = answer;
        if (literal)
            x.cfg.addr = (struct addr){0};
        x.online = stop;
        site_run(&x, " online:0 ended");
    }
}

static bool open_gate(struct site *x, const struct mqtt_client_loss *loss)
{
    CHECK_EQ_INT(loss->err, ERR_TIMEOUT);
    if (x->losses == 2)
        sem_post(names.gate);
    return true;
}

/* A name server that does not answer holds up nobody; it is asked once until it does. */
TEST(client_waits_for_a_slow_name_server)
{
    static const struct script_step steps[] = {{HELLO5, ACCEPT5, 0}, {BYE, NULL, 0}, {0}};
    static const struct answer answers[] = {{.fails = false}, {.fails = true}};
    struct site x;
    sem_t gate;
    sem_init(&gate, 0, 0);
    named(&x, steps, answers, ARRAY_LEN(answers));
    names.gate = &gate;
    x.cfg.connect_timeout_ms = 200;
    x.lost = open_gate;
    x.online = stop;
    site_run(&x, " lost:timed out:00:0 lost:timed out:00:0 online:0 ended");
    CHECK_EQ_UINT(names.asked, 1);
}

static bool leave_it_behind(struct site *x, const struct mqtt_client_loss *loss)
{
    (void)x, (void)loss;
    sem_post(names.gate); /* it may answer to nobody now */
    return false;
}

/* The end does not wait for the name server; its answer, or its place, goes by itself. */
TEST(client_ends_while_a_name_is_looked_up)
{
    static const struct script_step steps[] = {{0}};
    static const struct answer answers[] = {{.fails = false}};
    struct site x;
    sem_t gate;
    sem_init(&gate, 0, 0);
    named(&x, steps, answers, ARRAY_LEN(answers));
    names.gate = &gate;
    x.cfg.connect_timeout_ms = 1;
    x.lost = leave_it_behind;
    site_run(&x, " lost:timed out:00:0 ended");
}
