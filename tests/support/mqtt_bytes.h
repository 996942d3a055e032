/* mqtt_bytes: packets as text that is nearly their bytes, with the lengths counted.
 *
 *     82[ 0001 {} 'a/#' 01 ]      hex; a string with its 16-bit length; [ ] is counted as the
 * packet's 30[ 't' {} "payload" ]      remaining length, { } as that of properties; "…" are bare
 * bytes
 *
 * For tests that compare bytes: nothing is checked, so that what is wrong can be written as well.
 */
#pragma once

#include "base/cursor.h"

#include <string.h>

#define MQTT_BYTES_MAX 4096

static inline size_t mqtt_bytes_varint(size_t v, uint8_t *out)
{
    size_t n = 0;
    do {
        out[n] = (uint8_t)((v & 0x7F) | (v > 0x7F ? 0x80 : 0));
        v >>= 7;
        n++;
    } while (v);
    return n;
}

/* Up to the bracket that ends this level, or to the end; *text moves on. */
static inline size_t mqtt_bytes_level(const char **text, uint8_t *out)
{
    size_t n = 0;
    const char *t = *text;
    while (*t && *t != ']' && *t != '}') {
        if (*t == ' ') {
            t++;
        } else if (*t == '\'' || *t == '"') {
            const char *end = strchr(t + 1, *t);
            ASSERT(end);
            size_t len = (size_t)(end - t) - 1;
            if (*t == '\'') {
                out[n++] = (uint8_t)(len >> 8);
                out[n++] = (uint8_t)len;
            }
            memcpy(out + n, t + 1, len);
            n += len;
            t = end + 1;
        } else if (*t == '[' || *t == '{') {
            uint8_t inner[MQTT_BYTES_MAX];
            t++;
            size_t len = mqtt_bytes_level(&t, inner);
            ASSERT(*t == ']' || *t == '}');
            t++;
            n += mqtt_bytes_varint(len, out + n);
            memcpy(out + n, inner, len);
            n += len;
        } else {
            int high = str_hex_digit(t[0]), low = str_hex_digit(t[1]);
            ASSERT(high >= 0 && low >= 0);
            out[n++] = (uint8_t)(high << 4 | low);
            t += 2;
        }
        ASSERT(n < MQTT_BYTES_MAX - 256);
    }
    *text = t;
    return n;
}

static inline size_t mqtt_bytes(const char *text, uint8_t out[MQTT_BYTES_MAX])
{
    size_t n = mqtt_bytes_level(&text, out);
    ASSERT(!*text);
    return n;
}
