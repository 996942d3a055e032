/* Any bytes as the summary of another program: an answer, and a site whose marks lie in its
 * sources. */
#include "lang/own_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char program[] = "program mine {\n"
                                  "  own v: Valve = v1\n"
                                  "  read t: °C = hall.temperature stale 5min\n"
                                  "  when t > 20 °C { v.open() } until t < 19 °C { v.close() }\n"
                                  "}\n";
    if (size > 65536)
        return 0;
    struct lang_source sources[2] = {{STR("site.sedge"), str_from(own_site)},
                                     {STR("mine.sedge"), str_from(program)}};
    struct str summary = {(const char *)data, size};
    struct lang_site *site = NULL;
    enum err e = lang_check_one(alloc_system(), &test_schema, sources, 2, &summary, 1, &site);
    ASSERT((e == ERR_OK) == (site != NULL));
    struct strbuf out;
    strbuf_init(&out, alloc_system(), 0);
    for (size_t i = 0; site && i < site->diags_n; i++) {
        const struct lang_diag *d = &site->diags[i];
        for (size_t m = 0; m < d->marks_n; m++)
            ASSERT(d->marks[m].span.source < site->sources_n &&
                   d->marks[m].span.from <= d->marks[m].span.to &&
                   d->marks[m].span.to <= site->sources[d->marks[m].span.source].text.n);
        lang_diag_render(&out, site, d, false);
    }
    strbuf_fini(&out);
    lang_site_free(site);
    return 0;
}
