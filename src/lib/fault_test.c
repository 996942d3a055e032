/* Every allocation of a runtime fails in turn. */
#include "lib/facade.h"
#include "tests/support/test.h"
#include <sedge/rt.h>

TEST(rt_new_gives_everything_back)
{
    struct sedge_rt_config cfg = {.workers = 2, .driver = "epoll", .coroutines_max = 64};
    enum err r = ERR_NOMEM;
    uint64_t fail_at = 0;
    for (; r; fail_at++) {
        struct alloc_faulty faulty;
        struct sedge_rt *rt;
        struct error e = {0};
        LABEL("allocation %d", (int)fail_at);
        alloc_faulty_init(&faulty, fail_at);
        r = rt_new(&rt, &faulty.alloc, &cfg, &e);
        if (r) {
            REQUIRE(CHECK_EQ_INT(r, ERR_NOMEM));
            CHECK_EQ_PTR(rt, NULL);
            CHECK(e.text[0] != 0);
        }
        sedge_rt_free(rt);
        CHECK_EQ_UINT(faulty.live_bytes, 0);
    }
    CHECK(fail_at > 5);
}
