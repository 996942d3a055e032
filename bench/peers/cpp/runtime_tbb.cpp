// Fork-join on TBB, as bench/runtime does it; called as bench/runtime/bench.h says.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <tbb/global_control.h>
#include <tbb/parallel_invoke.h>
#include <tbb/task_arena.h>
#include <tbb/version.h>
#include <vector>

namespace
{

constexpr int runs = 7;

double per_op(double n, std::chrono::steady_clock::time_point begin)
{
    std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
    return took.count() / n;
}

void check(bool ok)
{
    if (!ok)
        std::abort();
}

template <typename Run> void take(const std::string &only, const char *name, Run run)
{
    if (!only.empty() && only != name)
        return;
    run(); // to warm up
    std::vector<double> all(runs);
    std::generate(all.begin(), all.end(), run);
    std::sort(all.begin(), all.end());
    std::printf("%s %.2f\n", name, all[runs / 2]);
}

std::uint64_t fib(unsigned n)
{
    if (n < 2)
        return n;
    std::uint64_t one, two;
    tbb::parallel_invoke([&] { one = fib(n - 1); }, [&] { two = fib(n - 2); });
    return one + two;
}

// One fork and its join: fib(30) has 1,346,268 of them.
double forks()
{
    auto begin = std::chrono::steady_clock::now();
    std::uint64_t sum = fib(30);
    double took = per_op(1346268, begin);
    check(sum == 832040);
    return took;
}

constexpr std::size_t sort_len = 10000000;
constexpr std::ptrdiff_t sequential = 8192; // elements that are not worth a fork
constexpr std::ptrdiff_t insertion = 32;

using iterator = std::vector<std::int32_t>::iterator;

void insertion_sort(iterator begin, iterator end)
{
    for (iterator i = begin; i != end; ++i) {
        std::int32_t x = *i;
        iterator at = i;
        for (; at != begin && x < at[-1]; --at)
            *at = at[-1];
        *at = x;
    }
}

// Without a branch on what is less, which would be predicted wrong half the time.
void merge(iterator out, iterator a, iterator a_end, iterator b, iterator b_end)
{
    while (a != a_end && b != b_end) {
        bool second = *b < *a;
        *out++ = second ? *b : *a;
        a += !second;
        b += second;
    }
    std::copy(b, b_end, std::copy(a, a_end, out));
}

// Sorts what begins at a; other holds the same elements and is overwritten.
void sort_into(iterator a, iterator other, std::ptrdiff_t n)
{
    if (n <= insertion)
        return insertion_sort(a, a + n);
    std::ptrdiff_t half = n / 2;
    auto left = [=] { sort_into(other, a, half); };
    auto right = [=] { sort_into(other + half, a + half, n - half); };
    if (n <= sequential) {
        left();
        right();
    } else {
        tbb::parallel_invoke(left, right);
    }
    merge(a, other, other + half, other + half, other + n);
}

double merge_sort()
{
    static std::vector<std::int32_t> a(sort_len), other;
    std::uint32_t x = 1;
    for (std::int32_t &element : a) {
        x = x * 1664525 + 1013904223;
        element = static_cast<std::int32_t>(x);
    }
    other = a;
    auto begin = std::chrono::steady_clock::now();
    sort_into(a.begin(), other.begin(), static_cast<std::ptrdiff_t>(a.size()));
    double took = per_op(sort_len, begin);
    check(std::is_sorted(a.begin(), a.end()));
    return took;
}

} // namespace

int main(int argc, char **argv)
{
    int workers = argc > 1 ? std::atoi(argv[1]) : 1;
    std::string only = argc > 2 ? argv[2] : "";
    tbb::global_control limit(tbb::global_control::max_allowed_parallelism,
                              static_cast<std::size_t>(workers));
    tbb::task_arena arena(workers);
    std::printf("peer tbb %d.%d\n", TBB_VERSION_MAJOR, TBB_VERSION_MINOR);
    arena.execute([&] {
        take(only, "fib", forks);
        take(only, "merge_sort", merge_sort);
    });
}
