/* Expressions: literals, texts, operators with one side, `if`, and what all of them share. Names
 * are in check_path.c, operators in check_op.c, lists and records in check_data.c. */
#include "lang/check_internal.h"

#include <math.h>
#include <stdio.h>

/* ---- texts ------------------------------------------------------------------------------ */

struct str fold_text(struct checker *k, const struct expr *e)
{
    switch (e->type.kind) {
    case LANG_TYPE_ENUM: return e->type.def->fields[e->value.i].name;
    case LANG_TYPE_BOOL: return e->value.i ? STR("true") : STR("false");
    case LANG_TYPE_INT: return ctx_strf(k->c, "%lld", (long long)e->value.i);
    case LANG_TYPE_FLOAT: {
        struct strbuf b;
        strbuf_init(&b, &k->c->alloc, 0);
        lang_unit_print(&b, &e->type.unit, e->value.f);
        if (b.failed)
            ctx_nomem(k->c);
        return strbuf_str(&b);
    }
    default: return e->text_value;
    }
}

/* A value that a text can show. */
static bool shown(struct checker *k, struct expr *part)
{
    if (part->bad)
        return false;
    const struct lang_type *t = &part->type;
    struct lang_diag *d;
    if (t->kind == LANG_TYPE_NONE || is_device(part)) {
        d = diag_error(k->c, "T1", part->span, "no value", "this has no value to show");
        if (is_device(part))
            diag_help(k->c, d, "what it is called:  {%.*s.name}",
                      STR_FMT(ctx_text(k->c, part->span)));
        return false;
    }
    if (t->kind >= LANG_TYPE_RECORD) {
        d = diag_error(k->c, "T1", part->span, "can't be shown", "%.*s can't be shown as a text",
                       STR_FMT(type_phrase(k, t)));
        diag_help(k->c, d, "show what is in it, one by one");
        return false;
    }
    if (t->optional) {
        may_be_none(k, part, "a text");
        return false;
    }
    return true;
}

static void check_string(struct checker *k, struct expr *e)
{
    struct strbuf all;
    strbuf_init(&all, &k->c->tree_alloc, 0);
    e->type = type_plain(LANG_TYPE_STR);
    e->constant = true;
    for (size_t i = 0; i < e->list.n; i++) {
        struct expr *part = e->list.v[i];
        check_expr(k, part);
        if (!shown(k, part)) {
            e->bad = true;
            continue;
        }
        e->constant = e->constant && part->constant;
        if (e->constant)
            strbuf_addstr(&all, fold_text(k, part));
    }
    if (all.failed)
        ctx_nomem(k->c);
    if (e->bad)
        expr_bad(e);
    else if (e->constant)
        e->text_value = ctx_str(k->c, strbuf_str(&all));
}

/* ---- operators with one side ------------------------------------------------------------- */

static void check_not(struct checker *k, struct expr *e)
{
    e->type = type_plain(LANG_TYPE_BOOL);
    if (!check_value(k, e->a, NULL, OWN_STORED)) {
        expr_bad(e);
        return;
    }
    if (e->a->type.optional) {
        may_be_none(k, e->a, "`not`");
        expr_bad(e);
        return;
    }
    if (e->a->type.kind != LANG_TYPE_BOOL) {
        (void)diag_error(k->c, "T1", e->a->span, "not a bool", "`not` wants a bool, this is %.*s",
                         STR_FMT(type_phrase(k, &e->a->type)));
        expr_bad(e);
        return;
    }
    e->constant = e->a->constant;
    e->value.i = !e->a->value.i;
}

static void check_neg(struct checker *k, struct expr *e)
{
    bool fine = check_value(k, e->a, NULL, OWN_STORED);
    e->type = e->a->type;
    if (fine && e->type.optional) {
        may_be_none(k, e->a, "`-`");
        fine = false;
    }
    if (!fine) {
        expr_bad(e);
        return;
    }
    if (!is_number(&e->type)) {
        (void)diag_error(k->c, "T1", e->a->span, "not a number", "`-` wants a number, this is %.*s",
                         STR_FMT(type_phrase(k, &e->type)));
        expr_bad(e);
        return;
    }
    if (e->type.unit.affine) {
        struct lang_diag *d =
            diag_error(k->c, "U1", e->span, "has a zero of its own",
                       "a temperature in %.*s has no negative", STR_FMT(e->type.unit.symbol));
        diag_help(k->c, d, "subtract it from another one: the difference is in K");
        expr_bad(e);
        return;
    }
    e->constant = e->a->constant;
    if (e->type.kind == LANG_TYPE_FLOAT)
        e->value.f = -e->a->value.f;
    else
        e->value.i = e->a->value.i == INT64_MIN ? INT64_MIN : -e->a->value.i;
}

/* ---- if --------------------------------------------------------------------------------- */

/* What `if let` gives a name to: the value, if there is one. */
static bool optional_value(struct checker *k, struct expr *e, struct lang_type *inner)
{
    if (!check_value(k, e, NULL, OWN_STORED))
        return false;
    *inner = type_base(e->type);
    if (e->type.optional && !is_none(&e->type))
        return true;
    struct lang_diag *d = diag_error(k->c, "T1", e->span, "never none",
                                     "`if let` asks whether there is a value; this is %.*s and "
                                     "always there",
                                     STR_FMT(type_phrase(k, &e->type)));
    diag_help(k->c, d, "write  let x = %.*s", STR_FMT(ctx_text(k->c, e->span)));
    return false;
}

bool check_if_let(struct checker *k, struct expr *value, struct name name, uint32_t *local,
                  struct lang_type *type)
{
    *type = type_plain(LANG_TYPE_NONE);
    bool fine = optional_value(k, value, type);
    *local = local_add(k, name, type, false, fine);
    return fine;
}

static void check_if_expr(struct checker *k, struct expr *e, const struct lang_type *want)
{
    size_t scope = k->frame->names.all.n;
    struct lang_type inner;
    bool fine = e->name.text.n > 0 ? check_if_let(k, e->a, e->name, &e->local, &inner)
                                   : check_condition(k, e->a, "a condition");
    fine = check_value(k, e->b, want, OWN_STORED) && fine;
    names_end(k, scope);
    fine = check_value(k, e->otherwise, want, OWN_STORED) && fine;
    if (fine) {
        e->type = e->b->type;
        fine = unify(k, &e->type, &e->b->type, e->b, e->otherwise, "the other side");
    }
    if (!fine) {
        expr_bad(e);
        return;
    }
    if (!is_none(&e->type)) {
        none_settle(e->b, &e->type);
        none_settle(e->otherwise, &e->type);
    }
}

/* ---- all of them ------------------------------------------------------------------------- */

static void check_literal(struct expr *e)
{
    e->constant = true;
    switch (e->kind) {
    case E_BOOL:
        e->type = type_plain(LANG_TYPE_BOOL);
        e->value.i = e->integer;
        return;
    case E_INT:
        e->type = type_plain(LANG_TYPE_INT);
        e->value.i = e->integer;
        return;
    case E_NUMBER:
        e->type = (struct lang_type){.kind = LANG_TYPE_FLOAT, .unit = *e->unit};
        e->value.f = lang_unit_to_base(e->unit, e->number);
        return;
    default:
        e->type = type_plain(LANG_TYPE_STR);
        e->text_value = e->text;
        return;
    }
}

static void check_none(struct expr *e, const struct lang_type *want)
{
    if (!want || !want->optional || want->kind == LANG_TYPE_NONE) {
        e->type.optional = true; /* whatever it is compared or unified with says of what */
        return;
    }
    e->type = *want;
    e->constant = !is_reference(want);
    e->value = type_none_slot(want);
}

void none_settle(struct expr *e, const struct lang_type *want)
{
    if (!is_none(&e->type))
        return;
    if (e->kind == E_NONE) {
        check_none(e, want);
        return;
    }
    e->type = *want;
    if (e->kind == E_IF) {
        none_settle(e->b, want);
        none_settle(e->otherwise, want);
    } else if (e->kind == E_BINARY) {
        none_settle(e->a, want);
        none_settle(e->b, want);
    }
}

static void check_move(struct checker *k, struct expr *e)
{
    check_expr(k, e->a);
    if (!e->a->bad && !is_device(e->a)) {
        struct lang_diag *d =
            diag_error(k->c, "T1", e->span, "nothing to move", "`move` hands %s over, this is %.*s",
                       noun_a(k->c, NOUN_RESOURCE), STR_FMT(type_phrase(k, &e->a->type)));
        diag_help(k->c, d, "data is shared or copied: leave `move` out");
    }
    if (e->a->bad || !is_device(e->a)) {
        expr_bad(e);
        return;
    }
    e->type = e->a->type;
}

void check_expr_want(struct checker *k, struct expr *e, const struct lang_type *want)
{
    e->bad = false;
    e->constant = false;
    e->ref = REF_NONE;
    e->value.i = 0;
    e->type = type_plain(LANG_TYPE_NONE);
    switch (e->kind) {
    case E_BAD: expr_bad(e); return;
    case E_BOOL:
    case E_INT:
    case E_NUMBER:
    case E_TEXT: check_literal(e); return;
    case E_STRING: check_string(k, e); return;
    case E_PATH: check_path(k, e); return;
    case E_CALL: check_call(k, e); return;
    case E_NEG: check_neg(k, e); return;
    case E_NOT: check_not(k, e); return;
    case E_STALE: check_stale(k, e); return;
    case E_BINARY: check_binary(k, e, want); return;
    case E_NONE: check_none(e, want); return;
    case E_INDEX: check_index(k, e); return;
    case E_FIELD: check_field(k, e); return;
    case E_METHOD: check_method(k, e); return;
    case E_LIST: check_list(k, e, want); return;
    case E_MAP: check_map(k, e, want); return;
    case E_RECORD: check_record(k, e); return;
    case E_IF: check_if_expr(k, e, want); return;
    case E_LAMBDA: check_lambda(k, e, want); return;
    case E_CHAN: check_chan(k, e); return;
    case E_MOVE: check_move(k, e); return;
    }
}

void check_expr(struct checker *k, struct expr *e)
{
    check_expr_want(k, e, NULL);
}

bool value_is_data(struct checker *k, struct expr *e, enum own_use use)
{
    if (e->bad)
        return false;
    if (is_device(e)) {
        own_as_data(k, e, use);
        expr_bad(e);
        return false;
    }
    if (e->ref == REF_GROUP) {
        struct lang_diag *d =
            diag_error(k->c, "T1", e->span, "not a value", "`%.*s` is several %s, not a value",
                       STR_FMT(e->text), noun_many(k->c, NOUN_RESOURCE));
        diag_help(k->c, d, "walk through them:  for x in %.*s { … }", STR_FMT(e->text));
        expr_bad(e);
        return false;
    }
    if (is_data(&e->type) || is_none(&e->type))
        return true;
    (void)diag_error(k->c, "T1", e->span, "no value", "this has no value");
    expr_bad(e);
    return false;
}

bool check_value(struct checker *k, struct expr *e, const struct lang_type *want, enum own_use use)
{
    check_expr_want(k, e, want);
    return value_is_data(k, e, use);
}

bool look_at(struct checker *k, struct expr *e)
{
    bool nothing = e->kind == E_NONE || (e->list.n == 0 && (e->kind == E_LIST || e->kind == E_MAP));
    if (!nothing && e->kind != E_LAMBDA)
        check_expr(k, e);
    return false;
}

void look_at_list(struct checker *k, struct expr *e)
{
    for (size_t i = 0; i < e->list.n; i++)
        (void)look_at(k, e->list.v[i]);
}

bool check_value_fits(struct checker *k, struct expr *e, const struct lang_type *want,
                      enum own_use use, const char *what, struct lang_span what_span)
{
    return check_value(k, e, want, use) && check_fits(k, want, e, what, what_span);
}

/* ---- conditions, durations, constants ------------------------------------------------------ */

bool check_condition(struct checker *k, struct expr *e, const char *what)
{
    if (!check_value(k, e, NULL, OWN_STORED))
        return false;
    if (e->type.optional) {
        may_be_none(k, e, what);
        expr_bad(e);
        return false;
    }
    if (e->type.kind == LANG_TYPE_BOOL)
        return true;
    struct lang_diag *d =
        diag_error(k->c, "T1", e->span, "not a bool", "%s is true or false, this is %.*s", what,
                   STR_FMT(type_phrase(k, &e->type)));
    if (is_number(&e->type))
        diag_help(k->c, d, "compare it with something:  %.*s > …",
                  STR_FMT(ctx_text(k->c, e->span)));
    return false;
}

bool check_constant(struct checker *k, struct expr *e, const struct lang_type *want)
{
    enum check_mode mode = k->mode;
    k->mode = MODE_CONST;
    bool fine = check_value(k, e, want, OWN_STORED);
    k->mode = mode;
    return fine;
}

static bool is_duration(struct checker *k, struct expr *e, const char *what)
{
    struct lang_type want = type_seconds();
    if (e->type.optional) {
        may_be_none(k, e, what);
        return false;
    }
    if (is_number(&e->type) && units_match(&e->type.unit, &want.unit))
        return true;
    bool plain = e->type.kind == LANG_TYPE_INT;
    struct lang_diag *d =
        diag_error(k->c, "U1", e->span, "not a duration", "%s is a duration, this is %.*s", what,
                   STR_FMT(plain ? STR("a plain number") : type_phrase(k, &e->type)));
    diag_help(k->c, d, "as in:  500ms, 10s, 5min, 1h 30min");
    return false;
}

static bool duration_ms(struct checker *k, const struct expr *e, const char *what, int64_t *out)
{
    double ms = e->value.f * 1000;
    if (!(ms >= 1) || ms > 1e14) {
        (void)diag_error(k->c, "T1", e->span, "out of range",
                         "%s is at least 1 ms and at most 3000 years", what);
        return false;
    }
    *out = (int64_t)llround(ms);
    return true;
}

bool check_duration(struct checker *k, struct expr *e, const char *what, int64_t *out)
{
    if (!check_constant(k, e, NULL) || !is_duration(k, e, what))
        return false;
    if (!e->constant) {
        (void)diag_error(k->c, "T1", e->span, "not constant", "%s must be constant", what);
        return false;
    }
    return duration_ms(k, e, what, out);
}

bool check_duration_value(struct checker *k, struct expr *e, const char *what, int64_t *out)
{
    *out = -1;
    if (!check_value(k, e, NULL, OWN_STORED) || !is_duration(k, e, what))
        return false;
    return !e->constant || duration_ms(k, e, what, out);
}

/* ---- what may stand where ------------------------------------------------------------------ */

static const char *place_of(const struct checker *k)
{
    if (k->frame->kind == FRAME_LAMBDA)
        return "a lambda only computes";
    switch (k->mode) {
    case MODE_CONDITION: return "a condition only looks";
    case MODE_CONST: return "a constant is known before the program runs";
    case MODE_INIT: return "the first value of a variable is data";
    case MODE_FN: return "a function only computes";
    default: return NULL;
    }
}

bool may_act(struct checker *k, struct lang_span at, const char *what)
{
    const char *place = place_of(k);
    if (!place || (k->mode == MODE_FN && k->frame->kind == FRAME_FN))
        return true;
    struct lang_diag *d =
        diag_error(k->c, "T1", at, "not here", "%s: %s does not belong here", place, what);
    if (k->mode == MODE_CONDITION)
        diag_help(k->c, d, "it stands in the body of a rule, or in a task");
    return false;
}

bool may_suspend(struct checker *k, struct lang_span at, const char *what)
{
    if (!may_act(k, at, what))
        return false;
    k->frame->suspends = true; /* of a function: ownership tells it (O10) */
    return true;
}
