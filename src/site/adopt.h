/* adopt: discovered topics become declarations in the files of the site that runs.
 *
 * What was heard is copied on worker 0; the files are read, the proposal is made, put in and
 * checked together with the rest of the site on the offload pool, written there if that is wanted,
 * and then the site is taken anew (reload.h). A reload that refuses what has passed the check
 * (another store's folder, say, that somebody has put there) leaves no trace: the files are put
 * back as they were, and if that fails the answer says so. One at a time; eight more wait for their
 * turn, and look at what is heard when it has come. Ownership: the
 * configuration outlives it. Free it when the executor has stopped, before the reload and the
 * dashboard. Threads: worker 0. */
#pragma once

#include "dashboard/dashboard.h"
#include "site/reload.h"

struct site_adopt;
struct site_adopt_config {
    struct executor *ex;
    struct alloc *alloc;
    struct registry *registry;
    struct bus *bus;
    struct site_reload *reload;
    struct lang_site *const *site; /* that runs; another one behind a reload */
    const char *path;              /* of the site: a folder or a file; not copied */
};
MUST_USE enum err site_adopt_new(struct site_adopt **out, const struct site_adopt_config *cfg,
                                 struct error *e);
void site_adopt_free(struct site_adopt *a); /* NULL is fine */
/* struct dashboard_adopt's, with the struct site_adopt as ctx. ERR_FULL: enough wait. */
MUST_USE enum err site_adopt_start(void *site_adopt, const struct dashboard_adopt_request *q,
                                   void (*done)(void *arg, const struct dashboard_adopt_answer *a),
                                   void *arg);
