#include "async/sim/disk_sim.h"
#include "base/clock.h"
#include "tests/support/test.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

struct fixture {
    struct disk_sim *sim;
    struct disk *disk;
};

static struct fixture make(uint64_t seed)
{
    struct fixture x = {0};
    REQUIRE(disk_sim_new(&x.sim, alloc_system(), seed, 0) == ERR_OK);
    x.disk = disk_sim_disk(x.sim);
    REQUIRE(x.disk->ops->make_dir(x.disk, "data", NULL) == ERR_OK);
    return x;
}

static struct disk_file *open_file(struct disk *d, const char *path, unsigned flags)
{
    struct disk_file *f;
    REQUIRE(CHECK_EQ_INT(d->ops->open(d, path, flags, &f, NULL), ERR_OK));
    return f;
}

static void put(struct disk *d, struct disk_file *f, uint64_t at, char c, size_t n)
{
    static char bytes[1 << 16];
    REQUIRE(n <= sizeof(bytes));
    memset(bytes, c, n);
    CHECK_EQ_INT(d->ops->write_at(d, f, at, bytes, n, NULL), ERR_OK);
}

static void count_name(void *ctx, const char *name)
{
    (void)name;
    ++*(int *)ctx;
}

static int names_in(struct disk *d, const char *dir)
{
    int n = 0;
    CHECK_EQ_INT(d->ops->list(d, dir, count_name, &n, NULL), ERR_OK);
    return n;
}

/* The same calls on both disks must answer alike. */
static void use_disk(struct disk *d, const char *dir)
{
    char path[200], other[200], back[16];
    struct disk_file *f, *none;
    struct error e = {0};
    uint64_t size;
    size_t got;
    (void)snprintf(path, sizeof(path), "%s/a/b/one", dir);
    (void)snprintf(other, sizeof(other), "%s/a/b/two", dir);
    CHECK_EQ_INT(d->ops->open(d, path, DISK_WRITE | DISK_CREATE, &f, &e), ERR_NOT_FOUND);
    CHECK_EQ_INT(e.code, ERR_NOT_FOUND);
    CHECK_EQ_INT(e.os_errno, ENOENT);
    char folder[200];
    (void)snprintf(folder, sizeof(folder), "%s/a/b", dir);
    CHECK_EQ_INT(d->ops->make_dir(d, folder, NULL), ERR_OK);
    CHECK_EQ_INT(d->ops->make_dir(d, folder, NULL), ERR_OK);
    f = open_file(d, path, DISK_WRITE | DISK_CREATE | DISK_EXCLUSIVE);
    CHECK_EQ_INT(d->ops->open(d, path, DISK_WRITE | DISK_CREATE | DISK_EXCLUSIVE, &none, NULL),
                 ERR_EXISTS);
    CHECK_EQ_INT(d->ops->write_at(d, f, 4, "tail", 4, NULL), ERR_OK);
    CHECK_EQ_INT(d->ops->write_at(d, f, 0, "head", 4, NULL), ERR_OK);
    CHECK_EQ_INT(d->ops->sync(d, f, NULL), ERR_OK);
    CHECK_EQ_INT(d->ops->size(d, f, &size, NULL), ERR_OK);
    CHECK_EQ_UINT(size, 8);
    CHECK_EQ_INT(d->ops->read_at(d, f, 2, back, sizeof(back), &got, NULL), ERR_OK);
    CHECK_EQ_UINT(got, 6);
    CHECK_EQ_MEM(back, "adtail", 6);
    CHECK_EQ_INT(d->ops->truncate(d, f, 3, NULL), ERR_OK);
    CHECK_EQ_INT(d->ops->truncate(d, f, 5, NULL), ERR_OK);
    CHECK_EQ_INT(d->ops->read_at(d, f, 0, back, sizeof(back), &got, NULL), ERR_OK);
    CHECK_EQ_UINT(got, 5);
    CHECK_EQ_MEM(back, "hea\0\0", 5);
    CHECK_EQ_INT(d->ops->rename(d, path, other, NULL), ERR_OK);
    CHECK_EQ_INT(d->ops->rename(d, path, other, NULL), ERR_NOT_FOUND);
    CHECK_EQ_INT(d->ops->sync_dir(d, folder, NULL), ERR_OK);
    CHECK_EQ_INT(names_in(d, folder), 1);
    d->ops->close(d, f);
    f = open_file(d, other, DISK_READ);
    CHECK_EQ_INT(d->ops->write_at(d, f, 0, "x", 1, &e), ERR_IO);
    CHECK_EQ_INT(e.os_errno, EBADF);
    d->ops->close(d, f);
    CHECK_EQ_INT(d->ops->remove(d, other, NULL), ERR_OK);
    CHECK_EQ_INT(d->ops->remove(d, other, NULL), ERR_NOT_FOUND);
    CHECK_EQ_INT(names_in(d, folder), 0);
    (void)snprintf(folder, sizeof(folder), "%s/none", dir);
    CHECK_EQ_INT(d->ops->list(d, folder, count_name, &got, NULL), ERR_NOT_FOUND);
}

TEST(disks_answer_alike)
{
    struct fixture x = make(1);
    LABEL("sim");
    use_disk(x.disk, "data");
    disk_sim_free(x.sim);
    LABEL("linux");
    use_disk(disk_linux(), test_tmpdir());
}

TEST(synced_bytes_survive_every_crash)
{
    uint64_t seed = test_seed();
    uint64_t lost = 0, kept = 0, torn = 0;
    for (uint64_t i = 0; i < 200; i++) {
        LABEL("seed %llu", (unsigned long long)(seed + i));
        struct fixture x = make(seed + i);
        struct disk_file *f = open_file(x.disk, "data/log", DISK_WRITE | DISK_CREATE);
        put(x.disk, f, 0, 'a', 4 * 512);
        CHECK_EQ_INT(x.disk->ops->sync(x.disk, f, NULL), ERR_OK);
        CHECK_EQ_INT(x.disk->ops->sync_dir(x.disk, "data", NULL), ERR_OK);
        put(x.disk, f, 4 * 512, 'b', 4 * 512);
        disk_sim_crash(x.sim);
        uint64_t size;
        CHECK_EQ_INT(x.disk->ops->size(x.disk, f, &size, NULL), ERR_IO);
        x.disk->ops->close(x.disk, f);

        f = open_file(x.disk, "data/log", DISK_READ);
        char back[8 * 512] = {0}, want[4 * 512];
        size_t got;
        memset(want, 'a', sizeof(want));
        CHECK_EQ_INT(x.disk->ops->read_at(x.disk, f, 0, back, sizeof(back), &got, NULL), ERR_OK);
        CHECK(got >= sizeof(want) && got <= sizeof(back));
        CHECK_EQ_MEM(back, want, sizeof(want));
        size_t arrived = 0;
        for (size_t at = sizeof(want); at < got; at++) {
            CHECK(back[at] == 'b' || back[at] == 0);
            arrived += back[at] == 'b';
        }
        lost += arrived == 0;
        kept += arrived == 4 * 512;
        torn += arrived > 0 && arrived < 4 * 512;
        x.disk->ops->close(x.disk, f);
        disk_sim_free(x.sim);
    }
    CHECK(lost > 0);
    CHECK(torn > 0);
    CHECK(lost + torn + kept == 200);
}

TEST(names_last_when_their_folder_was_synced)
{
    uint64_t seed = test_seed();
    unsigned old_name = 0, new_name = 0;
    for (uint64_t i = 0; i < 64; i++) {
        LABEL("seed %llu", (unsigned long long)(seed + i));
        struct fixture x = make(seed + i);
        x.disk->ops->close(x.disk, open_file(x.disk, "data/x", DISK_WRITE | DISK_CREATE));
        CHECK_EQ_INT(x.disk->ops->sync_dir(x.disk, "data", NULL), ERR_OK);
        CHECK_EQ_INT(x.disk->ops->rename(x.disk, "data/x", "data/y", NULL), ERR_OK);
        disk_sim_crash(x.sim);
        struct disk_file *f;
        bool old = x.disk->ops->open(x.disk, "data/x", DISK_READ, &f, NULL) == ERR_OK;
        bool new = x.disk->ops->open(x.disk, "data/y", DISK_READ, &f, NULL) == ERR_OK;
        CHECK(old != new);
        old_name += old;
        new_name += new;
        disk_sim_free(x.sim);
    }
    CHECK(old_name > 0);
    CHECK(new_name > 0);
}

TEST(a_failed_sync_loses_its_bytes_for_good)
{
    unsigned lost = 0;
    for (uint64_t seed = 0; seed < 64; seed++) {
        LABEL("seed %llu", (unsigned long long)seed);
        struct fixture x = make(seed);
        struct error e = {0};
        struct disk_file *f = open_file(x.disk, "data/log", DISK_WRITE | DISK_CREATE);
        CHECK_EQ_INT(x.disk->ops->sync_dir(x.disk, "data", NULL), ERR_OK);
        put(x.disk, f, 0, 'a', 512);
        disk_sim_fail(x.sim, DISK_SIM_SYNC, 0, EIO);
        CHECK_EQ_INT(x.disk->ops->sync(x.disk, f, &e), ERR_IO);
        CHECK_EQ_INT(e.os_errno, EIO);
        disk_sim_fail(x.sim, DISK_SIM_SYNC, DISK_SIM_NEVER, 0);
        CHECK_EQ_INT(x.disk->ops->sync(x.disk, f, NULL), ERR_OK); /* and yet not safe */
        disk_sim_crash(x.sim);
        x.disk->ops->close(x.disk, f);
        f = open_file(x.disk, "data/log", DISK_READ);
        char c = 'z';
        size_t got;
        CHECK_EQ_INT(x.disk->ops->read_at(x.disk, f, 0, &c, 1, &got, NULL), ERR_OK);
        CHECK_EQ_UINT(got, 1);
        lost += c == 0;
        disk_sim_free(x.sim); /* with the file open */
    }
    CHECK(lost > 0 && lost < 64);
}

TEST(failures_begin_at_their_call)
{
    struct fixture x = make(3);
    struct error e = {0};
    struct disk_file *f = open_file(x.disk, "data/log", DISK_WRITE | DISK_CREATE);
    disk_sim_fail(x.sim, DISK_SIM_WRITE, 2, ENOSPC);
    disk_sim_fail_short(x.sim, 3);
    put(x.disk, f, 0, 'a', 10);
    put(x.disk, f, 10, 'b', 10);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ_INT(x.disk->ops->write_at(x.disk, f, 20, "cccccc", 6, &e), ERR_IO);
        CHECK_EQ_INT(e.os_errno, ENOSPC);
    }
    uint64_t size;
    CHECK_EQ_INT(x.disk->ops->size(x.disk, f, &size, NULL), ERR_OK);
    CHECK_EQ_UINT(size, 23);
    CHECK_EQ_UINT(disk_sim_stats(x.sim).calls[DISK_SIM_WRITE], 4);
    disk_sim_fail(x.sim, DISK_SIM_WRITE, 0, EIO);
    disk_sim_fail_times(x.sim, 1);
    CHECK_EQ_INT(x.disk->ops->write_at(x.disk, f, 20, "c", 1, &e), ERR_IO);
    put(x.disk, f, 20, 'c', 1);
    CHECK_EQ_INT(disk_sim_flip(x.sim, "data/log", 1, 0x03), ERR_OK);
    char c;
    size_t got;
    CHECK_EQ_INT(x.disk->ops->read_at(x.disk, f, 1, &c, 1, &got, NULL), ERR_OK);
    CHECK_EQ_INT(c, 'a' ^ 0x03);
    disk_sim_kill(x.sim);
    CHECK_EQ_INT(x.disk->ops->read_at(x.disk, f, 1, &c, 1, &got, NULL), ERR_IO);
    x.disk->ops->close(x.disk, f);
    disk_sim_free(x.sim);
}

TEST(a_full_disk_says_so)
{
    struct disk_sim *s;
    struct error e = {0};
    REQUIRE(disk_sim_new(&s, alloc_system(), 1, 1000) == ERR_OK);
    struct disk *d = disk_sim_disk(s);
    struct disk_file *f = open_file(d, "log", DISK_WRITE | DISK_CREATE);
    put(d, f, 0, 'a', 1000);
    CHECK_EQ_INT(d->ops->write_at(d, f, 1000, "b", 1, &e), ERR_IO);
    CHECK_EQ_INT(e.os_errno, ENOSPC);
    put(d, f, 999, 'c', 1);
    disk_sim_free(s);
}

/* One seed, one story. */
TEST(a_seed_repeats_its_crash)
{
    char first[64 * 512], again[64 * 512];
    uint64_t seed = test_seed();
    for (int run = 0; run < 2; run++) {
        struct fixture x = make(seed);
        struct disk_file *f = open_file(x.disk, "data/log", DISK_WRITE | DISK_CREATE);
        CHECK_EQ_INT(x.disk->ops->truncate(x.disk, f, sizeof(first), NULL), ERR_OK);
        CHECK_EQ_INT(x.disk->ops->sync(x.disk, f, NULL), ERR_OK);
        CHECK_EQ_INT(x.disk->ops->sync_dir(x.disk, "data", NULL), ERR_OK);
        put(x.disk, f, 0, 'q', sizeof(first));
        disk_sim_crash(x.sim);
        x.disk->ops->close(x.disk, f);
        f = open_file(x.disk, "data/log", DISK_READ);
        size_t got;
        CHECK_EQ_INT(
            x.disk->ops->read_at(x.disk, f, 0, run ? again : first, sizeof(first), &got, NULL),
            ERR_OK);
        CHECK_EQ_UINT(got, sizeof(first));
        disk_sim_free(x.sim);
    }
    CHECK_EQ_MEM(first, again, sizeof(first));
}

static void count_call(void *ctx)
{
    ++*(int *)ctx;
}

TEST(a_disk_without_power_answers_nothing_and_changes_nothing)
{
    for (int lose = 0; lose < 2; lose++) {
        LABEL("lose %d", lose);
        struct fixture x = make(11);
        struct disk *d = x.disk;
        struct disk_file *f = open_file(d, "data/log", DISK_WRITE | DISK_CREATE), *other;
        char c = 'z';
        size_t got;
        uint64_t size;
        put(d, f, 0, 'a', 1);
        CHECK_EQ_INT(d->ops->sync(d, f, NULL), ERR_OK);
        CHECK_EQ_INT(d->ops->sync_dir(d, "data", NULL), ERR_OK);
        disk_sim_off(x.sim, lose);
        disk_sim_off(x.sim, !lose); /* it is off already */
        CHECK(disk_sim_is_off(x.sim));
        CHECK_EQ_INT(d->ops->write_at(d, f, 0, "b", 1, NULL), ERR_IO);
        CHECK_EQ_INT(d->ops->read_at(d, f, 0, &c, 1, &got, NULL), ERR_IO);
        CHECK_EQ_INT(d->ops->truncate(d, f, 0, NULL), ERR_IO);
        CHECK_EQ_INT(d->ops->size(d, f, &size, NULL), ERR_IO);
        CHECK_EQ_INT(d->ops->sync(d, f, NULL), ERR_IO);
        CHECK_EQ_INT(d->ops->open(d, "data/log", DISK_WRITE, &other, NULL), ERR_IO);
        CHECK_EQ_INT(d->ops->open(d, "data/new", DISK_WRITE | DISK_CREATE, &other, NULL), ERR_IO);
        CHECK_EQ_INT(d->ops->rename(d, "data/log", "data/new", NULL), ERR_IO);
        CHECK_EQ_INT(d->ops->remove(d, "data/log", NULL), ERR_IO);
        CHECK_EQ_INT(d->ops->sync_dir(d, "data", NULL), ERR_IO);
        CHECK_EQ_INT(d->ops->make_dir(d, "new", NULL), ERR_IO);
        CHECK_EQ_INT(d->ops->list(d, "data", count_name, &got, NULL), ERR_IO);
        disk_sim_on(x.sim);
        CHECK_EQ_INT(d->ops->write_at(d, f, 0, "b", 1, NULL), ERR_IO); /* the handle is dead */
        d->ops->close(d, f);
        CHECK_EQ_INT(names_in(d, "data"), 1);
        f = open_file(d, "data/log", DISK_READ);
        CHECK_EQ_INT(d->ops->read_at(d, f, 0, &c, 1, &got, NULL), ERR_OK);
        CHECK_EQ_INT(c, 'a');
        CHECK_EQ_UINT(disk_sim_stats(x.sim).crashes, lose);
        disk_sim_free(x.sim);
    }
}

TEST(the_power_goes_in_place_of_the_call_that_was_named)
{
    struct fixture x = make(12);
    struct disk_file *f = open_file(x.disk, "data/log", DISK_WRITE | DISK_CREATE);
    int went = 0;
    disk_sim_off_at(x.sim, 2, count_call, &went);
    put(x.disk, f, 0, 'a', 1);
    CHECK_EQ_INT(x.disk->ops->sync(x.disk, f, NULL), ERR_OK);
    CHECK_EQ_INT(went, 0);
    CHECK_EQ_INT(x.disk->ops->sync_dir(x.disk, "data", NULL), ERR_IO);
    CHECK_EQ_INT(went, 1);
    CHECK_EQ_INT(x.disk->ops->sync(x.disk, f, NULL), ERR_IO);
    CHECK_EQ_INT(went, 1);
    disk_sim_on(x.sim);
    disk_sim_off_at(x.sim, 5, count_call, &went);
    disk_sim_off(x.sim, true);
    disk_sim_on(x.sim); /* forgets what was still to come */
    for (int i = 0; i < 10; i++)
        (void)x.disk->ops->sync_dir(x.disk, "data", NULL);
    CHECK_EQ_INT(went, 1);
    CHECK(!disk_sim_is_off(x.sim));
    x.disk->ops->close(x.disk, f);
    disk_sim_free(x.sim);
}

static void count_writes(void *ctx, enum disk_sim_call kind)
{
    *(int *)ctx += kind == DISK_SIM_WRITE;
}

/* Whatever the seed: the bytes, the length and the names are those of the last sync. */
TEST(a_crash_that_keeps_nothing)
{
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct fixture x = make(seed);
        struct disk_file *f = open_file(x.disk, "data/log", DISK_WRITE | DISK_CREATE);
        uint64_t size = 0;
        size_t got = 0;
        int writes = 0;
        char c = 0;
        LABEL("seed %llu", (unsigned long long)seed);
        disk_sim_keep(x.sim, DISK_SIM_KEEP_NOTHING);
        disk_sim_watch(x.sim, count_writes, &writes);
        put(x.disk, f, 0, 'a', 1000);
        CHECK_EQ_INT(x.disk->ops->sync(x.disk, f, NULL), ERR_OK);
        CHECK_EQ_INT(x.disk->ops->sync_dir(x.disk, "data", NULL), ERR_OK);
        put(x.disk, f, 0, 'b', 5000);
        x.disk->ops->close(x.disk, open_file(x.disk, "data/new", DISK_WRITE | DISK_CREATE));
        disk_sim_crash(x.sim);
        x.disk->ops->close(x.disk, f);
        CHECK_EQ_INT(writes, 2);
        CHECK_EQ_INT(names_in(x.disk, "data"), 1);
        f = open_file(x.disk, "data/log", DISK_READ);
        CHECK_EQ_INT(x.disk->ops->size(x.disk, f, &size, NULL), ERR_OK);
        CHECK_EQ_UINT(size, 1000);
        CHECK_EQ_INT(x.disk->ops->read_at(x.disk, f, 0, &c, 1, &got, NULL), ERR_OK);
        CHECK_EQ_INT(c, 'a');
        x.disk->ops->close(x.disk, f);
        disk_sim_free(x.sim);
    }
}
