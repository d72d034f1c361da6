#include "store/log.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/evidence.h"
#include "store/body.h"
#include "store/entries.h"
#include "store/evidence.h"
#include "store/partkeys.h"

/* -- Append ---------------------------------------------------------------------------------- */

/* A run of a closed log ends at its cut or below (P5.9). */
static spean_err within_cut(const struct spean_run *run, const struct spean_log *log)
{
    const struct spean_place last = spean_run_last(run);
    if (!log->cut.closed || last.seq < log->cut.seq) {
        return SPEAN_OK;
    }
    if (last.seq > log->cut.seq) {
        return SPEAN_ESTATE;
    }
    return spean_id_equal(&last.entry, &log->cut.entry) ? SPEAN_OK : SPEAN_EFORK;
}

/*
 * Find how many of the run's first entries are held. Ids are chained: if one entry of a seq is the
 * same, so is every one below.
 */
static spean_err find_overlap(struct spean_tx *tx, const struct spean_run *run,
                              const struct spean_logs_row *row, uint32_t *held)
{
    const struct spean_header *first = &spean_run_entry(run, 0)->header;
    const uint64_t last_seq = spean_run_last(run).seq;
    const uint64_t head_seq = row->head.seq;

    if (first->seq - 1 > head_seq) {
        return SPEAN_EGAP;
    }
    if (first->seq - 1 == head_seq) {
        *held = 0;
        return spean_id_equal(&first->previous, &row->head.entry) ? SPEAN_OK : SPEAN_EFORK;
    }
    const uint64_t seq = last_seq < head_seq ? last_seq : head_seq;
    struct spean_id ours = row->head.entry;
    if (seq != head_seq) {
        const spean_err err = spean_entries_id(tx, row, seq, &ours);
        if (err != SPEAN_OK) {
            return err == SPEAN_ENOTFOUND ? SPEAN_ECORRUPT : err;
        }
    }
    const uint32_t index = (uint32_t)(seq - first->seq); /* Below the count of the run. */
    if (!spean_id_equal(&spean_run_entry(run, index)->id, &ours)) {
        return SPEAN_EFORK;
    }
    *held = index + 1;
    return last_seq <= head_seq ? SPEAN_EEXISTS : SPEAN_OK;
}

/* Entries of the log with the highest number sort behind all others. */
static spean_err find_place(struct spean_tx *tx, uint32_t number, enum spean_tx_place *out)
{
    struct spean_logs_row behind;
    const spean_err err = spean_logs_next(tx, number + 1, &behind);
    *out = err == SPEAN_ENOTFOUND ? SPEAN_TX_AT_END : SPEAN_TX_ANYWHERE;
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

/* Whether the body of an entry goes in with it. */
static spean_err is_kept(struct spean_tx *tx, const struct spean_id *log,
                         const struct spean_run_entry *entry,
                         const struct spean_log_arrival *arrival, bool *kept)
{
    bool refused = false;
    spean_err err = SPEAN_OK;
    if (entry->body.len > 0) {
        err = spean_body_refused(tx, log, entry, &refused);
    }
    *kept = !refused && (arrival->keep == NULL || arrival->keep(arrival->ctx, &entry->header));
    return err;
}

static spean_err put_entry(struct spean_tx *tx, const struct spean_logs_row *row,
                           const struct spean_run_entry *entry, enum spean_tx_place place,
                           const struct spean_log_arrival *arrival)
{
    bool kept = false;
    const uint32_t number = row->number;
    spean_err err = spean_entries_put(tx, number, entry, place);
    if (err == SPEAN_OK) {
        err = is_kept(tx, &row->log, entry, arrival, &kept);
    }
    if (err != SPEAN_OK) {
        return err;
    }
    if (entry->body.len == 0 || kept) {
        return spean_body_put_new(tx, number, entry, place);
    }
    struct spean_run_entry bare = *entry;
    bare.body = (struct spean_view){0};
    return spean_body_put_new(tx, number, &bare, place);
}

/* What ends a run: its signature if it has one, its arrival if it came from elsewhere. */
static spean_err put_end(struct spean_tx *tx, const struct spean_run *run, uint32_t number,
                         const struct spean_log_arrival *arrival, uint64_t first_seq)
{
    const uint64_t last_seq = spean_run_last(run).seq;
    const struct spean_signature *signature = spean_run_signature(run);
    if (signature != NULL) {
        const struct spean_db_key key = spean_entries_key(number, last_seq);
        (void)spean_tx_put(tx, SPEAN_TABLE_SIGNATURES, spean_db_key_view(&key),
                           (struct spean_view){signature->bytes, sizeof(signature->bytes)});
    }
    if (arrival->from == NULL) {
        return spean_tx_err(tx);
    }
    const struct spean_arrival row = {
        .first_seq = first_seq,
        .last_seq = last_seq,
        .from = *arrival->from,
        .time = arrival->now_s,
    };
    return spean_logs_put_arrival(tx, number, &row);
}

static spean_err put_run(struct spean_tx *tx, const struct spean_run *run,
                         struct spean_logs_row *row, uint32_t held,
                         const struct spean_log_arrival *arrival)
{
    enum spean_tx_place place;
    spean_err err = find_place(tx, row->number, &place);
    for (uint32_t i = held; i < spean_run_count(run) && err == SPEAN_OK; i++) {
        const struct spean_run_entry *entry = spean_run_entry(run, i);
        err = put_entry(tx, row, entry, place, arrival);
        row->bytes += entry->header_bytes.len + entry->header.body_len;
    }
    if (err == SPEAN_OK) {
        err = put_end(tx, run, row->number, arrival, row->head.seq + 1);
    }
    if (err == SPEAN_OK) {
        row->head = spean_run_last(run);
        err = spean_logs_put(tx, row);
    }
    /* A row behind the end of the table, where nothing may be. */
    return err == SPEAN_EEXISTS ? SPEAN_ECORRUPT : err;
}

spean_err spean_log_append(struct spean_tx *tx, const struct spean_run *run,
                           const struct spean_log *log, const struct spean_log_arrival *arrival)
{
    assert(run != NULL);
    assert(log != NULL);
    assert(arrival != NULL);
    assert(spean_run_count(run) > 0);
    assert(spean_id_equal(spean_run_log(run), &log->id));

    spean_err err = within_cut(run, log);
    if (err != SPEAN_OK) {
        return err;
    }
    struct spean_logs_row row = {0};
    err = spean_logs_get(tx, &log->id, &row);
    const bool is_new = err == SPEAN_ENOTFOUND;
    if (err != SPEAN_OK && !is_new) {
        return err;
    }
    if (row.standing == SPEAN_LOG_DISPUTED && !log->cut.closed) {
        return SPEAN_ESTATE;
    }
    uint32_t held = 0;
    err = find_overlap(tx, run, &row, &held);
    if (err == SPEAN_OK && is_new) {
        err = spean_logs_open(tx, log, &row);
    }
    if (err != SPEAN_OK) {
        return err;
    }
    err = put_run(tx, run, &row, held, arrival);
    return err == SPEAN_OK ? SPEAN_OK : spean_tx_fail(tx, err);
}

/* Encoding leaves out what is derived: see that it came back as it was. */
static spean_err compare_sources(const struct spean_run *run,
                                 const struct spean_run_source *sources, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct spean_view header = spean_run_entry(run, i)->header_bytes;
        if (header.len != sources[i].header.len ||
            memcmp(header.data, sources[i].header.data, header.len) != 0) {
            return SPEAN_ECHAIN;
        }
    }
    return SPEAN_OK;
}

spean_err spean_log_commit(struct spean_tx *tx, const struct spean_log *log,
                           const struct spean_run_source *sources, uint32_t count,
                           const struct spean_signature *signature, struct spean_run *scratch,
                           uint8_t *buf, struct spean_view *out)
{
    assert(log != NULL);
    assert(sources != NULL);
    assert(count > 0);
    assert(signature != NULL);
    assert(out != NULL);

    struct spean_logs_row row = {0};
    spean_err err = spean_logs_get(tx, &log->id, &row);
    if (err != SPEAN_OK && err != SPEAN_ENOTFOUND) {
        return err;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (sources[i].body.len == 0) {
            return SPEAN_EINPUT;
        }
    }
    struct spean_view run;
    err = spean_run_encode(sources, count, signature, buf, SPEAN_LOG_RUN_BYTES_MAX, &run);
    if (err == SPEAN_OK) {
        err = spean_run_decode(scratch, run, &log->id, &row.head);
    }
    if (err == SPEAN_OK) {
        err = compare_sources(scratch, sources, count);
    }
    if (err == SPEAN_OK) {
        err = spean_run_verify(scratch, &log->signing, NULL);
    }
    if (err == SPEAN_OK) {
        const struct spean_log_arrival written_here = {0};
        err = spean_log_append(tx, scratch, log, &written_here);
    }
    if (err == SPEAN_OK) {
        *out = run;
    }
    return err;
}

/* -- Cut ------------------------------------------------------------------------------------- */

#define ASIDE_ID_BYTES   16u                               /* Of the entry's id, in the key. */
#define ASIDE_FIXED      (1u + SPEAN_SIGNATURE_BYTES + 2u) /* Flag, signature, header's length. */
#define ASIDE_BYTES_MAX  (ASIDE_FIXED + SPEAN_HEADER_BYTES_MAX + SPEAN_BODY_BYTES_MAX)
#define ASIDE_SEQ_POS    4u
#define ASIDE_ID_POS     12u
#define ASIDE_KEY_BYTES  28u
#define ASIDE_HEADER_POS (1u + SPEAN_SIGNATURE_BYTES)

static struct spean_db_key aside_key(uint32_t number, uint64_t seq, const struct spean_id *entry)
{
    struct spean_db_key key = spean_entries_key(number, seq);
    spean_db_key_put_bytes(&key, entry->bytes, ASIDE_ID_BYTES);
    return key;
}

/* Lay out an entry that is set aside in buf, which has ASIDE_BYTES_MAX. */
static struct spean_view aside_encode(const struct spean_log_aside *aside, uint8_t *buf)
{
    const struct spean_view header = aside->entry.header_bytes;
    const struct spean_view body = aside->entry.body;
    assert(header.len <= SPEAN_HEADER_BYTES_MAX);
    assert(body.len <= SPEAN_BODY_BYTES_MAX);

    buf[0] = aside->has_signature ? 1 : 0;
    (void)memcpy(buf + 1, aside->signature.bytes, SPEAN_SIGNATURE_BYTES);
    buf[ASIDE_HEADER_POS] = (uint8_t)(header.len >> 8);
    buf[ASIDE_HEADER_POS + 1] = (uint8_t)header.len;
    (void)memcpy(buf + ASIDE_FIXED, header.data, header.len);
    if (body.len > 0) {
        (void)memcpy(buf + ASIDE_FIXED + header.len, body.data, body.len);
    }
    return (struct spean_view){buf, ASIDE_FIXED + header.len + body.len};
}

/* Write an entry to what is set aside; one that is there stays. buf as above. */
static spean_err aside_write(struct spean_tx *tx, struct spean_logs_row *row,
                             struct spean_log_aside *aside, uint8_t *buf)
{
    if (row->aside_bytes >= SPEAN_LOG_ASIDE_BYTES_MAX) {
        aside->entry.body = (struct spean_view){0};
    }
    const struct spean_view value = aside_encode(aside, buf);
    const struct spean_db_key key =
        aside_key(row->number, aside->entry.header.seq, &aside->entry.id);
    const spean_err err = spean_tx_put_new(tx, SPEAN_TABLE_ASIDE, spean_db_key_view(&key), value);
    row->aside_bytes += err == SPEAN_OK ? value.len : 0; /* Else it was set aside before. */
    return err;
}

/* Move one entry from the log to what is set aside. buf as above. */
static spean_err set_aside(struct spean_tx *tx, struct spean_logs_row *row, uint64_t seq,
                           uint8_t *buf)
{
    struct spean_log_aside aside = {0};
    spean_err err = spean_entries_get(tx, row, seq, &aside.entry);
    if (err != SPEAN_OK) {
        return err == SPEAN_ENOTFOUND ? SPEAN_ECORRUPT : err;
    }
    /* What is damaged or missing of the rest is not kept. */
    aside.has_signature = spean_entries_signature(tx, row, seq, &aside.signature) == SPEAN_OK;
    err = spean_body_get(tx, row->number, &aside.entry.header, &aside.entry.body);
    if (err != SPEAN_OK && spean_tx_err(tx) != SPEAN_OK) {
        return err;
    }

    const uint64_t size = aside.entry.header_bytes.len + aside.entry.header.body_len;
    if (size > row->bytes) {
        return SPEAN_ECORRUPT;
    }
    const struct spean_db_key key = spean_entries_key(row->number, seq);
    (void)aside_write(tx, row, &aside, buf);
    (void)spean_tx_del(tx, SPEAN_TABLE_ENTRIES, spean_db_key_view(&key));
    (void)spean_tx_del(tx, SPEAN_TABLE_SIGNATURES, spean_db_key_view(&key)); /* Often none. */
    row->bytes -= size;
    return spean_body_forget(tx, row->number, &aside.entry.header);
}

/* How far down one call goes: to place, or to a signature about as far as one call may. */
static spean_err find_floor(struct spean_tx *tx, const struct spean_logs_row *row,
                            const struct spean_place *place, uint64_t *floor)
{
    *floor = place->seq;
    if (row->head.seq - place->seq <= SPEAN_LOG_CUT_ENTRIES) {
        return SPEAN_OK;
    }
    uint64_t seq;
    const uint64_t near = row->head.seq - SPEAN_LOG_CUT_ENTRIES + SPEAN_RUN_ENTRIES_MAX;
    const spean_err err = spean_entries_signed_below(tx, row, near, &seq);
    if (err == SPEAN_OK && seq > place->seq) {
        *floor = seq;
    }
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

static spean_err cut_down(struct spean_tx *tx, struct spean_logs_row *row, uint64_t floor)
{
    uint8_t *buf = malloc(ASIDE_BYTES_MAX);
    if (buf == NULL) {
        return SPEAN_ENOMEM;
    }
    spean_err err = SPEAN_OK;
    for (uint64_t seq = row->head.seq; seq > floor && err == SPEAN_OK; seq--) {
        err = set_aside(tx, row, seq, buf);
    }
    free(buf);
    if (err == SPEAN_OK) {
        err = spean_logs_cut_arrivals(tx, row->number, floor);
    }
    struct spean_place head = {.seq = floor};
    if (err == SPEAN_OK) {
        err = spean_entries_id(tx, row, floor, &head.entry);
    }
    if (err != SPEAN_OK) {
        return err == SPEAN_ENOTFOUND ? SPEAN_ECORRUPT : err;
    }
    row->head = head;
    return spean_logs_put(tx, row);
}

static spean_err cut_back(struct spean_tx *tx, struct spean_logs_row *row,
                          const struct spean_place *place, bool *more)
{
    if (place->seq > row->head.seq) {
        return SPEAN_EGAP;
    }
    struct spean_id ours;
    spean_err err = spean_entries_id(tx, row, place->seq, &ours);
    if (err != SPEAN_OK) {
        return err == SPEAN_ENOTFOUND ? SPEAN_ECORRUPT : err;
    }
    if (!spean_id_equal(&ours, &place->entry)) {
        return SPEAN_EFORK;
    }
    if (place->seq == row->head.seq) {
        *more = false;
        return SPEAN_OK;
    }
    uint64_t floor;
    err = find_floor(tx, row, place, &floor);
    if (err == SPEAN_OK) {
        err = cut_down(tx, row, floor);
    }
    if (err == SPEAN_OK) {
        *more = floor > place->seq;
    }
    return err;
}

spean_err spean_log_cut_back(struct spean_tx *tx, const struct spean_id *log,
                             const struct spean_place *place, bool *more)
{
    assert(place != NULL);
    assert(more != NULL);

    struct spean_logs_row row;
    spean_err err = spean_logs_get(tx, log, &row);
    if (err == SPEAN_OK) {
        err = cut_back(tx, &row, place, more);
    }
    return err == SPEAN_OK ? SPEAN_OK : spean_tx_fail(tx, err);
}

/* Where the branches of a log part, as far as is known: by evidence, or else at the start. */
static spean_err find_parting(struct spean_tx *tx, const struct spean_logs_row *row, uint64_t below,
                              struct spean_place *out)
{
    *out = (struct spean_place){0};
    struct spean_view bytes;
    struct spean_evidence evidence;
    spean_err err = spean_evidence_get(tx, &row->log, &bytes, &evidence);
    if (err != SPEAN_OK || evidence.after.seq >= below || evidence.after.seq > row->head.seq) {
        return spean_tx_err(tx);
    }
    struct spean_id ours;
    err = spean_entries_id(tx, row, evidence.after.seq, &ours);
    if (err == SPEAN_OK && spean_id_equal(&ours, &evidence.after.entry)) {
        *out = evidence.after;
    }
    return err;
}

/* The place at which what is held of a closed log agrees with its cut. */
static spean_err find_settled(struct spean_tx *tx, const struct spean_log *log,
                              struct spean_logs_row *row, struct spean_place *out)
{
    const struct spean_place cut = {log->cut.seq, log->cut.entry};
    if (cut.seq <= row->head.seq) {
        struct spean_id ours;
        const spean_err err = spean_entries_id(tx, row, cut.seq, &ours);
        if (err != SPEAN_OK) {
            return err;
        }
        if (spean_id_equal(&ours, &cut.entry)) {
            *out = cut;
            return SPEAN_OK;
        }
        row->standing = SPEAN_LOG_DISPUTED; /* Until all of the wrong branch is set aside. */
    }
    if (row->standing == SPEAN_LOG_DISPUTED) {
        return find_parting(tx, row, cut.seq, out);
    }
    *out = row->head;
    return SPEAN_OK;
}

spean_err spean_log_settle(struct spean_tx *tx, const struct spean_log *log,
                           struct spean_place *head, bool *more)
{
    assert(log != NULL);
    assert(head != NULL);
    assert(more != NULL);

    struct spean_logs_row row;
    spean_err err = spean_logs_get(tx, &log->id, &row);
    if (err == SPEAN_ENOTFOUND) {
        *head = (struct spean_place){0};
        *more = false;
        return SPEAN_OK;
    }
    if (err == SPEAN_OK && !log->cut.closed) {
        *head = row.head;
        *more = false;
        return SPEAN_OK;
    }
    const enum spean_log_standing before = row.standing;
    struct spean_place place;
    bool above = false;
    if (err == SPEAN_OK) {
        err = find_settled(tx, log, &row, &place);
    }
    if (err == SPEAN_OK) {
        err = cut_back(tx, &row, &place, &above);
    }
    if (err == SPEAN_OK && !above && row.standing != SPEAN_LOG_GOING) {
        row.standing = SPEAN_LOG_GOING; /* Also if it was paused: it cannot grow any more. */
    }
    if (err == SPEAN_OK && row.standing != before) {
        err = spean_logs_put(tx, &row);
    }
    if (err != SPEAN_OK) {
        return spean_tx_fail(tx, err);
    }
    *head = row.head;
    *more = above;
    return SPEAN_OK;
}

/* -- Set aside ------------------------------------------------------------------------------- */

spean_err spean_log_aside_next(struct spean_tx *tx, const struct spean_logs_row *row,
                               struct spean_log_aside_at *at, struct spean_log_aside *out)
{
    assert(row != NULL);
    assert(at != NULL);
    assert(out != NULL);

    const struct spean_db_key from = aside_key(row->number, at->seq, &at->entry);
    const struct spean_view wanted = spean_db_key_view(&from);
    struct spean_cursor cursor;
    spean_err err = spean_cursor_init(&cursor, tx, SPEAN_TABLE_ASIDE,
                                      (struct spean_view){from.bytes, ASIDE_SEQ_POS});
    if (err != SPEAN_OK) {
        return err;
    }
    struct spean_view key;
    struct spean_view value;
    err = spean_cursor_seek(&cursor, wanted, &key, &value);
    if (err == SPEAN_OK && key.len == wanted.len && memcmp(key.data, wanted.data, key.len) == 0) {
        err = spean_cursor_next(&cursor, &key, &value);
    }
    spean_cursor_fini(&cursor);
    if (err != SPEAN_OK) {
        return err;
    }
    *at = (struct spean_log_aside_at){.seq = UINT64_MAX};
    (void)memset(at->entry.bytes, 0xff, sizeof(at->entry.bytes)); /* Behind all. */
    if (key.len == ASIDE_KEY_BYTES) {
        err = spean_db_key_u64_at(key, ASIDE_SEQ_POS, &at->seq);
        (void)memcpy(at->entry.bytes, key.data + ASIDE_ID_POS, ASIDE_ID_BYTES);
    }
    return err == SPEAN_OK ? spean_log_aside_decode(row, key, value, out) : err;
}

spean_err spean_log_aside_put(struct spean_tx *tx, struct spean_logs_row *row,
                              const struct spean_log_aside *aside)
{
    assert(row != NULL);
    assert(aside != NULL);

    uint8_t *buf = malloc(ASIDE_BYTES_MAX);
    if (buf == NULL) {
        return SPEAN_ENOMEM;
    }
    struct spean_log_aside kept = *aside;
    bool refused = false;
    spean_err err = spean_body_refused(tx, &row->log, &kept.entry, &refused);
    if (refused) {
        kept.entry.body = (struct spean_view){0};
    }
    if (err == SPEAN_OK) {
        err = aside_write(tx, row, &kept, buf);
    }
    free(buf);
    return err == SPEAN_EEXISTS ? SPEAN_OK : err;
}

spean_err spean_log_aside_drop_body(struct spean_tx *tx, struct spean_logs_row *row,
                                    const struct spean_log_aside *aside)
{
    assert(row != NULL);
    assert(aside != NULL);

    const uint64_t len = aside->entry.body.len;
    uint8_t buf[ASIDE_FIXED + SPEAN_HEADER_BYTES_MAX];
    struct spean_log_aside bare = *aside;
    bare.entry.body = (struct spean_view){0};
    const struct spean_view value = aside_encode(&bare, buf);
    const struct spean_db_key key =
        aside_key(row->number, aside->entry.header.seq, &aside->entry.id);
    const spean_err err = spean_tx_put(tx, SPEAN_TABLE_ASIDE, spean_db_key_view(&key), value);
    row->aside_bytes -= row->aside_bytes < len ? row->aside_bytes : len;
    return err;
}

spean_err spean_log_aside_get(struct spean_tx *tx, const struct spean_logs_row *row, uint64_t seq,
                              const struct spean_id *entry, struct spean_log_aside *out)
{
    assert(row != NULL);
    assert(entry != NULL);

    const struct spean_db_key at = aside_key(row->number, seq, entry);
    const struct spean_view key = spean_db_key_view(&at);
    struct spean_view value;
    spean_err err = spean_tx_get(tx, SPEAN_TABLE_ASIDE, key, &value);
    struct spean_log_aside aside;
    if (err == SPEAN_OK) {
        err = spean_log_aside_decode(row, key, value, &aside);
    }
    if (err == SPEAN_OK && !spean_id_equal(&aside.entry.id, entry)) {
        err = SPEAN_ENOTFOUND; /* Another one, of which the key has the same bytes. */
    }
    if (err == SPEAN_OK) {
        *out = aside;
    }
    return err;
}

spean_err spean_log_aside_decode(const struct spean_logs_row *row, struct spean_view key,
                                 struct spean_view value, struct spean_log_aside *out)
{
    assert(row != NULL);
    assert(out != NULL);

    uint64_t seq;
    if (key.len != ASIDE_KEY_BYTES || spean_db_key_u64_at(key, ASIDE_SEQ_POS, &seq) != SPEAN_OK ||
        value.len <= ASIDE_FIXED || value.data[0] > 1) {
        return SPEAN_ECORRUPT;
    }
    const size_t header_len =
        (size_t)value.data[ASIDE_HEADER_POS] << 8 | value.data[ASIDE_HEADER_POS + 1];
    if (header_len > value.len - ASIDE_FIXED) {
        return SPEAN_ECORRUPT;
    }
    struct spean_log_aside aside = {.has_signature = value.data[0] == 1};
    (void)memcpy(aside.signature.bytes, value.data + 1, SPEAN_SIGNATURE_BYTES);
    struct spean_run_entry *entry = &aside.entry;
    entry->header_bytes = (struct spean_view){value.data + ASIDE_FIXED, header_len};
    entry->body = (struct spean_view){value.data + ASIDE_FIXED + header_len,
                                      value.len - ASIDE_FIXED - header_len};
    if (spean_header_decode(entry->header_bytes, &entry->header) != SPEAN_OK ||
        entry->header.seq != seq) {
        return SPEAN_ECORRUPT;
    }
    spean_entry_id(&entry->id, &row->log, entry->header_bytes);
    if (memcmp(entry->id.bytes, key.data + ASIDE_ID_POS, ASIDE_ID_BYTES) != 0) {
        return SPEAN_ECORRUPT;
    }
    if (entry->body.len > 0 && spean_body_check(&entry->header, entry->body) != SPEAN_OK) {
        return SPEAN_ECORRUPT;
    }
    *out = aside;
    return SPEAN_OK;
}
