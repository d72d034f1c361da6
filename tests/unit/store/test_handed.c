/* store/handed.h: who is known to have the organisation's sealing secrets, and who is owed them. */
#include "store/handed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/store/author_fixture.h"

static struct spean_tx *begin(struct author_fixture *f, enum author_who who)
{
    struct spean_tx *tx = NULL;
    assert_int_equal(spean_tx_begin(f->nodes[who].store->db, SPEAN_TX_WRITE, &tx), SPEAN_OK);
    return tx;
}

/* Whether who knows of another node of its organisation that lacks them. */
static bool owes(struct author_fixture *f, enum author_who who)
{
    struct spean_tx *tx = begin(f, who);
    bool owed = false;
    assert_int_equal(
        spean_handed_owes(tx, f->nodes[who].authority, f->nodes[who].author.log, &owed), SPEAN_OK);
    spean_tx_abort(tx);
    return owed;
}

static bool lacks(struct author_fixture *f, struct spean_tx *tx, const struct spean_log *node)
{
    bool it_lacks = false;
    assert_int_equal(spean_handed_lacks(tx, f->nodes[A1].authority, node, &it_lacks), SPEAN_OK);
    return it_lacks;
}

static void a_node_is_owed_until_somebody_hands_it_the_secrets(void **state)
{
    struct author_fixture *f = *state;
    assert_true(owes(f, A1));
    assert_int_equal(spean_author_orgkey(&f->nodes[A1].author, NULL), SPEAN_OK);
    assert_false(owes(f, A1)); /* Durable with the grant, before it is folded. */
    author_fixture_fold(&f->nodes[A1]);
    assert_false(owes(f, A1));
}

static void a_grant_that_was_refused_hands_nothing_over(void **state)
{
    struct author_fixture *f = *state;
    assert_true(owes(f, A2));
    assert_int_equal(spean_author_orgkey(&f->nodes[A2].author, NULL), SPEAN_EWAIT);
    assert_true(owes(f, A2));
}

/* Or two nodes would go on thanking each other. */
static void who_was_handed_them_owes_nothing_to_who_did(void **state)
{
    struct author_fixture *f = *state;
    assert_int_equal(spean_author_orgkey(&f->nodes[A1].author, NULL), SPEAN_OK);
    author_fixture_fold(&f->nodes[A1]);
    assert_true(owes(f, A2));
    author_fixture_copy(f, A1, A2);
    assert_false(owes(f, A2));
}

static void two_that_hand_them_over_at_once_do_no_harm(void **state)
{
    struct author_fixture *f = *state;
    assert_int_equal(spean_author_orgkey(&f->nodes[A1].author, NULL), SPEAN_OK);
    author_fixture_fold(&f->nodes[A1]);
    assert_int_equal(spean_author_orgkey(&f->nodes[A2].author, NULL), SPEAN_OK);
    author_fixture_fold(&f->nodes[A2]);
    author_fixture_copy(f, A1, A2);
    author_fixture_copy(f, A2, A1);
    for (enum author_who who = A1; who <= A2; who++) {
        assert_int_equal(spean_keys_org_count(f->nodes[who].keys), 1);
        assert_false(owes(f, who));
    }
}

static void an_organisation_with_one_node_owes_nobody(void **state)
{
    struct author_fixture *f = *state;
    assert_false(owes(f, B1)); /* Nor those of others. */
}

static void a_closed_node_is_owed_nothing(void **state)
{
    struct author_fixture *f = *state;
    const struct spean_cut cut = {.closed = true};
    struct spean_statement_cut cuts[] = {{f->nodes[A2].signing, cut}};
    const struct spean_statement_draft draft = {
        .version = 3, .previous = f->statement.doc.id, .cuts_count = 1, .cuts = cuts};
    struct fixture_document next;
    fixture_statement(&next, &draft, SIGNED_BY(AUTHOR_ADMIN));
    assert_true(owes(f, A1));
    author_fixture_add(f, &next);
    assert_false(owes(f, A1));
}

/* An author gives every open node that it knows a box: as many as there are nodes miss nobody. */
static void fewer_boxes_than_nodes_show_the_author_alone(void **state)
{
    struct author_fixture *f = *state;
    const struct spean_authority *authority = f->nodes[A1].authority;
    const struct spean_log *first = f->nodes[A1].author.log;
    struct spean_id second_id;
    spean_log_id(&second_id, &spean_authority_ledger(authority)->id, &f->nodes[A2].org,
                 &f->nodes[A2].signing);
    const struct spean_log *second = spean_authority_log(authority, &second_id);
    struct spean_tx *tx = begin(f, A1);
    assert_int_equal(spean_handed_seen(tx, authority, first, 1, 1), SPEAN_OK);
    assert_false(lacks(f, tx, first));
    assert_true(lacks(f, tx, second));
    assert_int_equal(spean_handed_seen(tx, authority, first, 2, 1), SPEAN_OK);
    assert_false(lacks(f, tx, second));
    spean_tx_abort(tx);
}

static void an_older_secret_is_not_enough_and_takes_nothing_back(void **state)
{
    struct author_fixture *f = *state;
    const struct spean_log *node = f->nodes[A1].author.log;
    struct spean_tx *tx = begin(f, A1);
    assert_int_equal(spean_handed_put(tx, &node->sealing, 0), SPEAN_OK);
    assert_true(lacks(f, tx, node));
    assert_int_equal(spean_handed_put(tx, &node->sealing, 1), SPEAN_OK);
    assert_int_equal(spean_handed_put(tx, &node->sealing, 0), SPEAN_OK);
    assert_false(lacks(f, tx, node));
    spean_tx_abort(tx);
}

static void a_damaged_row_is_said_to_be_so(void **state)
{
    struct author_fixture *f = *state;
    const struct spean_log *node = f->nodes[A1].author.log;
    struct spean_db_key key = {0};
    bool it_lacks = false;
    struct spean_tx *tx = begin(f, A1);
    spean_db_key_put_bytes(&key, (const uint8_t *)"handed/", 7);
    spean_db_key_put_bytes(&key, node->sealing.bytes, sizeof(node->sealing.bytes));
    assert_int_equal(spean_tx_put(tx, SPEAN_TABLE_META, spean_db_key_view(&key),
                                  (struct spean_view){(const uint8_t *)"short", 5}),
                     SPEAN_OK);
    assert_int_equal(spean_handed_put(tx, &node->sealing, 1), SPEAN_ECORRUPT);
    assert_int_equal(spean_handed_lacks(tx, f->nodes[A1].authority, node, &it_lacks),
                     SPEAN_ECORRUPT);
    spean_tx_abort(tx);
}

#define TEST(F) cmocka_unit_test_setup_teardown(F, author_fixture_setup, author_fixture_teardown)
#define TEST_NEW(F)                                                                                \
    cmocka_unit_test_setup_teardown(F, author_fixture_setup_new_node, author_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_NEW(a_node_is_owed_until_somebody_hands_it_the_secrets),
        TEST_NEW(a_grant_that_was_refused_hands_nothing_over),
        TEST_NEW(who_was_handed_them_owes_nothing_to_who_did),
        TEST(two_that_hand_them_over_at_once_do_no_harm),
        TEST(an_organisation_with_one_node_owes_nobody),
        TEST(a_closed_node_is_owed_nothing),
        TEST(fewer_boxes_than_nodes_show_the_author_alone),
        TEST(an_older_secret_is_not_enough_and_takes_nothing_back),
        TEST(a_damaged_row_is_said_to_be_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
