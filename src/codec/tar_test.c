#include "codec/tar.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <string.h>

TEST(tar_there_and_back)
{
    char deep[TAR_NAME_MAX + 1];
    memset(deep, 'd', sizeof(deep) - 1);
    deep[sizeof(deep) - 1] = '\0';
    deep[155] = '/';
    const struct tar_entry cases[] = {
        {.name = "site/a.sedge", .size = 0, .mode = 0640, .mtime_s = 1764324000},
        {.name = "data/sedge.db", .size = UINT64_C(8589934591), .mode = 0600},
        {.name = "data/large", .size = UINT64_C(8589934592), .mode = 0600, .mtime_s = 1},
        {.name = "data/largest", .size = INT64_MAX, .mode = 0777},
    };
    for (size_t i = 0; i <= ARRAY_LEN(cases); i++) {
        struct tar_entry in = cases[i < ARRAY_LEN(cases) ? i : 0], out;
        uint8_t block[TAR_BLOCK];
        bool end;
        const char *why;
        if (i == ARRAY_LEN(cases))
            memcpy(in.name, deep, sizeof(deep));
        LABEL("%.40s", in.name);
        CHECK_EQ_INT(tar_encode(&in, block), ERR_OK);
        CHECK_EQ_INT(tar_decode(block, &out, &end, &why), ERR_OK);
        CHECK(!end);
        CHECK_EQ_STR(out.name, in.name);
        CHECK_EQ_UINT(out.size, in.size);
        CHECK_EQ_UINT(out.mode, in.mode);
        CHECK_EQ_INT(out.mtime_s, in.mtime_s);
    }
}

TEST(tar_names_that_do_not_fit)
{
    struct tar_entry t = {.name = ""};
    uint8_t block[TAR_BLOCK];
    CHECK_EQ_INT(tar_encode(&t, block), ERR_RANGE);
    memset(t.name, 'x', TAR_NAME_MAX); /* no slash to cut it at */
    CHECK_EQ_INT(tar_encode(&t, block), ERR_RANGE);
    t.name[10] = '/'; /* the rest is too long */
    CHECK_EQ_INT(tar_encode(&t, block), ERR_RANGE);
}

TEST(tar_refuses)
{
    static const char *const names[] = {"/etc/passwd", "../x", "a/../../x", "a//b", "a/./b",
                                        "a/..",        "a/b/", ".",         ".."};
    struct tar_entry t = {.size = 3}, out;
    uint8_t block[TAR_BLOCK];
    bool end;
    const char *why;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        LABEL("%s", names[i]);
        (void)snprintf(t.name, sizeof(t.name), "%s", names[i]);
        CHECK_EQ_INT(tar_encode(&t, block), ERR_OK);
        CHECK_EQ_INT(tar_decode(block, &out, &end, &why), ERR_CORRUPT);
    }
    (void)snprintf(t.name, sizeof(t.name), "a");
    CHECK_EQ_INT(tar_encode(&t, block), ERR_OK);
    block[0] ^= 1;
    CHECK_EQ_INT(tar_decode(block, &out, &end, &why), ERR_CORRUPT);
    CHECK_HAS_STR(why, "damaged");
    memset(block, 0, sizeof(block));
    CHECK_EQ_INT(tar_decode(block, &out, &end, &why), ERR_OK);
    CHECK(end);
}
