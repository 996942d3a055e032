#include "automation/automation_internal.h"
#include "tests/support/test.h"

TEST(a_slope_needs_half_of_its_span)
{
    struct window_run w = {.duration_ms = 60000};
    double slope = -1;
    CHECK(!window_slope(&w, &slope));
    window_add(&w, 1000, 5);
    CHECK(!window_slope(&w, &slope));
    window_add(&w, 30000, 34);
    CHECK(!window_slope(&w, &slope)); /* 29 s of 60 */
    window_add(&w, 32000, 36);
    REQUIRE(window_slope(&w, &slope));
    CHECK_EQ_DBL(slope, 1.0, 1e-9);
}

TEST(the_window_forgets_what_is_older_than_its_span)
{
    struct window_run w = {.duration_ms = 60000};
    double slope = 0;
    for (int i = 0; i < 600; i++) /* first falls, then rises by 2 a second */
        window_add(&w, 1000LL * i, i < 300 ? 1000 - i : 2.0 * i);
    REQUIRE(window_slope(&w, &slope));
    CHECK_EQ_DBL(slope, 2.0, 1e-6);
}

TEST(many_samples_need_no_more_memory)
{
    struct window_run w = {.duration_ms = 60000};
    double slope = 0;
    for (int i = 0; i < 100000; i++) /* a kilohertz */
        window_add(&w, i, 0.003 * i);
    CHECK(w.n <= WINDOW_SLOTS);
    REQUIRE(window_slope(&w, &slope));
    CHECK_EQ_DBL(slope, 3.0, 1e-6);
}

TEST(late_samples_do_not_turn_the_window_back)
{
    struct window_run w = {.duration_ms = 60000};
    double slope = 0;
    for (int i = 0; i <= 60; i++)
        window_add(&w, 1000LL * i, i);
    window_add(&w, 2000, 1e9);
    REQUIRE(window_slope(&w, &slope));
    CHECK_EQ_DBL(slope, 1.0, 1e-9);
}

TEST(a_clock_that_is_set_back_starts_a_new_window)
{
    struct window_run w = {.duration_ms = 60000};
    double slope = 0;
    for (int i = 0; i <= 60; i++)
        window_add(&w, 7200000 + 1000LL * i, i);
    for (int i = 0; i <= 60; i++)
        window_add(&w, 3600000 + 1000LL * i, -i);
    REQUIRE(window_slope(&w, &slope));
    CHECK_EQ_DBL(slope, -1.0, 1e-9);
}
