#include "store/beyond.h"

#include <assert.h>
#include <stdlib.h>

#include "store/body.h"
#include "store/entries.h"
#include "store/logs.h"

/* -- Naming ---------------------------------------------------------------------------------- */

/* The first signed entry set aside behind *at, which moves to it. */
static spean_err next_signed(struct spean_tx *tx, const struct spean_logs_row *row,
                             struct spean_log_aside_at *at, struct spean_log_aside *out)
{
    spean_err err = spean_log_aside_next(tx, row, at, out);
    while (err == SPEAN_ECORRUPT || (err == SPEAN_OK && !out->has_signature)) {
        if (spean_tx_err(tx) != SPEAN_OK) {
            return spean_tx_err(tx);
        }
        err = spean_log_aside_next(tx, row, at, out); /* The check tells what is damaged. */
    }
    return err;
}

spean_err spean_beyond_held(struct spean_tx *tx, const struct spean_id *log,
                            const struct spean_place *after, struct spean_beyond_held *out)
{
    assert(after != NULL);
    assert(out != NULL);

    struct spean_logs_row row;
    *out = (struct spean_beyond_held){0};
    spean_err err = spean_logs_get(tx, log, &row);
    if (err != SPEAN_OK) {
        return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
    }
    out->full = row.aside_bytes >= SPEAN_LOG_ASIDE_BYTES_MAX;
    struct spean_log_aside_at at = {after->seq, after->entry};
    struct spean_log_aside aside;
    err = next_signed(tx, &row, &at, &aside);
    while (err == SPEAN_OK && out->count < SPEAN_ASIDE_HELD_MAX) {
        out->places[out->count++] = (struct spean_place){aside.entry.header.seq, aside.entry.id};
        err = next_signed(tx, &row, &at, &aside);
    }
    out->more = err == SPEAN_OK;
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

/* -- Serving --------------------------------------------------------------------------------- */

struct branch {
    uint32_t count;
    size_t size;
    struct spean_run_source sources[SPEAN_RUN_ENTRIES_MAX]; /* From the end of the array. */
};

static bool is_held(const struct spean_beyond_request *request, const struct spean_place *place)
{
    uint32_t low = 0;
    uint32_t high = request->held_count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        const int order = spean_place_compare(&request->held[middle], place);
        if (order == 0) {
            return true;
        }
        low = order < 0 ? middle + 1 : low;
        high = order < 0 ? high : middle;
    }
    return false;
}

/* Whether a place lies beyond what is asked for now. */
static bool is_behind(const struct spean_beyond_request *request, const struct spean_place *place)
{
    return request->more && request->held_count > 0 &&
           spean_place_compare(&request->held[request->held_count - 1], place) < 0;
}

/* What an entry gives to a run: its body is left out where its part was erased (P8.7). */
static spean_err source_of(struct spean_tx *tx, const struct spean_id *log,
                           const struct spean_run_entry *entry, struct spean_run_source *out)
{
    bool hidden = false;
    const spean_err err = spean_body_refused(tx, log, entry, &hidden);
    *out = (struct spean_run_source){.header = entry->header_bytes};
    if (!hidden) {
        out->body = entry->body;
    }
    return err;
}

/* Collect the entries from last down to a signed one, or to one that is not set aside.
 * SPEAN_ELIMIT: they are more than a run takes. */
static spean_err collect(struct spean_tx *tx, const struct spean_logs_row *row,
                         const struct spean_log_aside *last, struct branch *b,
                         struct spean_id *previous)
{
    struct spean_log_aside aside = *last;
    spean_err err = SPEAN_OK;
    b->count = 0;
    b->size = 0;
    while (err == SPEAN_OK && (b->count == 0 || !aside.has_signature)) {
        b->size += aside.entry.header_bytes.len + aside.entry.header.body_len;
        if (b->count == SPEAN_RUN_ENTRIES_MAX || b->size > SPEAN_RUN_BYTES_MAX) {
            return SPEAN_ELIMIT;
        }
        b->count++;
        err = source_of(tx, &row->log, &aside.entry, &b->sources[SPEAN_RUN_ENTRIES_MAX - b->count]);
        if (err != SPEAN_OK) {
            return err;
        }
        *previous = aside.entry.header.previous;
        err = spean_log_aside_get(tx, row, aside.entry.header.seq - 1, previous, &aside);
    }
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

static spean_err serve(struct spean_tx *tx, const struct spean_logs_row *row,
                       const struct spean_beyond_request *request, struct branch *b, uint8_t *buf,
                       size_t cap, struct spean_beyond_branch *out)
{
    struct spean_log_aside_at at = {request->after.seq, request->after.entry};
    struct spean_log_aside aside;
    spean_err err = next_signed(tx, row, &at, &aside);
    while (err == SPEAN_OK) {
        const struct spean_place place = {aside.entry.header.seq, aside.entry.id};
        if (is_behind(request, &place)) {
            return SPEAN_ENOTFOUND;
        }
        struct spean_id previous = {{0}};
        err = is_held(request, &place) ? SPEAN_EEXISTS : collect(tx, row, &aside, b, &previous);
        if (err == SPEAN_OK) {
            err = spean_run_encode(b->sources + SPEAN_RUN_ENTRIES_MAX - b->count, b->count,
                                   &aside.signature, buf, cap, &out->run);
            out->previous = previous;
            out->last = place;
            return err;
        }
        const bool skips = err == SPEAN_EEXISTS || err == SPEAN_ELIMIT || err == SPEAN_ECORRUPT;
        if (!skips || spean_tx_err(tx) != SPEAN_OK) {
            return err;
        }
        err = next_signed(tx, row, &at, &aside);
    }
    return err;
}

spean_err spean_beyond_serve(struct spean_tx *tx, const struct spean_beyond_request *request,
                             uint8_t *buf, size_t cap, struct spean_beyond_branch *out)
{
    assert(request != NULL);
    assert(request->held != NULL || request->held_count == 0);
    assert(out != NULL);

    struct spean_logs_row row;
    spean_err err = spean_logs_get(tx, request->log, &row);
    if (err != SPEAN_OK) {
        return err;
    }
    struct branch *b = malloc(sizeof(*b));
    if (b == NULL) {
        return SPEAN_ENOMEM;
    }
    *out = (struct spean_beyond_branch){0};
    err = serve(tx, &row, request, b, buf, cap, out);
    free(b);
    return err;
}

/* -- Keeping --------------------------------------------------------------------------------- */

/* Whether an entry is off the chain that is held, and cannot come to be on it. */
static spean_err is_beyond(struct spean_tx *tx, const struct spean_logs_row *row,
                           const struct spean_log *log, const struct spean_run_entry *entry,
                           bool *beyond)
{
    const uint64_t seq = entry->header.seq;
    *beyond = seq > log->cut.seq;
    if (*beyond || seq > row->head.seq) {
        return SPEAN_OK;
    }
    struct spean_id ours;
    const spean_err err = spean_entries_id(tx, row, seq, &ours);
    *beyond = err == SPEAN_OK && !spean_id_equal(&ours, &entry->id);
    return err;
}

spean_err spean_beyond_keep(struct spean_tx *tx, const struct spean_run *run,
                            const struct spean_log *log)
{
    assert(run != NULL);
    assert(log != NULL);
    assert(log->status != SPEAN_LOG_OPEN);

    struct spean_logs_row row;
    spean_err err = spean_logs_open(tx, log, &row);
    if (err == SPEAN_OK && row.aside_bytes >= SPEAN_LOG_ASIDE_BYTES_MAX) {
        err = SPEAN_ELIMIT;
    }
    const uint32_t count = spean_run_count(run);
    for (uint32_t i = 0; i < count && err == SPEAN_OK; i++) {
        struct spean_log_aside aside = {.entry = *spean_run_entry(run, i)};
        bool beyond = false;
        err = is_beyond(tx, &row, log, &aside.entry, &beyond);
        if (err == SPEAN_OK && i + 1 == count && spean_run_signature(run) != NULL) {
            aside.has_signature = true;
            aside.signature = *spean_run_signature(run);
        }
        if (err == SPEAN_OK && beyond) {
            err = spean_log_aside_put(tx, &row, &aside);
        }
    }
    return err == SPEAN_OK ? spean_logs_put(tx, &row) : err;
}
