#include "store/serve.h"

#include <assert.h>

#include "store/body.h"
#include "store/entries.h"

/* A run being composed. */
struct composing {
    const struct spean_serve_request *request;
    struct spean_logs_row row; /* Its head is where serving stops. */
    struct spean_place last;   /* Of the entries taken so far. */
    uint32_t count;
    uint32_t size;
    uint32_t bodies_bad;
    uint32_t end_count; /* Up to the last place where a run may end; 0: none yet. */
    uint32_t end_size;
    struct spean_place end;
    bool end_signed; /* False: it is the cut. */
    struct spean_signature signature;
    struct spean_run_source sources[SPEAN_RUN_ENTRIES_MAX];
};

static bool is_cut(const struct composing *c, const struct spean_place *place)
{
    const struct spean_cut *cut = &c->request->log->cut;
    return cut->closed && cut->seq == place->seq && spean_id_equal(&cut->entry, &place->entry);
}

/* Stop at the cut, also before the log was cut back; of another branch serve nothing. */
static spean_err stop_at_cut(struct spean_tx *tx, struct composing *c)
{
    const struct spean_cut *cut = &c->request->log->cut;
    if (!cut->closed || cut->seq >= c->row.head.seq) {
        return SPEAN_OK;
    }
    struct spean_place stop = {.seq = cut->seq};
    const spean_err err = spean_entries_id(tx, &c->row, cut->seq, &stop.entry);
    if (err == SPEAN_OK) {
        c->row.head = is_cut(c, &stop) ? stop : (struct spean_place){0};
    }
    return err;
}

/* Start above the highest of the places that is on our chain. */
static spean_err find_start(struct spean_tx *tx, struct composing *c)
{
    const struct spean_serve_request *request = c->request;
    for (uint32_t i = 0; i < request->places_count; i++) {
        const struct spean_place *place = &request->places[i];
        if (place->seq > c->row.head.seq) {
            continue;
        }
        struct spean_id ours;
        const spean_err err = spean_entries_id(tx, &c->row, place->seq, &ours);
        if (err != SPEAN_OK) {
            return err;
        }
        if (spean_id_equal(&ours, &place->entry)) {
            c->last = *place;
            return SPEAN_OK;
        }
    }
    c->last = (struct spean_place){0};
    return SPEAN_OK;
}

static spean_err take(struct spean_tx *tx, struct composing *c, const struct spean_run_entry *entry)
{
    if (!spean_id_equal(&entry->header.previous, &c->last.entry)) {
        return SPEAN_ECORRUPT;
    }
    struct spean_run_source *source = &c->sources[c->count];
    *source = (struct spean_run_source){.header = entry->header_bytes};
    const struct spean_serve_request *request = c->request;
    bool hidden = false;
    spean_err err = spean_body_refused(tx, &c->row.log, entry, &hidden);
    if (err == SPEAN_OK && !hidden && request->travels != NULL &&
        request->travels(request->ctx, &entry->header)) {
        err = spean_body_get(tx, c->row.number, &entry->header, &source->body);
        if (err == SPEAN_ECORRUPT) {
            c->bodies_bad++;
        }
    }
    c->count++;
    c->size += (uint32_t)entry->header_bytes.len + entry->header.body_len;
    c->last = (struct spean_place){entry->header.seq, entry->id};
    return spean_tx_err(tx);
}

/* Note when the run may end behind the entry just taken. */
static spean_err mark_end(struct spean_tx *tx, struct composing *c)
{
    struct spean_signature signature;
    const spean_err err = spean_entries_signature(tx, &c->row, c->last.seq, &signature);
    if (err != SPEAN_OK && err != SPEAN_ENOTFOUND) {
        return err;
    }
    if (err == SPEAN_ENOTFOUND && !is_cut(c, &c->last)) {
        return SPEAN_OK;
    }
    c->end_count = c->count;
    c->end_size = c->size;
    c->end = c->last;
    c->end_signed = err == SPEAN_OK;
    if (c->end_signed) {
        c->signature = signature;
    }
    return SPEAN_OK;
}

/* Say whether an entry of that size goes into the run: beyond what was asked for only as long as
 * there is no place to end. */
static bool has_room(const struct composing *c, uint32_t size)
{
    const uint32_t bytes_max = c->request->bytes_max;
    if (c->count == SPEAN_RUN_ENTRIES_MAX || size > SPEAN_RUN_BYTES_MAX - c->size) {
        return false;
    }
    return c->end_count == 0 || (c->size <= bytes_max && size <= bytes_max - c->size);
}

static spean_err compose(struct spean_tx *tx, struct composing *c)
{
    struct spean_entries_scan scan;
    spean_err err = spean_entries_scan_init(&scan, tx, &c->row, c->last.seq + 1);
    if (err != SPEAN_OK) {
        return err;
    }
    struct spean_run_entry entry;
    err = spean_entries_scan_next(&scan, &entry);
    while (err == SPEAN_OK &&
           has_room(c, (uint32_t)entry.header_bytes.len + entry.header.body_len)) {
        err = take(tx, c, &entry);
        if (err == SPEAN_OK) {
            err = mark_end(tx, c);
        }
        if (err == SPEAN_OK) {
            err = spean_entries_scan_next(&scan, &entry);
        }
    }
    spean_entries_scan_fini(&scan);
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

spean_err spean_serve_run(struct spean_tx *tx, const struct spean_serve_request *request,
                          uint8_t *buf, size_t cap, struct spean_served *out)
{
    assert(request != NULL);
    assert(request->log != NULL);
    assert(request->places_count == 0 || request->places != NULL);
    assert(out != NULL);

    struct composing c;
    c.request = request;
    c.count = c.size = c.bodies_bad = c.end_count = c.end_size = 0;
    spean_err err = spean_logs_get(tx, &request->log->id, &c.row);
    if (err == SPEAN_OK && c.row.head.seq == 0) {
        err = SPEAN_ENOTFOUND;
    }
    if (err != SPEAN_OK) {
        return err;
    }
    err = stop_at_cut(tx, &c);
    if (err == SPEAN_OK) {
        err = find_start(tx, &c);
    }
    const uint64_t first_seq = c.last.seq + 1;
    if (err == SPEAN_OK) {
        err = compose(tx, &c);
    }
    if (err != SPEAN_OK) {
        return err == SPEAN_ENOTFOUND ? SPEAN_ECORRUPT : err;
    }

    *out = (struct spean_served){0};
    if (c.count == 0) {
        return SPEAN_OK;
    }
    if (c.end_count == 0) {
        return SPEAN_ECORRUPT; /* Signatures are kept closer than that (P5.6). */
    }
    err = spean_run_encode(c.sources, c.end_count, c.end_signed ? &c.signature : NULL, buf, cap,
                           &out->run);
    out->first_seq = first_seq;
    out->last = c.end;
    out->size = c.end_size;
    out->more = c.end.seq < c.row.head.seq;
    out->bodies_bad = c.bodies_bad;
    return err;
}

spean_err spean_serve_places(struct spean_tx *tx, const struct spean_id *log,
                             struct spean_place out[SPEAN_PLACES_MAX], uint32_t *count)
{
    assert(out != NULL);
    assert(count != NULL);

    struct spean_logs_row row;
    spean_err err = spean_logs_get(tx, log, &row);
    if (err == SPEAN_ENOTFOUND || (err == SPEAN_OK && row.head.seq == 0)) {
        *count = 0;
        return SPEAN_OK;
    }
    if (err != SPEAN_OK) {
        return err;
    }
    out[0] = row.head;
    uint32_t named = 1;
    for (uint64_t distance = 1; distance <= row.head.seq && named < SPEAN_PLACES_MAX;
         distance *= 2) {
        uint64_t seq;
        err = spean_entries_signed_below(tx, &row, row.head.seq - distance, &seq);
        if (err == SPEAN_OK && seq < out[named - 1].seq) {
            err = spean_entries_id(tx, &row, seq, &out[named].entry);
            out[named].seq = seq;
            named++;
        }
        if (err == SPEAN_ENOTFOUND) {
            break;
        }
        if (err != SPEAN_OK) {
            return err;
        }
    }
    *count = named;
    return SPEAN_OK;
}
