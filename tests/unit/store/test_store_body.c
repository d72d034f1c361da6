#include "store/body.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/entries.h"
#include "tests/unit/store/logs_fixture.h"

static const struct spean_tag tag = {{1, 2, 3}};
static const struct spean_tag other_tag = {{1, 2, 4}};

/* Ten entries: every even one is tagged, the tenth with the other tag. Held without bodies. */
static struct logkit *headers_held(struct logs_fixture *f, uint8_t number)
{
    struct logkit *k = logkit_new(number);
    for (uint8_t seq = 1; seq <= 10; seq++) {
        const struct spean_tag *of = seq == 10 ? &other_tag : seq % 2 == 0 ? &tag : NULL;
        logkit_add(k, SPEAN_ENTRY_CHANGE, of, 300, seq, 1, true);
    }
    assert_int_equal(logs_fixture_append(f, k, 1, 10, false), SPEAN_OK);
    return k;
}

static struct spean_view body_of(const struct logkit *k, uint32_t seq)
{
    return (struct spean_view){k->entries[seq - 1].body, k->entries[seq - 1].body_len};
}

static spean_err put(struct logs_fixture *f, const struct logkit *k, uint64_t seq,
                     struct spean_view body)
{
    const struct spean_logs_row row = logs_fixture_row(f, k);
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_WRITE);
    const spean_err err = spean_body_put(tx, &row, seq, body);
    logs_fixture_commit(tx);
    return err;
}

static spean_err load(struct logs_fixture *f, const struct logkit *k, const struct spean_tag *of,
                      uint64_t seq)
{
    const struct spean_logs_row row = logs_fixture_row(f, k);
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_READ);
    struct spean_view body;
    const spean_err err = spean_body_load(tx, &row, of, seq, &body);
    if (err == SPEAN_OK) {
        const struct spean_view want = body_of(k, (uint32_t)seq);
        assert_int_equal(body.len, want.len);
        assert_memory_equal(body.data, want.data, want.len);
    }
    spean_tx_abort(tx);
    return err;
}

static uint32_t lacking(struct logs_fixture *f, const struct logkit *k, const struct spean_tag *of,
                        uint64_t from, uint64_t *seqs, uint32_t cap, bool *more)
{
    const struct spean_logs_row row = logs_fixture_row(f, k);
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_READ);
    uint32_t count = 0;
    assert_int_equal(spean_body_lacking(tx, of, row.number, from, seqs, cap, &count, more),
                     SPEAN_OK);
    spean_tx_abort(tx);
    return count;
}

static void another_body_than_announced_is_refused(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *k = headers_held(f, 1);
    struct spean_view body = body_of(k, 2);
    assert_int_equal(put(f, k, 4, body), SPEAN_ESIGNATURE);
    body.len--;
    assert_int_equal(put(f, k, 2, body), SPEAN_ESIGNATURE);
    assert_int_equal(put(f, k, 2, (struct spean_view){0}), SPEAN_ESIGNATURE);
    assert_int_equal(put(f, k, 11, body_of(k, 2)), SPEAN_ENOTFOUND);
    assert_int_equal(put(f, k, 0, body_of(k, 2)), SPEAN_ENOTFOUND);
    assert_int_equal(logs_fixture_rows(f, SPEAN_TABLE_BODIES), 0);
    logkit_free(k);
}

static void a_body_that_is_held_is_not_written_again(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *k = headers_held(f, 1);
    assert_int_equal(put(f, k, 2, body_of(k, 2)), SPEAN_OK);
    assert_int_equal(put(f, k, 2, body_of(k, 2)), SPEAN_EEXISTS);
    assert_int_equal(put(f, k, 2, body_of(k, 4)), SPEAN_ESIGNATURE);
    assert_int_equal(load(f, k, &tag, 2), SPEAN_OK);
    logkit_free(k);
}

static void a_damaged_body_counts_as_lacking_once_dropped_and_can_be_replaced(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *k = headers_held(f, 1);
    assert_int_equal(put(f, k, 2, body_of(k, 2)), SPEAN_OK);
    const struct spean_db_key key = spean_entries_key(0, 2);
    logs_fixture_damage(f, SPEAN_TABLE_BODIES, spean_db_key_view(&key), 3);
    assert_int_equal(load(f, k, &tag, 2), SPEAN_ENOTFOUND);
    assert_int_equal(put(f, k, 2, body_of(k, 2)), SPEAN_OK); /* Over the damaged one. */
    assert_int_equal(load(f, k, &tag, 2), SPEAN_OK);

    const struct spean_logs_row row = logs_fixture_row(f, k);
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_WRITE);
    assert_int_equal(spean_body_del(tx, &row, 2), SPEAN_OK);
    assert_int_equal(spean_body_del(tx, &row, 2), SPEAN_ENOTFOUND);
    logs_fixture_commit(tx);
    uint64_t seqs[8];
    bool more;
    assert_int_equal(lacking(f, k, &tag, 1, seqs, 8, &more), 4);
    assert_int_equal(seqs[0], 2);
    logkit_free(k);
}

static void only_entries_that_bear_the_tag_are_loaded(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *k = headers_held(f, 1);
    for (uint32_t seq = 1; seq <= 8; seq++) {
        assert_int_equal(put(f, k, seq, body_of(k, seq)), SPEAN_OK);
    }
    assert_int_equal(load(f, k, &tag, 2), SPEAN_OK);
    assert_int_equal(load(f, k, &tag, 1), SPEAN_ENOTFOUND); /* No tag. */
    assert_int_equal(load(f, k, &other_tag, 2), SPEAN_ENOTFOUND);
    assert_int_equal(load(f, k, &other_tag, 10), SPEAN_ENOTFOUND); /* Not held. */
    assert_int_equal(load(f, k, &tag, 12), SPEAN_ENOTFOUND);       /* No such entry. */
    logkit_free(k);
}

static void what_is_lacking_is_listed_in_groups(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *k = headers_held(f, 1);
    struct logkit *other = headers_held(f, 2);
    assert_int_equal(put(f, k, 4, body_of(k, 4)), SPEAN_OK);
    uint64_t seqs[8];
    bool more;
    assert_int_equal(lacking(f, k, &tag, 1, seqs, 2, &more), 2);
    assert_true(more);
    assert_int_equal(seqs[0], 2);
    assert_int_equal(seqs[1], 6);
    assert_int_equal(lacking(f, k, &tag, seqs[1] + 1, seqs, 2, &more), 1);
    assert_false(more);
    assert_int_equal(seqs[0], 8);
    assert_int_equal(lacking(f, other, &tag, 1, seqs, 8, &more), 4);
    assert_int_equal(lacking(f, other, &other_tag, 1, seqs, 1, &more), 1);
    assert_false(more);
    logkit_free(other);
    logkit_free(k);
}

static void entries_under_a_tag_are_walked_over_by_state(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *a = headers_held(f, 1);
    struct logkit *b = headers_held(f, 2);
    assert_int_equal(put(f, a, 4, body_of(a, 4)), SPEAN_OK);
    assert_int_equal(put(f, b, 8, body_of(b, 8)), SPEAN_OK);
    static const struct spean_tagged want[] = {{0, 4}, {1, 8}};
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_READ);
    struct spean_tagged at = {0};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(spean_body_next(tx, &tag, SPEAN_BODY_HELD, &at, &at), SPEAN_OK);
        assert_int_equal(at.number, want[i].number);
        assert_int_equal(at.seq, want[i].seq);
        at.seq++;
    }
    assert_int_equal(spean_body_next(tx, &tag, SPEAN_BODY_HELD, &at, &at), SPEAN_ENOTFOUND);
    uint32_t count = 0;
    at = (struct spean_tagged){0};
    while (spean_body_next(tx, &tag, SPEAN_BODY_LACKING, &at, &at) == SPEAN_OK) {
        count++;
        at.seq++;
    }
    assert_int_equal(count, 6);
    spean_tx_abort(tx);
    logkit_free(b);
    logkit_free(a);
}

static void a_damaged_header_is_told_from_a_missing_one(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *k = headers_held(f, 1);
    const struct spean_db_key key = spean_entries_key(0, 2);
    const struct spean_view view = spean_db_key_view(&key);
    logs_fixture_damage(f, SPEAN_TABLE_ENTRIES, view, 0); /* The id. */
    assert_int_equal(put(f, k, 2, body_of(k, 2)), SPEAN_ECORRUPT);
    logs_fixture_damage(f, SPEAN_TABLE_ENTRIES, view, 0);
    logs_fixture_damage(f, SPEAN_TABLE_ENTRIES, view, 40); /* The header. */
    assert_int_equal(load(f, k, &tag, 2), SPEAN_ECORRUPT);
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_WRITE);
    (void)spean_tx_put(tx, SPEAN_TABLE_ENTRIES, view, (struct spean_view){tag.bytes, 16});
    logs_fixture_commit(tx);
    assert_int_equal(load(f, k, &tag, 2), SPEAN_ECORRUPT);
    logkit_free(k);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, logs_fixture_setup, logs_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(another_body_than_announced_is_refused),
        TEST(a_body_that_is_held_is_not_written_again),
        TEST(a_damaged_body_counts_as_lacking_once_dropped_and_can_be_replaced),
        TEST(only_entries_that_bear_the_tag_are_loaded),
        TEST(what_is_lacking_is_listed_in_groups),
        TEST(entries_under_a_tag_are_walked_over_by_state),
        TEST(a_damaged_header_is_told_from_a_missing_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
