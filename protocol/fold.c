#include "protocol/fold.h"

#include <assert.h>

#include "protocol/part.h"
#include "protocol/schema.h"

/* A change while it is folded: what of its context counts. */
struct folding {
    struct spean_part *part;
    const struct spean_fold_input *input;
    struct spean_clock_row rows[SPEAN_CONTEXT_ROWS_MAX];
    uint32_t rows_count;
};

/* Collect the rows that count; say whether one does not. */
static bool collect_rows(struct folding *f, spean_row_counts *row_counts, void *ctx)
{
    bool missing = false;
    struct spean_view left = f->input->change->rows;
    struct spean_context_row row;
    while (spean_context_row_next(&left, &row)) {
        if (row.log == f->input->log) {
            continue; /* Own earlier entries are implied, own later ones cannot be known. */
        }
        if (!row_counts(ctx, &row)) {
            missing = true;
            continue;
        }
        f->rows[f->rows_count] = (struct spean_clock_row){row.log, row.seq};
        f->rows_count++;
    }
    return missing;
}

/* Raise clock by what a write of this change covers (P10.2). */
static spean_err raise_all(struct folding *f, struct spean_clock *clock)
{
    spean_err err = spean_part_raise(f->part, clock, f->input->log, f->input->seq - 1);
    for (uint32_t i = 0; i < f->rows_count && err == SPEAN_OK; i++) {
        err = spean_part_raise(f->part, clock, f->rows[i].log, f->rows[i].seq);
    }
    return err;
}

static struct spean_dot dot_of(const struct folding *f, uint32_t index)
{
    return (struct spean_dot){f->input->log, f->input->seq, index};
}

static struct spean_write write_of(const struct folding *f, const struct spean_operation *op,
                                   uint32_t index)
{
    return (struct spean_write){
        .dot = dot_of(f, index),
        .time = f->input->time,
        .entry = f->input->entry,
        .org = f->input->org,
        .actor = f->input->change->actor,
        .value = op->value,
    };
}

/* Fold a write to a value or strictest field (P10.3, P10.6). */
static spean_err fold_sibling(struct folding *f, struct spean_field *field,
                              const struct spean_operation *op, uint32_t index)
{
    const spean_err err = raise_all(f, &field->clock);
    if (err != SPEAN_OK) {
        return err;
    }
    spean_part_drop_covered(field);
    if (spean_clock_covers(&field->clock, f->input->log, f->input->seq)) {
        return SPEAN_OK;
    }
    const struct spean_write write = write_of(f, op, index);
    return spean_part_add_write(f->part, field, &write);
}

/* Fold a write to a one-way field: none is ever dropped (P10.7). */
static spean_err fold_one_way(struct folding *f, struct spean_field *field,
                              const struct spean_operation *op, uint32_t index)
{
    const spean_err err = raise_all(f, &field->clock);
    if (err != SPEAN_OK) {
        return err;
    }
    const struct spean_write write = write_of(f, op, index);
    return spean_part_add_write(f->part, field, &write);
}

/* Fold an add or remove: each element has its own clock (P10.4). */
static spean_err fold_set(struct folding *f, struct spean_field *field,
                          const struct spean_operation *op, uint32_t index)
{
    struct spean_part_element *element = NULL;
    spean_err err = spean_part_take_element(f->part, field, op->value, &element);
    if (err == SPEAN_OK) {
        err = raise_all(f, &element->clock);
    }
    if (err == SPEAN_OK && op->verb == SPEAN_VERB_REMOVE) {
        err = spean_part_raise(f->part, &element->clock, f->input->log, f->input->seq);
    }
    if (err != SPEAN_OK) {
        return err;
    }
    spean_part_drop_covered_dots(element);
    const struct spean_dot dot = dot_of(f, index);
    const bool added =
        op->verb == SPEAN_VERB_ADD && !spean_clock_covers(&element->clock, dot.log, dot.seq);
    return added ? spean_part_add_dot(element, &dot) : SPEAN_OK;
}

bool spean_fold_item(const struct spean_fold_input *input, const struct spean_operation *op,
                     uint32_t index, struct spean_dot *item)
{
    assert(input != NULL);
    assert(op != NULL);
    assert(item != NULL);

    if (op->kind != SPEAN_KIND_LIST) {
        return false;
    }
    *item = (struct spean_dot){input->log, input->seq, index};
    if (op->verb == SPEAN_VERB_STRIKE) {
        const spean_err err = spean_dot_decode(op->value, item);
        assert(err == SPEAN_OK); /* Decoding the change has read it. */
    }
    return true;
}

/* Fold an append or strike (P10.5). */
static spean_err fold_list(struct folding *f, struct spean_field *field,
                           const struct spean_operation *op, uint32_t index)
{
    if (op->verb == SPEAN_VERB_APPEND) {
        const struct spean_write item = write_of(f, op, index);
        return spean_part_add_item(f->part, field, &item);
    }
    struct spean_dot struck;
    const bool named = spean_fold_item(f->input, op, index, &struck);
    assert(named);
    return spean_part_add_strike(f->part, field, &struck);
}

static bool is_known(uint64_t kind)
{
    return kind >= SPEAN_KIND_VALUE && kind <= SPEAN_KIND_ONE_WAY;
}

static spean_err fold_operation(struct folding *f, const struct spean_operation *op, uint32_t index)
{
    if (!is_known(op->kind)) {
        const struct spean_dot dot = dot_of(f, index);
        return spean_part_add_unknown(f->part, &dot, op->encoded);
    }
    struct spean_field *field = NULL;
    const spean_err err = spean_part_take_field(f->part, op->field, op->kind, &field);
    if (err != SPEAN_OK) {
        return err;
    }
    switch (op->kind) {
    case SPEAN_KIND_SET:
        return fold_set(f, field, op, index);
    case SPEAN_KIND_LIST:
        return fold_list(f, field, op, index);
    case SPEAN_KIND_ONE_WAY:
        return fold_one_way(f, field, op, index);
    default:
        return fold_sibling(f, field, op, index);
    }
}

static bool is_of(const struct spean_part *part, const struct spean_change *change)
{
    return part->type == change->type && part->part == change->part &&
           spean_record_id_equal(&part->record, &change->record);
}

spean_err spean_part_apply(struct spean_part *part, const struct spean_fold_input *input,
                           spean_row_counts *row_counts, void *ctx, bool *rows_missing)
{
    assert(part != NULL);
    assert(input != NULL);
    assert(input->seq > 0);
    assert(row_counts != NULL);
    assert(rows_missing != NULL);

    const struct spean_change *const change = input->change;
    if (!is_of(part, change)) {
        return SPEAN_EINPUT;
    }
    struct folding f = {.part = part, .input = input};
    const bool missing = collect_rows(&f, row_counts, ctx);
    spean_err err = SPEAN_OK;
    if (change->creates) {
        err = spean_part_set_created(part, &input->org, change->fixed);
    }
    struct spean_view left = change->operations;
    struct spean_operation op;
    for (uint32_t i = 0; err == SPEAN_OK && spean_operation_next(&left, &op); i++) {
        err = fold_operation(&f, &op, i);
    }
    if (err == SPEAN_OK) {
        *rows_missing = missing;
    }
    return err;
}
