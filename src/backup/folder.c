/* Folders: walking, making, removing. */
#include "backup/backup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH_MAX = 16, REMOVE_DEPTH_MAX = TAR_NAME_MAX / 2 + 1 /* as unpacking makes them */ };

struct walk {
    const char *folder;
    bool (*skip)(void *ctx, const char *path);
    enum err (*each)(void *ctx, const char *path, struct error *e);
    void *ctx;
    struct error *e;
};

static int visible(const struct dirent *d)
{
    return d->d_name[0] != '.' && strncmp(d->d_name, RESTORE_ASIDE, strlen(RESTORE_ASIDE)) != 0;
}

static enum err walk_below(struct walk *w, const char *below, unsigned depth);

static enum err visit(struct walk *w, const char *relative, unsigned depth)
{
    char path[PATH_MAX];
    struct stat st;
    int n = snprintf(path, sizeof(path), "%s/%s", w->folder, relative);
    if (n < 0 || (size_t)n >= sizeof(path))
        return error_set(w->e, ERR_RANGE, "the path of %.80s… is too long", relative);
    if (lstat(path, &st) != 0)
        return errno == ENOENT ? ERR_OK : error_set_os(w->e, errno, "%s can't be read", path);
    if (S_ISDIR(st.st_mode))
        return w->skip && w->skip(w->ctx, path) ? ERR_OK : walk_below(w, relative, depth + 1);
    if (S_ISLNK(st.st_mode) && stat(path, &st) != 0)
        return ERR_OK; /* it leads nowhere */
    return S_ISREG(st.st_mode) ? w->each(w->ctx, relative, w->e) : ERR_OK;
}

static enum err walk_below(struct walk *w, const char *below, unsigned depth)
{
    char path[PATH_MAX], relative[PATH_MAX];
    struct dirent **list;
    int m = snprintf(path, sizeof(path), "%s%s%s", w->folder, below[0] ? "/" : "", below);
    if (depth > DEPTH_MAX || m < 0 || (size_t)m >= sizeof(path))
        return error_set(w->e, ERR_RANGE, "%s has too many folders inside each other", w->folder);
    int n = scandir(path, &list, visible, alphasort);
    if (n < 0)
        return error_set_os(w->e, errno, "%s can't be read", path);
    enum err err = ERR_OK;
    for (int i = 0; i < n; i++) {
        int k = snprintf(relative, sizeof(relative), "%s%s%s", below, below[0] ? "/" : "",
                         list[i]->d_name);
        if (!err && (k < 0 || (size_t)k >= sizeof(relative)))
            err = error_set(w->e, ERR_RANGE, "the path of %s is too long", list[i]->d_name);
        if (!err)
            err = visit(w, relative, depth);
        free(list[i]);
    }
    free(list);
    return err;
}

enum err files_below(const char *folder, bool (*skip)(void *ctx, const char *path),
                     enum err (*each)(void *ctx, const char *path, struct error *e), void *ctx,
                     struct error *e)
{
    struct walk w = {folder, skip, each, ctx, e};
    return walk_below(&w, "", 0);
}

enum err folder_make(const char *path, mode_t mode, struct error *e)
{
    char part[PATH_MAX];
    size_t n = strlen(path);
    if (n >= sizeof(part))
        return error_set(e, ERR_RANGE, "the path %.80s… is too long", path);
    for (size_t i = 1; i <= n; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        if (mkdir(part, mode) != 0 && errno != EEXIST)
            return error_set_os(e, errno, "the folder %s can't be made", part);
    }
    return ERR_OK;
}

/* --- removing --- */

static void empty_folder(int dir, dev_t dev, unsigned depth);

static void remove_entry(int dir, const char *name, dev_t dev, unsigned depth)
{
    struct stat st;
    if (unlinkat(dir, name, 0) == 0)
        return;
    int below = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (below < 0)
        return;
    if (fstat(below, &st) == 0 && st.st_dev == dev && depth < REMOVE_DEPTH_MAX)
        empty_folder(below, dev, depth + 1);
    (void)close(below);
    (void)unlinkat(dir, name, AT_REMOVEDIR);
}

static void empty_folder(int dir, dev_t dev, unsigned depth)
{
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *entry;
    while (d && (entry = readdir(d)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            remove_entry(dir, entry->d_name, dev, depth);
    if (d)
        (void)closedir(d);
    else if (fd >= 0)
        (void)close(fd);
}

void folder_remove_at(int dir, const char *name)
{
    struct stat st;
    if (fstat(dir, &st) == 0)
        remove_entry(dir, name, st.st_dev, 0);
}
