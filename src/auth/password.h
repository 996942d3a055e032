/* password: users and their password hashes, from a file that `sedge passwd` writes.
 *
 * Why: devices and people log in with a name and a password. A hash is slow on purpose, so it is
 * computed on the offload pool; a wave of reconnects must not cost it again for everyone, so
 * what was right once is remembered as a MAC under a key that only this run knows.
 * File: lines `name:hash`; empty lines and lines that begin with `#` are skipped. The hash is
 * Argon2 in PHC form (`$argon2id$v=19$m=…`), or mosquitto's `$7$rounds$salt$hash` (PBKDF2 with
 * SHA-512), so that a site can bring its file along, or a secret for SCRAM (scram.h).
 * Ownership: passwords are copied and wiped after use; neither they nor hashes go into logs.
 * Threads: any; password_file_reload() one at a time, password_file_close() behind all others. A
 * check is answered, and canceled, on the worker that asked.
 * Errors: a damaged file is ERR_SYNTAX with its line; a reload that fails changes nothing.
 * Source: RFC 9106 (Argon2), OWASP Password Storage Cheat Sheet, RFC 8018 (PBKDF2). */
#pragma once

#include "async/offload.h"
#include "base/cursor.h"

#define PASSWORD_HASH_MAX 512
#define PASSWORD_MAX      1024
#define USER_NAME_MAX     256

/* ---- hashes ---- */
MUST_USE enum err password_hash(struct bytes password, char out[PASSWORD_HASH_MAX],
                                struct error *e);
bool password_hash_known(struct str hash); /* a form that password_matches() can check */
bool password_matches(struct str hash, struct bytes password); /* takes tens of milliseconds */

/* ---- the file in use ---- */
struct password_file;
struct password_config {
    struct executor *ex;
    struct alloc *alloc;
    const char *path;
    size_t users_max;  /* default 100,000 */
    size_t checks_max; /* that wait or run; default 256 */
};
MUST_USE enum err password_file_open(struct password_file **out, const struct password_config *cfg,
                                     struct error *e);
MUST_USE enum err password_file_reload(struct password_file *f, struct error *e);
void password_file_close(struct password_file *f);
size_t password_file_users(struct password_file *f);

struct password_check;
/* ERR_OK: right, it was before. ERR_DENIED: such a password is never right. ERR_AGAIN: it is being
 * computed, done() will be called on w with ERR_OK, ERR_DENIED or ERR_NOMEM; *check is for
 * password_check_cancel() until then. ERR_FULL: too many wait. ERR_NOMEM.
 * An unknown user takes as long as a wrong password of somebody who is in the file. */
MUST_USE enum err password_file_check(struct password_file *f, struct worker *w, struct str user,
                                      struct bytes password,
                                      void (*done)(void *ctx, enum err result), void *ctx,
                                      struct password_check **check);
void password_check_cancel(struct password_check *check); /* done() will not be called */

/* Of enhanced authentication, ended by NULL: what the file's lines serve for. They live as long as
 * the file. */
struct enhanced_method;
const struct enhanced_method *const *password_file_methods(const struct password_file *f);

struct password_stats {
    uint64_t remembered, computed, wrong, refused;
};
struct password_stats password_file_stats(struct password_file *f);

/* ---- the file as a tool changes it ---- */
bool password_user_valid(
    struct str user); /* UTF-8 without control characters and `:`, not a comment */
/* Replaces or adds the user's line; NULL removes it (ERR_NOT_FOUND). All other lines stay as they
 * are. The new file is complete on disk before it takes the old one's place. It has the old one's
 * owner and mode, without rights of others; one that was not there has 0600. */
MUST_USE enum err password_file_set(const char *path, struct str user, const char *hash,
                                    struct error *e);
/* A new file without users, in the place of what is there. */
MUST_USE enum err password_file_create(const char *path, struct error *e);
/* Puts a hash in the place of each password that stands there in plain text (`NAME:PASSWORD`);
 * *changed: how many. ERR_SYNTAX: nothing is changed. */
MUST_USE enum err password_file_upgrade(const char *path, size_t *changed, struct error *e);
/* Tells each user of the file, in its order, and what kind of line he has: "argon2", "mosquitto",
 * "scram", or "plain" for a password that is not hashed. */
MUST_USE enum err password_file_list(const char *path,
                                     void (*user)(void *ctx, struct str name, const char *kind),
                                     void *ctx, struct error *e);
