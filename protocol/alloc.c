#include "protocol/alloc.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAP 4u

void *spean_alloc_array(size_t count, size_t size)
{
    assert(count > 0);
    assert(size > 0);

    return calloc(count, size); /* It checks the product. */
}

void *spean_alloc_copy(const void *from, size_t count, size_t size)
{
    if (count == 0) {
        return NULL;
    }
    void *copy = spean_alloc_array(count, size);
    if (copy != NULL) {
        memcpy(copy, from, count * size);
    }
    return copy;
}

spean_err spean_alloc_more(void **array, uint32_t *cap, uint32_t count, size_t size)
{
    assert(array != NULL);
    assert(count <= *cap);

    if (count < *cap) {
        return SPEAN_OK;
    }
    if (*cap > UINT32_MAX / 2) {
        return SPEAN_ENOMEM;
    }
    const uint32_t more = *cap == 0 ? FIRST_CAP : *cap * 2;
    if (more > SIZE_MAX / size) {
        return SPEAN_ENOMEM;
    }
    void *grown = realloc(*array, more * size);
    if (grown == NULL) {
        return SPEAN_ENOMEM;
    }
    *array = grown;
    *cap = more;
    return SPEAN_OK;
}
