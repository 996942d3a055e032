/* run_addresses: where a site is reached, said so that a person can type it: in the log at the
 * start, and for commands (site/running.h).
 *
 * Why: 0.0.0.0 is a thing to listen on, not to open. What listens everywhere is shown with loopback
 * and with the addresses that this machine has at this moment.
 * Threads: any. */
#pragma once

#include "dashboard/dashboard.h"
#include "site/load.h"

/* Lines as "page  http://127.0.0.1:8080/", one for each address. */
void run_addresses_log(const struct site_settings *s);
/* Into the store's lock, open as `fd`. That it can't be written is logged: then commands look for
 * the site where its files say that it is. */
void run_addresses_note(int fd, const struct site_settings *s, const char *folder, const char *run);
