/*
 * Folded states, their trunks and items of their lists, of any bytes. What is accepted is written
 * again to the same bytes.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/fold.h"
#include "tests/fuzz/fuzz.h"

static void check_same(struct spean_view a, struct spean_view b)
{
    assert(a.len == b.len);
    assert(memcmp(a.data, b.data, a.len) == 0);
}

static void check_state(struct spean_view state)
{
    struct spean_part *part = NULL;
    if (spean_part_decode(state, &part) != SPEAN_OK) {
        return;
    }
    const size_t cap = spean_part_encoded_max(part);
    uint8_t *const buf = malloc(cap);
    assert(buf != NULL);
    struct spean_view again = {NULL, 0};
    const spean_err err = spean_part_encode(part, buf, cap, &again);
    assert(err == SPEAN_OK);
    check_same(again, state);
    free(buf);
    spean_part_free(part);
}

static void check_trunk(struct spean_view trunk)
{
    struct spean_part *part = NULL;
    if (spean_part_decode_trunk(trunk, &part) != SPEAN_OK) {
        return;
    }
    const size_t cap = spean_part_encoded_max(part);
    uint8_t *const buf = malloc(cap);
    assert(buf != NULL);
    struct spean_view again = {NULL, 0};
    size_t state_len = 0;
    const spean_err err = spean_part_encode_trunk(part, buf, cap, &again, &state_len);
    assert(err == SPEAN_OK);
    check_same(again, trunk);
    free(buf);
    spean_part_free(part);
}

static void check_item(struct spean_view bytes)
{
    static uint8_t buf[SPEAN_ITEM_BYTES_MAX];
    struct spean_write item;
    if (spean_item_decode(bytes, &item) != SPEAN_OK) {
        return;
    }
    struct spean_view again = {NULL, 0};
    const spean_err err = spean_item_encode(&item, buf, sizeof(buf), &again);
    assert(err == SPEAN_OK);
    check_same(again, bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct spean_view bytes = {data, size};
    check_state(bytes);
    check_trunk(bytes);
    check_item(bytes);
    return 0;
}
