/* utf8: validation as RFC 3629 asks (no surrogates, no overlong forms, at most U+10FFFF). */
#pragma once

#include "base/str.h"

bool utf8_valid(struct str s);
/* Valid, and without U+0000: what MQTT demands of its strings. */
bool utf8_valid_nonul(struct str s);
/* Decodes one character at *at and advances; U+FFFD and one byte on damage. *at < s.n. */
uint32_t utf8_next(struct str s, size_t *at);
/* Columns that a terminal gives to the text (East Asian wide count 2, combining 0). */
size_t utf8_width(struct str s);
