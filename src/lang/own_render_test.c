/* Whole messages of each rule of ownership and of each check of the graph: all spans, both
 * programs, and the way to mend it. */
#include "lang/own_fixture.h"

#include <stdio.h>

static const struct {
    const char *label, *want;
} rendered[] = {
#include "lang/own_render_cases.h"
};

static const struct own_case *case_named(const char *label)
{
    for (size_t i = 0; i < ARRAY_LEN(own_cases); i++)
        if (strcmp(own_cases[i].label, label) == 0)
            return &own_cases[i];
    return NULL;
}

TEST(messages_of_ownership_are_whole)
{
    for (size_t i = 0; i < ARRAY_LEN(rendered); i++) {
        LABEL("%s", rendered[i].label);
        const struct own_case *c = case_named(rendered[i].label);
        REQUIRE(c != NULL);
        struct lang_site *site = own_check(c->text);
        REQUIRE(site != NULL);
        struct strbuf got;
        strbuf_init(&got, alloc_system(), 0);
        for (size_t d = 0; d < site->diags_n; d++)
            if (site->diags[d].severity == LANG_ERROR || site->diags[d].code.p[0] == 'G')
                lang_diag_render(&got, site, &site->diags[d], false);
        CHECK_EQ_STR(got.p, rendered[i].want);
        strbuf_fini(&got);
        lang_site_free(site);
    }
}

TEST(each_rule_has_a_whole_message)
{
    static const char *const codes[] = {"O1",  "O2",  "O3",  "O4",  "O5",  "O6",  "O7",  "O8",
                                        "O9",  "O10", "O11", "O12", "O13", "O14", "O15", "O16",
                                        "G11", "G12", "G13", "G14", "G15", "G16", "G17", "G18"};
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        LABEL("%s", codes[i]);
        char head[16];
        bool found = false;
        (void)snprintf(head, sizeof(head), "[%s]: ", codes[i]);
        for (size_t r = 0; r < ARRAY_LEN(rendered); r++)
            found = found || strstr(rendered[r].want, head) != NULL;
        CHECK(found);
    }
}
