/* adopt_files: the site's files are read, the proposal is made and put in, all of it is checked,
 * and written if that is wanted. On the offload pool. */
#include "base/log.h"
#include "base/map.h"
#include "codec/json.h"
#include "site/adopt_internal.h"
#include "site/schema.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static enum err read_site(const struct site_adopt_config *cfg, struct adoption *w)
{
    struct site_sources sources;
    enum err err = site_read_sources(cfg->alloc, cfg->path, &sources, &w->why);
    if (err)
        return err;
    err = lang_check(cfg->alloc, site_schema(), sources.v, sources.n, &w->site);
    site_sources_fini(&sources);
    return err ? error_set(&w->why, err, "no memory to check the site") : ERR_OK;
}

static enum err give_up(struct adoption *w, enum adopt_outcome outcome, enum err err)
{
    w->outcome = outcome;
    return err;
}

static enum err refuse(struct adoption *w, const struct lang_site *site, const char *what)
{
    site_render_diags(&w->messages, site, false);
    site_json_diags(&w->diags, site);
    return give_up(w, ADOPT_REFUSED,
                   error_set(&w->why, ERR_INVALID, "%s %zu error%s", what, site->errors,
                             site->errors == 1 ? "" : "s"));
}

static void put_in(struct adoption *w)
{
    if (w->text.p)
        edit_add_text(&w->edit, w->text);
    else
        adopt_proposal_put(&w->proposal, &w->edit);
}

static void write_file(struct json_writer *j, const struct edit *ed, size_t i, struct strbuf *diff)
{
    size_t added, removed;
    strbuf_reset(diff);
    edit_diff(ed, i, diff, &added, &removed);
    json_object_begin(j);
    json_key(j, "file");
    json_str(j, ed->after[i].name);
    json_key(j, "new");
    json_bool(j, edit_is_new(ed, i));
    json_key(j, "added");
    json_int(j, (int64_t)added);
    json_key(j, "removed");
    json_int(j, (int64_t)removed);
    json_key(j, "diff");
    json_str(j, strbuf_str(diff));
    json_object_end(j);
}

static void describe_files(struct adoption *w)
{
    struct json_writer j;
    struct strbuf diff;
    strbuf_init(&diff, alloc_system(), ADOPT_ANSWER_MAX / 4);
    json_writer_init(&j, &w->files);
    json_array_begin(&j);
    for (size_t i = 0; i < w->edit.n; i++)
        if (edit_changes(&w->edit, i))
            write_file(&j, &w->edit, i, &diff);
    json_array_end(&j);
    w->files.failed |= diff.failed;
    strbuf_fini(&diff);
}

/* Whoever speaks on the topics has a hand in what is proposed, so it is a digest that nobody can
 * aim at. */
static enum err take_digest(struct adoption *w)
{
    uint8_t sum[EVP_MAX_MD_SIZE];
    unsigned n;
    if (w->files.failed || !EVP_Digest(w->files.p, w->files.n, sum, &n, EVP_sha256(), NULL))
        return give_up(w, ADOPT_NOT_WRITTEN,
                       error_set(&w->why, ERR_NOMEM, "no memory for what changes in the files"));
    for (unsigned i = 0; i < n; i++)
        (void)snprintf(w->digest + 2 * i, 3, "%02x", sum[i]);
    return ERR_OK;
}

/* A proposal is made anew when it is applied, and who publishes in between must not be able to put
 * something else into the files than what was said yes to. */
static enum err check_shown(struct adoption *w)
{
    enum err err = take_digest(w);
    if (err || !w->apply || !w->shown.p || str_eq(w->shown, str_from(w->digest)))
        return err;
    return give_up(w, ADOPT_NOT_SHOWN,
                   error_set(&w->why, ERR_EXISTS,
                             "what would be written is not what was shown any more: look at it "
                             "again"));
}

static enum err check_changed(const struct site_adopt_config *cfg, struct adoption *w)
{
    struct site_settings settings;
    enum err err = lang_check(cfg->alloc, site_schema(), w->edit.after, w->edit.n, &w->changed);
    if (err)
        return give_up(w, ADOPT_NOT_WRITTEN, error_set(&w->why, err, "no memory for the check"));
    if (w->changed->errors)
        return refuse(w, w->changed, "the site with this in it has");
    err = site_settings_read(&settings, w->changed, &w->why);
    if (err)
        return give_up(w, ADOPT_REFUSED, err);
    site_json_diags(&w->diags, w->changed);
    return ERR_OK;
}

static bool is_one_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && !S_ISDIR(st.st_mode);
}

static const struct adoption_source *taken_of(const struct adoption *w, struct str name)
{
    for (size_t i = 0; i < w->taken_n; i++)
        if (str_eq(w->taken[i].name, name))
            return &w->taken[i];
    return NULL;
}

/* What somebody else has in hand is taken together with the new device, be it half done. */
static void note_pending(struct adoption *w)
{
    for (size_t i = 0; i < w->site->sources_n && w->pending_n < ARRAY_LEN(w->pending); i++) {
        const struct lang_source *s = &w->site->sources[i];
        const struct adoption_source *was = taken_of(w, s->name);
        if (was && was->sum == hash_bytes(s->text.p, s->text.n, 0))
            continue;
        w->pending[w->pending_n++] = arena_strf(
            &w->arena, "%.*s %s since the site was taken: that is taken together with this",
            STR_FMT(s->name), was ? "has been changed" : "is new");
    }
}

static enum err make(const struct site_adopt_config *cfg, struct adoption *w)
{
    enum err err = read_site(cfg, w);
    if (err)
        return give_up(w, ADOPT_NOT_WRITTEN, err);
    if (w->site->errors)
        return refuse(w, w->site, "the site's files can't be added to: they have");
    note_pending(w);
    if (w->claimed.n)
        return give_up(w, ADOPT_NOT_POSSIBLE,
                       error_set(&w->why, ERR_EXISTS, "%.*s is a topic of %.*s already",
                                 STR_FMT(w->claimed), STR_FMT(w->claimer)));
    if (!w->text.p)
        err = adopt_propose(&w->proposal, &w->view, w->site, &w->request, &w->why);
    if (err)
        return give_up(w,
                       err == ERR_NOT_FOUND ? ADOPT_UNKNOWN
                       : err == ERR_NOMEM   ? ADOPT_NOT_WRITTEN
                                            : ADOPT_NOT_POSSIBLE,
                       err);
    edit_init(&w->edit, &w->arena, w->site, is_one_file(cfg->path));
    put_in(w);
    err = edit_finish(&w->edit, &w->why);
    if (err)
        return give_up(w, ADOPT_NOT_WRITTEN, err);
    describe_files(w);
    err = check_shown(w);
    return err ? err : check_changed(cfg, w);
}

static void write_it(const struct site_adopt_config *cfg, struct adoption *w)
{
    bool changed;
    struct error e = {0};
    enum err err = edit_write(&w->edit, cfg->path, &changed, &e);
    if (err && changed)
        (void)give_up(w, ADOPT_LEFT_CHANGED,
                      error_set(&w->why, err, "%s, but not all files are as they were", e.text));
    else if (err)
        (void)give_up(w, err == ERR_EXISTS || err == ERR_BUSY ? ADOPT_CHANGED : ADOPT_NOT_WRITTEN,
                      error_set(&w->why, err, "%s", e.text));
    w->written = !err;
}

void adoption_run(const struct site_adopt_config *cfg, struct adoption *w)
{
    if (make(cfg, w) == ERR_OK && w->apply)
        write_it(cfg, w);
}

static const char refused[] = "the site with this in it can't take the running one's place";

void adoption_stays_changed(struct adoption *w, enum err err, const char *why)
{
    LOG_E("app", "the site's files can't be put back as they were: %s", why);
    (void)give_up(w, ADOPT_LEFT_CHANGED,
                  error_set(&w->why, err, "%s, and its files can't be put back as they were: %s",
                            refused, why));
}

void adoption_revert(const struct site_adopt_config *cfg, struct adoption *w)
{
    struct error e = {0};
    enum err err = edit_revert(&w->edit, cfg->path, &e);
    if (err)
        adoption_stays_changed(w, err, e.text);
    else
        (void)give_up(w, ADOPT_REFUSED,
                      error_set(&w->why, ERR_INVALID, "%s; its files are as they were", refused));
}
