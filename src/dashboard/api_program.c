/* api_program: programs as they are written, and the tests of the site. */
#include "dashboard/dashboard_internal.h"

#include <string.h>

struct excerpt {
    struct str text;
    uint32_t first_line, last_line; /* from 1 */
};

static size_t line_start(struct str text, size_t at)
{
    while (at > 0 && text.p[at - 1] != '\n')
        at--;
    return at;
}

static size_t line_end(struct str text, size_t at) /* behind its newline */
{
    while (at < text.n && text.p[at] != '\n')
        at++;
    return at < text.n ? at + 1 : at;
}

static uint32_t line_number(struct str text, size_t at)
{
    uint32_t n = 1;
    for (size_t i = 0; i < at; i++)
        n += text.p[i] == '\n';
    return n;
}

/* The lines from..to lie on, with the comment right above: it is about the program. */
static struct excerpt whole_lines(struct str text, struct lang_span span)
{
    size_t from = line_start(text, span.from), to = line_end(text, span.to ? span.to - 1 : 0);
    while (from > 0) {
        size_t before = line_start(text, from - 1);
        if (!str_starts(str_trim(str_sub(text, before, from - before)), STR("//")))
            break;
        from = before;
    }
    struct excerpt e = {.text = str_sub(text, from, to - from),
                        .first_line = line_number(text, from)};
    e.last_line = line_number(text, to > from ? to - 1 : to);
    return e;
}

static const struct lang_program *find(const struct dashboard *d, struct str name)
{
    for (size_t i = 0; i < automation_programs(d->cfg.automation); i++) {
        const struct lang_program *p = automation_program(d->cfg.automation, i).program;
        if (str_eq(p->name, name))
            return p;
    }
    return NULL;
}

void api_source(void *ctx, struct http_request *q)
{
    struct dashboard *d = ctx;
    struct str name = http_request_param(q, 0);
    const struct lang_program *p = find(d, name);
    if (!p) {
        problem(q, PROBLEM_UNKNOWN, "there is no program %.*s", STR_FMT(name));
        return;
    }
    struct excerpt e = whole_lines(d->cfg.site->sources[p->span.source].text, p->span);
    struct json_writer w = answer_begin(d);
    json_object_begin(&w);
    json_key(&w, "program");
    json_str(&w, p->name);
    json_key(&w, "file");
    json_str(&w, p->file);
    json_key(&w, "line");
    json_int(&w, p->line);
    json_key(&w, "first_line");
    json_int(&w, e.first_line);
    json_key(&w, "last_line");
    json_int(&w, e.last_line);
    json_key(&w, "text");
    json_str(&w, e.text);
    json_object_end(&w);
    answer_end(d, q, 200);
}

/* --- tests --- */

static void answer_tests(struct dashboard *d, struct http_request *q, unsigned status)
{
    struct json_writer w = answer_begin(d);
    d->cfg.tests.write(d->cfg.tests.ctx, &w);
    answer_end(d, q, status);
}

void api_tests(void *ctx, struct http_request *q)
{
    struct dashboard *d = ctx;
    if (d->cfg.tests.start)
        answer_tests(d, q, 200);
    else
        problem(q, PROBLEM_ABSENT, "this site can't run tests");
}

void api_run_tests(void *ctx, struct http_request *q)
{
    struct dashboard *d = ctx;
    struct error e = {0};
    if (!d->cfg.tests.start) {
        problem(q, PROBLEM_ABSENT, "this site can't run tests");
        return;
    }
    enum err err = d->cfg.tests.start(d->cfg.tests.ctx, &e);
    if (err == ERR_EXISTS) {
        problem(q, PROBLEM_UNDER_WAY, "the tests run already");
    } else if (err) {
        problem(q, PROBLEM_BUSY, "the tests can't be run: %s", e.text);
    } else {
        dashboard_tests_changed(d);
        answer_tests(d, q, 202);
    }
}

void api_settings(void *ctx, struct http_request *q)
{
    struct dashboard *d = ctx;
    if (!d->cfg.settings.write) {
        problem(q, PROBLEM_ABSENT, "this site does not show its settings");
        return;
    }
    struct json_writer w = answer_begin(d);
    d->cfg.settings.write(d->cfg.settings.ctx, &w);
    answer_end(d, q, 200);
}

void api_links(void *ctx, struct http_request *q)
{
    struct dashboard *d = ctx;
    if (!d->cfg.links.write) {
        problem(q, PROBLEM_ABSENT, "this site opens no lines");
        return;
    }
    struct json_writer w = answer_begin(d);
    d->cfg.links.write(d->cfg.links.ctx, &w);
    answer_end(d, q, 200);
}
