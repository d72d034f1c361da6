#include "store/peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "store/counter.h"
#include "tests/unit/store/logs_fixture.h"

static struct spean_peer peer_of(uint8_t number)
{
    struct spean_peer peer;
    (void)memset(peer.org.bytes, number, sizeof(peer.org.bytes));
    (void)memset(peer.signing.bytes, 0x40 + number, sizeof(peer.signing.bytes));
    return peer;
}

static void contact(struct logs_fixture *f, uint8_t number, enum spean_peer_way way, uint64_t now)
{
    const struct spean_peer peer = peer_of(number);
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_WRITE);
    assert_int_equal(spean_peer_contact(tx, &peer, way, now), SPEAN_OK);
    logs_fixture_commit(tx);
}

static void the_last_contact_is_remembered(void **state)
{
    struct logs_fixture *f = *state;
    contact(f, 1, SPEAN_PEER_DIALLED, 100);
    contact(f, 1, SPEAN_PEER_BUNDLE, 200);
    const struct spean_peer peer = peer_of(1);
    const struct spean_peer stranger = peer_of(2);
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_READ);
    struct spean_peer_row row;
    assert_int_equal(spean_peer_get(tx, &stranger, &row), SPEAN_ENOTFOUND);
    assert_int_equal(spean_peer_get(tx, &peer, &row), SPEAN_OK);
    spean_tx_abort(tx);
    assert_int_equal(row.contact_s, 200);
    assert_int_equal(row.way, SPEAN_PEER_BUNDLE);
    assert_memory_equal(&row.peer, &peer, sizeof(peer));
}

static void peers_are_walked_over_in_order(void **state)
{
    struct logs_fixture *f = *state;
    contact(f, 3, SPEAN_PEER_DIALLED, 1);
    contact(f, 1, SPEAN_PEER_DIALLED, 1);
    contact(f, 2, SPEAN_PEER_ANSWERED, 1);
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_READ);
    struct spean_peer_row row;
    assert_int_equal(spean_peer_next(tx, NULL, &row), SPEAN_OK);
    for (uint8_t number = 1; number <= 3; number++) {
        const struct spean_peer want = peer_of(number);
        assert_memory_equal(&row.peer, &want, sizeof(want));
        const spean_err err = spean_peer_next(tx, &row.peer, &row);
        assert_int_equal(err, number < 3 ? SPEAN_OK : SPEAN_ENOTFOUND);
    }
    spean_tx_abort(tx);
}

static void of_each_log_the_highest_that_anybody_named_is_known(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *k = logkit_new(1);
    logkit_fill(k, 5);
    assert_int_equal(logs_fixture_append(f, k, 1, 5, true), SPEAN_OK);
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_WRITE);
    uint64_t highest[2] = {99, 99};
    assert_int_equal(spean_peer_highest(tx, highest, 2), SPEAN_OK);
    assert_int_equal(highest[0], 0); /* Nobody named it. */
    for (uint8_t number = 1; number <= 3; number++) {
        const struct spean_peer peer = peer_of(number);
        const struct spean_place place = logkit_place(k, number == 2 ? 5 : number);
        assert_int_equal(spean_peer_holds(tx, &peer, &k->log, &place), SPEAN_OK);
    }
    assert_int_equal(spean_peer_highest(tx, highest, 2), SPEAN_OK);
    assert_int_equal(highest[0], 5);
    assert_int_equal(highest[1], 0);
    assert_int_equal(spean_peer_highest(tx, highest, 0), SPEAN_OK);
    logs_fixture_commit(tx);
    logkit_free(k);
}

static void what_one_peer_holds_is_walked_over_by_log(void **state)
{
    struct logs_fixture *f = *state;
    const struct spean_peer peer = peer_of(1);
    const struct spean_peer other = peer_of(2);
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_WRITE);
    for (uint8_t n = 1; n <= 3; n++) {
        struct logkit *k = logkit_new(n);
        logkit_fill(k, 5);
        assert_int_equal(logs_fixture_append_in(f, tx, k, 1, 5, true), SPEAN_OK);
        const struct spean_place place = logkit_place(k, n);
        assert_int_equal(spean_peer_holds(tx, n == 2 ? &other : &peer, &k->log, &place), SPEAN_OK);
        logkit_free(k);
    }
    struct spean_peer_row row;
    struct spean_place place;
    uint32_t log = 0;
    assert_int_equal(spean_peer_get(tx, &peer, &row), SPEAN_OK);
    assert_int_equal(spean_peer_next_head(tx, row.number, 0, &log, &place), SPEAN_OK);
    assert_int_equal(log, 0);
    assert_int_equal(place.seq, 1);
    assert_int_equal(spean_peer_next_head(tx, row.number, log + 1, &log, &place), SPEAN_OK);
    assert_int_equal(log, 2); /* The other peer alone named the log between. */
    assert_int_equal(place.seq, 3);
    assert_int_equal(spean_peer_next_head(tx, row.number, log + 1, &log, &place), SPEAN_ENOTFOUND);
    logs_fixture_commit(tx);
}

static void what_is_proven_of_many_logs_at_once_takes_nothing_back(void **state)
{
    struct logs_fixture *f = *state;
    const struct spean_peer peer = peer_of(1);
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_WRITE);
    struct spean_frontier_row rows[4] = {
        {.log = peer.org, .head = {.seq = 9}}}; /* Not kept here. */
    for (uint8_t n = 1; n <= 3; n++) {
        struct logkit *k = logkit_new(n);
        logkit_fill(k, 5);
        assert_int_equal(logs_fixture_append_in(f, tx, k, 1, 5, true), SPEAN_OK);
        rows[n] = (struct spean_frontier_row){.log = k->log, .head = logkit_place(k, n)};
        const struct spean_place said = logkit_place(k, 2);
        assert_int_equal(n == 1 ? SPEAN_OK : spean_peer_holds(tx, &peer, &k->log, &said), SPEAN_OK);
        logkit_free(k);
    }
    assert_int_equal(spean_peer_holds_all(tx, &peer, rows, 4), SPEAN_OK);
    static const uint64_t expected[] = {0, 1, 2, 3};
    for (size_t n = 1; n <= 3; n++) {
        struct spean_place held;
        assert_int_equal(spean_peer_head(tx, &peer, &rows[n].log, &held), SPEAN_OK);
        assert_int_equal(held.seq, expected[n]);
        rows[n].head.seq = 1; /* What was true before. */
    }
    assert_int_equal(spean_peer_holds_all(tx, &peer, rows, 4), SPEAN_OK);
    assert_int_equal(spean_peer_holds_all(tx, &peer, NULL, 0), SPEAN_OK);
    struct spean_place held;
    assert_int_equal(spean_peer_head(tx, &peer, &rows[3].log, &held), SPEAN_OK);
    assert_int_equal(held.seq, 3);
    logs_fixture_commit(tx);
}

static void what_a_peer_holds_is_what_it_said_last(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *k = logkit_new(1);
    logkit_fill(k, 5);
    assert_int_equal(logs_fixture_append(f, k, 1, 5, true), SPEAN_OK);
    const struct spean_peer peer = peer_of(1);
    struct spean_place place = logkit_place(k, 4);
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_WRITE);
    assert_int_equal(spean_peer_holds(tx, &peer, &peer.org, &place), SPEAN_ENOTFOUND);
    assert_int_equal(spean_peer_holds(tx, &peer, &k->log, &place), SPEAN_OK);
    place = logkit_place(k, 2);
    assert_int_equal(spean_peer_holds(tx, &peer, &k->log, &place), SPEAN_OK);
    logs_fixture_commit(tx);
    contact(f, 1, SPEAN_PEER_DIALLED, 7);

    tx = logs_fixture_begin(f, SPEAN_TX_READ);
    struct spean_place said;
    assert_int_equal(spean_peer_head(tx, &peer, &k->log, &said), SPEAN_OK);
    assert_int_equal(said.seq, 2);
    assert_memory_equal(&said.entry, &place.entry, sizeof(place.entry));
    const struct spean_peer stranger = peer_of(2);
    assert_int_equal(spean_peer_head(tx, &stranger, &k->log, &said), SPEAN_ENOTFOUND);
    spean_tx_abort(tx);
    logkit_free(k);
}

static void a_damaged_row_is_told(void **state)
{
    struct logs_fixture *f = *state;
    contact(f, 1, SPEAN_PEER_DIALLED, 7);
    const struct spean_peer peer = peer_of(1);
    uint8_t key[64];
    (void)memcpy(key, peer.org.bytes, 32);
    (void)memcpy(key + 32, peer.signing.bytes, 32);
    logs_fixture_damage(f, SPEAN_TABLE_PEERS, (struct spean_view){key, 64}, 0);
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_READ);
    struct spean_peer_row row;
    assert_int_equal(spean_peer_get(tx, &peer, &row), SPEAN_ECORRUPT);
    assert_int_equal(spean_peer_next(tx, NULL, &row), SPEAN_ECORRUPT);
    spean_tx_abort(tx);
}

static void a_counter_ends_at_its_maximum(void **state)
{
    struct logs_fixture *f = *state;
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_WRITE);
    uint32_t number = 0;
    assert_int_equal(spean_counter_next(tx, "test", 2, &number), SPEAN_OK);
    assert_int_equal(number, 1);
    assert_int_equal(spean_counter_next(tx, "test", 2, &number), SPEAN_OK);
    assert_int_equal(number, 2);
    assert_int_equal(spean_counter_next(tx, "test", 2, &number), SPEAN_ELIMIT);
    assert_int_equal(spean_counter_next(tx, "other", 2, &number), SPEAN_OK);
    assert_int_equal(number, 1);
    logs_fixture_commit(tx);
    logs_fixture_delete(f, SPEAN_TABLE_META, fixture_text("counter/other"));
    fixture_put(f->store, SPEAN_TABLE_META, "counter/test", fixture_text("abc"));
    tx = logs_fixture_begin(f, SPEAN_TX_WRITE);
    assert_int_equal(spean_counter_next(tx, "test", 2, &number), SPEAN_ECORRUPT);
    spean_tx_abort(tx);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, logs_fixture_setup, logs_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_last_contact_is_remembered),
        TEST(peers_are_walked_over_in_order),
        TEST(of_each_log_the_highest_that_anybody_named_is_known),
        TEST(what_one_peer_holds_is_walked_over_by_log),
        TEST(what_is_proven_of_many_logs_at_once_takes_nothing_back),
        TEST(what_a_peer_holds_is_what_it_said_last),
        TEST(a_damaged_row_is_told),
        TEST(a_counter_ends_at_its_maximum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
