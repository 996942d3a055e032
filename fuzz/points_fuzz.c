/* Any bytes as a table of points. If nothing is wrong with it, its declarations are text of the
 * language: whatever else a check of the site finds in them, never a mistake of syntax. */
#include "points/points.h"
#include "site/schema.h"

enum { SIZE_MAX_BYTES = 1 << 14 };

static bool is_syntax(const struct lang_diag *d)
{
    return d->severity == LANG_ERROR && str_eq(d->code, STR("P1"));
}

static void check_text(struct str text)
{
    struct strbuf whole;
    struct lang_site *site;
    strbuf_init(&whole, alloc_system(), 0);
    strbuf_addf(&whole, "site \"s\"\n%.*s", STR_FMT(text));
    const struct lang_source source = {STR("points.sedge"), strbuf_str(&whole)};
    ASSERT(!whole.failed);
    if (lang_check(alloc_system(), site_schema(), &source, 1, &site) == ERR_OK) {
        for (size_t i = 0; i < site->diags_n; i++)
            ASSERT(!is_syntax(&site->diags[i]));
        lang_site_free(site);
    }
    strbuf_fini(&whole);
}

/* A condition is taken as it stands: whether it is one, the check says. */
static bool has_conditions(const struct points_table *t)
{
    for (size_t i = 0; i < t->devices.n; i++)
        for (size_t k = 0; k < t->devices.v[i].points.n; k++)
            if (t->devices.v[i].points.v[k].confirms.n)
                return true;
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct points_options o = {
        .stem = STR("table"), .line = STR("tcp://plc1:502"), .unit = 1};
    struct points_table t;
    struct strbuf text;
    struct error e = {0};
    if (size > SIZE_MAX_BYTES)
        return 0;
    strbuf_init(&text, alloc_system(), 0);
    if (points_table_read(&t, alloc_system(), &o, (struct bytes){data, size}, &e) == ERR_OK) {
        points_table_print_problems(&text, &t, STR("t.csv"));
        strbuf_reset(&text);
        if (t.errors == 0) {
            points_table_write(&text, &t, &o);
            if (!has_conditions(&t) && t.points < 200)
                check_text(strbuf_str(&text));
        }
    } else {
        ASSERT(e.text[0] != '\0');
    }
    points_table_fini(&t);
    strbuf_fini(&text);
    return 0;
}
