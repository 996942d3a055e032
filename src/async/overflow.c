/* The end of a coroutine that has overflowed its stack. Signal handlers have no argument and are
 * the process's, so what the old one was is kept here; whose stack it was is found by the thread.
 */
#include "async/coroutine_internal.h"
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static struct sigaction before;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void say(const char *text)
{
    ssize_t n = write(STDERR_FILENO, text, strlen(text));
    (void)n;
}

/* On the signal stack; only what is safe there. */
static void on_segv(int number, siginfo_t *info, void *context)
{
    struct worker *w = worker_current();
    struct co_sched *s = w && w->locals[WORKER_LOCAL_CO] ? co_sched_of(w) : NULL;
    (void)context;
    if (s && s->current && stack_pool_guards(&s->stacks, info->si_addr)) {
        say("coroutine '");
        say(s->current->task.name ? s->current->task.name : "?");
        say("' has overflowed its stack of 48 KiB\n");
        signal(SIGABRT, SIG_DFL);
        raise(SIGABRT);
    }
    /* Not ours: the access is made again and meets who was there before. */
    sigaction(number, &before, NULL);
}

static void install(void)
{
    struct sigaction a = {.sa_sigaction = on_segv, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigemptyset(&a.sa_mask);
    sigaction(SIGSEGV, &a, &before);
}

enum err overflow_prepare(struct co_sched *s)
{
    s->altstack = mem_new(s->worker->alloc, CO_ALTSTACK);
    if (!s->altstack)
        return ERR_NOMEM;
    pthread_once(&once, install);
    return ERR_OK;
}

void overflow_watch(struct co_sched *s)
{
    stack_t now;
    /* Somebody's is as good as ours (the address sanitizer has one, and frees what it finds). */
    if (sigaltstack(NULL, &now) == 0 && now.ss_flags & SS_DISABLE) {
        stack_t ours = {.ss_sp = s->altstack, .ss_size = CO_ALTSTACK};
        sigaltstack(&ours, NULL);
    }
}

void overflow_unwatch(struct co_sched *s)
{
    stack_t now, none = {.ss_flags = SS_DISABLE};
    if (s->altstack && sigaltstack(NULL, &now) == 0 && now.ss_sp == s->altstack)
        sigaltstack(&none, NULL);
    mem_free(s->worker->alloc, s->altstack, CO_ALTSTACK);
    s->altstack = NULL;
}
