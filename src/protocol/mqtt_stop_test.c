/* The server stops: what it has taken it acknowledges, and then everybody is told. */
#include "protocol/mqtt_rig_test.h"

#include <semaphore.h>

static void all_gone(void *ctx)
{
    sem_post(ctx);
}

static bool await_gone(sem_t *gone)
{
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_sec += RIG_PATIENCE_MS / 1000;
    return sem_timedwait(gone, &at) == 0;
}

/* With the sync held: the publisher waits for its answer, the others go at once. */
TEST(mqtt_stop_answers_what_it_has_taken)
{
    struct broker b = {0};
    struct client pub, idle, old, fresh;
    sem_t gone;
    int none;
    sem_init(&gone, 0, 0);
    broker_start(&b, NULL);
    client_join(&pub, &b, "pub", (struct hello_opt){.clean = true}, false);
    client_join(&idle, &b, "idle", (struct hello_opt){.expiry_s = 1000}, false);
    client_join(&old, &b, "old", (struct hello_opt){.version = MQTT_V311, .clean = true}, false);
    client_open(&fresh, &b); /* has not said a word */
    moody_set(&b.disk, true, false);
    client_publish(&pub, 1, "kept", "1", true);
    moody_await(&b.disk);
    mqtt_server_stop(b.server, all_gone, &gone);
    EXPECT(&idle, "DISCONNECT reason=8b");
    EXPECT(&idle, "END");
    EXPECT(&old, "END");
    EXPECT(&fresh, "END");
    CHECK_EQ_INT(sem_getvalue(&gone, &none), 0);
    CHECK_EQ_INT(none, 0);                      /* one is still to be answered */
    client_publish(&pub, 2, "kept", "2", true); /* too late: it is not read any more */
    moody_set(&b.disk, false, false);
    EXPECT(&pub, "PUBACK id=1 reason=10");
    EXPECT(&pub, "DISCONNECT reason=8b");
    EXPECT(&pub, "END");
    client_close(&pub);
    client_close(&idle);
    client_close(&old);
    client_close(&fresh);
    CHECK(await_gone(&gone));
    broker_stop(&b);
    sem_destroy(&gone);
}

TEST(mqtt_stop_without_clients)
{
    struct broker b = {0};
    sem_t gone;
    sem_init(&gone, 0, 0);
    broker_start(&b, NULL);
    mqtt_server_stop(b.server, all_gone, &gone);
    CHECK(await_gone(&gone));
    broker_stop(&b);
    sem_destroy(&gone);
}
