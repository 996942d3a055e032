#include "async/barrier.h"
#include "base/err.h"
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

bool barrier_all_prepare(void)
{
    return syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
}

void barrier_all(void)
{
    long r = syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
    ASSERT(r == 0);
}
