/* protocol/alloc.h - heap arrays whose sizes are checked before they are multiplied. */
#ifndef SPEAN_PROTOCOL_ALLOC_H
#define SPEAN_PROTOCOL_ALLOC_H

#include <stddef.h>
#include <stdint.h>

#include "protocol/err.h"

/* Allocate count zeroed elements of size bytes; count and size above 0. NULL: no memory. */
void *spean_alloc_array(size_t count, size_t size);

/* Copy count elements to a new array; NULL when count is 0 or memory is exhausted. */
void *spean_alloc_copy(const void *from, size_t count, size_t size);

/*
 * Make room for one element more in *array, which holds count and has room for *cap. Doubles, so
 * that n additions cost n copies. SPEAN_ENOMEM: *array and *cap are unchanged.
 */
SPEAN_CHECK spean_err spean_alloc_more(void **array, uint32_t *cap, uint32_t count, size_t size);

#endif
