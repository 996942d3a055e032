/* The sources of a site: files read whole, in the order of their names. */
#include "site/schema.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void site_sources_fini(struct site_sources *s)
{
    for (size_t i = 0; i < s->n; i++) {
        mem_free(s->alloc, (char *)(uintptr_t)s->v[i].name.p, s->v[i].name.n + 1);
        mem_free(s->alloc, (char *)(uintptr_t)s->v[i].text.p, s->v[i].text.n + 1);
    }
    s->n = 0;
}

static enum err read_text(struct site_sources *s, FILE *f, const char *path, struct str *out,
                          struct error *e)
{
    struct strbuf b;
    strbuf_init(&b, s->alloc, LANG_SOURCE_SIZE_MAX + 4096);
    char block[4096];
    size_t n;
    while (b.n <= LANG_SOURCE_SIZE_MAX && (n = fread(block, 1, sizeof(block), f)) > 0)
        strbuf_add(&b, block, n);
    enum err r = ERR_OK;
    if (ferror(f))
        r = error_set_os(e, errno, "%s can't be read", path);
    else if (b.n > LANG_SOURCE_SIZE_MAX)
        r = error_set(e, ERR_RANGE, "%s is larger than 1 MiB", path);
    char *copy = r == ERR_OK && !b.failed ? str_dup(s->alloc, strbuf_str(&b)) : NULL;
    if (r == ERR_OK && !copy)
        r = error_set(e, ERR_NOMEM, "no memory to read %s", path);
    if (copy)
        *out = (struct str){copy, b.n};
    strbuf_fini(&b);
    return r;
}

static enum err add_file(struct site_sources *s, const char *path, const char *name,
                         struct error *e)
{
    if (s->n >= LANG_SOURCES_MAX)
        return error_set(e, ERR_RANGE, "a site has at most %u source files", LANG_SOURCES_MAX);
    FILE *f = fopen(path, "re");
    if (!f)
        return error_set_os(e, errno, "%s can't be read", path);
    struct str text = {0};
    enum err r = read_text(s, f, path, &text, e);
    (void)fclose(f);
    if (r != ERR_OK)
        return r;
    char *copy = str_dup(s->alloc, str_from(name));
    if (!copy) {
        mem_free(s->alloc, (char *)(uintptr_t)text.p, text.n + 1);
        return error_set(e, ERR_NOMEM, "no memory to read %s", path);
    }
    s->v[s->n++] = (struct lang_source){{copy, strlen(name)}, text};
    return ERR_OK;
}

static int is_source(const struct dirent *d)
{
    return d->d_name[0] != '.' && str_ends(str_from(d->d_name), STR(".sedge"));
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name); /* bytes: the same order everywhere */
}

static enum err read_folder(struct site_sources *s, const char *path, struct error *e)
{
    struct dirent **list;
    int n = scandir(path, &list, is_source, by_name);
    if (n < 0)
        return error_set_os(e, errno, "%s can't be read", path);
    enum err r = ERR_OK;
    for (int i = 0; i < n; i++) {
        char file[4096];
        int len = snprintf(file, sizeof(file), "%s/%s", path, list[i]->d_name);
        if (r == ERR_OK && (len < 0 || (size_t)len >= sizeof(file)))
            r = error_set(e, ERR_RANGE, "the path of %s is too long", list[i]->d_name);
        if (r == ERR_OK)
            r = add_file(s, file, list[i]->d_name, e);
        free(list[i]);
    }
    free(list);
    if (r == ERR_OK && n == 0)
        r = error_set(e, ERR_NOT_FOUND, "%s holds no *.sedge files", path);
    return r;
}

enum err site_read_sources(struct alloc *a, const char *path, struct site_sources *out,
                           struct error *e)
{
    out->alloc = a;
    out->n = 0;
    struct stat st;
    if (stat(path, &st) != 0)
        return errno == ENOENT ? error_set(e, ERR_NOT_FOUND, "there is no %s", path)
                               : error_set_os(e, errno, "%s can't be read", path);
    const char *slash = strrchr(path, '/');
    enum err r = S_ISDIR(st.st_mode) ? read_folder(out, path, e)
                                     : add_file(out, path, slash ? slash + 1 : path, e);
    if (r != ERR_OK)
        site_sources_fini(out);
    return r;
}
