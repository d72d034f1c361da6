#include "store/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/body.h"
#include "store/entries.h"
#include "store/evidence.h"
#include "tests/unit/store/logs_fixture.h"

static const struct spean_tag tag = {{1, 2, 3}};

static struct logkit *log_of(uint8_t number, uint32_t count)
{
    struct logkit *k = logkit_new(number);
    logkit_fill(k, count);
    return k;
}

static void assert_head(struct logs_fixture *f, const struct logkit *k, uint32_t seq)
{
    const struct spean_logs_row row = logs_fixture_row(f, k);
    const struct spean_place place = logkit_place(k, seq);
    assert_int_equal(row.head.seq, seq);
    assert_memory_equal(&row.head.entry, &place.entry, sizeof(place.entry));
}

/* Put evidence that k and other part after entry after. */
static void dispute(struct logs_fixture *f, const struct logkit *k, const struct logkit *other,
                    uint32_t after)
{
    uint8_t *bufs = malloc(3 * SPEAN_FRAME_BYTES_MAX);
    assert_non_null(bufs);
    const struct spean_evidence evidence = {
        .log = k->log,
        .after = logkit_place(k, after),
        .runs = {logkit_run(k, after + 1, after + 1, false, bufs),
                 logkit_run(other, after + 1, after + 1, false, bufs + SPEAN_FRAME_BYTES_MAX)},
    };
    struct spean_view bytes;
    assert_int_equal(spean_evidence_encode(&evidence, bufs + 2 * SPEAN_FRAME_BYTES_MAX,
                                           SPEAN_FRAME_BYTES_MAX, &bytes),
                     SPEAN_OK);
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_WRITE);
    const struct spean_log log = logs_fixture_open(k);
    assert_int_equal(spean_evidence_put(tx, &log, bytes), SPEAN_OK);
    logs_fixture_commit(tx);
    free(bufs);
}

static spean_err append_cut(struct logs_fixture *f, const struct logkit *k, uint32_t first,
                            uint32_t last, const struct spean_log *log)
{
    logs_fixture_decode(f, k, first, last, true);
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_WRITE);
    const struct spean_log_arrival arrival = {.from = &f->from, .now_s = LOGS_FIXTURE_NOW_S};
    const spean_err err = spean_log_append(tx, f->run, log, &arrival);
    logs_fixture_commit(tx);
    return err;
}

/* -- Append ---------------------------------------------------------------------------------- */

static void what_is_appended_reads_back(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *k = log_of(1, 5);
    assert_int_equal(logs_fixture_append(f, k, 1, 3, true), SPEAN_OK);
    assert_int_equal(logs_fixture_append(f, k, 4, 5, false), SPEAN_OK);

    const struct spean_logs_row row = logs_fixture_row(f, k);
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_READ);
    uint64_t bytes = 0;
    for (uint32_t seq = 1; seq <= 5; seq++) {
        const struct logkit_entry *want = &k->entries[seq - 1];
        struct spean_run_entry got;
        assert_int_equal(spean_entries_get(tx, &row, seq, &got), SPEAN_OK);
        assert_memory_equal(&got.id, &want->id, sizeof(want->id));
        assert_int_equal(got.header_bytes.len, want->header.len);
        assert_memory_equal(got.header_bytes.data, want->header.data, want->header.len);
        struct spean_view body;
        const spean_err err = spean_body_get(tx, row.number, &got.header, &body);
        assert_int_equal(err, seq <= 3 ? SPEAN_OK : SPEAN_ENOTFOUND);
        bytes += want->header.len + want->body_len;
    }
    struct spean_run_entry none;
    assert_int_equal(spean_entries_get(tx, &row, 6, &none), SPEAN_ENOTFOUND);
    spean_tx_abort(tx);
    assert_int_equal(row.bytes, bytes);
    assert_head(f, k, 5);
    logkit_free(k);
}

static void signatures_and_arrivals_are_kept_where_runs_end(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *k = log_of(1, 5);
    assert_int_equal(logs_fixture_append(f, k, 1, 3, true), SPEAN_OK);
    assert_int_equal(logs_fixture_append(f, k, 4, 5, true), SPEAN_OK);

    const struct spean_logs_row row = logs_fixture_row(f, k);
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_READ);
    struct spean_signature signature;
    for (uint32_t seq = 1; seq <= 5; seq++) {
        const spean_err want = seq == 3 || seq == 5 ? SPEAN_OK : SPEAN_ENOTFOUND;
        assert_int_equal(spean_entries_signature(tx, &row, seq, &signature), want);
    }
    assert_memory_equal(&k->entries[4].signature, &signature, sizeof(signature));
    struct spean_arrival arrival;
    assert_int_equal(spean_logs_next_arrival(tx, row.number, 4, &arrival), SPEAN_OK);
    assert_int_equal(arrival.first_seq, 4);
    assert_int_equal(arrival.last_seq, 5);
    assert_int_equal(arrival.time, LOGS_FIXTURE_NOW_S);
    assert_memory_equal(&arrival.from, &f->from, sizeof(f->from));
    assert_int_equal(spean_logs_next_arrival(tx, row.number, 6, &arrival), SPEAN_ENOTFOUND);
    spean_tx_abort(tx);
    logkit_free(k);
}

static void a_gap_is_refused_and_changes_nothing(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *k = log_of(1, 6);
    assert_int_equal(logs_fixture_append(f, k, 2, 3, true), SPEAN_EGAP);
    assert_int_equal(logs_fixture_rows(f, SPEAN_TABLE_LOGS), 0);
    assert_int_equal(logs_fixture_append(f, k, 1, 2, true), SPEAN_OK);
    assert_int_equal(logs_fixture_append(f, k, 4, 6, true), SPEAN_EGAP);
    assert_head(f, k, 2);
    assert_int_equal(logs_fixture_rows(f, SPEAN_TABLE_ENTRIES), 2);
    logkit_free(k);
}

static void a_fork_is_refused_wherever_it_begins(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *k = log_of(1, 6);
    struct logkit *other = logkit_branch(k, 3);
    for (uint32_t i = 0; i < 5; i++) {
        logkit_add(other, SPEAN_ENTRY_CHANGE, NULL, 30, 0xdd, 5, true);
    }
    assert_int_equal(logs_fixture_append(f, k, 1, 6, true), SPEAN_OK);

    assert_int_equal(logs_fixture_append(f, other, 1, 4, true), SPEAN_EFORK); /* Ends below. */
    assert_int_equal(logs_fixture_append(f, other, 4, 6, true), SPEAN_EFORK); /* At the head. */
    assert_int_equal(logs_fixture_append(f, other, 5, 8, true), SPEAN_EFORK); /* Beyond it. */
    assert_int_equal(logs_fixture_append(f, other, 7, 8, true), SPEAN_EFORK); /* Above it. */
    assert_head(f, k, 6);
    assert_int_equal(logs_fixture_rows(f, SPEAN_TABLE_ENTRIES), 6);
    assert_int_equal(logs_fixture_rows(f, SPEAN_TABLE_SIGNATURES), 1);
    logkit_free(other);
    logkit_free(k);
}

static void a_repetition_changes_nothing(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *k = log_of(1, 6);
    assert_int_equal(logs_fixture_append(f, k, 1, 6, true), SPEAN_OK);
    assert_int_equal(logs_fixture_append(f, k, 1, 6, true), SPEAN_EEXISTS);
    assert_int_equal(logs_fixture_append(f, k, 2, 4, true), SPEAN_EEXISTS);
    assert_int_equal(logs_fixture_rows(f, SPEAN_TABLE_SIGNATURES), 1);
    assert_int_equal(logs_fixture_rows(f, SPEAN_TABLE_ARRIVALS), 1);
    logkit_free(k);
}

static void of_a_run_that_overlaps_the_rest_is_appended(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *k = log_of(1, 9);
    assert_int_equal(logs_fixture_append(f, k, 1, 4, true), SPEAN_OK);
    const uint64_t before = logs_fixture_row(f, k).bytes;
    assert_int_equal(logs_fixture_append(f, k, 2, 9, true), SPEAN_OK);
    assert_head(f, k, 9);
    assert_int_equal(logs_fixture_rows(f, SPEAN_TABLE_ENTRIES), 9);
    uint64_t more = 0;
    for (uint32_t i = 4; i < 9; i++) {
        more += k->entries[i].header.len + k->entries[i].body_len;
    }
    assert_int_equal(logs_fixture_row(f, k).bytes, before + more);
    logkit_free(k);
}

static void nothing_is_appended_above_a_cut(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *k = log_of(1, 6);
    struct logkit *other = logkit_branch(k, 3);
    logkit_add(other, SPEAN_ENTRY_CHANGE, NULL, 30, 0xdd, 5, true);
    const struct spean_log cut = logs_fixture_cut(k, 4);
    const struct spean_log aside = logs_fixture_cut(k, 0);

    assert_int_equal(append_cut(f, k, 1, 5, &cut), SPEAN_ESTATE);
    assert_int_equal(append_cut(f, k, 1, 1, &aside), SPEAN_ESTATE);
    assert_int_equal(append_cut(f, other, 1, 4, &cut), SPEAN_EFORK); /* Another entry than cut. */
    assert_int_equal(logs_fixture_rows(f, SPEAN_TABLE_LOGS), 0);
    assert_int_equal(append_cut(f, k, 1, 3, &cut), SPEAN_OK);
    assert_int_equal(append_cut(f, k, 4, 4, &cut), SPEAN_OK);
    assert_head(f, k, 4);
    logkit_free(other);
    logkit_free(k);
}

static void neither_branch_of_a_disputed_log_grows(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *k = log_of(1, 6);
    struct logkit *other = logkit_branch(k, 3);
    logkit_add(other, SPEAN_ENTRY_CHANGE, NULL, 30, 0xdd, 5, true);
    assert_int_equal(logs_fixture_append(f, k, 1, 5, true), SPEAN_OK);
    dispute(f, k, other, 3);
    assert_int_equal(logs_fixture_append(f, k, 6, 6, true), SPEAN_ESTATE);
    assert_head(f, k, 5);
    logkit_free(other);
    logkit_free(k);
}

static void an_abort_leaves_nothing(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *k = logkit_new(1);
    logkit_add(k, SPEAN_ENTRY_CHANGE, &tag, 300, 9, 1, true);
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_WRITE);
    assert_int_equal(logs_fixture_append_in(f, tx, k, 1, 1, true), SPEAN_OK);
    spean_tx_abort(tx);
    for (int table = SPEAN_TABLE_LOGS; table <= SPEAN_TABLE_TAGS; table++) {
        assert_int_equal(logs_fixture_rows(f, (enum spean_table)table), 0);
    }
    logkit_free(k);
}

static bool refuse_tagged(void *ctx, const struct spean_header *header)
{
    (void)ctx;
    return !header->has_tag;
}

static void a_full_store_keeps_what_was_committed_and_nothing_of_the_rest(void **state)
{
    struct logs_fixture *f = *state;
    fixture_close(f->store);
    assert_int_equal(fixture_open(f->store, false, SPEAN_DB_MAP_BYTES_MIN), SPEAN_OK);
    struct logkit *k = logkit_new(1);
    uint32_t seq = 0;
    spean_err err = SPEAN_OK;
    while (err == SPEAN_OK) {
        seq++;
        assert_true(seq < 200);
        logkit_add(k, SPEAN_ENTRY_CHANGE, &tag, 20000, (uint8_t)seq, 1, true);
        struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_WRITE);
        err = logs_fixture_append_in(f, tx, k, seq, seq, true);
        const spean_err end = spean_tx_commit(tx);
        assert_int_equal(end, err == SPEAN_OK ? end : err);
        err = end;
    }
    assert_int_equal(err, SPEAN_EFULL);
    assert_head(f, k, seq - 1);
    assert_int_equal(logs_fixture_rows(f, SPEAN_TABLE_ENTRIES), seq - 1);
    assert_int_equal(logs_fixture_rows(f, SPEAN_TABLE_BODIES), seq - 1);
    logkit_free(k);
}

static void a_body_that_may_not_be_kept_is_lacking(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *k = logkit_new(1);
    logkit_add(k, SPEAN_ENTRY_CHANGE, &tag, 300, 9, 1, false);
    logkit_add(k, SPEAN_ENTRY_CHANGE, NULL, 300, 8, 1, true);
    f->keep = refuse_tagged;
    assert_int_equal(logs_fixture_append(f, k, 1, 2, true), SPEAN_OK);
    assert_int_equal(logs_fixture_rows(f, SPEAN_TABLE_BODIES), 1);
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_READ);
    struct spean_tagged found;
    const struct spean_tagged start = {0};
    assert_int_equal(spean_body_next(tx, &tag, SPEAN_BODY_LACKING, &start, &found), SPEAN_OK);
    assert_int_equal(found.seq, 1);
    spean_tx_abort(tx);
    logkit_free(k);
}

static void several_logs_grow_side_by_side(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *logs[3];
    for (uint8_t i = 0; i < 3; i++) {
        logs[i] = log_of((uint8_t)(i + 1), 60);
    }
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_WRITE);
    for (uint32_t first = 1; first <= 60; first += 6) {
        for (uint32_t i = 0; i < 3; i++) {
            assert_int_equal(logs_fixture_append_in(f, tx, logs[i], first, first + 5, true),
                             SPEAN_OK);
        }
    }
    logs_fixture_commit(tx);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(logs_fixture_row(f, logs[i]).number, i);
        assert_head(f, logs[i], 60);
    }
    assert_int_equal(logs_fixture_rows(f, SPEAN_TABLE_BODIES), 180);
    for (uint8_t i = 0; i < 3; i++) {
        logkit_free(logs[i]);
    }
}

static void the_frontier_is_the_heads_of_all_logs(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *a = log_of(1, 4);
    struct logkit *b = log_of(2, 2);
    assert_int_equal(logs_fixture_append(f, a, 1, 4, true), SPEAN_OK);
    assert_int_equal(logs_fixture_append(f, b, 1, 2, true), SPEAN_OK);
    struct spean_frontier *frontier;
    assert_int_equal(spean_frontier_new(&frontier), SPEAN_OK);
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_READ);
    assert_int_equal(spean_logs_frontier(tx, frontier), SPEAN_OK);
    spean_tx_abort(tx);
    assert_int_equal(spean_frontier_count(frontier), 2);
    assert_int_equal(spean_frontier_get(frontier, &a->log).seq, 4);
    assert_int_equal(spean_frontier_get(frontier, &b->log).seq, 2);
    spean_frontier_free(frontier);
    logkit_free(a);
    logkit_free(b);
}

static void a_damaged_row_of_a_log_stops_appending(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *k = log_of(1, 4);
    assert_int_equal(logs_fixture_append(f, k, 1, 2, true), SPEAN_OK);
    const uint8_t number[4] = {0};
    logs_fixture_damage(f, SPEAN_TABLE_LOGS, (struct spean_view){number, 4}, 0);
    assert_int_equal(logs_fixture_append(f, k, 3, 4, true), SPEAN_ECORRUPT);
    logkit_free(k);
}

/* -- Commits of this node -------------------------------------------------------------------- */

/* Offer entries first to last of k, the signature of entry signed_seq. */
static spean_err commit(struct logs_fixture *f, const struct logkit *k, uint32_t first,
                        uint32_t last, uint32_t signed_seq)
{
    struct spean_run_source sources[8];
    for (uint32_t seq = first; seq <= last; seq++) {
        const struct logkit_entry *e = &k->entries[seq - 1];
        sources[seq - first] = (struct spean_run_source){e->header, {e->body, e->body_len}};
    }
    const struct spean_log log = logs_fixture_open(k);
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_WRITE);
    struct spean_view out = {0};
    const spean_err err =
        spean_log_commit(tx, &log, sources, last - first + 1, &k->entries[signed_seq - 1].signature,
                         f->run, f->buf, &out);
    logs_fixture_commit(tx);
    if (err == SPEAN_OK) {
        const struct spean_view want = logkit_run(k, first, last, true, f->out);
        assert_int_equal(out.len, want.len);
        assert_memory_equal(out.data, want.data, want.len);
    }
    return err;
}

static void own_commits_are_stored_as_others_are(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *k = log_of(1, 5);
    assert_int_equal(commit(f, k, 1, 3, 3), SPEAN_OK);
    assert_int_equal(commit(f, k, 4, 5, 5), SPEAN_OK);
    assert_head(f, k, 5);
    assert_int_equal(logs_fixture_rows(f, SPEAN_TABLE_SIGNATURES), 2);
    assert_int_equal(logs_fixture_rows(f, SPEAN_TABLE_ARRIVALS), 0);
    logkit_free(k);
}

static void own_commits_pass_the_checks_that_others_do(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *k = log_of(1, 6);
    struct logkit *other = logkit_branch(k, 2);
    logkit_add(other, SPEAN_ENTRY_CHANGE, NULL, 30, 0xdd, 5, true);
    logkit_add(other, SPEAN_ENTRY_CHANGE, NULL, 30, 0xdd, 5, true);
    assert_int_equal(commit(f, k, 1, 3, 3), SPEAN_OK);
    assert_int_equal(commit(f, k, 5, 6, 6), SPEAN_EGAP);
    assert_int_equal(commit(f, k, 4, 5, 4), SPEAN_ESIGNATURE); /* That of another entry. */
    assert_int_equal(commit(f, other, 4, 4, 4), SPEAN_ECHAIN); /* Another previous. */
    k->entries[4].body[0] ^= 1;
    assert_int_equal(commit(f, k, 4, 5, 5), SPEAN_ECHAIN); /* Another body hash. */
    k->entries[4].body_len = 0;
    assert_int_equal(commit(f, k, 4, 5, 5), SPEAN_EINPUT);
    k->entries[4].body_len = 64;
    assert_head(f, k, 3);
    logkit_free(other);
    logkit_free(k);
}

/* -- Cut ------------------------------------------------------------------------------------- */

static void cut_back_to(struct logs_fixture *f, const struct logkit *k, uint32_t seq)
{
    const struct spean_place place = logkit_place(k, seq);
    bool more = true;
    for (int rounds = 0; more; rounds++) {
        assert_true(rounds < 100);
        struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_WRITE);
        assert_int_equal(spean_log_cut_back(tx, &k->log, &place, &more), SPEAN_OK);
        logs_fixture_commit(tx);
    }
}

static void a_cut_sets_aside_what_is_above(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *k = log_of(1, 3);
    logkit_add(k, SPEAN_ENTRY_CHANGE, &tag, 300, 9, 1, true);
    logkit_add(k, SPEAN_ENTRY_CHANGE, &tag, 300, 8, 1, true);
    assert_int_equal(logs_fixture_append(f, k, 1, 4, true), SPEAN_OK);
    const uint64_t bytes = logs_fixture_row(f, k).bytes - k->entries[2].header.len -
                           k->entries[2].body_len - k->entries[3].header.len -
                           k->entries[3].body_len;
    assert_int_equal(logs_fixture_append(f, k, 5, 5, false), SPEAN_OK);
    cut_back_to(f, k, 2);

    assert_head(f, k, 2);
    assert_int_equal(logs_fixture_row(f, k).bytes, bytes);
    assert_int_equal(logs_fixture_rows(f, SPEAN_TABLE_ENTRIES), 2);
    assert_int_equal(logs_fixture_rows(f, SPEAN_TABLE_BODIES), 2);
    assert_int_equal(logs_fixture_rows(f, SPEAN_TABLE_TAGS), 0);
    assert_int_equal(logs_fixture_rows(f, SPEAN_TABLE_SIGNATURES), 0);
    assert_int_equal(logs_fixture_rows(f, SPEAN_TABLE_ARRIVALS), 1);

    const struct spean_logs_row row = logs_fixture_row(f, k);
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_READ);
    struct spean_arrival arrival;
    assert_int_equal(spean_logs_next_arrival(tx, row.number, 1, &arrival), SPEAN_OK);
    assert_int_equal(arrival.last_seq, 2);
    struct spean_log_aside_at at = {0};
    struct spean_log_aside aside;
    for (uint32_t seq = 3; seq <= 5; seq++) {
        const struct logkit_entry *want = &k->entries[seq - 1];
        assert_int_equal(spean_log_aside_next(tx, &row, &at, &aside), SPEAN_OK);
        assert_memory_equal(&aside.entry.id, &want->id, sizeof(want->id));
        assert_int_equal(aside.has_signature, seq >= 4);
        assert_int_equal(aside.entry.body.len, seq < 5 ? want->body_len : 0);
    }
    assert_int_equal(spean_log_aside_next(tx, &row, &at, &aside), SPEAN_ENOTFOUND);
    spean_tx_abort(tx);
    logkit_free(k);
}

static void damage_of_what_is_set_aside_hides_nothing_behind_it(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *k = log_of(1, 4);
    assert_int_equal(logs_fixture_append(f, k, 1, 4, true), SPEAN_OK);
    cut_back_to(f, k, 1);
    struct spean_db_key third = spean_entries_key(0, 3);
    spean_db_key_put_bytes(&third, k->entries[2].id.bytes, 16);
    logs_fixture_damage(f, SPEAN_TABLE_ASIDE, spean_db_key_view(&third), 90);
    const struct spean_logs_row row = logs_fixture_row(f, k);
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_READ);
    struct spean_log_aside_at at = {0};
    struct spean_log_aside aside;
    static const spean_err want[] = {SPEAN_OK, SPEAN_ECORRUPT, SPEAN_OK, SPEAN_ENOTFOUND};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(spean_log_aside_next(tx, &row, &at, &aside), want[i]);
    }
    assert_int_equal(aside.entry.header.seq, 4);
    spean_tx_abort(tx);
    logkit_free(k);
}

static void beyond_its_quota_an_entry_is_set_aside_without_body(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *k = log_of(1, 3);
    assert_int_equal(logs_fixture_append(f, k, 1, 3, true), SPEAN_OK);
    struct spean_logs_row row = logs_fixture_row(f, k);
    row.aside_bytes = SPEAN_LOG_ASIDE_BYTES_MAX - 1;
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_WRITE);
    assert_int_equal(spean_logs_put(tx, &row), SPEAN_OK);
    logs_fixture_commit(tx);
    cut_back_to(f, k, 1);
    tx = logs_fixture_begin(f, SPEAN_TX_READ);
    struct spean_log_aside_at at = {0};
    struct spean_log_aside aside;
    assert_int_equal(spean_log_aside_next(tx, &row, &at, &aside), SPEAN_OK);
    assert_int_equal(aside.entry.body.len, 0);
    assert_int_equal(spean_log_aside_next(tx, &row, &at, &aside), SPEAN_OK); /* Went first. */
    assert_int_equal(aside.entry.body.len, k->entries[2].body_len);
    spean_tx_abort(tx);
    logkit_free(k);
}

static void what_was_set_aside_before_counts_once(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *k = log_of(1, 3);
    assert_int_equal(logs_fixture_append(f, k, 1, 3, true), SPEAN_OK);
    cut_back_to(f, k, 1);
    const uint64_t bytes = logs_fixture_row(f, k).aside_bytes;
    assert_true(bytes > k->entries[1].body_len + k->entries[2].body_len);
    assert_int_equal(logs_fixture_append(f, k, 2, 3, true), SPEAN_OK);
    cut_back_to(f, k, 1);
    assert_int_equal(logs_fixture_row(f, k).aside_bytes, bytes);
    assert_int_equal(logs_fixture_rows(f, SPEAN_TABLE_ASIDE), 2);
    logkit_free(k);
}

static void a_cut_of_another_chain_or_above_the_head_is_refused(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *k = log_of(1, 5);
    struct logkit *other = logkit_branch(k, 2);
    logkit_add(other, SPEAN_ENTRY_CHANGE, NULL, 30, 0xdd, 5, true);
    assert_int_equal(logs_fixture_append(f, k, 1, 4, true), SPEAN_OK);
    const struct {
        struct spean_place place;
        spean_err err;
    } cases[] = {{logkit_place(other, 3), SPEAN_EFORK}, {logkit_place(k, 5), SPEAN_EGAP}};
    for (size_t i = 0; i < 2; i++) {
        struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_WRITE);
        bool more = false;
        assert_int_equal(spean_log_cut_back(tx, &k->log, &cases[i].place, &more), cases[i].err);
        assert_int_equal(spean_tx_commit(tx), cases[i].err);
    }
    assert_head(f, k, 4);
    logkit_free(other);
    logkit_free(k);
}

static void a_log_grows_again_along_another_branch_after_a_cut(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *k = log_of(1, 5);
    struct logkit *other = logkit_branch(k, 2);
    logkit_add(other, SPEAN_ENTRY_CHANGE, NULL, 30, 0xdd, 5, true);
    assert_int_equal(logs_fixture_append(f, k, 1, 5, true), SPEAN_OK);
    cut_back_to(f, k, 2);
    assert_int_equal(logs_fixture_append(f, other, 3, 3, true), SPEAN_OK);
    assert_head(f, other, 3);
    cut_back_to(f, other, 2);
    assert_int_equal(logs_fixture_rows(f, SPEAN_TABLE_ASIDE), 4); /* Both branches, side by side. */
    logkit_free(other);
    logkit_free(k);
}

static void a_deep_cut_is_made_in_slices_that_can_each_be_served(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *k = logkit_new(1);
    const uint32_t count = SPEAN_LOG_CUT_ENTRIES + 1000;
    for (uint32_t i = 1; i <= count; i++) {
        logkit_add(k, SPEAN_ENTRY_CHANGE, NULL, 4, (uint8_t)i, i, i % 150 == 0 || i == count);
    }
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_WRITE);
    for (uint32_t first = 1; first <= count; first += 150) {
        const uint32_t last = count - first < 150 ? count : first + 149;
        assert_int_equal(logs_fixture_append_in(f, tx, k, first, last, true), SPEAN_OK);
    }
    logs_fixture_commit(tx);

    const struct spean_place place = logkit_place(k, 200); /* No signature is kept there. */
    bool more = false;
    tx = logs_fixture_begin(f, SPEAN_TX_WRITE);
    assert_int_equal(spean_log_cut_back(tx, &k->log, &place, &more), SPEAN_OK);
    logs_fixture_commit(tx);
    assert_true(more);
    const uint64_t head = logs_fixture_row(f, k).head.seq;
    assert_true(head >= count - SPEAN_LOG_CUT_ENTRIES);
    assert_int_equal(head % 150, 0); /* So one is kept here. */
    assert_head(f, k, (uint32_t)head);
    cut_back_to(f, k, 200);
    assert_head(f, k, 200);
    assert_int_equal(logs_fixture_rows(f, SPEAN_TABLE_ASIDE), count - 200);
    logkit_free(k);
}

static struct spean_place settle(struct logs_fixture *f, const struct spean_log *log)
{
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_WRITE);
    struct spean_place head = {.seq = 99};
    bool more = true;
    assert_int_equal(spean_log_settle(tx, log, &head, &more), SPEAN_OK);
    assert_false(more);
    logs_fixture_commit(tx);
    return head;
}

static void settling_goes_back_to_the_cut_and_ends_the_dispute(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *k = log_of(1, 6);
    struct logkit *other = logkit_branch(k, 3);
    logkit_add(other, SPEAN_ENTRY_CHANGE, NULL, 30, 0xdd, 5, true);
    logkit_add(other, SPEAN_ENTRY_CHANGE, NULL, 30, 0xde, 5, true);
    assert_int_equal(logs_fixture_append(f, k, 1, 6, true), SPEAN_OK);
    const struct spean_log open = logs_fixture_open(k);
    assert_int_equal(settle(f, &open).seq, 6);
    dispute(f, k, other, 3);
    assert_int_equal(settle(f, &open).seq, 6);
    assert_int_equal(logs_fixture_row(f, k).standing, SPEAN_LOG_DISPUTED);

    const struct spean_log cut = logs_fixture_cut(k, 5);
    assert_int_equal(settle(f, &cut).seq, 5);
    assert_int_equal(logs_fixture_row(f, k).standing, SPEAN_LOG_GOING);
    assert_int_equal(settle(f, &cut).seq, 5); /* Again changes nothing. */

    const struct spean_log nothing = logs_fixture_cut(k, 0);
    assert_int_equal(settle(f, &nothing).seq, 0);
    assert_int_equal(logs_fixture_row(f, k).bytes, 0);
    logkit_free(other);
    logkit_free(k);
}

static void settling_leaves_the_branch_that_the_cut_does_not_name(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *k = log_of(1, 6);
    struct logkit *other = logkit_branch(k, 3);
    for (uint8_t i = 0; i < 5; i++) {
        logkit_add(other, SPEAN_ENTRY_CHANGE, NULL, 30, (uint8_t)(0xd0 + i), 5, true);
    }
    assert_int_equal(logs_fixture_append(f, k, 1, 6, true), SPEAN_OK);
    dispute(f, k, other, 3);
    const struct spean_log cuts[] = {logs_fixture_cut(other, 5), logs_fixture_cut(other, 8)};
    for (size_t i = 0; i < 2; i++) { /* At a place below our head, and at one above. */
        assert_int_equal(settle(f, &cuts[i]).seq, 3);
        assert_int_equal(logs_fixture_row(f, k).standing, SPEAN_LOG_GOING);
        if (i == 0) {
            assert_int_equal(logs_fixture_append(f, k, 4, 6, true), SPEAN_OK);
            struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_WRITE);
            assert_int_equal(spean_logs_set_standing(tx, &k->log, SPEAN_LOG_DISPUTED), SPEAN_OK);
            logs_fixture_commit(tx);
        }
    }
    assert_int_equal(append_cut(f, other, 4, 8, &cuts[1]), SPEAN_OK);
    assert_int_equal(settle(f, &cuts[1]).seq, 8);
    logkit_free(other);
    logkit_free(k);
}

static void without_evidence_the_wrong_branch_goes_as_a_whole(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *k = log_of(1, 6);
    struct logkit *other = logkit_branch(k, 3);
    logkit_add(other, SPEAN_ENTRY_CHANGE, NULL, 30, 0xdd, 5, true);
    assert_int_equal(logs_fixture_append(f, k, 1, 6, true), SPEAN_OK);
    const struct spean_log cut = logs_fixture_cut(other, 4);
    assert_int_equal(settle(f, &cut).seq, 0);
    assert_int_equal(logs_fixture_rows(f, SPEAN_TABLE_ASIDE), 6);
    logkit_free(other);
    logkit_free(k);
}

static void a_log_of_which_nothing_is_held_is_settled(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *k = log_of(1, 2);
    const struct spean_log cut = logs_fixture_cut(k, 1);
    assert_int_equal(settle(f, &cut).seq, 0);
    assert_int_equal(logs_fixture_rows(f, SPEAN_TABLE_LOGS), 0);
    logkit_free(k);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, logs_fixture_setup, logs_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_appended_reads_back),
        TEST(signatures_and_arrivals_are_kept_where_runs_end),
        TEST(a_gap_is_refused_and_changes_nothing),
        TEST(a_fork_is_refused_wherever_it_begins),
        TEST(a_repetition_changes_nothing),
        TEST(of_a_run_that_overlaps_the_rest_is_appended),
        TEST(nothing_is_appended_above_a_cut),
        TEST(neither_branch_of_a_disputed_log_grows),
        TEST(an_abort_leaves_nothing),
        TEST(a_full_store_keeps_what_was_committed_and_nothing_of_the_rest),
        TEST(a_body_that_may_not_be_kept_is_lacking),
        TEST(several_logs_grow_side_by_side),
        TEST(the_frontier_is_the_heads_of_all_logs),
        TEST(a_damaged_row_of_a_log_stops_appending),
        TEST(own_commits_are_stored_as_others_are),
        TEST(own_commits_pass_the_checks_that_others_do),
        TEST(a_cut_sets_aside_what_is_above),
        TEST(damage_of_what_is_set_aside_hides_nothing_behind_it),
        TEST(beyond_its_quota_an_entry_is_set_aside_without_body),
        TEST(what_was_set_aside_before_counts_once),
        TEST(a_cut_of_another_chain_or_above_the_head_is_refused),
        TEST(a_log_grows_again_along_another_branch_after_a_cut),
        TEST(a_deep_cut_is_made_in_slices_that_can_each_be_served),
        TEST(settling_goes_back_to_the_cut_and_ends_the_dispute),
        TEST(settling_leaves_the_branch_that_the_cut_does_not_name),
        TEST(without_evidence_the_wrong_branch_goes_as_a_whole),
        TEST(a_log_of_which_nothing_is_held_is_settled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
