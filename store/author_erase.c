/* Erasures of a draft: they name the proofs of every key of a part that is held (P8.7). */
#include <assert.h>

#include "protocol/body.h"
#include "protocol/erasure.h"
#include "store/author_internal.h"

/* Collect the proofs of all keys of a part. SPEAN_ENOTFOUND: none is held. */
static spean_err collect_proofs(struct spean_author_work *work, const struct spean_part_name *part,
                                struct spean_id *proofs, uint32_t *count)
{
    struct spean_partkey *held = &work->secrets->held;
    const struct spean_keys *keys = work->author->keys;
    *count = 0;
    spean_err err = spean_partkeys_next(work->tx, keys, part, 0, 0, held);
    while (err == SPEAN_OK && *count < SPEAN_PART_GENERATIONS_MAX) {
        proofs[(*count)++] = held->proof;
        err = spean_partkeys_next(work->tx, keys, part, held->generation, held->number + 1, held);
    }
    if (err == SPEAN_OK) {
        return SPEAN_ELIMIT;
    }
    return err == SPEAN_ENOTFOUND && *count > 0 ? SPEAN_OK : err;
}

spean_err spean_author_put_erasure(struct spean_author_work *work,
                                   const struct spean_draft_item *item, bool ends)
{
    assert(item->kind == SPEAN_DRAFT_ERASE);

    const struct spean_part_name part = {item->record, item->part};
    struct spean_id proofs[SPEAN_PART_GENERATIONS_MAX];
    uint32_t count = 0;
    bool erased = false;
    spean_err err = spean_author_erased(work, &part, &erased);
    if (err == SPEAN_OK && erased) {
        err = SPEAN_ESTATE;
    }
    if (err == SPEAN_OK) {
        err = collect_proofs(work, &part, proofs, &count);
    }
    struct spean_view content;
    if (err == SPEAN_OK) {
        err =
            spean_erasure_encode_part(&item->record, item->part, proofs, count, NULL, work->content,
                                      SPEAN_BODY_PUBLIC_CONTENT_BYTES_MAX, &content);
    }
    return err == SPEAN_OK ? spean_author_public(work, SPEAN_ENTRY_ERASURE, NULL, content, ends)
                           : err;
}
