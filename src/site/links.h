/* links: the lines that a site opens itself, as its API shows them (GET /api/links,
 * docs/http-api.md): what each line of Modbus and each of its units is doing, and why not.
 *
 * Ownership: borrows everything. Threads: worker 0. */
#pragma once

#include "codec/json.h"
#include "protocol/modbus.h"

struct site_links {
    struct modbus *const *modbus; /* of the site that runs; may point to NULL */
    struct registry *const *registry;
    struct executor *const *ex;
};
/* struct dashboard_links.write of a struct site_links. */
void site_links_write(void *links, struct json_writer *w);
