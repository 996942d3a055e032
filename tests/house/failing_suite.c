/* A suite with failures on purpose: tests/house/test_header_test.py runs it and looks at what the
 * test header says and returns. */
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

TEST(passes)
{
    CHECK(true);
    CHECK_EQ_INT(-1, -1);
    CHECK_EQ_UINT(UINT64_MAX, UINT64_MAX);
    CHECK_EQ_STR("a", "a");
    CHECK_EQ_MEM("abc", "abd", 2);
    CHECK_EQ_DBL(0.1 + 0.2, 0.3, 1e-12);
    CHECK_HAS_STR("stale for 5 s", "stale");
}

TEST(fails_in_each_way)
{
    const char *null = NULL;
    CHECK(1 == 2);
    CHECK_EQ_INT(-1, 1);
    CHECK_EQ_UINT(255, 256);
    CHECK_EQ_STR("got", "want");
    CHECK_EQ_STR(null, "want");
    CHECK_EQ_MEM("abcd", "abXd", 4);
    CHECK_EQ_DBL(1.0, 1.5, 0.1);
    CHECK_EQ_PTR(null, "x");
    CHECK_HAS_STR("stale", "good");
}

TEST(label_names_the_case)
{
    for (int i = 0; i < 3; i++) {
        LABEL("case %d", i);
        CHECK_EQ_INT(i, 1);
    }
}

TEST(require_leaves_the_test)
{
    REQUIRE(CHECK_EQ_INT(2, 3));
    printf("# must not be reached\n");
}

TEST(skips)
{
    SKIP("no %s here", "sensor");
}

static void aborts(void *arg)
{
    (void)arg;
    abort();
}

static void returns(void *arg)
{
    (void)arg;
}

TEST(sees_an_abort)
{
    CHECK_ABORTS(aborts, NULL);
}

TEST(sees_no_abort)
{
    CHECK_ABORTS(returns, NULL);
}

TEST(tmpdir_is_made)
{
    char path[512];
    snprintf(path, sizeof path, "%s/inner", test_tmpdir());
    REQUIRE(mkdir(path, 0700) == 0);
    printf("# tmpdir %s\n", test_tmpdir());
}

TEST(seed_is_printed)
{
    CHECK_EQ_UINT(test_seed(), 42);
}

TEST(last_one_dies)
{
    if (getenv("SUITE_MAY_DIE") != NULL) {
        abort();
    }
}
