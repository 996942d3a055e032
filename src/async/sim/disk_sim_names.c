#include "async/sim/disk_sim_internal.h"
#include <stdio.h>
#include <string.h>

/* --- paths and folders --- */

bool sim_path(char out[SIM_PATH_MAX], const char *raw)
{
    while (raw[0] == '.' && raw[1] == '/')
        raw += 2;
    if (strcmp(raw, ".") == 0)
        raw = "";
    size_t n = strlen(raw);
    while (n > 1 && raw[n - 1] == '/')
        n--;
    if (n >= SIM_PATH_MAX)
        return false;
    memcpy(out, raw, n);
    out[n] = '\0';
    return true;
}

static void dir_of(char out[SIM_PATH_MAX], const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) : 0;
    if (slash == path)
        n = 1;
    memcpy(out, path, n);
    out[n] = '\0';
}

bool sim_in_dir(const char *path, const char *dir)
{
    char own[SIM_PATH_MAX];
    dir_of(own, path);
    return strcmp(own, dir) == 0;
}

bool sim_is_dir(const struct disk_sim *s, const char *dir)
{
    if (dir[0] == '\0' || strcmp(dir, "/") == 0)
        return true;
    for (size_t i = 0; i < s->dirs.n; i++)
        if (strcmp(s->dirs.v[i].path, dir) == 0)
            return true;
    return false;
}

bool sim_dir_exists(const struct disk_sim *s, const char *path)
{
    char dir[SIM_PATH_MAX];
    dir_of(dir, path);
    return sim_is_dir(s, dir);
}

bool sim_add_dirs(struct disk_sim *s, const char *dir)
{
    for (size_t i = 1; i <= strlen(dir); i++) {
        struct sim_dir part = {0};
        if (dir[i] != '/' && dir[i] != '\0')
            continue;
        memcpy(part.path, dir, i);
        if (!sim_is_dir(s, part.path) && !vec_push(s->alloc, &s->dirs, part))
            return false;
    }
    return true;
}

/* --- names --- */

struct sim_name *sim_find(struct sim_names *names, const char *path)
{
    for (size_t i = 0; i < names->n; i++)
        if (strcmp(names->v[i].path, path) == 0)
            return &names->v[i];
    return NULL;
}

static void drop(struct sim_names *names, const char *path)
{
    struct sim_name *name = sim_find(names, path);
    if (name)
        *name = names->v[--names->n];
}

static struct sim_name named(const char *path, struct sim_inode *inode)
{
    struct sim_name name = {.inode = inode};
    (void)snprintf(name.path, sizeof(name.path), "%s", path);
    return name;
}

/* A name space takes a change; room for one more name has been made. */
static void apply(struct sim_names *names, const struct sim_changed *c)
{
    struct sim_name *from = sim_find(names, c->from);
    struct sim_inode *inode = c->kind == SIM_CREATE ? c->inode : from ? from->inode : NULL;
    drop(names, c->from);
    if (c->kind == SIM_REMOVE || !inode)
        return;
    drop(names, c->to);
    names->v[names->n++] = named(c->to, inode);
}

/* Room for everything that is safe and all that may become so: settling and crashing can't fail. */
static bool make_room(const struct disk_sim *s, struct sim_names *names)
{
    size_t need = s->safe.n + s->changes.n + 1;
    return need <= names->cap ||
           vec_grow(s->alloc, (void **)&names->v, &names->cap, sizeof(*names->v), need);
}

bool sim_change(struct disk_sim *s, enum sim_change kind, const char *from, const char *to,
                struct sim_inode *inode)
{
    struct sim_changed c = {.kind = kind, .inode = inode};
    (void)snprintf(c.from, sizeof(c.from), "%s", from);
    (void)snprintf(c.to, sizeof(c.to), "%s", to);
    if (!make_room(s, &s->now) || !make_room(s, &s->safe) || !vec_push(s->alloc, &s->changes, c))
        return false;
    apply(&s->now, &c);
    return true;
}

struct sim_inode *sim_create(struct disk_sim *s, const char *path)
{
    struct sim_inode *inode = mem_zero(s->alloc, sizeof(*inode));
    if (!inode)
        return NULL;
    if (!sim_change(s, SIM_CREATE, path, path, inode)) {
        mem_free(s->alloc, inode, sizeof(*inode));
        return NULL;
    }
    list_add_tail(&s->inodes, &inode->link);
    return inode;
}

void sim_settle(struct disk_sim *s, const char *dir, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->changes.n; i++) {
        if (count > 0 && sim_in_dir(s->changes.v[i].to, dir)) {
            apply(&s->safe, &s->changes.v[i]);
            count--;
        } else {
            s->changes.v[kept++] = s->changes.v[i];
        }
    }
    s->changes.n = kept;
}

void sim_crash_names(struct disk_sim *s)
{
    char dir[SIM_PATH_MAX];
    while (s->changes.n > 0) {
        dir_of(dir, s->changes.v[0].to);
        size_t all = 0, kept = 0;
        for (size_t i = 0; i < s->changes.n; i++)
            all += sim_in_dir(s->changes.v[i].to, dir);
        if (s->keep == DISK_SIM_KEEP_SOME)
            sim_settle(s, dir, (size_t)random_below(&s->random, all + 1));
        for (size_t i = 0; i < s->changes.n; i++)
            if (!sim_in_dir(s->changes.v[i].to, dir))
                s->changes.v[kept++] = s->changes.v[i];
        s->changes.n = kept;
    }
    s->now.n = 0;
    for (size_t i = 0; i < s->safe.n; i++)
        s->now.v[s->now.n++] = s->safe.v[i];
}

static bool referenced(const struct disk_sim *s, const struct sim_inode *inode)
{
    for (size_t i = 0; i < s->now.n; i++)
        if (s->now.v[i].inode == inode)
            return true;
    for (size_t i = 0; i < s->safe.n; i++)
        if (s->safe.v[i].inode == inode)
            return true;
    for (size_t i = 0; i < s->changes.n; i++)
        if (s->changes.v[i].inode == inode)
            return true;
    LIST_EACH(&s->files, it)
    {
        if (CONTAINER_OF(it, struct disk_file, link)->inode == inode)
            return true;
    }
    return false;
}

void sim_collect(struct disk_sim *s)
{
    LIST_EACH_SAFE(&s->inodes, it)
    {
        struct sim_inode *inode = CONTAINER_OF(it, struct sim_inode, link);
        if (referenced(s, inode))
            continue;
        list_del(it);
        mem_free(s->alloc, inode->now, inode->cap);
        mem_free(s->alloc, inode->safe, inode->cap);
        mem_free(s->alloc, inode->sector, inode->cap / SIM_SECTOR);
        mem_free(s->alloc, inode, sizeof(*inode));
    }
}
