/* match: patterns and arms. */
#include "lang/parse_internal.h"

/* ---- patterns --------------------------------------------------------------------------- */

static bool pattern_name(struct parser *p, struct pattern *out)
{
    if (take_word(p, "_")) {
        out->kind = PATTERN_ANY;
        return true;
    }
    if (take_word(p, "none")) {
        out->kind = PATTERN_NONE;
        return true;
    }
    if (at_word(p, "some") && peek_next(p)->kind == T_NAME) {
        (void)take_token(p);
        out->kind = PATTERN_SOME;
        return take_name(p, "a name for the value", &out->name);
    }
    out->a = parse_value_path(p, "a value, `none`, `some name` or `_`");
    return out->a != NULL;
}

static bool pattern_value(struct parser *p, struct pattern *out)
{
    enum token_kind kind = (enum token_kind)peek_token(p)->kind;
    if (kind != T_NAME && kind != T_INT && kind != T_FLOAT && kind != T_MINUS && kind != T_STRING)
        return expected(p, "a value, `none`, `some name` or `_`");
    out->a = parse_literal(p);
    if (!out->a)
        return false;
    if (!take_kind(p, T_RANGE))
        return true;
    out->kind = PATTERN_RANGE;
    out->b = parse_literal(p);
    return out->b != NULL;
}

static bool parse_pattern(struct parser *p, struct pattern *out)
{
    *out = (struct pattern){.kind = PATTERN_VALUE, .span = token_span(p, peek_token(p))};
    bool name = at_kind(p, T_NAME) && !at_word(p, "true") && !at_word(p, "false");
    if (at_word(p, "else"))
        return expected_help(p, "a value", "all other values:  _ => …");
    if (at_kind(p, T_LT) || (at_kind(p, T_GT)) || at_kind(p, T_LE) || at_kind(p, T_GE))
        return expected_help(p, "a value", "a range of values is written  10..20; else use `if`");
    if (!(name ? pattern_name(p, out) : pattern_value(p, out)))
        return false;
    out->span = span_join(out->span, last_span(p));
    return true;
}

/* ---- arms ------------------------------------------------------------------------------- */

static bool expect_arm_end(struct parser *p)
{
    if (take_kind(p, T_COMMA) || at_word(p, "else"))
        return true;
    if (at_end(p) || after_newline(p))
        return expect_end(p, "an arm");
    return expected_help(p, "`,` or the end of the line after an arm",
                         "arms on one line stand apart with `,`");
}

bool parse_arm_body(struct parser *p, struct stmt_list *out)
{
    if (at_kind(p, T_ARROW))
        return expected_help(p, "`=>`", "`->` stands before the type of a result");
    if (at_kind(p, T_COLON))
        return expected_help(p, "`=>`", "an arm is written  value => statement");
    if (!expect(p, T_FATARROW, "`=>` and what to do"))
        return false;
    if (at_kind(p, T_LBRACE))
        return parse_stmts(p, out, "`{`");
    struct stmt *s = parse_stmt(p);
    if (s)
        *out = stmt_alone(p, s);
    return s != NULL;
}

static bool parse_patterns(struct parser *p, struct arm *a)
{
    VEC(struct pattern) list = {0};
    do {
        struct pattern x;
        if (!parse_pattern(p, &x))
            return false;
        ctx_tree_push(p->c, &list, x);
    } while (take_word(p, "or"));
    a->patterns = list.v;
    a->patterns_n = list.n;
    if (at_kind(p, T_COMMA))
        return expected_help(p, "`=>` and what to do", "several values are joined by `or`");
    if (at_word(p, "if") || at_word(p, "when"))
        return expected_help(p, "`=>` and what to do", "a condition stands in the arm: _ => if …");
    if (list.n == 1 && list.v[0].a && list.v[0].a->kind == E_PATH && list.v[0].a->path_n == 1 &&
        !at_kind(p, T_FATARROW) && word_help(list.v[0].a->text))
        return expected_help(p, "`=>` and what to do", word_help(list.v[0].a->text));
    return true;
}

static bool parse_arm(struct parser *p, struct arm *a)
{
    *a = (struct arm){.kind = ARM_CASE, .span = token_span(p, peek_token(p))};
    if (!parse_patterns(p, a) || !parse_arm_body(p, &a->body))
        return false;
    a->span = span_join(a->span, last_span(p));
    return true;
}

/* match value { pattern => … } */
struct stmt *parse_match(struct parser *p)
{
    struct stmt *s = stmt_new(p, S_MATCH);
    (void)take_token(p);
    s->value = parse_head(p);
    return s->value && parse_arms(p, s, parse_arm, "`{` after the value") ? s : NULL;
}

bool parse_arms(struct parser *p, struct stmt *s, bool (*one)(struct parser *p, struct arm *a),
                const char *what)
{
    struct block b;
    if (!block_open(p, &b, what))
        return false;
    bool head = p->head;
    p->head = false;
    VEC(struct arm) list = {0};
    while (block_more(p, &b, NULL)) {
        size_t at = p->at;
        struct arm a;
        if (one(p, &a) && expect_arm_end(p)) {
            ctx_tree_push(p->c, &list, a);
            continue;
        }
        recover(p, at);
        s->body.damaged = true;
    }
    p->head = head;
    s->span = span_join(s->span, block_close(p, &b));
    s->arms = list.v;
    s->arms_n = list.n;
    return true;
}
