/* Reading summaries. What comes from a store may be damaged, so nothing is believed. */
#include "lang/summary_internal.h"

#include "base/cursor.h"

#define LINES_MAX   65536u
#define NUMBER_MAX  24u
#define NAME_MAX    4096u
#define EFFECTS_MAX 65536u

struct in {
    struct lang_ctx *c;
    struct cursor at;
    bool failed;
};

static bool fail(struct in *x)
{
    x->failed = true;
    return false;
}

static char peek(const struct in *x)
{
    return cursor_left(&x->at) > 0 ? (char)*x->at.p : '\0';
}

static bool take_char(struct in *x, char want)
{
    if (x->failed || cursor_u8(&x->at) != (uint8_t)want || x->at.failed)
        return fail(x);
    return true;
}

/* Up to a space, a colon or the end of the line. */
static struct str take_word_text(struct in *x)
{
    struct str s = {(const char *)x->at.p, 0};
    while (cursor_left(&x->at) > 0 && peek(x) != ' ' && peek(x) != '\n' && peek(x) != ':' &&
           s.n < NUMBER_MAX) {
        (void)cursor_u8(&x->at);
        s.n++;
    }
    return s;
}

static bool word_is(struct in *x, const char *word)
{
    return str_eq(take_word_text(x), str_from(word)) || fail(x);
}

/* " 12" */
static uint32_t take_number(struct in *x, uint32_t max)
{
    int64_t n = 0;
    if (!take_char(x, ' '))
        return 0;
    if (!str_to_i64_within(take_word_text(x), 0, max, &n)) {
        (void)fail(x);
        return 0;
    }
    return (uint32_t)n;
}

static double take_double(struct in *x)
{
    double v = 0;
    if (take_char(x, ' ') && str_to_double(take_word_text(x), &v) != ERR_OK)
        (void)fail(x);
    return x->failed ? 0 : v;
}

/* " 4:gate" */
static struct str take_text(struct in *x, uint32_t max)
{
    uint32_t n = take_number(x, max);
    if (!take_char(x, ':'))
        return STR("");
    struct bytes b = cursor_take(&x->at, n);
    struct str s = {(const char *)b.p, b.n};
    if (x->at.failed || !utf8_valid(s)) {
        (void)fail(x);
        return STR("");
    }
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == '\n' || s.p[i] == '\0') {
            (void)fail(x);
            return STR("");
        }
    return ctx_str(x->c, s);
}

static uint32_t take_place(struct in *x, const struct summary *s)
{
    uint32_t n = take_number(x, UINT32_MAX - 1);
    if (n >= s->places.n)
        (void)fail(x);
    return n;
}

/* ---- lines --------------------------------------------------------------------------------- */

static void read_place(struct in *x, struct summary *s)
{
    struct summary_place p = {.line = take_number(x, LANG_SOURCE_SIZE_MAX)};
    p.column = take_number(x, LANG_SOURCE_SIZE_MAX);
    p.bytes = take_number(x, LANG_SOURCE_SIZE_MAX);
    p.text = take_text(x, LANG_SOURCE_SIZE_MAX);
    if (p.line == 0 || p.column > p.text.n || p.bytes > p.text.n - p.column)
        (void)fail(x);
    else
        ctx_tree_push(x->c, &s->places, p);
}

static void read_own(struct in *x, struct summary *s)
{
    struct summary_own o = {.handle = take_text(x, NAME_MAX)};
    o.resource = take_text(x, NAME_MAX);
    o.place = take_place(x, s);
    if (o.handle.n == 0 || o.resource.n == 0)
        (void)fail(x);
    ctx_tree_push(x->c, &s->owns, o);
}

static void read_lend(struct in *x, struct summary *s)
{
    struct summary_lend l = {.handle = take_text(x, NAME_MAX)};
    l.to = take_text(x, NAME_MAX);
    l.place = take_place(x, s);
    ctx_tree_push(x->c, &s->lends, l);
}

static void read_need(struct in *x, struct summary *s)
{
    struct summary_need n = {.from = take_text(x, NAME_MAX)};
    n.handle = take_text(x, NAME_MAX);
    n.place = take_place(x, s);
    ctx_tree_push(x->c, &s->needs, n);
}

static void read_message(struct in *x, struct summary *s)
{
    struct summary_message m = {.name = take_text(x, NAME_MAX)};
    m.key = take_text(x, NAME_MAX);
    m.said = take_number(x, 1) == 1;
    m.place = take_place(x, s);
    ctx_tree_push(x->c, &s->messages, m);
}

static void read_order(struct in *x, struct summary *s)
{
    struct summary_order o = {.outer = take_text(x, NAME_MAX)};
    o.inner = take_text(x, NAME_MAX);
    o.outer_place = take_place(x, s);
    o.inner_place = take_place(x, s);
    ctx_tree_push(x->c, &s->orders, o);
}

static struct summary_rule *last_rule(struct in *x, struct summary *s)
{
    if (s->rules.n > 0)
        return &s->rules.v[s->rules.n - 1];
    (void)fail(x);
    return NULL;
}

static void read_rule(struct in *x, struct summary *s)
{
    struct summary_rule r = {.number = take_number(x, UINT32_MAX - 1)};
    r.trigger = (enum trigger)take_number(x, TRIGGER_ONCE);
    r.until = take_number(x, 1) == 1;
    r.delays = take_number(x, 1) == 1;
    r.place = take_place(x, s);
    ctx_tree_push(x->c, &s->rules, r);
}

/* One node of the condition of the last rule. */
static void read_condition(struct in *x, struct summary *s)
{
    struct summary_rule *r = last_rule(x, s);
    struct summary_cond c = {.op = (enum cond_op)take_number(x, COND_VAR)};
    if (c.op == COND_READ || c.op == COND_VAR) {
        c.cmp = (enum lang_cmp)take_number(x, LANG_GE);
        c.resource = take_text(x, NAME_MAX);
        c.name = take_text(x, NAME_MAX);
        c.value = take_double(x);
        c.truth = take_number(x, 1) == 1;
    }
    if (!r || r->condition.n >= COND_NODES_MAX || r->effects.n > 0) {
        (void)fail(x);
        return;
    }
    r->has_condition = true;
    ctx_tree_push(x->c, &r->condition, c);
}

static void read_effect(struct in *x, struct summary *s)
{
    struct summary_rule *r = last_rule(x, s);
    struct summary_effect e = {.kind = (enum effect_kind)take_number(x, EFFECT_KINDS - 1)};
    e.resource = take_text(x, NAME_MAX);
    e.name = take_text(x, NAME_MAX);
    e.level = take_number(x, 255);
    e.has_value = take_number(x, 1) == 1;
    e.value = take_double(x);
    e.place = take_place(x, s);
    if (!r || r->effects.n >= EFFECTS_MAX) {
        (void)fail(x);
        return;
    }
    ctx_tree_push(x->c, &r->effects, e);
}

/* Each operator finds its operands, and one value is left. */
static bool condition_whole(const struct summary_rule *r)
{
    size_t depth = 0;
    for (size_t i = 0; i < r->condition.n; i++) {
        enum cond_op op = r->condition.v[i].op;
        size_t needs = op == COND_AND || op == COND_OR ? 2 : op == COND_NOT ? 1 : 0;
        if (depth < needs)
            return false;
        depth = depth - needs + 1;
    }
    return r->condition.n == 0 || depth == 1;
}

static bool read_line(struct in *x, struct summary *s)
{
    static const struct {
        const char *word;
        void (*read)(struct in *x, struct summary *s);
    } table[] = {{"place", read_place}, {"own", read_own},         {"lend", read_lend},
                 {"need", read_need},   {"message", read_message}, {"order", read_order},
                 {"rule", read_rule},   {"if", read_condition},    {"does", read_effect}};
    struct str word = take_word_text(x);
    if (str_eq(word, STR("end")))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (str_eq(word, str_from(table[i].word))) {
            table[i].read(x, s);
            return take_char(x, '\n');
        }
    return fail(x);
}

enum err summary_read(struct lang_ctx *c, struct str text, struct summary *out)
{
    struct in x = {.c = c, .at = cursor_from(text.p, text.n)};
    *out = (struct summary){0};
    (void)word_is(&x, "sedge-summary");
    if (take_number(&x, UINT32_MAX - 1) != LANG_SUMMARY_VERSION)
        return ERR_CORRUPT;
    (void)(take_char(&x, '\n') && word_is(&x, "program"));
    out->program = take_text(&x, NAME_MAX);
    out->file = take_text(&x, NAME_MAX);
    (void)take_char(&x, '\n');
    uint32_t lines = 0;
    while (!x.failed && lines < LINES_MAX && read_line(&x, out))
        lines++;
    if (x.failed || lines == LINES_MAX || !take_char(&x, '\n') || cursor_left(&x.at) > 0 ||
        out->program.n == 0)
        return ERR_CORRUPT;
    for (size_t i = 0; i < out->rules.n; i++)
        if (!condition_whole(&out->rules.v[i]))
            return ERR_CORRUPT;
    return ERR_OK;
}

/* ---- the quoted lines ------------------------------------------------------------------------ */

static bool same_file(const struct summary *a, const struct summary *b)
{
    return str_eq(a->file, b->file);
}

struct str summary_source(struct lang_ctx *c, const struct summary *list, size_t n, size_t first)
{
    uint32_t lines = 0;
    for (size_t i = first; i < n; i++)
        for (size_t p = 0; same_file(&list[i], &list[first]) && p < list[i].places.n; p++)
            if (list[i].places.v[p].line > lines)
                lines = list[i].places.v[p].line;
    struct str *quoted = ctx_tree_array(c, (size_t)lines + 1, sizeof(*quoted));
    for (size_t i = first; i < n; i++)
        for (size_t p = 0; same_file(&list[i], &list[first]) && p < list[i].places.n; p++) {
            struct str text = list[i].places.v[p].text, *at = &quoted[list[i].places.v[p].line];
            if (text.n > at->n) /* of two that differ the longer one: all places stay inside */
                *at = text;
        }
    struct strbuf b;
    strbuf_init(&b, &c->alloc, 0);
    for (uint32_t l = 1; l <= lines; l++) {
        strbuf_addstr(&b, quoted[l]);
        strbuf_addc(&b, '\n');
    }
    if (b.failed)
        ctx_nomem(c);
    return strbuf_str(&b);
}
