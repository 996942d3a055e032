/* show: a site's settings as its API shows them (GET /api/settings, docs/http-api.md): where
 * it listens and how that is protected, what it stores, its limits and rules of access.
 *
 * Never what must not be known: of passwords, keys and certificates only whether there are any.
 * Ownership: borrows everything. Threads: worker 0. */
#pragma once

#include "codec/json.h"
#include "site/load.h"

struct site_shown {
    struct lang_site *const *site; /* the one that runs now, */
    const struct site_settings *settings;
    const struct mqtt_server *mqtt;
    const struct executor *ex;
    const char *folder, *store;
    const struct str *mqtt_addresses, *http_addresses; /* as many as the settings have */
};
/* struct dashboard_settings.write of a struct site_shown. */
void site_show(void *shown, struct json_writer *w);
