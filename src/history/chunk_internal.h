/* chunk_internal: the parts of the chunk codec; private to history/. */
#pragma once

#include "history/chunk.h"

/* chunk_float.c: values are the bits of doubles. */
size_t floats_bound(uint32_t n);
void floats_encode(struct writer *w, const uint64_t *v, uint32_t n);
MUST_USE bool floats_decode(struct cursor *c, uint64_t *v, uint32_t n);

/* chunk_text.c */
size_t texts_bound(const struct points *p);
MUST_USE enum err texts_encode(struct writer *w, const struct points *p, struct alloc *alloc);
MUST_USE enum err texts_decode(struct cursor *c, struct points *p, uint32_t n);
