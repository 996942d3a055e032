/* modbus: devices that are asked. Lines to units, a plan of what to read when, samples out of the
 * answers, commands as writes.
 *
 * What a site declares is gathered device by device in a `struct modbus_setup`; modbus_new() makes
 * lines of it: all devices with the same link share one connection (one RS-485 line, one gateway),
 * those with the same unit also their reads.
 *
 * The plan. Points of one table, unit and interval are read together as long as no gap between two
 * is larger than `gap_max` and the block stays below what the unit and the standard allow (125
 * registers, 2,000 bits). Of a line's blocks the one that is due longest goes first; a write goes
 * before every read, and behind it the block of the property that confirms the action. A line that
 * can't keep up asks each in turn, later than it should, and counts that.
 * A block that is refused (exception 2 or 3) is cut at its largest gap, or in half, until what is
 * refused is one point; that one is then unreadable, with its address in the reason, and asked once
 * a minute. Exception 6 (busy) is asked again shortly; 10 and 11 (a gateway without its unit) are
 * as if nobody had answered.
 * A unit that does not answer is asked again at once, as long as it is not the third time in
 * a row; then its devices are offline, and one of its blocks is tried after 1 s, 2 s, … 60 s (with
 * jitter), when nobody else of its line is due. So what it costs the others is one time-out now and
 * then. Several requests at a time go out only on TCP, to different units, if `in_flight` says so.
 * A line that is lost is made again after 1 s … 60 s. Names are resolved, and serial devices
 * opened, on the offload pool.
 *
 * Each point that was read is a sample, registry_sample(). Numbers of several registers are looked
 * at as if they had come in another order of bytes, too, when they are read for the first times: if
 * they can hardly be right as declared and would all make sense otherwise, they are uncertain,
 * those that are absurd bad, and people are told which order it may be. A property that is asked
 * less often than every 20 s turns stale after three intervals. Numbers that are none (NaN), or do
 * not fit, make the property unreadable until they do. Ownership: the setup copies what it is told,
 * and is the engine's once modbus_new() or modbus_replace_ready() has succeeded. Devices and
 * properties are the registry's and outlive it. Threads: worker 0, as the registry. Bounds: lines,
 * units, points (below); writes that wait per line. A full queue is ERR_FULL to the registry, which
 * tries again. Errors: what a person must mend goes into struct error, without the place: the
 * caller has it. Source: see codec/modbus.h. */
#pragma once

#include "codec/modbus.h"
#include "net/serial.h"
#include "registry/registry.h"

enum {
    MODBUS_PORT = 502,
    MODBUS_LINES_MAX = 256,
    MODBUS_POINTS_MAX = 65536,
    MODBUS_WRITES_MAX = 64, /* that wait, per line */
    MODBUS_LINK_TEXT_MAX = 300,
};

/* --- where a unit is --- */

enum modbus_carrier {
    MODBUS_TCP,
    MODBUS_RTU,          /* a serial device */
    MODBUS_RTU_OVER_TCP, /* a device server that passes bytes on: RTU's frames in a connection */
};
struct modbus_link {
    enum modbus_carrier carrier;
    struct str host; /* TCP: a name or number */
    uint16_t port;
    struct serial_config serial; /* RTU */
    /* 0: not said. Devices that say it of one line must agree. */
    uint32_t timeout_ms; /* for one answer; else 1,000 */
    uint32_t pause_ms;   /* between an answer and the next request, for units that need it; else 0,
                            and on a serial line the silence of 3.5 characters */
    uint32_t in_flight;  /* 1 … 16 requests at a time, MODBUS_TCP only; else 1 */
};
/* "tcp://host[:port]", "rtu:/dev/ttyUSB0", "rtu+tcp://host[:port]"; strings are borrowed from the
 * text. What else a link has is as before or, in a zeroed one, the default. */
MUST_USE enum err modbus_link_parse(struct modbus_link *out, struct str text, struct error *e);
/* The same for every way to write one link, without the options: "tcp://meter.local:502",
 * "rtu:/dev/ttyUSB0 19200 8E1". */
void modbus_link_format(const struct modbus_link *l, char out[MODBUS_LINK_TEXT_MAX]);
/* Only where it is, "rtu:/dev/ttyUSB0": the same wire, whatever is spoken on it. */
void modbus_link_place(const struct modbus_link *l, char out[MODBUS_LINK_TEXT_MAX]);

/* --- what a device has there --- */

struct modbus_place {
    enum modbus_table table;
    uint16_t address; /* of the protocol, from 0 */
    struct modbus_form form;
};
/* Is it inside the table, and does the type go with it? A coil or discrete input is a MODBUS_BIT.
 * `write`: also, can it be written? (ERR_RANGE, ERR_INVALID) */
MUST_USE enum err modbus_place_check(const struct modbus_place *p, bool write, struct error *e);

struct modbus_point {
    uint32_t property; /* of the device's model */
    struct modbus_place place;
};
/* One write of an action. An action may have several; they go out in this order, and it has been
 * done when all have. */
struct modbus_write {
    uint32_t action; /* of the device's model */
    struct modbus_place place;
    int32_t arg;                   /* the parameter whose value is written; -1: */
    struct modbus_number constant; /* this, in the unit of the value (scale and offset apply) */
    bool multiple;                 /* functions 15 and 16 also for one coil or register */
};
struct modbus_device {
    struct device *device;
    struct modbus_link link;
    uint8_t unit; /* serial: 1 … 247; TCP: 0 … 255 (a device by itself mostly minds none) */
    uint32_t every_ms;  /* 10 ms … 1 day; 0: 1,000 */
    uint16_t gap_max;   /* registers that nobody wants, read all the same; 0: 16; UINT16_MAX: none.
                           Of bits sixteen times as many */
    uint16_t block_max; /* registers in one read, for units that can't do 125; 0: 125. Of bits
                           sixteen times as many */
    const struct modbus_point *points;
    size_t point_count;
    const struct modbus_write *writes;
    size_t write_count;
};

struct modbus_setup;
MUST_USE enum err modbus_setup_new(struct modbus_setup **out, struct alloc *a);
void modbus_setup_free(struct modbus_setup *s); /* NULL is fine */
/* Copies. ERR_INVALID: it contradicts itself, its model or a device before it. ERR_FULL: a bound.
 * ERR_NOMEM. */
MUST_USE enum err modbus_setup_add(struct modbus_setup *s, const struct modbus_device *d,
                                   struct error *e);

/* --- the engine --- */

struct modbus;
/* Where it tells what it finds. */
struct modbus_sink {
    enum err (*sample)(void *ctx, struct device_property *p, const struct value *v, enum quality q);
    void (*doubt)(void *ctx, struct device_property *p, const char *why); /* "": no more */
    void (*unreadable)(void *ctx, struct device_property *p, const char *why);
    void (*link_state)(void *ctx, struct device *d, bool online, const char *why);
    void (*done)(void *ctx, struct device *d, const char *id, enum err result, const char *why);
    void *ctx;
};
struct modbus_config {
    struct executor *ex;
    struct alloc *alloc;
    uint32_t backoff_min_ms, backoff_max_ms; /* of lines and units; default 1,000 and 60,000 */
    const struct modbus_sink *sink;          /* NULL: the registry, whose devices' ports are set */
};
/* Sets the ports of the setup's devices, and begins to connect when the executor runs. */
MUST_USE enum err modbus_new(struct modbus **out, const struct modbus_config *cfg,
                             struct modbus_setup *setup, struct error *e);
/* After executor_run() has returned, or before it was called. NULL is fine. */
void modbus_free(struct modbus *m);
/* What the port does: see struct device_port. ERR_FULL: too many writes wait. ERR_CLOSED: the line
 * is down. ERR_INVALID, ERR_RANGE: the value does not fit its register. */
MUST_USE enum err modbus_command(struct modbus *m, const struct port_command *c, struct error *e);

/* Another site in the place of the one that runs: ready, before registry_replace_commit(), has done
 * all that can fail, and set the ports of the next site's devices; then commit, between that and
 * registry_replace_settle(), or cancel. Lines with the same link stay connected and keep what they
 * know of their units; what was asked and not answered is asked again. Writes that are on their way
 * go on if the next site has the same ones for the same device; else they end with ERR_CANCELED. A
 * serial line that gets another rate is opened again when the one before has let it go.
 * Devices that leave can be written to until their last action is over, or the next replacement:
 * their safe actions are still to come. What confirms those is read for their sake alone. */
MUST_USE enum err modbus_replace_ready(struct modbus *m, struct modbus_setup *setup,
                                       struct error *e);
void modbus_replace_commit(struct modbus *m);
void modbus_replace_cancel(struct modbus *m); /* frees the setup */

/* --- for the page and for metrics --- */

struct modbus_counts {
    uint64_t requests, answers; /* answers: exceptions too */
    uint64_t timeouts, exceptions, busy;
    uint64_t broken; /* frames with a wrong CRC, or that answer something else */
    uint64_t strays; /* answers that came too late, or to nobody */
    uint64_t samples;
    uint64_t late;           /* reads that began more than one interval after they were due */
    uint64_t latency_sum_us; /* over `answers` */
};
enum modbus_line_phase { MODBUS_LINE_WAITS, MODBUS_LINE_CONNECTS, MODBUS_LINE_UP };
struct modbus_line_state {
    const char *link;  /* modbus_link_format() */
    const char *place; /* modbus_link_place() */
    enum modbus_line_phase phase;
    int64_t retry_in_ms; /* while it waits */
    int64_t since_ms;    /* wall clock, while it is up; else 0 */
    const char *problem; /* why it is not up; "" */
    int64_t problem_ms;  /* when it was lost last; 0: never */
    uint64_t connects;   /* that succeeded */
    size_t units, blocks, points;
    size_t writes_waiting;
    struct modbus_counts counts; /* of all its units */
};
enum modbus_unit_phase { MODBUS_UNIT_NEW, MODBUS_UNIT_ONLINE, MODBUS_UNIT_SILENT };
struct modbus_unit_state {
    uint8_t unit;
    enum modbus_unit_phase phase;   /* of itself; while its line is down, as it was */
    int64_t retry_in_ms;            /* while it is silent */
    const char *problem;            /* why it is not online, or the last exception; "" */
    int64_t problem_ms;             /* when it did not answer last; 0: never */
    size_t blocks, points, refused; /* refused: points that it does not have */
    struct modbus_counts counts;
};
/* Each line, and behind it its units. All borrowed for the call. */
struct modbus_visitor {
    void (*line)(void *ctx, const struct modbus_line_state *l);
    void (*unit)(void *ctx, const struct modbus_line_state *l, const struct modbus_unit_state *u);
    void *ctx;
};
void modbus_visit(const struct modbus *m, const struct modbus_visitor *v);
