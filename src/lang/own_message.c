/* Messages between programs when some of them are known by their summaries alone: their types are
 * compared by a key, and who says and hears them counts as in a check of all. */
#include "lang/summary_internal.h"

/* The same for two types exactly if a value of one may be sent where the other is got. */
static void type_key(struct strbuf *b, const struct lang_type *t)
{
    strbuf_addf(b, "%d%s", (int)t->kind, t->optional ? "?" : "");
    if (t->kind == LANG_TYPE_FLOAT) {
        for (int d = 0; d < LANG_DIMS; d++)
            strbuf_addf(b, ",%d", t->unit.dim[d]);
        strbuf_addf(b, "%s%s", t->unit.affine ? "a" : "", t->unit.ratio ? "r" : "");
    }
    if (t->def)
        strbuf_addf(b, "=%.*s", STR_FMT(t->def->name));
    for (uint8_t i = 0; t->args && i < t->args_n; i++) {
        strbuf_addc(b, i == 0 ? '<' : ';');
        type_key(b, &t->args[i]);
    }
}

static struct str key_of(struct checker *k, const struct lang_type *t)
{
    struct strbuf b;
    strbuf_init(&b, &k->c->alloc, 0);
    type_key(&b, t);
    if (b.failed)
        ctx_nomem(k->c);
    return strbuf_str(&b);
}

void own_message(struct checker *k, struct str name, const struct lang_type *type,
                 struct lang_span at, bool said)
{
    struct own_site *own = k->own;
    if (!k->prog || !k->prog->own)
        return;
    struct str program = k->prog->decl->name.text;
    for (size_t i = own->messages.n; i > 0 && str_eq(own->messages.v[i - 1].program, program); i--)
        if (str_eq(own->messages.v[i - 1].name, name) && own->messages.v[i - 1].said == said)
            return;
    ctx_push(k->c, &own->messages, (struct message){program, name, key_of(k, type), at, said});
}

static void another_type(struct checker *k, const struct subject *t, struct lang_span at)
{
    struct lang_diag *d =
        diag_error(k->c, "T1", t->type_span, "another type",
                   "the message \"%.*s\" has another type elsewhere", STR_FMT(t->name));
    diag_mark(k->c, d, at, "there");
    diag_help(k->c, d, "all that send and get it must agree");
}

static struct subject *subject_named(struct checker *k, struct str name)
{
    struct subject *t = map_get(&k->subjects, name);
    if (t)
        return t;
    t = ctx_tree_new(k->c, sizeof(*t));
    t->name = name;
    if (map_put(&k->subjects, name, t) != ERR_OK)
        ctx_nomem(k->c);
    ctx_tree_push(k->c, &k->subjects_list, t);
    return t;
}

static void other_message(struct checker *k, const struct summary *s,
                          const struct summary_message *m)
{
    struct lang_span at = summary_span(k, s, m->place);
    struct subject *t = subject_named(k, m->name);
    if (t->type.kind != LANG_TYPE_NONE && !str_eq(key_of(k, &t->type), m->key))
        another_type(k, t, at);
    if (m->said && !t->is_said)
        t->said = at;
    if (!m->said && !t->is_heard)
        t->heard = at;
    t->is_said = t->is_said || m->said;
    t->is_heard = t->is_heard || !m->said;
    ctx_push(k->c, &k->own->messages, (struct message){s->program, m->name, m->key, at, m->said});
}

void own_messages(struct checker *k)
{
    for (size_t i = 0; i < k->own->summaries_n; i++)
        for (size_t m = 0; m < k->own->summaries[i].messages.n; m++)
            other_message(k, &k->own->summaries[i], &k->own->summaries[i].messages.v[m]);
}
