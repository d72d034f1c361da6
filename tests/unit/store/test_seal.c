#include "store/seal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/store/fixture.h"

static const uint8_t credential_bytes[SPEAN_WRAP_CREDENTIAL_BYTES] = {1, 2, 3};
static const struct spean_unlock credential = {
    .kind = SPEAN_UNLOCK_CREDENTIAL,
    .bytes = {credential_bytes, sizeof(credential_bytes)},
};

static struct spean_keys *keys; /* Of the store of the test that runs. */

static int setup(void **state)
{
    (void)fixture_store_setup(state);
    const struct fixture *f = *state;
    assert_int_equal(spean_keys_new(&keys), SPEAN_OK);
    assert_int_equal(spean_keys_create(keys, f->db, &credential), SPEAN_OK);
    return 0;
}

static int teardown(void **state)
{
    spean_keys_free(keys);
    return fixture_teardown(state);
}

static spean_err put(struct fixture *f, const char *key, const char *plaintext)
{
    struct spean_tx *tx = NULL;
    assert_int_equal(spean_tx_begin(f->db, SPEAN_TX_WRITE, &tx), SPEAN_OK);
    const spean_err err =
        spean_seal_put(tx, keys, SPEAN_TABLE_LOCAL, fixture_text(key), fixture_text(plaintext));
    assert_int_equal(spean_tx_commit(tx), err);
    return err;
}

static spean_err get(struct fixture *f, enum spean_table table, const char *key, uint8_t *buf,
                     size_t cap, size_t *len)
{
    struct spean_tx *tx = NULL;
    assert_int_equal(spean_tx_begin(f->db, SPEAN_TX_READ, &tx), SPEAN_OK);
    const spean_err err = spean_seal_get(tx, keys, table, fixture_text(key), buf, cap, len);
    spean_tx_abort(tx);
    return err;
}

static void a_sealed_value_reads_back(void **state)
{
    struct fixture *f = *state;
    uint8_t buf[64];
    size_t len = 7;
    assert_int_equal(put(f, "key", "plaintext"), SPEAN_OK);
    assert_int_equal(get(f, SPEAN_TABLE_LOCAL, "key", buf, 9, &len), SPEAN_OK);
    assert_int_equal(len, 9);
    assert_memory_equal(buf, "plaintext", 9);
    assert_int_equal(put(f, "empty", ""), SPEAN_OK);
    assert_int_equal(get(f, SPEAN_TABLE_LOCAL, "empty", buf, sizeof(buf), &len), SPEAN_OK);
    assert_int_equal(len, 0);
}

static void the_plaintext_is_not_in_the_store(void **state)
{
    struct fixture *f = *state;
    uint8_t row[64];
    assert_int_equal(put(f, "key", "plaintext"), SPEAN_OK);
    assert_int_equal(fixture_get(f, SPEAN_TABLE_LOCAL, "key", row, sizeof(row)),
                     9 + SPEAN_SEAL_EXTRA_BYTES);
    for (size_t i = 0; i + 4 <= 9 + SPEAN_SEAL_EXTRA_BYTES; i++) {
        assert_memory_not_equal(row + i, "plai", 4);
    }
}

static void sealing_the_same_twice_looks_different(void **state)
{
    struct fixture *f = *state;
    uint8_t first[64];
    uint8_t second[64];
    assert_int_equal(put(f, "key", "plaintext"), SPEAN_OK);
    const size_t len = fixture_get(f, SPEAN_TABLE_LOCAL, "key", first, sizeof(first));
    assert_int_equal(put(f, "key", "plaintext"), SPEAN_OK);
    (void)fixture_get(f, SPEAN_TABLE_LOCAL, "key", second, sizeof(second));
    assert_memory_not_equal(first, second, SPEAN_AEAD_NONCE_BYTES);
    assert_memory_not_equal(first + SPEAN_AEAD_NONCE_BYTES, second + SPEAN_AEAD_NONCE_BYTES,
                            len - SPEAN_AEAD_NONCE_BYTES);
}

static void a_value_moved_to_another_row_or_table_is_refused(void **state)
{
    struct fixture *f = *state;
    uint8_t row[64];
    uint8_t buf[64];
    size_t len = 0;
    assert_int_equal(put(f, "key", "plaintext"), SPEAN_OK);
    const size_t row_len = fixture_get(f, SPEAN_TABLE_LOCAL, "key", row, sizeof(row));
    fixture_put(f, SPEAN_TABLE_LOCAL, "kez", (struct spean_view){row, row_len});
    fixture_put(f, SPEAN_TABLE_META, "key", (struct spean_view){row, row_len});
    assert_int_equal(get(f, SPEAN_TABLE_LOCAL, "kez", buf, sizeof(buf), &len), SPEAN_ECORRUPT);
    assert_int_equal(get(f, SPEAN_TABLE_META, "key", buf, sizeof(buf), &len), SPEAN_ECORRUPT);
    assert_int_equal(len, 0);
}

static void a_value_with_any_byte_changed_or_cut_is_refused(void **state)
{
    struct fixture *f = *state;
    uint8_t row[64];
    uint8_t buf[64];
    size_t len = 0;
    assert_int_equal(put(f, "key", "plaintext"), SPEAN_OK);
    const size_t row_len = fixture_get(f, SPEAN_TABLE_LOCAL, "key", row, sizeof(row));
    for (size_t i = 0; i < row_len; i++) {
        row[i] ^= 1;
        assert_int_equal(spean_seal_open(keys, SPEAN_TABLE_LOCAL, fixture_text("key"),
                                         (struct spean_view){row, row_len}, buf, sizeof(buf), &len),
                         SPEAN_ECORRUPT);
        row[i] ^= 1;
        assert_int_equal(spean_seal_open(keys, SPEAN_TABLE_LOCAL, fixture_text("key"),
                                         (struct spean_view){row, i}, buf, sizeof(buf), &len),
                         SPEAN_ECORRUPT);
    }
    assert_int_equal(spean_db_broken(f->db), SPEAN_OK);
}

static void a_buffer_that_is_too_small_is_refused(void **state)
{
    struct fixture *f = *state;
    uint8_t buf[8];
    size_t len = 7;
    assert_int_equal(put(f, "key", "plaintext"), SPEAN_OK);
    assert_int_equal(get(f, SPEAN_TABLE_LOCAL, "key", buf, sizeof(buf), &len), SPEAN_ELIMIT);
    assert_int_equal(get(f, SPEAN_TABLE_LOCAL, "none", buf, sizeof(buf), &len), SPEAN_ENOTFOUND);
    assert_int_equal(len, 7);
}

static void a_value_of_the_limit_is_sealed_and_one_byte_more_is_refused(void **state)
{
    struct fixture *f = *state;
    static uint8_t bytes[SPEAN_SEAL_PLAIN_BYTES_MAX + 1];
    static uint8_t buf[SPEAN_SEAL_PLAIN_BYTES_MAX];
    size_t len = 0;
    struct spean_tx *tx = NULL;
    assert_int_equal(spean_tx_begin(f->db, SPEAN_TX_WRITE, &tx), SPEAN_OK);
    assert_int_equal(spean_seal_put(tx, keys, SPEAN_TABLE_LOCAL, fixture_text("key"),
                                    (struct spean_view){bytes, sizeof(bytes) - 1}),
                     SPEAN_OK);
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
    assert_int_equal(get(f, SPEAN_TABLE_LOCAL, "key", buf, sizeof(buf), &len), SPEAN_OK);
    assert_int_equal(len, SPEAN_SEAL_PLAIN_BYTES_MAX);
    assert_int_equal(spean_tx_begin(f->db, SPEAN_TX_WRITE, &tx), SPEAN_OK);
    assert_int_equal(spean_seal_put(tx, keys, SPEAN_TABLE_LOCAL, fixture_text("key"),
                                    (struct spean_view){bytes, sizeof(bytes)}),
                     SPEAN_ELIMIT);
    assert_int_equal(spean_tx_commit(tx), SPEAN_ELIMIT);
}

static void nothing_is_sealed_or_opened_when_locked(void **state)
{
    struct fixture *f = *state;
    uint8_t buf[64];
    size_t len = 7;
    uint8_t name[SPEAN_SEAL_NAME_BYTES] = {0};
    const uint8_t zero[SPEAN_SEAL_NAME_BYTES] = {0};
    assert_int_equal(put(f, "key", "plaintext"), SPEAN_OK);
    spean_keys_lock(keys);
    assert_int_equal(put(f, "key", "other"), SPEAN_ELOCKED);
    assert_int_equal(get(f, SPEAN_TABLE_LOCAL, "key", buf, sizeof(buf), &len), SPEAN_ELOCKED);
    assert_int_equal(spean_seal_name(keys, "spean/test/1", fixture_text("name"), name),
                     SPEAN_ELOCKED);
    assert_memory_equal(name, zero, sizeof(name));
    assert_int_equal(spean_keys_unlock(keys, f->db, &credential), SPEAN_OK);
    assert_int_equal(get(f, SPEAN_TABLE_LOCAL, "key", buf, sizeof(buf), &len), SPEAN_OK);
    assert_memory_equal(buf, "plaintext", 9);
}

static void a_hidden_name_depends_on_name_domain_and_store(void **state)
{
    struct fixture *f = *state;
    uint8_t first[SPEAN_SEAL_NAME_BYTES];
    uint8_t second[SPEAN_SEAL_NAME_BYTES];
    assert_int_equal(spean_seal_name(keys, "spean/test/1", fixture_text("name"), first), SPEAN_OK);
    assert_int_equal(spean_seal_name(keys, "spean/test/1", fixture_text("name"), second), SPEAN_OK);
    assert_memory_equal(first, second, sizeof(first));
    assert_int_equal(spean_seal_name(keys, "spean/test/1", fixture_text("named"), second),
                     SPEAN_OK);
    assert_memory_not_equal(first, second, sizeof(first));
    assert_int_equal(spean_seal_name(keys, "spean/test/2", fixture_text("name"), second), SPEAN_OK);
    assert_memory_not_equal(first, second, sizeof(first));

    struct spean_tx *tx = NULL;
    assert_int_equal(spean_tx_begin(f->db, SPEAN_TX_WRITE, &tx), SPEAN_OK);
    assert_int_equal(spean_tx_del(tx, SPEAN_TABLE_META, fixture_text("keystore")), SPEAN_OK);
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
    spean_keys_free(keys);
    assert_int_equal(spean_keys_new(&keys), SPEAN_OK);
    assert_int_equal(spean_keys_create(keys, f->db, &credential), SPEAN_OK);
    assert_int_equal(spean_seal_name(keys, "spean/test/1", fixture_text("name"), second), SPEAN_OK);
    assert_memory_not_equal(first, second, sizeof(first));
}

#define ON_KEYS(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_KEYS(a_sealed_value_reads_back),
        ON_KEYS(the_plaintext_is_not_in_the_store),
        ON_KEYS(sealing_the_same_twice_looks_different),
        ON_KEYS(a_value_moved_to_another_row_or_table_is_refused),
        ON_KEYS(a_value_with_any_byte_changed_or_cut_is_refused),
        ON_KEYS(a_buffer_that_is_too_small_is_refused),
        ON_KEYS(a_value_of_the_limit_is_sealed_and_one_byte_more_is_refused),
        ON_KEYS(nothing_is_sealed_or_opened_when_locked),
        ON_KEYS(a_hidden_name_depends_on_name_domain_and_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
