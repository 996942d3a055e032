#include "site/running.h"

#include "codec/json.h"
#include "host/lock.h"
#include "site/place.h"
#include "site/schema.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { RECORD_MAX = 3 * PATH_MAX };

/* --- the record --- */

enum err site_running_write(int fd, const struct site_running *r, struct error *e)
{
    struct strbuf b;
    struct json_writer w;
    strbuf_init(&b, alloc_system(), RECORD_MAX);
    json_writer_init(&w, &b);
    json_object_begin(&w);
    json_key(&w, "run");
    json_cstr(&w, r->run);
    json_key(&w, "url");
    json_cstr(&w, r->url);
    json_key(&w, "cert");
    json_cstr(&w, r->cert);
    json_key(&w, "tls12");
    json_bool(&w, r->tls_1_2);
    json_object_end(&w);
    strbuf_addc(&b, '\n');
    enum err err = ERR_OK;
    if (b.failed)
        err = error_set(e, ERR_NOMEM, "no memory");
    else if (ftruncate(fd, 0) != 0 || pwrite(fd, b.p, b.n, 0) != (ssize_t)b.n)
        err = error_set_os(e, errno, "the store's lock can't be written");
    strbuf_fini(&b);
    return err;
}

void site_running_clear(int fd)
{
    if (fd >= 0 && ftruncate(fd, 0) != 0)
        return; /* whoever reads it finds that nobody answers */
}

static bool text_of(struct bytes json, const char *key, char *out, size_t size)
{
    struct json_token t;
    struct str s;
    char buf[PATH_MAX];
    if (json_find(json, str_from(key), &t, NULL) || t.kind != JSON_STRING ||
        json_unescape(t.raw, buf, sizeof(buf), &s) || s.n >= size)
        return false;
    memcpy(out, s.p, s.n);
    out[s.n] = '\0';
    return true;
}

static bool read_record(struct site_running *out, int fd)
{
    char bytes[RECORD_MAX];
    struct json_token t;
    ssize_t n = pread(fd, bytes, sizeof(bytes), 0);
    struct bytes json = {(const uint8_t *)bytes, n < 0 ? 0 : (size_t)n};
    *out = (struct site_running){.tls_1_2 = json_find(json, STR("tls12"), &t, NULL) == ERR_OK &&
                                            t.kind == JSON_TRUE};
    return text_of(json, "run", out->run, sizeof(out->run)) && out->run[0] &&
           text_of(json, "url", out->url, sizeof(out->url)) &&
           text_of(json, "cert", out->cert, sizeof(out->cert));
}

enum site_runs site_running_read(struct site_running *out, const char *store)
{
    char path[PATH_MAX + 8];
    (void)snprintf(path, sizeof(path), "%s/lock", store);
    *out = (struct site_running){.run = ""};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? SITE_RUNS_NOT : SITE_RUNS_UNKNOWN;
    bool there = read_record(out, fd);
    (void)close(fd);
    if (there)
        return SITE_RUNS_THERE;
    return lock_holder(path) == 0 ? SITE_RUNS_NOT : SITE_RUNS_UNKNOWN;
}

/* --- the store, by files that may have errors --- */

/* Behind the comment, the text in quotes, or the character that begins at `at`. */
static size_t pass(struct str s, size_t at)
{
    if (s.p[at] == '/' && at + 1 < s.n && s.p[at + 1] == '/') {
        while (at < s.n && s.p[at] != '\n')
            at++;
        return at;
    }
    if (s.p[at] != '"')
        return at + 1;
    for (at++; at < s.n && s.p[at] != '"' && s.p[at] != '\n'; at++)
        at += s.p[at] == '\\' && at + 1 < s.n;
    return at < s.n ? at + 1 : at;
}

static bool is_word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* What stands behind the word, if the next thing there begins with `then`. */
static bool find_word(struct str s, struct str word, char then, struct str *behind)
{
    for (size_t at = 0; at < s.n; at = pass(s, at)) {
        if (!str_starts(str_sub(s, at, s.n), word) || (at > 0 && is_word_char(s.p[at - 1])))
            continue;
        *behind = str_trim(str_sub(s, at + word.n, s.n));
        if (behind->n && behind->p[0] == then)
            return true;
    }
    return false;
}

static struct str said_store(const struct site_sources *sources)
{
    struct str block, text;
    size_t end;
    for (size_t i = 0; i < sources->n; i++)
        if (find_word(sources->v[i].text, STR("server"), '{', &block) &&
            find_word(block, STR("store"), '"', &text) &&
            str_find(str_sub(text, 1, text.n), '"', &end))
            return str_sub(text, 1, end);
    return STR("data");
}

enum err site_running_store(char out[PATH_MAX], const char *path, struct error *e)
{
    char folder[PATH_MAX];
    const char *only;
    struct site_sources sources;
    enum err err = site_folder(folder, path, &only, e);
    if (!err)
        err = site_read_sources(alloc_system(), path, &sources, e);
    if (err)
        return err;
    err = site_store(out, folder, said_store(&sources), e);
    site_sources_fini(&sources);
    return err;
}
