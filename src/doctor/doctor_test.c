/* What is said of machines that nobody has here. */
#include "doctor/doctor.h"
#include "tests/support/test.h"

#include <errno.h>
#include <string.h>

static const struct doctor_site site = {.folder = "/site", .store = "/site/data"};

/* The one finding of a judgement must have this level and these words. */
static void said(struct doctor *d, enum doctor_level level, const char *words)
{
    if (!CHECK(d->findings.n > 0))
        return;
    const struct doctor_finding *f = &d->findings.v[0];
    CHECK_EQ_STR(doctor_level_name(f->level), doctor_level_name(level));
    CHECK_HAS_STR(f->what, words);
    CHECK(level < DOCTOR_WARNING || f->mend[0]); /* what to do about it */
    doctor_fini(d);
    doctor_init(d, alloc_system(), &site);
}

TEST(doctor_judges_clocks)
{
    const int64_t now = 1764324000;
    static const char *const year = "2025-11-28";
    const struct {
        const char *label;
        struct clock_facts facts;
        enum doctor_level level;
        const char *words;
    } cases[] = {
        {"right", {now, now - 9, now - 5, true, true, 3}, DOCTOR_OK, "synchronised"},
        {"in a container", {now, now - 9, 0, false, false, 0}, DOCTOR_OK, year},
        {"of 1970", {77, now, 0, true, false, 0}, DOCTOR_PROBLEM, "1970-01-01"},
        {"gone back",
         {now, now - 9, now + 4000, true, true, 3},
         DOCTOR_PROBLEM,
         "it has gone back"},
        {"a little ahead", {now, now - 9, now + 60, true, true, 3}, DOCTOR_OK, year},
        {"nobody sets it", {now, now - 9, now, true, false, 3}, DOCTOR_WARNING, "nothing keeps it"},
        {"wide", {now, now - 9, now, true, true, 5000}, DOCTOR_WARNING, "5000 ms"},
    };
    struct doctor d;
    doctor_init(&d, alloc_system(), &site);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        LABEL("%s", cases[i].label);
        doctor_judge_clock(&d, &cases[i].facts);
        said(&d, cases[i].level, cases[i].words);
    }
    doctor_fini(&d);
}

TEST(doctor_judges_disks)
{
    const struct disk_facts good = {.path = "/data",
                                    .size = UINT64_C(100) << 30,
                                    .free = UINT64_C(50) << 30,
                                    .files = 1000000,
                                    .files_free = 900000,
                                    .kind = 0xef53,
                                    .tried = true,
                                    .median_ns = 2000000,
                                    .max_ns = 9000000};
    struct doctor d;
    struct disk_facts f;
    doctor_init(&d, alloc_system(), &site);
#define CASE(text, change, level, words)                                                           \
    do {                                                                                           \
        LABEL(text);                                                                               \
        f = good;                                                                                  \
        change;                                                                                    \
        doctor_judge_disk(&d, &f);                                                                 \
        said(&d, level, words);                                                                    \
    } while (0)
    CASE("good", (void)0, DOCTOR_OK, "ext4, 50 GiB free, a sync takes 2.00 ms");
    CASE("not tried", f.tried = false, DOCTOR_OK, "ext4, 50 GiB free");
    CASE("unheard of", f.kind = 1, DOCTOR_OK, "another file system");
    CASE("nearly full", f.free = 10 << 20, DOCTOR_PROBLEM, "10 MiB are free");
    CASE("full", f.free = 4096, DOCTOR_PROBLEM, "the disk is full");
    CASE("tight", f.free = 900 << 20, DOCTOR_WARNING, "900 MiB of 102400");
    CASE("tight for its size", f.free = UINT64_C(4) << 30, DOCTOR_WARNING, "are free");
    CASE("no files", f.files_free = 10, DOCTOR_WARNING, "10 files of 1000000");
    CASE("does not count files", (f.files = 0, f.files_free = 0), DOCTOR_OK, "ext4");
    CASE("memory", f.kind = 0x01021994, DOCTOR_PROBLEM, "tmpfs");
    CASE("network", f.kind = 0x6969, DOCTOR_PROBLEM, "NFS");
    CASE("container", f.kind = 0x794c7630, DOCTOR_WARNING, "overlay");
    CASE("a stick", f.kind = 0x4d44, DOCTOR_PROBLEM, "FAT");
    CASE("read-only", f.read_only = true, DOCTOR_PROBLEM, "read-only");
    CASE("not ours", f.write_errno = EACCES, DOCTOR_NOTE, "not known");
    CASE("broken", f.write_errno = EIO, DOCTOR_PROBLEM, "can't be written");
    CASE("slow", f.median_ns = 80000000, DOCTOR_WARNING, "a sync takes 80 ms, at worst 9");
    CASE("too good", f.median_ns = 5000, DOCTOR_NOTE, "5 µs");
#undef CASE
    doctor_fini(&d);
}

TEST(doctor_judges_limits)
{
    const struct limit_facts good = {.files_hard = 1048576,
                                     .memory_max = UINT64_MAX,
                                     .memory_free = UINT64_C(8) << 30,
                                     .connections_max = 20000};
    struct doctor d;
    doctor_init(&d, alloc_system(), &site);
    struct limit_facts f = good;
    doctor_judge_limits(&d, &f);
    said(&d, DOCTOR_OK, "1048576 descriptors");
    f.files_hard = 1024; /* with io_uring it can do without */
    doctor_judge_limits(&d, &f);
    said(&d, DOCTOR_OK, "1024 descriptors");
    f.uring_errno = EPERM;
    doctor_judge_limits(&d, &f);
    CHECK_EQ_UINT(d.findings.n, 2);
    said(&d, DOCTOR_WARNING, "1024 descriptors, the site wants 20000");
    f = good;
    f.uring_errno = ENOSYS;
    doctor_judge_limits(&d, &f);
    said(&d, DOCTOR_NOTE, "epoll");
    f = good;
    f.memory_max = 64 << 20;
    doctor_judge_limits(&d, &f);
    said(&d, DOCTOR_WARNING, "the control group allows 64 MiB");
    f = good;
    f.memory_free = 30 << 20;
    doctor_judge_limits(&d, &f);
    said(&d, DOCTOR_WARNING, "30 MiB of memory");
    doctor_fini(&d);
}

TEST(doctor_judges_ports)
{
    struct doctor_listen l = {.word = "mqtt"};
    REQUIRE(addr_parse(&l.addr, STR("127.0.0.1"), 883) == ERR_OK);
    const struct {
        const char *label;
        struct port_facts facts;
        enum doctor_level level;
        const char *words;
    } cases[] = {
        {"free", {.state = PORT_FREE}, DOCTOR_OK, "free"},
        {"free for root",
         {.state = PORT_FREE, .needs_right = true},
         DOCTOR_NOTE,
         "free, but ports below 1024 need a right"},
        {"ours", {.state = PORT_OURS}, DOCTOR_OK, "the site listens"},
        {"closed", {.state = PORT_CLOSED}, DOCTOR_PROBLEM, "does not listen"},
        {"taken",
         {.state = PORT_TAKEN, .by = 7, .name = "mosquitto"},
         DOCTOR_PROBLEM,
         "taken by mosquitto (process 7)"},
        {"taken by whom", {.state = PORT_TAKEN}, DOCTOR_PROBLEM, "not shown"},
        {"privileged", {.bind_errno = EACCES}, DOCTOR_PROBLEM, "below 1024"},
        {"no such address", {.bind_errno = EADDRNOTAVAIL}, DOCTOR_PROBLEM, "no such address"},
    };
    struct doctor d;
    doctor_init(&d, alloc_system(), &site);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct port_facts f = cases[i].facts;
        LABEL("%s", cases[i].label);
        f.listen = &l;
        doctor_judge_port(&d, &f);
        CHECK_EQ_STR(d.findings.v[0].where, "127.0.0.1:883");
        said(&d, cases[i].level, cases[i].words);
    }
    doctor_fini(&d);
}

TEST(doctor_judges_modes)
{
    enum { SEDGE = 500, OTHER = 501, CERTS = 502 };
    const struct {
        const char *label;
        enum file_kind kind;
        mode_t mode;
        uid_t uid;
        gid_t gid;
        enum doctor_level level;
        const char *words;
    } cases[] = {
        {"a key of its own", FILE_KEY, S_IFREG | 0600, SEDGE, SEDGE, DOCTOR_OK, "mode 600"},
        {"a key of the group", FILE_KEY, S_IFREG | 0640, 0, SEDGE, DOCTOR_OK, "mode 640"},
        {"a key of another of its groups", FILE_KEY, S_IFREG | 0640, 0, CERTS, DOCTOR_OK, "640"},
        {"a key of a strange group", FILE_KEY, S_IFREG | 0640, 0, OTHER, DOCTOR_PROBLEM, "may not"},
        {"a key for all", FILE_KEY, S_IFREG | 0644, SEDGE, SEDGE, DOCTOR_PROBLEM, "private key"},
        {"root's key", FILE_KEY, S_IFREG | 0600, 0, 0, DOCTOR_PROBLEM, "may not read"},
        {"passwords for all", FILE_PASSWORDS, S_IFREG | 0604, SEDGE, SEDGE, DOCTOR_PROBLEM,
         "hashes"},
        {"a site", FILE_SITE, S_IFDIR | 0755, OTHER, OTHER, DOCTOR_OK, "755"},
        {"all may change it", FILE_SITE, S_IFDIR | 0777, SEDGE, SEDGE, DOCTOR_PROBLEM, "change"},
        {"data", FILE_STORE, S_IFDIR | 0750, SEDGE, SEDGE, DOCTOR_OK, "750"},
        {"open data", FILE_STORE, S_IFDIR | 0755, SEDGE, SEDGE, DOCTOR_WARNING, "look into"},
        {"another's data", FILE_STORE, S_IFDIR | 0750, OTHER, SEDGE, DOCTOR_PROBLEM,
         "may not write"},
    };
    struct doctor d;
    doctor_init(&d, alloc_system(), &site);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct stat st = {
            .st_mode = cases[i].mode, .st_uid = cases[i].uid, .st_gid = cases[i].gid};
        LABEL("%s", cases[i].label);
        doctor_judge_mode(&d, cases[i].kind, "/x", &st, SEDGE,
                          st.st_gid == SEDGE || st.st_gid == CERTS);
        said(&d, cases[i].level, cases[i].words);
    }
    doctor_fini(&d);
}

TEST(doctor_judges_devices)
{
    const struct {
        const char *label;
        int stat_errno;
        mode_t mode;
        uid_t uid;
        bool member;
        enum doctor_level level;
        const char *words;
    } cases[] = {
        {"of its group", 0, S_IFCHR | 0660, 500, true, DOCTOR_OK, "may be used"},
        {"of root", 0, S_IFCHR | 0600, 0, false, DOCTOR_OK, "may be used"},
        {"not of its group", 0, S_IFCHR | 0660, 500, false, DOCTOR_PROBLEM, "may not use it"},
        {"unplugged", ENOENT, 0, 500, false, DOCTOR_PROBLEM, "no such device"},
        {"hidden", EACCES, 0, 500, false, DOCTOR_PROBLEM, "can't be looked at"},
        {"a file", 0, S_IFREG | 0666, 500, true, DOCTOR_PROBLEM, "no device"},
    };
    struct doctor d;
    doctor_init(&d, alloc_system(), &site);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct device_facts f = {.path = "/dev/ttyUSB0",
                                       .stat_errno = cases[i].stat_errno,
                                       .st = {.st_mode = cases[i].mode},
                                       .uid = cases[i].uid,
                                       .member = cases[i].member};
        LABEL("%s", cases[i].label);
        doctor_judge_device(&d, &f);
        said(&d, cases[i].level, cases[i].words);
    }
    doctor_fini(&d);
}

TEST(doctor_counts_and_is_bounded)
{
    struct doctor d;
    doctor_init(&d, alloc_system(), &site);
    for (int i = 0; i < 2 * DOCTOR_FINDINGS_MAX; i++)
        doctor_say(&d, i % 2 ? DOCTOR_PROBLEM : DOCTOR_WARNING, "x", NULL, NULL, "%d", i);
    CHECK_EQ_UINT(d.findings.n, DOCTOR_FINDINGS_MAX);
    CHECK_EQ_UINT(doctor_count(&d, DOCTOR_PROBLEM), DOCTOR_FINDINGS_MAX / 2);
    doctor_fini(&d);
    doctor_fini(&d);
}
