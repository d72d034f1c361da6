#include "store/setup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/limits.h"
#include "protocol/sign.h"
#include "protocol/statement.h"
#include "tests/unit/store/fixture.h"

static uint8_t encoded[SPEAN_DOCUMENT_ENCODED_BYTES_MAX];

/* Make a signed statement of the version given. */
static struct spean_view statement(uint64_t version)
{
    static const uint8_t seed[SPEAN_KEY_BYTES] = {7};
    struct spean_key admin;
    spean_sign_public(&admin, seed);
    const struct spean_id recovery = {.bytes = {1}};
    const struct spean_key sealing = {.bytes = {2}};
    const struct spean_statement_draft draft = {
        .version = version,
        .previous = {.bytes = {3}},
        .threshold = 1,
        .admins_count = 1,
        .admins = &admin,
        .recovery = version == 1 ? &recovery : NULL,
        .generation = version == 1 ? 1 : 0,
        .sealing = version == 1 ? &sealing : NULL,
    };
    uint8_t buf[SPEAN_DOCUMENT_BYTES_MAX];
    struct spean_view body;
    struct spean_view out;
    struct spean_document doc;
    assert_int_equal(spean_statement_compose(&draft, buf, sizeof(buf), &body), SPEAN_OK);
    assert_int_equal(spean_document_begin(&doc, body), SPEAN_OK);
    assert_int_equal(spean_document_sign(&doc, seed), SPEAN_OK);
    assert_int_equal(spean_document_encode(&doc, encoded, sizeof(encoded), &out), SPEAN_OK);
    return out;
}

static struct spean_setup good(void)
{
    return (struct spean_setup){
        .statement = statement(1), .name = fixture_text("ស្ពាន"), .country = fixture_text("KH")};
}

static spean_err put(struct fixture *f, const struct spean_setup *setup)
{
    struct spean_tx *tx;
    assert_int_equal(spean_tx_begin(f->db, SPEAN_TX_WRITE, &tx), SPEAN_OK);
    const spean_err err = spean_setup_put(tx, setup);
    if (err != SPEAN_OK) {
        spean_tx_abort(tx);
        return err;
    }
    return spean_tx_commit(tx);
}

static void what_was_put_is_got_with_the_document_decoded(void **state)
{
    struct fixture *f = *state;
    const struct spean_setup setup = good();
    assert_int_equal(put(f, &setup), SPEAN_OK);

    struct spean_tx *tx;
    struct spean_setup got;
    struct spean_document doc;
    assert_int_equal(spean_tx_begin(f->db, SPEAN_TX_READ, &tx), SPEAN_OK);
    assert_int_equal(spean_setup_get(tx, &got, &doc), SPEAN_OK);
    assert_int_equal(got.name.len, setup.name.len);
    assert_memory_equal(got.name.data, setup.name.data, setup.name.len);
    assert_memory_equal(got.country.data, "KH", 2);
    assert_int_equal(got.statement.len, setup.statement.len);
    assert_memory_equal(got.statement.data, setup.statement.data, setup.statement.len);
    assert_int_equal(doc.version, 1);
    assert_memory_equal(got.org.bytes, doc.id.bytes, sizeof(doc.id.bytes));
    assert_int_equal(spean_document_verify(&doc), SPEAN_OK);
    spean_tx_abort(tx);
}

static void a_store_is_set_up_once(void **state)
{
    struct fixture *f = *state;
    const struct spean_setup setup = good();
    assert_int_equal(put(f, &setup), SPEAN_OK);
    assert_int_equal(put(f, &setup), SPEAN_EEXISTS);
}

static spean_err put_further(struct fixture *f, const struct spean_id *org)
{
    struct spean_tx *tx;
    assert_int_equal(spean_tx_begin(f->db, SPEAN_TX_WRITE, &tx), SPEAN_OK);
    const spean_err err = spean_setup_put_further(tx, org);
    if (err != SPEAN_OK) {
        spean_tx_abort(tx);
        return err;
    }
    return spean_tx_commit(tx);
}

static void a_further_node_knows_its_organisation_alone(void **state)
{
    struct fixture *f = *state;
    struct spean_id org;
    memset(org.bytes, 0x5a, sizeof(org.bytes));
    assert_int_equal(put_further(f, &org), SPEAN_OK);
    assert_int_equal(put_further(f, &org), SPEAN_EEXISTS);
    const struct spean_setup setup = good();
    assert_int_equal(put(f, &setup), SPEAN_EEXISTS);

    uint8_t row[256];
    const size_t len = fixture_get(f, SPEAN_TABLE_META, "setup", row, sizeof(row));
    for (size_t i = 0; i <= len; i++) {
        struct spean_tx *tx;
        struct spean_setup got;
        struct spean_document doc;
        assert_int_equal(spean_tx_begin(f->db, SPEAN_TX_READ, &tx), SPEAN_OK);
        const spean_err err = spean_setup_get(tx, &got, &doc);
        assert_int_equal(err, i == 0 ? SPEAN_OK : SPEAN_ECORRUPT); /* A bit before i changed. */
        if (i == 0) {
            assert_memory_equal(got.org.bytes, org.bytes, sizeof(org.bytes));
            assert_int_equal(got.statement.len + got.name.len + got.country.len, 0);
        }
        spean_tx_abort(tx);
        if (i < len) {
            row[i] ^= 1;
            fixture_put(f, SPEAN_TABLE_META, "setup", (struct spean_view){row, len});
            row[i] ^= 1;
        }
    }
}

static void a_store_without_set_up_says_so(void **state)
{
    struct fixture *f = *state;
    struct spean_tx *tx;
    struct spean_setup got;
    struct spean_document doc;
    assert_int_equal(spean_tx_begin(f->db, SPEAN_TX_READ, &tx), SPEAN_OK);
    assert_int_equal(spean_setup_get(tx, &got, &doc), SPEAN_ENOTFOUND);
    spean_tx_abort(tx);
}

static void malformed_parts_are_refused(void **state)
{
    struct fixture *f = *state;
    static const char *const countries[] = {"", "K", "KHM", "kh", "K1"};
    struct spean_setup setup = good();
    for (size_t i = 0; i < sizeof(countries) / sizeof(countries[0]); i++) {
        setup.country = fixture_text(countries[i]);
        assert_int_equal(put(f, &setup), SPEAN_EINPUT);
    }
    setup = good();
    setup.name = fixture_text("");
    assert_int_equal(put(f, &setup), SPEAN_EINPUT);
    setup.name = fixture_text("\xff");
    assert_int_equal(put(f, &setup), SPEAN_EINPUT);
    char name[SPEAN_SETUP_NAME_BYTES_MAX + 2];
    memset(name, 'a', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    setup.name = fixture_text(name);
    assert_int_equal(put(f, &setup), SPEAN_EINPUT);
    name[sizeof(name) - 2] = '\0';
    setup.name = fixture_text(name);
    assert_int_equal(put(f, &setup), SPEAN_OK);
}

static void only_version_1_of_a_statement_will_do(void **state)
{
    struct fixture *f = *state;
    struct spean_setup setup = good();
    setup.statement = statement(2);
    assert_int_equal(put(f, &setup), SPEAN_EINPUT);
    setup.statement = statement(1);
    while (setup.statement.len > 0) {
        setup.statement.len--;
        assert_int_equal(put(f, &setup), SPEAN_EINPUT);
    }
}

static void any_bit_changed_at_rest_is_noticed(void **state)
{
    struct fixture *f = *state;
    const struct spean_setup setup = good();
    uint8_t row[2048];
    assert_int_equal(put(f, &setup), SPEAN_OK);
    const size_t len = fixture_get(f, SPEAN_TABLE_META, "setup", row, sizeof(row));
    for (size_t i = 0; i < len; i++) {
        struct spean_tx *tx;
        struct spean_setup got;
        struct spean_document doc;
        row[i] ^= 1;
        fixture_put(f, SPEAN_TABLE_META, "setup", (struct spean_view){row, len});
        row[i] ^= 1;
        assert_int_equal(spean_tx_begin(f->db, SPEAN_TX_READ, &tx), SPEAN_OK);
        assert_int_equal(spean_setup_get(tx, &got, &doc), SPEAN_ECORRUPT);
        spean_tx_abort(tx);
    }
}

static void a_row_cut_short_is_noticed(void **state)
{
    struct fixture *f = *state;
    const struct spean_setup setup = good();
    uint8_t row[2048];
    assert_int_equal(put(f, &setup), SPEAN_OK);
    const size_t len = fixture_get(f, SPEAN_TABLE_META, "setup", row, sizeof(row));
    for (size_t cut = 1; cut < len; cut++) {
        struct spean_tx *tx;
        struct spean_setup got;
        struct spean_document doc;
        fixture_put(f, SPEAN_TABLE_META, "setup", (struct spean_view){row, cut});
        assert_int_equal(spean_tx_begin(f->db, SPEAN_TX_READ, &tx), SPEAN_OK);
        assert_int_equal(spean_setup_get(tx, &got, &doc), SPEAN_ECORRUPT);
        spean_tx_abort(tx);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_store_setup, fixture_teardown)
        TEST(what_was_put_is_got_with_the_document_decoded),
        TEST(a_store_is_set_up_once),
        TEST(a_further_node_knows_its_organisation_alone),
        TEST(a_store_without_set_up_says_so),
        TEST(malformed_parts_are_refused),
        TEST(only_version_1_of_a_statement_will_do),
        TEST(any_bit_changed_at_rest_is_noticed),
        TEST(a_row_cut_short_is_noticed),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
