#include "host/fields.h"

bool field_at(const char *line, size_t i, struct str *out)
{
    struct str rest = str_from(line);
    for (size_t n = 0;; n++) {
        while (rest.n && (*rest.p == ' ' || *rest.p == '\t' || *rest.p == '\n'))
            rest = str_sub(rest, 1, rest.n);
        size_t end = 0;
        while (end < rest.n && rest.p[end] != ' ' && rest.p[end] != '\t' && rest.p[end] != '\n')
            end++;
        if (end == 0)
            return false;
        if (n == i) {
            *out = str_sub(rest, 0, end);
            return true;
        }
        rest = str_sub(rest, end, rest.n);
    }
}

bool field_part(struct str s, char sep, size_t i, struct str *out)
{
    for (size_t n = 0; str_split(&s, sep, out); n++)
        if (n == i)
            return true;
    return false;
}

bool field_number(struct str s, unsigned base, uint64_t *out)
{
    uint64_t v = 0;
    for (size_t i = 0; i < s.n; i++) {
        int digit = str_hex_digit((unsigned char)s.p[i]);
        if (digit < 0 || (unsigned)digit >= base || v > (UINT64_MAX - (unsigned)digit) / base)
            return false;
        v = v * base + (unsigned)digit;
    }
    *out = v;
    return s.n > 0;
}

bool field_decimal(const char *line, size_t i, uint64_t *out)
{
    struct str word;
    return field_at(line, i, &word) && field_number(word, 10, out);
}
