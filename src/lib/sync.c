#include <sedge/sync.h>

#include "async/sync.h"
#include "lib/facade.h"

LIB_STORAGE(sedge_mutex, mutex)
LIB_STORAGE(sedge_semaphore, semaphore)
LIB_STORAGE(sedge_wait_group, wait_group)
LIB_STORAGE(sedge_once, once)

void sedge_mutex_init(struct sedge_mutex *mutex, enum sedge_reach reach)
{
    mutex_init(mutex_of(mutex), lib_reach(reach));
}

enum sedge_err sedge_mutex_lock(struct sedge_mutex *mutex)
{
    return err_public(mutex_lock(mutex_of(mutex)));
}

bool sedge_mutex_try_lock(struct sedge_mutex *mutex)
{
    return mutex_try_lock(mutex_of(mutex));
}

void sedge_mutex_unlock(struct sedge_mutex *mutex)
{
    mutex_unlock(mutex_of(mutex));
}

void sedge_semaphore_init(struct sedge_semaphore *semaphore, uint32_t count, enum sedge_reach reach)
{
    semaphore_init(semaphore_of(semaphore), count, lib_reach(reach));
}

enum sedge_err sedge_semaphore_take(struct sedge_semaphore *semaphore, uint32_t n)
{
    return err_public(semaphore_take(semaphore_of(semaphore), n));
}

bool sedge_semaphore_try_take(struct sedge_semaphore *semaphore, uint32_t n)
{
    return semaphore_try_take(semaphore_of(semaphore), n);
}

void sedge_semaphore_give(struct sedge_semaphore *semaphore, uint32_t n)
{
    semaphore_give(semaphore_of(semaphore), n);
}

void sedge_wait_group_init(struct sedge_wait_group *group, enum sedge_reach reach)
{
    wait_group_init(wait_group_of(group), lib_reach(reach));
}

void sedge_wait_group_add(struct sedge_wait_group *group, uint32_t n)
{
    wait_group_add(wait_group_of(group), n);
}

void sedge_wait_group_done(struct sedge_wait_group *group)
{
    wait_group_done(wait_group_of(group));
}

enum sedge_err sedge_wait_group_wait(struct sedge_wait_group *group)
{
    return err_public(wait_group_wait(wait_group_of(group)));
}

void sedge_once_init(struct sedge_once *once, enum sedge_reach reach)
{
    once_init(once_of(once), lib_reach(reach));
}

enum sedge_err sedge_once_run(struct sedge_once *once, void (*fn)(void *arg), void *arg)
{
    return err_public(once_run(once_of(once), fn, arg));
}
