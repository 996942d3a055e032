/* Types, layouts and variables of a program, and the heads of its chunks. */
#include "lang/verify_internal.h"

static bool known(const struct verifier *v, uint16_t type)
{
    return type < v->code->types_n;
}

/* What may be inside a list, a map, a record, a closure's parameters. */
static bool is_data(const struct verifier *v, uint16_t type)
{
    if (!known(v, type))
        return false;
    uint8_t kind = verify_type(v, type)->kind;
    return kind != CODE_KIND_NONE && kind != CODE_KIND_HANDLE;
}

static bool is_key(const struct verifier *v, uint16_t type)
{
    return is_data(v, type) && verify_type(v, type)->kind <= CODE_KIND_STR;
}

static bool args_fine(const struct verifier *v, const struct code_type *t)
{
    if ((size_t)t->a + t->args_n > v->code->type_args_n)
        return false;
    for (unsigned n = 0; n < t->args_n; n++)
        if (!is_data(v, v->code->type_args[t->a + n]))
            return false;
    return true;
}

static bool record_fine(const struct verifier *v, const struct code_type *t)
{
    if (!t->def || t->args_n > LANG_FIELDS_MAX || t->def->fields_n != t->args_n ||
        !args_fine(v, t) || t->b >= v->code->layouts_n)
        return false;
    const struct heap_layout *l = &v->code->layouts[t->b];
    uint64_t refs = 0;
    for (unsigned n = 0; n < t->args_n; n++)
        if (code_kind_ref(verify_type(v, v->code->type_args[t->a + n])->kind))
            refs |= UINT64_C(1) << n;
    return l->slots == t->args_n && l->refs == refs;
}

static bool type_fine(const struct verifier *v, const struct code_type *t)
{
    switch (t->kind) {
    case CODE_KIND_NONE:
    case CODE_KIND_BOOL:
    case CODE_KIND_INT:
    case CODE_KIND_FLOAT:
    case CODE_KIND_STR: return true;
    case CODE_KIND_ENUM: return t->def != NULL;
    case CODE_KIND_HANDLE: return t->model != NULL;
    case CODE_KIND_RECORD: return record_fine(v, t);
    case CODE_KIND_LIST: return is_data(v, t->a);
    case CODE_KIND_MAP: return is_key(v, t->a) && is_data(v, t->b);
    case CODE_KIND_CHAN:
        return is_data(v, t->a) ||
               (known(v, t->a) && verify_type(v, t->a)->kind == CODE_KIND_HANDLE &&
                verify_type(v, t->a)->own);
    case CODE_KIND_FN:
        return t->args_n <= CODE_ARGS_MAX && args_fine(v, t) &&
               (t->b == CODE_TYPE_NONE || is_data(v, t->b));
    default: return false;
    }
}

static bool first_types_fine(const struct lang_code *c)
{
    return c->types_n > CODE_TYPE_STR && c->types_n <= CODE_TYPES_MAX &&
           c->types[CODE_TYPE_NONE].kind == CODE_KIND_NONE &&
           c->types[CODE_TYPE_BOOL].kind == CODE_KIND_BOOL &&
           c->types[CODE_TYPE_INT].kind == CODE_KIND_INT &&
           c->types[CODE_TYPE_FLOAT].kind == CODE_KIND_FLOAT &&
           c->types[CODE_TYPE_STR].kind == CODE_KIND_STR;
}

const char *verify_types(const struct verifier *v)
{
    const struct lang_code *c = v->code;
    if (!first_types_fine(c))
        return "wrong basic types";
    for (size_t n = 0; n < c->layouts_n; n++)
        if (c->layouts[n].slots > 64 ||
            (c->layouts[n].slots < 64 && c->layouts[n].refs >> c->layouts[n].slots))
            return "an impossible layout";
    for (size_t n = 0; n < c->types_n; n++)
        if (!type_fine(v, &c->types[n]))
            return "an impossible type";
    for (size_t n = 0; n < v->p->vars_n; n++)
        if (!is_data(v, c->var_types[n]))
            return "a variable of no type";
    return NULL;
}

static bool layout_fine(const struct verifier *v, const struct lang_chunk *c)
{
    if (c->layout >= v->code->layouts_n)
        return false;
    uint64_t refs = 0;
    for (unsigned n = 0; n < c->captures_n; n++)
        if (code_kind_ref(verify_type(v, c->reg_types[c->params_n - c->captures_n + n])->kind))
            refs |= UINT64_C(2) << n;
    const struct heap_layout *l = &v->code->layouts[c->layout];
    return l->slots == 1 + c->captures_n && l->refs == refs;
}

static bool registers_fine(const struct verifier *v, const struct lang_chunk *c)
{
    for (unsigned n = 0; n < c->regs_n; n++) {
        if (!known(v, c->reg_types[n]) || verify_type(v, c->reg_types[n])->kind == CODE_KIND_NONE)
            return false;
        bool scalar = verify_type(v, c->reg_types[n])->kind < CODE_KIND_HANDLE;
        if (n >= c->params_n && n < c->zero_from && !scalar)
            return false;
    }
    for (unsigned n = 0; n < c->captures_n; n++)
        if (!is_data(v, c->reg_types[c->params_n - c->captures_n + n]))
            return false;
    return true;
}

const char *verify_chunk_head(const struct verifier *v, const struct lang_chunk *c)
{
    if (c->code_n == 0 || c->code_n > CODE_CHUNK_MAX || c->regs_n > CODE_REGS_MAX ||
        c->params_n > c->zero_from || c->zero_from > c->regs_n || c->captures_n > c->params_n ||
        c->captures_n > CODE_CAPTURES_MAX || (c->task && c->result != CODE_TYPE_NONE) ||
        c->params_n - c->captures_n > (int)CODE_ARGS_MAX ||
        !(c->result == CODE_TYPE_NONE || is_data(v, c->result)))
        return "an impossible chunk";
    if (!registers_fine(v, c))
        return "a register of no type";
    struct lang_chunk masks = *c;
    code_chunk_masks(&masks, v->code->types);
    for (unsigned n = 0; n < 4; n++)
        if (masks.refs[n] != c->refs[n] || masks.owns[n] != c->owns[n])
            return "wrong masks of registers";
    return layout_fine(v, c) ? NULL : "an impossible layout";
}
