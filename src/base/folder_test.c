#include "base/folder.h"
#include "tests/support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

TEST(folder_of_a_path_is_synced)
{
    char inside[400], nowhere[400], file[400];
    (void)snprintf(inside, sizeof(inside), "%s/file", test_tmpdir());
    (void)snprintf(nowhere, sizeof(nowhere), "%s/none/file", test_tmpdir());
    (void)snprintf(file, sizeof(file), "%s/a-file", test_tmpdir());
    FILE *f = fopen(file, "we");
    REQUIRE(f && fclose(f) == 0);
    const struct {
        const char *label, *path;
        int why;
    } cases[] = {
        {"its folder is there", inside, 0},
        {"here", "file", 0},
        {"the root", "/file", 0},
        {"no such folder", nowhere, ENOENT},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        LABEL("%s", cases[i].label);
        CHECK_EQ_INT(folder_sync_of(cases[i].path), cases[i].why ? ERR_IO : ERR_OK);
        CHECK_EQ_INT(errno, cases[i].why);
    }
    CHECK_EQ_INT(folder_sync(file), ERR_IO);
    CHECK_EQ_INT(errno, ENOTDIR);
}

TEST(folder_what_replaces_a_file_is_as_that)
{
    char old[400], new[400], other[400];
    struct stat st;
    const bool root = geteuid() == 0;
    (void)snprintf(old, sizeof(old), "%s/old", test_tmpdir());
    (void)snprintf(new, sizeof(new), "%s/new", test_tmpdir());
    (void)snprintf(other, sizeof(other), "%s/other", test_tmpdir());
    int fd = open(old, O_WRONLY | O_CREAT | O_CLOEXEC, 0600), to;
    REQUIRE(fd >= 0 && fchmod(fd, 0644) == 0);
    REQUIRE(!root || fchown(fd, 1234, 1235) == 0);
    REQUIRE(close(fd) == 0);
    REQUIRE((to = open(new, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)) >= 0);
    CHECK_EQ_INT(folder_inherit(to, old, 0007), ERR_OK);
    REQUIRE(fstat(to, &st) == 0);
    CHECK_EQ_UINT(st.st_mode & 07777, 0640);
    CHECK(!root || (st.st_uid == 1234 && st.st_gid == 1235));
    REQUIRE(!root || chown(test_tmpdir(), 1236, 1237) == 0);
    CHECK_EQ_INT(folder_inherit(to, other, 0), ERR_OK); /* one that is not there yet */
    REQUIRE(!root || chown(test_tmpdir(), 0, 0) == 0);
    REQUIRE(fstat(to, &st) == 0);
    CHECK_EQ_UINT(st.st_mode & 07777, 0640);
    CHECK(!root || (st.st_uid == 1236 && st.st_gid == 1237));
    CHECK_EQ_INT(folder_inherit(to, "/none/file", 0), ERR_IO);
    REQUIRE(close(to) == 0);
}
