#include "store/beyond.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/entries.h"
#include "store/partkeys.h"
#include "tests/unit/store/logs_fixture.h"

static void cut_back_to(struct logs_fixture *f, const struct logkit *k, uint32_t seq)
{
    const struct spean_place place = logkit_place(k, seq);
    bool more = false;
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_WRITE);
    assert_int_equal(spean_log_cut_back(tx, &k->log, &place, &more), SPEAN_OK);
    assert_false(more);
    logs_fixture_commit(tx);
}

/* Ten entries that came as 1 to 4, 5 to 7 and 8 to 10, so that 4, 7 and 10 are signed; cut at 5. */
static struct logkit *begin(struct logs_fixture *f)
{
    struct logkit *k = logkit_new(1);
    logkit_fill(k, 10);
    assert_int_equal(logs_fixture_append(f, k, 1, 4, true), SPEAN_OK);
    assert_int_equal(logs_fixture_append(f, k, 5, 7, true), SPEAN_OK);
    assert_int_equal(logs_fixture_append(f, k, 8, 10, true), SPEAN_OK);
    cut_back_to(f, k, 5);
    return k;
}

static struct spean_beyond_held held_of(struct logs_fixture *f, const struct logkit *k,
                                        struct spean_place after)
{
    struct spean_beyond_held held;
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_READ);
    assert_int_equal(spean_beyond_held(tx, &k->log, &after, &held), SPEAN_OK);
    spean_tx_abort(tx);
    return held;
}

/* Serve as asked; on success the run is verified, and decoded to f->run. */
static spean_err serve(struct logs_fixture *f, const struct logkit *k,
                       const struct spean_beyond_request *asked, struct spean_place *last)
{
    struct spean_beyond_request request = *asked;
    struct spean_beyond_branch branch;
    request.log = &k->log;
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_READ);
    const spean_err err = spean_beyond_serve(tx, &request, f->out, SPEAN_FRAME_BYTES_MAX, &branch);
    if (err == SPEAN_OK) {
        uint64_t first = 0;
        assert_int_equal(spean_run_first_seq(branch.run, &first), SPEAN_OK);
        const struct spean_place after = {first - 1, branch.previous};
        assert_int_equal(spean_run_decode(f->run, branch.run, &k->log, &after), SPEAN_OK);
        assert_int_equal(spean_run_verify(f->run, &k->signing, NULL), SPEAN_OK);
        *last = branch.last;
    }
    spean_tx_abort(tx);
    return err;
}

static spean_err keep(struct logs_fixture *f, const struct logkit *k, uint32_t first, uint32_t last,
                      uint32_t cut)
{
    logs_fixture_decode(f, k, first, last, true);
    const struct spean_log log = logs_fixture_cut(k, cut);
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_WRITE);
    const spean_err err = spean_beyond_keep(tx, f->run, &log);
    logs_fixture_commit(tx);
    return err;
}

static void what_is_set_aside_is_named_by_its_signed_entries(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *k = begin(f);
    const struct spean_beyond_held held = held_of(f, k, (struct spean_place){0});
    assert_int_equal(held.count, 2);
    const struct spean_place seventh = logkit_place(k, 7);
    const struct spean_place tenth = logkit_place(k, 10);
    assert_int_equal(spean_place_compare(&held.places[0], &seventh), 0);
    assert_int_equal(spean_place_compare(&held.places[1], &tenth), 0);
    assert_false(held.more);
    assert_false(held.full);
    assert_int_equal(held_of(f, k, seventh).count, 1);
    assert_int_equal(held_of(f, k, tenth).count, 0);
    logkit_free(k);
}

static void of_a_log_that_is_not_known_nothing_is_held_and_nothing_given(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *k = logkit_new(3);
    struct spean_place last;
    assert_int_equal(held_of(f, k, (struct spean_place){0}).count, 0);
    assert_int_equal(serve(f, k, &(struct spean_beyond_request){0}, &last), SPEAN_ENOTFOUND);
    logkit_free(k);
}

static void runs_are_given_one_after_the_other(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *k = begin(f);
    struct spean_beyond_request request = {0};
    assert_int_equal(serve(f, k, &request, &request.after), SPEAN_OK);
    assert_int_equal(spean_run_entry(f->run, 0)->header.seq, 6); /* Above the cut. */
    assert_int_equal(request.after.seq, 7);
    assert_true(spean_run_entry(f->run, 0)->body.len > 0);
    assert_int_equal(serve(f, k, &request, &request.after), SPEAN_OK);
    assert_int_equal(spean_run_entry(f->run, 0)->header.seq, 8);
    assert_int_equal(spean_run_count(f->run), 3);
    assert_int_equal(serve(f, k, &request, &request.after), SPEAN_ENOTFOUND);
    logkit_free(k);
}

static void what_the_asker_holds_is_not_given(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *k = begin(f);
    const struct spean_place held[] = {logkit_place(k, 7), logkit_place(k, 10)};
    struct spean_place last;
    struct spean_beyond_request request = {.held = held, .held_count = 1};
    assert_int_equal(serve(f, k, &request, &last), SPEAN_OK);
    assert_int_equal(last.seq, 10);
    request.more = true; /* It holds others, which it names another time. */
    assert_int_equal(serve(f, k, &request, &last), SPEAN_ENOTFOUND);
    request = (struct spean_beyond_request){.held = held, .held_count = 2};
    assert_int_equal(serve(f, k, &request, &last), SPEAN_ENOTFOUND);
    request = (struct spean_beyond_request){.held = held + 1, .held_count = 1, .more = true};
    assert_int_equal(serve(f, k, &request, &last), SPEAN_OK);
    assert_int_equal(last.seq, 7);
    logkit_free(k);
}

static void a_damaged_run_hides_no_other(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *k = begin(f);
    struct spean_db_key sixth = spean_entries_key(0, 6);
    spean_db_key_put_bytes(&sixth, k->entries[5].id.bytes, 16);
    logs_fixture_damage(f, SPEAN_TABLE_ASIDE, spean_db_key_view(&sixth), 90);
    struct spean_place last;
    assert_int_equal(serve(f, k, &(struct spean_beyond_request){0}, &last), SPEAN_OK);
    assert_int_equal(last.seq, 10);
    logkit_free(k);
}

static void what_is_fetched_is_kept_and_can_be_given_on(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *k = logkit_new(1);
    logkit_fill(k, 10);
    assert_int_equal(logs_fixture_append(f, k, 1, 5, true), SPEAN_OK);
    assert_int_equal(keep(f, k, 6, 7, 5), SPEAN_OK);
    assert_int_equal(keep(f, k, 8, 10, 5), SPEAN_OK);
    const uint64_t bytes = logs_fixture_row(f, k).aside_bytes;
    assert_true(bytes > 0);
    assert_int_equal(keep(f, k, 8, 10, 5), SPEAN_OK); /* Once more changes nothing. */
    assert_int_equal(logs_fixture_rows(f, SPEAN_TABLE_ASIDE), 5);
    assert_int_equal(logs_fixture_row(f, k).aside_bytes, bytes);
    assert_int_equal(logs_fixture_row(f, k).head.seq, 5);
    assert_int_equal(held_of(f, k, (struct spean_place){0}).count, 2);
    struct spean_beyond_request request = {0};
    assert_int_equal(serve(f, k, &request, &request.after), SPEAN_OK);
    assert_int_equal(serve(f, k, &request, &request.after), SPEAN_OK);
    assert_int_equal(request.after.seq, 10);
    logkit_free(k);
}

static void only_what_is_beyond_the_cut_is_kept(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *k = logkit_new(1);
    logkit_fill(k, 10);
    assert_int_equal(logs_fixture_append(f, k, 1, 3, true), SPEAN_OK);
    assert_int_equal(keep(f, k, 2, 7, 5), SPEAN_OK); /* 4 and 5 may still come to be held. */
    assert_int_equal(logs_fixture_rows(f, SPEAN_TABLE_ASIDE), 2);
    assert_int_equal(keep(f, k, 1, 3, 5), SPEAN_OK);
    assert_int_equal(logs_fixture_rows(f, SPEAN_TABLE_ASIDE), 2);
    logkit_free(k);
}

static void the_other_branch_of_a_fork_is_kept_from_where_it_parts(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *k = logkit_new(1);
    logkit_fill(k, 6);
    struct logkit *other = logkit_branch(k, 3);
    for (int i = 0; i < 2; i++) {
        logkit_add(other, SPEAN_ENTRY_CHANGE, NULL, 64, 0xbb, 1, true);
    }
    assert_int_equal(logs_fixture_append(f, k, 1, 6, true), SPEAN_OK);
    logs_fixture_decode(f, other, 2, 5, true);
    const struct spean_log log = logs_fixture_cut(k, 6);
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_WRITE);
    assert_int_equal(spean_beyond_keep(tx, f->run, &log), SPEAN_OK);
    logs_fixture_commit(tx);
    assert_int_equal(logs_fixture_rows(f, SPEAN_TABLE_ASIDE), 2);
    struct spean_place last;
    assert_int_equal(serve(f, k, &(struct spean_beyond_request){0}, &last), SPEAN_OK);
    assert_int_equal(spean_run_entry(f->run, 0)->header.seq, 4);
    assert_int_equal(last.seq, 5);
    logkit_free(other);
    logkit_free(k);
}

static void beyond_the_quota_nothing_is_taken(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *k = begin(f);
    struct spean_logs_row row = logs_fixture_row(f, k);
    row.aside_bytes = SPEAN_LOG_ASIDE_BYTES_MAX;
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_WRITE);
    assert_int_equal(spean_logs_put(tx, &row), SPEAN_OK);
    logs_fixture_commit(tx);
    assert_true(held_of(f, k, (struct spean_place){0}).full);
    logkit_fill(k, 2);
    assert_int_equal(keep(f, k, 11, 12, 5), SPEAN_ELIMIT);
    assert_int_equal(logs_fixture_rows(f, SPEAN_TABLE_ASIDE), 5);
    logkit_free(k);
}

static const struct spean_tag tag = {{0x51}};

static void erase_tag(struct logs_fixture *f)
{
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_WRITE);
    assert_int_equal(spean_partkeys_put_tag(tx, &tag, 0), SPEAN_OK);
    logs_fixture_commit(tx);
}

static struct logkit *three_of_a_part(void)
{
    struct logkit *k = logkit_new(1);
    logkit_add(k, SPEAN_ENTRY_CHANGE, NULL, 64, 0x11, 1, true);
    logkit_add(k, SPEAN_ENTRY_CHANGE, &tag, 64, 0x22, 1, true);
    logkit_add(k, SPEAN_ENTRY_CHANGE, NULL, 64, 0x33, 1, true);
    return k;
}

static void an_erased_body_beyond_a_cut_is_given_to_nobody(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *k = three_of_a_part();
    assert_int_equal(logs_fixture_append(f, k, 1, 3, true), SPEAN_OK);
    cut_back_to(f, k, 1);
    erase_tag(f);
    struct spean_place last;
    assert_int_equal(serve(f, k, &(struct spean_beyond_request){0}, &last), SPEAN_OK);
    assert_int_equal(spean_run_count(f->run), 2);
    assert_int_equal(spean_run_entry(f->run, 0)->body.len, 0);
    assert_true(spean_run_entry(f->run, 1)->body.len > 0);
    logkit_free(k);
}

static void an_erased_body_is_not_kept_beyond_a_cut_either(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *k = three_of_a_part();
    assert_int_equal(logs_fixture_append(f, k, 1, 1, true), SPEAN_OK);
    erase_tag(f);
    assert_int_equal(keep(f, k, 2, 3, 1), SPEAN_OK);
    struct spean_logs_row row = logs_fixture_row(f, k);
    struct spean_log_aside_at at = {0};
    struct spean_log_aside aside;
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_READ);
    assert_int_equal(spean_log_aside_next(tx, &row, &at, &aside), SPEAN_OK);
    assert_int_equal(aside.entry.body.len, 0);
    assert_int_equal(spean_log_aside_next(tx, &row, &at, &aside), SPEAN_OK);
    assert_true(aside.entry.body.len > 0);
    spean_tx_abort(tx);
    logkit_free(k);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, logs_fixture_setup, logs_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_set_aside_is_named_by_its_signed_entries),
        TEST(of_a_log_that_is_not_known_nothing_is_held_and_nothing_given),
        TEST(runs_are_given_one_after_the_other),
        TEST(what_the_asker_holds_is_not_given),
        TEST(a_damaged_run_hides_no_other),
        TEST(what_is_fetched_is_kept_and_can_be_given_on),
        TEST(only_what_is_beyond_the_cut_is_kept),
        TEST(the_other_branch_of_a_fork_is_kept_from_where_it_parts),
        TEST(beyond_the_quota_nothing_is_taken),
        TEST(an_erased_body_beyond_a_cut_is_given_to_nobody),
        TEST(an_erased_body_is_not_kept_beyond_a_cut_either),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
