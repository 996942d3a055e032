#include "backup/manifest.h"
#include "base/clock.h"
#include "codec/json.h"

#include <stdio.h>
#include <string.h>

void manifest_fini(struct manifest *m)
{
    if (m->alloc)
        vec_fini(m->alloc, &m->files.all);
}

/* --- writing --- */

static void write_file(struct json_writer *w, const struct archive_file *f)
{
    json_object_begin(w);
    json_key(w, "name");
    json_cstr(w, f->name);
    json_key(w, "bytes");
    json_int(w, (int64_t)f->bytes);
    json_key(w, "sha256");
    json_cstr(w, f->sha256);
    json_object_end(w);
}

void manifest_write(const struct manifest *m, struct strbuf *out)
{
    struct json_writer w;
    char when[25];
    time_format(m->made_ms, when);
    json_writer_init(&w, out);
    json_object_begin(&w);
    json_key(&w, "format");
    json_int(&w, BACKUP_FORMAT);
    json_key(&w, "sedge");
    json_cstr(&w, m->version);
    json_key(&w, "site");
    json_cstr(&w, m->name);
    json_key(&w, "store");
    json_cstr(&w, m->store);
    json_key(&w, "made");
    json_cstr(&w, when);
    json_key(&w, "made_ms");
    json_int(&w, m->made_ms);
    json_key(&w, "running");
    json_bool(&w, m->running);
    json_key(&w, "journal_first");
    json_int(&w, (int64_t)m->journal_first);
    json_key(&w, "journal_last");
    json_int(&w, (int64_t)m->journal_last);
    json_key(&w, "cursor_min");
    json_int(&w, (int64_t)m->cursor_min);
    json_key(&w, "files");
    json_array_begin(&w);
    for (size_t i = 0; i < m->files.all.n; i++)
        write_file(&w, &m->files.all.v[i]);
    json_array_end(&w);
    json_object_end(&w);
    strbuf_addc(out, '\n');
}

void manifest_sums(const struct archive_files *files, struct strbuf *out)
{
    for (size_t i = 0; i < files->all.n; i++)
        strbuf_addf(out, "%s  %s\n", files->all.v[i].sha256,
                    files->all.v[i].name + strlen(BACKUP_ROOT));
}

/* --- reading --- */

static bool take_text(struct bytes json, const char *key, char *out, size_t cap)
{
    struct json_token t;
    struct str text;
    if (json_find(json, str_from(key), &t, NULL) || t.kind != JSON_STRING || cap > MANIFEST_PATH ||
        json_unescape(t.raw, out, cap - 1, &text))
        return false;
    if (text.p != out)
        memmove(out, text.p, text.n);
    out[text.n] = '\0';
    return strlen(out) == text.n;
}

static bool take_number(struct bytes json, const char *key, int64_t *out)
{
    struct json_token t;
    return json_find(json, str_from(key), &t, NULL) == ERR_OK && t.kind == JSON_NUMBER &&
           json_integer(t.raw, out) == ERR_OK && *out >= 0;
}

static bool take_file(struct manifest *m, struct bytes json)
{
    struct archive_file f = {0};
    int64_t bytes;
    if (!take_text(json, "name", f.name, sizeof(f.name)) || !take_number(json, "bytes", &bytes) ||
        !take_text(json, "sha256", f.sha256, sizeof(f.sha256)) || strlen(f.sha256) != SHA256_HEX)
        return false;
    f.bytes = (uint64_t)bytes;
    return vec_push(m->alloc, &m->files.all, f);
}

static bool take_files(struct manifest *m, struct bytes json)
{
    struct json_token t;
    struct json_reader r;
    struct str raw, one;
    if (json_find(json, STR("files"), &t, &raw) || t.kind != JSON_ARRAY)
        return false;
    json_init(&r, (struct bytes){(const uint8_t *)raw.p, raw.n});
    (void)json_next(&r, &t);
    while (json_next(&r, &t) == JSON_OBJECT)
        if (json_skip(&r, &t, &one) || !take_file(m, (struct bytes){(const uint8_t *)one.p, one.n}))
            return false;
    return t.kind == JSON_ARRAY_END;
}

static bool take_all(struct manifest *m, struct bytes json)
{
    int64_t first, last, cursor;
    struct json_token t;
    if (!take_text(json, "sedge", m->version, sizeof(m->version)) ||
        !take_text(json, "site", m->name, sizeof(m->name)) ||
        !take_text(json, "store", m->store, sizeof(m->store)) ||
        !take_number(json, "made_ms", &m->made_ms) || !take_number(json, "journal_first", &first) ||
        !take_number(json, "journal_last", &last) || !take_number(json, "cursor_min", &cursor) ||
        json_find(json, STR("running"), &t, NULL) != ERR_OK)
        return false;
    m->running = t.kind == JSON_TRUE;
    m->journal_first = (uint64_t)first;
    m->journal_last = (uint64_t)last;
    m->cursor_min = (uint64_t)cursor;
    return take_files(m, json);
}

enum err manifest_read(struct manifest *m, struct alloc *a, struct bytes json, struct error *e)
{
    *m = (struct manifest){.alloc = a};
    if (!take_number(json, "format", &m->format))
        return error_set(e, ERR_CORRUPT, "the manifest says no format");
    if (m->format != BACKUP_FORMAT)
        return error_set(e, ERR_UNSUPPORTED,
                         "the backup has format %lld, this program knows %d: take a newer sedge",
                         (long long)m->format, BACKUP_FORMAT);
    if (!take_all(m, json)) {
        manifest_fini(m);
        return error_set(e, ERR_CORRUPT, "the manifest can't be read");
    }
    return ERR_OK;
}

const struct archive_file *manifest_find(const struct manifest *m, const char *name)
{
    for (size_t i = 0; i < m->files.all.n; i++)
        if (strcmp(m->files.all.v[i].name, name) == 0)
            return &m->files.all.v[i];
    return NULL;
}
