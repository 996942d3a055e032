/* Rules: when, every, at, on; and what lends a handle: lend, idle. */
#include "lang/parse_internal.h"

#include <string.h>

static bool parse_hold(struct parser *p, struct expr **out)
{
    if (!take_word(p, "for"))
        return true;
    *out = parse_head(p);
    return *out != NULL;
}

/* single | restart | queued [n] */
static bool parse_mode(struct parser *p, struct item *i)
{
    static const char *const words[] = {
        [RUN_SINGLE] = "single", [RUN_RESTART] = "restart", [RUN_QUEUED] = "queued"};
    i->queued_max = LANG_QUEUED_DEFAULT;
    for (size_t w = 0; w < ARRAY_LEN(words); w++)
        if (at_word(p, words[w])) {
            i->mode = (enum run_mode)w;
            i->mode_span = token_span(p, take_token(p));
            break;
        }
    const struct token *t = peek_token(p);
    if (i->mode != RUN_QUEUED || t->kind != T_INT)
        return true;
    struct expr n = {0};
    if (!number_value(p, t, &n))
        return false;
    if (n.has_unit || n.integer < 1 || n.integer > LANG_QUEUED_MAX)
        return refuse(p, token_span(p, t), "out of range", "a rule queues 1 to 64 runs", NULL);
    i->queued_max = (uint32_t)n.integer;
    i->mode_span = span_join(i->mode_span, token_span(p, take_token(p)));
    return true;
}

/* [mode] { … }; the head ends where the block begins */
static bool parse_rule_body(struct parser *p, struct item *i, const char *what)
{
    i->head_span = span_join(i->head_span, last_span(p));
    return parse_mode(p, i) && parse_stmts(p, &i->body, what);
}

/* ---- when, every ------------------------------------------------------------------------ */

/* `changed` is a word of the rule where a value follows; else it is a name. */
static bool at_changed(const struct parser *p)
{
    static const char *const operators[] = {"and", "or", "mod", "in", "for"};
    const struct token *next = peek_next(p);
    if (at_word(p, "changed") && next->kind == T_LPAREN)
        return !token_touches(next);
    if (!at_word(p, "changed") || next->kind != T_NAME)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(operators); i++)
        if (token_is(p, next, operators[i]))
            return false;
    return true;
}

/* until cond [for t] { … } */
static bool parse_until(struct parser *p, struct item *i)
{
    i->has_until = true;
    i->until_span = token_span(p, take_token(p));
    i->until = parse_head(p);
    if (!i->until || !parse_hold(p, &i->until_hold))
        return false;
    i->until_span = span_join(i->until_span, last_span(p));
    return parse_stmts(p, &i->until_body, "`{` after the condition");
}

/* when [changed] cond [for t] [mode] { … } [until cond [for t] { … }] */
struct item *parse_when(struct parser *p)
{
    struct item *i = item_new(p, I_WHEN);
    (void)take_token(p);
    i->changed = at_changed(p) && take_word(p, "changed");
    i->value = parse_head(p);
    if (!i->value || !parse_hold(p, &i->hold) || !parse_rule_body(p, i, "`{` after the condition"))
        return NULL;
    if (at_word(p, "else")) {
        (void)refuse(p, token_span(p, peek_token(p)), "not in a rule", "a rule has no `else`",
                     "it ends, and does something then, with  until CONDITION { … }");
        return NULL;
    }
    return !at_word(p, "until") || parse_until(p, i) ? i : NULL;
}

struct item *parse_every(struct parser *p)
{
    struct item *i = item_new(p, I_EVERY);
    (void)take_token(p);
    i->value = parse_head(p);
    return i->value && parse_rule_body(p, i, "`{` after the time") ? i : NULL;
}

/* ---- at --------------------------------------------------------------------------------- */

static bool clock_part(struct parser *p, uint32_t max, uint32_t digits_min, uint32_t *out)
{
    const struct token *t = peek_token(p);
    struct str text = token_text(p, t);
    int64_t n = 0;
    if (t->kind != T_INT || t->number_to != t->to || text.n < digits_min || text.n > 2 ||
        !str_to_i64_within(text, 0, max, &n))
        return false;
    (void)take_token(p);
    *out = (uint32_t)n;
    return true;
}

bool parse_clock(struct parser *p, uint32_t *out)
{
    struct lang_span from = token_span(p, peek_token(p));
    uint32_t h = 0, m = 0, s = 0;
    if (at_kind(p, T_INT) && clock_part(p, 23, 1, &h) && take_kind(p, T_COLON) &&
        clock_part(p, 59, 2, &m) && (!take_kind(p, T_COLON) || clock_part(p, 59, 2, &s))) {
        *out = h * 3600 + m * 60 + s;
        return true;
    }
    if (bad_token(p))
        return false;
    struct lang_span at = p->at > 0 && last_token(p)->from >= from.from
                              ? span_join(from, last_span(p))
                              : place_expected(p);
    if (peek_token(p)->kind == T_INT)
        at = span_join(at, token_span(p, peek_token(p)));
    return refuse(p, at, "expected a time of day", "a time of day is written hh:mm or hh:mm:ss",
                  "as in  at 05:00, at 22:30:15");
}

static const char *const day_words[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

/* "Monday", "fri." */
static bool looks_like(struct str word, const char *day)
{
    for (size_t i = 0; i < 3; i++)
        if (i >= word.n || (word.p[i] | 0x20) != day[i])
            return false;
    return true;
}

static bool unknown_day(struct parser *p)
{
    const struct token *t = peek_token(p);
    if (t->kind != T_NAME)
        return expected_help(p, "a day", "as in  on weekdays, on weekends, on mon, wed, fri");
    struct str word = token_text(p, t);
    struct lang_diag *d =
        diag_error(p->c, "P1", token_span(p, t), "not a day", "`%.*s` is no day", STR_FMT(word));
    for (size_t i = 0; i < ARRAY_LEN(day_words); i++)
        if (looks_like(word, day_words[i])) {
            diag_help(p->c, d, "did you mean `%s`?", day_words[i]);
            return false;
        }
    struct suggest s = suggest_for(p->c, word);
    suggest_offer(&s, STR("weekdays"));
    suggest_offer(&s, STR("weekends"));
    if (suggest_found(&s))
        diag_help(p->c, d, "did you mean `%.*s`?", STR_FMT(s.best));
    else
        diag_help(p->c, d, "days are mon, tue, wed, thu, fri, sat, sun, or weekdays, weekends");
    return false;
}

bool parse_days(struct parser *p, uint8_t *out)
{
    (void)take_token(p);
    *out = 0;
    if (take_word(p, "weekdays"))
        *out = 0x1F;
    else if (take_word(p, "weekends"))
        *out = 0x60;
    if (*out)
        return true;
    do {
        uint8_t day = 0;
        for (size_t i = 0; i < ARRAY_LEN(day_words) && !day; i++)
            if (take_word(p, day_words[i]))
                day = (uint8_t)(1u << i);
        if (!day)
            return unknown_day(p);
        *out |= day;
    } while (take_kind(p, T_COMMA));
    if (at_kind(p, T_MINUS) || at_kind(p, T_RANGE))
        return expected_help(p, "`,` or what follows the days",
                             "days are listed: on mon, tue, wed; or  on weekdays");
    return true;
}

/* missed (run | last | skip) */
static bool parse_missed(struct parser *p, struct item *i)
{
    (void)take_token(p);
    i->missed = take_word(p, "run")    ? LANG_MISSED_RUN
                : take_word(p, "last") ? LANG_MISSED_LAST
                                       : LANG_MISSED_SKIP;
    return i->missed || take_word(p, "skip") ||
           expected_help(p, "`run`, `last` or `skip`",
                         "what to do about a time that passed while nothing ran");
}

/* at hh:mm [on days] [missed …] [mode] { … } */
struct item *parse_at(struct parser *p)
{
    struct item *i = item_new(p, I_AT);
    (void)take_token(p);
    i->at_days = 0x7F;
    if (!parse_clock(p, &i->at_s) || (at_word(p, "on") && !parse_days(p, &i->at_days)) ||
        (at_word(p, "missed") && !parse_missed(p, i)))
        return NULL;
    return parse_rule_body(p, i, "`{` after the time") ? i : NULL;
}

/* ---- on --------------------------------------------------------------------------------- */

/* on "subject" as name: type */
static bool parse_message(struct parser *p, struct item *i)
{
    i->value = parse_string(p);
    if (!i->value)
        return false;
    if (!take_word(p, "as"))
        return expected_help(p, "`as` and a name for the message",
                             "as in  on \"oven/done\" as batch: Batch { … }");
    return take_name(p, "a name for the message", &i->name) &&
           expect(p, T_COLON, "`:` and the type of the message") && parse_type(p, &i->type);
}

struct item *parse_on(struct parser *p)
{
    struct item *i = item_new(p, I_ON);
    (void)take_token(p);
    bool fine =
        at_kind(p, T_STRING) ? parse_message(p, i) : parse_source_path(p, i, "an event or a text");
    if (fine && at_kind(p, T_LPAREN))
        fine = expected_help(p, "`{` after the event", "here an event stands without `()`");
    return fine && parse_rule_body(p, i, "`{` after the event") ? i : NULL;
}

/* ---- lend, idle ------------------------------------------------------------------------- */

static bool clause_twice(struct parser *p, const struct token *t)
{
    (void)diag_error(p->c, "P1", token_span(p, t), "a second time", "%.*s stands here twice",
                     STR_FMT(describe(p, t)));
    return false;
}

/* priority n, max t, never */
static bool parse_lessee_clauses(struct parser *p, struct lessee *l)
{
    for (;;) {
        const struct token *t = peek_token(p);
        struct expr **value = at_word(p, "priority") ? &l->priority
                              : at_word(p, "max")    ? &l->max
                                                     : NULL;
        if (!value && !at_word(p, "never"))
            return true;
        (void)take_token(p);
        if (value ? *value != NULL : l->never)
            return clause_twice(p, t);
        if (!value)
            l->never = true;
        else if (!(*value = parse_head(p)))
            return false;
    }
}

/* lend pump to fire priority 1, tank priority 5 max 30min, operator never */
struct item *parse_lend(struct parser *p)
{
    struct item *i = item_new(p, I_LEND);
    (void)take_token(p);
    if (!parse_source_path(p, i, "the name of a handle"))
        return NULL;
    if (!take_word(p, "to"))
        return (void)expected_help(p, "`to` and a program",
                                   "as in  lend name to program max 30min"),
               NULL;
    VEC(struct lessee) list = {0};
    do {
        if (list.n > 0)
            skip_newlines(p);
        struct lessee l = {0};
        if (!take_name(p, "the name of a program, or operator", &l.name) ||
            !parse_lessee_clauses(p, &l))
            return NULL;
        ctx_tree_push(p->c, &list, l);
    } while (take_kind(p, T_COMMA));
    i->lessees = list.v;
    i->lessees_n = list.n;
    i->span = span_join(i->span, last_span(p));
    return i;
}

/* idle pump { … } */
struct item *parse_idle(struct parser *p)
{
    struct item *i = item_new(p, I_IDLE);
    (void)take_token(p);
    if (!parse_source_path(p, i, "the name of a handle"))
        return NULL;
    i->head_span = span_join(i->head_span, last_span(p));
    return parse_stmts(p, &i->body, "`{` after the handle") ? i : NULL;
}
