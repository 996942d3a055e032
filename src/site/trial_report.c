/* trial_report: what was expected, where that is written, and what happened instead. */
#include "site/trial.h"

#include "site/schema.h"

enum { SHOWN_MAX = 10, SECOND_MS = 1000, MINUTE_MS = 60 * 1000, HOUR_MS = 3600 * 1000 };

/* --- times: "1 h 5 min 10.002 s" --- */

static void add_time(struct strbuf *out, int64_t ms)
{
    int64_t h = ms / HOUR_MS, min = ms % HOUR_MS / MINUTE_MS, rest = ms % MINUTE_MS;
    if (h)
        strbuf_addf(out, "%lld h", (long long)h);
    if (min)
        strbuf_addf(out, "%s%lld min", h ? " " : "", (long long)min);
    if (!rest && (h || min))
        return;
    strbuf_adds(out, h || min ? " " : "");
    strbuf_add_double(out, (double)rest / SECOND_MS);
    strbuf_adds(out, " s");
}

/* --- places --- */

static struct str file_of(const struct lang_site *site, uint32_t source)
{
    return source < site->sources_n ? site->sources[source].name : STR("?");
}

static const struct lang_rule *rule_of(const struct lang_site *site, const struct trial_event *e,
                                       const struct lang_program **program)
{
    for (size_t p = 0; p < site->programs_n; p++) {
        *program = site->programs[p];
        for (size_t i = 0; i < site->programs[p]->rules_n; i++)
            if (str_eq(site->programs[p]->rules[i].path, e->rule))
                return &site->programs[p]->rules[i];
    }
    return NULL;
}

struct source_line {
    struct str text;
    uint32_t number, column; /* from 1; columns in bytes */
};

static struct source_line line_at(const struct lang_site *site, struct lang_span span)
{
    struct source_line l = {.number = 1, .column = 1};
    if (span.source >= site->sources_n)
        return l;
    struct str text = site->sources[span.source].text;
    size_t from = 0, to, at = span.from < text.n ? span.from : text.n;
    for (size_t i = 0; i < at; i++)
        if (text.p[i] == '\n') {
            l.number++;
            from = i + 1;
        }
    for (to = at; to < text.n && text.p[to] != '\n';)
        to++;
    l.text = str_sub(text, from, to - from);
    l.column = (uint32_t)(at - from) + 1;
    return l;
}

static struct str span_text(const struct lang_site *site, struct lang_span span)
{
    if (span.source >= site->sources_n || span.to < span.from)
        return STR("");
    return str_sub(site->sources[span.source].text, span.from, span.to - span.from);
}

/* --- what happened --- */

static void add_event(struct strbuf *out, const struct trial *t, const struct trial_event *e)
{
    const struct lang_program *program = NULL;
    if (e->is_alert)
        strbuf_addf(out, "alert %s \"%.*s\"", severity_name(e->severity), STR_FMT(e->text));
    else
        strbuf_addf(out, "%.*s.%.*s(%.*s)", STR_FMT(e->device), STR_FMT(e->action),
                    STR_FMT(e->args_json.n > 2 ? e->args_json : STR("")));
    const struct lang_rule *rule = e->rule.n ? rule_of(t->site, e, &program) : NULL;
    if (rule)
        strbuf_addf(out, ", by %.*s:%u %.*s", STR_FMT(program->file), rule->line,
                    STR_FMT(rule->text));
    else if (e->program.n)
        strbuf_addf(out, ", by %.*s", STR_FMT(e->program));
    if (e->because.n)
        strbuf_addf(out, " (%.*s)", STR_FMT(e->because));
}

static void print_events(struct strbuf *out, const struct trial *t, const struct trial_failure *f)
{
    size_t n = f->events_to - f->events_from;
    if (n == 0) {
        strbuf_adds(out, "  nothing happened in that time\n");
        return;
    }
    strbuf_adds(out, "  what happened:\n");
    for (size_t i = 0; i < n && i < SHOWN_MAX; i++) {
        const struct trial_event *e = &t->events.v[f->events_from + i];
        strbuf_adds(out, "    at ");
        add_time(out, e->at_ms);
        strbuf_adds(out, ": ");
        add_event(out, t, e);
        strbuf_addc(out, '\n');
    }
    if (n > SHOWN_MAX)
        strbuf_addf(out, "    and %zu more\n", n - SHOWN_MAX);
}

/* Whether the rule held in vain in the time that the failure is about. */
static bool is_near(const struct trial_near *n, const struct trial_failure *f)
{
    int64_t until = n->over ? n->since_ms + n->held_ms : f->to_ms;
    return !n->fired && n->since_ms <= f->to_ms && until >= f->from_ms;
}

static int64_t near_held_ms(const struct trial_near *n, const struct trial_failure *f)
{
    bool over = n->over && n->since_ms + n->held_ms <= f->to_ms;
    return over ? n->held_ms : f->to_ms - n->since_ms;
}

static bool wants_near(const struct trial_failure *f)
{
    return !f->step->no && (f->step->kind == LANG_STEP_ACTION || f->step->kind == LANG_STEP_HOST);
}

static void print_nears(struct strbuf *out, const struct trial *t, const struct trial_failure *f)
{
    size_t shown = 0;
    for (size_t i = 0; i < t->nears.n && shown < SHOWN_MAX; i++) {
        const struct trial_near *n = &t->nears.v[i];
        if (!is_near(n, f))
            continue;
        strbuf_adds(out, shown++ ? "" : "  nearly:\n");
        strbuf_addf(out, "    %.*s:%u %.*s held ", STR_FMT(n->program->file), n->rule->line,
                    STR_FMT(n->rule->text));
        add_time(out, near_held_ms(n, f));
        strbuf_adds(out, " of ");
        add_time(out, n->rule->hold_ms);
        strbuf_addc(out, '\n');
    }
}

/* --- for people --- */

static void print_interval(struct strbuf *out, const struct trial_failure *f)
{
    bool value = f->step->kind == LANG_STEP_VALUE || f->step->kind == LANG_STEP_VAR;
    strbuf_adds(out, value || f->from_ms == f->to_ms ? "at " : "from ");
    if (!value && f->from_ms != f->to_ms) {
        add_time(out, f->from_ms);
        strbuf_adds(out, " to ");
    }
    add_time(out, f->to_ms);
}

static void print_failure(struct strbuf *out, const struct trial *t, const struct trial_failure *f)
{
    struct source_line l = line_at(t->site, f->step->span);
    int width = l.number < 1000 ? 4 : 8;
    strbuf_addf(out, "  --> %.*s:%u:%u\n", STR_FMT(file_of(t->site, f->step->span.source)),
                l.number, l.column);
    strbuf_addf(out, "%*u | %.*s\n%*s | ", width, l.number, STR_FMT(l.text), width, "");
    for (uint32_t i = 1; i < l.column; i++) {
        bool inside = i <= l.text.n && ((unsigned char)l.text.p[i - 1] & 0xC0) == 0x80;
        if (!inside) /* of a character of several bytes */
            strbuf_addc(out, i <= l.text.n && l.text.p[i - 1] == '\t' ? '\t' : ' ');
    }
    strbuf_adds(out, "^^^^^^ ");
    print_interval(out, f);
    if (f->actual.n)
        strbuf_addf(out, ": it %.*s\n", STR_FMT(f->actual));
    else
        strbuf_adds(out, f->step->no ? ": it did happen\n" : ": it did not happen\n");
    if (f->actual.n)
        return;
    print_events(out, t, f);
    if (wants_near(f))
        print_nears(out, t, f);
}

void trial_print(struct strbuf *out, const struct trial *t)
{
    strbuf_addf(out, "%s \"%.*s\" (%.*s:%u)\n", t->failures.n ? "FAIL" : "ok  ",
                STR_FMT(t->test->name), STR_FMT(file_of(t->site, t->test->source)), t->test->line);
    for (size_t i = 0; i < t->failures.n; i++)
        print_failure(out, t, &t->failures.v[i]);
    if (t->failures.n)
        strbuf_addc(out, '\n');
}

/* --- for programs --- */

static void json_member(struct strbuf *out, const char *key, struct str s)
{
    strbuf_addf(out, ",\"%s\":", key);
    if (s.n)
        strbuf_add_json(out, s);
    else
        strbuf_adds(out, "null");
}

static void json_event(struct strbuf *out, const struct trial_event *e)
{
    strbuf_addf(out, "{\"at_ms\":%lld,\"kind\":\"%s\"", (long long)e->at_ms,
                e->is_alert ? "alert" : "action");
    json_member(out, "device", e->device);
    if (e->is_alert) {
        strbuf_addf(out, ",\"severity\":\"%s\"", severity_name(e->severity));
        json_member(out, "text", e->text);
    } else {
        json_member(out, "action", e->action);
        strbuf_addf(out, ",\"args\":%.*s", STR_FMT(e->args_json));
    }
    json_member(out, "program", e->program);
    json_member(out, "rule", e->rule);
    strbuf_addf(out, ",\"line\":%u", e->line);
    json_member(out, "because", e->because);
    strbuf_addc(out, '}');
}

static void json_nears(struct strbuf *out, const struct trial *t, const struct trial_failure *f)
{
    bool any = false;
    for (size_t i = 0; wants_near(f) && i < t->nears.n; i++) {
        const struct trial_near *n = &t->nears.v[i];
        if (!is_near(n, f))
            continue;
        strbuf_adds(out, any ? ",{\"rule\":" : "{\"rule\":");
        strbuf_add_json(out, n->rule->path);
        strbuf_addf(out, ",\"line\":%u,\"held_ms\":%lld,\"hold_ms\":%lld}", n->rule->line,
                    (long long)near_held_ms(n, f), (long long)n->rule->hold_ms);
        any = true;
    }
}

static void json_failure(struct strbuf *out, const struct trial *t, const struct trial_failure *f)
{
    struct source_line l = line_at(t->site, f->step->span);
    strbuf_adds(out, "{\"file\":");
    strbuf_add_json(out, file_of(t->site, f->step->span.source));
    strbuf_addf(out, ",\"line\":%u,\"column\":%u", l.number, l.column);
    json_member(out, "expected", span_text(t->site, f->step->span));
    strbuf_addf(out, ",\"from_ms\":%lld,\"to_ms\":%lld", (long long)f->from_ms,
                (long long)f->to_ms);
    json_member(out, "actual", f->actual);
    strbuf_adds(out, ",\"happened\":[");
    for (size_t i = f->events_from; i < f->events_to; i++) {
        strbuf_adds(out, i > f->events_from ? "," : "");
        json_event(out, &t->events.v[i]);
    }
    strbuf_adds(out, "],\"nearly\":[");
    json_nears(out, t, f);
    strbuf_adds(out, "]}");
}

/* A failure as people read it. */
static void json_text(struct strbuf *out, const struct trial *t)
{
    struct strbuf text;
    strbuf_init(&text, alloc_system(), 0);
    if (t->failures.n)
        trial_print(&text, t);
    if (text.n)
        strbuf_add_json(out, strbuf_str(&text));
    else
        strbuf_adds(out, "null");
    strbuf_fini(&text);
}

void trial_json(struct strbuf *out, const struct trial *t)
{
    strbuf_adds(out, "{\"name\":");
    strbuf_add_json(out, t->test->name);
    strbuf_adds(out, ",\"file\":");
    strbuf_add_json(out, file_of(t->site, t->test->source));
    strbuf_addf(out, ",\"line\":%u,\"passed\":%s,\"expects\":%zu,\"simulated_ms\":%lld,",
                t->test->line, t->failures.n ? "false" : "true", t->expects,
                (long long)t->lasted_ms);
    strbuf_adds(out, "\"text\":");
    json_text(out, t);
    strbuf_adds(out, ",\"failures\":[");
    for (size_t i = 0; i < t->failures.n; i++) {
        strbuf_adds(out, i ? "," : "");
        json_failure(out, t, &t->failures.v[i]);
    }
    strbuf_adds(out, "]}");
}
