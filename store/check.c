#include "store/check.h"

#include <assert.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/evidence.h"
#include "protocol/run.h"
#include "store/body.h"
#include "store/documents.h"
#include "store/entries.h"
#include "store/evidence.h"
#include "store/log.h"
#include "store/logs.h"
#include "store/peer.h"

/* Work of one slice, in bytes hashed, a few hundred milliseconds on a slow machine. */
#define SLICE_WORK     67108864u
#define ROW_WORK       2048u
#define SIGNATURE_WORK 131072u

#define DOCUMENT_SIGNATURE_BYTES 64u /* A document has no more signatures than fit into it. */

#define NUMBER_BYTES   4u
#define PLACE_BYTES    12u /* Log number and seq. */
#define TAG_NUMBER_POS (SPEAN_TAG_BYTES + 1u)
#define TAG_SEQ_POS    (TAG_NUMBER_POS + 4u)
#define TAG_BYTES      (TAG_SEQ_POS + 8u)
#define DOCUMENT_BYTES 8u
#define HEAD_BYTES     8u /* Peer number and log number. */

/* The log whose entries are being read. */
struct chain {
    bool open;
    bool damaged; /* An entry was: the sums are wrong then. */
    bool known;   /* The entry at place was good. */
    struct spean_logs_row row;
    struct spean_place place; /* Of the last entry read. */
    uint64_t bytes;
    uint32_t unsigned_count; /* Since the last signature. */
    uint64_t unsigned_bytes;
};

struct spean_check {
    struct spean_db *db;
    const struct spean_authority *authority;
    spean_check_report *report;
    void *ctx;
    struct spean_authority *judged; /* Built from the documents once more. */
    struct spean_run *run;
    struct spean_tx *tx;      /* Of the slice. */
    size_t phase;             /* Index into the walks. */
    struct spean_db_key last; /* The last row read of its table; len 0: none yet. */
    uint64_t work;            /* Done in this slice. */
    struct chain chain;
    uint64_t entries;
    uint64_t bodies;
    uint64_t problems;
};

static const char *const texts[] = {
#define SPEAN_CHECK_TEXT(code, text) [code] = (text),
    SPEAN_CHECK_KINDS(SPEAN_CHECK_TEXT)
#undef SPEAN_CHECK_TEXT
};

const char *spean_check_text(enum spean_check_kind kind)
{
    assert(kind < SPEAN_CHECKS_COUNT);
    return texts[kind];
}

void spean_check_describe(const struct spean_check_problem *problem,
                          char out[SPEAN_CHECK_TEXT_BYTES])
{
    assert(problem != NULL);
    assert(out != NULL);

    static const struct spean_record_id none;
    static const struct spean_id no_log;
    const char *const text = spean_check_text(problem->kind);
    if (!spean_record_id_equal(&problem->record, &none)) {
        (void)snprintf(out, SPEAN_CHECK_TEXT_BYTES,
                       "%s (record %016" PRIx64 "%016" PRIx64 ", part %" PRIu32 ")", text,
                       spean_u64_get(problem->record.bytes),
                       spean_u64_get(problem->record.bytes + 8), problem->part);
    } else if (!spean_id_equal(&problem->log, &no_log)) {
        (void)snprintf(out, SPEAN_CHECK_TEXT_BYTES, "%s (log %016" PRIx64 ", entry %" PRIu64 ")",
                       text, spean_short_of(&problem->log), problem->seq);
    } else {
        (void)snprintf(out, SPEAN_CHECK_TEXT_BYTES, "%s (number %" PRIu64 ")", text, problem->seq);
    }
}

static void found(struct spean_check *c, enum spean_check_kind kind, const struct spean_id *log,
                  uint64_t seq)
{
    struct spean_check_problem problem = {.kind = kind, .seq = seq};
    if (log != NULL) {
        problem.log = *log;
    }
    c->problems++;
    c->report(c->ctx, &problem);
}

/* Read log number and seq at pos of a key, and the log's row; *stray if there is no such entry. */
static void read_place(struct spean_check *c, struct spean_view key, size_t pos,
                       struct spean_logs_row *row, uint64_t *seq, bool *stray)
{
    uint32_t number = 0;
    *stray = spean_db_key_u32_at(key, pos, &number) != SPEAN_OK ||
             spean_db_key_u64_at(key, pos + NUMBER_BYTES, seq) != SPEAN_OK ||
             spean_logs_at(c->tx, number, row) != SPEAN_OK;
}

/* -- Documents ------------------------------------------------------------------------------- */

static spean_err check_document(struct spean_check *c, struct spean_view key,
                                struct spean_view value)
{
    (void)value;
    uint64_t number = 0;
    struct spean_documents_row row;
    if (key.len != DOCUMENT_BYTES || spean_db_key_u64_at(key, 0, &number) != SPEAN_OK ||
        spean_documents_next(c->tx, number, &row) != SPEAN_OK) {
        found(c, SPEAN_CHECK_DOCUMENT, NULL, number);
        return SPEAN_OK;
    }
    struct spean_authority_change change;
    const spean_err err = spean_authority_add(c->judged, row.bytes, SPEAN_PENDING_KEEP, &change);
    c->work += row.bytes.len / DOCUMENT_SIGNATURE_BYTES * SIGNATURE_WORK;
    if (err == SPEAN_ENOMEM) {
        return err;
    }
    struct spean_view named;
    if (err != SPEAN_OK || !spean_id_equal(&change.chain, &row.chain) ||
        spean_documents_get(c->tx, &row.chain, &row.title, &named) != SPEAN_OK ||
        named.data != row.bytes.data) {
        found(c, SPEAN_CHECK_DOCUMENT, NULL, number);
    }
    return SPEAN_OK;
}

static spean_err check_document_id(struct spean_check *c, struct spean_view key,
                                   struct spean_view value)
{
    uint64_t number = 0;
    struct spean_documents_row row;
    if (key.len != SPEAN_ID_BYTES || value.len != DOCUMENT_BYTES ||
        spean_db_key_u64_at(value, 0, &number) != SPEAN_OK ||
        spean_documents_next(c->tx, number, &row) != SPEAN_OK || row.number != number ||
        memcmp(row.title.id.bytes, key.data, SPEAN_ID_BYTES) != 0) {
        found(c, SPEAN_CHECK_DOCUMENT, NULL, number);
    }
    return SPEAN_OK;
}

/* -- Logs ------------------------------------------------------------------------------------ */

/* Compare a log with what the documents say of it. */
static void check_authority(struct spean_check *c, const struct spean_logs_row *row)
{
    const struct spean_log *log = spean_authority_log(c->authority, &row->log);
    if (log == NULL) {
        found(c, SPEAN_CHECK_UNKNOWN, &row->log, 0);
        return;
    }
    if (!spean_id_equal(&log->org, &row->org) || !spean_key_equal(&log->signing, &row->signing)) {
        found(c, SPEAN_CHECK_LOG, &row->log, 0);
    }
    if (!log->cut.closed || row->head.seq < log->cut.seq) {
        return;
    }
    struct spean_id ours;
    if (row->head.seq > log->cut.seq ||
        spean_entries_id(c->tx, row, log->cut.seq, &ours) != SPEAN_OK ||
        !spean_id_equal(&ours, &log->cut.entry)) {
        found(c, SPEAN_CHECK_BEYOND, &row->log, log->cut.seq);
    }
}

static spean_err check_log(struct spean_check *c, struct spean_view key, struct spean_view value)
{
    (void)value;
    uint32_t number;
    struct spean_logs_row row;
    if (key.len != NUMBER_BYTES || spean_db_key_u32_at(key, 0, &number) != SPEAN_OK ||
        spean_logs_at(c->tx, number, &row) != SPEAN_OK) {
        found(c, SPEAN_CHECK_LOG, NULL, 0);
        return SPEAN_OK;
    }
    struct spean_logs_row named;
    if (spean_logs_get(c->tx, &row.log, &named) != SPEAN_OK || named.number != number) {
        found(c, SPEAN_CHECK_LOG, &row.log, 0);
    }
    struct spean_id head;
    if (spean_entries_id(c->tx, &row, row.head.seq, &head) != SPEAN_OK ||
        !spean_id_equal(&head, &row.head.entry)) {
        found(c, SPEAN_CHECK_HEAD, &row.log, row.head.seq);
    }
    check_authority(c, &row);
    return SPEAN_OK;
}

static spean_err check_log_id(struct spean_check *c, struct spean_view key, struct spean_view value)
{
    (void)value;
    struct spean_id log = {0};
    struct spean_logs_row row;
    if (key.len == SPEAN_ID_BYTES) {
        (void)memcpy(log.bytes, key.data, SPEAN_ID_BYTES);
    }
    if (key.len != SPEAN_ID_BYTES || spean_logs_get(c->tx, &log, &row) != SPEAN_OK) {
        found(c, SPEAN_CHECK_LOG, &log, 0);
    }
    return SPEAN_OK;
}

/* -- Entries --------------------------------------------------------------------------------- */

static bool is_cut(const struct spean_log *log, const struct spean_place *place)
{
    return log != NULL && log->cut.closed && log->cut.seq == place->seq &&
           spean_id_equal(&log->cut.entry, &place->entry);
}

/* All entries of a log were read: see that it ends where it should. */
static void chain_end(struct spean_check *c)
{
    struct chain *chain = &c->chain;
    if (!chain->open) {
        return;
    }
    const struct spean_logs_row *row = &chain->row;
    if (chain->place.seq < row->head.seq) {
        found(c, SPEAN_CHECK_ENTRY, &row->log, chain->place.seq + 1);
        chain->damaged = true;
    }
    if (!chain->damaged && chain->bytes != row->bytes) {
        found(c, SPEAN_CHECK_BYTES, &row->log, 0);
    }
    if (chain->unsigned_count > 0) {
        found(c, SPEAN_CHECK_UNSIGNED, &row->log, chain->place.seq);
    }
    *chain = (struct chain){0};
}

/* The row of the log may have changed since the slice before. */
static void chain_begin(struct spean_check *c, const struct spean_logs_row *row)
{
    if (c->chain.open && c->chain.row.number == row->number) {
        c->chain.row = *row;
        return;
    }
    chain_end(c);
    c->chain = (struct chain){.open = true, .known = true, .row = *row};
}

static void check_signature(struct spean_check *c, const struct spean_run_entry *entry)
{
    struct chain *chain = &c->chain;
    const struct spean_id *id = &chain->row.log;
    const struct spean_log *log = spean_authority_log(c->authority, id);
    const uint64_t seq = entry->header.seq;

    chain->unsigned_count++;
    chain->unsigned_bytes += entry->header_bytes.len + entry->header.body_len;
    struct spean_signature signature;
    spean_err err = spean_entries_signature(c->tx, &chain->row, seq, &signature);
    bool is_end = err != SPEAN_ENOTFOUND;
    if (err == SPEAN_OK) {
        const struct spean_key *key = log != NULL ? &log->signing : &chain->row.signing;
        err = spean_commit_verify(&signature, id, &entry->id, key);
        c->work += SIGNATURE_WORK;
    }
    if (is_end && err != SPEAN_OK) {
        found(c, SPEAN_CHECK_SIGNATURE, id, seq);
    }
    if (!is_end && (chain->unsigned_count > SPEAN_RUN_ENTRIES_MAX ||
                    chain->unsigned_bytes > SPEAN_RUN_BYTES_MAX)) {
        found(c, SPEAN_CHECK_UNSIGNED, id, seq);
        is_end = true;
    }
    if (is_end || is_cut(log, &chain->place)) {
        chain->unsigned_count = 0;
        chain->unsigned_bytes = 0;
    }
}

/* Say whether the index names the entry under its tag, with its body in that state. */
static bool is_indexed(struct spean_check *c, const struct spean_header *header,
                       enum spean_body_state state)
{
    const struct spean_tagged at = {c->chain.row.number, header->seq};
    struct spean_tagged next;
    const spean_err err = spean_body_next(c->tx, &header->tag, state, &at, &next);
    return err == SPEAN_OK && next.number == at.number && next.seq == at.seq;
}

static void check_body(struct spean_check *c, const struct spean_header *header)
{
    const struct spean_id *log = &c->chain.row.log;
    struct spean_view body;
    const spean_err err = spean_body_get(c->tx, c->chain.row.number, header, &body);
    c->bodies += err == SPEAN_OK ? 1 : 0;
    if (err != SPEAN_OK && err != SPEAN_ENOTFOUND) {
        found(c, SPEAN_CHECK_BODY, log, header->seq);
    }
    if (!header->has_tag) {
        return;
    }
    const bool held = err != SPEAN_ENOTFOUND;
    if (is_indexed(c, header, SPEAN_BODY_HELD) != held ||
        is_indexed(c, header, SPEAN_BODY_LACKING) == held) {
        found(c, SPEAN_CHECK_TAG, log, header->seq);
    }
}

static spean_err check_entry(struct spean_check *c, struct spean_view key, struct spean_view value)
{
    (void)value;
    struct spean_logs_row row;
    uint64_t seq = 0;
    bool stray;
    read_place(c, key, 0, &row, &seq, &stray);
    if (stray || key.len != PLACE_BYTES || seq == 0 || seq > row.head.seq) {
        found(c, SPEAN_CHECK_STRAY, stray ? NULL : &row.log, seq);
        return SPEAN_OK;
    }
    chain_begin(c, &row);
    struct chain *chain = &c->chain;
    if (seq != chain->place.seq + 1) {
        found(c, SPEAN_CHECK_ENTRY, &row.log, chain->place.seq + 1);
        chain->damaged = true;
        chain->known = false;
    }
    c->entries++;
    chain->place.seq = seq;
    struct spean_run_entry entry;
    if (spean_entries_get(c->tx, &row, seq, &entry) != SPEAN_OK) {
        found(c, SPEAN_CHECK_ENTRY, &row.log, seq);
        chain->damaged = true;
        chain->known = false;
        return SPEAN_OK;
    }
    if (chain->known && !spean_id_equal(&entry.header.previous, &chain->place.entry)) {
        found(c, SPEAN_CHECK_ENTRY, &row.log, seq);
    }
    chain->known = true;
    chain->place.entry = entry.id;
    chain->bytes += entry.header_bytes.len + entry.header.body_len;
    c->work += entry.header.body_len;
    check_signature(c, &entry);
    check_body(c, &entry.header);
    return SPEAN_OK;
}

/* A log that was cut back between two slices is read once more from its start. */
static void chain_resume(struct spean_check *c)
{
    struct chain *chain = &c->chain;
    if (!chain->open || !chain->known) {
        return;
    }
    struct spean_id ours;
    if (spean_entries_id(c->tx, &chain->row, chain->place.seq, &ours) == SPEAN_OK &&
        spean_id_equal(&ours, &chain->place.entry)) {
        return;
    }
    c->last = spean_entries_key(chain->row.number, 0);
    *chain = (struct chain){0};
}

/* -- What belongs to entries ----------------------------------------------------------------- */

/* A body or a signature; what it says was checked with its entry. */
static spean_err check_belongs(struct spean_check *c, struct spean_view key,
                               struct spean_view value)
{
    (void)value;
    struct spean_logs_row row;
    uint64_t seq = 0;
    bool stray;
    read_place(c, key, 0, &row, &seq, &stray);
    if (stray || key.len != PLACE_BYTES || seq == 0 || seq > row.head.seq) {
        found(c, SPEAN_CHECK_STRAY, stray ? NULL : &row.log, seq);
    }
    return SPEAN_OK;
}

static spean_err check_tag(struct spean_check *c, struct spean_view key, struct spean_view value)
{
    struct spean_logs_row row;
    uint64_t seq = 0;
    bool stray;
    read_place(c, key, TAG_NUMBER_POS, &row, &seq, &stray);
    struct spean_run_entry entry;
    if (stray || key.len != TAG_BYTES || value.len != 0 ||
        key.data[SPEAN_TAG_BYTES] > SPEAN_BODY_HELD ||
        spean_entries_get(c->tx, &row, seq, &entry) != SPEAN_OK || !entry.header.has_tag ||
        memcmp(entry.header.tag.bytes, key.data, SPEAN_TAG_BYTES) != 0) {
        found(c, SPEAN_CHECK_TAG, stray ? NULL : &row.log, seq);
    }
    return SPEAN_OK;
}

static spean_err check_arrival(struct spean_check *c, struct spean_view key,
                               struct spean_view value)
{
    (void)value;
    struct spean_logs_row row;
    struct spean_arrival arrival;
    uint64_t seq = 0;
    bool stray;
    read_place(c, key, 0, &row, &seq, &stray);
    if (stray || key.len != PLACE_BYTES ||
        spean_logs_next_arrival(c->tx, row.number, seq, &arrival) != SPEAN_OK ||
        arrival.last_seq != seq || seq > row.head.seq) {
        found(c, SPEAN_CHECK_ARRIVAL, stray ? NULL : &row.log, seq);
    }
    return SPEAN_OK;
}

static spean_err check_aside(struct spean_check *c, struct spean_view key, struct spean_view value)
{
    struct spean_logs_row row;
    uint64_t seq = 0;
    bool stray;
    read_place(c, key, 0, &row, &seq, &stray);
    struct spean_log_aside aside;
    c->work += value.len;
    if (stray || spean_log_aside_decode(&row, key, value, &aside) != SPEAN_OK) {
        found(c, SPEAN_CHECK_ASIDE, stray ? NULL : &row.log, seq);
        return SPEAN_OK;
    }
    if (aside.has_signature) {
        c->work += SIGNATURE_WORK;
        if (spean_commit_verify(&aside.signature, &row.log, &aside.entry.id, &row.signing) !=
            SPEAN_OK) {
            found(c, SPEAN_CHECK_ASIDE, &row.log, seq);
        }
    }
    return SPEAN_OK;
}

/* -- Evidence and peers ---------------------------------------------------------------------- */

static spean_err check_evidence(struct spean_check *c, struct spean_view key,
                                struct spean_view value)
{
    (void)value;
    struct spean_id id = {0};
    if (key.len == SPEAN_ID_BYTES) {
        (void)memcpy(id.bytes, key.data, SPEAN_ID_BYTES);
    }
    const struct spean_log *log = spean_authority_log(c->authority, &id);
    struct spean_view bytes;
    struct spean_evidence evidence;
    if (log == NULL || spean_evidence_get(c->tx, &id, &bytes, &evidence) != SPEAN_OK) {
        found(c, SPEAN_CHECK_EVIDENCE, &id, 0);
        return SPEAN_OK;
    }
    const struct spean_place cut = {log->cut.seq, log->cut.entry};
    c->work += 2 * SIGNATURE_WORK;
    if (spean_evidence_verify(&evidence, &log->signing, log->cut.closed ? &cut : NULL, c->run) !=
        SPEAN_OK) {
        found(c, SPEAN_CHECK_EVIDENCE, &id, 0);
    }
    return SPEAN_OK;
}

static spean_err check_peer(struct spean_check *c, struct spean_view key, struct spean_view value)
{
    (void)value;
    struct spean_peer peer;
    struct spean_peer_row row;
    if (key.len != sizeof(peer)) {
        found(c, SPEAN_CHECK_PEER, NULL, 0);
        return SPEAN_OK;
    }
    (void)memcpy(peer.org.bytes, key.data, SPEAN_ID_BYTES);
    (void)memcpy(peer.signing.bytes, key.data + SPEAN_ID_BYTES, SPEAN_KEY_BYTES);
    if (spean_peer_get(c->tx, &peer, &row) != SPEAN_OK) {
        found(c, SPEAN_CHECK_PEER, NULL, 0);
    }
    return SPEAN_OK;
}

static spean_err check_peer_head(struct spean_check *c, struct spean_view key,
                                 struct spean_view value)
{
    uint32_t number;
    struct spean_logs_row row;
    struct spean_place place;
    if (key.len != HEAD_BYTES || spean_db_key_u32_at(key, NUMBER_BYTES, &number) != SPEAN_OK ||
        spean_logs_at(c->tx, number, &row) != SPEAN_OK ||
        spean_peer_head_decode(value, &place) != SPEAN_OK) {
        found(c, SPEAN_CHECK_PEER, NULL, 0);
    }
    return SPEAN_OK;
}

/* -- Walks ----------------------------------------------------------------------------------- */

/* Every table is walked over row by row; what is done with a row is above. Documents come first,
 * then logs, then what belongs to them. */
typedef spean_err check_row(struct spean_check *c, struct spean_view key, struct spean_view value);

static const struct {
    enum spean_table table;
    check_row *row;
} walks[] = {
    {SPEAN_TABLE_DOCUMENTS, check_document},
    {SPEAN_TABLE_DOCUMENT_IDS, check_document_id},
    {SPEAN_TABLE_LOGS, check_log},
    {SPEAN_TABLE_LOG_IDS, check_log_id},
    {SPEAN_TABLE_ENTRIES, check_entry},
    {SPEAN_TABLE_SIGNATURES, check_belongs},
    {SPEAN_TABLE_BODIES, check_belongs},
    {SPEAN_TABLE_TAGS, check_tag},
    {SPEAN_TABLE_ARRIVALS, check_arrival},
    {SPEAN_TABLE_ASIDE, check_aside},
    {SPEAN_TABLE_EVIDENCE, check_evidence},
    {SPEAN_TABLE_PEERS, check_peer},
    {SPEAN_TABLE_PEER_HEADS, check_peer_head},
};
#define WALKS_COUNT (sizeof(walks) / sizeof(walks[0]))

/* Read on in the table of this phase until its end or that of the slice. */
static spean_err walk(struct spean_check *c)
{
    struct spean_cursor cursor;
    spean_err err =
        spean_cursor_init(&cursor, c->tx, walks[c->phase].table, (struct spean_view){0});
    if (err != SPEAN_OK) {
        return err;
    }
    struct spean_view key;
    struct spean_view value;
    err = spean_cursor_behind(&cursor, spean_db_key_view(&c->last), &key, &value);
    while (err == SPEAN_OK && c->work < SLICE_WORK) {
        c->last = (struct spean_db_key){0};
        spean_db_key_put_bytes(&c->last, key.data,
                               key.len < SPEAN_DB_KEY_BYTES_MAX ? key.len : SPEAN_DB_KEY_BYTES_MAX);
        err = walks[c->phase].row(c, key, value);
        c->work += ROW_WORK;
        if (err == SPEAN_OK) {
            err = spean_cursor_next(&cursor, &key, &value);
        }
    }
    spean_cursor_fini(&cursor);
    return err;
}

spean_err spean_check_new(struct spean_db *db, const struct spean_authority *authority,
                          spean_check_report *report, void *ctx, struct spean_check **out)
{
    assert(db != NULL);
    assert(authority != NULL);
    assert(report != NULL);
    assert(out != NULL);

    struct spean_check *c = calloc(1, sizeof(*c));
    if (c == NULL) {
        return SPEAN_ENOMEM;
    }
    c->db = db;
    c->authority = authority;
    c->report = report;
    c->ctx = ctx;
    spean_err err = spean_run_new(&c->run);
    if (err == SPEAN_OK) {
        err = spean_authority_new(&c->judged, NULL);
    }
    if (err != SPEAN_OK) {
        spean_check_free(c);
        return err;
    }
    *out = c;
    return SPEAN_OK;
}

void spean_check_free(struct spean_check *check)
{
    if (check == NULL) {
        return;
    }
    spean_authority_free(check->judged);
    spean_run_free(check->run);
    free(check);
}

spean_err spean_check_step(struct spean_check *check, bool *done)
{
    assert(check != NULL);
    assert(done != NULL);

    spean_err err = spean_tx_begin(check->db, SPEAN_TX_READ, &check->tx);
    if (err != SPEAN_OK) {
        return err;
    }
    check->work = 0;
    chain_resume(check);
    while (err == SPEAN_OK && check->phase < WALKS_COUNT && check->work < SLICE_WORK) {
        err = walk(check);
        if (err == SPEAN_ENOTFOUND) {
            chain_end(check);
            check->last = (struct spean_db_key){0};
            check->phase++;
            err = SPEAN_OK;
        }
    }
    if (err == SPEAN_OK) {
        err = spean_tx_err(check->tx);
    }
    spean_tx_abort(check->tx);
    check->tx = NULL;
    if (err == SPEAN_OK) {
        *done = check->phase == WALKS_COUNT;
    }
    return err;
}

uint64_t spean_check_entries(const struct spean_check *check)
{
    assert(check != NULL);
    return check->entries;
}

uint64_t spean_check_bodies(const struct spean_check *check)
{
    assert(check != NULL);
    return check->bodies;
}

uint64_t spean_check_problems(const struct spean_check *check)
{
    assert(check != NULL);
    return check->problems;
}
