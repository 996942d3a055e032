#include "async/fd.h"
#include "async/folder.h"
#include "auth/scram.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum err read_file(int fd, struct strbuf *out)
{
    char block[4096];
    ssize_t n;
    while ((n = read(fd, block, sizeof(block))) != 0) {
        if (n < 0 && errno != EINTR)
            return ERR_IO;
        if (n > 0)
            strbuf_add(out, block, (size_t)n);
    }
    return out->failed ? ERR_NOMEM : ERR_OK;
}

static bool line_is_users(struct str line, struct str user)
{
    return line.n > user.n && line.p[user.n] == ':' && str_eq(str_sub(line, 0, user.n), user);
}

static void add_line(struct strbuf *out, struct str user, const char *hash)
{
    strbuf_addstr(out, user);
    strbuf_addc(out, ':');
    strbuf_adds(out, hash);
    strbuf_addc(out, '\n');
}

/* Whether each line is NAME:…, a comment or empty. The site's own file, say, is not to be edited.
 */
static enum err check_lines(const char *path, struct str text, struct error *e)
{
    struct str line, user;
    for (size_t number = 1; text.n && str_split(&text, '\n', &line); number++) {
        struct str rest = str_trim(line);
        if (rest.n > 0 && rest.p[0] != '#' && (!str_split(&rest, ':', &user) || !rest.p))
            return error_set(e, ERR_SYNTAX, "%s is no password file: its line %zu is not NAME:HASH",
                             path, number);
    }
    return ERR_OK;
}

/* The whole file with that user's line replaced, added or left out. */
static bool edit(struct str old, struct str user, const char *hash, struct strbuf *out)
{
    struct str line;
    bool found = false;
    while (old.n && str_split(&old, '\n', &line)) {
        if (!line_is_users(line, user)) {
            strbuf_addstr(out, line);
            strbuf_addc(out, '\n');
        } else if (hash && !found) {
            add_line(out, user, hash);
            found = true;
        } else {
            found = true;
        }
    }
    if (!found && hash)
        add_line(out, user, hash);
    return found;
}

static enum err write_whole(int fd, struct str text)
{
    return fd_write_all(fd, text.p, text.n) || fsync(fd) != 0 ? ERR_IO : ERR_OK;
}

static enum err replace(const char *path, struct str text, struct error *e)
{
    char temporary[4096];
    int n = snprintf(temporary, sizeof(temporary), "%s.new-%ld", path, (long)getpid());
    if (n < 0 || (size_t)n >= sizeof(temporary))
        return error_set(e, ERR_RANGE, "the path is too long");
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_set_os(e, errno, "can't make %s", temporary);
    enum err err = folder_inherit(fd, path, S_IRWXO) ? ERR_IO : write_whole(fd, text);
    int os = errno;
    if (close(fd) != 0 && !err) {
        err = ERR_IO;
        os = errno;
    }
    if (!err && rename(temporary, path) != 0) {
        err = ERR_IO;
        os = errno;
    }
    if (err) {
        (void)unlink(temporary);
        return error_set_os(e, os, "can't write %s", path);
    }
    return folder_sync_of(path) ? error_set_os(e, errno, "can't sync the folder of %s", path)
                                : ERR_OK;
}

/* ERR_NOT_FOUND: there is no file. */
static enum err read_path(const char *path, struct strbuf *out, struct error *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return error_set(e, ERR_NOT_FOUND, "there is no file %s", path);
    enum err err =
        fd < 0 || read_file(fd, out) ? error_set_os(e, errno, "can't read %s", path) : ERR_OK;
    if (fd >= 0)
        (void)close(fd);
    return err;
}

enum err password_file_set(const char *path, struct str user, const char *hash, struct error *e)
{
    struct strbuf old, changed;
    if (!password_user_valid(user))
        return error_set(
            e, ERR_INVALID,
            "a user name has no ':', no control characters and does not begin with '#'");
    strbuf_init(&old, alloc_system(), 64u << 20);
    strbuf_init(&changed, alloc_system(), 64u << 20);
    enum err err = read_path(path, &old, e);
    if (err == ERR_NOT_FOUND)
        err = ERR_OK; /* it is made */
    else if (!err)
        err = check_lines(path, strbuf_str(&old), e);
    bool found = !err && edit(strbuf_str(&old), user, hash, &changed);
    if (!err && changed.failed)
        err = error_set(e, ERR_NOMEM, "the file is too large");
    if (!err && !found && !hash)
        err = error_set(e, ERR_NOT_FOUND, "there is no user %.*s", STR_FMT(user));
    if (!err)
        err = replace(path, strbuf_str(&changed), e);
    strbuf_fini(&old);
    strbuf_fini(&changed);
    return err;
}

enum err password_file_create(const char *path, struct error *e)
{
    return replace(path, STR(""), e);
}

/* A line `NAME:PASSWORD` gets a hash in the password's place. */
static enum err upgrade_line(struct str line, struct strbuf *out, size_t *changed, struct error *e)
{
    char hash[PASSWORD_HASH_MAX];
    struct str rest = str_trim(line), user;
    bool comment = rest.n == 0 || rest.p[0] == '#';
    if (comment || !str_split(&rest, ':', &user) || !rest.p || password_hash_known(rest)) {
        strbuf_addstr(out, line);
        strbuf_addc(out, '\n');
        return ERR_OK;
    }
    if (!password_user_valid(user) || rest.n == 0)
        return error_set(e, ERR_SYNTAX, "the line of %.*s is not NAME:PASSWORD",
                         (int)(user.n < 64 ? user.n : 64), user.p);
    enum err err = password_hash((struct bytes){(const uint8_t *)rest.p, rest.n}, hash, e);
    if (!err)
        add_line(out, user, hash);
    *changed += !err;
    return err;
}

enum err password_file_upgrade(const char *path, size_t *changed, struct error *e)
{
    struct strbuf old, new_text;
    *changed = 0;
    strbuf_init(&old, alloc_system(), 64u << 20);
    strbuf_init(&new_text, alloc_system(), 64u << 20);
    enum err err = read_path(path, &old, e);
    err = err ? err : check_lines(path, strbuf_str(&old), e);
    struct str rest = strbuf_str(&old), line;
    while (!err && rest.n && str_split(&rest, '\n', &line))
        err = upgrade_line(line, &new_text, changed, e);
    if (!err && new_text.failed)
        err = error_set(e, ERR_NOMEM, "the file is too large");
    if (!err && *changed)
        err = replace(path, strbuf_str(&new_text), e);
    if (old.n)
        explicit_bzero(old.p, old.n);
    strbuf_fini(&old);
    strbuf_fini(&new_text);
    return err;
}

static const char *line_kind(struct str hash)
{
    if (!password_hash_known(hash))
        return "plain";
    if (scram_line_known(hash))
        return "scram";
    return str_starts(hash, STR("$7$")) ? "mosquitto" : "argon2";
}

enum err password_file_list(const char *path,
                            void (*user)(void *ctx, struct str name, const char *kind), void *ctx,
                            struct error *e)
{
    struct strbuf text;
    strbuf_init(&text, alloc_system(), 64u << 20);
    enum err err = read_path(path, &text, e);
    err = err ? err : check_lines(path, strbuf_str(&text), e);
    struct str rest = strbuf_str(&text), line, name;
    while (!err && rest.n && str_split(&rest, '\n', &line)) {
        struct str hash = str_trim(line);
        if (hash.n > 0 && hash.p[0] != '#' && str_split(&hash, ':', &name) && hash.p)
            user(ctx, name, line_kind(hash));
    }
    if (text.n)
        explicit_bzero(text.p, text.n);
    strbuf_fini(&text);
    return err;
}
