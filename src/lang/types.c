/* Names of types, and look-ups in checked declarations. */
#include "lang/schema.h"

#include <string.h>

struct str lang_type_name(const struct lang_type *t)
{
    switch (t->kind) {
    case LANG_TYPE_NONE: return STR("nothing");
    case LANG_TYPE_BOOL: return STR("bool");
    case LANG_TYPE_INT: return STR("int");
    case LANG_TYPE_FLOAT: return t->unit.symbol.n > 0 ? t->unit.symbol : STR("float");
    case LANG_TYPE_STR: return STR("str");
    case LANG_TYPE_TIME: return STR("time");
    case LANG_TYPE_ENUM:
    case LANG_TYPE_RECORD: return t->def ? t->def->name : STR("record");
    case LANG_TYPE_LIST: return STR("list");
    case LANG_TYPE_MAP: return STR("map");
    case LANG_TYPE_CHAN: return STR("chan");
    case LANG_TYPE_FN: return STR("fn");
    case LANG_TYPE_HANDLE: break;
    }
    return t->model ? t->model->name : STR("handle");
}

static void print_args(struct strbuf *out, const struct lang_type *args, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        strbuf_adds(out, i ? ", " : "");
        lang_type_print(out, &args[i]);
    }
}

static void print_fn(struct strbuf *out, const struct lang_type *t)
{
    size_t params = t->args_n > 0 ? t->args_n - 1u : 0;
    strbuf_adds(out, "fn(");
    print_args(out, t->args, params);
    strbuf_addc(out, ')');
    if (t->args_n > 0 && t->args[params].kind != LANG_TYPE_NONE) {
        strbuf_adds(out, " -> ");
        lang_type_print(out, &t->args[params]);
    }
}

void lang_type_print(struct strbuf *out, const struct lang_type *t)
{
    if (t->kind == LANG_TYPE_NONE && t->optional) {
        strbuf_adds(out, "none");
        return;
    }
    if (t->kind == LANG_TYPE_FN) {
        /* a `?` behind it would be that of its result */
        strbuf_adds(out, t->optional ? "(" : "");
        print_fn(out, t);
        strbuf_adds(out, t->optional ? ")" : "");
    } else {
        strbuf_addstr(out, lang_type_name(t));
        if (t->kind >= LANG_TYPE_LIST) {
            strbuf_adds(out, t->own ? "<own " : "<");
            print_args(out, t->args, t->args_n);
            strbuf_addc(out, '>');
        }
    }
    if (t->optional)
        strbuf_addc(out, '?');
}

static bool clause_is(const struct lang_clause *c, const char *word, const char *second)
{
    if (strcmp(c->word, word) != 0)
        return false;
    return !second || (c->second && strcmp(c->second, second) == 0);
}

const struct lang_clause_decl *lang_decl_clause(const struct lang_decl *d, const char *word,
                                                const char *second, size_t nth)
{
    for (size_t i = 0; i < d->clauses_n; i++)
        if (clause_is(d->clauses[i].clause, word, second) && nth-- == 0)
            return &d->clauses[i];
    return NULL;
}

const struct lang_clause_decl *lang_value_clause(const struct lang_value *v, const char *word,
                                                 size_t nth)
{
    for (size_t i = 0; i < v->clauses_n; i++)
        if (clause_is(v->clauses[i].clause, word, NULL) && nth-- == 0)
            return &v->clauses[i];
    return NULL;
}

const struct lang_value *lang_clause_value(const struct lang_clause_decl *c, const char *arg)
{
    for (size_t i = 0; i < c->clause->args_n; i++)
        if (strcmp(c->clause->args[i].name, arg) == 0)
            return &c->values[i];
    ASSERT(!"an argument of that name is in the table");
    return NULL;
}

const struct lang_member *lang_decl_member(const struct lang_decl *type, enum lang_clause_role role,
                                           struct str name)
{
    for (size_t i = 0; i < type->members_n; i++)
        if (type->members[i].role == role && str_eq(type->members[i].name, name))
            return &type->members[i];
    return NULL;
}

const struct lang_member *lang_decl_any_member(const struct lang_decl *type, struct str name)
{
    const struct lang_member *m = lang_decl_member(type, LANG_CLAUSE_READABLE, name);
    m = m ? m : lang_decl_member(type, LANG_CLAUSE_COMMAND, name);
    return m ? m : lang_decl_member(type, LANG_CLAUSE_SIGNAL, name);
}

const struct lang_member *lang_decl_member_at(const struct lang_decl *type,
                                              enum lang_clause_role role, uint32_t index)
{
    for (size_t i = 0; i < type->members_n; i++)
        if (type->members[i].role == role && type->members[i].index == index)
            return &type->members[i];
    return NULL;
}
