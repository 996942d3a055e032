#include "backup/archive_internal.h"
#include "backup/backup.h"
#include "tests/support/test.h"

#include <signal.h>

static unsigned came;
static void count(int sig)
{
    (void)sig;
    came++;
}

TEST(backup_ends_at_the_next_piece_when_it_is_told_to)
{
    struct error e = {0};
    came = 0;
    (void)signal(SIGTERM, count);
    backup_hold_signals(true);
    CHECK_EQ_INT(archive_go_on(&e), ERR_OK);
    (void)raise(SIGTERM);
    CHECK_EQ_INT(archive_go_on(&e), ERR_CANCELED);
    CHECK_EQ_UINT(came, 0);
    backup_hold_signals(false);
    CHECK_EQ_UINT(came, 1);
    (void)signal(SIGTERM, SIG_DFL);
}

/* nohup, and a shell for what runs behind it: the kernel keeps even such a signal while it is held.
 */
TEST(backup_goes_on_with_signals_that_are_ignored)
{
    struct error e = {0};
    (void)signal(SIGHUP, SIG_IGN);
    backup_hold_signals(true);
    (void)raise(SIGHUP);
    CHECK_EQ_INT(archive_go_on(&e), ERR_OK);
    backup_hold_signals(false);
    (void)signal(SIGHUP, SIG_DFL);
}
