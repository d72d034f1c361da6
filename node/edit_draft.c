#include "node/edit.h"

#include <stddef.h>

#include "protocol/limits.h"

/* A change is closed above this, so that it fits into one sealed body with what is around it. */
#define CHANGE_BYTES_MAX (SPEAN_BODY_BYTES_MAX - SPEAN_VALUE_BYTES_MAX / 2 - 4096u)
#define OPERATION_BYTES  32u /* Of an operation, around its value. */

spean_err spean_edit_draft(const struct spean_edit *edit, struct spean_draft *draft,
                           const struct spean_record_id *record, uint64_t type, uint32_t part,
                           bool is_begun)
{
    bool begun = is_begun;
    uint32_t operations = 0;
    size_t bytes = 0;
    for (uint32_t i = 0; i < spean_edit_count(edit); i++) {
        const struct spean_edit_operation *operation = spean_edit_at(edit, i);
        if ((uint32_t)operation->field->part != part) {
            continue;
        }
        const size_t more = operation->value.len + OPERATION_BYTES;
        if (begun && operations > 0 &&
            (operations == SPEAN_CHANGE_OPERATIONS_MAX || more > CHANGE_BYTES_MAX - bytes)) {
            begun = false;
        }
        spean_err err = SPEAN_OK;
        if (!begun) {
            err = spean_draft_change(draft, record, type, part);
            begun = true;
            operations = 0;
            bytes = 0;
        }
        if (err == SPEAN_OK) {
            err =
                spean_draft_op(draft, operation->field->number, operation->verb, operation->value);
        }
        if (err != SPEAN_OK) {
            return err;
        }
        operations++;
        bytes += more;
    }
    return SPEAN_OK;
}
