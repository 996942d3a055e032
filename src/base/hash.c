/* wyhash, final version 4 (Wang Yi, public domain): fast on short keys, keyed by a seed. */
#include "base/map.h"

#include <string.h>

static const uint64_t secret[4] = {0x2d358dccaa6c78a5ULL, 0x8bb84b93962eacc9ULL,
                                   0x4b33a62ed433d4a3ULL, 0x4d5a2da51de1aa47ULL};

/* The 128-bit product of *a and *b: low half to *a, high half to *b. */
#ifdef __SIZEOF_INT128__
static void mul128(uint64_t *a, uint64_t *b)
{
    unsigned __int128 r = (unsigned __int128)*a * *b;
    *a = (uint64_t)r;
    *b = (uint64_t)(r >> 64);
}
#else
static void mul128(uint64_t *a, uint64_t *b)
{
    uint64_t ah = *a >> 32, al = (uint32_t)*a, bh = *b >> 32, bl = (uint32_t)*b;
    uint64_t mid1 = ah * bl, mid2 = al * bh, low = al * bl;
    uint64_t mid = (low >> 32) + (uint32_t)mid1 + (uint32_t)mid2;
    *a = mid << 32 | (uint32_t)low;
    *b = ah * bh + (mid1 >> 32) + (mid2 >> 32) + (mid >> 32);
}
#endif

static uint64_t mix(uint64_t a, uint64_t b)
{
    mul128(&a, &b);
    return a ^ b;
}

static uint64_t read64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
    return v;
}

static uint64_t read32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, 4);
    return v;
}

/* Eats all but the last 1–16 bytes of a key that is longer than 16. */
static uint64_t hash_long(const uint8_t **p, size_t *n, uint64_t seed)
{
    const uint8_t *q = *p;
    size_t i = *n;
    if (i > 48) {
        uint64_t see1 = seed, see2 = seed;
        do {
            seed = mix(read64(q) ^ secret[1], read64(q + 8) ^ seed);
            see1 = mix(read64(q + 16) ^ secret[2], read64(q + 24) ^ see1);
            see2 = mix(read64(q + 32) ^ secret[3], read64(q + 40) ^ see2);
            q += 48;
            i -= 48;
        } while (i > 48);
        seed ^= see1 ^ see2;
    }
    while (i > 16) {
        seed = mix(read64(q) ^ secret[1], read64(q + 8) ^ seed);
        q += 16;
        i -= 16;
    }
    *p = q;
    *n = i;
    return seed;
}

uint64_t hash_bytes(const void *p, size_t n, uint64_t seed)
{
    const uint8_t *q = p;
    uint64_t a = 0, b = 0;
    seed ^= mix(seed ^ secret[0], secret[1]);
    if (n > 16) {
        size_t left = n;
        seed = hash_long(&q, &left, seed);
        a = read64(q + left - 16);
        b = read64(q + left - 8);
    } else if (n >= 4) {
        a = read32(q) << 32 | read32(q + (n >> 3 << 2));
        b = read32(q + n - 4) << 32 | read32(q + n - 4 - (n >> 3 << 2));
    } else if (n > 0) {
        a = (uint64_t)q[0] << 16 | (uint64_t)q[n >> 1] << 8 | q[n - 1];
    }
    a ^= secret[1];
    b ^= seed;
    mul128(&a, &b);
    return mix(a ^ secret[0] ^ n, b ^ secret[1]);
}
