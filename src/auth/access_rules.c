/* The table: compiled once, then only read. */
#include "auth/access.h"

#include "codec/mqtt.h"

#include <string.h>

#define LEVELS_MAX 128 /* as the bus has it */

enum level_kind {
    LEVEL_TEXT,
    LEVEL_NAMED, /* text with %u, %c or %% in it */
    LEVEL_PLUS,
    LEVEL_HASH,
};
struct level {
    enum level_kind kind;
    struct str text;
};
struct rule {
    const struct level *levels;
    size_t levels_n;
    struct str user;
    uint8_t rights, who;
    bool allow;
};
struct access_rules {
    _Atomic size_t refs;
    struct alloc *alloc;
    size_t size, n;
    struct rule rules[];
};

/* ---- building ---- */

static enum level_kind kind_of(struct str level)
{
    size_t at;
    if (str_eq(level, STR("+")))
        return LEVEL_PLUS;
    if (str_eq(level, STR("#")))
        return LEVEL_HASH;
    return str_find(level, '%', &at) ? LEVEL_NAMED : LEVEL_TEXT;
}

/* Each level of a filter in turn; a trailing slash has an empty level behind it. */
static bool level_next(struct str *rest, bool *more, struct str *level)
{
    size_t at;
    if (!*more)
        return false;
    *more = str_find(*rest, '/', &at);
    *level = *more ? str_sub(*rest, 0, at) : *rest;
    *rest = *more ? str_sub(*rest, at + 1, rest->n) : STR("");
    return true;
}

static size_t levels_of(struct str filter)
{
    struct str level;
    bool more = true;
    size_t n = 0;
    while (level_next(&filter, &more, &level))
        n++;
    return n;
}

static bool percents_valid(struct str filter)
{
    for (size_t i = 0; i < filter.n; i++) {
        if (filter.p[i] != '%')
            continue;
        if (++i == filter.n || !(filter.p[i] == 'u' || filter.p[i] == 'c' || filter.p[i] == '%'))
            return false;
    }
    return true;
}

static enum err rule_check(const struct access_rule *r, size_t number, struct error *e)
{
    const unsigned known = ACCESS_PUBLISH | ACCESS_SUBSCRIBE | ACCESS_DELIVER;
    const char *why = NULL;
    if (!r->rights || (r->rights & ~known))
        why = "it gives no right that there is";
    else if (r->who == ACCESS_USER && r->user.n == 0)
        why = "the user has no name";
    else if (str_starts(r->filter, STR("$share/")))
        why = "a shared subscription is ruled by the filter behind its group";
    else if (!mqtt_filter_valid(r->filter))
        why = "its filter is not valid: `+` stands for a whole level, `#` for all at the end";
    else if (!percents_valid(r->filter))
        why = "a percent sign is %u, %c or %%";
    else if (levels_of(r->filter) > LEVELS_MAX)
        why = "its filter has more than 128 levels";
    if (!why)
        return ERR_OK;
    return error_set(e, ERR_INVALID, "access rule %zu, \"%.*s\": %s", number,
                     (int)(r->filter.n < 60 ? r->filter.n : 60), r->filter.p, why);
}

static struct str keep(char **room, struct str s)
{
    char *at = *room;
    if (s.n)
        memcpy(at, s.p, s.n);
    *room += s.n;
    return (struct str){at, s.n};
}

static void rule_build(struct rule *out, const struct access_rule *in, struct level **levels,
                       char **room)
{
    struct str rest = keep(room, in->filter), level;
    bool more = true;
    *out = (struct rule){.levels = *levels,
                         .user = keep(room, in->user),
                         .rights = in->rights,
                         .who = (uint8_t)in->who,
                         .allow = in->allow};
    while (level_next(&rest, &more, &level))
        (*levels)[out->levels_n++] = (struct level){kind_of(level), level};
    *levels += out->levels_n;
}

enum err access_rules_new(struct access_rules **out, struct alloc *a,
                          const struct access_rule *rules, size_t n, struct error *e)
{
    size_t levels_n = 0, text_n = 0;
    *out = NULL;
    if (n > ACCESS_RULES_MAX)
        return error_set(e, ERR_RANGE, "more than %d access rules; %%u stands for each user",
                         ACCESS_RULES_MAX);
    for (size_t i = 0; i < n; i++) {
        enum err err = rule_check(&rules[i], i + 1, e);
        if (err)
            return err;
        levels_n += levels_of(rules[i].filter);
        text_n += rules[i].filter.n + rules[i].user.n;
    }
    size_t size = sizeof(struct access_rules) + n * sizeof(struct rule) +
                  levels_n * sizeof(struct level) + text_n;
    struct access_rules *t = mem_zero(a, size);
    if (!t)
        return error_set(e, ERR_NOMEM, "no memory for the access rules");
    struct level *levels = (struct level *)(void *)(t->rules + n);
    char *room = (char *)(levels + levels_n);
    for (size_t i = 0; i < n; i++)
        rule_build(&t->rules[i], &rules[i], &levels, &room);
    atomic_init(&t->refs, 1);
    t->alloc = a;
    t->size = size;
    t->n = n;
    *out = t;
    return ERR_OK;
}

struct access_rules *access_rules_ref(struct access_rules *t)
{
    atomic_fetch_add_explicit(&t->refs, 1, memory_order_relaxed);
    return t;
}

void access_rules_unref(struct access_rules *t)
{
    if (t && atomic_fetch_sub_explicit(&t->refs, 1, memory_order_acq_rel) == 1)
        mem_free(t->alloc, t, t->size);
}

size_t access_rules_count(const struct access_rules *t)
{
    return t->n;
}

/* ---- asking ---- */

/* Whether a name may stand in a level. */
static bool name_usable(struct str name)
{
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] == '/' || name.p[i] == '+' || name.p[i] == '#' || name.p[i] == '\0')
            return false;
    }
    return name.n > 0;
}

enum fit { FIT_NO, FIT_YES, FIT_UNUSABLE /* a name that is no text of one level */ };

/* Whether the level is what the rule's level says, with its names filled in. */
static enum fit named_fits(struct str pattern, const struct access_client *who, struct str level)
{
    bool fits = true;
    for (size_t i = 0; i < pattern.n; i++) {
        struct str piece = {pattern.p + i, 1};
        if (pattern.p[i] == '%' && pattern.p[++i] != '%') {
            piece = pattern.p[i] == 'u' ? who->user : who->id;
            if (!name_usable(piece))
                return FIT_UNUSABLE;
        }
        fits = fits && str_starts(level, piece);
        level = fits ? str_sub(level, piece.n, level.n) : level;
    }
    return fits && level.n == 0 ? FIT_YES : FIT_NO;
}

static bool level_fits(const struct rule *r, const struct level *l, const struct access_client *who,
                       struct str level)
{
    if (l->kind == LEVEL_TEXT)
        return str_eq(l->text, level);
    enum fit fit = named_fits(l->text, who, level);
    return fit == FIT_YES || (fit == FIT_UNUSABLE && !r->allow);
}

/* Whoever calls himself $SYS gets nothing there by it. */
static bool begins_with_name(const struct level *l)
{
    return l->kind == LEVEL_NAMED && l->text.p[0] == '%';
}

/* Whether all that the subject names is the rule's. */
static bool filter_fits(const struct rule *r, const struct access_client *who, struct str subject)
{
    bool dollar = subject.n && subject.p[0] == '$', more = true;
    for (size_t i = 0; i < r->levels_n; i++) {
        const struct level *l = &r->levels[i];
        struct str level;
        bool wild = l->kind == LEVEL_PLUS || l->kind == LEVEL_HASH;
        if (i == 0 && dollar && (wild || (r->allow && begins_with_name(l)))) /* [MQTT-4.7.2-1] */
            return false;
        if (l->kind == LEVEL_HASH)
            return true;
        if (!level_next(&subject, &more, &level) || str_eq(level, STR("#")))
            return false;
        if (!wild && !level_fits(r, l, who, level))
            return false;
    }
    return !more;
}

static bool who_fits(const struct rule *r, const struct access_client *who)
{
    switch ((enum access_who)r->who) {
    case ACCESS_USER: return who->user.p && str_eq(r->user, who->user);
    case ACCESS_USERS: return who->user.p;
    case ACCESS_ANONYMOUS: return !who->user.p;
    default: return true;
    }
}

bool access_rules_allow(const struct access_rules *t, const struct access_client *who,
                        enum access_right right, struct str subject, size_t *rule)
{
    for (size_t i = 0; i < t->n; i++) {
        const struct rule *r = &t->rules[i];
        if (!(r->rights & right) || !who_fits(r, who) || !filter_fits(r, who, subject))
            continue;
        if (rule)
            *rule = i + 1;
        return r->allow;
    }
    if (rule)
        *rule = 0;
    return false;
}
