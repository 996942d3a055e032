/* password_internal: what a test looks at. */
#pragma once

#include "auth/password.h"

/* The line that a password for this name is compared with. It lives until the next reload; nobody
 * else may be at work with the file. */
struct str password_file_line(const struct password_file *f, struct str user);
