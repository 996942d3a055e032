/* adopt_answer: what came of an adoption, as the API says it (docs/http-api.md). */
#include "codec/json.h"
#include "site/adopt_internal.h"

static void write_texts(struct json_writer *j, const char *key, const struct str *texts, size_t n)
{
    json_key(j, key);
    json_array_begin(j);
    for (size_t i = 0; i < n; i++)
        json_str(j, texts[i]);
    json_array_end(j);
}

static void write_warnings(struct json_writer *j, const struct adoption *w)
{
    json_key(j, "warnings");
    json_array_begin(j);
    for (size_t i = 0; i < w->pending_n; i++)
        json_str(j, w->pending[i]);
    for (size_t i = 0; i < w->proposal.warning_n; i++)
        json_str(j, w->proposal.warnings[i]);
    json_array_end(j);
}

static void write_left(struct json_writer *j, const struct adopt_proposal *p)
{
    json_key(j, "left_out");
    json_array_begin(j);
    for (size_t i = 0; i < p->left_n; i++) {
        json_object_begin(j);
        json_key(j, "topic");
        json_str(j, p->left[i].topic);
        json_key(j, "path");
        json_str(j, p->left[i].path);
        json_key(j, "why");
        json_str(j, p->left[i].why);
        json_object_end(j);
    }
    json_array_end(j);
}

static void write_text(struct json_writer *j, struct adoption *w)
{
    const struct adopt_proposal *p = &w->proposal;
    bool both = p->model_text.n && p->device_text.n;
    json_key(j, "text");
    json_str(j, w->text.p ? w->text
                          : arena_strf(&w->arena, "%.*s%s%.*s", STR_FMT(p->model_text),
                                       both ? "\n" : "", STR_FMT(p->device_text)));
}

static void write_name(struct json_writer *j, const char *key, struct str name)
{
    json_key(j, key);
    json_str(j, name.n ? name : (struct str){0});
}

static void write_flag(struct json_writer *j, const char *key, bool v)
{
    json_key(j, key);
    json_bool(j, v);
}

static void write_answer(struct strbuf *out, struct adoption *w, struct str reload)
{
    const struct adopt_proposal *p = &w->proposal;
    struct json_writer j;
    json_writer_init(&j, out);
    json_object_begin(&j);
    write_name(&j, "device", p->device);
    write_name(&j, "model", p->model);
    write_flag(&j, "device_exists", p->device_there != NULL);
    write_flag(&j, "model_exists", p->model_there != NULL);
    write_flag(&j, "editable", !p->device_there);
    write_text(&j, w);
    write_texts(&j, "topics", p->topics, p->topic_n);
    write_left(&j, p);
    json_key(&j, "files");
    json_raw(&j, strbuf_str(&w->files));
    json_key(&j, "shown");
    json_cstr(&j, w->digest);
    write_warnings(&j, w);
    json_key(&j, "diagnostics");
    json_raw(&j, strbuf_str(&w->diags));
    write_flag(&j, "applied", w->written);
    json_key(&j, "reload");
    json_raw(&j, reload);
    json_object_end(&j);
}

static void add_member(struct dashboard_adopt_answer *a, const char *name, struct str json)
{
    size_t i = 0;
    while (i < ARRAY_LEN(a->members) && a->members[i].name)
        i++;
    if (json.n && i < ARRAY_LEN(a->members)) {
        a->members[i].name = name;
        a->members[i].json = json;
    }
}

void adoption_answer(const struct site_adopt_config *cfg, struct adoption *w, struct str reload)
{
    struct dashboard_adopt_answer out = {.outcome = w->outcome, .why = w->why.text};
    struct strbuf json, text;
    strbuf_init(&json, cfg->alloc, ADOPT_ANSWER_MAX);
    strbuf_init(&text, cfg->alloc, ADOPT_ANSWER_MAX);
    if (w->outcome == ADOPT_DONE) {
        write_answer(&json, w, reload);
        out.json = strbuf_str(&json);
        out.outcome = json.failed || w->arena.failed ? ADOPT_NOT_WRITTEN : ADOPT_DONE;
        out.why = "there is no memory for the answer";
    } else if (w->outcome == ADOPT_REFUSED || w->outcome == ADOPT_LEFT_CHANGED) {
        strbuf_add_json(&text, strbuf_str(&w->messages));
        add_member(&out, "diagnostics", strbuf_str(&w->diags));
        add_member(&out, "text", strbuf_str(&text));
        add_member(&out, "files", strbuf_str(&w->files));
        if (!str_eq(reload, STR("null")))
            add_member(&out, "reload", reload);
    } else if (w->outcome == ADOPT_NOT_SHOWN) {
        add_member(&out, "files", strbuf_str(&w->files));
    } else if (w->outcome == ADOPT_UNKNOWN) {
        out.topic = str_from(w->why.where);
    }
    w->done(w->arg, &out);
    strbuf_fini(&json);
    strbuf_fini(&text);
}
