#include "registry/path.h"
#include "tests/support/test.h"

#include <string.h>

/* "key|[1]|key" */
static void print(struct strbuf *b, const struct path *p)
{
    for (size_t i = 0; i < p->n; i++) {
        if (i)
            strbuf_addc(b, '|');
        if (p->steps[i].key.p)
            strbuf_addstr(b, p->steps[i].key);
        else
            strbuf_addf(b, "[%zu]", p->steps[i].index);
    }
}

TEST(paths_are_parsed_and_written_again)
{
    static const struct {
        const char *path, *steps;
        const char *again; /* NULL: the same */
    } rows[] = {
        {"", "", NULL},
        {"a", "a", NULL},
        {"ENERGY.Power", "ENERGY|Power", NULL},
        {"a[12].b", "a|[12]|b", NULL},
        {"[0][1].v", "[0]|[1]|v", NULL},
        {"switch:0.output", "switch:0|output", NULL},
        {"'a.b'.c", "a.b|c", NULL},
        {"'it''s'", "it's", NULL},
        {"''", "", NULL},
        {"'plain'", "plain", "plain"},
        {"größe.x y", "größe|x y", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].path);
        struct arena a;
        struct path p;
        struct error e = {0};
        struct strbuf b;
        arena_init(&a, alloc_system(), 1 << 16);
        strbuf_init(&b, alloc_system(), 0);
        if (CHECK_EQ_INT(path_parse(&p, str_from(rows[i].path), &a, &e), ERR_OK)) {
            print(&b, &p);
            CHECK_EQ_STR(b.p ? b.p : "", rows[i].steps);
            strbuf_reset(&b);
            for (size_t k = 0; k < p.n; k++)
                if (p.steps[k].key.p)
                    path_add_key(&b, p.steps[k].key);
                else
                    path_add_index(&b, p.steps[k].index);
            CHECK_EQ_STR(b.p ? b.p : "", rows[i].again ? rows[i].again : rows[i].path);
        }
        strbuf_fini(&b);
        arena_fini(&a);
    }
}

TEST(paths_that_are_none)
{
    static const struct {
        const char *path, *says;
    } rows[] = {
        {".a", "a key is missing at character 1"},
        {"a.", "a key is missing at character 3"},
        {"a..b", "a key is missing at character 3"},
        {"a[", "no number in brackets at character 2"},
        {"a[x]", "no number in brackets at character 2"},
        {"a[1", "no number in brackets at character 2"},
        {"a[1]b", "a dot or a bracket is missing at character 5"},
        {"'a", "a quote is not closed at character 1"},
        {"a'b", "a dot or a bracket is missing at character 2"},
        {"a]", "a dot or a bracket is missing at character 2"},
        {"a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q", "more than 16 steps"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].path);
        struct arena a;
        struct path p;
        struct error e = {0};
        arena_init(&a, alloc_system(), 1 << 16);
        CHECK(path_parse(&p, str_from(rows[i].path), &a, &e) != ERR_OK);
        CHECK_HAS_STR(e.text, rows[i].says);
        arena_fini(&a);
    }
}
