/* Tests: steps in virtual time, what they set and what they expect. */
#include "lang/parse_internal.h"

static const char *const outside_test[] = {"program", NULL};

static struct stmt *parse_step(struct parser *p);

static bool parse_steps(struct parser *p, struct stmt_list *out, const char *what)
{
    struct block b;
    if (!block_open(p, &b, what))
        return false;
    VEC(struct stmt *) list = {0};
    bool damaged = false;
    while (block_more(p, &b, outside_test)) {
        size_t at = p->at;
        struct stmt *s = parse_step(p);
        if (s && expect_end(p, "a step")) {
            ctx_tree_push(p->c, &list, s);
            continue;
        }
        recover(p, at);
        damaged = true;
    }
    *out = (struct stmt_list){list.v, list.n, block_close(p, &b), damaged};
    return true;
}

static bool after_steps(struct parser *p, struct test_syntax *t)
{
    t->kind = TEST_AFTER;
    t->value = parse_head(p);
    return t->value && parse_steps(p, &t->body, "`{` after the time");
}

static bool at_steps(struct parser *p, struct test_syntax *t)
{
    t->kind = TEST_AT;
    return parse_clock(p, &t->at_s) && parse_steps(p, &t->body, "`{` after the time");
}

/* start hh:mm [on day] */
static bool start_step(struct parser *p, struct test_syntax *t)
{
    t->kind = TEST_START;
    return parse_clock(p, &t->at_s) && (!at_word(p, "on") || parse_days(p, &t->days));
}

/* ---- expect ----------------------------------------------------------------------------- */

/* action path[.action(args)] */
static bool expect_action(struct parser *p, struct test_syntax *t)
{
    t->kind = TEST_ACTION;
    (void)take_token(p);
    t->target = parse_postfix(p, parse_path_expr(p, "a path, or the call of an action"));
    if (!t->target)
        return false;
    if (t->target->kind == E_PATH || t->target->kind == E_CALL)
        return true;
    return refuse(p, t->target->span, not_a(p->c, NOUN_COMMAND),
                  ctx_strf(p->c, "%s or one of its %s stands here", noun_a(p->c, NOUN_RESOURCE),
                           noun_many(p->c, NOUN_COMMAND))
                      .p,
                  "as in  expect action plant.coolant.open()");
}

/* alert [level] ["text"] */
static bool expect_host(struct parser *p, struct test_syntax *t, uint32_t host)
{
    t->kind = TEST_HOST;
    t->host = host;
    t->level = UINT32_MAX;
    (void)take_token(p);
    if (at_kind(p, T_NAME) && !parse_level(p, host, &t->level))
        return false;
    struct lang_span span;
    return !at_kind(p, T_STRING) || parse_plain_text(p, "a part of its text", &t->text, &span);
}

static bool expect_value(struct parser *p, struct test_syntax *t)
{
    t->kind = TEST_VALUE;
    t->var = take_word(p, "var");
    t->value = parse_expr(p);
    if (t->value && at_kind(p, T_ASSIGN))
        return expected_help(p, "the end of the line", "two values are compared with `==`");
    return t->value != NULL;
}

/* A word of `expect`, and no name with which an expression begins. */
static bool expect_word(const struct parser *p, const char *word)
{
    enum token_kind next = (enum token_kind)peek_next(p)->kind;
    return at_word(p, word) && (next == T_NAME || next == T_NEWLINE || next == T_RBRACE);
}

static bool expect_step(struct parser *p, struct test_syntax *t)
{
    t->no = expect_word(p, "no") && take_word(p, "no");
    uint32_t host = at_host_statement(p);
    if (expect_word(p, "action"))
        return expect_action(p, t);
    if (host != UINT32_MAX)
        return expect_host(p, t, host);
    if (t->no)
        return expected_help(p, "what must not happen",
                             "a value is compared:  expect not x, expect x != 5");
    return expect_value(p, t);
}

static const char steps_help[] =
    "steps set values, let time pass (after 5s { … }) or expect something";

/* ---- what happens to a device ----------------------------------------------------------- */

/* path = value, path stale, path refuses, path.event() */
static bool device_step(struct parser *p, struct test_syntax *t)
{
    t->target = parse_postfix(p, parse_path_expr(p, "a step"));
    if (!t->target)
        return false;
    if (t->target->kind == E_CALL && t->target->path_n > 0) {
        t->kind = TEST_EVENT;
        return true;
    }
    t->kind = TEST_SET;
    if (t->target->kind != E_PATH)
        return refuse(p, t->target->span, not_a(p->c, NOUN_READABLE),
                      ctx_strf(p->c, "%s or %s stands here", noun_a(p->c, NOUN_READABLE),
                               noun_a(p->c, NOUN_SIGNAL))
                          .p,
                      "as in  plant.press1.temperature = 85 °C");
    if (take_word(p, "stale") || take_word(p, "refuses")) {
        t->kind = token_is(p, last_token(p), "stale") ? TEST_SILENT : TEST_REFUSES;
        return true;
    }
    bool compared = peek_token(p)->kind >= T_EQ && peek_token(p)->kind <= T_GE;
    if (!take_kind(p, T_ASSIGN))
        return expected_help(p, "`=` and a value, `stale`, `refuses` or `()`",
                             compared                     ? "to compare, write  expect …"
                             : word_help(t->target->text) ? word_help(t->target->text)
                                                          : steps_help);
    t->value = parse_expr(p);
    return t->value != NULL;
}

/* Words of steps stay names where a path goes on. */
static bool step_word(const struct parser *p, const char *word)
{
    enum token_kind next = (enum token_kind)peek_next(p)->kind;
    return at_word(p, word) && next != T_DOT && next != T_ASSIGN &&
           !token_is(p, peek_next(p), "refuses") && next != T_NEWLINE;
}

static bool parse_step_of(struct parser *p, struct test_syntax *t)
{
    static const struct {
        const char *word;
        bool (*parse)(struct parser *p, struct test_syntax *t);
    } table[] = {
        {"after", after_steps}, {"at", at_steps}, {"start", start_step}, {"expect", expect_step}};
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (step_word(p, table[i].word)) {
            (void)take_token(p);
            return table[i].parse(p, t);
        }
    if (at_word(p, "sleep") || at_word(p, "wait"))
        return expected_help(p, "a step", "time passes with  after 5s { … }");
    if (at_kind(p, T_NAME) && word_reserved(token_text(p, peek_token(p))))
        return expected_help(p, "a step", steps_help);
    return device_step(p, t);
}

static struct stmt *parse_step(struct parser *p)
{
    struct stmt *s = stmt_new(p, S_TEST);
    s->test = ctx_tree_new(p->c, sizeof(*s->test));
    if (!parse_step_of(p, s->test))
        return NULL;
    s->span = span_join(s->span, last_span(p));
    return s;
}

bool parse_test(struct parser *p, struct syntax *out)
{
    struct test_decl *d = ctx_tree_new(p->c, sizeof(*d));
    d->span = token_span(p, take_token(p));
    if (!parse_plain_text(p, "the test's name in quotes", &d->text, &d->name_span) ||
        !parse_steps(p, &d->body, "`{` after the test's name"))
        return false;
    d->span = span_join(d->span, d->body.span);
    ctx_tree_push(p->c, &out->tests, d);
    return true;
}
