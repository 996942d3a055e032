/* adopt_internal: one adoption, from the request to the answer.
 *
 * adopt.c has them on worker 0, one behind the other; adopt_files.c does on the offload pool what
 * reads, checks and writes the site's files; adopt_answer.c says what came of it. */
#pragma once

#include "adopt/edit.h"
#include "adopt/propose.h"
#include "site/adopt.h"

#include <openssl/evp.h>

enum { ADOPT_ANSWER_MAX = 8 << 20 };

/* All of one request; zeroed for each. */
struct adoption {
    struct list link;   /* of those that wait */
    struct arena arena; /* texts of the request and of the edit */
    struct str topics[64];
    struct adopt_request request;
    struct str claimed, claimer; /* a topic that a device has already; "": none */
    struct str text;             /* p NULL: what is proposed */
    struct str shown;            /* p NULL: whatever it is */
    bool apply;
    void (*done)(void *arg, const struct dashboard_adopt_answer *a);
    void *arg;
    struct adopt_view view;
    struct adoption_source { /* of the site that runs, as it was taken */
        struct str name;
        uint64_t sum;
    } * taken;
    size_t taken_n;
    struct str pending[8]; /* files that somebody has changed since, for people */
    size_t pending_n;
    struct lang_site *site, *changed; /* as on disk; as it would be */
    struct adopt_proposal proposal;
    struct edit edit;
    bool written;
    enum adopt_outcome outcome;
    struct error why;
    struct strbuf diags, messages, files; /* of the answer */
    char digest[2 * EVP_MAX_MD_SIZE + 1]; /* of `files`: what a person is shown */
};

/* On the pool. What has come of it is in the adoption. */
void adoption_run(const struct site_adopt_config *cfg, struct adoption *w);
void adoption_revert(const struct site_adopt_config *cfg, struct adoption *w);
/* The files are changed and the running site has not taken them. */
void adoption_stays_changed(struct adoption *w, enum err err, const char *why);
/* Calls its `done`. `reload`: the report of it; "null". */
void adoption_answer(const struct site_adopt_config *cfg, struct adoption *w, struct str reload);
