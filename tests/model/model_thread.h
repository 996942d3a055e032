/* model_thread: threads, mutexes and conditions of the system as steps of the model. Every file of
 * the program is built with this one in front. */
#pragma once

#include <pthread.h>
#include <sched.h>

int model_pthread_create(pthread_t *out, const pthread_attr_t *attr, void *(*run)(void *),
                         void *arg);
int model_pthread_join(pthread_t thread, void **result);
int model_mutex_init(pthread_mutex_t *m, const pthread_mutexattr_t *attr);
int model_mutex_destroy(pthread_mutex_t *m);
int model_mutex_lock(pthread_mutex_t *m);
int model_mutex_trylock(pthread_mutex_t *m);
int model_mutex_unlock(pthread_mutex_t *m);
int model_cond_init(pthread_cond_t *c, const pthread_condattr_t *attr);
int model_cond_destroy(pthread_cond_t *c);
int model_cond_wait(pthread_cond_t *c, pthread_mutex_t *m);
/* Not modelled: ends the search. */
int model_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *until);
int model_cond_signal(pthread_cond_t *c);
int model_cond_broadcast(pthread_cond_t *c);
int model_sched_yield(void);

#define pthread_create         model_pthread_create
#define pthread_join           model_pthread_join
#define pthread_mutex_init     model_mutex_init
#define pthread_mutex_destroy  model_mutex_destroy
#define pthread_mutex_lock     model_mutex_lock
#define pthread_mutex_trylock  model_mutex_trylock
#define pthread_mutex_unlock   model_mutex_unlock
#define pthread_cond_init      model_cond_init
#define pthread_cond_destroy   model_cond_destroy
#define pthread_cond_wait      model_cond_wait
#define pthread_cond_timedwait model_cond_timedwait
#define pthread_cond_signal    model_cond_signal
#define pthread_cond_broadcast model_cond_broadcast
#define sched_yield            model_sched_yield
