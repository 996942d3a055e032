#include "base/log.h"
#include "tests/support/test.h"
#include <sedge/err.h>
#include <stdio.h>

TEST(errors_have_the_names_of_the_house)
{
    CHECK_EQ_STR(sedge_err_name(SEDGE_OK), "ok");
    CHECK_EQ_STR(sedge_err_name(SEDGE_ERR_CANCELED), "canceled");
    CHECK_EQ_STR(sedge_err_name(SEDGE_ERR_UNSUPPORTED), "unsupported");
    CHECK_EQ_STR(sedge_err_name((enum sedge_err)999), "unknown error");
}

struct heard {
    int lines;
    enum sedge_log_level level;
    char text[64];
};

static void hear(void *ctx, enum sedge_log_level level, const char *part, const char *text)
{
    struct heard *h = ctx;
    h->lines++;
    h->level = level;
    (void)snprintf(h->text, sizeof(h->text), "%s: %s", part, text);
}

TEST(messages_go_where_the_user_wants)
{
    struct heard h = {0};
    sedge_log_to(SEDGE_LOG_WARN, hear, &h);
    LOG_I("net", "below the level");
    LOG_E("net", "out of %d things", 3);
    sedge_log_to(SEDGE_LOG_INFO, NULL, NULL);
    LOG_W("test", "this line belongs on standard error");
    CHECK_EQ_INT(h.lines, 1);
    CHECK_EQ_INT(h.level, SEDGE_LOG_ERROR);
    CHECK_EQ_STR(h.text, "net: out of 3 things");
}
