/* Messages between programs: all places of one name agree in its type. */
#include "lang/check_internal.h"

#include <stdio.h>

struct subject *subject_of(struct checker *k, struct expr *e)
{
    if (!check_constant(k, e, NULL))
        return NULL;
    if (e->type.kind != LANG_TYPE_STR || !e->constant || e->text_value.n == 0) {
        (void)diag_error(k->c, "T1", e->span, "no name of a message",
                         "a message has a name that is known before the program runs");
        return NULL;
    }
    struct subject *t = map_get(&k->subjects, e->text_value);
    if (t)
        return t;
    t = ctx_tree_new(k->c, sizeof(*t));
    t->name = ctx_str(k->c, e->text_value);
    t->type = type_plain(LANG_TYPE_NONE);
    map_set(k, &k->subjects, t->name, t);
    ctx_tree_push(k->c, &k->subjects_list, t);
    return t;
}

void subject_type(struct checker *k, struct subject *t, const struct lang_type *type,
                  struct lang_span at)
{
    if (t->type.kind == LANG_TYPE_NONE) {
        t->type = *type;
        t->type_span = at;
        return;
    }
    if (type_same(&t->type, type))
        return;
    struct lang_diag *d =
        diag_error(k->c, "T1", at, "another type", "the message \"%.*s\" is %.*s here",
                   STR_FMT(t->name), STR_FMT(type_phrase(k, type)));
    diag_mark(k->c, d, t->type_span, "%.*s here", STR_FMT(type_text(k, &t->type)));
    diag_help(k->c, d, "all that send and get it must agree");
}

bool message_type(struct checker *k, const struct lang_type *type, struct lang_span at)
{
    if (type_copyable(k, type))
        return true;
    struct lang_diag *d =
        diag_error(k->c, "T1", at, "can't be copied", "a message is copied, and %.*s can't be",
                   STR_FMT(type_phrase(k, type)));
    diag_help(k->c, d, "channels and functions stay inside of one program: send data");
    return false;
}

void check_publish(struct checker *k, struct stmt *s)
{
    bool here = k->mode != MODE_FN && k->frame->kind != FRAME_LAMBDA;
    if (!here)
        (void)diag_error(k->c, "T1", s->span, "not here",
                         "a function only computes: `publish` stands in a rule or a task");
    struct subject *t = subject_of(k, s->value);
    if (!check_value(k, s->value2, t ? &t->type : NULL, OWN_SENT) || !t || !here)
        return;
    struct lang_type type = type_element(s->value2->type);
    if (is_none(&type)) {
        struct lang_diag *d =
            diag_error(k->c, "T1", s->value2->span, "of what?", "`none` says nothing of its type");
        diag_help(k->c, d, "give it a name first:  let x: int? = none");
        return;
    }
    if (!message_type(k, &type, s->value2->span))
        return;
    subject_type(k, t, &type, s->value2->span);
    own_message(k, t->name, &type, s->value->span, true);
    if (!t->is_said)
        t->said = s->value->span;
    t->is_said = true;
}

/* What is sent to nobody, or waited for in vain, is mostly a slip of the pen. */
void check_subjects(struct checker *k)
{
    own_messages(k);
    for (size_t i = 0; i < k->subjects_list.n; i++) {
        const struct subject *t = k->subjects_list.v[i];
        if (t->is_said == t->is_heard || k->c->errors > 0)
            continue;
        struct suggest s = suggest_for(k->c, t->name);
        for (size_t q = 0; q < k->subjects_list.n; q++)
            if (k->subjects_list.v[q]->is_said != t->is_said)
                suggest_offer(&s, k->subjects_list.v[q]->name);
        struct lang_diag *d = t->is_said
                                  ? diag_warning(k->c, "N3", t->said, "nobody hears it",
                                                 "no program waits for \"%.*s\"", STR_FMT(t->name))
                                  : diag_warning(k->c, "N3", t->heard, "nobody says it",
                                                 "no program publishes \"%.*s\"", STR_FMT(t->name));
        if (suggest_found(&s))
            diag_help(k->c, d, "did you mean \"%.*s\"?", STR_FMT(s.best));
        else if (t->is_said)
            diag_help(k->c, d, "hear it:  on \"%.*s\" as x: … { … }", STR_FMT(t->name));
        else
            diag_help(k->c, d, "say it in a rule or a task:  publish \"%.*s\" …", STR_FMT(t->name));
    }
}
