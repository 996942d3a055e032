/* logger [HOST [PORT]]: prints what comes below demo/, until SIGINT or SIGTERM. Its session is kept
 * for an hour, so it misses nothing while it is away; a message is acknowledged when it is printed.
 */
#include <sedge/mqtt.h>
#include <sedge/sedge.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static bool on_lost(void *ctx, const struct sedge_mqtt_loss *loss)
{
    (void)ctx;
    fprintf(stderr, "%s%s%s\n", loss->text, loss->reason ? ": " : "",
            loss->reason ? sedge_mqtt_reason(loss->reason) : "");
    return loss->err != SEDGE_ERR_DENIED; /* who is not let in need not try again */
}

static intptr_t await_signal(void *client)
{
    struct sedge_chan *quit;
    struct sedge_signals *s;
    if (sedge_chan_new(&quit, sizeof(int), 1, SEDGE_LOCAL) ||
        sedge_signals_new(&s, quit, (int[]){SIGINT, SIGTERM}, 2, NULL))
        return 1;
    enum sedge_err r = sedge_chan_recv(quit, NULL);
    sedge_mqtt_stop(client);
    sedge_signals_free(s);
    sedge_chan_free(quit);
    return r;
}

static intptr_t run(void *config)
{
    struct sedge_mqtt *client;
    struct sedge_mqtt_message *m;
    struct sedge_mqtt_options options = {.qos = 2};
    struct sedge_error e = {0};
    if (sedge_mqtt_new(&client, config, &e)) {
        fprintf(stderr, "%s\n", e.text);
        return 1;
    }
    enum sedge_err r = sedge_co_spawn(NULL, await_signal, client, "signal");
    r = r ? r : sedge_mqtt_subscribe(client, "demo/#", &options, NULL, -1);
    fprintf(stderr, "%s\n", r ? sedge_err_name(r) : "subscribed");
    while (!r && !(r = sedge_mqtt_recv(client, &m, -1))) {
        printf("%s %.*s\n", m->topic, (int)m->payload_n, (const char *)m->payload);
        fflush(stdout);
        sedge_mqtt_message_free(m);
    }
    sedge_mqtt_free(client);
    return r != SEDGE_ERR_CLOSED; /* that is how it shall end */
}

int main(int argc, char **argv)
{
    struct sedge_mqtt_config config = {.client_id = "logger", .lost = on_lost, .persistent = true};
    config.session_expiry_s = 3600;
    config.host = argc > 1 ? argv[1] : NULL;
    config.port = argc > 2 ? (uint16_t)strtoul(argv[2], NULL, 10) : 0;
    return sedge_main(NULL, run, &config);
}
