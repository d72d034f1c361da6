#include "store/carry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/body.h"
#include "tests/unit/store/logs_fixture.h"

static const struct spean_tag tag = {{1, 2, 3}};
static const struct spean_tag last_tag = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                           0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

/* Ten entries: every even one is tagged, the tenth with the last tag there is. */
static struct logkit *headers_held(struct logs_fixture *f, uint8_t number)
{
    struct logkit *k = logkit_new(number);
    for (uint8_t seq = 1; seq <= 10; seq++) {
        const struct spean_tag *of = seq == 10 ? &last_tag : seq % 2 == 0 ? &tag : NULL;
        logkit_add(k, SPEAN_ENTRY_CHANGE, of, 300, seq, 1, true);
    }
    assert_int_equal(logs_fixture_append(f, k, 1, 10, false), SPEAN_OK);
    return k;
}

static void put(struct logs_fixture *f, const struct logkit *k, uint32_t seq)
{
    const struct spean_logs_row row = logs_fixture_row(f, k);
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_WRITE);
    const struct spean_view body = {k->entries[seq - 1].body, k->entries[seq - 1].body_len};
    assert_int_equal(spean_body_put(tx, &row, seq, body), SPEAN_OK);
    logs_fixture_commit(tx);
}

/* Walk over all groups; returns how many bodies they name, and insists that the count agrees. */
static uint32_t walk(struct logs_fixture *f, const struct spean_id *org, uint32_t *groups)
{
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_READ);
    static struct spean_lacking group;
    static const struct spean_id no_proof = {{0}};
    struct spean_carry_at at = {0};
    uint32_t bodies = 0;
    *groups = 0;
    while (spean_carry_lacking(tx, org, &at, &group) == SPEAN_OK) {
        assert_true(spean_id_equal(&group.proof, &no_proof));
        assert_true(group.seqs_count > 0);
        bodies += group.seqs_count;
        (*groups)++;
    }
    uint64_t count = 0;
    assert_int_equal(spean_carry_count(tx, &count), SPEAN_OK);
    assert_true(org != NULL || count == bodies);
    spean_tx_abort(tx);
    return bodies;
}

static void what_came_without_its_body_is_lacking_whatever_its_tag(void **state)
{
    struct logs_fixture *f = *state;
    uint32_t groups;
    assert_int_equal(walk(f, NULL, &groups), 0);
    struct logkit *k = headers_held(f, 1);
    assert_int_equal(walk(f, NULL, &groups), 5);
    assert_int_equal(groups, 2);
    put(f, k, 4);
    put(f, k, 10);
    assert_int_equal(walk(f, NULL, &groups), 3);
    assert_int_equal(groups, 1);
    put(f, k, 2);
    put(f, k, 6);
    put(f, k, 8);
    assert_int_equal(walk(f, NULL, &groups), 0);
    logkit_free(k);
}

static void only_the_logs_of_the_org_asked_for_are_walked(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *k = headers_held(f, 1);
    struct logkit *other = headers_held(f, 2); /* The same tags: nobody can help that. */
    uint32_t groups;
    assert_int_equal(walk(f, NULL, &groups), 10);
    assert_int_equal(groups, 4);
    const struct spean_id first = logs_fixture_row(f, k).org;
    const struct spean_id second = logs_fixture_row(f, other).org;
    const struct spean_id nobody = {{0x77}};
    assert_false(spean_id_equal(&first, &second));
    assert_int_equal(walk(f, &first, &groups), 5);
    assert_int_equal(walk(f, &second, &groups), 5);
    assert_int_equal(walk(f, &nobody, &groups), 0);
    logkit_free(k);
    logkit_free(other);
}

static void what_is_erased_is_not_lacking(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *k = headers_held(f, 1);
    uint32_t groups;
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_WRITE);
    assert_int_equal(spean_partkeys_put_tag(tx, &tag, 0), SPEAN_OK);
    logs_fixture_commit(tx);
    assert_int_equal(walk(f, NULL, &groups), 1);
    logkit_free(k);
}

static void a_large_group_is_given_in_pieces(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *k = logkit_new(1);
    for (uint32_t seq = 1; seq <= 600; seq++) {
        logkit_add(k, SPEAN_ENTRY_CHANGE, &tag, 20, (uint8_t)seq, 1, seq % 200 == 0);
    }
    for (uint32_t first = 1; first < 600; first += 200) {
        assert_int_equal(logs_fixture_append(f, k, first, first + 199, false), SPEAN_OK);
    }
    uint32_t groups;
    assert_int_equal(walk(f, NULL, &groups), 600);
    assert_int_equal(groups, 3); /* Of at most 256. */
    logkit_free(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, logs_fixture_setup, logs_fixture_teardown)
        TEST(what_came_without_its_body_is_lacking_whatever_its_tag),
        TEST(only_the_logs_of_the_org_asked_for_are_walked),
        TEST(what_is_erased_is_not_lacking),
        TEST(a_large_group_is_given_in_pieces),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
