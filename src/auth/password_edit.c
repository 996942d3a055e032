#include "auth/password.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
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
    while (text.n) {
        ssize_t n = write(fd, text.p, text.n);
        if (n < 0 && errno != EINTR)
            return ERR_IO;
        if (n > 0)
            text = str_sub(text, (size_t)n, text.n);
    }
    return fsync(fd) == 0 ? ERR_OK : ERR_IO;
}

static enum err sync_folder(const char *path)
{
    char copy[4096];
    (void)snprintf(copy, sizeof(copy), "%s", path);
    int dir = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return ERR_IO;
    int rc = fsync(dir);
    (void)close(dir);
    return rc == 0 ? ERR_OK : ERR_IO;
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
    enum err err = write_whole(fd, text);
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
    return sync_folder(path) ? error_set_os(e, errno, "can't sync the folder of %s", path) : ERR_OK;
}

enum err password_file_set(const char *path, struct str user, const char *hash, struct error *e)
{
    struct strbuf old, changed;
    enum err err = ERR_OK;
    if (!password_user_valid(user))
        return error_set(
            e, ERR_INVALID,
            "a user name has no ':', no control characters and does not begin with '#'");
    strbuf_init(&old, alloc_system(), 64u << 20);
    strbuf_init(&changed, alloc_system(), 64u << 20);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno != ENOENT)
        err = error_set_os(e, errno, "can't read %s", path);
    if (fd >= 0 && read_file(fd, &old))
        err = error_set_os(e, errno, "can't read %s", path);
    if (fd >= 0)
        (void)close(fd);
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
