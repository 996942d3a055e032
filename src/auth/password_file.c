#include "auth/password_internal.h"
#include "auth/scram.h"

#include "base/log.h"
#include "base/map.h"
#include "base/utf8.h"
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_BYTES_MAX (64u << 20)
#define CHECKS_AT_ONCE 2 /* each takes ARGON2_KIB of memory and a thread of the pool */
#define MAC_BYTES      32

/* Nobody's, for a file without users. */
static const char nobody[] = "$argon2id$v=19$m=7168,t=5,p=1$c2VkZ2Ugbm9ib2R5ISE$"
                             "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

struct user {
    struct str name, hash;
    bool proven; /* `mac` belongs to a password that was right */
    uint8_t mac[MAC_BYTES];
};

struct password_file {
    struct password_config cfg; /* its path is our copy */
    struct offload_queue *queue;
    uint8_t key[MAC_BYTES]; /* of this run */
    pthread_mutex_t lock;   /* the next two */
    struct map users;
    struct password_stats stats;
    struct scram_method scram[2];
    const struct enhanced_method *methods[3];
};

struct password_check {
    struct offload_job job;
    struct password_file *file;
    void (*done)(void *ctx, enum err result); /* NULL: canceled */
    void *ctx;
    bool right, computed;
    uint8_t mac[MAC_BYTES];
    struct str user, hash;
    struct bytes password;
    size_t size;
    char data[];
};

bool password_user_valid(struct str user)
{
    if (user.n == 0 || user.n > USER_NAME_MAX || user.p[0] == '#' || !utf8_valid_nonul(user))
        return false;
    for (size_t i = 0; i < user.n; i++)
        if ((uint8_t)user.p[i] < 0x20 || user.p[i] == 0x7f || user.p[i] == ':')
            return false;
    return true;
}

static void user_free(struct alloc *a, struct user *u)
{
    if (u)
        mem_free(a, u, sizeof(*u) + u->name.n + u->hash.n);
}

static struct user *user_new(struct alloc *a, struct str name, struct str hash)
{
    struct user *u = mem_zero(a, sizeof(*u) + name.n + hash.n);
    if (!u)
        return NULL;
    char *text = (char *)(u + 1);
    memcpy(text, name.p, name.n);
    memcpy(text + name.n, hash.p, hash.n);
    u->name = (struct str){text, name.n};
    u->hash = (struct str){text + name.n, hash.n};
    return u;
}

static void users_free(struct alloc *a, struct map *users)
{
    struct str key;
    void *u;
    for (size_t at = 0; map_next(users, &at, &key, &u);)
        user_free(a, u);
    map_fini(users);
}

static enum err read_line(struct password_file *f, struct map *users, struct str line,
                          struct error *e)
{
    struct str hash = line, name;
    line = str_trim(line);
    if (line.n == 0 || line.p[0] == '#')
        return ERR_OK;
    hash = line;
    if (!str_split(&hash, ':', &name) || !password_user_valid(name))
        return error_set(e, ERR_SYNTAX, "a line is NAME:HASH; sedge passwd writes it");
    if (!password_hash_known(hash))
        return error_set(e, ERR_SYNTAX,
                         "the hash of %.*s is not Argon2, mosquitto's $7$ or SCRAM-SHA-256; set "
                         "the password again with sedge passwd",
                         STR_FMT(name));
    struct user *u = user_new(f->cfg.alloc, name, hash);
    enum err err = u ? map_put(users, u->name, u) : ERR_NOMEM;
    if (!err)
        return ERR_OK;
    user_free(f->cfg.alloc, u);
    if (err == ERR_EXISTS)
        return error_set(e, err, "the name %.*s is there twice", STR_FMT(name));
    return error_set(e, err, "no room for the user %.*s", STR_FMT(name));
}

static enum err read_users(struct password_file *f, struct str text, struct map *users,
                           struct error *e)
{
    struct str rest = text, line;
    uint32_t number = 0;
    while (rest.n && str_split(&rest, '\n', &line)) {
        number++;
        enum err err = read_line(f, users, line, e);
        if (err && e)
            e->line = number;
        if (err)
            return err;
    }
    return ERR_OK;
}

static enum err read_whole(struct disk *d, struct disk_file *file, struct strbuf *out,
                           struct error *e)
{
    uint64_t at = 0;
    size_t got;
    char block[4096];
    do {
        enum err err = d->ops->read_at(d, file, at, block, sizeof(block), &got, e);
        if (err)
            return err;
        strbuf_add(out, block, got);
        at += got;
    } while (got == sizeof(block) && !out->failed);
    OPENSSL_cleanse(block, sizeof(block));
    return out->failed ? error_set(e, ERR_RANGE, "the file is too large") : ERR_OK;
}

static enum err load(struct password_file *f, struct map *users, struct error *e)
{
    struct disk *d = executor_env(f->cfg.ex)->disk;
    struct disk_file *file;
    struct strbuf text;
    enum err err = d->ops->open(d, f->cfg.path, DISK_READ, &file, e);
    if (err)
        return err;
    strbuf_init(&text, f->cfg.alloc, FILE_BYTES_MAX);
    err = read_whole(d, file, &text, e);
    d->ops->close(d, file);
    if (!err)
        err = read_users(f, strbuf_str(&text), users, e);
    strbuf_fini(&text);
    if (err && e && !e->where[0])
        strncpy(e->where, f->cfg.path, sizeof(e->where) - 1);
    return err;
}

static void warn_if_open(const char *path)
{
    struct stat st;
    if (stat(path, &st) == 0 && (st.st_mode & (S_IRWXO | S_IWGRP)))
        LOG_W("auth", "%s may be read by others; chmod 600 is enough for sedge", path);
}

/* Those whose hash has not changed need not prove themselves again. With the lock held. */
static void keep_proofs(const struct password_file *f, const struct map *users)
{
    struct str key;
    void *value;
    for (size_t at = 0; map_next(users, &at, &key, &value);) {
        struct user *u = value, *old = map_get(&f->users, key);
        if (!old || !old->proven || !str_eq(old->hash, u->hash))
            continue;
        u->proven = true;
        memcpy(u->mac, old->mac, sizeof(u->mac));
    }
}

enum err password_file_reload(struct password_file *f, struct error *e)
{
    struct map users;
    map_init(&users, f->cfg.alloc, executor_env(f->cfg.ex)->seed,
             f->cfg.users_max ? f->cfg.users_max : 100000);
    enum err err = load(f, &users, e);
    if (err) {
        users_free(f->cfg.alloc, &users);
        return err;
    }
    pthread_mutex_lock(&f->lock);
    keep_proofs(f, &users);
    struct map before = f->users;
    f->users = users;
    pthread_mutex_unlock(&f->lock);
    users_free(f->cfg.alloc, &before);
    warn_if_open(f->cfg.path);
    return ERR_OK;
}

/* ---- for SCRAM ---- */

static bool find_line(void *ctx, struct str user, char line[PASSWORD_HASH_MAX])
{
    struct password_file *f = ctx;
    pthread_mutex_lock(&f->lock);
    const struct user *u = map_get(&f->users, user);
    bool found = u && u->hash.n < PASSWORD_HASH_MAX;
    if (found) {
        memcpy(line, u->hash.p, u->hash.n);
        line[u->hash.n] = '\0';
    }
    pthread_mutex_unlock(&f->lock);
    return found;
}

static size_t make_nonce(void *ctx, char out[SCRAM_NONCE_MAX])
{
    struct env *env = executor_env(((const struct password_file *)ctx)->cfg.ex);
    uint8_t chance[18];
    env->entropy(env, chance, sizeof(chance));
    return (size_t)EVP_EncodeBlock((uint8_t *)out, chance, sizeof(chance));
}

static void methods_init(struct password_file *f)
{
    static const enum scram_hash hashes[2] = {SCRAM_SHA256, SCRAM_SHA512};
    struct env *env = executor_env(f->cfg.ex);
    for (size_t i = 0; i < ARRAY_LEN(hashes); i++) {
        f->scram[i] = (struct scram_method){.find = find_line, .nonce = make_nonce, .ctx = f};
        env->entropy(env, f->scram[i].key, sizeof(f->scram[i].key));
        scram_method_init(&f->scram[i], hashes[i]);
        f->methods[i] = &f->scram[i].method;
    }
}

const struct enhanced_method *const *password_file_methods(const struct password_file *f)
{
    return f->methods;
}

enum err password_file_open(struct password_file **out, const struct password_config *cfg,
                            struct error *e)
{
    struct env *env = executor_env(cfg->ex);
    struct alloc *a = cfg->alloc ? cfg->alloc : alloc_system();
    struct password_file *f = mem_zero(a, sizeof(*f));
    *out = NULL;
    if (!f)
        return error_set(e, ERR_NOMEM, "no memory for the password file");
    pthread_mutex_init(&f->lock, NULL);
    f->cfg = *cfg;
    f->cfg.alloc = a;
    f->cfg.path = str_dup(a, str_from(cfg->path));
    map_init(&f->users, a, env->seed, 1);
    env->entropy(env, f->key, sizeof(f->key));
    methods_init(f);
    enum err err = f->cfg.path ? offload_queue_new(&f->queue, cfg->ex, CHECKS_AT_ONCE,
                                                   cfg->checks_max ? cfg->checks_max : 256)
                               : ERR_NOMEM;
    if (err)
        error_set(e, err, "no memory for the password file");
    else
        err = password_file_reload(f, e);
    if (err) {
        password_file_close(f);
        return err;
    }
    *out = f;
    return ERR_OK;
}

void password_file_close(struct password_file *f)
{
    if (!f)
        return;
    if (f->queue)
        offload_drain(f->queue);
    offload_queue_free(f->queue);
    users_free(f->cfg.alloc, &f->users);
    pthread_mutex_destroy(&f->lock);
    OPENSSL_cleanse(f->key, sizeof(f->key));
    OPENSSL_cleanse(f->scram, sizeof(f->scram));
    if (f->cfg.path)
        mem_free(f->cfg.alloc, (void *)(uintptr_t)f->cfg.path, strlen(f->cfg.path) + 1);
    mem_free(f->cfg.alloc, f, sizeof(*f));
}

size_t password_file_users(struct password_file *f)
{
    pthread_mutex_lock(&f->lock);
    size_t n = f->users.n;
    pthread_mutex_unlock(&f->lock);
    return n;
}

struct password_stats password_file_stats(struct password_file *f)
{
    pthread_mutex_lock(&f->lock);
    struct password_stats stats = f->stats;
    pthread_mutex_unlock(&f->lock);
    return stats;
}

/* ---- checks ---- */

static bool mac_of(const struct password_file *f, struct str hash, struct bytes password,
                   uint8_t mac[MAC_BYTES])
{
    uint8_t inner[MAC_BYTES];
    unsigned n = sizeof(inner);
    /* Two steps, so that no pair of lengths can be read another way. */
    return HMAC(EVP_sha256(), f->key, sizeof(f->key), password.p, password.n, inner, &n) &&
           HMAC(EVP_sha256(), inner, sizeof(inner), (const uint8_t *)hash.p, hash.n, mac, &n);
}

static void check_free(struct password_check *c)
{
    size_t size = c->size;
    struct alloc *a = c->file->cfg.alloc;
    OPENSSL_cleanse(c->data, size - sizeof(*c));
    mem_free(a, c, size);
}

/* (lock) Of the file as it is now; NULL: his line is another meanwhile, or gone. */
static struct user *user_of(const struct password_check *c)
{
    struct user *u = c->user.n ? map_get(&c->file->users, c->user) : NULL;
    return u && str_eq(u->hash, c->hash) ? u : NULL;
}

/* Somebody else has proven it since this one was put into the queue. */
static bool proven_meanwhile(struct password_check *c)
{
    pthread_mutex_lock(&c->file->lock);
    const struct user *u = user_of(c);
    bool proven = u && u->proven && CRYPTO_memcmp(u->mac, c->mac, sizeof(c->mac)) == 0;
    pthread_mutex_unlock(&c->file->lock);
    return proven;
}

static void prove(struct password_check *c)
{
    pthread_mutex_lock(&c->file->lock);
    struct user *u = user_of(c);
    if (u) {
        u->proven = true;
        memcpy(u->mac, c->mac, sizeof(u->mac));
    }
    pthread_mutex_unlock(&c->file->lock);
}

/* After a power cut thirty plugs come back at once, as one user: what the first ones compute holds
 * for those who wait behind them. */
static void check_run(struct offload_job *j)
{
    struct password_check *c = CONTAINER_OF(j, struct password_check, job);
    c->right = proven_meanwhile(c);
    if (c->right)
        return;
    c->computed = true;
    c->right = password_matches(c->hash, c->password) && c->user.n;
    if (c->right)
        prove(c);
}

/* Is it right by the file as it is now? */
static void note(struct password_check *c)
{
    struct password_file *f = c->file;
    pthread_mutex_lock(&f->lock);
    if (c->computed)
        f->stats.computed++;
    else
        f->stats.remembered++;
    if (!c->right || !user_of(c)) {
        c->right = false; /* also if the file was changed meanwhile */
        f->stats.wrong++;
    }
    pthread_mutex_unlock(&f->lock);
}

static void check_done(struct offload_job *j)
{
    struct password_check *c = CONTAINER_OF(j, struct password_check, job);
    note(c);
    if (c->done)
        c->done(c->ctx, c->right ? ERR_OK : ERR_DENIED);
    check_free(c);
}

/* An unknown user's password is compared with somebody's, always the same one's, so that the time
 * does not tell who is there: another kind of hash takes longer or shorter. */
static struct str line_of(const struct password_file *f, const struct user *known, struct str name)
{
    const struct map *m = &f->users;
    size_t at = m->cap ? hash_bytes(name.p, name.n, m->seed) % m->cap : 0;
    void *somebody = NULL;
    if (known)
        return known->hash;
    if (!map_next(m, &at, NULL, &somebody)) {
        at = 0;
        (void)map_next(m, &at, NULL, &somebody);
    }
    return somebody ? ((struct user *)somebody)->hash : str_from(nobody);
}

struct str password_file_line(const struct password_file *f, struct str user)
{
    return line_of(f, map_get(&f->users, user), user);
}

/* `known`: NULL for an unknown user, whose check has no name and is never right. */
static struct password_check *check_new(struct password_file *f, const struct user *known,
                                        struct str user, struct bytes password)
{
    struct str name = known ? known->name : (struct str){NULL, 0};
    struct str hash = line_of(f, known, user);
    size_t size = sizeof(struct password_check) + name.n + hash.n + password.n;
    struct password_check *c = mem_zero(f->cfg.alloc, size);
    if (!c)
        return NULL;
    c->file = f;
    c->size = size;
    c->job.run = check_run;
    c->job.done = check_done;
    if (name.n)
        memcpy(c->data, name.p, name.n);
    memcpy(c->data + name.n, hash.p, hash.n);
    if (password.n)
        memcpy(c->data + name.n + hash.n, password.p, password.n);
    c->user = (struct str){c->data, name.n};
    c->hash = (struct str){c->data + name.n, hash.n};
    c->password = (struct bytes){(uint8_t *)c->data + name.n + hash.n, password.n};
    return c;
}

/* With the lock held. ERR_AGAIN: *check is to be computed. */
static enum err remembered(struct password_file *f, struct str user, struct bytes password,
                           struct password_check **check)
{
    const struct user *u = map_get(&f->users, user);
    uint8_t mac[MAC_BYTES] = {0};
    if (password.n > PASSWORD_MAX) {
        f->stats.wrong++;
        return ERR_DENIED;
    }
    if (u && !mac_of(f, u->hash, password, mac))
        return ERR_NOMEM;
    if (u && u->proven && CRYPTO_memcmp(u->mac, mac, sizeof(mac)) == 0) {
        f->stats.remembered++;
        return ERR_OK;
    }
    *check = check_new(f, u, user, password);
    if (!*check)
        return ERR_NOMEM;
    memcpy((*check)->mac, mac, sizeof(mac));
    return ERR_AGAIN;
}

static void count_refused(struct password_file *f)
{
    pthread_mutex_lock(&f->lock);
    f->stats.refused++;
    pthread_mutex_unlock(&f->lock);
}

enum err password_file_check(struct password_file *f, struct worker *w, struct str user,
                             struct bytes password, void (*done)(void *ctx, enum err result),
                             void *ctx, struct password_check **check)
{
    struct password_check *c = NULL;
    *check = NULL;
    pthread_mutex_lock(&f->lock);
    enum err err = remembered(f, user, password, &c);
    pthread_mutex_unlock(&f->lock);
    if (err != ERR_AGAIN)
        return err;
    c->done = done;
    c->ctx = ctx;
    err = offload_submit(f->queue, w, &c->job);
    if (err) {
        count_refused(f);
        check_free(c);
        return err;
    }
    *check = c;
    return ERR_AGAIN;
}

void password_check_cancel(struct password_check *check)
{
    if (check)
        check->done = NULL;
}
