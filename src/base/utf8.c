#include "base/utf8.h"

#include <string.h>

static uint8_t byte_at(struct str s, size_t i)
{
    return i < s.n ? (uint8_t)s.p[i] : 0;
}

/* The length of the character at `at`, 0 if it is damaged; its number to *out. */
static size_t decode(struct str s, size_t at, uint32_t *out)
{
    uint32_t b0 = byte_at(s, at), b1 = byte_at(s, at + 1), b2 = byte_at(s, at + 2),
             b3 = byte_at(s, at + 3);
    if (b0 < 0x80) {
        *out = b0;
        return 1;
    }
    if (b0 < 0xC2 || (b1 & 0xC0) != 0x80)
        return 0;
    if (b0 < 0xE0) {
        *out = (b0 & 0x1F) << 6 | (b1 & 0x3F);
        return 2;
    }
    if ((b2 & 0xC0) != 0x80)
        return 0;
    if (b0 < 0xF0) {
        uint32_t c = (b0 & 0x0F) << 12 | (b1 & 0x3F) << 6 | (b2 & 0x3F);
        *out = c;
        return c < 0x800 || (c >= 0xD800 && c <= 0xDFFF) ? 0 : 3;
    }
    if ((b3 & 0xC0) != 0x80 || b0 > 0xF4)
        return 0;
    uint32_t c = (b0 & 0x07) << 18 | (b1 & 0x3F) << 12 | (b2 & 0x3F) << 6 | (b3 & 0x3F);
    *out = c;
    return c < 0x10000 || c > 0x10FFFF ? 0 : 4;
}

bool utf8_valid(struct str s)
{
    size_t i = 0;
    while (i < s.n) {
        /* Eight ASCII characters at once. */
        uint64_t word;
        if (s.n - i >= 8) {
            memcpy(&word, s.p + i, 8);
            if ((word & 0x8080808080808080ULL) == 0) {
                i += 8;
                continue;
            }
        }
        uint32_t c;
        size_t n = decode(s, i, &c);
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

bool utf8_valid_nonul(struct str s)
{
    return !str_find(s, '\0', NULL) && utf8_valid(s);
}

uint32_t utf8_next(struct str s, size_t *at)
{
    uint32_t c;
    size_t n = decode(s, *at, &c);
    *at += n ? n : 1;
    return n ? c : 0xFFFD;
}

struct range {
    uint32_t first, last;
};

static bool in_ranges(uint32_t c, const struct range *r, size_t n)
{
    size_t lo = 0, hi = n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (c > r[mid].last)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < n && c >= r[lo].first;
}

/* The blocks that matter for source texts and messages, after Unicode's EastAsianWidth (W, F)
 * and general category (Mn, Me, Cf); not every last character of rare scripts. */
static const struct range zero_width[] = {
    {0x0300, 0x036F}, {0x0483, 0x0489},   {0x0591, 0x05BD},   {0x0610, 0x061A},   {0x064B, 0x065F},
    {0x0670, 0x0670}, {0x06D6, 0x06DC},   {0x06DF, 0x06E4},   {0x0900, 0x0902},   {0x093C, 0x093C},
    {0x0941, 0x0948}, {0x094D, 0x094D},   {0x0E31, 0x0E31},   {0x0E34, 0x0E3A},   {0x0E47, 0x0E4E},
    {0x1AB0, 0x1ACE}, {0x1DC0, 0x1DFF},   {0x200B, 0x200F},   {0x202A, 0x202E},   {0x2060, 0x2064},
    {0x20D0, 0x20F0}, {0x302A, 0x302D},   {0x3099, 0x309A},   {0xFE00, 0xFE0F},   {0xFE20, 0xFE2F},
    {0xFEFF, 0xFEFF}, {0x1F3FB, 0x1F3FF}, {0xE0001, 0xE007F}, {0xE0100, 0xE01EF},
};
static const struct range double_width[] = {
    {0x1100, 0x115F},   {0x231A, 0x231B},   {0x23E9, 0x23EC},   {0x2614, 0x2615},
    {0x26A1, 0x26A1},   {0x2705, 0x2705},   {0x274C, 0x274C},   {0x2753, 0x2755},
    {0x2795, 0x2797},   {0x2E80, 0x303E},   {0x3041, 0x33FF},   {0x3400, 0x4DBF},
    {0x4E00, 0x9FFF},   {0xA000, 0xA4CF},   {0xA960, 0xA97F},   {0xAC00, 0xD7A3},
    {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},
    {0x16FE0, 0x18CFF}, {0x1B000, 0x1B2FF}, {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF},
    {0x1F900, 0x1F9FF}, {0x1FA70, 0x1FAFF}, {0x20000, 0x3FFFD},
};

size_t utf8_width(struct str s)
{
    size_t width = 0;
    for (size_t i = 0; i < s.n;) {
        uint32_t c = utf8_next(s, &i);
        if (c < 0x20 || (c >= 0x7F && c < 0xA0) || in_ranges(c, zero_width, ARRAY_LEN(zero_width)))
            continue;
        width += in_ranges(c, double_width, ARRAY_LEN(double_width)) ? 2 : 1;
    }
    return width;
}
