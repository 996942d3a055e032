#include "doctor/doctor.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/timex.h>
#include <time.h>

enum { AHEAD_MAX_S = 120, ERROR_MAX_MS = 1000 };

static const char set_it[] =
    "install chrony or systemd-timesyncd, or set up the one that is there; "
    "`timedatectl` shows the state";

static void date_of(int64_t s, char out[32])
{
    struct tm tm;
    time_t t = (time_t)s;
    (void)strftime(out, 32, "%Y-%m-%d %H:%M:%S UTC", gmtime_r(&t, &tm));
}

void doctor_judge_clock(struct doctor *d, const struct clock_facts *f)
{
    char now[32], then[32];
    date_of(f->now_s, now);
    if (f->now_s < f->built_s) {
        date_of(f->built_s, then);
        doctor_say(d, DOCTOR_PROBLEM, "clock", "", set_it,
                   "it says %s, but this program was built at %s", now, then);
    } else if (f->newest_s > f->now_s + AHEAD_MAX_S) {
        date_of(f->newest_s, then);
        doctor_say(d, DOCTOR_PROBLEM, "clock", d->site->store, set_it,
                   "it says %s, but the data was written at %s: it has gone back", now, then);
    } else if (f->known && !f->synced) {
        doctor_say(d, DOCTOR_WARNING, "clock", "", set_it,
                   "nothing keeps it right (it says %s): history and `at` rules drift", now);
    } else if (f->known && f->error_ms > ERROR_MAX_MS) {
        doctor_say(d, DOCTOR_WARNING, "clock", "", set_it, "it may be wrong by %lld ms",
                   (long long)f->error_ms);
    } else {
        doctor_say(d, DOCTOR_OK, "clock", "", "", "%s%s", now, f->known ? ", synchronised" : "");
    }
}

/* __DATE__ is "Nov 28 2026"; a day of grace for zones. */
static int64_t built_s(void)
{
    struct tm tm = {0};
    if (!strptime(__DATE__, "%b %d %Y", &tm))
        return 0;
    return (int64_t)timegm(&tm) - 86400;
}

static int64_t newest_of(const char *folder)
{
    char path[4096];
    int64_t newest = 0;
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    while (dir && (entry = readdir(dir))) {
        struct stat st;
        int n = snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        if (n > 0 && (size_t)n < sizeof(path) && stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
            st.st_mtime > newest)
            newest = st.st_mtime;
    }
    if (dir)
        (void)closedir(dir);
    return newest;
}

void doctor_clock(struct doctor *d)
{
    struct timex t = {0};
    int state = adjtimex(&t);
    const struct clock_facts f = {.now_s = time(NULL),
                                  .built_s = built_s(),
                                  .newest_s = newest_of(d->site->store),
                                  .known = state >= 0,
                                  .synced = state != TIME_ERROR && !(t.status & STA_UNSYNC),
                                  .error_ms = t.maxerror / 1000};
    doctor_judge_clock(d, &f);
}
