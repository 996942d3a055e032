/* init_site: writes a new site for `sedge init`.
 *
 * Why: the first site a person sees is the one that he copies from. So its files are real ones, in
 * sites/init: a folder for each kind of site, and one for each network with its site.sedge, in
 * which the name is put in place of "NAME". The tests check and play them all. For the network
 * there are a password file with one user and a certificate of an authority of the site's own
 * (init_cert.h). Ownership: everything is the caller's. Threads: none. Errors: a folder that isn't
 * empty is ERR_EXISTS; when something can't be written, what was written is removed again. */
#pragma once

#include "base/str.h"

/* One file of a folder of sites/init, ended by a row of NULL; made by cmake/Templates.cmake. */
struct site_template {
    const char *folder, *file; /* "home", "models.sedge" */
    struct str text;
};
extern const struct site_template site_templates[];

struct init_kind {
    const char *name, *line;
    const char *topic, *message; /* something that one of its devices may say; NULL: none */
    bool simulated;              /* `sedge sim` plays its machines */
};
extern const struct init_kind init_kinds[]; /* ended by a row of NULL */

enum init_network { INIT_LOCAL, INIT_TLS, INIT_PLAIN };
struct init_network_name {
    const char *name, *line;
};
extern const struct init_network_name init_networks[]; /* by enum init_network */

enum { INIT_NAME_MAX = 64, INIT_PASSWORD_MAX = 32, INIT_FILES_MAX = 16, INIT_PATH_MAX = 1024 };
#define INIT_USER "device"

struct init_plan {
    const char *folder;
    char name[INIT_NAME_MAX + 1]; /* of the site */
    const struct init_kind *kind;
    enum init_network network;
};
struct init_made {
    char password[INIT_PASSWORD_MAX]; /* of INIT_USER; "" if there is none */
    char host[INIT_NAME_MAX];         /* this machine, as others may call it */
    struct {
        char name[48], line[80]; /* relative to the folder, and what it holds */
    } files[INIT_FILES_MAX];
    size_t files_n;
    bool folder_is_new;
};

/* The folder isn't there, or is empty (but for .git). Says what is wrong. */
MUST_USE enum err init_folder_free(const char *folder, struct error *e);
/* The name that a site gets if nobody says another: the folder's. */
void init_default_name(const char *folder, char out[INIT_NAME_MAX + 1]);
/* 1 to INIT_NAME_MAX bytes of UTF-8 without control characters. */
bool init_name_valid(const char *name);

MUST_USE enum err init_write(const struct init_plan *p, struct init_made *made, struct error *e);
