/*
 * Changes of any bytes. One that is accepted is written again to the same bytes, and folding it,
 * once or twice, gives a state that reads back to itself.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/change.h"
#include "protocol/fold.h"
#include "tests/fuzz/fuzz.h"

static bool counts_if_odd(void *ctx, const struct spean_context_row *row)
{
    (void)ctx;
    return row->entry % 2 == 1;
}

static void check_written_again(const struct spean_change *change, struct spean_view content)
{
    struct spean_operation ops[SPEAN_CHANGE_OPERATIONS_MAX];
    struct spean_context_row rows[SPEAN_CONTEXT_ROWS_MAX];
    uint32_t ops_count = 0;
    uint32_t rows_count = 0;
    struct spean_view left = change->operations;
    while (spean_operation_next(&left, &ops[ops_count])) {
        ops_count++;
    }
    left = change->rows;
    while (spean_context_row_next(&left, &rows[rows_count])) {
        rows_count++;
    }
    assert(ops_count == change->operations_count);
    assert(rows_count == change->rows_count);

    static uint8_t buf[SPEAN_CHANGE_BYTES_MAX];
    struct spean_view again = {NULL, 0};
    const spean_err err =
        spean_change_encode(change, ops, ops_count, rows, rows_count, buf, sizeof(buf), &again);
    assert(err == SPEAN_OK);
    assert(again.len == content.len);
    assert(memcmp(again.data, content.data, content.len) == 0);
}

static struct spean_view state_of(const struct spean_part *part)
{
    const size_t cap = spean_part_encoded_max(part);
    uint8_t *const buf = malloc(cap);
    assert(buf != NULL);
    struct spean_view state = {NULL, 0};
    const spean_err err = spean_part_encode(part, buf, cap, &state);
    assert(err == SPEAN_OK);
    return state;
}

static void check_same_and_free(struct spean_view a, struct spean_view b)
{
    assert(a.len == b.len);
    assert(memcmp(a.data, b.data, a.len) == 0);
    free((void *)(uintptr_t)b.data);
}

static void check_folds(const struct spean_change *change)
{
    const struct spean_fold_input input = {.change = change, .log = 1, .seq = 2};
    bool missing = false;
    struct spean_part *part = NULL;
    spean_err err = spean_part_new(&part, change->type, &change->record, change->part);
    assert(err == SPEAN_OK);
    err = spean_part_apply(part, &input, counts_if_odd, NULL, &missing);
    assert(err == SPEAN_OK);
    const struct spean_view once = state_of(part);
    err = spean_part_apply(part, &input, counts_if_odd, NULL, &missing);
    assert(err == SPEAN_OK);
    check_same_and_free(once, state_of(part));

    struct spean_part *back = NULL;
    err = spean_part_decode(once, &back);
    assert(err == SPEAN_OK);
    check_same_and_free(once, state_of(back));
    free((void *)(uintptr_t)once.data);
    spean_part_free(part);
    spean_part_free(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct spean_view content = {data, size};
    struct spean_change change;
    if (spean_change_decode(content, &change) == SPEAN_OK) {
        check_written_again(&change, content);
        check_folds(&change);
    }
    return 0;
}
