/* What maps a member of a resource's type: which one, and the text that stands for a command. */
#include "lang/parse_internal.h"

#include <math.h>

/* ---- members ---------------------------------------------------------------------------- */

static bool param_names(struct parser *p, struct lang_value *v)
{
    VEC(struct lang_param) list = {0};
    if (!expect(p, T_LPAREN, "`(`, names of the parameters and `)`"))
        return false;
    while (!at_kind(p, T_RPAREN)) {
        struct name n;
        if (!take_name(p, "a parameter's name or `)`", &n))
            return false;
        if (!parse_param_is_new(p, list.v, list.n, &n))
            return false;
        ctx_push(p->c, &list, (struct lang_param){.name = n.text, .span = n.span});
        if (!take_kind(p, T_COMMA) && !at_kind(p, T_RPAREN))
            return expected(p, "`,` or `)`");
    }
    v->span = span_join(v->span, token_span(p, take_token(p)));
    v->params = list.v;
    v->params_n = list.n;
    return true;
}

bool parse_member_of(struct parser *p, const struct lang_arg *arg, struct lang_value *v)
{
    struct name n;
    if (!take_member(p, arg->name, &n))
        return false;
    v->text = n.text;
    v->span = n.span;
    return arg->of != LANG_CLAUSE_COMMAND || param_names(p, v);
}

/* ---- expressions of one parameter --------------------------------------------------------- */

static bool is_number(const struct expr *e)
{
    return (e->kind == E_INT || e->kind == E_NUMBER) && !e->has_unit;
}

static bool linear_of(const struct expr *e, struct lang_piece *out, unsigned depth);

/* One side is a number: p * 2.54, p / 10, p + 1, 100 - p. */
static bool linear_binary(const struct expr *e, struct lang_piece *out, unsigned depth)
{
    bool left = is_number(e->a);
    const struct expr *number = left ? e->a : e->b;
    if (!is_number(number) || !linear_of(left ? e->b : e->a, out, depth + 1))
        return false;
    double n = number->number;
    switch (e->op) {
    case OP_MUL:
        out->scale *= n;
        out->offset *= n;
        return n != 0;
    case OP_DIV:
        out->scale /= n;
        out->offset /= n;
        return !left && n != 0;
    case OP_ADD: out->offset += n; return true;
    case OP_SUB:
        out->scale *= left ? -1 : 1;
        out->offset = left ? n - out->offset : out->offset - n;
        return true;
    default: return false;
    }
}

static bool linear_of(const struct expr *e, struct lang_piece *out, unsigned depth)
{
    if (depth > 8)
        return false;
    switch (e->kind) {
    case E_PATH:
        out->name = e->path[0].text;
        out->scale = 1;
        out->offset = 0;
        return e->path_n == 1;
    case E_NEG:
        if (!linear_of(e->a, out, depth + 1))
            return false;
        out->scale = -out->scale;
        out->offset = 0 - out->offset;
        return true;
    case E_BINARY: return linear_binary(e, out, depth);
    default: return false;
    }
}

/* `e` as a part; false with a message. */
static bool piece_of(struct parser *p, const struct expr *e, struct lang_piece *out)
{
    const struct expr *inner = e;
    *out = (struct lang_piece){.span = e->span};
    if (e->kind == E_CALL && e->path_n == 1 && str_eq(e->path[0].text, STR("round")) &&
        e->list.n == 1) {
        out->whole = true;
        inner = e->list.v[0];
    }
    if (linear_of(inner, out, 0)) {
        if (out->scale == 1 && out->offset == 0)
            out->scale = 0;
        return true;
    }
    struct lang_diag *d = diag_error(p->c, "P1", e->span, "not here",
                                     "a parameter stands here, which may be scaled and rounded");
    diag_help(p->c, d, "as in:  {level}, {level * 2.54}, {round(level * 2.54)}, {100 - level}");
    return false;
}

/* ---- texts -------------------------------------------------------------------------------- */

/* JSON in quotes is what people try first; its braces would be those of a parameter. */
static bool not_a_text(struct parser *p, struct str written, size_t told)
{
    if (p->c->diags.n > told && str_starts(written, STR("\"{")))
        diag_help(p->c, &p->c->diags.v[told],
                  "a JSON object is written without quotes:  { state = \"ON\"; level = x }");
    return false;
}

static bool template_text(struct parser *p, struct lang_value *v)
{
    VEC(struct lang_piece) list = {0};
    struct str all = p->c->sources[p->source].text;
    struct str written = str_sub(all, peek_token(p)->from, all.n);
    size_t told = p->c->diags.n;
    struct expr *e = parse_expr(p);
    if (!e)
        return not_a_text(p, written, told);
    v->span = e->span;
    if (e->kind != E_STRING) {
        (void)diag_error(p->c, "P1", e->span, "not here", "what is sent is one text in quotes");
        return false;
    }
    for (size_t i = 0; i < e->list.n; i++) {
        const struct expr *part = e->list.v[i];
        struct lang_piece piece = {.text = part->text, .span = part->span};
        if (part->kind != E_TEXT && !piece_of(p, part, &piece))
            return false;
        ctx_push(p->c, &list, piece);
    }
    v->pieces = list.v;
    v->pieces_n = list.n;
    v->text = ctx_text(p->c, v->span);
    return true;
}

/* ---- JSON ----------------------------------------------------------------------------------- */

enum { KEY_DEPTH_MAX = 8 };

struct key {
    struct str parts[KEY_DEPTH_MAX];
    size_t n;
    struct lang_span span;
};

struct document {
    struct parser *p;
    struct strbuf text; /* since the last parameter */
    VEC(struct lang_piece) pieces;
    VEC(struct key) keys;
};

static bool quoted_name(struct parser *p, struct name *out)
{
    const struct expr *e = parse_string(p);
    bool plain = e && (e->list.n == 0 || (e->list.n == 1 && e->list.v[0]->kind == E_TEXT));
    if (e && !plain)
        (void)diag_error(p->c, "P1", e->span, "not here", "a key is fixed: no {…} here");
    if (!plain)
        return false;
    *out = (struct name){e->list.n ? e->list.v[0]->text : STR(""), e->span};
    return true;
}

/* name, name.name or "any text" */
static bool take_key(struct parser *p, struct key *k)
{
    *k = (struct key){0};
    do {
        struct name n = {0};
        bool quoted = at_kind(p, T_STRING);
        if (k->n == KEY_DEPTH_MAX)
            return expected(p, "a shorter key");
        if (quoted ? !quoted_name(p, &n) : !take_member(p, "a key or `}`", &n))
            return false;
        k->span = k->n ? span_join(k->span, n.span) : n.span;
        k->parts[k->n++] = n.text;
    } while (take_kind(p, T_DOT));
    return true;
}

static size_t common(const struct key *a, const struct key *b)
{
    size_t n = 0;
    while (n < a->n && n < b->n && str_eq(a->parts[n], b->parts[n]))
        n++;
    return n;
}

/* A key stands once, and what is in one object side by side. */
static bool key_fits(struct document *d, const struct key *k)
{
    const struct key *last = d->keys.n ? &d->keys.v[d->keys.n - 1] : NULL;
    for (size_t i = 0; i < d->keys.n; i++) {
        const struct key *other = &d->keys.v[i];
        size_t same = common(other, k);
        if (same < k->n && same < other->n && same <= common(last, k))
            continue;
        bool twice = same == k->n || same == other->n;
        struct lang_diag *diag = diag_error(
            d->p->c, twice ? "N2" : "P1", k->span, twice ? "a second time" : "too late",
            twice ? "this key stands here twice" : "keys of one object stand side by side");
        diag_mark(d->p->c, diag, other->span, "the first one");
        return false;
    }
    return true;
}

/* From where the last key was to where this one is: closes and opens objects. */
static void move_to(struct document *d, const struct key *k)
{
    static const struct key none = {.n = 1};
    const struct key *last = d->keys.n ? &d->keys.v[d->keys.n - 1] : &none;
    size_t same = d->keys.n ? common(last, k) : 0;
    for (size_t i = last->n - 1; i > same; i--)
        strbuf_addc(&d->text, '}');
    if (d->keys.n)
        strbuf_addc(&d->text, ',');
    for (size_t i = same; i < k->n; i++) {
        strbuf_add_json(&d->text, k->parts[i]);
        strbuf_adds(&d->text, i + 1 < k->n ? ":{" : ":");
    }
}

static void flush_text(struct document *d)
{
    if (d->text.failed)
        ctx_nomem(d->p->c);
    if (d->text.n)
        ctx_push(d->p->c, &d->pieces,
                 (struct lang_piece){.text = ctx_str(d->p->c, strbuf_str(&d->text))});
    strbuf_reset(&d->text);
}

/* A text, a number, true, false, or a parameter. */
static bool add_member_value(struct document *d)
{
    struct parser *p = d->p;
    struct lang_piece piece;
    if (at_kind(p, T_STRING)) {
        struct str text;
        struct lang_span span;
        if (!parse_plain_text(p, "a text", &text, &span))
            return false;
        strbuf_add_json(&d->text, text);
        return true;
    }
    struct expr *e = parse_expr(p);
    if (!e)
        return false;
    if (e->kind == E_BOOL) {
        strbuf_adds(&d->text, e->integer ? "true" : "false");
        return true;
    }
    bool negative = e->kind == E_NEG && is_number(e->a);
    if (is_number(e) || negative) {
        strbuf_add_double(&d->text, negative ? -e->a->number : e->number);
        return true;
    }
    if (!piece_of(p, e, &piece))
        return false;
    flush_text(d);
    piece.json = true;
    ctx_push(p->c, &d->pieces, piece);
    return true;
}

static bool add_member(struct document *d)
{
    struct key k;
    if (!take_key(d->p, &k) || !expect(d->p, T_ASSIGN, "`=` and a value") || !key_fits(d, &k))
        return false;
    move_to(d, &k);
    ctx_push(d->p->c, &d->keys, k);
    return add_member_value(d) && expect_end(d->p, "a value");
}

static bool template_document(struct parser *p, struct lang_value *v)
{
    struct block b;
    struct document d = {.p = p};
    bool fine = true;
    if (!block_open(p, &b, "`{`"))
        return false;
    strbuf_init(&d.text, &p->c->alloc, 0);
    strbuf_addc(&d.text, '{');
    while (block_more(p, &b, NULL)) {
        size_t at = p->at;
        if (add_member(&d))
            continue;
        fine = false;
        recover(p, at);
    }
    v->span = block_close(p, &b);
    for (size_t i = d.keys.n ? d.keys.v[d.keys.n - 1].n : 1; i > 0; i--)
        strbuf_addc(&d.text, '}');
    flush_text(&d);
    v->pieces = d.pieces.v;
    v->pieces_n = d.pieces.n;
    v->text = ctx_text(p->c, v->span);
    return fine;
}

bool parse_template(struct parser *p, struct lang_value *v)
{
    if (at_kind(p, T_LBRACE))
        return template_document(p, v);
    if (!at_kind(p, T_STRING))
        return expected(p, "a text in quotes, or `{`");
    return template_text(p, v);
}
