#include "app/answer.h"

#include "app/terminal.h"
#include "codec/json.h"

#include <stdio.h>
#include <time.h>

struct str answer_raw(struct str object, const char *key)
{
    struct str raw = {0};
    struct bytes doc = {(const uint8_t *)object.p, object.n};
    return json_find(doc, str_from(key), NULL, &raw) ? (struct str){0} : raw;
}

int64_t answer_int(struct str object, const char *key)
{
    int64_t n = 0;
    return json_integer(answer_raw(object, key), &n) ? 0 : n;
}

bool answer_true(struct str object, const char *key)
{
    return str_eq(answer_raw(object, key), STR("true"));
}

struct str answer_text(struct str raw, char *buf, size_t size)
{
    struct str text = raw;
    char plain[1024];
    if (raw.n >= 2 && raw.p[0] == '"' &&
        json_unescape(str_sub(raw, 1, raw.n - 2), plain, sizeof(plain), &text))
        text = str_sub(raw, 1, raw.n - 2);
    return terminal_text(text, buf, size);
}

struct str answer_member(struct str object, const char *key, char *buf, size_t size)
{
    struct str raw = answer_raw(object, key);
    return str_eq(raw, STR("null")) ? STR("") : answer_text(raw, buf, size);
}

void answer_lines(struct strbuf *out, struct str raw)
{
    char buf[2048];
    struct str text = {0}, line;
    char *plain = raw.n >= 2 && raw.p[0] == '"' ? mem_new(alloc_system(), raw.n) : NULL;
    if (plain && json_unescape(str_sub(raw, 1, raw.n - 2), plain, raw.n, &text) == ERR_OK) {
        while (text.n > 0 && str_split(&text, '\n', &line)) {
            strbuf_addstr(out, terminal_text(line, buf, sizeof(buf)));
            strbuf_addc(out, '\n');
        }
    }
    mem_free(alloc_system(), plain, raw.n);
}

void answer_each(struct str array, void (*each)(void *ctx, struct str element), void *ctx)
{
    (void)json_each(array, each, ctx);
}

void answer_time(int64_t ms, int64_t now_ms, char out[ANSWER_TIME_MAX])
{
    struct tm at, now;
    time_t s = (time_t)(ms / 1000), today = (time_t)(now_ms / 1000);
    out[0] = '\0';
    if (!localtime_r(&s, &at) || !localtime_r(&today, &now))
        return;
    bool same = at.tm_yday == now.tm_yday && at.tm_year == now.tm_year;
    if (strftime(out, ANSWER_TIME_MAX, same ? "%H:%M:%S" : "%Y-%m-%d %H:%M:%S", &at) == 0)
        out[0] = '\0';
}
