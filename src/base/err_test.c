#include "base/err.h"
#include "base/list.h"
#include "base/metric.h"
#include "tests/support/test.h"

#include <errno.h>
#include <string.h>

TEST(err_every_code_has_its_own_name)
{
    for (int i = 0; i <= ERR_PANIC; i++)
        for (int j = 0; j < i; j++) {
            LABEL("%d and %d", i, j);
            CHECK(strcmp(err_name((enum err)i), err_name((enum err)j)) != 0);
        }
    CHECK_EQ_STR(err_name((enum err)999), "unknown error");
}

TEST(err_text_is_one_printable_line)
{
    struct error e = {.line = 7, .where = "old"};
    CHECK_EQ_INT(error_set(&e, ERR_FULL, "a\nb\t%d\x7F", 5), ERR_FULL);
    CHECK_EQ_INT(e.code, ERR_FULL);
    CHECK_EQ_STR(e.text, "a b 5 ");
    CHECK_EQ_UINT(e.line, 0);
    CHECK_EQ_STR(e.where, "");
    CHECK_EQ_INT(error_set(NULL, ERR_DENIED, "nobody reads this"), ERR_DENIED);
}

TEST(err_long_text_ends_at_a_whole_character)
{
    char text[400];
    for (int ascii = 0; ascii < 3; ascii++) {
        LABEL("%d before", ascii);
        memset(text, 'x', (size_t)ascii);
        for (size_t i = (size_t)ascii; i + 3 < sizeof(text); i += 3)
            memcpy(text + i, "€", 4);
        struct error e;
        CHECK_EQ_INT(error_set(&e, ERR_IO, "%s", text), ERR_IO);
        size_t n = strlen(e.text);
        CHECK_EQ_UINT((n - (size_t)ascii) % 3, 0);
        CHECK(n > sizeof(e.text) - 5);
    }
}

TEST(err_os_names_the_reason)
{
    struct error e;
    CHECK_EQ_INT(error_set_os(&e, ENOSPC, "journal: %s", "sync failed"), ERR_IO);
    CHECK_EQ_INT(e.os_errno, ENOSPC);
    CHECK_EQ_STR(e.text, "journal: sync failed: No space left on device");
    char text[300];
    memset(text, 'y', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    CHECK_EQ_INT(error_set_os(&e, ENOSPC, "%s", text), ERR_IO);
    CHECK_EQ_UINT(strlen(e.text), sizeof(e.text) - 1);
}

static void break_assert(void *arg)
{
    ASSERT(arg == NULL);
}

TEST(err_assert_aborts)
{
    CHECK_ABORTS(break_assert, &(int){1});
    break_assert(NULL);
}

struct item {
    struct list link;
    int v;
};

TEST(list_keeps_order_and_lets_go)
{
    struct list head;
    struct item items[4];
    list_init(&head);
    CHECK(list_empty(&head));
    CHECK_EQ_PTR(list_pop_head(&head), NULL);
    for (int i = 0; i < 4; i++) {
        items[i].v = i;
        if (i == 3)
            list_add_head(&head, &items[i].link);
        else
            list_add_tail(&head, &items[i].link);
    }
    int want[] = {3, 0, 1, 2}, at = 0;
    LIST_EACH(&head, it)
    CHECK_EQ_INT(CONTAINER_OF(it, struct item, link)->v, want[at++]);
    CHECK_EQ_INT(at, 4);
    LIST_EACH_SAFE(&head, it)
    if (CONTAINER_OF(it, struct item, link)->v % 2)
        list_del(it);
    list_del(&items[1].link); /* harmless when it is in no list */
    CHECK_EQ_PTR(list_pop_head(&head), &items[0].link);
    CHECK_EQ_PTR(list_pop_head(&head), &items[2].link);
    CHECK(list_empty(&head));
}

TEST(metric_is_listed_and_counts)
{
    struct metrics all;
    struct metric in, open, mine = {0}, yours = {0};
    metrics_init(&all);
    metric_register(&all, &in, METRIC_COUNTER, "in_total", "messages");
    metric_register(&all, &open, METRIC_GAUGE, "open", "connections");
    metric_add(&in, 2);
    metric_add(&in, 3);
    metric_set(&open, 9);
    metric_add(&open, -1);
    CHECK_EQ_INT(metric_get(&in), 5);
    CHECK_EQ_INT(metric_get(&open), 8);
    metric_part(&in, &mine);
    metric_part(&in, &yours);
    metric_add_own(&mine, 10);
    metric_add_own(&yours, 20);
    metric_add(&yours, 100);
    CHECK_EQ_INT(metric_get(&in), 135);
    CHECK_EQ_INT(metric_get(&open), 8);
    int n = 0;
    LIST_EACH(&all.list, it)
    CHECK_EQ_STR(CONTAINER_OF(it, struct metric, link)->name, n++ ? "open" : "in_total");
    CHECK_EQ_INT(n, 2);
}
