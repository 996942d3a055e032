#include "base/file.h"
#include "tests/support/test.h"

#include <stdio.h>

TEST(a_name_lasts_in_its_folder)
{
    char path[512];
    struct error e = {0};
    (void)snprintf(path, sizeof(path), "%s/file", test_tmpdir());
    CHECK_EQ_INT(file_sync_name(path, &e), ERR_OK); /* whatever is called so, or nothing */
    CHECK_EQ_INT(file_sync_name("here", &e), ERR_OK);
    CHECK_EQ_INT(file_sync_name("/in_the_root", &e), ERR_OK);
    (void)snprintf(path, sizeof(path), "%s/nowhere/file", test_tmpdir());
    CHECK_EQ_INT(file_sync_name(path, &e), ERR_IO);
    CHECK_HAS_STR(e.text, "the folder of ");
    CHECK_HAS_STR(e.text, "/nowhere/file can't be synced: No such file");
}
