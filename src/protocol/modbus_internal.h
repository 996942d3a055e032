/* modbus_internal: the plan (what a site wants to know, sorted into reads), and the lines that work
 * on it.
 *
 * A setup is filled by modbus_setup_add() and becomes the plan when modbus_setup_finish() has made
 * its blocks. The plan knows lines by their link; a struct line, which has the connection, outlives
 * plans: modbus_replace_commit() gives it the next one's. The plan before is kept for the devices
 * that leave.
 * A block is always in one place: in `due` of its line, in `parked` of its silent unit, or, while
 * it is asked, in no list.
 * Threads: worker 0; struct opening's run() on the offload pool. */
#pragma once

#include "async/offload.h"
#include "base/arena.h"
#include "base/log.h"
#include "net/conn_pool.h"
#include "protocol/modbus.h"

#include <stdio.h>

enum {
    MODBUS_ASKS_MAX = 16,  /* requests in flight, per line */
    MODBUS_STEPS_MAX = 16, /* writes of one action */
    MODBUS_FAILS_MAX = 3,  /* in a row, then a unit is silent, or a connection is given up */
    MODBUS_PROBLEM_MAX = 160,
    MODBUS_ADDRS_MAX = 4, /* of one name */
};

/* --- the plan --- */

struct line;
struct member { /* a device */
    struct list link;
    struct device *device; /* NULL: it has gone */
    struct unit *unit;
    uint32_t every_ms;
    const struct modbus_point *points;
    size_t point_count;
    const struct modbus_write *writes;
    size_t write_count;
    enum { MEMBER_UNTOLD, MEMBER_ONLINE, MEMBER_OFFLINE } told;
    int suspect[4];  /* for each order that its numbers declare: the one that it may be; -1 */
    bool order_told; /* in the log */
};
/* What a number of several registers speaks for: modbus_order.c. */
struct votes {
    uint64_t last; /* its bytes, when they were looked at last */
    uint8_t looks; /* so many, at least */
    uint8_t
        others[4]; /* for each order: it would make sense in that one, and can't be as declared */
    uint8_t against[4]; /* it makes no sense in that one, or does as declared */
    uint8_t sane;       /* it makes sense as declared */
};
struct point {
    struct member *member;
    uint32_t property;
    struct modbus_place place;
    bool unreadable; /* and was told so */
    bool doubted;    /* and was told so */
    struct votes order;
};
struct block {
    struct list link;
    struct unit *unit;
    size_t first, count; /* of its unit's points */
    uint16_t address, size;
    bool refused; /* one point that the unit does not have, or more at one address */
    int64_t due_ns, hurry_until_ns;
};
struct unit {
    struct list link;
    struct line *line;
    uint8_t id;
    enum modbus_unit_phase phase;
    uint16_t gap_max, block_max; /* registers */
    struct list members, parked;
    struct point *points; /* by interval, table, address */
    size_t point_count, blocks;
    struct ask *asking;
    unsigned fails; /* in a row */
    int64_t backoff_ms, retry_ns;
    int64_t rest_ns; /* not before: an answer may still be on its way */
    char problem[MODBUS_PROBLEM_MAX];
    int64_t problem_ms; /* when that was; 0: never */
    struct modbus_counts counts;
};
struct line_plan {
    struct list link;
    struct modbus_link cfg;
    char text[MODBUS_LINK_TEXT_MAX];
    struct list units;
    struct list blocks; /* until a line takes them */
    struct line *line;  /* that will, or does */
};
struct modbus_setup {
    struct alloc *alloc;
    struct arena arena;
    struct list lines;
    size_t line_count, points;
};
MUST_USE enum err modbus_setup_finish(struct modbus_setup *s, struct error *e);
/* Two blocks of a refused one; NULL: there is no place for a cut. modbus_plan.c */
struct block *modbus_block_cut(struct modbus_setup *s, struct block *b);
unsigned modbus_block_span(const struct unit *u, size_t first,
                           size_t count); /* units of its table */

/* --- lines --- */

/* One of an action's writes. */
struct step {
    struct modbus_place place;
    struct modbus_number value;
    bool multiple;
    bool is_read;    /* the register whose bit this changes is in `data` */
    uint8_t data[8]; /* as they go over the wire */
};
struct job {
    struct list link;
    struct modbus_setup *plan; /* whose unit it is */
    struct member *member;
    struct unit *unit;
    uint32_t action;
    char id[24];
    int64_t at_ns;          /* not before: the unit was busy */
    int64_t watch_until_ns; /* all is written, and what confirms it is read; 0: it is not */
    unsigned busy, lost;    /* times */
    size_t step, step_count;
    struct step steps[];
};
/* A request that is in flight. `block` and `job` NULL: nobody wants its answer any more. */
struct ask {
    bool used;
    uint8_t unit_id;
    struct unit *unit;
    struct block *block;
    struct job *job;
    struct modbus_request q;
    uint8_t data[8];
    uint16_t transaction;
    int64_t sent_ns, give_up_ns;
    int64_t deadline_ns; /* before give_up_ns, if what has come is damaged */
};

/* A name that is resolved, or a device that is opened. Frees itself when it is done and its line
 * has no use for it any more. */
struct opening {
    struct offload_job job;
    struct alloc *alloc;
    struct line *line; /* NULL: abandoned */
    bool over;
    enum modbus_carrier carrier;
    char host[256]; /* or the serial device's path */
    uint16_t port;
    struct serial_config serial;
    enum err result;
    struct error error;
    int fd;
    struct addr addrs[MODBUS_ADDRS_MAX];
    size_t addr_count;
};

enum line_phase { LINE_WAITS, LINE_OPENS, LINE_CONNECTS, LINE_UP, LINE_ENDED };
struct line {
    struct list link;
    struct modbus *m;
    struct line_plan *plan; /* NULL: it is only kept for devices that leave */
    struct modbus_link cfg; /* its strings are the plan's: not for use without one */
    char text[MODBUS_LINK_TEXT_MAX];
    struct task task;
    struct timer timer;
    bool removed; /* it frees itself when its task has ended */

    enum line_phase phase;
    struct opening *opening;
    struct addr addrs[MODBUS_ADDRS_MAX];
    size_t addr_count, addr_at;
    struct conn_request request;
    struct stream *stream;
    bool pooled; /* the stream is of the pool */
    int64_t backoff_ms, retry_ns, up_since_ns;
    unsigned busy;      /* times in a row that another program had the serial device */
    int64_t problem_ms; /* when that was; 0: never */
    uint64_t connects;
    char problem[MODBUS_PROBLEM_MAX];

    struct list due, jobs;
    size_t job_count;
    struct ask asks[MODBUS_ASKS_MAX];
    size_t in_flight;
    uint16_t transaction;
    size_t unread;    /* bytes left in the stream */
    int64_t heard_ns; /* the last byte */
    int64_t ended_ns; /* the last request, with its answer or without */
    unsigned mute;    /* time-outs since the last byte, */
    bool mute_online; /* among them one of a unit that did answer before */
    uint64_t strays;
};
struct modbus {
    struct modbus_config cfg;
    struct modbus_sink sink;
    struct worker *worker;
    struct alloc *alloc;
    struct conn_pool *pool;
    struct offload_queue *names, *devices; /* to be resolved, to be opened */
    struct random random;
    struct device_port port;
    struct list lines;
    struct modbus_setup *plan, *next;
    struct modbus_setup *before; /* of devices that leave */
};

/* modbus.c: a plan, and the lines that work on it. */
typedef void each_member(struct modbus *m, struct member *member);
void modbus_members_each(struct modbus *m, struct modbus_setup *s, each_member *each);
/* All that can fail; the next one begins or ends what was prepared. */
MUST_USE enum err modbus_prepare(struct modbus *m, struct modbus_setup *setup, struct error *e);
void modbus_take_plan(struct modbus *m, struct modbus_setup *s);
void modbus_drop_new_lines(struct modbus_setup *s); /* those that have not begun */

/* modbus_replace.c: whether a device that leaves still has something to be done to it on this line;
 * when there is none, the line is forgotten. */
bool modbus_line_is_left(struct line *l);

/* modbus_line.c: the connection. */
MUST_USE enum err modbus_line_new(struct line **out, struct modbus *m, const struct line_plan *p);
void modbus_line_begin(struct line *l); /* spawns its task */
void modbus_line_end(struct line *l);   /* frees it, soon */
void modbus_line_free(struct line *l);  /* at once: no executor runs */
/* The connection is of no use any more. */
void modbus_line_lost(struct line *l, const char *fmt, ...) PRINTF_LIKE(2, 3);
int64_t modbus_backoff(struct modbus *m, int64_t *backoff_ms);

/* modbus_open.c */
MUST_USE enum err modbus_opening_new(struct opening **out, struct line *l);
void modbus_opening_free(struct opening *o); /* also one that is under way. NULL is fine */

/* modbus_ask.c: who is asked what, and when. */
void modbus_line_take(struct line *l, struct line_plan *p); /* the plan that it works on */
void modbus_line_ask(struct line *l);
void modbus_line_expire(struct line *l);           /* time-outs */
void modbus_line_forget(struct line *l);           /* nothing is in flight any more: it was lost */
int64_t modbus_line_next_ns(const struct line *l); /* when to come again; 0: when something comes */
void modbus_block_put(struct block *b, int64_t due_ns);
void modbus_unit_speaks(struct unit *u);
/* The unit has not answered, or only with noise. */
void modbus_ask_failed(struct line *l, struct ask *a, const char *why);
void modbus_ask_end(struct line *l, struct ask *a);

/* modbus_hear.c: what comes. */
void modbus_line_hear(struct line *l);

/* modbus_answer.c: what it means. */
void modbus_answered(struct line *l, struct ask *a, struct bytes pdu);
void modbus_unit_tell(struct unit *u, bool online, const char *why);
void modbus_block_unreadable(struct block *b, const char *why);
/* `data` is what a read has brought, the point's own beginning at its coil or register `at`. */
void modbus_point_heard(struct unit *u, struct point *p, struct bytes data, unsigned at);

/* modbus_order.c */
void modbus_orders_init(struct member *m);
/* Looks at what a block has brought, before it becomes samples. */
void modbus_orders_hear(struct block *b, struct bytes data);
/* What the sample is worth, and tells people if it is not what it could be. */
enum quality modbus_order_worth(struct unit *u, struct point *p, const uint8_t *at);

/* modbus_write.c */
struct member *modbus_member_in(struct modbus_setup *plan, const struct device *d); /* or NULL */
void modbus_job_request(struct job *j, struct ask *a); /* what its step asks */
void modbus_job_answered(struct line *l, struct job *j, const struct modbus_answer *a);
void modbus_job_lost(struct line *l, struct job *j, const char *why); /* no answer came */
void modbus_job_end(struct line *l, struct job *j, enum err result, const char *why);
/* The unit is silent: those that wait for it would find that out one after the other. */
void modbus_jobs_lost(struct line *l, const struct unit *u, const char *why);
