#include "store/serve.h"

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

static bool every_body(void *ctx, const struct spean_header *header)
{
    (void)ctx;
    (void)header;
    return true;
}

static bool untagged(void *ctx, const struct spean_header *header)
{
    (void)ctx;
    return !header->has_tag;
}

static spean_err serve(struct logs_fixture *f, const struct spean_serve_request *request,
                       struct spean_served *out)
{
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_READ);
    const spean_err err = spean_serve_run(tx, request, f->out, SPEAN_LOG_RUN_BYTES_MAX, out);
    spean_tx_abort(tx);
    return err;
}

static struct spean_serve_request whole(const struct spean_log *log)
{
    return (struct spean_serve_request){
        .log = log,
        .bytes_max = SPEAN_RUN_BYTES_MAX,
        .travels = every_body,
    };
}

static void assert_run(struct logs_fixture *f, const struct logkit *k, uint32_t first,
                       uint32_t last, bool bodies, const struct spean_served *served)
{
    const struct spean_view want = logkit_run(k, first, last, bodies, f->buf);
    assert_int_equal(served->first_seq, first);
    assert_int_equal(served->last.seq, last);
    assert_int_equal(served->run.len, want.len);
    assert_memory_equal(served->run.data, want.data, want.len);
}

static void from_every_place_the_run_is_served_byte_by_byte(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *k = logkit_new(1);
    logkit_fill(k, 20);
    assert_int_equal(logs_fixture_append(f, k, 1, 7, true), SPEAN_OK);
    assert_int_equal(logs_fixture_append(f, k, 8, 20, true), SPEAN_OK);
    const struct spean_log log = logs_fixture_open(k);
    struct spean_serve_request request = whole(&log);
    for (uint32_t seq = 0; seq < 20; seq++) {
        const struct spean_place place = logkit_place(k, seq);
        struct spean_served served;
        request.places = &place;
        request.places_count = 1;
        request.bytes_max = SPEAN_RUN_BYTES_MAX;
        assert_int_equal(serve(f, &request, &served), SPEAN_OK);
        assert_run(f, k, seq + 1, 20, true, &served);
        assert_false(served.more);
        request.bytes_max = 1; /* Then up to the next signature, not further. */
        assert_int_equal(serve(f, &request, &served), SPEAN_OK);
        assert_run(f, k, seq + 1, seq < 7 ? 7 : 20, true, &served);
        assert_int_equal(served.more, seq < 7);
    }
    logkit_free(k);
}

static void the_size_is_that_of_the_protocol_also_without_bodies(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *k = logkit_new(1);
    logkit_fill(k, 9);
    assert_int_equal(logs_fixture_append(f, k, 1, 9, true), SPEAN_OK);
    const struct spean_log log = logs_fixture_open(k);
    struct spean_serve_request request = whole(&log);
    request.travels = NULL;
    struct spean_served served;
    assert_int_equal(serve(f, &request, &served), SPEAN_OK);
    assert_run(f, k, 1, 9, false, &served);
    logs_fixture_decode(f, k, 1, 9, true);
    assert_int_equal(served.size, spean_run_size(f->run));
    logkit_free(k);
}

static void bytes_asked_for_bound_the_run(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *k = logkit_new(1);
    logkit_fill(k, 9);
    for (uint32_t seq = 1; seq <= 9; seq++) {
        assert_int_equal(logs_fixture_append(f, k, seq, seq, true), SPEAN_OK);
    }
    const struct spean_log log = logs_fixture_open(k);
    struct spean_serve_request request = whole(&log);
    logs_fixture_decode(f, k, 1, 4, true);
    struct spean_served served;
    request.bytes_max = spean_run_size(f->run);
    assert_int_equal(serve(f, &request, &served), SPEAN_OK);
    assert_int_equal(served.last.seq, 4);
    request.bytes_max--;
    assert_int_equal(serve(f, &request, &served), SPEAN_OK);
    assert_int_equal(served.last.seq, 3);
    assert_true(served.more);
    logkit_free(k);
}

static void a_run_has_no_more_than_the_protocol_allows(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *large = logkit_new(1);
    for (uint8_t i = 1; i <= 5; i++) {
        logkit_add(large, SPEAN_ENTRY_CHANGE, NULL, 40000, i, 1, true);
        assert_int_equal(logs_fixture_append(f, large, i, i, true), SPEAN_OK);
    }
    struct logkit *many = logkit_new(2);
    logkit_fill(many, 300);
    assert_int_equal(logs_fixture_append(f, many, 1, 150, true), SPEAN_OK);
    assert_int_equal(logs_fixture_append(f, many, 151, 256, true), SPEAN_OK);
    assert_int_equal(logs_fixture_append(f, many, 257, 300, true), SPEAN_OK);
    const struct spean_log logs[] = {logs_fixture_open(large), logs_fixture_open(many)};
    static const uint32_t last[] = {3, 256};
    for (size_t i = 0; i < 2; i++) {
        struct spean_serve_request request = whole(&logs[i]);
        request.bytes_max = UINT32_MAX;
        struct spean_served served;
        assert_int_equal(serve(f, &request, &served), SPEAN_OK);
        assert_int_equal(served.last.seq, last[i]);
        assert_true(served.more);
    }
    logkit_free(many);
    logkit_free(large);
}

static void it_starts_above_the_highest_place_on_our_chain(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *k = logkit_new(1);
    logkit_fill(k, 9);
    struct logkit *other = logkit_branch(k, 5);
    for (uint32_t i = 0; i < 9; i++) {
        logkit_add(other, SPEAN_ENTRY_CHANGE, NULL, 30, 0xdd, 5, true);
    }
    assert_int_equal(logs_fixture_append(f, k, 1, 9, true), SPEAN_OK);
    const struct spean_log log = logs_fixture_open(k);
    struct spean_serve_request request = whole(&log);
    const struct spean_place places[] = {
        logkit_place(other, 14), /* Above our head. */
        logkit_place(other, 8),  /* On the other branch. */
        logkit_place(other, 4),
        logkit_place(other, 2),
    };
    request.places = places;
    request.places_count = 4;
    struct spean_served served;
    assert_int_equal(serve(f, &request, &served), SPEAN_OK);
    assert_run(f, k, 5, 9, true, &served);
    request.places_count = 2; /* None is shared. */
    assert_int_equal(serve(f, &request, &served), SPEAN_OK);
    assert_run(f, k, 1, 9, true, &served);
    logkit_free(other);
    logkit_free(k);
}

static void at_the_head_there_is_nothing_above(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *k = logkit_new(1);
    logkit_fill(k, 4);
    const struct spean_log log = logs_fixture_open(k);
    struct spean_serve_request request = whole(&log);
    struct spean_served served;
    assert_int_equal(serve(f, &request, &served), SPEAN_ENOTFOUND);
    assert_int_equal(logs_fixture_append(f, k, 1, 4, true), SPEAN_OK);
    const struct spean_place head = logkit_place(k, 4);
    request.places = &head;
    request.places_count = 1;
    assert_int_equal(serve(f, &request, &served), SPEAN_OK);
    assert_int_equal(served.run.len, 0);
    assert_false(served.more);
    logkit_free(k);
}

static void a_body_travels_where_it_may_and_is_held_whole(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *k = logkit_new(1);
    logkit_add(k, SPEAN_ENTRY_CHANGE, &tag, 300, 1, 1, true);
    logkit_add(k, SPEAN_ENTRY_CHANGE, NULL, 300, 2, 1, true);
    logkit_add(k, SPEAN_ENTRY_CHANGE, NULL, 300, 3, 1, true);
    assert_int_equal(logs_fixture_append(f, k, 1, 2, true), SPEAN_OK);
    assert_int_equal(logs_fixture_append(f, k, 3, 3, false), SPEAN_OK);
    const struct spean_db_key second = spean_entries_key(0, 2);
    logs_fixture_damage(f, SPEAN_TABLE_BODIES, spean_db_key_view(&second), 7);

    const struct spean_log log = logs_fixture_open(k);
    struct spean_serve_request request = whole(&log);
    struct spean_served served;
    for (int allowed = 0; allowed < 2; allowed++) {
        request.travels = allowed != 0 ? every_body : untagged;
        assert_int_equal(serve(f, &request, &served), SPEAN_OK);
        assert_int_equal(served.bodies_bad, 1);
        const struct spean_place start = {0};
        assert_int_equal(spean_run_decode(f->run, served.run, &k->log, &start), SPEAN_OK);
        assert_int_equal(spean_run_verify(f->run, &k->signing, NULL), SPEAN_OK);
        assert_int_equal(spean_run_entry(f->run, 0)->body.len, allowed != 0 ? 300 : 0);
        assert_int_equal(spean_run_entry(f->run, 1)->body.len, 0);
        assert_int_equal(spean_run_entry(f->run, 2)->body.len, 0);
    }
    logkit_free(k);
}

static void nothing_beyond_the_cut_is_served(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *k = logkit_new(1);
    logkit_fill(k, 9);
    struct logkit *other = logkit_branch(k, 2);
    for (uint32_t i = 0; i < 4; i++) {
        logkit_add(other, SPEAN_ENTRY_CHANGE, NULL, 30, 0xdd, 5, true);
    }
    assert_int_equal(logs_fixture_append(f, k, 1, 9, true), SPEAN_OK);
    const struct spean_log cut = logs_fixture_cut(k, 5); /* No signature is kept there. */
    struct spean_serve_request request = whole(&cut);
    struct spean_served served;
    assert_int_equal(serve(f, &request, &served), SPEAN_OK);
    assert_int_equal(served.last.seq, 5);
    assert_false(served.more);
    const struct spean_place start = {0};
    const struct spean_place end = logkit_place(k, 5);
    assert_int_equal(spean_run_decode(f->run, served.run, &k->log, &start), SPEAN_OK);
    assert_null(spean_run_signature(f->run));
    assert_int_equal(spean_run_verify(f->run, &k->signing, &end), SPEAN_OK);

    const struct spean_log elsewhere = logs_fixture_cut(other, 5);
    request.log = &elsewhere;
    assert_int_equal(serve(f, &request, &served), SPEAN_OK);
    assert_int_equal(served.run.len, 0);
    logkit_free(other);
    logkit_free(k);
}

static void a_damaged_chain_is_not_served(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *k = logkit_new(1);
    logkit_fill(k, 4);
    assert_int_equal(logs_fixture_append(f, k, 1, 4, true), SPEAN_OK);
    const struct spean_log log = logs_fixture_open(k);
    struct spean_serve_request request = whole(&log);
    struct spean_served served;
    const struct spean_db_key third = spean_entries_key(0, 3);
    logs_fixture_damage(f, SPEAN_TABLE_ENTRIES, spean_db_key_view(&third), 60);
    assert_int_equal(serve(f, &request, &served), SPEAN_ECORRUPT);
    logs_fixture_delete(f, SPEAN_TABLE_ENTRIES, spean_db_key_view(&third));
    assert_int_equal(serve(f, &request, &served), SPEAN_ECORRUPT);
    logkit_free(k);
}

static void places_double_their_distance_and_end_with_the_first(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *k = logkit_new(1);
    logkit_fill(k, 40);
    struct spean_place places[SPEAN_PLACES_MAX];
    uint32_t count = 9;
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_READ);
    assert_int_equal(spean_serve_places(tx, &k->log, places, &count), SPEAN_OK);
    spean_tx_abort(tx);
    assert_int_equal(count, 0);
    for (uint32_t seq = 1; seq <= 40; seq++) {
        assert_int_equal(logs_fixture_append(f, k, seq, seq, true), SPEAN_OK);
    }
    tx = logs_fixture_begin(f, SPEAN_TX_READ);
    assert_int_equal(spean_serve_places(tx, &k->log, places, &count), SPEAN_OK);
    spean_tx_abort(tx);
    static const uint32_t want[] = {40, 39, 38, 36, 32, 24, 8};
    assert_int_equal(count, 7);
    for (uint32_t i = 0; i < 7; i++) {
        const struct spean_place place = logkit_place(k, want[i]);
        assert_int_equal(places[i].seq, want[i]);
        assert_memory_equal(&places[i].entry, &place.entry, sizeof(place.entry));
    }
    logkit_free(k);
}

/* -- P5.6: from the end of any run, another can be served -------------------------------------- */

static uint32_t seed;

static uint32_t random_below(uint32_t limit)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % limit;
}

/* The last entry of a run of whole commits that begins at first; as long as it may be, or less. */
static uint32_t random_end(const struct logkit *k, uint32_t first)
{
    uint32_t end = 0;
    size_t size = 0;
    for (uint32_t seq = first; seq <= k->count && seq - first < SPEAN_RUN_ENTRIES_MAX; seq++) {
        const struct logkit_entry *e = &k->entries[seq - 1];
        size += e->header.len + e->body_len;
        if (size > SPEAN_RUN_BYTES_MAX) {
            break;
        }
        if (e->ends_commit) {
            end = seq;
            if (random_below(12) == 0) {
                break;
            }
        }
    }
    assert_true(end >= first);
    return end;
}

static struct logkit *random_log(uint8_t number)
{
    struct logkit *k = logkit_new(number);
    while (k->count < 960) {
        const uint32_t commit = 1 + random_below(random_below(8) == 0 ? 50 : 3);
        for (uint32_t i = 1; i <= commit; i++) {
            const size_t len = 1 + random_below(random_below(20) == 0 ? 2000 : 100);
            logkit_add(k, SPEAN_ENTRY_CHANGE, random_below(2) == 0 ? &tag : NULL, len, (uint8_t)i,
                       k->count, i == commit);
        }
    }
    return k;
}

static void fill_by_random_runs(struct logs_fixture *f, const struct logkit *k)
{
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_WRITE);
    for (uint32_t first = 1; first <= k->count;) {
        const uint32_t end = random_end(k, first);
        assert_int_equal(logs_fixture_append_in(f, tx, k, first, end, true), SPEAN_OK);
        first = end + 1;
    }
    logs_fixture_commit(tx);
}

static void random_runs_on_both_sides_meet_within_one_run(void **state)
{
    struct logs_fixture *f = *state;
    for (uint32_t round = 0; round < 6; round++) {
        seed = 7919 * round + 1;
        struct logkit *k = random_log((uint8_t)(round + 1));
        fill_by_random_runs(f, k);

        /* A receiver that cut its runs in its own way: it may stand at any end of a commit. */
        const struct spean_log log = logs_fixture_open(k);
        struct spean_serve_request request = whole(&log);
        struct spean_place place = {0};
        while (place.seq < k->count) {
            request.places = &place;
            request.places_count = 1;
            request.bytes_max = 1 + random_below(SPEAN_RUN_BYTES_MAX);
            struct spean_served served;
            assert_int_equal(serve(f, &request, &served), SPEAN_OK);
            assert_int_equal(spean_run_decode(f->run, served.run, &k->log, &place), SPEAN_OK);
            assert_int_equal(spean_run_verify(f->run, &k->signing, NULL), SPEAN_OK);
            const uint32_t end = random_end(k, (uint32_t)place.seq + 1);
            place = logkit_place(k, end);
        }
        logkit_free(k);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, logs_fixture_setup, logs_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(from_every_place_the_run_is_served_byte_by_byte),
        TEST(the_size_is_that_of_the_protocol_also_without_bodies),
        TEST(bytes_asked_for_bound_the_run),
        TEST(a_run_has_no_more_than_the_protocol_allows),
        TEST(it_starts_above_the_highest_place_on_our_chain),
        TEST(at_the_head_there_is_nothing_above),
        TEST(a_body_travels_where_it_may_and_is_held_whole),
        TEST(nothing_beyond_the_cut_is_served),
        TEST(a_damaged_chain_is_not_served),
        TEST(places_double_their_distance_and_end_with_the_first),
        TEST(random_runs_on_both_sides_meet_within_one_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
