#include "store/ballast.h"
#include "tests/support/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a full disk does with it needs a full disk: tests/integration/disk_full_test.py. */
TEST(ballast_is_taken_once_and_kept_while_there_is_room)
{
    char path[4200];
    struct stat first, st;
    const char *folder = test_tmpdir();
    (void)snprintf(path, sizeof(path), "%s/ballast", folder);
    CHECK(!ballast_drop(folder));
    ballast_take(folder);
    REQUIRE(stat(path, &first) == 0);
    CHECK_EQ_INT(first.st_size, 2 << 20);
    CHECK_EQ_INT(first.st_mode & 0777, 0600);
    CHECK((int64_t)first.st_blocks * 512 >= first.st_size); /* it holds what it says */
    ballast_take(folder);
    CHECK(!ballast_drop(folder));
    REQUIRE(stat(path, &st) == 0);
    CHECK_EQ_UINT(st.st_ino, first.st_ino);
}

/* The power may go while it is made: what lies there then keeps no room. */
TEST(ballast_that_is_not_whole_is_made_anew)
{
    char folder[4096], path[4200];
    struct stat st;
    (void)snprintf(folder, sizeof(folder), "%s/half", test_tmpdir());
    (void)snprintf(path, sizeof(path), "%s/ballast", folder);
    REQUIRE(mkdir(folder, 0700) == 0);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    REQUIRE(fd >= 0 && write(fd, "x", 1) == 1 && close(fd) == 0);
    ballast_take(folder);
    REQUIRE(stat(path, &st) == 0);
    CHECK_EQ_INT(st.st_size, 2 << 20);
}

TEST(ballast_of_a_folder_that_is_not_there)
{
    ballast_take("/nowhere/at/all");
    CHECK(!ballast_drop("/nowhere/at/all"));
}
