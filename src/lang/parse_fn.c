/* Functions, tasks, records and enums. */
#include "lang/parse_internal.h"

/* ---- functions and tasks ---------------------------------------------------------------- */

/* [own | mut | ref] name: type */
static bool parse_param(struct parser *p, struct param_ref *out)
{
    static const char *const modes[] = {
        [PARAM_OWN] = "own", [PARAM_MUT] = "mut", [PARAM_REF] = "ref"};
    for (size_t i = PARAM_OWN; i < ARRAY_LEN(modes); i++)
        if (at_word(p, modes[i])) {
            out->mode = (enum param_mode)i;
            out->mode_span = token_span(p, take_token(p));
            break;
        }
    if (!take_name(p, "a parameter's name or `)`", &out->name))
        return false;
    if (!take_kind(p, T_COLON))
        return expected_help(p, "`:` and the parameter's type", "as in  fn f(x: int, t: °C)");
    return parse_type(p, &out->type);
}

static bool parse_params(struct parser *p, struct fn_decl *fn)
{
    VEC(struct param_ref) list = {0};
    while (!at_kind(p, T_RPAREN)) {
        struct param_ref r = {0};
        if (!parse_param(p, &r))
            return false;
        ctx_tree_push(p->c, &list, r);
        if (!take_kind(p, T_COMMA) && !at_kind(p, T_RPAREN))
            return expected_help(p, "`,` or `)`",
                                 at_kind(p, T_ASSIGN) ? "a parameter has no value of its own"
                                                      : NULL);
    }
    fn->params = list.v;
    fn->params_n = list.n;
    return true;
}

bool parse_signature(struct parser *p, struct fn_decl *fn, const char *what)
{
    if (at_kind(p, T_LT))
        return expected_help(p, what, "a function is written for one type each");
    if (!expect(p, T_LPAREN, what) || !parse_params(p, fn) || !expect(p, T_RPAREN, "`)`"))
        return false;
    if (fn->task && at_kind(p, T_ARROW))
        return refuse(p, token_span(p, peek_token(p)), "not here", "a task gives no result",
                      "it can send one over a channel that it is given");
    if (take_kind(p, T_ARROW) && !parse_type(p, &fn->result))
        return false;
    fn->span = span_join(fn->span, last_span(p));
    return true;
}

/* How results are written elsewhere. */
static const char *result_help(const struct parser *p)
{
    switch (peek_token(p)->kind) {
    case T_COLON:
    case T_FATARROW:
    case T_NAME: return "the type of a result stands behind `->`:  fn f() -> int { … }";
    case T_ASSIGN: return "the body of a function stands in braces, with `return`";
    default: return NULL;
    }
}

bool parse_fn_body(struct parser *p, struct fn_decl *fn)
{
    const char *what = fn->task ? "`{`" : "`{` or `->` and a type";
    const char *help = fn->task ? NULL : result_help(p);
    return help ? expected_help(p, what, help) : parse_stmts(p, &fn->body, what);
}

struct fn_decl *parse_fn(struct parser *p)
{
    struct fn_decl *fn = ctx_tree_new(p->c, sizeof(*fn));
    fn->task = at_word(p, "task");
    fn->span = token_span(p, take_token(p));
    bool fine = take_name(p, fn->task ? "the task's name" : "the function's name", &fn->name) &&
                parse_signature(p, fn, "`(` after the name") && parse_fn_body(p, fn);
    return fine ? fn : NULL;
}

/* ---- records and enums ------------------------------------------------------------------ */

/* Behind a field or a value: `,`, `;` or the end of the line. */
static bool expect_part_end(struct parser *p, const char *after, const char *help)
{
    if (take_kind(p, T_COMMA))
        return true;
    if (at_end(p) || after_newline(p))
        return expect_end(p, after);
    return expected_help(p, "`,` or the end of the line", at_kind(p, T_ASSIGN) ? help : NULL);
}

static bool parse_record_field(struct parser *p, struct field_syntax *out)
{
    return take_member(p, "the name of a field", &out->name) &&
           expect(p, T_COLON, "`:` and the field's type") && parse_type(p, &out->type);
}

static void parse_fields(struct parser *p, const struct block *b, struct type_decl *d)
{
    VEC(struct field_syntax) fields = {0};
    while (block_more(p, b, NULL)) {
        size_t at = p->at;
        struct field_syntax f = {0};
        if (parse_record_field(p, &f) &&
            expect_part_end(p, "a field",
                            "a field has no value of its own: a record is made whole"))
            ctx_tree_push(p->c, &fields, f);
        else
            recover(p, at);
    }
    d->fields = fields.v;
    d->n = fields.n;
}

static void parse_values(struct parser *p, const struct block *b, struct type_decl *d)
{
    VEC(struct name) values = {0};
    while (block_more(p, b, NULL)) {
        size_t at = p->at;
        struct name n;
        if (take_member(p, "the name of a value", &n) &&
            expect_part_end(p, "a value", "the values of an enum have names alone"))
            ctx_tree_push(p->c, &values, n);
        else
            recover(p, at);
    }
    d->values = values.v;
    d->n = values.n;
}

bool parse_type_decl(struct parser *p, struct syntax *out)
{
    struct type_decl *d = ctx_tree_new(p->c, sizeof(*d));
    d->is_enum = at_word(p, "enum");
    d->span = token_span(p, take_token(p));
    struct block b;
    if (!take_name(p, d->is_enum ? "the enum's name" : "the record's name", &d->name) ||
        !block_open(p, &b, "`{` after the name"))
        return false;
    if (d->is_enum)
        parse_values(p, &b, d);
    else
        parse_fields(p, &b, d);
    d->span = span_join(d->span, block_close(p, &b));
    ctx_tree_push(p->c, &out->types, d);
    return true;
}
