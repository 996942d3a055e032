#include "host/lock.h"
#include "tests/support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
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

/* The next thing that is done with it is to write to it. */
TEST(lock_opens_a_file_of_its_own_and_nothing_else)
{
    char prey[200], path[200];
    struct stat st;
    (void)snprintf(prey, sizeof(prey), "%s/prey", test_tmpdir());
    (void)snprintf(path, sizeof(path), "%s/own-lock", test_tmpdir());
    for (int again = 0; again < 2; again++) {
        LABEL(again ? "there" : "new");
        int fd = lock_open(path);
        REQUIRE(fd >= 0 && fstat(fd, &st) == 0);
        CHECK_EQ_INT(st.st_mode & 0777, 0600);
        (void)close(fd);
    }
    int fd = open(prey, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    REQUIRE(fd >= 0 && close(fd) == 0);
    LABEL("a link");
    REQUIRE(unlink(path) == 0 && symlink(prey, path) == 0);
    CHECK_EQ_INT(lock_open(path), -1);
    LABEL("another name of a file");
    REQUIRE(unlink(path) == 0 && link(prey, path) == 0);
    CHECK_EQ_INT(lock_open(path), -1);
    CHECK_EQ_INT(errno, EMLINK); /* "Too many links": no link that leads elsewhere */
    LABEL("a pipe");
    REQUIRE(unlink(path) == 0 && mkfifo(path, 0600) == 0);
    CHECK_EQ_INT(lock_open(path), -1);
    LABEL("a folder");
    REQUIRE(unlink(path) == 0 && mkdir(path, 0700) == 0);
    CHECK_EQ_INT(lock_open(path), -1);
}
