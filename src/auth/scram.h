/* scram: SCRAM-SHA-256 and SCRAM-SHA-512, the server's side.
 *
 * Why: the password stays with the client, and what is stored here does not let anybody in who
 * steals it. (It does let him pass himself off as this server, as with every stored secret.)
 * Secrets: a line of the password file in the form
 *     SCRAM-SHA-256$ROUNDS:SALT$STOREDKEY:SERVERKEY        (RFC 5803's, as PostgreSQL writes it)
 * which `sedge passwd --scram` makes, and with which a plain password can be checked too. For
 * SCRAM-SHA-512 also mosquitto's `$7$` lines serve: they hold the salted password itself.
 * Users that have no such line, or are not there, are denied at the end like those whose password
 * is wrong: the salt they are shown comes from their name and a key of this run. (So who asks
 * before and after a restart sees it change, and those of users stay.) Names and passwords are
 * compared byte by byte; SASLprep is the client's. No channel binding. Threads: pure but for the
 * config's functions. Errors: whatever the client does wrong is ENHANCED_DENIED. Source: RFC 5802,
 * RFC 7677, RFC 5803. */
#pragma once

#include "auth/enhanced.h"
#include "auth/password.h"

enum scram_hash { SCRAM_SHA256, SCRAM_SHA512 };
enum {
    SCRAM_KEY_MAX = 64,
    SCRAM_SALT_MAX = 64,
    SCRAM_NONCE_MAX = 64,
    SCRAM_ROUNDS = 15000, /* RFC 7677 asks for 4,096 at least */
};

struct scram_secret {
    int rounds;
    size_t salt_n;
    uint8_t salt[SCRAM_SALT_MAX], stored_key[SCRAM_KEY_MAX], server_key[SCRAM_KEY_MAX];
};
/* False: the line holds none for this hash. */
bool scram_secret_parse(struct scram_secret *out, enum scram_hash hash, struct str line);
/* The line of a new secret for SCRAM-SHA-256. */
MUST_USE enum err scram_line(struct bytes password, int rounds, char out[PASSWORD_HASH_MAX],
                             struct error *e);
/* Is it a line of SCRAM-SHA-256's form, and is that its password? (Tens of milliseconds.) */
bool scram_line_known(struct str line);
bool scram_line_matches(struct str line, struct bytes password);

struct scram_method {
    struct enhanced_method method; /* name and begin(): scram_method_init() */
    enum scram_hash hash;
    /* The stored line of a user; false: there is none. Any thread. */
    bool (*find)(void *ctx, struct str user, char line[PASSWORD_HASH_MAX]);
    /* Printable, without commas; another one each time. Gives its length. */
    size_t (*nonce)(void *ctx, char out[SCRAM_NONCE_MAX]);
    void *ctx;
    uint8_t key[32]; /* for the salts of nobody */
};
void scram_method_init(struct scram_method *m, enum scram_hash hash);
