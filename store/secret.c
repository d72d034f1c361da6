#include "store/secret.h"

#include <assert.h>
#include <sodium.h>

spean_err spean_secret_alloc(size_t size, void **out)
{
    assert(size > 0);
    assert(size <= SPEAN_SECRET_BYTES_MAX);
    assert(out != NULL);

    if (sodium_init() < 0) {
        return SPEAN_EIO; /* No source of randomness. */
    }
    void *block = sodium_malloc(size);
    if (block == NULL) {
        return SPEAN_ENOMEM;
    }
    /* sodium_malloc() tries this too, but does not tell when it fails. */
    if (sodium_mlock(block, size) != 0) {
        sodium_free(block);
        return SPEAN_EMEMLOCK;
    }
    *out = block;
    return SPEAN_OK;
}

void spean_secret_free(void *block)
{
    sodium_free(block);
}
