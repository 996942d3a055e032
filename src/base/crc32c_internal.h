/* crc32c_internal: the portable way, apart so that a test holds both against each other. */
#pragma once

#include <stddef.h>
#include <stdint.h>

uint32_t crc32c_table(uint32_t crc, const void *p, size_t n);
