#include "doctor/doctor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool may(const struct stat *st, uid_t uid, bool member, mode_t bit)
{
    if (uid == 0)
        return true;
    mode_t mode = st->st_uid == uid ? st->st_mode >> 6 : member ? st->st_mode >> 3 : st->st_mode;
    return mode & bit;
}

void doctor_judge_mode(struct doctor *d, enum file_kind kind, const char *path,
                       const struct stat *st, uid_t uid, bool member)
{
    static const struct {
        const char *what, *mend;
        mode_t never;
        enum doctor_level level;
    } of[] = {
        [FILE_SITE] = {"all may change the site", "chmod o-w", S_IWOTH, DOCTOR_PROBLEM},
        [FILE_STORE] = {"others may look into the data, messages and all", "chmod o-rwx", S_IRWXO,
                        DOCTOR_WARNING},
        [FILE_KEY] = {"others may read the private key", "chmod o-rwx", S_IRWXO, DOCTOR_PROBLEM},
        [FILE_PASSWORDS] = {"others may read the hashes of the passwords", "chmod o-rwx", S_IRWXO,
                            DOCTOR_PROBLEM},
    };
    char mend[DOCTOR_TEXT];
    size_t before = d->findings.n;
    mode_t needed = S_ISDIR(st->st_mode) ? (kind == FILE_STORE ? 7 : 5) : 4;
    (void)snprintf(mend, sizeof(mend), "%s %.200s", of[kind].mend, path);
    if (st->st_mode & of[kind].never)
        doctor_say(d, of[kind].level, "permissions", path, mend, "%s (mode %o)", of[kind].what,
                   (unsigned)(st->st_mode & 07777));
    if (!may(st, uid, member, needed & 4) || ((needed & 2) && !may(st, uid, member, 2))) {
        (void)snprintf(mend, sizeof(mend), "chown or chmod it; the store belongs to user %u",
                       (unsigned)uid);
        doctor_say(d, DOCTOR_PROBLEM, "permissions", path, mend,
                   "whose the store is may not %s it (mode %o, of user %u)",
                   needed & 2 ? "write" : "read", (unsigned)(st->st_mode & 07777),
                   (unsigned)st->st_uid);
    }
    if (d->findings.n == before)
        doctor_say(d, DOCTOR_OK, "permissions", path, "", "mode %o",
                   (unsigned)(st->st_mode & 07777));
}

static void look_at(struct doctor *d, enum file_kind kind, const char *path,
                    const struct stat *owner)
{
    struct stat st;
    if (!path[0])
        return;
    for (size_t i = 0; i < d->findings.n; i++) /* two listeners may have one file */
        if (strcmp(d->findings.v[i].part, "permissions") == 0 &&
            strcmp(d->findings.v[i].where, path) == 0)
            return;
    if (stat(path, &st) == 0)
        doctor_judge_mode(d, kind, path, &st, owner->st_uid,
                          st.st_gid == owner->st_gid || doctor_is_member(owner->st_uid, st.st_gid));
    else if (kind != FILE_STORE)
        doctor_say(d, DOCTOR_PROBLEM, "permissions", path,
                   errno == ENOENT ? "make it, or name another one in the site"
                                   : "as the site's user, or root, more is seen",
                   "it can't be looked at: %s", strerror(errno));
}

void doctor_files(struct doctor *d)
{
    const struct doctor_site *s = d->site;
    struct stat owner = {.st_uid = geteuid(), .st_gid = getegid()};
    if (stat(s->store, &owner) != 0)
        (void)stat(s->folder, &owner);
    look_at(d, FILE_SITE, s->folder, &owner);
    look_at(d, FILE_STORE, s->store, &owner);
    for (size_t i = 0; i < s->listens_n; i++) {
        look_at(d, FILE_KEY, s->listens[i].key, &owner);
        look_at(d, FILE_PASSWORDS, s->listens[i].passwords, &owner);
    }
}
