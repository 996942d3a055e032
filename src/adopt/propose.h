/* propose: from what unclaimed topics say to the declarations of a model and a device.
 *
 * The habits of Tasmota, Zigbee2MQTT, Shelly and ESPHome are known; other documents and values
 * become a device by the convention of `via mqtt` where it suffices, else by mapping clauses. What
 * is a guess says so in a comment. A model that is there is used if it fits. If the topics are of a
 * device that is declared, what is new goes into its body and its model.
 * One call makes one device, of however many topics. Of a maker's device, and of a document, all
 * that belongs to it is found by itself. Of bare values all of one place are taken if one is asked
 * for, and of several those that are.
 * Ownership: the proposal's texts are its own. Threads: any; reads the view and the site.
 * Errors: ERR_NOT_FOUND: a topic was not seen (e->where). ERR_INVALID: no device can be made of it.
 * ERR_EXISTS: the name is another declaration's. ERR_NOMEM. */
#pragma once

#include "adopt/edit.h"
#include "adopt/view.h"
#include "lang/lang.h"

struct adopt_request {
    const struct str *topics;
    size_t topic_n;
    struct str device, model; /* names that are wanted; "": they are proposed */
};
struct adopt_left {
    struct str topic, path, why;
};
struct adopt_proposal {
    struct arena arena;
    struct str device, model;
    const struct lang_decl *device_there, *model_there; /* in the site; NULL: new */
    /* Whole declarations; of what is there lines for its body. "": nothing. */
    struct str model_text, device_text;
    const struct str *topics; /* that become the device's */
    size_t topic_n;
    const struct adopt_left *left;
    size_t left_n;
    const struct str *warnings;
    size_t warning_n;
};
MUST_USE enum err adopt_propose(struct adopt_proposal *out, const struct adopt_view *v,
                                const struct lang_site *site, const struct adopt_request *q,
                                struct error *e);
/* Its declarations and lines into the files, each where it belongs. */
void adopt_proposal_put(const struct adopt_proposal *p, struct edit *ed);
void adopt_proposal_fini(struct adopt_proposal *p); /* safe on a zeroed one */
