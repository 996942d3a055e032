/* Arguments of clauses: one function for each kind of argument. */
#include "lang/parse_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

bool parse_plain_text(struct parser *p, const char *what, struct str *out, struct lang_span *span)
{
    if (!at_kind(p, T_STRING))
        return expected(p, what);
    struct expr *e = parse_expr(p);
    if (!e)
        return false;
    *span = e->span;
    if (e->kind != E_STRING || e->list.n > 1 || (e->list.n == 1 && e->list.v[0]->kind != E_TEXT)) {
        (void)diag_error(p->c, "P1", e->span, "not here", "this text is fixed: no {…} here");
        return false;
    }
    *out = e->list.n ? e->list.v[0]->text : STR("");
    return true;
}

/* [-] number [unit] */
bool parse_signed_number(struct parser *p, const char *what, struct expr *out)
{
    const struct token *minus = at_kind(p, T_MINUS) ? take_token(p) : NULL;
    const struct token *t = peek_token(p);
    if (t->kind != T_INT && t->kind != T_FLOAT) {
        (void)expected(p, what);
        return false;
    }
    *out = (struct expr){.span = token_span(p, t)};
    if (!number_value(p, t, out))
        return false;
    (void)take_token(p);
    if (minus) {
        out->number = -out->number;
        out->span = span_join(token_span(p, minus), out->span);
    }
    return true;
}

static bool arg_word(struct parser *p, const struct lang_clause *clause, const struct lang_arg *arg,
                     struct lang_value *v)
{
    const struct token *t = peek_token(p);
    for (uint32_t i = 0; arg->words[i]; i++)
        if (at_word(p, arg->words[i])) {
            v->index = i;
            v->text = str_from(arg->words[i]);
            v->span = token_span(p, take_token(p));
            return true;
        }
    struct suggest s = suggest_for(p->c, token_text(p, t));
    for (uint32_t i = 0; arg->words[i]; i++)
        suggest_offer(&s, str_from(arg->words[i]));
    if (t->kind != T_NAME)
        return expected(p, arg->name);
    struct lang_diag *d =
        diag_error(p->c, "P1", token_span(p, t), "not known here", "`%.*s` is no %s that is known",
                   STR_FMT(token_text(p, t)), arg->name);
    if (suggest_found(&s))
        diag_help(p->c, d, "did you mean `%.*s`?", STR_FMT(s.best));
    else
        diag_help(p->c, d, "as in:  %s", clause->example);
    return false;
}

/* `workers auto`: a word that stands for a number. */
static bool word_for_number(struct parser *p, const struct lang_arg *arg, struct lang_value *v)
{
    for (uint32_t i = 0; arg->words && arg->words[i]; i++)
        if (at_word(p, arg->words[i])) {
            v->index = i;
            v->text = str_from(arg->words[i]);
            v->span = token_span(p, take_token(p));
            return true;
        }
    return false;
}

/* `e` as it was given, and in the base unit as the limits of `arg`, whose unit is `unit`. */
static bool number_allowed(struct parser *p, const struct lang_clause *clause,
                           const struct lang_arg *arg, const struct lang_unit *unit,
                           const struct expr *e)
{
    double value = lang_unit_to_base(e->unit, e->number);
    bool any = arg->min == 0 && arg->max == 0;
    struct lang_diag *d = NULL;
    if (!any &&
        !(value >= lang_unit_to_base(unit, arg->min) && value <= lang_unit_to_base(unit, arg->max)))
        d = diag_error(p->c, "T1", e->span, "out of range", "`%s` is %g … %g%s%s", arg->name,
                       arg->min, arg->max, arg->unit[0] ? " " : "", arg->unit);
    else if ((arg->flags & LANG_ARG_WHOLE) && value != floor(value))
        d = diag_error(p->c, "T1", e->span, "has a fraction", "`%s` is a whole number", arg->name);
    if (d)
        diag_help(p->c, d, "as in:  %s", clause->example);
    return d == NULL;
}

static bool arg_number(struct parser *p, const struct lang_clause *clause,
                       const struct lang_arg *arg, struct lang_value *v)
{
    struct expr e = {0};
    if (word_for_number(p, arg, v))
        return true;
    if (!parse_signed_number(p, arg->name, &e))
        return false;
    struct lang_unit want = unit_plain();
    if (arg->unit[0] != '\0' && lang_unit_parse(str_from(arg->unit), &want) != ERR_OK)
        ASSERT(!"the schema names a unit that exists");
    bool same =
        e.has_unit ? arg->unit[0] && lang_unit_same_dim(e.unit, &want) : arg->unit[0] == '\0';
    if (!same) {
        struct lang_diag *d =
            diag_error(p->c, "U1", e.span, "wrong unit",
                       arg->unit[0] ? "`%s` is given in %s" : "`%s` is a number without a unit%s",
                       arg->name, arg->unit);
        if (arg->unit[0])
            diag_help(p->c, d, "as in:  10 %s", arg->unit);
        else
            diag_help(p->c, d, "as in:  %s", clause->example);
        return false;
    }
    if (!number_allowed(p, clause, arg, &want, &e))
        return false;
    v->span = e.span;
    v->number = lang_unit_to_base(e.unit, e.number);
    return true;
}

/* ---- addresses -------------------------------------------------------------------------- */

static bool address_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == ':' || c == '[' || c == ']' || c == '-' || c == '_' || c == '%';
}

static bool host_valid(struct str host, bool bracket)
{
    if (host.n == 0 || host.n > 253)
        return false;
    uint32_t colons = 0;
    bool numeric = true;
    for (size_t i = 0; i < host.n; i++) {
        char c = host.p[i];
        colons += c == ':';
        numeric = numeric && ((c >= '0' && c <= '9') || c == '.');
        if (c == '[' || c == ']' || (c == '%' && !bracket))
            return false;
    }
    if (bracket)
        return colons >= 2;
    if (colons > 0)
        return false;
    if (!numeric)
        return true;
    uint32_t parts = 0;
    struct str rest = host, part;
    while (str_split(&rest, '.', &part)) {
        int64_t n;
        if (part.n == 0 || part.n > 3 || !str_to_i64_within(part, 0, 255, &n))
            return false;
        parts++;
    }
    return parts == 4;
}

/* 127.0.0.1:1883, [::1]:1883 or name:1883; "" or what is wrong. */
static const char *address_split(struct str text, struct str *host, uint16_t *port)
{
    size_t colon = text.n;
    bool bracket = text.n > 0 && text.p[0] == '[';
    for (size_t i = text.n; i > 0 && colon == text.n; i--)
        if (text.p[i - 1] == ':')
            colon = i - 1;
    if (bracket && (colon == text.n || colon == 0 || text.p[colon - 1] != ']'))
        return "a port is missing";
    if (colon == text.n)
        return "a port is missing";
    *host = bracket ? str_sub(text, 1, colon - 2) : str_sub(text, 0, colon);
    int64_t n;
    if (!str_to_i64_within(str_sub(text, colon + 1, text.n), 0, 65535, &n))
        return "the port is a number up to 65535";
    *port = (uint16_t)n;
    return host_valid(*host, bracket) ? "" : "this is no IPv4 address, [IPv6 address] or name";
}

static bool arg_address(struct parser *p, const struct lang_clause *clause, struct lang_value *v)
{
    const struct token *t = peek_token(p);
    struct str all = p->c->sources[p->source].text;
    uint32_t to = t->from;
    while (to < all.n && address_char(all.p[to]))
        to++;
    if (to == t->from || t->kind == T_NEWLINE || t->kind == T_EOF)
        return expected(p, "an address");
    v->span = (struct lang_span){p->source, t->from, to};
    const char *why = address_split(ctx_text(p->c, v->span), &v->text, &v->port);
    if (why[0] != '\0') {
        struct lang_diag *d = diag_error(p->c, "P1", v->span, why, "not an address: %s", why);
        diag_help(p->c, d, "as in:  %s", clause->example);
        return false;
    }
    skip_to_byte(p, to);
    return true;
}

/* ---- what members are made of ----------------------------------------------------------- */

static const struct lang_type *clause_type(const struct lang_clause *clause,
                                           const struct lang_value *values)
{
    for (size_t i = 0; i < clause->args_n; i++)
        if (values[i].kind == LANG_ARG_TYPE)
            return &values[i].type;
    return NULL;
}

static bool range_end(struct parser *p, const struct lang_type *type, double *out,
                      struct lang_span *span)
{
    struct expr e = {0};
    if (!parse_signed_number(p, "a number", &e))
        return false;
    *span = e.span;
    *out = e.number;
    if (!e.has_unit)
        return true;
    if (type->kind != LANG_TYPE_FLOAT || !lang_unit_same_dim(e.unit, &type->unit) ||
        e.unit->affine != type->unit.affine || e.unit->ratio != type->unit.ratio) {
        struct lang_diag *d = diag_error(
            p->c, "U1", e.span, "another unit", "the range of %s in %.*s is given in %.*s",
            noun_a(p->c, NOUN_READABLE), STR_FMT(lang_type_name(type)), STR_FMT(e.unit->symbol));
        diag_help(p->c, d, "leave the unit out: it is that of the %s", noun(p->c, NOUN_READABLE));
        return false;
    }
    *out = lang_unit_from_base(&type->unit, lang_unit_to_base(e.unit, e.number));
    return true;
}

static bool arg_range(struct parser *p, const struct lang_type *type, struct lang_value *v)
{
    if (!type)
        return expected(p, "`:` and a type before the range");
    struct lang_span lo, hi;
    if (!range_end(p, type, &v->lo, &lo) || !expect(p, T_RANGE, "`..`") ||
        !range_end(p, type, &v->hi, &hi))
        return false;
    v->span = span_join(lo, hi);
    if (type->kind != LANG_TYPE_INT && type->kind != LANG_TYPE_FLOAT) {
        (void)diag_error(p->c, "T1", v->span, "not for this type", "a %.*s has no range",
                         STR_FMT(lang_type_name(type)));
        return false;
    }
    if (!(v->lo < v->hi)) {
        (void)diag_error(p->c, "T1", v->span, "empty",
                         "a range goes from a smaller to a larger number");
        return false;
    }
    return true;
}

bool parse_param_is_new(struct parser *p, const struct lang_param *list, size_t n,
                        const struct name *name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(list[i].name, name->text)) {
            struct lang_diag *d =
                diag_error(p->c, "N2", name->span, "a second time",
                           "two parameters are called `%.*s`", STR_FMT(name->text));
            diag_mark(p->c, d, list[i].span, "the first one");
            return false;
        }
    return true;
}

static bool arg_params(struct parser *p, struct lang_value *v)
{
    VEC(struct lang_param) list = {0};
    const struct token *open = peek_token(p);
    if (!expect(p, T_LPAREN, "`(`, parameters and `)`"))
        return false;
    while (!at_kind(p, T_RPAREN)) {
        struct lang_param param = {0};
        struct name n;
        struct lang_span type;
        if (!take_name(p, "a parameter's name or `)`", &n) ||
            !expect(p, T_COLON, "`:` and the parameter's type") ||
            !parse_data_type(p, &param.type, &type))
            return false;
        param.name = n.text;
        param.span = n.span;
        if (!parse_param_is_new(p, list.v, list.n, &n))
            return false;
        ctx_push(p->c, &list, param);
        if (!take_kind(p, T_COMMA) && !at_kind(p, T_RPAREN))
            return expected(p, "`,` or `)`");
    }
    v->span = span_join(token_span(p, open), token_span(p, take_token(p)));
    v->params = list.v;
    v->params_n = list.n;
    return true;
}

/* [not] name [op literal]; the unit of the literal stays in v->type until the members are known. */
static bool arg_condition(struct parser *p, struct lang_value *v)
{
    struct lang_condition *c = &v->condition;
    struct lang_span from = token_span(p, peek_token(p));
    bool negated = take_word(p, "not");
    struct name n;
    if (!take_member(p, noun_a(p->c, NOUN_READABLE), &n))
        return false;
    c->name = n.text;
    v->span = span_join(from, n.span);
    v->type = (struct lang_type){.kind = LANG_TYPE_BOOL};
    c->op = LANG_EQ;
    c->value = negated ? 0 : 1;
    const struct token *t = peek_token(p);
    if (t->kind >= T_EQ && t->kind <= T_GE) {
        if (negated)
            return expected(p, "the end of the line after `not`");
        c->op = (enum lang_cmp)(t->kind - T_EQ);
        (void)take_token(p);
        if (at_word(p, "true") || at_word(p, "false")) {
            c->value = at_word(p, "true");
            v->span = span_join(v->span, token_span(p, take_token(p)));
        } else {
            struct expr e = {0};
            if (!parse_signed_number(p, "a number with its unit", &e))
                return false;
            c->value = e.number;
            v->type.kind = LANG_TYPE_FLOAT;
            v->type.unit = *e.unit;
            v->span = span_join(v->span, e.span);
        }
    }
    c->text = ctx_text(p->c, v->span);
    return true;
}

/* close() */
static bool arg_member(struct parser *p, struct lang_value *v)
{
    struct name n;
    if (!take_member(p, noun_a(p->c, NOUN_COMMAND), &n) || !expect(p, T_LPAREN, "`()`"))
        return false;
    if (!at_kind(p, T_RPAREN)) {
        (void)diag_error(p->c, "O5", token_span(p, peek_token(p)), "not here",
                         "a safe %s is called without arguments", noun(p->c, NOUN_COMMAND));
        return false;
    }
    (void)take_token(p);
    v->text = n.text;
    v->span = n.span;
    return true;
}

struct map_words {
    VEC(struct str) text;
    VEC(struct lang_span) spans;
};

/* `7 bit` is one token, a quantity, and two words here. */
static void push_word(struct lang_ctx *c, struct map_words *w, struct str text,
                      struct lang_span span, bool split)
{
    size_t space;
    if (split && str_find(text, ' ', &space)) {
        struct lang_span left = {span.source, span.from, span.from + (uint32_t)space};
        push_word(c, w, str_sub(text, 0, space), left, false);
        text = str_sub(text, space + 1, text.n);
        span.from += (uint32_t)space + 1;
    }
    ctx_push(c, &w->text, text);
    ctx_push(c, &w->spans, span);
}

/* { member = words, numbers and texts } */
static bool arg_mappings(struct parser *p, struct lang_value *v)
{
    struct block b;
    if (!block_open(p, &b, "`{`"))
        return false;
    VEC(struct lang_mapping) list = {0};
    bool fine = true;
    while (block_more(p, &b, NULL)) {
        size_t at = p->at;
        struct name n;
        struct map_words words = {0};
        bool one = take_member(p, "the name of what is mapped", &n) &&
                   expect(p, T_ASSIGN, "`=` and what it is mapped to");
        while (one && !at_kind(p, T_NEWLINE) && !at_kind(p, T_RBRACE) && !at_kind(p, T_EOF)) {
            const struct token *t = peek_token(p);
            struct str text = token_text(p, t);
            struct lang_span span = token_span(p, t);
            if (t->kind == T_STRING) {
                one = parse_plain_text(p, "a text", &text, &span);
            } else if (t->kind == T_NAME || t->kind == T_INT || t->kind == T_FLOAT ||
                       t->kind == T_UNIT || t->kind == T_MINUS) {
                (void)take_token(p);
            } else {
                one = expected(p, "a word, a number or a text");
            }
            if (one)
                push_word(p->c, &words, text, span, t->kind != T_STRING);
        }
        if (one && words.text.n == 0)
            one = expected(p, "what it is mapped to");
        if (!one || !expect_end(p, "a mapping")) {
            fine = false;
            recover(p, at);
            continue;
        }
        ctx_push(p->c, &list,
                 (struct lang_mapping){n.text, n.span, words.text.v, words.spans.v, words.text.n});
    }
    v->span = block_close(p, &b);
    v->mappings = list.v;
    v->mappings_n = list.n;
    return fine;
}

static bool arg_block(struct parser *p, const struct lang_clause *clause,
                      const struct lang_arg *arg, struct lang_value *v)
{
    struct block b;
    if (!block_open(p, &b, "`{`"))
        return false;
    bool fine = parse_clauses(p, &b, arg->clauses, arg->clauses_n, str_from(clause->word),
                              &v->clauses, &v->clauses_n);
    v->span = block_close(p, &b);
    return fine;
}

static bool arg_names(struct parser *p, const struct lang_arg *arg, struct lang_value *v)
{
    VEC(struct lang_named) list = {0};
    do {
        struct name n;
        if (!take_path(p, arg->name, &n, NULL, NULL))
            return false;
        v->span = list.n == 0 ? n.span : span_join(v->span, n.span);
        ctx_push(p->c, &list, (struct lang_named){.text = n.text, .span = n.span});
    } while (take_kind(p, T_COMMA));
    v->names = list.v;
    v->names_n = list.n;
    return true;
}

bool parse_arg(struct parser *p, const struct lang_clause *clause, size_t index,
               struct lang_value *values)
{
    const struct lang_arg *arg = &clause->args[index];
    struct lang_value v = {.kind = arg->kind};
    bool fine = false;
    switch (arg->kind) {
    case LANG_ARG_NONE:
    case LANG_ARG_FLAG: ASSERT(!"a flag has a lead and is read there");
    case LANG_ARG_NAME: {
        struct name n = {0};
        fine = take_member(p, arg->name, &n);
        v.text = n.text;
        v.span = n.span;
        break;
    }
    case LANG_ARG_STRING: {
        struct str what = ctx_strf(p->c, "%s in quotes", arg->name);
        fine = parse_plain_text(p, what.p, &v.text, &v.span);
        break;
    }
    case LANG_ARG_WORD: fine = arg_word(p, clause, arg, &v); break;
    case LANG_ARG_NUMBER: fine = arg_number(p, clause, arg, &v); break;
    case LANG_ARG_ADDRESS: fine = arg_address(p, clause, &v); break;
    case LANG_ARG_TYPE: fine = parse_data_type(p, &v.type, &v.span); break;
    case LANG_ARG_RANGE: fine = arg_range(p, clause_type(clause, values), &v); break;
    case LANG_ARG_PARAMS: fine = arg_params(p, &v); break;
    case LANG_ARG_CONDITION: fine = arg_condition(p, &v); break;
    case LANG_ARG_MEMBER: fine = arg_member(p, &v); break;
    case LANG_ARG_BLOCK: fine = arg_block(p, clause, arg, &v); break;
    case LANG_ARG_MAPPINGS: fine = arg_mappings(p, &v); break;
    case LANG_ARG_NAMES: fine = arg_names(p, arg, &v); break;
    case LANG_ARG_OF: fine = parse_member_of(p, arg, &v); break;
    case LANG_ARG_TEMPLATE: fine = parse_template(p, &v); break;
    }
    if (fine)
        values[index] = v;
    return fine;
}
