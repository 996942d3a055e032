#include "site/access.h"

#include <string.h>

#define OPT LANG_ARG_OPTIONAL

static const char *const words[] = {"publish", "subscribe", "deliver", "all", NULL};
static const uint8_t rights[] = {
    ACCESS_PUBLISH,
    ACCESS_SUBSCRIBE | ACCESS_DELIVER,
    ACCESS_DELIVER,
    ACCESS_PUBLISH | ACCESS_SUBSCRIBE | ACCESS_DELIVER,
};
static const struct lang_arg args[] = {
    {.kind = LANG_ARG_WORD, .name = "right", .words = words},
    {.kind = LANG_ARG_STRING, .name = "filter"},
    {.kind = LANG_ARG_STRING, .name = "user", .lead = "user", .flags = OPT},
    {.kind = LANG_ARG_FLAG, .name = "users", .lead = "users", .flags = OPT},
    {.kind = LANG_ARG_FLAG, .name = "anonymous", .lead = "anonymous", .flags = OPT},
};
const struct lang_clause site_access_clauses[SITE_ACCESS_CLAUSES] = {
    {.word = "allow",
     .flags = LANG_CLAUSE_REPEATED,
     .args = args,
     .args_n = ARRAY_LEN(args),
     .example = "allow publish \"line1/%u/#\" users"},
    {.word = "deny",
     .flags = LANG_CLAUSE_REPEATED,
     .args = args,
     .args_n = ARRAY_LEN(args),
     .example = "deny all \"line1/recipes/#\" anonymous"},
};

static bool has(const struct lang_clause_decl *c, const char *arg)
{
    return lang_clause_value(c, arg)->kind != LANG_ARG_NONE;
}

static enum err read_rule(struct access_rule *out, const struct lang_clause_decl *c, size_t number,
                          struct error *e)
{
    const struct lang_value *right = lang_clause_value(c, "right");
    *out = (struct access_rule){.allow = strcmp(c->clause->word, "allow") == 0,
                                .rights = rights[right->index],
                                .who = ACCESS_ALL,
                                .filter = lang_clause_value(c, "filter")->text};
    if (has(c, "user") + has(c, "users") + has(c, "anonymous") > 1)
        return error_set(e, ERR_INVALID,
                         "access rule %zu is for one of: user \"NAME\", users, anonymous", number);
    if (has(c, "user")) {
        out->who = ACCESS_USER;
        out->user = lang_clause_value(c, "user")->text;
    } else if (has(c, "users")) {
        out->who = ACCESS_USERS;
    } else if (has(c, "anonymous")) {
        out->who = ACCESS_ANONYMOUS;
    }
    return ERR_OK;
}

enum err site_access_read(struct access_rules **out, const struct lang_site *site, struct alloc *a,
                          struct error *e)
{
    const struct lang_decl *access = lang_site_decl(site, "access", 0);
    *out = NULL;
    if (!access)
        return ERR_OK;
    size_t n = access->clauses_n;
    struct access_rule *rules = mem_array(a, n + 1, sizeof(*rules));
    if (!rules)
        return error_set(e, ERR_NOMEM, "no memory for the access rules");
    enum err err = ERR_OK;
    for (size_t i = 0; !err && i < n; i++)
        err = read_rule(&rules[i], &access->clauses[i], i + 1, e);
    if (!err)
        err = access_rules_new(out, a, rules, n, e);
    mem_free(a, rules, (n + 1) * sizeof(*rules));
    return err;
}
