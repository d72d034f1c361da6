/* Parts and records at hand: each is read once in a batch and written once at its end. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "store/fold_batch.h"
#include "store/news.h"

#define ROOM_MIN 4u /* More than one entry takes. */

bool fold_cache_room(const struct fold_batch *b)
{
    return b->fold->parts_count + ROOM_MIN <= SPEAN_FOLD_PARTS_MAX &&
           b->fold->records_count + ROOM_MIN <= SPEAN_FOLD_PARTS_MAX;
}

/* Where to begin to look: record ids are hashes. */
static size_t slot_of(const struct spean_record_id *id, uint32_t part)
{
    return (size_t)((spean_u64_get(id->bytes) + part) & (SPEAN_FOLD_SLOTS - 1));
}

/* Find the slot of a part, or a free one. */
static size_t part_slot(const struct spean_fold *fold, const struct spean_part_name *name)
{
    size_t slot = slot_of(&name->record, name->part);
    while (fold->part_slots[slot] != 0 &&
           !spean_part_name_equal(&fold->parts[fold->part_slots[slot] - 1].name, name)) {
        slot = (slot + 1) & (SPEAN_FOLD_SLOTS - 1);
    }
    return slot;
}

static size_t record_slot(const struct spean_fold *fold, const struct spean_record_id *id)
{
    size_t slot = slot_of(id, 0);
    while (fold->record_slots[slot] != 0 &&
           !spean_record_id_equal(&fold->records[fold->record_slots[slot] - 1].id, id)) {
        slot = (slot + 1) & (SPEAN_FOLD_SLOTS - 1);
    }
    return slot;
}

/* Read what there is of a part. */
static spean_err part_read(struct fold_batch *b, struct fold_part *part)
{
    spean_err err = fold_part_erased(b, &part->name, &part->erased);
    if (err != SPEAN_OK || part->erased || b->look != NULL) {
        return err; /* A check begins with nothing. */
    }
    err = spean_record_trunk(b->tx, b->fold->keys, &part->name, &part->state);
    if (err == SPEAN_ELIMIT) {
        part->too_large = true;
    }
    return err == SPEAN_ELIMIT || err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

spean_err fold_part_take(struct fold_batch *b, const struct spean_part_name *name,
                         struct fold_part **out)
{
    struct spean_fold *const fold = b->fold;
    const size_t slot = part_slot(fold, name);
    if (fold->part_slots[slot] != 0) {
        *out = &fold->parts[fold->part_slots[slot] - 1];
        return SPEAN_OK;
    }
    assert(fold->parts_count < SPEAN_FOLD_PARTS_MAX); /* fold_cache_room() was asked. */
    struct fold_part *const part = &fold->parts[fold->parts_count];
    *part = (struct fold_part){.name = *name};
    const spean_err err = part_read(b, part);
    if (err == SPEAN_OK) {
        fold->parts_count++;
        fold->part_slots[slot] = (uint16_t)fold->parts_count;
        *out = part;
    }
    return err;
}

void fold_part_clear(struct fold_part *part)
{
    spean_part_free(part->state);
    part->state = NULL;
    part->too_large = false;
    part->changed = true;
    part->anew = true;
}

spean_err fold_record_take(struct fold_batch *b, const struct spean_record_id *id,
                           struct fold_record **out)
{
    struct spean_fold *const fold = b->fold;
    const size_t slot = record_slot(fold, id);
    if (fold->record_slots[slot] != 0) {
        *out = &fold->records[fold->record_slots[slot] - 1];
        return SPEAN_OK;
    }
    assert(fold->records_count < SPEAN_FOLD_PARTS_MAX); /* As above. */
    struct fold_record *const record = &fold->records[fold->records_count];
    *record = (struct fold_record){.id = *id};
    const spean_err err = spean_record_get(b->tx, fold->keys, id, &record->record);
    if (err != SPEAN_OK && err != SPEAN_ENOTFOUND) {
        return err;
    }
    fold->records_count++;
    fold->record_slots[slot] = (uint16_t)fold->records_count;
    *out = record;
    return SPEAN_OK;
}

spean_err fold_record_set(struct fold_batch *b, struct fold_record *record,
                          const struct spean_record_info *info)
{
    if (record->record != NULL) {
        struct spean_record_info before;
        spean_record_get_info(record->record, &before);
        if (b->look == NULL) {
            (void)spean_record_del(b->tx, &before);
        }
        spean_record_free(record->record);
        record->record = NULL;
    }
    if (info == NULL) {
        return spean_tx_err(b->tx);
    }
    if (b->look != NULL) {
        return spean_record_of(info, &record->record); /* Compared when the part is folded. */
    }
    spean_err err = spean_record_put(b->tx, b->fold->keys, info);
    if (err == SPEAN_OK) {
        err = spean_record_get(b->tx, b->fold->keys, &record->id, &record->record);
        if (err != SPEAN_OK) {
            return spean_tx_fail(b->tx, err);
        }
    }
    return err;
}

static spean_err part_write(struct fold_batch *b, const struct fold_part *part)
{
    spean_err err = SPEAN_OK;
    if (part->state == NULL && !part->too_large) {
        err = spean_record_del_state(b->tx, &part->name);
    } else {
        const struct spean_part *const state = part->too_large ? NULL : part->state;
        err = spean_record_put_state(b->tx, b->fold->keys, &part->name, state, part->anew);
    }
    if (err == SPEAN_OK) {
        err = spean_record_index(b->tx, b->fold->keys, &part->name, part->state);
    }
    return err == SPEAN_OK ? spean_news_put(b->tx, &part->name.record, b->now_s) : err;
}

spean_err fold_cache_write(struct fold_batch *b)
{
    spean_err err = SPEAN_OK;
    for (uint32_t i = 0; i < b->fold->parts_count && err == SPEAN_OK; i++) {
        struct fold_part *const part = &b->fold->parts[i];
        if (part->changed) {
            err = part_write(b, part);
            part->changed = false;
            part->anew = false;
        }
    }
    return err;
}

void fold_cache_clear(struct spean_fold *fold)
{
    for (uint32_t i = 0; i < fold->parts_count; i++) {
        spean_part_free(fold->parts[i].state);
        free(fold->parts[i].named);
    }
    for (uint32_t i = 0; i < fold->records_count; i++) {
        spean_record_free(fold->records[i].record);
    }
    fold->parts_count = 0;
    fold->records_count = 0;
    (void)memset(fold->part_slots, 0, SPEAN_FOLD_SLOTS * sizeof(fold->part_slots[0]));
    (void)memset(fold->record_slots, 0, SPEAN_FOLD_SLOTS * sizeof(fold->record_slots[0]));
}
