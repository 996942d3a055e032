/* Every allocation fails in turn; io_uring is forbidden. */
#include "async/executor.h"
#include "tests/support/test.h"
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

TEST(an_executor_without_memory_says_so)
{
    const char *const drivers[] = {"epoll", "io_uring"};
    for (size_t i = 0; i < ARRAY_LEN(drivers); i++) {
        struct error e = {0};
        for (uint64_t n = 0;; n++) {
            LABEL("%s, allocation %llu", drivers[i], (unsigned long long)n);
            struct alloc_faulty f;
            struct executor *ex;
            alloc_faulty_init(&f, n);
            struct executor_config cfg = {.alloc = &f.alloc, .workers = 2, .driver = drivers[i]};
            enum err r = executor_new(&ex, &cfg, &e);
            if (r && !f.failed)
                SKIP("%s: %s", drivers[i], e.text);
            CHECK_EQ_INT(r, f.failed ? ERR_NOMEM : ERR_OK);
            executor_free(ex);
            CHECK_EQ_UINT(f.live_bytes, 0);
            if (!r)
                break;
        }
    }
}

TEST(a_wrong_configuration_is_refused)
{
    static const struct {
        const char *label, *driver, *text;
        unsigned workers, threads;
        enum err want;
    } cases[] = {
        {"no worker", "epoll", "workers must be", 0, 1, ERR_RANGE},
        {"too many workers", "epoll", "workers must be", 65, 1, ERR_RANGE},
        {"too many threads", "epoll", "offload_threads must be", 1, 17, ERR_RANGE},
        {"no such driver", "kqueue", "'kqueue'", 1, 1, ERR_INVALID},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        LABEL("%s", cases[i].label);
        struct executor_config cfg = {.alloc = alloc_system(),
                                      .workers = cases[i].workers,
                                      .driver = cases[i].driver,
                                      .offload_threads = cases[i].threads};
        struct executor *ex;
        struct error e = {0};
        CHECK_EQ_INT(executor_new(&ex, &cfg, &e), cases[i].want);
        CHECK_HAS_STR(e.text, cases[i].text);
        CHECK(ex == NULL);
    }
}

/* As a container's policy does it. */
static bool forbid_io_uring(void)
{
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_io_uring_setup, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = ARRAY_LEN(rules), .filter = rules};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* What the child found, as its exit status. */
enum { FOUND_EPOLL, FOUND_OTHER, NOT_FORBIDDEN, NOT_MADE, NOT_REFUSED };

static int without_io_uring(void)
{
    struct executor_config cfg = {.alloc = alloc_system(), .workers = 2};
    struct executor *ex;
    struct error e = {0};
    if (!forbid_io_uring())
        return NOT_FORBIDDEN;
    if (executor_new(&ex, &cfg, NULL) != ERR_OK)
        return NOT_MADE;
    bool epoll = strcmp(executor_driver(ex), "epoll") == 0;
    executor_free(ex);
    cfg.driver = "io_uring"; /* who asks for it by name is told */
    if (executor_new(&ex, &cfg, &e) != ERR_IO || e.os_errno != EPERM)
        return NOT_REFUSED;
    return epoll ? FOUND_EPOLL : FOUND_OTHER;
}

TEST(epoll_takes_over_where_io_uring_is_forbidden)
{
    int status = 0;
    pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0)
        _exit(without_io_uring());
    REQUIRE(waitpid(child, &status, 0) == child);
    REQUIRE(WIFEXITED(status));
    if (WEXITSTATUS(status) == NOT_FORBIDDEN)
        SKIP("no filter may be set here");
    CHECK_EQ_INT(WEXITSTATUS(status), FOUND_EPOLL);
}
