/* plant_modbus: the machines of a simulated plant that a site reaches by Modbus.
 *
 * Why: to sedge they must be somebody else's devices. Each line of the site gets a process of its
 * own, tools/modbus-server.c by libmodbus, which stands beside the program; here the plant's state
 * is written into its registers as the site's mapping has them, and what a client writes there
 * becomes a command to the machine (docs/decisions/0022). The physics stay in plant/.
 * Only lines of this machine can be simulated: "tcp://127.0.0.1:1502" or localhost.
 * Ownership: plant and declarations are the caller's. The processes end with this, or with us.
 * Threads: its worker's; plant_modbus_new() waits until the servers listen, up to 5 s.
 * Errors: ERR_IO: it does not run, a port is taken. A
 * server that ends later is told with `lost`. */
#pragma once

#include "async/timer.h"
#include "plant/plant.h"
#include "site/modbus.h"

struct plant_modbus;
struct plant_modbus_device {
    int machine; /* in the plant */
    const struct lang_decl *decl;
};
struct plant_modbus_config {
    struct alloc *alloc;
    struct plant *plant;
    const struct plant_modbus_device *devices;
    size_t devices_n;
    void *ctx;
    void (*lost)(void *ctx, const char *line);
};
/* Whether it can be played: its line is one of this machine, and there is a modbus-server. Else
 * *why says what is missing. */
bool plant_modbus_can(const struct lang_decl *device, struct error *why);
MUST_USE enum err plant_modbus_new(struct plant_modbus **out, struct worker *w,
                                   const struct plant_modbus_config *cfg, struct error *e);
void plant_modbus_free(struct plant_modbus *p); /* NULL is fine */
