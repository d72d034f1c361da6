#include "store/evidence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/store/logs_fixture.h"

/* Evidence that the log of number forked after its first entry, at f->out. */
static struct spean_view evidence_of(struct logs_fixture *f, uint8_t number, struct spean_log *log)
{
    struct logkit *k = logkit_new(number);
    logkit_fill(k, 2);
    struct logkit *other = logkit_branch(k, 1);
    logkit_add(other, SPEAN_ENTRY_CHANGE, NULL, 30, 0xdd, 5, true);
    uint8_t *bufs = malloc(2 * SPEAN_FRAME_BYTES_MAX);
    assert_non_null(bufs);
    const struct spean_evidence evidence = {
        .log = k->log,
        .after = logkit_place(k, 1),
        .runs = {logkit_run(k, 2, 2, false, bufs),
                 logkit_run(other, 2, 2, false, bufs + SPEAN_FRAME_BYTES_MAX)},
    };
    struct spean_view bytes;
    assert_int_equal(spean_evidence_encode(&evidence, f->out, SPEAN_FRAME_BYTES_MAX, &bytes),
                     SPEAN_OK);
    *log = logs_fixture_open(k);
    free(bufs);
    logkit_free(other);
    logkit_free(k);
    return bytes;
}

static spean_err put(struct logs_fixture *f, const struct spean_log *log, struct spean_view bytes)
{
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_WRITE);
    const spean_err err = spean_evidence_put(tx, log, bytes);
    logs_fixture_commit(tx);
    return err;
}

static void evidence_is_kept_and_its_log_disputed_even_if_nothing_of_it_is_held(void **state)
{
    struct logs_fixture *f = *state;
    struct spean_log log;
    const struct spean_view bytes = evidence_of(f, 1, &log);
    assert_int_equal(put(f, &log, bytes), SPEAN_OK);
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_READ);
    struct spean_logs_row row;
    assert_int_equal(spean_logs_get(tx, &log.id, &row), SPEAN_OK);
    assert_int_equal(row.standing, SPEAN_LOG_DISPUTED);
    assert_int_equal(row.head.seq, 0);
    struct spean_view kept;
    struct spean_evidence evidence;
    assert_int_equal(spean_evidence_get(tx, &log.id, &kept, &evidence), SPEAN_OK);
    assert_int_equal(kept.len, bytes.len);
    assert_memory_equal(kept.data, bytes.data, bytes.len);
    assert_int_equal(evidence.after.seq, 1);
    assert_int_equal(spean_evidence_get(tx, &log.org, &kept, NULL), SPEAN_ENOTFOUND);
    spean_tx_abort(tx);
}

static void one_is_kept_for_each_log(void **state)
{
    struct logs_fixture *f = *state;
    struct spean_log log;
    const struct spean_view bytes = evidence_of(f, 1, &log);
    assert_int_equal(put(f, &log, bytes), SPEAN_OK);
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_WRITE);
    assert_int_equal(spean_logs_set_standing(tx, &log.id, SPEAN_LOG_GOING), SPEAN_OK);
    logs_fixture_commit(tx);
    assert_int_equal(put(f, &log, bytes), SPEAN_EEXISTS);
    struct spean_logs_row row;
    tx = logs_fixture_begin(f, SPEAN_TX_READ);
    assert_int_equal(spean_logs_get(tx, &log.id, &row), SPEAN_OK);
    spean_tx_abort(tx);
    assert_int_equal(row.standing, SPEAN_LOG_DISPUTED);
    assert_int_equal(logs_fixture_rows(f, SPEAN_TABLE_EVIDENCE), 1);
}

static void evidence_that_is_none_or_of_another_log_is_refused(void **state)
{
    struct logs_fixture *f = *state;
    struct spean_log log;
    struct spean_view bytes = evidence_of(f, 1, &log);
    const struct spean_view cut_short = {bytes.data, bytes.len - 1};
    assert_int_equal(put(f, &log, cut_short), SPEAN_EFORMAT);
    struct spean_log other = log;
    other.id.bytes[0] ^= 1;
    assert_int_equal(put(f, &other, bytes), SPEAN_EINPUT);
    assert_int_equal(logs_fixture_rows(f, SPEAN_TABLE_LOGS), 0);
}

static void all_are_walked_over_also_past_a_damaged_one(void **state)
{
    struct logs_fixture *f = *state;
    struct spean_log logs[3];
    for (uint8_t i = 0; i < 3; i++) {
        const struct spean_view bytes = evidence_of(f, (uint8_t)(i + 1), &logs[i]);
        assert_int_equal(put(f, &logs[i], bytes), SPEAN_OK);
    }
    logs_fixture_damage(f, SPEAN_TABLE_EVIDENCE, (struct spean_view){logs[1].id.bytes, 32}, 0);
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_READ);
    struct spean_view bytes;
    assert_int_equal(spean_evidence_get(tx, &logs[1].id, &bytes, NULL), SPEAN_ECORRUPT);
    struct spean_id at;
    uint32_t good = 0;
    uint32_t bad = 0;
    spean_err err = spean_evidence_next(tx, NULL, &at, &bytes);
    while (err != SPEAN_ENOTFOUND) {
        good += err == SPEAN_OK ? 1 : 0;
        bad += err == SPEAN_ECORRUPT ? 1 : 0;
        assert_true(good + bad <= 3);
        err = spean_evidence_next(tx, &at, &at, &bytes);
    }
    spean_tx_abort(tx);
    assert_int_equal(good, 2);
    assert_int_equal(bad, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, logs_fixture_setup, logs_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(evidence_is_kept_and_its_log_disputed_even_if_nothing_of_it_is_held),
        TEST(one_is_kept_for_each_log),
        TEST(evidence_that_is_none_or_of_another_log_is_refused),
        TEST(all_are_walked_over_also_past_a_damaged_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
