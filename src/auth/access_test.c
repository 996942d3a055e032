#include "auth/access.h"

#include "base/clock.h"
#include "codec/mqtt.h"
#include "tests/support/test.h"
#include <stdio.h>
#include <string.h>

#define P   ACCESS_PUBLISH
#define S   ACCESS_SUBSCRIBE
#define D   ACCESS_DELIVER
#define ALL (P | S | D)

static struct access_rules *table(const struct access_rule *rules, size_t n)
{
    struct access_rules *t = NULL;
    struct error e = {0};
    if (!CHECK_EQ_INT(access_rules_new(&t, alloc_system(), rules, n, &e), ERR_OK))
        test_note("%s", e.text);
    REQUIRE(t != NULL);
    return t;
}

struct question {
    const char *filter, *user, *id;
    enum access_right right;
    const char *subject;
    bool allowed; /* by the rule if it allows; whether it fits if it denies, but where said */
    bool deny_differs;
};

/* One rule, asked for one subject. */
static void ask_each(const struct question *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct access_client who = {{rows[i].user, rows[i].user ? strlen(rows[i].user) : 0},
                                          str_from(rows[i].id)};
        for (unsigned deny = 0; deny < 2; deny++) {
            LABEL("%s %s by %s, %s: %s", deny ? "deny" : "allow", rows[i].filter,
                  rows[i].user ? rows[i].user : "-", rows[i].id, rows[i].subject);
            const struct access_rule rules[] = {
                {!deny, ALL, ACCESS_ALL, STR(""), str_from(rows[i].filter)},
            };
            struct access_rules *t = table(rules, 1);
            size_t rule = 99;
            bool allowed =
                access_rules_allow(t, &who, rows[i].right, str_from(rows[i].subject), &rule);
            bool fits = rows[i].allowed || (deny && rows[i].deny_differs);
            CHECK_EQ_INT(allowed, fits && !deny);
            CHECK_EQ_UINT(rule, fits);
            access_rules_unref(t);
        }
    }
}

TEST(access_filters_of_topics)
{
    static const struct question rows[] = {
        {"a/b", "u", "c", P, "a/b", true, false},
        {"a/b", "u", "c", P, "a/b/", false, false},
        {"a/b", "u", "c", P, "a", false, false},
        {"a/b", "u", "c", P, "a/b/c", false, false},
        {"a/+", "u", "c", P, "a/b", true, false},
        {"a/+", "u", "c", P, "a/", true, false},
        {"a/+", "u", "c", P, "a", false, false},
        {"a/#", "u", "c", P, "a", true, false},
        {"a/#", "u", "c", P, "a/b/c", true, false},
        {"a/#", "u", "c", P, "ab", false, false},
        {"#", "u", "c", P, "a", true, false},
        {"#", "u", "c", P, "/", true, false},
        {"#", "u", "c", P, "$SYS/x", false, false},
        {"+/x", "u", "c", P, "$SYS/x", false, false},
        {"$SYS/#", "u", "c", P, "$SYS/x", true, false},
        {"a/$x", "u", "c", P, "a/$x", true, false},
        {"a/+", "u", "c", P, "a/$x", true, false},
    };
    ask_each(rows, ARRAY_LEN(rows));
}

/* A subscription is the rule's if all its topics are. */
TEST(access_filters_of_subscriptions)
{
    static const struct question rows[] = {
        {"a/#", "u", "c", S, "a/+", true, false},
        {"a/#", "u", "c", S, "a/#", true, false},
        {"a/#", "u", "c", S, "a/+/#", true, false},
        {"a/#", "u", "c", S, "#", false, false},
        {"a/#", "u", "c", S, "+/b", false, false},
        {"a/+", "u", "c", S, "a/+", true, false},
        {"a/+", "u", "c", S, "a/#", false, false},
        {"a/b", "u", "c", S, "a/+", false, false},
        {"+", "u", "c", S, "+", true, false},
        {"+", "u", "c", S, "#", false, false},
        {"#", "u", "c", S, "#", true, false},
        {"#", "u", "c", S, "+/+", true, false},
        {"#", "u", "c", S, "$SYS/#", false, false},
        {"+/#", "u", "c", S, "$SYS/#", false, false},
        {"$SYS/#", "u", "c", S, "$SYS/#", true, false},
    };
    ask_each(rows, ARRAY_LEN(rows));
}

TEST(access_filters_with_names)
{
    static const struct question rows[] = {
        {"x/%u/#", "press", "c", P, "x/press/t", true, false},
        {"x/%u/#", "press", "c", P, "x/oven/t", false, false},
        {"x/%u/#", "press", "c", S, "x/press/+", true, false},
        {"x/%u/#", "press", "c", S, "x/+/t", false, false},
        {"x/%u/#", "press", "c", S, "x/#", false, false},
        {"%c", "u", "c1", P, "c1", true, false},
        {"%c", "u", "c1", P, "c", false, false},
        {"dev-%c-in", "u", "7", P, "dev-7-in", true, false},
        {"dev-%c-in", "u", "7", P, "dev--in", false, false},
        {"%u%c", "a", "b", P, "ab", true, false},
        {"%u/%c", "a", "b", P, "a/b", true, false},
        {"100%%/%u", "a", "b", P, "100%/a", true, false},
        {"%u", "%c", "b", P, "%c", true, false},
        {"%u", "%c", "b", P, "b", false, false},
    };
    ask_each(rows, ARRAY_LEN(rows));
}

/* Names that are no text of one level: what is denied wins. */
TEST(access_filters_with_names_that_are_no_level)
{
    static const struct question rows[] = {
        {"x/%u", "+", "c", P, "x/a", false, true},
        {"x/%u", "+", "c", S, "x/+", false, true},
        {"x/%u", "#", "c", S, "x/#", false, false},
        {"x/%u", "#", "c", P, "x/a", false, true},
        {"x/%u/y", "a/b", "c", P, "x/a/b/y", false, false},
        {"x/%u/y", "a/b", "c", P, "x/a/y", false, true},
        {"x/%u", "", "c", P, "x/", false, true},
        {"x/%u", NULL, "c", P, "x/a", false, true},
        {"x/%c", "u", "a/#", S, "x/a/#", false, false},
        {"x/%c", "u", "+", S, "x/+", false, true},
        {"x/%c", "u", "+", P, "x/+", false, true},
        {"%c/x", "u", "$SYS", P, "$SYS/x", false, true},
        {"%c/x", "u", "$SYS", P, "a/x", false, false},
        {"$%c/x", "u", "SYS", P, "$SYS/x", true, false},
        {"x/%c", "u", "$SYS", P, "x/$SYS", true, false},
    };
    ask_each(rows, ARRAY_LEN(rows));
}

TEST(access_first_rule_decides)
{
    static const struct access_rule rules[] = {
        {false, ALL, ACCESS_ANONYMOUS, {NULL, 0}, STR("secret/#")},
        {true, P, ACCESS_USER, STR("boss"), STR("secret/#")},
        {false, P, ACCESS_ALL, {NULL, 0}, STR("secret/#")},
        {true, S | D, ACCESS_USERS, {NULL, 0}, STR("#")},
        {true, P, ACCESS_ALL, {NULL, 0}, STR("open/+")},
    };
    static const struct {
        const char *user;
        enum access_right right;
        const char *subject;
        size_t rule;
        bool allowed;
    } rows[] = {
        {NULL, P, "secret/x", 1, false},  {NULL, D, "secret/x", 1, false},
        {NULL, S, "secret", 1, false},    {NULL, S, "#", 0, false},
        {NULL, P, "open/x", 5, true},     {NULL, P, "open", 0, false},
        {"boss", P, "secret/x", 2, true}, {"bos", P, "secret/x", 3, false},
        {"boss", D, "secret/x", 4, true}, {"u", S, "#", 4, true},
        {"u", D, "$SYS/x", 0, false},     {"", S, "a", 4, true},
    };
    struct access_rules *t = table(rules, ARRAY_LEN(rules));
    CHECK_EQ_UINT(access_rules_count(t), ARRAY_LEN(rules));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s: %s", rows[i].user ? rows[i].user : "-", rows[i].subject);
        const struct access_client who = {{rows[i].user, rows[i].user ? strlen(rows[i].user) : 0},
                                          STR("c")};
        size_t rule = 99;
        CHECK_EQ_INT(access_rules_allow(t, &who, rows[i].right, str_from(rows[i].subject), &rule),
                     rows[i].allowed);
        CHECK_EQ_UINT(rule, rows[i].rule);
    }
    access_rules_unref(t);
}

TEST(access_rules_that_make_no_sense)
{
    static const struct {
        struct access_rule rule;
        const char *part;
    } rows[] = {
        {{true, 0, ACCESS_ALL, {NULL, 0}, STR("a")}, "no right"},
        {{true, 8, ACCESS_ALL, {NULL, 0}, STR("a")}, "no right"},
        {{true, P, ACCESS_USER, {NULL, 0}, STR("a")}, "no name"},
        {{true, P, ACCESS_ALL, {NULL, 0}, STR("")}, "not valid"},
        {{true, P, ACCESS_ALL, {NULL, 0}, STR("a/#/b")}, "not valid"},
        {{true, P, ACCESS_ALL, {NULL, 0}, STR("a+")}, "not valid"},
        {{true, S, ACCESS_ALL, {NULL, 0}, STR("$share/g/a")}, "behind its group"},
        {{true, P, ACCESS_ALL, {NULL, 0}, STR("a/%")}, "percent"},
        {{true, P, ACCESS_ALL, {NULL, 0}, STR("a/%U")}, "percent"},
        {{true, P, ACCESS_ALL, {NULL, 0}, STR("%%%")}, "percent"},
    };
    struct access_rules *t;
    struct error e;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct access_rule two[] = {{true, P, ACCESS_ALL, {NULL, 0}, STR("fine")},
                                          rows[i].rule};
        e = (struct error){0};
        LABEL("%zu: %.*s", i, STR_FMT(rows[i].rule.filter));
        CHECK_EQ_INT(access_rules_new(&t, alloc_system(), two, 2, &e), ERR_INVALID);
        CHECK_EQ_PTR(t, NULL);
        CHECK_HAS_STR(e.text, "access rule 2");
        CHECK_HAS_STR(e.text, rows[i].part);
    }
    char deep[257];
    for (size_t i = 0; i < 257; i++)
        deep[i] = i % 2 ? '/' : 'a';
    const struct access_rule rule = {true, P, ACCESS_ALL, {NULL, 0}, {deep, 257}};
    CHECK_EQ_INT(access_rules_new(&t, alloc_system(), &rule, 1, &e), ERR_INVALID);
    static struct access_rule many[ACCESS_RULES_MAX + 1];
    CHECK_EQ_INT(access_rules_new(&t, alloc_system(), many, ARRAY_LEN(many), &e), ERR_RANGE);
}

/* ---- views ---- */

TEST(access_views_remember_and_follow_a_reload)
{
    static const struct access_rule first[] = {{true, P, ACCESS_ALL, {NULL, 0}, STR("a/%c")}};
    static const struct access_rule second[] = {{false, P, ACCESS_ALL, {NULL, 0}, STR("a/%c")},
                                                {true, P, ACCESS_ALL, {NULL, 0}, STR("#")}};
    const struct access_client who = {{NULL, 0}, STR("c")};
    struct access a;
    struct access_view v;
    char why[160] = "";
    access_init(&a);
    access_view_init(&v, alloc_system(), &who);
    LABEL("no rules: nothing is asked, nothing is allocated");
    CHECK(!access_has_rules(&a));
    CHECK(access_may(&a, &v, P, STR("x"), why));
    CHECK_EQ_PTR(v.memory, NULL);
    access_set(&a, table(first, 1));
    CHECK(access_has_rules(&a));
    for (int again = 0; again < 3; again++) {
        LABEL("the first rules, time %d", again);
        CHECK(access_may(&a, &v, P, STR("a/c"), why));
        CHECK(!access_may(&a, &v, P, STR("a/d"), why));
        CHECK_EQ_STR(why, "no access rule lets it publish there");
        CHECK(!access_may(&a, &v, D, STR("a/c"), NULL));
    }
    access_set(&a, table(second, 2));
    for (int again = 0; again < 3; again++) {
        LABEL("the second rules, time %d", again);
        CHECK(!access_may(&a, &v, P, STR("a/c"), why));
        CHECK_EQ_STR(why, "access rule 1 does not let it publish there");
        CHECK(access_may(&a, &v, P, STR("a/d"), why));
    }
    access_set(&a, NULL);
    LABEL("no rules any more");
    CHECK(!access_has_rules(&a));
    CHECK(access_may(&a, &v, P, STR("a/c"), why));
    CHECK_EQ_UINT(a.denied, 9);
    access_view_fini(&v);
    access_view_fini(&v);
    access_fini(&a);
}

/* Tables change while others ask: each answer is that of one table, and the last is that of the
 * last. */
struct asker {
    pthread_t thread;
    struct access *access;
    _Atomic bool *over;
    bool mixed, last;
};

static void *ask(void *arg)
{
    struct asker *x = arg;
    const struct access_client who = {{NULL, 0}, STR("c")};
    struct access_view v;
    access_view_init(&v, alloc_system(), &who);
    for (bool over = false; !over;) {
        over = atomic_load(x->over); /* once more behind the last change */
        bool a = access_may(x->access, &v, P, STR("a"), NULL);
        uint64_t version = v.version;
        bool b = access_may(x->access, &v, P, STR("b"), NULL);
        x->mixed = x->mixed || (version == v.version && a == b);
        x->last = a;
    }
    access_view_fini(&v);
    return NULL;
}

TEST(access_changes_under_the_hands_of_others)
{
    static const struct access_rule one[] = {{true, P, ACCESS_ALL, {NULL, 0}, STR("a")}};
    static const struct access_rule other[] = {{true, P, ACCESS_ALL, {NULL, 0}, STR("b")}};
    struct access a;
    struct asker askers[2];
    _Atomic bool over = false;
    access_init(&a);
    access_set(&a, table(one, 1));
    for (size_t i = 0; i < 2; i++) {
        askers[i] = (struct asker){.access = &a, .over = &over};
        REQUIRE(pthread_create(&askers[i].thread, NULL, ask, &askers[i]) == 0);
    }
    for (int i = 0; i < 2000; i++)
        access_set(&a, i % 2 ? table(one, 1) : table(other, 1));
    atomic_store(&over, true);
    for (size_t i = 0; i < 2; i++) {
        REQUIRE(pthread_join(askers[i].thread, NULL) == 0);
        CHECK(!askers[i].mixed);
        CHECK(askers[i].last);
    }
    access_fini(&a);
}

/* A view without memory still tells the truth. */
static void *refuse(struct alloc *a, void *p, size_t old_size, size_t size)
{
    (void)a, (void)p, (void)old_size, (void)size;
    return NULL;
}

TEST(access_without_memory)
{
    static const struct access_rule rules[] = {{true, P, ACCESS_ALL, {NULL, 0}, STR("a")}};
    struct alloc none = {.resize = refuse};
    const struct access_client who = {{NULL, 0}, STR("c")};
    struct access a;
    struct access_view v;
    struct access_rules *t;
    struct error e;
    CHECK_EQ_INT(access_rules_new(&t, &none, rules, 1, &e), ERR_NOMEM);
    access_init(&a);
    access_set(&a, table(rules, 1));
    access_view_init(&v, &none, &who);
    CHECK(access_may(&a, &v, P, STR("a"), NULL));
    CHECK(!access_may(&a, &v, P, STR("b"), NULL));
    access_view_fini(&v);
    access_fini(&a);
}

/* ---- against a model ---- */

static const char *const names[] = {"a", "b", "", "$x", "u1", "c1"};

static void make_filter(struct random *r, unsigned wild, char out[64])
{
    static const char *const special[] = {"+", "%u", "%c"};
    size_t levels = 1 + random_below(r, 3);
    do {
        out[0] = '\0';
        for (size_t i = 0; i < levels; i++) {
            const char *name = names[random_below(r, ARRAY_LEN(names))];
            if (wild && random_below(r, 3) == 0)
                name = special[random_below(r, wild)];
            if (wild && i + 1 == levels && random_below(r, 4) == 0)
                name = "#";
            (void)snprintf(out + strlen(out), 64 - strlen(out), "%s%s", i ? "/" : "", name);
        }
    } while (!out[0]);
}

static bool one_level(const char *name)
{
    return name && name[0] && !strpbrk(name, "/+#");
}

/* The rule's filter with names filled in as text; false: it has one that can't stand there. */
static bool fill_in(const char *filter, const char *user, const char *id, char out[200])
{
    size_t n = 0;
    for (; *filter; filter++) {
        if (*filter != '%') {
            out[n++] = *filter;
            continue;
        }
        const char *name = *++filter == 'u' ? user : id;
        if (!one_level(name))
            return false;
        n += (size_t)snprintf(out + n, 200 - n, "%s", name);
    }
    out[n] = '\0';
    return true;
}

/* All topics of up to four levels: one more name than filters use, one more level. */
struct universe {
    char topics[3000][24];
    size_t n;
};

static void fill_universe(struct universe *u)
{
    static const char *const all[] = {"a", "b", "", "$x", "u1", "c1", "other"};
    const size_t k = ARRAY_LEN(all);
    for (size_t depth = 1, count = k; depth <= 4; depth++, count *= k) {
        for (size_t code = 0; code < count; code++) {
            char *t = u->topics[u->n];
            size_t left = code;
            t[0] = '\0';
            for (size_t i = 0; i < depth; i++, left /= k)
                (void)snprintf(t + strlen(t), 24 - strlen(t), "%s%s", i ? "/" : "", all[left % k]);
            u->n += t[0] && u->n + 1 < ARRAY_LEN(u->topics);
        }
    }
}

/* Whether every topic of the universe that `inner` matches is matched by `outer`. */
static bool holds_all(const struct universe *u, const char *outer, const char *inner)
{
    for (size_t i = 0; i < u->n; i++) {
        struct str t = str_from(u->topics[i]);
        if (mqtt_filter_match(str_from(inner), t) && !mqtt_filter_match(str_from(outer), t))
            return false;
    }
    return true;
}

/* `+/#` and `#` are the same set, which level by level is not seen. */
static bool same_set_written_otherwise(const char *outer, const char *inner)
{
    size_t n = strlen(inner);
    return n && inner[n - 1] == '#' && strstr(outer, "+/#");
}

TEST(access_against_the_model)
{
    static const char *const users[] = {"u1", "u1", "u1", "+", "#", "a/b", "", NULL};
    static const char *const ids[] = {"c1", "c1", "c1", "+", "#", "a/b", "$x"};
    static struct universe u;
    struct random r;
    unsigned allowed = 0, covered = 0;
    random_seed(&r, test_seed());
    fill_universe(&u);
    for (int step = 0; step < 4000; step++) {
        char filter[64], subject[64], filled[200];
        const char *user = users[random_below(&r, ARRAY_LEN(users))];
        const char *id = ids[random_below(&r, ARRAY_LEN(ids))];
        bool subscribing = random_below(&r, 2);
        make_filter(&r, 3, filter);
        make_filter(&r, subscribing ? 1 : 0, subject);
        LABEL("step %d: %s by %s, %s: %s %s", step, filter, user ? user : "-", id,
              subscribing ? "subscribe" : "publish", subject);
        const struct access_rule rule = {true, ALL, ACCESS_ALL, {NULL, 0}, str_from(filter)};
        const struct access_client who = {{user, user ? strlen(user) : 0}, str_from(id)};
        struct access_rules *t = table(&rule, 1);
        bool got = access_rules_allow(t, &who, subscribing ? S : P, str_from(subject), NULL);
        bool usable = fill_in(filter, user, id, filled);
        bool dollar = filter[0] == '%' && subject[0] == '$'; /* of a name: never at the front */
        if (!usable || dollar)
            CHECK(!got);
        else if (!subscribing)
            CHECK_EQ_INT(got, mqtt_filter_match(str_from(filled), str_from(subject)));
        else if (!same_set_written_otherwise(filled, subject))
            CHECK_EQ_INT(got, holds_all(&u, filled, subject));
        allowed += got && !subscribing;
        covered += got && subscribing;
        access_rules_unref(t);
    }
    LABEL("both answers have been seen");
    CHECK(allowed > 20 && covered > 20);
}
