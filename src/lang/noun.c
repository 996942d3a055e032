/* What messages call the things of a role: the host's own words, with English around them. */
#include "lang/ctx_internal.h"

#include <string.h>

static const struct {
    enum lang_role kind;          /* of a kind of declarations; else PLAIN */
    enum lang_clause_role clause; /* of a clause */
    const char *plain;            /* for a schema that has none */
} roles[] = {
    [NOUN_TYPE] = {LANG_ROLE_TYPE, LANG_CLAUSE_PLAIN, "handle type"},
    [NOUN_RESOURCE] = {LANG_ROLE_RESOURCE, LANG_CLAUSE_PLAIN, "resource"},
    [NOUN_SET] = {LANG_ROLE_SET, LANG_CLAUSE_PLAIN, "set"},
    [NOUN_READABLE] = {LANG_ROLE_PLAIN, LANG_CLAUSE_READABLE, "reading"},
    [NOUN_COMMAND] = {LANG_ROLE_PLAIN, LANG_CLAUSE_COMMAND, "command"},
    [NOUN_SIGNAL] = {LANG_ROLE_PLAIN, LANG_CLAUSE_SIGNAL, "signal"},
};

static const char *clause_word(const struct lang_kind *kind, enum lang_clause_role role)
{
    for (size_t i = 0; i < kind->clauses_n; i++)
        if (kind->clauses[i].role == role)
            return kind->clauses[i].word;
    return NULL;
}

const char *noun(const struct lang_ctx *c, enum noun n)
{
    const struct lang_schema *s = c->schema;
    for (size_t i = 0; s && i < s->kinds_n; i++) {
        if (roles[n].kind != LANG_ROLE_PLAIN && s->kinds[i].role == roles[n].kind)
            return s->kinds[i].word;
        const char *word = roles[n].clause != LANG_CLAUSE_PLAIN
                               ? clause_word(&s->kinds[i], roles[n].clause)
                               : NULL;
        if (word)
            return word;
    }
    return roles[n].plain;
}

const char *noun_a(struct lang_ctx *c, enum noun n)
{
    const char *word = noun(c, n);
    return ctx_strf(c, "%s %s", strchr("aeiou", word[0]) ? "an" : "a", word).p;
}

const char *not_a(struct lang_ctx *c, enum noun n)
{
    return ctx_strf(c, "not %s", noun_a(c, n)).p;
}

const char *noun_many(struct lang_ctx *c, enum noun n)
{
    const char *word = noun(c, n);
    size_t len = strlen(word);
    if (len > 1 && word[len - 1] == 'y' && !strchr("aeiou", word[len - 2]))
        return ctx_strf(c, "%.*sies", (int)len - 1, word).p;
    return ctx_strf(c, "%ss", word).p;
}
