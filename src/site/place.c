#include "site/place.h"
#include "host/lock.h"
#include "site/schema.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum err site_folder(char out[PATH_MAX], const char *path, const char **only, struct error *e)
{
    struct stat st;
    int n = snprintf(out, PATH_MAX, "%s", path);
    *only = NULL;
    if (n < 0 || n >= PATH_MAX)
        return error_set(e, ERR_RANGE, "the path %.80s… is too long", path);
    if (stat(path, &st) != 0)
        return errno == ENOENT ? error_set(e, ERR_NOT_FOUND, "there is no %s", path)
                               : error_set_os(e, errno, "%s can't be read", path);
    while (n > 1 && out[n - 1] == '/')
        out[--n] = '\0';
    if (S_ISDIR(st.st_mode))
        return ERR_OK;
    char *slash = strrchr(out, '/');
    const char *begin = strrchr(path, '/');
    *only = begin ? begin + 1 : path;
    if (!slash)
        (void)snprintf(out, PATH_MAX, ".");
    else
        slash[slash == out] = '\0';
    return ERR_OK;
}

enum err site_store(char out[PATH_MAX], const char *folder, struct str said, struct error *e)
{
    bool absolute = said.n && said.p[0] == '/';
    int n = snprintf(out, PATH_MAX, "%s%s%.*s", absolute ? "" : folder, absolute ? "" : "/",
                     STR_FMT(said));
    return n < 0 || n > PATH_MAX - 64 ? error_set(e, ERR_RANGE, "the path of the store is too long")
                                      : ERR_OK;
}

static enum err read_site(struct site_place *p, struct error *e)
{
    struct site_sources sources;
    enum err err = site_read_sources(alloc_system(), p->path, &sources, e);
    if (err)
        return err;
    err = lang_check(alloc_system(), site_schema(), sources.v, sources.n, &p->site);
    site_sources_fini(&sources);
    if (err)
        return error_set(e, err, "no memory to check the site");
    if (p->site->errors)
        return error_set(e, ERR_INVALID,
                         "%s does not pass the check (sedge check %s shows why), so where its data "
                         "is can't be told: --data FOLDER",
                         p->path, p->path);
    return site_settings_read(&p->settings, p->site, e);
}

enum err site_place_open(struct site_place *p, const char *path, const char *data, struct error *e)
{
    struct error why = {0};
    *p = (struct site_place){0};
    (void)snprintf(p->path, sizeof(p->path), "%s", path);
    enum err err = site_folder(p->folder, path, &p->only, e);
    if (err)
        return err;
    err = read_site(p, &why);
    if (err && !data && e)
        *e = why;
    if (err && data) {
        p->settings = (struct site_settings){.name = STR("site")};
        err = ERR_OK;
    }
    if (!err)
        err = site_store(p->store, data ? "." : p->folder,
                         data ? str_from(data) : p->settings.store, e);
    if (err)
        site_place_close(p);
    return err;
}

void site_place_close(struct site_place *p)
{
    lang_site_free(p->site);
    p->site = NULL;
}

pid_t site_place_runs(const struct site_place *p)
{
    char path[PATH_MAX + 8];
    (void)snprintf(path, sizeof(path), "%s/lock", p->store);
    return lock_holder(path);
}

static size_t add_files(const struct site_listen *list, size_t n, struct str *out)
{
    size_t used = 0;
    for (size_t i = 0; i < n; i++) {
        const struct str all[] = {list[i].passwords, list[i].cert, list[i].key, list[i].ca};
        for (size_t k = 0; k < ARRAY_LEN(all); k++)
            if (all[k].n)
                out[used++] = all[k];
    }
    return used;
}

size_t site_files(const struct site_settings *s, struct str out[SITE_FILES_MAX])
{
    size_t n = add_files(s->mqtt, s->mqtt_count, out);
    return n + add_files(s->http, s->http_count, out + n);
}
