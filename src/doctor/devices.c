#include "doctor/doctor.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

void doctor_judge_device(struct doctor *d, const struct device_facts *f)
{
    mode_t mode = f->uid == f->st.st_uid ? f->st.st_mode >> 6
                  : f->member            ? f->st.st_mode >> 3
                                         : f->st.st_mode;
    if (f->stat_errno == ENOENT)
        doctor_say(d, DOCTOR_PROBLEM, "devices", f->path,
                   "plug it in; `ls -l /dev/serial/by-id` has names that stay the same",
                   "there is no such device");
    else if (f->stat_errno)
        doctor_say(d, DOCTOR_PROBLEM, "devices", f->path, "as root more is seen",
                   "it can't be looked at: %s", strerror(f->stat_errno));
    else if (!S_ISCHR(f->st.st_mode))
        doctor_say(d, DOCTOR_PROBLEM, "devices", f->path,
                   "name a serial device, such as /dev/ttyUSB0", "it is no device");
    else if (f->uid != 0 && (mode & 6) != 6)
        doctor_say(d, DOCTOR_PROBLEM, "devices", f->path,
                   "`ls -l` shows its group, mostly dialout: usermod -aG dialout USER, or "
                   "SupplementaryGroups= in the unit",
                   "user %u, whose the store is, may not use it (mode %o)", (unsigned)f->uid,
                   (unsigned)(f->st.st_mode & 0777));
    else
        doctor_say(d, DOCTOR_OK, "devices", f->path, "", "it is there, and may be used");
}

void doctor_devices(struct doctor *d)
{
    struct stat owner = {.st_uid = geteuid()};
    (void)stat(d->site->store, &owner);
    for (size_t i = 0; i < d->site->devices_n; i++) {
        struct device_facts f = {.path = d->site->devices[i], .uid = owner.st_uid};
        f.stat_errno = stat(f.path, &f.st) == 0 ? 0 : errno;
        f.member = !f.stat_errno && doctor_is_member(f.uid, f.st.st_gid);
        doctor_judge_device(d, &f);
    }
}
