#include "backup/backup.h"
#include "tests/support/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* As deep as a name in an archive can lead; what can't be removed would be in the way of the next
 * restore for ever. */
TEST(folder_is_removed_however_deep_it_is)
{
    enum { LEVELS = 127 };
    char path[4096];
    struct error e = {0};
    int dir = open(test_tmpdir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    REQUIRE(dir >= 0);
    (void)snprintf(path, sizeof(path), "%s/deep", test_tmpdir());
    for (int i = 0; i < LEVELS; i++)
        (void)snprintf(path + strlen(path), sizeof(path) - strlen(path), "/a");
    REQUIRE(folder_make(path, 0700, &e) == ERR_OK);
    folder_remove_at(dir, "deep");
    CHECK(faccessat(dir, "deep", F_OK, AT_SYMLINK_NOFOLLOW) != 0);
    (void)close(dir);
}
