#include "backup/archive_internal.h"
#include "backup/backup.h"

#include <pthread.h>
#include <signal.h>

static sigset_t ends(void)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGHUP);
    return set;
}

void backup_hold_signals(bool hold)
{
    sigset_t set = ends();
    (void)pthread_sigmask(hold ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}

enum err archive_go_on(struct error *e)
{
    sigset_t come;
    if (sigpending(&come) != 0)
        return ERR_OK;
    bool end = sigismember(&come, SIGINT) == 1 || sigismember(&come, SIGTERM) == 1 ||
               sigismember(&come, SIGHUP) == 1;
    return end ? error_set(e, ERR_CANCELED, "interrupted") : ERR_OK;
}
