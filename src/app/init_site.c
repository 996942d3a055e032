#include "app/init_site.h"

#include "app/init_cert.h"
#include "async/fd.h"
#include "auth/password.h"
#include "base/utf8.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

const struct init_kind init_kinds[] = {
    {"factory", "a press with a coolant valve, and an energy meter", "line/press",
     "{\"temperature\": 85, \"vibration\": 2.1, \"running\": true}", true},
    {"home", "a bathroom's fan that runs while it is humid", "home/bath/climate",
     "{\"temperature\": 22.5, \"humidity\": 78}", false},
    {"farm", "a tank that a pump keeps full, a well, a bed", "farm/tank", "{\"level\": 1.8}",
     false},
    {"empty", "nothing yet: examples as comments", "hall/climate",
     "{\"temperature\": 21.5, \"humidity\": 54}", false},
    {NULL, NULL, NULL, NULL, false},
};

const struct init_network_name init_networks[] = {
    [INIT_LOCAL] = {"local", "this machine only"},
    [INIT_TLS] = {"tls", "the network: with a password, encrypted"},
    [INIT_PLAIN] = {"plain",
                    "the network: with a password, not encrypted, for devices without TLS"},
    {NULL, NULL},
};

/* --- the folder --- */

enum err init_folder_free(const char *folder, struct error *e)
{
    DIR *d = opendir(folder);
    if (!d && errno == ENOENT)
        return ERR_OK;
    if (!d && errno == ENOTDIR)
        return error_set(e, ERR_EXISTS, "%s is a file; a site is a folder", folder);
    if (!d)
        return error_set_os(e, errno, "%s can't be read", folder);
    enum err err = ERR_OK;
    for (const struct dirent *at; !err && (at = readdir(d));) {
        const char *name = at->d_name;
        bool passed =
            strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, ".git") == 0;
        if (!passed)
            err = error_set(e, ERR_EXISTS, "%s is not empty: it holds %s", folder, name);
    }
    (void)closedir(d);
    return err;
}

bool init_name_valid(const char *name)
{
    struct str s = str_from(name);
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
            return false;
    return s.n > 0 && s.n <= INIT_NAME_MAX && utf8_valid(s) && str_trim(s).n == s.n;
}

void init_default_name(const char *folder, char out[INIT_NAME_MAX + 1])
{
    char whole[PATH_MAX]; /* of ".", say */
    struct str s = str_from(realpath(folder, whole) ? whole : folder);
    while (s.n > 1 && s.p[s.n - 1] == '/')
        s.n--;
    for (size_t slash; str_find(s, '/', &slash) && slash + 1 < s.n;)
        s = str_sub(s, slash + 1, s.n);
    (void)snprintf(out, INIT_NAME_MAX + 1, "%.*s", STR_FMT(s));
    if (!init_name_valid(out))
        (void)snprintf(out, INIT_NAME_MAX + 1, "my site");
}

/* --- site.sedge --- */

/* A text of the language: quotes, and what has a meaning within them. */
static void add_text(struct strbuf *out, const char *text)
{
    strbuf_addc(out, '"');
    for (const char *c = text; *c; c++) {
        if (strchr("\"\\{}", *c))
            strbuf_addc(out, '\\');
        strbuf_addc(out, *c);
    }
    strbuf_addc(out, '"');
}

/* A site.sedge with its name. */
static void put_name(struct strbuf *out, struct str text, const char *name)
{
    static const char hole[] = "\"NAME\"";
    const char *at = memmem(text.p, text.n, hole, sizeof(hole) - 1);
    ASSERT(at);
    size_t before = (size_t)(at - text.p), behind = before + sizeof(hole) - 1;
    strbuf_addstr(out, str_sub(text, 0, before));
    add_text(out, name);
    strbuf_addstr(out, str_sub(text, behind, text.n));
}

/* --- writing --- */

static const char ignored[] = "# What a site gathers, and what must stay secret.\n"
                              "/data/\n/users\n/tls/*.key\n";

/* Notes it, so that it can be told, or removed. */
static enum err note(struct init_made *made, const char *name, const char *line, struct error *e)
{
    if (made->files_n == INIT_FILES_MAX)
        return error_set(e, ERR_FULL, "a site of more than %d files", INIT_FILES_MAX);
    (void)snprintf(made->files[made->files_n].name, sizeof(made->files[0].name), "%s", name);
    (void)snprintf(made->files[made->files_n].line, sizeof(made->files[0].line), "%s", line);
    made->files_n++;
    return ERR_OK;
}

static enum err path_of(const struct init_plan *p, const char *name, char out[INIT_PATH_MAX],
                        struct error *e)
{
    int n = snprintf(out, INIT_PATH_MAX, "%s/%s", p->folder, name);
    return n > 0 && n < INIT_PATH_MAX ? ERR_OK
                                      : error_set(e, ERR_RANGE, "the folder's path is too long");
}

static enum err write_file(const struct init_plan *p, struct init_made *made, const char *name,
                           const char *line, struct str text, struct error *e)
{
    char path[INIT_PATH_MAX];
    enum err err = path_of(p, name, path, e);
    if (err)
        return err;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0)
        return error_set_os(e, errno, "%s can't be made", path);
    err = note(made, name, line, e);
    if (!err && fd_write_all(fd, text.p, text.n))
        err = error_set_os(e, errno, "%s can't be written", path);
    if (close(fd) != 0 && !err)
        err = error_set_os(e, errno, "%s can't be written", path);
    return err;
}

/* The first sentence of a file's first comment: what it holds. */
static void first_sentence(struct str text, char out[80])
{
    struct str line;
    (void)str_split(&text, '\n', &line);
    line = str_trim(str_sub(line, str_starts(line, STR("//")) ? 2 : 0, line.n));
    for (size_t i = 0; i + 1 < line.n; i++)
        if (line.p[i] == '.' && line.p[i + 1] == ' ')
            line.n = i;
    if (line.n > 0 && line.p[line.n - 1] == '.')
        line.n--;
    (void)snprintf(out, 80, "%.*s", STR_FMT(line));
}

static enum err write_template(const struct init_plan *p, struct init_made *made,
                               const struct site_template *t, struct error *e)
{
    struct strbuf text;
    char line[80];
    strbuf_init(&text, alloc_system(), 0);
    if (strcmp(t->file, "site.sedge") == 0)
        put_name(&text, t->text, p->name);
    else
        strbuf_addstr(&text, t->text);
    first_sentence(t->text, line);
    enum err err = text.failed ? error_set(e, ERR_NOMEM, "no memory for %s", t->file)
                               : write_file(p, made, t->file, line, strbuf_str(&text), e);
    strbuf_fini(&text);
    return err;
}

static enum err write_templates(const struct init_plan *p, struct init_made *made,
                                const char *folder, struct error *e)
{
    enum err err = ERR_OK;
    for (const struct site_template *t = site_templates; !err && t->folder; t++)
        if (strcmp(t->folder, folder) == 0)
            err = write_template(p, made, t, e);
    return err;
}

/* --- for the network --- */

/* 16 of 32 characters that nobody mistakes for one another: 80 bits. */
static enum err make_password(char out[INIT_PASSWORD_MAX], struct error *e)
{
    static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789";
    uint8_t bytes[16];
    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        return error_set_os(e, errno, "there is no randomness for a password");
    size_t n = 0;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        if (i > 0 && i % 4 == 0)
            out[n++] = '-';
        out[n++] = letters[bytes[i] % 32];
    }
    out[n] = '\0';
    explicit_bzero(bytes, sizeof(bytes));
    return ERR_OK;
}

static enum err write_users(const struct init_plan *p, struct init_made *made, struct error *e)
{
    char path[INIT_PATH_MAX], hash[PASSWORD_HASH_MAX];
    enum err err = make_password(made->password, e);
    const struct bytes password = {(const uint8_t *)made->password, strlen(made->password)};
    if (!err)
        err = path_of(p, "users", path, e);
    if (!err)
        err = password_hash(password, hash, e);
    if (!err)
        err = note(made, "users", "Who may connect, and the hash of his password", e);
    return err ? err : password_file_set(path, STR(INIT_USER), hash, e);
}

static enum err write_certificates(const struct init_plan *p, struct init_made *made,
                                   struct error *e)
{
    static const char *const lines[][2] = {
        {"tls/ca.pem", "Whom devices are to believe: give it to them"},
        {"tls/ca.key", "Makes further certificates: keep it away from here"},
        {"tls/server.pem", "The certificate of this machine"},
        {"tls/server.key", "And its key"},
    };
    char path[INIT_PATH_MAX];
    enum err err = path_of(p, "tls", path, e);
    if (!err && mkdir(path, 0755) != 0)
        err = error_set_os(e, errno, "%s can't be made", path);
    if (!err)
        err = note(made, "tls", "", e);
    for (size_t i = 0; !err && i < ARRAY_LEN(lines); i++)
        err = note(made, lines[i][0], lines[i][1], e);
    return err ? err : init_cert_write(path, made->host, e);
}

static void remove_made(const struct init_plan *p, const struct init_made *made)
{
    char path[INIT_PATH_MAX];
    for (size_t i = made->files_n; i-- > 0;)
        if (path_of(p, made->files[i].name, path, NULL) == ERR_OK && unlink(path) != 0)
            (void)rmdir(path);
    if (made->folder_is_new)
        (void)rmdir(p->folder);
}

enum err init_write(const struct init_plan *p, struct init_made *made, struct error *e)
{
    *made = (struct init_made){.folder_is_new = false};
    enum err err = init_folder_free(p->folder, e);
    if (err)
        return err;
    made->folder_is_new = mkdir(p->folder, 0755) == 0;
    if (!made->folder_is_new && errno != EEXIST)
        return error_set_os(e, errno, "%s can't be made", p->folder);
    err = write_templates(p, made, init_networks[p->network].name, e);
    if (!err)
        err = write_templates(p, made, p->kind->name, e);
    if (!err)
        err = write_file(p, made, ".gitignore", "What does not belong into version control",
                         str_from(ignored), e);
    init_cert_host(made->host, sizeof(made->host));
    if (!err && p->network != INIT_LOCAL)
        err = write_users(p, made, e);
    if (!err && p->network == INIT_TLS)
        err = write_certificates(p, made, e);
    if (err)
        remove_made(p, made);
    return err;
}
