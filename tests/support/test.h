/* test: our small test header. TAP on stdout, exit 1 when a test has failed.
 *
 * Why: one executable for each folder of src/, no dependency, and a failure that
 * names file, line, both values and the case of the table that it came from.
 * Use: TEST(name) { ... } registers itself; link with tests/support/test_main.c.
 *     x_test [PART OF A NAME] [--list] [--seed=N]
 * Threads: CHECKs may come from any thread. REQUIRE and SKIP leave the test by a
 * jump, so they belong to the test's own thread (from another they end the run).
 * LABEL is the calling thread's own.
 * Errors: a failed CHECK is noted and the test goes on; a failed REQUIRE leaves it.
 * Every check is an expression: its value is true when it held. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct test_case {
    const char *name;
    const char *file;
    void (*run)(void);
    struct test_case *next;
};

/* clang-format off */
#define TEST(name)                                                                      \
    static void test_run_##name(void);                                                  \
    __attribute__((constructor)) static void test_register_##name(void)                 \
    {                                                                                   \
        static struct test_case self = {#name, __FILE__, test_run_##name, NULL};        \
        test_register(&self);                                                           \
    }                                                                                   \
    static void test_run_##name(void)
/* clang-format on */

/* Says which case of a table is running; failures print it. NULL-free printf format. */
#define LABEL(...) test_label(__VA_ARGS__)

/* In the equalities the first value is what was got, the second what was wanted. */
#define CHECK(cond) test_check((cond), #cond, __FILE__, __LINE__)
#define CHECK_EQ_INT(got, want)                                                                    \
    test_eq_int((intmax_t)(got), (intmax_t)(want), #got, __FILE__, __LINE__)
#define CHECK_EQ_UINT(got, want)                                                                   \
    test_eq_uint((uintmax_t)(got), (uintmax_t)(want), #got, __FILE__, __LINE__)
#define CHECK_EQ_STR(got, want)       test_eq_str((got), (want), #got, __FILE__, __LINE__)
#define CHECK_EQ_MEM(got, want, size) test_eq_mem((got), (want), (size), #got, __FILE__, __LINE__)
#define CHECK_EQ_PTR(got, want)                                                                    \
    test_eq_ptr((const void *)(got), (const void *)(want), #got, __FILE__, __LINE__)
/* True when |got - want| <= eps; two NaNs are equal, two infinities of one sign too. */
#define CHECK_EQ_DBL(got, want, eps) test_eq_dbl((got), (want), (eps), #got, __FILE__, __LINE__)
/* True when `part` occurs in `text`. */
#define CHECK_HAS_STR(text, part) test_has_str((text), (part), #text, __FILE__, __LINE__)

/* Leaves the test when the condition does not hold: REQUIRE(p != NULL), REQUIRE(CHECK_EQ_INT(n,
 * 3)). */
#define REQUIRE(cond)                                                                              \
    do {                                                                                           \
        if (!test_check((cond), #cond, __FILE__, __LINE__)) {                                      \
            test_leave();                                                                          \
        }                                                                                          \
    } while (0)

/* Runs fn(arg) in a child process and holds when it is ended by SIGABRT, as ASSERT() does. */
#define CHECK_ABORTS(fn, arg) test_aborts((fn), (arg), #fn, __FILE__, __LINE__)

#define SKIP(...) test_skip(__VA_ARGS__)

/* A line of the report, as "# ...": what a reader needs to understand a failure. Any thread. */
void test_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* An empty folder for the running test, made at the first call and removed with
 * all its content when the test ends (kept, and named, if the test failed and
 * SEDGE_TEST_KEEP is set). The string is valid until the test ends. */
const char *test_tmpdir(void);

/* The seed of this run: --seed=N, or SEDGE_TEST_SEED, or a new one. The first call in
 * a test prints it, so that a failure can be repeated. */
uint64_t test_seed(void);

/* What the macros call. */
void test_register(struct test_case *c);
void test_label(const char *format, ...) __attribute__((format(printf, 1, 2)));
bool test_check(bool held, const char *what, const char *file, int line);
bool test_eq_int(intmax_t got, intmax_t want, const char *what, const char *file, int line);
bool test_eq_uint(uintmax_t got, uintmax_t want, const char *what, const char *file, int line);
bool test_eq_str(const char *got, const char *want, const char *what, const char *file, int line);
bool test_eq_mem(const void *got, const void *want, size_t size, const char *what, const char *file,
                 int line);
bool test_eq_ptr(const void *got, const void *want, const char *what, const char *file, int line);
bool test_eq_dbl(double got, double want, double eps, const char *what, const char *file, int line);
bool test_has_str(const char *text, const char *part, const char *what, const char *file, int line);
bool test_aborts(void (*fn)(void *arg), void *arg, const char *what, const char *file, int line);
_Noreturn void test_leave(void);
_Noreturn void test_skip(const char *format, ...) __attribute__((format(printf, 1, 2)));
