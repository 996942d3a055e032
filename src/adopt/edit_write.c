/* edit_write: the changed files on disk, each whole or not at all. */
#include "adopt/edit.h"
#include "async/fd.h"
#include "async/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static struct str text_then(const struct edit *ed, size_t i, bool before)
{
    if (!before)
        return ed->after[i].text;
    return edit_is_new(ed, i) ? (struct str){NULL, 0} : ed->site->sources[i].text;
}

/* --- names --- */

/* The file itself, where its name leads to; beside it the temporary one. */
static enum err find_names(struct edit_pending *p, const char *path, struct str file,
                           struct error *e)
{
    struct stat st;
    char name[PATH_MAX], real[PATH_MAX];
    bool folder = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
    int n = folder ? snprintf(name, sizeof(name), "%s/%.*s", path, STR_FMT(file))
                   : snprintf(name, sizeof(name), "%s", path);
    if (n < 0 || n >= (int)sizeof(name) - 16)
        return error_set(e, ERR_RANGE, "the path of %.*s is too long", STR_FMT(file));
    if (!realpath(name, real))
        (void)snprintf(real, sizeof(real), "%s", name); /* a new one */
    const char *slash = strrchr(real, '/');
    int front = slash ? (int)(slash - real) + 1 : 0;
    n = snprintf(p->name, sizeof(p->name), "%s", real);
    int m = snprintf(p->temporary, sizeof(p->temporary), "%.*s.%s.new", front, real, real + front);
    if (n >= (int)sizeof(p->name) || m < 0 || m >= (int)sizeof(p->temporary))
        return error_set(e, ERR_RANGE, "the path of %.*s is too long", STR_FMT(file));
    return ERR_OK;
}

/* --- what is there --- */

static bool holds(int fd, struct str want)
{
    char block[4096];
    size_t at = 0;
    ssize_t n;
    while ((n = pread(fd, block, sizeof(block), (off_t)at)) > 0) {
        if (at + (size_t)n > want.n || memcmp(block, want.p + at, (size_t)n) != 0)
            return false;
        at += (size_t)n;
    }
    return n == 0 && at == want.n;
}

/* That the file is as it was when it was read; `want` p NULL: that there is none. */
static enum err still(const char *name, struct str want, struct error *e)
{
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT && !want.p)
        return ERR_OK;
    if (fd < 0 && errno != ENOENT)
        return error_set_os(e, errno, "%s can't be read", name);
    bool same = fd >= 0 && want.p && holds(fd, want);
    if (fd >= 0)
        (void)close(fd);
    return same ? ERR_OK
                : error_set(e, ERR_EXISTS, "%s was changed meanwhile: look at it again", name);
}

/* --- the temporary file --- */

/* Who has its lock writes it. One that a power cut has left is used again. */
static enum err open_temporary(struct edit_pending *p, struct error *e)
{
    struct stat by_name, by_fd;
    p->fd = open(p->temporary, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (p->fd < 0)
        return error_set_os(e, errno, "%s can't be written", p->temporary);
    if (flock(p->fd, LOCK_EX | LOCK_NB) == 0 && fstat(p->fd, &by_fd) == 0 &&
        stat(p->temporary, &by_name) == 0 && by_name.st_ino == by_fd.st_ino)
        return ERR_OK;
    (void)close(p->fd); /* not ours to remove */
    p->fd = -1;
    return error_set(e, ERR_BUSY, "%s: somebody else is changing this file", p->name);
}

/* As the one that it replaces; a new one as the first of the site's files. */
static void take_over_mode(const struct edit_writer *w, const struct edit_pending *p)
{
    struct stat st;
    char first[EDIT_PATH_MAX];
    const char *slash = strrchr(p->name, '/');
    (void)snprintf(first, sizeof(first), "%.*s%.*s", slash ? (int)(slash - p->name) + 1 : 0,
                   p->name, STR_FMT(w->ed->after[0].name));
    if (stat(p->name, &st) != 0 && stat(first, &st) != 0) {
        (void)fchmod(p->fd, 0644);
        return;
    }
    /* Its owner, or at least its group; what is somebody else's then keeps no set-id bits. */
    if (fchown(p->fd, st.st_uid, st.st_gid) != 0 && fchown(p->fd, (uid_t)-1, st.st_gid) != 0)
        st.st_mode &= 0777;
    (void)fchmod(p->fd, st.st_mode & 07777);
}

static enum err fill_temporary(const struct edit_writer *w, const struct edit_pending *p,
                               struct str text, struct error *e)
{
    if (ftruncate(p->fd, 0) != 0 || fd_write_all(p->fd, text.p, text.n))
        return error_set_os(e, errno, "%s can't be written", p->temporary);
    take_over_mode(w, p);
    return fsync(p->fd) == 0 ? ERR_OK : error_set_os(e, errno, "%s can't be written", p->temporary);
}

/* --- all files --- */

static enum err prepare_one(struct edit_writer *w, size_t file, const char *path, struct error *e)
{
    if (w->n == sizeof(w->files) / sizeof(w->files[0]))
        return error_set(e, ERR_RANGE, "more files than can be changed at once");
    struct edit_pending *p = &w->files[w->n];
    struct str text = text_then(w->ed, file, w->back);
    *p = (struct edit_pending){.file = file, .fd = -1};
    enum err err = find_names(p, path, w->ed->after[file].name, e);
    if (!err)
        err = still(p->name, text_then(w->ed, file, !w->back), e);
    if (err)
        return err;
    w->n++;
    if (!text.p)
        return ERR_OK; /* it will be removed */
    err = open_temporary(p, e);
    return err ? err : fill_temporary(w, p, text, e);
}

enum err edit_prepare(struct edit_writer *w, const struct edit *ed, bool back, const char *path,
                      struct error *e)
{
    bool done[LANG_SOURCES_MAX] = {false};
    enum err err = ERR_OK;
    *w = (struct edit_writer){.ed = ed, .back = back};
    for (size_t k = 0; !err && k < ed->splice_n; k++) { /* models first: they were put in first */
        size_t file = ed->splices[k].file;
        if (!done[file])
            err = prepare_one(w, file, path, e);
        done[file] = true;
    }
    return err;
}

static enum err take_name(struct edit_pending *p, struct error *e)
{
    int r = p->fd < 0 ? unlink(p->name) : rename(p->temporary, p->name);
    if (r != 0)
        return error_set_os(e, errno, "%s can't be written", p->name);
    if (p->fd >= 0)
        (void)close(p->fd);
    p->fd = -1;
    return ERR_OK;
}

enum err edit_commit(struct edit_writer *w, struct error *e)
{
    enum err err = ERR_OK;
    for (size_t i = 0; !err && i < w->n; i++)
        err = still(w->files[i].name, text_then(w->ed, w->files[i].file, !w->back), e);
    for (size_t i = 0; !err && i < w->n; i++) {
        err = take_name(&w->files[i], e);
        w->changed |= !err;
    }
    for (size_t i = 0; !err && i < w->n; i++) /* behind all: they are one transaction then */
        if (folder_sync_of(w->files[i].name))
            err = error_set_os(e, errno, "the folder of %s can't be synced", w->files[i].name);
    return err;
}

void edit_writer_fini(struct edit_writer *w)
{
    for (size_t i = 0; i < w->n; i++) {
        if (w->files[i].fd < 0)
            continue;
        (void)unlink(w->files[i].temporary);
        (void)close(w->files[i].fd);
    }
    w->n = 0;
}

static enum err write_files(const struct edit *ed, const char *path, bool back, bool *changed,
                            struct error *e)
{
    struct edit_writer *w = mem_zero(ed->arena->alloc, sizeof(*w));
    *changed = false;
    if (!w)
        return error_set(e, ERR_NOMEM, "no memory to write the files");
    enum err err = edit_prepare(w, ed, back, path, e);
    if (!err)
        err = edit_commit(w, e);
    *changed = w->changed;
    edit_writer_fini(w);
    mem_free(ed->arena->alloc, w, sizeof(*w));
    return err;
}

enum err edit_write(const struct edit *ed, const char *path, bool *changed, struct error *e)
{
    return write_files(ed, path, false, changed, e);
}

enum err edit_revert(const struct edit *ed, const char *path, struct error *e)
{
    bool changed;
    return write_files(ed, path, true, &changed, e);
}
