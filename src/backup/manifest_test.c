#include "backup/manifest.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <string.h>

static struct bytes text_of(const struct strbuf *b)
{
    return (struct bytes){(const uint8_t *)b->p, b->n};
}

static void fill(struct manifest *m)
{
    struct archive_file f = {.bytes = 12};
    *m = (struct manifest){.alloc = alloc_system(),
                           .made_ms = 1764324000000,
                           .running = true,
                           .journal_first = 5,
                           .journal_last = 900,
                           .cursor_min = 7};
    (void)snprintf(m->version, sizeof(m->version), "0.1.0");
    (void)snprintf(m->name, sizeof(m->name), "Werk \"Süd\"\n");
    (void)snprintf(m->store, sizeof(m->store), "/var/lib/sedge");
    memset(f.sha256, 'a', SHA256_HEX);
    for (int i = 0; i < 3; i++) {
        (void)snprintf(f.name, sizeof(f.name), BACKUP_ROOT "site/%d \"x\"", i);
        CHECK(vec_push(m->alloc, &m->files.all, f));
    }
}

TEST(manifest_there_and_back)
{
    struct manifest m, back;
    struct strbuf json, sums;
    struct error e = {0};
    strbuf_init(&json, alloc_system(), 0);
    strbuf_init(&sums, alloc_system(), 0);
    fill(&m);
    manifest_write(&m, &json);
    CHECK_EQ_INT(manifest_read(&back, alloc_system(), text_of(&json), &e), ERR_OK);
    CHECK_EQ_STR(back.name, m.name);
    CHECK_EQ_STR(back.store, m.store);
    CHECK_EQ_STR(back.version, m.version);
    CHECK_EQ_INT(back.made_ms, m.made_ms);
    CHECK(back.running);
    CHECK_EQ_UINT(back.journal_first, 5);
    CHECK_EQ_UINT(back.journal_last, 900);
    CHECK_EQ_UINT(back.cursor_min, 7);
    CHECK_EQ_UINT(back.files.all.n, 3);
    CHECK(manifest_find(&back, BACKUP_ROOT "site/2 \"x\"") == &back.files.all.v[2]);
    CHECK(!manifest_find(&back, "site"));
    manifest_sums(&m.files, &sums);
    CHECK_HAS_STR(sums.p, "aa  site/0 \"x\"\n");
    manifest_fini(&back);
    manifest_fini(&m);
    strbuf_fini(&json);
    strbuf_fini(&sums);
}

TEST(manifest_refuses)
{
    static const struct {
        const char *label, *json;
        enum err err;
    } cases[] = {
        {"nothing", "", ERR_CORRUPT},
        {"no object", "[]", ERR_CORRUPT},
        {"a newer format", "{\"format\":2}", ERR_UNSUPPORTED},
        {"half", "{\"format\":1,\"sedge\":\"0\"}", ERR_CORRUPT},
        {"a short sum",
         "{\"format\":1,\"sedge\":\"0\",\"site\":\"s\",\"store\":\"d\",\"made_ms\":1,\"running\":"
         "true,"
         "\"journal_first\":1,\"journal_last\":1,\"cursor_min\":1,"
         "\"files\":[{\"name\":\"a\",\"bytes\":1,\"sha256\":\"00\"}]}",
         ERR_CORRUPT},
        {"a negative size",
         "{\"format\":1,\"sedge\":\"0\",\"site\":\"s\",\"store\":\"d\",\"made_ms\":1,\"running\":"
         "true,"
         "\"journal_first\":1,\"journal_last\":1,\"cursor_min\":1,"
         "\"files\":[{\"name\":\"a\",\"bytes\":-1,\"sha256\":\"00\"}]}",
         ERR_CORRUPT},
        {"files that are none",
         "{\"format\":1,\"sedge\":\"0\",\"site\":\"s\",\"store\":\"d\",\"made_ms\":1,\"running\":"
         "true,"
         "\"journal_first\":1,\"journal_last\":1,\"cursor_min\":1,\"files\":[1]}",
         ERR_CORRUPT},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct manifest m;
        struct error e = {0};
        LABEL("%s", cases[i].label);
        const struct bytes json = {(const uint8_t *)cases[i].json, strlen(cases[i].json)};
        CHECK_EQ_INT(manifest_read(&m, alloc_system(), json, &e), cases[i].err);
        CHECK(e.text[0] != '\0');
    }
}
