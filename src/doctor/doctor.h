/* doctor: looks at the machine under a site, at its files and its data, and says what to mend.
 *
 * Why: most of what stops a site is outside of it: a clock that nobody sets, a disk that is full or
 * forgets, a port that is taken, a key that all can read, a certificate that ends on Sunday. Each
 * part gathers facts and judges them; the judging is apart, so that it can be tried without a
 * machine that is broken.
 * It changes nothing, with one exception: how long a sync takes is measured by a small file in the
 * store, which is removed again. A site that runs is not disturbed.
 * Ownership: doctor_fini(). Threads: none; calls block. Errors: what can't be found out is itself a
 * finding. */
#pragma once

#include "base/vec.h"
#include "net/addr.h"

#include <sys/stat.h>
#include <sys/types.h>

enum doctor_level {
    DOCTOR_OK,      /* looked at, all is well */
    DOCTOR_NOTE,    /* good to know, nothing to do */
    DOCTOR_WARNING, /* works, but will not always */
    DOCTOR_PROBLEM, /* does not work, or endangers data or secrets */
};
const char *doctor_level_name(enum doctor_level l);

enum { DOCTOR_TEXT = 320, DOCTOR_FINDINGS_MAX = 200 };
struct doctor_finding {
    enum doctor_level level;
    const char *part;        /* "clock" */
    char where[DOCTOR_TEXT]; /* file, address; "": the machine */
    char what[DOCTOR_TEXT];
    char mend[DOCTOR_TEXT]; /* what to do; "" where nothing is */
};

struct doctor_listen {
    const char *word; /* "mqtt" */
    struct addr addr;
    bool tls;
    /* paths; "": none. `ca`: of the authority for clients' certificates */
    char cert[DOCTOR_TEXT], key[DOCTOR_TEXT], ca[DOCTOR_TEXT], passwords[DOCTOR_TEXT];
};

/* What is looked at. */
struct doctor_site {
    const char *folder, *store;
    const struct doctor_listen *listens;
    size_t listens_n;
    const char *const *devices; /* paths of serial lines */
    size_t devices_n;
    size_t connections_max;
    pid_t runs; /* the site's process; 0: none, -1: not shown to us */
};

struct doctor {
    struct alloc *alloc;
    const struct doctor_site *site;
    VEC(struct doctor_finding) findings;
};
void doctor_init(struct doctor *d, struct alloc *a, const struct doctor_site *site);
void doctor_fini(struct doctor *d);
void doctor_say(struct doctor *d, enum doctor_level level, const char *part, const char *where,
                const char *mend, const char *fmt, ...) PRINTF_LIKE(6, 7);
size_t doctor_count(const struct doctor *d, enum doctor_level level);

/* The parts, in the order in which people read them. */
void doctor_clock(struct doctor *d);
void doctor_disk(struct doctor *d);
void doctor_limits(struct doctor *d);
void doctor_ports(struct doctor *d);
void doctor_files(struct doctor *d); /* permissions */
void doctor_certificates(struct doctor *d);
/* Of that only how long they hold, with one finding for each file: cheap enough to look again and
 * again. */
void doctor_certificate_ends(struct doctor *d);
void doctor_devices(struct doctor *d); /* serial lines */
void doctor_store(struct doctor *d);   /* journal and database */

/* --- judging alone --- */

struct clock_facts {
    int64_t now_s, built_s; /* seconds since 1970; when this program was built */
    int64_t newest_s;       /* of the store's files; 0: there are none */
    bool known, synced;     /* by adjtimex(2) */
    int64_t error_ms;       /* at most, as the kernel thinks */
};
void doctor_judge_clock(struct doctor *d, const struct clock_facts *f);

struct disk_facts {
    char path[DOCTOR_TEXT]; /* the folder, or the nearest one above it that is there */
    uint64_t size, free, files, files_free;
    unsigned long kind; /* statfs.f_type */
    bool read_only, tried;
    int write_errno;           /* of the test file; 0: it was written */
    int64_t median_ns, max_ns; /* of a sync */
};
void doctor_judge_disk(struct doctor *d, const struct disk_facts *f);

struct limit_facts {
    uint64_t files_hard, memory_max, memory_free; /* UINT64_MAX: not limited, or not known */
    size_t connections_max;
    int uring_errno; /* 0: it works */
};
void doctor_judge_limits(struct doctor *d, const struct limit_facts *f);

enum port_state { PORT_FREE, PORT_OURS, PORT_TAKEN, PORT_CLOSED };
struct port_facts {
    const struct doctor_listen *listen;
    enum port_state state; /* CLOSED: the site runs and does not listen there */
    int bind_errno;        /* of FREE: why it could not be taken; 0: it could */
    bool needs_right;      /* it was taken as root, but the site is run by who may need a right */
    pid_t by;              /* of TAKEN; 0: not shown to us */
    char name[64];         /* of that process */
};
void doctor_judge_port(struct doctor *d, const struct port_facts *f);

struct device_facts {
    const char *path;
    int stat_errno; /* 0: it is there */
    struct stat st;
    uid_t uid;   /* who runs the site */
    bool member; /* of the device's group */
};
void doctor_judge_device(struct doctor *d, const struct device_facts *f);

enum file_kind { FILE_SITE, FILE_STORE, FILE_KEY, FILE_PASSWORDS };
/* `uid`: whose the store is: by who the site is run; `member`: of the file's group. */
void doctor_judge_mode(struct doctor *d, enum file_kind kind, const char *path,
                       const struct stat *st, uid_t uid, bool member);

/* --- shared by the parts --- */

/* Whether the user is in the group, as the database of users says. */
bool doctor_is_member(uid_t uid, gid_t gid);
