#include "net/look_up.h"
#include "protocol/modbus_internal.h"

#include <unistd.h>

/* What may block: to resolve a name, to open a device. */

void modbus_opening_free(struct opening *o)
{
    if (!o)
        return;
    o->line = NULL;
    if (!o->over)
        return; /* finished() does it */
    if (o->fd >= 0)
        (void)close(o->fd);
    mem_free(o->alloc, o, sizeof(*o));
}

static enum err look_up(struct opening *o)
{
    return addr_look_up(o->addrs, MODBUS_ADDRS_MAX, &o->addr_count, str_from(o->host), o->port,
                        &o->error);
}

/* The pool's thread: nothing but the opening itself may be touched. */
static void run(struct offload_job *j)
{
    struct opening *o = CONTAINER_OF(j, struct opening, job);
    o->result = o->carrier == MODBUS_RTU ? serial_open(&o->serial, &o->fd, &o->error) : look_up(o);
}

static void finished(struct offload_job *j)
{
    struct opening *o = CONTAINER_OF(j, struct opening, job);
    o->over = true;
    if (o->line)
        task_wake(&o->line->task);
    else
        modbus_opening_free(o);
}

enum err modbus_opening_new(struct opening **out, struct line *l)
{
    struct opening *o = mem_zero(l->m->alloc, sizeof(*o));
    *out = o;
    if (!o)
        return ERR_NOMEM;
    bool serial = l->cfg.carrier == MODBUS_RTU;
    struct str name = serial ? l->cfg.serial.path : l->cfg.host;
    o->job = (struct offload_job){.run = run, .done = finished};
    o->alloc = l->m->alloc;
    o->line = l;
    o->fd = -1;
    o->carrier = l->cfg.carrier;
    o->port = l->cfg.port ? l->cfg.port : MODBUS_PORT;
    (void)snprintf(o->host, sizeof(o->host), "%.*s", STR_FMT(name));
    o->serial = l->cfg.serial;
    o->serial.path = str_from(o->host);
    enum err r = offload_submit(serial ? l->m->devices : l->m->names, l->m->worker, &o->job);
    if (r) {
        *out = NULL;
        mem_free(o->alloc, o, sizeof(*o));
    }
    return r;
}
