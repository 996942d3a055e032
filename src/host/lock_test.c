#include "host/lock.h"
#include "tests/support/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

TEST(lock_holder_is_told)
{
    char path[200];
    (void)snprintf(path, sizeof(path), "%s/lock", test_tmpdir());
    CHECK_EQ_INT(lock_holder(path), 0);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    REQUIRE(fd >= 0);
    CHECK_EQ_INT(lock_holder(path), 0);
    REQUIRE(flock(fd, LOCK_EX) == 0);
    CHECK_EQ_INT(lock_holder(path), getpid());
    (void)close(fd);
    CHECK_EQ_INT(lock_holder(path), 0);
}
