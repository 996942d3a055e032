/* reading TOPIC [HOST]: sends the load of this machine five times, once a second. What a site that
 * declares the topic acknowledges is on its disk; without a connection it waits, and goes out
 * later. */
#include <sedge/mqtt.h>
#include <sedge/sedge.h>
#include <stdio.h>

/* Why it is not connected. One that is not let in, as with a wrong password, gives up. */
static bool lost(void *ctx, const struct sedge_mqtt_loss *loss)
{
    (void)ctx;
    fprintf(stderr, "attempt %u: %s%s%s\n", loss->attempts, loss->text, loss->reason ? ": " : "",
            loss->reason ? sedge_mqtt_reason(loss->reason) : "");
    return loss->err != SEDGE_ERR_DENIED;
}

static intptr_t run(void *arg)
{
    char **words = arg, text[64];
    struct sedge_mqtt *client;
    struct sedge_error error = {0};
    struct sedge_mqtt_config config = {.host = words[2], .lost = lost}; /* NULL: this machine */
    if (!words[1] || sedge_mqtt_new(&client, &config, &error))
        return fprintf(stderr, "%s\n", words[1] ? error.text : "usage: reading TOPIC [HOST]"), 1;
    enum sedge_err r = SEDGE_OK;
    for (int i = 0; i < 5 && !r; i++) {
        double load = 0;
        FILE *f = fopen("/proc/loadavg", "r");
        if (!f || fscanf(f, "%lf", &load) != 1)
            perror("/proc/loadavg");
        if (f)
            fclose(f);
        struct sedge_mqtt_message m = {.topic = words[1], .payload = text, .qos = 1};
        m.payload_n = (size_t)snprintf(text, sizeof(text), "{\"load\": %.2f}", load);
        r = sedge_mqtt_publish(client, &m, NULL, 5000);
        printf("%s: %s\n", text, r ? sedge_err_name(r) : "acknowledged");
        if (!r && i < 4)
            r = sedge_sleep_ms(1000);
    }
    sedge_mqtt_free(client);
    return r != SEDGE_OK;
}

int main(int argc, char **argv)
{
    (void)argc;
    return sedge_main(NULL, run, argv);
}
