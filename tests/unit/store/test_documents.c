#include "store/documents.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/identitykit.h"
#include "tests/unit/store/fixture.h"

/* As in the tests of the authority: a founder, and a newcomer that charter version 2 lets in. */
#define CHARTER_KEY   7
#define FOUNDER       1
#define FOUNDER_NODE  10
#define NEWCOMER      21
#define NEWCOMER_NODE 30
#define ALL           6

static struct fixture_document f1;
static struct fixture_document f2;
static struct fixture_document n1;
static struct fixture_document n2;
static struct fixture_document c1;
static struct fixture_document c2;
static struct spean_authority *authority;
static struct spean_authority_change changes[ALL];
static uint32_t kept;

static int setup(void **state)
{
    (void)fixture_store_setup(state);
    assert_int_equal(spean_authority_new(&authority, NULL), SPEAN_OK);
    fixture_org_first(&f1, FOUNDER);
    fixture_org_first(&n1, NEWCOMER);
    fixture_genesis(&c1, &f1.doc.id, CHARTER_KEY);
    const struct spean_handle handle = spean_handle_of(&c1.doc.id);
    fixture_org_node(&f2, &f1.doc, &f1.doc.id, &handle, true, FOUNDER_NODE, FOUNDER);
    fixture_org_node(&n2, &n1.doc, &n1.doc.id, &handle, true, NEWCOMER_NODE, NEWCOMER);
    fixture_charter_member(&c2, &c1.doc, &n1.doc.id, SPEAN_MEMBER_ACTIVE, CHARTER_KEY);
    return 0;
}

static int teardown(void **state)
{
    spean_authority_free(authority);
    return fixture_teardown(state);
}

static struct spean_tx *begin(struct fixture *f, enum spean_tx_mode mode)
{
    struct spean_tx *tx = NULL;
    assert_int_equal(spean_tx_begin(f->db, mode, &tx), SPEAN_OK);
    return tx;
}

static spean_err put(struct fixture *f, const struct spean_view *documents, uint32_t count,
                     enum spean_authority_pending pending)
{
    struct spean_tx *tx = begin(f, SPEAN_TX_WRITE);
    const spean_err err =
        spean_documents_put(tx, authority, documents, count, pending, changes, &kept);
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
    return err;
}

static void put_all(struct fixture *f)
{
    const struct spean_view all[ALL] = {c1.view, f1.view, f2.view, n1.view, c2.view, n2.view};
    assert_int_equal(put(f, all, ALL, SPEAN_PENDING_KEEP), SPEAN_OK);
    assert_int_equal(kept, ALL);
}

/* Load what is stored into an authority of its own, which must answer as ours does. */
static spean_err reload(struct fixture *f)
{
    struct spean_authority *again;
    assert_int_equal(spean_authority_new(&again, NULL), SPEAN_OK);
    const spean_err err = spean_documents_load(f->db, again);
    if (err == SPEAN_OK) {
        struct spean_id ours;
        struct spean_id theirs;
        spean_authority_digest(authority, &ours);
        spean_authority_digest(again, &theirs);
        assert_memory_equal(&ours, &theirs, sizeof(ours));
        assert_int_equal(spean_authority_logs_count(again), spean_authority_logs_count(authority));
    }
    spean_authority_free(again);
    return err;
}

static void an_authority_is_built_again_from_what_was_kept(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(reload(f), SPEAN_OK); /* Of nothing: nothing. */
    put_all(f);
    assert_int_equal(changes[0].type, SPEAN_DOCUMENT_CHARTER);
    assert_true((changes[4].flags & SPEAN_CHANGED_MEMBER) != 0);
    assert_int_equal(spean_authority_logs_count(authority), 2);
    assert_int_equal(reload(f), SPEAN_OK);
    fixture_close(f);
    assert_int_equal(fixture_open(f, false, FIXTURE_MAP_BYTES), SPEAN_OK);
    assert_int_equal(reload(f), SPEAN_OK);
}

static void what_is_held_is_passed_over(void **state)
{
    struct fixture *f = *state;
    put_all(f);
    const struct spean_view again[] = {c1.view, n2.view};
    assert_int_equal(put(f, again, 2, SPEAN_PENDING_REFUSE), SPEAN_OK);
    assert_int_equal(kept, 0);
    assert_int_equal(reload(f), SPEAN_OK);
}

static void what_has_no_place_here_is_passed_over_and_the_others_are_judged(void **state)
{
    struct fixture *f = *state;
    const struct spean_view gap[] = {c1.view, n2.view, f1.view};
    assert_int_equal(put(f, gap, 3, SPEAN_PENDING_KEEP), SPEAN_EGAP);
    assert_int_equal(kept, 2);
    const struct spean_view pending[] = {n1.view, f2.view};
    assert_int_equal(put(f, pending, 2, SPEAN_PENDING_REFUSE), SPEAN_EWAIT);
    assert_int_equal(kept, 1);
    assert_int_equal(reload(f), SPEAN_OK);
}

static void the_first_bad_one_ends_it_and_those_before_stay(void **state)
{
    struct fixture *f = *state;
    struct spean_view cut_short = c2.view;
    cut_short.len--;
    const struct spean_view bad[] = {c1.view, n2.view, cut_short, f1.view};
    assert_int_equal(put(f, bad, 4, SPEAN_PENDING_KEEP), SPEAN_EFORMAT);
    assert_int_equal(kept, 1);
    assert_int_equal(reload(f), SPEAN_OK);
}

static void a_document_is_found_by_chain_version_and_id(void **state)
{
    struct fixture *f = *state;
    put_all(f);
    struct spean_tx *tx = begin(f, SPEAN_TX_READ);
    struct spean_view found;
    struct spean_title title = {2, f2.doc.id};
    assert_int_equal(spean_documents_get(tx, &f1.doc.id, &title, &found), SPEAN_OK);
    assert_int_equal(found.len, f2.view.len);
    assert_memory_equal(found.data, f2.view.data, found.len);
    assert_int_equal(spean_documents_get(tx, &n1.doc.id, &title, &found), SPEAN_ENOTFOUND);
    title.version = 1;
    assert_int_equal(spean_documents_get(tx, &f1.doc.id, &title, &found), SPEAN_ENOTFOUND);
    title.id = fixture_id(9);
    assert_int_equal(spean_documents_get(tx, &f1.doc.id, &title, &found), SPEAN_ENOTFOUND);
    spean_tx_abort(tx);
}

static void without_a_commit_nothing_is_kept(void **state)
{
    struct fixture *f = *state;
    struct spean_tx *tx = begin(f, SPEAN_TX_WRITE);
    assert_int_equal(
        spean_documents_put(tx, authority, &c1.view, 1, SPEAN_PENDING_KEEP, changes, &kept),
        SPEAN_OK);
    spean_tx_abort(tx);
    tx = begin(f, SPEAN_TX_READ);
    struct spean_documents_row row;
    assert_int_equal(spean_documents_next(tx, 0, &row), SPEAN_ENOTFOUND);
    spean_tx_abort(tx);
}

/* Change one byte of the value of a row. */
static void damage(struct fixture *f, enum spean_table table, struct spean_view key, size_t pos)
{
    static uint8_t copy[SPEAN_DOCUMENT_ENCODED_BYTES_MAX + SPEAN_ID_BYTES];
    struct spean_tx *tx = begin(f, SPEAN_TX_WRITE);
    struct spean_view value;
    assert_int_equal(spean_tx_get(tx, table, key, &value), SPEAN_OK);
    assert_true(value.len <= sizeof(copy));
    (void)memcpy(copy, value.data, value.len);
    copy[pos] ^= 1;
    (void)spean_tx_put(tx, table, key, (struct spean_view){copy, value.len});
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
}

static void damaged_documents_are_found(void **state)
{
    struct fixture *f = *state;
    put_all(f);
    struct spean_db_key third = {0};
    spean_db_key_put_u64(&third, 3);
    const struct spean_view key = spean_db_key_view(&third);
    const struct spean_title title = {2, f2.doc.id};
    struct spean_view found;
    static const size_t places[] = {SPEAN_ID_BYTES, SPEAN_ID_BYTES + 60};
    for (size_t i = 0; i < 2; i++) { /* Its form, then a byte of its body. */
        damage(f, SPEAN_TABLE_DOCUMENTS, key, places[i]);
        assert_int_equal(reload(f), SPEAN_ECORRUPT);
        struct spean_tx *tx = begin(f, SPEAN_TX_READ);
        assert_int_equal(spean_documents_get(tx, &f1.doc.id, &title, &found), SPEAN_ECORRUPT);
        spean_tx_abort(tx);
        damage(f, SPEAN_TABLE_DOCUMENTS, key, places[i]);
    }
    damage(f, SPEAN_TABLE_DOCUMENT_IDS, (struct spean_view){f2.doc.id.bytes, SPEAN_ID_BYTES}, 7);
    struct spean_tx *tx = begin(f, SPEAN_TX_READ);
    assert_int_equal(spean_documents_get(tx, &f1.doc.id, &title, &found), SPEAN_ECORRUPT);
    spean_tx_abort(tx);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_authority_is_built_again_from_what_was_kept),
        TEST(what_is_held_is_passed_over),
        TEST(what_has_no_place_here_is_passed_over_and_the_others_are_judged),
        TEST(the_first_bad_one_ends_it_and_those_before_stay),
        TEST(a_document_is_found_by_chain_version_and_id),
        TEST(without_a_commit_nothing_is_kept),
        TEST(damaged_documents_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
