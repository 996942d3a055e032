#include "doctor/doctor.h"

#include <stdio.h>

const char *doctor_level_name(enum doctor_level l)
{
    static const char *const names[] = {"ok", "note", "warning", "problem"};
    return names[l];
}

void doctor_init(struct doctor *d, struct alloc *a, const struct doctor_site *site)
{
    *d = (struct doctor){.alloc = a, .site = site};
}

void doctor_fini(struct doctor *d)
{
    if (d->alloc)
        vec_fini(d->alloc, &d->findings);
}

void doctor_say(struct doctor *d, enum doctor_level level, const char *part, const char *where,
                const char *mend, const char *fmt, ...)
{
    struct doctor_finding f = {.level = level, .part = part};
    va_list ap;
    (void)snprintf(f.where, sizeof(f.where), "%s", where ? where : "");
    (void)snprintf(f.mend, sizeof(f.mend), "%s", mend ? mend : "");
    va_start(ap, fmt);
    (void)vsnprintf(f.what, sizeof(f.what), fmt, ap);
    va_end(ap);
    /* Without memory for a finding there are worse problems, and the count still says so. */
    if (d->findings.n < DOCTOR_FINDINGS_MAX)
        (void)vec_push(d->alloc, &d->findings, f);
}

size_t doctor_count(const struct doctor *d, enum doctor_level level)
{
    size_t n = 0;
    for (size_t i = 0; i < d->findings.n; i++)
        n += d->findings.v[i].level == level;
    return n;
}
