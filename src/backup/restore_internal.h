/* restore_internal: the two folders of a restore; private to backup/.
 *
 * restore.c        the steps
 * restore_place.c  one folder: what is in it, what is unpacked for it, and how they change places
 * Whoever may write to a folder may move and link names about in it at any moment. So a place is
 * looked at by its descriptor, names in it are never followed, and `fresh`, where files are made
 * and given away, is a folder that only we may enter until each of its entries moves out of it. */
#pragma once

#include "backup/backup.h"

#include <limits.h>

struct place {
    const char *folder, *part;
    int dir, fresh, aside; /* open folders; -1: not yet */
    uid_t uid;
    gid_t gid;
};

struct restoring {
    const struct restore_config *cfg;
    struct restore_report *out;
    struct place site, store;
    bool is_store; /* what the store's folder holds */
    int lock;
};

/* `folder` becomes its real path: what lies below what is compared by that. */
MUST_USE enum err place_open(struct place *p, char folder[PATH_MAX], const char *part,
                             struct error *e);
void place_close(struct place *p); /* what is unpacked goes, unless it has moved in */

bool place_has(const struct place *p, const char *name);
/* Calls each() for what is there, but for hidden names, what was put aside, the lock, the mark and
 * the ballast, and the folder of the data in that of the site. */
MUST_USE enum err place_each(struct restoring *r, struct place *p,
                             enum err (*each)(struct restoring *r, struct place *p,
                                              const char *name, struct error *e),
                             struct error *e);

/* What a restore that was interrupted has left. */
void place_clear(struct place *p);
/* Makes `fresh`. */
MUST_USE enum err place_prepare(struct place *p, struct error *e);
MUST_USE enum err place_unpack(struct restoring *r, struct place *p, struct error *e);
/* What is there aside, what is unpacked in. */
MUST_USE enum err place_exchange(struct restoring *r, struct place *p, struct error *e);
