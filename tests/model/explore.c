/* The search: paths of choices, tried one after the other, and the account of the one that fails.
 */
#include "tests/model/model_internal.h"
#include "tests/support/test.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum search { SEARCH_ALL, SEARCH_RANDOM, SEARCH_REPEAT };
enum { ODDS = 4, TRACE_MAX = 400 };

static struct {
    const struct model *model;
    enum search search;
    unsigned preemptions; /* of this round */
    uint8_t taken[PATH_MAX_], width[PATH_MAX_];
    size_t depth, at;
    uint64_t random;
    uint64_t traced;
} s;

bool may_preempt(void)
{
    return now.focused && (s.search != SEARCH_ALL || now.preemptions < s.preemptions);
}

bool may_be_stale(void)
{
    return now.focused && (s.search != SEARCH_ALL || now.stale < s.model->stale);
}

static uint64_t next_random(void)
{
    s.random ^= s.random << 13;
    s.random ^= s.random >> 7;
    s.random ^= s.random << 17;
    return s.random * UINT64_C(0x2545f4914f6cdd1d) >> 11;
}

size_t choose(size_t n, enum choice kind)
{
    if (n < 2 || !now.focused)
        return 0;
    ASSERT(n <= UINT8_MAX);
    if (s.at == PATH_MAX_)
        model_fail(__FILE__, __LINE__, "more than %d choices", PATH_MAX_);
    if (s.at == s.depth) {
        s.taken[s.at] = 0;
        s.width[s.at] = (uint8_t)n;
        s.depth++;
        bool usual = kind != CHOICE_FREE && next_random() % ODDS != 0;
        if (s.search == SEARCH_RANDOM && !usual)
            s.taken[s.at] = (uint8_t)(next_random() % n);
    }
    size_t k = s.taken[s.at];
    if (s.search == SEARCH_REPEAT && k >= n)
        k = 0;
    else if (s.search != SEARCH_REPEAT)
        ASSERT(s.width[s.at] == n); /* the same choices bring the same execution */
    s.at++;
    return k;
}

size_t model_choose(size_t n)
{
    return choose(n, CHOICE_FREE);
}

static bool next_path(void)
{
    while (s.depth > 0 && s.taken[s.depth - 1] + 1 == s.width[s.depth - 1])
        s.depth--;
    if (s.depth == 0)
        return false;
    s.taken[s.depth - 1]++;
    return true;
}

/* --- a path as text: choices with points between, "0x12" for twelve times 0 --- */

static void path_print(char *out, size_t size)
{
    size_t len = 0, depth = s.at;
    out[0] = '\0';
    while (depth > 0 && s.taken[depth - 1] == 0) /* what follows is as usual */
        depth--;
    for (size_t i = 0; i < depth && len + 16 < size;) {
        size_t n = 1;
        while (i + n < depth && s.taken[i + n] == s.taken[i])
            n++;
        if (n > 2)
            len += (size_t)snprintf(out + len, size - len, "%ux%zu.", s.taken[i], n);
        else
            for (size_t k = 0; k < n; k++)
                len += (size_t)snprintf(out + len, size - len, "%u.", s.taken[i]);
        i += n;
    }
}

static void path_parse(const char *text)
{
    memset(s.taken, 0, sizeof(s.taken));
    s.depth = 0;
    while (*text) {
        char *end;
        unsigned long value = strtoul(text, &end, 10), n = 1;
        if (end == text)
            break;
        if (*end == 'x')
            n = strtoul(end + 1, &end, 10);
        for (; n > 0 && s.depth < PATH_MAX_; n--)
            s.taken[s.depth++] = (uint8_t)value;
        text = *end == '.' ? end + 1 : end;
    }
    /* Choices behind its end are 0. */
    s.depth = PATH_MAX_;
}

/* --- the account --- */

void trace(const char *where, const char *format, ...)
{
    char text[256];
    va_list args;
    if (!now.tracing || s.traced++ > TRACE_MAX)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    const char *src = strstr(where, "src/");
    test_note("  %4llu  %*s%u: %s  %s", (unsigned long long)now.steps,
              (int)(2 * thread_index(now.current)), "", thread_index(now.current), text,
              src ? src : where);
}

static void execute(struct model_result *r)
{
    s.at = 0;
    execution_run(s.model->run, s.model->arg);
    r->steps += now.steps;
    r->failed = now.failed;
    if (now.failed)
        snprintf(r->text, sizeof(r->text), "%s", now.text);
}

static void repeat(struct model_result *r)
{
    s.search = SEARCH_REPEAT;
    now.tracing = true;
    s.traced = 0;
    execute(r);
    now.tracing = false;
}

static void give_account(struct model_result *r)
{
    static char path[4096];
    path_print(path, sizeof(path));
    test_note("%s fails: %s", s.model->name, r->text);
    test_note("repeat with MODEL_PATH='%s@%s'", s.model->name, path);
    path_parse(path);
    struct model_result again = {0};
    repeat(&again);
    if (!again.failed)
        test_note("but the path does not fail a second time");
}

/* --- the search --- */

static const char *asked_path(const struct model *m)
{
    const char *text = getenv("MODEL_PATH");
    size_t len = strlen(m->name);
    return text && strncmp(text, m->name, len) == 0 && text[len] == '@' ? text + len + 1 : NULL;
}

static void search_all(struct model_result *r)
{
    const struct model *m = s.model;
    s.search = SEARCH_ALL;
    for (s.preemptions = 0; s.preemptions <= m->preemptions; s.preemptions++) {
        s.depth = 0;
        do {
            if (m->executions_max && r->executions == m->executions_max)
                return;
            r->executions++;
            execute(r);
        } while (!r->failed && next_path());
        if (r->failed)
            return;
    }
    r->complete = true;
}

static void search_random(struct model_result *r)
{
    s.search = SEARCH_RANDOM;
    uint64_t seed = s.model->walks > 0 ? test_seed() : 0;
    for (; r->walks < s.model->walks && !r->failed; r->walks++) {
        s.random = (seed + r->walks + 1) * UINT64_C(0x9e3779b97f4a7c15);
        s.depth = 0;
        execute(r);
    }
}

struct model_result model_explore(const struct model *m)
{
    struct model_result r = {0};
    s.model = m;
    const char *path = asked_path(m);
    if (path) {
        path_parse(path);
        repeat(&r);
        return r;
    }
    search_all(&r);
    if (!r.failed)
        search_random(&r);
    if (r.failed)
        give_account(&r);
    return r;
}

void model_check(const struct model *m)
{
    const char *only = getenv("MODEL_ONLY");
    if (only && strcmp(only, m->name) != 0)
        return;
    struct model_result r = model_explore(m);
    test_note("%s: %llu executions with at most %u preemptions and %u old values%s, %llu walks, "
              "%llu steps",
              m->name, (unsigned long long)r.executions, m->preemptions, m->stale,
              r.complete ? ", all" : "", (unsigned long long)r.walks, (unsigned long long)r.steps);
    CHECK_EQ_STR(r.text, "");
    CHECK(r.failed || r.complete || m->executions_max > 0 || getenv("MODEL_PATH"));
}
