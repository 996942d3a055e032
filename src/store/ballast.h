/* ballast: a file that holds room on the disk for the one moment when there is none.
 *
 * Why: on a disk without a free byte a database can't even be opened, so after a power cut the site
 * would not come back until a person has made room, and nothing would command or warn meanwhile.
 * With the ballast thrown off it starts, refuses what is bulk (journal.h), and says so.
 * Threads: any, one at a time; both block. Errors: none: it is an extra. */
#pragma once

#include <stdbool.h>

#define BALLAST_NAME "ballast"

/* If the disk of the data folder is full and there is one: removes it. True: done. */
bool ballast_drop(const char *folder);
/* Makes one if there is none and plenty of room. */
void ballast_take(const char *folder);
