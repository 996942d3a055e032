#include "site/zone.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ZONE_NAME_MAX = 64 };

struct str site_zone(const struct lang_site *site)
{
    const struct lang_decl *decl = lang_site_decl(site, "site", 0);
    const struct lang_clause_decl *clause = decl ? lang_decl_clause(decl, "zone", NULL, 0) : NULL;
    return clause ? lang_clause_value(clause, "zone")->text : STR("");
}

/* A path within the database: the C library would also take others, and rules in place of a name.
 */
static bool is_name(struct str zone)
{
    for (size_t i = 0; i < zone.n; i++) {
        char c = zone.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && !(c == '/' && i > 0) && c != '_' && c != '-' && c != '+')
            return false;
    }
    return zone.n > 0 && zone.n < ZONE_NAME_MAX;
}

/* RFC 8536, section 3.1. */
static bool is_zone_file(const char *path)
{
    char magic[4] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool is = read(fd, magic, sizeof(magic)) == (ssize_t)sizeof(magic) &&
              memcmp(magic, "TZif", sizeof(magic)) == 0;
    (void)close(fd);
    return is;
}

enum err site_zone_check(struct str zone, struct error *e)
{
    const char *folder = getenv("TZDIR");
    char path[512];
    if (zone.n == 0)
        return ERR_OK;
    if (!folder || !folder[0])
        folder = "/usr/share/zoneinfo";
    int n = snprintf(path, sizeof(path), "%s/%.*s", folder, STR_FMT(zone));
    if (n > 0 && (size_t)n < sizeof(path) && is_name(zone) && is_zone_file(path))
        return ERR_OK;
    if (access(folder, R_OK) != 0)
        return error_set(e, ERR_NOT_FOUND,
                         "site: the zone \"%.*s\" can't be looked up, since there is no time zone "
                         "database in %s: install the package tzdata",
                         STR_FMT(zone), folder);
    return error_set(e, ERR_NOT_FOUND,
                     "site: there is no zone \"%.*s\" in %s: it is a name like \"Europe/Berlin\"",
                     STR_FMT(zone), folder);
}

void site_zone_set(struct str zone)
{
    char name[ZONE_NAME_MAX];
    if (zone.n > 0 && zone.n < sizeof(name)) {
        (void)snprintf(name, sizeof(name), "%.*s", STR_FMT(zone));
        (void)setenv("TZ", name, 1);
    }
    tzset();
}
