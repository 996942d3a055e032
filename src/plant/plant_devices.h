/* plant_devices: a plant's machines as MQTT devices.
 *
 * Why: to a site the simulated plant is what a real one would be: each machine is a device with a
 * connection of its own, reports each second, and answers commands late or never.
 * On the wire, with B for the device's topic: a JSON object on B; a valve its position as a bare
 * number on B/position, and at once when it moves; a jam `{}` on B/jam. `{"action": "open",
 * "args": {…}, "id": "…"}` on B/set is answered with `{"id": "…"}` on B/ack, QoS 1, when the
 * machine takes it.
 * Ownership: the plant is the caller's and outlives this; topics are copied.
 * Threads: its worker's.
 * Errors: ERR_NOMEM; a lost connection is retried for ever. */
#pragma once

#include "client/mqtt_client.h"
#include "plant/plant.h"

struct plant_devices;

struct plant_device_config {
    int machine; /* in the plant */
    struct str topic;
};
struct plant_devices_config {
    struct alloc *alloc;
    struct addr addr; /* the broker's */
    struct plant *plant;
    const struct plant_device_config *devices;
    size_t devices_n; /* 0: the plant runs all the same, for those who look at it */
    double speed;     /* plant seconds in a second */
    double for_s;     /* plant seconds until it stops by itself; 0: never */
    bool has_user;
    struct str user;
    struct bytes password;
    void *ctx;
    void (*ended)(void *ctx); /* all connections are closed: plant_devices_free() */
};
MUST_USE enum err plant_devices_new(struct plant_devices **out, struct worker *w,
                                    const struct plant_devices_config *cfg);
/* Disconnects; `ended` follows. Also by itself after for_s, or when the worker cancels its tasks.
 */
void plant_devices_stop(struct plant_devices *p);
void plant_devices_free(struct plant_devices *p); /* after `ended`; NULL is fine */
