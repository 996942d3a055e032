/* What traps, what waits: tasks, channels, select, handles and leases, from source to what the host
 * is told. */
#include "lang/compile_fixture.h"
#include "lang/compile_task_cases.h"

static void check_case(const struct run_case *c, void (*prepare)(struct stage *))
{
    LABEL("%s", c->label);
    char items[4096];
    bool body = c->body[0] != '\0';
    (void)snprintf(items, sizeof(items), "%s\n%s%s%s", c->items, body ? "every 1h {\n" : "",
                   c->body, body ? "\n}" : "");
    struct stage s;
    if (stage_open(&s, c->decls, items)) {
        if (prepare)
            prepare(&s);
        stage_run(&s);
        size_t n = strlen(c->said);
        bool whole = n == 0 || c->said[n - 1] == ';'; /* else the rest does not matter */
        if (whole || strncmp(stage_said(&s), c->said, n) != 0)
            CHECK_EQ_STR(stage_said(&s), c->said);
    }
    stage_close(&s);
}

static void check_cases(const struct run_case *cases, size_t n, void (*prepare)(struct stage *))
{
    for (size_t i = 0; i < n; i++)
        check_case(&cases[i], prepare);
}

TEST(what_can_not_go_on_ends_its_turn)
{
    check_cases(trap_cases, ARRAY_LEN(trap_cases), NULL);
}

TEST(handles)
{
    check_cases(handle_cases, ARRAY_LEN(handle_cases), NULL);
}

TEST(tasks)
{
    check_cases(task_cases, ARRAY_LEN(task_cases), NULL);
}

TEST(leases)
{
    check_cases(lease_cases, ARRAY_LEN(lease_cases), NULL);
}

static void signals(struct stage *s)
{
    s->signal_at = s->mono + 2 * 60 * 1000;
}

TEST(events_wake_what_waits_for_them)
{
    check_cases(signal_cases, ARRAY_LEN(signal_cases), signals);
}

static void deny(struct stage *s)
{
    s->deny = true;
}

TEST(leases_that_are_denied)
{
    check_cases(denied_cases, ARRAY_LEN(denied_cases), deny);
}

static void revoke_later(struct stage *s)
{
    s->revoke_at = s->mono + 2 * 60 * 1000;
    s->until = s->revoke_at + 3600 * 1000;
}

TEST(leases_that_are_revoked)
{
    check_cases(revoked_cases, ARRAY_LEN(revoked_cases), revoke_later);
}

static void all_out(struct stage *s)
{
    memset(s->busy, true, sizeof(s->busy));
}

TEST(what_is_out_on_lease)
{
    check_cases(busy_cases, ARRAY_LEN(busy_cases), all_out);
}
