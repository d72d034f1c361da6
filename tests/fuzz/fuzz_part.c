/* Folded states of any bytes. One that is accepted is written again to the same bytes. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/fold.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct spean_part *part = NULL;
    if (spean_part_decode((struct spean_view){data, size}, &part) != SPEAN_OK) {
        return 0;
    }
    const size_t cap = spean_part_encoded_max(part);
    uint8_t *const buf = malloc(cap);
    assert(buf != NULL);
    struct spean_view again = {NULL, 0};
    const spean_err err = spean_part_encode(part, buf, cap, &again);
    assert(err == SPEAN_OK);
    assert(again.len == size);
    assert(memcmp(again.data, data, size) == 0);
    free(buf);
    spean_part_free(part);
    return 0;
}
