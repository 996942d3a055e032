#include "async/offload.h"
#include "async/offload_internal.h"
#include "async/worker_internal.h"

enum { OFFLOAD_THREADS_MAX = 16 };

struct offload_queue {
    struct list link; /* in the pool's `ready`: has jobs and may run one more */
    struct offload_pool *pool;
    struct executor *executor;
    struct offload_job *head, *tail;
    unsigned running, parallel;
    size_t jobs, jobs_max; /* waiting and running */
};

/* A thread of the simulation: works on a job, or has none and its event is not set. */
struct simulated_thread {
    struct env_event over;
    struct offload_pool *pool;
    struct offload_job *job;
};

struct offload_pool {
    struct alloc *alloc;
    struct env *env;
    pthread_mutex_t lock;
    pthread_cond_t work, idle; /* idle: some queue has run empty */
    struct list ready;
    unsigned threads, threads_max, waiting; /* waiting: for work */
    size_t queues, queued, running;         /* queued: jobs that no thread has taken */
    bool ending;
    union {
        pthread_t thread[OFFLOAD_THREADS_MAX];
        struct simulated_thread
            simulated[OFFLOAD_THREADS_MAX]; /* all threads_max, if env->events */
    };
};

static void work_over(struct env_event *ev);

enum err offload_pool_new(struct offload_pool **out, struct executor *ex, struct alloc *a,
                          unsigned threads, struct error *e)
{
    if (threads > OFFLOAD_THREADS_MAX)
        return error_set(e, ERR_RANGE, "offload_threads must be 1 … %d", OFFLOAD_THREADS_MAX);
    struct offload_pool *p = mem_zero(a, sizeof(*p));
    if (!p)
        return error_set(e, ERR_NOMEM, "no memory for the offload pool");
    p->alloc = a;
    p->env = executor_env(ex);
    p->threads_max = threads ? threads : 1;
    for (unsigned i = 0; p->env->events && i < p->threads_max; i++)
        p->simulated[i] = (struct simulated_thread){.over.run = work_over, .pool = p};
    list_init(&p->ready);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->work, NULL);
    pthread_cond_init(&p->idle, NULL);
    *out = p;
    return ERR_OK;
}

/* With the lock held. */
static void update_ready(struct offload_queue *q)
{
    bool may_run = q->head && q->running < q->parallel;
    if (may_run && list_empty(&q->link))
        list_add_tail(&q->pool->ready, &q->link);
    else if (!may_run)
        list_del(&q->link);
}

/* With the lock held. Takes a job of the first queue that has one. */
static struct offload_job *take_job(struct offload_pool *p)
{
    struct offload_queue *q = CONTAINER_OF(p->ready.next, struct offload_queue, link);
    struct offload_job *j = q->head;
    q->head = j->next;
    q->running++;
    p->running++;
    p->queued--;
    /* Behind the others: queues take turns. */
    list_del(&q->link);
    update_ready(q);
    return j;
}

/* With the lock held, which is released meanwhile. */
static void run_job(struct offload_pool *p, struct offload_job *j)
{
    struct offload_queue *q = j->queue;
    bool hand_back = j->done != NULL; /* else the job may be gone once it has run */
    struct worker *w = j->worker;
    pthread_mutex_unlock(&p->lock);
    j->run(j);
    pthread_mutex_lock(&p->lock);
    q->running--;
    p->running--;
    q->jobs--;
    if (hand_back)
        worker_job_done(w, j);
    update_ready(q);
    pthread_cond_broadcast(&p->idle);
}

/* --- threads --- */

static void *offload_main(void *arg)
{
    struct offload_pool *p = arg;
    pthread_mutex_lock(&p->lock);
    for (;;) {
        if (!list_empty(&p->ready)) {
            struct offload_job *j = take_job(p);
            if (!list_empty(&p->ready))
                pthread_cond_signal(&p->work);
            run_job(p, j);
        } else if (p->ending) {
            break;
        } else {
            p->waiting++;
            pthread_cond_wait(&p->work, &p->lock);
            p->waiting--;
        }
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* With the lock held. One thread more if all are busy; without any, the call fails. */
static enum err ensure_thread(struct offload_pool *p)
{
    if (p->waiting > p->queued || p->threads == p->threads_max)
        return ERR_OK;
    if (thread_start(&p->thread[p->threads], offload_main, p) == ERR_OK)
        p->threads++;
    return p->threads > 0 ? ERR_OK : ERR_IO;
}

static void end_threads(struct offload_pool *p)
{
    pthread_mutex_lock(&p->lock);
    p->ending = true;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
    for (unsigned i = 0; i < p->threads; i++)
        pthread_join(p->thread[i], NULL);
}

/* --- simulated threads --- */

/* With the lock held. Whoever has nothing to do begins. */
static void begin_work(struct offload_pool *p)
{
    for (unsigned i = 0; i < p->threads_max && !list_empty(&p->ready); i++) {
        struct simulated_thread *t = &p->simulated[i];
        if (t->job)
            continue;
        t->job = take_job(p);
        p->env->events->work(p->env, &t->over, ENV_WORK_JOB);
    }
}

static void work_over(struct env_event *ev)
{
    struct simulated_thread *t = CONTAINER_OF(ev, struct simulated_thread, over);
    struct offload_pool *p = t->pool;
    pthread_mutex_lock(&p->lock);
    struct offload_job *j = t->job;
    t->job = NULL;
    run_job(p, j);
    begin_work(p);
    pthread_mutex_unlock(&p->lock);
}

/* With the lock held. Time or no time: all that was submitted runs now, in its order. */
static void run_all(struct offload_pool *p)
{
    bool any = true;
    while (any) {
        any = false;
        for (unsigned i = 0; i < p->threads_max; i++) {
            struct simulated_thread *t = &p->simulated[i];
            struct offload_job *j = t->job;
            if (!j)
                continue;
            any = true;
            p->env->events->cancel(p->env, &t->over);
            t->job = NULL;
            run_job(p, j);
        }
        begin_work(p);
    }
}

/* --- queues --- */

bool offload_pool_busy(struct offload_pool *p)
{
    pthread_mutex_lock(&p->lock);
    bool busy = p->queued + p->running > 0;
    pthread_mutex_unlock(&p->lock);
    return busy;
}

void offload_pool_end(struct offload_pool *p)
{
    if (!p)
        return;
    if (p->env->events) {
        pthread_mutex_lock(&p->lock);
        run_all(p);
        pthread_mutex_unlock(&p->lock);
    } else {
        end_threads(p);
    }
}

void offload_pool_free(struct offload_pool *p)
{
    if (!p)
        return;
    ASSERT(p->queues == 0);
    pthread_cond_destroy(&p->idle);
    pthread_cond_destroy(&p->work);
    pthread_mutex_destroy(&p->lock);
    mem_free(p->alloc, p, sizeof(*p));
}

enum err offload_queue_new(struct offload_queue **out, struct executor *ex, unsigned parallel,
                           size_t jobs_max)
{
    struct offload_pool *p = executor_offload(ex);
    *out = NULL;
    if (parallel < 1 || jobs_max < 1)
        return ERR_RANGE;
    struct offload_queue *q = mem_zero(p->alloc, sizeof(*q));
    if (!q)
        return ERR_NOMEM;
    list_init(&q->link);
    q->pool = p;
    q->executor = ex;
    q->parallel = parallel;
    q->jobs_max = jobs_max;
    pthread_mutex_lock(&p->lock);
    p->queues++;
    pthread_mutex_unlock(&p->lock);
    *out = q;
    return ERR_OK;
}

void offload_queue_free(struct offload_queue *q)
{
    if (!q)
        return;
    struct offload_pool *p = q->pool;
    pthread_mutex_lock(&p->lock);
    ASSERT(q->jobs == 0);
    p->queues--;
    pthread_mutex_unlock(&p->lock);
    mem_free(p->alloc, q, sizeof(*q));
}

enum err offload_submit(struct offload_queue *q, struct worker *w, struct offload_job *j)
{
    struct offload_pool *p = q->pool;
    enum err r = ERR_FULL;
    pthread_mutex_lock(&p->lock);
    if (q->jobs < q->jobs_max)
        r = p->env->events ? ERR_OK : ensure_thread(p);
    if (r == ERR_OK) {
        j->next = NULL;
        j->worker = w;
        j->queue = q;
        if (q->head)
            q->tail->next = j;
        else
            q->head = j;
        q->tail = j;
        q->jobs++;
        p->queued++;
        update_ready(q);
        if (p->env->events)
            begin_work(p);
        else
            pthread_cond_signal(&p->work);
    }
    pthread_mutex_unlock(&p->lock);
    return r;
}

void offload_drain(struct offload_queue *q)
{
    struct offload_pool *p = q->pool;
    pthread_mutex_lock(&p->lock);
    if (p->env->events)
        run_all(p);
    while (q->jobs > 0)
        pthread_cond_wait(&p->idle, &p->lock);
    pthread_mutex_unlock(&p->lock);
    if (executor_is_running(q->executor))
        return;
    for (unsigned i = 0; i < executor_workers(q->executor); i++)
        worker_take_jobs(executor_worker(q->executor, i));
}
