#include "codec/tar.h"

#include <stdio.h>
#include <string.h>

/* Where the fields lie. */
enum {
    NAME_AT = 0,
    NAME_N = 100,
    MODE_AT = 100,
    OWNER_AT = 108,
    GROUP_AT = 116,
    SIZE_AT = 124,
    MTIME_AT = 136,
    SUM_AT = 148,
    SUM_N = 8,
    KIND_AT = 156,
    MAGIC_AT = 257,
    PREFIX_AT = 345,
    PREFIX_N = 155,
    LONG_N = 12,
    SHORT_N = 8,
};
#define OCTAL_MAX ((UINT64_C(1) << 33) - 1) /* of eleven digits */

static uint32_t sum_of(const uint8_t block[TAR_BLOCK])
{
    uint32_t sum = 0;
    for (size_t i = 0; i < TAR_BLOCK; i++)
        sum += i >= SUM_AT && i < SUM_AT + SUM_N ? ' ' : block[i];
    return sum;
}

/* --- writing --- */

static void put_octal(uint8_t *at, size_t n, uint64_t v)
{
    at[n - 1] = '\0';
    for (size_t i = n - 1; i-- > 0; v >>= 3)
        at[i] = (uint8_t)('0' + (v & 7));
}

static void put_number(uint8_t *at, size_t n, uint64_t v)
{
    if (v <= OCTAL_MAX) {
        put_octal(at, n, v);
        return;
    }
    memset(at, 0, n);
    at[0] = 0x80; /* GNU: base 256 */
    for (size_t i = n; i-- > n - 8; v >>= 8)
        at[i] = (uint8_t)v;
}

/* Where the name is cut into prefix and rest; false: nowhere. */
static bool split(struct str name, size_t *at)
{
    *at = 0;
    if (name.n <= NAME_N)
        return true;
    for (size_t i = name.n - NAME_N - 1; i < name.n && i <= PREFIX_N; i++)
        if (name.p[i] == '/' && i + 1 < name.n) {
            *at = i;
            return true;
        }
    return false;
}

enum err tar_encode(const struct tar_entry *t, uint8_t out[TAR_BLOCK])
{
    struct str name = str_from(t->name);
    size_t at;
    if (name.n == 0 || name.n > TAR_NAME_MAX || !split(name, &at))
        return ERR_RANGE;
    memset(out, 0, TAR_BLOCK);
    if (at)
        memcpy(out + PREFIX_AT, name.p, at);
    struct str rest = at ? str_sub(name, at + 1, name.n) : name;
    memcpy(out + NAME_AT, rest.p, rest.n);
    put_octal(out + MODE_AT, SHORT_N, t->mode & 0777);
    put_octal(out + OWNER_AT, SHORT_N, 0);
    put_octal(out + GROUP_AT, SHORT_N, 0);
    put_number(out + SIZE_AT, LONG_N, t->size);
    put_number(out + MTIME_AT, LONG_N, t->mtime_s > 0 ? (uint64_t)t->mtime_s : 0);
    out[KIND_AT] = '0';
    memcpy(out + MAGIC_AT, "ustar\00000", 8);
    put_octal(out + SUM_AT, 7, sum_of(out));
    out[SUM_AT + 7] = ' ';
    return ERR_OK;
}

/* --- reading --- */

static bool get_octal(const uint8_t *at, size_t n, uint64_t *out)
{
    size_t i = 0;
    *out = 0;
    while (i < n && at[i] == ' ')
        i++;
    for (; i < n && at[i] >= '0' && at[i] <= '7'; i++) {
        if (*out >> 60)
            return false;
        *out = *out << 3 | (uint64_t)(at[i] - '0');
    }
    return i == n || at[i] == '\0' || at[i] == ' ';
}

static bool get_number(const uint8_t *at, size_t n, uint64_t *out)
{
    if (!(at[0] & 0x80))
        return get_octal(at, n, out);
    *out = at[0] & 0x3F;
    for (size_t i = 1; i < n; i++) {
        if (*out >> 55)
            return false; /* larger than any file */
        *out = *out << 8 | at[i];
    }
    return !(at[0] & 0x40);
}

static bool zeros(const uint8_t in[TAR_BLOCK])
{
    for (size_t i = 0; i < TAR_BLOCK; i++)
        if (in[i])
            return false;
    return true;
}

static void get_name(const uint8_t in[TAR_BLOCK], struct tar_entry *t)
{
    size_t n = strnlen((const char *)in + NAME_AT, NAME_N);
    size_t p = memcmp(in + MAGIC_AT, "ustar\0", 6) == 0
                   ? strnlen((const char *)in + PREFIX_AT, PREFIX_N)
                   : 0;
    if (p)
        (void)snprintf(t->name, sizeof(t->name), "%.*s/%.*s", (int)p, (const char *)in + PREFIX_AT,
                       (int)(n > TAR_NAME_MAX - 1 - p ? TAR_NAME_MAX - 1 - p : n),
                       (const char *)in + NAME_AT);
    else
        (void)snprintf(t->name, sizeof(t->name), "%.*s", (int)n, (const char *)in + NAME_AT);
}

/* Each part of it stays below where it begins. */
static bool stays_inside(const char *name)
{
    struct str rest = str_from(name), part;
    if (rest.n == 0 || rest.p[0] == '/' || rest.p[rest.n - 1] == '/')
        return false;
    while (str_split(&rest, '/', &part))
        if (part.n == 0 || str_eq(part, STR(".")) || str_eq(part, STR("..")))
            return false;
    return true;
}

enum err tar_decode(const uint8_t in[TAR_BLOCK], struct tar_entry *t, bool *end, const char **why)
{
    uint64_t sum, mode, mtime;
    *t = (struct tar_entry){0};
    *why = "";
    *end = zeros(in);
    if (*end)
        return ERR_OK;
    if (!get_octal(in + SUM_AT, SUM_N, &sum) || sum != sum_of(in)) {
        *why = "the head of a file is damaged";
        return ERR_CORRUPT;
    }
    if (in[KIND_AT] != '0' && in[KIND_AT] != '\0') {
        *why = "it holds something that is no file";
        return ERR_UNSUPPORTED;
    }
    get_name(in, t);
    if (!get_octal(in + MODE_AT, SHORT_N, &mode) || !get_number(in + SIZE_AT, LONG_N, &t->size) ||
        !get_number(in + MTIME_AT, LONG_N, &mtime) || !stays_inside(t->name)) {
        *why = "a file has an impossible name, size or time";
        return ERR_CORRUPT;
    }
    t->mode = (uint32_t)(mode & 0777);
    t->mtime_s = (int64_t)(mtime & INT64_MAX);
    return ERR_OK;
}
