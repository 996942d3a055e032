/* Threads of the model: contexts that are switched at steps, and what blocks them. */
#include "tests/model/model_atomic.h"
#include "tests/model/model_internal.h"
#include <errno.h>
#include <link.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct execution now;

/* --- thread-local variables: one system thread plays all, so their bytes are exchanged --- */

static struct {
    void *at;
    size_t size;
} tls;

static int find_tls(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size, (void)arg;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type == PT_TLS) {
            tls.at = info->dlpi_tls_data;
            tls.size = info->dlpi_phdr[i].p_memsz;
        }
    }
    return 1; /* the program is the first */
}

bool is_thread_local(const void *p)
{
    return (size_t)((const uint8_t *)p - (const uint8_t *)tls.at) < tls.size || p == &errno;
}

static void tls_begin(struct thread *t)
{
    if (!tls.at)
        dl_iterate_phdr(find_tls, NULL);
    ASSERT(tls.size <= TLS_MAX);
    if (tls.at)
        memcpy(t->tls, tls.at, tls.size);
}

static void tls_exchange(struct thread *from, struct thread *to)
{
    if (tls.at && from)
        memcpy(from->tls, tls.at, tls.size);
    if (tls.at && to)
        memcpy(tls.at, to->tls, tls.size);
}

/* --- the end of an execution --- */

static uint8_t outside_tls[TLS_MAX];

static _Noreturn void leave_execution(void)
{
    struct thread *t = now.current;
    now.active = false;
    if (tls.at)
        memcpy(tls.at, outside_tls, tls.size);
    swapcontext(&t->context, &now.outside);
    abort(); /* nobody comes back */
}

static void fail_with(const char *format, va_list args)
{
    vsnprintf(now.text, sizeof(now.text), format, args);
    now.failed = true;
    trace("", "%s", now.text);
    leave_execution();
}

_Noreturn void model_fail(const char *file, int line, const char *format, ...)
{
    char text[384];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (!now.active) {
        fprintf(stderr, "%s:%d: %s\n", file, line, text);
        abort();
    }
    snprintf(now.text, sizeof(now.text), "%s:%d: %s", file, line, text);
    now.failed = true;
    trace("", "%s", now.text);
    leave_execution();
}

/* base/err.c's, which the program is linked around (--wrap). */
_Noreturn void __wrap_assert_failed(const char *cond, const char *file, int line);
_Noreturn void __wrap_assert_failed(const char *cond, const char *file, int line)
{
    model_fail(file, line, "assertion failed: %s", cond);
}

/* --- who is next --- */

static void switch_to(struct thread *next)
{
    struct thread *self = now.current;
    tls_exchange(self, next);
    now.current = next;
    swapcontext(&self->context, &next->context);
}

void fail_all(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fail_with(format, args);
    va_end(args);
}

static void fail_stuck(void)
{
    char text[400] = "";
    size_t len = 0;
    for (unsigned i = 0; i < now.started; i++) {
        struct thread *t = &now.threads[i];
        if (t->state == THREAD_BLOCKED && len < sizeof(text))
            len += (size_t)snprintf(text + len, sizeof(text) - len, ", %u in %s", i, t->why);
    }
    fail_all("all threads are blocked%s", text);
}

/* Candidates: the current thread first, if it can go on; last those who wait for a time, which may
 * pass at any moment. */
static unsigned candidates(struct thread *out[THREADS_MAX], bool yielded_too)
{
    unsigned n = 0;
    struct thread *self = now.current;
    if (self->state == THREAD_READY && (yielded_too || !self->yielded))
        out[n++] = self;
    for (unsigned i = 1; i < now.started; i++) { /* in turns: no two keep it to themselves */
        struct thread *t = &now.threads[(thread_index(self) + i) % now.started];
        if (t->state == THREAD_READY && (yielded_too || !t->yielded))
            out[n++] = t;
    }
    return n;
}

static unsigned add_sleepers(struct thread *out[THREADS_MAX], unsigned n)
{
    for (unsigned i = 0; i < now.started; i++)
        if (now.threads[i].state == THREAD_BLOCKED && now.threads[i].until_ns >= 0)
            out[n++] = &now.threads[i];
    return n;
}

static void time_out(struct thread *t)
{
    if (t->until_ns > now.now_ns)
        now.now_ns = t->until_ns;
    t->timed_out = true;
    t->state = THREAD_READY;
}

/* When all wait, time passes until the first of them waits no more. */
static bool advance_time(void)
{
    struct thread *first = NULL;
    for (unsigned i = 0; i < now.started; i++) {
        struct thread *t = &now.threads[i];
        if (t->state == THREAD_BLOCKED && t->until_ns >= 0 &&
            (!first || t->until_ns < first->until_ns))
            first = t;
    }
    if (first)
        time_out(first);
    return first != NULL;
}

/* A preemption is whatever is not the usual way: another thread than the one that could go on, than
 * the first after one that yields, or one whose time has not come. Whom a blocked thread leaves the
 * processor to is a choice for nothing. */
static struct thread *choose_next(void)
{
    struct thread *self = now.current, *may[THREADS_MAX];
    unsigned n, ready;
    while ((n = candidates(may, false)) == 0 && (n = candidates(may, true)) == 0) {
        if (!advance_time())
            fail_stuck();
    }
    bool goes_on = may[0] == self, yields = self->yielded && !goes_on;
    ready = n;
    if (may_preempt())
        n = add_sleepers(may, n);
    else if (goes_on || yields)
        n = 1;
    if (yields && may_preempt())
        may[n++] = self;
    struct thread *next = may[choose(n, goes_on ? CHOICE_PREEMPT : CHOICE_FREE)];
    for (unsigned i = ready; i < n; i++)
        if (may[i] == next && next->state == THREAD_BLOCKED)
            time_out(next);
    if (goes_on || yields ? next != may[0] : next->timed_out)
        now.preemptions++;
    return next;
}

static void reschedule(void)
{
    struct thread *self = now.current, *next = choose_next();
    /* Others have had their chance. */
    for (unsigned i = 0; i < now.started; i++)
        if (&now.threads[i] != self)
            now.threads[i].yielded = false;
    if (next != self)
        switch_to(next);
    self->yielded = false;
}

void step(void)
{
    now.current->steps++;
    if (++now.steps > STEPS_MAX)
        fail_all("no end after %d steps", STEPS_MAX);
    reschedule();
}

bool block(const void *on, const char *why, int64_t timeout_ns)
{
    struct thread *t = now.current;
    t->state = THREAD_BLOCKED;
    t->waits_for = on;
    t->why = why;
    t->until_ns = timeout_ns < 0 ? -1 : now.now_ns + timeout_ns;
    t->timed_out = false;
    if (++now.steps > STEPS_MAX)
        fail_all("no end after %d steps", STEPS_MAX);
    reschedule();
    t->waits_for = NULL;
    t->looks = 0;
    return !t->timed_out;
}

void unblock_all(const void *on)
{
    for (unsigned i = 0; i < now.started; i++) {
        struct thread *t = &now.threads[i];
        if (t->state == THREAD_BLOCKED && t->waits_for == on)
            t->state = THREAD_READY;
    }
}

void model_yield(void)
{
    now.current->yielded = true;
    step();
}

/* What a loop does between two looks. Where it only looks at one place, the looks themselves make
 * it wait (memory.c); many in a row are one. */
void model_relax(void)
{
    struct thread *t = now.current;
    if (!now.active || t->looks > SPINS_FREE || t->relaxed_at == t->steps)
        return;
    model_yield();
    t->relaxed_at = t->steps;
}

int model_sched_yield(void)
{
    model_relax();
    return 0;
}

/* --- threads --- */

static void thread_main(void)
{
    struct thread *t = now.current;
    t->result = t->run(t->arg);
    t->state = THREAD_ENDED;
    t->view.clock[thread_index(t)]++;
    unblock_all(t);
    bool all_ended = true;
    for (unsigned i = 0; i < now.started; i++)
        all_ended &= now.threads[i].state == THREAD_ENDED;
    if (all_ended)
        leave_execution();
    reschedule();
    abort();
}

static struct thread *thread_begin(void *(*run)(void *), void *arg)
{
    if (now.started == THREADS_MAX)
        fail_all("more than %d threads", THREADS_MAX);
    struct thread *t = &now.threads[now.started++];
    if (!t->stack)
        t->stack = malloc(THREAD_STACK);
    ASSERT(t->stack);
    t->state = THREAD_READY;
    t->run = run;
    t->arg = arg;
    t->until_ns = -1;
    t->timed_out = t->yielded = false;
    t->looks = 0;
    t->steps = t->relaxed_at = 0;
    memset(&t->view, 0, sizeof(t->view));
    memset(&t->fence, 0, sizeof(t->fence));
    memset(&t->light, 0, sizeof(t->light));
    memset(&t->unfenced, 0, sizeof(t->unfenced));
    t->view.clock[thread_index(t)] = 1;
    getcontext(&t->context);
    t->context.uc_stack.ss_sp = t->stack;
    t->context.uc_stack.ss_size = THREAD_STACK;
    t->context.uc_link = NULL;
    makecontext(&t->context, thread_main, 0);
    tls_begin(t);
    return t;
}

int model_pthread_create(pthread_t *out, const pthread_attr_t *attr, void *(*run)(void *),
                         void *arg)
{
    (void)attr;
    struct thread *self = now.current, *t = thread_begin(run, arg);
    /* What lies in our thread-local variables is not for it: it has those from outside. */
    if (tls.at)
        memcpy(t->tls, outside_tls, tls.size);
    view_join(&t->view, &self->view);
    self->view.clock[thread_index(self)]++;
    *out = (pthread_t)thread_index(t) + 1;
    trace("", "starts thread %u", thread_index(t));
    step();
    return 0;
}

int model_pthread_join(pthread_t thread, void **result)
{
    struct thread *t = &now.threads[thread - 1];
    step();
    while (t->state != THREAD_ENDED)
        block(t, "pthread_join", -1);
    view_join(&now.current->view, &t->view);
    if (result)
        *result = t->result;
    return 0;
}

struct start {
    void (*run)(void *arg);
    void *arg;
};
static struct start starts[THREADS_MAX];

static void *start_main(void *arg)
{
    struct start *s = arg;
    s->run(s->arg);
    return NULL;
}

unsigned model_thread(void (*run)(void *arg), void *arg)
{
    pthread_t thread;
    struct start *s = &starts[now.started % THREADS_MAX];
    *s = (struct start){run, arg};
    model_pthread_create(&thread, NULL, start_main, s);
    return (unsigned)thread;
}

void model_join(unsigned thread)
{
    model_pthread_join(thread, NULL);
}

/* --- gates and focus --- */

/* Whoever it is, it is no preemption. */
static void start_anyone(void)
{
    struct thread *may[THREADS_MAX];
    struct thread *next = may[choose(candidates(may, true), CHOICE_FREE)];
    if (next != now.current)
        switch_to(next);
}

/* Who passes knows nothing of the others by it. */
void model_gate(struct model_gate *g, unsigned threads)
{
    if (++g->arrived == threads) {
        now.focused = true;
        unblock_all(g);
        start_anyone();
    }
    while (g->arrived < threads)
        block(g, "a gate", -1);
}

unsigned model_count_down(unsigned *n)
{
    return --*n;
}

void model_focus(bool on)
{
    now.focused = on;
    if (on)
        start_anyone();
}

/* --- an execution --- */

void execution_run(void (*run)(void *arg), void *arg)
{
    for (unsigned i = 0; i < THREADS_MAX; i++)
        now.threads[i].state = THREAD_NONE;
    now.started = 0;
    now.steps = now.preemptions = now.stale = 0;
    now.focused = true;
    now.now_ns = 1000000000;
    now.failed = false;
    now.text[0] = '\0';
    blocking_begin();
    memory_begin();
    shadow_begin();
    heap_begin();
    starts[0] = (struct start){run, arg};
    struct thread *first = thread_begin(start_main, &starts[0]);
    if (tls.at)
        memcpy(outside_tls, tls.at, tls.size);
    now.current = first;
    now.active = true;
    swapcontext(&now.outside, &first->context);
    if (!now.failed && heap_live() > 0) {
        now.failed = true;
        snprintf(now.text, sizeof(now.text), "%zu blocks were not freed", heap_live());
    }
}
