/*
 * store/secret.h - memory for secrets: locked against swapping, guarded, wiped when freed.
 *
 * There are only a handful of such blocks: each takes whole pages and two guard pages.
 */
#ifndef SPEAN_STORE_SECRET_H
#define SPEAN_STORE_SECRET_H

#include <stddef.h>

#include "protocol/err.h"

#define SPEAN_SECRET_BYTES_MAX 131072u /* Of one block. */

/*
 * Make a block of size bytes (1 to SPEAN_SECRET_BYTES_MAX, assert) in *out, for the caller to free.
 * Its address is aligned to what divides size, at most to 16.
 * SPEAN_EMEMLOCK: the system refuses to lock it: raise RLIMIT_MEMLOCK (LimitMEMLOCK= of the unit).
 * SPEAN_ENOMEM.
 */
SPEAN_CHECK spean_err spean_secret_alloc(size_t size, void **out);

/* Wipe and free a block, whether it may be written or not. NULL is allowed. */
void spean_secret_free(void *block);

#endif
