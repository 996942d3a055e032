#include "backup/archive_internal.h"
#include "backup/backup.h"

#include <pthread.h>
#include <signal.h>

static const int ends[] = {SIGINT, SIGTERM, SIGHUP};

void backup_hold_signals(bool hold)
{
    sigset_t set;
    (void)sigemptyset(&set);
    for (size_t i = 0; i < ARRAY_LEN(ends); i++)
        (void)sigaddset(&set, ends[i]);
    (void)pthread_sigmask(hold ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}

/* As under nohup: it pends nevertheless while it is held. */
static bool is_ignored(int sig)
{
    struct sigaction is;
    return sigaction(sig, NULL, &is) == 0 && is.sa_handler == SIG_IGN;
}

enum err archive_go_on(struct error *e)
{
    sigset_t come;
    bool end = false;
    if (sigpending(&come) != 0)
        return ERR_OK;
    for (size_t i = 0; i < ARRAY_LEN(ends); i++)
        end = end || (sigismember(&come, ends[i]) == 1 && !is_ignored(ends[i]));
    return end ? error_set(e, ERR_CANCELED, "interrupted") : ERR_OK;
}
