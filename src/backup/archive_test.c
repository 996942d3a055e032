#include "backup/archive.h"
#include "tests/support/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void path_of(char out[300], const char *name)
{
    (void)snprintf(out, 300, "%s/%s", test_tmpdir(), name);
}

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "we");
    REQUIRE(f);
    (void)fputs(text, f);
    (void)fclose(f);
}

/* Sizes around blocks and pieces; what does not compress. */
static const size_t sizes[] = {0, 1, 511, 512, 513, 262144, 262145, 700000};

static uint8_t byte_of(size_t file, size_t at)
{
    uint64_t x = (file + 1) * 0x9E3779B97F4A7C15 + at * 0xBF58476D1CE4E5B9;
    return (uint8_t)(x >> 40 ^ x >> 13);
}

static void write_archive(const char *path)
{
    struct archive_writer *w;
    struct error e = {0};
    uint64_t bytes;
    (void)unlink(path);
    REQUIRE(archive_create(&w, alloc_system(), path, &e) == ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        char name[32];
        uint8_t *p = malloc(sizes[i] + 1);
        for (size_t k = 0; k < sizes[i]; k++)
            p[k] = byte_of(i, k);
        (void)snprintf(name, sizeof(name), "dir/%zu", i);
        CHECK_EQ_INT(archive_put(w, name, p, sizes[i], 1764324000, &e), ERR_OK);
        free(p);
    }
    CHECK(access(path, F_OK) != 0); /* not before it is whole */
    CHECK_EQ_INT(archive_commit(w, &bytes, &e), ERR_OK);
    CHECK_EQ_UINT(archive_written(w)->all.n, ARRAY_LEN(sizes));
    archive_writer_free(w);
}

static void read_one(struct archive_reader *r, size_t i, const struct tar_entry *t, size_t step)
{
    struct error e = {0};
    uint8_t piece[5000];
    size_t at = 0, got = 1, wrong = 0;
    CHECK_EQ_UINT(t->size, sizes[i]);
    while (got > 0) {
        REQUIRE(archive_read(r, piece, step, &got, &e) == ERR_OK);
        for (size_t k = 0; k < got; k++)
            wrong += piece[k] != byte_of(i, at + k);
        at += got;
    }
    CHECK_EQ_UINT(at, sizes[i]);
    CHECK_EQ_UINT(wrong, 0);
}

TEST(archive_there_and_back)
{
    char path[300], sum[SHA256_HEX + 1];
    path_of(path, "a.tar.zst");
    write_archive(path);
    for (size_t step = 4999; step > 0; step = step > 500 ? 500 : 0) {
        struct archive_reader *r;
        struct tar_entry t;
        struct error e = {0};
        bool end = false;
        size_t n = 0;
        REQUIRE(archive_open(&r, alloc_system(), path, &e) == ERR_OK);
        for (; archive_next(r, &t, &end, &e) == ERR_OK && !end; n++) {
            if (n % 2 == 0 || step == 500)
                read_one(r, n, &t, step); /* the others are passed over */
            if (n == 0) {
                archive_sum(r, sum);
                CHECK_EQ_STR(sum, "e3b0c44298fc1c149afbf4c8996fb924"
                                  "27ae41e4649b934ca495991b7852b855"); /* of nothing */
            }
        }
        CHECK(end);
        CHECK_EQ_UINT(n, ARRAY_LEN(sizes));
        archive_reader_free(r);
    }
}

TEST(archive_that_was_cut_or_changed)
{
    char path[300];
    struct stat st;
    path_of(path, "a.tar.zst");
    write_archive(path);
    REQUIRE(stat(path, &st) == 0);
    for (int i = 1; i <= 40; i++) {
        struct archive_reader *r;
        struct tar_entry t;
        struct error e = {0};
        bool end = false;
        enum err err;
        off_t at = st.st_size * i / 41;
        write_archive(path);
        if (i % 2 == 0) {
            REQUIRE(truncate(path, at) == 0);
        } else {
            int fd = open(path, O_RDWR | O_CLOEXEC);
            uint8_t byte;
            CHECK_EQ_INT((int)pread(fd, &byte, 1, at), 1);
            byte ^= 0x10;
            CHECK_EQ_INT((int)pwrite(fd, &byte, 1, at), 1);
            (void)close(fd);
        }
        LABEL("%s at %lld", i % 2 ? "changed" : "cut", (long long)at);
        REQUIRE(archive_open(&r, alloc_system(), path, &e) == ERR_OK);
        while (!(err = archive_next(r, &t, &end, &e)) && !end)
            continue;
        CHECK(err == ERR_CORRUPT || err == ERR_UNSUPPORTED);
        archive_reader_free(r);
    }
}

TEST(archive_that_is_given_up_leaves_nothing)
{
    char path[300], part[400], file[300];
    struct archive_writer *w;
    struct error e = {0};
    path_of(path, "b.tar.zst");
    path_of(file, "x");
    write_file(file, "hello");
    (void)snprintf(part, sizeof(part), "%s.part-%d", path, (int)getpid());
    REQUIRE(archive_create(&w, alloc_system(), path, &e) == ERR_OK);
    CHECK_EQ_INT(archive_put_file(w, "site/x", file, &e), ERR_OK);
    CHECK_EQ_INT(archive_put_file(w, "site/y", "/nowhere", &e), ERR_IO);
    CHECK_EQ_INT(archive_put_file(w, "site/dir", test_tmpdir(), &e), ERR_INVALID);
    CHECK_EQ_UINT(archive_written(w)->all.n, 1);
    CHECK_EQ_STR(archive_written(w)->all.v[0].sha256,
                 "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
    CHECK(access(part, F_OK) == 0);
    archive_writer_free(w);
    CHECK(access(part, F_OK) != 0 && access(path, F_OK) != 0);
    CHECK_EQ_INT(archive_create(&w, alloc_system(), "/nowhere/at/all", &e), ERR_IO);
    archive_writer_free(NULL);
    archive_reader_free(NULL);
}
