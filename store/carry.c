#include "store/carry.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "store/body.h"
#include "store/logs.h"

/* Go to the first tag behind; false behind the last there can be. */
static bool tag_step(struct spean_carry_at *at)
{
    at->number = 0;
    at->seq = 0;
    for (size_t i = sizeof(at->tag.bytes); i-- > 0;) {
        at->tag.bytes[i]++;
        if (at->tag.bytes[i] != 0) {
            return true;
        }
    }
    return false;
}

/* Move *at to the first row that says of a body that it is lacking, at *at or behind. */
static spean_err lacking_seek(struct spean_tx *tx, struct spean_carry_at *at)
{
    for (;;) {
        struct spean_tag tag;
        bool refused = false;
        spean_err err = spean_body_next_tag(tx, &at->tag, &tag);
        if (err != SPEAN_OK) {
            return err;
        }
        if (!spean_tag_equal(&tag, &at->tag)) {
            *at = (struct spean_carry_at){.tag = tag};
        }
        const struct spean_tagged from = {at->number, at->seq};
        struct spean_tagged found = {0};
        err = spean_partkeys_refused(tx, &tag, &refused);
        if (err == SPEAN_OK) {
            err = refused ? SPEAN_ENOTFOUND
                          : spean_body_next(tx, &tag, SPEAN_BODY_LACKING, &from, &found);
        }
        if (err == SPEAN_OK) {
            at->number = found.number;
            at->seq = found.seq;
            return SPEAN_OK;
        }
        if (err != SPEAN_ENOTFOUND || !tag_step(at)) {
            return err;
        }
    }
}

spean_err spean_carry_lacking(struct spean_tx *tx, const struct spean_id *org,
                              struct spean_carry_at *at, struct spean_lacking *out)
{
    assert(at != NULL);
    assert(out != NULL);

    spean_err err;
    while ((err = lacking_seek(tx, at)) == SPEAN_OK) {
        struct spean_logs_row row;
        err = spean_logs_at(tx, at->number, &row);
        if (err != SPEAN_OK) {
            return err == SPEAN_ENOTFOUND ? SPEAN_ECORRUPT : err;
        }
        if (org != NULL && !spean_id_equal(org, &row.org)) {
            at->number++; /* To the next log with this tag; numbers are far below the maximum. */
            at->seq = 0;
            continue;
        }
        bool more;
        *out = (struct spean_lacking){.tag = at->tag, .number = at->number, .log = row.log};
        err = spean_body_lacking(tx, &at->tag, at->number, at->seq, out->seqs, SPEAN_FETCH_SEQS_MAX,
                                 &out->seqs_count, &more);
        if (err == SPEAN_OK) {
            at->seq = out->seqs[out->seqs_count - 1] + 1;
        }
        return err;
    }
    return err;
}

spean_err spean_carry_count(struct spean_tx *tx, uint64_t *count)
{
    assert(count != NULL);

    struct spean_carry_at at = {0};
    uint64_t found = 0;
    spean_err err;
    while ((err = lacking_seek(tx, &at)) == SPEAN_OK) {
        found++;
        at.seq++;
    }
    if (err != SPEAN_ENOTFOUND) {
        return err;
    }
    *count = found;
    return SPEAN_OK;
}
